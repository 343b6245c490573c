"""The `assumptions` object of the JSON documents: every parameter of M1 and every series it was fed with."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from pydantic import BaseModel

from alphaoverlay.funds.expenses import steps_up_to
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.index_returns import IndexReturns
from alphaoverlay.history import History, iso
from alphaoverlay.study.document import SpreadModel, rate_name, spread_model


class ExpenseStepModel(BaseModel):
    """An expense ratio and the day from which it is used."""

    since: str
    expense: float


class IndexSpanModel(BaseModel):
    """Which kind of series an index's return comes from, and when."""

    kind: str
    symbols: list[str]
    first: str
    last: str


class AssumptionsModel(BaseModel):
    """Every parameter of M1 and every series it was fed with."""

    exposures: dict[str, float]
    leverage: float
    expense: float
    expense_steps: list[ExpenseStepModel]
    spread: SpreadModel
    swap_exposure: float
    former_exposures: dict[str, float]
    index_since: datetime.date | None
    rate: str
    indices: dict[str, list[IndexSpanModel]]
    plain_fund: str | None


def assumptions_model(
    fund: Fund, indices: Mapping[str, IndexReturns], span: History, plain: str | None = None
) -> AssumptionsModel:
    """Return the terms of a fund's M1, those of the span's days, and the series of its indices."""
    last = span.dates[-1].date()
    return AssumptionsModel(
        exposures=dict(fund.exposures),
        leverage=fund.leverage,
        expense=fund.expense,
        expense_steps=[
            ExpenseStepModel(since=day.isoformat(), expense=value) for day, value in steps_up_to(fund, last)
        ],
        spread=spread_model(fund),
        swap_exposure=fund.swap_exposure,
        former_exposures=dict(fund.former_exposures),
        index_since=fund.index_since,
        rate=rate_name(span),
        indices={
            name: [
                IndexSpanModel(kind=s.kind, symbols=list(s.symbols), first=iso(s.first), last=iso(s.last))
                for s in one.spans
            ]
            for name, one in indices.items()
        },
        plain_fund=plain,
    )
