"""Corrections: by hand, by a second implementation, and without a look at what comes after."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import second_signals
from tests.signals.building import DAYS, made_levels, numbers, series

from alphaoverlay.signals.correction import BEAR, CORRECTION, Correction, find_corrections

# Coarse enough to meet 90, 80 and the peak again exactly.
COARSE = st.lists(st.sampled_from([40, 60, 72, 79, 80, 81, 89, 90, 91, 95, 99, 100, 101, 120]), min_size=1, max_size=40)


@st.composite
def histories(draw: st.DrawFn) -> list[float]:
    """Levels of any kind."""
    if draw(st.booleans()):
        return [float(one) for one in draw(COARSE)]
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["walk", "coarse", "quiet", "constant", "jumps"]))
    return [float(one) for one in made_levels(random, draw(st.integers(1, 400)), kind)]


def words(levels: list[float]) -> list[str]:
    """The state on each day."""
    return [str(one) for one in find_corrections(series(levels)).state]


def test_one_history_by_hand() -> None:
    levels = [100, 95, 100, 91, 90, 85, 80, 79, 82, 90.5, 99, 100, 97, 104, 93, 93.6, 92]
    found = find_corrections(series(levels))
    assert numbers(found.drawdown)[[1, 4, 7, 14]].tolist() == pytest.approx([-0.05, -0.1, -0.21, 93 / 104 - 1])
    assert found.state.tolist() == [
        *["none"] * 4,  # 95 and 91 are less than 10% below
        *["correction"] * 2,
        *["bear"] * 2,  # 80 is 20% below
        "correction",  # 82
        *["recovering"] * 2,
        *["recovered"] * 3,  # at the peak, a little below it, above it
        *["correction", "correction", "correction"],  # 93.6 is 10% below 104
    ]
    # The last close at the peak of 100 is that of day 2.
    first = Correction(DAYS[2], DAYS[4], DAYS[6], DAYS[7], 79 / 100 - 1, DAYS[11])
    assert found.episodes[0] == replace(first, depth=found.episodes[0].depth)
    assert found.episodes[0].depth == pytest.approx(-0.21)
    second = found.episodes[1]
    assert second == Correction(DAYS[13], DAYS[14], None, DAYS[16], second.depth, None)
    assert second.depth == pytest.approx(92 / 104 - 1)
    assert found.peak == DAYS[13]


def test_ten_and_twenty_below_a_hundred_count_whatever_binary_numbers_say() -> None:
    assert 90 / 100 - 1 > -0.1 or 80 / 100 - 1 > -0.2  # so that it is no idle precaution
    for peak in (1.0, 3.0, 7.0, 100.0, 1234.56, 1e-9, 1e9):
        assert words([peak, peak * 0.9, peak * 0.8]) == ["none", "correction", "bear"]
        assert words([peak, peak * 0.9001, peak * 0.89, peak * 0.8001]) == ["none", "none", "correction", "correction"]
    assert max(abs(CORRECTION + 0.1), abs(BEAR + 0.2)) < 1e-11


def test_a_crash_in_one_session_begins_a_correction_and_a_bear_market_at_once() -> None:
    one = find_corrections(series([100, 70, 60, 100])).episodes[0]
    assert (one.peak, one.began, one.bear, one.trough, one.recovered) == (DAYS[0], DAYS[1], DAYS[1], DAYS[2], DAYS[3])


def test_the_trough_is_the_first_of_the_lowest_closes() -> None:
    assert find_corrections(series([100, 85, 80, 85, 80, 90])).episodes[0].trough == DAYS[2]


def test_a_recovery_above_the_peak_in_one_leap_ends_it() -> None:
    assert words([100, 80, 130, 120, 110, 130]) == ["none", "bear", "recovered", "recovered", "correction", "recovered"]


def test_a_level_that_only_rises_or_has_one_session_has_none() -> None:
    for levels in ([100.0], [1.0, 1.0, 2.0, 2.0]):
        found = find_corrections(series(levels))
        assert found.episodes == ()
        assert set(found.state) == {"none"}
        assert found.peak == DAYS[len(levels) - 1]


@given(histories())
def test_against_the_second_implementation(levels: list[float]) -> None:
    found, other = find_corrections(series(levels)), second_signals.corrections(levels)
    places = {day: k for k, day in enumerate(DAYS[: len(levels)])}

    def place(day: pd.Timestamp | None) -> int | None:
        return None if day is None else places[day]

    assert [
        (place(one.peak), place(one.began), place(one.trough), place(one.bear), place(one.recovered))
        for one in found.episodes
    ] == [(one["peak"], one["start"], one["trough"], one["bear"], one["recovered"]) for one in other]
    assert [one.depth for one in found.episodes] == pytest.approx([one["depth"] for one in other], rel=1e-9)
    assert [str(one) for one in found.state] == second_signals.states(levels)


@given(histories(), st.integers(1, 400))
def test_cutting_the_history_changes_no_earlier_state(levels: list[float], cut: int) -> None:
    cut = min(cut, len(levels))
    whole, early = find_corrections(series(levels)), find_corrections(series(levels[:cut]))
    assert early.state.equals(whole.state.iloc[:cut])
    assert np.array_equal(numbers(early.drawdown), numbers(whole.drawdown)[:cut])
    began = [one for one in whole.episodes if one.began <= DAYS[cut - 1]]
    assert [(one.peak, one.began) for one in early.episodes] == [(one.peak, one.began) for one in began]
    # All but the last are the same to the last word; the last knows nothing of what came later.
    assert early.episodes[:-1] == tuple(began[:-1])
    for one in early.episodes[-1:]:
        ended = began[-1].recovered
        assert one.recovered == (ended if ended is not None and ended <= DAYS[cut - 1] else None)


@given(histories(), st.integers(-30, 30))
def test_the_scale_of_a_level_changes_nothing(levels: list[float], power: int) -> None:
    one, other = find_corrections(series(levels)), find_corrections(series(np.array(levels) * 2.0**power))
    assert one.episodes == other.episodes
    assert one.state.equals(other.state)


@given(histories())
def test_episodes_follow_each_other_and_their_days_are_in_order(levels: list[float]) -> None:
    found = find_corrections(series(levels))
    for one in found.episodes:
        assert one.peak < one.began <= one.trough
        assert one.depth <= CORRECTION
        assert (one.bear is not None) == (one.depth <= BEAR)
        assert one.recovered is None or one.recovered > one.trough
    for one, later in pairwise(found.episodes):
        assert one.recovered is not None
        assert one.recovered <= later.peak
    inside = {"correction", "bear", "recovering"}
    days = sum(
        len(
            DAYS[: len(levels)][
                (DAYS[: len(levels)] >= one.began) & (DAYS[: len(levels)] < (one.recovered or DAYS[-1]))
            ]
        )
        for one in found.episodes
    )
    assert int(found.state.isin(inside).sum()) == days
