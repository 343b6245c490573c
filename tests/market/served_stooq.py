"""Stooq's daily download as documents show it.

The table (header, ISO days, oldest first): apis.io "Stooq Historical Data API" and the readers of many public projects.
"No data" and "Exceeded the daily hits limit": the same. The notice about the key, and the answer to a program without
one: pydata/pandas-datareader issue 1012 of April 2026, and notes of other projects that quote the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.market.loopback import HASTY, Asked, Loopback, Reply, loopback
from tests.market.served_days import SESSIONS

from alphaoverlay.market.stooq import StooqSource

NO_DATA = "No data"
LIMIT = "Exceeded the daily hits limit"
WANTS_KEY = """\
Get your apikey:

1. Open https://stooq.com/q/d/?s=spy.us&get_apikey
2. Enter the captcha code.
3. Copy the CSV download link at the bottom of the page - it will contain the <apikey> variable.
4. Append the <apikey> variable with its value to your requests, e.g.
   https://stooq.com/q/d/l/?s=spy.us&i=d&apikey=XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX
"""
CLOSES = {"spy.us": 350.0, "brk-b.us": 230.0, "^spx": 3700.0, "^ndq": 12700.0, "^ndx": 12600.0}


def csv_of(closes: Sequence[float], days: Sequence[str] = SESSIONS) -> str:
    """The table of one symbol."""
    rows = (f"{day},{c - 1},{c + 2},{c - 2},{c},12345678" for day, c in zip(days, closes, strict=False))
    return "\r\n".join(("Date,Open,High,Low,Close,Volume", *rows, ""))


def closes_of(name: str) -> list[float]:
    """A quarter more each session."""
    return [CLOSES[name] + 0.25 * k for k in range(len(SESSIONS))]


def answer(asked: Asked) -> Reply:
    """Answer as stooq.com does: the days from d1 to d2 of a symbol that it has."""
    if asked.path != "/q/d/l/":
        return Reply("not here", 404)
    name = asked.query["s"]
    if name not in CLOSES:
        return Reply(NO_DATA)
    first = asked.query.get("d1", "00000000")
    rows = [(d, c) for d, c in zip(SESSIONS, closes_of(name), strict=True) if d.replace("-", "") >= first]
    return Reply(csv_of([c for _, c in rows], [d for d, _ in rows]) if rows else NO_DATA)


@contextmanager
def stooq() -> Iterator[tuple[StooqSource, Loopback]]:
    """The source and the server that it asks."""
    with loopback(answer) as server:
        yield StooqSource(server.url, HASTY), server


@contextmanager
def stooq_case(folder: Path) -> Iterator[tuple[StooqSource, tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
    """For the contract of sources: the source, its symbols, other spellings, its rates."""
    with stooq() as (source, _):
        yield source, ("SPY", "GSPC", "IXIC"), ("spy", "SPY.US", "BRK.B", "^GSPC", "^SPX", "NDX"), ()
