"""From a comparison of rules to a report."""

from __future__ import annotations

from alphaoverlay.report import figures
from alphaoverlay.report.charts_of_trading import frontier as frontier_chart
from alphaoverlay.report.model import Column, Figure, Report, Row, Section, Table, Tile
from alphaoverlay.study.marks import returns_note, synthetic_note
from alphaoverlay.study.reporting import reading_notes, report_foot
from alphaoverlay.study.rule_comparison import RuleComparison, rows_of
from alphaoverlay.study.series_report import provenance_table
from alphaoverlay.study.trading_report import cost_note
from alphaoverlay.study.wording import manner, portfolio_name

LUCK_LABELS = {
    "cagr": "CAGR",
    "active_cagr": "Active CAGR",
    "tracking_error": "Tracking error",
    "max_drawdown": "Max drawdown",
    "exposure_error": "Exposure error",
    "farthest_exposure": "Farthest exposure off target",
}
SHARES = {"cagr", "active_cagr", "tracking_error", "max_drawdown"}
# Rules that are chosen more seldom than this are not listed as rivals.
RIVAL = 0.02


def rules_report(found: RuleComparison) -> Report:
    """Return everything that is said about a comparison of rules, in reading order."""
    one = next(iter(found.runs.values()))
    return Report(
        title=found.study.title or portfolio_name(found.design.portfolio),
        summary=_summary(found),
        notes=(*found.notes, *_reading(found)),
        tiles=_tiles(found),
        sections=(
            Section("Cost against exposure error", (_chart(found), _rules_table(found), _rivals_table(found))),
            Section("What a quarter without trades can do", _quarter(found)),
            *([Section("How much the day matters", _luck(found))] if found.luck is not None else []),
            Section("Where the data came from", (provenance_table(found.design.data),)),
        ),
        foot=report_foot(found.source, one.history, found.design.data.history.fingerprint),
    )


def _summary(found: RuleComparison) -> str:
    frontier, dates = found.frontier, next(iter(found.runs.values())).history.dates
    span = f"From {dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}"
    if frontier.chosen is None:
        least = str(frontier.error.idxmin())
        return (
            f"{span} no rule kept the exposure error within {frontier.tolerance:g}; the nearest, {least}, came to "
            f"{float(frontier.error[least]):.3f}."
        )
    name = frontier.chosen
    wide = rows_of(frontier.intervals)[name]
    return (
        f"{span} the cheapest rule with an exposure error of at most {frontier.tolerance:g} was this: "
        f"{manner(found.rules[name])}. Trading cost {float(frontier.cost[name]):.3%} a year (90% interval "
        f"{wide['cost_low']:.3%} to {wide['cost_high']:.3%}), and the error was "
        f"{float(frontier.error[name]):.3f} ({wide['error_low']:.3f} to {wide['error_high']:.3f}). In "
        f"{float(frontier.picked[name]):.0%} of resampled histories it would have been chosen as well."
    )


def _reading(found: RuleComparison) -> tuple[str, ...]:
    said = [
        "The exposure error is the root mean square, over the sessions, of the distance between the exposures held and "
        "their targets. Costs are those of trading; what drift earned or lost is in the returns.",
        "Rules differ in return mostly by luck: the recommendation looks at costs and exposures, not at returns.",
    ]
    if all(run.costs.free for run in found.runs.values()):
        said.append("Every rule costs the same, so the least error wins.")
    one = next(iter(found.runs.values()))
    return (*said, *([] if one.costs.free else [cost_note(found.study)]), *reading_notes(one))


def _tiles(found: RuleComparison) -> tuple[Tile, ...]:
    frontier = found.frontier
    if frontier.chosen is None:
        return ()
    row = found.rows[frontier.chosen]
    own = next(name for name in found.rules if name.startswith("yours") or name.endswith("(yours)"))
    mine = found.rows[own]
    return (
        Tile("Recommended", frontier.chosen, f"chosen in {float(frontier.picked[frontier.chosen]):.0%} of resamples"),
        Tile(
            "Trading cost a year",
            f"{10_000.0 * row['cost_a_year']:.2f} bps",
            f"your rule {10_000.0 * mine['cost_a_year']:.2f} bps",
        ),
        Tile("Exposure error", f"{row['exposure_error']:.3f}", f"your rule {mine['exposure_error']:.3f}"),
        Tile(
            "Farthest exposure off target",
            f"{row['farthest_exposure']:.2f}",
            f"your rule {mine['farthest_exposure']:.2f}",
        ),
    )


def _chart(found: RuleComparison) -> Figure:
    frontier = found.frontier
    names = [str(name) for name in frontier.cost.index]
    made = synthetic_note(*found.runs.values())
    return frontier_chart(
        names,
        [float(frontier.error[name]) for name in names],
        [float(frontier.cost[name]) for name in names],
        [bool(frontier.best[name]) for name in names],
        frontier.chosen or "",
        made,
    )


def _rules_table(found: RuleComparison) -> Table:
    best = {str(name): bool(flag) for name, flag in found.frontier.best.items()}
    rows = [
        Row(
            (
                f"{name}{' *' if best.get(name, False) else ''}",
                10_000.0 * row["cost_a_year"],
                row["exposure_error"],
                row["farthest_exposure"],
                row["net_least"],
                row["net_most"],
                row["rebalances_a_year"],
                row["active_cagr"],
                row["tracking_error"],
            ),
            strong=name == found.frontier.chosen,
        )
        for name, row in found.rows.items()
    ]
    columns = (
        Column("Rule"),
        Column("Cost a year, bps", "ratio"),
        Column("Exposure error", "ratio 3"),
        Column("Farthest", "ratio"),
        Column("Net from", "signed"),
        Column("to", "signed"),
        Column("Trades a year", "ratio 1"),
        Column("Active CAGR", "percent"),
        Column("Tracking error", "percent"),
    )
    note = (
        "* not beaten in cost and error both; the recommended rule stands out. Bands are in points, on every index's "
        "exposure, looked at each session, and trade to the target or to the band's edge. Trades a year: sessions with "
        f"a rebalance. {returns_note(*found.runs.values())}"
    ).strip()
    return Table("Rules", columns, tuple(rows), note)


def _rivals_table(found: RuleComparison) -> Table:
    frontier = found.frontier
    wide = rows_of(frontier.intervals)
    order = sorted(((float(share), str(name)) for name, share in frontier.picked.items()), reverse=True)
    rows = [
        Row(
            (
                name,
                share,
                *(10_000.0 * wide[name][side] for side in ("cost_low", "cost_high")),
                *(wide[name][side] for side in ("error_low", "error_high")),
            ),
            strong=name == frontier.chosen,
        )
        for share, name in order
        if share >= RIVAL or name == frontier.chosen
    ]
    columns = (
        Column("Rule"),
        Column("Chosen in", "percent"),
        Column("Cost from, bps", "ratio"),
        Column("to", "ratio"),
        Column("Error from", "ratio 3"),
        Column("to", "ratio 3"),
    )
    note = (
        "2,000 histories resampled in blocks of 252 sessions, the same for every rule; 90% intervals. It says how far "
        f"the choice rests on this history, not on the costs assumed. {synthetic_note(*found.runs.values())}"
    ).strip()
    return Table("How sure the choice is", columns, tuple(rows), note)


def _quarter(found: RuleComparison) -> tuple[Table | Figure, ...]:
    parts: list[Table | Figure] = []
    made = synthetic_note(*found.runs.values())
    if found.drift is not None:
        drift = found.drift
        start = found.design.portfolio
        rows = [
            Row(
                (
                    str(name),
                    float(start.exposures.get(str(name), _total(found, str(name)))),
                    float(drift.lows[name]),
                    float(drift.ends[name].quantile(0.05)),
                    float(drift.ends[name].quantile(0.95)),
                    float(drift.highs[name]),
                )
            )
            for name in drift.lows.index
        ]
        heads = ("At the start", "Least", "5% at the end", "95% at the end", "Most")
        note = (
            f"{len(drift.ends):,} windows of {drift.sessions} sessions, one begun at every close; least and most at "
            f"any close inside. {made}"
        ).strip()
        parts.append(
            Table(
                "Every quarter known, without a trade",
                (Column("Index"), *(Column(head, "signed") for head in heads)),
                tuple(rows),
                note,
            )
        )
    shocks = found.shocks
    rows = [Row((str(label), *(float(row[name]) for name in shocks.columns))) for label, row in shocks.iterrows()]
    parts.append(
        Table(
            "After a given quarter",
            (Column("Moves over 63 sessions"), *(Column(str(name), "signed") for name in shocks.columns)),
            tuple(rows),
            "Exposures after indices moved in a smooth trend and nobody traded; an index that is not named stands "
            "still. Choose your own with --shock.",
        )
    )
    return tuple(parts)


def _total(found: RuleComparison, name: str) -> float:
    portfolio = found.design.portfolio
    return {
        "net": portfolio.net,
        "gross": portfolio.gross,
        "active": portfolio.active(found.design.benchmark.exposures),
    }.get(name, 0.0)


def _luck(found: RuleComparison) -> tuple[Table | Figure, ...]:
    assert found.luck is not None
    spread, results = rows_of(found.luck.spread), found.luck.results
    labels = ("least", "p05", "median", "mean", "p95", "most")
    rows = [
        Row(
            (label, *(spread[which][key] for which in labels)),
            kind="percent" if key in SHARES else "ratio",
        )
        for key, label in LUCK_LABELS.items()
    ]
    heads = ("Least", "5%", "Median", "Mean", "95%", "Most")
    rule = found.study.rebalance
    made = returns_note(*found.runs.values())
    note = (
        f"Your rule on each of the {len(results)} days of its period ({rule.calendar}). Nobody can choose the best day "
        f"in advance: the spread is luck. {made}"
    ).strip()
    table = Table(
        "The same rule on every day of its period",
        (Column(""), *(Column(head, "percent") for head in heads)),
        tuple(rows),
        note,
    )
    series = results["active_cagr"].rename("active CAGR")
    chart = figures.bars(series, "Active CAGR by day of the period", "active CAGR", "+.2%", "+.1%", made)
    return table, chart
