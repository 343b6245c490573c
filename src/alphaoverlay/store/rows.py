"""Rows of a series, and the blocks of bytes that the store keeps them in.

Decisions: docs/decisions/0007-store.md.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphaoverlay.errors import StoreError
from alphaoverlay.history import FloatArray

# Rows a block: appending writes the last block again, so it is small; each has some bytes of its own, so not tiny.
BLOCK = 256


@dataclass(frozen=True)
class Rows:
    """Values by day.

    Attributes
    ----------
    days : shape (n,), days since 1970-01-01, ascending.
    columns : names of the values.
    values : shape (n, columns).
    """

    days: NDArray[np.int32]
    columns: tuple[str, ...]
    values: FloatArray

    def __len__(self) -> int:
        return len(self.days)

    def cut(self, first: int, last: int) -> Rows:
        """Return the rows at positions first to last - 1."""
        return Rows(self.days[first:last], self.columns, self.values[first:last])

    def only(self, names: Sequence[str]) -> Rows:
        """Return some columns, in the order of the names."""
        return Rows(self.days, tuple(names), self.values[:, [self.columns.index(name) for name in names]])

    def column(self, name: str) -> FloatArray:
        """Return one column's values."""
        return self.values[:, self.columns.index(name)]

    def day(self, row: int) -> str:
        """Return a row's day, ISO 8601."""
        return str(np.datetime64(int(self.days[row]), "D"))

    def position(self, day: str) -> int:
        """Return the position of the first row on or after a day."""
        return int(np.searchsorted(self.days, np.datetime64(day, "D").astype(np.int64)))

    def frame(self) -> pd.DataFrame:
        """Return the rows as a frame by date."""
        index = pd.DatetimeIndex(self.days.astype("datetime64[D]").astype("datetime64[ns]"), name="date")
        return pd.DataFrame(self.values, index=index, columns=list(self.columns))

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Rows:
        """Take a frame indexed by ascending days.

        Raises
        ------
        ValueError : days that repeat or descend, or are missing.
        """
        index = pd.DatetimeIndex(frame.index)
        days = index.to_numpy().astype("datetime64[D]").astype(np.int64)
        if index.hasnans or (np.diff(days) <= 0).any():
            raise ValueError("days must ascend")
        values = frame.to_numpy(dtype=np.float64)
        values = np.ascontiguousarray(np.where(np.isnan(values), np.nan, values))  # one NaN of the many, as text has
        return cls(days.astype(np.int32), tuple(str(name) for name in frame.columns), values)

    def joined(self, later: Rows) -> Rows:
        """Return these rows and later ones with the same columns."""
        return Rows(np.concatenate((self.days, later.days)), self.columns, np.concatenate((self.values, later.values)))

    def digest(self) -> str:
        """Return a hash of days, names and values."""
        digest = hashlib.sha256(",".join(self.columns).encode())
        digest.update(np.ascontiguousarray(self.days, dtype="<i4").tobytes())
        digest.update(np.ascontiguousarray(self.values, dtype="<f8").tobytes())
        return digest.hexdigest()


def pack(rows: Rows) -> bytes:
    """Return up to BLOCK rows as bytes: columns apart, equal bytes of neighbouring numbers together, deflated."""
    parts = [
        np.ascontiguousarray(rows.days, dtype="<i4"),
        *(np.ascontiguousarray(c, dtype="<f8") for c in rows.values.T),
    ]
    return zlib.compress(b"".join(part.view(np.uint8).reshape(len(rows), -1).T.tobytes() for part in parts), 6)


def unpack(payload: bytes, columns: tuple[str, ...]) -> Rows:
    """Return a block's rows.

    Raises
    ------
    StoreError : the bytes are not a block of these columns.
    """
    try:
        raw = np.frombuffer(zlib.decompress(payload), dtype=np.uint8)
        count, rest = divmod(len(raw), 4 + 8 * len(columns))
    except zlib.error:
        count, rest = 0, 1
    if rest or not 0 < count <= BLOCK:
        raise StoreError("the store is damaged: a block of it cannot be read. Restore it from a copy or an export")
    days = raw[: 4 * count].reshape(4, count).T.copy().view("<i4").reshape(count)
    values = np.empty((count, len(columns)))
    for j in range(len(columns)):
        start = (4 + 8 * j) * count
        values[:, j] = raw[start : start + 8 * count].reshape(8, count).T.copy().view("<f8").reshape(count)
    return Rows(days.astype(np.int32), columns, values)
