"""Laws of the reader over random files: what is written is read; what is broken is refused by its line."""

from __future__ import annotations

import csv
import datetime
import io
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alphaoverlay.errors import DataError
from alphaoverlay.market.csv_files import read_prices

DAYS = st.dates(datetime.date(1801, 1, 1), datetime.date(2199, 12, 31))
PRICES = st.floats(min_value=0.0, exclude_min=True, allow_infinity=False)
# Anything that stays one cell of one row: no separator, quote or line end, and no NUL (the whole file's defect).
CELLS = st.text(st.characters(codec="utf-8", exclude_characters='\0\r\n,"'), max_size=12)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("random") / "A.csv"


@given(
    rows=st.dictionaries(DAYS, st.tuples(PRICES | st.none(), PRICES | st.none(), CELLS), min_size=1, max_size=20),
    order=st.permutations(range(4)),
    line_end=st.sampled_from(["\n", "\r\n"]),
    mark=st.booleans(),
)
def test_a_valid_file_reads_back_exactly(
    path: Path,
    rows: dict[datetime.date, tuple[float | None, float | None, str]],
    order: list[int],
    line_end: str,
    mark: bool,
) -> None:
    days = sorted(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end)
    table = [["date", "close", "adj_close", "note"]]
    table += [
        [day.isoformat(), *("" if price is None else repr(price) for price in rows[day][:2]), rows[day][2]]
        for day in days
    ]
    writer.writerows([row[j] for j in order] for row in table)
    path.write_bytes(text.getvalue().encode("utf-8-sig" if mark else "utf-8"))

    frame, lines = read_prices(path, "A.csv")

    assert [stamp.date() for stamp in pd.DatetimeIndex(frame.index)] == days
    for j, name in enumerate(("close", "adj_close")):
        written = [math.nan if (price := rows[day][j]) is None else price for day in days]
        np.testing.assert_array_equal(frame[name].to_numpy(), written)
    np.testing.assert_array_equal(lines, np.arange(2, len(days) + 2))


VALID = [
    ["2021-01-04", "10.5", "10"],
    ["2021-01-05", "11", "10.25"],
    ["2021-01-06", "12", "11"],
    ["2021-01-07", "9", "8"],
]
NASTY = st.sampled_from(
    [
        "", " ", ".", "-", "'", "nan", "inf", "-1", "0", "1e999", "1_0", "0x1p3", "9" * 400, "٣", "½", "１２",
        "2021-W01-2", "2021-01-05", "2021-01-05T09:30", "2020-12-31", "2021-12-31", "2021-01-32",
        "10\x0c", "\x85", "\u2028", "\ufeff", "\x1b[31m",
    ]
)  # fmt: skip


def read_or_refuse(path: Path) -> pd.DataFrame | str:
    """Read prices, or return the message of the refusal; anything else is raised."""
    try:
        return read_prices(path, "A.csv")[0]
    except DataError as error:
        return str(error)


@given(row=st.integers(0, 3), column=st.integers(0, 2), cell=CELLS | NASTY)
@example(row=1, column=0, cell="2021-W01-2")
@example(row=1, column=1, cell="1\x0c2")
@example(row=3, column=0, cell="2021-01-06")
@example(row=0, column=0, cell="2021-01-05")
def test_a_corrupt_cell_is_refused_by_its_line_or_leaves_valid_values(
    path: Path, row: int, column: int, cell: str
) -> None:
    table = [list(one) for one in VALID]
    table[row][column] = cell
    path.write_bytes("\n".join(["date,close,adj_close", *(",".join(one) for one in table), ""]).encode())
    answer = read_or_refuse(path)
    if isinstance(answer, str):
        # A date that is valid but too late makes the next row the unordered one.
        lines = (row + 2, row + 3) if column == 0 else (row + 2,)
        place = re.match(r"A\.csv, line (\d+)[,:]", answer)
        assert place is not None
        assert int(place[1]) in lines
        return
    frame, values = answer, answer.to_numpy()
    assert values.shape == (4, 2)
    assert frame.index.is_monotonic_increasing
    assert frame.index.is_unique
    blank = np.isnan(values)
    assert (values[~blank] > 0.0).all()
    assert np.isfinite(values[~blank]).all()
    assert blank.sum() <= int(column > 0 and not cell.strip())
    expected = np.array([[float(price) for price in one[1:]] for one in VALID])
    if column > 0:
        expected[row, column - 1] = float(cell) if cell.strip() else math.nan
    np.testing.assert_array_equal(values, expected)
