"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.store.postgres_server import PostgresServer

# One machine's slowness is not a failure; the examples are the same on every run.
# Twenty of each keep `make test` under its 8 minutes on a slow day.
settings.register_profile(
    "repo", max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
# Many more at full size; a thousand would take `make test-all` far beyond its 25 minutes.
settings.register_profile("full", parent=settings.get_profile("repo"), max_examples=120)
settings.load_profile("full" if os.environ.get("ALPHAOVERLAY_FULL") else "repo")


# What Python asks the network for beside loopback: none of our tests may. Other processes (Chromium, PostgreSQL) and
# libraries with sockets of their own (curl) are not seen here.
_CALLED_OUTSIDE: list[str] = []
_LOOKUPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_CALLS = ("socket.connect", "socket.sendto", "socket.sendmsg")


def _only_loopback(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse and remember any other address; Python tells of each before it does anything."""
    if event in _LOOKUPS:
        host = arguments[0]
    elif event in _CALLS and isinstance(arguments[1], tuple):  # others are paths of Unix sockets, or none
        host = arguments[1][0]
    else:
        return
    name = host.decode(errors="replace") if isinstance(host, bytes) else str(host or "")
    if not _is_loopback(name):
        _CALLED_OUTSIDE.append(f"{event} {name}")
        raise ConnectionRefusedError(f"tests call no other address than loopback, and this one called {name}")


def _is_loopback(host: str) -> bool:
    try:
        return host in ("", "localhost") or ip_address(host.partition("%")[0]).is_loopback
    except ValueError:  # another name
        return False


sys.addaudithook(_only_loopback)


@pytest.fixture(autouse=True)
def calls_outside() -> Iterator[list[str]]:
    """Fails a test in which anything called another address than loopback, even where that was caught."""
    yield _CALLED_OUTSIDE
    called, _CALLED_OUTSIDE[:] = list(_CALLED_OUTSIDE), []
    if called:
        pytest.fail(f"called another address than loopback: {', '.join(called)}")


def required(name: str) -> bool:
    """Whether this run must not skip for want of `name` (continuous integration sets it)."""
    return name in os.environ.get("ALPHAOVERLAY_REQUIRE", "").split(",")


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of real market history; tests that need it are skipped where it is absent."""
    place = os.environ.get("ALPHAOVERLAY_REFERENCE_DATA", "")
    if not place or not Path(place).is_dir():
        pytest.skip("no reference data: set ALPHAOVERLAY_REFERENCE_DATA to its folder")
    return Path(place)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium browser; tests that need one are skipped where there is none, unless CI requires it."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    if required("chromium"):
        pytest.fail("ALPHAOVERLAY_REQUIRE names chromium, and there is none on the PATH")
    pytest.skip("no Chromium on the PATH")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A private PostgreSQL; tests that need one are skipped where there is none, unless CI requires it."""
    from tests.store.postgres_server import NoServerError, running_server

    pytest.importorskip("psycopg", reason="no PostgreSQL driver: pip install 'alphaoverlay[postgres]'")
    try:
        with running_server() as server:
            yield server
    except NoServerError as error:
        if required("postgres"):
            pytest.fail(f"ALPHAOVERLAY_REQUIRE names postgres: {error}")
        pytest.skip(str(error))
