"""One portfolio on many simulated paths (method M10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alphaoverlay.engine._kernels.costs import NOISE, settle
from alphaoverlay.engine._kernels.loop import run_path

if TYPE_CHECKING:
    from alphaoverlay.engine.plan import Ints, Plan, Walk
    from alphaoverlay.history import FloatArray as Floats


def carry_four(
    first: int, last: int, g: int, moves: Floats, taken: Floats, row: Ints, held: Floats, out: Floats
) -> None:
    """Earn the sessions from `first` up to `last` on the funds of four g: `out` becomes the worth of all fours so far.

    Four numbers that stay in registers are several times as fast as an array of any length.
    """
    # An index that cannot be negative needs no look at whether it counts from the end.
    first = first if first > 0 else 1
    g = g if g > 0 else 0
    at = 4 * g
    a, b, c, d = held[at], held[at + 1], held[at + 2], held[at + 3]
    for t in range(first, last):
        k = row[t - 1]
        r = moves[g, k, 0] - taken[g, t, 0]
        s = moves[g, k, 1] - taken[g, t, 1]
        u = moves[g, k, 2] - taken[g, t, 2]
        v = moves[g, k, 3] - taken[g, t, 3]
        a *= 1.0 + (r if r > -1.0 else -1.0)
        b *= 1.0 + (s if s > -1.0 else -1.0)
        c *= 1.0 + (u if u > -1.0 else -1.0)
        d *= 1.0 + (v if v > -1.0 else -1.0)
        if g > 0:
            out[t] = out[t] + a + b + c + d
        else:
            out[t] = a + b + c + d
    held[at], held[at + 1], held[at + 2], held[at + 3] = a, b, c, d


def walk_path(walk: Walk, moves: Floats, row: Ints, goal: Floats, held: Floats, out: Floats) -> float:
    """Carry a portfolio along one path: one tranche, calendar trades, proportional costs; return its cash at the end.

    What it does to the portfolio is what `run_path` would do, bit for bit; from a ruin on, `out` means nothing.
    `row` (n - 1,) says which row of `moves` is the session after the purchase, the next, and so on. Filled: `held` (m,)
    at the end and `out` (n,), the value at each close. The targets of funds that lost everything become 0 in `goal`.
    """
    m = goal.shape[0]
    n = out.shape[0]
    cash = 0.0
    out[0] = 1.0
    for i in range(m):
        goal[i] = walk.goal[i]
        held[i] = 0.0
    for k in range(walk.stops.shape[0]):
        t = walk.stops[k]
        if t > 0:
            for i in range(m):
                goal[i] = goal[i] if held[i] > 0.0 else 0.0
        after = settle(out[t], held, goal, walk.rates[t])
        aimed = 0.0
        for i in range(m):
            held[i] = after * goal[i]
            aimed += goal[i]
        spare = 1.0 - aimed
        cash = after * spare if spare > NOISE or spare < -NOISE else 0.0
        out[t] = after
        last = walk.stops[k + 1] + 1 if k + 1 < walk.stops.shape[0] else n
        for g in range(moves.shape[0]):
            carry_four(t + 1, last, g, moves, walk.taken, row, held, out)
        if cash != 0.0:
            accrued = walk.lend if cash > 0.0 else walk.borrow
            for j in range(t + 1, last):
                cash = cash * (1.0 + accrued[j])
                out[j] += cash
    return cash


def measure_path(growth: Floats, found: Floats) -> int:
    """Measure a path: deepest drawdown, sessions under water, their longest run (method M10).

    Returns the session on which nothing is left, or -1; from then on it is under water.
    """
    before = 1.0
    peak = 1.0
    worst = 1.0
    under = 0
    longest = 0
    since = 0
    end = -1
    for t in range(growth.shape[0]):
        total = growth[t]
        if total >= peak:
            peak = total
            gap = t - since - 1
            if gap > 0:
                under += gap
                longest = gap if gap > longest else longest
            since = t
        elif total <= NOISE * before:
            worst = 0.0
            end = t
            break
        elif total < worst * peak:
            worst = total / peak
        before = total
    gap = growth.shape[0] - 1 - since
    under += gap
    found[2] = worst - 1.0
    found[3] = under
    found[4] = gap if gap > longest else longest
    return end


def note_path(values: Floats, marks: Ints, p: int, out: Floats) -> None:
    """Write down the values of path p at the marked sessions, (marks, paths)."""
    for k in range(marks.shape[0]):
        out[k, p] = values[marks[k]]


def run_walks(
    walk: Walk, moves: Floats, rows: Ints, marks: Ints, found: Floats, marked: Floats, weights: Floats
) -> None:
    """Run a portfolio on each path by `walk_path`.

    Filled for each path: found (6, paths), which are growth and value at the end, the three of `measure_path`, and the
    session of its end or -1; marked (marks, paths), values at the marked sessions; weights (m, paths) at the end,
    unless it is empty.
    """
    n = walk.rates.shape[0]
    m = walk.goal.shape[0]
    out = np.zeros(n)
    goal = np.zeros(m)
    held = np.zeros(m)
    figures = np.zeros(6)
    for p in range(rows.shape[0]):
        walk_path(walk, moves, rows[p], goal, held, out)
        end = measure_path(out, figures)
        if end >= 0:
            out[end:] = 0.0
        figures[0] = out[n - 1]
        figures[1] = out[n - 1]
        figures[5] = end
        for k in range(6):
            found[k, p] = figures[k]
        note_path(out, marks, p, marked)
        for i in range(weights.shape[0]):
            weights[i, p] = held[i] / out[n - 1] if end < 0 else 0.0


def run_paths(
    plan: Plan, taken: Floats, moves: Floats, rows: Ints, marks: Ints, found: Floats, marked: Floats, weights: Floats
) -> None:
    """Run a portfolio with whatever can happen to it on each path by `run_path`; the rest as `run_walks`.

    `plan.market.returns` is room to work in.
    """
    n, m = plan.market.returns.shape
    value = np.zeros(n)
    growth = np.zeros(n)
    held = np.zeros((n, m))
    trades = np.zeros((n, m))
    facts = np.zeros((n, 5))
    figures = np.zeros(6)
    for p in range(rows.shape[0]):
        for i in range(m):
            g = 0
            while 4 * g + 4 <= i:
                g += 1
            for t in range(1, n):
                r = moves[g, rows[p, t - 1], i - 4 * g] - taken[t, i]
                plan.market.returns[t, i] = r if r > -1.0 else -1.0
        end = run_path(plan, value, held, trades, facts)
        last = end - n if end >= n else n - 1
        grow(value, facts, end if 0 <= end < n else last, growth)
        if 0 <= end < n:
            growth[end:] = 0.0
        measure_path(growth[: last + 1], figures)
        figures[0] = growth[last]
        figures[1] = value[n - 1]
        figures[5] = end
        for k in range(6):
            found[k, p] = figures[k]
        note_path(value, marks, p, marked)
        for i in range(weights.shape[0]):
            weights[i, p] = held[n - 1, i] / value[n - 1] if end < 0 else 0.0


def grow(value: Floats, facts: Floats, last: int, growth: Floats) -> None:
    """Value of 1 put in, without the cash flows, up to session `last`."""
    flowed = False
    for t in range(last + 1):
        flowed = flowed or facts[t, 1] != 0.0
    rise = 1.0
    growth[0] = value[0]
    for t in range(1, last + 1):
        rise = rise * (1.0 + ((value[t] - facts[t, 1]) / value[t - 1] - 1.0))
        growth[t] = value[0] * rise if flowed else value[t]
