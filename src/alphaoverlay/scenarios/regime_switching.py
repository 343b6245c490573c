"""Regime switching: a calm and a stormy state, each with its own mean and covariance (method M10, generator 4).

Source: J. D. Hamilton, "A new approach to the economic analysis of nonstationary time series and the business cycle",
Econometrica 57 (1989), 357-384. The EM algorithm runs on returns turned to unit covariance, so that one floor serves
indices of every size, and one index explained by others takes no part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alphaoverlay.engine._jit import compiled_kernels
from alphaoverlay.errors import DataError, StudyError
from alphaoverlay.history import FloatArray
from alphaoverlay.overlays.risk import SESSIONS_A_YEAR
from alphaoverlay.scenarios import _kernels
from alphaoverlay.scenarios.joint_days import JointDays
from alphaoverlay.scenarios.mean_adjustment import Mean, log_drifts
from alphaoverlay.scenarios.paths import Paths, own_days
from alphaoverlay.scenarios.resampled_days import key_of
from alphaoverlay.scenarios.student_t import triangular_root, whiten

# The variance of a state in any direction is at least this share of the history's: without a floor the likelihood has
# no maximum, as one state can shrink around a few days.
FLOOR = 0.01
# The first guess: stormy are the sessions about which a month is among the third with the largest moves.
MONTH, STORMY = 21, 1.0 / 3.0
# The search ends when a step adds less log-likelihood than this.
LEAST_GAIN, MOST_STEPS = 1e-6, 2000

RegimeStart = Literal["today", "average"]


class Regimes(NamedTuple):
    """Two Gaussian states and the Markov chain between them, the calm one first.

    means : shape (2, r).
    covariances : shape (2, r, r).
    chain : `chain[i, j]` the chance to go from i to j, shape (2, 2).
    first : law of the first session's state, shape (2,).
    """

    means: FloatArray
    covariances: FloatArray
    chain: FloatArray
    first: FloatArray


class Fit(NamedTuple):
    """What the EM algorithm came to.

    filtered : chances of the states given the sessions so far, shape (T, 2).
    likelihoods : log-likelihood before each step and at the end; never falling.
    """

    regimes: Regimes
    filtered: FloatArray
    likelihoods: tuple[float, ...]


def log_densities(y: FloatArray, regimes: Regimes) -> FloatArray:
    """Return the log density of every day in each state, shape (T, 2)."""
    columns = []
    for mean, covariance in zip(regimes.means, regimes.covariances, strict=True):
        root = np.linalg.cholesky(covariance)
        z = np.linalg.solve(root, (y - mean).T)
        constant = y.shape[1] * math.log(2.0 * math.pi) / 2.0 + math.log(float(np.prod(np.diag(root))))
        columns.append(-0.5 * (z * z).sum(axis=0) - constant)
    return np.ascontiguousarray(np.stack(columns, axis=1))


def fit_regimes(y: FloatArray) -> Fit:
    """Fit two states by the EM algorithm to days of unit covariance, shape (T, r), from one fixed first guess."""
    kernels = compiled_kernels(_kernels)
    predicted, filtered, smoothed = (np.empty((len(y), 2)) for _ in range(3))
    stormy = _stormy(y)
    smoothed[:, 0], smoothed[:, 1] = 1 - stormy, stormy
    # One move of each kind more than there are, so that none is impossible: EM never leaves a chance of zero.
    counts = np.bincount(2 * stormy[:-1] + stormy[1:], minlength=4).reshape(2, 2)
    moves = np.asarray(counts + 1.0, dtype=np.float64)
    regimes = _most_likely(y, smoothed, moves)
    likelihoods: list[float] = []
    for _ in range(MOST_STEPS):
        density = log_densities(y, regimes)
        likelihoods.append(kernels["hamilton_filter"](density, regimes.chain, regimes.first, predicted, filtered))
        if len(likelihoods) > 1 and likelihoods[-1] - likelihoods[-2] < LEAST_GAIN:
            break
        kernels["kim_smoother"](predicted, filtered, regimes.chain, smoothed, moves)
        regimes = _most_likely(y, smoothed, moves)
    order = np.argsort([float(np.trace(one)) for one in regimes.covariances], kind="stable")
    ordered = Regimes(
        regimes.means[order], regimes.covariances[order], regimes.chain[np.ix_(order, order)], regimes.first[order]
    )
    return Fit(ordered, filtered[:, order], tuple(likelihoods))


def _stormy(y: FloatArray) -> NDArray[np.int64]:
    """The sessions about which a month of squared moves is among the largest third, as 0 and 1."""
    sums = np.concatenate(([0.0], np.cumsum((y * y).sum(axis=1))))
    at = np.arange(len(y))
    low, high = np.maximum(at - MONTH // 2, 0), np.minimum(at + MONTH // 2 + 1, len(y))
    moved = (sums[high] - sums[low]) / (high - low)
    return np.asarray(moved > np.quantile(moved, 1.0 - STORMY), dtype=np.int64)


def _most_likely(y: FloatArray, smoothed: FloatArray, moves: FloatArray) -> Regimes:
    """The M step: moments weighted by the chances of the states, the covariances with their floor.

    Raising eigenvalues to the floor is the exact maximum under it, so that the likelihood still never falls.
    """
    means, covariances = [], []
    for weight in smoothed.T:
        total = max(float(weight.sum()), 1e-300)
        mean = weight @ y / total
        centred = y - mean
        eigenvalues, turn = np.linalg.eigh((centred * weight[:, None]).T @ centred / total)
        means.append(mean)
        covariances.append((turn * np.maximum(eigenvalues, FLOOR)) @ turn.T)
    chain = moves / np.maximum(moves.sum(axis=1, keepdims=True), 1e-300)
    return Regimes(np.array(means), np.array(covariances), chain, smoothed[0].copy())


def lasting_law(chain: FloatArray) -> FloatArray:
    """Return the chain's stationary law, shape (2,)."""
    leave, come_back = float(chain[0, 1]), float(chain[1, 0])
    calm = come_back / (leave + come_back) if leave + come_back > 0.0 else 0.5
    return np.array([calm, 1.0 - calm])


@dataclass(frozen=True)
class RegimeSwitching:
    """Two states of daily log returns and the Markov chain between them (method M10); the calm one comes first.

    Attributes
    ----------
    names : the K indices.
    drifts : daily log drift by state, shape (2, K).
    roots : lower triangular square roots of the covariances, shape (2, K, K).
    chain : `chain[i, j]` the chance to go from i to j, shape (2, 2).
    today : chances of the states at the history's last session, shape (2,).
    first : law of the state in a path's first session, shape (2,).
    started : "today" or "average".
    """

    names: tuple[str, ...]
    drifts: FloatArray
    roots: FloatArray
    chain: FloatArray
    today: FloatArray
    first: FloatArray
    started: RegimeStart
    key: str = field(default="regimes", init=False)

    @classmethod
    def fit(cls, days: JointDays, *, mean: Mean = "historical", start: RegimeStart = "today") -> RegimeSwitching:
        """Fit to the log returns of a history.

        Raises
        ------
        StudyError : a mean or start that is none.
        DataError : no index moves.
        """
        if start not in ("today", "average"):
            raise StudyError(f"start = {start!r}: regimes start today or average; a volatility is for fhs")
        logs = days.log_returns
        middle = logs.mean(axis=0)
        centred = logs - middle
        history_root = triangular_root(centred.T @ centred / len(logs))
        y = whiten(centred, history_root)
        if y.shape[1] == 0:
            raise DataError(f"none of {', '.join(days.names)} moves, so there are no regimes to find")
        fitted = fit_regimes(y)
        regimes = fitted.regimes
        back = history_root[:, np.diag(history_root) > 0.0]
        covariances = np.array([back @ one @ back.T for one in regimes.covariances])
        law = lasting_law(regimes.chain)
        offsets = regimes.means @ back.T
        average = law @ offsets
        spread = np.einsum("s,skk->k", law, covariances) + law @ (offsets - average) ** 2
        return cls(
            names=days.names,
            drifts=offsets - average + log_drifts(days.names, middle, spread, mean),
            roots=np.array([triangular_root(one) for one in covariances]),
            chain=regimes.chain,
            today=fitted.filtered[-1].copy(),
            first=law if start == "average" else fitted.filtered[-1] @ regimes.chain,
            started=start,
        )

    def draw(self, seed: int, first: int, count: int, sessions: int) -> Paths:
        """Return the paths `first` to `first + count - 1`, each with days of its own; thread-safe."""
        out = np.empty((count, sessions, len(self.names)))
        kernel = compiled_kernels(_kernels)["switching_paths"]
        kernel(*key_of(seed), first, self.first, self.chain, self.drifts, self.roots, out)
        return own_days(out)

    def facts(self) -> dict[str, float | int | str]:
        """Start, state chances today and on average, expected durations in sessions, and yearly volatilities."""
        law = lasting_law(self.chain)
        facts: dict[str, float | int | str] = {"start": self.started}
        for s, state in enumerate(("calm", "stormy")):
            facts[f"chance_of_{state}_today"] = float(self.today[s])
            facts[f"share_of_{state}"] = float(law[s])
            leave = float(self.chain[s, 1 - s])
            facts[f"sessions_of_{state}"] = 1.0 / leave if leave > 0.0 else "endless"
            volatility = np.sqrt(SESSIONS_A_YEAR * (self.roots[s] ** 2).sum(axis=1))
            facts |= {f"{state}_volatility_of_{n}": float(v) for n, v in zip(self.names, volatility, strict=True)}
        return facts
