"""Run a study: design, backtest of portfolio and benchmark under the same rules, metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from alphaoverlay.analysis.attribution import Attribution, attribute
from alphaoverlay.analysis.calendar_years import calendar_years
from alphaoverlay.analysis.exposure_history import Breach, breaches, exposure_history
from alphaoverlay.analysis.metrics import Metrics, active_performance, performance
from alphaoverlay.engine.backtesting import Backtest
from alphaoverlay.engine.bands import Band
from alphaoverlay.engine.liquidity import shares_of_volume
from alphaoverlay.errors import DataError
from alphaoverlay.funds.catalogue import Catalogue, load_catalogue
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.fund_returns import FundReturns, price_symbols
from alphaoverlay.history import iso
from alphaoverlay.market.source import Source
from alphaoverlay.study.designing import Choice, StudyDesign, choose, describe, needed_indices
from alphaoverlay.study.load import Study
from alphaoverlay.study.market_data import (
    StudyData,
    read_study_data,
    study_fund_returns,
    synthetic_notes,
)
from alphaoverlay.study.runner import prepare
from alphaoverlay.study.sized_overlay import SizedOverlay, read_sizes

# Without bands of its own a rule's exposures are held against these, in multiples of capital.
YARDSTICKS = (0.05, 0.10)
LARGE_TRADE = 0.01


@dataclass(frozen=True)
class StudyResult:
    """What a study found.

    Attributes
    ----------
    design : the portfolio, its benchmark, carry and ex-ante risk.
    portfolio, benchmark : backtests over the same sessions under the same rules.
    metrics, benchmark_metrics : of each, measured against the benchmark.
    active : of the difference.
    years : returns by calendar year.
    attribution : where the active return came from; None with its reason in `notes`.
    exposures : of the portfolio after each close: by index, net, gross, active.
    breaches : of the rule's bands, or of bands of 5 and 10 points where it has none.
    sized : the signal and the sizes it decided on; None where the overlay has one size.
    source : name of the data source.
    notes : sentences that every output must carry.
    """

    design: StudyDesign
    portfolio: Backtest
    benchmark: Backtest
    metrics: Metrics
    benchmark_metrics: Metrics
    active: Metrics
    years: pd.DataFrame
    attribution: Attribution | None
    exposures: pd.DataFrame
    breaches: tuple[Breach, ...]
    sized: SizedOverlay | None
    source: str
    notes: tuple[str, ...]

    @property
    def study(self) -> Study:
        """What was asked."""
        return self.design.study

    @property
    def fingerprint(self) -> str:
        """Hash of all values the result could have used."""
        return self.design.data.history.fingerprint


def run_study(study: Study, source: Source, catalogue: Catalogue | None = None) -> StudyResult:
    """Design the portfolio, run it and its benchmark over the study's span, and measure both.

    What the design estimates (leg sizes, trading costs) looks only at data up to the span's first day.

    Parameters
    ----------
    study : from `load_study` or `study_from`.
    source : the market data.
    catalogue : funds and indices; None takes the packaged ones and the study's fund file.

    Raises
    ------
    AlphaOverlayError : a mistake in the study or the data; the message says where.
    """
    choice, funds, data, sized = read_for(study, source, catalogue)
    start, end = study.days
    every = study_fund_returns(data, funds, synthetic=study.funds.synthetic)
    runner = prepare(study, choice, every, start, end, sized)
    returns = runner.returns
    portfolio, benchmark = runner.run_own(), runner.run_benchmark()
    design = describe(study, choice, data, returns.history.dates[-1])
    attribution, unsplit = _attributed(portfolio, benchmark, data)
    base = choice.benchmark.exposures
    return StudyResult(
        design=design,
        portfolio=portfolio,
        benchmark=benchmark,
        metrics=performance(portfolio, benchmark),
        benchmark_metrics=performance(benchmark, benchmark),
        active=active_performance(portfolio, benchmark),
        years=calendar_years(portfolio, benchmark),
        attribution=attribution,
        exposures=exposure_history(portfolio, base),
        breaches=breaches(portfolio, portfolio.rule.bands or yardsticks(portfolio), base),
        sized=sized,
        source=source.name,
        notes=(
            *data.notes,
            *sized_notes(sized, data),
            *synthetic_notes(returns),
            *_early_end_notes(study, data, returns),
            *design.notes,
            *unsplit,
            *end_notes(portfolio, benchmark),
            *capacity_notes(portfolio),
            *_flows_outside(study, returns),
        ),
    )


def sized_notes(sized: SizedOverlay | None, data: StudyData) -> tuple[str, ...]:
    """Return what must be said of a signal that sizes, and is not said of the data."""
    return () if sized is None else tuple(note for note in sized.notes if note not in data.notes)


def read_for(
    study: Study, source: Source, catalogue: Catalogue | None = None
) -> tuple[Choice, tuple[Fund, ...], StudyData, SizedOverlay | None]:
    """Choose a study's funds, and read all that running it needs; arguments and errors as for `run_study`.

    The levels of a signal that sizes the overlay are part of the history, so that its fingerprint stands for them too.
    """
    catalogue = catalogue or load_catalogue(study.funds.file)
    start, end = study.days
    choice = choose(study, source, catalogue, hindsight=False)
    funds = choice.funds
    sized = None
    if study.signal is not None and study.sized:
        sized = read_sizes(study.signal, choice.by_size, source, catalogue, end)
    also = () if sized is None else tuple(sized.levels.history.adj_close.columns)
    data = read_study_data(source, catalogue, needed_indices(choice), funds, study.cash.build(), start, end, also)
    return choice, funds, data, sized


def _attributed(
    portfolio: Backtest, benchmark: Backtest, data: StudyData
) -> tuple[Attribution | None, tuple[str, ...]]:
    """The split of the active return, or None and why there is none."""
    try:
        return attribute(portfolio, benchmark, {name: one.returns for name, one in data.indices.items()}), ()
    except DataError as error:
        return None, (f"Not attributed: {error}.",)


def yardsticks(portfolio: Backtest) -> tuple[Band, ...]:
    """Return the bands that exposures are measured by where the rule has none: 5 and 10 points."""
    return tuple(Band.of("exposure", size) for size in YARDSTICKS) if portfolio.exposures.columns.size else ()


def _early_end_notes(study: Study, data: StudyData, returns: FundReturns) -> tuple[str, ...]:
    """Say which fund's prices end the span before the other data do, where no end was asked."""
    last = returns.history.dates[-1]
    if study.end is not None or last == data.history.dates[-1]:
        return ()
    read = dict.fromkeys(symbol for fund in returns.funds for symbol in price_symbols(fund))
    held = [symbol for symbol in read if symbol in data.history.adj_close.columns]
    ended = [symbol for symbol in held if data.history.adj_close[symbol].last_valid_index() == last]
    who = f"the prices of {', '.join(ended)} do" if ended else "the index series do"
    return (f"The span ends on {iso(last)} because {who}; other data reach {iso(data.history.dates[-1])}.",)


def end_notes(portfolio: Backtest, benchmark: Backtest) -> tuple[str, ...]:
    """Say which of the two ended before the span did."""
    named = (("The portfolio", portfolio), ("The benchmark", benchmark))
    ruined = [f"{name} was ruined on {iso(one.ruin)}: nothing was left." for name, one in named if one.ruin]
    spent = [
        f"{name} was exhausted on {iso(one.exhausted)}: a withdrawal took all that was left, and figures end there."
        for name, one in named
        if one.exhausted
    ]
    return (*ruined, *spent)


def _flows_outside(study: Study, returns: FundReturns) -> tuple[str, ...]:
    """Say which dated flows do nothing, because the portfolio is not held then."""
    first, last = (day.date() for day in (returns.history.dates[0], returns.history.dates[-1]))
    missed = [day for flow in study.flows for day in flow.dates if day <= first or day > last]
    if not missed:
        return ()
    told = ", ".join(str(day) for day in missed[:5]) + (f" and {len(missed) - 5} more" if len(missed) > 5 else "")
    return (f"Cash flows of {told} do nothing: the portfolio is held from {first}, after its purchase, to {last}.",)


def capacity_notes(portfolio: Backtest) -> tuple[str, ...]:
    """Warn of trades that are large for their fund's market."""
    largest = largest_shares(portfolio)
    wide = {symbol: (share, day) for symbol, (share, day) in largest.items() if share > LARGE_TRADE}
    if not wide:
        return ()
    told = ", ".join(f"{symbol} {share:.1%} ({iso(day)})" for symbol, (share, day) in wide.items())
    return (f"Trades above {LARGE_TRADE:.0%} of the fund's median daily dollar volume: {told}.",)


def largest_shares(portfolio: Backtest) -> dict[str, tuple[float, pd.Timestamp]]:
    """Return each fund's largest trade as a share of its median dollar volume, and its day; empty without a capital."""
    costs = portfolio.costs
    if costs.capital is None or costs.liquidity is None:
        return {}
    shares = shares_of_volume(portfolio.trades, costs.capital, costs.liquidity)
    known = [symbol for symbol in shares.columns if shares[symbol].notna().any()]
    return {symbol: (float(shares[symbol].max()), shares.index[int(np.nanargmax(shares[symbol]))]) for symbol in known}
