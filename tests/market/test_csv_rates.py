"""Rate files: percent a year, by calendar day."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from alphaoverlay.errors import DataError
from alphaoverlay.market.csv_files import read_rate


def read(folder: Path, text: str) -> pd.Series:
    path = folder / "DFF.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return read_rate(path, "DFF.csv", "DFF")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("date,percent\n2021-01-01,5.25\n2021-01-04,-0.5\n", id="plain"),
        pytest.param("observation_date,DFF\n2021-01-01,5.25\n2021-01-04,-0.5\n", id="FRED"),
        pytest.param("DATE,DFF\n2021-01-01,5.25\n2021-01-02,.\n2021-01-03,.\n2021-01-04,-0.5\n", id="FRED with dots"),
        pytest.param("date,DFF\n2021-01-01,5.25\n2021-01-02,\n2021-01-04,-0.5\n", id="empty cells"),
        pytest.param("date,value\r\n2021-01-01,5.25\r\n2021-01-04,-0.5\r\n", id="value, CRLF"),
        pytest.param("\ufeffDate,Rate\n2021-01-01,5.25\n2021-01-04,-0.5\n", id="byte-order mark"),
    ],
)
def test_every_usual_spelling_is_a_fraction_by_day(tmp_path: Path, text: str) -> None:
    values = read(tmp_path, text)
    assert list(values.index) == [pd.Timestamp("2021-01-01"), pd.Timestamp("2021-01-04")]
    assert values.tolist() == pytest.approx([0.0525, -0.005], abs=1e-17)


def test_the_column_of_the_rates_own_name_comes_first(tmp_path: Path) -> None:
    assert read(tmp_path, "date,value,DFF\n2021-01-04,9,1\n").tolist() == [0.01]


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        pytest.param(
            "date,percent\n2021-01-04,1\n2021-01-05,525\n",
            ("DFF.csv, line 3, column percent: '525'", "5.25 means 5.25%"),
            id="a rate of 525",
        ),
        pytest.param(
            "date,percent\n2021-01-04,-25\n", ("DFF.csv, line 2, column percent: '-25'",), id="far below zero"
        ),
        pytest.param(
            "date,percent\n2021-01-04,ND\n",
            ("DFF.csv, line 2, column percent: 'ND' is not a number", "write digits"),
            id="text",
        ),
        pytest.param("date,percent\n2021-01-04,nan\n", ("DFF.csv, line 2, column percent: 'nan'",), id="nan"),
        pytest.param("date,percent\n2021-01-04,inf\n", ("DFF.csv, line 2, column percent: 'inf'",), id="inf"),
        pytest.param("date,percent\n4 Jan,1\n", ("DFF.csv, line 2, column date:", "YYYY-MM-DD"), id="no date"),
        pytest.param(
            "date,percent\n2021-01-04,1\n2021-01-04,1\n", ("DFF.csv, line 3, column date:", "twice"), id="a date twice"
        ),
        pytest.param(
            "date,percent\n2021-01-05,1\n2021-01-04,1\n", ("DFF.csv, line 3, column date:", "oldest first"), id="order"
        ),
        pytest.param(
            "date,percent\n2021-01-04,1,2\n",
            ("DFF.csv, line 2:", "3 cells where the header has 2"),
            id="too many cells",
        ),
        pytest.param("date,SOFR\n2021-01-04,1\n", ("DFF.csv, line 1:", "no column percent"), id="missing column"),
        pytest.param(
            "date,percent\n2021-01-04,.\n2021-01-05,\n", ("DFF.csv: no value in column percent", "write"), id="no value"
        ),
        pytest.param("", ("DFF.csv is empty", "write a header"), id="empty"),
        pytest.param("date,percent\n", ("DFF.csv has a header but no rows",), id="header only"),
    ],
)
def test_a_defect_is_refused_with_its_place_and_cure(tmp_path: Path, text: str, fragments: tuple[str, ...]) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, text)
    for fragment in fragments:
        assert fragment in str(caught.value)


@pytest.mark.parametrize("text", ["", "date,percent\n"])
def test_an_empty_rate_file_is_told_a_rate_files_columns(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match="percent") as caught:
        read(tmp_path, text)
    assert "adj_close" not in str(caught.value)
