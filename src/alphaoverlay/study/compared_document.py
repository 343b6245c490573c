"""The JSON document of `compare`."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import BaseModel

from alphaoverlay.history import iso
from alphaoverlay.study.compared import SESSIONS, Compared, Fall
from alphaoverlay.study.compared_spans import ComparedSpan
from alphaoverlay.study.document import Document, DrawdownModel, data_model, plain
from alphaoverlay.study.levels import Basis


class LevelModel(BaseModel):
    """What a name's level and its total return are made of, its first and last session, and its level on the last."""

    of: str
    total_of: str | None
    first: str
    last: str
    level: float


class SpanModel(BaseModel):
    """Returns by name over one span; `relative` is the first name's less that of each it is held against."""

    label: str
    start: str
    end: str
    returns: dict[str, float | None]
    annualised: dict[str, float | None] | None
    total: dict[str, float | None] | None
    relative: dict[str, float | None]
    hindsight: bool
    best_against: str | None


class FallModel(BaseModel):
    """How far below the peak on the last session, and the deepest fall, in all the history since `since`."""

    since: str
    drawdown: float
    peak_date: str
    deepest: DrawdownModel | None


class CompareDocument(Document):
    """What `compare --json` prints."""

    names: list[str]
    basis: Basis
    against: list[str]
    levels: dict[str, LevelModel]
    spans: list[SpanModel]
    drawdown: dict[str, FallModel]
    volatility: dict[str, float | None]
    undefined: dict[str, str]


def compare_document(compared: Compared) -> CompareDocument:
    """Return the JSON document."""
    asof, history = iso(compared.asof), compared.history
    return CompareDocument(
        asof=asof,
        study=plain(asdict(compared.asked)),
        data=data_model(history, compared.source, iso(history.dates[0]), asof),
        notes=list(compared.notes),
        names=list(compared.asked.names),
        basis=compared.asked.basis,
        against=list(compared.against),
        levels={name: _level(compared, name) for name in compared.asked.names},
        spans=[_span(span) for span in compared.spans],
        drawdown={name: _fall(fall) for name, fall in compared.falls.items()},
        volatility=dict(compared.volatility),
        undefined=_undefined(compared),
    )


def _level(compared: Compared, name: str) -> LevelModel:
    values = compared.levels[name].dropna()
    return LevelModel(
        of=compared.made_of[name],
        total_of=compared.total_of.get(name),
        first=iso(values.index[0]),
        last=iso(values.index[-1]),
        level=float(values.iloc[-1]),
    )


def _span(span: ComparedSpan) -> SpanModel:
    return SpanModel(
        label=span.label,
        start=iso(span.start),
        end=iso(span.end),
        returns=dict(span.returns),
        annualised=None if span.annualised is None else dict(span.annualised),
        total=None if span.total is None else dict(span.total),
        relative=dict(span.relative),
        hindsight=span.best_against is not None,
        best_against=span.best_against,
    )


def _fall(fall: Fall) -> FallModel:
    deepest = fall.deepest
    return FallModel(
        since=iso(fall.since),
        drawdown=fall.drawdown,
        peak_date=iso(fall.peak),
        deepest=None
        if deepest is None
        else DrawdownModel(
            depth=deepest.depth,
            peak=iso(deepest.peak),
            trough=iso(deepest.trough),
            recovery=None if deepest.recovery is None else iso(deepest.recovery),
        ),
    )


def _undefined(compared: Compared) -> dict[str, str]:
    """Why a figure is null, by its path in the document."""
    own_total = "the level is the total return already" if compared.asked.basis == "total" else ""
    why = {f"levels.{name}.total_of": own_total or compared.total_unknown[name]
           for name in compared.asked.names if name not in compared.total_of}  # fmt: skip
    why |= {f"spans.{k}.{path}": reason for k, span in enumerate(compared.spans)
            for path, reason in span.undefined.items()}  # fmt: skip
    for name, fall in compared.falls.items():
        if fall.deepest is None:
            why[f"drawdown.{name}.deepest"] = "never below its peak"
        elif fall.deepest.recovery is None:
            why[f"drawdown.{name}.deepest.recovery"] = "not back at the peak yet"
    few = f"fewer than {SESSIONS} daily returns"
    return why | {f"volatility.{name}": few for name, one in compared.volatility.items() if one is None}
