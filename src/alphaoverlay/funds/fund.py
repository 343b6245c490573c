"""The terms of a fund and of an index."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Index:
    """An index and the series that show its total return, best first.

    Attributes
    ----------
    name : the key, such as "SP500".
    title : the name to print.
    total_return, price : symbols of total-return and of price series.
    plain : symbols of unleveraged funds that follow it.
    dividend_yield : stated yearly yield as a fraction, an assumption used only where nothing better is known.
    kind : "equity", "bond", "bill" or "commodity".
    """

    name: str
    title: str
    total_return: tuple[str, ...] = ()
    price: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    dividend_yield: float | None = None
    kind: str = "equity"


@dataclass(frozen=True)
class ExpenseSeen:
    """An expense ratio (a fraction a year) seen on a day; not the day it took effect."""

    seen: datetime.date
    expense: float
    kind: str = ""
    source: str = ""
    weak: bool = False


@dataclass(frozen=True)
class Fund:
    """A listed fund: what it follows, how many times a day, and what it charges.

    Attributes
    ----------
    symbol, name, issuer : identity.
    exposures : index -> daily multiple; one entry for most funds, several for stacked ones, none where unknown.
    expense : yearly expense ratio as a fraction.
    spread : yearly spread `s` over the financing rate as a fraction (method M1), a cost on both sides.
    swap_exposure : `SW` of M1, units of swap per unit of borrowed exposure.
    inception : first day of the fund, where known.
    index_since : since when it follows its present index, where that changed.
    closed : last day, for a fund that is no more.
    status : "open", "changed" (open, other index before), "closed" or "unknown".
    verified : every term above was read in a document named in `sources`.
    expense_history : expense ratios seen in the past.
    """

    symbol: str
    name: str
    exposures: Mapping[str, float]
    expense: float
    spread: float = 0.0
    swap_exposure: float = 1.0
    issuer: str = ""
    expense_as_of: datetime.date | None = None
    expense_kind: str = ""
    inception: datetime.date | None = None
    first_trade: datetime.date | None = None
    index_since: datetime.date | None = None
    closed: datetime.date | None = None
    status: str = "open"
    former: str = ""
    verified: bool = False
    sources: tuple[str, ...] = ()
    expense_history: tuple[ExpenseSeen, ...] = ()
    note: str = ""

    @property
    def leverage(self) -> float:
        """`L` of the method: the sum of the daily multiples."""
        return float(sum(self.exposures.values()))

    @property
    def financing_spread(self) -> float:
        """`SW*|L-1|*s` as a yearly fraction of the fund's value; none for 0 <= L <= 1."""
        leverage = self.leverage
        return 0.0 if 0.0 <= leverage <= 1.0 else self.swap_exposure * abs(leverage - 1.0) * self.spread

    @property
    def follows(self) -> str:
        """The index, or a sum of them, in words."""
        parts = [f"{multiple:+g}x {index}" for index, multiple in self.exposures.items()]
        return " ".join(parts) if parts else "index unknown"

    def existed_as_today(self, day: datetime.date) -> bool:
        """Whether the fund was listed on that day with its present index and leverage."""
        if self.status == "closed" and self.closed is None:
            return False
        began = max(filter(None, (self.inception, self.index_since)), default=None)
        return began is not None and began <= day and (self.closed is None or day < self.closed)
