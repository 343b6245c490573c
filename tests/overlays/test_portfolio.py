"""M3, what a portfolio looks through to, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from alphaoverlay.funds.fund import Fund
from alphaoverlay.overlays.overlay import Overlay
from alphaoverlay.overlays.portfolio import Portfolio, exposure_matrix, indices_of


def fund(symbol: str, **exposures: float) -> Fund:
    return Fund(symbol, symbol, exposures, expense=0.0)


SPY, UPRO = fund("SPY", SP500=1.0), fund("UPRO", SP500=3.0)
TNA, SQQQ = fund("TNA", RUSSELL2000=3.0), fund("SQQQ", NASDAQ100=-3.0)
STACK = fund("STACK", SP500=0.9, TREASURY=0.6)
CASE = Portfolio((SPY, UPRO, TNA, SQQQ), (0.7, 0.1, 0.1, 0.1))


def test_the_founding_case() -> None:
    assert CASE.exposures == {"SP500": 1.0, "RUSSELL2000": 0.3, "NASDAQ100": -0.3}
    assert CASE.net == pytest.approx(1.0)
    assert CASE.gross == pytest.approx(1.6)
    assert CASE.fund_gross == pytest.approx(0.7 + 3 * 0.3)
    assert CASE.active({"SP500": 1.0}) == pytest.approx(0.6)
    assert CASE.active(CASE.exposures) == 0.0
    assert CASE.cash == 0.0
    assert CASE.by_symbol == {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}


def test_an_index_is_netted_before_gross() -> None:
    both = Portfolio((UPRO, fund("SH", SP500=-1.0)), (0.2, 0.5))
    assert both.exposures == {"SP500": 0.1}  # 0.6 - 0.5
    assert both.gross == pytest.approx(0.1)
    assert both.fund_gross == pytest.approx(0.6 + 0.5)
    assert both.cash == pytest.approx(0.3)


def test_a_stacked_fund_brings_all_its_indices() -> None:
    mix = Portfolio((STACK, TNA), (0.5, 0.1))
    assert mix.exposures == {"SP500": 0.45, "TREASURY": 0.3, "RUSSELL2000": 0.3}
    assert mix.net == pytest.approx(1.05)
    assert mix.fund_gross == pytest.approx(0.5 * 1.5 + 0.1 * 3)
    assert mix.cash == pytest.approx(0.4)


def test_active_counts_indices_of_either_side() -> None:
    assert Portfolio((TNA,), (0.1,)).active({"SP500": 1.0, "RUSSELL2000": 0.1}) == pytest.approx(1.0 + 0.2)


def test_all_cash() -> None:
    empty = Portfolio((), ())
    assert empty.exposures == {}
    assert (empty.net, empty.gross, empty.fund_gross, empty.cash) == (0.0, 0.0, 0.0, 1.0)
    assert empty.active({"SP500": 1.0}) == 1.0


def test_more_than_all_capital_is_negative_cash() -> None:
    assert Portfolio((SPY, UPRO), (1.0, 0.2)).cash == pytest.approx(-0.2)


def test_the_matrix_has_a_row_an_index_and_a_column_a_fund() -> None:
    funds = (TNA, STACK, SPY)
    names = indices_of(funds)
    assert names == ("RUSSELL2000", "SP500", "TREASURY")
    np.testing.assert_array_equal(exposure_matrix(funds, names), [[3.0, 0.0, 0.0], [0.0, 0.9, 1.0], [0.0, 0.6, 0.0]])
    assert exposure_matrix((), names).shape == (3, 0)


def test_an_overlay_adds_its_legs_to_its_base() -> None:
    overlay = Overlay({"SP500": 1.0, "GOLD": 0.1}, {"NASDAQ100": -0.3, "RUSSELL2000": 0.2, "GOLD": 0.05})
    assert overlay.wanted == pytest.approx({"SP500": 1.0, "GOLD": 0.15, "NASDAQ100": -0.3, "RUSSELL2000": 0.2})
    assert list(overlay.wanted) == ["SP500", "GOLD", "NASDAQ100", "RUSSELL2000"]
    assert overlay.size == pytest.approx(0.3)  # the larger of 0.25 long and 0.30 short
    half = overlay.scaled({"NASDAQ100": 0.5})
    assert half.legs == {"NASDAQ100": -0.15, "RUSSELL2000": 0.2, "GOLD": 0.05}
    assert half.base == overlay.base
    assert Overlay().size == 0.0
