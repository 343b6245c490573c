"""Charts as plotly data, without importing plotly: readable axes, units, one colour a portfolio everywhere.

Colours are Okabe and Ito's, which colour-blind readers can tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from alphaoverlay.report.model import Figure

PORTFOLIO = "#0072B2"
BENCHMARK = "#E69F00"
SERIES = ("#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6BB1", "#7F7F7F")
Spans = Sequence[tuple[pd.Timestamp, pd.Timestamp, str]]


def growth(portfolio: pd.Series, benchmark: pd.Series, synthetic: Spans = ()) -> Figure:
    """Value of 1 over time, log scale."""
    low = float(min(portfolio.min(), benchmark.min()))
    high = float(max(portfolio.max(), benchmark.max()))
    ticks = [t for t in _log_ticks() if low / 1.6 <= t <= high * 1.6]
    axis = {"type": "log", "title": "value of 1", "tickvals": ticks, "ticktext": [f"{t:g}" for t in ticks]}
    return Figure(
        "Growth of 1 (log scale)",
        [line_of(portfolio, "Portfolio", PORTFOLIO, ".3f"), line_of(benchmark, "Benchmark", BENCHMARK, ".3f")],
        time_layout(axis, synthetic),
        f"Growth of 1: portfolio to {portfolio.iloc[-1]:.2f}, benchmark to {benchmark.iloc[-1]:.2f}.",
        _shaded(synthetic),
    )


def drawdown(portfolio: pd.Series, benchmark: pd.Series, synthetic: Spans = ()) -> Figure:
    """Fall below the running peak."""
    own = line_of(portfolio, "Portfolio", PORTFOLIO, ".1%") | {"fill": "tozeroy", "fillcolor": "rgba(0,114,178,0.15)"}
    return Figure(
        "Drawdown",
        [own, line_of(benchmark, "Benchmark", BENCHMARK, ".1%")],
        time_layout({"title": "below the peak", "tickformat": ".0%"}, synthetic),
        f"Drawdown: deepest {portfolio.min():.1%} for the portfolio, {benchmark.min():.1%} for the benchmark.",
        _shaded(synthetic),
    )


def rolling_active(active: pd.Series, synthetic: Spans = ()) -> Figure:
    """Active return over the trailing year."""
    return Figure(
        "Active return over the trailing 252 sessions",
        [line_of(active, "Portfolio minus benchmark", PORTFOLIO, "+.1%")],
        time_layout({"title": "return minus benchmark's", "tickformat": "+.0%", "zeroline": True}, synthetic),
        f"Rolling active return between {active.min():.1%} and {active.max():.1%}.",
        f"Return of the portfolio minus the benchmark's over the 252 sessions before each date. {_shaded(synthetic)}",
    )


def through_time(
    frame: pd.DataFrame, targets: Mapping[str, float], title: str, unit: str, hover: str, synthetic: Spans = ()
) -> Figure:
    """One line a column, its target as a thin line of the same colour."""
    data: list[dict[str, Any]] = []
    for k, name in enumerate(frame.columns):
        colour = SERIES[k % len(SERIES)]
        line = line_of(frame[name], str(name), colour, hover)
        line["line"] |= {"width": 1.4}
        data.append(line)
        if name in targets:
            ends = [_day(frame.index[0]), _day(frame.index[-1])]
            target = {"color": colour, "width": 0.8, "dash": "dot"}
            data.append(
                {"type": "scatter", "mode": "lines", "x": ends, "y": [targets[name]] * 2, "line": target}
                | {"showlegend": False, "hoverinfo": "skip", "name": f"{name} target"}
            )
    axis = {"title": unit, "tickformat": ".0%" if hover.endswith("%") else "+.2f", "zeroline": True}
    ranges = "; ".join(f"{name} {frame[name].min():.2f} to {frame[name].max():.2f}" for name in frame.columns)
    aimed = "Thin dotted lines are the targets." if targets else ""
    note = f"{aimed} {_shaded(synthetic)}".strip()
    return Figure(title, data, time_layout(axis, synthetic), f"{title}: {ranges}.", note)


def by_year(years: pd.DataFrame, names: Sequence[str], note: str = "") -> Figure:
    """Calendar-year returns as bars, one name a year."""
    bars = [
        {"type": "bar", "name": label, "x": list(names), "y": _rounded(years[key]), "marker": {"color": colour}}
        | {"hovertemplate": "%{x}: %{y:.1%}<extra>" + label + "</extra>"}
        for key, label, colour in (("portfolio", "Portfolio", PORTFOLIO), ("benchmark", "Benchmark", BENCHMARK))
    ]
    layout = time_layout({"title": "return", "tickformat": ".0%", "zeroline": True}, ())
    return Figure(
        "Calendar years",
        bars,
        layout | {"barmode": "group", "xaxis": {"type": "category"}, "hovermode": "closest"},
        "Returns by calendar year; the table below has the numbers.",
        note,
    )


def lines(
    frame: pd.DataFrame,
    title: str,
    unit: str,
    hover: str,
    note: str = "",
    tickformat: str = "",
    synthetic: Spans = (),
) -> Figure:
    """One line a column."""
    data = [line_of(frame[name], str(name), SERIES[k % len(SERIES)], hover) for k, name in enumerate(frame.columns)]
    axis = {"title": unit, "zeroline": True, **({"tickformat": tickformat} if tickformat else {})}
    ranges = "; ".join(f"{name} {frame[name].min():.4g} to {frame[name].max():.4g}" for name in frame.columns)
    said = f"{note} {_shaded(synthetic)}".strip()
    return Figure(title, data, time_layout(axis, synthetic), f"{title}: {ranges}.", said)


def bars(values: pd.Series, title: str, unit: str, hover: str, tickformat: str, note: str = "") -> Figure:
    """One bar a category."""
    bar: dict[str, Any] = {
        "type": "bar",
        "name": str(values.name),
        "x": [str(name) for name in values.index],
        "y": _rounded(values),
    }
    bar |= {"marker": {"color": SERIES[0]}, "hovertemplate": "%{x}: %{y:" + hover + "}<extra></extra>"}
    layout = time_layout({"title": unit, "tickformat": tickformat, "zeroline": True}, ())
    return Figure(
        title,
        [bar],
        layout | {"xaxis": {"type": "category"}, "hovermode": "closest", "showlegend": False},
        f"{title}: {values.min():.4g} to {values.max():.4g}.",
        note,
    )


def line_of(series: pd.Series, name: str, colour: str, hover: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [_day(day) for day in series.index],
        "y": _rounded(series),
        "line": {"color": colour, "width": 1.8},
        "hovertemplate": "%{y:" + hover + "}",
    }


def time_layout(yaxis: Mapping[str, Any], synthetic: Spans) -> dict[str, Any]:
    shapes = [
        {"type": "rect", "xref": "x", "yref": "paper", "x0": _day(a), "x1": _day(b), "y0": 0, "y1": 1}
        | {"fillcolor": "rgba(127,127,127,0.13)", "line": {"width": 0}, "layer": "below"}
        for a, b, _ in synthetic
    ]
    return {
        "xaxis": {"type": "date", "hoverformat": "%Y-%m-%d"},
        "yaxis": {**yaxis, "title": {"text": yaxis["title"], "standoff": 8}, "automargin": True},
        "hovermode": "x unified",
        "shapes": shapes,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 64, "r": 16, "t": 36, "b": 40},
        "height": 340,
    }


def _shaded(synthetic: Spans) -> str:
    return " ".join(f"Shaded to {_day(b)}: {text}." for _, b, text in synthetic)


def _day(day: Any) -> str:
    return pd.Timestamp(day).strftime("%Y-%m-%d")


def _rounded(series: pd.Series) -> list[float | None]:
    """Six significant digits: finer than a screen, a third of the bytes. What is unknown leaves a gap."""
    values = series.to_numpy(dtype=np.float64)
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in values]


def _log_ticks() -> list[float]:
    return [m * 10.0**p for p in range(-4, 5) for m in (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)]
