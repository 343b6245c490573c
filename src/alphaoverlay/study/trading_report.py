"""From a result to what a report says of trading: where the return came from, exposures, rebalances, costs, flows."""

from __future__ import annotations

import math
from collections.abc import Mapping

from alphaoverlay.analysis.attribution import Attribution
from alphaoverlay.analysis.exposure_history import Breach, target_exposures, with_totals
from alphaoverlay.analysis.money_weighted import money_weighted_return
from alphaoverlay.analysis.trading import trading_summary
from alphaoverlay.report.charts_of_trading import waterfall
from alphaoverlay.report.model import Cell, Column, Figure, Row, Section, Table
from alphaoverlay.study.load import Study
from alphaoverlay.study.marks import returns_note, synthetic_note
from alphaoverlay.study.run import StudyResult, largest_shares

LABELS = {
    "drift": "Drift",
    "financing": "Financing",
    "cash": "Cash",
    "spread": "Spreads",
    "expense": "Expenses",
    "slippage": "Slippage",
    "cost": "Costs",
    "variance": "Variance",
}
# Smaller parts of all rows are left out of tables and charts.
NOTHING = 5e-7
EXPLAINED = (
    "An index's part is its target active exposure; drift is what exposures off target earned, slippage what funds "
    "returned beyond their model, variance what compounding adds."
)


def attribution_sections(result: StudyResult) -> tuple[Section, ...]:
    """Where the active return came from: the waterfall and the years; none where it cannot be told."""
    split = result.attribution
    if split is None:
        return ()
    points = _shown(split.points)
    total = math.fsum(split.points.values())
    made = returns_note(result.portfolio, result.benchmark)
    chart = waterfall(points, total, f"{EXPLAINED} {made}".strip())
    return (Section("Where the active return came from", (chart, _years_table(split, made))),)


def _shown(values: Mapping[str, float]) -> dict[str, float]:
    return {LABELS.get(name, name): value for name, value in values.items() if abs(value) > NOTHING}


def _years_table(split: Attribution, made: str) -> Table:
    """Parts by calendar year and in all, in log return."""
    yearly = split.by("year")
    everything = {**split.totals, "total": split.log_active}
    parts = [str(name) for name in yearly.columns if name != "total" and (yearly[name].abs() > NOTHING).any()]
    names = ["total", *parts]
    rows = [Row((str(period), *(float(row[name]) for name in names))) for period, row in yearly.iterrows()]
    rows.append(Row(("All", *(everything[name] for name in names)), strong=True))
    heads = {**LABELS, "total": "Total"}
    note = f"In percent, log returns: the parts of a row, and the years of a column, add up exactly. {made}".strip()
    return Table(
        "Active return by cause and year",
        (Column("Year"), *(Column(heads.get(name, name), "points 2") for name in names)),
        tuple(rows),
        note,
    )


def exposure_tables(result: StudyResult) -> tuple[Table | Figure, ...]:
    """How far exposures ran, and how often they were outside the bands."""
    return (_extremes(result), *([_breaches(result)] if result.breaches else []))


def _extremes(result: StudyResult) -> Table:
    seen, base = result.exposures, result.design.benchmark.exposures
    aims = with_totals(target_exposures(result.portfolio).iloc[[-1]], base).iloc[0]
    rows = [
        Row(
            (
                str(name),
                float(aims[name]),
                float(seen[name].min()),
                float(seen[name].max()),
                float(seen[name].iloc[-1]),
            ),
            strong=name in ("net", "gross", "active"),
        )
        for name in seen.columns
    ]
    note = f"At the close, after trades. {synthetic_note(result.portfolio)}".strip()
    heads = ("Target" if result.sized is None else "Last target", "Least", "Most", "Last")
    return Table("Exposures", (Column("Index"), *(Column(head, "signed") for head in heads)), tuple(rows), note)


def _breaches(result: StudyResult) -> Table:
    own = bool(result.portfolio.rule.bands)
    rows = [
        Row(
            (
                one.measure.name,
                _size(one),
                # A target that moved with a signal is not one number.
                one.target if result.sized is None else None,
                one.share,
                float(one.sessions),
                one.farthest,
                f"{one.day:%Y-%m-%d}",
            )
        )
        for one in result.breaches
    ]
    columns = (
        Column("Measure"),
        Column("Band"),
        Column("Target", "signed"),
        Column("Outside", "percent"),
        Column("Closes", "count"),
        Column("Farthest", "signed"),
        Column("On", "date"),
    )
    what = "The rule's bands" if own else "The rule has no bands; these are yardsticks of 5 and 10 points"
    note = f"{what}. Counted at each close before trades; farthest is the largest deviation from the target."
    note = f"{note} {synthetic_note(result.portfolio)}".strip()
    return Table("Outside the bands" if own else "How often exposures were off target", columns, tuple(rows), note)


def _size(one: Breach) -> str:
    band = one.measure.band
    unit = "%" if band.kind == "relative" else " pts"
    if band.below == band.above:
        return f"±{100.0 * band.above:g}{unit}"
    down, up = ("none" if math.isinf(x) else f"{100.0 * x:g}{unit}" for x in (band.below, band.above))
    return f"-{down} / +{up}" if "none" not in (down, up) else f"-{down}" if up == "none" else f"+{up}"


def trading_table(result: StudyResult) -> Table:
    """Rebalances, turnover and costs of both."""
    both = (result.portfolio, result.benchmark)
    spent = [trading_summary(one) for one in both]
    rows: list[Row] = [
        Row(("Rebalances after the purchase", *(float(len(one.rebalances)) for one in both)), kind="count"),
        Row(("Turnover a year, one way", *(one.turnover_a_year for one in spent)), kind="percent"),
        Row(("Trading costs, share of the start value", *(one.total for one in spent)), kind="percent 2", strong=True),
        Row(("… of it the first purchase", *(one.purchase for one in spent)), kind="percent 2"),
    ]
    kinds = (("… of it proportional", "spread"), ("… of it fees", "fees"), ("… of it market impact", "impact"))
    if any(one.fees or one.impact for one in spent):
        rows += [Row((label, *(getattr(one, key) for one in spent)), kind="percent 2") for label, key in kinds]
    for symbol, (share, day) in largest_shares(result.portfolio).items():
        label = f"Largest trade of {symbol}, share of its daily volume ({day:%Y-%m-%d})"
        rows.append(Row((label, share, None), kind="percent 2"))
    if result.study.flows:
        rows += _flow_rows(result)
    columns = (Column(""), Column("Portfolio", "ratio", "portfolio"), Column("Benchmark", "ratio", "benchmark"))
    note = f"{cost_note(result.study)} {synthetic_note(*both)}".strip()
    return Table("Trading", columns, tuple(rows), note)


def _flow_rows(result: StudyResult) -> list[Row]:
    both = (result.portfolio, result.benchmark)
    came: list[Cell] = [float(one.flow.clip(lower=0.0).sum()) for one in both]
    went: list[Cell] = [float(-one.flow.clip(upper=0.0).sum()) for one in both]
    own: list[Cell] = [money_weighted_return(one) for one in both]
    return [
        Row(("Money put in after the start, in start values", *came), kind="multiple"),
        Row(("Money taken out, in start values", *went), kind="multiple"),
        Row(("Value at the end, in start values", *(float(one.value.iloc[-1]) for one in both)), kind="multiple"),
        Row(("Money-weighted return a year", *own), kind="percent"),
    ]


def cost_note(study: Study) -> str:
    """Say what trading was taken to cost."""
    costs = study.costs
    if costs.from_catalogue:
        said = "Half-spreads by fund and date from the catalogue; most of them are assumptions"
    elif isinstance(costs.half_spread_bps, float | int):
        said = f"Half-spread: {costs.half_spread_bps:g} basis points of each trade, as stated"
    else:
        said = "Half-spreads by fund, as stated (of other funds by the catalogue)"
    if costs.half_spread_bps == 0.0 and not (costs.per_trade or costs.per_share or costs.impact):
        return "Trading costs are zero, by choice (half_spread_bps = 0)."
    if costs.widening.factor != 1.0:
        said += f"; times {costs.widening.factor:g} on volatile days"
    others = {
        "per_trade": f"{costs.per_trade:g} a fund traded",
        "per_share": f"{costs.per_share:g} a share, counted at closes adjusted for later splits",
        "min_trade": f"no trades below {costs.min_trade:g}",
        "impact": f"market impact by the square-root law with a factor of {costs.impact:g}",
    }
    return "; ".join([said, *(words for key, words in others.items() if getattr(costs, key))]) + "."
