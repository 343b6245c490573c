"""Corrections and bear markets of a level: every episode, and the state on each day (method M11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from alphaoverlay.analysis.drawdowns import drawdowns

# Ten below a hundred is a correction, whatever 0.9 - 1 is in binary.
ROUNDING = 1e-12
CORRECTION, BEAR = -0.10 + ROUNDING, -0.20 + ROUNDING
State = Literal["none", "correction", "bear", "recovering", "recovered"]


@dataclass(frozen=True)
class Correction:
    """A fall of 10% or more below a peak, until the peak is reached again.

    Attributes
    ----------
    peak : last close at the peak.
    began : first close 10% or more below it.
    bear : first close 20% or more below it; None where it never was.
    trough, depth : the lowest close so far, and how far below the peak.
    recovered : first close back at the peak; None while it lasts.
    """

    peak: pd.Timestamp
    began: pd.Timestamp
    bear: pd.Timestamp | None
    trough: pd.Timestamp
    depth: float
    recovered: pd.Timestamp | None


@dataclass(frozen=True)
class Corrections:
    """Where a level stands below its peak.

    Attributes
    ----------
    drawdown : n values, level over running peak, less 1.
    state : n words.
    episodes : in order.
    peak : last close at the running peak of the last session.
    """

    drawdown: pd.Series
    state: pd.Series
    episodes: tuple[Correction, ...]
    peak: pd.Timestamp


def find_corrections(levels: pd.Series) -> Corrections:
    """Find every correction of n levels; none of it looks at later ones."""
    fall = drawdowns(levels, None)
    dates = levels.index
    at_peak = np.flatnonzero(fall >= 0.0)
    episodes: list[Correction] = []
    state = np.full(len(fall), "none", dtype=object)
    # Between one close at a peak and the next lies at most one episode.
    ends = [*at_peak[1:].tolist(), len(fall)]
    for peak, end in zip(at_peak.tolist(), ends, strict=True):
        state[peak:end] = "recovered" if episodes else "none"
        deep = np.flatnonzero(fall[peak:end] <= CORRECTION)
        if not len(deep):
            continue
        began = peak + int(deep[0])
        inside = fall[began:end]
        state[began:end] = np.select([inside <= BEAR, inside <= CORRECTION], ["bear", "correction"], "recovering")
        bear = np.flatnonzero(inside <= BEAR)
        low = began + int(np.argmin(inside))
        episodes.append(
            Correction(
                peak=dates[peak],
                began=dates[began],
                bear=dates[began + int(bear[0])] if len(bear) else None,
                trough=dates[low],
                depth=float(fall[low]),
                recovered=dates[end] if end < len(fall) else None,
            )
        )
    return Corrections(
        drawdown=pd.Series(fall, index=dates, name="drawdown"),
        state=pd.Series(state, index=dates, name="state"),
        episodes=tuple(episodes),
        peak=dates[int(at_peak[-1])],
    )
