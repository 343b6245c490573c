"""Many paths through the loop: what a portfolio may come to, beside its benchmark on the same paths (method M10)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from threading import Event

import numpy as np
from numpy.typing import NDArray

from alphaoverlay.engine.path_running import PathResults, PathRunner
from alphaoverlay.engine.plan import Ints
from alphaoverlay.errors import StudyError
from alphaoverlay.history import DAYS_A_YEAR, FloatArray, History
from alphaoverlay.scenarios.paths import Generator
from alphaoverlay.scenarios.tally import (
    FALLS,
    MULTIPLES,
    RATES,
    SHARES,
    Distribution,
    Estimate,
    Tally,
    counting,
    quantiles_with_errors,
    share_of,
)

CHUNK = 4096
# Path-sessions whose days are in memory at once, for each processor: what fits in its second cache.
BATCH = 2**18
MOST_PATHS = 10**8
MOST_SEED = 2**63 - 1
FAN = (0.05, 0.25, 0.50, 0.75, 0.95)
FAN_MARKS = 60
FAN_PATHS = 4 * CHUNK
FIGURES = ("wealth", "growth", "cagr", "max_drawdown", "under_water", "longest_under_water")


@dataclass(frozen=True)
class Outcome:
    """What a portfolio came to over all paths.

    Attributes
    ----------
    figures : by name: `wealth` (value at the end, flows inside, in units of the initial wealth), `growth` (of 1, flows
        left out; only where there are flows), `cagr`, `max_drawdown`, `under_water` (share of sessions),
        `longest_under_water` (sessions).
    ruined : share of paths on which nothing was left.
    halved : share of paths with a drawdown of half or more.
    fan, fan_errors : quantiles `FAN` of the value at the marks, and their standard errors; shape (marks, 5).
    """

    figures: Mapping[str, Distribution]
    ruined: Estimate
    halved: Estimate
    fan: FloatArray
    fan_errors: FloatArray


@dataclass(frozen=True)
class Against:
    """A portfolio against the benchmark on the same paths.

    Attributes
    ----------
    active : difference of the CAGRs.
    trailing : share of paths that are exhausted before the benchmark or, where neither is, grow less.
    """

    active: Distribution
    trailing: Estimate


@dataclass(frozen=True)
class Simulation:
    """What portfolios came to on the same paths.

    Attributes
    ----------
    generator, facts : what drew the paths, and what a reader must know of it.
    hits : values that the generator's limit cut, counted by index and session.
    seed, paths : of the draw.
    history : the sessions, the purchase first.
    marks : sessions of the fans.
    fan_paths : paths that the fans are made of.
    outcomes : by portfolio.
    against : by portfolio, but for the benchmark; empty without one.
    over_first : CAGR minus that of the first portfolio on the same path, by every other portfolio but the benchmark.
    """

    generator: str
    facts: Mapping[str, float | int | str]
    hits: int
    seed: int
    paths: int
    history: History
    marks: Ints
    fan_paths: int
    outcomes: Mapping[str, Outcome]
    against: Mapping[str, Against]
    over_first: Mapping[str, Distribution]


def simulate_paths(
    generator: Generator,
    runners: Mapping[str, PathRunner],
    *,
    paths: int,
    seed: int = 0,
    benchmark: str | None = None,
    workers: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> Simulation:
    """Run portfolios along the same simulated paths.

    The answer is the same bit for bit whatever the number of workers; memory is bounded whatever the number of paths.

    Parameters
    ----------
    generator : draws paths of the runners' indices.
    runners : portfolios by name, all prepared for one horizon and for the generator's indices.
    paths : how many.
    seed : of the draws.
    benchmark : the name of the one that the others are compared with.
    workers : threads; as many as processors where None.
    progress : told how far it is.

    Raises
    ------
    StudyError : a number out of bounds, a benchmark that is none, or runners for other indices or horizons.
    """
    history = _common_history(generator, runners)
    if not 1 <= paths <= MOST_PATHS:
        raise StudyError(f"paths = {paths}: write 1 to {MOST_PATHS:,}")
    if not 0 <= seed <= MOST_SEED:
        raise StudyError(f"seed = {seed}: write 0 to {MOST_SEED:,}")
    if benchmark is not None and benchmark not in runners:
        raise StudyError(f"benchmark = {benchmark!r}: write one of {', '.join(runners)}")
    if workers is not None and workers < 1:
        raise StudyError(f"workers = {workers}: write 1 or more, or leave it out for as many as processors")
    marks = fan_marks(len(history.dates) - 1)
    own = next(iter(runners))
    books = {
        name: _Book.of(
            paths,
            runner,
            len(marks),
            compared=benchmark not in (None, name),
            beside=name not in (own, benchmark) and own != benchmark,
        )
        for name, runner in runners.items()
    }
    stop = Event()
    cut: dict[int, int] = {}

    def run(first: int) -> int:
        last = min(first + CHUNK, paths)
        results, cut[first] = _run_chunk(generator, runners, seed, first, last, marks, stop)
        if not stop.is_set():
            other = None if benchmark is None else results[benchmark]
            for name, one in results.items():
                books[name].put(first, one, other, results[own])
        return last - first

    _in_threads(run, range(0, paths, CHUNK), paths, workers, stop, progress)
    return Simulation(
        generator=generator.key,
        facts=generator.facts(),
        hits=sum(cut.values()),
        seed=seed,
        paths=paths,
        history=history,
        marks=marks,
        fan_paths=min(paths, FAN_PATHS),
        outcomes={name: book.outcome(paths) for name, book in books.items()},
        against={name: book.against(paths) for name, book in books.items() if name != benchmark}
        if benchmark is not None
        else {},
        over_first={name: book.over.distribution() for name, book in books.items() if book.over is not None},
    )


def fan_marks(sessions: int) -> Ints:
    """Return the sessions at which fans are drawn: evenly spread, the purchase and the last included."""
    return np.unique(np.round(np.linspace(0, sessions, min(sessions, FAN_MARKS) + 1)).astype(np.int64))


def _common_history(generator: Generator, runners: Mapping[str, PathRunner]) -> History:
    if not runners:
        raise StudyError("no portfolio to simulate")
    histories = [runner.history for runner in runners.values()]
    if any(not one.dates.equals(histories[0].dates) for one in histories):
        raise StudyError("the portfolios are prepared for different horizons")
    if any(tuple(runner.names) != tuple(generator.names) for runner in runners.values()):
        raise StudyError(
            f"the paths are of {', '.join(generator.names)}, and a portfolio is prepared for other indices"
        )
    return histories[0]


def _run_chunk(
    generator: Generator,
    runners: Mapping[str, PathRunner],
    seed: int,
    first: int,
    last: int,
    marks: Ints,
    stop: Event,
) -> tuple[dict[str, PathResults], int]:
    """Run the paths from `first` up to `last`, a batch at a time; the generator's hits come with the results."""
    sessions = len(next(iter(runners.values())).history.dates) - 1
    parts: dict[str, list[PathResults]] = {name: [] for name in runners}
    known: FloatArray | None = None
    hits = 0
    moves: dict[str, FloatArray] = {}
    for start, count in _batches(first, last, sessions):
        if stop.is_set():
            return {}, hits
        drawn = generator.draw(seed, start, count, sessions)
        hits += drawn.hits
        if drawn.table is not known:
            known, moves = drawn.table, {name: runner.moves(drawn.table) for name, runner in runners.items()}
        for name, runner in runners.items():
            parts[name].append(runner.run(moves[name], drawn.rows, marks if first < FAN_PATHS else marks[:0]))
    return {name: _joined(each) for name, each in parts.items()}, hits


def _batches(first: int, last: int, sessions: int) -> Iterator[tuple[int, int]]:
    size = max(1, BATCH // sessions)
    for start in range(first, last, size):
        yield start, min(size, last - start)


def _joined(parts: list[PathResults]) -> PathResults:
    names = list(PathResults.__dataclass_fields__)
    return PathResults(**{name: np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in names})


def _in_threads(
    run: Callable[[int], int],
    firsts: range,
    paths: int,
    workers: int | None,
    stop: Event,
    progress: Callable[[str], None] | None,
) -> None:
    """Run every chunk; on an error or Ctrl-C stop the others at their next batch."""
    done = 0
    if progress is not None:
        progress("preparing the simulation (the first on a machine compiles it, which takes some seconds)")
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        try:
            futures = [pool.submit(run, first) for first in firsts]
            for future in as_completed(futures):
                done += future.result()
                if progress is not None:
                    progress(f"simulating: {done:,} of {paths:,} paths")
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@dataclass
class _Book:
    """What is written down of one portfolio."""

    history: History
    tallies: dict[str, Tally]
    active: Tally | None
    over: Tally | None
    fan: FloatArray
    counts: dict[int, tuple[int, int, int]]

    @classmethod
    def of(cls, paths: int, runner: PathRunner, marks: int, *, compared: bool, beside: bool) -> _Book:
        sessions = len(runner.history.dates) - 1
        bins = dict(zip(FIGURES, (MULTIPLES, MULTIPLES, RATES, FALLS, SHARES, counting(sessions)), strict=True))
        if not (runner.plan.flows.amount.any() or runner.plan.flows.share.any()):
            del bins["growth"]
        return cls(
            runner.history,
            {name: Tally.of(paths, each) for name, each in bins.items()},
            Tally.of(paths, RATES) if compared else None,
            Tally.of(paths, RATES) if beside else None,
            np.empty((marks, min(paths, FAN_PATHS))),
            {},
        )

    def put(self, first: int, one: PathResults, other: PathResults | None, own: PathResults) -> None:
        life = lived(one, self.history)
        cagr = cagr_of(one, self.history)
        figures = (one.value, one.growth, cagr, one.max_drawdown, one.under_water / np.maximum(life, 1), one.longest)
        for name, values in zip(FIGURES, figures, strict=True):
            if name in self.tallies:
                self.tallies[name].put(first, values)
        if self.over is not None:
            self.over.put(first, cagr - cagr_of(own, self.history))
        trailing = 0
        if other is not None and self.active is not None:
            self.active.put(first, cagr - cagr_of(other, self.history))
            trailing = int(trails(one, other, self.history).sum())
        if len(one.marked):
            self.fan[:, first : first + one.marked.shape[1]] = one.marked
        self.counts[first] = (int((one.end >= 0).sum()), int((one.max_drawdown <= -0.5).sum()), trailing)

    def outcome(self, paths: int) -> Outcome:
        ruined, halved, _ = (sum(each) for each in zip(*self.counts.values(), strict=True))
        return Outcome(
            {name: tally.distribution() for name, tally in self.tallies.items()},
            share_of(ruined, paths),
            share_of(halved, paths),
            *fan_of(self.fan),
        )

    def against(self, paths: int) -> Against:
        assert self.active is not None
        return Against(self.active.distribution(), share_of(sum(each[2] for each in self.counts.values()), paths))


def fan_of(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the quantiles `FAN` of values at marks, shape (marks, paths), and their standard errors (method M10)."""
    return quantiles_with_errors(lambda shares: np.quantile(values, shares, axis=1).T, np.array(FAN), values.shape[1])


def lived(found: PathResults, history: History) -> Ints:
    """Return the last session of each path: of one that a withdrawal exhausted that session, else the horizon's."""
    n = len(history.dates)
    return np.where(found.end >= n, found.end - n, n - 1).astype(np.int64)


def trails(one: PathResults, other: PathResults, history: History) -> NDArray[np.bool_]:
    """Mark the paths on which one is exhausted before the other or, where neither is, grows less (method M10)."""
    own, base = lived(one, history), lived(other, history)
    return np.asarray((own < base) | ((own == base) & (one.growth < other.growth)), dtype=np.bool_)


def cagr_of(found: PathResults, history: History) -> FloatArray:
    """Return the yearly growth of each path; of one that ended by a withdrawal, up to then."""
    days = history.days.cumsum()
    years = np.maximum(days[lived(found, history)], 1.0) / DAYS_A_YEAR
    return np.asarray(found.growth ** (1.0 / years) - 1.0)
