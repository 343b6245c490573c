"""Half the bid-ask spread of each fund, by date, wider on volatile days (method M6); most of it is assumed."""

from __future__ import annotations

import datetime
import math
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import pandas as pd

from alphaoverlay.funds.fund import Fund

# Beyond a tenth of the price nobody calls it a spread.
MOST_BPS = 1000.0


@dataclass(frozen=True)
class HalfSpread:
    """A half-spread in basis points from a day on; `verified`: read in the document named in `source`."""

    since: datetime.date
    bps: float
    verified: bool
    source: str


@dataclass(frozen=True)
class Widening:
    """Times `factor` when the volatility of a fund's last `window` returns, a year and over |L|, is above `above`."""

    factor: float
    above: float
    window: int = 21


@lru_cache(maxsize=1)
def _packaged() -> tuple[dict[str, tuple[HalfSpread, ...]], HalfSpread, Widening]:
    text = (files("alphaoverlay.funds") / "half_spreads.toml").read_text(encoding="utf-8")
    read = tomllib.loads(text)
    by_fund = {
        entry["symbol"]: tuple(
            HalfSpread(row["from"], float(row["bps"]), bool(row["verified"]), row["source"]) for row in entry["history"]
        )
        for entry in read["fund"]
    }
    rest, wide = read["default"], read["widened"]
    default = HalfSpread(datetime.date.min, float(rest["bps"]), bool(rest["verified"]), rest.get("note", ""))
    return by_fund, default, Widening(float(wide["factor"]), float(wide["above"]), int(wide["window"]))


def default_widening() -> Widening:
    """Return the packaged factor for volatile days."""
    return _packaged()[2]


def half_spreads_of(symbol: str) -> tuple[HalfSpread, ...]:
    """Return a fund's half-spreads, oldest first; for one that is not listed, the default alone."""
    by_fund, default, _ = _packaged()
    return by_fund.get(symbol, (default,))


def half_spread_series(rows: tuple[HalfSpread, ...], dates: pd.DatetimeIndex) -> pd.Series:
    """Return the half-spread in force on each session, basis points; the first row also holds before its day."""
    since = np.array([row.since for row in rows], dtype="datetime64[D]")
    which = np.maximum(np.searchsorted(since, dates.to_numpy().astype("datetime64[D]"), side="right") - 1, 0)
    return pd.Series(np.array([row.bps for row in rows])[which], index=dates, dtype=np.float64)


def widened(bps: pd.Series, fund: Fund, returns: pd.Series, widening: Widening) -> pd.Series:
    """Multiply half-spreads by the factor on volatile days, told by returns up to that day's close.

    Parameters
    ----------
    bps : by session.
    returns : the fund's daily returns on the same sessions, best with some before they are needed.
    """
    if widening.factor == 1.0:
        return bps
    yearly = returns.rolling(widening.window).std(ddof=1) * math.sqrt(252.0)
    # A fund of less than one time its index is held against itself.
    wild = (yearly / max(abs(fund.leverage), 1.0) > widening.above).to_numpy()
    return bps.where(~wild, (bps * widening.factor).clip(upper=MOST_BPS))
