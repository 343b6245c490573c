"""The total return of an index: which series is used where, how they join, and that only the past is looked at."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.funds.made import NAN, levels, made_history, random_prices

from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.funds.fund import Fund, Index
from alphaoverlay.funds.index_returns import build_index_returns, index_symbols
from alphaoverlay.history import FloatArray, History

EXPENSE = 0.002
CATALOGUE = Catalogue({"PLAIN": Fund("PLAIN", "plain fund", {"AAA": 1.0}, expense=EXPENSE)}, {})
INDEX = Index("AAA", "index A", total_return=("TOTAL",), price=("PRICE",), plain=("PLAIN",), dividend_yield=0.0365)
WINDOW = 252


def values(history: History, index: Index = INDEX) -> FloatArray:
    return build_index_returns(index, history, CATALOGUE).returns.to_numpy(dtype=np.float64)


def spans(history: History, index: Index = INDEX) -> list[tuple[str, tuple[str, ...], int, int]]:
    """Kind, symbols, and the positions of the first and last session of every span."""
    built = build_index_returns(index, history, CATALOGUE)
    place = {day: row for row, day in enumerate(history.dates)}
    return [(span.kind, span.symbols, place[span.first], place[span.last]) for span in built.spans]


# Monday to Friday: one night each, so a yield of 3.65% accrues 0.0001 a session.
WEEK = ["2020-01-06", "2020-01-07", "2020-01-08", "2020-01-09", "2020-01-10"]


def test_a_total_return_index_comes_first() -> None:
    history = made_history(
        {
            "TOTAL": levels([0.01, 0.02, -0.01, 0.03]),
            "PRICE": levels([0.5] * 4),
            "PLAIN": levels([0.6] * 4),
        },
        dates=WEEK,
    )
    assert values(history)[1:] == pytest.approx([0.01, 0.02, -0.01, 0.03])
    assert spans(history) == [("total-return index", ("TOTAL",), 1, 4)]


def test_before_it_the_price_index_with_the_stated_yield() -> None:
    # The total-return index begins on the third session, at another level: its first return is the fourth's.
    history = made_history(
        {"TOTAL": [NAN, NAN, 5000.0, 5100.0, 5151.0], "PRICE": levels([0.01, 0.02, 0.5, 0.5])}, dates=WEEK
    )
    assert values(history)[1:] == pytest.approx([0.0101, 0.0201, 0.02, 0.01])
    assert [(s[1], s[2], s[3]) for s in spans(history)] == [(("PRICE",), 1, 2), (("TOTAL",), 3, 4)]
    assert "stated 3.6% dividends" in spans(history)[0][0] or "stated 3.7% dividends" in spans(history)[0][0]


def test_the_stated_yield_accrues_over_a_weekend() -> None:
    history = made_history({"PRICE": [100.0, 100.0]}, dates=["2020-01-03", "2020-01-06"])
    assert values(history)[1] == pytest.approx(3 * 0.0001)


def test_without_a_stated_yield_the_plain_fund_with_its_expense_added_back() -> None:
    index = Index("AAA", "index A", price=("PRICE",), plain=("PLAIN",))
    history = made_history({"PRICE": levels([0.5] * 4), "PLAIN": levels([0.01] * 4)}, dates=WEEK)
    assert values(history, index)[1:] == pytest.approx([0.01 + EXPENSE / 365] * 4)
    assert spans(history, index) == [("plain fund, expense added back", ("PLAIN",), 1, 4)]


def test_a_price_index_alone_is_used_with_a_warning() -> None:
    index = Index("AAA", "index A", price=("PRICE",), plain=("PLAIN",))
    history = made_history({"PRICE": levels([0.01] * 4), "PLAIN": [NAN, NAN, NAN, 7.0, 7.7]}, dates=WEEK)
    built = build_index_returns(index, history, CATALOGUE)
    assert built.returns.to_numpy()[1:] == pytest.approx([0.01, 0.01, 0.01, 0.1 + EXPENSE / 365])
    assert [(s[1], s[2], s[3]) for s in spans(history, index)] == [(("PRICE",), 1, 3), (("PLAIN",), 4, 4)]
    [note] = built.notes
    assert "AAA" in note
    assert "2020-01-07 to 2020-01-09" in note
    assert "understated" in note
    assert build_index_returns(INDEX, history, CATALOGUE).notes == ()  # a stated yield is no price alone


def test_nothing_known_is_nothing_built() -> None:
    built = build_index_returns(INDEX, made_history({"OTHER": [1.0] * 5}, dates=WEEK), CATALOGUE)
    assert built.returns.isna().all()
    assert built.spans == ()


def test_the_first_symbol_held_of_each_kind_is_used() -> None:
    index = Index("AAA", "index A", total_return=("T1", "T2"), price=("P1",), plain=("F1", "F2"))
    assert index_symbols(index, {"T2", "F1", "F2"}.__contains__) == ("T2", "F1")
    assert index_symbols(index, lambda symbol: False) == ()
    history = made_history({"T2": levels([0.02]), "P1": levels([0.05])})
    assert values(history, index)[1] == pytest.approx(0.02)


def trailing_by_hand(history: History, row: int) -> float:
    """Mean over the 252 sessions before `row` of the fund's log total return + its expense - the index's."""
    fund, price = (history.adj_close[symbol].tolist() for symbol in ("PLAIN", "PRICE"))
    nights = [(b - a).days for a, b in zip(history.dates[:-1], history.dates[1:], strict=True)]
    gaps = [
        math.log(fund[t] / fund[t - 1]) + EXPENSE * nights[t - 1] / 365 - math.log(price[t] / price[t - 1])
        for t in range(row - WINDOW, row)
    ]
    return math.fsum(gaps) / WINDOW


def test_the_accrual_from_the_fund_needs_252_sessions_and_uses_those_before() -> None:
    history = made_history({"PRICE": random_prices(1, 270), "PLAIN": random_prices(2, 270)})
    returns = values(history)
    price = history.adj_close["PRICE"].tolist()
    # Session 0 has no return, so session 253 is the first with 252 of them before it.
    for row in (253, 254, 269):
        assert returns[row] == pytest.approx(
            price[row] / price[row - 1] - 1 + trailing_by_hand(history, row), abs=1e-14
        )
    nights = (history.dates[252] - history.dates[251]).days
    assert returns[252] == pytest.approx(price[252] / price[251] - 1 + 0.0365 * nights / 365, abs=1e-14)
    assert [s[1:] for s in spans(history)] == [(("PRICE",), 1, 252), (("PRICE", "PLAIN"), 253, 269)]


def test_the_whole_order_in_one_history() -> None:
    """Price alone, then the plain fund, then price and fund after 252 sessions, then the total-return index."""
    n = 300
    price, plain, total = (np.array(random_prices(seed, n)) for seed in (3, 4, 5))
    plain[:20], total[:290] = NAN, NAN
    index = Index("AAA", "index A", ("TOTAL",), ("PRICE",), ("PLAIN",))
    history = made_history({"PRICE": price.tolist(), "PLAIN": plain.tolist(), "TOTAL": total.tolist()})
    assert [s[1:] for s in spans(history, index)] == [
        (("PRICE",), 1, 20),
        (("PLAIN",), 21, 272),
        (("PRICE", "PLAIN"), 273, 290),
        (("TOTAL",), 291, 299),
    ]
    assert not np.isnan(values(history, index)[1:]).any()
    assert values(history, index)[1:21] == pytest.approx(price[1:21] / price[:20] - 1)
    assert values(history, index)[291:] == pytest.approx(total[291:] / total[290:-1] - 1)


def changed_after(prices: list[float], row: int, factor: float) -> list[float]:
    return [price * factor if t > row else price for t, price in enumerate(prices)]


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 289), st.floats(0.2, 5.0), st.sampled_from(["PRICE", "PLAIN", "TOTAL"]))
def test_the_future_never_changes_the_past(seed: int, row: int, factor: float, symbol: str) -> None:
    prices = {"PRICE": random_prices(seed, 290), "PLAIN": random_prices(seed + 1, 290)}
    prices["TOTAL"] = [NAN] * 280 + random_prices(seed + 2, 10)
    whole = made_history(prices)
    before = values(whole)

    cut = whole.between(None, whole.dates[row])
    np.testing.assert_array_equal(values(cut), before[: row + 1])

    other = made_history({**prices, symbol: changed_after(prices[symbol], row, factor)})
    np.testing.assert_array_equal(values(other)[: row + 1], before[: row + 1])


def test_a_span_prints_its_days_kind_and_symbols() -> None:
    history = made_history({"TOTAL": levels([0.01, 0.02, -0.01, 0.03])}, dates=WEEK)
    [span] = build_index_returns(INDEX, history, CATALOGUE).spans
    assert str(span) == "2020-01-07 to 2020-01-10: total-return index (TOTAL)"
    assert span.first == pd.Timestamp("2020-01-07")
