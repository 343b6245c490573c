"""The part of a scenario's report that says what stress does."""

from __future__ import annotations

from alphaoverlay.report.model import Column, Row, Section, Table
from alphaoverlay.study.stressed import Outcome, Replay, Stressed


def stress_sections(found: Stressed) -> tuple[Section, ...]:
    """Return the tables of a study under stress."""
    return (
        Section(
            "Under stress", (_crisis_table(found), *_gap_tables(found), _together_table(found), *_shock_tables(found))
        ),
    )


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


def _together_table(found: Stressed) -> Table:
    heads = (Column("Rule"), *(Column(head, "points") for head in ("5%", "Median", "95%")), Column("Below", "percent"))
    words = {"study": "under the study's rule", "halted": "rebalancing halted"}
    rows = [
        Row((words[name], *(one.excess[p].value for p in (0.05, 0.50, 0.95)), one.below.value))
        for name, one in found.correlation_one.items()
    ]
    ends = ", ".join(f"{name} {end:+.0%}" for name, end in found.correlation_one_ends.items())
    smooth = found.correlation_one_smooth
    note = (
        f"Correlations go to one: in a quarter every index falls by two of its own deviations ({ends}), on "
        f"{next(iter(found.correlation_one.values())).paths:,} paths moved by one factor. Excess in points. Were every "
        f"session alike, {100.0 * smooth.excess:+.1f}, and {100.0 * smooth.halted_excess:+.1f} with rebalancing halted."
    )
    return Table("All fall together", heads, tuple(rows), note)


def _shock_tables(found: Stressed) -> tuple[Table, ...]:
    one = found.shock
    if one is None:
        return ()
    heads = (
        Column("Portfolio", "percent"),
        Column("Benchmark", "percent"),
        Column("Excess", "points"),
        Column("Never rebalanced", "points"),
    )
    row = Row((one.portfolio, one.benchmark, one.excess, one.halted_excess))
    return (Table("The shock that was stated", heads, (row,), "To the end of the horizon."),)
