"""The command line: what each command prints, writes, and returns."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from alphaoverlay import __version__
from alphaoverlay.cli.app import app

COMMANDS = [
    "demo",
    "run",
    "design",
    "rules",
    "alternatives",
    "scenario",
    "simulate",
    "compare",
    "signal",
    "sectors",
    "funds",
    "track",
]
COMMANDS += ["calibrate", "delever", "new", "replicate", "doctor"]
COMMANDS += [f"data {word}" for word in ("fetch", "list", "show", "check", "export", "import")]
METRICS = {
    "cagr",
    "volatility",
    "sharpe",
    "sortino",
    "max_drawdown",
    "calmar",
    "ulcer",
    "upi",
    "beta",
    "tracking_error",
}


def call(*words: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "alphaoverlay", *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env=os.environ | {"COLUMNS": "120", "PYTHONIOENCODING": "utf-8"} | environment,
        timeout=120,
        check=False,
    )


def parsed(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["schema"] == "alphaoverlay/1"
    assert document["version"] == __version__
    return document


def test_without_words_it_explains_itself() -> None:
    done = call()
    assert done.returncode == 0
    for command in COMMANDS:
        assert command.split()[0] in done.stdout


def all_commands() -> dict[str, Any]:
    """Every command by the words that call it; a group's commands after its name."""

    def below(group: Any, words: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, command in group.commands.items():
            inner = below(command, f"{words}{name} ") if hasattr(command, "commands") else {}
            found |= inner or {f"{words}{name}": command}
        return found

    return below(typer.main.get_command(app), "")


def test_the_version() -> None:
    assert call("--version").stdout.strip() == f"alphaoverlay {__version__}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    done = call(*command.split(), "--help")
    assert done.returncode == 0
    assert re.search(rf"alphaoverlay {command}\b", done.stdout)


def test_every_command_is_in_the_readme() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert list(all_commands()) == COMMANDS
    for command in (words.split()[0] for words in COMMANDS):
        assert f"alphaoverlay {command}" in readme or f"make {command}" in readme


def test_every_option_is_spelled_the_same_everywhere() -> None:
    spelled: dict[str, set[tuple[str, ...]]] = {}
    for command in all_commands().values():
        for option in command.params:
            if option.param_type_name == "option":
                spelled.setdefault(option.opts[0], set()).add((option.help, str(option.metavar)))
    assert {name for name, ways in spelled.items() if len(ways) > 1} == set()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["frobnicate"], "No such command"),
        (["run"], "Missing argument"),
        (["run", "SPY"], "neither a study"),
        (["run", "gone.toml"], "alphaoverlay new gone.toml"),
        (["run", "SPY=x"], "SPY: write a number"),
        (["run", "SPY=60", "spy=40"], "SPY stands twice"),
        (["run", "SPX=1"], "Did you mean SPXU?"),
        (["run", "SPY=60", "UPRO=50"], "add up to 1.1, more than 1"),
        (["run", "SPY=1", "--bogus"], "No such option"),
        (["run", "SPY=1", "--data", "nowhere"], "no folder nowhere"),
        (["run", "SPY=1", "--start", "2030-01-01"], "do not overlap"),
        (["run", "SPY=1", "--end", "2020-01-02"], "--end 2018-11-30 or earlier"),
        (["run", "SPY=1", "--start", "1990-01-02"], "the rate RF begins on 1998-12-31"),
        (["run", "SPY=1", "--start", "1990-01-02", "--cash-rate", "0.02"], "--start 1999-01-04 or later"),
        (["run", "SPY=1", "--rebalance", "biweekly"], "rebalance.calendar"),
        (["run", "SPY=1", "--cash-rate", "DFF"], "only RF"),
        (["run", "SPY=1", "--open"], "--report FILE"),
        (["run", "SPY=1", "--report", "no/such/folder/x.html"], "cannot write"),
        (["design", "SP500=1", "SPY=2"], "SP500 is an index and SPY not"),
        (["design", "SP500=1", "RUSSEL2000=1"], "RUSSEL2000"),
        (["design", "SP500=1", "--funds", "gone.toml"], "gone.toml"),
        (["funds", "XYZZ"], "unknown fund 'XYZZ'"),
        (["funds", "--index", "SP50"], "Did you mean SP500?"),
        (["new", "study.txt"], "does not end in .toml"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(words: list[str], said: str, tmp_path: Path) -> None:
    done = call(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_run_prints_one_json_document_with_the_promised_keys() -> None:
    document = parsed(call("run", "SPY=70", "UPRO=10", "TNA=10", "SQQQ=10", "--json"))
    assert {"asof", "study", "data", "design", "portfolio", "benchmark", "active", "notes"} <= document.keys()
    assert {"source", "start", "end", "fingerprint"} <= document["data"].keys()
    assert document["data"]["start"] == "1999-01-04"
    assert document["asof"] == document["data"]["end"] == "2018-11-30"
    assert document["design"]["weights"] == {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}
    assert document["design"]["exposures"] == {"SP500": 1.0, "RUSSELL2000": 0.3, "NASDAQ100": -0.3}
    assert document["design"]["cash"] == 0.0
    assert {"total", "expense", "spread", "financing", "cash"} == document["design"]["carry"].keys()
    for side in ("portfolio", "benchmark"):
        assert document[side]["metrics"].keys() >= METRICS
        assert document[side]["final_value"] == document[side]["metrics"]["final_value"]
        assert document[side]["metrics"]["max_drawdown"] < 0.0
    assert document["active"].keys() >= {"cagr", "correlation", "tracking_error"}
    assert any("SAMPLE DATA" in note for note in document["notes"])


def test_design_prints_the_design_object() -> None:
    words = ["SP500=1", "RUSSELL2000=0.3", "NASDAQ100=-0.3", "--allow", "SPY,UPRO,TNA,SQQQ"]
    document = parsed(call("design", *words, "--json"))
    assert document["weights"] == {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}
    assert document["exposures"] == {"SP500": 1.0, "RUSSELL2000": 0.3, "NASDAQ100": -0.3}
    assert document["feasible"] is True
    carry = document["carry"]
    assert carry["total"] == pytest.approx(sum(carry[k] for k in ("expense", "spread", "financing", "cash")))


def test_an_impossible_design_is_an_outcome_not_an_error() -> None:
    document = parsed(call("design", "SP500=1", "NASDAQ100=-0.3", "--allow", "SPY,UPRO", "--json"))
    assert document["feasible"] is False
    assert document["shortfall"] == {"NASDAQ100": 0.3}
    assert "short (inverse) NASDAQ100" in document["reason"]


def test_run_takes_exposures_too_and_saves_what_was_asked(tmp_path: Path) -> None:
    words = ["SP500=1", "RUSSELL2000=0.3", "NASDAQ100=-0.3", "--allow", "SPY,UPRO,TNA,SQQQ", "--rebalance", "monthly"]
    saved = ["--save", "my.toml", "--json"]
    asked = parsed(call("run", *words, *saved, cwd=tmp_path))
    again = parsed(call("run", "my.toml", "--json", cwd=tmp_path))
    assert again == asked
    assert call("run", *words, *saved, cwd=tmp_path).returncode == 2
    assert call("run", *words, *saved, "--force", cwd=tmp_path).returncode == 0


def test_options_lie_over_a_study(tmp_path: Path) -> None:
    assert call("new", "my.toml", cwd=tmp_path).returncode == 0
    document = parsed(call("run", "my.toml", "--rebalance", "never", "--half-spread-bps", "0", "--json", cwd=tmp_path))
    assert document["study"]["rebalance"]["calendar"] == "never"
    assert document["study"]["costs"]["half_spread_bps"] == 0.0
    assert document["study"]["base"] == {"SP500": 1.0}


def test_new_does_not_overwrite(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text("mine")
    done = call("new", "my.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert "--force" in done.stderr
    assert (tmp_path / "my.toml").read_text() == "mine"


def test_demo_prints_the_summary_and_writes_the_report(tmp_path: Path) -> None:
    done = call("demo", "--output", "my demo.html", cwd=tmp_path)
    assert done.returncode == 0
    for words in ("SAMPLE DATA", "Real: daily closes", "Not real", "returned", "my demo.html", "Try next"):
        assert words in done.stdout
    assert done.stdout.count("  ") > 3
    assert (tmp_path / "my demo.html").stat().st_size > 1_000_000


def test_the_commands_that_demo_suggests_work_as_they_are_printed(tmp_path: Path) -> None:
    shown = call("demo", cwd=tmp_path).stdout.split("Try next:")[1].strip().split("\n\n")[0]
    suggested = [line.strip() for line in shown.splitlines()]
    assert len(suggested) == 3
    for line in suggested:
        command = line.split(" --data ")[0]
        done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stderr)


def test_run_writes_a_report_and_shows_the_same_tables(tmp_path: Path) -> None:
    done = call("run", "SPY=60", "TNA=10", "--half-spread-bps", "0", "--report", "r.html", cwd=tmp_path)
    assert done.returncode == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    for words in ("Ulcer performance index", "Break-even", "30.0%", "Trading costs are zero, by choice"):
        assert words in done.stdout
        assert words in page


def test_funds_lists_filters_and_shows_sources() -> None:
    assert len(parsed(call("funds", "--json"))["funds"]) >= 60
    small = parsed(call("funds", "--index", "russell2000", "--leverage", "-3", "--json"))["funds"]
    assert {fund["symbol"] for fund in small} == {"TZA", "SRTY"}
    shown = call("funds", "UPRO").stdout
    assert "source:" in shown
    assert "ProShares UltraPro S&P500" in shown
    assert "RUSSELL2000" in call("funds", "--indices").stdout


def test_replicate_prints_statements_with_verdicts() -> None:
    document = parsed(call("replicate", "--json"))
    told = [f"A{k}" for k in (*range(1, 17), 18, 19, 20)]
    assert [one["id"] for one in document["statements"]] == told
    known = {"holds", "holds in part", "does not hold", "cannot be told"}
    for one in document["statements"]:
        assert one.keys() >= {"id", "stated", "measured", "verdict", "sentence"}
        assert one["verdict"] in known
    assert "cannot be told" in call("replicate").stdout


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{shlex.quote(sys.executable)} -m alphaoverlay funds --json | head -1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("study", sorted((Path(__file__).parents[2] / "examples").glob("*.toml")), ids=lambda p: p.name)
def test_every_example_study_runs(study: Path, tmp_path: Path) -> None:
    assert parsed(call("run", str(study), "--json", cwd=tmp_path))["portfolio"]["final_value"] > 0.0


@pytest.mark.parametrize("script", sorted((Path(__file__).parents[2] / "examples").glob("*.py")), ids=lambda p: p.name)
def test_every_example_script_runs(script: Path, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_contract_on_real_data(reference_data: Path, tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(
        'start = 2010-02-11\nend = 2021-12-15\nbenchmark = "SPY"\n[base]\nSP500 = 1.0\n[overlay]\nRUSSELL2000 = 0.30\n'
        'NASDAQ100 = -0.30\n[funds]\nallow = ["SPY", "UPRO", "TNA", "SQQQ"]\n[rebalance]\ncalendar = "quarterly"\n'
        'offset = 0\n[costs]\nhalf_spread_bps = 0\n[cash]\nrate = "DFF"\n'
    )
    document = parsed(call("run", "study.toml", "--data", str(reference_data), "--json", cwd=tmp_path))
    assert document["portfolio"]["final_value"] == pytest.approx(3.770342190357, abs=1e-11)
    assert document["data"]["start"] == "2010-02-11"
    assert document["data"]["end"] == "2021-12-15"
