"""How far exposures can go when nobody trades for a while: in every window known, and after given moves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alphaoverlay.analysis.exposure_history import with_totals
from alphaoverlay.engine.backtesting import known_returns
from alphaoverlay.errors import SpanError, StudyError
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.history import FloatArray
from alphaoverlay.overlays.portfolio import Portfolio, exposure_matrix, indices_of

QUARTER = 63


@dataclass(frozen=True)
class Drift:
    """Exposures after windows in which nothing was traded.

    Attributes
    ----------
    ends : exposures at the end of each window, indexed by its first close: a column an index, net, gross, active.
    lows, highs : the least and most of each inside any window, the starts included.
    sessions : of a window.
    """

    ends: pd.DataFrame
    lows: pd.Series
    highs: pd.Series
    sessions: int


def untraded_drift(
    returns: FundReturns, portfolio: Portfolio, benchmark: Mapping[str, float], sessions: int = QUARTER
) -> Drift:
    """Buy the portfolio at every close and leave it alone for `sessions` sessions.

    Raises
    ------
    SpanError : the returns are shorter than one window.
    """
    moves = known_returns(returns)
    n = len(moves)
    if n <= sessions:
        raise SpanError(f"{n} sessions are too few for a window of {sessions}; ask for a longer span")
    weights = np.asarray(portfolio.weights, dtype=np.float64)
    spare = 1.0 - float(weights.sum())
    names = indices_of(portfolio.funds)
    matrix = exposure_matrix(portfolio.funds, names)
    starts = n - sessions
    held = np.repeat(weights[None, :], starts, axis=0)
    cash = np.full(starts, spare)
    frame = _seen(held, cash, matrix, names, benchmark)
    lows, highs = frame.min(), frame.max()
    accrual = returns.history.accrual
    for ahead in range(1, sessions + 1):
        held = held * (1.0 + moves[ahead : ahead + starts])
        cash = cash * (1.0 + accrual[ahead : ahead + starts])
        frame = _seen(held, cash, matrix, names, benchmark)
        lows, highs = lows.clip(upper=frame.min()), highs.clip(lower=frame.max())
    return Drift(frame.set_index(returns.history.dates[:starts]), lows, highs, sessions)


def shocked_exposures(
    portfolio: Portfolio,
    shocks: Mapping[str, float],
    benchmark: Mapping[str, float],
    *,
    sessions: int = QUARTER,
    rate: float = 0.0,
) -> pd.Series:
    """Return the exposures after the indices moved by `shocks` in a smooth trend, without a trade.

    Parameters
    ----------
    shocks : simple total return of each index over the window; 0 for one that is not named.
    rate : yearly financing rate.

    Raises
    ------
    StudyError : an index that the portfolio does not look through to, or a move to nothing.
    """
    names = indices_of(portfolio.funds)
    if unknown := [name for name in shocks if name not in names]:
        raise StudyError(f"no exposure to {', '.join(unknown)}; the portfolio has {', '.join(names)}")
    for name, move in shocks.items():
        if not -1.0 < move < 100.0:
            raise StudyError(f"{name} = {move:g}: a move is a simple return above -1, such as -0.3 for -30%")
    years = sessions / 252.0
    growth = [_smooth_growth(fund, shocks, years, rate) for fund in portfolio.funds]
    held = np.asarray(portfolio.weights, dtype=np.float64) * np.asarray(growth)
    cash = np.array([portfolio.cash * math.exp(rate * years)])
    seen = _seen(held[None, :], cash, exposure_matrix(portfolio.funds, names), names, benchmark)
    return seen.iloc[0]


def _smooth_growth(fund: Fund, shocks: Mapping[str, float], years: float, rate: float) -> float:
    """Growth of a fund when its indices move in a straight line of logs: M2 without variance."""
    trend = sum(times * math.log1p(shocks.get(name, 0.0)) for name, times in fund.exposures.items())
    return math.exp(trend - (fund.borrowed * rate + fund.financing_spread + fund.yearly_expense) * years)


def _seen(
    held: FloatArray, cash: FloatArray, matrix: FloatArray, names: tuple[str, ...], benchmark: Mapping[str, float]
) -> pd.DataFrame:
    value = (held.sum(axis=1) + cash)[:, None]
    # Where everything is lost there is nothing to be exposed with.
    weights = np.divide(held, value, out=np.zeros_like(held), where=value > 0.0)
    return with_totals(pd.DataFrame(weights @ matrix.T, columns=list(names)), benchmark)
