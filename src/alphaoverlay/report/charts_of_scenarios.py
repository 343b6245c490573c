"""Charts of scenarios: the pay-off map, and what break-even takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from alphaoverlay.history import FloatArray
from alphaoverlay.report.figures import SERIES, time_layout
from alphaoverlay.report.model import Figure

# From a loss to a gain, through the page's own grey, told apart by colour-blind readers and in print.
SCALE = ((0.0, "#D6604D"), (0.25, "#F4A582"), (0.5, "#F0F0F0"), (0.75, "#92C5DE"), (1.0, "#4393C3"))


def pay_off_map(
    values: FloatArray, long: str, short: str, long_returns: Sequence[float], short_returns: Sequence[float], title: str
) -> Figure:
    """One plane of the pay-off map.

    Parameters
    ----------
    values : excess as fractions, shape (long ends, short ends).
    long, short : names of the axes' indices.
    """
    most = float(np.abs(values).max()) or 1.0
    points = np.round(100.0 * values, 1) + 0.0
    data: dict[str, Any] = {
        "type": "heatmap",
        "x": [f"{x:+.0%}" for x in short_returns],
        "y": [f"{y:+.0%}" for y in long_returns],
        "z": [[float(x) for x in row] for row in points],
        "text": [[f"{x:+.1f}" for x in row] for row in points],
        "texttemplate": "%{text}",
        "textfont": {"size": 10, "color": "#222222"},
        "colorscale": [list(stop) for stop in SCALE],
        "zmin": -100.0 * most,
        "zmax": 100.0 * most,
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": f"{long} %{{y}}, {short} %{{x}}: %{{z:+.1f}} points<extra></extra>",
    }
    layout = time_layout({"title": f"{long} at the end", "type": "category"}, ())
    axis = {"title": {"text": f"{short} at the end", "standoff": 12}, "type": "category", "automargin": True}
    return Figure(
        title,
        [data],
        layout | {"xaxis": axis, "hovermode": "closest", "height": 400},
        f"{title}: from {points.min():+.1f} to {points.max():+.1f} points.",
    )


def break_even_lines(
    rates: Sequence[float], curves: Sequence[tuple[str, Sequence[float | None]]], note: str = ""
) -> Figure:
    """The break-even move against the financing rate, one line a volatility."""
    data = [
        {"type": "scatter", "mode": "lines+markers", "name": name, "x": [100.0 * rate for rate in rates]}
        | {"y": [None if move is None else float(f"{100.0 * move:.6g}") for move in moves]}
        | {"line": {"color": SERIES[k % len(SERIES)], "width": 1.8}, "marker": {"size": 5}}
        | {"hovertemplate": "rate %{x:.1f}%: %{y:+.2f} points<extra>" + name + "</extra>"}
        for k, (name, moves) in enumerate(curves)
    ]
    layout = time_layout({"title": "points a year", "zeroline": True}, ())
    axis = {"title": {"text": "financing rate", "standoff": 12}, "ticksuffix": "%", "automargin": True}
    known = [100.0 * move for _, moves in curves for move in moves if move is not None]
    said = f"from {min(known):+.2f} to {max(known):+.2f} points a year" if known else "nowhere within reach"
    return Figure(
        "The relative return that pays for the overlay",
        data,
        layout | {"xaxis": axis, "hovermode": "closest"},
        f"Break-even relative return: {said}.",
        note,
    )
