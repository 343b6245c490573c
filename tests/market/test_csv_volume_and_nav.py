"""The optional columns volume and nav: read where they are, refused by line and column, and nothing without them."""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.market.little_files import JANUARY, folder_of, price_file, rate_file

from alphaoverlay.errors import DataError
from alphaoverlay.history import History
from alphaoverlay.market.csv_files import read_prices
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.reading import read_history

HEADER = "date,close,adj_close,volume,nav\n"
GOOD = HEADER + "2021-01-04,10,5,1000,9.9\n2021-01-05,11,5.5,0,11\n"
RATES = rate_file(dict.fromkeys(JANUARY, 1.0))


def frame_of(folder: Path, text: str) -> pd.DataFrame:
    path = folder / "A.csv"
    path.write_text(text, encoding="utf-8")
    return read_prices(path, "A.csv")[0]


def with_columns(text: str, **columns: list[str]) -> str:
    """The file with more columns at its end."""
    lines = text.splitlines()
    for name, cells in columns.items():
        lines = [f"{line},{cell}" for line, cell in zip(lines, [name, *cells], strict=True)]
    return "\n".join([*lines, ""])


def read(folder: Path, *symbols: str, start: str | None = None, **texts: str) -> History:
    return read_history(folder_of(folder, DFF=RATES, **texts), symbols or ("A",), start=start)


# --- the columns ---


def test_both_are_read(tmp_path: Path) -> None:
    frame = frame_of(tmp_path, GOOD)
    assert list(frame.columns) == ["close", "adj_close", "volume", "nav"]
    assert frame["volume"].tolist() == [1000.0, 0.0]
    assert frame["nav"].tolist() == [9.9, 11.0]
    assert frame["close"].tolist() == [10.0, 11.0]
    assert frame["adj_close"].tolist() == [5.0, 5.5]


@pytest.mark.parametrize("volume", ["volume", "Volume", "VOL", " Vol. "])
@pytest.mark.parametrize("nav", ["nav", "NAV", "Net Asset Value", "net_asset_value"])
def test_every_usual_spelling_in_any_place(tmp_path: Path, volume: str, nav: str) -> None:
    frame = frame_of(tmp_path, f"{nav},date,{volume},adj_close,close\n9.9,2021-01-04,1e3,5,10\n")
    assert frame.loc["2021-01-04"].to_dict() == {"close": 10.0, "adj_close": 5.0, "volume": 1000.0, "nav": 9.9}


@pytest.mark.parametrize("name", ["adjVolume", "volume_usd", "navs", "nav change", "avg volume"])
def test_other_columns_are_not_taken_for_them(tmp_path: Path, name: str) -> None:
    frame = frame_of(tmp_path, f"date,close,adj_close,{name}\n2021-01-04,10,5,whatever\n")
    assert list(frame.columns) == ["close", "adj_close"]


def test_empty_cells_are_unknown(tmp_path: Path) -> None:
    frame = frame_of(tmp_path, HEADER + "2021-01-04,10,5,,\n2021-01-05,11,5.5, , \n")
    assert frame[["volume", "nav"]].isna().all(axis=None)


def test_each_may_stand_alone(tmp_path: Path) -> None:
    days = JANUARY[:2]
    assert "nav" not in frame_of(tmp_path, with_columns(price_file(days), volume=["1", "2"]))
    assert "volume" not in frame_of(tmp_path, with_columns(price_file(days), nav=["1", "2"]))


# --- refusals ---


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(DataError) as caught:
        frame_of(folder, text)
    return str(caught.value)


@pytest.mark.parametrize("cell", ["many", "1,000", "1_000", "1.2M", "nan", "inf", "N/A", "-", "0x10"])
@pytest.mark.parametrize("column", ["volume", "nav"])
def test_a_cell_that_is_no_number_is_named(tmp_path: Path, cell: str, column: str) -> None:
    row = {"volume": f'2021-01-05,11,5.5,"{cell}",11\n', "nav": f'2021-01-05,11,5.5,1000,"{cell}"\n'}[column]
    message = refusal(tmp_path, HEADER + "2021-01-04,10,5,1000,9.9\n\n" + row)
    assert message.startswith(f"A.csv, line 4, column {column}: {cell!r} ")
    assert "write digits and a decimal point only" in message


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("volume", "-1", "volumes are zero or more"),
        ("volume", "-0.5", "volumes are zero or more"),
        ("nav", "0", "above zero"),
        ("nav", "-9.9", "above zero"),
    ],
)
def test_an_impossible_value_is_named(tmp_path: Path, column: str, cell: str, said: str) -> None:
    row = {"volume": f"2021-01-05,11,5.5,{cell},11\n", "nav": f"2021-01-05,11,5.5,1000,{cell}\n"}[column]
    message = refusal(tmp_path, HEADER + "2021-01-04,10,5,1000,9.9\n" + row)
    assert message.startswith(f"A.csv, line 3, column {column}: {cell!r} ")
    assert said in message


def test_the_column_is_named_as_the_file_writes_it(tmp_path: Path) -> None:
    message = refusal(tmp_path, "Date,Close,Adj Close,Volume\n2021-01-04,10,5,lots\n")
    assert message.startswith("A.csv, line 2, column Volume: 'lots' ")


@pytest.mark.parametrize("column", ["volume", "nav"])
def test_a_column_that_stands_twice_is_refused(tmp_path: Path, column: str) -> None:
    header = "date,close,adj_close," + ",".join([column, column.upper()])
    assert "stands twice" in refusal(tmp_path, f"{header}\n2021-01-04,10,5,1,2\n")


# --- in a history ---


def test_a_history_has_them_for_the_symbols_whose_files_do(tmp_path: Path) -> None:
    shares = [str(100 * k) for k in range(len(JANUARY))]
    texts = {
        "A": with_columns(price_file(JANUARY), volume=shares),
        "B": with_columns(price_file(JANUARY[3:]), nav=[str(50.5 + k) for k in range(len(JANUARY) - 3)]),
        "C": price_file(JANUARY),
    }
    history = read(tmp_path, "A", "B", "C", **texts)
    assert list(history.volume.columns) == ["A"]
    assert list(history.nav.columns) == ["B"]
    assert history.volume["A"].tolist() == [100.0 * k for k in range(len(JANUARY))]
    assert history.nav["B"].isna().tolist() == [True] * 3 + [False] * (len(JANUARY) - 3)
    assert history.nav["B"].iloc[3] == 50.5
    assert history.volume.index.equals(history.dates)
    assert history.nav.index.equals(history.dates)


def test_a_part_of_a_history_has_their_part(tmp_path: Path) -> None:
    text = with_columns(price_file(JANUARY), volume=[str(k) for k in range(11)], nav=[str(k + 1) for k in range(11)])
    part = read(tmp_path, A=text).between("2021-01-06", "2021-01-08")
    assert part.volume["A"].tolist() == [2.0, 3.0, 4.0]
    assert part.nav["A"].tolist() == [3.0, 4.0, 5.0]
    assert part.volume.index.equals(part.dates)
    assert part.nav.index.equals(part.dates)


def test_holes_in_them_are_no_holes_in_the_prices(tmp_path: Path) -> None:
    text = with_columns(price_file(JANUARY), volume=["", "5", *[""] * 9], nav=[*[""] * 10, "7"])
    history = read(tmp_path, A=text)
    assert history.close["A"].notna().all()
    assert history.adj_close["A"].notna().all()
    assert history.volume["A"].dropna().to_dict() == {pd.Timestamp("2021-01-05"): 5.0}
    assert history.nav["A"].dropna().to_dict() == {pd.Timestamp("2021-01-19"): 7.0}


def test_a_past_that_is_not_used_takes_them_with_it(tmp_path: Path) -> None:
    """A hole on the third session, before the asked start: what was up to it is not used."""
    text = with_columns(price_file(JANUARY), volume=[str(k) for k in range(11)], nav=[str(k + 1) for k in range(11)])
    lines = text.splitlines()
    history = read(tmp_path, start="2021-01-11", A="\n".join([*lines[:3], *lines[4:], ""]))
    unused = history.dates <= pd.Timestamp("2021-01-06")
    assert unused.sum() == 3
    for frame in (history.close, history.adj_close, history.volume, history.nav):
        assert frame["A"].isna().to_numpy().tolist() == unused.tolist()


# --- the fingerprint ---


def fingerprint_by_hand(folder: Path, *columns: str) -> str:
    """Hash of the dates, of each column (its symbol and its doubles) and of the rate, as it was without the two."""
    rows = [line.split(",") for line in (folder / "A.csv").read_text(encoding="utf-8").splitlines()]
    digest = hashlib.sha256()
    epoch = date(1970, 1, 1)
    digest.update(b"".join(struct.pack("<q", (date.fromisoformat(row[0]) - epoch).days) for row in rows[1:]))
    for name in columns:
        j = rows[0].index(name)
        digest.update(b"A" + b"".join(struct.pack("<d", float(row[j])) for row in rows[1:]))
    digest.update(struct.pack("<d", 0.01) * (len(rows) - 1))
    return "sha256:" + digest.hexdigest()


def test_without_them_the_fingerprint_is_what_it_always_was(tmp_path: Path) -> None:
    history = read(tmp_path, A=price_file(JANUARY))
    assert history.volume.empty
    assert history.nav.empty
    assert history.fingerprint == fingerprint_by_hand(tmp_path, "close", "adj_close")


def test_columns_that_are_not_read_do_not_change_it(tmp_path: Path) -> None:
    read(tmp_path, A=price_file(JANUARY))
    bare = fingerprint_by_hand(tmp_path, "close", "adj_close")
    other = read(tmp_path, A=with_columns(price_file(JANUARY), Open=["9"] * 11, adjVolume=["many"] * 11))
    assert other.fingerprint == bare


def test_the_cell_of_a_read_column_changes_it(tmp_path: Path) -> None:
    seen = set()
    for cells in (["5"] * 11, ["5"] * 10 + ["6"], ["5"] * 10 + [""], [""] * 11):
        for column in ("volume", "nav"):
            seen.add((column, read(tmp_path, A=with_columns(price_file(JANUARY), **{column: cells})).fingerprint))
    assert len({mark for name, mark in seen if name == "volume"}) == 4
    assert len({mark for name, mark in seen if name == "nav"}) == 4


def test_a_volume_is_not_a_net_asset_value(tmp_path: Path) -> None:
    cells = [str(100 + k) for k in range(11)]
    one, other = (read(tmp_path, A=with_columns(price_file(JANUARY), **{name: cells})) for name in ("volume", "nav"))
    assert not one.volume.empty
    assert not other.nav.empty
    assert one.fingerprint != other.fingerprint


def test_prices_and_returns_are_the_same_with_and_without_them(tmp_path: Path) -> None:
    bare = read(tmp_path, A=price_file(JANUARY))
    more = read(tmp_path, A=with_columns(price_file(JANUARY), volume=["0"] * 11, nav=["1"] * 11))
    for name in ("close", "adj_close", "total_returns"):
        pd.testing.assert_frame_equal(getattr(bare, name), getattr(more, name), check_exact=True)
    np.testing.assert_array_equal(bare.rate, more.rate)
    assert replace(more, volume=bare.volume, nav=bare.nav).fingerprint == bare.fingerprint


def test_a_rate_file_does_not_mind_them(tmp_path: Path) -> None:
    (tmp_path / "DFF.csv").write_text("date,percent,volume\n2021-01-04,5.25,many\n")
    assert math.isclose(FolderSource(tmp_path).rate("DFF").values.iloc[0], 0.0525)
