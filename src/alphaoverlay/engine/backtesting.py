"""The backtest of target weights in funds (method M6)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from alphaoverlay.engine import _kernels
from alphaoverlay.engine._jit import compiled_kernels
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import DataError, StudyError
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.history import History
from alphaoverlay.overlays.portfolio import exposure_matrix, indices_of


@dataclass(frozen=True)
class Backtest:
    """What a portfolio did on every session, after that session's trades.

    Attributes
    ----------
    fund_returns : the returns it was run on.
    targets, rule, costs : what it was run with.
    value : n values; wealth was 1.0 before the purchase at the first close. Zero from ruin on.
    weights : n rows, a column a fund: share of value after the close's trades.
    turnover : half the sum of all trades, cash's included, over the value before costs.
    cost : trading costs in units of the initial wealth.
    traded : the sessions with a trade, the purchase included.
    ruin : the session on which nothing was left, or None.
    """

    fund_returns: FundReturns
    targets: Targets
    rule: CalendarRule
    costs: TradingCosts
    value: pd.Series
    weights: pd.DataFrame
    turnover: pd.Series
    cost: pd.Series
    traded: pd.DatetimeIndex
    ruin: pd.Timestamp | None

    @property
    def history(self) -> History:
        """The sessions and the financing rate."""
        return self.fund_returns.history

    @cached_property
    def returns(self) -> pd.Series:
        """Simple return of each session after the first, up to ruin (which is -1)."""
        lived = self.value if self.ruin is None else self.value.loc[: self.ruin]
        return (lived / lived.shift(1) - 1.0).iloc[1:]

    @cached_property
    def cash(self) -> pd.Series:
        """Share of value in cash after the close's trades."""
        return (1.0 - self.weights.sum(axis=1)).where(self.value > 0.0, 0.0)

    @cached_property
    def exposures(self) -> pd.DataFrame:
        """Look-through exposure after the close's trades, n rows, a column an index (method M3)."""
        names = indices_of(self.fund_returns.funds)
        matrix = exposure_matrix(self.fund_returns.funds, names)
        return pd.DataFrame(self.weights.to_numpy() @ matrix.T, index=self.weights.index, columns=list(names))

    @property
    def final_value(self) -> float:
        """Wealth at the end, from 1.0 before the purchase."""
        return float(self.value.iloc[-1])


def backtest(
    fund_returns: FundReturns,
    targets: Targets,
    rule: CalendarRule | None = None,
    costs: TradingCosts | None = None,
    *,
    compiled: bool = False,
) -> Backtest:
    """Run target weights over the sessions of the fund returns (method M6).

    Bought at the close of the first session; a session's return is earned on the weights after the previous close's
    trades; at a close: return, trades, costs. A calendar date and a change of the target row trade.

    Parameters
    ----------
    fund_returns : n sessions, m funds; every return after the first session must be known.
    targets : for the same funds in the same order.
    rule : the calendar; quarterly where None.
    costs : none where None.
    compiled : use the numba form of the loop (same results, bit for bit); worth it for many runs.

    Raises
    ------
    DataError : fewer than two sessions, or a return is unknown; names the fund and the session.
    StudyError : the targets are for other funds.
    """
    rule, costs = rule or CalendarRule(), costs or TradingCosts()
    symbols = tuple(fund.symbol for fund in fund_returns.funds)
    if targets.symbols != symbols:
        raise StudyError(f"targets for {', '.join(targets.symbols)}; the returns are those of {', '.join(symbols)}")
    history = fund_returns.history
    returns = _known_returns(fund_returns)
    n, m = returns.shape
    row = targets.in_force(n)
    trade = rule.sessions(history.dates, history.exchange_sessions)
    trade[1:] |= row[1:] != row[:-1]
    trade[0] = True
    value, weights, turnover, cost = np.empty(n), np.empty((n, m)), np.empty(n), np.empty(n)
    run_path = compiled_kernels()["run_path"] if compiled else _kernels.run_path
    ruin = run_path(
        returns, history.accrual, targets.rows, row, trade, costs.half_spreads(symbols), value, weights, turnover, cost
    )
    dates = history.dates
    last = n if ruin < 0 else ruin
    return Backtest(
        fund_returns=fund_returns,
        targets=targets,
        rule=rule,
        costs=costs,
        value=pd.Series(value, index=dates, name="value"),
        weights=pd.DataFrame(weights, index=dates, columns=list(symbols)),
        turnover=pd.Series(turnover, index=dates, name="turnover"),
        cost=pd.Series(cost, index=dates, name="cost"),
        traded=dates[np.flatnonzero(trade[:last])],
        ruin=None if ruin < 0 else dates[ruin],
    )


def _known_returns(fund_returns: FundReturns) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    # C order, whatever pandas keeps: compiled kernels are compiled once for one layout.
    returns = np.array(fund_returns.returns.to_numpy(dtype=np.float64), copy=True, order="C")
    if len(returns) < 2:
        raise DataError("a backtest needs at least two sessions; ask for a longer span")
    returns[0] = 0.0
    unknown = np.argwhere(np.isnan(returns))
    if len(unknown):
        t, i = unknown[0]
        raise DataError(
            f"the return of {fund_returns.funds[i].symbol} on {fund_returns.history.dates[t]:%Y-%m-%d} is unknown; "
            "take the span with FundReturns.span()"
        )
    return returns
