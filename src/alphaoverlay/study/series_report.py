"""Tables of the series behind a result: where each came from, and what levels and index returns were made of."""

from __future__ import annotations

from alphaoverlay.history import History, Provenance
from alphaoverlay.report.model import Cell, Column, Row, Table
from alphaoverlay.study.market_data import StudyData


def provenance_table(data: StudyData) -> Table:
    """Every series used, and what each index's return was made of."""
    spans = [f"{name}: {'; '.join(str(s) for s in one.spans)}" for name, one in data.indices.items()]
    return series_table(data.history, "Index total returns made of: " + " | ".join(spans) + "." if spans else "")


def series_table(history: History, note: str) -> Table:
    """Every series of a history, with a note under them."""
    stored = any(p.version is not None for p in history.provenance)
    several = len({p.source for p in history.provenance if p.nature != "assumed"}) > 1
    rows = [
        Row(
            (
                p.name,
                *((p.source,) if several else ()),
                *(p.place, p.nature, p.first, p.last, float(p.observations)),
                *_state(p, stored),
                p.note,
            )
        )
        for p in history.provenance
    ]
    source = (Column("Source"),) if several else ()
    heads = (Column("Series"), *source, Column("Place" if stored else "File"), Column("Nature"))
    heads = (*heads, Column("First", "date"), Column("Last", "date"))
    state = (Column("Version", "count"), Column("Fetched", "date")) if stored else ()
    return Table("Series", (*heads, Column("Rows", "count"), *state, Column("Note")), tuple(rows), note)


def _state(came: Provenance, stored: bool) -> tuple[Cell, ...]:
    """Version and day of fetching, where any series has them."""
    if not stored:
        return ()
    version = None if came.version is None else float(came.version)
    return version, came.retrieved[:10]
