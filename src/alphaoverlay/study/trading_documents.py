"""What `run --json` says of trading: attribution, exposures, rebalances, turnover, costs, cash flows."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from pydantic import BaseModel

from alphaoverlay.analysis.attribution import Attribution
from alphaoverlay.analysis.exposure_history import Breach, target_exposures, with_totals
from alphaoverlay.analysis.money_weighted import money_weighted_return
from alphaoverlay.analysis.trading import trading_summary
from alphaoverlay.engine.backtesting import Backtest
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.history import iso
from alphaoverlay.study.run import StudyResult, largest_shares


class SplitModel(BaseModel):
    """The active return by cause; the parts and the variance add up to the total."""

    parts: dict[str, float]
    variance: float
    total: float


class YearSplitModel(SplitModel):
    """One calendar year, in log return."""

    year: int


class AttributionModel(SplitModel):
    """In log return (`total` is ln of the ratio of the two values); `points` is the same in return points."""

    points: SplitModel
    years: list[YearSplitModel]


class BreachModel(BaseModel):
    """A band and how often and far the closes, before trades, were outside it."""

    on: str
    kind: str
    below: float | None
    above: float | None
    basis: str
    target: float
    sessions: int
    share: float
    farthest: float
    date: str
    beyond: float


class ExposuresModel(BaseModel):
    """Exposures after each close: extremes, last and target by index, and of net, gross and active; and breaches."""

    max: dict[str, float]
    min: dict[str, float]
    last: dict[str, float]
    target: dict[str, float]
    breaches: list[BreachModel]


class RebalancesModel(BaseModel):
    """Sessions after the purchase on which a rebalance moved money."""

    count: int
    dates: list[str]


class LargestTradeModel(BaseModel):
    """The largest trade of a fund as a share of its median daily dollar volume."""

    share: float
    date: str


class CostsModel(BaseModel):
    """All trading costs in units of the initial wealth, by kind; the purchase's part of them; what they were set by."""

    total: float
    spread: float
    fees: float
    impact: float
    purchase: float
    half_spread_bps: float | dict[str, float]
    zero_by_choice: bool
    largest_trades: dict[str, LargestTradeModel]


class FlowsModel(BaseModel):
    """Money that came in and went out, in units of the initial wealth, and yearly money-weighted returns."""

    contributed: float
    withdrawn: float
    money_weighted: float | None
    money_weighted_benchmark: float | None
    exhausted: str | None


def attribution_model(split: Attribution) -> AttributionModel:
    """Return the `attribution` object."""
    yearly = split.by("year")
    years = [
        YearSplitModel(
            year=int(str(period)), **vars(_split({str(k): float(v) for k, v in row.items() if k != "total"}))
        )
        for period, row in yearly.iterrows()
    ]
    return AttributionModel(**vars(_split(split.totals)), points=_split(split.points), years=years)


def _split(values: Mapping[str, float]) -> SplitModel:
    parts = {name: value for name, value in values.items() if name != "variance"}
    return SplitModel(parts=parts, variance=values["variance"], total=math.fsum(values.values()))


def exposures_model(result: StudyResult) -> ExposuresModel:
    """Return the `exposures` object."""
    seen = result.exposures
    aims = with_totals(target_exposures(result.portfolio).iloc[[-1]], result.design.benchmark.exposures).iloc[0]
    own = bool(result.portfolio.rule.bands)
    return ExposuresModel(
        max={str(k): float(v) for k, v in seen.max().items()},
        min={str(k): float(v) for k, v in seen.min().items()},
        last={str(k): float(v) for k, v in seen.iloc[-1].items()},
        target={str(k): float(v) for k, v in aims.items()},
        breaches=[_breach(one, "rule" if own else "yardstick") for one in result.breaches],
    )


def _breach(one: Breach, basis: str) -> BreachModel:
    band = one.measure.band
    return BreachModel(
        on=one.measure.name,
        kind=band.kind,
        below=band.below if np.isfinite(band.below) else None,
        above=band.above if np.isfinite(band.above) else None,
        basis=basis,
        target=one.target,
        sessions=one.sessions,
        share=one.share,
        farthest=one.farthest,
        date=iso(one.day),
        beyond=one.beyond,
    )


def rebalances_model(backtest: Backtest) -> RebalancesModel:
    """Return the `rebalances` object."""
    return RebalancesModel(count=len(backtest.rebalances), dates=[iso(day) for day in backtest.rebalances])


def costs_model(backtest: Backtest) -> CostsModel:
    """Return the `costs` object."""
    spent = trading_summary(backtest)
    return CostsModel(
        total=spent.total,
        spread=spent.spread,
        fees=spent.fees,
        impact=spent.impact,
        purchase=spent.purchase,
        half_spread_bps=half_spreads(backtest),
        zero_by_choice=backtest.costs.free,
        largest_trades={
            symbol: LargestTradeModel(share=share, date=iso(day))
            for symbol, (share, day) in largest_shares(backtest).items()
        },
    )


def half_spreads(backtest: Backtest) -> float | dict[str, float]:
    """Return the one half-spread of all funds, or each fund's mean over the span, in basis points."""
    costs: TradingCosts = backtest.costs
    if isinstance(costs.half_spread_bps, float | int):
        return float(costs.half_spread_bps)
    only = TradingCosts(costs.half_spread_bps).compile(backtest.fund_returns).rates.mean(axis=0)
    return {
        fund.symbol: round(10_000.0 * float(x), 9) for fund, x in zip(backtest.fund_returns.funds, only, strict=True)
    }


def flows_model(result: StudyResult) -> FlowsModel | None:
    """Return the `flows` object; None without cash flows."""
    own = result.portfolio
    if not result.study.flows:
        return None
    return FlowsModel(
        contributed=float(own.flow.clip(lower=0.0).sum()),
        withdrawn=abs(float(own.flow.clip(upper=0.0).sum())),
        money_weighted=money_weighted_return(own),
        money_weighted_benchmark=money_weighted_return(result.benchmark),
        exhausted=None if own.exhausted is None else iso(own.exhausted),
    )
