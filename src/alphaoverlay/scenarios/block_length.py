"""How long blocks must be to carry what hangs together in a history (method M10).

Source: D. N. Politis and H. White, "Automatic block-length selection for the dependent bootstrap", Econometric Reviews
23 (2004), 53-70, with the correction of A. Patton, D. N. Politis and H. White, Econometric Reviews 28 (2009), 372-375.
The choices that these leave open (the longest block, how many autocorrelations must be small) are those of the package
arch, which a test compares with; importing it here would take two seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from alphaoverlay.history import FloatArray
from alphaoverlay.scenarios.joint_days import JointDays


@dataclass(frozen=True)
class BlockLength:
    """The automatic mean block length of a stationary bootstrap.

    Attributes
    ----------
    sessions : the largest of all, at least 1: blocks must carry the clustering of volatility too.
    by_series : for each index the length for its returns and for their squares, as the rule gives them.
    """

    sessions: float
    by_series: Mapping[str, tuple[float, float]]


def block_length(days: JointDays) -> BlockLength:
    """Choose the mean block length for the joint simple returns of a history (method M10)."""
    return longest_block(days.names, days.returns)


def longest_block(names: tuple[str, ...], values: FloatArray) -> BlockLength:
    """Choose the mean block length for columns of any kind; `values` has the shape (T, K)."""
    found = {
        name: (series_length(column), series_length(column * column))
        for name, column in zip(names, values.T, strict=True)
    }
    return BlockLength(max(1.0, *(length for pair in found.values() for length in pair)), found)


def series_length(values: FloatArray) -> float:
    """Return the automatic mean block length of one series, in sessions; 1 for one that never moves.

    It is `(2*G^2/D)^(1/3) * n^(1/3)`, G the sum of `lambda(k/M)*|k|*R(k)` over the lags up to M and D twice the
    squared sum of `lambda(k/M)*R(k)`, R the autocovariances and lambda the trapezoidal window; at most the smaller
    of `3*sqrt(n)` and `n/3`, rounded up.
    """
    n = len(values)
    if n < 8 or np.ptp(values) <= 0.0:
        return 1.0
    centred = values - values.mean()
    run = max(5, int(math.log10(n)))
    furthest = math.ceil(math.sqrt(n)) + run
    products = np.array([centred[lag:] @ centred[: n - lag] for lag in range(furthest + 1)])
    width = _bandwidth(centred, products, run, furthest)
    lags = np.arange(1, width + 1)
    window = np.minimum(1.0, 2.0 * (1.0 - lags / width))
    weighted = 2.0 * window * products[1 : width + 1] / n
    spectrum = products[0] / n + weighted.sum()
    if spectrum == 0.0:
        return 1.0
    length = math.cbrt(((lags * weighted).sum() / spectrum) ** 2 * n)
    return min(length, float(math.ceil(min(3.0 * math.sqrt(n), n / 3.0))))


def _bandwidth(centred: FloatArray, products: FloatArray, run: int, furthest: int) -> int:
    """Twice the lag after which `run` autocorrelations in a row are small; the furthest where there is none."""
    n = len(centred)
    squares = np.concatenate(([0.0], np.cumsum(centred * centred)))
    lags = np.arange(furthest + 1)
    scale = np.sqrt((squares[n] - squares[lags + 1]) * squares[n - lags - 1])
    small = np.abs(products) < 2.0 * math.sqrt(math.log10(n) / n) * scale
    # The correlation of a lag is judged only once that after the run is known, as arch does.
    quiet = np.flatnonzero(sliding_window_view(small[:-1], run).all(axis=1))
    return min(2 * max(int(quiet[0]), 1), furthest) if len(quiet) else furthest
