"""Pairs of levels for tests of signals: walks, coarse levels full of ties, levels that stand still, jumps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from tests import second_signals

from alphaoverlay.history import FloatArray
from alphaoverlay.signals.relative_value import FEWEST, Pair
from alphaoverlay.signals.tactical import TacticalRule

DAYS = pd.bdate_range("1970-01-01", periods=12_000)
KINDS = ("walk", "coarse", "quiet", "constant", "jumps")
# A grid that binary numbers meet exactly, so that p and 1 - p are exact.
GRID = [k / 16 for k in range(17)]


def series(values: ArrayLike, name: str = "") -> pd.Series:
    """Values on consecutive weekdays."""
    numbers = np.asarray(values, dtype=np.float64)
    return pd.Series(numbers, index=DAYS[: len(numbers)], name=name)


def pair_of(long: ArrayLike, short: ArrayLike) -> Pair:
    """Two legs called LONG and SHORT."""
    return Pair(series(long, "LONG"), series(short, "SHORT"))


def numbers(values: pd.Series) -> FloatArray:
    """The values of a series."""
    return values.to_numpy(dtype=np.float64)


def made_levels(random: np.random.Generator, n: int, kind: str) -> FloatArray:
    """Levels of a kind. Coarse ones are powers of two: every ratio is exact and most are tied."""
    if kind == "constant":
        return np.full(n, 3.0)
    if kind == "coarse":
        steps = random.integers(-1, 2, n)
        return np.exp2(np.clip(np.cumsum(steps), -3, 3))
    moves = random.standard_t(2, n) * 0.05 if kind == "jumps" else random.standard_normal(n) * 0.01
    if kind == "quiet":
        moves[random.random(n) < 0.9] = 0.0
    return np.exp(np.cumsum(np.clip(moves, -1.0, 1.0)))


def walks(seed: int, n: int, deviation: float = 0.01) -> Pair:
    """Two independent random walks."""
    return pair_of(*np.exp(np.cumsum(deviation * np.random.default_rng(seed).standard_normal((2, n)), axis=1)))


@st.composite
def pairs(draw: st.DrawFn, least: int = 1, most: int = 60, kinds: Sequence[str] = KINDS) -> Pair:
    """Two legs, each of any kind, or twice the same."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(least, most))
    long = made_levels(random, n, draw(st.sampled_from(kinds)))
    same = draw(st.integers(0, 19)) == 0
    return pair_of(long, long if same else made_levels(random, n, draw(st.sampled_from(kinds))))


def long_pairs(kinds: Sequence[str] = KINDS) -> st.SearchStrategy[Pair]:
    """Pairs with enough sessions for percentiles."""
    return pairs(FEWEST + 2, FEWEST + 110, kinds)


@st.composite
def ranks(draw: st.DrawFn, n: int) -> FloatArray:
    """Percentiles on the grid; unknown at first and, seldom, in between."""
    found = np.array(draw(st.lists(st.sampled_from(GRID), min_size=n, max_size=n)))
    found[: draw(st.integers(0, n))] = math.nan if draw(st.booleans()) else 0.5
    if draw(st.booleans()):
        found[np.random.default_rng(draw(st.integers(0, 2**32))).random(n) < 0.2] = math.nan
    return found


@st.composite
def rules(draw: st.DrawFn, window: int = 5, lookback: int | None = None) -> TacticalRule:
    """Any rule with thresholds on the grid; deeper steps are larger."""
    enter, leave = draw(st.lists(st.sampled_from(GRID), min_size=2, max_size=2, unique=True))
    low = enter < leave
    deeper = sorted((p for p in GRID if (p < enter if low else p > enter)), reverse=low)
    more = draw(st.integers(0, min(3, len(deeper))))
    chosen = sorted(draw(st.permutations(range(len(deeper))))[:more])
    some = st.lists(st.sampled_from([0.25, 0.5, 1.0, 2.0]), min_size=more + 1, max_size=more + 1, unique=True)
    sizes = sorted(draw(some))
    steps = tuple(zip([enter, *(deeper[i] for i in chosen)], sizes, strict=True))
    gain = st.none() | st.sampled_from([0.005, 0.02, 0.125, 0.5])
    return TacticalRule(
        window=window,
        lookback=lookback,
        enter=enter,
        exit=leave,
        steps=steps if draw(st.booleans()) else (),
        profit_target=draw(gain),
        stop=draw(gain),
        time_limit=draw(st.none() | st.integers(1, 12)),
        cooldown=draw(st.integers(0, 6)),
        rest=draw(st.sampled_from([0.0, 0.0, 0.5, 1.5])),
    )


def second_spells(
    rule: TacticalRule,
    percentile: Sequence[float] | FloatArray,
    long: Sequence[float] | FloatArray,
    short: Sequence[float] | FloatArray,
    allowed: Sequence[bool] | None = None,
) -> tuple[list[float], list[second_signals.Spell]]:
    """Sizes and spells of a rule by the second implementation."""
    return second_signals.spells(
        [float(p) for p in percentile],
        [float(one) for one in long],
        [float(one) for one in short],
        enter=rule.enter,
        exit=rule.exit,
        profit_target=rule.profit_target,
        stop=rule.stop,
        time_limit=rule.time_limit,
        cooldown=rule.cooldown,
        steps=rule.steps,
        rest=rule.rest,
        allowed=allowed,
    )
