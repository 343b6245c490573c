"""From a study's result to a report."""

from __future__ import annotations

import pandas as pd

from alphaoverlay import __version__
from alphaoverlay.analysis.calendar_years import rolling_active_return
from alphaoverlay.analysis.drawdowns import drawdowns
from alphaoverlay.analysis.metrics import ACTIVE_DEFINITIONS, DEFINITIONS, Metrics
from alphaoverlay.engine.backtesting import Backtest
from alphaoverlay.funds.financing import spreads_as_of
from alphaoverlay.funds.fund import Fund
from alphaoverlay.history import DAYS_A_YEAR, History, counted, iso
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.report import figures
from alphaoverlay.report.model import Column, Figure, Kind, Report, Row, Section, Table, Tile, Tone, write_cell
from alphaoverlay.study.designing import StudyDesign
from alphaoverlay.study.marks import DAGGER, is_synthetic_year, returns_note, synthetic_note, synthetic_spans
from alphaoverlay.study.run import StudyResult
from alphaoverlay.study.series_report import provenance_table
from alphaoverlay.study.sized_report import sized_sections
from alphaoverlay.study.trading_report import attribution_sections, exposure_tables, trading_table
from alphaoverlay.study.wording import manner, portfolio_name

DISCLAIMER = "Analysis of past and modelled data, not investment advice."
KINDS: dict[str, Kind] = {"fraction": "percent", "ratio": "ratio", "multiple": "multiple"}


def run_report(result: StudyResult) -> Report:
    """Return everything that is said about a run, in reading order."""
    history = result.portfolio.history
    return Report(
        title=result.study.title or portfolio_name(result.design.portfolio),
        summary=summary(result),
        notes=(*result.notes, *reading_notes(result.portfolio)),
        tiles=_tiles(result),
        sections=(
            Section("Against the benchmark", (_metrics_table(result), _active_table(result), trading_table(result))),
            *attribution_sections(result),
            Section("Through time", _time_figures(result)),
            Section(
                "Calendar years",
                (
                    figures.by_year(
                        result.years, _year_labels(result), synthetic_note(result.portfolio, result.benchmark)
                    ),
                    _years_table(result),
                ),
            ),
            *sized_sections(result),
            Section("Weights and exposures", _holdings_figures(result)),
            *design_sections(result.design),
            Section("Where the data came from", (provenance_table(result.design.data),)),
        ),
        foot=report_foot(result.source, history, result.fingerprint),
    )


def report_foot(source: str, span: History, fingerprint: str) -> tuple[str, ...]:
    """Say what a report rests on: data, span, hash of the values used, version; and what it is not."""
    return (
        f"Data: {source}, {iso(span.dates[0])} to {iso(span.dates[-1])}, {len(span.dates):,} sessions. "
        f"Fingerprint of the values used: {fingerprint}",
        f"alphaoverlay {__version__}. {DISCLAIMER}",
    )


def summary(result: StudyResult) -> str:
    """Say in one sentence what the portfolio did against its benchmark."""
    own, other = result.metrics, result.benchmark_metrics
    dates = result.portfolio.history.dates

    def pair(key: str, sign: int = 1) -> list[str]:
        return [write_cell(None if m[key] is None else sign * (m[key] or 0.0), "percent") for m in (own, other)]

    short = float(result.portfolio.history.days.sum()) < DAYS_A_YEAR
    if short:
        gap = result.portfolio.final_value - result.benchmark.final_value
        earned = [write_cell(x.final_value - 1.0, "percent") for x in (result.portfolio, result.benchmark)]
    else:
        gap, earned = result.active["cagr"] or 0.0, pair("cagr")
    unit, points = "in all" if short else "a year", f"{abs(100.0 * gap):.1f}"
    compared = "" if points == "0.0" else f": {points} points {unit} {'more' if gap > 0.0 else 'less'}"
    return (
        f"{_not_met(result.design)}From {iso(dates[0])} to {iso(dates[-1])} the portfolio "
        f"({portfolio_name(result.design.portfolio)}; {_how(result)}{_made_up(result)}) returned "
        f"{earned[0]} {unit} against {earned[1]} for "
        f"its benchmark ({portfolio_name(result.design.benchmark)}){compared}, with a volatility of "
        f"{' against '.join(pair('volatility'))} and a deepest fall of {' against '.join(pair('max_drawdown', -1))}."
    )


def _how(result: StudyResult) -> str:
    table, how = result.study.signal, manner(result.portfolio.rule)
    return how if result.sized is None or table is None else f"{how}; sized by {table.long} against {table.short}"


def _made_up(result: StudyResult) -> str:
    until = result.portfolio.fund_returns.synthetic_until
    if not until:
        return ""
    last = max(until.values())
    whole = last == result.portfolio.history.dates[-1] and len(until) == len(result.design.portfolio.funds)
    return "; synthetic" if whole else f"; partly synthetic until {iso(last)}"


def _not_met(design: StudyDesign) -> str:
    if design.design is None or design.design.feasible:
        return ""
    return f"The wanted exposures are not possible ({design.design.reason}); this is the nearest. "


def design_report(design: StudyDesign, source: str) -> Report:
    """Return everything that is said about a design."""
    solved = design.design
    if solved is None or solved.feasible:
        text = f"{portfolio_name(design.portfolio)} brings the exposures {_exposures(design.portfolio)}."
    else:
        misses = ", ".join(f"{name} by {miss:+.4g}" for name, miss in solved.shortfall.items())
        nearest = portfolio_name(design.portfolio)
        text = f"Not possible: {solved.reason}. The nearest that works, {nearest}, misses {misses}."
    return Report(
        title=design.study.title or "Design",
        summary=text,
        notes=(*design.data.notes, *design.notes),
        tiles=(),
        sections=design_sections(design),
        foot=(f"Data: {source}, as of {design.asof}. alphaoverlay {__version__}. {DISCLAIMER}",),
    )


def design_sections(design: StudyDesign) -> tuple[Section, ...]:
    """Weights, exposures, carry and ex-ante risk."""
    parts = [_weights_table(design), _exposure_table(design), _carry_table(design)]
    if design.risk is not None:
        parts.append(_risk_table(design))
    return (Section("The design", tuple(parts)),)


def _exposures(portfolio: Portfolio) -> str:
    return ", ".join(f"{name} {x:+.2f}" for name, x in portfolio.exposures.items())


def reading_notes(backtest: Backtest) -> tuple[str, ...]:
    """What holds of every run: how it traded, what that cost, and whether a year is extrapolated."""
    seen = "Rebalancing is decided and traded at the same close."
    if backtest.targets.lag:
        seen = "Apart from changes of the overlay's size, rebalancing is decided and traded at the same close."
    if backtest.rule.lag:
        seen = f"Rebalancing is decided at a close and traded {counted(backtest.rule.lag, 'session')} later."
    if float(backtest.history.days.sum()) < DAYS_A_YEAR:
        seen += " The span is shorter than a year: yearly figures extrapolate it."
    if backtest.costs.free:
        seen = f"Trading costs are zero, by choice (half_spread_bps = 0). {seen}"
    if backtest.flow.any():
        seen += " With cash flows, returns and metrics are time-weighted."
    return (seen,)


def _tiles(result: StudyResult) -> tuple[Tile, ...]:
    own, other = result.metrics, result.benchmark_metrics
    tiles = []
    for key in ("cagr", "volatility", "max_drawdown", "sharpe"):
        definition = next(d for d in DEFINITIONS if d.key == key)
        kind = KINDS[definition.unit]
        against = f"benchmark {write_cell(other[key], kind)}"
        tiles.append(Tile(definition.label, write_cell(own[key], kind), against))
    active = write_cell(result.active["cagr"], "points")
    tiles.append(
        Tile("Active return a year", f"{active} pts", f"tracking error {write_cell(own['tracking_error'], 'percent')}")
    )
    return tuple(tiles)


def _metrics_table(result: StudyResult) -> Table:
    rows = [
        Row((d.label, result.metrics[d.key], result.benchmark_metrics[d.key]), kind=KINDS[d.unit]) for d in DEFINITIONS
    ]
    for label, pick in (("peak", "peak"), ("trough", "trough"), ("recovery", "recovery")):
        cells = [_fall_day(m, pick) for m in (result.metrics, result.benchmark_metrics)]
        rows.append(Row((f"Max drawdown: {label}", *cells), kind="text"))
    reasons = {**result.metrics.undefined, **result.benchmark_metrics.undefined}
    note = "; ".join(f"{key} is undefined: {reason}" for key, reason in reasons.items())
    note = f"Differences below and above are those of unrounded figures. {note}".strip()
    note = f"{note} {returns_note(result.portfolio, result.benchmark)}".strip()
    columns = (Column(""), Column("Portfolio", "ratio", "portfolio"), Column("Benchmark", "ratio", "benchmark"))
    return Table("Metrics", columns, tuple(rows), note)


def _fall_day(metrics: Metrics, which: str) -> str:
    fall = metrics.worst_drawdown
    if fall is None:
        return "–"
    day = getattr(fall, which)
    return "not yet" if day is None else iso(day)


def _active_table(result: StudyResult) -> Table:
    rows = [Row((d.label, result.active[d.key]), kind=KINDS[d.unit]) for d in ACTIVE_DEFINITIONS]
    return Table(
        "Portfolio minus benchmark",
        (Column(""), Column("Portfolio", "ratio", "portfolio")),
        tuple(rows),
        returns_note(result.portfolio, result.benchmark),
    )


def _time_figures(result: StudyResult) -> tuple[Table | Figure, ...]:
    synthetic = synthetic_spans(result.portfolio, result.benchmark)
    falls = [pd.Series(drawdowns(x.growth), index=x.growth.index) for x in (result.portfolio, result.benchmark)]
    lived = [x.growth[x.growth > 0.0] for x in (result.portfolio, result.benchmark)]
    shown: list[Table | Figure] = [
        figures.growth(lived[0], lived[1], synthetic),
        figures.drawdown(falls[0], falls[1], synthetic),
    ]
    rolling = rolling_active_return(result.portfolio, result.benchmark)
    if len(rolling):
        shown.append(figures.rolling_active(rolling, synthetic))
    return tuple(shown)


def _holdings_figures(result: StudyResult) -> tuple[Table | Figure, ...]:
    portfolio = result.portfolio
    shaded = synthetic_spans(portfolio)
    targets = result.design.portfolio
    weights = portfolio.weights.assign(cash=portfolio.cash) if targets.cash else portfolio.weights
    # Targets that change with a signal are no level lines.
    one_size = result.sized is None
    aims = {**targets.by_symbol, "cash": targets.cash} if one_size else {}
    exposures = portfolio.exposures
    return (
        figures.through_time(weights, aims, "Weights after each close", "share of capital", ".1%", shaded),
        figures.through_time(
            exposures.assign(net=exposures.sum(axis=1)),
            {**targets.exposures, "net": targets.net} if one_size else {},
            "Look-through exposures",
            "multiple of capital",
            "+.3f",
            shaded,
        ),
        *exposure_tables(result),
    )


def _years_table(result: StudyResult) -> Table:
    rows = [
        Row(
            (
                year_label(int(str(year)), bool(row["part_of_year"]), result),
                float(row["portfolio"]),
                float(row["benchmark"]),
                float(row["active"]),
            )
        )
        for year, row in result.years.iterrows()
    ]
    columns = (
        Column("Year"),
        Column("Portfolio", "percent", "portfolio"),
        Column("Benchmark", "percent", "benchmark"),
        Column("Active, points", "points"),
    )
    notes = ["* part of a year."] if bool(result.years["part_of_year"].any()) else []
    notes.append(returns_note(result.portfolio, result.benchmark))
    return Table("Returns by calendar year", columns, tuple(rows), " ".join(filter(None, notes)))


def _year_labels(result: StudyResult) -> list[str]:
    years = result.years
    return [year_label(int(y), bool(part), result) for y, part in zip(years.index, years["part_of_year"], strict=True)]


def year_label(year: int, part: bool, result: StudyResult) -> str:
    """Write a calendar year with its marks: * for a part of it, a dagger where it holds synthetic returns."""
    made = is_synthetic_year(year, result.portfolio, result.benchmark)
    return f"{year}{'*' if part else ''}{DAGGER if made else ''}"


def _weights_table(design: StudyDesign) -> Table:
    rows = [
        Row((fund.symbol, fund.name, fund.follows, weight, fund.yearly_expense, _checked(fund)))
        for fund, weight in zip(design.portfolio.funds, design.portfolio.weights, strict=True)
    ]
    rows.append(Row(("cash", "", "", design.portfolio.cash, "", "")))
    whole = design.portfolio.cash + sum(design.portfolio.weights)
    rows.append(Row(("", "", "", whole, -design.carry.expense, ""), strong=True))
    columns = (
        Column("Fund"),
        Column("Name"),
        Column("Follows"),
        Column("Weight", "percent"),
        Column("Expense", "percent 2"),
        Column("Terms"),
    )
    return Table("Weights", columns, tuple(rows))


def _checked(fund: Fund) -> str:
    return "stated" if fund.multiple is not None else "read" if fund.verified else "unverified"


def _exposure_table(design: StudyDesign) -> Table:
    solved = design.design
    wanted = dict(solved.wanted) if solved else {}
    names = list(dict.fromkeys([*wanted, *design.portfolio.exposures, *design.benchmark.exposures]))
    own, base = design.portfolio.exposures, design.benchmark.exposures
    rows = [
        Row(
            (
                name,
                wanted.get(name) if solved else None,
                own.get(name, 0.0),
                base.get(name, 0.0),
                own.get(name, 0.0) - base.get(name, 0.0),
            )
        )
        for name in names
    ]
    net, base_net = design.portfolio.net, design.benchmark.net
    total = Row(("net", None, net, base_net, net - base_net), strong=True)
    gross = Row(
        ("gross", None, design.portfolio.gross, design.benchmark.gross, design.portfolio.active(base)), strong=True
    )
    heads = ("Wanted", "Portfolio", "Benchmark", "Active")
    note = "Multiples of capital, seen through the funds."
    return Table("Exposures", (Column("Index"), *(Column(h, "signed") for h in heads)), (*rows, total, gross), note)


def _carry_table(design: StudyDesign) -> Table:
    own, other, gap = design.carry, design.benchmark_carry, design.active_carry
    rows = [
        Row((label, getattr(own, key), getattr(other, key), getattr(gap, key)), strong=key == "total")
        for key, label in (
            ("expense", "Expenses"),
            ("spread", "Spreads"),
            ("financing", "Financing"),
            ("cash", "Cash"),
            ("total", "Total"),
        )
    ]
    heads: tuple[tuple[str, Tone], ...] = (("Portfolio", "portfolio"), ("Benchmark", "benchmark"), ("Active", "plain"))
    columns = (Column("A year, when nothing moves"), *(Column(h, "percent 2", t) for h, t in heads))
    note = (
        f"At a financing rate of {design.rate:.2%} ({design.asof}), rates as quoted, without day count. Negative is a "
        f"cost. Volatility drag is apart: it depends on how the indices move.{_spreads(design)}"
    )
    return Table("Carry", columns, tuple(rows), note)


def _spreads(design: StudyDesign) -> str:
    """Say which spreads stand in the carry, and of what date they are."""
    borrowing = [fund for fund in design.portfolio.funds if fund.spread_basis != "none"]
    if not borrowing:
        return ""
    rests = {
        "calibrated": f"calibrated on real funds to {spreads_as_of()}",
        "pooled": f"the mean of the indices calibrated to {spreads_as_of()}",
        "stated": "stated",
    }
    said = [
        f"{', '.join(f'{fund.symbol} {fund.spread:.2%}' for fund in borrowing if fund.spread_basis == basis)} ({words})"
        for basis, words in rests.items()
        if any(fund.spread_basis == basis for fund in borrowing)
    ]
    return f" Financing spreads a year: {'; '.join(said)}."


def _risk_table(design: StudyDesign) -> Table:
    risk = design.risk
    assert risk is not None
    rows = [Row(("Active volatility a year", risk.volatility))]
    rows += [Row((f"… of it {name}", part)) for name, part in risk.by_leg.items()]
    rows.append(Row(("Break-even relative return a year", risk.break_even)))
    rows.append(Row(("Active return in a two-sigma bad quarter", risk.two_sigma_quarter)))
    note = f"Estimated on {risk.covariance.sessions} sessions, {risk.covariance.first} to {risk.covariance.last}."
    if risk.worst_quarter is not None:
        worst, first, last = risk.worst_quarter
        rows.append(Row(("Active return in the worst 63 sessions known", worst)))
        note += f" Worst 63 sessions: {first} to {last}, first order at target exposures."
    return Table(f"Ex-ante risk, as of {design.asof}", (Column(""), Column("Value", "percent 2")), tuple(rows), note)
