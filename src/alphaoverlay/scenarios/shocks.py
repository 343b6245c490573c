"""What one violent session does, and worlds that are worse from then on: gap, correlation one, shock (method M9)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from alphaoverlay.engine.costs import CashTerms
from alphaoverlay.errors import StudyError
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.synthesis import deductions
from alphaoverlay.history import FloatArray, History
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.overlays.risk import QUARTER, SESSIONS_A_YEAR
from alphaoverlay.scenarios.closed_form import cash_growth, check_known
from alphaoverlay.scenarios.ends import MOST_SCALE, TOGETHER, most_likely_ends, stream
from alphaoverlay.scenarios.law import Law
from alphaoverlay.scenarios.paths import Paths, own_days
from alphaoverlay.scenarios.payoff import largest_index
from alphaoverlay.scenarios.statement import Statement

DEVIATIONS = 2.0


@dataclass(frozen=True)
class Gap:
    """One session in which the indices made these returns.

    Attributes
    ----------
    index_returns : simple total return by index.
    fund_returns : by symbol, the portfolio's funds and then the benchmark's; -1 where nothing is left.
    thresholds : by symbol, `-1/L`, the move of its index that takes a fund to nothing (its day's costs and interest
        aside); None for a fund on several indices, and for one that only a loss of everything would take there.
    wiped_out : the funds with nothing left.
    portfolio, benchmark : simple returns of the session.
    """

    index_returns: Mapping[str, float]
    fund_returns: Mapping[str, float]
    thresholds: Mapping[str, float | None]
    wiped_out: tuple[str, ...]
    portfolio: float
    benchmark: float

    @property
    def excess(self) -> float:
        """The portfolio's return minus the benchmark's."""
        return self.portfolio - self.benchmark


def gap(
    portfolio: Portfolio,
    benchmark: Portfolio,
    law: Law,
    move: float,
    session: History,
    terms: CashTerms | None = None,
) -> Gap:
    """Let the benchmark's largest index make a return in one session, the others their most likely ones given it.

    Parameters
    ----------
    move : simple return, above -1.
    law, session, terms : as in `gap_at`.
    """
    return gap_at(portfolio, benchmark, law, {largest_index(benchmark): move}, session, terms)


def gap_at(
    portfolio: Portfolio,
    benchmark: Portfolio,
    law: Law,
    returns: Mapping[str, float],
    session: History,
    terms: CashTerms | None = None,
) -> Gap:
    """Let indices make stated returns in one session, the others their most likely ones given these (method M9).

    Parameters
    ----------
    returns : simple returns by index, above -1.
    law : names all indices of the funds.
    session : a horizon whose second session is the gap's: its clock and rate.
    terms : of cash; None is the financing rate itself.

    Raises
    ------
    StudyError : a return that an index cannot make, or an index that the law does not know.
    """
    for held in (portfolio, benchmark):
        check_known(held, law)
    moves = _all_returns(law, returns)
    one = session.between(None, session.dates[1])
    funds = {fund.symbol: fund for fund in (*portfolio.funds, *benchmark.funds)}
    made = {symbol: _session_return(fund, moves, one) for symbol, fund in funds.items()}
    return Gap(
        index_returns=moves,
        fund_returns=made,
        thresholds={symbol: wipe_out_move(fund) for symbol, fund in funds.items()},
        wiped_out=tuple(symbol for symbol, r in made.items() if r <= -1.0),
        portfolio=_held(portfolio, made, one, terms),
        benchmark=_held(benchmark, made, one, terms),
    )


def wipe_out_move(fund: Fund) -> float | None:
    """Return `-1/L`, the one-session move of its index at which a fund is worth nothing; None where there is none.

    An index cannot lose more than everything, so a fund of up to 1 times has none.
    """
    if len(fund.exposures) != 1 or 0.0 <= fund.leverage <= 1.0:
        return None
    return -1.0 / fund.leverage


def correlation_one(law: Law) -> FloatArray:
    """Return the log ends of a quarter in which every index falls by two of its deviations, shape (K,) (method M9)."""
    return -DEVIATIONS * math.sqrt(QUARTER / SESSIONS_A_YEAR) * np.array([law.volatility[name] for name in law.names])


def fall_together(law: Law, paths: int, seed: int) -> FloatArray:
    """Draw paths to those ends on which one factor moves all indices, each by its own volatility (method M9).

    Parameters
    ----------
    paths : how many.
    seed : of the draws.

    Returns
    -------
    Daily log returns, shape (paths, 63, K).
    """
    rng = stream(seed, TOGETHER, 0)
    scales = (0.5 * law.degrees - 1.0) / rng.standard_gamma(0.5 * law.degrees, (paths, QUARTER))
    scales = np.minimum(scales, MOST_SCALE)
    factor = np.sqrt(scales / SESSIONS_A_YEAR) * rng.standard_normal((paths, QUARTER))
    missing = -DEVIATIONS * math.sqrt(QUARTER / SESSIONS_A_YEAR) - factor.sum(axis=1, keepdims=True)
    factor += scales / scales.sum(axis=1, keepdims=True) * missing
    return np.asarray(factor[:, :, None] * np.array([law.volatility[name] for name in law.names]))


@dataclass(frozen=True)
class Shock:
    """A gap with stated returns, and what is dearer from then on.

    Attributes
    ----------
    returns : simple return by index on the first session; the others make their most likely ones given these.
    rate : added to the yearly financing rate after that session, a fraction.
    spread : added to the yearly spread of every fund, a fraction.
    onward : simple return by index from the gap's close to the end of the horizon; none unless stated.
    """

    returns: Mapping[str, float]
    rate: float = 0.0
    spread: float = 0.0
    onward: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ShockedWorld:
    """What the engine needs to run a shock.

    Attributes
    ----------
    paths : one path, columns in the order of the law's indices.
    horizon : with the financing rate from the gap's close on.
    portfolio, benchmark : of the same weights, in funds with the higher spread.
    """

    paths: Paths
    horizon: History
    portfolio: Portfolio
    benchmark: Portfolio


def shocked_world(shock: Shock, portfolio: Portfolio, benchmark: Portfolio, law: Law, horizon: History) -> ShockedWorld:
    """Build the world of a shock: the gap, then a smooth trend to the horizon's end (method M9).

    The first session accrues at the rate of `asof`, which is dated before it; its spread is the higher one already.

    Parameters
    ----------
    shock : what happens.
    portfolio, benchmark : as designed.
    law : names all indices of the funds.
    horizon : n + 1 sessions from `asof` on, n at least 1.

    Raises
    ------
    StudyError : a return that an index cannot make, an index that the law does not know, or a jump that is not finite.
    """
    for name, jump, least in (("rate", shock.rate, -1.0), ("spread", shock.spread, 0.0)):
        if not least <= jump <= 1.0:  # also refuses NaN
            raise StudyError(f"{name} = {jump:g}: a jump is a yearly fraction from {least:g} to 1, 0.02 for 2 points")
    moves = _all_returns(law, shock.returns)
    n = len(horizon.dates) - 1
    logs = np.zeros((1, n, len(law.names)))
    logs[0, 0] = [math.log1p(moves[name]) for name in law.names]
    if shock.onward:
        after = {law.row(name): math.log1p(end) for name, end in Statement.of(shock.onward).ends.items()}
        if n == 1:
            raise StudyError("a horizon of one session ends with the gap; state no returns after it")
        for column, end in after.items():
            logs[0, 1:, column] = end / (n - 1)
    rate = horizon.rate + np.where(np.arange(n + 1) > 0, shock.rate, 0.0)
    return ShockedWorld(
        paths=own_days(np.expm1(logs)),
        horizon=replace(horizon, rate=pd.Series(rate, index=horizon.dates)),
        portfolio=_dearer(portfolio, shock.spread),
        benchmark=_dearer(benchmark, shock.spread),
    )


def with_spread(fund: Fund, more: float) -> Fund:
    """Return the fund with so much more spread a year, that of the holding under a ticker raised with it."""
    under = fund.multiple
    if under is not None:
        under = replace(under, of=with_spread(under.of, more))
    return replace(fund, spread=fund.spread + more, spread_basis="stated", multiple=under)


def _dearer(portfolio: Portfolio, more: float) -> Portfolio:
    return replace(portfolio, funds=tuple(with_spread(fund, more) for fund in portfolio.funds)) if more else portfolio


def _all_returns(law: Law, returns: Mapping[str, float]) -> dict[str, float]:
    """Simple returns of all indices: the stated ones as they are, the others most likely; none where none is stated."""
    if not returns:
        return dict.fromkeys(law.names, 0.0)
    likely = np.expm1(most_likely_ends(law, Statement.of(returns)))
    return {name: returns.get(name, float(r)) for name, r in zip(law.names, likely, strict=True)}


def _session_return(fund: Fund, moves: Mapping[str, float], session: History) -> float:
    """M1 on the second session of a history."""
    gross = sum(times * moves[name] for name, times in fund.exposures.items())
    return max(gross - float(deductions(fund, session).total[1]), -1.0)


def _held(portfolio: Portfolio, made: Mapping[str, float], session: History, terms: CashTerms | None) -> float:
    funds = sum(weight * made[symbol] for symbol, weight in portfolio.by_symbol.items())
    return funds + portfolio.cash * (cash_growth(session, terms, borrowed=portfolio.cash < 0.0) - 1.0)
