"""One portfolio with everything that can happen to it, session by session (method M6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alphaoverlay.engine._kernels.bands import set_limits
from alphaoverlay.engine._kernels.costs import NOISE
from alphaoverlay.engine._kernels.flows import exhausts, place_flow
from alphaoverlay.engine._kernels.trading import decide, rebalance, share_out

if TYPE_CHECKING:
    from alphaoverlay.engine.plan import Ints, Market, Plan
    from alphaoverlay.history import FloatArray as Floats


def earn(t: int, market: Market, holdings: Floats, cash: Floats, worth: Floats, alive: Floats) -> float:
    """Earn the returns of session t; return the value of all tranches.

    `alive` (m + 1,) becomes 0 for a fund that lost everything; its last place says that something changed.
    """
    tranches, m = holdings.shape
    lend = 1.0 + market.lend[t]
    borrow = 1.0 + market.borrow[t]
    value = 0.0
    for i in range(m):
        if market.returns[t, i] <= -1.0:
            alive[i] = 0.0
            alive[m] = 1.0
    for s in range(tranches):
        total = 0.0
        for i in range(m):
            held = holdings[s, i] * (1.0 + market.returns[t, i])
            holdings[s, i] = held
            total += held
        spare = cash[s]
        spare = spare * (lend if spare >= 0.0 else borrow)
        cash[s] = spare
        total += spare
        worth[s] = total
        value += total
    return value


def run_path(plan: Plan, out_value: Floats, out_holdings: Floats, out_trades: Floats, out_facts: Floats) -> int:
    """Run one portfolio from wealth 1.0; return the session of its ruin, n + that of its exhaustion, or -1.

    Order at a close: return, cash flow, rules, trades, costs (method M6). Filled for each session, after its trades:
    value (n,), holdings and trades (n, m), and facts (n, 5): cost, flow, tranches that traded by the calendar or a
    change of targets, whether a band was broken, tranches that traded by a band. From the end on they are zero.
    """
    n, m = plan.market.returns.shape
    tranches, count = plan.rules.trade.shape[0], plan.rules.bands.curved.shape[0]
    # Passing a tuple of arrays on costs more than a quiet session does, so only what is looked at is passed.
    market, turn = plan.market, plan.goals.turn
    amount, share = plan.flows.amount, plan.flows.share
    trade, watch = plan.rules.trade, plan.rules.watch
    banded = count > 0
    lagged = banded and plan.rules.lag > 0
    holdings = np.zeros((tranches, m))
    wish = np.zeros((tranches, m))
    cash = np.full(tranches, 1.0 / tranches)
    worth = np.full(tranches, 1.0 / tranches)
    asked = np.zeros((tranches, count), dtype=np.int64)
    clock = np.zeros((tranches, 2), dtype=np.int64)
    clock[:, 1] = -1
    alive = np.ones(m + 1)
    goal = np.zeros(m)
    low = np.zeros(count)
    high = np.zeros(count)
    value = 1.0
    out_trades[:] = 0.0
    out_facts[:] = 0.0
    for t in range(n):
        before = value
        if t > 0:
            value = earn(t, market, holdings, cash, worth, alive)
            if value <= NOISE * before:
                end_path(t, out_value, out_holdings)
                return t
        money = amount[t] + share[t] * value
        if money < 0.0 and exhausts(t, value, money, plan.costs, holdings, out_trades[t], out_facts[t]):
            end_path(t, out_value, out_holdings)
            ended: int = n + t
            return ended
        possible = t == 0 or turn[t] or lagged or (banded and watch[t]) or money != 0.0
        for s in range(tranches):
            possible = possible or trade[s, t]
        if possible:
            if turn[t] or alive[m] == 1.0:
                aim_at(t, plan, alive, goal, low, high)
            value = close(
                t,
                value,
                money,
                plan,
                goal,
                low,
                high,
                holdings,
                wish,
                cash,
                worth,
                asked,
                clock,
                out_trades[t],
                out_facts[t],
            )
            # Trading can cost a portfolio that borrows all there is.
            if value <= NOISE * before:
                end_path(t, out_value, out_holdings)
                return t
        out_value[t] = value
        for i in range(m):
            held = holdings[0, i]
            for s in range(1, tranches):
                held += holdings[s, i]
            out_holdings[t, i] = held
    return -1


def aim_at(t: int, plan: Plan, alive: Floats, goal: Floats, low: Floats, high: Floats) -> None:
    """Set the targets in force on session t, without funds that lost everything, and between what bands are inside."""
    m = goal.shape[0]
    alive[m] = 0.0
    for i in range(m):
        goal[i] = plan.goals.rows[plan.goals.row[t], i] * alive[i]
    set_limits(goal, plan.rules.bands, low, high)


def close(
    t: int,
    value: float,
    money: float,
    plan: Plan,
    goal: Floats,
    low: Floats,
    high: Floats,
    holdings: Floats,
    wish: Floats,
    cash: Floats,
    worth: Floats,
    asked: Ints,
    clock: Ints,
    moved: Floats,
    facts: Floats,
) -> float:
    """Cash flow, rules, trades and costs at the close of session t; return the value after them."""
    tranches, m = holdings.shape
    costs, placing = plan.costs, plan.flows.placing
    rates, impact = costs.rates[t], costs.impact[t]
    total = np.zeros(tranches)
    due = np.zeros(tranches)
    forced = t == 0 or plan.goals.turn[t] or (money != 0.0 and placing == 2)
    rebalanced = False
    for s in range(tranches):
        due[s] = -1.0
        if worth[s] <= 0.0:
            # A tranche that has nothing neither trades nor gets flows.
            for i in range(m):
                wish[s, i] = holdings[s, i]
            continue
        part = money * (worth[s] / value)
        total[s] = worth[s] + part
        for i in range(m):
            wish[s, i] = holdings[s, i]
        if money != 0.0 and placing != 2:
            share_out(part, placing, goal, holdings[s], cash[s], worth[s], wish[s])
        due[s] = decide(t, s, forced, plan.rules, goal, wish[s], total[s], low, high, asked[s], clock[s], facts)
        rebalanced = rebalanced or due[s] >= 0.0
    facts[1] = money
    if money != 0.0 and not rebalanced:
        facts[0] = place_flow(value, money, costs, rates, impact, goal, wish, total, holdings, cash, worth, moved)
        if facts[0] < 0.0:
            rebalanced = True
            for s in range(tranches):
                due[s] = 1.0 if total[s] > 0.0 else -1.0
    if rebalanced:
        for s in range(tranches):
            # With a flow, the tranches that are not due are traded to where it is placed.
            if money != 0.0 and due[s] < 0.0 and total[s] > 0.0:
                due[s] = 0.0
        # A withdrawal is not held up by a minimum.
        least = costs.smallest if money >= 0.0 else 0.0
        facts[0] = rebalance(costs.fee, least, rates, impact, goal, wish, total, due, holdings, cash, worth, moved)
    after = 0.0
    for s in range(tranches):
        after += worth[s]
    return after


def end_path(t: int, out_value: Floats, out_holdings: Floats) -> None:
    """Leave nothing from session t on."""
    out_value[t:] = 0.0
    out_holdings[t:] = 0.0
