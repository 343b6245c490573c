"""`alphaoverlay track`: a real fund against its synthetic one."""

from __future__ import annotations

from typing import Annotated

import typer

from alphaoverlay.cli import options as shared


def track(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="A leveraged, inverse or plain fund, such as UPRO.")],
    data: shared.DataOption = None,
    offline: shared.OfflineOption = False,
    store: shared.StoreOption = None,
    accept: shared.AcceptOption = None,
    start: shared.StartOption = None,
    end: shared.EndOption = None,
    against: Annotated[
        list[str] | None,
        typer.Option("--against", metavar="TICKER", help="Measure this too, such as SPY?L=3&E=0.91; may be repeated."),
    ] = None,
    cash_rate: shared.CashRateOption = None,
    funds: shared.FundsFileOption = None,
    json_output: shared.JsonOption = False,
    report: shared.ReportOption = None,
    open_report: shared.OpenOption = False,
    force: shared.ForceOption = False,
) -> None:
    """Hold a fund's real history against its synthetic one and against its promise.

    [bold]Examples[/bold]

      alphaoverlay track UPRO --data FOLDER
      alphaoverlay track TNA --data FOLDER --start 2010-01-01 --report tna.html
      alphaoverlay track UPRO --data FOLDER --against "SPY?L=3&E=0.91&SP=0.4"
      alphaoverlay track SQQQ --data FOLDER --json
    """
    from alphaoverlay.cli.output import print_json, show_report
    from alphaoverlay.cli.sources import opened
    from alphaoverlay.funds.catalogue import load_catalogue
    from alphaoverlay.study.fund_span import fund_span
    from alphaoverlay.study.tracked import read_tracking
    from alphaoverlay.study.tracking_report import tracking_report

    shared.refuse_open_without_report(report, open_report=open_report)
    span = fund_span({"start": start, "end": end, "cash": shared.given(rate=cash_rate)}, "command line")
    tracked = read_tracking(
        symbol,
        opened(data, accept, store, offline=offline),
        load_catalogue(funds),
        start=span.first,
        end=span.last,
        rate=span.cash.build(),
        against=against or (),
    )
    if json_output:
        from alphaoverlay.study.tracking_documents import track_document

        print_json(track_document(tracked).dump())
    show_report(tracking_report(tracked), report, open_it=open_report, force=force, quiet=json_output)
