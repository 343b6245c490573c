"""A study under stress: crises replayed, gaps, everything falling at once, and a shock of the user's (method M9)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import pandas as pd

from alphaoverlay.analysis.drawdowns import drawdowns
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.errors import SpanError
from alphaoverlay.history import FloatArray, History, iso
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.overlays.risk import QUARTER
from alphaoverlay.scenarios.conditional import NO_MARKS, Pair, RuleOutcome, run_rules
from alphaoverlay.scenarios.law import Law
from alphaoverlay.scenarios.paths import Paths, own_days
from alphaoverlay.scenarios.shocks import Gap, Shock, correlation_one, fall_together, gap, shocked_world
from alphaoverlay.study.ahead import Ahead
from alphaoverlay.study.history_windows import Past, past_of

# A tenth, a fifth, and just more than takes a 3x fund to nothing.
GAPS = (-0.10, -0.20, -0.334)
HALTED = RebalancingRule(CalendarRule("never"))
PATHS = 1_000


@dataclass(frozen=True)
class Crisis:
    """A fall of the S&P 500 from the close of its peak to that of its trough.

    `verified` is False where the days were not checked against data.
    """

    name: str
    first: pd.Timestamp
    last: pd.Timestamp
    verified: bool


@dataclass(frozen=True)
class Outcome:
    """What portfolio and benchmark returned under the study's rule, simple returns, and the excess without any trade.

    Attributes
    ----------
    portfolio, benchmark : under the study's rule.
    halted_excess : the portfolio's return minus the benchmark's with rebalancing halted for both.
    """

    portfolio: float
    benchmark: float
    halted_excess: float

    @property
    def excess(self) -> float:
        """The portfolio's return minus the benchmark's."""
        return self.portfolio - self.benchmark


@dataclass(frozen=True)
class Replay:
    """A crisis as it was for the study.

    Attributes
    ----------
    crisis : its name and days.
    outcome : from the purchase at the peak's close to the trough's; None where the data do not reach.
    drawdown, benchmark_drawdown : the deepest on any close in it, at most 0, under the study's rule; None likewise.
    synthetic : the funds with a synthetic return in it.
    reason : why there is no outcome; empty where there is one.
    """

    crisis: Crisis
    outcome: Outcome | None
    drawdown: float | None
    benchmark_drawdown: float | None
    synthetic: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Stressed:
    """A study under stress.

    Attributes
    ----------
    crises : every crisis, in the order of time.
    gaps : one session each; nothing is traded in it, so that halting changes nothing.
    correlation_one : a quarter in which one factor moves all indices and each falls by two of its deviations: under
        "study" and with rebalancing "halted", over paths that end so.
    correlation_one_smooth : the same with every session alike.
    correlation_one_ends : simple returns of the indices in it.
    shock : the user's own; None where none was stated.
    notes : sentences that every output must carry.
    """

    crises: tuple[Replay, ...]
    gaps: tuple[Gap, ...]
    correlation_one: Mapping[str, RuleOutcome]
    correlation_one_smooth: Outcome
    correlation_one_ends: Mapping[str, float]
    shock: Outcome | None
    notes: tuple[str, ...]


@lru_cache(maxsize=1)
def crises() -> tuple[Crisis, ...]:
    """Return the packaged crises, in the order of time."""
    listed = tomllib.loads((files("alphaoverlay.study") / "crises.toml").read_text(encoding="utf-8"))["crisis"]
    return tuple(
        Crisis(one["name"], pd.Timestamp(one["first"]), pd.Timestamp(one["last"]), one["verified"]) for one in listed
    )


def stress(
    ahead: Ahead,
    law: Law,
    *,
    gaps: Sequence[float] = GAPS,
    shock: Shock | None = None,
    sessions: int = QUARTER,
    seed: int = 0,
) -> Stressed:
    """Put a study under stress (method M9): past crises, gaps, everything falling at once, and a shock.

    Cash flows are left out.

    Parameters
    ----------
    ahead : the study as of a day.
    law : of daily returns of all the indices of portfolio and benchmark, and of those that the shock names.
    gaps : one-session returns of the benchmark's largest index; the others make their most likely ones.
    shock : one of the user's own.
    sessions : from the day to the end of the shock's horizon, its gap included.
    seed : of the paths on which all fall together.

    Raises
    ------
    StudyError : a return that an index cannot make, or an index that the law does not know.
    SpanError : a number of sessions that cannot be.
    """
    calm = ahead.without_flows()
    replays, notes = replay_crises(ahead)
    session, terms = calm.sessions(1), ahead.study.cash.terms()
    # A benchmark of cash alone has no index to move.
    moves = any(ahead.benchmark.exposures.values())
    fall = correlation_one(law)
    quarter = own_days(np.expm1(np.tile(fall / QUARTER, (1, QUARTER, 1))))
    return Stressed(
        crises=replays,
        gaps=tuple(gap(ahead.portfolio, ahead.benchmark, law, move, session, terms) for move in gaps if moves),
        correlation_one=_together(calm, law, seed),
        correlation_one_smooth=_on_path(calm, law, calm.portfolio, calm.benchmark, calm.sessions(QUARTER), quarter),
        correlation_one_ends=dict(zip(law.names, np.expm1(fall).tolist(), strict=True)),
        shock=None if shock is None else _shocked(calm, law, shock, sessions),
        notes=(*notes, *(() if moves or not gaps else ("No gaps: the benchmark follows no index.",))),
    )


def _together(calm: Ahead, law: Law, seed: int) -> dict[str, RuleOutcome]:
    """A quarter moved by one factor, under the study's rule and halted."""
    history = calm.sessions(QUARTER)
    pairs = {
        name: Pair(*(calm.runner(held, history, law.names, rule) for held in (calm.portfolio, calm.benchmark)))
        for name, rule in (("study", calm.rule), ("halted", HALTED))
    }
    return run_rules(pairs, [fall_together(law, PATHS, seed)])


def _shocked(calm: Ahead, law: Law, shock: Shock, sessions: int) -> Outcome:
    world = shocked_world(shock, calm.portfolio, calm.benchmark, law, calm.sessions(sessions))
    return _on_path(calm, law, world.portfolio, world.benchmark, world.horizon, world.paths)


def _on_path(
    calm: Ahead, law: Law, portfolio: Portfolio, benchmark: Portfolio, history: History, paths: Paths
) -> Outcome:
    """Run both along one path ahead, under the study's rule and halted."""

    def grown(held: Portfolio, rule: RebalancingRule) -> float:
        runner = calm.runner(held, history, law.names, rule)
        return float(runner.run(runner.moves(paths.table), paths.rows, NO_MARKS).growth[0])

    own, base = (grown(held, calm.rule) - 1.0 for held in (portfolio, benchmark))
    return Outcome(own, base, grown(portfolio, HALTED) - grown(benchmark, HALTED))


def replay_crises(ahead: Ahead) -> tuple[tuple[Replay, ...], tuple[str, ...]]:
    """Replay every packaged crisis that the data reach, and return what must be said of them.

    Returns are the funds' real ones where they exist and synthetic before; costs are half-spreads alone.
    """
    try:
        past: Past | None = past_of(ahead)
        why = ""
    except SpanError as error:
        past, why = None, str(error)
    replays = tuple(_replay(past, crisis) if past else _unreached(crisis, why) for crisis in crises())
    unread = [one.crisis.name for one in replays if one.outcome is not None and not one.crisis.verified]
    said = (f"Days not checked against index data, so unverified: {'; '.join(unread)}.",) if unread else ()
    return replays, (*(past.notes if past else ()), *said)


def _unreached(crisis: Crisis, reason: str) -> Replay:
    return Replay(crisis, None, None, None, (), reason)


def _replay(past: Past, crisis: Crisis) -> Replay:
    dates = past.returns.history.dates
    if dates[0] > crisis.first:
        return _unreached(crisis, f"it began on {iso(crisis.first)}; the funds are known from {iso(dates[0])} on")
    if dates[-1] < crisis.last:
        return _unreached(crisis, f"it ended on {iso(crisis.last)}; what is looked at ends on {iso(dates[-1])}")
    held = (past.ahead.portfolio, past.ahead.benchmark)
    own, base = (past.run(one, crisis.first, crisis.last) for one in held)
    still, still_base = (past.run(one, crisis.first, crisis.last, HALTED).final_value for one in held)
    made = past.returns.synthetic.loc[crisis.first : crisis.last].iloc[1:].any()
    return Replay(
        crisis,
        Outcome(own.final_value - 1.0, base.final_value - 1.0, still - still_base),
        _deepest(own.value),
        _deepest(base.value),
        tuple(str(symbol) for symbol in made.index[made]),
        "",
    )


def _deepest(value: pd.Series) -> float:
    falls: FloatArray = drawdowns(value)
    return float(falls.min())
