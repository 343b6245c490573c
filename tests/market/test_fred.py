"""Rates from a mirror of FRED on loopback."""

from __future__ import annotations

import socket
import sys
from datetime import datetime

import pytest
import requests
from tests.market.loopback import HASTY, Reply, in_turn
from tests.market.served_fred import DFF, NOT_FOUND, PATH, mirror, rate_csv, served
from tests.market.test_client import raw_server

from alphaoverlay.errors import DataError, FetchError, MissingExtra, StudyError, SymbolNotFound
from alphaoverlay.history import RateSeries
from alphaoverlay.market.fred import FredSource

GOOD = rate_csv("DFF", DFF)
# The observations of the file above, by hand: no value on 5 and 7 January.
DAYS = ["2020-12-31", "2021-01-01", "2021-01-04", "2021-01-06", "2021-01-08", "2021-01-15"]
FRACTIONS = [0.0009, 0.0009, 0.0009, 0.0008, -0.0005, 0.0533]


def days_of(rate: RateSeries) -> list[str]:
    return [str(day.date()) for day in rate.values.index]


def refused(reply: Reply, name: str = "DFF", kind: type[DataError] = FetchError) -> str:
    """The message with which an answer is refused; it quotes no address."""
    with mirror(lambda asked: reply) as (source, server):
        with pytest.raises(kind) as caught:
            source.rate(name)
        assert type(caught.value) is kind
        assert server.url not in str(caught.value)
        assert "?" not in str(caught.value).replace(" Did you mean DFF?", "")
    return str(caught.value)


@pytest.mark.parametrize("day_name", ["observation_date", "DATE"])
def test_a_rate_is_read_with_its_days(day_name: str) -> None:
    with mirror(lambda asked: Reply(rate_csv("DFF", DFF, day_name))) as (source, _):
        rate = source.rate("DFF")
    assert days_of(rate) == DAYS
    assert rate.values.tolist() == pytest.approx(FRACTIONS, abs=1e-15)
    assert (rate.name, rate.values.name, rate.values.index.name) == ("DFF", "DFF", "date")


def test_provenance_says_what_when_and_where() -> None:
    with mirror(served(DFF=DFF)) as (source, server):
        one = source.rate("dff").provenance
    assert (one.name, one.source, one.place, one.timezone, one.currency) == ("dff", "fred", "series DFF", "", "")
    assert (one.first, one.last, one.observations, one.nature) == ("2020-12-31", "2021-01-15", 6, "real")
    assert one.note == "effective federal funds rate"
    assert datetime.strptime(one.retrieved, "%Y-%m-%dT%H:%M:%SZ") > datetime(2026, 1, 1)
    assert [(asked.path, dict(asked.query)) for asked in server.asked] == [(PATH, {"id": "DFF"})]


def test_from_a_day_on() -> None:
    with mirror(served(DFF=DFF)) as (source, server):
        assert days_of(source.rate("DFF", since="2021-01-06")) == DAYS[3:]
    assert server.asked[0].query == {"id": "DFF", "cosd": "2021-01-06"}


def test_from_a_day_on_where_the_mirror_does_not_cut() -> None:
    with mirror(lambda asked: Reply(GOOD)) as (source, _):
        assert days_of(source.rate("DFF", since="2021-01-06")) == DAYS[3:]


def test_nothing_from_a_day_on() -> None:
    with mirror(served(DFF=DFF)) as (source, _), pytest.raises(DataError, match="no value from 2021-02-01 on"):
        source.rate("DFF", since="2021-02-01")


def test_it_is_asked_anew_each_time() -> None:
    revised = rate_csv("DFF", DFF | {"2021-01-15": "5.34"})
    with mirror(in_turn(Reply(GOOD), Reply(revised))) as (source, _):
        values = [source.rate("DFF").values.iloc[-1] for _ in range(2)]
    assert values == pytest.approx([0.0533, 0.0534])


def test_days_of_the_far_future_are_not_dropped() -> None:
    with mirror(lambda asked: Reply(rate_csv("DFF", {"2020-01-01": "1", "2199-12-31": "2"}))) as (source, _):
        assert source.rate("DFF").values.index[-1].year == 2199


def test_an_unknown_series() -> None:
    message = refused(NOT_FOUND, "DFG", SymbolNotFound)
    assert "FRED has no series DFG" in message
    assert "Did you mean DFF?" in message


@pytest.mark.parametrize("name", ["", "../x", "DFF&id=GDP", "D F", "X" * 65, "é"])
def test_what_cannot_be_a_series_is_not_asked_for(name: str) -> None:
    with mirror(served(DFF=DFF)) as (source, server):
        with pytest.raises(SymbolNotFound, match="cannot be a series"):
            source.rate(name)
        assert server.asked == []


def test_it_has_no_prices() -> None:
    source = FredSource("http://127.0.0.1:1", HASTY)
    assert not source.holds("SPY")
    with pytest.raises(SymbolNotFound, match="no prices of SPY"):
        source.prices("SPY")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<!DOCTYPE html><html></html>", "web page"),
        ("", "not the CSV file"),
        ("\n", "not the CSV file"),
        ("date,value\n2020-01-01,1\n", "not the CSV file"),
        ("observation_date,DTB3\n2020-01-01,1\n", "not the CSV file"),
        ("observation_date,DFF,X\n2020-01-01,1,2\n", "not the CSV file"),
        ("observation_date,DFF\n2020-01-01,1\n2020-01-0", "line 3: '2020-01-0' breaks off"),
        ("observation_date,DFF\n2020-01-01,1\n2020-01-02", "line 3: '2020-01-02' breaks off"),
        ("observation_date,DFF\n01/02/2020,1\n2020-01-02,1\n", "line 2: '01/02/2020,1' is not a day and a number"),
        ("observation_date,DFF\n2020-01-01,one\n2020-01-02,1\n", "line 2: '2020-01-01,one' is not a day and a number"),
        ("observation_date,DFF\n2020-01-01,1,000\n2020-01-02,1\n", "line 2"),
        ("observation_date,DFF\n2020-01-01,nan\n2020-01-02,1\n", "line 2"),
        ("observation_date,DFF\n\n2020-01-02,1\n", "line 2"),
        ("observation_date,DFF\n2020-02-31,1\n2020-03-01,1\n", "not the CSV file"),
        (b"\xff\xfe\x00", "not the CSV file"),
    ],
)
def test_what_is_not_freds_file_is_refused(body: bytes | str, said: str) -> None:
    assert said in refused(Reply(body))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"2020-01-01": "100.5"}, "100.5 on 2020-01-01 is not a yearly rate in percent"),
        ({"2020-01-01": "1", "2020-01-02": "-20.5"}, "-20.5 on 2020-01-02 is not"),
        ({"2020-01-01": "."}, "no value"),
        ({}, "no value"),
    ],
)
def test_values_that_are_no_rate_are_refused(rows: dict[str, str], said: str) -> None:
    assert said in refused(Reply(rate_csv("DFF", rows)), kind=DataError)


@pytest.mark.parametrize("days", [("02", "01"), ("01", "01"), ("01", "03", "02")])
def test_days_that_do_not_ascend_are_refused(days: tuple[str, ...]) -> None:
    body = "".join(("observation_date,DFF\n", *(f"2020-01-{day},1\n" for day in days)))
    said = f"line {len(days) + 1}: 2020-01-{days[-1]} comes after 2020-01-{days[-2]}"
    assert said in refused(Reply(body), kind=DataError)


@pytest.mark.parametrize(("lost", "good"), [(0, True), (1, False), (2, False)])
def test_an_answer_of_unknown_length_must_end_with_its_line(lost: int, good: bool) -> None:
    # Without a length the end of the connection is the end of the answer: 5.3 may have been 5.33.
    body = GOOD.encode()[: len(GOOD) - lost]
    with raw_server(lambda connection: connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + body)) as url:
        source = FredSource(url, HASTY)
        if good:
            assert source.rate("DFF").values.iloc[-1] == pytest.approx(0.0533)
        else:
            with pytest.raises(FetchError, match=r"line 9: '2021-01-15,5\.\d+' breaks off"):
                source.rate("DFF")


def test_outages_are_waited_for() -> None:
    with mirror(in_turn(Reply("", 503), Reply("", 429, {"Retry-After": "0"}), Reply(GOOD))) as (source, server):
        assert source.rate("DFF").values.tolist() == pytest.approx(FRACTIONS)
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply("", 429), "too many requests"),
        (Reply("", 429, {"Retry-After": "900"}), "wait 900 s"),
        (Reply("", 500), "an outage (status 500)"),
        (Reply("", 403), "refused the request"),
        (Reply(GOOD, cut=30), "broke off half way"),
    ],
)
def test_faults_of_the_server_are_said(reply: Reply, said: str) -> None:
    assert said in refused(reply)


def test_no_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(FetchError, match=r"no connection to 127\.0\.0\.1"):
        FredSource(f"http://127.0.0.1:{port}", HASTY).rate("DFF")


def test_without_a_mirror_fred_itself_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def send(adapter: object, request: requests.PreparedRequest, **kwargs: object) -> None:
        asked.append(str(request.url))
        raise requests.ConnectionError

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    with pytest.raises(FetchError, match=r"no connection to fred\.stlouisfed\.org"):
        FredSource(patience=HASTY).rate("DFF", since="2021-01-06")
    assert asked == ["https://fred.stlouisfed.org/graph/fredgraph.csv?id=DFF&cosd=2021-01-06"] * HASTY.tries


def test_a_base_url_is_checked_at_once() -> None:
    with pytest.raises(StudyError, match="base URL of fred"):
        FredSource("nowhere")


@pytest.mark.parametrize("missing", ["requests", "pandas_datareader.fred"])
def test_a_missing_package_is_named_with_its_command(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    source = FredSource()
    with pytest.raises(MissingExtra, match=r"pip install 'alphaoverlay\[live\]'"):
        source.rate("DFF")


def test_the_bill_of_another_library_is_not_asked_for() -> None:
    with mirror(served(RF={"2021-01-04": "1"})) as (source, server):
        with pytest.raises(SymbolNotFound, match="--data french"):
            source.rate("rf")
        assert server.asked == []
