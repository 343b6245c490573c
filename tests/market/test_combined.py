"""Several sources read as one: their order, what is chosen for a symbol, and whose words an error has."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.market.little_files import JANUARY, folder_of, price_file, rate_file

from alphaoverlay.errors import DataError, SymbolNotFound
from alphaoverlay.market.combined import CombinedSource
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.reading import read_history
from alphaoverlay.market.sample import SampleSource


def folder(place: Path, **texts: str) -> FolderSource:
    place.mkdir()
    return folder_of(place, **texts)


@pytest.fixture
def one(tmp_path: Path) -> FolderSource:
    return folder(
        tmp_path / "one", A=price_file(JANUARY), B=price_file(JANUARY, 200.0), DFF=rate_file({"2021-01-01": 1.0})
    )


@pytest.fixture
def other(tmp_path: Path) -> FolderSource:
    return folder(
        tmp_path / "other",
        B=price_file(JANUARY, 300.0),
        GSPC=price_file(JANUARY, 400.0),
        DFF=rate_file({"2021-01-01": 2.0}),
        SOFR=rate_file({"2021-01-01": 3.0, "2021-01-11": 4.0}),
    )


def first_close(source: CombinedSource, symbol: str) -> float:
    return float(source.prices(symbol).frame["close"].iloc[0])


def test_the_first_source_that_has_a_symbol_serves_it(one: FolderSource, other: FolderSource) -> None:
    source = CombinedSource((one, other))
    assert [first_close(source, symbol) for symbol in ("A", "B", "GSPC", "^gspc")] == [100.0, 200.0, 400.0, 400.0]
    assert [first_close(CombinedSource((other, one)), symbol) for symbol in ("A", "B")] == [100.0, 300.0]


def test_the_first_source_that_has_a_rate_serves_it(one: FolderSource, other: FolderSource) -> None:
    source = CombinedSource((one, other))
    assert source.rate("DFF").values.tolist() == pytest.approx([0.01])
    assert source.rate("SOFR").values.tolist() == pytest.approx([0.03, 0.04])
    assert CombinedSource((other, one)).rate("DFF").values.tolist() == pytest.approx([0.02])


@pytest.mark.parametrize("spelling", ["B", "b", "^B"])
def test_a_symbol_may_be_served_by_another_than_its_turn(one: FolderSource, other: FolderSource, spelling: str) -> None:
    source = CombinedSource((one,), {"B": other})
    assert first_close(source, spelling) == 300.0
    assert first_close(source, "A") == 100.0


def test_a_rate_may_be_served_by_another_too(one: FolderSource, other: FolderSource) -> None:
    source = CombinedSource((one, other), {"DFF": other})
    assert source.rate("DFF").values.tolist() == pytest.approx([0.02])


def test_what_is_chosen_is_not_looked_for_elsewhere(one: FolderSource, other: FolderSource) -> None:
    source = CombinedSource((one,), {"A": other})
    assert not source.holds("A")
    with pytest.raises(SymbolNotFound, match="other"):
        source.prices("A")


@pytest.mark.parametrize("symbol", ["A", "GSPC", "b"])
def test_it_holds_what_any_of_them_holds(one: FolderSource, other: FolderSource, symbol: str) -> None:
    assert CombinedSource((one, other)).holds(symbol)
    assert not CombinedSource((one, other)).holds("C")


def test_prices_that_none_of_them_has_are_refused_in_the_words_of_the_first(
    one: FolderSource, other: FolderSource
) -> None:
    """The source that the user named first; FRED, added for its rates, is the last."""
    with pytest.raises(SymbolNotFound, match=r"looked for C\.csv in \S*/one "):
        CombinedSource((one, other)).prices("C")


def test_a_rate_that_none_of_them_has_is_refused_in_the_words_of_the_last(
    one: FolderSource, other: FolderSource
) -> None:
    with pytest.raises(SymbolNotFound, match=r"looked for C\.csv in \S*/other "):
        CombinedSource((one, other)).rate("C")


def test_a_defect_is_not_passed_over_for_the_next_source(one: FolderSource, other: FolderSource) -> None:
    (one.folder / "B.csv").write_text("date,close,adj_close\n2021-01-04,0,1\n")
    (one.folder / "DFF.csv").write_text("date,percent\n2021-01-04,many\n")
    source = CombinedSource((one, other))
    for read, name in ((source.prices, "B"), (source.rate, "DFF")):
        with pytest.raises(DataError, match=rf"{name}\.csv, line 2"):
            read(name)


def test_it_is_called_by_all_their_names_once(one: FolderSource, other: FolderSource) -> None:
    assert CombinedSource((one, other), {"A": other, "B": one}).name == f"{one.name}, {other.name}"
    assert CombinedSource((one,), {"A": other}).name == f"{one.name}, {other.name}"


def test_it_says_what_all_of_them_say_once(one: FolderSource) -> None:
    sample = SampleSource()
    assert CombinedSource((one, sample), {"IXIC": sample}).notes == sample.notes
    assert CombinedSource((one,), {"IXIC": sample}).notes == sample.notes


def test_defaults_are_the_first_sources(one: FolderSource) -> None:
    folder_first, sample_first = CombinedSource((one, SampleSource())), CombinedSource((SampleSource(), one))
    assert [source.default_rate for source in (folder_first, sample_first)] == ["DFF", "RF"]
    assert [dict(source.stand_ins) for source in (folder_first, sample_first)] == [{}, {"NASDAQ100": "IXIC"}]


def test_without_a_store_there_is_nothing_to_remember(one: FolderSource) -> None:
    assert CombinedSource((one,)).remember("sha256:0000") == ""


def test_a_history_of_several_sources_names_each_of_them(one: FolderSource, other: FolderSource) -> None:
    history = read_history(CombinedSource((one, other)), ["A", "GSPC"], "SOFR")
    assert [came.source for came in history.provenance] == [one.name, other.name, other.name]
    assert history.close.iloc[0].tolist() == [100.0, 400.0]
    assert history.rate.tolist() == pytest.approx([0.03] * 5 + [0.04] * 6)
