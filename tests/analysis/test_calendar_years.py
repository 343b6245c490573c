"""Returns by calendar year, and over trailing sessions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.analysis.building import compounded, lived

from alphaoverlay.analysis.calendar_years import calendar_years, rolling_active_return

WEEKDAYS = pd.bdate_range("2018-01-01", "2021-12-31")


def weekdays(first: str, last: str) -> pd.DatetimeIndex:
    """Open days of a made-up exchange."""
    return WEEKDAYS[(pd.Timestamp(first) <= WEEKDAYS) & (pd.Timestamp(last) >= WEEKDAYS)]


def wander(dates: pd.DatetimeIndex, seed: int) -> list[float]:
    """A path of wealth."""
    return compounded(np.random.default_rng(seed).normal(0.0005, 0.02, len(dates) - 1).tolist(), start=0.999)


def test_by_hand() -> None:
    dates = pd.DatetimeIndex(["2018-12-31", "2019-06-28", "2019-12-31", "2020-01-02", "2020-12-31", "2021-01-04"])
    own = lived([0.99, 1.98, 1.485, 1.485, 2.97, 2.673], dates, exchange=dates)
    other = lived([1.0, 1.0, 1.1, 1.21, 1.1, 1.1], dates, exchange=dates)
    years = calendar_years(own, other)
    assert list(years.index) == [2019, 2020, 2021]
    assert years["portfolio"].tolist() == pytest.approx([0.5, 1.0, -0.1])
    assert years["benchmark"].tolist() == pytest.approx([0.1, 0.0, 0.0])
    assert years["active"].tolist() == pytest.approx([0.4, 1.0, -0.1])


@pytest.mark.parametrize(
    ("first", "last", "part"),
    [
        ("2018-12-31", "2020-12-31", {2019: False, 2020: False}),  # from the close of the year before
        ("2019-01-01", "2020-12-31", {2019: True, 2020: False}),  # the first session's return is not in it
        ("2018-06-29", "2019-12-31", {2018: True, 2019: False}),
        ("2018-12-31", "2020-12-30", {2019: False, 2020: True}),
        ("2019-03-01", "2019-05-31", {2019: True}),
        ("2018-12-28", "2019-12-31", {2018: True, 2019: False}),
    ],
)
def test_years_that_are_not_whole_are_marked(first: str, last: str, part: dict[int, bool]) -> None:
    dates = weekdays(first, last)
    for exchange in (WEEKDAYS, WEEKDAYS[dates[0] <= WEEKDAYS]):
        own = lived(wander(dates, 1), dates, exchange=exchange)
        assert calendar_years(own, own)["part_of_year"].to_dict() == part


def test_years_against_the_values_at_their_ends() -> None:
    dates = weekdays("2018-05-14", "2021-03-19")
    own, other = (lived(wander(dates, seed), dates, exchange=WEEKDAYS) for seed in (2, 3))
    years = calendar_years(own, other)
    for name, side in (("portfolio", own), ("benchmark", other)):
        ends = side.value.resample("YE").last().tolist()
        starts = [side.value.iloc[0], *ends[:-1]]
        expected = [end / start - 1 for start, end in zip(starts, ends, strict=True)]
        assert years[name].tolist() == pytest.approx(expected, rel=1e-11)
    assert np.allclose(years["active"], years["portfolio"] - years["benchmark"], rtol=0, atol=1e-15)


@pytest.mark.parametrize("sessions", [1, 63, 252])
def test_rolling_active_return_against_a_loop(sessions: int) -> None:
    dates = weekdays("2018-05-14", "2019-09-20")
    own, other = (lived(wander(dates, seed), dates, exchange=WEEKDAYS) for seed in (4, 5))
    rolling = rolling_active_return(own, other, sessions)
    expected = {}
    for k in range(sessions, len(dates)):
        expected[dates[k]] = own.value.iloc[k] / own.value.iloc[k - sessions] - (
            other.value.iloc[k] / other.value.iloc[k - sessions]
        )
    assert list(rolling.index) == list(expected)
    assert rolling.tolist() == pytest.approx(list(expected.values()), abs=1e-14)


def test_rolling_over_a_year_unless_said_otherwise_and_empty_for_a_shorter_span() -> None:
    dates = weekdays("2018-01-01", "2018-12-31")
    own = lived(wander(dates, 6), dates, exchange=WEEKDAYS)
    assert len(rolling_active_return(own, own)) == len(dates) - 252
    assert len(rolling_active_return(own, own, len(dates))) == 0
