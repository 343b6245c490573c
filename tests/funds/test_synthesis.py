"""M1, the daily-reset fund: hand cases, laws, and equality with the second implementation."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.funds.made import NAN, fund_on, made_history
from tests.second_opinion import daily_reset, financing

from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.synthesis import synthetic_returns
from alphaoverlay.history import History

# One night at these yearly figures is exactly 1 in 10,000 for the rate and the expense, 1 in 100,000 for the spread.
RATE, EXPENSE, SPREAD = 0.036, 0.0365, 0.0036

moves = st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=8)
leverages = st.one_of(st.sampled_from([-3.0, -2.0, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0]), st.floats(-4.0, 4.0))
fees = st.floats(0.0, 0.05)
rates = st.floats(-0.01, 0.2)


def one_night(fund: Fund, *index_moves: float, nights: str = "2020-01-07", rate: float = RATE) -> float:
    """The fund's return from the close of Monday 2020-01-06 to that of another day, for its indices' returns."""
    history = made_history({"X": [1.0, 1.0]}, rate=rate, dates=["2020-01-06", nights])
    names = fund.exposures
    seen = {k: pd.Series([NAN, x], index=history.dates) for k, x in zip(names, index_moves, strict=True)}
    return float(synthetic_returns(fund, seen, history).iloc[1])


def built(fund: Fund, x: list[float], history: History) -> list[float]:
    """The fund's returns after the first session, for these returns of the index AAA."""
    seen = {"AAA": pd.Series([NAN, *x], index=history.dates)}
    return [float(r) for r in synthetic_returns(fund, seen, history).iloc[1:]]


def sessions(x: list[float], rate: float) -> History:
    """As many weekdays as the returns need."""
    return made_history({"X": [1.0] * (len(x) + 1)}, rate=rate)


@pytest.mark.parametrize(
    ("leverage", "expected"),
    [
        (3.0, 0.03 - 2 * 0.0001 - 2 * 0.00001 - 0.0001),
        (2.0, 0.02 - 0.0001 - 0.00001 - 0.0001),
        (1.0, 0.01 - 0.0001),
        (0.5, 0.005 + 0.5 * 0.0001 - 0.0001),  # half its money earns the rate; nothing is borrowed, no spread
        (0.0, 0.0001 - 0.0001),
        (-1.0, -0.01 + 2 * 0.0001 - 2 * 0.00001 - 0.0001),
        (-3.0, -0.03 + 4 * 0.0001 - 4 * 0.00001 - 0.0001),
    ],
)
def test_one_night_by_hand(leverage: float, expected: float) -> None:
    assert one_night(fund_on(leverage, expense=EXPENSE, spread=SPREAD), 0.01) == pytest.approx(expected, abs=1e-15)


def test_swap_exposure_multiplies_financing_and_spread() -> None:
    fund = replace(fund_on(3.0, expense=EXPENSE, spread=SPREAD), swap_exposure=1.1)
    expected = 0.03 - 1.1 * 2 * 0.0001 - 1.1 * 2 * 0.00001 - 0.0001
    assert one_night(fund, 0.01) == pytest.approx(expected, abs=1e-15)


def test_a_fund_cannot_lose_more_than_everything() -> None:
    assert one_night(fund_on(-3.0), 0.40) == -1.0
    assert one_night(fund_on(3.0), -0.34) == -1.0
    assert one_night(fund_on(3.0), -0.33, rate=0.0) == pytest.approx(-0.99)


def test_several_indices_are_summed_and_financed_on_their_sum() -> None:
    stacked = Fund("STACK", "90/60", {"AAA": 0.9, "BBB": 0.6}, expense=EXPENSE, spread=SPREAD)
    expected = 0.9 * 0.01 + 0.6 * 0.02 - 0.5 * 0.0001 - 0.5 * 0.00001 - 0.0001
    assert one_night(stacked, 0.01, 0.02) == pytest.approx(expected, abs=1e-15)


def test_a_long_short_fund_of_net_one_borrows_nothing() -> None:
    neutral = Fund("PAIR", "pair", {"AAA": 2.0, "BBB": -1.0}, expense=0.0, spread=SPREAD)
    assert one_night(neutral, 0.01, 0.03) == pytest.approx(2 * 0.01 - 0.03, abs=1e-15)


def test_a_weekend_accrues_three_days() -> None:
    fund = fund_on(3.0, expense=EXPENSE, spread=SPREAD)
    history = made_history({"X": [1.0, 1.0]}, rate=RATE, dates=["2020-01-03", "2020-01-06"])
    expected = 0.03 - 3 * (2 * 0.0001 + 2 * 0.00001 + 0.0001)
    assert built(fund, [0.01], history) == pytest.approx([expected], abs=1e-15)


def test_a_night_is_financed_at_the_rate_of_the_session_before() -> None:
    days = ["2020-01-06", "2020-01-07", "2020-01-08"]
    history = made_history({"X": [1.0] * 3}, rate=[0.036, 0.072, 9.99], dates=days)
    assert built(fund_on(2.0), [0.0, 0.0], history) == pytest.approx([-0.0001, -0.0002], abs=1e-15)


def test_unknown_where_the_index_is_unknown_and_on_the_first_session() -> None:
    history = sessions([0.0, 0.0], 0.0)
    seen = {"AAA": pd.Series([0.5, NAN, 0.02], index=history.dates)}
    returns = synthetic_returns(fund_on(2.0), seen, history)
    assert np.isnan(returns.iloc[:2]).all()
    assert returns.iloc[2] == pytest.approx(0.04)
    assert returns.name == "FUND"


@given(moves, leverages, st.data(), fees, fees, st.floats(0.5, 2.0))
def test_equals_the_second_implementation(
    x: list[float], leverage: float, data: st.DataObject, expense: float, spread: float, swap: float
) -> None:
    n = len(x) + 1
    gaps = data.draw(st.lists(st.integers(1, 5), min_size=n - 1, max_size=n - 1))
    days = pd.Timestamp("2020-01-02") + pd.to_timedelta(np.cumsum([0, *gaps]), unit="D")
    yearly = data.draw(st.lists(rates, min_size=n, max_size=n))
    fund = replace(fund_on(leverage, expense=expense, spread=spread), swap_exposure=swap)
    own = built(fund, x, made_history({"X": [1.0] * n}, rate=yearly, dates=days))

    plain_days = [date.fromisoformat(day) for day in days.strftime("%Y-%m-%d")]
    accruals = financing(dict(zip(plain_days, yearly, strict=True)), plain_days)[1:]
    expected = [
        daily_reset(move, leverage, c, d, gap / 365, expense, spread, swap)
        for move, (c, d), gap in zip(x, accruals, gaps, strict=True)
    ]
    assert own == pytest.approx(expected, abs=1e-14)


@given(moves, rates, fees)
def test_one_times_without_expense_is_the_index(x: list[float], rate: float, spread: float) -> None:
    assert built(fund_on(1.0, spread=spread), x, sessions(x, rate)) == pytest.approx(x, abs=1e-16)


@given(st.floats(-4.0, -0.1), st.floats(0.001, 0.2))
def test_an_inverse_fund_earns_interest(leverage: float, rate: float) -> None:
    still = [0.0, 0.0, 0.0]
    earned = built(fund_on(leverage), still, sessions(still, rate))
    paid = built(fund_on(-leverage + 2.0), still, sessions(still, rate))  # as far from 1 on the long side
    assert min(earned) > 0.0
    assert earned == pytest.approx([-r for r in paid], rel=1e-12)


@given(moves, leverages, rates, fees, fees)
def test_a_spread_never_helps(x: list[float], leverage: float, rate: float, low: float, more: float) -> None:
    history = sessions(x, rate)
    cheap, dear = (built(fund_on(leverage, spread=s), x, history) for s in (low, low + more))
    assert all(b <= a for a, b in zip(cheap, dear, strict=True))
    if 0.0 <= leverage <= 1.0:
        assert cheap == dear


def closed_form(index_logs: list[float], leverage: float, accrual: float, expense: float, spread: float) -> float:
    """M2: `S^L * exp((1-L)*cT - fT + (L-L^2)/2*V)`, f = E + |L-1|*s, all over the whole span."""
    fees = expense + (0.0 if 0.0 <= leverage <= 1.0 else abs(leverage - 1.0) * spread)
    variance = float(np.sum(np.square(index_logs)))
    log = leverage * float(np.sum(index_logs)) + (1.0 - leverage) * accrual - fees
    return float(np.exp(log + (leverage - leverage**2) / 2.0 * variance))


@pytest.mark.parametrize("leverage", [-3.0, -1.0, 0.5, 2.0, 3.0])
def test_compounding_small_steps_tends_to_the_closed_form(leverage: float) -> None:
    """The same year cut ever finer: drift 8%, variance 0.04, accrual 5%, expense 1%, spread 0.4% in every cut."""
    errors = []
    for n in (100, 1000, 10_000):
        logs = [0.08 / n + (0.2 if i % 2 else -0.2) / n**0.5 for i in range(n)]
        days = pd.date_range("1950-01-01", periods=n + 1)
        history = made_history({"X": [1.0] * (n + 1)}, rate=0.05 * 360 / n, dates=days)
        fund = fund_on(leverage, expense=0.01 * 365 / n, spread=0.004 * 360 / n)
        multiple = float(np.prod(1.0 + np.array(built(fund, [float(np.expm1(x)) for x in logs], history))))
        errors.append(abs(multiple / closed_form(logs, leverage, 0.05, 0.01, 0.004) - 1.0))
    assert errors[0] < 0.02
    assert errors[1] < errors[0] / 8.0
    assert errors[2] < errors[1] / 8.0
