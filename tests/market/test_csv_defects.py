"""Every way in which a price file can be wrong: a clear error, with the place and the cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from alphaoverlay.errors import DataError
from alphaoverlay.market import csv_files
from alphaoverlay.market.csv_files import read_prices

HEADER = "date,close,adj_close\n"
GOOD = HEADER + "2021-01-04,10,10\n"
NUMBER = "write digits and a decimal point only"
ABOVE_ZERO = "prices are above zero"


def refusal(folder: Path, raw: str | bytes) -> str:
    """Write A.csv, read it, and return the message it is refused with."""
    path = folder / "A.csv"
    path.write_bytes(raw.encode() if isinstance(raw, str) else raw)
    with pytest.raises(DataError) as caught:
        read_prices(path, "A.csv")
    return str(caught.value)


@pytest.mark.parametrize(
    "cell",
    [
        "yesterday", "", "05/01/2021", "2021-1-5", "20210105", "2021/01/05", "2021-02-30", "2021-13-01", "44201",
        "5 Jan 2021", "0021-01-05", "9999-01-05", "2021-W01-2", "2021-01-05Txx", "2021-01-05 noon",
    ],
)  # fmt: skip
def test_a_cell_that_is_no_date_is_named(tmp_path: Path, cell: str) -> None:
    message = refusal(tmp_path, GOOD + f"{cell},10,10\n")
    assert message.startswith("A.csv, line 3, column date: ")
    assert repr(cell) in message
    assert "write YYYY-MM-DD" in message


@pytest.mark.parametrize(
    "cell",
    ["ten", "1,234.5", "1_000", "nan", "NaN", "inf", "-inf", "1e400", "null", "N/A", ".", "-", "$10", "10%", "0x10"],
)
@pytest.mark.parametrize("column", ["close", "adj_close"])
def test_a_cell_that_is_no_number_is_named(tmp_path: Path, cell: str, column: str) -> None:
    row = {"close": f'2021-01-05,"{cell}",10\n', "adj_close": f'2021-01-05,10,"{cell}"\n'}[column]
    message = refusal(tmp_path, GOOD + row)
    assert message.startswith(f"A.csv, line 3, column {column}: {cell!r} ")
    assert NUMBER in message


@pytest.mark.parametrize("cell", ["0", "0.000", "-0", "-10.5", "1e-400"])
@pytest.mark.parametrize("column", ["close", "adj_close"])
def test_a_price_at_or_below_zero_is_named(tmp_path: Path, cell: str, column: str) -> None:
    row = {"close": f"2021-01-05,{cell},10\n", "adj_close": f"2021-01-05,10,{cell}\n"}[column]
    message = refusal(tmp_path, GOOD + row)
    assert message.startswith(f"A.csv, line 3, column {column}: {cell!r} ")
    assert ABOVE_ZERO in message


@pytest.mark.parametrize(
    ("raw", "fragments"),
    [
        pytest.param(
            GOOD + "2021-01-04,11,11\n",
            ("A.csv, line 3, column date:", "2021-01-04", "twice", "write each date once"),
            id="duplicate dates",
        ),
        pytest.param(
            GOOD + "2021-01-06,11,11\n2021-01-05,11,11\n",
            ("A.csv, line 4, column date:", "2021-01-05", "after 2021-01-06", "oldest first"),
            id="unordered dates",
        ),
        pytest.param(
            HEADER + "2021-01-06,1,1\n2021-01-05,1,1\n2021-01-04,1,1\n",
            ("A.csv, line 3, column date:", "oldest first"),
            id="newest first",
        ),
        pytest.param(
            "day of trade,close,adj_close\n2021-01-04,1,1\n",
            ("A.csv, line 1:", "no column date", "day of trade, close, adj_close", "Rename or add it"),
            id="no date column",
        ),
        pytest.param(
            "date,open,adj_close\n2021-01-04,1,1\n",
            ("A.csv, line 1:", "no column close", "Rename or add it"),
            id="no close column",
        ),
        pytest.param(
            "Date,Open,High,Low,Close,Volume\n2021-01-04,1,1,1,1,1\n",
            ("A.csv, line 1:", "no column adj_close", "repeat close", "Rename or add it"),
            id="no adj_close column",
        ),
        pytest.param("date;close;adj_close\n2021-01-04;1;1\n", ("A.csv, line 1:", "no column date"), id="semicolons"),
        pytest.param("2021-01-04,1,1\n2021-01-05,1,1\n", ("A.csv, line 1:", "no column date"), id="no header"),
        pytest.param(
            "\n\ndate,close\n2021-01-04,1\n", ("A.csv, line 3:", "no column adj_close"), id="header after blank lines"
        ),
        pytest.param(
            "date,close,Close,adj_close\n2021-01-04,1,1,1\n",
            ("A.csv, line 1:", "column close", "twice", "keep one"),
            id="a column twice",
        ),
        pytest.param("", ("A.csv is empty", "write a header (date,close,adj_close)"), id="empty file"),
        pytest.param("\n \n\n", ("A.csv is empty", "write a header (date,close,adj_close)"), id="blank lines only"),
        pytest.param("\ufeff", ("A.csv is empty", "write a header"), id="byte-order mark only"),
        pytest.param(HEADER, ("A.csv has a header but no rows", "one row a session"), id="header only"),
        pytest.param(
            GOOD.encode() + b"2021-01-05,10,10\xe9\n",
            ("A.csv, line 3:", "wrong encoding", "0xe9", "save it as UTF-8"),
            id="a latin-1 byte",
        ),
        pytest.param(
            "date,close,adj_close,n\xe9e\n2021-01-04,1,1,1\n".encode("latin-1"),
            ("A.csv, line 1:", "wrong encoding", "save it as UTF-8"),
            id="a latin-1 byte in the header",
        ),
        pytest.param(GOOD.encode("utf-16"), ("A.csv:", "wrong encoding", "save it as UTF-8"), id="UTF-16"),
        pytest.param(GOOD.encode("utf-16-le"), ("A.csv:", "wrong encoding", "save it as UTF-8"), id="UTF-16, no mark"),
        pytest.param(GOOD + "2021-01-05,1\0,1\n", ("A.csv:", "NUL bytes", "save it as UTF-8"), id="a NUL byte"),
        pytest.param(
            GOOD + "2021-01-05,10\n",
            ("A.csv, line 3:", "2 cells where the header has 3", "one cell for each column"),
            id="too few cells",
        ),
        pytest.param(
            GOOD + "2021-01-05,1,234.5,10\n",
            ("A.csv, line 3:", "4 cells where the header has 3", "one cell for each column"),
            id="too many cells",
        ),
        pytest.param(
            GOOD + '2021-01-05,"1\n0",10\n2021-01-06,1,1\n',
            ("A.csv, line 3:", "quoted", "one row a line"),
            id="a newline inside quotes",
        ),
        pytest.param(
            GOOD + '2021-01-05,10,"10\n2021-01-06,1,1\n', ("A.csv, line 3", "quote"), id="a quote that never closes"
        ),
        pytest.param(GOOD + '2021-01-05,10,"\n', ("A.csv, line 3",), id="a lone quote in the last row"),
        pytest.param(GOOD + '2021-01-05,10,"1"0\n', ("A.csv, line 3",), id="text after a closing quote"),
        pytest.param(GOOD + "2021-01-05,10," + "1" * 200_000 + "\n", ("A.csv, line 3",), id="an endless cell"),
    ],
)
def test_a_defect_is_refused_with_its_place_and_cure(
    tmp_path: Path, raw: str | bytes, fragments: tuple[str, ...]
) -> None:
    message = refusal(tmp_path, raw)
    for fragment in fragments:
        assert fragment in message


@pytest.mark.parametrize("odd", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
def test_only_line_ends_count_as_lines(tmp_path: Path, odd: str) -> None:
    """Editors count newlines; a stray separator inside a cell must not shift the line numbers."""
    raw = "date,close,adj_close,note\n2021-01-04,1,1,\n2021-01-05,1,1,a" + odd + "b\n2021-01-06,x,1,\n"
    assert refusal(tmp_path, raw).startswith("A.csv, line 4, column close: 'x' ")


def test_the_first_defect_by_row_counts_from_the_top_of_the_file(tmp_path: Path) -> None:
    message = refusal(tmp_path, "\n" + GOOD + "\n2021-01-05,x,1\n2021-01-06,y,1\n")
    assert message.startswith("A.csv, line 5, column close: 'x' ")


def test_the_column_is_named_as_the_file_spells_it(tmp_path: Path) -> None:
    message = refusal(tmp_path, "Date,Close,Adj Close\n2021-01-04,1,x\n")
    assert message.startswith("A.csv, line 2, column Adj Close: ")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(GOOD + "2021-01-05,10," + "9" * 5000 + "\n", id="a long cell"),
        pytest.param("when," * 2000 + "\n" + "1," * 2000 + "\n", id="a long header"),
    ],
)
def test_a_message_stays_readable_however_long_the_cell(tmp_path: Path, raw: str) -> None:
    assert len(refusal(tmp_path, raw)) < 500


def test_a_folder_named_like_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "A.csv").mkdir()
    with pytest.raises(DataError, match=r"^A\.csv: cannot be read"):
        read_prices(tmp_path / "A.csv", "A.csv")


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^A\.csv: cannot be read"):
        read_prices(tmp_path / "A.csv", "A.csv")


def test_a_file_too_large_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "MAX_BYTES", len(GOOD))
    (tmp_path / "A.csv").write_text(GOOD, newline="")
    read_prices(tmp_path / "A.csv", "A.csv")
    message = refusal(tmp_path, GOOD + " ")
    assert message.startswith("A.csv: larger than ")
    assert "keep only the columns" in message
