"""The one way to ask web servers: patience, bounds, mirrors, and messages that give nothing away."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
from tests.market.loopback import HASTY, Reply, in_turn, loopback

from alphaoverlay.errors import FetchError, StudyError
from alphaoverlay.market import client as client_module
from alphaoverlay.market.client import BusyError, Client, Patience, checked_base_url, patiently, time_of_asking

ADDRESS = "https://data.example.org/v1/prices?symbol=SPY&key=SECRET"
GOOD = Reply("a,b\n1,2\n")


def refused(client: Client, address: str = ADDRESS) -> str:
    """The message with which a request fails; it never quotes the query."""
    with pytest.raises(FetchError) as caught:
        client.get(address)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


def recorded(**changes: float) -> tuple[Patience, list[float]]:
    """Patience that notes its pauses in place of sleeping."""
    pauses: list[float] = []
    return replace(Patience(sleep=pauses.append), **changes), pauses  # type: ignore[arg-type]


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that speaks no HTTP of its own: `talk` gets each connection after the request came in."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                with suppress(OSError):  # the client hung up
                    talk(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        done.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5.0)


def test_a_mirror_gets_the_path_and_the_query() -> None:
    with loopback(lambda asked: GOOD) as server:
        for base in (server.url, f"{server.url}/yahoo/", f" {server.url} "):
            assert Client("X", base, HASTY).get(ADDRESS).text == GOOD.body
    assert [asked.path for asked in server.asked] == ["/v1/prices", "/yahoo/v1/prices", "/v1/prices"]
    assert all(asked.query == {"symbol": "SPY", "key": "SECRET"} for asked in server.asked)


def test_without_a_mirror_the_address_is_asked_as_it_is() -> None:
    with loopback(lambda asked: GOOD) as server:
        assert Client("X", patience=HASTY).get(f"{server.url}/here").content == b"a,b\n1,2\n"
        assert Client("X", patience=HASTY).request(b"GET", f"{server.url}/bytes".encode()).ok
    assert [asked.path for asked in server.asked] == ["/here", "/bytes"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_outage_is_waited_for(status: int) -> None:
    patience, pauses = recorded()
    with loopback(in_turn(Reply("", status), Reply("", status), GOOD)) as server:
        assert Client("X", server.url, patience).get(ADDRESS).text == GOOD.body
    assert pauses == [1.0, 2.0]


def test_pauses_double_up_to_the_longest() -> None:
    patience, pauses = recorded(tries=6, longest_pause=5.0)
    with loopback(lambda asked: Reply("", 503)) as server:
        message = refused(Client("X", server.url, patience))
    assert pauses == [1.0, 2.0, 4.0, 5.0, 5.0]
    assert len(server.asked) == 6
    assert "6 tries" in message
    assert "status 503" in message


def test_one_try_is_not_called_tries() -> None:
    patience, pauses = recorded(tries=1)
    with loopback(lambda asked: Reply("", 503)) as server:
        assert "in 1 try:" in refused(Client("X", server.url, patience))
    assert pauses == []


def test_the_server_names_its_pause() -> None:
    patience, pauses = recorded()
    with loopback(in_turn(Reply("", 429, {"Retry-After": "7"}), Reply("", 429, {"Retry-After": "0"}), GOOD)) as server:
        assert Client("X", server.url, patience).get(ADDRESS).ok
    assert pauses == [7.0, 0.0]


def test_the_server_names_a_time() -> None:
    patience, pauses = recorded()
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    past = format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True)
    replies = [Reply("", 503, {"Retry-After": at}) for at in (later, past, "soon")]
    with loopback(in_turn(*replies, GOOD)) as server:
        assert Client("X", server.url, patience).get(ADDRESS).ok
    assert 25.0 < pauses[0] <= 30.0
    assert pauses[1:] == [0.0, 4.0]  # the third names nothing that can be read: our own pause, doubled twice


def test_a_pause_that_is_too_long_is_not_waited_for() -> None:
    patience, pauses = recorded()
    with loopback(lambda asked: Reply("", 429, {"Retry-After": "3600"})) as server:
        message = refused(Client("X", server.url, patience))
    assert pauses == []
    assert len(server.asked) == 1
    assert "3600 s" in message
    assert "(429)" in message


def test_half_an_answer_is_asked_for_again() -> None:
    with loopback(in_turn(replace(GOOD, cut=3), GOOD)) as server:
        assert Client("X", server.url, HASTY).get(ADDRESS).text == GOOD.body
    with loopback(lambda asked: replace(GOOD, cut=3)) as server:
        assert "broke off half way" in refused(Client("X", server.url, HASTY))
        assert len(server.asked) == HASTY.tries


def test_a_compressed_answer_is_unpacked_and_a_broken_one_refused() -> None:
    packed = gzip.compress(GOOD.raw)
    with loopback(in_turn(Reply(packed, headers={"Content-Encoding": "gzip"}))) as server:
        assert Client("X", server.url, HASTY).get(ADDRESS).text == GOOD.body
    with loopback(in_turn(Reply(b"not gzip", headers={"Content-Encoding": "gzip"}))) as server:
        assert "broke off half way" in refused(Client("X", server.url, HASTY))


def test_a_server_that_does_not_answer_is_left() -> None:
    never = threading.Event()
    with loopback(lambda asked: replace(GOOD, wait=never)) as server:
        try:
            message = refused(Client("X", server.url, replace(HASTY, read=0.05)))
        finally:
            never.set()
    assert "took too long" in message


def test_a_server_that_stops_half_way_is_left() -> None:
    never = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        never.wait(0.3)

    with raw_server(talk) as url:
        assert "took too long" in refused(Client("X", url, replace(HASTY, tries=1, read=0.05)))


def test_a_server_that_drips_is_left_at_the_bound_for_the_whole() -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b"x")
            time.sleep(0.01)

    begun = time.monotonic()
    with raw_server(talk) as url:
        message = refused(Client("X", url, replace(HASTY, tries=1, whole=0.1)))
    assert "took too long" in message
    assert time.monotonic() - begun < 3.0


def test_a_connection_that_ends_without_an_answer() -> None:
    with raw_server(lambda connection: None) as url:
        assert "broke off before an answer" in refused(Client("X", url, HASTY))


def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "no connection to 127.0.0.1" in refused(Client("X", f"http://127.0.0.1:{port}", HASTY))


def test_a_certificate_that_is_not_trusted_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(*args: object, **kwargs: object) -> None:
        raise requests.exceptions.SSLError("CERTIFICATE_VERIFY_FAILED for /v1?key=SECRET")

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    patience, pauses = recorded()
    assert "certificate" in refused(Client("X", "https://127.0.0.1", patience))
    assert pauses == []


def test_redirects_without_end() -> None:
    with loopback(lambda asked: Reply("", 302, {"Location": "/again?key=SECRET"})) as server:
        assert "without end" in refused(Client("X", server.url, HASTY))
    assert len(server.asked) < 10


def test_more_than_the_bound_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MAX_BYTES", 2**20)
    with loopback(lambda asked: Reply(b"x" * (2**20 + 1))) as server:
        assert "more than 1 MB" in refused(Client("X", server.url, HASTY))
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply("", 401), "check the key"),
        (Reply("", 403), "check the key"),
        (Reply("", 400), "status 400"),
        (Reply("<html></html>"), "web page"),
        (Reply(b"\xef\xbb\xbf \n<!DOCTYPE html>"), "web page"),
        (Reply("<?xml version='1.0'?><e/>"), "web page"),
    ],
)
def test_what_is_not_data_is_refused_unless_the_caller_looks_itself(reply: Reply, said: str) -> None:
    with loopback(lambda asked: reply) as server:
        assert said in refused(Client("X", server.url, HASTY))
        assert len(server.asked) == 1
        answer = Client("X", server.url, HASTY, strict=False).get(ADDRESS)
    assert (answer.status_code, answer.content) == (reply.status, reply.raw)


def test_not_found_is_for_the_caller() -> None:
    with loopback(lambda asked: Reply("<html>", 404)) as server:
        assert Client("X", server.url, HASTY).get(ADDRESS).status_code == 404


@pytest.mark.parametrize("address", ["http://", "http://exa mple/?key=SECRET", "nothing"])
def test_an_address_that_cannot_be_asked(address: str) -> None:
    assert "cannot be asked" in refused(Client("X", patience=HASTY), address)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "http:// or https://"),
        ("ftp://host", "http:// or https://"),
        ("host:80", "http:// or https://"),
        ("http://host:abc", "http:// or https://"),
        ("http://[::1", "http:// or https://"),
        ("http://host/?key=SECRET", "without a query or a password"),
        ("http://me:SECRET@host", "without a query or a password"),
        ("http://host#SECRET", "without a query or a password"),
    ],
)
def test_a_base_url_is_checked_and_not_repeated(url: str, said: str) -> None:
    with pytest.raises(StudyError, match="base URL of X") as caught:
        checked_base_url("X", url)
    assert said in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_patience_goes_with_any_way_of_asking() -> None:
    patience, pauses = recorded()
    faults = [BusyError(503), BusyError(429)]

    def ask() -> str:
        if faults:
            raise faults.pop()
        return "here"

    assert patiently("X", ask, patience) == "here"
    assert pauses == [1.0, 2.0]


def test_the_time_of_asking_is_written_in_utc() -> None:
    written = time_of_asking()
    assert written.endswith("Z")
    assert abs(datetime.now(UTC) - datetime.strptime(written, "%Y-%m-%dT%H:%M:%S%z")) < timedelta(seconds=5)
