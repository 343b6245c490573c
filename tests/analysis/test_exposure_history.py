"""M3 and M7: where exposures went and how bands fared, by hand and recounted by the second engine's measures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests import second_engine
from tests.analysis.building import lived
from tests.engine.building import WEEKDAYS, array, fund_returns_of, targets_for
from tests.engine.cases import Case, cases, plan_of

from alphaoverlay.analysis.exposure_history import (
    TOTALS,
    Breach,
    breaches,
    exposure_history,
    target_exposures,
    with_totals,
)
from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.bands import Band, BandMeasure
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.flows import CashFlow, CashFlows
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import StudyError

NEVER = CalendarRule("never")
DAILY = CalendarRule("daily")

# --- by hand ---

# Of the benchmark's exposures the portfolio has the first; it adds BBB and lacks CCC.
BENCHMARK = {"AAA": 1.0, "CCC": 0.5}
# In AAA 0.50, 0.55, 0.40 and 0.61 of a wealth that stays at 1, in BBB 0.25, 0.20, 0.35 and 0.14, in cash 0.25.
HOLDINGS = [[0.50, 0.25], [0.55, 0.20], [0.40, 0.35], [0.61, 0.14]]


@pytest.fixture(scope="module")
def untraded() -> Backtest:
    """Two funds, twice AAA and minus BBB, bought and left alone for three sessions."""
    held = np.array(HOLDINGS)
    moves = np.vstack([[0.0, 0.0], held[1:] / held[:-1] - 1.0])
    returns = fund_returns_of(moves, exposures=[{"AAA": 2.0}, {"BBB": -1.0}])
    return backtest(returns, targets_for(returns, [0.5, 0.25]), NEVER)


def test_exposures_by_hand(untraded: Backtest) -> None:
    seen = exposure_history(untraded, BENCHMARK)
    assert list(seen.columns) == ["AAA", "BBB", *TOTALS]
    assert list(seen.index) == list(WEEKDAYS[:4])
    expected = {
        "AAA": [1.0, 1.1, 0.8, 1.22],
        "BBB": [-0.25, -0.20, -0.35, -0.14],
        "net": [0.75, 0.90, 0.45, 1.08],
        "gross": [1.25, 1.30, 1.15, 1.36],
        # |AAA - 1| + |BBB| + |0 - 0.5|
        "active": [0.75, 0.80, 1.05, 0.86],
    }
    for name, values in expected.items():
        assert seen[name].tolist() == pytest.approx(values, abs=1e-15), name


def test_totals_by_hand() -> None:
    exposures = pd.DataFrame({"AAA": [0.9, -0.3], "BBB": [-0.4, 0.2]})
    seen = with_totals(exposures, {"CCC": -0.5, "AAA": 0.6})
    assert list(seen.columns) == ["AAA", "BBB", "net", "gross", "active"]
    assert seen["net"].tolist() == pytest.approx([0.5, -0.1])
    assert seen["gross"].tolist() == pytest.approx([1.3, 0.5])
    assert seen["active"].tolist() == pytest.approx([0.3 + 0.4 + 0.5, 0.9 + 0.2 + 0.5])
    assert list(exposures.columns) == ["AAA", "BBB"]


def test_without_a_benchmark_the_active_exposure_is_the_gross() -> None:
    seen = with_totals(pd.DataFrame({"AAA": [0.9], "BBB": [-0.4]}), {})
    assert seen["active"].tolist() == seen["gross"].tolist() == pytest.approx([1.3])


def test_exposures_are_those_after_the_trades(untraded: Backtest) -> None:
    daily = backtest(untraded.fund_returns, untraded.targets, DAILY)
    seen = exposure_history(daily, BENCHMARK)
    assert seen["AAA"].tolist() == pytest.approx([1.0] * 4, abs=1e-15)
    assert seen["net"].tolist() == pytest.approx([0.75] * 4, abs=1e-15)


def test_exposures_end_with_the_wealth() -> None:
    seen = exposure_history(lived([1.0, 0.5, 0.0, 0.0]), {"INDEX": 0.25})
    assert list(seen.index) == list(WEEKDAYS[:2])
    assert seen["INDEX"].tolist() == [1.0, 1.0]
    assert seen["active"].tolist() == [0.75, 0.75]


# Band, target, deviations at the three closes, and by hand: closes outside, the largest deviation (its close), and by
# how much the farthest was outside.
BANDS: list[tuple[Band, str, float, int, float, int, float]] = [
    # +0.10, -0.20, +0.22: at most 0.10 below, at most 0.15 above. On the edge is inside.
    (Band("exposure", 0.10, 0.15, only=("AAA",)), "exposure AAA", 1.0, 2, 0.22, 3, 0.10),
    (Band("exposure", 0.25, 0.15, only=("AAA",)), "exposure AAA", 1.0, 1, 0.22, 3, 0.07),
    (Band("exposure", 0.15, math.inf, only=("AAA",)), "exposure AAA", 1.0, 1, 0.22, 3, 0.05),
    (Band("exposure", 0.22, 0.22, only=("AAA",)), "exposure AAA", 1.0, 0, 0.22, 3, 0.0),
    # -0.05, +0.10, -0.11: a fifth of 0.25 is 0.05.
    (Band("weight", 0.20, 0.20, "relative", ("FUND1",)), "weight FUND1", 0.25, 2, -0.11, 3, 0.06),
    # The size of the target counts: +0.05, -0.10, +0.11 from -0.25.
    (Band("exposure", 0.30, 0.50, "relative", ("BBB",)), "exposure BBB", -0.25, 1, 0.11, 3, 0.025),
    (Band("exposure", 0.30, 0.40, "relative", ("BBB",)), "exposure BBB", -0.25, 2, 0.11, 3, 0.025),
    # +0.15, -0.30, +0.33
    (Band("net", 0.05, 0.20), "net", 0.75, 2, 0.33, 3, 0.25),
    # +0.05, -0.10, +0.11
    (Band("gross", 0.20, 0.04), "gross", 1.25, 2, 0.11, 3, 0.07),
    (Band("gross", 0.0, 0.088, "relative"), "gross", 1.25, 1, 0.11, 3, 0.10),
    # +0.05, +0.30, +0.11
    (Band("active", 0.0, 0.20), "active", 0.75, 1, 0.30, 2, 0.10),
]


@pytest.mark.parametrize(
    ("band", "name", "target", "sessions", "farthest", "day", "beyond"), BANDS, ids=[str(row[0]) for row in BANDS]
)
def test_bands_by_hand(
    untraded: Backtest, band: Band, name: str, target: float, sessions: int, farthest: float, day: int, beyond: float
) -> None:
    (one,) = breaches(untraded, [band], BENCHMARK)
    assert (one.measure.band, one.measure.name) == (band, name)
    assert one.target == pytest.approx(target, abs=1e-15)
    assert (one.sessions, one.looked_at) == (sessions, 3)
    assert one.share == pytest.approx(sessions / 3, abs=1e-15)
    assert one.farthest == pytest.approx(farthest, abs=1e-15)
    assert one.day == WEEKDAYS[day]
    assert one.beyond == pytest.approx(beyond, abs=1e-15)


def test_a_band_on_everything_is_told_by_line(untraded: Backtest) -> None:
    found = breaches(untraded, [Band.of("weight", 0.055), Band.of("net", 0.1)], {})
    assert [one.measure.name for one in found] == ["weight FUND0", "weight FUND1", "net"]
    # +0.05, -0.10, +0.11; -0.05, +0.10, -0.11; +0.15, -0.30, +0.33
    assert [one.sessions for one in found] == [2, 2, 3]
    assert [one.share for one in found] == pytest.approx([2 / 3, 2 / 3, 1.0])
    assert breaches(untraded, [], {}) == ()


def test_what_is_looked_at_is_before_the_trades(untraded: Backtest) -> None:
    """Traded back every day, so that every move begins at 0.50 and 0.25."""
    daily = backtest(untraded.fund_returns, untraded.targets, DAILY)
    (one,) = breaches(daily, [Band("weight", 0.06, 0.06, only=("FUND0",))], {})
    before = [
        0.55,
        0.50 * 0.40 / 0.55 / (0.50 * 0.40 / 0.55 + 0.25 * 1.75 + 0.25),
        0.50 * 0.61 / 0.40 / (0.50 * 0.61 / 0.40 + 0.25 * 0.40 + 0.25),
    ]
    assert [abs(weight - 0.5) > 0.06 for weight in before] == [False, True, True]
    assert one.sessions == 2
    assert one.farthest == pytest.approx(max((weight - 0.5 for weight in before), key=abs), abs=1e-15)


def test_a_flow_and_costs_are_not_in_what_is_looked_at() -> None:
    """+20% on half of the wealth: 0.6 of 1.1, whatever comes in afterwards and is paid for it."""
    returns = fund_returns_of([[0.0], [0.2], [0.0]])
    flows = CashFlows((CashFlow(amount=3.0, days=(WEEKDAYS[1].date(),)),), "rebalance")
    done = backtest(returns, targets_for(returns, [0.5]), NEVER, TradingCosts(200.0), flows=flows)
    (one,) = breaches(done, [Band.of("weight", 0.01)], {})
    assert (one.sessions, one.looked_at, one.day) == (1, 2, WEEKDAYS[1])
    assert one.farthest == pytest.approx(0.6 / 1.1 - 0.5, abs=1e-15)


def changing(lag: int = 0) -> Backtest:
    """A half in a fund, and from the third session on eight tenths; +20%, nothing, -50%, nothing."""
    returns = fund_returns_of([[0.0], [0.2], [0.0], [-0.5], [0.0]], exposures=[{"AAA": 2.0}])
    wanted = pd.DataFrame({"FUND0": [0.5, 0.5, 0.8, 0.8, 0.8]}, index=returns.history.dates)
    return backtest(returns, Targets.by_session(wanted, lag), NEVER)


def test_targets_that_change_by_hand() -> None:
    assert target_exposures(changing())["AAA"].tolist() == pytest.approx([1.0, 1.0, 1.6, 1.6, 1.6])
    assert target_exposures(changing(lag=1))["AAA"].tolist() == pytest.approx([1.0, 1.0, 1.0, 1.6, 1.6])
    assert target_exposures(changing(lag=9))["AAA"].tolist() == pytest.approx([1.0] * 5)


def test_a_close_is_compared_with_the_targets_in_force_before_it() -> None:
    """0.6 of 1.1 is 0.545, twice, against 0.5; then 0.4 of 0.6 is 0.667, twice, against 0.8."""
    (one,) = breaches(changing(), [Band("weight", 0.10, 0.04)], {})
    assert (one.sessions, one.looked_at) == (4, 4)
    assert one.farthest == pytest.approx(2 / 3 - 0.8, abs=1e-15)
    assert one.day == WEEKDAYS[3]
    assert one.beyond == pytest.approx(0.8 - 2 / 3 - 0.10, abs=1e-15)
    assert one.target == pytest.approx(0.8)


def test_a_share_of_a_target_that_changes() -> None:
    """A tenth of 0.5 is 0.05, which 0.045 is inside of; 0.133 is more than a tenth of 0.8."""
    (one,) = breaches(changing(), [Band("weight", 0.1, 0.1, "relative")], {})
    assert one.sessions == 2
    assert one.beyond == pytest.approx(0.8 - 2 / 3 - 0.08, abs=1e-15)


def test_a_portfolio_that_is_ruined_at_once_has_nothing_to_tell() -> None:
    returns = fund_returns_of([[0.0], [-1.0], [0.0]])
    assert breaches(backtest(returns, targets_for(returns, [1.0]), NEVER), [Band.of("weight", 0.1)], {}) == ()


def test_what_is_refused(untraded: Backtest) -> None:
    with pytest.raises(StudyError, match="no index ZZZ in the portfolio"):
        breaches(untraded, [Band("exposure", 0.1, 0.1, only=("ZZZ",))], {})
    nothing = backtest(untraded.fund_returns, targets_for(untraded.fund_returns, [0.5, 0.0]), NEVER)
    with pytest.raises(StudyError, match="weight FUND1: its target is 0, of which there is no share"):
        breaches(nothing, [Band("weight", 0.1, 0.1, "relative")], {})


# --- for anything ---

HALF_SPREADS = st.sampled_from([0.0, 5.0, 100.0])


def before_trades(done: Backtest) -> list[list[float]]:
    """Weights at the closes after the purchase, of the money there was before flows, trades and costs."""
    held = (array(done.weights) * array(done.value)[:, None]).tolist()
    moves = array(done.fund_returns.returns).tolist()
    there = [v + c - f for v, c, f in zip(done.value, done.cost, done.flow, strict=True)]
    return [
        [money * (1.0 + r) / there[t] for money, r in zip(held[t - 1], moves[t], strict=True)]
        for t in range(1, len(held))
        if done.value.tolist()[t] > 0.0
    ]


def recount(case: Case, done: Backtest, slack: float) -> list[tuple[int, float, float]]:
    """Closes outside by more than `slack`, the size of the largest deviation, and the most that a close was outside."""
    plan = plan_of(case)
    found = []
    for band in plan.bands:
        outside, far, beyond = 0, 0.0, 0.0
        for t, weights in enumerate(before_trades(done), start=1):
            aim = second_engine.measure_of(plan, band, plan.targets[t - 1])
            off = second_engine.measure_of(plan, band, weights) - aim
            unit = abs(aim) if band.relative else 1.0
            over = max(off - band.above * unit, -off - band.below * unit)
            outside += over > slack
            far, beyond = max(far, abs(off)), max(beyond, over)
        found.append((outside, far, beyond))
    return found


@settings(max_examples=60)
@given(cases("bands", "timing", "tranches", "fees", "flows", "turns"), HALF_SPREADS)
def test_bands_are_recounted_close_by_close(case: Case, half_spread: float) -> None:
    case = case.but(costs=replace(case.costs, half_spread_bps=half_spread))
    done = case.run()
    found = breaches(done, case.rule.bands, case.benchmark)
    lived_on = int((done.value > 0.0).sum()) - 1
    assert len(found) == (len(plan_of(case).bands) if lived_on else 0)
    # Rounding is never taken for a breach, nor a breach for rounding.
    least, most = recount(case, done, 1e-11), recount(case, done, 1e-13)
    for one, (few, far, beyond), (many, _, _) in zip(found, least, most, strict=bool(lived_on)):
        assert few <= one.sessions <= many
        assert one.looked_at == lived_on
        assert one.share == one.sessions / lived_on
        assert abs(one.farthest) == pytest.approx(far, abs=1e-11)
        assert one.beyond == pytest.approx(beyond, abs=1e-11)
        assert one.day in done.value.index[1 : lived_on + 1]


@settings(max_examples=60)
@given(cases("tranches", "flows", "turns", "borrowing", "losses"))
def test_exposures_are_recounted_close_by_close(case: Case) -> None:
    case = case if case.rule.tranches == 1 else case.but(targets=unborrowed(case.targets))
    done = case.run()
    seen = exposure_history(done, case.benchmark)
    names = list(dict.fromkeys(name for fund in case.returns.funds for name in fund.exposures))
    assert list(seen.columns) == [*names, *TOTALS]
    assert len(seen) == int((done.value > 0.0).sum())
    base = case.benchmark
    for row, weights in zip(seen.to_dict("records"), array(done.weights).tolist(), strict=False):
        sums = {
            name: math.fsum(h * f.exposures.get(name, 0.0) for h, f in zip(weights, case.returns.funds, strict=True))
            for name in names
        }
        away = [sums.get(name, 0.0) - base.get(name, 0.0) for name in {*sums, *base}]
        expected = {
            "net": math.fsum(sums.values()),
            "gross": math.fsum(map(abs, sums.values())),
            "active": math.fsum(map(abs, away)),
        }
        assert row == {name: pytest.approx(value, abs=1e-12) for name, value in {**sums, **expected}.items()}
    aims = target_exposures(done)
    assert list(aims.columns) == names
    for t, row in enumerate(aims.to_dict("records")):
        # A fund that lost everything is not bought again.
        lost = (case.returns.returns.iloc[1 : t + 1] <= -1.0).any().tolist()
        weights = [0.0 if gone else w for w, gone in zip(plan_of(case).targets[t], lost, strict=True)]
        assert row == {
            name: pytest.approx(
                math.fsum(w * f.exposures.get(name, 0.0) for w, f in zip(weights, case.returns.funds, strict=True)),
                abs=1e-12,
            )
            for name in names
        }


def unborrowed(targets: Targets) -> Targets:
    """What tranches allow."""
    return replace(targets, rows=targets.rows / max(1.0, float(targets.rows.sum(axis=1).max())))


MEASURED: Sequence[BandMeasure] = ("weight", "exposure", "net", "gross", "active")


@settings(max_examples=60)
@given(
    cases(),
    HALF_SPREADS,
    st.sampled_from(MEASURED),
    st.sampled_from([0.0, 0.0071, 0.031, 0.093]),
    st.sampled_from([0.0, 0.0071, 0.031, math.inf]),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.data(),
)
def test_the_rules_own_band_is_counted_as_the_engine_saw_it(
    case: Case, half_spread: float, on: BandMeasure, below: float, above: float, destination: float, data: st.DataObject
) -> None:
    """An absolute band, looked at every day, one tranche, no lag and no flows."""
    names = {
        "weight": list(case.targets.symbols),
        "exposure": sorted({name for fund in case.returns.funds for name in fund.exposures}),
    }.get(on)
    assume(names != [])
    only = () if names is None else (data.draw(st.sampled_from(names)),)
    band = Band(on, below, above, only=only, destination=destination)
    done = case.but(rule=RebalancingRule(case.rule.calendar, (band,)), costs=TradingCosts(half_spread)).run()
    (one,) = breaches(done, [band], case.benchmark)
    assert one.sessions == int(done.broken.sum())


def alike(one: Breach, other: Breach) -> bool:
    same = (one.sessions, one.looked_at, one.day) == (other.sessions, other.looked_at, other.day)
    return same and math.isclose(one.farthest, other.farthest, abs_tol=1e-9)


@settings(max_examples=25)
@given(cases("bands", "turns"))
def test_any_rule_may_be_measured_by_another_ones_bands(case: Case) -> None:
    """A band says the same of weights whoever watched it; each by itself says what it says among others."""
    done = case.but(rule=RebalancingRule(case.rule.calendar)).run()
    together = breaches(done, case.rule.bands, case.benchmark)
    apart = [one for band in case.rule.bands for one in breaches(done, [band], case.benchmark)]
    assert all(alike(one, other) for one, other in zip(together, apart, strict=True))
    assert not done.broken.any()


def test_a_side_without_limit_of_a_lost_funds_relative_band_is_no_limit_of_nothing() -> None:
    returns = fund_returns_of([[0.0, 0.0], [0.0, 0.0], [-1.0, 0.0], [0.0, 0.0]])
    done = backtest(returns, targets_for(returns, [0.4, 0.6]), NEVER)
    band = Band("weight", 0.1, math.inf, "relative", only=("FUND0",))
    (found,) = breaches(done, [band], {})
    # Lost at the second close: nothing is held of it and nothing is wanted.
    assert (found.sessions, found.beyond, found.target) == (0, 0.0, 0.0)
