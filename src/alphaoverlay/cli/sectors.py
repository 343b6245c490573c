"""`alphaoverlay sectors`: the sector weights of two indices side by side."""

from __future__ import annotations

from typing import Annotated

import typer

from alphaoverlay.cli import options as shared
from alphaoverlay.errors import StudyError


def sectors(
    long: Annotated[str, typer.Argument(metavar="LONG", help="The long leg's index or a plain fund, such as IWM.")],
    short: Annotated[str, typer.Argument(metavar="SHORT", help="The short leg's, such as QQQ.")],
    holdings: Annotated[
        list[str] | None,
        typer.Option(
            "--holdings",
            metavar="NAME=FILE",
            help="Take this index from an issuer's holdings file (CSV of iShares or Invesco); may be repeated.",
        ),
    ] = None,
    json_output: shared.JsonOption = False,
    report: shared.ReportOption = None,
    open_report: shared.OpenOption = False,
    force: shared.ForceOption = False,
) -> None:
    """Compare what two indices are made of, by sector: active weights and overlap.

    [bold]Examples[/bold]

      alphaoverlay sectors RUSSELL2000 NASDAQ100
      alphaoverlay sectors IWM QQQ --holdings IWM=iwm.csv --holdings QQQ=qqq.csv --report sectors.html
    """
    from alphaoverlay.analysis.composition import compare_sectors
    from alphaoverlay.cli.output import print_json, show_report
    from alphaoverlay.funds.catalogue import load_catalogue
    from alphaoverlay.study.sector_report import sectors_report
    from alphaoverlay.study.sector_tables import choose_sectors

    shared.refuse_open_without_report(report, open_report=open_report)
    found = compare_sectors(*choose_sectors(long, short, load_catalogue(), _files(holdings or [])))
    if json_output:
        from alphaoverlay.study.sector_document import sectors_document

        print_json(sectors_document(found).dump())
    show_report(sectors_report(found), report, open_it=open_report, force=force, quiet=json_output)


def _files(words: list[str]) -> dict[str, str]:
    """Read NAME=FILE words.

    Raises
    ------
    StudyError : a word that is not one, or a name twice.
    """
    read: dict[str, str] = {}
    for word in words:
        name, sign, path = word.partition("=")
        if not (name and sign and path):
            raise StudyError(f"command line: {word!r} is not a file of an index; write --holdings RUSSELL2000=iwm.csv")
        if name in read:
            raise StudyError(f"command line: --holdings {name} stands twice; give one file for it")
        read[name] = path
    return read
