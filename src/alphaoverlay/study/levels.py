"""Levels of symbols and indices on one basis: what relative value and comparisons are measured on (method M11)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from alphaoverlay.errors import DataError, SpanError, StudyError, SymbolNotFound, did_you_mean
from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.funds.fund import Index
from alphaoverlay.funds.index_returns import build_index_returns, index_symbols
from alphaoverlay.funds.ticker import has_terms
from alphaoverlay.history import History, Provenance, fingerprint_of, iso
from alphaoverlay.market.rates import rate_on_sessions, read_rate_series
from alphaoverlay.market.reading import FIXED_RATE, read_history
from alphaoverlay.market.source import Source
from alphaoverlay.study.market_data import known_index, what_to_do

Basis = Literal["price", "total"]


@dataclass(frozen=True)
class Levels:
    """Levels on common sessions.

    Attributes
    ----------
    frame : a column a name, as it was asked for; NaN before a series' first and after its last value.
    made_of : what each is, such as "closes of RUT".
    history : what was read; its rate is 0 where none was.
    rate : the financing rate by session (yearly fraction), NaN before its first value; None where the source has none.
    notes : sentences that every output must carry.
    """

    frame: pd.DataFrame
    made_of: dict[str, str]
    history: History
    rate: pd.Series | None
    notes: tuple[str, ...]


def read_levels(
    names: Sequence[str],
    basis: Basis,
    source: Source,
    catalogue: Catalogue,
    *,
    end: str | None = None,
    rate: str | float | None = None,
    rates: bool = True,
) -> Levels:
    """Read symbols and indices on one basis, all the past that the source has up to `end`.

    Parameters
    ----------
    names : symbols, each taken exactly as given, or names of indices.
    basis : "price" (closes, adjusted for splits only) or "total" (with distributions), the same for all.
    end : ISO date; nothing after it is looked at. None: all there is.
    rate : the financing rate to read beside them, as `read_history`.
    rates : False reads none.

    Raises
    ------
    SymbolNotFound : a name that is unknown, or an index without a series on this basis; says what to write instead.
    StudyError : a price index asked for its total return, or the other way round.
    DataError : the source's data cannot be used.
    """
    made = {name: _recipe(name, basis, source, catalogue) for name in dict.fromkeys(names)}
    symbols = dict.fromkeys(symbol for one in made.values() for symbol in one.symbols)
    # No rate is needed for levels, and one that begins late must not cut them.
    history = _as_known(read_history(source, list(symbols), 0.0, None, end))
    built = {name: one.build(history, catalogue) for name, one in made.items()}
    frame = pd.DataFrame({name: one.values for name, one in built.items()}, index=history.dates)
    if missing := [name for name in frame.columns if frame[name].isna().all()]:
        raise DataError(f"{', '.join(missing)}: no {basis} level up to {iso(history.dates[-1])} in {source.name}")
    values, parts, rate_notes = _rate(source, rate, history.dates) if rates else (None, (), ())
    return Levels(
        frame=frame,
        made_of={name: one.says for name, one in built.items()},
        history=replace(
            history,
            rate=history.rate if values is None else values,
            provenance=(*history.provenance, *parts),
        ),
        rate=values,
        notes=(*history.notes, *(note for one in built.values() for note in one.notes), *rate_notes),
    )


@dataclass(frozen=True)
class _Built:
    """One name's levels, what they are, and what must be said of them."""

    values: pd.Series
    says: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Recipe:
    """How one name's levels are made: of a symbol's own column, or of all of an index's series."""

    symbols: tuple[str, ...]
    column: Literal["close", "adj_close"]
    index: Index | None = None
    notes: tuple[str, ...] = ()

    def build(self, history: History, catalogue: Catalogue) -> _Built:
        if self.index is None:
            frame = history.close if self.column == "close" else history.adj_close
            kind = "closes" if self.column == "close" else "closes with distributions"
            notes = (*self.notes, *self._no_distributions(history, catalogue))
            return _Built(frame[self.symbols[0]], f"{kind} of {self.symbols[0]}", notes)
        built = build_index_returns(self.index, history, catalogue)
        says = f"total return of {self.index.title}: {'; '.join(str(span) for span in built.spans)}"
        return _Built(_grown(built.returns), says, (*self.notes, *built.notes))

    def _no_distributions(self, history: History, catalogue: Catalogue) -> tuple[str, ...]:
        """Say where a symbol that nobody knows may be a price index, whose distributions are missing."""
        symbol = self.symbols[0]
        if self.column == "close" or symbol in catalogue.funds:
            return ()
        if not history.close[symbol].equals(history.adj_close[symbol]):
            return ()
        return (f"{symbol}: its data tell of no distributions; if it is a price index, they are missing.",)


def _grown(returns: pd.Series) -> pd.Series:
    """Compound returns to levels: 1 on the session before the first return, unknown after the last."""
    known = np.flatnonzero(returns.notna().to_numpy())
    if not len(known):
        return pd.Series(np.nan, index=returns.index)
    first, last = max(int(known[0]) - 1, 0), int(known[-1])
    grown = (1.0 + returns.iloc[first + 1 : last + 1]).cumprod()
    levels: pd.Series = pd.concat([pd.Series([1.0], index=returns.index[first : first + 1]), grown])
    return levels.reindex(returns.index)


def _recipe(name: str, basis: Basis, source: Source, catalogue: Catalogue) -> _Recipe:
    if has_terms(name):
        raise StudyError(f"{name}: a ticker with terms has no history of its own to compare; write its symbol")
    column: Literal["close", "adj_close"] = "close" if basis == "price" else "adj_close"
    if name in catalogue.indices:
        return _index_recipe(known_index(name, source, catalogue), basis, column, source)
    if not source.holds(name):
        near = did_you_mean(name, (*catalogue.indices, *catalogue.funds))
        raise SymbolNotFound(
            f"{name} is neither an index ({', '.join(catalogue.indices)}) nor a symbol in {source.name}.{near} To use "
            f"it, {what_to_do(source, name)}"
        )
    bare = name.lstrip("^")
    for index in catalogue.indices.values():
        if basis == "total" and bare in index.price:
            raise StudyError(
                f'basis = "total": {name} is a price index, without its dividends; write the index, {index.name}, or '
                'basis = "price"'
            )
        if basis == "price" and bare in index.total_return:
            other = index.price[0] if index.price else "a price series"
            raise StudyError(
                f'basis = "price": {name} is a total-return index; write {other}, or basis = "total" for both'
            )
    return _Recipe((name,), column)


def _index_recipe(index: Index, basis: Basis, column: Literal["close", "adj_close"], source: Source) -> _Recipe:
    stand_in = source.stand_ins.get(index.name)
    notes = () if stand_in is None else (f"{stand_in} stands in for {index.name} ({index.title}).",)
    if basis == "total":
        symbols = index_symbols(index, source.holds)
        if not symbols:
            every = (*index.total_return, *index.price, *index.plain)
            to_do = what_to_do(source, every[0] if every else index.name)
            raise SymbolNotFound(f"{index.name}: no series of it in {source.name}; {to_do}")
        return _Recipe(symbols, column, index, notes)
    price = next(filter(source.holds, index.price), None)
    if price is None:
        fund = f"a fund's symbol{f' such as {index.plain[0]}' if index.plain else ''}"
        to_do = f"{fund}, or {what_to_do(source, index.price[0])}" if index.price else f"or {fund}"
        raise SymbolNotFound(f'{index.name}: no price series of it in {source.name}; write basis = "total", {to_do}')
    return _Recipe((price,), column, None, notes)


def _as_known(history: History) -> History:
    """The history without its made-up rate, each series described by what was read of it and not by what came later."""
    used = [one for one in history.provenance if one.nature != "assumed" and history.adj_close[one.name].notna().any()]
    return replace(
        history,
        provenance=tuple(_read_part(one, history.adj_close[one.name]) for one in used),
        notes=tuple(note for note in history.notes if not note.startswith(FIXED_RATE)),
    )


def _read_part(came: Provenance, values: pd.Series) -> Provenance:
    days = values.index[values.notna()]
    return replace(came, first=iso(days[0]), last=iso(days[-1]), observations=len(days))


def _rate(
    source: Source, rate: str | float | None, dates: pd.DatetimeIndex
) -> tuple[pd.Series | None, tuple[Provenance, ...], tuple[str, ...]]:
    """The rate as far as it is known, where it came from, and why it is not there."""
    if isinstance(rate, int | float):
        return None, (), ("Rate changes are not measured: the study fixes the rate.",)
    try:
        found = read_rate_series(source, rate or source.default_rate, dates[0])
        known = dates[dates >= found.values.index[0]]
        if not len(known):
            raise SpanError(f"{found.name} begins on {iso(found.values.index[0])}")
        values = rate_on_sessions(found, known, known[0]).reindex(dates)
    except DataError as error:
        # A rate that was asked for by name must be there; the source's own need not.
        if rate is not None:
            raise
        return None, (), (f"Rate changes are not measured: {error}.",)
    used = fingerprint_of(values.to_numpy(dtype=np.float64))
    parts = [one for one in found.parts if one.first <= iso(dates[-1])]
    said = found.notes if len(parts) == len(found.parts) else ()
    return values, tuple(_read_rate_part(one, found.values, dates[-1], used) for one in parts), said


def _read_rate_part(came: Provenance, values: pd.Series, last: pd.Timestamp, used: str) -> Provenance:
    until = min(came.last, iso(last))
    seen = int((values.loc[came.first : until]).notna().sum())
    return replace(came, last=until, observations=seen, fingerprint=used)


def joined(histories: Sequence[History]) -> History:
    """Return all that was read as one history, so that one fingerprint stands for it; the rate is the first one's."""
    dates = histories[0].dates
    for one in histories[1:]:
        dates = pd.DatetimeIndex(dates.union(one.dates))
    parts: dict[str, Provenance] = {}
    for one in histories:
        for part in one.provenance:
            parts.setdefault(part.name, part)
    return replace(
        histories[0],
        dates=dates,
        close=_side_by_side([one.close for one in histories], dates),
        adj_close=_side_by_side([one.adj_close for one in histories], dates),
        volume=_side_by_side([one.volume for one in histories], dates),
        nav=_side_by_side([one.nav for one in histories], dates),
        rate=histories[0].rate.reindex(dates),
        exchange_sessions=max((one.exchange_sessions for one in histories), key=len),
        provenance=tuple(parts.values()),
    )


def _side_by_side(frames: Sequence[pd.DataFrame], dates: pd.DatetimeIndex) -> pd.DataFrame:
    """The columns of all frames, each once."""
    columns: dict[str, pd.Series] = {}
    for frame in frames:
        for name in frame.columns:
            columns.setdefault(str(name), frame[name].reindex(dates))
    return pd.DataFrame(columns, index=dates)


def common_span(levels: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Return the sessions on which all the names have a level.

    Raises
    ------
    SpanError : there are none, or a level is missing between them.
    """
    frame = levels[list(names)]
    known = frame.notna().all(axis=1).to_numpy()
    if not known.any():
        spans = ", ".join(
            f"{name} {iso(days[0])} to {iso(days[-1])}" if len(days := one.dropna().index) else f"{name} none"
            for name, one in frame.items()
        )
        raise SpanError(f"no day has a level of each: {spans}. Add earlier or later data, or compare others")
    first, last = int(known.argmax()), len(known) - 1 - int(known[::-1].argmax())
    if not known[first : last + 1].all():
        hole = first + int((~known[first : last + 1]).argmax())
        bare = ", ".join(str(name) for name in frame.columns if np.isnan(frame[name].iloc[hole]))
        raise SpanError(f"no level of {bare} on {iso(frame.index[hole])}: add what is missing, or compare others")
    return frame.iloc[first : last + 1]
