"""Several processes on one store, killed ones, full disks: what was told to be stored is there, and nothing else is."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.store import swarm
from tests.store.building import SPY, all_of, answer, prices
from tests.store.conftest import NewPlace
from tests.store.swarm import KEYS, check_everything

from alphaoverlay.errors import StoreError
from alphaoverlay.store import engine as engine_module
from alphaoverlay.store.engine import writing
from alphaoverlay.store.series_store import SeriesStore, open_store
from alphaoverlay.store.versions import locked

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked here")
SEED = 20_261_122
PATIENCE_S = 300.0
FULL = "cannot grow: the disk is full. Nothing was changed; make room and try again"


def swarm_of(place: str, *job: object) -> str:
    """Run processes on a store; what they print."""
    more = {"ALPHAOVERLAY_STORE": place, "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "tests.store.swarm", *(str(word) for word in job)]
    done = subprocess.run(
        command, cwd=swarm.ROOT, env=os.environ | more, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def wait_for_quiet(place: str) -> None:
    """Until PostgreSQL has noticed which clients are gone: a commit on its way may still come."""
    if place.startswith("postgresql"):
        import psycopg

        query = (
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        end = time.monotonic() + PATIENCE_S
        with psycopg.connect(place, autocommit=True) as connection:
            while connection.execute(query).fetchone() != (0,):
                assert time.monotonic() < end
                time.sleep(0.02)


def is_sound(place: str) -> bool:
    if place.startswith("postgresql"):
        return True
    connection = sqlite3.connect(place)
    try:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finally:
        connection.close()


def test_a_new_store_is_opened_by_eight_processes_at_once(new_place: NewPlace) -> None:
    places = [new_place() for _ in range(2 if new_place().startswith("postgresql") else 10)]
    swarm_of(places[0], "open", 8, *places)
    assert [open_store(place).list() for place in places] == [()] * len(places)


@pytest.mark.parametrize("seconds", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_what_eight_processes_write_at_once_is_all_there(new_place: NewPlace, tmp_path: Path, seconds: int) -> None:
    place = new_place()
    print("seed", SEED)
    swarm_of(place, "stress", SEED, seconds, 8, tmp_path)
    told = [json.loads(line) for log in tmp_path.glob("*.jsonl") for line in log.read_text("utf-8").splitlines()]
    counts = [path.read_text("ascii").split() for path in tmp_path.glob("*.count")]
    assert len(counts) == 8
    assert is_sound(place)
    versions = check_everything(open_store(place), told, set())
    assert versions == len(told) > 8
    rows = sum(one.version.rows for key in KEYS if (one := open_store(place).read(key)) is not None)
    reads, refused = (sum(int(count[k]) for count in counts) for k in (0, 1))
    print(f"{versions} versions, {rows} rows, {reads} reads, {refused} answers that came too late")


@pytest.mark.parametrize(("kills", "cold"), [(15, 1), pytest.param(190, 10, marks=pytest.mark.slow)])
def test_killed_processes_leave_what_they_had_committed_and_no_more(
    new_place: NewPlace, tmp_path: Path, kills: int, cold: int
) -> None:
    place, longest = new_place(), 0.06
    if place.startswith("postgresql"):  # which takes longer
        kills, cold, longest = max(kills // 4, 5), min(cold, 2), 0.3
    print("seed", SEED)
    swarm_of(place, "kill", SEED, kills, cold, longest, tmp_path)
    wait_for_quiet(place)
    told, perhaps = json.loads((tmp_path / "said.json").read_text("utf-8"))
    assert is_sound(place)
    versions = check_everything(open_store(place), told, set(perhaps))
    assert len(told) <= versions <= len(told) + len(perhaps)
    assert len(told) > kills / 2
    assert perhaps
    print(f"{kills + cold} kills, {len(perhaps)} amid an update, {len(told)} updates told, {versions} versions")


def test_a_reader_does_not_wait_for_a_writer(new_place: NewPlace) -> None:
    place = new_place()
    store = open_store(place)
    store.update(KEYS[0], answer(prices(10)))
    with writing(store.engine) as connection:
        locked(connection, KEYS[0])
        assert swarm_of(place, "count") == "1"
        found = store.read(KEYS[0])
        assert found is not None
        assert found.version.number == 1


def test_a_writer_that_waits_too_long_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "BUSY_SECONDS", 0)
    store = open_store(str(tmp_path / "s.sqlite"))
    with (
        writing(store.engine),
        pytest.raises(StoreError, match=r"s\.sqlite was held by another process for 0 s; try again"),
    ):
        store.update(SPY, answer(prices(10)))
    assert store.list() == ()
    assert store.update(SPY, answer(prices(10))).outcome == "first"


# Full disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder that holds 600 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("no small disk: this user may not mount one")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(store: SeriesStore) -> str:
    """Store new series until the disk is full; the refusal."""
    for k in range(200):
        key = type(SPY)("yahoo", "price", f"FILL{k}")
        try:
            store.update(key, answer(prices(700, seed=k)))
        except StoreError as error:
            return str(error)
    raise AssertionError("the disk is not small")


def test_a_full_disk_says_so_and_what_was_stored_stays(small_disk: Path) -> None:
    store = open_store(str(small_disk / "s.sqlite"))
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(100_000))
    said = fill(store)
    assert said == f"the store {small_disk / 's.sqlite'} {FULL}"
    ballast.unlink()
    before = all_of(store)
    assert len(before) > 1
    assert is_sound(str(small_disk / "s.sqlite"))
    first = next(iter(before))
    assert store.update(first, answer(prices(701, seed=int(first.name[4:])))).outcome == "appended"
    assert {key: kept[0] for key, kept in all_of(store).items()} == {key: kept[0] for key, kept in before.items()}


def test_a_disk_that_is_full_to_the_last_byte_says_so(small_disk: Path) -> None:
    """SQLite then finds no room for its lock table, which it calls an input/output error."""
    place = small_disk / "s.sqlite"
    open_store(str(place)).update(SPY, answer(prices(300)))
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1))
                file.write(bytes(4095))
        except OSError:
            pass
    with pytest.raises(StoreError, match=r"full"):
        open_store(str(place)).update(SPY, answer(prices(700)))
    ballast.unlink()
    found = open_store(str(place)).read(SPY)
    assert found is not None
    assert len(found.rows) == 300


def test_a_file_that_may_not_grow_says_so_and_what_was_stored_stays(tmp_path: Path) -> None:
    """A quota, which SQLite calls an input/output error."""
    said = swarm_of(str(tmp_path / "s.sqlite"), "fill", 200_000)
    trouble = "cannot be read or written (an input/output error): is the disk or a quota full?"
    assert said == f"the store {tmp_path / 's.sqlite'} {trouble}"
    assert is_sound(str(tmp_path / "s.sqlite"))
