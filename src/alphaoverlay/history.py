"""Market history on the sessions of one exchange: prices, the financing rate, and where each came from.

Everything downstream reads a `History`; nothing downstream reads a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphaoverlay.errors import SpanError

FloatArray = NDArray[np.float64]
# Calendar days of a year, leap years evened out.
DAYS_A_YEAR = 365.25

Nature = Literal["real", "partly modelled", "modelled", "assumed"]


@dataclass(frozen=True)
class Provenance:
    """Where one series came from.

    Attributes
    ----------
    name : the symbol or rate.
    source : the source that served it, as the user would name it.
    place : file or document inside the source.
    first, last : ISO dates of the first and last observation that the source holds.
    observations : their number.
    nature : whether the values were observed in a market.
    note : what a reader must know about the series; may be empty.
    retrieved : when the source was asked, ISO 8601 in UTC; empty for files, which are read where they lie.
    version : the store's number of this state of the series; None where nothing is stored.
    fingerprint : hash of the values that a result used; empty before they are used.
    currency, timezone : as the source states them ("USD", "America/New_York"); empty where it does not.
    """

    name: str
    source: str
    place: str
    first: str
    last: str
    observations: int
    nature: Nature = "real"
    note: str = ""
    retrieved: str = ""
    version: int | None = None
    fingerprint: str = ""
    currency: str = ""
    timezone: str = ""


@dataclass(frozen=True)
class PriceSeries:
    """Prices of one symbol as a source serves them.

    `frame` is indexed by session and holds `close` (adjusted for splits only; NaN where unknown) and `adj_close`
    (adjusted for splits and distributions; NaN only where the source has an empty cell), and where the source has them
    `volume` (shares traded), `nav` (net asset value a share), `distribution` (cash paid a share on its ex-date, else 0;
    both on the footing of `close`) and `split` (new shares for an old one on the first day of trading on them, else 0).
    `lines` are the rows' line numbers in their file, where there is one.
    """

    symbol: str
    frame: pd.DataFrame
    provenance: Provenance
    lines: tuple[int, ...] = ()

    def where(self, row: int) -> str:
        """Name the place of a row: file and line where known."""
        return f"{self.provenance.place}, line {self.lines[row]}" if self.lines else self.provenance.place


@dataclass(frozen=True)
class RateSeries:
    """A yearly interest rate as a fraction, by calendar day, as a source serves it."""

    name: str
    values: pd.Series
    provenance: Provenance


@dataclass(frozen=True)
class History:
    """Prices and the financing rate on consecutive exchange sessions.

    Attributes
    ----------
    dates : the n sessions, ascending.
    close, adj_close : n rows, a column a symbol; NaN before a symbol's first and after its last price.
    rate : n values, yearly fraction: the last value known on or before each session.
    exchange_sessions : the exchange's own sessions in every calendar year that `dates` touch and a year more on
        both sides, so that the end of a period is known even where the prices stop inside it.
    provenance : one entry a series.
    notes : sentences that every output using this history must carry.
    volume, nav : as `close`, for the symbols whose source has them.
    """

    dates: pd.DatetimeIndex
    close: pd.DataFrame
    adj_close: pd.DataFrame
    rate: pd.Series
    exchange_sessions: pd.DatetimeIndex
    provenance: tuple[Provenance, ...] = ()
    notes: tuple[str, ...] = ()
    volume: pd.DataFrame = field(default_factory=pd.DataFrame)
    nav: pd.DataFrame = field(default_factory=pd.DataFrame)

    @cached_property
    def days(self) -> FloatArray:
        """Calendar days since the previous session, shape (n,); 0 on the first."""
        stamps = self.dates.to_numpy().astype("datetime64[D]").astype(np.int64)
        return np.diff(stamps, prepend=stamps[:1]).astype(np.float64)

    @property
    def d(self) -> FloatArray:
        """Days since the previous session over 360, shape (n,): the accrual of money-market rates (method: Time)."""
        return self.days / 360.0

    @property
    def e(self) -> FloatArray:
        """Days since the previous session over 365, shape (n,): the accrual of expenses and dividends."""
        return self.days / 365.0

    @cached_property
    def financing(self) -> FloatArray:
        """`c` of the method, shape (n,): the rate dated the previous session; 0 on the first, where nothing accrues."""
        rate = self.rate.to_numpy(dtype=np.float64)
        return np.concatenate(([0.0], rate[:-1]))

    @property
    def accrual(self) -> FloatArray:
        """`c*d`, shape (n,): what a unit of cash earns over the session."""
        return self.financing * self.d

    @cached_property
    def total_returns(self) -> pd.DataFrame:
        """Simple total return of each symbol since the previous session (ratio of `adj_close`), NaN where unknown."""
        values = self.adj_close.to_numpy(dtype=np.float64)
        returns = np.full_like(values, np.nan)
        returns[1:] = values[1:] / values[:-1] - 1.0
        return pd.DataFrame(returns, index=self.dates, columns=self.adj_close.columns)

    def between(self, start: str | pd.Timestamp | None, end: str | pd.Timestamp | None) -> History:
        """Return the part from `start` to `end`, both included.

        Raises
        ------
        SpanError : no session lies between them.
        """
        low = 0 if start is None else int(self.dates.searchsorted(pd.Timestamp(start), side="left"))
        high = len(self.dates) if end is None else int(self.dates.searchsorted(pd.Timestamp(end), side="right"))
        if low >= high:
            raise SpanError(f"no session between {iso(start)} and {iso(end)}: the history runs from "
                            f"{iso(self.dates[0])} to {iso(self.dates[-1])}")  # fmt: skip
        cut = slice(low, high)
        return replace(
            self,
            dates=self.dates[cut],
            close=self.close.iloc[cut],
            adj_close=self.adj_close.iloc[cut],
            rate=self.rate.iloc[cut],
            volume=self.volume.iloc[cut],
            nav=self.nav.iloc[cut],
        )

    @cached_property
    def fingerprint(self) -> str:
        """Hash of every value that a result could have used: dates, symbols, prices and rate."""
        digest = hashlib.sha256()
        digest.update(self.dates.to_numpy().astype("datetime64[D]").astype(np.int64).tobytes())
        for name, frame in (("", self.close), ("", self.adj_close), ("volume", self.volume), ("nav", self.nav)):
            digest.update(name.encode() if len(frame.columns) else b"")
            for symbol in sorted(frame.columns):
                digest.update(symbol.encode())
                digest.update(_canonical(frame[symbol].to_numpy(dtype=np.float64)))
        digest.update(_canonical(self.rate.to_numpy(dtype=np.float64)))
        return "sha256:" + digest.hexdigest()


def fingerprint_of(*columns: FloatArray) -> str:
    """Hash values, so that equal ones hash alike."""
    digest = hashlib.sha256()
    for values in columns:
        digest.update(_canonical(values))
    return "sha256:" + digest.hexdigest()


def _canonical(values: FloatArray) -> bytes:
    """Bytes of the values with one NaN and one zero, so that equal histories hash alike."""
    clean = np.where(np.isnan(values), np.nan, values) + 0.0
    return np.ascontiguousarray(clean, dtype="<f8").tobytes()


def iso(day: str | pd.Timestamp | np.datetime64 | None) -> str:
    """Write a day as YYYY-MM-DD ("an open end" for None)."""
    return "an open end" if day is None else pd.Timestamp(day).strftime("%Y-%m-%d")


def counted(number: int, what: str) -> str:
    """Write a number with its noun: 1 session, 2,520 sessions."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def runs(mask: Sequence[bool] | NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the first and last position of every unbroken run of True."""
    padded = np.concatenate(([False], np.asarray(mask, dtype=bool), [False])).astype(np.int8)
    steps = np.diff(padded)
    return list(zip(np.flatnonzero(steps == 1).tolist(), (np.flatnonzero(steps == -1) - 1).tolist(), strict=True))
