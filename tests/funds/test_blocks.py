"""The block bootstrap of sums: by a plain loop, by enumerating every start, and against arch's own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from arch.bootstrap import CircularBlockBootstrap
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from alphaoverlay.funds.blocks import block_sums
from alphaoverlay.history import FloatArray


def persistent(n: int, seed: int = 0) -> FloatArray:
    """Two columns of n rows: one that remembers (so blocks matter), and one that is noise."""
    random = np.random.default_rng(seed)
    values = random.normal(0.1, 1.0, (n, 2))
    for t in range(1, n):
        values[t, 0] += 0.7 * values[t - 1, 0]
    return values


def around(values: FloatArray, start: int, rows: int) -> list[float]:
    """Sums of some rows from a start on, around the circle, one by one."""
    n = len(values)
    return [math.fsum(values[(start + k) % n, j] for k in range(rows)) for j in range(values.shape[1])]


@given(
    n=st.integers(1, 40),
    columns=st.integers(1, 3),
    block=st.integers(1, 45),
    resamples=st.integers(1, 5),
    seed=st.integers(0, 2**32),
)
@example(n=12, columns=2, block=12, resamples=3, seed=0)
@example(n=12, columns=2, block=5, resamples=3, seed=0)
@example(n=12, columns=2, block=4, resamples=3, seed=0)
def test_a_plain_loop_over_the_same_starts_gives_the_same_sums(
    n: int, columns: int, block: int, resamples: int, seed: int
) -> None:
    values = np.random.default_rng(seed + 1).normal(size=(n, columns))
    length = min(block, n)
    lengths = [length] * (n // length) + ([n % length] if n % length else [])
    starts = np.random.default_rng(seed).integers(0, n, size=(resamples, len(lengths)))
    expected = [
        [
            math.fsum(parts)
            for parts in zip(*(around(values, s, m) for s, m in zip(row, lengths, strict=True)), strict=True)
        ]
        for row in starts.tolist()
    ]
    np.testing.assert_allclose(block_sums(values, block, resamples, seed), expected, rtol=0, atol=1e-12)


@given(n=st.integers(1, 400), block=st.integers(1, 500), seed=st.integers(0, 2**32))
def test_every_resample_has_as_many_rows_as_the_original(n: int, block: int, seed: int) -> None:
    assert (block_sums(np.ones((n, 1)), block, 20, seed) == n).all()


@given(n=st.integers(2, 60), block=st.integers(1, 60), seed=st.integers(0, 2**32))
def test_the_columns_of_a_row_stay_together(n: int, block: int, seed: int) -> None:
    """A column that is a line in another gives sums on that line, in every resample."""
    x = np.random.default_rng(seed).normal(size=n)
    sums = block_sums(np.column_stack([x, 3.0 * x - 0.5]), block, 20, seed)
    np.testing.assert_allclose(sums[:, 1], 3.0 * sums[:, 0] - 0.5 * n, rtol=0, atol=1e-11)


@pytest.mark.parametrize("block", [300, 301, 10_000])
def test_a_block_as_long_as_the_data_is_the_data_from_another_start(block: int) -> None:
    values = persistent(300)
    whole = [math.fsum(column) for column in values.T]
    np.testing.assert_allclose(block_sums(values, block, 50, 1), [whole] * 50, rtol=0, atol=1e-11)


def test_the_same_seed_gives_the_same_sums_and_another_seed_others() -> None:
    values = persistent(500)
    once, again, other = (block_sums(values, 60, 200, seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(once, again)
    assert not np.isin(other[:, 0], once[:, 0]).all()


def test_asking_for_more_resamples_does_not_change_the_data() -> None:
    values = persistent(100)
    before = values.copy()
    block_sums(values, 30, 10, 0)
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize(("n", "block"), [(500, 60), (480, 60), (500, 1), (500, 250)])
def test_mean_and_variance_are_those_of_all_starts(n: int, block: int) -> None:
    """Blocks are independent, each start as likely: the exact moments come from running through all starts."""
    values, resamples = persistent(n), 8000
    sums = block_sums(values, block, resamples, 3)
    whole, rest = divmod(n, block)
    for j in range(2):
        blocks = [around(values, s, block)[j] for s in range(n)]
        rests = [around(values, s, rest)[j] for s in range(n)] if rest else [0.0]
        mean = math.fsum(values[:, j])
        variance = whole * float(np.var(blocks)) + float(np.var(rests))
        assert sums[:, j].mean() == pytest.approx(mean, abs=4.0 * math.sqrt(variance / resamples))
        # The sums are near normal (or of lighter tails), so a variance is known to about sqrt(2/resamples).
        assert sums[:, j].var(ddof=1) == pytest.approx(variance, rel=4.0 * math.sqrt(2.0 / resamples))


@pytest.mark.parametrize(("n", "block"), [(500, 60), (756, 252), (900, 252)])
def test_the_distribution_is_that_of_arch(n: int, block: int) -> None:
    values, resamples = persistent(n, seed=n), 2000
    ours = block_sums(values, block, resamples, 0)
    theirs = CircularBlockBootstrap(block, values, seed=1).apply(lambda rows: rows.sum(axis=0), resamples)
    for j in range(2):
        spread = math.hypot(ours[:, j].std(), theirs[:, j].std()) / math.sqrt(resamples)
        assert ours[:, j].mean() == pytest.approx(theirs[:, j].mean(), abs=4.0 * spread)
        assert ours[:, j].var() == pytest.approx(theirs[:, j].var(), rel=4.0 * math.sqrt(4.0 / resamples))
        assert ks_2samp(ours[:, j], theirs[:, j]).pvalue > 0.001
    correlations = [float(np.corrcoef(sums[:, 0], sums[:, 1])[0, 1]) for sums in (ours, theirs)]
    assert correlations[0] == pytest.approx(correlations[1], abs=4.0 * math.sqrt(2.0 / resamples))


def test_the_distribution_differs_where_the_blocks_do() -> None:
    """The comparison with arch would see a wrong block length."""
    values = persistent(500, seed=500)
    theirs = CircularBlockBootstrap(60, values, seed=1).apply(lambda rows: rows.sum(axis=0), 2000)
    assert ks_2samp(block_sums(values, 1, 2000, 0)[:, 0], theirs[:, 0]).pvalue < 0.001
