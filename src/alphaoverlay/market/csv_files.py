"""Read one price or rate file, and say exactly where it is wrong.

A file is refused at its first defect, by file, line and column: nothing is dropped, sorted or filled in silence.
"""

from __future__ import annotations

import csv
import datetime
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphaoverlay.errors import DataError
from alphaoverlay.history import FloatArray

Bools = NDArray[np.bool_]
Acceptable = Callable[[FloatArray], Bools]

MAX_BYTES = 64 * 2**20
FIRST_YEAR, LAST_YEAR = 1800, 2200

# What may follow a date: nothing, or a time as vendors write it.
TIME_OF_DAY = re.compile(r"([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s?(Z|[+-]\d{2}:?\d{2})?)?")

# Spellings that data vendors and spreadsheets use, compared without case, spaces and punctuation.
DATE_NAMES = ("date", "datetime", "timestamp", "day", "observationdate")
CLOSE_NAMES = ("close", "closelast", "closeprice", "price", "last")
ADJUSTED_NAMES = ("adjclose", "adjustedclose", "adjcloseprice", "adj", "totalreturn")
VOLUME_NAMES = ("volume", "vol")
NAV_NAMES = ("nav", "netassetvalue")
DISTRIBUTION_NAMES = ("distribution", "distributions", "dividend", "dividends")
# Not "split factor": Tiingo's files have it beside a close that is not adjusted for splits.
SPLIT_NAMES = ("split", "splits", "stocksplit", "stocksplits")
RATE_NAMES = ("percent", "rate", "value", "yield", "close")
TOTAL_RETURN_HINT = " (close adjusted for splits and distributions; for a total-return or price index repeat close)"


def positive(values: FloatArray) -> Bools:
    """Which of them a price can be."""
    return (values > 0.0) & (values < math.inf)


def not_negative(values: FloatArray) -> Bools:
    """Which of them an amount can be."""
    return (values >= 0.0) & (values < math.inf)


def plausible_percent(values: FloatArray) -> Bools:
    """Which of them a yearly rate in percent can be."""
    return (values >= -20.0) & (values <= 100.0)


@dataclass(frozen=True)
class Column:
    """One column of a price file: its spellings, and which values it may hold."""

    name: str
    spellings: tuple[str, ...]
    acceptable: Acceptable
    otherwise: str
    needed: bool = False
    hint: str = ""


PRICE_COLUMNS = (
    Column("close", CLOSE_NAMES, positive, "is not a price: prices are above zero", True),
    Column("adj_close", ADJUSTED_NAMES, positive, "is not a price: prices are above zero", True, TOTAL_RETURN_HINT),
    Column("volume", VOLUME_NAMES, not_negative, "is not a volume: volumes are zero or more"),
    Column("nav", NAV_NAMES, positive, "is not a net asset value: those are above zero"),
    Column("distribution", DISTRIBUTION_NAMES, not_negative, "is not a distribution: those are zero or more"),
    Column("split", SPLIT_NAMES, not_negative, "is not a split: write new shares for an old one, 0 for none"),
)


@dataclass(frozen=True)
class _Rows:
    """Cells of a file, column by column, with the line each row stands on."""

    place: str
    header: tuple[str, ...]
    header_line: int
    cells: tuple[list[str], ...]
    lines: list[int]


def read_prices(path: Path, place: str) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Read `date, close, adj_close` from a CSV file, and `volume`, `nav`, `distribution` and `split` where it has them.

    Returns
    -------
    A frame indexed by date with a float column each (NaN where the cell is empty), and the line number of each row.

    Raises
    ------
    DataError : for every defect, naming file, line and column.
    """
    rows = _read_rows(path, place, "date,close,adj_close and one row a session")
    where = f"{place}, line {rows.header_line}"
    date = position(rows.header, where, "date", DATE_NAMES)
    found = price_columns(rows.header, where)
    index = _dates(rows, date)
    columns = {column.name: _numbers(rows, j, column.acceptable, column.otherwise) for column, j in found}
    frame = without_splits_of_one(pd.DataFrame(columns, index=index))
    return frame, np.asarray(rows.lines, dtype=np.int64)


def price_columns(header: Sequence[str], where: str) -> list[tuple[Column, int]]:
    """Positions of the columns of a price file that a header has.

    Raises
    ------
    DataError : one that is needed is missing, or one stands twice.
    """
    folded = {fold(cell) for cell in header}
    return [
        (column, position(header, where, column.name, column.spellings, column.hint))
        for column in PRICE_COLUMNS
        if column.needed or folded.intersection(column.spellings)
    ]


def without_splits_of_one(frame: pd.DataFrame) -> pd.DataFrame:
    """Write 0 for a split of one for one, which is none."""
    if "split" in frame:
        frame["split"] = frame["split"].mask(frame["split"] == 1.0, 0.0)
    return frame


def read_rate(path: Path, place: str, name: str) -> pd.Series:
    """Read `date, percent` from a CSV file; return yearly fractions by calendar day.

    An empty cell or a lone "." (FRED's mark for a day without a value) is a day without an observation.

    Raises
    ------
    DataError : for every defect, naming file, line and column.
    """
    rows = _read_rows(path, place, "date,percent and one row a day")
    where = f"{place}, line {rows.header_line}"
    date = position(rows.header, where, "date", DATE_NAMES)
    value = position(rows.header, where, "percent", (fold(name), *RATE_NAMES))
    index = _dates(rows, date)
    rows.cells[value][:] = ["" if cell.strip() == "." else cell for cell in rows.cells[value]]
    percent = _numbers(rows, value, plausible_percent, "is not a yearly rate in percent (5.25 means 5.25%)")
    values = pd.Series(percent / 100.0, index=index, name=name)
    observed = values.dropna()
    if observed.empty:
        raise DataError(f"{place}: no value in column {rows.header[value]}; write one yearly rate in percent a day")
    return observed


def _read_rows(path: Path, place: str, layout: str) -> _Rows:
    # Only newlines end a line: str.splitlines() would also split at form feeds and the like inside a cell.
    text_lines = _decode(path, place).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    reader = csv.reader(text_lines, strict=True)
    try:
        table = list(reader)
    except csv.Error:
        raise _first_defect(text_lines, place) from None
    if reader.line_num != len(table):
        raise _first_defect(text_lines, place)
    filled = [k for k, row in enumerate(table) if any(map(str.strip, row))]
    if len(filled) < 2:
        what = "has a header but no rows" if filled else "is empty"
        raise DataError(f"{place} {what}; write a header ({layout.split()[0]}){layout.removeprefix(layout.split()[0])}")
    header = tuple(cell.strip() for cell in table[filled[0]])
    body = [table[k] for k in filled[1:]]
    for k, row in zip(filled[1:], body, strict=True):
        if len(row) != len(header):
            raise DataError(
                f"{place}, line {k + 1}: {len(row)} cells where the header has {len(header)}; "
                "write one cell for each column"
            )
    columns = tuple(list(column) for column in zip(*body, strict=True))
    return _Rows(place, header, filled[0] + 1, columns, [k + 1 for k in filled[1:]])


def _first_defect(text_lines: list[str], place: str) -> DataError:
    """What to say of lines that are not one row each."""
    reader = csv.reader(text_lines, strict=True)
    line = 0
    try:
        for line, _ in enumerate(reader, start=1):
            if reader.line_num != line:
                break
    except csv.Error as error:
        return DataError(f"{place}, line {line + 1}: not readable as CSV ({error}); mend the quotes or the cell")
    return DataError(f"{place}, line {line}: a quoted cell runs over several lines; write one row a line")


def short(text: str, most: int = 60) -> str:
    """Cut a cell or a header for a message."""
    return text if len(text) <= most else f"{text[:most]}..."


def _decode(path: Path, place: str) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{place}: larger than {MAX_BYTES // 2**20} MB; keep only the columns that are read")
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{place}: cannot be read ({error.strerror})") from None
    if b"\0" in raw:
        raise DataError(f"{place}: wrong encoding (it holds NUL bytes, as UTF-16 does); save it as UTF-8 text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DataError(
            f"{place}, line {line}: wrong encoding (byte 0x{raw[error.start]:02x} is not UTF-8); save it as UTF-8 text"
        ) from None


def fold(name: str) -> str:
    """Letters and digits of a name, in lower case."""
    return "".join(ch for ch in name.casefold() if ch.isalnum())


def position(header: Sequence[str], where: str, name: str, spellings: Sequence[str], hint: str = "") -> int:
    """Position of the column, the earliest spelling first."""
    folded = [fold(cell) for cell in header]
    for spelling in spellings:
        found = [j for j, cell in enumerate(folded) if cell == spelling]
        if len(found) > 1:
            raise DataError(f"{where}: column {short(header[found[0]])} stands twice; keep one")
        if found:
            return found[0]
    if len(header) == 1 and ";" in header[0]:
        hint = ""
        name += " (cells are separated by semicolons; separate them by commas)"
    raise DataError(
        f"{where}: no column {name}{hint}; the header has {short(', '.join(header), 200)}. Rename or add it"
    )


def _dates(rows: _Rows, j: int) -> pd.DatetimeIndex:
    return days_of(
        [cell.strip() for cell in rows.cells[j]],
        lambda k: f"{rows.place}, line {rows.lines[k]}, column {rows.header[j]}",
    )


def days_of(cells: Sequence[str], where: Callable[[int], str]) -> pd.DatetimeIndex:
    """Read dates, each once and ascending; `where` names the place of a cell.

    Raises
    ------
    DataError : for every defect.
    """
    # A time of day after an ISO date ("T00:00:00.000Z") is ignored: one row is one session.
    stamps = [cell if len(cell) == 10 or not TIME_OF_DAY.fullmatch(cell[10:]) else cell[:10] for cell in cells]
    for k, stamp in enumerate(stamps):
        if not _is_date(stamp):
            raise DataError(f"{where(k)}: {short(cells[k])!r} is not a date; write YYYY-MM-DD")
    days = np.array(stamps, dtype="datetime64[D]")
    steps = np.diff(days.astype(np.int64))
    if (bad := np.flatnonzero(steps <= 0)).size:
        k = int(bad[0]) + 1
        what = "stands twice" if steps[k - 1] == 0 else f"comes after {stamps[k - 1]}"
        raise DataError(f"{where(k)}: {stamps[k]} {what}; write each date once, oldest first")
    return pd.DatetimeIndex(days.astype("datetime64[ns]"), name="date")


def _is_date(stamp: str) -> bool:
    try:
        # fromisoformat() reads week dates too, such as 2021-W01-2.
        return (
            len(stamp) == 10
            and stamp[4] == stamp[7] == "-"
            and FIRST_YEAR <= datetime.date.fromisoformat(stamp).year <= LAST_YEAR
        )
    except ValueError:
        return False


def _numbers(rows: _Rows, j: int, acceptable: Acceptable, otherwise: str) -> FloatArray:
    values = _floats(rows.cells[j])
    for k in np.flatnonzero(~acceptable(values)).tolist():
        if cell := rows.cells[j][k].strip():
            wrong = otherwise if math.isfinite(values[k]) else "is not a number; write digits and a decimal point only"
            raise DataError(f"{rows.place}, line {rows.lines[k]}, column {rows.header[j]}: {short(cell)!r} {wrong}")
    return values


def _floats(cells: Sequence[str]) -> FloatArray:
    """The numbers of a column, NaN where a cell is none."""
    try:
        if _is_plain("".join(cells)):
            return np.array([float(cell) for cell in cells])
    except ValueError:  # some cell is empty, or no number
        pass
    return np.array([_float(cell) for cell in cells])


def _float(cell: str) -> float:
    try:
        return float(cell) if _is_plain(cell) else math.nan
    except ValueError:
        return math.nan


def _is_plain(text: str) -> bool:
    """Whether it is free of what float() reads and no vendor means: "1_000", and digits of other scripts."""
    return "_" not in text and text.isascii()
