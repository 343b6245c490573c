"""The founding portfolio on real history, as the second opinion reads and runs it."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from tests import second_opinion

SHARES = {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}
START, END = "2010-02-11", "2021-12-15"


class Market(NamedTuple):
    """Prices and interest; every list but `exchange` has one entry a session of the span."""

    sessions: list[date]
    exchange: list[date]
    levels: dict[str, list[float]]
    returns: list[list[float]]
    accruals: list[float]

    def trade_days(self, calendar: str) -> set[date]:
        """Period ends inside the span; the files reach past the quarter in which it stops."""
        return second_opinion.period_ends(self.exchange, calendar) & set(self.sessions)

    def run(self, calendar: str, bps: float, weights: list[float]) -> second_opinion.Run:
        """What the second opinion makes of it."""
        days = self.trade_days(calendar)
        marks = [day in days for day in self.sessions]
        return second_opinion.run(self.returns, self.accruals, weights, marks, [bps / 10_000] * len(weights))


@lru_cache(maxsize=1)
def market(folder: Path) -> Market:
    """Read the files with the second opinion's own reader; the exchange was open when SPY has a price."""
    prices = {symbol: second_opinion.read_prices(folder / "prices" / f"{symbol}.csv") for symbol in SHARES}
    exchange = sorted(prices["SPY"])
    sessions = [day for day in exchange if START <= day.isoformat() <= END]
    levels = {symbol: [series[day][1] for day in sessions] for symbol, series in prices.items()}
    returns = [second_opinion.total_returns(series, sessions) for series in prices.values()]
    pairs = second_opinion.financing(second_opinion.read_rates(folder / "DFF.csv"), sessions)
    return Market(sessions, exchange, levels, returns, [c * d for c, d in pairs])
