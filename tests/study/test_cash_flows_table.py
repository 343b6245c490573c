"""`[[flows]]` and `[cash]` of a study: what they do, worked out on paper, and how each mistake is named."""

from __future__ import annotations

import datetime
import math
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.study.plain_market import DAYS, document_of, flat, rising, write_market
from tests.study.test_load import refused

from alphaoverlay.engine.flows import CashFlow
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.errors import StudyError
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.study.load import load_study, study_from
from alphaoverlay.study.run import run_study
from alphaoverlay.study.write import study_toml

TRADE = {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FLAT never moves, UP rises by a thousandth a session."""
    return write_market(tmp_path_factory.mktemp("plain"), {"FLAT": flat, "UP": rising})


def interest(rate: float) -> float:
    """What 1 in cash becomes at a fixed rate from the first session to the last."""
    return math.prod(1 + rate * (b - a).days / 360 for a, b in pairwise(DAYS))


# --- what is built ---


@pytest.mark.parametrize(
    ("table", "built"),
    [
        ({"amount": 500, "calendar": "monthly"}, CashFlow(500 / 1000, 0.0, CalendarRule("monthly"))),
        ({"amount": -2.5, "calendar": "weekly", "offset": 2}, CashFlow(-0.0025, 0.0, CalendarRule("weekly", 2))),
        ({"share": -0.04, "calendar": "annual"}, CashFlow(0.0, -0.04, CalendarRule("annual"))),
        ({"share": "4%", "calendar": "daily"}, CashFlow(0.0, 0.04, CalendarRule("daily"))),
        ({"share": 0.1, "dates": "2020-03-31"}, CashFlow(0.0, 0.1, None, (date(2020, 3, 31),))),
        (
            {"share": 0.1, "dates": [date(2020, 3, 31), datetime.datetime(2020, 4, 1, 16, 0), "2020-04-02"]},
            CashFlow(0.0, 0.1, None, (date(2020, 3, 31), date(2020, 4, 1), date(2020, 4, 2))),
        ),
    ],
    ids=str,
)
def test_every_key_builds_what_it_says(table: dict[str, Any], built: CashFlow) -> None:
    study = study_from({"weights": TRADE, "flows": [table], "capital": 1000.0}, "test")
    assert study.cash_flows.flows == (built,)


def test_contributions_add_up_and_are_no_return(folder: Path) -> None:
    """Where nothing moves, 12 month ends of 2019 leave 1 and 12 contributions, and no return of either kind."""
    flows = [{"amount": 250.0, "calendar": "monthly"}]
    document = document_of(folder, {"FLAT": 1.0}, capital=10_000.0, flows=flows, end="2019-12-31")
    assert document["flows"]["contributed"] == pytest.approx(12 * 0.025, rel=1e-12)
    assert document["flows"]["withdrawn"] == 0.0
    assert document["flows"]["money_weighted"] == pytest.approx(0.0, abs=1e-9)
    assert document["portfolio"]["final_value"] == pytest.approx(1.0, rel=1e-12)
    assert document["flows"]["exhausted"] is None


def test_money_that_comes_late_weighs_what_it_was_there_for(folder: Path) -> None:
    """Doubled in the middle: time-weighted it is the fund, money-weighted the root of two growths of money."""
    half = 250
    flows = [{"share": 1.0, "dates": [DAYS[half]]}]
    document = document_of(folder, {"UP": 1.0}, flows=flows)
    n = len(DAYS) - 1
    assert document["portfolio"]["final_value"] == pytest.approx(1.001**n, rel=1e-10)
    added, last = 1.001**half, 2.0 * 1.001**n
    rate = document["flows"]["money_weighted"]
    years = [(day - DAYS[0]).days / 365 for day in (DAYS[half], DAYS[-1])]
    assert 1.0 + added / (1 + rate) ** years[0] == pytest.approx(last / (1 + rate) ** years[1], rel=1e-9)


def test_a_day_without_a_session_counts_for_the_next_and_the_purchase_has_no_flow(folder: Path) -> None:
    # 2019-07-04 is a holiday; the first day is the purchase; the last two lie outside the span.
    dates = ["2019-07-04", f"{DAYS[0]}", "2018-06-29", "2021-06-30"]
    document = document_of(folder, {"UP": 1.0}, flows=[{"share": -0.5, "dates": dates}])
    then = DAYS.index(date(2019, 7, 5))
    assert document["flows"]["withdrawn"] == pytest.approx(0.5 * 1.001**then, rel=1e-10)
    assert document["flows"]["contributed"] == 0.0


@pytest.mark.parametrize(("amount", "last"), [(-125.0, "2019-08-30"), (-100.0, "2019-10-31")])
def test_a_withdrawal_of_all_there_is_ends_the_path(folder: Path, amount: float, last: str) -> None:
    """Eight times an eighth of the start, or ten times a tenth, of which rounding leaves dust: the rest is taken."""
    flows = [{"amount": amount, "calendar": "monthly"}]
    document = document_of(folder, {"FLAT": 1.0}, capital=1000.0, flows=flows)
    assert document["flows"]["exhausted"] == last
    assert document["flows"]["withdrawn"] == pytest.approx(1.0, rel=1e-12)
    assert document["portfolio"]["final_value"] == pytest.approx(1.0, rel=1e-12)
    assert document["portfolio"]["ruin"] is None
    assert any(note.startswith(f"The portfolio was exhausted on {last}") for note in document["notes"])


def test_flows_first_saves_trades(folder: Path) -> None:
    """Contributions to what is underweight leave the weights nearer to their targets than in proportion."""
    ran = {}
    for placing in ("underweight", "current", "rebalance"):
        document = document_of(
            folder,
            {"UP": 0.5, "FLAT": 0.5},
            capital=1000.0,
            flows=[{"amount": 2.0, "calendar": "monthly"}],
            rebalance={"calendar": "never", "flows": placing},
        )
        ran[placing] = document["exposures"]["max"]["UP"]
        assert (document["rebalances"]["count"] > 0) is (placing == "rebalance")
    assert 0.5 < ran["rebalance"] < ran["underweight"] < ran["current"] < 0.65


# --- cash ---


def test_cash_earns_the_rate_less_its_spread(folder: Path) -> None:
    calm = {"rebalance": {"calendar": "never"}}
    document = document_of(folder, {"FLAT": 0.4}, 0.02, cash={"spread": 0.005}, **calm)
    assert document["portfolio"]["final_value"] == pytest.approx(0.4 + 0.6 * interest(0.015), rel=1e-11)


def test_borrowing_pays_the_rate_and_its_spread(folder: Path) -> None:
    calm = {"rebalance": {"calendar": "never"}}
    document = document_of(folder, {"UP": 1.3}, 0.02, cash={"borrowing_spread": 0.01, "spread": 0.005}, **calm)
    expected = 1.3 * 1.001 ** (len(DAYS) - 1) - 0.3 * interest(0.03)
    assert document["portfolio"]["final_value"] == pytest.approx(expected, rel=1e-11)
    assert document["design"]["cash"] == pytest.approx(-0.3)
    assert document["exposures"]["target"]["net"] == pytest.approx(1.3)


BORROWING = ["weights", "add up to 1.3, more than 1", "cash.borrowing_spread = 0.015"]


@pytest.mark.parametrize("weights", [{"SPY": 1.3}, {"SPY": 100, "TNA": 30}, {"SPY": "100%", "TNA": "30%"}], ids=str)
def test_weights_above_the_whole_need_a_price_of_borrowing(weights: dict[str, Any]) -> None:
    refused({"weights": weights}, BORROWING)
    refused({"weights": TRADE, "benchmark": weights}, ["benchmark", *BORROWING[1:]])
    study = study_from({"weights": weights, "benchmark": weights, "cash": {"borrowing_spread": 0.0}}, "test")
    assert sum((study.weights or {}).values()) == pytest.approx(1.3)


def test_nobody_lends_ten_times_the_capital() -> None:
    refused({"weights": {"SPY": 1200}, "cash": {"borrowing_spread": 0.01}}, ["weights", "12 times", "lower them"])


# --- mistakes ---

MONTHLY = {"calendar": "monthly"}
MISTAKES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["flows.0", "amount = 500", "share of the value"]),
    ({"amount": 500}, ["flows.0", 'calendar = "monthly"', "dates = [2020-03-31]"]),
    ({"share": 0.1}, ["flows.0", 'calendar = "monthly"', "dates = [2020-03-31]"]),
    ({"share": 0.1, "dates": []}, ["flows.0", "dates = [2020-03-31]"]),
    (MONTHLY | {"amount": 500, "share": 0.1}, ["flows.0", "either an amount of money", "share of the value"]),
    (MONTHLY | {"amount": 0}, ["flows.0", "either an amount of money"]),
    (MONTHLY | {"share": 0.1, "dates": ["2020-03-31"]}, ["flows.0", "either calendar"]),
    ({"share": 0.1, "calendar": "never"}, ["flows.0", 'calendar = "never"', "leave it out"]),
    ({"share": 0.1, "calendar": "yearly"}, ["flows.0.calendar", "'yearly'", "'annual'"]),
    ({"share": 0.1, "dates": ["31.3.2020"]}, ["flows.0.dates", "YYYY-MM-DD"]),
    ({"share": 0.1, "dates": [3]}, ["flows.0.dates", "date"]),
    ({"share": 0.1, "dates": ["2020-03-31"], "offset": 1}, ["flows.0", "offset = 1", "leave it out"]),
    ({"share": 0.1, "calendar": "daily", "offset": 1}, ["flows.0", "offset = 1", "leave it out"]),
    (MONTHLY | {"share": -1.1}, ["flows.0.share", "greater than or equal to -1", "share = -0.04"]),
    (MONTHLY | {"share": 11}, ["flows.0.share", "less than or equal to 10"]),
    (MONTHLY | {"share": math.nan}, ["flows.0.share", "finite"]),
    (MONTHLY | {"amount": "500"}, ["flows.0.amount", "number", "amount = 500"]),
    (MONTHLY | {"amount": math.inf}, ["flows.0.amount", "amount = 500"]),
    (MONTHLY | {"amount": 500}, ["flows: amount = 500 is in money", "capital = 100000"]),
    (MONTHLY | {"amunt": 500}, ["flows.0.amunt", "Did you mean amount?"]),
]


@pytest.mark.parametrize(("table", "said"), MISTAKES, ids=lambda v: str(v)[:60])
def test_a_mistake_is_one_line_that_names_the_key_and_the_fix(table: dict[str, Any], said: list[str]) -> None:
    refused({"weights": TRADE, "flows": [table]}, said)


@pytest.mark.parametrize(
    ("cash", "said"),
    [
        ({"spread": -1}, ["cash.spread", "greater than or equal to -0.05", "spread = 0.005"]),
        ({"spread": 0.5}, ["cash.spread", "less than or equal to 0.2"]),
        ({"borrowing_spread": -0.1}, ["cash.borrowing_spread", "greater than or equal to 0"]),
        ({"borowing_spread": 0.1}, ["cash.borowing_spread", "Did you mean borrowing_spread?"]),
    ],
    ids=str,
)
def test_a_mistake_with_cash_is_one_line_too(cash: dict[str, Any], said: list[str]) -> None:
    refused({"weights": TRADE, "cash": cash}, said)


def test_flows_of_one_day_that_take_more_than_all_are_refused() -> None:
    flows = [{"share": -0.6, "dates": ["2016-07-05"]}] * 2
    study = study_from({"weights": TRADE, "flows": flows, "start": "2016-01-04", "end": "2016-12-30"}, "test")
    with pytest.raises(StudyError, match=r"withdrawals of one session add up to more than all there is"):
        run_study(study, SampleSource())


# --- there and back ---


def test_written_flows_and_cash_read_back_as_themselves(tmp_path: Path) -> None:
    values = {
        "weights": {"SPY": 1.0, "TNA": 0.3},
        "capital": 250_000,
        "rebalance": {"flows": "current"},
        "cash": {"rate": "DFF", "spread": 0.005, "borrowing_spread": 0.015},
        "flows": [
            {"amount": -500.5, "calendar": "monthly", "offset": 3},
            {"share": "-4%", "dates": ["2020-03-31", "2021-03-31"]},
        ],
    }
    study = study_from(values, "test")
    (tmp_path / "my.toml").write_text(study_toml(study, tmp_path), encoding="utf-8")
    assert load_study(tmp_path / "my.toml") == study
    assert study_from(study.as_toml_values(), "test") == study
    assert study.flows[1].share == -0.04
