"""Returns of tickers with terms: M1 on another holding, by hand and against the second implementation."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from importlib.resources import files
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.funds.made import NAN, index_with, levels, made_history, random_prices
from tests.second_opinion import daily_reset

from alphaoverlay.funds.fund import ExpenseSeen, Fund, Index
from alphaoverlay.funds.fund_returns import FundReturns, build_fund_returns
from alphaoverlay.funds.index_returns import IndexReturns
from alphaoverlay.funds.synthesis import deductions
from alphaoverlay.funds.ticker import index_holding, parse_ticker, ticker_fund
from alphaoverlay.history import History
from alphaoverlay.overlays.carry import yearly_carry
from alphaoverlay.overlays.portfolio import Portfolio

# One night at these yearly figures is exactly 1 in 10,000 for the rate and the expense.
RATE, EXPENSE = 0.036, 0.0365

HOLDINGS = {
    "PLAIN": Fund("PLAIN", "with prices", {"SP500": 1.0}, expense=0.0365),
    "OLDER": Fund("OLDER", "with older prices", {"SP500": 1.0}, expense=0.01),
    "TRIPLE": Fund("TRIPLE", "leveraged, without prices", {"SP500": 3.0}, expense=EXPENSE, spread=0.0036),
    "SHORT": Fund("SHORT", "inverse, without prices", {"SP500": -1.0}, expense=0.0, spread=0.0036),
    "BONDS": Fund("BONDS", "on an index without calibrated funds", {"TREASURY20": 1.0}, expense=0.0),
    "SMALL": Fund("SMALL", "small caps", {"RUSSELL2000": 1.0}, expense=0.0),
    "TECH": Fund("TECH", "technology", {"NASDAQ100": 1.0}, expense=0.0),
    "SP500": index_holding(Index("SP500", "S&P 500")),
}
ROWS = tomllib.loads((files("alphaoverlay.funds") / "spreads.toml").read_text(encoding="utf-8"))["spread"]
CALIBRATED = {(row["index"], row["side"]): float(row["spread"]) for row in ROWS}

LEVERAGES = ["-3", "-2", "-1", "-0.5", "0", "0.5", "1", "2", "3"]
moves = st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=8)
rates = st.floats(-0.01, 0.2)
hundredths = st.integers(0, 300).map(lambda n: f"{n / 100:.2f}")


def fund_of(text: str) -> Fund:
    return ticker_fund(parse_ticker(text), HOLDINGS.__getitem__)


def joined(
    text: str, prices: dict[str, list[float]], index: Sequence[float] | None = None, rate: float = 0.0
) -> FundReturns:
    """The returns of a ticker, where these holdings have prices and SP500 these returns."""
    n = len(index) + 1 if index is not None else max(map(len, prices.values()))
    return on_history(text, made_history({"FILLER": [1.0] * n, **prices}, rate=rate), index)


def on_history(text: str, history: History, index: Sequence[float] | None = None) -> FundReturns:
    known: dict[str, IndexReturns] = {} if index is None else {"SP500": index_with("SP500", index, history)}
    return build_fund_returns((fund_of(text),), history, known)


def made(built: FundReturns) -> list[float]:
    """The returns after the first session."""
    return [float(r) for r in built.returns.iloc[1:, 0]]


def one_night(
    text: str, x: float, *, rate: float = RATE, days: tuple[str, str] = ("2020-01-06", "2020-01-07")
) -> float:
    """The ticker's return over one night in which PLAIN, and the index, return x."""
    history = made_history({"PLAIN": [1.0, 1.0 + x]}, rate=rate, dates=list(days))
    return made(on_history(text, history, [x]))[0]


# --- M1 by hand ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PLAIN?L=3&E=3.65&SP=0.36", 0.03 - 2 * 0.0001 - 2 * 0.00001 - 0.0001),
        ("PLAIN?L=2&E=3.65&SP=0.36", 0.02 - 0.0001 - 0.00001 - 0.0001),
        ("PLAIN?L=2&E=3.65&SP=-0.36", 0.02 - 0.0001 + 0.00001 - 0.0001),
        ("PLAIN?L=1&E=3.65&SP=0.36", 0.01 - 0.0001),
        ("PLAIN?L=0.5&E=3.65&SP=0.36", 0.005 + 0.5 * 0.0001 - 0.0001),
        ("PLAIN?L=0&SP=0.36", 0.0001),
        ("PLAIN?L=-1&E=3.65&SP=-0.36", -0.01 + 2 * 0.0001 - 2 * 0.00001 - 0.0001),
        ("PLAIN?L=-3&E=3.65&SP=-0.36", -0.03 + 4 * 0.0001 - 4 * 0.00001 - 0.0001),
        ("PLAIN?L=-3&E=3.65&SP=0.36", -0.03 + 4 * 0.0001 + 4 * 0.00001 - 0.0001),
        ("PLAIN?L=3&E=3.65&SP=0.36&SW=1.1", 0.03 - 1.1 * 2 * 0.0001 - 1.1 * 2 * 0.00001 - 0.0001),
        ("PLAIN?L=-1&E=3.65&SP=-0.36&SW=0", -0.01 - 0.0001),
        ("PLAIN?L=2&SP=0&UE=3.65", 2 * (0.01 + 0.0001) - 0.0001),
        ("PLAIN?L=-1&SP=0&UE=3.65", -(0.01 + 0.0001) + 2 * 0.0001),
        ("PLAIN?E=-3.65", 0.01 + 0.0001),
        ("SP500?L=3&E=3.65&SP=0.36", 0.03 - 2 * 0.0001 - 2 * 0.00001 - 0.0001),
    ],
)
def test_one_night_by_hand(text: str, expected: float) -> None:
    assert one_night(text, 0.01) == pytest.approx(expected, abs=1e-15)


def test_a_weekend_accrues_three_days() -> None:
    expected = 3 * 0.01 - 3 * (2 * 0.0001 + 2 * 0.00001 + 0.0001)
    found = one_night("PLAIN?L=3&E=3.65&SP=0.36", 0.01, days=("2020-01-03", "2020-01-06"))
    assert found == pytest.approx(expected, abs=1e-15)


def test_a_multiple_cannot_lose_more_than_everything() -> None:
    assert one_night("PLAIN?L=3", -0.40) == -1.0
    assert one_night("PLAIN?L=-3", 0.34) == -1.0
    assert one_night("PLAIN?L=3&SP=0", -0.33, rate=0.0) == pytest.approx(-0.99)
    # The holding under it is ruined, and a short position in it gains all of that and no more.
    assert one_night("TRIPLE?L=2", -0.40, rate=0.0) == -1.0
    assert one_night("TRIPLE?L=-1&SP=0", -0.40, rate=0.0) == pytest.approx(1.0, abs=1e-15)


@given(
    moves,
    st.sampled_from(LEVERAGES),
    hundredths,
    hundredths,
    st.sampled_from(["+", "-"]),
    st.sampled_from(["0", "0.5", "1", "1.1", "2"]),
    st.data(),
)
def test_equals_the_second_implementation(
    x: list[float], times: str, expense: str, spread: str, sign: str, swap: str, data: st.DataObject
) -> None:
    gaps = data.draw(st.lists(st.integers(1, 5), min_size=len(x), max_size=len(x)))
    yearly = data.draw(st.lists(rates, min_size=len(x) + 1, max_size=len(x) + 1))
    days = pd.Timestamp("2020-01-02") + pd.to_timedelta(np.cumsum([0, *gaps]), unit="D")
    prices = levels(x)
    history = made_history({"PLAIN": prices}, rate=yearly, dates=days)
    own = made(on_history(f"PLAIN?L={times}&E={expense}&SP={sign}{spread}&SW={swap}", history))

    L = float(times)
    cost = float(f"{sign}{spread}") / 100 * (1 if L > 1 else -1)  # s = SP*sign(L-1)
    expected = [
        daily_reset(after / before - 1, L, c, gap / 360, gap / 365, float(expense) / 100, cost, float(swap))
        for (before, after), c, gap in zip(pairwise(prices), yearly, gaps, strict=False)
    ]
    assert own == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("side", ["long", "inverse"])
@pytest.mark.parametrize(
    ("symbol", "index"), [("PLAIN", "SP500"), ("SMALL", "RUSSELL2000"), ("TECH", "NASDAQ100"), ("BONDS", "ANY")]
)
def test_a_spread_left_out_is_the_calibrated_one(symbol: str, index: str, side: str) -> None:
    L = 3.0 if side == "long" else -2.0
    x, spread = [0.01, -0.02, 0.0], CALIBRATED[index, side]
    built = joined(f"{symbol}?L={L:g}", {symbol: levels(x)}, rate=0.05)
    expected = [
        daily_reset(move, L, 0.05, days / 360, days / 365, 0.0, spread)
        for move, days in zip(x, built.history.days[1:], strict=True)
    ]
    assert made(built) == pytest.approx(expected, abs=1e-15)


# --- laws ---


@given(moves, rates, hundredths)
def test_one_time_without_expense_is_the_holding_itself(x: list[float], rate: float, term: str) -> None:
    prices = {"PLAIN": levels(x)}
    bare = joined("PLAIN?SP=0", prices, rate=rate)
    same = joined(f"PLAIN?L=1&SP={term}&SW={term}&E=0", prices, rate=rate)
    assert made(bare) == made(same) == [after / before - 1.0 for before, after in pairwise(prices["PLAIN"])]
    assert not same.synthetic.any(axis=None)


def test_what_is_not_the_holding_itself_is_marked_synthetic() -> None:
    prices = {"PLAIN": levels([0.01, 0.02])}
    for text in ("PLAIN?L=2", "PLAIN?E=0.1", "PLAIN?UE", "PLAIN?L=0", "PLAIN?PRESET=web&L=2"):
        assert joined(text, prices).synthetic.iloc[:, 0].tolist() == [False, True, True]


@given(st.sampled_from(["-3", "-2", "-1", "-0.1"]), st.floats(0.001, 0.2))
def test_an_inverse_multiple_earns_interest(times: str, rate: float) -> None:
    earned = made(joined(f"PLAIN?L={times}&SP=0&E=0", {"PLAIN": [1.0] * 4}, rate=rate))
    paid = made(joined(f"PLAIN?L={2 - float(times):g}&SP=0&E=0", {"PLAIN": [1.0] * 4}, rate=rate))
    assert min(earned) > 0.0
    assert earned == pytest.approx([-r for r in paid], rel=1e-12)  # as far from 1 on the long side


@given(moves, st.sampled_from(LEVERAGES), rates, st.integers(0, 300), st.integers(1, 300))
def test_a_spread_never_helps(x: list[float], times: str, rate: float, low: int, more: int) -> None:
    prices, sign = {"PLAIN": levels(x)}, "" if float(times) > 1.0 else "-"
    cheap, dear = (
        made(joined(f"PLAIN?L={times}&SP={sign}{n / 100:.2f}", prices, rate=rate)) for n in (low, low + more)
    )
    if 0.0 <= float(times) <= 1.0:
        assert cheap == dear
    else:
        assert all(b < a or a == b == -1.0 for a, b in zip(cheap, dear, strict=True))


@given(moves, st.sampled_from(["2", "3", "-1", "-3"]))
def test_the_sign_of_a_spread_turns_a_cost_into_the_same_credit(x: list[float], times: str) -> None:
    # Bounded so that no floor hides a difference.
    prices = {"PLAIN": levels([move / 2 for move in x])}
    plus, none, minus = (made(joined(f"PLAIN?L={times}&SP={sp}", prices)) for sp in ("0.4", "0", "-0.4"))
    cost, credit = (plus, minus) if float(times) > 1.0 else (minus, plus)
    assert all(a < b < c for a, b, c in zip(cost, none, credit, strict=True))
    assert [b - a for a, b in zip(cost, none, strict=True)] == pytest.approx(
        [c - b for b, c in zip(none, credit, strict=True)], abs=1e-15
    )


@pytest.mark.parametrize(
    "text",
    ["PLAIN?L=3&E=0.91&SP=0.4", "PLAIN?L=-2&PRESET=web", "TRIPLE?L=2&E=1", "PLAIN?L=2&UE&SP=0.1&FB=(OLDER?L=0.5)"],
)
@given(cut=st.integers(1, 38))
def test_splitting_the_span_changes_nothing(text: str, cut: int) -> None:
    n = 40
    late = [NAN] * 12 + random_prices(1, n - 12)
    history = made_history(
        {"PLAIN": late, "OLDER": random_prices(2, n)}, rate=list(np.linspace(0.01, 0.06, n)), first="2020-03-02"
    )
    index = [float(r) for r in np.random.default_rng(3).normal(0.0, 0.02, n - 1)]
    whole = made(on_history(text, history, index))
    day = history.dates[cut]
    early, later = history.between(None, day), history.between(day, None)
    parts = made(on_history(text, early, index[:cut])) + made(on_history(text, later, index[cut:]))
    assert parts == pytest.approx(whole, abs=1e-16, nan_ok=True)


# --- the expense of the underlying fund ---


@given(moves, st.sampled_from(LEVERAGES), rates)
def test_its_own_expense_is_added_back_day_by_day(x: list[float], times: str, rate: float) -> None:
    prices, L = levels(x), float(times)
    built = joined(f"PLAIN?L={times}&SP=0&UE", {"PLAIN": prices}, rate=rate)
    expected = [
        daily_reset(after / before - 1 + 0.0365 * days / 365, L, rate, days / 360, days / 365, 0.0, 0.0)
        for (before, after), days in zip(pairwise(prices), built.history.days[1:], strict=True)
    ]
    assert made(built) == pytest.approx(expected, abs=1e-14)


def test_own_expense_and_the_same_in_percent_are_the_same() -> None:
    prices = {"PLAIN": random_prices(5, 20)}
    assert made(joined("PLAIN?L=2&UE", prices)) == pytest.approx(made(joined("PLAIN?L=2&UE=3.65", prices)), abs=1e-16)


def test_a_synthetic_holding_with_its_expense_added_back_charges_none() -> None:
    x = [0.01, -0.02, 0.03]
    free = replace(HOLDINGS["TRIPLE"], expense=0.0)
    history = made_history({"FILLER": [1.0] * 4}, rate=0.05)
    expected = build_fund_returns((free,), history, {"SP500": index_with("SP500", x, history)})
    assert made(on_history("TRIPLE?UE", history, x)) == pytest.approx(made(expected), abs=1e-16)


def test_the_expense_added_back_is_the_one_that_was_charged() -> None:
    seen = (ExpenseSeen(datetime.date(2010, 1, 1), 0.0365, kind="net"),)
    changed = Fund(
        "FELL", "", {"SP500": 1.0}, expense=0.0073, expense_as_of=datetime.date(2022, 1, 3), expense_history=seen
    )
    history = made_history({"FILLER": [1.0] * 3}, first="2015-01-05")
    known = {"SP500": index_with("SP500", [0.01, 0.02], history)}
    fund = ticker_fund(parse_ticker("FELL?UE"), lambda _: changed)
    assert made(build_fund_returns((fund,), history, known)) == pytest.approx([0.01, 0.02], abs=1e-15)


# --- before the first price ---

REAL, OLD = [0.05, -0.04, 0.03], [0.01, 0.02, -0.03, 0.04, 0.5, 0.6, 0.7]
JOIN = {"PLAIN": [NAN] * 4 + levels(REAL, 7.0), "OLDER": levels(OLD, 250.0)}  # PLAIN's first price is session 4's


def test_a_filling_is_used_before_the_first_return_and_marked() -> None:
    built = joined("PLAIN?FB=OLDER", JOIN)
    assert made(built) == pytest.approx([*OLD[:4], *REAL])
    assert built.synthetic.iloc[:, 0].tolist() == [False, True, True, True, True, False, False, False]


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6), st.integers(1, 6))
def test_no_jump_at_the_join_whatever_the_prices(real: float, old: float, first: int) -> None:
    prices = {"PLAIN": [NAN] * first + levels([0.01] * (7 - first), real), "OLDER": levels([0.02] * 7, old)}
    growth = np.cumprod(1.0 + np.array(made(joined("PLAIN?FB=OLDER", prices))))
    assert growth == pytest.approx(np.cumprod([1.02] * first + [1.01] * (7 - first)), rel=1e-9)


def test_the_filling_is_multiplied_as_the_holding_is() -> None:
    built = joined("PLAIN?L=2&SP=0&FB=OLDER", JOIN)
    assert made(built) == pytest.approx([2 * x for x in [*OLD[:4], *REAL]])
    assert built.synthetic.iloc[1:, 0].all()


def test_a_filling_has_terms_of_its_own() -> None:
    built = joined("PLAIN?FB=(OLDER?L=-2&SP=-0.36&E=3.65)", JOIN, rate=RATE)
    filled = [
        daily_reset(x, -2.0, RATE, days / 360, days / 365, EXPENSE, 0.0036)
        for x, days in zip(OLD[:4], built.history.days[1:5], strict=True)
    ]
    assert made(built) == pytest.approx([*filled, *REAL], abs=1e-14)


def test_a_synthetic_fund_can_fill() -> None:
    x = [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07]
    built = joined("PLAIN?FB=TRIPLE", {"PLAIN": JOIN["PLAIN"]}, x)
    filled = [
        daily_reset(move, 3.0, 0.0, days / 360, days / 365, EXPENSE, 0.0036)
        for move, days in zip(x[:4], built.history.days[1:5], strict=True)
    ]
    assert made(built) == pytest.approx([*filled, *REAL], abs=1e-15)


def test_a_filling_goes_before_what_the_index_would_have_given() -> None:
    built = joined("PLAIN?FB=OLDER", JOIN, [0.9] * 7)
    assert made(built) == pytest.approx([*OLD[:4], *REAL])
    without = joined("PLAIN?L=1", {"PLAIN": JOIN["PLAIN"]}, [0.9] * 7)
    assert made(without)[3:] == pytest.approx([0.9 - 0.0365 / 365, *REAL])


def test_a_holding_that_ended_is_not_kept_alive_by_its_filling() -> None:
    prices = {"PLAIN": [NAN, NAN, 7.0, 7.7, NAN, NAN], "OLDER": levels([0.01] * 5)}
    built = joined("PLAIN?FB=OLDER", prices)
    assert made(built)[:3] == pytest.approx([0.01, 0.01, 0.1])
    assert np.isnan(made(built)[3:]).all()
    assert not built.synthetic.iloc[3:, 0].any()


def test_a_filling_that_begins_late_leaves_the_days_before_unknown() -> None:
    prices = {"PLAIN": [NAN] * 4 + levels([0.1]), "OLDER": [NAN, NAN, *levels([0.02] * 3)]}
    found = made(joined("PLAIN?FB=OLDER", prices))
    assert np.isnan(found[:2]).all()
    assert found[2:] == pytest.approx([0.02, 0.02, 0.1])


def test_a_filling_that_begins_later_than_the_holding_is_never_used() -> None:
    prices = {"PLAIN": levels([0.01] * 5), "OLDER": [NAN, NAN, NAN, *levels([0.5, 0.5])]}
    built = joined("PLAIN?FB=OLDER", prices)
    assert made(built) == pytest.approx([0.01] * 5)
    assert not built.synthetic.any(axis=None)


def test_a_filling_does_not_replace_an_index_that_is_known() -> None:
    index = [0.01, 0.02, 0.03]
    assert made(joined("SP500?FB=OLDER", {"OLDER": levels([0.5] * 3)}, index)) == pytest.approx(index)


def test_an_index_is_its_series_and_not_a_file_of_that_name() -> None:
    index = [0.01, 0.02, 0.03]
    assert made(joined("SP500?L=1", {"SP500": levels([0.5] * 3)}, index)) == pytest.approx(index)


# --- on leveraged holdings ---


@given(moves, st.sampled_from(LEVERAGES), hundredths, rates)
def test_a_multiple_of_a_leveraged_fund_resets_twice(x: list[float], times: str, expense: str, rate: float) -> None:
    index = [move / 4 for move in x]  # no ruin of the holding under it
    built = joined(f"TRIPLE?L={times}&E={expense}&SP=0", {}, index, rate)
    expected = []
    for move, days in zip(index, built.history.days[1:], strict=True):
        d, e = days / 360, days / 365
        under = daily_reset(move, 3.0, rate, d, e, EXPENSE, 0.0036)
        expected.append(daily_reset(under, float(times), rate, d, e, float(expense) / 100, 0.0))
    assert made(built) == pytest.approx(expected, abs=1e-14)


@given(st.sampled_from(["-2", "-1", "1", "2", "3"]), hundredths, hundredths, st.sampled_from(["0.5", "1", "1.1"]))
def test_carry_is_what_is_lost_while_the_index_stands_still(times: str, expense: str, spread: str, swap: str) -> None:
    sign = "" if float(times) > 1.0 else "-"
    text = f"TRIPLE?L={times}&E={expense}&SP={sign}{spread}&SW={swap}&UE=0.5"
    history = made_history({"FILLER": [1.0, 1.0]}, rate=RATE, dates=["2020-01-06", "2020-01-07"])
    [lost] = made(on_history(text, history, [0.0]))
    carry = yearly_carry(Portfolio((fund_of(text),), (1.0,)), RATE)
    assert (carry.financing + carry.spread) / 360 + carry.expense / 365 == pytest.approx(lost, abs=1e-15)


def test_looked_through_a_multiple_of_a_leveraged_fund_borrows_for_both() -> None:
    fund = fund_of("TRIPLE?L=2&E=1&SP=0.36")
    assert (fund.leverage, fund.borrowed) == (6.0, 5.0)
    carry = yearly_carry(Portfolio((fund,), (0.5,)), 0.04)
    assert carry.financing == pytest.approx(-0.5 * 5 * 0.04)
    assert carry.spread == pytest.approx(-0.5 * (0.0036 + 2 * 2 * 0.0036))
    assert carry.expense == pytest.approx(-0.5 * (0.01 + 2 * EXPENSE))
    assert carry.cash == pytest.approx(0.5 * 0.04)


def test_what_is_taken_is_that_of_the_holding_and_its_own_by_part() -> None:
    # One night is 1 in 10,000 for the rate and the expense of 3.65%, 1 in 100,000 for a spread of 0.36%.
    history = made_history({"FILLER": [1.0, 1.0]}, rate=RATE, dates=["2020-01-06", "2020-01-07"])
    taken = deductions(fund_of("TRIPLE?L=2&E=3.65&SP=0.36&UE=0.365"), history)
    assert taken.financing[1] == pytest.approx(2 * 2 * 0.0001 + 0.0001, abs=1e-15)
    assert taken.spread[1] == pytest.approx(2 * 2 * 0.00001 + 0.00001, abs=1e-15)
    assert taken.expense[1] == pytest.approx(2 * (0.0001 - 0.00001) + 0.0001, abs=1e-15)
    short = deductions(fund_of("TRIPLE?L=-1&E=0&SP=-0.36"), history)
    assert short.financing[1] == pytest.approx(-2 * 0.0001 - 2 * 0.0001, abs=1e-15)
    assert short.spread[1] == pytest.approx(2 * 0.00001 - 2 * 0.00001, abs=1e-15)
    assert short.expense[1] == pytest.approx(-0.0001, abs=1e-15)


def test_a_short_position_in_an_inverse_fund_pays_its_interest_back() -> None:
    # SHORT earns 2c; -1 times it pays that and earns 2c of its own: long the index, with nothing borrowed.
    fund = fund_of("SHORT?L=-1&SP=0&E=0")
    assert fund.exposures == {"SP500": 1.0}
    assert fund.borrowed == 0.0
    history = made_history({"FILLER": [1.0, 1.0]}, rate=RATE, dates=["2020-01-06", "2020-01-07"])
    assert made(on_history("SHORT?L=-1&SP=0&E=0", history, [0.01]))[0] == pytest.approx(0.01 + 2 * 0.00001, abs=1e-15)


def test_a_ticker_was_always_there() -> None:
    assert fund_of("TRIPLE?L=2").existed_as_today(date(1980, 1, 2))


# --- the preset of the web ---


@pytest.mark.parametrize(
    ("times", "expense", "spread"),
    [
        (3.0, 2 * 0.005, 0.004),
        (2.0, 0.005, 0.004),
        (1.0, 0.0, 0.0),
        (0.5, 0.0, 0.0),
        (-1.0, 0.00333, 0.004),
        (-2.0, 2 * 0.00333, 0.004),
        (-3.0, 3 * 0.00333, 0.004),
    ],
)
def test_the_preset_accrues_everything_by_session(times: float, expense: float, spread: float) -> None:
    x = [0.01, -0.02, 0.005]
    history = made_history(
        {"PLAIN": levels(x)},
        rate=[0.02, 0.05, 0.03, 9.9],
        dates=["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-14"],
    )
    built = made(on_history(f"PLAIN?L={times:g}&PRESET=web", history))
    by_hand = [
        times * move - 1.1 * ((times - 1) * c + abs(times - 1) * spread) / 252 - expense / 252
        for move, c in zip(x, [0.02, 0.05, 0.03], strict=True)
    ]
    assert built == pytest.approx(by_hand, abs=1e-15)


def test_what_is_typed_goes_before_the_preset() -> None:
    history = made_history({"PLAIN": levels([0.01])}, rate=0.0252, dates=["2020-01-03", "2020-01-06"])
    assert made(on_history("PLAIN?L=3&E=2.52&SP=0.252&SW=1&PRESET=web", history)) == pytest.approx(
        [0.03 - 2 * 0.0001 - 2 * 0.00001 - 0.0001], abs=1e-15
    )
    assert made(on_history("PLAIN?L=-1&E=0&SP=0&SW=2&PRESET=web", history)) == pytest.approx(
        [-0.01 + 2 * 2 * 0.0001], abs=1e-15
    )


def test_the_preset_of_a_filling_is_the_fillings_own() -> None:
    history = made_history(
        {"PLAIN": [NAN, 5.0, 5.5], "OLDER": levels([0.01, 0.02])},
        rate=0.0252,
        dates=["2020-01-03", "2020-01-06", "2020-01-07"],
    )
    built = made(on_history("PLAIN?FB=(OLDER?L=2&E=0&SP=0&SW=1&PRESET=web)", history))
    assert built == pytest.approx([0.02 - 0.0001, 0.1], abs=1e-15)


def test_the_preset_accrues_what_is_added_back_by_session_too() -> None:
    history = made_history({"PLAIN": levels([0.01])}, dates=["2020-01-03", "2020-01-06"])
    assert made(on_history("PLAIN?L=1&UE=2.52&PRESET=web", history)) == pytest.approx([0.01 + 0.0001], abs=1e-15)
