"""The folder source: which file answers to a symbol, and what is said where none does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.market.little_files import JANUARY, folder_of, price_file, rate_file

from alphaoverlay.errors import DataError, SymbolNotFound
from alphaoverlay.market.folder import FolderSource


@pytest.mark.parametrize("file", ["GSPC.csv", "^GSPC.csv", "gspc.csv", "^gspc.csv", "GSPC.CSV", "prices/GSPC.csv"])
@pytest.mark.parametrize("symbol", ["GSPC", "^GSPC", "gspc"])
def test_a_symbol_is_found_however_its_file_is_spelled(tmp_path: Path, file: str, symbol: str) -> None:
    (tmp_path / "prices").mkdir()
    (tmp_path / file).write_text(price_file(JANUARY))
    source = FolderSource(tmp_path)
    assert source.holds(symbol)
    series = source.prices(symbol)
    assert series.symbol == symbol
    assert series.provenance.place == file
    assert series.frame["close"].iloc[0] == 100.0


@pytest.mark.parametrize("symbol", ["BRK.B", "BRK-B", "ES=F", "A_B", "7203.T", "DX-Y.NYB"])
def test_marks_that_vendors_put_in_symbols_are_allowed(tmp_path: Path, symbol: str) -> None:
    (tmp_path / f"{symbol}.csv").write_text(price_file(JANUARY))
    assert FolderSource(tmp_path).prices(symbol).symbol == symbol


def test_one_symbol_in_the_folder_and_in_its_prices_is_refused(tmp_path: Path) -> None:
    (tmp_path / "prices").mkdir()
    (tmp_path / "SPY.csv").write_text(price_file(JANUARY))
    (tmp_path / "prices" / "SPY.csv").write_text(price_file(JANUARY))
    with pytest.raises(DataError, match=r"SPY\.csv and prices/SPY\.csv both name SPY; keep one"):
        FolderSource(tmp_path).prices("SPY")


def test_rates_are_found_in_prices_too(tmp_path: Path) -> None:
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "DFF.csv").write_text(rate_file({"2021-01-04": 5.25}))
    series = FolderSource(tmp_path).rate("DFF")
    assert series.values.tolist() == pytest.approx([0.0525], abs=1e-17)
    assert series.provenance.place == "prices/DFF.csv"


def test_provenance_says_what_the_file_holds(tmp_path: Path) -> None:
    source = folder_of(tmp_path, SPY=price_file(JANUARY))
    provenance = source.prices("SPY").provenance
    assert (provenance.name, provenance.source, provenance.place) == ("SPY", str(tmp_path), "SPY.csv")
    assert (provenance.first, provenance.last, provenance.observations) == ("2021-01-04", "2021-01-19", 11)
    assert provenance.nature == "real"


def test_a_rows_place_is_its_file_and_line(tmp_path: Path) -> None:
    series = folder_of(tmp_path, SPY=price_file(JANUARY)).prices("SPY")
    assert series.where(0) == "SPY.csv, line 2"
    assert series.where(10) == "SPY.csv, line 12"


def test_each_file_is_read_once(tmp_path: Path) -> None:
    source = folder_of(tmp_path, SPY=price_file(JANUARY), DFF=rate_file({"2021-01-04": 1.0}))
    series, rate = source.prices("SPY"), source.rate("DFF")
    (tmp_path / "SPY.csv").unlink()
    (tmp_path / "DFF.csv").unlink()
    assert source.prices("SPY") is series
    assert source.rate("DFF") is rate


def test_a_missing_symbol_names_the_file_looked_for_and_what_to_do(tmp_path: Path) -> None:
    source = folder_of(tmp_path, UPRO=price_file(JANUARY), TNA=price_file(JANUARY))
    assert not source.holds("UPROO")
    with pytest.raises(SymbolNotFound) as caught:
        source.prices("UPROO")
    message = str(caught.value)
    for fragment in ("UPROO.csv", str(tmp_path), "Did you mean UPRO?", "Add the file", "date,close,adj_close"):
        assert fragment in message


def test_nothing_near_nothing_suggested(tmp_path: Path) -> None:
    source = folder_of(tmp_path, UPRO=price_file(JANUARY))
    with pytest.raises(SymbolNotFound) as caught:
        source.prices("GLD")
    assert "Did you mean" not in str(caught.value)


def test_a_missing_rate_names_the_columns_of_a_rate_file(tmp_path: Path) -> None:
    with pytest.raises(SymbolNotFound, match=r"looked for DFF\.csv in .*date,percent"):
        folder_of(tmp_path, SPY=price_file(JANUARY)).rate("DFF")


@pytest.mark.parametrize(
    "symbol", ["../x", "..", ".", "", "^", "/x", "..\\x", "sub/x", "x/../../x", "~/x", "x\0", "x\n", "C:x", "x" * 33]
)
def test_a_symbol_never_leaves_the_folder(tmp_path: Path, symbol: str) -> None:
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    for place in (tmp_path, folder / "sub"):
        (place / "x.csv").write_text(price_file(JANUARY))
    source = folder_of(folder, SPY=price_file(JANUARY))
    assert not source.holds(symbol)
    with pytest.raises(SymbolNotFound):
        source.prices(symbol)
    with pytest.raises(SymbolNotFound):
        source.rate(symbol)


@pytest.mark.parametrize("symbol", ["../x", "sub/x", ""])
def test_a_name_that_no_file_may_have_is_not_asked_for_as_a_file(tmp_path: Path, symbol: str) -> None:
    with pytest.raises(SymbolNotFound) as caught:
        folder_of(tmp_path, SPY=price_file(JANUARY)).prices(symbol)
    assert f"{symbol}.csv" not in str(caught.value)


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "SPY.csv").mkdir()
    with pytest.raises(DataError, match=r"^SPY\.csv: cannot be read"):
        FolderSource(tmp_path).prices("SPY")


def test_a_defect_is_named_by_its_place_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "SPY.csv").write_text("date,close,adj_close\n2021-01-04,1,x\n")
    with pytest.raises(DataError, match=r"^prices/SPY\.csv, line 2, column adj_close: 'x' "):
        FolderSource(tmp_path).prices("SPY")


@pytest.mark.parametrize("name", ["nowhere", "file.txt", "x" * 5000], ids=["missing", "a file", "an endless name"])
def test_a_folder_that_is_none_is_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.txt").write_text("")
    with pytest.raises(DataError, match=r"^no folder .*give --data the folder"):
        FolderSource(tmp_path / name)


def test_a_folder_that_may_not_be_listed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(self: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", forbidden)
    with pytest.raises(DataError, match="Permission denied"):
        FolderSource(tmp_path).prices("SPY")
