"""From an answered scenario to a report."""

from __future__ import annotations

from collections.abc import Mapping

from alphaoverlay.history import counted
from alphaoverlay.report.charts_of_scenarios import break_even_lines, pay_off_map
from alphaoverlay.report.model import Column, Figure, Report, Row, Section, Table, Tile, write_cell
from alphaoverlay.scenarios.break_even import BreakEvenRange, YearlyCosts
from alphaoverlay.scenarios.conditional import RuleOutcome
from alphaoverlay.scenarios.payoff import PayOff
from alphaoverlay.scenarios.statement import Statement
from alphaoverlay.scenarios.tally import Estimate
from alphaoverlay.study.history_windows import HistoryWindows
from alphaoverlay.study.reporting import report_foot
from alphaoverlay.study.series_report import provenance_table
from alphaoverlay.study.stress_report import stress_sections
from alphaoverlay.study.what_if import STUDY_RULE, Answer, WhatIf
from alphaoverlay.study.wording import manner, portfolio_name

# Windows that overlap say little more than those that do not; so many of the latter are listed.
LISTED = 20


def scenario_report(found: WhatIf) -> Report:
    """Return everything that is said about a scenario, in reading order."""
    ahead = found.ahead
    return Report(
        title=ahead.study.title or portfolio_name(ahead.portfolio),
        summary=_summary(found),
        notes=found.notes,
        tiles=_tiles(found),
        sections=(
            *_answer_sections(found),
            *_history_sections(found.windows),
            *_mirror_sections(found),
            Section("What it costs if nothing happens", _cost_parts(found)),
            *_pay_off_sections(found.pay_off),
            *stress_sections(found.stressed),
            Section("Where the data came from", (provenance_table(ahead.data),)),
        ),
        foot=report_foot(ahead.source, ahead.data.history, ahead.data.history.fingerprint),
    )


def said(statement: Statement) -> str:
    """Say a statement in words."""
    parts = [f"{name} ends at {value:+.4g}" for name, value in ((k, 100.0 * v) for k, v in statement.pins.items())]
    words = [f"{part}%" for part in parts]
    if statement.move is not None:
        long, short, by = statement.move
        first, second = (long, short) if by >= 0.0 else (short, long)
        words.insert(0, f"{first} beats {second} by {100.0 * abs(by):.4g} points")
    return " and ".join(words)


def _summary(found: WhatIf) -> str:
    ahead, year = found.ahead, found.year
    own = f"the portfolio ({portfolio_name(ahead.portfolio)}; {manner(ahead.rule)})"
    against = f"its benchmark ({portfolio_name(ahead.benchmark)})"
    if found.answer is None:
        carry = f"{100.0 * year.carry.total:+.2f} points"
        return (
            f"If no index moves on any day of a year, {own} makes {carry} against {against}; volatility takes more. "
            f"Nothing is stated: say what happens with --move A:B=25% or --set INDEX=10%."
        )
    one, sessions = found.answer, len(found.history.dates) - 1
    outcome = one.by_rule[STUDY_RULE].excess
    return (
        f"If {said(one.statement)} within {counted(sessions, 'session')} of {ahead.asof:%Y-%m-%d}, {own} makes "
        f"{_points(outcome[0.50].value)} points against {against} on the median path, and between "
        f"{_points(outcome[0.05].value)} and {_points(outcome[0.95].value)} on nine paths of ten. First order says "
        f"{_points(one.first_order)}, a smooth trend without rebalancing {_points(one.smooth)}."
    )


def _points(value: float | None) -> str:
    return write_cell(value, "points")


def _tiles(found: WhatIf) -> tuple[Tile, ...]:
    year = found.year
    costs = (
        Tile("Carry a year", write_cell(year.carry.total, "signed percent"), "if no index moves on any day"),
        _break_even_tile(year),
    )
    if found.answer is None:
        return costs
    one = found.answer
    outcome = one.by_rule[STUDY_RULE]
    spread = f"{_points(outcome.excess[0.05].value)} to {_points(outcome.excess[0.95].value)} on nine paths of ten"
    return (
        Tile("Excess, median path", f"{_points(outcome.excess[0.50].value)} points", spread),
        Tile("Below the benchmark", write_cell(outcome.below.value, "percent"), "of the paths, under the study's rule"),
        *costs,
    )


def _break_even_tile(year: YearlyCosts) -> Tile:
    label = "Break-even a year, points"
    always, never = _points(year.rebalanced.break_even.move), _points(year.untraded.break_even.move)
    if year.own in (None, year.untraded, year.rebalanced):
        return Tile(label, f"{always} or {never}", "rebalanced every session at no cost, or never")
    among = f"rebalanced when your rule does, at no cost; every session {always}, never {never}"
    return Tile(label, _points(year.own.break_even.move), among)


def _answer_sections(found: WhatIf) -> tuple[Section, ...]:
    if found.answer is None:
        return ()
    one = found.answer
    parts = [_ends_table(one), _point_table(one, ""), _rule_table(found, one.by_rule, one, "On paths that end so")]
    if one.real_days is not None and one.real_days.by_rule:
        parts.append(_rule_table(found, one.real_days.by_rule, one, "On paths of real days that end so"))
    elif why := found.undefined.get("real_days"):
        parts.append(Table("On paths of real days that end so", (Column("None"),), (Row((f"{why}.",)),)))
    parts.append(_exposure_table(found, one))
    return (Section("If it happens", tuple(parts), f"{said(one.statement)}."),)


def _ends_table(one: Answer) -> Table:
    stated = {**one.statement.pins}
    rows = tuple(Row((name, end, "stated" if name in stated else "most likely")) for name, end in one.ends.items())
    return Table(
        "Where the indices end",
        (Column("Index"), Column("Total return", "signed percent"), Column("")),
        rows,
        "What is not stated is where the law puts it most likely; the paths below draw it.",
    )


def _point_table(one: Answer, whose: str) -> Table:
    rows = (
        Row(("First order: exposure times return", one.first_order, "no costs, no compounding")),
        Row(("Smooth trend", one.smooth, "no volatility; never rebalanced")),
        Row(("Closed form", one.closed_form, "with volatility; never rebalanced")),
        Row(("Closed form, rebalanced", one.rebalanced_form, "with volatility; rebalanced every session")),
    )
    return Table(
        f"Point answers{whose}, in points over the benchmark",
        (Column(""), Column("Excess", "points 2"), Column("")),
        rows,
    )


def _rule_table(found: WhatIf, by_rule: Mapping[str, RuleOutcome], one: Answer, title: str) -> Table:
    heads = (
        Column("Rule"),
        Column("Smooth", "points 2"),
        Column("5%", "points 2"),
        Column("Median", "points 2"),
        Column("95%", "points 2"),
        Column("Mean", "points 2"),
        Column("Over yours", "points 2"),
        Column("Below", "percent"),
        Column("Drawdown", "percent"),
        Column("Worst", "percent"),
    )
    rows: list[Row] = []
    for name in _shown(found):
        each = by_rule[name]
        values = [each.excess[p].value for p in (0.05, 0.50, 0.95)]
        errors = [each.excess[p].error for p in (0.05, 0.50, 0.95)]
        over = each.over_own if each.over_own and name != STUDY_RULE else Estimate(None, None)
        cells = (*values, each.mean.value, over.value, each.below.value)
        cells = (*cells, each.median_drawdown.value, each.worst_drawdown)
        rows.append(Row((_rule_name(found, name), one.smooth_by_rule[name], *cells), strong=name == STUDY_RULE))
        known = (*errors, each.mean.error, over.error, each.below.error, each.median_drawdown.error)
        points = [None if error is None else 100.0 * error for error in known]
        rows.append(Row(("± error", None, *points, None), "ratio"))
    return Table(title, heads, tuple(rows), _how_drawn(one, by_rule))


def _shown(found: WhatIf) -> list[str]:
    """The rules, one that is the study's own only once."""
    own = found.rules[STUDY_RULE]
    return [name for name, rule in found.rules.items() if name == STUDY_RULE or rule != own]


def _rule_name(found: WhatIf, name: str) -> str:
    if name != STUDY_RULE:
        return name
    own = found.rules[STUDY_RULE]
    named = next((other for other, rule in found.rules.items() if other != STUDY_RULE and rule == own), manner(own))
    return f"{named} (yours)"


def _how_drawn(one: Answer, by_rule: Mapping[str, RuleOutcome]) -> str:
    paths = next(iter(by_rule.values())).paths
    real = one.real_days
    if real is not None and by_rule is real.by_rule:
        left = f" {real.unreached:,} ends could not be reached." if real.unreached else ""
        return (
            f"{paths:,} paths of the window's own days, drawn so that they lead there; what was missing and spread "
            f"over the days is {real.remainder or 0.0:.2f} of a standard deviation of the horizon's return.{left} "
            "Points over the benchmark."
        )
    return (
        f"{paths:,} paths of the law, worth {min(one.sampled.effective, paths):,.0f} independent ones. Points over the "
        "benchmark, which runs under the same rule. Over yours: mean minus that of your rule, path by path. Below: "
        "share of paths below the benchmark. Drawdown: the portfolio's, median and worst. ± error: one standard error."
    )


def _exposure_table(found: WhatIf, one: Answer) -> Table:
    names = list(next(iter(one.by_rule.values())).exposures)
    target = found.ahead.portfolio.exposures
    rows = [Row(("target", *(target.get(name) for name in names)), strong=True)]
    for rule in _shown(found):
        seen = one.by_rule[rule].exposures
        rows.append(Row((_rule_name(found, rule), *(seen[name].value for name in names))))
        rows.append(Row(("± error", *(seen[name].error for name in names)), "ratio 3"))
    heads = (Column("Rule"), *(Column(name, "signed") for name in names))
    return Table("Exposures at the end, mean over the paths", heads, tuple(rows))


def _history_sections(windows: HistoryWindows | None) -> tuple[Section, ...]:
    if windows is None:
        return ()
    if not windows.windows:
        none = Table("Past windows", (Column("None"),), (Row((f"{windows.reason}.",)),))
        return (Section("When it happened before", (none,)),)
    alone = [one for one in windows.windows if not one.overlapping]
    first, last = windows.looked_at or (windows.windows[0].start, windows.windows[-1].end)
    text = (
        f"{windows.number:,} windows of {windows.sessions:,} sessions from {first:%Y-%m-%d} to {last:%Y-%m-%d} were "
        f"like it, of which {windows.non_overlapping:,} do not overlap. Excess under the study's rule: median "
        f"{_points(windows.median)} points, from {_points(windows.least)} to {_points(windows.most)}; below the "
        f"benchmark in {windows.below or 0.0:.0%} of them."
    )
    pinned = tuple(windows.statement.pins)
    moved = () if windows.statement.move is None else (Column("Move", "points"),)
    heads = (
        Column("From", "date"),
        Column("To", "date"),
        *moved,
        *(Column(name, "percent") for name in pinned),
        Column("Portfolio", "percent"),
        Column("Benchmark", "percent"),
        Column("Excess", "points"),
        Column("Funds"),
    )
    rows = tuple(
        Row(
            (
                f"{one.start:%Y-%m-%d}",
                f"{one.end:%Y-%m-%d}",
                *([one.move] if moved else []),
                *(one.ends[name] for name in pinned),
                one.portfolio,
                one.benchmark,
                one.excess,
                "synthetic" if one.synthetic else "real",
            )
        )
        for one in alone[-LISTED:]
    )
    more = f" The last {LISTED}." if len(alone) > LISTED else ""
    note = f"{text} Listed are those that do not overlap, counted from the first on.{more} JSON has all of them."
    return (Section("When it happened before", (Table("Past windows", heads, rows, note),)),)


def _mirror_sections(found: WhatIf) -> tuple[Section, ...]:
    if found.mirror is None:
        why = found.undefined.get("mirror")
        none = Table("The opposite", (Column("Not shown"),), (Row((f"{why}.",)),))
        return (Section("If the opposite happens", (none,)),) if why else ()
    one = found.mirror
    parts = (
        _point_table(one, " to the opposite"),
        _rule_table(found, one.by_rule, one, "On paths that end in the opposite"),
    )
    return (Section("If the opposite happens", parts, f"{said(one.statement)}."),)


def _cost_parts(found: WhatIf) -> tuple[Table | Figure, ...]:
    year, ranges, ahead = found.year, found.ranges, found.ahead
    carry = year.carry
    rows = (
        Row(("Expenses", carry.expense)),
        Row(("Spreads", carry.spread)),
        Row((f"Financing, at {ahead.rate:.2%}", carry.financing)),
        Row(("Cash", carry.cash)),
        Row(("Carry", carry.total), strong=True),
        Row(("Volatility drag, rebalanced every session", year.rebalanced.volatility_drag)),
        *_own_drag(found),
        Row(("Volatility drag, never rebalanced", year.untraded.volatility_drag)),
    )
    told = ", ".join(f"{name} {sigma:.1%}" for name, sigma in found.law.volatility.items())
    note = f"Over the benchmark's. The drag is that of a year in which every index ends where it began, at {told}."
    if year.legs is None:
        note += f" No break-even: {year.rebalanced.break_even.reason}."
    costs = Table("A year in which nothing moves", (Column(""), Column("Points a year", "points 2")), rows, note)
    if year.legs is None:
        return (costs,)
    legs = f"{year.legs.long} over {year.legs.short}"
    multiples = (Column(f"volatility x {m:g}", "points 2") for m in ranges.multiples)
    heads = (Column("Financing rate", "percent"), *multiples)
    # Never and every session are there already.
    own = None if ranges.own in (ranges.untraded, ranges.rebalanced) else ranges.own
    tables = [
        Table(
            f"Break-even a year, {legs}, {how}",
            heads,
            tuple(Row((rate, *(one.move for one in row))) for rate, row in zip(ranges.rates, rows_of, strict=True)),
            f"{on}The rate matters as far as portfolio and benchmark borrow different amounts. A dash: within 90 "
            "points it costs at every move, or pays at every move.",
        )
        for how, rows_of, on in (
            ("rebalanced every session at no cost", ranges.rebalanced, ""),
            *([(f"{manner(ahead.rule)} at no cost", own, "On the mean of the paths. ")] if own else []),
            ("never rebalanced", ranges.untraded, ""),
        )
    ]
    curves = [
        (f"never rebalanced, volatility x {m:g}", [row[k].move for row in ranges.untraded])
        for k, m in enumerate(ranges.multiples)
    ]
    now = _as_it_is(ranges)
    if own:
        curves.append((f"{manner(ahead.rule)}, as it is", [row[now].move for row in own]))
    curves.append(("rebalanced every session, as it is", [row[now].move for row in ranges.rebalanced]))
    first = year.rebalanced.break_even.first_order
    chart = break_even_lines(
        ranges.rates,
        curves,
        f"{legs}. By carry alone {_points(first)} points at today's rate.",
    )
    return (costs, chart, *tables)


def _own_drag(found: WhatIf) -> tuple[Row, ...]:
    if found.year.own in (None, found.year.untraded, found.year.rebalanced):
        return ()
    return (Row((f"Volatility drag, {manner(found.ahead.rule)}", found.year.own.volatility_drag)),)


def _as_it_is(ranges: BreakEvenRange) -> int:
    """Column of the volatility that is nearest to the law's own."""
    return min(range(len(ranges.multiples)), key=lambda k: abs(ranges.multiples[k] - 1.0))


def _pay_off_sections(found: PayOff | None) -> tuple[Section, ...]:
    if found is None:
        return ()
    planes: list[Table | Figure] = []
    for k, excess in enumerate(found.excess):
        at = "" if found.base is None else f", {found.base} {found.base_returns[k]:+.0%}"
        planes.append(
            pay_off_map(
                excess, found.long, found.short, found.long_returns, found.short_returns, f"Excess in points{at}"
            )
        )
    middle = len(found.excess) // 2
    at = "" if found.base is None else f", {found.base} {found.base_returns[middle]:+.0%}"
    planes.append(
        pay_off_map(
            found.convexity[middle],
            found.long,
            found.short,
            found.long_returns,
            found.short_returns,
            f"Convexity in points{at}",
        )
    )
    heads = (Column(f"{found.long} \\ {found.short}"), *(Column(f"{x:+.0%}", "points") for x in found.short_returns))
    rows = tuple(
        Row((f"{end:+.0%}", *(float(x) for x in values)))
        for end, values in zip(found.long_returns, found.excess[middle], strict=True)
    )
    note = (
        "Closed form over the horizon, never rebalanced, at the stated volatility. Convexity is what is left of the "
        f"excess without the first order and carry ({_points(found.carry)} points); the volatility drag is in it."
    )
    planes.append(Table(f"Pay-off map: excess in points{at}", heads, rows, note))
    return (Section("Pay-off map", tuple(planes)),)
