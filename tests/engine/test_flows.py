"""Cash flows: cases by hand, and every mistake by its name."""

from __future__ import annotations

import math
from datetime import date
from typing import cast

import numpy as np
import pandas as pd
import pytest
from tests.engine.building import WEEKDAYS, array, fund_returns_of, targets_for

from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.bands import Band
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.flows import PLACINGS, CashFlow, CashFlows, Placing
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import StudyError

# 0.5, 0.3 and 0.2 in cash become 0.7, 0.3 and 0.2, in all 1.2.
GREW = [[0.0, 0.0], [0.4, 0.0], [0.0, 0.0]]
WEIGHTS = [0.5, 0.3]
NEVER = CalendarRule("never")


def on(session: int, amount: float = 0.0, share: float = 0.0) -> CashFlow:
    """A flow on a session."""
    return CashFlow(amount, share, days=(WEEKDAYS[session].date(),))


def with_flows(
    *flows: CashFlow,
    placing: Placing = "underweight",
    rule: RebalancingRule | CalendarRule = NEVER,
    costs: TradingCosts | None = None,
    moves: list[list[float]] | None = None,
    weights: list[float] | None = None,
) -> Backtest:
    """What becomes of them."""
    returns = fund_returns_of(moves or GREW)
    return backtest(returns, targets_for(returns, weights or WEIGHTS), rule, costs, flows=CashFlows(flows, placing))


def holdings(done: Backtest, session: int) -> list[float]:
    """Money in each fund, and in cash."""
    row = [*array(done.weights)[session], done.cash.iloc[session]]
    return [float(w * done.value.iloc[session]) for w in row]


# After the first session, which is free, a tenth of each trade.
COSTLY = TradingCosts({symbol: pd.Series([0.0, 1000.0], index=WEEKDAYS[:2]) for symbol in ("FUND0", "FUND1")})
MINIMUM = TradingCosts(COSTLY.half_spread_bps, minimum_trade=600.0, capital=10_000.0)


def test_a_contribution_goes_where_it_is_short() -> None:
    # 0.3 more make 1.5: short of 0.05, 0.15 and 0.1. G*(1 + 0.1*2/3) = 0.3, G = 0.28125.
    done = with_flows(on(1, 0.18), on(1, share=0.1), costs=COSTLY)
    assert holdings(done, 1) == pytest.approx([0.746875, 0.440625, 0.29375])
    assert done.flow.tolist() == pytest.approx([0.0, 0.3, 0.0])
    assert done.cost.iloc[1] == pytest.approx(0.01875)
    assert done.turnover.iloc[1] == pytest.approx(0.0, abs=1e-15)
    assert list(done.traded) == [WEEKDAYS[0]]
    assert done.returns.iloc[0] == pytest.approx((1.5 - 0.01875 - 0.3) - 1)


def test_a_purchase_below_the_minimum_before_costs_stays_in_cash() -> None:
    done = with_flows(on(1, 0.3), costs=MINIMUM)
    # 0.05 is below 0.06: its part stays in cash, and so does cash's; G*(1 + 0.1/2) = 0.3.
    assert holdings(done, 1) == pytest.approx([0.7, 0.3 + 0.15 / 1.05, 0.2 + 0.15 / 1.05])
    # 3/5 of 0.105 are 0.063 before costs, and 0.063/1.06 < 0.06 after them: it is bought.
    done = with_flows(on(1, 0.105), costs=MINIMUM)
    assert holdings(done, 1) == pytest.approx([0.7, 0.3 + 0.063 / 1.06, 0.2 + 0.042 / 1.06])


def test_fees_above_a_contribution_leave_it_in_cash() -> None:
    costs = TradingCosts(per_trade=100.0, capital=10_000.0)
    moves = [[0.0, 0.0]] * 3
    # Bought for two fees: 0.98. Two fees of 0.01 again, of 0.05: 0.03 is placed in halves.
    done = with_flows(on(1, 0.05), costs=costs, moves=moves, weights=[0.5, 0.5])
    assert holdings(done, 1) == pytest.approx([0.505, 0.505, 0.0])
    # Two parts of 0.0095 are below the fee.
    done = with_flows(on(1, 0.019), costs=costs, moves=moves, weights=[0.5, 0.5])
    assert holdings(done, 1) == pytest.approx([0.49, 0.49, 0.019])
    # Parts of just the fee at a tenth on top of it: they leave nothing to trade with.
    dear = TradingCosts(COSTLY.half_spread_bps, per_trade=100.0, capital=10_000.0)
    done = with_flows(on(1, 0.02), costs=dear, moves=moves, weights=[0.5, 0.5])
    assert holdings(done, 1) == pytest.approx([0.49, 0.49, 0.02])
    assert done.cost.iloc[1] == 0.0


def test_a_withdrawal_comes_from_where_there_is_too_much_whatever_the_minimum() -> None:
    # 1.0 is left, and only the first fund is over: by 0.2. 0.9*G = 0.2.
    for costs in (COSTLY, TradingCosts(COSTLY.half_spread_bps, minimum_trade=2500.0, capital=10_000.0)):
        done = with_flows(on(1, -0.2), costs=costs)
        assert holdings(done, 1) == pytest.approx([0.7 - 0.2 / 0.9, 0.3, 0.2])
        assert done.turnover.iloc[1] == pytest.approx(0.02 / 0.9)  # what cash gained, for the costs
    # And a rebalance on that day has none either.
    done = with_flows(on(1, -0.1), rule=CalendarRule("daily"), costs=TradingCosts(minimum_trade=2500.0, capital=1e4))
    assert holdings(done, 1) == pytest.approx([0.55, 0.33, 0.22])


def test_where_a_fund_has_less_than_it_is_to_give_the_portfolio_is_traded_to_its_targets() -> None:
    # The first target is 0 from the second session on, but what is 0.04 by then is below the minimum and stays. The
    # others are then where they should be, so the flow comes from it alone, which cannot give 0.039/0.9.
    costs = TradingCosts(COSTLY.half_spread_bps, minimum_trade=500.0, capital=10_000.0)
    moves = [[0.0, 0.0], [-1 / 3, 0.0], [0.0, 0.0], [0.0, 0.0]]
    returns = fund_returns_of(moves)
    plan = pd.DataFrame([[0.06, 0.47]] + [[0.0, 0.5]] * 3, returns.history.dates, ["FUND0", "FUND1"])
    done = backtest(returns, Targets.by_session(plan), NEVER, costs, flows=CashFlows((on(2, -0.039),)))
    assert holdings(done, 1) == pytest.approx([0.04, 0.47, 0.47])
    # V' + 0.1*(0.04 + 0.47 - 0.5*V') = 0.941: both are sold.
    after = (0.941 - 0.004 - 0.047) / 0.95
    assert holdings(done, 2) == pytest.approx([0.0, after / 2, after / 2])
    assert list(done.traded) == list(WEEKDAYS[:2])  # and that is no rebalance


def test_cash_gives_no_more_than_there_is_of_it() -> None:
    # 0.099 in the fund and 0.01 in cash, less the purchase; after 0.095 both give down to their targets and the costs
    # on top, which the 1% target of cash does not hold.
    done = with_flows(on(1, -0.095), costs=TradingCosts(200.0), moves=[[0.0], [-0.9]], weights=[0.99])
    assert done.cash.iloc[1] >= -1e-12
    assert holdings(done, 1)[0] / done.value.iloc[1] == pytest.approx(0.99)


def test_in_proportion() -> None:
    assert holdings(with_flows(on(1, share=-0.5), placing="current"), 1) == pytest.approx([0.35, 0.15, 0.1])
    # G*(1 + 0.1*1.0/1.2) = 0.26, G = 0.24: a fifth of everything.
    done = with_flows(on(1, 0.26), placing="current", costs=COSTLY)
    assert holdings(done, 1) == pytest.approx([0.84, 0.36, 0.24])


@pytest.mark.parametrize("placing", PLACINGS)
def test_one_trade_with_a_rebalance(placing: Placing) -> None:
    # V' + 0.1*(0.7 - 0.5*V' ...) with 1.5: V' + 0.1*(0.5*V' - 0.7 + 0.3*V' - 0.3) = 1.5, V' = 1.6/1.08.
    rule = NEVER if placing == "rebalance" else CalendarRule("daily")
    done = with_flows(on(1, 0.3), placing=placing, rule=rule, costs=COSTLY)
    assert holdings(done, 1) == pytest.approx([0.8 / 1.08, 0.48 / 1.08, 0.32 / 1.08])
    assert WEEKDAYS[1] in done.traded


def test_a_flow_that_rebalances_counts_and_bands_are_not_looked_at() -> None:
    band = RebalancingRule(NEVER, (Band.of("weight", 0.05),), minimum_interval=2)
    moves = [[0.0, 0.0], [0.4, 0.0], [0.4, 0.0], [0.0, 0.0], [0.0, 0.0]]
    done = with_flows(on(1, 0.3), placing="rebalance", rule=band, moves=moves)
    # Broken on the third session, one after the flow; it waits for the fourth.
    assert list(done.traded) == [WEEKDAYS[0], WEEKDAYS[1], WEEKDAYS[3]]
    assert done.broken.tolist() == [False, False, True, True, False]
    # Placing is no rebalance otherwise: the interval has run since the purchase.
    done = with_flows(on(1, 0.01), placing="current", rule=band, moves=moves)
    assert list(done.traded) == [WEEKDAYS[0], WEEKDAYS[2]]
    # An order that waits is dropped by it.
    late = RebalancingRule(NEVER, (Band.of("weight", 0.05),), lag=2)
    done = with_flows(on(2, 0.3), placing="rebalance", rule=late, moves=[[0.0, 0.0], [0.4, 0.0], *[[0.0, 0.0]] * 4])
    assert list(done.traded) == [WEEKDAYS[0], WEEKDAYS[2]]


def test_bands_look_at_the_weights_after_the_flow() -> None:
    # 0.7 of 1.2 is 0.583; 0.5 more restores the targets without a trade of the rule's.
    rule = RebalancingRule(NEVER, (Band.of("weight", 0.05),))
    assert with_flows(rule=rule).broken.tolist() == [False, True, False]
    done = with_flows(on(1, 0.5), rule=rule)
    assert not done.broken.any()
    assert holdings(done, 1) == pytest.approx([0.85, 0.51, 0.34])


def test_tranches_share_a_flow_by_value_and_a_day_is_one_trade() -> None:
    # January 2021 has 21 weekdays: tranche 0 trades on the last, tranche 1 ten sessions before. The fund doubles on
    # the sixth, so that each half has 0.5 + 0.25 then.
    moves = [[1.0 if t == 5 else 0.0] for t in range(21)]
    rule = RebalancingRule(CalendarRule("monthly"), tranches=2)
    rates = {"FUND0": pd.Series([0.0, 1000.0], index=WEEKDAYS[:2])}
    done = with_flows(on(10, 0.3), placing="current", rule=rule, costs=TradingCosts(rates), moves=moves, weights=[0.5])
    # 0.15 each. Tranche 1 goes from 0.5 to half of 0.9, tranche 0 from 0.5 to 0.6: net 0.05 of 1.8 before costs. The
    # weights are 1/2 and 2/3, of V'/2 each: V' + 0.1*(V'*7/12 - 1) = 1.8.
    after = 1.9 / (1 + 0.7 / 12)
    assert holdings(done, 10) == pytest.approx([after * 7 / 12, after * 5 / 12])
    assert done.cost.iloc[10] == pytest.approx(1.8 - after)


@pytest.mark.parametrize("amount", [-5.0, -1.2, -1.15])
@pytest.mark.parametrize("placing", PLACINGS)
def test_a_withdrawal_of_all_there_is_exhausts(amount: float, placing: Placing) -> None:
    done = with_flows(on(1, amount), placing=placing, costs=COSTLY)
    assert (done.exhausted, done.ruin, done.end) == (WEEKDAYS[1], None, WEEKDAYS[1])
    assert done.value.tolist() == [1.0, 0.0, 0.0]
    assert done.flow.tolist() == pytest.approx([0.0, -1.1, 0.0])  # 1.0 is in funds: selling it costs 0.1
    assert array(done.trades)[1].tolist() == pytest.approx([-0.7, -0.3])
    assert done.returns.tolist() == pytest.approx([0.1])
    assert done.final_value == pytest.approx(1.1)
    assert done.growth.tolist() == pytest.approx([1.0, 1.1, math.nan], nan_ok=True)


def test_a_little_less_does_not() -> None:
    done = with_flows(on(1, -1.05), costs=COSTLY)
    assert done.end is None
    assert done.value.iloc[1] > 0.0


def test_fees_above_what_is_left_take_it_all_and_nothing_is_paid_out() -> None:
    # 0.7 after the purchase falls to 0.28, and selling costs 0.3.
    costs = TradingCosts(per_trade=30.0, capital=100.0)
    done = with_flows(on(1, -0.1), costs=costs, moves=[[0.0], [-0.6], [0.0]], weights=[1.0])
    assert done.exhausted == WEEKDAYS[1]
    assert done.flow.tolist() == pytest.approx([0.0, 0.0, 0.0])
    assert done.cost.iloc[1] == pytest.approx(0.28)


def test_nothing_is_left_after_a_flow_when_every_fund_goes_to_zero() -> None:
    """What placing a flow leaves of cash by rounding is nothing to live on."""
    moves = [[0.0] * 4, [0.1, 0.0, 0.0, -0.1], [-1.0] * 4, [0.0] * 4]
    done = with_flows(on(1, 0.1), moves=moves, weights=[0.7, 0.1, 0.1, 0.1])
    assert done.ruin == WEEKDAYS[2]
    assert done.value.tolist()[2:] == [0.0, 0.0]


@pytest.mark.parametrize("placing", PLACINGS)
def test_a_tranche_that_has_nothing_takes_no_flow(placing: Placing) -> None:
    """Tranche 1 sold its lost fund's share for cash on the 11th session; tranche 0 had the other fund alone."""
    moves = np.zeros((25, 2))
    moves[3, 0] = moves[15, 1] = -1.0
    rule = RebalancingRule(CalendarRule("monthly"), tranches=2)
    done = with_flows(on(17, 0.1), placing=placing, rule=rule, moves=moves.tolist(), weights=[0.5, 0.5])
    assert done.value.tolist() == pytest.approx([1.0] * 3 + [0.5] * 12 + [0.125] * 2 + [0.225] * 8)


# --- when ---


def amounts(*flows: CashFlow, sessions: int = 25) -> list[float]:
    """The amount of each session."""
    returns = fund_returns_of([[0.0]] * sessions)
    return [float(amount) for amount in CashFlows(flows).compile(returns.history).amount]


def test_days_and_calendars() -> None:
    def nonzero(*flows: CashFlow) -> dict[str, float]:
        found = amounts(*flows)
        return {WEEKDAYS[t].strftime("%m-%d"): round(x, 12) for t, x in enumerate(found) if x}

    # 2 January 2021 was a Saturday.
    assert nonzero(CashFlow(0.1, days=(date(2021, 1, 2), date(2021, 1, 12)))) == {"01-04": 0.1, "01-12": 0.1}
    assert nonzero(CashFlow(0.1, calendar=CalendarRule("monthly"))) == {"01-29": 0.1}
    weekly = {"01-08": 0.1, "01-15": 0.1, "01-22": 0.1, "01-29": 0.1}
    assert nonzero(CashFlow(0.1, calendar=CalendarRule("weekly"))) == weekly  # not on the purchase, a Friday
    assert nonzero(CashFlow(0.1, days=(date(2020, 12, 30), date(2021, 1, 1), date(2021, 12, 1)))) == {}
    several = (CashFlow(0.1, calendar=CalendarRule("monthly")), CashFlow(-0.03, days=(date(2021, 1, 29),)))
    assert nonzero(*several) == {"01-29": 0.07}


def test_two_days_of_a_weekend_are_two_flows_on_monday() -> None:
    assert amounts(CashFlow(0.1, days=(date(2021, 1, 2), date(2021, 1, 3))))[1] == pytest.approx(0.2)


# --- mistakes ---


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        (CashFlow(days=(date(2021, 1, 5),)), "either an amount or a share, other than 0"),
        (CashFlow(0.1, 0.1, days=(date(2021, 1, 5),)), "either an amount or a share, other than 0"),
        (CashFlow(math.nan, days=(date(2021, 1, 5),)), "amount must be finite"),
        (CashFlow(math.inf, days=(date(2021, 1, 5),)), "amount must be finite"),
        (CashFlow(share=-1.01, days=(date(2021, 1, 5),)), r"share from -1 \(everything\) to 10"),
        (CashFlow(share=10.01, days=(date(2021, 1, 5),)), r"share from -1 \(everything\) to 10"),
        (CashFlow(share=math.nan, days=(date(2021, 1, 5),)), "must be finite, and its share from -1"),
        (CashFlow(0.1), "either on a calendar or on days; name one of them"),
        (CashFlow(0.1, calendar=NEVER, days=(date(2021, 1, 5),)), "either on a calendar or on days"),
    ],
)
def test_a_flow_that_makes_no_sense_is_refused(flow: CashFlow, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        with_flows(flow)


def test_other_mistakes_are_named() -> None:
    with pytest.raises(
        StudyError, match="withdrawals of one session add up to more than all there is; lower their shares"
    ):
        with_flows(on(1, share=-0.6), on(1, share=-0.6))
    with pytest.raises(StudyError, match=r"rebalance\.flows = 'spread': write one of underweight, current, rebalance"):
        with_flows(on(1, 0.1), placing=cast(Placing, "spread"))


def test_what_was_withdrawn_is_no_loss() -> None:
    done = with_flows(on(2, share=-1.0))
    day = done.exhausted
    assert day is not None
    assert done.ruin is None
    assert done.growth.loc[:day].notna().all()
    assert done.growth.loc[day:].iloc[1:].isna().all()
    assert done.final_value == done.growth.loc[day]
