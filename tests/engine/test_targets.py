"""What the engine is asked for: target weights, and their lag."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from tests.engine.building import WEEKDAYS, array, fund_returns_of, history_of

from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.costs import CashTerms
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import DataError, StudyError

PLAN = pd.DataFrame(
    {"FUND0": [0.2, 0.2, 0.9, 0.9, 0.2, 0.2], "FUND1": [0.8, 0.8, 0.1, 0.1, 0.8, 0.8]}, index=WEEKDAYS[:6]
)
MOVES = [[0.0, 0.0], [0.1, 0.0], [-0.1, 0.0], [0.2, 0.0], [0.05, 0.0], [0.1, 0.0]]


def traded(done: Backtest) -> list[int]:
    """Positions of the sessions that traded."""
    return [int(position) for position in done.history.dates.get_indexer(done.traded)]


def test_constant_weights_hold_on_every_session() -> None:
    targets = Targets.constant(["A", "B"], [0.25, 0.5])
    assert targets.symbols == ("A", "B")
    assert targets.rows[targets.in_force(4)].tolist() == [[0.25, 0.5]] * 4


def test_rows_by_session_are_in_force_on_their_session() -> None:
    targets = Targets.by_session(PLAN)
    assert targets.rows[targets.in_force(6)].tolist() == PLAN.to_numpy().tolist()
    assert len(targets.rows) == 2  # equal rows are stored once


@pytest.mark.parametrize("lag", [0, 1, 2, 9])
def test_a_lag_shifts_the_rows_and_the_first_holds_until_then(lag: int) -> None:
    targets = Targets.by_session(PLAN, lag)
    rows = PLAN.to_numpy().tolist()
    assert targets.rows[targets.in_force(6)].tolist() == ([rows[0]] * lag + rows)[:6]


@pytest.mark.parametrize(("lag", "expected"), [(0, [0, 2, 4]), (1, [0, 3, 5]), (2, [0, 4]), (9, [0])])
def test_a_change_of_the_row_in_force_trades(lag: int, expected: list[int]) -> None:
    done = backtest(fund_returns_of(MOVES), Targets.by_session(PLAN, lag), CalendarRule("never"))
    assert traded(done) == expected
    wanted = PLAN.to_numpy()
    for session in expected:
        assert array(done.weights)[session] == pytest.approx(wanted[max(session - lag, 0)], abs=1e-15)
    still = [session for session in range(6) if session not in expected]
    assert (array(done.turnover)[still] == 0.0).all()


def test_a_decision_earns_nothing_before_its_trade() -> None:
    """Decided and traded at the close of session 2: the return of session 3 is the first on 90%, by hand."""
    done = backtest(fund_returns_of(MOVES), Targets.by_session(PLAN), CalendarRule("never"))
    assert done.value.iloc[2] == pytest.approx(0.8 + 0.2 * 1.1 * 0.9)
    assert done.value.iloc[3] == pytest.approx(done.value.iloc[2] * (1 + 0.9 * 0.2))


def test_rows_and_calendar_trade_together() -> None:
    done = backtest(fund_returns_of(MOVES), Targets.by_session(PLAN), CalendarRule("weekly"))
    # The first of January 2021 was a Friday; the sixth session is the Friday after.
    assert traded(done) == [0, 2, 4, 5]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([0.5, -0.1], "negative"),
        ([math.nan, 0.5], "not finite"),
        ([math.inf, 0.5], "not finite"),
        ([6.0, 4.5], r"add up to 10\.5000, more than 10 times the capital"),
        ([0.5], "1 weights for 2 funds"),
        ([0.5, 0.2, 0.1], "3 weights for 2 funds"),
    ],
)
def test_weights_that_cannot_be_held_are_refused(weights: list[float], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        Targets.constant(["A", "B"], weights)


def test_a_bad_row_among_good_ones_is_refused() -> None:
    for bad, message in ((-0.1, "negative"), (math.nan, "not finite"), (9.95, r"10\.75")):
        plan = PLAN.copy()
        plan.loc[WEEKDAYS[4], "FUND0"] = bad
        with pytest.raises(StudyError, match=message):
            Targets.by_session(plan)


def test_a_negative_lag_is_refused() -> None:
    with pytest.raises(StudyError, match="lag = -1"):
        Targets.by_session(PLAN, -1)


def test_weights_that_miss_one_by_rounding_are_accepted() -> None:
    assert Targets.constant(["A", "B", "C"], [0.1, 0.2, 0.7 + 1e-12]).rows.shape == (1, 3)


def test_targets_must_fit_the_returns() -> None:
    returns = fund_returns_of(MOVES)
    with pytest.raises(StudyError, match="targets for 5 sessions where the returns have 6"):
        backtest(returns, Targets.by_session(PLAN.iloc[:5]))
    with pytest.raises(StudyError, match="targets for OTHER, FUND1; the returns are those of FUND0, FUND1"):
        backtest(returns, Targets.constant(["OTHER", "FUND1"], [0.5, 0.5]))
    with pytest.raises(StudyError, match="FUND1, FUND0"):
        backtest(returns, Targets.constant(["FUND1", "FUND0"], [0.5, 0.5]))


def test_returns_must_be_known_after_the_first_session() -> None:
    moves = np.array(MOVES)
    moves[0] = np.nan
    targets = Targets.constant(["FUND0", "FUND1"], [0.5, 0.5])
    grown = 0.5 * 1.1 * 0.9 * 1.2 * 1.05 * 1.1
    done = backtest(fund_returns_of(moves), targets, CalendarRule("never"))
    assert done.final_value == pytest.approx(0.5 + grown)
    moves[3, 1] = np.nan
    with pytest.raises(DataError, match="FUND1 on 2021-01-06 is unknown"):
        backtest(fund_returns_of(moves), targets)
    with pytest.raises(DataError, match="two sessions"):
        backtest(fund_returns_of(MOVES[:1]), targets)


def test_weights_above_one_need_a_price_of_borrowing() -> None:
    returns = fund_returns_of(MOVES)
    targets = Targets.constant(["FUND0", "FUND1"], [0.75, 0.5])
    for cash in (None, CashTerms(lending_spread=0.01)):
        with pytest.raises(StudyError, match=r"add up to more than 1; .* such as cash\.borrowing_spread = 0\.015"):
            backtest(returns, targets, cash=cash)
    done = backtest(returns, targets, CalendarRule("never"), cash=CashTerms(borrowing_spread=0.0))
    assert done.value.iloc[1] == pytest.approx(1.0 + 0.75 * 0.1)
    assert done.cash.iloc[0] == pytest.approx(-0.25)
    # One row above 1 among others is enough.
    plan = PLAN.copy()
    plan.loc[WEEKDAYS[4], "FUND0"] = 0.9
    with pytest.raises(StudyError, match="add up to more than 1"):
        backtest(returns, Targets.by_session(plan))
    rule = RebalancingRule(CalendarRule("monthly"), tranches=2)
    with pytest.raises(StudyError, match="a portfolio that borrows is held in one"):
        backtest(returns, targets, rule, cash=CashTerms(borrowing_spread=0.0))


def test_borrowed_money_costs_the_rate_and_the_spread_over_calendar_days() -> None:
    # Thursday, Friday, Monday: 1 and 3 days, at 3.6% and a spread of 1.8%; cash above 0 earns 3.6% less 0.36%.
    history = history_of(pd.DatetimeIndex(["2021-01-07", "2021-01-08", "2021-01-11"]), 0.036)
    returns = fund_returns_of([[0.0]] * 3, history)
    terms = CashTerms(lending_spread=0.0036, borrowing_spread=0.018)
    never = CalendarRule("never")
    owes = backtest(returns, Targets.constant(["FUND0"], [1.5]), never, cash=terms)
    assert owes.value.tolist() == pytest.approx([1.0, 1.5 - 0.5 * 1.00015, 1.5 - 0.5 * 1.00015 * 1.00045], rel=1e-15)
    has = backtest(returns, Targets.constant(["FUND0"], [0.5]), never, cash=terms)
    assert has.value.tolist() == pytest.approx([1.0, 0.5 + 0.5 * 1.00009, 0.5 + 0.5 * 1.00009 * 1.00027], rel=1e-15)


# --- what is held until the first decision can be traded ---


@pytest.mark.parametrize("lag", [1, 2, 6, 9])
def test_an_opening_row_is_held_until_the_first_decision_is_traded(lag: int) -> None:
    opening = [0.5, 0.25]
    targets = Targets.by_session(PLAN, lag, opening=opening)
    rows = PLAN.to_numpy().tolist()
    assert targets.rows[targets.in_force(6)].tolist() == ([opening] * lag + rows)[:6]
    done = backtest(fund_returns_of(MOVES), targets, CalendarRule("never"))
    assert array(done.weights)[0].tolist() == opening
    assert done.cash.iloc[0] == 0.25
    # A change of the row in force trades, and that from the opening to the first decision is one.
    expected = [0, *(t for t in (lag, lag + 2, lag + 4) if t < 6)]
    assert traded(done) == expected
    for session in expected[1:]:
        assert array(done.weights)[session] == pytest.approx(rows[session - lag], abs=1e-15)


def test_without_a_lag_nothing_is_held_before_the_first_decision() -> None:
    targets = Targets.by_session(PLAN, opening=[0.5, 0.25])
    assert targets.rows[targets.in_force(6)].tolist() == PLAN.to_numpy().tolist()
    done = backtest(fund_returns_of(MOVES), targets, CalendarRule("never"))
    plain = backtest(fund_returns_of(MOVES), Targets.by_session(PLAN), CalendarRule("never"))
    assert done.value.tolist() == plain.value.tolist()


def test_an_opening_row_that_is_the_first_decision_is_no_trade() -> None:
    targets = Targets.by_session(PLAN, 1, opening=PLAN.iloc[0].tolist())
    assert len(targets.rows) == 2  # stored once
    plain = Targets.by_session(PLAN, 1)
    assert targets.in_force(6).tolist() == plain.in_force(6).tolist()
    done = backtest(fund_returns_of(MOVES), targets, CalendarRule("never"))
    assert traded(done) == [0, 3, 5]
    assert done.value.tolist() == backtest(fund_returns_of(MOVES), plain, CalendarRule("never")).value.tolist()


def test_an_opening_row_of_nothing_is_cash() -> None:
    targets = Targets.by_session(PLAN, 2, opening=[0.0, 0.0])
    done = backtest(fund_returns_of(MOVES), targets, CalendarRule("never"))
    assert done.value.iloc[:3].tolist() == [1.0, 1.0, 1.0]
    assert done.value.iloc[3] == pytest.approx(0.8 + 0.2 * 1.2)


@pytest.mark.parametrize(
    ("opening", "message"),
    [([0.5, -0.1], "negative"), ([math.nan, 0.5], "not finite"), ([6.0, 4.5], r"add up to 10\.5000")],
)
def test_an_opening_row_that_cannot_be_held_is_refused(opening: list[float], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        Targets.by_session(PLAN, 1, opening=opening)


@pytest.mark.parametrize("opening", [[0.5], [0.5, 0.2, 0.1]])
def test_an_opening_row_of_other_funds_is_refused(opening: list[float]) -> None:
    with pytest.raises(StudyError, match=f"{len(opening)} weights for 2 funds"):
        Targets.by_session(PLAN, 1, opening=opening)


def test_an_opening_row_above_one_needs_a_price_of_borrowing_too() -> None:
    targets = Targets.by_session(PLAN, 1, opening=[0.75, 0.5])
    with pytest.raises(StudyError, match="add up to more than 1"):
        backtest(fund_returns_of(MOVES), targets)
