"""The financing rate: what a bill's discount accrues, and what stands in before a rate's first value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.market.little_files import JANUARY, folder_of, price_file, rate_file

from alphaoverlay.errors import DataError, FetchError, SpanError, SymbolNotFound
from alphaoverlay.history import PriceSeries, Provenance, RateSeries
from alphaoverlay.market.rates import accruing, read_rate_series
from alphaoverlay.market.reading import read_history

BEGINNING = pd.Timestamp("1970-01-02")


def rate_of(name: str, values: Mapping[str, float]) -> RateSeries:
    """Yearly fractions by day."""
    index = pd.DatetimeIndex(list(values), name="date")
    came = Provenance(name, "made", f"{name}.csv", next(iter(values)), list(values)[-1], len(values))
    return RateSeries(name, pd.Series(list(values.values()), index=index, name=name, dtype="float64"), came)


@dataclass
class Rates:
    """A source of rates that remembers what it was asked for."""

    rates: Mapping[str, Mapping[str, float] | Exception]
    asked: list[str] = field(default_factory=list)
    name: str = "made"
    default_rate: str = "DFF"
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    accept: frozenset[str] = frozenset()

    def holds(self, symbol: str) -> bool:
        return False

    def prices(self, symbol: str, since: str | None = None) -> PriceSeries:
        raise SymbolNotFound(f"no {symbol}")

    def rate(self, name: str, since: str | None = None) -> RateSeries:
        self.asked.append(name)
        found = self.rates.get(name)
        if found is None:
            raise SymbolNotFound(f"no {name}")
        if isinstance(found, Exception):
            raise found
        return rate_of(name, found)


def dated(values: pd.Series) -> dict[str, float]:
    return {str(stamp.date()): float(value) for stamp, value in values.items() if isinstance(stamp, pd.Timestamp)}


# --- a bill's discount ---


@given(st.integers(-500, 2000))
def test_a_bill_bought_at_its_discount_is_worth_its_face_after_91_days(basis_points: int) -> None:
    """In fractions: the price is 1 - 91/360 q, and accrues to 1 at the rate for 91 days of 360."""
    q = Fraction(basis_points, 10_000)
    price = 1 - q * Fraction(91, 360)
    exact = (1 / price - 1) * Fraction(360, 91)
    turned = accruing(rate_of("DTB3", {"2021-01-04": float(q)})).values.iloc[0]
    assert turned == pytest.approx(float(exact), rel=1e-14, abs=1e-18)
    assert float(price) * (1.0 + turned * 91 / 360) == pytest.approx(1.0, abs=1e-15)


def test_the_bill_of_1981_by_hand() -> None:
    """15.49% of discount: 3.9155...% off the face, a yield of 16.12%."""
    turned = accruing(rate_of("DTB3", {"1981-08-01": 0.1549})).values.iloc[0]
    assert turned == pytest.approx(0.1549 / 0.96084472222222, rel=1e-12)
    assert turned == pytest.approx(0.1612, abs=5e-5)


def test_that_it_was_turned_is_noted() -> None:
    series = rate_of("DTB3", {"2021-01-04": 0.01})
    assert "bank discount turned into the yield" in accruing(series).provenance.note
    assert accruing(series).provenance.first == series.provenance.first


@pytest.mark.parametrize("name", ["DFF", "SOFR", "RF", "DTB6"])
def test_no_other_rate_is_turned(name: str) -> None:
    series = rate_of(name, {"2021-01-04": 0.05})
    assert accruing(series) is series


@pytest.mark.parametrize("name", ["DTB3", "dtb3"])
def test_a_bill_is_turned_however_it_is_written(tmp_path: Path, name: str) -> None:
    source = folder_of(tmp_path, A=price_file(JANUARY), DTB3=rate_file(dict.fromkeys(JANUARY, 10.0)))
    # 1 - 0.1 * 91/360 = 0.974722...
    assert read_history(source, ["A"], name).rate.tolist() == pytest.approx([0.1 / 0.9747222222222222] * 11, rel=1e-14)


# --- what stands in ---

SOFR = {"2018-04-03": 0.018, "2018-04-04": 0.019}
DFF = {"2018-03-30": 0.01, "2018-04-02": 0.011, "2018-04-03": 0.012, "2018-04-04": 0.013}
RF = {"2018-03-01": 0.001, "2018-03-29": 0.002, "2018-04-02": 0.003}


def test_before_its_first_value_the_next_of_the_list_stands_in() -> None:
    rate = read_rate_series(Rates({"SOFR": SOFR, "DFF": DFF}), "SOFR", pd.Timestamp("2018-03-30"))
    assert dated(rate.values) == {
        "2018-03-30": 0.01, "2018-04-02": 0.011, "2018-04-03": 0.018, "2018-04-04": 0.019,
    }  # fmt: skip
    assert rate.values.index.is_monotonic_increasing
    assert rate.values.name == rate.name == "SOFR"
    assert rate.place == "SOFR.csv"
    assert rate.notes == ("Financing rate before 2018-04-03, where SOFR begins: DFF.",)


def test_each_one_keeps_its_own_provenance_from_the_later_to_the_earlier() -> None:
    source = Rates({"SOFR": SOFR, "DFF": DFF, "DTB3": {"2018-03-01": 0.0091, "2018-04-01": 0.5}, "RF": RF})
    rate = read_rate_series(source, "SOFR", BEGINNING)
    assert [one.name for one in rate.parts] == ["SOFR", "DFF", "DTB3"]  # RF begins no earlier than DTB3
    assert [one.first for one in rate.parts] == ["2018-04-03", "2018-03-30", "2018-03-01"]
    assert [one.observations for one in rate.parts] == [2, 4, 2]
    assert "bank discount" in rate.parts[2].note
    assert rate.notes == (
        "Financing rate before 2018-04-03, where SOFR begins: DFF.",
        "Financing rate before 2018-03-30, where DFF begins: DTB3.",
    )
    assert list(dated(rate.values)) == ["2018-03-01", "2018-03-30", "2018-04-02", "2018-04-03", "2018-04-04"]
    assert rate.values.iloc[0] == pytest.approx(0.0091 / (1.0 - 0.0091 * 91 / 360), rel=1e-15)


def test_one_that_has_nothing_earlier_is_neither_used_nor_named() -> None:
    source = Rates({"SOFR": SOFR, "DFF": {"2018-04-03": 0.5, "2018-04-04": 0.5}, "RF": RF})
    rate = read_rate_series(source, "SOFR", BEGINNING)
    assert [one.name for one in rate.parts] == ["SOFR", "RF"]
    assert rate.notes == ("Financing rate before 2018-04-03, where SOFR begins: RF.",)
    assert list(rate.values) == [0.001, 0.002, 0.003, 0.018, 0.019]


def test_one_that_is_missing_is_passed_over() -> None:
    source = Rates({"SOFR": SOFR, "RF": RF})
    assert [one.name for one in read_rate_series(source, "SOFR", BEGINNING).parts] == ["SOFR", "RF"]
    assert source.asked == ["SOFR", "DFF", "DTB3", "RF"]


@pytest.mark.parametrize("needed", ["2018-04-03", "2018-04-10"])
def test_what_is_not_needed_is_not_asked_for(needed: str) -> None:
    source = Rates({"SOFR": SOFR, "DFF": DataError("broken")})
    rate = read_rate_series(source, "SOFR", pd.Timestamp(needed))
    assert (source.asked, rate.notes, len(rate.parts)) == (["SOFR"], (), 1)


def test_no_more_are_asked_for_than_are_needed() -> None:
    source = Rates({"SOFR": SOFR, "DFF": DFF, "DTB3": DataError("broken")})
    read_rate_series(source, "SOFR", pd.Timestamp("2018-03-30"))
    assert source.asked == ["SOFR", "DFF"]


@pytest.mark.parametrize("error", [DataError("DTB3.csv, line 7: broken"), FetchError("an outage")])
def test_one_that_is_in_error_stops_rather_than_shorten_the_past_in_silence(error: DataError) -> None:
    source = Rates({"DFF": DFF, "DTB3": error, "RF": RF})
    with pytest.raises(type(error), match=str(error)):
        read_rate_series(source, "DFF", BEGINNING)


def test_the_rate_itself_must_be_there() -> None:
    with pytest.raises(SymbolNotFound, match="no SOFR"):
        read_rate_series(Rates({"DFF": DFF}), "SOFR", BEGINNING)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("DFF", ["DFF", "DTB3", "RF"]),
        ("DTB3", ["DTB3", "RF"]),
        ("RF", ["RF"]),
        ("OBFR", ["OBFR"]),  # nothing is known to be like it
        ("sofr", ["sofr", "DFF", "DTB3", "RF"]),
    ],
)
def test_only_what_comes_later_in_the_list_stands_in(name: str, asked: list[str]) -> None:
    source = Rates({name: SOFR})
    read_rate_series(source, name, BEGINNING)
    assert source.asked == asked


# --- in a history ---


def days_from(first: str, count: int) -> list[str]:
    return [str(date.fromisoformat(first) + timedelta(days=k)) for k in range(count)]


def test_a_history_has_the_rates_of_both_and_says_so(tmp_path: Path) -> None:
    source = folder_of(
        tmp_path,
        A=price_file(JANUARY),
        SOFR=rate_file({"2021-01-12": 5.0, "2021-01-15": 6.0}),
        DFF=rate_file({"2020-12-31": 1.0, "2021-01-08": 2.0, "2021-01-12": 9.0}),
    )
    history = read_history(source, ["A"], "SOFR")
    # 4 to 7, 8 and 11; then 12, 13, 14; then 15 and 19 January.
    assert history.rate.tolist() == pytest.approx([0.01] * 4 + [0.02] * 2 + [0.05] * 3 + [0.06] * 2, abs=1e-17)
    assert [one.name for one in history.provenance] == ["A", "SOFR", "DFF"]
    assert history.notes == ("Financing rate before 2021-01-12, where SOFR begins: DFF.",)


def test_with_a_start_inside_its_life_nothing_stands_in(tmp_path: Path) -> None:
    source = folder_of(
        tmp_path,
        A=price_file(JANUARY),
        SOFR=rate_file({"2021-01-12": 5.0, "2021-01-15": 6.0}),
        DFF=rate_file({"2020-12-31": 1.0}),
    )
    history = read_history(source, ["A"], "SOFR", start="2021-01-12")
    assert [one.name for one in history.provenance] == ["A", "SOFR"]
    assert str(history.dates[0].date()) == "2021-01-12"


def test_a_monthly_rate_may_stand_in_for_a_daily_one(tmp_path: Path) -> None:
    """Its values hold for a month and a half, those of the daily one for ten days."""
    days = [str(stamp.date()) for stamp in pd.bdate_range("2019-02-19", "2019-07-31")]
    closed = {"2019-04-19", "2019-05-27", "2019-07-04"}  # Good Friday, Memorial and Independence Day
    sessions = [one for one in days if one not in closed]
    monthly = {"2019-01-01": 1.0, "2019-02-01": 1.5, "2019-03-01": 2.0, "2019-04-01": 3.0, "2019-05-01": 4.0}
    daily = dict.fromkeys(days_from("2019-05-20", 70), 5.0)
    source = folder_of(tmp_path, A=price_file(sessions), DFF=rate_file(daily), RF=rate_file(monthly))
    rate = read_history(source, ["A"]).rate
    assert rate["2019-03-29"] == pytest.approx(0.02)
    assert rate["2019-05-17"] == pytest.approx(0.04)
    assert rate["2019-05-20"] == pytest.approx(0.05)


def test_a_monthly_stand_in_does_not_excuse_a_silence_of_the_daily_rate(tmp_path: Path) -> None:
    sessions = [str(stamp.date()) for stamp in pd.bdate_range("2019-05-28", "2019-06-28")]
    monthly = {f"{year}-{month:02d}-01": 1.0 for year in range(2010, 2020) for month in range(1, 13)}
    daily = dict.fromkeys(days_from("2019-06-03", 5), 5.0)
    source = folder_of(tmp_path, A=price_file(sessions), DFF=rate_file(daily), RF=rate_file(monthly))
    with pytest.raises(SpanError, match=r"no value of DFF between 2019-06-07 and 2019-06-18"):
        read_history(source, ["A"])


def test_a_silence_between_two_rates_is_refused(tmp_path: Path) -> None:
    source = folder_of(
        tmp_path,
        A=price_file(JANUARY),
        SOFR=rate_file({"2021-01-19": 5.0}),
        DFF=rate_file({"2020-12-31": 1.0, "2021-01-01": 1.0}),
    )
    with pytest.raises(SpanError, match=r"no value of SOFR between 2021-01-01 and 2021-01-12"):
        read_history(source, ["A"], "SOFR")


def test_where_no_rate_reaches_the_asked_start_the_run_stops(tmp_path: Path) -> None:
    source = folder_of(
        tmp_path,
        A=price_file(JANUARY),
        SOFR=rate_file({"2021-01-12": 5.0}),
        DFF=rate_file({"2021-01-08": 1.0}),
    )
    with pytest.raises(SpanError, match="the rate SOFR begins on 2021-01-08, after the asked start 2021-01-06"):
        read_history(source, ["A"], "SOFR", start="2021-01-06")


STEPS = st.lists(st.integers(1, 6), min_size=40, max_size=40)


@settings(max_examples=60)
@given(st.tuples(STEPS, STEPS, STEPS), st.tuples(st.integers(0, 30), st.integers(0, 30)), st.integers(0, 1000))
def test_the_rate_of_every_session_is_the_last_value_of_the_rate_in_force(
    tmp_path_factory: pytest.TempPathFactory, steps: tuple[list[int], ...], later: tuple[int, int], seed: int
) -> None:
    """Against a loop over calendar days: which rate is in force, and what it said last."""
    first, last = date(2020, 12, 20), date(2021, 1, 19)
    draw = np.random.default_rng(seed)
    tables: list[dict[date, float]] = []
    for own, begin in zip(steps, (*later, 0), strict=True):
        days = [first + timedelta(days=begin + sum(own[:k])) for k in range(len(own))]
        tables.append({one: int(draw.integers(-50, 900)) / 100 for one in days})
    names = ("SOFR", "DFF", "DTB3")
    texts = {
        name: rate_file({str(one): percent for one, percent in table.items()})
        for name, table in zip(names, tables, strict=True)
    }
    source = folder_of(tmp_path_factory.mktemp("rates"), A=price_file(JANUARY), **texts)

    known, expected, used = 0.0, [], set()
    for one in (first + timedelta(days=k) for k in range((last - first).days + 1)):
        k = min(k for k in range(3) if min(tables[k]) <= one)
        used.add(names[k])
        if one in tables[k]:
            percent = tables[k][one] / 100
            known = percent / (1 - percent * 91 / 360) if names[k] == "DTB3" else percent
        if str(one) in JANUARY:
            expected.append(known)

    history = read_history(source, ["A"], "SOFR", end=str(last))
    assert history.rate.tolist() == pytest.approx(expected, rel=1e-14, abs=1e-18)
    said = {one.name for one in history.provenance} - {"A"}
    assert said <= used | {"SOFR"}  # what only reaches further back than the prices is not read
