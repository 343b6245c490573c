"""Cells, tables and the terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from alphaoverlay.report.model import Cell, Column, Kind, Report, Row, Section, Table, write_cell
from alphaoverlay.report.text import print_report


@pytest.mark.parametrize(
    ("cell", "kind", "shown"),
    [
        (0.1234, "percent", "12.3%"),
        (-0.00001, "percent", "0.0%"),
        (0.0091, "percent 2", "0.91%"),
        (-0.0356, "points", "-3.6"),
        (0.00001, "points", "+0.0"),
        (0.3, "signed", "+0.30"),
        (-0.0001, "signed", "+0.00"),
        (1.005, "multiple", "1.00"),
        (23614, "count", "23,614"),
        (None, "percent", "–"),
        (float("nan"), "percent", "–"),
        ("2020-01-02", "text", "2020-01-02"),
    ],
)
def test_values_are_written_as_people_read_them(cell: Cell, kind: Kind, shown: str) -> None:
    assert write_cell(cell, kind) == shown


def test_the_terminal_shows_summary_tables_notes_and_foot() -> None:
    table = Table("Numbers", (Column("What"), Column("Value", "percent")), (Row(("a [b]", 0.5)),), "a note")
    report = Report("A title", "A sentence.", ("Beware [this].",), (), (Section("One", (table,)),), ("The foot.",))
    out = io.StringIO()
    print_report(report, Console(file=out, width=80))
    shown = out.getvalue()
    for words in ("A title", "A sentence.", "Numbers", "a [b]", "50.0%", "a note", "Beware [this].", "The foot."):
        assert words in shown
