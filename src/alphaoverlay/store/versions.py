"""Versions of series in the database: what they are, and how rows get in and out.

Everything here runs inside a transaction of the caller.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from alphaoverlay.errors import StoreError
from alphaoverlay.store import schema
from alphaoverlay.store.comparison import Revision
from alphaoverlay.store.rows import BLOCK, Rows, pack, unpack


@dataclass(frozen=True, order=True)
class Key:
    """What a series is called: its source, what it is ("price" or "rate"), and its name."""

    source: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} from {self.source}"


@dataclass(frozen=True, kw_only=True)
class Version:
    """One state of a series; it never changes.

    Attributes
    ----------
    number : 1 for the first.
    created : when it was stored, ISO 8601 in UTC.
    reason : what made it: first, appended, rescaled or revised.
    facts : what the source said of the series, such as its currency.
    revision : how it differs from the version before, where that is more than new rows and columns.
    close_scale, adj_scale : factors on the lineage's closes and adjusted closes.
    lineage : the store's own number of the rows it is cut from.
    rows, first, last : number of rows, first and last day.
    digest : hash of its rows before scaling.
    """

    number: int
    created: str
    reason: str
    facts: Mapping[str, Any]
    revision: Revision | None = None
    close_scale: float = 1.0
    adj_scale: float = 1.0
    lineage: int = 0
    rows: int = 0
    first: str = ""
    last: str = ""
    digest: str = ""


def locked(connection: Connection, key: Key) -> int:
    """Return the series' number, made where missing; its other writers wait until this transaction ends."""
    values = {"source": key.source, "kind": key.kind, "name": key.name}
    connection.execute(insert_into(connection, schema.series).values(values).on_conflict_do_nothing())
    return int(connection.execute(select(schema.series.c.id).where(*named(key)).with_for_update()).scalar_one())


def find(connection: Connection, key: Key) -> Row[Any] | None:
    """Return the series' row, or None."""
    return connection.execute(select(schema.series).where(*named(key))).one_or_none()


def named(key: Key) -> tuple[Any, ...]:
    """Return the conditions that pick a series."""
    own = schema.series.c
    return own.source == key.source, own.kind == key.kind, own.name == key.name


def insert_into(connection: Connection, table: Any) -> Any:
    """Return an INSERT that can say ON CONFLICT, which both databases know and SQLAlchemy has no common word for."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def version_of(connection: Connection, series_id: int, number: int | None) -> Version | None:
    """Return a version, the newest for None."""
    query = select(schema.version).where(schema.version.c.series_id == series_id)
    if number is not None:
        query = query.where(schema.version.c.number == number)
    row = connection.execute(query.order_by(schema.version.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else as_version(row)


def versions_of(connection: Connection, series_id: int) -> tuple[Version, ...]:
    """Return every version of a series, oldest first."""
    own = schema.version
    rows = connection.execute(select(own).where(own.c.series_id == series_id).order_by(own.c.number))
    return tuple(as_version(row) for row in rows)


def as_version(row: Row[Any]) -> Version:
    """Return the version in a row of the table.

    Raises
    ------
    StoreError : it is none.
    """
    try:
        facts = dict(json.loads(row.facts))
        revision = Revision(**json.loads(row.revision)) if row.revision else None
    except (TypeError, ValueError):
        raise StoreError(
            "the store is damaged: what it says of a version cannot be read. Restore it from a copy or an export"
        ) from None
    return Version(
        number=row.number,
        created=row.created,
        reason=row.reason,
        facts=facts,
        revision=revision,
        close_scale=row.close_scale,
        adj_scale=row.adj_scale,
        lineage=row.lineage_id,
        rows=row.rows,
        first=row.first,
        last=row.last,
        digest=row.digest,
    )


def kept_rows(connection: Connection, one: Version) -> Rows:
    """Return a version's rows as they are kept, before scaling.

    Raises
    ------
    StoreError : they are not those that were stored.
    """
    names = connection.execute(select(schema.lineage.c.columns).where(schema.lineage.c.id == one.lineage)).scalar_one()
    columns = tuple(names.split(","))
    own, blocks = schema.lineage_block, schema.block
    query = (
        select(blocks.c.payload)
        .join(own, own.c.block_id == blocks.c.id)
        .where(own.c.lineage_id == one.lineage, own.c.position <= (one.rows - 1) // BLOCK)
        .order_by(own.c.position)
    )
    parts = [unpack(payload, columns) for payload in connection.execute(query).scalars()]
    if parts:
        days = np.concatenate([part.days for part in parts])[: one.rows]
        rows = Rows(days, columns, np.concatenate([part.values for part in parts])[: one.rows])
        if rows.digest() == one.digest:
            return rows
    raise StoreError(
        "the store is damaged: the rows of a version are not those that were stored. Restore it from a copy or from "
        "an export"
    )


def scaled(rows: Rows, one: Version) -> Rows:
    """Return kept rows on the footing of a version."""
    return rows if one.close_scale == one.adj_scale == 1.0 else _scaled_by(rows, one.close_scale, one.adj_scale)


def begin_lineage(
    connection: Connection, series_id: int, rows: Rows, draft: Version, *, like: int = 0, keep: int = 0
) -> Version:
    """Store rows as a new lineage and its first version; the first `keep` blocks are those of the lineage `like`."""
    lineage = new_lineage(connection, series_id, rows.columns)
    own = schema.lineage_block
    if keep:
        old = select(own.c.position, own.c.block_id).where(own.c.lineage_id == like, own.c.position < keep)
        shared = [row._asdict() | {"lineage_id": lineage} for row in connection.execute(old)]
        connection.execute(insert(own), shared)
    write_blocks(connection, lineage, rows, keep)
    return _write_version(connection, series_id, replace(draft, lineage=lineage), rows)


def append_rows(connection: Connection, series_id: int, newest: Version, fresh: Rows, draft: Version) -> Version:
    """Add rows to the newest version's lineage, on the footing of its first row."""
    rows = kept_rows(connection, newest)
    if len(fresh):
        grown = rows.joined(_scaled_by(fresh, 1.0 / draft.close_scale, 1.0 / draft.adj_scale))
        write_blocks(connection, newest.lineage, grown, len(rows) // BLOCK)
        rows = grown
    return _write_version(connection, series_id, replace(draft, lineage=newest.lineage), rows)


def write_blocks(connection: Connection, lineage: int, rows: Rows, first: int) -> None:
    """Write the blocks from position `first` on; only that one, the lineage's last so far, can be there already.

    Blocks that lineages share are full, so the one that grows is this lineage's own.
    """
    own, blocks = schema.lineage_block, schema.block
    here = (own.c.lineage_id == lineage, own.c.position == first)
    there = connection.execute(select(own.c.block_id).where(*here)).scalar()
    for position in range(first, -(-len(rows) // BLOCK)):
        payload = pack(rows.cut(position * BLOCK, (position + 1) * BLOCK))
        if position == first and there is not None:
            connection.execute(update(blocks).where(blocks.c.id == there).values(payload=payload))
        else:
            block = connection.execute(insert(blocks).values(payload=payload).returning(blocks.c.id)).scalar_one()
            connection.execute(insert(own).values(lineage_id=lineage, position=position, block_id=block))


def new_lineage(connection: Connection, series_id: int, columns: tuple[str, ...]) -> int:
    """Make a lineage without rows; return its number."""
    values = {"series_id": series_id, "columns": ",".join(columns)}
    return int(connection.execute(insert(schema.lineage).values(values).returning(schema.lineage.c.id)).scalar_one())


def insert_version(connection: Connection, series_id: int, one: Version) -> None:
    """Write a version's row."""
    values = asdict(one)
    values |= {
        "series_id": series_id,
        "lineage_id": values.pop("lineage"),
        "facts": json.dumps(one.facts, sort_keys=True),
        "revision": "" if one.revision is None else json.dumps(asdict(one.revision)),
    }
    connection.execute(insert(schema.version).values(values))


def _write_version(connection: Connection, series_id: int, draft: Version, rows: Rows) -> Version:
    made = replace(draft, rows=len(rows), first=rows.day(0), last=rows.day(-1), digest=rows.digest())
    insert_version(connection, series_id, made)
    return made


def _scaled_by(rows: Rows, close: float, adjusted: float) -> Rows:
    """Rescale prices, and what stands on the footing of the close; a volume moves against it."""
    factors = {"close": close, "nav": close, "distribution": close, "volume": 1.0 / close, "adj_close": adjusted}
    return Rows(rows.days, rows.columns, rows.values * np.array([factors.get(name, 1.0) for name in rows.columns]))
