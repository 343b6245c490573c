"""The JSON document of `rules`."""

from __future__ import annotations

from pydantic import BaseModel

from alphaoverlay.history import iso
from alphaoverlay.study.document import Document, data_model, known
from alphaoverlay.study.rule_comparison import RuleComparison, rows_of
from alphaoverlay.study.wording import manner


class RuleModel(BaseModel):
    """One rule; `figures` by name (rates as fractions a year, exposures in multiples of capital), null if undefined.

    `frontier`: no other rule is better in cost and exposure error both. `picked`: share of resampled histories in which
    it would have been chosen. The intervals are 90%, null for a rule under which the portfolio did not last.
    """

    name: str
    rule: str
    figures: dict[str, float | None]
    frontier: bool
    picked: float
    cost_interval: tuple[float, float] | None
    error_interval: tuple[float, float] | None


class RecommendedModel(BaseModel):
    """The cheapest rule within the tolerance; null where no rule is."""

    rule: str | None
    tolerance: float
    picked: float | None


class DriftModel(BaseModel):
    """Exposures over every window of `sessions` without trades: least and most, at any close of a window."""

    sessions: int
    windows: int
    least: dict[str, float]
    most: dict[str, float]


class RulesDocument(Document):
    """What `rules --json` prints. `timing_luck`: statistic -> figure -> value, over all days of the period."""

    recommended: RecommendedModel
    rules: list[RuleModel]
    timing_luck: dict[str, dict[str, float | None]] | None
    untraded_quarter: DriftModel | None
    shocks: dict[str, dict[str, float]]


def rules_document(found: RuleComparison) -> RulesDocument:
    """Return the JSON document of a comparison of rules."""
    frontier, data = found.frontier, found.design.data.history
    span = next(iter(found.runs.values())).history.dates
    wide = rows_of(frontier.intervals)
    return RulesDocument(
        asof=found.design.asof,
        study=found.study.as_toml_values(),
        data=data_model(data, found.source, iso(span[0]), iso(span[-1])),
        notes=list(found.notes),
        recommended=RecommendedModel(
            rule=frontier.chosen,
            tolerance=frontier.tolerance,
            picked=None if frontier.chosen is None else float(frontier.picked[frontier.chosen]),
        ),
        rules=[
            RuleModel(
                name=name,
                rule=manner(found.rules[name]),
                figures={key: known(value) for key, value in found.rows[name].items()},
                frontier=name in wide and bool(frontier.best[name]),
                picked=float(frontier.picked[name]) if name in wide else 0.0,
                cost_interval=(wide[name]["cost_low"], wide[name]["cost_high"]) if name in wide else None,
                error_interval=(wide[name]["error_low"], wide[name]["error_high"]) if name in wide else None,
            )
            for name in found.rules
        ],
        timing_luck=None
        if found.luck is None
        else {
            label: {key: known(value) for key, value in row.items()}
            for label, row in rows_of(found.luck.spread).items()
        },
        untraded_quarter=None
        if found.drift is None
        else DriftModel(
            sessions=found.drift.sessions,
            windows=len(found.drift.ends),
            least={str(k): float(v) for k, v in found.drift.lows.items()},
            most={str(k): float(v) for k, v in found.drift.highs.items()},
        ),
        shocks=rows_of(found.shocks),
    )
