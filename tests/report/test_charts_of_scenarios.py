"""Charts of scenarios: valid figures whose numbers, colours and words are those of what they show."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from alphaoverlay.report.charts_of_scenarios import SCALE, break_even_lines, pay_off_map
from alphaoverlay.report.model import Figure

LONG, SHORT = (-0.1, 0.0, 0.25), (-0.2, 0.1)
VALUES = np.array([[-0.031, -0.0004], [0.0449, -0.0006], [0.02, 0.1]])
RATES = (0.0, 0.025, 0.05)


def map_of(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = VALUES) -> Figure:
    return pay_off_map(values, "UP", "DOWN", LONG, SHORT, "Excess in points")


FIGURES: dict[str, Figure] = {
    "map": map_of(),
    "map of nothing": map_of(np.zeros((3, 2))),
    "map of losses": map_of(-np.abs(VALUES)),
    "map of one cell": pay_off_map(np.array([[0.01]]), "UP", "DOWN", (0.0,), (0.0,), "One"),
    "lines": break_even_lines(RATES, [("x 1", [0.01, 0.02, 0.03]), ("x 2", [0.05, None, None])], "noted"),
    "lines of nothing": break_even_lines(RATES, [("x 1", [None, None, None])]),
    "no lines": break_even_lines(RATES, []),
    "many lines": break_even_lines(RATES, [(f"x {k}", [0.01 * k] * 3) for k in range(9)]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_valid_plotly(name: str) -> None:
    import plotly.graph_objects as go

    figure = FIGURES[name]
    go.Figure(data=figure.data, layout=figure.layout)  # raises on an unknown key or value
    json.dumps([figure.data, figure.layout], allow_nan=False)
    assert figure.title
    assert figure.alt.endswith(".")
    for word in ("nan", "None", "inf", "-0.0"):
        assert word not in figure.alt


def test_the_map_has_a_row_for_each_long_end_and_a_column_for_each_short_one() -> None:
    [cells] = map_of().data
    assert cells["type"] == "heatmap"
    assert (cells["y"], cells["x"]) == (["-10%", "+0%", "+25%"], ["-20%", "+10%"])
    # In points, to a tenth; what rounds to nothing is nothing, without a sign of its own.
    assert cells["z"] == [[-3.1, 0.0], [4.5, -0.1], [2.0, 10.0]]
    assert cells["text"] == [["-3.1", "+0.0"], ["+4.5", "-0.1"], ["+2.0", "+10.0"]]
    layout = map_of().layout
    assert "UP" in str(layout["yaxis"]["title"])
    assert "DOWN" in str(layout["xaxis"]["title"])
    # Categories in the order they are given, or "+10%" would stand before "-10%".
    assert (layout["xaxis"]["type"], layout["yaxis"]["type"]) == ("category", "category")


@pytest.mark.parametrize("name", ["map", "map of nothing", "map of losses", "map of one cell"])
def test_nothing_gained_is_the_middle_of_the_colours(name: str) -> None:
    [cells] = FIGURES[name].data
    assert cells["zmin"] == -cells["zmax"] < 0.0
    largest = max(abs(x) for row in cells["z"] for x in row)
    assert cells["zmax"] >= largest - 0.05
    assert [place for place, _ in SCALE] == [0.0, 0.25, 0.5, 0.75, 1.0]


def brightness(colour: str) -> float:
    """Of a colour such as #F0F0F0, from 0 to 1 (ITU-R BT.709)."""
    red, green, blue = (int(colour[k : k + 2], 16) / 255.0 for k in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_losses_and_gains_are_darker_the_farther_they_are_and_told_apart() -> None:
    shades = [brightness(colour) for _, colour in SCALE]
    assert shades == sorted(shades[:3]) + sorted(shades[3:], reverse=True)
    assert len({colour for _, colour in SCALE}) == 5


def test_the_map_s_words_say_its_range() -> None:
    assert map_of().alt == "Excess in points: from -3.1 to +10.0 points."


def test_a_line_a_volatility_over_the_rates() -> None:
    figure = FIGURES["lines"]
    assert [trace["name"] for trace in figure.data] == ["x 1", "x 2"]
    for trace in figure.data:
        assert trace["x"] == pytest.approx([0.0, 2.5, 5.0])
    assert figure.data[0]["y"] == pytest.approx([1.0, 2.0, 3.0])
    # Where no move pays, the line has a hole.
    assert figure.data[1]["y"] == [5.0, None, None]
    assert figure.data[0]["line"]["color"] != figure.data[1]["line"]["color"]
    assert figure.note == "noted"
    assert "from +1.00 to +5.00 points a year" in figure.alt


def test_where_nothing_pays_the_words_say_so() -> None:
    for name in ("lines of nothing", "no lines"):
        assert re.search(r"nowhere within reach", FIGURES[name].alt)
