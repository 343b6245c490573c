"""The command `alphaoverlay`: its commands, its exit codes and how mistakes are shown."""

from __future__ import annotations

import sys

import typer

from alphaoverlay import __version__
from alphaoverlay.cli.demo import demo
from alphaoverlay.cli.design import design
from alphaoverlay.cli.funds import funds
from alphaoverlay.cli.new import new
from alphaoverlay.cli.replicate import replicate
from alphaoverlay.cli.run import run
from alphaoverlay.errors import AlphaOverlayError

CALLERS_ERROR = 2

app = typer.Typer(
    name="alphaoverlay",
    help="Design, test and run alpha overlays with leveraged funds.",
    epilog="Analysis, not investment advice. Exit codes: 0 fine, 2 your mistake (one line says which), 1 our bug.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(show: bool) -> None:
    if show:
        typer.echo(f"alphaoverlay {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """Design, test and run alpha overlays with leveraged funds."""


for command in (demo, run, design, funds, new, replicate):
    app.command()(command)


def main() -> None:
    """Run the command line; a mistake of the caller is one line and exit code 2, a bug keeps its traceback."""
    try:
        app()
    except AlphaOverlayError as error:
        print(f"alphaoverlay: {error}", file=sys.stderr)
        sys.exit(CALLERS_ERROR)
    except BrokenPipeError:  # the reader, such as `head`, has gone
        sys.stderr.close()
        sys.exit(0)
