"""Small histories made by hand: every value is known, so every expected figure can be worked out on paper."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from alphaoverlay.funds.fund import Fund, Index
from alphaoverlay.funds.index_returns import IndexReturns
from alphaoverlay.history import History

NAN = math.nan


def made_history(
    prices: Mapping[str, Sequence[float]],
    *,
    rate: float | Sequence[float] = 0.0,
    dates: list[str] | pd.DatetimeIndex | None = None,
    first: str = "2020-01-02",
) -> History:
    """History with these adjusted closes, on the given days or on weekdays from `first`."""
    n = max((len(values) for values in prices.values()), default=0)
    days = pd.bdate_range(first, periods=n) if dates is None else pd.DatetimeIndex(dates)
    rates = np.full(len(days), rate) if isinstance(rate, float) else np.asarray(rate, dtype=np.float64)
    frame = pd.DataFrame({symbol: list(values) for symbol, values in prices.items()}, index=days, dtype=np.float64)
    weekdays = pd.bdate_range(f"{days[0].year}-01-02", f"{days[-1].year}-12-31")
    return History(days, frame * np.nan, frame, pd.Series(rates, index=days), weekdays.union(days))


def levels(returns: Sequence[float], start: float = 100.0) -> list[float]:
    """Prices that begin at `start` and then make these returns."""
    prices = [start]
    for one in returns:
        prices.append(prices[-1] * (1.0 + one))
    return prices


def index_with(name: str, returns: Sequence[float], history: History) -> IndexReturns:
    """An index with these returns, the first being that of the second session."""
    series = pd.Series([NAN, *returns], index=history.dates, name=name)
    return IndexReturns(Index(name, name), series, ())


def fund_on(leverage: float, *, symbol: str = "FUND", expense: float = 0.0, spread: float = 0.0) -> Fund:
    """A fund on the index AAA."""
    return Fund(symbol, symbol, {"AAA": leverage}, expense=expense, spread=spread)


def random_prices(seed: int, n: int, *, volatility: float = 0.01) -> list[float]:
    """A seeded walk of n prices."""
    moves = np.random.default_rng(seed).normal(0.0003, volatility, n - 1)
    return levels([float(move) for move in moves])
