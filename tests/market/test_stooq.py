"""Stooq: symbols, what its closes are, and every way in which it fails."""

from __future__ import annotations

import logging
import re

import numpy as np
import pandas as pd
import pytest
from tests.market.loopback import HASTY, Asked, Reply, in_turn, loopback
from tests.market.served_days import SESSIONS, faults, recoveries, refused
from tests.market.served_stooq import LIMIT, NO_DATA, WANTS_KEY, answer, closes_of, csv_of, stooq

from alphaoverlay.errors import FetchError, MissingExtra, StudyError, SymbolNotFound
from alphaoverlay.market.stooq import StooqSource

GOOD = csv_of(closes_of("spy.us"))
SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STOOQ_API_KEY", raising=False)


def served(body: str) -> str:
    """What is said of an answer."""
    with loopback(in_turn(Reply(body))) as server:
        return refused(lambda: StooqSource(server.url, HASTY).prices("SPY"))


# --- what is served ---


def test_a_listing_has_adjusted_closes_only() -> None:
    with stooq() as (source, _):
        frame = source.prices("SPY").frame
    assert list(frame.columns) == ["close", "adj_close"]
    assert frame["close"].isna().all()
    assert frame["adj_close"].tolist() == [350.0 + 0.25 * k for k in range(len(SESSIONS))]
    assert [str(day.date()) for day in frame.index] == list(SESSIONS)
    assert isinstance(frame.index, pd.DatetimeIndex)
    assert frame.index.tz is None
    assert all(dtype == np.dtype("float64") for dtype in frame.dtypes)


def test_an_index_is_a_price_index() -> None:
    with stooq() as (source, _):
        frame = source.prices("GSPC").frame
    assert frame["close"].tolist() == frame["adj_close"].tolist() == [3700.0 + 0.25 * k for k in range(len(SESSIONS))]


@pytest.mark.parametrize(
    ("symbol", "address"),
    [
        ("SPY", "spy.us"), ("spy", "spy.us"), ("SPY.US", "spy.us"), ("BRK.B", "brk-b.us"), ("BRK-B", "brk-b.us"),
        ("GSPC", "^spx"), ("^GSPC", "^spx"), ("^SPX", "^spx"), ("IXIC", "^ndq"), ("^ndq", "^ndq"), ("NDX", "^ndx"),
    ],
)  # fmt: skip
def test_symbols_are_asked_for_by_stooqs_names(symbol: str, address: str) -> None:
    with stooq() as (source, server):
        series = source.prices(symbol)
        assert [asked.query for asked in server.asked] == [{"s": address, "i": "d"}]
    assert series.symbol == series.provenance.name == symbol
    assert series.provenance.place == f"{address} daily"


def test_provenance_says_what_the_closes_are() -> None:
    with stooq() as (source, _):
        listing, index = source.prices("SPY").provenance, source.prices("GSPC").provenance
    assert (listing.source, listing.first, listing.last) == ("stooq", SESSIONS[0], SESSIONS[-1])
    assert listing.observations == len(SESSIONS)
    assert "splits and distributions" in listing.note
    assert "price index" in index.note
    assert (listing.currency, index.currency) == ("USD", "")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", listing.retrieved)


def test_a_day_asked_from_is_passed_on() -> None:
    with stooq() as (source, server):
        frame = source.prices("SPY", since="2021-02-16").frame
        assert server.asked[0].query["d1"] == "20210216"
        assert re.fullmatch(r"20\d{6}", server.asked[0].query["d2"])
    assert str(frame.index[0].date()) == "2021-02-16"


def test_nothing_new_is_not_nothing_at_all() -> None:
    with stooq() as (source, server):
        assert len(source.prices("SPY", since="2021-03-01").frame) == len(SESSIONS)
        assert [("d1" in asked.query) for asked in server.asked] == [True, False]
        with pytest.raises(SymbolNotFound):
            source.prices("NOSUCHTHING", since="2021-03-01")


# --- asking once ---


def test_each_symbol_is_asked_for_once() -> None:
    with stooq() as (source, server):
        for symbol in ("SPY", "spy", "SPY", "SPY.US"):
            assert source.holds(symbol)
            assert source.prices(symbol).symbol == symbol
            assert len(source.prices(symbol, since="2021-02-01").frame) == len(SESSIONS)
        assert not source.holds("NOSUCHTHING")
        assert not source.holds("NOSUCHTHING")
        assert len(server.asked) == 2


def test_an_earlier_start_is_asked_for_again() -> None:
    with stooq() as (source, server):
        source.prices("SPY", since="2021-02-16")
        source.prices("SPY", since="2021-02-17")
        assert len(source.prices("SPY", since="2021-02-01").frame) == 19
        assert len(server.asked) == 2


# --- what it does not have ---


def test_the_unknown_is_refused_by_name() -> None:
    said = r"'NOSUCHTHING'.*nosuchthing\.us.*check the spelling"
    with stooq() as (source, _), pytest.raises(SymbolNotFound, match=said):
        source.prices("NOSUCHTHING")


@pytest.mark.parametrize(
    "symbol", ["", "../x", "^", "x/y", "GC=F", "SPY?x=1", "a b", "x" * 40, "^RUT", "RUT", "MID", "SP500TR", "SPY&d1=1"]
)
def test_what_can_be_no_symbol_is_not_asked_for(symbol: str) -> None:
    with stooq() as (source, server):
        assert not source.holds(symbol)
        with pytest.raises(SymbolNotFound) as caught:
            source.prices(symbol)
        assert symbol[:40] in str(caught.value)
        assert server.asked == []


@pytest.mark.parametrize("name", ["DFF", "NOSUCHTHING", "", "../x"])
def test_rates_are_another_sources(name: str) -> None:
    with stooq() as (source, server):
        with pytest.raises(SymbolNotFound, match="from fred") as caught:
            source.rate(name)
        assert name in str(caught.value)
        assert server.asked == []


# --- faults ---


@pytest.mark.parametrize(("name", "reply", "said"), faults(GOOD), ids=lambda value: value if value else None)
def test_a_fault_is_said(name: str, reply: object, said: str) -> None:
    with loopback(reply) as server:  # type: ignore[arg-type]
        message = refused(lambda: StooqSource(server.url, HASTY).prices("SPY"))
    assert message.startswith("stooq ")
    assert said in message


def test_a_fault_that_passes_is_waited_for() -> None:
    for _, reply in recoveries(GOOD):
        with loopback(reply) as server:
            assert len(StooqSource(server.url, HASTY).prices("SPY").frame) == len(SESSIONS)


def test_a_fault_is_no_missing_symbol() -> None:
    with loopback(in_turn(Reply("", 503), Reply("", 503), Reply("", 503), Reply(GOOD))) as server:
        source = StooqSource(server.url, HASTY)
        with pytest.raises(FetchError):
            source.holds("SPY")
        assert source.holds("SPY")


def test_no_server() -> None:
    with loopback(answer) as server:
        url = server.url
    assert "no connection to 127.0.0.1" in refused(lambda: StooqSource(url, HASTY).prices("SPY"))


def test_another_address_is_no_missing_symbol() -> None:
    with loopback(answer) as server:
        assert "check the base URL" in refused(lambda: StooqSource(server.url + "/mirror", HASTY).prices("SPY"))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (LIMIT, "no more downloads today; try again tomorrow"),
        (WANTS_KEY, "set STOOQ_API_KEY to the apikey"),
        ("Access denied", "no column Date"),
        ("Date,Open,High,Low,Volume\r\n2021-01-04,1,1,1,1\r\n", "no column Close"),
        ("Date,Open,High,Low,Close,Volume\r\n", "no rows"),
        (GOOD[: GOOD.rindex(",")], "row 38 has 5 cells where the header has 6"),
        (GOOD + "2021-03-0", "row 39 has 1 cells"),
        (GOOD.replace("2021-01-05", "05.01.2021"), "row 2 has no date"),
        (GOOD.replace("2021-01-05", "2021-01-04"), "row 2, 2021-01-04, comes after 2021-01-04"),
        (GOOD.replace(",350.25,", ",n/a,"), "column Close of 2021-01-05"),
        (GOOD.replace(",350.25,", ",-1,"), "above zero"),
        (GOOD.replace(",350.25,", ",nan,"), "above zero"),
        ('Date,Close\r\n2021-01-04,"1\r\n', "no CSV"),
    ],
)
def test_an_answer_that_cannot_be_used_is_named(body: str, said: str) -> None:
    assert said in served(body)


def test_a_base_url_that_is_none_is_refused() -> None:
    with pytest.raises(StudyError, match="base URL of stooq"):
        StooqSource("stooq.com")


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr("alphaoverlay.errors.import_module", gone)
    source = StooqSource()
    with pytest.raises(MissingExtra, match=r"alphaoverlay\[live\]"):
        source.prices("SPY")


# --- the key ---


def with_key(asked: Asked) -> Reply:
    """Stooq as it is since 2026: nothing without the right key."""
    return answer(asked) if asked.query.get("apikey") == SECRET else Reply(WANTS_KEY)


def test_a_key_is_sent_and_kept_secret(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("STOOQ_API_KEY", SECRET)
    caplog.set_level(logging.DEBUG)
    with loopback(with_key) as server:
        source = StooqSource(server.url, HASTY)
        series = source.prices("SPY")
        assert server.asked[0].query["apikey"] == SECRET
        with pytest.raises(SymbolNotFound) as unknown:
            source.prices("NOSUCHTHING")
    assert "apikey=..." in caplog.text
    for text in (caplog.text, repr(series.provenance), repr(source), str(unknown.value)):
        assert SECRET not in text


@pytest.mark.parametrize("body", [NO_DATA, LIMIT, WANTS_KEY.replace("X" * 32, SECRET), f"what is {SECRET}?", ""])
def test_no_error_tells_the_key(body: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("STOOQ_API_KEY", SECRET)
    caplog.set_level(logging.DEBUG)
    with loopback(in_turn(Reply(body))) as server, pytest.raises((FetchError, SymbolNotFound)) as caught:
        StooqSource(server.url, HASTY).prices("SPY")
    assert SECRET not in str(caught.value)
    assert SECRET not in caplog.text


def test_a_key_that_is_not_taken_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOOQ_API_KEY", "wrong")
    assert "does not take the key in STOOQ_API_KEY" in served(WANTS_KEY)


def test_a_cell_that_is_empty_is_unknown() -> None:
    with loopback(in_turn(Reply(GOOD.replace(",350.25,", ",,")))) as server:
        frame = StooqSource(server.url, HASTY).prices("SPY").frame
    assert frame["adj_close"].isna().tolist() == [k == 1 for k in range(len(SESSIONS))]
    assert frame.index.equals(pd.DatetimeIndex(SESSIONS))
