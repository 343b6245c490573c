"""Random design problems with round numbers, so that ties are as common as winners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from alphaoverlay.funds.fund import Fund
from alphaoverlay.history import FloatArray
from alphaoverlay.overlays.solver import Design

INDICES = ("AAA", "BBB", "CCC")


def single(symbol: str, index: str, leverage: float, basis_points: float, spread: float = 0.0) -> Fund:
    """A fund on one index, its expense in hundredths of a percent."""
    return Fund(symbol, symbol, {index: leverage}, expense=basis_points / 10_000, spread=spread)


@dataclass(frozen=True)
class Problem:
    """Funds and wanted exposures over the same indices."""

    wanted: dict[str, float]
    funds: list[Fund]

    @property
    def matrix(self) -> FloatArray:
        return np.array([[fund.exposures.get(name, 0.0) for fund in self.funds] for name in self.wanted])

    @property
    def target(self) -> FloatArray:
        return np.array(list(self.wanted.values()))


@st.composite
def _exposures(draw: st.DrawFn, names: Sequence[str]) -> dict[str, float]:
    if len(names) > 1 and draw(st.integers(0, 6)) == 0:
        one, other = draw(st.permutations(names))[:2]
        return {one: draw(st.sampled_from([0.5, 0.9, 1.0])), other: draw(st.sampled_from([-1.0, -0.5, 0.6, 1.0]))}
    return {draw(st.sampled_from(names)): draw(st.sampled_from([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0]))}


@st.composite
def problems(draw: st.DrawFn, largest: float = 1.3) -> Problem:
    """One to three indices, one to seven funds, exposures in tenths up to `largest` either way, not all 0."""
    names = INDICES[: draw(st.integers(1, 3))]
    funds = [
        Fund(
            f"F{k}",
            f"fund {k}",
            draw(_exposures(names)),
            expense=draw(st.sampled_from([1, 2, 3, 5, 9, 10, 95, 100, 103])) / 10_000,
            spread=draw(st.sampled_from([0.0, 0.0025, 0.004])),
        )
        for k in range(draw(st.integers(1, 7)))
    ]
    tenths = st.integers(round(-10 * largest), round(10 * largest))
    sizes = draw(st.lists(tenths, min_size=len(names), max_size=len(names)).filter(any))
    return Problem({name: size / 10 for name, size in zip(names, sizes, strict=True)}, funds)


def achieved(design: Design, wanted: Mapping[str, float]) -> FloatArray:
    """Exposures that the weights bring, added up by hand, in the order of `wanted`."""
    held = list(zip(design.portfolio.funds, design.portfolio.weights, strict=True))
    return np.array([sum(w * fund.exposures.get(name, 0.0) for fund, w in held) for name in wanted])
