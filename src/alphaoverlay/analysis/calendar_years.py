"""Returns by calendar year."""

from __future__ import annotations

import pandas as pd

from alphaoverlay.engine.backtesting import Backtest


def calendar_years(portfolio: Backtest, benchmark: Backtest) -> pd.DataFrame:
    """Return one row a calendar year: `portfolio`, `benchmark`, `active` (simple returns), and `part_of_year`.

    A year after ruin has no return (NaN).
    A year is a part where the span does not hold all its exchange sessions after the previous year's last one.
    """
    frame = pd.DataFrame({"portfolio": portfolio.returns, "benchmark": benchmark.returns})
    by_year = (1.0 + frame).groupby(pd.DatetimeIndex(frame.index).year).prod(min_count=1) - 1.0
    by_year["active"] = by_year["portfolio"] - by_year["benchmark"]
    exchange = portfolio.history.exchange_sessions
    held = pd.DatetimeIndex(frame.index)
    by_year["part_of_year"] = [
        bool((held.year == year).sum() < (exchange.year == year).sum()) for year in by_year.index
    ]
    return by_year


def rolling_active_return(portfolio: Backtest, benchmark: Backtest, sessions: int = 252) -> pd.Series:
    """Return of the portfolio minus the benchmark's over the trailing sessions, simple; empty for a shorter span."""
    own, other = (x.growth / x.growth.shift(sessions) - 1.0 for x in (portfolio, benchmark))
    return (own - other).dropna()
