"""The JSON document of `scenario`."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.history import iso
from alphaoverlay.scenarios.break_even import BreakEven, BreakEvenRange, YearlyCosts
from alphaoverlay.scenarios.conditional import RuleOutcome
from alphaoverlay.scenarios.law import Law
from alphaoverlay.scenarios.payoff import PayOff
from alphaoverlay.scenarios.statement import Statement
from alphaoverlay.study.document import CarryModel, Document, carry_model, data_model
from alphaoverlay.study.history_windows import HistoryWindows
from alphaoverlay.study.stress_document import StressModel, stress_model
from alphaoverlay.study.what_if import Answer, WhatIf
from alphaoverlay.study.wording import manner


class StatedModel(BaseModel):
    """What happens: pinned end returns by index, and a move `by` of `long` over `short`."""

    pins: dict[str, float]
    long: str | None
    short: str | None
    by: float | None


class RuleOutcomeModel(BaseModel):
    """Excess over the benchmark under one rule, on paths that end as stated; standard errors by the same names.

    `over_own`: mean excess minus that under the study's rule, path by path. `smooth`: the excess on the smooth trend.
    `exposures`: the mean ones at the end. Where none or all of the paths are below the benchmark a 95% bound on the
    probability stands in place of its standard error, else null. The worst of so many paths has no standard error.
    """

    rule: str
    median: float | None
    mean: float | None
    p05: float | None
    p95: float | None
    prob_below_benchmark: float | None
    prob_below_benchmark_bound: float | None
    over_own: float | None
    worst_drawdown: float
    median_drawdown: float | None
    exposures: dict[str, float | None]
    exposure_errors: dict[str, float | None]
    smooth: float
    paths: int
    standard_errors: dict[str, float | None]


class SamplingModel(BaseModel):
    """How the ends of the paths were drawn: candidates, and how many independent ones they are worth."""

    candidates: int
    effective: float


class RealDaysModel(BaseModel):
    """The same from real days; `remainder` was added to them, in deviations of the horizon; `unreached` ends."""

    by_rule: dict[str, RuleOutcomeModel]
    remainder: float | None
    unreached: int


class AnswerModel(BaseModel):
    """What a statement comes to, excess as fractions; `smooth` and `closed_form` without rebalancing."""

    stated: StatedModel
    ends: dict[str, float]
    first_order: float
    smooth: float
    closed_form: float
    closed_form_rebalanced: float
    conditional: dict[str, RuleOutcomeModel]
    sampling: SamplingModel
    real_days: RealDaysModel | None


class WindowModel(BaseModel):
    """One past window; `synthetic` where any fund's return in it is."""

    start: str
    end: str
    move: float | None
    ends: dict[str, float]
    portfolio: float
    benchmark: float
    excess: float
    synthetic: bool
    overlapping: bool


class HistoryModel(BaseModel):
    """Every past window like the statement, under the study's rule; figures null without any, with the reason."""

    sessions: int
    first: str | None
    last: str | None
    windows: list[WindowModel]
    number: int
    non_overlapping: int
    median: float | None
    least: float | None
    most: float | None
    prob_below_benchmark: float | None
    reason: str


class DragModel(BaseModel):
    """What a year's volatility does to the excess where every index ends where it began, at the stated volatility."""

    untraded: float
    rebalanced: float
    own: float | None
    volatility: dict[str, float]


class BreakEvenModel(BaseModel):
    """The move of `long` over `short` in a year that pays for the overlay.

    `rebalanced`: traded to target every session; `own`: when the study's calendar trades, on the mean of the paths;
    `untraded`: never; all at no trading cost. `first_order`: carry alone. Null with the reason.
    """

    long: str | None
    short: str | None
    rebalanced: float | None
    own: float | None
    untraded: float | None
    first_order: float | None
    reason: str


class BreakEvenRangesModel(BaseModel):
    """Break-even by financing rate (rows) and multiple of volatility (columns)."""

    rates: list[float]
    volatility_multiples: list[float]
    rebalanced: list[list[float | None]]
    own: list[list[float | None]] | None
    untraded: list[list[float | None]]


class PayOffModel(BaseModel):
    """Excess without rebalancing, by benchmark move, long end and short end; `convexity` is what first order misses."""

    long: str
    short: str
    base: str | None
    long_returns: list[float]
    short_returns: list[float]
    base_returns: list[float]
    excess: list[list[list[float]]]
    first_order: list[list[list[float]]]
    convexity: list[list[list[float]]]
    carry: float


class LawModel(BaseModel):
    """The law of daily returns: yearly volatility by index, and the window it is estimated on."""

    volatility: dict[str, float]
    degrees_of_freedom: float
    volatility_multiple: float
    first: str
    last: str
    sessions: int


class ScenarioDocument(Document):
    """What `scenario --json` prints; what depends on a statement is null without one.

    `undefined`: what is null -> why.
    """

    sessions: int
    start: str
    end: str
    rate: float
    seed: int
    law: LawModel
    stated: StatedModel | None
    ends: dict[str, float] | None
    first_order: float | None
    smooth: float | None
    closed_form: float | None
    closed_form_rebalanced: float | None
    conditional: dict[str, RuleOutcomeModel] | None
    sampling: SamplingModel | None
    real_days: RealDaysModel | None
    history: HistoryModel | None
    mirror: AnswerModel | None
    carry: CarryModel
    volatility_drag: DragModel
    break_even: BreakEvenModel
    break_even_ranges: BreakEvenRangesModel
    pay_off: PayOffModel | None
    stress: StressModel
    undefined: dict[str, str]


def scenario_document(found: WhatIf) -> ScenarioDocument:
    """Return the JSON document of a scenario."""
    ahead, dates, days = found.ahead, found.history.dates, found.law.days.dates
    own = None if found.answer is None else _answer(found.answer, found.rules)
    return ScenarioDocument(
        asof=iso(ahead.asof),
        study=ahead.study.as_toml_values(),
        data=data_model(ahead.data.history, ahead.source, iso(days[0]), iso(days[-1])),
        notes=list(found.notes),
        sessions=len(dates) - 1,
        start=iso(dates[0]),
        end=iso(dates[-1]),
        rate=ahead.rate,
        seed=found.seed,
        law=_law(found.law),
        stated=None if own is None else own.stated,
        ends=None if own is None else own.ends,
        first_order=None if own is None else own.first_order,
        smooth=None if own is None else own.smooth,
        closed_form=None if own is None else own.closed_form,
        closed_form_rebalanced=None if own is None else own.closed_form_rebalanced,
        conditional=None if own is None else own.conditional,
        sampling=None if own is None else own.sampling,
        real_days=None if own is None else own.real_days,
        history=None if found.windows is None else _history(found.windows),
        mirror=None if found.mirror is None else _answer(found.mirror, found.rules),
        carry=carry_model(found.year.carry),
        volatility_drag=DragModel(
            untraded=found.year.untraded.volatility_drag,
            rebalanced=found.year.rebalanced.volatility_drag,
            own=None if found.year.own is None else found.year.own.volatility_drag,
            volatility=found.law.volatility,
        ),
        break_even=_break_even(found.year),
        break_even_ranges=_ranges(found.ranges),
        pay_off=None if found.pay_off is None else _pay_off(found.pay_off),
        stress=stress_model(found.stressed),
        undefined=_undefined(found),
    )


def _undefined(found: WhatIf) -> dict[str, str]:
    """Every part that is null -> why."""
    why = dict(found.undefined)
    if found.answer is None:
        unsaid = why.pop("answer")
        why |= dict.fromkeys(("stated", *AnswerModel.model_fields, "history", "mirror"), unsaid)
    else:
        why |= _unknown_errors("conditional", found.answer.by_rule)
        if found.answer.real_days is not None:
            why |= _unknown_errors("real_days.by_rule", found.answer.real_days.by_rule)
    if found.mirror is not None:
        why["mirror.real_days"] = "drawn for the statement alone"
        why |= _unknown_errors("mirror.conditional", found.mirror.by_rule)
    for key, one in (("rebalanced", found.year.rebalanced), ("own", found.year.own), ("untraded", found.year.untraded)):
        if one is not None and one.break_even.move is None:
            why[f"break_even.{key}"] = one.break_even.reason
    if found.year.own is None:
        of_paths = "when the study's rule trades is up to the paths, which no closed form knows"
        why |= dict.fromkeys(("break_even.own", "break_even_ranges.own", "volatility_drag.own"), of_paths)
    if found.year.legs is None:
        why["break_even.first_order"] = why["break_even_ranges"] = found.year.rebalanced.break_even.reason
    elif any(one.move is None for rows in _every_range(found.ranges) for row in rows for one in row):
        why["break_even_ranges"] = "null where it costs at every move within reach, or pays at every one"
    return why


def _unknown_errors(place: str, by_rule: Mapping[str, RuleOutcome]) -> dict[str, str]:
    """Rules of which a figure has no standard error -> why."""
    few = "too few independent paths"
    figures = {
        rule: (one.mean, *one.excess.values(), one.median_drawdown, *([one.over_own] if one.over_own else []))
        for rule, one in by_rule.items()
    }
    why = {
        f"{place}.{rule}.standard_errors": few
        for rule, each in figures.items()
        if any(one.error is None for one in each)
    }
    return why | {
        f"{place}.{rule}.exposure_errors": few
        for rule, one in by_rule.items()
        if any(each.error is None for each in one.exposures.values())
    }


def _law(law: Law) -> LawModel:
    return LawModel(
        volatility=law.volatility,
        degrees_of_freedom=law.degrees,
        volatility_multiple=law.multiple,
        first=iso(law.days.dates[0]),
        last=iso(law.days.dates[-1]),
        sessions=len(law.days.dates),
    )


def _answer(one: Answer, rules: Mapping[str, RebalancingRule]) -> AnswerModel:
    def outcomes(by_rule: Mapping[str, RuleOutcome]) -> dict[str, RuleOutcomeModel]:
        return {name: _outcome(each, rules[name], one.smooth_by_rule[name]) for name, each in by_rule.items()}

    real = one.real_days
    return AnswerModel(
        stated=_stated(one.statement),
        ends=dict(one.ends),
        first_order=one.first_order,
        smooth=one.smooth,
        closed_form=one.closed_form,
        closed_form_rebalanced=one.rebalanced_form,
        conditional=outcomes(one.by_rule),
        sampling=SamplingModel(candidates=one.sampled.candidates, effective=one.sampled.effective),
        real_days=None
        if real is None
        else RealDaysModel(by_rule=outcomes(real.by_rule), remainder=real.remainder, unreached=real.unreached),
    )


def _stated(statement: Statement) -> StatedModel:
    long, short, by = statement.move or (None, None, None)
    return StatedModel(pins=dict(statement.pins), long=long, short=short, by=by)


def _outcome(one: RuleOutcome, rule: RebalancingRule, smooth: float) -> RuleOutcomeModel:
    low, middle, high = one.excess[0.05], one.excess[0.50], one.excess[0.95]
    return RuleOutcomeModel(
        rule=manner(rule),
        median=middle.value,
        mean=one.mean.value,
        p05=low.value,
        p95=high.value,
        prob_below_benchmark=one.below.value,
        prob_below_benchmark_bound=one.below.bound,
        worst_drawdown=one.worst_drawdown,
        over_own=None if one.over_own is None else one.over_own.value,
        median_drawdown=one.median_drawdown.value,
        exposures={name: each.value for name, each in one.exposures.items()},
        exposure_errors={name: each.error for name, each in one.exposures.items()},
        smooth=smooth,
        paths=one.paths,
        standard_errors={
            "median": middle.error,
            "mean": one.mean.error,
            "p05": low.error,
            "p95": high.error,
            "prob_below_benchmark": one.below.error,
            "over_own": None if one.over_own is None else one.over_own.error,
            "median_drawdown": one.median_drawdown.error,
        },
    )


def _history(found: HistoryWindows) -> HistoryModel:
    first, last = found.looked_at or (None, None)
    return HistoryModel(
        sessions=found.sessions,
        first=None if first is None else iso(first),
        last=None if last is None else iso(last),
        windows=[
            WindowModel(
                start=iso(one.start),
                end=iso(one.end),
                move=one.move,
                ends=dict(one.ends),
                portfolio=one.portfolio,
                benchmark=one.benchmark,
                excess=one.excess,
                synthetic=one.synthetic,
                overlapping=one.overlapping,
            )
            for one in found.windows
        ],
        number=found.number,
        non_overlapping=found.non_overlapping,
        median=found.median,
        least=found.least,
        most=found.most,
        prob_below_benchmark=found.below,
        reason=found.reason,
    )


def _break_even(year: YearlyCosts) -> BreakEvenModel:
    rebalanced, untraded = year.rebalanced.break_even, year.untraded.break_even
    own = None if year.own is None else year.own.break_even
    return BreakEvenModel(
        long=None if year.legs is None else year.legs.long,
        short=None if year.legs is None else year.legs.short,
        rebalanced=rebalanced.move,
        own=None if own is None else own.move,
        untraded=untraded.move,
        first_order=rebalanced.first_order,
        reason="; ".join(dict.fromkeys(one.reason for one in (rebalanced, own, untraded) if one and one.reason)),
    )


def _every_range(found: BreakEvenRange) -> list[tuple[tuple[BreakEven, ...], ...]]:
    return [found.rebalanced, found.untraded, *([] if found.own is None else [found.own])]


def _ranges(found: BreakEvenRange) -> BreakEvenRangesModel:
    def moves(rows: tuple[tuple[BreakEven, ...], ...]) -> list[list[float | None]]:
        return [[one.move for one in row] for row in rows]

    return BreakEvenRangesModel(
        rates=list(found.rates),
        volatility_multiples=list(found.multiples),
        rebalanced=moves(found.rebalanced),
        own=None if found.own is None else moves(found.own),
        untraded=moves(found.untraded),
    )


def _pay_off(found: PayOff) -> PayOffModel:
    return PayOffModel(
        long=found.long,
        short=found.short,
        base=found.base,
        long_returns=list(found.long_returns),
        short_returns=list(found.short_returns),
        base_returns=list(found.base_returns),
        excess=found.excess.tolist(),
        first_order=found.first_order.tolist(),
        convexity=found.convexity.tolist(),
        carry=found.carry,
    )
