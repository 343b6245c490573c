"""The JSON documents of the commands, as models shared by the command line and the web.

Returns are fractions, drawdowns negative, dates ISO 8601; what is undefined is null, with its reason beside it.
"""

from __future__ import annotations

import datetime
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, TypeAdapter

from alphaoverlay import __version__
from alphaoverlay.analysis.metrics import Metrics
from alphaoverlay.analysis.trading import trading_summary
from alphaoverlay.engine.backtesting import Backtest
from alphaoverlay.funds.financing import row_of
from alphaoverlay.funds.fund import Fund
from alphaoverlay.history import History, iso
from alphaoverlay.overlays.carry import Carry
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.study.designing import StudyDesign
from alphaoverlay.study.run import StudyResult
from alphaoverlay.study.sized_report import SizedModel, sized_model
from alphaoverlay.study.trading_documents import (
    AttributionModel,
    CostsModel,
    ExposuresModel,
    FlowsModel,
    RebalancesModel,
    attribution_model,
    costs_model,
    exposures_model,
    flows_model,
    half_spreads,
    rebalances_model,
)

SCHEMA: Literal["alphaoverlay/1"] = "alphaoverlay/1"


class SeriesModel(BaseModel):
    """Where one series came from; `retrieved` and `version` where it is stored, `fingerprint` of the values used."""

    name: str
    source: str
    place: str
    first: str
    last: str
    observations: int
    nature: str
    note: str
    retrieved: str
    version: int | None
    fingerprint: str
    currency: str
    timezone: str


class DataModel(BaseModel):
    """The data of a result: span used, hash of the values, and every series."""

    source: str
    start: str
    end: str
    fingerprint: str
    series: list[SeriesModel]


class SpreadModel(BaseModel):
    """A financing spread and what it rests on: calibrated on funds of its index and side, pooled, stated, or none."""

    spread: float
    basis: str
    asof: datetime.date | None
    standard_error: float | None
    funds: list[str]


class CarryModel(BaseModel):
    """Yearly fractions at the financing rate of `asof`; negative is a cost."""

    total: float
    expense: float
    spread: float
    financing: float
    cash: float


class WorstQuarterModel(BaseModel):
    """The worst 63 sessions of the active exposures in the history."""

    active_return: float
    start: str
    end: str


class RiskModel(BaseModel):
    """Ex-ante risk of the active exposures."""

    active_volatility: float
    by_leg: dict[str, float]
    break_even: float | None
    two_sigma_quarter: float
    worst_quarter: WorstQuarterModel | None
    window: dict[str, Any]


class DesignModel(BaseModel):
    """A portfolio: weights by symbol, look-through exposures by index, cash and carry."""

    weights: dict[str, float]
    exposures: dict[str, float]
    cash: float
    carry: CarryModel
    active_carry: CarryModel
    spreads: dict[str, SpreadModel]
    rate: float
    net: float
    gross: float
    fund_gross: float
    wanted: dict[str, float] | None
    feasible: bool
    shortfall: dict[str, float]
    reason: str
    yearly_cost: float | None
    benchmark: dict[str, float]
    risk: RiskModel | None


class DrawdownModel(BaseModel):
    """The deepest fall and its dates; recovery is null while it lasts."""

    depth: float
    peak: str
    trough: str
    recovery: str | None


class TradingModel(BaseModel):
    """Trading after the purchase (sessions that moved money, one-way turnover), and all costs, the purchase's too."""

    sessions_traded: int
    turnover: float
    cost: float
    half_spread_bps: float | dict[str, float]


class PortfolioModel(BaseModel):
    """One backtest's statistics."""

    metrics: dict[str, float | None]
    undefined: dict[str, str]
    final_value: float
    drawdown: DrawdownModel | None
    ruin: str | None
    trading: TradingModel


class YearModel(BaseModel):
    """Returns of one calendar year."""

    year: int
    portfolio: float | None
    benchmark: float | None
    active: float | None
    part_of_year: bool


class Document(BaseModel):
    """What every JSON document begins with."""

    schema_: Literal["alphaoverlay/1"] = SCHEMA  # written as "schema": pydantic keeps that name for itself
    version: str = __version__
    asof: str
    study: dict[str, Any]
    data: DataModel | None
    notes: list[str]

    def dump(self) -> dict[str, Any]:
        """Return the document as plain values, `schema` first."""
        values = self.model_dump(mode="json")
        return {"schema": values.pop("schema_"), **values}


class RunDocument(Document):
    """What `run --json` prints."""

    design: DesignModel
    portfolio: PortfolioModel
    benchmark: PortfolioModel
    active: dict[str, float | None]
    active_undefined: dict[str, str]
    years: list[YearModel]
    attribution: AttributionModel | None
    exposures: ExposuresModel
    rebalances: RebalancesModel
    turnover: float
    turnover_a_year: float
    costs: CostsModel
    flows: FlowsModel | None
    signal: SizedModel | None


class DesignDocument(Document, DesignModel):
    """What `design --json` prints: the `design` object with the common keys."""


def run_document(result: StudyResult) -> RunDocument:
    """Return the JSON document of a run."""
    span = result.portfolio.history.dates
    trading = trading_summary(result.portfolio)
    return RunDocument(
        asof=result.design.asof,
        study=result.study.as_toml_values(),
        data=data_model(result.design.data.history, result.source, iso(span[0]), iso(span[-1])),
        notes=list(result.notes),
        design=design_model(result.design),
        portfolio=_portfolio(result.portfolio, result.metrics),
        benchmark=_portfolio(result.benchmark, result.benchmark_metrics),
        active=dict(result.active.values),
        active_undefined=dict(result.active.undefined),
        years=[
            YearModel(
                year=int(str(year)),
                portfolio=known(row["portfolio"]),
                benchmark=known(row["benchmark"]),
                active=known(row["active"]),
                part_of_year=bool(row["part_of_year"]),
            )
            for year, row in result.years.iterrows()
        ],
        attribution=None if result.attribution is None else attribution_model(result.attribution),
        exposures=exposures_model(result),
        rebalances=rebalances_model(result.portfolio),
        turnover=trading.turnover,
        turnover_a_year=trading.turnover_a_year,
        costs=costs_model(result.portfolio),
        flows=flows_model(result),
        signal=sized_model(result),
    )


def design_document(design: StudyDesign, source: str) -> DesignDocument:
    """Return the JSON document of a design."""
    history = design.data.history
    return DesignDocument(
        asof=design.asof,
        study=design.study.as_toml_values(),
        data=data_model(history, source, iso(history.dates[0]), iso(history.dates[-1])),
        notes=[*design.data.notes, *design.notes],
        **design_model(design).model_dump(),
    )


def design_model(design: StudyDesign) -> DesignModel:
    """Return the `design` object."""
    portfolio, solved, risk = design.portfolio, design.design, design.risk
    return DesignModel(
        weights=portfolio.by_symbol,
        exposures=_exposures(portfolio, solved.wanted if solved else {}),
        cash=portfolio.cash,
        carry=carry_model(design.carry),
        active_carry=carry_model(design.active_carry),
        spreads={fund.symbol: spread_model(fund) for fund in portfolio.funds if fund.spread_basis != "none"},
        rate=design.rate,
        net=portfolio.net,
        gross=portfolio.gross,
        fund_gross=portfolio.fund_gross,
        wanted=dict(solved.wanted) if solved else None,
        feasible=solved.feasible if solved else True,
        shortfall=dict(solved.shortfall) if solved else {},
        reason=solved.reason if solved else "",
        yearly_cost=solved.yearly_cost if solved else None,
        benchmark=design.benchmark.by_symbol,
        risk=None
        if risk is None
        else RiskModel(
            active_volatility=risk.volatility,
            by_leg=dict(risk.by_leg),
            break_even=risk.break_even,
            two_sigma_quarter=risk.two_sigma_quarter,
            worst_quarter=None
            if risk.worst_quarter is None
            else WorstQuarterModel(
                active_return=risk.worst_quarter[0], start=risk.worst_quarter[1], end=risk.worst_quarter[2]
            ),
            window={
                "first": risk.covariance.first,
                "last": risk.covariance.last,
                "sessions": risk.covariance.sessions,
            },
        ),
    )


def spread_model(fund: Fund) -> SpreadModel:
    """Return a fund's spread with what it rests on."""
    row = row_of(fund)
    return SpreadModel(
        spread=fund.spread,
        basis=fund.spread_basis,
        asof=None if row is None else row.last,
        standard_error=None if row is None else row.standard_error,
        funds=[] if row is None else list(row.funds),
    )


def _exposures(portfolio: Portfolio, wanted: Any) -> dict[str, float]:
    """Achieved exposures; an index that was wanted and is not there reads 0."""
    return {**dict.fromkeys(wanted, 0.0), **portfolio.exposures}


def carry_model(carry: Carry) -> CarryModel:
    """Return the `carry` object of every document."""
    return CarryModel(
        total=carry.total, expense=carry.expense, spread=carry.spread, financing=carry.financing, cash=carry.cash
    )


def _portfolio(backtest: Backtest, metrics: Metrics) -> PortfolioModel:
    fall = metrics.worst_drawdown
    return PortfolioModel(
        metrics=dict(metrics.values),
        undefined=dict(metrics.undefined),
        final_value=backtest.final_value,
        drawdown=None
        if fall is None
        else DrawdownModel(
            depth=fall.depth,
            peak=iso(fall.peak),
            trough=iso(fall.trough),
            recovery=iso(fall.recovery) if fall.recovery is not None else None,
        ),
        ruin=iso(backtest.ruin) if backtest.ruin is not None else None,
        trading=TradingModel(
            sessions_traded=int((backtest.trades.iloc[1:].abs().sum(axis=1) > 1e-12).sum()),
            turnover=float(backtest.turnover.iloc[1:].sum()),
            cost=float(backtest.cost.sum()),
            half_spread_bps=half_spreads(backtest),
        ),
    )


def data_model(history: History, source: str, start: str, end: str) -> DataModel:
    """Return the `data` object of every document."""
    return DataModel(
        source=source,
        start=start,
        end=end,
        fingerprint=history.fingerprint,
        series=[SeriesModel(**{f: getattr(one, f) for f in SeriesModel.model_fields}) for one in history.provenance],
    )


def rate_name(span: History) -> str:
    """Return the name of the financing rate, or its value where the study fixed it."""
    return f"{float(span.rate.iloc[0]):g}" if span.rate.name == "rate" else str(span.rate.name)


def known(value: float) -> float | None:
    """Return None for a number that is not one (a year after ruin)."""
    return float(value) if np.isfinite(value) else None


def plain(value: Any) -> Any:
    """Turn dates, tuples and mappings into what JSON knows."""
    return TypeAdapter(Any).dump_python(value, mode="json")
