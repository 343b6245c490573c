"""`alphaoverlay track`: spans, JSON, reports, other tickers, and mistakes in one line with exit code 2."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cli.running import Done, Run
from tests.cli.test_commands import call, parsed
from tests.funds.made import levels
from tests.market.little_files import rate_file

from alphaoverlay.market.calendar import exchange_sessions

SESSIONS = [f"{stamp:%Y-%m-%d}" for stamp in exchange_sessions(2015, 2016)]
MOVES = [float(x) for x in np.random.default_rng(8).normal(0.0004, 0.01, len(SESSIONS) - 1)]


def prices(closes: list[float], days: list[str] = SESSIONS) -> str:
    rows = [f"{day},{close:.8f},{close:.8f}" for day, close in zip(days, closes, strict=True)]
    return "\n".join(["date,close,adj_close", *rows, ""])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with an index, a plain fund, and a 3x and a -3x fund on it that charge nothing; money costs nothing."""
    place = tmp_path / "my data"
    place.mkdir()
    texts = {
        "DFF": rate_file(dict.fromkeys(SESSIONS, 0.0)),
        "SP500TR": prices(levels(MOVES, 2000.0)),
        "SPY": prices(levels(MOVES, 200.0)),
        "UPRO": prices(levels([3.0 * x for x in MOVES], 60.0)),
        "SPXU": prices(levels([-3.0 * x for x in MOVES], 60.0)),
    }
    for name, text in texts.items():
        (place / f"{name}.csv").write_text(text, encoding="utf-8")
    return place


def document(done: Done) -> dict[str, Any]:
    assert done.status == 0, done.err
    assert done.err == ""
    read: dict[str, Any] = json.loads(done.out)
    return read


# --- as a user would ---


def test_it_prints_one_json_document_with_the_promised_keys(reference_data: Path) -> None:
    read = parsed(call("track", "upro", "--data", str(reference_data), "--start", "2010-01-01", "--json"))
    assert {"asof", "study", "data", "notes"} <= read.keys()
    promised = (
        "fund start end sessions tracking_difference tracking_difference_trimmed tracking_error beta r_squared "
        "r_squared_weekly by_year assumptions"
    )
    assert set(promised.split()) <= read.keys()
    assert (read["fund"], read["start"], read["end"]) == ("UPRO", "2010-01-04", "2021-12-31")
    assert abs(read["tracking_difference"]) <= 0.0025
    assert read["beta"] == pytest.approx(3.0, abs=0.05)
    assert read["r_squared"] >= 0.995
    assert read["r_squared_weekly"] >= 0.995
    assert read["worst_days"][0]["cause"] in ("closing-time mismatch", "unexplained")


def test_without_data_it_asks_for_a_folder(tmp_path: Path) -> None:
    done = call("track", "UPRO", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "sample has no prices of UPRO" in done.stderr
    assert "--data FOLDER" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


# --- options ---


def test_start_and_end_are_the_first_and_the_last_close(run: Run, data: Path) -> None:
    read = document(run("track", "UPRO", "--data", str(data), "--start", "2015-03-01", "--end", "2016-05-29", "--json"))
    assert (read["start"], read["end"]) == ("2015-03-02", "2016-05-27")
    inside = [day for day in SESSIONS if "2015-03-02" <= day <= "2016-05-27"]
    assert read["sessions"] == len(inside) - 1
    assert [(one["year"], one["part_of_year"]) for one in read["by_year"]] == [(2015, True), (2016, True)]
    whole = document(run("track", "UPRO", "--data", str(data), "--json"))
    assert (whole["start"], whole["end"], whole["sessions"]) == (SESSIONS[0], SESSIONS[-1], len(SESSIONS) - 1)


def test_a_fixed_rate_is_charged_and_said(run: Run, data: Path) -> None:
    """2% on two borrowed units, by days over 360; the fund paid none of it."""
    words = ["track", "UPRO", "--data", str(data), "--json"]
    free, dear = (document(run(*words, *more)) for more in ([], ["--cash-rate", "0.02"]))
    slower = free["tracking_difference"] - dear["tracking_difference"]
    assert slower == pytest.approx(0.04 * 365.25 / 360, rel=0.005)
    assert any("fixed at 2.00%" in note for note in dear["notes"])


def test_other_tickers_are_measured_beside_it(run: Run, data: Path) -> None:
    words = ["track", "UPRO", "--data", str(data), "--against", "SPY?L=3&SP=0&E=0", "--against", "spy?l=2&e=0&sp=0"]
    read = document(run(*words, "--json"))
    found = {one["name"]: one for one in read["other_formulas"]}
    assert found["SPY?L=3&E=0&SP=0"]["tracking_difference"] == pytest.approx(0.0, abs=1e-6)
    less = sum(np.log1p(2.0 * x) - np.log1p(3.0 * x) for x in MOVES) / read["years"]
    assert found["SPY?L=2&E=0&SP=0"]["tracking_difference"] == pytest.approx(less, abs=1e-6)
    shown = run(*words)
    assert "SPY?L=3&E=0&SP=0" in " ".join(shown.out.split())


def test_a_fund_file_is_laid_over_the_catalogue(run: Run, data: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[[fund]]\nsymbol = "UPRO"\nname = "mine"\nindex = "SP500"\nleverage = 3\nexpense = 0\nspread = 0\n')
    read = document(run("track", "UPRO", "--data", str(data), "--funds", str(own), "--json"))
    assert read["tracking_difference"] == pytest.approx(0.0, abs=1e-6)
    assert read["r_squared"] == pytest.approx(1.0, abs=1e-6)
    assert read["assumptions"]["spread"]["basis"] == "stated"


def test_an_inverse_fund_is_promised_its_own_beta(run: Run, data: Path) -> None:
    read = document(run("track", "SPXU", "--data", str(data), "--json"))
    assert read["beta"] == pytest.approx(-3.0, abs=1e-5)
    assert read["assumptions"]["leverage"] == -3.0


# --- reports ---


def test_the_tables_and_the_report_say_the_same(run: Run, data: Path, tmp_path: Path) -> None:
    path = tmp_path / "upro.html"
    done = run("track", "UPRO", "--data", str(data), "--report", str(path))
    assert (done.status, done.err) == (0, "")
    page = path.read_text(encoding="utf-8")
    read = document(run("track", "UPRO", "--data", str(data), "--json"))
    for words in (
        f"{read['tracking_difference']:+.2%}",
        f"{read['tracking_error']:.2%}",
        "The ten largest daily gaps",
        "M2 beside M1",
        "Nothing awkward was found",
        read["data"]["fingerprint"],
    ):
        assert words in done.out
        assert words in page
    assert re.search(r"Report written to \S*upro\.html", done.out.replace("\n", ""))


def test_json_and_a_report_may_be_asked_together(run: Run, data: Path, tmp_path: Path) -> None:
    path = tmp_path / "upro.html"
    document(run("track", "UPRO", "--data", str(data), "--json", "--report", str(path)))
    assert path.stat().st_size > 100_000


def test_a_report_does_not_overwrite_what_is_no_report(run: Run, data: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.html"
    path.write_text("mine")
    words = ["track", "UPRO", "--data", str(data), "--report", str(path)]
    refused = run(*words)
    assert (refused.status, refused.out) == (2, "")
    assert "--force" in refused.err
    assert path.read_text() == "mine"
    assert run(*words, "--force").status == 0
    assert run(*words).status == 0  # one of our own
    assert path.stat().st_size > 100_000


# --- mistakes ---


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Missing argument 'SYMBOL'"),
        (["TNA"], "TNA.csv"),
        (["TNA"], "has no prices of TNA"),
        (["UPROO"], "Did you mean UPRO?"),
        (["SP500"], "SP500 is an index, not a fund"),
        (["SP500TR"], "taken as its own index"),
        (["UPRO?L=3"], "UPRO?L=3 is a synthetic ticker"),
        (["SPY?L=3&E=0.9"], "has no real history"),
        (["UPRO", "--start", SESSIONS[-50]], "49 sessions"),
        (["UPRO", "--start", SESSIONS[-50]], "at least 60"),
        (["UPRO", "--start", "2016-01-04", "--end", "2016-02-01"], "too few to compare"),
        (["UPRO", "--start", "2016-02-01", "--end", "2016-01-04"], "not before"),
        (["UPRO", "--start", "2030-01-02"], "do not overlap"),
        (["UPRO", "--start", "soon"], "start"),
        (["UPRO", "--end", "2016-02-30"], "end"),
        (["UPRO", "--cash-rate", "SOFR"], "no data for SOFR"),
        (["UPRO", "--against", "SPY?LL=3"], "unknown key LL"),
        (["UPRO", "--against", "NOPE"], "unknown symbol 'NOPE'"),
        (["UPRO", "--funds", "gone.toml"], "gone.toml"),
        (["UPRO", "--open"], "--report FILE"),
        (["UPRO", "--report", "no/such/folder/x.html"], "cannot write"),
        (["UPRO", "--spread", "1"], "No such option"),
    ],
)
def test_a_mistake_is_a_word_of_help_and_exit_code_2(run: Run, data: Path, words: list[str], said: str) -> None:
    done = run("track", *words, "--data", str(data))
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err
    first, *marks = done.err.strip().splitlines()
    assert first.startswith("alphaoverlay: ")
    assert not marks or "unknown key" in first  # a ticker's wrong character is marked below it


def test_an_index_without_a_series_is_named(run: Run, data: Path) -> None:
    for name in ("SP500TR", "SPY"):
        (data / f"{name}.csv").unlink()
    done = run("track", "UPRO", "--data", str(data))
    assert (done.status, done.out) == (2, "")
    assert "no series of SP500, which UPRO follows" in done.err


def test_a_plain_fund_alone_serves_as_the_index(run: Run, data: Path) -> None:
    (data / "SP500TR.csv").unlink()
    read = document(run("track", "UPRO", "--data", str(data), "--json"))
    [span] = read["assumptions"]["indices"]["SP500"]
    assert (span["kind"], span["symbols"]) == ("plain fund, expense added back", ["SPY"])


def test_a_bad_cell_is_named_by_line_and_column(run: Run, data: Path) -> None:
    lines = (data / "UPRO.csv").read_text(encoding="utf-8").splitlines()
    spoiled = [
        f"{lines[0]},volume",
        *(f"{line},{'1.2M' if k == 7 else k}" for k, line in enumerate(lines[1:], start=2)),
    ]
    (data / "UPRO.csv").write_text("\n".join(spoiled), encoding="utf-8")
    done = run("track", "UPRO", "--data", str(data))
    assert (done.status, done.out) == (2, "")
    assert "UPRO.csv, line 7, column volume: '1.2M'" in done.err


@pytest.mark.parametrize("symbol", ["UPRO", "SPY", "GSPC", "SP500", "SPY?L=3"])
def test_the_sample_cannot_track(run: Run, symbol: str) -> None:
    done = run("track", symbol)
    assert (done.status, done.out) == (2, "")
    assert len(done.err.strip().splitlines()) == 1


def test_a_ticker_that_no_data_can_build_is_named(run: Run, data: Path) -> None:
    done = run("track", "UPRO", "--data", str(data), "--against", "GLD", "--json")
    assert (done.status, done.out) == (2, "")
    assert "GLD" in done.err
    assert len(done.err.strip().splitlines()) == 1


@pytest.mark.parametrize("words", [["--json"], []])
def test_a_ticker_that_loses_everything_is_an_answer(run: Run, reference_data: Path, words: list[str]) -> None:
    """SPY fell by 10.9% on 2020-03-16: ten times that is more than there is."""
    done = run("track", "UPRO", "--data", str(reference_data), "--against", "SPY?L=10", *words)
    assert done.status in (0, 2)
    assert "inf" not in done.out.split()
    assert "-inf%" not in done.out
