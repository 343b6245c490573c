"""Charts of signals: valid figures, a shade a spell, and what their words say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from alphaoverlay.report.charts_of_signals import falls, ranks, spread
from alphaoverlay.report.model import Figure

DAYS = pd.bdate_range("2021-01-04", periods=40)
GAP = pd.Series([0.01 * (t % 7) - 0.02 for t in range(40)], index=DAYS, name="difference")
SPELLS = [(DAYS[3], DAYS[8]), (DAYS[8], DAYS[12]), (DAYS[30], DAYS[39])]
LOW, HIGH = [(DAYS[0], -0.02), (DAYS[14], -0.02)], [(DAYS[6], 0.04)]


def spread_of(**more: Any) -> Figure:
    given: dict[str, Any] = {"gap": GAP, "spells": SPELLS, "lowest": LOW, "highest": HIGH, "what": "A minus B"}
    return spread(**(given | more))


def ranks_of(**more: Any) -> Figure:
    share = (GAP - GAP.min()) / (GAP.max() - GAP.min())
    given: dict[str, Any] = {"percentile": share, "enter": 0.05, "leave": 0.5, "spells": SPELLS, "what": "all history"}
    return ranks(**(given | more))


FIGURES: dict[str, Figure] = {
    "spread": spread_of(),
    "spread without spells or extremes": spread_of(spells=[], lowest=[], highest=[]),
    "spread of one day": spread_of(gap=GAP.iloc[:1], spells=[], lowest=LOW[:1], highest=[]),
    "spread that never moves": spread_of(gap=GAP * 0.0, spells=[]),
    "ranks": ranks_of(),
    "ranks of a high signal": ranks_of(enter=0.95, leave=0.5),
    "falls": falls(GAP - 0.1, "RUT"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_valid_plotly(name: str) -> None:
    import plotly.graph_objects as go

    figure = FIGURES[name]
    go.Figure(data=figure.data, layout=figure.layout)  # raises on an unknown key or value
    json.dumps([figure.data, figure.layout], allow_nan=False)
    assert figure.title
    assert figure.alt.endswith(".")
    for trace in figure.data:
        assert len(trace["x"]) == len(trace["y"])


@pytest.mark.parametrize("figure", [FIGURES["spread"], FIGURES["ranks"]], ids=["spread", "ranks"])
def test_each_spell_is_shaded_from_its_entry_to_its_exit(figure: Figure) -> None:
    shapes = figure.layout["shapes"]
    assert [(one["x0"], one["x1"]) for one in shapes] == [
        (f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}") for first, last in SPELLS
    ]
    for one in shapes:
        assert (one["type"], one["xref"], one["yref"], one["y0"], one["y1"]) == ("rect", "x", "paper", 0, 1)
        assert one["layer"] == "below"
    assert "Shaded: the signal was on." in figure.note
    assert spread_of(spells=[]).layout["shapes"] == ranks_of(spells=[]).layout["shapes"] == []


def named(figure: Figure) -> dict[str, Mapping[str, Any]]:
    return {trace["name"]: trace for trace in figure.data}


def test_the_spread_is_drawn_with_today_and_the_extremes() -> None:
    figure = FIGURES["spread"]
    traces = named(figure)
    today = GAP.iloc[-1]
    assert list(traces) == ["Difference", f"today, {today:+.1%}", "lowest", "highest"]
    assert traces["Difference"]["y"] == pytest.approx(GAP.tolist(), rel=1e-6)
    assert traces[f"today, {today:+.1%}"]["y"] == [pytest.approx(today)] * 2
    assert traces["lowest"]["x"] == [f"{day:%Y-%m-%d}" for day, _ in LOW]
    assert traces["highest"]["y"] == [0.04]
    assert figure.title == "Difference of returns, A minus B"
    assert figure.alt == "Difference of returns between -2.0% and +4.0%, +2.0% on the last day."


def test_ranks_are_drawn_with_the_levels_of_entry_and_exit() -> None:
    traces = named(FIGURES["ranks"])
    assert list(traces) == ["Percentile", "entry, 5%", "exit, 50%"]
    assert (traces["entry, 5%"]["y"], traces["exit, 50%"]["y"]) == ([0.05, 0.05], [0.5, 0.5])
    low, high = FIGURES["ranks"].layout["yaxis"]["range"]
    assert low < 0.0
    assert high > 1.0


@pytest.mark.parametrize(("enter", "label"), [(0.025, "entry, 2.5%"), (0.001, "entry, 0.1%")])
def test_a_level_is_named_as_it_is(enter: float, label: str) -> None:
    assert label in named(ranks_of(enter=enter))


def test_a_spell_of_today_is_to_be_seen() -> None:
    [shape] = spread_of(spells=[(DAYS[39], DAYS[39])]).layout["shapes"]
    assert shape["x0"] < shape["x1"]


def test_falls_are_drawn_with_the_levels_of_a_correction_and_a_bear_market() -> None:
    figure = FIGURES["falls"]
    traces = named(figure)
    assert [one["y"][0] for name, one in traces.items() if name != "RUT"] == [-0.10, -0.20]
    assert figure.title == "RUT below its peak"
    assert figure.alt == "RUT below its running peak: -8.0% on the last day, -12.0% at worst."
