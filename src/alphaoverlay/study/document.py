"""What the JSON documents of all commands share: how they begin, their data, and values that JSON knows.

Returns are fractions, drawdowns negative, dates ISO 8601; what is undefined is null, with its reason beside it.
"""

from __future__ import annotations

import datetime
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, TypeAdapter

from alphaoverlay import __version__
from alphaoverlay.funds.financing import row_of
from alphaoverlay.funds.fund import Fund
from alphaoverlay.history import History
from alphaoverlay.overlays.carry import Carry

SCHEMA: Literal["alphaoverlay/1"] = "alphaoverlay/1"


class SeriesModel(BaseModel):
    """Where one series came from; `retrieved` and `version` where it is stored, `fingerprint` of the values used."""

    name: str
    source: str
    place: str
    first: str
    last: str
    observations: int
    nature: str
    note: str
    retrieved: str
    version: int | None
    fingerprint: str
    currency: str
    timezone: str


class DataModel(BaseModel):
    """The data of a result: span used, hash of the values, and every series."""

    source: str
    start: str
    end: str
    fingerprint: str
    series: list[SeriesModel]


class Document(BaseModel):
    """What every JSON document begins with."""

    schema_: Literal["alphaoverlay/1"] = SCHEMA  # written as "schema": pydantic keeps that name for itself
    version: str = __version__
    asof: str
    study: dict[str, Any]
    data: DataModel | None
    notes: list[str]

    def dump(self) -> dict[str, Any]:
        """Return the document as plain values, `schema` first."""
        values = self.model_dump(mode="json")
        return {"schema": values.pop("schema_"), **values}


class SpreadModel(BaseModel):
    """A financing spread and what it rests on: calibrated on funds of its index and side, pooled, stated, or none."""

    spread: float
    basis: str
    asof: datetime.date | None
    standard_error: float | None
    funds: list[str]


class CarryModel(BaseModel):
    """Yearly fractions at the financing rate of `asof`; negative is a cost."""

    total: float
    expense: float
    spread: float
    financing: float
    cash: float


class DrawdownModel(BaseModel):
    """The deepest fall and its dates; recovery is null while it lasts."""

    depth: float
    peak: str
    trough: str
    recovery: str | None


def spread_model(fund: Fund) -> SpreadModel:
    """Return a fund's spread with what it rests on."""
    row = row_of(fund)
    return SpreadModel(
        spread=fund.spread,
        basis=fund.spread_basis,
        asof=None if row is None else row.last,
        standard_error=None if row is None else row.standard_error,
        funds=[] if row is None else list(row.funds),
    )


def carry_model(carry: Carry) -> CarryModel:
    """Return the `carry` object of every document."""
    return CarryModel(
        total=carry.total, expense=carry.expense, spread=carry.spread, financing=carry.financing, cash=carry.cash
    )


def data_model(history: History, source: str, start: str, end: str) -> DataModel:
    """Return the `data` object of every document."""
    return DataModel(
        source=source,
        start=start,
        end=end,
        fingerprint=history.fingerprint,
        series=[SeriesModel(**{f: getattr(one, f) for f in SeriesModel.model_fields}) for one in history.provenance],
    )


def rate_name(span: History) -> str:
    """Return the name of the financing rate, or its value where the study fixed it."""
    return f"{float(span.rate.iloc[0]):g}" if span.rate.name == "rate" else str(span.rate.name)


def known(value: float) -> float | None:
    """Return None for a number that is not one (a year after ruin)."""
    return float(value) if np.isfinite(value) else None


def plain(value: Any) -> Any:
    """Turn dates, tuples and mappings into what JSON knows."""
    return TypeAdapter(Any).dump_python(value, mode="json")
