"""A fund's returns: real where they exist, synthetic before, joined by return, and cut to what all funds share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.funds.made import NAN, fund_on, index_with, levels, made_history

from alphaoverlay.errors import SpanError
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.fund_returns import FundReturns, build_fund_returns
from alphaoverlay.funds.index_returns import IndexReturns

UP = [0.01, -0.02, 0.03, 0.01, 0.02, -0.01, 0.01]  # returns of the index AAA, sessions 1 to 7


def returns_of(
    prices: dict[str, list[float]],
    *funds: Fund,
    index: list[float] | None = UP,
    synthetic: bool = True,
    first: str = "2020-01-02",
) -> FundReturns:
    n = max(map(len, prices.values()), default=8)
    history = made_history({"FILLER": [1.0] * n, **prices}, first=first)
    known: dict[str, IndexReturns] = {} if index is None else {"AAA": index_with("AAA", index, history)}
    return build_fund_returns(funds, history, known, synthetic=synthetic)


def only_prices(**prices: list[float]) -> FundReturns:
    """Real returns alone, of funds whose index has no data."""
    funds = [Fund(symbol, symbol, {"AAA": 1.0}, expense=0.0) for symbol in prices]
    return returns_of(prices, *funds, index=None)


# --- build ---


def test_a_fund_without_prices_is_synthetic_throughout() -> None:
    built = returns_of({}, fund_on(2.0))
    assert built.returns["FUND"].to_numpy()[1:] == pytest.approx([2 * x for x in UP])
    assert built.synthetic["FUND"].tolist() == [False] + [True] * 7
    assert built.synthetic_until == {"FUND": built.history.dates[7]}


def test_a_fund_with_all_its_prices_is_real_throughout() -> None:
    built = returns_of({"FUND": levels([0.5] * 7)}, fund_on(2.0))
    assert built.returns["FUND"].to_numpy()[1:] == pytest.approx([0.5] * 7)
    assert not built.synthetic["FUND"].any()
    assert built.synthetic_until == {}


def test_synthetic_before_the_first_real_return_and_marked() -> None:
    # The first price is session 3's, so the first return that a holder of the fund saw is session 4's.
    built = returns_of({"FUND": [NAN, NAN, NAN, 7.0, 7.7, 7.7, 7.7, 8.47]}, fund_on(2.0))
    assert built.returns["FUND"].to_numpy()[1:] == pytest.approx([0.02, -0.04, 0.06, 0.1, 0.0, 0.0, 0.1])
    assert built.synthetic["FUND"].tolist() == [False, True, True, True, False, False, False, False]
    assert built.synthetic_until == {"FUND": built.history.dates[3]}


@given(st.floats(0.01, 1e6), st.integers(1, 6))
def test_the_level_of_the_first_price_makes_no_jump(level: float, first: int) -> None:
    real = levels([0.01] * (7 - first), start=level)
    built = returns_of({"FUND": [NAN] * first + real}, fund_on(3.0))
    growth = np.cumprod(1.0 + built.returns["FUND"].to_numpy()[1:])
    expected = np.cumprod([1.0 + 3 * x for x in UP[:first]] + [1.01] * (7 - first))
    assert growth == pytest.approx(expected, rel=1e-9)


def test_without_synthetic_returns_only_real_ones_are_used() -> None:
    built = returns_of({"FUND": [NAN, NAN, NAN, 7.0, 7.7, 7.7, 7.7, 8.47]}, fund_on(2.0), synthetic=False)
    assert np.isnan(built.returns["FUND"].to_numpy()[:4]).all()
    assert built.returns["FUND"].to_numpy()[4:] == pytest.approx([0.1, 0.0, 0.0, 0.1])
    assert not built.synthetic["FUND"].any()


def test_a_fund_that_ended_is_not_kept_alive_by_its_index() -> None:
    built = returns_of({"FUND": [NAN, 7.0, 7.7, 7.7, NAN, NAN, NAN, NAN]}, fund_on(2.0))
    assert np.isnan(built.returns["FUND"].to_numpy()[4:]).all()
    assert built.synthetic["FUND"].tolist() == [False, True] + [False] * 6


def test_funds_that_cannot_be_built_are_left_unknown() -> None:
    nameless = Fund("BLANK", "no index", {}, expense=0.0)
    elsewhere = Fund("ELSE", "another index", {"BBB": 2.0}, expense=0.0)
    half = Fund("HALF", "one of two indices", {"AAA": 1.0, "BBB": 1.0}, expense=0.0)
    assert returns_of({}, nameless, elsewhere, half).returns.isna().all(axis=None)


# --- span ---


def test_without_dates_the_span_is_what_all_funds_share() -> None:
    built = only_prices(A=[NAN, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6], B=[2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6, NAN])
    cut = built.span()
    assert cut.history.dates.tolist() == built.history.dates[1:7].tolist()  # from A's first price to B's last
    assert list(cut.returns.index) == list(cut.synthetic.index) == cut.history.dates.tolist()
    assert cut.returns.iloc[1:].notna().all(axis=None)


def test_dates_between_sessions_take_the_sessions_inside() -> None:
    # 2020-01-04 and 05 are a weekend, as are 11 and 12.
    cut = returns_of({}, fund_on(2.0)).span("2020-01-04", "2020-01-12")
    assert [str(cut.history.dates[i].date()) for i in (0, -1)] == ["2020-01-06", "2020-01-10"]


def test_a_weekend_after_the_last_price_is_a_fine_end() -> None:
    built = only_prices(A=[1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6])  # to Friday 2020-01-10
    assert str(built.span(end="2020-01-12").history.dates[-1].date()) == "2020-01-10"


def test_a_start_before_the_first_price_is_refused_by_name() -> None:
    built = only_prices(OLD=[1.0] * 8, YOUNG=[NAN, NAN, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5])
    with pytest.raises(SpanError, match=r"YOUNG has no return before 2020-01-06.*--start 2020-01-06.*AAA"):
        built.span("2020-01-03")
    assert str(built.span("2020-01-06").history.dates[0].date()) == "2020-01-06"


def test_a_start_before_all_data_is_refused_too() -> None:
    built = only_prices(A=[1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7])
    with pytest.raises(SpanError, match="2020-01-02"):
        built.span("1990-01-01")


def test_a_holiday_before_the_first_session_is_a_fine_start() -> None:
    built = only_prices(A=[1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7])
    assert str(built.span("2020-01-01").history.dates[0].date()) == "2020-01-02"


def test_an_end_after_the_last_price_is_refused_by_name() -> None:
    built = only_prices(LONG=[1.0] * 8, SHORT=[1.0, 1.1, 1.2, 1.3, 1.4, NAN, NAN, NAN])
    with pytest.raises(SpanError, match=r"SHORT end on 2020-01-08.*--end 2020-01-08"):
        built.span(end="2020-01-10")
    with pytest.raises(SpanError, match=r"end on 2020-01-13"):
        only_prices(LONG=[1.0] * 8).span(end="2020-06-30")


def test_an_end_after_prices_that_stop_with_their_year_is_refused_too() -> None:
    built = returns_of({}, fund_on(2.0), first="2020-12-22")
    assert str(built.history.dates[-1].date()) == "2020-12-31"
    with pytest.raises(SpanError, match="2020-12-31"):
        built.span(end="2021-06-30")


def test_funds_that_never_overlap_are_refused_with_their_spans() -> None:
    built = only_prices(A=[1.0, 1.1, 1.2, NAN, NAN, NAN, NAN, NAN], B=[NAN, NAN, NAN, NAN, 1.0, 1.1, 1.2, 1.3])
    with pytest.raises(SpanError, match=r"A 2020-01-02 to 2020-01-06.*B 2020-01-08 to 2020-01-13"):
        built.span()


def test_a_span_of_one_session_is_refused() -> None:
    with pytest.raises(SpanError, match="two sessions"):
        returns_of({}, fund_on(2.0)).span("2020-01-06", "2020-01-06")


def test_a_fund_without_any_data_is_refused_by_name() -> None:
    with pytest.raises(SpanError, match=r"no data for FUND.*FUND\.csv.*AAA"):
        returns_of({}, fund_on(2.0), index=None).span()
    with pytest.raises(SpanError, match=r"no data for BLANK.*index is unknown.*BLANK\.csv"):
        returns_of({}, Fund("BLANK", "no index", {}, expense=0.0)).span()


# --- only ---


def test_only_takes_the_columns_asked_for_in_their_order() -> None:
    built = returns_of({}, *(fund_on(x, symbol=s) for s, x in {"A": 1.0, "B": 2.0, "C": 3.0}.items()))
    some = built.only(["C", "A"])
    assert [fund.symbol for fund in some.funds] == ["C", "A"]
    assert list(some.returns.columns) == list(some.synthetic.columns) == ["C", "A"]
    pd.testing.assert_series_equal(some.returns["C"], built.returns["C"])
