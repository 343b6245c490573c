"""What untraded portfolios become at given ends, in closed form, and what look-through exposure alone would make."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from alphaoverlay.engine.costs import CashTerms
from alphaoverlay.errors import StudyError
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.synthesis import deductions
from alphaoverlay.history import FloatArray, History
from alphaoverlay.overlays.portfolio import Portfolio, exposure_matrix
from alphaoverlay.scenarios.law import Law


@dataclass(frozen=True)
class ClosedForm:
    """Growth of a portfolio: `sum_i w_i*exp(X_i.z + constant_i) + cash` (method M9, 3).

    Attributes
    ----------
    funds : the m funds.
    weights : shape (m,); of a portfolio that is rebalanced every session a single 1, for all of it; of one that trades
        now and then one a course (`periodic_form`). So with what follows.
    exposures : X, shape (m, K), columns in the order of the law's indices.
    constants : what is taken and the volatility drag over the horizon, in log growth, shape (m,).
    cash : what the cash has become, as a share of the capital (below 0 where it is borrowed).
    """

    funds: tuple[Fund, ...]
    weights: FloatArray
    exposures: FloatArray
    constants: FloatArray
    cash: float

    def fund_growth(self, z: FloatArray) -> FloatArray:
        """Growth of 1 in each fund at log ends z of shape (..., K); shape (..., m)."""
        return np.asarray(np.exp(z @ self.exposures.T + self.constants))

    def growth(self, z: FloatArray) -> FloatArray:
        """Growth of 1 in the portfolio at log ends z of shape (..., K); shape (...)."""
        return np.asarray(self.fund_growth(z) @ self.weights + self.cash)


def closed_form(portfolio: Portfolio, law: Law, horizon: History, terms: CashTerms | None = None) -> ClosedForm:
    """Prepare the closed form of a portfolio without rebalancing (method M9, 3; method M2).

    Parameters
    ----------
    portfolio : its funds follow indices of the law.
    law : gives `V_k = n*S_kk`.
    horizon : n + 1 sessions, the first of which is `asof`: gives n, the clocks and the rate.
    terms : of cash; None is the financing rate itself.

    Raises
    ------
    StudyError : a fund follows nothing that is known, or an index that is not in the law.
    """
    check_known(portfolio, law)
    X = exposure_matrix(portfolio.funds, law.names).T
    return ClosedForm(
        funds=portfolio.funds,
        weights=np.asarray(portfolio.weights, dtype=np.float64),
        exposures=X,
        constants=_constants(portfolio.funds, X, law, horizon),
        cash=portfolio.cash * cash_growth(horizon, terms, borrowed=portfolio.cash < 0.0),
    )


def rebalanced_form(portfolio: Portfolio, law: Law, horizon: History, terms: CashTerms | None = None) -> ClosedForm:
    """Prepare the closed form of a portfolio that is traded to its weights every session, at no cost (method M9).

    Such a portfolio is a fund on several indices: its exposures, what its funds take, and what its cash earns.

    Parameters
    ----------
    portfolio, law, horizon, terms : as in `closed_form`; errors too.
    """
    check_known(portfolio, law)
    X = exposure_matrix(portfolio.funds, law.names).T
    weights = np.asarray(portfolio.weights, dtype=np.float64)
    mix = weights @ X
    n = len(horizon.dates) - 1
    taken = sum(w * float(deductions(f, horizon).total.sum()) for f, w in zip(portfolio.funds, weights, strict=True))
    earned = portfolio.cash * math.log(cash_growth(horizon, terms, borrowed=portfolio.cash < 0.0))
    drag = n * float(daily_drag(mix[None, :], law.S)[0])
    return ClosedForm(
        funds=portfolio.funds,
        weights=np.ones(1),
        exposures=mix[None, :],
        constants=np.array([drag - taken + earned]),
        cash=0.0,
    )


def check_known(portfolio: Portfolio, law: Law) -> None:
    """Refuse funds whose returns the law does not determine.

    Raises
    ------
    StudyError : a fund follows nothing that is known, or an index that is not in the law.
    """
    for fund in portfolio.funds:
        if not fund.exposures:
            raise StudyError(f"what {fund.symbol} follows is not known, so no scenario says what it does; leave it out")
        for index in fund.exposures:
            if index not in law.names:
                raise StudyError(f"{fund.symbol} follows {index}, which is not among the scenario's indices: "
                                 f"{', '.join(law.names)}")  # fmt: skip


def _constants(funds: Sequence[Fund], X: FloatArray, law: Law, horizon: History) -> FloatArray:
    """`-(what M1 takes) + n/2*(sum_k X_k*S_kk - X'SX)` of each fund; `(L-L^2)/2*V` on a single index."""
    n = len(horizon.dates) - 1
    taken = np.array([float(deductions(fund, horizon).total.sum()) for fund in funds])
    return np.asarray(n * daily_drag(X, law.S) - taken)


def daily_drag(X: FloatArray, S: FloatArray) -> FloatArray:
    """`1/2*(sum_k X_k*S_kk - X'SX)` of each row of exposures: what a day's volatility does to log growth."""
    return np.asarray(0.5 * (X @ np.diagonal(S) - np.einsum("ik,kl,il->i", X, S, X)))


def cash_growth(horizon: History, terms: CashTerms | None = None, *, borrowed: bool = False) -> float:
    """Return what 1 of cash becomes over the horizon, session by session as in the loop (method M6)."""
    return float(np.prod(cash_accrued(horizon, terms, borrowed=borrowed)))


def cash_accrued(horizon: History, terms: CashTerms | None = None, *, borrowed: bool = False) -> FloatArray:
    """Return what 1 of cash becomes in each session, shape (n + 1,); 1 on the first."""
    terms = CashTerms() if terms is None else terms
    above = terms.borrowing if borrowed else -terms.lending_spread
    return np.asarray(1.0 + (horizon.financing + above) * horizon.d)


def closed_form_growth(fund: Fund, ends: Mapping[str, float], law: Law, horizon: History) -> float:
    """Return the growth of a fund over the horizon (method M2, on any number of indices).

    `prod_k S_k^X_k * exp(-taken + n/2*(sum_k X_k*S_kk - X'SX))`, `taken` what M1 takes, over all sessions.

    Parameters
    ----------
    fund : listed or a ticker with terms; the latter by its look-through exposures and all that is taken.
    ends : log total return of each of the law's indices.
    law, horizon : as in `closed_form`.

    Raises
    ------
    StudyError : as for `closed_form`, or an end is missing.
    """
    if missing := [name for name in fund.exposures if name not in ends]:
        raise StudyError(f"{fund.symbol} follows {missing[0]}, whose end is not given; given: {', '.join(ends)}")
    whole = closed_form(Portfolio((fund,), (1.0,)), law, horizon)
    return float(whole.growth(np.array([ends.get(name, 0.0) for name in law.names])))


def closed_form_excess(
    portfolio: Portfolio,
    benchmark: Portfolio,
    z: FloatArray,
    law: Law,
    horizon: History,
    terms: CashTerms | None = None,
) -> float:
    """Return the portfolio's simple return minus the benchmark's, neither ever rebalanced (method M9, 3).

    Parameters
    ----------
    z : log ends, shape (K,).
    law, horizon, terms : as in `closed_form`.
    """
    own, base = (closed_form(one, law, horizon, terms) for one in (portfolio, benchmark))
    return float(own.growth(z) - base.growth(z))


def active_exposures(portfolio: Portfolio, benchmark: Portfolio) -> dict[str, float]:
    """Return `e_k - b_k` of every index that either looks through to (method M3)."""
    own, base = portfolio.exposures, benchmark.exposures
    return {name: round(own.get(name, 0.0) - base.get(name, 0.0), 12) + 0.0 for name in {**own, **base}}


def first_order(active: Mapping[str, float], returns: Mapping[str, float]) -> float:
    """Return `sum_k (e_k - b_k)*R_k` (method M9, 1).

    Parameters
    ----------
    active : exposures less the benchmark's, by index.
    returns : simple total returns at the end; an index that is left out is one that the statement says nothing of.

    Raises
    ------
    StudyError : an index with an active exposure has no return.
    """
    if missing := [name for name, size in active.items() if size and name not in returns]:
        raise StudyError(f"the end of {missing[0]} is not given; given: {', '.join(returns)}")
    return float(sum(size * returns[name] for name, size in active.items() if size))
