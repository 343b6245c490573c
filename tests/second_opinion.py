"""A second, slow and plain implementation of the backtest, from the written method alone.

It shares no code with the package, and no technique: Python lists, dictionaries, exact fractions and `math.fsum`.
Differential tests take its answers as the expected values. Session 0 of every list is the purchase: its return and
its accrual are 0.0 and are never used.
"""

from __future__ import annotations

import csv
import math
from bisect import bisect_right
from collections.abc import Callable, Hashable
from datetime import date
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TypedDict

TRADING_DAYS = 252


class Run(TypedDict):
    """What `run` returns: one entry a session, as it stands after that session's close."""

    value: list[float]  # money, of 1.0 before the first purchase
    weights: list[list[float]]  # [session][fund], shares of the value
    cash: list[float]  # share of the value
    costs: list[float]  # money
    turnover: list[float]  # share of the value before costs


# --- files ---


def read_prices(path: str | Path) -> dict[date, tuple[float | None, float]]:
    """Close (None where empty) and adjusted close by date, from a file headed `date,close,adj_close`.

    A row without an adjusted close is left out: `total_returns` refuses a session it cannot find, so the gap is an
    error inside the span asked for and harmless outside it.
    """
    prices: dict[date, tuple[float | None, float]] = {}
    with Path(path).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["adj_close"]:
                close = float(row["close"]) if row["close"] else None
                prices[date.fromisoformat(row["date"])] = (close, float(row["adj_close"]))
    return prices


def read_rates(path: str | Path) -> dict[date, float]:
    """Yearly rate by date as a fraction, from a file headed `date,percent`."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        rows = [(row["date"], row["percent"]) for row in csv.DictReader(file)]
    return {date.fromisoformat(day): float(percent) / 100 for day, percent in rows if percent}


# --- returns, interest, funds ---


def total_returns(prices: dict[date, tuple[float | None, float]], sessions: list[date]) -> list[float]:
    """Return of each session by adjusted close; 0.0 for the first."""
    missing = [day.isoformat() for day in sessions if day not in prices]
    if missing:
        raise ValueError(f"no adjusted close on {', '.join(missing[:5])} ({len(missing)} sessions in all)")
    levels = [prices[day][1] for day in sessions]
    return [0.0] + [today / before - 1 for before, today in pairwise(levels)]


def financing(rates: dict[date, float], sessions: list[date]) -> list[tuple[float, float]]:
    """Pairs (c, d): the rate known at the previous session, and calendar days since then / 360; (0, 0) first."""
    known = sorted(rates)
    pairs = [(0.0, 0.0)]
    for before, today in pairwise(sessions):
        place = bisect_right(known, before)
        if place == 0:
            raise ValueError(f"no rate on or before {before.isoformat()}")
        pairs.append((rates[known[place - 1]], (today - before).days / 360))
    return pairs


def daily_reset(x: float, L: float, c: float, d: float, e: float, E: float, s: float, SW: float = 1.0) -> float:
    """Return of a daily-reset fund (M1) with leverage L on an index that returned x."""
    spread = 0.0 if 0 <= L <= 1 else s  # such a fund neither borrows nor sells short
    parts = [L * x, -SW * (L - 1) * c * d, -SW * abs(L - 1) * spread * d, -E * e]
    return max(-1.0, math.fsum(parts))


# --- calendar ---


def _week(day: date) -> Hashable:
    """ISO year and week, Monday to Sunday."""
    return day.isocalendar()[:2]


PERIOD_OF: dict[str, Callable[[date], Hashable]] = {
    "daily": lambda day: day,
    "weekly": _week,
    "monthly": lambda day: (day.year, day.month),
    "quarterly": lambda day: (day.year, (day.month - 1) // 3),
    "semiannual": lambda day: (day.year, (day.month - 1) // 6),
    "annual": lambda day: day.year,
}


def period_ends(all_exchange_sessions: list[date], rule: str, offset: int = 0) -> set[date]:
    """The session `offset` before the last of each period, or the period's first where it is shorter than that.

    The exchange's sessions must cover the first and the last period of the backtest entirely: the end of the list
    would otherwise be taken for the end of a period.
    """
    if offset < 0:
        raise ValueError("the offset counts sessions back from the period's last: it cannot be negative")
    if rule == "never":
        return set()
    periods: dict[Hashable, list[date]] = {}
    for day in sorted(all_exchange_sessions):
        periods.setdefault(PERIOD_OF[rule](day), []).append(day)
    return {days[max(0, len(days) - 1 - offset)] for days in periods.values()}


# --- the loop ---


def pay(value: float, holdings: list[float], target: list[float], half_spread: list[float]) -> float:
    """The value V' left after trading to the target: V' + sum of h*|V'*w - v| = V.

    Bisection over the doubles, the sign decided in exact fractions: the answer is the double nearest to the root.
    """
    legs = [(Fraction(h), Fraction(w), Fraction(v)) for h, w, v in zip(half_spread, target, holdings, strict=True)]
    before = Fraction(value)
    if sum(h * abs(w) for h, w, _ in legs) >= 1:
        raise ValueError("costs this high leave no unique value")

    def too_much(after: Fraction) -> Fraction:
        return after + sum(h * abs(after * w - v) for h, w, v in legs) - before

    if value <= 0 or too_much(Fraction(0)) > 0:
        raise ValueError("the value cannot pay for the trades")
    if too_much(before) == 0:
        return value
    low, high = 0.0, value
    while low < (middle := (low + high) / 2) < high:
        if too_much(Fraction(middle)) > 0:
            high = middle
        else:
            low = middle
    return low if too_much((Fraction(low) + Fraction(high)) / 2) > 0 else high


def run(
    returns: list[list[float]],
    accruals: list[float],
    weights: list[float],
    trade_on: list[bool],
    half_spread: list[float],
) -> Run:
    """Hold `weights`, the rest in cash; trade back to them at the closes marked, and always at the first (M6).

    `returns` is [fund][session], `accruals` the c*d of each session.
    """
    result = Run(value=[], weights=[], cash=[], costs=[], turnover=[])
    held = [0.0 for _ in weights]
    cash = 1.0
    for session, accrual in enumerate(accruals):
        if session > 0:
            held = [money * (1 + fund[session]) for money, fund in zip(held, returns, strict=True)]
            cash = cash * (1 + accrual)
        value = math.fsum([*held, cash])
        if value <= 0:
            raise ValueError(f"ruined at session {session}")
        cost = turnover = 0.0
        if session == 0 or trade_on[session]:
            after = pay(value, held, weights, half_spread)
            wanted = [after * weight for weight in weights]
            trades = [new - old for new, old in zip(wanted, held, strict=True)]
            cost = math.fsum(h * abs(trade) for h, trade in zip(half_spread, trades, strict=True))
            turnover = math.fsum([*map(abs, trades), abs(math.fsum(trades))]) / 2 / value
            held = wanted
            cash = after * (1 - math.fsum(weights))
            value = after
        result["value"].append(value)
        result["weights"].append([money / value for money in held])
        result["cash"].append(cash / value)
        result["costs"].append(cost)
        result["turnover"].append(turnover)
    return result


# --- metrics ---


def _mean(numbers: list[float]) -> float | None:
    """Arithmetic mean."""
    return math.fsum(numbers) / len(numbers) if numbers else None


def _covariance(left: list[float], right: list[float]) -> float | None:
    """Sample covariance (ddof 1), by the two-pass formula."""
    if len(left) < 2:
        return None
    centre_left, centre_right = math.fsum(left) / len(left), math.fsum(right) / len(right)
    products = [(a - centre_left) * (b - centre_right) for a, b in zip(left, right, strict=True)]
    return math.fsum(products) / (len(left) - 1)


def _deviation(numbers: list[float]) -> float | None:
    """Sample standard deviation (ddof 1)."""
    variance = _covariance(numbers, numbers)
    return None if variance is None else math.sqrt(variance)


def _ratio(top: float | None, bottom: float | None) -> float | None:
    """Quotient; None where either is undefined or the divisor is 0."""
    return None if top is None or bottom is None or bottom == 0 else top / bottom


def _product(left: float | None, right: float | None) -> float | None:
    """Product; None where either is undefined."""
    return None if left is None or right is None else left * right


def _difference(left: float | None, right: float | None) -> float | None:
    """Difference; None where either is undefined."""
    return None if left is None or right is None else left - right


def _yearly(multiple: float, dates: list[date]) -> float | None:
    """Compound yearly rate of a gross multiple over the calendar days between the first and the last date."""
    days = (dates[-1] - dates[0]).days
    return multiple ** (365.25 / days) - 1 if days > 0 else None


def _drawdowns(values: list[float]) -> list[float]:
    """At each close, value over the highest so far less 1; the 1.0 before the first costs is the first peak."""
    peak = 1.0
    falls = []
    for value in values:
        peak = max(peak, value)
        falls.append(value / peak - 1)
    return falls


def _daily(values: list[float]) -> list[float]:
    """Simple returns of the sessions after the first."""
    return [today / before - 1 for before, today in pairwise(values)]


def metrics(
    values: list[float], dates: list[date], bench_values: list[float], accruals: list[float]
) -> dict[str, float | None]:
    """The metrics of M8; None where one is undefined. Values are after costs, from 1.0 before the first."""
    year = math.sqrt(TRADING_DAYS)
    ours, theirs, interest = _daily(values), _daily(bench_values), accruals[1:]
    excess = [r - i for r, i in zip(ours, interest, strict=True)]
    their_excess = [r - i for r, i in zip(theirs, interest, strict=True)]
    active = [a - b for a, b in zip(ours, theirs, strict=True)]

    cagr, their_cagr = _yearly(values[-1], dates), _yearly(bench_values[-1], dates)
    cash_cagr = _yearly(math.prod(1 + i for i in interest), dates)
    falls = _drawdowns(values)
    deepest = min(falls)
    ulcer = math.sqrt(math.fsum(fall * fall for fall in falls) / len(falls))

    square_losses = _mean([min(r, 0.0) ** 2 for r in excess])
    downside = None if square_losses is None else math.sqrt(square_losses)
    active_deviation, their_deviation = _deviation(active), _deviation(theirs)
    # Whole numbers: 0.05 has no exact double, and its product can land just above an integer.
    worst = sorted(ours)[: (len(ours) + 19) // 20]

    return {
        "cagr": cagr,
        "volatility": _product(_deviation(ours), year),
        "sharpe": _product(_ratio(_mean(excess), _deviation(excess)), year),
        "sortino": _product(_ratio(_mean(excess), downside), year),
        "max_drawdown": deepest,
        "calmar": _ratio(cagr, abs(deepest)),
        "ulcer": ulcer,
        "upi": _ratio(_difference(cagr, cash_cagr), ulcer),
        "beta": _ratio(_covariance(excess, their_excess), _covariance(their_excess, their_excess)),
        "tracking_error": _product(active_deviation, year),
        "active_cagr": _difference(cagr, their_cagr),
        "active_correlation": _ratio(_covariance(active, theirs), _product(active_deviation, their_deviation)),
        "tail_loss": _mean(worst),
    }
