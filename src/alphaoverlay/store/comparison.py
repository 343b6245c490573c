"""Has a source revised its past? Compares what it serves now with what is stored of it.

A source rescales all adjusted closes when a distribution goes ex, and all prices at a split: one factor for the whole
past, which changes no return. Anything else is a revision.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alphaoverlay.history import FloatArray
from alphaoverlay.store.rows import Rows

# Vendors serve single-precision numbers: two answers about the same price part by less than this share of it.
NOISE = 2e-6
# Columns on the footing of the close, and those whose corrections are not followed.
WITH_CLOSE = ("close", "nav", "distribution")
NOT_COMPARED = ("volume",)


@dataclass(frozen=True)
class Revision:
    """How a source's past changed.

    Attributes
    ----------
    changed : rows whose values differ.
    added, removed : rows in the compared span that are new, or gone.
    first, last : first and last day concerned (ISO dates).
    column, day, largest : the largest difference, as a share of the old value, with its column and day; day is empty
        where only rows came or went.
    """

    changed: int
    added: int
    removed: int
    first: str
    last: str
    column: str
    day: str
    largest: float


@dataclass(frozen=True)
class Comparison:
    """What is stored against what is served.

    Attributes
    ----------
    close_scale, adj_scale : factors by which the source rescaled its past; 1.0 for not at all.
    revision : None where the past is the same but for these factors.
    first_changed : position in the stored rows of the first that differs; their number where none does.
    """

    close_scale: float
    adj_scale: float
    revision: Revision | None
    first_changed: int

    @property
    def rescaled(self) -> bool:
        """Whether the source rescaled its past."""
        return self.close_scale != 1.0 or self.adj_scale != 1.0


def compare(old: Rows, new: Rows) -> Comparison:
    """Compare stored rows with those served for the same span.

    Parameters
    ----------
    old : what is stored, from the first served day on.
    new : what is served, up to the last stored day. Both have the same columns.
    """
    common, own, served = np.intersect1d(old.days, new.days, assume_unique=True, return_indices=True)
    before, after = old.values[own], new.values[served]
    scales = {
        name: _scale(before[:, j], after[:, j]) for j, name in enumerate(old.columns) if name in ("close", "adj_close")
    }
    close_scale = scales.get("close", 1.0)
    adj_scale = scales.get("adj_close", 1.0)
    relative = np.zeros_like(before)
    for j, name in enumerate(old.columns):
        if name not in NOT_COMPARED:
            scale = close_scale if name in WITH_CLOSE else adj_scale if name == "adj_close" else 1.0
            relative[:, j] = _difference(before[:, j], after[:, j], scale)
    touched = relative.max(axis=1, initial=0.0) > 0.0
    added, removed = len(new) - len(common), len(old) - len(common)
    if not touched.any() and not added and not removed:
        return Comparison(close_scale, adj_scale, None, len(old))
    days = np.sort(
        np.concatenate((common[touched], np.setxor1d(old.days, new.days, assume_unique=True))).astype(np.int64)
    )
    row, column = np.unravel_index(int(relative.argmax()), relative.shape) if touched.any() else (0, 0)
    revision = Revision(
        changed=int(touched.sum()),
        added=added,
        removed=removed,
        first=_iso(days[0]),
        last=_iso(days[-1]),
        column=old.columns[int(column)] if touched.any() else "",
        day=_iso(common[row]) if touched.any() else "",
        largest=float(relative[row, column]) if touched.any() else 0.0,
    )
    return Comparison(close_scale, adj_scale, revision, int(np.searchsorted(old.days, days[0])))


def _scale(before: FloatArray, after: FloatArray) -> float:
    """The one factor between two series of prices; 1.0 where half of them did not move, or nearly all share none."""
    known = np.isfinite(before) & np.isfinite(after) & (before > 0.0) & (after > 0.0)
    if not known.any():
        return 1.0
    before, after = before[known], after[known]
    if (np.abs(after - before) <= NOISE * before).mean() >= 0.5:
        return 1.0
    middle = float(np.median(after / before))
    if (np.abs(after - middle * before) <= _slack(before, after, middle)).mean() < 0.9:
        return 1.0
    # Rounded prices jitter; their sums tell the factor more closely.
    return float(after.sum() / before.sum())


def _difference(before: FloatArray, after: FloatArray, scale: float) -> FloatArray:
    """Differences as a share of the old value; 0 within noise and, where rescaled, rounding."""
    expected = before * scale
    slack = NOISE * np.abs(expected) if scale == 1.0 else _slack(before, after, scale)
    gap = np.abs(after - expected)
    base = np.where(np.abs(expected) > 0.0, np.abs(expected), 1.0)
    differs: NDArray[np.bool_] = (gap > slack) | (np.isnan(after) != np.isnan(expected))
    return np.where(differs, np.where(np.isnan(gap), 1.0, gap / base), 0.0)


def _slack(before: FloatArray, after: FloatArray, scale: float) -> FloatArray:
    """Noise, and what rounding on both sides can make of a rescaled price."""
    rounding = 0.51 * (scale * _unit(before) + _unit(after))
    return NOISE * np.abs(after) + rounding


def _unit(values: FloatArray) -> float:
    """The unit that all values are rounded to, 0 where they are finer than a millionth."""
    known = values[np.isfinite(values)]
    for places in range(7):
        scaled = known * 10.0**places
        if (np.abs(scaled - np.round(scaled)) <= 1e-9 * np.maximum(np.abs(scaled), 1.0)).all():
            return float(10.0**-places)
    return 0.0


def _iso(day: int | np.int64) -> str:
    return str(np.datetime64(int(day), "D"))
