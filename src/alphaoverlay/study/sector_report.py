"""From a comparison of sector weights to a report."""

from __future__ import annotations

import math

from alphaoverlay import __version__
from alphaoverlay.analysis.composition import SectorComparison, SectorGroup, SectorWeights
from alphaoverlay.report.charts_of_sectors import grouped_bars
from alphaoverlay.report.model import Column, Figure, Report, Row, Section, Table, Tile, write_cell
from alphaoverlay.study.reporting import DISCLAIMER


def sectors_report(found: SectorComparison) -> Report:
    """Return everything that is said about it, in reading order."""
    return Report(
        title=f"Sectors of {found.long.index} and {found.short.index}",
        summary=_summary(found),
        notes=found.notes,
        tiles=_tiles(found),
        sections=(
            Section("Side by side", (_groups_table(found), _chart(found))),
            Section("Where the weights came from", (_sources_table(found),)),
        ),
        foot=(f"alphaoverlay {__version__}. {DISCLAIMER}",),
    )


def _summary(found: SectorComparison) -> str:
    long, short, most, least = found.long, found.short, found.groups[0], found.groups[-1]
    return (
        f"{long.index} (as of {long.asof}) against {short.index} (as of {short.asof}): {_overlap(found, 0)} of the "
        f"weights are shared. {long.index} has {_more(most)} and {_more(least)}."
    )


def _overlap(found: SectorComparison, decimals: int) -> str:
    return f"{'at most ' if found.overlap_is_most else ''}{found.overlap:.{decimals}%}"


def _more(group: SectorGroup) -> str:
    points = f"{abs(100.0 * group.active):.1f}"
    return f"{points} points {'more' if group.active >= 0.0 else 'less'} in {group.label}"


def _tiles(found: SectorComparison) -> tuple[Tile, ...]:
    most, least = found.groups[0], found.groups[-1]
    return (
        Tile(
            "Overlap",
            write_cell(found.overlap, "percent"),
            "at most: some sectors are merged" if found.overlap_is_most else "sum of the lesser weights",
        ),
        Tile("Largest active weight", f"{write_cell(most.active, 'points')} pts", most.label),
        Tile("Lowest active weight", f"{write_cell(least.active, 'points')} pts", least.label),
        Tile("Days apart", f"{found.days_apart}", f"{found.long.asof} and {found.short.asof}"),
    )


def _groups_table(found: SectorComparison) -> Table:
    rows = [Row((one.label, one.long, one.short, one.active)) for one in found.groups]
    sums = [math.fsum(side.weights.values()) for side in (found.long, found.short)]
    rows.append(Row(("Sum", *sums, sums[0] - sums[1]), strong=True))
    columns = (
        Column("Sector"),
        Column(f"{found.long.index}, {found.long.asof}", "percent 2", "portfolio"),
        Column(f"{found.short.index}, {found.short.asof}", "percent 2", "benchmark"),
        Column("Active, points", "points 2"),
    )
    note = (
        f"Active: {found.long.index} minus {found.short.index}. Overlap, the sum of the lesser of the two weights: "
        f"{_overlap(found, 1)}. {_unverified(found)}"
    )
    return Table("Sector weights", columns, tuple(rows), note.strip())


def _unverified(found: SectorComparison) -> str:
    names = [side.index for side in (found.long, found.short) if not side.verified]
    return f"Not verified: {' and '.join(names)}." if names else ""


def _chart(found: SectorComparison) -> Figure:
    names = (f"{found.long.index}, {found.long.asof}", f"{found.short.index}, {found.short.asof}")
    return grouped_bars(
        [one.label for one in found.groups],
        [one.long for one in found.groups],
        [one.short for one in found.groups],
        names,
        _unverified(found),
    )


def _sources_table(found: SectorComparison) -> Table:
    rows = tuple(_source_row(side) for side in (found.long, found.short))
    columns = (
        Column("Index"),
        Column("As of", "date"),
        Column("Source"),
        Column("Verified"),
        Column("Sectors"),
        Column("Note"),
    )
    return Table("Sources", columns, rows)


def _source_row(side: SectorWeights) -> Row:
    return Row((side.index, side.asof, side.source, "yes" if side.verified else "no", side.classification, side.note))
