"""Dollar volume and volatility before each session, from what was known then (method M6)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from alphaoverlay.engine.costs import Liquidity
from alphaoverlay.funds.fund_returns import FundReturns

WINDOW, LEAST = 63, 21


def liquidity_of(returns: FundReturns) -> Liquidity:
    """Median dollar volume and daily volatility of the 63 sessions before each (21 at least), by fund.

    Parameters
    ----------
    returns : best of all the history there is, so that the first sessions of a span have some before them. Volumes of
        sessions on which a fund is synthetic do not count.
    """
    symbols = [fund.symbol for fund in returns.funds]
    history = returns.history
    traded = history.close.reindex(columns=symbols) * history.volume.reindex(index=history.dates, columns=symbols)
    traded = traded.where(~returns.synthetic & (traded > 0.0))
    before = traded.shift(1).rolling(WINDOW, min_periods=LEAST).median()
    volatility = returns.returns.shift(1).rolling(WINDOW, min_periods=LEAST).std(ddof=1)
    return Liquidity(before.astype(np.float64), volatility.astype(np.float64))


def shares_of_volume(trades: pd.DataFrame, capital: float, liquidity: Liquidity) -> pd.DataFrame:
    """Each trade, in units of the initial wealth, as a share of the median dollar volume; NaN where that is unknown."""
    volume = liquidity.dollar_volume.reindex(index=trades.index, columns=trades.columns)
    return trades.abs() * capital / volume
