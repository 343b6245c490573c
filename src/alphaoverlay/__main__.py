"""`python -m alphaoverlay`."""

from alphaoverlay.cli.app import main

if __name__ == "__main__":
    main()
