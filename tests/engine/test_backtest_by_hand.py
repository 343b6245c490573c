"""Backtests short enough to follow with pencil and paper."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.engine.building import WEEKDAYS, array, fund_returns_of, history_of, targets_for

from alphaoverlay.analysis.metrics import active_performance, performance
from alphaoverlay.engine.backtesting import backtest
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.schedule import CalendarRule

# Half in A, a fifth in B, the rest in cash: on the second session A doubles, on the third it halves.
MOVES = [[0.0, 0.0], [1.0, 0.0], [-0.5, 0.0]]


def test_held_without_trading() -> None:
    returns = fund_returns_of(MOVES)
    done = backtest(returns, targets_for(returns, [0.5, 0.2]), CalendarRule("never"))
    assert done.value.tolist() == pytest.approx([1.0, 1.5, 1.0])
    assert array(done.weights)[1] == pytest.approx([1.0 / 1.5, 0.2 / 1.5])
    assert done.cash.tolist() == pytest.approx([0.3, 0.3 / 1.5, 0.3])
    assert done.returns.tolist() == pytest.approx([0.5, -1 / 3])
    assert done.turnover.tolist() == pytest.approx([0.7, 0.0, 0.0])  # 0.7 into funds, 0.7 out of cash, halved
    assert list(done.traded) == [WEEKDAYS[0]]
    assert done.ruin is None


def test_rebalanced_daily() -> None:
    returns = fund_returns_of(MOVES)
    done = backtest(returns, targets_for(returns, [0.5, 0.2]), CalendarRule("daily"))
    assert done.value.tolist() == pytest.approx([1.0, 1.5, 1.5 * 0.75])
    assert np.allclose(array(done.weights), [[0.5, 0.2]] * 3, rtol=0, atol=1e-15)
    # Of 1.5: A from 1.0 to 0.75, B from 0.2 to 0.3, cash from 0.3 to 0.45.
    assert done.turnover.iloc[1] == pytest.approx(0.25 / 1.5)
    assert list(done.traded) == list(WEEKDAYS[:3])


def test_costs_of_a_purchase_and_of_a_rotation() -> None:
    returns = fund_returns_of(MOVES)
    done = backtest(returns, targets_for(returns, [0.5, 0.2]), CalendarRule("daily"), TradingCosts(100.0))
    bought = 1 / (1 + 0.01 * 0.7)  # V' + 1% of 0.7 V' = 1
    assert done.value.iloc[0] == pytest.approx(bought)
    assert done.cost.iloc[0] == pytest.approx(1 - bought)
    # A is worth 1.0*bought and is sold down to V'/2; B is worth 0.2*bought and is bought up to V'/5:
    # V' + 1%*(bought - V'/2) + 1%*(V'/5 - 0.2*bought) = 1.5*bought.
    after = bought * (1.5 - 0.01 * 0.8) / (1 - 0.01 * 0.3)
    assert done.value.iloc[1] == pytest.approx(after)
    assert done.cost.iloc[1] == pytest.approx(1.5 * bought - after)
    assert np.allclose(array(done.weights), [[0.5, 0.2]] * 3, rtol=0, atol=1e-15)


def test_cash_earns_the_rate_of_the_session_before_over_the_calendar_days() -> None:
    # Thursday, Friday, Monday, Tuesday: 1, 3 and 1 days at the rates of Thursday, Friday and Monday.
    history = history_of(pd.DatetimeIndex(["2021-01-07", "2021-01-08", "2021-01-11", "2021-01-12"]), [0.36, 0.72, 0, 9])
    returns = fund_returns_of([[0.0]] * 4, history)
    done = backtest(returns, targets_for(returns, [0.0]), CalendarRule("daily"))
    assert done.value.tolist() == pytest.approx([1.0, 1.001, 1.001 * 1.006, 1.001 * 1.006], rel=1e-15)
    assert done.cash.tolist() == [1.0] * 4


def test_look_through_exposures() -> None:
    """SPY, UPRO, TNA, SQQQ in the shares of the founding example; then every index moves by a tenth of itself."""
    legs = [{"SP500": 1.0}, {"SP500": 3.0}, {"RUSSELL2000": 3.0}, {"NASDAQ100": -3.0}, {"SP500": 0.9, "BONDS": 0.6}]
    returns = fund_returns_of([[0.0] * 5, [0.1, 0.3, 0.3, -0.3, 0.15]], exposures=legs)
    done = backtest(returns, targets_for(returns, [0.7, 0.1, 0.1, 0.1, 0.0]), CalendarRule("never"))
    assert list(done.exposures.columns) == ["SP500", "RUSSELL2000", "NASDAQ100", "BONDS"]
    assert array(done.exposures)[0] == pytest.approx([1.0, 0.3, -0.3, 0.0])
    # Wealth 1.1: SPY 0.77, UPRO 0.13, TNA 0.13, SQQQ 0.07.
    assert array(done.exposures)[1] == pytest.approx([1.16 / 1.1, 0.39 / 1.1, -0.21 / 1.1, 0.0])


def test_ruin_is_an_outcome() -> None:
    returns = fund_returns_of([[0.0], [0.5], [-1.0], [0.1], [7.0]])
    done = backtest(returns, targets_for(returns, [1.0]), CalendarRule("daily"), TradingCosts(10.0))
    assert done.ruin == WEEKDAYS[2]
    assert done.final_value == 0.0
    assert (done.value > 0.0).tolist() == [True, True, False, False, False]
    for outcome in (done.value, done.weights, done.turnover, done.cost, done.cash, done.exposures):
        assert (array(outcome)[2:] == 0.0).all()
    assert list(done.traded) == list(WEEKDAYS[:2])
    assert done.returns.tolist() == pytest.approx([0.5, -1.0])


def test_metrics_of_ruin_are_finite_and_the_yearly_return_is_a_total_loss() -> None:
    returns = fund_returns_of([[0.0, 0.0], [0.5, 0.1], [-1.0, -0.1], [0.1, 0.2], [7.0, 0.1]])
    ruined = backtest(returns.only(["FUND0"]), targets_for(returns.only(["FUND0"]), [1.0]))
    alive = backtest(returns.only(["FUND1"]), targets_for(returns.only(["FUND1"]), [1.0]))
    metrics = performance(ruined, alive)
    assert metrics["cagr"] == metrics["max_drawdown"] == metrics["worst_day"] == metrics["worst_month"] == -1.0
    assert metrics["final_value"] == 0.0
    fall = metrics.worst_drawdown
    assert fall is not None
    assert (fall.depth, fall.peak, fall.trough, fall.recovery) == (-1.0, WEEKDAYS[1], WEEKDAYS[2], None)
    active = active_performance(ruined, alive)
    alive_cagr = performance(alive, alive)["cagr"]
    assert alive_cagr is not None
    assert active["cagr"] == pytest.approx(-1.0 - alive_cagr)
    for value in (*metrics.values.values(), *active.values.values()):
        assert value is None or abs(value) < 1e300


def test_cash_survives_the_ruin_of_a_fund() -> None:
    returns = fund_returns_of([[0.0], [-1.0], [0.1]])
    done = backtest(returns, targets_for(returns, [0.75]), CalendarRule("never"))
    assert done.ruin is None
    assert done.value.tolist() == pytest.approx([1.0, 0.25, 0.25])


def test_nothing_is_left_when_every_fund_of_a_full_portfolio_goes_to_zero() -> None:
    """The weights of 70/10/10/10 add up to 1 - 1.1e-16 in binary: that is no cash to live on."""
    returns = fund_returns_of([[0.0] * 4, [-1.0] * 4, [0.1] * 4])
    done = backtest(returns, targets_for(returns, [0.7, 0.1, 0.1, 0.1]), CalendarRule("never"))
    assert done.value.tolist() == [1.0, 0.0, 0.0]
    assert done.ruin == WEEKDAYS[1]


def test_the_rule_is_quarterly_and_free_unless_said_otherwise() -> None:
    returns = fund_returns_of([[0.0]] * int(WEEKDAYS.searchsorted(pd.Timestamp("2021-10-01"))))
    done = backtest(returns, targets_for(returns, [0.5]))
    assert list(done.traded) == list(pd.DatetimeIndex(["2021-01-01", "2021-03-31", "2021-06-30", "2021-09-30"]))
    assert (done.cost == 0.0).all()
