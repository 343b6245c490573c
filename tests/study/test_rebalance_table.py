"""`[rebalance]` of a study: what each key builds, and how each mistake is named."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from tests.study.test_load import refused

from alphaoverlay.engine.bands import Band
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.errors import StudyError
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.study.load import load_study, study_from
from alphaoverlay.study.run import run_study
from alphaoverlay.study.write import study_toml

TRADE = {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}
ENDLESS = math.inf


def rule_of(**keys: Any) -> RebalancingRule:
    """The rule that a table of these keys builds."""
    return study_from({"weights": TRADE, "rebalance": keys}, "test").rebalance.build()


def band_of(**keys: Any) -> Band:
    """The one band that a table of these keys builds."""
    [band] = rule_of(band=keys).bands
    return band


# --- what is built ---


@pytest.mark.parametrize(
    ("keys", "built"),
    [
        ({}, RebalancingRule(CalendarRule("quarterly"))),
        ({"calendar": "never"}, RebalancingRule(CalendarRule("never"))),
        ({"calendar": "monthly", "offset": 3}, RebalancingRule(CalendarRule("monthly", 3))),
        ({"tranches": 3}, RebalancingRule(CalendarRule("quarterly"), tranches=3)),
        ({"lag": 2}, RebalancingRule(CalendarRule("quarterly"), lag=2)),
        ({"min_interval": 5}, RebalancingRule(CalendarRule("quarterly"), minimum_interval=5)),
        (
            {"band": {"size": 0.1}, "check": "weekly"},
            RebalancingRule(CalendarRule("quarterly"), (Band("exposure", 0.1, 0.1),), check=CalendarRule("weekly")),
        ),
        ({"band": []}, RebalancingRule(CalendarRule("quarterly"))),
        (
            {"band": [{"size": 0.1}, {"on": "net", "size": 0.2}], "calendar": "annual"},
            RebalancingRule(CalendarRule("annual"), (Band("exposure", 0.1, 0.1), Band("net", 0.2, 0.2))),
        ),
    ],
    ids=str,
)
def test_every_key_builds_what_it_says(keys: dict[str, Any], built: RebalancingRule) -> None:
    assert rule_of(**keys) == built


@pytest.mark.parametrize(
    ("keys", "built"),
    [
        ({"size": 0.05}, Band("exposure", 0.05, 0.05, "absolute", (), 1.0)),
        ({"size": "5%"}, Band("exposure", 0.05, 0.05)),
        ({"size": 0}, Band("exposure", 0.0, 0.0)),
        ({"size": {"below": 0.05, "above": 0.1}}, Band("exposure", 0.05, 0.1)),
        ({"size": {"below": 0.05}}, Band("exposure", 0.05, ENDLESS)),
        ({"size": {"above": "10%"}}, Band("exposure", ENDLESS, 0.1)),
        ({"size": 0.25, "kind": "relative", "on": "weight"}, Band("weight", 0.25, 0.25, "relative")),
        ({"size": 0.1, "on": "weight", "only": ["TNA", "sqqq"]}, Band("weight", 0.1, 0.1, only=("TNA", "SQQQ"))),
        ({"size": 0.1, "only": "russell2000"}, Band("exposure", 0.1, 0.1, only=("RUSSELL2000",))),
        ({"size": 0.1, "destination": "edge"}, Band("exposure", 0.1, 0.1, destination=0.0)),
        ({"size": 0.1, "destination": "target"}, Band("exposure", 0.1, 0.1, destination=1.0)),
        ({"size": 0.1, "destination": 0.25}, Band("exposure", 0.1, 0.1, destination=0.25)),
        ({"size": 0.1, "destination": 0}, Band("exposure", 0.1, 0.1, destination=0.0)),
        *(({"size": 0.1, "on": on}, Band(on, 0.1, 0.1)) for on in ("weight", "exposure", "net", "gross", "active")),
    ],
    ids=str,
)
def test_a_band_is_what_its_table_says(keys: dict[str, Any], built: Band) -> None:
    assert band_of(**keys) == built


def test_where_flows_are_placed_goes_with_the_flows() -> None:
    study = study_from({"weights": TRADE, "rebalance": {"flows": "current"}}, "test")
    assert study.cash_flows.placing == "current"
    assert study_from({"weights": TRADE}, "test").cash_flows.placing == "underweight"


# --- mistakes ---

MISTAKES: list[tuple[dict[str, Any], list[str]]] = [
    ({"band": {"size": -0.1}}, ["rebalance.band.0.size", "0 or more", "5 points are 0.05", "-0.1"]),
    ({"band": {"size": "-5%"}}, ["rebalance.band.0.size", "0 or more"]),
    ({"band": {"size": {"below": -0.1}}}, ["rebalance.band.0.size", "0 or more"]),
    ({"band": {"size": 1000}}, ["rebalance.band.0.size", "5 points are 0.05"]),
    ({"band": {"size": math.inf}}, ["rebalance.band.0.size", "finite"]),
    ({"band": {"size": "wide"}}, ["rebalance.band.0.size", "write a number", "'wide'"]),
    ({"band": {"size": {}}}, ["rebalance.band.0.size", "{ below = 0.05, above = 0.10 }"]),
    ({"band": {"size": {"up": 0.1}}}, ["rebalance.band.0.size", "{ below = 0.05, above = 0.10 }"]),
    ({"band": {"on": "net"}}, ["rebalance.band.0.size", "size = 0.05"]),
    ({"band": [{"size": 0.1}, {"size": -0.1}]}, ["rebalance.band.1.size", "0 or more"]),
    ({"band": {"on": "exposures", "size": 0.1}}, ["rebalance.band.0.on", "'exposure'", "'exposures'"]),
    ({"band": {"size": 0.1, "kind": "percent"}}, ["rebalance.band.0.kind", "'relative'", "'percent'"]),
    ({"band": {"on": "net", "size": 0.1, "only": ["TNA"]}}, ["rebalance.band.0", "only", '"net"', "leave it out"]),
    ({"band": {"on": "gross", "size": 0.1, "only": ["TNA"]}}, ["rebalance.band.0", "only", '"gross"']),
    ({"band": {"size": 0.1, "only": 3}}, ["rebalance.band.0.only", 'only = ["TNA"]']),
    ({"band": {"size": 0.1, "destination": "middle"}}, ["rebalance.band.0.destination", '"edge"', "0.5", "'middle'"]),
    ({"band": {"size": 0.1, "destination": 2}}, ["rebalance.band.0.destination", "part of the way"]),
    ({"band": {"size": 0.1, "destination": True}}, ["rebalance.band.0.destination", "part of the way"]),
    ({"band": {"size": 0.1, "width": 1}}, ["rebalance.band.0.width", "on, kind, size, only, destination"]),
    ({"band": 0.1}, ["rebalance.band", '{ on = "exposure", size = 0.10 }']),
    ({"bands": {"size": 0.1}}, ["rebalance.bands", "Did you mean band?"]),
    ({"tranches": 3, "calendar": "never"}, ["rebalance", "tranches = 3", '"never"', "leave it out"]),
    ({"tranches": 3, "calendar": "daily"}, ["rebalance", "tranches = 3", '"daily"']),
    ({"tranches": 0}, ["rebalance.tranches", "greater than or equal to 1"]),
    ({"tranches": 101}, ["rebalance.tranches", "less than or equal to 100"]),
    ({"check": "monthly"}, ["rebalance", "check", "add a band"]),
    ({"check": "never", "band": {"size": 0.1}}, ["rebalance", 'check = "never"', "leave them out"]),
    ({"check": "often", "band": {"size": 0.1}}, ["rebalance.check", "'often'", "'weekly'"]),
    ({"min_interval": -1}, ["rebalance.min_interval", "greater than or equal to 0"]),
    ({"minimum_interval": 3}, ["rebalance.minimum_interval", "Did you mean min_interval?"]),
    ({"lag": -1}, ["rebalance.lag", "greater than or equal to 0", "lag = 1"]),
    ({"lag": 1.5}, ["rebalance.lag", "integer", "1.5"]),
    ({"offset": 1, "calendar": "never"}, ["rebalance", "offset = 1", '"never"']),
    ({"flows": "target"}, ["rebalance.flows", "'underweight', 'current' or 'rebalance'", "'target'"]),
]


@pytest.mark.parametrize(("keys", "said"), MISTAKES, ids=lambda v: str(v)[:60])
def test_a_mistake_is_one_line_that_names_the_key_and_the_fix(keys: dict[str, Any], said: list[str]) -> None:
    refused({"weights": TRADE, "rebalance": keys}, said)


SPAN = {"start": "2016-01-04", "end": "2016-06-30", "benchmark": "SPY"}


@pytest.mark.parametrize(
    ("weights", "band", "said"),
    [
        (TRADE, {"only": ["SP500", "RUSSELL"]}, ["band.only", "no index RUSSELL", "SP500, RUSSELL2000, NASDAQ100"]),
        (TRADE, {"on": "weight", "only": ["IWM"]}, ["band.only", "no fund IWM", "SPY, UPRO, TNA, SQQQ"]),
        ({"SPY": 0.5, "SH": 0.5}, {"kind": "relative"}, ["exposure SP500", "target is 0", '"absolute"']),
        ({"SPY": 0.5, "SH": 0.5}, {"kind": "relative", "on": "net"}, ["net", "target is 0", '"absolute"']),
        ({"SPY": 1.0}, {"kind": "relative", "on": "active"}, ["active", "target is 0", '"absolute"']),
    ],
    ids=str,
)
def test_a_band_that_means_nothing_for_the_portfolio_is_refused_in_one_line(
    weights: dict[str, float], band: dict[str, Any], said: list[str]
) -> None:
    study = study_from(SPAN | {"weights": weights, "rebalance": {"band": {"size": 0.1} | band}}, "test")
    with pytest.raises(StudyError) as caught:
        run_study(study, SampleSource())
    message = str(caught.value)
    assert "\n" not in message
    for words in said:
        assert words in message


def test_a_band_on_what_the_benchmark_does_not_hold_is_for_the_portfolio_alone() -> None:
    """The same band, without a name, watches all that the benchmark holds."""
    runs = []
    for only in (["RUSSELL2000"], []):
        table = {"calendar": "never", "band": {"size": 0.02, "only": only}}
        runs.append(run_study(study_from(SPAN | {"weights": TRADE, "rebalance": table}, "test"), SampleSource()))
    assert [len(run.benchmark.rule.bands) for run in runs] == [0, 1]
    assert len(runs[0].portfolio.rebalances) > 0


def test_weights_that_borrow_are_held_in_one_tranche() -> None:
    values = {"weights": {"SPY": 0.7, "TNA": 0.6}, "cash": {"borrowing_spread": 0.01}, "rebalance": {"tranches": 2}}
    with pytest.raises(StudyError, match=r"rebalance\.tranches: a portfolio that borrows .* leave tranches out"):
        run_study(study_from(SPAN | values, "test"), SampleSource())


# --- there and back ---

FULL: dict[str, Any] = {
    "calendar": "monthly",
    "offset": 2,
    "band": [
        {"on": "exposure", "size": {"below": 0.05}, "destination": "edge"},
        {"on": "weight", "kind": "relative", "size": "25%", "only": ["TNA", "SQQQ"], "destination": 0.5},
        {"on": "active", "size": {"below": 0.2, "above": 0.3}},
    ],
    "check": "weekly",
    "min_interval": 5,
    "tranches": 3,
    "lag": 1,
    "flows": "current",
}


def test_a_written_rule_reads_back_as_itself(tmp_path: Path) -> None:
    study = study_from({"weights": TRADE, "rebalance": FULL}, "test")
    (tmp_path / "my.toml").write_text(study_toml(study, tmp_path), encoding="utf-8")
    assert load_study(tmp_path / "my.toml") == study
    assert study_from(study.as_toml_values(), "test") == study
    assert study.rebalance.build().bands[0] == Band("exposure", 0.05, ENDLESS, destination=0.0)
