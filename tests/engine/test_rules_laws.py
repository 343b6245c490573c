"""What must hold for every rule, cost and cash flow, whatever the returns."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.building import array, fund_returns_of, markets, same, targets_for, weights_of
from tests.engine.cases import FEATURES, Case, cases

from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.bands import MEASURES, Band, BandMeasure, compile_bands, measure_values
from alphaoverlay.engine.costs import CashTerms, Liquidity, TradingCosts
from alphaoverlay.engine.flows import CashFlow, CashFlows, Placing
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.funds.fund_returns import FundReturns

NEVER = CalendarRule("never")
ANYTHING = cases(*set(FEATURES) - {"tranches"}) | cases(*set(FEATURES) - {"borrowing"})


def alike(one: Backtest, other: Backtest, close: float = 1e-9) -> None:
    """Two backtests say the same but for rounding."""
    scale = max(1.0, float(one.value.max()))
    for name in ("value", "weights", "trades", "turnover", "cost", "flow"):
        assert np.allclose(getattr(one, name), getattr(other, name), rtol=0, atol=close * scale), name
    assert list(one.traded) == list(other.traded)
    assert one.end == other.end


def until(case: Case, session: int) -> Case:
    """The case as it was known at a session."""
    returns = case.returns
    cut = FundReturns(
        returns.history.between(None, returns.history.dates[session - 1]),
        returns.funds,
        returns.returns[:session],
        returns.synthetic[:session],
    )
    targets = case.targets
    if targets.row is not None:
        targets = replace(targets, row=targets.row[:session])
    return case.but(returns=cut, targets=targets)


# --- what is equal to something simpler ---


@given(cases("spreads", "borrowing"), st.sampled_from(MEASURES), st.sampled_from([0.0, 1.0]))
def test_an_endless_band_is_no_band(case: Case, on: BandMeasure, destination: float) -> None:
    endless = RebalancingRule(NEVER, (Band.of(on, math.inf, destination=destination),))
    done = case.but(rule=endless).run()
    assert same(done, case.but(rule=RebalancingRule(NEVER)).run())
    assert not done.broken.any()


@given(markets(), st.data())
def test_no_tolerance_on_any_weight_is_daily(returns: FundReturns, data: st.DataObject) -> None:
    targets = targets_for(returns, data.draw(weights_of(len(returns.funds))))
    costs = TradingCosts(data.draw(st.sampled_from([0.0, 20.0])))
    banded = backtest(returns, targets, RebalancingRule(NEVER, (Band.of("weight", 0.0),)), costs)
    daily = backtest(returns, targets, CalendarRule("daily"), costs)
    assert np.allclose(banded.value, daily.value, rtol=1e-12, atol=0)


@given(cases("spreads", "flows", "losses"))
def test_one_tranche_is_the_plain_rule(case: Case) -> None:
    plain = backtest(
        case.returns, case.targets, case.rule.calendar, case.costs, flows=case.flows, benchmark=case.benchmark
    )
    assert same(case.run(), plain)


@given(cases("tranches", "turns"))
def test_tranches_are_the_mean_of_portfolios_at_their_own_dates(case: Case) -> None:
    whole = case.run()
    n, dates = case.rule.tranches, case.returns.history.dates
    marks = case.rule.calendar_sessions(case.returns.history)
    parts = []
    for j in range(n):
        # The dates of tranche j as changes of targets: each one to a row of its own with the same weights.
        rows = case.targets.rows[case.targets.in_force(len(dates))]
        rows = rows + 1e-15 * np.cumsum(marks[j])[:, None]
        one = Targets.by_session(pd.DataFrame(rows, dates, list(case.targets.symbols)))
        parts.append(backtest(case.returns, one, NEVER, cash=CashTerms(borrowing_spread=0.0)))
    mean = np.mean([array(part.value) for part in parts], axis=0)
    assert np.allclose(whole.value, mean, rtol=1e-10, atol=0)
    held = np.mean([array(part.weights) * array(part.value)[:, None] for part in parts], axis=0)
    assert np.allclose(array(whole.weights) * array(whole.value)[:, None], held, rtol=0, atol=1e-9 * mean.max())


@given(cases("bands", "timing", "losses"), st.sampled_from([0.01, -0.02, 0.3]))
def test_flows_in_proportion_at_no_cost_earn_what_there_would_have_been_without(case: Case, share: float) -> None:
    flows = CashFlows((CashFlow(share=share, calendar=CalendarRule("weekly")),), "current")
    plain, flowing = case.run(), case.but(flows=flows).run()
    assert np.allclose(flowing.growth, plain.growth, rtol=1e-9, atol=0)
    assert np.allclose(flowing.weights, plain.weights, rtol=0, atol=1e-9)
    assert np.allclose(flowing.returns, plain.returns, rtol=0, atol=1e-9)
    assert flowing.end == plain.end


@given(ANYTHING, st.sampled_from([0.01, 7.0]))
def test_money_counts_in_shares_of_the_capital_only(case: Case, times: float) -> None:
    costs = case.costs
    known = costs.liquidity
    if known is not None:
        known = Liquidity(known.dollar_volume * times, known.volatility)
    money = {name: getattr(costs, name) * times for name in ("per_trade", "minimum_trade")}
    capital = None if costs.capital is None else costs.capital * times
    alike(case.run(), case.but(costs=replace(costs, **money, capital=capital, liquidity=known)).run())


@given(cases("bands", "timing", "spreads", "impact", "losses"), st.data())
def test_the_order_of_the_funds_does_not_matter(case: Case, data: st.DataObject) -> None:
    symbols = list(case.targets.symbols)
    order = data.draw(st.permutations(symbols))
    row = dict(zip(symbols, case.targets.rows[0].tolist(), strict=True))
    shuffled = case.but(
        returns=case.returns.only(order), targets=Targets.constant(order, [row[symbol] for symbol in order])
    ).run()
    done = case.run()
    ordered = replace(shuffled, weights=shuffled.weights[symbols], trades=shuffled.trades[symbols])
    alike(done, ordered)


@given(cases("bands", "timing", "spreads", "flows", "losses", "borrowing"))
def test_two_halves_of_a_fund_are_the_fund(case: Case) -> None:
    bands = tuple(band for band in case.rule.bands if band.on != "weight")
    case = case.but(rule=replace(case.rule, bands=bands))
    if not isinstance(case.costs.half_spread_bps, float):
        case = case.but(costs=replace(case.costs, half_spread_bps=30.0))
    case = case.but(costs=replace(case.costs, per_share=0.0))
    moves, row = array(case.returns.returns), case.targets.rows[0].tolist()
    exposures = [fund.exposures for fund in case.returns.funds]
    halves = fund_returns_of(np.column_stack([moves, moves[:, -1]]), case.returns.history, [*exposures, exposures[-1]])
    split = case.but(returns=halves, targets=targets_for(halves, [*row[:-1], row[-1] / 2, row[-1] / 2])).run()
    done = case.run()
    for name in ("value", "cost", "flow", "turnover"):
        assert np.allclose(getattr(split, name), getattr(done, name), rtol=1e-9, atol=1e-11), name
    assert list(split.traded) == list(done.traded)


# --- bands ---


@given(cases("bands", "spreads", "losses", "borrowing"))
def test_after_a_trade_to_the_edge_a_broken_measure_lies_on_it_and_nothing_is_outside(case: Case) -> None:
    bands = tuple(replace(band, destination=0.0) for band in case.rule.bands)
    case = case.but(rule=RebalancingRule(NEVER, bands))
    done = case.run()
    arrays = compile_bands(bands, case.returns.funds, case.targets.rows, case.benchmark)
    n, m = done.weights.shape
    dead = np.cumsum(array(case.returns.returns) <= -1.0, axis=0) > 0
    goals = np.where(dead, 0.0, case.targets.rows[0])
    target = measure_values(arrays, goals)
    size = np.where(arrays.relative == 1, np.abs(target), 1.0)
    with np.errstate(invalid="ignore"):
        low = target - np.where(size > 0.0, arrays.below * size, 0.0)
        high = target + np.where(size > 0.0, arrays.above * size, 0.0)
    before = array(done.weights_before)
    seen, left = measure_values(arrays, before), measure_values(arrays, array(done.weights))
    for t in range(1, n):
        if done.value.iloc[t] <= 0.0 or not done.broken.iloc[t]:
            continue
        slack = 1e-9
        assert (left[t] >= low[t] - slack).all()
        assert (left[t] <= high[t] + slack).all()
        # The trade is no longer than a band asks for: one of those that were outside lies on its edge.
        on_edge = np.minimum(np.abs(left[t] - low[t]), np.abs(left[t] - high[t])) < slack
        assert on_edge[np.isfinite(low[t]) | np.isfinite(high[t])].any()
        # Along the line from where it was to the targets.
        way = goals[t] - before[t]
        moved = array(done.weights)[t] - before[t]
        if (far := float(np.abs(way).max())) > 1e-6:
            part = float(moved[np.abs(way).argmax()] / way[np.abs(way).argmax()])
            assert np.allclose(moved, part * way, rtol=0, atol=1e-9)
            assert -1e-9 <= part <= 1 + 1e-9 / far
    assert np.allclose(array(done.weights).sum(axis=1) + array(done.cash), done.value > 0.0, rtol=0, atol=1e-12)
    assert ((seen >= low - 1e-9) & (seen <= high + 1e-9) | array(done.broken)[:, None].astype(bool))[1:][
        array(done.value)[1:] > 0.0
    ].all()
    assert m == len(case.returns.funds)


@given(cases("bands", "timing", "flows", "tranches", "turns"))
def test_between_two_rebalances_lies_the_interval(case: Case) -> None:
    """But for a change of targets and a flow that is placed by rebalancing; one tranche, whose rebalances they are."""
    case = case.but(rule=replace(case.rule, tranches=1), targets=replace(case.targets, row=None))
    case = case.but(flows=replace(case.flows, placing="underweight"))
    at = case.returns.history.dates.get_indexer(case.run().traded)
    assert (np.diff(at) >= max(1, case.rule.minimum_interval)).all()


# --- costs ---


@given(cases("spreads", "losses", "turns", "timing"), st.sampled_from(["never", "weekly"]))
def test_proportional_costs_never_raise_wealth(case: Case, calendar: str) -> None:
    rule = RebalancingRule(CalendarRule(calendar))  # type: ignore[arg-type]
    free, dear = case.but(rule=rule, costs=TradingCosts()).run(), case.but(rule=rule).run()
    assert (array(dear.value) <= array(free.value) * (1 + 1e-13)).all()


@given(ANYTHING)
def test_all_money_is_accounted_for(case: Case) -> None:
    done = case.run()
    value, cost, flow = array(done.value), array(done.cost), array(done.flow)
    scale = 1e-11 * max(1.0, float(value.max()))
    held = array(done.weights) * value[:, None]
    cash = array(done.cash) * value
    history = case.returns.history
    lend = history.accrual - case.cash.lending_spread * history.d
    borrow = history.accrual + case.cash.borrowing * history.d
    earned = cash[:-1] * (1.0 + np.where(cash[:-1] >= 0.0, lend[1:], borrow[1:]))
    if case.rule.tranches == 1:
        grown = np.concatenate(([1.0], (held[:-1] * (1.0 + array(case.returns.returns)[1:])).sum(axis=1) + earned))
        alive = value > 0.0
        alive |= done.value.index == done.exhausted
        assert np.allclose((value + cost - flow - grown)[alive], 0.0, rtol=0, atol=scale)
        bought = np.diff(held, axis=0, prepend=0.0)
        bought[1:] -= held[:-1] * array(case.returns.returns)[1:]
        assert np.allclose(bought[alive], array(done.trades)[alive], rtol=0, atol=scale)
    assert (cost >= -scale).all()
    assert (value >= 0.0).all()
    # Growth times flows adds up.
    returns = array(done.returns)
    lived = len(returns) + 1
    again = value[: lived - 1] * (1.0 + returns) + flow[1:lived]
    assert np.allclose(again, value[1:lived], rtol=0, atol=scale)
    growth = array(done.growth)
    assert np.allclose(
        growth[1:lived], growth[: lived - 1] * (1.0 + returns), rtol=0, atol=1e-11 * growth[:lived].max()
    )


@given(ANYTHING)
def test_what_trades_costs_what_was_said(case: Case) -> None:
    """Every session's cost is that of its trades."""
    done = case.run()
    plan = case.costs.compile(case.returns)
    size = np.abs(array(done.trades))
    least = 1e-11 * array(done.value + done.cost)[:, None]
    paid = (plan.rates * size + plan.impact * size**1.5 + plan.fee * (size > least)).sum(axis=1)
    scale = max(1.0, float(done.value.max()))
    assert np.allclose(paid, done.cost, rtol=0, atol=1e-9 * scale)


@given(cases("fees", "spreads", "bands", "turns"))
def test_no_trade_is_below_the_minimum_or_the_fee(case: Case) -> None:
    done = case.run()
    least = max(case.costs.minimum_trade, case.costs.per_trade) / 10_000.0
    size = np.abs(array(done.trades))
    small = (size > 1e-11) & (size < least * (1 - 1e-9))
    # A purchase may be scaled down for want of cash: it leaves none.
    short = small.any(axis=1)
    assert np.allclose(array(done.cash)[short], 0.0, rtol=0, atol=1e-9)
    assert (array(done.trades)[small] > 0.0).all()


@given(cases("fees", "spreads", "bands", "flows", "turns", "impact"))
def test_without_borrowing_cash_is_never_negative(case: Case) -> None:
    done = case.run()
    assert (array(done.cash * done.value) >= -1e-11 * max(1.0, float(done.value.max()))).all()


# --- what comes later ---


@given(ANYTHING, st.data())
def test_what_comes_later_changes_nothing_earlier(case: Case, data: st.DataObject) -> None:
    n = len(case.returns.returns)
    k = data.draw(st.integers(2, n))
    case = case.but(targets=replace(case.targets, lag=data.draw(st.integers(0, 2))))
    done, shorter = case.run(), until(case, k).run()
    assert same(done, shorter, sessions=k)
    assert list(shorter.traded) == [day for day in done.traded if day <= shorter.value.index[-1]]
    assert list(shorter.broken) == list(done.broken)[:k]
    later = case.returns.returns.copy()
    later.iloc[k - 1 :] = data.draw(st.sampled_from([0.5, -0.3, -1.0]))
    assert same(done, case.but(returns=replace(case.returns, returns=later)).run(), sessions=k - 1)


# --- endings ---


@given(cases("losses", "bands", "timing", "spreads", "flows", "turns", "fees"))
def test_a_fund_that_lost_everything_is_never_bought_again_and_its_share_is_cash(case: Case) -> None:
    moves = array(case.returns.returns).copy()
    moves[len(moves) // 2, 0] = -1.0
    frame = pd.DataFrame(moves, case.returns.returns.index, case.returns.returns.columns)
    done = case.but(returns=replace(case.returns, returns=frame)).run()
    gone = np.cumsum(moves <= -1.0, axis=0) > 0
    gone[0] = False
    assert (array(done.trades)[gone] <= 0.0).all()
    assert (array(done.weights)[gone] == 0.0).all()


def test_the_share_of_a_lost_fund_stays_in_cash() -> None:
    returns = fund_returns_of([[0.0, 0.0], [-1.0, 0.2], [0.1, 0.1]])
    for rule in (CalendarRule("daily"), RebalancingRule(NEVER, (Band.of("weight", 0.05),))):
        done = backtest(returns, targets_for(returns, [0.5, 0.4]), rule)
        # 0.48 of the second and 0.1 in cash: 0.58, of which the second gets 0.4.
        assert done.value.tolist() == pytest.approx([1.0, 0.58, 0.58 * 1.04])
        assert array(done.weights)[1].tolist() == pytest.approx([0.0, 0.4])
        assert array(done.trades)[1:, 0].tolist() == [0.0, 0.0]


@given(ANYTHING)
def test_after_the_end_there_is_nothing(case: Case) -> None:
    done = case.run()
    if done.end is None:
        assert (done.value > 0.0).all()
        return
    assert (done.ruin is None) != (done.exhausted is None)
    after = done.value.index >= done.end
    assert (array(done.value)[after] == 0.0).all()
    assert (array(done.value)[~after] > 0.0).all()
    later = done.value.index > done.end
    for table in (done.weights, done.trades, done.turnover, done.cost, done.flow, done.cash, done.broken):
        assert (array(table)[later] == 0.0).all()
    assert done.traded[-1] <= done.end
    assert len(done.returns) == done.value.index.get_loc(done.end)
    if done.exhausted is None:
        assert done.returns.iloc[-1] == -1.0
        assert done.final_value == 0.0
    else:
        assert done.flow[done.exhausted] <= 0.0
        assert done.final_value == done.growth[done.exhausted]


@given(cases("spreads", "bands", "losses"), st.sampled_from(["underweight", "current", "rebalance"]))
def test_a_withdrawal_of_everything_pays_out_what_selling_leaves(case: Case, placing: Placing) -> None:
    n = len(case.returns.returns)
    day = case.returns.history.dates[n - 1].date()
    for flow in (CashFlow(share=-1.0, days=(day,)), CashFlow(amount=-1e6, days=(day,))):
        done = case.but(flows=CashFlows((flow,), placing)).run()
        if done.ruin is not None:
            return
        plain = case.run()
        before = float((plain.value + plain.cost).iloc[-1])
        sold = array(plain.weights_before)[-1] * before
        cost = float(case.costs.compile(case.returns).rates[-1] @ sold)
        assert done.exhausted == done.value.index[-1]
        assert done.flow.iloc[-1] == pytest.approx(cost - before)
        assert done.cost.iloc[-1] == pytest.approx(cost, abs=1e-12)
        assert array(done.trades)[-1] == pytest.approx(-sold)
