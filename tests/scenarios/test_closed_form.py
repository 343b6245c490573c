from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.scenarios.worlds import NAMES, ND, R2, SP, covariance, founding, held, law_with, spy, weekdays

from alphaoverlay.engine.costs import CashTerms
from alphaoverlay.engine.path_running import prepare_paths
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.errors import StudyError
from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.synthesis import synthetic_returns
from alphaoverlay.funds.ticker import parse_ticker, ticker_fund
from alphaoverlay.history import FloatArray, History
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.scenarios.closed_form import (
    active_exposures,
    cash_growth,
    closed_form,
    closed_form_excess,
    closed_form_growth,
    first_order,
    rebalanced_form,
)
from alphaoverlay.scenarios.law import Law
from alphaoverlay.scenarios.paths import own_days

FREE = {SP: 0.0, R2: 0.0, ND: 0.0}


def plain_fund(leverage: float, index: str = SP, **terms: float) -> Fund:
    """A fund that charges nothing but these terms."""
    return Fund("FUND", "a fund", {index: leverage}, expense=terms.get("expense", 0.0), spread=terms.get("spread", 0.0))


def by_m1(fund: Fund, logs: FloatArray, names: tuple[str, ...], history: History) -> float:
    """Growth of the fund by the daily formula along a path of log returns, shape (n, K)."""
    x = np.vstack([np.full((1, len(names)), np.nan), np.expm1(logs)])
    returns = {name: pd.Series(x[:, k], index=history.dates) for k, name in enumerate(names)}
    made = synthetic_returns(fund, returns, history).to_numpy(dtype=np.float64)
    return float(np.prod(1.0 + made[1:]))


def fine_path(sessions: int, ends: FloatArray, S: FloatArray) -> FloatArray:
    """Tiny swings whose covariance is S a session times 252/sessions, and whose sum is `ends`, shape (sessions, K)."""
    signs = np.array(list(itertools.product((1.0, -1.0), repeat=3)))
    swings = np.tile(signs, (sessions // 8, 1)) @ np.linalg.cholesky(S * 252.0 / sessions).T
    return np.asarray(swings + ends / sessions)


@pytest.mark.parametrize(("leverage", "decay"), [(3.0, -0.12), (2.0, -0.04), (1.0, 0.0), (-1.0, -0.04), (-3.0, -0.24)])
def test_a_still_index_at_twenty_percent_decays_by_half_of_l_less_l_squared(leverage: float, decay: float) -> None:
    # (L - L^2)/2 * 0.2^2 a year, as Avellaneda and Zhang have it.
    law = law_with(covariance((0.2,), ((1.0,),)), (SP,))
    grown = closed_form_growth(plain_fund(leverage), {SP: 0.0}, law, weekdays(252))
    assert math.log(grown) == pytest.approx(decay, abs=1e-14)


def test_costs_accrue_on_the_calendar() -> None:
    # Ten sessions over two weekends are 14 days: 3x borrows 2 at 3.6% + 0.36%, and pays 0.73% for itself.
    law = law_with(covariance((0.2,), ((1.0,),)), (SP,), multiple=0.0)
    fund = plain_fund(3.0, expense=0.0073, spread=0.0036)
    grown = closed_form_growth(fund, {SP: math.log(1.1)}, law, weekdays(10, 0.036))
    assert math.log(grown) == pytest.approx(3 * math.log(1.1) - 14 / 360 * 2 * 0.0396 - 14 / 365 * 0.0073, abs=1e-14)


@pytest.mark.parametrize(
    "exposures",
    [{SP: 3.0}, {ND: -3.0}, {R2: 2.0}, {SP: 1.0, R2: 1.0}, {SP: 0.9, R2: 0.6, ND: -1.5}, {SP: 1.0, ND: -0.4}],
    ids=str,
)
def test_the_closed_form_is_the_limit_of_the_daily_formula(exposures: dict[str, float]) -> None:
    fund = Fund("FUND", "a fund", exposures, expense=0.001, spread=0.0005)
    sessions = 24_000
    horizon = weekdays(sessions, 0.001, "2000-01-03")
    ends = np.array([0.08, 0.25, -0.1])
    path = fine_path(sessions, ends, covariance())
    law = law_with(path.T @ path / sessions)
    grown = closed_form_growth(fund, dict(zip(NAMES, ends, strict=True)), law, horizon)
    assert math.log(grown) == pytest.approx(math.log(by_m1(fund, path, NAMES, horizon)), abs=2e-5)


def test_a_ticker_counts_by_its_look_through_and_all_that_is_taken() -> None:
    catalogue = load_catalogue()
    ticker = ticker_fund(parse_ticker("UPRO?L=-0.5&E=0.3&SP=-0.2"), catalogue.fund)
    assert ticker.exposures == {SP: -1.5}
    horizon = weekdays(252, 0.04)
    law = law_with()
    grown = closed_form_growth(ticker, FREE, law, horizon)
    upro = closed_form_growth(catalogue.fund("UPRO"), FREE, law.times(0.0), horizon)
    own = sum(horizon.d) * 1.5 * (0.04 - 0.002) - sum(horizon.e) * 0.003
    drag = (-1.5 - 1.5**2) / 2 * 252 * law.S[0, 0]
    assert math.log(grown) == pytest.approx(-0.5 * math.log(upro) + own + drag, abs=1e-12)


def test_a_smooth_trend_is_the_closed_form_without_volatility() -> None:
    horizon = weekdays(252, 0.04)
    ends = np.array([0.1, 0.3, -0.2])
    path = np.tile(ends / 252, (252, 1))
    # The trend's own variance is all there is.
    law = law_with().times(0.0)
    own, plain = 0.0, 0.0
    for fund, weight in zip(founding().funds, founding().weights, strict=True):
        own += weight * by_m1(fund, path, NAMES, horizon)
    plain = by_m1(spy().funds[0], path, NAMES, horizon)
    assert closed_form_excess(founding(), spy(), ends, law, horizon) == pytest.approx(own - plain, abs=2e-3)


def test_a_portfolio_is_the_sum_of_its_funds_and_cash() -> None:
    horizon, law = weekdays(100, 0.05), law_with()
    portfolio = held(SPY=0.5, TNA=0.2)
    z = np.array([0.1, -0.2, 0.3])
    ends = dict(zip(NAMES, z.tolist(), strict=True))
    grown = [closed_form_growth(fund, ends, law, horizon) for fund in portfolio.funds]
    cash = float(np.prod(1.0 + 0.05 * horizon.d))
    excess = closed_form_excess(portfolio, spy(), z, law, horizon)
    assert excess == pytest.approx(0.5 * grown[0] + 0.2 * grown[1] + 0.3 * cash - grown[0], abs=1e-14)
    many = closed_form(portfolio, law, horizon).growth(np.array([[z, z * 0.0], [z * 2.0, z]]))
    assert many.shape == (2, 2)
    assert many[0, 0] == many[1, 1]


def test_cash_has_its_own_terms() -> None:
    horizon = weekdays(5, 0.036)
    # A week is 7 days: five nights of 1 and a weekend of 3 less the day of the start; see the calendar.
    days = [float(x) for x in horizon.days[1:]]
    terms = CashTerms(lending_spread=0.0072, borrowing_spread=0.0036)
    assert cash_growth(horizon) == pytest.approx(math.prod(1.0 + 0.0001 * x for x in days), abs=1e-15)
    assert cash_growth(horizon, terms) == pytest.approx(math.prod(1.0 + 0.00008 * x for x in days), abs=1e-15)
    owed = cash_growth(horizon, terms, borrowed=True)
    assert owed == pytest.approx(math.prod(1.0 + 0.00011 * x for x in days), abs=1e-15)
    borrowed = Portfolio((plain_fund(1.0),), (1.5,))
    law = law_with(covariance((0.2,), ((1.0,),)), (SP,))
    grown = closed_form(borrowed, law, horizon, terms).growth(np.zeros(1))
    assert float(grown) == pytest.approx(1.5 - 0.5 * owed, abs=1e-14)


def test_the_founding_case_to_first_order() -> None:
    active = active_exposures(founding(), spy())
    assert active == {SP: 0.0, R2: 0.3, ND: -0.3}
    # 0.3 of 25 points.
    assert first_order(active, {R2: 0.2, ND: -0.05}) == pytest.approx(0.075, abs=1e-15)


def test_a_portfolio_that_is_its_benchmark_makes_nothing() -> None:
    law: Law = law_with()
    assert closed_form_excess(spy(), spy(), np.array([0.1, 0.2, 0.3]), law, weekdays(63, 0.05)) == 0.0


def test_what_is_not_known_is_refused() -> None:
    law = law_with()
    with pytest.raises(StudyError, match="what NTSX follows is not known"):
        closed_form(held(NTSX=1.0), law, weekdays(5))
    with pytest.raises(StudyError, match="FUND follows GOLD, which is not among the scenario's indices"):
        closed_form(Portfolio((plain_fund(1.0, "GOLD"),), (1.0,)), law, weekdays(5))
    with pytest.raises(StudyError, match="UPRO follows SP500, whose end is not given; given: RUSSELL2000"):
        closed_form_growth(load_catalogue().fund("UPRO"), {R2: 0.0}, law, weekdays(5))
    with pytest.raises(StudyError, match="the end of NASDAQ100 is not given"):
        first_order({R2: 0.3, ND: -0.3, SP: 0.0}, {R2: 0.1})


# --- rebalanced every session ---


def test_a_1x_fund_alone_is_rebalanced_to_itself() -> None:
    law, horizon = law_with(multiple=2.0), weekdays(252, 0.05)
    found = rebalanced_form(spy(), law, horizon)
    paid = sum(horizon.e) * spy().funds[0].expense
    assert found.constants.tolist() == pytest.approx([-paid], abs=1e-15)
    z = np.array([0.2, -0.5, 0.7])
    assert float(found.growth(z)) == pytest.approx(math.exp(0.2 - paid), abs=1e-14)


@pytest.mark.parametrize(("leverage", "decay"), [(3.0, -0.12), (-3.0, -0.24)])
def test_a_leveraged_fund_alone_decays_as_it_does_untraded(leverage: float, decay: float) -> None:
    law = law_with(covariance((0.2,), ((1.0,),)), (SP,))
    found = rebalanced_form(Portfolio((plain_fund(leverage),), (1.0,)), law, weekdays(252))
    assert math.log(float(found.growth(np.zeros(1)))) == pytest.approx(decay, abs=1e-14)


def test_a_constant_mix_earns_the_diversification_return() -> None:
    # Half of what the funds' variances weigh more than the mix's: (0.6*0.04 + 0.4*0.09 - 0.0432) / 2 a year, where
    # 0.0432 = 0.36*0.04 + 0.16*0.09 + 2*0.24*0.03, at volatilities of 20% and 30% and a correlation of a half.
    law = law_with(covariance((0.2, 0.3), ((1.0, 0.5), (0.5, 1.0))), (SP, R2))
    mix = Portfolio((plain_fund(1.0, SP), replace(plain_fund(1.0, R2), symbol="OTHER")), (0.6, 0.4))
    found = rebalanced_form(mix, law, weekdays(252))
    assert math.log(float(found.growth(np.zeros(2)))) == pytest.approx(0.0084, abs=1e-14)
    z = np.array([0.3, -0.1])
    assert math.log(float(found.growth(z))) == pytest.approx(0.6 * 0.3 - 0.4 * 0.1 + 0.0084, abs=1e-14)


@pytest.mark.parametrize("lent", [0.1, -0.3])
def test_cash_in_a_rebalanced_portfolio_counts_by_its_weight(lent: float) -> None:
    horizon, terms = weekdays(252, 0.036), CashTerms(lending_spread=0.0072, borrowing_spread=0.0036)
    law = law_with(covariance((0.2,), ((1.0,),)), (SP,), multiple=0.0)
    found = rebalanced_form(Portfolio((plain_fund(1.0),), (1.0 - lent,)), law, horizon, terms)
    # What a night adds to the logarithm, by calendar days.
    rate = 0.036 - 0.0072 if lent > 0.0 else 0.036 + 0.0036
    earned = sum(math.log1p(rate * float(days) / 360.0) for days in horizon.days[1:])
    assert math.log(float(found.growth(np.zeros(1)))) == pytest.approx(lent * earned, abs=1e-14)


@pytest.mark.parametrize("weights", [(0.7, 0.1, 0.1, 0.1), (0.5, 0.1, 0.15, 0.1), (1.0, 0.1, 0.1, 0.1)], ids=str)
def test_the_rebalanced_form_is_the_limit_of_the_engine_s_daily_rule(weights: tuple[float, ...]) -> None:
    sessions = 24_000
    horizon = weekdays(sessions, 0.001, "2000-01-03")
    followed = {"S": {SP: 1.0}, "U": {SP: 3.0}, "T": {R2: 3.0}, "Q": {ND: -3.0}}
    funds = tuple(Fund(s, "a fund", x, expense=0.001, spread=0.0005) for s, x in followed.items())
    portfolio, terms = Portfolio(funds, weights), CashTerms(0.0003, 0.0004)
    ends = np.array([0.08, 0.25, -0.1])
    path = fine_path(sessions, ends, covariance())
    law = law_with(path.T @ path / sessions)
    paths = own_days(np.expm1(path)[None])
    grown = {}
    for rule in ("daily", "never"):
        runner = prepare_paths(portfolio, horizon, NAMES, RebalancingRule(CalendarRule(rule)), cash=terms)
        found = runner.run(runner.moves(paths.table), paths.rows, np.empty(0, dtype=np.int64))
        grown[rule] = math.log(float(found.growth[0]))
    traded, untraded = (form(portfolio, law, horizon, terms).growth(ends) for form in (rebalanced_form, closed_form))
    assert math.log(float(traded)) == pytest.approx(grown["daily"], abs=5e-5)
    assert math.log(float(untraded)) == pytest.approx(grown["never"], abs=5e-5)
    assert abs(grown["daily"] - grown["never"]) > 0.001


def test_a_rebalanced_portfolio_of_what_is_not_known_is_refused() -> None:
    with pytest.raises(StudyError, match="FUND follows GOLD"):
        rebalanced_form(Portfolio((plain_fund(1.0, "GOLD"),), (1.0,)), law_with(), weekdays(5))
