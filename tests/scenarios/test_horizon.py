"""The sessions ahead: the exchange's own days, its weekends and holidays, and one rate."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import second_scenarios as second

from alphaoverlay.errors import SpanError
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.scenarios.horizon import sessions_ahead

EXCHANGE = exchange_sessions(2021, 2023)


def test_the_day_itself_comes_first_and_holidays_are_left_out() -> None:
    """From Thursday 2021-12-23: the 24th was Christmas as observed, and the 31st a session."""
    found = sessions_ahead(pd.Timestamp("2021-12-23"), 7, 0.05, EXCHANGE)
    assert [f"{day:%Y-%m-%d}" for day in found.dates] == [
        "2021-12-23", "2021-12-27", "2021-12-28", "2021-12-29", "2021-12-30", "2021-12-31", "2022-01-03", "2022-01-04",
    ]  # fmt: skip
    assert found.days.tolist() == [0, 4, 1, 1, 1, 1, 3, 1]
    assert found.rate.tolist() == [0.05] * 8
    assert found.financing.tolist() == [0.0, *[0.05] * 7]


@given(st.integers(0, len(EXCHANGE) - 2), st.data())
def test_the_clock_is_that_of_the_second_implementation(first: int, data: st.DataObject) -> None:
    sessions = data.draw(st.integers(1, len(EXCHANGE) - 1 - first))
    found = sessions_ahead(EXCHANGE[first], sessions, 0.0, EXCHANGE)
    days: list[date] = [day.date() for day in EXCHANGE[first : first + sessions + 1]]
    d, e = second.horizon_clock(days)
    assert len(found.dates) == sessions + 1
    assert (found.d.tolist(), found.e.tolist()) == (d, e)
    assert sum(d) == pytest.approx((days[-1] - days[0]).days / 360)


def test_there_are_no_prices_and_the_whole_calendar_stays_known() -> None:
    found = sessions_ahead(EXCHANGE[5], 3, 0.0, EXCHANGE)
    assert (found.close.shape, found.adj_close.shape) == ((4, 0), (4, 0))
    assert found.exchange_sessions.equals(EXCHANGE)


@pytest.mark.parametrize("day", ["2021-12-25", "2021-12-24", "2019-06-03", "2030-01-02"])
def test_a_day_that_is_no_session_is_refused(day: str) -> None:
    with pytest.raises(SpanError, match=f"{day} is not a session of the exchange"):
        sessions_ahead(pd.Timestamp(day), 5, 0.0, EXCHANGE)


def test_a_calendar_that_ends_before_the_horizon_is_refused() -> None:
    assert len(sessions_ahead(EXCHANGE[-4], 3, 0.0, EXCHANGE).dates) == 4
    with pytest.raises(SpanError, match=r"known to 2023-12-29: 3 sessions ahead"):
        sessions_ahead(EXCHANGE[-4], 4, 0.0, EXCHANGE)
