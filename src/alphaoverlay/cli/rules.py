"""`alphaoverlay rules`: one study under many rebalancing rules."""

from __future__ import annotations

from typing import Annotated

import typer

from alphaoverlay.cli import options as shared
from alphaoverlay.cli.studies import read_words, study_options


def rules(
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
    tolerance: Annotated[
        float,
        typer.Option("--tolerance", metavar="ERROR", help="Largest exposure error of a recommended rule.", min=0.0),
    ] = 0.10,
    shock: shared.ShockOption = None,
    json_output: shared.JsonOption = False,
    report: shared.ReportOption = None,
    open_report: shared.OpenOption = False,
    force: shared.ForceOption = False,
) -> None:
    """Compare rebalancing rules: cost against exposure error, how much the day matters, what a quarter can do.

    [bold]Examples[/bold]

      alphaoverlay rules SPY=70 UPRO=10 TNA=10 SQQQ=10 --data FOLDER --start 2010-02-11
      alphaoverlay rules my.toml --tolerance 0.05 --report rules.html
      alphaoverlay rules my.toml --shock RUSSELL2000=-30% --shock NASDAQ100=10%
    """
    from alphaoverlay.cli.output import print_json, progress, show_report
    from alphaoverlay.cli.sources import opened_for
    from alphaoverlay.study.rule_comparison import compare_rules
    from alphaoverlay.study.rule_report import rules_report

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
    moves = shared.moves(shock, "--shock", "RUSSELL2000=-30%") if shock else None
    with progress() as tell:
        found = compare_rules(
            study, opened_for(study, store, offline=offline), tolerance=tolerance, shocks=moves, progress=tell
        )
    if json_output:
        from alphaoverlay.study.rule_documents import rules_document

        print_json(rules_document(found).dump())
    show_report(rules_report(found), report, open_it=open_report, force=force, quiet=json_output)
