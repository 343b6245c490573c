"""How much of a result is the choice of the day: the same rule at every offset (method M7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import Calendar
from alphaoverlay.errors import StudyError

# Sessions of a period, about; an offset beyond a shorter period is clipped to it.
SESSIONS: dict[Calendar, int] = {"weekly": 5, "monthly": 21, "quarterly": 63, "semiannual": 126, "annual": 252}


@dataclass(frozen=True)
class TimingLuck:
    """Results of one rule by offset.

    Attributes
    ----------
    results : a row an offset (0: the period's last session), a column a figure.
    """

    results: pd.DataFrame

    @property
    def spread(self) -> pd.DataFrame:
        """Least, 5%, median, mean, 95%, most and standard deviation of each figure; a row each."""
        values = self.results
        return pd.DataFrame(
            {
                "least": values.min(),
                "p05": values.quantile(0.05),
                "median": values.median(),
                "mean": values.mean(),
                "p95": values.quantile(0.95),
                "most": values.max(),
                "deviation": values.std(ddof=1),
            }
        ).T


def timing_luck(rule: RebalancingRule, run: Callable[[RebalancingRule], dict[str, float]]) -> TimingLuck:
    """Run a rule at every offset of its calendar.

    Parameters
    ----------
    rule : its own offset does not matter.
    run : returns the figures wanted of one rule.

    Raises
    ------
    StudyError : the calendar has no period to choose a day of.
    """
    calendar = rule.calendar.calendar
    if calendar not in SESSIONS:
        raise StudyError(
            f'timing luck needs a calendar with a period: calendar = "{calendar}" has no day to choose; write weekly, '
            "monthly, quarterly, semiannual or annual"
        )
    offsets = range(SESSIONS[calendar])
    found = [run(replace(rule, calendar=replace(rule.calendar, offset=offset))) for offset in offsets]
    frame = pd.DataFrame(found, index=pd.RangeIndex(len(offsets), name="offset"), dtype=np.float64)
    return TimingLuck(frame)
