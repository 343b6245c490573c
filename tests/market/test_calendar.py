"""Sessions of the New York Stock Exchange, against days known from its history."""

from __future__ import annotations

import pandas as pd
import pytest

from alphaoverlay.market.calendar import exchange_sessions


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
