"""The chart of two indices' sector weights."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from alphaoverlay.report.figures import BENCHMARK, PORTFOLIO
from alphaoverlay.report.model import Figure

# Longer labels would leave no room for the bars on a narrow screen, a shorter axis none for the figures beside them.
LABEL, ROOM = 22, 1.3


def grouped_bars(
    labels: Sequence[str], long: Sequence[float], short: Sequence[float], names: tuple[str, str], note: str = ""
) -> Figure:
    """Two horizontal bars a label, the first label on top.

    Parameters
    ----------
    labels : of the groups.
    long, short : fractions, one a label.
    names : of the two sides, for the legend.
    """
    wrapped = ["<br>".join(textwrap.wrap(label, LABEL)) for label in labels]
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": wrapped,
            "x": [float(f"{value:.6g}") for value in values],
            "marker": {"color": colour},
            "text": [f"{value:.1%}" for value in values],
            "textposition": "outside",
            "cliponaxis": False,
            "hovertemplate": "%{y}: %{x:.2%}<extra>" + name + "</extra>",
        }
        for name, values, colour in ((names[0], long, PORTFOLIO), (names[1], short, BENCHMARK))
    ]
    least, most = min([*long, *short, 0.0]), max([*long, *short, 0.0])
    told = ", ".join(f"{labels[k]} {long[k]:.1%} and {short[k]:.1%}" for k in range(len(labels)))
    return Figure(
        "Sector weights",
        bars,
        {
            "barmode": "group",
            "xaxis": {
                "title": {"text": "share of the index"},
                "tickformat": ".0%",
                "range": [least * ROOM, most * ROOM],
                "zeroline": True,
            },
            "yaxis": {
                "type": "category",
                "autorange": "reversed",
                "automargin": True,
                "title": {"text": "sector", "standoff": 12},
            },
            "hovermode": "closest",
            "shapes": [],
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "margin": {"l": 64, "r": 24, "t": 36, "b": 48},
            "height": 120 + 44 * len(labels),
        },
        f"Sector weights of {names[0]} and {names[1]}: {told}.",
        note,
    )
