"""The command `alphaoverlay`: its commands, its exit codes and how mistakes are shown."""

from __future__ import annotations

import atexit
import gc
import io
import sys
from typing import NoReturn

import typer

from alphaoverlay import __version__
from alphaoverlay.cli.alternatives import alternatives
from alphaoverlay.cli.calibrate import calibrate
from alphaoverlay.cli.compare import compare
from alphaoverlay.cli.data import data
from alphaoverlay.cli.delever import delever
from alphaoverlay.cli.demo import demo
from alphaoverlay.cli.design import design
from alphaoverlay.cli.doctor import doctor
from alphaoverlay.cli.funds import funds
from alphaoverlay.cli.new import new
from alphaoverlay.cli.replicate import replicate
from alphaoverlay.cli.rules import rules
from alphaoverlay.cli.run import run
from alphaoverlay.cli.scenario import scenario
from alphaoverlay.cli.sectors import sectors
from alphaoverlay.cli.signal import signal
from alphaoverlay.cli.simulate import simulate
from alphaoverlay.cli.track import track
from alphaoverlay.errors import AlphaOverlayError

CALLERS_ERROR = 2
INTERRUPTED = 130
# New objects between two searches for garbage; Python's own number is far lower.
YOUNG_OBJECTS = 50_000
# Typer's errors of usage share this base; which module it lives in differs between typer's versions.
USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="alphaoverlay",
    help="Design, test and run alpha overlays with leveraged funds.",
    epilog="Analysis, not investment advice. Exit codes: 0 fine, 2 your mistake (one line says which), 3 action due, "
    "130 interrupted, 1 our bug.",
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(show: bool) -> None:
    if show:
        typer.echo(f"alphaoverlay {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    """Design, test and run alpha overlays with leveraged funds."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


for command in (
    demo,
    run,
    design,
    rules,
    alternatives,
    scenario,
    simulate,
    compare,
    signal,
    sectors,
    funds,
    track,
    calibrate,
    delever,
    new,
    replicate,
    doctor,
):
    app.command()(command)
app.add_typer(data)


def main() -> None:
    """Run the command line; a mistake of the caller is one line and exit code 2, a bug keeps its traceback."""
    # A fifth of a command's time went into looking for garbage among what imports leave for good, most of it at exit.
    gc.set_threshold(YOUNG_OBJECTS)
    atexit.register(gc.freeze)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that knows no dashes gets question marks, not a crash
            stream.reconfigure(errors="replace")
    try:
        status = app(standalone_mode=False)
    except AlphaOverlayError as error:
        _stop(str(error), CALLERS_ERROR)
    except USAGE_ERROR as error:
        _stop(_usage(error), CALLERS_ERROR)
    except (typer.Abort, KeyboardInterrupt):
        status = INTERRUPTED  # which some of typer's versions return
    except BrokenPipeError:  # the reader, such as `head`, has gone
        sys.stderr.close()
        sys.exit(0)
    if status == INTERRUPTED:
        _stop("interrupted; no half-written file is left", INTERRUPTED)
    sys.exit(status if isinstance(status, int) else 0)


def _usage(error: Exception) -> str:
    """The command line's own complaint, in one line, with where to read on."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "alphaoverlay"
    message = getattr(error, "format_message", lambda: str(error))()
    return f"{' '.join(message.split()).removesuffix('.')}. See: {command} --help"


def _stop(message: str, status: int) -> NoReturn:
    print(f"alphaoverlay: {message}", file=sys.stderr)
    sys.exit(status)
