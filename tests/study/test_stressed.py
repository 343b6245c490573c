"""Stress: the crises' days against data, replays by plain arithmetic, gaps and shocks by the second implementation."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests import second_opinion, second_scenarios
from tests.study.plain_market import DAYS, write_market

from alphaoverlay.market.folder import FolderSource
from alphaoverlay.scenarios.law import Law, law_of
from alphaoverlay.scenarios.shocks import Shock
from alphaoverlay.study.ahead import Ahead, read_ahead
from alphaoverlay.study.load import study_from
from alphaoverlay.study.stressed import Replay, Stressed, crises, replay_crises, stress
from alphaoverlay.study.the_case import the_trade

RANDOM = np.random.default_rng(7)
DRAWN = RANDOM.multivariate_normal([0.0, 0.0], [[1e-4, 8e-5], [8e-5, 2e-4]], len(DAYS))
MOVES = {"BROAD": DRAWN[:, 0], "SMALL": DRAWN[:, 1]}
PEAK, TROUGH = DAYS.index(date(2020, 2, 19)), DAYS.index(date(2020, 3, 23))


def level(symbol: str) -> Any:
    """Prices with known daily returns."""
    levels = 100.0 * np.cumprod(1.0 + MOVES[symbol])
    return lambda t: float(levels[t])


def ahead_of(folder: Path, **values: Any) -> Ahead:
    """Seven tenths BROAD and three SMALL against BROAD, at no cost, rebalanced daily."""
    plain: dict[str, Any] = {"weights": {"BROAD": 0.7, "SMALL": 0.3}, "benchmark": "BROAD", "cash": {"rate": 0.02}}
    plain |= {"costs": {"half_spread_bps": 0.0}, "rebalance": {"calendar": "daily"}} | values
    return read_ahead(study_from(plain, "test"), FolderSource(folder), None, None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_market(tmp_path_factory.mktemp("made"), {name: level(name) for name in MOVES})


@pytest.fixture(scope="module")
def made(folder: Path) -> Ahead:
    return ahead_of(folder)


@pytest.fixture(scope="module")
def law(made: Ahead) -> Law:
    return law_of(made.joint_days(made.names))


@pytest.fixture(scope="module")
def stressed(made: Ahead, law: Law) -> Stressed:
    shock = Shock({"BROAD": -0.2, "SMALL": -0.3}, rate=0.01, onward={"SMALL": 0.1})
    return stress(made, law, gaps=(-0.1, 0.05), shock=shock, sessions=3)


def of_2020(replays: tuple[Replay, ...]) -> Replay:
    [found] = [one for one in replays if one.crisis.first.year == 2020]
    return found


def test_crises_are_the_highest_and_the_lowest_close_of_their_span(reference_data: Path) -> None:
    prices = second_opinion.read_prices(reference_data / "prices" / "GSPC.csv")
    close = pd.Series({pd.Timestamp(day): row[0] for day, row in prices.items()}, dtype="float64")
    beyond = []
    for one in crises():
        if one.last > close.index[-1]:
            beyond.append(one)
            continue
        around = close[one.first - pd.DateOffset(months=3) : one.last + pd.DateOffset(months=3)]
        assert around.idxmax() == one.first, one.name
        assert around.idxmin() == one.last, one.name
        assert one.verified
    assert [one.verified for one in beyond] == [False]


def test_crises_are_in_order_and_named() -> None:
    found = crises()
    assert [one.first.year for one in found] == [1987, 2000, 2007, 2011, 2018, 2020, 2022]
    assert all(one.first < one.last < other.first for one, other in pairwise(found))
    assert all(str(one.first.year) in one.name for one in found)


def test_a_crisis_is_replayed_on_its_own_days(stressed: Stressed) -> None:
    found = of_2020(stressed.crises)
    own = [1.0]
    alone = {name: [1.0] for name in MOVES}
    for t in range(PEAK + 1, TROUGH + 1):
        own.append(own[-1] * (1.0 + 0.7 * MOVES["BROAD"][t] + 0.3 * MOVES["SMALL"][t]))
        for name, values in alone.items():
            values.append(values[-1] * (1.0 + MOVES[name][t]))
    halted = 0.7 * alone["BROAD"][-1] + 0.3 * alone["SMALL"][-1] - alone["BROAD"][-1]
    assert found.outcome is not None
    assert found.outcome.portfolio == pytest.approx(own[-1] - 1.0, abs=1e-12)
    assert found.outcome.benchmark == pytest.approx(alone["BROAD"][-1] - 1.0, abs=1e-12)
    assert found.outcome.excess == found.outcome.portfolio - found.outcome.benchmark
    assert found.outcome.halted_excess == pytest.approx(halted, abs=1e-12)
    assert found.outcome.halted_excess != pytest.approx(found.outcome.excess, abs=1e-6)
    for values, seen in ((own, found.drawdown), (alone["BROAD"], found.benchmark_drawdown)):
        assert seen == pytest.approx(min(v / max(values[: k + 1]) - 1.0 for k, v in enumerate(values)), abs=1e-12)
    assert found.synthetic == ()
    assert found.reason == ""


def test_what_the_data_do_not_reach_is_listed_with_the_reason(stressed: Stressed) -> None:
    for one in stressed.crises:
        reached = one.crisis.first.year == 2020
        assert (one.outcome is not None) == reached
        assert (one.drawdown is None) == (one.reason != "") == (not reached)
    assert stressed.crises[0].reason == f"it began on 1987-08-25; the funds are known from {DAYS[0]} on"
    assert stressed.crises[-1].reason == f"it ended on 2022-10-12; what is looked at ends on {DAYS[-1]}"
    assert stressed.notes == ()


def test_a_fund_that_is_built_is_named(tmp_path: Path) -> None:
    write_market(tmp_path, {"SP500TR": level("BROAD"), "SMALL": level("SMALL")})
    ahead = ahead_of(tmp_path, weights={"SPY": 0.7, "SMALL": 0.3}, benchmark="SPY")
    assert of_2020(replay_crises(ahead)[0]).synthetic == ("SPY",)


def test_days_that_were_not_checked_are_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_market(tmp_path, {name: level(name) for name in MOVES})
    unread = tuple(type(one)(one.name, one.first, one.last, False) for one in crises())
    monkeypatch.setattr("alphaoverlay.study.stressed.crises", lambda: unread)
    _, notes = replay_crises(ahead_of(tmp_path))
    assert notes == ("Days not checked against index data, so unverified: 2020, the pandemic.",)


def test_a_gap_is_the_second_implementation_s(stressed: Stressed, law: Law, made: Ahead) -> None:
    S = law.S.tolist()
    own = [second_scenarios.Fund(exposures={k: 1.0}, spread=0.0, swap=0.0, expense=0.0) for k in range(2)]
    dates = made.sessions(1).dates
    days = (dates[1] - dates[0]).days
    for move, found in zip((-0.1, 0.05), stressed.gaps, strict=True):
        returns = second_scenarios.gap_returns(S, {0: move})
        assert list(found.index_returns.values()) == pytest.approx(returns, abs=1e-12)
        paid = second_scenarios.gap_excess([0.7, 0.3], [1.0, 0.0], own, returns, 0.02, days / 360.0, days / 365.0)
        assert found.excess == pytest.approx(paid, abs=1e-12)


def test_everything_falls_by_two_deviations_of_a_quarter(stressed: Stressed, law: Law) -> None:
    broad, small = second_scenarios.correlation_one_moves(law.S.tolist())
    assert dict(stressed.correlation_one_ends) == pytest.approx({"BROAD": broad, "SMALL": small}, abs=1e-12)
    found = stressed.correlation_one_smooth
    steps = [(1.0 + end) ** (1.0 / 63.0) - 1.0 for end in (broad, small)]
    assert found.portfolio == pytest.approx((1.0 + 0.7 * steps[0] + 0.3 * steps[1]) ** 63 - 1.0, abs=1e-12)
    assert found.benchmark == pytest.approx(broad, abs=1e-12)
    assert found.halted_excess == pytest.approx(0.3 * (small - broad), abs=1e-12)


def test_on_paths_of_one_factor_the_excess_is_that_of_one_fund_and_a_multiple(stressed: Stressed, law: Law) -> None:
    """BROAD moves by one volatility, SMALL by another, on every session; never traded, plain funds end with them."""
    assert set(stressed.correlation_one) == {"study", "halted"}
    halted = stressed.correlation_one["halted"]
    broad, small = stressed.correlation_one_ends.values()
    assert halted.excess[0.05].value == pytest.approx(0.3 * (small - broad), abs=1e-12)
    assert halted.excess[0.95].value == pytest.approx(0.3 * (small - broad), abs=1e-12)
    traded = stressed.correlation_one["study"].excess
    low, high = traded[0.05].value, traded[0.95].value
    assert low is not None
    assert high is not None
    assert low < high


def test_a_shock_is_a_gap_and_a_trend_in_a_dearer_world(stressed: Stressed, folder: Path, law: Law) -> None:
    found = stressed.shock
    assert found is not None
    after = 1.1**0.5 - 1.0
    own = (1.0 - 0.7 * 0.2 - 0.3 * 0.3) * (1.0 + 0.3 * after) ** 2
    assert found.portfolio == pytest.approx(own - 1.0, abs=1e-12)
    assert found.benchmark == pytest.approx(-0.2, abs=1e-12)
    assert found.halted_excess == pytest.approx(0.3 * (0.7 * 1.1 - 0.8), abs=1e-12)
    # A tenth in cash earns the higher rate after the gap's session.
    cash = ahead_of(folder, weights={"BROAD": 0.9}, rebalance={"calendar": "never"})
    dates = cash.sessions(3).dates
    earned = [1.0 + (b - a).days / 360.0 * r for (a, b), r in zip(pairwise(dates), (0.02, 0.05, 0.05), strict=True)]
    dearer = stress(cash, law, gaps=(), shock=Shock({"BROAD": -0.2}, rate=0.03), sessions=3).shock
    assert dearer is not None
    assert dearer.portfolio == pytest.approx(0.9 * 0.8 + 0.1 * np.prod(earned) - 1.0, abs=1e-12)


def test_a_benchmark_of_cash_has_no_gaps_and_says_so(tmp_path: Path) -> None:
    write_market(tmp_path, {"SP500TR": level("BROAD"), "SPY": level("BROAD")})
    wanted = {"overlay": {"SP500": 0.5}, "funds": {"allow": ["SPY"]}, "cash": {"rate": 0.02}}
    ahead = read_ahead(study_from(wanted, "test"), FolderSource(tmp_path), None, None)
    found = stress(ahead, law_of(ahead.joint_days(ahead.names)), sessions=5)
    assert found.gaps == ()
    assert found.notes == ("No gaps: the benchmark follows no index.",)
    cash = of_2020(found.crises)
    assert cash.outcome is not None
    # Every session accrues the days since the one before.
    days = [(DAYS[t] - DAYS[t - 1]).days for t in range(PEAK + 1, TROUGH + 1)]
    assert cash.outcome.benchmark == pytest.approx(np.prod([1.0 + 0.02 * d / 360.0 for d in days]) - 1.0, abs=1e-12)


def test_flows_play_no_part(folder: Path, stressed: Stressed, law: Law) -> None:
    flows = {"flows": [{"amount": 500, "calendar": "weekly"}], "capital": 1000.0}
    found = stress(ahead_of(folder, **flows), law, gaps=())
    assert found.correlation_one == stressed.correlation_one
    assert found.crises == stressed.crises
    assert found.notes == (
        "Windows and crises of the past are run with half-spreads alone: the study's cash flows are left out.",
    )
    assert (found.gaps, found.shock) == ((), None)


def test_the_real_crises_of_the_founding_case(reference_data: Path) -> None:
    ahead = read_ahead(study_from(the_trade(), "the case"), FolderSource(reference_data), None, "2021-12-15")
    replays, _ = replay_crises(ahead)
    reached = {one.crisis.first.year: one for one in replays if one.outcome is not None}
    assert list(reached) == [2000, 2007, 2011, 2018, 2020]
    assert [bool(one.synthetic) for one in reached.values()] == [True, True, False, False, False]
    # No quarter ends inside that of 2020: the excess is that of four funds left alone, by their adjusted closes.
    grown = {}
    for symbol in ("SPY", "UPRO", "TNA", "SQQQ"):
        prices = second_opinion.read_prices(reference_data / "prices" / f"{symbol}.csv")
        grown[symbol] = prices[date(2020, 3, 23)][1] / prices[date(2020, 2, 19)][1]
    expected = 0.7 * grown["SPY"] + 0.1 * (grown["UPRO"] + grown["TNA"] + grown["SQQQ"]) - grown["SPY"]
    outcome = reached[2020].outcome
    assert outcome is not None
    assert outcome.excess == outcome.halted_excess == pytest.approx(expected, abs=1e-12)
