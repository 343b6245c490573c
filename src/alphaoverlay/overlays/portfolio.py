"""A portfolio of funds and what it looks through to (method M3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from alphaoverlay.funds.fund import Fund
from alphaoverlay.history import FloatArray

# Weights are rounded to 1e-12, so a full portfolio may miss 1 by a few of these.
ROUNDING = 1e-10


def exposure_matrix(funds: Sequence[Fund], indices: Sequence[str]) -> FloatArray:
    """Return X of method M3, shape (indices, funds): the exposure that a unit of each fund brings."""
    return np.array(
        [[fund.exposures.get(index, 0.0) for fund in funds] for index in indices], dtype=np.float64
    ).reshape(len(indices), len(funds))


def indices_of(funds: Sequence[Fund]) -> tuple[str, ...]:
    """Return every index the funds bring, in the order of the funds."""
    return tuple(dict.fromkeys(index for fund in funds for index in fund.exposures))


@dataclass(frozen=True)
class Portfolio:
    """Weights of funds; the rest up to 1 is cash.

    Attributes
    ----------
    funds : the funds, in the order of the weights.
    weights : share of capital in each.
    """

    funds: tuple[Fund, ...]
    weights: tuple[float, ...]

    @property
    def by_symbol(self) -> dict[str, float]:
        """Weights by symbol."""
        return {fund.symbol: weight for fund, weight in zip(self.funds, self.weights, strict=True)}

    @property
    def cash(self) -> float:
        """Share of capital not in funds; what the rounding of weights leaves is not cash."""
        spare = round(1.0 - sum(self.weights), 12)
        return spare if abs(spare) > ROUNDING else 0.0

    @property
    def exposures(self) -> dict[str, float]:
        """Look-through exposure by index (M3)."""
        names = indices_of(self.funds)
        seen = exposure_matrix(self.funds, names) @ np.asarray(self.weights)
        return {name: round(float(x), 12) + 0.0 for name, x in zip(names, seen, strict=True)}

    @property
    def net(self) -> float:
        """Sum of the exposures."""
        return float(sum(self.exposures.values()))

    @property
    def gross(self) -> float:
        """Sum of the sizes of the exposures, each index netted first."""
        return float(sum(abs(x) for x in self.exposures.values()))

    @property
    def fund_gross(self) -> float:
        """Sum of weight times size of leverage over the funds."""
        return float(sum(w * abs(fund.leverage) for fund, w in zip(self.funds, self.weights, strict=True)))

    def active(self, benchmark: Mapping[str, float]) -> float:
        """Sum of the sizes of the differences from the benchmark's exposures."""
        own = self.exposures
        return float(sum(abs(own.get(k, 0.0) - benchmark.get(k, 0.0)) for k in {**own, **benchmark}))
