"""The part of a scenario's report that says what stress does."""

from __future__ import annotations

from collections.abc import Mapping

from alphaoverlay.report.model import Column, Row, Section, Table
from alphaoverlay.study.stressed import Outcome, Replay, Stressed


def stress_sections(found: Stressed) -> tuple[Section, ...]:
    """Return the tables of a study under stress."""
    return (Section("Under stress", (_crisis_table(found), *_gap_tables(found), _shock_table(found))),)


def _crisis_table(found: Stressed) -> Table:
    heads = (
        Column("Crisis"),
        Column("From", "date"),
        Column("To", "date"),
        Column("Portfolio", "percent"),
        Column("Benchmark", "percent"),
        Column("Excess", "points"),
        Column("Never rebalanced", "points"),
        Column("Drawdown", "percent"),
        Column("Benchmark's", "percent"),
        Column("Funds"),
    )
    missing = [f"{one.crisis.name}: {one.reason}" for one in found.crises if one.outcome is None]
    note = "The falls of the S&P 500 from peak to trough, bought at the peak's close. Excess in points."
    rows = tuple(_crisis_row(one, one.outcome) for one in found.crises if one.outcome is not None)
    return Table("Crises replayed", heads, rows, " ".join([note, *(f"{line}." for line in missing)]))


def _crisis_row(one: Replay, outcome: Outcome) -> Row:
    made = f"synthetic: {', '.join(one.synthetic)}" if one.synthetic else "real"
    days = (f"{one.crisis.first:%Y-%m-%d}", f"{one.crisis.last:%Y-%m-%d}")
    results = (outcome.portfolio, outcome.benchmark, outcome.excess, outcome.halted_excess)
    return Row((one.crisis.name, *days, *results, one.drawdown, one.benchmark_drawdown, made))


def _gap_tables(found: Stressed) -> tuple[Table, ...]:
    if not found.gaps:
        return ()
    indices = list(found.gaps[0].index_returns)
    funds = list(found.gaps[0].fund_returns)
    heads = tuple(Column(name, "percent") for name in (*indices, *funds))
    rows = tuple(
        Row(
            (
                *(one.index_returns[name] for name in indices),
                *(one.fund_returns[name] for name in funds),
                one.portfolio,
                one.benchmark,
                one.excess,
            )
        )
        for one in found.gaps
    )
    limits = found.gaps[0].thresholds.items()
    told = ", ".join(f"{name} at {limit:+.1%}" for name, limit in limits if limit is not None)
    note = "One session; what is not stated makes its most likely return."
    note += f" A move of its index that leaves nothing of a fund: {told}." if told else ""
    last = (Column("Portfolio", "percent"), Column("Benchmark", "percent"), Column("Excess", "points"))
    return (Table("A gap overnight", (*heads, *last), rows, note),)


def _shock_table(found: Stressed) -> Table:
    named: Mapping[str, Outcome | None] = {
        f"A quarter in which all fall together ({_ends(found)})": found.correlation_one,
        "The shock that was stated": found.shock,
    }
    rows = tuple(
        Row((name, one.portfolio, one.benchmark, one.excess, one.halted_excess))
        for name, one in named.items()
        if one is not None
    )
    heads = (
        Column(""),
        Column("Portfolio", "percent"),
        Column("Benchmark", "percent"),
        Column("Excess", "points"),
        Column("Never rebalanced", "points"),
    )
    note = "All together: correlations go to one, and every index falls by two of its own deviations."
    return Table("Everything at once", heads, rows, note)


def _ends(found: Stressed) -> str:
    return ", ".join(f"{name} {end:+.0%}" for name, end in found.correlation_one_ends.items())
