"""A signal read as of a day: the document's contract, what later data cannot change, and histories that say little."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests import second_signals as second
from tests.study.plain_market import DAYS
from tests.study.test_sized_overlay import PLAIN, PRICES, Price, decided, leading, write_prices

from alphaoverlay.errors import AlphaOverlayError, StudyError
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.report.model import Figure, Report, Row, Table
from alphaoverlay.study.load import study_from
from alphaoverlay.study.signal_document import signal_document
from alphaoverlay.study.signal_reading import SignalReading, read_signal
from alphaoverlay.study.signal_report import signal_report

SIGNAL: dict[str, Any] = {"long": "LEAD", "short": "LAG", "window": 20, "horizon": 20, "enter": 0.1}
STEPS = {"10%": 0.5, "2%": 1.0}
ALL_STILL = ("stale", "split-like-jump", "spike")


def read_of(
    folder: Path,
    *,
    asof: str | None = None,
    resamples: int = 20,
    seed: int = 0,
    rate: str | float = 0.0,
    accept: tuple[str, ...] = ALL_STILL,
    **signal: Any,
) -> SignalReading:
    """Read a signal in a folder."""
    source = FolderSource(folder)
    source.accept = frozenset(accept)
    study = study_from({"signal": SIGNAL | signal, "cash": {"rate": rate}}, "test")
    return read_signal(study, source, asof=asof, resamples=resamples, seed=seed)


def document_of(folder: Path, **more: Any) -> dict[str, Any]:
    """Its document, which holds no NaN and no infinity."""
    document = signal_document(read_of(folder, **more)).dump()
    json.dumps(document, allow_nan=False)
    return document


def refused(folder: Path, **more: Any) -> str:
    with pytest.raises(AlphaOverlayError) as caught:
        read_of(folder, **more)
    message = str(caught.value)
    assert "\n" not in message
    return message


def with_rate(folder: Path, last: int | None = None, late: float = 1.5, since: int = 10**9) -> Path:
    rows = [f"{day},{1.5 + t / 500 if t < since else late}" for t, day in list(enumerate(DAYS))[:last]]
    (folder / "DFF.csv").write_text("date,percent\n" + "\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_rate(write_prices(tmp_path_factory.mktemp("made"), PRICES))


@pytest.fixture(scope="module")
def document(market: Path) -> dict[str, Any]:
    return document_of(market, steps=STEPS, rate="DFF")


# --- the document ---


def test_the_keys_that_others_rely_on(document: dict[str, Any]) -> None:
    assert {"schema", "version", "asof", "study", "data", "notes"} <= document.keys()
    value = document["relative_value"]
    assert {"difference", "annualised", "percentile_all", "percentile_20y", "zscore", "extremes"} <= value.keys()
    assert value["extremes"].keys() == {"lowest", "highest"}
    assert {"drawdown", "peak_date", "state"} <= document["correction"].keys()
    assert isinstance(document["episodes"], list)
    assert {"episodes_independent", "mean_after", "interval", "p_value", "verdict"} <= document["evidence"].keys()
    assert document["asof"] == document["data"]["end"] == f"{DAYS[-1]}"
    assert document["data"]["start"] == f"{DAYS[0]}"
    assert [one["name"] for one in document["data"]["series"]] == ["LEAD", "LAG", "DFF"]
    assert document["study"]["signal"]["steps"] == [[0.1, 0.5], [0.02, 1.0]]


def test_the_reading_worked_out_apart(document: dict[str, Any], market: Path) -> None:
    """By the second implementation, on the prices as they were made."""
    long, short = list(leading()), [50.0] * len(DAYS)
    value = second.relative_value(long, short, 20)
    ranked, scores = second.percentile(value["difference"], None), second.zscore(value["difference"], None)
    told = document["relative_value"]
    assert told["difference"] == pytest.approx(value["difference"][-1], rel=1e-12)
    assert told["annualised"] == pytest.approx(value["annualised"][-1], rel=1e-12)
    assert told["ratio"] == pytest.approx(value["ratio"][-1], rel=1e-12)
    assert told["percentile"] == told["percentile_all"] == pytest.approx(ranked[-1], rel=1e-12)
    assert told["zscore"] == pytest.approx(scores[-1], rel=1e-9)
    for name, places in zip(("lowest", "highest"), second.extremes(value["difference"], 20), strict=True):
        assert told["extremes"][name] == [
            {"date": f"{DAYS[t]}", "difference": pytest.approx(value["difference"][t], rel=1e-9)} for t in places
        ]
    fall = document["correction"]
    top = max(range(len(long)), key=lambda t: (long[t], t))
    assert fall["drawdown"] == pytest.approx(long[-1] / long[top] - 1, rel=1e-12)
    assert (fall["peak_date"], fall["of"], fall["state"]) == (f"{DAYS[top]}", "LEAD", second.states(long)[-1])
    assert [one["began"] for one in fall["episodes"]] == [f"{DAYS[e['start']]}" for e in second.corrections(long)]
    sizes, spells = second.spells(ranked, long, short, enter=0.1, exit=0.5, steps=[(0.1, 0.5), (0.02, 1.0)])
    assert sizes == [decided(t) for t in range(len(DAYS))]
    judged = second.judge(ranked, sizes, spells, second.outcomes(long, short, 20), 20)
    assert [(one["entry"], one["exit"], one["reason"], one["independent"]) for one in document["episodes"]] == [
        (f"{DAYS[e]}", f"{DAYS[x or 0]}", "exit", kept)
        for (e, x, _), kept in zip(spells, judged["independent"], strict=True)
    ]
    after = second.outcomes(long, short, 20)
    assert [one["outcome"] for one in document["episodes"]] == pytest.approx([after[300], after[400]], rel=1e-12)
    to_exit = [long[x + 1] / long[e + 1] - 1 for e, x in ((300, 340), (400, 450))]
    assert [one["to_exit"] for one in document["episodes"]] == pytest.approx(to_exit, rel=1e-12)
    seen = document["evidence"]
    assert seen["episodes_independent"] == judged["n"] == 2
    assert seen["mean_after"] == pytest.approx(judged["mean_after"], rel=1e-12)
    assert seen["base_rate"] == pytest.approx(judged["base_rate"], rel=1e-9)
    assert seen["hac"]["slope"] == pytest.approx(judged["hac_slope"], rel=1e-6)
    assert seen["hac"]["p_value"] == pytest.approx(judged["hac_p"], rel=1e-6)
    assert document["position"] == {"on": False, "size": 0.0, "since": None}
    assert read_of(market, asof=f"{DAYS[310]}", steps=STEPS).tactical.on


def test_the_measures_worked_out_apart(document: dict[str, Any]) -> None:
    long = list(leading())
    moves = [b / a - 1 for a, b in pairwise(long)]
    told = document["measures"]
    assert told["trend"] == pytest.approx(long[-1] / statistics.fmean(long[-200:]) - 1, rel=1e-9)
    assert told["trend_long"] == pytest.approx(told["trend"], rel=1e-12)  # the short leg never moves
    assert told["momentum"] == pytest.approx(long[-1] / long[-253] - 1, rel=1e-9)
    assert told["volatility"] == pytest.approx(statistics.stdev(moves[-63:]) * math.sqrt(252), rel=1e-9)
    # Known one session later than its date: the change up to the session before the last, of 252 sessions.
    assert told["rate_change"] == pytest.approx(252 / 500 / 100, rel=1e-9)
    assert told["correlation"] is None
    assert "correlation" in document["undefined"]


def nulls(values: Any, path: str = "") -> Iterator[str]:
    """Every null of a document, by its path."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from nulls(value, f"{path}.{key}" if path else str(key))
    elif isinstance(values, list):
        for k, value in enumerate(values):
            yield from nulls(value, f"{path}.{k}")
    elif values is None:
        yield path


def unexplained(document: dict[str, Any]) -> list[str]:
    """Nulls whose reason is nowhere."""
    evidence, undefined, trials = document["evidence"], document["undefined"], document["sensitivity"]
    own = {"percentile"} if document["study"]["signal"].get("lookback") is None else set()
    left = []
    for path in nulls({key: value for key, value in document.items() if key not in ("study", "data")}):
        table, _, key = path.partition(".")
        last = path.rpartition(".")[2]
        if table in ("relative_value", "measures"):
            explained = key in undefined or (key in own and "percentile_all" in undefined)
        elif table == "evidence":
            explained = evidence["resamples"] == 0 or evidence["verdict"] == "cannot be told"
        elif table == "episodes":  # still on, or its horizon is not over
            explained = last in ("exit", "reason", "outcome", "to_exit")
        elif table == "sensitivity":
            choosing = trials["choosing"]
            explained = bool(trials["notes"] if choosing is None else choosing["notes"]) or last != "choosing"
        else:  # falls that last, a signal that is off
            explained = last in ("bear", "recovered", "since")
        if not explained:
            left.append(path)
    return left


def test_every_null_has_its_reason(document: dict[str, Any]) -> None:
    assert unexplained(document) == []
    assert "5,040 are needed" in document["undefined"]["percentile_20y"]
    assert set(document["undefined"]) == {key for key, value in document["measures"].items() if value is None}


def test_the_report_says_what_the_document_says(market: Path, document: dict[str, Any]) -> None:
    report = signal_report(read_of(market, steps=STEPS, rate="DFF"))
    assert document["evidence"]["sentence"] in report.summary
    tables = {part.title: part for part in parts_of(report, Table)}
    assert len(tables["Every episode, the last first"].rows) == len(document["episodes"]) == 2
    assert len(tables["Other windows and entries"].rows) == len(document["sensitivity"]["variants"])
    falls = tables["Corrections of LEAD, the last first"].rows
    assert [row.cells[0] for row in falls] == [one["peak"] for one in reversed(document["correction"]["episodes"])]
    assert parts_of(report, Figure)


def parts_of(report: Report, kind: type[Any]) -> list[Any]:
    """Every table or figure of a report."""
    return [part for section in report.sections for part in section.parts if isinstance(part, kind)]


# --- nothing after the day ---


@cache
def plain_document(folder: Path, asof: str | None, basis: str) -> str:
    found = document_of(folder, asof=asof, steps=STEPS, rate="DFF", basis=basis, resamples=10)
    return json.dumps(found).replace(str(folder), "FOLDER")


@pytest.mark.parametrize(
    ("at", "basis"), [*((at, "price") for at in (290, 300, 305, 325, 340, 503)), (310, "total"), (449, "total")]
)
def test_nothing_after_the_day_is_in_the_document(tmp_path: Path, market: Path, at: int, basis: str) -> None:
    asof = f"{DAYS[at]}"
    cut = with_rate(write_prices(tmp_path / "cut", PRICES, last=at + 1), last=at + 1)
    absurd: dict[str, Price] = {
        symbol: lambda t, price=price: price(t) if t <= at else 10.0 ** (9 if t % 2 else -9)  # type: ignore[misc]
        for symbol, price in PRICES.items()
    }
    wild = with_rate(write_prices(tmp_path / "wild", absurd), late=99.0, since=at + 1)
    expected = plain_document(cut, None, basis)
    assert json.loads(expected)["asof"] == asof
    assert plain_document(market, asof, basis) == expected
    assert plain_document(wild, asof, basis) == expected


def test_a_day_without_a_session_is_read_at_the_one_before(market: Path) -> None:
    found = [document_of(market, asof=asof) for asof in ("2020-10-16", "2020-10-17", "2020-10-18")]
    assert found[0] == found[1] == found[2]
    assert found[0]["asof"] == "2020-10-16"  # a Friday


def test_an_asof_beyond_the_data_is_said(market: Path) -> None:
    late = document_of(market, asof="2021-02-01")
    assert late["asof"] == f"{DAYS[-1]}"
    [told] = [note for note in late["notes"] if "2021-02-01" in note]
    assert told == f"The levels end on {DAYS[-1]}, before the asked 2021-02-01: this is the reading of that day."
    assert document_of(market, asof=f"{DAYS[-1]}")["notes"] == document_of(market)["notes"]


def test_a_leg_that_ends_before_the_other_is_said(tmp_path: Path) -> None:
    folder = write_prices(tmp_path, {"LEAD": PRICES["LEAD"], "LAG": PRICES["CORE"]})
    write_prices(folder, {"LEAD": PRICES["LEAD"]}, last=480)
    told = document_of(folder)
    assert told["asof"] == f"{DAYS[479]}"
    assert f"The reading is of {DAYS[479]}, where LEAD ends; other levels reach {DAYS[-1]}." in told["notes"]


def test_the_study_ends_the_reading_and_the_day_asked_for_goes_before_it(market: Path) -> None:
    study = study_from({"signal": SIGNAL, "cash": {"rate": 0.0}, "end": f"{DAYS[400]}"}, "test")
    source = FolderSource(market)
    assert read_signal(study, source, resamples=0).asof.date() == DAYS[400]
    assert read_signal(study, source, asof=f"{DAYS[350]}", resamples=0).asof.date() == DAYS[350]


def test_a_study_that_trades_is_read_alike(market: Path) -> None:
    """`role` and the portfolio decide what is done with a signal, not what it says."""
    source = FolderSource(market)
    found = []
    for values in (PLAIN, {**PLAIN, "signal": {**PLAIN["signal"], "role": "watch"}}, {"signal": PLAIN["signal"]}):
        document = signal_document(read_signal(study_from(values | {"cash": {"rate": 0.0}}, "t"), source, resamples=5))
        plain = document.dump()
        plain.pop("study")
        found.append(plain)
    assert found[0] == found[1] == found[2]


# --- the same twice, and by its seed ---


def test_two_readings_are_the_same_to_the_byte(market: Path) -> None:
    one, other = (json.dumps(document_of(market, seed=7, resamples=100)) for _ in range(2))
    assert one == other


def test_the_seed_decides_only_what_is_drawn(market: Path) -> None:
    one, other = (document_of(market, seed=seed, resamples=50) for seed in (0, 1))
    assert one["evidence"].pop("null_mean") != other["evidence"].pop("null_mean")
    drawn = {"interval", "null_interval", "p_value", "resamples_without_episode", "seed", "sentence", "verdict"}
    for key, value in one["evidence"].items():
        if key not in drawn | {"hac"}:
            assert value == other["evidence"][key], key
    for document in (one, other):
        document.pop("evidence")
    assert one == other


@pytest.mark.parametrize("resamples", [0, 1, 2])
def test_few_resamples_are_enough_for_a_document(market: Path, resamples: int) -> None:
    found = document_of(market, resamples=resamples)
    evidence = found["evidence"]
    assert evidence["resamples"] == resamples
    assert evidence["verdict"] == "cannot be told"
    if resamples == 0:
        assert (evidence["p_value"], evidence["interval"], evidence["null_mean"]) == (None, None, None)
        assert "chance" in evidence["sentence"]
        assert evidence["mean_after"] is not None
    assert unexplained(found) == []


@pytest.mark.parametrize("resamples", [-1, 100_001, 10**20])
def test_too_many_resamples_are_refused(market: Path, resamples: int) -> None:
    assert refused(market, resamples=resamples) == f"resamples = {resamples}: write 0 to 100,000"


def test_an_asof_that_is_no_date_is_refused(market: Path) -> None:
    assert "asof: 'soon' is not a date" in refused(market, asof="soon")


def test_the_largest_seed_is_taken(market: Path) -> None:
    assert document_of(market, seed=2**63 - 1, resamples=2)["evidence"]["seed"] == 2**63 - 1


def test_a_negative_seed_is_refused(market: Path) -> None:
    assert "seed = -1" in refused(market, seed=-1, resamples=2)


def test_a_seed_of_more_than_64_bits_is_refused(market: Path) -> None:
    assert "seed" in refused(market, seed=2**64, resamples=2)


# --- histories that say little ---


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        ({"window": 505}, ["505 common sessions", f"{DAYS[0]} to {DAYS[-1]}", "window of 505 needs 506", "shorter"]),
        ({"window": 756}, ["505 common sessions", "window of 756 needs 757", "earlier data"]),
        ({"asof": f"{DAYS[19]}"}, ["20 common sessions", "window of 20 needs 21"]),
        ({"asof": f"{DAYS[0]}"}, ["1 common session", "window of 20 needs 21"]),
        ({"asof": "2018-12-31"}, ["2018-12-31", f"LEAD {DAYS[0]} to {DAYS[-1]}"]),
        ({"asof": "1950-01-03"}, ["1950-01-03", f"LEAD {DAYS[0]} to {DAYS[-1]}"]),
    ],
    ids=str,
)
def test_a_history_that_is_too_short_is_refused_with_its_counts(
    market: Path, signal: dict[str, Any], said: list[str]
) -> None:
    message = refused(market, **signal)
    for words in said:
        assert words in message


def test_one_difference_is_a_reading_without_a_percentile(market: Path) -> None:
    """Exactly a window and one session."""
    found = document_of(market, window=504)
    value = found["relative_value"]
    assert value["difference"] == pytest.approx(leading()[-1] / leading()[0] - 1, rel=1e-12)
    assert value["extremes"]["lowest"] == value["extremes"]["highest"]
    assert value["extremes"]["lowest"] == [{"date": f"{DAYS[-1]}", "difference": value["difference"]}]
    for key in ("percentile_all", "zscore"):
        assert value[key] is None
        assert found["undefined"][key] == "not enough history: 1 difference, 252 are needed"
    assert found["episodes"] == []
    assert found["evidence"]["verdict"] == "cannot be told"
    assert found["evidence"]["p_value"] is None
    assert unexplained(found) == []
    assert signal_report(read_of(market, window=504)).summary


@pytest.mark.parametrize(("at", "known"), [(270, False), (272, True)])
def test_a_percentile_needs_252_differences(market: Path, at: int, known: bool) -> None:
    found = document_of(market, asof=f"{DAYS[at]}")
    assert (found["relative_value"]["percentile_all"] is not None) is known
    assert ("percentile_all" in found["undefined"]) is not known
    if not known:
        assert found["undefined"]["percentile_all"] == "not enough history: 251 differences, 252 are needed"


def test_the_very_first_percentile_is_no_warning(market: Path) -> None:
    """A window and 252 sessions: one session on which all variants have a percentile."""
    found = document_of(market, asof=f"{DAYS[271]}")
    assert found["relative_value"]["percentile_all"] == 1.0
    assert unexplained(found) == []


@pytest.mark.parametrize("at", [*range(272, 276), 286, 287, 288, 303])
def test_hardly_any_percentiles_are_enough_for_a_document(market: Path, at: int) -> None:
    """Fewer than the blocks of the cross-validation, and as many."""
    found = document_of(market, asof=f"{DAYS[at]}", resamples=3)
    assert unexplained(found) == []
    assert found["sensitivity"]["choosing"]["sessions"] == at - 270


def test_a_lookback_that_is_not_filled_is_said(market: Path) -> None:
    found = document_of(market, lookback=486)
    assert found["relative_value"]["percentile"] is None
    assert found["undefined"]["percentile"] == "not enough history: 485 differences, 486 are needed"
    assert found["relative_value"]["percentile_all"] is not None
    assert document_of(market, lookback=485)["relative_value"]["percentile"] is not None


def still(_: int) -> float:
    return 100.0


def settling(t: int) -> float:
    """Moves for a hundred sessions, then never again."""
    return 100.0 * math.exp(0.002 * min(t, 100))


def test_prices_that_never_move_have_no_percentile_and_say_so(tmp_path: Path) -> None:
    folder = write_prices(tmp_path, {"LEAD": still, "LAG": still})
    found = document_of(folder)
    value = found["relative_value"]
    assert (value["difference"], value["annualised"], value["ratio"]) == (0.0, 0.0, 1.0)
    assert value["percentile_all"] is value["zscore"] is None
    assert found["undefined"]["percentile_all"] == "the difference did not move"
    assert (found["correction"]["drawdown"], found["correction"]["state"]) == (0.0, "none")
    assert found["volatility_regime"] == "unknown"
    assert found["evidence"]["verdict"] == "cannot be told"
    assert unexplained(found) == []
    signal_report(read_of(folder))


@pytest.mark.parametrize("legs", [("LEAD", "LAG"), ("LAG", "LEAD")])
def test_one_leg_that_never_moves_is_no_obstacle(market: Path, legs: tuple[str, str]) -> None:
    found = document_of(market, long=legs[0], short=legs[1])
    assert found["relative_value"]["percentile_all"] is not None
    assert found["measures"]["correlation"] is None
    assert "no movement" in found["undefined"]["correlation"]
    assert unexplained(found) == []


def test_a_lookback_that_stood_still_is_said(tmp_path: Path) -> None:
    """The last 252 differences are 0, those before were not: its own percentile is undefined, that of all is not."""
    folder = write_prices(tmp_path, {"LEAD": settling, "LAG": still})
    found = document_of(folder, lookback=252)
    assert found["relative_value"]["percentile"] is None
    assert found["relative_value"]["percentile_all"] is not None
    assert unexplained(found) == []


def test_twin_legs_are_a_reading_of_nothing(tmp_path: Path) -> None:
    folder = write_prices(tmp_path, {"LEAD": PRICES["CORE"], "LAG": PRICES["CORE"]})
    found = document_of(folder)
    assert found["relative_value"]["difference"] == 0.0
    assert found["undefined"]["percentile_all"] == "the difference did not move"
    assert found["measures"]["correlation"] == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("wrong", [0.0, -3.0, math.inf, math.nan])
def test_a_price_that_is_none_is_refused_and_shown(tmp_path: Path, wrong: float) -> None:
    folder = write_prices(tmp_path, {"LEAD": PRICES["LEAD"], "LAG": lambda t: wrong if t == 50 else 100.0 + t})
    message = refused(folder)
    assert "LAG.csv, line 52, column close" in message
    assert repr(wrong) in message


def test_a_hole_inside_is_refused(tmp_path: Path) -> None:
    folder = write_prices(tmp_path, {"LEAD": PRICES["LEAD"], "LAG": PRICES["CORE"]})
    rows = (folder / "LAG.csv").read_text().splitlines()
    (folder / "LAG.csv").write_text("\n".join(rows[:100] + rows[103:]))
    message = refused(folder, accept=())
    assert "3 sessions missing" in message
    assert "--accept gap" in message


def test_without_a_signal_there_is_nothing_to_read(market: Path) -> None:
    study = study_from({"weights": {"CORE": 1.0}}, "test")
    with pytest.raises(StudyError, match=r'no \[signal\] in the study; write for example \[signal\] with long = "RUT"'):
        read_signal(study, FolderSource(market))


# --- other windows, entries and series ---


def test_asked_series_are_there_or_their_absence_is_explained(market: Path) -> None:
    found = document_of(market, proxies=[["CORE", "MORE"], ["CORE", "NOPE"]])
    assert [one["changed"] for one in found["sensitivity"]["proxies"]] == ["CORE against MORE"]
    [told] = [note for note in found["notes"] if note.startswith("CORE against NOPE is left out: ")]
    assert "add NOPE.csv to the data folder" in told
    assert document_of(market, proxies=[])["sensitivity"]["proxies"] == []


def test_the_other_series_of_an_index_are_found(tmp_path: Path) -> None:
    folder = write_prices(tmp_path, {"RUT": PRICES["LEAD"], "IWM": PRICES["MORE"], "IXIC": PRICES["CORE"]})
    write_prices(folder, {"NDX": PRICES["QQQ"], "QQQ": PRICES["QQQ"]})
    found = document_of(folder, long="RUT", short="IXIC")
    assert [one["changed"] for one in found["sensitivity"]["proxies"]] == [
        "RUT against NDX", "RUT against QQQ", "IWM against IXIC", "IWM against NDX"
    ]  # fmt: skip


def test_a_pair_of_indices_is_not_confirmed_by_itself(tmp_path: Path) -> None:
    folder = write_prices(tmp_path, {"RUT": PRICES["LEAD"], "GSPC": PRICES["CORE"]})
    found = document_of(folder, long="RUSSELL2000", short="SP500")
    assert [one["changed"] for one in found["sensitivity"]["proxies"]] == []


def test_an_entry_between_whole_percents_loses_no_variant(market: Path) -> None:
    """All of the windows that fit are 20 and 504: at 2%, 5%, 10%, 20% and the study's own 2.4%, each once."""
    found = document_of(market, enter=0.024)
    names = [one["changed"] for one in found["sensitivity"]["variants"]]
    assert len(names) == len(set(names)) == 2 * 5


def test_the_variants_are_those_of_the_method(market: Path) -> None:
    found = document_of(market, enter=0.1)
    names = [one["changed"] for one in found["sensitivity"]["variants"]]
    assert names == ["", *(
        f"window {window}, entry {entry}%" for window in (504, 20) for entry in (2, 5, 10, 20)
        if (window, entry) != (20, 10)
    )]  # fmt: skip


# --- words ---


def row_of(report: Report, title: str, first: str) -> Row:
    [table] = [part for part in parts_of(report, Table) if part.title == title]
    rows: list[Row] = [row for row in table.rows if row.cells[0] == first]
    return rows[0]


def test_at_the_peak_nothing_is_below_it(market: Path) -> None:
    report = signal_report(read_of(market, asof=f"{DAYS[299]}"))  # LEAD rises up to there
    assert "-0.0" not in report.summary


def test_reasons_are_given_in_words(market: Path) -> None:
    [today] = [part for part in parts_of(signal_report(read_of(market)), Table) if part.title == "Today"]
    assert "percentile_20y" not in today.note


def test_an_undefined_figure_is_a_dash_and_never_nan(tmp_path: Path) -> None:
    report = signal_report(read_of(write_prices(tmp_path, {"LEAD": still, "LAG": still})))
    for table in parts_of(report, Table):
        for row in table.rows:
            assert not any(isinstance(cell, float) and math.isnan(cell) for cell in row.cells), table.title
            assert not any("nan" in str(cell).split() for cell in row.cells), table.title
    assert "nan" not in report.summary.split()
    assert row_of(report, "Today", "Percentile, all history").cells[1] == "–"
