"""Charts of simulated paths: fans of wealth, and distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from alphaoverlay.history import FloatArray
from alphaoverlay.report.figures import BENCHMARK, PORTFOLIO, SERIES, time_layout
from alphaoverlay.report.model import Figure

SHADES = {PORTFOLIO: "0,114,178", BENCHMARK: "230,159,0"}


def fan(days: pd.DatetimeIndex, portfolio: FloatArray, benchmark: FloatArray, note: str) -> Figure:
    """Value of 1 ahead: median, the middle half and nine tenths of the paths; log scale.

    Parameters
    ----------
    portfolio, benchmark : quantiles at 5, 25, 50, 75 and 95%, shape (days, 5).
    """
    data = [*_shaded(days, portfolio, PORTFOLIO, "Portfolio"), *_outline(days, benchmark, BENCHMARK, "Benchmark")]
    last = portfolio[-1]
    return Figure(
        "Value of 1 ahead (log scale)",
        data,
        time_layout({"type": "log", "title": "value of 1"}, ()) | {"hovermode": "closest"},
        f"Value of 1 at the end: median {last[2]:.2f}, between {last[0]:.2f} and {last[4]:.2f} on nine paths of ten; "
        f"the benchmark's median {benchmark[-1][2]:.2f}.",
        note,
    )


def _shaded(days: pd.DatetimeIndex, quantiles: FloatArray, colour: str, name: str) -> list[dict[str, Any]]:
    """Two bands and the median."""
    x = [day.strftime("%Y-%m-%d") for day in days]
    data: list[dict[str, Any]] = []
    for low, high, shade, what in ((0, 4, 0.14, "5% to 95%"), (1, 3, 0.26, "25% to 75%")):
        edge = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0}, "hoverinfo": "skip"}
        fill = {"fill": "tonexty", "fillcolor": f"rgba({SHADES[colour]},{shade})"}
        data.append(edge | {"y": _rounded(quantiles[:, low]), "showlegend": False, "name": what})
        data.append(edge | fill | {"y": _rounded(quantiles[:, high]), "name": f"{name}, {what}"})
    data.append(_line(x, quantiles[:, 2], colour, f"{name}, median", "solid"))
    return data


def _outline(days: pd.DatetimeIndex, quantiles: FloatArray, colour: str, name: str) -> list[dict[str, Any]]:
    """Median, and the edges of nine tenths as thin lines."""
    x = [day.strftime("%Y-%m-%d") for day in days]
    edges = [
        _line(x, quantiles[:, k], colour, f"{name}, 5% and 95%", "dot") | {"showlegend": k == 0, "legendgroup": "edge"}
        for k in (0, 4)
    ]
    return [_line(x, quantiles[:, 2], colour, f"{name}, median", "solid"), *edges]


def _line(x: Sequence[str], y: FloatArray, colour: str, name: str, dash: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(x),
        "y": _rounded(y),
        "line": {"color": colour, "width": 1.8 if dash == "solid" else 1.0, "dash": dash},
        "hovertemplate": "%{x}: %{y:.3f}<extra>" + name + "</extra>",
    }


def shares_below(curves: Mapping[str, FloatArray], title: str, unit: str, note: str = "") -> Figure:
    """Share of paths at or below each value, one line a portfolio.

    Parameters
    ----------
    curves : quantiles at 1%, 2%, ... 99% by name, shape (99,) each, as fractions.
    """
    colours = {"Portfolio": PORTFOLIO, "Benchmark": BENCHMARK}
    shares = np.arange(1, 100) / 100.0
    data = []
    for k, (name, curve) in enumerate(curves.items()):
        colour = colours.get(name, SERIES[k % len(SERIES)])
        data.append(
            {"type": "scatter", "mode": "lines", "name": name, "x": _rounded(curve), "y": _rounded(shares)}
            | {"line": {"color": colour, "width": 1.8}}
            | {"hovertemplate": "%{y:.0%} of paths at or below %{x:.1%}<extra>" + name + "</extra>"}
        )
    layout = time_layout({"title": "share of paths at or below", "tickformat": ".0%"}, ())
    axis = {"title": {"text": unit, "standoff": 12}, "tickformat": ".0%", "zeroline": True, "automargin": True}
    middles = "; ".join(f"{name} median {curve[49]:.1%}" for name, curve in curves.items())
    return Figure(title, data, layout | {"xaxis": axis, "hovermode": "closest"}, f"{title}: {middles}.", note)


def _rounded(values: FloatArray) -> list[float]:
    return [float(f"{value:.6g}") for value in values]
