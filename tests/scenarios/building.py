"""Histories for tests of generators, none of them made by the code under test."""

from __future__ import annotations

import numpy as np
import pandas as pd

from alphaoverlay.history import FloatArray
from alphaoverlay.scenarios.joint_days import JointDays

NAMES = ("BROAD", "SMALL", "TECH")
CORRELATION = np.array([[1.0, 0.8, 0.9], [0.8, 1.0, 0.7], [0.9, 0.7, 1.0]])
DEVIATION = np.array([0.010, 0.014, 0.013])


def joint(log_returns: FloatArray, names: tuple[str, ...] = NAMES) -> JointDays:
    """A history with these daily log returns, shape (T, K)."""
    dates = pd.bdate_range("1990-01-01", periods=len(log_returns))
    return JointDays(names[: log_returns.shape[1]], dates, np.expm1(log_returns))


def gaussian_days(n: int, seed: int = 1, drift: float = 0.0003) -> FloatArray:
    """Independent Gaussian log returns of three indices."""
    g = np.random.default_rng(seed).standard_normal((n, 3))
    return np.asarray(drift + g @ np.linalg.cholesky(CORRELATION).T * DEVIATION)


def student_days(n: int, degrees: float, seed: int = 2) -> FloatArray:
    """Independent log returns of a multivariate t with the covariance of `gaussian_days`, about zero."""
    random = np.random.default_rng(seed)
    scale = np.sqrt((degrees - 2.0) / random.chisquare(degrees, n))
    return np.asarray(gaussian_days(n, seed + 1, drift=0.0) * scale[:, None])


def garch_days(n: int, seed: int = 3, terms: tuple[float, float, float] = (0.03, 0.08, 0.88)) -> FloatArray:
    """Log returns whose volatility clusters: Gaussian shocks through the same GJR-GARCH for each of three indices."""
    alpha, gamma, beta = terms
    shocks = gaussian_days(n, seed, drift=0.0) / DEVIATION
    out = np.empty_like(shocks)
    h = np.ones(3)
    for t in range(n):
        e = np.sqrt(h) * shocks[t]
        out[t] = e
        h = 1.0 - alpha - gamma / 2.0 - beta + (alpha + gamma * (e < 0.0)) * e * e + beta * h
    return np.asarray(out * DEVIATION + 0.0003)


def switching_days(n: int, seed: int = 4, stay: tuple[float, float] = (0.98, 0.94)) -> tuple[FloatArray, FloatArray]:
    """Log returns that are two and a half times as volatile in the second of two states, and the states."""
    random = np.random.default_rng(seed)
    state = np.zeros(n, dtype=np.int64)
    for t in range(1, n):
        state[t] = state[t - 1] if random.random() < stay[state[t - 1]] else 1 - state[t - 1]
    drift = np.where(state == 0, 0.0008, -0.0010)
    days = gaussian_days(n, seed + 1, drift=0.0) * np.where(state == 0, 1.0, 2.5)[:, None] + drift[:, None]
    return np.asarray(days), state.astype(np.float64)
