"""What a check of data can find: names, severities, and the sentences that say where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from alphaoverlay.history import PriceSeries, iso

Severity = Literal["serious", "warning"]


@dataclass(frozen=True)
class Check:
    """What a check looks for, and what can be done where it finds something.

    Attributes
    ----------
    name : by which a finding is accepted.
    looks_for : in words.
    accepted : what happens with the finding when it is accepted; empty where it cannot be.
    """

    name: str
    looks_for: str
    accepted: str


CHECKS = {
    one.name: one
    for one in (
        Check("gap", "sessions of the exchange without a row", "the last price is carried over them"),
        Check("empty", "rows without an adjusted close", "the last price is carried over them"),
        Check("closed-day", "rows on days on which the exchange was closed", "the rows are left out"),
        Check("duplicate", "a day that stands twice", ""),
        Check("not-positive", "prices of zero or less", ""),
        Check("stale", "a price that stands still for many sessions", "used as it is"),
        Check("split-like-jump", "a jump as by a split that the prices are not adjusted for", "used as it is"),
        Check("spike", "a price far off that is back the next session", "used as it is"),
        Check("contradiction", "an adjusted close that contradicts close and distributions", "used as it is"),
        Check("currency", "prices in another currency than US dollars", "used as they are"),
        Check("time-zone", "prices of an exchange in another time zone, or dates shifted by it", "used as they are"),
        Check("intraday", "a last row from before its session's close", "used as it is"),
        Check("disagreement", "another source whose returns differ", "used as it is"),
        Check("unreadable", "a file or answer that cannot be read", ""),
    )
}


@dataclass(frozen=True)
class Finding:
    """One thing wrong with a series, or suspect in it.

    Attributes
    ----------
    check : the check's name.
    severity : "serious" stops a study, "warning" does not.
    symbol : the series.
    days : the sessions concerned, or the first of each span; empty where the whole series is.
    sentence : what was found, where, and what to do.
    before : the sessions lie before the asked span.
    """

    check: str
    severity: Severity
    symbol: str
    days: tuple[pd.Timestamp, ...]
    sentence: str
    before: bool = False


@dataclass(frozen=True)
class Hit:
    """Sessions on which a check found something, and how to say so of any of them."""

    check: str
    days: pd.DatetimeIndex
    say: Callable[[pd.DatetimeIndex], str]
    severity: Severity = "serious"


def hit(
    series: PriceSeries,
    check: str,
    days: pd.DatetimeIndex,
    words: Callable[[pd.DatetimeIndex], str],
    severity: Severity = "serious",
) -> Hit:
    """A hit whose sentence begins with the place of its first day's row."""
    own = pd.DatetimeIndex(series.frame.index)
    return Hit(check, days, lambda some: f"{series.where(int(own.searchsorted(some[0])))}{words(some)}", severity)


def some_days(days: Sequence[pd.Timestamp] | pd.DatetimeIndex) -> str:
    return iso(days[0]) if len(days) == 1 else f"{len(days):,} sessions, first {iso(days[0])}"
