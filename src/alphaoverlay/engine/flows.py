"""Money that comes in or goes out: amounts or shares of the value, on calendars or on days (method M6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

import numpy as np
import pandas as pd

from alphaoverlay.engine.plan import Flows
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.errors import StudyError
from alphaoverlay.history import History

Placing = Literal["underweight", "current", "rebalance"]
PLACINGS: tuple[Placing, ...] = get_args(Placing)


@dataclass(frozen=True)
class CashFlow:
    """One flow, or one that comes again and again.

    Attributes
    ----------
    amount : money in units of the initial wealth; out below 0.
    share : share of the value at that close; out below 0. Either this or `amount`.
    calendar : on which dates; or None for `days`.
    days : single days; one on which the exchange is closed counts for the next session.
    """

    amount: float = 0.0
    share: float = 0.0
    calendar: CalendarRule | None = None
    days: tuple[date, ...] = ()


@dataclass(frozen=True)
class CashFlows:
    """All flows of a portfolio, and where the money is placed between rebalances.

    Attributes
    ----------
    flows : added up where they fall on one session.
    placing : "underweight" moves weights towards the targets without trading against the flow, "current" keeps the
        weights as they are, "rebalance" trades to the targets.
    """

    flows: tuple[CashFlow, ...] = ()
    placing: Placing = "underweight"

    def compile(self, history: History) -> Flows:
        """Turn the flows into arrays over the sessions; none falls on the purchase.

        Raises
        ------
        StudyError : a flow without a date, with both an amount and a share, or a number that makes no sense.
        """
        if self.placing not in PLACINGS:
            raise StudyError(f"rebalance.flows = {self.placing!r}: write one of {', '.join(PLACINGS)}")
        n = len(history.dates)
        amount, share = np.zeros(n), np.zeros(n)
        for flow in self.flows:
            _check(flow)
            on = _sessions(flow, history)
            np.add.at(amount, on, flow.amount)
            np.add.at(share, on, flow.share)
        if (share < -1.0).any():
            raise StudyError("the withdrawals of one session add up to more than all there is; lower their shares")
        return Flows(amount, share, PLACINGS.index(self.placing))


def _check(flow: CashFlow) -> None:
    if (flow.amount == 0.0) == (flow.share == 0.0):
        raise StudyError("a cash flow has either an amount or a share, other than 0")
    if not (np.isfinite(flow.amount) and -1.0 <= flow.share <= 10.0):
        raise StudyError("a cash flow's amount must be finite, and its share from -1 (everything) to 10")
    if (flow.calendar is None) == (not flow.days):
        raise StudyError("a cash flow comes either on a calendar or on days; name one of them")


def _sessions(flow: CashFlow, history: History) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Positions of the sessions it falls on, each as often as it does, the first session left out."""
    if flow.calendar is not None:
        marked = flow.calendar.sessions(history.dates, history.exchange_sessions)
        on = np.flatnonzero(marked)
    else:
        days = sorted({pd.Timestamp(day) for day in flow.days})
        on = np.array([history.dates.searchsorted(day) for day in days if day > history.dates[0]], dtype=np.int64)
    return on[(on > 0) & (on < len(history.dates))]
