"""What the kernels read: rules, costs, flows and targets compiled to arrays before the loop runs.

n sessions, m funds, s tranches, b bands, k indices, w lanes. A lane is one portfolio of a sweep: lanes see the same
returns and run side by side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alphaoverlay.history import FloatArray

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class Market(NamedTuple):
    """Fund returns (n, m), and what positive and negative cash earn over each session (n,)."""

    returns: FloatArray
    lend: FloatArray
    borrow: FloatArray


class Goals(NamedTuple):
    """Distinct target rows (r, m), the row in force on each session (n,), and where it changed (n,)."""

    rows: FloatArray
    row: Ints
    turn: Bools


class BandArrays(NamedTuple):
    """Bands, by row.

    A band's measure is `coefficients[b] . h`, or where `curved[b]` is 1 `sum_k |matrix[k] . h - base[b, k]|`. `below`
    and `above` (b,) are points, or shares of the target's size where `relative[b]` is 1; `destination` (b,): 0 edge to
    1 target.
    """

    coefficients: FloatArray
    curved: Ints
    matrix: FloatArray
    base: FloatArray
    relative: Ints
    below: FloatArray
    above: FloatArray
    destination: FloatArray


class Rules(NamedTuple):
    """When to trade: calendar trades by tranche after the lag (s, n), where bands are looked at (n,), and the bands."""

    trade: Bools
    watch: Bools
    bands: BandArrays
    lag: int
    interval: int


class Costs(NamedTuple):
    """Proportional rates and impact factors (n, m); fee and least trade in units of initial wealth."""

    rates: FloatArray
    impact: FloatArray
    fee: float
    smallest: float


class Flows(NamedTuple):
    """Money (n,) in units of initial wealth and shares of value (n,) that come in (out below 0), and how it is placed.

    `placing`: 0 underweight, 1 current, 2 rebalance.
    """

    amount: FloatArray
    share: FloatArray
    placing: int


class Walk(NamedTuple):
    """What a run along simulated paths reads, for funds in fours (the last are filled up with none).

    `goal` (m,): target weights. `taken` (m / 4, n, 4): what M1 takes from each fund. `rates` (n, funds): proportional
    costs, without the filling. `lend`, `borrow` (n,): as in `Market`. `stops`: the sessions that trade, the purchase
    first.
    """

    goal: FloatArray
    taken: FloatArray
    rates: FloatArray
    lend: FloatArray
    borrow: FloatArray
    stops: Ints


class Plan(NamedTuple):
    """All that a run reads."""

    market: Market
    goals: Goals
    rules: Rules
    costs: Costs
    flows: Flows
