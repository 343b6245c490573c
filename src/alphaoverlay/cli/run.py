"""`alphaoverlay run`: design, backtest and measure."""

from __future__ import annotations

from typing import Annotated

import typer

from alphaoverlay.cli import options as shared
from alphaoverlay.cli.studies import read_words, save_study, study_options


def run(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY.toml | SYMBOL=WEIGHT ...",
            help="A study, or weights by symbol (percent or fractions), or exposures by index (the first is the base).",
        ),
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
    half_spread_bps: shared.CostOption = None,
    band: shared.BandOption = None,
    capital: shared.CapitalOption = None,
    benchmark: shared.BenchmarkOption = None,
    cash_rate: shared.CashRateOption = None,
    allow: shared.AllowOption = None,
    funds: shared.FundsFileOption = None,
    json_output: shared.JsonOption = False,
    report: shared.ReportOption = None,
    open_report: shared.OpenOption = False,
    save: shared.SaveOption = None,
    force: shared.ForceOption = False,
) -> None:
    """Design a portfolio (or take yours), backtest it against its benchmark, and measure both.

    [bold]Examples[/bold]

      alphaoverlay run SPY=70 UPRO=10 TNA=10 SQQQ=10
      alphaoverlay run SPY=70 UPRO=10 TNA=10 SQQQ=10 --data FOLDER --start 2010-02-11 --rebalance monthly
      alphaoverlay run SP500=1 RUSSELL2000=0.3 NASDAQ100=-0.3 --allow SPY,UPRO,TNA,SQQQ --save my.toml
      alphaoverlay run my.toml --rebalance never --band exposure=0.10 --capital 250000
      alphaoverlay run my.toml --data yahoo --report my.html
      alphaoverlay run my.toml --json
    """
    from alphaoverlay.cli.output import console, print_json, write_report
    from alphaoverlay.cli.sources import opened_for
    from alphaoverlay.study.run import run_study

    shared.refuse_open_without_report(report, open_report=open_report)
    study = read_words(
        words,
        "SYMBOL=WEIGHT such as SPY=70",
        study_options(
            start=start,
            end=end,
            rebalance=rebalance,
            offset=offset,
            half_spread_bps=half_spread_bps,
            band=band,
            capital=capital,
            benchmark=benchmark,
            cash_rate=cash_rate,
            allow=allow,
            funds=funds,
            data=data,
            accept=accept,
            fingerprint=fingerprint,
        ),
    )
    result = run_study(study, opened_for(study, store, offline=offline))
    if save is not None:
        save_study(study, save, force=force)
    if report is not None:
        from alphaoverlay.study.reporting import run_report

        write_report(run_report(result), report, open_it=open_report, force=force)
    if json_output:
        from alphaoverlay.study.results import run_document

        print_json(run_document(result).dump())
        return
    from alphaoverlay.report.text import print_report
    from alphaoverlay.study.reporting import run_report

    screen = console()
    print_report(run_report(result), screen)
    for path, what in ((report, "Report"), (save, "Study")):
        if path is not None:
            screen.print(f"{what} written to {path}", markup=False)
