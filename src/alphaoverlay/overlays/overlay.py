"""The overlay: a base held anyway, and long-short legs on top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Overlay:
    """Wanted exposures by index, in multiples of capital.

    Attributes
    ----------
    base : the portfolio held anyway, such as {"SP500": 1.0}.
    legs : the signed positions on top, such as {"RUSSELL2000": 0.3, "NASDAQ100": -0.3}.
    """

    base: Mapping[str, float] = field(default_factory=dict)
    legs: Mapping[str, float] = field(default_factory=dict)

    @property
    def wanted(self) -> dict[str, float]:
        """Base plus legs, by index, in the order in which they were named."""
        names = dict.fromkeys([*self.base, *self.legs])
        return {name: self.base.get(name, 0.0) + self.legs.get(name, 0.0) for name in names}

    @property
    def size(self) -> float:
        """The larger of the legs' long and short sums: the base of the break-even."""
        longs = sum(x for x in self.legs.values() if x > 0.0)
        shorts = -sum(x for x in self.legs.values() if x < 0.0)
        return max(longs, shorts)

    def scaled(self, factors: Mapping[str, float]) -> Overlay:
        """Return the overlay with each leg multiplied by its factor."""
        return Overlay(self.base, {name: size * factors.get(name, 1.0) for name, size in self.legs.items()})
