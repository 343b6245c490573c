"""The financing rate on every session, and what stands in for it before its first value (docs/method.md, "Rates").

A rate is what a dollar of cash accrues, `c * calendar days / 360`. The effective federal funds rate (DFF) and SOFR are
quoted so. The three-month bill (DTB3) is quoted as a discount `q` on its face value, and is turned into the yield that
accrues the same: `q / (1 - 91 q / 360)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphaoverlay.errors import SpanError, SymbolNotFound
from alphaoverlay.history import Provenance, RateSeries, iso
from alphaoverlay.market.source import Source

# A rate's last value holds over weekends and holidays, or to the next month; a longer silence is a hole.
RATE_GAP_DAYS, RATE_GAP_SPACINGS = 10.0, 1.5
# What is used before a rate's first value: the next of these that the source has, from a later begun one to an earlier.
EARLIER = ("SOFR", "DFF", "DTB3", "RF")
BILL_DAYS = 91.0


@dataclass(frozen=True)
class Rate:
    """A rate by calendar day, as yearly fractions that accrue on days / 360, and what it is made of.

    Attributes
    ----------
    values : by day.
    holds : for how many days each of them may be the last that is known.
    parts : the rate asked for, and those that stand in before it, from the later begun to the earlier.
    notes : what must be said of them.
    """

    values: pd.Series
    holds: pd.Series
    parts: tuple[Provenance, ...]
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """The rate asked for."""
        return self.parts[0].name

    @property
    def place(self) -> str:
        """Where it came from."""
        return self.parts[0].place


def read_rate_series(source: Source, name: str, needed_from: pd.Timestamp) -> Rate:
    """Read a rate, and before its first value those that stand in for it, as far as the source has them.

    Raises
    ------
    SymbolNotFound : the source does not have the rate itself.
    DataError : as the source says, also of a rate that would stand in: without it the past would be cut in silence.
    """
    values, parts, notes = pd.Series(dtype=np.float64), list[Provenance](), list[str]()
    holds = pd.Series(dtype=np.float64)
    for one in (name, *_earlier(name)):
        if len(values) and values.index[0] <= needed_from:
            break
        try:
            series = accruing(source.rate(one))
        except SymbolNotFound:
            if one == name:
                raise
            continue
        before = series.values if values.empty else series.values[series.values.index < values.index[0]]
        if before.empty:
            continue
        if len(values):
            notes.append(f"Financing rate before {iso(values.index[0])}, where {parts[-1].name} begins: {one}.")
        own = pd.Series(_holds(pd.DatetimeIndex(series.values.index)), index=before.index)
        values, holds = (before, own) if values.empty else (pd.concat([before, values]), pd.concat([own, holds]))
        parts.append(series.provenance)
    return Rate(values.rename(name), holds, tuple(parts), tuple(notes))


def _holds(days: pd.DatetimeIndex) -> float:
    """For how many days a value of a series with these days holds."""
    spacing = float(np.median(np.diff(days.to_numpy()) / np.timedelta64(1, "D"))) if len(days) > 1 else 0.0
    return max(RATE_GAP_DAYS, RATE_GAP_SPACINGS * spacing)


def accruing(series: RateSeries) -> RateSeries:
    """Return the rate as it accrues; only a bill's discount needs to be turned into its yield."""
    if series.name.upper() != "DTB3":
        return series
    note = "; ".join(filter(None, (series.provenance.note, "bank discount turned into the yield it accrues")))
    values = series.values / (1.0 - series.values * BILL_DAYS / 360.0)
    return replace(series, values=values, provenance=replace(series.provenance, note=note))


def rate_on_sessions(rate: Rate, dates: pd.DatetimeIndex, strict_from: pd.Timestamp) -> pd.Series:
    """Return the last value on or before each session.

    Raises
    ------
    SpanError : the rate is silent for too long on or after `strict_from`.
    """
    known = pd.DatetimeIndex(rate.values.index)
    position = known.searchsorted(dates, side="right") - 1
    age: NDArray[np.int64] = np.asarray((dates - known[position]).days)
    longest = rate.holds.to_numpy()[position]
    stale: NDArray[np.intp] = np.flatnonzero((age > longest) & (dates >= strict_from))
    if len(stale):
        day, value_day = dates[stale[0]], known[position[stale[0]]]
        raise SpanError(
            f"{rate.place}: no value of {rate.name} between {iso(value_day)} and {iso(day)}. "
            "Add the missing days, ask for another span (--start, --end), or fix the rate ([cash] rate = 0.02)"
        )
    return pd.Series(rate.values.to_numpy()[position], index=dates, name=rate.name)


def _earlier(name: str) -> Sequence[str]:
    """The rates that stand in before a rate's first value."""
    key = name.upper()
    return EARLIER[EARLIER.index(key) + 1 :] if key in EARLIER else ()
