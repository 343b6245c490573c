"""`[rebalance]`: when the portfolio is traded back to its targets."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from alphaoverlay.engine.bands import Band, BandMeasure
from alphaoverlay.engine.flows import Placing
from alphaoverlay.engine.rebalancing import MOST_TRANCHES, RebalancingRule
from alphaoverlay.engine.schedule import Calendar, CalendarRule
from alphaoverlay.study.tables import StudyTable, number

# A wider band never breaks: points were meant, not multiples of capital.
WIDEST = 3.0


def _size(value: Any) -> Any:
    """A number for both sides, or a table with one or two of below and above."""
    if not isinstance(value, dict):
        return _checked_size(value)
    if not value or set(value) - {"below", "above"}:
        raise ValueError("write a number such as 0.05, or { below = 0.05, above = 0.10 }")
    return {side: _checked_size(one) for side, one in value.items()}


def _checked_size(value: Any) -> float:
    size = number(value)
    if not 0.0 <= size <= WIDEST:
        raise ValueError(f"write 0 or more, in multiples of capital: 5 points are 0.05 ({WIDEST:g} at most)")
    return size


def _destination(value: Any) -> Any:
    if isinstance(value, str) and value in ("target", "edge"):
        return value
    try:
        part = number(value)
    except ValueError:
        part = -1.0
    if not 0.0 <= part <= 1.0:
        raise ValueError('write "target", "edge", or the part of the way from the edge to the target, such as 0.5')
    return part


def _names(value: Any) -> Any:
    names = [value] if isinstance(value, str) else value
    return [one.upper() if isinstance(one, str) else one for one in names] if isinstance(names, list) else names


class BandTable(StudyTable):
    """One tolerance: on what, how much, for which, and where a breach is traded to."""

    on: BandMeasure = Field("exposure", examples=['"exposure"'])
    kind: Literal["absolute", "relative"] = Field("absolute", examples=['"absolute"'])
    size: Annotated[float | dict[str, float], BeforeValidator(_size)] = Field(examples=["0.05"])
    only: Annotated[list[str], BeforeValidator(_names)] = Field(default_factory=list, examples=['["TNA"]'])
    destination: Annotated[str | float, BeforeValidator(_destination)] = Field("target", examples=['"target"'])

    @model_validator(mode="after")
    def _names_need_a_measure(self) -> BandTable:
        if self.only and self.on not in ("weight", "exposure"):
            raise ValueError(f'only = {self.only} has no meaning with on = "{self.on}"; leave it out')
        return self

    def build(self) -> Band:
        """Return the band; a side that is not named has no limit."""
        sides = self.size if isinstance(self.size, dict) else {"below": self.size, "above": self.size}
        part = {"edge": 0.0, "target": 1.0}.get(str(self.destination))
        return Band(
            on=self.on,
            below=sides.get("below", float("inf")),
            above=sides.get("above", float("inf")),
            kind=self.kind,
            only=tuple(self.only),
            destination=float(self.destination) if part is None else part,
        )


def _bands(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


class RebalanceTable(StudyTable):
    """A calendar, bands, and how trades are spread in time."""

    calendar: Calendar = Field("quarterly", examples=['"quarterly"'])
    offset: int = Field(0, ge=0, le=400, examples=["0"])
    band: Annotated[list[BandTable], BeforeValidator(_bands)] = Field(
        default_factory=list, max_length=50, examples=['{ on = "exposure", size = 0.10 }']
    )
    check: Calendar = Field("daily", examples=['"daily"'])
    min_interval: int = Field(0, ge=0, le=10_000, examples=["5"])
    tranches: int = Field(1, ge=1, le=MOST_TRANCHES, examples=["3"])
    lag: int = Field(0, ge=0, le=250, examples=["1"])
    flows: Placing = Field("underweight", examples=['"underweight"'])

    @model_validator(mode="after")
    def _what_needs_a_period(self) -> RebalanceTable:
        if self.offset and self.calendar in ("never", "daily"):
            raise ValueError(f'offset = {self.offset} has no meaning with calendar = "{self.calendar}"; leave it out')
        if self.tranches > 1 and self.calendar in ("never", "daily"):
            raise ValueError(
                f'tranches = {self.tranches} has no meaning with calendar = "{self.calendar}", which has no dates to '
                "spread; leave it out"
            )
        if self.check != "daily" and not self.band:
            raise ValueError(f'check = "{self.check}" says when bands are looked at, and there is none; add a band')
        if self.check == "never":
            raise ValueError('check = "never": the bands would never be looked at; leave them out')
        return self

    def build(self) -> RebalancingRule:
        """Return the rule."""
        return RebalancingRule(
            calendar=CalendarRule(self.calendar, self.offset),
            bands=tuple(band.build() for band in self.band),
            check=CalendarRule(self.check),
            minimum_interval=self.min_interval,
            tranches=self.tranches,
            lag=self.lag,
        )
