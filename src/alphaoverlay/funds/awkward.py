"""What is awkward in a fund's prices: found and reported, never repaired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.index_returns import IndexReturns
from alphaoverlay.history import History, iso

# Vendors round prices to about six figures: a smaller gap between close and adjusted close is no distribution.
LEAST_DISTRIBUTION = 0.0003
# A year's daily gap between a plain fund and its index is put down to closing times from this multiple of a usual one.
UNUSUAL = 3.0
SPLITS = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0)
SPLIT_SLACK = 0.10
STILL = 0.01

Kind = Literal["closing times", "distributions", "split", "zero volume", "unchanged price", "no close"]


@dataclass(frozen=True)
class Finding:
    """One thing worth knowing about the prices.

    Attributes
    ----------
    kind, symbol : what, and of which symbol.
    days : the sessions concerned, or the first of each span.
    sentence : the finding in words.
    """

    kind: Kind
    symbol: str
    days: tuple[pd.Timestamp, ...]
    sentence: str


def distributions(symbol: str, history: History) -> pd.Series:
    """Return what a symbol paid out, as a share of its price, on the sessions on which it went ex; by close and "
    "adj_close."""
    close = history.close[symbol].to_numpy(dtype=np.float64)
    adjusted = history.adj_close[symbol].to_numpy(dtype=np.float64)
    with np.errstate(invalid="ignore"):
        paid = 1.0 - (close[1:] / close[:-1]) / (adjusted[1:] / adjusted[:-1])
    # Stored to a few decimals, low adjusted prices jitter: a distribution must stand out from the rounding.
    jitter = np.array([_grain(adjusted) / adjusted[1:], _grain(close) / close[1:]]).sum(axis=0)
    shown = paid > np.maximum(LEAST_DISTRIBUTION, 4.0 * jitter)
    return pd.Series(paid[shown], index=history.dates[1:][shown])


def _grain(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """The unit the prices are rounded to, a millionth at the finest."""
    known = values[~np.isnan(values)][:500]
    return next((10.0**-k for k in range(6) if np.allclose(known * 10**k, np.round(known * 10**k), atol=1e-6)), 1e-6)


def awkward_prices(
    fund: Fund,
    real: pd.Series,
    built: pd.Series,
    plain_symbol: str | None,
    plain: pd.Series | None,
    indices: Mapping[str, IndexReturns],
    history: History,
) -> tuple[Finding, ...]:
    """Look over the prices of a fund on the compared sessions.

    Parameters
    ----------
    fund : the fund.
    real, built : simple returns on the compared sessions.
    plain_symbol, plain : the plain fund on the same index and its simple returns there, or None.
    indices : default index returns.
    history : prices.
    """
    found = [
        *_closing_times(fund, real, plain_symbol, plain, indices),
        *_splits(fund.symbol, real, built),
        *_still(fund.symbol, real, built, history),
        *_paid(fund.symbol, real, history),
    ]
    return tuple(found)


def _closing_times(
    fund: Fund, real: pd.Series, plain_symbol: str | None, plain: pd.Series | None, indices: Mapping[str, IndexReturns]
) -> list[Finding]:
    """Years in which a fund and its index were not priced at the same moment."""
    if len(fund.exposures) != 1:
        return []
    [name] = fund.exposures
    # A plain fund speaks for itself; a leveraged one is judged by the plain fund on its index.
    symbol, own = (fund.symbol, real) if fund.leverage == 1.0 else (plain_symbol, plain)
    if symbol is None or own is None:
        return []
    gap = (own - indices[name].returns.reindex(own.index)).dropna()
    years = gap.groupby(pd.DatetimeIndex(gap.index).year)
    spread = years.std(ddof=1)[years.size() >= 60]
    undone = years.apply(lambda g: float(g.autocorr(1)))
    usual = float(spread.median()) if len(spread) else 0.0
    odd = [int(str(year)) for year in spread.index if spread[year] > UNUSUAL * usual and undone[year] < -0.2]
    if not odd:
        return []
    mean = float(spread[odd].mean())
    stamps = pd.DatetimeIndex(gap.index)
    days = tuple(stamps[stamps.year == year][0] for year in odd)
    return [
        Finding(
            "closing times",
            symbol,
            days,
            f"In {_years(odd)} the closes of {symbol} and {name} were often apart and together again a session "
            "later: a "
            f"daily gap of {mean:.2%} (standard deviation), {usual:.2%} in a usual year. Prices taken at different "
            "moments, "
            "as before 2003, or a market in stress. Daily figures of those years say little; yearly ones are hardly "
            "touched.",
        )
    ]


def _years(years: list[int]) -> str:
    spans = np.split(np.array(years), np.flatnonzero(np.diff(years) != 1) + 1)
    return ", ".join(f"{span[0]}" if len(span) == 1 else f"{span[0]}-{span[-1]}" for span in spans)


def _splits(symbol: str, real: pd.Series, built: pd.Series) -> list[Finding]:
    """Sessions on which the price jumped against its index as by an unadjusted split."""
    ratio = (1.0 + real) / (1.0 + built)
    found = []
    for day, value in ratio[(ratio > 1.6) | (ratio < 1.0 / 1.6)].items():
        factor = next((k for k in SPLITS if abs(max(value, 1.0 / value) / k - 1.0) <= SPLIT_SLACK), None)
        if factor is not None:
            written = f"1-for-{factor:g} reverse" if value > 1.0 else f"{factor:g}-for-1"
            found.append(
                Finding(
                    "split",
                    symbol,
                    (pd.Timestamp(str(day)),),
                    f"{symbol} moved {value - 1.0:+.0%} against its index on {iso(pd.Timestamp(str(day)))}: this "
                    "looks like a "
                    f"{written} split that the prices are not adjusted for. Every figure here is spoiled by it.",
                )
            )
    return found


def _still(symbol: str, real: pd.Series, built: pd.Series, history: History) -> list[Finding]:
    """Sessions without trades, or on which the price stood still while the index moved."""
    found = []
    if symbol in history.volume.columns:
        none = history.volume[symbol].reindex(real.index)
        if len(days := real.index[(none == 0.0).to_numpy()]):
            found.append(
                Finding(
                    "zero volume", symbol, tuple(days), f"{symbol} was not traded on {_some(days)}: its price is old."
                )
            )
    still = real.index[((real == 0.0) & (built.abs() > STILL)).to_numpy()]
    if len(still):
        found.append(
            Finding(
                "unchanged price",
                symbol,
                tuple(still),
                f"The price of {symbol} stood still on {_some(still)}, while its index should have moved it by more "
                f"than {STILL:.0%}.",
            )
        )
    return found


def _some(days: pd.Index) -> str:
    shown = ", ".join(iso(day) for day in days[:3])
    return shown if len(days) <= 3 else f"{len(days)} sessions, first {shown}"


def _paid(symbol: str, real: pd.Series, history: History) -> list[Finding]:
    """What the fund paid out, and where that cannot be known."""
    close = history.close[symbol].reindex(real.index)
    if unknown := int(close.isna().sum()):
        days = tuple(close.index[close.isna().to_numpy()][:1])
        return [
            Finding(
                "no close",
                symbol,
                days,
                f"{symbol} has no unadjusted close on {unknown:,} of {len(close):,} sessions: its distributions, "
                "and gaps "
                "that they cause, cannot be told there.",
            )
        ]
    paid = distributions(symbol, history)
    paid = paid[paid.index.isin(real.index)]
    if paid.empty:
        return []
    return [
        Finding(
            "distributions",
            symbol,
            tuple(paid.index),
            f"{symbol} paid {len(paid)} distributions, the largest {paid.max():.2%} of its price on "
            f"{iso(paid.index[int(paid.to_numpy().argmax())])}; the returns include them.",
        )
    ]
