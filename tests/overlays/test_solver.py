"""M4 where the exposures can be met: the founding case, two independent optima, ties, costs, mistakes."""

from __future__ import annotations

import random
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import linprog
from tests.overlays.enumeration import best_design, cost_of
from tests.overlays.problems import Problem, achieved, problems, single

from alphaoverlay.errors import DesignError
from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.funds.fund import Fund
from alphaoverlay.overlays.solver import Design, solve_design

CATALOGUE = load_catalogue()
WANTED = {"SP500": 1.0, "RUSSELL2000": 0.3, "NASDAQ100": -0.3}


def known(*symbols: str) -> list[Fund]:
    return [CATALOGUE.fund(symbol) for symbol in symbols]


def weights(design: Design) -> dict[str, float]:
    assert design.feasible
    assert design.reason == ""
    return design.portfolio.by_symbol


# --- the founding case ---


def test_the_founding_case_exactly() -> None:
    design = solve_design(WANTED, known("SPY", "UPRO", "TNA", "SQQQ"))
    assert design.feasible
    assert design.portfolio.by_symbol == {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}
    assert list(design.portfolio.by_symbol) == ["SPY", "UPRO", "TNA", "SQQQ"]  # core first, plain before leveraged
    assert design.portfolio.exposures == WANTED
    assert design.portfolio.cash == 0.0
    assert design.wanted == WANTED
    assert design.shortfall == {}
    assert design.reason == ""


def test_the_whole_catalogue_gives_the_cheapest_design() -> None:
    """No basic design of the three indices' funds and cash costs less; a fund on another index would only add cost."""
    design = solve_design(WANTED, list(CATALOGUE))
    assert design.feasible
    assert achieved(design, WANTED) == pytest.approx(list(WANTED.values()), abs=1e-9)
    assert sum(design.portfolio.weights) <= 1.0 + 1e-11

    funds = [fund for fund in CATALOGUE if set(fund.exposures) & set(WANTED)]
    assert all(len(fund.exposures) == 1 for fund in funds)
    columns = np.array(
        [[f.exposures.get(name, 0.0) for name in WANTED] + [1.0] for f in funds] + [[0.0, 0.0, 0.0, 1.0]]
    )
    costs = np.array([float(cost_of(fund)) for fund in funds] + [0.0])
    chosen = np.array(list(combinations(range(len(columns)), 4)))
    systems = columns[chosen].transpose(0, 2, 1)
    solvable = np.abs(np.linalg.det(systems)) > 1e-9
    right = np.array([*WANTED.values(), 1.0])
    shares = np.linalg.solve(systems[solvable], right[:, None])[:, :, 0]
    possible = shares.min(axis=1) >= -1e-12
    prices = (shares * costs[chosen[solvable]]).sum(axis=1)[possible]
    assert len(prices) > 100
    assert design.yearly_cost == pytest.approx(float(prices.min()), abs=1e-12)


# --- against independent optima ---


@given(problems(), st.sampled_from([0.0, 0.0, 0.001, 0.003]))
def test_equals_trying_every_vertex_in_exact_fractions(problem: Problem, cash_spread: float) -> None:
    """Cost, funds and weights, every tie included; test_solver_infeasible.py has the problems without an answer."""
    best = best_design(problem.wanted, problem.funds, cash_spread)
    assume(best is not None)
    assert best is not None
    cost, expected = best
    design = solve_design(problem.wanted, problem.funds, cash_spread=cash_spread)
    assert design.feasible
    assert design.yearly_cost == pytest.approx(float(cost), abs=1e-12)
    assert design.portfolio.by_symbol == pytest.approx({s: float(w) for s, w in expected.items()}, abs=1e-11)


@given(problems())
def test_costs_what_the_linear_program_of_scipy_costs(problem: Problem) -> None:
    cost = [float(cost_of(fund)) for fund in problem.funds]
    other = linprog(
        cost, A_ub=[np.ones(len(cost))], b_ub=[1.0], A_eq=problem.matrix, b_eq=problem.target, bounds=(0.0, None)
    )
    assert other.status in (0, 2)
    assume(other.status == 0)
    design = solve_design(problem.wanted, problem.funds)
    assert design.feasible
    assert design.yearly_cost == pytest.approx(other.fun, abs=1e-7)  # scipy's own tolerance


@given(problems(), st.randoms(use_true_random=False))
def test_laws_of_a_feasible_design(problem: Problem, shuffler: random.Random) -> None:
    assume(best_design(problem.wanted, problem.funds) is not None)
    design = solve_design(problem.wanted, problem.funds)
    assert achieved(design, problem.wanted) == pytest.approx(problem.target, abs=1e-9)
    assert min(design.portfolio.weights) > 0.0
    assert sum(design.portfolio.weights) <= 1.0 + 1e-11
    assert all(weight == round(weight, 12) for weight in design.portfolio.weights)

    funds = list(problem.funds)
    shuffler.shuffle(funds)
    names = list(problem.wanted)
    shuffler.shuffle(names)
    again = solve_design({name: problem.wanted[name] for name in names}, funds)
    assert again.portfolio.by_symbol == design.portfolio.by_symbol


# --- ties, in their order ---


@pytest.mark.parametrize("turn", [1, -1])
def test_a_tie_goes_to_fewer_funds(turn: int) -> None:
    """0.5 of a bundle at 40 points, or 0.5 each of two funds at 20: the same cost, leverage and capital."""
    funds = [
        single("AA", "AAA", 2.0, 20),
        single("BB", "BBB", 2.0, 20),
        Fund("ZZ", "bundle", {"AAA": 2.0, "BBB": 2.0}, expense=0.0040),
    ]
    assert weights(solve_design({"AAA": 1.0, "BBB": 1.0}, funds[::turn])) == {"ZZ": 0.5}


@pytest.mark.parametrize("turn", [1, -1])
def test_then_to_the_lower_leverage(turn: int) -> None:
    """Two pairs of 0.5 and 0.5, each at 1% in all: AA and BB carry 2.0 of leverage, YY and ZZ 1.0."""
    funds = [
        single("AA", "AAA", 2.0, 100),
        single("BB", "BBB", -2.0, 100),
        Fund("YY", "bundle", {"AAA": 2.0, "BBB": -1.0}, expense=0.0160),
        single("ZZ", "BBB", -1.0, 40),
    ]
    best = best_design({"AAA": 1.0, "BBB": -1.0}, funds)
    assert best is not None
    assert set(best[1]) == {"YY", "ZZ"}
    assert weights(solve_design({"AAA": 1.0, "BBB": -1.0}, funds[::turn])) == {"YY": 0.5, "ZZ": 0.5}


@pytest.mark.parametrize("turn", [1, -1])
def test_then_to_the_first_symbols(turn: int) -> None:
    funds = [
        single(symbol, index, 1.0, 10) for symbol, index in [("B", "AAA"), ("A", "AAA"), ("D", "BBB"), ("C", "BBB")]
    ]
    assert weights(solve_design({"AAA": 0.5, "BBB": 0.5}, funds[::turn])) == {"A": 0.5, "C": 0.5}


def test_a_small_difference_in_cost_is_no_tie() -> None:
    """B costs 9e-8 a year more than A, far above the 1e-10 that counts as a tie."""
    funds = [single("A", "AAA", 1.0, 10), single("B", "AAA", 1.0, 10.0009), single("L", "AAA", 3.0, 200)]
    assert weights(solve_design({"AAA": 1.3}, funds)) == {"A": 0.85, "L": 0.15}
    renamed = [single("B", "AAA", 1.0, 10), single("A", "AAA", 1.0, 10.0009), single("L", "AAA", 3.0, 200)]
    assert weights(solve_design({"AAA": 1.3}, renamed)) == {"B": 0.85, "L": 0.15}


# --- what the cost is made of ---


def test_the_yearly_cost_by_hand() -> None:
    design = solve_design(WANTED, known("SPY", "UPRO", "TNA", "SQQQ"))
    expenses = (0.7 * 0.0945 + 0.1 * 0.91 + 0.1 * 1.03 + 0.1 * 0.95) / 100
    spread = {fund.symbol: fund.spread for fund in known("UPRO", "TNA", "SQQQ")}
    assert all(spread.values())
    spreads = 0.1 * 2 * spread["UPRO"] + 0.1 * 2 * spread["TNA"] + 0.1 * 4 * spread["SQQQ"]
    assert design.yearly_cost == pytest.approx(expenses + spreads, abs=1e-12)


def test_a_spread_makes_leverage_dearer() -> None:
    free = [single("ONE", "AAA", 1.0, 10), single("TWO", "AAA", 2.0, 15)]
    charged = [single("ONE", "AAA", 1.0, 10, spread=0.004), single("TWO", "AAA", 2.0, 15, spread=0.004)]
    assert weights(solve_design({"AAA": 1.0}, free)) == {"TWO": 0.5}  # 7.5 points against 10
    assert weights(solve_design({"AAA": 1.0}, charged)) == {"ONE": 1.0}  # 7.5 + 20 against 10


def test_what_cash_earns_below_the_rate_counts() -> None:
    funds = [single("ONE", "AAA", 1.0, 10), single("TWO", "AAA", 2.0, 15)]
    dear = solve_design({"AAA": 1.0}, funds, cash_spread=0.001)
    assert weights(dear) == {"ONE": 1.0}  # 10 points against 7.5 + 5 on half the capital in cash
    assert dear.yearly_cost == pytest.approx(0.0010)
    cheap = solve_design({"AAA": 1.0}, funds, cash_spread=0.0004)
    assert weights(cheap) == {"TWO": 0.5}
    assert cheap.yearly_cost == pytest.approx(0.00075 + 0.5 * 0.0004)
    assert cheap.portfolio.cash == 0.5


def test_trading_costs_shift_the_choice() -> None:
    funds = [single("ONE", "AAA", 1.0, 10), single("TWO", "AAA", 2.0, 15)]
    shifted = solve_design({"AAA": 1.0}, funds, trading_costs={"TWO": 0.001})
    assert weights(shifted) == {"ONE": 1.0}  # 10 points against 0.5 * (15 + 10)
    assert shifted.yearly_cost == pytest.approx(0.0010)
    kept = solve_design({"AAA": 1.0}, funds, trading_costs={"TWO": 0.0004, "OTHER": 1.0})
    assert weights(kept) == {"TWO": 0.5}
    assert kept.yearly_cost == pytest.approx(0.5 * (0.0015 + 0.0004))


def test_a_bundle_is_used_where_it_is_cheaper() -> None:
    """0.5 of the bundle, or 0.45 of ONE and 0.1 of THREE, which cost 4.5 and 9 points."""
    singles = [single("ONE", "AAA", 1.0, 10), single("THREE", "BBB", 3.0, 90)]
    cheap, dear = (Fund("STACK", "90/60", {"AAA": 0.9, "BBB": 0.6}, expense=e) for e in (0.0026, 0.0028))
    wanted = {"AAA": 0.45, "BBB": 0.3}
    assert weights(solve_design(wanted, [cheap, *singles])) == {"STACK": 0.5}
    assert weights(solve_design(wanted, [dear, *singles])) == {"ONE": 0.45, "THREE": 0.1}


def test_an_index_that_is_not_wanted_is_wanted_at_zero() -> None:
    """The bundle is the only fund of AAA, so its BBB has to be sold again."""
    stack = Fund("STACK", "90/60", {"AAA": 0.9, "BBB": 0.6}, expense=0.0020)
    design = solve_design({"AAA": 0.45}, [stack, single("SHORT", "BBB", -2.0, 90)])
    assert weights(design) == {"STACK": 0.5, "SHORT": 0.15}


def test_funds_without_a_known_index_are_left_aside() -> None:
    blank = Fund("BLANK", "index unknown", {}, expense=0.0)
    design = solve_design({"AAA": 0.5}, [blank, single("ONE", "AAA", 1.0, 10)], cash_spread=0.01)
    assert weights(design) == {"ONE": 0.5}  # a fund of no known exposure is not cash at a better rate


# --- mistakes ---


@pytest.mark.parametrize("wanted", [{}, {"AAA": 0.0}, {"AAA": 0.0, "BBB": 0.0}])
def test_nothing_wanted_is_a_mistake(wanted: dict[str, float]) -> None:
    with pytest.raises(DesignError, match=r"no exposure is wanted.*SP500=1"):
        solve_design(wanted, [single("ONE", "AAA", 1.0, 10)])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_an_exposure_that_is_no_number_is_a_mistake(value: float) -> None:
    with pytest.raises(DesignError, match=f"BBB is {value}"):
        solve_design({"AAA": 1.0, "BBB": value}, [single("ONE", "AAA", 1.0, 10)])


def test_a_fund_twice_is_a_mistake() -> None:
    with pytest.raises(DesignError, match="twice"):
        solve_design({"AAA": 1.0}, [single("ONE", "AAA", 1.0, 10), single("ONE", "AAA", 2.0, 10)])


def test_a_cost_that_is_no_number_is_a_mistake() -> None:
    funds = [single("ONE", "AAA", 1.0, 10)]
    with pytest.raises(DesignError):
        solve_design({"AAA": 1.0}, funds, cash_spread=float("nan"))
    with pytest.raises(DesignError, match="ONE"):
        solve_design({"AAA": 1.0}, funds, trading_costs={"ONE": float("nan")})
