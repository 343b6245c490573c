"""Many portfolios side by side, with rules and proportional costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alphaoverlay.engine._kernels.bands import destination_of, mark_broken, set_limits
from alphaoverlay.engine._kernels.costs import NOISE, settle_lanes

if TYPE_CHECKING:
    from alphaoverlay.engine.plan import BandArrays, Ints, Market, Plan, Rules
    from alphaoverlay.history import FloatArray as Floats


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
