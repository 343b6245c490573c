"""M4 where the exposures cannot be met: the nearest design, and what stands in the way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from scipy.optimize import linprog
from tests.overlays.enumeration import cost_of
from tests.overlays.problems import Problem, achieved, problems, single

from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.funds.fund import Fund
from alphaoverlay.overlays.solver import solve_design

CATALOGUE = load_catalogue()


def known(*symbols: str) -> list[Fund]:
    return [CATALOGUE.fund(symbol) for symbol in symbols]


def least_misses(problem: Problem) -> float:
    """The smallest sum of absolute misses that any weights leave, by scipy: `X w + short - over = wanted`."""
    k, m = problem.matrix.shape
    found = linprog(
        [0.0] * m + [1.0] * (2 * k),
        A_ub=[[1.0] * m + [0.0] * (2 * k)],
        b_ub=[1.0],
        A_eq=np.hstack([problem.matrix, np.eye(k), -np.eye(k)]),
        b_eq=problem.target,
        bounds=(0.0, None),
    )
    assert found.status == 0
    return float(found.fun)


@given(problems(largest=2.0))
def test_the_nearest_design_misses_as_little_as_possible(problem: Problem) -> None:
    design = solve_design(problem.wanted, problem.funds)
    misses = achieved(design, problem.wanted) - problem.target
    least = least_misses(problem)
    assert np.abs(misses).sum() == pytest.approx(least, abs=1e-8)
    assert design.feasible == (least < 1e-8)
    assert min(design.portfolio.weights, default=0.0) >= 0.0
    assert sum(design.portfolio.weights) <= 1.0 + 1e-11
    reported = [design.shortfall.get(name, 0.0) for name in problem.wanted]
    assert reported == pytest.approx(misses, abs=2e-9)
    assert bool(design.reason) != design.feasible


@given(problems(largest=2.0))
def test_the_nearest_exposures_are_brought_at_least_cost(problem: Problem) -> None:
    design = solve_design(problem.wanted, problem.funds)
    cost = [float(cost_of(fund)) for fund in problem.funds]
    k, m = problem.matrix.shape
    room = 1e-7  # the two programs may stop at slightly different exposures
    other = linprog(
        cost + [0.0] * k,
        A_ub=[[1.0] * m + [0.0] * k],
        b_ub=[1.0],
        A_eq=np.hstack([problem.matrix, np.eye(k)]),
        b_eq=achieved(design, problem.wanted),
        bounds=[(0.0, None)] * m + [(-room, room)] * k,
    )
    assert other.status == 0
    assert design.yearly_cost == pytest.approx(other.fun, abs=1e-6)


def test_a_missing_inverse_fund_is_named() -> None:
    wanted = {"SP500": 1.0, "RUSSELL2000": 0.3, "NASDAQ100": -0.3}
    design = solve_design(wanted, known("SPY", "UPRO", "TNA"))
    assert not design.feasible
    assert design.shortfall == {"NASDAQ100": 0.3}  # it has 0 where -0.3 is wanted
    assert "short (inverse) NASDAQ100" in design.reason
    assert "allow one" in design.reason
    assert design.portfolio.exposures == {"SP500": 1.0, "RUSSELL2000": 0.3}


def test_a_missing_long_fund_is_named() -> None:
    design = solve_design({"SP500": 0.5, "GOLD": 0.5}, known("SPY", "SQQQ"))
    assert design.shortfall == {"GOLD": -0.5}
    assert "long GOLD" in design.reason
    assert design.portfolio.by_symbol == {"SPY": 0.5}


def test_capital_is_named_as_the_limit_with_what_is_needed() -> None:
    """1.0, 1.5 and -1.5 take (1.0 + 1.5 + 1.5) / 3 = 1.333 of capital in funds of three times."""
    wanted = {"SP500": 1.0, "RUSSELL2000": 1.5, "NASDAQ100": -1.5}
    design = solve_design(wanted, known("SPY", "UPRO", "TNA", "SQQQ"))
    assert not design.feasible
    assert "capital is the limit" in design.reason
    assert "1.333" in design.reason
    assert sum(abs(miss) for miss in design.shortfall.values()) == pytest.approx(1.0)
    assert sum(design.portfolio.weights) == pytest.approx(1.0)
    assert design.portfolio.cash == 0.0


def test_the_nearest_to_too_much_of_one_index() -> None:
    design = solve_design({"SP500": 4.0}, known("SPY", "UPRO"))
    assert design.portfolio.by_symbol == {"UPRO": 1.0}
    assert design.shortfall == {"SP500": -1.0}
    assert "1.333" in design.reason


def test_funds_that_come_only_together_are_named_as_such() -> None:
    stack = Fund("STACK", "90/60", {"AAA": 0.9, "BBB": 0.6}, expense=0.0020)
    design = solve_design({"AAA": 0.9}, [stack])
    assert not design.feasible
    assert "together" in design.reason
    assert "single-index" in design.reason
    assert design.shortfall == {"BBB": 0.6}  # missing 0.6 of BBB is nearer than missing 0.9 of AAA
    assert solve_design({"AAA": 0.9, "BBB": 0.6}, [stack]).portfolio.by_symbol == {"STACK": 1.0}
    repaired = solve_design({"AAA": 0.45}, [stack, single("SHORT", "BBB", -1.0, 90)])
    assert repaired.portfolio.by_symbol == {"STACK": 0.5, "SHORT": 0.3}


def test_where_nothing_helps_the_nearest_design_is_cash() -> None:
    design = solve_design({"SP500": -1.0}, known("SPY"))
    assert design.portfolio.by_symbol == {}
    assert design.portfolio.cash == 1.0
    assert design.shortfall == {"SP500": 1.0}
    assert "short (inverse) SP500" in design.reason


def test_without_any_fund_the_nearest_design_is_cash() -> None:
    design = solve_design({"SP500": 1.0}, [])
    assert design.portfolio.cash == 1.0
    assert design.shortfall == {"SP500": -1.0}
    assert "long SP500" in design.reason


def test_of_equally_near_designs_the_cheapest_is_given_in_any_order_of_the_wanted() -> None:
    """All capital in UPRO, in TNA, or in both: 5.0 is missed either way, and UPRO is the cheaper fund."""
    wanted = {"SP500": 4.0, "RUSSELL2000": 4.0}
    funds = known("UPRO", "TNA")
    assert funds[0].expense < funds[1].expense
    assert solve_design(wanted, funds).portfolio.by_symbol == {"UPRO": 1.0}
    assert solve_design(dict(reversed(wanted.items())), funds).portfolio.by_symbol == {"UPRO": 1.0}
