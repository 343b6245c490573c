"""One portfolio on many paths: each path is what a backtest of it says, bit for bit.

Every path is also run through the second implementation, which was written from the method alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests import second_scenarios as second
from tests.engine.building import WEEKDAYS, history_of, weights_of
from tests.engine.cases import Case, cases, marks

from alphaoverlay.analysis.drawdowns import drawdowns
from alphaoverlay.engine._jit import compiled_kernels
from alphaoverlay.engine._kernels import paths as plain_kernels
from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.bands import Band
from alphaoverlay.engine.costs import CashTerms, TradingCosts
from alphaoverlay.engine.flows import CashFlow, CashFlows
from alphaoverlay.engine.path_running import PathResults, PathRunner, prepare_paths
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import StudyError
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.ticker import parse_ticker, ticker_fund
from alphaoverlay.history import FloatArray, History
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.scenarios.paths import Paths, own_days

NEVER, MONTHLY, DAILY = (RebalancingRule(CalendarRule(name)) for name in ("never", "monthly", "daily"))
FEATURES = ("bands", "timing", "tranches", "spreads", "fees", "impact", "flows", "borrowing")
NONE = CashFlows()
FREE = TradingCosts()
NAMES = ("A", "B", "C")


@dataclass(frozen=True)
class Asked:
    """What a portfolio is run with, on whichever paths."""

    portfolio: Portfolio
    history: History
    rule: RebalancingRule = NEVER
    costs: TradingCosts = FREE
    flows: CashFlows = NONE
    cash: CashTerms = CashTerms()  # noqa: RUF009 (frozen)
    benchmark: tuple[tuple[str, float], ...] = ()
    names: tuple[str, ...] = NAMES

    @property
    def runner(self) -> PathRunner:
        return prepare_paths(
            self.portfolio, self.history, self.names, self.rule, self.costs,
            flows=self.flows, cash=self.cash, benchmark=dict(self.benchmark),
        )  # fmt: skip

    def backtest(self, path: FloatArray) -> Backtest:
        """One path through the loop of M6, the funds built for it from scratch by the second implementation's M1."""
        funds = self.portfolio.funds
        return backtest(
            self.runner.returns_on(path), Targets.constant([fund.symbol for fund in funds], self.portfolio.weights),
            self.rule, self.costs, flows=self.flows, cash=self.cash, benchmark=dict(self.benchmark),
        )  # fmt: skip


def paths_of(every: FloatArray) -> Paths:
    """Paths from simple index returns, shape (paths, sessions, K)."""
    return own_days(np.ascontiguousarray(every))


def run(runner: PathRunner, paths: Paths, at: Sequence[int] | None = None) -> PathResults:
    """Run a portfolio on paths, every session marked where no others are."""
    sessions = range(paths.rows.shape[1] + 1) if at is None else at
    return runner.run(runner.moves(paths.table), paths.rows, np.array(sessions, dtype=np.int64), weights=True)


def under_water(growth: Sequence[float]) -> tuple[int, int]:
    """Sessions after the purchase that close below the highest close so far, and the longest run of them."""
    peak, below, run, longest = max(1.0, growth[0]), 0, 0, 0
    for value in growth[1:]:
        peak = max(peak, value)
        run = run + 1 if value < peak else 0
        below, longest = below + (value < peak), max(longest, run)
    return below, longest


def is_the_backtest(found: PathResults, p: int, done: Backtest) -> None:
    """Every figure of a path is that of the backtest, bit for bit but for the drawdown's last place."""
    dates = done.history.dates
    n = len(dates)
    assert found.value[p] == done.value.iloc[-1]
    assert found.growth[p] == done.final_value
    assert found.marked[:, p].tolist() == done.value.tolist()
    assert found.weights[:, p].tolist() == done.weights.iloc[-1].tolist()
    if done.exhausted is not None:
        assert found.end[p] == n + dates.searchsorted(done.exhausted)
    else:
        assert found.end[p] == (-1 if done.ruin is None else dates.searchsorted(done.ruin))
    # A ruined portfolio stays at nothing; one that a withdrawal exhausted has no growth any more.
    lived = done.growth.loc[: done.exhausted]
    falls = drawdowns(lived)
    assert found.max_drawdown[p] == pytest.approx(min(float(falls.min()), 0.0), rel=0, abs=4e-16)
    assert (found.under_water[p], found.longest[p]) == under_water(lived.tolist())


def obeys_the_law(asked: Asked, every: FloatArray) -> PathResults:
    """Each of the paths is the backtest of it; the runner is returned with what it found."""
    found = run(asked.runner, paths_of(every))
    for p, path in enumerate(every):
        is_the_backtest(found, p, asked.backtest(path))
    return found


def fund(symbol: str, exposures: Mapping[str, float], expense: float = 0.0, spread: float = 0.0) -> Fund:
    return Fund(symbol, symbol, dict(exposures), expense, spread)


def held(weights: Mapping[str, float], funds: Mapping[str, Mapping[str, float]]) -> Portfolio:
    """A portfolio of made-up funds."""
    return Portfolio(tuple(fund(name, funds[name]) for name in weights), tuple(weights.values()))


def days_of(n: int, rate: float | Sequence[float] = 0.0, first: int = 0) -> History:
    return history_of(WEEKDAYS[first : first + n], rate)


# --- drawn at random ---

EXPOSURES: tuple[dict[str, float], ...] = (
    {"A": 1.0}, {"B": 1.0}, {"A": 3.0}, {"B": 3.0}, {"C": -3.0}, {"A": -1.0}, {"A": 0.9, "B": 0.6},
    {"B": 1.0, "C": -1.0}, {"C": 2.0}, {"A": 0.5},
)  # fmt: skip
TICKERS = ("PLAIN?L=3", "PLAIN?L=-2&E=0.9&SP=-0.4", "THREE?L=0.5", "PLAIN?L=2&UE=0.1", "PLAIN?PRESET=web&L=3")


def ticker(text: str) -> Fund:
    """A ticker with terms on a fund of A, or on one of three times A."""
    under = {"PLAIN": fund("PLAIN", {"A": 1.0}, expense=0.0009), "THREE": fund("THREE", {"A": 3.0}, expense=0.009)}
    return ticker_fund(parse_ticker(text), lambda name: under[name])


@st.composite
def some_funds(draw: st.DrawFn, m: int) -> tuple[Fund, ...]:
    """Funds on one index or several, with terms, and tickers."""
    made = []
    for i in range(m):
        if draw(st.integers(0, 5)) == 0:
            one = replace(ticker(draw(st.sampled_from(TICKERS))), symbol=f"FUND{i}")
        else:
            one = fund(f"FUND{i}", draw(st.sampled_from(EXPOSURES)))
            one = replace(
                one,
                expense=draw(st.sampled_from([0.0, 0.0095])),
                spread=draw(st.sampled_from([0.0, 0.005])),
                swap_exposure=draw(st.sampled_from([1.0, 1.1])),
            )
        made.append(one)
    return tuple(made)


@st.composite
def some_paths(draw: st.DrawFn, sessions: int, indices: int, count: int = 3) -> FloatArray:
    """Simple returns of indices, shape (count, sessions, indices), now and then with a day that ends a fund."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = draw(st.sampled_from([0.0, 1e-5, 0.01, 0.06, 0.3]))
    every = random.uniform(-size, size, (count, sessions, indices))
    for _ in range(draw(st.integers(0, 2))):
        p, t, k = (draw(st.integers(0, most - 1)) for most in (count, sessions, indices))
        every[p, t, k] = draw(st.sampled_from([0.34, -0.34, -0.4, 0.5, -0.99]))
    return np.asarray(every)


@st.composite
def plain(draw: st.DrawFn, most_funds: int = 9) -> tuple[Asked, FloatArray]:
    """What can go the short way: calendars, proportional costs by fund and date, cash lent and borrowed."""
    n, m = draw(st.integers(2, 30)), draw(st.integers(1, most_funds))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    times = draw(st.sampled_from([1.0, 1.0, 1.5, 3.0]))
    weights = [times * w for w in draw(weights_of(m))]
    history = days_of(n, random.uniform(0.0, 0.1, n).tolist(), draw(st.integers(0, 200)))
    rates = random.uniform(0.0, 100.0, m) * (random.random(m) < 0.6)
    changing = {f"FUND{i}": pd.Series([float(r), 2.0 * float(r)], history.dates[[0, -1]]) for i, r in enumerate(rates)}
    flat = {f"FUND{i}": float(r) for i, r in enumerate(rates)}
    asked = Asked(
        Portfolio(draw(some_funds(m)), tuple(weights)),
        history,
        RebalancingRule(
            CalendarRule(draw(st.sampled_from(["never", "daily", "weekly", "monthly"])), draw(st.integers(0, 1))),
            lag=draw(st.integers(0, 2)),
        ),
        TradingCosts(draw(st.sampled_from([flat, changing, 0.0, 3.0]))),  # type: ignore[arg-type]
        cash=CashTerms(draw(st.sampled_from([0.0, 0.003])), 0.015),
    )
    return asked, draw(some_paths(n - 1, 3))


@st.composite
def anything(draw: st.DrawFn) -> tuple[Asked, FloatArray]:
    """Everything that can happen to a portfolio, but for targets that change."""
    without = draw(st.sampled_from(["tranches", "borrowing"]))
    case: Case = draw(cases(*(name for name in FEATURES if name != without), max_sessions=25, max_funds=5))
    assume(all(one.exposures for one in case.returns.funds))
    expense, spread = draw(st.sampled_from([(0.0, 0.0), (0.009, 0.005)]))
    funds = tuple(replace(one, expense=expense, spread=spread) for one in case.returns.funds)
    asked = Asked(
        Portfolio(funds, tuple(case.targets.rows[0].tolist())), case.returns.history, case.rule,
        replace(case.costs, per_share=0.0),  # of a synthetic fund there is no price
        case.flows, case.cash, tuple(case.benchmark.items()), ("A", "B", "C", "D"),
    )  # fmt: skip
    return asked, draw(some_paths(len(case.returns.history.dates) - 1, 4))


@given(plain())
def test_the_short_way_is_a_backtest_bit_for_bit(drawn: tuple[Asked, FloatArray]) -> None:
    asked, every = drawn
    assert asked.runner.walk is not None
    obeys_the_law(asked, every)


@given(anything())
def test_the_general_way_is_a_backtest_bit_for_bit(drawn: tuple[Asked, FloatArray]) -> None:
    obeys_the_law(*drawn)


@given(plain())
def test_the_short_way_is_the_general_way_bit_for_bit(drawn: tuple[Asked, FloatArray]) -> None:
    asked, every = drawn
    short = asked.runner
    long = replace(short, walk=None)
    paths = paths_of(every)
    for name, one in vars(run(short, paths)).items():
        assert np.array_equal(one, getattr(run(long, paths), name)), name


@pytest.mark.parametrize("bps", [0.2, 1.0, 7.0, 20.0])
@pytest.mark.parametrize("m", [1, 2, 3])
def test_a_trade_of_next_to_nothing_costs_the_same_the_short_way(m: int, bps: float) -> None:
    """Funds that rise and fall together are at their targets but for rounding, as a benchmark of one fund always is."""
    symbols = [f"F{i}" for i in range(m)]
    portfolio = Portfolio(tuple(fund(symbol, {"A": 1.0}) for symbol in symbols), (1.0 / m,) * m)
    short = Asked(portfolio, days_of(100, 0.03), DAILY, TradingCosts(bps)).runner
    assert short.walk is not None
    paths = paths_of(np.random.default_rng(0).normal(0.0, 0.012, (20, 99, 3)))
    one, other = run(short, paths), run(replace(short, walk=None), paths)
    assert np.array_equal(one.marked, other.marked)


# --- against the second implementation ---


def second_path(asked: Asked, path: FloatArray) -> tuple[list[float], list[float]]:
    """The loop and M1 again: one tranche, a calendar, proportional costs that do not change."""
    dates = [stamp.date() for stamp in asked.history.dates]
    d, e = second.horizon_clock(dates)
    rate = asked.history.rate.tolist()
    costs = asked.costs.half_spread_bps
    spreads = [float(costs[one.symbol]) if isinstance(costs, dict) else float(costs) for one in asked.portfolio.funds]  # type: ignore[arg-type]
    made = [[0.0] * len(asked.portfolio.funds)]
    for t in range(1, len(dates)):
        x = dict(zip(asked.names, path[t - 1].tolist(), strict=True))
        made.append(
            [
                second.fund_return(f.exposures, x, rate[t - 1], f.spread, f.swap_exposure, f.expense, d[t], e[t])
                for f in asked.portfolio.funds
            ]
        )
    chosen = marks(asked.rule.calendar, asked.history.exchange_sessions, dates)
    lend = [0.0] + [(rate[t - 1] - asked.cash.lending_spread) * d[t] for t in range(1, len(dates))]
    borrow = [0.0] + [(rate[t - 1] + (asked.cash.borrowing_spread or 0.0)) * d[t] for t in range(1, len(dates))]
    return second.run_path(
        asked.portfolio.weights,
        made,
        {t for t, yes in enumerate(chosen) if yes},
        [bps / 10_000 for bps in spreads],
        lend,
        borrow,
    )


@given(plain(), st.sampled_from([0.0, 8.0, 120.0]))
def test_paths_agree_with_the_second_implementation(drawn: tuple[Asked, FloatArray], bps: float) -> None:
    asked, every = drawn
    asked = replace(asked, costs=TradingCosts(bps), rule=replace(asked.rule, lag=0))
    assume(all(one.multiple is None for one in asked.portfolio.funds))
    found = run(asked.runner, paths_of(every))
    days = int(asked.history.days.sum())
    for p, path in enumerate(every):
        values, weights = second_path(asked, path)
        theirs = second.path_figures(values, days)
        assert found.marked[:, p] == pytest.approx(values, rel=1e-9, abs=1e-11)
        assert found.value[p] == found.growth[p] == pytest.approx(theirs["growth"], rel=1e-9, abs=1e-11)
        assert found.max_drawdown[p] == pytest.approx(theirs["max_drawdown"], rel=0, abs=1e-9)
        assert (found.end[p] >= 0) == (0.0 in values)
        assert found.weights[:, p] == pytest.approx(weights, rel=1e-7, abs=1e-9)


@given(st.lists(st.sampled_from([0.2, 0.5, 0.9, 1.0, 1.1, 2.0]), min_size=2, max_size=30))
def test_drawdown_and_time_under_water_are_those_of_the_second_implementation(growth: list[float]) -> None:
    """Closes that come back to the very highest close, to below it and above it."""
    found = np.zeros(6)
    assert plain_kernels.measure_path(np.array(growth), found) == -1
    theirs = second.path_figures(growth, 365)
    assert found[2] == pytest.approx(theirs["max_drawdown"], rel=0, abs=2e-16)
    assert found[3] == round(theirs["under_water"] * (len(growth) - 1))
    assert found[4] == theirs["longest"]


@pytest.mark.parametrize(
    ("growth", "figures"),
    [
        ([1.0, 1.1, 1.2], (0.0, 0, 0)),  # up all the way
        ([0.99, 0.99, 0.99], (-0.01, 2, 2)),  # the purchase's cost, never earned back
        ([0.99, 1.0, 1.01], (-0.01, 0, 0)),  # the close of the purchase itself is no session
        ([0.99, 0.995, 1.0, 0.9], (-0.1, 2, 1)),
        ([1.0, 2.0, 1.0, 2.0, 1.5, 1.5], (-0.5, 3, 2)),
        ([1.0, 0.5, 0.75, 0.4], (-0.6, 3, 3)),
        ([1.0], (0.0, 0, 0)),
    ],
)
def test_a_path_measured_by_hand(growth: list[float], figures: tuple[float, int, int]) -> None:
    found = np.zeros(6)
    assert plain_kernels.measure_path(np.array(growth), found) == -1
    assert found[2:5].tolist() == pytest.approx(figures, rel=0, abs=1e-15)


def test_a_ruined_path_stays_under_water_to_the_end_of_the_horizon() -> None:
    """Nothing is below the highest close on every session from the ruin on (method M10; the second reading agrees)."""
    asked = Asked(held({"SHORT": 1.0}, {"SHORT": {"A": -3.0}}), days_of(11))
    every = np.zeros((1, 10, 3))
    every[0, 1, 0] = 0.34
    found = run(asked.runner, paths_of(every))
    values, _ = second_path(asked, every[0])
    theirs = second.path_figures(values, 14)
    assert (theirs["under_water"], theirs["longest"]) == (0.9, 9)
    assert (found.under_water[0], found.longest[0]) == (9, 9)


# --- by hand ---


def test_one_fund_without_costs_compounds() -> None:
    asked = Asked(held({"F": 1.0}, {"F": {"A": 1.0}}), days_of(4))
    found = obeys_the_law(asked, np.array([[[0.1, 9.0, 9.0], [-0.5, 9.0, 9.0], [0.25, 9.0, 9.0]]]))
    assert found.marked[:, 0] == pytest.approx([1.0, 1.1, 0.55, 0.6875], rel=1e-15)
    assert (found.max_drawdown[0], found.under_water[0], found.longest[0]) == (pytest.approx(-0.5), 2, 2)
    assert (found.end[0], found.weights[0, 0]) == (-1, 1.0)


def test_a_short_fund_that_loses_everything_ruins_who_holds_it_alone() -> None:
    asked = Asked(held({"F": 1.0}, {"F": {"A": -3.0}}), days_of(6), DAILY, TradingCosts(10.0))
    every = np.zeros((2, 5, 3))
    every[0, 2, 0] = 0.34
    found = obeys_the_law(asked, every)
    assert found.end.tolist() == [3, -1]
    assert (found.growth[0], found.value[0], found.max_drawdown[0], found.weights[0, 0]) == (0.0, 0.0, -1.0, 0.0)
    assert found.marked[3:, 0].tolist() == [0.0, 0.0, 0.0]
    assert found.growth[1] == pytest.approx(1 / 1.001)


def test_a_fund_that_lost_everything_is_not_bought_again() -> None:
    """Half in it, half in another that rises by a tenth: from then on its half stays in cash."""
    asked = Asked(held({"UP": 0.5, "DOWN": 0.5}, {"UP": {"B": 1.0}, "DOWN": {"A": -3.0}}), days_of(5), DAILY)
    every = np.zeros((1, 4, 3))
    every[0, 1, 0] = 0.34
    every[0, 2:, 1] = 0.1, 0.1
    found = obeys_the_law(asked, every)
    assert found.end[0] == -1
    assert found.value[0] == pytest.approx(0.5 * 1.05 * 1.05)
    assert found.weights[:, 0] == pytest.approx([0.5, 0.0])


def test_borrowing_ruins() -> None:
    """Three times one's own in a fund that falls by 40%: less than nothing is left."""
    asked = Asked(
        held({"F": 3.0}, {"F": {"A": 1.0}}), days_of(5), MONTHLY, TradingCosts(5.0), cash=CashTerms(0.0, 0.02)
    )
    every = np.zeros((1, 4, 3))
    every[0, 1, 0] = -0.4
    found = obeys_the_law(asked, every)
    assert (found.end[0], found.growth[0], found.value[0]) == (2, 0.0, 0.0)


def test_cash_is_lent_below_and_borrowed_above_the_rate() -> None:
    """At a rate of 3.6%: over three days from Friday to Monday 0.03% less the spread, on what is not invested."""
    friday = int(WEEKDAYS.searchsorted(pd.Timestamp("2021-01-08")))
    terms = CashTerms(0.012, 0.024)
    for weight, accrued in ((0.25, 0.75 * (1 + 0.024 * 3 / 360)), (2.0, -1.0 * (1 + 0.06 * 3 / 360))):
        asked = Asked(
            held({"F": weight}, {"F": {"A": 1.0}}), days_of(2, 0.036, friday), cash=terms, flows=NONE, rule=NEVER
        )
        found = obeys_the_law(asked, np.zeros((1, 1, 3)))
        assert found.value[0] == pytest.approx(weight + accrued, rel=1e-15)


def test_what_m1_takes_from_a_fund_and_from_a_ticker() -> None:
    """Over a weekend at 3.6%, the index still: 2*(c+s)*d + E*e of a fund; 2*(c+s)*d + 3*(the holding's) of a ticker."""
    friday = int(WEEKDAYS.searchsorted(pd.Timestamp("2021-01-08")))
    history = days_of(2, 0.036, friday)
    three = fund("F", {"A": 3.0}, spread=0.006, expense=0.0073)
    taken = 2 * (0.036 + 0.006) * 3 / 360 + 0.0073 * 3 / 365
    found = obeys_the_law(Asked(Portfolio((three,), (1.0,)), history), np.zeros((1, 1, 3)))
    assert found.value[0] == pytest.approx(1 - taken, rel=1e-15)
    made = ticker("PLAIN?L=3&E=0.73&SP=0.6")
    found = obeys_the_law(Asked(Portfolio((made,), (1.0,)), history), np.zeros((1, 1, 3)))
    assert found.value[0] == pytest.approx(1 - taken - 3 * 0.0009 * 3 / 365, rel=1e-15)


def test_a_withdrawal_of_all_there_is_ends_the_path_and_keeps_its_growth() -> None:
    flows = CashFlows((CashFlow(amount=-0.6, days=(WEEKDAYS[2].date(), WEEKDAYS[4].date())),))
    asked = Asked(held({"F": 1.0}, {"F": {"A": 1.0}}), days_of(8), flows=flows)
    every = np.full((2, 7, 3), 0.0)
    every[1, :, 0] = 0.5
    found = obeys_the_law(asked, every)
    assert found.end.tolist() == [8 + 4, -1]
    assert found.value[0] == 0.0
    assert found.growth == pytest.approx([1.0, 1.5**7])
    assert found.marked[:, 0] == pytest.approx([1.0, 1.0, 0.4, 0.4, 0.0, 0.0, 0.0, 0.0])


def test_growth_leaves_flows_out() -> None:
    flows = CashFlows((CashFlow(amount=1.0, days=(WEEKDAYS[1].date(),)),), "current")
    asked = Asked(held({"F": 1.0}, {"F": {"A": 1.0}}), days_of(4), flows=flows)
    found = obeys_the_law(asked, np.array([[[0.0] * 3, [0.1] * 3, [-0.2] * 3]]))
    assert (found.growth[0], found.value[0]) == (pytest.approx(0.88), pytest.approx(1.76))
    assert found.max_drawdown[0] == pytest.approx(-0.2)


@pytest.mark.parametrize("m", range(1, 10))
def test_any_number_of_funds_fits_into_fours(m: int) -> None:
    """Equal weights of funds that each rise as often as they come in the row: none is left out or counted twice."""
    exposures = {f"F{i}": {"A": 0.1 * (i + 1)} for i in range(m)}
    asked = Asked(held(dict.fromkeys(exposures, 1.0 / m), exposures), days_of(2))
    every = np.zeros((1, 1, 3))
    every[0, 0, 0] = 0.1
    found = obeys_the_law(asked, every)
    assert found.value[0] == pytest.approx(1.0 + 0.01 * sum(range(1, m + 1)) / m, rel=1e-15)
    assert len(found.weights) == m


def test_every_reason_for_the_general_way_is_one() -> None:
    portfolio = held({"F": 0.5}, {"F": {"A": 1.0}})
    plain_one = Asked(portfolio, days_of(30), MONTHLY, TradingCosts(5.0))
    assert plain_one.runner.walk is not None
    rule, costs = plain_one.rule, plain_one.costs
    others = [
        replace(plain_one, rule=replace(rule, bands=(Band.of("weight", 0.1),))),
        replace(plain_one, rule=replace(rule, tranches=2)),
        replace(plain_one, rule=replace(rule, minimum_interval=3)),
        replace(plain_one, flows=CashFlows((CashFlow(0.1, 0.0, CalendarRule("weekly")),))),
        replace(plain_one, costs=replace(costs, per_trade=1.0, capital=1e4)),
        replace(plain_one, costs=replace(costs, minimum_trade=1.0, capital=1e4)),
    ]
    for one in others:
        assert one.runner.walk is None
        obeys_the_law(one, np.random.default_rng(1).normal(0.0, 0.05, (2, 29, 3)))


# --- compiled and interpreted ---


def kernel_runs(runner: PathRunner, paths: Paths, compiled: bool) -> list[FloatArray]:
    """What the kernels write, interpreted or compiled, into room full of rubbish."""
    kernels = compiled_kernels() if compiled else vars(plain_kernels)
    n, m = runner.taken.shape
    count = len(paths.rows)
    at = np.array([0, n // 2, n - 1], dtype=np.int64)
    room = [np.full((6, count), np.nan), np.full((3, count), np.nan), np.full((m, count), np.nan)]
    rows: NDArray[np.uint32] = paths.rows.view(np.uint32)
    moves = runner.moves(paths.table)
    if runner.walk is not None:
        kernels["run_walks"](runner.walk, moves, rows, at, *room)
    else:
        market = runner.plan.market._replace(returns=np.zeros((n, m)))
        kernels["run_paths"](runner.plan._replace(market=market), runner.taken, moves, rows, at, *room)
    return room


@given(plain(most_funds=6) | anything())
def test_the_kernels_are_the_same_compiled_and_interpreted_bit_for_bit(drawn: tuple[Asked, FloatArray]) -> None:
    asked, every = drawn
    runner, paths = asked.runner, paths_of(every[:2])
    for one, other in zip(kernel_runs(runner, paths, False), kernel_runs(runner, paths, True), strict=True):
        assert np.array_equal(one, other)
        assert not np.isnan(one).any()


@given(anything())
def test_a_path_does_not_see_the_paths_before_it(drawn: tuple[Asked, FloatArray]) -> None:
    asked, every = drawn
    together = run(asked.runner, paths_of(every))
    for p in reversed(range(len(every))):
        alone = run(asked.runner, paths_of(every[p : p + 1]))
        for name, one in vars(alone).items():
            assert np.array_equal(one[..., 0], getattr(together, name)[..., p]), name


def test_rows_name_days_of_one_table() -> None:
    """A day that comes twice on a path, and a path that is another's in reverse."""
    asked = Asked(held({"F": 0.6, "G": 0.4}, {"F": {"A": 3.0}, "G": {"B": -1.0}}), days_of(5), DAILY, TradingCosts(5.0))
    table = np.random.default_rng(4).normal(0.0, 0.03, (7, 3))
    rows = np.array([[6, 0, 0, 3], [3, 0, 0, 6], [1, 1, 1, 1]], dtype=np.int32)
    found = run(asked.runner, Paths(table, rows))
    for p in range(3):
        is_the_backtest(found, p, asked.backtest(table[rows[p]]))


def test_runs_without_marks_or_weights_write_neither() -> None:
    asked = Asked(held({"F": 1.0}, {"F": {"A": 1.0}}), days_of(5))
    paths = paths_of(np.zeros((2, 4, 3)))
    runner = asked.runner
    for one in (runner, replace(runner, walk=None)):
        found = one.run(one.moves(paths.table), paths.rows, np.empty(0, dtype=np.int64))
        assert (found.marked.shape, found.weights.shape) == ((0, 2), (0, 2))
        assert found.growth.tolist() == [1.0, 1.0]


def test_a_runner_can_be_used_again_and_is_not_changed() -> None:
    asked = Asked(held({"F": 0.5, "G": 0.5}, {"F": {"A": -3.0}, "G": {"B": 1.0}}), days_of(6), DAILY)
    lost = np.zeros((1, 5, 3))
    lost[0, 1, 0] = 0.4
    for runner in (asked.runner, replace(asked.runner, walk=None)):
        before = run(runner, paths_of(np.zeros((1, 5, 3))))
        run(runner, paths_of(lost))
        after = run(runner, paths_of(np.zeros((1, 5, 3))))
        assert after.weights[:, 0].tolist() == before.weights[:, 0].tolist() == [0.5, 0.5]
        assert not runner.plan.market.returns.any()


# --- mistakes ---


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked(held({"F": 1.0}, {"F": {"Z": 1.0}}), days_of(5)), "F follows Z, and the paths are of A, B, C"),
        (Asked(held({"F": 1.0}, {"F": {}}), days_of(5)), "F follows an index that is not known"),
        (Asked(held({"F": 1.2}, {"F": {"A": 1.0}}), days_of(5)), "cash.borrowing_spread"),
        (Asked(held({"F": 1.0}, {"F": {"A": 1.0}}), days_of(5), costs=TradingCosts({"G": 1.0})), "none for F"),
        (
            Asked(held({"F": 1.0}, {"F": {"A": 1.0}}), days_of(5), RebalancingRule(CalendarRule("never"), tranches=2)),
            "rebalance.tranches",
        ),
    ],
    ids=["another index", "no index", "borrowing", "no half-spread", "tranches"],
)
def test_mistakes_are_named(asked: Asked, said: str) -> None:
    with pytest.raises(StudyError, match=said):
        _ = asked.runner


def test_the_clock_is_the_calendars_own() -> None:
    """What a rate of 3.6% earns over five sessions with a weekend: every calendar day once."""
    asked = Asked(held({"F": 0.0}, {"F": {"A": 1.0}}), days_of(6, 0.036))
    found = obeys_the_law(asked, np.zeros((1, 5, 3)))
    gaps = [(b - a).days for a, b in pairwise(stamp.date() for stamp in asked.history.dates)]
    assert sum(gaps) == 7
    assert found.value[0] == pytest.approx(math.prod(1 + 0.036 * gap / 360 for gap in gaps), rel=1e-14)
