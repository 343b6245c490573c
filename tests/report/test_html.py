"""The HTML file: complete, offline, safe, and valid plotly."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from alphaoverlay.market.sample import SampleSource
from alphaoverlay.report.figures import BENCHMARK, PORTFOLIO
from alphaoverlay.report.html import render_html, script_json
from alphaoverlay.report.model import Figure, Report
from alphaoverlay.study.load import study_from
from alphaoverlay.study.reporting import run_report
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
    for words in ("Growth", "Drawdown", "Active return", "active return came from", "Calendar years", "exposures"):
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
    assert titled(report, "Where the active return came from").data[0]["totals"]["marker"]["color"] == PORTFOLIO


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
def browser_page(chromium: str, page: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report with spaces") / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 390])
def test_the_page_opens_in_a_browser_without_a_complaint(
    chromium: str, browser_page: Path, scheme: str, width: int
) -> None:
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
        shown.goto(browser_page.as_uri())
        shown.wait_for_function("document.documentElement.dataset.ready === 'yes'")
        assert shown.locator(".chart .main-svg").count() >= 6
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        paper = shown.evaluate("getComputedStyle(document.body).backgroundColor")
        browser.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert (paper == "rgb(255, 255, 255)") is (scheme == "light")
