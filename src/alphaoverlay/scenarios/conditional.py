"""What a portfolio pays on paths that end as stated, under each rebalancing rule (method M9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from alphaoverlay.engine.path_running import PathRunner
from alphaoverlay.history import FloatArray
from alphaoverlay.overlays.portfolio import exposure_matrix, indices_of
from alphaoverlay.scenarios.paths import own_days
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
    worst_drawdown, median_drawdown : of the portfolio, over the paths.
    exposures : by index, the mean at the end.
    paths : how many.
    """

    excess: Mapping[float, Estimate]
    mean: Estimate
    below: Estimate
    worst_drawdown: float
    median_drawdown: float
    exposures: Mapping[str, float]
    paths: int


def excess_on(pair: Pair, log_returns: FloatArray) -> float:
    """Return the excess on one path of daily log returns, shape (sessions, K)."""
    paths = own_days(np.expm1(log_returns)[None])
    own, base = (one.run(one.moves(paths.table), paths.rows, NO_MARKS) for one in (pair.portfolio, pair.benchmark))
    return float(own.growth[0] - base.growth[0])


def run_rules(
    pairs: Mapping[str, Pair], batches: Iterable[FloatArray], effective: float | None = None
) -> dict[str, RuleOutcome]:
    """Run every rule on the same paths.

    Parameters
    ----------
    pairs : by rule, of one portfolio and one benchmark.
    batches : daily log returns, shape (paths, sessions, K) each.
    effective : independent paths behind those that were drawn; as many where None.

    Returns
    -------
    Outcomes by rule; empty where there are no paths.
    """
    excess: dict[str, list[FloatArray]] = {name: [] for name in pairs}
    falls: dict[str, list[FloatArray]] = {name: [] for name in pairs}
    ends: dict[str, list[FloatArray]] = {name: [] for name in pairs}
    for log_returns in batches:
        paths = own_days(np.expm1(log_returns))
        one = next(iter(pairs.values()))
        moves, base_moves = one.portfolio.moves(paths.table), one.benchmark.moves(paths.table)
        for name, pair in pairs.items():
            own = pair.portfolio.run(moves, paths.rows, NO_MARKS, weights=True)
            base = pair.benchmark.run(base_moves, paths.rows, NO_MARKS)
            excess[name].append(own.growth - base.growth)
            falls[name].append(own.max_drawdown)
            ends[name].append(own.weights)
    if not any(excess.values()):
        return {}
    return {
        name: _outcome(
            pair,
            np.concatenate(excess[name]),
            np.concatenate(falls[name]),
            np.concatenate(ends[name], axis=1),
            effective,
        )
        for name, pair in pairs.items()
    }


def _outcome(
    pair: Pair, excess: FloatArray, falls: FloatArray, weights: FloatArray, effective: float | None
) -> RuleOutcome:
    count = len(excess)
    independent = count if effective is None else min(float(count), effective)
    funds = pair.portfolio.portfolio.funds
    names = indices_of(funds)
    seen = exposure_matrix(funds, names) @ weights.mean(axis=1)
    error = float(excess.std(ddof=1)) / np.sqrt(independent) if count > 1 else None
    return RuleOutcome(
        excess=estimate_quantiles(partial(order_statistics, np.sort(excess)), (0.05, 0.50, 0.95), independent),
        mean=Estimate(float(excess.mean()), error),
        below=_share_below(excess, independent),
        worst_drawdown=float(falls.min()),
        median_drawdown=float(np.median(falls)),
        exposures={name: float(x) for name, x in zip(names, seen, strict=True)},
        paths=count,
    )


def _share_below(excess: FloatArray, independent: float) -> Estimate:
    """The share of paths below the benchmark; error and bound are those of as many independent paths."""
    count = len(excess)
    share = share_of(int((excess < 0.0).sum()), count)
    if share.error is not None:
        return Estimate(share.value, share.error * float(np.sqrt(count / independent)))
    least = 1.0 - 0.05 ** (1.0 / independent)
    return Estimate(share.value, None, least if share.value == 0.0 else 1.0 - least)
