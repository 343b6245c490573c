"""Falls below the running peak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from alphaoverlay.history import FloatArray


@dataclass(frozen=True)
class Drawdown:
    """The deepest fall: how deep, from which close to which, and when the peak was reached again (None: not yet)."""

    depth: float
    peak: pd.Timestamp
    trough: pd.Timestamp
    recovery: pd.Timestamp | None


def drawdowns(value: pd.Series, start: float | None = 1.0) -> FloatArray:
    """Return value / running peak - 1 at each close; the peak starts at `start` (None: at the first value)."""
    levels = value.to_numpy(dtype=np.float64)
    peaks = np.maximum.accumulate(levels if start is None else np.maximum(levels, start))
    return levels / peaks - 1.0


def deepest_drawdown(value: pd.Series, start: float | None = 1.0) -> Drawdown | None:
    """Return the deepest drawdown with its dates, or None where the value never fell below its peak."""
    falls = drawdowns(value, start)
    if len(falls) == 0 or falls.min() >= 0.0:
        return None
    levels = value.to_numpy(dtype=np.float64)
    trough = int(np.argmin(falls))
    # The last close at the peak; the first session where the peak is the wealth before the purchase.
    at_peak = np.flatnonzero(falls[:trough] >= 0.0)
    peak = int(at_peak[-1]) if len(at_peak) else 0
    height = levels[trough] / (1.0 + falls[trough]) if falls[trough] > -1.0 else levels[peak]
    back = np.flatnonzero(levels[trough:] >= height * (1.0 - 1e-12))
    dates = value.index
    recovery = dates[trough + int(back[0])] if len(back) else None
    return Drawdown(float(falls[trough]), dates[peak], dates[trough], recovery)
