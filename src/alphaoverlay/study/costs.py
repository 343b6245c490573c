"""`[costs]`: what trading costs."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Container, Mapping
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BeforeValidator, Field, model_validator

from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.liquidity import liquidity_of
from alphaoverlay.errors import StudyError
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.funds.half_spreads import (
    MOST_BPS,
    HalfSpread,
    Widening,
    default_widening,
    half_spread_series,
    half_spreads_of,
    widened,
)
from alphaoverlay.funds.ticker import canonical_symbol
from alphaoverlay.study.tables import StudyTable, number

CATALOGUE: Literal["catalogue"] = "catalogue"


class DatedSpread(StudyTable):
    """A half-spread from a day on; in a list, the first also holds before."""

    since: datetime.date = Field(examples=["2010-01-04"])
    bps: float = Field(ge=0.0, le=MOST_BPS, examples=["2.0"])


Spreads = str | float | dict[str, float | list[DatedSpread]]


def _spreads(value: Any) -> Any:
    """One figure, "catalogue", or a table by fund of figures or of dated figures."""
    if isinstance(value, str) and value.strip().lower() == CATALOGUE:
        return CATALOGUE
    if isinstance(value, Mapping):
        read: dict[str, float | list[DatedSpread]] = {}
        for name, one in value.items():
            symbol = canonical_symbol(str(name))
            if symbol in read:
                raise ValueError(f"{symbol} stands twice")
            try:
                read[symbol] = [_dated(row) for row in one] if isinstance(one, list) else _bps(one)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return read
    return _bps(value)


def _dated(row: Any) -> DatedSpread:
    if isinstance(row, DatedSpread):
        return row
    since = row.get("since") if isinstance(row, Mapping) else None
    if isinstance(since, datetime.datetime):
        since = since.date()
    if isinstance(since, str):
        with contextlib.suppress(ValueError):
            since = datetime.date.fromisoformat(since)
    if not isinstance(row, Mapping) or set(row) != {"since", "bps"} or not isinstance(since, datetime.date):
        raise ValueError("write dated half-spreads as [{ since = 2010-01-04, bps = 5.0 }, ...]")
    return DatedSpread(since=since, bps=_bps(row["bps"]))


def _bps(value: Any) -> float:
    try:
        found = number(value)
    except ValueError:
        raise ValueError('write basis points such as 2.0, or "catalogue" for those of the fund catalogue') from None
    if not 0.0 <= found <= MOST_BPS or (isinstance(value, str) and value.strip().endswith("%")):
        raise ValueError(f"write basis points from 0 to {MOST_BPS:g}")
    return found


class CostsTable(StudyTable):
    """Half-spreads, fees, the least trade and market impact; amounts of money need `capital`."""

    half_spread_bps: Annotated[Spreads, BeforeValidator(_spreads)] = Field(CATALOGUE, examples=["2.0", '"catalogue"'])
    widen: float | None = Field(None, ge=1.0, le=100.0, examples=["3.0"])
    widen_above: float = Field(0.30, gt=0.0, le=10.0, examples=["0.30"])
    per_trade: float = Field(0.0, ge=0.0, le=1e6, examples=["1.0"])
    per_share: float = Field(0.0, ge=0.0, le=100.0, examples=["0.005"])
    min_trade: float = Field(0.0, ge=0.0, le=1e12, examples=["100"])
    impact: float = Field(0.0, ge=0.0, le=10.0, examples=["1.0"])

    @model_validator(mode="after")
    def _dates_in_order(self) -> CostsTable:
        if isinstance(self.half_spread_bps, dict):
            for name, rows in self.half_spread_bps.items():
                days = [row.since for row in rows] if isinstance(rows, list) else []
                if isinstance(rows, list) and (not rows or days != sorted(set(days))):
                    raise ValueError(f"half_spread_bps.{name}: write at least one row, each from a later day")
        return self

    @property
    def from_catalogue(self) -> bool:
        """Whether the half-spreads are those of the catalogue."""
        return self.half_spread_bps == CATALOGUE

    @property
    def guides_design(self) -> bool:
        """Whether costs have a say in which funds a design takes: stated half-spreads do, assumed ones do not."""
        return not self.from_catalogue and self.half_spread_bps != 0.0

    @property
    def widening(self) -> Widening:
        """How half-spreads widen: as stated; by the packaged factor with the catalogue's; else not at all."""
        packaged = default_widening()
        factor = self.widen if self.widen is not None else packaged.factor if self.from_catalogue else 1.0
        return Widening(factor, self.widen_above, packaged.window)

    def half_spread_on(self, fund: Fund, day: pd.Timestamp) -> float:
        """Half-spread of a fund on a quiet day, as a fraction; the catalogue's where a table by fund lacks it."""
        return float(half_spread_series(self._rows(fund, strict=False), pd.DatetimeIndex([day])).iloc[0]) / 10_000.0

    def _rows(self, fund: Fund, *, strict: bool) -> tuple[HalfSpread, ...]:
        """A fund's half-spreads by date; unless `strict`, the catalogue's where a table by fund lacks it."""
        spreads = self.half_spread_bps
        lacking = isinstance(spreads, dict) and fund.symbol not in spreads
        if isinstance(spreads, str) or (lacking and not strict):
            # A ticker with terms trades as the holding under it does.
            held = fund
            while held.multiple is not None:
                held = held.multiple.of
            return half_spreads_of(held.symbol)
        if isinstance(spreads, dict) and fund.symbol not in spreads:
            raise StudyError(
                f"costs.half_spread_bps has no {fund.symbol}; name every fund of the portfolio and the benchmark, or "
                "give one figure for all"
            )
        given = spreads[fund.symbol] if isinstance(spreads, dict) else spreads
        if isinstance(given, list):
            return tuple(HalfSpread(row.since, row.bps, False, "the study") for row in given)
        return (HalfSpread(datetime.date.min, float(given), False, "the study"),)

    def build(self, returns: FundReturns, capital: float | None, named: Container[str] | None = None) -> TradingCosts:
        """Return the costs of these funds.

        Parameters
        ----------
        returns : on all of the history, so that volatility and volume are known where a span begins.
        capital : money that the portfolio is bought with.
        named : funds that a table by fund must have; all where None. Others take the catalogue's half-spread.
        """
        spreads: float | dict[str, float | pd.Series]
        if isinstance(self.half_spread_bps, float | int) and self.widening.factor == 1.0:
            spreads = float(self.half_spread_bps)
        else:
            spreads = {}
            for fund in returns.funds:
                rows = self._rows(fund, strict=named is None or fund.symbol in named)
                quiet = half_spread_series(rows, returns.history.dates)
                spreads[fund.symbol] = widened(quiet, fund, returns.returns[fund.symbol], self.widening)
        return TradingCosts(
            half_spread_bps=spreads,
            per_trade=self.per_trade,
            per_share=self.per_share,
            minimum_trade=self.min_trade,
            impact=self.impact,
            capital=capital,
            liquidity=liquidity_of(returns) if capital is not None else None,
        )

    def toml_values(self) -> dict[str, Any]:
        """Return what a study file or document says of the costs: the half-spreads always, the rest where set."""
        values = self.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
        return {"half_spread_bps": self.model_dump(mode="json")["half_spread_bps"], **values}
