"""One study under many rebalancing rules: cost against exposure error, timing luck, and what a quarter can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alphaoverlay.analysis.exposure_history import exposure_history, target_exposures
from alphaoverlay.analysis.frontier import Frontier, cost_and_error, find_frontier
from alphaoverlay.analysis.metrics import active_performance, performance
from alphaoverlay.analysis.quarter_drift import QUARTER, Drift, shocked_exposures, untraded_drift
from alphaoverlay.analysis.timing_luck import SESSIONS, TimingLuck, timing_luck
from alphaoverlay.analysis.trading import trading_summary
from alphaoverlay.engine.backtesting import Backtest
from alphaoverlay.engine.bands import EDGE, TARGET, Band
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import Calendar, CalendarRule
from alphaoverlay.errors import SpanError
from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.history import DAYS_A_YEAR, iso
from alphaoverlay.market.source import Source
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.study.designing import StudyDesign, describe
from alphaoverlay.study.load import Study
from alphaoverlay.study.market_data import study_fund_returns, synthetic_notes
from alphaoverlay.study.run import read_for, sized_notes
from alphaoverlay.study.runner import Runner, prepare

COMPARED: tuple[Calendar, ...] = ("never", "annual", "semiannual", "quarterly", "monthly", "weekly", "daily")
BAND_SIZES = (0.025, 0.05, 0.075, 0.10, 0.15, 0.20, 0.30)
TOLERANCE = 0.10
YOURS = "yours"
# Beyond the tolerance a shock of this size shows how far one bad quarter goes.
SHOCK = 0.25
LUCK_FIGURES = ("cagr", "active_cagr", "tracking_error", "max_drawdown", "exposure_error", "farthest_exposure")
Progress = Callable[[str], None]


@dataclass(frozen=True)
class RuleComparison:
    """A study under many rules.

    Attributes
    ----------
    design : the portfolio and its benchmark.
    rules : by name.
    runs : backtests of the portfolio by name of the rule.
    figures : a row a rule; returns and risks against the benchmark under the same rule, exposures' extremes, trading.
    frontier : cost against exposure error.
    luck : the study's rule on every day of its period; None without a period, with the reason in `notes`.
    drift : exposures after a quarter without trades, over every quarter known; None where the span is shorter.
    shocks : exposures after given moves in a quarter without trades; a row a shock.
    source, notes : as for a run.
    """

    design: StudyDesign
    rules: Mapping[str, RebalancingRule]
    runs: Mapping[str, Backtest]
    figures: pd.DataFrame
    frontier: Frontier
    luck: TimingLuck | None
    drift: Drift | None
    shocks: pd.DataFrame
    source: str
    notes: tuple[str, ...]

    @property
    def rows(self) -> dict[str, dict[str, float]]:
        """The figures by rule and name."""
        return rows_of(self.figures)

    @property
    def study(self) -> Study:
        """What was asked."""
        return self.design.study


def rows_of(frame: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return a frame of numbers as row -> column -> number."""
    names = [str(name) for name in frame.columns]
    values = frame.to_numpy(dtype=np.float64)
    return {str(k): dict(zip(names, row.tolist(), strict=True)) for k, row in zip(frame.index, values, strict=True)}


def compare_rules(
    study: Study,
    source: Source,
    catalogue: Catalogue | None = None,
    *,
    tolerance: float = TOLERANCE,
    shocks: Mapping[str, float] | None = None,
    progress: Progress | None = None,
) -> RuleComparison:
    """Run a study under calendars and bands, its own rule among them.

    Parameters
    ----------
    study, source, catalogue : as for `run_study`.
    tolerance : the largest exposure error that a recommended rule may have.
    shocks : simple returns of indices over a quarter, together; each index by itself and all of them by 25% where None.
    progress : told what is being run.

    Raises
    ------
    AlphaOverlayError : as `run_study`; an index in `shocks` without exposure.
    """
    choice, funds, data, sized = read_for(study, source, catalogue)
    start, end = study.days
    every = study_fund_returns(data, funds, synthetic=study.funds.synthetic)
    runner = prepare(study, choice, every, start, end, sized)
    design = describe(study, choice, data, runner.returns.history.dates[-1])
    tell = progress or (lambda _: None)
    shocked = _shock_table(runner, choice.portfolio, design.rate, shocks)
    rules = dict(candidate_rules(study.rebalance.build()))
    runs: dict[str, Backtest] = {}
    benchmarks: dict[str, Backtest] = {}
    for name, rule in rules.items():
        tell(f"rule {len(runs) + 1} of {len(rules)}: {name}")
        runs[name] = runner.run_own(rule)
        benchmarks[name] = runner.run_benchmark(rule)
    base = choice.benchmark.exposures
    figures = pd.DataFrame({name: rule_figures(runs[name], benchmarks[name], base) for name in rules}).T
    # A rule under which the portfolio did not last has no record to compare.
    lasting = {name: run for name, run in runs.items() if run.end is None}
    frontier = find_frontier(lasting or runs, tolerance)
    luck, no_luck = _luck(runner, tell)
    symbols = [fund.symbol for fund in choice.portfolio.funds]
    drift, short = _drift(runner.returns.only(symbols), choice.portfolio, base)
    return RuleComparison(
        design=design,
        rules=rules,
        runs=runs,
        figures=figures,
        frontier=frontier,
        luck=luck,
        drift=drift,
        shocks=shocked,
        source=source.name,
        notes=(
            *data.notes,
            *sized_notes(sized, data),
            *(() if sized is None else ("Drift and shocks are those of size 1.",)),
            *synthetic_notes(runner.returns),
            *design.notes,
            *no_luck,
            *short,
            *_ended(runs),
        ),
    )


def _ended(runs: Mapping[str, Backtest]) -> tuple[str, ...]:
    """Name the rules under which the portfolio ended before the span did."""
    told = ", ".join(f"{name} ({iso(run.end)})" for name, run in runs.items() if run.end is not None)
    return (
        (f"Nothing was left of the portfolio before the span's end, so not compared in cost and error: {told}.",)
        if told
        else ()
    )


def candidate_rules(own: RebalancingRule) -> Iterator[tuple[str, RebalancingRule]]:
    """Yield the study's rule and the usual ones: calendars, exposure bands to target and to the edge, and both."""
    others = dict(_usual_rules())
    if own not in others.values():
        yield YOURS, own
    for name, rule in others.items():
        yield f"{name} ({YOURS})" if rule == own else name, rule


def _usual_rules() -> Iterator[tuple[str, RebalancingRule]]:
    for calendar in COMPARED:
        yield calendar, RebalancingRule(CalendarRule(calendar))
    for label, destination in (("target", TARGET), ("edge", EDGE)):
        for size in BAND_SIZES:
            band = Band.of("exposure", size, destination=destination)
            yield f"band {100.0 * size:g}, {label}", RebalancingRule(CalendarRule("never"), (band,))
    for size in (0.05, 0.10, 0.20):
        band = Band.of("exposure", size)
        yield f"quarterly, band {100.0 * size:g}", RebalancingRule(CalendarRule("quarterly"), (band,))


def rule_figures(portfolio: Backtest, benchmark: Backtest, base: Mapping[str, float]) -> dict[str, float]:
    """Return what a rule came to, by name of the figure; NaN where undefined."""
    own, active = performance(portfolio, benchmark), active_performance(portfolio, benchmark)
    cost, squares = cost_and_error(portfolio)
    seen = exposure_history(portfolio, base)
    away = (portfolio.exposures - target_exposures(portfolio)).loc[portfolio.value > 0.0].abs().to_numpy()
    years = float(portfolio.history.days[: len(cost) + 1].sum()) / DAYS_A_YEAR
    found = {
        "cost_a_year": float(cost.sum()) / years,
        "exposure_error": float(np.sqrt(squares.mean())),
        "farthest_exposure": float(away.max()) if away.size else 0.0,
        "net_least": float(seen["net"].min()),
        "net_most": float(seen["net"].max()),
        "rebalances_a_year": len(portfolio.rebalances) / years,
        "turnover_a_year": trading_summary(portfolio).turnover_a_year,
        "cagr": own["cagr"],
        "active_cagr": active["cagr"],
        "tracking_error": own["tracking_error"],
        "max_drawdown": own["max_drawdown"],
    }
    return {name: float("nan") if value is None else float(value) for name, value in found.items()}


def _luck(runner: Runner, tell: Progress) -> tuple[TimingLuck | None, tuple[str, ...]]:
    """The study's rule at every offset."""
    rule = runner.study.rebalance.build()
    number = SESSIONS.get(rule.calendar.calendar)
    if number is None:
        return None, (f'No timing luck: calendar = "{rule.calendar.calendar}" has no day to choose.',)
    base = runner.benchmark.exposures

    def run(one: RebalancingRule) -> dict[str, float]:
        tell(f"timing luck: day {one.calendar.offset + 1} of {number}")
        figures = rule_figures(runner.run_own(one), runner.run_benchmark(one), base)
        return {name: figures[name] for name in LUCK_FIGURES}

    return timing_luck(rule, run), ()


def _drift(
    returns: FundReturns, portfolio: Portfolio, base: Mapping[str, float]
) -> tuple[Drift | None, tuple[str, ...]]:
    try:
        return untraded_drift(returns, portfolio, base), ()
    except SpanError as error:
        return None, (f"No quarters without trades: {error}.",)


def _shock_table(runner: Runner, portfolio: Portfolio, rate: float, shocks: Mapping[str, float] | None) -> pd.DataFrame:
    base = runner.benchmark.exposures
    names = list(portfolio.exposures)
    asked: dict[str, Mapping[str, float]] = {}
    if shocks is not None:
        asked[", ".join(f"{name} {move:+.0%}" for name, move in shocks.items())] = shocks
    else:
        for move in (SHOCK, -SHOCK):
            asked |= {f"{name} {move:+.0%}": {name: move} for name in names}
            if len(names) > 1:
                asked[f"all {move:+.0%}"] = dict.fromkeys(names, move)
    seen = {label: shocked_exposures(portfolio, one, base, sessions=QUARTER, rate=rate) for label, one in asked.items()}
    return pd.DataFrame(seen).T
