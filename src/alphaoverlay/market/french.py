"""Kenneth French's daily factors since July 1926: the US market, size, value, and the one-month bill.

Read: a file of the library (F-F_Research_Data_Factors_daily.CSV of October 2019, in github.com/tvme/qc_tests);
its address and splitting are those of pandas-datareader's FamaFrenchReader.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alphaoverlay.errors import DataError, FetchError, need
from alphaoverlay.history import FloatArray, PriceSeries, Provenance, RateSeries, iso
from alphaoverlay.market import answers

if TYPE_CHECKING:
    from alphaoverlay.market.client import Client

DATA_SET = "F-F_Research_Data_Factors_daily"
ADDRESS = f"https://mba.tuck.dartmouth.edu/pages/faculty/ken.french/ftp/{DATA_SET}_CSV.zip"
PLACE = f"{DATA_SET}.CSV"
BEGINNING = "1900-01-01"
MAX_UNPACKED = 64 * 2**20
# The library's marks of a missing value: -99.99 and -999.
MISSING = -99.0
START = 100.0

LONG_SHORT = "growth of 1 in the daily return of a long-short factor, which pays for itself: no cash return in it"
SERIES: Mapping[str, tuple[tuple[str, ...], str]] = MappingProxyType(
    {
        "MKT": (("Mkt-RF", "RF"), "total return of all US shares by value (CRSP): Mkt-RF + RF, compounded"),
        "SMB": (("SMB",), f"small minus big: {LONG_SHORT}"),
        "HML": (("HML",), f"high minus low book-to-market: {LONG_SHORT}"),
    }
)
RATE_NOTE = (
    "one-month Treasury bill; the same return on every session of a month, so that the yearly rate of a weekend is a "
    "third of a weekday's"
)


@dataclass(frozen=True)
class _Factors:
    """Factors in percent a session, and when they were fetched."""

    table: pd.DataFrame
    retrieved: str


class FrenchSource(answers.Web):
    """MKT, SMB, HML and the rate RF from Kenneth French's data library; one file, fetched once.

    Parameters
    ----------
    base_url : scheme, host and maybe a path of a mirror.
    patience : how long to wait, and how often to try.
    """

    name = "french"
    default_rate = "RF"
    stand_ins: Mapping[str, str] = MappingProxyType({})
    notes: tuple[str, ...] = ()
    accept: frozenset[str] = frozenset()

    def holds(self, symbol: str) -> bool:
        """Whether the symbol is MKT, SMB or HML."""
        return symbol.upper() in SERIES

    def prices(self, symbol: str, since: str | None = None) -> PriceSeries:
        """Return an index of the market or of a factor, 100 on its first session; `close` repeats `adj_close`.

        Raises
        ------
        SymbolNotFound : another symbol was asked for.
        DataError : a value is marked as missing.
        FetchError : no usable answer.
        """
        if not self.holds(symbol):
            raise answers.refuse_unknown(self.name, symbol, f"only {', '.join(SERIES)}, and the rate RF")
        columns, note = SERIES[symbol.upper()]
        growth = 1.0 + np.sum([self._percent(column) for column in columns], axis=0) / 100.0
        # There is no session before the first in the file, so its own return has no place in an index.
        level = START * np.concatenate(([1.0], np.cumprod(growth[1:])))
        frame = pd.DataFrame({"close": level, "adj_close": level}, index=self._days)
        return PriceSeries(symbol, frame, self._provenance(symbol, self._days, note, "USD"))

    def rate(self, name: str, since: str | None = None) -> RateSeries:
        """Return `RF`, the daily bill return, as a yearly fraction on actual days over 360.

        Each value is dated the session before the one it is earned on, so that `c*d` of a session (method: Time) is
        the file's return.

        Raises
        ------
        SymbolNotFound : another rate was asked for.
        DataError : a value is marked as missing.
        FetchError : no usable answer.
        """
        if name != "RF":
            raise answers.refuse_unknown(self.name, name, 'only the rate RF: write rate = "RF" or a fixed fraction')
        days = np.diff(self._days.to_numpy()) / np.timedelta64(1, "D")
        index = self._days[:-1]
        values = pd.Series(self._percent("RF")[1:] / 100.0 * 360.0 / days, index=index, name=name)
        return RateSeries(name, values, self._provenance(name, index, RATE_NOTE, ""))

    def _provenance(self, name: str, index: pd.DatetimeIndex, note: str, currency: str) -> Provenance:
        return Provenance(
            name,
            self.name,
            PLACE,
            iso(index[0]),
            iso(index[-1]),
            len(index),
            note=note,
            retrieved=self._factors.retrieved,
            currency=currency,
        )

    @cached_property
    def _factors(self) -> _Factors:
        return _Factors(_fetch(self._client), answers.retrieved_now())

    @property
    def _days(self) -> pd.DatetimeIndex:
        return pd.DatetimeIndex(self._factors.table.index)

    def _percent(self, column: str) -> FloatArray:
        values = self._factors.table[column].to_numpy(dtype=np.float64)
        if (bad := np.flatnonzero(~(values > MISSING))).size:
            raise DataError(
                f"{PLACE}, column {column}: no value on {iso(self._days[bad[0]])}, where the file marks it as missing; "
                "take the series from another source"
            )
        return values


def _fetch(client: Client) -> pd.DataFrame:
    """Fetch the factors in percent by session.

    Raises
    ------
    FetchError : no usable answer.
    """
    try:
        table: pd.DataFrame | None = _reader(client).read().get(0)
    except FetchError:
        raise
    except OSError:  # what the library raises for a status: its words hold the address
        raise FetchError("french has no such file at that address (status 404); check the base URL") from None
    except (ValueError, TypeError, KeyError, IndexError):  # what a table of another layout raises in it
        raise answers.broken("french", PLACE, "the table cannot be read, so its layout is another") from None
    if table is None:
        raise answers.broken("french", PLACE, "the file has no table of daily factors")
    for name in ("Mkt-RF", "SMB", "HML", "RF"):
        if name not in table or not pd.api.types.is_numeric_dtype(table[name]):
            raise answers.broken("french", PLACE, f"no column {name} of numbers, so its layout is another")
    if not isinstance(table.index, pd.PeriodIndex) or table.index.freqstr != "D":
        raise answers.broken("french", PLACE, "the rows are not dated by day")
    index = answers.days_of("french", PLACE, [str(day) for day in table.index])
    if len(index) < 2:
        raise answers.broken("french", PLACE, "the file has less than two sessions")
    return table.set_axis(index)


def _reader(client: Client) -> Any:
    """pandas-datareader's reader, asking through our client, once, and with bounds on what it unpacks."""
    library = need("pandas_datareader.famafrench", "live", "reading Kenneth French's library")

    class Reader(library.FamaFrenchReader):  # type: ignore[misc, name-defined]
        url = ADDRESS

        def _read_zipfile(self, url: str) -> str:
            return _unpacked(self._get_response(url).content)

    return Reader(DATA_SET, start=BEGINNING, retry_count=0, pause=0.0, session=client)


def _unpacked(body: bytes) -> str:
    """Text of the one file in the answer, its lines ended as the library expects.

    Raises
    ------
    FetchError : it is no zip file, or has no file of a sensible size in it.
    """
    if not body:
        raise FetchError("french sent an empty answer; try again later, or take another source")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = [one for one in archive.infolist() if not one.is_dir()]
            if not names:
                raise answers.broken("french", PLACE, "the zip file holds no file")
            with archive.open(names[0]) as file:
                raw = file.read(MAX_UNPACKED + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise answers.broken("french", PLACE, "the answer is no zip file, or a damaged one") from None
    if len(raw) > MAX_UNPACKED:
        raise answers.broken("french", PLACE, f"the file is larger than {MAX_UNPACKED // 2**20} MB")
    return re.sub(r"\r\n?|\n", "\r\n", raw.decode("utf-8", "ignore"))
