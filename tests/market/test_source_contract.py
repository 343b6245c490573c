"""What every source of market data must keep. A new source joins `SOURCES`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from tests.market.little_files import JANUARY, folder_of, price_file, rate_file

from alphaoverlay.errors import DataError, SymbolNotFound
from alphaoverlay.history import Nature, Provenance
from alphaoverlay.market.reading import read_history
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.market.source import Source


@dataclass(frozen=True)
class Case:
    """A source, and what it is known to serve."""

    source: Source
    symbols: tuple[str, ...]
    spellings: tuple[str, ...]  # other ways to write a symbol that the source takes
    rates: tuple[str, ...]


def sample(folder: Path) -> Case:
    return Case(SampleSource(), ("GSPC", "IXIC", "RUT"), ("^GSPC", "gspc"), ("RF",))


def small_folder(folder: Path) -> Case:
    source = folder_of(
        folder,
        SPY=price_file(JANUARY),
        GSPC=price_file(JANUARY, first=3700.0),
        DFF=rate_file({"2021-01-01": 0.09, "2021-01-08": 0.08, "2021-01-15": 0.08}),
    )
    return Case(source, ("SPY", "GSPC"), ("^GSPC", "gspc"), ("DFF",))


SOURCES: tuple[Callable[[Path], Case], ...] = (sample, small_folder)


@pytest.fixture(scope="module", params=SOURCES, ids=lambda factory: factory.__name__)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    factory: Callable[[Path], Case] = request.param
    return factory(tmp_path_factory.mktemp("source"))


def check_provenance(one: Provenance, name: str, source: Source, index: pd.DatetimeIndex) -> None:
    assert (one.name, one.source) == (name, source.name)
    assert one.place
    assert one.nature in get_args(Nature)
    assert one.observations == len(index)
    assert date.fromisoformat(one.first) == index[0].date()
    assert date.fromisoformat(one.last) >= index[-1].date()


def test_a_source_introduces_itself(case: Case) -> None:
    assert case.source.name
    assert case.source.default_rate in case.rates
    assert isinstance(case.source.notes, tuple)
    assert all(note.endswith(".") for note in case.source.notes)
    assert isinstance(case.source.stand_ins, Mapping)
    assert all(case.source.holds(symbol) for symbol in case.source.stand_ins.values())


def test_what_a_source_holds_it_serves(case: Case) -> None:
    for symbol in (*case.symbols, *case.spellings):
        assert case.source.holds(symbol)
        assert len(case.source.prices(symbol).frame)


def test_prices_have_two_columns_of_floats(case: Case) -> None:
    for symbol in case.symbols:
        frame = case.source.prices(symbol).frame
        assert list(frame.columns) == ["close", "adj_close"]
        assert all(dtype == np.dtype("float64") for dtype in frame.dtypes)


def test_prices_are_positive_and_adj_close_is_complete(case: Case) -> None:
    for symbol in case.symbols:
        frame = case.source.prices(symbol).frame
        assert (frame["adj_close"] > 0.0).all()
        assert (frame["close"].dropna() > 0.0).all()
        assert np.isfinite(frame["adj_close"]).all()


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


def test_a_history_has_the_columns_as_they_were_asked_for(case: Case) -> None:
    for symbol in (*case.symbols, *case.spellings):
        history = read_history(case.source, [symbol])
        assert list(history.adj_close.columns) == [symbol]


def test_a_history_carries_the_sources_notes_and_every_provenance(case: Case) -> None:
    history = read_history(case.source, case.symbols)
    assert history.notes[: len(case.source.notes)] == case.source.notes
    assert [one.name for one in history.provenance] == [*case.symbols, case.source.default_rate]
