"""What a measurement is."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """A median of several runs, its target, and a peer's median in the same unit (None: no peer does it)."""

    name: str
    value: float
    unit: str
    target: float
    peer: str = ""
    peer_value: float | None = None

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.value <= self.target

    def __str__(self) -> str:
        against = ""
        if self.peer_value is not None:
            against = (
                f"   {self.peer} {self.peer_value:.4g} {self.unit}: {self.peer_value / self.value:.1f} times as much"
            )
        verdict = "ok" if self.met else "MISSED"
        return f"{self.name:<44} {self.value:9.4g} {self.unit:<4} target {self.target:g} {verdict}{against}"


def median_time(call: Callable[[], object], runs: int = 7) -> float:
    """Return the median wall time in seconds; the first call compiles or imports what it needs."""
    call()
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


@dataclass(frozen=True)
class Measurement:
    """A name and what computes its result."""

    name: str
    run: Callable[[], Result]
