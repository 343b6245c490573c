"""Which sessions a calendar rule trades on (method M6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphaoverlay.errors import StudyError

Calendar = Literal["never", "daily", "weekly", "monthly", "quarterly", "semiannual", "annual"]
CALENDARS: tuple[Calendar, ...] = get_args(Calendar)
REBALANCES_A_YEAR: dict[Calendar, float] = {
    "never": 0.0, "daily": 252.0, "weekly": 52.0, "monthly": 12.0, "quarterly": 4.0, "semiannual": 2.0, "annual": 1.0,
}  # fmt: skip


@dataclass(frozen=True)
class CalendarRule:
    """Trade at the end of each period.

    Attributes
    ----------
    calendar : the period.
    offset : the k-th session before the period's last, clipped to the period.
    """

    calendar: Calendar = "quarterly"
    offset: int = 0

    def sessions(self, dates: pd.DatetimeIndex, exchange: pd.DatetimeIndex, earlier: float = 0.0) -> NDArray[np.bool_]:
        """Mark the sessions of `dates` on which the rule trades.

        Parameters
        ----------
        dates : the span's sessions.
        exchange : the exchange's sessions in every calendar year that the span touches: the end of a period is read
            from it, never from where the prices stop.
        earlier : share of the period, rounded down to sessions, by which to trade before that; still inside the period.

        Raises
        ------
        StudyError : unknown calendar or negative offset.
        """
        if self.calendar not in CALENDARS:
            raise StudyError(f"rebalance.calendar = {self.calendar!r}: write one of {', '.join(CALENDARS)}")
        if self.offset < 0:
            raise StudyError(f"rebalance.offset = {self.offset}: write 0 (the period's last session) or more")
        if self.calendar == "never":
            return np.zeros(len(dates), dtype=np.bool_)
        if self.calendar == "daily":
            return np.ones(len(dates), dtype=np.bool_)
        period = _period_numbers(exchange, self.calendar)
        last = np.flatnonzero(np.diff(period, append=period[-1] + 1))
        first = np.concatenate(([0], last[:-1] + 1))
        # A share such as 2/3 of 63 sessions is 42, whatever the division leaves behind the point.
        ahead = np.floor((last - first + 1) * earlier + 1e-9).astype(np.int64)
        chosen = exchange[np.maximum(last - self.offset - ahead, first)]
        return np.asarray(dates.isin(chosen), dtype=np.bool_)


def _period_numbers(dates: pd.DatetimeIndex, calendar: Calendar) -> NDArray[np.int64]:
    """Number the period each date lies in; consecutive periods have rising numbers."""
    if calendar == "weekly":
        days = dates.to_numpy().astype("datetime64[D]").astype(np.int64)
        return (days + 3) // 7  # 1970-01-01 was a Thursday: weeks begin on Monday
    months = dates.year.to_numpy(dtype=np.int64) * 12 + dates.month.to_numpy(dtype=np.int64) - 1
    return months // {"monthly": 1, "quarterly": 3, "semiannual": 6, "annual": 12}[calendar]
