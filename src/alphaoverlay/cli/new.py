"""`alphaoverlay new`: a commented study to begin from."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from alphaoverlay.cli import options as shared


def new(
    path: Annotated[Path, typer.Argument(metavar="FILE.toml", help="Where to write it.")],
    force: shared.ForceOption = False,
) -> None:
    """Write a commented starter study.

    [bold]Example[/bold]

      alphaoverlay new my.toml
    """
    from alphaoverlay.errors import StudyError
    from alphaoverlay.files import write_whole
    from alphaoverlay.study.write import starter_study

    if path.suffix != ".toml":
        raise StudyError(f"command line: {path} does not end in .toml; write for example alphaoverlay new my.toml")
    write_whole(path, starter_study(path.name), replace=force)
    typer.echo(f"Study written to {path}\nNext: alphaoverlay run {shlex.quote(str(path))}")
