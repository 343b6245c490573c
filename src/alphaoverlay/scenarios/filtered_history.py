"""Filtered historical simulation: the history's shocks under volatility that clusters (method M10, generator 2).

Source of the model: L. Glosten, R. Jagannathan and D. Runkle, J. Finance 48 (1993), 1779-1801. Its variance is
targeted: fitted freely to daily index returns, its long-run variance hangs on the small gap between persistence and
one, and with the shocks as they are (more than half of their squares negative) often is none.

Targeting alone does not bring the target about. The fits are so persistent that the mean variance is made by explosions
that hardly any path sees, that the cap cuts off, and that blocks of residuals make rarer or more frequent than
independent ones: ten simulated years of three indices came to between 0.16 and 0.87 of it. The constant is therefore
raised or lowered to the level at which they come to the target.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from alphaoverlay.engine._jit import compiled_kernels
from alphaoverlay.errors import StudyError
from alphaoverlay.history import FloatArray
from alphaoverlay.overlays.risk import SESSIONS_A_YEAR
from alphaoverlay.scenarios import _kernels
from alphaoverlay.scenarios.block_length import longest_block
from alphaoverlay.scenarios.joint_days import JointDays
from alphaoverlay.scenarios.mean_adjustment import Mean, log_drifts
from alphaoverlay.scenarios.paths import Paths, own_days
from alphaoverlay.scenarios.resampled_days import block_fact, checked_block, geometric_lengths, key_of

MOST_PERSISTENCE = 0.995
# A day's variance is at most this multiple of the highest fitted.
CAP = 4.0
# Paths and sessions on which the level of the constant is found, and how near to the target it must come.
PILOT_PATHS, PILOT_SESSIONS, PILOT_ERROR = 4096, 2520, 1e-3
# The pilot's paths, under a seed of 0, are beyond those that any simulation draws.
PILOT_FIRST = 1 << 60
# Where the search begins: alpha, gamma, beta.
STARTS = ((0.03, 0.08, 0.90), (0.05, 0.15, 0.80), (0.10, 0.05, 0.60), (0.00, 0.05, 0.96), (0.05, 0.02, 0.92))

# "today", "average", or a yearly volatility.
Start = str | float


class Garch(NamedTuple):
    """A GJR-GARCH(1,1) of one index: `h_t = omega + (alpha + gamma*1[e<0])*e^2 + beta*h`, e and h of the day before.

    target : the mean variance, from which omega follows.
    k : the mean of `z^2*1[z<0]` over the shocks that run through it.
    level : what omega is multiplied by, beyond targeting.
    """

    alpha: float
    gamma: float
    beta: float
    target: float
    k: float
    level: float = 1.0

    @property
    def persistence(self) -> float:
        """Share of a deviation of the variance that is expected to be left a session later."""
        return self.alpha + self.gamma * self.k + self.beta

    @property
    def omega(self) -> float:
        """The constant: at level 1 the one for which independent shocks and no cap have the target as mean variance."""
        return self.level * self.target * (1.0 - self.persistence)

    def run(self, shocks: FloatArray) -> FloatArray:
        """Return the variances of T sessions and of the one after them, shape (T + 1,), the first the target."""
        h = np.empty(len(shocks) + 1)
        kernel = compiled_kernels(_kernels)["gjr_variances"]
        kernel(np.ascontiguousarray(shocks), self.omega, self.alpha, self.gamma, self.beta, self.target, h)
        return h


def fit_garch(shocks: FloatArray) -> Garch:
    """Fit a model to one index's demeaned log returns, shape (T,), by Gaussian likelihood with the variance targeted.

    Every parameter is at least 0 and the persistence at most 0.995, k being one half; the first variance is the target.
    The best of searches from five places is kept. An index that never moves has no dynamics.
    """
    from scipy.optimize import minimize

    target = float(np.mean(shocks * shocks))
    if target <= 0.0:
        return Garch(0.0, 0.0, 0.0, 0.0, 0.5)
    scaled = np.ascontiguousarray(shocks / math.sqrt(target))
    likelihood = compiled_kernels(_kernels)["gjr_likelihood"]

    def value_and_slope(x: FloatArray) -> tuple[float, FloatArray]:
        slope = np.zeros(3)
        return float(likelihood(scaled, *_inside(x), slope)), slope

    weights = np.array([1.0, 0.5, 1.0])
    stay = {"type": "ineq", "fun": lambda x: MOST_PERSISTENCE - weights @ x, "jac": lambda x: -weights}
    found = [
        _inside(
            minimize(
                value_and_slope,
                np.array(start),
                jac=True,
                method="SLSQP",
                bounds=[(0.0, 1.0), (0.0, 2.0), (0.0, MOST_PERSISTENCE)],
                constraints=[stay],
                options={"maxiter": 200, "ftol": 1e-12},
            ).x
        )
        for start in STARTS
    ]
    alpha, gamma, beta = min(found, key=lambda x: value_and_slope(np.array(x))[0])
    return Garch(alpha, gamma, beta, target, 0.5)


def _inside(x: FloatArray) -> tuple[float, float, float]:
    """The nearest allowed parameters on the line to none: a search may step outside by rounding, or on its way."""
    alpha, gamma, beta = (max(float(value), 0.0) for value in x)
    persistence = alpha + 0.5 * gamma + beta
    shrink = min(1.0, MOST_PERSISTENCE / persistence) if persistence > 0.0 else 1.0
    return alpha * shrink, gamma * shrink, beta * shrink


def _standardised(raw: FloatArray) -> FloatArray:
    """Scale to mean 0 and mean square 1; zeros stay."""
    centred = raw - raw.mean()
    size = math.sqrt(float(np.mean(centred * centred)))
    return np.asarray(centred / size) if size > 0.0 else centred


def _for_simulation(fitted: Garch, residuals: FloatArray) -> Garch:
    """Take k from the residuals that will be drawn; beta gives way where the persistence would exceed its bound, and
    where it is not enough, alpha and gamma in proportion."""
    k = float(np.mean(residuals * residuals * (residuals < 0.0)))
    news = fitted.alpha + fitted.gamma * k
    shrink = min(1.0, MOST_PERSISTENCE / news) if news > 0.0 else 1.0
    beta = min(fitted.beta, max(MOST_PERSISTENCE - news, 0.0))
    return fitted._replace(alpha=fitted.alpha * shrink, gamma=fitted.gamma * shrink, beta=beta, k=k)


def _levelled(models: tuple[Garch, ...], residuals: FloatArray, cap: FloatArray, block: float) -> tuple[Garch, ...]:
    """Set each constant so that over the pilot's paths, from the target on, the mean squared shock is the target.

    Secant steps in logarithms, each index by itself on the same paths; a squared shock grows with its constant.
    """
    rows = np.empty((PILOT_PATHS, PILOT_SESSIONS), dtype=np.int32)
    kernels = compiled_kernels(_kernels)
    kernels["resample_rows"](*key_of(0), PILOT_FIRST, len(residuals), *geometric_lengths(block), rows)
    target = np.array([model.target for model in models])
    moving = target > 0.0
    out = np.empty((PILOT_PATHS, len(models)))
    at, slope = np.zeros(len(models)), np.ones(len(models))
    before, missed_before = at, np.zeros(len(models))
    for step in range(12):
        tried = tuple(model._replace(level=math.exp(x)) for model, x in zip(models, at, strict=True))
        kernels["filtered_squares"](rows, residuals, _parameters(tried), target, cap, out)
        missed = np.log(np.where(moving, target, 1.0) / np.where(moving, out.mean(axis=0), 1.0))
        if (np.abs(missed) < PILOT_ERROR).all():
            break
        run = at - before
        if step > 0:
            # The slope is between 0 and 1 but for noise: steps stay finite where the cap decides everything.
            slope = np.where(np.abs(run) > 1e-12, (missed_before - missed) / np.where(run == 0.0, 1.0, run), slope)
            slope = np.clip(slope, 0.1, 1.5)
        before, missed_before = at, missed
        at = at + missed / slope
    return tried


def _parameters(models: tuple[Garch, ...]) -> FloatArray:
    """As the kernels read them, shape (K, 4)."""
    return np.array([(one.omega, one.alpha, one.gamma, one.beta) for one in models])


@dataclass(frozen=True)
class FilteredHistory:
    """The history's standardised shocks, resampled as joint dates, run through a volatility model (method M10).

    Attributes
    ----------
    names : the K indices.
    models : as simulated, one an index.
    residuals : shocks with mean 0 and mean square 1, shape (T, K), a row a date.
    drift : daily log drift, shape (K,).
    today : variances of the session after the history's last, shape (K,).
    start : variances of a path's first session, shape (K,).
    cap : highest variances, shape (K,).
    block : mean length of a block of residuals, in sessions.
    started : "today", "average" or the stated yearly volatility.
    """

    names: tuple[str, ...]
    models: tuple[Garch, ...]
    residuals: FloatArray
    drift: FloatArray
    today: FloatArray
    start: FloatArray
    cap: FloatArray
    block: float
    started: Start
    key: str = field(default="fhs", init=False)

    @classmethod
    def fit(
        cls, days: JointDays, *, mean: Mean = "historical", start: Start = "today", block: float | None = None
    ) -> FilteredHistory:
        """Fit to the log returns of a history.

        Parameters
        ----------
        start : "today", "average", or a yearly volatility as a fraction: the mean one of the indices, each in
            proportion to today's.
        block : of residuals; automatic from them and their squares where it is not stated.

        Raises
        ------
        StudyError : a start, block or mean that is none; a start above the cap.
        """
        stated = None if block is None else checked_block(block)
        logs = days.log_returns
        shocks = logs - logs.mean(axis=0)
        fitted = [fit_garch(column) for column in shocks.T]
        variances = np.stack([model.run(column) for model, column in zip(fitted, shocks.T, strict=True)], axis=1)
        spread = np.sqrt(np.where(variances > 0.0, variances, 1.0))
        residuals = np.stack([_standardised(column) for column in (shocks / spread[:-1]).T], axis=1)
        models = tuple(_for_simulation(model, column) for model, column in zip(fitted, residuals.T, strict=True))
        target = np.array([model.target for model in models])
        cap = CAP * variances.max(axis=0)
        length = longest_block(days.names, residuals).sessions if stated is None else stated
        residuals = np.ascontiguousarray(residuals)
        average = cls(
            names=days.names,
            models=_levelled(models, residuals, cap, length),
            residuals=residuals,
            drift=log_drifts(days.names, logs.mean(axis=0), target, mean),
            today=variances[-1].copy(),
            start=target,
            cap=cap,
            block=length,
            started="average",
        )
        return average.started_at(start)

    def started_at(self, start: Start) -> FilteredHistory:
        """Return the same model with another start.

        Raises
        ------
        StudyError : a start that is none, or above the cap.
        """
        if start == "average":
            variances = np.array([model.target for model in self.models])
        elif start == "today":
            variances = self.today
        elif isinstance(start, str) or not 0.0 < start < math.inf:
            raise StudyError(f"start = {start!r}: write today, average, or a yearly volatility such as 0.25")
        else:
            variances = self._scaled_to(float(start))
        return replace(self, start=variances, started=start)

    def _scaled_to(self, volatility: float) -> FloatArray:
        """Today's variances of the indices that move, times what brings their mean volatility to the stated one."""
        moving = self.today > 0.0
        now = math.sqrt(SESSIONS_A_YEAR) * float(np.sqrt(self.today[moving]).mean()) if moving.any() else volatility
        most = now * math.sqrt(float(np.min(self.cap[moving] / self.today[moving], initial=math.inf)))
        if volatility > most:
            raise StudyError(
                f"start = {volatility:g}: above {most:.2f} an index would start beyond twice its highest fitted "
                "volatility, where the simulation holds it; write less"
            )
        return np.asarray(self.today * (volatility / now) ** 2)

    def draw(self, seed: int, first: int, count: int, sessions: int) -> Paths:
        """Return the paths `first` to `first + count - 1`, each with days of its own; thread-safe.

        Its hits are the variances that were capped.
        """
        out = np.empty((count, sessions, len(self.names)))
        survival, guide = geometric_lengths(self.block)
        kernel = compiled_kernels(_kernels)["filtered_paths"]
        hits = kernel(
            *key_of(seed),
            first,
            survival,
            guide,
            self.residuals,
            _parameters(self.models),
            self.start,
            self.cap,
            self.drift,
            out,
        )
        return own_days(out)._replace(hits=int(hits))

    def facts(self) -> dict[str, float | int | str]:
        """Start, block length and, for each index, its model and yearly volatilities."""
        facts: dict[str, float | int | str] = {"start": self.started, "block_length": block_fact(self.block)}
        for k, (name, model) in enumerate(zip(self.names, self.models, strict=True)):
            for what in ("alpha", "gamma", "beta", "persistence", "level"):
                facts[f"{what}_of_{name}"] = getattr(model, what)
            for what, variance in (("average", model.target), ("starting", self.start[k]), ("highest", self.cap[k])):
                facts[f"{what}_volatility_of_{name}"] = math.sqrt(SESSIONS_A_YEAR * variance)
        return facts
