"""How much of a best result is the trying: the deflated Sharpe ratio, and cross-validation (method M11)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist

import numpy as np

from alphaoverlay.errors import DataError
from alphaoverlay.history import FloatArray

BLOCKS = 16
EULER = 0.5772156649015329
# Halves looked at together; bounds the memory.
CHUNK = 1024


def daily_sharpe(returns: FloatArray) -> FloatArray:
    """Return mean over standard deviation (ddof=1) of each column, shape (N,); 0 for one that did not move."""
    if len(returns) < 2:
        return np.zeros(returns.shape[1])
    return _ratio(returns.mean(axis=0), returns.std(axis=0, ddof=1), np.ptp(returns, axis=0) > 0.0)


def _ratio(mean: FloatArray, spread: FloatArray, moved: np.ndarray) -> FloatArray:
    return np.asarray(np.divide(mean, spread, out=np.zeros_like(mean), where=moved & (spread > 0.0)))


@dataclass(frozen=True)
class DeflatedSharpe:
    """The best of many trials, judged by how many there were.

    Attributes
    ----------
    sharpe : its daily Sharpe ratio.
    expected_best : the best that as many trials without skill would be expected to reach.
    probability : that its true ratio is above that.
    trials : how many.
    """

    sharpe: float
    expected_best: float
    probability: float
    trials: int


def deflate_sharpe(returns: FloatArray, trials: FloatArray) -> DeflatedSharpe:
    """Judge the best of several trials (Bailey and Lopez de Prado, J. Portfolio Management 40 (2014); formulas read).

    Parameters
    ----------
    returns : daily returns of the best, shape (T,).
    trials : daily Sharpe ratios of all trials, its own included, shape (N,).

    Raises
    ------
    DataError : fewer than two trials, or returns that did not move.
    """
    if len(trials) < 2:
        raise DataError("one trial has nothing to be deflated by: give the Sharpe ratios of all that were tried")
    if np.ptp(returns) == 0.0:
        raise DataError("returns that did not move have no Sharpe ratio")
    centred = returns - returns.mean()
    variance = float((centred**2).mean())
    skew = float((centred**3).mean()) / variance**1.5
    kurtosis = float((centred**4).mean()) / variance**2
    ratio = float(returns.mean() / returns.std(ddof=1))
    best = expected_best_sharpe(float(trials.var(ddof=1)), len(trials))
    return DeflatedSharpe(ratio, best, probability_above(ratio, best, len(returns), skew, kurtosis), len(trials))


def expected_best_sharpe(variance: float, trials: int) -> float:
    """Return the expected largest Sharpe ratio of trials without skill, whose ratios have this variance."""
    normal = NormalDist()
    first, second = (normal.inv_cdf(1.0 - 1.0 / (trials * scale)) for scale in (1.0, math.e))
    return math.sqrt(variance) * ((1.0 - EULER) * first + EULER * second)


def probability_above(ratio: float, threshold: float, sessions: int, skew: float, kurtosis: float) -> float:
    """Return the probability that the true Sharpe ratio behind an observed one is above a threshold.

    Parameters
    ----------
    ratio, threshold : a period.
    sessions : observations.
    skew, kurtosis : of the returns; 0 and 3 for normal ones.
    """
    width = 1.0 - skew * ratio + (kurtosis - 1.0) / 4.0 * ratio**2
    if width <= 0.0:
        raise DataError("skewness and kurtosis do not belong together: check the returns")
    return NormalDist().cdf((ratio - threshold) * math.sqrt(sessions - 1.0) / math.sqrt(width))


@dataclass(frozen=True)
class CrossValidation:
    """Choosing the best in one half of the history, judged by the other, for every way to halve 16 blocks.

    Attributes
    ----------
    probability : of overfitting: share of the halves in which the chosen one is not above the median of the other half.
    logits : one a half: ln(w/(1-w)), w the chosen one's rank in the other half over N+1.
    loss : share of the halves in which the chosen one lost in the other half.
    sessions, trials : what was used.
    """

    probability: float
    logits: FloatArray
    loss: float
    sessions: int
    trials: int


def cross_validate(returns: FloatArray, blocks: int = BLOCKS) -> CrossValidation:
    """Run combinatorially symmetric cross-validation by Sharpe ratio.

    Source: Bailey, Borwein, Lopez de Prado and Zhu, "The probability of backtest overfitting", J. Computational Finance
    20 (2017); algorithm read.

    Parameters
    ----------
    returns : daily returns, shape (T, N); sessions that do not fill equal blocks are left out at the beginning.
    blocks : an even number.

    Raises
    ------
    DataError : fewer than two trials, or fewer than two sessions a block.
    """
    sessions, trials = returns.shape
    if trials < 2:
        raise DataError("one trial leaves nothing to choose: give the returns of all that were tried")
    length = sessions // blocks
    if length < 2:
        raise DataError(f"{sessions} sessions do not fill {blocks} blocks of at least two")
    used = returns[sessions - length * blocks :]
    # Shifted by one number, so that sums of squares lose few digits and equal columns stay equal.
    middle = float(used.mean())
    shaped = (used - middle).reshape(blocks, length, trials)
    sums, squares = shaped.sum(axis=1), (shaped**2).sum(axis=1)
    low, high = used.reshape(blocks, length, trials).min(axis=1), used.reshape(blocks, length, trials).max(axis=1)
    halves = np.array(list(combinations(range(blocks), blocks // 2)))
    logits, lost = np.empty(len(halves)), np.empty(len(halves), dtype=bool)
    for first in range(0, len(halves), CHUNK):
        part = slice(first, first + CHUNK)
        chosen = np.zeros((len(halves[part]), blocks), dtype=bool)
        np.put_along_axis(chosen, halves[part], True, axis=1)
        inside = _half_sharpe(chosen, sums, squares, low, high, middle, length)
        outside = _half_sharpe(~chosen, sums, squares, low, high, middle, length)
        best = outside[np.arange(len(outside)), inside.argmax(axis=1)][:, None]
        rank = (outside < best).sum(axis=1) + ((outside == best).sum(axis=1) + 1.0) / 2.0
        share = rank / (trials + 1.0)
        logits[part], lost[part] = np.log(share / (1.0 - share)), best[:, 0] < 0.0
    return CrossValidation(
        probability=float((logits <= 0.0).mean()),
        logits=logits,
        loss=float(lost.mean()),
        sessions=len(used),
        trials=trials,
    )


def _half_sharpe(
    chosen: np.ndarray,
    sums: FloatArray,
    squares: FloatArray,
    low: FloatArray,
    high: FloatArray,
    middle: float,
    length: int,
) -> FloatArray:
    """Sharpe ratio of every column over the chosen blocks, shape (halves, N)."""
    n = length * (chosen.shape[1] // 2)
    shape = (len(chosen), sums.shape[1])
    total, square = np.zeros(shape), np.zeros(shape)
    # Rounding must not give a column that stood still a ratio.
    least, most = np.full(shape, np.inf), np.full(shape, -np.inf)
    # Block by block and not by a matrix product, which would part equal columns by rounding.
    for block in range(chosen.shape[1]):
        inside = chosen[:, block]
        total[inside] += sums[block]
        square[inside] += squares[block]
        least[inside] = np.minimum(least[inside], low[block])
        most[inside] = np.maximum(most[inside], high[block])
    mean = total / n
    spread = np.sqrt(np.maximum(square / n - mean**2, 0.0) * n / (n - 1))
    return _ratio(mean + middle, spread, most > least)
