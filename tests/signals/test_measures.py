"""Every measure: by hand, by a second implementation, and stamped when known."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import second_signals
from tests.signals.building import DAYS, long_pairs, numbers, pair_of, series, walks

from alphaoverlay.errors import SpanError
from alphaoverlay.signals.measures import MEASURES, measure_all, regime
from alphaoverlay.signals.relative_value import Pair

KEYS = [one.key for one in MEASURES]
MOVING = ["walk", "jumps", "quiet"]


def rates(seed: int, n: int) -> pd.Series:
    """A financing rate that walks."""
    return series(0.03 + 0.0001 * np.cumsum(np.random.default_rng(seed).standard_normal(n)))


def levels(returns: list[float]) -> list[float]:
    """Levels from 1 that earn these returns."""
    return [1.0, *np.cumprod(1.0 + np.array(returns)).tolist()]


def last(pair: Pair, key: str, window: int = 5, rate: pd.Series | None = None) -> float:
    """A measure on the last session."""
    return float(measure_all(pair, window, rate)[key].iloc[-1])


# --- by hand ---


def test_each_measure_is_a_column_in_order_with_its_words() -> None:
    assert list(measure_all(walks(0, 30), 5)) == KEYS
    assert len(set(KEYS)) == len({one.label for one in MEASURES}) == len(MEASURES)
    assert all(one.formula and one.unit for one in MEASURES)


def test_trend_by_hand() -> None:
    """199 closes at 1 and one at 2: the mean is 201/200."""
    pair = pair_of([9.0] * 50 + [1.0] * 199 + [2.0], [1.0] * 250)
    found = measure_all(pair, 5)
    assert found["trend"].iloc[-1] == pytest.approx(2 / (201 / 200) - 1, rel=1e-12)
    assert found["trend_long"].iloc[-1] == pytest.approx(2 / (201 / 200) - 1, rel=1e-12)
    assert found["trend"].isna().sum() == found["trend_long"].isna().sum() == 199


def test_momentum_by_hand() -> None:
    found = measure_all(pair_of([4.0, *[1.0] * 251, 5.0], [2.0, *[1.0] * 251, 3.0]), 5)["momentum"]
    assert found.isna().sum() == 252
    assert found.iloc[-1] == 5 / 4 - 3 / 2


def test_volatility_by_hand() -> None:
    """63 returns of 1% and -1% in turns: their mean is 1%/63, and their squares about it add up to 1%^2*(63 - 1/63)."""
    alternating = [0.01 if k % 2 == 0 else -0.01 for k in range(63)]
    pair = pair_of(levels(alternating), levels([0.0] * 63))
    expected = 0.01 * math.sqrt((63 - 1 / 63) / 62) * math.sqrt(252)
    assert last(pair, "volatility") == last(pair, "volatility_long") == pytest.approx(expected, rel=1e-12)
    assert measure_all(pair, 5)["volatility"].isna().sum() == 63
    twice = pair_of(levels(alternating), levels([-one for one in alternating]))
    assert last(twice, "volatility") == pytest.approx(2 * expected, rel=1e-12)
    assert last(twice, "volatility_long") == pytest.approx(expected, rel=1e-12)


def test_volatility_of_what_stood_still_after_a_storm_is_0() -> None:
    pair = pair_of(levels([0.5, -0.5] * 50 + [0.0] * 63), [1.0] * 164)
    assert last(pair, "volatility") == 0.0


def test_correlation_by_hand() -> None:
    """One leg moves with the other, against it, and on the days on which it does not."""
    beat = [0.01 if k % 2 == 0 else -0.01 for k in range(252)]
    other = [0.01 if k % 4 < 2 else -0.01 for k in range(252)]
    for second, expected in ((beat, 1.0), ([-one for one in beat], -1.0), (other, 0.0)):
        assert last(pair_of(levels(beat), levels(second)), "correlation") == pytest.approx(expected, abs=1e-12)
    assert measure_all(pair_of(levels(beat), levels(beat)), 5)["correlation"].isna().sum() == 252


def test_there_is_no_correlation_with_what_stood_still() -> None:
    beat = [0.5 if k % 2 == 0 else -0.4 for k in range(300)]
    still = [0.3] * 20 + [0.0] * 280
    assert math.isnan(last(pair_of(levels(beat), levels(still)), "correlation"))
    assert math.isnan(last(pair_of(levels(still), levels(beat)), "correlation"))


def test_the_financing_rate_is_known_a_session_later() -> None:
    rate = series([0.001 * t**2 for t in range(256)])
    found = measure_all(walks(0, 256), 5, rate)["rate_change"]
    assert found.isna().sum() == 253
    assert found.iloc[-1] == pytest.approx(0.001 * (254**2 - 2**2), rel=1e-12)


def test_without_a_rate_its_change_is_unknown() -> None:
    assert measure_all(walks(0, 400), 5)["rate_change"].isna().all()


@pytest.mark.parametrize(
    ("percentile", "name"),
    [
        (0.0, "low"),
        (0.2, "low"),
        (0.21, "normal"),
        (0.79, "normal"),
        (0.8, "high"),
        (1.0, "high"),
        (math.nan, "unknown"),
    ],
)
def test_regimes(percentile: float, name: str) -> None:
    assert regime(percentile) == name


def test_too_short_a_history_is_refused() -> None:
    with pytest.raises(SpanError, match="window of 30 needs 31"):
        measure_all(walks(0, 30), 30)


# --- against the second implementation ---


@given(long_pairs(MOVING), st.integers(0, 2**32))
def test_against_the_second_implementation(pair: Pair, seed: int) -> None:
    n = len(pair.long)
    rate = rates(seed, n)
    found = measure_all(pair, 5, rate)
    long, short = pair.long.tolist(), pair.short.tolist()
    value = second_signals.relative_value(long, short, 5)
    other = second_signals.measures(long, short, rate.tolist())
    expected = {
        "difference": value["difference"],
        "annualised": value["annualised"],
        "ratio": value["ratio"],
        "percentile_all": second_signals.percentile(value["difference"], None),
        "percentile_20y": [math.nan] * n,
        "zscore": second_signals.zscore(value["difference"], None),
        "zscore_20y": [math.nan] * n,
        "trend": other["trend_ratio"],
        "trend_long": other["trend_long"],
        "momentum": other["momentum"],
        "volatility": other["spread_volatility"],
        "volatility_long": other["long_volatility"],
        "volatility_percentile": second_signals.percentile(found["volatility"].tolist(), None),
        "correlation": other["correlation"],
        "rate_change": other["rate_change"],
    }
    assert list(expected) == KEYS
    for key, values in expected.items():
        assert found[key].tolist() == pytest.approx(values, rel=1e-9, abs=1e-9, nan_ok=True), key


def test_twenty_years_against_the_second_implementation() -> None:
    pair = walks(3, 5100)
    found = measure_all(pair, 40)
    gap = second_signals.relative_value(pair.long.tolist(), pair.short.tolist(), 40)["difference"]
    assert found["percentile_20y"].isna().sum() == found["zscore_20y"].isna().sum() == 40 + 5039
    for t in range(40 + 5039, 5100):
        seen = gap[t - 5039 : t + 1]
        below = sum(1 for one in seen if one < seen[-1])
        assert found["percentile_20y"].iloc[t] == below / 5039
        score = (seen[-1] - second_signals.mean(seen)) / second_signals.deviation(seen)
        assert found["zscore_20y"].iloc[t] == pytest.approx(score, rel=1e-9)


# --- laws ---


@given(long_pairs(), st.integers(0, 2**32), st.integers(6, 360))
def test_cutting_the_history_changes_no_earlier_value(pair: Pair, seed: int, cut: int) -> None:
    cut = min(cut, len(pair.long))
    rate = rates(seed, len(pair.long))
    whole = measure_all(pair, 5, rate).iloc[:cut]
    early = measure_all(Pair(pair.long.iloc[:cut], pair.short.iloc[:cut]), 5, rate.iloc[:cut])
    for key in KEYS:
        assert np.array_equal(numbers(whole[key]), numbers(early[key]), equal_nan=True), key


@given(st.integers(0, 2**32), st.integers(260, 1199))
def test_cutting_a_long_history_changes_no_earlier_value(seed: int, cut: int) -> None:
    """The same of the values that take two years."""
    pair, rate = walks(seed, 1200), rates(seed, 1200)
    whole = measure_all(pair, 252, rate).iloc[:cut]
    early = measure_all(Pair(pair.long.iloc[:cut], pair.short.iloc[:cut]), 252, rate.iloc[:cut])
    pd.testing.assert_frame_equal(whole, early, check_exact=True, check_freq=False)


@given(st.integers(0, 2**32))
def test_the_rate_of_a_session_changes_nothing_on_that_session(seed: int) -> None:
    """Its publication is later than the close."""
    pair, rate = walks(seed, 300), rates(seed, 300)
    other = rate.copy()
    other.iloc[-1] += 1.0
    pd.testing.assert_frame_equal(measure_all(pair, 5, rate), measure_all(pair, 5, other))


@given(long_pairs(MOVING))
def test_swapping_the_legs_turns_what_has_a_sign_and_keeps_what_has_none(pair: Pair) -> None:
    found, turned = measure_all(pair, 5), measure_all(Pair(pair.short, pair.long), 5)
    for key in ("difference", "annualised", "momentum"):
        assert np.array_equal(numbers(turned[key]), -numbers(found[key]), equal_nan=True)
    for key in ("volatility", "volatility_percentile", "correlation"):
        assert turned[key].tolist() == pytest.approx(found[key].tolist(), rel=1e-9, abs=1e-9, nan_ok=True)
    assert turned["percentile_all"].tolist() == pytest.approx((1 - found["percentile_all"]).tolist(), nan_ok=True)
    assert turned["ratio"].tolist() == pytest.approx((1 / found["ratio"]).tolist())


@given(long_pairs(), st.integers(-20, 20))
def test_scaling_a_leg_changes_no_measure(pair: Pair, power: int) -> None:
    found, scaled = measure_all(pair, 5), measure_all(Pair(pair.long * 2.0**power, pair.short), 5)
    pd.testing.assert_frame_equal(found, scaled, rtol=1e-12, atol=1e-12)


@given(long_pairs())
def test_correlations_are_such(pair: Pair) -> None:
    known = measure_all(pair, 5)["correlation"].dropna()
    assert known.between(-1 - 1e-9, 1 + 1e-9).all()


def test_a_history_from_another_day_on_has_the_same_dates() -> None:
    found = measure_all(walks(0, 400).since(100), 5, rates(0, 400))
    assert found.index.equals(DAYS[100:400])
    # The rate's own history may begin earlier than the pair's.
    assert found["rate_change"].isna().sum() == 153
