"""M6: the money-weighted return, by hand, and against bisection on what all flows are worth together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.building import lived
from tests.engine.building import WEEKDAYS, fund_returns_of, targets_for
from tests.engine.cases import Case, cases

from alphaoverlay.analysis.money_weighted import money_weighted_return
from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.flows import CashFlow, CashFlows
from alphaoverlay.engine.schedule import CalendarRule

NEVER = CalendarRule("never")

# One year of 365 days after another.
YEARS = pd.DatetimeIndex(["2017-01-02", "2018-01-02", "2019-01-02"])


def with_flows(values: Sequence[float], flows: Sequence[float], dates: pd.DatetimeIndex) -> Backtest:
    """A backtest with these values at these closes, of which this came in."""
    done = lived(values, dates)
    return replace(done, flow=pd.Series(flows, index=dates, dtype=float))


def test_two_flows_by_hand() -> None:
    """1 at first and 0.5 a year later become 1.8: q^2 + q/2 = 1.8 for the growth q of a year."""
    done = with_flows([1.0, 1.6, 1.8], [0.0, 0.5, 0.0], YEARS)
    assert money_weighted_return(done) == pytest.approx((-0.5 + math.sqrt(0.25 + 4 * 1.8)) / 2 - 1, abs=1e-12)


def test_a_withdrawal_by_hand() -> None:
    """Of 1, 0.4 is taken a year later and 0.9 is left after two: q^2 = 0.4*q + 0.9."""
    done = with_flows([1.0, 0.8, 0.9], [0.0, -0.4, 0.0], YEARS)
    assert money_weighted_return(done) == pytest.approx((0.4 + math.sqrt(0.16 + 4 * 0.9)) / 2 - 1, abs=1e-12)


def test_a_flow_on_the_last_day_is_in_the_last_value() -> None:
    """1 becomes 1.21 in two years, and 0.3 that comes in then earns nothing."""
    assert money_weighted_return(with_flows([1.0, 1.1, 1.51], [0.0, 0.0, 0.3], YEARS)) == pytest.approx(0.1, abs=1e-12)
    assert money_weighted_return(with_flows([1.0, 1.1, 0.91], [0.0, 0.0, -0.3], YEARS)) == pytest.approx(0.1, abs=1e-12)


def test_money_that_comes_before_a_loss_makes_it_worse_than_time_weighted() -> None:
    """+20% on 1, then -50% on 1.2 + 10.8: 6.0 is left of it."""
    done = with_flows([1.0, 12.0, 6.0], [0.0, 10.8, 0.0], YEARS)
    rate = money_weighted_return(done)
    assert rate == pytest.approx((-10.8 + math.sqrt(10.8**2 + 4 * 6.0)) / 2 - 1, abs=1e-9)
    assert rate is not None
    assert rate < (1.2 * 0.5) ** 0.5 - 1


def test_what_the_purchase_cost_is_in_it() -> None:
    """A year in which nothing moves: 1/1.02 is left of 1."""
    returns = fund_returns_of([[0.0]] * len(WEEKDAYS))
    done = backtest(returns, targets_for(returns, [1.0]), NEVER, TradingCosts(200.0))
    days = (date(2021, 12, 31) - date(2021, 1, 1)).days
    assert money_weighted_return(done) == pytest.approx((1 / 1.02) ** (365 / days) - 1, abs=1e-12)


@given(st.floats(0.2, 5.0), st.floats(0.2, 5.0))
def test_without_flows_it_is_the_growth_of_a_year(middle: float, last: float) -> None:
    rate = money_weighted_return(lived([0.99, middle, last], YEARS))
    assert rate == pytest.approx(math.sqrt(last) - 1, abs=1e-10)


@pytest.mark.parametrize("last", [0.97, 0.999, 1.0, 1.001, 1.05, 1.5])
@pytest.mark.parametrize("sessions", [2, 3, 30])
def test_without_flows_over_a_short_time(last: float, sessions: int) -> None:
    """A gain of half in a day is a great deal in a year."""
    done = lived([*[1.0] * (sessions - 1), last])
    days = (WEEKDAYS[sessions - 1] - WEEKDAYS[0]).days
    rate = money_weighted_return(done)
    assert rate is not None
    assert math.log1p(rate) == pytest.approx(365 / days * math.log(last), abs=1e-9)


# --- by bisection ---


def growth_a_day(days: Sequence[int], amounts: Sequence[float]) -> float:
    """Log growth a day at which all amounts are worth nothing together; they change their sign once, so it is one."""
    assert sum(a * b < 0 for a, b in pairwise(amounts)) == 1

    def worth(growth: float) -> float:
        return math.fsum(amount * math.exp(-growth * day) for day, amount in zip(days, amounts, strict=True))

    low, high = -0.05, 2.0
    # Money goes in first: the faster it should have grown, the less what comes back is worth.
    assert worth(low) > 0.0 > worth(high)
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if worth(middle) > 0.0 else (low, middle)
    return low


@given(
    st.lists(st.tuples(st.integers(5, 900), st.floats(0.01, 3.0)), min_size=1, max_size=12),
    st.booleans(),
    st.floats(0.3, 3.0),
)
def test_it_is_the_rate_that_bisection_finds(flows: list[tuple[int, float]], out: bool, times: float) -> None:
    """Only contributions, or only withdrawals: there is one rate, and it is found."""
    days = [0, *(sum(gap for gap, _ in flows[: k + 1]) for k in range(len(flows)))]
    days.append(days[-1] + 100)
    amounts = [-size if out else size for _, size in flows]
    last = times if out else times * (1.0 + sum(amounts))
    dates = pd.DatetimeIndex([pd.Timestamp("2000-01-03") + pd.Timedelta(days=day) for day in days])
    # What it was worth between does not matter.
    done = with_flows([*[1.0] * (len(days) - 1), last], [0.0, *amounts, 0.0], dates)
    rate = money_weighted_return(done)
    assert rate is not None
    expected = growth_a_day(days, [-1.0, *(-amount for amount in amounts), last])
    assert math.log1p(rate) == pytest.approx(365 * expected, abs=1e-8)


@settings(max_examples=60)
@given(cases("flows", "losses", "turns"), st.sampled_from([0.0, 20.0]))
def test_at_that_rate_a_backtests_money_is_worth_nothing(case: Case, half_spread: float) -> None:
    done = case.but(costs=TradingCosts(half_spread)).run()
    rate = money_weighted_return(done)
    # Some loss in days is all but everything in a year, of which a double tells no difference.
    if rate is None or rate < -1.0 + 1e-6:
        return
    # What is left at the end; nothing, where it ended before.
    moved = [(0, -1.0), *((t, -flow) for t, flow in enumerate(done.flow)), (len(done.value) - 1, done.value.iloc[-1])]
    days = [(day - done.value.index[0]).days for day in done.value.index]
    worth = [amount * math.exp(-math.log1p(rate) * days[t] / 365) for t, amount in moved]
    assert abs(math.fsum(worth)) <= 1e-7 * math.fsum(map(abs, worth))


# --- endings ---


def test_after_ruin_there_is_none() -> None:
    assert money_weighted_return(lived([1.0, 0.5, 0.0], YEARS)) is None


def test_after_ruin_there_is_none_for_more_that_was_put_in_either() -> None:
    assert money_weighted_return(with_flows([1.0, 1.5, 0.0], [0.0, 0.5, 0.0], YEARS)) is None


def test_what_was_taken_out_before_ruin_counts() -> None:
    """0.6 after a year is all that came back."""
    rate = money_weighted_return(with_flows([1.0, 0.6, 0.0], [0.0, -0.6, 0.0], YEARS))
    assert rate == pytest.approx(-0.4, abs=1e-12)


def test_a_portfolio_that_is_taken_out_ends_with_that() -> None:
    """Bought for 1, less 1%; +25%; all of it sold for 1% less after 32 days, and paid out."""
    returns = fund_returns_of([[0.0], [0.25], *[[0.0]] * 30])
    flows = CashFlows((CashFlow(share=-1.0, days=(WEEKDAYS[22].date(),)),))
    done = backtest(returns, targets_for(returns, [1.0]), NEVER, TradingCosts(100.0), flows=flows)
    assert done.exhausted == WEEKDAYS[22]
    assert (WEEKDAYS[22] - WEEKDAYS[0]).days == 32
    paid = 1 / 1.01 * 1.25 * 0.99
    assert money_weighted_return(done) == pytest.approx(paid ** (365 / 32) - 1, rel=1e-9)
