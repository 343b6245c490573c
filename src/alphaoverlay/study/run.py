"""Run a study: design, backtest of portfolio and benchmark under the same rules, metrics."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from alphaoverlay.analysis.calendar_years import calendar_years
from alphaoverlay.analysis.metrics import Metrics, active_performance, performance
from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.targets import Targets
from alphaoverlay.funds.catalogue import Catalogue, load_catalogue
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.fund_returns import FundReturns, price_symbols
from alphaoverlay.history import iso
from alphaoverlay.market.source import Source
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.study.designing import Choice, StudyDesign, choose, describe, needed_indices
from alphaoverlay.study.load import Study
from alphaoverlay.study.market_data import (
    StudyData,
    read_study_data,
    study_fund_returns,
    synthetic_notes,
)


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
    choice, funds, data = read_for(study, source, catalogue)
    start, end = (None if day is None else day.isoformat() for day in (study.start, study.end))
    returns = study_fund_returns(data, funds, synthetic=study.funds.synthetic).span(start, end)
    portfolio = _run(choice.portfolio, returns, study)
    benchmark = _run(choice.benchmark, returns, study)
    design = describe(study, choice, data, returns.history.dates[-1])
    return StudyResult(
        design=design,
        portfolio=portfolio,
        benchmark=benchmark,
        metrics=performance(portfolio, benchmark),
        benchmark_metrics=performance(benchmark, benchmark),
        active=active_performance(portfolio, benchmark),
        years=calendar_years(portfolio, benchmark),
        source=source.name,
        notes=(
            *data.notes,
            *synthetic_notes(returns),
            *_early_end_notes(study, data, returns),
            *design.notes,
            *_ruin_notes(portfolio, benchmark),
        ),
    )


def read_for(
    study: Study, source: Source, catalogue: Catalogue | None = None
) -> tuple[Choice, tuple[Fund, ...], StudyData]:
    """Choose a study's funds, and read all that running it needs; arguments and errors as for `run_study`."""
    catalogue = catalogue or load_catalogue(study.funds.file)
    start, end = (None if day is None else day.isoformat() for day in (study.start, study.end))
    choice = choose(study, source, catalogue, hindsight=False)
    funds = tuple({f.symbol: f for f in (*choice.portfolio.funds, *choice.benchmark.funds)}.values())
    data = read_study_data(source, catalogue, needed_indices(choice), funds, study.cash.build(), start, end)
    return choice, funds, data


def _run(portfolio: Portfolio, returns: FundReturns, study: Study) -> Backtest:
    symbols = [fund.symbol for fund in portfolio.funds]
    targets = Targets.constant(symbols, portfolio.weights)
    return backtest(returns.only(symbols), targets, study.rebalance.build(), study.costs.build())


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


def _ruin_notes(portfolio: Backtest, benchmark: Backtest) -> tuple[str, ...]:
    named = (("The portfolio", portfolio), ("The benchmark", benchmark))
    return tuple(f"{name} was ruined on {iso(one.ruin)}: nothing was left." for name, one in named if one.ruin)
