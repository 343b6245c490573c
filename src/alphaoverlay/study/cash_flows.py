"""`[[flows]]`: money that comes in or goes out."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from alphaoverlay.engine.flows import CashFlow
from alphaoverlay.engine.schedule import Calendar, CalendarRule
from alphaoverlay.study.tables import StudyTable, number


def _days(value: Any) -> Any:
    days = value if isinstance(value, list) else [value]
    read = []
    for day in days:
        if isinstance(day, str):
            try:
                day = datetime.date.fromisoformat(day.strip())
            except ValueError:
                raise ValueError("write dates as YYYY-MM-DD") from None
        read.append(day.date() if isinstance(day, datetime.datetime) else day)
    return read


class FlowTable(StudyTable):
    """An amount of money, or a share of the value, on a calendar or on days; out with a minus sign."""

    amount: float = Field(0.0, ge=-1e12, le=1e12, allow_inf_nan=False, examples=["500"])
    share: Annotated[float, BeforeValidator(number)] = Field(0.0, ge=-1.0, le=10.0, examples=["-0.04"])
    calendar: Calendar | None = Field(None, examples=['"monthly"'])
    offset: int = Field(0, ge=0, le=400, examples=["0"])
    dates: Annotated[list[datetime.date], BeforeValidator(_days)] = Field(
        default_factory=list, max_length=10_000, examples=["[2020-03-31]"]
    )

    @model_validator(mode="after")
    def _one_of_each(self) -> FlowTable:
        if (self.amount == 0.0) == (self.share == 0.0):
            raise ValueError("write either an amount of money, such as amount = 500, or a share of the value")
        if (self.calendar is None) == (not self.dates):
            raise ValueError('write when: either calendar = "monthly", or dates = [2020-03-31]')
        if self.calendar == "never":
            raise ValueError('calendar = "never": this flow never comes; leave it out')
        if self.offset and (self.calendar is None or self.calendar == "daily"):
            raise ValueError(f"offset = {self.offset} needs a calendar with a period; leave it out")
        return self

    def build(self, capital: float | None) -> CashFlow:
        """Return the flow, amounts in units of the initial wealth."""
        calendar = None if self.calendar is None else CalendarRule(self.calendar, self.offset)
        return CashFlow(self.amount / (capital or 1.0), self.share, calendar, tuple(self.dates))
