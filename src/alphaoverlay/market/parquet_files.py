"""Read one price or rate file in Parquet as strictly as one in CSV, and say exactly where it is wrong."""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alphaoverlay.errors import DataError, need
from alphaoverlay.history import FloatArray
from alphaoverlay.market import csv_files
from alphaoverlay.market.csv_files import Acceptable, days_of, fold, plausible_percent, position, price_columns

# Three times the sessions since 1800: a packed file may unfold to far more than its size.
MAX_ROWS = 200_000
# What pandas calls an index without a name.
UNNAMED_INDEX = "__index_level_0__"


def read_parquet_prices(path: Path, place: str) -> pd.DataFrame:
    """Read the columns of a price file, as `csv_files.read_prices` does; dates stand in a column or in the index.

    Raises
    ------
    DataError : for every defect, naming file, row (the first is row 1) and column.
    MissingExtra : pyarrow is not installed.
    """
    file = _open(path, place)
    header = list(file.schema_arrow.names)
    date = _date_column(header, place)
    found = price_columns(header, place)
    table = _read(file, place, [date, *(header[j] for _, j in found)])
    index = _days(table, date, place)
    columns = {
        column.name: _numbers(table, header[j], place, column.acceptable, column.otherwise) for column, j in found
    }
    return csv_files.without_splits_of_one(pd.DataFrame(columns, index=index))


def read_parquet_rate(path: Path, place: str, name: str) -> pd.Series:
    """Read `date, percent`, as `csv_files.read_rate` does; return yearly fractions by calendar day.

    Raises
    ------
    DataError : for every defect, naming file, row and column.
    MissingExtra : pyarrow is not installed.
    """
    file = _open(path, place)
    header = list(file.schema_arrow.names)
    date = _date_column(header, place)
    value = header[position(header, place, "percent", (fold(name), *csv_files.RATE_NAMES))]
    table = _read(file, place, [date, value])
    index = _days(table, date, place)
    percent = _numbers(table, value, place, plausible_percent, "is not a yearly rate in percent (5.25 means 5.25%)")
    observed = pd.Series(percent / 100.0, index=index, name=name).dropna()
    if observed.empty:
        raise DataError(f"{place}: no value in column {value}; write one yearly rate in percent a day")
    return observed


def _open(path: Path, place: str) -> Any:
    parquet = need("pyarrow.parquet", "parquet", f"reading {place}")
    try:
        if path.stat().st_size > csv_files.MAX_BYTES:
            raise DataError(
                f"{place}: larger than {csv_files.MAX_BYTES // 2**20} MB; keep only the columns that are read"
            )
        if not path.is_file():
            raise DataError(f"{place}: cannot be read (it is a folder); write one file a symbol")
        file = parquet.ParquetFile(path, page_checksum_verification=True)
    except _faults() as error:
        raise _unreadable(place, error) from None
    rows = file.metadata.num_rows
    if rows > MAX_ROWS:
        raise DataError(f"{place}: {rows} rows; write one row a session, {MAX_ROWS} at most")
    if not rows:
        raise DataError(f"{place} has no rows; write columns date, close, adj_close and one row a session")
    return file


def _read(file: Any, place: str, columns: list[str]) -> Any:
    try:
        table = file.read(columns=columns)
    except _faults() as error:
        raise _unreadable(place, error) from None
    if table.num_rows != file.metadata.num_rows:
        raise DataError(f"{place}: the file holds other rows than it says; write it again")
    return table


def _faults() -> tuple[type[Exception], ...]:
    """What pyarrow raises for a damaged file; a packed length that is a lie may ask for all memory."""
    return (
        OSError,
        ValueError,
        OverflowError,
        MemoryError,
        need("pyarrow", "parquet", "reading Parquet files").ArrowException,
    )


def _unreadable(place: str, error: Exception) -> DataError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else "it is damaged, or not Parquet"
    return DataError(f"{place}: cannot be read ({why}); write it again, or as CSV")


def _date_column(header: list[str], place: str) -> str:
    names = {fold(cell) for cell in header}
    if UNNAMED_INDEX in header and not names.intersection(csv_files.DATE_NAMES):
        return UNNAMED_INDEX
    return header[position(header, place, "date", csv_files.DATE_NAMES)]


def _days(table: Any, name: str, place: str) -> pd.DatetimeIndex:
    said = "date (the index)" if name == UNNAMED_INDEX else name
    try:
        cells = [_as_text(value) for value in table.column(name).to_pylist()]
    except _faults():
        raise DataError(f"{place}, column {said}: dates that no calendar has; write YYYY-MM-DD") from None
    return days_of(cells, lambda k: f"{place}, row {k + 1}, column {said}")


def _as_text(value: object) -> str:
    """The day of a date or of a moment, as its own time zone has it; text as it stands."""
    if isinstance(value, datetime.date):  # moments are dates too
        return value.isoformat()[:10]
    return "" if value is None else str(value).strip()


def _numbers(table: Any, name: str, place: str, acceptable: Acceptable, otherwise: str) -> FloatArray:
    types = need("pyarrow", "parquet", "reading Parquet files").types
    column = table.column(name)
    kind = column.type
    if not (types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind) or types.is_null(kind)):
        raise DataError(f"{place}, column {name}: holds {kind}, not numbers; write floating-point numbers")
    values = np.array([math.nan if value is None else float(value) for value in column.to_pylist()], dtype=np.float64)
    for k in np.flatnonzero(~np.isnan(values) & ~acceptable(values))[:1]:
        value = float(values[k])
        wrong = otherwise if math.isfinite(value) else "is not a number; leave the cell empty where it is unknown"
        raise DataError(f"{place}, row {k + 1}, column {name}: {value} {wrong}")
    return values
