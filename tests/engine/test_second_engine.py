"""The second implementation of the loop and the bands, against cases worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
from tests.second_engine import Band, Flow, Outcome, Plan, own_lambda, run_plan
from tests.second_opinion import pay

CLOSE = 1e-12


def plan(returns: list[list[float]], weights: list[float], trade_on: tuple[int, ...] = (), **other: Any) -> Plan:
    """A plan without interest or costs; `rate` is one cost rate from session 1 on, the purchase being free."""
    sessions = range(len(returns[0]))
    rate = other.pop("rate", 0.0)
    settings: dict[str, Any] = {
        "lend": [0.0 for _ in sessions],
        "borrow": [0.0 for _ in sessions],
        "targets": [weights for _ in sessions],
        "calendar": [[session in trade_on for session in sessions]],
        "rates": [[rate if session else 0.0 for session in sessions] for _ in returns],
        "watched": [True for _ in sessions],
    }
    return Plan(returns=returns, **{**settings, **other})


def stands(result: Outcome, session: int, holdings: list[float], cash: float) -> None:
    """The holdings and the cash after a session, and that they add up."""
    assert result["holdings"][session] == pytest.approx(holdings, abs=CLOSE)
    assert result["cash"][session] == pytest.approx(cash, abs=CLOSE)
    assert result["value"][session] == pytest.approx(sum(holdings) + cash, abs=CLOSE)


def test_the_purchase_pays_and_cash_earns() -> None:
    # V' + 0.01*0.6*V' = 1. Then the fund gains 10% and cash 0.1%.
    result = run_plan(plan([[0.0, 0.1]], [0.6], rates=[[0.01, 0.01]], lend=[0.0, 0.001], borrow=[0.0, 9.0]))
    stands(result, 0, [0.6 / 1.006], 0.4 / 1.006)
    stands(result, 1, [0.66 / 1.006], 0.4004 / 1.006)
    assert result["cost"] == pytest.approx([0.006 / 1.006, 0], abs=CLOSE)
    assert result["turnover"] == [1.0, 0.0]
    assert result["rebalanced"] == [True, False]


def test_borrowed_cash_pays_and_the_trade_renews_it() -> None:
    # 1.5 of the fund on -0.5 of cash; 2% on the debt leaves 1.5 - 0.51 = 0.99, of which 1.485 and -0.495.
    result = run_plan(plan([[0.0, 0.0]], [1.5], (1,), borrow=[0.0, 0.02]))
    stands(result, 1, [1.485], -0.495)


def test_ruin_ends_the_path() -> None:
    # 2*0.4 - 1 < 0
    result = run_plan(plan([[0.0, -0.6, 0.5]], [2.0], flows=[Flow(2, amount=1.0)]))
    assert result["ended"] == (1, "ruined")
    assert result["value"] == pytest.approx([1, 0, 0])
    assert result["flow"] == [0.0, 0.0, 0.0]


def test_a_lost_fund_is_not_bought_again() -> None:
    # 0.5 is left: 0.25 of the other fund, and what the lost one would have held in cash.
    result = run_plan(plan([[0.0, -1.0, 0.3], [0.0, 0.0, 0.0]], [0.5, 0.5], (1, 2)))
    stands(result, 1, [0.0, 0.25], 0.25)
    stands(result, 2, [0.0, 0.25], 0.25)


def test_costs_agree_with_the_first_second_opinion() -> None:
    result = run_plan(plan([[0.0, 0.4], [0.0, -0.2]], [0.5, 0.3], (1,), rate=0.02))
    assert result["value"][1] == pytest.approx(pay(1.14, [0.7, 0.24], [0.5, 0.3], [0.02, 0.02]), abs=CLOSE)


def test_impact() -> None:
    # V' + k*V'^1.5 = 1 at 0.81: 0.81 + k*0.729
    result = run_plan(plan([[0.0]], [1.0], impact=[[0.19 / 0.729]]))
    stands(result, 0, [0.81], 0.0)


def test_fees_are_paid_by_each_fund_that_trades() -> None:
    # Purchase: two fees of 0.01. Then 0.49 becomes 0.588 in one fund, V = 1.078; both trade: V' = 1.058.
    result = run_plan(plan([[0.0, 0.2], [0.0, 0.0]], [0.5, 0.5], (1,), fee=0.01))
    stands(result, 0, [0.49, 0.49], 0.0)
    stands(result, 1, [0.529, 0.529], 0.0)
    assert result["trades"][1] == pytest.approx([-0.059, 0.039], abs=CLOSE)


def test_a_purchase_below_the_minimum_stays_in_cash() -> None:
    stands(run_plan(plan([[0.0], [0.0]], [0.9, 0.05], smallest=0.1)), 0, [0.9, 0.0], 0.1)


def test_purchases_shrink_where_sales_below_the_minimum_do_not_pay_them() -> None:
    # 0.4, 0.36, 0.24 of 1: sell 0.06 and 0.04, buy 0.1. The 0.04 is not sold: 0.06 buys 0.06, the factor is 0.6.
    returns = [[0.0, -0.2], [0.0, 0.2], [0.0, 0.2]]
    result = run_plan(plan(returns, [0.5, 0.3, 0.2], (1,), smallest=0.05))
    stands(result, 1, [0.46, 0.3, 0.24], 0.0)


def test_no_value_agrees() -> None:
    # Bought, the fee leaves 0.9 and a trade below 0.95; not bought, the trade would be 1. Below the jump at 0.95
    # nothing trades, and nothing can be paid up to V' = 1.
    stands(run_plan(plan([[0.0]], [1.0], fee=0.1, smallest=0.95)), 0, [0.0], 1.0)
    # Two funds at 0.5 with a fee of 0.04 each and a minimum of 0.47: both trade from V' = 0.94 on and leave 0.92; one
    # leaves 0.96, where both would trade. Below the jump nothing trades.
    stands(run_plan(plan([[0.0], [0.0]], [0.5, 0.5], fee=0.04, smallest=0.47)), 0, [0.0, 0.0], 1.0)
    # At weights of 0.6 and 0.4 the first trades from V' = 0.5 on, the second from 0.75 on. Both pay 0.3 and leave
    # 0.7, where the second would not trade; the first alone leaves 0.85, where it would. The jump is at 0.75.
    stands(run_plan(plan([[0.0], [0.0]], [0.6, 0.4], fee=0.15, smallest=0.3)), 0, [0.51, 0.0], 0.34)


def test_tranches_net_their_trades_and_share_the_costs() -> None:
    # 0.25 + 0.25 each. The fund doubles; tranche 0 goes back to 0.375 + 0.375 without costs. It falls by a third:
    # 0.25 + 0.375 = 0.625 and 1/3 + 0.25 = 7/12, together 29/24. Both trade at a rate of 0.1; net, they buy:
    # V' + 0.1*(V'/2 - 7/12) = 29/24, V' = (29/24 + 7/120)/1.05 = 152/126.
    calendar = [[False, True, True], [False, False, True]]
    rates = [[0.0, 0.0, 0.1]]
    result = run_plan(plan([[0.0, 1.0, -1 / 3]], [0.5], calendar=calendar, rates=rates))
    after = 152 / 126
    stands(result, 2, [after / 2], after / 2)
    assert result["cost"][2] == pytest.approx(29 / 24 - after, abs=CLOSE)
    assert result["trades"][2] == pytest.approx([after / 2 - 7 / 12], abs=CLOSE)
    assert result["turnover"][2] == pytest.approx((after / 2 - 7 / 12) / (29 / 24), abs=CLOSE)


def test_lag_and_interval_of_a_calendar() -> None:
    # Dates 1, 2 and 4 trade at 3, 4 and 6; 4 is one session after 3 and is passed over, as is 3 after 0 at 4.
    still = [[0.0] * 8]
    trades = run_plan(plan(still, [0.5], (1, 2, 4), lag=2, interval=3))["rebalanced"]
    assert [session for session, yes in enumerate(trades) if yes] == [0, 3, 6]
    trades = run_plan(plan(still, [0.5], (1, 2, 4), lag=2, interval=4))["rebalanced"]
    assert [session for session, yes in enumerate(trades) if yes] == [0, 4]


def test_an_order_of_a_band_waits_and_trades_the_weights_of_its_day() -> None:
    # Broken at 1 (2/3 against 0.5) and due at 3, where the weight is 1.5/2 and the edge 0.6.
    band = Band("weight", below=0.1, above=0.1, destination=0.0)
    result = run_plan(plan([[0.0, 1.0, 0.0, 0.5, 0.0]], [0.5], bands=[band], lag=2))
    stands(result, 3, [1.2], 0.8)
    assert result["rebalanced"] == [True, False, False, True, False]
    assert result["broken"] == [False, True, True, True, False]
    # half of the way from the edge to the target: 0.55
    half = Band("weight", below=0.2, above=0.2, relative=True, destination=0.5)
    stands(run_plan(plan([[0.0, 1.0]], [0.5], bands=[half])), 1, [0.825], 0.675)
    # A calendar trade at 3 takes the place of the order due at 4.
    result = run_plan(plan([[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]], [0.5], (1,), bands=[band], lag=2))
    assert result["rebalanced"] == [True, False, False, True, False, False]


def test_a_broken_band_waits_for_the_interval_and_new_targets_do_not() -> None:
    band = Band("net", below=0.1, above=0.1)
    settings: dict[str, Any] = {"exposures": [[1.0]], "bands": [band], "interval": 3}
    result = run_plan(plan([[0.0, 1.0, 0.0, 0.0]], [0.5], **settings))
    assert result["rebalanced"] == [True, False, False, True]
    result = run_plan(plan([[0.0, 1.0, 0.0, 0.0]], [0.5], targets=[[0.5], [0.4], [0.4], [0.4]], **settings))
    assert result["rebalanced"] == [True, True, False, False]
    stands(result, 1, [0.6], 0.9)


def test_gross_and_active_edges_behind_a_corner() -> None:
    # The exposure runs from 0.4 to -0.6. Its size is at least 0.5 from lambda = 0.9 on; 1 - 0.1/0.2 would be wrong.
    gross = Band("gross", below=0.1, above=0.1, destination=0.0)
    case = plan([[0.0], [0.0]], [0.2, 0.8], exposures=[[1.0, -1.0]], bands=[gross])
    assert own_lambda(case, gross, [0.7, 0.3], [0.2, 0.8]) == pytest.approx(0.9, abs=CLOSE)
    # From 0.6 to -0.6: inside at both ends, and outside between 1/12 and 11/12.
    assert own_lambda(case, gross, [0.8, 0.2], [0.2, 0.8]) == pytest.approx(11 / 12, abs=CLOSE)
    # Active against 0.1 and 0: from |0.5-0.1| + |0| = 0.4 to |0.1-0.1| + |0.2| = 0.2; inside up to 0.25 means
    # 0.4*(1-x) + 0.2*x <= 0.25, x >= 0.75.
    active = Band("active", below=1.0, above=0.05, destination=0.0)
    case = plan([[0.0], [0.0]], [0.1, 0.2], exposures=[[1, 0], [0, 1]], benchmark=[0.1, 0.0], bands=[active])
    assert own_lambda(case, active, [0.5, 0.0], [0.1, 0.2]) == pytest.approx(0.75, abs=CLOSE)


def test_the_trade_goes_no_less_far_than_any_band() -> None:
    # 0.5, 0.3 and 0.2 in cash become 1 and 0.2 of 1.4: weights 5/7 and 1/7. The first asks for its edge 0.7:
    # 1 - 0.2/(3/14) = 1/15; the second is outside too and asks for 1 - 0.1/(0.3-1/7) = 4/11, which is further.
    bands = [Band("weight", 0.2, 0.2, 0, destination=0.0), Band("weight", 0.1, 0.1, 1, destination=0.0)]
    result = run_plan(plan([[0.0, 1.0], [0.0, -1 / 3]], [0.5, 0.3], bands=bands))
    stands(result, 1, [1.4 * (5 / 7 - 4 / 11 * 3 / 14), 1.4 * 0.2], 1.4 * (0.8 - 5 / 7 + 4 / 11 * 3 / 14))


def test_a_share_of_a_target_of_0_is_refused() -> None:
    band = Band("net", below=0.1, above=0.1, relative=True)
    with pytest.raises(ValueError, match="target of 0"):
        run_plan(plan([[0.0], [0.0]], [0.5, 0.5], exposures=[[1.0, -1.0]], bands=[band]))


# In the cases below 0.5, 0.3 and 0.2 in cash have become 0.7, 0.3 and 0.2, in all 1.2.
GREW = [[0.0, 0.4], [0.0, 0.0]]


def test_a_contribution_goes_where_it_is_short() -> None:
    # 0.3 more make 1.5: short of 0.05, 0.15 and 0.1. G*(1 + 0.1*2/3) = 0.3, G = 0.28125.
    result = run_plan(plan(GREW, [0.5, 0.3], rate=0.1, flows=[Flow(1, 0.1), Flow(1, 0.08, share=0.1)]))
    stands(result, 1, [0.746875, 0.440625], 0.29375)
    assert result["cost"][1] == pytest.approx(0.01875, abs=CLOSE)
    assert result["flow"] == pytest.approx([0, 0.3], abs=CLOSE)
    assert result["turnover"][1] == pytest.approx(0, abs=CLOSE)  # nothing is sold
    assert result["rebalanced"] == [True, False]
    # With a minimum of 0.06 the first purchase stays in cash, and so does its part; G*(1 + 0.1/2) = 0.3.
    result = run_plan(plan(GREW, [0.5, 0.3], rate=0.1, smallest=0.06, flows=[Flow(1, 0.3)]))
    stands(result, 1, [0.7, 0.3 + 0.15 / 1.05], 0.2 + 0.15 / 1.05)


def test_a_withdrawal_comes_from_where_there_is_too_much() -> None:
    # 1.0 is left, and only the first fund is over: by 0.2. 0.9*G = 0.2. The minimum does not hold it up.
    result = run_plan(plan(GREW, [0.5, 0.3], rate=0.1, smallest=0.25, flows=[Flow(1, -0.2)]))
    stands(result, 1, [0.7 - 0.2 / 0.9, 0.3], 0.2)
    assert result["turnover"][1] == pytest.approx(0.02 / 0.9, abs=CLOSE)  # what cash gained, for the costs


def test_flows_in_proportion_and_with_a_trade() -> None:
    result = run_plan(plan(GREW, [0.5, 0.3], placing="current", flows=[Flow(1, share=-0.5)]))
    stands(result, 1, [0.35, 0.15], 0.1)
    # G*(1 + 0.1*1.0/1.2) = 0.26, G = 0.24: a fifth of everything
    result = run_plan(plan(GREW, [0.5, 0.3], placing="current", rate=0.1, flows=[Flow(1, 0.26)]))
    stands(result, 1, [0.84, 0.36], 0.24)
    # One trade to the targets of 1.5: V' + 0.1*(0.5*V' - 0.7 + 0.3*V' - 0.3) = 1.5, V' = 1.6/1.08
    for placing, trade_on in (("rebalance", ()), ("current", (1,)), ("underweight", (1,))):
        result = run_plan(plan(GREW, [0.5, 0.3], trade_on, placing=placing, rate=0.1, flows=[Flow(1, 0.3)]))
        stands(result, 1, [0.8 / 1.08, 0.48 / 1.08], 0.32 / 1.08)
        assert result["rebalanced"] == [True, True]


def test_a_withdrawal_of_all_there_is_exhausts() -> None:
    # 1.0 is in funds: selling it costs 0.1.
    for amount in (-5.0, -1.2, -1.15):
        result = run_plan(plan(GREW, [0.5, 0.3], rate=0.1, flows=[Flow(1, amount)]))
        assert result["ended"] == (1, "exhausted")
        assert result["value"][1] == 0
        assert result["flow"][1] == pytest.approx(-1.1, abs=CLOSE)
        assert result["trades"][1] == pytest.approx([-0.7, -0.3], abs=CLOSE)
    assert run_plan(plan(GREW, [0.5, 0.3], rate=0.1, flows=[Flow(1, -1.05)]))["ended"] is None


def test_bands_look_at_the_weights_after_the_flow() -> None:
    # 0.7 of 1.2 is 0.583. With 0.5 more the targets are 0.85, 0.51 and 0.34 of 1.7, short of 0.15, 0.21 and 0.14, in
    # all 0.5: the flow alone restores them, and no band is broken.
    band = Band("weight", below=0.05, above=0.05)
    assert run_plan(plan(GREW, [0.5, 0.3], bands=[band]))["broken"] == [False, True]
    result = run_plan(plan(GREW, [0.5, 0.3], bands=[band], flows=[Flow(1, 0.5)]))
    assert result["broken"] == [False, False]
    assert result["rebalanced"] == [True, False]
    stands(result, 1, [0.85, 0.51], 0.34)


def test_a_purchase_is_below_the_minimum_before_costs_or_not_at_all() -> None:
    # 3/5 of 0.105 are 0.063 before costs, and 0.063/1.06 < 0.06 after them: it is bought.
    result = run_plan(plan(GREW, [0.5, 0.3], rate=0.1, smallest=0.06, flows=[Flow(1, 0.105)]))
    stands(result, 1, [0.7, 0.3 + 0.063 / 1.06], 0.2 + 0.042 / 1.06)
    # Fees above the contribution leave it in cash.
    result = run_plan(plan([[0.0, 0.0]] * 2, [0.5, 0.5], fee=0.01, smallest=0.001, flows=[Flow(1, 0.019)]))
    stands(result, 1, [0.49, 0.49], 0.019)
    assert result["cost"][1] == 0


def test_a_fund_that_has_less_than_it_is_to_give() -> None:
    # What is 0.04 of a target of 0 stays below the minimum, and then has to give 0.039/0.9: all goes to the targets.
    targets = [[0.06, 0.47], *[[0.0, 0.5]] * 2]
    result = run_plan(
        plan([[0.0, -1 / 3, 0.0], [0.0] * 3], [], targets=targets, rate=0.1, smallest=0.05, flows=[Flow(2, -0.039)])
    )
    stands(result, 1, [0.04, 0.47], 0.47)
    after = (0.941 - 0.004 - 0.047) / 0.95
    stands(result, 2, [0.0, after / 2], after / 2)
    assert result["rebalanced"] == [True, True, False]
    # The same of cash: 0.095 of 0.109, at two hundredths.
    result = run_plan(plan([[0.0, -0.9]], [0.99], rate=0.02, flows=[Flow(1, -0.095)]))
    assert result["holdings"][1][0] / result["value"][1] == pytest.approx(0.99)


def test_a_flow_that_rebalances_counts_and_clears_and_nothing_is_looked_at() -> None:
    band = Band("weight", 0.05, 0.05)
    still = [0.0, 0.4, 0.4, 0.0, 0.0]
    settings: dict[str, Any] = {"bands": [band], "placing": "rebalance"}
    result = run_plan(plan([still], [0.5], interval=2, flows=[Flow(1, 0.3)], **settings))
    assert result["rebalanced"] == [True, True, False, True, False]
    assert result["broken"] == [False, False, True, True, False]
    result = run_plan(plan([[0.0, 0.4, 0.0, 0.0, 0.0]], [0.5], lag=2, flows=[Flow(2, 0.3)], **settings))
    assert result["rebalanced"] == [True, False, True, False, False]


def test_one_trade_for_a_tranche_that_rebalances_and_one_that_does_not() -> None:
    # The fund doubles: 0.5 + 0.25 each. 0.15 more each: the first goes to a half, the second stays at 2/3.
    # V' + 0.1*(V'*7/12 - 1) = 1.8
    calendar = [[False, False, True], [False, False, False]]
    settings: dict[str, Any] = {"calendar": calendar, "placing": "current", "flows": [Flow(2, 0.3)]}
    result = run_plan(plan([[0.0, 1.0, 0.0]], [0.5], rate=0.1, **settings))
    after = 1.9 / (1 + 0.7 / 12)
    stands(result, 2, [after * 7 / 12], after * 5 / 12)


def test_trading_that_costs_all_there_is_is_ruin() -> None:
    # 2 on a debt of 1 falls to 1.014: selling a fiftieth below what is owed leaves nothing.
    result = run_plan(plan([[0.0, -0.493, 0.0]], [2.0], (1,), rate=0.02))
    assert result["ended"] == (1, "ruined")
