"""Opening a store: where it lies, what is refused, and that no password is ever shown."""

from __future__ import annotations

import logging
import shutil
import socket
import sqlite3
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update
from tests.store.building import SPY, answer, prices
from tests.store.conftest import NewPlace
from tests.store.postgres_server import PASSWORD, PostgresServer
from tests.store.swarm import KEYS
from tests.store.test_processes import swarm_of

from alphaoverlay.errors import MissingExtra, StoreError
from alphaoverlay.store import engine as engine_module
from alphaoverlay.store import schema
from alphaoverlay.store.engine import default_path, described, open_engine, reading, store_url, writing
from alphaoverlay.store.series_store import open_store


@pytest.fixture(autouse=True)
def no_store_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALPHAOVERLAY_STORE", raising=False)


# Addresses


def test_a_path_is_a_file_of_sqlite(tmp_path: Path) -> None:
    url = store_url(str(tmp_path / "a b?c#.sqlite"))
    assert url.get_backend_name() == "sqlite"
    assert url.database == str(tmp_path / "a b?c#.sqlite")


def test_a_path_may_begin_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert store_url("~/s.sqlite").database == "/home/ann/s.sqlite"


def test_nobodys_home_is_an_error() -> None:
    with pytest.raises(StoreError, match="no such user"):
        store_url("~no-such-user-here/s.sqlite")


def test_the_place_comes_before_the_environment_and_that_before_the_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert Path(str(store_url(None).database)) == default_path()
    assert tmp_path in default_path().parents
    monkeypatch.setenv("ALPHAOVERLAY_STORE", "/env.sqlite")
    assert store_url(None).database == "/env.sqlite"
    assert store_url("/named.sqlite").database == "/named.sqlite"


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_postgresql_is_spoken_to_through_psycopg(scheme: str) -> None:
    assert store_url(f"{scheme}://ann@host/name").drivername == "postgresql+psycopg"


def test_without_its_driver_postgresql_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"pip install 'alphaoverlay\[postgres\]'"):
        store_url("postgresql://ann@host/name")


@pytest.mark.parametrize(
    "place",
    [
        "mysql://ann:opensesame@host/name",
        "postgres://ann:opensesame@host/name",
        "sqlite://",
        "sqlite:///:memory:",
        "://opensesame",
        "postgresql://ann:opensesame@host:port/name",
        "http//://opensesame",
    ],
)
def test_other_addresses_are_refused_without_repeating_a_password(place: str) -> None:
    with pytest.raises(StoreError, match=r"postgresql://user@host/name") as caught:
        store_url(place)
    told = "".join(traceback.format_exception(caught.value))
    message = str(caught.value)
    assert "opensesame" not in message
    assert "invalid literal" not in told


def test_a_driver_that_is_not_installed_is_an_error() -> None:
    with pytest.raises(StoreError, match="driver that is not installed"):
        open_store("sqlite+nonsense:////tmp/none.sqlite")


# Opening


def test_folders_are_made_on_the_way(tmp_path: Path) -> None:
    place = tmp_path / "a" / "b" / "s.sqlite"
    assert open_store(str(place)).list() == ()
    assert place.is_file()


def test_a_store_is_opened_again(new_place: NewPlace) -> None:
    place = new_place()
    open_store(place).update(SPY, answer(prices(10)))
    again = open_store(place)
    assert [(one.key, one.versions) for one in again.list()] == [(SPY, 1)]
    assert again.update(SPY, answer(prices(10))).outcome == "unchanged"


def test_a_file_in_the_way_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="ascii")
    with pytest.raises(StoreError, match=r"cannot be made \(.*\); name another with --store"):
        open_store(str(tmp_path / "file" / "deeper" / "s.sqlite"))


def test_a_folder_is_not_a_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(str(tmp_path))


@pytest.mark.parametrize(
    "content", [b"date,close\n2024-01-02,1.0\n" * 50, bytes(8192), b"SQLite format 3\0" + b"x" * 4096]
)
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "prices.csv"
    place.write_bytes(content)
    with pytest.raises(StoreError, match=r"prices\.csv is not a store, or is damaged: move it away, or name another"):
        open_store(str(place))
    assert place.read_bytes() == content


def test_another_programs_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "photos.sqlite"
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE photo (id INTEGER PRIMARY KEY)")
        raw.commit()
    with pytest.raises(StoreError, match="another program"):
        open_store(str(path))
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT name FROM sqlite_master").fetchall() == [("photo",)]


def test_another_programs_table_of_the_same_name_is_no_store(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "other.sqlite")
    connection.execute("CREATE TABLE about (words TEXT)")
    connection.close()
    with pytest.raises(StoreError, match="is not a store"):
        open_store(str(tmp_path / "other.sqlite"))


@pytest.mark.parametrize("layout", ["2", "0", "abc"])
def test_a_store_of_another_layout_is_refused(new_place: NewPlace, layout: str) -> None:
    place = new_place()
    with writing(open_store(place).engine) as connection:
        connection.execute(update(schema.about).values(value=layout))
    with pytest.raises(StoreError, match=f"has layout {layout}, this version reads 1: export it with the version that"):
        open_store(place)


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that every user can enter, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="store-"))
    folder.chmod(0o755)
    yield folder
    for one in folder.iterdir():
        one.chmod(0o755)
    shutil.rmtree(folder)


def test_a_folder_that_may_not_be_written_is_an_error(open_to_all: Path, tmp_path: Path) -> None:
    folder = open_to_all / "closed"
    folder.mkdir(mode=0o555)
    assert swarm_of(str(folder / "s.sqlite"), "unprivileged", tmp_path) == (
        f"the store {folder / 's.sqlite'} cannot be opened for writing: check its rights, or name another with --store"
    )
    assert swarm_of(str(folder / "deeper" / "s.sqlite"), "unprivileged", tmp_path) == (
        f"the store {folder / 'deeper' / 's.sqlite'} cannot be made (Permission denied); name another with --store"
    )


def test_a_store_that_may_not_be_written_is_an_error(open_to_all: Path, tmp_path: Path) -> None:
    """Not even for reading: SQLite keeps its locks in a file beside it."""
    place = open_to_all / "closed" / "s.sqlite"
    open_store(str(place)).update(KEYS[0], answer(prices(3)))
    place.chmod(0o444)
    place.parent.chmod(0o555)
    assert "cannot be opened for writing: check its rights" in swarm_of(str(place), "unprivileged", tmp_path)


def test_sqlite_is_opened_with_its_log_its_syncs_and_its_keys(tmp_path: Path) -> None:
    engine = open_engine(store_url(str(tmp_path / "s.sqlite")))
    with reading(engine) as connection:
        found = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")]
        assert found == ["wal", 2]
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 60_000
    with pytest.raises(StoreError), writing(engine) as connection:
        connection.execute(insert(schema.lineage).values(series_id=99, columns="close"))


def test_a_writing_transaction_holds_the_lock_from_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "BUSY_SECONDS", 0)
    engine = open_engine(store_url(str(tmp_path / "s.sqlite")))
    with writing(engine), pytest.raises(StoreError, match="held by another"), writing(engine):
        raise AssertionError("two writers")


def test_a_broken_statement_is_one_sentence(new_place: NewPlace) -> None:
    engine = open_store(new_place()).engine
    with pytest.raises(StoreError), reading(engine) as connection:
        connection.execute(text("SELECT nonsense FROM nowhere"))
    with pytest.raises(StoreError, match="alphaoverlay doctor"), reading(engine) as connection:
        connection.execute(select(schema.about.c.value).where(schema.about.c.name == "none")).scalar_one()


# PostgreSQL


def test_no_password_is_shown_anywhere(
    postgres: PostgresServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    place = postgres.address()
    assert PASSWORD in place
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger="sqlalchemy"):
        store = open_store(place)
        store.update(SPY, answer(prices(5)))
        store.read(SPY)
    shown = [
        repr(store),
        str(store),
        store.where,
        repr(store.engine),
        str(store.engine.url),
        caplog.text,
        *capfd.readouterr(),
    ]
    assert len(caplog.records) > 5
    assert not any(PASSWORD in one for one in shown)
    assert store.where == f"postgresql://tester:***@127.0.0.1:{postgres.port}/postgres"


def test_a_password_in_the_query_is_not_shown_either(postgres: PostgresServer) -> None:
    url = store_url(f"postgresql://tester@127.0.0.1:{postgres.port}/postgres?password={PASSWORD}")
    assert described(url) == f"postgresql://tester@127.0.0.1:{postgres.port}/postgres"
    assert open_store(f"postgresql://tester@127.0.0.1:{postgres.port}/postgres?password={PASSWORD}").where == described(
        url
    )


def refusal(place: str) -> str:
    with pytest.raises(StoreError) as caught:
        open_store(place)
    shown = "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in shown
    assert "mistaken-word" not in shown.replace("mistaken-word@", "")  # the line of this test is in the traceback
    return str(caught.value)


def test_a_wrong_password_a_wrong_name_and_a_wrong_option_are_one_sentence(postgres: PostgresServer) -> None:
    end = f"127.0.0.1:{postgres.port}"
    sentence = "does not answer as it should: check that it runs, the name and the rights"
    assert refusal(f"postgresql://tester:mistaken-word@{end}/postgres") == (
        f"the database postgresql://tester:***@{end}/postgres {sentence}"
    )
    assert refusal(postgres.url().replace("/postgres", "/nowhere")) == (
        f"the database postgresql://tester:***@{end}/nowhere {sentence}"
    )
    assert refusal(postgres.url(nonsense="1")).endswith(sentence)


def test_a_server_that_is_not_there_is_one_sentence() -> None:
    pytest.importorskip("psycopg")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers
        end = f"127.0.0.1:{probe.getsockname()[1]}"
        said = refusal(f"postgresql://tester:{PASSWORD}@{end}/postgres")
    assert said.startswith(f"the database postgresql://tester:***@{end}/postgres does not answer")


def test_a_server_that_hangs_up_amid_a_transaction_changes_nothing(postgres: PostgresServer) -> None:
    place = postgres.address()
    store = open_store(place)
    store.update(SPY, answer(prices(5)))

    def change_and_lose_the_server() -> None:
        with writing(store.engine) as connection:
            connection.execute(update(schema.version).values(reason="wrong"))
            own = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            postgres.run(f"SELECT pg_terminate_backend({own})")
            connection.execute(text("SELECT 1"))

    with pytest.raises(StoreError, match="does not answer") as caught:
        change_and_lose_the_server()
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
    assert [one.reason for one in store.versions(SPY)] == ["first"]


def test_somebody_who_may_only_read_is_told_so(postgres: PostgresServer) -> None:
    place = postgres.address()
    open_store(place).update(SPY, answer(prices(5)))
    name = f"s{postgres.made}"
    postgres.run(f"CREATE ROLE guest{postgres.made} LOGIN PASSWORD '{PASSWORD}'")
    postgres.run(f"GRANT USAGE ON SCHEMA {name} TO guest{postgres.made}")
    postgres.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO guest{postgres.made}")
    guest = open_store(place.replace("tester:", f"guest{postgres.made}:"))
    assert guest.read(SPY) is not None
    with pytest.raises(StoreError, match="cannot be opened for writing: check its rights"):
        guest.update(SPY, answer(prices(6)))
