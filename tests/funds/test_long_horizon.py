"""M2 beside M1: by hand, in the limit of small steps, by the third order, and from real data in plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import second_opinion, second_tracking
from tests.funds.made import fund_on, index_with, made_history

from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.long_horizon import LongHorizon, long_horizon
from alphaoverlay.history import History
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.study.tracked import read_tracking

leverages = st.sampled_from([-3.0, -2.0, -1.0, 0.0, 0.5, 1.0, 1.25, 2.0, 3.0])


def split(fund: Fund, moves: Sequence[float], history: History) -> LongHorizon:
    """The fund's growth over the whole history for these returns of its index."""
    index = {"AAA": index_with("AAA", moves, history).returns}
    found = long_horizon(fund, index, history, np.arange(1, len(history.dates)))
    assert found is not None
    return found


# --- by hand ---


def test_the_parts_of_three_sessions_by_hand() -> None:
    """Friday to Wednesday, five days: 1 in 10,000 a day for rate and expense, 1 in 100,000 for the spread, 3x."""
    days = ["2020-01-03", "2020-01-06", "2020-01-07", "2020-01-08"]
    history = made_history({"X": [1.0] * 4}, rate=0.036, dates=days)
    fund = fund_on(3.0, expense=0.0365, spread=0.0036)
    found = split(fund, [math.expm1(0.01), math.expm1(-0.02), math.expm1(0.03)], history)
    assert found.leverage == pytest.approx(3 * 0.02, abs=1e-15)
    assert found.financing == pytest.approx(-2 * 0.0005, abs=1e-15)
    assert found.spread == pytest.approx(-2 * 0.00005, abs=1e-15)
    assert found.expense == pytest.approx(-0.0005, abs=1e-15)
    assert found.variance == pytest.approx(0.0001 + 0.0004 + 0.0009, abs=1e-15)
    assert found.volatility_drag == pytest.approx(-3 * 0.0014, abs=1e-15)  # (3 - 9) / 2
    assert found.third_order == pytest.approx(5 * (1e-6 - 8e-6 + 27e-6), abs=1e-15)  # (3 - 27 + 54) / 6
    assert found.years == pytest.approx(5 / 365.25, rel=1e-14)
    assert found.closed_form == pytest.approx(0.06 - 0.001 - 0.0001 - 0.0005 - 0.0042, abs=1e-15)
    nights = [(0.01, 3), (-0.02, 1), (0.03, 1)]
    exact = math.fsum(math.log(1 + 3 * math.expm1(x) - n * (0.0002 + 0.00002 + 0.0001)) for x, n in nights)
    assert found.exact == pytest.approx(exact, abs=1e-14)
    assert found.rest == pytest.approx(exact - found.closed_form, abs=1e-14)


def test_an_inverse_fund_gains_by_financing_and_pays_the_spread() -> None:
    history = made_history({"X": [1.0] * 2}, rate=0.036, dates=["2020-01-06", "2020-01-07"])
    found = split(replace(fund_on(-3.0, spread=0.0036), swap_exposure=1.5), [0.0], history)
    assert found.financing == pytest.approx(1.5 * 4 * 0.0001, abs=1e-15)
    assert found.spread == pytest.approx(-1.5 * 4 * 0.00001, abs=1e-15)


def test_only_the_rows_asked_for_count() -> None:
    history = made_history({"X": [1.0] * 4}, dates=["2020-01-06", "2020-01-07", "2020-01-08", "2020-01-09"])
    index = {"AAA": index_with("AAA", [0.5, 0.1, 0.2], history).returns}
    found = long_horizon(fund_on(1.0), index, history, np.array([2, 3]))
    assert found is not None
    assert found.leverage == found.exact == pytest.approx(math.log(1.1 * 1.2), abs=1e-15)
    assert found.years == pytest.approx(2 / 365.25, rel=1e-14)


def test_there_is_none_for_several_indices_or_across_a_change() -> None:
    history = made_history({"X": [1.0] * 40})
    index = {name: index_with(name, [0.01] * 39, history).returns for name in ("AAA", "BBB")}
    rows = np.arange(1, 40)
    assert long_horizon(Fund("PAIR", "pair", {"AAA": 2.0, "BBB": -1.0}, expense=0.0), index, history, rows) is None
    changed = replace(fund_on(2.0), index_since=history.dates[20].date())
    assert long_horizon(changed, index, history, rows) is None
    assert long_horizon(changed, index, history, np.arange(15, 40)) is None
    assert long_horizon(changed, index, history, np.arange(21, 40)) is not None


# --- laws ---


moves = st.lists(st.floats(-0.1, 0.1), min_size=1, max_size=30)


@given(moves, leverages, st.floats(-0.01, 0.1), st.floats(0.0, 0.03), st.floats(0.0, 0.03))
def test_the_parts_add_up_to_what_is_shown_and_m1_is_the_second_implementations(
    x: list[float], leverage: float, rate: float, expense: float, spread: float
) -> None:
    history = made_history({"X": [1.0] * (len(x) + 1)}, rate=rate)
    found = split(fund_on(leverage, expense=expense, spread=spread), x, history)
    parts = [found.leverage, found.financing, found.spread, found.expense, found.volatility_drag]
    assert found.closed_form == pytest.approx(math.fsum(parts), abs=1e-14)
    assert found.closed_form + found.rest == pytest.approx(found.exact, abs=1e-14)
    days = [stamp.date() for stamp in history.dates]
    accruals = second_opinion.financing(dict.fromkeys(days, rate), days)[1:]
    rows = zip(x, accruals, strict=True)
    m1 = [second_opinion.daily_reset(a, leverage, c, d, d * 360 / 365, expense, spread) for a, (c, d) in rows]
    assert found.exact == pytest.approx(math.fsum(map(math.log1p, m1)), abs=1e-12)


@given(moves, st.sampled_from([0.0, 1.0]))
def test_a_fund_of_one_or_none_has_no_drag_and_no_rest_but_its_cost(x: list[float], leverage: float) -> None:
    found = split(fund_on(leverage), x, made_history({"X": [1.0] * (len(x) + 1)}))
    assert (found.volatility_drag, found.third_order) == (0.0, 0.0)
    assert found.rest == pytest.approx(0.0, abs=1e-12)


@given(st.sampled_from([-3.0, -2.0, -1.0, 0.5, 2.0, 3.0]), st.floats(0.001, 0.05))
def test_two_opposite_moves_cost_twice_the_drag_of_one(leverage: float, size: float) -> None:
    """Up and down by the same log move: the index ends where it began, the fund below by (L^2-L) times its square."""
    found = split(fund_on(leverage), [math.expm1(size), math.expm1(-size)], made_history({"X": [1.0] * 3}))
    assert found.leverage == pytest.approx(0.0, abs=1e-15)
    assert found.volatility_drag == pytest.approx(-(leverage**2 - leverage) * size**2, rel=1e-9)
    assert found.third_order == pytest.approx(0.0, abs=1e-15)
    assert (found.exact < 0.0) is (leverage > 1.0 or leverage < 0.0)


# --- limits ---


def cut(n: int, skew: float = 0.0) -> tuple[list[float], History]:
    """A year of log growth 8% and variance 0.04 in n sessions, at 5% of interest in every cut.

    With a skew every fifth step is four times as large as, and opposite to, the four before.
    """
    shape = np.where(np.arange(n) % 5 == 4, 4.0, -1.0) if skew else np.where(np.arange(n) % 2, 1.0, -1.0)
    logs = 0.08 / n + np.sign(skew or 1.0) * 0.2 * shape / np.sqrt((shape**2).sum())
    days = pd.date_range("1950-01-01", periods=n + 1)
    return [float(x) for x in np.expm1(logs)], made_history({"X": [1.0] * (n + 1)}, rate=0.05 * 360 / n, dates=days)


@pytest.mark.parametrize("leverage", [-3.0, -1.0, 0.5, 2.0, 3.0])
def test_m1_tends_to_m2_as_the_same_year_is_cut_finer(leverage: float) -> None:
    """The rest falls with the steps: tenfold for ten times as many sessions."""
    rests = []
    for n in (100, 1000, 10_000):
        x, history = cut(n)
        fund = fund_on(leverage, expense=0.01 * 365 / n, spread=0.004 * 360 / n)
        found = split(fund, x, history)
        assert found.leverage == pytest.approx(leverage * 0.08, abs=1e-11)
        assert found.financing == pytest.approx((1.0 - leverage) * 0.05, abs=1e-11)
        borrowed = 0.0 if 0.0 <= leverage <= 1.0 else abs(leverage - 1.0)
        assert found.spread == pytest.approx(-borrowed * 0.004, abs=1e-11)
        assert found.expense == pytest.approx(-0.01, abs=1e-11)
        assert found.volatility_drag == pytest.approx((leverage - leverage**2) / 2.0 * 0.04, rel=0.01)
        rests.append(abs(found.rest))
    assert rests[0] < 0.02
    assert rests[1] < rests[0] / 8.0
    assert rests[2] < rests[1] / 8.0


@pytest.mark.parametrize("skew", [-1.0, 1.0])
@pytest.mark.parametrize("leverage", [-3.0, -1.0, 1.5, 2.0, 3.0])
def test_the_third_order_is_most_of_the_rest_of_a_skewed_path(leverage: float, skew: float) -> None:
    """Without interest and fees. The third order falls by the root of ten, what is left of the rest by ten."""
    thirds, left = [], []
    for n in (1000, 10_000, 100_000):
        x, history = cut(n, skew)
        found = split(fund_on(leverage), x, replace(history, rate=history.rate * 0.0))
        thirds.append(found.third_order)
        left.append(abs(found.rest - found.third_order))
    assert thirds[0] / thirds[1] == pytest.approx(math.sqrt(10.0), rel=0.1)
    assert left[0] < 0.5 * abs(thirds[0])
    assert left[1] < left[0] / 8.0
    assert left[2] < left[1] / 8.0


# --- real funds ---


@pytest.mark.parametrize("symbol", ["UPRO", "TNA", "TWM"])
def test_the_parts_on_real_data_in_plain_python(reference_data: Path, symbol: str) -> None:
    fund, spread = second_tracking.fund_row(symbol), 0.004
    start, end = date(2012, 3, 5), date(2019, 8, 30)
    span = second_tracking.load(reference_data, fund, start, end)
    L = fund["leverage"]
    logs = [math.log1p(x) for x in span.x["default"][1:] if x is not None]
    nights = [(b - a).days for a, b in pairwise(span.sessions)]
    assert len(logs) == len(nights)
    m1 = [r for r in second_tracking.m1_path(span, "default", spread) if r is not None]
    own = read_tracking(
        symbol, FolderSource(reference_data), start=start.isoformat(), end=end.isoformat(), spread=spread
    ).tracking.horizon
    assert own is not None
    assert own.leverage == pytest.approx(L * math.fsum(logs), abs=1e-9)
    assert own.financing == pytest.approx(-(L - 1) * math.fsum(c * d for c, d in span.funding), abs=1e-9)
    assert own.spread == pytest.approx(-abs(L - 1) * spread * math.fsum(nights) / 360, abs=1e-9)
    fees = (E * n / 365 for E, n in zip(span.expenses[1:], nights, strict=True))
    assert own.expense == pytest.approx(-math.fsum(fees), abs=1e-9)
    assert own.variance == pytest.approx(math.fsum(x * x for x in logs), abs=1e-9)
    assert own.volatility_drag == pytest.approx((L - L * L) / 2 * math.fsum(x * x for x in logs), abs=1e-9)
    assert own.third_order == pytest.approx((L - 3 * L**2 + 2 * L**3) / 6 * math.fsum(x**3 for x in logs), abs=1e-9)
    assert own.exact == pytest.approx(math.fsum(map(math.log1p, m1)), abs=1e-9)
    assert abs(own.rest) < 0.02 * own.years
