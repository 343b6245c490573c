"""The loop over sessions, in arithmetic that runs the same interpreted and compiled.

Only `+ - * /`, comparisons and explicit loops: no library reductions, so that both forms agree bit for bit. This file
imports math and numpy only; `_jit` executes it in a namespace of its own and compiles each function.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def settle(value: float, holdings: Floats, weights: Floats, half_spreads: Floats, points: Floats, order: Ints) -> float:
    """Value after proportional costs (method M6): the V' with `V' + sum_i h_i*|V'*w_i - v_i| = V`.

    The left side is piecewise linear and rises with V'; its slope changes at `v_i / w_i`. `points` and `order` are
    scratch space of the length of `holdings`.
    """
    m = holdings.shape[0]
    count = 0
    # Above every breakpoint each fund is bought; a fund of target 0 is sold whatever V' is.
    known = value
    slope = 1.0
    free = True
    for i in range(m):
        if half_spreads[i] > 0.0:
            free = False
            if weights[i] > 0.0:
                point = holdings[i] / weights[i]
                k = count
                while k > 0 and points[k - 1] > point:
                    points[k] = points[k - 1]
                    order[k] = order[k - 1]
                    k -= 1
                points[k] = point
                order[k] = i
                count += 1
            else:
                known -= half_spreads[i] * holdings[i]
    if free:
        return value
    for k in range(count):
        i = order[k]
        known += half_spreads[i] * holdings[i]
        slope += half_spreads[i] * weights[i]
    settled = known / slope
    # Walk down: below its breakpoint a fund is sold, not bought.
    for k in range(count - 1, -1, -1):
        if settled >= points[k]:
            break
        i = order[k]
        known -= 2.0 * half_spreads[i] * holdings[i]
        slope -= 2.0 * half_spreads[i] * weights[i]
        settled = known / slope
    return settled


def run_path(
    returns: Floats,
    accrual: Floats,
    targets: Floats,
    row: Ints,
    trade: NDArray[np.bool_],
    half_spreads: Floats,
    out_value: Floats,
    out_weights: Floats,
    out_turnover: Floats,
    out_cost: Floats,
) -> int:
    """Run one path from wealth 1.0; return the session of ruin, or -1.

    Parameters: fund returns (n, m), cash returns (n,), target rows (r, m), the row in force on each session (n,), the
    sessions that trade (n,), half-spreads (m,). Session 0 is a purchase. The four outputs are filled for each session,
    after its trades; from ruin on they are zero. Order at a close: return, trades, costs (method M6).
    """
    n = returns.shape[0]
    m = returns.shape[1]
    holdings = np.zeros(m)
    points = np.zeros(m)
    order = np.zeros(m, dtype=np.int64)
    cash = 1.0
    value = 1.0
    for t in range(n):
        if t > 0:
            value = 0.0
            for i in range(m):
                holdings[i] = holdings[i] * (1.0 + returns[t, i])
                value += holdings[i]
            cash = cash * (1.0 + accrual[t])
            value += cash
            if value <= 0.0:
                for s in range(t, n):
                    out_value[s] = 0.0
                    out_turnover[s] = 0.0
                    out_cost[s] = 0.0
                    for i in range(m):
                        out_weights[s, i] = 0.0
                return t
        out_turnover[t] = 0.0
        out_cost[t] = 0.0
        if trade[t]:
            weights = targets[row[t]]
            after = settle(value, holdings, weights, half_spreads, points, order)
            moved = 0.0
            into_funds = 0.0
            invested = 0.0
            for i in range(m):
                bought = after * weights[i] - holdings[i]
                into_funds += bought
                if bought < 0.0:
                    moved -= bought
                else:
                    moved += bought
                holdings[i] = after * weights[i]
                invested += weights[i]
                out_weights[t, i] = weights[i]
            if into_funds < 0.0:
                moved -= into_funds
            else:
                moved += into_funds
            out_turnover[t] = 0.5 * moved / value
            out_cost[t] = value - after
            value = after
            # Weights such as 0.7 + 0.1 + 0.1 + 0.1 miss 1 by rounding, which is not cash.
            cash = after * (1.0 - invested) if invested < 1.0 - 1e-12 else 0.0
        else:
            for i in range(m):
                out_weights[t, i] = holdings[i] / value
        out_value[t] = value
    return -1
