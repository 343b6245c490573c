"""The kernels: costs against exact fractions, and compiled against interpreted."""

from __future__ import annotations

import ast
import logging
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.building import markets, same, targets_for, weights_of
from tests.second_opinion import pay

from alphaoverlay.engine import _jit, _kernels
from alphaoverlay.engine._jit import compiled_kernels
from alphaoverlay.engine.backtesting import backtest
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.history import FloatArray

SOURCE = Path(_kernels.__file__).read_text(encoding="utf-8")
TREE = ast.parse(SOURCE)
FUNCTIONS = {node.name for node in ast.walk(TREE) if isinstance(node, ast.FunctionDef)}

Trade = tuple[float, list[float], list[float], list[float]]


def settle(value: float, holdings: list[float], weights: list[float], half_spreads: list[float]) -> float:
    """The kernel, with scratch space that holds rubbish."""
    m = len(holdings)
    points, order = np.full(m, np.nan), np.full(m, -7, dtype=np.int64)
    return float(_kernels.settle(value, np.array(holdings), np.array(weights), np.array(half_spreads), points, order))


@st.composite
def trades(draw: st.DrawFn) -> Trade:
    """Value, holdings, target weights and half-spreads; any of the last three may be zero."""
    m = draw(st.integers(1, 6))

    def some(most: float) -> list[float]:
        one = st.just(0.0) | st.floats(0.0, most, allow_subnormal=False)
        return draw(st.lists(one, min_size=m, max_size=m))

    holdings, cash = some(3.0), draw(st.floats(0.01, 3.0))
    return math.fsum([*holdings, cash]), holdings, draw(weights_of(m)), some(0.05)


@given(trades())
def test_settle_is_the_exact_answer_to_a_few_units_in_the_last_place(trade: Trade) -> None:
    value, holdings, weights, half_spreads = trade
    assert settle(*trade) == pytest.approx(pay(value, holdings, weights, half_spreads), rel=4e-15, abs=0)


@given(trades())
def test_settle_solves_its_defining_equation(trade: Trade) -> None:
    value, holdings, weights, half_spreads = trade
    after = settle(*trade)
    costs = [h * abs(after * w - v) for h, w, v in zip(half_spreads, weights, holdings, strict=True)]
    assert math.fsum([after, *costs, -value]) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("trade", "expected"),
    [
        ((1.0, [0.0], [1.0], [0.01]), 1 / 1.01),  # V' + 0.01*V' = 1
        ((2.0, [2.0], [0.0], [0.01]), 1.98),  # sold: V' = 2 - 0.01*2
        ((1.0, [1.0, 0.0], [0.0, 1.0], [0.01, 0.03]), 0.99 / 1.03),  # sold and bought: V' + 0.01 + 0.03*V' = 1
        ((1.0, [0.6, 0.2], [0.6, 0.2], [0.05, 0.05]), 1.0),  # on target
        ((1.0, [0.9, 0.1], [0.2, 0.8], [0.0, 0.0]), 1.0),  # free
    ],
)
def test_settle_by_hand(trade: Trade, expected: float) -> None:
    assert settle(*trade) == pytest.approx(expected, rel=1e-15)


Path_ = tuple[FloatArray, FloatArray, FloatArray, np.ndarray, np.ndarray, FloatArray]


@st.composite
def paths(draw: st.DrawFn) -> Path_:
    """Arguments of `run_path`: several target rows, unequal half-spreads, and now and then a fund that goes to zero."""
    n, m, r = draw(st.integers(1, 30)), draw(st.integers(1, 6)), draw(st.integers(1, 3))
    rows = [draw(weights_of(m)) for _ in range(r)]
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    returns = random.uniform(-0.9, 0.9, (n, m))
    returns[random.random((n, m)) < draw(st.sampled_from([0.0, 0.1, 0.9]))] = -1.0
    trade = random.random(n) < draw(st.floats(0.0, 1.0))
    trade[0] = True
    half_spreads = random.uniform(0.0, 0.05, m) * (random.random(m) < 0.7)
    return returns, random.uniform(0.0, 0.001, n), np.array(rows), random.integers(0, r, n), trade, half_spreads


@given(paths())
def test_run_path_is_the_same_compiled_and_interpreted_bit_for_bit(path: Path_) -> None:
    n, m = path[0].shape

    def outputs() -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        return np.full(n, np.nan), np.full((n, m), np.nan), np.full(n, np.nan), np.full(n, np.nan)

    plain, fast = outputs(), outputs()
    assert _kernels.run_path(*path, *plain) == compiled_kernels()["run_path"](*path, *fast)
    for one, other in zip(plain, fast, strict=True):
        assert np.array_equal(one, other)
        assert not np.isnan(one).any()


@given(markets(), st.data())
def test_a_backtest_is_the_same_compiled_and_interpreted(returns: FundReturns, data: st.DataObject) -> None:
    targets = targets_for(returns, data.draw(weights_of(len(returns.funds))))
    given_ = (returns, targets, CalendarRule("weekly"), TradingCosts(7.0))
    assert same(backtest(*given_), backtest(*given_, compiled=True))


def test_every_kernel_is_compiled_and_importing_keeps_the_plain_ones() -> None:
    assert set(compiled_kernels()) == FUNCTIONS
    assert all(hasattr(kernel, "py_func") for kernel in compiled_kernels().values())
    assert not any(hasattr(getattr(_kernels, name), "py_func") for name in FUNCTIONS)


def test_the_kernels_import_math_and_numpy_only() -> None:
    imported = set()
    for node in ast.walk(TREE):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(str(node.module).partition(".")[0])
    assert imported <= {"__future__", "math", "numpy"}


def test_the_kernels_use_the_four_operations_loops_and_each_other_only() -> None:
    """A library's sum, exp or pow need not round as numba's does."""
    bodies = [node for node in TREE.body if isinstance(node, ast.FunctionDef)]
    for node in (inner for body in bodies for inner in ast.walk(body)):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) in FUNCTIONS | {"range", "np.zeros", "np.empty", "math.sqrt"}
        if isinstance(node, ast.BinOp | ast.AugAssign):
            assert isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div)


def test_without_a_cache_folder_kernels_compile_uncached_and_say_so_in_one_debug_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from numba.core import caching, config

    cache = vars(caching).get("CacheImpl") or vars(caching)["_CacheImpl"]  # the latter in older versions
    monkeypatch.setattr(cache, "_locator_classes", [])
    monkeypatch.setattr(config, "CACHE_LOCATOR_CLASSES", "", raising=False)
    with caplog.at_level(logging.DEBUG, logger=_jit.__name__):
        kernels = compiled_kernels.__wrapped__()
    arrays = (np.array([0.0]), np.array([1.0]), np.array([0.01]), np.zeros(1), np.zeros(1, dtype=np.int64))
    assert kernels["settle"](1.0, *arrays) == pytest.approx(1 / 1.01, rel=1e-15)
    said = [record for record in caplog.records if record.name == _jit.__name__]
    assert [record.levelno for record in said] == [logging.DEBUG]
    assert "cache" in said[0].getMessage()
