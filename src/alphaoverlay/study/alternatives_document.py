"""The JSON document of `alternatives`."""

from __future__ import annotations

from pydantic import BaseModel

from alphaoverlay.history import iso
from alphaoverlay.study.alternatives import Alternative, Alternatives
from alphaoverlay.study.document import Document, data_model


class AlternativeModel(BaseModel):
    """One way of taking the view, at `size` times the study's; figures are null where undefined."""

    name: str
    size: float
    weights: dict[str, float]
    benchmark: dict[str, float]
    active_exposures: dict[str, float]
    figures: dict[str, float | None]
    final_value: float
    benchmark_final_value: float


class AlternativesDocument(Document):
    """What `alternatives --json` prints; `impossible` says why a way could not be held at equal active risk."""

    as_stated: list[AlternativeModel]
    at_equal_risk: list[AlternativeModel]
    impossible: dict[str, str]


def alternatives_document(found: Alternatives) -> AlternativesDocument:
    """Return the JSON document of a comparison of alternatives."""
    span = found.as_stated[0].portfolio.history.dates
    return AlternativesDocument(
        asof=found.design.asof,
        study=found.design.study.as_toml_values(),
        data=data_model(found.design.data.history, found.source, iso(span[0]), iso(span[-1])),
        notes=list(found.notes),
        as_stated=[_model(one) for one in found.as_stated],
        at_equal_risk=[_model(one) for one in found.at_equal_risk],
        impossible=dict(found.impossible),
    )


def _model(one: Alternative) -> AlternativeModel:
    weights = one.benchmark.targets.rows[0]
    return AlternativeModel(
        name=one.name,
        size=one.size,
        weights=dict(one.weights),
        benchmark={s: float(w) for s, w in zip(one.benchmark.targets.symbols, weights, strict=True)},
        active_exposures=dict(one.active_exposures),
        figures=dict(one.figures),
        final_value=one.portfolio.final_value,
        benchmark_final_value=one.benchmark.final_value,
    )
