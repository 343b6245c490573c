"""Relative value: differences, percentiles, z-scores and extremes by hand, by a second implementation, and by law."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import second_signals
from tests.signals.building import DAYS, long_pairs, numbers, pair_of, pairs, series, walks

from alphaoverlay.errors import DataError, SpanError
from alphaoverlay.signals.relative_value import (
    FEWEST,
    TWENTY_YEARS,
    WINDOW,
    Pair,
    annualised_difference,
    difference,
    find_extremes,
    telltale,
    trailing_percentile,
    trailing_zscore,
)

LOOKBACKS = st.sampled_from([None, FEWEST, 270])
NAN = math.nan


def listed(values: pd.Series) -> list[float]:
    """The values as a list."""
    return [float(one) for one in values]


def near(found: pd.Series, expected: list[float], tolerance: float = 1e-9) -> bool:
    """Whether two series agree, undefined values included."""
    return listed(found) == pytest.approx(expected, rel=tolerance, abs=tolerance, nan_ok=True)


def identical(one: pd.Series, other: pd.Series) -> bool:
    """Bit for bit."""
    return np.array_equal(numbers(one), numbers(other), equal_nan=True)


# --- by hand ---


def test_the_windows_and_counts_of_the_method() -> None:
    assert (WINDOW, FEWEST, TWENTY_YEARS) == (756, 252, 5040)


def test_difference_by_hand() -> None:
    pair = pair_of([100, 110, 121, 110], [50, 50, 60, 75])
    # 121/100 - 60/50, 110/110 - 75/50
    assert near(difference(pair, 2), [NAN, NAN, 0.01, -0.5], 1e-15)


def test_annualised_difference_by_hand() -> None:
    """A window of half a year: returns are squared."""
    pair = pair_of([1.0] * 126 + [1.1], [1.0] * 126 + [1.2])
    assert near(annualised_difference(pair, 126), [NAN] * 126 + [1.21 - 1.44], 1e-14)


def test_telltale_by_hand() -> None:
    assert near(telltale(pair_of([100, 150, 90], [20, 40, 10])), [1.0, 0.75, 1.8], 1e-15)


def test_percentile_by_hand() -> None:
    # 3: alone. 1: lowest. 2 of 1,2,3. 2 of 1,2,2,3: (1 + 1/2)/3. 5: highest. 2 of 1,2,2,2,3,5: (1 + 2/2)/5
    assert near(trailing_percentile(series([3, 1, 2, 2, 5, 2]), fewest=1), [NAN, 0, 0.5, 0.5, 1, 0.4], 0)


def test_percentile_of_a_lookback_by_hand() -> None:
    # 3,1,2; 1,2,2: (1 + 1/2)/2; 2,2,5; 2,5,2: (0 + 1/2)/2; 5,2,2 likewise; 2,2,2
    found = trailing_percentile(series([3, 1, 2, 2, 5, 2, 2, 2]), 3, 1)
    assert near(found, [NAN, NAN, 0.5, 0.75, 1.0, 0.25, 0.25, NAN], 0)


def test_zscore_by_hand() -> None:
    # 1,2,3: mean 2, deviation 1. 1,2,3,2: mean 2. 2,2 of 3: 3,2,2 has mean 7/3 and deviation sqrt(1/3)
    assert near(trailing_zscore(series([1, 2, 3, 2]), fewest=3), [NAN, NAN, 1, 0], 1e-12)
    assert near(trailing_zscore(series([1, 2, 3, 2, 2]), 3, 1)[-1:], [-(1 / 3) / math.sqrt(1 / 3)], 1e-12)


def test_a_percentile_and_a_zscore_take_252_values() -> None:
    values = series(np.arange(300.0))
    for found in (trailing_percentile(values), trailing_zscore(values)):
        assert found.isna().sum() == 251
        assert found.iloc[251:].notna().all()


def test_a_numbered_lookback_is_filled_first() -> None:
    values = series(np.arange(400.0))
    for found in (trailing_percentile(values, 300), trailing_zscore(values, 300)):
        assert found.isna().sum() == 299


@pytest.mark.parametrize("function", [trailing_percentile, trailing_zscore])
def test_a_lookback_below_252_is_never_defined(function: object) -> None:
    assert callable(function)
    assert function(series(np.arange(400.0)), 100).isna().all()


def test_what_never_changed_has_neither_percentile_nor_zscore() -> None:
    values = series([0.1] * 300)
    assert trailing_percentile(values).isna().all()
    assert trailing_zscore(values).isna().all()
    assert trailing_percentile(values, 252).isna().all()
    assert trailing_zscore(values, 252).isna().all()


def test_what_stopped_changing_has_none_once_the_lookback_is_all_the_same() -> None:
    values = series([*np.linspace(5.0, 9.0, 100), *[0.3] * 400])
    for found in (trailing_percentile(values, 252), trailing_zscore(values, 252)):
        # The last to look back on another value is the 252nd of those after it, less one.
        assert np.flatnonzero(found.notna()).tolist() == list(range(251, 351))
    assert trailing_percentile(values).iloc[351:].notna().all()


def test_extremes_by_hand() -> None:
    values = series([NAN, 5, 1, 2, 1, 0, 3, 9, 8, 7, 4])
    lowest, highest = find_extremes(values, 2)
    # 0 on day 5 takes days 3 to 7 away; then 1 on day 2 takes days 0 to 4; then 4 on day 10; day 8 is taken by it.
    assert [(one.date, one.difference) for one in lowest] == [(DAYS[5], 0), (DAYS[2], 1), (DAYS[10], 4)]
    # 9 on day 7 takes 5 to 9; then 5 on day 1; then 4 on day 10; then 1 on day 4.
    assert [(one.date, one.difference) for one in highest] == [
        (DAYS[7], 9),
        (DAYS[1], 5),
        (DAYS[10], 4),
        (DAYS[4], 1),
    ]


def test_there_are_at_most_five_extremes_and_none_of_nothing() -> None:
    assert [len(some) for some in find_extremes(series(np.arange(100.0)), 3)] == [5, 5]
    assert find_extremes(series([NAN, NAN]), 3) == ((), ())


# --- refusals ---


@pytest.mark.parametrize("wrong", [NAN, 0.0, -1.0, math.inf, 1e60])
def test_a_level_that_is_none_is_refused_by_name_and_day(wrong: float) -> None:
    frame = pd.DataFrame({"IWM": [1.0, 2.0, 3.0], "QQQ": [1.0, wrong, wrong]}, index=DAYS[:3])
    with pytest.raises(DataError, match=f"QQQ has no usable level on {DAYS[1].date()}"):
        Pair.of(frame)


def test_the_first_column_is_the_long_leg() -> None:
    pair = Pair.of(pd.DataFrame({"IWM": [1.0, 2.0], "QQQ": [3.0, 4.0]}, index=DAYS[:2]))
    assert (pair.long.name, pair.short.name, str(pair)) == ("IWM", "QQQ", "IWM against QQQ")
    assert [leg.tolist() for leg in pair.arrays] == [[1.0, 2.0], [3.0, 4.0]]


def test_a_window_needs_one_session_more_than_it_has() -> None:
    assert difference(walks(0, 21), 20).notna().sum() == 1
    with pytest.raises(SpanError, match=r"20 common sessions .* window of 20 needs 21"):
        difference(walks(0, 20), 20)


def test_the_pair_from_a_session_on() -> None:
    later = walks(0, 50).since(20)
    assert later.dates.equals(DAYS[20:50])
    assert len(later.short) == 30


# --- against the second implementation ---


@given(pairs(2, 40), st.integers(1, 20))
def test_levels_against_the_second_implementation(pair: Pair, window: int) -> None:
    window = min(window, len(pair.long) - 1)
    other = second_signals.relative_value(pair.long.tolist(), pair.short.tolist(), window)
    assert near(difference(pair, window), other["difference"])
    assert near(annualised_difference(pair, window), other["annualised"])
    assert near(telltale(pair), other["ratio"])


@given(long_pairs(), LOOKBACKS)
def test_ranks_against_the_second_implementation(pair: Pair, lookback: int | None) -> None:
    gap = difference(pair, 5)
    assert near(trailing_percentile(gap, lookback), second_signals.percentile(gap.tolist(), lookback))
    assert near(trailing_zscore(gap, lookback), second_signals.zscore(gap.tolist(), lookback))


@given(pairs(2, 60), st.integers(1, 10), st.integers(0, 70))
def test_extremes_against_the_second_implementation(pair: Pair, window: int, apart: int) -> None:
    gap = difference(pair, min(window, len(pair.long) - 1))
    found = [[DAYS.get_loc(one.date) for one in some] for some in find_extremes(gap, apart)]
    assert found == [*second_signals.extremes(gap.tolist(), apart)]


# --- laws ---


@given(long_pairs(), LOOKBACKS, st.integers(6, 360))
def test_cutting_the_history_changes_no_earlier_value(pair: Pair, lookback: int | None, cut: int) -> None:
    cut = min(cut, len(pair.long))
    before = Pair(pair.long.iloc[:cut], pair.short.iloc[:cut])
    for function in (
        lambda one: difference(one, 5),
        lambda one: annualised_difference(one, 5),
        telltale,
        lambda one: trailing_percentile(difference(one, 5), lookback),
        lambda one: trailing_zscore(difference(one, 5), lookback),
    ):
        assert identical(function(before), function(pair).iloc[:cut])


@given(long_pairs(), LOOKBACKS)
def test_swapping_the_legs_turns_everything_round(pair: Pair, lookback: int | None) -> None:
    other = Pair(pair.short, pair.long)
    gap, turned = difference(pair, 5), difference(other, 5)
    assert identical(turned, -gap)
    assert identical(annualised_difference(other, 5), -annualised_difference(pair, 5))
    assert near(telltale(other), (1.0 / telltale(pair)).tolist(), 1e-14)
    assert near(trailing_percentile(turned, lookback), (1.0 - trailing_percentile(gap, lookback)).tolist(), 1e-15)
    assert near(trailing_zscore(turned, lookback), (-trailing_zscore(gap, lookback)).tolist())


@given(long_pairs(), st.integers(-30, 30), st.integers(-30, 30))
def test_scaling_a_leg_by_a_power_of_two_changes_no_bit(pair: Pair, long: int, short: int) -> None:
    scaled = Pair(pair.long * 2.0**long, pair.short * 2.0**short)
    assert identical(difference(scaled, 5), difference(pair, 5))
    assert identical(annualised_difference(scaled, 5), annualised_difference(pair, 5))
    assert identical(telltale(scaled), telltale(pair))


@given(pairs(2, 60), st.floats(1e-3, 1e3))
def test_scaling_a_leg_changes_nothing(pair: Pair, scale: float) -> None:
    scaled = Pair(pair.long * scale, pair.short)
    window = min(5, len(pair.long) - 1)
    assert near(difference(scaled, window), difference(pair, window).tolist(), 1e-13)
    assert near(telltale(scaled), telltale(pair).tolist(), 1e-13)


@given(long_pairs(["walk", "jumps"]), LOOKBACKS)
def test_percentiles_lie_between_the_lowest_at_0_and_the_highest_at_1(pair: Pair, lookback: int | None) -> None:
    gap = difference(pair, 5)
    ranked = trailing_percentile(gap, lookback)
    known = numbers(ranked)[~np.isnan(numbers(ranked))]
    assert ((known >= 0.0) & (known <= 1.0)).all()
    for t in np.flatnonzero(ranked.notna()):
        seen = gap.iloc[0 if lookback is None else t - lookback + 1 : t + 1].dropna()
        alone = (seen == gap.iloc[t]).sum() == 1
        if alone:
            assert (ranked.iloc[t] == 0.0) == (gap.iloc[t] == seen.min())
            assert (ranked.iloc[t] == 1.0) == (gap.iloc[t] == seen.max())


@given(st.integers(0, 2**32))
def test_a_percentile_sees_the_order_only(seed: int) -> None:
    values = series(np.random.default_rng(seed).integers(-20, 20, 300))
    assert identical(trailing_percentile(values), trailing_percentile(values**3 + 7.0))
    assert near(trailing_zscore(values), trailing_zscore(4.0 * values + 7.0).tolist())


@given(pairs(30, 60), st.integers(0, 20))
def test_extremes_are_apart_and_in_order(pair: Pair, apart: int) -> None:
    gap = difference(pair, 5)
    for some, sign in zip(find_extremes(gap, apart), (1, -1), strict=True):
        values = [sign * one.difference for one in some]
        assert values == sorted(values)
        assert values[0] == (sign * gap).min()
        places = sorted(int(gap.index.searchsorted(one.date)) for one in some)
        assert all(b - a > apart for a, b in pairwise(places))
