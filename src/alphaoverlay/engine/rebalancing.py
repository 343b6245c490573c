"""The rule that says when a portfolio is traded back to its targets (methods M6 and M7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from alphaoverlay.engine.bands import Band, bands_that_apply, compile_bands
from alphaoverlay.engine.plan import Rules
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.errors import StudyError
from alphaoverlay.funds.fund import Fund
from alphaoverlay.history import FloatArray, History

MOST_TRANCHES = 100


@dataclass(frozen=True)
class RebalancingRule:
    """A calendar and bands; whichever comes first trades.

    Attributes
    ----------
    calendar : its dates trade to the targets.
    bands : a breach of any trades to its destination.
    check : on which dates bands are looked at.
    minimum_interval : sessions that lie at least between two rebalances.
    tranches : equal parts of the wealth, each rebalanced by itself, their dates spread over the calendar's period.
    lag : sessions between seeing and trading.
    """

    calendar: CalendarRule = field(default_factory=CalendarRule)
    bands: tuple[Band, ...] = ()
    check: CalendarRule = field(default_factory=lambda: CalendarRule("daily"))
    minimum_interval: int = 0
    tranches: int = 1
    lag: int = 0

    def _check(self) -> None:
        if self.lag < 0 or self.minimum_interval < 0:
            raise StudyError("rebalance.lag and rebalance.min_interval: write a number of sessions, 0 or more")
        if not 1 <= self.tranches <= MOST_TRANCHES:
            raise StudyError(f"rebalance.tranches = {self.tranches}: write 1 to {MOST_TRANCHES}")
        if self.tranches > 1 and self.calendar.calendar in ("never", "daily"):
            raise StudyError(
                f"rebalance.tranches = {self.tranches}: a {self.calendar.calendar} calendar has no dates to spread; "
                "choose another calendar, or leave tranches out"
            )

    def for_another(
        self, funds: Sequence[Fund], targets: FloatArray, benchmark: Mapping[str, float]
    ) -> RebalancingRule:
        """Return the same rule for another portfolio, without bands that mean nothing for it."""
        return replace(self, bands=bands_that_apply(self.bands, funds, targets, benchmark))

    def calendar_sessions(self, history: History) -> NDArray[np.bool_]:
        """Mark the sessions on which each tranche's calendar trades, after the lag; shape (tranches, n)."""
        dates, exchange = history.dates, history.exchange_sessions
        decided = np.stack([self.calendar.sessions(dates, exchange, j / self.tranches) for j in range(self.tranches)])
        traded = np.zeros_like(decided)
        n = len(dates)
        traded[:, min(self.lag, n) :] = decided[:, : max(n - self.lag, 0)]
        return traded

    def compile(
        self, funds: Sequence[Fund], targets: FloatArray, history: History, benchmark: Mapping[str, float]
    ) -> Rules:
        """Turn the rule into arrays for a portfolio of these funds.

        Raises
        ------
        StudyError : a number out of bounds, tranches without a period, or as `compile_bands` and `CalendarRule`.
        """
        self._check()
        return Rules(
            trade=self.calendar_sessions(history),
            watch=self.check.sessions(history.dates, history.exchange_sessions),
            bands=compile_bands(self.bands, funds, targets, benchmark),
            lag=self.lag,
            interval=self.minimum_interval,
        )


def as_rule(rule: CalendarRule | RebalancingRule | None) -> RebalancingRule:
    """Return a rule from a calendar alone; quarterly from None."""
    if isinstance(rule, RebalancingRule):
        return rule
    return RebalancingRule(rule or CalendarRule())
