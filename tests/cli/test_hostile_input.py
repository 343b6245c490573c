"""Whatever a user types or a file holds, the answer is one line and exit code 2, or a result; never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.test_commands import call


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"[weights]\nSPY = 1{'0' * 400}\n", "finite"),
        (f"[weights]\nSPY = {'9' * 5000}\n", "bad.toml"),
        ("x = " + "[" * 5000 + "]" * 5000, "bad.toml"),
        ('[weights]\nSPY = 1\n[funds]\nfile = "a\\u0000b"\n', "cannot be read"),
        ("[base]\nSPY = 1\n", "base.SPY: SPY is a fund; exposures are by index, so write SP500 = 1"),
        ("[base]\nSP50 = 1\n", "base.SP50: unknown index. Did you mean SP500?"),
        ("[weights]\nSP500 = 0.7\n", "SP500 is an index, not a fund"),
        ("[weights]\nSPY = 1.2\n", "add up to 1.2"),
    ],
    ids=range(8),
)
def test_a_hostile_study_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    done = call("run", "bad.toml", cwd=tmp_path)
    assert done.returncode == 2, done.stderr[-500:]
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_brackets_in_names_are_names(tmp_path: Path) -> None:
    (tmp_path / "x[").mkdir()
    done = call("demo", "--output", "x[/d].html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-500:]
    assert "x[/d].html" in done.stdout
    done = call("run", "SPY=1", "--save", "[red]q.toml", "--report", "x[/r].html", cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-500:]
    assert "[red]q.toml" in done.stdout


def test_a_terminal_without_dashes_gets_question_marks(tmp_path: Path) -> None:
    done = call("run", "SPY=1", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr[-500:]


def test_series_that_stand_still_are_an_answer(tmp_path: Path) -> None:
    from alphaoverlay.market.calendar import exchange_sessions

    rows = [f"{day:%Y-%m-%d},10,10" for day in exchange_sessions(2020, 2020)]
    (tmp_path / "GSPC.csv").write_text("date,close,adj_close\n" + "\n".join(rows))
    (tmp_path / "own.toml").write_text('[index.FLAT]\nname = "flat"\nprice = ["GSPC"]\n')
    for options in (["--half-spread-bps", "2"], []):
        words = ["FLAT=0.5", "--data", ".", "--funds", "own.toml", "--cash-rate", "0.01", *options]
        done = call("design", *words, cwd=tmp_path)
        assert done.returncode in (0, 2), done.stderr[-500:]
        assert "Traceback" not in done.stderr


def test_words_may_name_the_indices_of_a_fund_file(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        '[index.MINE]\nname = "mine"\nprice = ["GSPC"]\n'
        '[[fund]]\nsymbol = "MY1"\nname = "my fund"\nindex = "MINE"\nleverage = 1\nexpense = 0.1\n'
        "inception = 2000-01-03\n"
    )
    done = call("design", "MINE=0.5", "--funds", "own.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "50% MY1" in done.stdout


def test_a_fixed_rate_works_without_a_start_on_long_histories(reference_data: Path, tmp_path: Path) -> None:
    weights = ["SPY=70", "UPRO=10", "TNA=10", "SQQQ=10"]
    done = call("run", *weights, "--data", str(reference_data), "--cash-rate", "0.02", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_design_without_a_base_is_compared_with_cash(tmp_path: Path) -> None:
    done = call("design", "SP500=-0.5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the benchmark is cash" in done.stdout
    done = call("run", "SP500=-0.5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_tiny_wish_is_noise(tmp_path: Path) -> None:
    done = call("design", "SP500=1", "RUSSELL2000=1e-9", "--allow", "SPY,IWM", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "100% SPY brings" in done.stdout
