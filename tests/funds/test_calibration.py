"""Fits of financing terms: planted terms come back, second opinions agree, and what cannot be told is refused."""

from __future__ import annotations

import datetime
import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from arch.bootstrap import CircularBlockBootstrap
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from tests import second_opinion, second_tracking
from tests.funds.made import index_with, levels, made_history
from tests.second_opinion import daily_reset

from alphaoverlay.errors import AlphaOverlayError, DataError, SpanError, StudyError
from alphaoverlay.funds.calibration import Calibration, Term, calibrate_fund, fit_group, sample_of
from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.funds.fund import ExpenseSeen, Fund, Index
from alphaoverlay.funds.synthesis import synthetic_returns
from alphaoverlay.funds.tracking import Tracking, track_fund
from alphaoverlay.history import FloatArray
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.study.calibrated import read_calibration

LEVERAGED = ["SSO", "UPRO", "SH", "TQQQ", "SQQQ", "UWM", "TNA", "TWM"]
TERMS: tuple[Term, ...] = ("SP", "SW", "E")
CATALOGUE = Catalogue({}, {"AAA": Index("AAA", "AAA")})


@dataclass(frozen=True)
class Made:
    """A fund made session by session from planted terms with the second implementation's M1, and its comparison."""

    tracking: Tracking
    x: FloatArray
    c: FloatArray
    days: FloatArray
    real: FloatArray
    leverage: float

    def built(self, spread: float, swap_exposure: float, expense: float) -> FloatArray:
        """M1 of every session at other terms, written out once more."""
        d, e, borrowed = self.days / 360.0, self.days / 365.0, self.leverage - 1.0
        paid = swap_exposure * (borrowed * self.c * d + abs(borrowed) * spread * d) + expense * e
        return self.leverage * self.x - paid

    def gaps(self, spread: float, swap_exposure: float = 1.0, expense: float = 0.0095) -> FloatArray:
        """Daily log gaps, built minus real."""
        gaps: FloatArray = np.log1p(self.built(spread, swap_exposure, expense)) - np.log1p(self.real)
        return gaps


def made(
    n: int = 800,
    leverage: float = 3.0,
    spread: float | Sequence[float] = 0.004,
    swap_exposure: float = 1.0,
    expense: float | Sequence[float] = 0.0095,
    rate: float | Sequence[float] | None = None,
    noise: float = 0.0,
    seed: int = 0,
    first: str = "2015-01-02",
    assumed: Mapping[str, float] | None = None,
    assumed_fund: Fund | None = None,
) -> Made:
    """A fund of n closes made with terms (one, or one a session after the first), tracked with the assumed ones."""
    random = np.random.default_rng(seed)
    days = pd.bdate_range(first, periods=n)
    passed = np.diff(days.to_numpy().astype("datetime64[D]").astype(int)).astype(float)
    x = random.normal(0.0003, 0.011, n - 1)
    rates = np.linspace(0.001, 0.045, n) if rate is None else np.broadcast_to(np.asarray(rate, dtype=float), n)
    c = rates[:-1]
    s = np.broadcast_to(np.asarray(spread, dtype=float), n - 1)
    E = np.broadcast_to(np.asarray(expense, dtype=float), n - 1)
    off = random.normal(0.0, noise, n - 1) if noise else np.zeros(n - 1)
    real = [
        daily_reset(x[t], leverage, c[t], passed[t] / 360.0, passed[t] / 365.0, E[t], s[t], swap_exposure) + off[t]
        for t in range(n - 1)
    ]
    history = made_history({"FUND": levels(real)}, rate=rates.tolist(), dates=days)
    known = {"expense": 0.0095, "spread": 0.0, "swap_exposure": 1.0} | dict(assumed or {})
    fund = assumed_fund or Fund("FUND", "FUND", {"AAA": leverage}, known["expense"], known["spread"])
    fund = fund if assumed_fund else replace(fund, swap_exposure=known["swap_exposure"])
    tracking = track_fund(fund, history, CATALOGUE, {"AAA": index_with("AAA", x.tolist(), history)})
    return Made(tracking, x, c, passed, np.asarray(real), leverage)


def values_of(calibration: Calibration) -> dict[Term, float]:
    """The fit by term."""
    return {one.term: one.value for one in calibration.estimates}


# --- planted terms come back ---


@pytest.mark.parametrize("leverage", [3.0, 2.0, 1.25, -0.5, -1.0, -2.0, -3.0])
@pytest.mark.parametrize("spread", [0.0052, 0.0, -0.003])
def test_a_planted_spread_comes_back(leverage: float, spread: float) -> None:
    fit = calibrate_fund(made(leverage=leverage, spread=spread).tracking)
    assert values_of(fit) == {"SP": pytest.approx(spread, abs=1e-12)}
    assert fit.fitted.spread == fit.estimates[0].value
    assert fit.residual.abs().max() < 1e-14


@settings(max_examples=10)
@given(
    leverage=st.sampled_from([-3.0, -2.0, -1.0, 1.5, 2.0, 3.0]),
    spread=st.floats(-0.02, 0.05),
    swap_exposure=st.floats(0.5, 1.5),
    expense=st.floats(0.0, 0.05),
    seed=st.integers(0, 1000),
)
def test_planted_terms_come_back_alone_and_in_pairs(
    leverage: float, spread: float, swap_exposure: float, expense: float, seed: int
) -> None:
    planted = {"SP": spread, "SW": swap_exposure, "E": expense}
    asked: list[tuple[Term, ...]] = [("SP",), ("E",), ("SP", "SW"), ("E", "SW")]
    for terms in asked:
        wrong = {"SP": 0.01, "SW": 1.0, "E": 0.02}
        use = {key: wrong[key] if key in terms else planted[key] for key in wrong}
        case = made(
            n=300,
            leverage=leverage,
            spread=spread,
            swap_exposure=swap_exposure,
            expense=expense,
            seed=seed,
            assumed={"spread": use["SP"], "swap_exposure": use["SW"], "expense": use["E"]},
        )
        fit = calibrate_fund(case.tracking, terms)
        assert values_of(fit) == {term: pytest.approx(planted[term], abs=1e-10) for term in terms}
        assert fit.residual.abs().max() < 1e-12


def test_the_exposure_to_the_swaps_alone_comes_back() -> None:
    case = made(swap_exposure=1.07, assumed={"spread": 0.004})
    assert values_of(calibrate_fund(case.tracking, ("SW",))) == {"SW": pytest.approx(1.07, abs=1e-11)}


def test_the_expense_of_a_plain_fund_comes_back() -> None:
    case = made(leverage=1.0, expense=0.0012)
    assert values_of(calibrate_fund(case.tracking, ("E",))) == {"E": pytest.approx(0.0012, abs=1e-12)}


def test_the_spread_is_fitted_beside_the_expense_ratio_that_was_in_force() -> None:
    """0.95% until the last day before it was seen to be 1.15%; the present 1.00% is of a later day."""
    change = datetime.date(2016, 6, 1)
    fund = Fund(
        "FUND",
        "FUND",
        {"AAA": 3.0},
        expense=0.0100,
        expense_as_of=datetime.date(2024, 1, 2),
        expense_history=(
            ExpenseSeen(datetime.date(2014, 1, 2), 0.0095, "net"),
            ExpenseSeen(change, 0.0115, "net"),
        ),
    )
    days = pd.bdate_range("2015-01-02", periods=800)[1:]
    path = np.where(days < pd.Timestamp(change), 0.0095, 0.0115)
    case = made(spread=0.0047, expense=path.tolist(), assumed_fund=fund)
    fit = calibrate_fund(case.tracking)
    assert values_of(fit) == {"SP": pytest.approx(0.0047, abs=1e-12)}
    assert fit.residual.abs().max() < 1e-14
    assert fit.fitted.expense_history == fund.expense_history


def test_where_the_fit_begins_does_not_matter() -> None:
    fits = [
        calibrate_fund(made(noise=0.002, assumed={"spread": start, "swap_exposure": swap}).tracking, ("SP", "SW"))
        for start, swap in ((0.0, 1.0), (0.05, 0.5), (-0.02, 2.0))
    ]
    for other in fits[1:]:
        assert values_of(other)["SP"] == pytest.approx(values_of(fits[0])["SP"], abs=1e-12)
        assert values_of(other)["SW"] == pytest.approx(values_of(fits[0])["SW"], abs=1e-10)


def test_the_order_in_which_terms_are_asked_for_does_not_matter() -> None:
    tracking = made(noise=0.002).tracking
    one, other = (calibrate_fund(tracking, terms) for terms in (("SP", "SW"), ("SW", "SP", "SW")))
    assert [e.term for e in one.estimates] == [e.term for e in other.estimates] == ["SP", "SW"]
    assert values_of(one) == {term: pytest.approx(value, abs=1e-12) for term, value in values_of(other).items()}


def test_a_wrong_expense_ratio_moves_the_spread_by_its_share_of_what_is_borrowed() -> None:
    """`E*e = |L-1|*s*d` where both are constant: 0.20% too much of E is 0.20%*(360/365)/|L-1| too little spread."""
    for leverage in (3.0, -2.0):
        case = made(leverage=leverage, spread=0.004, expense=0.0095, assumed={"expense": 0.0115})
        expected = 0.004 - 0.0020 * 360.0 / 365.0 / abs(leverage - 1.0)
        assert values_of(calibrate_fund(case.tracking)) == {"SP": pytest.approx(expected, abs=1e-12)}


# --- what the fit is ---


@pytest.mark.parametrize("leverage", [3.0, -2.0])
@pytest.mark.parametrize("terms", [("SP",), ("SW",), ("E",), ("SP", "SW"), ("E", "SW")], ids=", ".join)
def test_after_the_fit_the_gaps_sum_to_zero_and_with_swaps_also_weighted_by_the_rate(
    leverage: float, terms: tuple[Term, ...]
) -> None:
    case = made(leverage=leverage, noise=0.003, seed=5)
    fit = calibrate_fund(case.tracking, terms)
    found: dict[Term, float] = {"SP": 0.0, "SW": 1.0, "E": 0.0095, **values_of(fit)}
    gaps = case.gaps(found["SP"], found["SW"], found["E"])
    np.testing.assert_allclose(fit.residual.to_numpy(), gaps, rtol=0, atol=1e-15)
    assert math.fsum(gaps) == pytest.approx(0.0, abs=1e-12)
    assert (math.fsum(case.c * gaps) == pytest.approx(0.0, abs=1e-13)) == (len(terms) == 2)


def test_the_fitted_fund_tracked_again_has_no_tracking_difference() -> None:
    case = made(noise=0.003, seed=6)
    history = made_history({"FUND": levels(case.real.tolist())}, rate=[*case.c, 0.0], first="2015-01-02")
    index = {"AAA": index_with("AAA", case.x.tolist(), history)}
    for terms in (("SP",), ("E",), ("SP", "SW")):
        fitted = calibrate_fund(case.tracking, terms).fitted
        assert track_fund(fitted, history, CATALOGUE, index).default.difference == pytest.approx(0.0, abs=1e-12)
        built = synthetic_returns(fitted, {"AAA": index["AAA"].returns}, history).to_numpy()[1:]
        assert math.fsum(np.log1p(built) - np.log1p(case.real)) == pytest.approx(0.0, abs=1e-12)
    assert abs(case.tracking.default.difference) > 1e-3


def test_spread_and_expense_asked_for_together_are_each_fitted_with_the_other_as_it_was() -> None:
    case = made(spread=0.004, expense=0.0085, assumed={"spread": 0.001, "expense": 0.0095})
    fit = calibrate_fund(case.tracking, ("SP", "E"))
    share = 360.0 / 365.0 / 2.0
    assert values_of(fit) == {
        "SP": pytest.approx(0.004 - 0.0010 * share, abs=1e-12),
        "E": pytest.approx(0.0085 + 0.003 / share, abs=1e-12),
    }
    assert [e.assumed for e in fit.estimates] == pytest.approx([0.001, 0.0095], abs=1e-15)
    assert (fit.fitted.spread, fit.fitted.expense) == (fit.estimates[0].value, 0.0095)
    assert any("SP and E cannot be told apart" in said and "do not" in said for said in fit.cautions)


def test_all_three_terms_are_two_fits_of_two() -> None:
    tracking = made(noise=0.002, swap_exposure=1.05).tracking
    fit = calibrate_fund(tracking, ("SP", "SW", "E"))
    with_spread, with_expense = (calibrate_fund(tracking, terms) for terms in (("SP", "SW"), ("SW", "E")))
    assert values_of(fit) == {**values_of(with_spread), "E": values_of(with_expense)["E"]}


def test_one_of_two_like_costs_says_how_far_the_other_would_move_it() -> None:
    """0.10% of E is 0.10%*(360/365)/2 of spread for a 3x fund; 0.10% of spread is 0.10%*(365/360)*2 of E."""
    tracking = made(leverage=3.0).tracking
    said = {term: " ".join(calibrate_fund(tracking, (term,)).cautions) for term in TERMS}
    assert "wrong by 0.10% moves the spread by 0.05%" in said["SP"]
    assert "wrong by 0.10% moves the expense ratio by 0.20%" in said["E"]
    plain = calibrate_fund(made(leverage=1.0).tracking, ("E",))
    assert not any("told apart" in sentence for sentence in plain.cautions)


# --- intervals ---


def test_the_interval_is_that_of_refitting_every_resample_of_archs_bootstrap() -> None:
    """Each of arch's resamples is solved anew, without the linear step that the fit takes."""
    case = made(n=1600, noise=0.004, seed=11)
    fit = calibrate_fund(case.tracking).estimates[0]
    own = np.log1p(case.real)
    slope = 2.0 * case.days / 360.0

    def refitted(rows: FloatArray) -> FloatArray:
        at = rows[:, 0].astype(int)
        spread = 0.0
        for _ in range(6):
            grown = 1.0 + case.built(spread, 1.0, 0.0095)[at]
            spread += float((np.log(grown) - own[at]).sum() / (slope[at] / grown).sum())
        return np.array([spread])

    resamples = 800
    positions = np.arange(len(case.real), dtype=float)[:, None]
    theirs = CircularBlockBootstrap(252, positions, seed=4).apply(refitted, resamples)[:, 0]
    error = float(theirs.std(ddof=1))
    # A standard deviation of R draws is known to about 1/sqrt(2R).
    assert fit.standard_error == pytest.approx(error, rel=4.0 * math.sqrt(0.5 / resamples + 0.5 / 2000))
    low, high = np.quantile(theirs, [0.025, 0.975])
    assert [fit.low, fit.high] == pytest.approx([low, high], abs=0.3 * error)
    assert fit.low < fit.value < fit.high


def test_the_interval_covers_the_planted_spread_about_as_often_as_it_says() -> None:
    """Ten blocks are few, so 95% is rather 90%; and the error stated is the one that the noise makes."""
    n, noise, planted = 2521, 0.002, 0.004
    case = made(n=n, spread=planted)
    seeds, covered, errors, found = 150, 0, [], []
    for seed in range(seeds):
        off = np.random.default_rng(1000 + seed).normal(0.0, noise, n - 1)
        tracking = replace(case.tracking, real=case.tracking.real + off)
        one = calibrate_fund(tracking, seed=seed).estimates[0]
        covered += one.low <= planted <= one.high
        errors.append(one.standard_error)
        found.append(one.value)
    # The sum of n independent gaps over the sum of slopes: both are known.
    true_error = noise * math.sqrt(n - 1) / float(2.0 * (case.days / 360.0).sum())
    assert 0.80 <= covered / seeds <= 0.99
    assert np.mean(found) == pytest.approx(planted, abs=4.0 * true_error / math.sqrt(seeds))
    assert np.std(found, ddof=1) == pytest.approx(true_error, rel=0.2)
    assert np.mean(errors) == pytest.approx(true_error, rel=0.2)


def test_the_seed_moves_the_interval_and_not_the_fit() -> None:
    tracking = made(noise=0.003).tracking
    once, again, other = (calibrate_fund(tracking, ("SP", "SW"), seed).estimates for seed in (3, 3, 4))
    assert once == again
    assert [e.value for e in once] == [e.value for e in other]
    assert [e.standard_error for e in once] != [e.standard_error for e in other]
    assert calibrate_fund(tracking, seed=3).seed == 3


# --- through time ---


def root(case: Made, rows: slice) -> float:
    """The spread at which the gaps of some sessions sum to zero."""
    return float(brentq(lambda spread: math.fsum(case.gaps(spread)[rows]), -1.0, 1.0, xtol=1e-13))


def test_rolling_spreads_are_those_of_the_756_sessions_up_to_their_day() -> None:
    case = made(n=1200, noise=0.0005, seed=2, assumed={"spread": 0.002})
    rolling = calibrate_fund(case.tracking).rolling
    dates = case.tracking.real.index
    last = np.flatnonzero(dates.isin(rolling.index)).tolist()
    assert last == list(range(len(dates) - 1, 754, -63))[::-1]
    # One step of Newton's method from the spread in use: exact to a millionth.
    for at, value in zip(last, rolling, strict=True):
        assert value == pytest.approx(root(case, slice(at - 755, at + 1)), abs=1e-6)


def test_spreads_by_calendar_year_are_those_of_its_sessions() -> None:
    case = made(n=1200, noise=0.0005, seed=3, leverage=-2.0)
    years = pd.DatetimeIndex(case.tracking.real.index).year
    by_year = calibrate_fund(case.tracking).by_year
    # 2015 to 2018 whole, and of 2019 the few sessions up to August.
    assert list(by_year.index) == [2015, 2016, 2017, 2018, 2019]
    for year, value in by_year.items():
        rows = np.flatnonzero(years == year)
        assert value == pytest.approx(root(case, slice(rows[0], rows[-1] + 1)), abs=1e-6)


def test_a_spread_that_changed_is_seen_to_change() -> None:
    path = np.where(np.arange(1999) < 1000, 0.002, 0.008)
    fit = calibrate_fund(made(n=2000, spread=path.tolist()).tracking)
    assert fit.rolling.iloc[0] == pytest.approx(0.002, abs=1e-6)
    assert fit.rolling.iloc[-1] == pytest.approx(0.008, abs=1e-6)
    assert (fit.rolling.diff().dropna() > -1e-6).all()
    assert values_of(fit)["SP"] == pytest.approx(0.005, abs=2e-4)


@pytest.mark.parametrize(("first", "years"), [("2015-07-20", [2016, 2017]), ("2015-07-10", [2015, 2016, 2017])])
def test_a_year_of_few_sessions_has_no_spread_of_its_own(first: str, years: list[int]) -> None:
    """Weekdays left of 2015 after the first close: 118 and 124; 120 are the least. Those of 2018 are fewer."""
    case = made(n=700, first=first)
    assert sorted(set(pd.DatetimeIndex(case.tracking.real.index).year)) == [2015, 2016, 2017, 2018]
    assert list(calibrate_fund(case.tracking).by_year.index) == years


def test_less_than_three_years_have_no_rolling_spread() -> None:
    assert calibrate_fund(made(n=756).tracking).rolling.empty
    assert len(calibrate_fund(made(n=757).tracking).rolling) == 1


# --- what cannot be told ---


def test_less_than_a_year_is_refused_and_less_than_three_are_cautioned() -> None:
    with pytest.raises(DataError, match="251 sessions, too short to calibrate"):
        calibrate_fund(made(n=252).tracking)
    said = {n: " ".join(calibrate_fund(made(n=n + 1).tracking).cautions) for n in (252, 755, 756)}
    assert ["too narrow to be believed" in said[n] for n in (252, 755, 756)] == [True, True, False]


def test_a_fund_that_borrows_nothing_has_no_spread() -> None:
    asked: list[tuple[Term, ...]] = [("SP",), ("SW",), ("SP", "E"), ("SW", "E")]
    for leverage in (1.0, 0.5, 0.0):
        tracking = made(leverage=leverage).tracking
        for terms in asked:
            with pytest.raises(StudyError, match="borrows nothing"):
                calibrate_fund(tracking, terms)
    fit = calibrate_fund(made(leverage=1.0).tracking, ("E",))
    assert fit.rolling.empty
    assert fit.by_year.empty


@pytest.mark.parametrize("terms", [(), ("SP", "XX"), ("sp",)])
def test_unknown_terms_are_refused(terms: tuple[Term, ...]) -> None:
    with pytest.raises(StudyError, match="SP, SW, E"):
        calibrate_fund(made().tracking, terms)


def test_a_rate_of_zero_cannot_tell_swaps_from_spread() -> None:
    with pytest.raises(DataError, match=r"SW cannot be told from .* the financing rate did not move"):
        calibrate_fund(made(rate=0.0, noise=0.002).tracking, ("SP", "SW"))


def test_a_rate_that_never_moves_cannot_tell_swaps_from_spread() -> None:
    """Whether rounding leaves the matrix singular differs from rate to rate: some that once did not are here."""
    for percent, seed in ((3.25, 1), (1.5, 2), (5.0, 0), *((k / 2.0, k) for k in range(1, 16))):
        tracking = made(n=1000, spread=0.004, rate=percent / 100.0, noise=0.001, seed=seed).tracking
        with pytest.raises(DataError, match="financing rate did not move"):
            calibrate_fund(tracking, ("SP", "SW"))


@pytest.mark.parametrize("still", [0.0, 0.01])
def test_a_rate_that_moved_in_a_few_months_only_is_fitted_or_refused_in_words(still: float) -> None:
    rate = np.full(1000, still)
    rate[-100:] = 0.03
    tracking = made(n=1000, rate=rate.tolist(), noise=0.001).tracking
    try:
        fit = calibrate_fund(tracking, ("SP", "SW"))
    except AlphaOverlayError:
        return
    for one in fit.estimates:
        assert all(abs(number) < 100.0 for number in (one.value, one.standard_error, one.low, one.high))


def test_a_rate_that_hardly_moved_is_cautioned() -> None:
    rates = {"hardly": np.linspace(0.02, 0.025, 1000), "moved": np.linspace(0.0, 0.05, 1000)}
    said = {
        name: " ".join(calibrate_fund(made(n=1000, rate=rate.tolist(), noise=0.001).tracking, ("SP", "SW")).cautions)
        for name, rate in rates.items()
    }
    # Spread evenly over 0.5 points: a standard deviation of 0.5/sqrt(12) = 0.14 points.
    assert "SW can hardly be told from" in said["hardly"]
    assert "the financing rate moved by only 0.14%" in said["hardly"]
    assert "hardly" not in said["moved"]


# --- groups ---


def group(cases: Sequence[Made], seed: int = 0) -> float:
    """The group's spread."""
    return fit_group([(one.tracking.real.index, sample_of(one.tracking)) for one in cases], seed).value


def test_a_group_of_one_is_that_fund_alone() -> None:
    case = made(noise=0.003)
    assert group([case]) == pytest.approx(values_of(calibrate_fund(case.tracking))["SP"], abs=1e-13)


def test_funds_of_one_spread_give_it_whatever_their_lives() -> None:
    cases = [
        made(n=1500, leverage=2.0, spread=0.0061, seed=1),
        made(n=400, leverage=3.0, spread=0.0061, seed=2, first="2019-03-01"),
        made(n=900, leverage=1.5, spread=0.0061, seed=3, first="2012-01-03"),
    ]
    assert group(cases) == pytest.approx(0.0061, abs=1e-13)


def test_a_group_minimises_years_times_squared_tracking_difference() -> None:
    cases = [
        made(n=1500, leverage=2.0, spread=0.002, noise=0.002, seed=1),
        made(n=800, leverage=3.0, spread=0.009, noise=0.004, seed=2, first="2016-03-01"),
    ]

    def missed(spread: float) -> float:
        years = [float(case.days.sum()) / 365.25 for case in cases]
        return math.fsum(y * (math.fsum(one.gaps(spread)) / y) ** 2 for one, y in zip(cases, years, strict=True))

    least = minimize_scalar(missed, bracket=(0.0, 0.01), tol=1e-12).x
    assert group(cases) == pytest.approx(least, abs=1e-7)
    alone = [values_of(calibrate_fund(one.tracking))["SP"] for one in cases]
    assert min(alone) < group(cases) < max(alone)


def test_a_short_lived_fund_may_be_missing_from_a_resample() -> None:
    cases = [made(n=3000, noise=0.003, seed=1), made(n=80, noise=0.003, seed=2, first="2020-03-02")]
    fit = fit_group([(one.tracking.real.index, sample_of(one.tracking)) for one in cases])
    assert all(map(math.isfinite, (fit.value, fit.standard_error, fit.low, fit.high)))
    assert 0.0 < fit.standard_error < 0.05
    assert fit.low < fit.value < fit.high


def test_two_copies_of_a_fund_are_no_more_certain_than_one() -> None:
    """The resamples take the sessions of all funds together: what is shared does not average out."""
    case = made(n=1500, noise=0.003)
    samples = [(case.tracking.real.index, sample_of(case.tracking))]
    one, two = fit_group(samples), fit_group(samples * 2)
    assert two.standard_error == pytest.approx(one.standard_error, rel=1e-9)
    assert [two.low, two.high] == pytest.approx([one.low, one.high], abs=1e-12)


# --- real funds ---


# The second implementation is slow: each file is read and each fund loaded once, and its bisection is scipy's Brent.
read_once = functools.cache(second_opinion.read_prices)
loaded: dict[tuple[object, ...], second_tracking.Span] = {}


def crossing(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function crosses zero."""
    return low if high - low < 1e-15 else float(brentq(rising, low, high, xtol=1e-15))


@contextmanager
def quickly() -> Iterator[None]:
    """The second implementation in a few seconds instead of half a minute, saying the same."""
    load = second_tracking.load

    def load_once(
        data: Path, fund: second_tracking.Fund, start: datetime.date | None = None, end: datetime.date | None = None
    ) -> second_tracking.Span:
        key = (data, fund["symbol"], start, end)
        if key not in loaded:
            loaded[key] = load(data, fund, start, end)
        return loaded[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(second_opinion, "read_prices", read_once)
        patch.setattr(second_tracking, "load", load_once)
        patch.setattr(second_tracking, "_root", crossing)
        yield


def second_fit(data: Path, symbol: str, end: datetime.date | None = None) -> float:
    """The second implementation's spread of a fund."""
    with quickly():
        return second_tracking.fit_spread(data, second_tracking.fund_row(symbol), None, end)


@pytest.mark.parametrize("symbol", LEVERAGED)
def test_spreads_of_real_funds_are_those_of_the_second_implementation(reference_data: Path, symbol: str) -> None:
    fit = read_calibration(symbol, FolderSource(reference_data)).calibration
    assert values_of(fit)["SP"] == pytest.approx(second_fit(reference_data, symbol), abs=1e-9)
    assert math.fsum(fit.residual) == pytest.approx(0.0, abs=1e-12)


def test_the_spread_up_to_a_day_is_that_of_the_second_implementation(reference_data: Path) -> None:
    fit = read_calibration("UPRO", FolderSource(reference_data), until="2015-12-31").calibration
    expected = second_fit(reference_data, "UPRO", datetime.date(2015, 12, 31))
    assert values_of(fit)["SP"] == pytest.approx(expected, abs=1e-9)


def test_too_few_sessions_to_compare_are_refused_before_any_fit() -> None:
    with pytest.raises(SpanError, match="too few to compare"):
        made(n=60)
