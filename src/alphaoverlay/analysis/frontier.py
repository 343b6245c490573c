"""What a rebalancing rule costs and how far it lets exposures go: the frontier, a choice on it, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphaoverlay.analysis.exposure_history import target_exposures
from alphaoverlay.engine.backtesting import Backtest
from alphaoverlay.funds.blocks import block_sums
from alphaoverlay.history import DAYS_A_YEAR, FloatArray

BLOCK = 252
RESAMPLES = 2000


@dataclass(frozen=True)
class Frontier:
    """Rules by yearly cost and exposure error.

    Attributes
    ----------
    cost : trading cost a year after the purchase, in log return.
    error : root mean square over the sessions of the distance between exposures and targets.
    best : rules that no other beats in both.
    chosen : the cheapest rule within the tolerance; None where no rule is.
    picked : share of resampled histories in which each rule would have been chosen.
    intervals : 90% intervals over resampled histories: columns cost_low, cost_high, error_low, error_high.
    tolerance : the largest exposure error that was accepted.
    """

    cost: pd.Series
    error: pd.Series
    best: pd.Series
    chosen: str | None
    picked: pd.Series
    intervals: pd.DataFrame
    tolerance: float


def cost_and_error(backtest: Backtest) -> tuple[FloatArray, FloatArray]:
    """Return by session after the purchase the log cost of its trades, and the squared distance of exposures held.

    The distance is Euclidean, over the indices, between the exposures with which a session begins and their targets.
    """
    lived = slice(1, len(backtest.returns) + 1)
    value, cost, flow = (
        one.to_numpy(dtype=np.float64)[lived] for one in (backtest.value, backtest.cost, backtest.flow)
    )
    left = np.maximum(value - np.minimum(flow, 0.0), 1e-300)
    away = (backtest.exposures - target_exposures(backtest)).to_numpy(dtype=np.float64)
    held = away[: len(value)]
    return np.log1p(cost / left), np.asarray((held**2).sum(axis=1))


def find_frontier(runs: Mapping[str, Backtest], tolerance: float, seed: int = 0) -> Frontier:
    """Place rules by cost and error, choose one, and resample to see how sure the choice is.

    Histories are resampled in circular blocks of 252 sessions, the same ones for every rule. What is resampled is each
    rule's own record: a rule is not run anew on the shuffled history.

    Parameters
    ----------
    runs : backtests over the same sessions by rule; a tie goes to the earlier.
    tolerance : the largest exposure error accepted.
    """
    names = list(runs)
    found = [cost_and_error(one) for one in runs.values()]
    n = min(len(costs) for costs, _ in found)
    first = next(iter(runs.values()))
    days = first.history.days[1 : n + 1]
    costs = np.stack([one[:n] for one, _ in found], axis=1)
    squares = np.stack([one[:n] for _, one in found], axis=1)
    a_year = DAYS_A_YEAR / float(days.sum())
    cost, error = costs.sum(axis=0) * a_year, np.sqrt(squares.mean(axis=0))
    sums = block_sums(np.concatenate([costs, squares], axis=1), BLOCK, RESAMPLES, seed)
    again_cost, again_error = sums[:, : len(names)] * a_year, np.sqrt(sums[:, len(names) :] / n)
    chosen = _choose(cost, error, tolerance)
    picks = np.array([_choose(c, e, tolerance) for c, e in zip(again_cost, again_error, strict=True)])
    low, high = (np.quantile(np.stack([again_cost, again_error]), share, axis=1) for share in (0.05, 0.95))
    return Frontier(
        cost=pd.Series(cost, index=names),
        error=pd.Series(error, index=names),
        best=pd.Series(_undominated(cost, error), index=names),
        chosen=None if chosen < 0 else names[chosen],
        picked=pd.Series([float((picks == k).mean()) for k in range(len(names))], index=names),
        intervals=pd.DataFrame(
            {"cost_low": low[0], "cost_high": high[0], "error_low": low[1], "error_high": high[1]}, index=names
        ),
        tolerance=tolerance,
    )


def _choose(cost: FloatArray, error: FloatArray, tolerance: float) -> int:
    """Position of the cheapest rule within the tolerance; of equally cheap ones the one with the least error; or -1."""
    within = np.flatnonzero(error <= tolerance)
    if not len(within):
        return -1
    order = np.lexsort((within, np.round(error[within], 12), np.round(cost[within], 12)))
    return int(within[order[0]])


def _undominated(cost: FloatArray, error: FloatArray) -> NDArray[np.bool_]:
    """Whether no other rule is at least as good in both and better in one."""
    cost, error = np.round(cost, 12), np.round(error, 12)
    better = (cost[None, :] <= cost[:, None]) & (error[None, :] <= error[:, None])
    strictly = (cost[None, :] < cost[:, None]) | (error[None, :] < error[:, None])
    return np.asarray(~(better & strictly).any(axis=1))
