"""What must hold for every backtest, whatever the returns."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.building import array, fund_returns_of, markets, same, targets_for, weights_of

from alphaoverlay.engine.backtesting import backtest
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.schedule import CALENDARS, CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.funds.fund_returns import FundReturns, build_fund_returns
from alphaoverlay.history import FloatArray

RULES = st.builds(CalendarRule, st.sampled_from(CALENDARS), st.integers(0, 3))
COSTS = st.builds(TradingCosts, st.sampled_from([0.0, 1.0, 25.0, 500.0]))


def some_weights(data: st.DataObject, returns: FundReturns) -> list[float]:
    """Weights for the funds of a market."""
    return data.draw(weights_of(len(returns.funds)))


def growth(returns: FundReturns) -> FloatArray:
    """Growth of one unit of each fund, and of cash in the last column, over each session after the first."""
    return 1.0 + np.column_stack([array(returns.returns)[1:], returns.history.accrual[1:]])


@given(markets(), st.data())
def test_never_rebalanced_is_the_weighted_sum_of_the_funds_growth(returns: FundReturns, data: st.DataObject) -> None:
    weights = some_weights(data, returns)
    done = backtest(returns, targets_for(returns, weights), CalendarRule("never"))
    parts = [*weights, 1.0 - math.fsum(weights)]
    expected = [math.fsum(np.array(parts) * held) for held in growth(returns).cumprod(axis=0)]
    assert done.value.tolist() == pytest.approx([1.0, *expected], rel=1e-12)


@given(markets(), st.data())
def test_daily_at_no_cost_is_the_product_of_weighted_returns(returns: FundReturns, data: st.DataObject) -> None:
    weights = some_weights(data, returns)
    done = backtest(returns, targets_for(returns, weights), CalendarRule("daily"))
    parts = [*weights, 1.0 - math.fsum(weights)]
    assert done.value.tolist() == pytest.approx([1.0, *np.cumprod(growth(returns) @ parts)], rel=1e-12)


@given(markets(), RULES, st.data())
def test_costs_never_raise_wealth(returns: FundReturns, rule: CalendarRule, data: st.DataObject) -> None:
    targets = targets_for(returns, some_weights(data, returns))
    paths = [array(backtest(returns, targets, rule, TradingCosts(bps)).value) for bps in (0.0, 1.0, 25.0, 500.0)]
    for cheaper, dearer in pairwise(paths):
        assert (dearer <= cheaper * (1 + 1e-14)).all()


@given(markets(), RULES, COSTS, st.data())
def test_after_costs_the_weights_are_the_targets(
    returns: FundReturns, rule: CalendarRule, costs: TradingCosts, data: st.DataObject
) -> None:
    weights = some_weights(data, returns)
    done = backtest(returns, targets_for(returns, weights), rule, costs)
    assert np.allclose(done.weights.loc[done.traded], [weights] * len(done.traded), rtol=0, atol=1e-15)
    assert done.traded[0] == done.history.dates[0]
    assert np.allclose(array(done.weights).sum(axis=1) + array(done.cash), 1.0, rtol=0, atol=1e-12)


@given(markets(), RULES, COSTS, st.data())
def test_trades_account_for_cost_turnover_and_value(
    returns: FundReturns, rule: CalendarRule, costs: TradingCosts, data: st.DataObject
) -> None:
    weights = some_weights(data, returns)
    done = backtest(returns, targets_for(returns, weights), rule, costs)
    value, after = array(done.value), array(done.weights) * array(done.value)[:, None]
    grown = after[:-1] * growth(returns)[:, :-1]
    cash = value[:-1] * array(done.cash)[:-1] * growth(returns)[:, -1]
    before = np.vstack([np.zeros(len(weights)), grown])
    value_before = np.concatenate([[1.0], grown.sum(axis=1) + cash])
    bought = after - before
    paid = (np.abs(bought) * costs.half_spread_bps / 10_000).sum(axis=1)
    moved = (np.abs(bought).sum(axis=1) + np.abs(bought.sum(axis=1))) / 2
    tolerance = 1e-12 * value.max()
    assert np.allclose(value_before - value, done.cost, rtol=0, atol=tolerance)
    assert np.allclose(paid, done.cost, rtol=0, atol=tolerance)
    assert np.allclose(moved / value_before, done.turnover, rtol=0, atol=1e-12)


@given(markets(), RULES, COSTS, st.data())
def test_doubling_every_price_changes_nothing(
    returns: FundReturns, rule: CalendarRule, costs: TradingCosts, data: st.DataObject
) -> None:
    prices = (1.0 + returns.returns).cumprod() * 37.0
    histories = [replace(returns.history, adj_close=level, close=level) for level in (prices, prices * 2.0)]
    once, twice = (build_fund_returns(returns.funds, history, {}) for history in histories)
    targets = targets_for(returns, some_weights(data, returns))
    assert same(backtest(once, targets, rule, costs), backtest(twice, targets, rule, costs))


@given(markets(), RULES, COSTS, st.data())
def test_the_order_of_the_funds_does_not_matter(
    returns: FundReturns, rule: CalendarRule, costs: TradingCosts, data: st.DataObject
) -> None:
    weights = some_weights(data, returns)
    order = data.draw(st.permutations(range(len(weights))))
    done = backtest(returns, targets_for(returns, weights), rule, costs)
    shuffled = returns.only([returns.funds[i].symbol for i in order])
    other = backtest(shuffled, targets_for(shuffled, [weights[i] for i in order]), rule, costs)
    assert np.allclose(other.value, done.value, rtol=1e-12, atol=0)
    assert np.allclose(other.weights[list(done.weights.columns)], done.weights, rtol=0, atol=1e-12)
    assert np.allclose(other.turnover, done.turnover, rtol=0, atol=1e-12)
    assert np.allclose(other.exposures, done.exposures, rtol=0, atol=1e-12)


@given(markets(), RULES, COSTS, st.data())
def test_two_halves_of_a_fund_are_the_fund(
    returns: FundReturns, rule: CalendarRule, costs: TradingCosts, data: st.DataObject
) -> None:
    weights = some_weights(data, returns)
    done = backtest(returns, targets_for(returns, weights), rule, costs)
    moves = array(returns.returns)
    halves = fund_returns_of(np.column_stack([moves, moves[:, -1]]), returns.history)
    split = [*weights[:-1], weights[-1] / 2, weights[-1] / 2]
    other = backtest(halves, targets_for(halves, split), rule, costs)
    assert np.allclose(other.value, done.value, rtol=1e-12, atol=0)
    assert np.allclose(other.cost, done.cost, rtol=0, atol=1e-12 * float(done.value.max()))
    assert np.allclose(other.turnover, done.turnover, rtol=0, atol=1e-12)


@given(markets(), RULES, COSTS, st.integers(0, 3), st.data())
def test_what_comes_later_changes_nothing_earlier(
    returns: FundReturns, rule: CalendarRule, costs: TradingCosts, lag: int, data: st.DataObject
) -> None:
    n, m = returns.returns.shape
    rows = data.draw(st.lists(weights_of(m), min_size=1, max_size=3))
    decided = np.random.default_rng(data.draw(st.integers(0, 2**32))).integers(0, len(rows), n)
    plan = pd.DataFrame([rows[k] for k in decided], returns.history.dates, [fund.symbol for fund in returns.funds])
    done = backtest(returns, Targets.by_session(plan, lag), rule, costs)
    k = data.draw(st.integers(2, n))
    dates = returns.history.dates
    cut = FundReturns(
        returns.history.between(None, dates[k - 1]), returns.funds, returns.returns[:k], returns.synthetic[:k]
    )
    shorter = backtest(cut, Targets.by_session(plan[:k], lag), rule, costs)
    assert same(done, shorter, sessions=k)
    assert list(shorter.traded) == [day for day in done.traded if day <= dates[k - 1]]
    other_returns = returns.returns.copy()
    other_returns.iloc[k - 1 :] = 0.5
    other_future = replace(returns, returns=other_returns)
    assert same(done, backtest(other_future, Targets.by_session(plan, lag), rule, costs), sessions=k - 1)


@given(markets(max_funds=1), st.sampled_from([0.0, 25.0]))
def test_all_in_cash_earns_the_rate(returns: FundReturns, bps: float) -> None:
    done = backtest(returns, targets_for(returns, [0.0]), CalendarRule("weekly"), TradingCosts(bps))
    history = returns.history
    days = [float((b - a).days) for a, b in pairwise(history.dates)]
    earned = [1 + rate * d / 360 for rate, d in zip(history.rate[:-1], days, strict=True)]
    assert done.final_value == pytest.approx(math.prod(earned), rel=1e-13)
    assert (done.turnover == 0.0).all()
