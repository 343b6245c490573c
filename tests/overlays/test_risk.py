"""Ex-ante risk: covariance, break-even, bad quarters and the trading-cost term, by hand and by naive loops."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphaoverlay.errors import DesignError
from alphaoverlay.overlays.risk import ActiveRisk, Covariance, active_risk, trading_costs, trailing_covariance

DAYS = pd.bdate_range("2020-01-01", periods=200)
LAST = DAYS[-1]
# BBB is half of AAA every day: with moves of 1%, variances 1e-4 and 2.5e-5, covariance 5e-5.
HAND = Covariance(("AAA", "BBB"), np.array([[1e-4, 5e-5], [5e-5, 2.5e-5]]), "2020-01-01", "2020-10-06", 200)


def series(values: list[float]) -> pd.Series:
    return pd.Series(values, index=DAYS[: len(values)])


def zigzag(n: int, size: float) -> list[float]:
    return [size if i % 2 else -size for i in range(n)]


def noise(seed: int, n: int = 200, scale: float = 0.01) -> list[float]:
    return [float(x) for x in np.random.default_rng(seed).normal(0.0, scale, n)]


# --- covariance ---


def test_the_covariance_by_hand() -> None:
    found = trailing_covariance({"AAA": series(zigzag(100, 0.01)), "BBB": series(zigzag(100, 0.005))}, LAST)
    assert found.indices == ("AAA", "BBB")
    np.testing.assert_allclose(found.matrix, HAND.matrix, rtol=1e-12)
    assert (found.first, found.last, found.sessions) == ("2020-01-01", "2020-05-19", 100)


def test_the_mean_is_taken_as_zero() -> None:
    found = trailing_covariance({"AAA": series([0.01] * 100)}, LAST)
    assert found.matrix[0, 0] == pytest.approx(1e-4)


def test_only_the_last_sessions_of_the_window_count() -> None:
    found = trailing_covariance({"AAA": series([0.5] * 100 + [0.01] * 80)}, LAST, window=80)
    assert found.matrix[0, 0] == pytest.approx(1e-4)
    assert found.sessions == 80


def test_sessions_that_one_index_lacks_are_left_out() -> None:
    found = trailing_covariance({"AAA": series([0.01] * 200), "BBB": series([math.nan] * 120 + [0.02] * 80)}, LAST)
    assert found.sessions == 80
    assert found.first == str(DAYS[120].date())


@settings(max_examples=30)
@given(st.integers(0, 1000), st.integers(70, 199), st.floats(-0.5, 0.5))
def test_what_comes_later_is_not_looked_at(seed: int, row: int, shock: float) -> None:
    past, other = noise(seed), noise(seed + 1)
    changed = [x if i <= row else shock for i, x in enumerate(past)]
    before = trailing_covariance({"AAA": series(past), "BBB": series(other)}, DAYS[row], window=70)
    after = trailing_covariance({"AAA": series(changed), "BBB": series(other)}, DAYS[row], window=70)
    cut = trailing_covariance({"AAA": series(past[: row + 1]), "BBB": series(other)}, DAYS[row], window=70)
    np.testing.assert_array_equal(before.matrix, after.matrix)
    np.testing.assert_array_equal(before.matrix, cut.matrix)
    assert before.last == str(DAYS[row].date())


def test_too_short_a_history_is_refused_with_its_length() -> None:
    with pytest.raises(DesignError, match=r"only 59 sessions.*60 are needed"):
        trailing_covariance({"AAA": series(zigzag(59, 0.01))}, LAST)
    with pytest.raises(DesignError, match="only 40 sessions"):
        trailing_covariance({"AAA": series(zigzag(200, 0.01))}, DAYS[39])
    assert trailing_covariance({"AAA": series(zigzag(60, 0.01))}, LAST).sessions == 60


def test_volatility_contributions_and_beta_by_hand() -> None:
    legs = {"AAA": 1.0, "BBB": -1.0}
    # The legs together move half as much as AAA: 0.5% a day.
    assert HAND.volatility(legs) == pytest.approx(0.005 * math.sqrt(252))
    # AAA's part: 1 * (1e-4 - 5e-5) / 0.005 = 1% a day; BBB's: -1 * (5e-5 - 2.5e-5) / 0.005 = -0.5%.
    assert HAND.contributions(legs) == pytest.approx({"AAA": 0.01 * math.sqrt(252), "BBB": -0.005 * math.sqrt(252)})
    assert HAND.beta("BBB", {"AAA": 1.0}) == pytest.approx(0.5)
    assert HAND.beta("AAA", {"BBB": 1.0}) == pytest.approx(2.0)
    assert HAND.volatility({}) == 0.0
    assert HAND.contributions({}) == {"AAA": 0.0, "BBB": 0.0}


@given(st.integers(0, 1000), st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3).filter(any))
def test_contributions_sum_to_the_volatility_of_the_daily_sums(seed: int, sizes: list[float]) -> None:
    returns = {name: noise(seed + k) for k, name in enumerate("ABC")}
    covariance = trailing_covariance({name: series(values) for name, values in returns.items()}, LAST)
    legs = dict(zip("ABC", sizes, strict=True))
    daily = [sum(legs[name] * returns[name][t] for name in legs) for t in range(200)]
    volatility = math.sqrt(math.fsum(x * x for x in daily) / 200 * 252)
    assert covariance.volatility(legs) == pytest.approx(volatility, rel=1e-9)
    assert sum(covariance.contributions(legs).values()) == pytest.approx(volatility, rel=1e-9)


@given(st.integers(0, 1000), st.floats(0.1, 2.0), st.floats(0.1, 2.0))
def test_the_base_has_beta_one_to_itself(seed: int, one: float, other: float) -> None:
    covariance = trailing_covariance({"A": series(noise(seed)), "B": series(noise(seed + 1))}, LAST)
    base = {"A": one, "B": other}
    assert one * covariance.beta("A", base) + other * covariance.beta("B", base) == pytest.approx(1.0)
    assert covariance.beta("A", {"A": 1.0}) == pytest.approx(1.0)


# --- active risk ---


def risk_of(legs: dict[str, float], size: float, carry: float, *, n: int = 200) -> ActiveRisk:
    returns = {name: series(noise(k, n)) for k, name in enumerate(("AAA", "BBB"))}
    return active_risk(legs, size, carry, returns, replace(HAND, last=str(DAYS[n - 1].date())))


def test_break_even_and_a_bad_quarter_by_hand() -> None:
    risk = risk_of({"AAA": 0.3, "BBB": -0.2}, 0.3, -0.006)
    assert risk.break_even == pytest.approx(0.02)  # 0.6% a year to be earned on 0.3 of capital
    # 0.3 - 0.2 / 2 = 0.2 of AAA's 1% a day; a quarter of a year; two deviations down.
    assert risk.volatility == pytest.approx(0.002 * math.sqrt(252))
    assert risk.two_sigma_quarter == pytest.approx(-2 * 0.002 * math.sqrt(63))
    assert sum(risk.by_leg.values()) == pytest.approx(risk.volatility)
    assert set(risk.by_leg) == {"AAA", "BBB"}


def test_a_carry_that_pays_is_a_negative_break_even_and_one_side_alone_has_none() -> None:
    assert risk_of({"AAA": 0.5, "BBB": -0.1}, 0.5, 0.01).break_even == pytest.approx(-0.02)
    assert risk_of({"AAA": 0.5, "BBB": 0.0}, 0.5, 0.01).break_even is None
    assert set(risk_of({"AAA": 0.5, "BBB": 0.0}, 0.5, 0.01).by_leg) == {"AAA"}
    none = risk_of({}, 0.0, -0.01)
    assert none.break_even is None
    assert none.worst_quarter is None
    assert none.volatility == 0.0


def naive_worst_quarter(legs: dict[str, float], returns: dict[str, list[float]]) -> tuple[float, int]:
    """Least sum of exposure times simple return over 63 sessions, and the first of them."""
    found = []
    for first in range(len(next(iter(returns.values()))) - 63 + 1):
        quarter = [legs[k] * (math.prod(1 + x for x in returns[k][first : first + 63]) - 1) for k in legs]
        found.append((math.fsum(quarter), first))
    return min(found)


@settings(max_examples=30)
@given(st.integers(0, 1000), st.floats(0.1, 1.0), st.floats(-1.0, -0.1))
def test_the_worst_quarter_equals_a_naive_search(seed: int, up: float, down: float) -> None:
    returns = {"AAA": noise(seed), "BBB": noise(seed + 1)}
    legs = {"AAA": up, "BBB": down}
    seen = {name: series(values) for name, values in returns.items()}
    risk = active_risk(legs, up, 0.0, seen, trailing_covariance(seen, LAST))
    loss, first = naive_worst_quarter(legs, returns)
    assert risk.worst_quarter is not None
    assert risk.worst_quarter[0] == pytest.approx(loss, abs=1e-12)
    assert risk.worst_quarter[1:] == (str(DAYS[first].date()), str(DAYS[first + 62].date()))


def test_the_worst_quarter_needs_63_sessions_and_ends_with_the_covariance() -> None:
    assert risk_of({"AAA": 1.0}, 1.0, 0.0, n=62).worst_quarter is None
    only = risk_of({"AAA": 1.0}, 1.0, 0.0, n=63).worst_quarter
    assert only is not None
    assert only[1:] == (str(DAYS[0].date()), str(DAYS[62].date()))

    crash = series([0.0] * 150 + [-0.5] * 50)
    risk = active_risk({"AAA": 1.0}, 1.0, 0.0, {"AAA": crash}, replace(HAND, last=str(DAYS[149].date())))
    assert risk.worst_quarter is not None
    assert risk.worst_quarter[0] == 0.0


# --- the trading-cost term ---

YEARLY = 0.01 * math.sqrt(252)  # AAA's volatility in HAND
QUARTERLY = math.sqrt(2 * 4 / math.pi)


@pytest.mark.parametrize(
    ("exposures", "leverage", "gap", "sigma"),
    [
        pytest.param({"AAA": 1.0}, 1.0, 0.0, YEARLY, id="moves with the portfolio"),
        pytest.param({"AAA": 3.0}, 3.0, 2.0, YEARLY, id="three times"),
        pytest.param({"AAA": -3.0}, -3.0, 4.0, YEARLY, id="inverse"),
        # BBB's own deviation is half as large, and AAA moves twice as much as BBB.
        pytest.param({"BBB": 3.0}, 3.0, 1.0, YEARLY / 2, id="another index"),
    ],
)
def test_the_trading_cost_by_hand(exposures: dict[str, float], leverage: float, gap: float, sigma: float) -> None:
    found = trading_costs([("F", exposures, leverage)], {"AAA": 1.0}, HAND, 0.001, 4)
    assert found == pytest.approx({"F": 0.001 * gap * sigma * QUARTERLY}, abs=1e-15)


def test_the_trading_cost_of_the_legs_beta() -> None:
    """Wanted 1.0 of AAA and -0.5 of BBB: against AAA a beta of 1 - 0.5 / 2 = 0.75."""
    found = trading_costs([("F", {"AAA": 2.0}, 2.0)], {"AAA": 1.0, "BBB": -0.5}, HAND, 0.002, 12)
    assert found["F"] == pytest.approx(0.002 * 1.25 * YEARLY * math.sqrt(24 / math.pi))


def test_the_trading_cost_of_a_stacked_fund_is_that_of_its_moves() -> None:
    """AAA and BBB half and half move as 0.75 of AAA; the portfolio moves as AAA; a quarter of AAA is to be undone."""
    found = trading_costs([("F", {"AAA": 0.5, "BBB": 0.5}, 1.0)], {"AAA": 1.0}, HAND, 0.001, 4)
    assert found["F"] == pytest.approx(0.001 * 0.25 * YEARLY * QUARTERLY)


def test_the_trading_cost_of_a_market_neutral_fund_is_that_of_its_moves() -> None:
    """AAA minus BBB moves as half of AAA, though its leverage is 0; beside a portfolio in cash all of it is undone."""
    found = trading_costs([("F", {"AAA": 1.0, "BBB": -1.0}, 0.0)], {"CCC": 1.0}, HAND, 0.001, 4)
    assert found["F"] == pytest.approx(0.001 * 0.5 * YEARLY * QUARTERLY)


def test_what_cannot_be_estimated_or_is_never_traded_costs_nothing() -> None:
    funds = [("BLANK", {}, 0.0), ("FAR", {"CCC": 3.0}, 3.0)]
    assert trading_costs(funds, {"AAA": 1.0}, HAND, 0.001, 4) == {"BLANK": 0.0, "FAR": 0.0}
    assert trading_costs([("F", {"AAA": 3.0}, 3.0)], {"AAA": 1.0}, HAND, 0.001, 0) == {"F": 0.0}
    assert trading_costs([("F", {"AAA": 3.0}, 3.0)], {"AAA": 1.0}, HAND, 0.0, 4) == {"F": 0.0}
