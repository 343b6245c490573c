"""Yahoo and FRED on loopback, with three made years of a small world: what the founding case reads, and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
import pytest
from tests.market import served_fred, served_yahoo
from tests.market.loopback import HASTY, Asked, Loopback, Reply, loopback
from tests.market.served_yahoo import Chart, is_history, symbol_of

from alphaoverlay.market import client, opening
from alphaoverlay.market.calendar import exchange_sessions

SESSIONS = [f"{stamp:%Y-%m-%d}" for stamp in exchange_sessions(2021, 2023)]
CASE = ("SPY=70", "UPRO=10", "TNA=10", "SQQQ=10")
# A Tuesday evening in New York after the last session of the made world.
AFTERWARDS = datetime(2024, 1, 2, 3, 0, tzinfo=UTC)
Answer = Callable[[Asked], Reply]


@dataclass
class Clock:
    """Takes the place of `datetime` where sources ask what time it is."""

    at: datetime = AFTERWARDS

    def now(self, zone: object) -> datetime:
        return self.at


@dataclass
class World:
    """What the two servers have; a test may change it between two requests."""

    charts: dict[str, Chart]
    rates: dict[str, dict[str, str]]
    # What takes the place of the answer about a symbol, and of every answer of Yahoo's, or FRED's.
    instead: dict[str, Reply] = field(default_factory=dict)
    yahoo_says: Answer | None = None
    fred_says: Answer | None = None
    yahoo: Loopback = field(init=False)
    fred: Loopback = field(init=False)

    def answer_yahoo(self, asked: Asked) -> Reply:
        if symbol_of(asked) in self.instead:
            return self.instead[symbol_of(asked)]
        return (self.yahoo_says or served_yahoo.served(*self.charts.values()))(asked)

    def answer_fred(self, asked: Asked) -> Reply:
        return (self.fred_says or served_fred.served(**self.rates))(asked)

    @property
    def asked(self) -> list[Asked]:
        """Every request since the last `forget`, also for cookies, crumbs and time zones."""
        return [*self.yahoo.asked, *self.fred.asked]

    @property
    def histories(self) -> list[str]:
        """The symbols whose history Yahoo was asked for, in order."""
        return [symbol_of(one) for one in self.yahoo.asked if is_history(one)]

    def forget(self) -> None:
        self.yahoo.asked.clear()
        self.fred.asked.clear()

    def revise(self, symbol: str, day: str, factor: float) -> None:
        """Multiply one day's close and adjusted close."""
        chart = self.charts[symbol]
        closes, adjusted = ([float(one or 0.0) for one in kept or ()] for kept in (chart.close, chart.adjusted))
        position = list(chart.days).index(day)
        closes[position] *= factor
        adjusted[position] *= factor
        self.charts[symbol] = replace(chart, close=closes, adjusted=adjusted)

    def until(self, day: str) -> None:
        """Take away what comes after a day."""
        for symbol, chart in self.charts.items():
            keep = sum(one <= day for one in chart.days)
            closes, adjusted = (list(one or ())[:keep] for one in (chart.close, chart.adjusted))
            self.charts[symbol] = replace(chart, days=chart.days[:keep], close=closes, adjusted=adjusted)
        self.rates = {name: {d: v for d, v in one.items() if d <= day} for name, one in self.rates.items()}


def made_world() -> World:
    """Three indices, plain and leveraged funds on them that charge nothing, and a rate of 2%."""
    rng = np.random.default_rng(4)
    market = rng.normal(0.0004, 0.009, len(SESSIONS))
    moves = {
        "SP500": market,
        "NASDAQ100": market + rng.normal(0.0001, 0.005, len(SESSIONS)),
        "RUSSELL2000": market + rng.normal(0.0, 0.006, len(SESSIONS)),
    }
    kinds = {"^SP500TR": "INDEX", "^GSPC": "INDEX", "^NDX": "INDEX", "^RUT": "INDEX"}
    shares = {
        "^SP500TR": ("SP500", 1.0, 7000.0),
        "^GSPC": ("SP500", 1.0, 3700.0),
        "^NDX": ("NASDAQ100", 1.0, 12700.0),
        "^RUT": ("RUSSELL2000", 1.0, 1980.0),
        "SPY": ("SP500", 1.0, 370.0),
        "IWM": ("RUSSELL2000", 1.0, 193.0),
        "QQQ": ("NASDAQ100", 1.0, 310.0),
        "UPRO": ("SP500", 3.0, 75.0),
        "TNA": ("RUSSELL2000", 3.0, 70.0),
        "SQQQ": ("NASDAQ100", -3.0, 240.0),
    }
    charts = {}
    for symbol, (index, leverage, first) in shares.items():
        closes = [float(one) for one in np.round(first * np.cumprod(1.0 + leverage * moves[index]), 6)]
        charts[symbol] = Chart(symbol, SESSIONS, close=closes, adjusted=closes, kind=kinds.get(symbol, "ETF"))
    charts["SPY"] = paying(charts["SPY"], SESSIONS[300], 1.5)
    return World(charts, {"DFF": dict.fromkeys(SESSIONS, "2.00"), "DTB3": dict.fromkeys(SESSIONS, "1.90")})


def paying(chart: Chart, day: str, amount: float) -> Chart:
    """The chart with a distribution more: all adjusted closes before it go down by one factor."""
    position = list(chart.days).index(day)
    closes, adjusted = ([float(one or 0.0) for one in kept or ()] for kept in (chart.close, chart.adjusted))
    factor = 1.0 - amount / closes[position - 1]
    before = [one * factor for one in adjusted[:position]]
    return replace(chart, adjusted=[*before, *adjusted[position:]], dividends={**chart.dividends, day: amount})


@contextmanager
def live_world(monkeypatch: pytest.MonkeyPatch, store: str) -> Iterator[tuple[World, Clock]]:
    """Serve the world until the block ends; sources and store are named by the environment, and the clock stands."""
    clock, world = Clock(), made_world()
    monkeypatch.setattr(opening, "datetime", clock)
    monkeypatch.setattr(client.Patience.__init__, "__defaults__", tuple(vars(HASTY).values()))
    for name in ("TIINGO_API_KEY", "STOOQ_API_KEY", "ALPHAOVERLAY_STOOQ_URL", "ALPHAOVERLAY_TIINGO_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALPHAOVERLAY_STORE", store)
    with loopback(world.answer_yahoo) as world.yahoo, loopback(world.answer_fred) as world.fred:
        monkeypatch.setenv("ALPHAOVERLAY_YAHOO_URL", world.yahoo.url)
        monkeypatch.setenv("ALPHAOVERLAY_FRED_URL", world.fred.url)
        yield world, clock
