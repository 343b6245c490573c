"""The loop against another library, bt, where it can say the same."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from tests.engine.building import array, fund_returns_of, targets_for

from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.bands import Band
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.flows import CashFlow, CashFlows
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CalendarRule

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of pandas, about what bt asks of it on import
    import bt

MOVES = np.random.default_rng(3).normal(0.0, 0.02, (240, 3))
MOVES[0] = 0.0
RETURNS = fund_returns_of(MOVES)
PRICES = (1.0 + RETURNS.returns).cumprod() * 37.0
WEIGHTS = dict(zip(PRICES.columns, [0.5, 0.3, 0.2], strict=True))
TARGETS = targets_for(RETURNS, list(WEIGHTS.values()))
MONTHLY = CalendarRule("monthly")
Commission = Callable[[float, float], float]


def theirs(when: list[object], commission: Commission | None = None, capital: float = 1e6) -> bt.Backtest:
    """A strategy of theirs that trades to the weights when its algos say so; they trade at the close that decides."""
    algos = [bt.algos.SelectAll(), bt.algos.WeighSpecified(**WEIGHTS), *when, bt.algos.Rebalance()]
    settings = {"integer_positions": False, "progress_bar": False, "initial_capital": capital}
    run = bt.Backtest(bt.Strategy("theirs", algos), PRICES, commissions=commission, **settings)
    run.run()
    return run


def wealth(run: bt.Backtest) -> pd.Series:
    """Value of 1; theirs begins with 100 the day before the first price."""
    return pd.Series(run.strategy.prices.reindex(PRICES.index) / 100.0)


def on_dates(done: Backtest) -> list[object]:
    """The dates of ours as one of their algos."""
    return [bt.algos.RunOnDate(*(stamp.date() for stamp in done.traded))]


@pytest.mark.parametrize("calendar", ["never", "weekly", "monthly", "quarterly"])
def test_calendars_at_no_cost(calendar: str) -> None:
    done = backtest(RETURNS, TARGETS, CalendarRule(calendar))  # type: ignore[arg-type]
    assert np.allclose(done.value, wealth(theirs(on_dates(done))), rtol=1e-12, atol=0)


@pytest.mark.parametrize("size", [0.02, 0.1, 0.3])
def test_bands_around_each_weight_at_no_cost(size: float) -> None:
    rule = RebalancingRule(CalendarRule("never"), (Band("weight", size, size, "relative"),))
    done = backtest(RETURNS, TARGETS, rule)
    other = theirs([bt.algos.Or([bt.algos.RunOnce(), bt.algos.RunIfOutOfBounds(size)])])
    assert np.allclose(done.value, wealth(other), rtol=1e-12, atol=0)
    assert len(done.rebalances) > 0


def test_bands_and_a_calendar_whichever_comes_first() -> None:
    band = Band("weight", 0.1, 0.1, "relative")
    done = backtest(RETURNS, TARGETS, RebalancingRule(MONTHLY, (band,)))
    dates = on_dates(backtest(RETURNS, TARGETS, MONTHLY))
    other = theirs([bt.algos.Or([*dates, bt.algos.RunIfOutOfBounds(0.1)])])
    assert np.allclose(done.value, wealth(other), rtol=1e-12, atol=0)
    assert len(done.rebalances) > len(dates)


COMMISSIONS: list[tuple[TradingCosts, Commission]] = [
    (TradingCosts(10.0), lambda shares, price: abs(shares) * price * 0.001),
    (TradingCosts(per_trade=5.0, capital=100_000.0), lambda shares, price: 5.0),
]


@pytest.mark.parametrize(("costs", "commission"), COMMISSIONS, ids=["a share of the trade", "a fee"])
def test_commissions_differ_by_who_pays_them_and_no_more(costs: TradingCosts, commission: Commission) -> None:
    """In theirs each fund goes to its share of the value before costs, less what its own trade costs; in ours to its
    share of what all costs leave. So the value after a trade differs in what trading the costs costs, and until the
    next the two hold the same but for shares of the costs, which then earn differently.
    """
    done = backtest(RETURNS, TARGETS, MONTHLY, costs)
    other = theirs(on_dates(done), commission, capital=100_000.0)
    worth = wealth(other)
    assert done.value.iloc[0] == pytest.approx(worth.iloc[0], rel=1e-12)
    off = float((worth / done.value - 1.0).abs().max())
    assert 1e-9 < off < 0.005 * float(done.cost.sum())
    shares = other.positions.reindex(PRICES.index)[list(WEIGHTS)]
    for day in done.traded[1:]:
        prices = array(PRICES)[PRICES.index.get_loc(day)]
        now, was = array(shares.loc[[day]])[0], array(shares.shift(1).loc[[day]])[0]
        paid = [commission(float(q), float(p)) for q, p in zip(now - was, prices, strict=True)]
        expected = np.array(list(WEIGHTS.values())) * float(was @ prices) - paid
        assert np.allclose(now * prices, expected, rtol=1e-9, atol=0)
        assert array(done.weights.loc[[day]])[0] == pytest.approx(list(WEIGHTS.values()), abs=1e-15)


def test_money_that_comes_in_is_traded_with_a_rebalance() -> None:
    flows = CashFlows((CashFlow(amount=0.05, calendar=MONTHLY),))
    done = backtest(RETURNS, TARGETS, MONTHLY, flows=flows)
    algos = [bt.algos.SelectAll(), bt.algos.WeighSpecified(**WEIGHTS)]
    dates = on_dates(done)[0]
    strategy = bt.Strategy("theirs", [*algos, dates, bt.algos.CapitalFlow(50_000.0), bt.algos.Rebalance()])
    run = bt.Backtest(strategy, PRICES, integer_positions=False, progress_bar=False, initial_capital=950_000.0)
    run.run()
    # Theirs adds the flow at the purchase as well, so that it begins with the same million.
    values = run.strategy.values.reindex(PRICES.index) / 1e6
    assert np.allclose(done.value, values, rtol=1e-12, atol=0)
