"""A study whose signal sizes its overlay: the portfolio at each size, and which one is decided at each close."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import DesignError, SpanError, StudyError
from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.funds.fund import Fund
from alphaoverlay.history import iso
from alphaoverlay.market.source import Source
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.signals.relative_value import Pair
from alphaoverlay.signals.tactical import Tactical, follow_signal
from alphaoverlay.study.levels import Levels, common_span, read_levels
from alphaoverlay.study.signal_table import SignalTable

# What a signal decides at a close is traded at the next.
LAG = 1


@dataclass(frozen=True)
class SizedOverlay:
    """Portfolios by size, and the sizes.

    Attributes
    ----------
    portfolios : at every size that the rule can decide.
    tactical : what it decided, on the signal's own sessions.
    levels : what it was read from.
    notes : sentences that every output must carry.
    """

    portfolios: Mapping[float, Portfolio]
    tactical: Tactical
    levels: Levels
    notes: tuple[str, ...]

    @property
    def symbols(self) -> list[str]:
        """Every fund held at any size."""
        return [fund.symbol for fund in funds_of(self.portfolios)]

    def decided(self, dates: pd.DatetimeIndex) -> pd.Series:
        """Return the size decided at each of the sessions.

        Raises
        ------
        SpanError : the signal's levels end before them.
        """
        size = self.tactical.size
        if size.index[-1] < dates[-1]:
            raise SpanError(
                f"the signal is known to {iso(size.index[-1])}, the span ends on {iso(dates[-1])}: write end = "
                f"{iso(size.index[-1])}, or add later levels of its legs"
            )
        return size.reindex(dates).fillna(self.tactical.rule.rest)

    def targets(self, dates: pd.DatetimeIndex) -> Targets:
        """Return the weights decided at each session, traded at the next; bought at what was decided before the first.

        Raises
        ------
        SpanError : as `decided`.
        """
        rows = {size: self._row(one) for size, one in self.portfolios.items()}
        decided = self.decided(dates)
        before = self.tactical.size.loc[self.tactical.size.index < dates[0]]
        opening = float(before.iloc[-1]) if len(before) else self.tactical.rule.rest
        frame = pd.DataFrame([rows[float(size)] for size in decided], index=dates, columns=self.symbols)
        return Targets.by_session(frame, LAG, opening=rows[opening])

    def _row(self, portfolio: Portfolio) -> list[float]:
        held = portfolio.by_symbol
        return [held.get(symbol, 0.0) for symbol in self.symbols]


def funds_of(portfolios: Mapping[float, Portfolio]) -> tuple[Fund, ...]:
    """Return every fund of the portfolios, those of the largest size first."""
    largest_first = [portfolios[size] for size in sorted(portfolios, reverse=True)]
    return tuple({fund.symbol: fund for one in largest_first for fund in one.funds}.values())


def portfolios_by_size(
    table: SignalTable, full: Portfolio, at_size: Callable[[float], Portfolio]
) -> dict[float, Portfolio]:
    """Return the portfolio at every size that the signal can decide; `full` is the one at size 1."""
    return {size: full if size == 1.0 else at_size(size) for size in table.build().sizes}


def blend(full: Portfolio, base: Portfolio, size: float) -> Portfolio:
    """Hold `size` of one portfolio and the rest of another.

    Raises
    ------
    DesignError : at that size a weight would be negative; says whose.
    """
    funds = {fund.symbol: fund for fund in (*full.funds, *base.funds)}
    weights = {
        symbol: round(size * full.by_symbol.get(symbol, 0.0) + (1.0 - size) * base.by_symbol.get(symbol, 0.0), 12)
        for symbol in funds
    }
    if short := [symbol for symbol, weight in weights.items() if weight < 0.0]:
        raise DesignError(
            f"the signal can decide on size {size:g}, which is short of {', '.join(short)}: {size:g} times the weights "
            f"less {size - 1.0:g} times the benchmark. Write smaller steps, or weights that hold as much of it"
        )
    held = {symbol: weight for symbol, weight in weights.items() if weight}
    return Portfolio(tuple(funds[symbol] for symbol in held), tuple(held.values()))


def pair_of(table: SignalTable, levels: Levels) -> Pair:
    """Return the signal's pair.

    Raises
    ------
    StudyError : both legs are one series under two names.
    SpanError, DataError : as `common_span` and `Pair.of`.
    """
    what = levels.made_of[table.long]
    if what == levels.made_of[table.short]:
        raise StudyError(f"signal: {table.long} and {table.short} are both {what}; name two series")
    return Pair.of(common_span(levels.frame, (table.long, table.short)))


def read_sizes(
    table: SignalTable,
    portfolios: Mapping[float, Portfolio],
    source: Source,
    catalogue: Catalogue,
    end: str | None,
) -> SizedOverlay:
    """Read the signal's legs, all their past up to `end`, and decide a size at each close.

    Raises
    ------
    AlphaOverlayError : as `read_levels`, `common_span` and `follow_signal`.
    """
    levels = read_levels((table.long, table.short), table.basis, source, catalogue, end=end, rates=False)
    tactical = follow_signal(pair_of(table, levels), table.build())
    known = tactical.percentile.dropna().index
    asleep = f"unknown before {iso(known[0])}" if len(known) else "never known"
    note = (
        f"The overlay's size follows {table.long} against {table.short} ({table.basis} levels): decided at a close, "
        f"traded at the next. The signal is {asleep}; until then the size is {table.rest:g}."
    )
    return SizedOverlay(portfolios, tactical, levels, (*levels.notes, note))
