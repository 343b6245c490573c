"""Measures of the gap between built and real returns, and the likely causes of the largest: worked out by hand."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.funds.made import NAN, fund_on, levels, made_history

from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.gaps import GapDay, compare, gap_days, log_gap, squared_correlation, yearly_gaps
from alphaoverlay.history import History

QUIET = 30  # sessions of a made fund, the one looked at in the middle
DAY = 15
returns = st.lists(st.floats(-0.3, 0.3), min_size=12, max_size=40)


def series(values: Sequence[float], first: str = "2020-01-02") -> pd.Series:
    """Returns of the weekdays after a first close."""
    return pd.Series(list(values), index=pd.bdate_range(first, periods=len(values) + 1)[1:])


def span_of(n: int, first: str = "2020-01-02") -> History:
    """The first close and n sessions."""
    return made_history({"X": [1.0] * (n + 1)}, first=first)


# --- figures ---


def test_a_gap_is_built_less_real_in_log_return() -> None:
    gap = log_gap(series([0.10, -0.20]), series([0.21, -0.20]))
    assert gap.to_numpy() == pytest.approx([math.log(1.1), 0.0], abs=1e-15)


def test_figures_of_a_short_span_by_hand() -> None:
    """Thursday 30 January to Tuesday 4 February: five days and three sessions, of two weeks and two months."""
    real = series([0.00, 0.10, 0.00], "2020-01-30")
    built = series([0.02, 0.10, -0.01], "2020-01-30")
    found = compare("way", real, built, span_of(3, "2020-01-30"))
    gaps = [math.log(1.02), 0.0, math.log(0.99)]
    assert found.name == "way"
    assert found.difference == pytest.approx(math.fsum(gaps) / (5 / 365.25), abs=1e-13)
    assert found.trimmed == 0.0  # fewer than ten sessions: nothing is left
    assert found.error == pytest.approx(statistics.stdev([-0.02, 0.0, 0.01]) * math.sqrt(252), abs=1e-15)
    assert found.r_squared == pytest.approx(
        statistics.correlation([0.00, 0.10, 0.00], [0.02, 0.10, -0.01]) ** 2, abs=1e-14
    )
    assert found.r_squared_weekly == pytest.approx(1.0, abs=1e-14)  # two weeks are a line
    assert found.worst_month == "2020-01"
    assert found.worst_month_gap == pytest.approx(math.log(1.02), abs=1e-15)


def test_weeks_run_from_monday_to_sunday() -> None:
    """Wednesday to the Tuesday after next: three weeks of two, five and two sessions."""
    real = [0.01, -0.02, 0.03, 0.01, -0.01, 0.02, 0.01, -0.03, 0.02]
    built = [0.02, -0.01, 0.01, 0.00, -0.02, 0.02, 0.03, -0.01, 0.01]
    found = compare("way", series(real, "2020-01-07"), series(built, "2020-01-07"), span_of(9, "2020-01-07"))
    weeks = [slice(0, 3), slice(3, 8), slice(8, 9)]  # from Wednesday the 8th: Friday is the third
    weekly = [[math.fsum(map(math.log1p, one[week])) for week in weeks] for one in (built, real)]
    assert found.r_squared_weekly == pytest.approx(statistics.correlation(*weekly) ** 2, abs=1e-13)


def test_the_worst_month_is_the_largest_either_way() -> None:
    """January is richer by 1% once, February poorer by 1% twice."""
    real = [0.0] * 40
    built = [0.01] + [0.0] * 24 + [-0.01, -0.01] + [0.0] * 13
    found = compare("way", series(real), series(built), span_of(40))
    assert found.worst_month == "2020-02"
    assert found.worst_month_gap == pytest.approx(2.0 * math.log(0.99), abs=1e-15)


def test_sessions_on_which_the_way_is_not_known_are_left_out_with_their_days() -> None:
    """Friday and Monday are unknown: what is left are Thursday's day and Tuesday's."""
    real, built = series([0.01, 0.5, 0.5, 0.02], "2020-01-01"), series([0.02, NAN, NAN, 0.04], "2020-01-01")
    found = compare("way", real, built, span_of(4, "2020-01-01"))
    gaps = [math.log(1.02 / 1.01), math.log(1.04 / 1.02)]
    assert found.difference == pytest.approx(math.fsum(gaps) / (2 / 365.25), abs=1e-13)
    assert found.error == pytest.approx(statistics.stdev([-0.01, -0.02]) * math.sqrt(252), abs=1e-15)


@given(returns, st.data())
def test_trimmed_is_the_whole_less_the_ten_largest(real: list[float], data: st.DataObject) -> None:
    n = len(real)
    built = data.draw(st.lists(st.floats(-0.3, 0.3), min_size=n, max_size=n, unique=True))
    gaps = sorted((math.log1p(b) - math.log1p(r) for b, r in zip(built, real, strict=True)), key=abs)
    span = span_of(n)
    years = (span.dates[-1] - span.dates[0]).days / 365.25
    found = compare("way", series(real), series(built), span)
    tied = len(gaps) > 10 and abs(abs(gaps[-10]) - abs(gaps[-11])) < 1e-12
    largest = math.fsum(gaps[-10:]) / years
    if not tied:
        assert found.difference - found.trimmed == pytest.approx(largest, abs=1e-9)
    assert found.difference == pytest.approx(math.fsum(gaps) / years, abs=1e-9)


@given(returns, st.data())
def test_years_add_up_and_compound_to_the_whole(real: list[float], data: st.DataObject) -> None:
    """From 2019-12-12: the sessions lie in two years, or in one."""
    n = len(real)
    built = data.draw(st.lists(st.floats(-0.3, 0.3), min_size=n, max_size=n))
    one, other = series(real, "2019-12-12"), series(built, "2019-12-12")
    frame = yearly_gaps(one, other)
    assert list(frame.index) == sorted({stamp.year for stamp in one.index})
    assert frame["sessions"].sum() == n
    assert frame["tracking_difference"].sum() == pytest.approx(log_gap(one, other).sum(), abs=1e-12)
    for name, values in (("real", real), ("synthetic", built)):
        assert (1.0 + frame[name]).prod() == pytest.approx(math.prod(1.0 + r for r in values), rel=1e-11)


def test_a_year_by_hand() -> None:
    """The last two sessions of 2019 and the first of 2020."""
    frame = yearly_gaps(series([0.10, 0.20, 0.05], "2019-12-27"), series([0.10, 0.10, 0.05], "2019-12-27"))
    last = frame.loc[2019]
    assert last[["real", "synthetic"]].to_numpy() == pytest.approx([0.32, 0.21], abs=1e-14)
    assert last["tracking_difference"] == pytest.approx(math.log(1.1 / 1.2), abs=1e-14)
    assert last["tracking_error"] == pytest.approx(statistics.stdev([0.0, 0.1]) * math.sqrt(252), abs=1e-14)
    assert frame["sessions"].tolist() == [2, 1]
    assert math.isnan(frame["tracking_error"].loc[2020])  # one session does not vary


def test_a_squared_correlation_knows_no_sign_and_no_scale() -> None:
    x = series([0.01, -0.02, 0.03]).to_numpy()
    assert squared_correlation(x, 5.0 - 2.0 * x) == pytest.approx(1.0, abs=1e-14)
    assert math.isnan(squared_correlation(x, x * 0.0))
    y = series([0.01, 0.01, -0.02]).to_numpy()
    assert squared_correlation(x, y) == pytest.approx(statistics.correlation(list(x), list(y)) ** 2, abs=1e-14)


# --- causes ---


def one_gap(
    gaps: Mapping[int, float],
    fund: Fund | None = None,
    *,
    plain: str | None = None,
    paid: Mapping[str, float] | None = None,
    volume: Mapping[int, float] | None = None,
    premium: Mapping[int, float] | None = None,
    real: float = 0.001,
) -> GapDay:
    """What is said of session 15, the largest gap of a fund that moves 0.1% a session.

    Parameters
    ----------
    gaps : built over real by session, in log return.
    plain : the plain fund, which moves 0.1% a session too.
    paid : symbol -> share of the price paid out on session 15.
    volume : of the fund by session, 1,000 on others.
    premium : of the fund's close over its net asset value, by session, 0 on others.
    real : what the fund returned on session 15.
    """
    fund = fund or fund_on(2.0)
    moves = [0.001] * QUIET
    moves[DAY - 1] = real
    prices = {"FUND": levels(moves), "PLAIN": levels([0.001] * QUIET)}
    history = made_history(prices)
    close = history.adj_close.copy()
    for symbol, share in (paid or {}).items():
        close.loc[history.dates[DAY] :, symbol] *= 1.0 - share
    traded = pd.Series(1000.0, index=history.dates)
    for k, shares in (volume or {}).items():
        traded.iloc[k] = shares
    history = replace(history, close=close, volume=traded.to_frame("FUND"))
    if premium is not None:
        over = pd.Series(0.0, index=history.dates)
        for k, value in premium.items():
            over.iloc[k] = value
        history = replace(history, nav=(close["FUND"] / (1.0 + over)).to_frame("FUND"))
    own = history.total_returns["FUND"].iloc[1:]
    gap = pd.Series(0.0, index=own.index)
    for k, size in gaps.items():
        gap.iloc[k - 1] = size
    built = (1.0 + own) * gap.map(math.exp) - 1.0
    largest = gap_days(fund, own, built, plain, history)[0]
    assert largest.day == history.dates[DAY]
    assert largest.gap == pytest.approx(gaps[DAY], abs=1e-12)
    assert largest.real == pytest.approx(real, abs=1e-12)
    assert largest.built == pytest.approx((1.0 + real) * math.exp(gaps[DAY]) - 1.0, abs=1e-12)
    return largest


def test_a_gap_without_anything_to_explain_it_is_unexplained() -> None:
    assert one_gap({DAY: 0.02}).cause == "unexplained"


def test_a_price_that_did_not_change_is_stale() -> None:
    assert one_gap({DAY: 0.02}, real=0.0).cause == "stale price"


def test_a_session_without_trades_is_stale_but_an_unknown_volume_is_not() -> None:
    assert one_gap({DAY: 0.02}, volume={DAY: 0.0}).cause == "stale price"
    assert one_gap({DAY: 0.02}, volume={DAY: NAN}).cause == "unexplained"
    assert one_gap({DAY: 0.02}, volume={DAY - 1: 0.0}).cause == "unexplained"


@pytest.mark.parametrize(("share", "cause"), [(0.02, "distribution"), (0.03, "distribution"), (0.002, "unexplained")])
def test_the_funds_own_distribution_explains_a_gap_of_its_size(share: float, cause: str) -> None:
    for sign in (1.0, -1.0):
        assert one_gap({DAY: sign * 0.02}, paid={"FUND": share}).cause == cause


@pytest.mark.parametrize(
    ("leverage", "gap", "cause"),
    [
        (2.0, 0.0059, "ex-dividend"),  # 0.2% paid, twice, and half as much again: 0.6%
        (2.0, -0.0059, "ex-dividend"),
        (2.0, 0.0061, "unexplained"),
        (-3.0, 0.0089, "ex-dividend"),
        (-3.0, 0.0091, "unexplained"),
    ],
)
def test_a_distribution_of_the_plain_fund_explains_what_it_can(leverage: float, gap: float, cause: str) -> None:
    assert one_gap({DAY: gap}, fund_on(leverage), plain="PLAIN", paid={"PLAIN": 0.002}).cause == cause


def test_a_plain_fund_that_is_not_used_explains_nothing() -> None:
    assert one_gap({DAY: 0.003}, plain=None, paid={"PLAIN": 0.002}).cause == "unexplained"


@pytest.mark.parametrize(
    ("gap", "premium", "cause"),
    [
        (-0.02, 0.02, "premium"),  # dear at the close, so the real fund is ahead of the built one
        (0.02, -0.02, "premium"),
        (0.02, 0.02, "unexplained"),  # the wrong way
        (-0.02, 0.0105, "premium"),  # a little more than half of it
        (-0.02, 0.009, "unexplained"),
        (-0.02, 0.0315, "unexplained"),  # more than half too much
    ],
)
def test_a_change_of_the_premium_explains_a_gap_against_it(gap: float, premium: float, cause: str) -> None:
    lasting = dict.fromkeys(range(DAY, QUIET + 1), premium)
    assert one_gap({DAY: gap}, premium=lasting).cause == cause


def test_a_premium_that_was_there_before_explains_nothing() -> None:
    always = dict.fromkeys(range(QUIET + 1), 0.02)
    assert one_gap({DAY: -0.02}, premium=always).cause == "unexplained"


@pytest.mark.parametrize("beside", [DAY - 1, DAY + 1])
@pytest.mark.parametrize(
    ("back", "cause"),
    [
        (-0.0101, "closing-time mismatch"),
        (-0.0199, "closing-time mismatch"),
        (-0.0099, "unexplained"),
        (0.015, "unexplained"),
    ],
)
def test_a_neighbour_that_takes_back_half_means_closing_times(beside: int, back: float, cause: str) -> None:
    assert one_gap({DAY: 0.02, beside: back}).cause == cause
    assert one_gap({DAY: -0.02, beside: -back}).cause == cause


def test_two_sessions_away_is_no_neighbour() -> None:
    assert one_gap({DAY: 0.02, DAY + 2: -0.02 + 1e-6}).cause == "unexplained"


def test_the_first_cause_that_fits_is_given() -> None:
    """All of them fit; one by one they are taken away."""
    lasting = dict.fromkeys(range(DAY, QUIET + 1), 0.005)
    gaps = {DAY: -0.005, DAY + 1: 0.004}
    both = {"FUND": 0.005, "PLAIN": 0.01}
    assert one_gap(gaps, plain="PLAIN", paid=both, premium=lasting, volume={DAY: 0.0}).cause == "stale price"
    assert one_gap(gaps, plain="PLAIN", paid=both, premium=lasting).cause == "distribution"
    assert one_gap(gaps, plain="PLAIN", paid={"PLAIN": 0.01}, premium=lasting).cause == "ex-dividend"
    assert one_gap(gaps, plain="PLAIN", premium=lasting).cause == "premium"
    assert one_gap(gaps, plain="PLAIN").cause == "closing-time mismatch"


def test_the_ten_largest_in_order_of_size_either_way() -> None:
    sizes = {k: (0.001 * k if k % 2 else -0.001 * k) for k in range(1, 13)}
    history = made_history({"FUND": levels([0.001] * 20)})
    real = history.total_returns["FUND"].iloc[1:]
    built = pd.Series([(1.0 + r) * math.exp(sizes.get(k, 0.0)) - 1.0 for k, r in enumerate(real, 1)], index=real.index)
    found = gap_days(fund_on(2.0), real, built, None, history)
    assert [one.day for one in found] == [history.dates[k] for k in range(12, 2, -1)]
    assert [one.gap for one in found] == pytest.approx([sizes[k] for k in range(12, 2, -1)], abs=1e-12)
