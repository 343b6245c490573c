"""Symbols side by side: spans worked out on paper, identities, what is refused, and that nothing later is looked at."""

from __future__ import annotations

import csv
import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.report.test_html import opened
from tests.study.plain_market import DAYS

from alphaoverlay.errors import AlphaOverlayError, DataError, SpanError, StudyError, SymbolNotFound
from alphaoverlay.funds.catalogue import packaged_catalogue
from alphaoverlay.history import PriceSeries, Provenance, RateSeries
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.report.html import render_html
from alphaoverlay.report.model import Figure, Report, Table
from alphaoverlay.study.compared import Compared, compare_levels
from alphaoverlay.study.compared_document import compare_document
from alphaoverlay.study.compared_report import compared_report
from alphaoverlay.study.compared_spans import ComparedSpan

CATALOGUE = packaged_catalogue()
# The sessions around New Year 2020, a Wednesday; the 4th and 5th are a weekend.
WINTER = [day for day in DAYS if date(2019, 12, 30) <= day <= date(2020, 1, 10)]


@dataclass(frozen=True)
class Made:
    """A source of made closes by symbol, from a position of DAYS on; adjusted closes are the closes unless given."""

    closes: Mapping[str, tuple[int, Sequence[float]]]
    adjusted: Mapping[str, Sequence[float]] = field(default_factory=dict)
    name: str = "made"
    default_rate: str = "none"
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    accept: frozenset[str] = frozenset()

    def holds(self, symbol: str) -> bool:
        return symbol in self.closes

    def prices(self, symbol: str, since: str | None = None) -> PriceSeries:
        first, closes = self.closes[symbol]
        days = pd.DatetimeIndex([pd.Timestamp(day) for day in DAYS[first : first + len(closes)]])
        frame = pd.DataFrame({"close": closes, "adj_close": self.adjusted.get(symbol, closes)}, index=days)
        ends = f"{days[0]:%Y-%m-%d}", f"{days[-1]:%Y-%m-%d}"
        return PriceSeries(symbol, frame.astype(float), Provenance(symbol, self.name, symbol, *ends, len(days)))

    def rate(self, name: str, since: str | None = None) -> RateSeries:
        raise SymbolNotFound("no rate, and none is needed")


def winter(**closes: Sequence[float]) -> Made:
    """Closes from 2019-12-30 on."""
    at = DAYS.index(WINTER[0])
    return Made({name: (at, values) for name, values in closes.items()})


def named(compared: Compared, label: str) -> ComparedSpan:
    [found] = [span for span in compared.spans if span.label == label]
    return found


def document_of(compared: Compared) -> dict[str, Any]:
    """The document as it is printed."""
    read: dict[str, Any] = json.loads(json.dumps(compare_document(compared).dump(), allow_nan=False))
    return read


def parts_of(report: Report) -> list[Table | Figure]:
    return [part for section in report.sections for part in section.parts]


def tables_of(report: Report) -> dict[str, Table]:
    return {part.title: part for part in parts_of(report) if isinstance(part, Table)}


def figures_of(report: Report) -> list[Figure]:
    return [part for part in parts_of(report) if isinstance(part, Figure)]


# --- on paper ---


def test_the_winter_on_paper() -> None:
    """A goes 100, 102, 104, 99.84, ...; B goes 50, 50, 51, 49, ...; the weekend's date stands for Friday's close."""
    a = [100.0, 102.0, 104.0, 99.84, 101.92, 103.0, 102.5, 107.12, 106.08]
    b = [50.0, 50.0, 51.0, 49.0, 49.98, 50.5, 51.51, 52.5, 52.0]
    assert [f"{day}" for day in WINTER] == [
        "2019-12-30", "2019-12-31", "2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07", "2020-01-08", "2020-01-09",
        "2020-01-10",
    ]  # fmt: skip
    found = compare_levels(["A", "B"], winter(A=a, B=b), CATALOGUE, since=["2020-01-05"], to="2020-01-08")
    assert found.asof == pd.Timestamp("2020-01-10")
    year = named(found, "year to date")
    assert (year.start, year.end) == (pd.Timestamp("2019-12-31"), pd.Timestamp("2020-01-10"))
    # 106.08 / 102 = 1.04 and 52 / 50 = 1.04.
    assert year.returns == {"A": pytest.approx(0.04, abs=1e-12), "B": pytest.approx(0.04, abs=1e-12)}
    assert year.relative == {"B": pytest.approx(0.0, abs=1e-12)}
    since = named(found, "since 2020-01-05")
    assert since.start == pd.Timestamp("2020-01-03")
    # 106.08 / 99.84 = 1.0625; 52 / 49 = 1.06122...
    assert since.returns == {"A": pytest.approx(0.0625, abs=1e-12), "B": pytest.approx(3.0 / 49.0, abs=1e-12)}
    to = named(found, "2020-01-05 to 2020-01-08")
    assert (to.start, to.end) == (pd.Timestamp("2020-01-03"), pd.Timestamp("2020-01-08"))
    assert to.returns["A"] == pytest.approx(102.5 / 99.84 - 1.0, abs=1e-12)
    # A over B since the 3rd, in points of return: 0.08, 0.10, -2.46, 0.15 and 0.13; Thursday's is the largest.
    best = named(found, "2020-01-05 to its best end against B")
    assert (best.end, best.best_against) == (pd.Timestamp("2020-01-09"), "B")
    assert best.relative == {"B": pytest.approx(107.12 / 99.84 - 52.5 / 49.0, abs=1e-12)}
    # A: 106.08 below 107.12; deepest from 104 to 99.84, back on the 9th. B: 52 below 52.5.
    assert found.falls["A"].drawdown == pytest.approx(106.08 / 107.12 - 1.0, abs=1e-12)
    assert found.falls["A"].peak == pd.Timestamp("2020-01-09")
    deepest = found.falls["A"].deepest
    assert deepest is not None
    assert deepest.depth == pytest.approx(-0.04, abs=1e-12)
    assert [str(x)[:10] for x in (deepest.peak, deepest.trough, deepest.recovery)] == [
        "2020-01-02", "2020-01-03", "2020-01-09",
    ]  # fmt: skip
    assert found.volatility == {"A": None, "B": None}
    assert any("2020-01-05 is not a session: the close of 2020-01-03 is taken." in note for note in found.notes)
    assert any("far enough back for: 3 months, 1 year, 3 years" in note for note in found.notes)


def test_spans_begin_on_calendar_dates_and_count_their_sessions() -> None:
    """A grows by a thousandth a session, so a return is 1.001 to the power of the sessions between, less 1."""
    levels = [100.0 * 1.001**t for t in range(len(DAYS))]
    found = compare_levels(["A"], Made({"A": (0, levels)}), CATALOGUE, asof="2020-11-30")
    at = DAYS.index(date(2020, 11, 30))
    begins = {
        "year to date": date(2019, 12, 31),
        "3 months": date(2020, 8, 28),  # the 30th of August was a Sunday
        "1 year": date(2019, 11, 29),  # the 30th of November a Saturday
    }
    assert [span.label for span in found.spans] == list(begins)
    for label, first in begins.items():
        span = named(found, label)
        assert span.start == pd.Timestamp(first)
        assert span.returns["A"] == pytest.approx(1.001 ** (at - DAYS.index(first)) - 1.0, abs=1e-12)
    assert found.falls["A"].drawdown == 0.0
    assert found.falls["A"].deepest is None
    assert found.volatility["A"] == pytest.approx(0.0, abs=1e-12)


def test_a_span_of_more_than_a_year_has_a_rate_a_year() -> None:
    levels = [100.0 * 1.001**t for t in range(len(DAYS))]
    found = compare_levels(["A"], Made({"A": (0, levels)}), CATALOGUE, since=["2019-01-02", "2019-12-31"])
    long, short = named(found, "since 2019-01-02"), named(found, "since 2019-12-31")
    days = (DAYS[-1] - DAYS[0]).days
    assert long.annualised is not None
    assert long.annualised["A"] == pytest.approx((levels[-1] / levels[0]) ** (365.25 / days) - 1.0, abs=1e-12)
    assert (short.end - short.start).days == 366
    assert short.annualised is None
    assert short.undefined["annualised"] == "the span is not longer than a year"


def test_a_year_that_begins_at_a_weekend_is_not_longer_than_one() -> None:
    """A year before the 30th of November 2020 is a Saturday, and the close before it 367 days back."""
    levels = [100.0 * 1.001**t for t in range(len(DAYS))]
    source = Made({"A": (0, levels)})
    found = compare_levels(["A"], source, CATALOGUE, asof="2020-11-30", since=["2019-11-30", "2019-11-29"])
    for label in ("1 year", "since 2019-11-30"):
        assert (named(found, label).end - named(found, label).start).days == 367
        assert named(found, label).annualised is None
    assert named(found, "since 2019-11-29").annualised is not None


def test_volatility_is_that_of_the_last_252_daily_returns() -> None:
    levels = [100.0 * (1.01 if t % 2 else 1.0) * (1.02 if t < 100 and t % 3 else 1.0) for t in range(len(DAYS))]
    at = DAYS.index(date(2020, 12, 30))
    found = compare_levels(["A"], Made({"A": (0, levels)}), CATALOGUE, asof="2020-12-30")
    moves = [levels[t] / levels[t - 1] - 1.0 for t in range(at - 251, at + 1)]
    assert len(moves) == 252
    assert found.volatility["A"] == pytest.approx(statistics.stdev(moves) * math.sqrt(252), rel=1e-12)
    for last, known in ((252, True), (251, False)):
        short = compare_levels(["A"], Made({"A": (0, levels)}), CATALOGUE, asof=f"{DAYS[last]}")
        assert (short.volatility["A"] is not None) is known


def test_a_name_that_begins_later_has_reasons_in_place_of_figures() -> None:
    old = [100.0 + 0.1 * t for t in range(len(DAYS))]
    late = DAYS.index(date(2020, 3, 2))
    source = Made({"A": (0, old), "B": (late, old[: len(DAYS) - late])})
    document = document_of(compare_levels(["A", "B"], source, CATALOGUE, since=["2020-02-03"], to="2020-06-30"))
    spans = {span["label"]: (k, span) for k, span in enumerate(document["spans"])}
    for label in ("year to date", "1 year", "since 2020-02-03", "2020-02-03 to 2020-06-30"):
        k, span = spans[label]
        assert span["returns"]["A"] is not None
        assert span["returns"]["B"] is span["relative"]["B"] is None
        assert document["undefined"][f"spans.{k}.returns.B"] == "B begins on 2020-03-02"
        assert document["undefined"][f"spans.{k}.relative.B"] == "B begins on 2020-03-02"
    assert spans["3 months"][1]["returns"]["B"] is not None
    assert not any(span["hindsight"] for span in document["spans"])
    assert document["levels"]["B"]["first"] == "2020-03-02"


def test_where_the_first_name_begins_later_every_difference_says_so() -> None:
    old = [100.0 + 0.1 * t for t in range(len(DAYS))]
    late = DAYS.index(date(2020, 3, 2))
    source = Made({"A": (0, old), "B": (late, old[: len(DAYS) - late]), "C": (0, old)})
    year = named(compare_levels(["B", "A", "C"], source, CATALOGUE), "year to date")
    assert year.relative == {"A": None, "C": None}
    assert year.undefined["relative.A"] == year.undefined["relative.C"] == "B begins on 2020-03-02"


def test_all_are_compared_up_to_the_day_the_first_of_them_ends() -> None:
    levels = [100.0 + 0.1 * t for t in range(len(DAYS))]
    source = Made({"A": (0, levels), "B": (0, levels[:400])})
    found = compare_levels(["A", "B"], source, CATALOGUE, asof="2020-12-31")
    assert found.asof == pd.Timestamp(DAYS[399])
    assert named(found, "year to date").end == found.asof
    assert any(note.startswith(f"The data of B end on {DAYS[399]}") for note in found.notes)
    assert any(f"{DAYS[399]} is the last session up to 2020-12-31" in note for note in found.notes)


@pytest.mark.parametrize("asof", ["2020-11-28", "2020-11-29"])
def test_a_day_that_is_no_session_stands_for_the_close_before(asof: str) -> None:
    source = winter(A=[100.0] * 2)  # ends long before
    levels = [100.0 + 0.1 * t for t in range(len(DAYS))]
    found = compare_levels(["A"], Made({"A": (0, levels)}), CATALOGUE, asof=asof)
    assert found.asof == pd.Timestamp("2020-11-27")
    assert any(f"2020-11-27 is the last session up to {asof}" in note for note in found.notes)
    assert compare_levels(["A"], source, CATALOGUE, asof=asof).asof == pd.Timestamp("2019-12-31")


# --- with and without dividends ---


def dividends(levels: Sequence[float], paid: float = 0.005, every: int = 60) -> list[float]:
    """Adjusted closes of a fund that pays a share of its price every so many sessions."""
    return [level * (1.0 + paid) ** (t // every) for t, level in enumerate(levels)]


def test_a_funds_total_return_stands_beside_its_price() -> None:
    levels = [100.0 + 0.1 * t for t in range(len(DAYS))]
    source = Made({"SPY": (0, levels), "OTHER": (0, levels)}, {"SPY": dividends(levels)})
    found = compare_levels(["SPY", "OTHER"], source, CATALOGUE, since=["2019-01-02"])
    whole = named(found, "since 2019-01-02")
    grown = levels[-1] / levels[0]
    assert whole.returns["SPY"] == pytest.approx(grown - 1.0, abs=1e-12)
    assert whole.total is not None
    assert whole.total["SPY"] == pytest.approx(grown * 1.005 ** ((len(DAYS) - 1) // 60) - 1.0, abs=1e-12)
    assert whole.total["OTHER"] is None
    assert "tell of no dividends" in whole.undefined["total.OTHER"]
    assert found.total_of == {"SPY": "closes with distributions of SPY"}
    with_them = compare_levels(["SPY"], source, CATALOGUE, basis="total", since=["2019-01-02"])
    assert named(with_them, "since 2019-01-02").returns["SPY"] == pytest.approx(whole.total["SPY"], abs=1e-12)
    assert named(with_them, "since 2019-01-02").total is None


def test_another_symbol_with_dividends_has_a_total_too() -> None:
    levels = [100.0 + 0.1 * t for t in range(len(DAYS))]
    found = compare_levels(["OTHER"], Made({"OTHER": (0, levels)}, {"OTHER": dividends(levels)}), CATALOGUE)
    total = named(found, "year to date").total
    assert total is not None
    assert total["OTHER"] is not None


def test_a_price_indexs_total_is_that_of_its_index(reference_data: Path) -> None:
    found = compare_levels(["GSPC", "SP500", "RUT"], FolderSource(reference_data), CATALOGUE, asof="2021-12-15")
    year = named(found, "year to date")
    assert year.total is not None
    assert year.returns["SP500"] == year.returns["GSPC"]
    total_index = closes(reference_data, "SP500TR")
    expected = total_index["2021-12-15"] / total_index["2020-12-31"] - 1.0
    assert year.total["GSPC"] == pytest.approx(expected, abs=1e-9)
    assert year.total["SP500"] == pytest.approx(expected, abs=1e-9)
    # The fund earned what its index did less its fee of a fifth of a percent.
    fund = closes(reference_data, "IWM", "adj_close")
    assert year.total["RUT"] == pytest.approx(fund["2021-12-15"] / fund["2020-12-31"] - 1.0 + 0.002, abs=0.003)
    assert found.total_of["RUT"].startswith("total return of Russell 2000: ")
    names = {one.name for one in found.history.provenance}
    assert names == {"GSPC", "RUT", "SP500TR", "SPY", "IWM"}


def test_a_total_that_cannot_be_had_is_a_reason_and_no_error(tmp_path: Path) -> None:
    """Of the fund that brings the index's dividends a session is missing."""
    levels = [100.0 * 1.0005**t for t in range(len(DAYS))]
    write(tmp_path, "RUT", levels)
    write(tmp_path, "IWM", levels, without={300})
    found = compare_levels(["RUT"], FolderSource(tmp_path), CATALOGUE)
    assert found.total_of == {}
    assert "IWM.csv" in found.total_unknown["RUT"]
    document = document_of(found)
    assert document["spans"][0]["total"] == {"RUT": None}
    assert document["undefined"]["spans.0.total.RUT"] == found.total_unknown["RUT"]
    assert [one["name"] for one in document["data"]["series"]] == ["RUT"]
    assert "RUT: unknown" in tables_of(compared_report(found))["With dividends"].note


def test_an_index_on_the_basis_total() -> None:
    found = compare_levels(["RUSSELL2000", "NASDAQ100"], SampleSource(), CATALOGUE, basis="total", asof="2016-12-30")
    assert all(of.startswith("total return of ") for of in found.made_of.values())
    assert any("SAMPLE DATA" in note for note in found.notes)
    assert any("IXIC stands in for NASDAQ100" in note for note in found.notes)
    assert "With dividends" not in tables_of(compared_report(found))
    document = document_of(found)
    assert document["spans"][0]["total"] is None
    assert document["undefined"]["spans.0.total"] == "the returns hold dividends already"


# --- identities ---

# Steps of nothing would make a price that stands still, which is refused.
STEPS = st.lists(st.floats(0.001, 0.03) | st.floats(-0.03, -0.001), min_size=29, max_size=29)


def path(steps: Sequence[float]) -> list[float]:
    return list(np.round(100.0 * np.cumprod([1.0, *(1.0 + step for step in steps)]), 6))


@given(steps=st.tuples(STEPS, STEPS, STEPS), cut=st.sets(st.integers(0, 28), min_size=2, max_size=2))
def test_differences_chains_and_best_ends(steps: tuple[list[float], ...], cut: set[int]) -> None:
    names, (low, high) = ("A", "B", "C"), sorted(cut)
    levels = {name: path(one) for name, one in zip(names, steps, strict=True)}
    source = Made({name: (0, one) for name, one in levels.items()})
    since, to = f"{DAYS[low]}", f"{DAYS[high]}"
    found = compare_levels(names, source, CATALOGUE, since=[since, to], to=f"{DAYS[29]}")
    first, whole, rest = named(found, f"since {since}"), levels, named(found, f"since {to}")
    split = compare_levels(names, source, CATALOGUE, since=[since], to=to)
    part = named(split, f"{since} to {to}")
    for name in names:
        assert first.returns[name] == pytest.approx(whole[name][29] / whole[name][low] - 1.0, abs=1e-12)
        chained = (1.0 + (part.returns[name] or 0.0)) * (1.0 + (rest.returns[name] or 0.0))
        assert chained == pytest.approx(1.0 + (first.returns[name] or 0.0), rel=1e-12)
    for span in (*found.spans, *split.spans):
        for name, lead in span.relative.items():
            assert lead == (span.returns["A"] or 0.0) - (span.returns[name] or 0.0)
    for name in ("B", "C"):
        best = named(split, f"{since} to its best end against {name}")
        leads = [levels["A"][t] / levels["A"][low] - levels[name][t] / levels[name][low] for t in range(low + 1, 30)]
        assert best.relative[name] == pytest.approx(max(leads), abs=1e-12)
        assert best.end > best.start


def every_null(value: Any, path: str = "") -> list[str]:
    """Paths of the nulls in a document."""
    if value is None:
        return [path]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, one in inner for found in every_null(one, f"{path}.{key}" if path else str(key))]


@pytest.mark.parametrize("basis", ["price", "total"])
def test_every_null_has_a_reason_and_every_reason_a_null(basis: str) -> None:
    old = [100.0 + 0.1 * t for t in range(len(DAYS))]
    source = Made(
        {"A": (0, old), "B": (450, old[450:]), "SPY": (200, [100.0 - 0.01 * t for t in range(305)])},
        {"SPY": [100.0 - 0.005 * t for t in range(305)]},
    )
    document = document_of(
        compare_levels(["A", "B", "SPY"], source, CATALOGUE, basis=basis, since=["2019-03-01"], to="2020-11-30")
    )
    measured = {key: document[key] for key in ("levels", "spans", "drawdown", "volatility")}
    nulls = {found for found in every_null(measured) if not found.endswith(".best_against")}
    assert nulls == set(document["undefined"])
    assert all(document["undefined"].values())


# --- what is refused ---


def steady(count: int = 300) -> Made:
    levels = [100.0 + 0.1 * t for t in range(count)]
    return Made(dict.fromkeys(("A", "B", "C", "RUT", "SP500TR"), (0, levels)))


@pytest.mark.parametrize(
    ("names", "options", "kind", "said"),
    [
        ([], {}, StudyError, "nothing to compare: name symbols or indices, such as RUT GSPC"),
        (["A", "B", "a"], {}, StudyError, "A stands twice; name it once"),
        (["^RUT", "RUT"], {}, StudyError, "RUT stands twice; name it once"),
        ([f"S{k}" for k in range(13)], {}, StudyError, "13 names are more than can be told apart; name at most 12"),
        (["A", "Z"], {}, SymbolNotFound, "Z is neither an index"),
        (["RUT?L=2"], {}, StudyError, "a ticker with terms has no history of its own"),
        (["SP500TR"], {}, StudyError, 'basis = "price": SP500TR is a total-return index'),
        (["RUT"], {"basis": "total"}, StudyError, 'basis = "total": RUT is a price index'),
        (["A"], {"basis": "Price"}, StudyError, "basis: 'Price' is not known; write \"price\""),
        (["A"], {"asof": "yesterday"}, StudyError, "asof: 'yesterday' is not a date; write it as YYYY-MM-DD"),
        (["A"], {"asof": "2019-02-30"}, StudyError, "asof: '2019-02-30' is not a date"),
        (["A"], {"asof": "2018-12-31"}, SpanError, "2018-12-31"),
        (["A"], {"since": ["31.1.2019"]}, StudyError, "since: '31.1.2019' is not a date"),
        (["A"], {"since": ["2019-02-01", "2019-02-01"]}, StudyError, "since 2019-02-01 stands twice"),
        (["A"], {"since": ["2018-12-31"]}, SpanError, "since 2018-12-31: no series reaches back to it; A, the longest"),
        (["A"], {"since": ["2030-01-02"]}, StudyError, "since 2030-01-02: not before 2020-03-11, the last close"),
        (["A"], {"since": ["2020-03-11"]}, StudyError, "since 2020-03-11: not before 2020-03-11"),
        (["A"], {"asof": "2019-06-28", "since": ["2019-07-01"]}, StudyError, "not before 2019-06-28"),
        (["A"], {"to": "2019-06-28"}, StudyError, "to: it ends the spans that since begins; give since too"),
        (["A"], {"since": ["2019-06-28"], "to": "soon"}, StudyError, "to: 'soon' is not a date"),
        (["A"], {"since": ["2019-06-28"], "to": "2019-06-28"}, StudyError, "no session after since 2019-06-28"),
        (["A"], {"since": ["2019-06-28"], "to": "2019-06-30"}, StudyError, "no session after since 2019-06-28"),
        (["A"], {"since": ["2019-06-28"], "to": "2019-01-03"}, StudyError, "no session after since 2019-06-28"),
        (["A"], {"since": ["2019-06-28"], "to": "2020-03-12"}, StudyError, "after 2020-03-11, the last close"),
        (["A"], {"versus": "B"}, StudyError, "versus: B is not compared here; name it after the first"),
        (
            ["A", "B"],
            {"versus": "A"},
            StudyError,
            "A is the first name, which is held against another; write one of B",
        ),
        (["A", "B"], {"versus": "C"}, StudyError, "versus: C is not compared here. Write one of B, or name it too"),
    ],
)
def test_refused(names: list[str], options: dict[str, Any], kind: type[AlphaOverlayError], said: str) -> None:
    with pytest.raises(kind) as caught:
        compare_levels(names, steady(), CATALOGUE, **options)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 400


def test_names_that_share_no_day_are_refused() -> None:
    levels = [100.0 + 0.1 * t for t in range(200)]
    source = Made({"A": (0, levels), "B": (300, levels)})
    with pytest.raises(SpanError, match=r"no day has a level of each: A 2019-01-02 to .*, B 2020-03-12 to"):
        compare_levels(["A", "B"], source, CATALOGUE)


def test_a_name_that_begins_after_the_day_is_refused() -> None:
    levels = [100.0 + 0.1 * t for t in range(200)]
    source = Made({"A": (0, levels), "B": (300, levels)})
    with pytest.raises(DataError, match="B: no price level up to 2019-06-28"):
        compare_levels(["A", "B"], source, CATALOGUE, asof="2019-06-28")


@pytest.mark.parametrize("hole", [20, 299])
def test_a_missing_session_stops_the_comparison(tmp_path: Path, hole: int) -> None:
    levels = [100.0 * 1.0005**t for t in range(len(DAYS))]
    write(tmp_path, "A", levels)
    write(tmp_path, "B", levels, without={hole})
    with pytest.raises(DataError, match=rf"B\.csv, line {hole + 1}, column date: a hole: 1 session missing"):
        compare_levels(["A", "B"], FolderSource(tmp_path), CATALOGUE)


def test_a_session_without_a_close_stops_it_too() -> None:
    levels = [100.0 + 0.1 * t for t in range(len(DAYS))]
    holed = [math.nan if t == 30 else level for t, level in enumerate(levels)]
    source = Made({"A": (100, levels[100:]), "B": (0, holed)}, {"B": levels})
    with pytest.raises(SpanError, match=f"no level of B on {DAYS[30]}"):
        compare_levels(["A", "B"], source, CATALOGUE)


# --- nothing later is looked at ---


def write(folder: Path, symbol: str, levels: Sequence[float], **more: Any) -> None:
    """A price file from the first of DAYS on, with adjusted closes of its own and sessions left out."""
    adjusted, left_out = more.get("adjusted", levels), more.get("without", set())
    rows = [f"{DAYS[t]},{level!r},{adjusted[t]!r}" for t, level in enumerate(levels) if t not in left_out]
    (folder / f"{symbol}.csv").write_text("date,close,adj_close\n" + "\n".join(rows) + "\n")


def wander(seed: int, count: int) -> list[float]:
    moves = np.random.default_rng(seed).normal(0.0004, 0.01, count - 1)
    return [round(float(level), 6) for level in 100.0 * np.cumprod([1.0, *(1.0 + moves)])]


def write_wild(folder: Path, day: int, to: int) -> FolderSource:
    """Six series up to a position of DAYS; after `day` they have a gap, jumps, and one of them an end."""
    folder.mkdir()
    for seed, symbol in enumerate(("GSPC", "RUT", "IWM", "SPY", "TLT", "SP500TR")):
        levels = [level * (7.0 if t > day + 20 else 1.0) for t, level in enumerate(wander(seed, len(DAYS)))]
        adjusted = dividends(levels) if symbol in ("IWM", "SPY", "TLT") else levels
        shown = slice(0, min(to, day + 22) if symbol == "TLT" else to)
        write(folder, symbol, levels[shown], adjusted=adjusted[shown], without={day + 5} if symbol == "RUT" else set())
    return FolderSource(folder)


@pytest.mark.parametrize("basis", ["price", "total"])
def test_nothing_after_the_day_changes_a_word(tmp_path: Path, basis: str) -> None:
    """One folder has nothing after it; what the other has there would stop a comparison of a later day."""
    day = DAYS.index(date(2020, 9, 30))
    cut, full = write_wild(tmp_path / "cut", day, day + 1), write_wild(tmp_path / "full", day, len(DAYS))
    names = ["RUT" if basis == "price" else "RUSSELL2000", "SP500", "SPY", "TLT"]
    with pytest.raises(DataError):
        compare_levels(names, full, CATALOGUE, basis=basis)
    said = []
    for source in (cut, full):
        found = compare_levels(
            names,
            source,
            CATALOGUE,
            basis=basis,
            asof="2020-09-30",
            since=["2020-02-19", "2020-06-27"],
            to="2020-09-01",
            versus="SPY",
        )
        said.append((json.dumps(document_of(found)) + str(compared_report(found))).replace(source.name, "FOLDER"))
    assert said[0] == said[1]
    assert "found with hindsight" in said[0]


# --- documents and reports ---


@pytest.fixture(scope="module")
def sample() -> Compared:
    return compare_levels(
        ["RUT", "IXIC", "GSPC"], SampleSource(), CATALOGUE, asof="2016-12-30", since=["2016-06-30"], to="2016-11-25"
    )


def test_the_documents_contract(sample: Compared) -> None:
    document = document_of(sample)
    assert list(document) == [
        "schema", "version", "asof", "study", "data", "notes", "names", "basis", "against", "levels", "spans",
        "drawdown", "volatility", "undefined",
    ]  # fmt: skip
    assert document["asof"] == document["data"]["end"] == "2016-12-30"
    assert document["study"] == {
        "names": ["RUT", "IXIC", "GSPC"], "basis": "price", "asof": "2016-12-30", "since": ["2016-06-30"],
        "to": "2016-11-25", "versus": None,
    }  # fmt: skip
    assert document["against"] == ["IXIC", "GSPC"]
    assert [(span["label"], span["hindsight"]) for span in document["spans"]] == [
        ("year to date", False),
        ("3 months", False),
        ("1 year", False),
        ("3 years", False),
        ("5 years", False),
        ("10 years", False),
        ("since 2016-06-30", False),
        ("2016-06-30 to 2016-11-25", False),
        ("2016-06-30 to its best end against IXIC", True),
        ("2016-06-30 to its best end against GSPC", True),
    ]
    for span in document["spans"]:
        assert list(span) == [
            "label", "start", "end", "returns", "annualised", "total", "relative", "hindsight", "best_against",
        ]  # fmt: skip
        assert list(span["returns"]) == list(span["total"]) == ["RUT", "IXIC", "GSPC"]
        assert list(span["relative"]) == ["IXIC", "GSPC"]
        assert date.fromisoformat(span["start"]) < date.fromisoformat(span["end"])
    for fall in document["drawdown"].values():
        assert list(fall) == ["since", "drawdown", "peak_date", "deepest"]
        assert fall["deepest"]["depth"] <= fall["drawdown"] <= 0.0


def test_against_one_name_alone() -> None:
    found = compare_levels(
        ["RUT", "IXIC", "GSPC"], SampleSource(), CATALOGUE, asof="2016-12-30", since=["2016-06-30"],
        to="2016-11-25", versus="gspc",
    )  # fmt: skip
    assert found.against == ("GSPC",)
    assert [span.best_against for span in found.spans if span.best_against] == ["GSPC"]
    assert all(list(span.relative) == ["GSPC"] for span in found.spans)
    report = compared_report(found)
    assert "RUT less GSPC, in points" in tables_of(report)
    [telltale] = [figure for figure in figures_of(report) if figure.title == "Telltale: RUT over GSPC"]
    assert [line["name"] for line in telltale.data] == ["RUT over GSPC"]


def test_the_report_shows_what_the_document_says(sample: Compared) -> None:
    report, document = compared_report(sample), document_of(sample)
    tables = tables_of(report)
    shown = [span for span in document["spans"] if not span["hindsight"]]
    for title, key in (("Returns without dividends", "returns"), ("With dividends", "total")):
        rows = [(row.cells[0], *row.cells[1:]) for row in tables[title].rows]
        assert rows == [(one["label"], one["start"], one["end"], *one[key].values()) for one in shown]
    relative = tables["RUT less each other, in points"]
    assert [row.cells[3:] for row in relative.rows] == [tuple(one["relative"].values()) for one in shown]
    best = tables["Best ends, found with hindsight"]
    assert [row.cells[0] for row in best.rows] == ["IXIC", "GSPC"]
    yearly = [span["label"] for span in shown if span["annualised"] is not None]
    assert [row.cells[0] for row in tables["A year"].rows] == yearly == ["3 years", "5 years", "10 years"]
    falls = tables["Falls below the running peak"]
    assert [row.cells[1] for row in falls.rows] == [fall["drawdown"] for fall in document["drawdown"].values()]
    assert "2016-12-30" in report.title
    assert any("SAMPLE DATA" in note for note in report.notes)


def test_charts_are_valid_and_a_name_has_one_colour(sample: Compared) -> None:
    import plotly.graph_objects as go

    drawn = figures_of(compared_report(sample))
    assert [figure.title for figure in drawn] == ["Growth of 1", "Telltale: RUT over each other", "Drawdown"]
    for figure in drawn:
        go.Figure(data=list(figure.data), layout=dict(figure.layout))  # raises on an unknown property
        assert figure.alt
        assert {line["x"][0] for line in figure.data} == {"2016-06-30"}
        assert {line["x"][-1] for line in figure.data} == {"2016-12-30"}
    growth, telltale, _ = drawn
    assert all(line["y"][0] == 1.0 for line in (*growth.data, *telltale.data))
    colours = {line["name"]: line["line"]["color"] for line in growth.data}
    for line in telltale.data:
        assert line["line"]["color"] == colours[line["name"].removeprefix("RUT over ")]
    ratio = growth.data[0]["y"][-1] / growth.data[1]["y"][-1]
    assert telltale.data[0]["y"][-1] == pytest.approx(ratio, rel=1e-5)


@pytest.mark.parametrize(("step", "wide"), [(1.001, False), (1.004, True)])
def test_only_a_wide_range_is_drawn_on_a_log_scale(step: float, wide: bool) -> None:
    source = Made(
        {"A": (0, [100.0 * step**t for t in range(len(DAYS))]), "B": (0, [100.0 + 0.1 * t for t in range(505)])}
    )
    growth, *_ = figures_of(compared_report(compare_levels(["A", "B"], source, CATALOGUE, since=["2019-01-02"])))
    assert (growth.layout["yaxis"].get("type") == "log") is wide
    assert ("log scale" in growth.title) is wide


def test_twelve_names_can_be_told_apart_and_fit() -> None:
    source = Made({f"S{k}": (0, wander(k, len(DAYS))) for k in range(12)})
    report = compared_report(compare_levels(list(source.closes), source, CATALOGUE))
    growth, *_ = figures_of(report)
    looks = [(line["line"]["color"], line["line"]["dash"]) for line in growth.data]
    assert len(set(looks)) == 12
    titles = list(tables_of(report))
    assert [title for title in titles if title.startswith("Returns")] == [
        f"Returns without dividends ({page} of 3)" for page in (1, 2, 3)
    ]
    assert all(len(table.columns) <= 9 for table in tables_of(report).values())


def test_one_name_alone_has_no_relative_strength() -> None:
    found = compare_levels(["GSPC"], SampleSource(), CATALOGUE, since=["2016-06-30"], to="2016-12-30")
    assert found.against == ()
    assert all(span.relative == {} for span in found.spans)
    report = compared_report(found)
    assert [section.title for section in report.sections] == [
        "Returns", "Below the peak", "Where the data came from",
    ]  # fmt: skip
    assert [figure.title for figure in figures_of(report)] == ["Growth of 1", "Drawdown"]


def test_charts_wait_for_the_name_that_begins_last() -> None:
    source = Made({"A": (0, wander(0, len(DAYS))), "B": (300, wander(1, len(DAYS) - 300))})
    growth, *_ = figures_of(compared_report(compare_levels(["A", "B"], source, CATALOGUE, since=["2019-02-01"])))
    assert {line["x"][0] for line in growth.data} == {f"{DAYS[300]}"}
    assert f"From the close of {DAYS[300]}, the first of B" in growth.note


def test_a_name_of_one_day_has_a_level_and_no_charts() -> None:
    report = compared_report(compare_levels(["A"], winter(A=[100.0]), CATALOGUE))
    assert figures_of(report) == []
    assert "stood at its peak" in report.summary


# --- the founding case, computed from the files alone ---


def closes(folder: Path, symbol: str, column: str = "close") -> dict[str, float]:
    """One column of a price file by day."""
    with (folder / "prices" / f"{symbol}.csv").open(newline="") as file:
        return {row["date"]: float(row[column]) for row in csv.DictReader(file) if row[column]}


@pytest.fixture(scope="module")
def case(reference_data: Path) -> Callable[[str, str, str], float]:
    """Price returns between two closes."""
    known = {symbol: closes(reference_data, symbol) for symbol in ("RUT", "GSPC", "IXIC", "NDX")}
    return lambda symbol, start, end: known[symbol][end] / known[symbol][start] - 1.0


def test_the_founding_case(reference_data: Path, case: Callable[[str, str, str], float]) -> None:
    """A1: half as much in 2021; A2: the year without January; A5: ahead of the Nasdaq from the autumn to February."""
    names = ["RUT", "GSPC", "IXIC", "NDX"]
    found = compare_levels(
        names, FolderSource(reference_data), CATALOGUE, asof="2021-12-15", since=["2021-01-29", "2020-10-15"],
        to="2021-02-09",
    )  # fmt: skip
    spans = {
        "year to date": ("2020-12-31", "2021-12-15"),
        "since 2021-01-29": ("2021-01-29", "2021-12-15"),
        "2020-10-15 to 2021-02-09": ("2020-10-15", "2021-02-09"),
        "10 years": ("2011-12-15", "2021-12-15"),
        "3 years": ("2018-12-14", "2021-12-15"),
    }
    for label, (start, end) in spans.items():
        for name in names:
            assert named(found, label).returns[name] == pytest.approx(case(name, start, end), abs=1e-12)
    year, autumn = named(found, "year to date"), named(found, "2020-10-15 to 2021-02-09")
    assert year.returns["RUT"] == pytest.approx(0.112, abs=0.002)
    assert year.returns["GSPC"] == pytest.approx(0.25, abs=0.01)
    assert year.returns["IXIC"] == pytest.approx(0.21, abs=0.01)
    # Without January the Russell 2000 was not down: A2 does not hold.
    assert named(found, "since 2021-01-29").returns["RUT"] == pytest.approx(0.059, abs=0.001)
    # "About 25 points" is what it was against the Nasdaq-100; against the Composite it was 21.
    assert autumn.relative["NDX"] == pytest.approx(0.252, abs=0.001)
    assert autumn.relative["IXIC"] == pytest.approx(0.207, abs=0.001)
    best = named(found, "2020-10-15 to its best end against IXIC")
    days = [day for day in closes(reference_data, "RUT") if "2020-10-15" < day <= "2021-12-15"]
    leads = {day: case("RUT", "2020-10-15", day) - case("IXIC", "2020-10-15", day) for day in days}
    assert f"{best.end:%Y-%m-%d}" == max(leads, key=lambda day: leads[day])
    assert found.falls["RUT"].drawdown == pytest.approx(-0.1013, abs=0.0001)
    assert found.falls["RUT"].peak == pd.Timestamp("2021-11-08")


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 390)])
def test_the_page_opens_in_a_browser_without_a_complaint(
    chromium: str, sample: Compared, tmp_path: Path, scheme: str, width: int
) -> None:
    report = compared_report(sample)
    (tmp_path / "report.html").write_text(render_html(report), encoding="utf-8")
    drawn = opened(chromium, tmp_path / "report.html", scheme, width)
    assert drawn.charts >= len(figures_of(report))
    assert drawn.width <= width
    assert drawn.complaints == []
