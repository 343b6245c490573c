"""`[cash]`: the one short rate of a study, which cash earns, leverage pays, and excess returns are measured over."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from alphaoverlay.engine.costs import CashTerms
from alphaoverlay.study.tables import StudyTable, number


def _rate(value: Any) -> str | float:
    if isinstance(value, str) and value.strip()[:1].isalpha():
        return value.strip()
    fixed = number(value)
    if not -0.2 <= fixed <= 0.5:
        raise ValueError("a fixed rate is a yearly fraction: 2% is 0.02")
    return fixed


class CashTable(StudyTable):
    """The name of a rate file such as "DFF", or a fixed yearly fraction, none for the source's own; spreads beside it.

    Cash earns the rate less `spread`; where `borrowing_spread` is given, weights may add up to more than 1, and what is
    borrowed pays the rate plus that.
    """

    rate: Annotated[str | float | None, BeforeValidator(lambda v: v if v is None else _rate(v))] = Field(
        None, examples=['"DFF"', "0.02"]
    )

    spread: Annotated[float, BeforeValidator(number)] = Field(0.0, ge=-0.05, le=0.2, examples=["0.005"])
    borrowing_spread: Annotated[float | None, BeforeValidator(lambda v: v if v is None else number(v))] = Field(
        None, ge=0.0, le=0.5, examples=["0.015"]
    )

    def terms(self) -> CashTerms:
        """Return what cash earns below that rate, and what borrowing costs above it."""
        return CashTerms(self.spread, self.borrowing_spread)

    def build(self) -> str | float | None:
        """Return the rate's name, its fixed value, or None."""
        return self.rate
