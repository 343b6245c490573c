"""Charts of what trading did: the waterfall of an active return, and the frontier of rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alphaoverlay.report.figures import BENCHMARK, PORTFOLIO, SERIES
from alphaoverlay.report.model import Figure

GAIN, LOSS = SERIES[0], SERIES[3]


def waterfall(parts: Mapping[str, float], total: float, note: str = "") -> Figure:
    """Parts in points, one after another, and their sum."""
    names, values = [*parts, "Active return"], [*parts.values(), total]
    bar = {
        "type": "waterfall",
        "x": names,
        "y": [float(f"{value:.6g}") for value in values],
        "measure": ["relative"] * len(parts) + ["total"],
        "text": [f"{100.0 * value:+.1f}" for value in values],
        "textposition": "outside",
        "cliponaxis": False,
        "increasing": {"marker": {"color": GAIN}},
        "decreasing": {"marker": {"color": LOSS}},
        "totals": {"marker": {"color": PORTFOLIO}},
        "connector": {"line": {"color": "rgba(127,127,127,0.6)", "width": 1}},
        "hovertemplate": "%{x}: %{y:+.2%}<extra></extra>",
    }
    largest = sorted(parts, key=lambda name: -abs(parts[name]))[:3]
    said = ", ".join(f"{name} {100.0 * parts[name]:+.1f}" for name in largest)
    return Figure(
        "Active return by cause, in return points",
        [bar],
        {
            "xaxis": {"type": "category", "tickangle": -30, "automargin": True},
            "yaxis": {"title": {"text": "return points", "standoff": 8}, "tickformat": "+.0%", "automargin": True}
            | {"zeroline": True},
            "hovermode": "closest",
            "showlegend": False,
            "shapes": [],
            "margin": {"l": 64, "r": 16, "t": 36, "b": 60},
            "height": 380,
        },
        f"Active return {100.0 * total:+.1f} points; the largest parts: {said}.",
        note,
    )


def frontier(
    names: Sequence[str],
    errors: Sequence[float],
    costs: Sequence[float],
    best: Sequence[bool],
    chosen: str,
    note: str = "",
) -> Figure:
    """Yearly cost against exposure error, one point a rule; the undominated ones joined."""
    order = sorted((k for k in range(len(names)) if best[k]), key=lambda k: errors[k])
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "not beaten in both",
        "x": [float(f"{errors[k]:.6g}") for k in order],
        "y": [float(f"{costs[k]:.6g}") for k in order],
        "text": [names[k] for k in order],
        "line": {"color": PORTFOLIO, "width": 1.5},
        "marker": {"size": 8},
        "hovertemplate": "%{text}: error %{x:.3f}, cost %{y:.3%} a year<extra></extra>",
    }
    rest = [k for k in range(len(names)) if not best[k]]
    others = {
        "type": "scatter",
        "mode": "markers",
        "name": "other rules",
        "x": [float(f"{errors[k]:.6g}") for k in rest],
        "y": [float(f"{costs[k]:.6g}") for k in rest],
        "text": [names[k] for k in rest],
        "marker": {"color": "rgba(127,127,127,0.8)", "size": 7},
        "hovertemplate": "%{text}: error %{x:.3f}, cost %{y:.3%} a year<extra></extra>",
    }
    data = [line, others]
    if chosen in names:
        at = list(names).index(chosen)
        mark = {
            "type": "scatter",
            "mode": "markers",
            "name": f"recommended: {chosen}",
            "x": [float(f"{errors[at]:.6g}")],
            "y": [float(f"{costs[at]:.6g}")],
            "text": [chosen],
            "marker": {"color": BENCHMARK, "size": 13, "symbol": "diamond"},
            "hovertemplate": "%{text}<extra></extra>",
        }
        data.append(mark)
    return Figure(
        "Rules by cost and exposure error",
        data,
        {
            "xaxis": {"title": {"text": "exposure error (root mean square distance from the targets)"}},
            "yaxis": {"title": {"text": "trading cost a year", "standoff": 8}, "tickformat": ".2%", "automargin": True},
            "hovermode": "closest",
            "shapes": [],
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "margin": {"l": 64, "r": 16, "t": 36, "b": 48},
            "height": 380,
        },
        f"{len(names)} rules; recommended: {chosen or 'none'}.",
        note,
    )
