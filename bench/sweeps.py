"""Many portfolios at once: 10,000 weight vectors over 13 years through the public API, beside NumPy and bt."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.measure import Measurement, Result, median_time

if TYPE_CHECKING:
    import alphaoverlay as ao
    from alphaoverlay.history import FloatArray

PORTFOLIOS = 10_000
BPS = 2.0


def sweep_measurements() -> Iterator[Measurement]:
    """Yield the measurements of sweeps."""
    plain = f"{PORTFOLIOS:,} portfolios, quarterly, costs"
    yield Measurement(plain, lambda: Result(plain, _sweep("quarterly"), "s", 0.06, "NumPy", _numpy()))
    again = f"{PORTFOLIOS:,} portfolios, quarterly, beside bt"
    yield Measurement(again, lambda: Result(again, _sweep("quarterly"), "s", 0.06, "bt, one run x 10,000", _bt()))
    banded = f"{PORTFOLIOS:,} portfolios, exposure bands, costs"
    yield Measurement(banded, lambda: Result(banded, _sweep("bands"), "s", 0.15))
    room = f"{PORTFOLIOS:,} portfolios: memory above imports"
    yield Measurement(room, lambda: Result(room, _memory(), "MB", 300.0))


@cache
def _case() -> tuple[ao.FundReturns, FloatArray]:
    from bench.case import founding_case

    returns = founding_case()
    weights = np.random.default_rng(5).dirichlet([35.0, 5.0, 5.0, 5.0, 1.0], PORTFOLIOS)[:, :4]
    return returns, weights


def _rule(kind: str) -> Any:
    import alphaoverlay as ao

    if kind == "quarterly":
        return ao.CalendarRule("quarterly")
    return ao.RebalancingRule(ao.CalendarRule("never"), (ao.Band.of("exposure", 0.10),))


def _sweep(kind: str) -> float:
    import alphaoverlay as ao

    returns, weights = _case()
    rule, costs = _rule(kind), ao.TradingCosts(BPS)
    return median_time(lambda: ao.sweep(returns, weights, rule, costs))


def _numpy() -> float:
    """Final value and deepest fall by NumPy over all portfolios at once; costs by three rounds of a fixed point."""
    import alphaoverlay as ao

    returns, weights = _case()
    history = returns.history
    growth = 1.0 + returns.returns.fillna(0.0).to_numpy()
    cash_growth = 1.0 + history.accrual
    trades = ao.CalendarRule("quarterly").sessions(history.dates, history.exchange_sessions)
    half = BPS / 10_000.0

    def run() -> tuple[FloatArray, FloatArray]:
        value = np.full(PORTFOLIOS, 1.0 / (1.0 + half * weights.sum(axis=1).mean()))
        held, cash = value[:, None] * weights, value * (1.0 - weights.sum(axis=1))
        peak, fall = np.ones(PORTFOLIOS), np.zeros(PORTFOLIOS)
        for t in range(1, len(growth)):
            held = held * growth[t]
            cash = cash * cash_growth[t]
            value = held.sum(axis=1) + cash
            if trades[t]:
                after = value
                for _ in range(3):
                    after = value - half * np.abs(after[:, None] * weights - held).sum(axis=1)
                value, held = after, after[:, None] * weights
                cash = value * (1.0 - weights.sum(axis=1))
            peak = np.maximum(peak, value)
            fall = np.minimum(fall, value / peak - 1.0)
        return value, fall

    found, theirs = ao.sweep(returns, weights, _rule("quarterly"), ao.TradingCosts(BPS)).results, run()
    assert np.allclose(found["final_value"], theirs[0], rtol=1e-4)
    return median_time(run)


def _bt() -> float:
    """One run of bt, times the number of portfolios: nobody waits for all of them."""
    import bt

    from bench.case import prices
    from bench.peer_bt import strategy

    frame = prices(_case()[0])
    one = median_time(lambda: bt.run(bt.Backtest(strategy(), frame, progress_bar=False)), 3)
    return one * PORTFOLIOS


MEMORY = """
import resource
import numba, numpy, pandas
import alphaoverlay.engine.sweeping, alphaoverlay.study.run
from bench.sweeps import _case, _rule
import alphaoverlay as ao
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
before = peak()
returns, weights = _case()
ao.sweep(returns, weights, _rule("bands"), ao.TradingCosts(2.0))
print(peak() - before)
"""


def _memory() -> float:
    """Growth of the peak in a fresh process after the imports: data, kernels from their cache, and the sweep."""
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    return float(done.stdout)
