"""One way to ask a web server: bounded in time, size and patience, and silent about keys.

No message of ours quotes an address with its query, a header, or what a library said: each could carry a key.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import requests
from urllib3.exceptions import DecodeError, ProtocolError, ReadTimeoutError

from alphaoverlay.errors import FetchError, StudyError

MAX_BYTES = 64 * 2**20
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Patience:
    """How long a source is waited for, in seconds.

    Attributes
    ----------
    tries : requests in all before giving up.
    first_pause : before the second try; doubles from try to try unless the server names a pause.
    longest_pause : a server that asks for more is not waited for.
    connect, read : to open a connection, and between two pieces of an answer.
    whole : for one answer in all.
    """

    tries: int = 4
    first_pause: float = 1.0
    longest_pause: float = 60.0
    connect: float = 10.0
    read: float = 30.0
    whole: float = 180.0
    sleep: Callable[[float], None] = time.sleep


class BusyError(Exception):
    """The server asked to come back later: too many requests, or an outage."""

    def __init__(self, status: int, retry_after: str | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.retry_after = retry_after


class UnreachableError(Exception):
    """No answer, or half of one; `why` is in our own words."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def patiently(source: str, ask: Callable[[], Answer], patience: Patience) -> Answer:
    """Return what `ask` returns, asking again with growing pauses while it raises `BusyError` or `UnreachableError`.

    Raises
    ------
    FetchError : it still did after the last try, or the server asks for a longer pause than we wait.
    """
    pause = patience.first_pause
    for attempt in range(1, patience.tries + 1):
        try:
            return ask()
        except BusyError as busy:
            asked = _seconds(busy.retry_after)
            said = "too many requests (429)" if busy.status == 429 else f"an outage (status {busy.status})"
            if asked is not None and asked > patience.longest_pause:
                raise FetchError(
                    f"{source} reports {said} and asks to wait {asked:.0f} s: try again then, or use what is stored "
                    "(--offline)"
                ) from None
            wait = pause if asked is None else asked
        except UnreachableError as unreachable:
            said, wait = unreachable.why, pause
        if attempt == patience.tries:
            break
        patience.sleep(min(wait, patience.longest_pause))
        pause *= 2.0
    tries = "1 try" if patience.tries == 1 else f"{patience.tries} tries"
    raise FetchError(
        f"{source} gave no usable answer in {tries}: {said}. Try again later, or use what is stored (--offline)"
    )


def time_of_asking() -> str:
    """The present moment as provenance writes it: ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Client(requests.Session):
    """A session that is patient and bounded, and that can send every request to a mirror instead.

    Parameters
    ----------
    source : its name, for messages.
    base_url : scheme, host and maybe a path that take the place of scheme and host of every address asked for.
    patience : how long to wait, and how often to try.
    strict : refuse web pages and every status but 200 and 404; False leaves both to the caller.
    """

    def __init__(
        self, source: str, base_url: str | None = None, patience: Patience | None = None, *, strict: bool = True
    ) -> None:
        super().__init__()
        self.source = source
        self.base_url = None if base_url is None else checked_base_url(source, base_url)
        self.patience = patience or Patience()
        self.strict = strict
        self.max_redirects = 5

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Ask, and ask again; the answer's body has been read.

        Raises
        ------
        FetchError : no usable answer; says why and what to do.
        """
        address = self._address(url.decode() if isinstance(url, bytes) else url)
        kwargs |= {"stream": True, "timeout": (self.patience.connect, self.patience.read)}
        return patiently(self.source, lambda: self._ask(method, address, args, kwargs), self.patience)

    def _ask(self, method: str | bytes, url: str, args: Any, kwargs: dict[str, Any]) -> requests.Response:
        begun = time.monotonic()
        if any(ch.isspace() for ch in checked_host(url)):  # or there is none
            raise FetchError(f"{self.source}: the address {checked_host(url)} cannot be asked")
        try:
            answer = super().request(method, url, *args, **kwargs)
            self._read(answer, begun)
        except (requests.Timeout, ReadTimeoutError):
            raise UnreachableError("it took too long") from None
        except (ProtocolError, DecodeError):
            raise UnreachableError("the answer broke off half way") from None
        except requests.TooManyRedirects:
            raise FetchError(f"{self.source} sends from one address to the next without end") from None
        except requests.exceptions.SSLError:
            # Not asked again: a certificate that is not trusted now will not be in a minute.
            raise FetchError(
                f"{self.source}: {checked_host(url)} could not prove who it is (its certificate); check the base URL "
                "and the clock, or trust your proxy's certificate with REQUESTS_CA_BUNDLE"
            ) from None
        except requests.ConnectionError as error:
            if _broke_off(error):
                raise UnreachableError("the connection broke off before an answer came") from None
            raise UnreachableError(f"no connection to {checked_host(url)}") from None
        except requests.RequestException:
            raise FetchError(f"{self.source}: the address {checked_host(url)} cannot be asked") from None
        if answer.status_code == 429 or answer.status_code >= 500:
            raise BusyError(answer.status_code, answer.headers.get("Retry-After"))
        if self.strict:
            self._refuse_what_is_not_data(answer)
        return answer

    def _read(self, answer: requests.Response, begun: float) -> None:
        """Read the body up to the bounds of size and time."""
        pieces, size = [], 0
        for piece in _pieces(answer):
            size += len(piece)
            if size > MAX_BYTES:
                answer.close()
                raise FetchError(f"{self.source} sent more than {MAX_BYTES // 2**20} MB; nothing of it was kept")
            if time.monotonic() - begun > self.patience.whole:
                answer.close()
                raise UnreachableError("it took too long")
            pieces.append(piece)
        answer._content = b"".join(pieces)  # where requests itself puts a body that it has read

    def _refuse_what_is_not_data(self, answer: requests.Response) -> None:
        status = answer.status_code
        if status in (401, 403):
            raise FetchError(f"{self.source} refused the request (status {status}): check the key, or the base URL")
        if status not in (200, 404):
            raise FetchError(f"{self.source} answered with status {status}; check the symbol and the base URL")
        if status == 200 and looks_like_a_page(answer.content):
            raise FetchError(
                f"{self.source} answered with a web page where data were expected: it may want a key or a consent, or "
                "the base URL is wrong"
            )

    def _address(self, url: str) -> str:
        if self.base_url is None:
            return url
        asked, base = urlsplit(url), urlsplit(self.base_url)
        return urlunsplit((base.scheme, base.netloc, base.path.rstrip("/") + asked.path, asked.query, ""))


def _pieces(answer: requests.Response) -> Iterator[bytes]:
    """The body as it arrives: waiting for full pieces would let a server that drips outlast every bound."""
    while piece := answer.raw.read1(2**16, decode_content=True):
        yield piece


def _broke_off(error: requests.ConnectionError) -> bool:
    """Whether there was a connection, which then ended without an answer."""
    return any(isinstance(cause, ProtocolError) for cause in error.args)


def looks_like_a_page(body: bytes) -> bool:
    """Whether a body is HTML or another markup rather than CSV or JSON."""
    return body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def checked_base_url(source: str, url: str) -> str:
    """Return the base URL.

    Raises
    ------
    StudyError : not http or https, or with a query or credentials in it.
    """
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that is not closed
        usable = False
    if not usable:
        raise StudyError(f"base URL of {source}: write http:// or https:// and a host, such as https://mirror.example")
    if parts.query or parts.fragment or parts.username or parts.password:
        raise StudyError(f"base URL of {source}: write scheme, host and path only, without a query or a password")
    return url.strip()


def checked_host(url: str) -> str:
    """The host of an address, for messages."""
    return urlsplit(url).hostname or "without a host"


def _seconds(retry_after: str | None) -> float | None:
    """Seconds that a Retry-After header asks for: a number, or a date."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)
