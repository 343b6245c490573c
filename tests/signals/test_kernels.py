"""The kernels of signals: compiled against interpreted, and the percentile of the kernels against that of pandas."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from tests.signals.building import numbers, pairs, ranks, rules

from alphaoverlay.analysis.bootstrap import stationary_indices
from alphaoverlay.engine import _kernels as engine_kernels
from alphaoverlay.engine._jit import compiled_kernels
from alphaoverlay.history import FloatArray
from alphaoverlay.signals import _kernels
from alphaoverlay.signals.relative_value import Pair, trailing_percentile
from alphaoverlay.signals.tactical import TacticalRule
from alphaoverlay.signals.terms import Terms

TREE = ast.parse(Path(_kernels.__file__).read_text(encoding="utf-8"))
FUNCTIONS = {node.name for node in ast.walk(TREE) if isinstance(node, ast.FunctionDef)}
TERMS = TacticalRule().compile()

Kernel = Callable[..., Any]


def both(name: str) -> tuple[Kernel, Kernel]:
    """A kernel interpreted and compiled."""
    return getattr(_kernels, name), compiled_kernels(_kernels)[name]


def agree(name: str, given_: tuple[Any, ...], *rooms: tuple[tuple[int, ...], Any]) -> list[Any]:
    """Run a kernel both ways into rooms full of rubbish; hold that every bit agrees; what the interpreted one said."""
    said, filled = [], []
    for kernel in both(name):
        room = [np.full(shape, -7, dtype=kind) for shape, kind in rooms]
        said.append(kernel(*given_, *room))
        filled.append(room)
    assert np.array_equal(np.array(said[0], float), np.array(said[1], float), equal_nan=True)
    for one, other in zip(*filled, strict=True):
        assert np.array_equal(one, other, equal_nan=one.dtype == np.float64)
    return [said[0], *filled[0]]


@st.composite
def terms_of_any_kind(draw: st.DrawFn) -> Terms:
    """Terms with windows and lookbacks far smaller than any study's."""
    rule = draw(rules())
    return rule.compile()._replace(
        window=draw(st.integers(1, 9)),
        lookback=draw(st.sampled_from([0, 0, 1, 2, 5, 12])),
        fewest=draw(st.integers(0, 8)),
        confirm=draw(st.integers(0, 2)),
        confirm_span=draw(st.integers(1, 9)),
    )


def test_every_kernel_is_compiled_and_importing_keeps_the_plain_ones() -> None:
    compiled = compiled_kernels(_kernels)
    assert set(compiled) == FUNCTIONS
    assert all(hasattr(kernel, "py_func") for kernel in compiled.values())
    assert not any(hasattr(getattr(_kernels, name), "py_func") for name in FUNCTIONS)


def test_the_kernels_of_two_files_are_kept_apart() -> None:
    assert not set(compiled_kernels(_kernels)) & set(compiled_kernels())
    assert set(compiled_kernels()) == set(compiled_kernels(engine_kernels))
    assert compiled_kernels(_kernels) is compiled_kernels(_kernels)


@given(pairs(), terms_of_any_kind(), st.integers(0, 12), st.data())
def test_every_kernel_is_the_same_compiled_and_interpreted_bit_for_bit(
    pair: Pair, terms: Terms, horizon: int, data: st.DataObject
) -> None:
    long, short = pair.arrays
    n = len(long)
    column, flags = ((n,), np.float64), ((n,), np.bool_)
    _, gap = agree("difference", (long, short, terms.window), column)
    _, ranked = agree("percentile", (gap, terms.lookback, terms.fewest), column)
    _, allowed = agree("confirmed", (long, short, terms.confirm, terms.confirm_span), flags)
    for p in [*ranked[:3], math.nan, 0.0, terms.at[-1]]:
        agree("step_size", (p, terms))
    for values in (ranked, data.draw(ranks(n))):
        number, _, spells = agree("trade_signal", (values, long, short, allowed, terms), column, ((n, 3), np.int64))
    _, outcome = agree("outcomes", (long, short, horizon), column)
    _, kept = agree("independent", (spells, number, horizon), ((n,), np.bool_))
    agree("hac_slope", ((numbers(pair.long) > 1.0).astype(float), np.nan_to_num(outcome), horizon))
    agree("judge", (values, outcome, spells, number, kept, horizon), ((5,), np.float64))
    agree("judge_path", (long, short, terms, horizon), ((5,), np.float64))
    if n > 1:
        picked = stationary_indices(n - 1, 3.0, 1, 0)
        gross = (long[1:] / long[:-1], short[1:] / short[:-1])
        agree("judge_resample", (*gross, picked, terms, horizon), ((5,), np.float64))


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 12)), max_size=30))
def test_the_tree_counts_the_same_compiled_and_interpreted_and_as_a_list_does(asked: list[tuple[int, int]]) -> None:
    trees = [np.zeros(13, np.int64), np.zeros(13, np.int64)]
    held: list[int] = []
    for position, at in asked:
        for tree, count_in in zip(trees, both("count_in"), strict=True):
            count_in(tree, position, 1)
        held.append(position)
        expected = sum(1 for one in held if one <= at)
        assert [count(tree, at) for tree, count in zip(trees, both("count_to"), strict=True)] == [expected] * 2
    assert np.array_equal(trees[0], trees[1])


def test_every_kernel_was_called_with_types_that_it_compiles_for() -> None:
    """Including whole numbers where a study may write them."""
    whole = TacticalRule(enter=0, exit=1, rest=1, profit_target=1, stop=2, time_limit=3).compile()
    levels = np.array([1.0, 2.0, 4.0, 2.0, 1.0, 2.0])
    found = np.full(5, -7.0)
    for terms in (TERMS, whole):
        small = terms._replace(window=1, fewest=2)
        compiled_kernels(_kernels)["judge_path"](levels, levels[::-1].copy(), small, 1, found)
        plain = np.full(5, -7.0)
        _kernels.judge_path(levels, levels[::-1].copy(), small, 1, plain)
        assert np.array_equal(found, plain, equal_nan=True)


@st.composite
def values_with_ties(draw: st.DrawFn) -> FloatArray:
    """NaN before the first, then any finite numbers: many ties, both zeros, runs of one value."""
    some = st.sampled_from([0.0, -0.0, 1.0, 1.0 + 2**-52, -1.0, 5e-324]) | st.floats(-2, 2) | st.integers(-2, 2)
    known = draw(st.lists(some.map(float), max_size=60))
    if draw(st.booleans()):
        known = [one for one in known for _ in range(3)]
    return np.array([math.nan] * draw(st.integers(0, 5)) + known)


@given(values_with_ties(), st.none() | st.integers(1, 40), st.integers(0, 12))
def test_the_percentile_of_the_kernel_is_that_of_pandas_bit_for_bit(
    values: FloatArray, lookback: int | None, fewest: int
) -> None:
    fewest = fewest if lookback is None else min(fewest, lookback)
    _, ranked = agree("percentile", (values, lookback or 0, fewest), (values.shape, np.float64))
    by_pandas = trailing_percentile(pd.Series(values, dtype=np.float64), lookback, fewest)
    assert np.array_equal(ranked, numbers(by_pandas), equal_nan=True)


@given(pairs(300, 420), st.sampled_from([None, 252, 270]), st.integers(1, 30))
def test_the_percentile_of_real_differences_is_that_of_pandas_bit_for_bit(
    pair: Pair, lookback: int | None, window: int
) -> None:
    gap = np.empty(len(pair.long))
    _kernels.difference(*pair.arrays, window, gap)
    _, ranked = agree("percentile", (gap, lookback or 0, 252), (gap.shape, np.float64))
    assert np.array_equal(ranked, numbers(trailing_percentile(pd.Series(gap), lookback)), equal_nan=True)


def test_the_kernels_import_math_and_numpy_only() -> None:
    for_types = {
        id(node)
        for block in TREE.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    imported = [
        node for node in ast.walk(TREE) if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in for_types
    ]
    assert {ast.unparse(node) for node in imported} == {
        "from __future__ import annotations",
        "import math",
        "from typing import TYPE_CHECKING",
        "import numpy as np",
    }
