"""The commands `rules` and `alternatives`, and what `run` takes for trading: printed, saved, and refused."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from tests.cli.running import Run

from alphaoverlay.study.load import load_study

TRADE = ("SPY=70", "UPRO=10", "TNA=10", "SQQQ=10", "--benchmark", "SPY")
# Seven months of the sample; a week has five days to choose.
SHORT = ("--start", "2016-06-01", "--end", "2016-12-30", "--rebalance", "weekly")
WEEK = (*TRADE, *SHORT)


# --- rules ---


def test_rules_prints_one_document_and_the_same_as_tables(run: Run, tmp_path: Path) -> None:
    document = run("rules", *WEEK, "--json").document
    assert document["study"]["rebalance"] == {"calendar": "weekly"}
    assert (document["data"]["start"], document["data"]["end"]) == ("2016-06-01", "2016-12-30")
    chosen = document["recommended"]["rule"]
    assert chosen in [rule["name"] for rule in document["rules"]]
    assert {"figures", "frontier", "picked", "cost_interval", "error_interval"} <= document["rules"][0].keys()
    assert document["timing_luck"].keys() == {"least", "p05", "median", "mean", "p95", "most", "deviation"}
    assert document["untraded_quarter"]["sessions"] == 63
    assert "all -25%" in document["shocks"]
    assert any("SAMPLE DATA" in note for note in document["notes"])
    done = run("rules", *WEEK, "--report", "rules.html")
    assert (done.status, done.err) == (0, "")
    page = (tmp_path / "rules.html").read_text(encoding="utf-8")
    for words in ("Rules", "How sure the choice is", "Every quarter known, without a trade", chosen, "weekly (yours)"):
        assert words in done.out
        assert words in page
    for rule in document["rules"]:
        assert rule["name"] in done.out
    assert "Report written to rules.html" in done.out


def test_a_shock_and_a_tolerance_of_your_own(run: Run) -> None:
    words = ["--shock", "RUSSELL2000=-30%", "--shock", "nasdaq100=0.1", "--tolerance", "0.02"]
    document = run("rules", *WEEK, *words, "--json").document
    assert list(document["shocks"]) == ["RUSSELL2000 -30%, NASDAQ100 +10%"]
    assert document["recommended"]["tolerance"] == 0.02
    [chosen] = [rule for rule in document["rules"] if rule["name"] == document["recommended"]["rule"]]
    assert chosen["figures"]["exposure_error"] <= 0.02


def test_a_tolerance_that_no_rule_meets_is_an_outcome_not_an_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(
        'benchmark = "SPY"\nstart = 2016-06-01\nend = 2016-12-30\ncapital = 10000\n[weights]\nSPY = 0.7\nUPRO = 0.1\n'
        'TNA = 0.1\nSQQQ = 0.1\n[rebalance]\ncalendar = "never"\n[costs]\nhalf_spread_bps = 1.0\nmin_trade = 900\n'
    )
    done = run("rules", "my.toml", "--tolerance", "0.001")
    assert done.status == 0
    assert "no rule kept the exposure error within 0.001" in " ".join(done.out.split())


# --- alternatives ---


def test_alternatives_prints_one_document_and_the_same_as_tables(run: Run, tmp_path: Path) -> None:
    document = run("alternatives", *WEEK, "--json").document
    assert document["as_stated"][0]["name"] == document["at_equal_risk"][0]["name"] == "the overlay"
    assert document["as_stated"][0]["weights"] == {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}
    done = run("alternatives", *WEEK, "--report", "a.html")
    assert (done.status, done.err) == (0, "")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    for one in document["as_stated"]:
        assert one["name"] in done.out
        assert one["name"] in page
    for words in ("Sized to the overlay's tracking error", "70% SPY, 30% IWM", "found with hindsight"):
        assert words in " ".join(done.out.split())
    assert "Report written to a.html" in done.out


def test_exposures_are_a_view_too(run: Run) -> None:
    words = ["SP500=1", "RUSSELL2000=0.3", "NASDAQ100=-0.3", "--allow", "SPY,UPRO,TNA,SQQQ", *SHORT]
    document = run("alternatives", *words, "--json").document
    assert document["as_stated"][0]["active_exposures"] == {"RUSSELL2000": 0.3, "NASDAQ100": -0.3}


# --- mistakes ---


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rules", *WEEK, "--shock", "RUSSELL=-30%"], "no exposure to RUSSELL; the portfolio has SP500, RUSSELL2000"),
        (["rules", *WEEK, "--shock", "RUSSELL2000=-130%"], "a move is a simple return above -1, such as -0.3 for -30%"),
        (["rules", *WEEK, "--shock", "RUSSELL2000=-30"], "a move is a simple return above -1, such as -0.3 for -30%"),
        (["rules", *WEEK, "--shock", "RUSSELL2000=x"], "RUSSELL2000"),
        (
            ["rules", *WEEK, "--shock", "RUSSELL2000"],
            "not a number by name; write for example --shock RUSSELL2000=-30%",
        ),
        (["rules", *WEEK, "--shock", "SP500=1%", "--shock", "SP500=2%"], "SP500 stands twice"),
        (["rules", *WEEK, "--tolerance", "-1"], "--tolerance"),
        (["rules", *WEEK, "--tolerance", "small"], "--tolerance"),
        (["rules", *WEEK, "--open"], "--report FILE"),
        (["rules", *WEEK, "--band", "exposure"], "--band exposure=0.10"),
        (["rules", *WEEK, "--band", "delta=0.1"], "rebalance.band.0.on"),
        (["rules", "SPY"], "neither a study"),
        (["rules"], "Missing argument"),
        (["alternatives", "SPY=100", "--benchmark", "SPY", *SHORT], "there is no view to take in another way"),
        (["alternatives", *WEEK, "--open"], "--report FILE"),
        (["run", *WEEK, "--band", "weight=wide"], "rebalance.band.0.size"),
        (["run", *WEEK, "--band", "exposure=-0.1"], "rebalance.band.0.size: write 0 or more"),
        (["run", *WEEK, "--capital", "0"], "capital"),
        (["run", *WEEK, "--half-spread-bps", "2%"], "costs.half_spread_bps: write basis points"),
        (["run", *WEEK, "--half-spread-bps", "cheap"], '"catalogue"'),
    ],
    ids=lambda v: " ".join(v[-2:]) if isinstance(v, list) else "",
)
def test_a_mistake_is_one_line_and_exit_code_2(run: Run, tmp_path: Path, words: list[str], said: str) -> None:
    done = run(*words)
    assert done.status == 2
    assert done.out == ""
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


# --- run ---


def test_bands_capital_and_costs_are_saved_and_run_alike(run: Run, tmp_path: Path) -> None:
    words = ["--band", "exposure=0.10", "--band", "weight=25%", "--capital", "250000", "--half-spread-bps", "catalogue"]
    asked = run("run", *WEEK, *words, "--save", "my.toml", "--json").document
    study = load_study(tmp_path / "my.toml")
    assert [(band.on, band.kind, band.size) for band in study.rebalance.band] == [
        ("exposure", "absolute", 0.10),
        ("weight", "absolute", 0.25),
    ]
    assert study.capital == 250_000.0
    assert tomllib.loads((tmp_path / "my.toml").read_text())["costs"] == {"half_spread_bps": "catalogue"}
    assert run("run", "my.toml", "--json").document == asked


def test_a_study_with_everything_is_saved_again_as_itself(run: Run, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(
        'benchmark = "SPY"\nstart = 2016-06-01\nend = 2016-12-30\ncapital = 250000\n[weights]\nSPY = 0.6\nTNA = 0.2\n'
        '[rebalance]\ncalendar = "monthly"\nband = [{ size = { below = 0.05 }, destination = "edge" }, '
        '{ on = "weight", only = "TNA", size = "30%", kind = "relative" }]\ncheck = "weekly"\nmin_interval = 5\n'
        'lag = 1\ntranches = 2\nflows = "current"\n[costs]\nwiden = 2.0\nper_trade = 1.0\nmin_trade = 50\n'
        "half_spread_bps = { SPY = 0.5, TNA = [{ since = 2012-01-03, bps = 3 }, { since = 2016-07-01, bps = 2.0 }] }\n"
        '[cash]\nspread = 0.002\n[[flows]]\namount = 1000\ncalendar = "monthly"\n[[flows]]\nshare = -0.02\n'
        "dates = [2016-09-15]\n"
    )
    asked = run("run", "my.toml", "--save", "again.toml", "--json").document
    assert load_study(tmp_path / "again.toml") == load_study(tmp_path / "my.toml")
    assert run("run", "again.toml", "--json").document == asked
    assert asked["flows"]["contributed"] == pytest.approx(7 * 1000 / 250_000)
    assert asked["flows"]["withdrawn"] > 0.02


def test_run_says_how_it_traded_and_what_that_cost(run: Run) -> None:
    done = run("run", *WEEK, "--band", "exposure=0.05")
    said = " ".join(done.out.split())
    for words in (
        "rebalanced weekly, and when an exposure is off by 5 points",
        "Outside the bands",
        "Rebalances after the purchase",
        "Half-spreads by fund and date from the catalogue; most of them are assumptions; times 3 on volatile days.",
        "Active return by cause and year",
    ):
        assert words in said
    assert "by choice" in run("run", *WEEK, "--half-spread-bps", "0").out
