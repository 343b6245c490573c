"""Multivariate t: days that are independent, with the history's covariance and fat tails (method M10, generator 3)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from alphaoverlay.engine._jit import compiled_kernels
from alphaoverlay.history import FloatArray
from alphaoverlay.overlays.risk import SESSIONS_A_YEAR
from alphaoverlay.scenarios import _kernels
from alphaoverlay.scenarios.joint_days import JointDays
from alphaoverlay.scenarios.mean_adjustment import Mean, log_drifts
from alphaoverlay.scenarios.paths import Paths, own_days
from alphaoverlay.scenarios.resampled_days import key_of

FEWEST_DEGREES, MOST_DEGREES = 2.5, 60.0
# A day's log return is cut here.
LIMIT = 0.5
# Below this share of an index's variance, what the indices before it leave unexplained is rounding.
UNEXPLAINED = 1e-10


def triangular_root(covariance: FloatArray) -> FloatArray:
    """Return the lower triangular L with `LL' = covariance`, shape (K, K), also where it is singular.

    It is Cholesky's, but the column of an index that never moves, or that earlier indices explain entirely, is zero
    instead of an error: such an index takes no random number of its own.
    """
    k_all = len(covariance)
    root = np.zeros((k_all, k_all))
    for k in range(k_all):
        left = covariance[k:, k] - root[k:, :k] @ root[k, :k]
        if left[0] > UNEXPLAINED * covariance[k, k]:
            root[k:, k] = left / math.sqrt(left[0])
    return root


def whiten(values: FloatArray, root: FloatArray) -> FloatArray:
    """Return `y` with `values = y @ root'`, shape (T, r), over the r indices with a column in the root."""
    own = np.flatnonzero(np.diag(root) > 0.0)
    return np.asarray(np.linalg.solve(root[np.ix_(own, own)], values[:, own].T).T, dtype=np.float64)


def fit_degrees(log_returns: FloatArray, covariance: FloatArray) -> float:
    """Fit the degrees of freedom of a multivariate t by maximum likelihood, the covariance held (methods M9 and M10).

    The t has mean zero and the scale matrix `covariance*(v-2)/v`, so that its covariance is the given one.

    Parameters
    ----------
    log_returns : daily, about their mean, shape (T, K).
    covariance : shape (K, K); where it is singular, indices that others explain are left out.

    Returns
    -------
    v, between 2.5 and 60.
    """
    y = whiten(log_returns, triangular_root(covariance))
    squares = (y * y).sum(axis=1)
    return _highest(lambda degrees: _likelihood(degrees, squares, y.shape[1]))


def _likelihood(degrees: float, squares: FloatArray, k: int) -> float:
    """Log-likelihood but for what does not depend on the degrees; `squares` are `x'S^-1x` by day."""
    one = math.lgamma((degrees + k) / 2.0) - math.lgamma(degrees / 2.0) - k / 2.0 * math.log(degrees - 2.0)
    return float(len(squares) * one - (degrees + k) / 2.0 * np.log1p(squares / (degrees - 2.0)).sum())


def _highest(likelihood: Callable[[float], float]) -> float:
    """Where it is highest: a grid in `ln(v-2)`, then golden sections between the neighbours of its best point."""
    grid = np.linspace(math.log(FEWEST_DEGREES - 2.0), math.log(MOST_DEGREES - 2.0), 33)
    best = int(np.argmax([likelihood(2.0 + math.exp(at)) for at in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    golden = (math.sqrt(5.0) - 1.0) / 2.0
    while high - low > 1e-9:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if likelihood(2.0 + math.exp(left)) < likelihood(2.0 + math.exp(right)):
            low = left
        else:
            high = right
    return min(max(2.0 + math.exp((low + high) / 2.0), FEWEST_DEGREES), MOST_DEGREES)


@dataclass(frozen=True)
class StudentT:
    """Independent days of a multivariate t (method M10).

    Attributes
    ----------
    names : the K indices.
    drift : daily log drift, shape (K,).
    covariance : of daily log returns, shape (K, K).
    degrees : degrees of freedom, above 2.
    """

    names: tuple[str, ...]
    drift: FloatArray
    covariance: FloatArray
    degrees: float
    key: str = field(default="t", init=False)

    @classmethod
    def fit(cls, days: JointDays, *, mean: Mean = "historical") -> StudentT:
        """Fit to the log returns of a history.

        Raises
        ------
        StudyError : a mean that is none.
        """
        logs = days.log_returns
        centred = logs - logs.mean(axis=0)
        covariance = centred.T @ centred / len(logs)
        drift = log_drifts(days.names, logs.mean(axis=0), np.diag(covariance), mean)
        return cls(days.names, drift, covariance, fit_degrees(centred, covariance))

    def draw(self, seed: int, first: int, count: int, sessions: int) -> Paths:
        """Return the paths `first` to `first + count - 1`, each with days of its own; thread-safe.

        Its hits are the log returns that were cut at +-0.5.
        """
        out = np.empty((count, sessions, len(self.names)))
        kernel = compiled_kernels(_kernels)["student_paths"]
        root = triangular_root(self.covariance)
        hits = kernel(*key_of(seed), first, self.drift, root, self.degrees, LIMIT, out)
        return own_days(out)._replace(hits=int(hits))

    def facts(self) -> dict[str, float | int | str]:
        """Degrees of freedom, yearly volatilities, and where log returns are cut."""
        volatility = np.sqrt(SESSIONS_A_YEAR * np.diag(self.covariance))
        by_index = {f"volatility_of_{name}": float(v) for name, v in zip(self.names, volatility, strict=True)}
        return {"degrees_of_freedom": self.degrees, **by_index, "cut_at": LIMIT}
