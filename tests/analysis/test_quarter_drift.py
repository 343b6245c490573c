"""How far exposures go untraded: against backtests that never trade, by hand, and against M2 and M1."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.building import WEEKDAYS, array, fund_returns_of, history_of, markets, weights_of
from tests.engine.cases import EXPOSURES

from alphaoverlay.analysis.quarter_drift import shocked_exposures, untraded_drift
from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.costs import CashTerms
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import DataError, SpanError, StudyError
from alphaoverlay.funds.fund import Fund, Index
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.funds.ticker import index_holding, parse_ticker, ticker_fund
from alphaoverlay.overlays.portfolio import Portfolio

BENCHMARK = {"A": 1.0, "D": 0.25}

# --- windows ---


def window(returns: FundReturns, start: int, sessions: int) -> FundReturns:
    """The returns of whoever buys at the close of a session and holds for some more."""
    dates = returns.history.dates
    rows = slice(start, start + sessions + 1)
    history = returns.history.between(dates[start], dates[start + sessions])
    return FundReturns(history, returns.funds, returns.returns[rows], returns.synthetic[rows])


def held(returns: FundReturns, weights: list[float]) -> Backtest:
    """Bought and left alone; what is borrowed costs the financing rate."""
    targets = Targets.constant([fund.symbol for fund in returns.funds], weights)
    return backtest(returns, targets, CalendarRule("never"), cash=CashTerms(borrowing_spread=0.0))


def seen(done: Backtest) -> list[dict[str, float]]:
    """Exposures at every close by plain sums: by index, and in all."""
    found = []
    for weights in array(done.weights).tolist():
        sums: dict[str, float] = {}
        for weight, fund in zip(weights, done.fund_returns.funds, strict=True):
            for name, times in fund.exposures.items():
                sums[name] = sums.get(name, 0.0) + weight * times
        totals = {
            "net": math.fsum(sums.values()),
            "gross": math.fsum(map(abs, sums.values())),
            "active": math.fsum(abs(sums.get(k, 0.0) - BENCHMARK.get(k, 0.0)) for k in {*sums, *BENCHMARK}),
        }
        found.append(sums | totals)
    return found


@settings(max_examples=40)
@given(markets(max_sessions=25), st.sampled_from([1, 2, 5, 12]), st.sampled_from([1.0, 1.0, 1.5]), st.data())
def test_every_window_is_a_backtest_that_never_trades(
    market: FundReturns, sessions: int, times: float, data: st.DataObject
) -> None:
    m = len(market.funds)
    exposures = data.draw(st.lists(st.sampled_from(EXPOSURES[:-1]), min_size=m, max_size=m))
    returns = fund_returns_of(market.returns, market.history, exposures)
    weights = [times * weight for weight in data.draw(weights_of(m))]
    n = len(returns.history.dates)
    portfolio = Portfolio(returns.funds, tuple(weights))
    if n <= sessions:
        with pytest.raises(SpanError, match=f"{n} sessions are too few for a window of {sessions}"):
            untraded_drift(returns, portfolio, BENCHMARK, sessions)
        return
    drift = untraded_drift(returns, portfolio, BENCHMARK, sessions)
    windows = [seen(held(window(returns, start, sessions), weights)) for start in range(n - sessions)]
    assert list(drift.ends.index) == list(returns.history.dates[: n - sessions])
    assert drift.sessions == sessions
    assert list(drift.ends.columns) == list(windows[0][0])
    for name in drift.ends.columns:
        np.testing.assert_allclose(drift.ends[name], [one[-1][name] for one in windows], rtol=0, atol=1e-12)
        inside = [close[name] for one in windows for close in one]
        assert drift.lows[name] == pytest.approx(min(inside), abs=1e-12)
        assert drift.highs[name] == pytest.approx(max(inside), abs=1e-12)


def test_two_windows_by_hand() -> None:
    """A half in a fund of twice A, the rest cash without interest: +20%, -50%."""
    returns = fund_returns_of([[0.0], [0.2], [-0.5]], exposures=[{"A": 2.0}])
    drift = untraded_drift(returns, Portfolio(returns.funds, (0.5,)), {"A": 1.0}, 1)
    assert drift.ends["A"].tolist() == pytest.approx([2 * 0.6 / 1.1, 2 * 0.25 / 0.75])
    assert drift.ends["active"].tolist() == pytest.approx([2 * 0.6 / 1.1 - 1, 1 - 2 * 0.25 / 0.75])
    assert drift.lows.to_dict() == pytest.approx({"A": 2 / 3, "net": 2 / 3, "gross": 2 / 3, "active": 0.0})
    assert drift.highs.to_dict() == pytest.approx(
        {"A": 1.2 / 1.1, "net": 1.2 / 1.1, "gross": 1.2 / 1.1, "active": 1 / 3}
    )
    both = untraded_drift(returns, Portfolio(returns.funds, (0.5,)), {"A": 1.0}, 2)
    # 0.3 of 0.8; on the way to it 0.6 of 1.1.
    assert both.ends["A"].tolist() == pytest.approx([2 * 0.3 / 0.8])
    assert [both.lows["A"], both.highs["A"]] == pytest.approx([0.75, 1.2 / 1.1])


def test_cash_earns_on_calendar_days() -> None:
    """3.6% a year: 0.03% over a weekend, on half of the wealth."""
    returns = fund_returns_of([[0.0], [0.0]], history_of(WEEKDAYS[:2], 0.036))
    drift = untraded_drift(returns, Portfolio(returns.funds, (0.5,)), {}, 1)
    assert (WEEKDAYS[1] - WEEKDAYS[0]).days == 3
    assert drift.ends["INDEX"].tolist() == pytest.approx([0.5 / (0.5 + 0.5 * 1.0003)], abs=1e-15)


def test_an_unknown_return_is_named() -> None:
    returns = fund_returns_of([[0.0], [math.nan], [0.1]])
    with pytest.raises(DataError, match="the return of FUND0 on 2021-01-04 is unknown"):
        untraded_drift(returns, Portfolio(returns.funds, (0.5,)), {}, 1)


# --- shocks ---

FREE = (
    Fund("TWICE", "twice", {"A": 2.0}, expense=0.0, spread_basis="none"),
    Fund("DOWN", "minus once", {"B": -1.0}, expense=0.0, spread_basis="none"),
)


def test_a_shock_by_hand() -> None:
    """A halves, so its fund keeps a quarter; B gains a quarter, so its fund keeps 1/1.25."""
    after = shocked_exposures(Portfolio(FREE, (0.4, 0.3)), {"A": -0.5, "B": 0.25}, {"A": 1.0, "D": -0.1})
    value = 0.4 * 0.25 + 0.3 / 1.25 + 0.3
    a, b = 2 * 0.4 * 0.25 / value, -0.3 / 1.25 / value
    expected = {"A": a, "B": b, "net": a + b, "gross": a - b, "active": abs(a - 1) - b + 0.1}
    assert after.to_dict() == pytest.approx(expected, abs=1e-15)
    assert list(after.index) == list(expected)


def test_without_a_shock_nothing_changes() -> None:
    after = shocked_exposures(Portfolio(FREE, (0.4, 0.3)), {}, {})
    assert after.to_dict() == pytest.approx({"A": 0.8, "B": -0.3, "net": 0.5, "gross": 1.1, "active": 1.1}, abs=1e-15)


def test_an_index_that_is_not_named_does_not_move() -> None:
    named = shocked_exposures(Portfolio(FREE, (0.4, 0.3)), {"A": 0.1, "B": 0.0}, {})
    assert shocked_exposures(Portfolio(FREE, (0.4, 0.3)), {"A": 0.1}, {}).to_dict() == named.to_dict()


DEAR = (
    Fund("TRIPLE", "three times", {"A": 3.0}, expense=0.0095, spread=0.0052, swap_exposure=1.1),
    Fund("SHORT", "minus twice", {"B": -2.0}, expense=0.009, spread=0.004),
    Fund("PLAIN", "plain", {"A": 1.0}, expense=0.0009, spread_basis="none"),
)


def m2(fund: Fund, shock: float, years: float, rate: float) -> float:
    """`S^L * exp((1-L)*SW*c*T - f*T)`, f = E + SW*|L-1|*s: M2 where nothing varies around the trend."""
    (L,) = fund.exposures.values()
    f = fund.expense + fund.swap_exposure * abs(L - 1.0) * fund.spread
    return math.pow(1.0 + shock, L) * math.exp((1.0 - L) * fund.swap_exposure * rate * years - f * years)


def m1_in_steps(fund: Fund, shock: float, years: float, rate: float, steps: int) -> float:
    """M1 compounded over equal small steps."""
    (L,) = fund.exposures.values()
    x, dt = math.pow(1.0 + shock, 1.0 / steps) - 1.0, years / steps
    borrowed = fund.swap_exposure * (L - 1.0) * rate
    spread = fund.swap_exposure * abs(L - 1.0) * fund.spread
    return math.prod([1.0 + L * x - (borrowed + spread + fund.expense) * dt] * steps)


def after_by(growth: list[float], weights: list[float], cash: float) -> dict[str, float]:
    held = [w * g for w, g in zip(weights, growth, strict=True)]
    value = math.fsum([*held, cash])
    a, b = (3 * held[0] + held[2]) / value, -2 * held[1] / value
    return {"A": a, "B": b, "net": a + b, "gross": abs(a) + abs(b), "active": abs(a - 1.0) + abs(b)}


@pytest.mark.parametrize("shocks", [{"A": 0.25}, {"A": -0.25, "B": 0.3}, {"A": -0.9, "B": -0.9}, {"B": 2.0}])
@pytest.mark.parametrize("sessions", [21, 63, 252])
def test_a_shock_is_m2_without_variance_and_the_limit_of_m1(shocks: Mapping[str, float], sessions: int) -> None:
    weights, rate, years = [0.3, 0.2, 0.25], 0.05, sessions / 252
    after = shocked_exposures(Portfolio(DEAR, tuple(weights)), shocks, {"A": 1.0}, sessions=sessions, rate=rate)
    moves = [shocks.get(index, 0.0) for fund in DEAR for index in fund.exposures]
    cash = 0.25 * math.exp(rate * years)
    exact = [m2(fund, move, years, rate) for fund, move in zip(DEAR, moves, strict=True)]
    assert after.to_dict() == pytest.approx(after_by(exact, weights, cash), abs=1e-13)
    stepped = [m1_in_steps(fund, move, years, rate, 20_000) for fund, move in zip(DEAR, moves, strict=True)]
    assert after.to_dict() == pytest.approx(after_by(stepped, weights, cash), abs=3e-3)
    finer = [m1_in_steps(fund, move, years, rate, 400_000) for fund, move in zip(DEAR, moves, strict=True)]
    assert after.to_dict() == pytest.approx(after_by(finer, weights, cash), abs=2e-4)


def test_a_ticker_pays_for_itself_and_for_what_it_stands_on() -> None:
    """Three times PLAIN: 3 expenses of 0.09%, its own 0.9%, 2.2 times the rate and its spread of 0.4%."""
    ticker = ticker_fund(parse_ticker("PLAIN?L=3&E=0.9&SP=0.4&SW=1.1"), lambda _: DEAR[2])
    after = shocked_exposures(Portfolio((ticker,), (0.5,)), {"A": 0.1}, {}, sessions=126, rate=0.04)
    grown = 1.1**3 * math.exp(-(3 * 0.0009 + 0.009 + 1.1 * 2 * (0.04 + 0.004)) * 0.5)
    cash = 0.5 * math.exp(0.04 * 0.5)
    assert after["A"] == pytest.approx(3 * 0.5 * grown / (0.5 * grown + cash), abs=1e-14)


def test_an_index_as_a_holding_moves_as_it_does() -> None:
    holding = index_holding(Index("A", "A"))
    after = shocked_exposures(Portfolio((holding,), (1.0,)), {"A": -0.4}, {}, rate=0.05)
    assert after["A"] == pytest.approx(1.0, abs=1e-15)


def test_a_fund_on_two_indices_follows_both() -> None:
    """0.9 of A, which gains a tenth, and 0.6 of B, which loses a fifth."""
    mix = Fund("MIX", "stacked", {"A": 0.9, "B": 0.6}, expense=0.0, spread=0.0)
    after = shocked_exposures(Portfolio((mix,), (0.5,)), {"A": 0.1, "B": -0.2}, {})
    grown = 0.5 * 1.1**0.9 * 0.8**0.6
    share = grown / (grown + 0.5)
    assert after.to_dict() == pytest.approx(
        {"A": 0.9 * share, "B": 0.6 * share, "net": 1.5 * share, "gross": 1.5 * share, "active": 1.5 * share}
    )


@pytest.mark.parametrize("move", [-1.0, -1.5, 100.0, math.nan, math.inf])
def test_a_move_to_nothing_or_beyond_belief_is_refused(move: float) -> None:
    with pytest.raises(StudyError, match=r"^A = .*: a move is a simple return above -1, such as -0.3 for -30%"):
        shocked_exposures(Portfolio(FREE, (0.4, 0.3)), {"A": move}, {})


def test_an_index_without_exposure_is_refused() -> None:
    with pytest.raises(StudyError, match="no exposure to D, E; the portfolio has A, B"):
        shocked_exposures(Portfolio(FREE, (0.4, 0.3)), {"A": 0.1, "D": 0.1, "E": 0.1}, {"D": 1.0})
