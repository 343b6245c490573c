"""The founding portfolio on real history, against a second implementation and against another library."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.engine.reference import END, SHARES, START, market

from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.schedule import Calendar, CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.fund_returns import build_fund_returns
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.reading import read_history

CASES = pytest.mark.parametrize("calendar", ["quarterly", "monthly", "never"])


def ours(folder: Path, calendar: Calendar, bps: float = 0.0) -> Backtest:
    """The package's answer."""
    history = read_history(FolderSource(folder), list(SHARES), "DFF", START, END).between(START, END)
    returns = build_fund_returns([Fund(symbol, symbol, {}, 0.0) for symbol in SHARES], history, {}, synthetic=False)
    targets = Targets.constant(list(SHARES), list(SHARES.values()))
    return backtest(returns, targets, CalendarRule(calendar), TradingCosts(bps))


@pytest.mark.parametrize("bps", [0.0, 5.0])
@CASES
def test_it_agrees_with_the_second_opinion_on_every_session(
    reference_data: Path, calendar: Calendar, bps: float
) -> None:
    done, plain = ours(reference_data, calendar, bps), market(reference_data)
    expected = plain.run(calendar, bps, list(SHARES.values()))
    assert [stamp.date() for stamp in done.value.index] == plain.sessions
    assert np.allclose(done.value, expected["value"], rtol=1e-9, atol=0)
    assert np.allclose(done.weights, expected["weights"], rtol=0, atol=1e-9)
    assert np.allclose(done.cash, expected["cash"], rtol=0, atol=1e-9)
    assert np.allclose(done.turnover, expected["turnover"], rtol=0, atol=1e-9)
    assert np.allclose(done.cost, expected["costs"], rtol=0, atol=1e-9)
    assert [stamp.date() for stamp in done.traded[1:]] == sorted(plain.trade_days(calendar))


@CASES
def test_it_agrees_with_bt_on_the_same_prices(reference_data: Path, calendar: Calendar) -> None:
    import bt

    plain = market(reference_data)
    prices = pd.DataFrame(plain.levels, index=pd.DatetimeIndex(plain.sessions))
    days = sorted({plain.sessions[0], *plain.trade_days(calendar)})
    algos = [bt.algos.RunOnDate(*days), bt.algos.SelectAll(), bt.algos.WeighSpecified(**SHARES), bt.algos.Rebalance()]
    other = bt.Backtest(bt.Strategy("founding", algos), prices, integer_positions=False, progress_bar=False)
    other.run()
    # bt begins with 100 the day before the first price, and trades at the close that decides, as M6 does.
    wealth = other.strategy.prices.reindex(prices.index) / 100.0
    assert np.allclose(ours(reference_data, calendar).value, wealth, rtol=1e-6, atol=0)


def test_a_span_with_cash_agrees_with_the_second_opinion(reference_data: Path) -> None:
    """A tenth of the core in cash, which earns the federal funds rate."""
    weights = [0.6, 0.1, 0.1, 0.1]
    done, plain = ours(reference_data, "monthly"), market(reference_data)
    targets = Targets.constant(list(SHARES), weights)
    with_cash = backtest(done.fund_returns, targets, CalendarRule("monthly"), TradingCosts(5.0))
    assert np.allclose(with_cash.value, plain.run("monthly", 5.0, weights)["value"], rtol=1e-9, atol=0)


def test_the_span_stops_inside_a_quarter_and_does_not_trade_there(reference_data: Path) -> None:
    done = ours(reference_data, "quarterly")
    assert done.value.index[-1] == pd.Timestamp(END)
    assert done.traded[-1] == pd.Timestamp("2021-09-30")
    assert len(done.traded) == 1 + 4 * 12 - 1  # the purchase; 2010 to 2021 without the last quarter


def test_never_is_the_ratio_of_prices_in_the_files(reference_data: Path) -> None:
    """No library at all: what the shares bought on the first day are worth on the last."""
    worth = 0.0
    for symbol, share in SHARES.items():
        with (reference_data / "prices" / f"{symbol}.csv").open(newline="", encoding="utf-8") as file:
            level = {row["date"]: row["adj_close"] for row in csv.DictReader(file)}
        worth += share * float(level[END]) / float(level[START])
    assert ours(reference_data, "never").final_value == pytest.approx(worth, rel=1e-12)
