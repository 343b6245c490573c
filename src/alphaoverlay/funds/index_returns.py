"""The total return of an index from the best series known for each span (method, "Total return of an index")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.funds.expenses import expenses_on
from alphaoverlay.funds.fund import Index
from alphaoverlay.history import FloatArray, History, iso, runs

ACCRUAL_WINDOW = 252


@dataclass(frozen=True)
class IndexSpan:
    """Which kind of series an index's return comes from, between two sessions."""

    kind: str
    symbols: tuple[str, ...]
    first: pd.Timestamp
    last: pd.Timestamp

    def __str__(self) -> str:
        return f"{iso(self.first)} to {iso(self.last)}: {self.kind} ({', '.join(self.symbols)})"


@dataclass(frozen=True)
class IndexReturns:
    """Simple total returns of one index on a history's sessions (NaN where unknown), and what they were made of."""

    index: Index
    returns: pd.Series
    spans: tuple[IndexSpan, ...]
    notes: tuple[str, ...] = ()


def index_symbols(index: Index, holds: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the symbols that `build_index_returns` would use: the first held of each kind."""
    firsts = (next(filter(holds, kind), None) for kind in (index.total_return, index.price, index.plain))
    return tuple(symbol for symbol in firsts if symbol is not None)


def build_index_returns(index: Index, history: History, catalogue: Catalogue) -> IndexReturns:
    """Join the best series for each span by their returns.

    In order: (1) a total-return index; (2) a price index plus a dividend accrual, the trailing 252-session mean of
    (plain fund's log total return + its expense - price index's log return), past data only, and before 252 sessions
    the stated dividend yield; (3) a plain fund with its expense added back; (4) a price index alone, with a warning.
    """
    total = _first(index.total_return, history)
    price = _first(index.price, history)
    plain = _first(index.plain, history)
    candidates: list[tuple[str, tuple[str, ...], FloatArray]] = []
    if total is not None:
        candidates.append(("total-return index", (total,), _simple(history, total)))
    if price is not None:
        price_returns = _simple(history, price)
        if plain is not None:
            accrual = _trailing_accrual(history, price, plain, _charged(history, plain, catalogue))
            candidates.append(("price index + dividends from a fund", (price, plain), price_returns + accrual))
        if index.dividend_yield is not None:
            stated = price_returns + index.dividend_yield * history.e
            label = f"price index + stated {index.dividend_yield:.1%} dividends"
            candidates.append((label, (price,), stated))
    if plain is not None:
        added_back = _simple(history, plain) + _charged(history, plain, catalogue)
        candidates.append(("plain fund, expense added back", (plain,), added_back))
    if price is not None:
        candidates.append(("price index without dividends", (price,), _simple(history, price)))
    return _join(index, history, candidates)


def _join(index: Index, history: History, candidates: list[tuple[str, tuple[str, ...], FloatArray]]) -> IndexReturns:
    joined = np.full(len(history.dates), np.nan)
    spans: list[IndexSpan] = []
    notes: list[str] = []
    for kind, symbols, values in candidates:
        use = np.isnan(joined) & ~np.isnan(values)
        joined[use] = values[use]
        for low, high in runs(use):
            spans.append(IndexSpan(kind, symbols, history.dates[low], history.dates[high]))
            if kind == "price index without dividends":
                notes.append(f"{index.name} {spans[-1]}: understated by its dividends.")
    spans.sort(key=lambda span: span.first)
    return IndexReturns(index, pd.Series(joined, index=history.dates, name=index.name), tuple(spans), tuple(notes))


def _first(symbols: tuple[str, ...], history: History) -> str | None:
    return next((symbol for symbol in symbols if symbol in history.adj_close.columns), None)


def _simple(history: History, symbol: str) -> FloatArray:
    return history.total_returns[symbol].to_numpy(dtype=np.float64)


def _charged(history: History, plain: str, catalogue: Catalogue) -> FloatArray:
    """`E*e` of a plain fund, each session."""
    return expenses_on(catalogue.fund(plain), history.dates) * history.e


def _trailing_accrual(history: History, price: str, plain: str, charged: FloatArray) -> FloatArray:
    """Mean dividend accrual a session over the 252 sessions before each one; NaN before there are as many."""
    gap = pd.Series(
        np.log1p(_simple(history, plain)) + charged - np.log1p(_simple(history, price)),
        index=history.dates,
    )
    return gap.rolling(ACCRUAL_WINDOW).mean().shift(1).to_numpy(dtype=np.float64)
