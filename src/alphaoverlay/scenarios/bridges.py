"""Paths of days that lead to given ends: of the law's own days, and of the window's real days (method M9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alphaoverlay.history import FloatArray
from alphaoverlay.scenarios.ends import BRIDGE, REAL_DAYS, SampledEnds, stream
from alphaoverlay.scenarios.law import Law

Bools = NDArray[np.bool_]

# Paths draw in blocks, each with a stream of its own; a batch that begins inside a block draws it whole.
BLOCK = 16
# Path-sessions that exist at once.
BATCH = 2**16
# Draws of real days for an end, of which the nearest is kept.
TRIES = 8
# The tilted mean is met to this share of a daily standard deviation.
MET = 1e-13
STEPS = 200


def bridge(law: Law, z: FloatArray, scales: FloatArray, seed: int, first: int = 0) -> FloatArray:
    """Draw a path of the law to each end (method M9, parametric bridge).

    `r_t = sqrt(W_t) * chol(S) * g_t`, then `r_t += (W_t/s) * (z - sum r)`.

    Parameters
    ----------
    z : log ends, shape (paths, K).
    scales : W of each day, shape (paths, sessions).
    seed, first : path i draws from the place `first + i` of the seed's streams, so that it is the same in any batch.

    Returns
    -------
    Daily log total returns, shape (paths, sessions, K); they add up to z.
    """
    count, sessions = scales.shape
    r = np.empty((count, sessions, len(law.names)))
    for block, inside, rows in _blocks(first, count):
        g = stream(seed, BRIDGE, block).standard_normal((BLOCK, sessions, len(law.names)))
        r[rows] = g[inside]
    r = np.sqrt(scales)[:, :, None] * (r @ (law.multiple * law.root).T)
    missing = z - r.sum(axis=1)
    share = scales / scales.sum(axis=1, keepdims=True)
    r += share[:, :, None] * missing[:, None, :]
    return r


def bridge_batches(law: Law, ends: SampledEnds, seed: int, most: int = BATCH) -> Iterator[tuple[int, FloatArray]]:
    """Draw a path to every sampled end, a batch of at most `most` path-sessions (one path at least) at a time.

    Yields
    ------
    The number of the batch's first path, and what `bridge` returns.
    """
    for first, count in _batches(len(ends.z), ends.sessions, most):
        yield first, bridge(law, ends.z[first : first + count], ends.scales(first, count), seed, first)


@dataclass(frozen=True)
class Tilt:
    """Weights of the window's days whose mean is `z/n`: `p_t ~ exp(theta'x_t)`.

    Attributes
    ----------
    theta : shape (ends, K); of no meaning where not reached.
    reached : shape (ends,); False where no mixture of the window's days has that mean.
    """

    theta: FloatArray
    reached: Bools


@dataclass(frozen=True)
class RealDayBridge:
    """Paths of real days.

    Attributes
    ----------
    log_returns : of the ends that are reached, in their order, shape (reached, sessions, K); they add up to z.
    remainder : what was added evenly, `sqrt(q' (nS)^-1 q / K)`, shape (reached,).
    reached : which of the ends, shape (ends,).
    """

    log_returns: FloatArray
    remainder: FloatArray
    reached: Bools

    @property
    def unreached(self) -> int:
        """How many ends were left out."""
        return int((~self.reached).sum())


def real_day_bridge(law: Law, z: FloatArray, sessions: int, seed: int, first: int = 0) -> RealDayBridge:
    """Draw a path of the window's own days to each end (method M9, bridge of real days).

    Parameters
    ----------
    z : log ends, shape (ends, K).
    sessions : n.
    seed, first : as in `bridge`.
    """
    K = len(law.names)
    if law.multiple == 0.0:
        smooth = np.repeat(z[:, None, :] / sessions, sessions, axis=1)
        return RealDayBridge(smooth, np.zeros(len(z)), np.ones(len(z), dtype=np.bool_))
    tilted = tilt(law, z, sessions)
    x = law.days.log_returns * law.multiple
    near = whitened(law, x) / np.sqrt(sessions * K)
    goal = whitened(law, z) / np.sqrt(sessions * K)
    days = np.empty((len(z), sessions), dtype=np.intp)
    for block, inside, rows in _blocks(first, len(z)):
        rng = stream(seed, REAL_DAYS, block)
        tries = np.sort(rng.random((BLOCK, TRIES, sessions)), axis=2)[inside]
        order = rng.permuted(np.tile(np.arange(sessions), (BLOCK, 1)), axis=1)[inside]
        drawn = _drawn(tries, np.cumsum(_weights(x, tilted.theta[rows]), axis=1))
        days[rows] = np.take_along_axis(_nearest(drawn, near, goal[rows]), order, axis=1)
    kept = tilted.reached
    r = x[days[kept]]
    missing = z[kept] - r.sum(axis=1)
    remainder = np.sqrt((whitened(law, missing) ** 2).sum(axis=1) / (sessions * K))
    r += missing[:, None, :] / sessions
    return RealDayBridge(r, remainder, kept)


def real_day_batches(
    law: Law, z: FloatArray, sessions: int, seed: int, most: int = BATCH
) -> Iterator[tuple[int, RealDayBridge]]:
    """Draw a path of real days to every end, a batch of at most `most` path-sessions (one path at least) at a time.

    Yields
    ------
    The number of the batch's first end, and what `real_day_bridge` returns.
    """
    for first, count in _batches(len(z), sessions, most):
        yield first, real_day_bridge(law, z[first : first + count], sessions, seed, first)


def _drawn(tries: FloatArray, up_to: FloatArray) -> NDArray[np.intp]:
    """Look up the days of each end's draws, shape (ends, TRIES, sessions), in its cumulative weights.

    The draws are sorted: they are looked up twice as fast, and their order has no say in their sum.
    """
    days = np.empty(tries.shape, dtype=np.intp)
    for i, own in enumerate(up_to):
        days[i] = own.searchsorted(tries[i] * own[-1], side="right")
    return np.asarray(np.minimum(days, up_to.shape[1] - 1))


def _nearest(drawn: NDArray[np.intp], near: FloatArray, goal: FloatArray) -> NDArray[np.intp]:
    """Of each end's draws the one whose sum is nearest to the goal, shape (ends, sessions)."""
    # Index by index: sums along the last axis are the fast ones.
    missing = np.array([column.take(drawn).sum(axis=2) for column in np.ascontiguousarray(near.T)]) - goal.T[:, :, None]
    best = (missing**2).sum(axis=0).argmin(axis=1)
    return np.asarray(drawn[np.arange(len(drawn)), best])


def whitened(law: Law, values: FloatArray) -> FloatArray:
    """Return `chol(S)^-1 v` of each row v, whose sum of squares is `v' S^-1 v`."""
    return np.asarray(np.linalg.solve(law.multiple * law.root, values.T).T)


def tilt(law: Law, z: FloatArray, sessions: int) -> Tilt:
    """Find theta of each end by Newton's method on `ln sum exp(theta'x_t) - theta'z/n` (method M9).

    Steps are halved where the function would rise. An end is out of reach where all days lie on one side of `z/n`,
    which the iterates then show.

    Parameters
    ----------
    z : log ends, shape (ends, K).
    sessions : n.
    """
    y = whitened(law, law.days.log_returns * law.multiple)
    goal = whitened(law, z) / sessions
    theta = np.empty_like(goal)
    reached = np.empty(len(z), dtype=np.bool_)
    # Small enough for the processor's cache.
    for start in range(0, len(z), 256):
        part = slice(start, start + 256)
        theta[part], reached[part] = _solve(y, goal[part])
    return Tilt(np.asarray(np.linalg.solve((law.multiple * law.root).T, theta.T).T), reached)


def _solve(y: FloatArray, goal: FloatArray) -> tuple[FloatArray, Bools]:
    """Newton's method for all goals at once; those that are settled, one way or the other, drop out."""
    theta = np.zeros_like(goal)
    reached = np.zeros(len(goal), dtype=np.bool_)
    # From theta = 0, where the days' covariance is nearly the unit, the first Newton step is nearly the goal itself.
    step = goal.copy()
    value = np.full(len(goal), np.inf)
    left = np.arange(len(goal))
    features = _features(y)
    for _ in range(STEPS):
        trial = theta[left] + step[left]
        found, gradient, hessian, beyond = _at(features, trial, goal[left])
        better = found <= value[left] + 1e-14
        at = left[better]
        theta[at], value[at] = trial[better], found[better]
        met = better & (np.abs(gradient).max(axis=1) <= MET)
        reached[left[met]] = True
        step[left[~better]] *= 0.5
        step[at] = -_newton(hessian[better], gradient[better])
        left = left[~(met | beyond)]
        if not len(left):
            break
    return theta, reached


def _features(y: FloatArray) -> FloatArray:
    """1, y and the products of its columns, so that one product of matrices gives all moments."""
    rows, columns = np.triu_indices(y.shape[1])
    return np.column_stack([np.ones(len(y)), y, y[:, rows] * y[:, columns]])


def _at(features: FloatArray, theta: FloatArray, goal: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, Bools]:
    """Value, gradient and Hessian of the convex function at theta; and whether all days lie behind the goal."""
    K = theta.shape[1]
    seen = theta @ features[:, 1 : K + 1].T
    top = seen.max(axis=1)
    aim = (theta * goal).sum(axis=1)
    np.subtract(seen, top[:, None], out=seen)
    np.exp(seen, out=seen)
    moments = seen @ features
    total = moments[:, 0].copy()
    moments /= total[:, None]
    mean = moments[:, 1 : K + 1]
    second = np.empty((len(theta), K, K))
    rows, columns = np.triu_indices(K)
    second[:, rows, columns] = second[:, columns, rows] = moments[:, K + 1 :]
    hessian = second - mean[:, :, None] * mean[:, None, :]
    return np.log(total) + top - aim, mean - goal, hessian, (top <= aim) & (theta != 0.0).any(axis=1)


def _newton(hessian: FloatArray, gradient: FloatArray) -> FloatArray:
    """Solve for the step; a trace of the unit keeps it finite where all weight is on one day."""
    K = hessian.shape[1]
    return np.asarray(np.linalg.solve(hessian + 1e-13 * np.eye(K), gradient[:, :, None])[:, :, 0])


def _weights(x: FloatArray, theta: FloatArray) -> FloatArray:
    """`p_t` up to a factor, shape (ends, days)."""
    seen = theta @ x.T
    return np.asarray(np.exp(seen - seen.max(axis=1, keepdims=True)))


def _blocks(first: int, count: int) -> Iterator[tuple[int, slice, slice]]:
    """Blocks that paths `first` to `first + count - 1` lie in: number, rows inside the block, rows of the batch."""
    for block in range(first // BLOCK, -(-(first + count) // BLOCK)):
        low, high = max(first, block * BLOCK), min(first + count, (block + 1) * BLOCK)
        yield block, slice(low - block * BLOCK, high - block * BLOCK), slice(low - first, high - first)


def _batches(count: int, sessions: int, most: int) -> Iterator[tuple[int, int]]:
    """First path and number of paths of each batch, whole blocks where they fit."""
    size = max(most // sessions, 1)
    size = size // BLOCK * BLOCK or size
    for first in range(0, count, size):
        yield first, min(size, count - first)
