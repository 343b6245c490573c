"""Is everything there that the program needs, and what to do where it is not."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from alphaoverlay import __version__
from alphaoverlay.errors import AlphaOverlayError
from alphaoverlay.report.model import Column, Row, Table

if TYPE_CHECKING:
    from alphaoverlay.store.series_store import Listing, SeriesStore

State = Literal["good", "missing", "wrong"]

# Extra: a package of it, and what it is for.
EXTRAS = {
    "live": (("yfinance", "pandas_datareader", "requests", "sqlalchemy"), "live data and their store"),
    "parquet": (("pyarrow",), "folders of Parquet files"),
    "postgres": (("psycopg", "sqlalchemy"), "a store in PostgreSQL, for a team"),
}
KEYS = {"TIINGO_API_KEY": "tiingo", "STOOQ_API_KEY": "stooq"}


@dataclass(frozen=True)
class Item:
    """One thing that was looked at: good, missing but optional, or wrong."""

    name: str
    state: State
    sentence: str


def look_around(store: str | None = None) -> tuple[Item, ...]:
    """Look at Python, the sample, the extras, keys, the store and the compiler's cache.

    Parameters
    ----------
    store : path or URL of the store; the environment's, else the user's own, where None.
    """
    return (
        Item("program", "good", f"alphaoverlay {__version__} in {Path(__file__).parent.parent}"),
        Item("Python", "good", f"{platform.python_version()} at {sys.executable}, {platform.platform()}"),
        _sample(),
        *(_extra(name) for name in EXTRAS),
        *_keys(),
        _store(store),
        _compiler(),
    )


def doctor_table(items: Sequence[Item]) -> Table:
    """What was looked at, and what to do about it."""
    marks = {"good": "good", "missing": "not there", "wrong": "WRONG"}
    rows = tuple(Row((one.name, marks[one.state], one.sentence)) for one in items)
    return Table("Doctor", (Column("What"), Column("State"), Column("Finding, and what to do")), rows)


def _sample() -> Item:
    from alphaoverlay.market.sample import SampleSource

    try:
        SampleSource().prices("RUT")
    except AlphaOverlayError as error:
        return Item("sample", "wrong", str(error))
    return Item("sample", "good", "the packaged data are there and unchanged")


def _extra(name: str) -> Item:
    modules, purpose = EXTRAS[name]
    absent = [module for module in modules if find_spec(module) is None]
    if absent:
        return Item(name, "missing", f"for {purpose}: pip install 'alphaoverlay[{name}]'")
    return Item(name, "good", f"installed, for {purpose}")


def _keys() -> list[Item]:
    """Which keys are set; never what they are."""
    return [
        Item(name, "good", f"set, for --data {source}")
        if os.environ.get(name)
        else Item(name, "missing", f"not set; needed for --data {source} only")
        for name, source in KEYS.items()
    ]


def _store(place: str | None) -> Item:
    if find_spec("sqlalchemy") is None:
        return Item("store", "missing", "none without the extra live")
    from alphaoverlay.store.engine import exists, store_url
    from alphaoverlay.store.series_store import open_store

    try:
        url = store_url(place)
        if not exists(url):
            return Item("store", "good", f"none yet; the first fetch makes {url.database}")
        opened = open_store(place)
        series = opened.list()
        broken = [str(one.key) for one in series if not _reads(opened, one)]
    except AlphaOverlayError as error:
        return Item("store", "wrong", str(error))
    if broken:
        return Item("store", "wrong", f"{opened.where}: damaged: {', '.join(broken)}; restore it from a copy")
    rows = sum(one.newest.rows for one in series)
    return Item(
        "store", "good", f"{opened.where}: {len(series)} series, {rows:,} rows, every newest version read whole"
    )


def _reads(store: SeriesStore, one: Listing) -> bool:
    try:
        return store.read(one.key) is not None
    except AlphaOverlayError:
        return False


def _compiler() -> Item:
    if find_spec("numba") is None:
        return Item("numba", "missing", "sweeps and simulations need it: pip install alphaoverlay again")
    from alphaoverlay.engine import _kernels

    beside = Path(str(_kernels.__file__)).parent
    if any(os.access(folder, os.W_OK) for folder in (beside, Path.home())):
        return Item("numba", "good", "installed; what it compiles is kept between runs")
    return Item("numba", "wrong", f"nothing can be kept in {beside}: each run compiles anew; set NUMBA_CACHE_DIR")
