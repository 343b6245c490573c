"""The command `simulate`: printed, written, repeated by its seed, and refused."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.cli.running import Run
from tests.study.plain_market import DAYS, write_market
from tests.study.test_ahead import PRICES

CASE = ("SPY=70", "UPRO=10", "TNA=10", "SQQQ=10", "--benchmark", "SPY")
FEW = ("--paths", "300", "--sessions", "40")
QUICK = ("simulate", *CASE, *FEW)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder of made prices beside a study with flows, costs and a start that plays no part."""
    (tmp_path / "made").mkdir()
    write_market(tmp_path / "made", PRICES)
    (tmp_path / "my.toml").write_text(
        f'title = "Mine"\nbenchmark = "SPY"\ncapital = 1000\nstart = {DAYS[400]}\n[weights]\nSPY = 0.6\nTWO = 0.3\n'
        '[data]\nsources = ["made"]\n[cash]\nrate = 0.02\n[costs]\nhalf_spread_bps = 4.0\n'
        '[[flows]]\namount = -20\ncalendar = "monthly"\n'
    )
    return tmp_path


def not_finite(value: Any) -> list[Any]:
    """Numbers of a document that are none."""
    if isinstance(value, dict):
        return [bad for one in value.values() for bad in not_finite(one)]
    if isinstance(value, list):
        return [bad for one in value for bad in not_finite(one)]
    return [value] if isinstance(value, float) and not math.isfinite(value) else []


def test_one_document_the_same_for_the_same_seed(run: Run) -> None:
    one, again = (run(*QUICK, "--seed", "7", "--json") for _ in range(2))
    assert one.out == again.out
    said = one.document
    assert list(said)[:6] == ["schema", "version", "asof", "study", "data", "notes"]
    assert {"quantiles", "standard_errors", "means", "probabilities", "generator", "seed", "paths"} <= said.keys()
    assert (said["seed"], said["paths"], said["sessions"]) == (7, 300, 40)
    assert said["asof"] == said["start"] == "2018-11-30"
    assert said["generator"]["name"] == "bootstrap"
    assert not_finite(said) == []
    other = run(*QUICK, "--json").document
    assert other["seed"] == 0
    assert other["quantiles"] != said["quantiles"]


def test_tables_and_a_report_say_that_it_is_simulated(run: Run, made: Path) -> None:
    words = ("simulate", "my.toml", *FEW, "--rule", "never", "--report", "paths.html")
    document = run(*words[:-2], "--json").document
    done = run(*words)
    assert (done.status, done.err) == (0, "")
    said, page = " ".join(done.out.split()), (made / "paths.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")
    for text in (said, " ".join(page.split())):
        assert "Simulated paths, not a forecast: 300 paths of SP500, TWO, made from 504 sessions" in text
        for part in (
            "Mine",
            "Quantiles over the paths",
            "Growth of 1, without the flows",
            "Active CAGR over the paths",
        ):
            assert part in text
    assert "Value of 1 ahead" in page
    assert f"became {document['quantiles']['growth']['p50']:.2f} or more on half of them" in said
    assert list(document["others"]) == ["portfolio, never"]
    assert set(document["quantiles"]) >= {"wealth", "growth"}
    assert "Report written to paths.html" in done.out
    assert [path.name for path in made.glob("*.html*")] == ["paths.html"]


def test_json_and_a_report_in_one_go(run: Run, made: Path) -> None:
    document = run("simulate", "my.toml", *FEW, "--json", "--report", "r.html").document
    assert document["study"]["title"] == "Mine"
    assert (made / "r.html").read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_a_report_does_not_replace_what_is_none(run: Run, made: Path) -> None:
    (made / "r.html").write_text("my own notes")
    done = run("simulate", "my.toml", *FEW, "--report", "r.html")
    assert done.status == 2
    assert (made / "r.html").read_text() == "my own notes"


def test_a_place_that_is_taken_is_refused_before_any_path_is_run(
    run: Run, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("paths were run")

    monkeypatch.setattr("alphaoverlay.study.simulated.simulate_study", never)
    (made / "r.html").write_text("mine")
    done = run("simulate", "my.toml", "--report", "r.html", "--json")
    assert (done.status, done.out) == (2, "")
    assert "r.html exists already" in done.err


def test_the_words_for_a_generator_its_mean_and_its_start(run: Run) -> None:
    words = ("--generator", "fhs", "--start-volatility", "25%", "--mean", "SP500=5%", "--mean", "RUSSELL2000=0.02")
    said = run(*QUICK, *words, "--window", "800", "--block", "30", "--json").document["generator"]
    assert said["name"] == "fhs"
    assert said["mean"] == {"SP500": 0.05, "RUSSELL2000": 0.02}
    assert said["sessions"] == 800
    assert said["facts"]["block_length"] == 30.0
    assert run(*QUICK, "--mean", "zero", "--json").document["generator"]["mean"] == "zero"
    assert run(*QUICK, "--mean", "-3%", "--json").document["generator"]["mean"] == -0.03


def test_asof_looks_at_nothing_later(run: Run, made: Path) -> None:
    asked = ("simulate", "my.toml", *FEW, "--json", "--asof", f"{DAYS[300]}")
    expected = run(*asked).document
    assert (expected["asof"], expected["generator"]["last"]) == (f"{DAYS[300]}", f"{DAYS[300]}")
    for file in (made / "made").glob("*.csv"):
        kept = file.read_text().splitlines()[:302]
        file.write_text("\n".join([*kept, *(f"{day},{900 + k % 7},{900 + k % 7}" for k, day in enumerate(DAYS[301:]))]))
    said = run(*asked).document
    for key in ("quantiles", "standard_errors", "probabilities", "benchmark", "fan", "portfolio", "notes"):
        assert said[key] == expected[key], key


def test_the_study_in_the_document_is_the_one_that_was_asked(run: Run, made: Path) -> None:
    said = run("simulate", "my.toml", *FEW, "--json").document
    given = tomllib.loads((made / "my.toml").read_text())
    assert said["study"]["weights"] == given["weights"]
    assert said["study"]["flows"][0]["amount"] == -20
    assert json.loads(json.dumps(said, allow_nan=False)) == said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--paths", "0"], "paths = 0: write 1 to 100,000,000"),
        (["--paths", "many"], "--paths"),
        (["--seed", "-1"], "--seed"),
        (["--seed", f"{2**63}"], "seed = 9223372036854775808: write 0 to"),
        (["--sessions", "0"], "sessions = 0: write 1 to 12,600 (252 are a year)"),
        (["--sessions", "20000"], "sessions = 20000: write 1 to 12,600"),
        (["--window", "0"], "window = 0: write 60 sessions or more"),
        (["--generator", "boot"], "write one of bootstrap, fhs, t, regimes"),
        (["--rule", "sometimes"], "rule 'sometimes': write one of never, daily, weekly"),
        (["--mean", "hope"], "--mean 'hope': write historical, zero, or a yearly return"),
        (["--mean", "SP501=5%"], "mean.SP501: no such index on the paths; they are of SP500"),
        (["--mean", "5%", "--mean", "6%"], "--mean"),
        (["--mean", "nan"], "mean"),
        (["--start-volatility", "25%"], "bootstrap has no state to start from"),
        (["--start-volatility", "high", "--generator", "fhs"], "--start-volatility 'high': write today, average"),
        (["--block", "0"], "block = 0"),
        (["--block", "9", "--generator", "t"], "t draws no blocks"),
        (["--asof", "friday"], "asof: 'friday' is not a date"),
        (["--asof", "1990-01-02"], "1990-01-02"),
        (["--asof", "2030-01-02"], "the data end on 2018-11-30"),
        (["--open"], "--report FILE"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_a_mistake_is_one_line_and_exit_code_2(run: Run, tmp_path: Path, words: list[str], said: str) -> None:
    done = run(*QUICK, *words)
    assert (done.status, done.out) == (2, ""), done.err[-300:]
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
