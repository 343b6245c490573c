"""When a portfolio trades, what it trades, and what a fee or a smallest trade leaves of that (methods M6 and M7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alphaoverlay.engine._kernels.bands import destination_of, mark_broken
from alphaoverlay.engine._kernels.costs import NOISE, price_of, settle_all

if TYPE_CHECKING:
    from alphaoverlay.engine.plan import Ints, Rules
    from alphaoverlay.history import FloatArray as Floats


def share_out(
    money: float, placing: int, goal: Floats, holdings: Floats, cash: float, worth: float, wish: Floats
) -> None:
    """Place a tranche's cash flow, before costs, in `wish`; what it does not take stays in cash (method M6)."""
    m = goal.shape[0]
    if placing == 1:
        for i in range(m):
            wish[i] = holdings[i] + money * (holdings[i] / worth)
        return
    # Towards the targets, without selling what money comes in for, or buying when it goes out.
    way = 1.0 if money > 0.0 else -1.0
    total = worth + money
    invested = 0.0
    gaps = 0.0
    for i in range(m):
        invested += goal[i]
        gap = way * (goal[i] * total - holdings[i])
        gaps += gap if gap > 0.0 else 0.0
    gap = way * ((1.0 - invested) * total - cash)
    gaps += gap if gap > 0.0 else 0.0
    for i in range(m):
        gap = way * (goal[i] * total - holdings[i])
        wish[i] = holdings[i] + (money * (gap / gaps) if gap > 0.0 else 0.0)


def decide(
    t: int,
    s: int,
    forced: bool,
    rules: Rules,
    goal: Floats,
    wish: Floats,
    total: float,
    low: Floats,
    high: Floats,
    asked: Ints,
    clock: Ints,
    facts: Floats,
) -> float:
    """How far tranche s trades on session t: a share of the way to the goal, or -1 for no rebalance (methods M6, M7).

    `clock`: session of the last rebalance, and session on which an order of a band is due (-1: none waits), whose bands
    are in `asked`.
    """
    bands = rules.bands
    m = goal.shape[0]
    watched = bands.curved.shape[0] > 0 and rules.watch[t] and not forced
    seen = np.zeros(bands.curved.shape[0], dtype=np.int64)
    broken = watched and mark_broken(wish, total, bands, low, high, seen)
    if broken:
        facts[3] = 1.0
    due = -1.0
    if forced or (rules.trade[s, t] and t - clock[0] >= rules.interval):
        due = 1.0
        facts[2] += 1.0
    elif clock[1] == t or (broken and clock[1] < 0 and t + rules.lag - clock[0] >= rules.interval):
        if clock[1] < 0:
            for b in range(bands.curved.shape[0]):
                asked[b] = seen[b]
        if clock[1] < 0 and rules.lag > 0:
            clock[1] = t + rules.lag
            return -1.0
        now = np.zeros(m)
        for i in range(m):
            now[i] = wish[i] / total
        due = destination_of(now, goal, bands, low, high, asked)
        facts[4] += 1.0
    if due >= 0.0:
        clock[0] = t
        clock[1] = -1
    return due


def rebalance(
    fee: float,
    smallest: float,
    rates: Floats,
    impact: Floats,
    goal: Floats,
    wish: Floats,
    total: Floats,
    due: Floats,
    holdings: Floats,
    cash: Floats,
    worth: Floats,
    moved: Floats,
) -> float:
    """Trade each tranche with `due >= 0` that share of the way from `wish` to the goal; return the cost.

    Costs of all tranches together are netted, and borne in proportion to their values.
    """
    tranches, m = holdings.shape
    held = np.zeros(m)
    mix = np.zeros(m)
    mask = np.zeros(m, dtype=np.int64)
    aim = np.zeros((tranches, m))
    whole = 0.0
    count = 0
    for s in range(tranches):
        if due[s] < 0.0:
            continue
        count += 1
        whole += total[s]
        for i in range(m):
            now = goal[i]
            if due[s] < 1.0:
                now = wish[s, i] / total[s]
                now = now + due[s] * (goal[i] - now)
            aim[s, i] = now
            held[i] += holdings[s, i]
            mix[i] += now * total[s]
    for i in range(m):
        mix[i] = mix[i] / whole
    for s in range(tranches):
        if count == 1 and due[s] >= 0.0:
            for i in range(m):
                mix[i] = aim[s, i]
    after = settle_all(whole, held, mix, rates, impact, fee, smallest, mask)
    for s in range(tranches):
        if due[s] >= 0.0:
            worth[s] = after if count == 1 else after * (total[s] / whole)
            cash[s] = move(worth[s], aim[s], mask, holdings[s], moved)
    spent = whole - after
    if fee > 0.0 or smallest > 0.0:
        spent -= trim(fee, whole, rates, impact, aim, total, due, holdings, cash, worth, moved)
    return spent


def move(worth: float, aim: Floats, mask: Ints, holdings: Floats, moved: Floats) -> float:
    """Give a tranche the weights `aim` of its worth, but for funds that do not trade; return its cash."""
    invested = 0.0
    aimed = 0.0
    kept = False
    for i in range(aim.shape[0]):
        if mask[i] == 1:
            now = worth * aim[i]
            moved[i] += now - holdings[i]
            holdings[i] = now
        else:
            kept = True
        invested += holdings[i]
        aimed += aim[i]
    if kept:
        return worth - invested
    # Weights such as 0.7 + 0.1 + 0.1 + 0.1 miss 1 by rounding, which is not cash.
    spare = 1.0 - aimed
    return worth * spare if spare > NOISE or spare < -NOISE else 0.0


def trim(
    fee: float,
    whole: float,
    rates: Floats,
    impact: Floats,
    aim: Floats,
    total: Floats,
    due: Floats,
    holdings: Floats,
    cash: Floats,
    worth: Floats,
    moved: Floats,
) -> float:
    """Scale purchases down where what does not trade would leave cash below 0 and its target; return the saving."""
    tranches, m = holdings.shape
    held = np.zeros(m)
    target = 1.0
    for s in range(tranches):
        for i in range(m):
            held[i] += holdings[s, i] if due[s] >= 0.0 else 0.0
            target -= aim[s, i] * (total[s] / whole) if due[s] >= 0.0 else 0.0
    for i in range(m):
        held[i] -= moved[i]
    floor = target if target < 0.0 else 0.0
    if over_floor(1.0, fee, whole, floor, rates, impact, held, moved) >= -NOISE * whole:
        return 0.0
    low = 0.0
    high = 1.0
    while True:
        middle = low + 0.5 * (high - low)
        if middle <= low or middle >= high:
            break
        if over_floor(middle, fee, whole, floor, rates, impact, held, moved) >= 0.0:
            low = middle
        else:
            high = middle
    saved = paid(1.0, fee, whole, rates, impact, moved) - paid(low, fee, whole, rates, impact, moved)
    for i in range(m):
        if moved[i] > 0.0:
            fewer = moved[i] * (1.0 - low)
            moved[i] = moved[i] * low
            for s in range(tranches):
                part = fewer * (total[s] / whole) if due[s] >= 0.0 else 0.0
                holdings[s, i] -= part
                cash[s] += part
    for s in range(tranches):
        part = saved * (total[s] / whole) if due[s] >= 0.0 else 0.0
        cash[s] += part
        worth[s] += part
    return saved


def paid(kept: float, fee: float, whole: float, rates: Floats, impact: Floats, moved: Floats) -> float:
    """Cost of the trades with all purchases times `kept`."""
    cost = 0.0
    for i in range(moved.shape[0]):
        change = moved[i] * kept if moved[i] > 0.0 else moved[i]
        if change > NOISE * whole or change < -NOISE * whole:
            cost += price_of(change, rates[i], impact[i]) + fee
    return cost


def over_floor(
    kept: float,
    fee: float,
    whole: float,
    floor: float,
    rates: Floats,
    impact: Floats,
    held: Floats,
    moved: Floats,
) -> float:
    """Cash above its floor (a share of the value) after trades with all purchases times `kept`."""
    worth = whole - paid(kept, fee, whole, rates, impact, moved)
    spare = worth - floor * worth
    for i in range(moved.shape[0]):
        spare -= held[i] + (moved[i] * kept if moved[i] > 0.0 else moved[i])
    return spare
