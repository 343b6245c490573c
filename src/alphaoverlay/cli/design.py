"""`alphaoverlay design`: from wanted exposures to fund weights."""

from __future__ import annotations

from typing import Annotated

import typer

from alphaoverlay.cli import options as shared
from alphaoverlay.cli.studies import read_words, save_study, study_options


def design(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY.toml | INDEX=EXPOSURE ...",
            help="A study, or exposures in multiples of capital; the first is the base, the others the overlay.",
        ),
    ],
    data: shared.DataOption = None,
    offline: shared.OfflineOption = False,
    store: shared.StoreOption = None,
    accept: shared.AcceptOption = None,
    fingerprint: shared.FingerprintOption = None,
    end: shared.EndOption = None,
    rebalance: shared.RebalanceOption = None,
    half_spread_bps: shared.CostOption = None,
    benchmark: shared.BenchmarkOption = None,
    cash_rate: shared.CashRateOption = None,
    allow: shared.AllowOption = None,
    funds: shared.FundsFileOption = None,
    json_output: shared.JsonOption = False,
    save: shared.SaveOption = None,
    force: shared.ForceOption = False,
) -> None:
    """Find the cheapest fund weights that bring the wanted exposures, with their carry and risk.

    [bold]Examples[/bold]

      alphaoverlay design SP500=1 RUSSELL2000=0.3 NASDAQ100=-0.3
      alphaoverlay design SP500=1 RUSSELL2000=0.3 NASDAQ100=-0.3 --allow SPY,UPRO,TNA,SQQQ --save my.toml
      alphaoverlay design my.toml --data FOLDER --json
    """
    from alphaoverlay.cli.output import console, print_json
    from alphaoverlay.cli.sources import opened_for
    from alphaoverlay.funds.catalogue import load_catalogue
    from alphaoverlay.study.designing import design_study

    study = read_words(
        words,
        "INDEX=EXPOSURE such as SP500=1",
        study_options(
            end=end,
            rebalance=rebalance,
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
    source = opened_for(study, store, offline=offline)
    found = design_study(study, source, load_catalogue(study.funds.file))
    if save is not None:
        save_study(study, save, force=force)
    if json_output:
        from alphaoverlay.study.results import design_document

        print_json(design_document(found, source.name).dump())
        return
    from alphaoverlay.report.text import print_report
    from alphaoverlay.study.reporting import design_report

    screen = console()
    print_report(design_report(found, source.name), screen)
    if save is not None:
        screen.print(f"Study written to {save}", markup=False)
