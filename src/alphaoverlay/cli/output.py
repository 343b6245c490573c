"""What commands print, and the files they write."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alphaoverlay.errors import OutputError

if TYPE_CHECKING:
    from rich.console import Console

    from alphaoverlay.report.model import Report


def print_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document; a number that is not finite would be a bug, so it fails."""
    print(json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False))


def console() -> Console:
    """Return the terminal; wide enough for tables where the output is not one."""
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> None:  # the reader, such as `head`, has gone: no failure of ours
            raise SystemExit(0)

    terminal = Quiet(highlight=False)
    return terminal if terminal.is_terminal or "COLUMNS" in os.environ else Quiet(highlight=False, width=120)


def _is_report(path: Path) -> bool:
    """Whether nothing is there yet, or one of our own reports."""
    try:
        with path.open("rb") as file:
            return b'content="alphaoverlay"' in file.read(2000)
    except FileNotFoundError:
        return True
    except OSError:
        return False


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show on a terminal what is being done, and nothing elsewhere; gone when it is done."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True, highlight=False).status("reading data") as status:
        yield lambda what: status.update(what)


def how_to_call() -> str:
    """Return what a user types to reach this very program from here."""
    if shutil.which("alphaoverlay"):
        return "alphaoverlay"
    beside = Path(sys.executable).with_name("alphaoverlay")
    words = [str(beside)] if beside.exists() else [sys.executable, "-m", "alphaoverlay"]
    here = f"{Path.cwd()}{os.sep}"
    return " ".join(shlex.quote(word.removeprefix(here)) for word in words)


def refuse_foreign_file(path: Path | None, *, force: bool) -> None:
    """Say before long work, not after it, that something other than an earlier report is where one is to be written.

    Raises
    ------
    OutputError : there is, and `force` is False.
    """
    if path is not None and not force and not _is_report(path):
        raise OutputError(f"{path} exists already; give another name, or --force to overwrite it")


def write_report(report: Report, path: Path, *, open_it: bool, force: bool = False) -> None:
    """Write the HTML file whole or not at all, and open it where asked.

    Raises
    ------
    OutputError : something other than an earlier report is there (and `force` is False), or it cannot be written.
    """
    from alphaoverlay.files import write_whole
    from alphaoverlay.report.html import render_html

    write_whole(path, render_html(report), replace=force or _is_report(path))
    if open_it:
        webbrowser.open(path.resolve().as_uri())


def show_report(report: Report, path: Path | None, *, open_it: bool, force: bool, quiet: bool) -> None:
    """Write a report where a path is given, and print it unless `quiet` (JSON was printed).

    Raises
    ------
    OutputError : as `write_report`.
    """
    if path is not None:
        write_report(report, path, open_it=open_it, force=force)
    if quiet:
        return
    from alphaoverlay.report.text import print_report

    screen = console()
    print_report(report, screen)
    if path is not None:
        screen.print(f"Report written to {path}", markup=False)
