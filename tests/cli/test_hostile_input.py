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


def test_a_report_never_replaces_something_that_is_no_report(tmp_path: Path) -> None:
    assert call("new", "my.toml", cwd=tmp_path).returncode == 0
    before = (tmp_path / "my.toml").read_text()
    done = call("run", "my.toml", "--report", "my.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert "exists already" in done.stderr
    assert (tmp_path / "my.toml").read_text() == before
    refused = call("demo", "--output", "my.toml", cwd=tmp_path)
    assert refused.returncode == 2
    assert "--force" in refused.stderr  # and demo has that option
    assert call("demo", "--output", "my.toml", "--force", cwd=tmp_path).returncode == 0
    assert call("new", "my.toml", "--force", cwd=tmp_path).returncode == 0
    for _ in range(2):  # an earlier report may be written again
        assert call("run", "my.toml", "--report", "r.html", cwd=tmp_path).returncode == 0


def test_a_benchmark_may_be_a_mix(tmp_path: Path) -> None:
    done = call("run", "SPY=60", "TNA=10", "--benchmark", "SPY=60,IWM=40", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "benchmark (60% SPY, 40% IWM)" in " ".join(done.stdout.split())


def test_a_price_index_and_a_short_series_are_named(reference_data: Path, tmp_path: Path) -> None:
    (tmp_path / "prices").mkdir()
    for symbol in ("SPY", "UPRO", "GSPC"):
        rows = (reference_data / "prices" / f"{symbol}.csv").read_text().splitlines()
        kept = [row for row in rows if symbol != "UPRO" or row < "2017-06-03" or row.startswith("date")]
        (tmp_path / "prices" / f"{symbol}.csv").write_text("\n".join(kept))
    words = ["SPY=70", "UPRO=10", "--benchmark", "GSPC", "--start", "2010-02-11", "--cash-rate", "0.01"]
    done = call("run", *words, "--data", ".", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "GSPC is a price index: its dividends are missing" in said
    assert "The span ends on 2017-06-02 because the prices of UPRO do" in said
