"""M4: the cheapest weights that bring the wanted exposures, or the nearest where none do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from alphaoverlay.errors import DesignError
from alphaoverlay.funds.fund import Fund
from alphaoverlay.history import FloatArray
from alphaoverlay.overlays._linear import LinearProgram, Solution, solve
from alphaoverlay.overlays.portfolio import Portfolio, exposure_matrix

# Two designs whose yearly cost differs by less than this share of capital are a tie.
TIE = 1e-10
# An exposure counts as met within this distance.
MET = 1e-9
# A weight below this in a solution with tolerances is none.
USED = 1e-6
NO_WISH = 1e-8


@dataclass(frozen=True)
class Design:
    """Weights and how well they meet what was wanted.

    Attributes
    ----------
    portfolio : the funds used, with their weights; the rest is cash.
    wanted : exposures asked for, by index.
    yearly_cost : expenses, spreads, cash spread and trading a year, as a fraction of capital, positive is a cost.
    shortfall : achieved minus wanted for every index that misses; empty for a feasible design.
    reason : what stands in the way, in a sentence; empty for a feasible design.
    """

    portfolio: Portfolio
    wanted: Mapping[str, float]
    yearly_cost: float
    shortfall: Mapping[str, float]
    reason: str

    @property
    def feasible(self) -> bool:
        """Whether every wanted exposure is met."""
        return not self.shortfall


def solve_design(
    wanted: Mapping[str, float],
    funds: Sequence[Fund],
    *,
    cash_spread: float = 0.0,
    trading_costs: Mapping[str, float] | None = None,
    rate: float = 0.0,
) -> Design:
    """Find the weights of least yearly cost that bring the wanted exposures (method M4).

    Parameters
    ----------
    wanted : exposure by index, in multiples of capital; every index the funds bring and that is not named is wanted
        at 0.
    funds : the funds that may be used.
    cash_spread : what cash earns below the financing rate, a year.
    trading_costs : yearly trading cost of a unit of weight in each fund; left out where None.
    rate : yearly financing rate, paid on the swaps that a fund with SW above 1 holds beyond what it borrows; with
        SW = 1 what is paid depends on the wanted exposures only, so the rate drops out.

    Returns
    -------
    Design; weights are rounded to 1e-12. Ties go to fewer funds, then lower `sum w|L|`, then symbol. Where the
    exposures cannot be met, the nearest in the sum of absolute misses.

    Raises
    ------
    DesignError : nothing wanted, a fund twice, or a number that is not finite.
    """
    usable = sorted((fund for fund in funds if fund.exposures), key=lambda fund: fund.symbol)
    _check(wanted, usable)
    # Sorted, so that the answer does not depend on the order of the question.
    names = sorted({*wanted, *(k for fund in usable for k in fund.exposures)})
    matrix = exposure_matrix(usable, names)
    # What nearly cancels is noise of arithmetic, below what the solver can tell from zero.
    wish = np.array([wanted.get(name, 0.0) for name in names])
    target = np.where(np.abs(wish) < NO_WISH, 0.0, wish)
    trading = trading_costs or {}
    beyond = [(fund.borrowed - (fund.leverage - 1.0)) * rate for fund in usable]
    cost = np.array([fund.yearly_expense + fund.financing_spread + trading.get(fund.symbol, 0.0) for fund in usable])
    cost = cost + np.array(beyond)
    if not np.isfinite(cash_spread):
        raise DesignError(f"the cash spread is {cash_spread}; write a finite number")
    if odd := [fund.symbol for fund, c in zip(usable, cost, strict=True) if not np.isfinite(c)]:
        raise DesignError(
            f"the yearly cost of {', '.join(odd)} is not a finite number; check expense, spread and trading"
        )
    weights = _cheapest(cost - cash_spread, matrix, target, usable)
    reason = ""
    if weights is None:
        reason = _reason(matrix, target, names, usable)
        weights = _cheapest(cost - cash_spread, matrix, _nearest(cost - cash_spread, matrix, target), usable)
        assert weights is not None  # the nearest exposures are met by the weights that define them
    held = [j for j in range(len(usable)) if weights[j] > 0.0]
    named = list(dict.fromkeys([*wanted, *names]))
    in_order = sorted(held, key=lambda j: _order(usable[j], named))
    portfolio = Portfolio(tuple(usable[j] for j in in_order), tuple(float(weights[j]) for j in in_order))
    achieved = matrix @ weights
    off = dict(zip(names, achieved - target, strict=True))
    misses = {name: round(float(off[name]), 12) for name in named if abs(off[name]) > MET}
    yearly = float(cost @ weights) + cash_spread * portfolio.cash
    return Design(portfolio, dict(wanted), yearly, misses, reason)


def _order(fund: Fund, names: Sequence[str]) -> tuple[int, float, str]:
    """Print funds in the order of the wanted indices, plain before leveraged."""
    return (min(names.index(k) for k in fund.exposures), abs(fund.leverage), fund.symbol)


def _check(wanted: Mapping[str, float], funds: Sequence[Fund]) -> None:
    if not any(wanted.values()):
        raise DesignError("no exposure is wanted; name at least one, such as SP500=1")
    for name, value in wanted.items():
        if not np.isfinite(value):
            raise DesignError(f"exposure {name} is {value}; write a finite number such as 0.3")
    symbols = [fund.symbol for fund in funds]
    if len(set(symbols)) < len(symbols):
        raise DesignError("a fund stands twice among the allowed funds; name each once")


def _cheapest(cost: FloatArray, matrix: FloatArray, target: FloatArray, funds: Sequence[Fund]) -> FloatArray | None:
    """Weights of least cost with `matrix @ w = target`, `w >= 0`, `sum(w) <= 1`; None where there are none."""
    best = _least(cost, matrix, target)
    if best is None:
        return None
    # Only a fund of zero reduced cost can stand in another optimum.
    open_to_tie = np.flatnonzero((best.x > 1e-12) | (np.abs(best.reduced) < TIE))
    used = np.flatnonzero(best.x > 1e-12)
    if len(open_to_tie) > len(used):
        used = _break_tie(cost, matrix, target, funds, open_to_tie, best.value)
    # Solved once more on the chosen funds alone, for a vertex free of the tie-breaking's tolerances.
    last = _least(cost[used], matrix[:, used], target)
    weights = np.zeros(len(cost))
    weights[used] = best.x[used] if last is None else last.x
    return np.round(weights, 12)


def _least(cost: FloatArray, matrix: FloatArray, target: FloatArray) -> Solution | None:
    rows = np.vstack([matrix, np.ones(matrix.shape[1])])
    return solve(LinearProgram(cost, rows, np.append(target, 0.0), np.append(target, 1.0), np.ones(len(cost))))


def _break_tie(
    cost: FloatArray,
    matrix: FloatArray,
    target: FloatArray,
    funds: Sequence[Fund],
    candidates: FloatArray | np.ndarray[tuple[int], np.dtype[np.intp]],
    least: float,
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Among designs of the least cost: fewest funds, then lower `sum w|L|`, then the first symbols."""
    picks = np.asarray(candidates, dtype=np.intp)
    m = len(picks)
    sizes = np.array([abs(funds[j].leverage) for j in picks])
    # Variables: m weights, then m 0/1 marks with w <= mark.
    exposure = np.hstack([matrix[:, picks], np.zeros((len(target), m))])
    capital = np.append(np.ones(m), np.zeros(m))
    spending = np.append(cost[picks], np.zeros(m))
    linked = np.hstack([np.eye(m), -np.eye(m)])
    count = np.append(np.zeros(m), np.ones(m))
    leverage = np.append(sizes, np.zeros(m))
    rows = np.vstack([exposure, capital, spending, linked])
    low = np.concatenate([target, [0.0, -np.inf], np.full(m, -np.inf)])
    high = np.concatenate([target, [1.0, least + TIE], np.zeros(m)])
    upper = np.ones(2 * m)
    whole = range(m, 2 * m)

    def limited(row: FloatArray, at_most: float) -> None:
        nonlocal rows, low, high
        rows, low, high = np.vstack([rows, row]), np.append(low, -np.inf), np.append(high, at_most)

    fewest = solve(LinearProgram(count, rows, low, high, upper, whole))
    assert fewest is not None
    limited(count, round(fewest.value))
    gentlest = solve(LinearProgram(leverage, rows, low, high, upper, whole))
    assert gentlest is not None
    limited(leverage, gentlest.value + 1e-9)
    chosen = gentlest
    forced = np.zeros(2 * m)
    for k in range(m):
        if forced.sum() >= round(fewest.value):
            break
        trial = forced.copy()
        trial[m + k] = 1.0
        needs = np.vstack([rows, trial])
        # A forced mark must also carry weight, or it would be no use of the fund.
        must_hold = np.zeros((1, 2 * m))
        must_hold[0, k] = 1.0
        found = solve(
            LinearProgram(
                count,
                np.vstack([needs, must_hold]),
                np.concatenate([low, [trial.sum()], [1e-9]]),
                np.concatenate([high, [trial.sum()], [1.0]]),
                upper,
                whole,
            )
        )
        if found is not None:
            forced, chosen = trial, found
    return picks[np.flatnonzero(chosen.x[:m] > 1e-9)]


def _nearest(cost: FloatArray, matrix: FloatArray, target: FloatArray) -> FloatArray:
    """Exposures that some weights bring, nearest to the target in the sum of misses; of those, the cheapest."""
    k, m = matrix.shape
    rows = np.vstack(
        [np.hstack([matrix, np.eye(k), -np.eye(k)]), np.concatenate([np.ones(m), np.zeros(2 * k)])[None, :]]
    )
    missing = np.concatenate([np.zeros(m), np.ones(2 * k)])
    upper = np.concatenate([np.ones(m), np.full(2 * k, np.inf)])
    low, high = np.append(target, 0.0), np.append(target, 1.0)
    nearest = solve(LinearProgram(missing, rows, low, high, upper))
    assert nearest is not None  # holding nothing is always possible
    spending = np.concatenate([cost, np.zeros(2 * k)])
    no_farther = np.append(high, nearest.value + MET)
    found = solve(LinearProgram(spending, np.vstack([rows, missing]), np.append(low, -np.inf), no_farther, upper))
    used = np.flatnonzero((nearest if found is None else found).x[:m] > USED)
    # Once more on the funds of the cheapest alone, for exposures free of the tolerance above.
    kept = np.concatenate([used, np.arange(m, m + 2 * k)])
    exact = solve(LinearProgram(missing[kept], rows[:, kept], low, high, upper[kept]))
    assert exact is not None
    return matrix[:, used] @ exact.x[: len(used)]


def _reason(matrix: FloatArray, target: FloatArray, names: Sequence[str], funds: Sequence[Fund]) -> str:
    """Name what stands in the way: a missing fund, the capital, or funds that come only in bundles."""
    for name, want, row in zip(names, target, matrix, strict=True):
        if want * row.max(initial=0.0) <= 0.0 < want or want * row.min(initial=0.0) <= 0.0 > want:
            side = "long" if want > 0.0 else "short (inverse)"
            return f"no allowed fund is {side} {name}: allow one"
    if not len(funds):
        return "no fund is allowed: allow one"
    uncapped = solve(LinearProgram(np.ones(len(funds)), matrix, target, target, np.full(len(funds), np.inf)))
    if uncapped is None:
        return "the allowed funds bring these indices only together, in other proportions: allow single-index funds"
    most = {
        n: max((f.exposures.get(n, 0.0) * np.sign(t) for f in funds), default=0.0)
        for n, t in zip(names, target, strict=True)
    }
    levers = ", ".join(f"{n} {most[n]:g}x" for n, t in zip(names, target, strict=True) if t)
    return (
        f"capital is the limit: these exposures need {uncapped.value:.4g} of capital even with the most leveraged "
        f"allowed funds ({levers}); ask for less, or allow funds of higher leverage"
    )
