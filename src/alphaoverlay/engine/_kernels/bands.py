"""Bands: what they measure, whether one is broken, and where a breach is traded to (method M7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alphaoverlay.engine._kernels.costs import NOISE

if TYPE_CHECKING:
    from alphaoverlay.engine.plan import BandArrays, Ints
    from alphaoverlay.history import FloatArray as Floats


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
