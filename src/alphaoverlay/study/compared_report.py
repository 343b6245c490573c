"""From a comparison of symbols and indices to a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from alphaoverlay.analysis.drawdowns import drawdowns
from alphaoverlay.history import iso
from alphaoverlay.report import figures
from alphaoverlay.report.model import Cell, Column, Figure, Kind, Report, Row, Section, Table, Tile, write_cell
from alphaoverlay.study.compared import SESSIONS, Compared
from alphaoverlay.study.compared_spans import ComparedSpan
from alphaoverlay.study.market_data import StudyData
from alphaoverlay.study.reporting import report_foot
from alphaoverlay.study.series_report import provenance_table

# More columns of numbers than this do not fit a terminal of 100 characters beside the span and its dates.
SIDE_BY_SIDE = 5
COLOURS = (figures.PORTFOLIO, figures.BENCHMARK, *figures.SERIES)
# Where the highest is more than this many times the lowest, a chart has a log scale; with ticks as close as they fit.
WIDE = 4.0
TICKS = {40.0: (1.0, 1.5, 2.0, 3.0, 5.0, 7.0), 1000.0: (1.0, 2.0, 5.0), float("inf"): (1.0,)}
OTHERS_IN_A_LINE = 4


def compared_report(compared: Compared) -> Report:
    """Return everything that is said about it, in reading order."""
    drawn = compared.levels.loc[_drawn_from(compared) :]
    charts = len(drawn) > 1
    strength: tuple[Table | Figure, ...] = (*_relative_tables(compared), *_best_ends(compared))
    if charts and compared.against:
        strength = (*strength, _telltale(compared, drawn))
    sections = [
        Section("Returns", (*_return_tables(compared), *([_growth(compared, drawn)] if charts else []))),
        *([Section("Relative strength", strength)] if compared.against else []),
        Section("Below the peak", (_falls_table(compared), *([_falls(compared, drawn)] if charts else []))),
        Section(
            "Where the data came from",
            (_levels_table(compared), *_totals_table(compared), provenance_table(StudyData(compared.history, {}))),
        ),
    ]
    return Report(
        title=f"{', '.join(compared.asked.names)} on {iso(compared.asof)}",
        summary=_summary(compared),
        notes=compared.notes,
        tiles=_tiles(compared),
        sections=tuple(sections),
        foot=report_foot(compared.source, compared.history, compared.history.fingerprint),
    )


def _drawn_from(compared: Compared) -> pd.Timestamp:
    """The earliest asked date, or five years ago, or the first session that all have if that is later."""
    asked = [span.start for span in compared.spans if span.label.startswith("since ")]
    usual = [span.start for span in compared.spans if span.label == "5 years"]
    common: pd.Timestamp = compared.levels.dropna().index[0]
    begins: pd.Timestamp = min(asked or usual or [common])
    return max(common, begins)


def _dividends(compared: Compared) -> str:
    return "without dividends" if compared.asked.basis == "price" else "with dividends"


def _summary(compared: Compared) -> str:
    first, fall = compared.asked.names[0], compared.falls[compared.asked.names[0]]
    said = f"On {iso(compared.asof)} {first} stood "
    said += f"{-fall.drawdown:.1%} below its peak of {iso(fall.peak)}." if fall.drawdown < 0.0 else "at its peak."
    span = next((one for one in _foreseen(compared) if one.returns[first] is not None), None)
    if span is None:
        return said
    others = _beside(span.returns, compared.asked.names[1:])
    against = f", against {others}" if others else ""
    own = write_cell(span.returns[first], "percent")
    return f"{said} From {iso(span.start)} to {iso(span.end)} it returned {own} {_dividends(compared)}{against}."


def _foreseen(compared: Compared) -> tuple[ComparedSpan, ...]:
    """The spans whose ends were not found with hindsight."""
    return tuple(span for span in compared.spans if span.best_against is None)


def _tiles(compared: Compared) -> tuple[Tile, ...]:
    first, others = compared.asked.names[0], compared.asked.names[1:]
    fall = compared.falls[first]
    asked = [span for span in _foreseen(compared) if span.label.startswith("since ")]
    shown = (*_foreseen(compared)[:1], *asked[:2])
    spans = [
        Tile(f"{first} {span.label}", write_cell(span.returns[first], "percent"), _beside(span.returns, others))
        for span in shown
        if span.returns[first] is not None
    ]
    return (
        *spans,
        Tile(f"{first} below its peak", write_cell(fall.drawdown, "percent"), f"peak of {iso(fall.peak)}"),
        Tile(
            f"{first} volatility",
            write_cell(compared.volatility[first], "percent"),
            _beside(compared.volatility, others) or f"last {SESSIONS} sessions",
        ),
    )


def _beside(values: Mapping[str, float | None], names: Sequence[str]) -> str:
    said = ", ".join(f"{name} {write_cell(values[name], 'percent')}" for name in names[:OTHERS_IN_A_LINE])
    more = len(names) - OTHERS_IN_A_LINE
    return f"{said} and {more} more below" if more > 0 else said


def _return_tables(compared: Compared) -> Iterator[Table]:
    names, spans = compared.asked.names, _foreseen(compared)
    kept = f"Returns {_dividends(compared)}"
    late = any(one is None for span in spans for one in span.returns.values())
    note = f"Every name over the same span{'; a dash where it begins later' if late else ''}."
    yield from _span_tables(compared, kept, names, [(span, span.returns) for span in spans], note=note)
    if compared.asked.basis == "price":
        whose = "; ".join(f"{name}: {of.split(':')[0]}" for name, of in compared.total_of.items())
        unknown = " ".join(f"{name}: unknown, {why}." for name, why in compared.total_unknown.items())
        yield from _span_tables(
            compared,
            "With dividends",
            names,
            [(span, span.total or {}) for span in spans],
            note=f"{f'{whose}.' if whose else ''} {unknown}".strip(),
        )
    yearly = [(span, span.annualised) for span in spans if span.annualised is not None]
    if yearly:
        note = f"Spans of more than a year; {_dividends(compared)}."
        yield from _span_tables(compared, "A year", names, yearly, note=note)


def _relative_tables(compared: Compared) -> Iterator[Table]:
    first = compared.asked.names[0]
    cells = [(span, span.relative) for span in _foreseen(compared)]
    title = f"{first} less {compared.against[0] if len(compared.against) == 1 else 'each other'}, in points"
    heads = {name: f"less {name}" for name in compared.against}
    note = f"Return of {first} minus the other's, {_dividends(compared)}."
    yield from _span_tables(compared, title, compared.against, cells, "points", heads, note)


def _span_tables(
    compared: Compared,
    title: str,
    names: Sequence[str],
    cells: Sequence[tuple[ComparedSpan, Mapping[str, float | None]]],
    kind: Kind = "percent",
    heads: Mapping[str, str] | None = None,
    note: str = "",
) -> Iterator[Table]:
    """A row a span and a column a name, in as many tables as the columns need."""
    pages = [names[k : k + SIDE_BY_SIDE] for k in range(0, len(names), SIDE_BY_SIDE)]
    for page, shown in enumerate(pages, start=1):
        rows = [
            Row((span.label, iso(span.start), iso(span.end), *(by_name.get(name) for name in shown)))
            for span, by_name in cells
        ]
        columns = [
            Column((heads or {}).get(name, name), kind, "portfolio" if name == compared.asked.names[0] else "plain")
            for name in shown
        ]
        number = f" ({page} of {len(pages)})" if len(pages) > 1 else ""
        days = (Column("Span"), Column("From", "date"), Column("To", "date"))
        yield Table(f"{title}{number}", (*days, *columns), tuple(rows), note if page == len(pages) else "")


def _best_ends(compared: Compared) -> Iterator[Table]:
    first = compared.asked.names[0]
    rows = [
        Row((span.best_against, iso(span.start), iso(span.end), span.returns[first], other, span.relative[name]))
        for span in compared.spans
        if (name := span.best_against) is not None and (other := span.returns[name]) is not None
    ]
    if not rows:
        return
    columns = (
        Column("Against"),
        Column("From", "date"),
        Column("Best end", "date"),
        Column(first, "percent", "portfolio"),
        Column("The other", "percent"),
        Column("Lead, points", "points"),
    )
    note = f"The close up to {iso(compared.asof)} on which the lead of {first} was largest. Nobody knew it then."
    yield Table("Best ends, found with hindsight", columns, tuple(rows), note)


def _falls_table(compared: Compared) -> Table:
    rows = []
    for name, fall in compared.falls.items():
        deepest = fall.deepest
        dates: tuple[Cell, ...] = (None, None, None, None)
        if deepest is not None:
            back = "not yet" if deepest.recovery is None else iso(deepest.recovery)
            dates = (deepest.depth, iso(deepest.peak), iso(deepest.trough), back)
        rows.append(Row((name, fall.drawdown, iso(fall.peak), *dates, iso(fall.since))))
    columns = (
        Column("Name"),
        Column("Now", "percent"),
        Column("Peak", "date"),
        Column("Deepest", "percent"),
        Column("From", "date"),
        Column("To", "date"),
        Column("Back", "date"),
        Column("Known since", "date"),
    )
    note = f"On {iso(compared.asof)} and in all the history known up to then, {_dividends(compared)}."
    return Table("Falls below the running peak", columns, tuple(rows), note)


def _levels_table(compared: Compared) -> Table:
    rows = []
    for name in compared.asked.names:
        known = compared.levels[name].dropna()
        rows.append(
            Row(
                (
                    name,
                    compared.made_of[name],
                    iso(known.index[0]),
                    iso(known.index[-1]),
                    float(known.iloc[-1]),
                    compared.volatility[name],
                )
            )
        )
    columns = (
        Column("Name"),
        Column("Level"),
        Column("First", "date"),
        Column("Last", "date"),
        Column("Last level", "ratio"),
        Column("Volatility", "percent"),
    )
    note = f"Volatility: standard deviation of the last {SESSIONS} daily returns, times the square root of {SESSIONS}."
    return Table("What is compared", columns, tuple(rows), note)


def _totals_table(compared: Compared) -> Iterator[Table]:
    rows = tuple(Row((name, of)) for name, of in compared.total_of.items())
    if rows:
        note = "Stated dividends are an assumption, not a record."
        heads = (Column("Name"), Column("Made of"))
        yield Table("What the returns with dividends are made of", heads, rows, note)


def _growth(compared: Compared, drawn: pd.DataFrame) -> Figure:
    grown = drawn / drawn.iloc[0]
    note = f"From the close of {iso(drawn.index[0])}{_late(compared, drawn)}, {_dividends(compared)}."
    figure = figures.lines(grown, "Growth of 1", "value of 1", ".3f", note, ".2f")
    return _scaled(_coloured(figure, compared, compared.asked.names), grown)


def _late(compared: Compared, drawn: pd.DataFrame) -> str:
    """Which name the charts wait for."""
    late = [name for name, fall in compared.falls.items() if fall.since == drawn.index[0]]
    return f", the first of {', '.join(late)}" if late else ""


def _telltale(compared: Compared, drawn: pd.DataFrame) -> Figure:
    first = compared.asked.names[0]
    grown = drawn / drawn.iloc[0]
    ratio = pd.DataFrame({f"{first} over {name}": grown[first] / grown[name] for name in compared.against})
    other = compared.against[0] if len(compared.against) == 1 else "each other"
    note = f"Growth of {first} over the other's. Rising: {first} gains on it. {_dividends(compared).capitalize()}."
    figure = figures.lines(ratio, f"Telltale: {first} over {other}", "ratio of growth", ".3f", note, ".2f")
    return _scaled(_coloured(figure, compared, compared.against), ratio)


def _falls(compared: Compared, drawn: pd.DataFrame) -> Figure:
    known = {name: compared.levels[name].dropna() for name in drawn.columns}
    below = pd.DataFrame({name: pd.Series(drawdowns(one, None), index=one.index) for name, one in known.items()})
    note = "Below the highest close of all the history known up to each day."
    figure = figures.lines(below.loc[drawn.index[0] :], "Drawdown", "below the peak", ".1%", note, ".0%")
    return _coloured(figure, compared, compared.asked.names)


def _coloured(figure: Figure, compared: Compared, names: Sequence[str]) -> Figure:
    """Each name in its own colour on every chart, the ninth and later dashed."""
    data = []
    for line, name in zip(figure.data, names, strict=True):
        at = compared.asked.names.index(name)
        dash = "dash" if at >= len(COLOURS) else "solid"
        data.append({**line, "line": {**line["line"], "color": COLOURS[at % len(COLOURS)], "dash": dash}})
    return replace(figure, data=data)


def _scaled(figure: Figure, drawn: pd.DataFrame) -> Figure:
    """On a log scale where the range is wide, and said so."""
    low, high = float(drawn.min().min()), float(drawn.max().max())
    if high / low <= WIDE:
        return figure
    steps = next(steps for most, steps in TICKS.items() if high / low <= most)
    ticks = [step * 10.0**power for power in range(-6, 7) for step in steps]
    shown = [tick for tick in ticks if low / 2.0 <= tick <= high * 2.0]
    axis = {"type": "log", "tickvals": shown, "ticktext": [f"{tick:g}" for tick in shown]}
    layout = {**figure.layout, "yaxis": {**figure.layout["yaxis"], **axis}}
    return replace(figure, title=f"{figure.title} (log scale)", layout=layout)
