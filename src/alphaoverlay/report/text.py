"""A report on a terminal: the summary, the tables and the notes."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from alphaoverlay.report.model import Report, Section, Table, write_cell

STYLES = {"plain": "", "portfolio": "bold blue", "benchmark": "yellow"}


def print_report(report: Report, console: Console) -> None:
    """Print a report; figures are left to the HTML file."""
    console.print(f"\n[bold]{escape(report.title)}[/bold]")
    console.print(escape(report.summary) + "\n")
    print_notes(report.notes, console)
    for section in report.sections:
        print_section(section, console)
    for line in report.foot:
        console.print(f"[dim]{escape(line)}[/dim]")


def print_section(section: Section, console: Console) -> None:
    """Print the tables of a section."""
    for part in section.parts:
        if isinstance(part, Table):
            print_table(part, console)


def print_table(table: Table, console: Console) -> None:
    """Print one table; columns of numbers are right-aligned."""
    console.print(f"[bold]{escape(table.title)}[/bold]")
    grid = RichTable(box=None, pad_edge=False)
    for column in table.columns:
        right = column.kind not in ("text", "date")
        grid.add_column(
            escape(column.head), justify="right" if right else "left", style=STYLES[column.tone], overflow="fold"
        )
    for row in table.rows:
        cells = [
            escape(write_cell(cell, row.kind or column.kind))
            for cell, column in zip(row.cells, table.columns, strict=True)
        ]
        grid.add_row(*cells, style="bold" if row.strong else None)
    console.print(grid)
    if table.note:
        console.print(f"[dim]{escape(table.note)}[/dim]")
    console.print()


def print_notes(notes: tuple[str, ...], console: Console) -> None:
    """Print what must be known before believing a number."""
    if notes:
        console.print("[bold]Before you believe a number[/bold]")
        for note in notes:
            console.print(f"[yellow]•[/yellow] {escape(note)}")
        console.print()
