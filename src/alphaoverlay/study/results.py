"""The JSON documents of `run` and `design`, as models shared by the command line and the web."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from alphaoverlay.analysis.metrics import Metrics
from alphaoverlay.analysis.trading import trading_summary
from alphaoverlay.engine.backtesting import Backtest
from alphaoverlay.history import iso
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.study.designing import StudyDesign
from alphaoverlay.study.document import (
    CarryModel,
    Document,
    DrawdownModel,
    SpreadModel,
    carry_model,
    data_model,
    known,
    spread_model,
)
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


def _exposures(portfolio: Portfolio, wanted: Any) -> dict[str, float]:
    """Achieved exposures; an index that was wanted and is not there reads 0."""
    return {**dict.fromkeys(wanted, 0.0), **portfolio.exposures}


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
