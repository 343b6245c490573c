"""`[rebalance]`: when the portfolio is traded back to its targets."""

from __future__ import annotations

from pydantic import Field, model_validator

from alphaoverlay.engine.schedule import Calendar, CalendarRule
from alphaoverlay.study.tables import StudyTable


class RebalanceTable(StudyTable):
    """A calendar, and how many sessions before the period's last."""

    calendar: Calendar = Field("quarterly", examples=['"quarterly"'])
    offset: int = Field(0, ge=0, le=400, examples=["0"])

    @model_validator(mode="after")
    def _offset_needs_a_period(self) -> RebalanceTable:
        if self.offset and self.calendar in ("never", "daily"):
            raise ValueError(f'offset = {self.offset} has no meaning with calendar = "{self.calendar}"; leave it out')
        return self

    def build(self) -> CalendarRule:
        """Return the rule."""
        return CalendarRule(self.calendar, self.offset)
