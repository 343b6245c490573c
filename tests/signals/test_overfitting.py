"""What trying is worth: the deflated Sharpe ratio and cross-validation, against published numbers and naive loops."""

from __future__ import annotations

import math
import tracemalloc
from itertools import combinations
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import second_signals

from alphaoverlay.errors import DataError
from alphaoverlay.history import FloatArray
from alphaoverlay.signals.overfitting import (
    cross_validate,
    daily_sharpe,
    deflate_sharpe,
    expected_best_sharpe,
    probability_above,
)


def noise(seed: int, sessions: int, trials: int) -> FloatArray:
    """Returns of trials without skill."""
    return np.random.default_rng(seed).standard_normal((sessions, trials)) * 0.01


@st.composite
def tables(draw: st.DrawFn) -> FloatArray:
    """Daily returns: noise, trials that are copies of others, that never move; at most one that stands still for long.

    Two that moved once in a half have equal ratios there whatever they earned, which no floating point shows.
    """
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    table = random.standard_normal((draw(st.integers(12, 60)), draw(st.integers(2, 7)))) * 0.01
    table[: draw(st.integers(0, len(table))), -1] = 0.0
    for column in range(table.shape[1] - 1):
        kind = draw(st.sampled_from(["noise", "noise", "still", "constant", "copy", "drift"]))
        if kind == "still":
            table[:, column] = 0.0
        if kind == "constant":
            table[:, column] = 0.001
        if kind == "copy":
            table[:, column] = table[:, 0]
        if kind == "drift":
            table[:, column] += 0.02
    return table


# --- the Sharpe ratio ---


def test_daily_sharpe_by_hand() -> None:
    # 1,2,3 has mean 2 and deviation 1; what does not move has none, whatever it earns.
    table = np.array([[0.01, 0.0, 0.001, -0.01], [0.02, 0.0, 0.001, 0.01], [0.03, 0.0, 0.001, 0.0]])
    assert daily_sharpe(table).tolist() == pytest.approx([2.0, 0.0, 0.0, 0.0])


@given(tables())
def test_daily_sharpe_against_the_second_implementation(table: FloatArray) -> None:
    expected = [second_signals.sharpe(column.tolist()) for column in table.T]
    assert daily_sharpe(table).tolist() == pytest.approx(expected, rel=1e-9, abs=1e-12)


# --- the deflated Sharpe ratio ---


def test_the_expected_best_of_a_hundred_trials() -> None:
    assert expected_best_sharpe(1.0, 100) == pytest.approx(2.5306028932016846, rel=1e-14)
    assert expected_best_sharpe(4.0, 100) == pytest.approx(2 * 2.5306028932016846, rel=1e-14)
    assert expected_best_sharpe(0.0, 100) == 0.0


@pytest.mark.parametrize(
    ("trials", "skew", "kurtosis", "printed"),
    [(100, -3.0, 10.0, 0.9004), (46, -3.0, 10.0, 0.9505), (88, 0.0, 3.0, 0.9505)],
)
def test_the_deflated_sharpe_of_the_paper(trials: int, skew: float, kurtosis: float, printed: float) -> None:
    """Bailey and Lopez de Prado (2014): 2.5 a year over five years of 250 days, variance 0.5 a year."""
    ratio, variance = 2.5 / math.sqrt(250), 0.5 / 250
    threshold = expected_best_sharpe(variance, trials)
    assert probability_above(ratio, threshold, 1250, skew, kurtosis) == pytest.approx(printed, abs=5e-5)
    if trials == 100:
        assert threshold == pytest.approx(0.1132, abs=5e-5)
    else:  # printed as the most trials that leave it above 95%
        one_more = expected_best_sharpe(variance, trials + 1)
        assert probability_above(ratio, one_more, 1250, skew, kurtosis) < 0.95


def test_the_expected_best_is_about_that_of_as_many_normal_draws() -> None:
    """The formula is asymptotic: within 1% at a hundred; 40,000 maxima have a standard error of 0.1%."""
    best = np.random.default_rng(0).standard_normal((40_000, 100)).max(axis=1)
    assert expected_best_sharpe(1.0, 100) == pytest.approx(float(best.mean()), rel=0.013)


@given(st.integers(0, 2**32), st.integers(3, 200), st.integers(2, 40))
def test_deflating_against_the_second_implementation(seed: int, sessions: int, count: int) -> None:
    random = np.random.default_rng(seed)
    returns = random.standard_t(5, sessions) * 0.01 + 0.001
    trials = random.standard_normal(count) * 0.05
    threshold, probability = second_signals.deflated_sharpe(returns.tolist(), trials.tolist())
    if math.isnan(probability):
        with pytest.raises(DataError, match="skewness and kurtosis"):
            deflate_sharpe(returns, trials)
        return
    found = deflate_sharpe(returns, trials)
    assert found.expected_best == pytest.approx(threshold, rel=1e-9, abs=1e-12)
    assert found.probability == pytest.approx(probability, rel=1e-9, abs=1e-9)
    assert found.sharpe == pytest.approx(second_signals.sharpe(returns.tolist()), rel=1e-9, abs=1e-12)
    assert found.trials == count


def test_more_trials_of_the_same_spread_deflate_more() -> None:
    returns = noise(1, 1000, 1)[:, 0] + 0.001
    found = [deflate_sharpe(returns, np.tile([-0.05, 0.05], k)).probability for k in (1, 3, 10, 100)]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1]


def test_one_trial_and_returns_that_stood_still_are_refused() -> None:
    with pytest.raises(DataError, match="one trial has nothing to be deflated by"):
        deflate_sharpe(noise(0, 50, 1)[:, 0], np.array([0.1]))
    with pytest.raises(DataError, match="did not move"):
        deflate_sharpe(np.full(50, 0.1), np.array([0.1, 0.2]))
    with pytest.raises(DataError, match="skewness and kurtosis do not belong together"):
        probability_above(1.0, 0.0, 100, 3.0, 3.0)


# --- cross-validation, against naive loops ---


@given(tables(), st.sampled_from([2, 4, 6]))
def test_cross_validation_against_the_second_implementation(table: FloatArray, blocks: int) -> None:
    found = cross_validate(table, blocks)
    assert found.probability == pytest.approx(second_signals.overfitting_probability(table.tolist(), blocks))
    assert len(found.logits) == math.comb(blocks, blocks // 2)
    assert (found.sessions, found.trials) == (len(table) // blocks * blocks, table.shape[1])


def test_sixteen_blocks_against_the_second_implementation() -> None:
    table = noise(3, 70, 4)
    table[:, 3] = table[:, 1]
    found = cross_validate(table)
    assert found.probability == second_signals.overfitting_probability(table.tolist())
    assert len(found.logits) == 12_870
    assert found.sessions == 64


def naive_half(table: FloatArray, best_of: list[int], judged_by: list[int], length: int) -> tuple[float, float]:
    """The logit of one half, and the ratio of its best in the other."""

    def ratios(which: list[int]) -> list[float]:
        rows = [row for block in which for row in range(block * length, (block + 1) * length)]
        return [second_signals.sharpe(table[rows, column].tolist()) for column in range(table.shape[1])]

    inside, outside = ratios(best_of), ratios(judged_by)
    paid = outside[inside.index(max(inside))]
    rank = sum(one < paid for one in outside) + (sum(one == paid for one in outside) + 1) / 2
    share = rank / (len(outside) + 1)
    return math.log(share / (1 - share)), paid


@given(st.integers(0, 2**32), st.integers(2, 6))
def test_every_logit_and_the_losses_by_naive_loops(seed: int, trials: int) -> None:
    table = noise(seed, 26, trials)
    table[:, -1] = table[:, 0]
    found = cross_validate(table, 4)
    halves = [
        naive_half(table[2:], list(half), [k for k in range(4) if k not in half], 6)
        for half in combinations(range(4), 2)
    ]
    assert found.logits.tolist() == pytest.approx([logit for logit, _ in halves], rel=1e-9, abs=1e-12)
    assert found.loss == sum(paid < 0 for _, paid in halves) / 6


ROUNDED = (
    "ratios that are equal differ by rounding: each trial is shifted by a mean of its own, and BLAS adds otherwise"
)


def test_trials_that_are_equal_in_a_half_by_hand() -> None:
    """Variants mostly are: they hold the same in most years."""
    table = np.array([[-1, -1, 5], [9, 9, -7], [6, 9, -5], [-4, 7, -1]]) / 100.0
    # The first is taken of the first two, equal in the first block. In the other it is the second of three: w is 2/4.
    # The second is the best there; in the first block it is equal to the first, above the third: w is 2.5/4.
    assert cross_validate(table, 2).logits.tolist() == pytest.approx([0.0, math.log(5 / 3)], abs=1e-12)


@given(st.integers(0, 2**32), st.integers(2, 30))
def test_trials_that_hold_the_same_for_long_against_the_second_implementation(seed: int, trials: int) -> None:
    random = np.random.default_rng(seed)
    blocks = np.tile(random.standard_normal((6, 4, 1)) * 0.01, (1, 1, trials))
    other = random.random((6, trials)) < 0.2
    table = np.where(other[:, None, :], random.standard_normal((6, 4, trials)) * 0.01, blocks).reshape(24, trials)
    expected = second_signals.overfitting_probability(table.tolist(), 6)
    assert cross_validate(table, 6).probability == pytest.approx(expected)


@pytest.mark.parametrize("trials", [2, 3, 5, 8, 17, 33, 64])
def test_copies_share_the_mean_of_their_ranks_however_many(trials: int) -> None:
    table = np.repeat(noise(trials, 96, 1), trials, axis=1)
    found = cross_validate(table, 8)
    assert found.logits.tolist() == [0.0] * 70  # (N + 1)/2 of N + 1
    assert found.probability == 1.0


def test_the_best_everywhere_is_never_overfitted_and_the_first_of_two_equal_ones_is_taken() -> None:
    table = noise(2, 160, 5)
    table[:, 2] += 0.1
    found = cross_validate(table, 8)
    assert found.probability == found.loss == 0.0
    assert found.logits.tolist() == pytest.approx([math.log(5)] * 70)  # 5/6 over 1/6


def test_what_wins_in_one_half_and_loses_in_the_other_is_overfitted_by_hand() -> None:
    """Two blocks: the first trial is best in the first, the second in the second; each is the worst in the other."""
    table = np.array([[3, 1], [4, 2], [1, 3], [2, 4]]) / 100.0
    found = cross_validate(table, 2)
    assert found.logits.tolist() == pytest.approx([math.log(1 / 2)] * 2)  # (1/3)/(2/3)
    assert (found.probability, found.loss) == (1.0, 0.0)


@given(st.integers(0, 2**32), st.integers(-20, 20))
def test_the_scale_and_the_order_of_trials_change_nothing(seed: int, power: int) -> None:
    table = noise(seed, 40, 5)
    order = np.random.default_rng(seed).permutation(5)
    found = cross_validate(table, 4)
    scaled = cross_validate(table * 2.0**power, 4)
    assert np.array_equal(found.logits, scaled.logits)
    assert cross_validate(table[:, order], 4).logits.tolist() == pytest.approx(found.logits.tolist(), abs=1e-12)


@given(st.integers(0, 2**32))
def test_the_halves_are_symmetric(seed: int) -> None:
    """Turning the blocks round turns the list of halves round, as each stands for what it leaves out."""
    table = noise(seed, 48, 4)
    turned = table.reshape(6, 8, 4)[::-1].reshape(48, 4)
    assert sorted(cross_validate(table, 6).logits) == pytest.approx(sorted(cross_validate(turned, 6).logits))


def test_sessions_that_fill_no_block_are_left_out_at_the_beginning() -> None:
    table = noise(5, 43, 3)
    found = cross_validate(table, 4)
    assert np.array_equal(found.logits, cross_validate(table[3:], 4).logits)
    assert found.sessions == 40


def test_digits_are_kept_where_the_mean_is_far_above_the_deviation() -> None:
    """Sums of squares of raw returns would leave no digit."""
    table = 1.0 + noise(6, 80, 4) * 1e-6
    found = cross_validate(table, 4)
    assert found.probability == second_signals.overfitting_probability(table.tolist(), 4)


def test_too_few_sessions_or_trials_are_refused() -> None:
    with pytest.raises(DataError, match="31 sessions do not fill 16 blocks of at least two"):
        cross_validate(noise(0, 31, 3))
    assert len(cross_validate(noise(0, 32, 3)).logits) == 12_870
    with pytest.raises(DataError, match="one trial leaves nothing to choose"):
        cross_validate(noise(0, 100, 1))


def test_a_wide_table_takes_little_memory() -> None:
    """All 12,870 halves of 300 trials at once would take 31 MB an array."""
    table = noise(0, 640, 300)
    tracemalloc.start()
    try:
        cross_validate(table)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6


# --- against the R package pbo ---


def r_normals(seed: int, count: int) -> list[float]:
    """What R's `set.seed(seed); rnorm(count)` gives: Mersenne twister and inversion."""
    word = seed
    for _ in range(50):
        word = (69069 * word + 1) % 2**32
    state = []
    for _ in range(625):
        word = (69069 * word + 1) % 2**32
        state.append(word)
    twister = np.random.MT19937()
    twister.state = {"bit_generator": "MT19937", "state": {"key": np.array(state[1:], dtype=np.uint32), "pos": 624}}
    uniforms = twister.random_raw(2 * count) * 2.3283064365386963e-10
    big = 134217728
    shares = (np.floor(big * uniforms[0::2]) + uniforms[1::2]) / big
    normal = NormalDist()
    return [normal.inv_cdf(float(share)) for share in shares]


def test_the_random_numbers_of_r() -> None:
    assert r_normals(42, 3) == pytest.approx([1.37095845, -0.56469817, 0.36312841], abs=5e-9)


def test_the_first_table_of_the_r_package() -> None:
    """mrbcuda/pbo: seed 852, 40 trials of 200 sessions, filled by row, four blocks, 3% a year taken off."""
    table = np.array(r_normals(852, 8000)).reshape(200, 40) - 0.03 / 252
    found = cross_validate(table, 4)
    assert found.probability == 0.5
    expected = [2.5389738711, -2.9704144656, 1.5804503756, 0.7672551527, -0.6567795364, -0.6567795364]
    assert found.logits.tolist() == pytest.approx(expected, abs=5e-11)
    assert found.loss == 0.5


def test_the_choices_in_the_first_table_of_the_r_package() -> None:
    table = (np.array(r_normals(852, 8000)).reshape(200, 40) - 0.03 / 252).reshape(4, 50, 40)
    chosen = [int(daily_sharpe(np.concatenate(table[list(half)])).argmax()) + 1 for half in combinations(range(4), 2)]
    assert chosen == [5, 12, 5, 22, 40, 11]


@pytest.mark.parametrize("blocks", [8, 4])
def test_the_second_table_of_the_r_package(blocks: int) -> None:
    """Seed 765, 100 trials of 2,400 sessions, filled by column, each without a mean: the best must turn the worst."""
    table = np.array(r_normals(765, 240_000)).reshape(100, 2400).T
    table = (table - table.mean(axis=0)) / table.std(axis=0, ddof=1) / math.sqrt(252)
    assert cross_validate(table, blocks).probability == 1.0
