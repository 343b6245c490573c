"""The store: time to read it and room that it takes, beside plain rows in a table of SQLite."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from alphaoverlay.history import FloatArray
from alphaoverlay.market.source import Source
from bench.measure import Measurement, Result

SYMBOLS = [f"FUND{k:02d}" for k in range(20)]
YEARS = 30
# Sessions fetched one at a time after the rest, as a user does day by day.
DAILY = 252
AT = "2020-12-31T22:00:00Z"


def stored_measurements() -> Iterator[Measurement]:
    """Yield the measurements of the store."""
    read = f"{len(SYMBOLS)} symbols x {YEARS} years from the store: CPU"
    yield Measurement(
        read, lambda: Result(read, _cpu(_read_all), "s", 0.4, "rows in SQLite, by pandas", _cpu(_read_rows))
    )
    history = "the same as a checked history: CPU"
    yield Measurement(history, lambda: Result(history, _cpu(_read_history), "s", 0.8))
    room = "room an observation, last year day by day"
    yield Measurement(room, lambda: Result(room, _room(_store()), "B", 40.0, "rows in SQLite", _room(_rows())))


def _frame(k: int) -> pd.DataFrame:
    """Prices in single precision, as vendors serve them."""
    from alphaoverlay.market.calendar import exchange_sessions

    days = exchange_sessions(2021 - YEARS, 2020)
    draw = np.random.default_rng(k)
    growth = np.exp(np.cumsum(draw.normal(0.0002, 0.012, len(days))))
    close: FloatArray = (100.0 * growth).astype(np.float32).astype(np.float64)
    paid = np.where(np.arange(len(days)) % 63 == 62, 0.004 * close, 0.0).astype(np.float32).astype(np.float64)
    after: FloatArray = np.append(1.0 - paid[1:] / close[:-1], 1.0)
    kept = np.exp(np.log(after)[::-1].cumsum())[::-1]
    return pd.DataFrame(
        {
            "close": close,
            "adj_close": (close * kept).astype(np.float32).astype(np.float64),
            "volume": np.round(draw.lognormal(15.0, 1.0, len(days))),
            "distribution": paid,
            "split": 0.0,
        },
        index=days,
    )


@cache
def _store() -> Path:
    """A store that was filled once and then updated session by session."""
    from alphaoverlay.store.rows import Rows
    from alphaoverlay.store.series_store import open_store
    from alphaoverlay.store.updating import Answer
    from alphaoverlay.store.versions import Key

    path = Path(tempfile.mkdtemp(prefix="alphaoverlay-bench-")) / "store.sqlite"
    store = open_store(str(path))
    facts = {"place": "chart", "nature": "real", "note": "", "currency": "USD", "timezone": "America/New_York"}
    for k, symbol in enumerate(SYMBOLS):
        rows, key = Rows.of(_frame(k)), Key("yahoo", "price", symbol)
        store.update(key, Answer(rows.cut(0, len(rows) - DAILY), None, facts, AT))
        for end in range(len(rows) - DAILY + 1, len(rows) + 1):
            store.update(key, Answer(rows.cut(end - 11, end), rows.day(end - 11), facts, AT))
        assert store.versions(key)[-1].rows == len(rows)
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@cache
def _rows() -> Path:
    path = Path(tempfile.mkdtemp(prefix="alphaoverlay-bench-")) / "rows.sqlite"
    with sqlite3.connect(path) as raw:
        for k, symbol in enumerate(SYMBOLS):
            frame = _frame(k).reset_index(names="day").assign(symbol=symbol)
            frame["day"] = frame["day"].dt.strftime("%Y-%m-%d")
            frame.to_sql("price", raw, if_exists="append", index=False)
        raw.execute("CREATE INDEX price_symbol ON price (symbol, day)")
    return path


def _room(path: Path) -> float:
    observations = sum(len(_frame(k)) for k in range(len(SYMBOLS)))
    return path.stat().st_size / observations


def _source() -> Source:
    from alphaoverlay.market.opening import DataChoice, open_choice

    choice = DataChoice(("yahoo",), store=str(_store()), offline=True)
    return open_choice(choice, now=lambda: datetime(2021, 1, 1, tzinfo=UTC))


def _read_all() -> None:
    source = _source()
    for symbol in SYMBOLS:
        assert len(source.prices(symbol).frame) > 250 * YEARS


def _read_history() -> None:
    from alphaoverlay.market.reading import read_history

    assert len(read_history(_source(), SYMBOLS, 0.02).dates) > 250 * YEARS


def _read_rows() -> None:
    with sqlite3.connect(_rows()) as raw:
        for symbol in SYMBOLS:
            query = "SELECT * FROM price WHERE symbol = ? ORDER BY day"
            frame = pd.read_sql(query, raw, params=(symbol,), parse_dates=["day"])
            assert len(frame) > 250 * YEARS


def _cpu(call: Callable[[], None]) -> float:
    """Median processor time; the first call imports what it needs."""
    call()
    times = []
    for _ in range(5):
        begin = time.process_time()
        call()
        times.append(time.process_time() - begin)
    return statistics.median(times)
