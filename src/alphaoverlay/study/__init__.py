"""Studies: TOML files (or command-line words) that say what to design and test, and what comes out of them."""
