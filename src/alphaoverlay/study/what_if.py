"""What a study's overlay pays if something happens: answers, conditioned paths, history, carry and stress (M9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.errors import StudyError
from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.history import FloatArray, History, iso
from alphaoverlay.market.source import Source
from alphaoverlay.overlays.risk import SESSIONS_A_YEAR
from alphaoverlay.scenarios.break_even import (
    BreakEvenRange,
    Form,
    YearlyCosts,
    break_even_range,
    move_curve,
    yearly_costs,
)
from alphaoverlay.scenarios.bridges import RealDayBridge, bridge_batches, real_day_batches
from alphaoverlay.scenarios.closed_form import active_exposures, closed_form, first_order, rebalanced_form
from alphaoverlay.scenarios.conditional import Pair, RuleOutcome, excess_on, run_rules
from alphaoverlay.scenarios.ends import SampledEnds, most_likely_ends, sample_ends
from alphaoverlay.scenarios.law import Law, law_of
from alphaoverlay.scenarios.payoff import PayOff, pay_off
from alphaoverlay.scenarios.shocks import Shock
from alphaoverlay.scenarios.statement import Statement
from alphaoverlay.study.ahead import Ahead, named_rules, read_ahead
from alphaoverlay.study.history_windows import HistoryWindows, history_windows
from alphaoverlay.study.load import Study
from alphaoverlay.study.stressed import GAPS, Stressed, stress

PATHS, SESSIONS, WINDOW = 4_000, 63, 756
MOST_PATHS = 200_000
RULES = ("never", "quarterly", "monthly", "daily")
STUDY_RULE = "study"
AXIS = tuple(k / 10.0 for k in range(-4, 5))
BASE_MOVES = (-0.2, 0.0, 0.2)
# Paths of real days, and of the opposite, are a quarter as many: they stand beside the answer.
ASIDE = 4
# Below this share of the paths in effective ones an answer is rough.
ROUGH = 0.1
RATES = (0.0, 0.02, 0.04, 0.06)
MULTIPLES = (0.5, 1.0, 1.5, 2.0)
Progress = Callable[[str], None]


@dataclass(frozen=True)
class RealDays:
    """The paths of real days.

    Attributes
    ----------
    by_rule : outcomes; empty where no end can be reached.
    remainder : root mean square of what was added to the days, in deviations of the horizon.
    unreached : ends that no mixture of the window's days reaches.
    """

    by_rule: Mapping[str, RuleOutcome]
    remainder: float | None
    unreached: int


@dataclass(frozen=True)
class Answer:
    """What a statement comes to.

    Attributes
    ----------
    statement : what happens.
    ends : simple end returns by index, the most likely ones given it.
    first_order, smooth, closed_form : excess over the benchmark at these ends, the last two without rebalancing.
    rebalanced_form : the closed form with rebalancing every session.
    smooth_by_rule : the smooth trend under each rule.
    by_rule : outcomes on the conditioned paths.
    real_days : the same from real days; None where they were not asked for.
    sampled : how the ends of the paths were drawn.
    """

    statement: Statement
    ends: Mapping[str, float]
    first_order: float
    smooth: float
    closed_form: float
    rebalanced_form: float
    smooth_by_rule: Mapping[str, float]
    by_rule: Mapping[str, RuleOutcome]
    real_days: RealDays | None
    sampled: SampledEnds


@dataclass(frozen=True)
class WhatIf:
    """What a study's overlay pays.

    Attributes
    ----------
    ahead : the study as of the day.
    law : of daily returns.
    history : the sessions ahead.
    rules : by name; "study" is the study's own.
    seed : of all draws.
    answer, mirror : of the statement and of its opposite; None where nothing is stated, or it has no opposite.
    windows : past windows like the statement; None where nothing is stated.
    year : carry, volatility drag and break-even of a year, and over ranges.
    pay_off : the map; None without a long and a short leg.
    stressed : crises, gaps and shocks.
    undefined : what is missing -> why.
    notes : sentences that every output must carry.
    """

    ahead: Ahead
    law: Law
    history: History
    rules: Mapping[str, RebalancingRule]
    seed: int
    answer: Answer | None
    mirror: Answer | None
    windows: HistoryWindows | None
    year: YearlyCosts
    ranges: BreakEvenRange
    pay_off: PayOff | None
    stressed: Stressed
    undefined: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def run_scenario(
    study: Study,
    source: Source,
    catalogue: Catalogue | None = None,
    *,
    statement: Statement | None = None,
    asof: str | None = None,
    sessions: int = SESSIONS,
    rules: Sequence[str] = RULES,
    paths: int = PATHS,
    seed: int = 0,
    volatility: float = 1.0,
    window: int | None = WINDOW,
    gaps: Sequence[float] = GAPS,
    shock: Shock | None = None,
    progress: Progress | None = None,
) -> WhatIf:
    """Say what a study's overlay pays if a statement comes true, and what it costs if nothing happens (method M9).

    Parameters
    ----------
    study, source, catalogue : as for `run_study`; cash flows are left out.
    statement : end returns and at most one relative move; None leaves out what depends on it.
    asof : ISO date of the purchase; the study's end, or the last day of the data where None.
    sessions : how many lie ahead.
    rules : calendars to run under, besides the study's own.
    paths : conditioned ones; a quarter as many from real days, and of the opposite.
    seed : of the draws.
    volatility : multiple of the window's.
    window : sessions that the law is estimated on; all of the past where None.
    gaps : one-session moves of the benchmark's largest index.
    shock : one of the user's own.
    progress : told what is being done.

    Raises
    ------
    AlphaOverlayError : a mistake in the study, the data or an argument; the message says where.
    """
    if not 1 <= paths <= MOST_PATHS:
        raise StudyError(f"paths = {paths}: write 1 to {MOST_PATHS:,}")
    tell = progress or (lambda _: None)
    stated = () if statement is None else statement.checked().indices
    named = (*stated, *({} if shock is None else {**shock.returns, **shock.onward}))
    ahead = read_ahead(study, source, catalogue, asof, named)
    names = tuple(dict.fromkeys([*ahead.names, *named]))
    law = law_of(ahead.joint_days(names, window), multiple=volatility)
    history = ahead.sessions(sessions)
    used = {**named_rules(rules), STUDY_RULE: ahead.rule}
    same = {name: next(other for other, rule in used.items() if rule == used[name]) for name in used}
    distinct = {name: used[name] for name in same.values()}
    world = _World(ahead, law, history, _pairs(ahead, history, names, distinct), same, paths, seed)
    answer, mirror, windows, undefined = None, None, None, {}
    if statement is None:
        undefined["answer"] = "nothing is stated; state a move or an end return"
    else:
        tell("conditioned paths (the first on a machine compile for some seconds)")
        answer = world.answer(statement, real_days=True)
        tell("the opposite")
        mirror, undefined = _mirror(world, statement)
        if answer.real_days is not None and not answer.real_days.by_rule:
            undefined["real_days"] = "no mixture of the window's days reaches any of the ends"
        tell("past windows")
        windows = history_windows(ahead, statement, sessions)
    tell("carry, pay-off and stress")
    year = ahead.sessions(SESSIONS_A_YEAR)
    terms = study.cash.terms()
    trades = _trades(ahead.rule, year)
    curve = move_curve(ahead.portfolio, ahead.benchmark, law)
    costs = yearly_costs(ahead.portfolio, ahead.benchmark, law, year, terms, curve, trades)
    stressed = stress(ahead, law, gaps=tuple(gaps), shock=shock, sessions=sessions, seed=seed)
    mapped, missing = _pay_off(world, statement, costs)
    if mapped is None:
        undefined["pay_off"] = missing
    return WhatIf(
        ahead=ahead,
        law=law,
        history=history,
        rules=used,
        seed=seed,
        answer=answer,
        mirror=mirror,
        windows=windows,
        year=costs,
        ranges=break_even_range(ahead.portfolio, ahead.benchmark, law, year, RATES, MULTIPLES, terms, curve, trades),
        pay_off=mapped,
        stressed=stressed,
        undefined=undefined,
        notes=tuple(
            dict.fromkeys([*ahead.notes, *_notes(ahead, law, windows), *_rough(answer, mirror), *stressed.notes])
        ),
    )


def _trades(rule: RebalancingRule, year: History) -> list[int] | None:
    """Sessions of a year at whose close a rule trades all to its weights; None where the paths decide that."""
    if rule.bands or rule.tranches > 1 or rule.minimum_interval > 1:
        return None
    marked = np.flatnonzero(rule.calendar.sessions(year.dates, year.exchange_sessions)) + rule.lag
    return [int(k) for k in marked if 0 < k < len(year.dates) - 1]


def _pairs(
    ahead: Ahead, history: History, names: Sequence[str], rules: Mapping[str, RebalancingRule]
) -> dict[str, Pair]:
    calm = ahead.without_flows()
    return {
        name: Pair(calm.runner(calm.portfolio, history, names, rule), calm.runner(calm.benchmark, history, names, rule))
        for name, rule in rules.items()
    }


@dataclass(frozen=True)
class _World:
    """All that answers need; `same` names the rule of the pairs that each rule is run as."""

    ahead: Ahead
    law: Law
    history: History
    pairs: Mapping[str, Pair]
    same: Mapping[str, str]
    paths: int
    seed: int

    def answer(self, statement: Statement, *, real_days: bool) -> Answer:
        ahead, law = self.ahead, self.law
        sessions = len(self.history.dates) - 1
        z = most_likely_ends(law, statement)
        smooth = {name: excess_on(pair, np.tile(z / sessions, (sessions, 1))) for name, pair in self.pairs.items()}
        untraded = self.pairs.get("never") or _pairs(ahead, self.history, law.names, named_rules(["never"]))["never"]
        sampled = sample_ends(law, statement, sessions, self.paths, self.seed)
        bridges = (batch for _, batch in bridge_batches(law, sampled, self.seed))
        active = active_exposures(ahead.portfolio, ahead.benchmark)
        ends = dict(zip(law.names, np.expm1(z).tolist(), strict=True))
        return Answer(
            statement=statement,
            ends=ends,
            first_order=first_order(active, ends),
            smooth=excess_on(untraded, np.tile(z / sessions, (sessions, 1))),
            closed_form=float(self._excess(closed_form, z)),
            rebalanced_form=float(self._excess(rebalanced_form, z)),
            smooth_by_rule={name: smooth[run_as] for name, run_as in self.same.items()},
            by_rule=self._by_rule(bridges, sampled),
            real_days=self._real_days(sampled) if real_days else None,
            sampled=sampled,
        )

    def _by_rule(self, batches: Iterable[FloatArray], sampled: SampledEnds) -> dict[str, RuleOutcome]:
        found = run_rules(self.pairs, batches, sampled.effective, self.same[STUDY_RULE])
        return {name: found[run_as] for name, run_as in self.same.items()} if found else {}

    def _excess(self, form: Form, z: FloatArray) -> FloatArray:
        ahead, terms = self.ahead, self.ahead.study.cash.terms()
        own, base = (form(one, self.law, self.history, terms) for one in (ahead.portfolio, ahead.benchmark))
        return own.growth(z) - base.growth(z)

    def _real_days(self, sampled: SampledEnds) -> RealDays:
        drawn: list[RealDayBridge] = []

        def batches() -> Iterator[FloatArray]:
            # The ends lie in the order of their candidates: every fourth is as good a sample as all.
            for _, one in real_day_batches(self.law, sampled.z[::ASIDE], sampled.sessions, self.seed):
                drawn.append(replace(one, log_returns=one.log_returns[:0]))
                if len(one.log_returns):
                    yield one.log_returns

        by_rule = self._by_rule(batches(), sampled)
        remainders = np.concatenate([one.remainder for one in drawn])
        added = float(np.sqrt((remainders**2).mean())) if len(remainders) else None
        return RealDays(by_rule, added, sum(one.unreached for one in drawn))


def _mirror(world: _World, statement: Statement) -> tuple[Answer | None, dict[str, str]]:
    try:
        opposite = statement.mirrored()
    except StudyError as error:
        return None, {"mirror": str(error)}
    fewer = replace(world, paths=-(-world.paths // ASIDE))
    return fewer.answer(opposite, real_days=False), {}


def _pay_off(world: _World, statement: Statement | None, costs: YearlyCosts) -> tuple[PayOff | None, str]:
    """The map over the move's two indices, or over the active legs; or why there is none."""
    legs = None if costs.legs is None else (costs.legs.long, costs.legs.short)
    if statement is not None and statement.move is not None:
        legs = statement.move[:2]
    if legs is None:
        return None, "the active exposures have no long and short side"
    ahead = world.ahead
    if not any(ahead.benchmark.exposures.values()):
        return None, "the benchmark follows no index, so it has no move"
    found = pay_off(
        ahead.portfolio,
        ahead.benchmark,
        world.law,
        world.history,
        legs,
        AXIS,
        AXIS,
        BASE_MOVES,
        ahead.study.cash.terms(),
    )
    return found, ""


def _rough(*answers: Answer | None) -> tuple[str, ...]:
    """Say where what is stated is so far out that few draws lead there."""
    few = [one.sampled for one in answers if one is not None and one.sampled.effective < ROUGH * len(one.sampled.z)]
    return tuple(
        f"What is stated lies far out: the {len(one.z):,} paths are worth {one.effective:,.0f} independent ones, and "
        "what is said of them is rough."
        for one in few
    )


def _notes(ahead: Ahead, law: Law, windows: HistoryWindows | None) -> tuple[str, ...]:
    days = law.days.dates
    told = ", ".join(f"{name} {sigma:.1%}" for name, sigma in law.volatility.items())
    flows = ("Cash flows of the study are left out.",) if ahead.study.flows else ()
    return (
        f"Modelled, not a forecast: days without drift, with the covariance of {len(days):,} sessions from "
        f"{iso(days[0])} to {iso(days[-1])} (volatility a year: {told}) and {law.degrees:.1f} degrees of freedom.",
        f"Bought on {iso(ahead.asof)}. The financing rate of that day, {ahead.rate:.2%}, is held; every fund is "
        "synthetic (M1) ahead.",
        *flows,
        *(() if windows is None else windows.notes),
    )
