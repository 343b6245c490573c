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
    rounded : whether the rescaled past agrees only within the rounding of its prices: stored ones times the factors
        are then not what is served.
    revision : None where the past is the same but for these factors.
    first_changed : position in the stored rows of the first that differs; their number where none does.
    """

    close_scale: float
    adj_scale: float
    rounded: bool
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
    rounded = False
    for j, name in enumerate(old.columns):
        if name not in NOT_COMPARED:
            scale = close_scale if name in WITH_CLOSE else adj_scale if name == "adj_close" else 1.0
            expected = before[:, j] * scale
            rounding = 0.0 if scale == 1.0 else _rounding(before[:, j], after[:, j], scale)
            relative[:, j] = _difference(expected, after[:, j], rounding)
            rounded = rounded or bool(rounding and _difference(expected, after[:, j], 0.0).any())
    touched = relative.max(axis=1, initial=0.0) > 0.0
    added, removed = len(new) - len(common), len(old) - len(common)
    if not touched.any() and not added and not removed:
        return Comparison(close_scale, adj_scale, rounded, None, len(old))
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
    return Comparison(close_scale, adj_scale, rounded, revision, int(np.searchsorted(old.days, days[0])))


def _scale(before: FloatArray, after: FloatArray) -> float:
    """The one factor between two series of prices; 1.0 where half of them did not move, or nearly all share none.

    The half goes by price, not by row: on small prices rounding hides a factor near one.
    """
    known = np.isfinite(before) & np.isfinite(after) & (before > 0.0) & (after > 0.0)
    if not known.any():
        return 1.0
    before, after = before[known], after[known]
    half = 0.5 * before.sum()
    if before[np.abs(after - before) <= NOISE * before].sum() >= half:
        return 1.0
    ratio = after / before
    order = np.argsort(ratio)
    middle = float(ratio[order][np.searchsorted(np.cumsum(before[order]), half)])
    fits = np.abs(after - middle * before) <= NOISE * after + _rounding(before, after, middle)
    if fits.mean() < 0.9:
        return 1.0
    # Rounded prices jitter; all that fit tell the factor more closely than the middle one.
    before, after = before[fits], after[fits]
    return float((after * before).sum() / (before * before).sum())


def _difference(expected: FloatArray, after: FloatArray, rounding: float) -> FloatArray:
    """Differences as a share of the expected value; 0 within noise and rounding, 1 where either is no number."""
    finite = np.isfinite(expected) & np.isfinite(after)
    a, b = np.where(finite, expected, 0.0), np.where(finite, after, 0.0)
    gap = np.abs(b - a)
    share = gap / np.where(a == 0.0, 1.0, np.abs(a))
    same: NDArray[np.bool_] = (expected == after) | (np.isnan(expected) & np.isnan(after))
    return np.where(finite, np.where(gap > NOISE * np.abs(a) + rounding, share, 0.0), np.where(same, 0.0, 1.0))


def _rounding(before: FloatArray, after: FloatArray, scale: float) -> float:
    """What rounding on both sides can make of a rescaled price, and a little for what it does to the factor."""
    return 0.6 * (scale * _unit(before) + _unit(after))


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
