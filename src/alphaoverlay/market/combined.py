"""Several sources in a stated order, read as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alphaoverlay.errors import SymbolNotFound
from alphaoverlay.history import PriceSeries, RateSeries
from alphaoverlay.market.source import Source

if TYPE_CHECKING:
    from alphaoverlay.market.stored import StoredSource


@dataclass(frozen=True)
class CombinedSource:
    """The first source that has a series serves it, unless the study names another for it.

    Parameters
    ----------
    sources : in order.
    chosen : symbol or rate -> the source that serves it, which is one of `sources` or one more.
    accept : names of serious findings that are taken as they are.
    stored : those of the sources that are behind the store.
    """

    sources: tuple[Source, ...]
    chosen: Mapping[str, Source] = field(default_factory=dict)
    accept: frozenset[str] = frozenset()
    stored: tuple[StoredSource, ...] = ()

    @property
    def name(self) -> str:
        """The sources' names, in order."""
        return ", ".join(dict.fromkeys(one.name for one in self._all))

    @property
    def default_rate(self) -> str:
        """The first source's."""
        return self.sources[0].default_rate

    @property
    def stand_ins(self) -> Mapping[str, str]:
        """The first source's."""
        return self.sources[0].stand_ins

    @property
    def notes(self) -> tuple[str, ...]:
        """All sources' notes."""
        return tuple(dict.fromkeys(note for one in self._all for note in one.notes))

    @property
    def _all(self) -> Sequence[Source]:
        return (*self.sources, *(one for one in self.chosen.values() if one not in self.sources))

    def remember(self, fingerprint: str) -> str:
        """Keep in the store which versions were read, by the fingerprint of what was made of them.

        Returns
        -------
        Why that was not possible; empty where it was.
        """
        if self.stored:
            from alphaoverlay.market.stored import remember

            return remember(self.stored, fingerprint)
        return ""

    def holds(self, symbol: str) -> bool:
        """Whether the source chosen for the symbol has it, or any where none was chosen."""
        return any(one.holds(symbol) for one in self._for(symbol))

    def prices(self, symbol: str, since: str | None = None) -> PriceSeries:
        """Return a symbol's prices from the first source that has it; errors as the first one says."""
        for one in self._for(symbol):
            if one.holds(symbol):
                return one.prices(symbol, since)
        return self._for(symbol)[0].prices(symbol, since)

    def rate(self, name: str, since: str | None = None) -> RateSeries:
        """Return a rate from the first source that has it; errors as the last one says."""
        missing: SymbolNotFound | None = None
        for one in self._for(name):
            try:
                return one.rate(name, since)
            except SymbolNotFound as error:
                missing = error  # of the last one: that is where rates come from, unless others have them
        assert missing is not None
        raise missing

    def _for(self, name: str) -> tuple[Source, ...]:
        chosen = self.chosen.get(name.lstrip("^").upper())
        return self.sources if chosen is None else (chosen,)
