"""The JSON document of `track`."""

from __future__ import annotations

from pydantic import BaseModel

from alphaoverlay.funds.gaps import Comparison
from alphaoverlay.funds.tracking import FEWEST_SESSIONS, Tracking
from alphaoverlay.history import iso
from alphaoverlay.study.assumptions import AssumptionsModel, assumptions_model
from alphaoverlay.study.document import Document, data_model, known, rate_name
from alphaoverlay.study.tracked import TrackedFund


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
    sessions: int
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
    choices = [gap, *([tracking.on_plain] if tracking.on_plain is not None else [])]
    return TrackDocument(
        asof=end,
        study={
            "fund": tracking.fund.symbol,
            "start": start,
            "end": end,
            "rate": rate_name(span),
            "against": list(tracked.against),
        },
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
        r_squared_weekly=known(gap.r_squared_weekly),
        undefined=_undefined(tracking),
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
        assumptions=assumptions_model(tracking.fund, tracking.indices, span, tracking.plain_symbol),
    )


def _undefined(tracking: Tracking) -> dict[str, str]:
    """Why a figure is null."""
    said = {}
    reason = "no plain fund on the same index in the data"
    if tracking.on_plain is not None:
        reason = f"{tracking.plain_symbol} or {tracking.fund.symbol} does not vary"
    elif tracking.plain_symbol is not None:
        reason = f"fewer than {FEWEST_SESSIONS} sessions on which {tracking.plain_symbol} is comparable"
    for name, value in (("beta", tracking.beta), ("r_squared", tracking.r_squared)):
        if value is None:
            said[name] = reason
    if known(tracking.default.r_squared_weekly) is None:
        said["r_squared_weekly"] = "no variation from week to week"
    return said


def _years(tracking: Tracking) -> list[GapYearModel]:
    part = tracking.part_years
    return [
        GapYearModel(
            year=int(str(year)),
            real=float(row["real"]),
            synthetic=float(row["synthetic"]),
            tracking_difference=float(row["tracking_difference"]),
            tracking_error=known(float(row["tracking_error"])),
            sessions=int(row["sessions"]),
            part_of_year=int(str(year)) in part,
        )
        for year, row in tracking.by_year.iterrows()
    ]


def _comparison(one: Comparison) -> ComparisonModel:
    return ComparisonModel(
        name=one.name,
        sessions=one.sessions,
        tracking_difference=one.difference,
        tracking_difference_trimmed=one.trimmed,
        tracking_error=one.error,
        r_squared=known(one.r_squared),
        r_squared_weekly=known(one.r_squared_weekly),
        worst_month=one.worst_month,
        worst_month_gap=one.worst_month_gap,
    )
