"""`[rebalance]`: when the portfolio is traded back to its targets."""

from __future__ import annotations

from pydantic import Field

from alphaoverlay.engine.schedule import Calendar, CalendarRule
from alphaoverlay.study.tables import StudyTable


class RebalanceTable(StudyTable):
    """A calendar, and how many sessions before the period's last."""

    calendar: Calendar = Field("quarterly", examples=['"quarterly"'])
    offset: int = Field(0, ge=0, le=400, examples=["0"])

    def build(self) -> CalendarRule:
        """Return the rule."""
        return CalendarRule(self.calendar, self.offset)
