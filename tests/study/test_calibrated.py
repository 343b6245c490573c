"""A calibration as it is reported: nothing later is looked at, its ticker does what it says, its figures are right."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.second_opinion import daily_reset

from alphaoverlay.errors import DataError, StudyError
from alphaoverlay.funds.calibration import Term
from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.report.html import render_html
from alphaoverlay.report.model import Figure, Table
from alphaoverlay.study.calibrated import CalibratedFund, fit_terms, read_calibration, ticker_terms
from alphaoverlay.study.calibration_documents import calibrate_document
from alphaoverlay.study.calibration_report import calibration_report
from alphaoverlay.study.tracked import read_tracking

# The dividends that the catalogue states for the S&P 500, which a price index alone gets by the calendar day.
DIVIDENDS = 0.019


def write_prices(folder: Path, symbol: str, days: pd.DatetimeIndex, levels: list[float]) -> None:
    """A file of prices without distributions."""
    rows = [f"{day:%Y-%m-%d},{level!r},{level!r}" for day, level in zip(days, levels, strict=True)]
    (folder / f"{symbol}.csv").write_text("date,close,adj_close\n" + "\n".join(rows))


def made_market(
    folder: Path,
    *,
    leverage: float,
    spread: float = 0.004,
    expense: float = 0.9,
    swap_exposure: float = 1.0,
    sessions: int = 1100,
    lived: int | None = None,
    noise: float = 0.0,
    rate: float | None = None,
    seed: int = 0,
) -> Path:
    """GSPC, a rate, and MADE, a fund on the S&P 500 made by the second implementation's M1 over its last sessions.

    The spread is a fraction, the expense percent; the rate rises from 0.5% to 4% where none is given.
    """
    days = exchange_sessions(2010, 2020)[:sessions]
    random = np.random.default_rng(seed)
    x = random.normal(0.0003, 0.011, sessions - 1).tolist()
    off = (random.normal(0.0, noise, sessions - 1) if noise else np.zeros(sessions - 1)).tolist()
    calendar = pd.date_range(days[0] - pd.Timedelta(days=3), days[-1])
    percent = np.linspace(0.5, 4.0, len(calendar)) if rate is None else np.full(len(calendar), 100.0 * rate)
    known = {day: float(f"{value:.4f}") / 100.0 for day, value in zip(calendar, percent, strict=True)}
    index, fund = [1000.0], [50.0]
    for t, (before, today) in enumerate(pairwise(days)):
        passed = (today - before).days
        index.append(index[-1] * (1.0 + x[t]))
        d, e, c = passed / 360.0, passed / 365.0, known[before]
        total = index[-1] / index[-2] - 1.0 + DIVIDENDS * e
        r = daily_reset(total, leverage, c, d, e, expense / 100.0, spread, swap_exposure)
        fund.append(fund[-1] * (1.0 + r + off[t]))
    begins = 0 if lived is None else sessions - lived
    write_prices(folder, "GSPC", days, index)
    write_prices(folder, "MADE", days[begins:], fund[begins:])
    rows = [f"{day:%Y-%m-%d},{100.0 * value:.4f}" for day, value in known.items()]
    (folder / "DFF.csv").write_text("date,percent\n" + "\n".join(rows))
    (folder / "own.toml").write_text(
        f'[[fund]]\nsymbol = "MADE"\nname = "made"\nindex = "SP500"\nleverage = {leverage}\nexpense = {expense}\n'
        f"inception = {days[begins]:%Y-%m-%d}\n"
    )
    return folder


def fitted(folder: Path, *terms: Term, **options: Any) -> CalibratedFund:
    """The calibration of MADE."""
    catalogue = load_catalogue(folder / "own.toml")
    return read_calibration("MADE", FolderSource(folder), catalogue, terms=terms or ("SP",), **options)


def missed(folder: Path, terms: str, leverage: float, expense: str = "&E=0.9") -> float:
    """Tracking difference of a ticker on the S&P 500 against MADE."""
    ticker = f"SP500?L={leverage:g}{expense}&{terms}"
    tracked = read_tracking("MADE", FolderSource(folder), load_catalogue(folder / "own.toml"), against=[ticker])
    return tracked.tracking.others[-1].difference


# --- planted in files, and back ---


@pytest.mark.parametrize("leverage", [3.0, -2.0])
def test_what_is_planted_in_files_is_what_is_reported(tmp_path: Path, leverage: float) -> None:
    made_market(tmp_path, leverage=leverage, spread=0.0043)
    found = fitted(tmp_path)
    document = calibrate_document(found).dump()
    assert document["estimates"][0]["value"] == pytest.approx(0.0043, abs=1e-9)
    # Signed as the web writes it: a cost is negative for an inverse fund.
    assert document["ticker"] == ("SP500?L=3&E=0.9&SP=0.43" if leverage > 0.0 else "SP500?L=-2&E=0.9&SP=-0.43")
    assert document["ticker"] in calibration_report(found).summary
    assert document["sessions"] == 1099
    assert document["residual"]["tracking_difference"] == pytest.approx(0.0, abs=1e-12)
    assert set(document["by_year"]) == {"2010", "2011", "2012", "2013"}  # of 2014 there are but 94 sessions
    assert all(value == pytest.approx(0.0043, abs=1e-6) for value in document["by_year"].values())
    assert len(document["rolling"]) == (1099 - 756) // 63 + 1


def terms_of(ticker: str) -> str:
    """What a whole ticker such as SP500?L=3&E=0.9&SP=0.4 says after its leverage."""
    return ticker.partition("&")[2]


@pytest.mark.parametrize("leverage", [3.0, -2.0])
@pytest.mark.parametrize("terms", [("SP",), ("SW",), ("SP", "SW")], ids="&".join)
def test_the_ticker_of_a_fit_ends_where_the_real_fund_ended(
    tmp_path: Path, leverage: float, terms: tuple[Term, ...]
) -> None:
    """Written with four digits behind the point of a percentage: a millionth a year, a few times over."""
    made_market(tmp_path, leverage=leverage, spread=0.0061, swap_exposure=1.08, noise=0.002)
    found = fitted(tmp_path, *terms)
    gap = missed(tmp_path, terms_of(ticker_terms(found.calibration)), leverage, expense="")
    assert gap == pytest.approx(0.0, abs=2e-5)
    assert abs(missed(tmp_path, "SP=0", leverage)) > 1e-3


def test_the_expense_ratio_of_a_fit_ends_where_the_real_fund_ended(tmp_path: Path) -> None:
    made_market(tmp_path, leverage=3.0, expense=0.9, spread=0.0061, noise=0.002)
    found = fitted(tmp_path, "E")
    assert missed(tmp_path, terms_of(ticker_terms(found.calibration)), 3.0, expense="") == pytest.approx(0.0, abs=2e-5)


@pytest.mark.parametrize("terms", [("SP",), ("SW",), ("E",), ("SP", "SW"), ("SW", "E"), ("SP", "SW", "E")], ids=str)
def test_every_fit_that_says_it_ends_where_the_real_fund_ended_does(tmp_path: Path, terms: tuple[Term, ...]) -> None:
    made_market(tmp_path, leverage=3.0, noise=0.003)
    found = fitted(tmp_path, *terms)
    assert re.search("ends? where the real one ended", calibration_report(found).summary)
    assert found.calibration.residual_statistics["tracking_difference"] == pytest.approx(0.0, abs=1e-12)


def test_each_ticker_offered_for_three_terms_ends_where_the_real_fund_ended(tmp_path: Path) -> None:
    made_market(tmp_path, leverage=3.0, spread=0.0061, swap_exposure=1.08, noise=0.002)
    found = fitted(tmp_path, "SP", "SW", "E")
    offers = ticker_terms(found.calibration).split(" or ")
    assert len(offers) == 2
    for offered in offers:
        assert missed(tmp_path, terms_of(offered), 3.0, expense="") == pytest.approx(0.0, abs=2e-5), offered


# --- nothing later is looked at ---


def cut(data: Path, folder: Path, last: str, symbols: list[str]) -> Path:
    """A copy of a data folder that ends on a day, as it was known then."""
    (folder / "prices").mkdir(parents=True)
    for path in [*(data / "prices" / f"{symbol}.csv" for symbol in symbols), data / "DFF.csv"]:
        head, *rows = path.read_text().splitlines()
        kept = [row for row in rows if row[:10] <= last]
        assert len(kept) < len(rows)
        target = folder / path.relative_to(data)
        target.write_text("\n".join([head, *kept]))
    return folder


@pytest.mark.parametrize(
    ("symbol", "read", "terms"),
    [("UPRO", ["SPY", "SP500TR", "GSPC"], "SP"), ("TWM", ["IWM", "RUT"], "SP,SW"), ("TNA", ["IWM", "RUT"], "E")],
)
def test_until_a_day_is_bit_for_bit_what_was_known_on_that_day(
    reference_data: Path, tmp_path: Path, symbol: str, read: list[str], terms: str
) -> None:
    day = "2020-08-19"
    then = FolderSource(cut(reference_data, tmp_path / "then", day, [symbol, *read]))
    now = FolderSource(reference_data)
    one, other = (read_calibration(symbol, source, until=day, terms=fit_terms(terms), seed=9) for source in (now, then))
    np.testing.assert_array_equal(one.calibration.residual.to_numpy(), other.calibration.residual.to_numpy())
    documents = [calibrate_document(x).dump() for x in (one, other)]
    for document in documents:
        assert document["end"] == document["asof"] == day
        # Where the files end, and where they lie, may differ; their values up to the day may not.
        document["data"].pop("series")
        document["data"].pop("source")
    assert documents[0] == documents[1]


def test_a_start_leaves_out_what_came_before(tmp_path: Path) -> None:
    made_market(tmp_path, leverage=3.0, noise=0.003)
    days = exchange_sessions(2010, 2020)[:1100]
    whole, later = fitted(tmp_path), fitted(tmp_path, start=f"{days[500]:%Y-%m-%d}")
    assert later.calibration.tracking.history.dates[0] == days[500]
    assert len(later.calibration.tracking.real) == 599
    assert later.calibration.estimates[0].value != whole.calibration.estimates[0].value


def test_the_rate_asked_for_is_the_one_that_is_used(tmp_path: Path) -> None:
    """A 3x fund pays the rate twice and the spread twice: a rate 1% too low is a spread 1% too high."""
    made_market(tmp_path, leverage=3.0, spread=0.004, rate=0.02)
    assert fitted(tmp_path, rate=0.02).calibration.estimates[0].value == pytest.approx(0.004, abs=1e-9)
    assert fitted(tmp_path, rate=0.01).calibration.estimates[0].value == pytest.approx(0.014, abs=1e-9)


# --- what is said ---


def test_the_residuals_are_those_of_the_daily_gaps(tmp_path: Path) -> None:
    made_market(tmp_path, leverage=-2.0, noise=0.003)
    found = fitted(tmp_path).calibration
    gaps = found.residual.to_numpy()
    seen = found.residual_statistics
    days = (found.residual.index[-1] - found.tracking.history.dates[0]).days
    assert seen["tracking_difference"] == pytest.approx(math.fsum(gaps) / (days / 365.25), abs=1e-15)
    assert seen["tracking_error"] == pytest.approx(float(np.std(gaps, ddof=1)) * math.sqrt(252.0), rel=1e-12)
    # The population's version of the lag-one correlation, which divides by all squares.
    away = gaps - gaps.mean()
    assert seen["autocorrelation"] == pytest.approx(math.fsum(away[1:] * away[:-1]) / math.fsum(away**2), abs=1e-12)
    assert seen["largest"] in (gaps.max(), gaps.min())
    assert abs(seen["largest"]) == np.abs(gaps).max()


def test_every_caution_is_a_note_of_the_report_and_of_the_document(tmp_path: Path) -> None:
    made_market(tmp_path, leverage=3.0, sessions=500, noise=0.002)
    found = fitted(tmp_path, "SP", "E")
    assert len(found.calibration.cautions) == 2
    report, document = calibration_report(found), calibrate_document(found).dump()
    for caution in found.calibration.cautions:
        assert caution in report.notes
        assert caution in document["notes"]
    assert any("499 sessions hold fewer than three blocks" in note for note in report.notes)


def test_the_report_shows_the_fit_its_residuals_and_its_stability(tmp_path: Path) -> None:
    made_market(tmp_path, leverage=3.0, noise=0.002)
    found = fitted(tmp_path, "SP", "SW")
    report = calibration_report(found)
    parts = [part for section in report.sections for part in section.parts]
    tables = {part.title: part for part in parts if isinstance(part, Table)}
    assert [row.cells[1] for row in tables["Fitted terms"].rows] == [e.value for e in found.calibration.estimates]
    assert [row.kind for row in tables["Fitted terms"].rows] == ["percent 2", "ratio"]
    assert len(tables["Spread by calendar year"].rows) == 4
    [figure] = [part for part in parts if isinstance(part, Figure)]
    assert len(figure.data[0]["x"]) == len(found.calibration.rolling)
    page = render_html(report)
    assert "Spread over trailing windows" in page
    assert "not investment advice" in page


def test_a_plain_funds_report_has_no_spread(reference_data: Path) -> None:
    source = FolderSource(reference_data)
    found = read_calibration("SPY", source, terms=("E",))
    report = calibration_report(found)
    assert [section.title for section in report.sections] == [
        "Fit", "Assumptions", "Where the data came from",
    ]  # fmt: skip
    document = calibrate_document(found).dump()
    assert (document["rolling"], document["by_year"]) == ({}, {})
    assert document["assumptions"]["spread"]["basis"] == "none"
    with pytest.raises(StudyError, match="SPY borrows nothing"):
        read_calibration("SPY", source)


def test_the_document_says_how_the_interval_was_made(tmp_path: Path) -> None:
    made_market(tmp_path, leverage=3.0, noise=0.002)
    document = calibrate_document(fitted(tmp_path, "SP", "SW", seed=12)).dump()
    assert (document["block"], document["resamples"], document["seed"]) == (252, 2000, 12)
    assert document["study"]["fit"] == ["SP", "SW"]
    assert [one["term"] for one in document["estimates"]] == ["SP", "SW"]
    for one in document["estimates"]:
        assert one["low"] < one["value"] < one["high"]
    assert document["assumptions"]["spread"]["spread"] == document["estimates"][0]["assumed"]


@pytest.mark.parametrize(
    ("text", "terms"),
    [("SP", ("SP",)), ("sw,sp", ("SP", "SW")), (" E  SW ", ("SW", "E")), ("SP,SP", ("SP",)), ("e,,", ("E",))],
)
def test_terms_are_read_in_any_case_and_order(text: str, terms: tuple[Term, ...]) -> None:
    assert fit_terms(text) == terms


@pytest.mark.parametrize("text", ["", " , ", "SPREAD", "SP;SW", "SP,X", "S P"])
def test_other_words_are_no_terms(text: str) -> None:
    with pytest.raises(StudyError, match="one or more of SP, SW and E"):
        fit_terms(text)


def test_a_fund_without_prices_is_refused_by_name(reference_data: Path) -> None:
    with pytest.raises(DataError, match="no prices of SPXL"):
        read_calibration("SPXL", FolderSource(reference_data))


def test_the_days_of_the_document_are_those_of_the_fund(reference_data: Path) -> None:
    document = calibrate_document(read_calibration("SQQQ", FolderSource(reference_data))).dump()
    assert (document["start"], document["end"]) == ("2010-02-11", "2021-12-31")
    assert document["assumptions"]["spread"]["asof"] == "2021-12-31"
