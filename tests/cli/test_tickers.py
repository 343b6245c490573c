"""Tickers with terms wherever the command line and a study take a symbol."""

from __future__ import annotations

import math
import tomllib
from datetime import date
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest
from tests import second_opinion
from tests.cli.running import Run
from tests.cli.test_commands import call

FREE = ("--half-spread-bps", "0")


def calibrated(index: str, side: str) -> float:
    """The packaged spread, read without the code under test."""
    rows = tomllib.loads((files("alphaoverlay.funds") / "spreads.toml").read_text(encoding="utf-8"))["spread"]
    [found] = [float(row["spread"]) for row in rows if (row["index"], row["side"]) == (index, side)]
    return found


# --- run ---


def test_run_takes_a_ticker_in_the_place_of_a_symbol(run: Run) -> None:
    document = run("run", "spy?e=0.910&l=+3=33", "--json").document
    assert document["study"]["weights"] == {"SPY?L=3&E=0.91": 0.33}
    design = document["design"]
    assert design["exposures"] == {"SP500": 0.99}
    assert design["cash"] == 0.67
    assert design["spreads"]["SPY?L=3&E=0.91"]["spread"] == calibrated("SP500", "long")
    assert "Synthetic throughout: SPY?L=3&E=0.91, SPY (built by M1, not observed)." in document["notes"]
    assert not any("no E was given" in note for note in document["notes"])


def test_what_a_result_must_say_of_a_ticker_is_said(run: Run) -> None:
    notes = run("run", "SPY?L=-3&SP=0.4=20", "QQQ?L=2&E=1=20", "--json").document["notes"]
    assert any("SP=0.4 on this side is a credit of 1.6% a year" in note for note in notes)
    assert any("SPY?L=-3&SP=0.4: no E was given" in note for note in notes)
    assert not any("QQQ?L=2&E=1:" in note for note in notes)


def test_one_time_a_holding_is_the_holding(run: Run) -> None:
    options = ["--benchmark", "QQQ", *FREE, "--json"]
    plain, same = (run("run", word, *options).document for word in ("SPY=60", "SPY?L=1=60"))
    assert same["portfolio"] == plain["portfolio"]
    assert same["active"] == plain["active"]
    assert same["design"]["carry"] == plain["design"]["carry"]


def test_carry_looks_through_a_leveraged_holding(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        '[[fund]]\nsymbol = "MY3"\nname = "mine"\nindex = "SP500"\nleverage = 3\nexpense = 1.0\nspread = 0.5\n'
    )
    words = ["MY3?L=2&E=0.6&SP=0.4=50", "--funds", "own.toml", "--cash-rate", "0.03", "--json"]
    design = run("run", *words).document["design"]
    assert design["exposures"] == {"SP500": 3.0}
    assert design["rate"] == 0.03
    assert design["carry"]["financing"] == pytest.approx(-0.5 * 5 * 0.03)
    assert design["carry"]["spread"] == pytest.approx(-0.5 * (0.004 + 2 * 2 * 0.005))
    assert design["carry"]["expense"] == pytest.approx(-0.5 * (0.006 + 2 * 0.01))
    assert design["carry"]["cash"] == pytest.approx(0.5 * 0.03)


def test_a_study_says_the_same_as_the_words(run: Run, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(
        'benchmark = "spy?l=2"\n[weights]\n"spy?e=0.91&l=3" = 0.33\n"QQQ?L=-1&E=0.9" = 0.2\n'
    )
    written = run("run", "my.toml", "--json").document
    words = ["SPY?L=3&E=0.91=33%", "QQQ?L=-1&E=0.9=20%", "--benchmark", "SPY?L=2"]
    assert run("run", *words, "--json").document == written
    assert written["study"]["weights"] == {"SPY?L=3&E=0.91": 0.33, "QQQ?L=-1&E=0.9": 0.2}


def test_the_table_of_a_benchmark_takes_tickers(run: Run, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('[weights]\nSPY = 1.0\n[benchmark]\n"spy?l=2.0" = 0.6\n"QQQ?E=0.2" = 0.4\n')
    document = run("run", "my.toml", "--json").document
    assert document["design"]["benchmark"] == {"SPY?L=2": 0.6, "QQQ?E=0.2": 0.4}


@pytest.mark.parametrize(
    ("benchmark", "weights"),
    [
        ("SPY?L=2", {"SPY?L=2": 1.0}),
        ("spy?ue", {"SPY?UE": 1.0}),
        ("SPY?L=2&UE=0.09", {"SPY?L=2&UE=0.09": 1.0}),
        ("IWM?FB=(IWM?L=2)", {"IWM?FB=(IWM?L=2)": 1.0}),
        ("SPY?L=2=60", {"SPY?L=2": 0.6}),
        ("SPY?L=2=60,QQQ=40", {"SPY?L=2": 0.6, "QQQ": 0.4}),
        ("SPY=60,QQQ?L=2&UE=40", {"SPY": 0.6, "QQQ?L=2&UE": 0.4}),
        ("SPY?L=2&E=0.9=60,QQQ?L=-1&SP=-0.1&E=0.9=40", {"SPY?L=2&E=0.9": 0.6, "QQQ?L=-1&E=0.9&SP=-0.1": 0.4}),
    ],
)
def test_a_benchmark_is_a_ticker_or_weights_of_tickers(run: Run, benchmark: str, weights: dict[str, float]) -> None:
    document = run("run", "RUSSELL2000?L=1=100", "--benchmark", benchmark, "--json").document
    assert document["design"]["benchmark"] == document["study"]["benchmark"] == weights


@pytest.mark.parametrize(
    ("benchmark", "weights"),
    [
        ("SPY?UE&L=2=60", {"SPY?L=2&UE": 0.6}),
        ("SPY?L=2&UE=60", {"SPY?L=2&UE": 0.6}),
        ("SPY?FB=SPY=60", {"SPY?FB=SPY": 0.6}),
    ],
)
def test_one_benchmark_with_a_weight_may_have_any_terms(run: Run, benchmark: str, weights: dict[str, float]) -> None:
    document = run("run", "QQQ=100", "--benchmark", benchmark, "--json").document
    assert document["design"]["benchmark"] == weights


# --- design ---


def test_a_design_may_use_tickers_that_it_is_allowed(run: Run, tmp_path: Path) -> None:
    typed_out = run("design", "SP500=1", "--allow", "spy?e=0.91&l=3,SH", "--json").document
    assert typed_out["weights"] == {"SPY?L=3&E=0.91": pytest.approx(1 / 3)}
    assert typed_out["exposures"] == {"SP500": pytest.approx(1.0)}
    allow = '["spy?l=3&e=0.91", "SPY?E=.91&L=3.0", "SH"]'
    (tmp_path / "my.toml").write_text(f"[base]\nSP500 = 1.0\n[funds]\nallow = {allow}\n")
    written = run("design", "my.toml", "--json").document
    assert written == typed_out
    assert written["study"]["funds"]["allow"] == ["SPY?L=3&E=0.91", "SH"]
    assert run("run", "my.toml", "--json").document["design"]["weights"] == written["weights"]


@pytest.mark.parametrize(("cheap", "dear"), [("SP=-0.1", "SP=-0.4"), ("SP=0.4", "SP=0"), ("E=0.5", "E=0.6")])
def test_a_design_takes_the_cheaper_of_two_tickers(run: Run, cheap: str, dear: str) -> None:
    allow = f"SPY?L=-1&{dear},SPY?L=-1&{cheap}"
    found = run("design", "SP500=-0.5", "--allow", allow, "--json").document["weights"]
    assert found == {f"SPY?L=-1&{cheap}": 0.5}


def test_a_design_counts_what_more_swaps_cost(run: Run) -> None:
    # At 5% half as many swaps again cost 2.5% a year more, and save 0.1% of expense.
    allow = "SPY?L=2&E=0.5&SP=0&SW=1.5,SPY?L=2&E=0.6&SP=0"
    found = run("design", "SP500=1", "--allow", allow, "--cash-rate", "0.05", "--json").document["weights"]
    assert found == {"SPY?L=2&E=0.6&SP=0": 0.5}


# --- save ---


def test_what_is_saved_runs_again_to_the_same(run: Run, tmp_path: Path) -> None:
    words = [
        "spy?e=0.91&l=3=33",
        "IWM?fb=(spy?ue)=20",
        "--benchmark",
        "spy?l=2=60,qqq?ue=0.2=40",
        "--rebalance",
        "monthly",
    ]
    asked = run("run", *words, "--save", "my.toml", "--json").document
    saved = tomllib.loads((tmp_path / "my.toml").read_text(encoding="utf-8"))
    assert saved["weights"] == {"SPY?L=3&E=0.91": 0.33, "IWM?FB=(SPY?UE)": 0.2}
    assert saved["benchmark"] == {"SPY?L=2": 0.6, "QQQ?UE=0.2": 0.4}
    assert run("run", "my.toml", "--json").document == asked


def test_a_saved_design_keeps_its_tickers(run: Run) -> None:
    words = ["SP500=1", "RUSSELL2000=0.3", "--allow", "SPY?L=3&E=0.91,IWM?L=2&PRESET=web", "--benchmark", "SPY?L=1"]
    asked = run("run", *words, "--save", "my.toml", "--json").document
    assert run("run", "my.toml", "--json").document == asked


def test_a_report_shows_a_ticker_as_text(run: Run, tmp_path: Path) -> None:
    done = run("run", "SPY?L=3&E=0.91=33", "--report", "r.html")
    assert done.status == 0
    assert "33% SPY?L=3&E=0.91, 67% cash" in done.out
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "SPY?L=3&amp;E=0.91</td>" in page


# --- funds, delever, track ---


def test_funds_shows_what_a_ticker_is(run: Run) -> None:
    done = run("funds", "spy?l=3")
    assert done.status == 0
    for said in ("SPY?L=3", "+3x SP500", "synthetic", "calibrated: on ", "no E was given"):
        assert said in done.out
    [fund] = run("funds", "spy?l=-3&e=0.9&sp=-0.4", "--json").document["funds"]
    assert (fund["symbol"], fund["leverage"], fund["exposures"]) == ("SPY?L=-3&E=0.9&SP=-0.4", -3.0, {"SP500": -3.0})
    assert (fund["expense"], fund["spread"]) == (pytest.approx(0.009), pytest.approx(0.004))
    assert fund["multiple"]["of"]["symbol"] == "SPY"
    [index] = run("funds", "gold?l=2", "--json").document["funds"]
    assert index["exposures"] == {"GOLD": 2.0}


def test_funds_filters_tickers_too(run: Run) -> None:
    listed = run("funds", "SPY?L=3", "QQQ?L=3", "SPY?L=2", "--index", "SP500", "--leverage", "3", "--json").document
    assert [fund["symbol"] for fund in listed["funds"]] == ["SPY?L=3"]


def test_funds_does_not_say_that_a_double_borrows_nothing(run: Run) -> None:
    done = run("funds", "NTSX?L=2")
    assert done.status == 0
    assert "borrows nothing" not in done.out


def test_delever_takes_a_ticker(run: Run) -> None:
    document = run("delever", "spy?e=0.91&l=3", "--json").document
    assert document["fund"] == "SPY?L=3&E=0.91"
    assert document["weight"] == pytest.approx(1 / 3)
    assert document["synthetic_until"] == document["end"]
    assert math.fsum(document["parts"].values()) == pytest.approx(document["gap"], abs=1e-12)
    assert document["gap"] == pytest.approx(math.log(document["final_value"] / document["index_final_value"]))
    assert document["parts"]["slippage"] == pytest.approx(0.0, abs=1e-12)  # nothing in the sample is real
    years = (date.fromisoformat(document["end"]) - date.fromisoformat(document["start"])).days / 365
    assert document["parts"]["expense"] == pytest.approx(-(0.0091 + 3 * 0.000945) / 3 * years, rel=0.1)


def test_delever_of_an_inverse_ticker_is_against_the_index_sold_short(run: Run) -> None:
    done = run("delever", "SPY?L=-2&E=0.9")
    assert done.status == 0
    assert "50.0% SPY?L=-2&E=0.9 and cash against -1x SP500" in done.out


def test_delever_survives_a_ticker_that_is_ruined(run: Run) -> None:
    # The sample's Nasdaq rose 14% on 2001-01-03: ten times short loses all.
    document = run("delever", "QQQ?L=-10&E=1", "--json").document
    assert all(math.isfinite(gap) for gap in document["by_offset"])


def test_track_measures_against_tickers(run: Run, reference_data: Path) -> None:
    words = [
        "--data",
        str(reference_data),
        "--start",
        "2018-01-02",
        "--end",
        "2018-12-31",
        "--against",
        "spy?e=.91&l=3",
    ]
    done = run("track", "UPRO", *words)
    assert done.status == 0, done.err
    assert "SPY?L=3&E=0.91" in done.out


# --- against the second opinion ---

START, END = "2010-02-11", "2021-12-15"


def test_a_backtest_of_tickers_equals_the_second_opinion(run: Run, reference_data: Path) -> None:
    terms = {"SPY": (3.0, 0.0091, calibrated("SP500", "long"), 1.0), "QQQ": (-2.0, 0.0095, 0.005, 1.2)}
    words = ["SPY?L=3&E=0.91=33", "QQQ?L=-2&E=0.95&SP=-0.5&SW=1.2=20", "--rebalance", "monthly", "--start", START]
    document = run("run", *words, "--end", END, *FREE, "--data", str(reference_data), "--json").document

    prices = {name: second_opinion.read_prices(reference_data / "prices" / f"{name}.csv") for name in terms}
    exchange = sorted(prices["SPY"])
    sessions = [day for day in exchange if START <= day.isoformat() <= END]
    accruals = second_opinion.financing(second_opinion.read_rates(reference_data / "DFF.csv"), sessions)
    returns = []
    for name, (L, expense, spread, swap) in terms.items():
        moves = second_opinion.total_returns(prices[name], sessions)
        nights = zip(moves[1:], accruals[1:], strict=True)
        returns.append(
            [
                0.0,
                *(second_opinion.daily_reset(x, L, c, d, d * 360 / 365, expense, spread, swap) for x, (c, d) in nights),
            ]
        )
    month_ends = second_opinion.period_ends(exchange, "monthly")
    marks = [day in month_ends for day in sessions]
    second = second_opinion.run(returns, [c * d for c, d in accruals], [0.33, 0.2], marks, [0.0, 0.0])
    assert document["portfolio"]["final_value"] == pytest.approx(second["value"][-1], rel=1e-10)
    assert (document["data"]["start"], document["data"]["end"]) == (START, END)


def test_a_filled_fund_equals_the_second_opinion(run: Run, reference_data: Path) -> None:
    words = ["UPRO?FB=(SPY?L=3&E=0.95&SP=0.4)=100", "--start", "2005-01-03", "--end", "2012-12-31"]
    document = run("run", *words, *FREE, "--data", str(reference_data), "--json").document

    prices = {name: second_opinion.read_prices(reference_data / "prices" / f"{name}.csv") for name in ("SPY", "UPRO")}
    sessions = [day for day in sorted(prices["SPY"]) if "2005-01-03" <= day.isoformat() <= "2012-12-31"]
    accruals = second_opinion.financing(second_opinion.read_rates(reference_data / "DFF.csv"), sessions)
    value = 1.0
    for (before, today), (c, d) in zip(pairwise(sessions), accruals[1:], strict=True):
        if before in prices["UPRO"]:
            value *= prices["UPRO"][today][1] / prices["UPRO"][before][1]
        else:
            x = prices["SPY"][today][1] / prices["SPY"][before][1] - 1
            value *= 1 + second_opinion.daily_reset(x, 3.0, c, d, d * 360 / 365, 0.0095, 0.004)
    assert document["portfolio"]["final_value"] == pytest.approx(value, rel=1e-10)
    name = "UPRO?FB=(SPY?L=3&E=0.95&SP=0.4)"
    [said] = [note for note in document["notes"] if note.startswith(f"{name}: before the first price of UPRO")]
    assert "SPY?L=3&E=0.95&SP=0.4" in said


# --- what data it needs ---


def folder(place: Path, **prices: tuple[str, str, float]) -> list[str]:
    """Write a price file a symbol, from a day to a day at a daily growth, and return the options that read them."""
    from alphaoverlay.market.calendar import exchange_sessions

    days = [f"{day:%Y-%m-%d}" for day in exchange_sessions(2019, 2021)]
    for symbol, (first, last, growth) in prices.items():
        level, rows = 100.0, ["date,close,adj_close"]
        for day in (day for day in days if first <= day <= last):
            rows.append(f"{day},{level!r},{level!r}")
            level *= growth
        (place / f"{symbol}.csv").write_text("\n".join(rows))
    return ["--data", ".", "--cash-rate", "0.01", "--json"]


WHOLE = ("2019-01-02", "2021-12-31")


@pytest.mark.parametrize("filling", ["SP500", "VFINX", "(SP500?L=2)", "SSO"])
def test_a_filling_that_is_built_from_another_index_fills(run: Run, tmp_path: Path, filling: str) -> None:
    options = folder(tmp_path, TLT=("2020-06-01", WHOLE[1], 1.0), SP500TR=(*WHOLE, 1.001))
    document = run("run", f"TLT?FB={filling}=100", "--benchmark", "TLT?FB=SP500TR", *options).document
    assert document["data"]["start"] == "2019-01-02"


def test_a_filling_with_prices_fills(run: Run, tmp_path: Path) -> None:
    options = folder(tmp_path, TLT=("2020-06-01", WHOLE[1], 1.0), QQQ=(*WHOLE, 1.001), OTHER=(*WHOLE, 1.0))
    document = run("run", "TLT?FB=QQQ=100", "--benchmark", "OTHER", *FREE, *options).document
    assert document["data"]["start"] == "2019-01-02"
    # 356 sessions from 2019-01-02 to 2020-06-01, of which the first earns nothing.
    nights = document["portfolio"]["final_value"]
    assert math.log(nights) / math.log(1.001) == pytest.approx(355, abs=1e-6)


def test_a_multiple_of_a_price_index_says_that_dividends_are_missing(run: Run) -> None:
    said = [" ".join(run("run", word, "--json").document["notes"]) for word in ("GSPC=60", "GSPC?L=2&E=1=60")]
    assert "its dividends are missing" in said[0]
    assert "its dividends are missing" in said[1]


def test_missing_data_are_asked_for_by_the_holdings_name(run: Run) -> None:
    done = run("run", "TLT?L=2&E=1=50")
    assert done.status == 2
    assert "TLT.csv" in done.err
    assert "TLT?L=2&E=1.csv" not in done.err


def test_a_span_that_the_holdings_prices_end_says_so(run: Run, tmp_path: Path) -> None:
    options = folder(tmp_path, SPY=("2019-01-02", "2020-06-01", 1.001), SP500TR=(*WHOLE, 1.001))
    plain, multiple = (
        [note for note in run("run", word, "--benchmark", "SP500TR", *options).document["notes"] if "ends on" in note]
        for word in ("SPY=50", "SPY?L=2&E=1=50")
    )
    assert "because the prices of SPY do" in plain[0]
    assert "index series" not in multiple[0]


def test_without_synthetic_returns_a_ticker_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('[weights]\n"SPY?L=3" = 0.3\n[funds]\nsynthetic = false\n')
    done = run("run", "my.toml")
    assert done.status == 2
    assert "SPY?L=3 is synthetic by its terms" in done.err


# --- mistakes ---


@pytest.mark.parametrize(
    ("words", "character", "said"),
    [
        (["run", "SPY?L=3x=33"], 8, "L needs a number"),
        (["run", "SPY?L=33=33"], 7, "L must lie between -10 and 10"),
        (["run", "SPY?X=3=33"], 5, "unknown key X"),
        (["run", "SPY?L=3&FB=(QQQ=33"], 12, "this parenthesis is not closed"),
        (["run", "SPY=1", "--benchmark", "SPY?L=3x"], 8, "L needs a number"),
        (["run", "SPY=1", "--benchmark", "SPY?L=3x=60,TLT=40"], 8, "L needs a number"),
        (["run", "SP500=1", "--allow", "SPY,SPY?E=%"], 7, "E needs a number"),
        (["design", "SP500=1", "--allow", "SPY?L"], 5, "L needs a value"),
        (["funds", "SPY?PRESET=wob"], 12, "unknown preset WOB"),
        (["delever", "SPY?L=3&L=2"], 9, "L stands twice"),
        (["track", "SPY?L=x"], 7, "L needs a number"),
        (["calibrate", "SPY?L=x"], 7, "L needs a number"),
        (["run", "bad.toml"], 8, "L needs a number"),
        (["run", "benchmark.toml"], 8, "SW needs a number"),
        (["run", "allow.toml"], 5, "unknown key Q"),
    ],
)
def test_a_ticker_that_cannot_be_read_is_marked(
    run: Run, tmp_path: Path, words: list[str], character: int, said: str
) -> None:
    (tmp_path / "bad.toml").write_text('[weights]\n"SPY?L=3x" = 0.3\n')
    (tmp_path / "benchmark.toml").write_text('benchmark = "SPY?SW=x"\n[weights]\nSPY = 0.3\n')
    (tmp_path / "allow.toml").write_text('[base]\nSP500 = 1.0\n[funds]\nallow = ["SPY", "SPY?Q=1"]\n')
    done = run(*words)
    assert done.status == 2
    assert done.out == ""
    first, shown, caret = done.err.rstrip("\n").split("\n")
    assert first.startswith("alphaoverlay: ")
    assert "ticker " in first
    assert f", character {character}: " in first
    assert said in first
    assert shown.startswith("  ")
    assert caret == " " * (character + 1) + "^"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "NOSUCH?L=3=33"], "unknown symbol 'NOSUCH'"),
        (["run", "SPY?FB=NOSUCH=33"], "unknown symbol 'NOSUCH'"),
        (["run", "SP500?UE=33"], "the expense ratio of SP500 is not known"),
        (["run", "SPY=1", "--benchmark", "SPY?L=2,TLT=40"], "without a weight"),
        (["run", "TLT=40", "SPY?L=3"], "without a weight"),
        (["run", "SPY?L=3=", "TLT=40"], "write NAME=NUMBER"),
        (["run", "SPY?L=3=x"], "SPY?L=3: write a number"),
        (["run", "SPY?L=3=-5"], "SPY?L=3 = -5 is negative"),
        (["run", "SPY?L=3=1e999"], "write a finite number"),
        (["run", "SPY?L=3=60", "SPY=60"], "add up to 1.2, more than 1"),
        (["run", "SP500=1", "SPY?L=3=60"], "SP500 is an index and SPY?L=3 not"),
        (["funds", "NOSUCH?L=3"], "unknown fund 'NOSUCH'"),
        (["delever", "SPY?L=0.5"], "only a fund of more than one time a single index"),
        (["delever", "SPY?L=1"], "only a fund of more than one time a single index"),
        (["track", "SPY?L=3"], "is a synthetic ticker and has no real history"),
        (["calibrate", "SPY?L=3"], "is a synthetic ticker and has no real history"),
        # two spellings of one ticker
        (["run", "SPY?L=3=33", "spy?l=3.0=20"], "SPY?L=3 stands twice"),
        (["run", "SPY?E=1&L=3=33", "SPY?L=+3&E=1%=20"], "SPY?L=3&E=1 stands twice"),
        (["run", "SPY?FB=QQQ=33", "SPY?FB=(qqq)=20"], "SPY?FB=QQQ stands twice"),
        (["run", "SPY=1", "--benchmark", "SPY?L=3=60,spy?l=3.0=40"], "SPY?L=3 stands twice"),
        (["run", "twice.toml"], "twice.toml: weights: SPY?L=3 stands twice"),
        (["run", "bench.toml"], "bench.toml: benchmark: SPY?UE stands twice"),
    ],
)
def test_a_mistake_with_a_ticker_is_one_line_and_exit_code_2(
    run: Run, tmp_path: Path, words: list[str], said: str
) -> None:
    (tmp_path / "twice.toml").write_text('[weights]\n"SPY?L=3" = 0.3\n"spy?l=3.00" = 0.3\n')
    (tmp_path / "bench.toml").write_text('[weights]\nSPY = 1.0\n[benchmark]\n"SPY?UE" = 0.3\n"spy?ue" = 0.3\n')
    done = run(*words)
    assert done.status == 2
    assert done.out == ""
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["run", "SPY?L=3x=33"],
        ["run", "SPY?L=3=33", "spy?l=3.0=20"],
        ["funds", "SPY?" + "(" * 5000],
        ["run", "SPY=1", "--benchmark", "SPY?L=1e999"],
        ["delever", "SPY?L=\x1b[31m3"],
    ],
    ids=["number", "twice", "parentheses", "benchmark", "escape"],
)
def test_in_a_process_of_its_own_the_exit_code_is_2_without_a_traceback(words: list[str], tmp_path: Path) -> None:
    done = call(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("alphaoverlay: ")
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
