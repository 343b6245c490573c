"""What trading came to: costs by kind, how often and how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alphaoverlay.engine.backtesting import Backtest
from alphaoverlay.history import DAYS_A_YEAR


@dataclass(frozen=True)
class TradingSummary:
    """Sums over a backtest, in units of the initial wealth; the purchase is in the costs, not in the turnover.

    Attributes
    ----------
    spread, fees, impact : costs by kind; `spread` is everything proportional, a cost a share included.
    purchase : the first purchase's part of all costs.
    turnover, turnover_a_year : one way, as shares of the value.
    """

    spread: float
    fees: float
    impact: float
    purchase: float
    turnover: float
    turnover_a_year: float

    @property
    def total(self) -> float:
        """All costs."""
        return self.spread + self.fees + self.impact


def trading_summary(backtest: Backtest) -> TradingSummary:
    """Split a backtest's costs by kind and sum its turnover."""
    priced = backtest.costs.compile(backtest.fund_returns)
    sizes = np.abs(backtest.trades.to_numpy(dtype=np.float64))
    cost = backtest.cost.to_numpy(dtype=np.float64)
    spread = float((priced.rates * sizes).sum())
    impact = float((priced.impact * sizes * np.sqrt(sizes)).sum())
    turnover = float(backtest.turnover.iloc[1:].sum())
    years = float(backtest.history.days[: len(backtest.returns) + 1].sum()) / DAYS_A_YEAR
    # With fees the rest of the cost is fees; without, what is left over is rounding.
    fees = float(cost.sum()) - spread - impact if priced.fee else 0.0
    return TradingSummary(spread, fees, impact, float(cost[0]), turnover, turnover / years)
