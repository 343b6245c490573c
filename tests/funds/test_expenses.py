"""The expense ratio through time: which of the figures seen count, from when, and what M1 makes of them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import second_tracking
from tests.funds.made import NAN, made_history

from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.funds.expenses import as_of, expense_steps, expenses_on
from alphaoverlay.funds.fund import ExpenseSeen, Fund
from alphaoverlay.funds.synthesis import deductions, synthetic_returns

PRESENT, AS_OF = 0.0090, date(2020, 6, 30)
CATALOGUE = load_catalogue()
ROWS: list[dict[str, Any]] = tomllib.loads(second_tracking.CATALOGUE.read_text(encoding="utf-8"))["fund"]


def seen(day: str, percent: float, kind: str = "net", *, weak: bool = False) -> ExpenseSeen:
    return ExpenseSeen(date.fromisoformat(day), percent / 100.0, kind, "a list", weak)


def fund_with(*figures: ExpenseSeen, kind: str = "net") -> Fund:
    """A plain fund on the index AAA that charges 0.90% as of 2020-06-30."""
    return Fund(
        "FUND", "FUND", {"AAA": 1.0}, expense=PRESENT, expense_as_of=AS_OF, expense_kind=kind, expense_history=figures
    )


def steps(*figures: ExpenseSeen) -> dict[str, float]:
    """Day -> percent."""
    return {day.isoformat(): round(100.0 * value, 10) for day, value in expense_steps(fund_with(*figures))}


# --- which figures count ---


def test_a_fund_without_a_past_has_one_constant_figure() -> None:
    assert expense_steps(fund_with()) == ()
    dates = pd.DatetimeIndex(["1999-01-04", "2030-01-02"])
    assert expenses_on(fund_with(), dates).tolist() == [PRESENT, PRESENT]


def test_net_figures_all_count() -> None:
    assert steps(seen("2012-01-03", 0.95), seen("2012-01-04", 0.93)) == {
        "2012-01-03": 0.95,
        "2012-01-04": 0.93,
        "2020-06-30": 0.90,
    }


@pytest.mark.parametrize(
    ("figure", "counts"),
    [
        (seen("2014-06-15", 1.10, "gross"), False),  # the net figure is of the same day
        (seen("2015-06-15", 1.10, "gross"), False),  # 365 days after it
        (seen("2015-06-16", 1.10, "gross"), True),
        (seen("2013-06-15", 1.10, "gross"), False),  # 365 days before it
        (seen("2013-06-14", 1.10, "gross"), True),
        (seen("2014-09-15", 1.10, ""), False),  # of no stated kind: as gross
        (seen("2017-01-03", 1.10, ""), True),
        (seen("2014-09-15", 1.10, "net", weak=True), False),  # a weak source stays weak, whatever it says
        (seen("2017-01-03", 1.10, "net", weak=True), True),
        (seen("2014-09-15", 1.10, "net"), True),
    ],
)
def test_a_net_figure_silences_worse_ones_within_365_days(figure: ExpenseSeen, counts: bool) -> None:
    found = steps(seen("2014-06-15", 0.95), figure)
    assert (1.10 in found.values()) is counts
    assert found["2014-06-15"] == 0.95


def test_a_gross_figure_silences_a_weak_one_but_not_another_gross_one() -> None:
    gross, other, weak = (
        seen("2012-03-01", 1.05, "gross"),
        seen("2012-09-01", 1.03, "gross"),
        seen("2012-06-01", 1.5, weak=True),
    )
    assert steps(gross, other, weak) == {"2012-03-01": 1.05, "2012-09-01": 1.03, "2020-06-30": 0.90}


def test_a_weak_figure_counts_where_there_is_nothing_better() -> None:
    assert steps(seen("2010-07-01", 0.95, weak=True)) == {"2010-07-01": 0.95, "2020-06-30": 0.90}


def test_a_figure_that_is_itself_silenced_still_silences_worse_ones() -> None:
    """The weak figure is 500 days from the net one, but the gross one was seen between them."""
    net, gross, weak = (
        seen("2012-01-01", 0.95),
        seen("2012-10-01", 1.0, "gross"),
        seen("2013-05-15", 1.5, weak=True),
    )
    assert steps(net, gross, weak) == {"2012-01-01": 0.95, "2020-06-30": 0.90}


@pytest.mark.parametrize("kind", ["net", "gross", ""])
def test_the_present_figure_counts_as_net_whatever_it_is(kind: str) -> None:
    near, far = seen("2020-01-15", 1.2, "gross"), seen("2018-01-15", 1.3, "gross")
    assert expense_steps(fund_with(near, far, kind=kind)) == ((far.seen, far.expense), (AS_OF, PRESENT))


def test_a_figure_seen_after_the_present_one_holds_from_then() -> None:
    assert steps(seen("2022-01-03", 0.87)) == {"2020-06-30": 0.90, "2022-01-03": 0.87}


@pytest.mark.parametrize("swap", [False, True])
def test_of_two_figures_of_one_day_the_better_kind_counts_in_any_order(swap: bool) -> None:
    pair = (seen("2012-01-03", 1.1, "gross"), seen("2012-01-03", 0.95))
    assert steps(*(reversed(pair) if swap else pair)) == {"2012-01-03": 0.95, "2020-06-30": 0.90}


def test_the_present_figure_wins_over_a_net_one_of_its_own_day() -> None:
    assert steps(seen("2020-06-30", 0.5), seen("2012-01-03", 0.95)) == {"2012-01-03": 0.95, "2020-06-30": 0.90}


# --- from when they hold ---


def test_each_figure_holds_from_its_day_and_the_first_also_before() -> None:
    fund = fund_with(seen("2012-01-03", 0.95), seen("2015-05-02", 0.92))
    days = ["1990-01-02", "2012-01-02", "2012-01-03", "2015-05-01", "2015-05-02", "2015-05-04", "2020-06-29"]
    dates = pd.DatetimeIndex([*days, "2020-06-30", "2031-01-02"])
    expected = [0.0095] * 4 + [0.0092] * 3 + [0.0090] * 2
    assert expenses_on(fund, dates).tolist() == pytest.approx(expected, abs=1e-15)


def test_m1_takes_the_figure_in_force_on_each_session() -> None:
    """Thursday to Tuesday, the index standing still; 3.65% a year is 1 in 10,000 a day, 7.30% twice as much."""
    fund = fund_with(seen("2012-01-05", 3.65), seen("2012-01-07", 7.30))  # the second on a Saturday
    history = made_history(
        {"X": [1.0] * 5}, dates=["2012-01-04", "2012-01-05", "2012-01-06", "2012-01-09", "2012-01-10"]
    )
    still = {"AAA": pd.Series([NAN, 0.0, 0.0, 0.0, 0.0], index=history.dates)}
    returns = synthetic_returns(fund, still, history).to_numpy()
    assert returns[1:] == pytest.approx([-0.0001, -0.0001, -0.0006, -0.0002], abs=1e-15)  # the weekend is three days
    assert deductions(fund, history).expense.tolist() == pytest.approx([0.0, 0.0001, 0.0001, 0.0006, 0.0002], abs=1e-15)


# --- laws ---


days = st.integers(0, 4000).map(lambda n: date(2008, 1, 1) + timedelta(days=n))
figures = st.lists(
    st.builds(
        ExpenseSeen, days, st.floats(0.0, 0.03), st.sampled_from(["net", "gross", ""]), st.just(""), st.booleans()
    ),
    max_size=8,
    unique_by=lambda one: one.seen,
)


def as_row(fund: Fund) -> dict[str, Any]:
    """The fund as the catalogue writes it, in percent."""
    history = [
        {"seen": one.seen, "expense": 100.0 * one.expense, "kind": one.kind, "weak": one.weak}
        for one in fund.expense_history
    ]
    return {"expense": 100.0 * fund.expense, "expense_as_of": fund.expense_as_of, "expense_history": history}


def second_path(row: Mapping[str, Any], sessions: pd.DatetimeIndex) -> list[float]:
    path = second_tracking.expense_steps(dict(row))
    return second_tracking.expense_path(path, [day.date() for day in sessions])


@given(figures)
def test_equals_the_second_implementation(history: list[ExpenseSeen]) -> None:
    fund = fund_with(*history)
    sessions = pd.date_range("2007-06-01", "2021-06-01", freq="11D")
    assert expenses_on(fund, sessions).tolist() == pytest.approx(second_path(as_row(fund), sessions), rel=1e-12)


@given(figures, st.randoms())
def test_the_order_in_which_figures_are_written_does_not_matter(history: list[ExpenseSeen], random: Any) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)
    assert expense_steps(fund_with(*history)) == expense_steps(fund_with(*shuffled))


@given(figures)
def test_steps_are_in_order_and_each_is_a_figure_that_was_seen_on_its_day(history: list[ExpenseSeen]) -> None:
    found = expense_steps(fund_with(*history))
    known = {(one.seen, one.expense) for one in history} | {(AS_OF, PRESENT)}
    assert set(found) <= known
    assert all(a < b and x != y for (a, x), (b, y) in pairwise(found))


def test_every_fund_of_the_catalogue_has_the_path_of_the_second_implementation() -> None:
    sessions = pd.date_range("2000-01-01", "2026-12-31", freq="QE")
    dated = [row for row in ROWS if row.get("expense_history")]
    assert len(dated) > 30
    for row in dated:
        own = expenses_on(CATALOGUE.fund(row["symbol"]), sessions)
        np.testing.assert_allclose(own, second_path(row, sessions), rtol=1e-12, err_msg=row["symbol"])


def test_a_fund_as_of_a_day_keeps_that_day_s_expense_ratio_for_good() -> None:
    """TNA's figures differ by year; a horizon that begins in 2012 must not know those of 2022."""
    from alphaoverlay.funds.ticker import parse_ticker, ticker_fund

    fund = load_catalogue().fund("TNA")
    day = pd.Timestamp("2012-12-14")
    frozen = as_of(fund, day)
    ahead = pd.DatetimeIndex(["2012-12-14", "2016-01-04", "2024-01-02"])
    then = expenses_on(fund, pd.DatetimeIndex([day]))[0]
    assert len(set(expenses_on(fund, ahead))) > 1
    assert expenses_on(frozen, ahead).tolist() == [then] * 3
    assert frozen.yearly_expense == then
    ticker = ticker_fund(parse_ticker("TNA?L=2"), lambda _: fund)
    under = as_of(ticker, day).multiple
    assert under is not None
    assert under.of == frozen
