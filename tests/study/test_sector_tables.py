"""Sector weights: the packaged tables, issuers' files, the names of indices and sectors, and statement A9."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.market.served_holdings import PREAMBLE, invesco_file, ishares_file
from tests.report.test_html import opened

from alphaoverlay.analysis.composition import SectorComparison, SectorWeights, compare_sectors
from alphaoverlay.errors import AlphaOverlayError, DataError, StudyError
from alphaoverlay.funds.catalogue import packaged_catalogue
from alphaoverlay.market.holdings import read_holdings
from alphaoverlay.report.html import render_html
from alphaoverlay.report.model import Figure, Report, Table
from alphaoverlay.study.sector_document import sectors_document
from alphaoverlay.study.sector_report import sectors_report
from alphaoverlay.study.sector_tables import (
    ELEVEN,
    choose_sectors,
    index_name,
    packaged_sectors,
    sectors_of_holdings,
    small_caps_and_sectors,
)

CATALOGUE = packaged_catalogue()
EQUITY = ("Equity", "1.00")


def ishares(**weights: str) -> bytes:
    """A file of iShares with one holding a sector; underscores stand for spaces."""
    rows = [(name[:4], name, name.replace("_", " "), *EQUITY, weight) for name, weight in weights.items()]
    return ishares_file(rows).encode()


def invesco(fund: str = "QQQ", **weights: str) -> bytes:
    """A file of Invesco with one holding a sector."""
    rows = [
        ("1", name[:4], '"1"', '"1"', weight, name, "Common Stock", name.replace("_", " "))
        for name, weight in weights.items()
    ]
    return invesco_file(rows, fund).encode()


# --- the packaged tables ---


def test_the_packaged_tables_are_those_of_the_case() -> None:
    known = packaged_sectors()
    small, nasdaq = known["RUSSELL2000"], known["NASDAQ100"]
    assert list(known) == ["RUSSELL2000", "NASDAQ100"]
    assert {"+".join(group): round(100 * weight, 6) for group, weight in small.weights.items()} == {
        "health care": 18.05, "financials": 16.02, "industrials": 15.20, "information technology": 14.53,
        "consumer discretionary": 11.34, "energy": 4.36, "consumer staples": 3.47, "communication services": 3.12,
        "materials+real estate+utilities": 13.91,
    }  # fmt: skip
    assert {"+".join(group): round(100 * weight, 6) for group, weight in nasdaq.weights.items()} == {
        "information technology": 50.97, "communication services": 18.38, "consumer discretionary": 16.13,
        "health care": 5.66, "consumer staples": 5.14, "industrials+utilities": 3.65, "financials": 0.0,
    }  # fmt: skip
    for one in known.values():
        assert one.asof == "2021-12-31"
        # The Russell's were read at a secondary source.
        assert one.verified is (one.index == "NASDAQ100")
        assert one.source
        assert one.note
        assert {sector for group in one.weights for sector in group} <= set(ELEVEN)
        assert one.index in CATALOGUE.indices
        assert sum(one.weights.values()) == pytest.approx(1.0, abs=0.001)


def test_no_table_is_known_before_its_day() -> None:
    assert packaged_sectors("2021-12-30") == {}
    assert list(packaged_sectors("2021-12-31")) == ["RUSSELL2000", "NASDAQ100"]


def test_the_packaged_weights_are_near_those_of_the_funds_at_the_time(reference_data: Path) -> None:
    """Holdings of October and mid-December 2021; what prices and holdings moved till the year's end is the rest."""
    theirs: dict[str, dict[str, float]] = {}
    with (reference_data / "sectors.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            weights = theirs.setdefault(row["index"], {})
            weights[row["sector"].lower()] = float(row["weight_percent"]) / 100.0
    for index, one in packaged_sectors("2021-12-31").items():
        for group, weight in one.weights.items():
            seen = sum(theirs[index].get(sector, 0.0) for sector in group)
            assert weight == pytest.approx(seen, abs=0.015), (index, group)


def test_a9_small_caps_hold_far_more_financials_and_industrials() -> None:
    measured, parts, sentence = small_caps_and_sectors()
    assert measured == {
        "russell2000_financials": pytest.approx(0.1602),
        "nasdaq100_financials": 0.0,
        "russell2000_industrials": pytest.approx(0.1520),
        "nasdaq100_industrials_at_most": pytest.approx(0.0365),
    }
    assert parts == [True, True]
    for words in (
        "On 2021-12-31",
        "16.02%",
        "none",
        "15.20%",
        "at most 3.65%",
        "upper bound",
        "Not verified: the weights of the Russell 2000.",
    ):
        assert words in sentence


def test_a9_holds_with_the_weights_of_the_funds_too(reference_data: Path) -> None:
    with (reference_data / "sectors.csv").open(newline="") as file:
        rows = {(row["index"], row["sector"]): float(row["weight_percent"]) for row in csv.DictReader(file)}
    assert rows["RUSSELL2000", "Industrials"] >= 2.0 * rows["NASDAQ100", "Industrials"]
    assert ("NASDAQ100", "Financials") not in rows


# --- issuers' files ---


def test_names_of_sectors_are_brought_to_the_eleven() -> None:
    read = read_holdings(
        ishares(
            Communication="20", Communication_Services="5", Information_Technology="30", HEALTH_CARE="25",
            Real_Estate="19.5", **{"Cash_and/or_Derivatives": "0.4"},
        ), "IWM", "iwm.csv",
    )  # fmt: skip
    found = sectors_of_holdings("RUSSELL2000", read)
    assert dict(found.weights) == {
        ("communication services",): pytest.approx(0.25),
        ("information technology",): pytest.approx(0.30),
        ("health care",): pytest.approx(0.25),
        ("real estate",): pytest.approx(0.195),
        ("cash and derivatives",): pytest.approx(0.004),
    }
    assert (found.index, found.asof, found.verified) == ("RUSSELL2000", "2026-11-20", True)
    assert found.source == "holdings of IWM, iwm.csv"
    assert (found.classification, found.note) == ("the eleven standard sectors", "")


def test_names_of_another_classification_are_taken_and_said() -> None:
    found = sectors_of_holdings("NASDAQ100", read_holdings(invesco(Technology="60", Telecommunications="40"), "QQQ"))
    assert dict(found.weights) == {
        ("information technology",): pytest.approx(0.6),
        ("communication services",): pytest.approx(0.4),
    }
    assert found.classification == "names of another classification (Technology, Telecommunications)"
    notes = compare_sectors(found, replace(packaged_sectors()["RUSSELL2000"], asof="2026-11-20")).notes
    assert any(note.startswith("The sectors may not mean the same: NASDAQ100 has names of another") for note in notes)


def test_a_name_that_is_none_of_them_is_kept_and_said() -> None:
    found = sectors_of_holdings("NASDAQ100", read_holdings(invesco(Widgets="60", Energy="40"), "QQQ"))
    assert dict(found.weights) == {("Widgets",): pytest.approx(0.6), ("energy",): pytest.approx(0.4)}
    assert found.note == "none of the eleven standard sectors, and kept as they are: Widgets"


# --- names ---


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("RUSSELL2000", "RUSSELL2000"), ("russell2000", "RUSSELL2000"), ("RUT", "RUSSELL2000"),
        ("^RUT", "RUSSELL2000"), ("iwm", "RUSSELL2000"), ("NDX", "NASDAQ100"), (" qqq ", "NASDAQ100"),
        ("SP500TR", "SP500"), ("TNA", "TNA"), ("zzz", "ZZZ"),
    ],
)  # fmt: skip
def test_the_index_name_a_name(name: str, index: str) -> None:
    assert index_name(name, CATALOGUE) == index


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "iwm.csv").write_bytes(ishares(Industrials="60", Financials="39.5"))
    (tmp_path / "qqq.csv").write_bytes(invesco(Information_Technology="100"))
    return tmp_path


def test_files_stand_in_the_place_of_the_package(folder: Path) -> None:
    long, short = choose_sectors("RUT", "QQQ", CATALOGUE, {"IWM": folder / "iwm.csv"})
    assert (long.index, long.asof, long.verified) == ("RUSSELL2000", "2026-11-20", True)
    assert short == packaged_sectors()["NASDAQ100"]
    notes = compare_sectors(long, short).notes
    assert any("1785 days apart" in note for note in notes)
    assert (date(2026, 11, 20) - date(2021, 12, 31)).days == 1785
    both = choose_sectors("RUT", "QQQ", CATALOGUE, {"RUT": folder / "iwm.csv", "NDX": folder / "qqq.csv"})
    assert [one.verified for one in both] == [True, True]


def test_a_file_makes_any_name_known(folder: Path) -> None:
    (folder / "mine.csv").write_bytes(ishares(Energy="100"))
    text = (folder / "mine.csv").read_text().replace(PREAMBLE.splitlines()[0], "Some fund")
    (folder / "mine.csv").write_text(text)
    long, _ = choose_sectors("mine", "NDX", CATALOGUE, {"MINE": folder / "mine.csv"})
    assert long.index == "MINE"
    assert dict(long.weights) == {("energy",): 1.0}


@pytest.mark.parametrize(
    ("long", "short", "files", "kind", "said"),
    [
        ("SP500", "NDX", {}, StudyError, "no sector weights of SP500: known are RUSSELL2000, NASDAQ100."),
        ("RUSELL2000", "NDX", {}, StudyError, "Did you mean RUSSELL2000? For another, give --holdings NAME=FILE"),
        ("TNA", "NDX", {}, StudyError, "no sector weights of TNA"),
        ("", "NDX", {}, StudyError, "no sector weights of"),
        ("RUT", "IWM", {}, StudyError, "RUT and IWM are both RUSSELL2000; name two indices"),
        ("NDX", "NDX", {}, StudyError, "NDX stands twice; name two indices, such as RUSSELL2000 NASDAQ100"),
        ("RUT", "NDX", {"SPY": "iwm.csv"}, StudyError, "SPY is not compared here; give files of RUSSELL2000 or NASDAQ"),
        ("RUT", "NDX", {"IWM": "iwm.csv", "RUT": "iwm.csv"}, StudyError, "RUSSELL2000 stands twice; give one file"),
        ("RUT", "NDX", {"RUT": "none.csv"}, DataError, "none.csv: cannot be read"),
        ("RUT", "NDX", {"RUT": "qqq.csv"}, DataError, "qqq.csv: holds QQQ, a fund on NASDAQ100; give a file of a fund"),
        ("RUT", "NDX", {"NDX": "iwm.csv"}, DataError, "holds iShares Russell 2000 ETF, a fund on RUSSELL2000; give"),
    ],
)
def test_refused(
    folder: Path, long: str, short: str, files: Mapping[str, str], kind: type[AlphaOverlayError], said: str
) -> None:
    with pytest.raises(kind) as caught:
        choose_sectors(long, short, CATALOGUE, {name: folder / file for name, file in files.items()})
    assert said in str(caught.value)
    assert len(str(caught.value)) < 300


# --- document and report ---


@pytest.fixture(scope="module")
def found() -> SectorComparison:
    return compare_sectors(*choose_sectors("RUSSELL2000", "NASDAQ100", CATALOGUE, {}))


def document_of(found: SectorComparison) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json.dumps(sectors_document(found).dump(), allow_nan=False))
    return read


def test_the_packaged_comparison_on_paper(found: SectorComparison) -> None:
    """Industrials and what each side publishes with others: 15.20 + 13.91 against 3.65."""
    merged = ["industrials", "materials", "real estate", "utilities"]
    assert [(round(100 * one.active, 6), one.sectors) for one in found.groups] == [
        (25.46, tuple(merged)),
        (16.02, ("financials",)),
        (12.39, ("health care",)),
        (4.36, ("energy",)),
        (-1.67, ("consumer staples",)),
        (-4.79, ("consumer discretionary",)),
        (-15.26, ("communication services",)),
        (-36.44, ("information technology",)),
    ]
    # 3.65 + 0 + 5.66 + 0 + 3.47 + 11.34 + 3.12 + 14.53
    assert found.overlap == pytest.approx(0.4177, abs=1e-12)
    assert found.overlap_is_most
    assert [note[:36] for note in found.notes if "VERIFIED" in note] == ["NOT VERIFIED: RUSSELL2000 as of 2021"]
    assert "Not listed by NASDAQ100, which sums to 99.9% without, and taken as none: energy." in found.notes


def test_the_documents_contract(found: SectorComparison) -> None:
    document = document_of(found)
    assert list(document) == [
        "schema", "version", "asof", "study", "data", "notes", "long", "short", "groups", "overlap", "overlap_is_most",
    ]  # fmt: skip
    assert (document["asof"], document["data"]) == ("2021-12-31", None)
    assert document["study"] == {"long": "RUSSELL2000", "short": "NASDAQ100"}
    assert list(document["long"]) == [
        "index", "asof", "source", "verified", "classification", "note", "weights",
    ]  # fmt: skip
    assert (document["long"]["verified"], document["short"]["verified"]) == (False, True)
    assert {"sectors": ["financials"], "weight": 0.0} in document["short"]["weights"]
    for group in document["groups"]:
        assert group["active"] == group["long"] - group["short"]
    assert document["notes"] == list(found.notes)


def test_the_later_day_is_the_documents(found: SectorComparison) -> None:
    later = compare_sectors(found.long, replace(found.short, asof="2022-01-14"))
    assert document_of(later)["asof"] == "2022-01-14"


def test_the_report_shows_both_days_what_is_unverified_and_the_chart(found: SectorComparison) -> None:
    import plotly.graph_objects as go

    report = sectors_report(found)
    assert report.summary.count("as of 2021-12-31") == 2
    assert "at most 42% of the weights are shared" in report.summary
    weights, chart, sources = parts_of(report)
    assert isinstance(weights, Table)
    assert [column.head for column in weights.columns] == [
        "Sector", "RUSSELL2000, 2021-12-31", "NASDAQ100, 2021-12-31", "Active, points",
    ]  # fmt: skip
    assert "Not verified: RUSSELL2000." in weights.note
    *rows, total = weights.rows
    assert [row.cells for row in rows] == [(one.label, one.long, one.short, one.active) for one in found.groups]
    assert [round(float(cell or 0.0), 9) for cell in total.cells[1:]] == [1.0, 0.9993, 0.0007]
    assert isinstance(sources, Table)
    assert [row.cells[3] for row in sources.rows] == ["no", "yes"]
    assert isinstance(chart, Figure)
    go.Figure(data=list(chart.data), layout=dict(chart.layout))  # raises on an unknown property
    assert "financials 16.0% and 0.0%" in chart.alt
    assert chart.note == "Not verified: RUSSELL2000."
    for bars, weight in zip(chart.data, ("long", "short"), strict=True):
        assert bars["x"] == pytest.approx([getattr(one, weight) for one in found.groups], abs=1e-6)
        assert [label.replace("<br>", " ") for label in bars["y"]] == [one.label for one in found.groups]


def parts_of(report: Report) -> list[Table | Figure]:
    return [part for section in report.sections for part in section.parts]


def test_a_report_of_verified_weights_says_nothing_of_it(folder: Path) -> None:
    files = {"IWM": folder / "iwm.csv", "QQQ": folder / "qqq.csv"}
    sides: tuple[SectorWeights, SectorWeights] = choose_sectors("IWM", "QQQ", CATALOGUE, files)
    report = sectors_report(compare_sectors(*sides))
    assert "0% of the weights are shared" in report.summary
    assert "at most" not in report.summary
    assert not any("VERIFIED" in note for note in report.notes)
    assert "Not verified" not in str(parts_of(report))


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 390)])
def test_the_page_opens_in_a_browser_without_a_complaint(
    chromium: str, found: SectorComparison, tmp_path: Path, scheme: str, width: int
) -> None:
    (tmp_path / "report.html").write_text(render_html(sectors_report(found)), encoding="utf-8")
    drawn = opened(chromium, tmp_path / "report.html", scheme, width)
    assert drawn.charts >= 1
    assert drawn.width <= width
    assert drawn.complaints == []
