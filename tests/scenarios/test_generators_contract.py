"""What every generator of paths promises, whichever it is."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from tests.scenarios.building import garch_days, joint

from alphaoverlay.history import FloatArray
from alphaoverlay.scenarios.generators import GENERATORS, make_generator
from alphaoverlay.scenarios.joint_days import JointDays
from alphaoverlay.scenarios.paths import Generator, Paths

KEYS = sorted(GENERATORS)


@cache
def fitted(key: str) -> Generator:
    """A generator fitted to the same history as the others."""
    return make_generator(key, joint(garch_days(900)))


def returns(paths: Paths) -> FloatArray:
    """Simple returns, shape (paths, sessions, K)."""
    return np.asarray(paths.table[paths.rows])


@pytest.mark.parametrize("key", KEYS)
def test_paths_have_their_shapes_and_kinds(key: str) -> None:
    generator = fitted(key)
    table, rows, _ = generator.draw(1, 0, 5, 40)
    assert generator.key == key
    assert generator.names == ("BROAD", "SMALL", "TECH")
    assert rows.shape == (5, 40)
    assert rows.dtype == np.int32
    assert table.dtype == np.float64
    assert table.shape[1] == 3
    assert rows.flags.c_contiguous
    assert table.flags.c_contiguous
    assert rows.min() >= 0
    assert rows.max() < len(table)
    assert np.isfinite(table).all()
    assert (table > -1.0).all()


@pytest.mark.parametrize("key", KEYS)
def test_a_path_is_the_same_whichever_others_are_drawn_and_in_whatever_order(key: str) -> None:
    generator = fitted(key)
    all_of_them = returns(generator.draw(7, 0, 9, 90))
    for first, count in ((8, 1), (3, 5), (0, 2)):
        assert np.array_equal(returns(generator.draw(7, first, count, 90)), all_of_them[first : first + count])


@pytest.mark.parametrize("key", KEYS)
def test_a_longer_path_begins_as_a_shorter_one(key: str) -> None:
    generator = fitted(key)
    assert np.array_equal(returns(generator.draw(7, 2, 3, 300))[:, :41], returns(generator.draw(7, 2, 3, 41)))


@pytest.mark.parametrize("key", KEYS)
def test_seeds_and_paths_differ(key: str) -> None:
    generator = fitted(key)
    drawn = [returns(generator.draw(seed, 0, 4, 60)) for seed in (0, 1, 1 << 32, (1 << 64) - 1)]
    every = np.concatenate(drawn).reshape(16, -1)
    assert len(np.unique(every, axis=0)) == 16


@pytest.mark.parametrize("key", KEYS)
def test_paths_far_out_are_paths_too(key: str) -> None:
    generator = fitted(key)
    near, far = (returns(generator.draw(1, first, 1, 60)) for first in (5, 5 + (1 << 32)))
    assert not np.array_equal(near, far)


@pytest.mark.parametrize("key", KEYS)
def test_threads_draw_what_one_would(key: str) -> None:
    generator = fitted(key)
    expected = returns(generator.draw(3, 0, 64, 200))
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda first: returns(generator.draw(3, first, 4, 200)), range(0, 64, 4)))
    assert np.array_equal(np.concatenate(parts), expected)


@pytest.mark.parametrize("key", KEYS)
def test_the_same_history_gives_the_same_generator(key: str) -> None:
    again = make_generator(key, joint(garch_days(900)))
    assert again.facts() == fitted(key).facts()
    assert np.array_equal(returns(again.draw(2, 0, 2, 50)), returns(fitted(key).draw(2, 0, 2, 50)))


@pytest.mark.parametrize("key", KEYS)
def test_facts_can_be_written_as_json(key: str) -> None:
    import json

    facts = fitted(key).facts()
    assert facts
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert all(isinstance(value, float | int | str) for value in facts.values())


@pytest.mark.parametrize("key", KEYS)
def test_an_index_that_stands_still_and_one_that_is_another_do_no_harm(key: str) -> None:
    days = garch_days(300)
    odd = np.column_stack([days[:, 0], np.zeros(300), days[:, 0]])
    drawn = returns(make_generator(key, joint(odd)).draw(1, 0, 20, 100))
    assert np.abs(drawn[:, :, 1]).max() == 0.0
    np.testing.assert_allclose(drawn[:, :, 2], drawn[:, :, 0], rtol=0.0, atol=1e-12)
    assert drawn[:, :, 0].std() > 0.002


@pytest.mark.parametrize("key", KEYS)
def test_one_index_alone_is_enough(key: str) -> None:
    days = joint(garch_days(300)).only(("TECH",))
    assert returns(make_generator(key, days).draw(1, 0, 2, 30)).shape == (2, 30, 1)


def test_days_that_never_move_are_drawn_or_refused() -> None:
    from alphaoverlay.errors import DataError

    still = JointDays(("STILL",), joint(garch_days(100)).dates, np.zeros((100, 1)))
    for key in ("bootstrap", "fhs", "t"):
        assert np.abs(returns(make_generator(key, still).draw(1, 0, 3, 20))).max() == 0.0
    with pytest.raises(DataError, match="none of STILL moves"):
        make_generator("regimes", still)


def test_importing_a_generator_loads_nothing_heavy() -> None:
    code = "import sys, alphaoverlay.scenarios.generators; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"numba", "scipy", "arch", "plotly", "pydantic"}.isdisjoint(loaded)
