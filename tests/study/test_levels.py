"""Levels of symbols and indices on one basis: what is taken, from when, and what is refused with a way out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from tests.study.plain_market import DAYS

from alphaoverlay.errors import AlphaOverlayError, SpanError, SymbolNotFound
from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.study.levels import Basis, Levels, common_span, read_levels

N = len(DAYS)
BASES: tuple[Basis, Basis] = ("price", "total")


def price(t: int) -> float:
    return 100.0 * math.exp(0.0005 * t + 0.01 * math.sin(t / 7))


def other(t: int) -> float:
    return 80.0 * math.exp(0.0003 * t + 0.02 * math.sin(t / 5))


def write(
    folder: Path,
    symbol: str,
    level: Callable[[int], float] = price,
    *,
    first: int = 0,
    last: int = N,
    missing: Iterable[int] = (),
    no_close: Iterable[int] = (),
    no_adjusted: Iterable[int] = (),
    paid: float = 0.0,
) -> Path:
    """Write a price file; `paid` is the share of distributions that each session's adjusted close leaves out."""
    rows = ["date,close,adj_close"]
    for t in range(first, last):
        if t not in set(missing):
            close = "" if t in set(no_close) else repr(level(t))
            adjusted = "" if t in set(no_adjusted) else repr(level(t) * (1.0 - paid) ** (N - t))
            rows.append(f"{DAYS[t]},{close},{adjusted}")
    (folder / f"{symbol}.csv").write_text("\n".join(rows))
    return folder


def write_rate(folder: Path, name: str = "DFF", percent: float = 1.5, first: int = 0) -> Path:
    rows = [f"{day},{percent + t / 100}" for t, day in enumerate(DAYS) if t >= first]
    (folder / f"{name}.csv").write_text("date,percent\n" + "\n".join(rows))
    return folder


def levels_of(
    folder: Path, *names: str, basis: Basis = "price", end: str | None = None, rate: str | float | None = None
) -> Levels:
    return read_levels(names, basis, FolderSource(folder), load_catalogue(None), end=end, rate=rate)


def refused(folder: Path, *names: str, basis: Basis = "price", end: str | None = None) -> str:
    with pytest.raises(AlphaOverlayError) as caught:
        common_span(levels_of(folder, *names, basis=basis, end=end).frame, names)
    message = str(caught.value)
    assert "\n" not in message
    return message


def days_of(index: pd.Index) -> list[date]:
    return [day.date() for day in pd.DatetimeIndex(index)]


# --- what is taken ---


def test_a_symbol_is_taken_as_given(tmp_path: Path) -> None:
    write(write(tmp_path, "IWM", paid=0.0001), "QQQ", other)
    plain, total = (levels_of(tmp_path, "IWM", "QQQ", basis=basis) for basis in BASES)
    assert plain.frame["IWM"].tolist() == [price(t) for t in range(N)]
    assert total.frame["IWM"].tolist() == pytest.approx([price(t) * 0.9999 ** (N - t) for t in range(N)], rel=1e-15)
    assert plain.frame["QQQ"].tolist() == total.frame["QQQ"].tolist() == [other(t) for t in range(N)]
    assert days_of(plain.frame.index) == DAYS
    assert plain.made_of == {"IWM": "closes of IWM", "QQQ": "closes of QQQ"}
    assert total.made_of == {"IWM": "closes with distributions of IWM", "QQQ": "closes with distributions of QQQ"}


def test_an_index_is_its_price_series(tmp_path: Path) -> None:
    write(write(write(tmp_path, "RUT"), "IWM", other), "NDX", other)
    found = levels_of(tmp_path, "RUSSELL2000", "NASDAQ100")
    assert found.frame["RUSSELL2000"].tolist() == [price(t) for t in range(N)]
    assert found.made_of == {"RUSSELL2000": "closes of RUT", "NASDAQ100": "closes of NDX"}
    assert [one.name for one in found.history.provenance] == ["RUT", "NDX"]


def test_the_total_return_of_an_index_is_its_own_series_where_there_is_one(tmp_path: Path) -> None:
    write(write(tmp_path, "SP500TR", other), "GSPC")
    grown = levels_of(tmp_path, "SP500", basis="total").frame["SP500"]
    assert (grown / grown.iloc[0]).tolist() == pytest.approx([other(t) / other(0) for t in range(N)], rel=1e-12)
    told = levels_of(tmp_path, "SP500", basis="total").made_of["SP500"]
    assert told.startswith("total return of S&P 500: ")
    assert "(SP500TR)" in told


def test_the_total_return_of_a_price_index_has_the_stated_dividends(tmp_path: Path) -> None:
    """1.3% a year of calendar days over 365 on top of the price, where no fund tells better."""
    write(tmp_path, "RUT")
    found = levels_of(tmp_path, "RUSSELL2000", basis="total")
    grown = found.frame["RUSSELL2000"]
    years = (DAYS[-1] - DAYS[0]).days / 365
    excess = (grown.iloc[-1] / grown.iloc[0]) / (price(N - 1) / price(0)) - 1
    assert excess == pytest.approx(0.013 * years, rel=0.05)
    assert "stated 1.3% dividends (RUT)" in found.made_of["RUSSELL2000"]


def test_a_fund_stands_for_an_index_only_with_its_distributions(tmp_path: Path) -> None:
    write(write(tmp_path, "IWM"), "QQQ", other, first=30)
    found = levels_of(tmp_path, "RUSSELL2000", "NASDAQ100", basis="total")
    assert "plain fund, expense added back (IWM)" in found.made_of["RUSSELL2000"]
    assert days_of(common_span(found.frame, ["RUSSELL2000", "NASDAQ100"]).index) == DAYS[30:]
    message = refused(tmp_path, "RUSSELL2000", "NASDAQ100")
    for words in ("RUSSELL2000: no price series of it", 'basis = "total"', "such as IWM", "RUT.csv"):
        assert words in message


def test_stand_ins_and_their_notes_are_carried() -> None:
    found = read_levels(("RUSSELL2000", "NASDAQ100"), "price", SampleSource(), load_catalogue(None))
    assert any(note.endswith("stands in for NASDAQ100 (Nasdaq-100).") for note in found.notes)
    assert any("SAMPLE DATA" in note for note in found.notes)


# --- what is refused ---


def full_folder(folder: Path) -> Path:
    for symbol in ("RUT", "NDX", "IXIC", "GSPC", "SP500TR", "SPY", "IWM"):
        write(folder, symbol)
    return folder


@pytest.mark.parametrize(
    ("basis", "names", "said"),
    [
        ("total", ("RUT", "SPY"), ['basis = "total"', "RUT is a price index", "RUSSELL2000", 'basis = "price"']),
        ("total", ("^RUT", "SPY"), ["^RUT is a price index", "RUSSELL2000"]),
        ("total", ("SPY", "IXIC"), ["IXIC is a price index", "NASDAQCOMP"]),
        ("price", ("SP500TR", "RUT"), ['basis = "price"', "SP500TR is a total-return index", "write GSPC", '"total"']),
        ("price", ("RUT", "SPY?L=2"), ["SPY?L=2", "a ticker with terms has no history"]),
        ("price", ("RUSELL2000", "RUT"), ["RUSELL2000", "Did you mean RUSSELL2000?", "add RUSELL2000.csv"]),
        ("price", ("IWN", "RUT"), ["IWN is neither an index", "nor a symbol", "add IWN.csv to the data folder"]),
        ("price", ("GOLD", "RUT"), ["GOLD: no price series of it", 'basis = "total"', "GLD"]),
        ("total", ("GOLD", "SPY"), ["GOLD: no series of it", "GLD.csv"]),
    ],
    ids=str,
)
def test_what_does_not_exist_on_this_basis_is_refused_with_what_to_write(
    tmp_path: Path, basis: Basis, names: tuple[str, str], said: list[str]
) -> None:
    message = refused(full_folder(tmp_path), *names, basis=basis)
    for words in said:
        assert words in message


def test_the_way_out_of_a_missing_price_series_is_one(tmp_path: Path) -> None:
    message = refused(full_folder(tmp_path), "GOLD", "RUT")
    write(tmp_path, "GLD")
    assert "GLD.csv" not in message or refused(tmp_path, "GOLD", "RUT") != message


# --- where levels are known ---


def test_levels_are_compared_where_both_are_known(tmp_path: Path) -> None:
    write(write(tmp_path, "AAA", first=100), "BBB", other, last=400)
    found = levels_of(tmp_path, "AAA", "BBB")
    assert days_of(found.frame.index) == DAYS
    common = common_span(found.frame, ["AAA", "BBB"])
    assert days_of(common.index) == DAYS[100:400]
    assert common["AAA"].tolist() == [price(t) for t in range(100, 400)]
    assert common["BBB"].tolist() == [other(t) for t in range(100, 400)]


def test_closes_that_begin_later_than_adjusted_ones(tmp_path: Path) -> None:
    """As for SPY and QQQ before 2000."""
    write(write(tmp_path, "AAA", no_close=range(100)), "BBB", other)
    for basis, first in zip(BASES, (100, 0), strict=True):
        found = levels_of(tmp_path, "AAA", "BBB", basis=basis)
        assert days_of(common_span(found.frame, ["AAA", "BBB"]).index) == DAYS[first:]


def test_no_common_day_is_refused_with_both_spans(tmp_path: Path) -> None:
    message = refused(write(write(tmp_path, "AAA", first=300), "BBB", other, last=200), "AAA", "BBB")
    for words in (f"AAA {DAYS[300]} to {DAYS[-1]}", f"BBB {DAYS[0]} to {DAYS[199]}", "no day has a level of each"):
        assert words in message


@pytest.mark.parametrize(
    ("hole", "said"),
    [
        ({"missing": [50]}, ["AAA.csv", f"{DAYS[50]}", "--accept gap"]),
        ({"no_adjusted": [50]}, ["AAA.csv", f"{DAYS[50]}", "--accept empty"]),
        ({"no_close": [50, 51]}, ["no level of AAA", f"{DAYS[50]}", "add what is missing"]),
        ({"no_close": range(N)}, ["AAA", "no price level", f"{DAYS[-1]}"]),
    ],
    ids=["row", "adjusted close", "close", "no close at all"],
)
def test_a_hole_is_refused_and_shown(tmp_path: Path, hole: dict[str, list[int]], said: list[str]) -> None:
    message = refused(write(write(tmp_path, "AAA", **hole), "BBB", other), "AAA", "BBB")  # type: ignore[arg-type]
    for words in said:
        assert words in message


def test_a_hole_after_the_end_is_none(tmp_path: Path) -> None:
    write(write(tmp_path, "AAA", missing=[400]), "BBB", other, no_close=[450])
    found = levels_of(tmp_path, "AAA", "BBB", end=f"{DAYS[399]}")
    assert len(common_span(found.frame, ["AAA", "BBB"])) == 400


def test_the_common_span_by_itself() -> None:
    nan = math.nan
    index = pd.DatetimeIndex(DAYS[:6])
    frame = pd.DataFrame({"A": [nan, 1.0, 2.0, 3.0, 4.0, nan], "B": [1.0, 1.0, nan, 1.0, 1.0, 1.0]}, index=index)
    assert len(common_span(frame, ["A"])) == 4
    with pytest.raises(SpanError, match=f"no level of B on {DAYS[2]}"):
        common_span(frame, ["A", "B"])
    with pytest.raises(SpanError, match=r"no day has a level of each: A .*, C none"):
        common_span(frame.assign(C=nan), ["A", "C"])
    assert list(common_span(frame.assign(C=nan), ["A"]).columns) == ["A"]


# --- nothing after the end ---


@pytest.mark.parametrize("basis", ["price", "total"])
def test_levels_and_where_they_come_from_are_those_up_to_the_end(tmp_path: Path, basis: Basis) -> None:
    """In one folder the files go on, at absurd prices and rates; in the other they stop."""
    end = 299

    def wild(t: int) -> float:
        return price(t) if t <= end else 10.0 ** (9 if t % 2 else -9)

    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder, last, level in ((whole, N, wild), (cut, end + 1, price)):
        folder.mkdir()
        write(write(folder, "RUT", level, last=last), "IWM", level, last=last)
        write(folder, "QQQ", other, last=last)
        rows = [f"{day},{1.5 if t <= end else 99.0}" for t, day in enumerate(DAYS[:last])]
        (folder / "DFF.csv").write_text("date,percent\n" + "\n".join(rows))
    names = ("RUSSELL2000", "QQQ") if basis == "total" else ("RUT", "QQQ")
    seen = [levels_of(folder, *names, basis=basis, end=f"{DAYS[end]}") for folder in (whole, cut)]
    assert seen[0].frame.equals(seen[1].frame)
    assert seen[0].made_of == seen[1].made_of
    assert seen[0].notes == seen[1].notes
    parts = [
        [(p.name, p.place, p.first, p.last, p.observations, p.fingerprint, p.note) for p in one.history.provenance]
        for one in seen
    ]
    assert parts[0] == parts[1]
    assert {last for _, _, _, last, *_ in parts[0]} == {f"{DAYS[end]}"}
    assert {count for _, _, _, _, count, *_ in parts[0]} == {end + 1}
    assert seen[0].history.fingerprint == seen[1].history.fingerprint
    assert seen[0].rate is not None
    assert seen[0].rate.tolist() == [0.015] * (end + 1)


def test_a_series_that_begins_after_the_end_is_not_described_by_what_comes_later(tmp_path: Path) -> None:
    """IWM belongs to the total return of the Russell 2000 and begins after the end: how long it goes on is nobody's."""
    said = []
    for last in (N, 310):
        folder = tmp_path / f"{last}"
        folder.mkdir()
        write(write(folder, "RUT"), "IWM", other, first=300, last=last)
        found = levels_of(folder, "RUSSELL2000", basis="total", end=f"{DAYS[250]}")
        said.append([(p.name, p.first, p.last, p.observations) for p in found.history.provenance])
    assert said[0] == said[1]


def test_every_series_is_described_by_its_own_rows(tmp_path: Path) -> None:
    write_rate(write(write(tmp_path, "AAA", first=100), "BBB", other, last=400), first=50)
    found = levels_of(tmp_path, "AAA", "BBB", end=f"{DAYS[350]}")
    assert {p.name: (p.first, p.last, p.observations, p.nature) for p in found.history.provenance} == {
        "AAA": (f"{DAYS[100]}", f"{DAYS[350]}", 251, "real"),
        "BBB": (f"{DAYS[0]}", f"{DAYS[350]}", 351, "real"),
        "DFF": (f"{DAYS[50]}", f"{DAYS[350]}", 301, "real"),
    }


# --- the rate beside them ---


def test_a_rate_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    write_rate(write(tmp_path, "AAA"), first=200)
    rate = levels_of(tmp_path, "AAA").rate
    assert rate is not None
    assert rate.isna().tolist() == [t < 200 for t in range(N)]
    assert rate.iloc[200:].tolist() == pytest.approx([(1.5 + t / 100) / 100 for t in range(200, N)], rel=1e-15)


def test_a_rate_of_another_name(tmp_path: Path) -> None:
    write_rate(write_rate(write(tmp_path, "AAA")), "SOFR", percent=2.5)
    rate = levels_of(tmp_path, "AAA", rate="SOFR").rate
    assert rate is not None
    assert rate.iloc[0] == 0.025


@pytest.mark.parametrize(
    ("first", "rate", "end", "said"),
    [
        (None, None, None, "no data for DFF"),
        (200, None, f"{DAYS[100]}", f"DFF begins on {DAYS[200]}"),
        (0, 0.02, None, "the study fixes the rate"),
    ],
    ids=["missing", "late", "fixed"],
)
def test_without_a_rate_there_are_levels_all_the_same_and_a_note(
    tmp_path: Path, first: int | None, rate: str | float | None, end: str | None, said: str
) -> None:
    write(tmp_path, "AAA")
    if first is not None:
        write_rate(tmp_path, first=first)
    found = levels_of(tmp_path, "AAA", rate=rate, end=end)
    assert found.rate is None
    [told] = [note for note in found.notes if note.startswith("Rate changes are not measured: ")]
    assert said in told
    assert [one.name for one in found.history.provenance] == ["AAA"]


def test_a_rate_asked_for_by_name_must_be_there(tmp_path: Path) -> None:
    write_rate(write(tmp_path, "AAA"), first=0)
    with pytest.raises(SymbolNotFound, match="no data for XYZ"):
        levels_of(tmp_path, "AAA", rate="XYZ")


def test_a_name_asked_for_twice_is_read_once(tmp_path: Path) -> None:
    found = levels_of(write(tmp_path, "AAA"), "AAA", "AAA")
    assert list(found.frame.columns) == ["AAA"]
