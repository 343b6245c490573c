"""What is known of a market's depth before a session."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.engine.building import WEEKDAYS, array, fund_returns_of, history_of

from alphaoverlay.engine.costs import Liquidity
from alphaoverlay.engine.liquidity import liquidity_of, shares_of_volume
from alphaoverlay.funds.fund_returns import FundReturns

N = 100


def market(known_from: int = 0) -> FundReturns:
    """One fund with closes and volumes, another with prices only; the first return is unknown, as always."""
    random = np.random.default_rng(11)
    dates = WEEKDAYS[:N]
    moves = random.normal(0.0, 0.02, (N, 2))
    moves[0] = np.nan
    close = pd.DataFrame(random.uniform(10.0, 20.0, (N, 2)), dates, ["FUND0", "FUND1"])
    volume = pd.DataFrame({"FUND0": random.uniform(1e4, 1e5, N)}, dates)
    volume.iloc[:known_from] = np.nan
    return fund_returns_of(moves, replace(history_of(dates), close=close, volume=volume))


def test_median_and_volatility_of_the_63_sessions_before() -> None:
    returns = market()
    known = liquidity_of(returns)
    traded = (returns.history.close["FUND0"] * returns.history.volume["FUND0"]).tolist()
    moves = array(returns.returns)[:, 0].tolist()
    for t in range(N):
        window = range(max(0, t - 63), t)
        volumes, changes = [traded[u] for u in window], [moves[u] for u in window if not math.isnan(moves[u])]
        expected = statistics.median(volumes) if len(volumes) >= 21 else math.nan
        assert known.dollar_volume["FUND0"].iloc[t] == pytest.approx(expected, nan_ok=True)
        expected = statistics.stdev(changes) if len(changes) >= 21 else math.nan
        assert known.volatility["FUND0"].iloc[t] == pytest.approx(expected, nan_ok=True)
    assert known.dollar_volume["FUND0"].first_valid_index() == WEEKDAYS[21]
    assert known.volatility["FUND0"].first_valid_index() == WEEKDAYS[22]  # the first session has no return
    assert known.dollar_volume["FUND1"].isna().all()


def test_nothing_of_the_session_itself_or_later_is_known() -> None:
    returns = market()
    t = 70
    volume = returns.history.volume.copy()
    volume.iloc[t:] *= 1000.0
    moves = returns.returns.copy()
    moves.iloc[t:] *= -7.0
    other = replace(returns, returns=moves, history=replace(returns.history, volume=volume))
    was, now = liquidity_of(returns), liquidity_of(other)
    for one, two in ((was.dollar_volume, now.dollar_volume), (was.volatility, now.volatility)):
        pd.testing.assert_frame_equal(one[: t + 1], two[: t + 1], check_exact=True)
        assert one["FUND0"].iloc[t + 20] != two["FUND0"].iloc[t + 20]


def test_sessions_without_a_volume_of_the_funds_own_do_not_count() -> None:
    returns = market(known_from=30)
    assert liquidity_of(returns).dollar_volume["FUND0"].first_valid_index() == WEEKDAYS[51]
    synthetic = market().synthetic.copy()
    synthetic.iloc[:40, 0] = True
    built = replace(market(), synthetic=synthetic)
    assert liquidity_of(built).dollar_volume["FUND0"].first_valid_index() == WEEKDAYS[61]
    nothing = market()
    nothing.history.volume.iloc[:10] = 0.0
    assert liquidity_of(nothing).dollar_volume["FUND0"].first_valid_index() == WEEKDAYS[31]


def test_trades_as_shares_of_the_volume() -> None:
    dates = WEEKDAYS[:3]
    volume = pd.DataFrame({"A": [1e6, 2e6, np.nan]}, dates)
    trades = pd.DataFrame({"A": [0.5, -0.1, 0.2], "B": [0.5, 0.0, 0.0]}, dates)
    shares = shares_of_volume(trades, 100_000.0, Liquidity(volume, volume))
    assert shares["A"].tolist() == pytest.approx([0.05, 0.005, math.nan], nan_ok=True)
    assert shares["B"].isna().all()
