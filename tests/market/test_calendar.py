"""Sessions of the New York Stock Exchange, against days known from its history."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from alphaoverlay.market.calendar import exchange_sessions, last_complete_session, session_closes

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    "day",
    [
        pytest.param("1994-04-27", id="Nixon's funeral"),
        pytest.param("2001-09-11", id="11 September"),
        pytest.param("2001-09-12", id="12 September"),
        pytest.param("2001-09-13", id="13 September"),
        pytest.param("2001-09-14", id="14 September"),
        pytest.param("2004-06-11", id="Reagan's funeral"),
        pytest.param("2007-01-02", id="Ford's funeral"),
        pytest.param("2012-10-29", id="hurricane Sandy, Monday"),
        pytest.param("2012-10-30", id="hurricane Sandy, Tuesday"),
        pytest.param("2018-12-05", id="Bush's funeral"),
        pytest.param("2021-01-01", id="New Year"),
        pytest.param("2021-01-18", id="Martin Luther King Day"),
        pytest.param("2021-04-02", id="Good Friday"),
        pytest.param("2021-07-05", id="Independence Day, observed"),
        pytest.param("2021-11-25", id="Thanksgiving"),
        pytest.param("2021-12-24", id="Christmas, observed"),
        pytest.param("2022-06-20", id="Juneteenth, observed"),
    ],
)
def test_the_exchange_was_closed(day: str) -> None:
    assert pd.Timestamp(day) not in exchange_sessions(1994, 2022)


@pytest.mark.parametrize(
    "day",
    [
        pytest.param("1999-01-04", id="the sample's first"),
        pytest.param("2001-09-17", id="reopened after the attacks"),
        pytest.param("2012-10-31", id="reopened after Sandy"),
        pytest.param("2021-06-18", id="Juneteenth 2021 was no holiday yet"),
        pytest.param("2021-11-26", id="a half day"),
        pytest.param("2021-12-31", id="New Year's Eve"),
    ],
)
def test_the_exchange_was_open(day: str) -> None:
    assert pd.Timestamp(day) in exchange_sessions(1994, 2022)


@pytest.mark.parametrize(
    ("year", "sessions"), [(2001, 248), (2012, 250), (2018, 251), (2019, 252), (2020, 253), (2021, 252), (2022, 251)]
)
def test_number_of_sessions_in_a_year(year: int, sessions: int) -> None:
    days = exchange_sessions(1994, 2022)
    assert int((days.year == year).sum()) == sessions


def test_one_year_is_that_years_sessions() -> None:
    days = exchange_sessions(1994, 2022)
    assert exchange_sessions(2021, 2021).equals(days[days.year == 2021])


def test_sessions_are_naive_weekdays_in_order() -> None:
    days = exchange_sessions(1994, 2022)
    assert days.tz is None
    assert days.is_monotonic_increasing
    assert days.is_unique
    assert (days == days.normalize()).all()
    assert int(days.day_of_week.max()) == 4
    assert (str(days[0].date()), str(days[-1].date())) == ("1994-01-03", "2022-12-30")


# --- when a session is over ---


def new_york(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("now", "last"),
    [
        pytest.param("2021-01-06 00:00", "2021-01-05", id="midnight"),
        pytest.param("2021-01-06 09:30", "2021-01-05", id="the opening"),
        pytest.param("2021-01-06 15:59:59", "2021-01-05", id="a second before the close"),
        pytest.param("2021-01-06 16:00", "2021-01-05", id="the close"),
        pytest.param("2021-01-06 16:29:59", "2021-01-05", id="closes are still being corrected"),
        pytest.param("2021-01-06 16:30", "2021-01-06", id="half an hour after the close"),
        pytest.param("2021-01-06 23:59", "2021-01-06", id="late that evening, the next day in UTC"),
        pytest.param("2021-01-09 12:00", "2021-01-08", id="Saturday"),
        pytest.param("2021-01-11 09:00", "2021-01-08", id="Monday morning"),
        pytest.param("2021-01-18 20:00", "2021-01-15", id="a holiday"),
        pytest.param("2021-11-25 17:00", "2021-11-24", id="Thanksgiving"),
        pytest.param("2021-11-26 13:00", "2021-11-24", id="a half day's close"),
        pytest.param("2021-11-26 13:29", "2021-11-24", id="before it is settled"),
        pytest.param("2021-11-26 13:30", "2021-11-26", id="a half day that is over"),
        pytest.param("2020-12-24 13:30", "2020-12-24", id="Christmas Eve, a half day"),
        pytest.param("2021-01-01 12:00", "2020-12-31", id="New Year"),
        pytest.param("2020-12-31 19:30", "2020-12-31", id="New Year in UTC already"),
        pytest.param("2021-01-04 10:00", "2020-12-31", id="before the year's first close"),
        pytest.param("2021-03-12 16:30", "2021-03-12", id="winter time, its last session"),
        pytest.param("2021-03-15 16:29", "2021-03-12", id="summer time, not settled"),
        pytest.param("2021-03-15 16:30", "2021-03-15", id="summer time, its first session"),
        pytest.param("2021-11-05 16:30", "2021-11-05", id="summer time, its last session"),
        pytest.param("2021-11-08 16:29", "2021-11-05", id="winter time again, not settled"),
        pytest.param("2021-11-08 16:30", "2021-11-08", id="winter time again"),
        pytest.param("2012-10-30 18:00", "2012-10-26", id="hurricane Sandy"),
        pytest.param("2001-09-14 18:00", "2001-09-10", id="after the attacks"),
    ],
)
def test_the_last_session_that_is_over_for_half_an_hour(now: str, last: str) -> None:
    assert last_complete_session(new_york(now)) == pd.Timestamp(last)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "Pacific/Kiritimati", "Pacific/Niue", "Europe/Berlin"])
@pytest.mark.parametrize(("now", "last"), [("2021-07-06 16:29", "2021-07-02"), ("2021-07-06 16:30", "2021-07-06")])
def test_a_moment_is_the_same_in_every_time_zone(zone: str, now: str, last: str) -> None:
    assert last_complete_session(new_york(now).astimezone(ZoneInfo(zone))) == pd.Timestamp(last)


@pytest.mark.parametrize(("minutes", "last"), [(0, "2021-01-06"), (1, "2021-01-05"), (-1, "2021-01-06")])
def test_how_long_after_the_close_may_be_said(minutes: int, last: str) -> None:
    assert last_complete_session(new_york("2021-01-06 16:00"), timedelta(minutes=minutes)) == pd.Timestamp(last)


def test_the_last_complete_session_is_a_naive_day() -> None:
    last = last_complete_session(new_york("2021-01-06 18:00"))
    assert last.tzinfo is None
    assert last == last.normalize()


def test_a_moment_without_a_time_zone_is_no_moment() -> None:
    with pytest.raises(TypeError):
        last_complete_session(datetime(2021, 1, 6, 18))


@pytest.mark.parametrize(
    ("day", "close"),
    [
        ("2021-01-06", "2021-01-06 21:00"),  # winter
        ("2021-07-06", "2021-07-06 20:00"),  # summer
        ("2021-03-12", "2021-03-12 21:00"),
        ("2021-03-15", "2021-03-15 20:00"),
        ("2021-11-26", "2021-11-26 18:00"),  # half days
        ("2020-12-24", "2020-12-24 18:00"),
        ("2019-07-03", "2019-07-03 17:00"),
    ],
)
def test_when_a_session_closes(day: str, close: str) -> None:
    assert session_closes(2019, 2021)[pd.Timestamp(day)] == pd.Timestamp(close, tz="UTC")


def test_every_session_closes_once_on_its_own_day_in_new_york() -> None:
    closes = session_closes(2015, 2022)
    assert closes.index.equals(exchange_sessions(2015, 2022))
    local = [stamp.tz_convert(NEW_YORK) for stamp in closes]
    assert [stamp.tz_localize(None).normalize() for stamp in local] == closes.index.tolist()
    assert {stamp.strftime("%H:%M") for stamp in local} == {"16:00", "13:00"}
    halves = [stamp for stamp in local if stamp.hour == 13]
    assert {stamp.month for stamp in halves} == {7, 11, 12}  # around Independence Day, Thanksgiving, Christmas
    assert all(one < other for one, other in pairwise(closes))
