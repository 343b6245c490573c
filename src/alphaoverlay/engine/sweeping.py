"""Many portfolios of the same funds under one rule, at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alphaoverlay.engine._jit import compiled_kernels
from alphaoverlay.engine._kernels.costs import NOISE
from alphaoverlay.engine.backtesting import compile_plan, turnover_of
from alphaoverlay.engine.costs import CashTerms, TradingCosts
from alphaoverlay.engine.flows import CashFlows
from alphaoverlay.engine.plan import Plan
from alphaoverlay.engine.rebalancing import RebalancingRule, as_rule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import StudyError
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.history import FloatArray

# Lanes that fit in a processor's first cache together.
BLOCK = 256
RESULTS = ("final_value", "max_drawdown", "cost", "turnover", "rebalances")


@dataclass(frozen=True)
class Sweep:
    """What each of v portfolios came to.

    Attributes
    ----------
    weights : v rows, a column a fund.
    results : v rows; final value and deepest drawdown of 1 put in before the purchase, trading costs in units of it,
        one-way turnover and number of rebalances after the purchase.
    """

    weights: pd.DataFrame
    results: pd.DataFrame


def sweep(
    fund_returns: FundReturns,
    weights: pd.DataFrame | FloatArray,
    rule: RebalancingRule | CalendarRule | None = None,
    costs: TradingCosts | None = None,
    *,
    cash: CashTerms | None = None,
    benchmark: Mapping[str, float] | None = None,
    workers: int | None = None,
) -> Sweep:
    """Run many target weights over the same sessions; each result is that of `backtest`, bit for bit.

    Compiled with numba, which takes some seconds once. Portfolios run side by side and on all processors; tranches,
    bands with a lag, fees, minimum trades and market impact are run one portfolio at a time, which is slower.

    Parameters
    ----------
    fund_returns : n sessions, m funds.
    weights : v rows of target weights, a column a fund, in the funds' order.
    rule, costs, cash, benchmark : as for `backtest`, the same for all.
    workers : threads; as many as processors where None.

    Raises
    ------
    StudyError, DataError : as `backtest`; a band relative to a target of 0 in any of them.
    """
    symbols = [fund.symbol for fund in fund_returns.funds]
    if isinstance(weights, pd.DataFrame) and list(weights.columns) != symbols:
        raise StudyError(f"weights of {', '.join(map(str, weights.columns))}; the returns are of {', '.join(symbols)}")
    index = weights.index if isinstance(weights, pd.DataFrame) else None
    frame = pd.DataFrame(np.asarray(weights, dtype=np.float64), columns=symbols, index=index)
    every = Targets(tuple(symbols), np.ascontiguousarray(frame.to_numpy(dtype=np.float64))).checked()
    rule, costs, cash = as_rule(rule), costs or TradingCosts(), cash or CashTerms()
    plan = compile_plan(fund_returns, every, rule, costs, CashFlows(), cash, benchmark or {})
    out = np.empty((len(RESULTS), len(frame)))
    together = (
        rule.tranches == 1
        and not (rule.lag and rule.bands)
        and not (costs.per_trade or costs.minimum_trade or costs.impact)
    )
    blocks = range(0, len(frame), BLOCK if together else 1)
    # The compiled functions release the interpreter's lock, so threads run side by side.
    compiled_kernels()
    run = _run_block if together else _run_one
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        list(pool.map(lambda first: run(plan, every.rows, first, out), blocks))
    results = pd.DataFrame(out.T, index=frame.index, columns=list(RESULTS)).astype({"rebalances": np.int64})
    return Sweep(frame, results)


def _run_block(plan: Plan, rows: FloatArray, first: int, out: FloatArray) -> None:
    # A copy: the kernel takes a fund that lost everything out of the targets.
    lanes = np.array(rows[first : first + BLOCK].T, copy=True, order="C")
    found = np.empty((len(RESULTS), lanes.shape[1]))
    compiled_kernels()["run_lanes"](plan, lanes, found)
    out[:, first : first + BLOCK] = found


def _run_one(plan: Plan, rows: FloatArray, which: int, out: FloatArray) -> None:
    n, m = plan.market.returns.shape
    value, held, trades, facts = np.empty(n), np.empty((n, m)), np.empty((n, m)), np.empty((n, 5))
    own = plan._replace(goals=plan.goals._replace(rows=np.array(rows[which : which + 1], copy=True, order="C")))
    compiled_kernels()["run_path"](own, value, held, trades, facts)
    peak = np.maximum.accumulate(np.maximum(value, 1.0))
    moved = np.abs(trades[1:]).sum(axis=1) > NOISE * value[1:]
    rebalanced = (facts[1:, 2] + facts[1:, 4] > 0.0) & moved
    share = turnover_of(value, trades, facts)[1:]
    out[:, which] = (value[-1], (value / peak - 1.0).min(), facts[:, 0].sum(), share.sum(), rebalanced.sum())
