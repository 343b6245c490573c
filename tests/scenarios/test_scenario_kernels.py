"""The generators' kernels: random words against published ones, compiled against interpreted, laws of the numbers."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from tests.scenarios.building import garch_days

from alphaoverlay.engine._jit import compiled_kernels
from alphaoverlay.scenarios import _kernels
from alphaoverlay.scenarios.resampled_days import geometric_lengths

TREE = ast.parse(Path(_kernels.__file__).read_text(encoding="utf-8"))
FUNCTIONS = {node.name for node in ast.walk(TREE) if isinstance(node, ast.FunctionDef)}
# Every test on chance refuses a right generator once in a million runs; the numbers are fixed, so it never changes.
CHANCE = 1e-6
LOW, HIGH, FIRST = 0x89ABCDEF, 0xFEDCBA98, (1 << 33) + 5


def both(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A kernel interpreted and compiled."""
    return getattr(_kernels, name), compiled_kernels(_kernels)[name]


def agree(name: str, given: tuple[Any, ...], *rooms: tuple[tuple[int, ...], Any]) -> list[Any]:
    """Run a kernel both ways into rooms full of rubbish; whole numbers agree exactly, others to rounding."""
    said, filled = [], []
    for kernel in both(name):
        room = [np.full(shape, 7, dtype=kind) for shape, kind in rooms]
        said.append(kernel(*given, *room))
        filled.append(room)
    if said[0] is not None:
        assert said[1] == pytest.approx(said[0], rel=1e-12, abs=1e-12)
    for one, other in zip(*filled, strict=True):
        if one.dtype == np.float64:
            np.testing.assert_allclose(other, one, rtol=1e-12, atol=1e-12)
        else:
            assert np.array_equal(one, other)
    return [said[0], *filled[0]]


@pytest.mark.parametrize("form", [0, 1])
@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        # tests/kat_vectors of the authors' own library, Random123: lines "philox4x32 10".
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_philox_gives_the_published_words(counter: str, key: str, expected: str, form: int) -> None:
    words = both("philox")[form](*(int(word, 16) for word in f"{counter} {key}".split()))
    assert " ".join(f"{word:08x}" for word in words) == expected


def test_every_kernel_is_compiled_and_importing_keeps_the_plain_ones() -> None:
    compiled = compiled_kernels(_kernels)
    assert set(compiled) == FUNCTIONS
    assert all(hasattr(kernel, "py_func") for kernel in compiled.values())
    assert not any(hasattr(getattr(_kernels, name), "py_func") for name in FUNCTIONS)


def test_a_stream_counts_its_blocks_and_knows_its_kind_and_path() -> None:
    stream = _kernels.stream_of(LOW, HIGH, 3, FIRST)
    _, words = agree("fill_words", (stream, 7), ((12,), np.int64))
    for i in range(3):
        assert tuple(words[4 * i : 4 * i + 4]) == _kernels.philox(7 + i, 3, FIRST & 0xFFFFFFFF, 2, LOW, HIGH)


@pytest.mark.parametrize("block", [1.0, 2.5, 40.0, 1e9, np.inf])
def test_days_are_the_same_compiled_and_interpreted(block: float) -> None:
    given = (LOW, HIGH, FIRST, 61, *geometric_lengths(block))
    _, rows = agree("resample_rows", given, ((3, 200), np.int32))
    assert rows.min() >= 0
    assert rows.max() < 61


def test_filtered_paths_are_the_same_compiled_and_interpreted() -> None:
    z = garch_days(90) / 0.012
    model = np.array([[0.01, 0.05, 0.1, 0.85], [0.02, 0.0, 0.2, 0.8], [0.0, 0.0, 0.0, 0.0]]) * [1e-4, 1, 1, 1]
    start, cap = np.array([1e-4, 2e-4, 0.0]), np.array([1.5e-4, 1.0, 0.0])
    tables = geometric_lengths(5.0)
    drift = np.array([1e-3, 0.0, -1e-3])
    hits, _ = agree(
        "filtered_paths", (LOW, HIGH, FIRST, *tables, z, model, start, cap, drift), ((3, 70, 3), np.float64)
    )
    assert hits > 0
    rows = np.arange(140, dtype=np.int32).reshape(2, 70) % 90
    agree("filtered_squares", (rows, z, model, start, cap), ((2, 3), np.float64))
    agree("gjr_variances", (np.ascontiguousarray(z[:, 0]), 0.05, 0.03, 0.1, 0.85, 1.0), ((91,), np.float64))
    agree("gjr_likelihood", (np.ascontiguousarray(z[:, 0]), 0.03, 0.1, 0.85), ((3,), np.float64))


def test_student_and_switching_paths_are_the_same_compiled_and_interpreted() -> None:
    root = np.linalg.cholesky(np.array([[1.0, 0.5, 0.2], [0.5, 1.0, 0.3], [0.2, 0.3, 1.0]]))
    drift = np.array([0.0, 0.1, -0.1])
    room = ((3, 70, 3), np.float64)
    hits, *_ = agree("student_paths", (LOW, HIGH, FIRST, drift, root, 3.1, 1.2), room)
    assert hits > 0
    chain = np.array([[0.9, 0.1], [0.3, 0.7]])
    roots, drifts = np.stack([root, 2.0 * root]), np.stack([drift, -drift])
    agree("switching_paths", (LOW, HIGH, FIRST, np.array([0.5, 0.5]), chain, drifts, roots), room)


def test_filter_and_smoother_are_the_same_compiled_and_interpreted() -> None:
    density = -0.5 * np.random.default_rng(1).standard_normal((50, 2)) ** 2 * [1.0, 400.0]
    chain = np.array([[0.9, 0.1], [0.3, 0.7]])
    room = ((50, 2), np.float64)
    _, predicted, filtered = agree("hamilton_filter", (density, chain, np.array([0.4, 0.6])), room, room)
    _, smoothed, moves = agree("kim_smoother", (predicted, filtered, chain), room, ((2, 2), np.float64))
    np.testing.assert_allclose(smoothed.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(moves.sum(axis=1), smoothed[:-1].sum(axis=0), rtol=1e-12)


def test_the_slope_of_the_likelihood_is_that_of_finite_differences() -> None:
    e = np.ascontiguousarray(garch_days(400)[:, 0] / 0.01)
    at = np.array([0.04, 0.09, 0.83])
    slope, unused = np.zeros(3), np.zeros(3)
    likelihood = compiled_kernels(_kernels)["gjr_likelihood"]
    likelihood(e, *at, slope)
    for k in range(3):
        step = np.zeros(3)
        step[k] = 1e-6
        difference = likelihood(e, *(at + step), unused) - likelihood(e, *(at - step), unused)
        assert slope[k] == pytest.approx(difference / 2e-6, rel=1e-5)


def test_normal_numbers_are_normal_and_independent() -> None:
    n = 400_000
    words, normals = np.zeros(_kernels.BATCH, np.int64), np.zeros(n + 2 * _kernels.BATCH)
    compiled_kernels(_kernels)["fill_normals"](_kernels.stream_of(1, 2, _kernels.NORMALS, 3), n, words, normals)
    z = normals[:n]
    assert stats.kstest(z, "norm").pvalue > CHANCE
    assert abs(z[1:] @ z[:-1]) / np.sqrt(n) < 5.0
    assert abs((z[1:] ** 2 - 1.0) @ (z[:-1] ** 2 - 1.0)) / np.sqrt(4.0 * n) < 5.0


@pytest.mark.parametrize("degrees", [2.5, 4.0, 60.0])
def test_chi_squares_are_chi_squares(degrees: float) -> None:
    words, tried, out = np.zeros(_kernels.BATCH, np.int64), np.zeros(2 * _kernels.BATCH), np.zeros(200_000)
    tries, tests = _kernels.stream_of(1, 2, _kernels.SCALES, 3), _kernels.stream_of(1, 2, _kernels.TESTS, 3)
    compiled_kernels(_kernels)["fill_chi_squares"](tries, tests, degrees, words, tried, out)
    assert stats.kstest(out, stats.chi2(degrees).cdf).pvalue > CHANCE
