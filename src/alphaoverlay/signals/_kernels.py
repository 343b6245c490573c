"""Loops of signals (method M11): plain Python that numba compiles unchanged (see engine/_jit.py).

Each array has one value a session. `spells` has one row a spell: entry, exit (-1 while it lasts) and reason.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alphaoverlay.signals.terms import Terms

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

ROUNDING = 1e-12
BY_PERCENTILE, BY_PROFIT, BY_STOP, BY_LIMIT = 0, 1, 2, 3


def difference(long: Floats, short: Floats, window: int, out: Floats) -> None:
    """Return of the long leg minus the short one's over the window; NaN before there is one."""
    for t in range(len(long)):
        out[t] = math.nan if t < window else long[t] / long[t - window] - short[t] / short[t - window]


def count_to(tree: Ints, position: int) -> int:
    """How many are held at positions 1 to `position` of a Fenwick tree."""
    held = 0
    while position > 0:
        held += tree[position]
        position -= position & -position
    return held


def count_in(tree: Ints, position: int, change: int) -> None:
    """Add or take away one at a position of a Fenwick tree."""
    while position < len(tree):
        tree[position] += change
        position += position & -position


def percentile(values: Floats, lookback: int, fewest: int, out: Floats) -> None:
    """Rank of each value among those of its lookback, from 0 to 1, ties by half; NaN where undefined."""
    n = len(values)
    first = 0
    while first < n and math.isnan(values[first]):
        out[first] = math.nan
        first += 1
    known = values[first:]
    order = np.argsort(known)
    rank = np.zeros(len(known), np.int64)
    distinct = 0
    for k in range(len(known)):
        if k == 0 or known[order[k]] > known[order[k - 1]]:
            distinct += 1
        rank[order[k]] = distinct
    tree = np.zeros(distinct + 1, np.int64)
    held = 0
    for t in range(len(known)):
        count_in(tree, rank[t], 1)
        held += 1
        if 0 < lookback < held:
            count_in(tree, rank[t - lookback], -1)
            held -= 1
        below = count_to(tree, rank[t] - 1)
        same = count_to(tree, rank[t]) - below
        if held < max(fewest, lookback) or same == held:
            out[first + t] = math.nan
        else:
            out[first + t] = (below + 0.5 * (same - 1)) / (held - 1)


def confirmed(long: Floats, short: Floats, kind: int, span: int, out: Bools) -> None:
    """Whether the trend of the ratio (1) or the spread's momentum (2) is above 0; always where nothing is asked (0)."""
    for t in range(len(long)):
        if kind == 0:
            out[t] = True
        elif kind == 1:
            # Summed anew each time: a running sum would drift, and a ratio that stands still have a trend.
            total = 0.0
            for k in range(max(t + 1 - span, 0), t + 1):
                total += long[k] / short[k] - long[t] / short[t]
            out[t] = t + 1 >= span and total < -ROUNDING * span * (long[t] / short[t])
        else:
            out[t] = t >= span and long[t] / long[t - span] > short[t] / short[t - span]


def step_size(p: float, terms: Terms) -> float:
    """Size of the deepest step reached at percentile p; below 0 where none is."""
    found = -1.0
    for k in range(len(terms.at)):
        if terms.sign * (p - terms.at[k]) <= 0.0:
            found = terms.size[k]
    return found


def trade_signal(
    ranked: Floats, long: Floats, short: Floats, allowed: Bools, terms: Terms, sizes: Floats, spells: Ints
) -> int:
    """Size decided at each close, and the spells; return their number."""
    number = 0
    entry = -1
    free_from = 0
    size = terms.rest
    for t in range(len(ranked)):
        p = ranked[t]
        if entry < 0:
            reached = step_size(p, terms) if t >= free_from and allowed[t] else -1.0
            if reached >= 0.0:
                entry = t
                size = reached
                spells[number, 0] = t
                spells[number, 1] = -1
                spells[number, 2] = -1
                number += 1
        else:
            gain = long[t] / long[entry] - short[t] / short[entry]
            reason = -1
            if terms.sign * (p - terms.exit) >= 0.0:
                reason = BY_PERCENTILE
            elif gain >= terms.profit:
                reason = BY_PROFIT
            elif gain <= -terms.stop:
                reason = BY_STOP
            elif t - entry >= terms.limit:
                reason = BY_LIMIT
            if reason >= 0:
                spells[number - 1, 1] = t
                spells[number - 1, 2] = reason
                entry = -1
                free_from = t + 1 + terms.cooldown
                size = terms.rest
            else:
                size = max(size, step_size(p, terms))
        sizes[t] = size
    return number


def outcomes(long: Floats, short: Floats, horizon: int, out: Floats) -> None:
    """Relative return over the horizon from the close after each; NaN where it is not over."""
    n = len(long)
    for t in range(n):
        a, b = t + 1, t + 1 + horizon
        out[t] = math.nan if b >= n else long[b] / long[a] - short[b] / short[a]


def independent(spells: Ints, number: int, horizon: int, kept: Bools) -> None:
    """Mark the first spell, and then each first one that begins after the one before it has ended."""
    free_from = 0
    for k in range(number):
        kept[k] = free_from >= 0 and spells[k, 0] >= free_from
        if kept[k]:
            end = max(spells[k, 1], spells[k, 0] + 1 + horizon)
            free_from = -1 if spells[k, 1] < 0 else end + 1


def hac_slope(on: Floats, outcome: Floats, lags: int) -> tuple[float, float]:
    """Slope of the outcome on being on, and its Newey-West standard error; NaN where it is always on, or never.

    The Bartlett sum of autocovariances is the mean square of sums over windows of `lags + 1`, zeros around them.
    """
    m = len(on)
    mean_on, mean_out = 0.0, 0.0
    for k in range(m):
        mean_on += on[k] / m
        mean_out += outcome[k] / m
    spread, common = 0.0, 0.0
    for k in range(m):
        spread += (on[k] - mean_on) * (on[k] - mean_on)
        common += (on[k] - mean_on) * (outcome[k] - mean_out)
    if spread <= 1e-9:
        return math.nan, math.nan
    slope = common / spread
    score = np.zeros(m)
    for k in range(m):
        score[k] = (on[k] - mean_on) * (outcome[k] - mean_out - slope * (on[k] - mean_on))
    window, squares = 0.0, 0.0
    for k in range(m + lags):
        if k < m:
            window += score[k]
        if k > lags:
            window -= score[k - lags - 1]
        squares += window * window
    return slope, math.sqrt(squares / (lags + 1)) / spread


def judge(ranked: Floats, outcome: Floats, spells: Ints, number: int, kept: Bools, horizon: int, found: Floats) -> None:
    """Write n, the mean outcome after independent entries, the base rate, the HAC slope and its error to `found`."""
    n = len(ranked)
    known = 0
    for t in range(n):
        if not (math.isnan(ranked[t]) or math.isnan(outcome[t])):
            known += 1
    on, after = np.zeros(known), np.zeros(known)
    spell, at, base = 0, 0, 0.0
    for t in range(n):
        while spell < number and 0 <= spells[spell, 1] <= t:
            spell += 1
        if not (math.isnan(ranked[t]) or math.isnan(outcome[t])):
            on[at] = 1.0 if spell < number and spells[spell, 0] <= t else 0.0
            after[at] = outcome[t]
            base += outcome[t]
            at += 1
    count, total = 0, 0.0
    for k in range(number):
        paid = outcome[spells[k, 0]]
        if kept[k] and not math.isnan(paid):
            count += 1
            total += paid
    found[0] = count
    found[1] = total / count if count > 0 else math.nan
    found[2] = base / known if known > 0 else math.nan
    found[3], found[4] = hac_slope(on, after, horizon)


def judge_path(long: Floats, short: Floats, terms: Terms, horizon: int, found: Floats) -> None:
    """From two levels to the figures of `judge`."""
    n = len(long)
    gap, ranked, sizes, outcome = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    allowed, kept = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    spells = np.zeros((n, 3), np.int64)
    difference(long, short, terms.window, gap)
    percentile(gap, terms.lookback, terms.fewest, ranked)
    confirmed(long, short, terms.confirm, terms.confirm_span, allowed)
    number = trade_signal(ranked, long, short, allowed, terms, sizes, spells)
    outcomes(long, short, horizon, outcome)
    independent(spells, number, horizon, kept)
    judge(ranked, outcome, spells, number, kept, horizon, found)


def judge_resample(
    gross_long: Floats, gross_short: Floats, picked: Ints, terms: Terms, horizon: int, found: Floats
) -> None:
    """`judge_path` of levels that start at 1 and grow by the picked sessions' gross returns."""
    n = len(picked)
    long, short = np.ones(n + 1), np.ones(n + 1)
    for t in range(n):
        long[t + 1] = long[t] * gross_long[picked[t]]
        short[t + 1] = short[t] * gross_short[picked[t]]
    judge_path(long, short, terms, horizon, found)
