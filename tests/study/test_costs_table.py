"""`[costs]` and `capital` of a study: what trading costs then, worked out apart, and how each mistake is named."""

from __future__ import annotations

import datetime
import math
import statistics
import tomllib
from bisect import bisect_right
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests import second_engine, second_opinion, second_tracking
from tests.study.plain_market import DAYS, document_of, flat, rising, write_market
from tests.study.test_load import refused

from alphaoverlay.errors import AlphaOverlayError
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.study.load import load_study, study_from
from alphaoverlay.study.results import run_document
from alphaoverlay.study.run import StudyResult, run_study
from alphaoverlay.study.write import study_toml

TRADE = {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}
SPAN = {"start": "2016-01-04", "end": "2016-06-30", "benchmark": "SPY"}
HALF_SPREADS = second_tracking.CATALOGUE.with_name("half_spreads.toml")


def on_sample(costs: dict[str, Any], **more: Any) -> StudyResult:
    """Half a year of the trade on the sample."""
    return run_study(study_from(SPAN | {"weights": TRADE, "costs": costs} | more, "test"), SampleSource())


# --- what is built ---


@pytest.mark.parametrize(
    ("spreads", "yearly"),
    [
        (20.0, 20.0),
        ("20", 20.0),
        (0, 0.0),
        ({"SPY": 10.0, "upro": 20, "TNA": 30.0, "SQQQ": "40"}, 0.7 * 10 + 0.1 * (20 + 30 + 40)),
        # In force on the first day of the span, 2016-01-04: 30, and 50 whatever was before 2018.
        (
            {
                "SPY": [{"since": "2010-01-04", "bps": 90}, {"since": "2016-01-04", "bps": 30}],
                "UPRO": 0,
                "TNA": [{"since": datetime.date(2018, 1, 2), "bps": 50.0}],
                "SQQQ": 0.0,
            },
            0.7 * 30 + 0.1 * 50,
        ),
    ],
    ids=str,
)
def test_the_purchase_costs_the_half_spreads_of_its_day(spreads: Any, yearly: float) -> None:
    """Of V' bought at h each, 1 = V' + sum h*w*V'."""
    document = run_document(on_sample({"half_spread_bps": spreads})).dump()
    assert document["costs"]["purchase"] == pytest.approx(1 - 1 / (1 + yearly / 10_000), rel=1e-12, abs=1e-15)
    assert document["costs"]["zero_by_choice"] is (yearly == 0.0)
    assert any("zero" in note for note in document["notes"]) is False  # it stands under the tables, not among the notes


def test_a_dated_half_spread_holds_from_its_day(tmp_path: Path) -> None:
    """Half in a fund that rises: on the quarter's end what is sold costs the figure of that day."""
    write_market(tmp_path, {"UP": rising})
    rows = [{"since": "2019-01-02", "bps": 0.0}, {"since": "2019-03-29", "bps": 100.0}]
    costs = {"half_spread_bps": {"UP": rows}}
    document = document_of(tmp_path, {"UP": 0.5}, end="2019-04-30", costs=costs)
    quarter = sum(1 for day in DAYS if day <= date(2019, 3, 29)) - 1
    fund, cash = 0.5 * 1.001**quarter, 0.5
    # V' + h*(fund - V'/2) = fund + cash
    after = (fund + cash - 0.01 * fund) / (1 - 0.01 / 2)
    assert document["rebalances"]["dates"] == ["2019-03-29"]
    assert document["costs"]["total"] == pytest.approx(fund + cash - after, rel=1e-10)
    assert document["costs"]["purchase"] == 0.0


def test_a_fee_a_trade_is_paid_by_each_fund_that_trades() -> None:
    """The purchase trades four funds, each quarter end four again."""
    document = run_document(on_sample({"half_spread_bps": 0.0, "per_trade": 0.5}, capital=10_000.0)).dump()
    assert document["rebalances"]["count"] == 2
    assert document["costs"]["fees"] == pytest.approx(3 * 4 * 0.5 / 10_000.0, rel=1e-12)
    assert document["costs"]["purchase"] == pytest.approx(4 * 0.5 / 10_000.0, rel=1e-12)
    assert document["costs"]["spread"] == pytest.approx(0.0, abs=1e-15)
    assert document["costs"]["zero_by_choice"] is False


def test_a_fee_a_share_is_a_share_of_the_price(tmp_path: Path) -> None:
    write_market(tmp_path, {"FLAT": flat})
    document = document_of(tmp_path, {"FLAT": 1.0}, costs={"half_spread_bps": 10.0, "per_share": 0.05})
    rate = 0.001 + 0.05 / 100.0
    assert document["costs"]["purchase"] == pytest.approx(1 - 1 / (1 + rate), rel=1e-12)
    assert document["costs"]["total"] == pytest.approx(document["costs"]["purchase"], rel=1e-9)


def test_smaller_trades_than_the_least_are_left_undone() -> None:
    runs = [on_sample({"half_spread_bps": 2.0, "min_trade": least}, capital=10_000.0) for least in (0.0, 30.0)]
    free, strict = (run.portfolio.trades.to_numpy() * 10_000.0 for run in runs)
    assert ((abs(free) > 1.0) & (abs(free) < 30.0)).any()
    assert (abs(strict)[abs(strict) > 1e-9] >= 30.0 - 1e-9).all()
    assert (abs(strict) >= 30.0).any(axis=1).sum() > 1


@pytest.mark.parametrize("capital", [1e5, 1e7])
def test_impact_and_the_share_of_the_volume(tmp_path: Path, capital: float) -> None:
    """The purchase on the 64th session of all in one fund that alternates, of known volatility and volume."""

    def zigzag(t: int) -> float:
        return 100.0 * (1.01 if t % 2 else 1.0)

    write_market(tmp_path, {"ZIG": zigzag}, {"ZIG": lambda t: 20_000.0 + t})
    first = 64
    values: dict[str, Any] = {"start": f"{DAYS[first]}", "end": f"{DAYS[first + 5]}", "capital": capital}
    document = document_of(tmp_path, {"ZIG": 1.0}, costs={"half_spread_bps": 0.0, "impact": 1.5}, **values)
    window = range(first - 63, first)
    volume = statistics.median(zigzag(t) * (20_000.0 + t) for t in window)
    deviation = statistics.stdev(zigzag(t) / zigzag(t - 1) - 1 for t in window)
    low, high = 0.0, 1.0
    for _ in range(100):
        middle = (low + high) / 2
        spent = 1.5 * deviation * middle * math.sqrt(middle * capital / volume)
        low, high = (middle, high) if middle + spent <= 1.0 else (low, middle)
    costs = document["costs"]
    assert costs["purchase"] == pytest.approx(1 - low, rel=1e-9)
    assert costs["impact"] == costs["total"] == pytest.approx(1 - low, rel=1e-9)
    share = low * capital / volume
    assert costs["largest_trades"] == {"ZIG": {"share": pytest.approx(share, rel=1e-9), "date": f"{DAYS[first]}"}}
    warned = [note for note in document["notes"] if note.startswith("Trades above 1%")]
    assert len(warned) == 1
    assert f"ZIG {share:.1%} ({DAYS[first]})" in warned[0]


def test_small_trades_are_no_warning_and_without_capital_nothing_is_measured(tmp_path: Path) -> None:
    write_market(tmp_path, {"FLAT": flat}, {"FLAT": lambda t: 1e6})
    first: dict[str, Any] = {"start": f"{DAYS[64]}"}
    small = document_of(tmp_path, {"FLAT": 1.0}, capital=900_000.0, **first)
    assert small["costs"]["largest_trades"]["FLAT"]["share"] == pytest.approx(0.009)
    none = document_of(tmp_path, {"FLAT": 1.0}, **first)
    assert none["costs"]["largest_trades"] == {}
    assert not any("Trades above" in note for note in [*small["notes"], *none["notes"]])


# --- the catalogue ---


def rates_of(symbol: str, leverage: float, moves: list[float], days: list[date], keys: dict[str, float]) -> list[float]:
    """Half-spreads in force by day as fractions, times the factor where the last 21 returns were wild."""
    rows = tomllib.loads(HALF_SPREADS.read_text(encoding="utf-8"))
    [history] = [one["history"] for one in rows["fund"] if one["symbol"] == symbol]
    since = [row["from"] for row in history]
    factor = keys.get("widen", rows["widened"]["factor"])
    above = keys.get("widen_above", rows["widened"]["above"])
    found = []
    for t, day in enumerate(days):
        bps = history[max(0, bisect_right(since, day) - 1)]["bps"]
        last = moves[t - 20 : t + 1]
        wild = len(last) == 21 and statistics.stdev(last) * math.sqrt(252) / abs(leverage) > above
        found.append(bps * (factor if wild else 1.0) / 10_000)
    return found


@pytest.mark.parametrize("keys", [{}, {"widen": 1.0}, {"widen": 5.0, "widen_above": 0.2}], ids=str)
def test_the_catalogue_is_the_default_and_wider_on_wild_days(reference_data: Path, keys: dict[str, float]) -> None:
    start, end = date(2014, 6, 2), date(2020, 12, 15)
    values: dict[str, Any] = {"weights": TRADE, "benchmark": "SPY", "start": f"{start}", "end": f"{end}"}
    values |= {"rebalance": {"calendar": "monthly"}} | ({"costs": keys} if keys else {})
    document = run_document(run_study(study_from(values, "test"), FolderSource(reference_data))).dump()

    prices = {symbol: second_opinion.read_prices(reference_data / "prices" / f"{symbol}.csv") for symbol in TRADE}
    exchange = sorted(prices["SPY"])
    days = [day for day in exchange if date(2014, 1, 2) <= day <= end]
    n = sum(1 for day in days if day >= start)
    moves = {symbol: second_opinion.total_returns(prices[symbol], days) for symbol in TRADE}
    leverages = zip(TRADE, (1.0, 3.0, 3.0, -3.0), strict=True)
    rates = [rates_of(symbol, times, moves[symbol], days, keys)[-n:] for symbol, times in leverages]
    month_ends = second_opinion.period_ends(exchange, "monthly")
    accrual = [c * d for c, d in second_opinion.financing(
        second_opinion.read_rates(reference_data / "DFF.csv"), days[-n:])]  # fmt: skip
    path = second_engine.run_plan(
        second_engine.Plan(
            returns=[moves[symbol][-n:] for symbol in TRADE],
            lend=accrual,
            borrow=accrual,
            targets=[list(TRADE.values())] * n,
            calendar=[[day in month_ends for day in days[-n:]]],
            rates=rates,
            watched=[False] * n,
        )
    )
    assert document["portfolio"]["final_value"] == pytest.approx(path["value"][-1], rel=1e-10)
    assert document["costs"]["total"] == pytest.approx(math.fsum(path["cost"]), rel=1e-9)
    assert document["costs"]["half_spread_bps"] == {
        symbol: pytest.approx(1e4 * statistics.fmean(row)) for symbol, row in zip(TRADE, rates, strict=True)
    }
    quiet = 0.2, 1.5, 1.5, 1.5
    wider = [max(row) * 1e4 > 1.1 * bps for row, bps in zip(rates, quiet, strict=True)]
    assert all(wider) is (keys.get("widen") != 1.0)


def test_stated_half_spreads_are_wider_only_where_that_is_stated() -> None:
    spreads = dict.fromkeys(TRADE, 1.0)
    plain, wide = (
        run_document(on_sample({"half_spread_bps": spreads} | more)).dump()["costs"]["half_spread_bps"]
        for more in ({}, {"widen": 3.0, "widen_above": 0.01})
    )
    assert plain == {symbol: pytest.approx(1.0) for symbol in TRADE}
    assert wide == {symbol: pytest.approx(3.0) for symbol in TRADE}


def test_the_catalogues_assumptions_do_not_choose_the_funds() -> None:
    """Stated half-spreads do: the funds of 3x cost more to trade."""
    values = {"base": {"SP500": 1.0}, "overlay": {"RUSSELL2000": 0.3}, "start": "2005-01-03"}
    held = {
        spreads: run_study(study_from(values | {"costs": {"half_spread_bps": spreads}}, "test"), SampleSource())
        for spreads in ("catalogue", 0.0, 500.0)
    }
    weights = {spreads: one.design.portfolio.by_symbol for spreads, one in held.items()}
    assert weights["catalogue"] == weights[0.0]
    assert weights[500.0] != weights[0.0]


# --- mistakes ---

SPY = "costs.half_spread_bps"
MISTAKES: list[tuple[dict[str, Any], list[str]]] = [
    ({"half_spread_bps": "5%"}, [SPY, "basis points from 0 to 1000", "'5%'"]),
    ({"half_spread_bps": -1}, [SPY, "basis points from 0 to 1000", "-1"]),
    ({"half_spread_bps": 2000}, [SPY, "basis points from 0 to 1000"]),
    ({"half_spread_bps": "two"}, [SPY, '"catalogue"', "'two'"]),
    ({"half_spread_bps": True}, [SPY, '"catalogue"']),
    ({"half_spread_bps": math.nan}, [SPY, '"catalogue"']),
    ({"half_spread_bps": [1.0]}, [SPY, '"catalogue"']),
    ({"half_spread_bps": {"SPY": "1%"}}, [SPY, "basis points from 0 to 1000"]),
    ({"half_spread_bps": {"SPY": []}}, ["half_spread_bps.SPY", "at least one row"]),
    (
        {"half_spread_bps": {"SPY": [{"since": "2012-01-03", "bps": 2}, {"since": "2010-01-04", "bps": 1}]}},
        ["half_spread_bps.SPY", "each from a later day"],
    ),
    (
        {"half_spread_bps": {"SPY": [{"since": "2012-01-03", "bps": 2}, {"since": "2012-01-03", "bps": 1}]}},
        ["half_spread_bps.SPY", "each from a later day"],
    ),
    ({"half_spread_bps": {"SPY": [{"since": "2012", "bps": 2}]}}, [SPY, "{ since = 2010-01-04, bps = 5.0 }"]),
    ({"half_spread_bps": {"SPY": [{"bps": 2}]}}, [SPY, "{ since = 2010-01-04, bps = 5.0 }"]),
    ({"half_spread_bps": {"SPY": [2]}}, [SPY, "{ since = 2010-01-04, bps = 5.0 }"]),
    ({"half_spread_bps": {"SPY": [{"since": "2012-01-03", "bps": -2}]}}, [SPY, "from 0 to 1000"]),
    ({"widen": 0.5}, ["costs.widen", "greater than or equal to 1", "widen = 3.0"]),
    ({"widen_above": 0}, ["costs.widen_above", "greater than 0", "widen_above = 0.30"]),
    ({"per_trade": -1}, ["costs.per_trade", "greater than or equal to 0"]),
    ({"per_trade": 1}, ["costs.per_trade is in money", "capital = 100000"]),
    ({"per_share": -1}, ["costs.per_share", "greater than or equal to 0"]),
    ({"min_trade": -1}, ["costs.min_trade", "greater than or equal to 0"]),
    ({"min_trade": 100}, ["costs.min_trade is in money", "capital = 100000"]),
    ({"impact": -1}, ["costs.impact", "greater than or equal to 0"]),
    ({"impact": 1.0}, ["costs.impact is in money", "capital = 100000"]),
    ({"imapct": 1.0}, ["costs.imapct", "Did you mean impact?"]),
]


@pytest.mark.parametrize(("costs", "said"), MISTAKES, ids=lambda v: str(v)[:60])
def test_a_mistake_is_one_line_that_names_the_key_and_the_fix(costs: dict[str, Any], said: list[str]) -> None:
    refused({"weights": TRADE, "costs": costs}, said)


@pytest.mark.parametrize("capital", [0, -1, "much", math.inf, True], ids=str)
def test_capital_is_an_amount(capital: Any) -> None:
    refused({"weights": TRADE, "capital": capital}, ["capital", "capital = 100000"])


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ({"half_spread_bps": {"SPY": 1.0}}, ["costs.half_spread_bps has no UPRO", "name every fund"]),
        ({"impact": 1.0}, ["costs.impact needs trading volumes", "SPY on 2016-01-04", "leave impact out"]),
        ({"per_share": 0.005}, ["costs.per_share needs closing prices", "SPY on 2016-01-04", "leave it out"]),
    ],
    ids=str,
)
def test_what_the_data_lack_is_said_in_one_line(costs: dict[str, Any], said: list[str]) -> None:
    with pytest.raises(AlphaOverlayError) as caught:
        on_sample(costs, capital=1e5)
    message = str(caught.value)
    assert "\n" not in message
    for words in said:
        assert words in message


def test_synthetic_funds_have_no_price_a_share(reference_data: Path) -> None:
    values = {"weights": TRADE, "start": "2009-01-02", "end": "2010-12-31", "costs": {"per_share": 0.005}}
    with pytest.raises(AlphaOverlayError, match=r"UPRO on 2009-01-02 is unknown; start on 2009-06-26 or later"):
        run_study(study_from(values, "test"), FolderSource(reference_data))


# --- there and back ---


@pytest.mark.parametrize(
    "costs",
    [
        {},
        {"half_spread_bps": 0.0},
        {"half_spread_bps": "catalogue", "widen": 1.0},
        {
            "half_spread_bps": {
                "SPY": 0.5,
                "BRK.B": 3.0,
                "SPY?L=3&E=0.91": [{"since": "2012-01-03", "bps": 3}, {"since": "2015-01-02", "bps": 2}],
            },
            "widen": 2.0,
            "widen_above": 0.25,
            "per_trade": 1.0,
            "per_share": 0.005,
            "min_trade": 100.0,
            "impact": 1.0,
        },
    ],
    ids=str,
)
def test_written_costs_read_back_as_themselves(tmp_path: Path, costs: dict[str, Any]) -> None:
    study = study_from({"weights": TRADE, "costs": costs, "capital": 1e5}, "test")
    (tmp_path / "my.toml").write_text(study_toml(study, tmp_path), encoding="utf-8")
    assert load_study(tmp_path / "my.toml") == study
    assert study_from(study.as_toml_values(), "test") == study
    assert "half_spread_bps" in study.as_toml_values()["costs"]
