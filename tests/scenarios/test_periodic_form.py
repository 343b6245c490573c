"""Trading now and then in closed form: against quadrature, the other forms, and many paths through the loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from tests.scenarios.worlds import ND, R2, founding, held, law_with, spy, weekdays

from alphaoverlay.engine.costs import CashTerms, TradingCosts
from alphaoverlay.engine.path_running import prepare_paths
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.errors import StudyError
from alphaoverlay.history import FloatArray
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.scenarios import periodic_form as module
from alphaoverlay.scenarios.bridges import bridge
from alphaoverlay.scenarios.closed_form import ClosedForm, closed_form, rebalanced_form
from alphaoverlay.scenarios.ends import most_likely_ends
from alphaoverlay.scenarios.law import Law
from alphaoverlay.scenarios.paths import own_days
from alphaoverlay.scenarios.periodic_form import ScatteredForm, periodic_form
from alphaoverlay.scenarios.statement import Statement

YEAR = weekdays(252, 0.04)
QUARTERS = (20, 84, 147, 211)
MONTHS = tuple(range(21, 252, 21))
TERMS = CashTerms(lending_spread=0.002, borrowing_spread=0.01)
# Of the S&P 500 alone, so that one number is to be integrated over.
ON_ONE = {
    "two funds": held(SPY=0.6, UPRO=0.4),
    "three funds": held(SPY=0.7, UPRO=0.2, SH=0.1),
    "with cash": held(SPY=0.3, UPRO=0.4),
    "borrowed": held(SPY=1.1, UPRO=0.3),
}
STILL = np.zeros(3)


def one_period(portfolio: Portfolio, y: FloatArray, variance: float, first: int, last: int) -> FloatArray:
    """Growth from one close to another at log ends y of the index, fund by fund as in method M2."""
    e, d = YEAR.e[first + 1 : last + 1].sum(), YEAR.d[first + 1 : last + 1].sum()
    made = np.zeros_like(y)
    for fund, weight in zip(portfolio.funds, portfolio.weights, strict=True):
        times = fund.leverage
        taken = e * fund.expense + d * (fund.financing_spread + (times - 1.0) * 0.04)
        made += weight * np.exp(times * y + 0.5 * (times - times**2) * variance * (last - first) - taken)
    above = TERMS.borrowing if portfolio.cash < 0.0 else -TERMS.lending_spread
    return made + portfolio.cash * np.prod(1.0 + (0.04 + above) * YEAR.d[first + 1 : last + 1])


@pytest.mark.parametrize("name", ON_ONE)
@pytest.mark.parametrize("trade", [1, 60, 126, 251])
@pytest.mark.parametrize("multiple", [0.0, 1.0, 2.5])
def test_two_periods_are_an_integral_over_the_first_one_s_end(name: str, trade: int, multiple: float) -> None:
    law = law_with(multiple=multiple)
    variance = float(law.S[0, 0])
    x, weights = hermegauss(60)
    scatter = math.sqrt(variance * trade * (252 - trade) / 252)
    form = periodic_form(ON_ONE[name], law, YEAR, TERMS, trades=[trade])
    for end in (-0.4, 0.0, 0.3):
        y = end * trade / 252 + scatter * x
        both = one_period(ON_ONE[name], y, variance, 0, trade) * one_period(ON_ONE[name], end - y, variance, trade, 252)
        expected = float(both @ weights / weights.sum())
        assert form.growth(np.array([end, 0.1, -0.2])) == pytest.approx(expected, rel=1e-12)


def test_without_a_trade_and_with_one_every_session_it_is_the_other_forms() -> None:
    for portfolio in (founding(), held(SPY=0.5, TNA=0.2, SQQQ=0.05), held(SPY=1.2, UPRO=0.1)):
        for trades, plain in (((), closed_form), (range(1, 252), rebalanced_form)):
            form, other = (
                periodic_form(portfolio, law_with(), YEAR, TERMS, trades=trades),
                plain(portfolio, law_with(), YEAR, TERMS),
            )
            assert isinstance(form, ClosedForm)
            assert np.array_equal(form.constants, other.constants)
            assert np.array_equal(form.exposures, other.exposures)
            assert form.cash == other.cash


@pytest.mark.parametrize("most", [module.MOST_COURSES, 0])
def test_one_fund_does_not_see_its_portfolio_s_trades(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(module, "MOST_COURSES", most)
    z = np.random.default_rng(2).normal(0.0, 0.2, (9, 3))
    form = periodic_form(held(TNA=1.0), law_with(), YEAR, trades=QUARTERS)
    assert form.growth(z) == pytest.approx(closed_form(held(TNA=1.0), law_with(), YEAR).growth(z), rel=1e-13)


def test_a_trade_on_nearly_every_session_is_nearly_the_rebalanced_form() -> None:
    """Which trades at every instant: a 252nd of what never trading does is left."""
    z = most_likely_ends(law_with(), Statement.of(move=(R2, ND, 0.2)))
    for portfolio in (founding(), held(SPY=0.5, TNA=0.2, SQQQ=0.05), held(SPY=1.2, UPRO=0.1)):
        form = periodic_form(portfolio, law_with(), YEAR, TERMS, trades=range(1, 251))
        assert isinstance(form, ScatteredForm)
        assert form.growth(z) == pytest.approx(rebalanced_form(portfolio, law_with(), YEAR, TERMS).growth(z), abs=4e-4)


def test_any_shape_of_ends_is_taken() -> None:
    z = np.random.default_rng(1).normal(0.0, 0.2, (5, 7, 3))
    for trades in ((), QUARTERS, MONTHS, range(1, 252)):
        form = periodic_form(held(SPY=0.5, TNA=0.2, SQQQ=0.05), law_with(), YEAR, TERMS, trades=trades)
        each = [[float(form.growth(one)) for one in row] for row in z]
        assert form.growth(z) == pytest.approx(np.array(each), rel=1e-13)


def test_few_periods_are_gone_through_one_by_one() -> None:
    quarters, months = (periodic_form(founding(), law_with(), YEAR, trades=at) for at in (QUARTERS, MONTHS))
    assert isinstance(quarters, ClosedForm)
    assert quarters.weights.shape == (4**5,)
    assert float(quarters.weights.sum()) == pytest.approx(1.0)
    assert isinstance(months, ScatteredForm)


def test_what_many_periods_leave_out_is_of_the_fourth_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half the volatility leaves a sixteenth of the difference, so nothing of the second order is missing."""
    apart = {}
    for multiple in (0.5, 0.25):
        made = []
        for most in (2**13, 0):
            monkeypatch.setattr(module, "MOST_COURSES", most)
            form = periodic_form(founding(), law_with(multiple=multiple), YEAR, trades=QUARTERS)
            made.append(float(form.growth(STILL)))
        apart[multiple] = made[0] - made[1]
    assert abs(apart[0.5]) < 1e-4
    assert apart[0.5] / apart[0.25] == pytest.approx(16.0, rel=0.25)


def test_trades_cost_a_trending_portfolio_and_pay_one_that_comes_back() -> None:
    """Without volatility: along a trend the untraded portfolio lets its winners run."""
    still = law_with(multiple=0.0)
    trend = most_likely_ends(law_with(), Statement.of(move=(R2, ND, 0.25)))
    never, quarterly, always = (
        periodic_form(founding(), still, YEAR, trades=at).growth(trend) for at in ((), QUARTERS, range(1, 252))
    )
    assert never > quarterly > always
    # With volatility and no trend, leveraged funds decay and trading mends it.
    never, quarterly, always = (
        periodic_form(founding(), law_with(), YEAR, trades=at).growth(STILL) for at in ((), QUARTERS, range(1, 252))
    )
    assert never < quarterly < always


def mean_on_paths(law: Law, z: FloatArray, calendar: str, paths: int) -> tuple[float, float]:
    """Mean excess over Gaussian bridges to z through the loop at no cost, and its standard error."""
    rule = RebalancingRule(CalendarRule(calendar))  # type: ignore[arg-type]
    runners = [prepare_paths(one, YEAR, law.names, rule, TradingCosts(0.0)) for one in (founding(), spy())]
    made = own_days(np.expm1(bridge(law, np.tile(z, (paths, 1)), np.ones((paths, 252)), 11)))
    own, base = (one.run(one.moves(made.table), made.rows, np.empty(0, np.int64)).growth for one in runners)
    return float((own - base).mean()), float((own - base).std() / math.sqrt(paths))


@pytest.mark.parametrize("move", [-0.25, 0.0, 0.25])
@pytest.mark.parametrize(("calendar", "off"), [("quarterly", 2e-4), ("monthly", 1.5e-3)])
def test_it_is_the_mean_of_paths_through_the_loop(move: float, calendar: str, off: float) -> None:
    """Within four errors (one false alarm in 16,000), and what days that are no instants and many periods leave out."""
    law = law_with()
    z = most_likely_ends(law, Statement.of(move=(R2, ND, move)))
    marked = CalendarRule(calendar).sessions(YEAR.dates, YEAR.exchange_sessions)  # type: ignore[arg-type]
    trades = [int(k) for k in np.flatnonzero(marked) if 0 < k < 252]
    own, base = (periodic_form(one, law, YEAR, trades=trades).growth(z) for one in (founding(), spy()))
    mean, error = mean_on_paths(law, z, calendar, 4_000)
    assert float(own - base) == pytest.approx(mean, abs=4.0 * error + off)


def test_nothing_is_left_of_a_portfolio_that_owes_more_than_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_COURSES", 0)
    form = periodic_form(held(SPY=2.0), law_with(multiple=0.0), YEAR, trades=[126])
    # Half of the way to 0.3 is 0.55, half of that to 0.2 is 0.45: twice that pays the debt of 1, or does not.
    assert form.growth(np.array([math.log(0.3), 0.0, 0.0])) > 0.0
    assert form.growth(np.array([math.log(0.2), 0.0, 0.0])) == 0.0


@pytest.mark.parametrize("trades", [[0], [252], [300], [5, 5], [9, 3], [-1]])
def test_trades_lie_between_the_purchase_and_the_end_in_order(trades: list[int]) -> None:
    with pytest.raises(StudyError, match=r"trades = .*: write sessions from 1 to 251, each once, ascending"):
        periodic_form(founding(), law_with(), YEAR, trades=trades)
