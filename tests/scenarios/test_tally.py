"""Distributions over paths: exact quantiles, bins, means and standard errors, against numpy and the second opinion."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import second_scenarios as second

from alphaoverlay.history import FloatArray
from alphaoverlay.scenarios import tally
from alphaoverlay.scenarios.tally import (
    CURVE,
    FALLS,
    MULTIPLES,
    PERCENTS,
    RATES,
    SHARES,
    Bins,
    Distribution,
    Estimate,
    Tally,
    counting,
    order_statistics,
    share_of,
)

FIGURES = st.lists(st.floats(-0.999, 1.999, allow_subnormal=False), min_size=1, max_size=60)


def told(values: Sequence[float] | FloatArray, bins: Bins = RATES, chunk: int = 7) -> Distribution:
    """The distribution of values that come in chunks, the last chunk first."""
    every = np.asarray(values, dtype=np.float64)
    one = Tally.of(len(every), bins)
    for first in reversed(range(0, len(every), chunk)):
        one.put(first, every[first : first + chunk])
    return one.distribution()


def known(one: Estimate) -> float:
    assert one.value is not None
    return one.value


# --- quantiles ---


@given(FIGURES)
def test_quantiles_are_those_of_the_second_implementation_and_of_numpy(values: list[float]) -> None:
    found = told(values)
    assert found.exact
    for p in PERCENTS:
        assert found.quantiles[p].value == pytest.approx(second.quantile(values, p), rel=0, abs=1e-14)
        reach = math.sqrt(p * (1 - p) / len(values))
        told_of = p - reach >= 0 and p + reach <= 1 and len(values) > 1
        error = second.standard_error_of_quantile(values, p) if told_of else None
        known = found.quantiles[p].error
        assert known is None if error is None else known == pytest.approx(error, rel=0, abs=1e-14)
    assert found.curve == pytest.approx(np.quantile(values, np.arange(1, 100) / 100), rel=0, abs=1e-14)


@given(FIGURES)
def test_quantiles_rise_and_stay_between_the_extremes(values: list[float]) -> None:
    curve = order_statistics(np.sort(values), np.concatenate(([0.0], CURVE, [1.0])))
    assert (np.diff(curve) >= -1e-15).all()
    assert (curve[0], curve[-1]) == (min(values), max(values))


def test_quantiles_by_hand() -> None:
    """Of 0, 1, ... 100 hundredths each percentile is itself; the error of the median is half of q = 0.5/sqrt(101) up
    and down, which is q.
    """
    found = told([k / 100 for k in range(101)])
    assert {p: one.value for p, one in found.quantiles.items()} == pytest.approx({p: p for p in PERCENTS})
    assert found.quantiles[0.50].error == pytest.approx(0.5 / math.sqrt(101))
    # Of 51 values q is 0.014, so there is nothing on the lower side of the 1% to measure by.
    few = told([k / 50 for k in range(51)])
    assert few.quantiles[0.01].error is None
    assert few.quantiles[0.05].error == pytest.approx(math.sqrt(0.05 * 0.95 / 51))


def test_one_path_has_quantiles_and_no_error_of_its_mean() -> None:
    found = told([0.25])
    assert {(one.value, one.error) for one in found.quantiles.values()} == {(0.25, None)}
    assert (found.mean.value, found.mean.error) == (0.25, None)


# --- means ---


@given(FIGURES.filter(lambda values: len(values) > 1), st.integers(1, 9))
def test_means_and_their_errors_are_those_of_the_second_implementation(values: list[float], chunk: int) -> None:
    found = told(values, chunk=chunk).mean
    assert found.value == pytest.approx(math.fsum(values) / len(values), rel=0, abs=1e-14)
    # Sums of squares lose half the places where the values hardly differ.
    assert found.error == pytest.approx(second.standard_error_of_mean(values), rel=1e-6, abs=1e-7)


@given(st.permutations(range(6)))
def test_the_order_in_which_chunks_come_changes_nothing(order: list[int]) -> None:
    values = np.random.default_rng(1).normal(0.05, 0.3, 60) * 10.0 ** np.arange(60).reshape(6, 10).T.ravel()
    one, other = Tally.of(60, RATES), Tally.of(60, RATES)
    for k in range(6):
        one.put(10 * k, values[10 * k : 10 * k + 10])
    for k in order:
        other.put(10 * k, values[10 * k : 10 * k + 10])
    assert one.distribution().mean == other.distribution().mean
    assert one.distribution().quantiles == other.distribution().quantiles


def test_equal_values_have_no_error() -> None:
    found = told([0.1] * 50)
    assert found.mean.value == pytest.approx(0.1)
    assert found.mean.error == pytest.approx(0.0, abs=1e-9)
    errors = {p: one.error for p, one in found.quantiles.items()}
    assert errors == dict.fromkeys(PERCENTS, 0.0) | {0.01: None, 0.99: None}


# --- bins ---


@pytest.fixture
def few_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for the figures of no more than ten paths."""
    monkeypatch.setattr(tally, "EXACT", 10)


@pytest.mark.usefixtures("few_exact")
@pytest.mark.parametrize(
    ("values", "bins", "near"),
    [
        (np.random.default_rng(2).lognormal(0.5, 2.0, 3001), MULTIPLES, "rel"),
        (np.random.default_rng(3).normal(0.06, 0.8, 3001), RATES, "signed"),
        (-np.random.default_rng(4).beta(2, 5, 3001), FALLS, "abs"),
    ],
    ids=["multiples", "returns", "drawdowns"],
)
def test_counted_quantiles_are_within_a_bin_of_an_order_statistic(values: FloatArray, bins: Bins, near: str) -> None:
    found = told(values, bins, chunk=500)
    assert not found.exact
    ordered = np.sort(values)
    for p in PERCENTS:
        place = p * (len(values) - 1)
        low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
        value = known(found.quantiles[p])
        if near == "rel":  # half a tenth of a percent
            assert low * (1 - 5.1e-4) <= value <= high * (1 + 5.1e-4)
        elif near == "signed":  # half a hundredth of a percent of 1 and its size
            assert low - 5.1e-5 * (1 + abs(low)) <= value <= high + 5.1e-5 * (1 + abs(high))
        else:
            assert low - 5.1e-5 <= value <= high + 5.1e-5
    exact = order_statistics(ordered, CURVE)
    assert found.curve == pytest.approx(exact, rel=0.02 if near == "rel" else 0, abs=0.002)
    assert found.mean.value == pytest.approx(float(values.mean()), rel=1e-12)


@pytest.mark.usefixtures("few_exact")
def test_counted_sessions_are_whole_numbers_and_exact() -> None:
    values = np.random.default_rng(5).integers(0, 31, 2001).astype(np.float64)
    found = told(values, counting(30))
    assert not found.exact
    ordered = np.sort(values)
    for p in PERCENTS:
        assert known(found.quantiles[p]) == ordered[math.floor(p * 2000)]


@pytest.mark.usefixtures("few_exact")
def test_nothing_left_is_counted_as_nothing_and_what_is_off_the_scale_at_its_ends() -> None:
    found = told([0.0] * 60 + [2.0] * 30 + [1e9] * 10, MULTIPLES)
    assert known(found.quantiles[0.01]) == known(found.quantiles[0.50]) == 0.0
    assert known(found.quantiles[0.75]) == pytest.approx(2.0, rel=5.1e-4)
    assert known(found.quantiles[0.99]) == pytest.approx(math.exp(14), rel=1e-3)
    lost = told([-1.0] * 60 + [3.0] * 40)
    assert known(lost.quantiles[0.50]) == pytest.approx(-1.0, abs=1e-4)
    assert known(lost.quantiles[0.99]) == pytest.approx(3.0, abs=3e-4)


@pytest.mark.usefixtures("few_exact")
@pytest.mark.parametrize(("bins", "least", "most"), [(FALLS, -1.0, 0.0), (SHARES, 0.0, 1.0)])
def test_a_counted_figure_is_told_inside_its_range(bins: Bins, least: float, most: float) -> None:
    ends = told([least] * 50 + [most] * 50, bins)
    assert known(ends.quantiles[0.99]) == most
    assert least <= known(ends.quantiles[0.01]) <= least + 1e-4


def test_where_exactness_ends() -> None:
    assert tally.EXACT == 2**21
    assert Tally.of(2**21, counting(1)).counts is None
    assert Tally.of(2**21 + 1, counting(1)).values is None


@given(st.floats(1e-6, 1e6))
def test_a_multiple_lies_within_a_tenth_of_a_percent_of_the_middle_of_its_bin(value: float) -> None:
    place = MULTIPLES.place(np.array([value]))
    assert MULTIPLES.middle(place)[0] == pytest.approx(value, rel=5.1e-4)


@given(st.floats(-50.0, 1e5))
def test_a_rate_lies_within_half_a_basis_point_of_one_and_its_size_of_the_middle_of_its_bin(value: float) -> None:
    place = RATES.place(np.array([value]))
    assert RATES.middle(place)[0] == pytest.approx(value, rel=0, abs=5.01e-5 * (1 + abs(value)))


# --- standard errors ---


def repeated(draws: Iterable[FloatArray]) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Median and mean of many samples, and the errors that each states."""
    found = [told(one, chunk=4096) for one in draws]
    medians, means = [one.quantiles[0.5] for one in found], [one.mean for one in found]
    return (
        np.array([one.value for one in medians], dtype=np.float64),
        np.array([one.error for one in medians], dtype=np.float64),
        np.array([one.value for one in means], dtype=np.float64),
        np.array([one.error for one in means], dtype=np.float64),
    )


def test_the_stated_errors_are_the_spread_of_what_other_samples_find() -> None:
    """300 samples of 400. The spread of 300 estimates is itself uncertain by 1/sqrt(600) = 4.1%: 18% is more than four
    of those, so a right program fails once in twenty thousand seeds, and an error off by a fifth is found.
    """
    random = np.random.default_rng(11)
    medians, stated, means, stated_means = repeated(random.normal(0.05, 0.1, 400) for _ in range(300))
    assert medians.std(ddof=1) == pytest.approx(stated.mean(), rel=0.18)
    assert means.std(ddof=1) == pytest.approx(stated_means.mean(), rel=0.18)


# --- probabilities ---


@given(st.integers(1, 5000), st.data())
def test_shares_and_their_errors(paths: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, paths))
    found = share_of(hits, paths)
    assert found.value == hits / paths
    if 0 < hits < paths:
        assert found.error == pytest.approx(second.standard_error_of_probability(hits, paths), rel=1e-12)
        assert found.bound is None
    else:
        assert found.error is None
        bound = second.probability_bound(paths)
        assert found.bound == pytest.approx(bound if hits == 0 else 1 - bound, rel=1e-12)


def test_the_bound_is_where_seeing_nothing_has_a_chance_of_five_percent() -> None:
    """(1 - bound)^N = 0.05; for many paths that is near 3/N."""
    bound = share_of(0, 300).bound
    assert bound is not None
    assert (1 - bound) ** 300 == pytest.approx(0.05)
    assert bound == pytest.approx(3 / 300, rel=0.01)
    every = share_of(300, 300).bound
    assert every is not None
    assert every**300 == pytest.approx(0.05)
