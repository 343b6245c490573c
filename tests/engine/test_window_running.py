"""Many windows at once: each is the backtest of its own sessions, bit for bit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import second_scenarios
from tests.engine.building import WEEKDAYS, array, fund_returns_of, history_of
from tests.engine.cases import FEATURES, Case, cases

from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.window_running import run_windows
from alphaoverlay.errors import DataError, SpanError
from alphaoverlay.overlays.portfolio import Portfolio

PLAIN = set(FEATURES) - {"flows", "turns"}
ANYTHING = cases(*PLAIN - {"tranches"}) | cases(*PLAIN - {"borrowing"})


def alone(case: Case, start: int, sessions: int) -> float:
    """The plain backtest of one window."""
    dates = case.returns.history.dates
    window = case.returns.between(dates[start], dates[start + sessions])
    return float(case.but(returns=window).run().value.iloc[-1])


@given(ANYTHING, st.data())
def test_every_window_is_the_backtest_of_its_own_sessions(case: Case, data: st.DataObject) -> None:
    n = len(case.returns.history.dates)
    sessions = data.draw(st.integers(1, n - 1))
    starts = data.draw(st.lists(st.integers(0, n - 1 - sessions), min_size=1, max_size=4))
    grown = run_windows(
        case.returns,
        Portfolio(case.returns.funds, tuple(case.targets.rows[0].tolist())),
        starts,
        sessions,
        case.rule,
        case.costs,
        cash=case.cash,
        benchmark=case.benchmark,
    )
    assert grown.tolist() == [alone(case, start, sessions) for start in starts]


def test_every_start_by_the_second_implementation() -> None:
    random = np.random.default_rng(5)
    moves = random.normal(0.0, 0.02, (150, 3))
    moves[80, 2] = -1.0
    rates = random.uniform(0.0, 0.08, 150).tolist()
    returns = fund_returns_of(moves, history_of(WEEKDAYS[:150], rates))
    weights, sessions = (0.5, 0.2, 0.1), 47
    portfolio = Portfolio(returns.funds, weights)
    rule, costs = RebalancingRule(CalendarRule("monthly")), TradingCosts(12.0)
    grown = run_windows(returns, portfolio, range(103), sessions, rule, costs)
    dates = WEEKDAYS[:150]
    ends = [t for t in range(150) if dates[t].month != WEEKDAYS[t + 1].month]
    gaps = [0, *((b - a).days for a, b in pairwise(dates))]
    accrual = [0.0, *(rates[t - 1] * gaps[t] / 360.0 for t in range(1, 150))]
    for start in range(103):
        cut = slice(start, start + sessions + 1)
        trades = {t - start for t in ends if start < t <= start + sessions}
        values, _ = second_scenarios.run_path(weights, moves[cut].tolist(), trades, [0.0012] * 3, accrual[cut])
        assert grown[start] == pytest.approx(values[-1], abs=1e-12)


def test_what_was_decided_before_the_purchase_is_not_traded() -> None:
    # The month's last session is 2021-01-29; three closes later its order is due. A window that begins between the two
    # was not there to decide.
    dates = WEEKDAYS[:30]
    moves = np.full((30, 2), [0.01, 0.0])
    returns = fund_returns_of(moves, history_of(dates))
    portfolio = Portfolio(returns.funds, (0.5, 0.5))
    rule = RebalancingRule(CalendarRule("monthly"), lag=3)
    decided = int(dates.searchsorted(pd.Timestamp("2021-01-29")))
    held, traded = 0.5 * 1.01**8 + 0.5, (0.5 * 1.01**3 + 0.5) * (0.5 * 1.01**5 + 0.5)
    grown = run_windows(returns, portfolio, [decided + 1, decided], 8, rule)
    assert grown.tolist() == pytest.approx([held, traded], rel=1e-14)


def test_a_portfolio_of_some_of_the_funds_and_one_of_cash() -> None:
    returns = fund_returns_of(np.full((20, 3), [0.01, 0.5, 0.02]), history_of(WEEKDAYS[:20], 0.036))
    some = Portfolio((returns.funds[2], returns.funds[0]), (0.5, 0.5))
    grown = run_windows(returns, some, [0, 4], 5, CalendarRule("daily"))
    assert grown.tolist() == pytest.approx([1.015**5] * 2, rel=1e-14)
    # From Friday 2021-01-01 on: three days, then one each.
    cash = run_windows(returns, Portfolio((), ()), [0], 3)
    assert cash[0] == pytest.approx(1.0003 * 1.0001 * 1.0001, abs=1e-15)


def test_no_windows_at_all() -> None:
    returns = fund_returns_of(np.zeros((5, 1)))
    assert run_windows(returns, Portfolio(returns.funds, (1.0,)), [], 2).shape == (0,)


@pytest.mark.parametrize(("starts", "sessions"), [([0, 16], 4), ([-1], 4), ([0], 20), ([0], 0)])
def test_windows_outside_the_returns_are_refused(starts: list[int], sessions: int) -> None:
    returns = fund_returns_of(np.zeros((20, 1)))
    with pytest.raises(SpanError, match="write 1 or more" if sessions == 0 else "is not inside the 20 sessions"):
        run_windows(returns, Portfolio(returns.funds, (1.0,)), starts, sessions)


def test_an_unknown_return_is_refused() -> None:
    moves = np.zeros((20, 1))
    moves[9] = np.nan
    returns = fund_returns_of(moves)
    with pytest.raises(DataError, match="the return of FUND0 on 2021-01-14 is unknown"):
        run_windows(returns, Portfolio(returns.funds, (1.0,)), [0], 4)


def test_the_returns_are_left_as_they_are() -> None:
    moves = np.cumsum(np.full((20, 2), 0.001), axis=0)
    returns = fund_returns_of(moves)
    first = run_windows(returns, Portfolio(returns.funds, (0.4, 0.6)), [3, 5], 4)
    again = run_windows(returns, Portfolio(returns.funds, (0.4, 0.6)), [5, 3], 4)
    assert first.tolist() == again.tolist()[::-1]
    assert np.array_equal(array(returns.returns), moves)
