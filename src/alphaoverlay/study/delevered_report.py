"""The report and the JSON document of a leveraged fund held at 1/|L| beside cash."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import BaseModel

from alphaoverlay import __version__
from alphaoverlay.analysis.drawdowns import drawdowns
from alphaoverlay.analysis.metrics import DEFINITIONS
from alphaoverlay.history import iso
from alphaoverlay.report import figures
from alphaoverlay.report.model import Column, Figure, Report, Row, Section, Table, Tile, write_cell
from alphaoverlay.study.delevered import WINDOW, Delevered
from alphaoverlay.study.marks import synthetic_note, synthetic_spans
from alphaoverlay.study.reporting import DISCLAIMER, KINDS, provenance_table
from alphaoverlay.study.results import Document, data_model
from alphaoverlay.study.tracking_report import terms_table

PARTS = {
    "drift": "Exposure drift between the trades",
    "financing": "Financing inside the fund",
    "cash": "Interest on the cash",
    "spread": "Spread",
    "expense": "Expense",
    "slippage": "Slippage: real fund minus M1",
    "cost": "Trading costs",
    "variance": "Compounding: half the difference of the variances",
}
SHARES = {"5%": 0.05, "25%": 0.25, "median": 0.5, "75%": 0.75, "95%": 0.95}


def delevered_report(held: Delevered) -> Report:
    """Return everything that is said about it, in reading order."""
    history = held.portfolio.history
    shaded = synthetic_spans(held.portfolio)
    falls = [pd.Series(drawdowns(x.value), index=x.value.index) for x in (held.portfolio, held.index)]
    ratio = (held.portfolio.value / held.index.value).rename("portfolio over index").to_frame()
    growth: list[Table | Figure] = [
        figures.growth(held.portfolio.value, held.index.value, shaded),
        figures.lines(ratio, "Telltale: portfolio over index", "ratio of growth", ".4f", "", ".3f", shaded),
        figures.drawdown(falls[0], falls[1], shaded),
    ]
    return Report(
        title=f"{held.weight:.1%} {held.fund.symbol} and cash against {_index(held)}",
        summary=_summary(held),
        notes=(*held.notes, *_costs_note(held)),
        tiles=_tiles(held),
        sections=(
            Section("Where the gap comes from", (_gap_table(held), _metrics_table(held))),
            Section("Through time", tuple(growth)),
            Section("Any start, any day of the period", (_luck_table(held), *_luck_figure(held))),
            Section("Assumptions", (terms_table(held.fund, history.dates[-1]),)),
            Section("Where the data came from", (provenance_table(held.data),)),
        ),
        foot=(
            f"Data: {held.source}, {iso(history.dates[0])} to {iso(history.dates[-1])}, {len(history.dates):,} "
            "sessions. "
            f"Fingerprint of the values used: {held.data.history.fingerprint}",
            f"alphaoverlay {__version__}. {DISCLAIMER}",
        ),
    )


def _index(held: Delevered) -> str:
    [name] = held.fund.exposures
    return name if held.fund.leverage > 0.0 else f"-1x {name}"


def _summary(held: Delevered) -> str:
    dates, gap = held.portfolio.history.dates, held.attribution.log_active / held.years
    own, other = (write_cell(m["cagr"], "percent 2") for m in (held.metrics, held.index_metrics))
    parts = held.parts
    worst = min(((parts[key], label) for key, label in PARTS.items()), key=lambda one: one[0])
    return (
        f"From {iso(dates[0])} to {iso(dates[-1])} {held.weight:.1%} {held.fund.symbol} with the rest in cash "
        f"({_manner(held)}) returned {own} a year against {other} for {_index(held)}: a gap of {gap:+.2%} a year in "
        "log "
        f"return, with a daily correlation of {held.correlation:.3f}. The largest cost is "
        f"{worst[1][0].lower()}{worst[1][1:]} ({worst[0] / held.years:+.2%} a year)."
    )


def _manner(held: Delevered) -> str:
    rule = held.portfolio.rule
    early = f", {rule.offset} sessions before the period's end" if rule.offset else ""
    return "never rebalanced" if rule.calendar == "never" else f"rebalanced {rule.calendar}{early}"


def _costs_note(held: Delevered) -> tuple[str, ...]:
    said = "The distribution over starts and offsets leaves trading costs out."
    if held.portfolio.costs.half_spread_bps == 0.0:
        return (f"Trading costs are zero, by choice (half_spread_bps = 0). {said}",)
    return (said,)


def _tiles(held: Delevered) -> tuple[Tile, ...]:
    gap = write_cell(held.attribution.log_active / held.years, "signed percent")
    spread = f"{held.by_offset.min():+.2%} to {held.by_offset.max():+.2%} by offset"
    return (
        Tile("Gap a year", gap, spread),
        Tile("Daily correlation", f"{held.correlation:.3f}", f"beta {write_cell(held.metrics['beta'], 'ratio')}"),
        Tile("Tracking error", write_cell(held.active["tracking_error"], "percent 2"), "a year"),
        Tile(
            "Final value of 1",
            write_cell(held.portfolio.final_value, "multiple"),
            f"index {write_cell(held.index.final_value, 'multiple')}",
        ),
    )


def _gap_table(held: Delevered) -> Table:
    parts, years = held.parts, held.years
    scale = held.attribution.points
    points = {"target": sum(scale[name] for name in held.attribution.indices)} | {key: scale[key] for key in PARTS}
    rows = [Row((label, parts[key] / years, parts[key], points[key])) for key, label in PARTS.items()]
    if abs(parts["target"]) > 1e-12:
        rows.insert(
            0, Row(("The index at the target exposure", parts["target"] / years, parts["target"], points["target"]))
        )
    total = held.attribution.log_active
    rows.append(Row(("Gap", total / years, total, held.portfolio.final_value - held.index.final_value), strong=True))
    columns = (
        Column("Portfolio minus index"),
        Column("A year (log)", "signed percent"),
        Column("In all (log)", "signed percent"),
        Column("Return points", "points"),
    )
    note = (
        "The parts add up exactly (M5). Financing inside the fund and interest on the cash nearly cancel: one pays "
        "for the other."
    )
    return Table("The gap by cause", columns, tuple(rows), f"{note} {synthetic_note(held.portfolio)}".strip())


def _metrics_table(held: Delevered) -> Table:
    keys = ("cagr", "volatility", "max_drawdown", "worst_month", "beta", "tracking_error")
    rows = [
        Row((d.label, held.metrics[d.key], held.index_metrics[d.key]), kind=KINDS[d.unit])
        for d in DEFINITIONS
        if d.key in keys
    ]
    columns = (Column(""), Column("Portfolio", "ratio", "portfolio"), Column("Index", "ratio", "benchmark"))
    return Table("Beside each other", columns, tuple(rows), synthetic_note(held.portfolio))


def gap_quantiles(values: pd.DataFrame | pd.Series) -> dict[str, float]:
    """Return the least, some quantiles and the most of yearly gaps; empty without any."""
    flat = values.to_numpy(dtype=np.float64).ravel()
    if not len(flat):
        return {}
    inner = {label: float(np.quantile(flat, share)) for label, share in SHARES.items()}
    return {"least": float(flat.min()), **inner, "most": float(flat.max())}


def _luck_table(held: Delevered) -> Table:
    rows = [Row((f"Whole span, each of {len(held.by_offset)} offsets", *gap_quantiles(held.by_offset).values()))]
    if len(held.windows):
        label = f"{WINDOW} sessions, {len(held.windows)} starts, each offset"
        rows.append(Row((label, *gap_quantiles(held.windows).values())))
    heads = ("least", *SHARES, "most")
    note = (
        "Yearly gap in log return. An offset is how many sessions before the period's last the trade is made; "
        "windows begin "
        f"every 21 sessions and overlap, so they are far from independent. {synthetic_note(held.portfolio)}"
    )
    return Table(
        "How much the start and the day of the period matter",
        (Column("Gap a year"), *(Column(head, "signed percent") for head in heads)),
        tuple(rows),
        note,
    )


def _luck_figure(held: Delevered) -> tuple[Figure, ...]:
    if len(held.by_offset) < 2:
        return ()
    note = "Sessions before the period's last on which the portfolio is traded back."
    return (figures.bars(held.by_offset, "Gap by offset, whole span", "gap a year", "+.2%", "+.1%", note),)


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
    synthetic_until: str | None
    by_offset: list[float]
    offsets: dict[str, float]
    windows: WindowsModel | None


class WindowsModel(BaseModel):
    """Yearly gap over windows of a fixed length, over all starts and offsets."""

    sessions: int
    starts: int
    offsets: int
    quantiles: dict[str, float]


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
            "rebalance": {"calendar": rule.calendar, "offset": rule.offset},
            "costs": {"half_spread_bps": held.portfolio.costs.half_spread_bps},
        },
        data=data_model(held.data.history, held.source, start, end),
        notes=[*held.notes, *_costs_note(held)],
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
        correlation=held.correlation if np.isfinite(held.correlation) else None,
        metrics=dict(held.metrics.values),
        index_metrics=dict(held.index_metrics.values),
        active=dict(held.active.values),
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
    )


DeleverDocument.model_rebuild()
