"""What a design risks against its base, before any backtest: active volatility, break-even, bad quarters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alphaoverlay.errors import DesignError
from alphaoverlay.history import FloatArray, iso

WINDOW = 756
FEWEST = 60
SESSIONS_A_YEAR = 252
QUARTER = 63


@dataclass(frozen=True)
class Covariance:
    """Zero-mean daily covariance of index total returns over a trailing window.

    Attributes
    ----------
    indices : names, in the order of the matrix.
    matrix : per session, shape (k, k).
    first, last : ISO dates of the window's returns.
    sessions : their number.
    """

    indices: tuple[str, ...]
    matrix: FloatArray
    first: str
    last: str
    sessions: int

    def volatility(self, exposures: Mapping[str, float]) -> float:
        """Yearly volatility of these exposures, held constant."""
        weights = np.array([exposures.get(name, 0.0) for name in self.indices])
        return math.sqrt(max(float(weights @ self.matrix @ weights), 0.0) * SESSIONS_A_YEAR)

    def contributions(self, exposures: Mapping[str, float]) -> dict[str, float]:
        """Split the yearly volatility by index; the parts sum to it."""
        weights = np.array([exposures.get(name, 0.0) for name in self.indices])
        total = self.volatility(exposures)
        if total == 0.0:
            return dict.fromkeys(self.indices, 0.0)
        parts = weights * (self.matrix @ weights) * SESSIONS_A_YEAR / total
        return {name: float(part) for name, part in zip(self.indices, parts, strict=True)}

    def beta(self, of: str, to: Mapping[str, float]) -> float:
        """Slope of one index on a fixed mix of indices."""
        mix = np.array([to.get(name, 0.0) for name in self.indices])
        variance = float(mix @ self.matrix @ mix)
        if variance == 0.0:
            raise DesignError(
                f"{', '.join(to)} did not move from {self.first} to {self.last}: no beta to it can be told"
            )
        return float(self.matrix[self.indices.index(of)] @ mix) / variance


def trailing_covariance(returns: Mapping[str, pd.Series], last: pd.Timestamp, window: int = WINDOW) -> Covariance:
    """Estimate the covariance on the `window` sessions up to and including `last`; later ones are not looked at.

    Raises
    ------
    DesignError : fewer than 60 common sessions; says how many there are.
    """
    frame = pd.DataFrame(dict(returns)).loc[:last].dropna().iloc[-window:]
    if len(frame) < FEWEST:
        raise DesignError(
            f"only {len(frame)} sessions of index returns up to {iso(last)}; {FEWEST} are needed to estimate risk. "
            "Start later, or add earlier data"
        )
    values = frame.to_numpy(dtype=np.float64)
    return Covariance(
        tuple(frame.columns), values.T @ values / len(values), iso(frame.index[0]), iso(frame.index[-1]), len(frame)
    )


@dataclass(frozen=True)
class ActiveRisk:
    """Ex-ante risk of the legs against the base.

    Attributes
    ----------
    volatility : yearly, of the legs held at target exposure.
    by_leg : its split by index; sums to `volatility`.
    break_even : yearly return by which the long legs must beat the short ones to pay for the active carry; None
        without a long or short side to measure it on.
    two_sigma_quarter : return of the legs over 63 sessions at minus two standard deviations.
    worst_quarter : the worst 63 sessions' return of the legs in the history, and its first and last session.
    covariance : the estimate behind it.
    """

    volatility: float
    by_leg: Mapping[str, float]
    break_even: float | None
    two_sigma_quarter: float
    worst_quarter: tuple[float, str, str] | None
    covariance: Covariance


def active_risk(
    legs: Mapping[str, float],
    size: float,
    active_carry: float,
    returns: Mapping[str, pd.Series],
    covariance: Covariance,
) -> ActiveRisk:
    """Estimate what the legs risk and must earn (method M4).

    Parameters
    ----------
    legs : active exposures by index.
    size : the larger of their long and short sums.
    active_carry : yearly carry over the base's, negative is a cost.
    returns : simple index total returns; those up to the covariance's last session are used.
    covariance : from `trailing_covariance`.
    """
    volatility = covariance.volatility(legs)
    two_sided = any(x > 0.0 for x in legs.values()) and any(x < 0.0 for x in legs.values())
    return ActiveRisk(
        volatility=volatility,
        by_leg={name: part for name, part in covariance.contributions(legs).items() if legs.get(name)},
        break_even=-active_carry / size if two_sided else None,
        two_sigma_quarter=-2.0 * volatility * math.sqrt(QUARTER / SESSIONS_A_YEAR),
        worst_quarter=_worst_quarter(legs, returns, pd.Timestamp(covariance.last)),
        covariance=covariance,
    )


def _worst_quarter(
    legs: Mapping[str, float], returns: Mapping[str, pd.Series], last: pd.Timestamp
) -> tuple[float, str, str] | None:
    """Least first-order return of the legs over 63 consecutive sessions: sum of exposure x simple total return."""
    held = [name for name, x in legs.items() if x]
    frame = pd.DataFrame({name: returns[name] for name in held}).loc[:last].dropna()
    if len(frame) < QUARTER:
        return None
    levels = np.vstack([np.ones(len(held)), np.cumprod(1.0 + frame.to_numpy(dtype=np.float64), axis=0)])
    moves = levels[QUARTER:] / levels[:-QUARTER] - 1.0
    paid = moves @ np.array([legs[name] for name in held])
    worst = int(np.argmin(paid))
    return float(paid[worst]), iso(frame.index[worst]), iso(frame.index[worst + QUARTER - 1])


def trading_costs(
    funds: Sequence[tuple[str, Mapping[str, float], float]],
    wanted: Mapping[str, float],
    covariance: Covariance,
    half_spread: float | Mapping[str, float],
    rebalances_a_year: float,
) -> dict[str, float]:
    """Estimate the yearly trading cost of a unit of weight in each fund (method M4).

    `half_spread * |L_i - sum_j w_j L_j beta_ij| * sigma_i * sqrt(2m/pi)`: what rebalancing has to undo is the fund's
    move against the portfolio's; `sum_j w_j L_j beta_ij` is the wanted exposures' beta to the fund's index.

    Parameters
    ----------
    funds : symbol, exposures and leverage of each; funds with an index outside the covariance cost nothing here.
    wanted : the exposures designed for.
    half_spread : cost of a trade as a fraction of its value: one for all, or by symbol.
    rebalances_a_year : m.
    """
    costs = {}
    for symbol, exposures, leverage in funds:
        if not exposures or any(name not in covariance.indices for name in exposures):
            costs[symbol] = 0.0
            continue
        mix = {name: x / leverage for name, x in exposures.items()} if leverage else dict(exposures)
        sigma = covariance.volatility(mix)
        if sigma == 0.0:
            costs[symbol] = 0.0
            continue
        beta = sum(x * covariance.beta(k, mix) for k, x in wanted.items() if x and k in covariance.indices)
        rate = half_spread[symbol] if isinstance(half_spread, Mapping) else half_spread
        costs[symbol] = rate * abs((leverage or 1.0) - beta) * sigma * math.sqrt(2.0 * rebalances_a_year / math.pi)
    return costs
