"""Price files as vendors and spreadsheets write them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alphaoverlay.market.csv_files import read_prices

PLAIN = "date,close,adj_close\n2021-01-04,10.5,10\n2021-01-05,11,10.25\n"
YAHOO = (
    "Date,Open,High,Low,Close,Adj Close,Volume\n"
    "2021-01-04,9,12,8,10.5,10,1000\n"
    "2021-01-05,9,12,8,11,10.25,1000\n"
)  # fmt: skip
TIINGO = (
    "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor\n"
    "2021-01-04T00:00:00.000Z,10.5,12,8,9,1000,10,12,8,9,1000,0.0,1.0\n"
    "2021-01-05T00:00:00.000Z,11,12,8,9,1000,10.25,12,8,9,1000,0.0,1.0\n"
)
ADJUSTED_CLOSE = (
    "timestamp,open,high,low,close,adjusted_close,volume\n"
    "2021-01-04,9,12,8,10.5,10,1000\n"
    "2021-01-05,9,12,8,11,10.25,1000\n"
)  # fmt: skip


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(PLAIN.encode(), id="plain"),
        pytest.param(YAHOO.encode(), id="Yahoo"),
        pytest.param(TIINGO.encode(), id="Tiingo, with a time of day"),
        pytest.param(ADJUSTED_CLOSE.encode(), id="timestamp and adjusted_close"),
        pytest.param(PLAIN.upper().encode(), id="capitals"),
        pytest.param(b"\xef\xbb\xbf" + PLAIN.encode(), id="byte-order mark"),
        pytest.param(PLAIN.replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param(PLAIN.replace("\n", "\r").encode(), id="CR alone"),
        pytest.param(PLAIN.rstrip("\n").encode(), id="no newline at the end"),
        pytest.param(PLAIN.replace("\n", "\n\n").encode(), id="blank lines"),
        pytest.param(PLAIN.replace(",", " , ").encode(), id="spaces around cells"),
        pytest.param(PLAIN.replace("10.5", '"10.5"').encode(), id="quoted cells"),
        pytest.param(PLAIN.replace("-04,", "-04 16:00,").encode(), id="time after a space"),
        pytest.param(b"adj_close,date,close\n10,2021-01-04,10.5\n10.25,2021-01-05,11\n", id="another column order"),
        pytest.param(PLAIN.replace("10.5", "1.05e1").encode(), id="exponent"),
    ],
)
def test_every_usual_spelling_reads_the_same(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "A.csv"
    path.write_bytes(raw)
    frame, _ = read_prices(path, "A.csv")
    assert list(frame.columns)[:2] == ["close", "adj_close"]
    assert set(frame.columns) <= {"close", "adj_close", "volume"}
    assert list(frame.index) == [pd.Timestamp("2021-01-04"), pd.Timestamp("2021-01-05")]
    assert frame["close"].tolist() == [10.5, 11.0]
    assert frame["adj_close"].tolist() == [10.0, 10.25]


def test_an_empty_cell_is_an_unknown_price(tmp_path: Path) -> None:
    path = tmp_path / "A.csv"
    path.write_text("date,close,adj_close\n2021-01-04,,10\n2021-01-05,11, \n")
    frame, _ = read_prices(path, "A.csv")
    assert math.isnan(frame["close"].iloc[0])
    assert math.isnan(frame["adj_close"].iloc[1])
    assert frame["adj_close"].iloc[0] == 10.0


def test_line_numbers_count_blank_lines_and_the_header(tmp_path: Path) -> None:
    path = tmp_path / "A.csv"
    path.write_text("\ndate,close,adj_close\n2021-01-04,1,1\n\n\n2021-01-05,1,1\n")
    _, lines = read_prices(path, "A.csv")
    np.testing.assert_array_equal(lines, [3, 6])


def test_columns_that_are_not_needed_may_hold_anything(tmp_path: Path) -> None:
    path = tmp_path / "A.csv"
    path.write_text('date,note,close,adj_close\n2021-01-04,"dividend, special",10.5,nought\n'.replace("nought", "10"))
    frame, _ = read_prices(path, "A.csv")
    assert frame["close"].tolist() == [10.5]
