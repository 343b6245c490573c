"""From a source to a `History`: read, check against the exchange's calendar, align."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from alphaoverlay.errors import DataError, SpanError
from alphaoverlay.history import FloatArray, History, PriceSeries, Provenance, fingerprint_of, iso
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.checks import check_prices
from alphaoverlay.market.findings import CHECKS, Finding
from alphaoverlay.market.rates import Rate, rate_on_sessions, read_rate_series
from alphaoverlay.market.source import Source

# exchange_calendars lacks closures before this (Christmas of 1969, for one), so sessions and real rows part.
RELIABLE_FROM = pd.Timestamp("1970-01-02")
# A missing price cuts off a series' past before the asked span; inside it, it stops the study. So does what is no
# price, or two of them.
MISSING, WRONG = ("gap", "empty"), ("not-positive", "duplicate")
FIXED_RATE = "The financing rate is fixed at"


@dataclass(frozen=True)
class _Span:
    """What is read: the sessions from `first` to `last`, of which those from `strict_from` on were asked for."""

    first: pd.Timestamp
    last: pd.Timestamp
    sessions: pd.DatetimeIndex
    strict_from: pd.Timestamp

    @property
    def dates(self) -> pd.DatetimeIndex:
        return self.sessions[(self.sessions >= self.first) & (self.sessions <= self.last)]


def read_history(
    source: Source,
    symbols: Sequence[str],
    rate: str | float | None = None,
    start: str | None = None,
    end: str | None = None,
    now: datetime | None = None,
) -> History:
    """Read symbols and a rate on the exchange's sessions, with all the past that the source has.

    Parameters
    ----------
    source : serves the series; the names in its `accept` are serious findings that are taken as they are.
    symbols : what to read; each must be in the source.
    rate : name of a rate, a fixed yearly fraction, or None for the source's default rate.
    start, end : the asked span. Inside it every series must be sound; a hole before `start` shortens the series'
        past and is noted.
    now : tells an unfinished session; the clock's where None.

    Raises
    ------
    SymbolNotFound, DataError : as the source says, and for a serious finding (`market.checks`) that is not accepted.
    SpanError : the span holds no session, or the rate does not cover it.
    """
    if not symbols:
        raise DataError("no symbol to read")
    series = [source.prices(symbol) for symbol in dict.fromkeys(symbols)]
    rates = _read_rate(source, rate, series, start)
    span = _span(series, rates, start, end)
    dates, notes = span.dates, list(source.notes)
    frames, provenance = {}, []
    for one in series:
        inside = _inside(one, span)
        findings = (
            () if inside is None else check_prices(inside, span.sessions, now or datetime.now(UTC), span.strict_from)
        )
        notes += _stop_or_say(findings, source.accept)
        accepted = {found.check for found in findings if found.check in source.accept}
        frames[one.symbol], note = _on_sessions(one, findings, accepted, dates)
        used = fingerprint_of(*(frames[one.symbol][name].to_numpy(dtype=np.float64) for name in ("close", "adj_close")))
        notes += [f"{one.symbol}: {note}"] if note else []
        note = "; ".join(filter(None, (one.provenance.note, note)))
        provenance.append(replace(one.provenance, note=note, fingerprint=used))
    rate_values, rate_parts, rate_notes = _rate_values(rates, rate, dates, span.strict_from)
    return History(
        dates=dates,
        close=pd.DataFrame({k: f["close"] for k, f in frames.items()}),
        adj_close=pd.DataFrame({k: f["adj_close"] for k, f in frames.items()}),
        volume=pd.DataFrame({k: f["volume"] for k, f in frames.items() if "volume" in f}, index=dates),
        nav=pd.DataFrame({k: f["nav"] for k, f in frames.items() if "nav" in f}, index=dates),
        rate=rate_values,
        exchange_sessions=span.sessions,
        provenance=(*provenance, *rate_parts),
        notes=(*notes, *rate_notes),
    )


def _read_rate(
    source: Source, rate: str | float | None, series: Sequence[PriceSeries], start: str | None
) -> Rate | None:
    """The rate, or None where the study fixed it."""
    if isinstance(rate, int | float):
        return None
    begins = min(one.frame.index[0] for one in series) if start is None else pd.Timestamp(start)
    return read_rate_series(source, rate or source.default_rate, max(begins, RELIABLE_FROM))


def _span(series: Sequence[PriceSeries], rates: Rate | None, start: str | None, end: str | None) -> _Span:
    """All that the series have, as far as the rate and the calendar reach."""
    first = max(min(s.frame.index[0] for s in series), RELIABLE_FROM)
    last = max(s.frame.index[-1] for s in series)
    if start is not None and pd.Timestamp(start) < RELIABLE_FROM:
        raise SpanError(f"the exchange's calendar is complete from {iso(RELIABLE_FROM)} on, the asked start is {start}")
    if rates is not None:
        first = max(first, rates.values.index[0])
        if start is not None and rates.values.index[0] > pd.Timestamp(start):
            raise SpanError(
                f"{rates.place}: the rate {rates.name} begins on {iso(rates.values.index[0])}, after the "
                f"asked start {iso(start)}: start later, add earlier values, or fix the rate (--cash-rate 0.02)"
            )
    if end is not None:
        last = min(last, pd.Timestamp(end))
    if first > last or (start is not None and pd.Timestamp(start) > last):
        raise SpanError(_no_overlap(series, start, end) + _rate_span(rates))
    # A year more on both sides: whether a day before or after the data is a session is asked later.
    sessions = exchange_sessions(first.year - 1, last.year + 1)
    span = _Span(first, last, sessions, first if start is None else max(first, pd.Timestamp(start)))
    if not len(span.dates) or span.strict_from > span.dates[-1]:
        raise SpanError(
            f"no session of the New York Stock Exchange from {iso(start or first)} to {iso(end or last)}: the data are "
            f"{_spans(series)}. Ask for dates with sessions, or mend the dates"
        )
    return span


def _inside(series: PriceSeries, span: _Span) -> PriceSeries | None:
    """The series' rows in the span, None where it has none."""
    own = pd.DatetimeIndex(series.frame.index)
    low, high = own.searchsorted(span.first), own.searchsorted(span.last, side="right")
    if low >= high:
        return None
    return replace(series, frame=series.frame.iloc[low:high], lines=series.lines[low:high])


def _stop_or_say(findings: Sequence[Finding], accept: frozenset[str]) -> list[str]:
    """Return what must be said of the findings.

    Raises
    ------
    DataError : one is serious and not accepted.
    """
    said = []
    for found in findings:
        if found.severity == "serious" and found.check not in accept:
            way = CHECKS[found.check].accepted
            taken = f". To go on all the same: --accept {found.check} ({way})" if way else ""
            raise DataError(f"{found.sentence}{taken}")
        if found.check in accept:
            said.append(f"ACCEPTED as {found.check} ({CHECKS[found.check].accepted}): {found.sentence}.")
        elif found.check not in MISSING:
            said.append(f"{'Before the asked span: ' if found.before else ''}{found.sentence}.")
    return said


def _on_sessions(
    series: PriceSeries, findings: Sequence[Finding], accepted: set[str], dates: pd.DatetimeIndex
) -> tuple[pd.DataFrame, str]:
    """Align one series; cut the past before a hole, or carry prices over it where that was accepted."""
    own = pd.DatetimeIndex(series.frame.index)
    frame = series.frame[~own.duplicated()].reindex(dates)
    if accepted & set(MISSING):
        frame = _carried(frame, own[-1])
    cut = [found for found in findings if found.check in (*MISSING, *WRONG) and found.check not in accepted]
    if not cut:
        return frame, ""
    days = sorted({day for found in cut for day in found.days})
    frame.loc[: days[-1]] = np.nan
    many = "1 session" if len(days) == 1 else f"{len(days)} sessions"
    what = "missing or empty" if all(found.check in MISSING for found in cut) else "missing, empty or wrong"
    note = f"{series.provenance.place}: rows up to {iso(days[-1])} not used, {many} {what} there"
    return frame, note


def _carried(frame: pd.DataFrame, last: pd.Timestamp) -> pd.DataFrame:
    """Carry prices over sessions without one, from a series' first price to its last row; nothing is traded there."""
    known = np.maximum.accumulate(np.where(frame["adj_close"].notna(), np.arange(len(frame)), -1))
    over = (known >= 0) & frame["adj_close"].isna().to_numpy() & (frame.index <= last)
    before = frame.iloc[known[over]].to_numpy()
    for j, name in enumerate(frame.columns):
        if name in ("close", "adj_close"):
            frame.loc[over, name] = before[:, j]
        else:
            carried = before[:, j] if name == "nav" else 0.0
            frame.loc[over, name] = frame.loc[over, name].fillna(pd.Series(carried, index=frame.index[over]))
    return frame


def _rate_values(
    rates: Rate | None, fixed: str | float | None, dates: pd.DatetimeIndex, strict_from: pd.Timestamp
) -> tuple[pd.Series, tuple[Provenance, ...], tuple[str, ...]]:
    """The rate on each session, where it came from, and what must be said of it."""
    if rates is None:
        assert isinstance(fixed, int | float)
        values = pd.Series(float(fixed), index=dates, name="rate")
        came = Provenance("rate", "study", "fixed", iso(dates[0]), iso(dates[-1]), len(dates), "assumed", "fixed rate")
        note = f"{FIXED_RATE} {float(fixed):.2%} a year by the study, not observed."
        return values, (_with_fingerprint(came, values),), (note,)
    values = rate_on_sessions(rates, dates, strict_from)
    return values, tuple(_with_fingerprint(one, values) for one in rates.parts), rates.notes


def _with_fingerprint(came: Provenance, values: pd.Series) -> Provenance:
    used: FloatArray = values.to_numpy(dtype=np.float64)
    return replace(came, fingerprint=fingerprint_of(used))


def _no_overlap(series: Sequence[PriceSeries], start: str | None, end: str | None) -> str:
    since, until = iso(start) if start else "the beginning", iso(end) if end else "the end"
    asked = f" the asked span ({since} to {until})" if start or end else " each other"
    return f"the data do not overlap{asked}: {_spans(series)}. Ask for dates inside the data, or add data"


def _spans(series: Sequence[PriceSeries]) -> str:
    return ", ".join(f"{s.symbol} {iso(s.frame.index[0])} to {iso(s.frame.index[-1])}" for s in series)


def _rate_span(rates: Rate | None) -> str:
    if rates is None:
        return ""
    return f". The rate {rates.name} runs from {iso(rates.values.index[0])} to {iso(rates.values.index[-1])}"
