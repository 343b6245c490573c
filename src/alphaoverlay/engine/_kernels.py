"""The loop over sessions, in arithmetic that runs the same interpreted and compiled.

Only `+ - * /`, comparisons, `math.sqrt` and explicit loops: no library reductions, so that both forms agree bit for
bit. This file imports math and numpy only; `_jit` executes it in a namespace of its own and compiles each function.
What goes in is described in `plan`.

There are three loops. `run_path` carries one portfolio with everything that can happen to it. `run_lanes` carries many
side by side, with rules and proportional costs, its innermost loops over them so that the compiler can do several at
once. `walk_path` carries one along a simulated path, with calendar trades and proportional costs. What the last two do
to a portfolio is what `run_path` would do, bit for bit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alphaoverlay.engine.plan import BandArrays, Costs, Market, Plan, Rules, Walk

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

# Relative to the value: below it a deviation or a trade is rounding.
NOISE = 1e-12


# --- costs (method M6) ---


def settle(value: float, held: Floats, mix: Floats, rates: Floats) -> float:
    """Value after proportional costs: the V' with `V' + sum_i h_i*|V'*w_i - v_i| = V`.

    The left side is convex and piecewise linear: Newton's steps from V go down to the solution, and each lands on a new
    piece, of which there are at most one more than funds.
    """
    m = rates.shape[0]
    after = value
    for _ in range(m + 1):
        known = value
        slope = 1.0
        for i in range(m):
            signed = rates[i] if after * mix[i] > held[i] else -rates[i]
            known += signed * held[i]
            slope += signed * mix[i]
        settled = known / slope
        if settled == after:
            break
        after = settled
    return after


def settle_lanes(
    count: int, value: Floats, held: Floats, mix: Floats, rates: Floats, known: Floats, slope: Floats, after: Floats
) -> None:
    """`settle` of the first `count` lanes side by side, into `after`; held and mix are (m, lanes)."""
    m = held.shape[0]
    for w in range(count):
        after[w] = value[w]
    for _ in range(m + 1):
        for w in range(count):
            known[w] = value[w]
            slope[w] = 1.0
        for i in range(m):
            rate = rates[i]
            for w in range(count):
                signed = rate if after[w] * mix[i, w] > held[i, w] else -rate
                known[w] += signed * held[i, w]
                slope[w] += signed * mix[i, w]
        changed = 0
        for w in range(count):
            settled = known[w] / slope[w]
            changed += 1 if settled != after[w] else 0
            after[w] = settled
        if changed == 0:
            break


def price_of(money: float, rate: float, impact: float) -> float:
    """Cost of trading that much money of one fund: proportional, and market impact."""
    size = -money if money < 0.0 else money
    cost = rate * size
    if impact > 0.0:
        cost += impact * size * math.sqrt(size)
    return cost


def settle_traded(value: float, held: Floats, mix: Floats, rates: Floats, impact: Floats, mask: Ints) -> float:
    """Value after the costs of the funds that `mask` says trade, impact included."""
    m = held.shape[0]
    smooth = False
    for i in range(m):
        smooth = smooth or impact[i] > 0.0
    if not smooth:
        charged = np.zeros(m)
        for i in range(m):
            charged[i] = rates[i] if mask[i] == 1 else 0.0
        return settle(value, held, mix, charged)
    low = 0.0
    high = value
    while True:
        middle = low + 0.5 * (high - low)
        if middle <= low or middle >= high:
            return low
        total = middle
        for i in range(m):
            if mask[i] == 1:
                total += price_of(middle * mix[i] - held[i], rates[i], impact[i])
        if total > value:
            high = middle
        else:
            low = middle


def mark_traded(top: float, least: float, held: Floats, mix: Floats, mask: Ints) -> float:
    """Mark the funds that trade just below the value `top`; return the next lower value at which the set changes."""
    below = 0.0
    for i in range(held.shape[0]):
        if mix[i] > 0.0:
            bought = (held[i] + least) / mix[i]
            sold = (held[i] - least) / mix[i]
            mask[i] = 1 if top > bought or top <= sold else 0
            if below < bought < top:
                below = bought
            if below < sold < top:
                below = sold
        else:
            mask[i] = 1 if held[i] >= least else 0
    return below


def settle_all(
    value: float,
    held: Floats,
    mix: Floats,
    rates: Floats,
    impact: Floats,
    fee: float,
    smallest: float,
    mask: Ints,
) -> float:
    """Value after all costs; marks the funds that trade.

    With fees or a minimum trade it is the largest value that agrees with the set of funds that trade at it. The set
    changes where a trade reaches the minimum, `(v_i +- minimum) / w_i`: between two such points it is one set.
    """
    m = held.shape[0]
    for i in range(m):
        mask[i] = 1
    if fee == 0.0 and smallest == 0.0:
        return settle_traded(value, held, mix, rates, impact, mask)
    least = NOISE * value if smallest < NOISE * value else smallest
    # A hair above, so that a trade of just the minimum counts.
    top = value * (1.0 + 1e-15)
    jump = 0.0
    while top > 0.0:
        below = mark_traded(top, least, held, mix, mask)
        after = settle_marked(value, fee, held, mix, rates, impact, mask)
        if below <= after <= top:
            return after
        if after > top and jump == 0.0:
            jump = top
        top = below
    if jump > 0.0:
        # No value agrees: the set jumps here, and just below it the trades can be paid.
        mark_traded(jump, least, held, mix, mask)
        return settle_marked(value, fee, held, mix, rates, impact, mask)
    for i in range(m):
        mask[i] = 0
    return value


def settle_marked(
    value: float, fee: float, held: Floats, mix: Floats, rates: Floats, impact: Floats, mask: Ints
) -> float:
    """Value after the costs and fees of the marked funds; -1 where they are more than there is."""
    left = value
    for i in range(mask.shape[0]):
        left -= fee * mask[i]
    return settle_traded(left, held, mix, rates, impact, mask) if left > 0.0 else -1.0


# --- bands (method M7) ---


def measured(band: int, holdings: Floats, worth: float, bands: BandArrays) -> float:
    """A band's measure times the value, from holdings in money."""
    m = holdings.shape[0]
    seen = 0.0
    if bands.curved[band] == 0:
        for i in range(m):
            seen += bands.coefficients[band, i] * holdings[i]
        return seen
    for k in range(bands.matrix.shape[0]):
        term = -bands.base[band, k] * worth
        for i in range(m):
            term += bands.matrix[k, i] * holdings[i]
        seen += term if term >= 0.0 else -term
    return seen


def set_limits(goal: Floats, bands: BandArrays, low: Floats, high: Floats) -> None:
    """Between which measures each band is inside, for these targets."""
    for b in range(bands.curved.shape[0]):
        target = measured(b, goal, 1.0, bands)
        unit = 1.0
        if bands.relative[b] == 1:
            unit = target if target >= 0.0 else -target
        # A share of nothing is nothing, even where the share has no limit.
        low[b] = target - (bands.below[b] * unit if unit > 0.0 else 0.0)
        high[b] = target + (bands.above[b] * unit if unit > 0.0 else 0.0)


def mark_broken(holdings: Floats, worth: float, bands: BandArrays, low: Floats, high: Floats, asked: Ints) -> bool:
    """Mark the bands that are broken; return whether any is."""
    broken = False
    for b in range(bands.curved.shape[0]):
        seen = measured(b, holdings, worth, bands)
        asked[b] = 1 if seen > (high[b] + NOISE) * worth or seen < (low[b] - NOISE) * worth else 0
        broken = broken or asked[b] == 1
    return broken


def reach(band: int, now: Floats, goal: Floats, low: float, high: float, bands: BandArrays) -> float:
    """Smallest share of the way from weights `now` to the goal from which on the band is inside, up to the goal."""
    seen = measured(band, now, 1.0, bands)
    target = measured(band, goal, 1.0, bands)
    if bands.curved[band] == 0:
        if low - NOISE <= seen <= high + NOISE:
            return 0.0
        return (seen - (high if seen > high else low)) / (seen - target)
    m = now.shape[0]
    point = np.zeros(m)
    place = 1.0
    value = target
    # Down from the goal, from corner to corner: between two of them the measure is linear.
    while place > 0.0:
        corner = next_corner(band, place, now, goal, bands)
        for i in range(m):
            point[i] = now[i] + corner * (goal[i] - now[i])
        further = measured(band, point, 1.0, bands)
        if further > high + NOISE or further < low - NOISE:
            edge = high if further > high else low
            return place - (value - edge) / (value - further) * (place - corner)
        place = corner
        value = further
    return 0.0


def next_corner(band: int, place: float, now: Floats, goal: Floats, bands: BandArrays) -> float:
    """The largest share of the way below `place` at which a term of the measure changes its sign; 0 without one."""
    corner = 0.0
    for k in range(bands.matrix.shape[0]):
        here = -bands.base[band, k]
        there = here
        for i in range(now.shape[0]):
            here += bands.matrix[k, i] * now[i]
            there += bands.matrix[k, i] * goal[i]
        if (here < 0.0 and there > 0.0) or (here > 0.0 and there < 0.0):
            crossing = here / (here - there)
            if crossing > corner and crossing < place:
                corner = crossing
    return corner


def destination_of(now: Floats, goal: Floats, bands: BandArrays, low: Floats, high: Floats, asked: Ints) -> float:
    """How far the broken bands ask to move: a share of the way to the goal."""
    far = 0.0
    for b in range(bands.curved.shape[0]):
        wanted = reach(b, now, goal, low[b], high[b], bands)
        if asked[b] == 1:
            wanted = wanted + bands.destination[b] * (1.0 - wanted)
        far = wanted if wanted > far else far
    return far


# --- one portfolio ---


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


# --- many portfolios side by side ---


def earn_lanes(t: int, market: Market, holdings: Floats, cash: Floats, worth: Floats, before: Floats) -> int:
    """`earn` for every lane; returns how many are worth nothing. `before` is room to work in."""
    m, lanes = holdings.shape
    lend = 1.0 + market.lend[t]
    borrow = 1.0 + market.borrow[t]
    for w in range(lanes):
        before[w] = worth[w]
        worth[w] = 0.0
    for i in range(m):
        factor = 1.0 + market.returns[t, i]
        for w in range(lanes):
            held = holdings[i, w] * factor
            holdings[i, w] = held
            worth[w] += held
    gone = 0
    for w in range(lanes):
        spare = cash[w]
        spare = spare * (lend if spare >= 0.0 else borrow)
        cash[w] = spare
        total = worth[w] + spare
        lost = total <= NOISE * before[w]
        worth[w] = 0.0 if lost else total
        gone += 1 if lost else 0
    return gone


def flag_lanes(
    bands: BandArrays,
    holdings: Floats,
    worth: Floats,
    low: Floats,
    high: Floats,
    seen: Floats,
    term: Floats,
    flags: Ints,
) -> None:
    """`mark_broken` for every lane: counts the broken bands in `flags`."""
    m, lanes = holdings.shape
    for w in range(lanes):
        flags[w] = 0
    for b in range(bands.curved.shape[0]):
        for w in range(lanes):
            seen[w] = 0.0
        if bands.curved[b] == 0:
            for i in range(m):
                times = bands.coefficients[b, i]
                if times != 0.0:
                    for w in range(lanes):
                        seen[w] += times * holdings[i, w]
        else:
            for k in range(bands.matrix.shape[0]):
                away = bands.base[b, k]
                for w in range(lanes):
                    term[w] = -away * worth[w]
                for i in range(m):
                    times = bands.matrix[k, i]
                    if times != 0.0:
                        for w in range(lanes):
                            term[w] += times * holdings[i, w]
                for w in range(lanes):
                    seen[w] += term[w] if term[w] >= 0.0 else -term[w]
        for w in range(lanes):
            over = seen[w] > (high[b, w] + NOISE) * worth[w]
            under = seen[w] < (low[b, w] - NOISE) * worth[w]
            flags[w] += 1 if over or under else 0


def list_lanes(
    t: int,
    rules: Rules,
    weights: Floats,
    holdings: Floats,
    worth: Floats,
    low: Floats,
    high: Floats,
    flags: Ints,
    last: Ints,
    listed: Ints,
    far: Floats,
) -> int:
    """`decide` for every lane, without lag: list the lanes that trade and how far; return their number."""
    m, lanes = holdings.shape
    bands = rules.bands
    count = 0
    edges = False
    for b in range(bands.curved.shape[0]):
        edges = edges or bands.destination[b] < 1.0
    for w in range(lanes):
        if worth[w] <= 0.0:
            continue
        if t == 0 or (rules.trade[0, t] and t - last[w] >= rules.interval):
            listed[count] = w
            far[count] = 1.0
            count += 1
        elif flags[w] > 0 and t - last[w] >= rules.interval:
            listed[count] = w
            far[count] = 1.0
            if edges:
                far[count] = lane_destination(w, m, weights, holdings, worth, low, high, bands)
            count += 1
    return count


def lane_destination(
    w: int, m: int, weights: Floats, holdings: Floats, worth: Floats, low: Floats, high: Floats, bands: BandArrays
) -> float:
    """`destination_of` for one lane whose bands are broken."""
    number = bands.curved.shape[0]
    held = np.zeros(m)
    now = np.zeros(m)
    goal = np.zeros(m)
    least = np.zeros(number)
    most = np.zeros(number)
    asked = np.zeros(number, dtype=np.int64)
    for i in range(m):
        held[i] = holdings[i, w]
        now[i] = holdings[i, w] / worth[w]
        goal[i] = weights[i, w]
    for b in range(number):
        least[b] = low[b, w]
        most[b] = high[b, w]
    mark_broken(held, worth[w], bands, least, most, asked)
    return destination_of(now, goal, bands, least, most, asked)


def trade_lanes(
    t: int,
    count: int,
    listed: Ints,
    far: Floats,
    rates: Floats,
    weights: Floats,
    holdings: Floats,
    cash: Floats,
    worth: Floats,
    last: Ints,
    room: Floats,
    out: Floats,
) -> None:
    """`rebalance` of the listed lanes; `room` is (2m + 4, lanes)."""
    m, _ = holdings.shape
    held, mix = room[:m], room[m : 2 * m]
    value, known, slope, after = room[2 * m], room[2 * m + 1], room[2 * m + 2], room[2 * m + 3]
    for k in range(count):
        w = listed[k]
        value[k] = worth[w]
        for i in range(m):
            held[i, k] = holdings[i, w]
            now = weights[i, w]
            if far[k] < 1.0:
                now = holdings[i, w] / worth[w]
                now = now + far[k] * (weights[i, w] - now)
            mix[i, k] = now
    settle_lanes(count, value, held, mix, rates, known, slope, after)
    for k in range(count):
        w = listed[k]
        aimed = 0.0
        into_funds = 0.0
        moved = 0.0
        for i in range(m):
            now = after[k] * mix[i, k]
            bought = now - held[i, k]
            into_funds += bought
            moved += bought if bought >= 0.0 else -bought
            holdings[i, w] = now
            aimed += mix[i, k]
        moved += into_funds if into_funds >= 0.0 else -into_funds
        spare = 1.0 - aimed
        cash[w] = after[k] * spare if spare > NOISE or spare < -NOISE else 0.0
        worth[w] = after[k]
        last[w] = t
        if after[k] <= NOISE * value[k]:
            worth[w] = 0.0
            cash[w] = 0.0
            for i in range(m):
                holdings[i, w] = 0.0
        out[2, w] += value[k] - after[k]
        if t > 0:
            out[3, w] += 0.5 * moved / value[k]
            out[4, w] += 1.0 if moved > NOISE * value[k] else 0.0


def run_lanes(plan: Plan, weights: Floats, out: Floats) -> None:
    """Run portfolios with target weights (m, lanes) side by side: one tranche, no lag or flows, proportional costs.

    Filled for each lane, (5, lanes): final value, deepest fall below the peak (1.0 before the purchase counts), sums of
    costs, and after the purchase of turnover and rebalances.
    """
    market, rules = plan.market, plan.rules
    n, m = market.returns.shape
    lanes = weights.shape[1]
    count = rules.bands.curved.shape[0]
    holdings = np.zeros((m, lanes))
    cash = np.zeros(lanes)
    worth = np.zeros(lanes)
    peak = np.zeros(lanes)
    low = np.zeros((count, lanes))
    high = np.zeros((count, lanes))
    last = np.zeros(lanes, dtype=np.int64)
    listed = np.zeros(lanes, dtype=np.int64)
    flags = np.zeros(lanes, dtype=np.int64)
    far = np.zeros(lanes)
    seen = np.zeros(lanes)
    term = np.zeros(lanes)
    room = np.zeros((2 * m + 4, lanes))
    for k in range(5):
        for w in range(lanes):
            out[k, w] = 0.0
    for w in range(lanes):
        cash[w] = 1.0
        worth[w] = 1.0
        peak[w] = 1.0
    set_lane_limits(weights, rules.bands, low, high)
    for t in range(n):
        if t > 0:
            if earn_lanes(t, market, holdings, cash, worth, term) > 0:
                bury_lanes(holdings, cash, worth)
            for i in range(m):
                if market.returns[t, i] <= -1.0:
                    for w in range(lanes):
                        weights[i, w] = 0.0
                    set_lane_limits(weights, rules.bands, low, high)
        watched = count > 0 and rules.watch[t] and t > 0
        if watched:
            flag_lanes(rules.bands, holdings, worth, low, high, seen, term, flags)
            called = 0
            for w in range(lanes):
                called += flags[w]
            watched = called > 0
        if t == 0 or rules.trade[0, t] or watched:
            number = list_lanes(t, rules, weights, holdings, worth, low, high, flags, last, listed, far)
            trade_lanes(t, number, listed, far, plan.costs.rates[t], weights, holdings, cash, worth, last, room, out)
        for w in range(lanes):
            total = worth[w]
            top = peak[w]
            top = total if total > top else top
            peak[w] = top
            below = total / top - 1.0
            fall = out[1, w]
            out[1, w] = below if below < fall else fall
    for w in range(lanes):
        out[0, w] = worth[w]


def set_lane_limits(weights: Floats, bands: BandArrays, low: Floats, high: Floats) -> None:
    """`set_limits` for every lane."""
    m, lanes = weights.shape
    count = bands.curved.shape[0]
    goal = np.zeros(m)
    least = np.zeros(count)
    most = np.zeros(count)
    for w in range(lanes):
        for i in range(m):
            goal[i] = weights[i, w]
        set_limits(goal, bands, least, most)
        for b in range(count):
            low[b, w] = least[b]
            high[b, w] = most[b]


def bury_lanes(holdings: Floats, cash: Floats, worth: Floats) -> None:
    """Leave nothing in the lanes that are worth nothing."""
    m, lanes = holdings.shape
    for w in range(lanes):
        if worth[w] <= 0.0:
            worth[w] = 0.0
            cash[w] = 0.0
            for i in range(m):
                holdings[i, w] = 0.0


# --- one portfolio on many paths ---


def carry_four(
    first: int, last: int, g: int, moves: Floats, taken: Floats, row: Ints, held: Floats, out: Floats
) -> None:
    """Earn the sessions from `first` up to `last` on the funds of four g: `out` becomes the worth of all fours so far.

    Four numbers that stay in registers are several times as fast as an array of any length.
    """
    # An index that cannot be negative needs no look at whether it counts from the end.
    first = first if first > 0 else 1
    g = g if g > 0 else 0
    at = 4 * g
    a, b, c, d = held[at], held[at + 1], held[at + 2], held[at + 3]
    for t in range(first, last):
        k = row[t - 1]
        r = moves[g, k, 0] - taken[g, t, 0]
        s = moves[g, k, 1] - taken[g, t, 1]
        u = moves[g, k, 2] - taken[g, t, 2]
        v = moves[g, k, 3] - taken[g, t, 3]
        a *= 1.0 + (r if r > -1.0 else -1.0)
        b *= 1.0 + (s if s > -1.0 else -1.0)
        c *= 1.0 + (u if u > -1.0 else -1.0)
        d *= 1.0 + (v if v > -1.0 else -1.0)
        if g > 0:
            out[t] = out[t] + a + b + c + d
        else:
            out[t] = a + b + c + d
    held[at], held[at + 1], held[at + 2], held[at + 3] = a, b, c, d


def walk_path(walk: Walk, moves: Floats, row: Ints, goal: Floats, held: Floats, out: Floats) -> float:
    """Carry a portfolio along one path: one tranche, calendar trades, proportional costs; return its cash at the end.

    What it does to the portfolio is what `run_path` would do, bit for bit; from a ruin on, `out` means nothing.
    `row` (n - 1,) says which row of `moves` is the session after the purchase, the next, and so on. Filled: `held` (m,)
    at the end and `out` (n,), the value at each close. The targets of funds that lost everything become 0 in `goal`.
    """
    m = goal.shape[0]
    n = out.shape[0]
    cash = 0.0
    out[0] = 1.0
    for i in range(m):
        goal[i] = walk.goal[i]
        held[i] = 0.0
    for k in range(walk.stops.shape[0]):
        t = walk.stops[k]
        if t > 0:
            for i in range(m):
                goal[i] = goal[i] if held[i] > 0.0 else 0.0
        after = settle(out[t], held, goal, walk.rates[t])
        aimed = 0.0
        for i in range(m):
            held[i] = after * goal[i]
            aimed += goal[i]
        spare = 1.0 - aimed
        cash = after * spare if spare > NOISE or spare < -NOISE else 0.0
        out[t] = after
        last = walk.stops[k + 1] + 1 if k + 1 < walk.stops.shape[0] else n
        for g in range(moves.shape[0]):
            carry_four(t + 1, last, g, moves, walk.taken, row, held, out)
        if cash != 0.0:
            accrued = walk.lend if cash > 0.0 else walk.borrow
            for j in range(t + 1, last):
                cash = cash * (1.0 + accrued[j])
                out[j] += cash
    return cash


def measure_path(growth: Floats, found: Floats) -> int:
    """Measure a path: deepest drawdown, sessions under water, their longest run (method M10).

    Returns the session on which nothing is left, or -1; from then on it is under water.
    """
    before = 1.0
    peak = 1.0
    worst = 1.0
    under = 0
    longest = 0
    since = 0
    end = -1
    for t in range(growth.shape[0]):
        total = growth[t]
        if total >= peak:
            peak = total
            gap = t - since - 1
            if gap > 0:
                under += gap
                longest = gap if gap > longest else longest
            since = t
        elif total <= NOISE * before:
            worst = 0.0
            end = t
            break
        elif total < worst * peak:
            worst = total / peak
        before = total
    gap = growth.shape[0] - 1 - since
    under += gap
    found[2] = worst - 1.0
    found[3] = under
    found[4] = gap if gap > longest else longest
    return end


def note_path(values: Floats, marks: Ints, p: int, out: Floats) -> None:
    """Write down the values of path p at the marked sessions, (marks, paths)."""
    for k in range(marks.shape[0]):
        out[k, p] = values[marks[k]]


def run_walks(
    walk: Walk, moves: Floats, rows: Ints, marks: Ints, found: Floats, marked: Floats, weights: Floats
) -> None:
    """Run a portfolio on each path by `walk_path`.

    Filled for each path: found (6, paths), which are growth and value at the end, the three of `measure_path`, and the
    session of its end or -1; marked (marks, paths), values at the marked sessions; weights (m, paths) at the end,
    unless it is empty.
    """
    n = walk.rates.shape[0]
    m = walk.goal.shape[0]
    out = np.zeros(n)
    goal = np.zeros(m)
    held = np.zeros(m)
    figures = np.zeros(6)
    for p in range(rows.shape[0]):
        walk_path(walk, moves, rows[p], goal, held, out)
        end = measure_path(out, figures)
        if end >= 0:
            out[end:] = 0.0
        figures[0] = out[n - 1]
        figures[1] = out[n - 1]
        figures[5] = end
        for k in range(6):
            found[k, p] = figures[k]
        note_path(out, marks, p, marked)
        for i in range(weights.shape[0]):
            weights[i, p] = held[i] / out[n - 1] if end < 0 else 0.0


def run_paths(
    plan: Plan, taken: Floats, moves: Floats, rows: Ints, marks: Ints, found: Floats, marked: Floats, weights: Floats
) -> None:
    """Run a portfolio with whatever can happen to it on each path by `run_path`; the rest as `run_walks`.

    `plan.market.returns` is room to work in.
    """
    n, m = plan.market.returns.shape
    value = np.zeros(n)
    growth = np.zeros(n)
    held = np.zeros((n, m))
    trades = np.zeros((n, m))
    facts = np.zeros((n, 5))
    figures = np.zeros(6)
    for p in range(rows.shape[0]):
        for i in range(m):
            g = 0
            while 4 * g + 4 <= i:
                g += 1
            for t in range(1, n):
                r = moves[g, rows[p, t - 1], i - 4 * g] - taken[t, i]
                plan.market.returns[t, i] = r if r > -1.0 else -1.0
        end = run_path(plan, value, held, trades, facts)
        last = end - n if end >= n else n - 1
        grow(value, facts, end if 0 <= end < n else last, growth)
        if 0 <= end < n:
            growth[end:] = 0.0
        measure_path(growth[: last + 1], figures)
        figures[0] = growth[last]
        figures[1] = value[n - 1]
        figures[5] = end
        for k in range(6):
            found[k, p] = figures[k]
        note_path(value, marks, p, marked)
        for i in range(weights.shape[0]):
            weights[i, p] = held[n - 1, i] / value[n - 1] if end < 0 else 0.0


def grow(value: Floats, facts: Floats, last: int, growth: Floats) -> None:
    """Value of 1 put in, without the cash flows, up to session `last`."""
    flowed = False
    for t in range(last + 1):
        flowed = flowed or facts[t, 1] != 0.0
    rise = 1.0
    growth[0] = value[0]
    for t in range(1, last + 1):
        rise = rise * (1.0 + ((value[t] - facts[t, 1]) / value[t - 1] - 1.0))
        growth[t] = value[0] * rise if flowed else value[t]
