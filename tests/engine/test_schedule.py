"""Which sessions a calendar trades on, against an enumeration of periods that shares no code with it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import cast

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.second_opinion import period_ends

from alphaoverlay.engine.backtesting import backtest
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.schedule import CALENDARS, REBALANCES_A_YEAR, Calendar, CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import StudyError
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.fund_returns import build_fund_returns
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.reading import read_history

FIRST, LAST = 1999, 2021


def chosen(rule: CalendarRule, dates: pd.DatetimeIndex, exchange: pd.DatetimeIndex) -> list[str]:
    """The sessions that the rule marks, as ISO days."""
    return dates[rule.sessions(dates, exchange)].strftime("%Y-%m-%d").tolist()


def enumerated(dates: pd.DatetimeIndex, calendar: str, offset: int) -> list[str]:
    """The same by the second opinion, which sees a year more on either side."""
    known: list[date] = [stamp.date() for stamp in exchange_sessions(FIRST - 1, LAST + 1)]
    ends = period_ends(known, calendar, offset)
    return [stamp.date().isoformat() for stamp in dates if stamp.date() in ends]


def between(start: str, end: str) -> pd.DatetimeIndex:
    """Exchange sessions of a span."""
    sessions = exchange_sessions(FIRST - 1, LAST + 1)
    return sessions[(sessions >= pd.Timestamp(start)) & (sessions <= pd.Timestamp(end))]


@pytest.mark.parametrize("offset", [0, 1, 5, 30])
@pytest.mark.parametrize("calendar", CALENDARS)
def test_every_calendar_over_23_years(calendar: Calendar, offset: int) -> None:
    sessions = exchange_sessions(FIRST, LAST)
    # A daily period has one session, so that an offset is clipped to it.
    expected = enumerated(sessions, calendar, offset)
    assert chosen(CalendarRule(calendar, offset), sessions, sessions) == expected
    # One trade a period, but for the week that 1999 shares with no session before it.
    a_year = {"never": 0, "daily": 251.8, "weekly": 52.2, "monthly": 12, "quarterly": 4, "semiannual": 2, "annual": 1}
    assert len(expected) == pytest.approx(23 * a_year[calendar], rel=0.002)


@given(
    st.sampled_from(CALENDARS),
    st.sampled_from([0, 1, 5, 30]),
    st.dates(date(1999, 1, 4), date(2021, 12, 1)),
    st.integers(2, 800),
)
def test_a_span_trades_where_its_exchange_does(calendar: Calendar, offset: int, start: date, sessions: int) -> None:
    dates = between(start.isoformat(), "2021-12-31")[:sessions]
    known = between(start.isoformat(), "2022-12-31")
    # The first session is a purchase whatever the rule says, and a period cut by it is clipped there.
    found = chosen(CalendarRule(calendar, offset), dates[1:], known)
    assert found == enumerated(dates[1:], calendar, offset)


def test_quarter_ends_from_the_wall_calendar() -> None:
    """Good Friday was 30 March 2018; 2018-06-30, 2018-09-30 fell on a weekend."""
    sessions = exchange_sessions(2018, 2018)
    quarters = ["2018-03-29", "2018-06-29", "2018-09-28", "2018-12-31"]
    assert chosen(CalendarRule("quarterly"), sessions, sessions) == quarters
    assert chosen(CalendarRule("quarterly", 1), sessions, sessions)[0] == "2018-03-28"
    assert chosen(CalendarRule("semiannual"), sessions, sessions) == quarters[1::2]
    assert chosen(CalendarRule("annual"), sessions, sessions) == quarters[3:]
    assert chosen(CalendarRule("weekly"), sessions, sessions)[12:14] == ["2018-03-29", "2018-04-06"]


def test_a_span_that_stops_inside_a_quarter_has_no_quarter_end_there() -> None:
    exchange = between("2021-10-01", "2021-12-31")
    stopped = between("2021-10-01", "2021-12-15")
    assert chosen(CalendarRule("quarterly"), stopped, exchange) == []
    assert chosen(CalendarRule("monthly"), stopped, exchange) == ["2021-10-29", "2021-11-30"]
    # Twelve sessions before the quarter's last is inside the span.
    assert chosen(CalendarRule("quarterly", 12), stopped, exchange) == ["2021-12-14"]


def test_a_span_that_ends_with_a_quarter_trades_on_its_last_session() -> None:
    dates = between("2021-04-01", "2021-06-30")
    assert chosen(CalendarRule("quarterly"), dates, between("2021-04-01", "2021-12-31")) == ["2021-06-30"]


def test_an_offset_stays_inside_its_period() -> None:
    sessions = exchange_sessions(2021, 2021)
    # February 2021 has 19 sessions, from Monday the 1st.
    assert chosen(CalendarRule("monthly", 18), sessions, sessions)[1] == "2021-02-01"
    assert chosen(CalendarRule("monthly", 500), sessions, sessions)[1] == "2021-02-01"
    assert chosen(CalendarRule("weekly", 5), sessions, sessions)[:3] == ["2021-01-04", "2021-01-11", "2021-01-19"]


def test_a_year_that_ends_inside_a_week_is_not_the_end_of_that_week(tmp_path: Path) -> None:
    """2019-12-31 was a Tuesday: the week's last session is Friday, 2020-01-03, wherever the prices stop."""
    days = between("2019-11-01", "2020-01-31").strftime("%Y-%m-%d")
    rows = [f"{day},{100 + i},{100 + i}" for i, day in enumerate(days)]
    (tmp_path / "A.csv").write_text("\n".join(["date,close,adj_close", *rows]), encoding="utf-8")
    for end in ("2019-12-31", "2020-01-31"):
        history = read_history(FolderSource(tmp_path), ["A"], 0.0, None, end)
        returns = build_fund_returns([Fund("A", "A", {}, 0.0)], history, {})
        done = backtest(returns, Targets.constant(["A"], [0.5]), CalendarRule("weekly"), TradingCosts(5.0))
        ends = [day.strftime("%Y-%m-%d") for day in done.traded if day <= pd.Timestamp("2019-12-31")]
        assert ends[-2:] == ["2019-12-20", "2019-12-27"]


def test_never_is_never() -> None:
    sessions = exchange_sessions(2021, 2021)
    assert chosen(CalendarRule("never", 3), sessions, sessions) == []


def test_mistakes_are_named() -> None:
    sessions = exchange_sessions(2021, 2021)
    with pytest.raises(StudyError, match=r"calendar = 'hourly'.*quarterly"):
        CalendarRule(cast(Calendar, "hourly")).sessions(sessions, sessions)
    with pytest.raises(StudyError, match=r"offset = -1"):
        CalendarRule("monthly", -1).sessions(sessions, sessions)
    with pytest.raises(StudyError, match=r"offset = -1"):
        CalendarRule("never", -1).sessions(sessions, sessions)


def test_the_number_of_rebalances_a_year_is_known_for_every_calendar() -> None:
    sessions = exchange_sessions(2001, 2020)
    for calendar in CALENDARS:
        counted = len(enumerated(sessions, calendar, 0)) / 20
        assert REBALANCES_A_YEAR[calendar] == pytest.approx(counted, rel=0.01)
