"""Measures of the gap between two series of returns of one fund, built and real (method, "Tracking")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from alphaoverlay.errors import DataError
from alphaoverlay.funds.awkward import distributions
from alphaoverlay.funds.fund import Fund
from alphaoverlay.history import DAYS_A_YEAR, FloatArray, History, iso

TRIMMED = 10
WORST = 10
YEARLY = float(np.sqrt(252.0))
# A distribution can cause a gap of about its own size, times the leverage where it is the index's.
LARGEST_SHARE = 1.5
# A neighbouring session undoes a gap when it takes back at least this share of it.
UNDONE = 0.5

Cause = Literal["stale price", "distribution", "ex-dividend", "premium", "closing-time mismatch", "unexplained"]


@dataclass(frozen=True)
class Comparison:
    """Gaps of one way of building a fund, built minus real.

    Attributes
    ----------
    name : the way.
    sessions : how many were compared; fewer than the fund's where the way is not known on all.
    difference : tracking difference, of annualised log returns.
    trimmed : the same without the ten largest daily gaps.
    error : tracking error, yearly standard deviation of the daily gap in simple returns.
    r_squared, r_squared_weekly : squared correlation of daily simple, and of weekly log returns.
    worst_month, worst_month_gap : the calendar month (YYYY-MM) of the largest gap, and that gap in log return.
    """

    name: str
    sessions: int
    difference: float
    trimmed: float
    error: float
    r_squared: float
    r_squared_weekly: float
    worst_month: str
    worst_month_gap: float


@dataclass(frozen=True)
class GapDay:
    """A session with a large gap, and its likely cause."""

    day: pd.Timestamp
    real: float
    built: float
    gap: float
    cause: Cause


def log_gap(real: pd.Series, built: pd.Series) -> pd.Series:
    """Return built minus real in log return, session by session."""
    values: FloatArray = np.log1p(built.to_numpy(dtype=np.float64)) - np.log1p(real.to_numpy(dtype=np.float64))
    return pd.Series(values, index=real.index)


def compare(name: str, real: pd.Series, built: pd.Series, span: History) -> Comparison:
    """Measure one way of building a fund, on the sessions on which it is known.

    Parameters
    ----------
    real, built : simple returns on the same sessions; `built` may be NaN on some.
    span : the sessions, the close before the first return included.

    Raises
    ------
    DataError : no session on which both are known.
    """
    known = built.notna()
    if not known.any():
        raise DataError(f"{name} has no return on the compared sessions: compare over a span that its data cover")
    real, built = real[known], built[known]
    if (built <= -1.0).any():
        day = built.index[int((built <= -1.0).to_numpy().argmax())]
        raise DataError(f"{name} loses everything on {iso(day)}: compare over a span without that day (--start, --end)")
    days = pd.Series(span.days, index=span.dates)[real.index]
    years = float(days.sum()) / DAYS_A_YEAR
    gap = log_gap(real, built)
    largest = gap.abs().sort_values(kind="stable").index[-TRIMMED:]
    months = gap.groupby(pd.DatetimeIndex(gap.index).to_period("M")).sum()
    worst = int(months.abs().to_numpy().argmax())
    weeks = pd.DatetimeIndex(gap.index).to_period("W")
    weekly = [np.log1p(one).groupby(weeks).sum().to_numpy() for one in (built, real)]
    return Comparison(
        name=name,
        sessions=len(gap),
        difference=float(gap.sum()) / years,
        trimmed=float(gap.drop(largest).sum()) / years,
        error=float((real - built).std(ddof=1)) * YEARLY,
        r_squared=squared_correlation(built.to_numpy(), real.to_numpy()),
        r_squared_weekly=squared_correlation(*weekly),
        worst_month=str(months.index[worst]),
        worst_month_gap=float(months.iloc[worst]),
    )


def squared_correlation(x: FloatArray, y: FloatArray) -> float:
    """Return the squared correlation of two series; NaN where one does not vary."""
    x, y = x - x.mean(), y - y.mean()
    spread = float((x @ x) * (y @ y))
    return min(1.0, float(x @ y) ** 2 / spread) if spread > 0.0 else float("nan")


def yearly_gaps(real: pd.Series, built: pd.Series) -> pd.DataFrame:
    """Return tracking difference (not annualised), tracking error and sessions of each calendar year."""
    gap, apart = log_gap(real, built), real - built
    years = pd.DatetimeIndex(gap.index).year
    frame = pd.DataFrame(
        {
            "real": np.expm1(np.log1p(real).groupby(years).sum()),
            "synthetic": np.expm1(np.log1p(built).groupby(years).sum()),
            "tracking_difference": gap.groupby(years).sum(),
            "tracking_error": apart.groupby(years).std(ddof=1) * YEARLY,
            "sessions": gap.groupby(years).size(),
        }
    )
    frame.index.name = "year"
    return frame


def gap_days(fund: Fund, real: pd.Series, built: pd.Series, plain: str | None, history: History) -> tuple[GapDay, ...]:
    """Return the sessions of largest gap, largest first, each with a likely cause."""
    gap = log_gap(real, built)
    largest = gap.abs().sort_values(ascending=False, kind="stable").index[:WORST]
    paid = distributions(fund.symbol, history)
    plain_paid = distributions(plain, history) if plain is not None else paid.iloc[:0]
    found = []
    for day in largest:
        cause = _cause(fund, day, gap, real, paid, plain_paid, history)
        found.append(GapDay(day, float(real[day]), float(built[day]), float(gap[day]), cause))
    return tuple(found)


def _cause(
    fund: Fund,
    day: pd.Timestamp,
    gap: pd.Series,
    real: pd.Series,
    paid: pd.Series,
    plain_paid: pd.Series,
    history: History,
) -> Cause:
    """Name the first cause that fits; what fits is likely, not proven."""
    size = abs(float(gap[day]))
    if _stale(fund.symbol, day, real, history):
        return "stale price"
    if day in paid.index and size <= LARGEST_SHARE * float(paid[day]):
        return "distribution"
    if day in plain_paid.index and size <= LARGEST_SHARE * abs(fund.leverage) * float(plain_paid[day]):
        return "ex-dividend"
    if fund.symbol in history.nav.columns:
        premium = (history.close[fund.symbol] / history.nav[fund.symbol]).apply(np.log).diff()
        if abs(float(premium[day]) + float(gap[day])) <= UNDONE * size:
            return "premium"
    at = int(pd.DatetimeIndex(gap.index).searchsorted(day))
    beside = [float(gap.iloc[k]) for k in (at - 1, at + 1) if 0 <= k < len(gap)]
    if any(other * float(gap[day]) < 0.0 and abs(other) >= UNDONE * size for other in beside):
        return "closing-time mismatch"
    return "unexplained"


def _stale(symbol: str, day: pd.Timestamp, real: pd.Series, history: History) -> bool:
    if symbol in history.volume.columns and history.volume[symbol][day] == 0.0:
        return True
    return float(real[day]) == 0.0
