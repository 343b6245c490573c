"""`alphaoverlay calibrate`: options, JSON, reports, and mistakes in one line with exit code 2."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from tests.cli.running import Run
from tests.cli.test_commands import call, parsed
from tests.study.test_calibrated import made_market

from alphaoverlay.market.calendar import exchange_sessions

DAYS = [f"{day:%Y-%m-%d}" for day in exchange_sessions(2010, 2020)[:1100]]
KEYS = {
    "schema", "version", "asof", "study", "data", "notes", "fund", "start", "end", "sessions", "estimates", "ticker",
    "residual", "rolling", "by_year", "block", "resamples", "seed",
}  # fmt: skip


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MADE, a -2x fund with a spread of 0.43%."""
    return made_market(tmp_path_factory.mktemp("market"), leverage=-2.0, spread=0.0043, noise=0.002)


@pytest.fixture(scope="module")
def words(market: Path) -> list[str]:
    """The command for MADE."""
    return ["calibrate", "MADE", "--data", str(market), "--funds", str(market / "own.toml")]


def test_it_prints_one_json_document_with_the_promised_keys(run: Run, words: list[str]) -> None:
    document = run(*words, "--json").document
    assert document.keys() >= KEYS
    assert document["fund"] == "MADE"
    [estimate] = document["estimates"]
    assert estimate.keys() == {"term", "assumed", "value", "standard_error", "low", "high"}
    assert estimate["term"] == "SP"
    assert document["ticker"] == f"SP500?L=-2&E=0.9&SP={-100.0 * estimate['value']:.4g}"
    assert (document["start"], document["end"]) == (DAYS[0], DAYS[-1])
    assert (document["sessions"], document["seed"]) == (1099, 0)


def test_real_funds_in_a_process_of_its_own(reference_data: Path, tmp_path: Path) -> None:
    done = call("calibrate", "UPRO", "--data", str(reference_data), "--fit", "SP,SW", "--json", cwd=tmp_path)
    assert done.stderr == ""
    document = parsed(done)
    assert [one["term"] for one in document["estimates"]] == ["SP", "SW"]
    assert document["asof"] == "2021-12-31"
    assert list(tmp_path.iterdir()) == []


def test_the_same_words_give_the_same_document_to_the_last_bit(run: Run, words: list[str]) -> None:
    once, again = (run(*words, "--seed", "5", "--json") for _ in range(2))
    assert once.out == again.out
    other = run(*words, "--seed", "6", "--json").document["estimates"][0]
    own = once.document["estimates"][0]
    assert own["value"] == other["value"]
    assert own["standard_error"] != other["standard_error"]


def test_the_span_the_rate_and_the_terms_are_options(run: Run, words: list[str]) -> None:
    asked = ["--start", DAYS[100], "--until", DAYS[900], "--cash-rate", "0.01", "--fit", "e"]
    document = run(*words, *asked, "--json").document
    assert (document["start"], document["end"], document["asof"]) == (DAYS[100], DAYS[900], DAYS[900])
    assert [one["term"] for one in document["estimates"]] == ["E"]
    assert document["study"]["fit"] == ["E"]
    assert document["study"]["until"] == DAYS[900]
    assert any("fixed at 1.00%" in note for note in document["notes"])


def test_days_without_sessions_are_rounded_into_the_span(run: Run, words: list[str]) -> None:
    """From a Sunday to a Saturday."""
    document = run(*words, "--start", "2010-03-07", "--until", "2013-11-30", "--json").document
    assert (document["start"], document["end"]) == ("2010-03-08", "2013-11-29")


def test_a_report_is_written_and_the_same_is_printed(run: Run, words: list[str], tmp_path: Path) -> None:
    done = run(*words, "--report", "r.html")
    assert (done.status, done.err) == (0, "")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    for said in ("Fitted terms", "Residuals after the fit", "Spread by calendar year", "In a ticker: SP500?L=-2&"):
        assert said in page
        assert said in " ".join(done.out.split())
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
    assert run(*words, "--report", "mine.html", "--force").status == 0
    assert "Fitted terms" in (tmp_path / "mine.html").read_text(encoding="utf-8")


def test_help_names_every_option(run: Run) -> None:
    shown = run("calibrate", "--help")
    assert shown.status == 0
    for option in ("--data", "--start", "--until", "--fit", "--seed", "--cash-rate", "--funds", "--json", "--report"):
        assert option in shown.out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--fit", "XX"], "one or more of SP, SW and E"),
        (["--fit", ""], "one or more of SP, SW and E"),
        (["--seed", "-1"], "--seed"),
        (["--seed", "x"], "--seed"),
        (["--until", "2010-06-30"], "too short to calibrate"),
        (["--until", "2010-02-15"], "too few to compare"),
        (["--until", "soon"], "write a date as YYYY-MM-DD"),
        (["--start", "2013-01-02", "--until", "2012-01-03"], "is not before"),
        (["--start", "2030-01-02"], "2030-01-02"),
        (["--cash-rate", "5"], "a fixed rate is a yearly fraction"),
        (["--cash-rate", "NOPE"], "NOPE"),
        (["--cash-rate", "0.02", "--fit", "SP,SW"], "the financing rate did not move"),
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
        (["calibrate"], "Missing argument"),
        (["calibrate", "UPRO"], "no prices of UPRO"),
        (["calibrate", "UPROO"], "Did you mean UPRO?"),
        (["calibrate", "UPRO?L=1"], "is a synthetic ticker"),
        (["calibrate", "UPRO", "--data", "nowhere"], "no folder nowhere"),
        (["calibrate", "UPRO", "--funds", "gone.toml"], "gone.toml"),
    ],
)
def test_a_fund_that_cannot_be_fitted_is_one_line_and_exit_code_2(run: Run, words: list[str], said: str) -> None:
    done = run(*words)
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_plain_fund_is_refused_in_one_line(run: Run, reference_data: Path) -> None:
    done = run("calibrate", "SPY", "--data", str(reference_data))
    assert (done.status, done.out) == (2, "")
    assert done.err.strip() == "alphaoverlay: SPY borrows nothing (leverage 1), so it has no spread to fit"


@pytest.mark.parametrize(
    "until", [["--until", "soon"], ["--start", DAYS[9], "--until", DAYS[0]]], ids=["soon", "order"]
)
def test_a_mistake_in_until_is_called_until(run: Run, words: list[str], until: list[str]) -> None:
    assert "until" in run(*words, *until).err


def test_a_span_before_the_first_price_names_the_span(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "late"
    folder.mkdir()
    made_market(folder, leverage=3.0, lived=400)
    funds = ["--funds", str(folder / "own.toml"), "--until", DAYS[300]]
    done = run("calibrate", "MADE", "--data", str(folder), *funds)
    assert done.status == 2
    assert DAYS[700] in done.err


def test_prices_that_never_move_are_no_crash(run: Run, tmp_path: Path) -> None:
    """Fund and index stand still: a spread can still be read off, and no figure is other than a number or null."""
    folder = tmp_path / "still"
    folder.mkdir()
    days = DAYS[:400]
    for symbol in ("GSPC", "MADE"):
        (folder / f"{symbol}.csv").write_text("\n".join(["date,close,adj_close", *(f"{day},100,100" for day in days)]))
    (folder / "own.toml").write_text(
        '[[fund]]\nsymbol = "MADE"\nname = "made"\nindex = "SP500"\nleverage = 3\nexpense = 0.9\n'
    )
    done = run(
        "calibrate", "MADE", "--data", str(folder), "--funds", str(folder / "own.toml"), "--cash-rate", "0.01", "--json"
    )
    if done.status == 2:
        assert len(done.err.strip().splitlines()) == 1
        return
    [estimate] = done.document["estimates"]
    # 3*0.019*e - 2*0.01*d - 0.009*e = 2*s*d, with e = d*360/365.
    assert estimate["value"] == pytest.approx(((3 * 0.019 - 0.009) * 360 / 365 - 0.02) / 2, abs=1e-5)
    assert all(math.isfinite(value) for value in estimate.values() if isinstance(value, float))
