"""The founding case by the second implementations: paths, exposures, breaches and the attribution, in plain Python.

It reads the price files, the catalogue and the spreads with the readers of `second_opinion` and `second_tracking`, runs
paths with `second_engine`, and splits returns by the table of M5. Nothing of it comes from the package.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from tests import second_engine, second_opinion, second_tracking
from tests.funds.test_calibration import quickly
from tests.second_engine import Band, Flow, Outcome, Plan

START, END = date(2010, 2, 11), date(2021, 12, 15)
TRADE = {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}
INDICES = ("SP500", "RUSSELL2000", "NASDAQ100")
CAUSES = ("drift", "financing", "cash", "spread", "expense", "slippage", "cost")
SPREADS = second_tracking.CATALOGUE.with_name("spreads.toml")


@dataclass(frozen=True)
class Market:
    """What is read of the reference data: one entry a session in every list."""

    sessions: list[date]
    exchange: list[date]  # every session of the exchange in the years of the span
    funding: list[tuple[float, float]]
    real: dict[str, list[float]]  # returns of each fund
    model: dict[str, list[float]]  # and what M1 says it would have returned
    x: dict[str, list[float]]  # returns of each index
    expenses: dict[str, list[float]]
    spreads: dict[str, float]
    leverage: dict[str, float]
    index: dict[str, str]


@lru_cache
def row_of(symbol: str) -> second_tracking.Fund:
    """The catalogue's entry of a fund, read once."""
    return second_tracking.fund_row(symbol)


def spread_of(row: second_tracking.Fund) -> float:
    """The calibrated spread of a fund's index and side; 0 for a plain fund."""
    if row["leverage"] == 1:
        return 0.0
    side = "long" if row["leverage"] > 0 else "inverse"
    rows = tomllib.loads(SPREADS.read_text(encoding="utf-8"))["spread"]
    [found] = [float(one["spread"]) for one in rows if (one["index"], one["side"]) == (row["index"], side)]
    return found


@lru_cache(maxsize=4)
def market(folder: Path, symbols: tuple[str, ...] = tuple(TRADE), start: date = START, end: date = END) -> Market:
    """Read what a portfolio of these funds needs."""
    rows = {symbol: row_of(symbol) for symbol in symbols}
    with quickly():
        spans = {symbol: second_tracking.load(folder, row, start, end) for symbol, row in rows.items()}
        exchange = sorted(second_opinion.read_prices(folder / "prices" / "SPY.csv"))
    first = spans[symbols[0]]
    assert all(span.sessions == first.sessions for span in spans.values())
    spreads = {symbol: spread_of(row) for symbol, row in rows.items()}
    models = {s: second_tracking.m1_path(span, "default", spreads[s]) for s, span in spans.items()}
    return Market(
        sessions=first.sessions,
        exchange=exchange,
        funding=first.funding,
        real={symbol: known(span.real) for symbol, span in spans.items()},
        model={symbol: known(path) for symbol, path in models.items()},
        x={span.index_name: known(span.x["default"]) for span in spans.values()},
        expenses={symbol: span.expenses for symbol, span in spans.items()},
        spreads=spreads,
        leverage={symbol: float(row["leverage"]) for symbol, row in rows.items()},
        index={symbol: row["index"] for symbol, row in rows.items()},
    )


def known(path: Sequence[float | None]) -> list[float]:
    """Returns of the sessions after the first, which must all be known; 0 for the first."""
    assert None not in path[1:]
    return [0.0, *(one for one in path[1:] if one is not None)]


# --- paths ---


def marks(read: Market, calendar: str, tranches: int = 1, offset: int = 0) -> list[list[bool]]:
    """By tranche, whether each session is one of the calendar's: `offset + floor(j*m/n)` before the period's last."""
    if calendar == "never":
        return [[False for _ in read.sessions] for _ in range(tranches)]
    periods: dict[Hashable, list[date]] = {}
    for day in read.exchange:
        periods.setdefault(second_opinion.PERIOD_OF[calendar](day), []).append(day)
    rows = []
    for j in range(tranches):
        chosen = {days[max(0, len(days) - 1 - offset - j * len(days) // tranches)] for days in periods.values()}
        rows.append([day in chosen for day in read.sessions])
    return rows


def exposure_rows(read: Market, weights: Mapping[str, float]) -> list[list[float]]:
    """Exposure of each fund to each index, [index][fund]."""
    return [[read.leverage[s] if read.index[s] == name else 0.0 for s in weights] for name in INDICES]


def run(
    read: Market, weights: Mapping[str, float], calendar: str = "quarterly", bps: float = 0.0, **more: Any
) -> Outcome:
    """A path of constant target weights; `tranches`, `offset` and whatever a `Plan` takes beside."""
    n = len(read.sessions)
    accrual = [c * d for c, d in read.funding]
    plan: dict[str, Any] = {
        "returns": [read.real[symbol] for symbol in weights],
        "lend": accrual,
        "borrow": accrual,
        "targets": [list(weights.values())] * n,
        "calendar": marks(read, calendar, more.pop("tranches", 1), more.pop("offset", 0)),
        "rates": [[bps / 10_000] * n for _ in weights],
        "exposures": exposure_rows(read, weights),
        "benchmark": [1.0, 0.0, 0.0],
        "watched": [True] * n,
    }
    return second_engine.run_plan(Plan(**plan | more))


def exposure_bands(size: float, destination: float = 1.0) -> list[Band]:
    """The same absolute band on the exposure to every index."""
    return [Band("exposure", size, size, which, destination=destination) for which in range(len(INDICES))]


def contributions(read: Market, amount: float, calendar: str) -> list[Flow]:
    """The same amount on every date of a calendar after the purchase."""
    return [Flow(t, amount) for t, due in enumerate(marks(read, calendar)[0]) if due and t > 0]


def weights_after(path: Outcome) -> list[list[float]]:
    """Shares of the value after each close."""
    return [[v / value for v in held] for held, value in zip(path["holdings"], path["value"], strict=True)]


def weights_before(
    read: Market, weights: Mapping[str, float], path: Outcome, below_rate: float = 0.0
) -> list[list[float]]:
    """Shares of the value at each close before flows and trades; the targets for the first."""
    rows = [list(weights.values())]
    for t in range(1, len(read.sessions)):
        c, d = read.funding[t]
        held = [v * (1 + read.real[s][t]) for s, v in zip(weights, path["holdings"][t - 1], strict=True)]
        value = math.fsum([*held, path["cash"][t - 1] * (1 + (c - below_rate) * d)])
        rows.append([v / value for v in held])
    return rows


def rebalances(read: Market, path: Outcome) -> list[str]:
    """Sessions after the purchase with a rebalance."""
    return [f"{day}" for day, flag in list(zip(read.sessions, path["rebalanced"], strict=True))[1:] if flag]


def growth(path: Outcome) -> float:
    """Time-weighted growth of 1 put in before the purchase."""
    values, flows = path["value"], path["flow"]
    steps = ((b - f) / a for (a, b), f in zip(pairwise(values), flows[1:], strict=True))
    return values[0] * math.prod(steps)


def money_weighted(read: Market, path: Outcome) -> float:
    """The yearly rate at which the purchase, the flows and the last value are worth nothing together, by bisection."""
    moved = [(read.sessions[t], -flow) for t, flow in enumerate(path["flow"]) if flow]
    dated = [(read.sessions[0], -1.0), *moved, (read.sessions[-1], path["value"][-1])]

    def worth(rate: float) -> float:
        return math.fsum(x * (1 + rate) ** (-(day - read.sessions[0]).days / 365) for day, x in dated)

    low, high = -0.9, 10.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if worth(middle) > 0 else (low, middle)
    return low


# --- exposures ---


def looked_through(read: Market, weights: Mapping[str, float], rows: list[list[float]]) -> dict[str, list[float]]:
    """Exposures by index, net, gross and active, of rows of weights."""
    matrix = exposure_rows(read, weights)
    seen = {
        name: [math.fsum(x * h for x, h in zip(line, row, strict=True)) for row in rows]
        for name, line in zip(INDICES, matrix, strict=True)
    }
    each = list(zip(*(seen[name] for name in INDICES), strict=True))
    return {
        **seen,
        "net": [math.fsum(row) for row in each],
        "gross": [math.fsum(map(abs, row)) for row in each],
        "active": [abs(row[0] - 1) + abs(row[1]) + abs(row[2]) for row in each],
    }


class Recount(NamedTuple):
    """How often and how far a measure was outside a band before trades."""

    sessions: int
    farthest: float
    day: str
    beyond: float


def recount(read: Market, values: list[float], target: float, size: float) -> Recount:
    """Count by hand; `values` is the measure before trades, with an entry for the purchase that is not looked at."""
    away = [value - target for value in values[1:]]
    far = max(away, key=abs)
    return Recount(
        sessions=sum(1 for one in away if abs(one) > size + 1e-12),
        farthest=far,
        day=f"{read.sessions[1 + away.index(far)]}",
        beyond=max(0.0, max(map(abs, away)) - size),
    )


# --- attribution (M5) ---


def split(
    read: Market, weights: Mapping[str, float], path: Outcome, *, at_target: bool, below_rate: float = 0.0
) -> tuple[list[dict[str, float]], list[float]]:
    """Parts of each session's simple return and that return; the purchase's cost is the first.

    `below_rate` is what cash earns below the financing rate a year; it counts as spread. The benchmark has no targets
    to drift from.
    """
    value, cost, flow = path["value"], path["cost"], path["flow"]
    parts, returns = [{"cost": value[0] - 1}], [value[0] - 1]
    for t in range(1, len(read.sessions)):
        c, d = read.funding[t]
        e = (read.sessions[t] - read.sessions[t - 1]).days / 365
        held = [v / value[t - 1] for v in path["holdings"][t - 1]]
        spare = 1 - math.fsum(held)
        row = dict.fromkeys([*INDICES, *CAUSES], 0.0)
        for (symbol, target), h in zip(weights.items(), held, strict=True):
            L, x = read.leverage[symbol], read.x[read.index[symbol]][t]
            aimed = target if at_target else h
            row[read.index[symbol]] += aimed * L * x
            row["drift"] += (h - aimed) * L * x
            row["financing"] -= h * (L - 1) * c * d
            row["spread"] -= h * abs(L - 1) * read.spreads[symbol] * d
            row["expense"] -= h * read.expenses[symbol][t] * e
            row["slippage"] += h * (read.real[symbol][t] - read.model[symbol][t])
        row["cash"] = spare * c * d
        row["spread"] -= spare * below_rate * d
        before = value[t] - flow[t] + cost[t]
        row["cost"] = (1 + math.fsum(row.values())) * ((value[t] - flow[t]) / before - 1)
        parts.append(row)
        returns.append((value[t] - flow[t]) / value[t - 1] - 1)
    return parts, returns


def active_parts(
    portfolio: tuple[list[dict[str, float]], list[float]], benchmark: tuple[list[dict[str, float]], list[float]]
) -> list[dict[str, float]]:
    """Active parts of each session, with `variance` and `total`, in log return."""
    rows = []
    for ours, theirs, rp, rb in zip(portfolio[0], benchmark[0], portfolio[1], benchmark[1], strict=True):
        row = {name: ours.get(name, 0.0) - theirs.get(name, 0.0) for name in (*INDICES, *CAUSES)}
        row["variance"] = math.log1p(rp) - math.log1p(rb) - (rp - rb)
        row["total"] = math.log1p(rp) - math.log1p(rb)
        rows.append(row)
    return rows


def summed(rows: list[dict[str, float]]) -> dict[str, float]:
    """Each part over all the rows."""
    return {name: math.fsum(row[name] for row in rows) for name in rows[0]}
