"""Simulate a study: its portfolio and benchmark on many paths from a day on (method M10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from alphaoverlay.engine.path_running import PathRunner
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.history import History, counted, iso
from alphaoverlay.market.source import Source
from alphaoverlay.scenarios.filtered_history import Start
from alphaoverlay.scenarios.generators import GENERATORS, STATEFUL, make_generator
from alphaoverlay.scenarios.joint_days import JointDays
from alphaoverlay.scenarios.mean_adjustment import Mean
from alphaoverlay.scenarios.simulation import Simulation, simulate_paths
from alphaoverlay.study.ahead import Ahead, named_rules, read_ahead
from alphaoverlay.study.load import Study

PATHS, SESSIONS = 10_000, 2_520
# What varies the model runs on that many paths.
SENSITIVITY_PATHS = 10_000
PORTFOLIO, BENCHMARK = "portfolio", "benchmark"
Progress = Callable[[str], None]


@dataclass(frozen=True)
class StudySimulation:
    """What a study may come to.

    Attributes
    ----------
    ahead : the study as of the day.
    days : what the paths are made from.
    simulation : of "portfolio", "benchmark", and "portfolio, RULE" for every other rule asked for.
    rules : by the same names.
    mean : what every index is expected to earn.
    sensitivity : the same by other block lengths and generators, on fewer paths; empty where not asked for.
    notes : sentences that every output must carry.
    """

    ahead: Ahead
    days: JointDays
    simulation: Simulation
    rules: Mapping[str, RebalancingRule]
    mean: Mean
    sensitivity: Mapping[str, Simulation]
    notes: tuple[str, ...]


def simulate_study(
    study: Study,
    source: Source,
    catalogue: Catalogue | None = None,
    *,
    asof: str | None = None,
    paths: int = PATHS,
    sessions: int = SESSIONS,
    seed: int = 0,
    generator: str = "bootstrap",
    block: float | None = None,
    mean: Mean = "historical",
    start: Start | None = None,
    window: int | None = None,
    rules: Sequence[str] = (),
    sensitivity: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> StudySimulation:
    """Simulate a study's portfolio and benchmark on the same paths, with its rule, costs and flows.

    Parameters
    ----------
    study, source, catalogue : as for `run_study`.
    asof : ISO date of the purchase; the study's end, or the last day of the data where None.
    paths, sessions, seed : how many, how long, and of which stream.
    generator : "bootstrap", "fhs", "t" or "regimes".
    block : mean block length in sessions; automatic where None.
    mean : "historical", "zero", or yearly returns, one or by index.
    start : starting volatility: "today", "average", or a yearly volatility; the generator's own where None.
    window : sessions of the past that paths are made from; all where None.
    rules : further calendars to run the portfolio under, such as "monthly".
    sensitivity : whether to run other block lengths and generators too.
    workers : threads; as many as processors where None.
    progress : told what is being done.

    Raises
    ------
    AlphaOverlayError : a mistake in the study, the data or an argument; the message says where.
    """
    ahead = read_ahead(study, source, catalogue, asof)
    tell = progress or (lambda _: None)
    history = ahead.sessions(sessions)
    days = ahead.joint_days(ahead.names, window)
    runners, used = _runners(ahead, history, days.names, rules)
    tell(f"fitting: {GENERATORS.get(generator, generator)}")
    paths_from = make_generator(generator, days, mean=mean, start=start, block=block)
    found = simulate_paths(
        paths_from, runners, paths=paths, seed=seed, benchmark=BENCHMARK, workers=workers, progress=tell
    )
    varied: dict[str, Simulation] = {}
    if sensitivity:
        few = min(paths, SENSITIVITY_PATHS)
        main = {name: runners[name] for name in (PORTFOLIO, BENCHMARK)}
        for name, terms in _variants(generator, found.facts.get("block_length"), start).items():
            tell(f"sensitivity: {name}")
            other = make_generator(terms.key, days, mean=mean, block=terms.block, start=terms.start)
            varied[name] = simulate_paths(other, main, paths=few, seed=seed, benchmark=BENCHMARK, workers=workers)
    return StudySimulation(
        ahead=ahead,
        days=days,
        simulation=found,
        rules=used,
        mean=mean,
        sensitivity=varied,
        notes=(*ahead.notes, *_notes(ahead, days, found)),
    )


def _runners(
    ahead: Ahead, history: History, names: Sequence[str], rules: Sequence[str]
) -> tuple[dict[str, PathRunner], dict[str, RebalancingRule]]:
    """Portfolio and benchmark under the study's rule, and the portfolio under the others asked for."""
    used = {PORTFOLIO: ahead.rule, BENCHMARK: ahead.rule}
    others = {name: rule for name, rule in named_rules(rules).items() if rule != ahead.rule}
    used |= {f"{PORTFOLIO}, {name}": rule for name, rule in others.items()}
    runners = {
        name: ahead.runner(ahead.benchmark if name == BENCHMARK else ahead.portfolio, history, names, rule)
        for name, rule in used.items()
    }
    return runners, used


def _variants(generator: str, block: float | int | str | None, start: Start | None) -> dict[str, _Terms]:
    """The other generators, and half and double the block length where there is one; each starts as it can."""
    found: dict[str, _Terms] = {}
    if isinstance(block, float | int):
        for times, word in ((0.5, "half"), (2.0, "double")):
            length = max(1.0, times * block)
            found[f"{generator}, blocks of {length:.0f} ({word})"] = _Terms(generator, length, start)
    word_of_state = start if start in ("today", "average") else None
    return found | {
        name: _Terms(name, None, word_of_state if name in STATEFUL else None)
        for name in GENERATORS
        if name != generator
    }


class _Terms(NamedTuple):
    key: str
    block: float | None
    start: Start | None


def _notes(ahead: Ahead, days: JointDays, found: Simulation) -> tuple[str, ...]:
    ruined = found.outcomes[PORTFOLIO].ruined.value
    return (
        f"Simulated paths, not a forecast: {counted(found.paths, 'path')} of {', '.join(days.names)}, made from "
        f"{counted(len(days.dates), 'session')} from {iso(days.dates[0])} to {iso(days.dates[-1])}.",
        f"Bought on {iso(ahead.asof)}. The financing rate of that day, {ahead.rate:.2%}, is held; every fund is "
        "synthetic (M1), at its expense ratio of that day; trading costs are those of a quiet day, on any path.",
        "Standard errors are those of the number of paths; how far the model is from the market they do not say.",
        *((f"Nothing is left of the portfolio on {ruined:.2%} of the paths.",) if ruined else ()),
    )
