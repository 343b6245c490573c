"""The JSON document of `delever`."""

from __future__ import annotations

from pydantic import BaseModel

from alphaoverlay.history import iso
from alphaoverlay.study.assumptions import AssumptionsModel, assumptions_model
from alphaoverlay.study.delevered import WINDOW, Delevered, gap_quantiles
from alphaoverlay.study.document import Document, data_model, known, rate_name
from alphaoverlay.study.trading_documents import half_spreads


class WindowsModel(BaseModel):
    """Yearly gap over windows of a fixed length, over all starts and offsets."""

    sessions: int
    starts: int
    offsets: int
    quantiles: dict[str, float]


class DeleverDocument(Document):
    """What `delever --json` prints; gaps are differences of log returns, parts add up to `gap`."""

    fund: str
    weight: float
    start: str
    end: str
    sessions: int
    years: float
    final_value: float
    index_final_value: float
    gap: float
    gap_a_year: float
    parts: dict[str, float]
    correlation: float | None
    metrics: dict[str, float | None]
    index_metrics: dict[str, float | None]
    active: dict[str, float | None]
    undefined: dict[str, str]
    synthetic_until: str | None
    by_offset: list[float]
    offsets: dict[str, float]
    windows: WindowsModel | None
    assumptions: AssumptionsModel


def delever_document(held: Delevered) -> DeleverDocument:
    """Return the JSON document."""
    dates = held.portfolio.history.dates
    start, end = iso(dates[0]), iso(dates[-1])
    until = held.portfolio.fund_returns.synthetic_until.get(held.fund.symbol)
    rule = held.portfolio.rule
    return DeleverDocument(
        asof=end,
        study={
            "fund": held.fund.symbol,
            "start": start,
            "end": end,
            "rebalance": {"calendar": rule.calendar.calendar, "offset": rule.calendar.offset},
            "costs": {"half_spread_bps": half_spreads(held.portfolio)},
            "rate": rate_name(held.portfolio.history),
        },
        data=data_model(held.data.history, held.source, start, end),
        notes=list(held.all_notes),
        fund=held.fund.symbol,
        weight=held.weight,
        start=start,
        end=end,
        sessions=len(dates) - 1,
        years=held.years,
        final_value=held.portfolio.final_value,
        index_final_value=held.index.final_value,
        gap=held.attribution.log_active,
        gap_a_year=held.attribution.log_active / held.years,
        parts=held.parts,
        correlation=known(held.correlation),
        metrics=dict(held.metrics.values),
        index_metrics=dict(held.index_metrics.values),
        active=dict(held.active.values),
        undefined=_undefined(held),
        synthetic_until=None if until is None else iso(until),
        by_offset=[float(value) for value in held.by_offset],
        offsets=gap_quantiles(held.by_offset),
        windows=None
        if not len(held.windows)
        else WindowsModel(
            sessions=WINDOW,
            starts=len(held.windows),
            offsets=held.windows.shape[1],
            quantiles=gap_quantiles(held.windows),
        ),
        assumptions=assumptions_model(held.fund, held.data.indices, held.portfolio.history),
    )


def _undefined(held: Delevered) -> dict[str, str]:
    """Why a figure is null, by its path in the document."""
    parts = {"metrics": held.metrics, "index_metrics": held.index_metrics, "active": held.active}
    said = {f"{part}.{key}": why for part, one in parts.items() for key, why in one.undefined.items()}
    return said if known(held.correlation) is not None else said | {"correlation": "no variation"}
