"""Tiingo: the footing of its columns, its key, and every way in which it fails."""

from __future__ import annotations

import logging
import re

import numpy as np
import pytest
from tests.market.loopback import HASTY, Reply, in_turn, loopback
from tests.market.served_days import SESSIONS, faults, recoveries, refused
from tests.market.served_tiingo import LIMIT, SECRET, answer, day_of, json_of, plain_days, tiingo

from alphaoverlay.errors import FetchError, MissingExtra, StudyError, SymbolNotFound
from alphaoverlay.history import PriceSeries
from alphaoverlay.market.tiingo import TiingoSource

GOOD = json_of(plain_days())


def series_of(body: str) -> PriceSeries:
    with loopback(in_turn(Reply(body))) as server:
        return TiingoSource(server.url, HASTY, SECRET).prices("SPY")


def served(body: str) -> str:
    """What is said of an answer."""
    return refused(lambda: series_of(body))


# --- what is served ---


def test_the_recorded_answer_of_a_document() -> None:
    """tests/fixtures/ticker_price_with_date.yaml of hydrosquall/tiingo-python."""
    frame = series_of(
        '[{"date":"2015-01-02T00:00:00.000Z","close":90.44,"high":91.0,"low":89.92,"open":90.84,"volume":7255394,'
        '"adjClose":74.3979026216,"adjHigh":74.8585707493,"adjLow":73.9701393602,"adjOpen":74.7269512843,'
        '"adjVolume":7255394,"divCash":0.0,"splitFactor":1.0},{"date":"2015-01-05T00:00:00.000Z","close":90.01,'
        '"high":91.0,"low":89.85,"open":90.23,"volume":8626143,"adjClose":74.0441753093,"adjHigh":74.8585707493,'
        '"adjLow":73.9125558442,"adjOpen":74.2251520737,"adjVolume":8626143,"divCash":0.0,"splitFactor":1.0}]'
    ).frame
    assert list(frame.columns) == ["close", "adj_close", "volume", "distribution", "split"]
    assert [str(day) for day in frame.index] == ["2015-01-02 00:00:00", "2015-01-05 00:00:00"]
    assert frame["close"].tolist() == [90.44, 90.01]
    assert frame["adj_close"].tolist() == [74.3979026216, 74.0441753093]
    assert frame["volume"].tolist() == [7255394.0, 8626143.0]
    assert frame["distribution"].tolist() == frame["split"].tolist() == [0.0, 0.0]
    assert all(dtype == np.dtype("float64") for dtype in frame.dtypes)


def test_everything_stands_on_the_footing_of_the_last_day() -> None:
    """Two for one on the third day, one for four on the fifth: 1 old share is 2, then half a share."""
    frame = series_of(
        json_of(
            [
                day_of(SESSIONS[0], 100.0, 190.0, 1000),
                day_of(SESSIONS[1], 104.0, 200.0, 1000, paid=1.0),
                day_of(SESSIONS[2], 50.0, 201.0, 3000, paid=0.5, split=2.0),
                day_of(SESSIONS[3], 51.0, 204.0, 2000, paid=0.25),
                day_of(SESSIONS[4], 208.0, 208.0, 600, paid=2.0, split=0.25),
                day_of(SESSIONS[5], 210.0, 210.0, 500),
            ]
        )
    ).frame
    assert frame["close"].tolist() == [200.0, 208.0, 200.0, 204.0, 208.0, 210.0]
    assert frame["volume"].tolist() == [500.0, 500.0, 750.0, 500.0, 600.0, 500.0]
    assert frame["distribution"].tolist() == [0.0, 2.0, 2.0, 1.0, 2.0, 0.0]
    assert frame["split"].tolist() == [0.0, 0.0, 2.0, 0.0, 0.25, 0.0]
    assert frame["adj_close"].tolist() == [190.0, 200.0, 201.0, 204.0, 208.0, 210.0]


def test_a_part_of_the_days_stands_on_the_same_footing() -> None:
    days = [day_of(day, 100.0, 50.0, split=2.0 if k == 30 else 1.0) for k, day in enumerate(SESSIONS)]
    whole, part = series_of(json_of(days)).frame, series_of(json_of(days[20:])).frame
    assert part["close"].tolist() == whole["close"].tolist()[20:] == [50.0] * 10 + [100.0] * 8


@pytest.mark.parametrize(("symbol", "ticker"), [("SPY", "spy"), ("spy", "spy"), ("BRK.B", "brk-b"), ("BRK-B", "brk-b")])
def test_symbols_are_asked_for_by_tiingos_names(symbol: str, ticker: str) -> None:
    with tiingo() as (source, server):
        series = source.prices(symbol)
        assert [asked.path for asked in server.asked] == [f"/tiingo/daily/{ticker}/prices"]
        assert server.asked[0].query == {"startDate": "1900-01-01", "format": "json"}
    assert series.symbol == series.provenance.name == symbol
    assert series.provenance.place == f"{ticker} daily"


def test_provenance_is_filled() -> None:
    with tiingo() as (source, _):
        one = source.prices("SPY").provenance
    assert (one.source, one.first, one.last, one.observations) == ("tiingo", SESSIONS[0], SESSIONS[-1], len(SESSIONS))
    assert one.currency == "USD"
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", one.retrieved)


def test_a_day_asked_from_is_passed_on() -> None:
    with tiingo() as (source, server):
        assert str(source.prices("SPY", since="2021-02-16").frame.index[0].date()) == "2021-02-16"
        assert server.asked[0].query["startDate"] == "2021-02-16"


def test_nothing_new_is_not_nothing_at_all() -> None:
    with tiingo() as (source, server):
        assert len(source.prices("SPY", since="2021-03-01").frame) == len(SESSIONS)
        assert [asked.query["startDate"] for asked in server.asked] == ["2021-03-01", "1900-01-01"]


def test_each_symbol_is_asked_for_once() -> None:
    with tiingo() as (source, server):
        for symbol in ("SPY", "spy", "SPY"):
            assert source.holds(symbol)
            assert source.prices(symbol).symbol == symbol
        assert not source.holds("NOSUCHTHING")
        assert not source.holds("NOSUCHTHING")
        assert len(server.asked) == 2


# --- what it does not have ---


@pytest.mark.parametrize(
    "reply", [Reply('{"detail": "Not found."}', 404), Reply('{"detail": "Error: Ticker SPY not found"}'), Reply("[]")]
)
def test_the_unknown_is_refused_by_name(reply: Reply) -> None:
    with loopback(in_turn(reply)) as server:
        source = TiingoSource(server.url, HASTY, SECRET)
        with pytest.raises(SymbolNotFound, match=r"'SPY'.*check the spelling"):
            source.prices("SPY")
        assert not source.holds("SPY")
        assert len(server.asked) == 1


@pytest.mark.parametrize("symbol", ["", "../x", "^", "x/y", "GC=F", "SPY?x=1", "a b", "x" * 40, "^GSPC", "GSPC", "MID"])
def test_what_can_be_no_symbol_is_not_asked_for(symbol: str) -> None:
    with tiingo() as (source, server):
        assert not source.holds(symbol)
        with pytest.raises(SymbolNotFound) as caught:
            source.prices(symbol)
        assert symbol[:40] in str(caught.value)
        assert server.asked == []


@pytest.mark.parametrize("name", ["DFF", "NOSUCHTHING", "", "../x"])
def test_rates_are_another_sources(name: str) -> None:
    with tiingo() as (source, server):
        with pytest.raises(SymbolNotFound, match="from fred") as caught:
            source.rate(name)
        assert name in str(caught.value)
        assert server.asked == []


# --- faults ---


@pytest.mark.parametrize(("name", "reply", "said"), faults(GOOD), ids=lambda value: value if value else None)
def test_a_fault_is_said(name: str, reply: object, said: str) -> None:
    with loopback(reply) as server:  # type: ignore[arg-type]
        message = refused(lambda: TiingoSource(server.url, HASTY, SECRET).prices("SPY"))
    assert message.startswith("tiingo ")
    assert said in message


def test_a_fault_that_passes_is_waited_for() -> None:
    for _, reply in recoveries(GOOD):
        with loopback(reply) as server:
            assert len(TiingoSource(server.url, HASTY, SECRET).prices("SPY").frame) == len(SESSIONS)


def test_no_server() -> None:
    with loopback(answer) as server:
        url = server.url
    assert "no connection to 127.0.0.1" in refused(lambda: TiingoSource(url, HASTY, SECRET).prices("SPY"))


def without(name: str) -> str:
    """The answer with one field left out of its third day."""
    days = plain_days()
    del days[2][name]
    return json_of(days)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (LIMIT, "no more symbols or requests for now"),
        (GOOD[:-40], "no JSON"),
        ('{"detail": "something else"}', "no list of days"),
        ('"ok"', "no list of days"),
        ("[1, 2]", "row 1 has no date"),
        (without("splitFactor"), "row 3 has no splitFactor"),
        (without("adjClose"), "row 3 has no adjClose"),
        (GOOD.replace("2021-01-05T", "05.01.2021T"), "row 2 has no date"),
        (GOOD.replace("2021-01-05T", "2021-01-04T"), "row 2, 2021-01-04, comes after 2021-01-04"),
        (GOOD.replace('"close":101.0', '"close":-1'), "column close of 2021-01-05"),
        (GOOD.replace('"close":101.0', '"close":"ten"'), "column close of 2021-01-05"),
        (GOOD.replace('"close":101.0', '"close":true'), "column close of 2021-01-05"),
        (GOOD.replace('"close":101.0', '"close":NaN'), "column close of 2021-01-05"),
        (GOOD.replace('"close":101.0', '"close":[1]'), "column close of 2021-01-05"),
        (json_of([day_of("2021-01-04", 1.0, 1.0, split=0.0)]), "column splitFactor of 2021-01-04"),
        (json_of([day_of("2021-01-04", 1.0, 1.0, paid=-0.1)]), "column divCash of 2021-01-04"),
        (json_of([day_of("2021-01-04", 1.0, 1.0)]).replace('"divCash":0.0', '"divCash":null'), "divCash of 2021-01-04"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_an_answer_that_cannot_be_used_is_named(body: str, said: str) -> None:
    assert said in served(body)


# --- the key ---


def test_a_key_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIINGO_API_KEY", raising=False)
    with loopback(answer) as server:
        with pytest.raises(StudyError, match="set the environment variable TIINGO_API_KEY"):
            TiingoSource(server.url, HASTY).prices("SPY")
        assert server.asked == []


def test_the_environments_key_goes_into_a_header_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TIINGO_API_KEY", f" {SECRET}\n")
    caplog.set_level(logging.DEBUG)
    with loopback(answer) as server:
        source = TiingoSource(server.url, HASTY)
        series = source.prices("SPY")
        with pytest.raises(SymbolNotFound) as unknown:
            source.prices("NOSUCHTHING")
        assert all(SECRET not in f"{asked.path}{asked.query}" for asked in server.asked)
        assert all(asked.headers["Authorization"] == f"Token {SECRET}" for asked in server.asked)
    for text in (caplog.text, repr(series.provenance), repr(source), str(unknown.value)):
        assert SECRET not in text


def test_a_wrong_key_is_said_without_telling_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with loopback(answer) as server:
        message = refused(lambda: TiingoSource(server.url, HASTY, "wrong" + SECRET).prices("SPY"))
    assert "check the key" in message
    assert SECRET not in message + caplog.text


def test_an_echo_of_the_key_is_not_repeated() -> None:
    for body in (f'{{"detail": "{SECRET}"}}', SECRET, f"[{SECRET}]"):
        assert SECRET not in served(body)


@pytest.mark.parametrize("key", ["ключ", "a b", "a\nb"])
def test_a_key_that_can_be_none_is_refused(key: str) -> None:
    with pytest.raises(StudyError, match="copy it again") as caught:
        TiingoSource("http://127.0.0.1:9", HASTY, key).prices("SPY")
    assert key not in str(caught.value)


def test_a_netrc_does_not_take_the_keys_place(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: object) -> None:
    folder = tmp_path_factory.mktemp("home")  # type: ignore[attr-defined]
    (folder / "netrc").write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(folder / "netrc"))
    with tiingo() as (source, _):
        assert source.holds("SPY")


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr("alphaoverlay.errors.import_module", gone)
    with pytest.raises(MissingExtra, match=r"alphaoverlay\[live\]"):
        TiingoSource(key=SECRET).prices("SPY")


def test_a_fault_is_no_missing_symbol() -> None:
    with loopback(in_turn(Reply("", 503), Reply("", 503), Reply("", 503), Reply(GOOD))) as server:
        source = TiingoSource(server.url, HASTY, SECRET)
        with pytest.raises(FetchError):
            source.holds("SPY")
        assert source.holds("SPY")
