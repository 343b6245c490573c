"""The engine against a second implementation of the method that shares no code or technique with it."""

from __future__ import annotations

from hypothesis import given
from tests import second_engine
from tests.engine.cases import FEATURES, Case, cases, differences, disagreements, plan_of


@given(cases("spreads"))
def test_calendars_and_costs_by_day(case: Case) -> None:
    assert disagreements(case) == []


@given(cases("bands", "losses"))
def test_bands(case: Case) -> None:
    assert disagreements(case) == []


@given(cases("bands", "timing", "turns"))
def test_bands_with_a_lag_an_interval_and_changing_targets(case: Case) -> None:
    assert disagreements(case) == []


@given(cases("turns", "spreads", "losses", "timing"))
def test_targets_that_change(case: Case) -> None:
    assert disagreements(case) == []


@given(cases("tranches", "spreads", "losses"))
def test_tranches(case: Case) -> None:
    assert disagreements(case) == []


@given(cases("tranches", "bands", "timing", "spreads", "turns"))
def test_tranches_with_bands(case: Case) -> None:
    assert disagreements(case) == []


@given(cases("fees", "spreads", "bands"))
def test_fees_and_a_minimum_trade(case: Case) -> None:
    assert disagreements(case) == []


@given(cases("impact", "spreads", "bands"))
def test_impact(case: Case) -> None:
    assert disagreements(case) == []


@given(cases("flows"))
def test_flows_at_no_cost(case: Case) -> None:
    assert disagreements(case) == []


@given(cases("flows", "spreads", "bands", "timing", "losses"))
def test_flows(case: Case) -> None:
    assert disagreements(case) == []


@given(cases("flows", "fees", "spreads", "bands"))
def test_flows_with_fees(case: Case) -> None:
    assert disagreements(case) == []


@given(cases("flows", "impact", "turns"))
def test_flows_with_impact(case: Case) -> None:
    assert disagreements(case) == []


@given(cases("flows", "tranches", "spreads", "bands"))
def test_flows_with_tranches(case: Case) -> None:
    assert disagreements(case) == []


@given(cases("borrowing", "spreads", "bands", "losses"))
def test_borrowing(case: Case) -> None:
    assert disagreements(case) == []


@given(cases("borrowing", "flows", "spreads", "turns"))
def test_borrowing_with_flows(case: Case) -> None:
    assert disagreements(case) == []


@given(cases(*(feature for feature in FEATURES if feature != "tranches")))
def test_everything_in_one_tranche(case: Case) -> None:
    assert disagreements(case) == []


@given(cases(*(feature for feature in FEATURES if feature != "borrowing")))
def test_everything_in_tranches(case: Case) -> None:
    done, other = case.run(), second_engine.run_plan(plan_of(case))
    # Where what does not trade leaves too little cash, each shares out the scaling over tranches in a way of its own.
    if not any(other["shrunk"]):
        assert differences(done, other) == []
