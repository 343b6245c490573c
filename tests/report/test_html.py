"""The HTML file: complete, offline, safe, and valid plotly."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from alphaoverlay.market.sample import SampleSource
from alphaoverlay.report.figures import BENCHMARK, PORTFOLIO
from alphaoverlay.report.html import render_html, script_json
from alphaoverlay.report.model import Figure, Report, Table
from alphaoverlay.study.alternatives import compare_alternatives
from alphaoverlay.study.alternatives_report import alternatives_report
from alphaoverlay.study.load import study_from
from alphaoverlay.study.reporting import run_report
from alphaoverlay.study.rule_comparison import compare_rules
from alphaoverlay.study.rule_report import rules_report
from alphaoverlay.study.run import run_study


@pytest.fixture(scope="module")
def report() -> Report:
    values = {
        "title": 'Tricky </script><script>alert("x")</script> & <b>title</b>',
        "base": {"SP500": 1.0},
        "overlay": {"RUSSELL2000": 0.3, "NASDAQ100": -0.3},
        "funds": {"allow": ["SPY", "UPRO", "TNA", "SQQQ"]},
    }
    return run_report(run_study(study_from(values, "test"), SampleSource()))


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return render_html(report)


def figures_of(report: Report) -> list[Figure]:
    return [part for section in report.sections for part in section.parts if isinstance(part, Figure)]


def titled(report: Report, title: str) -> Figure:
    """The one figure of that title."""
    [found] = [figure for figure in figures_of(report) if figure.title == title]
    return found


def without_plotly(page: str) -> str:
    """The page without the library's own script, which mentions many addresses."""
    return re.sub(r"<script>.{1000000,}?</script>", "", page, flags=re.S)


def test_the_report_has_everything_that_was_promised(report: Report) -> None:
    titles = [figure.title for figure in figures_of(report)]
    for words in ("Growth", "Drawdown", "Active return", "Active return by cause", "Calendar years", "exposures"):
        assert any(words in title for title in titles), words
    sections = [section.title for section in report.sections]
    assert sections == [
        "Against the benchmark", "Where the active return came from", "Through time", "Calendar years",
        "Weights and exposures", "The design", "Where the data came from",
    ]  # fmt: skip


def test_nothing_is_loaded_from_the_network(page: str) -> None:
    own = without_plotly(page)
    assert len(own) < 0.5 * len(page)
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", own)
    assert "default-src 'none'" in own


def test_texts_of_the_user_cannot_become_markup(page: str) -> None:
    assert 'alert("x")' not in page
    assert "&lt;b&gt;title&lt;/b&gt;" in page
    assert "</script>" not in script_json({"a": "</script>"})


def test_every_figure_is_valid_plotly_and_has_words_for_those_who_cannot_see_it(report: Report) -> None:
    import plotly.graph_objects as go

    for figure in figures_of(report):
        go.Figure(data=list(figure.data), layout=dict(figure.layout))  # raises on an unknown property
        assert figure.alt
        assert figure.layout["yaxis"]["title"]["text"]


def test_a_portfolio_has_one_colour_everywhere(report: Report) -> None:
    seen: dict[str, set[str]] = {}
    for figure in figures_of(report):
        for trace in (one for one in figure.data if "name" in one):
            colour = trace.get("line", trace.get("marker"))["color"]
            seen.setdefault(str(trace["name"]), set()).add(colour)
    assert seen["Portfolio"] == {PORTFOLIO}
    assert seen["Benchmark"] == {BENCHMARK}
    assert titled(report, "Active return by cause, in return points").data[0]["totals"]["marker"]["color"] == PORTFOLIO


def test_synthetic_spans_are_marked_on_the_charts(report: Report) -> None:
    growth = titled(report, "Growth of 1 (log scale)")
    assert [shape["type"] for shape in growth.layout["shapes"]] == ["rect"]
    assert "Shaded to 2018-11-30: synthetic: SPY, UPRO, TNA, SQQQ" in growth.note


def test_the_figures_in_the_page_are_the_reports(report: Report, page: str) -> None:
    match = re.search(r'<script id="figures" type="application/json">(.*?)</script>', page, flags=re.S)
    assert match is not None
    embedded = json.loads(match.group(1))
    assert len(embedded) == len(figures_of(report))
    assert embedded[0]["data"][0]["y"] == figures_of(report)[0].data[0]["y"]


@pytest.fixture(scope="module")
def rules_and_alternatives() -> dict[str, Report]:
    """The reports that show rules and alternatives, over a year of the sample."""
    values = {
        "weights": {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1},
        "start": "2016-01-04",
        "end": "2016-12-30",
        "rebalance": {"calendar": "weekly"},
    }
    study = study_from(values, "test")
    return {
        "rules": rules_report(compare_rules(study, SampleSource())),
        "alternatives": alternatives_report(compare_alternatives(study, SampleSource())),
    }


def test_the_figures_of_rules_and_alternatives_are_valid_too(rules_and_alternatives: dict[str, Report]) -> None:
    import plotly.graph_objects as go

    drawn = {name: figures_of(one) for name, one in rules_and_alternatives.items()}
    assert {name: len(figures) for name, figures in drawn.items()} == {"rules": 2, "alternatives": 1}
    for figure in [*drawn["rules"], *drawn["alternatives"]]:
        go.Figure(data=list(figure.data), layout=dict(figure.layout))  # raises on an unknown property
        assert figure.alt
        assert figure.layout["yaxis"]["title"]["text"]
    for one in rules_and_alternatives.values():
        page = without_plotly(render_html(one))
        assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", page)


def test_the_waterfall_adds_up(report: Report) -> None:
    chart = titled(report, "Active return by cause, in return points")
    [bar] = chart.data
    assert bar["measure"] == ["relative"] * (len(bar["y"]) - 1) + ["total"]
    *parts, total = bar["y"]
    # Parts below 5e-7 are not shown, and what is shown has six digits.
    assert sum(parts) == pytest.approx(total, abs=2e-5)
    assert [float(words) / 100.0 for words in bar["text"]] == pytest.approx(bar["y"], abs=5e-4)
    [years] = [
        part
        for section in report.sections
        for part in section.parts
        if isinstance(part, Table) and part.title == "Active return by cause and year"
    ]
    for row in years.rows:
        heads = [column.head for column in years.columns[1:]]
        cells = {head: float(cell or 0.0) for head, cell in zip(heads, row.cells[1:], strict=True)}
        assert cells.pop("Total") == pytest.approx(sum(cells.values()), abs=2e-6)
    assert [row.cells[0] for row in years.rows] == [*map(str, range(1999, 2019)), "All"]


class Drawn(NamedTuple):
    """What a browser made of a page."""

    charts: int
    points: dict[str, int]
    width: int
    paper: str
    complaints: list[str]
    asked: list[str]


def opened(chromium: str, path: Path, scheme: str, width: int) -> Drawn:
    """Open a page and look at it."""
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=quiet)
        shown = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
        complaints: list[str] = []
        asked: list[str] = []
        shown.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        shown.on("pageerror", lambda e: complaints.append(str(e)))
        shown.on("request", lambda r: asked.append(r.url))
        shown.goto(path.as_uri())
        shown.wait_for_function("document.documentElement.dataset.ready === 'yes'")
        drawn = Drawn(
            charts=shown.locator(".chart .main-svg").count(),
            points={kind: shown.locator(f".{kind}layer .point").count() for kind in ("waterfall", "scatter")},
            width=shown.evaluate("document.documentElement.scrollWidth"),
            paper=shown.evaluate("getComputedStyle(document.body).backgroundColor"),
            complaints=complaints,
            asked=asked,
        )
        browser.close()
    return drawn


@pytest.fixture(scope="module")
def browser_page(chromium: str, page: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report with spaces") / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.mark.browser
@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("light", 1100),
        ("dark", 390),
        pytest.param("dark", 1100, marks=pytest.mark.slow),
        pytest.param("light", 390, marks=pytest.mark.slow),
    ],
)
def test_the_page_opens_in_a_browser_without_a_complaint(
    chromium: str, browser_page: Path, report: Report, scheme: str, width: int
) -> None:
    drawn = opened(chromium, browser_page, scheme, width)
    assert drawn.charts >= 6
    assert drawn.points["waterfall"] == len(titled(report, "Active return by cause, in return points").data[0]["y"])
    assert drawn.width <= width
    assert drawn.complaints == []
    assert [url for url in drawn.asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert (drawn.paper == "rgb(255, 255, 255)") is (scheme == "light")


@pytest.mark.browser
@pytest.mark.parametrize(("name", "width"), [("rules", 1100), ("alternatives", 390)])
def test_rules_and_alternatives_open_in_a_browser_without_a_complaint(
    chromium: str, rules_and_alternatives: dict[str, Report], tmp_path: Path, name: str, width: int
) -> None:
    one = rules_and_alternatives[name]
    (tmp_path / "report.html").write_text(render_html(one), encoding="utf-8")
    drawn = opened(chromium, tmp_path / "report.html", "light", width)
    assert drawn.charts >= len(figures_of(one))
    assert drawn.width <= width
    assert drawn.complaints == []
    assert [url for url in drawn.asked if not url.startswith(("file:", "data:", "blob:"))] == []
    if name == "rules":
        [frontier, _] = figures_of(one)
        assert drawn.points["scatter"] == sum(len(trace["x"]) for trace in frontier.data)
