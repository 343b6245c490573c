"""What a portfolio that trades to its weights now and then becomes at given ends, in closed form (method M9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alphaoverlay.engine.costs import CashTerms
from alphaoverlay.errors import StudyError
from alphaoverlay.funds.synthesis import deductions
from alphaoverlay.history import FloatArray, History
from alphaoverlay.overlays.portfolio import Portfolio, exposure_matrix
from alphaoverlay.scenarios.closed_form import (
    ClosedForm,
    cash_accrued,
    check_known,
    closed_form,
    daily_drag,
    rebalanced_form,
)
from alphaoverlay.scenarios.law import Law

# Ways through the periods that are gone through one by one: enough for a year of quarters of six holdings.
MOST_COURSES = 2**13


@dataclass(frozen=True)
class ScatteredForm:
    """Mean growth of a portfolio that trades to its weights after each of many periods, of the second order (M9).

    Attributes
    ----------
    weights : of the m holdings, cash among them, shape (m,).
    exposures : X, shape (m, K), columns in the order of the law's indices.
    shares : of the horizon's sessions that each period has, shape (Q,).
    constants : what is taken or earned and the volatility drag in each period, in log growth, shape (Q, m).
    scatter : covariance of each period's log ends around their share of z, given that all add up to z; (Q, K, K).
    """

    weights: FloatArray
    exposures: FloatArray
    shares: FloatArray
    constants: FloatArray
    scatter: FloatArray

    def growth(self, z: FloatArray) -> FloatArray:
        """Growth of 1 in the portfolio at log ends z of shape (..., K); shape (...).

        `prod_q G_q(share_q*z) * exp(1/2*tr(H_q C_q) + 1/4*tr((H_q C_q)^2))`, H_q the Hessian of ln G_q there and C_q
        the scatter; 0 where nothing is left of a period.
        """
        X = self.exposures
        each = np.exp((z[..., None, :] * self.shares[:, None]) @ X.T + self.constants) * self.weights
        total = each.sum(axis=-1)
        left = np.where(total > 0.0, total, 1.0)
        share = each / left[..., None]
        mean = share @ X
        hessian = np.einsum("...i,ik,il->...kl", share, X, X) - mean[..., :, None] * mean[..., None, :]
        bent = hessian @ self.scatter
        first, second = np.trace(bent, axis1=-2, axis2=-1), np.trace(bent @ bent, axis1=-2, axis2=-1)
        made = np.exp((np.log(left) + 0.5 * first + 0.25 * second).sum(axis=-1))
        return np.asarray(np.where((total > 0.0).all(axis=-1), made, 0.0))


def periodic_form(
    portfolio: Portfolio, law: Law, horizon: History, terms: CashTerms | None = None, *, trades: Sequence[int] = ()
) -> ClosedForm | ScatteredForm:
    """Prepare the mean growth of a portfolio that trades to its weights on some sessions, at no cost (method M9).

    Exact for days of a Gaussian law where the periods between trades are few, of the second order where they are many.
    Without a trade it is `closed_form`, with one every session `rebalanced_form`.

    Parameters
    ----------
    portfolio, law, horizon, terms : as in `closed_form`; errors too.
    trades : sessions of the horizon at whose close it trades, ascending; the purchase is 0, and not among them.
    """
    check_known(portfolio, law)
    n = len(horizon.dates) - 1
    begins = np.array([0, *trades], dtype=np.int64)
    sessions = np.diff([*begins, n])
    if (sessions <= 0).any():
        raise StudyError(f"trades = {list(trades)}: write sessions from 1 to {n - 1}, each once, ascending")
    if len(sessions) == 1:
        return closed_form(portfolio, law, horizon, terms)
    if len(sessions) == n:
        return rebalanced_form(portfolio, law, horizon, terms)
    X = exposure_matrix(portfolio.funds, law.names).T
    taken = np.array([deductions(fund, horizon).total[1:] for fund in portfolio.funds])
    constants = sessions[:, None] * daily_drag(X, law.S) - np.add.reduceat(taken, begins, axis=1).T
    weights = np.asarray(portfolio.weights, dtype=np.float64)
    if portfolio.cash:
        earned = np.log(cash_accrued(horizon, terms, borrowed=portfolio.cash < 0.0)[1:])
        constants = np.column_stack([constants, np.add.reduceat(earned, begins)])
        X, weights = np.vstack([X, np.zeros(len(law.names))]), np.append(weights, portfolio.cash)
    if len(weights) ** len(sessions) <= MOST_COURSES:
        return _every_course(portfolio, weights, X, constants, sessions, law)
    shares = sessions / n
    return ScatteredForm(weights, X, shares, constants, (n * shares * (1.0 - shares))[:, None, None] * law.S)


def _every_course(
    portfolio: Portfolio,
    weights: FloatArray,
    X: FloatArray,
    constants: FloatArray,
    sessions: NDArray[np.int64],
    law: Law,
) -> ClosedForm:
    """The product of the periods' sums, multiplied out: a term for each course, one holding a period.

    A course is a fund of its own: `exp(V.z + constant)`, V the mean of its exposures. Its mean over paths that end in z
    is exact, `1/2*sum_q h_q*X_q'S X_q - 1/2*n*V'S V` in the exponent.
    """
    n, S = int(sessions.sum()), law.S
    course = np.indices((len(weights),) * len(sessions)).reshape(len(sessions), -1)
    own = 0.5 * np.einsum("ik,kl,il->i", X, S, X)
    period = np.arange(len(sessions))[:, None]
    V = np.einsum("q,qck->ck", sessions / n, X[course])
    within = (constants + sessions[:, None] * own)[period, course].sum(axis=0)
    return ClosedForm(
        funds=portfolio.funds,
        weights=weights[course].prod(axis=0),
        exposures=V,
        constants=within - 0.5 * n * np.einsum("ck,kl,cl->c", V, S, V),
        cash=0.0,
    )
