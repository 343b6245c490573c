"""Fetching and checking series, where the command line's tests do not reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from tests.cli.served_world import SESSIONS, Clock, World, live_world
from tests.market.little_files import JANUARY, folder_of, price_file, rate_file, without
from tests.market.loopback import Reply

from alphaoverlay.market.combined import CombinedSource
from alphaoverlay.market.fred import RATES
from alphaoverlay.market.opening import DataChoice, open_choice
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.study.data_documents import check_document, fetch_document
from alphaoverlay.study.data_report import check_tables, fetch_table
from alphaoverlay.study.fetching import Fetched, check_names, fetch_names, fetch_study, names_in
from alphaoverlay.study.load import study_from

NOW = datetime(2024, 1, 2, tzinfo=UTC)


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[World, Clock]]:
    with live_world(monkeypatch, str(tmp_path / "store.sqlite")) as served:
        yield served


def source(*sources: str, refresh: bool | str = True) -> CombinedSource:
    return cast(CombinedSource, open_choice(DataChoice(sources or ("yahoo",), refresh=refresh)))


def told(done: tuple[Fetched, ...]) -> list[tuple[str, str]]:
    """What came of each name, by the words of the JSON document."""
    return [(one.name, one.outcome) for one in fetch_document(done, "").fetched]


# --- fetching ---


def test_each_name_gets_its_own_outcome_in_the_order_asked(live: tuple[World, Clock]) -> None:
    """A rate between two symbols, a symbol that fails between two that do not, and one under two names."""
    world, _ = live
    world.instead["TNA"] = Reply("", 500)
    done = fetch_names(["SPY", "DFF", "UPRO", "TNA", "^gspc", "spy", "GSPC", "NOPE"], source())
    assert told(done) == [
        ("SPY", "first"),
        ("DFF", "first"),
        ("UPRO", "first"),
        ("TNA", "failed"),
        ("^gspc", "first"),
        ("NOPE", "failed"),
    ]
    assert [None if one.update is None else str(one.update.key) for one in done] == [
        "SPY from yahoo",
        "DFF from fred",
        "UPRO from yahoo",
        None,
        "GSPC from yahoo",
        None,
    ]


def test_one_source_object_serves_two_fetches(live: tuple[World, Clock]) -> None:
    """What was fetched once is not asked for again in the same process, and then has nothing to tell."""
    world, _ = live
    one = source()
    fetch_names(["SPY"], one)
    world.forget()
    assert told(fetch_names(["SPY", "UPRO"], one)) == [("SPY", "unchanged"), ("UPRO", "first")]
    assert world.histories == ["UPRO"]


def test_a_folder_beside_a_live_source_is_not_what_is_fetched(live: tuple[World, Clock], tmp_path: Path) -> None:
    world, _ = live
    (tmp_path / "own").mkdir()
    folder_of(tmp_path / "own", SPY=price_file(JANUARY))
    assert told(fetch_names(["SPY"], source(str(tmp_path / "own"), "yahoo"))) == [("SPY", "first")]
    assert world.histories == ["SPY"]


@pytest.mark.parametrize("rate", RATES)
def test_a_well_known_rate_is_not_taken_for_a_symbol(live: tuple[World, Clock], rate: str) -> None:
    """There is a fund of the name SOFR."""
    world, _ = live
    world.charts[rate] = replace(world.charts["SPY"], symbol=rate)
    world.rates[rate] = {SESSIONS[0]: "5.3"}
    [done] = fetch_names([rate], source())
    assert done.update is not None
    assert (done.update.key.source, done.update.key.kind) == ("fred", "rate")
    assert world.yahoo.asked == []


def test_a_name_that_only_prices_know_is_still_found(live: tuple[World, Clock]) -> None:
    world, _ = live
    world.charts["SOFR"] = replace(world.charts["SPY"], symbol="SOFR")
    [done] = fetch_names(["SOFR"], source())
    assert done.update is not None
    assert (done.update.key.source, done.update.key.kind) == ("yahoo", "price")


def test_a_failed_series_stands_in_the_table(live: tuple[World, Clock]) -> None:
    world, _ = live
    fetch_names(["SPY"], source())
    world.instead["SPY"] = Reply("", 500)
    done = fetch_names(["SPY"], source())
    assert [row.cells[:3] for row in fetch_table(done, "x").rows] == [("SPY", "", "FAILED")]
    assert done[0].failed
    assert "an outage" in done[0].sentence


def test_a_study_reports_what_failed_beside_what_came(live: tuple[World, Clock]) -> None:
    world, _ = live
    study = study_from({"weights": {"SPY": 0.7, "UPRO": 0.1}}, "x")
    first = fetch_study(study, source())
    assert {outcome for _, outcome in told(first)} == {"first"}
    world.instead["UPRO"] = Reply("", 500)
    again = dict(told(fetch_study(study, source())))
    assert again.pop("UPRO") == "failed"
    assert set(again.values()) == {"unchanged"}
    assert again.keys() | {"UPRO"} == {name for name, _ in told(first)}


# --- checking ---


def test_a_folder_is_checked_with_its_rates(tmp_path: Path) -> None:
    own = folder_of(
        tmp_path,
        SPY=price_file(JANUARY),
        QQQ=price_file(without(JANUARY, "2021-01-12")),
        DFF=rate_file({"2021-01-04": 0.09}),
        BAD="date,close\n2021-01-04,x\n",
    )
    assert names_in([own]) == ("BAD", "DFF", "QQQ", "SPY")
    found = {one.name: one for one in check_names(names_in([own]), [own], NOW)}
    assert [one.check for one in found["QQQ"].findings] == ["gap"]
    assert (found["SPY"].findings, found["SPY"].rows) == ((), 11)
    assert (found["DFF"].findings, found["DFF"].first, found["DFF"].rows) == ((), "2021-01-04", 1)
    assert [one.check for one in found["BAD"].findings] == ["unreadable"]
    assert "BAD.csv" in found["BAD"].findings[0].sentence
    overview, findings = check_tables(tuple(found.values()))
    assert [row.cells[-1] for row in overview.rows] == ["1 SERIOUS", "sound", "1 SERIOUS", "sound"]
    assert len(findings.rows) == 2


def test_a_name_that_no_source_has_is_one_finding_in_the_first_ones_words(tmp_path: Path) -> None:
    own = folder_of(tmp_path, SPY=price_file(JANUARY))
    [found] = check_names(["NOPE"], [own, SampleSource()], NOW)
    assert (found.source, found.serious) == (own.name, True)
    assert "NOPE.csv" in found.findings[0].sentence
    assert check_document([found]).serious


def test_the_unfinished_session_is_found_by_the_clock(tmp_path: Path) -> None:
    own = folder_of(tmp_path, SPY=price_file(JANUARY))
    noon = datetime(2021, 1, 19, 17, 0, tzinfo=UTC)
    [found] = check_names(["SPY"], [own], noon)
    assert [one.check for one in found.findings] == ["intraday"]
    [found] = check_names(["SPY", "SPY"], [own], noon.replace(hour=22))
    assert found.findings == ()


def test_prices_from_before_the_calendar_is_complete_are_not_judged_by_it(tmp_path: Path) -> None:
    own = folder_of(tmp_path, OLD=price_file(["1968-01-02", "1968-06-04", "1969-12-26"]))
    [found] = check_names(["OLD"], [own], NOW)
    assert (found.rows, found.findings) == (3, ())


def test_live_sources_list_what_is_stored_of_them(live: tuple[World, Clock]) -> None:
    fetch_names(["UPRO", "SPY", "DFF"], source())
    parts = source(refresh=False).sources
    assert names_in(parts) == ("SPY", "UPRO")
    found = check_names(("SPY", "DFF"), parts, NOW)
    assert [(one.name, one.source, one.findings) for one in found] == [("SPY", "yahoo", ()), ("DFF", "fred", ())]
