"""What a trade costs: cases by hand, and every mistake by its name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.engine.building import WEEKDAYS, array, fund_returns_of, history_of, targets_for
from tests.engine.cases import Case

from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.costs import CashTerms, Liquidity, TradingCosts
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.errors import DataError, StudyError
from alphaoverlay.funds.fund_returns import FundReturns

STILL = fund_returns_of([[0.0, 0.0]] * 4)
DAILY = CalendarRule("daily")


def rates(costs: TradingCosts, returns: FundReturns = STILL) -> list[list[float]]:
    """Proportional rates in basis points, a list a session."""
    return [[round(float(x) * 1e4, 9) for x in row] for row in costs.compile(returns).rates]


def priced(close: list[list[float]], moves: list[list[float]] | None = None) -> FundReturns:
    """Funds with closing prices."""
    history = history_of(WEEKDAYS[: len(close)])
    frame = pd.DataFrame(close, index=history.dates, columns=["FUND0", "FUND1"])
    return fund_returns_of(moves or [[0.0, 0.0]] * len(close), replace(history, close=frame))


def known(volume: float, volatility: float, returns: FundReturns = STILL) -> Liquidity:
    """The same depth for both funds on every session."""
    dates = returns.history.dates
    columns = ["FUND0", "FUND1"]
    return Liquidity(pd.DataFrame(volume, dates, columns), pd.DataFrame(volatility, dates, columns))


def traded(moves: list[list[float]], weights: list[float], costs: TradingCosts) -> Backtest:
    """Rebalanced daily."""
    returns = fund_returns_of(moves)
    return backtest(returns, targets_for(returns, weights), DAILY, costs)


# --- half-spreads ---


def test_one_half_spread_for_all() -> None:
    assert rates(TradingCosts(2.5)) == [[2.5, 2.5]] * 4
    assert rates(TradingCosts()) == [[0.0, 0.0]] * 4
    assert rates(TradingCosts(1000.0)) == [[1000.0, 1000.0]] * 4


def test_a_half_spread_for_each_fund() -> None:
    assert rates(TradingCosts({"FUND1": 4, "FUND0": 1.5, "OTHER": 99.0})) == [[1.5, 4.0]] * 4


def dated(*figures: tuple[str, float]) -> pd.Series:
    """Figures by day."""
    return pd.Series([value for _, value in figures], index=pd.DatetimeIndex([day for day, _ in figures]))


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        # The first four sessions are Friday 1 January 2021, Monday, Tuesday and Wednesday.
        (dated(("2021-01-04", 3.0), ("2021-01-06", 5.0)), [3.0, 3.0, 3.0, 5.0]),  # the first also before
        (dated(("2020-06-01", 1.0), ("2020-12-31", 2.0), ("2021-01-05", 3.0)), [2.0, 2.0, 3.0, 3.0]),
        (dated(("2021-01-01", 1.0), ("2021-01-02", 2.0), ("2021-01-03", 3.0)), [1.0, 3.0, 3.0, 3.0]),  # a weekend
        (dated(("2021-01-02", 2.0), ("2021-01-03", 3.0)), [2.0, 3.0, 3.0, 3.0]),  # the first before, a weekend after
        (dated(("2021-03-01", 7.0), ("2021-04-01", 9.0)), [7.0] * 4),  # known later only
        (dated(("2020-03-01", 7.0)), [7.0] * 4),
    ],
)
def test_a_half_spread_holds_until_the_next_and_the_first_also_before(series: pd.Series, expected: list[float]) -> None:
    assert [row[0] for row in rates(TradingCosts({"FUND0": series, "FUND1": 1.0}))] == expected


def test_the_half_spread_of_the_day_is_paid() -> None:
    costs = TradingCosts({"FUND0": dated(("2021-01-01", 0.0), ("2021-01-04", 100.0)), "FUND1": 0.0})
    done = traded([[0.0, 0.0], [0.5, 0.0]], [0.5, 0.5], costs)
    # 0.75 and 0.5: V' + 1% of (0.75 - V'/2) = 1.25.
    assert done.cost.tolist() == pytest.approx([0.0, 1.25 - (1.25 - 0.0075) / 0.995])


def test_whether_trading_is_free() -> None:
    assert TradingCosts().free
    assert TradingCosts({"A": 0.0, "B": dated(("2021-01-01", 0.0))}, minimum_trade=100.0, capital=1e4).free
    assert not TradingCosts({"A": 0.0, "B": dated(("2021-01-01", 0.0), ("2021-02-01", 1.0))}).free
    for name in ("per_trade", "per_share", "impact"):
        assert not TradingCosts(**{name: 1.0}).free  # type: ignore[arg-type]
    assert not TradingCosts(0.5).free


# --- shares, fees, minimum ---


def test_a_cost_a_share_is_a_rate_over_the_close() -> None:
    # Half a cent a share at 50 is a basis point.
    returns = priced([[50.0, 25.0], [100.0, 10.0]])
    assert rates(TradingCosts(3.0, per_share=0.005), returns) == [[4.0, 5.0], [3.5, 8.0]]
    # A capital of any size buys as many shares for its money: 10000 in shares of 50, half a cent each, is 1.
    done = backtest(returns, targets_for(returns, [1.0, 0.0]), DAILY, TradingCosts(per_share=0.005))
    assert done.cost.iloc[0] == pytest.approx(1 - 1 / 1.0001)


def test_a_fee_is_paid_by_each_fund_that_trades() -> None:
    costs = TradingCosts(per_trade=100.0, capital=10_000.0)
    done = traded([[0.0, 0.0], [0.2, 0.0], [0.0, 0.0]], [0.5, 0.5], costs)
    # Two fees of 1%: 0.49 each. Then 0.588 and 0.49 of 1.078: both trade, 1.058. Then nothing does.
    assert done.value.tolist() == pytest.approx([0.98, 1.058, 1.058])
    assert done.cost.tolist() == pytest.approx([0.02, 0.02, 0.0])
    assert array(done.trades)[1].tolist() == pytest.approx([-0.059, 0.039])
    assert list(done.rebalances) == [WEEKDAYS[1]]


def test_nobody_trades_for_less_than_the_fee() -> None:
    costs = TradingCosts(per_trade=100.0, capital=10_000.0)
    done = traded([[0.0, 0.0], [0.02, 0.0]], [0.5, 0.5], costs)
    assert done.cost.tolist() == pytest.approx([0.02, 0.0])  # 0.0049 is off, and trading it would cost 0.01


@pytest.mark.parametrize(("minimum", "moved"), [(499.0, True), (501.0, False)])
def test_a_trade_below_the_minimum_is_left_undone(minimum: float, moved: bool) -> None:
    # 0.6 and 0.5 of 1.1: off by 0.05, which is 500 of 10000.
    done = traded([[0.0, 0.0], [0.2, 0.0]], [0.5, 0.5], TradingCosts(minimum_trade=minimum, capital=10_000.0))
    assert array(done.weights)[1].tolist() == pytest.approx([0.5, 0.5] if moved else [0.6 / 1.1, 0.5 / 1.1])
    assert (WEEKDAYS[1] in done.rebalances) == moved
    assert WEEKDAYS[1] in done.traded  # an order it is all the same


def test_a_trade_of_just_the_minimum_is_made() -> None:
    done = traded([[0.0, 0.0]] * 2, [0.125, 0.875], TradingCosts(minimum_trade=1250.0, capital=10_000.0))
    assert array(done.weights)[0].tolist() == [0.125, 0.875]


def test_a_purchase_below_the_minimum_stays_in_cash() -> None:
    done = traded([[0.0, 0.0]] * 2, [0.9, 0.05], TradingCosts(minimum_trade=1000.0, capital=10_000.0))
    assert array(done.weights)[0].tolist() == pytest.approx([0.9, 0.0])
    assert done.cash.iloc[0] == pytest.approx(0.1)


# 0.4, 0.36 and 0.24 of 1 under targets of 0.5, 0.3 and 0.2, or with impact a little less.
SHORT = fund_returns_of([[0.0] * 3, [-0.2, 0.2, 0.2]])


def rebalanced(
    returns: FundReturns, weights: list[float], costs: TradingCosts, cash: CashTerms | None = None
) -> Backtest:
    """Rebalanced daily."""
    return Case(returns, targets_for(returns, weights), RebalancingRule(DAILY), costs, cash=cash or CashTerms()).run()


def test_purchases_shrink_where_sales_below_the_minimum_do_not_pay_for_them() -> None:
    done = rebalanced(SHORT, [0.5, 0.3, 0.2], TradingCosts(minimum_trade=500.0, capital=10_000.0))
    # Sell 0.06 and 0.04, buy 0.1; the 0.04 is not sold, so 0.06 is bought.
    assert array(done.weights)[1].tolist() == pytest.approx([0.46, 0.3, 0.24])
    assert done.cash.iloc[1] == pytest.approx(0.0, abs=1e-15)


def test_purchases_shrink_no_further_than_they_must_with_impact() -> None:
    dates, columns = SHORT.history.dates, ["FUND0", "FUND1", "FUND2"]
    deep = Liquidity(pd.DataFrame(1e5, dates, columns), pd.DataFrame(0.02, dates, columns))
    costs = TradingCosts(minimum_trade=500.0, impact=1.0, capital=10_000.0, liquidity=deep)
    done = rebalanced(SHORT, [0.5, 0.3, 0.2], costs)
    assert array(done.trades)[1, 2] == 0.0
    assert array(done.trades)[1, 0] > 0.0
    assert done.cash.iloc[1] == pytest.approx(0.0, abs=1e-12)


def test_purchases_shrink_no_further_than_they_must_with_borrowing() -> None:
    costs = TradingCosts(300.0, minimum_trade=750.0, capital=10_000.0)
    done = rebalanced(SHORT, [0.75, 0.45, 0.3], costs, CashTerms(borrowing_spread=0.0))
    assert array(done.trades)[1, 2] == 0.0
    assert array(done.trades)[1, 0] > 0.0
    assert done.cash.iloc[1] == pytest.approx(-0.5, abs=1e-12)


def test_where_nothing_is_sold_nothing_is_bought_and_no_fee_paid() -> None:
    # A quarter each, less four fees; then two are over by 0.0192 each and one is under by 0.0384, without cash.
    returns = fund_returns_of([[0.0] * 4, [0.08, 0.08, -0.16, 0.0]])
    costs = TradingCosts(per_trade=100.0, minimum_trade=300.0, capital=10_000.0)
    done = rebalanced(returns, [0.25] * 4, costs)
    assert done.value.tolist() == pytest.approx([0.96, 0.96])
    assert done.cost.tolist() == pytest.approx([0.04, 0.0])
    assert done.cash.iloc[1] >= 0.0


def test_trading_that_costs_all_there_is_is_ruin() -> None:
    # 2 on a debt of 1, of 1/1.04; the fund falls to 1.014 on 1: selling half of it costs more than the 0.0135 left.
    returns = fund_returns_of([[0.0], [-0.493], [0.0]])
    done = rebalanced(returns, [2.0], TradingCosts(200.0), CashTerms(borrowing_spread=0.0))
    assert (done.value >= 0.0).all()
    assert done.ruin == WEEKDAYS[1]


# --- impact ---


def test_impact_by_hand() -> None:
    # 10000 into 40000 a day at a volatility of 2%: 0.02 * 10000 * sqrt(1/4) = 100 for a trade of it all.
    costs = TradingCosts(impact=1.0, capital=10_000.0, liquidity=known(40_000.0, 0.02))
    factor = costs.compile(STILL).impact
    assert factor == pytest.approx(0.01)
    done = traded([[0.0, 0.0]] * 2, [1.0, 0.0], costs)
    spent = done.value.iloc[0]
    assert spent + 0.01 * spent**1.5 == pytest.approx(1.0, abs=1e-15)
    twice = replace(costs, impact=2.0)
    assert twice.compile(STILL).impact == pytest.approx(0.02)
    dearer = traded([[0.0, 0.0]] * 2, [0.5, 0.5], replace(costs, half_spread_bps=50.0))
    half = dearer.value.iloc[0] / 2
    assert 2 * (half + 0.005 * half + 0.01 * half**1.5) == pytest.approx(1.0, abs=1e-15)


# --- mistakes ---


@pytest.mark.parametrize("bps", [-0.1, 1000.1, math.nan, math.inf])
def test_a_half_spread_outside_its_range_is_refused(bps: float) -> None:
    later = dated(("2021-01-04", bps))
    every: list[float | Mapping[str, float | pd.Series]] = [
        bps,
        {"FUND0": 1.0, "FUND1": bps},
        {"FUND0": later, "FUND1": 1.0},
    ]
    for given in every:
        with pytest.raises(StudyError, match=r"costs\.half_spread_bps of FUND[01]: write basis points from 0 to 1000"):
            TradingCosts(given).compile(STILL)


def test_a_fund_without_a_half_spread_is_named() -> None:
    with pytest.raises(StudyError, match=r"half_spread_bps: none for FUND1; name it, or give one figure for all"):
        TradingCosts({"FUND0": 1.0}).compile(STILL)


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
@pytest.mark.parametrize("name", ["per_trade", "per_share", "minimum_trade", "impact"])
def test_an_amount_that_makes_no_sense_is_refused(name: str, value: float) -> None:
    with pytest.raises(StudyError, match=rf"costs\.{name} = {value}: write a finite amount, 0 or more"):
        TradingCosts(**{name: value}, capital=1e4).compile(STILL)  # type: ignore[arg-type]


@pytest.mark.parametrize("capital", [0.0, -1.0, math.inf, math.nan])
def test_a_capital_that_makes_no_sense_is_refused(capital: float) -> None:
    with pytest.raises(StudyError, match=r"capital = .*: write a finite amount above 0"):
        TradingCosts(capital=capital).compile(STILL)


@pytest.mark.parametrize("name", ["per_trade", "minimum_trade", "impact"])
def test_money_needs_a_capital(name: str) -> None:
    with pytest.raises(StudyError, match=rf"costs\.{name} is in money: say how much is invested, such as capital = "):
        TradingCosts(**{name: 1.0}).compile(STILL)  # type: ignore[arg-type]


def test_a_cost_a_share_needs_every_close() -> None:
    costs = TradingCosts(per_share=0.01)
    with pytest.raises(DataError, match=r"closing prices, and that of FUND0 on 2021-01-01 is unknown; leave it out"):
        costs.compile(STILL)
    gap = priced([[50.0, 25.0], [50.0, math.nan], [50.0, 25.0], [50.0, 25.0]])
    with pytest.raises(
        DataError, match=r"FUND1 on 2021-01-04 is unknown; start on 2021-01-05 or later, or leave it out"
    ):
        costs.compile(gap)
    end = priced([[50.0, 25.0], [50.0, 25.0], [50.0, math.nan]])
    with pytest.raises(DataError, match=r"FUND1 on 2021-01-05 is unknown; leave it out"):
        costs.compile(end)


def test_a_cost_a_share_needs_closes_of_the_fund_itself() -> None:
    returns = priced([[50.0, 25.0]] * 4)
    synthetic = returns.synthetic.copy()
    synthetic.iloc[:3, 0] = True
    # The first close is that of the fund, whatever its return before was built from.
    synthetic.iloc[0, 1] = True
    with pytest.raises(DataError, match=r"that of FUND0 on 2021-01-04 is unknown; start on 2021-01-06 or later"):
        TradingCosts(per_share=0.01).compile(replace(returns, synthetic=synthetic))
    synthetic.iloc[1:, 0] = False
    assert TradingCosts(per_share=0.01).compile(replace(returns, synthetic=synthetic)).rates[0, 0] == 0.01 / 50.0


def test_impact_needs_volumes() -> None:
    costs = TradingCosts(impact=1.0, capital=1e4)
    message = r"costs\.impact needs trading volumes, and that of FUND0 on 2021-01-01 is unknown; leave impact out"
    with pytest.raises(DataError, match=message):
        costs.compile(STILL)
    for hole in (math.nan, 0.0):
        depth = known(1e6, 0.02)
        depth.dollar_volume.iloc[1, 1] = hole
        message = r"that of FUND1 on 2021-01-04 is unknown; start on 2021-01-05 or later, or leave impact out"
        with pytest.raises(DataError, match=message):
            replace(costs, liquidity=depth).compile(STILL)
    depth = known(1e6, 0.02)
    depth.volatility.iloc[0, 0] = np.nan
    with pytest.raises(DataError, match="FUND0 on 2021-01-01"):
        replace(costs, liquidity=depth).compile(STILL)
