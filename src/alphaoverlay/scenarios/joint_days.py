"""Joint days: the indices' returns on the sessions on which all of them are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alphaoverlay.errors import DataError, StudyError
from alphaoverlay.history import FloatArray, iso

FEWEST = 60


@dataclass(frozen=True)
class JointDays:
    """Simple total returns of K indices on T sessions.

    Attributes
    ----------
    names : the indices, in the order of the columns.
    dates : the sessions, ascending; they may have holes where an index is unknown.
    returns : shape (T, K), above -1.
    """

    names: tuple[str, ...]
    dates: pd.DatetimeIndex
    returns: FloatArray

    @classmethod
    def of(cls, returns: Mapping[str, pd.Series], asof: pd.Timestamp, window: int | None = None) -> JointDays:
        """Take the last `window` sessions up to `asof` on which all are known; all of them where None.

        Raises
        ------
        StudyError : a window of fewer than 60.
        DataError : fewer than 60 are known, or a return of -1.
        """
        if window is not None and window < FEWEST:
            raise StudyError(f"window = {window}: write {FEWEST} sessions or more (756 are three years)")
        frame = pd.DataFrame(dict(returns)).loc[:asof].dropna()
        frame = frame if window is None else frame.iloc[-window:]
        if len(frame) < FEWEST:
            raise DataError(
                f"only {len(frame)} sessions up to {iso(asof)} on which {', '.join(returns)} are all known; {FEWEST} "
                "are needed. Add earlier data, or ask for a later day"
            )
        values = np.array(frame.to_numpy(dtype=np.float64), order="C")
        if (values <= -1.0).any():
            raise DataError(f"{frame.columns[int(np.argwhere(values <= -1.0)[0][1])]} lost everything in a session")
        return cls(tuple(frame.columns), pd.DatetimeIndex(frame.index), values)

    @property
    def log_returns(self) -> FloatArray:
        """Log total returns, shape (T, K)."""
        return np.log1p(self.returns)

    def only(self, names: tuple[str, ...]) -> JointDays:
        """Return the columns of these indices, in this order."""
        columns = [self.names.index(name) for name in names]
        return JointDays(names, self.dates, np.ascontiguousarray(self.returns[:, columns]))
