"""What every source of market data must keep. A new source joins `SOURCES`; a live one joins `LIVE`."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from tests.market.little_files import JANUARY, folder_of, price_file, rate_file
from tests.market.served_fred import fred_case
from tests.market.served_french import french_case
from tests.market.served_stooq import stooq_case
from tests.market.served_tiingo import tiingo_case
from tests.market.served_yahoo import yahoo_case

from alphaoverlay.errors import DataError, SymbolNotFound
from alphaoverlay.history import Nature, Provenance
from alphaoverlay.market.combined import CombinedSource
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.reading import read_history
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.market.source import Source
from alphaoverlay.market.stored import StoredSource
from alphaoverlay.store.series_store import open_store

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")
AFTERWARDS = datetime(2021, 6, 1, 12, tzinfo=UTC)  # after the days that are served
STILL = frozenset({"stale"})  # as served factors do
COLUMNS = ("close", "adj_close", "volume", "nav", "distribution", "split")


@dataclass(frozen=True)
class Case:
    """A source, and what it is known to serve."""

    source: Source
    symbols: tuple[str, ...]
    spellings: tuple[str, ...]  # other ways to write a symbol that the source takes
    rates: tuple[str, ...]

    @property
    def rate(self) -> float | None:
        """What to finance with: the source's own rate where it has any."""
        return None if self.rates else 0.01


Factory = Callable[[Path], AbstractContextManager[Case]]
Served = tuple[Source, tuple[str, ...], tuple[str, ...], tuple[str, ...]]


@contextmanager
def sample(folder: Path) -> Iterator[Case]:
    yield Case(SampleSource(), ("GSPC", "IXIC", "RUT"), ("^GSPC", "gspc"), ("RF",))


RATES = {"2021-01-01": 0.09, "2021-01-08": 0.08, "2021-01-15": 0.08}


@contextmanager
def small_folder(folder: Path) -> Iterator[Case]:
    source = folder_of(folder, SPY=price_file(JANUARY), GSPC=price_file(JANUARY, first=3700.0), DFF=rate_file(RATES))
    yield Case(source, ("SPY", "GSPC"), ("^GSPC", "gspc"), ("DFF",))


@contextmanager
def parquet_folder(folder: Path) -> Iterator[Case]:
    for name, first in (("SPY", 100.0), ("GSPC", 3700.0)):
        close = [first + k for k in range(len(JANUARY))]
        columns = {"date": JANUARY, "close": close, "adj_close": close, "volume": [1e6] * len(JANUARY)}
        parquet.write_table(pa.table(columns), folder / f"{name}.parquet")
    parquet.write_table(pa.table({"date": list(RATES), "percent": list(RATES.values())}), folder / "DFF.parquet")
    yield Case(FolderSource(folder), ("SPY", "GSPC"), ("^GSPC", "gspc"), ("DFF",))


@contextmanager
def combined(folder: Path) -> Iterator[Case]:
    """Prices from one, rates from the other."""
    with yahoo_case(folder) as (prices, symbols, spellings, _), fred_case(folder) as (fred, _, _, rates):
        yield Case(CombinedSource((prices, fred)), symbols, spellings, rates)


def live(served: Callable[[Path], AbstractContextManager[Served]]) -> Factory:
    """A live source as it is."""

    @contextmanager
    def factory(folder: Path) -> Iterator[Case]:
        with served(folder) as (source, symbols, spellings, rates):
            yield Case(source, symbols, spellings, rates)

    factory.__name__ = served.__name__.removesuffix("_case")
    return factory


def stored(served: Callable[[Path], AbstractContextManager[Served]]) -> Factory:
    """The same behind a store."""

    @contextmanager
    def factory(folder: Path) -> Iterator[Case]:
        with served(folder) as (source, symbols, spellings, rates):
            behind = StoredSource(source, open_store(str(folder / "store.sqlite")), now=lambda: AFTERWARDS)
            yield Case(behind, symbols, spellings, rates)

    factory.__name__ = f"stored_{served.__name__.removesuffix('_case')}"
    return factory


LIVE: tuple[Callable[[Path], AbstractContextManager[Served]], ...] = (
    yahoo_case, fred_case, stooq_case, tiingo_case, french_case,
)  # fmt: skip
SOURCES: tuple[Factory, ...] = (
    sample, small_folder, parquet_folder, combined, *map(live, LIVE), *map(stored, LIVE),
)  # fmt: skip


@pytest.fixture(scope="module", params=SOURCES, ids=lambda factory: factory.__name__)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    factory: Factory = request.param
    with ExitStack() as stack:
        yield stack.enter_context(factory(tmp_path_factory.mktemp("source")))


def names_of(source: Source) -> set[str]:
    """The source's name, or those of the sources that it reads."""
    return {one.name for one in source.sources} if isinstance(source, CombinedSource) else {source.name}


def check_provenance(one: Provenance, name: str, source: Source, index: pd.DatetimeIndex) -> None:
    assert one.name == name
    assert one.source in names_of(source)
    assert one.place
    assert one.nature in get_args(Nature)
    assert one.observations == len(index)
    assert date.fromisoformat(one.first) == index[0].date()
    assert date.fromisoformat(one.last) >= index[-1].date()


def test_a_source_introduces_itself(case: Case) -> None:
    assert case.source.name
    assert case.source.accept == frozenset()
    assert isinstance(case.source.notes, tuple)
    assert all(note.endswith(".") for note in case.source.notes)
    assert isinstance(case.source.stand_ins, Mapping)
    assert all(case.source.holds(symbol) for symbol in case.source.stand_ins.values())


def test_a_default_rate_is_the_sources_own_or_where_it_has_none_that_of_another_beside_it(case: Case) -> None:
    assert case.source.default_rate in (case.rates or ("DFF",))


def test_every_source_serves_something(case: Case) -> None:
    assert case.symbols or case.rates


def test_what_a_source_holds_it_serves(case: Case) -> None:
    for symbol in (*case.symbols, *case.spellings):
        assert case.source.holds(symbol)
        assert len(case.source.prices(symbol).frame)


def test_prices_have_two_columns_of_floats_first_and_others_only_as_the_protocol_names_them(case: Case) -> None:
    for symbol in case.symbols:
        frame = case.source.prices(symbol).frame
        assert list(frame.columns) == [name for name in COLUMNS if name in frame]
        assert {"close", "adj_close"} <= set(frame.columns)
        assert all(dtype == np.dtype("float64") for dtype in frame.dtypes)


def test_prices_are_positive_and_adj_close_is_complete_whatever_close_is(case: Case) -> None:
    for symbol in case.symbols:
        frame = case.source.prices(symbol).frame
        assert (frame["adj_close"] > 0.0).all()
        assert (frame["close"].dropna() > 0.0).all()
        assert np.isfinite(frame["adj_close"]).all()
        for name in set(COLUMNS[2:]) & set(frame.columns):
            assert (frame[name].dropna() >= 0.0).all()


def test_days_are_naive_ascending_and_unique(case: Case) -> None:
    series = [case.source.prices(symbol).frame.index for symbol in case.symbols]
    for index in (*series, *(case.source.rate(name).values.index for name in case.rates)):
        assert isinstance(index, pd.DatetimeIndex)
        assert index.tz is None
        assert index.is_monotonic_increasing
        assert index.is_unique
        assert (index == index.normalize()).all()


def test_rates_are_fractions(case: Case) -> None:
    for name in case.rates:
        series = case.source.rate(name)
        assert series.name == name
        assert series.values.dtype == np.dtype("float64")
        assert all(math.isfinite(value) and -0.2 <= value <= 0.25 for value in series.values)


def test_provenance_is_filled(case: Case) -> None:
    for symbol in case.symbols:
        series = case.source.prices(symbol)
        check_provenance(series.provenance, symbol, case.source, pd.DatetimeIndex(series.frame.index))
        assert series.provenance.last == str(series.frame.index[-1].date())
    for name in case.rates:
        rate = case.source.rate(name)
        check_provenance(rate.provenance, name, case.source, pd.DatetimeIndex(rate.values.index))


def test_lines_are_none_or_one_a_row(case: Case) -> None:
    for symbol in case.symbols:
        series = case.source.prices(symbol)
        assert len(series.lines) in (0, len(series.frame))
        assert series.provenance.place in series.where(0)


@pytest.mark.parametrize("name", ["NOSUCHTHING", "", "../x"])
def test_the_unknown_is_refused_by_name(case: Case, name: str) -> None:
    assert not case.source.holds(name)
    for read in (case.source.prices, case.source.rate):
        with pytest.raises(SymbolNotFound) as caught:
            read(name)
        assert isinstance(caught.value, DataError)
        assert name in str(caught.value)


def test_reading_twice_gives_the_same(case: Case) -> None:
    for symbol in case.symbols:
        assert case.source.prices(symbol).frame.equals(case.source.prices(symbol).frame)
    for name in case.rates:
        assert case.source.rate(name).values.equals(case.source.rate(name).values)


def test_from_a_day_on_nothing_is_missing_though_more_may_come(case: Case) -> None:
    for symbol in case.symbols:
        whole = case.source.prices(symbol).frame
        since = whole.index[len(whole) // 2]
        part = case.source.prices(symbol, str(since.date())).frame
        assert part[part.index >= since].equals(whole[whole.index >= since])
    for name in case.rates:
        values = case.source.rate(name).values
        since = values.index[len(values) // 2]
        some = case.source.rate(name, str(since.date())).values
        assert some[some.index >= since].equals(values[values.index >= since])


def test_a_source_without_rates_refuses_even_its_default_rate(case: Case) -> None:
    if case.rates:
        assert case.source.rate(case.rates[0]).name == case.rates[0]
    else:
        with pytest.raises(SymbolNotFound, match=case.source.default_rate):
            case.source.rate(case.source.default_rate)


def test_a_history_has_the_columns_as_they_were_asked_for(case: Case) -> None:
    for symbol in (*case.symbols, *case.spellings):
        history = read_history(CombinedSource((case.source,), accept=STILL), [symbol], case.rate)
        assert list(history.adj_close.columns) == [symbol]


def test_a_history_carries_the_sources_notes_and_every_provenance_beside_other_data_where_it_has_no_symbols(
    case: Case, tmp_path: Path
) -> None:
    beside = () if case.symbols else (folder_of(tmp_path, A=price_file(JANUARY)),)
    source = CombinedSource((*beside, case.source), accept=STILL)
    symbols = case.symbols or ("A",)
    history = read_history(source, symbols, case.rate)
    assert history.notes[: len(case.source.notes)] == case.source.notes
    rate = case.source.default_rate if case.rates else "rate"
    assert [one.name for one in history.provenance][: len(symbols) + 1] == [*symbols, rate]
    assert all(one.fingerprint.startswith("sha256:") for one in history.provenance)


# --- the guard of the whole suite ---


@pytest.mark.parametrize(
    "address", ["203.0.113.1", "192.168.1.1", "2001:db8::1"]
)  # set aside for documents, or private
def test_any_other_address_than_loopback_is_refused(address: str, calls_outside: list[str]) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as one, pytest.raises(ConnectionRefusedError, match="no other address than loopback"):
        one.connect((address, 80))
    with socket.socket(family) as one, pytest.raises(ConnectionRefusedError, match="no other address than loopback"):
        one.connect_ex((address, 80))
    with pytest.raises(ConnectionRefusedError, match=r"this one called example\.org"):
        socket.create_connection(("example.org", 80), timeout=0.1)
    assert calls_outside == [f"socket.connect {address}"] * 2 + ["socket.getaddrinfo example.org"]
    calls_outside.clear()  # this test is not to fail
