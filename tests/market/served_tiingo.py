"""Tiingo's end-of-day answers as documents show them.

Fields, order and stamps: github.com/hydrosquall/tiingo-python, tests/fixtures/ticker_price_with_date.yaml, recorded in
April 2021. What they mean: tiingo.com/documentation/end-of-day and openapi/schemas/eod-schemas.yaml there. Unknown
tickers: the brief of this source (status 404), and public tests with {"detail": "Error: Ticker ... not found"}. The
limit said with status 200: hydrosquall/tiingo-python issue 45.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.market.loopback import HASTY, Asked, Loopback, Reply, loopback
from tests.market.served_days import SESSIONS

from alphaoverlay.market.tiingo import TiingoSource

SECRET = "abcdef0123456789abcdef0123456789abcdef01"
NOT_FOUND = '{"detail": "Not found."}'
LIMIT = (
    "You have run over your 500 symbol look up for this month. Please upgrade at https://api.tiingo.com/pricing to "
    "have your limits increased."
)
TICKERS = ("spy", "brk-b")


def day_of(
    day: str, close: float, adjusted: float, volume: float = 1000, paid: float = 0.0, split: float = 1.0
) -> dict[str, object]:
    """One day of an answer."""
    return {
        "date": f"{day}T00:00:00.000Z", "close": close, "high": close, "low": close, "open": close, "volume": volume,
        "adjClose": adjusted, "adjHigh": adjusted, "adjLow": adjusted, "adjOpen": adjusted, "adjVolume": volume,
        "divCash": paid, "splitFactor": split,
    }  # fmt: skip


def json_of(days: Sequence[Mapping[str, object]]) -> str:
    """An answer."""
    return json.dumps(days, separators=(",", ":"))


def plain_days(days: Sequence[str] = SESSIONS) -> list[dict[str, object]]:
    """A dollar more each session, nothing paid, nothing split; adjusted to half."""
    return [day_of(day, 100.0 + k, 50.0 + k / 2) for k, day in enumerate(days)]


def answer(asked: Asked) -> Reply:
    """Answer as api.tiingo.com does: the days from startDate on, to who has the key."""
    if asked.headers.get("Authorization") != f"Token {SECRET}":
        return Reply('{"detail": "Invalid token."}', 401)
    ticker = asked.path.removeprefix("/tiingo/daily/").removesuffix("/prices")
    if ticker not in TICKERS:
        return Reply(NOT_FOUND, 404)
    return Reply(json_of([one for one in plain_days() if str(one["date"])[:10] >= asked.query["startDate"]]))


@contextmanager
def tiingo() -> Iterator[tuple[TiingoSource, Loopback]]:
    """The source and the server that it asks."""
    with loopback(answer) as server:
        yield TiingoSource(server.url, HASTY, SECRET), server


@contextmanager
def tiingo_case(folder: Path) -> Iterator[tuple[TiingoSource, tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
    """For the contract of sources: the source, its symbols, other spellings, its rates."""
    with tiingo() as (source, _):
        yield source, ("SPY", "BRK-B"), ("spy", "BRK.B"), ()
