"""`alphaoverlay delever`: options, JSON, reports, and mistakes in one line with exit code 2."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from tests.cli.running import Run
from tests.study.test_calibrated import made_market, write_prices

from alphaoverlay.market.calendar import exchange_sessions

DAYS = [f"{day:%Y-%m-%d}" for day in exchange_sessions(2010, 2020)[:1100]]
KEYS = {
    "schema", "version", "asof", "study", "data", "notes", "fund", "weight", "start", "end", "sessions", "years",
    "final_value", "index_final_value", "gap", "gap_a_year", "parts", "correlation", "metrics", "index_metrics",
    "active", "synthetic_until", "by_offset", "offsets", "windows",
}  # fmt: skip
PARTS = {"target", "drift", "financing", "cash", "spread", "expense", "slippage", "cost", "variance"}


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command for MADE, a 3x fund that has lived for the last 900 of 1,100 sessions."""
    market = made_market(tmp_path_factory.mktemp("market"), leverage=3.0, lived=900, noise=0.002)
    return ["delever", "MADE", "--data", str(market), "--funds", str(market / "own.toml")]


def test_it_prints_one_json_document_with_the_promised_keys(run: Run, words: list[str]) -> None:
    document = run(*words, "--json").document
    assert document.keys() >= KEYS
    assert document["parts"].keys() == PARTS
    assert math.fsum(document["parts"].values()) == pytest.approx(document["gap"], abs=1e-12)
    assert (document["fund"], document["weight"]) == ("MADE", 1.0 / 3.0)
    assert (document["start"], document["end"]) == (DAYS[200], DAYS[-1])
    assert document["synthetic_until"] is None
    assert document["study"]["rebalance"] == {"calendar": "quarterly", "offset": 0}
    assert len(document["by_offset"]) == document["windows"]["offsets"] == 61
    assert document["windows"]["starts"] == (900 - 757) // 21 + 1


def test_a_real_funds_life_is_its_span(run: Run, reference_data: Path, tmp_path: Path) -> None:
    document = run("delever", "TNA", "--data", str(reference_data), "--end", "2021-12-15", "--json").document
    assert (document["start"], document["end"]) == ("2008-11-19", "2021-12-15")
    assert list(tmp_path.iterdir()) == []


def test_span_rule_costs_and_rate_are_options(run: Run, words: list[str]) -> None:
    asked = ["--start", DAYS[100], "--end", DAYS[1000], "--rebalance", "monthly", "--offset", "3"]
    document = run(*words, *asked, "--half-spread-bps", "5", "--cash-rate", "0.02", "--json").document
    assert (document["start"], document["end"]) == (DAYS[100], DAYS[1000])
    assert document["study"]["rebalance"] == {"calendar": "monthly", "offset": 3}
    assert document["study"]["costs"] == {"half_spread_bps": 5.0}
    assert document["synthetic_until"] == DAYS[200]
    assert document["parts"]["cost"] < 0.0
    assert any(f"Synthetic until {DAYS[200]}: MADE" in note for note in document["notes"])
    assert any("fixed at 2.00%" in note for note in document["notes"])
    assert len(document["by_offset"]) == 20


def test_a_short_span_has_no_windows(run: Run, words: list[str]) -> None:
    document = run(*words, "--start", DAYS[900], "--json").document
    assert document["windows"] is None
    assert len(document["by_offset"]) == 61


def test_two_sessions_are_enough_to_be_shown_without_a_crash(run: Run, words: list[str]) -> None:
    span = ["--start", DAYS[500], "--end", DAYS[501]]
    document = run(*words, *span, "--json").document
    assert document["correlation"] is None
    assert document["sessions"] == 1
    shown = run(*words, *span)
    assert shown.status == 0
    assert not re.search(r"\bnan\b", shown.out)


def test_a_ticker_with_terms_is_a_fund_like_any_other(run: Run, words: list[str]) -> None:
    document = run("delever", "sp500?sp=0&e=0&l=-2", *words[2:4], "--rebalance", "daily", "--json").document
    assert document["fund"] == "SP500?L=-2&E=0&SP=0"
    assert document["weight"] == 0.5
    assert document["gap"] == pytest.approx(0.0, abs=1e-12)
    assert document["synthetic_until"] == DAYS[-1]


def test_a_fund_that_lost_everything_is_shown_up_to_then(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "crash"
    folder.mkdir()
    levels = [100.0 + k % 7 for k in range(1000)]
    levels[905:] = [0.6 * level for level in levels[905:]]
    write_prices(folder, "GSPC", exchange_sessions(2010, 2020)[:1000], levels)
    words = ["delever", "SP500?L=3&E=0&SP=0", "--data", str(folder), "--cash-rate", "0.01"]
    document = run(*words, "--json").document
    assert document["end"] == DAYS[904]
    assert any(f"lost everything on {DAYS[905]}" in note for note in document["notes"])
    assert run(*words).status == 0


def test_a_report_is_written_and_the_same_is_printed(run: Run, words: list[str], tmp_path: Path) -> None:
    done = run(*words, "--start", DAYS[100], "--report", "r.html")
    assert (done.status, done.err) == (0, "")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    for said in ("The gap by cause", "Beside each other", "How much the start and the day of the period matter", "†"):
        assert said in page
        assert said in done.out
    assert "Report written to r.html" in done.out


def test_json_beside_a_report_is_json_alone(run: Run, words: list[str], tmp_path: Path) -> None:
    assert run(*words, "--json", "--report", "r.html").document["fund"] == "MADE"
    assert (tmp_path / "r.html").exists()


def test_another_file_is_not_overwritten_without_force(run: Run, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "mine.html").write_text("mine")
    done = run(*words, "--report", "mine.html")
    assert done.status == 2
    assert "--force" in done.err
    assert (tmp_path / "mine.html").read_text() == "mine"


def test_help_names_every_option(run: Run) -> None:
    shown = run("delever", "--help")
    assert shown.status == 0
    said = (
        "--data --start --end --rebalance --offset --half-spread-bps --cash-rate --funds --json --report --open --force"
    )
    for option in said.split():
        assert option in shown.out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--rebalance", "biweekly"], "rebalance.calendar"),
        (["--offset", "-1"], "rebalance.offset"),
        (["--rebalance", "daily", "--offset", "3"], "has no meaning"),
        (["--half-spread-bps", "-1"], "half_spread_bps"),
        (["--half-spread-bps", "nan"], "half_spread_bps"),
        (["--start", "soon"], "start: write a date as YYYY-MM-DD"),
        (["--end", "2012-02-30"], "end: write a date as YYYY-MM-DD"),
        (["--start", "2013-01-02", "--end", "2012-01-03"], "is not before"),
        (["--start", "2000-01-03"], "begins on 2010-01-01"),
        (["--end", "2030-01-02"], "--end 2014-05-16 or earlier"),
        (["--cash-rate", "NOPE"], "NOPE"),
        (["--open"], "--report FILE"),
        (["--report", "no/such/folder/x.html"], "cannot write"),
        (["--bogus"], "No such option"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    run: Run, words: list[str], tmp_path: Path, more: list[str], said: str
) -> None:
    done = run(*words, *more)
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["delever"], "Missing argument"),
        (["delever", "SPY"], "only a fund of more than one time a single index"),
        (["delever", "SH"], "only a fund of more than one time a single index"),
        (["delever", "SP500"], "SP500 is an index, not a fund"),
        (["delever", "SP500?L=1"], "only a fund of more than one time a single index"),
        (["delever", "TNAA"], "Did you mean TNA?"),
        (["delever", "TNA", "--data", "nowhere"], "no folder nowhere"),
        (["delever", "TNA", "--funds", "gone.toml"], "gone.toml"),
    ],
)
def test_a_fund_that_cannot_stand_for_its_index_is_one_line(run: Run, words: list[str], said: str) -> None:
    done = run(*words)
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_ticker_that_cannot_be_read_is_marked_where(run: Run) -> None:
    done = run("delever", "SP500?L=x")
    assert (done.status, done.out) == (2, "")
    assert "L needs a number" in done.err
    assert done.err.rstrip().endswith("^")
