"""One root between two places, by false position (the Illinois variant: Dowell and Jarratt 1971)."""

from __future__ import annotations

from collections.abc import Callable

# A value this near nothing, or two places this near each other, end the search.
SURE = 1e-12


def root_between(f: Callable[[float], float], low: float, high: float) -> float:
    """Return a place from `low` to `high` at which a continuous function is nothing; its ends differ in sign."""
    at_low, at_high = f(low), f(high)
    for place, here in ((low, at_low), (high, at_high)):
        if abs(here) <= SURE:
            return place
    kept = 0
    while high - low > SURE:
        place = (low * at_high - high * at_low) / (at_high - at_low)
        if not low < place < high:
            # One end is so near the root that rounding hides the way; the other may still be far.
            place = 0.5 * (low + high)
            if not low < place < high:
                break
        here = f(place)
        if abs(here) <= SURE:
            return place
        # An end that stays twice is given half its weight, or it would stay for good.
        if (here <= 0.0) == (at_low <= 0.0):
            low, at_low, at_high = place, here, at_high * (0.5 if kept > 0 else 1.0)
            kept = 1
        else:
            high, at_high, at_low = place, here, at_low * (0.5 if kept < 0 else 1.0)
            kept = -1
    return 0.5 * (low + high)
