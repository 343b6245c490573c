"""One study under many rules: every figure is that of a plain run, and what is made of them is counted again."""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from tests import second_opinion
from tests.study import second_study as second
from tests.study.second_study import INDICES, TRADE

from alphaoverlay.errors import StudyError
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.report.model import Figure, Report, Table
from alphaoverlay.study.load import Study, study_from
from alphaoverlay.study.results import run_document
from alphaoverlay.study.rule_comparison import RuleComparison, compare_rules
from alphaoverlay.study.rule_documents import rules_document
from alphaoverlay.study.rule_report import rules_report
from alphaoverlay.study.run import run_study

# The middle of the fall of 2020 is in it; a month has 21 days to choose.
SPANS = {"sample": (date(2015, 7, 1), date(2016, 12, 30)), "real": (date(2019, 7, 1), date(2020, 12, 15))}


def study_of(which: str, rebalance: dict[str, Any] | None = None, **more: Any) -> Study:
    """The trade over a year and a half, monthly at 2 basis points unless stated."""
    start, end = SPANS[which]
    values = {"weights": TRADE, "benchmark": "SPY", "start": f"{start}", "end": f"{end}"}
    costs = {"half_spread_bps": 2.0}
    return study_from(values | {"rebalance": rebalance or {"calendar": "monthly"}, "costs": costs} | more, "test")


@dataclass(frozen=True)
class Case:
    """A comparison, its document, and where its data came from."""

    which: str
    source: FolderSource | SampleSource
    found: RuleComparison
    document: dict[str, Any]

    def plain(self, rebalance: dict[str, Any]) -> dict[str, Any]:
        """The document of a plain run under another rule."""
        return run_document(run_study(study_of(self.which, rebalance), self.source)).dump()


@lru_cache(maxsize=2)
def compared(which: str, folder: Path | None) -> Case:
    source = SampleSource() if folder is None else FolderSource(folder)
    found = compare_rules(study_of(which), source)
    return Case(which, source, found, rules_document(found).dump())


@pytest.fixture(scope="module", params=["sample", "real"])
def case(request: pytest.FixtureRequest) -> Case:
    folder = None if request.param == "sample" else request.getfixturevalue("reference_data")
    return compared(request.param, folder)


@pytest.fixture(scope="module")
def real(reference_data: Path) -> Case:
    return compared("real", reference_data)


def check_against_run(figures: dict[str, Any], document: dict[str, Any], case: Case) -> None:
    """Compare a rule's figures with a plain run's document."""
    start, end = SPANS[case.which]
    years = (end - start).days / 365.25
    expected = {
        "cagr": document["portfolio"]["metrics"]["cagr"],
        "active_cagr": document["active"]["cagr"],
        "tracking_error": document["portfolio"]["metrics"]["tracking_error"],
        "max_drawdown": document["portfolio"]["metrics"]["max_drawdown"],
        "net_least": document["exposures"]["min"]["net"],
        "net_most": document["exposures"]["max"]["net"],
        "rebalances_a_year": document["rebalances"]["count"] / years,
        "turnover_a_year": document["turnover_a_year"],
    }
    assert {key: figures[key] for key in expected} == pytest.approx(expected, rel=1e-12, abs=1e-14)


# --- the rules ---


@pytest.mark.parametrize(
    ("name", "rebalance"),
    [
        ("never", {"calendar": "never"}),
        ("monthly (yours)", {"calendar": "monthly"}),
        ("band 10, edge", {"calendar": "never", "band": {"size": 0.10, "destination": "edge"}}),
        ("quarterly, band 5", {"calendar": "quarterly", "band": {"size": 0.05}}),
    ],
)
def test_the_figures_of_a_rule_are_those_of_a_plain_run(case: Case, name: str, rebalance: dict[str, Any]) -> None:
    [rule] = [one for one in case.document["rules"] if one["name"] == name]
    check_against_run(rule["figures"], case.plain(rebalance), case)


def test_every_usual_rule_is_there_and_yours_once(case: Case) -> None:
    names = [rule["name"] for rule in case.document["rules"]]
    calendars = ["never", "annual", "semiannual", "quarterly", "monthly (yours)", "weekly", "daily"]
    sizes = ("2.5", "5", "7.5", "10", "15", "20", "30")
    bands = [f"band {size}, {where}" for where in ("target", "edge") for size in sizes]
    assert names == [*calendars, *bands, *(f"quarterly, band {size}" for size in (5, 10, 20))]


def test_cost_and_exposure_error_by_the_second_implementation(real: Case, reference_data: Path) -> None:
    start, end = SPANS["real"]
    read = second.market(reference_data, start=start, end=end)
    years = (end - start).days / 365.25
    plans: dict[str, dict[str, Any]] = {
        "quarterly": {},
        "band 5, target": {"calendar": "never", "bands": second.exposure_bands(0.05)},
        "band 10, edge": {"calendar": "never", "bands": second.exposure_bands(0.10, 0.0)},
    }
    for name, plan in plans.items():
        path = second.run(read, TRADE, bps=2.0, **plan)
        seen = second.looked_through(read, TRADE, second.weights_after(path))
        aims = dict(zip(INDICES, (1.0, 0.3, -0.3), strict=True))
        squares = [math.fsum((seen[k][t] - aims[k]) ** 2 for k in INDICES) for t in range(len(read.sessions) - 1)]
        spent = [math.log1p(cost / value) for cost, value in zip(path["cost"][1:], path["value"][1:], strict=True)]
        [figures] = [rule["figures"] for rule in real.document["rules"] if rule["name"] == name]
        assert figures["cost_a_year"] == pytest.approx(math.fsum(spent) / years, rel=1e-9)
        assert figures["exposure_error"] == pytest.approx(math.sqrt(statistics.fmean(squares)), rel=1e-9)
        farthest = max(abs(x - aims[k]) for k in INDICES for x in seen[k])
        assert figures["farthest_exposure"] == pytest.approx(farthest, rel=1e-9)


# --- the frontier ---


def test_the_frontier_is_what_no_rule_beats_in_both(case: Case) -> None:
    rules = case.document["rules"]
    points = [(rule["figures"]["cost_a_year"], rule["figures"]["exposure_error"]) for rule in rules]
    for rule, (cost, error) in zip(rules, points, strict=True):
        beaten = any(c <= cost and e <= error and (c < cost or e < error) for c, e in points)
        assert rule["frontier"] is not beaten, rule["name"]


def test_the_recommended_rule_is_the_cheapest_within_the_tolerance(case: Case) -> None:
    within = [rule for rule in case.document["rules"] if rule["figures"]["exposure_error"] <= 0.10]
    cheapest = min(within, key=lambda rule: rule["figures"]["cost_a_year"])
    told = case.document["recommended"]
    assert (told["rule"], told["tolerance"]) == (cheapest["name"], 0.10)
    assert told["picked"] == cheapest["picked"]


def test_the_choice_comes_with_its_uncertainty(case: Case) -> None:
    rules = case.document["rules"]
    assert math.fsum(rule["picked"] for rule in rules) == pytest.approx(1.0)
    for rule in rules:
        for key, figure in (("cost_interval", "cost_a_year"), ("error_interval", "exposure_error")):
            low, high = rule[key]
            assert low <= high
            # Circular blocks keep the mean of what is resampled, and so does the middle of its histories, about.
            assert low - 1e-12 <= 1.05 * rule["figures"][figure]
            assert 0.95 * rule["figures"][figure] <= high + 1e-12
    assert case.document == rules_document(compare_rules(study_of(case.which), case.source)).dump()


# --- timing luck ---


@pytest.mark.parametrize("offset", [0, 7, 20])
def test_each_day_of_the_period_is_a_plain_run(case: Case, offset: int) -> None:
    assert case.found.luck is not None
    told = case.found.luck.results.loc[offset]
    document = case.plain({"calendar": "monthly", "offset": offset})
    assert told["cagr"] == pytest.approx(document["portfolio"]["metrics"]["cagr"], rel=1e-12)
    assert told["active_cagr"] == pytest.approx(document["active"]["cagr"], rel=1e-12)
    assert told["tracking_error"] == pytest.approx(document["portfolio"]["metrics"]["tracking_error"], rel=1e-12)
    assert told["max_drawdown"] == pytest.approx(document["portfolio"]["metrics"]["max_drawdown"], rel=1e-12)


def test_the_spread_of_luck_is_that_of_all_days(case: Case) -> None:
    assert case.found.luck is not None
    results = case.found.luck.results
    assert len(results) == 21
    for name in results.columns:
        values = sorted(results[name].tolist())
        # Of 21 in order, the 2nd and the 20th are at 5% and 95%.
        expected = {
            "least": values[0], "p05": values[1], "median": values[10], "mean": statistics.fmean(values),
            "p95": values[19], "most": values[20], "deviation": statistics.stdev(values),
        }  # fmt: skip
        told = {label: row[name] for label, row in case.document["timing_luck"].items()}
        assert told == pytest.approx(expected, rel=1e-9)


def test_a_rule_without_a_day_has_no_luck() -> None:
    found = compare_rules(study_of("sample", {"calendar": "never", "band": {"size": 0.1}}), SampleSource())
    assert found.luck is None
    assert 'No timing luck: calendar = "never" has no day to choose.' in found.notes
    assert rules_document(found).dump()["timing_luck"] is None
    assert "How much the day matters" not in [section.title for section in rules_report(found).sections]
    assert [name for name in found.rules if "yours" in name] == ["band 10, target (yours)"]


def test_a_rule_of_its_own_is_among_the_others() -> None:
    rebalance = {"calendar": "weekly", "offset": 2, "lag": 1, "tranches": 2}
    found = compare_rules(study_of("sample", rebalance), SampleSource())
    plain = run_study(study_of("sample", rebalance), SampleSource())
    assert next(iter(found.rules)) == "yours"
    assert found.rows["yours"]["cagr"] == plain.metrics["cagr"]
    assert found.luck is not None
    assert found.luck.results["cagr"].loc[2] == plain.metrics["cagr"]


# --- a quarter without trades ---


def test_every_quarter_without_trades_counted_again(real: Case, reference_data: Path) -> None:
    start, end = SPANS["real"]
    read = second.market(reference_data, start=start, end=end)
    n = len(read.sessions)
    least = dict.fromkeys((*INDICES, "net", "gross", "active"), math.inf)
    most = dict.fromkeys(least, -math.inf)
    rows = []
    for first in range(n - 63):
        held = list(TRADE.values())
        rows.append(held)
        for t in range(first + 1, first + 64):
            held = [v * (1 + read.real[s][t]) for s, v in zip(TRADE, held, strict=True)]
            rows.append([v / math.fsum(held) for v in held])
    for name, values in second.looked_through(read, TRADE, rows).items():
        least[name], most[name] = min(values), max(values)
    told = real.document["untraded_quarter"]
    assert (told["sessions"], told["windows"]) == (63, n - 63)
    assert told["least"] == pytest.approx(least, abs=1e-9)
    assert told["most"] == pytest.approx(most, abs=1e-9)


def shocked(moves: dict[str, float], rate: float) -> dict[str, float]:
    """Exposures after a quarter in a straight line of logs (M2 without variance), in plain Python."""
    years = 63 / 252
    held = {}
    for symbol, weight in TRADE.items():
        row = second.row_of(symbol)
        L, spread = row["leverage"], second.spread_of(row)
        cost = (L - 1) * rate + abs(L - 1) * spread + row["expense"] / 100
        held[symbol] = weight * (1 + moves.get(row["index"], 0.0)) ** L * math.exp(-cost * years)
    value = math.fsum(held.values())
    seen = dict.fromkeys(INDICES, 0.0)
    for symbol, money in held.items():
        row = second.row_of(symbol)
        seen[row["index"]] += row["leverage"] * money / value
    net, gross = math.fsum(seen.values()), math.fsum(map(abs, seen.values()))
    return seen | {"net": net, "gross": gross, "active": gross - abs(seen["SP500"]) + abs(seen["SP500"] - 1)}


def test_given_quarters_worked_out_apart(real: Case, reference_data: Path) -> None:
    rates = second_opinion.read_rates(reference_data / "DFF.csv")
    rate = rates[max(day for day in rates if day <= SPANS["real"][1])]
    told = real.document["shocks"]
    names = [*INDICES, "all"]
    assert list(told) == [f"{name} {sign}25%" for sign in "+-" for name in names]
    for label, seen in told.items():
        name, move = label.rsplit(" ", 1)
        size = float(move.removesuffix("%")) / 100
        moves = dict.fromkeys(INDICES, size) if name == "all" else {name: size}
        assert seen == pytest.approx(shocked(moves, rate), abs=1e-9), label


def test_shocks_of_your_own(reference_data: Path) -> None:
    moves = {"RUSSELL2000": -0.3, "NASDAQ100": 0.1}
    study = study_of("real", {"calendar": "never"}, start="2020-09-01")
    found = compare_rules(study, FolderSource(reference_data), shocks=moves)
    rates = second_opinion.read_rates(reference_data / "DFF.csv")
    rate = rates[max(day for day in rates if day <= SPANS["real"][1])]
    assert rules_document(found).dump()["shocks"] == {
        "RUSSELL2000 -30%, NASDAQ100 +10%": pytest.approx(shocked(moves, rate), abs=1e-9)
    }


@pytest.mark.parametrize(
    ("shocks", "said"),
    [
        ({"NASDAQ": 0.1}, r"no exposure to NASDAQ; the portfolio has SP500, RUSSELL2000, NASDAQ100"),
        ({"SP500": -1.0}, r"SP500 = -1: a move is a simple return above -1, such as -0\.3 for -30%"),
    ],
)
def test_a_shock_that_cannot_be_is_refused(shocks: dict[str, float], said: str) -> None:
    study = study_of("sample", {"calendar": "never"}, start="2016-09-01")
    with pytest.raises(StudyError, match=said):
        compare_rules(study, SampleSource(), shocks=shocks)


# --- what cannot be ---


def test_no_rule_within_the_tolerance_is_said() -> None:
    """Trades below 6% of the capital are left undone, so that not even daily keeps exposures on their targets."""
    study = study_of(
        "sample", {"calendar": "never"}, start="2016-01-04", capital=10_000.0,
        costs={"half_spread_bps": 2.0, "min_trade": 600.0},
    )  # fmt: skip
    found = compare_rules(study, SampleSource(), tolerance=0.001)
    document, report = rules_document(found).dump(), rules_report(found)
    assert document["recommended"] == {"rule": None, "tolerance": 0.001, "picked": None}
    assert report.summary.startswith("From 2016-01-04 to 2016-12-30 no rule kept the exposure error within 0.001")
    assert report.tiles == ()


def test_a_span_shorter_than_a_quarter_has_no_quarters() -> None:
    found = compare_rules(study_of("sample", {"calendar": "weekly"}, start="2016-11-01"), SampleSource())
    document = rules_document(found).dump()
    assert document["untraded_quarter"] is None
    assert any(note.startswith("No quarters without trades: ") for note in document["notes"])
    assert len(document["timing_luck"]["least"]) == 6


def test_a_portfolio_that_is_lost_in_a_quarter_is_an_outcome() -> None:
    """The sample's Nasdaq rose 14% on 2001-01-03: ten times short loses all."""
    values = {"weights": {"QQQ?L=-10&E=1": 1.0}, "benchmark": "SPY", "start": "2000-12-01", "end": "2001-06-29"}
    study = study_from(values | {"rebalance": {"calendar": "weekly"}}, "test")
    found = compare_rules(study, SampleSource())
    json.dumps(rules_document(found).dump(), allow_nan=False)
    assert rules_report(found).summary


# --- the report ---


def parts_of(report: Report, kind: type[Any]) -> list[Any]:
    """Every table or figure of a report."""
    return [part for section in report.sections for part in section.parts if isinstance(part, kind)]


def test_the_report_shows_the_figures(case: Case) -> None:
    report = rules_report(case.found)
    [chart] = [one for one in parts_of(report, Figure) if one.title == "Rules by cost and exposure error"]
    points = [zip(trace["text"], trace["x"], trace["y"], strict=True) for trace in chart.data]
    shown = {name: (x, y) for trace in points for name, x, y in trace}
    for rule in case.document["rules"]:
        x, y = shown[rule["name"]]
        assert x == pytest.approx(rule["figures"]["exposure_error"], rel=1e-5)
        assert y == pytest.approx(rule["figures"]["cost_a_year"], rel=1e-5)
    [rules] = [one for one in parts_of(report, Table) if one.title == "Rules"]
    starred = [str(row.cells[0]).endswith(" *") for row in rules.rows]
    assert starred == [rule["frontier"] for rule in case.document["rules"]]
    strong = [str(row.cells[0]).removesuffix(" *") for row in rules.rows if row.strong]
    assert strong == [case.document["recommended"]["rule"]]


def test_synthetic_spans_are_marked(case: Case) -> None:
    report = rules_report(case.found)
    results = ("Cost against exposure error", "How much the day matters")
    marked = [
        "†" in part.note
        for section in report.sections
        for part in section.parts
        if section.title in results or part.title == "Every quarter known, without a trade"
    ]
    assert len(marked) >= 6
    assert set(marked) == {case.which == "sample"}
