"""From a comparison of a fund with its synthetic one to a report."""

from __future__ import annotations

import numpy as np
import pandas as pd

from alphaoverlay.funds.expenses import steps_up_to
from alphaoverlay.funds.financing import spread_words
from alphaoverlay.funds.fund import Fund, Multiple
from alphaoverlay.funds.long_horizon import WORTH_A_LINE
from alphaoverlay.funds.tracking import Tracking
from alphaoverlay.history import iso
from alphaoverlay.report import figures
from alphaoverlay.report.model import Column, Figure, Report, Row, Section, Table, Tile, write_cell
from alphaoverlay.study.reporting import report_foot
from alphaoverlay.study.series_report import provenance_table
from alphaoverlay.study.tracked import TrackedFund


def tracking_report(tracked: TrackedFund) -> Report:
    """Return everything that is said about how a fund tracks, in reading order."""
    tracking = tracked.tracking
    fund, span = tracking.fund, tracking.history
    gaps: list[Table | Figure] = [_comparison_table(tracking), *_telltale(tracking)]
    sections = [
        Section("Real against synthetic", tuple(gaps)),
        Section("By calendar year", (_year_figure(tracking), _year_table(tracking))),
        Section("Largest daily gaps", (_gap_table(tracking),)),
    ]
    if tracking.horizon is not None:
        sections.insert(1, Section("What the return was made of", (_horizon_table(tracking),)))
    if tracking.premium is not None:
        sections.append(Section("Price and net asset value", _premium_parts(tracking)))
    sections += [
        Section("The prices", (_findings_table(tracking),)),
        Section("Assumptions", (terms_table(fund, span.dates[-1]),)),
        Section("Where the data came from", (provenance_table(tracked.data),)),
    ]
    return Report(
        title=f"{fund.symbol}: the real fund and the synthetic one",
        summary=summary(tracking),
        notes=tracked.notes,
        tiles=_tiles(tracking),
        sections=tuple(sections),
        foot=report_foot(tracked.source, span, tracked.data.history.fingerprint),
    )


def summary(tracking: Tracking) -> str:
    """Say in two sentences how far the synthetic fund is from the real one, and whether the promise was kept."""
    fund, gap = tracking.fund, tracking.default
    side = "richer" if gap.difference > 0.0 else "poorer"
    apart = "as rich as" if abs(gap.difference) < 0.00005 else f"{abs(gap.difference):.2%} a year {side} than"
    first = (
        f"From {iso(tracking.history.dates[0])} to {iso(tracking.history.dates[-1])} the synthetic {fund.symbol} was "
        f"{apart} the real one ({write_cell(gap.trimmed, 'signed percent')} a year without the ten largest daily "
        f"gaps), with a tracking error of {gap.error:.2%} and a weekly R2 of "
        f"{write_cell(gap.r_squared_weekly, 'ratio 4')}."
    )
    if tracking.beta is None:
        return first
    return (
        f"{first} Its promise is {fund.leverage:+g} times the index each day: against {tracking.plain_symbol} its "
        f"daily beta was {tracking.beta:+.3f}, R2 {write_cell(tracking.r_squared, 'ratio 4')}."
    )


def _tiles(tracking: Tracking) -> tuple[Tile, ...]:
    gap = tracking.default
    tiles = [
        Tile(
            "Tracking difference a year",
            write_cell(gap.difference, "signed percent"),
            f"trimmed {write_cell(gap.trimmed, 'signed percent')}",
        ),
        Tile("Tracking error", write_cell(gap.error, "percent 2"), "daily gap, a year"),
        Tile("Weekly R2", write_cell(gap.r_squared_weekly, "ratio 4"), "default index series"),
    ]
    if tracking.beta is not None:
        daily = f"R2 {write_cell(tracking.r_squared, 'ratio 4')} to {tracking.plain_symbol}"
        tiles.append(Tile("Daily beta", f"{tracking.beta:+.3f}", f"promised {tracking.fund.leverage:+g}; {daily}"))
    return tuple(tiles)


def _comparison_table(tracking: Tracking) -> Table:
    ways = [("M1, ", tracking.default), *([("M1, ", tracking.on_plain)] if tracking.on_plain is not None else [])]
    ways += [("other: ", one) for one in tracking.others]
    rows = [
        Row(
            (
                f"{label}{one.name}",
                one.difference,
                one.trimmed,
                one.error,
                one.r_squared,
                one.r_squared_weekly,
                one.worst_month,
                one.worst_month_gap,
            ),
            strong=one is tracking.default,
        )
        for label, one in ways
    ]
    columns = (
        Column("Built by"),
        Column("Difference a year", "signed percent"),
        Column("trimmed", "signed percent"),
        Column("Tracking error", "percent 2"),
        Column("R2 daily", "ratio 4"),
        Column("weekly", "ratio 4"),
        Column("Worst month"),
        Column("gap", "signed percent"),
    )
    note = (
        "Built minus real, in log return; trimmed is without the ten largest daily gaps. A fund's close and its "
        "index part in stress, so the plain fund follows the daily moves of another fund more closely; the "
        "index, to which the default spreads were fitted, ends nearer. Other formulas are shown to be compared "
        "with; nothing else uses them."
    )
    return Table("Two index choices, and other formulas", columns, tuple(rows), note)


def _telltale(tracking: Tracking) -> list[Figure]:
    names = {"default": "default index series", "plain": f"plain fund {tracking.plain_symbol}"}
    note = "Growth of the synthetic fund over the real one's: flat where they agree, rising where it is richer."
    frame = tracking.telltale.rename(columns=names)
    spans = [
        f"{name} {part}"
        for name, one in tracking.indices.items()
        for part in one.spans
        if part.first <= tracking.history.dates[-1] and part.last >= tracking.history.dates[0]
    ]
    note += f" Default index series: {'; '.join(spans)}."
    return [figures.lines(frame, "Telltale: synthetic over real", "ratio of growth", ".4f", note, ".3f")]


def _year_figure(tracking: Tracking) -> Figure:
    return figures.bars(
        tracking.by_year["tracking_difference"],
        "Tracking difference by calendar year",
        "synthetic minus real",
        "+.2%",
        "+.1%",
        "Sum of the daily log gaps of the year.",
    )


def _year_table(tracking: Tracking) -> Table:
    part = tracking.part_years
    rows = [
        Row(
            (
                f"{year}{'*' if year in part else ''}",
                float(row["real"]),
                float(row["synthetic"]),
                float(row["tracking_difference"]),
                float(row["tracking_error"]),
                float(row["sessions"]),
            )
        )
        for year, row in tracking.by_year.iterrows()
    ]
    columns = (
        Column("Year"),
        Column("Real", "percent 2"),
        Column("Synthetic", "percent 2"),
        Column("Difference (log)", "signed percent"),
        Column("Tracking error", "percent 2"),
        Column("Sessions", "count"),
    )
    return Table(
        "By calendar year", columns, tuple(rows), "* part of a year; its difference is not annualised" if part else ""
    )


def _gap_table(tracking: Tracking) -> Table:
    rows = [Row((iso(one.day), one.real, one.built, one.gap, one.cause)) for one in tracking.worst_days]
    columns = (
        Column("Day", "date"),
        Column("Real", "percent 2"),
        Column("Synthetic", "percent 2"),
        Column("Gap (log)", "signed percent"),
        Column("Likely cause"),
    )
    note = (
        "The first cause that fits, likely but not proven: closing-time mismatch means that a neighbouring session "
        "takes back at least half of the gap, as when prices are taken at different moments or part in stress."
    )
    return Table("The ten largest daily gaps", columns, tuple(rows), note)


def _horizon_table(tracking: Tracking) -> Table:
    horizon = tracking.horizon
    assert horizon is not None
    slip = -tracking.default.difference * tracking.years
    parts = [
        (f"Leverage: {tracking.fund.leverage:+g} times the index's log growth", horizon.leverage, False),
        ("Financing (a gain for an inverse fund)", horizon.financing, False),
        ("Spread", horizon.spread, False),
        ("Expense", horizon.expense, False),
        ("Volatility drag", horizon.volatility_drag, False),
        ("M2, the closed form", horizon.closed_form, True),
    ]
    if abs(horizon.third_order) > WORTH_A_LINE:
        parts.append(("Third-order term", horizon.third_order, False))
        parts.append(("Rest", horizon.rest - horizon.third_order, False))
    else:
        parts.append(("Rest (higher orders)", horizon.rest, False))
    parts += [
        ("M1, the synthetic fund", horizon.exact, True),
        ("Slippage: what the synthetic fund misses", slip, False),
        ("The real fund", horizon.exact + slip, True),
    ]
    rows = [Row((label, value / horizon.years, value), strong=strong) for label, value, strong in parts]
    columns = (Column("Log return"), Column("A year", "signed percent"), Column("In all", "signed percent"))
    volatility = float(np.sqrt(horizon.variance / len(tracking.real) * 252.0))
    note = f"At the index's volatility of {volatility:.1%} a year over these sessions. The parts add up exactly."
    return Table("M2 beside M1", columns, tuple(rows), note)


def _premium_parts(tracking: Tracking) -> tuple[Table | Figure, ...]:
    premium, symbol = tracking.premium, tracking.fund.symbol
    assert premium is not None
    rows = (
        Row(("Mean", premium.mean)),
        Row(("5% of closes below", premium.low)),
        Row(("5% of closes above", premium.high)),
        Row((f"Largest, on {iso(premium.worst_day)}", premium.worst)),
        Row(("At the first close", premium.first)),
        Row(("At the last close", premium.last)),
    )
    series = (tracking.history.close[symbol] / tracking.history.nav[symbol] - 1.0).rename("premium").to_frame()
    return (
        Table("Close over net asset value", (Column(""), Column("Premium", "signed percent")), rows),
        figures.lines(series, "Premium over net asset value", "close / NAV - 1", "+.2%", "", "+.1%"),
    )


def _findings_table(tracking: Tracking) -> Table:
    rows = tuple(Row((one.kind, one.sentence)) for one in tracking.findings) or (
        Row(("none", "Nothing awkward was found.")),
    )
    return Table("What is awkward in the prices", (Column("Kind"), Column("Finding")), rows, "Nothing was repaired.")


def terms_table(fund: Fund, last: pd.Timestamp) -> Table:
    """Every parameter of M1 that was used up to a day, and where it comes from."""
    if fund.multiple is not None:
        return _ticker_terms_table(fund, fund.multiple)
    steps = steps_up_to(fund, last.date())
    expense = f"{fund.expense:.2%} throughout"
    if steps:
        expense = ", ".join(f"{value:.2%} from {day}" for day, value in steps)
        expense += "; each figure holds from the day it was seen, the first also before"
    rows = [
        Row(("Follows", fund.follows)),
        Row(("Expense ratio", expense)),
        Row(("Spread", spread_words(fund))),
        Row(("Swap exposure (SW)", f"{fund.swap_exposure:g}")),
    ]
    return Table("Terms of M1", (Column(""), Column("Value")), tuple(rows))


def _ticker_terms_table(fund: Fund, multiple: Multiple) -> Table:
    """The terms that a ticker states."""
    rows = [
        Row(("Multiple of", f"{multiple.times:g}x {multiple.of.symbol}, which follows {multiple.of.follows}")),
        Row(("Expense ratio", f"{fund.expense:.2%}, stated, beside what {multiple.of.symbol} charges")),
        Row(("Spread", spread_words(fund))),
        Row(("Swap exposure (SW)", f"{fund.swap_exposure:g}")),
    ]
    return Table("Terms of M1", (Column(""), Column("Value")), tuple(rows))
