"""Open the store's database, and read and write it in transactions that are safe with several processes.

SQLite: write-ahead log, every commit on disk before it returns, and writers that take the lock when they begin, since a
reader that turns into a writer could work on numbers that another process has just changed. Connections are opened for
one transaction and closed after it, so that a forked process never shares one.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, make_url, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from alphaoverlay.errors import StoreError, need
from alphaoverlay.store.schema import LAYOUT, about, tables

ENVIRONMENT = "ALPHAOVERLAY_STORE"
BUSY_SECONDS = 60
# Any number, the same in every process: PostgreSQL's lock under which the tables are made.
MAKING_TABLES = 7_215_402


def store_url(place: str | None) -> URL:
    """Return the database's address: `place`, else the environment's, else a file in the user's data folder.

    Parameters
    ----------
    place : a path, or a URL such as postgresql://user@host/name.

    Raises
    ------
    StoreError : not a path, and not the URL of SQLite or PostgreSQL.
    """
    chosen = place or os.environ.get(ENVIRONMENT) or str(default_path())
    if "://" not in chosen:
        try:
            return URL.create("sqlite", database=str(Path(chosen).expanduser()))
        except RuntimeError:
            raise StoreError(f"--store: {chosen}: there is no such user; write the whole path") from None
    try:
        url = make_url(chosen)
    except (ArgumentError, ValueError):  # not repeated, since it may have a password in it
        raise StoreError("--store: not a path and not a URL such as postgresql://user@host/name") from None
    kind = url.get_backend_name()
    if kind == "postgresql":
        need("psycopg", "postgres", "a store in PostgreSQL")
        return url.set(drivername="postgresql+psycopg")
    if kind != "sqlite" or not url.database or url.database == ":memory:":
        raise StoreError(
            f"--store: {kind} cannot keep a store; write the path of a file, or postgresql://user@host/name"
        )
    return url


def default_path() -> Path:
    """Where the store lies when nothing else is said."""
    from platformdirs import user_data_path

    return user_data_path("alphaoverlay", appauthor=False) / "store.sqlite"


def exists(url: URL) -> bool:
    """Whether opening a store there would find one, rather than make its file; a server's is taken to be there."""
    return url.get_backend_name() != "sqlite" or Path(str(url.database)).exists()


def open_engine(url: URL) -> Engine:
    """Open a database and make its tables where they are missing.

    Raises
    ------
    StoreError : it cannot be opened, is not a store, or is one of another layout.
    """
    where = described(url)
    if url.get_backend_name() == "sqlite":
        try:
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the store {where} cannot be made ({error.strerror}); name another with --store"
            ) from None
    try:
        engine = create_engine(url, poolclass=NullPool)
    except (NoSuchModuleError, ModuleNotFoundError):
        raise StoreError(f"the store {where} needs a driver that is not installed") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    _make_tables(engine, where)
    return engine


def described(url: URL) -> str:
    """The address without its password, for messages."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that changes nothing, and sees one state of the database.

    Raises
    ------
    StoreError : the database failed.
    """
    # SQLite's readers see one state of the database from their first statement on.
    options = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with _translated(engine), engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is committed whole, or not at all.

    Raises
    ------
    StoreError : the database failed; nothing was changed.
    """
    with _translated(engine), engine.connect().execution_options(writing=True) as connection, connection.begin():
        yield connection


def _prepare_sqlite(raw: Any, record: Any) -> None:
    raw.isolation_level = None  # transactions are begun by _begin_sqlite, not by the driver
    cursor = raw.cursor()
    for pragma in (f"busy_timeout={BUSY_SECONDS * 1000}", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    _keep_a_log(cursor)
    cursor.close()


def _keep_a_log(cursor: Any) -> None:
    """Switch to the write-ahead log. SQLite does not wait where two processes do so on a new file, so this does."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= end:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _make_tables(engine: Engine, where: str) -> None:
    with reading(engine) as connection:
        known = engine.dialect.has_table(connection, about.name)
    if not known:
        with writing(engine) as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({MAKING_TABLES})"))
            if not engine.dialect.has_table(connection, about.name):
                _refuse_anothers_database(engine, connection, where)
                tables.create_all(connection)
                connection.execute(insert(about).values(name="layout", value=str(LAYOUT)))
    with reading(engine) as connection:
        layout = connection.execute(select(about.c.value).where(about.c.name == "layout")).scalar()
    if layout != str(LAYOUT):
        raise StoreError(
            f"the store {where} has layout {layout}, this version reads {LAYOUT}: export it with the version that "
            "wrote it, or name another with --store"
        )


def _refuse_anothers_database(engine: Engine, connection: Connection, where: str) -> None:
    """A file of SQLite belongs to one program; a database of PostgreSQL may be shared."""
    if engine.dialect.name == "sqlite" and inspect(connection).get_table_names():
        raise StoreError(f"{where} is the database of another program; name another file with --store")


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    """Turn a database's error into one sentence that says what to do."""
    where = described(engine.url)
    try:
        yield
    except DBAPIError as error:
        raise StoreError(_in_words(where, str(error.orig), engine.dialect.name)) from None
    except UnicodeDecodeError:  # SQLite's words on a damaged database, with some of its bytes
        raise StoreError(_in_words(where, "malformed", engine.dialect.name)) from None
    except SQLAlchemyError:
        raise StoreError(f"the store {where} failed; check it with: alphaoverlay doctor") from None


def _in_words(where: str, said: str, dialect: str) -> str:
    said = said.lower()
    if "disk is full" in said or "no space left" in said or "disk full" in said:
        return f"the store {where} cannot grow: the disk is full. Nothing was changed; make room and try again"
    if "locked" in said:
        return f"the store {where} was held by another process for {BUSY_SECONDS} s; try again when that is done"
    if "not a database" in said or "malformed" in said or "no such column" in said or "no such table" in said:
        return f"{where} is not a store, or is damaged: move it away, or name another with --store"
    if "readonly" in said or "read-only" in said or "unable to open" in said or "permission denied" in said:
        return f"the store {where} cannot be opened for writing: check its rights, or name another with --store"
    if "i/o error" in said:
        return f"the store {where} cannot be read or written (an input/output error): is the disk or a quota full?"
    if dialect == "postgresql":
        return f"the database {where} does not answer as it should: check that it runs, the name and the rights"
    return f"the store {where} failed; check it with: alphaoverlay doctor"
