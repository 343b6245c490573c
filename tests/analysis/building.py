"""Backtests with a stated path of wealth, to be measured."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from tests.engine.building import WEEKDAYS, fund_returns_of, history_of

from alphaoverlay.engine.backtesting import Backtest
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.targets import Targets


def lived(
    values: Sequence[float],
    dates: pd.DatetimeIndex | None = None,
    rate: float | Sequence[float] = 0.0,
    exchange: pd.DatetimeIndex = WEEKDAYS,
) -> Backtest:
    """A backtest that had these values at these closes; from the first zero on it is ruined."""
    dates = WEEKDAYS[: len(values)] if dates is None else dates
    value = pd.Series(values, index=dates, dtype=float)
    nothing = pd.Series(0.0, index=dates)
    return Backtest(
        fund_returns=fund_returns_of([[0.0]] * len(dates), history_of(dates, rate, exchange)),
        targets=Targets.constant(["FUND0"], [1.0]),
        rule=RebalancingRule(CalendarRule("never")),
        costs=TradingCosts(),
        value=value,
        weights=pd.DataFrame({"FUND0": (value > 0.0).astype(float)}),
        trades=pd.DataFrame({"FUND0": nothing}),
        turnover=nothing,
        cost=nothing,
        flow=nothing,
        traded=dates[:1],
        broken=nothing > 0.0,
        ruin=next((dates[k] for k, level in enumerate(values) if level == 0.0), None),
    )


def compounded(returns: Sequence[float], start: float = 1.0) -> list[float]:
    """Values from the first close on."""
    values = [start]
    for r in returns:
        values.append(values[-1] * (1.0 + r))
    return values
