"""From a simulated study to a report."""

from __future__ import annotations

from collections.abc import Mapping

from alphaoverlay.overlays.risk import SESSIONS_A_YEAR
from alphaoverlay.report.charts_of_paths import fan, shares_below
from alphaoverlay.report.model import Cell, Column, Figure, Kind, Report, Row, Section, Table, Tile, write_cell
from alphaoverlay.scenarios.generators import GENERATORS
from alphaoverlay.scenarios.mean_adjustment import Mean
from alphaoverlay.scenarios.simulation import Simulation
from alphaoverlay.scenarios.tally import PERCENTS, Distribution, Estimate
from alphaoverlay.study.reporting import report_foot
from alphaoverlay.study.series_report import provenance_table
from alphaoverlay.study.simulated import BENCHMARK, PORTFOLIO, StudySimulation
from alphaoverlay.study.wording import manner, portfolio_name

LABELS: Mapping[str, tuple[str, Kind]] = {
    "wealth": ("Wealth at the end (1 at the start)", "multiple"),
    "growth": ("Growth of 1, without the flows", "multiple"),
    "cagr": ("CAGR", "percent"),
    "max_drawdown": ("Max drawdown", "percent"),
    "under_water": ("Time under water", "percent"),
    "longest_under_water": ("Longest under water, years", "ratio 1"),
}
ACTIVE = ("Active CAGR", "percent 2")


def simulation_report(found: StudySimulation) -> Report:
    """Return everything that is said about a simulation, in reading order."""
    ahead, made = found.ahead, found.simulation
    return Report(
        title=ahead.study.title or portfolio_name(ahead.portfolio),
        summary=_summary(found),
        notes=found.notes,
        tiles=_tiles(made),
        sections=(
            Section("Where it may go", (_fan(found), *_quantile_tables(made))),
            Section("Against the benchmark", (_active_chart(made), _against_table(found), *_rules_table(found))),
            Section("How the paths were made", (_generator_table(found),)),
            *_sensitivity(found),
            Section("Where the data came from", (provenance_table(ahead.data),)),
        ),
        foot=report_foot(ahead.source, ahead.data.history, ahead.data.history.fingerprint),
    )


def _summary(found: StudySimulation) -> str:
    made, ahead = found.simulation, found.ahead
    # What was paid in is no growth: with flows, 1 is told without them.
    flows = "growth" in made.outcomes[PORTFOLIO].figures
    key, left_out = ("growth", ", cash flows left out,") if flows else ("wealth", "")
    own, other = (made.outcomes[name].figures[key].quantiles for name in (PORTFOLIO, BENCHMARK))
    dates = made.history.dates
    trailing = made.against[PORTFOLIO].trailing
    return (
        f"On {made.paths:,} simulated paths from {dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d} "
        f"({GENERATORS[made.generator]}) 1 in the portfolio{left_out} "
        f"({portfolio_name(ahead.portfolio)}; {manner(ahead.rule)}) "
        f"became {own[0.50].value:.2f} or more on half of them and less than {own[0.05].value:.2f} on one in twenty; "
        f"in its benchmark ({portfolio_name(ahead.benchmark)}) {other[0.50].value:.2f} and {other[0.05].value:.2f}. It "
        f"trailed its benchmark on {_share(trailing)} of the paths."
    )


def _share(one: Estimate) -> str:
    """A share with twice its standard error, or its bound."""
    if one.value is None:
        return "–"
    if one.error is None:
        return f"{one.value:.0%} (95% bound {one.bound:.2%})"
    return f"{one.value:.1%} ± {2.0 * one.error:.1%}"


def _tiles(made: Simulation) -> tuple[Tile, ...]:
    own, other = made.outcomes[PORTFOLIO], made.outcomes[BENCHMARK]

    def pair(figure: str, p: float) -> tuple[str, str]:
        values = [write_cell(one.figures[figure].quantiles[p].value, LABELS[figure][1]) for one in (own, other)]
        return values[0], f"benchmark {values[1]}"

    return (
        Tile("Median CAGR", *pair("cagr", 0.50)),
        Tile("CAGR, worst 5% of paths", *pair("cagr", 0.05)),
        Tile("Median of the max drawdown", *pair("max_drawdown", 0.50)),
        Tile("Trails its benchmark", _share(made.against[PORTFOLIO].trailing), "of the paths, ± two standard errors"),
    )


def _fan(found: StudySimulation) -> Figure:
    made = found.simulation
    days = made.history.dates[made.marks]
    flows = " Cash flows are in it." if "growth" in made.outcomes[PORTFOLIO].figures else ""
    note = f"Drawn from the first {made.fan_paths:,} paths. Simulated, not a forecast.{flows}"
    return fan(days, made.outcomes[PORTFOLIO].fan, made.outcomes[BENCHMARK].fan, note)


def _quantile_tables(made: Simulation) -> tuple[Table, ...]:
    heads = (Column(""), Column("Whose"), *(Column(f"{p:.0%}", "percent") for p in PERCENTS), Column("Mean", "percent"))
    own, other = made.outcomes[PORTFOLIO].figures, made.outcomes[BENCHMARK].figures
    rows: list[Row] = []
    for key, (label, kind) in LABELS.items():
        if key in own:
            rows += _quantile_rows(
                label, kind, own[key], other.get(key), 1.0 / SESSIONS_A_YEAR if kind == "ratio 1" else 1.0
            )
    note = (
        "Each column is a quantile over the paths: 5% means that one path in twenty came out lower. The error is one "
        "standard error, from the number of paths alone."
    )
    shares = [
        Row((label, *(_share(getattr(made.outcomes[name], field)) for name in (PORTFOLIO, BENCHMARK))))
        for label, field in (("Nothing was left", "ruined"), ("Fell by half or more below a peak", "halved"))
    ]
    return (
        Table("Quantiles over the paths", heads, tuple(rows), note),
        Table("How often", (Column(""), Column("Portfolio"), Column("Benchmark")), tuple(shares), "± two errors."),
    )


def _quantile_rows(label: str, kind: Kind, own: Distribution, other: Distribution | None, unit: float) -> list[Row]:
    fine: Kind = "percent 2" if kind == "percent" else "ratio 3"

    def row(first: str, whose: str, values: list[float | None], mean: float | None, how: Kind, strong: bool) -> Row:
        cells: list[Cell] = [None if value is None else unit * value for value in [*values, mean]]
        return Row((first, whose, *cells), how, strong)

    found = [row(label, "portfolio", [e.value for e in own.quantiles.values()], own.mean.value, kind, True)]
    found.append(row("", "its error", [e.error for e in own.quantiles.values()], own.mean.error, fine, False))
    if other is not None:
        found.append(row("", "benchmark", [e.value for e in other.quantiles.values()], other.mean.value, kind, False))
    return found


def _active_chart(made: Simulation) -> Figure:
    curves = {
        "Portfolio": made.outcomes[PORTFOLIO].figures["cagr"].curve,
        "Benchmark": made.outcomes[BENCHMARK].figures["cagr"].curve,
    }
    return shares_below(curves, "CAGR over the paths", "CAGR", "Read at a height: that share of paths earned less.")


def _against_table(found: StudySimulation) -> Table:
    """Active return under each rule, on the same paths."""
    heads = (Column("Rule"), *(Column(f"{p:.0%}", "percent 2") for p in PERCENTS), Column("Mean", "percent 2"))
    rows: list[Row] = []
    for name, one in found.simulation.against.items():
        values = [each.value for each in one.active.quantiles.values()]
        rows.append(Row((manner(found.rules[name]), *values, one.active.mean.value, _share(one.trailing)), strong=True))
        errors = [each.error for each in one.active.quantiles.values()]
        rows.append(Row(("standard error", *errors, one.active.mean.error, "")))
    note = (
        "CAGR of the portfolio minus the benchmark's, path by path. All rules run on the same paths. The benchmark "
        "runs under the study's rule."
    )
    return Table("Active CAGR over the paths", (*heads, Column("Trails")), tuple(rows), note)


def _rules_table(found: StudySimulation) -> tuple[Table, ...]:
    """Other rules against the study's own, path by path."""
    apart = found.simulation.over_first
    if not apart:
        return ()
    own = manner(found.ahead.rule)
    rows: list[Row] = []
    for name, one in apart.items():
        values = [one.quantiles[p].value for p in (0.05, 0.50, 0.95)]
        rows.append(Row((manner(found.rules[name]), *values, one.mean.value), strong=True))
        rows.append(Row(("standard error", *(one.quantiles[p].error for p in (0.05, 0.50, 0.95)), one.mean.error)))
    heads = (Column("Rule"), *(Column(name, "percent 3") for name in ("5%", "50%", "95%", "Mean")))
    note = f"CAGR of the portfolio under another rule minus its own ({own}), path by path."
    return (Table("Other rules against the study's", heads, tuple(rows), note),)


def _generator_table(found: StudySimulation) -> Table:
    made, days, mean = found.simulation, found.days, found.mean
    rows = [Row(("Generator", GENERATORS[made.generator]))]
    rows.append(
        Row(("Made from", f"{len(days.dates):,} sessions, {days.dates[0]:%Y-%m-%d} to {days.dates[-1]:%Y-%m-%d}"))
    )
    rows.append(Row(("Mean", _mean(mean))))
    rows += [
        Row((name.replace("_", " "), f"{v:.4g}" if isinstance(v, float) else str(v))) for name, v in made.facts.items()
    ]
    rows.append(Row(("Values cut at the generator's limit", f"{made.hits:,}")))
    rows.append(Row(("Seed", str(made.seed))))
    return Table("Generator", (Column(""), Column("")), tuple(rows))


def _mean(mean: Mean) -> str:
    if isinstance(mean, str):
        return {"historical": "as in the history", "zero": "adjusted to no growth"}[mean]
    if isinstance(mean, Mapping):
        return "adjusted to " + ", ".join(f"{value:.2%} a year for {name}" for name, value in mean.items())
    return f"adjusted to {mean:.2%} a year for every index"


def _sensitivity(found: StudySimulation) -> tuple[Section, ...]:
    if not found.sensitivity:
        return ()
    heads = (
        Column("Paths by"),
        Column("CAGR", "percent"),
        Column("CAGR, 5%", "percent"),
        Column("Benchmark's", "percent"),
        Column("Active", "percent 2"),
        Column("Max drawdown", "percent"),
        Column("Trails", "percent"),
    )
    rows: list[Row] = []
    for name, made in {"as above": found.simulation, **found.sensitivity}.items():
        figures = _variant_figures(made)
        rows.append(Row((name, *(one.value for one in figures)), strong=name == "as above"))
        rows.append(Row(("its error", *(one.error for one in figures)), "percent 2"))
    few = min(made.paths for made in found.sensitivity.values())
    note = (
        f"Medians, and a quantile of the CAGR; the others on {few:,} paths. What the model decides is larger than what "
        "the number of paths leaves open."
    )
    return (Section("How much it depends on the model", (Table("Other paths", heads, tuple(rows), note),)),)


def _variant_figures(made: Simulation) -> tuple[Estimate, ...]:
    own, other, against = made.outcomes[PORTFOLIO].figures, made.outcomes[BENCHMARK].figures, made.against[PORTFOLIO]
    return (
        own["cagr"].quantiles[0.50],
        own["cagr"].quantiles[0.05],
        other["cagr"].quantiles[0.50],
        against.active.quantiles[0.50],
        own["max_drawdown"].quantiles[0.50],
        against.trailing,
    )
