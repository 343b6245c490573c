from __future__ import annotations

import numpy as np
import pytest
from tests.scenarios.worlds import ND, R2, SP, founding, held, law_with, spy, weekdays

from alphaoverlay.engine.costs import CashTerms
from alphaoverlay.funds.fund import Fund
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.scenarios.break_even import (
    FARTHEST,
    NEAR,
    at_rate,
    break_even_range,
    legs_of,
    move_curve,
    yearly_costs,
)
from alphaoverlay.scenarios.closed_form import closed_form_excess
from alphaoverlay.scenarios.ends import most_likely_ends
from alphaoverlay.scenarios.periodic_form import periodic_form
from alphaoverlay.scenarios.statement import Statement

YEAR = weekdays(252, 0.04)


def test_the_founding_case_s_carry_drag_and_break_even_by_hand() -> None:
    law = law_with()
    found = yearly_costs(founding(), spy(), law, YEAR)
    funds = {fund.symbol: fund for fund in founding().funds}
    expense = 0.3 * funds["SPY"].expense - 0.1 * sum(funds[s].expense for s in ("UPRO", "TNA", "SQQQ"))
    spread = -0.1 * (2 * funds["UPRO"].spread + 2 * funds["TNA"].spread + 4 * funds["SQQQ"].spread)
    assert found.carry.expense == pytest.approx(expense, abs=1e-15)
    assert found.carry.spread == pytest.approx(spread, abs=1e-15)
    # 0.1*2 + 0.1*2 - 0.1*4 units of borrowing: the financing rate drops out.
    assert found.carry.financing == 0.0
    assert found.legs == legs_of({R2: 0.3, ND: -0.3})
    assert found.untraded.break_even.first_order == pytest.approx(-(expense + spread) / 0.3, abs=1e-15)
    # Each fund decays by (L - L^2)/2 of its index's variance, from what its costs leave of it.
    year = 252.0 * np.diagonal(law.S)
    taken = {s: sum(YEAR.e) * f.expense + sum(YEAR.d) * f.financing_spread for s, f in funds.items()}
    interest = sum(YEAR.accrual)
    left = {
        "UPRO": np.exp(-taken["UPRO"] - 2 * interest) * (np.exp(-3 * year[0]) - 1),
        "TNA": np.exp(-taken["TNA"] - 2 * interest) * (np.exp(-3 * year[1]) - 1),
        "SQQQ": np.exp(-taken["SQQQ"] + 4 * interest) * (np.exp(-6 * year[2]) - 1),
    }
    assert found.untraded.volatility_drag == pytest.approx(0.1 * sum(left.values()), abs=1e-14)


@pytest.mark.parametrize("multiple", [0.0, 0.5, 1.0, 1.5])
def test_the_break_even_is_a_root_and_the_nearest_one(multiple: float) -> None:
    law = law_with(multiple=multiple)

    def excess(move: float) -> float:
        z = most_likely_ends(law, Statement.of(move=(R2, ND, move)))
        return closed_form_excess(founding(), spy(), z, law, YEAR)

    move = yearly_costs(founding(), spy(), law, YEAR).untraded.break_even.move
    assert move is not None
    assert abs(excess(move)) < 1e-12
    signs = {excess(x) > 0.0 for x in np.linspace(-abs(move), abs(move), 41)[1:-1]}
    assert len(signs) == 1


def test_without_volatility_the_break_even_is_nearly_the_first_order_one() -> None:
    law = law_with(multiple=0.0)
    still = weekdays(252, 0.0)
    found = yearly_costs(founding(), spy(), law, still)
    assert found.untraded.volatility_drag == 0.0
    assert found.untraded.break_even.move == pytest.approx(found.untraded.break_even.first_order, abs=0.003)


@pytest.mark.parametrize("multiple", [0.5, 1.0, 2.0])
def test_the_own_break_even_is_a_root_between_the_others(multiple: float) -> None:
    law, trades = law_with(multiple=multiple), (20, 84, 147, 211)
    found = yearly_costs(founding(), spy(), law, YEAR, trades=trades)
    assert found.own is not None
    move = found.own.break_even.move
    assert move is not None
    z = most_likely_ends(law, Statement.of(move=(R2, ND, move)))
    own, base = (periodic_form(one, law, YEAR, trades=trades).growth(z) for one in (founding(), spy()))
    assert abs(own - base) < 1e-11
    assert found.rebalanced.break_even.move is not None
    assert found.untraded.break_even.move is not None
    assert found.rebalanced.break_even.move < move < found.untraded.break_even.move
    assert found.untraded.volatility_drag < found.own.volatility_drag < found.rebalanced.volatility_drag
    assert yearly_costs(founding(), spy(), law, YEAR).own is None


def test_ranges_of_the_own_rule_hold_its_headline() -> None:
    law, trades = law_with(), (20, 84, 147, 211)
    found = break_even_range(founding(), spy(), law, YEAR, (0.0, 0.04), (0.5, 1.0), trades=trades)
    headline = yearly_costs(founding(), spy(), law, YEAR, trades=trades).own
    assert found.own is not None
    assert headline is not None
    assert found.own[1][1] == headline.break_even
    assert break_even_range(founding(), spy(), law, YEAR, (0.0,), (1.0,)).own is None


def test_a_break_even_far_out_is_found_too() -> None:
    """Beyond the moves that are looked at first."""
    found = yearly_costs(founding(), spy(), law_with(multiple=1.5), YEAR).untraded.break_even
    assert found.move is not None
    assert found.move > NEAR
    curve = move_curve(founding(), spy(), law_with())
    assert (curve.near.moves[0], curve.near.moves[-1]) == pytest.approx((-NEAR, NEAR))
    assert (curve.whole.moves[0], curve.whole.moves[-1]) == pytest.approx((-FARTHEST, FARTHEST))
    assert np.array_equal(curve.whole.z[60:121], curve.near.z)


def test_volatility_and_rates_move_it() -> None:
    law = law_with()
    found = break_even_range(founding(), spy(), law, YEAR, (0.0, 0.04), (0.0, 0.5, 1.0))
    moves = np.array([[one.move for one in row] for row in found.untraded], dtype=np.float64)
    assert (np.diff(moves, axis=1) > 0.0).all()
    alone = yearly_costs(founding(), spy(), law.times(0.5), at_rate(YEAR, 0.0)).untraded.break_even
    assert moves[0, 1] == pytest.approx(alone.move, abs=1e-12)
    assert found.rates == (0.0, 0.04)
    assert found.multiples == (0.0, 0.5, 1.0)


def test_cash_terms_are_part_of_the_carry() -> None:
    portfolio = held(SPY=0.6, UPRO=0.1, TNA=0.1, SQQQ=0.1)
    plain = yearly_costs(portfolio, spy(), law_with(), YEAR)
    dear = yearly_costs(portfolio, spy(), law_with(), YEAR, CashTerms(lending_spread=0.01))
    assert dear.carry.total - plain.carry.total == pytest.approx(-0.001, abs=1e-12)
    assert plain.untraded.break_even.move is not None
    assert dear.untraded.break_even.move is not None
    assert dear.untraded.break_even.move > plain.untraded.break_even.move


def test_one_side_alone_has_no_break_even() -> None:
    found = yearly_costs(held(SPY=0.7, UPRO=0.2, TNA=0.1), spy(), law_with(), YEAR)
    assert found.legs is None
    assert found.untraded.break_even.move is None
    assert found.untraded.break_even.first_order is None
    assert "no long and short side" in found.untraded.break_even.reason


def test_a_cost_that_no_move_pays_for_is_said() -> None:
    # At volatilities of 50% to 70% the threefold funds lose more in a year than a move of 90 points gives.
    found = yearly_costs(founding(), spy(), law_with(multiple=3.0), YEAR)
    assert found.untraded.break_even.move is None
    assert found.untraded.break_even.reason == "it costs at every move of RUSSELL2000 over NASDAQ100 within 90 points"
    assert found.untraded.break_even.first_order is not None


def test_legs_are_the_largest_on_each_side() -> None:
    found = legs_of({SP: 0.0, R2: 0.3, "A": 0.1, ND: -0.35})
    assert found is not None
    assert (found.long, found.short, found.size) == (R2, ND, 0.4)
    assert legs_of({SP: 0.3}) is None


def straddle() -> Portfolio:
    """Nearly as much up as down on both sides, so that it gains by moves either way; costs decide how far."""
    up = (0.8272063560560342, 0.057597881314655264, 0.02566951230776973)
    down = (0.03831404280826272, 0.02554269520550848, 0.02566951230776973)
    return held(**dict(zip(("SPY", "UPRO", "TNA", "TWM", "TQQQ", "SQQQ"), (*up, *down), strict=True)))


def test_of_two_break_evens_about_as_far_the_nearer_one_is_told() -> None:
    law, year = law_with(multiple=0.3), weekdays(252, 0.05188669772404644)
    found = yearly_costs(straddle(), spy(), law, year)
    move = found.untraded.break_even.move
    assert found.legs is not None
    assert move is not None

    def excess(size: float) -> float:
        assert found.legs is not None
        z = most_likely_ends(law, Statement.of(move=(found.legs.long, found.legs.short, size)))
        return closed_form_excess(straddle(), spy(), z, law, year)

    assert abs(excess(move)) < 1e-12
    inner = np.linspace(-abs(move), abs(move), 801)[1:-1]
    assert {excess(float(size)) > 0.0 for size in inner} == {False}
    # The other one lies in the same point of moves, on the other side, a little farther out.
    assert 0.23 < move < 0.24
    assert excess(-move) < 0.0 < excess(-0.24)


def test_what_costs_nothing_needs_no_move() -> None:
    followed = {"ONE": {SP: 1.0}, "UP": {R2: 3.0}, "DOWN": {ND: -3.0}}
    free = [Fund(symbol, "free", exposures, expense=0.0) for symbol, exposures in followed.items()]
    portfolio, benchmark = Portfolio(tuple(free), (0.8, 0.1, 0.1)), Portfolio((free[0],), (0.8,))
    found = yearly_costs(portfolio, benchmark, law_with(multiple=0.0), weekdays(252, 0.0))
    for one in (found.untraded, found.rebalanced):
        assert (one.volatility_drag, one.break_even.move, one.break_even.first_order) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("multiple", [0.0, 0.5, 1.0, 1.5])
def test_the_rebalanced_break_even_is_a_root_too(multiple: float) -> None:
    law = law_with(multiple=multiple)
    move = yearly_costs(founding(), spy(), law, YEAR).rebalanced.break_even.move
    assert move is not None
    z = most_likely_ends(law, Statement.of(move=(R2, ND, move)))
    # By hand: as exposures stay at 1, 0.3 and -0.3 their own log returns and drag decide, beside what is taken.
    funds = {fund.symbol: fund for fund in founding().funds}
    e, d = float(YEAR.e.sum()), float(YEAR.d.sum())
    weights = dict(zip(("SPY", "UPRO", "TNA", "SQQQ"), (0.7, 0.1, 0.1, 0.1), strict=True))
    taken = sum(w * (e * funds[s].expense + d * funds[s].financing_spread) for s, w in weights.items())
    x, b = np.array([1.0, 0.3, -0.3]), np.array([1.0, 0.0, 0.0])

    def drag(exposures: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        return 126.0 * float(exposures @ np.diagonal(law.S) - exposures @ law.S @ exposures)

    own, base = x @ z + drag(x) - taken, b @ z + drag(b) - e * funds["SPY"].expense
    assert own == pytest.approx(base, abs=1e-12)


def test_little_volatility_leaves_the_first_order_move_when_rebalanced() -> None:
    """But for the year's length in days, and ends of a hundredth, whose logarithms are half a percent off."""
    found = yearly_costs(founding(), spy(), law_with(multiple=0.05), YEAR).rebalanced
    first = found.break_even.first_order
    assert first is not None
    assert found.break_even.move is not None
    low, high = sorted((float(YEAR.e.sum()), float(YEAR.d.sum())))
    assert 0.995 * low < found.break_even.move / first < 1.005 * high
    assert abs(found.volatility_drag) < 1e-4


def test_where_borrowing_nets_out_the_rate_moves_the_rebalanced_break_even_by_nothing() -> None:
    found = break_even_range(founding(), spy(), law_with(), YEAR, (0.0, 0.04, 0.12), (0.5, 1.0))
    moves = np.array([[one.move for one in row] for row in found.rebalanced], dtype=np.float64)
    assert np.abs(moves - moves[0]).max() < 1e-11
    assert abs(moves[0, 0] - moves[0, 1]) > 1e-4
    # With cash it does: what is not invested earns the rate.
    lean = held(SPY=0.6, UPRO=0.1, TNA=0.1, SQQQ=0.1)
    other = break_even_range(lean, spy(), law_with(), YEAR, (0.0, 0.04), (1.0,)).rebalanced
    assert other[0][0].move is not None
    assert other[1][0].move is not None
    assert abs(other[0][0].move - other[1][0].move) > 0.001


def test_the_ranges_hold_the_year_itself() -> None:
    law = law_with(multiple=1.2)
    found = break_even_range(founding(), spy(), law, YEAR, (0.01, 0.04), (0.5, 1.0))
    alone = yearly_costs(founding(), spy(), law, YEAR)
    assert found.untraded[1][1] == alone.untraded.break_even
    assert found.rebalanced[1][1] == alone.rebalanced.break_even
