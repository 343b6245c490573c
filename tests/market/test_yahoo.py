"""Prices from a mirror of Yahoo on loopback, read by yfinance."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yfinance
from tests.market.little_files import JANUARY
from tests.market.loopback import HASTY, Asked, Reply, in_turn, loopback
from tests.market.served_yahoo import (
    BLOCKED,
    NOT_FOUND,
    PAGE,
    Chart,
    histories,
    is_history,
    mirror,
    opening,
    served,
    symbol_of,
)

from alphaoverlay.errors import DataError, FetchError, MissingExtra, StudyError, SymbolNotFound
from alphaoverlay.market.yahoo import YahooSource

SPY = Chart("SPY", kind="ETF")
COLUMNS = ["close", "adj_close", "volume", "distribution", "split"]


def days_of(frame: pd.DataFrame) -> list[str]:
    return [str(day.date()) for day in frame.index]


def changed(chart: Chart, change: Callable[[dict[str, Any]], None]) -> Reply:
    """The chart's document after a change to its one result."""
    document = chart.document()
    change(document["chart"]["result"][0])
    return Reply(json.dumps(document))


def refused(reply: Reply, kind: type[DataError] = FetchError, since: str | None = None) -> str:
    """The message with which a history is refused; it quotes no address and nothing that was asked."""
    with mirror(histories(lambda asked: reply, SPY)) as (source, server):
        with pytest.raises(kind) as caught:
            source.prices("SPY", since)
        assert type(caught.value) is kind
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        for private in (server.url, "period1", "crumb", "Traceback"):
            assert private not in str(caught.value)
    return str(caught.value)


# What is read


def test_every_column_is_yahoos() -> None:
    chart = Chart(
        "SPY",
        kind="ETF",
        close=[200.0, 202.0, 101.0, 102.0, 103.5, 104.0, 105.0, 106.0, 107.0, 108.0, 109.0],
        adjusted=[198.0, 200.0, 100.0, 102.0, 103.5, 104.0, 105.0, 106.0, 107.0, 108.0, 109.0],
        volume=[10, 20, 30, 40, 50, 60, 70, 80, 90, 100, None],
        dividends={"2021-01-07": 0.75},
        gains={"2021-01-07": 1.0, "2021-01-08": 0.5},
        splits={"2021-01-06": (2.0, 1.0), "2021-01-15": (1.0, 10.0)},
    )
    with mirror(served(chart)) as (source, _):
        frame = source.prices("SPY").frame
    assert list(frame.columns) == COLUMNS
    assert all(dtype == np.dtype("float64") for dtype in frame.dtypes)
    assert days_of(frame) == list(JANUARY)
    assert (frame.index.name, frame.index.dtype) == ("date", np.dtype("datetime64[ns]"))
    assert frame["close"].tolist() == chart.close
    assert frame["adj_close"].tolist() == chart.adjusted
    assert frame["volume"].tolist() == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 0]
    assert frame["distribution"].tolist() == [0, 0, 0, 1.75, 0.5, 0, 0, 0, 0, 0, 0]
    assert frame["split"].tolist() == [0, 0, 2, 0, 0, 0, 0, 0, 0, 0.1, 0]


def test_provenance_says_what_when_and_where() -> None:
    with mirror(served(Chart("^GSPC", kind="INDEX", first=3700.0))) as (source, _):
        series = source.prices("gspc")
    one = series.provenance
    assert (series.symbol, one.name, one.source, one.place) == ("gspc", "gspc", "yahoo", "chart ^GSPC")
    assert (one.first, one.last, one.observations, one.nature) == ("2021-01-04", "2021-01-19", 11, "real")
    assert (one.currency, one.timezone, one.note) == ("USD", "America/New_York", "price index")
    assert datetime.strptime(one.retrieved, "%Y-%m-%dT%H:%M:%SZ") > datetime(2026, 1, 1)
    assert series.where(0) == "chart ^GSPC"


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("GSPC", "^GSPC"),
        ("^gspc", "^GSPC"),
        ("SP500TR", "^SP500TR"),
        ("mid", "^SP400"),
        ("VIX", "^VIX"),
        ("spy", "SPY"),
        ("BRK.B", "BRK-B"),
        ("bf.a", "BF-A"),
        ("BRK-B", "BRK-B"),
        ("VOD.L", "VOD.L"),
        ("7203.T", "7203.T"),
        ("GC=F", "GC=F"),
        ("BTC-USD", "BTC-USD"),
    ],
)
def test_symbols_are_written_as_yahoo_does(typed: str, asked: str) -> None:
    with mirror(served(Chart(asked))) as (source, server):
        series = source.prices(typed)
        assert source.holds(typed)
    assert (series.symbol, series.provenance.name, series.provenance.place) == (typed, typed, f"chart {asked}")
    assert {symbol_of(one) for one in server.asked} - {""} == {asked}


@pytest.mark.parametrize(
    ("symbol", "kind", "note"),
    [
        ("NDX", "INDEX", "price index"),
        ("XNDX", "INDEX", "total-return index"),
        ("VIX", "INDEX", ""),
        ("NDX", "ETF", ""),
    ],
)
def test_an_index_is_called_one_only_where_that_is_sure(symbol: str, kind: str, note: str) -> None:
    with mirror(served(Chart(f"^{symbol}", kind=kind))) as (source, _):
        assert source.prices(symbol).provenance.note == note


def test_capital_gains_that_may_be_counted_twice_are_noted() -> None:
    adjusted = [90.0 + k for k in range(4)] + [104.0 + k for k in range(7)]
    chart = Chart(
        "FUND", kind="MUTUALFUND", dividends={"2021-01-08": 7.8}, gains={"2021-01-08": 6.4}, adjusted=adjusted
    )
    with mirror(served(chart)) as (source, _):
        assert "capital gains twice" in source.prices("FUND").provenance.note
        assert "2021-01-08" in source.prices("FUND").provenance.note


def test_another_currency_and_time_zone_pass_through() -> None:
    # Sydney's session of 5 January opens on 4 January, 23:00 UTC.
    chart = Chart("CBA.AX", currency="AUD", zone="Australia/Sydney", at="10:00", days=["2021-01-05", "2021-01-06"])
    with mirror(served(chart)) as (source, _):
        series = source.prices("CBA.AX")
    assert (series.provenance.currency, series.provenance.timezone) == ("AUD", "Australia/Sydney")
    assert days_of(series.frame) == ["2021-01-05", "2021-01-06"]


def test_a_currency_that_yahoo_does_not_know_is_empty() -> None:
    with mirror(served(replace(SPY, currency=None))) as (source, _):
        assert source.prices("SPY").provenance.currency == ""


def test_days_are_the_exchanges_at_both_ends_of_the_summer() -> None:
    days = ["2021-03-12", "2021-03-15", "2021-11-05", "2021-11-08"]
    with mirror(served(replace(SPY, days=days))) as (source, _):
        assert days_of(source.prices("SPY").frame) == days


def test_before_1970() -> None:
    days = ["1927-12-30", "1969-12-31", "1970-01-02"]
    with mirror(served(Chart("^GSPC", kind="INDEX", days=days))) as (source, _):
        assert days_of(source.prices("GSPC").frame) == days


def test_no_warning_leaves_the_library() -> None:
    with mirror(served(SPY)) as (source, _), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        source.prices("SPY")
    assert caught == []


# The running session


def test_the_running_session_has_the_exchanges_day() -> None:
    # The last row bears the time of the last trade: 16:00:01 in New York, or 20:30 there, which is tomorrow in UTC.
    for at in ("16:00:01", "20:30:00"):
        stamps = [opening(day) for day in JANUARY[:-1]] + [opening(JANUARY[-1], at)]
        with mirror(served(replace(SPY, stamps=stamps))) as (source, _):
            assert days_of(source.prices("SPY").frame) == list(JANUARY)


def test_the_running_sessions_second_row_counts() -> None:
    days, close = [*JANUARY, JANUARY[-1]], [100.0 + k for k in range(12)]
    stamps = [opening(day) for day in JANUARY] + [opening(JANUARY[-1], "15:12:07")]
    with mirror(served(replace(SPY, days=days, close=close, stamps=stamps))) as (source, _):
        frame = source.prices("SPY").frame
    assert days_of(frame) == list(JANUARY)
    assert frame["close"].iloc[-1] == 111.0


def test_a_distribution_of_a_day_without_a_price_waits_for_it() -> None:
    with mirror(served(replace(SPY, days=JANUARY[:-1], dividends={JANUARY[-1]: 0.5}))) as (source, _):
        frame = source.prices("SPY").frame
    assert days_of(frame) == list(JANUARY[:-1])
    assert frame["distribution"].sum() == 0.0


def test_a_row_without_anything_is_left_out() -> None:
    close: list[float | None] = [100.0 + k for k in range(11)]
    close[4] = None
    volume: list[int | None] = [10] * 11
    volume[4] = None
    with mirror(served(replace(SPY, close=close, volume=volume))) as (source, _):
        assert days_of(source.prices("SPY").frame) == [day for day in JANUARY if day != JANUARY[4]]


# What is asked, and how often


def test_the_whole_history_is_asked_for_once() -> None:
    with mirror(served(SPY)) as (source, server):
        first = source.prices("SPY").frame
        assert source.holds("spy")
        assert source.prices("spy").frame is first
    assert sum(is_history(asked) for asked in server.asked) == 1
    assert int(next(asked.query["period1"] for asked in server.asked if is_history(asked))) < -1_000_000_000


def test_an_unknown_symbol_is_asked_for_once() -> None:
    with mirror(served(SPY)) as (source, server):
        assert not source.holds("NOSUCH")
        for name in ("NOSUCH", "nosuch"):
            with pytest.raises(SymbolNotFound, match=f"no prices of {name}: there is no such symbol"):
                source.prices(name)
    assert [symbol_of(asked) for asked in server.asked if symbol_of(asked)] == ["NOSUCH"]


def test_from_a_day_on_is_asked_for_anew() -> None:
    with mirror(served(SPY)) as (source, server):
        for _ in range(2):
            assert days_of(source.prices("SPY", since="2021-01-14").frame) == ["2021-01-14", "2021-01-15", "2021-01-19"]
        assert days_of(source.prices("SPY").frame) == list(JANUARY)
    begins = [int(asked.query["period1"]) for asked in server.asked if is_history(asked)]
    assert begins[:2] == [opening("2021-01-14", "00:00")] * 2


def test_nothing_from_a_day_on() -> None:
    with mirror(served(SPY)) as (source, _):
        with pytest.raises(DataError, match="no prices of SPY from 2021-02-01 on") as caught:
            source.prices("SPY", since="2021-02-01")
        assert type(caught.value) is DataError
        assert source.holds("SPY")
    error = {"chart": {"result": None, "error": {"code": "Bad Request", "description": "Data doesn't exist for ..."}}}
    assert "from 2021-02-01 on" in refused(Reply(json.dumps(error), 400), DataError, since="2021-02-01")


def test_a_revision_is_seen_within_one_process() -> None:
    revised = replace(SPY, first=200.0)
    with mirror(in_turn_of_histories(SPY.reply, revised.reply, revised.reply)) as (source, server):
        assert source.prices("SPY", since="2021-01-04").frame["close"].iloc[0] == 100.0
        assert source.prices("SPY", since="2021-01-04").frame["close"].iloc[0] == 200.0
        assert YahooSource(server.url, HASTY).prices("SPY").frame["close"].iloc[0] == 200.0


def in_turn_of_histories(*answers: Callable[[Asked], Reply]) -> Callable[[Asked], Reply]:
    left = list(answers)
    return histories(lambda asked: left.pop(0)(asked), SPY)


@pytest.mark.parametrize("symbol", ["", "../x", "A B", "x/y", "SPY?range=1d", "%2e%2e", "é", "^" * 40, "US0378331005"])
def test_what_cannot_be_a_symbol_is_not_asked_for(symbol: str) -> None:
    with mirror(served(SPY)) as (source, server):
        assert not source.holds(symbol)
        with pytest.raises(SymbolNotFound) as caught:
            source.prices(symbol)
        assert symbol[:40] in str(caught.value)
        assert server.asked == []


def test_it_has_no_rates() -> None:
    with pytest.raises(SymbolNotFound, match="no rates, so not DFF either; FRED has them"):
        YahooSource().rate("DFF")


# Faults


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (PAGE, "web page"),
        (replace(PAGE, status=404), "web page"),
        (Reply(""), "empty or breaks off"),
        (Reply(json.dumps(SPY.document())[:-40]), "empty or breaks off"),
        (Reply("null"), "not of the form"),
        (Reply("{}"), "not of the form"),
        (Reply('{"chart": {"result": [], "error": null}}'), "not of the form"),
        (
            Reply('{"chart": {"result": null, "error": {"code": "Internal", "description": "period1"}}}'),
            "could not answer",
        ),
        (Reply('{"chart": null}', 404), "not of the form"),
        (Reply('{"chart": {"result": null, "error": null}}', 404), "could not answer (status 404)"),
        (
            Reply('{"finance": {"result": null, "error": {"code": "Unauthorized"}}}', 401),
            "refused the request (status 401)",
        ),
        (Reply(json.dumps(SPY.document()), cut=100), "broke off half way"),
        (BLOCKED, "too many requests (429)"),
        (replace(BLOCKED, headers={"Retry-After": "900"}), "asks to wait 900 s"),
        (Reply("Service Unavailable", 503), "an outage (status 503)"),
    ],
)
def test_faults_are_said_in_one_sentence(reply: Reply, said: str) -> None:
    assert said in refused(reply)


@pytest.mark.parametrize(
    "change",
    [
        lambda result: result["meta"].pop("exchangeTimezoneName"),
        lambda result: result["meta"].update(exchangeTimezoneName="Mars/Olympus"),
        lambda result: result["meta"].pop("currency"),
        lambda result: result["meta"].pop("validRanges"),
        lambda result: result["timestamp"].pop(),
        lambda result: result["indicators"]["quote"][0]["close"].pop(),
        lambda result: result["indicators"]["quote"][0].pop("volume"),
        lambda result: result["indicators"]["quote"][0].update(close=["dear"] * 11),
        lambda result: result.update(indicators={}),
        lambda result: result.update(events={"dividends": {"1": {}}}),
    ],
)
def test_a_chart_of_another_form_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    assert "not of the form" in refused(changed(SPY, change))


@pytest.mark.parametrize("fault", [BLOCKED, replace(BLOCKED, headers={"Retry-After": "0"}), Reply("", 502), Reply("")])
def test_a_passing_fault_is_waited_for(fault: Reply) -> None:
    good = Reply(json.dumps(SPY.document()))
    with mirror(histories(in_turn(fault, good), SPY)) as (source, server):
        assert days_of(source.prices("SPY").frame) == list(JANUARY)
    assert sum(is_history(asked) for asked in server.asked) == 2


def test_a_fault_is_not_remembered() -> None:
    good = Reply(json.dumps(SPY.document()))
    with mirror(histories(in_turn(PAGE, good), SPY)) as (source, _):
        with pytest.raises(FetchError):
            source.holds("SPY")
        assert source.holds("SPY")


def test_a_fault_of_the_first_question_is_not_remembered_either() -> None:
    good = served(SPY)
    replies = [PAGE]
    with mirror(lambda asked: replies.pop() if replies and symbol_of(asked) else good(asked)) as (source, _):
        with pytest.raises(FetchError, match="web page"):
            source.prices("SPY")
        assert source.holds("SPY")


@pytest.mark.parametrize("aside", [Reply("", 503), Reply("", 429), PAGE, Reply("", 401)])
def test_charts_do_without_a_cookie(aside: Reply) -> None:
    with mirror(lambda asked: SPY.reply(asked) if symbol_of(asked) else aside) as (source, server):
        assert source.holds("SPY")
    assert len(server.asked) < 12


def test_a_crumb_is_asked_for_once() -> None:
    def reply(asked: Asked) -> Reply:
        return charts(asked) if symbol_of(asked) else Reply("abc.123")

    charts = served(SPY, Chart("QQQ"))
    with mirror(reply) as (source, server):
        assert source.holds("SPY")
        assert source.holds("QQQ")
    assert sum(asked.path.endswith("getcrumb") for asked in server.asked) == 1
    assert {asked.query["crumb"] for asked in server.asked if symbol_of(asked)} == {"abc.123"}


def test_a_server_that_does_not_answer_is_left() -> None:
    never = threading.Event()
    patience = replace(HASTY, tries=2, read=0.05)
    with loopback(histories(lambda asked: Reply("", wait=never), SPY)) as server:
        try:
            with pytest.raises(FetchError, match="2 tries: it took too long"):
                YahooSource(server.url, patience).prices("SPY")
        finally:
            never.set()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_no_network() -> None:
    with pytest.raises(FetchError, match=r"no connection to 127\.0\.0\.1"):
        YahooSource(f"http://127.0.0.1:{closed_port()}", HASTY).prices("SPY")


def test_a_known_symbol_without_prices() -> None:
    with mirror(served(replace(SPY, days=[]))) as (source, _):
        assert not source.holds("SPY")
    nothing: list[None] = [None] * len(JANUARY)
    with mirror(served(replace(SPY, close=nothing, volume=nothing))) as (source, _):
        assert not source.holds("SPY")


# Values that cannot be


@pytest.mark.parametrize("last", [False, True])
def test_two_values_of_one_day_are_refused_by_name(last: bool) -> None:
    # At the very end too: the running session's second row bears another time.
    days = [*JANUARY, JANUARY[-1]] if last else [*JANUARY[:5], JANUARY[4], *JANUARY[5:]]
    message = refused(Reply(json.dumps(replace(SPY, days=days).document())), DataError)
    assert f"chart SPY: two different rows for {'2021-01-19' if last else '2021-01-08'}" in message


def test_one_day_twice_with_the_same_values_is_one_day() -> None:
    days, close = [*JANUARY[:5], *JANUARY[4:]], [100.0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 10]
    with mirror(served(replace(SPY, days=days, close=close, volume=[5] * 12))) as (source, _):
        assert days_of(source.prices("SPY").frame) == list(JANUARY)


def test_adjusted_closes_without_the_distributions_are_refused() -> None:
    paid = replace(SPY, dividends={"2021-01-06": 1.0})
    whole = refused(changed(paid, lambda result: result["indicators"].pop("adjclose")), DataError)
    assert "column adj_close: repeats close, although 2021-01-06 paid a distribution" in whole


def test_a_distribution_of_these_days_may_not_be_in_the_adjusted_closes_yet() -> None:
    with mirror(served(replace(SPY, dividends={JANUARY[-2]: 1.0}))) as (source, _):
        assert source.prices("SPY").frame["distribution"].sum() == 1.0


@pytest.mark.parametrize(
    ("chart", "said"),
    [
        (replace(SPY, close=[100.0, 0.0, *range(9)]), "column close: 0 on 2021-01-05 is not a price"),
        (replace(SPY, adjusted=[-0.5, *range(1, 11)]), "column adj_close: -0.5 on 2021-01-04 is not a price"),
        (replace(SPY, adjusted=[float("inf"), *range(1, 11)]), "column adj_close: inf on 2021-01-04 is not a price"),
        (replace(SPY, volume=[-1] * 11), "column volume: -1 on 2021-01-04 is not zero or more"),
        (replace(SPY, dividends={"2021-01-05": -1.0}), "column distribution: -1 on 2021-01-05"),
    ],
)
def test_values_that_cannot_be_are_refused_by_name(chart: Chart, said: str) -> None:
    message = refused(Reply(json.dumps(chart.document())), DataError)
    assert f"chart SPY, {said}" in message


def test_what_is_there_and_defective_is_there() -> None:
    with mirror(served(replace(SPY, adjusted=[-0.5, *range(1, 11)]))) as (source, _):
        assert source.holds("SPY")


# yfinance's own state, and the machine's


def test_the_users_own_yfinance_is_left_as_it_was() -> None:
    from yfinance import cache, data

    def state() -> list[Any]:
        return [
            dict(data.SingletonMeta._instances),
            data.SingletonMeta._instances[data.YfData]._session,
            cache._TzCacheManager._tz_cache,
            cache._CookieCacheManager._Cookie_cache,
            cache._ISINCacheManager._isin_cache,
            yfinance.config.debug.hide_exceptions,
            yfinance.config.network.retries,
            logging.getLogger("yfinance").disabled,
            list(warnings.filters),
        ]

    yfinance.Ticker("SPY")
    yfinance.config.network.retries = 2
    try:
        before = state()
        with mirror(served(SPY)) as (source, _):
            source.prices("SPY")
            assert state() == before
            with pytest.raises(SymbolNotFound):
                source.prices("NOSUCH")
            assert state() == before
    finally:
        yfinance.config.network.retries = 0
        data.SingletonMeta._instances.clear()


def test_two_sources_keep_apart() -> None:
    with mirror(served(SPY)) as (one, first), mirror(served(replace(SPY, first=500.0))) as (other, second):
        assert one.prices("SPY").frame["close"].iloc[0] == 100.0
        assert other.prices("SPY").frame["close"].iloc[0] == 500.0
        seen = len(second.asked)
        assert one.prices("SPY", since="2021-01-05").frame["close"].iloc[0] == 101.0
    assert len(second.asked) == seen
    assert sum(is_history(asked) for asked in first.asked) == 2


SCRIPT = """
import sys
from tests.market.loopback import HASTY
from tests.market.served_yahoo import Chart, mirror, served
with mirror(served(Chart("SPY"))) as (source, server):
    assert source.holds("SPY") and not source.holds("NOSUCH")
    print(source.prices("SPY").provenance.observations)
"""


@pytest.mark.parametrize("writable", [True, False])
def test_nothing_is_written_to_the_terminal_or_the_home(tmp_path: Path, writable: bool) -> None:
    home = tmp_path / "home"
    if writable:
        home.mkdir()
    else:
        home.write_text("not a folder")  # so that no cache can be made below it, whoever runs the test
    names = ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "USERPROFILE")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env=dict.fromkeys(names, str(home)) | {"PYTHONPATH": f"src:{Path(__file__).parents[2]}", "PATH": ""},
    )
    assert (done.stdout.split(), done.stderr) == (["11"], "")
    assert not writable or list(home.iterdir()) == []


# Without a mirror: yfinance's own session


@pytest.fixture
def yahoo_on_loopback(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Turn yfinance's own kind of session to an address on loopback, whatever it is asked for."""

    def turn(url: str) -> None:
        from curl_cffi import requests
        from yfinance import _http

        class Turned(requests.Session):  # type: ignore[type-arg]
            def request(self, method: Any, asked: str = "", **kwargs: Any) -> Any:  # type: ignore[override]
                address = kwargs.pop("url", asked)
                assert address.startswith("https://")
                return super().request(method, url + "/" + address.partition("://")[2].partition("/")[2], **kwargs)

        for place in (_http, yfinance.base, yfinance.data):
            monkeypatch.setattr(place, "new_session", Turned)

    return turn


def test_yahoo_itself_is_asked_by_yfinances_own_session(yahoo_on_loopback: Callable[[str], None]) -> None:
    with loopback(served(SPY)) as server:
        yahoo_on_loopback(server.url)
        source = YahooSource(patience=HASTY)
        assert days_of(source.prices("SPY").frame) == list(JANUARY)
        assert not source.holds("NOSUCH")
    assert sum(is_history(asked) for asked in server.asked) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (BLOCKED, "too many requests (429)"),
        (replace(BLOCKED, headers={"Retry-After": "900"}), "asks to wait 900 s"),
        (Reply("", 503), "an outage (status 503)"),
        (PAGE, "web page"),
        (Reply(""), "empty or breaks off"),
        (Reply(json.dumps(SPY.document()), cut=100), "broke off half way"),
        (Reply('{"finance": {"error": {"code": "Unauthorized"}}}', 401), "refused the request (status 401)"),
    ],
)
def test_faults_of_yahoo_itself(yahoo_on_loopback: Callable[[str], None], fault: Reply, said: str) -> None:
    with loopback(histories(lambda asked: fault, SPY)) as server:
        yahoo_on_loopback(server.url)
        with pytest.raises(FetchError) as caught:
            YahooSource(patience=HASTY).prices("SPY")
    assert said in str(caught.value)
    assert "period1" not in str(caught.value)


def test_yahoo_itself_is_waited_for_within_bounds(yahoo_on_loopback: Callable[[str], None]) -> None:
    pauses: list[float] = []
    patience = replace(HASTY, tries=4, first_pause=1.0, longest_pause=60.0, sleep=pauses.append)
    good = Reply(json.dumps(SPY.document()))
    faults = (BLOCKED, replace(BLOCKED, headers={"Retry-After": "7"}), Reply("", 502))
    with loopback(histories(in_turn(*faults, good), SPY)) as server:
        yahoo_on_loopback(server.url)
        assert YahooSource(patience=patience).holds("SPY")
    assert pauses == [1.0, 7.0, 4.0]


def test_yahoo_itself_does_not_answer(yahoo_on_loopback: Callable[[str], None]) -> None:
    never = threading.Event()
    with loopback(histories(lambda asked: Reply("", wait=never), SPY)) as server:
        yahoo_on_loopback(server.url)
        begun = time.monotonic()
        try:
            with pytest.raises(FetchError, match="it took too long"):
                YahooSource(patience=replace(HASTY, tries=1, connect=0.1, read=0.1)).prices("SPY")
        finally:
            never.set()
    assert time.monotonic() - begun < 5.0  # yfinance alone would wait for 10 s


def test_no_network_to_yahoo_itself(yahoo_on_loopback: Callable[[str], None]) -> None:
    yahoo_on_loopback(f"http://127.0.0.1:{closed_port()}")
    with pytest.raises(FetchError, match="3 tries: no connection"):
        YahooSource(patience=HASTY).prices("SPY")


# Beginnings


def test_a_base_url_is_checked_at_once() -> None:
    with pytest.raises(StudyError, match="base URL of yahoo"):
        YahooSource("nowhere")


@pytest.mark.parametrize("missing", ["requests", "yfinance"])
def test_a_missing_package_is_named_with_its_command(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    source = YahooSource()
    with pytest.raises(MissingExtra, match=r"pip install 'alphaoverlay\[live\]'"):
        source.prices("SPY")


def test_the_address_of_a_mirror_needs_the_extra_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(MissingExtra):
        YahooSource("http://127.0.0.1:1")


def test_not_found_is_as_yahoo_documents_it() -> None:
    assert "there is no such symbol" in refused(NOT_FOUND, SymbolNotFound)


def test_a_yfinance_with_other_inner_parts_is_told_apart_from_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("yfinance.cache._TzCacheManager")
    with mirror(served(Chart("SPY"))) as (source, server):
        with pytest.raises(FetchError, match="this yfinance is not known here"):
            source.prices("SPY")
        assert server.asked == []
