"""Signals on 50 years of daily levels: all measures, the simulated null, and cross-validation of 1,000 variants."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from itertools import combinations, islice
from typing import TYPE_CHECKING

import numpy as np

from bench.measure import Measurement, Result, median_time

if TYPE_CHECKING:
    import alphaoverlay as ao

SESSIONS, VARIANTS, TWENTY_YEARS = 12_600, 1_000, 5_040
RESAMPLES = 2_000


def signal_measurements() -> Iterator[Measurement]:
    """Yield the measurements of signals."""
    every = "all signals, 50 years, one pair"
    yield Measurement(every, lambda: Result(every, _measures(), "s", 0.1))
    null = f"simulated null, {RESAMPLES:,} resamples of 50 years"
    yield Measurement(null, lambda: Result(null, _null(), "s", 10.0))
    validation = f"CSCV, {VARIANTS:,} variants x 20 years"
    yield Measurement(validation, lambda: Result(validation, _validation(), "s", 10.0, "NumPy by halves", _by_halves()))


@cache
def _pair() -> ao.Pair:
    import pandas as pd

    import alphaoverlay as ao

    days = pd.bdate_range("1971-02-05", periods=SESSIONS)
    moves = np.random.default_rng(6).multivariate_normal([3e-4, 3e-4], [[1e-4, 7e-5], [7e-5, 1.4e-4]], SESSIONS)
    levels = pd.DataFrame(100.0 * np.exp(np.cumsum(moves, axis=0)), index=days, columns=["A", "B"])
    return ao.Pair.of(levels)


def _measures() -> float:
    import alphaoverlay as ao

    pair = _pair()

    def run() -> None:
        ao.measure_all(pair)
        ao.find_corrections(pair.long)
        ao.follow_signal(pair, ao.TacticalRule())

    return median_time(run)


def _null() -> float:
    import alphaoverlay as ao

    return median_time(lambda: ao.examine_signal(_pair(), ao.TacticalRule(), resamples=RESAMPLES), 3)


def _validation() -> float:
    import alphaoverlay as ao

    returns = np.random.default_rng(7).normal(0.0, 0.01, (TWENTY_YEARS, VARIANTS))
    return median_time(lambda: ao.cross_validate(returns), 3)


def _by_halves(halves: int = 10) -> float:
    """The same by NumPy, one half after another; timed on some of the 12,870."""
    returns = np.random.default_rng(7).normal(0.0, 0.01, (TWENTY_YEARS, VARIANTS))
    blocks = returns[: TWENTY_YEARS // 16 * 16].reshape(16, -1, VARIANTS)

    def run() -> None:
        for chosen in islice(combinations(range(16), 8), halves):
            rest = [k for k in range(16) if k not in chosen]
            inside, outside = (blocks[list(part)].reshape(-1, VARIANTS) for part in (chosen, rest))
            best = int((inside.mean(axis=0) / inside.std(axis=0, ddof=1)).argmax())
            ratios = outside.mean(axis=0) / outside.std(axis=0, ddof=1)
            (ratios <= ratios[best]).mean()

    return median_time(run, 1) / halves * math.comb(16, 8)
