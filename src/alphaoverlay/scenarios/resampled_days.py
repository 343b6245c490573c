"""Stationary bootstrap: paths made of the history's own days, in blocks (method M10, generator 1).

Source: D. N. Politis and J. P. Romano, "The stationary bootstrap", J. American Statistical Association 89 (1994),
1303-1313 (bibliographic data read).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alphaoverlay.engine._jit import compiled_kernels
from alphaoverlay.errors import StudyError
from alphaoverlay.history import FloatArray
from alphaoverlay.scenarios import _kernels
from alphaoverlay.scenarios.block_length import block_length
from alphaoverlay.scenarios.joint_days import JointDays
from alphaoverlay.scenarios.mean_adjustment import Mean, gross_factors
from alphaoverlay.scenarios.paths import Paths

# Beyond so many means a length is drawn on, one block in a thousand; no table is longer than a few pages of memory.
MEANS, LONGEST_TABLE = 7.0, 4096


class Lengths(NamedTuple):
    """Geometric lengths by inversion, as the kernels read them.

    survival : the chance, in 2^-32, that a length exceeds k = 0, 1, ...; that of the last continues by drawing anew,
        which is exact because a geometric length has no memory.
    guide : by the word's leading 12 bits, the least length that such a word can mean.
    """

    survival: NDArray[np.int64]
    guide: NDArray[np.int64]


@lru_cache(maxsize=16)
def geometric_lengths(block: float) -> Lengths:
    """Return the tables for lengths of mean `block`, at least 1; infinity makes blocks that never end.

    Chances are rounded to 2^-32, which changes the mean by less than a millionth of a session times the table's length.
    """
    longest = math.ceil(min(MEANS * block, LONGEST_TABLE))
    chances = (1.0 - 1.0 / block) ** np.arange(longest + 1)
    survival = np.rint(chances * 2.0**32).astype(np.int64)
    highest = ((np.arange(2 ** (32 - _kernels.GUIDE_SHIFT)) + 1) << _kernels.GUIDE_SHIFT) - 1
    # The length of word w is 1 + the number of k >= 1 whose survival is above w.
    above = longest - np.searchsorted(survival[:0:-1], highest, side="right")
    return Lengths(survival, np.minimum(above + 1, longest).astype(np.int64))


def key_of(seed: int) -> tuple[int, int]:
    """Return the low and high 32 bits of a seed: the key of its streams."""
    return seed & _kernels.MASK, (seed >> 32) & _kernels.MASK


def checked_block(block: float) -> float:
    """Return a stated mean block length.

    Raises
    ------
    StudyError : it is below one session, or no number.
    """
    if not block >= 1.0:
        raise StudyError(f"block = {block}: write the mean length of a block in sessions, 1 or more")
    return float(block)


def block_fact(block: float) -> float | str:
    """Return how results name a block length: infinity is no number in JSON."""
    return block if math.isfinite(block) else "endless"


@dataclass(frozen=True)
class ResampledDays:
    """Paths made of the history's days in circular blocks of geometric length (method M10).

    Attributes
    ----------
    names : the K indices.
    table : the history's simple total returns after the mean adjustment, shape (T, K).
    block : mean length of a block in sessions; infinity makes every path a rotation of the history.
    """

    names: tuple[str, ...]
    table: FloatArray
    block: float
    key: str = field(default="bootstrap", init=False)

    @classmethod
    def fit(cls, days: JointDays, *, mean: Mean = "historical", block: float | None = None) -> ResampledDays:
        """Take the days of a history; the block length is automatic where it is not stated.

        Raises
        ------
        StudyError : a block below one session, or a mean that is none.
        """
        chosen = block_length(days).sessions if block is None else checked_block(block)
        factors = gross_factors(days.names, days.returns, mean)
        table = np.where(factors == 1.0, days.returns, (1.0 + days.returns) * factors - 1.0)
        return cls(days.names, np.ascontiguousarray(table), chosen)

    def draw(self, seed: int, first: int, count: int, sessions: int) -> Paths:
        """Return the paths `first` to `first + count - 1`: the history's table, and the days of each; thread-safe."""
        rows = np.empty((count, sessions), dtype=np.int32)
        survival, guide = geometric_lengths(self.block)
        compiled_kernels(_kernels)["resample_rows"](*key_of(seed), first, len(self.table), survival, guide, rows)
        return Paths(self.table, rows)

    def facts(self) -> dict[str, float | int | str]:
        """Mean block length, and days there are."""
        return {"block_length": block_fact(self.block), "days": len(self.table)}
