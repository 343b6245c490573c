"""M7: the same rule on every day of its period."""

from __future__ import annotations

import math
import statistics

import pytest
from tests.engine.building import WEEKDAYS, fund_returns_of, history_of, targets_for

from alphaoverlay.analysis.timing_luck import SESSIONS, TimingLuck, timing_luck
from alphaoverlay.engine.backtesting import backtest
from alphaoverlay.engine.bands import Band
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import Calendar, CalendarRule
from alphaoverlay.errors import StudyError


def recorded(rule: RebalancingRule) -> tuple[TimingLuck, list[RebalancingRule]]:
    """The luck of a rule whose figure is the square of its offset, and every rule that was run."""
    asked = []

    def run(one: RebalancingRule) -> dict[str, float]:
        asked.append(one)
        return {"square": float(one.calendar.offset**2), "seven": 7.0}

    return timing_luck(rule, run), asked


@pytest.mark.parametrize(
    ("calendar", "most"), [("weekly", 5), ("monthly", 21), ("quarterly", 63), ("semiannual", 126), ("annual", 252)]
)
def test_every_day_of_a_period_is_run_once(calendar: Calendar, most: int) -> None:
    luck, asked = recorded(RebalancingRule(CalendarRule(calendar)))
    assert [one.calendar for one in asked] == [CalendarRule(calendar, offset) for offset in range(most)]
    assert luck.results.index.tolist() == list(range(most))
    assert luck.results["square"].tolist() == [float(k * k) for k in range(most)]
    assert luck.results["seven"].tolist() == [7.0] * most
    assert SESSIONS[calendar] == most


def test_the_rest_of_the_rule_stays_and_its_own_day_does_not_matter() -> None:
    rule = RebalancingRule(CalendarRule("weekly", 3), (Band.of("net", 0.1),), minimum_interval=2, tranches=2, lag=1)
    luck, asked = recorded(rule)
    assert {(one.bands, one.minimum_interval, one.tranches, one.lag) for one in asked} == {(rule.bands, 2, 2, 1)}
    other, _ = recorded(RebalancingRule(CalendarRule("weekly")))
    assert luck.results.equals(other.results)


def test_the_spread_by_hand() -> None:
    """0, 1, 4, 9 and 16: the mean is 6, from which they are -6, -5, -2, 3 and 10; the squares add up to 174."""
    luck, _ = recorded(RebalancingRule(CalendarRule("weekly")))
    spread = luck.spread
    assert list(spread.columns) == ["square", "seven"]
    assert spread["square"].to_dict() == pytest.approx(
        {
            "least": 0.0,
            # A fifth of the way from the first to the second, and from the fourth to the fifth back.
            "p05": 0.2,
            "median": 4.0,
            "mean": 6.0,
            "p95": 16.0 - 0.2 * 7.0,
            "most": 16.0,
            "deviation": math.sqrt(174 / 4),
        }
    )
    assert spread["seven"].tolist() == [*[7.0] * 6, 0.0]


def test_the_spread_of_a_months_days_against_the_standard_library() -> None:
    luck, _ = recorded(RebalancingRule(CalendarRule("monthly")))
    figures = [float(k * k) for k in range(21)]
    spread = luck.spread["square"]
    assert spread["deviation"] == pytest.approx(statistics.stdev(figures))
    assert spread["median"] == statistics.median(figures)
    assert [spread["p05"], spread["p95"]] == pytest.approx(
        [cut for k, cut in enumerate(statistics.quantiles(figures, n=20, method="inclusive")) if k in (0, 18)]
    )


@pytest.mark.parametrize("calendar", ["never", "daily"])
def test_a_calendar_without_days_to_choose_is_refused(calendar: Calendar) -> None:
    with pytest.raises(StudyError, match=f'calendar = "{calendar}" has no day to choose'):
        recorded(RebalancingRule(CalendarRule(calendar)))


def test_each_weekday_of_a_backtest_by_hand() -> None:
    """A fund that gains 10% on Wednesday and loses it on Thursday, for two weeks, half of it held.

    Whoever trades on Wednesday sells some before it falls: 0.525 each, of which one becomes 0.525/1.1. A week later it
    is 0.525 again, and nothing is to be traded. On every other day the fund is back where it was.
    """
    days = WEEKDAYS[WEEKDAYS.get_loc("2021-03-01") :][:10]
    gains = {"Wednesday": 0.1, "Thursday": 1 / 1.1 - 1}
    returns = fund_returns_of([[gains.get(day.day_name(), 0.0)] for day in days], history_of(days))
    bought = targets_for(returns, [0.5])
    luck = timing_luck(
        RebalancingRule(CalendarRule("weekly")), lambda rule: {"final": backtest(returns, bought, rule).final_value}
    )
    lucky = 0.525 + 0.525 / 1.1
    # From Friday, the week's last session, back to Monday.
    assert luck.results["final"].tolist() == pytest.approx([1.0, 1.0, lucky, 1.0, 1.0], abs=1e-14)
