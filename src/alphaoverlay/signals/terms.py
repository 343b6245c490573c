"""What the signal kernels read: a rule compiled to numbers before the loops run."""

from __future__ import annotations

from typing import NamedTuple

from alphaoverlay.history import FloatArray


class Terms(NamedTuple):
    """A tactical rule as numbers.

    `lookback` 0 is all history. `sign` is 1 where a low percentile is bought, -1 for a high one. `at` and `size` are
    the steps, the shallowest first; its percentile is the entry. What was not asked for is infinite. `confirm`: 0
    nothing, 1 trend, 2 momentum.
    """

    window: int
    lookback: int
    fewest: int
    sign: float
    at: FloatArray
    size: FloatArray
    exit: float
    profit: float
    stop: float
    limit: float
    cooldown: int
    rest: float
    confirm: int
    confirm_span: int
