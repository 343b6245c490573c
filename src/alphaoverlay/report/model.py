"""What a report is made of; every renderer shows the same content."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "text",
    "date",
    "percent",
    "percent 2",
    "percent 3",
    "signed percent",
    "points",
    "points 2",
    "ratio",
    "ratio 1",
    "ratio 3",
    "ratio 4",
    "multiple",
    "signed",
    "count",
]
Cell = str | float | int | None
Tone = Literal["plain", "portfolio", "benchmark"]


@dataclass(frozen=True)
class Column:
    """A table column: its head, how its numbers are written, and whose colour it bears."""

    head: str
    kind: Kind = "text"
    tone: Tone = "plain"


@dataclass(frozen=True)
class Row:
    """Cells of one row; `kind` overrides the columns' way of writing numbers, `strong` marks a total."""

    cells: tuple[Cell, ...]
    kind: Kind | None = None
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """A titled table with an optional note under it."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A titled chart as plotly data; `alt` says in words what it shows."""

    title: str
    data: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    alt: str
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A titled part of a report."""

    title: str
    parts: tuple[Table | Figure, ...]
    text: str = ""


@dataclass(frozen=True)
class Tile:
    """A headline number with its comparison."""

    label: str
    value: str
    against: str


@dataclass(frozen=True)
class Report:
    """Everything that is said about a result.

    Attributes
    ----------
    title, summary : the name, and the result in one sentence.
    notes : what must be known before believing a number: sample data, synthetic spans, zero costs.
    tiles : headline numbers.
    sections : tables and figures.
    foot : provenance and the disclaimer.
    """

    title: str
    summary: str
    notes: tuple[str, ...]
    tiles: tuple[Tile, ...]
    sections: tuple[Section, ...]
    foot: tuple[str, ...]


def write_cell(cell: Cell, kind: Kind) -> str:
    """Write one value as people read it; None, and a number that is not one, is a dash."""
    if isinstance(cell, str):
        return cell
    if cell is None or math.isnan(cell):
        return "–"
    # Adding zero after rounding keeps "-0.0%" out of tables.
    match kind:
        case "percent":
            return f"{round(100.0 * cell, 1) + 0.0:.1f}%"
        case "percent 2":
            return f"{round(100.0 * cell, 2) + 0.0:.2f}%"
        case "percent 3":
            return f"{round(100.0 * cell, 3) + 0.0:.3f}%"
        case "signed percent":
            return f"{round(100.0 * cell, 2) + 0.0:+.2f}%"
        case "ratio 4":
            return f"{cell:.4f}"
        case "points":
            return f"{round(100.0 * cell, 1) + 0.0:+.1f}"
        case "points 2":
            return f"{round(100.0 * cell, 2) + 0.0:+.2f}"
        case "ratio 1":
            return f"{round(cell, 1) + 0.0:.1f}"
        case "ratio 3":
            return f"{round(cell, 3) + 0.0:.3f}"
        case "signed":
            return f"{round(cell, 2) + 0.0:+.2f}"
        case "ratio" | "multiple":
            return f"{round(cell, 2) + 0.0:.2f}"
        case "count":
            return f"{cell:,.0f}"
        case _:
            return str(cell)
