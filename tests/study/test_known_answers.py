"""What `run --json` says of trading on real data, against the second implementations of engine and attribution."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.second_engine import Flow, Outcome
from tests.study import second_study as second
from tests.study.second_study import CAUSES, END, INDICES, START, TRADE, Market

from alphaoverlay.market.folder import FolderSource
from alphaoverlay.study.load import study_from
from alphaoverlay.study.results import run_document
from alphaoverlay.study.run import run_study

# A tenth in cash, which earns half a percent less than the rate.
WITH_CASH = {"SPY": 0.6, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}
BELOW = 0.005
AMOUNT, CAPITAL = 1000.0, 250_000.0

STUDIES: dict[str, dict[str, Any]] = {
    "quarterly": {"costs": {"half_spread_bps": 2.0}},
    "free": {"costs": {"half_spread_bps": 0.0}},
    "band": {
        "rebalance": {"calendar": "never", "band": {"on": "exposure", "size": 0.10}},
        "costs": {"half_spread_bps": 2.0},
    },
    "edge": {
        "rebalance": {"calendar": "never", "band": {"on": "exposure", "size": 0.10, "destination": "edge"}},
        "costs": {"half_spread_bps": 2.0},
    },
    "late": {
        "rebalance": {"calendar": "quarterly", "band": {"size": 0.05}, "min_interval": 10, "lag": 1},
        "costs": {"half_spread_bps": 2.0},
    },
    "tranches": {
        "rebalance": {"calendar": "quarterly", "tranches": 3, "offset": 1},
        "costs": {"half_spread_bps": 2.0},
    },
    "flows": {
        "costs": {"half_spread_bps": 2.0},
        "capital": CAPITAL,
        "flows": [{"amount": AMOUNT, "calendar": "monthly"}],
    },
    "cash": {"weights": WITH_CASH, "costs": {"half_spread_bps": 2.0}, "cash": {"spread": BELOW}},
}


class Case(NamedTuple):
    """The package's document, and the second implementation's portfolio and benchmark."""

    document: dict[str, Any]
    weights: dict[str, float]
    path: Outcome
    benchmark: Outcome


def plan_of(read: Market, name: str) -> dict[str, Any]:
    """The same study in the second engine's terms."""
    if name == "cash":
        return {"lend": [(c - BELOW) * d for c, d in read.funding]}
    plans: dict[str, dict[str, Any]] = {
        "free": {"bps": 0.0},
        "band": {"calendar": "never", "bands": second.exposure_bands(0.10)},
        "edge": {"calendar": "never", "bands": second.exposure_bands(0.10, 0.0)},
        "late": {"bands": second.exposure_bands(0.05), "interval": 10, "lag": 1},
        "tranches": {"tranches": 3, "offset": 1},
        "flows": {"flows": second.contributions(read, AMOUNT / CAPITAL, "monthly")},
    }
    return plans.get(name, {})


@cache
def case_of(folder: Path, name: str) -> Case:
    """Run a study both ways."""
    values: dict[str, Any] = {"weights": TRADE, "benchmark": "SPY", "start": f"{START}", "end": f"{END}"}
    values |= {"rebalance": {"calendar": "quarterly"}} | STUDIES[name]
    document = run_document(run_study(study_from(values, name), FolderSource(folder))).dump()
    read = second.market(folder)
    options = {"bps": 2.0} | plan_of(read, name)
    weights = values["weights"]
    # All there is in one fund never strays from its targets, so no band of the benchmark is ever broken.
    own = {key: value for key, value in options.items() if key not in ("bands", "interval", "lag")}
    return Case(document, weights, second.run(read, weights, **options), second.run(read, {"SPY": 1.0}, **own))


@pytest.fixture(scope="module")
def read(reference_data: Path) -> Market:
    return second.market(reference_data)


@pytest.fixture(params=[name for name in STUDIES if name != "free"])
def case(request: pytest.FixtureRequest, reference_data: Path) -> Case:
    return case_of(reference_data, request.param)


def close(expected: float) -> Any:
    return pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_value_turnover_and_costs(case: Case) -> None:
    document = case.document
    for side, path in (("portfolio", case.path), ("benchmark", case.benchmark)):
        assert document[side]["final_value"] == close(second.growth(path))
        assert document[side]["trading"]["cost"] == close(math.fsum(path["cost"]))
    years = (END - START).days / 365.25
    assert document["turnover"] == close(math.fsum(case.path["turnover"][1:]))
    assert document["turnover_a_year"] == close(math.fsum(case.path["turnover"][1:]) / years)
    costs = document["costs"]
    assert costs["total"] == costs["spread"] == close(math.fsum(case.path["cost"]))
    assert costs["purchase"] == close(case.path["cost"][0])
    assert costs["fees"] == costs["impact"] == 0.0
    assert costs["zero_by_choice"] is (costs["half_spread_bps"] == 0.0)


def test_rebalances(case: Case, read: Market) -> None:
    dates = second.rebalances(read, case.path)
    assert case.document["rebalances"] == {"count": len(dates), "dates": dates}


def test_exposures_after_trades(case: Case, read: Market) -> None:
    seen = second.looked_through(read, case.weights, second.weights_after(case.path))
    aims = second.looked_through(read, case.weights, [list(case.weights.values())])
    told = case.document["exposures"]
    assert list(told["max"]) == list(seen)
    for name, values in seen.items():
        assert told["max"][name] == close(max(values))
        assert told["min"][name] == close(min(values))
        assert told["last"][name] == close(values[-1])
        assert told["target"][name] == close(aims[name][0])


def test_breaches_recounted(case: Case, read: Market) -> None:
    below = BELOW if case.weights == WITH_CASH else 0.0
    held = second.weights_before(read, case.weights, case.path, below)
    before = second.looked_through(read, case.weights, held)
    aims = second.looked_through(read, case.weights, [list(case.weights.values())])
    told = case.document["exposures"]["breaches"]
    own = case.document["study"]["rebalance"].get("band")
    sizes = (0.05, 0.10) if own is None else (own[0]["size"],)
    assert [(one["on"], one["below"], one["above"]) for one in told] == [
        (f"exposure {name}", size, size) for size in sizes for name in INDICES
    ]
    for one in told:
        name = one["on"].removeprefix("exposure ")
        again = second.recount(read, before[name], aims[name][0], one["above"])
        assert (one["kind"], one["basis"]) == ("absolute", "yardstick" if own is None else "rule")
        assert one["sessions"] == again.sessions
        assert one["share"] == close(again.sessions / (len(read.sessions) - 1))
        assert (one["farthest"], one["date"]) == (close(again.farthest), again.day)
        assert one["beyond"] == close(again.beyond)
        assert one["target"] == close(aims[name][0])


def test_attribution_part_by_part(case: Case, read: Market) -> None:
    below = BELOW if case.weights == WITH_CASH else 0.0
    ours = second.split(read, case.weights, case.path, at_target=True, below_rate=below)
    theirs = second.split(read, {"SPY": 1.0}, case.benchmark, at_target=False)
    rows = second.active_parts(ours, theirs)
    expected, told = second.summed(rows), case.document["attribution"]
    assert list(told["parts"]) == [*INDICES, *CAUSES]
    for name, part in told["parts"].items():
        assert part == close(expected[name]), name
    assert told["variance"] == close(expected["variance"])
    # What the parts and the variance add up to is the ratio of the two values, nothing of which the parts were told.
    ratio = math.log(second.growth(case.path) / second.growth(case.benchmark))
    assert told["total"] == close(ratio)
    assert math.fsum([*told["parts"].values(), told["variance"]]) == close(ratio)
    for one in told["years"]:
        of_year = [row for row, day in zip(rows, read.sessions, strict=True) if day.year == one["year"]]
        assert {**one["parts"], "variance": one["variance"], "total": one["total"]} == pytest.approx(
            second.summed(of_year), rel=1e-9, abs=1e-9
        )
    assert [one["year"] for one in told["years"]] == list(range(2010, 2022))
    gap = second.growth(case.path) - second.growth(case.benchmark)
    for name, part in told["points"]["parts"].items():
        assert part == close(expected[name] * gap / ratio), name
    assert told["points"]["total"] == close(gap)


def test_the_legs_went_as_far_as_the_issue_says(reference_data: Path) -> None:
    """Stated: one leg from -0.10 to -0.68, and net from 0.31 to 1.47; the leg's other end is -0.095, strictly."""
    told = case_of(reference_data, "free").document["exposures"]
    assert told["max"]["NASDAQ100"] == pytest.approx(-0.094738, abs=1e-6)
    assert round(told["min"]["NASDAQ100"], 2) == -0.68
    assert (round(told["min"]["net"], 2), round(told["max"]["net"], 2)) == (0.31, 1.47)
    assert told["breaches"][5]["sessions"] > told["breaches"][3]["sessions"]


def test_bands_to_the_target_keep_exposures_within_them(reference_data: Path) -> None:
    for name in ("band", "edge"):
        told = case_of(reference_data, name).document["exposures"]
        for index, target in (("SP500", 1.0), ("RUSSELL2000", 0.3), ("NASDAQ100", -0.3)):
            assert target - 0.1 - 1e-9 <= told["min"][index] <= told["max"][index] <= target + 0.1 + 1e-9


def test_flows_and_money_weighted_returns(reference_data: Path, read: Market) -> None:
    one = case_of(reference_data, "flows")
    # Month ends from February 2010 to November 2021.
    months = 11 + 10 * 12 + 11
    assert one.document["flows"] == {
        "contributed": close(months * AMOUNT / CAPITAL),
        "withdrawn": 0.0,
        "money_weighted": close(second.money_weighted(read, one.path)),
        "money_weighted_benchmark": close(second.money_weighted(read, one.benchmark)),
        "exhausted": None,
    }
    assert case_of(reference_data, "quarterly").document["flows"] is None


@pytest.mark.parametrize("placing", ["underweight", "current", "rebalance"])
def test_withdrawals_wherever_they_are_taken_from(reference_data: Path, read: Market, placing: str) -> None:
    values: dict[str, Any] = {
        "weights": TRADE,
        "benchmark": "SPY",
        "start": f"{START}",
        "end": f"{END}",
        "rebalance": {"calendar": "annual", "flows": placing},
        "costs": {"half_spread_bps": 2.0},
        "flows": [{"share": -0.01, "calendar": "quarterly", "offset": 5}, {"share": 0.5, "dates": ["2015-07-04"]}],
    }
    document = run_document(run_study(study_from(values, "test"), FolderSource(reference_data))).dump()
    taken = [Flow(t, share=-0.01) for t, due in enumerate(second.marks(read, "quarterly", offset=5)[0]) if due]
    given = Flow(next(t for t, day in enumerate(read.sessions) if f"{day}" >= "2015-07-04"), share=0.5)
    path = second.run(read, TRADE, "annual", 2.0, flows=[*taken, given], placing=placing)
    assert document["portfolio"]["final_value"] == close(second.growth(path))
    assert document["rebalances"]["dates"] == second.rebalances(read, path)
    assert document["costs"]["total"] == close(math.fsum(path["cost"]))
    assert document["flows"]["withdrawn"] == close(-math.fsum(x for x in path["flow"] if x < 0.0))
    assert document["flows"]["contributed"] == close(max(path["flow"]))
    assert document["flows"]["money_weighted"] == close(second.money_weighted(read, path))
