"""Many portfolios at once are what a backtest makes of each."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.building import array, fund_returns_of, markets, weights_of
from tests.engine.cases import Case, cases

from alphaoverlay.engine.bands import Band
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.sweeping import sweep
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import StudyError
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.history import FloatArray


def agrees(case: Case, rows: list[list[float]], side_by_side: bool = True) -> None:
    """Every row of a sweep is that of a backtest, bit for bit but for what numpy sums in its own order."""
    found = sweep(
        case.returns, np.array(rows), case.rule, case.costs, cash=case.cash, benchmark=case.benchmark, workers=2
    ).results
    for k, row in enumerate(rows):
        done = case.but(targets=Targets.constant(case.targets.symbols, row)).run()
        value, cost = array(done.value), list(accumulate(array(done.cost)))[-1]
        falls = value / np.maximum.accumulate(np.maximum(value, 1.0)) - 1.0
        assert found.loc[k, "final_value"] == value[-1] == done.final_value
        assert found.loc[k, "max_drawdown"] == falls.min()
        assert found.loc[k, "rebalances"] == len(done.rebalances)
        assert found.loc[k, "cost"] == pytest.approx(cost, rel=0, abs=0.0 if side_by_side else 1e-12)
        turnover = array(done.turnover)[1:].sum()
        assert found.loc[k, "turnover"] == pytest.approx(turnover, rel=1e-12, abs=1e-12)


def portfolios(case: Case, times: float = 1.0) -> st.SearchStrategy[list[list[float]]]:
    """A few rows of weights for the funds of a case."""
    one = weights_of(len(case.returns.funds)).map(lambda row: [times * w for w in row])
    return st.lists(one, min_size=1, max_size=6)


def absolute(case: Case) -> Case:
    """The same with sizes in points, which any targets allow."""
    return case.but(rule=replace(case.rule, bands=tuple(replace(band, kind="absolute") for band in case.rule.bands)))


@given(cases("spreads", "losses"), st.data())
def test_calendars(case: Case, data: st.DataObject) -> None:
    agrees(case, data.draw(portfolios(case)))


@given(cases("bands", "spreads", "losses"), st.integers(0, 5), st.data())
def test_bands_and_an_interval(case: Case, interval: int, data: st.DataObject) -> None:
    case = absolute(case)
    agrees(case.but(rule=replace(case.rule, minimum_interval=interval)), data.draw(portfolios(case)))


@given(cases("bands", "spreads", "losses", "borrowing"), st.data())
def test_borrowing_and_ruin(case: Case, data: st.DataObject) -> None:
    agrees(absolute(case), data.draw(portfolios(case, 1.5)))


@given(cases("timing", "spreads"), st.data())
def test_calendars_with_a_lag(case: Case, data: st.DataObject) -> None:
    agrees(case, data.draw(portfolios(case)))


@given(cases("bands", "timing", "spreads", "fees", "impact") | cases("tranches", "bands", "losses"), st.data())
def test_what_runs_one_at_a_time(case: Case, data: st.DataObject) -> None:
    agrees(absolute(case), data.draw(portfolios(case)), side_by_side=False)


@given(markets(max_funds=3, max_sessions=40), st.sampled_from([0.0, 0.5, 1.0]), st.integers(0, 2**32))
def test_relative_bands(returns: FundReturns, destination: float, seed: int) -> None:
    m = len(returns.funds)
    rows = np.random.default_rng(seed).dirichlet(np.ones(m + 1), 5)[:, :m].tolist()
    bands = (Band("weight", 0.1, 0.1, "relative", destination=destination), Band("gross", 0.02, 0.02, "relative"))
    rule = RebalancingRule(CalendarRule("never"), bands)
    targets = Targets.constant([fund.symbol for fund in returns.funds], rows[0])
    agrees(Case(returns, targets, rule, TradingCosts(10.0)), rows)


def a_market(n: int = 60, m: int = 3, seed: int = 5) -> tuple[FundReturns, FloatArray]:
    """Some funds, and more portfolios than one block holds."""
    random = np.random.default_rng(seed)
    returns = fund_returns_of(random.normal(0.0, 0.02, (n, m)))
    return returns, random.dirichlet(np.ones(m + 1), 600)[:, :m]


@pytest.mark.parametrize("lag", [0, 1], ids=["side by side", "one at a time"])
def test_the_number_of_workers_changes_nothing(lag: int) -> None:
    returns, weights = a_market()
    rule = RebalancingRule(CalendarRule("monthly"), (Band.of("weight", 0.02, destination=0.0),), lag=lag)
    done = [sweep(returns, weights, rule, TradingCosts(5.0), workers=workers).results for workers in (1, 2, 5, None)]
    for other in done[1:]:
        pd.testing.assert_frame_equal(done[0], other, check_exact=True)


def test_portfolios_do_not_see_each_other() -> None:
    returns, weights = a_market()
    rule = RebalancingRule(CalendarRule("never"), (Band.of("gross", 0.05, destination=0.5), Band.of("weight", 0.02)))
    together = sweep(returns, weights, rule, TradingCosts(5.0)).results
    some = [0, 1, 255, 256, 300, 599]
    alone = pd.concat([sweep(returns, weights[k : k + 1], rule, TradingCosts(5.0)).results for k in some])
    assert array(together.loc[some]).tolist() == array(alone).tolist()


def test_weights_keep_their_names() -> None:
    returns, weights = a_market()
    frame = pd.DataFrame(weights[:3], index=["a", "b", "c"], columns=["FUND0", "FUND1", "FUND2"])
    done = sweep(returns, frame)
    pd.testing.assert_frame_equal(done.weights, frame)
    assert list(done.results.index) == ["a", "b", "c"]
    assert list(done.results.columns) == ["final_value", "max_drawdown", "cost", "turnover", "rebalances"]
    assert (array(frame) == weights[:3]).all()  # a fund that is lost is taken out of a copy


def test_mistakes_are_named() -> None:
    returns, weights = a_market()
    wrong = pd.DataFrame(weights[:2], columns=["FUND0", "FUND2", "FUND1"])
    with pytest.raises(StudyError, match="weights of FUND0, FUND2, FUND1; the returns are of FUND0, FUND1, FUND2"):
        sweep(returns, wrong)
    with pytest.raises(StudyError, match="negative or not finite"):
        sweep(returns, np.array([[0.1, 0.2, -0.1]]))
    with pytest.raises(StudyError, match="add up to more than 1"):
        sweep(returns, np.array([[0.1, 0.2, 0.1], [0.5, 0.6, 0.1]]))
    rule = RebalancingRule(bands=(Band("weight", 0.1, 0.1, "relative"),))
    with pytest.raises(StudyError, match="band on weight FUND1: its target is 0"):
        sweep(returns, np.array([[0.1, 0.2, 0.1], [0.5, 0.0, 0.1]]), rule)
