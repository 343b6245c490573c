"""Paths: 100,000 of ten years through the engine, beside a roofline and NumPy; whole commands; how it grows."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.cold import median_of
from bench.measure import Measurement, Result, median_time
from bench.peer_bt import WEIGHTS

if TYPE_CHECKING:
    from alphaoverlay.engine.path_running import PathRunner
    from alphaoverlay.scenarios.paths import Generator

PATHS, MANY, SESSIONS = 100_000, 1_000_000, 2_520
NAMES = ("SP500", "RUSSELL2000", "NASDAQ100")
FEW = 4_000


def path_measurements(python: str) -> Iterator[Measurement]:
    """Yield the measurements of simulation and scenarios."""
    warm = f"{PATHS:,} paths x {SESSIONS:,} sessions x 4 funds"
    yield Measurement(warm, lambda: Result(warm, _simulated(PATHS), "s", 0.9, "NumPy over paths", _by_numpy()))
    roof = "the same, arithmetic alone (roofline)"
    yield Measurement(roof, lambda: Result(roof, _roofline(), "s", 0.9))
    beside = "the same with its benchmark beside it"
    yield Measurement(beside, lambda: Result(beside, _simulated(PATHS, benchmark=True), "s", 1.8))
    memory = "the same: memory above the imports"
    yield Measurement(memory, lambda: Result(memory, _memory(), "MB", 200.0))
    linear = f"{MANY:,} paths over {PATHS:,}: times as long"
    yield Measurement(linear, lambda: Result(linear, _simulated(MANY, 1) / _simulated(PATHS), "x", 11.0))
    fresh = "a fresh process adds (cache warm)"
    yield Measurement(fresh, lambda: Result(fresh, _fresh() - _simulated(PATHS), "s", 1.5))
    cold = f"cold scenario, {FEW:,} paths, 4 rules: wall"
    yield Measurement(cold, lambda: Result(cold, _cold_scenario(python), "s", 2.0))


@cache
def _world() -> tuple[Generator, PathRunner, PathRunner]:
    """Twenty years of random joint days in blocks, and the founding case and SPY prepared for ten years ahead."""
    import pandas as pd

    import alphaoverlay as ao
    from alphaoverlay.market.calendar import exchange_sessions

    moves = np.random.default_rng(5).multivariate_normal(
        [4e-4] * 3, 1e-4 * np.array([[1.4, 1.3, 1.4], [1.3, 2.2, 1.5], [1.4, 1.5, 2.4]]), 5_040
    )
    days = ao.JointDays(NAMES, pd.bdate_range("2001-01-01", periods=5_040), np.expm1(moves))
    ahead = ao.sessions_ahead(pd.Timestamp("2021-12-15"), SESSIONS, 0.0008, exchange_sessions(2021, 2032))
    catalogue = ao.load_catalogue()
    own = ao.Portfolio(tuple(catalogue.fund(symbol) for symbol in WEIGHTS), tuple(WEIGHTS.values()))
    base = ao.Portfolio((catalogue.fund("SPY"),), (1.0,))
    costs = ao.TradingCosts(2.0)
    runners = [ao.prepare_paths(one, ahead, NAMES, ao.RebalancingRule(), costs) for one in (own, base)]
    return ao.make_generator("bootstrap", days, block=80.0), runners[0], runners[1]


def _simulated(paths: int, runs: int = 5, *, benchmark: bool = False) -> float:
    import alphaoverlay as ao

    generator, own, base = _world()
    runners = {"portfolio": own, **({"benchmark": base} if benchmark else {})}
    name = "benchmark" if benchmark else None
    return median_time(lambda: ao.simulate_paths(generator, runners, paths=paths, benchmark=name), runs)


def _roofline() -> float:
    """One plain loop over paths and sessions, compiled: a day, four multiplications, the running peak; no costs."""
    import numba

    @numba.njit(nogil=True, error_model="numpy")
    def loop(moves: Any, taken: Any, weights: Any, count: int, sessions: int, seed: int, out: Any) -> None:
        state, days = np.uint64(seed), moves.shape[0]
        for p in range(count):
            a, b, c, d = weights[0], weights[1], weights[2], weights[3]
            peak, worst, total, k, left = 1.0, 1.0, 1.0, np.int64(0), 0
            for t in range(1, sessions + 1):
                if left == 0:
                    state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
                    k, left = np.int64((state >> np.uint64(33)) % np.uint64(days)), 80
                a *= 1.0 + moves[k, 0] - taken[t, 0]
                b *= 1.0 + moves[k, 1] - taken[t, 1]
                c *= 1.0 + moves[k, 2] - taken[t, 2]
                d *= 1.0 + moves[k, 3] - taken[t, 3]
                total = a + b + c + d
                if t % 63 == 0:
                    a, b, c, d = total * weights[0], total * weights[1], total * weights[2], total * weights[3]
                if total > peak:
                    peak = total
                elif total < worst * peak:
                    worst = total / peak
                k = k + np.int64(1) if k + 1 < days else np.int64(0)
                left -= 1
            out[p, 0], out[p, 1] = total, worst

    generator, own, _ = _world()
    moves = np.ascontiguousarray(own.moves(generator.draw(0, 0, 1, 1).table)[0])
    out = np.empty((PATHS, 2))
    half = PATHS // 2
    arguments = (moves, np.ascontiguousarray(own.taken), np.array(own.portfolio.weights))

    def run() -> None:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda k: loop(*arguments, half, SESSIONS, k, out[k * half : (k + 1) * half]), range(2)))

    return median_time(run)


def _by_numpy(paths: int = 4_000) -> float:
    """Arrays over the paths, session after session; timed on some of the paths."""
    generator, own, _ = _world()
    rows = generator.draw(0, 0, paths, SESSIONS).rows
    moves, weights = own.moves(generator.draw(0, 0, 1, 1).table)[0], np.array(own.portfolio.weights)

    def run() -> None:
        held = np.tile(weights, (paths, 1))
        peak, worst = np.ones(paths), np.ones(paths)
        for t in range(SESSIONS):
            held *= 1.0 + moves[rows[:, t]] - own.taken[t + 1]
            total = held.sum(axis=1)
            if t % 63 == 62:
                held = total[:, None] * weights
            np.maximum(peak, total, out=peak)
            np.minimum(worst, total / peak, out=worst)

    return median_time(run, 3) / paths * PATHS


def _memory() -> float:
    """How far a process that is ready to simulate grows when it does, at its peak."""
    code = f"import bench.paths as b; b._simulated(2, 1); print(b.growth_of({PATHS}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def growth_of(paths: int) -> float:
    """Return by how many MB this process grows at its peak while it simulates (Linux counts it)."""
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the imports
    before = _status("VmRSS")
    _simulated(paths, 1)
    return _status("VmHWM") - before


def _status(what: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024.0 for line in lines if line.startswith(what))


def _fresh() -> float:
    """Wall time of a process that imports, prepares and simulates once, its compiled code in the cache."""
    code = (
        "import bench.paths as b, alphaoverlay as ao; g, own, _ = b._world(); "
        "ao.simulate_paths(g, {'portfolio': own}, paths=b.PATHS)"
    )
    return median_of([sys.executable, "-c", code], 2)


def _cold_scenario(python: str) -> float:
    data = os.environ.get("ALPHAOVERLAY_REFERENCE_DATA")
    study = Path(tempfile.mkdtemp(prefix="alphaoverlay-bench-")) / "study.toml"
    weights = ", ".join(f"{symbol} = {weight}" for symbol, weight in WEIGHTS.items())
    study.write_text(f"weights = {{ {weights} }}\n")
    where = ["--data", data] if data else []
    command = [python, "-m", "alphaoverlay", "scenario", str(study), *where, "--move", "RUSSELL2000:NASDAQ100=25%"]
    command += ["--sessions", "100", "--paths", str(FEW), "--json"]
    return median_of(command, 2)
