"""From a comparison of alternatives to a report."""

from __future__ import annotations

import pandas as pd

from alphaoverlay.history import iso
from alphaoverlay.report import figures
from alphaoverlay.report.model import Column, Figure, Kind, Report, Row, Section, Table, write_cell
from alphaoverlay.study.alternatives import Alternative, Alternatives
from alphaoverlay.study.marks import returns_note, synthetic_spans
from alphaoverlay.study.reporting import reading_notes, report_foot
from alphaoverlay.study.series_report import provenance_table
from alphaoverlay.study.trading_report import cost_note
from alphaoverlay.study.wording import manner, portfolio_name

FIGURES: tuple[tuple[str, str, Kind], ...] = (
    ("active_cagr", "Active CAGR", "percent 2"),
    ("tracking_error", "Tracking error", "percent 2"),
    ("information_ratio", "Info ratio", "ratio"),
    ("likeness", "Likeness", "ratio"),
    ("active_carry", "Active carry", "percent 2"),
    ("max_drawdown", "Max drawdown", "percent"),
    ("beta", "Beta", "ratio"),
)


def alternatives_report(found: Alternatives) -> Report:
    """Return everything that is said about a comparison of alternatives, in reading order."""
    own = found.as_stated[0]
    return Report(
        title=found.design.study.title or portfolio_name(found.design.portfolio),
        summary=_summary(found),
        notes=(*found.notes, *_reading(found)),
        tiles=(),
        sections=(
            Section("At equal active risk", (_table(found.at_equal_risk, "Sized to the overlay's tracking error"),)),
            Section("As the view is stated", (_table(found.as_stated, "At its own size"), _holdings(found))),
            Section("Through time", (_chart(found),)),
            Section("Where the data came from", (provenance_table(found.design.data),)),
        ),
        foot=report_foot(found.source, own.portfolio.history, found.design.data.history.fingerprint),
    )


def _summary(found: Alternatives) -> str:
    own, others = found.at_equal_risk[0], found.at_equal_risk[1:]
    dates = own.portfolio.history.dates
    risk = write_cell(own.figures["tracking_error"], "percent")
    said = (
        f"From {dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d} the overlay ({manner(own.portfolio.rule)}) returned "
        f"{_points(own)} points a year against its benchmark, at a tracking error of {risk}"
    )
    if not others:
        return f"{said}; no alternative could be held at that risk."
    told = "; ".join(f"{one.name}, at {one.size:.2f} times the view: {_points(one)}" for one in others)
    return f"{said}. At the same active risk, each against what its investor held before: {told}."


def _points(one: Alternative) -> str:
    return write_cell(one.figures["active_cagr"], "points")


def _reading(found: Alternatives) -> tuple[str, ...]:
    said = [
        "Each way is measured against what its investor would have held without the view, under the study's rule, "
        "costs and flows. Sizes at equal active risk are found with hindsight: they compare, they cannot be traded.",
    ]
    said += [f"Not shown at equal active risk: {name}: {reason}." for name, reason in found.impossible.items()]
    without = [
        one.name for one in found.as_stated if one.portfolio.rule.bands == () and found.design.study.rebalance.band
    ]
    if without:
        said.append(f"The study's bands mean nothing for {'; '.join(without)}, and are left out there.")
    ended = [f"{one.name} ({iso(one.portfolio.end)})" for one in found.as_stated if one.portfolio.end is not None]
    if ended:
        said.append(f"Nothing was left before the span's end of: {', '.join(ended)}.")
    one = found.as_stated[0].portfolio
    return (*said, *([] if one.costs.free else [cost_note(found.design.study)]), *reading_notes(one))


def _table(group: tuple[Alternative, ...], title: str) -> Table:
    rows = [
        Row(
            (
                one.name,
                one.size,
                *(one.figures[key] for key, _, _ in FIGURES),
            ),
            strong=one is group[0],
        )
        for one in group
    ]
    columns = (Column("Way"), Column("Size", "multiple"), *(Column(label, kind) for _, label, kind in FIGURES))
    made = returns_note(*(one.portfolio for one in group))
    note = f"Size: in multiples of the study's view. Likeness: correlation of active returns with the overlay's. {made}"
    return Table(title, columns, tuple(rows), note.strip())


def _holdings(found: Alternatives) -> Table:
    rows = []
    for one in found.as_stated:
        held = ", ".join(f"{100.0 * weight:.4g}% {symbol}" for symbol, weight in one.weights.items())
        before = zip(one.benchmark.targets.symbols, one.benchmark.targets.rows[0], strict=True)
        against = ", ".join(f"{100.0 * weight:.4g}% {symbol}" for symbol, weight in before) or "cash"
        active = ", ".join(f"{name} {x:+.2f}" for name, x in one.active_exposures.items())
        rows.append(Row((one.name, held, against, active)))
    columns = (Column("Way"), Column("Holds"), Column("Instead of"), Column("Active exposures"))
    return Table("What each holds", columns, tuple(rows))


def _chart(found: Alternatives) -> Figure:
    group = found.at_equal_risk
    frame = pd.DataFrame({one.name: one.portfolio.growth / one.benchmark.growth for one in group})
    backtests = [one.portfolio for one in group]
    return figures.lines(
        frame,
        "Telltale at equal active risk: portfolio over its benchmark",
        "ratio of growth",
        ".3f",
        "Rising: ahead of its benchmark.",
        ".2f",
        synthetic_spans(*backtests),
    )
