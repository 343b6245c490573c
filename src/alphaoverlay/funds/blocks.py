"""Block bootstrap of sums: sessions resampled in long blocks, so that what hangs together stays together."""

from __future__ import annotations

import numpy as np

from alphaoverlay.history import FloatArray


def block_sums(values: FloatArray, block: int, resamples: int, seed: int) -> FloatArray:
    """Return the column sums of circular block resamples (Politis and Romano 1992, circular block bootstrap).

    Parameters
    ----------
    values : shape (n, k), rows in time order.
    block : rows a block; the last block of a resample is cut so that each has n rows.
    resamples : how many.
    seed : of the generator; the same seed gives the same sums.

    Returns
    -------
    Shape (resamples, k).
    """
    n, k = values.shape
    block = min(block, n)
    whole, rest = divmod(n, block)
    # Sums of any run of rows are differences of one running sum, twice around the circle.
    running = np.concatenate([np.zeros((1, k)), np.cumsum(np.concatenate([values, values]), axis=0)])
    starts = np.random.default_rng(seed).integers(0, n, size=(resamples, whole + (rest > 0)))
    sums = running[starts[:, :whole] + block] - running[starts[:, :whole]]
    total: FloatArray = sums.sum(axis=1)
    if rest:
        last = starts[:, whole]
        total = total + running[last + rest] - running[last]
    return total
