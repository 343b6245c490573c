"""From a source to a `History`: read, check against the exchange's calendar, align."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphaoverlay.errors import DataError, SpanError
from alphaoverlay.history import History, PriceSeries, Provenance, RateSeries, iso
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.source import Source

# A rate's last value holds over weekends and holidays, or to the next month; a longer silence is a hole.
RATE_GAP_DAYS, RATE_GAP_SPACINGS = 10.0, 1.5
# exchange_calendars lacks closures before this (Christmas of 1969, for one), so sessions and real rows part.
RELIABLE_FROM = pd.Timestamp("1970-01-02")


def read_history(
    source: Source,
    symbols: Sequence[str],
    rate: str | float | None = None,
    start: str | None = None,
    end: str | None = None,
) -> History:
    """Read symbols and a rate on the exchange's sessions, with all the past that the source has.

    Parameters
    ----------
    source : serves the series.
    symbols : what to read; each must be in the source.
    rate : name of a rate, a fixed yearly fraction, or None for the source's default rate.
    start, end : the asked span. Inside it every series must be complete; a hole before `start` shortens the series'
        past and is noted.

    Raises
    ------
    SymbolNotFound, DataError : as the source says, and for a hole or a row on a day without a session.
    SpanError : the span holds no session, or the rate does not cover it.
    """
    if not symbols:
        raise DataError("no symbol to read")
    series = [source.prices(symbol) for symbol in dict.fromkeys(symbols)]
    rates = _rate_series(source, rate)
    first, last = _window(series, rates, start, end)
    # A year more on both sides: whether a day before or after the data is a session is asked later.
    sessions = exchange_sessions(first.year - 1, last.year + 1)
    for one in series:
        _refuse_days_without_session(one, sessions, first, last)
    dates = sessions[(sessions >= first) & (sessions <= last)]
    strict_from = first if start is None else max(first, pd.Timestamp(start))
    if not len(dates) or strict_from > dates[-1]:
        raise SpanError(
            f"no session of the New York Stock Exchange from {start or 'the beginning'} to {end or 'the end'}"
        )
    frames, provenance, notes = {}, [], list(source.notes)
    for one in series:
        frame, note = _on_sessions(one, dates, strict_from)
        frames[one.symbol] = frame
        provenance.append(replace(one.provenance, note="; ".join(filter(None, (one.provenance.note, note)))))
        notes += [f"{one.symbol}: {note}"] if note else []
    rate_values = _rate_on_sessions(rates, rate, dates, strict_from)
    if rates is not None:
        provenance.append(rates.provenance)
    else:
        notes.append(f"The financing rate is fixed at {rate_values.iloc[0]:.2%} a year by the study, not observed.")
        provenance.append(
            Provenance("rate", "study", "fixed", iso(dates[0]), iso(dates[-1]), len(dates), "assumed", "fixed rate")
        )
    return History(
        dates=dates,
        close=pd.DataFrame({k: f["close"] for k, f in frames.items()}),
        adj_close=pd.DataFrame({k: f["adj_close"] for k, f in frames.items()}),
        volume=pd.DataFrame({k: f["volume"] for k, f in frames.items() if "volume" in f}, index=dates),
        nav=pd.DataFrame({k: f["nav"] for k, f in frames.items() if "nav" in f}, index=dates),
        rate=rate_values,
        exchange_sessions=sessions,
        provenance=tuple(provenance),
        notes=tuple(notes),
    )


def _window(
    series: Sequence[PriceSeries], rates: RateSeries | None, start: str | None, end: str | None
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last day to read: all that the series have, as far as the rate and the calendar reach."""
    first = max(min(s.frame.index[0] for s in series), RELIABLE_FROM)
    last = max(s.frame.index[-1] for s in series)
    if start is not None and pd.Timestamp(start) < RELIABLE_FROM:
        raise SpanError(f"the exchange's calendar is complete from {iso(RELIABLE_FROM)} on, the asked start is {start}")
    if rates is not None:
        first = max(first, rates.values.index[0])
        if start is not None and rates.values.index[0] > pd.Timestamp(start):
            raise SpanError(
                f"{rates.provenance.place}: the rate {rates.name} begins on {iso(rates.values.index[0])}, after the "
                f"asked start {iso(start)}: start later, add earlier values, or fix the rate (--cash-rate 0.02)"
            )
    if end is not None:
        last = min(last, pd.Timestamp(end))
    if first > last or (start is not None and pd.Timestamp(start) > last):
        raise SpanError(_no_overlap(series, start, end) + _rate_span(rates))
    return first, last


def _rate_series(source: Source, rate: str | float | None) -> RateSeries | None:
    if rate is None:
        return source.rate(source.default_rate)
    return source.rate(rate) if isinstance(rate, str) else None


def _refuse_days_without_session(
    series: PriceSeries, sessions: pd.DatetimeIndex, first: pd.Timestamp, last: pd.Timestamp
) -> None:
    own = pd.DatetimeIndex(series.frame.index)
    odd = own[(own >= first) & (own <= last)].difference(sessions)
    if len(odd):
        where = series.where(int(own.searchsorted(odd[0])))
        raise DataError(
            f"{where}, column date: {iso(odd[0])} is not a session of the New York Stock Exchange; remove the row"
        )


def _on_sessions(series: PriceSeries, dates: pd.DatetimeIndex, strict_from: pd.Timestamp) -> tuple[pd.DataFrame, str]:
    """Align one series; refuse defects from `strict_from` on, cut the past before an earlier one."""
    place, own = series.provenance.place, pd.DatetimeIndex(series.frame.index)
    inside = own[(own >= dates[0]) & (own <= dates[-1])]
    frame = series.frame.reindex(dates)
    if not len(inside):
        return frame, ""
    life = dates[(dates >= inside[0]) & (dates <= inside[-1])]
    missing = life.difference(inside)
    empty = inside[frame["adj_close"].reindex(inside).isna().to_numpy()]
    if len(bad := missing[missing >= strict_from]):
        before = int(own.searchsorted(bad[0])) - 1
        raise DataError(
            f"{series.where(before)}, column date: a hole: {_sessions(len(bad))} missing after {iso(own[before])}, "
            f"first {iso(bad[0])}. Add the rows, or ask for a span without them (--start, --end)"
        )
    if len(bad := empty[empty >= strict_from]):
        raise DataError(
            f"{series.where(int(own.searchsorted(bad[0])))}, column adj_close: empty on {iso(bad[0])}, inside the "
            "asked span. Fill it in, or ask for another span (--start, --end)"
        )
    broken = missing.union(empty)
    if not len(broken):
        return frame, ""
    frame.loc[: broken[-1]] = np.nan
    return frame, f"{place}: rows up to {iso(broken[-1])} not used, {_sessions(len(broken))} missing or empty there"


def _rate_on_sessions(
    rates: RateSeries | None, fixed: str | float | None, dates: pd.DatetimeIndex, strict_from: pd.Timestamp
) -> pd.Series:
    """Last value on or before each session."""
    if rates is None:
        assert isinstance(fixed, int | float)
        return pd.Series(float(fixed), index=dates, name="rate")
    known = rates.values.index
    position = known.searchsorted(dates, side="right") - 1
    age: NDArray[np.int64] = np.asarray((dates - known[position]).days)
    spacing = float(np.median(np.diff(known.to_numpy()) / np.timedelta64(1, "D"))) if len(known) > 1 else 0.0
    longest = max(RATE_GAP_DAYS, RATE_GAP_SPACINGS * spacing)
    stale: NDArray[np.intp] = np.flatnonzero((age > longest) & (dates >= strict_from))
    if len(stale):
        day, value_day = dates[stale[0]], known[position[stale[0]]]
        raise SpanError(
            f"{rates.provenance.place}: no value of {rates.name} between {iso(value_day)} and {iso(day)}. "
            "Add the missing days, ask for another span (--start, --end), or fix the rate ([cash] rate = 0.02)"
        )
    return pd.Series(rates.values.to_numpy()[position], index=dates, name=rates.name)


def _sessions(n: int) -> str:
    return "1 session" if n == 1 else f"{n} sessions"


def _no_overlap(series: Sequence[PriceSeries], start: str | None, end: str | None) -> str:
    spans = ", ".join(f"{s.symbol} {iso(s.frame.index[0])} to {iso(s.frame.index[-1])}" for s in series)
    since, until = iso(start) if start else "the beginning", iso(end) if end else "the end"
    asked = f" the asked span ({since} to {until})" if start or end else " each other"
    return f"the data do not overlap{asked}: {spans}. Ask for dates inside the data, or add data"


def _rate_span(rates: RateSeries | None) -> str:
    if rates is None:
        return ""
    return f". The rate {rates.name} runs from {iso(rates.values.index[0])} to {iso(rates.values.index[-1])}"
