"""The command `scenario`: printed, written, and refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.running import Done, Run

STUDY = """\
benchmark = "SPY"
[weights]
SPY = 0.7
UPRO = 0.1
TNA = 0.1
SQQQ = 0.1
"""
MOVE = ("--move", "RUSSELL2000:NASDAQ100=25%")
FEW = ("--paths", "40")


@pytest.fixture(autouse=True)
def study(tmp_path: Path) -> None:
    """The founding case as a study, in the folder that commands run in."""
    (tmp_path / "my.toml").write_text(STUDY)


def one_line(done: Done, *said: str) -> None:
    """A mistake: exit code 2, nothing printed, one line."""
    assert (done.status, done.out) == (2, ""), done.err[-300:]
    assert len(done.err.strip().splitlines()) == 1
    for words in said:
        assert words in done.err


def test_one_document_and_the_same_as_tables_and_as_a_page(run: Run, tmp_path: Path) -> None:
    words = ("scenario", "my.toml", *MOVE, "--sessions", "100", *FEW, "--seed", "3")
    document = run(*words, "--json").document
    assert list(document)[:6] == ["schema", "version", "asof", "study", "data", "notes"]
    assert {"ends", "first_order", "smooth", "closed_form", "conditional", "history", "carry", "break_even"} <= (
        document.keys()
    )
    assert document["first_order"] == pytest.approx(0.075, abs=1e-12)
    assert list(document["conditional"]) == ["never", "daily", "monthly", "quarterly", "study"]
    for one in document["conditional"].values():
        assert {"median", "mean", "p05", "p95", "prob_below_benchmark"} <= one.keys()
        assert one["p05"] <= one["median"] <= one["p95"]
        assert one["paths"] == 40
    assert document["history"]["non_overlapping"] == 3
    assert (document["sessions"], document["seed"], document["asof"]) == (100, 3, "2018-11-30")
    done = run(*words, "--report", "what.html")
    assert (done.status, done.err) == (0, "")
    said, page = " ".join(done.out.split()), (tmp_path / "what.html").read_text(encoding="utf-8")
    for text in (said, page):
        for part in ("SAMPLE DATA", "Modelled, not a forecast", "Pay-off map", "Break-even a year", "Crises replayed"):
            assert part in text
    median = 100.0 * document["conditional"]["study"]["median"]
    assert f"makes {median:+.1f} points against its benchmark" in said
    assert "First order says +7.5" in said
    for one in document["history"]["windows"]:
        assert (one["start"] in said) == (not one["overlapping"])
    assert "Report written to what.html" in done.out
    # The whole page, its chart library inside: the map's planes, and nothing cut off.
    assert page.count('"type": "heatmap"') + page.count('"type":"heatmap"') == 4
    assert page.rstrip().endswith("</html>")


def test_words_and_a_study_are_read_alike_and_names_in_any_case(run: Run) -> None:
    study = run("scenario", "my.toml", *MOVE, *FEW, "--json")
    words = run(
        "scenario", "SPY=70", "UPRO=10", "TNA=10", "SQQQ=10", "--benchmark", "SPY",
        "--move", "russell2000:Nasdaq100=0.25", *FEW, "--json",
    )  # fmt: skip
    for key in ("conditional", "ends", "carry", "break_even", "pay_off", "stress", "stated"):
        assert words.document[key] == study.document[key]


def test_what_is_asked_for_reaches_the_answer(run: Run) -> None:
    document = run(
        "scenario", "my.toml", "--set", "SP500=-20%", "--set", "nasdaq100=-0.25", "--sessions", "21", "--rule", "daily",
        "--rule", "weekly", *FEW, "--volatility", "1.5", "--window", "500", "--asof", "2012-06-29", "--gap", "-12%",
        "--gap", "0.07", "--shock", "SP500=-10%", "--rate-jump", "2%", "--spread-jump", "0.01",
        "--rebalance", "monthly", "--cash-rate", "0.03", "--half-spread-bps", "5", "--json",
    ).document  # fmt: skip
    assert document["stated"] == {"pins": {"SP500": -0.2, "NASDAQ100": -0.25}, "long": None, "short": None, "by": None}
    assert (document["ends"]["SP500"], document["ends"]["NASDAQ100"]) == pytest.approx((-0.2, -0.25), abs=1e-12)
    assert document["sessions"] == 21
    assert list(document["conditional"]) == ["daily", "weekly", "study"]
    assert document["conditional"]["study"]["rule"] == "rebalanced monthly"
    assert document["law"]["volatility_multiple"] == 1.5
    assert document["law"]["sessions"] == 500
    assert document["law"]["last"] == document["asof"] == "2012-06-29"
    assert [one["indices"]["SP500"] for one in document["stress"]["gaps"]] == [-0.12, 0.07]
    assert document["rate"] == 0.03
    assert document["mirror"]["stated"]["pins"] == {"SP500": 0.2, "NASDAQ100": 0.25}
    shock = document["stress"]["shock"]
    assert shock["excess"] == pytest.approx(shock["portfolio"] - shock["benchmark"], abs=1e-15)
    # The benchmark loses a tenth at the gap, and no more than its expense after it.
    assert -0.101 < shock["benchmark"] < -0.1


def test_nothing_stated_is_an_answer_too(run: Run) -> None:
    done = run("scenario", "my.toml")
    assert (done.status, done.err) == (0, "")
    said = " ".join(done.out.split())
    assert "say what happens with --move A:B=25% or --set INDEX=10%" in said
    assert "A year in which nothing moves" in said
    assert "Where the indices end" not in said
    document = run("scenario", "my.toml", "--json").document
    assert document["conditional"] is None
    assert document["undefined"]["conditional"] == "nothing is stated; state a move or an end return"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--move", "RUSSELL2000=25%"],
            "'RUSSELL2000=25%' is not a relative move; write for example --move RUSSELL2000:",
        ),
        (["--move", "A:B"], "'A:B' is not a relative move"),
        (["--move", ":B=1%"], "is not a relative move"),
        (["--move", "A:=1%"], "is not a relative move"),
        (["--move", "A:B="], "is not a relative move"),
        (["--move", ""], "is not a relative move"),
        (["--move", "SP500:NASDAQ100=x"], "--move 'x': write a number, such as 0.3 or 30%"),
        (["--move", "SP500:NASDAQ100=inf"], "--move 'inf': write a finite number"),
        (["--move", "SP500:NASDAQ100=2500"], "write a fraction between -10 and 10, such as 0.25"),
        (["--move", "SP500:SP500=1%"], "a move of SP500 over itself is always 0"),
        (["--move", "SP500:RUSSEL2000=1%"], "unknown index 'RUSSEL2000'. Did you mean RUSSELL2000?"),
        (["--set", "SP500"], "'SP500' is not a number by name; write for example --set SP500=10%"),
        (["--set", "SP500="], "--set SP500=10%"),
        (["--set", "=5%"], "--set SP500=10%"),
        (["--set", "SP500=x"], "--set SP500: write a number, such as 0.3 or 30%"),
        (["--set", "SP500=-100%"], "an end return is a simple return above -1 (-100%), such as -0.3"),
        (["--set", "SP500=20"], "returns are fractions, so write 0.2 for 20%"),
        (["--set", "SP500=1%", "--set", "sp500=2%"], "stands twice; name it once"),
        (["--set", "RUSSELL2000=3%", "--set", "NASDAQ100=1%", *MOVE], "both pinned, which says their move already"),
        (["--gap", "x"], "--gap 'x': write a number, such as 0.3 or 30%"),
        (["--shock", "x"], "'x' is not a number by name; write for example --shock SP500=-10%"),
        (["--shock", "SP500=-10%", "--rate-jump", "much"], "--rate-jump 'much': write a number"),
        (["--rate-jump", "2"], "rate = 2: a jump is a yearly fraction from -1 to 1, 0.02 for 2 points"),
        (["--rule", "hourly"], "rule 'hourly': write one of never, daily, weekly, monthly"),
        (["--rule", "dayly"], "Did you mean daily?"),
        (["--paths", "0"], "paths = 0: write 1 to 200,000"),
        (["--paths", "many"], "--paths"),
        (["--sessions", "0"], "sessions = 0: write 1 to 12,600"),
        (["--volatility", "-1"], "multiple of volatility = -1: write 0 to 10"),
        (["--window", "0"], "window = 0: write 60 sessions or more"),
        (["--seed", "-1"], "--seed"),
        (["--asof", "soon"], "asof: 'soon' is not a date"),
        (["--open"], "--open opens a report; name its file with --report FILE"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else "",
)
def test_a_mistake_is_one_line_and_exit_code_2(run: Run, tmp_path: Path, words: list[str], said: str) -> None:
    one_line(run("scenario", "my.toml", *words, *([] if "--paths" in words else FEW)), said)
    assert [one.name for one in tmp_path.iterdir()] == ["my.toml"]


def test_a_mistake_writes_no_report(run: Run, tmp_path: Path) -> None:
    one_line(run("scenario", "my.toml", "--rule", "hourly", "--report", "what.html"), "rule 'hourly'")
    one_line(run("scenario", "gone.toml", *MOVE), "no study at gone.toml")
    one_line(run("scenario"), "Missing argument")
    assert [one.name for one in tmp_path.iterdir()] == ["my.toml"]
