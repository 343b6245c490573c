"""The loop itself, compiled, from arrays that are ready."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

from bench.measure import Measurement, Result


def warm_measurements() -> Iterator[Measurement]:
    """Yield the measurements inside this process."""
    name = "one warm backtest, compiled"
    yield Measurement(name, lambda: _one_backtest(name))
    synthesis = "50 years x 10 funds synthesised (M1)"
    yield Measurement(synthesis, lambda: _synthesis(synthesis))


def _one_backtest(name: str) -> Result:
    import bt

    import alphaoverlay as ao
    from bench.case import founding_case, prices
    from bench.peer_bt import WEIGHTS, strategy

    returns = founding_case()
    targets = ao.Targets.constant(list(WEIGHTS), list(WEIGHTS.values()))
    own = _median_ms(lambda: ao.backtest(returns, targets, ao.CalendarRule("quarterly"), compiled=True), 50)
    frame = prices(returns)
    peer = _median_ms(lambda: bt.run(bt.Backtest(strategy(), frame, progress_bar=False)), 3)
    return Result(name, own, "ms", 5.0, "bt", peer)


def _synthesis(name: str) -> Result:
    import alphaoverlay as ao
    from bench.case import fifty_years

    history, moves = fifty_years()
    catalogue = ao.load_catalogue()
    funds = [
        catalogue.fund(symbol) for symbol in ["SSO", "UPRO", "SH", "SDS", "SPXU", "TQQQ", "SQQQ", "TNA", "TZA", "TWM"]
    ]
    own = _median_ms(lambda: [ao.synthetic_returns(fund, moves, history) for fund in funds], 20)
    return Result(name, own, "ms", 50.0)


def _median_ms(call: Callable[[], object], runs: int) -> float:
    call()
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        call()
        times.append(1000.0 * (time.perf_counter() - begin))
    return statistics.median(times)
