"""Symbols and indices side by side on one day: returns over the same spans, falls below the peak, relative strength."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alphaoverlay.analysis.drawdowns import Drawdown, deepest_drawdown, drawdowns
from alphaoverlay.errors import AlphaOverlayError, SpanError, StudyError, did_you_mean
from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.funds.ticker import canonical_symbol
from alphaoverlay.history import History, iso
from alphaoverlay.market.source import Source
from alphaoverlay.study.compared_spans import (
    TRAILING,
    YEAR_TO_DATE,
    ComparedSpan,
    Ground,
    asked_spans,
    standard_spans,
)
from alphaoverlay.study.levels import Basis, Levels, common_span, joined, read_levels
from alphaoverlay.study.market_data import remembered
from alphaoverlay.study.tables import iso_day

BASES: tuple[Basis, ...] = ("price", "total")
# More lines than this cannot be told apart on a chart.
MOST = 12
# Daily returns of the volatility, and of the year it is scaled to.
SESSIONS = 252


@dataclass(frozen=True)
class Asked:
    """What was asked for, checked: dates are ISO dates, `since` in the order given."""

    names: tuple[str, ...]
    basis: Basis
    asof: str | None
    since: tuple[str, ...]
    to: str | None
    versus: str | None


@dataclass(frozen=True)
class Fall:
    """Where a name stands below its peak, and its deepest fall, in all its history from `since` on.

    `drawdown` is 0 or negative; `peak` is the last close at the running peak; `deepest` is None where it never fell.
    """

    since: pd.Timestamp
    drawdown: float
    peak: pd.Timestamp
    deepest: Drawdown | None


@dataclass(frozen=True)
class Compared:
    """Names compared as of the last session on which each has a level.

    Attributes
    ----------
    asked : what was asked for.
    asof : that session; nothing later is looked at.
    against : the names that the first one is held against; none for one name alone.
    spans : year to date, trailing spans, asked spans, and best ends, as far as any name reaches back.
    levels : a column a name, NaN before its first session.
    made_of : what each name's level is.
    total_of, total_unknown : what each name's total return is, or why there is none; empty on the basis "total".
    falls : by name.
    volatility : by name; std(ddof=1)*sqrt(252) of the last 252 daily returns as a fraction, None with fewer.
    history, source, notes : what it rests on, and what every output must say.
    """

    asked: Asked
    asof: pd.Timestamp
    against: tuple[str, ...]
    spans: tuple[ComparedSpan, ...]
    levels: pd.DataFrame
    made_of: Mapping[str, str]
    total_of: Mapping[str, str]
    total_unknown: Mapping[str, str]
    falls: Mapping[str, Fall]
    volatility: Mapping[str, float | None]
    history: History
    source: str
    notes: tuple[str, ...]


def compare_levels(
    names: Sequence[str],
    source: Source,
    catalogue: Catalogue,
    *,
    basis: str = "price",
    asof: str | None = None,
    since: Sequence[str] = (),
    to: str | None = None,
    versus: str | None = None,
) -> Compared:
    """Compare symbols and indices as of one day.

    Parameters
    ----------
    names : one to twelve; the first is held against the others.
    basis : "price" (closes), with total returns beside them where they are known, or "total" (with distributions).
    asof : ISO date; nothing after it is looked at. None: all there is.
    since : ISO dates from which to measure too, each from the last close on or before it.
    to : ISO date on which the spans since those dates end too; each then also gets its best ends, found with
        hindsight between its beginning and `asof`.
    versus : the one name to hold the first against; each other one where None.

    Raises
    ------
    StudyError : names, a basis or dates that are wrong; says what to write instead.
    SymbolNotFound : a name that is neither an index nor in the source.
    SpanError : no series reaches back to a date of `since`, or no day has a level of each.
    DataError : the source's data cannot be used.
    """
    asked = _checked(names, basis, asof, since, to, versus)
    levels = read_levels(asked.names, asked.basis, source, catalogue, end=asked.asof, rates=False)
    last = common_span(levels.frame, asked.names).index[-1]
    known = {name: common_span(levels.frame.loc[:last], [name])[name] for name in asked.names}
    totals = _totals(asked, levels, source, catalogue, last) if asked.basis == "price" else {}
    ground = Ground(
        known,
        {name: one if isinstance(one, str) else one.values for name, one in totals.items()} if totals else None,
        asked.names[1:] if asked.versus is None else (asked.versus,),
    )
    spans = (*standard_spans(ground), *asked_spans(ground, asked.since, asked.to))
    read = [one for one in totals.values() if isinstance(one, _Total)]
    notes = (*levels.notes, *(note for one in read for note in one.notes))
    return Compared(
        asked=asked,
        asof=last,
        against=ground.against,
        spans=spans,
        levels=pd.DataFrame(known, index=ground.days),
        made_of=levels.made_of,
        total_of={name: one.says for name, one in totals.items() if isinstance(one, _Total)},
        total_unknown={name: one for name, one in totals.items() if isinstance(one, str)},
        falls={name: _fall(values) for name, values in known.items()},
        volatility={name: _volatility(values) for name, values in known.items()},
        history=remembered(source, joined([levels.history, *(one.history for one in read)])),
        source=source.name,
        notes=tuple(dict.fromkeys([*notes, *_reading(asked, ground, levels.frame, spans)])),
    )


def _checked(
    names: Sequence[str], basis: str, asof: str | None, since: Sequence[str], to: str | None, versus: str | None
) -> Asked:
    known = tuple(canonical_symbol(name) for name in names)
    if not known:
        raise StudyError("nothing to compare: name symbols or indices, such as RUT GSPC")
    if len(known) > MOST:
        raise StudyError(f"{len(known)} names are more than can be told apart; name at most {MOST}")
    _refuse_twice(name.lstrip("^") for name in known)
    other = None if versus is None else canonical_symbol(versus)
    if other is not None and other not in known[1:]:
        raise StudyError(f"versus: {other} {_not_another(other, known)}")
    if to is not None and not since:
        raise StudyError("to: it ends the spans that since begins; give since too")
    days = tuple(iso_day("since", day) for day in since)
    _refuse_twice(f"since {day}" for day in days)
    return Asked(
        names=known,
        basis=_basis(basis),
        asof=None if asof is None else iso_day("asof", asof),
        since=days,
        to=None if to is None else iso_day("to", to),
        versus=other,
    )


def _not_another(name: str, names: Sequence[str]) -> str:
    others = names[1:]
    if not others:
        return "is not compared here; name it after the first"
    if name == names[0]:
        return f"is the first name, which is held against another; write one of {', '.join(others)}"
    return f"is not compared here.{did_you_mean(name, others)} Write one of {', '.join(others)}, or name it too"


def _refuse_twice(words: Iterable[str]) -> None:
    seen: set[str] = set()
    for word in words:
        if word in seen:
            raise StudyError(f"{word} stands twice; name it once")
        seen.add(word)


def _basis(word: str) -> Basis:
    for basis in BASES:
        if word == basis:
            return basis
    raise StudyError(f'basis: {word[:40]!r} is not known; write "price" (closes) or "total" (with dividends)')


@dataclass(frozen=True)
class _Total:
    """A name's total-return levels, what they are, what was read for them, and what must be said of them."""

    values: pd.Series
    says: str
    history: History
    notes: tuple[str, ...]


def _totals(
    asked: Asked, levels: Levels, source: Source, catalogue: Catalogue, last: pd.Timestamp
) -> dict[str, _Total | str]:
    """Total returns beside prices; one that cannot be had is a reason, and no error."""
    found: dict[str, _Total | str] = {}
    for name in asked.names:
        bare = name.lstrip("^")
        index = next((one.name for one in catalogue.indices.values() if name == one.name or bare in one.price), None)
        try:
            if index is None:
                found[name] = _own_total(name, levels.history, last, known=name in catalogue.funds)
            else:
                read = read_levels([index], "total", source, catalogue, end=asked.asof, rates=False)
                values = common_span(read.frame.loc[:last], [index])[index]
                found[name] = _Total(values, read.made_of[index], read.history, read.notes)
        except AlphaOverlayError as error:
            found[name] = str(error)
    return found


def _own_total(name: str, history: History, last: pd.Timestamp, *, known: bool) -> _Total:
    """The adjusted closes of a fund or another symbol."""
    # Two equal columns are what a price index has, and what a share without dividends has.
    if not known and history.close[name].equals(history.adj_close[name]):
        raise SpanError(f"{name} is not in the catalogue, and its data tell of no dividends")
    values = common_span(history.adj_close.loc[:last], [name])[name]
    return _Total(values, f"closes with distributions of {name}", history, ())


def _fall(values: pd.Series) -> Fall:
    below = drawdowns(values, None)
    peak = values.index[int(np.flatnonzero(below >= 0.0)[-1])]
    return Fall(values.index[0], float(below[-1]), peak, deepest_drawdown(values, None))


def _volatility(values: pd.Series) -> float | None:
    levels = values.to_numpy(dtype=np.float64)[-SESSIONS - 1 :]
    if len(levels) <= SESSIONS:
        return None
    return float((levels[1:] / levels[:-1] - 1.0).std(ddof=1) * np.sqrt(SESSIONS))


def _reading(asked: Asked, ground: Ground, frame: pd.DataFrame, spans: Sequence[ComparedSpan]) -> list[str]:
    """What must be known of the days that were used."""
    last, said = ground.days[-1], []
    if asked.asof is not None and asked.asof != iso(last):
        said.append(f"{iso(last)} is the last session up to {asked.asof} on which each has a level.")
    if last != frame.index[-1]:
        ended = [str(name) for name in frame.columns if frame[name].last_valid_index() == last]
        said.append(f"The data of {', '.join(ended)} end on {iso(last)}; the others are compared up to that day too.")
    for day in (*asked.since, *([] if asked.to is None else [asked.to])):
        close = ground.close_on(day)
        if close is not None and iso(close) != day:
            said.append(f"{day} is not a session: the close of {iso(close)} is taken.")
    there = {span.label for span in spans}
    if left_out := [label for label in (YEAR_TO_DATE, *TRAILING) if label not in there]:
        said.append(f"No series reaches far enough back for: {', '.join(left_out)}.")
    if any(span.best_against for span in spans):
        said.append("Best ends are found with hindsight: nobody could know them at the time.")
    return said
