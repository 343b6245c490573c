"""A private PostgreSQL server for one run of the tests, from the machine's own packages."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_S = 60.0
PASSWORD = "opensesame"


class NoServerError(Exception):
    """There is no PostgreSQL on this machine, or it does not start."""


@dataclass
class PostgresServer:
    """A running server; every `address` is one of its own, with no tables."""

    port: int
    made: int = field(default=0)

    def url(self, **options: str) -> str:
        more = "".join(f"{'&' if k else '?'}{name}={value}" for k, (name, value) in enumerate(options.items()))
        return f"postgresql://tester:{PASSWORD}@127.0.0.1:{self.port}/postgres{more}"

    def address(self) -> str:
        """A new schema, and the URL that leads to it."""
        self.made += 1
        self.run(f"CREATE SCHEMA s{self.made}")
        return self.url(options=f"-csearch_path%3Ds{self.made}")

    def run(self, statement: str, place: str | None = None) -> None:
        """Run one statement, and commit it."""
        import psycopg

        with psycopg.connect(place or self.url()) as connection:
            connection.execute(statement.encode())


def binaries() -> Path:
    """The folder of the newest server that Debian's packages, or the PATH, have.

    Raises
    ------
    NoServerError : there is none.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: float(p.parts[4]))
    on_path = shutil.which("postgres")
    if not found and not on_path:
        raise NoServerError("no PostgreSQL server on this machine (Debian: apt install postgresql)")
    return (found[-1] if found else Path(str(on_path)).resolve()).parent


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """A server on loopback and a free port; it ends with the block, and with this process however that ends.

    Raises
    ------
    NoServerError : there is none, or it does not start.
    """
    import pwd  # not on Windows, where nothing here runs

    programs = binaries()
    # PostgreSQL refuses root, so root's server runs as another user.
    users = {entry.pw_name: entry for entry in pwd.getpwall()}
    owner = (users.get("postgres") or users["nobody"]) if os.getuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # short: a socket's path has at most 107 characters
    who = {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    server: subprocess.Popen[bytes] | None = None
    try:
        if owner is not None:
            os.chown(home, owner.pw_uid, owner.pw_gid)
        (home / "password").write_text(PASSWORD, encoding="ascii")
        (home / "password").chmod(0o644)
        making = [str(programs / "initdb"), "-D", str(home / "data"), "-U", "tester", "-A", "password"]
        making += [f"--pwfile={home / 'password'}", "-E", "UTF8", "--no-sync", "--no-instructions"]
        making += ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en"]  # sorts a, B, as most servers do
        made = subprocess.run(making, cwd=home, capture_output=True, text=True, **who)  # type: ignore[call-overload]
        if made.returncode:
            raise NoServerError(f"initdb: {made.stderr.strip()}")
        port = _free_port()
        serving = [str(programs / "postgres"), "-D", str(home / "data"), "-k", str(home), "-p", str(port)]
        serving += ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=60"]
        if setpriv := shutil.which("setpriv"):
            serving = [setpriv, "--pdeathsig", "QUIT", *serving]
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(serving, cwd=home, stdout=log, stderr=log, **who)  # type: ignore[call-overload]
        assert server is not None
        _wait_until_up(server, port, home / "log")
        yield PostgresServer(port)
    finally:
        if server is not None:
            server.terminate()
            server.send_signal(3)  # SIGQUIT: now, whoever is connected
            server.wait(PATIENCE_S)
        shutil.rmtree(home, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    import psycopg

    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and server.poll() is None:
        try:
            psycopg.connect(f"postgresql://tester:{PASSWORD}@127.0.0.1:{port}/postgres", connect_timeout=5).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise NoServerError(f"the server does not start: {log.read_text(errors='replace')[-500:]}")
