"""The stationary bootstrap: reproducible, and distributed as theory and another implementation say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from arch.bootstrap import StationaryBootstrap
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from alphaoverlay.analysis.bootstrap import stationary_indices
from alphaoverlay.history import FloatArray

# Tolerances are this many standard errors: a right implementation fails one such test in 150,000 (and these draws are
# the same on every run).
ERRORS = 4.5
PATHS = 4000

Indices = NDArray[np.int64]


def many(n: int, block: float, seed: int = 7, paths: int = PATHS) -> Indices:
    """One path a row."""
    return np.stack([stationary_indices(n, block, seed, path) for path in range(paths)])


def breaks(drawn: Indices) -> Indices:
    """How often each path does not go on to the next session, the first following the last."""
    n = drawn.shape[1]
    return np.asarray((drawn[:, 1:] != (drawn[:, :-1] + 1) % n).sum(axis=1))


def z_score(values: FloatArray, expected: float) -> float:
    """Distance of a mean from what was expected, in standard errors."""
    return float((values.mean() - expected) / (values.std(ddof=1) / math.sqrt(len(values))))


# --- what it is ---


@given(st.integers(1, 300), st.floats(1.0, 100.0), st.integers(0, 2**63), st.integers(0, 2**40))
def test_positions_are_of_sessions_that_there_are(n: int, block: float, seed: int, path: int) -> None:
    drawn = stationary_indices(n, block, seed, path)
    assert drawn.dtype == np.int64
    assert drawn.shape == (n,)
    assert drawn.min() >= 0
    assert drawn.max() < n


@given(st.integers(2, 300), st.floats(1.0, 100.0), st.integers(0, 2**63), st.integers(0, 2**40))
def test_a_path_is_the_same_whenever_it_is_drawn(n: int, block: float, seed: int, path: int) -> None:
    drawn = stationary_indices(n, block, seed, path)
    stationary_indices(n, block, seed, path + 1)
    stationary_indices(n, block, seed + 1, path)
    np.random.default_rng(0).random(3)
    assert np.array_equal(stationary_indices(n, block, seed, path), drawn)


def test_paths_and_seeds_differ_and_do_not_repeat_each_other() -> None:
    drawn = {stationary_indices(40, 5, seed, path).tobytes() for seed in range(30) for path in range(30)}
    assert len(drawn) == 900


def test_a_path_does_not_begin_where_another_went_on() -> None:
    """Streams of neighbouring keys are unrelated: no path is another's, shifted."""
    starts = many(1000, 1, paths=300)
    lagged = [np.mean(starts[:-1, : 1000 - k] == starts[1:, k:]) for k in range(5)]
    assert max(lagged) < 0.0015  # one in a thousand, by chance


def test_blocks_of_one_are_independent_draws() -> None:
    drawn = many(50, 1.0)
    counts = np.bincount(drawn.ravel(), minlength=50)
    expected = drawn.size / 50
    assert np.abs(counts - expected).max() < ERRORS * math.sqrt(expected)
    # The next session follows one time in fifty.
    assert abs(z_score(breaks(drawn).astype(float), 49 * (1 - 1 / 50))) < ERRORS


def test_a_block_that_hardly_ends_goes_round_the_circle() -> None:
    for path in range(20):
        drawn = stationary_indices(30, 1e12, 1, path)
        assert drawn.tolist() == [(drawn[0] + k) % 30 for k in range(30)]


def test_blocks_go_on_past_the_last_session_at_the_first() -> None:
    drawn = many(20, 10.0)
    after_last = drawn[:, 1:][drawn[:, :-1] == 19]
    share = float((after_last == 0).mean())
    # Goes on with 0.9, and begins anew at the first one time in twenty.
    expected = 0.9 + 0.1 / 20
    assert abs(share - expected) < ERRORS * math.sqrt(expected * (1 - expected) / len(after_last))


def test_one_session_gives_itself() -> None:
    assert stationary_indices(1, 21, 0, 0).tolist() == [0]


# --- how it is distributed ---


@pytest.mark.parametrize(("n", "block"), [(200, 21.0), (50, 50.0), (120, 3.7), (30, 1.0), (10, 2.0)])
def test_breaks_come_as_often_as_theory_says(n: int, block: float) -> None:
    """Each of n - 1 sessions begins a block with 1/block, and one in n of those goes on by chance."""
    rate = (1 - 1 / n) / block
    found = breaks(many(n, block)).astype(float)
    assert abs(z_score(found, (n - 1) * rate)) < ERRORS
    # They are independent of each other: binomial.
    spread = (found - found.mean()) ** 2
    assert abs(z_score(spread, (n - 1) * rate * (1 - rate))) < ERRORS


def test_every_session_is_as_likely_at_every_place() -> None:
    drawn = many(12, 5.0, paths=12_000)
    for place in (0, 1, 5, 11):
        counts = np.bincount(drawn[:, place], minlength=12)
        assert np.abs(counts - 1000).max() < ERRORS * math.sqrt(1000 * 11 / 12)


def test_lengths_of_blocks_are_geometric() -> None:
    """The share of blocks that are longer than k, counted up to the first break after the first session."""
    drawn = many(400, 8.0, paths=6000)
    ended = drawn[:, 1:] != (drawn[:, :-1] + 1) % 400
    first = np.where(ended.any(axis=1), ended.argmax(axis=1) + 1, 400)
    goes_on = 1 - (1 - 1 / 400) / 8.0
    for k in (1, 4, 8, 20):
        expected = goes_on**k
        assert abs((first > k).mean() - expected) < ERRORS * math.sqrt(expected * (1 - expected) / 6000)


def persistent(n: int = 150, phi: float = 0.6) -> FloatArray:
    """An AR(1)."""
    shocks, found = np.random.default_rng(3).standard_normal(n), np.zeros(n)
    for t in range(1, n):
        found[t] = phi * found[t - 1] + shocks[t]
    return found


def variance_of_the_mean(values: FloatArray, block: float) -> float:
    """Politis and Romano (1994), lemma 1: exact, given the sample."""
    n, p = len(values), 1.0 / block
    centred = values - values.mean()
    total = float(centred @ centred) / n
    for lag in range(1, n):
        weight = (1 - lag / n) * (1 - p) ** lag + lag / n * (1 - p) ** (n - lag)
        total += 2 * weight * float(centred[:-lag] @ centred[lag:]) / n
    return total / n


@pytest.mark.parametrize("block", [1.0, 5.0, 21.0])
def test_the_variance_of_the_mean_of_an_ar_1_is_that_of_the_paper(block: float) -> None:
    values = persistent()
    means = values[many(150, block, paths=8000)].mean(axis=1)
    assert abs(z_score(means, float(values.mean()))) < ERRORS
    assert abs(z_score((means - values.mean()) ** 2, variance_of_the_mean(values, block))) < ERRORS


def test_persistence_makes_the_mean_less_certain() -> None:
    """So that the formula above tells block lengths apart."""
    values = persistent()
    assert variance_of_the_mean(values, 21.0) > 1.5 * variance_of_the_mean(values, 1.0)


@pytest.mark.parametrize("block", [3, 21])
def test_against_the_stationary_bootstrap_of_arch(block: int) -> None:
    """Means and extremes of paths, and their breaks, by both."""
    values = persistent()
    positions = np.arange(150)
    other = np.stack(
        [data[0][0] for data in StationaryBootstrap(block, positions, seed=11).bootstrap(PATHS)], axis=0
    ).astype(np.int64)
    own = many(150, block)
    for figure in (
        lambda drawn: values[drawn].mean(axis=1),
        lambda drawn: values[drawn].mean(axis=1) ** 2,
        lambda drawn: values[drawn].cumsum(axis=1).max(axis=1),
        lambda drawn: breaks(drawn).astype(float),
        lambda drawn: np.array([len(set(row)) for row in drawn.tolist()], dtype=float),
    ):
        one, two = figure(own), figure(other)
        error = math.sqrt((one.var(ddof=1) + two.var(ddof=1)) / PATHS)
        assert abs(one.mean() - two.mean()) < ERRORS * error
