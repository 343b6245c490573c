"""Whole processes: processor time and peak memory of commands as a user starts them."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.measure import Measurement, Result

RUNS = 5
HERE = Path(__file__).parent


def cold_measurements(python: str) -> Iterator[Measurement]:
    """Yield the measurements of cold commands with an interpreter."""
    data = os.environ.get("ALPHAOVERLAY_REFERENCE_DATA")
    where = ["--data", data] if data else []
    end = "2021-12-15" if data else "2018-11-30"
    study = Path(tempfile.mkdtemp(prefix="alphaoverlay-bench-")) / "study.toml"
    start = f"{int(end[:4]) - 13}{end[4:]}"
    study.write_text(
        f"start = {start}\nend = {end}\n[base]\nSP500 = 1.0\n[overlay]\nRUSSELL2000 = 0.3\nNASDAQ100 = -0.3\n"
        '[funds]\nallow = ["SPY", "UPRO", "TNA", "SQQQ"]\n'
    )
    command = [python, "-m", "alphaoverlay"]
    run = [*command, "run", str(study), *where, "--json"]
    peer = [python, str(HERE / "peer_bt.py")]

    def cpu_of_run() -> Result:
        own = median_of(run, 0)
        return Result(
            "cold run, 4 funds, 13 years: CPU", own, "s", 1.5, "bt (design and report apart)", median_of(peer, 0)
        )

    yield Measurement("cold run, 4 funds, 13 years: CPU", cpu_of_run)
    yield Measurement("cold run: peak memory", lambda: Result("cold run: peak memory", median_of(run, 1), "MB", 250))
    yield Measurement("--help: CPU", lambda: Result("--help: CPU", median_of([*command, "--help"], 0), "s", 0.4))
    bare = [python, "-c", "pass"]
    package = [python, "-c", "import alphaoverlay"]
    yield Measurement(
        "import alphaoverlay: CPU",
        lambda: Result("import alphaoverlay: CPU", max(median_of(package, 0) - median_of(bare, 0), 0.0), "s", 0.05),
    )


def median_of(command: Sequence[str], which: int) -> float:
    """Median over runs after a warm-up: CPU seconds (0), peak MB (1) or wall seconds (2)."""
    return statistics.median([_once(command)[which] for _ in range(RUNS + 1)][1:])


def _once(command: Sequence[str]) -> tuple[float, float, float]:
    begin = time.perf_counter()
    # As after an installation: Python keeps what it compiled, whatever this shell says.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=kept)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024.0, time.perf_counter() - begin
