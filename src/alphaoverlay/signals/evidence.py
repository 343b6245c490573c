"""Whether a signal ever worked: what followed it, against what chance gives (method M11)."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import pandas as pd

from alphaoverlay.analysis.bootstrap import stationary_indices
from alphaoverlay.engine._jit import compiled_kernels
from alphaoverlay.errors import StudyError
from alphaoverlay.history import FloatArray, counted
from alphaoverlay.signals import _kernels
from alphaoverlay.signals.relative_value import HORIZON, Pair
from alphaoverlay.signals.tactical import Reason, Tactical, TacticalRule, follow_signal

RESAMPLES = 2000
BLOCK = 21
# Blocks must be far shorter than the window, or they carry what the null takes away.
BLOCKS_A_WINDOW = 10
FEW_EPISODES = 8
LEVEL, STRICT_LEVEL = 0.05, 0.01
CHUNK = 64
MOST_SEED = 2**63 - 1
Verdict = Literal["cannot be told", "paid more than chance", "paid less than chance", "not told from chance"]


@dataclass(frozen=True)
class Episode:
    """One occurrence of the signal and what followed.

    Attributes
    ----------
    entry : close at which it began.
    exit, reason : close at which the rule ended it, and why; None while it lasts.
    difference, percentile : on entry.
    outcome : relative return over the horizon from the close after entry; None where it is not over.
    to_exit : relative return from the close after entry to the close after exit, or to the last close known; None
        where the signal came at the last close.
    independent : whether it began after the independent one before it had ended; only those with an outcome count.
    """

    entry: pd.Timestamp
    exit: pd.Timestamp | None
    reason: Reason | None
    difference: float
    percentile: float
    outcome: float | None
    to_exit: float | None
    independent: bool


@dataclass(frozen=True)
class Regression:
    """The outcome on being on, with Newey-West errors, and how often such a test rejects where nothing is to be found.

    Attributes
    ----------
    slope, t, p_value : None where the signal was always on, or never.
    size : share of the resamples with p below 5%; 5% is what it should be.
    lags : of the Bartlett weights.
    """

    slope: float | None
    t: float | None
    p_value: float | None
    size: float | None
    lags: int


@dataclass(frozen=True)
class Evidence:
    """What followed a signal, and how sure one can be.

    Attributes
    ----------
    horizon : sessions of an outcome.
    episodes : every occurrence.
    independent : how many of them count.
    mean_after, base_rate : mean outcome after those, and after any close; None without any.
    gained, base_gained : share of them above 0.
    p_value : of `mean_after - base_rate` under the simulated null, two-sided; None without episodes.
    interval : 95%, for `mean_after` without what chance adds: it holds the base rate where p is above 5%; None without
        episodes.
    null_interval : what chance gives for `mean_after - base_rate`, middle 95%.
    null_mean : and on average.
    regression : for comparison.
    resamples, unused : drawn, and those of them in which the signal never came.
    block, seed : of the resampling.
    verdict, sentence : what a careful reader may say.
    """

    horizon: int
    episodes: tuple[Episode, ...]
    independent: int
    mean_after: float | None
    base_rate: float | None
    gained: float | None
    base_gained: float | None
    p_value: float | None
    interval: tuple[float, float] | None
    null_interval: tuple[float, float] | None
    null_mean: float | None
    regression: Regression
    resamples: int
    unused: int
    block: int
    seed: int
    verdict: Verdict
    sentence: str


@dataclass(frozen=True)
class Outcomes:
    """What followed a signal, before any judgement.

    Attributes
    ----------
    tactical : the signal.
    outcome : n values, NaN where the horizon is not over.
    independent : one a spell.
    figures : number, mean after, base rate, HAC slope and its error, shape (5,).
    """

    tactical: Tactical
    outcome: FloatArray
    independent: tuple[bool, ...]
    figures: FloatArray

    @property
    def number(self) -> int:
        """Independent episodes with a known outcome."""
        return int(self.figures[0])

    @property
    def mean_after(self) -> float:
        """Their mean outcome; NaN without any."""
        return float(self.figures[1])

    @property
    def base_rate(self) -> float:
        """Mean outcome of all closes with a percentile; NaN without any."""
        return float(self.figures[2])


def outcomes_of(pair: Pair, rule: TacticalRule, horizon: int = HORIZON) -> Outcomes:
    """Follow a signal through a pair's history and see what came after; errors as `examine_signal`."""
    if horizon < 1:
        raise StudyError(f"horizon = {horizon}: write 1 or more sessions")
    tactical = follow_signal(pair, rule)
    long, short = pair.arrays
    n, number = len(long), len(tactical.spells)
    outcome, kept, figures = np.empty(n), np.zeros(number, dtype=np.bool_), np.empty(5)
    spans = np.array(
        [(one.entry, -1 if one.exit is None else one.exit, 0) for one in tactical.spells], dtype=np.int64
    ).reshape(number, 3)
    _kernels.outcomes(long, short, horizon, outcome)
    _kernels.independent(spans, number, horizon, kept)
    ranked = tactical.percentile.to_numpy(dtype=np.float64)
    _kernels.judge(ranked, outcome, spans, number, kept, horizon, figures)
    return Outcomes(tactical, outcome, tuple(kept.tolist()), figures)


def examine_signal(
    pair: Pair,
    rule: TacticalRule,
    horizon: int = HORIZON,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Evidence:
    """Judge a signal by what followed it, against resampled histories in which nothing can be found.

    Parameters
    ----------
    pair, rule : the signal.
    horizon : sessions of an outcome.
    resamples : histories to draw; 0 leaves the null, and with it p-value and intervals, out.
    seed : of the draws.
    progress : told how far the resampling is.

    Raises
    ------
    SpanError, StudyError : as `follow_signal`.
    """
    if not 0 <= seed <= MOST_SEED:
        raise StudyError(f"seed = {seed}: write 0 to {MOST_SEED:,}")
    found = outcomes_of(pair, rule, horizon)
    block = max(1, min(BLOCK, rule.window // BLOCKS_A_WINDOW))
    null = simulate_null(pair, rule, horizon, block, resamples, seed, progress)
    usable = null[null[:, 0] > 0]
    chance = usable[:, 1] - usable[:, 2]
    excess = found.mean_after - found.base_rate
    told = found.number > 0 and len(chance) > 0
    p_value = _p_value(excess, chance) if told else None
    low, high = (float(np.quantile(chance, share)) for share in (0.025, 0.975)) if len(chance) else (0.0, 0.0)
    middle = float(chance.mean()) if len(chance) else 0.0
    above = bool((chance >= excess).sum() < (chance <= excess).sum())
    verdict = _verdict(found.number, p_value, above=above)
    return Evidence(
        horizon=horizon,
        episodes=_episodes(pair, found),
        independent=found.number,
        mean_after=_known(found.mean_after),
        base_rate=_known(found.base_rate),
        gained=_share_gained(_counted(found)),
        base_gained=_share_gained(_based(found)),
        p_value=p_value,
        interval=(found.mean_after - high, found.mean_after - low) if told else None,
        null_interval=(low, high) if len(chance) else None,
        null_mean=middle if len(chance) else None,
        regression=_regression(found.figures, null, horizon),
        resamples=resamples,
        unused=resamples - len(usable),
        block=block,
        seed=seed,
        verdict=verdict,
        sentence=_sentence(pair, found, p_value, verdict, horizon, resamples),
    )


def simulate_null(
    pair: Pair,
    rule: TacticalRule,
    horizon: int,
    block: int,
    resamples: int,
    seed: int,
    progress: Callable[[str], None] | None = None,
) -> FloatArray:
    """Return the figures of `Outcomes` on resampled histories, shape (resamples, 5).

    Joint daily returns are drawn in stationary blocks; levels, signal and trailing thresholds are built anew. A
    resample is the same whatever the number of threads.
    """
    kernel = compiled_kernels(_kernels)["judge_resample"]
    gross = [one[1:] / one[:-1] for one in pair.arrays]
    terms, out = rule.compile(), np.empty((resamples, 5))
    n = len(gross[0])

    def run(first: int) -> int:
        last = min(first + CHUNK, resamples)
        for path in range(first, last):
            kernel(gross[0], gross[1], stationary_indices(n, block, seed, path), terms, horizon, out[path])
        return last

    if resamples:
        run(0)  # compiles in one thread
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for last in pool.map(run, range(CHUNK, resamples, CHUNK)):
            if progress is not None:
                progress(f"chance: {last:,} of {resamples:,} resampled histories")
    return out


def _p_value(found: float, null: FloatArray) -> float:
    """Two-sided; never 0, because what was found is one of the draws."""
    beyond = min(int((null >= found).sum()), int((null <= found).sum()))
    return min(1.0, 2.0 * (1 + beyond) / (1 + len(null)))


def _verdict(number: int, p_value: float | None, *, above: bool) -> Verdict:
    if p_value is None or (number < FEW_EPISODES and p_value >= STRICT_LEVEL):
        return "cannot be told"
    if p_value >= LEVEL:
        return "not told from chance"
    return "paid more than chance" if above else "paid less than chance"


def _sentence(
    pair: Pair, found: Outcomes, p_value: float | None, verdict: Verdict, horizon: int, resamples: int
) -> str:
    """The verdict with what it rests on, for a reader who was not there."""
    years = counted(max(round(len(pair.long) / 252.0), 1), "year")
    if found.number == 0:
        return (
            f"It cannot be told from this data whether the signal works: in {years} it has no episode whose "
            f"{counted(horizon, 'session')} are over."
        )
    many = f"{counted(found.number, 'independent episode')} in {years}"
    paid = (
        f"{pair.long.name} returned {_points(found.mean_after)} points against {pair.short.name} over the {horizon:,} "
        f"sessions after, {_points(found.base_rate)} after any day"
    )
    if p_value is None:
        why = "nothing was resampled" if not resamples else "no resampled history has an episode"
        return f"{many}: {paid}; {why}, so it cannot be told from this data whether that is chance."
    odds = f"p = {p_value:.2g} against resampled histories in which the past says nothing"
    head = {
        "cannot be told": "It cannot be told from this data whether the signal works",
        "not told from chance": "What followed the signal cannot be told apart from chance",
        "paid more than chance": "What followed the signal is more than chance explains",
        "paid less than chance": "What followed the signal is worse than chance explains",
    }[verdict]
    return f"{head}: in {many}, {paid} ({odds})."


def _points(value: float) -> str:
    return f"{100.0 * value:+.1f}"


def _regression(figures: FloatArray, null: FloatArray, lags: int) -> Regression:
    slope, error = float(figures[3]), float(figures[4])
    with np.errstate(invalid="ignore", divide="ignore"):
        by_chance = np.abs(null[:, 3] / null[:, 4])
    by_chance = by_chance[np.isfinite(by_chance)]
    size = float((by_chance > NormalDist().inv_cdf(1.0 - LEVEL / 2.0)).mean()) if len(by_chance) else None
    if not error > 0.0:
        return Regression(_known(slope), None, None, size, lags)
    t = slope / error
    return Regression(slope, t, 2.0 * NormalDist().cdf(-abs(t)), size, lags)


def _counted(found: Outcomes) -> FloatArray:
    entries = [one.entry for one, counts in zip(found.tactical.spells, found.independent, strict=True) if counts]
    paid = found.outcome[entries]
    return np.asarray(paid[~np.isnan(paid)])


def _based(found: Outcomes) -> FloatArray:
    known = ~np.isnan(found.tactical.percentile.to_numpy(dtype=np.float64)) & ~np.isnan(found.outcome)
    return np.asarray(found.outcome[known])


def _share_gained(paid: FloatArray) -> float | None:
    return float((paid > 0.0).mean()) if len(paid) else None


def _episodes(pair: Pair, found: Outcomes) -> tuple[Episode, ...]:
    tactical, dates = found.tactical, pair.dates
    long, short = pair.arrays

    def relative(first: int, last: int) -> float | None:
        return None if first >= len(long) else float(long[last] / long[first] - short[last] / short[first])

    return tuple(
        Episode(
            entry=dates[one.entry],
            exit=None if one.exit is None else dates[one.exit],
            reason=one.reason,
            difference=float(tactical.difference.iloc[one.entry]),
            percentile=float(tactical.percentile.iloc[one.entry]),
            outcome=_known(float(found.outcome[one.entry])),
            to_exit=relative(one.entry + 1, len(long) - 1 if one.exit is None else min(one.exit + 1, len(long) - 1)),
            independent=counts,
        )
        for one, counts in zip(tactical.spells, found.independent, strict=True)
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
