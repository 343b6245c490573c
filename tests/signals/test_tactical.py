"""The tactical rule: its state machine by hand, by a second implementation, and by law."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import second_signals
from tests.signals.building import (
    GRID,
    long_pairs,
    made_levels,
    numbers,
    pair_of,
    pairs,
    ranks,
    rules,
    second_spells,
    series,
    walks,
)

from alphaoverlay.errors import SpanError, StudyError
from alphaoverlay.history import FloatArray
from alphaoverlay.signals import _kernels
from alphaoverlay.signals.relative_value import FEWEST, Pair
from alphaoverlay.signals.tactical import REASONS, Confirmation, TacticalRule, follow_signal

NAN = math.nan
CONFIRMATIONS: list[Confirmation] = ["none", "trend", "momentum"]
Decided = tuple[list[float], list[second_signals.Spell]]
SECOND_WORDS = {"exit": "exit", "profit target": "profit_target", "stop": "stop", "time limit": "time_limit"}


def decide(
    rule: TacticalRule,
    percentile: Sequence[float] | FloatArray,
    long: Sequence[float] | FloatArray | None = None,
    short: Sequence[float] | FloatArray | None = None,
    allowed: Sequence[bool] | None = None,
) -> Decided:
    """Sizes and spells of percentiles, in the words of the second implementation; levels stand still unless given."""
    n = len(percentile)
    a = np.ones(n) if long is None else np.array(long, dtype=np.float64)
    b = np.ones(n) if short is None else np.array(short, dtype=np.float64)
    sizes, found = np.empty(n), np.empty((n, 3), dtype=np.int64)
    may = np.ones(n, dtype=np.bool_) if allowed is None else np.array(allowed, dtype=np.bool_)
    number = _kernels.trade_signal(np.array(percentile, dtype=np.float64), a, b, may, rule.compile(), sizes, found)
    said = [
        (entry, None if leave < 0 else leave, None if leave < 0 else SECOND_WORDS[REASONS[why]])
        for entry, leave, why in found[:number].tolist()
    ]
    return sizes.tolist(), said


def second_decides(
    rule: TacticalRule,
    percentile: Sequence[float] | FloatArray,
    long: Sequence[float] | FloatArray,
    short: Sequence[float] | FloatArray,
    allowed: Sequence[bool] | None = None,
) -> Decided:
    """The same by the second implementation."""
    return second_spells(rule, percentile, long, short, allowed)


@st.composite
def situations(draw: st.DrawFn) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Percentiles on the grid and two legs, unrelated."""
    pair = draw(pairs(1, 60, ["walk", "coarse", "jumps"]))
    return draw(ranks(len(pair.long))), *pair.arrays


# --- by hand ---


def test_it_is_on_from_the_entry_until_the_exit() -> None:
    sizes, found = decide(TacticalRule(), [NAN, 0.06, 0.05, 0.2, 0.49, 0.5, 0.04, 0.9, 0.3])
    assert sizes == [0, 0, 1, 1, 1, 0, 1, 0, 0]
    assert found == [(2, 5, "exit"), (6, 7, "exit")]


def test_it_is_on_from_the_entry_until_the_exit_where_a_high_spread_is_bought() -> None:
    sizes, found = decide(TacticalRule(enter=0.95, exit=0.5), [NAN, 0.94, 0.95, 0.8, 0.51, 0.5, 0.96, 0.1, 0.7])
    assert sizes == [0, 0, 1, 1, 1, 0, 1, 0, 0]
    assert found == [(2, 5, "exit"), (6, 7, "exit")]


def test_an_entry_at_the_last_close_is_open() -> None:
    assert decide(TacticalRule(), [0.5, 0.0]) == ([0, 1], [(1, None, None)])


def test_an_exit_may_be_as_near_as_the_next_session() -> None:
    assert decide(TacticalRule(enter=0.5, exit=0.75), [0.5, 0.75, 0.5, 1.0]) == (
        [1, 0, 1, 0],
        [(0, 1, "exit"), (2, 3, "exit")],
    )


def test_unknown_percentiles_turn_nothing_on_and_nothing_off() -> None:
    assert decide(TacticalRule(), [NAN, NAN, 0.0, NAN, NAN, 0.6, NAN]) == ([0, 0, 1, 1, 1, 0, 0], [(2, 5, "exit")])


def test_while_the_percentile_is_unknown_a_stop_still_works() -> None:
    found = decide(TacticalRule(stop=0.5), [0.0, NAN, NAN], [1.0, 0.75, 0.5])
    assert found == ([1, 1, 0], [(0, 2, "stop")])


def test_the_profit_target_is_met_at_equality() -> None:
    # 1.25/1 - 1/1
    assert decide(TacticalRule(profit_target=0.25), [0.0, 0.0, 0.3], [1, 1.125, 1.25]) == (
        [1, 1, 0],
        [(0, 2, "profit_target")],
    )


def test_a_gain_is_that_of_the_spread_since_the_entry_close() -> None:
    # At close 2: 3/2 - 1.5/1 = 0. At close 3: 3/2 - 1 = 0.5. The gain since close 0 would have been 3 - 1.
    assert decide(TacticalRule(profit_target=0.5), [0.9, 0.0, 0.1, 0.1], [1, 2, 3, 3], [1, 1, 1.5, 1]) == (
        [0, 1, 1, 0],
        [(1, 3, "profit_target")],
    )


def test_the_stop_is_met_at_equality() -> None:
    assert decide(TacticalRule(stop=0.25), [0.0, 0.0, 0.3], [1, 0.875, 0.75]) == ([1, 1, 0], [(0, 2, "stop")])


def test_the_time_limit_counts_from_the_entry() -> None:
    # Turned on again at once, as nothing says to wait.
    assert decide(TacticalRule(time_limit=3), [0.0] * 9) == (
        [1, 1, 1, 0, 1, 1, 1, 0, 1],
        [(0, 3, "time_limit"), (4, 7, "time_limit"), (8, None, None)],
    )


def test_after_an_exit_the_cooldown_is_waited_for() -> None:
    # Off at 2: on again at 2 + 1 + 2 at the earliest.
    assert decide(TacticalRule(time_limit=2, cooldown=2), [0.0] * 9) == (
        [1, 1, 0, 0, 0, 1, 1, 0, 0],
        [(0, 2, "time_limit"), (5, 7, "time_limit")],
    )


def test_after_the_cooldown_the_next_entry_is_the_next_low_percentile() -> None:
    assert decide(TacticalRule(cooldown=1), [0.0, 0.5, 0.0, 0.3, 0.0])[1] == [(0, 1, "exit"), (4, None, None)]


@pytest.mark.parametrize(
    ("exit_level", "profit", "limit", "reason"),
    [(0.5, 0.5, 1, "exit"), (0.9, 0.5, 1, "profit_target"), (0.9, 0.6, 1, "time_limit"), (0.9, 0.6, 2, None)],
)
def test_of_several_reasons_to_leave_the_first_in_order_is_told(
    exit_level: float, profit: float, limit: int, reason: str | None
) -> None:
    rule = TacticalRule(exit=exit_level, profit_target=profit, stop=0.1, time_limit=limit)
    assert decide(rule, [0.0, 0.5], [1.0, 1.5])[1] == [(0, None if reason is None else 1, reason)]


@pytest.mark.parametrize(
    ("exit_level", "stop", "reason"), [(0.5, 0.5, "exit"), (0.9, 0.5, "stop"), (0.9, 0.6, "time_limit")]
)
def test_a_stop_comes_after_the_exit_and_before_the_time_limit(exit_level: float, stop: float, reason: str) -> None:
    rule = TacticalRule(exit=exit_level, profit_target=0.1, stop=stop, time_limit=1)
    assert decide(rule, [0.0, 0.5], [1.0, 0.5])[1] == [(0, 1, reason)]


def test_steps_by_hand() -> None:
    rule = TacticalRule(enter=0.05, exit=0.5, steps=((0.05, 0.25), (0.02, 0.5), (0.01, 1.0)))
    sizes, found = decide(rule, [0.1, 0.04, 0.02, 0.05, 0.3, 0.0, 0.4, 0.5, 0.01, 0.015, 0.6])
    assert sizes == [0, 0.25, 0.5, 0.5, 0.5, 1, 1, 0, 1, 1, 0]
    assert found == [(1, 7, "exit"), (8, 10, "exit")]
    assert rule.sizes == (0, 0.25, 0.5, 1.0)


def test_steps_of_a_high_spread_by_hand() -> None:
    rule = TacticalRule(enter=0.95, exit=0.5, steps=((0.95, 0.25), (0.98, 1.5)))
    assert decide(rule, [0.96, 0.98, 0.6, 0.5, 0.99])[0] == [0.25, 1.5, 1.5, 0, 1.5]


@pytest.mark.parametrize("sizes", [(1.0, 0.5), (0.5, 0.5), (0.0, 1.0)])
def test_a_deeper_step_must_be_larger(sizes: tuple[float, float]) -> None:
    rule = TacticalRule(enter=0.05, exit=0.5, steps=((0.05, sizes[0]), (0.01, sizes[1])))
    with pytest.raises(StudyError, match="each deeper one is larger, from above 0"):
        rule.compile()


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 0},
        {"lookback": 251},
        {"time_limit": 0},
        {"enter": float("nan")},
        {"exit": float("inf")},
        {"rest": -0.5},
        {"cooldown": -1},
        {"profit_target": 0.0},
        {"stop": -0.1},
    ],
)
def test_a_number_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    [name] = wrong
    with pytest.raises(StudyError, match=f"{name} = "):
        replace(TacticalRule(), **wrong).compile()


def test_off_is_rest_even_where_that_is_more() -> None:
    rule = TacticalRule(steps=((0.05, 0.25),), rest=0.5)
    assert decide(rule, [NAN, 0.05, 0.2, 0.5])[0] == [0.5, 0.25, 0.25, 0.5]
    assert rule.sizes == (0.25, 0.5)


def test_a_confirmation_is_asked_for_on_entry_only() -> None:
    may = [False, True, False, False, False, True]
    assert decide(TacticalRule(), [0.0, 0.0, 0.0, 0.5, 0.0, 0.1], allowed=may) == (
        [0, 1, 1, 0, 0, 0],
        [(1, 3, "exit")],
    )


def test_trend_and_momentum_of_small_spans_by_hand() -> None:
    long, short = np.array([4.0, 2.0, 3.0, 4.0, 4.0]), np.ones(5)
    may = np.zeros(5, dtype=np.bool_)
    _kernels.confirmed(long, short, 1, 2, may)  # above the mean of the last two: 2 < 3, 3 > 2.5, 4 > 3.5, 4 = 4
    assert may.tolist() == [False, False, True, True, False]
    _kernels.confirmed(long, short, 2, 2, may)  # against two before: 3 < 4, 4 > 2, 4 > 3
    assert may.tolist() == [False, False, False, True, True]
    _kernels.confirmed(long, short, 0, 0, may)
    assert may.all()


@pytest.mark.parametrize("scale", [1.1, 7.0])
def test_what_has_no_trend_confirms_nothing(scale: float) -> None:
    short = made_levels(np.random.default_rng(1), 600, "walk")
    may = np.zeros(600, dtype=np.bool_)
    _kernels.confirmed(np.full(600, 1 / scale), np.ones(600), 1, 200, may)
    assert not may.any()
    _kernels.confirmed(short / scale, short, 1, 200, may)
    assert not may.any()


@pytest.mark.parametrize(
    ("rule", "match"),
    [
        (TacticalRule(enter=0.5, exit=0.5), "enter and exit are both 0.5"),
        (TacticalRule(steps=((0.1, 1.0),)), "steps at 0.1: write the entry, 0.05, first"),
        (TacticalRule(steps=((0.05, 1.0), (0.05, 2.0))), "lower than the one before"),
        (TacticalRule(steps=((0.05, 1.0), (0.06, 2.0))), "lower than the one before"),
        (TacticalRule(enter=0.95, steps=((0.95, 1.0), (0.9, 2.0))), "higher than the one before"),
    ],
)
def test_rules_that_make_no_sense_are_refused(rule: TacticalRule, match: str) -> None:
    with pytest.raises(StudyError, match=match):
        rule.compile()


def test_too_short_a_history_is_refused() -> None:
    with pytest.raises(SpanError, match="window of 756 needs 757"):
        follow_signal(walks(0, 756), TacticalRule())


# --- against the second implementation ---


@given(rules(), situations())
def test_sizes_and_spells_against_the_second_implementation(
    rule: TacticalRule, situation: tuple[FloatArray, FloatArray, FloatArray]
) -> None:
    assert decide(rule, *situation) == second_decides(rule, *situation)


@given(rules(), situations(), st.data())
def test_confirmed_entries_against_the_second_implementation(
    rule: TacticalRule, situation: tuple[FloatArray, FloatArray, FloatArray], data: st.DataObject
) -> None:
    n = len(situation[0])
    may = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    assert decide(rule, *situation, may) == second_decides(rule, *situation, may)


@given(
    long_pairs(["walk", "jumps", "coarse"]),
    rules(),
    st.sampled_from([None, FEWEST, 260]),
    st.sampled_from(CONFIRMATIONS),
)
def test_from_levels_to_sizes_against_the_second_implementation(
    pair: Pair, rule: TacticalRule, lookback: int | None, confirm: Confirmation
) -> None:
    rule = replace(rule, lookback=lookback, confirm=confirm)
    found = follow_signal(pair, rule)
    long, short = pair.long.tolist(), pair.short.tolist()
    gap = second_signals.relative_value(long, short, rule.window)["difference"]
    ranked = second_signals.percentile(gap, lookback)
    measured = second_signals.measures(long, short, [0.0] * len(long))
    asked = {"trend": measured["trend_ratio"], "momentum": measured["momentum"]}.get(confirm)
    may = None if asked is None else [one > 0.0 for one in asked]
    sizes, spells = second_decides(rule, ranked, long, short, may)
    assert numbers(found.difference).tolist() == pytest.approx(gap, rel=1e-9, nan_ok=True)
    assert numbers(found.percentile).tolist() == pytest.approx(ranked, rel=1e-9, nan_ok=True)
    assert found.size.tolist() == sizes
    assert [
        (one.entry, one.exit, None if one.reason is None else SECOND_WORDS[one.reason]) for one in found.spells
    ] == spells
    assert found.on == (bool(spells) and spells[-1][1] is None)


# --- laws ---


@given(long_pairs(), rules(), st.sampled_from([None, FEWEST]), st.integers(6, 360))
def test_cutting_the_history_changes_no_earlier_size(
    pair: Pair, rule: TacticalRule, lookback: int | None, cut: int
) -> None:
    cut = min(cut, len(pair.long))
    for one in (replace(rule, lookback=lookback), replace(rule, confirm="trend"), replace(rule, confirm="momentum")):
        whole = follow_signal(pair, one)
        early = follow_signal(Pair(pair.long.iloc[:cut], pair.short.iloc[:cut]), one)
        assert np.array_equal(numbers(early.size), numbers(whole.size)[:cut])
        assert np.array_equal(numbers(early.percentile), numbers(whole.percentile)[:cut], equal_nan=True)
        began = [spell for spell in whole.spells if spell.entry < cut]
        assert [spell.entry for spell in early.spells] == [spell.entry for spell in began]
        for spell, later in zip(early.spells, began, strict=True):
            known = later.exit is not None and later.exit < cut
            assert spell == (later if known else replace(later, exit=None, reason=None))


@given(rules(), situations())
def test_sizes_are_those_of_the_rule_and_grow_within_a_spell(
    rule: TacticalRule, situation: tuple[FloatArray, FloatArray, FloatArray]
) -> None:
    sizes, found = decide(rule, *situation)
    assert set(sizes) <= set(rule.sizes)
    on = np.zeros(len(sizes), dtype=bool)
    for entry, leave, _ in found:
        inside = sizes[entry:leave]
        on[entry:leave] = True
        assert inside == sorted(inside)
        assert min(inside) >= (rule.steps or ((0.0, 1.0),))[0][1]
    assert all(size == rule.rest for size, is_on in zip(sizes, on, strict=True) if not is_on)


@given(rules(), situations())
def test_spells_follow_each_other_after_the_cooldown_and_end_for_their_reason(
    rule: TacticalRule, situation: tuple[FloatArray, FloatArray, FloatArray]
) -> None:
    ranked, long, short = situation
    _, found = decide(rule, *situation)
    low = rule.enter < rule.exit
    free = 0
    for k, (entry, leave, why) in enumerate(found):
        assert entry >= free
        assert ranked[entry] <= rule.enter if low else ranked[entry] >= rule.enter
        if leave is None:
            assert k == len(found) - 1
            continue
        assert leave > entry
        free = leave + 1 + rule.cooldown
        gain = long[leave] / long[entry] - short[leave] / short[entry]
        if why == "exit":
            assert ranked[leave] >= rule.exit if low else ranked[leave] <= rule.exit
        elif why == "profit_target":
            assert rule.profit_target is not None
            assert gain >= rule.profit_target
        elif why == "stop":
            assert rule.stop is not None
            assert gain <= -rule.stop
        else:
            assert leave - entry == rule.time_limit


def mirrored(rule: TacticalRule) -> TacticalRule:
    """The rule that does at 1 - p what this one does at p."""
    steps = tuple((1.0 - at, size) for at, size in rule.steps)
    return replace(rule, enter=1.0 - rule.enter, exit=1.0 - rule.exit, steps=steps)


@given(rules(), situations())
def test_turning_percentiles_and_thresholds_round_changes_nothing(
    rule: TacticalRule, situation: tuple[FloatArray, FloatArray, FloatArray]
) -> None:
    """Of the same legs: gains are those of the long leg, whichever end is bought."""
    ranked, long, short = situation
    assert decide(mirrored(rule), 1.0 - ranked, long, short) == decide(rule, ranked, long, short)


@given(rules(), situations())
def test_with_the_legs_swapped_too_profit_and_stop_change_places(
    rule: TacticalRule, situation: tuple[FloatArray, FloatArray, FloatArray]
) -> None:
    """Sizes and spells stay; a confirmation has no such mirror."""
    ranked, long, short = situation
    other = replace(mirrored(rule), profit_target=rule.stop, stop=rule.profit_target)
    sizes, found = decide(rule, ranked, long, short)
    words = {"profit_target": "stop", "stop": "profit_target"}
    expected = [(entry, leave, words.get(why, why) if why else None) for entry, leave, why in found]
    assert decide(other, 1.0 - ranked, short, long) == (sizes, expected)


@given(long_pairs(["walk", "jumps"]), st.sampled_from(GRID[1:8]), st.sampled_from(GRID[9:16]))
def test_a_pair_and_its_mirror_are_on_together(pair: Pair, enter: float, leave: float) -> None:
    """From levels, where 1 - p is rounded: thresholds that no p of so few values meets."""
    rule = TacticalRule(window=5, enter=enter + 1e-7, exit=leave + 1e-7)
    other = follow_signal(Pair(pair.short, pair.long), mirrored(rule))
    assert follow_signal(pair, rule).spells == other.spells


@given(long_pairs(), rules(), st.integers(-20, 20), st.integers(-20, 20))
def test_the_scale_of_the_legs_changes_nothing(pair: Pair, rule: TacticalRule, long: int, short: int) -> None:
    scaled = Pair(pair.long * 2.0**long, pair.short * 2.0**short)
    for one in (rule, replace(rule, confirm="momentum"), replace(rule, confirm="trend")):
        assert follow_signal(scaled, one).spells == follow_signal(pair, one).spells


@given(rules(), situations())
def test_what_is_infinitely_far_away_is_as_not_asked_for(
    rule: TacticalRule, situation: tuple[FloatArray, FloatArray, FloatArray]
) -> None:
    plain = replace(rule, profit_target=None, stop=None, time_limit=None)
    far = replace(rule, profit_target=1e300, stop=1e300, time_limit=10**9)
    assert decide(far, *situation) == decide(plain, *situation)


def test_what_a_rule_says_has_the_dates_of_the_pair() -> None:
    pair = walks(5, 400)
    found = follow_signal(pair, TacticalRule(window=5, enter=0.2))
    for values in (found.size, found.difference, found.percentile):
        assert values.index.equals(pair.dates)
    assert (found.size.name, found.percentile.name, found.difference.name) == ("size", "percentile", "difference")
    assert found.spells


def test_percentiles_of_one_constant_never_turn_anything_on() -> None:
    found = follow_signal(pair_of(np.ones(400), np.ones(400)), TacticalRule(window=5, enter=0.5, exit=0.9))
    assert found.spells == ()
    assert not found.on
    assert found.size.equals(series(np.zeros(400), "size"))
