"""Series by version: read them, and bring them up to date without ever changing what was stored.

Decisions: docs/decisions/0007-store.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, func, select, update

from alphaoverlay.errors import StoreError
from alphaoverlay.store import schema
from alphaoverlay.store.engine import described, open_engine, reading, store_url, writing
from alphaoverlay.store.rows import Rows
from alphaoverlay.store.updating import Answer, Update, bring_up_to_date
from alphaoverlay.store.versions import (
    Key,
    Version,
    as_version,
    find,
    insert_into,
    kept_rows,
    locked,
    scaled,
    version_of,
    versions_of,
)


@dataclass(frozen=True)
class Stored:
    """A series as a version holds it."""

    key: Key
    version: Version
    rows: Rows
    checked: str


@dataclass(frozen=True)
class Listing:
    """One series of the store at a glance."""

    key: Key
    checked: str
    newest: Version
    versions: int


@dataclass(frozen=True)
class SeriesStore:
    """The store behind one address; see `open_store`."""

    engine: Any = field(repr=False)

    @property
    def where(self) -> str:
        """Its address, without a password."""
        return described(self.engine.url)

    def read(self, key: Key, number: int | None = None) -> Stored | None:
        """Return a version, the newest for None; None where there is no such series or version.

        Raises
        ------
        StoreError : the database failed, or the rows are not those that were stored.
        """
        with reading(self.engine) as connection:
            found = find(connection, key)
            one = None if found is None else version_of(connection, found.id, number)
            if found is None or one is None:
                return None
            return Stored(key, one, scaled(kept_rows(connection, one), one), found.checked)

    def update(self, key: Key, answer: Answer) -> Update:
        """Store what is new in a source's answer, as a new version where anything is.

        Raises
        ------
        StoreError : the database failed; nothing was changed.
        DataError : a whole answer that lacks most of what is stored.
        """
        with writing(self.engine) as connection:
            series_id = locked(connection, key)
            done = bring_up_to_date(connection, series_id, key, version_of(connection, series_id, None), answer)
            if done.version is None:  # nothing to keep, not even the series' name
                connection.rollback()
            elif done.outcome != "behind":
                own = schema.series
                connection.execute(update(own).where(own.c.id == series_id).values(checked=answer.at))
        return done

    def note_unknown(self, key: Key, at: str) -> None:
        """Remember that a source did not know a series of which nothing is stored."""
        with writing(self.engine) as connection:
            own, series_id = schema.series, locked(connection, key)
            connection.execute(update(own).where(own.c.id == series_id).values(checked=at))

    def unknown_since(self, key: Key) -> str | None:
        """Return when a source last said that it does not know a series; None where it never did."""
        with reading(self.engine) as connection:
            found = find(connection, key)
            known = found is not None and version_of(connection, found.id, None) is not None
        return None if found is None or known else found.checked

    def versions(self, key: Key) -> tuple[Version, ...]:
        """Return every version of a series, oldest first."""
        with reading(self.engine) as connection:
            found = find(connection, key)
            return () if found is None else versions_of(connection, found.id)

    def list(self) -> tuple[Listing, ...]:
        """Return every series with its newest version, by source and name."""
        newest = (
            select(schema.version.c.series_id, func.max(schema.version.c.number).label("number"))
            .group_by(schema.version.c.series_id)
            .subquery()
        )
        query = (
            select(schema.series, schema.version)
            .join(newest, newest.c.series_id == schema.series.c.id)
            .join(
                schema.version,
                and_(schema.version.c.series_id == newest.c.series_id, schema.version.c.number == newest.c.number),
            )
        )
        with reading(self.engine) as connection:
            found = connection.execute(query).all()
        listed = [Listing(Key(r.source, r.kind, r.name), r.checked, as_version(r), r.number) for r in found]
        return tuple(sorted(listed, key=lambda one: one.key))

    def pin(self, fingerprint: str, pins: Iterable[tuple[Key, int]], at: str) -> None:
        """Remember which versions a result used, by the fingerprint of its data; a known one stays as it is."""
        own = schema.snapshot.c.fingerprint
        with reading(self.engine) as connection:
            if connection.execute(select(own).where(own == fingerprint)).one_or_none() is not None:
                return
        text = json.dumps(sorted([key.source, key.kind, key.name, number] for key, number in pins))
        values = {"fingerprint": fingerprint, "created": at, "pins": text}
        with writing(self.engine) as connection:
            connection.execute(insert_into(connection, schema.snapshot).values(values).on_conflict_do_nothing())

    def pinned(self, fingerprint: str) -> dict[Key, int] | None:
        """Return the versions behind a fingerprint, or behind the only one that begins so; None where unknown.

        Raises
        ------
        StoreError : several fingerprints begin so.
        """
        column = schema.snapshot.c.fingerprint
        with reading(self.engine) as connection:
            found = connection.execute(
                select(column, schema.snapshot.c.pins).where(func.substr(column, 1, len(fingerprint)) == fingerprint)
            ).all()
        exact = [row for row in found if row.fingerprint == fingerprint]
        if not found:
            return None
        if len(found) > 1 and not exact:
            raise StoreError(
                f"several results in {self.where} have fingerprints that begin with {fingerprint}; write more"
            )
        pins = json.loads((exact or found)[0].pins)
        return {Key(source, kind, name): number for source, kind, name, number in pins}


def open_store(place: str | None = None) -> SeriesStore:
    """Open the store at a path or URL; None takes the environment's, else the one in the user's data folder.

    Raises
    ------
    StoreError : it cannot be opened.
    MissingExtra : it is in PostgreSQL, whose driver is not installed.
    """
    return SeriesStore(open_engine(store_url(place)))
