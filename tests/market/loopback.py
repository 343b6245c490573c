"""A web server on loopback that answers as a data source does, faults included, and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from alphaoverlay.market.client import Patience

# Pauses that a test can wait for.
HASTY = Patience(tries=3, first_pause=0.001, longest_pause=0.01, connect=2.0, read=2.0, whole=5.0)


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """One answer; `cut` sends only so many bytes of the body, under the full Content-Length, and hangs up."""

    body: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    wait: threading.Event | None = None  # answered only once it is set

    @property
    def raw(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else self.body


class Loopback:
    """Answers each request with what `reply` returns; `asked` lists the requests."""

    def __init__(self, reply: Callable[[Asked], Reply]) -> None:
        self.reply = reply
        self.asked: list[Asked] = []
        self.url = ""


@contextmanager
def loopback(reply: Callable[[Asked], Reply]) -> Iterator[Loopback]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    server = Loopback(reply)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = Asked(parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), dict(self.headers))
            server.asked.append(asked)
            reply = server.reply(asked)
            if reply.wait is not None:
                reply.wait.wait(10.0)
            body = reply.raw
            self.send_response(reply.status)
            for name, value in ({"Content-Length": str(len(body))} | dict(reply.headers)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: reply.cut])

        def log_message(self, format: str, *args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    try:
        yield server
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def in_turn(*replies: Reply) -> Callable[[Asked], Reply]:
    """Give one reply after the other, the last one for ever."""
    left = list(replies)
    return lambda asked: left.pop(0) if len(left) > 1 else left[0]
