"""The span, rate and trading of a question about one fund, checked as a study's are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError, model_validator

from alphaoverlay.errors import StudyError
from alphaoverlay.study.cash import CashTable
from alphaoverlay.study.costs import CostsTable
from alphaoverlay.study.rebalance import RebalanceTable
from alphaoverlay.study.tables import Day, StudyTable, explain


class FundSpan(StudyTable):
    """First and last close, as long as the fund lived when left out, the short rate, and how to trade."""

    start: Day = Field(None, examples=["2010-02-11"])
    end: Day = Field(None, examples=["2021-12-15"])
    cash: CashTable = Field(default_factory=CashTable)
    rebalance: RebalanceTable = Field(default_factory=RebalanceTable)
    costs: CostsTable = Field(default_factory=CostsTable)

    @model_validator(mode="after")
    def _in_order(self) -> FundSpan:
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError(f"start = {self.start} is not before end = {self.end}")
        return self

    @property
    def first(self) -> str | None:
        """ISO date of the first close."""
        return None if self.start is None else self.start.isoformat()

    @property
    def last(self) -> str | None:
        """ISO date of the last close."""
        return None if self.end is None else self.end.isoformat()


def fund_span(values: Mapping[str, Any], place: str, end: str = "end") -> FundSpan:
    """Check values (those that are None are left out) and return the span.

    Parameters
    ----------
    values : by field.
    place : where they were written, for messages.
    end : what the user calls the last close.

    Raises
    ------
    StudyError : a wrong value; names the place and the key, and says what to write.
    """
    try:
        return FundSpan.model_validate({key: value for key, value in values.items() if value is not None})
    except ValidationError as error:
        raise StudyError(re.sub(r"\bend\b", end, str(explain(error, FundSpan, place)))) from None
