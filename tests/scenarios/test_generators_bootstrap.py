"""The stationary bootstrap: rotations, independence, the law of the blocks' lengths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from tests.scenarios.building import garch_days, joint

from alphaoverlay.scenarios.block_length import block_length
from alphaoverlay.scenarios.paths import Rows
from alphaoverlay.scenarios.resampled_days import ResampledDays, geometric_lengths

T = 500
DAYS = joint(garch_days(T))
# A right generator is refused once in a million such tests; seeds are fixed, so the outcome never changes.
CHANCE = 1e-6


def drawn(block: float, count: int, sessions: int, seed: int = 9) -> Rows:
    """Days of paths."""
    return ResampledDays.fit(DAYS, block=block).draw(seed, 0, count, sessions).rows


@pytest.mark.parametrize("block", [math.inf, 1e15])
def test_blocks_that_never_end_make_rotations(block: float) -> None:
    rows = drawn(block, 50, 2 * T + 37)
    assert np.array_equal(rows, (rows[:, :1] + np.arange(2 * T + 37)) % T)
    assert len(np.unique(rows[:, 0])) > 40
    generator = ResampledDays.fit(DAYS, block=math.inf)
    table, whole, _ = generator.draw(9, 0, 3, T)
    for row in whole:
        start = int(row[0])
        assert np.array_equal(table[row], np.concatenate([DAYS.returns[start:], DAYS.returns[:start]]))
    assert generator.facts()["block_length"] == "endless"


def test_blocks_of_one_session_are_independent_days() -> None:
    rows = drawn(1.0, 400, 1000)
    counts = np.bincount(rows.ravel(), minlength=T)
    assert stats.chisquare(counts).pvalue > CHANCE
    steps = np.bincount(((rows[:, 1:] - rows[:, :-1]) % T).ravel(), minlength=T)
    assert stats.chisquare(steps).pvalue > CHANCE


@pytest.mark.parametrize("block", [1.5, 3.0, 20.0, 151.7, 900.0])
def test_blocks_have_the_stated_length(block: float) -> None:
    """A session begins a block with the chance 1/b, and goes on by chance from one in T of those."""
    count, sessions = 2000, 500
    rows = drawn(block, count, sessions)
    breaks = (rows[:, 1:] - rows[:, :-1]) % T != 1
    chance = (1.0 - 1.0 / T) / block
    error = math.sqrt(chance * (1.0 - chance) / breaks.size)
    assert abs(breaks.mean() - chance) < 5.0 * error
    # Blocks have no memory: breaks follow each other as often as chance has it.
    twice = (breaks[:, 1:] & breaks[:, :-1]).mean()
    assert abs(twice - chance**2) < 5.0 * math.sqrt(chance**2 / breaks.size) * math.sqrt(1.0 + 2.0 * chance)


@pytest.mark.parametrize("block", [2.0, 12.5, 600.0, 5000.0])
def test_the_table_inverts_the_geometric_law(block: float) -> None:
    survival, guide = geometric_lengths(block)
    expected = (1.0 - 1.0 / block) ** np.arange(len(survival))
    np.testing.assert_allclose(survival / 2.0**32, expected, atol=2.0**-32)
    words = np.random.default_rng(1).integers(0, 2**32, 20_000)
    words[:4] = [0, 2**32 - 1, survival[1], survival[1] - 1]
    for word in words:
        least = guide[word >> 20]
        # All shorter lengths are for larger words: the guide skips none that could be meant.
        assert all(word < survival[k] for k in range(max(1, least - 2), least))


def test_every_day_is_as_likely_as_any_other() -> None:
    rows = drawn(20.0, 20_000, 20)
    for session in (0, 7, 19):
        assert stats.chisquare(np.bincount(rows[:, session], minlength=T)).pvalue > CHANCE


def test_paths_do_not_depend_on_each_other() -> None:
    rows = drawn(20.0, 20_001, 10)
    pairs = np.histogram2d(rows[:-1, 4], rows[1:, 4], bins=10)[0]
    assert stats.chi2_contingency(pairs).pvalue > CHANCE


def test_the_length_is_automatic_unless_it_is_stated() -> None:
    assert ResampledDays.fit(DAYS).block == block_length(DAYS).sessions
    facts = ResampledDays.fit(DAYS, block=12.0).facts()
    assert facts == {"block_length": 12.0, "days": T}
