"""Every statistic, defined once: formula, unit and direction (method M8).

Tables, pages and documents are generated from `DEFINITIONS`. A statistic that is undefined is None, with its reason in
`Metrics.undefined`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from alphaoverlay.analysis.drawdowns import Drawdown, deepest_drawdown, drawdowns
from alphaoverlay.engine.backtesting import Backtest
from alphaoverlay.history import DAYS_A_YEAR, FloatArray

SESSIONS_A_YEAR = 252
YEARLY = math.sqrt(SESSIONS_A_YEAR)
Unit = Literal["fraction", "ratio", "multiple"]
Better = Literal["higher", "lower", "neither"]


@dataclass(frozen=True)
class Definition:
    """One statistic: its key in JSON, its label, unit, which way is better, and its formula in words."""

    key: str
    label: str
    unit: Unit
    better: Better
    formula: str


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        "final_value", "Final value of 1", "multiple", "higher", "value at the last close, from 1.0 before costs"
    ),
    Definition("cagr", "CAGR", "fraction", "higher", "final^(365.25 / calendar days) - 1"),
    Definition("volatility", "Volatility", "fraction", "lower", "std(daily returns, ddof=1) * sqrt(252)"),
    Definition(
        "sharpe", "Sharpe ratio", "ratio", "higher", "mean(excess) / std(excess, ddof=1) * sqrt(252), excess = r - c*d"
    ),
    Definition(
        "sortino", "Sortino ratio", "ratio", "higher", "mean(excess) / sqrt(mean(min(excess, 0)^2)) * sqrt(252)"
    ),
    Definition(
        "max_drawdown",
        "Max drawdown",
        "fraction",
        "higher",
        "least value / running peak - 1, from closes, the start included",
    ),
    Definition("calmar", "Calmar ratio", "ratio", "higher", "cagr / |max_drawdown|"),
    Definition("ulcer", "Ulcer index", "fraction", "lower", "sqrt(mean(drawdown^2)) over the closes"),
    Definition("upi", "Ulcer performance index", "ratio", "higher", "(cagr - cash cagr) / ulcer"),
    Definition(
        "tail_loss",
        "Tail loss (worst 5% of days)",
        "fraction",
        "higher",
        "mean of the worst 5% of daily returns, their number rounded up",
    ),
    Definition("worst_day", "Worst day", "fraction", "higher", "least daily return"),
    Definition(
        "worst_month", "Worst month", "fraction", "higher", "least return of a calendar month, part months included"
    ),
    Definition(
        "worst_year",
        "Worst calendar year",
        "fraction",
        "higher",
        "least return of a calendar year, part years included",
    ),
    Definition("skew", "Skewness", "ratio", "higher", "mean((r - mean)^3) / mean((r - mean)^2)^1.5 of daily returns"),
    Definition(
        "beta", "Beta to benchmark", "ratio", "neither", "slope of excess on the benchmark's excess (least squares)"
    ),
    Definition("tracking_error", "Tracking error", "fraction", "neither", "std(rp - rb, ddof=1) * sqrt(252)"),
    Definition(
        "up_capture",
        "Up capture",
        "ratio",
        "higher",
        "geometric mean monthly return over the benchmark's, in months in which it rose",
    ),
    Definition("down_capture", "Down capture", "ratio", "lower", "the same in months in which it fell"),
)

ACTIVE_DEFINITIONS: tuple[Definition, ...] = (
    Definition("cagr", "Active CAGR", "fraction", "higher", "CAGR of the portfolio minus CAGR of the benchmark"),
    Definition("tracking_error", "Tracking error", "fraction", "neither", "std(rp - rb, ddof=1) * sqrt(252)"),
    Definition("correlation", "Active correlation", "ratio", "neither", "correlation of (rp - rb) with rb"),
)


@dataclass(frozen=True)
class Metrics:
    """Statistics of one portfolio against its benchmark.

    Attributes
    ----------
    values : by key of `DEFINITIONS`; returns and drawdowns as fractions, None where undefined.
    undefined : key -> why the value is None.
    worst_drawdown : dates of the deepest drawdown; None where the value never fell.
    """

    values: Mapping[str, float | None]
    undefined: Mapping[str, str]
    worst_drawdown: Drawdown | None

    def __getitem__(self, key: str) -> float | None:
        return self.values[key]


class _Undefined(Exception):  # noqa: N818 - not an error, a reason
    """A statistic that has no value here; its text is the reason."""


def performance(portfolio: Backtest, benchmark: Backtest) -> Metrics:
    """Compute every statistic of `DEFINITIONS` (method M8).

    Parameters
    ----------
    portfolio, benchmark : backtests over the same sessions; for the benchmark itself give it twice.
    """
    lived = portfolio.growth.iloc[: len(portfolio.returns) + 1]
    values, undefined = _evaluate(_own(portfolio, lived) | _against(portfolio, benchmark))
    return Metrics(values, undefined, deepest_drawdown(lived))


def _own(portfolio: Backtest, lived: pd.Series) -> dict[str, Callable[[], float]]:
    """Statistics of the portfolio alone, up to its own ruin."""
    r = portfolio.returns.to_numpy(dtype=np.float64)
    accrual = portfolio.history.accrual[1 : len(r) + 1]
    days = float(portfolio.history.days[: len(r) + 1].sum())
    # Wealth starts at 1.0 before the purchase at the first close; its cost is in the value, not in a daily return.
    falls = drawdowns(lived)
    excess = r - accrual

    def downside() -> float:
        return math.sqrt(_mean(np.minimum(excess, 0.0) ** 2))

    def cagr() -> float:
        return annualised(portfolio.final_value, days)

    def cash_cagr() -> float:
        return annualised(float(np.prod(1.0 + accrual)), days)

    def ulcer() -> float:
        return math.sqrt(_mean(falls**2))

    return {
        "final_value": lambda: portfolio.final_value,
        "cagr": cagr,
        "volatility": lambda: _std(r) * YEARLY,
        "sharpe": lambda: _ratio(_mean(excess), _std(excess), "no variation") * YEARLY,
        "sortino": lambda: _ratio(_mean(excess), downside(), "no day below the cash return") * YEARLY,
        "max_drawdown": lambda: float(falls.min()),
        "calmar": lambda: _ratio(cagr(), -float(falls.min()), "no drawdown"),
        "ulcer": ulcer,
        "upi": lambda: _ratio(cagr() - cash_cagr(), ulcer(), "no drawdown"),
        "tail_loss": lambda: float(np.sort(r)[: -(-len(r) // 20)].mean()),
        "worst_day": lambda: float(r.min()),
        "worst_month": lambda: float(_compounded(portfolio.returns, "M").min()),
        "worst_year": lambda: float(_compounded(portfolio.returns, "Y").min()),
        "skew": lambda: _skew(r),
    }


def _against(portfolio: Backtest, benchmark: Backtest) -> dict[str, Callable[[], float]]:
    """Statistics that compare, up to the earlier ruin of the two."""
    r, b = _common_returns(portfolio, benchmark)
    accrual = portfolio.history.accrual[1 : len(r) + 1]
    own, other = r - accrual, b - accrual
    months, bench_months = (_compounded(x.returns.iloc[: len(r)], "M") for x in (portfolio, benchmark))
    return {
        "beta": lambda: _ratio(_cov(own, other), _cov(other, other), "the benchmark is flat"),
        "tracking_error": lambda: _std(r - b) * YEARLY,
        "up_capture": lambda: _capture(months, bench_months, bench_months > 0.0, "no month in which it rose"),
        "down_capture": lambda: _capture(months, bench_months, bench_months < 0.0, "no month in which it fell"),
    }


def active_performance(portfolio: Backtest, benchmark: Backtest) -> Metrics:
    """Compute the statistics of `ACTIVE_DEFINITIONS`: the portfolio against the benchmark (method M8)."""
    r, b = _common_returns(portfolio, benchmark)
    gap = r - b
    values, undefined = _evaluate(
        {
            "cagr": lambda: _own_cagr(portfolio) - _own_cagr(benchmark),
            "tracking_error": lambda: _std(gap) * YEARLY,
            "correlation": lambda: _ratio(
                _cov(gap, b), math.sqrt(_cov(gap, gap) * _cov(b, b)), "no active return, or a flat benchmark"
            ),
        }
    )
    return Metrics(values, undefined, None)


def annualised(growth: float, days: float) -> float:
    """Yearly rate of a growth multiple over calendar days: `growth^(365.25/days) - 1`."""
    try:
        return float(growth ** (DAYS_A_YEAR / days) - 1.0)
    except OverflowError:
        raise _Undefined("the span is too short to annualise") from None


def _own_cagr(backtest: Backtest) -> float:
    """CAGR up to the end or to ruin."""
    return annualised(backtest.final_value, float(backtest.history.days[: len(backtest.returns) + 1].sum()))


def _evaluate(computed: Mapping[str, Callable[[], float]]) -> tuple[dict[str, float | None], dict[str, str]]:
    values: dict[str, float | None] = {}
    undefined: dict[str, str] = {}
    for key, compute in computed.items():
        try:
            values[key] = float(compute())
        except _Undefined as reason:
            values[key] = None
            undefined[key] = str(reason)
    return values, undefined


def _common_returns(portfolio: Backtest, benchmark: Backtest) -> tuple[FloatArray, FloatArray]:
    """Daily returns of both, up to the earlier ruin."""
    n = min(len(portfolio.returns), len(benchmark.returns))
    return portfolio.returns.to_numpy(dtype=np.float64)[:n], benchmark.returns.to_numpy(dtype=np.float64)[:n]


def _compounded(returns: pd.Series, period: str) -> FloatArray:
    """Compounded return of each calendar month ("M") or year ("Y")."""
    growth = (1.0 + returns).groupby(pd.DatetimeIndex(returns.index).to_period(period)).prod()
    return growth.to_numpy(dtype=np.float64) - 1.0


def _mean(x: FloatArray) -> float:
    return float(np.mean(x))


def _std(x: FloatArray) -> float:
    if len(x) < 2:
        raise _Undefined("fewer than two daily returns")
    return float(np.std(x, ddof=1))


def _cov(x: FloatArray, y: FloatArray) -> float:
    if len(x) < 2:
        raise _Undefined("fewer than two daily returns")
    return float(np.mean((x - x.mean()) * (y - y.mean())))


def _ratio(top: float, bottom: float, reason: str) -> float:
    # Rounding leaves a spread of about 1e-17 in returns that are all equal.
    if abs(bottom) < 1e-15:
        raise _Undefined(reason)
    return top / bottom


def _skew(r: FloatArray) -> float:
    away = r - r.mean()
    spread = math.sqrt(_mean(away**2))
    if spread < 1e-15:
        raise _Undefined("no variation")
    return _mean((away / spread) ** 3)


def _capture(
    own: FloatArray, other: FloatArray, months: np.ndarray[tuple[int], np.dtype[np.bool_]], none: str
) -> float:
    if not months.any():
        raise _Undefined(none)
    own_mean, other_mean = (float(np.prod(1.0 + x[months]) ** (1.0 / months.sum()) - 1.0) for x in (own, other))
    return _ratio(own_mean, other_mean, none)
