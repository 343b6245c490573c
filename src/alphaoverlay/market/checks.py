"""Checks on prices as they come in: each has a name and a severity, says where, and repairs nothing.

A serious finding stops a study until its name is accepted; the others are said and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphaoverlay.history import FloatArray, PriceSeries, iso, runs
from alphaoverlay.market.calendar import last_complete_session

Severity = Literal["serious", "warning"]

# Splits that exchanges see; a price ratio this near to one of them looks like a split.
SPLITS = (2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30, 40, 50, 100)
SPLIT_SLACK = 0.10
# A price that jumps by this factor and is back the next session, but for this part of the jump, was a wrong one.
SPIKE, SPIKE_LEFT = 1.5, 0.25
# Sessions in a row at one price that are worth a word, and that stop a study; for prices that usually move this much.
STILL, STILL_SERIOUS, USUALLY_MOVES = 5, 10, 0.001
# What adjusted close and close may differ in a session's return beyond rounding; and when that stops a study.
CONTRADICTION, CONTRADICTION_SERIOUS = 0.002, 0.02
# The largest distribution that a price is believed to have paid, as a share of it.
LARGEST_PAID = 0.5
# Two sources disagree about a session when their returns differ by this much.
DISAGREEMENT = 0.005
# This share of rows on days without a session looks like dates that are a time zone off.
SHIFTED = 0.1

Mask = NDArray[np.bool_]


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
class _Hit:
    """Sessions on which a check found something, and how to say so of any of them."""

    check: str
    days: pd.DatetimeIndex
    say: Callable[[pd.DatetimeIndex], str]
    severity: Severity = "serious"


def check_prices(
    series: PriceSeries, sessions: pd.DatetimeIndex, now: datetime, since: pd.Timestamp | None = None
) -> tuple[Finding, ...]:
    """Look a series over.

    Parameters
    ----------
    series : as a source serves it; days ascend.
    sessions : the exchange's sessions, over all of the series and more.
    now : with a time zone; tells an unfinished session.
    since : the asked span's first day; what lies before it is found too, and is at most a warning.
    """
    frame = series.frame
    prices = frame["close"].where(frame["close"].notna(), frame["adj_close"]).to_numpy(dtype=np.float64)
    hits = [
        *_missing(series, sessions),
        *_closed_days(series, sessions),
        *_not_positive(series),
        *_intraday(series, now),
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        hits += [*_splits(series, prices), *_spikes(series, prices), *_still(series, prices)]
        if frame["close"].notna().any():
            hits += _contradictions(series)
    found = _elsewhere(series)
    for hit in hits:
        late = hit.days if since is None else hit.days[hit.days >= since]
        early = hit.days[: len(hit.days) - len(late)]
        if len(late):
            found.append(Finding(hit.check, hit.severity, series.symbol, tuple(late), hit.say(late)))
        if len(early):
            found.append(Finding(hit.check, "warning", series.symbol, tuple(early), hit.say(early), before=True))
    return tuple(found)


def compare_sources(one: PriceSeries, other: PriceSeries) -> tuple[Finding, ...]:
    """Compare the total returns of two sources for one symbol on the sessions that both have."""
    joined = pd.concat([one.frame["adj_close"], other.frame["adj_close"]], axis=1, join="inner").dropna()
    returns = joined.pct_change().iloc[1:]
    gap = (returns.iloc[:, 0] - returns.iloc[:, 1]).abs()
    odd = gap[gap > DISAGREEMENT]
    if odd.empty:
        return ()
    days = pd.DatetimeIndex(odd.index)
    sentence = (
        f"{one.symbol}: {one.provenance.source} and {other.provenance.source} differ by more than {DISAGREEMENT:.1%} "
        f"in the total return of {_some(days)}, of {len(gap):,} compared; most on {iso(days[int(odd.argmax())])} "
        f"({odd.max():.2%}). Look up a distribution or a wrong price there"
    )
    return (Finding("disagreement", "warning", one.symbol, tuple(days), sentence),)


def _missing(series: PriceSeries, sessions: pd.DatetimeIndex) -> list[_Hit]:
    own = pd.DatetimeIndex(series.frame.index)
    life = sessions[(sessions >= own[0]) & (sessions <= own[-1])]
    empty = own[series.frame["adj_close"].isna().to_numpy()]

    def hole(days: pd.DatetimeIndex) -> str:
        before = int(own.searchsorted(days[0])) - 1
        return (
            f"{series.where(before)}, column date: a hole: {_sessions(len(days))} missing after {iso(own[before])}, "
            f"first {iso(days[0])}. Add the rows, or ask for a span without them (--start, --end)"
        )

    def blank(days: pd.DatetimeIndex) -> str:
        return (
            f"{_at(series, days)}, column adj_close: empty on {iso(days[0])}, inside the asked span. Fill it in, or "
            "ask for another span (--start, --end)"
        )

    return [_Hit("gap", life.difference(own), hole), _Hit("empty", empty, blank)]


def _closed_days(series: PriceSeries, sessions: pd.DatetimeIndex) -> list[_Hit]:
    own = pd.DatetimeIndex(series.frame.index)
    odd = own[(own >= sessions[0]) & (own <= sessions[-1])].difference(sessions)

    def shifted(days: pd.DatetimeIndex) -> str:
        return (
            f"{_at(series, days)}: rows on {len(days)} days on which the New York Stock Exchange was closed: the dates "
            "look shifted by a time zone. Write the exchange's own dates"
        )

    def closed(days: pd.DatetimeIndex) -> str:
        more = f" (and {len(days) - 1} more)" if len(days) > 1 else ""
        return (
            f"{_at(series, days)}, column date: {iso(days[0])}{more} is not a session of the New York Stock Exchange; "
            "remove the row"
        )

    many = len(odd) > max(SHIFTED * len(own), 2.0)
    return [_Hit("time-zone", odd, shifted) if many else _Hit("closed-day", odd, closed)]


def _not_positive(series: PriceSeries) -> list[_Hit]:
    frame = series.frame
    bad = pd.DatetimeIndex(frame.index[((frame["close"] <= 0.0) | (frame["adj_close"] <= 0.0)).to_numpy()])
    return [
        _Hit(
            "not-positive",
            bad,
            lambda days: f"{_at(series, days)}: a price of zero or less on {_some(days)}; look for another source",
        )
    ]


def _intraday(series: PriceSeries, now: datetime) -> list[_Hit]:
    own = pd.DatetimeIndex(series.frame.index)
    return [
        _Hit(
            "intraday",
            own[own > last_complete_session(now)],
            lambda days: (
                f"{_at(series, days)}: the row of {iso(days[0])} is from before its session's close, so no closing "
                "price. Leave it out, or end before it (--end)"
            ),
        )
    ]


def _elsewhere(series: PriceSeries) -> list[Finding]:
    found, came = [], series.provenance
    name = f"{series.symbol} from {came.source}"
    if came.currency not in ("", "USD"):
        sentence = f"{name} is in {came.currency}, and all else is in US dollars: name its listing in US dollars"
        found.append(Finding("currency", "serious", series.symbol, (), sentence))
    if came.timezone not in ("", "America/New_York"):
        sentence = (
            f"{name} is priced in the time zone {came.timezone}, at another moment than the New York Stock Exchange: "
            "name a listing there"
        )
        found.append(Finding("time-zone", "serious", series.symbol, (), sentence))
    return found


def _splits(series: PriceSeries, prices: FloatArray) -> list[_Hit]:
    """Jumps near a whole factor that stay."""
    size, up, undone = _jumps(prices)
    factors = np.array(SPLITS, dtype=np.float64)
    nearest = factors[np.abs(np.log(size[:, None] / factors)).argmin(axis=1)]
    odd = (np.abs(size / nearest - 1.0) <= SPLIT_SLACK) & ~undone

    def say(days: pd.DatetimeIndex) -> str:
        k = int(pd.DatetimeIndex(series.frame.index).searchsorted(days[0])) - 1
        kind = f"1-for-{nearest[k]:.0f} reverse" if up[k] else f"{nearest[k]:.0f}-for-1"
        return (
            f"{_at(series, days)}: the price of {series.symbol} jumped on {_some(days)} as by a {kind} split that it "
            "is not adjusted for. Adjust the prices before it, or take another source"
        )

    return [_Hit("split-like-jump", _after_first(series, odd), say)]


def _spikes(series: PriceSeries, prices: FloatArray) -> list[_Hit]:
    size, _, undone = _jumps(prices)

    def say(days: pd.DatetimeIndex) -> str:
        k = int(pd.DatetimeIndex(series.frame.index).searchsorted(days[0])) - 1
        return (
            f"{_at(series, days)}: the price of {series.symbol} jumped by a factor of {size[k]:.3g} and was back the "
            f"next session ({_some(days)}): a wrong price. Correct it, or take another source"
        )

    return [_Hit("spike", _after_first(series, undone), say)]


def _jumps(prices: FloatArray) -> tuple[FloatArray, Mask, Mask]:
    """Each session's factor (above 1), whether it was upwards, and whether it was large and the next one undid it."""
    move = np.log(np.where(prices > 0.0, prices, np.nan))
    step = np.diff(move)
    after = np.append(step[1:], np.nan)
    undone = (np.abs(step) > np.log(SPIKE)) & (np.abs(step + after) <= SPIKE_LEFT * np.abs(step))
    return np.exp(np.abs(step)), step > 0.0, undone


def _still(series: PriceSeries, prices: FloatArray) -> list[_Hit]:
    move = np.abs(np.diff(prices) / prices[:-1])
    moves = move[np.isfinite(move)]
    if not len(moves) or np.median(moves) <= USUALLY_MOVES:
        return []
    lengths = {series.frame.index[first]: last - first + 2 for first, last in runs(move == 0.0)}

    def say(days: pd.DatetimeIndex) -> str:
        return (
            f"{_at(series, days)}: the price of {series.symbol} stood still for up to {max(lengths[d] for d in days)} "
            f"sessions in a row, from {_some(days)}: it is old. Take another source"
        )

    long = pd.DatetimeIndex([day for day, n in lengths.items() if n >= STILL_SERIOUS])
    short = pd.DatetimeIndex([day for day, n in lengths.items() if STILL <= n < STILL_SERIOUS])
    return [_Hit("stale", long, say), _Hit("stale", short, say, "warning")]


def _contradictions(series: PriceSeries) -> list[_Hit]:
    """Sessions on which adjusted close and close part by something that is no distribution, or not the stated one."""
    frame = series.frame
    close, adjusted = (frame[name].to_numpy(dtype=np.float64) for name in ("close", "adj_close"))
    paid = 1.0 - (close[1:] / close[:-1]) / (adjusted[1:] / adjusted[:-1])
    slack = CONTRADICTION + 2.0 * (_unit(close) / close[1:] + _unit(adjusted) / adjusted[1:])
    if "distribution" in frame:
        gap = np.abs(paid - frame["distribution"].to_numpy(dtype=np.float64)[1:] / close[:-1])
    else:
        gap = np.maximum(-paid, np.maximum(paid - LARGEST_PAID, 0.0))
    by_day = pd.Series(gap, index=frame.index[1:])

    def say(days: pd.DatetimeIndex) -> str:
        return (
            f"{_at(series, days)}: the adjusted close of {series.symbol} contradicts its close and distributions on "
            f"{_some(days)}, by up to {by_day[days].max():.2%} of the price. Take another source"
        )

    large = gap > np.maximum(CONTRADICTION_SERIOUS, slack)
    small = (gap > slack) & ~large
    return [
        _Hit("contradiction", _after_first(series, large), say),
        _Hit("contradiction", _after_first(series, small), say, "warning"),
    ]


def _unit(prices: FloatArray) -> float:
    """The unit that prices are rounded to, a millionth at the finest."""
    known = prices[np.isfinite(prices)]
    for places in range(6):
        scaled = known * 10.0**places
        if (np.abs(scaled - np.round(scaled)) < 1e-6).all():
            return float(10.0**-places)
    return 1e-6


def _after_first(series: PriceSeries, mask: Mask) -> pd.DatetimeIndex:
    """Days of a mask over all rows but the first."""
    return pd.DatetimeIndex(series.frame.index[1:][mask])


def _at(series: PriceSeries, days: pd.DatetimeIndex) -> str:
    """The place of the first day's row."""
    return series.where(int(pd.DatetimeIndex(series.frame.index).searchsorted(days[0])))


def _some(days: Sequence[pd.Timestamp] | pd.DatetimeIndex) -> str:
    return iso(days[0]) if len(days) == 1 else f"{len(days):,} sessions, first {iso(days[0])}"


def _sessions(n: int) -> str:
    return "1 session" if n == 1 else f"{n} sessions"
