"""Synthetic spans are marked wherever their numbers are shown: on charts, under tables, beside years; real ones not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.building import WEEKDAYS, fund_returns_of, history_of
from tests.study.test_calibrated import made_market

from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.report.html import render_html
from alphaoverlay.report.model import Figure, Report, Table
from alphaoverlay.study.delevered import delever_fund
from alphaoverlay.study.delevered_report import delevered_report
from alphaoverlay.study.load import study_from
from alphaoverlay.study.marks import is_synthetic_year, synthetic_note, synthetic_spans, synthetic_until
from alphaoverlay.study.reporting import run_report
from alphaoverlay.study.run import run_study

DAYS = exchange_sessions(2010, 2020)[:1100]
# MADE has prices from here on; before, it is built.
BEGINS = 500
# Sections of results; the others say what was assumed, designed and read.
RESULTS = {
    "Against the benchmark",
    "Where the active return came from",
    "Through time",
    "Calendar years",
    "Weights and exposures",
    "Where the gap comes from",
    "Any start, any day of the period",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_market(tmp_path_factory.mktemp("marks"), leverage=3.0, lived=len(DAYS) - BEGINS, noise=0.001)


def run_of(folder: Path, weights: dict[str, float], benchmark: str, start: int) -> Report:
    """The report of a run on the made market from a session on."""
    values: dict[str, Any] = {
        "weights": weights,
        "benchmark": benchmark,
        "start": f"{DAYS[start]:%Y-%m-%d}",
        "funds": {"file": str(folder / "own.toml")},
    }
    return run_report(run_study(study_from(values, "test"), FolderSource(folder)))


def delever_of(folder: Path, start: int) -> Report:
    """The report of a third in MADE from a session on."""
    catalogue = load_catalogue(folder / "own.toml")
    held = delever_fund("MADE", FolderSource(folder), catalogue, start=f"{DAYS[start]:%Y-%m-%d}")
    return delevered_report(held)


def figures_of(report: Report) -> list[Figure]:
    """Every figure of a report."""
    return [part for section in report.sections for part in section.parts if isinstance(part, Figure)]


def through_time(report: Report) -> list[Figure]:
    """The figures whose axis is a calendar."""
    return [one for one in figures_of(report) if one.layout["xaxis"].get("type") == "date"]


def results(report: Report) -> list[Table]:
    """The tables that show results."""
    return [
        part
        for section in report.sections
        if section.title in RESULTS
        for part in section.parts
        if isinstance(part, Table)
    ]


# --- reports ---


@pytest.fixture(scope="module", params=["run", "delever"])
def partly(request: pytest.FixtureRequest, folder: Path) -> Report:
    """A report from the 100th session on, MADE being synthetic for the first 400."""
    return run_of(folder, {"MADE": 0.5}, "GSPC", 100) if request.param == "run" else delever_of(folder, 100)


@pytest.fixture(scope="module", params=["run", "delever"])
def real(request: pytest.FixtureRequest, folder: Path) -> Report:
    """A report from MADE's first close on."""
    return run_of(folder, {"MADE": 0.5}, "GSPC", BEGINS) if request.param == "run" else delever_of(folder, BEGINS)


def test_every_chart_through_time_is_shaded_as_long_as_a_fund_is_synthetic(partly: Report) -> None:
    charts = through_time(partly)
    assert len(charts) >= 3
    for chart in charts:
        [shape] = chart.layout["shapes"]
        assert (shape["x0"], shape["x1"]) == (f"{DAYS[100]:%Y-%m-%d}", f"{DAYS[BEGINS]:%Y-%m-%d}"), chart.title
        assert (shape["type"], shape["xref"], shape["yref"], shape["y0"], shape["y1"]) == ("rect", "x", "paper", 0, 1)
        assert f"Shaded to {DAYS[BEGINS]:%Y-%m-%d}: synthetic: MADE" in chart.note


def test_every_other_chart_says_it_in_its_note(partly: Report) -> None:
    others = [one for one in figures_of(partly) if one not in through_time(partly)]
    assert others
    for chart in others:
        assert f"† Synthetic: MADE to {DAYS[BEGINS]:%Y-%m-%d}." in chart.note, chart.title


def test_every_table_of_results_has_the_dagger(partly: Report) -> None:
    tables = results(partly)
    assert len(tables) >= 3
    for table in tables:
        assert f"† Synthetic: MADE to {DAYS[BEGINS]:%Y-%m-%d}." in table.note, table.title


def test_a_note_before_all_numbers_names_the_span(partly: Report) -> None:
    assert any(f"Synthetic until {DAYS[BEGINS]:%Y-%m-%d}: MADE" in note for note in partly.notes)


def test_a_page_shows_the_dagger_where_it_is_due_and_nowhere_else(partly: Report, real: Report) -> None:
    marked, unmarked = (render_html(report).split("<main>")[1].split("</main>")[0] for report in (partly, real))
    assert marked.count("†") >= 3
    assert "†" not in unmarked


def test_a_real_span_bears_no_mark(real: Report) -> None:
    for chart in figures_of(real):
        assert chart.layout["shapes"] == []
        assert "ynthetic" not in chart.note
    for table in results(real):
        assert "†" not in table.note
        assert not any("†" in str(cell) for row in table.rows for cell in row.cells)
    assert not any("ynthetic" in note for note in real.notes)


def test_years_with_a_synthetic_session_bear_the_dagger(folder: Path) -> None:
    """MADE is real from the 501st session, in December 2011."""
    assert DAYS[BEGINS].year == 2011
    report = run_of(folder, {"MADE": 0.5}, "GSPC", 100)
    [table] = [one for one in results(report) if one.title == "Returns by calendar year"]
    assert [row.cells[0] for row in table.rows] == ["2010*†", "2011†", "2012", "2013", "2014*"]
    [bars] = [one for one in figures_of(report) if one.title == "Calendar years"]
    assert list(bars.data[0]["x"]) == ["2010*†", "2011†", "2012", "2013", "2014*"]


def test_a_synthetic_benchmark_is_marked_too_but_not_on_the_portfolios_own_charts(folder: Path) -> None:
    report = run_of(folder, {"GSPC": 1.0}, "MADE", 100)
    for chart in through_time(report):
        own = chart.title in ("Weights after each close", "Look-through exposures")
        assert bool(chart.layout["shapes"]) == (not own), chart.title
    for table in results(report):
        own = table.title in ("Exposures", "How often exposures were off target")
        assert ("†" in table.note) == (not own), table.title


def test_what_is_synthetic_throughout_is_shaded_throughout() -> None:
    values = {"weights": {"SPY": 0.7, "TNA": 0.1}, "start": "2016-01-04", "end": "2018-06-29"}
    reports = [
        run_report(run_study(study_from(values, "test"), SampleSource())),
        delevered_report(delever_fund("TNA", SampleSource(), start="2016-01-04", end="2018-06-29")),
    ]
    for report in reports:
        assert through_time(report)
        for chart in through_time(report):
            [shape] = chart.layout["shapes"]
            assert (shape["x0"], shape["x1"]) == ("2016-01-04", "2018-06-29")
        assert all("† Synthetic:" in table.note for table in results(report))


def test_real_funds_are_marked_up_to_their_own_first_closes(reference_data: Path) -> None:
    values: dict[str, Any] = {
        "weights": {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1},
        "benchmark": "SPY",
        "start": "2008-01-02",
        "end": "2010-12-31",
    }
    report = run_report(run_study(study_from(values, "test"), FolderSource(reference_data)))
    expected = "† Synthetic: UPRO to 2009-06-25; TNA to 2008-11-19; SQQQ to 2010-02-11."
    for table in results(report):
        assert expected in table.note, table.title
    for chart in through_time(report):
        assert [(shape["x0"], shape["x1"]) for shape in chart.layout["shapes"]] == [("2008-01-02", "2010-02-11")]
    later = run_report(run_study(study_from(values | {"start": "2010-02-11"}, "test"), FolderSource(reference_data)))
    assert all(chart.layout["shapes"] == [] for chart in through_time(later))
    assert all("†" not in table.note for table in results(later))


# --- the marks themselves ---


def held(until: dict[str, int], n: int = 30, first: int = 0) -> Backtest:
    """A backtest of funds that are synthetic up to a session (0: never, for the first session has no return)."""
    symbols = list(until)
    returns = fund_returns_of(np.zeros((n, len(symbols))), history_of(WEEKDAYS[first : first + n]), symbols=symbols)
    made = pd.DataFrame({s: np.arange(n) <= last for s, last in until.items()}, index=returns.history.dates)
    marked = FundReturns(returns.history, returns.funds, returns.returns, made)
    weights = [1.0 / len(symbols)] * len(symbols)
    return backtest(marked, Targets.constant(symbols, weights), CalendarRule("never"))


def test_the_first_session_has_no_return_to_be_synthetic() -> None:
    never = held({"A": 0})
    assert synthetic_until(never) == {}
    assert synthetic_spans(never) == ()
    assert synthetic_note(never) == ""
    assert not is_synthetic_year(2021, never)


@given(st.dictionaries(st.sampled_from("ABCDE"), st.integers(0, 29), min_size=1))
def test_every_synthetic_fund_is_named_with_its_last_day_and_shaded_to_the_last_of_all(until: dict[str, int]) -> None:
    one = held(until)
    made = {symbol: WEEKDAYS[last] for symbol, last in until.items() if last > 0}
    assert synthetic_until(one) == made
    note, spans = synthetic_note(one), synthetic_spans(one)
    if not made:
        assert (note, spans) == ("", ())
        return
    for symbol, day in made.items():
        [part] = [part for part in note.removeprefix("† Synthetic: ").rstrip(".").split("; ") if symbol in part]
        assert part.endswith(f"to {day:%Y-%m-%d}")
    [(begin, end, said)] = spans
    assert (begin, end) == (WEEKDAYS[0], max(made.values()))
    assert all(symbol in said for symbol in made)


def test_funds_of_one_day_share_it() -> None:
    assert synthetic_note(held({"A": 3, "B": 5, "C": 3})) == "† Synthetic: A, C to 2021-01-06; B to 2021-01-08."


def test_a_year_is_marked_up_to_that_of_the_last_synthetic_session() -> None:
    one, other = held({"A": 0}), held({"B": 4}, first=10)
    assert [is_synthetic_year(year, one, other) for year in (2020, 2021, 2022)] == [True, True, False]
    assert [is_synthetic_year(year, one) for year in (2020, 2021, 2022)] == [False, False, False]
    assert synthetic_note(one, other) == f"† Synthetic: B to {WEEKDAYS[14]:%Y-%m-%d}."
