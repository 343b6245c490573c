"""The command `signal`, and what other commands make of a study with one: printed, saved, and refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.running import Done, Run
from tests.study.plain_market import DAYS
from tests.study.test_sized_overlay import PRICES, write_prices

# Two years of made prices; the short leg never moves.
PAIR = ("LEAD", "LAG", "--window", "20", "--horizon", "20", "--enter", "10%")
HELD = """\
benchmark = "CORE"
start = 2020-02-27
[weights]
CORE = 0.5
MORE = 0.5
[data]
sources = ["made"]
[cash]
rate = 0.0
"""
SIGNAL = """\
[signal]
long = "LEAD"
short = "LAG"
window = 20
horizon = 20
enter = "10%"
[signal.steps]
"10%" = 0.5
"2%" = 1.0
"""
FEW = ("--resamples", "5")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder of made prices beside a study with a portfolio, and one with a signal alone."""
    write_prices(tmp_path / "made", PRICES)
    (tmp_path / "tactical.toml").write_text(HELD + SIGNAL)
    (tmp_path / "only.toml").write_text(SIGNAL + '[data]\nsources = ["made"]\n')
    return tmp_path


def one_line(done: Done, *said: str) -> None:
    """A mistake: exit code 2, nothing printed, one line."""
    assert (done.status, done.out) == (2, ""), done.err[-300:]
    assert len(done.err.strip().splitlines()) == 1
    for words in said:
        assert words in done.err


# --- printed ---


def test_one_document_and_the_same_as_tables(run: Run, made: Path) -> None:
    document = run("signal", *PAIR, "--data", "made", *FEW, "--json").document
    assert list(document)[:6] == ["schema", "version", "asof", "study", "data", "notes"]
    value = document["relative_value"]
    assert {"difference", "annualised", "percentile_all", "percentile_20y", "zscore", "extremes"} <= value.keys()
    assert {"drawdown", "peak_date", "state"} <= document["correction"].keys()
    assert {"episodes_independent", "mean_after", "interval", "p_value", "verdict"} <= document["evidence"].keys()
    assert document["study"]["signal"] == {"long": "LEAD", "short": "LAG", "window": 20, "horizon": 20, "enter": 0.1}
    assert document["evidence"]["resamples"] == 5
    done = run("signal", *PAIR, "--data", "made", *FEW, "--report", "signal.html")
    assert (done.status, done.err) == (0, "")
    said, page = " ".join(done.out.split()), (made / "signal.html").read_text(encoding="utf-8")
    for words in ("LEAD against LAG", "Does it work?", "Corrections of LEAD", "Past extremes", "A little otherwise"):
        assert words in page
    for words in ("LEAD against LAG", "Corrections of LEAD", "Past extremes", "Independent episodes"):
        assert words in said
    assert document["evidence"]["sentence"] in said
    for episode in document["episodes"]:
        assert episode["entry"] in said
    assert "Report written to signal.html" in done.out
    for word in (" nan", "None", "inf "):
        assert word not in said


def test_a_study_and_its_words_are_read_alike(run: Run, made: Path) -> None:
    ours = run("signal", "only.toml", *FEW, "--json").document
    theirs = run("signal", "tactical.toml", *FEW, "--cash-rate", "0.0", "--json").document
    for document in (ours, theirs):
        document.pop("study")
        document["notes"] = [note for note in document["notes"] if "Rate changes" not in note]
    assert ours == theirs


def test_options_lie_over_a_study(run: Run, made: Path) -> None:
    words = ["--enter", "8%", "--exit", "0.4", "--lookback", "300", "--window", "30", "--horizon", "10", *FEW, "--json"]
    (made / "plain.toml").write_text(SIGNAL.partition("[signal.steps]")[0] + '[data]\nsources = ["made"]\n')
    signal = run("signal", "plain.toml", *words).document["study"]["signal"]
    assert {key: signal[key] for key in ("enter", "exit", "lookback", "window", "horizon")} == {
        "enter": 0.08, "exit": 0.4, "lookback": 300, "window": 30, "horizon": 10
    }  # fmt: skip
    one_line(run("signal", "only.toml", *words), "signal: steps at 0.1, 0.02", "the entry, 0.08")


@pytest.mark.parametrize(("word", "lookback"), [("all", None), ("20y", 5040), ("252", 252)])
def test_a_lookback_in_words(run: Run, made: Path, word: str, lookback: int | None) -> None:
    document = run("signal", *PAIR, "--data", "made", *FEW, "--lookback", word, "--json").document
    assert document["study"]["signal"].get("lookback") == lookback


def test_names_are_read_in_any_case(run: Run, made: Path) -> None:
    ours = run("signal", "lead", "Lag", *PAIR[2:], "--data", "made", *FEW, "--json")
    assert ours == run("signal", *PAIR, "--data", "made", *FEW, "--json")


def test_two_runs_are_the_same_to_the_byte_and_the_seed_decides(run: Run, made: Path) -> None:
    words = ("signal", *PAIR, "--data", "made", "--resamples", "80", "--json", "--seed")
    one, other, third = run(*words, "3"), run(*words, "3"), run(*words, "4")
    assert one.out == other.out != third.out
    assert one.document["evidence"]["seed"] == 3


def test_no_resamples_is_no_p_value(run: Run, made: Path) -> None:
    evidence = run("signal", *PAIR, "--data", "made", "--resamples", "0", "--json").document["evidence"]
    assert evidence["p_value"] is evidence["interval"] is None
    assert evidence["verdict"] == "cannot be told"
    done = run("signal", *PAIR, "--data", "made", "--resamples", "0")
    assert evidence["sentence"] in " ".join(done.out.split())


def test_asof_looks_at_nothing_later(run: Run, made: Path) -> None:
    """The files go on, stop, or go on at absurd prices: the same document but for the folder."""
    at = 430
    write_prices(made / "cut", PRICES, last=at + 1)
    odd = {name: lambda t, p=p: p(t) if t <= at else 10.0 ** (9 if t % 2 else -9) for name, p in PRICES.items()}
    write_prices(made / "odd", odd)
    said = []
    for folder in ("made", "cut", "odd"):
        document = run("signal", *PAIR, "--data", folder, *FEW, "--asof", f"{DAYS[at]}", "--json").document
        assert document["asof"] == f"{DAYS[at]}"
        said.append(json.dumps(document).replace(f'"{folder}"', '"FOLDER"').replace(f" {folder}", " FOLDER"))
        said[-1] = said[-1].replace(f"in FOLDER and {folder}/", "in FOLDER and FOLDER/")
    assert said[0] == said[1] == said[2]
    assert run("signal", *PAIR, "--data", "made", "--asof", "2020-10-17", *FEW).status == 0  # a Saturday
    late = run("signal", *PAIR, "--data", "made", "--asof", "2030-01-02", *FEW)
    assert "before the asked 2030-01-02" in " ".join(late.out.split())


def test_the_sample_is_enough_to_try_it(run: Run) -> None:
    words = ("RUSSELL2000", "NASDAQ100", "--basis", "total", "--resamples", "2")
    document = run("signal", *words, "--json").document
    assert any("SAMPLE DATA" in note for note in document["notes"])
    assert document["relative_value"]["basis"] == "total"


# --- other commands on such a study ---


@pytest.mark.parametrize("command", ["run", "design", "rules", "alternatives"])
def test_a_signal_alone_is_nothing_to_hold(run: Run, made: Path, command: str) -> None:
    one_line(run(command, "only.toml"), "nothing to hold", "[base]", "[weights]")


def test_a_tactical_study_runs_and_is_saved_as_itself(run: Run, made: Path) -> None:
    asked = run("run", "tactical.toml", "--save", "again.toml", "--json").document
    assert asked["signal"]["changes"] == 5
    assert any(note.startswith("The overlay's size follows LEAD against LAG") for note in asked["notes"])
    assert run("run", "again.toml", "--json").document == asked
    done = run("run", "tactical.toml")
    assert (done.status, done.err) == (0, "")
    assert "sized by LEAD against LAG" in " ".join(done.out.split())
    design = run("design", "tactical.toml", "--json").document
    assert design["weights"] == {"CORE": 0.5, "MORE": 0.5}


def test_rules_work_on_it_and_alternatives_say_why_not(run: Run, made: Path) -> None:
    document = run("rules", "tactical.toml", "--json").document
    assert any(note.startswith("The overlay's size follows LEAD against LAG") for note in document["notes"])
    one_line(run("alternatives", "tactical.toml"), "signal: ", 'role = "watch"')


def test_a_signal_that_ends_too_early_stops_the_run_and_names_the_end(run: Run, made: Path) -> None:
    write_prices(made / "made", {"LEAD": PRICES["LEAD"]}, last=450)
    one_line(run("run", "tactical.toml"), "the signal is known to 2020-10-13", "write end = 2020-10-13")
    assert run("run", "tactical.toml", "--end", "2020-10-13", "--json").document["signal"]["last_size"] == 1.0


# --- mistakes ---


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Missing argument"),
        (["LEAD"], "neither a study (a .toml file) nor a pair; write for example: alphaoverlay signal RUT IXIC"),
        (["LEAD", "LAG", "CORE"], "neither a study (a .toml file) nor a pair"),
        (["LEAD", "lead"], "long and short are both LEAD; name two"),
        (["gone.toml"], "no study at gone.toml"),
        (["made"], "no study at made"),
        (["LEAD", ""], "signal.short: write a symbol or an index"),
        (["LAED", "LAG"], "LAED is neither an index"),
        (["LEAD=1", "LAG=2"], "LEAD=1 is neither an index"),
        (["../LEAD", "LAG"], "../LEAD is neither an index"),
        (["LEAD?L=2", "LAG"], "LEAD?L=2: a ticker with terms has no history of its own"),
        ([*PAIR, "--asof", "2020-13-01"], "asof: '2020-13-01' is not a date; write it as YYYY-MM-DD"),
        ([*PAIR, "--asof", "soon"], "asof: 'soon' is not a date"),
        ([*PAIR, "--asof", "2018-06-29"], "the data do not overlap the asked span (the beginning to 2018-06-29)"),
        ([*PAIR, "--asof", "2019-01-10"], "a window of 20 needs 21"),
        (["LEAD", "LAG", "--window", "505"], "505 common sessions"),
        (["LEAD", "LAG"], "a window of 756 needs 757"),
        ([*PAIR, "--window", "3"], "signal.window: must be greater than or equal to 20"),
        ([*PAIR, "--window", "year"], "--window"),
        ([*PAIR, "--basis", "close"], "signal.basis: must be 'price' or 'total'"),
        ([*PAIR, "--lookback", "20 years"], "signal.lookback"),
        ([*PAIR, "--lookback", "251"], "signal.lookback: must be greater than or equal to 252"),
        ([*PAIR, "--lookback", "-252"], "signal.lookback"),
        ([*PAIR, "--lookback", ""], "signal.lookback"),
        ([*PAIR, "--enter", "5"], "signal.enter: must be less than or equal to 1"),
        ([*PAIR, "--enter", "low"], "signal.enter: write a number"),
        ([*PAIR, "--exit", "10%"], "enter and exit are both 0.1"),
        ([*PAIR, "--horizon", "0"], "signal.horizon: must be greater than or equal to 1"),
        ([*PAIR, "--resamples", "-1"], "--resamples"),
        ([*PAIR, "--resamples", "100001"], "resamples = 100001: write 0 to 100,000"),
        ([*PAIR, "--seed", "-1"], "--seed"),
        ([*PAIR, "--open"], "--open opens a report; name its file with --report FILE"),
        ([*PAIR, "--accept", "old"], "no finding is called 'old'"),
        ([*PAIR, "--report", "gone/signal.html", *FEW], "gone"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_one_line_and_exit_code_2(run: Run, made: Path, words: list[str], said: str) -> None:
    before = sorted(made.iterdir())
    one_line(run("signal", *words, "--data", "made"), said)
    assert sorted(made.iterdir()) == before


@pytest.mark.parametrize("text", ["[signal]\nlong = 1\n", "[signal]\n", "signal = 3\n", '[signal]\nlong = "LEAD"\n'])
def test_a_study_with_a_broken_table_names_its_file(run: Run, made: Path, text: str) -> None:
    (made / "bad.toml").write_text(text)
    one_line(run("signal", "bad.toml", "--data", "made"), "bad.toml: signal")


def test_a_study_without_a_signal_is_told_what_to_write(run: Run, made: Path) -> None:
    (made / "plain.toml").write_text(HELD)
    one_line(run("signal", "plain.toml"), "no [signal] in the study", 'long = "RUT"')


def test_a_folder_with_a_bad_price_names_the_line(run: Run, made: Path) -> None:
    rows = (made / "made" / "LEAD.csv").read_text().splitlines()
    rows[10] = f"{DAYS[9]},-1,-1"
    (made / "made" / "LEAD.csv").write_text("\n".join(rows))
    one_line(run("signal", *PAIR, "--data", "made", *FEW), "LEAD.csv, line 11", "prices are above zero")


def test_a_hole_is_refused_and_may_be_accepted(run: Run, made: Path) -> None:
    rows = (made / "made" / "LEAD.csv").read_text().splitlines()
    (made / "made" / "LEAD.csv").write_text("\n".join(rows[:100] + rows[101:]))
    one_line(run("signal", *PAIR, "--data", "made", *FEW), "1 session missing", "--accept gap")
    document = run("signal", *PAIR, "--data", "made", *FEW, "--accept", "gap", "--json").document
    assert any(note.startswith("ACCEPTED as gap") for note in document["notes"])


def test_findings_may_be_accepted_with_commas(run: Run, made: Path) -> None:
    assert run("run", "CORE=100", "--data", "made", "--cash-rate", "0", "--accept", "stale,gap", "--json").status == 0
    assert run("signal", *PAIR, "--data", "made", *FEW, "--accept", "stale,gap", "--json").status == 0


def test_a_lookback_that_only_looks_like_digits_is_refused(run: Run, made: Path) -> None:
    one_line(run("signal", *PAIR, "--data", "made", *FEW, "--lookback", "²"), "signal.lookback")


def test_a_seed_that_is_too_large_is_refused(run: Run, made: Path) -> None:
    one_line(run("signal", *PAIR, "--data", "made", *FEW, "--seed", str(2**64)), "seed")


@pytest.mark.parametrize("twin", ["^LEAD", "lead "])
def test_the_same_symbol_twice_is_refused_however_it_is_spelt(run: Run, made: Path, twin: str) -> None:
    one_line(run("signal", "LEAD", twin, *PAIR[2:], "--data", "made", *FEW), "both LEAD")
