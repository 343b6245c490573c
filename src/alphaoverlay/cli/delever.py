"""`alphaoverlay delever`: a leveraged fund at 1/|L| beside cash, against its index."""

from __future__ import annotations

from typing import Annotated

import typer

from alphaoverlay.cli import options as shared


def delever(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="A leveraged fund, such as TNA, or SPY?L=3&E=0.91.")],
    data: shared.DataOption = None,
    offline: shared.OfflineOption = False,
    store: shared.StoreOption = None,
    accept: shared.AcceptOption = None,
    start: shared.StartOption = None,
    end: shared.EndOption = None,
    rebalance: shared.RebalanceOption = None,
    offset: shared.OffsetOption = None,
    half_spread_bps: shared.CostOption = None,
    cash_rate: shared.CashRateOption = None,
    funds: shared.FundsFileOption = None,
    json_output: shared.JsonOption = False,
    report: shared.ReportOption = None,
    open_report: shared.OpenOption = False,
    force: shared.ForceOption = False,
) -> None:
    """Hold 1/|L| of a leveraged fund and the rest in cash, against the fund's index: the gap, its causes, its luck.

    [bold]Examples[/bold]

      alphaoverlay delever TNA --data FOLDER
      alphaoverlay delever UPRO --data FOLDER --rebalance monthly --start 2012-01-03
      alphaoverlay delever SQQQ --data FOLDER --json
    """
    from alphaoverlay.cli.output import print_json, show_report
    from alphaoverlay.cli.sources import opened
    from alphaoverlay.funds.catalogue import load_catalogue
    from alphaoverlay.study.delevered import delever_fund
    from alphaoverlay.study.delevered_report import delevered_report
    from alphaoverlay.study.fund_span import fund_span

    shared.refuse_open_without_report(report, open_report=open_report)
    span = fund_span(
        {
            "start": start,
            "end": end,
            "cash": shared.given(rate=cash_rate),
            "rebalance": shared.given(calendar=rebalance, offset=offset),
            "costs": shared.given(half_spread_bps=half_spread_bps),
        },
        "command line",
    )
    held = delever_fund(
        symbol,
        opened(data, accept, store, offline=offline),
        load_catalogue(funds),
        start=span.first,
        end=span.last,
        rule=span.rebalance.build().calendar,
        costs=None if half_spread_bps is None else span.costs,
        rate=span.cash.build(),
    )
    if json_output:
        from alphaoverlay.study.delevered_documents import delever_document

        print_json(delever_document(held).dump())
    show_report(delevered_report(held), report, open_it=open_report, force=force, quiet=json_output)
