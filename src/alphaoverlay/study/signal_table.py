"""`[signal]`: a pair whose relative value is read, and how it sizes the overlay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from alphaoverlay.errors import StudyError
from alphaoverlay.funds.ticker import canonical_symbol
from alphaoverlay.signals.relative_value import FEWEST, HORIZON, TWENTY_YEARS, WINDOW
from alphaoverlay.signals.tactical import TacticalRule
from alphaoverlay.study.tables import StudyTable, number

MOST_PROXIES, MOST_STEPS = 12, 10
MOST_SIZE = 3.0


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("write a symbol or an index")
    return canonical_symbol(value.strip())


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, list | tuple) and len(one) == 2 for one in value):
        raise ValueError("write a list of pairs, the long leg first")
    return tuple((_name(long), _name(short)) for long, short in value)


def _steps(value: Any) -> tuple[tuple[float, float], ...]:
    if isinstance(value, Mapping):
        value = list(value.items())
    if not isinstance(value, list | tuple) or not all(isinstance(one, list | tuple) and len(one) == 2 for one in value):
        raise ValueError("write a table of percentiles and sizes")
    return tuple((number(at), number(size)) for at, size in value)


def _lookback(value: Any) -> Any:
    if value == "all":
        return None
    return TWENTY_YEARS if value == "20y" else value


Name = Annotated[str, BeforeValidator(_name)]
Number = Annotated[float, BeforeValidator(number)]
Share = Annotated[Number, Field(ge=0.0, le=1.0)]


class SignalTable(StudyTable):
    """The pair, its window, when the overlay is on, and what its evidence is judged by; percentiles as fractions.

    `role`: "size" lets the signal size the overlay (or the weights against their benchmark); "watch" only reads it.
    """

    long: Name = Field(examples=['"RUT"'])
    short: Name = Field(examples=['"IXIC"'])
    basis: Literal["price", "total"] = Field("price", examples=['"price"'])
    window: int = Field(WINDOW, ge=20, le=5040, examples=["756"])
    lookback: Annotated[int | None, BeforeValidator(_lookback)] = Field(
        None, ge=FEWEST, le=25_200, examples=['"20y"', '"all"', "2520"]
    )
    enter: Share = Field(0.05, examples=["0.05"])
    exit: Share = Field(0.50, examples=["0.5"])
    steps: Annotated[tuple[tuple[float, float], ...], BeforeValidator(_steps)] = Field(
        (), max_length=MOST_STEPS, examples=['{ "5%" = 0.5, "1%" = 1.0 }']
    )
    profit_target: Annotated[Number, Field(gt=0.0, le=10.0)] | None = Field(None, examples=["0.25"])
    stop: Annotated[Number, Field(gt=0.0, le=10.0)] | None = Field(None, examples=["0.15"])
    time_limit: int | None = Field(None, ge=1, le=5040, examples=["252"])
    cooldown: int = Field(0, ge=0, le=5040, examples=["21"])
    rest: Annotated[Number, Field(ge=0.0, le=MOST_SIZE)] = Field(0.0, examples=["0"])
    confirm: Literal["none", "trend", "momentum"] = Field("none", examples=['"trend"'])
    horizon: int = Field(HORIZON, ge=1, le=2520, examples=["252"])
    proxies: Annotated[tuple[tuple[str, str], ...] | None, BeforeValidator(_pairs)] = Field(
        None, max_length=MOST_PROXIES, examples=['[["IWM", "QQQ"]]']
    )
    role: Literal["size", "watch"] = Field("size", examples=['"watch"'])

    @model_validator(mode="after")
    def _makes_sense(self) -> SignalTable:
        if self.long.lstrip("^") == self.short.lstrip("^"):
            raise ValueError(f"long and short are both {self.long.lstrip('^')}; name two")
        if any(not 0.0 <= at <= 1.0 or not 0.0 <= size <= MOST_SIZE for at, size in self.steps):
            raise ValueError(f"steps: percentiles are from 0 to 1, sizes from 0 to {MOST_SIZE:g}")
        try:
            self.build().compile()
        except StudyError as error:
            raise ValueError(str(error)) from None
        return self

    def build(self) -> TacticalRule:
        """Return the rule."""
        return TacticalRule(
            window=self.window,
            lookback=self.lookback,
            enter=self.enter,
            exit=self.exit,
            steps=self.steps,
            profit_target=self.profit_target,
            stop=self.stop,
            time_limit=self.time_limit,
            cooldown=self.cooldown,
            rest=self.rest,
            confirm=self.confirm,
        )
