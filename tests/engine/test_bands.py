"""Bands and the rule around them: cases by hand, and every mistake by its name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

import numpy as np
import pandas as pd
import pytest
from tests.engine.building import array, fund_returns_of, targets_for

from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.bands import (
    Band,
    BandMeasure,
    Measure,
    band_measures,
    bands_that_apply,
    compile_bands,
    measure_values,
)
from alphaoverlay.engine.rebalancing import RebalancingRule, as_rule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.sweeping import sweep
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import StudyError
from alphaoverlay.funds.fund import Fund

NEVER = CalendarRule("never")
FUNDS = (
    Fund("SPY", "SPY", {"SP500": 1.0}, 0.0),
    Fund("TNA", "TNA", {"RUSSELL2000": 3.0}, 0.0),
    Fund("SQQQ", "SQQQ", {"NASDAQ100": -3.0}, 0.0),
)
TARGETS = np.array([[0.7, 0.1, 0.1]])


def run(
    moves: list[list[float]],
    weights: list[float],
    *bands: Band,
    exposures: list[Mapping[str, float]] | None = None,
    benchmark: dict[str, float] | None = None,
    check: CalendarRule | None = None,
    **rule: int,
) -> Backtest:
    """Bands without a calendar."""
    returns = fund_returns_of(moves, exposures=exposures)
    one = RebalancingRule(NEVER, bands, check or CalendarRule("daily"), **rule)
    return backtest(returns, targets_for(returns, weights), one, benchmark=benchmark)


def after(done: Backtest, session: int) -> list[float]:
    """Weights after a close."""
    return [float(w) for w in array(done.weights)[session]]


def sessions(done: Backtest) -> list[int]:
    """Positions of the rebalances."""
    return [int(t) for t in done.history.dates.get_indexer(done.traded)]


# --- measures ---


def test_measures_by_hand() -> None:
    bands = [Band.of(on, 0.1) for on in ("weight", "exposure", "net", "gross", "active")]
    arrays = compile_bands(bands, FUNDS, TARGETS, {"SP500": 0.6, "BONDS": 0.4})
    measures = band_measures(bands, FUNDS)
    assert [one.name for one in measures] == [
        "weight SPY", "weight TNA", "weight SQQQ", "exposure SP500", "exposure RUSSELL2000", "exposure NASDAQ100",
        "net", "gross", "active",
    ]  # fmt: skip
    # Active: 0.1 of the S&P, 0.3 and 0.3, and 0.4 of bonds that the funds do not hold.
    expected = [0.7, 0.1, 0.1, 0.7, 0.3, -0.3, 0.7, 1.3, 1.1]
    assert measure_values(arrays, TARGETS)[0].tolist() == pytest.approx(expected)


def test_only_some_funds_or_indices() -> None:
    bands = [Band("weight", 0.1, 0.1, only=("SQQQ", "SPY")), Band("exposure", 0.1, 0.1, only=("RUSSELL2000",))]
    names = [one.name for one in band_measures(bands, FUNDS)]
    assert names == ["weight SPY", "weight SQQQ", "exposure RUSSELL2000"]
    assert band_measures([], FUNDS) == ()
    assert band_measures(bands[1:], FUNDS) == (Measure(bands[1], "exposure RUSSELL2000"),)


@pytest.mark.parametrize(
    ("band", "grown", "broken"),
    [
        # Half in one fund that grows to this, half in cash: its weight is grown/(1 + grown).
        (Band("weight", 0.5, 0.1), 1.49, False),
        (Band("weight", 0.5, 0.1), 1.51, True),
        (Band("weight", 0.1, 0.5), 0.67, False),
        (Band("weight", 0.1, 0.5), 0.66, True),
        (Band("weight", 0.5, 0.2, "relative"), 1.49, False),
        (Band("weight", 0.5, 0.2, "relative"), 1.51, True),
        (Band("weight", 0.0, 0.0), 1.0, False),
        (Band("weight", 0.0, 0.0), 1.0 + 1e-9, True),
        (Band("weight", math.inf, math.inf), 1e6, False),
        (Band("net", 0.3, 0.3), 1.49, False),  # three times the weight
        (Band("net", 0.3, 0.3), 1.51, True),
        (Band("gross", 0.2, 0.2, "relative"), 1.49, False),
        (Band("gross", 0.2, 0.2, "relative"), 1.51, True),
        (Band("exposure", 0.3, 0.3, only=("INDEX",)), 1.51, True),
        (Band("active", 0.3, 0.3), 1.51, True),
    ],
)
def test_when_a_band_is_broken(band: Band, grown: float, broken: bool) -> None:
    done = run([[0.0], [grown - 1.0]], [0.5], band, exposures=[{"INDEX": 3.0}])
    assert done.broken.tolist() == [False, broken]
    assert after(done, 1)[0] == pytest.approx(0.5 if broken else grown / (1.0 + grown))


def test_exactly_at_its_edge_a_band_is_not_broken() -> None:
    # 1.5 of 2.5 is 0.6 but for rounding.
    assert not run([[0.0], [0.5]], [0.5], Band.of("weight", 0.1)).broken.any()


def test_active_is_against_the_benchmark() -> None:
    # 0.5 against a benchmark of 0.75 is 0.25 away, and 0.75 is not away at all: broken below.
    band = Band("active", 0.2, 9.0)
    done = run([[0.0], [2.0]], [0.5], band, benchmark={"INDEX": 0.75})
    assert done.broken.tolist() == [False, True]
    assert run([[0.0], [2.0]], [0.5], band).broken.tolist() == [False, False]


# --- destinations ---


@pytest.mark.parametrize(("destination", "expected"), [(0.0, 0.6), (0.5, 0.55), (0.25, 0.575), (1.0, 0.5)])
def test_how_far_a_breach_is_traded_back(destination: float, expected: float) -> None:
    band = Band.of("weight", 0.1, destination=destination)
    done = run([[0.0], [1.0], [0.0]], [0.5], band)  # 2/3
    assert after(done, 1)[0] == pytest.approx(expected)
    assert after(done, 2)[0] == pytest.approx(expected)
    assert sessions(done) == [0, 1]


def test_below_the_band_too() -> None:
    assert after(run([[0.0], [-0.5]], [0.5], Band("weight", 0.1, 0.3, destination=0.0)), 1)[0] == pytest.approx(0.4)


def test_the_trade_goes_no_less_far_than_any_band() -> None:
    # 0.5, 0.3 and 0.2 in cash become 1, 0.2 and 0.2: 5/7 and 1/7. The first asks for 1 - 0.2/(3/14) = 1/15 of the way,
    # the second for 1 - 0.1/(0.3-1/7) = 4/11.
    bands = (Band("weight", 0.2, 0.2, only=("FUND0",), destination=0.0),
             Band("weight", 0.1, 0.1, only=("FUND1",), destination=0.0))  # fmt: skip
    done = run([[0.0, 0.0], [1.0, -1 / 3]], [0.5, 0.3], *bands)
    assert after(done, 1) == pytest.approx([5 / 7 - 4 / 11 * 3 / 14, 0.2])


def test_an_edge_behind_a_corner() -> None:
    # The exposure of 1 and -1 funds runs from 0.4 to -0.6. Its size is at least 0.5 from 0.9 of the way on.
    pair: list[Mapping[str, float]] = [{"INDEX": 1.0}, {"INDEX": -1.0}]
    band = Band.of("gross", 0.1, destination=0.0)
    # 0.2 and 0.8 become 0.7 and 0.3 of 1.
    done = run([[0.0, 0.0], [2.5, -0.625]], [0.2, 0.8], band, exposures=pair)
    assert after(done, 1) == pytest.approx([0.25, 0.75])
    # From 0.6 to -0.6: inside at both ends, outside between. Another band's breach does not leave it there.
    other = Band("weight", 0.1, 0.1, only=("FUND0",), destination=0.0)
    done = run([[0.0, 0.0], [3.0, -0.75]], [0.2, 0.8], band, other, exposures=pair)
    assert done.broken.iloc[1]
    # The weight asks for 0.3, at 5/6 of the way, and there the size is 0.4; from 11/12 on it is 0.5.
    assert after(done, 1) == pytest.approx([0.25, 0.75])


# --- when ---


def test_checked_on_its_dates_only() -> None:
    # The first session of 2021 was a Friday: weeks end on sessions 0, 5 and 10.
    moves = [[0.0], [1.0], *[[0.0]] * 8]
    done = run(moves, [0.5], Band.of("weight", 0.1), check=CalendarRule("weekly"))
    assert sessions(done) == [0, 5]
    assert done.broken.tolist() == [t == 5 for t in range(10)]


def test_an_order_waits_and_trades_the_weights_of_its_day() -> None:
    band = Band.of("weight", 0.1, destination=0.0)
    done = run([[0.0], [1.0], [0.0], [0.5], [0.0]], [0.5], band, lag=2)
    # 2/3 on the second session, due on the fourth, when it is 1.5 of 2.
    assert sessions(done) == [0, 3]
    assert after(done, 3)[0] == pytest.approx(0.6)
    # Back inside by then: an order it was, and nothing moves.
    done = run([[0.0], [1.0], [-0.5], [0.0]], [0.5], band, lag=1)
    assert sessions(done) == [0, 2]
    assert list(done.rebalances) == []
    # To the target it goes all the same.
    done = run([[0.0], [1.0], [-0.49], [0.0]], [0.5], Band.of("weight", 0.1), lag=1)
    assert after(done, 2)[0] == pytest.approx(0.5)


def test_an_interval_holds_a_breach_up() -> None:
    done = run([[0.0], [1.0], *[[0.0]] * 5], [0.5], Band.of("weight", 0.1), minimum_interval=4)
    assert sessions(done) == [0, 4]
    assert done.broken.tolist() == [False, True, True, True, True, False, False]


def test_with_a_calendar_whichever_comes_first() -> None:
    returns = fund_returns_of([[0.0], [1.0], *[[0.0]] * 6])
    rule = RebalancingRule(CalendarRule("weekly"), (Band.of("weight", 0.1, destination=0.0),))
    done = backtest(returns, targets_for(returns, [0.5]), rule)
    assert sessions(done) == [0, 1, 5]
    assert after(done, 1)[0] == pytest.approx(0.6)
    assert after(done, 5)[0] == pytest.approx(0.5)


def test_on_a_change_of_targets_bands_are_not_looked_at() -> None:
    returns = fund_returns_of([[0.0], [1.0], [0.0]])
    plan = pd.DataFrame({"FUND0": [0.5, 0.3, 0.3]}, index=returns.history.dates)
    done = backtest(returns, Targets.by_session(plan), RebalancingRule(NEVER, (Band.of("weight", 0.1),), lag=1))
    assert not done.broken.any()
    assert sessions(done) == [0, 1]


def test_tranches_trade_on_their_own_dates() -> None:
    # January 2021 has 21 weekdays, 21 // 3 = 7.
    returns = fund_returns_of([[0.01]] * 45)
    done = backtest(returns, targets_for(returns, [0.5]), RebalancingRule(CalendarRule("monthly"), tranches=3))
    # February has 20: its last is the 41st session, and 20/3 and 40/3 before are 6 and 13.
    assert sessions(done) == [0, 20 - 14, 20 - 7, 20, 40 - 13, 40 - 6, 40]


# --- words and mistakes ---


def test_a_band_says_what_it_is() -> None:
    assert "5 points" in str(Band.of("gross", 0.05))
    assert "20% of the target" in str(Band("weight", 0.2, 0.2, "relative"))
    text = str(Band("exposure", 0.05, 0.1, only=("A", "B")))
    assert "exposure of A, B" in text
    assert "5 below or 10 points above" in text


@pytest.mark.parametrize(
    ("band", "message"),
    [
        (
            Band.of(cast(BandMeasure, "beta"), 0.1),
            r"band\.on = 'beta': write one of weight, exposure, net, gross, active",
        ),
        (Band("net", -0.1, 0.1), r"band\.size = -0\.1: write 0 or more"),
        (Band("net", 0.1, math.nan), r"band\.size = nan: write 0 or more"),
        (Band.of("net", 0.1, destination=1.1), r"band\.destination = 1\.1: write 0 \(the edge\) to 1 \(the target\)"),
        (Band.of("net", 0.1, destination=math.nan), r"band\.destination = nan"),
        (Band("gross", 0.1, 0.1, only=("SPY",)), r"band\.only has no meaning on gross; leave it out"),
        (Band("weight", 0.1, 0.1, only=("SPY", "QQQ")), r"no fund QQQ in the portfolio; it has SPY, TNA, SQQQ"),
        (Band("exposure", 0.1, 0.1, only=("SPY",)), r"no index SPY in the portfolio; it has SP500, RUSSELL2000, NAS"),
    ],
)
def test_a_band_that_makes_no_sense_is_refused(band: Band, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        compile_bands([band], FUNDS, TARGETS, {})


@pytest.mark.parametrize(
    ("on", "name", "targets"),
    [
        ("weight", "weight TNA", [0.7, 0.0, 0.1]),
        ("exposure", "exposure NASDAQ100", [0.7, 0.1, 0.0]),
        ("net", "net", [0.3, 0.0, 0.1]),
        ("gross", "gross", [0.0, 0.0, 0.0]),
        ("active", "active", [0.5, 0.0, 0.0]),
    ],
)
def test_a_share_of_a_target_of_0_is_refused(on: BandMeasure, name: str, targets: list[float]) -> None:
    rows = np.array([[0.6, 0.1, 0.1], targets])
    with pytest.raises(
        StudyError, match=rf'band on {name}: its target is 0, of which there is no share; write kind = "abs'
    ):
        compile_bands([Band(on, 0.1, 0.1, "relative")], FUNDS, rows, {"SP500": 0.5})


def test_bands_for_another_portfolio() -> None:
    """A benchmark of one fund keeps what means something for it."""
    bands = (
        Band("weight", 0.1, 0.2, "relative", destination=0.5),
        Band("exposure", 0.1, 0.1, only=("RUSSELL2000",)),
        Band("exposure", 0.1, 0.1, only=("SP500",)),
        Band("active", 0.1, 0.1, "relative"),
        Band.of("net", 0.1),
    )
    kept = bands_that_apply(bands, FUNDS[:1], np.array([[1.0]]), {"NASDAQ100": 1.0})
    assert kept == (
        Band("weight", 0.1, 0.2, "relative", ("SPY",), 0.5), bands[2], bands[3], bands[4],
    )  # fmt: skip
    # Of an active exposure of 0 there is no share.
    assert bands_that_apply(bands[3:4], FUNDS[:1], np.array([[1.0]]), {"SP500": 1.0}) == ()
    assert bands_that_apply(bands[:1], FUNDS, np.array([[0.5, 0.0, 0.5]]), {}) == (
        Band("weight", 0.1, 0.2, "relative", ("SPY",), 0.5),
        Band("weight", 0.1, 0.2, "relative", ("SQQQ",), 0.5),
    )


def test_a_calendar_alone_is_a_rule() -> None:
    assert as_rule(None) == RebalancingRule(CalendarRule("quarterly"))
    assert as_rule(NEVER) == RebalancingRule(NEVER)
    rule = RebalancingRule(NEVER, lag=2)
    assert as_rule(rule) is rule


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            RebalancingRule(NEVER, lag=-1),
            r"rebalance\.lag and rebalance\.min_interval: write a number of sessions, 0 or",
        ),
        (RebalancingRule(NEVER, minimum_interval=-1), r"rebalance\.lag and rebalance\.min_interval: write a number"),
        (RebalancingRule(CalendarRule("monthly"), tranches=0), r"rebalance\.tranches = 0: write 1 to 100"),
        (RebalancingRule(CalendarRule("monthly"), tranches=101), r"rebalance\.tranches = 101: write 1 to 100"),
        (
            RebalancingRule(NEVER, tranches=2),
            r"rebalance\.tranches = 2: a never calendar has no dates to spread; choose",
        ),
        (RebalancingRule(CalendarRule("daily"), tranches=2), r"tranches = 2: a daily calendar has no dates to spread"),
        (RebalancingRule(CalendarRule("monthly", -1)), r"offset = -1"),
        (RebalancingRule(NEVER, check=CalendarRule("weekly", -1)), r"offset = -1"),
    ],
)
def test_mistakes_of_a_rule_are_named(rule: RebalancingRule, message: str) -> None:
    returns = fund_returns_of([[0.0]] * 3)
    with pytest.raises(StudyError, match=message):
        backtest(returns, targets_for(returns, [0.5]), rule)
    with pytest.raises(StudyError, match=message):
        sweep(returns, np.array([[0.5]]), rule)
