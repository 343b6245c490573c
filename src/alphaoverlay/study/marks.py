"""Which span of a result is synthetic, for every chart and table that shows it."""

from __future__ import annotations

import pandas as pd

from alphaoverlay.engine.backtesting import Backtest
from alphaoverlay.history import iso
from alphaoverlay.report.figures import Spans

DAGGER = "\N{DAGGER}"


def synthetic_until(*backtests: Backtest) -> dict[str, pd.Timestamp]:
    """Return the last synthetic session of each fund that has one, over all the backtests."""
    until: dict[str, pd.Timestamp] = {}
    for one in backtests:
        until |= one.fund_returns.synthetic_until
    return until


def synthetic_spans(*backtests: Backtest) -> Spans:
    """Return the span in which a fund is synthetic, for shading; empty where none is."""
    until = synthetic_until(*backtests)
    if not until:
        return ()
    return ((backtests[0].history.dates[0], max(until.values()), f"synthetic: {', '.join(until)}"),)


def synthetic_note(*backtests: Backtest) -> str:
    """Say under a table up to when which funds are synthetic; empty where none is."""
    by_day: dict[str, list[str]] = {}
    for symbol, day in synthetic_until(*backtests).items():
        by_day.setdefault(iso(day), []).append(symbol)
    spans = "; ".join(f"{', '.join(symbols)} to {day}" for day, symbols in by_day.items())
    return f"{DAGGER} Synthetic: {spans}." if spans else ""


def returns_note(*backtests: Backtest) -> str:
    """Say under a table of returns that trading was free, by choice, and what is synthetic; empty where neither is."""
    free = "Trading costs are zero, by choice." if backtests[0].costs.free else ""
    return f"{free} {synthetic_note(*backtests)}".strip()


def is_synthetic_year(year: int, *backtests: Backtest) -> bool:
    """Whether a calendar year holds a synthetic session."""
    until = synthetic_until(*backtests)
    return bool(until) and year <= max(until.values()).year
