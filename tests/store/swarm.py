"""Processes that read and write one store at the same time, and are killed at it; run as `python -m tests.store.swarm`.

The store's address is in the environment. Processes are forked from one that has imported everything, so that many fit
in little time. Every answer is made from a few numbers that its facts repeat: whoever reads a version can make its rows
again and compare them.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy.dialects.postgresql
import sqlalchemy.dialects.sqlite  # noqa: F401 - so that a fork need not

from alphaoverlay.errors import StoreError
from alphaoverlay.store.rows import BLOCK, Rows
from alphaoverlay.store.series_store import SeriesStore, Stored, open_store
from alphaoverlay.store.updating import Answer, Update
from alphaoverlay.store.versions import Key

ROOT = Path(__file__).parents[2]
KEYS = tuple(Key("vendor", "price", name) for name in ("A", "B", "C"))
CHANGES = ("first", "appended", "rescaled", "revised")
Facts = dict[str, Any]


def rows_from(facts: Facts) -> Rows:
    """The rows that an answer with these facts has."""
    position = np.arange(facts["rows"])
    close = 50.0 + (position * 7919 % 1000) / 10.0
    if facts["odd"] >= 0:
        close[facts["odd"] % facts["rows"]] *= facts["by"]
    table = np.column_stack((close, close * facts["factor"]))
    return Rows((14_610 + position).astype(np.int32), ("close", "adj_close"), table)


def next_facts(rng: random.Random, found: Stored | None, label: str) -> Facts:
    """What a vendor serves next, after what is stored: more rows, another factor, or another past."""
    if found is None:
        return {"rows": 2 * BLOCK + 60, "factor": 1.0, "odd": -1, "by": 1.0, "part": 0, "label": label}
    facts = {**found.version.facts, "part": 0, "label": label}
    what = rng.choice(("append", "append", "part", "part", "rescale", "revise"))
    if what in ("append", "part"):
        facts["part"] = facts["rows"] - rng.randint(1, 20) if what == "part" else 0
        facts["rows"] += rng.randint(1, 4)
    elif what == "rescale":
        facts["factor"] *= rng.uniform(0.98, 0.999)
    else:
        facts |= {"odd": rng.randrange(facts["rows"]), "by": rng.uniform(1.001, 1.5)}
    return facts


def write(store: SeriesStore, key: Key, facts: Facts) -> Update:
    """Serve an answer with these facts."""
    rows, begin = rows_from(facts), facts["part"]
    since = rows.day(begin) if begin else None
    return store.update(key, Answer(rows.cut(begin, len(rows)), since, facts, facts["label"]))


def wrong(found: Stored) -> str:
    """What is wrong with a version that was read, on its own; empty for nothing."""
    facts, version = dict(found.version.facts), found.version
    expected, begin = rows_from(facts), facts["part"]
    same = len(found.rows) == version.rows == len(expected) and (found.rows.days == expected.days).all()
    if not same or not np.allclose(found.rows.values[begin:], expected.values[begin:], rtol=1e-12, atol=0.0):
        return f"version {version.number} of {found.key} has not the rows of {facts}"
    return ""


def check_everything(store: SeriesStore, told: list[Facts], perhaps: set[str]) -> int:
    """Hold the whole store against what processes were told; return the number of versions.

    Parameters
    ----------
    told : one for each success that a process was told of: key, number, outcome and facts.
    perhaps : labels of the updates that were begun and of which no end was told.
    """
    versions = {(key.name, one.number): one for key in KEYS for one in store.versions(key)}
    for key in KEYS:
        numbers = [number for name, number in versions if name == key.name]
        assert numbers == list(range(1, len(numbers) + 1)), f"gaps in {numbers}"
    assert len({(one["key"], one["number"]) for one in told}) == len(told), "two were told the same number"
    known = set()
    for one in told:
        version = versions[one["key"], one["number"]]
        known.add((one["key"], one["number"]))
        assert (version.facts, version.reason) == (one["facts"], one["outcome"])
    others = [version.facts["label"] for place, version in versions.items() if place not in known]
    assert len(set(others)) == len(others)
    assert set(others) <= perhaps, f"versions that nobody wrote: {set(others) - perhaps}"
    for key in KEYS:
        before: Stored | None = None
        for number in range(1, len(store.versions(key)) + 1):
            found = store.read(key, number)
            assert found is not None
            assert not wrong(found), wrong(found)
            begin = found.version.facts["part"]
            if begin:
                assert before is not None
                assert (found.rows.values[:begin] == before.rows.values[:begin]).all()
            before = found
    return len(versions)


# Processes


def fork(work: Callable[[], None]) -> int:
    """Do something in a process of its own; its exit code tells whether it went well."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(code)


def live(number: int, seed: int, end: float, folder: Path) -> None:
    """Read and write until the end, and a few times at least; note every success."""
    rng, store, reads, refused = random.Random(f"{seed}-{number}"), open_store(), 0, 0
    with (folder / f"{number}.jsonl").open("w", encoding="utf-8") as log:
        count = 0
        while count < 3 or time.monotonic() < end:
            key = rng.choice(KEYS)
            found = store.read(key)
            if found is not None:
                assert not wrong(found), wrong(found)
                older = store.read(key, rng.randint(1, found.version.number))
                assert older is not None
                assert not wrong(older), wrong(older)
                reads += 2
            count += 1
            facts = next_facts(rng, found, f"{number}-{count}")
            done = write(store, key, facts)
            if done.outcome in CHANGES and done.version is not None:
                told = {"key": key.name, "number": done.version.number, "outcome": done.outcome, "facts": facts}
                log.write(json.dumps(told) + "\n")
            else:
                refused += 1
    (folder / f"{number}.count").write_text(f"{reads} {refused}", encoding="ascii")


def stress(seed: int, seconds: float, processes: int, folder: Path) -> None:
    """Many processes at once, on a store that none of them has made yet."""
    end = time.monotonic() + seconds
    children = [fork(lambda number=k: live(number, seed, end, folder)) for k in range(processes)]  # type: ignore[misc]
    ends = [os.waitpid(pid, 0)[1] for pid in children]
    sys.exit(any(ends))


def open_at_once(processes: int, places: list[str]) -> None:
    """Make and open one new store after the other, each from several processes as nearly at once as they can."""
    failed = False
    for place in places:
        start = time.monotonic() + 0.03

        def work(place: str = place, start: float = start) -> None:
            while time.monotonic() < start:
                pass
            assert open_store(place).list() == ()

        children = [fork(work) for _ in range(processes)]
        ends = [os.waitpid(pid, 0)[1] for pid in children]
        failed = failed or any(ends)
    sys.exit(failed)


def be_killed(label: str, seed: int, out: int) -> None:
    """Update until somebody ends it, and say before and after each update what it is."""
    rng, store = random.Random(f"{seed}-{label}"), open_store()
    os.write(out, b"ready\n")
    for count in range(1_000_000):
        key = rng.choice(KEYS)
        facts = next_facts(rng, store.read(key), f"{label}-{count}")
        os.write(out, f"begin {facts['label']}\n".encode())
        done = write(store, key, facts)
        told: Facts = {"key": key.name, "outcome": done.outcome, "facts": facts}
        told["number"] = None if done.version is None else done.version.number
        os.write(out, f"end {json.dumps(told)}\n".encode())


def kill(seed: int, kills: int, cold: int, longest: float, folder: Path) -> None:
    """Start and kill one process after the other, most of them forked; write down what they said.

    Parameters
    ----------
    longest : seconds that a process lives, at most, once it has opened the store.
    """
    rng = random.Random(seed)
    told: list[Facts] = []
    perhaps: set[str] = set()
    for k in itertools.count():
        # A slow machine gets some more, so that there is something to look at.
        enough = bool(perhaps) and len(told) > kills / 2
        if k >= kills + cold and (enough or k >= 10 * (kills + cold)):
            break
        reading, writing = os.pipe()
        if not kills <= k < kills + cold:
            pid = fork(lambda k=k, out=writing: be_killed(f"k{k}", seed, out))  # type: ignore[misc]
        else:
            command = [sys.executable, "-m", "tests.store.swarm", "victim", str(seed), f"c{k}", str(writing)]
            pid = subprocess.Popen(command, pass_fds=[writing], cwd=ROOT).pid
        os.close(writing)
        said, end = b"", float("inf")
        while (left := end - time.monotonic()) > 0:
            if select.select([reading], [], [], min(left, 60.0))[0]:
                more = os.read(reading, 65536)
                assert more, "the process ended by itself"
                said += more
            if end == float("inf") and b"ready\n" in said:
                end = time.monotonic() + rng.uniform(0.0, longest)
        os.kill(pid, signal.SIGKILL)
        assert os.waitpid(pid, 0)[1] == signal.SIGKILL
        while more := os.read(reading, 65536):
            said += more
        os.close(reading)
        begun = ""
        for line in said.decode().split("\n")[:-1]:
            word, _, rest = line.partition(" ")
            if word == "begin":
                begun = rest
            elif word == "end":
                one, begun = json.loads(rest), ""
                if one["outcome"] in CHANGES:
                    told.append(one)
        if begun:
            perhaps.add(begun)
        for key in KEYS:  # whoever opens the store next finds it sound
            found = open_store().read(key)
            assert found is None or not wrong(found), wrong(found)
    (folder / "said.json").write_text(json.dumps([told, sorted(perhaps)]), encoding="utf-8")


def fill(limit: int) -> None:
    """Update a store whose files may not grow beyond a limit, until that is refused; print the refusal."""
    import resource

    store = open_store()
    written = write(store, KEYS[0], next_facts(random.Random(1), None, "first")).version
    assert written is not None
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    rng, number = random.Random(1), 1
    try:
        while number < 500:
            facts = next_facts(rng, store.read(KEYS[0]), f"f{number}")
            facts |= {"rows": facts["rows"] + 200, "part": 0}
            version = write(store, KEYS[0], facts).version
            assert version is not None
            number = version.number
    except StoreError as error:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert len(store.versions(KEYS[0])) == number
        check_everything(store, [], {str(one.facts["label"]) for one in store.versions(KEYS[0])})
        facts = next_facts(rng, store.read(KEYS[0]), "after")
        assert write(store, KEYS[0], facts).outcome in CHANGES
        print(error)


def unprivileged(folder: Path) -> None:
    """Open the store as somebody else, where this is root; print what they are told."""
    place = os.environ["ALPHAOVERLAY_STORE"]
    reading, writing = os.pipe()

    def work() -> None:
        if os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)
        try:
            found = open_store(place).read(KEYS[0])
            os.write(writing, b"read" if found is not None else b"nothing there")
        except StoreError as error:
            os.write(writing, str(error).encode())

    open_store(str(folder / "warm.sqlite")).read(KEYS[0])  # imports whatever is imported late
    pid = fork(work)
    os.waitpid(pid, 0)
    os.close(writing)
    print(os.read(reading, 65536).decode())


def main(job: str, *arguments: str) -> None:
    """Do one of the jobs above."""
    if job == "stress":
        stress(int(arguments[0]), float(arguments[1]), int(arguments[2]), Path(arguments[3]))
    elif job == "open":
        open_at_once(int(arguments[0]), list(arguments[1:]))
    elif job == "kill":
        kill(int(arguments[0]), int(arguments[1]), int(arguments[2]), float(arguments[3]), Path(arguments[4]))
    elif job == "victim":
        be_killed(arguments[1], int(arguments[0]), int(arguments[2]))
    elif job == "fill":
        fill(int(arguments[0]))
    elif job == "unprivileged":
        unprivileged(Path(arguments[0]))
    elif job == "count":
        print(*(one.versions for one in open_store().list()))


if __name__ == "__main__":
    main(*sys.argv[1:])
