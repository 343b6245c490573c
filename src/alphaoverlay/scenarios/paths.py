"""Paths of index returns, as generators draw them and as the engine runs them."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from alphaoverlay.history import FloatArray

Rows = NDArray[np.int32]


class Paths(NamedTuple):
    """Paths whose session t is the row `rows[p, t]` of a table of days.

    A resample names the days of one history, the same table for all paths; a model's days are a table of their own.

    table : simple total returns, shape (days, K), C order.
    rows : shape (paths, sessions), C order.
    hits : values that a generator's limit cut, counted by index and session.
    """

    table: FloatArray
    rows: Rows
    hits: int = 0


class Generator(Protocol):
    """Draws paths of index returns; path p is the same whichever others are drawn.

    Attributes
    ----------
    names : the K indices, in the order of the table's columns.
    key : what the command line calls it.
    """

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def key(self) -> str: ...

    def draw(self, seed: int, first: int, count: int, sessions: int) -> Paths:
        """Return the paths `first` to `first + count - 1`; thread-safe."""
        ...

    def facts(self) -> dict[str, float | int | str]:
        """What a reader must know of it, by name: block length, degrees of freedom, persistence and so on."""
        ...


def own_days(returns: FloatArray) -> Paths:
    """Return paths that are their own table; `returns` has the shape (paths, sessions, K)."""
    count, sessions, k = returns.shape
    rows = np.arange(count * sessions, dtype=np.int32).reshape(count, sessions)
    return Paths(np.ascontiguousarray(returns.reshape(count * sessions, k)), rows)
