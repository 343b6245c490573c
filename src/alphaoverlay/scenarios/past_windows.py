"""The windows of the past in which a statement came about, give or take a fifth (method M9, history)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphaoverlay.errors import DataError, SpanError
from alphaoverlay.history import FloatArray, iso
from alphaoverlay.scenarios.statement import Statement

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

# A window is like a statement where each return is within this share of the stated one.
LIKE = 0.2
# A pinned end, and a move of nothing, within one point at least.
POINT = 0.01


@dataclass(frozen=True)
class PastWindows:
    """Every window of n sessions that was like a statement; w of them, in the order of their starts.

    Attributes
    ----------
    statement : what was stated.
    sessions : n.
    places : of the windows' first sessions among all that were looked at, shape (w,).
    first, last : the sessions at whose closes they begin and end.
    move : the return of the move's first index minus that of its second, shape (w,); None where none was stated.
    ends : simple total returns, w rows, a column for each index of the statement.
    counted : whether a window is one of those that do not overlap, counted from the first on, shape (w,).
    """

    statement: Statement
    sessions: int
    places: Ints
    first: pd.DatetimeIndex
    last: pd.DatetimeIndex
    move: FloatArray | None
    ends: pd.DataFrame
    counted: Bools

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self.places)

    @property
    def non_overlapping(self) -> int:
        """How many of them begin at or after the end of the one counted before."""
        return int(self.counted.sum())


def past_windows(returns: pd.DataFrame, statement: Statement, sessions: int) -> PastWindows:
    """Find every window of `sessions` sessions that was like a statement (method M9, history).

    Parameters
    ----------
    returns : simple total returns, a row a session (of consecutive sessions), a column an index; those that the
        statement does not name play no part. A window in which a named one is unknown is left out.
    statement : a move within a fifth of the stated one (a move of 0: within a point), and pinned ends within a fifth
        (at least a point).
    sessions : n, 1 or more. A window of the closes t to t + n has the returns of the sessions t + 1 to t + n.

    Raises
    ------
    StudyError : the statement says nothing or contradicts itself.
    SpanError : an index that the statement names is not among the columns, or windows of no session.
    DataError : an index lost everything in a session; names both.
    """
    names = list(statement.checked().indices)
    if missing := [name for name in names if name not in returns.columns]:
        raise SpanError(f"no returns of {', '.join(missing)}; the statement is about {', '.join(names)}")
    if sessions < 1:
        raise SpanError(f"windows of {sessions} sessions: write 1 or more")
    made = _ends(returns[names], sessions)
    known = ~np.isnan(made).any(axis=1)
    alike, move = known, None
    if statement.move is not None:
        a, b, size = statement.move
        move = made[:, names.index(a)] - made[:, names.index(b)]
        alike = alike & (np.abs(move - size) <= (LIKE * abs(size) if size else POINT))
    for name, end in statement.pins.items():
        alike = alike & (np.abs(made[:, names.index(name)] - end) <= max(LIKE * abs(end), POINT))
    places = np.flatnonzero(alike).astype(np.int64)
    dates = pd.DatetimeIndex(returns.index)
    first = dates[places]
    return PastWindows(
        statement=statement,
        sessions=sessions,
        places=places,
        first=first,
        last=dates[places + sessions],
        move=None if move is None else move[places],
        ends=pd.DataFrame(made[places], index=first, columns=names),
        counted=_apart(places, sessions),
    )


def _ends(returns: pd.DataFrame, sessions: int) -> FloatArray:
    """Simple returns of every window, shape (T - n, K); NaN where a session of it is unknown."""
    x = np.array(returns.to_numpy(dtype=np.float64), copy=True)
    if len(x) <= sessions:
        return np.empty((0, x.shape[1]))
    # The first session's return was earned before any window begins.
    x[0] = 0.0
    unknown = np.isnan(x)
    lost = np.argwhere(x <= -1.0)
    if len(lost):
        day, column = lost[0]
        raise DataError(f"{returns.columns[column]} lost everything on {iso(returns.index[day])}; end the data before")
    levels = np.cumprod(1.0 + np.where(unknown, 0.0, x), axis=0)
    holes = np.cumsum(unknown, axis=0)
    made = levels[sessions:] / levels[:-sessions] - 1.0
    return np.asarray(np.where(holes[sessions:] > holes[:-sessions], np.nan, made))


def _apart(places: Ints, sessions: int) -> Bools:
    """Mark the first, and the next that begins at or after the end of the one marked before."""
    counted = np.zeros(len(places), dtype=np.bool_)
    free = 0
    for k, place in enumerate(places):
        if k == 0 or place >= free:
            counted[k] = True
            free = int(place) + sessions
    return counted
