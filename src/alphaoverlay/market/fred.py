"""Yearly rates from FRED, the database of the Federal Reserve Bank of St. Louis, read by pandas-datareader."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from alphaoverlay.errors import AlphaOverlayError, DataError, FetchError, SymbolNotFound, did_you_mean, need
from alphaoverlay.history import PriceSeries, Provenance, RateSeries, iso
from alphaoverlay.market.answers import Web, retrieved_now

HOST = "https://fred.stlouisfed.org"
# Rates that may stand in for others, which FRED is never asked for.
OTHERS = {"RF": "Kenneth French's library (--data french)"}
RATES: Mapping[str, str] = MappingProxyType(
    {
        "DFF": "effective federal funds rate",
        "DTB3": "three-month Treasury bill, secondary market, on a discount basis",
        "SOFR": "secured overnight financing rate",
    }
)
SERIES = re.compile(r"[A-Za-z0-9_]{1,64}")
# What FRED has called the column of days; a day without an observation is empty, or "." in older files.
DATE_NAMES = ("observation_date", "DATE")
ROW = re.compile(r"(\d{4}-\d{2}-\d{2}),(|\.|-?\d+\.?\d*|-?\.\d+)")
LOWEST, HIGHEST = -20.0, 100.0  # percent


class FredSource(Web):
    """Rates from FRED: DFF, DTB3, SOFR, or any other of its series that is a rate in percent a year.

    Parameters
    ----------
    base_url : a mirror with FRED's paths, asked in its place.
    patience : how long to wait, and how often to try.

    Raises
    ------
    StudyError : the base URL cannot be used.
    MissingExtra : the packages of the extra "live" are not installed (without a base URL: when FRED is first asked).
    """

    name = "fred"
    default_rate = "DFF"
    stand_ins: Mapping[str, str] = MappingProxyType({})
    notes: tuple[str, ...] = ()
    accept: frozenset[str] = frozenset()

    def holds(self, symbol: str) -> bool:
        """FRED is a source of rates only."""
        return False

    def prices(self, symbol: str, since: str | None = None) -> PriceSeries:
        """Refuse: FRED is a source of rates only.

        Raises
        ------
        SymbolNotFound : always.
        """
        raise SymbolNotFound(
            f"FRED is a source of rates here, so it has no prices of {symbol[:40]}; name a source of prices with --data"
        )

    def rate(self, name: str, since: str | None = None) -> RateSeries:
        """Read one rate, all of it or from a day (ISO date) on.

        Raises
        ------
        SymbolNotFound : FRED has no such series.
        DataError : it is no rate in percent, or has nothing from the day on.
        FetchError : FRED gave no usable answer.
        """
        if not SERIES.fullmatch(name):
            raise SymbolNotFound(f"{name[:40]!r} cannot be a series of FRED; write its ID, such as {_known()}")
        if name.upper() in OTHERS:
            raise SymbolNotFound(f"{name} is no series of FRED but of {OTHERS[name.upper()]}; write {_known()}")
        need("requests", "live", "the source fred")
        series, retrieved = name.upper(), retrieved_now()
        place = f"series {series}"
        percent = self._read(name, series, since)
        values = _checked(place, percent).rename(name) / 100.0
        if values.empty:
            raise DataError(f"FRED, {place}: no value{f' from {since} on' if since else ''}; ask from an earlier day")
        provenance = Provenance(
            name,
            self.name,
            place,
            iso(values.index[0]),
            iso(values.index[-1]),
            len(values),
            note=RATES.get(series, ""),
            retrieved=retrieved,
        )
        return RateSeries(name, values, provenance)

    def _read(self, name: str, series: str, since: str | None) -> pd.Series:
        from alphaoverlay.market.client import Client

        reader_of = need("pandas_datareader.fred", "live", "the source fred").FredReader
        base_url = self._base_url

        class Reader(reader_of):  # type: ignore[misc, valid-type]
            """pandas-datareader's, with the day to begin at, and with a look at what came before it is interpreted."""

            url = f"{HOST}/graph/fredgraph.csv"

            def _get_response(self, url: str, params: Any = None, headers: Any = None) -> Any:
                return super()._get_response(url, params={"cosd": since} if since else None, headers=headers)

            def _output_error(self, out: Any) -> bool:  # the client lets no other status than 404 pass
                raise _not_found(name, base_url)

            @staticmethod
            def _sanitize_response(response: Any) -> str:
                return _csv(series, response)

        try:
            table = Reader(
                series,
                start=since or "1800-01-01",
                end="2200-12-31",  # the default is today, here and not in the United States
                retry_count=0,  # the client is patient already
                pause=0.0,
                session=Client("FRED", base_url, self._patience),
            ).read()
            return pd.Series(table[series].astype("float64"))
        except AlphaOverlayError:
            raise
        except Exception:  # whatever the library stumbles over; its words quote the address
            raise _strange(series) from None


def _known() -> str:
    return ", ".join(RATES)


def _not_found(name: str, base_url: str | None) -> SymbolNotFound:
    where = "" if base_url is None else " (or the base URL is wrong)"
    return SymbolNotFound(
        f"FRED has no series {name}{where}.{did_you_mean(name, RATES)} Rates often used: {_known()}; the page of any "
        "other at fred.stlouisfed.org gives its ID in brackets after the title"
    )


def _strange(series: str) -> FetchError:
    return FetchError(
        f"FRED's answer about {series} is not the CSV file that was expected; try again later, or check the base URL"
    )


def _csv(series: str, response: Any) -> str:
    """The text of an answer, once it is known to be FRED's file of that series, whole and in order."""
    text: str = response.content.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    lines = text.rstrip("\n").split("\n")
    if lines[0].strip('"') not in [f"{day},{series}" for day in DATE_NAMES]:
        raise _strange(series)
    # HTTP itself notices a body that is too short where it was told the length; else a last line without its end tells.
    told = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
    whole = told or text.endswith("\n")
    day = ""
    for number, line in enumerate(lines[1:], start=2):
        row, place = ROW.fullmatch(line), f"FRED, series {series}, line {number}"
        if not row or (number == len(lines) and not whole):
            what = "breaks off" if number == len(lines) else "is not a day and a number"
            raise FetchError(f"{place}: {line[:40]!r} {what}; try again later, or check the base URL")
        if row[1] <= day:  # pandas-datareader would put the days in order, and keep two values of one
            raise DataError(f"{place}: {row[1]} comes after {day}; each day stands once, oldest first. Try again later")
        day = row[1]
    return text


def _checked(place: str, percent: pd.Series) -> pd.Series:
    """The observations, by day.

    Raises
    ------
    DataError : a value that cannot be a rate in percent.
    """
    index = pd.DatetimeIndex(percent.index).as_unit("ns")
    observed = pd.Series(percent.to_numpy(), index=index.rename("date")).dropna()
    if len(odd := np.flatnonzero(~observed.between(LOWEST, HIGHEST))):
        raise DataError(
            f"FRED, {place}: {observed.iloc[odd[0]]:g} on {iso(observed.index[odd[0]])} is not a yearly rate in "
            f"percent ({LOWEST:g} to {HIGHEST:g}); name a series whose unit is percent, such as {_known()}"
        )
    return observed
