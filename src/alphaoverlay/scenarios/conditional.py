"""What a portfolio pays on paths that end as stated, under each rebalancing rule (method M9)."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from alphaoverlay.engine.path_running import PathRunner
from alphaoverlay.history import FloatArray
from alphaoverlay.overlays.portfolio import exposure_matrix, indices_of
from alphaoverlay.scenarios.paths import Paths, own_days
from alphaoverlay.scenarios.tally import Estimate, estimate_quantiles, order_statistics, share_of

NO_MARKS = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Pair:
    """A portfolio and its benchmark under one rule."""

    portfolio: PathRunner
    benchmark: PathRunner


@dataclass(frozen=True)
class RuleOutcome:
    """What one rule came to over the paths.

    Attributes
    ----------
    excess : quantiles at 5, 50 and 95% of the portfolio's simple return minus the benchmark's.
    mean : of that excess.
    below : share of paths on which it is negative.
    over_own : mean of that excess minus the one under the rule that all are compared with, path by path; None without
        such a rule.
    worst_drawdown, median_drawdown : of the portfolio, over the paths; the worst of so many paths has no error.
    exposures : by index, the mean at the end.
    paths : how many.
    """

    excess: Mapping[float, Estimate]
    mean: Estimate
    below: Estimate
    over_own: Estimate | None
    worst_drawdown: float
    median_drawdown: Estimate
    exposures: Mapping[str, Estimate]
    paths: int


def excess_on(pair: Pair, log_returns: FloatArray) -> float:
    """Return the excess on one path of daily log returns, shape (sessions, K)."""
    paths = own_days(np.expm1(log_returns)[None])
    own, base = (one.run(one.moves(paths.table), paths.rows, NO_MARKS) for one in (pair.portfolio, pair.benchmark))
    return float(own.growth[0] - base.growth[0])


def run_rules(
    pairs: Mapping[str, Pair], batches: Iterable[FloatArray], effective: float | None = None, own: str | None = None
) -> dict[str, RuleOutcome]:
    """Run every rule on the same paths.

    Parameters
    ----------
    pairs : by rule, of one portfolio and one benchmark.
    batches : daily log returns, shape (paths, sessions, K) each.
    effective : independent paths behind those that were drawn; as many where None.
    own : the rule that all are compared with.

    Returns
    -------
    Outcomes by rule; empty where there are no paths.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        ran = [_run_batch(list(pairs.values()), own_days(np.expm1(one)), pool) for one in batches]
    if not ran:
        return {}
    joined = {name: _joined(each) for name, each in zip(pairs, zip(*ran, strict=True), strict=True)}
    count = len(next(iter(joined.values())).excess)
    independent = float(count) if effective is None else min(float(count), effective)
    beside = None if own is None else joined[own].excess
    return {name: _outcome(pairs[name], one, independent, beside) for name, one in joined.items()}


class _Ran(NamedTuple):
    """What one rule came to on each path of a batch; shape (paths,), and that of the weights (m, paths)."""

    excess: FloatArray
    falls: FloatArray
    weights: FloatArray


def _run_batch(pairs: Sequence[Pair], paths: Paths, pool: ThreadPoolExecutor) -> list[_Ran]:
    runners = (pairs[0].portfolio, pairs[0].benchmark)
    moves, base_moves = pool.map(lambda runner: runner.moves(paths.table), runners)

    def run(pair: Pair) -> _Ran:
        own = pair.portfolio.run(moves, paths.rows, NO_MARKS, weights=True)
        base = pair.benchmark.run(base_moves, paths.rows, NO_MARKS)
        return _Ran(own.growth - base.growth, own.max_drawdown, own.weights)

    return list(pool.map(run, pairs))


def _joined(parts: Sequence[_Ran]) -> _Ran:
    return _Ran(*(np.concatenate(each, axis=-1) for each in zip(*parts, strict=True)))


def _outcome(pair: Pair, ran: _Ran, independent: float, beside: FloatArray | None) -> RuleOutcome:
    excess, falls, weights = ran
    funds = pair.portfolio.portfolio.funds
    names = indices_of(funds)
    seen = exposure_matrix(funds, names) @ weights
    return RuleOutcome(
        excess=estimate_quantiles(partial(order_statistics, np.sort(excess)), (0.05, 0.50, 0.95), independent),
        mean=_mean(excess, independent),
        below=_share_below(excess, independent),
        over_own=None if beside is None else _mean(excess - beside, independent),
        worst_drawdown=float(falls.min()),
        median_drawdown=estimate_quantiles(partial(order_statistics, np.sort(falls)), (0.50,), independent)[0.50],
        exposures={name: _mean(each, independent) for name, each in zip(names, seen, strict=True)},
        paths=len(excess),
    )


def _mean(values: FloatArray, independent: float) -> Estimate:
    error = float(values.std(ddof=1)) / math.sqrt(independent) if len(values) > 1 else None
    return Estimate(float(values.mean()), error)


def _share_below(excess: FloatArray, independent: float) -> Estimate:
    """The share of paths below the benchmark; error and bound are those of as many independent paths."""
    count = len(excess)
    share = share_of(int((excess < 0.0).sum()), count)
    if share.error is not None:
        return Estimate(share.value, share.error * float(np.sqrt(count / independent)))
    least = 1.0 - 0.05 ** (1.0 / independent)
    return Estimate(share.value, None, least if share.value == 0.0 else 1.0 - least)
