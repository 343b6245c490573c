"""The spans of a comparison: returns between two closes, the same two for every name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from alphaoverlay.errors import SpanError, StudyError
from alphaoverlay.history import DAYS_A_YEAR, iso

A_YEAR = pd.DateOffset(years=1)
YEAR_TO_DATE = "year to date"
TRAILING = {
    "3 months": pd.DateOffset(months=3),
    "1 year": A_YEAR,
    "3 years": pd.DateOffset(years=3),
    "5 years": pd.DateOffset(years=5),
    "10 years": pd.DateOffset(years=10),
}


@dataclass(frozen=True)
class ComparedSpan:
    """Returns of every name over one span, as fractions.

    Attributes
    ----------
    label : what the span is called, such as "year to date" or "since 2021-01-29".
    start, end : the closes it is measured between, the same for every name.
    returns : level at the end over level at the start, less 1; None for a name that begins later.
    annualised : the same a year; None for a span that is not longer than one.
    total : returns with dividends; None where `returns` hold them already.
    relative : return of the first name less that of each name it is held against.
    best_against : for an end found with hindsight, the name against which the first one's lead was largest there.
    undefined : why a value is None, by part and name, such as "returns.SQQQ".
    """

    label: str
    start: pd.Timestamp
    end: pd.Timestamp
    returns: Mapping[str, float | None]
    annualised: Mapping[str, float | None] | None
    total: Mapping[str, float | None] | None
    relative: Mapping[str, float | None]
    best_against: str | None
    undefined: Mapping[str, str]


@dataclass(frozen=True)
class Ground:
    """What spans are measured on.

    Attributes
    ----------
    levels : by name, on consecutive sessions from its first to the last session of all; the first name leads.
    totals : total-return levels, or why there are none; None where the levels are that already.
    against : the names that the first one is held against.
    """

    levels: Mapping[str, pd.Series]
    totals: Mapping[str, pd.Series | str] | None
    against: tuple[str, ...]

    @property
    def days(self) -> pd.DatetimeIndex:
        """Sessions of the longest series; each ends on the last of them."""
        return pd.DatetimeIndex(max(self.levels.values(), key=len).index)

    def close_on(self, day: str | pd.Timestamp) -> pd.Timestamp | None:
        """The last session on or before a day; None before every series."""
        at = int(self.days.searchsorted(pd.Timestamp(day), side="right")) - 1
        return self.days[at] if at >= 0 else None


def standard_spans(ground: Ground) -> tuple[ComparedSpan, ...]:
    """Measure year to date and the trailing spans, those that any name reaches back to."""
    last = ground.days[-1]
    begins = {YEAR_TO_DATE: pd.Timestamp(last.year - 1, 12, 31)} | {
        label: last - length for label, length in TRAILING.items()
    }
    return tuple(
        _measured(ground, label, day, start, last)
        for label, day in begins.items()
        if (start := ground.close_on(day)) is not None
    )


def asked_spans(ground: Ground, since: tuple[str, ...], to: str | None) -> tuple[ComparedSpan, ...]:
    """Measure from each date to the last session; with `to` also to that day, and to the best ends.

    Parameters
    ----------
    since, to : ISO dates; each stands for the last close on or before it.

    Raises
    ------
    SpanError : no series reaches back to a date.
    StudyError : a date that is not before the last close, or an end that is not after its beginning.
    """
    found, best = [], []
    for day in since:
        asked, start = pd.Timestamp(day), _start(ground, day)
        found.append(_measured(ground, f"since {day}", asked, start, ground.days[-1]))
        if to is not None:
            found.append(_measured(ground, f"{day} to {to}", asked, start, _end(ground, to, start, day)))
            best += _best_ends(ground, day, start)
    return (*found, *best)


def _start(ground: Ground, since: str) -> pd.Timestamp:
    first, last = ground.days[0], ground.days[-1]
    if pd.Timestamp(since) >= last:
        raise StudyError(f"since {since}: not before {iso(last)}, the last close; ask for an earlier date")
    start = ground.close_on(since)
    if start is None:
        name = next(name for name, values in ground.levels.items() if values.index[0] == first)
        raise SpanError(
            f"since {since}: no series reaches back to it; {name}, the longest, begins on {iso(first)}. Ask for a "
            "later date, or add earlier data"
        )
    return start


def _end(ground: Ground, to: str, start: pd.Timestamp, since: str) -> pd.Timestamp:
    if pd.Timestamp(to) > ground.days[-1]:
        raise StudyError(f"to {to}: after {iso(ground.days[-1])}, the last close; ask for an earlier date")
    end = ground.close_on(to)
    if end is None or end <= start:
        raise StudyError(f"to {to}: no session after since {since}; ask for a later date")
    return end


def _best_ends(ground: Ground, since: str, start: pd.Timestamp) -> list[ComparedSpan]:
    """For each name held against, the span to the close at which the first one's lead was largest."""
    first, found = next(iter(ground.levels)), []
    for name in ground.against:
        own, other = ground.levels[first].loc[start:], ground.levels[name].loc[start:]
        if own.index[0] == other.index[0] == start:
            lead = (own / own.iloc[0] - other / other.iloc[0]).iloc[1:]
            end = lead.index[int(lead.to_numpy().argmax())]
            label = f"{since} to its best end against {name}"
            found.append(_measured(ground, label, pd.Timestamp(since), start, end, name))
    return found


def _measured(
    ground: Ground,
    label: str,
    asked: pd.Timestamp,
    start: pd.Timestamp,
    end: pd.Timestamp,
    best_against: str | None = None,
) -> ComparedSpan:
    levels, first = ground.levels, next(iter(ground.levels))
    returns = {name: _change(values, start, end) for name, values in levels.items()}
    late = {name: f"{name} begins on {iso(levels[name].index[0])}" for name, one in returns.items() if one is None}
    why = {f"returns.{name}": reason for name, reason in late.items()}
    # By the asked day: a close before it, at a weekend, does not make one year longer than one.
    if asked + A_YEAR < end:
        yearly = {name: _a_year(one, (end - start).days) for name, one in returns.items()}
        why |= {f"annualised.{name}": reason for name, reason in late.items()}
    else:
        yearly = None
        why["annualised"] = "the span is not longer than a year"
    relative = {name: _less(returns[first], returns[name]) for name in ground.against}
    why |= {
        f"relative.{name}": late.get(first) or late[name] for name, difference in relative.items() if difference is None
    }
    if ground.totals is None:
        total = None
        why["total"] = "the returns hold dividends already"
    else:
        total = {name: _total_change(one, start, end) for name, one in ground.totals.items()}
        why |= {f"total.{name}": _no_total(ground.totals[name]) for name, one in total.items() if one is None}
    return ComparedSpan(label, start, end, returns, yearly, total, relative, best_against, why)


def _change(values: pd.Series, start: pd.Timestamp, end: pd.Timestamp) -> float | None:
    """Return between two closes, None where the series does not hold both."""
    if start < values.index[0] or end > values.index[-1]:
        return None
    return float(values.loc[end] / values.loc[start]) - 1.0


def _a_year(change: float | None, days: int) -> float | None:
    return None if change is None else float((1.0 + change) ** (DAYS_A_YEAR / days)) - 1.0


def _less(own: float | None, other: float | None) -> float | None:
    return None if own is None or other is None else own - other


def _total_change(total: pd.Series | str, start: pd.Timestamp, end: pd.Timestamp) -> float | None:
    return None if isinstance(total, str) else _change(total, start, end)


def _no_total(total: pd.Series | str) -> str:
    if isinstance(total, str):
        return total
    return f"its total return is known from {iso(total.index[0])} to {iso(total.index[-1])}"
