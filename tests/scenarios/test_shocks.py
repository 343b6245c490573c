from __future__ import annotations

import math

import numpy as np
import pytest
from tests.scenarios.worlds import NAMES, ND, R2, SP, covariance, founding, held, law_with, spy, weekdays

from alphaoverlay.engine.costs import CashTerms
from alphaoverlay.errors import StudyError
from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.synthesis import deductions
from alphaoverlay.funds.ticker import parse_ticker, ticker_fund
from alphaoverlay.scenarios.shocks import (
    Shock,
    correlation_one,
    fall_together,
    gap,
    gap_at,
    shocked_world,
    wipe_out_move,
    with_spread,
)

ALL = {SP: -0.334, R2: -0.334, ND: -0.334}


def test_a_third_lost_in_a_session_takes_upro_to_nothing_and_doubles_sqqq() -> None:
    found = gap_at(founding(), spy(), law_with(), ALL, weekdays(1))
    assert found.fund_returns["UPRO"] == -1.0
    assert found.fund_returns["TNA"] == -1.0
    assert found.wiped_out == ("UPRO", "TNA")
    # Less one day of its expense ratio.
    assert found.fund_returns["SQQQ"] == pytest.approx(1.002, abs=1e-4)
    assert found.portfolio == pytest.approx(0.7 * -0.334 - 0.1 - 0.1 + 0.1 * 1.002, abs=1e-4)
    assert found.benchmark == pytest.approx(-0.334, abs=1e-5)
    assert found.excess == found.portfolio - found.benchmark


@pytest.mark.parametrize("move", [-0.9, -0.34, -0.1, 0.0, 0.1, 0.34, 2.0])
def test_a_gap_of_any_size_is_one_session_of_the_daily_formula(move: float) -> None:
    law, session = law_with(), weekdays(1, 0.05, "2026-01-02")  # a Friday: three days
    found = gap(founding(), spy(), law, move, session)
    S = covariance()
    expected = np.expm1(math.log1p(move) * S[:, 0] / S[0, 0])
    assert found.index_returns == pytest.approx(dict(zip(NAMES, expected, strict=True)), abs=1e-14)
    assert found.index_returns[SP] == move
    nasdaq = found.index_returns[ND]
    earned = 3 / 360 * 4 * 0.05 - 3 / 365 * 0.0095 - 3 / 360 * 4 * load_catalogue().fund("SQQQ").spread
    assert found.fund_returns["SQQQ"] == pytest.approx(max(-3 * nasdaq + earned, -1.0), abs=1e-14)
    assert ("UPRO" in found.wiped_out) == (move <= -1 / 3)
    assert ("SQQQ" in found.wiped_out) == (nasdaq > 0.336)


def test_cash_earns_its_day() -> None:
    found = gap_at(held(SPY=0.5), spy(), law_with(), {SP: 0.0}, weekdays(1, 0.036), CashTerms(lending_spread=0.0036))
    spy_day = 0.5 * found.benchmark
    assert found.portfolio == pytest.approx(spy_day + 0.5 * 3 * 0.00009, abs=1e-15)


@pytest.mark.parametrize(
    ("symbol", "threshold"), [("UPRO", -1 / 3), ("SSO", -0.5), ("SQQQ", 1 / 3), ("SH", 1.0), ("SPY", None)]
)
def test_the_move_that_takes_a_fund_to_nothing(symbol: str, threshold: float | None) -> None:
    assert wipe_out_move(load_catalogue().fund(symbol)) == threshold


def test_a_fund_on_several_indices_has_no_single_threshold() -> None:
    assert wipe_out_move(Fund("TWO", "two", {SP: 2.0, ND: 1.0}, expense=0.0)) is None


def test_correlation_one_is_two_deviations_of_a_quarter() -> None:
    # Half of the yearly volatility is that of a quarter; two of it are the year's.
    assert correlation_one(law_with()) == pytest.approx([-0.17, -0.24, -0.23], abs=1e-14)
    assert correlation_one(law_with(multiple=2.0)) == pytest.approx([-0.34, -0.48, -0.46], abs=1e-14)


def test_a_shock_is_a_gap_and_then_a_dearer_world() -> None:
    horizon = weekdays(5, 0.04)
    shock = Shock({SP: -0.2, ND: -0.25}, rate=0.02, spread=0.01, onward={SP: 0.1})
    world = shocked_world(shock, founding(), spy(), law_with(), horizon)
    path = world.paths.table[world.paths.rows[0]]
    assert path.shape == (5, 3)
    assert path[0, [0, 2]] == pytest.approx([-0.2, -0.25], abs=1e-15)
    assert path[0, 1] < -0.2
    assert np.prod(1.0 + path[1:, 0]) == pytest.approx(1.1, abs=1e-14)
    assert (path[1:, 1:] == 0.0).all()
    # The gap's session accrues at the rate dated before it.
    assert world.horizon.financing[1:].tolist() == pytest.approx([0.04, 0.06, 0.06, 0.06, 0.06])
    assert horizon.financing[1:].tolist() == [0.04] * 5
    assert world.portfolio.weights == founding().weights
    for after, before in zip(world.portfolio.funds, founding().funds, strict=True):
        more = deductions(after, horizon).spread - deductions(before, horizon).spread
        borrowed = abs(before.leverage - 1.0) if before.leverage not in (0.0, 1.0) else 0.0
        assert more == pytest.approx(0.01 * borrowed * horizon.d, abs=1e-15)
    assert world.benchmark.funds[0].spread_basis == "stated"


def test_the_spread_of_a_ticker_s_holding_rises_with_it() -> None:
    ticker = ticker_fund(parse_ticker("UPRO?L=2&SP=0.1"), load_catalogue().fund)
    assert with_spread(ticker, 0.01).financing_spread == pytest.approx(ticker.financing_spread + 0.01 + 2 * 2 * 0.01)


def test_shocks_without_sense_are_refused() -> None:
    law, horizon = law_with(), weekdays(1)
    with pytest.raises(StudyError, match="SP500 = -1: an end return"):
        gap(founding(), spy(), law, -1.0, horizon)
    with pytest.raises(StudyError, match="spread = nan: a jump is a yearly fraction"):
        shocked_world(Shock({SP: -0.2}, spread=math.nan), founding(), spy(), law, horizon)
    with pytest.raises(StudyError, match="ends with the gap; state no returns after it"):
        shocked_world(Shock({SP: -0.2}, onward={SP: 0.1}), founding(), spy(), law, horizon)
    with pytest.raises(StudyError, match="what NTSX follows is not known"):
        gap(held(NTSX=1.0), spy(), law, -0.1, horizon)


def test_paths_of_one_factor_move_all_indices_in_proportion_to_the_ends() -> None:
    law = law_with()
    drawn = fall_together(law, 50, seed=3)
    assert drawn.shape == (50, 63, len(law.names))
    ends = correlation_one(law)
    assert drawn.sum(axis=1) == pytest.approx(np.tile(ends, (50, 1)), abs=1e-12)
    assert drawn / ends == pytest.approx(np.repeat(drawn[:, :, :1] / ends[0], len(ends), axis=2), abs=1e-12)
    assert np.array_equal(fall_together(law, 50, seed=3), drawn)
    assert not np.array_equal(fall_together(law, 50, seed=4), drawn)


def test_a_shock_of_the_rate_alone_leaves_the_indices_where_they_are() -> None:
    world = shocked_world(Shock({}, rate=0.02), founding(), spy(), law_with(), weekdays(21))
    assert not world.paths.table.any()


@pytest.mark.parametrize(("rate", "spread"), [(1.5, 0.0), (0.0, -0.1), (0.0, 1.5), (float("nan"), 0.0)])
def test_a_jump_out_of_bounds_is_refused(rate: float, spread: float) -> None:
    with pytest.raises(StudyError, match="a jump is a yearly fraction from"):
        shocked_world(Shock({}, rate, spread), founding(), spy(), law_with(), weekdays(21))
