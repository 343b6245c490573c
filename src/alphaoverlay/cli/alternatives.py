"""`alphaoverlay alternatives`: the same view taken in plainer ways."""

from __future__ import annotations

from typing import Annotated

import typer

from alphaoverlay.cli import options as shared
from alphaoverlay.cli.studies import read_words, study_options


def alternatives(
    words: Annotated[
        list[str],
        typer.Argument(metavar="STUDY.toml | SYMBOL=WEIGHT ...", help="A study, weights by symbol, or exposures."),
    ],
    data: shared.DataOption = None,
    offline: shared.OfflineOption = False,
    store: shared.StoreOption = None,
    accept: shared.AcceptOption = None,
    fingerprint: shared.FingerprintOption = None,
    start: shared.StartOption = None,
    end: shared.EndOption = None,
    rebalance: shared.RebalanceOption = None,
    offset: shared.OffsetOption = None,
    band: shared.BandOption = None,
    half_spread_bps: shared.CostOption = None,
    benchmark: shared.BenchmarkOption = None,
    cash_rate: shared.CashRateOption = None,
    allow: shared.AllowOption = None,
    funds: shared.FundsFileOption = None,
    json_output: shared.JsonOption = False,
    report: shared.ReportOption = None,
    open_report: shared.OpenOption = False,
    force: shared.ForceOption = False,
) -> None:
    """Take the same view by shifting capital, at other sizes and with 2x funds, side by side at equal active risk.

    [bold]Examples[/bold]

      alphaoverlay alternatives SPY=70 UPRO=10 TNA=10 SQQQ=10 --data FOLDER --start 2010-02-11
      alphaoverlay alternatives my.toml --report alternatives.html
    """
    from alphaoverlay.cli.output import print_json, progress, show_report
    from alphaoverlay.cli.sources import opened_for
    from alphaoverlay.study.alternatives import compare_alternatives
    from alphaoverlay.study.alternatives_report import alternatives_report

    shared.refuse_open_without_report(report, open_report=open_report)
    study = read_words(
        words,
        "SYMBOL=WEIGHT such as SPY=70",
        study_options(
            start=start,
            end=end,
            rebalance=rebalance,
            offset=offset,
            band=band,
            half_spread_bps=half_spread_bps,
            benchmark=benchmark,
            cash_rate=cash_rate,
            allow=allow,
            funds=funds,
            data=data,
            accept=accept,
            fingerprint=fingerprint,
        ),
    )
    with progress() as tell:
        found = compare_alternatives(study, opened_for(study, store, offline=offline), progress=tell)
    if json_output:
        from alphaoverlay.study.alternatives_document import alternatives_document

        print_json(alternatives_document(found).dump())
    show_report(alternatives_report(found), report, open_it=open_report, force=force, quiet=json_output)
