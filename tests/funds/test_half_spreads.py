"""Half-spreads by fund and date: the packaged file against its own text, and widening by hand."""

from __future__ import annotations

import datetime
import math
import re
import statistics
import tomllib
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.funds.made import fund_on

from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.half_spreads import (
    HalfSpread,
    Widening,
    default_widening,
    half_spread_series,
    half_spreads_of,
    widened,
)

FILE: dict[str, Any] = tomllib.loads(
    (files("alphaoverlay.funds") / "half_spreads.toml").read_text(encoding="utf-8"),
)
LISTED: dict[str, list[dict[str, Any]]] = {entry["symbol"]: entry["history"] for entry in FILE["fund"]}
FUNDS = {fund.symbol: fund for fund in load_catalogue()}

# --- the packaged file ---


def test_every_fund_of_the_catalogue_is_listed_once_and_no_other() -> None:
    assert sorted(entry["symbol"] for entry in FILE["fund"]) == sorted(FUNDS)


@pytest.mark.parametrize("symbol", sorted(LISTED))
def test_the_rows_of_a_fund_ascend_and_name_their_source(symbol: str) -> None:
    rows = LISTED[symbol]
    days = [row["from"] for row in rows]
    assert days
    assert days == sorted(set(days))
    assert all(0.0 <= row["bps"] <= 100.0 for row in rows)
    assert all(set(row) == {"from", "bps", "verified", "source"} for row in rows)
    assert all(row["source"].strip() for row in rows)


VERIFIED = [(symbol, row) for symbol, history in LISTED.items() for row in history if row["verified"]]


@pytest.mark.parametrize(("symbol", "row"), VERIFIED, ids=[f"{symbol} {row['from']}" for symbol, row in VERIFIED])
def test_a_verified_figure_is_half_of_the_one_in_the_document_that_it_names(symbol: str, row: dict[str, Any]) -> None:
    source: str = row["source"]
    site, _, rest = source.partition(".com")
    assert site.replace(".", "").isalnum()
    assert "assumption" not in source
    # The figure holds from the day of the document, in percent or basis points.
    assert row["from"].isoformat() in rest
    (whole,) = re.findall(r"([0-9.]+)%", rest) or re.findall(r": ([0-9.]+) bp ", rest)
    bps = float(whole) * (100.0 if f"{whole}%" in rest else 1.0)
    assert row["bps"] == pytest.approx(bps / 2)


@pytest.mark.parametrize("symbol", sorted(LISTED))
def test_no_verified_figure_is_from_before_the_fund(symbol: str) -> None:
    began = FUNDS[symbol].inception
    seen = [row["from"] for row in LISTED[symbol] if row["verified"]]
    assert began is None or all(day >= began for day in seen)


@pytest.mark.parametrize("symbol", sorted(LISTED))
def test_a_fund_is_read_as_it_is_written(symbol: str) -> None:
    assert half_spreads_of(symbol) == tuple(
        HalfSpread(row["from"], row["bps"], row["verified"], row["source"]) for row in LISTED[symbol]
    )


def test_some_are_verified_and_most_are_not() -> None:
    rows = [row for history in LISTED.values() for row in history]
    verified = sum(row["verified"] for row in rows)
    assert 20 <= verified < len(rows) / 2


def test_a_fund_that_is_not_listed_has_the_default_on_every_day() -> None:
    (one,) = half_spreads_of("NOSUCH")
    assert one.bps == FILE["default"]["bps"] == 5.0
    assert not one.verified
    days = pd.DatetimeIndex(["1970-01-02", "2024-06-03"])
    assert half_spread_series(half_spreads_of("NOSUCH"), days).tolist() == [5.0, 5.0]


def test_the_packaged_factor() -> None:
    assert default_widening() == Widening(3.0, 0.30, 21)
    assert FILE["widened"]["note"].strip()


def test_a_known_figure() -> None:
    """IVV from 2014-08-21: an average spread of 0.01% (etf.com page of that day), half of it."""
    days = pd.DatetimeIndex(["2014-08-20", "2014-08-21", "2024-01-02"])
    assert half_spread_series(half_spreads_of("IVV"), days).tolist() == [1.5, 0.5, 0.5]


# --- by date ---


def rows_of(*figures: tuple[str, float]) -> tuple[HalfSpread, ...]:
    return tuple(HalfSpread(datetime.date.fromisoformat(day), bps, False, "made up") for day, bps in figures)


def test_a_figure_holds_from_its_day_and_the_first_before() -> None:
    rows = rows_of(("2020-01-06", 9.0), ("2020-01-08", 4.0), ("2020-01-11", 2.0))
    days = pd.DatetimeIndex(["2019-12-31", "2020-01-06", "2020-01-07", "2020-01-08", "2020-01-10", "2020-01-13"])
    told = half_spread_series(rows, days)
    assert told.index.equals(days)
    # The last from a Saturday: on Monday it holds.
    assert told.tolist() == [9.0, 9.0, 9.0, 4.0, 4.0, 2.0]


@given(
    st.lists(
        st.tuples(st.dates(datetime.date(1990, 1, 1), datetime.date(2024, 1, 1)), st.floats(0.0, 50.0)), min_size=1
    ),
    st.lists(st.dates(datetime.date(1985, 1, 1), datetime.date(2029, 1, 1)), min_size=1),
)
def test_each_day_has_the_last_figure_up_to_it(
    figures: list[tuple[datetime.date, float]], days: list[datetime.date]
) -> None:
    known = sorted(dict(figures).items())
    rows = tuple(HalfSpread(day, bps, False, "made up") for day, bps in known)
    expected = [([bps for since, bps in known if since <= day] or [known[0][1]])[-1] for day in days]
    assert half_spread_series(rows, pd.DatetimeIndex([pd.Timestamp(day) for day in days])).tolist() == expected


# --- volatile days ---

THREE = Widening(3.0, 0.30)


def swings(size: float, sessions: int, first: str = "2020-01-02") -> pd.Series:
    """A return of plus and of minus as much in turn."""
    days = pd.bdate_range(first, periods=sessions)
    return pd.Series([size if k % 2 == 0 else -size for k in range(sessions)], index=days)


def flat(returns: pd.Series, bps: float = 4.0) -> pd.Series:
    return pd.Series(bps, index=returns.index)


# Of 21 returns of +a and -a in turn, 11 of one sign: the mean is a/21, the squares around it add up to 21*a^2 - a^2/21.
DEVIATION = math.sqrt((21 - 1 / 21) / 20)
# The swing at which the volatility of a year is 30%.
BRINK = 0.30 / math.sqrt(252.0) / DEVIATION


def test_the_brink_by_hand() -> None:
    returns = swings(BRINK, 21).tolist()
    assert statistics.stdev(returns) * math.sqrt(252) == pytest.approx(0.30, rel=1e-12)


@pytest.mark.parametrize(
    ("leverage", "times"), [(1.0, 1.0), (3.0, 3.0), (2.0, 2.0), (-1.0, 1.0), (-3.0, 3.0), (-2.0, 2.0)]
)
def test_the_threshold_is_for_each_unit_of_leverage(leverage: float, times: float) -> None:
    for size, factor in ((0.999, 1.0), (1.001, 3.0)):
        returns = swings(times * BRINK * size, 30)
        told = widened(flat(returns), fund_on(leverage), returns, THREE)
        assert told.tolist() == [4.0] * 20 + [4.0 * factor] * 10


def test_a_stacked_fund_is_measured_by_the_sum_of_its_exposures() -> None:
    mix = Fund("MIX", "stacked", {"AAA": 0.9, "BBB": 0.6}, expense=0.0)
    for size, factor in ((1.499, 1.0), (1.501, 3.0)):
        returns = swings(BRINK * size, 21)
        assert widened(flat(returns), mix, returns, THREE).iloc[-1] == 4.0 * factor


def test_exactly_at_the_threshold_nothing_is_widened() -> None:
    """Returns of +1/8 and -1/8 in a window of 2: a deviation of sqrt(2)/8, which is 1/8*sqrt(504) a year."""
    returns = swings(0.125, 6)
    at = 0.125 * math.sqrt(2.0) * math.sqrt(252.0)
    for above, expected in ((at * (1 + 1e-12), [4.0] * 6), (at * (1 - 1e-12), [4.0, *[8.0] * 5])):
        assert widened(flat(returns), fund_on(1.0), returns, Widening(2.0, above, window=2)).tolist() == expected


def test_fewer_returns_than_the_window_widen_nothing() -> None:
    returns = swings(0.5, 20)
    assert widened(flat(returns), fund_on(1.0), returns, THREE).tolist() == [4.0] * 20


def test_unknown_returns_do_not_count() -> None:
    """The first session of a history has no return: it takes 22 sessions to know 21."""
    returns = swings(0.5, 40)
    returns.iloc[0] = math.nan
    told = widened(flat(returns), fund_on(1.0), returns, THREE)
    assert told.tolist() == [4.0] * 21 + [12.0] * 19
    returns.iloc[30] = math.nan
    assert widened(flat(returns), fund_on(1.0), returns, THREE).tolist() == [4.0] * 21 + [12.0] * 9 + [4.0] * 10


def test_only_the_last_sessions_count() -> None:
    """Calm, one fall of 20%, calm again: its own day and the 20 after it are volatile."""
    returns = swings(0.0, 60)
    returns.iloc[30] = -0.20
    told = widened(flat(returns), fund_on(1.0), returns, THREE)
    assert told.tolist() == [4.0] * 30 + [12.0] * 21 + [4.0] * 9


def test_each_days_own_half_spread_is_multiplied() -> None:
    returns = swings(0.1, 22)
    told = widened(pd.Series([9.0] * 21 + [2.0], index=returns.index), fund_on(1.0), returns, Widening(2.5, 0.30))
    assert told.tolist() == [9.0] * 20 + [22.5, 5.0]


def test_a_factor_of_one_turns_it_off() -> None:
    returns = swings(0.5, 40)
    assert widened(flat(returns), fund_on(1.0), returns, Widening(1.0, 0.30)).tolist() == [4.0] * 40


moves = st.lists(st.sampled_from([-0.4, -0.05, -0.02, -0.001, 0.0, 0.01, 0.02, 0.06]), min_size=2, max_size=40)


@given(moves, st.sampled_from([1.0, 2.0, -3.0]), st.sampled_from([2, 5, 21]), st.sampled_from([0.1, 0.3, 1.0]))
def test_every_day_is_recounted(drawn: list[float], leverage: float, window: int, above: float) -> None:
    returns = pd.Series(drawn, index=pd.bdate_range("2020-01-02", periods=len(drawn)))
    told = widened(flat(returns), fund_on(leverage), returns, Widening(3.0, above, window)).tolist()
    for k, bps in enumerate(told):
        known = drawn[max(0, k + 1 - window) : k + 1]
        yearly = statistics.stdev(known) * math.sqrt(252) if len(known) == window else 0.0
        if abs(yearly - above * abs(leverage)) > 1e-9:
            assert bps == (12.0 if yearly > above * abs(leverage) else 4.0)


@given(moves, st.integers(1, 40), st.sampled_from([1.0, -2.0]))
def test_nothing_after_a_day_has_a_say_in_it(drawn: list[float], k: int, leverage: float) -> None:
    k = min(k, len(drawn))
    days = pd.bdate_range("2020-01-02", periods=len(drawn))
    returns, window = pd.Series(drawn, index=days), Widening(3.0, 0.2, 5)
    whole = widened(flat(returns), fund_on(leverage), returns, window)
    assert widened(flat(returns[:k]), fund_on(leverage), returns[:k], window).tolist() == whole.tolist()[:k]
    wilder = returns.where(np.arange(len(drawn)) < k, 0.9)
    assert widened(flat(returns), fund_on(leverage), wilder, window).tolist()[:k] == whole.tolist()[:k]
