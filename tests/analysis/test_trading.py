"""M6: what trading came to, by hand, and trade by trade."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analysis.building import lived
from tests.engine.building import WEEKDAYS, array, fund_returns_of, targets_for
from tests.engine.cases import Case, cases, plan_of

from alphaoverlay.analysis.trading import TradingSummary, trading_summary
from alphaoverlay.engine.backtesting import backtest
from alphaoverlay.engine.costs import Liquidity, TradingCosts
from alphaoverlay.engine.flows import CashFlow, CashFlows
from alphaoverlay.engine.schedule import CalendarRule

DAILY, NEVER = CalendarRule("daily"), CalendarRule("never")


def test_costs_and_turnover_by_hand() -> None:
    """0.5 and 0.3 bought at 1%, each for a fee of 0.002; then the first gains 20%, and some is sold for cash."""
    returns = fund_returns_of([[0.0, 0.0], [0.2, 0.0]])
    costs = TradingCosts(100.0, per_trade=2.0, capital=1000.0)
    done = backtest(returns, targets_for(returns, [0.5, 0.3]), DAILY, costs)
    # V + 1%*(0.5*V + 0.3*V) + 2 fees = 1
    first = 0.996 / 1.008
    # A tenth more: the first fund has 0.6 of 1.1, the second 0.3. V + 1%*(0.6 - 0.5*V + 0.3*V - 0.3) + 2 fees = 1.1
    held = first * 0.6, first * 0.3
    second = (1.1 * first - 0.01 * (held[0] - held[1]) - 0.004) / (1.0 - 0.01 * 0.2)
    sold, bought = held[0] - 0.5 * second, 0.3 * second - held[1]
    summary = trading_summary(done)
    assert summary.spread == pytest.approx(0.01 * (0.8 * first + sold + bought), abs=1e-15)
    assert summary.fees == pytest.approx(0.008, abs=1e-15)
    assert summary.impact == 0.0
    assert summary.purchase == pytest.approx(0.01 * 0.8 * first + 0.004, abs=1e-15)
    assert summary.total == pytest.approx(1.0 - first + 1.1 * first - second, abs=1e-15)
    # What was sold went into the other fund, costs and cash: more was sold than bought of funds.
    into_cash = sold - bought
    assert into_cash > 0.0
    assert summary.turnover == pytest.approx((bought + into_cash) / (1.1 * first), abs=1e-15)
    years = (date(2021, 1, 4) - date(2021, 1, 1)).days / 365.25
    assert summary.turnover_a_year == pytest.approx(summary.turnover / years)


def test_impact_by_hand() -> None:
    """Y = 0.5, sigma = 2%, a volume of 100 times the capital: a trade of x costs 0.5*0.02*x*sqrt(x/100)."""
    returns = fund_returns_of([[0.0], [0.0]])
    dates = returns.history.dates
    depth = Liquidity(*(pd.DataFrame({"FUND0": [figure] * 2}, index=dates) for figure in (1e6, 0.02)))
    costs = TradingCosts(impact=0.5, capital=10_000.0, liquidity=depth)
    done = backtest(returns, targets_for(returns, [0.81]), NEVER, costs)
    bought = 0.81 * done.value.tolist()[0]
    summary = trading_summary(done)
    assert summary.impact == pytest.approx(0.5 * 0.02 * bought * math.sqrt(bought / 100), rel=1e-12)
    assert summary.impact == pytest.approx(1.0 - done.value.tolist()[0], rel=1e-9)
    assert (summary.spread, summary.fees, summary.turnover) == (0.0, 0.0, 0.0)
    assert summary.total == summary.impact


def test_a_cost_a_share_counts_as_spread() -> None:
    """10 cents a share at 20 is half a percent, beside half a percent of half-spread."""
    returns = fund_returns_of([[0.0], [0.0]])
    close = pd.DataFrame({"FUND0": [20.0, 20.0]}, index=returns.history.dates)
    priced = replace(returns, history=replace(returns.history, close=close))
    done = backtest(priced, targets_for(priced, [1.0]), NEVER, TradingCosts(50.0, per_share=0.1))
    summary = trading_summary(done)
    assert summary.spread == pytest.approx(1 - 1 / 1.01, abs=1e-15)
    assert (summary.fees, summary.impact) == (0.0, 0.0)


def test_the_purchase_is_in_the_costs_and_not_in_the_turnover() -> None:
    returns = fund_returns_of([[0.0], [0.3], [0.1]])
    summary = trading_summary(backtest(returns, targets_for(returns, [1.0]), DAILY, TradingCosts(100.0)))
    cost = 1 - 1 / 1.01
    assert summary == TradingSummary(pytest.approx(cost), 0.0, 0.0, pytest.approx(cost), 0.0, 0.0)  # type: ignore[arg-type]


def test_a_year_is_36525_hundredths_of_a_day_up_to_the_end() -> None:
    """Ruined on the third session, five days after the purchase; half was turned over on the second."""
    done = lived([1.0, 0.5, 0.0, 0.0])
    done.turnover.iloc[1] = 0.5
    summary = trading_summary(done)
    assert summary.turnover_a_year == pytest.approx(0.5 / ((WEEKDAYS[2] - WEEKDAYS[0]).days / 365.25))


@settings(max_examples=80)
@given(cases("bands", "tranches", "fees", "impact", "flows", "turns"), st.sampled_from([0.0, 5.0, 100.0]))
def test_the_kinds_add_up_to_the_cost_and_are_those_of_the_trades(case: Case, half_spread: float) -> None:
    """Recounted trade by trade, from the method's terms."""
    case = case.but(costs=replace(case.costs, half_spread_bps=half_spread))
    done = case.run()
    summary, plan = trading_summary(done), plan_of(case)
    scale = 1e-9 * max(1.0, float(done.value.max()))
    spread, fees, impact = 0.0, 0.0, 0.0
    for t, row in enumerate(array(done.trades).tolist()):
        before = done.value.tolist()[t] + done.cost.tolist()[t]
        for i, money in enumerate(row):
            size = abs(money)
            spread += plan.rates[i][t] * size
            impact += 0.0 if plan.impact is None else plan.impact[i][t] * size**1.5
            fees += plan.fee * (size > 1e-11 * before)
    assert summary.spread == pytest.approx(spread, abs=scale)
    assert summary.fees == pytest.approx(fees, abs=scale)
    assert summary.impact == pytest.approx(impact, abs=scale)
    assert summary.total == pytest.approx(math.fsum(done.cost), abs=scale)
    assert summary.purchase == done.cost.tolist()[0]
    assert summary.total >= summary.purchase - scale


@settings(max_examples=60)
@given(cases("bands", "tranches", "fees", "flows", "turns"))
def test_turnover_is_the_smaller_of_bought_and_sold(case: Case) -> None:
    """Cash is one more thing that is bought or sold: with what came in and was not spent."""
    done = case.run()
    whole = 0.0
    for t, row in enumerate(array(done.trades).tolist()):
        cash = done.flow.tolist()[t] - math.fsum(row)
        bought = math.fsum(max(money, 0.0) for money in [*row, cash])
        sold = math.fsum(max(-money, 0.0) for money in [*row, cash])
        alive = t > 0 and done.value.tolist()[t] > 0.0
        whole += min(bought, sold) / (done.value.tolist()[t] + done.cost.tolist()[t]) if alive else 0.0
    summary = trading_summary(done)
    assert summary.turnover == pytest.approx(whole, abs=1e-9 * max(1.0, whole))
    last = min(int((done.value > 0.0).sum()), len(done.value) - 1)
    years = (done.value.index[last] - done.value.index[0]).days / 365.25
    assert summary.turnover_a_year == pytest.approx(whole / years, rel=1e-9, abs=1e-9)


def test_what_a_flow_costs_is_in_it() -> None:
    """All in one fund at 1%; 0.5 comes in: 0.5/1.01 of it is placed."""
    returns = fund_returns_of([[0.0], [0.0], [0.0]])
    flows = CashFlows((CashFlow(amount=0.5, days=(WEEKDAYS[1].date(),)),))
    done = backtest(returns, targets_for(returns, [1.0]), NEVER, TradingCosts(100.0), flows=flows)
    summary = trading_summary(done)
    assert summary.spread == pytest.approx(1 - 1 / 1.01 + 0.5 - 0.5 / 1.01, abs=1e-15)
    # Nothing was sold for it.
    assert summary.turnover == pytest.approx(0.0, abs=1e-15)
    assert np.sign(done.trades["FUND0"]).tolist() == [1.0, 1.0, 0.0]
