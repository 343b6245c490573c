"""The financing rate of a `History`: the last value known, dated, and never stale in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.market.little_files import JANUARY, folder_of, price_file, rate_file

from alphaoverlay.errors import SpanError, SymbolNotFound
from alphaoverlay.market.reading import read_history

DAILY = {"2021-01-01": 1.0, "2021-01-05": 2.0, "2021-01-08": 3.0, "2021-01-10": 4.0, "2021-01-12": 5.0}


def test_the_rate_is_the_last_value_on_or_before_each_session(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(JANUARY[:7]), DFF=rate_file(DAILY))
    history = read_history(source, ["A"])
    # 4, 5, 6, 7, 8 January; then Monday 11 (Sunday's value) and Tuesday 12.
    assert history.rate.tolist() == pytest.approx([0.01, 0.02, 0.02, 0.02, 0.03, 0.04, 0.05], abs=1e-17)


def test_financing_is_dated_the_previous_session(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(JANUARY[:7]), DFF=rate_file(DAILY))
    history = read_history(source, ["A"])
    assert history.financing.tolist() == pytest.approx([0.0, 0.01, 0.02, 0.02, 0.02, 0.03, 0.04], abs=1e-17)
    # Over the weekend: Friday's 3% for three days of 360, though Sunday brought 4%.
    assert history.accrual[5] == pytest.approx(0.03 * 3 / 360, rel=1e-15)


def test_without_a_name_the_sources_default_rate_is_read(tmp_path: Path) -> None:
    source = folder_of(
        tmp_path, A=price_file(JANUARY), DFF=rate_file(DAILY), SOFR=rate_file({"2021-01-04": 9.0, "2021-01-11": 9.0})
    )
    assert read_history(source, ["A"]).rate.iloc[0] == pytest.approx(0.01, abs=1e-17)
    assert read_history(source, ["A"], "SOFR").rate.iloc[0] == pytest.approx(0.09, abs=1e-17)


def test_an_observed_rate_has_its_provenance(tmp_path: Path) -> None:
    history = read_history(folder_of(tmp_path, A=price_file(JANUARY), DFF=rate_file(DAILY)), ["A"])
    rate = history.provenance[-1]
    assert (rate.name, rate.place, rate.first, rate.last) == ("DFF", "DFF.csv", "2021-01-01", "2021-01-12")
    assert (rate.nature, rate.observations) == ("real", 5)
    assert history.notes == ()


@pytest.mark.parametrize(("rate", "shown"), [(0.0525, "5.25%"), (0.0, "0.00%"), (0, "0.00%"), (-0.005, "-0.50%")])
def test_a_fixed_rate_is_noted_as_assumed(tmp_path: Path, rate: float, shown: str) -> None:
    history = read_history(folder_of(tmp_path, A=price_file(JANUARY)), ["A"], rate)
    assert history.rate.tolist() == [rate] * len(JANUARY)
    assert history.provenance[-1].nature == "assumed"
    (note,) = history.notes
    assert shown in note
    assert "not observed" in note


def test_a_missing_default_rate_is_refused_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(SymbolNotFound, match=r"DFF\.csv"):
        read_history(folder_of(tmp_path, A=price_file(JANUARY)), ["A"])


def test_a_monthly_rate_is_not_stale(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(JANUARY), DFF=rate_file({"2020-12-01": 1.0, "2021-01-31": 2.0}))
    assert read_history(source, ["A"], end="2021-01-14").rate.iloc[-1] == pytest.approx(0.01, abs=1e-17)


def test_a_stale_rate_is_refused_with_its_dates_and_the_cure(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(JANUARY), DFF=rate_file({"2020-11-02": 1.0}))
    with pytest.raises(SpanError) as caught:
        read_history(source, ["A"])
    message = str(caught.value)
    for fragment in ("DFF.csv", "DFF", "2020-11-02", "2021-01-04", "Add the missing days", "[cash] rate"):
        assert fragment in message


def test_a_rate_that_is_stale_before_the_span_only_is_fine(tmp_path: Path) -> None:
    source = folder_of(
        tmp_path, A=price_file(JANUARY), DFF=rate_file({"2020-11-01": 1.0, "2020-11-02": 1.0, "2021-01-11": 2.0})
    )
    assert read_history(source, ["A"], start="2021-01-11").rate.iloc[-1] == pytest.approx(0.02, abs=1e-17)
    with pytest.raises(SpanError, match="2020-11-02"):
        read_history(source, ["A"], start="2021-01-08")


def test_prices_older_than_the_rate_are_cut_where_no_start_is_asked(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(JANUARY), DFF=rate_file({"2021-01-09": 1.0}))
    history = read_history(source, ["A"])
    assert str(history.dates[0].date()) == "2021-01-11"
    assert history.adj_close["A"].iloc[0] == (100.0 + 5) / 2


def test_a_rate_that_begins_inside_the_asked_span_is_refused(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(JANUARY), DFF=rate_file({"2021-01-09": 1.0}))
    with pytest.raises(SpanError) as caught:
        read_history(source, ["A"], start="2021-01-05")
    for fragment in ("DFF.csv", "2021-01-09", "2021-01-05", "start later"):
        assert fragment in str(caught.value)


def test_a_rate_that_begins_after_the_prices_is_refused_with_both_spans(tmp_path: Path) -> None:
    source = folder_of(tmp_path, A=price_file(JANUARY), DFF=rate_file({"2022-01-03": 1.0, "2022-01-04": 1.0}))
    with pytest.raises(SpanError) as caught:
        read_history(source, ["A"])
    for fragment in ("A 2021-01-04 to 2021-01-19", "DFF", "2022-01-03", "2022-01-04"):
        assert fragment in str(caught.value)


def test_a_daily_rate_that_falls_silent_for_weeks_is_a_hole(tmp_path: Path) -> None:
    days = {f"2021-01-{day:02d}": 1.0 for day in (1, 2, 3, 4, 5)}
    source = folder_of(tmp_path, A=price_file(JANUARY), DFF=rate_file(days))
    assert len(read_history(source, ["A"], end="2021-01-15").dates) == 10
    with pytest.raises(SpanError, match="between 2021-01-05 and 2021-01-19"):
        read_history(source, ["A"])
