"""What trades cost, and the value that is left after them (method M6)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from alphaoverlay.engine.plan import Ints
    from alphaoverlay.history import FloatArray as Floats

# Relative to the value: below it a deviation or a trade is rounding.
NOISE = 1e-12


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
