"""Cost against exposure error: by hand, the undominated rules by brute force, the choice, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.building import lived
from tests.engine.building import WEEKDAYS, array, fund_returns_of, targets_for
from tests.engine.cases import Case, cases

from alphaoverlay.analysis.frontier import BLOCK, RESAMPLES, Frontier, cost_and_error, find_frontier
from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.flows import CashFlow, CashFlows
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.targets import Targets

DAILY, NEVER = CalendarRule("daily"), CalendarRule("never")


def ran(costs: Sequence[float], errors: Sequence[float]) -> Backtest:
    """A backtest that began these sessions this far off its exposure of 1, and paid this much in log return at them."""
    n = len(costs)
    done = lived([1.0] * (n + 1), pd.bdate_range("1990-01-01", periods=n + 1))
    paid = pd.Series([0.0, *(math.expm1(cost) for cost in costs)], index=done.value.index)
    held = pd.DataFrame({"FUND0": [*(1.0 + error for error in errors), 1.0]}, index=done.value.index)
    return replace(done, cost=paid, weights=held)


def years_of(sessions: int) -> float:
    dates = pd.bdate_range("1990-01-01", periods=sessions + 1)
    return (dates[-1] - dates[0]).days / 365.25


# --- cost and error ---


def test_cost_and_error_by_hand() -> None:
    """0.5 in twice A and 0.2 in minus B, 1% a trade; +20% and +50%; traded at once; -10% and nothing."""
    returns = fund_returns_of([[0.0, 0.0], [0.2, 0.5], [-0.1, 0.0]], exposures=[{"A": 2.0}, {"B": -1.0}])
    done = backtest(returns, targets_for(returns, [0.5, 0.2]), CalendarRule("daily"), TradingCosts(100.0))
    cost, squares = cost_and_error(done)
    # Of 1 the funds are 0.6 and 0.3, cash 0.3: V + 1%*(0.6 - 0.5*V + 0.3 - 0.2*V) = 1.2
    after = (1.2 - 0.009) / (1.0 - 0.007)
    # The funds are 0.45 and 0.2, cash 0.3: V + 1%*(0.5*V - 0.45 + 0.2 - 0.2*V) = 0.95
    last = (0.95 + 0.0025) / (1.0 + 0.003)
    assert cost.tolist() == pytest.approx([math.log(1.2 / after), math.log(0.95 / last)], abs=1e-15)
    # Every session begins on its targets.
    assert squares.tolist() == pytest.approx([0.0, 0.0], abs=1e-30)


def test_the_error_is_the_distance_over_the_indices_by_hand() -> None:
    """0.6 and 0.3 of 1.2 instead of 0.5 and 0.2: exposures of 1.0 and -0.25 instead of 1.0 and -0.2."""
    returns = fund_returns_of([[0.0, 0.0], [0.2, 0.5], [0.0, -1 / 3], [0.0, 0.0]], exposures=[{"A": 2.0}, {"B": -1.0}])
    done = backtest(returns, targets_for(returns, [0.5, 0.2]), NEVER)
    cost, squares = cost_and_error(done)
    assert cost.tolist() == [0.0, 0.0, 0.0]
    # Then 0.6 and 0.2 of 1.1.
    away = 2 * 0.6 / 1.1 - 1, 0.2 / 1.1 - 0.2
    assert squares.tolist() == pytest.approx([0.0, 0.05**2, away[0] ** 2 + away[1] ** 2], abs=1e-15)


def test_the_error_is_measured_from_the_targets_of_the_day() -> None:
    """From the second session on 0.8 is wanted; traded to at its close."""
    returns = fund_returns_of([[0.0], [0.2], [0.0]], exposures=[{"A": 2.0}])
    wanted = pd.DataFrame({"FUND0": [0.5, 0.8, 0.8]}, index=returns.history.dates)
    _, squares = cost_and_error(backtest(returns, Targets.by_session(wanted), NEVER))
    assert squares.tolist() == pytest.approx([0.0, 0.0], abs=1e-30)


@pytest.mark.parametrize("amount", [0.5, -0.5])
def test_what_a_flow_costs_is_a_share_of_the_money_that_was_there(amount: float) -> None:
    """All of 1 in a fund, 1%; what comes in is divided by what there is with it, what goes out by what there was."""
    returns = fund_returns_of([[0.0], [0.0]])
    flows = CashFlows((CashFlow(amount=amount, days=(WEEKDAYS[1].date(),)),))
    done = backtest(returns, targets_for(returns, [1.0]), NEVER, TradingCosts(100.0), flows=flows)
    first = 1 / 1.01
    paid = 0.5 - 0.5 / 1.01 if amount > 0.0 else 0.5 / 0.99 - 0.5
    left = first + max(amount, 0.0) - paid
    assert cost_and_error(done)[0].tolist() == pytest.approx([math.log((left + paid) / left)], abs=1e-15)


@settings(max_examples=60)
@given(cases("bands", "tranches", "turns", "fees"), st.sampled_from([0.0, 20.0, 300.0]))
def test_costs_and_errors_are_recounted_session_by_session(case: Case, half_spread: float) -> None:
    done = case.but(costs=replace(case.costs, half_spread_bps=half_spread)).run()
    cost, squares = cost_and_error(done)
    names = {name for fund in case.returns.funds for name in fund.exposures}
    wanted = case.targets.rows[case.targets.in_force(len(done.value))].tolist()
    value, paid, held = done.value.tolist(), done.cost.tolist(), array(done.weights).tolist()
    assert len(cost) == len(squares) == len(value) - 1
    for t in range(1, len(value)):
        assert cost[t - 1] == pytest.approx(math.log((value[t] + paid[t]) / value[t]), abs=1e-12)
        away = [
            math.fsum(
                (h - w) * fund.exposures.get(name, 0.0)
                for h, w, fund in zip(held[t - 1], wanted[t - 1], case.returns.funds, strict=True)
            )
            for name in names
        ]
        assert squares[t - 1] == pytest.approx(math.fsum(x * x for x in away), abs=1e-12)


def test_nothing_is_counted_after_the_end() -> None:
    cost, squares = cost_and_error(lived([1.0, 0.5, 0.0, 0.0]))
    assert cost.tolist() == squares.tolist() == [0.0, 0.0]


# --- the frontier ---


def test_a_frontier_by_hand() -> None:
    """Four sessions in four days, from a Monday to the Friday: costs a year, and errors as root mean square."""
    frontier = find_frontier(
        {
            "dear": ran([0.01, 0.0, 0.02, 0.0], [0.0, 0.0, 0.0, 0.0]),
            "cheap": ran([0.001, 0.0, 0.0, 0.0], [0.1, -0.1, 0.3, -0.3]),
            "worse": ran([0.002, 0.0, 0.0, 0.0], [0.3, 0.3, 0.3, 0.3]),
        },
        0.25,
    )
    years = 4 / 365.25
    assert frontier.cost.to_dict() == pytest.approx(
        {"dear": 0.03 / years, "cheap": 0.001 / years, "worse": 0.002 / years}
    )
    assert frontier.error.to_dict() == pytest.approx({"dear": 0.0, "cheap": math.sqrt(0.05), "worse": 0.3})
    assert frontier.best.to_dict() == {"dear": True, "cheap": True, "worse": False}
    assert frontier.chosen == "cheap"
    assert frontier.tolerance == 0.25


FIGURES = st.integers(0, 4).map(lambda k: k / 100)


@given(st.lists(st.tuples(FIGURES, FIGURES), min_size=1, max_size=8), FIGURES)
def test_the_best_and_the_chosen_by_brute_force(figures: list[tuple[float, float]], tolerance: float) -> None:
    """Many ties: of rules that are alike all are best, and the first is chosen."""
    # The tolerance lies between two errors.
    tolerance += 0.005
    rules = {f"rule {k}": ran([cost, cost], [error, -error]) for k, (cost, error) in enumerate(figures)}
    frontier = find_frontier(rules, tolerance)
    for k, (cost, error) in enumerate(figures):
        beaten = any(c <= cost and e <= error and (c, e) != (cost, error) for c, e in figures)
        assert frontier.best.iloc[k] == (not beaten)
    within = [(cost, error, k) for k, (cost, error) in enumerate(figures) if error <= tolerance]
    assert frontier.chosen == (f"rule {min(within)[2]}" if within else None)
    # Every resample of records that never change is the record.
    assert frontier.picked.to_dict() == {name: float(name == frontier.chosen) for name in rules}


def test_of_two_as_cheap_the_nearer_is_chosen_and_of_two_alike_the_earlier() -> None:
    far, near = ran([0.01], [0.2]), ran([0.01], [0.1])
    assert find_frontier({"far": far, "near": near, "again": near}, 0.5).chosen == "near"
    assert find_frontier({"again": near, "far": far, "near": near}, 0.5).chosen == "again"


def test_rounding_is_no_reason_to_choose() -> None:
    """A tenth of a trillionth of cost is not saved at the price of the error."""
    rules = {"far": ran([0.01 - 1e-15], [0.2]), "near": ran([0.01], [0.1])}
    assert find_frontier(rules, 0.5).chosen == "near"


def test_where_no_rule_is_within_the_tolerance_none_is_chosen() -> None:
    frontier = find_frontier({"far": ran([0.01], [0.2]), "farther": ran([0.0], [0.3])}, 0.1)
    assert frontier.chosen is None
    assert frontier.picked.tolist() == [0.0, 0.0]
    assert frontier.best.tolist() == [True, True]


def test_an_error_as_large_as_the_tolerance_is_accepted() -> None:
    assert find_frontier({"one": ran([0.01], [0.25])}, 0.25).chosen == "one"


def test_rules_are_compared_over_the_sessions_that_all_lived() -> None:
    """One ends after two sessions: what others paid later does not count against it."""
    short = replace(lived([1.0, 1.0, 0.0, 0.0], pd.bdate_range("1990-01-01", periods=4)))
    frontier = find_frontier({"short": short, "long": ran([0.01, 0.02, 0.5], [0.1, 0.1, 9.0])}, 1.0)
    assert frontier.cost["long"] == pytest.approx(0.03 / (2 / 365.25))
    assert frontier.error["long"] == pytest.approx(0.1)


# --- how sure ---


def noisy(seed: int, sessions: int, cost: float, error: float) -> Backtest:
    """Independent sessions: costs around one figure, errors around another."""
    random = np.random.default_rng(seed)
    return ran(
        (cost * random.uniform(0.0, 2.0, sessions)).tolist(), (error * random.uniform(0.5, 1.5, sessions)).tolist()
    )


@pytest.fixture(scope="module")
def rivals() -> dict[str, Backtest]:
    return {"a": noisy(1, 700, 1e-4, 0.1), "b": noisy(2, 700, 1e-4, 0.1), "c": noisy(3, 700, 3e-4, 0.02)}


def same(one: Frontier, other: Frontier) -> bool:
    return one.picked.equals(other.picked) and one.intervals.equals(other.intervals)


def test_the_seed_settles_the_resampling(rivals: dict[str, Backtest]) -> None:
    first, again, other = (find_frontier(rivals, 0.105, seed) for seed in (0, 0, 1))
    assert same(first, again)
    assert not same(first, other)
    assert same(first, find_frontier(rivals, 0.105))
    assert first.chosen == other.chosen


def test_shares_are_those_of_the_resampled_histories(rivals: dict[str, Backtest]) -> None:
    for tolerance in (0.0, 0.05, 0.1035, 0.104, 0.105, 1.0):
        picked = find_frontier(rivals, tolerance).picked
        assert (picked >= 0.0).all()
        assert picked.sum() <= 1.0 + 1e-12
        # So many of the 2,000.
        np.testing.assert_allclose(picked * RESAMPLES, (picked * RESAMPLES).round(), rtol=0, atol=1e-9)
    assert find_frontier(rivals, 0.0).picked.sum() == 0.0
    assert find_frontier(rivals, 1.0).picked.sum() == pytest.approx(1.0)
    assert 0.0 < find_frontier(rivals, 1.0).picked["a"] < 1.0


def test_a_plain_loop_over_blocks_gives_the_same_shares_and_intervals(rivals: dict[str, Backtest]) -> None:
    """Blocks of 252 of 700 sessions, around the circle: two whole ones and 196 more."""
    tolerance, n = 0.104, 700
    frontier = find_frontier(rivals, tolerance, seed=5)
    found = {name: [one.tolist() for one in cost_and_error(done)] for name, done in rivals.items()}
    starts = np.random.default_rng(5).integers(0, n, size=(RESAMPLES, 3)).tolist()
    picks: list[str | None] = []
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in rivals}
    for row in starts:
        rows = [(start + k) % n for start, size in zip(row, (252, 252, 196), strict=True) for k in range(size)]
        figures = {}
        for name, (costs, squares) in found.items():
            cost = sum(costs[k] for k in rows) / years_of(n)
            figures[name] = cost, math.sqrt(sum(squares[k] for k in rows) / n)
            seen[name].append(figures[name])
        within = [(cost, error, name) for name, (cost, error) in figures.items() if error <= tolerance]
        picks.append(min(within)[2] if within else None)
    assert BLOCK == 252
    assert frontier.picked.to_dict() == {name: picks.count(name) / RESAMPLES for name in rivals}
    for name, pairs in seen.items():
        bounds = [np.percentile([pair[which] for pair in pairs], share) for which in (0, 1) for share in (5, 95)]
        assert array(frontier.intervals.loc[name]).tolist() == pytest.approx(bounds, rel=1e-9)
    assert list(frontier.intervals.columns) == ["cost_low", "cost_high", "error_low", "error_high"]


def test_every_rule_sees_the_same_histories() -> None:
    """A rule that costs a little more at every session is never the cheaper one, however wide the interval."""
    random = np.random.default_rng(0)
    costs = random.exponential(1e-3, 600)
    rules = {"dearer": ran((costs + 1e-6).tolist(), [0.1] * 600), "cheaper": ran(costs.tolist(), [0.1] * 600)}
    frontier = find_frontier(rules, 0.2)
    low, high = array(frontier.intervals.loc["cheaper"])[:2]
    assert low < frontier.cost["dearer"] < high
    assert frontier.picked.to_dict() == {"dearer": 0.0, "cheaper": 1.0}


@pytest.mark.parametrize("seed", range(10))
def test_intervals_contain_the_estimate_of_independent_sessions(seed: int) -> None:
    done = noisy(seed, 1500, 1e-4, 0.1)
    frontier = find_frontier({"one": done}, 1.0, seed)
    cost_low, cost_high, error_low, error_high = array(frontier.intervals.loc["one"])
    assert cost_low < frontier.cost["one"] < cost_high
    assert error_low < frontier.error["one"] < error_high


def test_intervals_are_about_as_wide_as_the_central_limit_says() -> None:
    """Of 252-session blocks there are few, so the width is right to about a third."""
    sessions = 5000
    frontier = find_frontier({"one": noisy(0, sessions, 1e-4, 0.1)}, 1.0)
    # Of a uniform cost on (0, 2e-4) the variance is (2e-4)^2 / 12; 90% of a normal one lie within 1.645 deviations.
    expected = 2 * 1.645 * math.sqrt(sessions * 4e-8 / 12) / years_of(sessions)
    low, high = array(frontier.intervals.loc["one"])[:2]
    assert high - low == pytest.approx(expected, rel=0.35)
