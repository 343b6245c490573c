"""A fund tracked from a source: the contract on every real fund, notes, refusals, the report and the JSON document."""

from __future__ import annotations

import functools
import io
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from tests.funds.made import levels
from tests.market.little_files import rate_file

from alphaoverlay import __version__
from alphaoverlay.errors import AlphaOverlayError, CatalogueError, DataError, SpanError
from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.report.html import render_html
from alphaoverlay.report.model import Report, Row, Table
from alphaoverlay.report.text import print_report
from alphaoverlay.study.tracked import TrackedFund, read_tracking
from alphaoverlay.study.tracking_documents import TrackDocument, track_document
from alphaoverlay.study.tracking_report import tracking_report

CATALOGUE = load_catalogue()
FUNDS = ["BIL", "IWM", "QQQ", "SH", "SPY", "SQQQ", "SSO", "TLT", "TNA", "TQQQ", "TWM", "UPRO", "UWM"]
PROMISED = {
    "fund",
    "start",
    "end",
    "sessions",
    "tracking_difference",
    "tracking_difference_trimmed",
    "tracking_error",
    "beta",
    "r_squared",
    "r_squared_weekly",
    "by_year",
    "assumptions",
}


@pytest.fixture(scope="module")
def tracked(reference_data: Path) -> Callable[[str], TrackedFund]:
    source = FolderSource(reference_data)
    return functools.cache(lambda symbol: read_tracking(symbol, source, CATALOGUE))


def shown(report: Report) -> str:
    """The report as a wide terminal shows it."""
    out = io.StringIO()
    print_report(report, Console(file=out, width=400))
    return out.getvalue()


def numbers(value: Any) -> list[float]:
    """Every number of a document."""
    if isinstance(value, dict):
        return [x for one in value.values() for x in numbers(one)]
    if isinstance(value, list):
        return [x for one in value for x in numbers(one)]
    return [float(value)] if isinstance(value, int | float) and not isinstance(value, bool) else []


def table(report: Report, title: str) -> Table:
    """The table of this title."""
    parts = (part for section in report.sections for part in section.parts)
    return next(part for part in parts if isinstance(part, Table) and part.title == title)


# --- the contract, on every fund of the catalogue that has a file ---


def test_these_are_all_the_funds_that_have_a_file(reference_data: Path) -> None:
    files = {path.stem for path in (reference_data / "prices").glob("*.csv")}
    assert {fund.symbol for fund in CATALOGUE if fund.symbol in files} == set(FUNDS)


@pytest.mark.parametrize("symbol", FUNDS)
def test_every_figure_is_finite_and_the_years_are_the_whole(tracked: Callable[[str], TrackedFund], symbol: str) -> None:
    own = tracked(symbol).tracking
    figures = own.default
    known = [figures.difference, figures.trimmed, figures.error, figures.r_squared, figures.r_squared_weekly]
    assert np.isfinite(known).all()
    assert np.isfinite(own.real).all()
    assert np.isfinite(own.synthetic).all()
    assert own.by_year["tracking_difference"].sum() == pytest.approx(figures.difference * own.years, abs=1e-11)
    assert own.by_year["sessions"].sum() == len(own.real) == len(own.history.dates) - 1
    assert math.prod(1.0 + own.by_year["real"]) == pytest.approx(math.prod(1.0 + own.real), rel=1e-9)
    assert len(own.worst_days) == 10
    assert 0.0 <= figures.r_squared <= 1.0 + 1e-12
    leveraged = own.fund.leverage != 1.0
    assert (own.beta is not None) is leveraged
    if own.beta is not None:
        assert own.beta == pytest.approx(own.fund.leverage, abs=0.06)


@pytest.mark.parametrize("symbol", FUNDS)
def test_the_json_document_has_what_is_promised(tracked: Callable[[str], TrackedFund], symbol: str) -> None:
    one = tracked(symbol)
    dumped = track_document(one).dump()
    document = json.loads(json.dumps(dumped, allow_nan=False))
    assert document == dumped
    assert document.keys() >= PROMISED | {"schema", "version", "asof", "study", "data", "notes"}
    assert (document["schema"], document["version"]) == ("alphaoverlay/1", __version__)
    assert document["fund"] == document["study"]["fund"] == symbol
    assert document["asof"] == document["end"] == document["data"]["end"] == "2021-12-31"
    assert document["start"] == document["data"]["start"] == f"{one.tracking.history.dates[0]:%Y-%m-%d}"
    assert document["sessions"] == len(one.tracking.real)
    years = document["by_year"]
    assert math.fsum(year["tracking_difference"] for year in years) == pytest.approx(
        document["tracking_difference"] * document["years"], abs=1e-11
    )
    assert sum(year["sessions"] for year in years) == document["sessions"]
    assert [year["year"] for year in years] == list(range(int(document["start"][:4]), 2022))
    assert not years[-1]["part_of_year"]
    undefined = {name for name in ("beta", "r_squared", "r_squared_weekly") if document[name] is None}
    assert document["undefined"].keys() == undefined
    assumptions = document["assumptions"]
    assert assumptions["leverage"] == CATALOGUE.fund(symbol).leverage
    assert assumptions["rate"] == "DFF"
    assert assumptions["spread"]["basis"] == ("none" if assumptions["leverage"] == 1.0 else "calibrated")
    [index] = assumptions["indices"]
    assert list(assumptions["exposures"]) == [index]
    assert assumptions["indices"][index]
    assert all(math.isfinite(x) for x in numbers(document))
    assert TrackDocument.model_validate({"schema_": document["schema"], **document}).dump() == document


@pytest.mark.parametrize("symbol", FUNDS)
def test_the_report_renders_to_text_and_html(tracked: Callable[[str], TrackedFund], symbol: str) -> None:
    one = tracked(symbol)
    report = tracking_report(one)
    text, page = shown(report), render_html(report)
    gap = one.tracking.default
    for words in (
        symbol,
        f"{gap.difference:+.2%}"[1:],
        f"{gap.error:.2%}",
        f"{gap.r_squared_weekly:.4f}",
        "By calendar year",
        "The ten largest daily gaps",
        "Nothing was repaired",
        one.data.history.fingerprint,
        *(note for note in one.notes if "&" not in note and "'" not in note),
    ):
        assert words in text, words
        assert words in page, words
    assert "nan" not in text.replace("Financing", "").replace("financing", "").lower().split()
    for year in one.tracking.by_year.index:
        assert str(year) in text


@pytest.mark.parametrize("symbol", ["TLT", "BIL"])
def test_a_fund_that_is_its_own_index_says_that_nothing_is_proven(
    tracked: Callable[[str], TrackedFund], symbol: str
) -> None:
    """The only series of its index is the fund itself: it agrees with itself, and that is no merit."""
    one = tracked(symbol)
    assert one.tracking.default.difference == pytest.approx(0.0, abs=1e-12)
    assert any(f"is {symbol} itself" in note for note in one.notes)


@pytest.mark.parametrize("symbol", ["UPRO", "TWM"])
def test_a_leveraged_fund_is_not_its_own_index(tracked: Callable[[str], TrackedFund], symbol: str) -> None:
    notes = tracked(symbol).notes
    assert not any("itself" in note for note in notes)
    # The spread of its side was fitted to it, among others: the agreement is in sample, and that is said.
    assert [note.startswith("In sample") for note in notes] == [True]


@pytest.mark.parametrize("symbol", ["UPRO", "TNA", "SQQQ", "TLT"])
def test_m2_beside_m1_adds_up_line_by_line(tracked: Callable[[str], TrackedFund], symbol: str) -> None:
    """Five parts make M2, the higher orders make it M1, slippage makes it the real fund's own log growth."""
    one = tracked(symbol).tracking
    rows = table(tracking_report(tracked(symbol)), "M2 beside M1").rows
    total, years = 0.0, (one.history.dates[-1] - one.history.dates[0]).days / 365.25
    totals = []
    for row in rows:
        label, yearly, whole = row.cells
        assert isinstance(yearly, float)
        assert isinstance(whole, float)
        assert yearly == pytest.approx(whole / years, abs=1e-12)
        if row.strong:
            assert whole == pytest.approx(total, abs=1e-11), label
            totals.append(whole)
        else:
            total += whole
    assert len(totals) == 3
    assert totals[1] == pytest.approx(math.fsum(map(math.log1p, one.synthetic)), abs=1e-11)
    assert totals[2] == pytest.approx(math.fsum(map(math.log1p, one.real)), abs=1e-11)


# --- made folders ---


SESSIONS = [f"{stamp:%Y-%m-%d}" for stamp in exchange_sessions(2015, 2016)]
MOVES = [float(x) for x in np.random.default_rng(3).normal(0.0004, 0.01, len(SESSIONS) - 1)]


def prices(closes: Sequence[float], days: Sequence[str] = SESSIONS, **more: Sequence[float]) -> str:
    """Text of a price file, adj_close as close."""
    rows = [f"{day},{close:.8f},{close:.8f}" for day, close in zip(days, closes, strict=True)]
    header = "date,close,adj_close"
    for name, cells in more.items():
        header += f",{name}"
        rows = [f"{row},{cell:.8f}" for row, cell in zip(rows, cells, strict=True)]
    return "\n".join([header, *rows, ""])


def folder(place: Path, without: Sequence[str] = (), **more: str) -> FolderSource:
    """A source with an index, two plain funds on it, a 3x fund that charges nothing, and a rate of nought."""
    texts = {
        "DFF": rate_file(dict.fromkeys(SESSIONS, 0.0)),
        "SP500TR": prices(levels(MOVES, 2000.0)),
        "SPY": prices(levels(MOVES, 200.0)),
        "IVV": prices(levels(MOVES, 190.0)),
        "UPRO": prices(levels([3.0 * x for x in MOVES], 60.0)),
        **more,
    }
    for name, text in texts.items():
        if name not in without:
            (place / f"{name}.csv").write_text(text, encoding="utf-8")
    return FolderSource(place)


def own_funds(place: Path, text: str) -> Any:
    path = place / "own.toml"
    path.write_text(text, encoding="utf-8")
    return load_catalogue(path)


def test_another_spread_is_stated_and_costs_twice_itself_a_year(tmp_path: Path) -> None:
    source = folder(tmp_path)
    free, dear = (read_tracking("upro", source, spread=spread) for spread in (0.0, 0.036))
    slower = free.tracking.default.difference - dear.tracking.default.difference
    assert slower == pytest.approx(2 * 0.036 * 365.25 / 360, rel=0.005)  # divided by what the fund returned that day
    spread = track_document(dear).dump()["assumptions"]["spread"]
    assert (spread["spread"], spread["basis"], spread["asof"]) == (0.036, "stated", None)


def test_the_summary_says_which_is_richer(tmp_path: Path) -> None:
    """Built with a fee, the synthetic fund is poorer; the real one with a fee of its own of 2%, it is richer."""
    poorer = tracking_report(read_tracking("UPRO", folder(tmp_path), spread=0.0)).summary
    assert "From 2015-01-02 to 2016-12-30 the synthetic UPRO was 0.95% a year poorer than the real one" in poorer
    assert "Its promise is +3 times the index each day: against SPY its daily beta was +3.000" in poorer
    costly = prices(levels([3.0 * x - 0.02 / 252 for x in MOVES], 60.0))
    richer = tracking_report(read_tracking("UPRO", folder(tmp_path, UPRO=costly), spread=0.0)).summary
    assert "% a year richer than the real one" in richer


def test_the_promise_of_an_inverse_fund_has_its_sign(tmp_path: Path) -> None:
    source = folder(tmp_path, SH=prices(levels([-x for x in MOVES], 60.0)))
    assert "Its promise is -1 times the index each day: against SPY its daily beta was -1.000" in (
        tracking_report(read_tracking("SH", source)).summary
    )


def test_unverified_and_pooled_terms_are_said(tmp_path: Path) -> None:
    catalogue = own_funds(
        tmp_path,
        '[index.MINE]\nname = "mine"\ntotal_return = ["SP500TR"]\n'
        '[[fund]]\nsymbol = "MYUP"\nname = "my fund"\nindex = "MINE"\nleverage = 2\nexpense = 0.75\n',
    )
    source = folder(tmp_path, MYUP=prices(levels([2.0 * x for x in MOVES])))
    notes = " ".join(read_tracking("MYUP", source, catalogue).notes)
    assert "Terms of MYUP not all read in a document, so unverified." in notes
    assert "No fund on MINE of this side was calibrated" in notes
    assert "No plain fund on the same index is in the data" in notes


def test_a_fund_of_another_leverage_before_is_tracked_since_then(tmp_path: Path) -> None:
    """The example of docs/howto/your-own-data.md: 3x before, 2x since."""
    catalogue = own_funds(
        tmp_path,
        '[[fund]]\nsymbol = "MYUP"\nname = "my fund"\nindex = "SP500"\nleverage = 2\nexpense = 0\nspread = 0\n'
        "inception = 2015-01-02\nindex_since = 2016-01-04\nformer_exposures = { SP500 = 3 }\n"
        'former = "3x until January 2016"\n',
    )
    turn = SESSIONS.index("2016-01-04")
    life = [3.0 * x for x in MOVES[:turn]] + [2.0 * x for x in MOVES[turn:]]
    one = read_tracking("MYUP", folder(tmp_path, MYUP=prices(levels(life))), catalogue)
    assert f"{one.tracking.history.dates[0]:%Y-%m-%d}" in ("2015-12-31", "2016-01-04")
    assert one.tracking.default.difference == pytest.approx(0.0, abs=1e-7)
    assert one.tracking.beta == pytest.approx(2.0, abs=1e-5)
    assert any("3x until January 2016" in note and "2016-01-04" in note for note in one.notes)
    document = track_document(one).dump()
    assert document["assumptions"]["former_exposures"] == {"SP500": 3.0}
    assert document["assumptions"]["index_since"] == "2016-01-04"


def test_net_asset_values_get_a_section_and_a_cause(tmp_path: Path) -> None:
    """A 3x fund whose price jumps 5% above its value for good on the hundredth session."""
    value = levels([3.0 * x for x in MOVES], 60.0)
    closes = [v * (1.05 if k >= 100 else 1.0) for k, v in enumerate(value)]
    one = read_tracking("UPRO", folder(tmp_path, UPRO=prices(closes, nav=value)), spread=0.0)
    document = track_document(one).dump()
    assert document["premium"]["last"] == pytest.approx(0.05, abs=1e-6)
    assert document["premium"]["first"] == pytest.approx(0.0, abs=1e-6)
    assert document["premium"]["mean"] == pytest.approx(0.05 * (len(SESSIONS) - 100) / len(SESSIONS), abs=1e-6)
    largest = document["worst_days"][0]
    assert (largest["day"], largest["cause"]) == (SESSIONS[100], "premium")
    assert largest["gap"] == pytest.approx(-math.log(1.05), abs=1e-3)
    assert "Close over net asset value" in shown(tracking_report(one))
    assert "Close over net asset value" not in shown(tracking_report(read_tracking("SPY", folder(tmp_path))))


def test_a_sound_file_is_said_to_be_sound(tmp_path: Path) -> None:
    one = read_tracking("UPRO", folder(tmp_path))
    assert track_document(one).dump()["findings"] == []
    assert table(tracking_report(one), "What is awkward in the prices").rows == (
        Row(("none", "Nothing awkward was found.")),
    )


def test_part_years_are_marked(tmp_path: Path) -> None:
    one = read_tracking("UPRO", folder(tmp_path), start="2015-03-02", end="2016-12-30")
    assert [(year["year"], year["part_of_year"]) for year in track_document(one).dump()["by_year"]] == [
        (2015, True),
        (2016, False),
    ]
    assert [row.cells[0] for row in table(tracking_report(one), "By calendar year").rows] == ["2015*", "2016"]


def test_another_ticker_is_measured_and_its_warnings_are_carried(tmp_path: Path) -> None:
    """SPY?L=3 without a fee nor a spread is what this fund was made of."""
    one = read_tracking("UPRO", folder(tmp_path), against=["spy?sp=0&l=3"])
    found = {way.name: way for way in one.tracking.others}["SPY?L=3&SP=0"]
    assert found.difference == pytest.approx(0.0, abs=1e-7)
    assert found.r_squared == pytest.approx(1.0, abs=1e-9)
    assert any("no E was given" in note for note in one.notes)
    assert "SPY?L=3&SP=0" in shown(tracking_report(one))
    assert "SPY?L=3&amp;SP=0" in render_html(tracking_report(one))


# --- refusals ---


@pytest.mark.parametrize("symbol", ["UPRO", "SPY", "TNA"])
def test_the_sample_cannot_track(symbol: str) -> None:
    with pytest.raises(DataError, match=rf"sample has no prices of {symbol}.*--data FOLDER with {symbol}\.csv"):
        read_tracking(symbol, SampleSource())


def test_an_index_of_the_sample_is_no_fund() -> None:
    with pytest.raises(DataError, match=r"GSPC is taken as its own index.*--funds FILE"):
        read_tracking("GSPC", SampleSource())


def test_refusals_say_what_is_missing(tmp_path: Path) -> None:
    source = folder(tmp_path, without=["SP500TR", "SPY", "IVV"])
    with pytest.raises(DataError, match=r"no series of SP500, which UPRO follows"):
        read_tracking("UPRO", source)
    with pytest.raises(DataError, match=r"UPRO\?L=2 is a synthetic ticker.*listed fund"):
        read_tracking("UPRO?L=2", source)
    with pytest.raises(CatalogueError, match=r"SP500 is an index, not a fund"):
        read_tracking("SP500", source)
    with pytest.raises(CatalogueError, match=r"unknown symbol 'UPROO'.*Did you mean UPRO\?"):
        read_tracking("UPROO", source)


def test_a_span_that_is_too_short_is_refused_with_where_the_prices_are(tmp_path: Path) -> None:
    with pytest.raises(SpanError, match=r"20 sessions .*too few to compare \(at least 60\).*2016-12-30"):
        read_tracking("UPRO", folder(tmp_path), start=SESSIONS[-21])


def test_prices_outside_the_asked_span_are_not_said_to_be_missing(tmp_path: Path) -> None:
    young = prices(levels([3.0 * x for x in MOVES[250:]], 60.0), SESSIONS[250:])
    with pytest.raises(AlphaOverlayError, match=SESSIONS[250]):
        read_tracking("UPRO", folder(tmp_path, UPRO=young), end=SESSIONS[200])


# --- what is wrong ---


def test_a_plain_fund_is_tracked_against_another_plain_fund_in_the_data(tmp_path: Path) -> None:
    one = read_tracking("SPY", folder(tmp_path))
    assert one.tracking.plain_symbol == "IVV"
    assert one.tracking.beta == pytest.approx(1.0, abs=1e-6)


def test_what_else_is_measured_does_not_change_the_figures(tmp_path: Path) -> None:
    source = folder(tmp_path)
    alone, beside = (track_document(read_tracking("UPRO", source, against=extra)).dump() for extra in ([], ["IVV"]))
    for name in PROMISED:
        if name != "assumptions":
            assert alone[name] == beside[name], name


def test_what_else_is_measured_does_not_change_the_figures_of_a_plain_fund(tmp_path: Path) -> None:
    source = folder(tmp_path)
    alone, beside = (read_tracking("SPY", source, against=extra).tracking.beta for extra in ([], ["IVV"]))
    assert alone == beside


def test_the_report_shows_the_expense_ratio_that_was_used(tmp_path: Path) -> None:
    """The first figure seen holds also before it was seen; the present one was never used here."""
    catalogue = own_funds(
        tmp_path,
        '[[fund]]\nsymbol = "MYUP"\nname = "my fund"\nindex = "SP500"\nleverage = 2\nexpense = 0.50\n'
        "expense_as_of = 2021-06-30\n"
        'expense_history = [{ seen = 2018-01-15, expense = 1.25, kind = "net" }]\n',
    )
    source = folder(tmp_path, MYUP=prices(levels([2.0 * x for x in MOVES])))
    one = read_tracking("MYUP", source, catalogue, spread=0.0)
    assert one.tracking.default.difference == pytest.approx(-0.0125, abs=0.0001)
    [ratio] = [
        str(row.cells[1]) for row in table(tracking_report(one), "Terms of M1").rows if "Expense" in str(row.cells[0])
    ]
    assert "1.25%" in ratio
    assert "0.50%" not in ratio
    [step] = track_document(one).dump()["assumptions"]["expense_steps"]
    assert step["expense"] == pytest.approx(0.0125, abs=1e-15)


def test_why_beta_is_unknown_is_said_truly(tmp_path: Path) -> None:
    young = prices(levels(MOVES[-40:], 200.0), SESSIONS[-41:])
    document = track_document(read_tracking("UPRO", folder(tmp_path, SPY=young))).dump()
    assert document["beta"] is None
    assert document["assumptions"]["plain_fund"] == "SPY"
    assert "no plain fund on the same index in the data" not in document["undefined"]["beta"]


@pytest.mark.parametrize(
    ("symbol", "spoiled"),
    [
        pytest.param("UPRO", "UPRO", id="a fund that stands still"),
        pytest.param("UPRO", "SPY", id="a plain fund that stands still"),
        pytest.param("SH", "SP500TR", id="an index that stands still"),
    ],
)
def test_series_that_stand_still_are_an_answer(tmp_path: Path, symbol: str, spoiled: str) -> None:
    sound = {"SH": prices(levels([-x for x in MOVES], 60.0))}
    source = folder(tmp_path, **{**sound, spoiled: prices([50.0] * len(SESSIONS))})
    assert answered(symbol, source)


@pytest.mark.parametrize("against", [(), ("SPY?L=-10",)], ids=["the fund itself", "another ticker"])
def test_a_synthetic_fund_that_loses_everything_is_an_answer(tmp_path: Path, against: tuple[str, ...]) -> None:
    """The index rises by half in a session: no inverse 3x fund would be left, nor SPY?L=-10."""
    risen = prices([close * (1.5 if k >= 300 else 1.0) for k, close in enumerate(levels(MOVES, 200.0))])
    if against:
        source, symbol = folder(tmp_path, SPY=risen), "UPRO"
    else:
        own = prices(levels([-3.0 * x for x in MOVES], 60.0))
        source, symbol = folder(tmp_path, SP500TR=risen, SPXU=own), "SPXU"
    assert answered(symbol, source, against)


def answered(symbol: str, source: FolderSource, against: Sequence[str] = ()) -> bool:
    """Whether there is a whole answer, or a refusal in one line; anything else raises."""
    try:
        one = read_tracking(symbol, source, against=against)
    except AlphaOverlayError as refusal:
        return len(str(refusal).splitlines()) == 1
    json.dumps(track_document(one).dump(), allow_nan=False)
    text = shown(tracking_report(one))
    return render_html(tracking_report(one)) != "" and "inf%" not in text and "R2 of nan" not in text
