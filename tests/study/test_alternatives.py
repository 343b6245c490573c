"""The same view in plainer ways: each way is a plain run, equal risk is equal, and what cannot be is said."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import second_opinion
from tests.study import second_study as second
from tests.study.second_study import TRADE
from tests.study.test_rule_comparison import parts_of

from alphaoverlay.errors import StudyError
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.report.model import Figure, Table
from alphaoverlay.study.alternatives import Alternatives, compare_alternatives
from alphaoverlay.study.alternatives_document import alternatives_document
from alphaoverlay.study.alternatives_report import alternatives_report
from alphaoverlay.study.load import study_from
from alphaoverlay.study.run import StudyResult, run_study

SPANS = {"sample": (date(2014, 1, 2), date(2016, 12, 30)), "real": (date(2010, 2, 11), date(2021, 12, 15))}
OVERLAY = "the overlay"
FROM_SPY = "shift capital from SPY into RUSSELL2000"
FROM_NASDAQ = "shift capital from NASDAQ100 into RUSSELL2000"
TWICE = "the overlay with funds of at most 2x"


def values_of(which: str, **more: Any) -> dict[str, Any]:
    """The trade quarterly at 2 basis points."""
    start, end = SPANS[which]
    plain = {"weights": TRADE, "benchmark": "SPY", "start": f"{start}", "end": f"{end}"}
    return plain | {"costs": {"half_spread_bps": 2.0}} | more


@dataclass(frozen=True)
class Case:
    """A comparison, its document, and where its data came from."""

    which: str
    source: FolderSource | SampleSource
    found: Alternatives
    document: dict[str, Any]

    def plain(self, one: dict[str, Any]) -> StudyResult:
        """A plain run with a way's weights and its benchmark."""
        values = values_of(self.which, weights=one["weights"], benchmark=one["benchmark"])
        return run_study(study_from(values, "test"), self.source)


@lru_cache(maxsize=2)
def compared(which: str, folder: Path | None) -> Case:
    source = SampleSource() if folder is None else FolderSource(folder)
    found = compare_alternatives(study_from(values_of(which), "test"), source)
    return Case(which, source, found, alternatives_document(found).dump())


@pytest.fixture(scope="module", params=["sample", "real"])
def case(request: pytest.FixtureRequest) -> Case:
    folder = None if request.param == "sample" else request.getfixturevalue("reference_data")
    return compared(request.param, folder)


def by_name(document: dict[str, Any], group: str) -> dict[str, dict[str, Any]]:
    """The ways of a group by name."""
    return {one["name"]: one for one in document[group]}


# --- the ways ---


def test_every_way_is_there(case: Case) -> None:
    stated, equal = by_name(case.document, "as_stated"), by_name(case.document, "at_equal_risk")
    sizes = (f"{OVERLAY} at 0.5 times", f"{OVERLAY} at 1.5 times")
    assert list(stated) == [OVERLAY, *sizes, FROM_SPY, FROM_NASDAQ, TWICE]
    assert {name: one["size"] for name, one in stated.items()} == {
        **dict.fromkeys(stated, 1.0),
        sizes[0]: 0.5,
        sizes[1]: 1.5,
    }
    assert list(equal) == [OVERLAY, FROM_SPY, TWICE]


def test_what_each_way_holds(case: Case) -> None:
    stated = by_name(case.document, "as_stated")
    spy = {"SPY": 1.0}
    expected: dict[str, tuple[dict[str, float], dict[str, float]]] = {
        OVERLAY: (TRADE, spy),
        f"{OVERLAY} at 0.5 times": ({"SPY": 0.85, "UPRO": 0.05, "TNA": 0.05, "SQQQ": 0.05}, spy),
        f"{OVERLAY} at 1.5 times": ({"SPY": 0.55, "UPRO": 0.15, "TNA": 0.15, "SQQQ": 0.15}, spy),
        FROM_SPY: ({"SPY": 0.7, "IWM": 0.3}, spy),
        FROM_NASDAQ: ({"SPY": 0.7, "IWM": 0.3}, {"SPY": 0.7, "QQQ": 0.3}),
    }
    for name, (weights, benchmark) in expected.items():
        assert stated[name]["weights"] == pytest.approx(weights, abs=1e-9), name
        assert stated[name]["benchmark"] == pytest.approx(benchmark, abs=1e-9), name
    small = [abs(second.row_of(symbol)["leverage"]) for symbol in stated[TWICE]["weights"]]
    assert max(small) == 2


def test_the_active_exposures_of_each_way_worked_out_apart(case: Case) -> None:
    view = {"RUSSELL2000": 0.3, "NASDAQ100": -0.3}
    for one in [*case.document["as_stated"], *case.document["at_equal_risk"]]:
        seen = dict.fromkeys(second.INDICES, 0.0)
        for sign, held in ((1.0, one["weights"]), (-1.0, one["benchmark"])):
            for symbol, weight in held.items():
                row = second.row_of(symbol)
                seen[row["index"]] += sign * weight * row["leverage"]
        told = dict.fromkeys(second.INDICES, 0.0) | one["active_exposures"]
        assert told == pytest.approx(seen, abs=1e-8), one["name"]
        wanted = {"SP500": -0.3, "RUSSELL2000": 0.3} if one["name"] == FROM_SPY else view
        sized = {name: one["size"] * wanted.get(name, 0.0) for name in second.INDICES}
        assert told == pytest.approx(sized, abs=1e-8), one["name"]
        assert one["figures"]["active_exposure"] == pytest.approx(0.6 * one["size"], abs=1e-8)


@pytest.mark.parametrize("name", [OVERLAY, FROM_SPY, FROM_NASDAQ, TWICE])
def test_the_figures_of_a_way_are_those_of_a_plain_run(case: Case, name: str) -> None:
    one = by_name(case.document, "as_stated")[name]
    run = case.plain(one)
    expected = {
        "cagr": run.metrics["cagr"],
        "active_cagr": run.active["cagr"],
        "tracking_error": run.metrics["tracking_error"],
        "active_correlation": run.active["correlation"],
        "beta": run.metrics["beta"],
        "volatility": run.metrics["volatility"],
        "max_drawdown": run.metrics["max_drawdown"],
        "active_carry": run.design.active_carry.total,
        "net_least": run.exposures["net"].min(),
        "net_most": run.exposures["net"].max(),
    }
    assert {key: one["figures"][key] for key in expected} == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert one["final_value"] == pytest.approx(run.portfolio.final_value, rel=1e-12)
    assert one["benchmark_final_value"] == pytest.approx(run.benchmark.final_value, rel=1e-12)
    gap = (run.portfolio.returns - run.benchmark.returns).to_numpy()
    ratio = 252 * float(gap.mean()) / (float(gap.std(ddof=1)) * 252**0.5)
    assert one["figures"]["information_ratio"] == pytest.approx(ratio, rel=1e-9)


# --- equal risk ---


def test_equal_active_risk_is_an_equal_tracking_error(case: Case) -> None:
    equal = by_name(case.document, "at_equal_risk")
    wanted = equal[OVERLAY]["figures"]["tracking_error"]
    assert equal[OVERLAY] == by_name(case.document, "as_stated")[OVERLAY]
    for name, one in equal.items():
        assert one["figures"]["tracking_error"] == pytest.approx(wanted, rel=1e-3), name
        assert case.plain(one).metrics["tracking_error"] == pytest.approx(wanted, rel=1e-3), name


def test_a_way_that_cannot_be_sized_so_is_named_with_the_reason(case: Case) -> None:
    [(name, reason)] = case.document["impossible"].items()
    assert name == FROM_NASDAQ
    assert "there is only 30% of the capital in NASDAQ100 to shift" in reason
    report = alternatives_report(case.found)
    assert any(note.startswith(f"Not shown at equal active risk: {FROM_NASDAQ}: not at ") for note in report.notes)


def test_likeness_is_the_correlation_of_active_returns(case: Case) -> None:
    stated = by_name(case.document, "as_stated")
    assert stated[OVERLAY]["figures"]["likeness"] == pytest.approx(1.0, abs=1e-12)
    own, other = (case.plain(stated[name]) for name in (OVERLAY, FROM_NASDAQ))
    gaps = [(run.portfolio.returns - run.benchmark.returns).tolist() for run in (own, other)]
    expected = statistics.correlation(*gaps)
    assert stated[FROM_NASDAQ]["figures"]["likeness"] == pytest.approx(expected, abs=1e-9)
    assert 0.99 < stated[f"{OVERLAY} at 0.5 times"]["figures"]["likeness"] < 1.0


def test_a_shift_by_the_second_implementation(reference_data: Path) -> None:
    document = compared("real", reference_data).document
    read = second.market(reference_data, ("SPY", "QQQ", "IWM"))
    accrual = [c * d for c, d in read.funding]
    for name, base in ((FROM_SPY, {"SPY": 1.0}), (FROM_NASDAQ, {"SPY": 0.7, "QQQ": 0.3})):
        own = second.run(read, {"SPY": 0.7, "IWM": 0.3}, bps=2.0)
        other = second.run(read, base, bps=2.0)
        metrics = second_opinion.metrics(own["value"], read.sessions, other["value"], accrual)
        one = by_name(document, "as_stated")[name]
        assert one["final_value"] == pytest.approx(own["value"][-1], rel=1e-10)
        for key in ("cagr", "active_cagr", "tracking_error", "beta", "max_drawdown", "active_correlation"):
            assert one["figures"][key] == pytest.approx(metrics[key], abs=1e-9), (name, key)
        steps = zip(pairwise(own["value"]), pairwise(other["value"]), strict=True)
        gaps = [b / a - d / c for (a, b), (c, d) in steps]
        ratio = statistics.fmean(gaps) / statistics.stdev(gaps) * 252**0.5
        assert one["figures"]["information_ratio"] == pytest.approx(ratio, abs=1e-9)


# --- what cannot be ---


@pytest.mark.parametrize(
    "values",
    [
        {"weights": {"SPY": 1.0}},
        {"weights": {"SPY": 0.5, "IVV": 0.5}},
        {"weights": {"SPY": 0.6, "IWM": 0.4}, "benchmark": {"SPY": 0.6, "IWM": 0.4}},
    ],
    ids=str,
)
def test_without_a_view_there_is_nothing_to_take_in_another_way(values: dict[str, Any]) -> None:
    study = study_from(values_of("sample", start="2016-06-01") | values, "test")
    with pytest.raises(StudyError, match="the exposures of its benchmark: there is no view to take in another way"):
        compare_alternatives(study, SampleSource())


def test_a_view_without_a_short_leg_has_no_swap() -> None:
    values = values_of("sample", start="2016-01-04", weights={"SPY": 0.9, "UWM": 0.1}, benchmark={"SPY": 0.9})
    found = alternatives_document(compare_alternatives(study_from(values, "test"), SampleSource())).dump()
    names = list(by_name(found, "as_stated"))
    assert [name for name in names if name.startswith("shift capital")] == ["shift capital from SPY into RUSSELL2000"]
    assert np.isfinite([one["final_value"] for one in found["as_stated"]]).all()


# --- the report ---


def test_the_report_shows_both_groups_and_marks_what_is_synthetic(case: Case) -> None:
    report = alternatives_report(case.found)
    tables = {table.title: table for table in parts_of(report, Table)}
    for title, group in (("Sized to the overlay's tracking error", "at_equal_risk"), ("At its own size", "as_stated")):
        assert [row.cells[0] for row in tables[title].rows] == [one["name"] for one in case.document[group]]
        # QID, of the way with 2x funds, has no prices in the reference data either.
        assert "† Synthetic: " in tables[title].note
        assert ("SPY" in tables[title].note) is (case.which == "sample")
    [chart] = parts_of(report, Figure)
    assert [trace["name"] for trace in chart.data] == [one["name"] for one in case.document["at_equal_risk"]]
    assert len(chart.layout["shapes"]) == 1


def test_legs_of_unequal_size_are_swapped_as_they_are() -> None:
    values = values_of("sample")
    del values["weights"]
    values |= {"base": {"SP500": 1.0}, "overlay": {"RUSSELL2000": 0.3, "NASDAQ100": -0.2}}
    found = compare_alternatives(study_from(values, "test"), SampleSource())
    swap = by_name(alternatives_document(found).dump(), "as_stated")[FROM_NASDAQ]
    # The investor holds 20% in the Nasdaq fund: that, and another 10% of the base, go into small caps.
    assert swap["benchmark"] == pytest.approx({"SPY": 0.8, "QQQ": 0.2})
    assert swap["weights"] == pytest.approx({"SPY": 0.7, "IWM": 0.3})
    assert swap["active_exposures"] == pytest.approx({"SP500": -0.1, "RUSSELL2000": 0.3, "NASDAQ100": -0.2})


def test_half_spreads_of_the_studys_own_funds_are_enough() -> None:
    stated = {"half_spread_bps": dict.fromkeys(TRADE, 2.0)}
    found = compare_alternatives(study_from(values_of("sample", costs=stated), "test"), SampleSource())
    assert FROM_SPY in {one.name for one in found.as_stated}


def test_bands_that_mean_nothing_for_a_way_are_said_to_be_left_out() -> None:
    rule: dict[str, Any] = {"calendar": "never", "band": {"on": "weight", "size": 0.05, "only": ["TNA"]}}
    found = compare_alternatives(study_from(values_of("sample", rebalance=rule), "test"), SampleSource())
    said = " ".join(alternatives_report(found).notes)
    assert f"The study's bands mean nothing for {FROM_SPY}" in said
    assert found.as_stated[0].portfolio.rule.bands
    wrong = study_from(values_of("sample", rebalance=rule | {"band": rule["band"] | {"only": ["TNAA"]}}), "test")
    with pytest.raises(StudyError, match="no fund TNAA in the portfolio"):
        compare_alternatives(wrong, SampleSource())
