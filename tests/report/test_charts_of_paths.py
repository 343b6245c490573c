"""Charts of simulated paths: valid figures, the quantiles that were given, and what their words say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alphaoverlay.history import FloatArray
from alphaoverlay.report.charts_of_paths import fan, shares_below
from alphaoverlay.report.model import Figure

DAYS = pd.bdate_range("2021-01-04", periods=13)
# 5, 25, 50, 75 and 95% of each day: they part as time goes by.
OWN: FloatArray = 1.0 + np.arange(13)[:, None] * np.array([[-0.05, -0.01, 0.01, 0.03, 0.1]])
OTHER: FloatArray = 1.0 + np.arange(13)[:, None] * np.array([[-0.03, -0.005, 0.015, 0.02, 0.05]])
CURVE: FloatArray = np.linspace(-0.2, 0.29, 99)
FIGURES: dict[str, Figure] = {
    "fan": fan(DAYS, OWN, OTHER, "Drawn from few paths."),
    "fan of one session": fan(DAYS[:2], OWN[:2], OTHER[:2], ""),
    "fan of paths that come to nothing": fan(DAYS, OWN * 0.0, OTHER, ""),
    "shares": shares_below({"Portfolio": CURVE, "Benchmark": CURVE + 0.01}, "CAGR over the paths", "CAGR", "Read so."),
    "shares of many": shares_below({f"rule {k}": CURVE + k for k in range(12)}, "CAGR", "CAGR"),
    "shares that are all one": shares_below({"Portfolio": CURVE * 0.0}, "CAGR", "CAGR"),
}


def named(figure: Figure) -> list[tuple[str, Mapping[str, Any]]]:
    return [(trace["name"], trace) for trace in figure.data]


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_valid_plotly(name: str) -> None:
    import plotly.graph_objects as go

    figure = FIGURES[name]
    go.Figure(data=figure.data, layout=figure.layout)  # raises on an unknown key or value
    json.dumps([figure.data, figure.layout], allow_nan=False)
    assert figure.title
    assert figure.alt.endswith(".")
    for trace in figure.data:
        assert len(trace["x"]) == len(trace["y"]) > 0


def test_a_fan_draws_each_quantile_that_it_was_given() -> None:
    figure = FIGURES["fan"]
    assert figure.layout["yaxis"]["type"] == "log"
    for trace in figure.data:
        assert trace["x"] == [f"{day:%Y-%m-%d}" for day in DAYS]
    drawn = [tuple(trace["y"]) for trace in figure.data]
    expected = [OWN[:, 0], OWN[:, 4], OWN[:, 1], OWN[:, 3], OWN[:, 2], OTHER[:, 2], OTHER[:, 0], OTHER[:, 4]]
    assert np.array(drawn) == pytest.approx(np.array(expected), rel=1e-5)


def test_a_shade_lies_between_the_two_quantiles_that_name_it() -> None:
    """Plotly fills to the trace before: the upper edge has the shade, the lower one stands right before it."""
    traces = named(FIGURES["fan"])
    shaded = [k for k, (_, trace) in enumerate(traces) if trace.get("fill") == "tonexty"]
    assert [traces[k][0] for k in shaded] == ["Portfolio, 5% to 95%", "Portfolio, 25% to 75%"]
    for k, (low, high) in zip(shaded, ((0, 4), (1, 3)), strict=True):
        assert traces[k - 1][1]["y"] == pytest.approx(OWN[:, low].tolist(), rel=1e-5)
        assert traces[k][1]["y"] == pytest.approx(OWN[:, high].tolist(), rel=1e-5)
        assert traces[k - 1][1]["showlegend"] is False


def test_each_line_of_a_legend_stands_once() -> None:
    shown = [name for name, trace in named(FIGURES["fan"]) if trace.get("showlegend", True)]
    assert len(shown) == len(set(shown))
    assert {"Portfolio, median", "Benchmark, median", "Benchmark, 5% and 95%"} <= set(shown)


def test_the_words_of_a_fan_are_its_numbers() -> None:
    """At the end 1 + 12 times each slope: 0.40, 1.12 and 2.20, and 1.18 for the benchmark."""
    figure = FIGURES["fan"]
    for words in ("median 1.12", "between 0.40 and 2.20", "nine paths of ten", "median 1.18"):
        assert words in figure.alt
    assert figure.note == "Drawn from few paths."


def test_shares_rise_along_the_quantiles() -> None:
    figure = FIGURES["shares"]
    traces = dict(named(figure))
    assert list(traces) == ["Portfolio", "Benchmark"]
    assert traces["Portfolio"]["x"] == pytest.approx(CURVE.tolist(), abs=1e-6)
    assert traces["Benchmark"]["x"] == pytest.approx((CURVE + 0.01).tolist(), abs=1e-6)
    for trace in traces.values():
        assert trace["y"] == pytest.approx([k / 100 for k in range(1, 100)])
    assert figure.alt == "CAGR over the paths: Portfolio median 4.5%; Benchmark median 5.5%."
    assert figure.note == "Read so."
    assert figure.layout["xaxis"]["title"]["text"] == "CAGR"


def test_portfolio_and_benchmark_have_their_colours_in_every_chart() -> None:
    lines = [dict(named(FIGURES[name])) for name in ("fan", "shares")]
    for who in ("Portfolio", "Benchmark"):
        [of_fan] = [trace for name, trace in lines[0].items() if name == f"{who}, median"]
        assert of_fan["line"]["color"] == lines[1][who]["line"]["color"]
    assert len({trace["line"]["color"] for trace in lines[1].values()}) == 2
