"""Parquet files in a folder: read as CSV files are, with the same strictness; and what the two formats share."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.market.little_files import JANUARY, folder_of, price_file, rate_file

from alphaoverlay.errors import DataError, MissingExtra, SymbolNotFound
from alphaoverlay.market import csv_files, parquet_files
from alphaoverlay.market.csv_files import read_prices
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.parquet_files import read_parquet_prices
from alphaoverlay.market.reading import read_history

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

DAYS = [datetime.date(2021, 1, 4), datetime.date(2021, 1, 5), datetime.date(2021, 1, 6)]
GOOD: Mapping[str, Sequence[Any]] = {"date": DAYS, "close": [10.0, 11.0, 12.0], "adj_close": [5.0, 5.5, 6.0]}


def write(path: Path, columns: Mapping[str, Any]) -> Path:
    parquet.write_table(pa.table(dict(columns)), path)
    return path


def frame_of(folder: Path, columns: Mapping[str, Any]) -> pd.DataFrame:
    return read_parquet_prices(write(folder / "A.parquet", columns), "A.parquet")


def refusal(folder: Path, columns: Mapping[str, Any]) -> str:
    with pytest.raises(DataError) as caught:
        frame_of(folder, columns)
    return str(caught.value)


# --- what is read ---


def check(frame: pd.DataFrame) -> None:
    assert list(frame.columns) == ["close", "adj_close"]
    assert [str(day) for day in frame.index] == [f"2021-01-0{d} 00:00:00" for d in (4, 5, 6)]
    assert isinstance(frame.index, pd.DatetimeIndex)
    assert frame.index.tz is None
    assert frame["close"].tolist() == [10.0, 11.0, 12.0]
    assert frame["adj_close"].tolist() == [5.0, 5.5, 6.0]
    assert all(dtype == np.dtype("float64") for dtype in frame.dtypes)


@pytest.mark.parametrize(
    "days",
    [
        pytest.param(DAYS, id="dates"),
        pytest.param(["2021-01-04", "2021-01-05", "2021-01-06"], id="text"),
        pytest.param(["2021-01-04T16:00:00", "2021-01-05T16:00:00", "2021-01-06T16:00:00"], id="text with a time"),
        pytest.param(pd.to_datetime(DAYS), id="moments"),
        pytest.param(pd.to_datetime(DAYS).as_unit("us"), id="microseconds"),
        pytest.param(pd.to_datetime(DAYS) + pd.Timedelta(hours=16), id="with a time of day"),
        # Yahoo's: midnight in New York is five hours later in London, and the day is New York's.
        pytest.param(pd.to_datetime(DAYS).tz_localize("America/New_York"), id="a time zone"),
        pytest.param(pd.to_datetime(DAYS).tz_localize("Asia/Tokyo"), id="a time zone east"),
    ],
)
def test_dates_in_every_usual_type(tmp_path: Path, days: Any) -> None:
    check(frame_of(tmp_path, {**GOOD, "date": pa.array(days)}))


@pytest.mark.parametrize("name", ["Date", "date", None, "datetime"])
@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_dates_in_the_index_as_pandas_writes_them(tmp_path: Path, name: str | None, zone: str | None) -> None:
    index = pd.DatetimeIndex(pd.to_datetime(DAYS), name=name).tz_localize(zone)
    pd.DataFrame({"Close": GOOD["close"], "Adj Close": GOOD["adj_close"]}, index=index).to_parquet(tmp_path / "A.pq")
    check(read_parquet_prices(tmp_path / "A.pq", "A.pq"))


@pytest.mark.parametrize(
    "close",
    [
        pytest.param(pa.array([10, 11, 12]), id="whole numbers"),
        pytest.param(pa.array([10.0, 11.0, 12.0], pa.float32()), id="float32"),
        pytest.param(pa.array([Decimal("10.00"), Decimal("11.00"), Decimal("12.00")]), id="decimals"),
    ],
)
def test_numbers_in_every_usual_type(tmp_path: Path, close: Any) -> None:
    check(frame_of(tmp_path, {**GOOD, "close": close}))


def test_an_empty_cell_is_unknown_written_as_null_or_not_a_number(tmp_path: Path) -> None:
    for cell in (None, float("nan")):
        frame = frame_of(tmp_path, {**GOOD, "close": pa.array([10.0, cell, 12.0], pa.float64())})
        assert frame["close"].isna().tolist() == [False, True, False]
    frame = frame_of(tmp_path, {**GOOD, "close": pa.nulls(3)})
    assert frame["close"].isna().all()


def test_other_columns_may_hold_anything(tmp_path: Path) -> None:
    check(frame_of(tmp_path, {"note": [["a"], ["b"], []], **GOOD, "open": ["x", "y", "z"]}))


# --- defects ---


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"close": [10.0, -1.0, 12.0]}, "A.parquet, row 2, column close: -1.0 is not a price: prices are above zero"),
        ({"close": [10.0, 11.0, 0.0]}, "A.parquet, row 3, column close: 0.0 is not a price"),
        ({"adj_close": [float("inf"), 1.0, 1.0]}, "A.parquet, row 1, column adj_close: inf is not a number"),
        ({"close": ["10", "11", "12"]}, "A.parquet, column close: holds string, not numbers"),
        ({"close": [True, True, True]}, "A.parquet, column close: holds bool, not numbers"),
        ({"close": [[1.0], [2.0], [3.0]]}, "not numbers"),
        ({"date": [DAYS[0], DAYS[0], DAYS[2]]}, "A.parquet, row 2, column date: 2021-01-04 stands twice"),
        ({"date": [DAYS[0], DAYS[2], DAYS[1]]}, "row 3, column date: 2021-01-05 comes after 2021-01-06"),
        ({"date": [DAYS[0], None, DAYS[2]]}, "A.parquet, row 2, column date: '' is not a date; write YYYY-MM-DD"),
        ({"date": ["2021-01-04", "05/01/2021", "2021-01-06"]}, "row 2, column date: '05/01/2021' is not a date"),
        ({"date": [20210104, 20210105, 20210106]}, "row 1, column date: '20210104' is not a date"),
        ({"date": pa.array([2**61, 2**61 + 1, 2**61 + 2], pa.timestamp("us"))}, "column date"),
        ({"volume": [1.0, -1.0, 1.0]}, "A.parquet, row 2, column volume: -1.0 is not a volume"),
        ({"nav": [1.0, 0.0, 1.0]}, "A.parquet, row 2, column nav: 0.0 is not a net asset value"),
        ({"Close": [1.0, 1.0, 1.0]}, "A.parquet: column close stands twice; keep one"),
        ({"Date": DAYS}, "A.parquet: column date stands twice; keep one"),
    ],
)
def test_a_defect_is_named_by_row_and_column(tmp_path: Path, change: Mapping[str, Any], said: str) -> None:
    assert said in refusal(tmp_path, {**GOOD, **change})


@pytest.mark.parametrize("name", ["date", "close", "adj_close"])
def test_a_missing_column_is_named(tmp_path: Path, name: str) -> None:
    message = refusal(tmp_path, {key: cells for key, cells in GOOD.items() if key != name})
    assert message.startswith(f"A.parquet: no column {name}")
    assert "Rename or add it" in message


def test_no_rows(tmp_path: Path) -> None:
    empty = {"date": pa.array([], pa.date32()), "close": pa.array([], pa.float64()), "adj_close": pa.array([], "f8")}
    assert "A.parquet has no rows" in refusal(tmp_path, empty)


def damaged(raw: bytes) -> list[bytes]:
    """A file cut, overwritten, or of another kind."""
    cut = [b"", b"PAR1", raw[:100], raw[: len(raw) // 2], raw[:-1]]
    return [*cut, b"PAR1" + bytes(200) + b"PAR1", price_file(JANUARY).encode(), b"PK\x03\x04" + bytes(100)]


def test_a_damaged_file_is_refused_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "A.parquet", GOOD)
    for raw in damaged(path.read_bytes()):
        path.write_bytes(raw)
        with pytest.raises(DataError, match=r"^A\.parquet"):
            read_parquet_prices(path, "A.parquet")


def test_a_damaged_byte_is_refused_or_harmless(tmp_path: Path) -> None:
    """With the checksums that a writer may add, no other prices come out of a damaged file."""
    path = tmp_path / "A.parquet"
    parquet.write_table(pa.table(dict(GOOD)), path, write_page_checksum=True)
    raw, good = path.read_bytes(), read_parquet_prices(path, "A.parquet")
    for k in range(0, len(raw) // 2, 5):  # the pages; behind them stands what describes them
        path.write_bytes(raw[:k] + bytes([raw[k] ^ 0xFF]) + raw[k + 1 :])
        with contextlib.suppress(DataError):
            assert read_parquet_prices(path, "A.parquet").equals(good)


def test_too_large_and_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "A.parquet", GOOD)
    monkeypatch.setattr(parquet_files, "MAX_ROWS", 2)
    with pytest.raises(DataError, match=r"A\.parquet: 3 rows; write one row a session, 2 at most"):
        read_parquet_prices(path, "A.parquet")
    monkeypatch.setattr(csv_files, "MAX_BYTES", 100)
    with pytest.raises(DataError, match=r"A\.parquet: larger than"):
        read_parquet_prices(path, "A.parquet")


# --- in a folder ---


@pytest.mark.parametrize("file", ["GSPC.parquet", "^gspc.parquet", "GSPC.PARQUET", "prices/GSPC.parquet"])
def test_a_symbol_is_found(tmp_path: Path, file: str) -> None:
    (tmp_path / "prices").mkdir()
    write(tmp_path / file, GOOD)
    source = FolderSource(tmp_path)
    assert source.holds("^GSPC")
    series = source.prices("GSPC")
    check(series.frame)
    assert series.lines == ()
    assert series.where(1) == series.provenance.place == file
    assert (series.provenance.first, series.provenance.last) == ("2021-01-04", "2021-01-06")
    assert source.prices("GSPC") is series


@pytest.mark.parametrize("other", ["SPY.csv", "prices/SPY.parquet", "prices/SPY.csv"])
def test_two_files_of_one_symbol_are_refused(tmp_path: Path, other: str) -> None:
    (tmp_path / "prices").mkdir()
    write(tmp_path / "SPY.parquet", GOOD)
    (tmp_path / other).write_text(price_file(JANUARY))
    with pytest.raises(DataError, match=r"both name SPY; keep one") as caught:
        FolderSource(tmp_path).prices("SPY")
    assert "SPY.parquet" in str(caught.value)
    assert other in str(caught.value)


def test_a_rate_may_be_parquet_too(tmp_path: Path) -> None:
    write(tmp_path / "DFF.parquet", {"date": DAYS, "percent": [5.25, None, -0.5]})
    series = FolderSource(tmp_path).rate("DFF")
    assert series.values.tolist() == pytest.approx([0.0525, -0.005], abs=1e-17)
    assert [str(day.date()) for day in series.values.index] == ["2021-01-04", "2021-01-06"]
    assert series.provenance.observations == 2


@pytest.mark.parametrize(
    ("values", "said"),
    [([525.0, 1.0, 1.0], "row 1, column percent: 525.0"), ([None] * 3, "no value in column percent")],
)
def test_a_rate_that_is_none(tmp_path: Path, values: list[float | None], said: str) -> None:
    write(tmp_path / "DFF.parquet", {"date": DAYS, "percent": pa.array(values, pa.float64())})
    with pytest.raises(DataError, match=said):
        FolderSource(tmp_path).rate("DFF")


def test_a_history_is_the_same_from_both_formats(tmp_path: Path) -> None:
    text = price_file(JANUARY)
    histories = []
    for name in ("csv", "parquet"):
        (tmp_path / name).mkdir()
        source = folder_of(tmp_path / name, DFF=rate_file(dict.fromkeys(JANUARY, 1.0)))
        if name == "csv":
            (tmp_path / name / "A.csv").write_text(text)
        else:
            rows = [line.split(",") for line in text.splitlines()[1:]]
            columns = {"Date": [r[0] for r in rows], "Close": [float(r[1]) for r in rows]}
            write(tmp_path / name / "A.parquet", columns | {"adjClose": [float(r[2]) for r in rows]})
        histories.append(read_history(source, ["A"]))
    assert histories[0].fingerprint == histories[1].fingerprint


def test_a_missing_symbol_names_both(tmp_path: Path) -> None:
    write(tmp_path / "UPRO.parquet", GOOD)
    with pytest.raises(SymbolNotFound, match=r"UPROO\.csv .*UPROO\.parquet\. Did you mean UPRO\?"):
        FolderSource(tmp_path).prices("UPROO")


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "SPY.parquet").mkdir()
    with pytest.raises(DataError, match=r"^SPY\.parquet: cannot be read"):
        FolderSource(tmp_path).prices("SPY")


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> object:
        raise ImportError(name)

    write(tmp_path / "SPY.parquet", GOOD)
    (tmp_path / "QQQ.csv").write_text(price_file(JANUARY))
    monkeypatch.setattr("alphaoverlay.errors.import_module", gone)
    source = FolderSource(tmp_path)
    assert source.holds("SPY")
    assert len(source.prices("QQQ").frame) == len(JANUARY)
    with pytest.raises(MissingExtra, match=r"reading SPY\.parquet needs .*alphaoverlay\[parquet\]"):
        source.prices("SPY")


# --- distributions and splits, in both formats ---


def csv_frame(folder: Path, columns: Mapping[str, Sequence[object]]) -> pd.DataFrame:
    rows = zip(*columns.values(), strict=True)
    (folder / "A.csv").write_text("\n".join((",".join(columns), *(",".join(map(str, row)) for row in rows), "")))
    return read_prices(folder / "A.csv", "A.csv")[0]


@pytest.mark.parametrize("read", [csv_frame, frame_of])
@pytest.mark.parametrize("paid", ["distribution", "Distributions", "dividend", "Dividends"])
@pytest.mark.parametrize("split", ["split", "Splits", "Stock Splits", "stock_split"])
def test_distributions_and_splits_are_read(tmp_path: Path, read: Any, paid: str, split: str) -> None:
    frame = read(tmp_path, {**GOOD, split: [0.0, 2.0, 1.0], paid: [0.25, 0.0, 0.0]})
    assert list(frame.columns) == ["close", "adj_close", "distribution", "split"]
    assert frame["distribution"].tolist() == [0.25, 0.0, 0.0]
    assert frame["split"].tolist() == [0.0, 2.0, 0.0]


@pytest.mark.parametrize("read", [csv_frame, frame_of])
@pytest.mark.parametrize(
    ("name", "said"), [("dividends", "-0.5 ?'? is not a distribution"), ("split", "-0.5 ?'? is not a split")]
)
def test_neither_is_below_zero(tmp_path: Path, read: Any, name: str, said: str) -> None:
    with pytest.raises(DataError, match=f"(line 3|row 2), column {name}: '?{said}"):
        read(tmp_path, {**GOOD, name: [0.0, -0.5, 0.0]})


@pytest.mark.parametrize("read", [csv_frame, frame_of])
@pytest.mark.parametrize("name", ["divCash", "splitFactor", "dividend yield", "split-adjusted"])
def test_other_columns_are_not_taken_for_them(tmp_path: Path, read: Any, name: str) -> None:
    assert list(read(tmp_path, {**GOOD, name: [1.0, 2.0, 3.0]}).columns) == ["close", "adj_close"]


def test_an_empty_cell_of_a_distribution_is_unknown(tmp_path: Path) -> None:
    frame = csv_frame(tmp_path, {**GOOD, "dividends": ["", 0.5, ""], "splits": ["", "", 3]})
    assert frame["distribution"].isna().tolist() == [True, False, True]
    assert frame["split"].isna().tolist() == [True, True, False]
