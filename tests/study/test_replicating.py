"""The founding case: verdicts on real data, and honesty where data are missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests import second_opinion

from alphaoverlay.errors import StudyError
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.study.replicating import Statement, check_statements


@pytest.fixture(scope="module")
def on_real_data(reference_data: Path) -> dict[str, Statement]:
    return {one.id: one for one in check_statements(FolderSource(reference_data))}


def closes(folder: Path, symbol: str) -> dict[str, float]:
    prices = second_opinion.read_prices(folder / "prices" / f"{symbol}.csv")
    return {day.isoformat(): adjusted for day, (_, adjusted) in prices.items()}


def test_the_sample_cannot_tell_what_happened_after_it_ends() -> None:
    verdicts = {one.id: one.verdict for one in check_statements(SampleSource())}
    assert verdicts == {
        "A1": "cannot be told",
        "A2": "cannot be told",
        "A3": "cannot be told",
        "A4": "cannot be told",
        "A5": "cannot be told",
        "A6": "cannot be told",
        "A7": "cannot be told",
        "A8": "cannot be told",
        "A9": "holds",
        "A10": "holds",
        "A11": "cannot be told",
        "A12": "cannot be told",
        "A13": "cannot be told",
        "A14": "cannot be told",
        "A15": "cannot be told",
        "A16": "cannot be told",
        "A18": "cannot be told",
        "A19": "cannot be told",
        "A20": "cannot be told",
    }


def test_verdicts_on_real_data(on_real_data: dict[str, Statement]) -> None:
    assert {key: one.verdict for key, one in on_real_data.items()} == {
        "A1": "holds",
        "A2": "does not hold",
        "A3": "holds in part",
        "A4": "holds",
        "A5": "holds",
        "A6": "holds",
        "A7": "holds",
        "A8": "holds",
        "A9": "holds",
        "A10": "holds",
        "A11": "holds in part",
        "A12": "does not hold",
        "A13": "holds in part",
        "A14": "holds in part",
        "A15": "holds in part",
        "A16": "holds in part",
        "A18": "holds in part",
        "A19": "cannot be told",
        "A20": "holds in part",
    }


def test_a1_and_a2_are_ratios_of_closes(reference_data: Path, on_real_data: dict[str, Statement]) -> None:
    for name, symbol in (("russell2000", "RUT"), ("sp500", "GSPC"), ("nasdaq_composite", "IXIC"), ("nasdaq100", "NDX")):
        close = closes(reference_data, symbol)
        expected = close["2021-12-15"] / close["2020-12-31"] - 1.0
        assert on_real_data["A1"].measured[f"{name}_price"] == pytest.approx(expected, abs=1e-12)
    rut, total = closes(reference_data, "RUT"), closes(reference_data, "SP500TR")
    since = rut["2021-12-15"] / rut["2021-01-29"] - 1.0
    assert on_real_data["A2"].measured["russell2000_price"] == pytest.approx(since, abs=1e-12)
    assert on_real_data["A1"].measured["sp500_total"] == pytest.approx(
        total["2021-12-15"] / total["2020-12-31"] - 1.0, abs=1e-12
    )
    assert on_real_data["A1"].measured["russell2000_total"] > on_real_data["A1"].measured["russell2000_price"]


def test_a8_measures_from_the_peak_up_to_the_day(reference_data: Path, on_real_data: dict[str, Statement]) -> None:
    known = {day: value for day, value in closes(reference_data, "RUT").items() if day <= "2021-12-15"}
    expected = known["2021-12-15"] / max(known.values()) - 1.0
    assert on_real_data["A8"].measured["drawdown"] == pytest.approx(expected, abs=1e-12)
    assert "2021-11-08" in on_real_data["A8"].sentence


def test_every_statement_is_one_plain_sentence(on_real_data: dict[str, Statement]) -> None:
    for one in on_real_data.values():
        assert one.sentence.endswith(".")
        assert not re.search(r"\bnan\b", one.sentence)
        assert one.measured or one.verdict == "cannot be told"
        assert one.stated
        assert one.text


def with_files(reference_data: Path, folder: Path, *leave_out: str) -> Path:
    """A copy of what the case reads, by links, without some symbols."""
    (folder / "prices").mkdir()
    for path in (reference_data / "prices").glob("*.csv"):
        if path.stem not in leave_out:
            (folder / "prices" / path.name).symlink_to(path)
    (folder / "DFF.csv").symlink_to(reference_data / "DFF.csv")
    return folder


def test_a_close_that_is_missing_is_said_and_not_judged(reference_data: Path, tmp_path: Path) -> None:
    folder = with_files(reference_data, tmp_path, "RUT")
    rows = (reference_data / "prices" / "RUT.csv").read_text().splitlines()
    kept = [row if row < "2021-12-10" or row.startswith("date") else f"{row[:10]},,{row.split(',')[2]}" for row in rows]
    (folder / "prices" / "RUT.csv").write_text("\n".join(kept))
    found = {one.id: one for one in check_statements(FolderSource(folder), only=("A1", "A2", "A8"))}
    for key in ("A1", "A2", "A8"):
        assert found[key].verdict == "cannot be told"
        assert "RUT has no close on" in found[key].sentence


def test_prices_that_begin_too_late_cannot_tell(reference_data: Path, tmp_path: Path) -> None:
    folder = with_files(reference_data, tmp_path, "RUT", "GSPC", "IXIC", "NDX")
    for symbol in ("RUT", "GSPC", "IXIC", "NDX"):
        rows = (reference_data / "prices" / f"{symbol}.csv").read_text().splitlines()
        late = [row for row in rows if row >= "2021-01-05"]
        (folder / "prices" / f"{symbol}.csv").write_text("\n".join([rows[0], *(r for r in late if r != rows[0])]))
    found = {one.id: one for one in check_statements(FolderSource(folder), only=("A1", "A5", "A8"))}
    assert [found[key].verdict for key in ("A1", "A5", "A8")] == ["cannot be told"] * 3


def test_the_nasdaq100_is_shown_where_it_is_there_and_not_needed(reference_data: Path, tmp_path: Path) -> None:
    folder = with_files(reference_data, tmp_path, "NDX", "UPRO")
    found = {one.id: one for one in check_statements(FolderSource(folder), only=("A1", "A7", "A13"))}
    assert found["A1"].verdict == "holds"
    assert "nasdaq100_price" not in found["A1"].measured
    assert "partly synthetic funds" in found["A13"].sentence


def test_statements_may_be_asked_for_by_name() -> None:
    assert [one.id for one in check_statements(SampleSource(), only=("a10", "A9"))] == ["A9", "A10"]
    with pytest.raises(StudyError, match="A17 is no statement that is built; write one of A1, "):
        check_statements(SampleSource(), only=("A9", "A17"))


def test_risk_is_judged_by_every_named_measure(on_real_data: dict[str, Statement]) -> None:
    """The deeper measures rose by far more than volatility did; the verdict must not hide that."""
    one = on_real_data["A13"]
    assert one.measured["volatility"] < 1.1 * one.measured["volatility_spy"]
    assert one.measured["ulcer"] > 1.1 * one.measured["ulcer_spy"]
    for words in ("ulcer index", "worst month", "worst year", "no trading costs", "real fund prices", "Tracking error"):
        assert words in one.sentence
