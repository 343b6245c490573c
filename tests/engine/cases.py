"""Whole backtests drawn at random, run by the package and described to the second engine in its own terms."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from typing import cast

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from tests import second_engine, second_opinion
from tests.engine.building import WEEKDAYS, array, fund_returns_of, history_of, weights_of

from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.bands import MEASURES, Band
from alphaoverlay.engine.costs import CashTerms, Liquidity, TradingCosts
from alphaoverlay.engine.flows import PLACINGS, CashFlow, CashFlows
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import Calendar, CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.history import FloatArray

FEATURES = ("bands", "timing", "tranches", "spreads", "fees", "impact", "flows", "borrowing", "turns", "losses")
EXPOSURES: tuple[dict[str, float], ...] = (
    {"A": 1.0},
    {"A": 3.0},
    {"B": 3.0},
    {"C": -3.0},
    {"A": 0.9, "B": 0.6},
    {"B": 1.0, "C": -1.0},
    {},
)


@dataclass(frozen=True)
class Case:
    """What a backtest is run with."""

    returns: FundReturns
    targets: Targets
    rule: RebalancingRule
    costs: TradingCosts = field(default_factory=TradingCosts)
    flows: CashFlows = field(default_factory=CashFlows)
    cash: CashTerms = field(default_factory=CashTerms)
    benchmark: dict[str, float] = field(default_factory=dict)

    def run(self, compiled: bool = False) -> Backtest:
        """The package's answer."""
        return backtest(
            self.returns, self.targets, self.rule, self.costs,
            flows=self.flows, cash=self.cash, benchmark=self.benchmark, compiled=compiled,
        )  # fmt: skip

    def but(self, **changes: object) -> Case:
        """The same with other parts."""
        return replace(self, **changes)  # type: ignore[arg-type]


# --- drawing ---


@st.composite
def cases(draw: st.DrawFn, *features: str, max_sessions: int = 40, max_funds: int = 4) -> Case:
    """Cases in which only these features may be anything but plain; the rest of the rule is a calendar."""
    n, m = draw(st.integers(2, max_sessions)), draw(st.integers(1, max_funds))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    dates = WEEKDAYS[(first := draw(st.integers(0, 200))) : first + n]
    moves = random.uniform(-0.2, 0.2, (n, m)) * draw(st.sampled_from([0.05, 0.3, 1.0]))
    if "losses" in features and draw(st.integers(0, 2)) == 0:
        moves[draw(st.integers(1, n - 1)), draw(st.integers(0, m - 1))] = -1.0
    rates = random.uniform(0.0, 0.1, n).tolist()
    exposures = [draw(st.sampled_from(EXPOSURES)) for _ in range(m)]
    returns = fund_returns_of(moves, history_of(dates, rates), exposures)
    targets = draw(some_targets(returns, "turns" in features, "borrowing" in features))
    benchmark = draw(st.sampled_from([{"A": 1.0}, {"A": 0.6, "D": 0.4}, {}]))
    calendars: list[Calendar] = ["never", "never", "weekly", "monthly", "quarterly"]
    tranches = 1
    if "tranches" in features:
        tranches, calendars = draw(st.integers(2, 3)), ["weekly", "monthly"]
    timed = "timing" in features
    rule = RebalancingRule(
        CalendarRule(draw(st.sampled_from(calendars)), draw(st.integers(0, 3))),
        bands=draw(some_bands(returns, targets, benchmark)) if "bands" in features else (),
        check=CalendarRule(draw(st.sampled_from(["daily", "daily", "weekly"])), draw(st.integers(0, 1))),
        minimum_interval=draw(st.integers(0, 5)) if timed else 0,
        tranches=tranches,
        lag=draw(st.integers(0, 2)) if timed else 0,
    )
    costs, returns = draw(some_costs(returns, features))
    flows = draw(some_flows(dates)) if "flows" in features else CashFlows()
    cash = CashTerms()
    if "borrowing" in features:
        cash = CashTerms(draw(st.sampled_from([0.0, 0.003])), draw(st.sampled_from([0.0, 0.015])))
    return Case(returns, targets, rule, costs, flows, cash, benchmark)


@st.composite
def some_targets(draw: st.DrawFn, returns: FundReturns, turns: bool, borrowing: bool) -> Targets:
    """One row of targets, or several over time with a lag of their own."""
    n, m = returns.returns.shape
    symbols = [fund.symbol for fund in returns.funds]
    times = draw(st.sampled_from([1.0, 1.3, 2.0])) if borrowing else 1.0
    rows = [[times * w for w in draw(weights_of(m))] for _ in range(draw(st.integers(2, 3)) if turns else 1)]
    if not turns:
        return Targets.constant(symbols, rows[0])
    frame = pd.DataFrame([rows[0]] * n, returns.history.dates, symbols)
    for row in rows[1:]:
        frame.iloc[draw(st.integers(0, n - 1)) :] = row
    return Targets.by_session(frame, draw(st.integers(0, 2)))


SIZES = st.sampled_from([0.0, 0.0071, 0.031, 0.093, math.inf])


@st.composite
def some_bands(
    draw: st.DrawFn, returns: FundReturns, targets: Targets, benchmark: dict[str, float]
) -> tuple[Band, ...]:
    """Up to three bands of any kind; relative ones only where no target is 0."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        on = draw(st.sampled_from(MEASURES))
        names = {"weight": [fund.symbol for fund in returns.funds], "exposure": _indices(returns)}.get(on, [])
        only = tuple(draw(st.lists(st.sampled_from(names), unique=True, max_size=2))) if names else ()
        below, above = draw(SIZES), draw(SIZES)
        band = Band(
            on, below, below if draw(st.booleans()) else above, "absolute", only, draw(st.sampled_from([0.0, 0.5, 1.0]))
        )
        share = replace(band, kind="relative", below=4 * band.below, above=4 * band.above)
        plan = second_engine.Plan([], [], [], [], [], [], *_look_through(returns, benchmark))
        sizes = [
            abs(second_engine.measure_of(plan, one, row.tolist()))
            for one in _their_bands(band, returns, _names(returns, benchmark))
            for row in targets.rows
        ]
        found.append(share if min(sizes, default=0.0) > 1e-9 and draw(st.booleans()) else band)
    return tuple(found)


@st.composite
def some_costs(draw: st.DrawFn, returns: FundReturns, features: Collection[str]) -> tuple[TradingCosts, FundReturns]:
    """Costs, and the returns with closing prices where a cost a share needs them."""
    dates, symbols = returns.history.dates, [fund.symbol for fund in returns.funds]
    n, m = returns.returns.shape
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    costs = TradingCosts()
    if "spreads" in features:
        by_fund: dict[str, float | pd.Series] = {}
        for symbol in symbols:
            days = sorted({draw(st.integers(-5, n + 5)) for _ in range(draw(st.integers(0, 3)))})
            stamps = pd.DatetimeIndex([dates[0] + pd.Timedelta(days=day) for day in days])
            figures = random.uniform(0.0, 300.0, len(days) + 1).tolist()
            by_fund[symbol] = pd.Series(figures[1:], index=stamps) if days else figures[0]
        flat = draw(st.sampled_from([0.0, 5.0, 100.0]))
        costs = replace(costs, half_spread_bps=by_fund if draw(st.booleans()) else flat)
        if draw(st.integers(0, 3)) == 0:
            close = pd.DataFrame(random.uniform(5.0, 100.0, (n, m)), index=dates, columns=symbols)
            returns = replace(returns, history=replace(returns.history, close=close))
            costs = replace(costs, per_share=0.05)
    if "fees" in features:
        fee, least = draw(st.sampled_from([0.0, 3.1, 21.3])), draw(st.sampled_from([0.0, 17.3, 120.7]))
        costs = replace(costs, per_trade=fee, minimum_trade=least, capital=10_000.0)
    if "impact" in features:
        known = Liquidity(
            pd.DataFrame(random.uniform(1e5, 1e7, (n, m)), index=dates, columns=symbols),
            pd.DataFrame(random.uniform(0.0, 0.04, (n, m)), index=dates, columns=symbols),
        )
        costs = replace(costs, impact=draw(st.sampled_from([0.3, 1.0])), capital=10_000.0, liquidity=known)
    return costs, returns


@st.composite
def some_flows(draw: st.DrawFn, dates: pd.DatetimeIndex) -> CashFlows:
    """Up to three flows in and out, now and then of more than there is."""
    flows = []
    for _ in range(draw(st.integers(1, 3))):
        calendar, days = None, tuple[date, ...]()
        if draw(st.booleans()):
            calendar = CalendarRule(
                draw(st.sampled_from(cast(list[Calendar], ["weekly", "monthly"]))), draw(st.integers(0, 2))
            )
        else:
            far = draw(st.integers(-3, 2 * len(dates)))
            days = ((dates[0] + pd.Timedelta(days=far)).date(),)
        size = draw(st.sampled_from([0.013, -0.007, 0.11, -0.13, 0.7, -0.6, -0.91]))
        amount = draw(st.booleans())
        flows.append(CashFlow(size if amount else 0.0, 0.0 if amount else size / 3, calendar, days))
    return CashFlows(tuple(flows), draw(st.sampled_from(PLACINGS)))


# --- in the second engine's terms ---


def plan_of(case: Case) -> second_engine.Plan:
    """The same case as lists, worked out again from the method."""
    returns, costs, rule = case.returns, case.costs, case.rule
    history = returns.history
    days = [stamp.date() for stamp in history.dates]
    n = len(days)
    d = [0.0] + [(b - a).days / 360 for a, b in pairwise(days)]
    c = [0.0, *history.rate.tolist()][:n]
    rows = case.targets.rows.tolist()
    decided = [0] * n if case.targets.row is None else case.targets.row.tolist()
    capital = costs.capital or 1.0
    impact = None
    if costs.impact and costs.liquidity is not None:
        volumes, sigmas = costs.liquidity.dollar_volume, costs.liquidity.volatility
        impact = [
            [costs.impact * s * math.sqrt(capital / v) for s, v in zip(sigmas[name], volumes[name], strict=True)]
            for name in case.targets.symbols
        ]
    names = _names(returns, case.benchmark)
    return second_engine.Plan(
        returns=array(returns.returns).T.tolist(),
        lend=[(c_ - case.cash.lending_spread) * d_ for c_, d_ in zip(c, d, strict=True)],
        borrow=[(c_ + (case.cash.borrowing_spread or 0.0)) * d_ for c_, d_ in zip(c, d, strict=True)],
        targets=[rows[decided[max(0, t - case.targets.lag)]] for t in range(n)],
        calendar=[
            marks(rule.calendar, history.exchange_sessions, days, j, rule.tranches) for j in range(rule.tranches)
        ],
        rates=[_rates(symbol, case, days) for symbol in case.targets.symbols],
        exposures=_look_through(returns, case.benchmark)[0],
        benchmark=_look_through(returns, case.benchmark)[1],
        bands=[one for band in rule.bands for one in _their_bands(band, returns, names)],
        watched=marks(rule.check, history.exchange_sessions, days),
        lag=rule.lag,
        interval=rule.minimum_interval,
        impact=impact,
        fee=costs.per_trade / capital,
        smallest=max(costs.minimum_trade, costs.per_trade) / capital,
        flows=_their_flows(case, days),
        placing=case.flows.placing,
    )


def marks(
    rule: CalendarRule, exchange: pd.DatetimeIndex, days: list[date], tranche: int = 0, tranches: int = 1
) -> list[bool]:
    """Which days a calendar trades on, for one of several tranches."""
    if rule.calendar == "never":
        return [False for _ in days]
    period_of: Callable[[date], Hashable] = second_opinion.PERIOD_OF[rule.calendar]
    periods: dict[Hashable, list[date]] = {}
    for stamp in exchange:
        periods.setdefault(period_of(stamp.date()), []).append(stamp.date())
    chosen = {
        sessions[max(0, len(sessions) - 1 - rule.offset - tranche * len(sessions) // tranches)]
        for sessions in periods.values()
    }
    return [day in chosen for day in days]


def _rates(symbol: str, case: Case, days: list[date]) -> list[float]:
    """Proportional cost rates of a fund: the last half-spread known, the first also before, and the broker's share."""
    given = case.costs.half_spread_bps
    one = given if isinstance(given, float | int) else given[symbol]
    if isinstance(one, pd.Series):
        known = sorted((stamp.date(), float(value)) for stamp, value in one.items())  # type: ignore[attr-defined]
        bps = [([value for day, value in known if day <= today] or [known[0][1]])[-1] for today in days]
    else:
        bps = [float(one) for _ in days]
    shares = [0.0 for _ in days]
    if case.costs.per_share:
        shares = [case.costs.per_share / close for close in case.returns.history.close[symbol]]
    return [a / 10_000 + b for a, b in zip(bps, shares, strict=True)]


def _their_flows(case: Case, days: list[date]) -> list[second_engine.Flow]:
    """Every flow on its session, from the second on."""
    found = []
    for flow in case.flows.flows:
        if flow.calendar is not None:
            marked = marks(flow.calendar, case.returns.history.exchange_sessions, days)
            sessions = [session for session, yes in enumerate(marked) if yes]
        else:
            later = [
                [session for session, today in enumerate(days) if today >= day] for day in flow.days if day > days[0]
            ]
            sessions = [some[0] for some in later if some]
        found += [second_engine.Flow(session, flow.amount, flow.share) for session in sessions if session > 0]
    return found


def _indices(returns: FundReturns) -> list[str]:
    return list(dict.fromkeys(name for fund in returns.funds for name in fund.exposures))


def _names(returns: FundReturns, benchmark: dict[str, float]) -> list[str]:
    return list(dict.fromkeys([*_indices(returns), *benchmark]))


def _look_through(returns: FundReturns, benchmark: dict[str, float]) -> tuple[list[list[float]], list[float]]:
    """Exposures [index][fund], and the benchmark's."""
    names = _names(returns, benchmark)
    return [[fund.exposures.get(name, 0.0) for fund in returns.funds] for name in names], [
        benchmark.get(name, 0.0) for name in names
    ]


def _their_bands(band: Band, returns: FundReturns, names: list[str]) -> list[second_engine.Band]:
    """One band for each thing that it looks at."""
    on = {"weight": [fund.symbol for fund in returns.funds], "exposure": names}.get(band.on, [band.on])
    watched = _indices(returns) if band.on == "exposure" else on
    return [
        second_engine.Band(band.on, band.below, band.above, which, band.kind == "relative", band.destination)
        for which, name in enumerate(on)
        if name in watched and (not band.only or name in band.only)
    ]


# --- comparing ---


def disagreements(case: Case, close: float = 1e-9) -> list[str]:
    """What the two engines differ in, session by session; empty where they agree."""
    return differences(case.run(), second_engine.run_plan(plan_of(case)), close)


def differences(done: Backtest, other: second_engine.Outcome, close: float = 1e-9) -> list[str]:
    """What a backtest and the second engine's outcome differ in."""
    value = array(done.value)
    slack = close * max(1.0, float(value.max()))
    pairs: dict[str, tuple[FloatArray, object]] = {
        "value": (value, other["value"]),
        "holdings": (array(done.weights) * value[:, None], other["holdings"]),
        "cash": (array(done.cash) * value, other["cash"]),
        "trades": (array(done.trades), other["trades"]),
        "cost": (array(done.cost), other["cost"]),
        "flow": (array(done.flow), other["flow"]),
        "turnover": (array(done.turnover)[1:], other["turnover"][1:]),
        "rebalanced": (done.value.index.isin(done.traded).astype(float), other["rebalanced"]),
        "broken": (array(done.broken), other["broken"]),
    }
    found = []
    for name, (ours, theirs) in pairs.items():
        far = ~np.isclose(ours, np.asarray(theirs, dtype=np.float64), rtol=0, atol=slack)
        if far.any():
            at = int(np.argwhere(far)[0][0])
            found.append(f"{name}[{at}]: {ours[at]} against {np.asarray(theirs)[at]}")
    dates = done.value.index
    ended = None if done.end is None else (dates.get_loc(done.end), "ruined" if done.ruin is not None else "exhausted")
    if ended != other["ended"]:
        found.append(f"ended {ended} against {other['ended']}")
    return found
