"""What is awkward in a fund's prices: found and reported, never repaired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.index_returns import IndexReturns
from alphaoverlay.history import FloatArray, History, iso

# Vendors round prices to about six figures: a smaller gap between close and adjusted close is no distribution.
LEAST_DISTRIBUTION = 0.0003
# A year's daily gap between a plain fund and its index is put down to closing times from this multiple of a usual one.
UNUSUAL = 3.0
# ... and from this size on: rounded prices alone part by less.
LEAST_GAP = 0.0005
# ... if the next session undoes much of it (a gap's correlation with the next), in a year with enough sessions.
UNDONE_NEXT, ENOUGH_OF_A_YEAR = -0.2, 60
# A move against the index by more than this factor is a jump, and near a whole factor it looks like a split.
JUMP, SPLIT_SLACK = 1.6, 0.10
USUAL_SPLITS = (2, 3, 4, 5, 8, 10, 20, 25, 50, 100)
# A price that stands still is worth a word when its index should have moved it by more than this.
STILL = 0.01

Kind = Literal["closing times", "distributions", "jump", "zero volume", "unchanged price", "no close"]


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
    """Return what a symbol paid out, as a share of its price, on the sessions on which it went ex."""
    close = history.close[symbol].to_numpy(dtype=np.float64)
    adjusted = history.adj_close[symbol].to_numpy(dtype=np.float64)
    with np.errstate(invalid="ignore"):
        paid = 1.0 - (close[1:] / close[:-1]) / (adjusted[1:] / adjusted[:-1])
    # Stored to a few decimals, low adjusted prices jitter: a distribution must stand out from the rounding.
    jitter = _grain(close)[1:] / close[1:] + _grain(adjusted)[1:] / adjusted[1:]
    shown = paid > np.maximum(LEAST_DISTRIBUTION, 4.0 * jitter)
    return pd.Series(paid[shown], index=history.dates[1:][shown])


def _grain(prices: FloatArray) -> FloatArray:
    """The unit that prices are rounded to around each session, a millionth at the finest."""
    unit = np.full(len(prices), 1e-6)
    for places in range(5, -1, -1):
        scaled = prices * 10.0**places
        unit[np.abs(scaled - np.round(scaled)) < 1e-6] = 10.0**-places
    # A price that happens to end in zeros is no coarser than its neighbours.
    around = pd.Series(unit).rolling(21, center=True, min_periods=1).min()
    return around.to_numpy(dtype=np.float64)


def awkward_prices(
    fund: Fund,
    real: pd.Series,
    built: pd.Series,
    plain_symbol: str | None,
    indices: Mapping[str, IndexReturns],
    history: History,
) -> tuple[Finding, ...]:
    """Look over the prices of a fund on the compared sessions.

    Parameters
    ----------
    fund : the fund.
    real, built : simple returns on the compared sessions.
    plain_symbol : the plain fund on the same index, or None.
    indices : default index returns, on the whole history.
    history : prices.
    """
    found = [
        *_closing_times(fund, real, plain_symbol, indices, history),
        *_splits(fund.symbol, real, built),
        *_still(fund.symbol, real, built, history),
        *_paid(fund.symbol, real, history),
    ]
    return tuple(found)


def _closing_times(
    fund: Fund, real: pd.Series, plain_symbol: str | None, indices: Mapping[str, IndexReturns], history: History
) -> list[Finding]:
    """Years, of those compared, in which a fund and its index were not priced at the same moment.

    A plain fund speaks for itself; a leveraged one is judged by the plain fund on its index. They are held against a
    quiet year of the pair's whole history, so that the answer does not depend on what is compared.
    """
    symbol = fund.symbol if fund.leverage == 1.0 else plain_symbol
    if len(fund.exposures) != 1 or symbol is None:
        return []
    [name] = fund.exposures
    gap = (history.total_returns[symbol] - indices[name].returns).dropna()
    years = gap.groupby(pd.DatetimeIndex(gap.index).year)
    spread = years.std(ddof=1)[years.size() >= ENOUGH_OF_A_YEAR]
    if spread.empty:
        return []
    undone = years.apply(_correlation_with_the_next)
    usual = float(spread.quantile(0.25))
    compared = set(pd.DatetimeIndex(real.index).year)
    odd = [
        int(str(year))
        for year in spread.index
        if year in compared and spread[year] > max(UNUSUAL * usual, LEAST_GAP) and undone[year] < UNDONE_NEXT
    ]
    if not odd:
        return []
    stamps = pd.DatetimeIndex(gap.index)
    return [
        Finding(
            "closing times",
            symbol,
            tuple(stamps[stamps.year == year][0] for year in odd),
            f"In {_years(odd)} the closes of {symbol} and {name} were often apart and together again a session later: "
            f"a daily gap of {float(spread[odd].mean()):.2%} (standard deviation), {usual:.2%} in a quiet year. Prices "
            "taken at different moments, as before 2003, or a market in stress. Daily figures of those years say "
            "little.",
        )
    ]


def _correlation_with_the_next(gap: pd.Series) -> float:
    """Of each value with the one after it; 0 where nothing varies."""
    if len(gap) < 3:
        return 0.0
    before, after = (part - part.mean() for part in (gap.to_numpy()[:-1], gap.to_numpy()[1:]))
    spread = float(before @ before) * float(after @ after)
    return float(before @ after) / float(np.sqrt(spread)) if spread > 0.0 else 0.0


def _years(years: list[int]) -> str:
    spans = np.split(np.array(years), np.flatnonzero(np.diff(years) != 1) + 1)
    return ", ".join(f"{span[0]}" if len(span) == 1 else f"{span[0]}-{span[-1]}" for span in spans)


def _splits(symbol: str, real: pd.Series, built: pd.Series) -> list[Finding]:
    """Sessions on which the price jumped against its index as by an unadjusted split, or by a wrong price."""
    ratio = (1.0 + real) / (1.0 + built)
    found = []
    for stamp, value in ratio[(ratio > JUMP) | (ratio < 1.0 / JUMP)].items():
        day, size = pd.Timestamp(str(stamp)), max(float(value), 1.0 / float(value))
        factor = next((k for k in USUAL_SPLITS if abs(size / k - 1.0) <= SPLIT_SLACK), round(size))
        looks = "this may be a wrong price"
        if factor >= 2 and abs(size / factor - 1.0) <= SPLIT_SLACK:
            kind = f"1-for-{factor} reverse" if value > 1.0 else f"{factor}-for-1"
            looks = f"this looks like a {kind} split that the prices are not adjusted for"
        found.append(
            Finding(
                "jump",
                symbol,
                (day,),
                f"{symbol} moved {value - 1.0:+.0%} against its index on {iso(day)}: {looks}. Every figure here is "
                "spoiled by it.",
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
                "and gaps that they cause, cannot be told there.",
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
