"""Every statistic against a hand case, another library, and the second opinion."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bt
import empyrical
import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from tests import second_opinion
from tests.analysis.building import compounded, lived
from tests.engine.building import WEEKDAYS
from tests.engine.reference import SHARES, market

from alphaoverlay.analysis.metrics import (
    ACTIVE_DEFINITIONS,
    DEFINITIONS,
    Metrics,
    active_performance,
    performance,
)
from alphaoverlay.engine.backtesting import Backtest

ffn = bt.ffn  # comes with bt, and has no types of its own

# --- by hand ---

# Exactly four years of 365.25 days, in three months of two calendar years. Cash earns 0.1% every session.
DATES = pd.DatetimeIndex(["2017-12-29", "2018-01-31", "2018-02-01", "2018-02-02", "2021-12-29"])
RATES = [0.36 / 33, 0.36, 0.36, 0.36 / 1426, 0.0]
# Excess: +30%, -10%, -10%, +10%; mean 5%; from it +25, -15, -15, +5 points, whose squares add up to 0.11.
OWN = lived(compounded([0.301, -0.099, -0.099, 0.101], start=0.99), DATES, RATES)
# Excess: +20%, -10%, 0%, +10%; mean 5%; from it +15, -15, -5, +5 points, whose squares add up to 0.05.
OTHER = lived(compounded([0.201, -0.099, 0.001, 0.101]), DATES, RATES)
# Own less other: +10%, 0%, -10%, 0%; squares add up to 0.02.

FINAL = 0.99 * 1.301 * 0.901 * 0.901 * 1.101
DEEPEST = 0.901 * 0.901 - 1  # two losing sessions below the first gain
LAST = 0.901 * 0.901 * 1.101 - 1
ULCER = math.sqrt((0.01**2 + 0 + 0.099**2 + DEEPEST**2 + LAST**2) / 5)  # the purchase cost 1%: below the start

BY_HAND = {
    "final_value": FINAL,
    "cagr": FINAL**0.25 - 1,
    "volatility": math.sqrt(0.11 / 3) * math.sqrt(252),
    "sharpe": 0.05 / math.sqrt(0.11 / 3) * math.sqrt(252),
    "sortino": 0.05 / math.sqrt((0.01 + 0.01) / 4) * math.sqrt(252),
    "max_drawdown": DEEPEST,
    "calmar": (FINAL**0.25 - 1) / -DEEPEST,
    "ulcer": ULCER,
    "upi": (FINAL**0.25 - 1.001) / ULCER,  # cash makes 1.001^4 in four years
    "tail_loss": -0.099,  # 5% of four sessions, rounded up: one
    "worst_day": -0.099,
    "worst_month": DEEPEST,  # February 2018
    "worst_year": 1.301 * 0.901 * 0.901 - 1,  # 2018, against +10.1% in 2021
    "skew": (0.25**3 - 2 * 0.15**3 + 0.05**3) / 4 / (0.11 / 4) ** 1.5,
    "beta": (0.25 * 0.15 + 0.15 * 0.15 + 0.15 * 0.05 + 0.05 * 0.05) / 0.05,
    "tracking_error": math.sqrt(0.02 / 3) * math.sqrt(252),
    "up_capture": (math.sqrt(1.301 * 1.101) - 1) / (math.sqrt(1.201 * 1.101) - 1),  # January 2018, December 2021
    "down_capture": DEEPEST / (0.901 * 1.001 - 1),  # February 2018
}
ACTIVE_BY_HAND = {
    "cagr": FINAL**0.25 - (1.201 * 0.901 * 1.001 * 1.101) ** 0.25,
    "tracking_error": math.sqrt(0.02 / 3) * math.sqrt(252),
    "correlation": (0.10 * 0.15 + 0.10 * 0.05) / math.sqrt(0.02 * 0.05),
}

# --- by other libraries ---


@dataclass(frozen=True)
class Sides:
    """Wealth and returns of a portfolio and its benchmark as other libraries take them; nothing was paid to buy."""

    own: Backtest
    other: Backtest
    cash: pd.Series

    @property
    def value(self) -> pd.Series:
        return self.own.value

    @property
    def r(self) -> pd.Series:
        return self.own.value.pct_change().iloc[1:]

    @property
    def b(self) -> pd.Series:
        return self.other.value.pct_change().iloc[1:]

    @property
    def months(self) -> tuple[pd.Series, pd.Series]:
        own, other = (empyrical.aggregate_returns(x, "monthly") for x in (self.r, self.b))
        return own, other


Other = Callable[[Sides], float]
BY_OTHERS: dict[str, Other] = {
    "final_value": lambda x: empyrical.cum_returns_final(x.r, starting_value=1.0),
    "cagr": lambda x: ffn.calc_cagr(x.value),
    "volatility": lambda x: empyrical.annual_volatility(x.r),
    "sharpe": lambda x: empyrical.sharpe_ratio(x.r, risk_free=x.cash),
    "sortino": lambda x: empyrical.sortino_ratio(x.r, required_return=x.cash),
    "max_drawdown": lambda x: empyrical.max_drawdown(x.r),
    "calmar": lambda x: ffn.calc_calmar_ratio(x.value),
    "ulcer": lambda x: ffn.to_ulcer_index(x.value) / 100,  # theirs is in percent
    "upi": lambda x: ffn.to_ulcer_performance_index(x.value, rf=x.cash),
    "tail_loss": lambda x: empyrical.conditional_value_at_risk(x.r, 0.05),
    "worst_day": lambda x: x.r.min(),
    "worst_month": lambda x: x.r.add(1).resample("ME").prod().sub(1).min(),
    "worst_year": lambda x: x.r.add(1).resample("YE").prod().sub(1).min(),
    "skew": lambda x: scipy.stats.skew(x.r),
    "beta": lambda x: scipy.stats.linregress(x.b - x.cash, x.r - x.cash).slope,
    "tracking_error": lambda x: empyrical.annual_volatility(x.r - x.b),
    # One "year" a month keeps empyrical from annualising the monthly means.
    "up_capture": lambda x: empyrical.up_capture(*x.months, period="yearly"),
    "down_capture": lambda x: empyrical.down_capture(*x.months, period="yearly"),
}
ACTIVE_BY_OTHERS: dict[str, Other] = {
    "cagr": lambda x: ffn.calc_cagr(x.value) - ffn.calc_cagr(x.other.value),
    "tracking_error": lambda x: empyrical.annual_volatility(x.r - x.b),
    "correlation": lambda x: scipy.stats.pearsonr(x.r - x.b, x.b).statistic,
}


@pytest.fixture(scope="module")
def random_sides() -> Sides:
    """Six years of weekdays, fat tails, a benchmark that explains most, and a rate that wanders."""
    random = np.random.default_rng(20211215)
    dates = pd.bdate_range("2015-03-12", "2021-02-26")
    b = random.standard_t(4, len(dates) - 1) * 0.008 + 0.0003
    r = 1.2 * b + random.standard_t(4, len(dates) - 1) * 0.004
    rates = np.abs(np.cumsum(random.normal(0, 0.001, len(dates)))).tolist()
    own, other = (lived(compounded(x.tolist()), dates, rates) for x in (r, b))
    days = np.diff(dates.to_numpy()).astype("timedelta64[D]").astype(float)
    return Sides(own, other, pd.Series(np.array(rates[:-1]) * days / 360, index=dates[1:]))


@pytest.fixture(scope="module")
def real_sides(reference_data: Path) -> Sides:
    """The founding portfolio and SPY, 2010 to 2021, as the second opinion has them."""
    plain = market(reference_data)
    dates = pd.DatetimeIndex(plain.sessions)
    days = np.diff(dates.to_numpy()).astype("timedelta64[D]").astype(float)
    rates = [*(np.array(plain.accruals[1:]) / days * 360).tolist(), 0.0]
    own, other = (
        lived(plain.run("quarterly", 0.0, weights)["value"], dates, rates, dates)
        for weights in (list(SHARES.values()), [1.0, 0.0, 0.0, 0.0])
    )
    return Sides(own, other, pd.Series(plain.accruals[1:], index=dates[1:]))


# --- the comparisons ---


def number(metrics: Metrics, key: str) -> float:
    """A value that must be defined."""
    value = metrics[key]
    assert value is not None, metrics.undefined[key]
    return value


def test_every_statistic_has_a_hand_case_and_a_second_implementation() -> None:
    keys = {definition.key for definition in DEFINITIONS}
    assert set(BY_HAND) == set(BY_OTHERS) == set(performance(OWN, OTHER).values) == keys
    active = {definition.key for definition in ACTIVE_DEFINITIONS}
    assert set(ACTIVE_BY_HAND) == set(ACTIVE_BY_OTHERS) == set(active_performance(OWN, OTHER).values) == active
    assert len(keys) == len(DEFINITIONS)
    assert len(active) == len(ACTIVE_DEFINITIONS)


@pytest.mark.parametrize("key", BY_HAND)
def test_by_hand(key: str) -> None:
    assert number(performance(OWN, OTHER), key) == pytest.approx(BY_HAND[key], rel=1e-12)


@pytest.mark.parametrize("key", ACTIVE_BY_HAND)
def test_active_by_hand(key: str) -> None:
    assert number(active_performance(OWN, OTHER), key) == pytest.approx(ACTIVE_BY_HAND[key], rel=1e-12)


@pytest.mark.parametrize("sides", ["random_sides", "real_sides"])
@pytest.mark.parametrize("key", BY_OTHERS)
def test_against_another_library(request: pytest.FixtureRequest, key: str, sides: str) -> None:
    case: Sides = request.getfixturevalue(sides)
    expected = float(BY_OTHERS[key](case))
    assert number(performance(case.own, case.other), key) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("sides", ["random_sides", "real_sides"])
@pytest.mark.parametrize("key", ACTIVE_BY_OTHERS)
def test_active_against_another_library(request: pytest.FixtureRequest, key: str, sides: str) -> None:
    case: Sides = request.getfixturevalue(sides)
    expected = float(ACTIVE_BY_OTHERS[key](case))
    assert number(active_performance(case.own, case.other), key) == pytest.approx(expected, rel=1e-9)


def agrees_with_the_second_opinion(own: Backtest, other: Backtest, accruals: list[float]) -> None:
    """Compare all that the second opinion knows; it says None where we do."""
    dates = [stamp.date() for stamp in own.value.index]
    expected = second_opinion.metrics(own.value.tolist(), dates, other.value.tolist(), accruals)
    metrics, active = performance(own, other), active_performance(own, other)
    for name, value in expected.items():
        found = active[name.removeprefix("active_")] if name.startswith("active_") else metrics[name]
        if value is None or found is None:
            assert found is value, name
        else:
            assert found == pytest.approx(value, rel=1e-12, abs=1e-12), name


@pytest.mark.parametrize("sides", ["random_sides", "real_sides"])
def test_against_the_second_opinion(request: pytest.FixtureRequest, sides: str) -> None:
    case: Sides = request.getfixturevalue(sides)
    agrees_with_the_second_opinion(case.own, case.other, [0.0, *case.cash])


@given(st.integers(0, 2**32), st.integers(1, 45), st.integers(0, 10), st.integers(0, 10), st.integers(0, 150))
def test_short_and_costly_spans_against_the_second_opinion(
    seed: int, n: int, own_cost: int, other_cost: int, first: int
) -> None:
    """Both were bought at a cost of so many percent, which no fund has; the point is the start."""
    random = np.random.default_rng(seed)
    dates = WEEKDAYS[first : first + n + 1]
    rates = random.uniform(0.0, 0.1, n + 1)
    days = np.diff(dates.to_numpy()).astype("timedelta64[D]").astype(float)
    own, other = (
        lived(compounded(random.uniform(-0.1, 0.1, n).tolist(), 1 - cost / 100), dates, rates.tolist())
        for cost in (own_cost, other_cost)
    )
    agrees_with_the_second_opinion(own, other, [0.0, *(rates[:-1] * days / 360)])


# --- what the two hand cases above cannot show ---


@pytest.mark.parametrize(("sessions", "worst"), [(1, 1), (19, 1), (20, 1), (21, 2), (40, 2), (41, 3), (60, 3)])
def test_the_tail_is_a_twentieth_of_the_sessions_rounded_up(sessions: int, worst: int) -> None:
    """Losses of 1%, 2%, ... in a shuffled order; the deepest are the tail."""
    losses = [-(1 + (7 * k) % sessions) / 1000 for k in range(sessions)]
    expected = math.fsum(sorted(losses)[:worst]) / worst
    assert number(performance(lived(compounded(losses)), lived([1.0] * (sessions + 1))), "tail_loss") == pytest.approx(
        expected
    )


def test_a_month_in_which_the_benchmark_stood_still_is_neither_up_nor_down() -> None:
    ends = pd.DatetimeIndex(["2021-01-29", "2021-02-26", "2021-03-31", "2021-04-30"])
    metrics = performance(lived([1.0, 1.2, 2.4, 1.2], ends), lived([1.0, 1.1, 1.1, 0.99], ends))
    assert number(metrics, "up_capture") == pytest.approx(0.2 / 0.1)
    assert number(metrics, "down_capture") == pytest.approx(-0.5 / -0.1)


def test_a_portfolio_measured_against_itself() -> None:
    metrics = performance(OWN, OWN)
    assert [metrics[key] for key in ("beta", "up_capture", "down_capture", "tracking_error")] == [1.0, 1.0, 1.0, 0.0]
    assert active_performance(OWN, OWN)["cagr"] == 0.0


def test_the_cost_of_the_purchase_is_in_the_wealth_and_in_no_daily_return() -> None:
    free, costly = lived([1.0, 1.1, 1.21, 1.1]), lived([0.9, 0.99, 1.089, 0.99])
    before, after = performance(free, free), performance(costly, free)
    for key in ("volatility", "sharpe", "worst_day", "worst_month", "tail_loss", "beta"):
        assert number(after, key) == pytest.approx(number(before, key), rel=1e-12), key
    assert number(after, "final_value") == pytest.approx(0.9 * number(before, "final_value"))
    assert number(after, "max_drawdown") == pytest.approx(-0.1)


# --- undefined ---

RISING = [1.0, 1.01, 1.03, 1.04, 1.06, 1.07]
FALLING = [1.0, 0.99, 0.97, 0.96, 0.94, 0.93]
STEADY = compounded([0.001] * 5)
FLAT = [1.0] * 6


@pytest.mark.parametrize(
    ("own", "other", "undefined"),
    [
        (RISING, FALLING, {"calmar": "no drawdown", "upi": "no drawdown", "sortino": "no day below the cash return",
                           "up_capture": "no month in which it rose"}),
        (FALLING, RISING, {"down_capture": "no month in which it fell"}),
        (FALLING, FLAT, {"beta": "the benchmark is flat", "up_capture": "no month", "down_capture": "no month"}),
        (STEADY, FALLING, {"sharpe": "no variation", "skew": "no variation", "sortino": "no day", "calmar": "no draw",
                           "upi": "no drawdown", "up_capture": "no month"}),
        ([1.0, 0.9], [1.0, 0.8], {"volatility": "fewer than two daily returns", "sharpe": "fewer than two",
                                  "tracking_error": "fewer than two", "skew": "no variation", "beta": "",
                                  "up_capture": "no month in which it rose"}),
    ],
    ids=["no drawdown", "no down month", "flat benchmark", "steady", "one return"],
)  # fmt: skip
def test_what_is_undefined_is_none_with_its_reason(
    own: list[float], other: list[float], undefined: dict[str, str]
) -> None:
    metrics = performance(lived(own), lived(other))
    assert {key for key, value in metrics.values.items() if value is None} == set(undefined)
    assert set(metrics.undefined) == set(undefined)
    for key, reason in undefined.items():
        assert reason in metrics.undefined[key]
        assert metrics.undefined[key]


@pytest.mark.parametrize(
    ("own", "other", "undefined"),
    [
        (RISING, RISING, {"correlation"}),
        (RISING, FLAT, {"correlation"}),
        ([1.0, 0.9], [1.0, 0.8], {"correlation", "tracking_error"}),
        (RISING, FALLING, set()),
    ],
    ids=["identical", "flat benchmark", "one return", "all defined"],
)
def test_active_statistics_that_are_undefined(own: list[float], other: list[float], undefined: set[str]) -> None:
    active = active_performance(lived(own), lived(other))
    assert {key for key, value in active.values.items() if value is None} == undefined
    assert {key for key, reason in active.undefined.items() if reason} == undefined


def test_the_skewness_of_quiet_returns_is_that_of_the_same_returns_made_larger() -> None:
    """Cash at a low rate: returns of a few millionths a day, which do vary."""
    pattern = [1.0, 1.0, 5.0, 1.0, 2.0, 1.0]
    loud, quiet = (lived(compounded([scale * x for x in pattern])) for scale in (1e-3, 1e-6))
    expected = float(scipy.stats.skew(pattern))
    assert number(performance(loud, loud), "skew") == pytest.approx(expected, rel=1e-9)
    assert number(performance(quiet, quiet), "skew") == pytest.approx(expected, rel=1e-6)


# --- ruin ---


def test_the_ruin_of_the_benchmark_does_not_touch_what_is_the_portfolios_own() -> None:
    own = lived([1.0, 1.1, 1.2, 0.9, 1.0, 1.3])
    alone, beside = performance(own, own), performance(own, lived([1.0, 0.5, 0.0, 0.0, 0.0, 0.0]))
    for key in ("final_value", "cagr", "volatility", "sharpe", "max_drawdown", "ulcer", "worst_day", "tail_loss"):
        assert number(beside, key) == pytest.approx(number(alone, key), rel=1e-12), key


def test_a_ruined_portfolio_is_measured_up_to_its_ruin() -> None:
    metrics = performance(lived([1.0, 1.5, 0.75, 0.0, 0.0]), lived([1.0, 1.1, 1.0, 0.9, 1.0]))
    assert number(metrics, "cagr") == -1.0
    assert number(metrics, "worst_day") == -1.0
    # +50%, -50%, -100%: mean -1/3, squares from it 25/36 + 1/36 + 16/36 = 42/36.
    assert number(metrics, "volatility") == pytest.approx(math.sqrt(42 / 36 / 2 * 252))
    assert number(metrics, "calmar") == -1.0
    assert number(metrics, "ulcer") == pytest.approx(math.sqrt((0.5**2 + 1) / 4))
    assert all(math.isfinite(value) for value in metrics.values.values() if value is not None)
