"""The study as a whole, from a TOML file or from command-line words."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from alphaoverlay.engine.flows import CashFlows
from alphaoverlay.errors import StudyError, TickerError
from alphaoverlay.overlays.overlay import Overlay
from alphaoverlay.study.benchmark import Benchmark
from alphaoverlay.study.cash import CashTable
from alphaoverlay.study.cash_flows import FlowTable
from alphaoverlay.study.costs import CostsTable
from alphaoverlay.study.data_table import DataTable
from alphaoverlay.study.exposures import Exposures
from alphaoverlay.study.fund_choice import FundsTable
from alphaoverlay.study.rebalance import RebalanceTable
from alphaoverlay.study.signal_table import SignalTable
from alphaoverlay.study.sizing import SizingTable
from alphaoverlay.study.tables import Day, StudyTable, explain
from alphaoverlay.study.weights import Weights

MAX_BYTES = 2**20
NOTHING_TO_HOLD = (
    "nothing to hold; write [base] and [overlay] (exposures by index), or [weights] (by symbol); a [signal] alone is "
    "read with: alphaoverlay signal"
)


class Study(StudyTable):
    """What to design and test.

    Either `[base]` and/or `[overlay]` (exposures by index), or `[weights]` (by symbol); or a `[signal]` to read.
    """

    title: str = Field("", max_length=200, examples=['"Small caps over mega-cap growth"'])
    start: Day = Field(None, examples=["2010-02-11"])
    end: Day = Field(None, examples=["2021-12-15"])
    benchmark: Benchmark | None = Field(None, examples=['"SPY"'])
    base: Exposures = Field(default_factory=dict, examples=["{ SP500 = 1.0 }"])
    overlay: Exposures = Field(default_factory=dict, examples=["{ RUSSELL2000 = 0.3, NASDAQ100 = -0.3 }"])
    weights: Weights | None = Field(None, examples=["{ SPY = 0.7, UPRO = 0.1, TNA = 0.1, SQQQ = 0.1 }"])
    sizing: SizingTable = Field(default_factory=SizingTable)
    funds: FundsTable = Field(default_factory=FundsTable)
    rebalance: RebalanceTable = Field(default_factory=RebalanceTable)
    costs: CostsTable = Field(default_factory=CostsTable)
    cash: CashTable = Field(default_factory=CashTable)
    capital: float | None = Field(None, gt=0.0, le=1e15, examples=["100000"])
    flows: Annotated[list[FlowTable], BeforeValidator(lambda v: [v] if isinstance(v, dict) else v)] = Field(
        default_factory=list, max_length=1000, examples=['[{ amount = 500, calendar = "monthly" }]']
    )
    signal: SignalTable | None = Field(None, examples=['{ long = "RUT", short = "IXIC" }'])
    data: DataTable = Field(default_factory=DataTable)

    @model_validator(mode="after")
    def _one_portfolio(self) -> Study:
        if self.weights is not None and (self.base or self.overlay):
            raise ValueError("write either [weights], or [base] and [overlay], not both")
        if not self.holds_something and self.signal is None:
            raise ValueError(NOTHING_TO_HOLD)
        if self.weights is not None and (self.sizing.kind != "exposure" or self.funds.allow is not None):
            raise ValueError("[sizing] and funds.allow belong to [base] and [overlay], not to [weights]")
        self._refuse_borrowing_without_a_price()
        if self.capital is None:
            money = [key for key in ("per_trade", "min_trade", "impact") if getattr(self.costs, key)]
            money = [f"costs.{key}" for key in money]
            money += [f"flows: amount = {flow.amount:g}" for flow in self.flows if flow.amount]
            if money:
                raise ValueError(f"{money[0]} is in money; say how much is invested, such as capital = 100000")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError(f"start = {self.start} is not before end = {self.end}")
        return self

    def _refuse_borrowing_without_a_price(self) -> None:
        for name, weights in (("weights", self.weights), ("benchmark", self.benchmark)):
            total = sum((weights or {}).values())
            if total > 1.0 + 1e-9 and self.cash.borrowing_spread is None:
                raise ValueError(
                    f"{name}: the weights add up to {total:g}, more than 1; lower them (what is missing to 1 is held "
                    "in cash), write percent signs if percent is meant, or say what borrowing the rest costs above the "
                    "financing rate: cash.borrowing_spread = 0.015"
                )

    @property
    def holds_something(self) -> bool:
        """Whether there is a portfolio, and not only a signal to read."""
        return self.weights is not None or any({**self.base, **self.overlay}.values())

    @property
    def sized(self) -> bool:
        """Whether a signal decides how large the overlay is."""
        return self.signal is not None and self.signal.role == "size" and self.holds_something

    @property
    def days(self) -> tuple[str | None, str | None]:
        """First and last day as ISO dates; None where open."""
        return _iso(self.start), _iso(self.end)

    @property
    def cash_flows(self) -> CashFlows:
        """The flows, amounts in units of the initial wealth."""
        return CashFlows(tuple(flow.build(self.capital) for flow in self.flows), self.rebalance.flows)

    @property
    def exposures(self) -> Overlay:
        """Base and legs as written."""
        return Overlay(self.base, self.overlay)

    def as_toml_values(self) -> dict[str, Any]:
        """Return what was set, as plain values for TOML or JSON; defaults are left out, except the rule of trading."""
        values = self.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
        values.setdefault("rebalance", {}).setdefault("calendar", self.rebalance.calendar)
        values["costs"] = self.costs.toml_values()
        return values


def _iso(day: datetime.date | None) -> str | None:
    return None if day is None else day.isoformat()


def study_from(values: Mapping[str, Any], place: str) -> Study:
    """Check values and return the study.

    Raises
    ------
    StudyError : a wrong key, type or value; names the place and the key, and says what to write.
    TickerError : a symbol with terms that cannot be read.
    """
    try:
        return Study.model_validate(dict(values))
    except TickerError as error:
        raise TickerError(f"{place}: {error}") from None
    except ValidationError as error:
        raise explain(error, Study, place) from None


def load_study(path: str | Path) -> Study:
    """Read a study from a TOML file; a fund file or data folder named in it is looked for beside it.

    Raises
    ------
    StudyError : no such file, not TOML, or a wrong key, type or value.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise StudyError(f"{path}: larger than 1 MB; this is not a study")
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise StudyError(
            f"no study at {path} ({error.strerror}); make one with: alphaoverlay new {path.name}"
        ) from None
    except UnicodeDecodeError:
        raise StudyError(f"{path}: not UTF-8 text; a study is a TOML file") from None
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, and what numbers or nesting without end raise
        raise StudyError(f"{path} is not valid TOML: {error}") from None
    study = study_from(values, str(path))
    moved: dict[str, Any] = {"data": study.data.below(path.parent)}
    if study.funds.file is not None:
        moved["funds"] = study.funds.model_copy(update={"file": str(path.parent / study.funds.file)})
    return study.model_copy(update=moved)
