"""What the sources that ask the web share: their client, days and numbers of an answer, and what was asked before."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alphaoverlay.errors import FetchError, SymbolNotFound, need
from alphaoverlay.history import FloatArray, PriceSeries

if TYPE_CHECKING:
    from alphaoverlay.market.client import Client, Patience

# A share, fund or class of shares listed in the US: SPY, VFINX, BRK.B, BRK-B.
LISTING = re.compile(r"[A-Za-z][A-Za-z0-9]{0,11}([.-][A-Za-z]{1,2})?")
# Indices by the names that studies use. Some are also tickers of something else (MID is a fund), so a source of
# listings must never be asked for them.
INDICES = frozenset({"DJI", "GSPC", "IXIC", "MID", "NDQ", "NDX", "RUI", "RUT", "SP500TR", "SPX"})
KEY_IN_ADDRESS = re.compile(r"(?i)((?:api_?key|token)=)[^&\s\"']+")


class Web:
    """A source that asks the web; what that needs is imported when it is first asked, so that it opens without.

    Parameters
    ----------
    base_url : scheme, host and maybe a path of a mirror, asked in its place.
    patience : how long to wait, and how often to try.

    Raises
    ------
    StudyError : the base URL cannot be used.
    MissingExtra : the packages of the extra "live" are not installed (without a base URL: when it is first asked).
    """

    name = ""

    def __init__(self, base_url: str | None = None, patience: Patience | None = None) -> None:
        self._base_url, self._patience = base_url, patience
        if base_url is not None:
            need("requests", "live", f"the source {self.name}")
            from alphaoverlay.market.client import checked_base_url

            checked_base_url(self.name, base_url)

    @cached_property
    def _client(self) -> Client:
        need("requests", "live", f"the source {self.name}")
        from alphaoverlay.market.client import Client

        return Client(self.name, self._base_url, self._patience)


def retrieved_now() -> str:
    """The moment, as provenance writes it."""
    from alphaoverlay.market.client import time_of_asking

    return time_of_asking()


class _NoKeys(logging.Filter):
    """Strikes keys out of addresses before a record reaches any handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = KEY_IN_ADDRESS.sub(r"\1...", record.getMessage()), ()
        return True


_NO_KEYS = _NoKeys()


def keep_keys_out_of_logs() -> None:
    """Strike keys out of what urllib3 logs: at DEBUG it writes every address, with its query."""
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_NO_KEYS)  # adding it twice adds it once


def days_of(source: str, place: str, stamps: Sequence[object]) -> pd.DatetimeIndex:
    """Read the days of an answer's rows: ISO dates, with or without a time, each once and ascending.

    Raises
    ------
    FetchError : a stamp that is none, or out of order.
    """
    days: list[date] = []
    for k, stamp in enumerate(stamps):
        text = stamp[:10] if isinstance(stamp, str) else ""
        try:
            day = date.fromisoformat(text) if len(text) == 10 else None
        except ValueError:
            day = None
        if day is None:
            raise broken(source, place, f"row {k + 1} has no date")
        if days and day <= days[-1]:
            raise broken(source, place, f"row {k + 1}, {day}, comes after {days[-1]}")
        days.append(day)
    return pd.DatetimeIndex(np.array(days, dtype="datetime64[ns]"), name="date")


def numbers_of(
    source: str, place: str, index: pd.DatetimeIndex, column: str, cells: Sequence[object], *, zero: bool = False
) -> FloatArray:
    """Read numbers above zero, or from zero on; NaN for an empty cell.

    Raises
    ------
    FetchError : a cell that is none; names day and column.
    """
    values = np.full(len(cells), np.nan)
    for k, cell in enumerate(cells):
        if cell is None or cell == "":
            continue
        try:
            value = math.nan if isinstance(cell, bool) or not isinstance(cell, str | int | float) else float(cell)
        except (ValueError, OverflowError):
            value = math.nan
        if not (0.0 <= value < math.inf if zero else 0.0 < value < math.inf):
            what = "a number from zero on" if zero else "a number above zero"
            raise broken(source, place, f"column {column} of {index[k].date()} is not {what}")
        values[k] = value
    return values


def broken(source: str, place: str, what: str) -> FetchError:
    """The error for an answer that came whole but cannot be used; its words are ours, never the server's."""
    return FetchError(f"{source}, {place}: {what}; try again later, or take the series from another source")


def refuse_unknown(source: str, symbol: str, instead: str) -> SymbolNotFound:
    """The error for a symbol that a source does not have, in one sentence."""
    return SymbolNotFound(f"{source} has no {symbol[:40]!r}; {instead}")


@dataclass
class Asked:
    """Series that a source was asked for: each address once, and once more for an earlier start."""

    _known: dict[str, tuple[str | None, PriceSeries]] = field(default_factory=dict)
    _absent: dict[str, str] = field(default_factory=dict)

    def prices(
        self, symbol: str, address: str, since: str | None, ask: Callable[[str | None], PriceSeries]
    ) -> PriceSeries:
        """Return the series of an address under the name it is asked by now.

        Raises
        ------
        SymbolNotFound : it was not there, now or when it was first asked for.
        """
        if address in self._absent:
            raise SymbolNotFound(self._absent[address])
        if address in self._known:
            start, series = self._known[address]
            if start is None or (since is not None and start <= since):
                return _named(series, symbol)
        try:
            series = ask(since)
        except SymbolNotFound as error:
            self._absent[address] = str(error)
            raise
        self._known[address] = (since, series)
        return _named(series, symbol)


def _named(series: PriceSeries, symbol: str) -> PriceSeries:
    if series.symbol == symbol:
        return series
    return replace(series, symbol=symbol, provenance=replace(series.provenance, name=symbol))
