"""`alphaoverlay compare`: symbols and indices side by side on one day."""

from __future__ import annotations

from typing import Annotated

import typer

from alphaoverlay.cli import options as shared


def compare(
    names: Annotated[
        list[str], typer.Argument(metavar="SYMBOL ...", help="Symbols or indices, such as RUT GSPC; the first leads.")
    ],
    data: shared.DataOption = None,
    offline: shared.OfflineOption = False,
    store: shared.StoreOption = None,
    accept: shared.AcceptOption = None,
    asof: shared.AsofOption = None,
    since: Annotated[
        list[str] | None,
        typer.Option("--since", metavar="DATE", help="Measure from this day's close too; may be repeated."),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="DATE",
            help="End the spans since those days on this one too, and show their best ends, found with hindsight.",
        ),
    ] = None,
    basis: shared.BasisOption = None,
    versus: Annotated[
        str | None,
        typer.Option("--versus", metavar="NAME", help="Hold the first name against this one; left out: each other."),
    ] = None,
    json_output: shared.JsonOption = False,
    report: shared.ReportOption = None,
    open_report: shared.OpenOption = False,
    force: shared.ForceOption = False,
) -> None:
    """Compare symbols or indices on one day: returns, growth, falls below the peak, relative strength.

    [bold]Examples[/bold]

      alphaoverlay compare RUT GSPC IXIC --data FOLDER --asof 2021-12-15
      alphaoverlay compare RUT IXIC --data FOLDER --since 2020-10-15 --to 2021-02-09 --report rut.html
      alphaoverlay compare IWM SPY QQQ --data yahoo --basis total --json
    """
    from alphaoverlay.cli.output import print_json, show_report
    from alphaoverlay.cli.sources import opened
    from alphaoverlay.funds.catalogue import load_catalogue
    from alphaoverlay.study.compared import compare_levels
    from alphaoverlay.study.compared_report import compared_report

    shared.refuse_open_without_report(report, open_report=open_report)
    compared = compare_levels(
        names,
        opened(data, accept, store, offline=offline),
        load_catalogue(),
        basis=basis or "price",
        asof=asof,
        since=since or (),
        to=to,
        versus=versus,
    )
    if json_output:
        from alphaoverlay.study.compared_document import compare_document

        print_json(compare_document(compared).dump())
    show_report(compared_report(compared), report, open_it=open_report, force=force, quiet=json_output)
