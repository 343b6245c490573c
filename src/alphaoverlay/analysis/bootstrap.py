"""The stationary bootstrap: which sessions a resampled history is made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def stationary_indices(n: int, block: float, seed: int, path: int) -> NDArray[np.int64]:
    """Return positions of n sessions in circular blocks of geometric length.

    Source: D. N. Politis and J. P. Romano, "The stationary bootstrap", J. American Statistical Association 89 (1994),
    1303-1313 (bibliographic data read).

    Parameters
    ----------
    n : sessions there are, and sessions wanted.
    block : mean length of a block, at least 1.
    seed, path : key of a counter-based stream: each path is the same whichever others are drawn, in whatever order.
    """
    # A path's number fills the key's second word, so that streams of different paths never meet.
    rng = np.random.Generator(np.random.Philox(key=np.array([seed, path], dtype=np.uint64)))
    begins = rng.random(n) < 1.0 / block
    begins[0] = True
    starts = rng.integers(0, n, n)
    at = np.arange(n)
    block_of = np.maximum.accumulate(np.where(begins, at, 0))
    return np.asarray((starts[block_of] + at - block_of) % n)
