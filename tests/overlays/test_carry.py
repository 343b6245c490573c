"""Carry by part: hand cases and the identity of financing and cash."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphaoverlay.funds.fund import Fund
from alphaoverlay.overlays.carry import Carry, yearly_carry
from alphaoverlay.overlays.portfolio import Portfolio


def fund(symbol: str, index: str, leverage: float, percent: float, spread: float = 0.004) -> Fund:
    return Fund(symbol, symbol, {index: leverage}, expense=percent / 100, spread=spread)


CASE = Portfolio(
    (
        fund("SPY", "SP500", 1.0, 0.0945),
        fund("UPRO", "SP500", 3.0, 0.91),
        fund("TNA", "RUSSELL2000", 3.0, 1.03),
        fund("SQQQ", "NASDAQ100", -3.0, 0.95),
    ),
    (0.7, 0.1, 0.1, 0.1),
)


def test_the_founding_case_at_five_percent() -> None:
    carry = yearly_carry(CASE, 0.05)
    # Two long funds borrow 2 times their weight, the inverse one lends 4 times its own: nothing is left to finance.
    assert carry.expense == pytest.approx(-(0.7 * 0.0945 + 0.1 * 0.91 + 0.1 * 1.03 + 0.1 * 0.95) / 100, abs=1e-15)
    assert carry.spread == pytest.approx(-(0.1 * 2 + 0.1 * 2 + 0.1 * 4) * 0.004, abs=1e-15)
    assert (carry.financing, carry.cash) == (0.0, 0.0)
    assert carry.total == pytest.approx(-0.0035515 - 0.0032, abs=1e-15)


def test_cash_earns_and_a_leveraged_fund_pays() -> None:
    carry = yearly_carry(Portfolio((fund("SSO", "SP500", 2.0, 0.89),), (0.4,)), 0.05)
    assert carry.expense == pytest.approx(-0.4 * 0.0089)
    assert carry.spread == pytest.approx(-0.4 * 0.004)
    assert carry.financing == pytest.approx(-0.4 * 0.05)
    assert carry.cash == pytest.approx(0.6 * 0.05)
    assert carry.total == pytest.approx(-0.00356 - 0.0016 - 0.02 + 0.03)


def test_an_inverse_fund_is_paid_interest_and_still_charged_the_spread() -> None:
    carry = yearly_carry(Portfolio((fund("SQQQ", "NASDAQ100", -3.0, 0.95),), (1.0,)), 0.05)
    assert carry.financing == pytest.approx(4 * 0.05)
    assert carry.spread == pytest.approx(-4 * 0.004)


def test_a_plain_fund_pays_its_expense_alone() -> None:
    assert yearly_carry(Portfolio((fund("SPY", "SP500", 1.0, 0.09),), (1.0,)), 0.05) == Carry(-0.0009, 0.0, 0.0, 0.0)


def test_subtraction_goes_part_by_part() -> None:
    less = Carry(-0.004, -0.003, -0.02, 0.03) - Carry(-0.001, 0.0, -0.01, 0.05)
    assert less.expense == pytest.approx(-0.003)
    assert less.spread == pytest.approx(-0.003)
    assert less.financing == pytest.approx(-0.01)
    assert less.cash == pytest.approx(-0.02)
    assert less.total == pytest.approx(-0.036)


@given(
    st.lists(st.tuples(st.floats(-3.0, 3.0), st.floats(0.0, 0.25)), min_size=0, max_size=4),
    st.floats(-0.01, 0.2),
)
def test_financing_and_cash_depend_on_net_exposure_only(held: list[tuple[float, float]], rate: float) -> None:
    """With SW = 1: what is not exposed to an index earns the financing rate, wherever it lies."""
    funds = tuple(fund(f"F{k}", f"I{k}", leverage, 0.5) for k, (leverage, _) in enumerate(held))
    carry = yearly_carry(Portfolio(funds, tuple(weight for _, weight in held)), rate)
    net = sum(leverage * weight for leverage, weight in held)
    assert carry.financing + carry.cash == pytest.approx(rate * (1.0 - net), abs=1e-10)
