"""What surrounds live data: outages of every kind, keys, missing extras, the doctor and the demo."""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cli.running import Run
from tests.cli.served_world import CASE, SESSIONS, Clock, World, live_world
from tests.cli.test_data import head, refused
from tests.market.loopback import HASTY, Asked, Reply, in_turn, loopback
from tests.market.served_days import PAGE, half
from tests.market.served_days import SESSIONS as TIINGO_SESSIONS
from tests.market.served_fred import rate_csv
from tests.market.served_tiingo import SECRET
from tests.market.served_tiingo import answer as tiingo_answer

from alphaoverlay.market import client

RUN = ("run", *CASE, "--data", "yahoo")
LATER = datetime(2024, 6, 3, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "store.sqlite"


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch, place: Path) -> Iterator[tuple[World, Clock]]:
    with live_world(monkeypatch, str(place)) as served:
        yield served


# --- sources that fail ---

FAULTS = {
    "too many requests": (Reply("slow down", 429), "too many requests (429)"),
    "come back in an hour": (Reply("", 429, {"Retry-After": "3600"}), "asks to wait 3600 s"),
    "an outage": (Reply("", 500), "an outage (status 500)"),
    "a page": (Reply(PAGE), "web page"),
    "an empty answer": (Reply(""), "empty"),
    "a refusal": (Reply("{}", 403), "status 403"),
    "another document": (Reply("[1, 2]"), ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_source_that_fails_is_one_line_or_the_stored_data(live: tuple[World, Clock], run: Run, fault: str) -> None:
    world, clock = live
    reply, said = FAULTS[fault]
    world.yahoo_says = in_turn(reply)
    assert said in refused(run(*RUN))
    world.yahoo_says = None
    first = run(*RUN, "--json").document
    world.yahoo_says = in_turn(reply)
    clock.at = LATER
    again = run(*RUN, "--json").document
    assert again["portfolio"] == first["portfolio"]
    assert said in next(one for one in again["notes"] if "What is stored" in one)
    [note] = [one for one in again["notes"] if one.startswith("TNA: ")]
    assert "What is stored up to 2023-12-29 is used, last confirmed 2024-01-02." in note
    assert not any("ynthetic" in one for one in again["notes"])


@pytest.mark.parametrize("fault", ["too many requests", "an outage", "a page", "another document"])
def test_rates_that_cannot_be_had_are_one_line_or_the_stored_ones(
    live: tuple[World, Clock], run: Run, fault: str
) -> None:
    world, clock = live
    reply, said = FAULTS[fault]
    world.fred_says = in_turn(reply)
    assert said in refused(run(*RUN))
    world.fred_says = None
    first = run(*RUN, "--json").document
    world.fred_says, clock.at = in_turn(reply), LATER
    again = run(*RUN, "--json").document
    assert again["portfolio"] == first["portfolio"]
    [note] = [one for one in again["notes"] if one.startswith("DFF: ")]
    assert "What is stored up to 2023-12-29 is used" in note


def test_half_an_answer_is_never_stored(live: tuple[World, Clock], run: Run) -> None:
    world, _ = live
    whole = world.charts["SPY"].reply(Asked("", {}, {})).body
    world.instead["SPY"] = half(whole)
    assert "half way" in refused(run(*RUN))
    world.instead.clear()
    world.fred_says = in_turn(half(rate_csv("DFF", world.rates["DFF"])))
    assert "half way" in refused(run(*RUN))
    listed = [one["name"] for one in run("data", "list", "--json").document["series"]]
    assert "DFF" not in listed
    world.fred_says = None
    assert run(*RUN, "--json").document["data"]["end"] == SESSIONS[-1]


def test_a_source_that_does_not_answer_in_time(
    live: tuple[World, Clock], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried = replace(HASTY, tries=1, read=0.2)
    monkeypatch.setattr(client.Patience.__init__, "__defaults__", tuple(vars(hurried).values()))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("ALPHAOVERLAY_YAHOO_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert "it took too long" in refused(run(*RUN))


def test_no_server_at_all(live: tuple[World, Clock], run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(*RUN, "--json").document
    _, clock = live
    for name in ("YAHOO", "FRED"):
        monkeypatch.setenv(f"ALPHAOVERLAY_{name}_URL", "http://127.0.0.1:9")
    assert "no connection to 127.0.0.1" in refused(run(*RUN, "--store", "new.sqlite"))
    clock.at = LATER
    again = run(*RUN, "--json").document
    assert again["portfolio"] == first["portfolio"]
    assert sum("no connection to 127.0.0.1" in one for one in again["notes"]) == 3  # Yahoo twice, FRED once
    assert sum("What is stored up to" in one for one in again["notes"]) == len(first["data"]["series"])


@pytest.mark.parametrize("url", ["notaurl", "ftp://x", "http://user:pass@x", "http://x?apikey=1"])
def test_a_mirror_that_cannot_be_used_is_named_and_not_repeated(
    live: tuple[World, Clock], run: Run, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("ALPHAOVERLAY_YAHOO_URL", url)
    line = refused(run(*RUN))
    assert "base URL of yahoo" in line
    assert "pass@" not in line
    assert "apikey" not in line


# --- keys ---


def test_a_key_is_never_seen_again(
    live: tuple[World, Clock], run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: Path
) -> None:
    """Not in what is printed, written or stored, and not when the source fails, even if its answer quotes it."""
    monkeypatch.setenv("TIINGO_API_KEY", SECRET)
    echo = f'{{"detail": "{SECRET} is over its limit"}}'
    answers = [tiingo_answer, in_turn(Reply(echo, 500)), in_turn(Reply(echo, 401)), in_turn(Reply(echo))]
    words = ["SPY=100", "--data", "tiingo", "--cash-rate", "0.02", "--start", TIINGO_SESSIONS[0]]
    seen = []
    with loopback(answers[0]) as server:
        monkeypatch.setenv("ALPHAOVERLAY_TIINGO_URL", server.url)
        done = run("run", *words, "--json", "--report", "my.html", "--save", "my.toml")
        assert done.document["data"]["source"] == "tiingo, fred"
        assert any(one.headers.get("Authorization") == f"Token {SECRET}" for one in server.asked)
        seen.append(done)
        for answer in answers[1:]:
            server.reply = answer
            for more in ([], ["--store", "other.sqlite"]):
                seen += [run("run", *words, *more), run("data", "fetch", "SPY", "--data", "tiingo", "--json", *more)]
                assert seen[-1].status == 2
    seen += [
        run("doctor"),
        run("doctor", "--json"),
        run("data", "show", "SPY", "--json"),
        run("data", "export", "x.zip"),
    ]
    assert not any(SECRET in part for one in seen for part in (one.out, one.err))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert place in files
    assert {"my.html", "my.toml", "x.zip", "other.sqlite"} <= {path.name for path in files}
    assert not any(SECRET.encode() in path.read_bytes() for path in files)
    assert "set, for --data tiingo" in " ".join(seen[-4].out.split())


# --- without the extra ---


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without the extra "live": what imports it is imported anew, and fails."""
    built_on_it = (
        "store.", "market.stored", "market.client", "study.fetching", "study.data_documents", "study.data_report"
    )  # fmt: skip
    for name in list(sys.modules):
        if name.removeprefix("alphaoverlay.").startswith(built_on_it):
            monkeypatch.delitem(sys.modules, name)
    for name in ("sqlalchemy", "yfinance", "pandas_datareader", "requests"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize(
    "words",
    [
        RUN,
        ("track", "UPRO", "--data", "yahoo"),
        ("demo", "--live"),
        ("data", "fetch", "SPY"),
        ("data", "list"),
        ("data", "show", "SPY"),
        ("data", "export", "x.zip"),
        ("data", "import", "x.zip"),
        ("data", "check", "SPY", "--data", "yahoo"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_without_the_extra_the_command_that_installs_it_is_named(run: Run, bare: None, words: tuple[str, ...]) -> None:
    assert "pip install 'alphaoverlay[live]'" in refused(run(*words))


@pytest.mark.parametrize(
    "words", [("run", *CASE), ("data", "check"), ("data", "check", "--names"), ("doctor",)], ids=" ".join
)
def test_what_needs_no_extra_works_without_it(run: Run, bare: None, words: tuple[str, ...]) -> None:
    done = run(*words)
    assert (done.status, done.err) == (0, "")
    if words == ("doctor",):
        assert "pip install 'alphaoverlay[live]'" in " ".join(done.out.split())


# --- the doctor ---


def test_the_doctor_in_json(live: tuple[World, Clock], run: Run, place: Path) -> None:
    document = run("doctor", "--json").document
    head(document)
    items = {one["name"]: one for one in document["items"]}
    assert items["store"]["sentence"] == f"none yet; the first fetch makes {place}"
    assert not place.parent.exists(), "looking makes nothing"
    assert items["TIINGO_API_KEY"]["state"] == "missing"
    run("data", "fetch", "SPY", "DFF")
    items = {one["name"]: one for one in run("doctor", "--json").document["items"]}
    assert items["store"]["sentence"] == f"{place}: 2 series, 1,506 rows, every newest version read whole"
    assert {one["state"] for one in items.values()} <= {"good", "missing"}


def test_the_doctor_finds_a_damaged_store(live: tuple[World, Clock], run: Run, place: Path) -> None:
    run("data", "fetch", "SPY", "UPRO")
    with sqlite3.connect(place) as connection:
        connection.execute("UPDATE block SET payload = x'00' WHERE id = (SELECT min(id) FROM block)")
    connection.close()
    done = run("doctor")
    assert (done.status, done.err) == (3, "")
    shown = " ".join(done.out.split())
    assert "WRONG" in shown
    assert "damaged: SPY from yahoo; restore it" in shown
    assert "UPRO from yahoo" not in shown
    done = run("doctor", "--json")
    assert done.status == 3
    assert [one["name"] for one in json.loads(done.out)["items"] if one["state"] == "wrong"] == ["store"]
    assert "the store is damaged" in refused(run(*RUN))
    assert "the store is damaged" in refused(run("data", "export", "x.zip"))


def test_a_file_that_is_no_store(live: tuple[World, Clock], run: Run, place: Path) -> None:
    place.parent.mkdir()
    place.write_text("my diary\n" * 1000)
    done = run("doctor")
    assert (done.status, done.err) == (3, "")
    assert "is not a store" in " ".join(done.out.split())
    assert "is not a store" in refused(run(*RUN))
    assert "is not a store" in refused(run("data", "list"))
    assert place.read_text() == "my diary\n" * 1000


# --- the demo ---


def test_the_demo_on_live_data(live: tuple[World, Clock], run: Run, tmp_path: Path) -> None:
    world, _ = live
    done = run("demo", "--live")
    assert (done.status, done.err) == (0, "")
    assert "(live data)" in done.out
    assert (tmp_path / "alphaoverlay-demo.html").stat().st_size > 100_000
    world.forget()
    document = run("demo", "--live", "--offline", "--json").document
    assert world.asked == []
    assert document["data"]["source"] == "yahoo, fred"
    assert (document["data"]["start"], document["data"]["end"]) == (SESSIONS[0], SESSIONS[-1])
    assert document["design"]["weights"] == pytest.approx({"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1})
