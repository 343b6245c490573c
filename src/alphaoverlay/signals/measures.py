"""Every signal as a series stamped when known: its name, its definition, and its values (method M11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from alphaoverlay.signals.relative_value import (
    SESSIONS_A_YEAR,
    TWENTY_YEARS,
    WINDOW,
    Pair,
    annualised_difference,
    difference,
    telltale,
    trailing_percentile,
    trailing_zscore,
)

TREND, YEAR, QUARTER = 200, 252, 63
CALM, STORMY = 0.2, 0.8
Unit = Literal["fraction", "ratio", "share", "deviations"]


@dataclass(frozen=True)
class Measure:
    """One signal.

    Attributes
    ----------
    key, label : its name in data and on screen.
    formula : what it is, in words; `a` and `b` are the daily returns of the long and the short leg.
    unit : of its values.
    """

    key: str
    label: str
    formula: str
    unit: Unit


MEASURES = (
    Measure("difference", "Difference over the window", "A_t/A_(t-n) - B_t/B_(t-n)", "fraction"),
    Measure("annualised", "Difference a year", "(A_t/A_(t-n))^(252/n) - (B_t/B_(t-n))^(252/n)", "fraction"),
    Measure("ratio", "Telltale ratio", "(A_t/A_0) / (B_t/B_0)", "ratio"),
    Measure("percentile_all", "Percentile, all history", "rank of the difference among all so far", "share"),
    Measure("percentile_20y", "Percentile, 20 years", "the same among the last 5,040", "share"),
    Measure("zscore", "z-score, all history", "(difference - mean)/std of all so far", "deviations"),
    Measure("zscore_20y", "z-score, 20 years", "the same of the last 5,040", "deviations"),
    Measure("trend", "Trend of the ratio", "ratio / mean of its last 200 - 1", "fraction"),
    Measure("trend_long", "Trend of the long leg", "A / mean of its last 200 - 1", "fraction"),
    Measure("momentum", "Momentum of the spread", "A_t/A_(t-252) - B_t/B_(t-252)", "fraction"),
    Measure("volatility", "Volatility of the spread", "std(a - b) of the last 63 * sqrt(252)", "fraction"),
    Measure("volatility_long", "Volatility of the long leg", "std(a) of the last 63 * sqrt(252)", "fraction"),
    Measure("volatility_percentile", "Volatility's percentile", "rank of the spread's volatility so far", "share"),
    Measure("correlation", "Correlation of the legs", "of a and b over the last 252", "ratio"),
    Measure("rate_change", "Change of the financing rate", "over 252 sessions, known a session later", "fraction"),
)


def measure_all(pair: Pair, window: int = WINDOW, rate: pd.Series | None = None) -> pd.DataFrame:
    """Return every measure, n rows, a column a key of `MEASURES`; NaN where it is not known.

    Each value uses nothing later than its session.

    Parameters
    ----------
    pair : the two legs.
    window : sessions of the difference.
    rate : the financing rate by session, yearly fraction; without it `rate_change` is unknown.

    Raises
    ------
    SpanError : fewer sessions than the window needs.
    """
    gap, ratio = difference(pair, window), telltale(pair)
    a, b = (one / one.shift(1) - 1.0 for one in (pair.long, pair.short))
    spread_volatility = _volatility(a - b)
    found = {
        "difference": gap,
        "annualised": annualised_difference(pair, window),
        "ratio": ratio,
        "percentile_all": trailing_percentile(gap),
        "percentile_20y": trailing_percentile(gap, TWENTY_YEARS),
        "zscore": trailing_zscore(gap),
        "zscore_20y": trailing_zscore(gap, TWENTY_YEARS),
        "trend": _trend(ratio),
        "trend_long": _trend(pair.long),
        "momentum": pair.long / pair.long.shift(YEAR) - pair.short / pair.short.shift(YEAR),
        "volatility": spread_volatility,
        "volatility_long": _volatility(a),
        "volatility_percentile": trailing_percentile(spread_volatility),
        "correlation": _correlation(a, b),
        "rate_change": _rate_change(rate, pair.dates),
    }
    return pd.DataFrame({one.key: found[one.key] for one in MEASURES}, index=pair.dates)


def regime(percentile: float) -> str:
    """Name a volatility's percentile: low, normal or high; "unknown" where there is none."""
    if np.isnan(percentile):
        return "unknown"
    return "low" if percentile <= CALM else "high" if percentile >= STORMY else "normal"


def _trend(levels: pd.Series) -> pd.Series:
    return levels / levels.rolling(TREND).mean() - 1.0


def _volatility(returns: pd.Series) -> pd.Series:
    return returns.rolling(QUARTER).std(ddof=1) * float(np.sqrt(SESSIONS_A_YEAR))


def _correlation(a: pd.Series, b: pd.Series) -> pd.Series:
    """Unknown where a leg stood still throughout."""
    still = (a.rolling(YEAR).std() < 1e-12) | (b.rolling(YEAR).std() < 1e-12)
    return a.rolling(YEAR).corr(b).where(~still)


def _rate_change(rate: pd.Series | None, dates: pd.DatetimeIndex) -> pd.Series:
    if rate is None:
        return pd.Series(np.nan, index=dates)
    # A rate is published on the morning after its date.
    return (rate - rate.shift(YEAR)).shift(1).reindex(dates)
