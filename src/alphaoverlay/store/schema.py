"""Tables of the store.

A *series* is what one source calls one name. Its *versions* are numbered without gaps and never change. A version is
the first `rows` rows of a *lineage*; a lineage only ever grows at its end, so appending leaves earlier versions as
they were. When a source revises its past a new lineage begins, which shares the unchanged blocks of the old one.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

# Raised when the tables change; a store of another number is refused rather than misread.
LAYOUT = 1

tables = MetaData()

about = Table("about", tables, Column("name", String(40), primary_key=True), Column("value", Text, nullable=False))

series = Table(
    "series",
    tables,
    Column("id", Integer, primary_key=True),
    Column("source", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("name", String(200), nullable=False),
    Column("checked", String(40), nullable=False, server_default=""),
    UniqueConstraint("source", "kind", "name"),
)

lineage = Table(
    "lineage",
    tables,
    Column("id", Integer, primary_key=True),
    Column("series_id", ForeignKey("series.id"), nullable=False, index=True),
    Column("columns", Text, nullable=False),
)

block = Table(
    "block",
    tables,
    Column("id", Integer, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)

lineage_block = Table(
    "lineage_block",
    tables,
    Column("lineage_id", ForeignKey("lineage.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("block_id", ForeignKey("block.id"), nullable=False),
)

version = Table(
    "version",
    tables,
    Column("series_id", ForeignKey("series.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("lineage_id", ForeignKey("lineage.id"), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("close_scale", Float(53), nullable=False),
    Column("adj_scale", Float(53), nullable=False),
    Column("created", String(40), nullable=False),
    Column("reason", String(20), nullable=False),
    Column("first", String(10), nullable=False),
    Column("last", String(10), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("facts", Text, nullable=False),
    Column("revision", Text, nullable=False),
)

snapshot = Table(
    "snapshot",
    tables,
    Column("fingerprint", String(80), primary_key=True),
    Column("created", String(40), nullable=False),
    Column("pins", Text, nullable=False),
)
