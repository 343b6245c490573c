"""Ruin from file to report: an outcome that is shown, not an error."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.report.html import render_html
from alphaoverlay.study.load import study_from
from alphaoverlay.study.reporting import run_report
from alphaoverlay.study.results import run_document
from alphaoverlay.study.run import StudyResult, run_study

FUND = '[[fund]]\nsymbol = "X5"\nname = "5x"\nindex = "SP500"\nleverage = 5\nexpense = 1.0\n'


@pytest.fixture
def ruined(tmp_path: Path) -> StudyResult:
    """A 5x fund through a day of -30%, with a year and a half of sessions after it."""
    days = exchange_sessions(2019, 2021)[:600]
    close = 100.0 * np.cumprod(1.0 + np.where(np.arange(600) == 300, -0.30, 0.001))
    rows = [f"{day:%Y-%m-%d},{float(value)!r},{float(value)!r}" for day, value in zip(days, close, strict=True)]
    (tmp_path / "GSPC.csv").write_text("date,close,adj_close\n" + "\n".join(rows))
    (tmp_path / "own.toml").write_text(FUND)
    study = study_from(
        {"weights": {"X5": 1}, "cash": {"rate": 0.01}, "funds": {"file": str(tmp_path / "own.toml")}}, "test"
    )
    return run_study(study, FolderSource(tmp_path))


def test_ruin_is_named_with_its_day(ruined: StudyResult) -> None:
    day = exchange_sessions(2019, 2021)[300]
    assert ruined.portfolio.ruin == day
    assert any(f"ruined on {day:%Y-%m-%d}" in note for note in ruined.notes)
    assert ruined.portfolio.final_value == 0.0


def test_years_after_ruin_are_unknown_in_json_and_dashes_in_tables(ruined: StudyResult) -> None:
    document = json.loads(json.dumps(run_document(ruined).dump(), allow_nan=False))
    assert [year["portfolio"] is None for year in document["years"]] == [False, False, True]
    assert document["portfolio"]["metrics"]["cagr"] == -1.0
    shown = render_html(run_report(ruined)).split("<main>")[1].split("</main>")[0]
    assert not re.search(r"\bnan\b", shown)


def test_the_benchmark_is_measured_to_its_own_end(ruined: StudyResult) -> None:
    assert ruined.benchmark_metrics["max_drawdown"] == pytest.approx(-0.30, abs=0.001)
    assert len(ruined.benchmark.returns) == 599
