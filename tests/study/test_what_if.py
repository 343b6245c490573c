"""What if: the founding case on the sample, made prices worked out by hand, and what is null with its reason."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from tests.report.test_html import opened
from tests.study.plain_market import DAYS
from tests.study.test_sized_overlay import PRICES, decided, write_prices

from alphaoverlay.engine.backtesting import backtest
from alphaoverlay.engine.path_running import path_returns
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import AlphaOverlayError, SpanError, StudyError
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.report.html import render_html
from alphaoverlay.report.model import Figure, Report, Table
from alphaoverlay.report.text import print_report
from alphaoverlay.scenarios.break_even import yearly_costs
from alphaoverlay.scenarios.ends import sample_ends
from alphaoverlay.scenarios.shocks import Shock
from alphaoverlay.scenarios.statement import Statement
from alphaoverlay.study.load import study_from
from alphaoverlay.study.scenario_document import scenario_document
from alphaoverlay.study.scenario_report import scenario_report
from alphaoverlay.study.stressed import crises
from alphaoverlay.study.what_if import WhatIf, run_scenario

R2, ND, SP = "RUSSELL2000", "NASDAQ100", "SP500"
MOVE = Statement.of(move=(R2, ND, 0.25))
TRADE: dict[str, Any] = {"weights": {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}, "benchmark": "SPY"}
# At 2%, one of the rates that the ranges list.
CASE = TRADE | {"cash": {"rate": 0.02}}
RULES = ["never", "daily", "monthly", "quarterly", "study"]


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """Four worlds to break even in, not twenty-eight, and one crisis: half of a scenario's time goes there."""
    one = crises()[3:4]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("alphaoverlay.study.what_if.RATES", (0.0, 0.02))
        patch.setattr("alphaoverlay.study.what_if.MULTIPLES", (1.0, 2.0))
        patch.setattr("alphaoverlay.study.stressed.crises", lambda: one)
        yield


@pytest.fixture(scope="module")
def sample() -> SampleSource:
    return SampleSource()


def asked(source: SampleSource | FolderSource, values: Mapping[str, Any], **options: Any) -> WhatIf:
    """A scenario on few paths and few sessions unless stated."""
    given: dict[str, Any] = {"statement": MOVE, "paths": 48, "sessions": 100, "seed": 5} | options
    return run_scenario(study_from(values, "test"), source, **given)


@pytest.fixture(scope="module")
def case(sample: SampleSource) -> WhatIf:
    return asked(sample, CASE, paths=160)


def document_of(found: WhatIf) -> dict[str, Any]:
    """The document as it is printed, and read again; no number is one that JSON does not have."""
    return dict(json.loads(json.dumps(scenario_document(found).dump(), allow_nan=False)))


def text_of(found: WhatIf) -> str:
    into = StringIO()
    print_report(scenario_report(found), Console(file=into, width=160))
    return " ".join(into.getvalue().split())


# --- the founding case ---


def test_the_founding_case_to_first_order_is_seven_and_a_half_points(case: WhatIf) -> None:
    assert case.answer is not None
    assert case.answer.ends[R2] - case.answer.ends[ND] == pytest.approx(0.25, abs=1e-14)
    assert case.answer.first_order == pytest.approx(0.3 * 0.25, abs=1e-14)


def test_every_rule_is_told_from_the_lowest_to_the_highest(case: WhatIf) -> None:
    assert case.answer is not None
    assert case.answer.real_days is not None
    assert case.mirror is not None
    assert sorted(case.rules) == sorted(RULES)
    for by_rule in (case.answer.by_rule, case.answer.real_days.by_rule, case.mirror.by_rule):
        assert sorted(by_rule) == sorted(RULES)
        for one in by_rule.values():
            low, middle, high = (one.excess[p].value for p in (0.05, 0.50, 0.95))
            assert low is not None
            assert middle is not None
            assert high is not None
            assert low <= middle <= high
            assert one.mean.value is not None
            assert low < one.mean.value < high
            assert one.worst_drawdown <= (one.median_drawdown.value or 0.0) <= 0.0
        # The study's own rule is quarterly.
        assert by_rule["study"] == by_rule["quarterly"]
        assert by_rule["never"] != by_rule["daily"]
    assert case.answer.smooth == case.answer.smooth_by_rule["never"]


def test_carry_is_the_design_s(case: WhatIf) -> None:
    assert case.year.carry == case.ahead.design.active_carry
    funds = {fund.symbol: fund for fund in case.ahead.portfolio.funds}
    expense = 0.3 * funds["SPY"].expense - 0.1 * sum(funds[s].expense for s in ("UPRO", "TNA", "SQQQ"))
    assert case.year.carry.expense == pytest.approx(expense, abs=1e-15)
    assert case.year.carry.financing == case.year.carry.cash == 0.0


def test_the_ranges_hold_the_headline(case: WhatIf) -> None:
    row, column = case.ranges.rates.index(0.02), case.ranges.multiples.index(1.0)
    assert case.ahead.rate == 0.02
    assert case.ranges.untraded[row][column] == case.year.untraded.break_even
    assert case.ranges.rebalanced[row][column] == case.year.rebalanced.break_even
    assert case.year.untraded.break_even != case.ranges.untraded[row][column + 1]


def test_paths_and_the_year_are_drawn_and_counted_as_asked_for(case: WhatIf) -> None:
    assert case.answer is not None
    expected = sample_ends(case.law, MOVE, 100, 160, 5)
    assert case.answer.sampled.z.tolist() == expected.z.tolist()
    year = case.ahead.sessions(252)
    assert f"{year.dates[-1]:%Y-%m-%d}" == "2019-12-03"
    ends = [pd.Timestamp(one) for one in ("2018-12-31", "2019-03-29", "2019-06-28", "2019-09-30")]
    trades = np.flatnonzero(year.dates.isin(ends)).tolist()
    assert case.year == yearly_costs(case.ahead.portfolio, case.ahead.benchmark, case.law, year, trades=trades)


@pytest.mark.parametrize(
    ("rule", "own"),
    [
        pytest.param({"calendar": "quarterly"}, "quarters", id="a calendar"),
        pytest.param({"calendar": "never"}, "untraded", id="never"),
        pytest.param({"calendar": "daily"}, "always", id="daily"),
        pytest.param({"calendar": "quarterly", "lag": 3}, "later", id="a lag"),
        pytest.param({"calendar": "quarterly", "tranches": 2}, None, id="tranches"),
        pytest.param({"calendar": "never", "band": [{"size": 0.05}]}, None, id="a band"),
    ],
)
def test_the_year_under_the_study_s_own_rule(
    sample: SampleSource, case: WhatIf, rule: dict[str, Any], own: str | None
) -> None:
    found = asked(sample, {**CASE, "rebalance": rule}, statement=None)
    said = document_of(found)
    if own is None:
        assert found.year.own is None
        assert found.ranges.own is None
        assert [said[part]["own"] for part in ("break_even", "break_even_ranges", "volatility_drag")] == [None] * 3
        assert "up to the paths" in said["undefined"]["break_even.own"]
        return
    assert found.year.own is not None
    assert found.ranges.own is not None
    assert said["break_even"]["own"] == found.year.own.break_even.move
    # What stands there already is not told twice.
    titles = [part.title for section in scenario_report(found).sections for part in section.parts]
    assert sum(title.startswith("Break-even a year") for title in titles) == (2 if own in ("untraded", "always") else 3)
    if own == "untraded":
        assert found.year.own == found.year.untraded
    elif own == "always":
        assert found.year.own == found.year.rebalanced
    else:
        assert found.year.untraded.volatility_drag < found.year.own.volatility_drag
        assert found.year.own.volatility_drag < found.year.rebalanced.volatility_drag
        assert (found.year.own == case.year.own) == (own == "quarters")
    row, column = found.ranges.rates.index(0.02), found.ranges.multiples.index(1.0)
    assert found.ranges.own[row][column] == found.year.own.break_even


def test_the_mirror_is_the_opposite_statement_asked_for_itself(sample: SampleSource, case: WhatIf) -> None:
    # The opposite is asked on a quarter of the paths.
    turned = asked(sample, CASE, paths=40, statement=Statement.of(move=(R2, ND, -0.25)))
    assert turned.answer is not None
    assert case.mirror is not None
    assert turned.answer.statement == case.mirror.statement
    assert turned.answer.by_rule == case.mirror.by_rule
    assert turned.answer.first_order == case.mirror.first_order == pytest.approx(-0.075, abs=1e-14)
    assert (turned.answer.smooth, turned.answer.closed_form) == (case.mirror.smooth, case.mirror.closed_form)


def test_the_smooth_trend_is_a_backtest_s(case: WhatIf) -> None:
    assert case.answer is not None
    names, n = case.law.names, 100
    daily = [[math.expm1(math.log1p(case.answer.ends[name]) / n) for name in names]] * n
    for rule, expected in case.answer.smooth_by_rule.items():
        calendar = "quarterly" if rule == "study" else rule
        own, base = (
            backtest(
                path_returns(one.funds, case.history, names, np.array(daily)),
                Targets.constant([fund.symbol for fund in one.funds], one.weights),
                RebalancingRule(CalendarRule(calendar)),  # type: ignore[arg-type]
                case.ahead.costs,
            ).final_value
            for one in (case.ahead.portfolio, case.ahead.benchmark)
        )
        assert expected == pytest.approx(own - base, abs=1e-13)


def test_the_same_seed_is_the_same_answer_and_another_is_another(sample: SampleSource, case: WhatIf) -> None:
    again, other = (asked(sample, CASE, paths=160, seed=seed) for seed in (5, 6))
    assert document_of(again) == document_of(case)
    assert again.answer is not None
    assert other.answer is not None
    assert other.answer.by_rule != again.answer.by_rule
    assert other.answer.smooth_by_rule == again.answer.smooth_by_rule


def test_another_rule_does_not_change_the_others(sample: SampleSource, case: WhatIf) -> None:
    found = asked(sample, CASE, paths=160, rules=["weekly", "daily"])
    assert list(found.rules) == ["daily", "weekly", "study"]
    assert found.answer is not None
    assert case.answer is not None
    for rule in ("daily", "study"):
        assert found.answer.by_rule[rule] == case.answer.by_rule[rule]
        assert found.answer.smooth_by_rule[rule] == case.answer.smooth_by_rule[rule]
    # The smooth trend without rebalancing is told even where that rule is not asked for.
    assert found.answer.smooth == case.answer.smooth


def test_without_volatility_all_paths_are_the_smooth_trend(sample: SampleSource) -> None:
    found = asked(sample, CASE, volatility=0.0, sessions=100)
    for answer in (found.answer, found.mirror):
        assert answer is not None
        for rule, one in answer.by_rule.items():
            values = [one.mean.value, *(each.value for each in one.excess.values())]
            assert values == pytest.approx([answer.smooth_by_rule[rule]] * 4, abs=1e-12)
    assert found.answer is not None
    assert found.answer.real_days is not None
    assert found.answer.real_days.remainder == 0.0
    assert len({round(x, 6) for x in found.answer.smooth_by_rule.values()}) == 4
    assert found.year.untraded.volatility_drag == found.year.rebalanced.volatility_drag == 0.0


# --- other portfolios ---


def test_a_portfolio_that_is_its_benchmark_makes_nothing(sample: SampleSource) -> None:
    found = asked(sample, {"weights": {"SPY": 1.0}, "benchmark": "SPY"}, statement=Statement.of({SP: -0.1}))
    assert found.answer is not None
    answer = found.answer
    assert [answer.first_order, answer.smooth, answer.closed_form, answer.rebalanced_form] == [0.0] * 4
    for one in answer.by_rule.values():
        assert [one.mean.value, *(each.value for each in one.excess.values())] == [0.0] * 4
        assert (one.below.value, one.below.error) == (0.0, None)
        assert one.below.bound == pytest.approx(1.0 - 0.05 ** (1.0 / min(48.0, answer.sampled.effective)), rel=1e-12)
    document = document_of(found)
    assert document["conditional"]["study"]["prob_below_benchmark_bound"] == answer.by_rule["study"].below.bound
    assert found.windows is not None
    assert {one.excess for one in found.windows.windows} == {0.0}
    assert "-0.0 points" not in text_of(found)


def test_without_a_short_side_there_is_no_break_even_and_no_map_and_both_say_why(sample: SampleSource) -> None:
    values = {"weights": {"SPY": 0.7, "UPRO": 0.3}, "benchmark": "SPY"}
    found = asked(sample, values, statement=Statement.of({SP: -0.1}))
    assert found.pay_off is None
    assert found.year.legs is None
    assert found.undefined["pay_off"] == "the active exposures have no long and short side"
    document = document_of(found)
    assert document["pay_off"] is None
    assert {document["break_even"][key] for key in ("rebalanced", "untraded", "first_order", "long", "short")} == {None}
    assert "no long and short side" in document["break_even"]["reason"]
    assert "no long and short side" in text_of(found)
    # A move's own two indices are axes enough.
    moved = asked(sample, values, statement=Statement.of(move=(SP, R2, 0.05))).pay_off
    assert moved is not None
    assert (moved.long, moved.short) == (SP, R2)


@pytest.mark.parametrize("statement", [None, MOVE], ids=["nothing stated", "a move"])
def test_a_benchmark_that_follows_nothing_has_no_map_and_no_gap(
    sample: SampleSource, statement: Statement | None
) -> None:
    """SPY?L=0 is cash less the calibrated spread's nothing: the excess is the portfolio's own return over cash."""
    found = asked(sample, CASE | {"benchmark": "SPY?L=0"}, statement=statement)
    assert found.ahead.benchmark.exposures == {SP: 0.0}
    assert found.pay_off is None
    assert found.undefined["pay_off"] == "the benchmark follows no index, so it has no move"
    assert found.stressed.gaps == ()
    if found.answer is not None:
        expected = found.answer.ends[SP] + 0.3 * found.answer.ends[R2] - 0.3 * found.answer.ends[ND]
        assert found.answer.first_order == pytest.approx(expected, abs=1e-14)
    assert "the benchmark follows no index" in json.dumps(document_of(found))


def test_cash_and_borrowing_earn_and_cost_what_the_study_says(sample: SampleSource) -> None:
    """0.2 of cash at 2% less 1%, and 0.3 borrowed at 2% and 1.5%, beside a fund that costs its expense alone."""
    for weight, rate in ((0.8, 0.02 - 0.01), (1.3, 0.02 + 0.015)):
        values = {"weights": {"SPY": weight}, "benchmark": "SPY", "costs": {"half_spread_bps": 0.0}}
        cash = {"rate": 0.02, "spread": 0.01, "borrowing_spread": 0.015}
        found = asked(sample, values | {"cash": cash}, statement=Statement.of({SP: 0.1}), volatility=0.0)
        assert found.answer is not None
        fee = found.ahead.portfolio.funds[0].expense
        grown = 1.1 * math.exp(-fee * float(found.history.e.sum()))
        lent = (1.0 - weight) * math.prod(1.0 + rate * float(d) for d in found.history.d[1:])
        expected = weight * grown + lent - grown
        assert found.answer.smooth == pytest.approx(expected, abs=5e-7)
        assert found.answer.closed_form == pytest.approx(expected, abs=1e-12)
        assert found.year.carry.spread == pytest.approx(min(0.0, -0.01 * (1.0 - weight)) or -0.015 * 0.3, abs=1e-12)
        assert found.year.carry.cash == pytest.approx(0.02 * (1.0 - weight), abs=1e-12)


def test_a_ticker_with_terms_is_a_fund_like_any_other(sample: SampleSource) -> None:
    values = {"weights": {"SPY": 0.9, "SPY?L=3": 0.1}, "benchmark": "SPY"}
    found = asked(sample, values, statement=Statement.of({SP: 0.2}))
    assert found.answer is not None
    assert found.answer.first_order == pytest.approx(0.2 * 0.2, abs=1e-14)
    assert found.answer.by_rule["never"].exposures.keys() == {SP}


def test_an_index_that_nothing_follows_may_be_stated(sample: SampleSource) -> None:
    """It draws the others along: the smaller the move of the Nasdaq, the smaller that of the S&P 500 most likely."""
    values = {"weights": {"SPY": 0.7, "UPRO": 0.3}, "benchmark": "SPY"}
    found = asked(sample, values, statement=Statement.of({"NASDAQCOMP": -0.15}))
    assert found.answer is not None
    assert found.answer.ends["NASDAQCOMP"] == pytest.approx(-0.15, abs=1e-14)
    S = found.law.S
    beta = S[0, 1] / S[1, 1]
    assert found.answer.ends[SP] == pytest.approx(math.expm1(beta * math.log(0.85)), abs=1e-12)
    assert found.answer.first_order == pytest.approx(0.6 * found.answer.ends[SP], abs=1e-12)
    shocked = asked(sample, values, statement=None, shock=Shock({"RUSSELL2000": -0.2})).stressed.shock
    assert shocked is not None
    assert shocked.excess < 0.0


def test_real_days_that_lead_nowhere_near_are_said_to(sample: SampleSource) -> None:
    far = Statement.of({R2: 3.0, ND: -0.9})
    found = asked(sample, CASE, statement=far, sessions=2)
    assert found.answer is not None
    assert found.answer.real_days is not None
    assert found.answer.real_days.unreached == 12
    assert found.answer.real_days.by_rule == {}
    document = document_of(found)
    assert document["undefined"]["real_days"] == "no mixture of the window's days reaches any of the ends"
    assert document["real_days"]["remainder"] is None
    assert "no mixture of the window's days" in text_of(found)
    # And an end of +300% has no opposite.
    assert found.mirror is None
    assert "RUSSELL2000 at +300% would be -300%" in document["undefined"]["mirror"]
    assert "RUSSELL2000 at +300% would be -300%" in text_of(found)


# --- nothing stated ---


def test_without_a_statement_the_costs_are_told_and_the_rest_is_null_with_its_reason(
    sample: SampleSource, case: WhatIf
) -> None:
    found = asked(sample, CASE, statement=None)
    assert (found.answer, found.mirror, found.windows) == (None, None, None)
    assert found.year == case.year
    assert found.ranges == case.ranges
    assert found.stressed.gaps == case.stressed.gaps
    assert found.pay_off is not None
    document, full = document_of(found), document_of(case)
    assert document.keys() == full.keys()
    missing = [key for key, value in document.items() if value is None]
    assert set(missing) >= {
        "stated",
        "ends",
        "first_order",
        "smooth",
        "closed_form",
        "conditional",
        "history",
        "mirror",
    }
    for key in missing:
        assert document["undefined"][key].startswith("nothing is stated; state a move")
    assert document["carry"] == full["carry"]
    assert document["break_even"] == full["break_even"]
    said = text_of(found)
    assert "--move A:B=25%" in said
    assert "Break-even a year" in said
    assert "Crises replayed" in said


# --- what a study asks for beside ---


def test_flows_are_left_out_and_said_to_be(sample: SampleSource, case: WhatIf) -> None:
    found = asked(sample, CASE | {"flows": [{"share": -0.04, "calendar": "monthly"}]}, paths=160)
    assert found.answer is not None
    assert case.answer is not None
    assert found.answer.by_rule == case.answer.by_rule
    assert found.answer.smooth == case.answer.smooth
    assert "Cash flows of the study are left out." in found.notes
    assert "Cash flows of the study are left out." not in case.notes


def test_half_spreads_are_paid(sample: SampleSource, case: WhatIf) -> None:
    """Buying costs 20 basis points of all, portfolio and benchmark alike, and trading makes the difference."""
    dear = asked(sample, CASE | {"costs": {"half_spread_bps": 20.0}}, paths=160)
    free = asked(sample, CASE | {"costs": {"half_spread_bps": 0.0}}, paths=160)
    assert dear.answer is not None
    assert free.answer is not None
    assert dear.answer.smooth == pytest.approx(free.answer.smooth / 1.002, abs=1e-12)
    assert dear.answer.smooth_by_rule["daily"] < free.answer.smooth_by_rule["daily"] / 1.002 - 1e-4
    assert dear.answer.closed_form == free.answer.closed_form


def test_the_sizing_signal_s_size_is_held_and_said_to_be(tmp_path: Path) -> None:
    """By hand: at session 305 the close has decided on half the overlay, at 330 on all of it, at 350 on none."""
    source = FolderSource(write_prices(tmp_path / "made", PRICES))
    plain: dict[str, Any] = {"cash": {"rate": 0.0}, "costs": {"half_spread_bps": 0.0}, "benchmark": "CORE"}
    signal = {"long": "LEAD", "short": "LAG", "window": 20, "horizon": 20, "enter": 0.1}
    steps = {"10%": 0.5, "2%": 1.0}
    statement = Statement.of(move=("MORE", "CORE", 0.02))
    options: dict[str, Any] = {"statement": statement, "sessions": 20, "window": 100}
    for t, size in ((305, 0.5), (330, 1.0), (350, 0.0)):
        assert decided(t) == size
        sized = plain | {"weights": {"CORE": 0.5, "MORE": 0.5}, "signal": signal | {"steps": steps}}
        found = asked(source, sized, asof=f"{DAYS[t]}", **options)
        weights = {"CORE": 1.0 - 0.5 * size} | ({"MORE": 0.5 * size} if size else {})
        alone = asked(source, plain | {"weights": weights}, asof=f"{DAYS[t]}", **options)
        assert {s: w for s, w in found.ahead.portfolio.by_symbol.items() if w} == pytest.approx(weights)
        assert found.answer is not None
        assert alone.answer is not None
        assert found.answer.first_order == pytest.approx(0.5 * size * 0.02, abs=1e-14)
        assert found.answer.closed_form == pytest.approx(alone.answer.closed_form, abs=1e-14)
        assert any(note.startswith(f"The signal decided on size {size:g} by {DAYS[t]}") for note in found.notes)
        assert any("is held on every path" in note for note in found.notes)


# --- of which day ---

POISONED = 400


def poisoned(level: float) -> dict[str, Any]:
    """Prices that go their way up to a session and are something else from there on."""

    def broken(price: Any) -> Any:
        return lambda t: price(t) if t <= POISONED else level * (1.5 + math.sin(7.0 * t)) * price(t)

    return {symbol: broken(PRICES[symbol]) for symbol in ("CORE", "MORE", "LAG")}


def test_nothing_after_the_day_is_looked_at(tmp_path: Path) -> None:
    """The same to the last digit on data that end there, and on data of which every later close is wrong."""
    values: dict[str, Any] = {"weights": {"CORE": 0.5, "MORE": 0.5}, "benchmark": "CORE", "cash": {"rate": 0.01}}
    statement = Statement.of(move=("MORE", "CORE", 0.02))
    ended = write_prices(tmp_path / "ended", {s: PRICES[s] for s in ("CORE", "MORE")}, 0, POISONED + 1)
    whole = write_prices(tmp_path / "whole", {s: PRICES[s] for s in ("CORE", "MORE")})
    wrong = write_prices(tmp_path / "wrong", poisoned(3.0))
    documents = []
    for folder in (ended, whole, wrong):
        options = {"statement": statement, "window": 200, "asof": f"{DAYS[POISONED]}"}
        document = document_of(asked(FolderSource(folder), values, **options))
        # Of the files it also says where they end.
        document["data"] = {key: document["data"][key] for key in ("start", "end", "fingerprint")}
        documents.append(document)
    assert documents[0]["asof"] == f"{DAYS[POISONED]}"
    assert documents[1] == documents[0]
    assert documents[2] == documents[0]


def test_the_study_s_own_end_is_the_day_where_none_is_asked_for(sample: SampleSource) -> None:
    found, other = (
        asked(sample, CASE | more, paths=16, **options)
        for more, options in (({"end": "2010-06-30"}, {}), ({}, {"asof": "2010-06-30"}))
    )
    assert found.ahead.asof == other.ahead.asof == pd.Timestamp("2010-06-30")
    assert found.answer is not None
    assert other.answer is not None
    assert found.answer.by_rule == other.answer.by_rule
    # A day without a session is that of the last one before it.
    weekend = asked(sample, CASE, paths=16, asof="2010-07-04").ahead.asof
    assert weekend == pd.Timestamp("2010-07-02")


def test_a_window_longer_than_the_data_takes_all_there_is_and_says_how_much(sample: SampleSource) -> None:
    found = asked(sample, CASE, statement=None, window=1_000_000)
    assert len(found.law.days.dates) == 5_011
    assert any("5,011 sessions from 1999-01-05 to 2018-11-30" in note for note in found.notes)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"paths": 0}, StudyError, "paths = 0: write 1 to 200,000"),
        ({"sessions": 0}, SpanError, "sessions = 0: write 1 to 12,600"),
        ({"sessions": 12_601}, SpanError, "sessions = 12601"),
        ({"window": 0}, StudyError, "window = 0: write 60 sessions or more"),
        ({"window": -5}, StudyError, "window = -5"),
        ({"volatility": -1.0}, StudyError, "multiple of volatility = -1: write 0 to 10"),
        ({"volatility": math.nan}, StudyError, "multiple of volatility = nan"),
        ({"rules": ["hourly"]}, StudyError, "rule 'hourly': write one of never, daily, weekly"),
        ({"seed": 2**64}, StudyError, "seed = 18446744073709551616"),
        ({"gaps": (-1.5,)}, StudyError, "SP500 = -1.5: an end return is a simple return above -1"),
        ({"asof": "1990-01-02"}, SpanError, "GSPC 1999-01-04 to 2018-11-30"),
        ({"asof": "1999-02-01"}, AlphaOverlayError, "only 19 sessions up to 1999-02-01 .* 60 are needed"),
        ({"asof": "2030-01-02"}, SpanError, "the data end on 2018-11-30"),
        ({"asof": "soon"}, StudyError, "asof: 'soon' is not a date"),
        ({"statement": Statement({}, None)}, StudyError, "the scenario states nothing"),
        ({"statement": Statement.of({"RUSSEL2000": 0.1})}, AlphaOverlayError, "Did you mean RUSSELL2000"),
        ({"statement": Statement.of({"GOLD": 0.1})}, AlphaOverlayError, "no series of GOLD in sample"),
        ({"statement": Statement({R2: 0.3, ND: 0.1}, (R2, ND, 0.2))}, StudyError, "both pinned, which says their move"),
        # In the sample the composite stands in for the Nasdaq-100: the two are one.
        ({"statement": Statement.of({"NASDAQCOMP": 0.1})}, AlphaOverlayError, "NASDAQ100 and NASDAQCOMP are nearest"),
    ],
    ids=lambda v: str(v)[:40],
)
def test_a_mistake_says_what_to_write(
    sample: SampleSource, options: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        asked(sample, CASE, **options)


def test_progress_is_told(sample: SampleSource) -> None:
    told: list[str] = []
    asked(sample, CASE, paths=16, progress=told.append)
    assert told[0].startswith("conditioned paths")
    assert told[1:] == ["the opposite", "past windows", "carry, pay-off and stress"]


# --- the document ---


def nulls(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every null with its place, and what it stands in."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if inner is None:
                yield f"{place}{key}", value
            else:
                yield from nulls(inner, f"{place}{key}.")
    elif isinstance(value, list):
        for k, inner in enumerate(value):
            if inner is None:
                yield f"{place}{k}", value
            else:
                yield from nulls(inner, f"{place}{k}.")


def explained(place: str, inside: Any, document: Mapping[str, Any]) -> bool:
    """Whether a null is a choice that was not made, has its reason beside it, or in `undefined`."""
    parts = place.split(".")
    if parts[0] in ("study", "data"):
        return True
    if any(".".join(parts[:k]) in document["undefined"] for k in range(1, len(parts) + 1)):
        return True
    if isinstance(inside, Mapping) and inside.get("reason"):
        return True
    # A bound stands in for an error, and an error for a bound; a fund of up to 1x has no move that ends it.
    if parts[-1] in ("prob_below_benchmark", "prob_below_benchmark_bound"):
        return True
    return parts[-1] in ("long", "short", "by", "move", "base", "shock") or "thresholds" in parts


def test_every_number_is_finite_or_null_with_a_reason(sample: SampleSource, case: WhatIf) -> None:
    pinned = asked(
        sample, {"weights": {"SPY": 0.7, "UPRO": 0.3}, "benchmark": "SPY"}, statement=Statement.of({SP: 1.2})
    )
    wild = asked(sample, CASE, volatility=5.0, sessions=10)
    few = asked(sample, CASE, paths=1, sessions=10)
    for found in (case, pinned, wild, few, asked(sample, CASE, statement=None)):
        document = document_of(found)
        unexplained = [place for place, inside in nulls(document) if not explained(place, inside, document)]
        assert unexplained == []
        for place in document["undefined"]:
            at: Any = document
            for part in place.split("."):
                at = at[part]
            assert at is None or list(nulls(at)), place
    assert document_of(wild)["undefined"].keys() >= {"break_even.untraded", "break_even_ranges"}
    assert document_of(few)["undefined"]["conditional.study.standard_errors"] == "too few independent paths"


def test_the_document_says_what_was_found(case: WhatIf) -> None:
    document = document_of(case)
    assert list(document)[:6] == ["schema", "version", "asof", "study", "data", "notes"]
    assert case.answer is not None
    assert document["ends"] == dict(case.answer.ends)
    assert document["stated"] == {"pins": {}, "long": R2, "short": ND, "by": 0.25}
    for rule, one in case.answer.by_rule.items():
        told = document["conditional"][rule]
        assert [told[key] for key in ("p05", "median", "p95")] == [one.excess[p].value for p in (0.05, 0.5, 0.95)]
        assert (told["mean"], told["prob_below_benchmark"]) == (one.mean.value, one.below.value)
        assert told["smooth"] == case.answer.smooth_by_rule[rule]
        assert told["standard_errors"]["p95"] == one.excess[0.95].error
        assert told["paths"] == 160
    assert document["carry"].keys() == {"total", "expense", "spread", "financing", "cash"}
    assert document["carry"]["total"] == pytest.approx(
        sum(document["carry"][key] for key in ("expense", "spread", "financing", "cash")), abs=1e-15
    )
    history = document["history"]
    assert {"windows", "non_overlapping"} <= history.keys()
    assert history["number"] == len(history["windows"]) > history["non_overlapping"] > 0
    assert history["non_overlapping"] == sum(not one["overlapping"] for one in history["windows"])
    for one in history["windows"]:
        assert {"start", "end", "move", "excess"} <= one.keys()
        assert 0.2 <= one["move"] <= 0.3
        assert one["excess"] == pytest.approx(one["portfolio"] - one["benchmark"], abs=1e-15)
    volatility = document["volatility_drag"]["volatility"]
    assert volatility == pytest.approx({k: math.sqrt(252.0 * case.law.S[i, i]) for i, k in enumerate(case.law.names)})
    assert (document["seed"], document["sessions"], document["rate"]) == (5, 100, 0.02)
    assert document["start"] == document["asof"] == "2018-11-30"
    assert any("not a forecast" in note for note in document["notes"])


# --- the report ---


def parts_of(report: Report, kind: type[Table] | type[Figure]) -> list[Any]:
    return [part for section in report.sections for part in section.parts if isinstance(part, kind)]


def test_the_text_says_that_it_is_modelled_and_what_was_stated(case: WhatIf) -> None:
    said = text_of(case)
    for words in (
        "Modelled, not a forecast",
        "If RUSSELL2000 beats NASDAQ100 by 25 points within 100 sessions of 2018-11-30",
        "First order says +7.5",
        "Where the indices end",
        "Pay-off map",
        "Crises replayed",
    ):
        assert words in said
    for word in (" nan", "None", "inf "):
        assert word not in said


def test_a_pinned_end_is_listed_with_every_past_window(sample: SampleSource) -> None:
    found = asked(sample, CASE, statement=Statement.of({SP: -0.1}), paths=16)
    [table] = [one for one in parts_of(scenario_report(found), Table) if one.title == "Past windows"]
    heads = [column.head for column in table.columns]
    assert SP in heads
    assert "Move" not in heads
    assert found.windows is not None
    counted = [one for one in found.windows.windows if not one.overlapping]
    shown = [row.cells[heads.index(SP)] for row in table.rows]
    assert shown == [one.ends[SP] for one in counted[-len(shown) :]]
    assert all(-0.12 <= float(end) <= -0.08 for end in shown)


def test_the_report_holds_the_whole_map(case: WhatIf) -> None:
    report = scenario_report(case)
    page = render_html(report)
    assert case.pay_off is not None
    maps = [one for one in parts_of(report, Figure) if one.data[0]["type"] == "heatmap"]
    # One for each move of the S&P 500, and the convexity of the middle one.
    assert [one.title for one in maps] == [
        "Excess in points, SP500 -20%", "Excess in points, SP500 +0%", "Excess in points, SP500 +20%",
        "Convexity in points, SP500 +0%",
    ]  # fmt: skip
    for figure, excess in zip(maps, case.pay_off.excess, strict=False):
        assert np.array(figure.data[0]["z"]) == pytest.approx(100.0 * excess, abs=0.0501)
    for words in ("Pay-off map", "If it happens", "If the opposite happens", "Under stress", "not a forecast"):
        assert words in page


@pytest.mark.browser
def test_the_page_opens_in_a_browser_without_a_complaint(chromium: str, case: WhatIf, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(render_html(scenario_report(case)), encoding="utf-8")
    drawn = opened(chromium, tmp_path / "report.html", "dark", 390)
    # Three planes, the convexity and the break-even.
    assert drawn.charts >= 5
    assert drawn.width <= 390
    assert drawn.complaints == []
