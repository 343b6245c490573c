"""Tables of `alphaoverlay data`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from alphaoverlay.market.findings import CHECKS
from alphaoverlay.report.model import Column, Row, Table
from alphaoverlay.study.fetching import Checked, Fetched

if TYPE_CHECKING:
    from alphaoverlay.store.archive import Imported
    from alphaoverlay.store.series_store import Listing, Stored
    from alphaoverlay.store.versions import Version

OUTCOMES = {
    "first": "fetched",
    "appended": "new rows",
    "rescaled": "past rescaled",
    "revised": "PAST REVISED",
    "unchanged": "nothing new",
    "behind": "source is behind",
}
# Rows of a series that are worth showing on a screen, at its beginning and at its end.
SHOWN = 3


def fetch_table(done: Sequence[Fetched], store: str) -> Table:
    """What came of fetching, series by series."""
    rows = []
    for one in done:
        version = None if one.update is None else one.update.version
        outcome = "FAILED" if one.failed else "nothing new" if one.update is None else OUTCOMES[one.update.outcome]
        source = "" if one.update is None else one.update.key.source
        added = None if one.update is None else float(one.update.added)
        span = ("", "", None) if version is None else (version.first, version.last, float(version.number))
        rows.append(Row((one.name, source, outcome, added, *span)))
    heads = (Column("Series"), Column("Source"), Column("Outcome"), Column("New rows", "count"))
    tail = (Column("First", "date"), Column("Last", "date"), Column("Version", "count"))
    return Table("Fetched", (*heads, *tail), tuple(rows), f"Store: {store}")


def list_table(series: Sequence[Listing], store: str) -> Table:
    """Every series of the store."""
    rows = [
        Row(
            (
                one.key.name,
                one.key.source,
                one.key.kind,
                one.newest.first,
                one.newest.last,
                float(one.newest.rows),
                float(one.versions),
                one.checked[:10],
            )
        )
        for one in series
    ]
    heads = (Column("Series"), Column("Source"), Column("Kind"), Column("First", "date"), Column("Last", "date"))
    tail = (Column("Rows", "count"), Column("Versions", "count"), Column("Asked on", "date"))
    note = (
        f"Store: {store}" if rows else f"Nothing is in the store {store} yet; fill it with: alphaoverlay data fetch SPY"
    )
    return Table("Stored", (*heads, *tail), tuple(rows), note)


def versions_table(versions: Sequence[Version]) -> Table:
    """Every version of a series, and how it differs from the one before."""
    from alphaoverlay.market.stored import version_words

    rows = []
    for one in versions:
        found = one.revision
        change = ""
        if found is not None:
            counts = {"changed": found.changed, "came": found.added, "went": found.removed}
            change = ", ".join(f"{n:,} {word}" for word, n in counts.items() if n) + f", {found.first} to {found.last}"
            change += f"; most {found.largest:.3%} in {found.column} on {found.day}" if found.day else ""
        elif one.reason == "rescaled":
            change = f"closes by {one.close_scale:.6g}, adjusted closes by {one.adj_scale:.6g} since the first of them"
        rows.append(Row((float(one.number), one.created, version_words(one), float(one.rows), one.last, change)))
    heads = (Column("Version", "count"), Column("Stored", "date"), Column("Why"), Column("Rows", "count"))
    return Table("Versions", (*heads, Column("Last", "date"), Column("Change")), tuple(rows))


def rows_table(stored: Stored) -> Table:
    """The first and last rows of a version."""
    rows = stored.rows
    shown = [*range(min(SHOWN, len(rows))), *range(max(SHOWN, len(rows) - SHOWN), len(rows))]
    body = [Row((rows.day(k), *(_written(value) for value in rows.values[k]))) for k in shown]
    if len(rows) > 2 * SHOWN:
        body.insert(SHOWN, Row(("...", *("" for _ in rows.columns))))
    facts = ", ".join(f"{name} {value}" for name, value in stored.version.facts.items() if value)
    columns = (Column("Day", "date"), *(Column(name) for name in rows.columns))
    title = f"{stored.key.name} from {stored.key.source}, version {stored.version.number}, {len(rows):,} rows"
    return Table(title, columns, tuple(body), facts)


def check_tables(checked: Sequence[Checked]) -> tuple[Table, ...]:
    """What was looked over, and what was found."""
    over = [Row((one.name, one.source, one.first, one.last, float(one.rows), _verdict(one))) for one in checked]
    heads = (Column("Series"), Column("Source"), Column("First", "date"), Column("Last", "date"))
    overview = Table("Checked", (*heads, Column("Rows", "count"), Column("Verdict")), tuple(over))
    found = [Row((finding.check, finding.severity, finding.sentence)) for one in checked for finding in one.findings]
    if not found:
        return (overview,)
    columns = (Column("Finding"), Column("Severity"), Column("What, and what to do"))
    note = "A serious finding inside the asked span stops a study; what can be accepted, and how: data check --names"
    return overview, Table("Findings", columns, tuple(found), note)


def import_table(done: Sequence[Imported], store: str) -> Table:
    """What an import added."""
    rows = [Row((one.key.name, one.key.source, one.key.kind, float(one.added), float(one.known))) for one in done]
    heads = (Column("Series"), Column("Source"), Column("Kind"))
    return Table(
        "Imported",
        (*heads, Column("Versions added", "count"), Column("Known", "count")),
        tuple(rows),
        f"Store: {store}",
    )


def names_table() -> Table:
    """What the checks look for."""
    rows = [Row((one.name, one.looks_for, one.accepted or "cannot be accepted")) for one in CHECKS.values()]
    return Table("Checks", (Column("Finding"), Column("Looks for"), Column("When accepted")), tuple(rows))


def _verdict(one: Checked) -> str:
    serious = sum(found.severity == "serious" for found in one.findings)
    warnings = len(one.findings) - serious
    if serious:
        return f"{serious} SERIOUS" + (f", {warnings} to know" if warnings else "")
    return f"sound, {warnings} to know" if warnings else "sound"


def _written(value: float) -> str:
    return "" if value != value else f"{value:.10g}"
