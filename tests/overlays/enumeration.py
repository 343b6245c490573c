"""The best design by trying every vertex in exact fractions: slow, and without any solver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations

from alphaoverlay.funds.fund import Fund

Weights = dict[str, Fraction]


def exact(number: float) -> Fraction:
    """The fraction that a decimal number means: 0.1 is 1/10."""
    return Fraction(repr(float(number)))


def leverage_of(fund: Fund) -> Fraction:
    """`L`, the sum of the daily multiples."""
    return sum((exact(x) for x in fund.exposures.values()), Fraction(0))


def cost_of(fund: Fund) -> Fraction:
    """`E + SW*|L-1|*s`, no spread for 0 <= L <= 1 (M1, M4)."""
    leverage = leverage_of(fund)
    spread = Fraction(0) if 0 <= leverage <= 1 else exact(fund.spread)
    return exact(fund.expense) + exact(fund.swap_exposure) * abs(leverage - 1) * spread


def solution(columns: list[list[Fraction]], right: list[Fraction]) -> list[Fraction] | None:
    """The one x with `columns @ x = right`; None where there is none or more than one (Gauss and Jordan)."""
    rows = [[column[i] for column in columns] + [right[i]] for i in range(len(right))]
    n = len(columns)
    for j in range(n):
        pivot = next((i for i in range(j, len(rows)) if rows[i][j]), None)
        if pivot is None:
            return None
        rows[j], rows[pivot] = rows[pivot], rows[j]
        rows[j] = [value / rows[j][j] for value in rows[j]]
        for i in range(len(rows)):
            if i != j and rows[i][j]:
                factor = rows[i][j]
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[j], strict=True)]
    return None if any(row[n] for row in rows[n:]) else [row[n] for row in rows[:n]]


def feasible_vertices(wanted: Mapping[str, float], funds: Sequence[Fund]) -> list[Weights]:
    """Every basic feasible design; the cheapest design is one of them, and so is every winner of a tie."""
    names = list(dict.fromkeys([*wanted, *(k for fund in funds for k in fund.exposures)]))
    right = [exact(wanted.get(name, 0.0)) for name in names] + [Fraction(1)]
    column = {f.symbol: [exact(f.exposures.get(k, 0.0)) for k in names] + [Fraction(1)] for f in funds}
    column["cash"] = [Fraction(0) for _ in names] + [Fraction(1)]
    found = []
    for size in range(1, len(right) + 1):
        for chosen in combinations(column, size):
            weights = solution([column[symbol] for symbol in chosen], right)
            if weights is not None and min(weights) >= 0:
                held = zip(chosen, weights, strict=True)
                found.append({symbol: weight for symbol, weight in held if weight and symbol != "cash"})
    return found


def best_design(
    wanted: Mapping[str, float],
    funds: Sequence[Fund],
    cash_spread: float = 0.0,
) -> tuple[Fraction, Weights] | None:
    """The least yearly cost and the weights that win its ties: fewer funds, lower sum of w|L|, first symbols."""
    by_symbol = {fund.symbol: fund for fund in funds}

    def rank(weights: Weights) -> tuple[Fraction, int, Fraction, list[str]]:
        invested = sum(weights.values(), Fraction(0))
        cost = sum((w * cost_of(by_symbol[s]) for s, w in weights.items()), exact(cash_spread) * (1 - invested))
        sizes = (w * abs(leverage_of(by_symbol[s])) for s, w in weights.items())
        return cost, len(weights), sum(sizes, Fraction(0)), sorted(weights)

    vertices = feasible_vertices(wanted, funds)
    if not vertices:
        return None
    best = min(vertices, key=rank)
    return rank(best)[0], best
