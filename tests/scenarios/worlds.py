"""Worlds to state scenarios in: the founding case, laws with known covariances, and horizons of weekdays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.history import FloatArray, History
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.scenarios.joint_days import JointDays
from alphaoverlay.scenarios.law import Law

SP, R2, ND = "SP500", "RUSSELL2000", "NASDAQ100"
NAMES = (SP, R2, ND)
# About those of 2015 to 2018.
SIGMAS = (0.17, 0.24, 0.23)
CORRELATIONS = ((1.0, 0.90, 0.87), (0.90, 1.0, 0.75), (0.87, 0.75, 1.0))


def covariance(sigmas: Sequence[float] = SIGMAS, correlations: Sequence[Sequence[float]] = CORRELATIONS) -> FloatArray:
    """Daily covariance of these yearly volatilities."""
    return np.asarray(np.outer(sigmas, sigmas) * np.array(correlations) / 252.0)


def joint_days(
    S: FloatArray, names: Sequence[str], *, count: int = 756, degrees: float = 5.0, seed: int = 1
) -> JointDays:
    """Days of a multivariate t, transformed so that their zero-mean covariance of log returns is S to rounding."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, len(names))) / np.sqrt(rng.chisquare(degrees, count))[:, None]
    own = np.linalg.cholesky(x.T @ x / count)
    x = np.linalg.solve(own, x.T).T @ np.linalg.cholesky(S).T
    return JointDays(tuple(names), pd.bdate_range("2015-01-01", periods=count), np.expm1(x))


def law_with(
    S: FloatArray | None = None,
    names: Sequence[str] = NAMES,
    *,
    degrees: float = 5.0,
    multiple: float = 1.0,
    count: int = 756,
) -> Law:
    """A law of exactly this daily covariance."""
    shape = covariance() if S is None else S
    return Law(tuple(names), shape, degrees, joint_days(shape, names, count=count), multiple)


def weekdays(sessions: int, rate: float = 0.0, first: str = "2026-01-02") -> History:
    """A horizon of weekdays."""
    dates = pd.bdate_range(first, periods=sessions + 1)
    none = pd.DataFrame(index=dates)
    return History(dates, none, none, pd.Series(rate, index=dates, dtype=np.float64), dates)


def held(**weights: float) -> Portfolio:
    """A portfolio of funds of the catalogue."""
    catalogue = load_catalogue()
    return Portfolio(tuple(catalogue.fund(symbol) for symbol in weights), tuple(weights.values()))


def founding() -> Portfolio:
    """70% SPY, 10% UPRO, 10% TNA, 10% SQQQ: S&P 500 +1, Russell 2000 +0.3, Nasdaq-100 -0.3."""
    return held(SPY=0.7, UPRO=0.1, TNA=0.1, SQQQ=0.1)


def spy() -> Portfolio:
    """The founding case's benchmark."""
    return held(SPY=1.0)
