"""Live data from end to end, with servers on loopback: fetch, run again offline and by fingerprint, look over, copy."""

from __future__ import annotations

import json
import sqlite3
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from tests.cli.running import Done, Run
from tests.cli.served_world import CASE, SESSIONS, Clock, World, live_world, paying
from tests.market.loopback import Reply, in_turn

from alphaoverlay.cli.sources import say_fetching
from alphaoverlay.store import versions

RUN = ("run", *CASE, "--data", "yahoo")
# What the case reads: its funds, and of each index the series it is built from.
READ = {"SPY", "UPRO", "TNA", "SQQQ", "^SP500TR", "^GSPC", "^RUT", "IWM", "^NDX", "QQQ"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "store.sqlite"


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch, place: Path) -> Iterator[tuple[World, Clock]]:
    with live_world(monkeypatch, str(place)) as served:
        yield served


@pytest.fixture
def world(live: tuple[World, Clock]) -> World:
    return live[0]


@pytest.fixture
def clock(live: tuple[World, Clock]) -> Clock:
    return live[1]


def refused(done: Done) -> str:
    """The one line of a mistake."""
    assert (done.status, done.out) == (2, "")
    [line] = done.err.splitlines()
    assert line.startswith("alphaoverlay: ")
    return line


def outcomes(document: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["outcome"] for one in document["fetched"]}


def head(document: dict[str, Any]) -> None:
    """What every document begins with."""
    assert document["schema"] == "alphaoverlay/1"
    assert len(document["asof"]) == 10
    assert {"study", "data", "notes"} <= document.keys()


# --- run, run again ---


def test_the_same_numbers_offline_and_by_fingerprint(world: World, run: Run) -> None:
    """The issue's own check: fetch, run, take the servers away, revise what they serve."""
    assert run("data", "fetch", "SPY", "UPRO", "TNA", "SQQQ", "DFF").status == 0
    first = run(*RUN, "--json")
    assert set(world.histories) == READ
    assert len(world.histories) == len(READ), "each history is asked for once, also in two processes"

    world.forget()
    assert run(*RUN, "--json").out == first.out
    assert run(*RUN, "--offline", "--json").out == first.out
    assert world.asked == [], "nothing is old, so nothing is asked: no history, cookie or time zone"

    world.yahoo_says = world.fred_says = in_turn(Reply("", 500))
    assert run(*RUN, "--json").out == first.out
    assert run(*RUN, "--offline", "--json").out == first.out
    assert world.asked == []

    world.yahoo_says = world.fred_says = None
    world.revise("SPY", SESSIONS[100], 1.01)
    world.revise("SPY", SESSIONS[200], 0.98)
    world.revise("UPRO", SESSIONS[300], 1.002)
    fetched = run("data", "fetch", "SPY", "UPRO", "TNA", "--full", "--json").document
    assert outcomes(fetched) == {"SPY": "revised", "UPRO": "revised", "TNA": "unchanged"}
    spy, upro = (fetched["fetched"][k]["version"]["revision"] for k in (0, 1))
    assert (spy["changed"], spy["added"], spy["removed"]) == (2, 0, 0)
    assert (spy["first"], spy["last"], spy["day"]) == (SESSIONS[100], SESSIONS[200], SESSIONS[200])
    assert spy["largest"] == pytest.approx(0.02, rel=1e-6)
    assert (upro["changed"], upro["first"], upro["last"]) == (1, SESSIONS[300], SESSIONS[300])
    assert upro["largest"] == pytest.approx(0.002, rel=1e-6)

    old, new = first.document, run(*RUN, "--json").document
    assert new["portfolio"]["metrics"] != old["portfolio"]["metrics"]
    assert new["data"]["fingerprint"] != old["data"]["fingerprint"]
    for one in (old, new):
        hash_ = one["data"]["fingerprint"]
        for words in (hash_, hash_.removeprefix("sha256:")[:12].upper()):
            again = run(*RUN, "--fingerprint", words, "--json").document
            assert {**again, "study": one["study"]} == one
            assert again["study"]["data"]["fingerprint"].startswith("sha256:")
    world.forget()
    run(*RUN, "--fingerprint", old["data"]["fingerprint"])
    assert world.asked == []


def test_a_new_session_is_fetched_and_only_it(live: tuple[World, Clock], run: Run) -> None:
    """SQQQ's history from the tenth last stored row on; a distribution asks for all of SPY."""
    world, clock = live
    later = {name: replace(chart) for name, chart in world.charts.items()}
    world.until(SESSIONS[-2])
    clock.at = datetime(2023, 12, 29, 3, 0, tzinfo=UTC)
    before = run(*RUN, "--json").document
    assert before["data"]["end"] == SESSIONS[-2]
    world.charts = later | {"SPY": paying(later["SPY"], SESSIONS[-1], 1.6)}
    world.rates["DFF"][SESSIONS[-1]] = "2.00"
    clock.at = datetime(2023, 12, 29, 22, 0, tzinfo=UTC)
    world.forget()
    after = run(*RUN, "--json").document
    assert after["data"]["end"] == SESSIONS[-1]
    asked = [
        int(one.query["period1"]) for one in world.yahoo.asked if one.path.endswith("SQQQ") and "period1" in one.query
    ]
    assert [datetime.fromtimestamp(one, UTC).date().isoformat() for one in asked] == [SESSIONS[-11]]
    assert [one for one in world.histories if one == "SPY"] == ["SPY", "SPY"]
    assert [one.query.get("cosd") for one in world.fred.asked] == [SESSIONS[-11]]
    world.forget()
    run(*RUN)
    assert world.asked == []
    versions = run("data", "show", "SPY", "--json").document["versions"]
    assert [one["reason"] for one in versions] == ["first", "rescaled"]


def test_an_end_in_the_past_asks_for_nothing_newer(live: tuple[World, Clock], run: Run) -> None:
    world, clock = live
    run(*RUN)
    world.forget()
    clock.at = datetime(2024, 6, 3, tzinfo=UTC)
    assert run(*RUN, "--end", SESSIONS[-5]).status == 0
    assert world.asked == []
    run(*RUN)
    assert world.asked


def test_a_source_that_has_gone_leaves_what_is_stored_with_a_note(live: tuple[World, Clock], run: Run) -> None:
    world, clock = live
    first = run(*RUN, "--json").document
    clock.at = datetime(2024, 6, 3, tzinfo=UTC)
    world.yahoo_says = world.fred_says = in_turn(Reply("", 503))
    again = run(*RUN, "--json").document
    assert again["portfolio"] == first["portfolio"]
    [note] = [one for one in again["notes"] if one.startswith("UPRO: ")]
    assert "an outage (status 503)" in note
    assert note.endswith("What is stored up to 2023-12-29 is used, last confirmed 2024-01-02.")
    shown = run(*RUN)
    assert "last confirmed 2024-01-02" in " ".join(shown.out.split())


def test_a_fund_that_the_source_has_dropped_stays_real(live: tuple[World, Clock], run: Run) -> None:
    world, clock = live
    run(*RUN)
    del world.charts["TNA"]
    clock.at = datetime(2024, 6, 3, tzinfo=UTC)
    notes = run(*RUN, "--json").document["notes"]
    assert any(one.startswith("TNA: Yahoo has no prices of TNA") for one in notes)
    assert not any("ynthetic" in one for one in notes)


# --- what users type ---


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", *CASE, "--data", "yaho"], "Did you mean yahoo?"),
        (["run", *CASE, "--data", "fred"], "name a source of prices too, such as --data yahoo"),
        (["run", "NOPE=100", "--data", "yahoo"], "name a source that has it"),
        (["run", "USTOTAL=1", "--data", "yahoo"], "no data for any of USTOTAL in yahoo, fred: name a source"),
        ([*RUN, "--cash-rate", "NOPE"], "FRED has no series NOPE"),
        ([*RUN, "--accept", "stal"], "Did you mean stale?"),
        ([*RUN, "--accept", "duplicate"], "cannot be accepted"),
        ([*RUN, "--data", "sample"], "the sample stands for itself"),
        ([*RUN, "--fingerprint", "sha256:abc"], "first 8 digits or more"),
        ([*RUN, "--fingerprint", "0123456789abcdef"], "no result with a fingerprint that begins with sha256:01234567"),
        (["run", *CASE, "--fingerprint", "0123456789abcdef"], "--fingerprint reads stored versions of live data"),
        ([*RUN, "--offline"], "run it once without --offline"),
        (["demo", "--live", "--offline"], "run it once without --offline"),
        ([*RUN, "--store", "mysql://x/y"], "mysql cannot keep a store"),
        ([*RUN, "--store", "."], "the store . cannot be opened for writing"),
        (["run", *CASE, "--data", "tiingo"], "TIINGO_API_KEY"),
        (["data", "fetch"], "Missing argument"),
        (["data", "fetch", "SPY", "--data", "sample"], "only live sources are fetched"),
        (["data", "fetch", "gone.toml"], "no study at gone.toml"),
        (["data", "fetch", "my.toml", "SPY"], "name one study, or symbols"),
        (["data", "show", "SPY"], "SPY is not in the store"),
        (["data", "export", "x.zip"], "nothing of anything is in the store"),
        (["data", "import", "x.zip"], "x.zip cannot be read"),
        (["data", "check", "--data", "yahoo"], "has nothing to list"),
        (["data", "frob"], "No such command"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line_that_helps(world: World, run: Run, words: list[str], said: str) -> None:
    line = refused(run(*words))
    assert said in line
    assert "looked for files" not in line


@pytest.mark.parametrize("word", ["spy", "^GSPC", "gspc", "IWM"])
def test_symbols_are_taken_in_every_spelling(world: World, run: Run, word: str) -> None:
    assert run("data", "fetch", word).status == 0
    assert len(world.histories) == 1
    world.forget()
    assert run("run", f"{word.lstrip('^').upper()}=100", "--data", "yahoo", "--data", "yahoo", "--json").document
    assert word.lstrip("^").upper() not in [one.lstrip("^") for one in world.histories]


def test_offline_with_half_of_it_stored_says_what_is_missing(world: World, run: Run) -> None:
    run("data", "fetch", "SPY", "IWM", "QQQ", "DFF")
    notes = run(*RUN, "--offline", "--json").document["notes"]
    [note] = [one for one in notes if one.startswith("Offline")]
    assert note.startswith("Offline, yahoo was never asked for UPRO, TNA, SQQQ, ")


# --- data fetch ---


def test_fetch_prints_what_came_of_each_series(world: World, run: Run, place: Path) -> None:
    done = run("data", "fetch", "SPY", "dff", "^GSPC", "gspc", "--json")
    document = done.document
    head(document)
    assert document["store"] == str(place)
    assert [(one["name"], one["source"], one["outcome"], one["added"]) for one in document["fetched"]] == [
        ("SPY", "yahoo", "first", 753),
        ("dff", "fred", "first", 753),
        ("^GSPC", "yahoo", "first", 753),
    ]
    assert world.histories == ["SPY", "^GSPC"], "a rate is no symbol"
    shown = run("data", "fetch", "SPY", "DFF", "^GSPC")
    assert (shown.status, shown.err) == (0, "")
    assert [line.split()[:4] for line in shown.out.splitlines()[2:5]] == [
        ["SPY", "yahoo", "nothing", "new"],
        ["DFF", "fred", "nothing", "new"],
        ["^GSPC", "yahoo", "nothing", "new"],
    ]


def test_one_symbol_that_fails_does_not_stop_the_others(world: World, run: Run) -> None:
    world.instead["UPRO"] = Reply("", 500)
    done = run("data", "fetch", "NOPE", "SPY", "UPRO", "TNA", "--json")
    assert (done.status, done.err) == (2, "")
    document = json.loads(done.out)
    assert outcomes(document) == {"NOPE": "failed", "SPY": "first", "UPRO": "failed", "TNA": "first"}
    assert "Yahoo has no prices of NOPE" in document["fetched"][0]["sentence"]
    assert "an outage (status 500)" in document["fetched"][2]["sentence"]
    shown = run("data", "fetch", "NOPE", "TNA")
    assert shown.status == 2
    assert "• NOPE: Yahoo has no prices of NOPE" in shown.out


def test_a_fetch_that_fails_is_no_success_where_something_is_stored(world: World, run: Run) -> None:
    run("data", "fetch", "SPY", "DFF")
    world.yahoo_says = in_turn(Reply("", 500))
    done = run("data", "fetch", "SPY", "DFF", "--json")
    assert done.status == 2
    document = json.loads(done.out)
    assert outcomes(document) == {"SPY": "failed", "DFF": "unchanged"}
    assert "an outage" in document["fetched"][0]["sentence"]


def test_fetch_of_a_study_fetches_what_it_reads(world: World, run: Run, tmp_path: Path) -> None:
    """Beside the program's own folder; a fingerprint in it is no reason to fetch nothing."""
    study = tmp_path / "elsewhere" / "my.toml"
    study.parent.mkdir()
    weights = "[weights]\n" + "\n".join(word.replace("=", " = ") for word in CASE)
    study.write_text(f"{weights}\n[data]\nsources = 'yahoo'\nfingerprint = '0123456789abcdef'\n")
    document = run("data", "fetch", str(study), "--json").document
    assert {one["name"] for one in document["fetched"]} == {name.lstrip("^") for name in READ} | {"DFF"}
    assert set(world.histories) == READ
    assert [one.query["id"] for one in world.fred.asked] == ["DFF"]
    world.forget()
    study.write_text(weights)
    first = run("run", str(study), "--data", "yahoo", "--json")
    assert world.asked == []
    assert first.document["data"]["end"] == SESSIONS[-1]
    world.yahoo_says = in_turn(Reply("", 500))
    done = run("data", "fetch", str(study), "--json")
    assert done.status == 2
    assert set(outcomes(json.loads(done.out)).values()) == {"failed", "unchanged"}


def test_full_sees_what_the_last_ten_rows_do_not(world: World, run: Run) -> None:
    run("data", "fetch", "SPY")
    world.revise("SPY", SESSIONS[10], 1.01)
    assert outcomes(run("data", "fetch", "SPY", "--json").document) == {"SPY": "unchanged"}
    shown = run("data", "fetch", "SPY", "--full")
    assert "PAST REVISED" in shown.out
    assert f"SPY from yahoo REVISED its past: 1 row changed on {SESSIONS[10]}, most in" in shown.out
    assert "version 1 is kept beside 2" in " ".join(shown.out.split())


def test_progress_is_for_terminals(world: World, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("data", "fetch", "SPY").err == ""

    class Terminal:
        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> int:
            said.append(text)
            return len(text)

        def flush(self) -> None:
            pass

    said: list[str] = []
    monkeypatch.setattr(sys, "stderr", Terminal())
    say_fetching("SPY from yahoo")
    assert "".join(said) == "fetching SPY from yahoo ...\n"


# --- data list, show, check ---


def test_list_and_show_in_json(world: World, run: Run, place: Path) -> None:
    assert run("data", "list", "--json").document["series"] == []
    assert "fill it with: alphaoverlay data fetch SPY" in run("data", "list").out
    run("data", "fetch", "SPY", "DFF")
    listing = run("data", "list", "--json").document
    head(listing)
    assert [(one["source"], one["kind"], one["name"], one["versions"]) for one in listing["series"]] == [
        ("fred", "rate", "DFF", 1),
        ("yahoo", "price", "SPY", 1),
    ]
    assert listing["series"][1]["checked"] == "2024-01-02T03:00:00Z"
    world.revise("SPY", SESSIONS[10], 1.01)
    run("data", "fetch", "SPY", "--full")
    shown = run("data", "show", "spy", "--version", "1", "--json").document
    head(shown)
    assert (shown["shown"], shown["kind"], shown["name"]) == (1, "price", "SPY")
    assert shown["columns"] == ["date", "close", "adj_close", "volume", "distribution", "split"]
    assert len(shown["rows"]) == 753
    assert shown["rows"][0][:2] == [SESSIONS[0], world.charts["SPY"].closes()[0]]
    assert [one["reason"] for one in shown["versions"]] == ["first", "revised"]
    assert shown["versions"][0]["facts"]["currency"] == "USD"
    assert run("data", "show", "DFF", "--json").document["rows"][0] == [SESSIONS[0], 0.02]


def test_list_and_show_on_a_screen(world: World, run: Run, place: Path) -> None:
    run("data", "fetch", "SPY", "DFF")
    listed = run("data", "list").out.splitlines()
    assert [line.split()[:5] for line in listed[2:4]] == [
        ["DFF", "fred", "rate", SESSIONS[0], SESSIONS[-1]],
        ["SPY", "yahoo", "price", SESSIONS[0], SESSIONS[-1]],
    ]
    assert f"Store: {place}" in run("data", "list").out.replace("\n", "")
    shown = run("data", "show", "SPY").out
    assert "first fetched" in shown
    assert f"SPY from yahoo, version 1, {len(SESSIONS)} rows" in shown
    assert SESSIONS[2] in shown
    assert SESSIONS[3] not in shown


def test_show_of_what_is_not_there(world: World, run: Run) -> None:
    run("data", "fetch", "SPY", "DFF")
    assert "Did you mean SPY?" in refused(run("data", "show", "SPYY"))
    assert "It is there from yahoo" in refused(run("data", "show", "SPY", "--data", "stooq"))
    line = refused(run("data", "show", "SPY", "--version", "7"))
    assert "no version 7 of SPY" in line
    assert "Did you mean" not in line


def test_check_of_sound_data(world: World, run: Run) -> None:
    run("data", "fetch", "SPY", "UPRO")
    done = run("data", "check", "--data", "yahoo", "--offline", "--json")
    head(done.document)
    assert done.document["serious"] is False
    assert [(one["name"], one["rows"], one["findings"]) for one in done.document["checked"]] == [
        ("SPY", 753, []),
        ("UPRO", 753, []),
    ]
    done = run("data", "check", "DFF", "spy", "--data", "yahoo", "--json")
    assert [(one["name"], one["source"]) for one in done.document["checked"]] == [("DFF", "fred"), ("spy", "yahoo")]


def spoiled(world: World, symbol: str) -> None:
    """A split that is not adjusted for: from one day on all prices are a quarter."""
    chart = world.charts[symbol]
    closes = [one if k < 400 else one / 4.0 for k, one in enumerate(float(c or 0.0) for c in chart.closes())]
    world.charts[symbol] = replace(chart, close=closes, adjusted=closes)


def test_check_of_spoiled_data_is_exit_code_3(world: World, run: Run) -> None:
    spoiled(world, "UPRO")
    done = run("data", "check", "SPY", "UPRO", "NOPE", "--data", "yahoo", "--json")
    assert (done.status, done.err) == (3, "")
    document = json.loads(done.out)
    assert document["serious"] is True
    assert [[found["check"] for found in one["findings"]] for one in document["checked"]] == [
        [],
        ["split-like-jump"],
        ["unreadable"],
    ]
    [found] = document["checked"][1]["findings"]
    assert (found["severity"], found["symbol"], found["days"]) == ("serious", "UPRO", [SESSIONS[400]])
    assert "Yahoo has no prices of NOPE" in document["checked"][2]["findings"][0]["sentence"]
    shown = run("data", "check", "UPRO", "--data", "yahoo")
    assert shown.status == 3
    assert "1 SERIOUS" in shown.out
    assert "as by a 4-for-1 split" in " ".join(shown.out.split())
    assert "cannot be accepted" in run("data", "check", "--names").out


def folder_of(world: World, folder: Path, *symbols: str) -> Path:
    folder.mkdir()
    for symbol in symbols:
        chart = world.charts[symbol]
        rows = zip(chart.days, chart.closes(), chart.adjusted or (), strict=True)
        text = "".join(f"{day},{close},{adjusted}\n" for day, close, adjusted in rows)
        (folder / f"{symbol.lstrip('^')}.csv").write_text("date,close,adj_close\n" + text)
    (folder / "DFF.csv").write_text("date,percent\n" + "".join(f"{day},2.00\n" for day in SESSIONS))
    return folder


def test_check_compares_two_sources(world: World, run: Run, tmp_path: Path) -> None:
    own = folder_of(world, tmp_path / "own", "SPY", "UPRO")
    world.revise("SPY", SESSIONS[100], 1.01)
    done = run("data", "check", "SPY", "UPRO", "TNA", "--data", "yahoo", "--data", str(own), "--json")
    document = done.document
    found = {(one["name"], one["source"]): one["findings"] for one in document["checked"]}
    assert found.keys() == {
        ("SPY", "yahoo"),
        ("SPY", str(own)),
        ("UPRO", "yahoo"),
        ("UPRO", str(own)),
        ("TNA", "yahoo"),
    }
    [odd] = [one for findings in found.values() for one in findings]
    assert (odd["check"], odd["days"]) == ("disagreement", [SESSIONS[100], SESSIONS[101]])


def test_check_of_a_folder_takes_its_rate_for_a_rate(world: World, run: Run, tmp_path: Path) -> None:
    folder_of(world, tmp_path / "own", "SPY")
    done = run("data", "check", "--data", "own", "--json")
    assert [(one["name"], one["rows"]) for one in done.document["checked"]] == [("DFF", 753), ("SPY", 753)]


# --- what was accepted ---


def test_a_serious_finding_stops_a_run_until_it_is_accepted(world: World, run: Run, tmp_path: Path) -> None:
    spoiled(world, "UPRO")
    line = refused(run(*RUN))
    assert "UPRO" in line
    assert "split-like-jump" in line
    words = (*RUN, "--accept", "split-like-jump")
    document = run(*words, "--json", "--report", "my.html").document
    [note] = [one for one in document["notes"] if "split-like-jump" in one]
    assert "UPRO" in note
    assert SESSIONS[400] in note
    assert SESSIONS[400] in " ".join(run(*words).out.split())
    assert "split-like-jump" in (tmp_path / "my.html").read_text()
    assert document["study"]["data"]["accept"] == ["split-like-jump"]


# --- export and import ---


def test_a_copy_of_the_store_gives_the_same_listing_and_numbers(world: World, run: Run, tmp_path: Path) -> None:
    first = run(*RUN, "--json").document
    run("data", "fetch", "NOPE")
    world.revise("SPY", SESSIONS[10], 1.01)
    run("data", "fetch", "SPY", "--full")
    done = run("data", "export", "all.zip")
    assert (done.status, done.out) == (0, "11 series written to all.zip\n")
    imported = run("data", "import", "all.zip", "--store", "second.sqlite", "--json").document
    head(imported)
    assert {one["name"]: (one["added"], one["known"]) for one in imported["imported"]}["SPY"] == (2, 0)
    one, other = (run("data", "list", "--json", *more).document for more in ((), ("--store", "second.sqlite")))
    assert one["series"] == other["series"]
    world.forget()
    words = ("--store", "second.sqlite", "--offline", "--fingerprint", first["data"]["fingerprint"])
    assert run(*RUN, *words, "--json").document["portfolio"] == first["portfolio"]
    assert world.asked == []
    again = run("data", "import", "all.zip", "--json").document
    assert all(one["added"] == 0 for one in again["imported"])
    assert "Versions added" in run("data", "import", "all.zip").out


def test_export_refuses_to_overwrite_and_to_write_what_is_not_there(world: World, run: Run, tmp_path: Path) -> None:
    run("data", "fetch", "SPY", "UPRO")
    (tmp_path / "x.zip").write_text("mine")
    assert "--force" in refused(run("data", "export", "x.zip"))
    assert "nothing of NOPE" in refused(run("data", "export", "y.zip", "SPY", "NOPE"))
    assert not (tmp_path / "y.zip").exists()
    assert (tmp_path / "x.zip").read_text() == "mine"
    assert run("data", "export", "x.zip", "^spy", "--force").out == "1 series written to x.zip\n"
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert [one["name"] for one in json.loads(archive.read("manifest.json"))["series"]] == ["SPY"]


def test_nothing_half_written_is_left(world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("data", "fetch", "SPY")
    for error, status in ((OSError(28, "No space left on device"), 2), (KeyboardInterrupt(), 130)):

        def fail(handle: int, error: BaseException = error) -> None:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr("alphaoverlay.files.os.fsync", fail)
            done = run("data", "export", "x.zip")
        assert (done.status, done.out) == (status, "")
        assert len(done.err.splitlines()) == 1
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".x", "x"))] == []


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted; no half-written file is left"),
        (OperationalError("INSERT", None, sqlite3.OperationalError("database or disk is full")), 2, "the disk is full"),
    ],
    ids=["Ctrl-C", "disk full"],
)
def test_a_run_that_is_cut_short_keeps_whole_series_only(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, said: str
) -> None:
    """In the middle of storing the second series: its rows are written, its version is not."""
    insert = versions.insert_version

    def fail(*args: Any) -> None:
        if len(world.histories) == 2:
            raise error
        insert(*args)

    with monkeypatch.context() as patched:
        patched.setattr(versions, "insert_version", fail)
        done = run(*RUN)
    assert (done.status, done.out) == (status, "")
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert [one["name"] for one in run("data", "list", "--json").document["series"]] == ["SPY"]
    assert run("doctor").status == 0
    assert run(*RUN, "--json").document["data"]["start"] == SESSIONS[0]
    assert world.histories.count("SPY") == 1


def test_check_without_words_looks_over_what_is_stored(live: tuple[World, Clock], run: Run) -> None:
    assert {one["source"] for one in run("data", "check", "--json").document["checked"]} == {"sample"}
    run("data", "fetch", "SPY", "UPRO")
    world, _ = live
    world.forget()
    checked = run("data", "check", "--json").document["checked"]
    assert [(one["name"], one["source"]) for one in checked] == [("SPY", "yahoo"), ("UPRO", "yahoo")]
    assert world.asked == []


def test_a_source_of_rates_is_not_asked_for_symbols(live: tuple[World, Clock], run: Run) -> None:
    world, _ = live
    assert run("data", "fetch", "NOPE").status == 2
    run("data", "check", "SPY", "NOPE", "--data", "yahoo")
    assert not any("fredgraph" in asked.path for asked in world.asked)


def test_accepted_names_add_up(tmp_path: Path, live: tuple[World, Clock], run: Run) -> None:
    (tmp_path / "my.toml").write_text('[weights]\nSPY = 1.0\n[data]\nsources = "yahoo"\naccept = ["gap"]\n')
    study = run("run", "my.toml", "--accept", "stale,spike", "--json").document["study"]
    assert study["data"]["accept"] == ["gap", "stale", "spike"]


def test_a_stored_rate_can_be_checked_where_no_prices_are_stored(live: tuple[World, Clock], run: Run) -> None:
    run("data", "fetch", "DFF", "--data", "fred")
    [checked] = run("data", "check", "DFF", "--json").document["checked"]
    assert (checked["name"], checked["source"], checked["findings"]) == ("DFF", "fred", [])
