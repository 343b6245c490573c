"""The kernels: costs against exact fractions, and compiled against interpreted."""

from __future__ import annotations

import ast
import logging
import math
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.building import markets, same, targets_for, weights_of
from tests.engine.cases import FEATURES, Case, cases
from tests.second_opinion import pay

from alphaoverlay.engine import _jit, _kernels
from alphaoverlay.engine._jit import compiled_kernels
from alphaoverlay.engine._kernels import costs, loop
from alphaoverlay.engine.backtesting import backtest, compile_plan
from alphaoverlay.engine.bands import compile_bands
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.plan import Costs, Flows, Goals, Market, Plan, Rules
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.history import FloatArray

HOME = Path(str(_kernels.__file__)).parent
TREES = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in HOME.glob("*.py")}
FUNCTIONS = {node.name: file for file, tree in TREES.items() for node in tree.body if isinstance(node, ast.FunctionDef)}

Trade = tuple[float, list[float], list[float], list[float]]


def settle(value: float, holdings: list[float], weights: list[float], half_spreads: list[float]) -> float:
    """The kernel, from lists."""
    return float(costs.settle(value, np.array(holdings), np.array(weights), np.array(half_spreads)))


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


@st.composite
def many_trades(draw: st.DrawFn) -> tuple[list[Trade], list[float]]:
    """Trades at the same half-spreads."""
    some = draw(st.lists(trades(), min_size=1, max_size=5))
    m = min(len(trade[1]) for trade in some)
    cut: list[Trade] = [(math.fsum([v, -math.fsum(h[m:])]), h[:m], w[:m], []) for v, h, w, _ in some]
    return cut, some[0][3][:m]


@given(many_trades())
def test_settling_many_side_by_side_is_settling_each_bit_for_bit(many: tuple[list[Trade], list[float]]) -> None:
    some, half_spreads = many
    values = np.array([trade[0] for trade in some])
    held, mix = (np.ascontiguousarray(np.array([trade[k] for trade in some]).T) for k in (1, 2))
    room = [np.full(len(some), np.nan) for _ in range(3)]
    costs.settle_lanes(len(some), values, held, mix, np.array(half_spreads), *room)
    assert room[2].tolist() == [settle(*trade[:3], half_spreads) for trade in some]


Outputs = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


def outputs(n: int, m: int) -> Outputs:
    """Room for what `run_path` says, full of rubbish."""
    return np.full(n, np.nan), np.full((n, m), np.nan), np.full((n, m), np.nan), np.full((n, 5), np.nan)


def runs_the_same(plan: Plan) -> None:
    """Compiled and interpreted agree in every bit and leave nothing unsaid."""
    plain, fast = outputs(*plan.market.returns.shape), outputs(*plan.market.returns.shape)
    assert loop.run_path(plan, *plain) == compiled_kernels()["run_path"](plan, *fast)
    for one, other in zip(plain, fast, strict=True):
        assert np.array_equal(one, other)
        assert not np.isnan(one).any()


@st.composite
def rough_plans(draw: st.DrawFn) -> Plan:
    """Any sessions trade, with several target rows, unequal half-spreads, and funds that go to zero."""
    n, m, r = draw(st.integers(1, 30)), draw(st.integers(1, 6)), draw(st.integers(1, 3))
    rows = np.array([draw(weights_of(m)) for _ in range(r)])
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    returns = random.uniform(-0.9, 0.9, (n, m))
    returns[random.random((n, m)) < draw(st.sampled_from([0.0, 0.1, 0.9]))] = -1.0
    trade = random.random((1, n)) < draw(st.floats(0.0, 1.0))
    rates = np.broadcast_to(random.uniform(0.0, 0.05, m) * (random.random(m) < 0.7), (n, m)).copy()
    accrual, row = random.uniform(0.0, 0.001, n), random.integers(0, r, n)
    none = compile_bands((), [Fund(str(i), str(i), {}, 0.0) for i in range(m)], rows, {})
    return Plan(
        Market(returns, accrual, accrual),
        Goals(rows, row, np.concatenate(([False], row[1:] != row[:-1]))),
        Rules(trade, np.zeros(n, dtype=np.bool_), none, 0, 0),
        Costs(rates, np.zeros((n, m)), 0.0, 0.0),
        Flows(np.zeros(n), np.zeros(n), 0),
    )


@given(rough_plans())
def test_run_path_is_the_same_compiled_and_interpreted_bit_for_bit(plan: Plan) -> None:
    runs_the_same(plan)


@given(cases(*FEATURES, max_sessions=25) | cases(*set(FEATURES) - {"tranches"}) | cases(*set(FEATURES) - {"borrowing"}))
def test_everything_that_can_happen_is_the_same_compiled_and_interpreted_bit_for_bit(case: Case) -> None:
    if case.rule.tranches > 1 and case.targets.rows.sum(axis=1).max() > 1.0:
        case = case.but(rule=replace(case.rule, tranches=1))
    runs_the_same(
        compile_plan(case.returns, case.targets, case.rule, case.costs, case.flows, case.cash, case.benchmark)
    )


@given(markets(), st.data())
def test_a_backtest_is_the_same_compiled_and_interpreted(returns: FundReturns, data: st.DataObject) -> None:
    targets = targets_for(returns, data.draw(weights_of(len(returns.funds))))
    given_ = (returns, targets, CalendarRule("weekly"), TradingCosts(7.0))
    assert same(backtest(*given_), backtest(*given_, compiled=True))


def test_every_kernel_is_compiled_and_importing_keeps_the_plain_ones() -> None:
    assert sorted(compiled_kernels()) == sorted(FUNCTIONS)
    assert all(hasattr(kernel, "py_func") for kernel in compiled_kernels().values())
    for name, file in FUNCTIONS.items():
        assert not hasattr(getattr(import_module(f"{_kernels.__name__}.{file}"), name), "py_func")


def test_compiled_kernels_call_each_other_s_compiled_forms() -> None:
    """Across files too: an interpreted one could not be compiled into its caller."""
    compiled = compiled_kernels()
    walk = compiled["walk_path"].py_func.__globals__  # type: ignore[attr-defined]
    assert walk["settle"] is compiled["settle"]
    assert walk["carry_four"] is compiled["carry_four"]
    # A name of two files would be one kernel.
    assert sorted(name for tree in TREES.values() for name in _functions(tree)) == sorted(FUNCTIONS)


def _functions(tree: ast.Module) -> list[str]:
    return [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("file", sorted(set(TREES) - {"__init__"}))
def test_the_kernels_import_math_numpy_and_each_other_only(file: str) -> None:
    tree = TREES[file]
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    assert [ast.unparse(block.test) for block in blocks] == ["TYPE_CHECKING"]
    for_types = {id(node) for block in blocks for inner in block.body for node in ast.walk(inner)}
    imported = set()
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            if node.module == "typing":
                assert [alias.name for alias in node.names] == ["TYPE_CHECKING"]
            if not str(node.module).startswith(f"{_kernels.__name__}."):
                imported.add(str(node.module).partition(".")[0])
    assert imported <= {"__future__", "math", "numpy", "typing"}


def test_the_kernels_use_the_four_operations_loops_and_each_other_only() -> None:
    """A library's sum, exp or pow need not round as numba's does."""
    bodies = [node for tree in TREES.values() for node in tree.body if isinstance(node, ast.FunctionDef)]
    for node in (inner for body in bodies for inner in ast.walk(body)):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) in set(FUNCTIONS) | {
                "range",
                "np.zeros",
                "np.ones",
                "np.full",
                "np.empty",
                "math.sqrt",
            }
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
    arrays = (np.array([0.0]), np.array([1.0]), np.array([0.01]))
    assert kernels["settle"](1.0, *arrays) == pytest.approx(1 / 1.01, rel=1e-15)
    said = [record for record in caplog.records if record.name == _jit.__name__]
    assert [record.levelno for record in said] == [logging.DEBUG]
    assert "cache" in said[0].getMessage()
