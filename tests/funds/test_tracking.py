"""A real fund beside its synthetic one: the second implementation on real data, laws on made funds, changed terms."""

from __future__ import annotations

import functools
import math
import statistics
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import second_opinion, second_tracking
from tests.funds.made import NAN, fund_on, index_with, levels, made_history

from alphaoverlay.errors import AlphaOverlayError, DataError, SpanError
from alphaoverlay.funds.catalogue import Catalogue, load_catalogue
from alphaoverlay.funds.formulas import OTHER_FORMULAS
from alphaoverlay.funds.fund import ExpenseSeen, Fund, Index
from alphaoverlay.funds.fund_returns import build_fund_returns
from alphaoverlay.funds.index_returns import build_index_returns
from alphaoverlay.funds.synthesis import synthetic_returns
from alphaoverlay.funds.tracking import FEWEST_SESSIONS, Tracking, track_fund
from alphaoverlay.history import History
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.study.tracked import read_tracking

LEVERAGED = ["SSO", "UPRO", "TQQQ", "TNA", "UWM", "SH", "TWM", "SQQQ"]
SPANS: dict[str, tuple[date | None, date | None]] = {
    "whole life": (None, None),
    "2012-03-05 to 2019-08-30": (date(2012, 3, 5), date(2019, 8, 30)),
}
CATALOGUE = load_catalogue()
INDICES = {
    "AAA": Index("AAA", "an index", total_return=("ATR",), plain=("PLAIN",)),
    "BBB": Index("BBB", "another", total_return=("BTR",)),
}
PLAIN = Fund("PLAIN", "the plain fund", {"AAA": 1.0}, expense=0.0)
N = 90  # sessions of a made fund, after the first close


# --- made funds ---


def walk(seed: int, n: int = N, volatility: float = 0.012) -> list[float]:
    """Seeded returns of an index."""
    return [float(move) for move in np.random.default_rng(seed).normal(0.0004, volatility, n)]


def m1_by_hand(fund: Fund, moves: Sequence[float], rate: float, first: str = "2020-01-02") -> list[float]:
    """The fund's returns by the second implementation, for these returns of its index on weekdays from a day."""
    days = [day.date() for day in pd.bdate_range(first, periods=len(moves) + 1)]
    accruals = second_opinion.financing(dict.fromkeys(days, rate), days)[1:]
    return [
        second_opinion.daily_reset(x, fund.leverage, c, d, d * 360 / 365, fund.expense, fund.spread, fund.swap_exposure)
        for x, (c, d) in zip(moves, accruals, strict=True)
    ]


def market(rate: float = 0.0, first: str = "2020-01-02", **returns: Sequence[float]) -> History:
    """A history of symbols that made these returns; close and adj_close are the same."""
    history = made_history({s: levels(r) for s, r in returns.items()}, rate=rate, first=first)
    return replace(history, close=history.adj_close.copy())


def tracked(
    fund: Fund,
    history: History,
    start: str | None = None,
    end: str | None = None,
    against: Mapping[str, pd.Series] | None = None,
    plain: Fund = PLAIN,
) -> Tracking:
    """Track a made fund on the indices AAA and BBB."""
    catalogue = Catalogue({one.symbol: one for one in (fund, plain)}, INDICES)
    built = {
        name: build_index_returns(INDICES[name], history, catalogue)
        for name in dict.fromkeys([*fund.exposures, *fund.former_exposures])
    }
    known = {name: one for name, one in built.items() if one.spans}
    return track_fund(fund, history, catalogue, known, start, end, against)


def day(history: History, k: int) -> str:
    return f"{history.dates[k]:%Y-%m-%d}"


def log_gaps(built: Sequence[float], real: Sequence[float]) -> list[float]:
    return [math.log1p(b) - math.log1p(r) for b, r in zip(built, real, strict=True)]


# --- real funds, by the second implementation ---


@dataclass(frozen=True)
class Both:
    """A fund tracked twice: by the package, and by the second implementation."""

    own: Tracking
    second: dict[str, Any]
    pairs: list[second_tracking.Pair]


@functools.cache
def default_spread(symbol: str) -> float:
    """The calibrated spread of the fund's index and side, from the file."""
    rows = tomllib.loads((files("alphaoverlay.funds") / "spreads.toml").read_text(encoding="utf-8"))["spread"]
    fund = second_tracking.fund_row(symbol)
    side = "long" if fund["leverage"] > 0 else "inverse"
    return float(next(row["spread"] for row in rows if (row["index"], row["side"]) == (fund["index"], side)))


@pytest.fixture(scope="module")
def both(reference_data: Path) -> Iterator[Callable[[str, str], Both]]:
    source = FolderSource(reference_data)

    @functools.cache
    def by_both(symbol: str, span: str) -> Both:
        start, end = SPANS[span]
        own = read_tracking(
            symbol,
            source,
            CATALOGUE,
            start=None if start is None else start.isoformat(),
            end=None if end is None else end.isoformat(),
        )
        fund, spread = second_tracking.fund_row(symbol), default_spread(symbol)
        second = second_tracking.track(reference_data, fund, start, end, spread)
        pairs = second_tracking.pairs(second_tracking.load(reference_data, fund, start, end), "default", spread)
        return Both(own.tracking, second, pairs)

    loaded: dict[tuple[str, date | None, date | None], second_tracking.Span] = {}
    load = second_tracking.load

    def load_once(folder: Path, fund: dict[str, Any], *span: date | None) -> second_tracking.Span:
        start, end = (*span, None, None)[:2]
        key = (fund["symbol"], start, end)
        if key not in loaded:
            loaded[key] = load(folder, fund, start, end)
        return loaded[key]

    with pytest.MonkeyPatch.context() as patch:  # the second implementation reads and builds anew each time
        patch.setattr(second_tracking, "load", load_once)
        patch.setattr(second_tracking, "_prices", functools.cache(second_tracking._prices))
        patch.setattr(second_opinion, "read_rates", functools.cache(second_opinion.read_rates))
        yield by_both


on_real_funds = pytest.mark.parametrize(("symbol", "span"), [(s, span) for s in LEVERAGED for span in SPANS])


@on_real_funds
def test_every_figure_is_that_of_the_second_implementation(
    both: Callable[[str, str], Both], symbol: str, span: str
) -> None:
    pair = both(symbol, span)
    own, second = pair.own, pair.second
    figures = {
        "tracking_difference": own.default.difference,
        "tracking_difference_trimmed": own.default.trimmed,
        "tracking_error": own.default.error,
        "r_squared_weekly": own.default.r_squared_weekly,
        "beta": own.beta,
        "r_squared": own.r_squared,
    }
    assert figures == pytest.approx({name: second[name] for name in figures}, abs=1e-9)
    assert own.on_plain is not None
    for choice, comparison in (("default", own.default), ("plain", own.on_plain)):
        month, gap = second["worst_month"][choice]
        assert comparison.worst_month == month
        assert comparison.worst_month_gap == pytest.approx(gap, abs=1e-9)
    assert own.on_plain.r_squared == pytest.approx(second["r_squared"], abs=1e-9)


@on_real_funds
def test_sessions_and_years_are_those_of_the_second_implementation(
    both: Callable[[str, str], Both], symbol: str, span: str
) -> None:
    pair = both(symbol, span)
    own, second = pair.own, pair.second
    assert [stamp.date() for stamp in (own.history.dates[0], own.history.dates[-1])] == [second["start"], second["end"]]
    assert [stamp.date() for stamp in own.real.index] == [one.day for one in pair.pairs]
    assert own.real.to_numpy() == pytest.approx([one.real for one in pair.pairs], abs=1e-12)
    assert own.synthetic.to_numpy() == pytest.approx([one.synthetic for one in pair.pairs], abs=1e-12)
    assert own.years == pytest.approx((second["end"] - second["start"]).days / 365.25, rel=1e-14)
    assert list(own.by_year.index) == list(second["by_year"])
    for year, row in second["by_year"].items():
        mine = own.by_year.loc[year]
        assert mine["sessions"] == row["sessions"]
        assert mine["tracking_difference"] == pytest.approx(row["gap"], abs=1e-9)
        assert mine["tracking_error"] == pytest.approx(row["tracking_error"], abs=1e-9)


@on_real_funds
def test_the_largest_gaps_are_those_of_the_second_implementation(
    both: Callable[[str, str], Both], symbol: str, span: str
) -> None:
    pair = both(symbol, span)
    largest = sorted(pair.pairs, key=lambda one: -abs(one.gap))[:10]
    assert [one.day.date() for one in pair.own.worst_days] == [one.day for one in largest]
    assert [one.gap for one in pair.own.worst_days] == pytest.approx([one.gap for one in largest], abs=1e-12)


@pytest.mark.parametrize("symbol", ["UPRO", "TWM"])
def test_another_spread_changes_every_figure_as_in_the_second_implementation(
    both: Callable[[str, str], Both], reference_data: Path, symbol: str
) -> None:
    both(symbol, "whole life")  # the files are read
    own = read_tracking(symbol, FolderSource(reference_data), CATALOGUE, spread=0.02).tracking
    second = second_tracking.track(reference_data, second_tracking.fund_row(symbol), spread=0.02)
    assert own.default.difference == pytest.approx(second["tracking_difference"], abs=1e-9)
    assert own.default.trimmed == pytest.approx(second["tracking_difference_trimmed"], abs=1e-9)
    assert own.default.error == pytest.approx(second["tracking_error"], abs=1e-9)
    assert own.r_squared == pytest.approx(second["r_squared"], abs=1e-9)


def test_nothing_after_the_end_of_the_span_is_looked_at(both: Callable[[str, str], Both], reference_data: Path) -> None:
    source = FolderSource(reference_data)
    whole = read_tracking("TNA", source, CATALOGUE)
    end = "2016-06-30"
    cut = track_fund(whole.tracking.fund, whole.data.history, CATALOGUE, whole.data.indices, None, end)
    read = read_tracking("TNA", source, CATALOGUE, end=end).tracking  # never read a later row
    pd.testing.assert_series_equal(cut.synthetic, read.synthetic, check_exact=True, check_freq=False)
    assert cut.default == read.default
    assert (cut.beta, cut.r_squared, cut.on_plain) == (read.beta, read.r_squared, read.on_plain)
    assert cut.worst_days == read.worst_days


# --- laws, on made funds ---


terms = st.builds(
    lambda leverage, expense, spread, swap: replace(
        fund_on(leverage, expense=expense, spread=spread), swap_exposure=swap
    ),
    st.sampled_from([-3.0, -2.0, -1.0, 0.5, 1.0, 1.5, 2.0, 3.0]),
    st.floats(0.0, 0.03),
    st.floats(-0.01, 0.03),
    st.sampled_from([1.0, 1.1]),
)
seeds = st.integers(0, 10_000)
few = settings(max_examples=20)


@few
@given(terms, seeds, st.floats(-0.01, 0.15))
def test_a_fund_that_is_m1_has_no_tracking_difference_and_a_perfect_r_squared(
    fund: Fund, seed: int, rate: float
) -> None:
    moves = walk(seed)
    own = tracked(fund, market(rate, ATR=moves, PLAIN=moves, FUND=m1_by_hand(fund, moves, rate)))
    assert own.on_plain is not None
    for way in (own.default, own.on_plain):
        assert [way.difference, way.trimmed, way.error, way.worst_month_gap] == pytest.approx([0.0] * 4, abs=1e-11)
        assert [way.r_squared, way.r_squared_weekly] == pytest.approx([1.0, 1.0], abs=1e-12)
    assert own.r_squared == pytest.approx(1.0, abs=1e-12)
    assert own.by_year["tracking_difference"].to_numpy() == pytest.approx([0.0], abs=1e-11)
    assert own.findings == ()
    assert own.telltale.to_numpy() == pytest.approx(np.ones((N + 1, 2)), abs=1e-11)


@few
@given(terms, seeds, seeds, st.floats(0.0, 0.05))
def test_the_difference_is_the_sum_of_the_gaps_and_trimmed_lacks_the_ten_largest(
    fund: Fund, seed: int, noise: int, rate: float
) -> None:
    moves = walk(seed)
    exact = m1_by_hand(fund, moves, rate)
    real = [(1.0 + r) * (1.0 + e) - 1.0 for r, e in zip(exact, walk(noise, volatility=0.004), strict=True)]
    history = market(rate, ATR=moves, PLAIN=moves, FUND=real)
    own = tracked(fund, history)
    gaps = log_gaps(exact, real)
    years = (history.dates[-1] - history.dates[0]).days / 365.25
    largest = sorted(gaps, key=abs)[-10:]
    assert own.default.difference == pytest.approx(math.fsum(gaps) / years, abs=1e-11)
    assert own.default.trimmed == pytest.approx((math.fsum(gaps) - math.fsum(largest)) / years, abs=1e-11)
    apart = [r - b for r, b in zip(real, exact, strict=True)]
    assert own.default.error == pytest.approx(statistics.stdev(apart) * math.sqrt(252), abs=1e-11)
    assert [abs(one.gap) for one in own.worst_days] == pytest.approx(
        sorted((abs(one) for one in largest), reverse=True), abs=1e-12
    )
    assert own.telltale["default"].iloc[-1] == pytest.approx(math.exp(math.fsum(gaps)), rel=1e-11)


@few
@given(seeds, seeds, st.integers(FEWEST_SESSIONS, 200 - FEWEST_SESSIONS))
def test_the_parts_of_a_span_add_up_to_it(seed: int, noise: int, cut: int) -> None:
    fund = fund_on(3.0, expense=0.01, spread=0.004)
    moves = walk(seed, 200)
    history = market(0.03, "2019-08-01", ATR=moves, FUND=walk(noise, 200))
    whole = tracked(fund, history)
    first, second = tracked(fund, history, end=day(history, cut)), tracked(fund, history, start=day(history, cut))
    assert len(first.real) == cut
    assert len(first.real) + len(second.real) == len(whole.real) == 200
    assert first.years + second.years == pytest.approx(whole.years, rel=1e-14)
    together = first.default.difference * first.years + second.default.difference * second.years
    assert together == pytest.approx(whole.default.difference * whole.years, abs=1e-12)
    assert whole.by_year["tracking_difference"].sum() == pytest.approx(
        whole.default.difference * whole.years, abs=1e-12
    )
    assert whole.by_year["sessions"].sum() == 200


def test_beta_is_the_slope_on_the_plain_fund_and_not_on_the_index() -> None:
    plain, index = walk(1), walk(2)
    own = tracked(fund_on(2.0), market(ATR=index, PLAIN=plain, FUND=[2.5 * x + 0.001 for x in plain]))
    assert own.beta == pytest.approx(2.5, abs=1e-12)
    assert own.r_squared == pytest.approx(1.0, abs=1e-12)  # M1 on the plain fund is a line through it
    expected = statistics.correlation([2.0 * x for x in index], [2.5 * x + 0.001 for x in plain]) ** 2
    assert own.default.r_squared == pytest.approx(expected, abs=1e-12)


def test_the_expense_of_the_plain_fund_is_added_back() -> None:
    dear = replace(PLAIN, expense=0.02)
    fund, moves = fund_on(3.0, expense=0.01), walk(3)
    history = market(0.03, ATR=moves, PLAIN=m1_by_hand(dear, moves, 0.03), FUND=m1_by_hand(fund, moves, 0.03))
    own = tracked(fund, history, plain=dear)
    assert own.on_plain is not None
    assert own.on_plain.difference == pytest.approx(0.0, abs=1e-11)
    left_in = tracked(fund, history).on_plain  # told that the plain fund charges nothing, M1 pays its 2% three times
    assert left_in is not None
    assert left_in.difference == pytest.approx(-0.06, abs=0.001)


def test_a_dated_expense_is_charged_on_its_own_sessions_only() -> None:
    """1.825% is 5 in 100,000 a day more than nothing; it was seen on the 30th session and not before."""
    history = market(ATR=[0.0] * N, FUND=[0.0] * N)
    fund = Fund(
        "FUND",
        "FUND",
        {"AAA": 1.0},
        expense=0.01825,
        expense_as_of=history.dates[30].date(),
        expense_history=(ExpenseSeen(date(2015, 1, 2), 0.0, "net"),),
    )
    nights = [(b - a).days for a, b in zip(history.dates[:-1], history.dates[1:], strict=True)]
    expected = [0.0] * 29 + [-0.00005 * n for n in nights[29:]]
    assert tracked(fund, history).synthetic.to_numpy() == pytest.approx(expected, abs=1e-15)


def test_without_a_plain_fund_beta_is_unknown_and_the_rest_is_not() -> None:
    fund, moves = fund_on(-1.0), walk(4)
    own = tracked(fund, market(0.02, ATR=moves, FUND=m1_by_hand(fund, moves, 0.02)))
    assert (own.plain_symbol, own.plain, own.on_plain, own.beta, own.r_squared) == (None,) * 5
    assert own.default.difference == pytest.approx(0.0, abs=1e-11)
    assert list(own.telltale.columns) == ["default"]


def test_a_fund_on_two_indices_is_built_of_both_and_has_no_plain_fund() -> None:
    """90% and 60%, half of it borrowed at 3.6%: 1 in 20,000 a night."""
    stacked = Fund("FUND", "90/60", {"AAA": 0.9, "BBB": 0.6}, expense=0.0)
    a, b = walk(5), walk(6)
    history = market(0.036, ATR=a, BTR=b, PLAIN=a, FUND=a)
    own = tracked(stacked, history)
    nights = [(t - s).days for s, t in zip(history.dates[:-1], history.dates[1:], strict=True)]
    expected = [0.9 * x + 0.6 * y - 0.00005 * n for x, y, n in zip(a, b, nights, strict=True)]
    assert own.synthetic.to_numpy() == pytest.approx(expected, abs=1e-14)
    assert (own.plain_symbol, own.horizon) == (None, None)


def test_another_series_is_measured_where_it_is_known() -> None:
    moves = walk(7)
    fund = fund_on(2.0)
    history = market(ATR=moves, FUND=[2.0 * x for x in moves])
    late = pd.Series([NAN] * 31 + [2.0 * x + 0.0001 for x in moves[30:]], index=history.dates)
    own = tracked(fund, history, against={"LATE": late})
    gaps = log_gaps([2.0 * x + 0.0001 for x in moves[30:]], [2.0 * x for x in moves[30:]])
    found = {one.name: one for one in own.others}["LATE"]
    years = (history.dates[-1] - history.dates[30]).days / 365.25
    assert found.difference == pytest.approx(math.fsum(gaps) / years, abs=1e-11)
    assert found.error == pytest.approx(0.0, abs=1e-11)


@pytest.mark.parametrize(
    ("name", "leverage", "expected"),
    [
        ("multiple less fee", 3.0, 0.03 - 0.01 / 252),
        ("multiple less fee", -3.0, -0.03 - 0.01 / 252),
        ("spread credited to inverse funds", 3.0, 0.03 - 2 * (0.02 + 0.004) / 252 - 0.01 / 252),
        ("spread credited to inverse funds", -3.0, -0.03 + 4 * (0.02 + 0.004) / 252 - 0.01 / 252),
        ("web backtester's defaults (unverified)", 3.0, 0.03 - 1.1 * 2 * (0.02 + 0.004) / 252 - 2 * 0.005 / 252),
        ("web backtester's defaults (unverified)", -3.0, -0.03 + 1.1 * 4 * (0.02 - 0.004) / 252 - 3 * 0.00333 / 252),
    ],
)
def test_the_other_formulas_by_hand(name: str, leverage: float, expected: float) -> None:
    history = market(0.02, X=[0.0, 0.0])
    index = {"AAA": index_with("AAA", [0.01, 0.01], history).returns}
    fund = fund_on(leverage, expense=0.01, spread=0.05)  # its own spread is not theirs
    assert OTHER_FORMULAS[name](fund, index, history).iloc[1] == pytest.approx(expected, abs=1e-15)


# --- terms that changed ---


SINCE = 70  # the session on which a made fund changed
LATER = 200


def changed(former: Mapping[str, float], present: float = 3.0, **terms: Any) -> tuple[Fund, list[float], list[float]]:
    """A fund on AAA since session 70, what AAA returned and what BBB did."""
    days = pd.bdate_range("2020-01-02", periods=LATER + 1)
    fund = replace(
        fund_on(present, expense=0.01, spread=0.004),
        inception=days[0].date(),
        index_since=days[SINCE].date(),
        former_exposures=dict(former),
        former="something else",
        **terms,
    )
    return fund, walk(11, LATER), walk(12, LATER)


def its_life(fund: Fund, before: list[float], after: list[float], times: float | None = None) -> list[float]:
    """What it returned: M1 of what it followed then, M1 of what it follows now."""
    old = replace(fund, exposures={"AAA": fund.leverage if times is None else times})
    return m1_by_hand(old, before, 0.02)[:SINCE] + m1_by_hand(fund, after, 0.02)[SINCE:]


def test_a_fund_that_followed_another_index_is_built_from_it_until_then() -> None:
    fund, a, b = changed({"BBB": 3.0})
    own = tracked(fund, market(0.02, ATR=a, BTR=b, FUND=its_life(fund, b, a)))
    assert len(own.real) == LATER
    assert own.default.difference == pytest.approx(0.0, abs=1e-11)
    assert own.default.error == pytest.approx(0.0, abs=1e-11)
    assert own.horizon is None  # M2 knows one index


def test_before_its_inception_it_is_todays_fund() -> None:
    fund, a, b = changed({"BBB": 3.0})
    history = market(0.02, ATR=a, BTR=b)
    fund = replace(fund, inception=history.dates[40].date())
    indices = {name: index_with(name, moves, history).returns for name, moves in (("AAA", a), ("BBB", b))}
    built = synthetic_returns(fund, indices, history, as_it_was=True).to_numpy()[1:]
    on_a, on_b = m1_by_hand(fund, a, 0.02), m1_by_hand(fund, b, 0.02)
    assert built[:39] == pytest.approx(on_a[:39], abs=1e-14)
    assert built[40 : SINCE - 1] == pytest.approx(on_b[40 : SINCE - 1], abs=1e-14)
    assert built[SINCE:] == pytest.approx(on_a[SINCE:], abs=1e-14)
    carried_back = synthetic_returns(fund, indices, history).to_numpy()[1:]
    assert carried_back == pytest.approx(on_a, abs=1e-14)


@pytest.mark.parametrize("known", [False, True], ids=["former index unknown", "former index without a series"])
def test_where_what_it_followed_is_not_known_it_is_not_built(known: bool) -> None:
    fund, a, b = changed({"BBB": 3.0} if known else {})
    history = market(0.02, ATR=a, FUND=its_life(fund, b, a))
    own = tracked(fund, history)
    assert fund.index_since is not None
    assert fund.index_since <= own.real.index[0].date() <= history.dates[SINCE + 1].date()
    assert own.default.difference == pytest.approx(0.0, abs=1e-11)
    assert own.horizon is not None
    assert own.horizon.exact == pytest.approx(math.fsum(np.log1p(own.synthetic)), abs=1e-12)


def test_a_former_index_whose_series_ends_too_early_is_a_hole_with_its_day() -> None:
    fund, a, b = changed({"BBB": 3.0})
    history = market(0.02, ATR=a, BTR=b, FUND=its_life(fund, b, a))
    short = history.adj_close.copy()
    short.loc[history.dates[50] :, "BTR"] = NAN
    history = replace(history, adj_close=short, close=short)
    with pytest.raises(SpanError, match=rf"{day(history, 50)}.*--start"):
        tracked(fund, history)
    own = tracked(fund, history, start=day(history, 51))
    assert own.default.difference == pytest.approx(0.0, abs=1e-11)


def test_a_fund_whose_leverage_changed_is_tracked_since_then_only() -> None:
    fund, a, _ = changed({"AAA": 3.0}, present=2.0)
    history = market(0.02, ATR=a, FUND=its_life(fund, a, a, times=3.0))
    own = tracked(fund, history)
    assert history.dates[SINCE] <= own.real.index[0] <= history.dates[SINCE + 1]
    assert own.default.difference == pytest.approx(0.0, abs=1e-11)
    with pytest.raises(SpanError, match="0 sessions"):
        tracked(fund, history, end=day(history, SINCE - 1))


def test_what_a_fund_returned_with_another_leverage_is_not_lent_to_a_study() -> None:
    fund, a, _ = changed({"AAA": 3.0}, present=2.0)
    history = market(0.02, ATR=a, FUND=its_life(fund, a, a, times=3.0))
    built = build_fund_returns([fund], history, {"AAA": index_with("AAA", a, history)})
    assert built.returns["FUND"].to_numpy()[1:] == pytest.approx(m1_by_hand(fund, a, 0.02), abs=1e-12)
    assert built.synthetic["FUND"].to_numpy()[1:SINCE].all()
    assert not built.synthetic["FUND"].to_numpy()[SINCE + 1 :].any()
    real_only = build_fund_returns([fund], history, {}, synthetic=False)
    assert real_only.returns["FUND"].iloc[1:SINCE].isna().all()
    assert real_only.returns["FUND"].iloc[SINCE + 1 :].notna().all()


def test_what_a_fund_returned_on_another_index_of_the_same_leverage_stays_its_own() -> None:
    fund, a, b = changed({"BBB": 3.0})
    life = its_life(fund, b, a)
    history = market(0.02, ATR=a, BTR=b, FUND=life)
    built = build_fund_returns([fund], history, {"AAA": index_with("AAA", a, history)})
    assert built.returns["FUND"].to_numpy()[1:] == pytest.approx(life, abs=1e-12)
    assert not built.synthetic["FUND"].any()


def test_on_the_plain_fund_too_it_is_built_from_what_it_followed_then_or_not_at_all() -> None:
    fund, a, b = changed({"BBB": 3.0})
    own = tracked(fund, market(0.02, ATR=a, BTR=b, PLAIN=a, FUND=its_life(fund, b, a)))
    assert own.on_plain is not None
    assert own.on_plain.difference == pytest.approx(0.0, abs=1e-11)
    assert own.r_squared == pytest.approx(1.0, abs=1e-11)
    assert own.beta == pytest.approx(3.0, abs=0.01)


def test_the_other_formulas_too_follow_what_the_fund_followed_then() -> None:
    fund, a, b = changed({"BBB": 3.0})
    fund = replace(fund, expense=0.0, spread=0.0)
    life = [3.0 * x for x in [*b[:SINCE], *a[SINCE:]]]
    own = tracked(fund, market(0.0, ATR=a, BTR=b, FUND=life))
    found = {one.name: one for one in own.others}["multiple less fee"]  # L*x less nothing: the fund exactly
    assert found.difference == pytest.approx(0.0, abs=1e-11)
    assert found.error == pytest.approx(0.0, abs=1e-11)


def test_former_exposures_are_financed_at_their_own_leverage() -> None:
    """Index still, 3.6% a year: a 3x fund pays 2 in 10,000 a night, the 2x fund that it became 1 in 10,000."""
    history = market(0.036, X=[0.0] * 6)
    fund = replace(
        fund_on(2.0),
        inception=history.dates[0].date(),
        index_since=history.dates[4].date(),
        former_exposures={"AAA": 3.0},
    )
    still = {"AAA": index_with("AAA", [0.0] * 6, history).returns}
    built = synthetic_returns(fund, still, history, as_it_was=True).to_numpy()
    nights = history.days[1:4]
    assert built[1:4] == pytest.approx([-0.0002 * n for n in nights], abs=1e-15)


def test_m2_shows_the_m1_that_the_fund_is_compared_with_when_the_span_begins_at_the_change() -> None:
    fund, a, b = changed({"BBB": 3.0})
    history = market(0.02, ATR=a, BTR=b, FUND=its_life(fund, b, a))
    own = tracked(fund, history, start=day(history, SINCE - 1))
    if own.horizon is not None:
        assert own.horizon.exact == pytest.approx(math.fsum(np.log1p(own.synthetic)), abs=1e-12)


# --- price and net asset value ---


def with_nav(premiums: Sequence[float]) -> tuple[Fund, History]:
    """A fund whose closes stand these fractions above a net asset value of its own."""
    fund, moves = fund_on(2.0), walk(21, len(premiums) - 1)
    history = market(ATR=moves, FUND=[2.0 * x for x in moves])
    nav = history.close["FUND"] / (1.0 + pd.Series(list(premiums), index=history.dates))
    return fund, replace(history, nav=nav.to_frame("FUND"))


def test_premium_figures_by_hand() -> None:
    """A hundred and one premiums: 0.0% to 10.0% in steps of a tenth, the 63rd first, the 11th last."""
    premiums = [k / 1000 for k in range(101)]
    premiums.remove(0.063)
    premiums.remove(0.011)
    fund, history = with_nav([0.063, *premiums, 0.011])
    found = tracked(fund, history).premium
    assert found is not None
    figures = [found.mean, found.low, found.high, found.worst, found.first, found.last]
    assert figures == pytest.approx([0.05, 0.005, 0.095, 0.1, 0.063, 0.011], abs=1e-12)
    assert found.worst_day == history.dates[99]  # all but the last of those that rise


def test_the_largest_premium_may_be_a_discount_and_unknown_values_do_not_count() -> None:
    fund, history = with_nav([0.01] * 30 + [-0.04] + [0.03] * 69)
    nav = history.nav.copy()
    nav.iloc[[0, 1, 98, 99]] = NAN
    found = tracked(fund, replace(history, nav=nav)).premium
    assert found is not None
    assert [found.worst, found.first, found.last] == pytest.approx([-0.04, 0.01, 0.03], abs=1e-12)
    assert found.mean == pytest.approx((28 * 0.01 - 0.04 + 67 * 0.03) / 96, abs=1e-12)
    assert found.worst_day == history.dates[30]


def test_only_premiums_of_the_compared_span_count() -> None:
    fund, history = with_nav([0.09] * 20 + [0.02] * 80)
    found = tracked(fund, history, start=day(history, 20)).premium
    assert found is not None
    assert [found.mean, found.worst, found.first] == pytest.approx([0.02] * 3, abs=1e-12)


def test_without_net_asset_values_there_is_no_premium() -> None:
    fund, history = with_nav([0.0] * 100)
    assert tracked(fund, replace(history, nav=history.nav * NAN)).premium is None
    assert tracked(fund, replace(history, nav=history.nav.iloc[:, :0])).premium is None


# --- refusals ---


def test_a_fund_without_a_series_of_its_index_is_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"no series of AAA, which FUND follows"):
        tracked(fund_on(2.0), market(FUND=walk(1)))


def test_a_fund_without_prices_is_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"no prices of FUND"):
        tracked(fund_on(2.0), market(ATR=walk(1)))


def test_sixty_sessions_are_the_fewest() -> None:
    moves = walk(1, FEWEST_SESSIONS)
    assert len(tracked(fund_on(2.0), market(ATR=moves, FUND=moves)).real) == 60
    with pytest.raises(SpanError, match=r"59 sessions .*at least 60"):
        tracked(fund_on(2.0), market(ATR=moves[:-1], FUND=moves[:-1]))


def test_start_and_end_between_sessions_take_the_closes_inside() -> None:
    history = market(ATR=walk(1), FUND=walk(2))  # from Thursday 2020-01-02
    own = tracked(fund_on(2.0), history, start="2020-01-04", end="2020-05-03")
    assert [day(own.history, k) for k in (0, -1)] == ["2020-01-06", "2020-05-01"]
    assert own.real.index[0] == pd.Timestamp("2020-01-07")


def test_the_refusal_of_a_short_span_says_where_the_prices_are() -> None:
    history = market(ATR=walk(1), FUND=walk(2))
    with pytest.raises(SpanError, match=rf"run from {day(history, 0)} to {day(history, N)}"):
        tracked(fund_on(2.0), history, start=day(history, 50))


def test_a_series_that_is_nowhere_known_is_an_answer_or_a_refusal() -> None:
    history = market(ATR=walk(1), FUND=walk(2))
    nowhere = pd.Series(NAN, index=history.dates)
    said = ""
    try:
        tracked(fund_on(2.0), history, against={"NOWHERE": nowhere})
    except AlphaOverlayError as refusal:
        said = str(refusal)
    assert not said or "NOWHERE" in said
