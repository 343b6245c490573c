"""`[cash]`: the one short rate of a study, which cash earns, leverage pays, and excess returns are measured over."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from alphaoverlay.study.tables import StudyTable, number


def _rate(value: Any) -> str | float:
    if isinstance(value, str) and value.strip()[:1].isalpha():
        return value.strip()
    fixed = number(value)
    if not -0.2 <= fixed <= 0.5:
        raise ValueError("a fixed rate is a yearly fraction: 2% is 0.02")
    return fixed


class CashTable(StudyTable):
    """The name of a rate file such as "DFF", or a fixed yearly fraction; none takes the source's own."""

    rate: Annotated[str | float | None, BeforeValidator(lambda v: v if v is None else _rate(v))] = Field(
        None, examples=['"DFF"', "0.02"]
    )

    def build(self) -> str | float | None:
        """Return the rate's name, its fixed value, or None."""
        return self.rate
