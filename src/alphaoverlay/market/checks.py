"""Checks on prices as they come in: each has a name and a severity, says where, and repairs nothing.

A serious finding stops a study until its name is accepted; the others are said and no more.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from alphaoverlay.history import PriceSeries, iso
from alphaoverlay.market.calendar import last_complete_session
from alphaoverlay.market.findings import Finding, Hit, hit, some_days
from alphaoverlay.market.price_moves import closes_of, moves_of, spikes, splits, standing_still, unit_of

# What adjusted close and close may differ in a session's return beyond rounding; and when that stops a study.
CONTRADICTION, CONTRADICTION_SERIOUS = 0.002, 0.02
# The largest distribution that a price is believed to have paid, as a share of it; a 1-for-2 reverse split that only
# the close is adjusted for looks like one of a half.
LARGEST_PAID = 0.4
# Two sources disagree about a session when their returns differ by this much.
DISAGREEMENT = 0.005
# Where exchanges close when New York's does; in Chicago, to which sources assign the volatility index, at 15:00.
CLOSE_TOGETHER = ("", "America/New_York", "US/Eastern", "America/Toronto", "America/Chicago", "US/Central")
# This share of rows on days without a session looks like dates that are a time zone off.
SHIFTED = 0.1


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
    own = pd.DatetimeIndex(series.frame.index)
    closed = own[(own >= sessions[0]) & (own <= sessions[-1])].difference(sessions)
    hits = [*_rows(series, sessions, closed), *_values(series), *_intraday(series, now)]
    traded = _without(series, closed)  # rows of other days are left out or refused, so their prices tell nothing
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        moves = moves_of(traded.frame)
        hits += [*splits(traded, moves), *spikes(traded, moves), *standing_still(traded, moves, since)]
        hits += _contradictions(traded)
    found = _elsewhere(series)
    for one in hits:
        late = one.days if since is None else one.days[one.days >= since]
        early = one.days[: len(one.days) - len(late)]
        if len(late):
            found.append(Finding(one.check, one.severity, series.symbol, tuple(late), one.say(late)))
        if len(early):
            found.append(Finding(one.check, "warning", series.symbol, tuple(early), one.say(early), before=True))
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
        f"in the total return of {some_days(days)}, of {len(gap):,} compared; most on {iso(days[int(odd.argmax())])} "
        f"({odd.max():.2%}). Look up a distribution or a wrong price there"
    )
    return (Finding("disagreement", "warning", one.symbol, tuple(days), sentence),)


def _without(series: PriceSeries, days: pd.DatetimeIndex) -> PriceSeries:
    """The series without the rows of some days."""
    if days.empty:
        return series
    keep = ~series.frame.index.isin(days)
    lines = tuple(line for line, kept in zip(series.lines, keep, strict=False) if kept)
    return replace(series, frame=series.frame[keep], lines=lines)


def _rows(series: PriceSeries, sessions: pd.DatetimeIndex, closed: pd.DatetimeIndex) -> list[Hit]:
    """Rows too many, and too few."""
    own = pd.DatetimeIndex(series.frame.index)
    life = sessions[(sessions >= own[0]) & (sessions <= own[-1])]

    def hole(days: pd.DatetimeIndex) -> str:
        before, many = int(own.searchsorted(days[0])) - 1, f"{len(days)} session{'s' * (len(days) > 1)}"
        return (
            f"{series.where(before)}, column date: a hole: {many} missing after {iso(own[before])}, "
            f"first {iso(days[0])}. Add the rows, or ask for a span without them (--start, --end)"
        )

    def shifted(days: pd.DatetimeIndex) -> str:
        return (
            f": rows on {len(days)} days on which the New York Stock Exchange was closed: the dates look shifted by a "
            "time zone. Write the exchange's own dates"
        )

    def odd(days: pd.DatetimeIndex) -> str:
        more = f" (and {len(days) - 1} more)" if len(days) > 1 else ""
        return f", column date: {iso(days[0])}{more} is not a session of the New York Stock Exchange; remove the row"

    def twice(days: pd.DatetimeIndex) -> str:
        return f": more than one row on {some_days(days)}; keep one of each day"

    many = len(closed) > max(SHIFTED * len(own), 2.0)
    return [
        hit(series, "time-zone", closed, shifted) if many else hit(series, "closed-day", closed, odd),
        hit(series, "duplicate", own[own.duplicated()].unique(), twice),
        Hit("gap", life.difference(own), hole),
    ]


def _values(series: PriceSeries) -> list[Hit]:
    """Prices that are not there, or are none."""
    own, prices = pd.DatetimeIndex(series.frame.index), series.frame[["close", "adj_close"]]

    def blank(days: pd.DatetimeIndex) -> str:
        return f", column adj_close: empty on {some_days(days)}. Fill it in, or ask for another span (--start, --end)"

    def bad(days: pd.DatetimeIndex) -> str:
        return f": a price of zero or less, or an infinite one, on {some_days(days)}; look for another source"

    return [
        hit(series, "empty", own[prices["adj_close"].isna().to_numpy()], blank),
        hit(series, "not-positive", own[((prices <= 0.0) | np.isinf(prices)).any(axis=1).to_numpy()], bad),
    ]


def _intraday(series: PriceSeries, now: datetime) -> list[Hit]:
    def early(days: pd.DatetimeIndex) -> str:
        return (
            f": the row of {iso(days[0])} is from before its session's close, so no closing price. Leave it out, or "
            "end before it (--end)"
        )

    # Sessions of days before today, in UTC, are over; only for later rows the exchange's clock is needed.
    days = pd.DatetimeIndex(series.frame.index)
    days = days[days >= pd.Timestamp(now.astimezone(UTC).date())]
    return [hit(series, "intraday", days[days > last_complete_session(now)], early)] if len(days) else []


def _elsewhere(series: PriceSeries) -> list[Finding]:
    found, came = [], series.provenance
    name = f"{series.symbol} from {came.source}"
    if came.currency not in ("", "USD"):
        sentence = f"{name} is in {came.currency}, and all else is in US dollars: name its listing in US dollars"
        found.append(Finding("currency", "serious", series.symbol, (), sentence))
    if came.timezone not in CLOSE_TOGETHER:
        sentence = f"{name} is priced in {came.timezone}, not when New York closes: name its listing in New York"
        found.append(Finding("time-zone", "serious", series.symbol, (), sentence))
    return found


def _contradictions(series: PriceSeries) -> list[Hit]:
    """Sessions on which adjusted close and close part by something that is no distribution, or not the stated one."""
    prices = series.frame[["close", "adj_close"]]
    rows = np.flatnonzero(((prices > 0.0) & ~np.isinf(prices)).all(axis=1))
    frame = series.frame.iloc[rows]
    close, adjusted = closes_of(frame)
    paid = 1.0 - (close[1:] / close[:-1]) / (adjusted[1:] / adjusted[:-1])
    slack = CONTRADICTION + 2.0 * sum(unit_of(one) / np.minimum(one[1:], one[:-1]) for one in (close, adjusted))
    gap = np.maximum(-paid, np.maximum(paid - LARGEST_PAID, 0.0))
    if "distribution" in frame:
        # A distribution of a row without prices is paid on the way to the next; an empty cell is unknown.
        so_far = series.frame["distribution"].cumsum(skipna=True).ffill().fillna(0.0).to_numpy(dtype=np.float64)[rows]
        known = frame["distribution"].notna().to_numpy()[1:]
        gap = np.where(known, np.abs(paid - np.diff(so_far) / close[:-1]), gap)
    later = pd.DatetimeIndex(frame.index[1:])
    by_day = pd.Series(gap, index=later)

    def say(days: pd.DatetimeIndex) -> str:
        return (
            f": the adjusted close of {series.symbol} contradicts its close and distributions on {some_days(days)}, "
            f"by up to {by_day[days].max():.2%} of the price. Take another source"
        )

    large = gap > np.maximum(CONTRADICTION_SERIOUS, slack)
    few = (gap > slack) & ~large
    return [hit(series, "contradiction", later[large], say), hit(series, "contradiction", later[few], say, "warning")]
