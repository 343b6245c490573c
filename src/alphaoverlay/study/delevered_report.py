"""The report and the JSON document of a leveraged fund held at 1/|L| beside cash."""

from __future__ import annotations

import pandas as pd

from alphaoverlay.analysis.drawdowns import drawdowns
from alphaoverlay.analysis.metrics import DEFINITIONS
from alphaoverlay.history import iso
from alphaoverlay.report import figures
from alphaoverlay.report.model import Column, Figure, Report, Row, Section, Table, Tile, write_cell
from alphaoverlay.study.delevered import SHARES, WINDOW, Delevered, gap_quantiles
from alphaoverlay.study.marks import synthetic_note, synthetic_spans
from alphaoverlay.study.reporting import KINDS, report_foot
from alphaoverlay.study.series_report import provenance_table
from alphaoverlay.study.tracking_report import terms_table
from alphaoverlay.study.wording import manner

PARTS = {
    "drift": "Exposure drift between the trades",
    "financing": "Financing, the fund's less the index's own",
    "cash": "Interest on the cash",
    "spread": "Spread",
    "expense": "Expense",
    "slippage": "Slippage: what M1 on the index misses",
    "cost": "Trading costs",
    "variance": "Compounding: half the difference of the variances",
}


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
        notes=held.all_notes,
        tiles=_tiles(held),
        sections=(
            Section("Where the gap comes from", (_gap_table(held), _metrics_table(held))),
            Section("Through time", tuple(growth)),
            Section("Any start, any day of the period", (_luck_table(held), *_luck_figure(held))),
            Section("Assumptions", (terms_table(held.fund, history.dates[-1]),)),
            Section("Where the data came from", (provenance_table(held.data),)),
        ),
        foot=report_foot(held.source, history, held.data.history.fingerprint),
    )


def _index(held: Delevered) -> str:
    [name] = held.fund.exposures
    return name if held.fund.leverage > 0.0 else f"-1x {name}"


def _summary(held: Delevered) -> str:
    dates, gap = held.portfolio.history.dates, held.attribution.log_active / held.years
    own, other = (write_cell(m["cagr"], "percent 2") for m in (held.metrics, held.index_metrics))
    parts = held.parts
    costs = {
        "the exposure's drift between the trades": parts["drift"],
        "financing less the interest on the cash": parts["financing"] + parts["cash"],
        "the spread": parts["spread"],
        "the expense ratio": parts["expense"],
        "slippage": parts["slippage"],
        "trading": parts["cost"],
    }
    worst = min(costs, key=lambda name: costs[name])
    largest = (
        f" The largest cost was {worst} ({costs[worst] / held.years:+.2%} a year)." if costs[worst] < -1e-6 else ""
    )
    return (
        f"From {iso(dates[0])} to {iso(dates[-1])} {held.weight:.1%} {held.fund.symbol} with the rest in cash "
        f"({manner(held.portfolio.rule)}) returned {own} a year against {other} for {_index(held)}: a gap of "
        f"{gap:+.2%} a year in log return, with a daily correlation of "
        f"{write_cell(held.correlation, 'ratio')}.{largest}"
    )


def _tiles(held: Delevered) -> tuple[Tile, ...]:
    gap = write_cell(held.attribution.log_active / held.years, "signed percent")
    spread = f"{held.by_offset.min():+.2%} to {held.by_offset.max():+.2%} by offset"
    return (
        Tile("Gap a year", gap, spread),
        Tile(
            "Daily correlation",
            write_cell(held.correlation, "ratio"),
            f"beta {write_cell(held.metrics['beta'], 'ratio')}",
        ),
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
    note = "The parts add up exactly (M5). Kept at its weight, the interest on the cash pays the fund's financing."
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


def _luck_table(held: Delevered) -> Table:
    rows = [Row((f"Whole span, each of {len(held.by_offset)} offsets", *gap_quantiles(held.by_offset).values()))]
    if len(held.windows):
        label = f"{WINDOW} sessions, {len(held.windows)} starts, each offset"
        rows.append(Row((label, *gap_quantiles(held.windows).values())))
    heads = ("least", *SHARES, "most")
    note = (
        "Yearly gap in log return. An offset is how many sessions before the period's last the trade is made; "
        "windows begin every 21 sessions and overlap, so they are far from independent. "
        f"{synthetic_note(held.portfolio)}"
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
    return (
        figures.bars(
            held.by_offset,
            "Gap by offset, whole span",
            "gap a year",
            "+.2%",
            "+.1%",
            f"{note} {synthetic_note(held.portfolio)}".strip(),
        ),
    )
