"""Money paid in or taken out: where it is placed, and what it may exhaust (method M6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alphaoverlay.engine._kernels.costs import NOISE, price_of

if TYPE_CHECKING:
    from alphaoverlay.engine.plan import Costs
    from alphaoverlay.history import FloatArray as Floats


def place_flow(
    value: float,
    money: float,
    costs: Costs,
    rates: Floats,
    impact: Floats,
    goal: Floats,
    wish: Floats,
    total: Floats,
    holdings: Floats,
    cash: Floats,
    worth: Floats,
    moved: Floats,
) -> float:
    """Trade what a flow is placed in, its costs out of what is moved; return the cost, -1 where there is too little."""
    tranches, m = holdings.shape
    least = costs.smallest if money > 0.0 and costs.smallest > NOISE * value else NOISE * value
    share = np.zeros(m)
    fees = 0.0
    for i in range(m):
        part = 0.0
        for s in range(tranches):
            part += wish[s, i] - holdings[s, i]
        if part >= least or -part >= least:
            share[i] = part / money
            fees += costs.fee
    amount = moved_by_flow(money, fees, share, rates, impact)
    if money > 0.0 and amount < 0.0:
        # The fees are more than what came in: it stays in cash.
        amount = 0.0
    times = amount / money
    cost = 0.0
    for i in range(m):
        for s in range(tranches):
            if share[i] > 0.0 and holdings[s, i] + (wish[s, i] - holdings[s, i]) * times < 0.0:
                return -1.0
        if share[i] > 0.0 and amount != 0.0:
            cost += price_of(share[i] * amount, rates[i], impact[i]) + costs.fee
    if money < 0.0 and gives_too_much(value, cost, times, share, goal, wish, total, holdings, cash, worth):
        return -1.0
    for i in range(m):
        if share[i] > 0.0 and amount != 0.0:
            moved[i] = share[i] * amount
            for s in range(tranches):
                holdings[s, i] += (wish[s, i] - holdings[s, i]) * times
    for s in range(tranches):
        worth[s] = total[s] - cost * (worth[s] / value)
        spare = worth[s]
        for i in range(m):
            spare -= holdings[s, i]
        cash[s] = spare
    return cost


def gives_too_much(
    value: float,
    cost: float,
    times: float,
    share: Floats,
    goal: Floats,
    wish: Floats,
    total: Floats,
    holdings: Floats,
    cash: Floats,
    worth: Floats,
) -> bool:
    """Whether a withdrawal would take a tranche's cash below 0 and below its target."""
    tranches, m = holdings.shape
    for s in range(tranches):
        after = total[s] - cost * (worth[s] / value)
        spare = after
        floor = after
        for i in range(m):
            sold = (holdings[s, i] - wish[s, i]) * times if share[i] > 0.0 else 0.0
            spare -= holdings[s, i] - sold
            floor -= after * goal[i]
        floor = floor if floor < 0.0 else 0.0
        # Cash that was below its target already, and gives nothing, is not asked.
        if spare < floor - NOISE * value and spare < cash[s] - NOISE * value:
            return True
    return False


def moved_by_flow(money: float, fees: float, share: Floats, rates: Floats, impact: Floats) -> float:
    """The G of method M6, with the sign of the flow: what is moved, of which `share` of a unit goes to each fund."""
    m = share.shape[0]
    slope = 0.0
    smooth = False
    for i in range(m):
        slope += rates[i] * share[i]
        smooth = smooth or (impact[i] > 0.0 and share[i] > 0.0)
    if not smooth:
        return (money - fees) / (1.0 + slope) if money > 0.0 else (money - fees) / (1.0 - slope)
    size = money if money > 0.0 else -money
    low = 0.0 if money > 0.0 else size
    high = size if money > 0.0 else 1e3 * size + fees
    while True:
        middle = low + 0.5 * (high - low)
        if middle <= low or middle >= high:
            return low if money > 0.0 else -high
        cost = fees
        for i in range(m):
            cost += price_of(middle * share[i], rates[i], impact[i])
        # A contribution pays for itself and its costs; a withdrawal is what selling leaves.
        if (money > 0.0 and middle + cost > size) or (money < 0.0 and middle - cost > size):
            high = middle
        else:
            low = middle


def exhausts(t: int, value: float, money: float, costs: Costs, holdings: Floats, moved: Floats, facts: Floats) -> bool:
    """Whether a withdrawal takes all there is; if so, write down the sales, their cost and what is paid out."""
    tranches, m = holdings.shape
    rates, impact = costs.rates[t], costs.impact[t]
    cost = 0.0
    for i in range(m):
        held = 0.0
        for s in range(tranches):
            held += holdings[s, i]
        moved[i] = -held
        if held > NOISE * value:
            cost += price_of(held, rates[i], impact[i]) + costs.fee
    cost = cost if cost < value else value
    if -money >= value - cost - NOISE * value:
        facts[0] = cost
        facts[1] = cost - value
        return True
    for i in range(m):
        moved[i] = 0.0
    return False
