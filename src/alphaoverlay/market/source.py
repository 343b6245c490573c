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
    default_rate : the rate used when a study names none; may belong to another source beside it.
    stand_ins : index -> symbol of another index that this source offers in its place; always said in the notes.
    notes : sentences about what is real in the data; every output that uses the source carries them.
    accept : names of serious findings (`market.checks`) that the user takes as they are.
    """

    @property
    def name(self) -> str: ...
    @property
    def default_rate(self) -> str: ...
    @property
    def stand_ins(self) -> Mapping[str, str]: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def accept(self) -> frozenset[str]: ...

    def holds(self, symbol: str) -> bool:
        """Whether `prices(symbol)` has anything to read."""
        ...

    def prices(self, symbol: str, since: str | None = None) -> PriceSeries:
        """Read one symbol, all of it or from a day (ISO date) on; a source that cannot cut may return more.

        Raises
        ------
        SymbolNotFound : the source has no such symbol.
        DataError : what it has cannot be used; `FetchError` where a web source gave no usable answer.
        """
        ...

    def rate(self, name: str, since: str | None = None) -> RateSeries:
        """Read one rate; arguments and errors as for `prices`."""
        ...
