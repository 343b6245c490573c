"""Replies in the form of Yahoo's chart service, and a mirror that serves them.

Fields as seen in stored answers of /v8/finance/chart in public repositories (captures of AMD, NVDA, ^SP500TR, ^N225,
^TNX and ^SOX, 2021 to 2026): `meta` with currency, symbol, exchangeName, instrumentType, firstTradeDate,
regularMarketTime, gmtoffset, timezone, exchangeTimezoneName, regularMarketPrice, dataGranularity, range and
validRanges; `timestamp` in seconds, at each session's opening; `indicators.quote[0]` and `indicators.adjclose[0]`;
`events` with dividends, splits and capitalGains, keyed by their time; `error` null. An unknown symbol: status 404 and
an `error` of code "Not Found". Values here are invented.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from tests.market.little_files import JANUARY
from tests.market.loopback import HASTY, Asked, Loopback, Reply, loopback

from alphaoverlay.market.yahoo import YahooSource

CHART = "/v8/finance/chart/"
NEW_YORK = "America/New_York"
VALID_RANGES = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]


def opening(day: str, at: str = "09:30", zone: str = NEW_YORK) -> int:
    """Seconds since 1970 of a time of day at an exchange."""
    return int(datetime.combine(datetime.fromisoformat(day), time.fromisoformat(at), ZoneInfo(zone)).timestamp())


@dataclass
class Chart:
    """What Yahoo has of one symbol; `close` rises by one a day from `first` unless given."""

    symbol: str
    days: Sequence[str] = JANUARY
    first: float = 100.0
    close: Sequence[float | None] | None = None
    adjusted: Sequence[float | None] | None = None
    volume: Sequence[int | None] | None = None
    stamps: Sequence[int] | None = None
    dividends: Mapping[str, float] = field(default_factory=dict)
    gains: Mapping[str, float] = field(default_factory=dict)
    splits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    kind: str = "EQUITY"
    currency: str | None = "USD"
    zone: str = NEW_YORK
    at: str = "09:30"

    def closes(self) -> list[float | None]:
        return [self.first + k for k in range(len(self.days))] if self.close is None else list(self.close)

    def document(self) -> dict[str, Any]:
        """The whole chart, as a document that a test may still change."""
        stamps = [opening(day, self.at, self.zone) for day in self.days] if self.stamps is None else list(self.stamps)
        close = self.closes()
        volume = [1_000_000 + k for k in range(len(close))] if self.volume is None else list(self.volume)
        result: dict[str, Any] = {
            "meta": {
                "currency": self.currency,
                "symbol": self.symbol,
                "exchangeName": "XXX",
                "fullExchangeName": "An Exchange",
                "instrumentType": self.kind,
                "firstTradeDate": stamps[0] if stamps else None,
                "regularMarketTime": stamps[-1] + 23_400 if stamps else None,
                "hasPrePostMarketData": True,
                "gmtoffset": -18_000,
                "timezone": "EST",
                "exchangeTimezoneName": self.zone,
                "regularMarketPrice": close[-1] if close else None,
                "chartPreviousClose": close[0] if close else None,
                "priceHint": 2,
                "dataGranularity": "1d",
                "range": "",
                "validRanges": VALID_RANGES,
            },
            "timestamp": stamps,
            "indicators": {
                "quote": [{"open": close, "high": close, "low": close, "close": close, "volume": volume}],
                "adjclose": [{"adjclose": close if self.adjusted is None else list(self.adjusted)}],
            },
        }
        events: dict[str, dict[str, dict[str, Any]]] = {
            "dividends": {d: {"amount": amount} for d, amount in self.dividends.items()},
            "capitalGains": {d: {"amount": amount} for d, amount in self.gains.items()},
            "splits": {
                d: {"numerator": new, "denominator": old, "splitRatio": f"{new:g}:{old:g}"}
                for d, (new, old) in self.splits.items()
            },
        }
        result["events"] = {
            kind: {str(at): one | {"date": at} for d, one in of_kind.items() for at in [opening(d, self.at, self.zone)]}
            for kind, of_kind in events.items()
            if of_kind
        }
        return {"chart": {"result": [result], "error": None}}

    def reply(self, asked: Asked) -> Reply:
        """The chart from `period1` on, as Yahoo cuts it."""
        document = self.document()
        result = document["chart"]["result"][0]
        begin = int(asked.query.get("period1", -(2**62)))
        keep = [k for k, at in enumerate(result["timestamp"]) if at >= begin]
        if asked.query.get("range") == "1d":
            keep = keep[-1:]
        result["timestamp"] = [result["timestamp"][k] for k in keep]
        quote, adjusted = result["indicators"]["quote"][0], result["indicators"]["adjclose"][0]
        for lists in (quote, adjusted):
            for name in lists:
                lists[name] = [lists[name][k] for k in keep]
        if not keep:  # a symbol without prices: no times, and an empty quote
            del result["timestamp"], result["events"]
            result["indicators"] = {"quote": [{}], "adjclose": [{}]}
        return Reply(json.dumps(document))


NOT_FOUND = Reply(
    json.dumps(
        {
            "chart": {
                "result": None,
                "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"},
            }
        }
    ),
    404,
)
BLOCKED = Reply("Too Many Requests\r\n", 429)
PAGE = Reply("<!DOCTYPE html><html><head><title>Yahoo</title></head><body>consent</body></html>")


def symbol_of(asked: Asked) -> str:
    """The symbol that a request for a chart names; empty for other requests."""
    path = unquote(asked.path)
    return path.partition(CHART)[2] if CHART in path else ""


def is_history(asked: Asked) -> bool:
    """Whether a request is for a history, not for a cookie, a crumb or the exchange's time zone."""
    return bool(symbol_of(asked)) and "period1" in asked.query


def served(*charts: Chart) -> Callable[[Asked], Reply]:
    """Answer for these charts; a cookie and a crumb too, as Yahoo's other hosts do."""
    by_symbol = {chart.symbol: chart for chart in charts}

    def reply(asked: Asked) -> Reply:
        if symbol := symbol_of(asked):
            chart = by_symbol.get(symbol)
            return chart.reply(asked) if chart else NOT_FOUND
        return Reply("crumb") if asked.path.endswith("getcrumb") else Reply("", 404)

    return reply


def histories(answer: Callable[[Asked], Reply], *charts: Chart) -> Callable[[Asked], Reply]:
    """As `served`, but each request for a history is answered by `answer`."""
    otherwise = served(*charts)
    return lambda asked: answer(asked) if is_history(asked) else otherwise(asked)


@contextmanager
def mirror(reply: Callable[[Asked], Reply]) -> Iterator[tuple[YahooSource, Loopback]]:
    """A source that asks a mirror on loopback."""
    with loopback(reply) as server:
        yield YahooSource(server.url, HASTY), server


@contextmanager
def yahoo_case(folder: Path) -> Iterator[tuple[YahooSource, tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
    """A source for the contract suite, with its symbols, other spellings of one of them, and its rates (none)."""
    fund = Chart(
        "SPY",
        kind="ETF",
        adjusted=[99.0 + k for k in range(4)] + [104.0 + k for k in range(len(JANUARY) - 4)],
        dividends={"2021-01-08": 1.0},
    )
    with mirror(served(fund, Chart("^GSPC", first=3700.0, kind="INDEX"))) as (source, _):
        yield source, ("SPY", "GSPC"), ("^GSPC", "gspc", "spy"), ()
