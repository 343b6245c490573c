"""Rows, answers and stores for tests of the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphaoverlay.store.rows import Rows
from alphaoverlay.store.series_store import SeriesStore
from alphaoverlay.store.updating import Answer
from alphaoverlay.store.versions import Key

SPY = Key("yahoo", "price", "SPY")
COLUMNS = ("close", "adj_close", "distribution", "volume")
FIRST = 14_610  # 2010-01-01


def rows_of(values: Mapping[str, Sequence[float]], days: Sequence[int] | None = None) -> Rows:
    """Rows by day, from 2010-01-01 on where no days are named."""
    table = np.array(list(values.values()), dtype=np.float64).T
    own = np.arange(FIRST, FIRST + len(table)) if days is None else np.array(days)
    return Rows(own.astype(np.int32), tuple(values), np.ascontiguousarray(table))


def prices(count: int, seed: int = 1, first: int = FIRST) -> Rows:
    """A share's life: closes between about 20 and 400, a distribution every 63rd day, whole volumes."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.clip(np.cumsum(rng.normal(0.0003, 0.01, count)), -1.6, 1.4))
    distribution = np.where(np.arange(count) % 63 == 62, np.round(close * 0.005, 4), 0.0)
    factor = np.cumprod((1.0 - distribution / close)[::-1])[::-1]
    volume = rng.integers(1_000, 9_000_000, count).astype(float)
    table = np.column_stack((close, close * factor, distribution, volume))
    return Rows(np.arange(first, first + count, dtype=np.int32), COLUMNS, table)


def changed(rows: Rows, **columns: Any) -> Rows:
    """The same rows with some columns put in place of their own."""
    values = rows.values.copy()
    for name, one in columns.items():
        values[:, rows.columns.index(name)] = one
    return Rows(rows.days, rows.columns, values)


def single(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers as a vendor with single precision serves them."""
    return values.astype(np.float32).astype(np.float64)


def without(rows: Rows, *positions: int) -> Rows:
    """The rows without some."""
    keep = np.setdiff1d(np.arange(len(rows)), positions)
    return Rows(rows.days[keep], rows.columns, rows.values[keep])


def answer(rows: Rows, since: str | None = None, at: str = "2026-01-02T03:04:05Z", **facts: Any) -> Answer:
    return Answer(rows, since, facts or {"currency": "USD"}, at)


def bits(rows: Rows) -> tuple[bytes, tuple[str, ...], bytes]:
    """Everything of the rows, bit for bit."""
    return rows.days.astype("<i8").tobytes(), rows.columns, np.ascontiguousarray(rows.values, "<f8").tobytes()


def all_of(store: SeriesStore) -> dict[Key, list[tuple[Any, Any]]]:
    """Every version of every series, bit for bit."""
    everything = {}
    for listing in store.list():
        kept = [(one, store.read(listing.key, one.number)) for one in store.versions(listing.key)]
        everything[listing.key] = [(one, None if read is None else bits(read.rows)) for one, read in kept]
    return everything


def names() -> Iterator[Key]:
    """New keys, one for each example of a property that shares a store."""
    k = 0
    while True:
        k += 1
        yield Key("yahoo", "price", f"T{k}")


def iso(day: int) -> str:
    return str(pd.Timestamp(int(day), unit="D").date())
