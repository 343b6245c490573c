"""Where the exposures went between rebalances, and how often and how far outside a band (methods M3 and M7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alphaoverlay.engine.backtesting import Backtest
from alphaoverlay.engine.bands import Band, Measure, band_measures, compile_bands, measure_values
from alphaoverlay.history import FloatArray

TOTALS = ("net", "gross", "active")


@dataclass(frozen=True)
class Breach:
    """How a band fared at the closes after the purchase, before trades.

    Attributes
    ----------
    measure : what was looked at, and the band.
    target : its value at the target weights that the last close was compared with.
    sessions, looked_at : closes at which it was outside, and all.
    farthest : the largest deviation from the target, signed, and `day` of it; inside the band too.
    beyond : by how much the farthest breach was outside; 0 without one.
    """

    measure: Measure
    target: float
    sessions: int
    looked_at: int
    farthest: float
    day: pd.Timestamp
    beyond: float

    @property
    def share(self) -> float:
        """Share of the closes at which the band was broken."""
        return self.sessions / self.looked_at


def exposure_history(backtest: Backtest, benchmark: Mapping[str, float]) -> pd.DataFrame:
    """Return exposures after the close's trades: a column an index, then net, gross and active (method M3).

    Parameters
    ----------
    backtest : up to its end where it ended early.
    benchmark : exposures of the benchmark's target weights, for active.
    """
    return with_totals(backtest.exposures.loc[backtest.value > 0.0], benchmark)


def with_totals(exposures: pd.DataFrame, benchmark: Mapping[str, float]) -> pd.DataFrame:
    """Return exposures by index with the columns net, gross and active."""
    names = list(dict.fromkeys([*exposures.columns, *benchmark]))
    away = exposures.reindex(columns=names, fill_value=0.0) - pd.Series(benchmark, dtype=np.float64).reindex(
        names, fill_value=0.0
    )
    return exposures.assign(net=exposures.sum(axis=1), gross=exposures.abs().sum(axis=1), active=away.abs().sum(axis=1))


def target_exposures(backtest: Backtest) -> pd.DataFrame:
    """Return the exposures of the target weights in force on each session, a column an index."""
    columns = list(backtest.targets.symbols)
    return backtest.look_through(pd.DataFrame(backtest.in_force, index=backtest.history.dates, columns=columns))


def breaches(backtest: Backtest, bands: Sequence[Band], benchmark: Mapping[str, float]) -> tuple[Breach, ...]:
    """Measure bands against what the weights really were, whether or not the rule watched them.

    Parameters
    ----------
    backtest : with tranches, all of them together are looked at.
    bands : any; they need not be the rule's own.
    benchmark : exposures of the benchmark's target weights, for bands on active.

    Raises
    ------
    StudyError : a band that makes no sense for this portfolio.
    """
    funds = backtest.fund_returns.funds
    arrays = compile_bands(bands, funds, backtest.targets.rows, benchmark)
    lived = slice(1, int((backtest.value > 0.0).sum()))
    weights = backtest.weights_before.to_numpy(dtype=np.float64)[lived]
    # A close is compared with the targets in force before it, without funds that are lost at it.
    aims = measure_values(arrays, (backtest.in_force[:-1] * backtest.alive[1:])[: len(weights)])
    away = measure_values(arrays, weights) - aims
    dates = backtest.history.dates[lived]
    return tuple(
        _breach(one, away[:, k], aims[:, k], dates) for k, one in enumerate(band_measures(bands, funds)) if len(dates)
    )


def _breach(measure: Measure, away: FloatArray, aims: FloatArray, dates: pd.DatetimeIndex) -> Breach:
    band = measure.band
    unit = np.abs(aims) if band.kind == "relative" else np.ones(len(aims))
    # A share of a lost fund's target is nothing, even where the share has no limit.
    above, below = (
        np.where(unit > 0.0, size * np.where(unit > 0.0, unit, 1.0), 0.0) for size in (band.above, band.below)
    )
    outside = np.maximum(away - above, -away - below)
    far = int(np.argmax(np.abs(away)))
    return Breach(
        measure=measure,
        target=float(aims[-1]),
        sessions=int((outside > 1e-12).sum()),
        looked_at=len(away),
        farthest=float(away[far]),
        day=dates[far],
        beyond=max(float(outside.max()), 0.0),
    )
