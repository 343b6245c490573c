"""Relative value of a pair: how far one level has outrun another, and how unusual that is (method M11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alphaoverlay.errors import DataError, SpanError
from alphaoverlay.history import FloatArray, counted, iso
from alphaoverlay.signals import _kernels

if TYPE_CHECKING:
    from pandas.core.window import Expanding, Rolling

WINDOW = 756
# Sessions of what followed a signal.
HORIZON = 252
TWENTY_YEARS = 5040
# A percentile or z-score of fewer values than this is no figure.
FEWEST = 252
SESSIONS_A_YEAR = 252
MOST_EXTREMES = 5
# Beyond these a level is no price, and ratios of levels overflow.
LEAST_LEVEL, MOST_LEVEL = 1e-50, 1e50


@dataclass(frozen=True)
class Pair:
    """Levels of a long and a short leg on the same consecutive sessions, without holes.

    Attributes
    ----------
    long, short : n levels each, above 0.
    """

    long: pd.Series
    short: pd.Series

    @classmethod
    def of(cls, levels: pd.DataFrame) -> Pair:
        """Take the two columns of a frame, the long leg first.

        Raises
        ------
        DataError : a level is missing, not above 0, or absurd; says whose and when.
        """
        for name, values in levels.items():
            given = values.to_numpy(dtype=np.float64)
            wrong = np.flatnonzero(~((given > LEAST_LEVEL) & (given < MOST_LEVEL)))
            if len(wrong):
                raise DataError(f"{name} has no usable level on {iso(levels.index[wrong[0]])}: mend the data")
        return cls(levels.iloc[:, 0], levels.iloc[:, 1])

    def __str__(self) -> str:
        return f"{self.long.name} against {self.short.name}"

    @property
    def dates(self) -> pd.DatetimeIndex:
        """The n sessions."""
        return pd.DatetimeIndex(self.long.index)

    @property
    def arrays(self) -> tuple[FloatArray, FloatArray]:
        """Both levels as arrays, shape (n,) each."""
        return (
            np.ascontiguousarray(self.long.to_numpy(dtype=np.float64)),
            np.ascontiguousarray(self.short.to_numpy(dtype=np.float64)),
        )

    def since(self, session: int) -> Pair:
        """The pair from a session on."""
        return Pair(self.long.iloc[session:], self.short.iloc[session:])

    def needs(self, window: int) -> None:
        """Raise SpanError where there are too few sessions for one difference over the window."""
        if len(self.long) <= window:
            raise SpanError(
                f"not enough history: {self} have {counted(len(self.long), 'common session')} ({iso(self.dates[0])} to "
                f"{iso(self.dates[-1])}), and a window of {window:,} needs {window + 1:,}; write a shorter window, or "
                "add earlier data"
            )


def difference(pair: Pair, window: int = WINDOW) -> pd.Series:
    """Return of the long leg minus the short one's over the last `window` sessions, n values, NaN before.

    Raises
    ------
    SpanError : fewer sessions than the window needs.
    """
    pair.needs(window)
    out = np.empty(len(pair.long))
    _kernels.difference(*pair.arrays, window, out)
    return pd.Series(out, index=pair.dates, name="difference")


def annualised_difference(pair: Pair, window: int = WINDOW) -> pd.Series:
    """The same of yearly returns, 252 sessions a year."""
    a_year = SESSIONS_A_YEAR / window
    long, short = ((one / one.shift(window)) ** a_year for one in (pair.long, pair.short))
    return pd.Series(long - short, name="annualised")


def telltale(pair: Pair) -> pd.Series:
    """Ratio of the two levels, 1 on the first session."""
    ratio = pair.long / pair.short
    return pd.Series(ratio / ratio.iloc[0], name="ratio")


def trailing_percentile(values: pd.Series, lookback: int | None = None, fewest: int = FEWEST) -> pd.Series:
    """Rank of each value among those of its lookback: 0 the lowest, 1 the highest, ties by half.

    Parameters
    ----------
    values : n values; NaN only before the first.
    lookback : sessions looked back on, the value's own included; None is all of them.
    fewest : NaN with fewer values than this.

    Returns
    -------
    n values; NaN where the lookback is not filled, or all its values are equal.
    """
    if lookback is not None and lookback < fewest:
        return pd.Series(np.nan, index=values.index)
    window = _window(values, lookback, fewest)
    ranks = (window.rank() - 1.0) / (window.count() - 1.0)
    return pd.Series(ranks.where(window.max() > window.min()), dtype=np.float64)


def trailing_zscore(values: pd.Series, lookback: int | None = None, fewest: int = FEWEST) -> pd.Series:
    """Distance of each value from the mean of its lookback in standard deviations (ddof=1); NaN as for percentiles."""
    if lookback is not None and lookback < fewest:
        return pd.Series(np.nan, index=values.index)
    window = _window(values, lookback, fewest)
    # A sum of squares that should be 0 may be rounding.
    spread = window.std(ddof=1).where(window.max() > window.min())
    return pd.Series((values - window.mean()) / spread, dtype=np.float64)


def _window(values: pd.Series, lookback: int | None, fewest: int) -> Rolling[pd.Series] | Expanding[pd.Series]:
    return values.expanding(fewest) if lookback is None else values.rolling(lookback, max(fewest, lookback))


@dataclass(frozen=True)
class Extreme:
    """One of the lowest or highest differences, and its day."""

    date: pd.Timestamp
    difference: float


def find_extremes(gap: pd.Series, window: int) -> tuple[tuple[Extreme, ...], tuple[Extreme, ...]]:
    """Return the lowest and the highest values, more than `window` sessions apart, up to five of each."""
    known = gap.dropna()
    return _apart(known, window, 1.0), _apart(known, window, -1.0)


def _apart(known: pd.Series, window: int, sign: float) -> tuple[Extreme, ...]:
    left = sign * known.to_numpy(dtype=np.float64)
    found: list[Extreme] = []
    while len(found) < MOST_EXTREMES and np.isfinite(left).any():
        at = int(np.nanargmin(left))
        found.append(Extreme(known.index[at], float(known.iloc[at])))
        left[max(at - window, 0) : at + window + 1] = np.nan
    return tuple(found)
