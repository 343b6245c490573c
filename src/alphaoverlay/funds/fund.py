"""The terms of a fund and of an index."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SpreadBasis = Literal["calibrated", "pooled", "stated", "none"]


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
    spread : yearly spread `s` over the financing rate as a fraction (method M1), a cost on both sides; below zero,
        which only a ticker can ask for, it is a credit.
    spread_basis : "calibrated", "pooled" (no fund on this index and side was calibrated), "stated" or "none".
    swap_exposure : `SW` of M1, units of swap per unit of borrowed exposure.
    inception : first day of the fund, where known.
    index_since : since when it has its present exposures, where they changed.
    former_exposures : what they were between inception and `index_since`; empty where unknown.
    closed : last day, for a fund that is no more.
    status : "open", "changed" (open, other index before), "closed" or "unknown"; "synthetic" for a ticker with terms,
        "index" for an index taken as a holding.
    verified : every term above was read in a document named in `sources`.
    expense_history : expense ratios seen in the past.
    multiple : for a ticker such as SPY?L=3, what it is a multiple of; None for a listed fund.
    warnings : sentences that every output using the fund must carry.
    """

    symbol: str
    name: str
    exposures: Mapping[str, float]
    expense: float
    spread: float = 0.0
    spread_basis: SpreadBasis = "stated"
    swap_exposure: float = 1.0
    issuer: str = ""
    expense_as_of: datetime.date | None = None
    expense_kind: str = ""
    inception: datetime.date | None = None
    first_trade: datetime.date | None = None
    index_since: datetime.date | None = None
    former_exposures: Mapping[str, float] = field(default_factory=dict)
    closed: datetime.date | None = None
    status: str = "open"
    former: str = ""
    verified: bool = False
    sources: tuple[str, ...] = ()
    expense_history: tuple[ExpenseSeen, ...] = ()
    note: str = ""
    multiple: Multiple | None = None
    warnings: tuple[str, ...] = ()

    @property
    def leverage(self) -> float:
        """Sum of the look-through exposures: `L` of the method for a listed fund."""
        return float(sum(self.exposures.values()))

    @property
    def reset_leverage(self) -> float:
        """`L` of M1: what the fund itself multiplies, its indices or, for a ticker, the holding under it."""
        return self.leverage if self.multiple is None else self.multiple.times

    @property
    def borrowed(self) -> float:
        """`SW*(L-1)`, the units that pay the financing rate, with those of the holding under a ticker."""
        own = self.swap_exposure * (self.reset_leverage - 1.0)
        return own if self.multiple is None else own + self.multiple.times * self.multiple.of.borrowed

    @property
    def financing_spread(self) -> float:
        """What the spread costs a year, with that of the holding under a ticker."""
        own = self.own_financing_spread
        return own if self.multiple is None else own + self.reset_leverage * self.multiple.of.financing_spread

    @property
    def own_financing_spread(self) -> float:
        """`SW*|L-1|*s` as a yearly fraction of the fund's value; none for 0 <= L <= 1."""
        times = self.reset_leverage
        return 0.0 if 0.0 <= times <= 1.0 else self.swap_exposure * abs(times - 1.0) * self.spread

    @property
    def yearly_expense(self) -> float:
        """Present expense ratio, with that of the holding under a ticker."""
        if self.multiple is None:
            return self.expense
        of, back = self.multiple.of, self.multiple.add_back
        return self.expense + self.multiple.times * (of.yearly_expense - (of.expense if back == "own" else back))

    @property
    def built_from(self) -> tuple[str, ...]:
        """Every index whose series the synthetic returns need, those of a ticker's holdings included."""
        under = () if self.multiple is None else (self.multiple.of, self.multiple.fill)
        names = [name for one in under if one is not None for name in one.built_from]
        return tuple(dict.fromkeys([*self.exposures, *names]))

    @property
    def follows(self) -> str:
        """The index, or a sum of them, in words."""
        parts = [f"{multiple:+g}x {index}" for index, multiple in self.exposures.items()]
        return " ".join(parts) if parts else "index unknown"

    def existed_as_today(self, day: datetime.date) -> bool:
        """Whether the fund was listed on that day with its present index and leverage; a ticker's terms always were."""
        if self.multiple is not None:
            return True
        if self.status == "closed" and self.closed is None:
            return False
        began = max(filter(None, (self.inception, self.index_since)), default=None)
        return began is not None and began <= day and (self.closed is None or day < self.closed)


@dataclass(frozen=True)
class Multiple:
    """What a ticker such as `SPY?L=3` stands on: a daily-reset multiple of another holding.

    Attributes
    ----------
    of : the holding, whose total return is `x` of M1, used exactly as given.
    times : `L` of M1.
    add_back : yearly expense of the holding that is added back to its return (UE); "own" is its own, as in force.
    fill : the holding used before the first return of `of` (FB), as it is.
    sessions_a_year : accrue rates and expenses by sessions, such as 252 a year, instead of by calendar days.
    """

    of: Fund
    times: float = 1.0
    add_back: float | Literal["own"] = 0.0
    fill: Fund | None = None
    sessions_a_year: int | None = None
