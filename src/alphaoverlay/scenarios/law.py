"""The law of daily returns that scenarios are drawn from (method M9)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from alphaoverlay.errors import DataError, StudyError
from alphaoverlay.history import FloatArray
from alphaoverlay.overlays.risk import SESSIONS_A_YEAR
from alphaoverlay.scenarios.joint_days import JointDays

# Below this share of an independent direction two indices are one, and no most likely end of one given the other can
# be told.
SINGULAR = 1e-10
MOST_MULTIPLE = 10.0


@dataclass(frozen=True)
class Law:
    """Independent days without drift, `r_t = sqrt(W_t) * N(0, S)`, `W_t = (v-2)/chi2_v` (method M9).

    Attributes
    ----------
    names : the K indices, in the order of every array.
    shape : zero-mean covariance of the window's daily log total returns, shape (K, K), positive definite.
    degrees : v, above 2.
    days : the window.
    multiple : of volatility; `S = shape * multiple^2`, so 0 is a world without volatility.
    """

    names: tuple[str, ...]
    shape: FloatArray
    degrees: float
    days: JointDays
    multiple: float = 1.0

    @property
    def S(self) -> FloatArray:  # noqa: N802
        """Daily covariance, shape (K, K)."""
        return self.shape * self.multiple**2

    @property
    def volatility(self) -> dict[str, float]:
        """`sigma_k = sqrt(252*S_kk)` by index, a year."""
        yearly = np.sqrt(SESSIONS_A_YEAR * np.diagonal(self.S))
        return {name: float(sigma) for name, sigma in zip(self.names, yearly, strict=True)}

    @cached_property
    def root(self) -> FloatArray:
        """Lower Cholesky factor of `shape`; that of S is `multiple` times it."""
        return np.asarray(np.linalg.cholesky(self.shape), dtype=np.float64)

    def row(self, name: str) -> int:
        """Return the place of an index.

        Raises
        ------
        StudyError : the law does not know it.
        """
        if name not in self.names:
            raise StudyError(f"{name} is not among the scenario's indices: {', '.join(self.names)}")
        return self.names.index(name)

    def times(self, multiple: float) -> Law:
        """Return the law with this multiple of volatility in place of its own.

        Raises
        ------
        StudyError : below 0 or not finite.
        """
        return replace(self, multiple=_checked_multiple(multiple))


def law_of(days: JointDays, *, multiple: float = 1.0, degrees: float | None = None) -> Law:
    """Estimate the law on a window of days (method M9).

    Parameters
    ----------
    days : the window.
    multiple : of volatility.
    degrees : v; None is maximum likelihood on the window with its covariance held.

    Raises
    ------
    StudyError : a multiple below 0 or not finite, or degrees at or below 2.
    DataError : an index did not move, or two moved as one.
    """
    if degrees is not None and not (math.isfinite(degrees) and degrees > 2.0):
        raise StudyError(f"degrees = {degrees:g}: write a number above 2 (below, a day has no variance), such as 4")
    x = days.log_returns
    shape = x.T @ x / len(x)
    _check_independent(days.names, shape)
    if degrees is None:
        from alphaoverlay.scenarios.student_t import fit_degrees

        degrees = float(fit_degrees(x, shape))
    return Law(days.names, shape, degrees, days, _checked_multiple(multiple))


def _checked_multiple(multiple: float) -> float:
    if not 0.0 <= multiple <= MOST_MULTIPLE:  # also refuses NaN
        raise StudyError(
            f"multiple of volatility = {multiple:g}: write 0 to {MOST_MULTIPLE:g}, such as 1.5 for half as much again"
        )
    return float(multiple)


def _check_independent(names: tuple[str, ...], shape: FloatArray) -> None:
    sigma = np.sqrt(np.diagonal(shape))
    if not sigma.all():
        still = names[int(np.argmin(sigma))]
        raise DataError(f"{still} did not move on any day of the window; take a longer window, or leave {still} out")
    likeness = shape / np.outer(sigma, sigma)
    if float(np.linalg.eigvalsh(likeness)[0]) > SINGULAR:
        return
    off = np.abs(likeness) - np.eye(len(names))
    a, b = np.unravel_index(int(np.argmax(off)), off.shape)
    raise DataError(
        f"the days of {', '.join(names)} are not independent of each other ({names[a]} and {names[b]} are nearest to "
        "being one), so no most likely end can be told; leave one of them out"
    )
