"""What leveraged funds pay above the financing rate, by index and side (method M1, "Spreads").

`spreads.toml` is written by `make spreads` from real funds' history; nothing in it is typed by hand.
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from alphaoverlay.funds.fund import Fund, SpreadBasis

Side = Literal["long", "inverse"]
# The row that serves an index without calibrated funds.
ANY_INDEX = "ANY"


@dataclass(frozen=True)
class SpreadRow:
    """One row of the calibration: yearly fractions.

    Attributes
    ----------
    index, side : what it holds for; `ANY_INDEX` for an index of its own without calibrated funds.
    spread : the default: the estimate, but not below 0.
    estimate, standard_error, low, high : the fit and its 95% block-bootstrap interval.
    funds : whose real history it was fitted to.
    first, last : the span of that history.
    """

    index: str
    side: Side
    spread: float
    estimate: float
    standard_error: float
    low: float
    high: float
    funds: tuple[str, ...]
    first: datetime.date
    last: datetime.date


def side_of(leverage: float) -> Side | None:
    """Return the side that a daily multiple borrows on, or None where it borrows nothing (0 to 1)."""
    return "long" if leverage > 1.0 else "inverse" if leverage < 0.0 else None


@lru_cache(maxsize=1)
def calibrated_spreads() -> Mapping[tuple[str, Side], SpreadRow]:
    """Return the packaged calibration by index and side."""
    text = (files("alphaoverlay.funds") / "spreads.toml").read_text(encoding="utf-8")
    rows = [SpreadRow(**(row | {"funds": tuple(row["funds"])})) for row in tomllib.loads(text)["spread"]]
    return {(row.index, row.side): row for row in rows}


def spread_row(exposures: Mapping[str, float], leverage: float | None = None) -> SpreadRow | None:
    """Return the calibration's row for a fund, or None where it borrows nothing.

    Parameters
    ----------
    exposures : index -> daily multiple; the largest decides the index.
    leverage : what decides the side; the sum of the exposures where None.
    """
    side = side_of(sum(exposures.values()) if leverage is None else leverage)
    if side is None:
        return None
    index = max(exposures, key=lambda name: abs(exposures[name]), default=ANY_INDEX)
    rows = calibrated_spreads()
    return rows.get((index, side)) or rows[ANY_INDEX, side]


def default_spread(exposures: Mapping[str, float], leverage: float | None = None) -> tuple[float, SpreadBasis]:
    """Return the calibrated yearly spread as a fraction, and what it rests on."""
    row = spread_row(exposures, leverage)
    if row is None:
        return 0.0, "none"
    return row.spread, "pooled" if row.index == ANY_INDEX else "calibrated"


def spreads_as_of() -> datetime.date:
    """Return the last day of the data that the spreads were fitted to."""
    return max(row.last for row in calibrated_spreads().values())


def row_of(fund: Fund) -> SpreadRow | None:
    """Return the calibration's row that a fund's spread comes from; None where it is stated or there is none."""
    if fund.spread_basis not in ("calibrated", "pooled"):
        return None
    return spread_row(fund.exposures, fund.reset_leverage)


def spread_words(fund: Fund) -> str:
    """Write a fund's spread with what it rests on and the date of that."""
    if fund.spread_basis == "none":
        return "none: it borrows nothing"
    row = row_of(fund)
    if row is None:
        return f"{fund.spread:.2%} a year, stated"
    where = f"on {', '.join(row.funds)}" if fund.spread_basis == "calibrated" else "the mean of the calibrated indices"
    return (
        f"{fund.spread:.2%} a year (standard error {row.standard_error:.2%}), {fund.spread_basis}: {where}, "
        f"{row.first} to {row.last}"
    )
