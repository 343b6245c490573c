"""Whether a signal works: outcomes, independence, HAC and the simulated null, by hand, by others and by law."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from tests import second_signals
from tests.signals.building import DAYS, long_pairs, numbers, pair_of, pairs, ranks, rules, second_spells, walks

from alphaoverlay.analysis.bootstrap import stationary_indices
from alphaoverlay.errors import SpanError, StudyError
from alphaoverlay.history import FloatArray
from alphaoverlay.signals import _kernels, evidence
from alphaoverlay.signals.evidence import Evidence, Outcomes, examine_signal, outcomes_of, simulate_null
from alphaoverlay.signals.relative_value import Pair
from alphaoverlay.signals.tactical import Spell, TacticalRule

NAN = math.nan
RULE = TacticalRule(window=5, enter=0.2, exit=0.6)


def cumulated(returns: list[float]) -> FloatArray:
    """Levels from 1 that earn these returns."""
    return np.concatenate([[1.0], np.cumprod(1.0 + np.array(returns))])


# --- outcomes and independence ---


def test_outcomes_by_hand() -> None:
    out = np.empty(5)
    # From the close after: 8/2 - 3/1, 4/4 - 3/3
    _kernels.outcomes(np.array([1.0, 2.0, 4.0, 8.0, 4.0]), np.array([1.0, 1.0, 3.0, 3.0, 3.0]), 2, out)
    assert out.tolist() == pytest.approx([1.0, 0.0, NAN, NAN, NAN], nan_ok=True)


@given(pairs(), st.integers(0, 70))
def test_outcomes_against_the_second_implementation(pair: Pair, horizon: int) -> None:
    out = np.empty(len(pair.long))
    _kernels.outcomes(*pair.arrays, horizon, out)
    expected = second_signals.outcomes(pair.long.tolist(), pair.short.tolist(), horizon)
    assert out.tolist() == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


def kept(spells: list[tuple[int, int]], horizon: int) -> list[bool]:
    """Which spells are independent."""
    rows = np.array([(*one, 0) for one in spells], dtype=np.int64).reshape(len(spells), 3)
    out = np.ones(len(spells), dtype=np.bool_)
    _kernels.independent(rows, len(spells), horizon, out)
    return out.tolist()


def test_independence_by_hand() -> None:
    # Over at 0+1+3 = 4 (not at the exit, 2); at 9, exit and horizon alike; at 30, the exit; the last is open.
    spells = [(0, 2), (4, 5), (5, 9), (9, 10), (10, 30), (30, 30), (31, 32), (35, 36), (36, -1)]
    assert kept(spells, 3) == [True, False, True, False, True, False, True, False, True]


def test_one_that_is_not_independent_ends_nothing() -> None:
    """The second is long, and begins before the first is over."""
    assert kept([(0, 1), (2, 50), (51, 52)], 3) == [True, False, True]
    assert kept([(0, 1), (2, 4), (5, 6)], 3) == [True, False, True]


def test_nothing_is_independent_of_one_that_never_ends() -> None:
    assert kept([(0, -1)], 3) == [True]
    assert kept([], 3) == []


# --- HAC ---

FIXTURE_X = [float(k) for k in range(1, 13)]
FIXTURE_Y = [2.0, 1.0, 4.0, 3.0, 6.0, 8.0, 5.0, 9.0, 12.0, 10.0, 11.0, 15.0]


def statsmodels_hac(on: FloatArray, outcome: FloatArray, lags: int) -> tuple[float, float, float]:
    """Slope, error and p-value by statsmodels."""
    fit = sm.OLS(outcome, sm.add_constant(on)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False}, use_t=False
    )
    return float(fit.params[1]), float(fit.bse[1]), float(fit.pvalues[1])


def test_hac_of_a_known_table() -> None:
    slope, error = _kernels.hac_slope(np.array(FIXTURE_X), np.array(FIXTURE_Y), 3)
    assert slope == pytest.approx(1.1398601399, abs=5e-11)
    assert error == pytest.approx(0.0511082842, abs=5e-11)


@given(st.integers(0, 2**32), st.integers(12, 80), st.integers(0, 40), st.booleans())
def test_hac_against_statsmodels(seed: int, n: int, lags: int, binary: bool) -> None:
    """On and off some times each: of a perfect fit statsmodels takes the root of a rounded 0."""
    random = np.random.default_rng(seed)
    on = (random.random(n) < 0.4).astype(float) if binary else random.standard_normal(n)
    on[:8] = 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0
    outcome = np.convolve(random.standard_normal(n + 4), np.ones(5), "valid") + 100.0
    lags = min(lags, n - 1)
    slope, error = _kernels.hac_slope(on, outcome, lags)
    expected = statsmodels_hac(on, outcome, lags)
    assert slope == pytest.approx(expected[0], rel=1e-9, abs=1e-11)
    assert error == pytest.approx(expected[1], rel=1e-7, abs=1e-9)


@given(st.integers(0, 2**32), st.integers(2, 40), st.integers(0, 60))
def test_hac_against_the_second_implementation(seed: int, n: int, lags: int) -> None:
    """Also with more lags than there are observations."""
    random = np.random.default_rng(seed)
    on = (random.random(n) < 0.4).astype(float)
    outcome = random.standard_normal(n)
    slope, error = _kernels.hac_slope(on, outcome, lags)
    expected, t, _ = second_signals.newey_west(outcome.tolist(), on.tolist(), lags)
    assert slope == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)
    if not math.isnan(t) and abs(t) < 1e6:
        assert error == pytest.approx(abs(expected / t), rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("on", [[], [0.0], [1.0] * 7, [0.0] * 7])
def test_there_is_no_slope_where_it_is_always_on_or_never(on: list[float]) -> None:
    assert all(math.isnan(one) for one in _kernels.hac_slope(np.array(on), np.arange(float(len(on))), 3))


# --- what is judged, against the second implementation ---


def figures_of(ranked: FloatArray, pair: Pair, rule: TacticalRule, horizon: int) -> tuple[FloatArray, list[bool]]:
    """The kernels' figures of given percentiles, and which spells are independent."""
    long, short = pair.arrays
    n = len(long)
    sizes, outcome, spells = np.empty(n), np.empty(n), np.empty((n, 3), np.int64)
    flags, found = np.zeros(n, np.bool_), np.empty(5)
    number = _kernels.trade_signal(ranked, long, short, np.ones(n, np.bool_), rule.compile(), sizes, spells)
    _kernels.outcomes(long, short, horizon, outcome)
    _kernels.independent(spells, number, horizon, flags)
    _kernels.judge(ranked, outcome, spells, number, flags, horizon, found)
    return found, flags[:number].tolist()


def second_judges(ranked: list[float], pair: Pair, rule: TacticalRule, horizon: int) -> second_signals.Judgement:
    """The second implementation's view of the same."""
    long, short = pair.long.tolist(), pair.short.tolist()
    sizes, spells = second_spells(rule, ranked, long, short)
    return second_signals.judge(ranked, sizes, spells, second_signals.outcomes(long, short, horizon), horizon)


def agrees(found: FloatArray, other: second_signals.Judgement) -> None:
    """Hold that figures are those of the second implementation."""
    assert int(found[0]) == other["n"]
    expected = [other["mean_after"], other["base_rate"], other["hac_slope"]]
    assert found[1:4].tolist() == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)
    if not math.isnan(other["hac_t"]) and abs(other["hac_t"]) < 1e6:
        assert found[3] / found[4] == pytest.approx(other["hac_t"], rel=1e-6, abs=1e-9)


@given(pairs(3, 60, ["walk", "jumps"]), rules(), st.integers(1, 15), st.data())
def test_figures_against_the_second_implementation(
    pair: Pair, rule: TacticalRule, horizon: int, data: st.DataObject
) -> None:
    ranked = data.draw(ranks(len(pair.long)))
    found, flags = figures_of(ranked, pair, rule, horizon)
    other = second_judges(ranked.tolist(), pair, rule, horizon)
    assert flags == other["independent"]
    agrees(found, other)


@given(long_pairs(["walk", "jumps"]), rules(), st.integers(1, 60))
def test_outcomes_of_a_pair_against_the_second_implementation(pair: Pair, rule: TacticalRule, horizon: int) -> None:
    found = outcomes_of(pair, rule, horizon)
    gap = second_signals.relative_value(pair.long.tolist(), pair.short.tolist(), rule.window)["difference"]
    other = second_judges(second_signals.percentile(gap, None), pair, rule, horizon)
    assert list(found.independent) == other["independent"]
    agrees(found.figures, other)
    assert found.number == other["n"]
    assert found.mean_after == pytest.approx(other["mean_after"], nan_ok=True)
    assert found.base_rate == pytest.approx(other["base_rate"], nan_ok=True)


@given(long_pairs(), rules(), st.integers(1, 80))
def test_judging_a_path_in_one_go_is_judging_it_in_steps(pair: Pair, rule: TacticalRule, horizon: int) -> None:
    """The null goes another way to the figures than what was found does."""
    for one in (rule, replace(rule, lookback=260), replace(rule, confirm="trend"), replace(rule, confirm="momentum")):
        found = np.empty(5)
        _kernels.judge_path(*pair.arrays, one.compile(), horizon, found)
        assert np.array_equal(found, outcomes_of(pair, one, horizon).figures, equal_nan=True)


# --- one history by hand ---


def made_history(n: int = 320, dips: tuple[int, ...] = (270, 274, 300)) -> Pair:
    """The short leg stands still; the long one gains 1% and 2% in turns, but loses 5% on some days and gains 3% on the
    next: with a window of 1 it is cheapest on the first and dearest on the second.
    """
    returns = [0.01 if t % 2 == 0 else 0.02 for t in range(1, n)]
    for k, day in enumerate(dips):
        returns[day - 1] = -0.05 - 0.001 * k
        if day < n - 1:
            returns[day] = 0.03 + 0.001 * k
    return pair_of(cumulated(returns), np.ones(n))


ONE_DAY = TacticalRule(window=1, enter=0.001, exit=0.99)


def test_episodes_by_hand() -> None:
    found = examine_signal(made_history(), ONE_DAY, 5, resamples=0)
    dip, second, third = found.episodes
    assert [one.entry for one in found.episodes] == [DAYS[270], DAYS[274], DAYS[300]]
    assert [one.exit for one in found.episodes] == [DAYS[271], DAYS[275], DAYS[301]]
    assert {one.reason for one in found.episodes} == {"exit"}
    assert [one.difference for one in found.episodes] == pytest.approx([-0.05, -0.051, -0.052])
    assert [one.percentile for one in found.episodes] == [0.0, 0.0, 0.0]
    # Five sessions from the close of day 271: days 272 to 276, of which 274 is the next dip.
    assert dip.outcome == pytest.approx(1.01 * 1.02 * 0.949 * 1.031 * 1.01 - 1)
    assert third.outcome == pytest.approx(1.01 * 1.02 * 1.01 * 1.02 * 1.01 - 1)
    # From the close of day 271 to that of day 272; from 275 to 276.
    assert dip.to_exit == pytest.approx(0.01)
    assert second.to_exit == pytest.approx(0.01)
    # The first is over on day 276.
    assert [one.independent for one in found.episodes] == [True, False, True]
    assert found.independent == 2
    assert found.mean_after == pytest.approx(np.mean([one.outcome for one in (dip, third)]))
    assert found.gained == 1.0


def test_episodes_near_the_last_close_by_hand() -> None:
    last = examine_signal(made_history(dips=(270, 319)), ONE_DAY, 5, resamples=0).episodes[-1]
    assert (last.entry, last.exit, last.reason, last.outcome, last.to_exit) == (DAYS[319], None, None, None, None)
    assert last.independent
    before = examine_signal(made_history(dips=(270, 318)), ONE_DAY, 5, resamples=0).episodes[-1]
    assert (before.entry, before.exit, before.to_exit) == (DAYS[318], DAYS[319], 0.0)
    opened = examine_signal(made_history(dips=(270, 318)), replace(ONE_DAY, exit=1.1), 5, resamples=0).episodes
    assert [one.exit for one in opened] == [None]
    held = 1.01 * 1.02 * 1.01  # days 272 to 274, and so on to the last close
    values = numbers(made_history(dips=(270, 318)).long)
    assert values[274] / values[271] == pytest.approx(held)
    assert opened[0].to_exit == pytest.approx(values[319] / values[271] - 1)
    assert opened[0].outcome == pytest.approx(1.01 * 1.02 * 1.01 * 1.02 * 1.01 - 1)


def test_only_independent_episodes_with_a_known_outcome_count() -> None:
    found = examine_signal(made_history(dips=(270, 314)), ONE_DAY, 5, resamples=0)
    assert [one.independent for one in found.episodes] == [True, True]
    assert [one.outcome is None for one in found.episodes] == [False, True]
    assert found.independent == 1
    assert found.mean_after == found.episodes[0].outcome


def test_the_base_rate_is_over_closes_with_a_percentile_and_an_outcome() -> None:
    pair = made_history(dips=())
    found = examine_signal(pair, ONE_DAY, 2, resamples=0)
    levels = numbers(pair.long)
    # The 252nd difference is on day 252; the last close whose two sessions are over is 317 - 1.
    expected = np.mean([levels[t + 3] / levels[t + 1] - 1 for t in range(252, 317)])
    assert found.base_rate == pytest.approx(expected)
    assert found.base_gained == 1.0


# --- the simulated null ---


def patched_null(monkeypatch: pytest.MonkeyPatch, rows: list[list[float]]) -> None:
    """Give the null these figures."""

    def made(*_: Any) -> FloatArray:
        return np.array(rows, dtype=np.float64).reshape(len(rows), 5)

    monkeypatch.setattr(evidence, "simulate_null", made)


def patched_outcomes(monkeypatch: pytest.MonkeyPatch, figures: list[float]) -> None:
    """Give what was found these figures."""

    def made(pair: Pair, rule: TacticalRule, horizon: int) -> Outcomes:
        return replace(outcomes_of(pair, rule, horizon), figures=np.array(figures))

    monkeypatch.setattr(evidence, "outcomes_of", made)


def test_p_value_and_intervals_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """The null is 0.00 to 0.40 in hundredths above a base rate of 1, its mean 0.2; two resamples have no episode."""
    rows = [[3.0, 1.0 + k / 100, 1.0, 0.0, 1.0] for k in range(41)] + [[0.0, NAN, 1.0, NAN, NAN]] * 2
    patched_null(monkeypatch, rows)
    patched_outcomes(monkeypatch, [9.0, 0.5 + 0.385, 0.5, 0.0, 1.0])
    found = examine_signal(walks(0, 400), RULE, 20, resamples=43)
    # 0.39 and 0.40 are at least 0.385: two times (1 + 2)/(1 + 41)
    assert found.p_value == pytest.approx(6 / 42)
    assert (found.resamples, found.unused, found.independent) == (43, 2, 9)
    assert found.null_mean == pytest.approx(0.2)
    # The quantile at 2.5% of 41 values is one step in.
    assert found.null_interval == pytest.approx((0.01, 0.39))
    assert found.interval == pytest.approx((0.885 - 0.39, 0.885 - 0.01))
    assert (found.mean_after, found.base_rate) == (0.885, 0.5)
    assert found.verdict == "not told from chance"


@given(st.integers(0, 2**32), st.integers(1, 60), st.floats(-3, 3))
def test_p_value_and_intervals_against_the_second_implementation(seed: int, many: int, statistic: float) -> None:
    null = np.random.default_rng(seed).standard_normal(many).round(1)
    rows = [[3.0, one, 0.0, 0.0, 1.0] if k % 5 else [0.0, NAN, 0.0, NAN, NAN] for k, one in enumerate(null)]
    listed = [float(one) if k % 5 else NAN for k, one in enumerate(null)]
    with pytest.MonkeyPatch.context() as monkeypatch:
        patched_null(monkeypatch, rows)
        patched_outcomes(monkeypatch, [9.0, statistic, 0.0, 0.0, 1.0])
        found = examine_signal(walks(0, 300), RULE, 20, resamples=many)
    if many == 1:
        assert (found.p_value, found.interval, found.null_interval, found.null_mean) == (None, None, None, None)
        assert found.verdict == "cannot be told"
        return
    assert found.p_value == pytest.approx(second_signals.p_value(statistic, listed))
    assert found.interval == pytest.approx(second_signals.interval(statistic, listed), abs=1e-12)


@pytest.mark.parametrize(
    ("number", "draws", "beyond", "excess", "verdict"),
    [
        (0, 1999, 0, 1.0, "cannot be told"),
        (1, 1999, 0, 1.0, "paid more than chance"),  # p = 0.001
        (7, 1999, 8, 1.0, "paid more than chance"),  # p = 0.009
        (7, 1999, 9, 1.0, "cannot be told"),  # p = 0.01
        (7, 1999, 9, -1.0, "cannot be told"),
        (7, 1999, 8, -1.0, "paid less than chance"),
        (7, 1999, 900, 1.0, "cannot be told"),
        (8, 1999, 9, 1.0, "paid more than chance"),
        (8, 1999, 48, 1.0, "paid more than chance"),  # p = 0.049
        (8, 1999, 48, -1.0, "paid less than chance"),
        (8, 1999, 49, 1.0, "not told from chance"),  # p = 0.05
        (8, 1999, 49, -1.0, "not told from chance"),
        (50, 0, 0, 1.0, "cannot be told"),
        (50, 38, 0, 1.0, "not told from chance"),  # p = 2/39: so few draws cannot say more
    ],
)
def test_verdicts_by_hand(
    monkeypatch: pytest.MonkeyPatch, number: int, draws: int, beyond: int, excess: float, verdict: str
) -> None:
    sign = math.copysign(1.0, excess)
    null = [2.0 * sign] * beyond + [0.0] * (draws - beyond)
    patched_null(monkeypatch, [[3.0, one, 0.0, 0.0, 1.0] for one in null])
    patched_outcomes(monkeypatch, [number, excess if number else NAN, 0.0, 0.0, 1.0])
    found = examine_signal(walks(0, 300), RULE, 20, resamples=draws)
    assert found.verdict == verdict
    if number and draws:
        assert found.p_value == pytest.approx(2 * (1 + beyond) / (1 + draws))
    else:
        assert found.p_value is None
        assert found.interval is None
    assert found.sentence.endswith(".")
    assert ("cannot be told from this data" in found.sentence) == (verdict == "cannot be told")


def test_the_size_of_the_regression_is_the_share_of_resamples_that_it_rejects(monkeypatch: pytest.MonkeyPatch) -> None:
    edge = NormalDist().inv_cdf(0.975)
    ratios = [edge + 1e-9, -edge - 1e-9, edge - 1e-9, 0.0, 50.0]
    rows = [[3.0, 1.0, 0.0, 0.5 * one, 0.5] for one in ratios] + [[0.0, NAN, NAN, NAN, NAN]]
    patched_null(monkeypatch, rows)
    patched_outcomes(monkeypatch, [9.0, 1.0, 0.0, -0.3, 0.1])
    found = examine_signal(walks(0, 300), RULE, 20, resamples=6).regression
    assert found.size == pytest.approx(3 / 5)
    assert (found.slope, found.lags) == (-0.3, 20)
    assert found.t == pytest.approx(-3.0)
    assert found.p_value == pytest.approx(0.002699796063, abs=1e-12)  # a normal table's


def test_the_regression_of_a_history_is_that_of_statsmodels() -> None:
    pair = walks(11, 700)
    found = outcomes_of(pair, RULE, 30)
    known = found.tactical.percentile.notna().to_numpy() & ~np.isnan(found.outcome)
    on = np.zeros(700)
    for spell in found.tactical.spells:
        on[spell.entry : spell.exit] = 1.0
    slope, error, p_value = statsmodels_hac(on[known], found.outcome[known], 30)
    told = examine_signal(pair, RULE, 30, resamples=0).regression
    assert told.slope == pytest.approx(slope, rel=1e-9)
    assert told.t == pytest.approx(slope / error, rel=1e-9)
    assert told.p_value == pytest.approx(p_value, rel=1e-7)
    assert told.size is None


def dyadic(seed: int, n: int) -> Pair:
    """Levels that are powers of two from 1 on: returns, and products of them, are exact."""
    random = np.random.default_rng(seed)
    legs = np.exp2(np.clip(np.cumsum(random.integers(-1, 2, (2, n)), axis=1), -6, 6))
    return pair_of(legs[0] / legs[0, 0], legs[1] / legs[1, 0])


@pytest.mark.parametrize("confirm", [replace(RULE), replace(RULE, lookback=252), replace(RULE, confirm="trend")])
def test_a_resample_that_keeps_every_session_in_its_place_finds_what_was_found(
    monkeypatch: pytest.MonkeyPatch, confirm: TacticalRule
) -> None:
    def in_place(n: int, block: float, seed: int, path: int) -> Any:
        return np.arange(n)

    monkeypatch.setattr(evidence, "stationary_indices", in_place)
    pair = dyadic(4, 600)
    found = outcomes_of(pair, confirm, 20)
    assert found.number > 0
    null = simulate_null(pair, confirm, 20, 21, 3, 0)
    assert np.array_equal(null, np.tile(found.figures, (3, 1)))
    told = examine_signal(pair, confirm, 20, resamples=3)
    assert told.p_value == 1.0  # every draw is at least, and at most, what was found
    assert told.null_mean == pytest.approx(found.mean_after - found.base_rate)


def test_resamples_of_a_walk_against_the_second_implementation() -> None:
    pair, rule = walks(8, 420), replace(RULE, time_limit=15, cooldown=3, profit_target=0.05)
    null = simulate_null(pair, rule, 10, 7, 3, 5)
    for path, figures in enumerate(null):
        picked = stationary_indices(419, 7, 5, path)
        levels = second_signals.resampled_levels(pair.long.tolist(), pair.short.tolist(), picked.tolist())
        other = pair_of(*levels)
        gap = second_signals.relative_value(*levels, rule.window)["difference"]
        agrees(figures, second_judges(second_signals.percentile(gap, None), other, rule, 10))


@pytest.mark.parametrize(("window", "block"), [(756, 21), (210, 21), (209, 20), (50, 5), (5, 1)])
def test_blocks_are_21_sessions_or_a_tenth_of_the_window(window: int, block: int) -> None:
    assert examine_signal(walks(0, 800), replace(RULE, window=window), 20, resamples=2).block == block


def test_the_block_seed_and_number_that_are_told_are_those_of_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def noted(n: int, block: float, seed: int, path: int) -> Any:
        asked.append((n, block, seed, path))
        return stationary_indices(n, block, seed, path)

    monkeypatch.setattr(evidence, "stationary_indices", noted)
    found = examine_signal(walks(0, 400), replace(RULE, window=60), 20, resamples=130, seed=9)
    assert sorted(asked) == [(399, 6, 9, path) for path in range(130)]
    assert (found.block, found.seed, found.resamples) == (6, 9, 130)


def test_the_number_of_threads_and_of_resamples_changes_no_resample(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = walks(2, 500)
    found = []
    for cores in (None, 1, 2, 7):
        if cores is not None:
            monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        found.append(simulate_null(pair, RULE, 20, 5, 200, 3))
    assert all(np.array_equal(one, found[0], equal_nan=True) for one in found)
    fewer = simulate_null(pair, RULE, 20, 5, 70, 3)
    assert np.array_equal(fewer, found[0][:70], equal_nan=True)
    assert not np.isnan(found[0][:, 0]).any()


def test_the_same_seed_finds_the_same_and_another_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = walks(2, 500)
    one = examine_signal(pair, RULE, 20, resamples=150, seed=4)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert examine_signal(pair, RULE, 20, resamples=150, seed=4) == one
    other = examine_signal(pair, RULE, 20, resamples=150, seed=5)
    assert other.null_mean != one.null_mean
    assert other.episodes == one.episodes


def test_progress_is_told_in_order() -> None:
    said: list[str] = []
    examine_signal(walks(0, 300), RULE, 20, resamples=200, progress=said.append)
    assert [one.split()[1] for one in said] == ["128", "192", "200"]
    assert all(one.endswith("of 200 resampled histories") for one in said)


# --- edges ---


def nothing(found: Evidence) -> bool:
    """Whether evidence says that there is none."""
    return (
        found.independent == 0
        and [found.mean_after, found.p_value, found.interval, found.gained] == [None] * 4
        and found.verdict == "cannot be told"
        and "no episode whose" in found.sentence
    )


def test_without_episodes_nothing_is_told() -> None:
    found = examine_signal(walks(0, 400), replace(RULE, enter=-1.0), 20, resamples=10)
    assert nothing(found)
    assert found.episodes == ()
    assert found.base_rate is not None
    assert found.unused == 10
    assert (found.null_interval, found.null_mean) == (None, None)
    assert found.regression.slope is found.regression.t is found.regression.size is None


def test_a_horizon_longer_than_the_history_tells_nothing() -> None:
    found = examine_signal(walks(0, 400), RULE, 5000, resamples=10)
    assert nothing(found)
    assert found.episodes
    assert {one.outcome for one in found.episodes} == {None}
    assert found.base_rate is found.base_gained is None
    assert found.unused == 10


def test_a_history_without_one_percentile_tells_nothing() -> None:
    assert nothing(examine_signal(walks(0, 6), RULE, 20, resamples=10))
    assert nothing(examine_signal(pair_of(np.ones(400), np.ones(400)), RULE, 20, resamples=10))


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_that_no_stream_has_is_refused(seed: int) -> None:
    with pytest.raises(StudyError, match=f"seed = {seed}"):
        examine_signal(walks(0, 400), RULE, 20, resamples=1, seed=seed)


def test_one_session_too_few_is_refused() -> None:
    with pytest.raises(SpanError, match="window of 5 needs 6"):
        examine_signal(walks(0, 5), RULE, 20, resamples=10)


def test_without_resamples_there_is_no_p_value() -> None:
    found = examine_signal(walks(0, 400), RULE, 20, resamples=0)
    assert found.independent > 0
    assert (found.p_value, found.interval, found.null_interval, found.null_mean) == (None,) * 4
    assert found.regression.size is None
    assert found.verdict == "cannot be told"
    assert "nothing was resampled" in found.sentence


def test_one_resample_is_enough_to_be_told_nothing_by() -> None:
    found = examine_signal(walks(0, 400), RULE, 20, resamples=1)
    assert found.p_value == 1.0


# --- laws ---


@given(st.integers(0, 2**32), st.integers(-20, 20))
def test_the_scale_of_the_legs_changes_no_evidence(seed: int, power: int) -> None:
    pair = walks(seed, 330)
    scaled = Pair(pair.long * 2.0**power, pair.short * 2.0**-power)
    one, other = (examine_signal(some, RULE, 20, resamples=4) for some in (pair, scaled))
    assert one == other


@given(long_pairs(["walk"]), st.integers(1, 40))
def test_legs_swapped_and_thresholds_turned_round_give_the_opposite(pair: Pair, horizon: int) -> None:
    rule = TacticalRule(window=5, enter=0.2 + 1e-7, exit=0.6 + 1e-7)
    other = replace(rule, enter=1.0 - rule.enter, exit=1.0 - rule.exit)
    found, turned = outcomes_of(pair, rule, horizon), outcomes_of(Pair(pair.short, pair.long), other, horizon)
    assert found.independent == turned.independent
    assert turned.figures[0] == found.figures[0]
    assert turned.figures[1:4].tolist() == pytest.approx(
        (-found.figures[1:4]).tolist(), rel=1e-9, abs=1e-9, nan_ok=True
    )


@given(st.integers(0, 2**32), st.integers(300, 499))
def test_cutting_the_history_keeps_the_outcomes_that_were_known(seed: int, cut: int) -> None:
    pair = walks(seed, 500)
    whole, early = outcomes_of(pair, RULE, 20), outcomes_of(Pair(pair.long.iloc[:cut], pair.short.iloc[:cut]), RULE, 20)
    assert np.array_equal(early.outcome[: cut - 21], whole.outcome[: cut - 21])
    assert np.isnan(early.outcome[cut - 21 :]).all()
    assert early.independent == whole.independent[: len(early.independent)]


def test_spells_of_the_evidence_are_those_of_the_rule() -> None:
    pair = walks(6, 800)
    found, told = outcomes_of(pair, RULE, 20), examine_signal(pair, RULE, 20, resamples=0)
    places: Callable[[pd.Timestamp], int] = {day: k for k, day in enumerate(pair.dates)}.__getitem__
    assert [
        Spell(places(one.entry), None if one.exit is None else places(one.exit), one.reason) for one in told.episodes
    ] == list(found.tactical.spells)
    counted = [one.outcome for one in told.episodes if one.independent and one.outcome is not None]
    assert len(counted) == told.independent
    assert told.mean_after == pytest.approx(float(np.mean(counted)))
    assert told.gained == pytest.approx(sum(one > 0 for one in counted) / len(counted))


def test_the_sentence_names_the_legs_and_counts_the_episodes() -> None:
    found = examine_signal(made_history(), ONE_DAY, 5, resamples=10)
    assert "LONG returned" in found.sentence
    assert "against SHORT" in found.sentence
    assert found.sentence.count("2 independent episodes in") == 1
