"""The `stress` object of the JSON document of `scenario`."""

from __future__ import annotations

from pydantic import BaseModel

from alphaoverlay.history import iso
from alphaoverlay.scenarios.conditional import RuleOutcome
from alphaoverlay.scenarios.shocks import Gap
from alphaoverlay.study.stressed import Outcome, Replay, Stressed


class StressedModel(BaseModel):
    """Simple returns under the study's rule, and the excess with rebalancing halted."""

    portfolio: float
    benchmark: float
    excess: float
    halted_excess: float


class CrisisModel(BaseModel):
    """A crisis replayed; null with the reason where the data do not reach. `synthetic`: funds that were, in it."""

    name: str
    start: str
    end: str
    verified: bool
    outcome: StressedModel | None
    drawdown: float | None
    benchmark_drawdown: float | None
    synthetic: list[str]
    reason: str


class GapModel(BaseModel):
    """One session: returns of indices and funds, the move at which each fund is worth nothing, and what they make."""

    indices: dict[str, float]
    funds: dict[str, float]
    thresholds: dict[str, float | None]
    wiped_out: list[str]
    portfolio: float
    benchmark: float
    excess: float


class TogetherModel(BaseModel):
    """Excess over paths on which one factor moves all indices."""

    median: float | None
    p05: float | None
    p95: float | None
    prob_below_benchmark: float | None
    paths: int


class StressModel(BaseModel):
    """A study under stress; `shock` is null where none was stated.

    `correlation_one`: a quarter in which one factor moves all indices and each falls by two of its deviations, under
    "study" and with rebalancing "halted"; `correlation_one_smooth`: the same with every session alike.
    """

    crises: list[CrisisModel]
    gaps: list[GapModel]
    correlation_one: dict[str, TogetherModel]
    correlation_one_smooth: StressedModel
    correlation_one_ends: dict[str, float]
    shock: StressedModel | None


def stress_model(found: Stressed) -> StressModel:
    """Return the `stress` object."""
    return StressModel(
        crises=[_crisis(one) for one in found.crises],
        gaps=[_gap(one) for one in found.gaps],
        correlation_one={name: _together(one) for name, one in found.correlation_one.items()},
        correlation_one_smooth=_outcome(found.correlation_one_smooth),
        correlation_one_ends=dict(found.correlation_one_ends),
        shock=None if found.shock is None else _outcome(found.shock),
    )


def _together(one: RuleOutcome) -> TogetherModel:
    return TogetherModel(
        median=one.excess[0.50].value,
        p05=one.excess[0.05].value,
        p95=one.excess[0.95].value,
        prob_below_benchmark=one.below.value,
        paths=one.paths,
    )


def _outcome(one: Outcome) -> StressedModel:
    return StressedModel(
        portfolio=one.portfolio, benchmark=one.benchmark, excess=one.excess, halted_excess=one.halted_excess
    )


def _crisis(one: Replay) -> CrisisModel:
    return CrisisModel(
        name=one.crisis.name,
        start=iso(one.crisis.first),
        end=iso(one.crisis.last),
        verified=one.crisis.verified,
        outcome=None if one.outcome is None else _outcome(one.outcome),
        drawdown=one.drawdown,
        benchmark_drawdown=one.benchmark_drawdown,
        synthetic=list(one.synthetic),
        reason=one.reason,
    )


def _gap(one: Gap) -> GapModel:
    return GapModel(
        indices=dict(one.index_returns),
        funds=dict(one.fund_returns),
        thresholds=dict(one.thresholds),
        wiped_out=list(one.wiped_out),
        portfolio=one.portfolio,
        benchmark=one.benchmark,
        excess=one.excess,
    )
