"""A second, slow and plain implementation of tracking and attribution, from the written method alone.

It shares no code with the package: Python lists and dictionaries, `math.fsum`, the standard library's statistics, and
the earlier second implementation of the backtest. Tests take its answers as the expected values. Rates, returns and
spreads are fractions; session 0 of every list is the first close, which has no return.
"""

from __future__ import annotations

import math
import statistics
import tomllib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import tests.second_opinion as so

CATALOGUE = Path(__file__).parents[1] / "src" / "alphaoverlay" / "funds" / "catalogue.toml"
CHOICES = ("default", "plain")
NEAR = 365  # days within which a better observation of a fee silences a worse one
TRIMMED = 10  # sessions the trimmed tracking difference leaves out
ACCRUAL_SESSIONS = 252

Fund = dict[str, Any]
Known = list[float | None]  # one entry a session, None where it is not known


class Source(NamedTuple):
    """Where the returns of an index come from: symbols of price files, and a stated dividend yield."""

    total: str | None
    price: str
    plain: str
    dividends: float


SOURCES = {
    "SP500": Source("SP500TR", "GSPC", "SPY", 0.019),
    "NASDAQ100": Source(None, "NDX", "QQQ", 0.008),
    "RUSSELL2000": Source(None, "RUT", "IWM", 0.013),
}


# --- funds and their fees ---


def fund_row(symbol: str, catalogue: Path = CATALOGUE) -> Fund:
    """The catalogue's entry of a fund."""
    rows: list[Fund] = tomllib.loads(catalogue.read_text(encoding="utf-8"))["fund"]
    return next(row for row in rows if row["symbol"] == symbol)


def _rank(row: dict[str, Any]) -> int:
    """0 for a net fee, 1 for a gross or unstated one, 2 for a weak source."""
    strong = 0 if row.get("kind") == "net" else 1
    return 2 if row.get("weak", False) else strong


def expense_steps(fund: Fund) -> list[tuple[date, float]]:
    """The fees that count, by the day they were seen; a single one where the fee is constant."""
    present = fund["expense"] / 100
    as_of: date | None = fund.get("expense_as_of")
    history = fund.get("expense_history", [])
    if as_of is None or not history:
        return [(as_of or date.min, present)]
    seen = [(row["seen"], row["expense"] / 100, _rank(row)) for row in history] + [(as_of, present, 0)]
    steps: dict[date, float] = {}
    for day, figure, rank in seen:  # figures of unequal rank never share a day: the better one silences the other
        if not any(better < rank and abs((other - day).days) <= NEAR for other, _, better in seen):
            steps[day] = figure
    return sorted(steps.items())


def expense_path(steps: list[tuple[date, float]], sessions: list[date]) -> list[float]:
    """The fee of each session: the last seen on or before it, and before the first the first."""
    days = [day for day, _ in steps]
    return [steps[max(0, bisect_right(days, session) - 1)][1] for session in sessions]


# --- the index ---


def known_returns(prices: dict[date, tuple[float | None, float]], sessions: list[date]) -> Known:
    """Total return of each session since the session before; None where either price is missing."""
    levels = [prices[day][1] if day in prices else None for day in sessions]
    return [None] + [None if a is None or b is None else b / a - 1 for a, b in pairwise(levels)]


def _prices(data_dir: Path, symbol: str) -> dict[date, tuple[float | None, float]]:
    """The price file of a symbol."""
    return so.read_prices(data_dir / "prices" / f"{symbol}.csv")


def calendar(data_dir: Path, symbols: Iterable[str | None]) -> list[date]:
    """Every date in the price files of the symbols."""
    return sorted({day for symbol in symbols if symbol for day in _prices(data_dir, symbol)})


def _accruals(price: Known, plain: Known, fees: list[float]) -> Known:
    """Mean over the 252 sessions before of what the plain fund, its fee added back, earned above the price index."""
    rows = zip(price, plain, fees, strict=True)
    extra = [None if i is None or f is None else math.log1p(f) + fee - math.log1p(i) for i, f, fee in rows]
    accruals: Known = []
    for place in range(len(extra)):
        window = [number for number in extra[max(0, place - ACCRUAL_SESSIONS) : place] if number is not None]
        accruals.append(math.fsum(window) / ACCRUAL_SESSIONS if len(window) == ACCRUAL_SESSIONS else None)
    return accruals


def _sum(left: float | None, right: float | None) -> float | None:
    """Sum; None where either is not known."""
    return None if left is None or right is None else left + right


def index_returns(data_dir: Path, index: str, sessions: list[date], choice: str = "default") -> Known:
    """Total return of the index each session. The sessions must follow each other without a gap."""
    source = SOURCES[index]
    days = sorted({*sessions, *calendar(data_dir, [source.total, source.price, source.plain])})
    years = [0.0] + [(today - before).days / 365 for before, today in pairwise(days)]
    rates = expense_path(expense_steps(fund_row(source.plain)), days)
    fees = [rate * year for rate, year in zip(rates, years, strict=True)]
    plain = known_returns(_prices(data_dir, source.plain), days)
    plain_gross = [_sum(fund, back) for fund, back in zip(plain, fees, strict=True)]
    options = [plain_gross]
    if choice == "default":
        price = known_returns(_prices(data_dir, source.price), days)
        measured = [_sum(level, more) for level, more in zip(price, _accruals(price, plain, fees), strict=True)]
        stated = [_sum(level, source.dividends * year) for level, year in zip(price, years, strict=True)]
        total = [known_returns(_prices(data_dir, source.total), days)] if source.total else []
        options = [*total, measured, stated, plain_gross]
    firsts = [next((number for number in row if number is not None), None) for row in zip(*options, strict=True)]
    best = dict(zip(days, firsts, strict=True))
    return [best[day] for day in sessions]


# --- the synthetic fund ---


class Span(NamedTuple):
    """A fund, its plain fund and its index, session by session."""

    index_name: str
    leverage: float
    sessions: list[date]
    funding: list[tuple[float, float]]
    expenses: list[float]
    real: Known
    x: dict[str, Known]  # the index's return of either choice
    plain: Known


class Pair(NamedTuple):
    """A session on which the real and the synthetic return are known, and the close before it."""

    before: date
    day: date
    real: float
    synthetic: float
    gap: float


def load(data_dir: Path, fund: Fund, start: date | None = None, end: date | None = None) -> Span:
    """Everything the tracking of a fund needs, from the first close to the last."""
    index, prices = fund["index"], _prices(data_dir, fund["symbol"])
    source = SOURCES[index]
    first, last = start or min(prices), end or max(prices)
    days = calendar(data_dir, [fund["symbol"], source.total, source.price, source.plain])
    sessions = [day for day in days if first <= day <= last]
    funding = so.financing(so.read_rates(data_dir / "DFF.csv"), sessions)
    expenses = expense_path(expense_steps(fund), sessions)
    x = {choice: index_returns(data_dir, index, sessions, choice) for choice in CHOICES}
    plain = known_returns(_prices(data_dir, source.plain), sessions)
    return Span(index, fund["leverage"], sessions, funding, expenses, known_returns(prices, sessions), x, plain)


def index_itself(span: Span) -> Span:
    """A fund that is the index, without a fee, on the sessions of the span."""
    return span._replace(leverage=1, expenses=[0.0 for _ in span.sessions], real=span.x["default"])


def m1_path(span: Span, choice: str, spread: float) -> Known:
    """Return of the synthetic fund (M1) each session after the first."""
    path: Known = [None]
    rows = zip(pairwise(span.sessions), span.x[choice][1:], span.funding[1:], span.expenses[1:], strict=True)
    for (before, today), x, (c, d), E in rows:
        e = (today - before).days / 365
        path.append(None if x is None else so.daily_reset(x, span.leverage, c, d, e, E, spread))
    return path


def _log(simple: float) -> float:
    """ln(1 + return); minus infinity for a total loss."""
    return math.log1p(simple) if simple > -1 else -math.inf


def pairs(span: Span, choice: str, spread: float) -> list[Pair]:
    """The counted sessions: both returns known."""
    rows = zip(pairwise(span.sessions), span.real[1:], m1_path(span, choice, spread)[1:], strict=True)
    return [
        Pair(before, day, real, model, _log(model) - _log(real))
        for (before, day), real, model in rows
        if real is not None and model is not None
    ]


# --- tracking ---


def _error(rows: list[Pair]) -> float | None:
    """Yearly tracking error of simple returns."""
    apart = [row.real - row.synthetic for row in rows]
    return statistics.stdev(apart) * math.sqrt(so.TRADING_DAYS) if len(apart) > 1 else None


def _years(rows: list[Pair]) -> float:
    """Years from the close before the first counted return to the last."""
    return (rows[-1].day - rows[0].before).days / 365.25


def _total(rows: list[Pair]) -> float:
    """The sum of gaps."""
    return math.fsum(row.gap for row in rows)


def _against_plain(span: Span, spread: float) -> tuple[float, float]:
    """Beta on the plain fund, and squared correlation with the synthetic fund built on it."""
    table = zip(span.real, span.plain, m1_path(span, "plain", spread), strict=True)
    rows = [(a, b, c) for a, b, c in table if a is not None and b is not None and c is not None]
    real, plain, model = ([row[column] for row in rows] for column in range(3))
    return statistics.linear_regression(plain, real).slope, statistics.correlation(real, model) ** 2


def _grouped(rows: list[Pair], key: Callable[[date], Hashable]) -> dict[Any, list[Pair]]:
    """The sessions of each week, month or year."""
    groups: dict[Any, list[Pair]] = {}
    for row in rows:
        groups.setdefault(key(row.day), []).append(row)
    return groups


def _weekly(rows: list[Pair]) -> float:
    """Squared correlation of weekly log returns, weeks from Monday to Sunday."""
    weeks = _grouped(rows, so.PERIOD_OF["weekly"]).values()
    real = [math.fsum(_log(row.real) for row in week) for week in weeks]
    return statistics.correlation(real, [math.fsum(_log(row.synthetic) for row in week) for week in weeks]) ** 2


def _worst_month(rows: list[Pair]) -> tuple[str, float]:
    """The calendar month with the largest gap either way, and that gap."""
    months = _grouped(rows, lambda day: f"{day:%Y-%m}")
    return max(((month, _total(part)) for month, part in months.items()), key=lambda item: abs(item[1]))


def track(
    data_dir: Path, fund: Fund, start: date | None = None, end: date | None = None, spread: float = 0.0
) -> dict[str, Any]:
    """The real fund against its synthetic; `start` is the close before the first counted return."""
    span = load(data_dir, fund, start, end)
    rows = pairs(span, "default", spread)
    rest = sorted(rows, key=lambda row: abs(row.gap), reverse=True)[TRIMMED:]
    beta, r_squared = _against_plain(span, spread)
    by_year = _grouped(rows, lambda day: day.year)
    return {
        "start": rows[0].before,
        "end": rows[-1].day,
        "sessions": len(rows),
        "tracking_difference": _total(rows) / _years(rows),
        "tracking_difference_trimmed": _total(rest) / _years(rows),
        "tracking_error": _error(rows),
        "beta": beta,
        "r_squared": r_squared,
        "r_squared_weekly": _weekly(rows),
        "by_year": {
            year: {"gap": _total(part), "sessions": len(part), "tracking_error": _error(part)}
            for year, part in by_year.items()
        },
        "worst_month": {choice: _worst_month(pairs(span, choice, spread)) for choice in CHOICES},
    }


# --- the spread that fits ---


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function crosses zero, by bisection."""
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2


def _fit(span: Span) -> float:
    """The spread at which the gaps of a fund sum to zero."""
    if 0 <= span.leverage <= 1:
        raise ValueError("a fund without leverage pays no spread")

    def missing(spread: float) -> float:
        return -_total(pairs(span, "default", spread))

    reach = 0.01
    while not missing(-reach) <= 0 <= missing(reach):
        reach *= 2
    return _root(missing, -reach, reach)


def fit_spread(data_dir: Path, fund: Fund, start: date | None = None, end: date | None = None) -> float:
    """The spread of one fund that makes the gaps sum to zero; may be negative."""
    return _fit(load(data_dir, fund, start, end))


def _pull(span: Span, spread: float) -> float:
    """Half the slope, in the spread, of years * tracking difference squared."""
    rows = pairs(span, "default", spread)
    costs = [(row.day - row.before).days / 360 * abs(span.leverage - 1) / (1 + row.synthetic) for row in rows]
    return -_total(rows) / _years(rows) * math.fsum(costs)


def fit_group(data_dir: Path, funds: list[Fund], start: date | None = None, end: date | None = None) -> float:
    """The spread of a group that minimises the sum of years * tracking difference squared; may be negative."""
    spans = [load(data_dir, fund, start, end) for fund in funds]
    alone = [_fit(span) for span in spans]
    return _root(lambda spread: math.fsum(_pull(span, spread) for span in spans), min(alone), max(alone))


# --- attribution ---


class Leg(NamedTuple):
    """A fund in a portfolio, with its target weight; the rest of the portfolio is cash."""

    span: Span
    weight: float
    spread: float = 0.0
    half_spread: float = 0.0


def trade_days(sessions: list[date], exchange_sessions: list[date], rule: str) -> list[bool]:
    """Whether each session is a period's last; the exchange's sessions must run on to the end of the last period."""
    ends = so.period_ends(exchange_sessions, rule)
    return [day in ends for day in sessions]


def _known(path: Known) -> list[float]:
    """The returns after the first session, which must all be known; 0.0 for the first."""
    if None in path[1:]:
        raise ValueError("a return is not known")
    return [0.0] + [number for number in path[1:] if number is not None]


def _gross_parts(legs: list[Leg], models: list[list[float]], held: list[float], t: int) -> dict[str, float]:
    """The parts of a session's return before costs."""
    sessions, (c, d) = legs[0].span.sessions, legs[0].span.funding[t]
    e = (sessions[t] - sessions[t - 1]).days / 365
    parts: dict[str, list[float]] = defaultdict(list, financing=[(1 - math.fsum(held)) * c * d])
    for leg, model, h in zip(legs, models, held, strict=True):
        L, x, real = leg.span.leverage, _known(leg.span.x["default"][t - 1 : t + 1])[1], leg.span.real[t]
        parts[f"target {leg.span.index_name}"].append(leg.weight * L * x)
        parts["drift"].append((h - leg.weight) * L * x)
        parts["financing"].append(-h * (L - 1) * c * d)
        parts["spread"].append(0.0 if 0 <= L <= 1 else -h * abs(L - 1) * leg.spread * d)
        parts["expense"].append(-h * leg.span.expenses[t] * e)
        parts["slippage"].append(h * ((real or 0.0) - model[t]))
    return {name: math.fsum(numbers) for name, numbers in parts.items()}


def portfolio_parts(legs: list[Leg], trade_on: list[bool]) -> tuple[list[dict[str, float]], list[float]]:
    """The parts of each session's return after the purchase, and those returns."""
    accruals = [c * d for c, d in legs[0].span.funding]
    weights, half_spreads = [leg.weight for leg in legs], [leg.half_spread for leg in legs]
    path = so.run([_known(leg.span.real) for leg in legs], accruals, weights, trade_on, half_spreads)
    models = [_known(m1_path(leg.span, "default", leg.spread)) for leg in legs]
    table = []
    for t in range(1, len(accruals)):
        parts = _gross_parts(legs, models, path["weights"][t - 1], t)
        after, cost = path["value"][t], path["costs"][t]
        parts["cost"] = (1 + math.fsum(parts.values())) * (after / (after + cost) - 1)
        table.append(parts)
    return table, [today / before - 1 for before, today in pairwise(path["value"])]


def attribute(
    portfolio: list[Leg], benchmark: list[Leg], trade_on: list[bool], bench_trade_on: list[bool]
) -> dict[str, Any]:
    """Active parts over the span after the purchase (M5), in log terms and in points of total return."""
    ours, rp = portfolio_parts(portfolio, trade_on)
    theirs, rb = portfolio_parts(benchmark, bench_trade_on)
    names = dict.fromkeys([*ours[0], *theirs[0]])
    active = [{name: a.get(name, 0.0) - b.get(name, 0.0) for name in names} for a, b in zip(ours, theirs, strict=True)]
    parts = {name: math.fsum(row[name] for row in active) for name in names}
    parts["variance"] = math.fsum(_log(p) - _log(b) - (p - b) for p, b in zip(rp, rb, strict=True))
    log_p, log_b = math.fsum(map(_log, rp)), math.fsum(map(_log, rb))
    Rp, Rb = math.expm1(log_p), math.expm1(log_b)
    points = (Rp - Rb) / (log_p - log_b) if log_p != log_b else 1 + Rp
    scaled = {name: part * points for name, part in parts.items()}
    return {"portfolio": Rp, "benchmark": Rb, "log": log_p - log_b, "parts": parts, "points": scaled, "active": active}
