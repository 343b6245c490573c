"""`alphaoverlay scenario`: what a portfolio pays if something happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from alphaoverlay.cli import options as shared
from alphaoverlay.cli.studies import read_words, study_options
from alphaoverlay.errors import StudyError

if TYPE_CHECKING:
    from alphaoverlay.scenarios.shocks import Shock
    from alphaoverlay.scenarios.statement import Statement


def scenario(
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
    move: Annotated[
        str | None,
        typer.Option(
            "--move",
            metavar="A:B=MOVE",
            help="A beats B by so much, such as RUSSELL2000:NASDAQ100=25% (points of return).",
        ),
    ] = None,
    pins: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="INDEX=RETURN", help="An end return, such as SP500=10%; repeatable."),
    ] = None,
    sessions: shared.SessionsOption = 63,
    rule: shared.RuleOption = None,
    paths: shared.PathsOption = 4_000,
    seed: shared.SeedOption = 0,
    volatility: Annotated[
        float, typer.Option("--volatility", metavar="TIMES", help="Multiple of the window's volatility; 0 for none.")
    ] = 1.0,
    window: shared.WindowOption = 756,
    gap: Annotated[
        list[str] | None,
        typer.Option("--gap", metavar="MOVE", help="A one-session move of the benchmark, such as -20%; repeatable."),
    ] = None,
    shock: shared.ShockOption = None,
    rate_jump: Annotated[
        str | None,
        typer.Option("--rate-jump", metavar="POINTS", help="The financing rate rises by so much, such as 2%."),
    ] = None,
    spread_jump: Annotated[
        str | None, typer.Option("--spread-jump", metavar="POINTS", help="Every fund's spread rises by so much.")
    ] = None,
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
    """Say what a portfolio pays over its benchmark if something happens, on every path there, and what it costs if not.

    [bold]Examples[/bold]

      alphaoverlay scenario my.toml --move RUSSELL2000:NASDAQ100=25% --sessions 100
      alphaoverlay scenario my.toml --set SP500=-20% --sessions 63 --rule never --rule daily
      alphaoverlay scenario my.toml --shock SP500=-10% --rate-jump 2% --spread-jump 1% --report stress.html
    """
    from alphaoverlay.cli.output import print_json, progress, refuse_foreign_file, show_report
    from alphaoverlay.cli.sources import opened_for
    from alphaoverlay.study.stressed import GAPS
    from alphaoverlay.study.what_if import RULES, run_scenario

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
        found = run_scenario(
            study,
            opened_for(study, store, offline=offline),
            statement=_statement(move, pins),
            asof=asof,
            sessions=sessions,
            rules=rule or RULES,
            paths=paths,
            seed=seed,
            volatility=volatility,
            window=window,
            gaps=[_gap(word) for word in gap] if gap else GAPS,
            shock=_shock(shock, rate_jump, spread_jump),
            progress=tell,
        )
    if json_output:
        from alphaoverlay.study.scenario_document import scenario_document

        print_json(scenario_document(found).dump())
    if json_output and report is None:
        return
    from alphaoverlay.study.scenario_report import scenario_report

    show_report(scenario_report(found), report, open_it=open_report, force=force, quiet=json_output)


def _statement(move: str | None, pins: list[str] | None) -> Statement | None:
    """Read A:B=MOVE and INDEX=RETURN words.

    Raises
    ------
    StudyError : a word that is neither.
    """
    from alphaoverlay.scenarios.statement import Statement

    if move is None and not pins:
        return None
    ends = shared.moves(pins, "--set", "SP500=10%") if pins else {}
    if move is None:
        return Statement.of(ends)
    legs, sign, size = move.partition("=")
    long, colon, short = legs.partition(":")
    if not (sign and colon and long and short and size):
        raise StudyError(
            f"command line: {move!r} is not a relative move; write for example --move RUSSELL2000:NASDAQ100=25%"
        )
    return Statement.of(ends, (long.strip().upper(), short.strip().upper(), _number(size, "--move")))


def _shock(words: list[str] | None, rate: str | None, spread: str | None) -> Shock | None:
    from alphaoverlay.scenarios.shocks import Shock

    if not words and rate is None and spread is None:
        return None
    return Shock(
        shared.moves(words, "--shock", "SP500=-10%") if words else {},
        0.0 if rate is None else _number(rate, "--rate-jump"),
        0.0 if spread is None else _number(spread, "--spread-jump"),
    )


def _gap(word: str) -> float:
    move = _number(word, "--gap")
    if move <= -1.0:
        raise StudyError(f"command line: --gap {word!r}: an index cannot lose everything; write for example --gap -20%")
    return move


def _number(word: str, option: str) -> float:
    from alphaoverlay.study.tables import number

    try:
        return number(word)
    except ValueError as error:
        raise StudyError(f"command line: {option} {word!r}: {error}") from None
