"""The JSON document of `track`."""

from __future__ import annotations

import datetime
import math

from pydantic import BaseModel

from alphaoverlay.funds.expenses import expense_steps
from alphaoverlay.funds.gaps import Comparison
from alphaoverlay.funds.tracking import Tracking
from alphaoverlay.history import iso
from alphaoverlay.study.results import Document, SpreadModel, data_model, spread_model
from alphaoverlay.study.tracked import TrackedFund
from alphaoverlay.study.tracking_report import part_years


class GapYearModel(BaseModel):
    """One calendar year: returns, the sum of the daily log gaps, the tracking error."""

    year: int
    real: float
    synthetic: float
    tracking_difference: float
    tracking_error: float | None
    sessions: int
    part_of_year: bool


class ComparisonModel(BaseModel):
    """One way of building the fund, against the real one."""

    name: str
    tracking_difference: float
    tracking_difference_trimmed: float
    tracking_error: float
    r_squared: float | None
    r_squared_weekly: float | None
    worst_month: str
    worst_month_gap: float


class GapDayModel(BaseModel):
    """One of the largest daily gaps, with a likely cause."""

    day: str
    real: float
    synthetic: float
    gap: float
    cause: str


class LongHorizonModel(BaseModel):
    """Log growth over the span by cause: M2, the next term, and M1."""

    leverage: float
    financing: float
    spread: float
    expense: float
    volatility_drag: float
    closed_form: float
    third_order: float
    exact: float
    years: float
    variance: float


class PremiumModel(BaseModel):
    """Close over net asset value, less 1."""

    mean: float
    low: float
    high: float
    worst: float
    worst_day: str
    first: float
    last: float


class FindingModel(BaseModel):
    """Something awkward in the prices."""

    kind: str
    symbol: str
    sessions: int
    days: list[str]
    sentence: str


class ExpenseStepModel(BaseModel):
    """An expense ratio and the day from which it is used."""

    since: str
    expense: float


class IndexSpanModel(BaseModel):
    """Which kind of series an index's return comes from, and when."""

    kind: str
    symbols: list[str]
    first: str
    last: str


class AssumptionsModel(BaseModel):
    """Every parameter of M1 and every series it was fed with."""

    exposures: dict[str, float]
    leverage: float
    expense: float
    expense_steps: list[ExpenseStepModel]
    spread: SpreadModel
    swap_exposure: float
    former_exposures: dict[str, float]
    index_since: datetime.date | None
    rate: str
    indices: dict[str, list[IndexSpanModel]]
    plain_fund: str | None


class TrackDocument(Document):
    """What `track --json` prints."""

    fund: str
    start: str
    end: str
    sessions: int
    years: float
    tracking_difference: float
    tracking_difference_trimmed: float
    tracking_error: float
    beta: float | None
    r_squared: float | None
    r_squared_weekly: float | None
    undefined: dict[str, str]
    by_year: list[GapYearModel]
    index_choices: list[ComparisonModel]
    other_formulas: list[ComparisonModel]
    worst_days: list[GapDayModel]
    long_horizon: LongHorizonModel | None
    premium: PremiumModel | None
    findings: list[FindingModel]
    assumptions: AssumptionsModel


def track_document(tracked: TrackedFund) -> TrackDocument:
    """Return the JSON document of a comparison."""
    tracking = tracked.tracking
    span, gap = tracking.history, tracking.default
    start, end = iso(span.dates[0]), iso(span.dates[-1])
    no_plain = "no plain fund on the same index in the data"
    choices = [gap, *([tracking.on_plain] if tracking.on_plain is not None else [])]
    return TrackDocument(
        asof=end,
        study={"fund": tracking.fund.symbol, "start": start, "end": end},
        data=data_model(tracked.data.history, tracked.source, start, end),
        notes=list(tracked.notes),
        fund=tracking.fund.symbol,
        start=start,
        end=end,
        sessions=len(tracking.real),
        years=tracking.years,
        tracking_difference=gap.difference,
        tracking_difference_trimmed=gap.trimmed,
        tracking_error=gap.error,
        beta=tracking.beta,
        r_squared=tracking.r_squared,
        r_squared_weekly=_finite(gap.r_squared_weekly),
        undefined={} if tracking.beta is not None else {"beta": no_plain, "r_squared": no_plain},
        by_year=_years(tracking),
        index_choices=[_comparison(one) for one in choices],
        other_formulas=[_comparison(one) for one in tracking.others],
        worst_days=[
            GapDayModel(day=iso(one.day), real=one.real, synthetic=one.built, gap=one.gap, cause=one.cause)
            for one in tracking.worst_days
        ],
        long_horizon=None
        if tracking.horizon is None
        else LongHorizonModel(
            **{key: getattr(tracking.horizon, key) for key in LongHorizonModel.model_fields},
        ),
        premium=None
        if tracking.premium is None
        else PremiumModel(**{**vars(tracking.premium), "worst_day": iso(tracking.premium.worst_day)}),
        findings=[
            FindingModel(
                kind=one.kind,
                symbol=one.symbol,
                sessions=len(one.days),
                days=[iso(day) for day in one.days],
                sentence=one.sentence,
            )
            for one in tracking.findings
        ],
        assumptions=_assumptions(tracking),
    )


def _assumptions(tracking: Tracking) -> AssumptionsModel:
    fund = tracking.fund
    return AssumptionsModel(
        exposures=dict(fund.exposures),
        leverage=fund.leverage,
        expense=fund.expense,
        expense_steps=[ExpenseStepModel(since=day.isoformat(), expense=value) for day, value in expense_steps(fund)],
        spread=spread_model(fund),
        swap_exposure=fund.swap_exposure,
        former_exposures=dict(fund.former_exposures),
        index_since=fund.index_since,
        rate=str(tracking.history.rate.name),
        indices={
            name: [
                IndexSpanModel(kind=s.kind, symbols=list(s.symbols), first=iso(s.first), last=iso(s.last))
                for s in one.spans
            ]
            for name, one in tracking.indices.items()
        },
        plain_fund=tracking.plain_symbol,
    )


def _years(tracking: Tracking) -> list[GapYearModel]:
    part = part_years(tracking)
    return [
        GapYearModel(
            year=int(str(year)),
            real=float(row["real"]),
            synthetic=float(row["synthetic"]),
            tracking_difference=float(row["tracking_difference"]),
            tracking_error=_finite(float(row["tracking_error"])),
            sessions=int(row["sessions"]),
            part_of_year=int(str(year)) in part,
        )
        for year, row in tracking.by_year.iterrows()
    ]


def _comparison(one: Comparison) -> ComparisonModel:
    return ComparisonModel(
        name=one.name,
        tracking_difference=one.difference,
        tracking_difference_trimmed=one.trimmed,
        tracking_error=one.error,
        r_squared=_finite(one.r_squared),
        r_squared_weekly=_finite(one.r_squared_weekly),
        worst_month=one.worst_month,
        worst_month_gap=one.worst_month_gap,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
