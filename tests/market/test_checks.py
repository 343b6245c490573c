"""Checks on made prices, on both sides of each threshold, and on real ones: what is wrong is found, and no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.market.little_files import JANUARY

from alphaoverlay.history import FloatArray, PriceSeries, Provenance
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.checks import check_prices, compare_sources
from alphaoverlay.market.findings import CHECKS, Finding
from alphaoverlay.market.folder import FolderSource

NAN, INF = float("nan"), float("inf")
NOW = datetime(2022, 6, 1, tzinfo=UTC)
SESSIONS = exchange_sessions(1969, 2023)
DAYS = SESSIONS[pd.Timestamp("2015-01-02") <= SESSIONS]
Prices = Sequence[float] | FloatArray
Brief = list[tuple[str, str, list[str]]]


def series(
    adjusted: Prices,
    close: Prices | None = None,
    days: Sequence[str] | pd.DatetimeIndex = DAYS,
    symbol: str = "A",
    source: str = "made",
    **columns: Prices,
) -> PriceSeries:
    """Prices from the second line of A.csv on; the close repeats the adjusted close unless it is given."""
    index = pd.DatetimeIndex(list(days[: len(adjusted)]), name="date")
    table = {"close": adjusted if close is None else close, "adj_close": adjusted, **columns}
    frame = pd.DataFrame({name: list(values) for name, values in table.items()}, index=index, dtype="float64")
    provenance = Provenance(symbol, source, f"{symbol}.csv", str(index[0].date()), str(index[-1].date()), len(frame))
    return PriceSeries(symbol, frame, provenance, tuple(range(2, len(frame) + 2)))


def day(k: int) -> str:
    return str(DAYS[k].date())


def look(one: PriceSeries, since: str | None = None, now: datetime = NOW) -> tuple[Finding, ...]:
    return check_prices(one, SESSIONS, now, None if since is None else pd.Timestamp(since))


def brief(findings: Sequence[Finding]) -> Brief:
    """Name, severity and days of each finding."""
    return [(one.check, one.severity, [str(stamp.date()) for stamp in one.days]) for one in findings]


def briefly(one: PriceSeries, since: str | None = None) -> Brief:
    return brief(look(one, since))


def walk(n: int = 300, seed: int = 1, volatility: float = 0.012, first: float = 100.0) -> FloatArray:
    """A seeded random walk, unrounded."""
    steps = np.random.default_rng(seed).normal(0.0002, volatility, n - 1)
    prices: FloatArray = first * np.exp(np.concatenate(([0.0], np.cumsum(steps))))
    return prices


def returns(*moves: float, first: float = 100.0) -> list[float]:
    """Prices that make these returns."""
    return [float(price) for price in first * np.cumprod([1.0, *(1.0 + move for move in moves)])]


def calm(n: int, size: float = 0.01) -> list[float]:
    """Returns of one size, up and down in turn, two of each so that no move undoes the one before at once."""
    return [size if k % 4 < 2 else -size for k in range(n)]


def from_row(values: FloatArray, k: int, by: float, until: int | None = None) -> FloatArray:
    """The prices with those from row k on multiplied."""
    changed = values.copy()
    changed[k:until] *= by
    return changed


# --- names ---


def test_every_check_says_what_it_looks_for_and_what_accepting_it_does() -> None:
    assert {name: one.name for name, one in CHECKS.items()} == {name: name for name in CHECKS}
    assert all(one.looks_for for one in CHECKS.values())
    assert {name for name, one in CHECKS.items() if not one.accepted} == {"duplicate", "not-positive", "unreadable"}


# --- nothing to find ---


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(series([100.0]), id="one row"),
        pytest.param(series([100.0, 101.0]), id="two rows"),
        pytest.param(series([100.0, 101.0], [NAN, NAN]), id="two rows without closes"),
        pytest.param(series(walk(), [NAN] * 300), id="no close at all"),
        pytest.param(series(walk()), id="a random walk"),
        pytest.param(series([100.0] * 4), id="four equal prices"),
        pytest.param(series(walk(1700, volatility=0.04)), id="four percent a day"),
        pytest.param(series(1e-5 * walk()), id="tiny prices"),
        pytest.param(series(1e7 * walk()), id="huge prices"),
    ],
)
def test_sound_prices_have_no_finding(one: PriceSeries) -> None:
    assert look(one) == ()


def test_a_bill_like_fund_that_hardly_moves_is_not_stale() -> None:
    """A cent on 91.60, one session in three weeks, and a distribution a month."""
    close = [91.60 + 0.01 * (k % 21 == 20) for k in range(252)]
    assert look(series(close)) == ()


def test_a_money_fund_of_constant_value_that_pays_is_not_stale() -> None:
    adjusted = [1.0 * 1.0001 ** (k // 21) for k in range(252)]
    assert look(series(adjusted, [1.0] * 252)) == ()


# --- gap and empty ---


def without(prices: Prices, *rows: int) -> PriceSeries:
    keep = [k for k in range(len(prices)) if k not in rows]
    return series([prices[k] for k in keep], days=DAYS[keep])


@pytest.mark.parametrize("rows", [(1,), (5, 6, 7), (3, 17)])
def test_sessions_without_a_row_are_a_gap(rows: tuple[int, ...]) -> None:
    [found] = look(without(walk(40), *rows))
    assert (found.check, found.severity) == ("gap", "serious")
    assert [str(stamp.date()) for stamp in found.days] == [day(k) for k in rows]
    many = "1 session missing" if len(rows) == 1 else f"{len(rows)} sessions missing"
    for part in (f"A.csv, line {rows[0] + 1}, column date", many, f"first {day(rows[0])}", "Add the rows"):
        assert part in found.sentence


def test_before_the_first_and_after_the_last_row_nothing_is_missing() -> None:
    assert look(without(walk(40), 0, 1, 38, 39)) == ()


@pytest.mark.parametrize("row", [0, 7, 39])
def test_an_empty_adjusted_close_is_found_wherever_it_is(row: int) -> None:
    prices = walk(40)
    adjusted = prices.copy()
    adjusted[row] = NAN
    [found] = look(series(adjusted, prices))
    assert brief([found]) == [("empty", "serious", [day(row)])]
    assert found.sentence.startswith(f"A.csv, line {row + 2}, column adj_close: empty on {day(row)}. Fill it in")


def test_an_empty_close_is_no_defect_where_the_adjusted_close_is_there() -> None:
    prices = walk(40)
    close = prices.copy()
    close[5:9] = NAN
    assert look(series(prices, close)) == ()


# --- closed days, and dates that are off ---


def with_days(days: Sequence[str]) -> PriceSeries:
    return series(walk(len(days)), days=days)


@pytest.mark.parametrize(
    ("days", "odd", "line"),
    [
        pytest.param(["2021-01-08", "2021-01-09", "2021-01-11"], "2021-01-09", 3, id="a Saturday"),
        pytest.param(["2021-01-15", "2021-01-18", "2021-01-19"], "2021-01-18", 3, id="a holiday"),
        pytest.param(["2021-01-03", "2021-01-04"], "2021-01-03", 2, id="the first row"),
        pytest.param(["2021-01-08", "2021-01-09"], "2021-01-09", 3, id="the last row"),
        pytest.param(["2021-01-09"], "2021-01-09", 2, id="the only row"),
    ],
)
def test_a_row_on_a_closed_day_is_found(days: Sequence[str], odd: str, line: int) -> None:
    [found] = look(with_days(days))
    assert brief([found]) == [("closed-day", "serious", [odd])]
    assert found.sentence.startswith(f"A.csv, line {line}, column date: {odd} is not a session")
    assert found.sentence.endswith("remove the row")


@pytest.mark.parametrize("shift", [-1, 1])
def test_dates_shifted_by_a_day_are_a_time_zone(shift: int) -> None:
    days = DAYS[:100] + pd.Timedelta(days=shift)
    findings = look(series(walk(100), days=days))
    assert (findings[0].check, findings[0].severity) == ("time-zone", "serious")
    assert "shifted by a time zone" in findings[0].sentence
    assert all(stamp not in SESSIONS for stamp in findings[0].days)


def test_few_closed_days_are_named_one_by_one_and_many_are_a_time_zone() -> None:
    """A tenth of the rows at most, and two of them always."""
    fridays = [k for k in range(100) if DAYS[k].day_of_week == 4 and k > 0]
    for count, check in ((2, "closed-day"), (10, "closed-day"), (12, "time-zone")):
        saturdays = DAYS[fridays[:count]] + pd.Timedelta(days=1)
        days = DAYS[: 100 - count].union(saturdays)
        assert look(series(walk(100), days=days))[0].check == check


def test_prices_of_closed_days_are_not_looked_at_further() -> None:
    """A Saturday with a price of a tenth is one finding."""
    one = series([100.0, 101.0, 10.0, 102.0], days=["2021-01-07", "2021-01-08", "2021-01-09", "2021-01-11"])
    assert briefly(one) == [("closed-day", "serious", ["2021-01-09"])]


@pytest.mark.parametrize("zone", ["", "America/New_York", "US/Eastern", "America/Toronto", "America/Chicago"])
def test_a_source_in_new_yorks_or_chicagos_time_is_fine(zone: str) -> None:
    one = series(walk(20))
    assert look(replace(one, provenance=replace(one.provenance, timezone=zone))) == ()


@pytest.mark.parametrize("zone", ["Europe/London", "Asia/Tokyo", "America/Los_Angeles", "UTC", "Mars/Olympus", "../x"])
def test_a_source_in_another_time_zone_is_found(zone: str) -> None:
    one = series(walk(20))
    [found] = look(replace(one, provenance=replace(one.provenance, timezone=zone)))
    assert brief([found]) == [("time-zone", "serious", [])]
    assert zone in found.sentence


@pytest.mark.parametrize("currency", ["EUR", "GBp", "usd"])
def test_another_currency_is_found(currency: str) -> None:
    one = series(walk(20))
    [found] = look(replace(one, provenance=replace(one.provenance, currency=currency)))
    assert brief([found]) == [("currency", "serious", [])]
    assert f"A from made is in {currency}" in found.sentence


@pytest.mark.parametrize("currency", ["", "USD"])
def test_dollars_and_silence_are_fine(currency: str) -> None:
    one = series(walk(20))
    assert look(replace(one, provenance=replace(one.provenance, currency=currency))) == ()


# --- prices that are none, and days that stand twice ---


@pytest.mark.parametrize("bad", [0.0, -3.0, INF])
@pytest.mark.parametrize("column", ["close", "adj_close"])
def test_a_price_that_is_none_is_found(bad: float, column: str) -> None:
    wrong = walk(40)
    wrong[7] = bad
    one = series(walk(40), wrong) if column == "close" else series(wrong, walk(40))
    [found] = look(one)
    assert brief([found]) == [("not-positive", "serious", [day(7)])]
    assert "A.csv, line 9" in found.sentence


def test_a_day_that_stands_twice_is_found() -> None:
    days = [*JANUARY[:4], JANUARY[3], *JANUARY[4:]]
    [found] = look(series(walk(len(days)), days=days))
    assert brief([found]) == [("duplicate", "serious", [JANUARY[3]])]
    assert found.sentence.startswith(f"A.csv, line 5: more than one row on {JANUARY[3]}; keep one")


# --- splits ---


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (1 / 2, "a 2-for-1 split"),
        (1 / 3, "a 3-for-1 split"),
        (1 / 7, "a 7-for-1 split"),
        (1 / 20, "a 20-for-1 split"),
        (2.0, "a 1-for-2 reverse split"),
        (4.0, "a 1-for-4 reverse split"),
        (12.0, "a 1-for-12 reverse split"),
        (1 / 2.4, "a split"),  # nobody splits so, but nobody loses 58% in a day either
        (1000.0, "a split"),  # thousands, or another company
        (0.01, "a 100-for-1 split"),  # pounds for pence
    ],
)
def test_a_jump_that_stays_is_as_by_a_split(by: float, said: str) -> None:
    [found] = look(series(from_row(walk(), 100, by)))
    assert brief([found]) == [("split-like-jump", "serious", [day(100)])]
    assert (
        f"A.csv, line 102: the price of A jumped by a factor of {by * walk()[100] / walk()[99]:.3g} on"
        in found.sentence
    )
    assert f"as by {said} that it is not adjusted for. Adjust the prices before it" in found.sentence


@pytest.mark.parametrize("move", [-0.35, -0.44, 0.5, 0.75])
def test_a_leap_of_a_leveraged_fund_is_no_split(move: float) -> None:
    assert look(series(returns(*calm(30, 0.04), move, *calm(30, 0.04)))) == ()


@pytest.mark.parametrize("own", [-0.2, -0.09, 0.0, 0.09, 0.1])
def test_a_split_on_a_day_with_a_move_of_its_own_is_found(own: float) -> None:
    moves = [*calm(30, 0.03), (1.0 + own) / 2.0 - 1.0, *calm(30, 0.03)]
    assert briefly(series(returns(*moves))) == [("split-like-jump", "serious", [day(31)])]


@pytest.mark.parametrize("row", [1, 299])
def test_a_split_at_an_end_is_found(row: int) -> None:
    assert briefly(series(from_row(walk(), row, 0.5))) == [("split-like-jump", "serious", [day(row)])]


def test_a_split_on_a_day_without_a_price_is_found_on_the_next() -> None:
    prices = from_row(walk(), 101, 0.25)
    prices[100] = NAN
    assert ("split-like-jump", "serious", [day(101)]) in briefly(series(prices))


def test_where_closes_begin_the_adjusted_close_is_no_split() -> None:
    """Early closes are unknown; then they are twice the adjusted ones, which distributions made so small."""
    adjusted = walk()
    close = 2.0 * adjusted
    close[:100] = NAN
    assert look(series(adjusted, close)) == ()


@pytest.mark.parametrize(("new", "old"), [(3, 2), (5, 4), (4, 5), (2, 1)])
def test_a_stated_split_that_the_prices_are_not_adjusted_for_is_found(new: float, old: float) -> None:
    split = [0.0] * 300
    split[100] = new / old
    assert look(series(walk(), split=split)) == ()
    assert briefly(series(from_row(walk(), 100, old / new), split=split)) == [
        ("split-like-jump", "serious", [day(100)])
    ]


@pytest.mark.parametrize(("factor", "usual", "found"), [(1.5, 0.02, True), (1.5, 0.03, False), (1.19, 0.001, False)])
@pytest.mark.parametrize("up", [True, False])
def test_a_jump_that_stays_and_is_unlike_anything_around_it_is_said(
    factor: float, usual: float, found: bool, up: bool
) -> None:
    """A 3-for-2 split that no source states: from fifteen times the usual move on, and a fifth of the price."""
    move = factor - 1.0 if up else 1.0 / factor - 1.0
    findings = look(series(returns(*calm(30, usual), move, *calm(30, usual))))
    assert brief(findings) == ([("split-like-jump", "warning", [day(31)])] if found else [])
    for one in findings:
        assert "unlike anything around it" in one.sentence


def test_a_large_distribution_is_not_unlike_anything() -> None:
    total = walk()
    assert look(series(total, from_row(total, 100, 0.7))) == ()


def test_prices_that_are_wrong_for_two_sessions_are_said_twice() -> None:
    assert briefly(series(from_row(walk(), 100, 1.3, 102))) == [("split-like-jump", "warning", [day(100), day(102)])]
    assert briefly(series(from_row(walk(), 100, 3.0, 102))) == [("split-like-jump", "serious", [day(100), day(102)])]


# --- spikes ---


@pytest.mark.parametrize("by", [1.6, 10.0, 1 / 1.6, 0.001, 1.25, 0.8])
@pytest.mark.parametrize("row", [1, 150, 298])
def test_a_price_that_is_back_the_next_session_is_a_spike_and_nothing_else(by: float, row: int) -> None:
    prices = from_row(walk(volatility=0.008), row, by, row + 1)
    [found] = look(series(prices))
    assert brief([found]) == [("spike", "serious", [day(row)])]
    assert f"A.csv, line {row + 2}: the price of A jumped by a factor of {prices[row] / prices[row - 1]:.3g}" in (
        found.sentence
    )


@pytest.mark.parametrize(
    ("there", "back", "found"),
    [
        (0.6, -0.375, True),
        (0.45, 1 / 1.45 - 1.0, False),  # below one and a half, among moves of 4%
        (-0.4, 0.6667, True),
        (-0.4, 0.4, False),  # a third of it is left
        (0.6, -0.30, True),
        (0.6, -0.28, False),
    ],
)
def test_what_is_a_spike_among_large_moves(there: float, back: float, found: bool) -> None:
    prices = returns(*calm(30, 0.04), there, back, *calm(30, 0.04))
    assert briefly(series(prices)) == ([("spike", "serious", [day(31)])] if found else [])


@pytest.mark.parametrize(("size", "found"), [(0.16, True), (0.14, False)])
def test_a_smaller_spike_is_one_among_calm_sessions(size: float, found: bool) -> None:
    """Fifteen times the moves of one percent around it."""
    prices = returns(*calm(40), np.exp(size) - 1.0, np.exp(-size) - 1.0, *calm(40))
    assert briefly(series(prices)) == ([("spike", "serious", [day(41)])] if found else [])


def test_a_crash_and_its_rebound_are_no_spike() -> None:
    """UPRO in March 2020, rounded to percents."""
    march = [-0.08, 0.13, -0.09, 0.12, -0.10, -0.05, -0.23, 0.14, -0.15, -0.28, 0.26, -0.35, 0.17, -0.16, 0.01, -0.13]
    assert look(series(returns(*calm(250, 0.02), *march, 0.27, 0.03, 0.18, *calm(100, 0.05)))) == ()


def test_black_monday_is_no_spike() -> None:
    october = [-0.027, 0.0166, -0.0295, -0.0234, -0.0516, -0.2047, 0.0533, 0.091, -0.0392, -0.0001, -0.0828, 0.0242]
    assert look(series(returns(*calm(250), *october, *calm(100, 0.02)))) == ()


@pytest.mark.parametrize("row", [0, 299])
def test_a_wrong_price_at_an_end_is_said(row: int) -> None:
    """Nothing behind it tells whether it stays: it may be a crash, so no study is stopped."""
    [found] = look(series(from_row(walk(), row, 1.4, row + 1)))
    assert brief([found]) == [("spike", "warning", [day(max(row, 1))])]
    assert "at an end of the data" in found.sentence


@pytest.mark.parametrize("row", [0, 299])
def test_a_far_off_price_at_an_end_stops(row: int) -> None:
    assert briefly(series(from_row(walk(), row, 10.0, row + 1))) == [("split-like-jump", "serious", [day(max(row, 1))])]


# --- stale ---


def stood_still(n: int, at: int = 100, rows: int = 300) -> FloatArray:
    """n sessions in a row at one price."""
    prices = walk(rows)
    prices[at : at + n] = prices[at]
    return prices


@pytest.mark.parametrize(
    ("n", "severity"), [(4, None), (5, "warning"), (9, "warning"), (10, "serious"), (60, "serious")]
)
@pytest.mark.parametrize("at", [0, 100])
def test_a_price_that_stands_still_is_said_and_then_stops(n: int, severity: str | None, at: int) -> None:
    findings = look(series(stood_still(n, at)))
    assert brief(findings) == ([] if severity is None else [("stale", severity, [day(at)])])
    for found in findings:
        assert (
            f"A.csv, line {at + 2}: the price of A stood still for {n} sessions in a row from {day(at)}"
            in found.sentence
        )


def test_two_prices_that_stand_still_are_one_finding() -> None:
    prices = stood_still(12)
    prices[200:230] = prices[200]
    [found] = look(series(prices))
    assert brief([found]) == [("stale", "serious", [day(100), day(200)])]
    assert "30 sessions in a row, at the longest, from 2 sessions" in found.sentence


def test_a_price_carried_on_for_most_of_its_life_is_stale() -> None:
    """A fund that died after a hundred sessions, and whose last price goes on for a thousand."""
    assert briefly(series(stood_still(1000, 100, 1100))) == [("stale", "serious", [day(100)])]


def test_a_price_that_never_moves_is_said() -> None:
    assert briefly(series([100.0] * 300)) == [("stale", "warning", [day(0)])]


def test_an_empty_row_does_not_interrupt_standing_still() -> None:
    prices = stood_still(12)
    prices[106] = NAN
    assert ("stale", "serious", [day(100)]) in briefly(series(prices))


def test_a_price_of_few_cents_stands_still_by_rounding() -> None:
    """A cent is a twentieth of the price, and most days move less."""
    rng = np.random.default_rng(3)
    prices = np.round(0.20 * np.exp(np.cumsum(rng.normal(0.0, 0.012, 1500)) * 0.3), 2)
    longest = max(len(run) for run in "".join("x" if same else " " for same in np.diff(prices) == 0.0).split())
    assert longest >= 10
    assert look(series(prices)) == ()


def test_rounding_to_cents_is_no_excuse_for_a_price_of_dollars() -> None:
    assert briefly(series(np.round(stood_still(12), 2))) == [("stale", "serious", [day(100)])]


# --- contradiction ---


def paying(k: int, share: float, stated: float | None = None) -> PriceSeries:
    """A share of the price is paid on session k; the source states it, or something else."""
    total = walk()
    close = from_row(total, k, 1.0 - share)
    paid = [0.0] * len(total)
    paid[k] = (share if stated is None else stated) * close[k - 1]
    return series(total, close, distribution=paid)


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.2, 0.6])
def test_a_distribution_that_is_stated_is_no_contradiction(share: float) -> None:
    one = paying(100, share)
    if share < 0.5:  # a larger fall of the close looks like a split as well
        assert look(one) == ()
    assert [found.check for found in look(one) if found.check == "contradiction"] == []


@pytest.mark.parametrize(
    ("share", "stated", "severity"),
    [
        (0.001, 0.0, None),
        (0.003, 0.0, "warning"),
        (0.03, 0.0, "serious"),
        (0.0, 0.03, "serious"),
        (0.01, 0.005, "warning"),
    ],
)
def test_a_distribution_that_is_not_the_stated_one_is_a_contradiction(
    share: float, stated: float, severity: str | None
) -> None:
    assert briefly(paying(100, share, stated)) == (
        [] if severity is None else [("contradiction", severity, [day(100)])]
    )


@pytest.mark.parametrize(
    ("by", "severity"), [(1.001, None), (1.004, "warning"), (1.019, "warning"), (1.03, "serious"), (2.0, "serious")]
)
def test_without_distributions_a_close_that_gains_on_the_adjusted_close_is_a_contradiction(
    by: float, severity: str | None
) -> None:
    total = walk()
    if by == 2.0:  # only the adjusted close was adjusted for a split
        found = briefly(series(from_row(total, 100, 0.5), total))
    else:
        found = briefly(series(total, from_row(total, 100, by)))
    assert found == ([] if severity is None else [("contradiction", severity, [day(100)])])


@pytest.mark.parametrize(("share", "severity"), [(0.1, None), (0.38, None), (0.45, "serious"), (0.5, "serious")])
def test_a_distribution_of_half_the_price_is_not_believed(share: float, severity: str | None) -> None:
    """A 1-for-2 reverse split that only the close is adjusted for looks like a distribution of a half."""
    adjusted = from_row(walk(), 100, 1.0 / (1.0 - share))
    found = briefly(series(adjusted, walk()))
    assert found == ([] if severity is None else [("contradiction", severity, [day(100)])])


def test_an_empty_cell_of_distributions_is_unknown_and_the_rest_is_still_compared() -> None:
    one = series(walk(), from_row(walk(), 100, 1.05), distribution=[NAN] * 300)
    assert briefly(one) == [("contradiction", "serious", [day(100)])]


def test_a_contradiction_on_a_day_without_a_price_is_found_on_the_next() -> None:
    adjusted = walk()
    adjusted[100] = NAN
    found = briefly(series(adjusted, from_row(walk(), 100, 1.05)))
    assert ("contradiction", "serious", [day(101)]) in found


@pytest.mark.parametrize("places", [2, 3, 6])
@pytest.mark.parametrize("level", [0.2, 3.0, 100.0])
def test_rounding_is_no_contradiction(places: int, level: float) -> None:
    total = walk(1500, volatility=0.035, first=level)
    one = series(np.round(0.37 * total, places), np.round(total, places))
    assert [found for found in look(one) if found.check != "stale"] == []
    assert [found for found in look(one) if found.severity == "serious"] == []


def test_a_spike_of_one_of_the_two_prices_is_a_contradiction() -> None:
    good, bad = walk(), from_row(walk(), 100, 1.2, 101)
    for one in (series(good, bad), series(bad, good)):
        assert ("contradiction", "serious") in [(found.check, found.severity) for found in look(one)]


# --- intraday ---


@pytest.mark.parametrize(
    ("now", "found"),
    [
        ("2021-01-19T15:00:00-05:00", True),
        ("2021-01-19T16:00:00-05:00", True),
        ("2021-01-19T16:29:59-05:00", True),
        ("2021-01-19T16:30:00-05:00", False),
        ("2021-01-20T06:30:00+09:00", False),
        ("2021-01-16T12:00:00+00:00", True),  # the future
    ],
)
def test_a_row_from_before_its_sessions_close_is_found(now: str, found: bool) -> None:
    one = series(walk(len(JANUARY)), days=JANUARY)
    findings = look(one, now=datetime.fromisoformat(now))
    assert brief(findings) == ([("intraday", "serious", ["2021-01-19"])] if found else [])
    for finding in findings:
        assert "A.csv, line 12: the row of 2021-01-19" in finding.sentence
        assert "Leave it out" in finding.sentence


# --- two sources ---


def test_two_sources_that_agree_have_no_finding() -> None:
    one = series(walk())
    assert compare_sources(one, one) == ()
    # Half the level, and two thirds of the days.
    assert compare_sources(one, series(0.5 * walk()[100:], days=DAYS[100:300], source="other")) == ()


@pytest.mark.parametrize(("by", "found"), [(1.0045, False), (1.0055, True)])
def test_two_sources_that_differ_by_half_a_percent_disagree(by: float, found: bool) -> None:
    flat = np.full(300, 50.0)
    findings = compare_sources(series(flat), series(from_row(flat, 100, by), source="other"))
    assert brief(findings) == ([("disagreement", "warning", [day(100)])] if found else [])
    for one in findings:
        assert (
            f"made and other differ by more than 0.5% in the total return of {day(100)}, of 299 compared"
            in one.sentence
        )
        assert "(0.55%)" in one.sentence


def test_a_day_that_one_source_lacks_is_no_disagreement() -> None:
    assert compare_sources(series(walk(40)), without(walk(40), 7, 8)) == ()


def test_sources_without_a_common_day_cannot_disagree() -> None:
    assert compare_sources(series(walk(10)), series(walk(10), days=DAYS[10:20])) == ()
    assert compare_sources(series(walk(10)), series(walk(10)[9:] * 7, days=DAYS[9:10])) == ()


# --- the asked span ---


def test_what_lies_before_the_asked_span_is_a_warning_and_what_lies_in_it_is_serious() -> None:
    prices = from_row(from_row(walk(), 50, 2.0), 200, 2.0)
    early, late = sorted(look(series(prices), since=day(120)), key=lambda one: one.days)
    assert (early.severity, early.before, late.severity, late.before) == ("warning", True, "serious", False)
    assert brief([early, late]) == [
        ("split-like-jump", "warning", [day(50)]),
        ("split-like-jump", "serious", [day(200)]),
    ]
    assert "line 52" in early.sentence
    assert "line 202" in late.sentence


def test_the_spans_first_day_belongs_to_it() -> None:
    prices = from_row(walk(), 100, 2.0)
    assert [one.before for one in look(series(prices), since=day(100))] == [False]
    assert [one.before for one in look(series(prices), since=day(101))] == [True]


def test_a_gap_over_the_spans_beginning_is_split_by_its_days() -> None:
    one = without(walk(40), 9, 10, 11, 12)
    findings = look(one, since=day(11))
    assert sorted(brief(findings)) == [
        ("gap", "serious", [day(11), day(12)]),
        ("gap", "warning", [day(9), day(10)]),
    ]


def test_a_price_that_stands_still_into_the_span_stops_it() -> None:
    findings = look(series(stood_still(40)), since=day(120))
    assert sorted(brief(findings)) == [("stale", "serious", [day(120)]), ("stale", "warning", [day(100)])]


def test_a_price_that_stood_still_before_the_span_does_not() -> None:
    assert briefly(series(stood_still(20)), since=day(120)) == [("stale", "warning", [day(100)])]


# --- random prices ---

SMALL = settings(max_examples=40)
SEEDS, PLACES = st.integers(0, 10_000), st.integers(30, 369)


@SMALL
@given(SEEDS, st.floats(0.0015, 0.04), st.sampled_from([2, 4, None]), st.floats(5.0, 5000.0))
def test_a_random_walk_has_no_serious_finding(seed: int, volatility: float, places: int | None, level: float) -> None:
    prices = walk(1500, seed, volatility, level)
    assume(prices.min() > 2.0)
    one = series(prices if places is None else np.round(prices, places))
    assert [found for found in look(one) if found.severity == "serious"] == []


@SMALL
@given(SEEDS, st.sampled_from([2.0**-20, 0.125, 64.0, 2.0**30]))
def test_a_constant_changes_no_finding(seed: int, constant: float) -> None:
    prices = from_row(walk(400, seed), 50, 2.0)
    prices[100:112] = prices[100]
    prices[200] *= 1.7
    close = from_row(prices, 300, 1.1)
    one, other = series(prices, close), series(constant * prices, constant * close)
    assert [found.check for found in look(one)] == ["split-like-jump", "spike", "stale", "contradiction"]
    assert brief(look(one)) == brief(look(other))


def _split(prices: FloatArray, k: int) -> PriceSeries:
    return series(from_row(prices, k, 1 / 3))


def _spike(prices: FloatArray, k: int) -> PriceSeries:
    return series(from_row(prices, k, 5.0, k + 1))


def _stale(prices: FloatArray, k: int) -> PriceSeries:
    return series(np.concatenate((prices[:k], np.full(10, prices[k]), prices[k + 10 :])))


def _contradiction(prices: FloatArray, k: int) -> PriceSeries:
    return series(prices, from_row(prices, k, 1.04))


def _zero(prices: FloatArray, k: int) -> PriceSeries:
    return series(from_row(prices, k, 0.0, k + 1))


def _empty(prices: FloatArray, k: int) -> PriceSeries:
    adjusted = prices.copy()
    adjusted[k] = NAN
    return series(adjusted, prices)


PLANTED: Mapping[str, Callable[[FloatArray, int], PriceSeries]] = {
    "split-like-jump": _split,
    "spike": _spike,
    "stale": _stale,
    "contradiction": _contradiction,
    "not-positive": _zero,
    "empty": _empty,
    "gap": without,
}


@pytest.mark.parametrize("check", PLANTED)
@settings(max_examples=25)
@given(SEEDS, PLACES, st.floats(0.003, 0.03))
def test_one_planted_defect_is_found_with_its_day_and_nothing_else(
    check: str, seed: int, place: int, volatility: float
) -> None:
    one = PLANTED[check](walk(400, seed, volatility), place)
    assert briefly(one) == [(check, "serious", [day(place)])]


# --- real prices ---


def real(folder: Path, symbol: str) -> PriceSeries:
    one = FolderSource(folder).prices(symbol)
    first = int(pd.DatetimeIndex(one.frame.index).searchsorted(pd.Timestamp("1970-01-02")))
    return replace(one, frame=one.frame.iloc[first:].copy(), lines=one.lines[first:])


def test_real_prices_since_1970_have_no_serious_finding(reference_data: Path) -> None:
    said = {symbol: brief(look(real(reference_data, symbol))) for symbol in FolderSource(reference_data).symbols}
    assert len(said) == 18
    assert {symbol: found for symbol, found in said.items() if found} == {
        "TLT": [("contradiction", "warning", ["2003-01-29"])]  # the close gains half a percent on the adjusted close
    }


@pytest.mark.parametrize("check", PLANTED)
@pytest.mark.parametrize("at", ["2010-05-06", "2017-07-03", "2020-03-12", "2020-03-16", "2021-06-18"])
def test_a_defect_in_real_prices_is_found_and_named(reference_data: Path, check: str, at: str) -> None:
    upro = real(reference_data, "UPRO")
    days = pd.DatetimeIndex(upro.frame.index)
    k = int(days.searchsorted(pd.Timestamp(at)))
    columns = {name: upro.frame[name].to_numpy(copy=True) for name in ("close", "adj_close")}
    for values in columns.values():
        if check == "split-like-jump":
            values[:k] *= 3.0
        elif check == "spike":
            values[k] *= 5.0
        elif check == "stale":
            values[k : k + 10] = values[k]
        elif check == "not-positive":
            values[k] = 0.0
    if check == "contradiction":
        columns["close"][k:] *= 1.08  # on no day did UPRO pay more than 4% of its price
    if check == "empty":
        columns["adj_close"][k] = NAN
    frame, lines = pd.DataFrame(columns, index=days), list(upro.lines)
    if check == "gap":
        frame, lines = frame.drop(index=days[k]), lines[:k] + lines[k + 1 :]
    findings = look(replace(upro, frame=frame, lines=tuple(lines)))
    assert brief(findings) == [(check, "serious", [at])]
    assert f"prices/UPRO.csv, line {upro.lines[k - 1 if check == 'gap' else k]}" in findings[0].sentence
