"""What a source of market data must offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from alphaoverlay.history import PriceSeries, RateSeries


class Source(Protocol):
    """One place that serves prices and rates.

    Attributes
    ----------
    name : what the user calls it; printed with every result.
    default_rate : the rate used when a study names none.
    stand_ins : index -> symbol of another index that this source offers in its place; always said in the notes.
    notes : sentences about what is real in the data; every output that uses the source carries them.
    """

    @property
    def name(self) -> str: ...
    @property
    def default_rate(self) -> str: ...
    @property
    def stand_ins(self) -> Mapping[str, str]: ...
    @property
    def notes(self) -> tuple[str, ...]: ...

    def holds(self, symbol: str) -> bool:
        """Whether `prices(symbol)` has anything to read."""
        ...

    def prices(self, symbol: str) -> PriceSeries:
        """Read one symbol; raises `SymbolNotFound` or another `DataError`."""
        ...

    def rate(self, name: str) -> RateSeries:
        """Read one rate; raises `SymbolNotFound` or another `DataError`."""
        ...
