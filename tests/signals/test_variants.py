"""Variants of a signal: which, what each found, and what choosing among them is worth."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import second_signals
from tests.signals.building import DAYS, numbers, pair_of, series, walks

from alphaoverlay.errors import SpanError, StudyError
from alphaoverlay.history import FloatArray
from alphaoverlay.signals.evidence import outcomes_of
from alphaoverlay.signals.overfitting import cross_validate
from alphaoverlay.signals.relative_value import Pair
from alphaoverlay.signals.tactical import TacticalRule, follow_signal
from alphaoverlay.signals.variants import (
    Trial,
    active_returns,
    choose_in_hindsight,
    nearby_rules,
    vary_signal,
    walk_forward,
)

RULE = TacticalRule(window=300, enter=0.15, exit=0.5)


# --- which there are ---


def nearby(rule: TacticalRule) -> list[tuple[int, float]]:
    """Windows and entries of the variants."""
    return [(one.window, one.enter) for _, one in nearby_rules(rule)]


def test_the_variants_of_the_usual_rule_are_sixteen() -> None:
    found = nearby(TacticalRule())
    assert found[0] == (756, 0.05)
    assert sorted(found) == [(window, enter) for window in (504, 756, 1008, 1260) for enter in (0.02, 0.05, 0.1, 0.2)]


def test_a_window_and_an_entry_of_the_study_s_own_come_to_them() -> None:
    found = nearby(RULE)
    assert found[0] == (300, 0.15)
    windows, entries = (300, 504, 756, 1008, 1260), (0.02, 0.05, 0.1, 0.15, 0.2)
    assert sorted(found) == [(window, enter) for window in windows for enter in entries]


def test_where_a_high_spread_is_bought_the_entries_are_as_near_to_the_other_end() -> None:
    found = nearby(TacticalRule(enter=0.95, exit=0.5))
    assert len(found) == 16
    assert {enter for _, enter in found} == {0.98, 0.95, 0.9, 0.8}


def test_an_entry_at_the_exit_or_beyond_is_no_variant() -> None:
    assert {enter for _, enter in nearby(TacticalRule(enter=0.05, exit=0.1))} == {0.02, 0.05}
    assert {enter for _, enter in nearby(TacticalRule(enter=0.95, exit=0.85))} == {0.98, 0.95, 0.9}


def test_all_else_is_as_in_the_study_and_each_has_a_name_of_its_own() -> None:
    rule = replace(RULE, cooldown=7, stop=0.2, rest=0.5, lookback=504, time_limit=30, confirm="trend")
    found = list(nearby_rules(rule))
    assert {replace(one, window=300, enter=0.15) for _, one in found} == {rule}
    names = [name for name, _ in found]
    assert names[0] == ""
    assert len(set(names)) == len(names)
    assert "window 504, entry 2%" in names
    for _, one in found:
        one.compile()
    assert len(dict(nearby_rules(replace(RULE, enter=0.049)))) == 25  # beside 5%


def test_steps_stay_where_their_entry_does() -> None:
    rule = replace(RULE, steps=((0.15, 0.5), (0.01, 1.0)))
    for _, one in nearby_rules(rule):
        assert one.steps == (rule.steps if one.enter == 0.15 else ())
        one.compile()


# --- active returns ---


def test_active_returns_by_hand() -> None:
    pair = pair_of([1, 2, 3, 3, 6], [1, 1, 2, 4, 4])
    # On session 2: decided at 0, 3/2 - 2/1. On 3: 3/3 - 4/2. On 4: 6/3 - 4/4.
    assert active_returns(pair, series([1.0, 0.5, 2.0, 9.0, 9.0])).tolist() == [0, 0, -0.5, -0.5, 2.0]


@given(st.integers(0, 2**32), st.integers(2, 40))
def test_active_returns_against_the_second_implementation(seed: int, n: int) -> None:
    pair = walks(seed, n)
    sizes = np.random.default_rng(seed).choice([0.0, 0.5, 1.0], n)
    expected = second_signals.variant_returns(sizes.tolist(), pair.long.tolist(), pair.short.tolist())
    assert active_returns(pair, series(sizes)).tolist() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(st.integers(0, 2**32), st.integers(3, 40))
def test_a_session_s_size_earns_nothing_before_the_second_session_after(seed: int, n: int) -> None:
    """What is decided at a close is traded at the next."""
    pair, sizes = walks(seed, n), np.zeros(n)
    sizes[n - 2 :] = 1.0
    assert not active_returns(pair, series(sizes)).any()
    sizes[n - 3] = 1.0
    assert np.flatnonzero(active_returns(pair, series(sizes))).tolist() == [n - 1]


# --- walk-forward ---


def test_walk_forward_by_hand() -> None:
    """Two to learn from, two to keep: the first column is better over the first two, the second over the first four."""
    table = np.array([[3.0, 1.0], [4.0, 3.0], [0.0, 7.0], [1.0, 8.0], [10.0, 20.0]])
    # 3,4: 3.5/0.71; 1,3: 2/1.41. Then 3,4,0,1: 2/1.83; 1,3,7,8: 4.75/3.30.
    assert walk_forward(table, 2, 2).tolist() == [0.0, 1.0, 20.0]


def test_of_equally_good_ones_the_first_is_held() -> None:
    table = np.array([[1.0, 1.0], [2.0, 2.0], [5.0, 6.0]])
    assert walk_forward(table, 2, 1).tolist() == [5.0]


def test_what_did_not_move_is_better_than_what_lost() -> None:
    table = np.array([[-1.0, 0.0], [-2.0, 0.0], [9.0, -9.0], [5.0, 6.0]])
    # The session before does not count: nothing could be decided on it and traded by now.
    assert walk_forward(table, 3, 1).tolist() == [6.0]


@pytest.mark.parametrize(("sessions", "left"), [(1259, 0), (1260, 0), (1261, 1), (1513, 253)])
def test_walk_forward_begins_after_its_learning(sessions: int, left: int) -> None:
    table = np.random.default_rng(0).standard_normal((sessions, 3))
    assert len(walk_forward(table)) == left


@given(st.integers(0, 2**32), st.integers(2, 6), st.integers(1300, 2000))
def test_walk_forward_against_the_second_implementation(seed: int, trials: int, sessions: int) -> None:
    table = np.random.default_rng(seed).standard_normal((sessions, trials))
    _, expected = second_signals.walk_forward(table.T.tolist())
    assert walk_forward(table).tolist() == expected


@given(st.integers(0, 2**32), st.integers(12, 59))
def test_walk_forward_knows_nothing_of_what_comes_after(seed: int, cut: int) -> None:
    table = np.random.default_rng(seed).standard_normal((60, 4))
    assert np.array_equal(walk_forward(table[:cut], 10, 7), walk_forward(table, 10, 7)[: cut - 10])
    changed = table.copy()
    changed[cut:] = 100.0
    assert np.array_equal(walk_forward(changed, 10, 7)[: cut - 10], walk_forward(table, 10, 7)[: cut - 10])


# --- all of it ---


def second_trial(pair: Pair, rule: TacticalRule, horizon: int) -> tuple[list[float], second_signals.Judgement]:
    """Sizes and judgement of a rule by the second implementation, from ranks that others hold."""
    long, short = pair.long.tolist(), pair.short.tolist()
    ranked = [float(p) for p in numbers(follow_signal(pair, rule).percentile)]
    sizes, spells = second_signals.spells(ranked, long, short, enter=rule.enter, exit=rule.exit)
    return sizes, second_signals.judge(ranked, sizes, spells, second_signals.outcomes(long, short, horizon), horizon)


def agrees(trial: Trial, other: second_signals.Judgement) -> None:
    """Hold that a trial says what the second implementation does."""
    assert trial.number == other["n"]
    expected = [other["mean_after"], other["base_rate"]]
    said = [math.nan if one is None else one for one in (trial.mean_after, trial.base_rate)]
    assert said == pytest.approx(expected, rel=1e-9, nan_ok=True)


def test_every_variant_start_and_series_against_the_second_implementation() -> None:
    pair, other = walks(21, 3600), walks(22, 3600)
    found = vary_signal(pair, RULE, 60, {"OTHER": other})
    sized = {}
    for name, rule in nearby_rules(RULE):
        sized[name], judged = second_trial(pair, rule, 60)
        (trial,) = (one for one in found.variants if one.changed == name)
        agrees(trial, judged)
    assert [one.changed for one in found.variants] == list(sized)
    for trial, first in zip(found.starts, (900, 1800), strict=True):
        agrees(trial, second_trial(pair.since(first), RULE, 60)[1])
    assert [one.changed for one in found.starts] == ["without the first quarter", "without the first half"]
    (proxy,) = found.proxies
    assert proxy.changed == "OTHER"
    agrees(proxy, second_trial(other, RULE, 60)[1])

    # What choosing among them is worth.
    choosing = found.choosing
    assert choosing is not None
    assert choosing.notes == found.notes == ()
    first = 1260 + 251
    assert (choosing.first, choosing.sessions) == (DAYS[first], 3600 - first)
    long, short = pair.long.tolist(), pair.short.tolist()
    matrix = [second_signals.variant_returns(sizes, long, short)[first:] for sizes in sized.values()]
    ratios = [second_signals.sharpe(column) for column in matrix]
    best = ratios.index(max(ratios))
    assert choosing.best_variant == list(sized)[best]
    threshold, probability = second_signals.deflated_sharpe(matrix[best], ratios)
    assert choosing.deflated is not None
    assert choosing.deflated.expected_best == pytest.approx(threshold, rel=1e-9)
    assert choosing.deflated.probability == pytest.approx(probability, rel=1e-9)
    assert choosing.deflated.sharpe == pytest.approx(ratios[best], rel=1e-9)
    assert choosing.deflated.trials == 25
    _, joined = second_signals.walk_forward(matrix)
    after = [column[1260:] for column in matrix]
    later = [second_signals.sharpe(column) for column in after]
    for record, values in (
        (choosing.walk_forward, joined),
        (choosing.own, after[0]),
        (choosing.best, after[later.index(max(later))]),
    ):
        assert record is not None
        assert record.a_year == pytest.approx(252 * second_signals.mean(values), rel=1e-9, abs=1e-15)
        assert record.sharpe == pytest.approx(math.sqrt(252) * second_signals.sharpe(values), rel=1e-9, abs=1e-12)
    assert choosing.validation is not None
    # Cross-validation itself is held elsewhere.
    table = np.stack([active_returns(pair, series(sizes))[first:] for sizes in sized.values()], axis=1)
    assert choosing.validation.probability == cross_validate(table).probability
    assert choosing.validation.trials == 25


def test_the_last_day_of_each_variant() -> None:
    pair = walks(21, 2000)
    for trial in vary_signal(pair, RULE, 60).variants:
        rule = dict(nearby_rules(RULE))[trial.changed]
        tactical = follow_signal(pair, rule)
        last = float(tactical.percentile.iloc[-1])
        assert trial.percentile == pytest.approx(last)
        assert trial.on == (tactical.size.iloc[-1] == 1.0)


def test_windows_that_do_not_fit_are_left_out_and_what_is_unknown_is_none() -> None:
    found = vary_signal(walks(0, 505), RULE, 60)
    assert {replace(RULE, window=300, enter=0.15).window, 504} == {
        dict(nearby_rules(RULE))[one.changed].window for one in found.variants
    }
    assert {one.percentile for one in found.variants} == {None}  # 205 differences are no 252
    assert {(one.number, one.mean_after, one.base_rate, one.on) for one in found.variants} == {(0, None, None, False)}
    assert found.choosing is None
    left, compared = found.notes
    assert left.startswith("Left out, too short for the window: window 756")
    assert left.endswith("without the first half.")
    assert compared == "Variants are not compared: the signal itself has no percentile yet."
    assert [one.changed for one in found.starts] == ["without the first quarter"]


def test_only_one_variant_is_none() -> None:
    pair = walks(0, 700)
    with pytest.raises(SpanError, match="there is only one"):
        choose_in_hindsight(pair, {"": outcomes_of(pair, RULE, 60)})


@pytest.mark.parametrize(("window", "sessions"), [(300, 300), (1300, 1000)])
def test_the_signal_itself_must_fit(window: int, sessions: int) -> None:
    with pytest.raises(SpanError, match=f"window of {window:,} needs {window + 1:,}"):
        vary_signal(walks(0, sessions), replace(RULE, window=window), 60)


def test_the_signal_itself_must_make_sense() -> None:
    with pytest.raises(StudyError, match="enter and exit are both"):
        vary_signal(walks(0, 400), replace(RULE, enter=0.5), 60)


def test_with_few_common_sessions_nothing_is_chosen_and_each_lack_is_told() -> None:
    found = vary_signal(walks(4, 1260 + 251 + 600), RULE, 60).choosing
    assert found is not None
    assert found.sessions == 600
    assert found.walk_forward is found.own is found.best is None
    assert [note.split(":")[0] for note in found.notes] == ["No walk-forward"]
    assert found.validation is not None


def test_one_common_session_compares_nothing() -> None:
    found = vary_signal(walks(4, 1260 + 252), RULE, 60).choosing
    assert found is not None
    assert found.sessions == 1
    assert (found.deflated, found.validation) == (None, None)


def flat_then_walking(seed: int) -> FloatArray:
    """A leg that never moves for the first 2,000 sessions."""
    moves = np.random.default_rng(seed).standard_normal(4000) * 0.01
    moves[:2000] = 0.0
    return np.exp(np.cumsum(moves))


def test_variants_are_compared_from_the_session_on_which_each_has_a_percentile() -> None:
    """All differences are 0 until one leg moves on day 2000: no percentile is defined where all values are equal."""
    found = vary_signal(pair_of(flat_then_walking(1), np.ones(4000)), RULE, 60).choosing
    assert found is not None
    assert (found.first, found.sessions) == (DAYS[2000], 2000)
