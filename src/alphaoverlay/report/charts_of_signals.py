"""Charts of signals: the spread with its entry level and the spells the signal was on, and falls below the peak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from alphaoverlay.report.figures import BENCHMARK, PORTFOLIO, SERIES, line_of, time_layout
from alphaoverlay.report.model import Figure

OnSpells = Sequence[tuple[pd.Timestamp, pd.Timestamp]]
Marks = Sequence[tuple[pd.Timestamp, float]]


def spread(gap: pd.Series, spells: OnSpells, lowest: Marks, highest: Marks, what: str) -> Figure:
    """The difference through time; shaded where the signal was on, past extremes as points."""
    today = float(gap.iloc[-1])
    data: list[dict[str, Any]] = [line_of(gap, "Difference", PORTFOLIO, "+.1%")]
    ends = [_day(gap.index[0]), _day(gap.index[-1])]
    level = {"color": BENCHMARK, "width": 1.2, "dash": "dot"}
    data.append(
        {"type": "scatter", "mode": "lines", "x": ends, "y": [today] * 2, "line": level, "hoverinfo": "skip"}
        | {"name": f"today, {today:+.1%}"}
    )
    for name, marks, symbol in (("lowest", lowest, "triangle-up"), ("highest", highest, "triangle-down")):
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": [_day(day) for day, _ in marks],
                "y": [float(f"{value:.6g}") for _, value in marks],
                "marker": {"symbol": symbol, "size": 9, "color": SERIES[3]},
                "hovertemplate": "%{x}: %{y:+.1%}<extra></extra>",
            }
        )
    layout = time_layout({"title": "long minus short", "tickformat": "+.0%", "zeroline": True}, ())
    note = "Shaded: the signal was on. Triangles: the lowest and highest, more than a window apart."
    return Figure(
        f"Difference of returns, {what}",
        data,
        layout | {"shapes": [_shade(first, last) for first, last in spells]},
        f"Difference of returns between {gap.min():+.1%} and {gap.max():+.1%}, {today:+.1%} on the last day.",
        note,
    )


def ranks(percentile: pd.Series, enter: float, leave: float, spells: OnSpells, what: str) -> Figure:
    """The percentile through time with the levels of entry and exit."""
    data: list[dict[str, Any]] = [line_of(percentile, "Percentile", PORTFOLIO, ".1%")]
    ends = [_day(percentile.index[0]), _day(percentile.index[-1])]
    for name, level, colour in (("entry", enter, SERIES[3]), ("exit", leave, SERIES[0])):
        line = {"color": colour, "width": 1.2, "dash": "dot"}
        data.append(
            {"type": "scatter", "mode": "lines", "x": ends, "y": [level] * 2, "line": line, "hoverinfo": "skip"}
            | {"name": f"{name}, {100.0 * level:.4g}%"}
        )
    axis = {"title": "percentile", "tickformat": ".0%", "range": [-0.02, 1.02]}
    return Figure(
        f"Percentile of the difference, {what}",
        data,
        time_layout(axis, ()) | {"shapes": [_shade(first, last) for first, last in spells]},
        f"Percentile of the difference, {percentile.iloc[-1]:.1%} on the last day.",
        "Shaded: the signal was on.",
    )


def falls(drawdown: pd.Series, name: str) -> Figure:
    """Fall below the running peak, with the levels of a correction and a bear market."""
    filled = {"fill": "tozeroy", "fillcolor": "rgba(0,114,178,0.15)"}
    data: list[dict[str, Any]] = [line_of(drawdown, name, PORTFOLIO, ".1%") | filled]
    ends = [_day(drawdown.index[0]), _day(drawdown.index[-1])]
    for label, level, colour in (("correction", -0.10, BENCHMARK), ("bear market", -0.20, SERIES[3])):
        line = {"color": colour, "width": 1.0, "dash": "dot"}
        data.append(
            {"type": "scatter", "mode": "lines", "x": ends, "y": [level] * 2, "line": line, "hoverinfo": "skip"}
            | {"name": f"{label}, {level:.0%}"}
        )
    return Figure(
        f"{name} below its peak",
        data,
        time_layout({"title": "below the peak", "tickformat": ".0%"}, ()),
        f"{name} below its running peak: {drawdown.iloc[-1]:.1%} on the last day, {drawdown.min():.1%} at worst.",
    )


def _shade(first: pd.Timestamp, last: pd.Timestamp) -> dict[str, Any]:
    return {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "x0": _day(first),
        # A spell that begins on the last day is to be seen too.
        "x1": _day(max(last, first + pd.Timedelta(days=1))),
        "y0": 0,
        "y1": 1,
        "fillcolor": "rgba(230,159,0,0.22)",
        "line": {"width": 0},
        "layer": "below",
    }


def _day(day: pd.Timestamp) -> str:
    return day.strftime("%Y-%m-%d")
