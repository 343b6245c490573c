"""Target weights for the engine: one row for all sessions, or one a session, and a lag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alphaoverlay.errors import StudyError
from alphaoverlay.history import FloatArray

# Weights may add up to this many times the capital.
MOST = 10.0


@dataclass(frozen=True)
class Targets:
    """Target weights by session.

    Attributes
    ----------
    symbols : the m funds.
    rows : distinct target rows, shape (r, m); the rest up to 1 is cash, borrowed where it is negative.
    row : which of them is decided on each session, shape (n,), or None for row 0 throughout.
    lag : sessions between decision and trade.
    opening : the row held until the first decision can be traded, as it was decided before the first session; None:
        that first decision itself.
    """

    symbols: tuple[str, ...]
    rows: FloatArray
    row: np.ndarray[tuple[int], np.dtype[np.int64]] | None = None
    lag: int = 0
    opening: int | None = None

    @classmethod
    def constant(cls, symbols: Sequence[str], weights: Sequence[float]) -> Targets:
        """One row for all sessions; a sum above 1 is borrowed, which a backtest allows where it knows the price.

        Raises
        ------
        StudyError : a weight is negative or not finite, or they sum to more than 10.
        """
        return cls(tuple(symbols), np.asarray([weights], dtype=np.float64)).checked()

    @classmethod
    def by_session(cls, frame: pd.DataFrame, lag: int = 0, opening: Sequence[float] | None = None) -> Targets:
        """One row a session, from a frame of weights; equal rows are stored once. `opening` is the weights of that row.

        Raises
        ------
        StudyError : as for `constant`, a negative lag, or an opening of another length.
        """
        if lag < 0:
            raise StudyError(f"lag = {lag}: write 0 (trade at the close that decides) or more")
        given = frame.to_numpy(dtype=np.float64)
        if opening is not None:
            if len(opening) != given.shape[1]:
                raise StudyError(f"opening: {len(opening)} weights for {given.shape[1]} funds")
            given = np.concatenate([given, np.asarray([opening], dtype=np.float64)])
        rows, found = np.unique(given, axis=0, return_inverse=True)
        row = found.reshape(-1).astype(np.int64)
        held = None if opening is None else int(row[-1])
        return cls(tuple(frame.columns), rows, row[: len(frame)], lag, held).checked()

    def in_force(self, sessions: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Row to trade to on each session, after the lag."""
        if self.row is None:
            return np.zeros(sessions, dtype=np.int64)
        if len(self.row) != sessions:
            raise StudyError(f"targets for {len(self.row)} sessions where the returns have {sessions}")
        decided = np.arange(sessions) - self.lag
        found = self.row[np.maximum(decided, 0)]
        return found if self.opening is None else np.where(decided < 0, self.opening, found)

    def checked(self) -> Targets:
        """Return the targets themselves.

        Raises
        ------
        StudyError : a weight is negative or not finite, too many or too few of them, or a sum above 10.
        """
        rows = self.rows
        if rows.shape[1] != len(self.symbols):
            raise StudyError(f"{rows.shape[1]} weights for {len(self.symbols)} funds")
        if not np.isfinite(rows).all() or (rows < 0.0).any():
            raise StudyError("a target weight is negative or not finite; for a short position use an inverse fund")
        if (total := float(rows.sum(axis=1).max(initial=0.0))) > MOST + 1e-9:
            raise StudyError(f"the weights add up to {total:.4f}, more than {MOST:g} times the capital; lower them")
        return self
