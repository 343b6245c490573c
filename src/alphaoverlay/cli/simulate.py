"""`alphaoverlay simulate`: what a portfolio may come to, on many paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from alphaoverlay.cli import options as shared
from alphaoverlay.cli.studies import read_words, study_options
from alphaoverlay.errors import StudyError

if TYPE_CHECKING:
    from alphaoverlay.scenarios.filtered_history import Start
    from alphaoverlay.scenarios.mean_adjustment import Mean


def simulate(
    words: Annotated[
        list[str],
        typer.Argument(metavar="STUDY.toml | SYMBOL=WEIGHT ...", help="A study, weights by symbol, or exposures."),
    ],
    data: shared.DataOption = None,
    offline: shared.OfflineOption = False,
    store: shared.StoreOption = None,
    accept: shared.AcceptOption = None,
    fingerprint: shared.FingerprintOption = None,
    asof: shared.AsofOption = None,
    paths: shared.PathsOption = 10_000,
    sessions: shared.SessionsOption = 2_520,
    seed: shared.SeedOption = 0,
    generator: Annotated[
        str,
        typer.Option(
            "--generator",
            metavar="NAME",
            help="bootstrap (blocks of real days), fhs (volatility that clusters), t, or regimes.",
        ),
    ] = "bootstrap",
    block: Annotated[
        float | None,
        typer.Option("--block", metavar="SESSIONS", help="Mean length of a block; left out: Politis and White's."),
    ] = None,
    mean: Annotated[
        list[str] | None,
        typer.Option(
            "--mean",
            metavar="MEAN",
            help="historical, zero, a yearly return such as 5%, or INDEX=5%, repeatable.",
        ),
    ] = None,
    volatility: Annotated[
        str | None,
        typer.Option(
            "--start-volatility", metavar="LEVEL", help="today, average, or yearly such as 25% (fhs, regimes)."
        ),
    ] = None,
    window: shared.WindowOption = None,
    rule: shared.RuleOption = None,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="Also by other block lengths and generators.")
    ] = False,
    rebalance: shared.RebalanceOption = None,
    band: shared.BandOption = None,
    half_spread_bps: shared.CostOption = None,
    capital: shared.CapitalOption = None,
    benchmark: shared.BenchmarkOption = None,
    cash_rate: shared.CashRateOption = None,
    allow: shared.AllowOption = None,
    funds: shared.FundsFileOption = None,
    json_output: shared.JsonOption = False,
    report: shared.ReportOption = None,
    open_report: shared.OpenOption = False,
    force: shared.ForceOption = False,
) -> None:
    """Simulate a portfolio and its benchmark on the same paths: wealth, drawdowns, and how often it trails.

    [bold]Examples[/bold]

      alphaoverlay simulate my.toml --data FOLDER --paths 100000 --seed 7
      alphaoverlay simulate my.toml --sessions 252 --generator fhs --start-volatility today
      alphaoverlay simulate my.toml --mean zero --rule never --rule monthly --sensitivity --report paths.html
    """
    from alphaoverlay.cli.output import print_json, progress, refuse_foreign_file, show_report
    from alphaoverlay.cli.sources import opened_for
    from alphaoverlay.study.simulated import simulate_study

    shared.refuse_open_without_report(report, open_report=open_report)
    refuse_foreign_file(report, force=force)
    study = read_words(
        words,
        "SYMBOL=WEIGHT such as SPY=70",
        study_options(
            rebalance=rebalance,
            band=band,
            half_spread_bps=half_spread_bps,
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
    with progress() as tell:
        found = simulate_study(
            study,
            opened_for(study, store, offline=offline),
            asof=asof,
            paths=paths,
            sessions=sessions,
            seed=seed,
            generator=generator,
            block=block,
            mean=_mean(mean),
            start=_start(volatility),
            window=window,
            rules=rule or (),
            sensitivity=sensitivity,
            progress=tell,
        )
    if json_output:
        from alphaoverlay.study.simulation_document import simulation_document

        print_json(simulation_document(found).dump())
    if json_output and report is None:
        return
    from alphaoverlay.study.simulation_report import simulation_report

    show_report(simulation_report(found), report, open_it=open_report, force=force, quiet=json_output)


def _mean(words: list[str] | None) -> Mean:
    """Read one word or number for all indices, or INDEX=RETURN words.

    Raises
    ------
    StudyError : a word that is neither.
    """
    from alphaoverlay.study.tables import number

    if not words:
        return "historical"
    if len(words) == 1 and "=" not in words[0]:
        if words[0] == "historical" or words[0] == "zero":
            return "zero" if words[0] == "zero" else "historical"
        try:
            return number(words[0])
        except ValueError:
            raise StudyError(f"command line: --mean {words[0]!r}: write historical, zero, or a yearly return") from None
    return shared.moves(words, "--mean", "SP500=5%")


def _start(word: str | None) -> Start | None:
    """Read a word or a yearly volatility.

    Raises
    ------
    StudyError : neither.
    """
    from alphaoverlay.study.tables import number

    if word is None or word == "today" or word == "average":
        return word
    try:
        return number(word)
    except ValueError:
        raise StudyError(
            f"command line: --start-volatility {word!r}: write today, average, or yearly such as 25%"
        ) from None
