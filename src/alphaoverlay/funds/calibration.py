"""The financing terms that make M1 end where the real fund ended (method, "Calibration")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from alphaoverlay.errors import DataError, StudyError
from alphaoverlay.funds.blocks import block_sums
from alphaoverlay.funds.expenses import expenses_on
from alphaoverlay.funds.financing import side_of
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.gaps import YEARLY
from alphaoverlay.funds.synthesis import index_moves
from alphaoverlay.funds.tracking import Tracking
from alphaoverlay.history import FloatArray

Term = Literal["SP", "SW", "E"]
BLOCK = 252
RESAMPLES = 2000
# One block cannot be resampled, and three are the least that say anything of a spread's changes.
FEWEST_SESSIONS, FEW_SESSIONS = BLOCK, 3 * BLOCK
ROLLING, STEP = 756, 63
# With fewer the ends of a year weigh more than its costs.
FEWEST_IN_A_YEAR = 120
# A financing rate that moved less than this (standard deviation, yearly) does not tell SW from SP.
STILL_RATE = 0.0025
# A resample tells them apart where its rate moved by at least this share of the whole history's.
MOVES_ENOUGH = 0.3
STILL = (
    "SW cannot be told from the other terms: the financing rate did not move on these sessions, or in a few months "
    "only; fit them alone"
)


@dataclass(frozen=True)
class Estimate:
    """A fitted term, yearly fraction (SW: units).

    Attributes
    ----------
    term : SP is the spread `s` of M1, a cost on both sides; SW the swap exposure; E the expense ratio.
    assumed : the value in use without the fit.
    value : the fit.
    standard_error, low, high : from the block bootstrap; `low` to `high` is the 95% percentile interval.
    """

    term: Term
    assumed: float
    value: float
    standard_error: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """Fitted terms of one fund.

    Attributes
    ----------
    fund : with the terms in use before the fit; `fitted`: with those of the first fit.
    tracking : of the fund as it was compared before the fit.
    fits : one with an estimate for each term asked for; two where SP and E were, each with one of them.
    residual : daily log gap after the first fit, built minus real.
    rolling : spread fitted to windows of `ROLLING` sessions, by the window's last session, the other terms as in use.
    by_year : the same for each calendar year with at least `FEWEST_IN_A_YEAR` sessions.
    cautions : what cannot be told apart, and what is too short.
    seed : of the bootstrap.
    """

    fund: Fund
    fitted: Fund
    tracking: Tracking
    fits: tuple[tuple[Estimate, ...], ...]
    residual: pd.Series
    rolling: pd.Series
    by_year: pd.Series
    cautions: tuple[str, ...]
    seed: int

    @property
    def residual_statistics(self) -> dict[str, float]:
        """Tracking difference and error after the fit, correlation of a daily gap with the next, largest daily gap."""
        gap = self.residual.to_numpy(dtype=np.float64)
        away = gap - gap.mean()
        return {
            "tracking_difference": float(gap.sum()) / self.tracking.years,
            "tracking_error": float(gap.std(ddof=1)) * YEARLY,
            "autocorrelation": float(away[1:] @ away[:-1]) / float(away @ away),
            "largest": float(gap[int(np.abs(gap).argmax())]),
        }

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """Every term asked for, once."""
        found = {one.term: one for fit in reversed(self.fits) for one in fit}
        return tuple(found[term] for term in ("SP", "SW", "E") if term in found)


@dataclass(frozen=True)
class Sample:
    """What the fit of one fund needs, on n sessions: moves of its index, its real returns, and the clocks of M1."""

    leverage: float
    moves: FloatArray
    real: FloatArray
    accrual: FloatArray
    rate: FloatArray
    d: FloatArray
    e: FloatArray
    expense: FloatArray

    @property
    def spread_units(self) -> float:
        """`|L-1|`, on which the spread is paid; none for 0 <= L <= 1."""
        return 0.0 if side_of(self.leverage) is None else abs(self.leverage - 1.0)

    def gaps(self, spread: float, swap_exposure: float, expense: float | None) -> FloatArray:
        """Return built minus real in log return; `expense` None is the ratio in force on each session."""
        return np.log1p(self.built(spread, swap_exposure, expense)) - np.log1p(self.real)

    def built(self, spread: float, swap_exposure: float, expense: float | None) -> FloatArray:
        """Return M1."""
        borrowed, spread_units = self.leverage - 1.0, self.spread_units
        charged = (self.expense if expense is None else expense) * self.e
        financing = swap_exposure * (borrowed * self.accrual + spread_units * spread * self.d)
        return np.maximum(self.moves - financing - charged, -1.0 + 1e-12)

    def slopes(self, spread: float, swap_exposure: float, expense: float | None) -> dict[Term, FloatArray]:
        """Return by how much a unit more of each term lowers the log return of each session."""
        borrowed, grown = self.leverage - 1.0, 1.0 + self.built(spread, swap_exposure, expense)
        return {
            "SP": swap_exposure * self.spread_units * self.d / grown,
            "SW": (borrowed * self.accrual + self.spread_units * spread * self.d) / grown,
            "E": self.e / grown,
        }


def sample_of(tracking: Tracking) -> Sample:
    """Return the arrays of a tracked fund, one entry a compared session."""
    fund, span = tracking.fund, tracking.history
    known = {name: one.returns.reindex(span.dates) for name, one in tracking.indices.items()}
    rows = slice(1, None)
    return Sample(
        leverage=fund.leverage,
        moves=index_moves(fund, known, span, as_it_was=True)[rows],
        real=tracking.real.to_numpy(dtype=np.float64),
        accrual=span.accrual[rows],
        rate=span.financing[rows],
        d=span.d[rows],
        e=span.e[rows],
        expense=expenses_on(fund, span.dates)[rows],
    )


def calibrate_fund(tracking: Tracking, terms: Sequence[Term] = ("SP",), seed: int = 0) -> Calibration:
    """Fit financing terms of a fund to its real history.

    The spread is the one at which the synthetic fund ends where the real one ended: the sum of the log gaps is zero.
    With SW beside it, the sum of the gaps weighted by the financing rate is zero as well. SP and E of one fund are both
    a constant cost: asked for together, each is fitted alone.

    Parameters
    ----------
    tracking : from `track_fund`, over the span to fit to.
    terms : which to fit; the others stay as they are.
    seed : of the bootstrap.

    Raises
    ------
    StudyError : an unknown term, or a fund that borrows nothing.
    DataError : a history of less than `FEWEST_SESSIONS` sessions.
    """
    fund, asked = tracking.fund, tuple(dict.fromkeys(terms))
    if not asked or not set(asked) <= {"SP", "SW", "E"}:
        raise StudyError(f"fit = {', '.join(asked) or 'nothing'}: write one or more of SP, SW, E")
    if side_of(fund.leverage) is None and set(asked) != {"E"}:
        raise StudyError(f"{fund.symbol} borrows nothing (leverage {fund.leverage:g}), so it has no spread to fit")
    sample, dates = sample_of(tracking), tracking.real.index
    if len(dates) < FEWEST_SESSIONS:
        raise DataError(
            f"{fund.symbol}: {len(dates)} sessions, too short to calibrate; a year ({FEWEST_SESSIONS}) is the least, "
            f"three ({FEW_SESSIONS}) say something of the uncertainty"
        )
    both = {"SP", "E"} <= set(asked)
    ways = [tuple(t for t in asked if t != other) for other in ("E", "SP")] if both else [asked]
    fits = tuple(_fit(fund, sample, way, seed) for way in ways)
    fitted = _with_terms(fund, {one.term: one.value for one in fits[0]})
    own = _own_terms(fitted)
    gaps = sample.gaps(own["SP"], own["SW"], own["E"] if "E" in ways[0] else None)
    return Calibration(
        fund=fund,
        fitted=fitted,
        tracking=tracking,
        fits=fits,
        residual=pd.Series(gaps, index=dates),
        rolling=_rolling(fund, sample, dates),
        by_year=_by_year(fund, sample, dates),
        cautions=_cautions(fund, sample, asked),
        seed=seed,
    )


def _own_terms(fund: Fund) -> dict[Term, float]:
    return {"SP": fund.spread, "SW": fund.swap_exposure, "E": fund.expense}


def _with_terms(fund: Fund, values: Mapping[Term, float]) -> Fund:
    own = {**_own_terms(fund), **values}
    changed = replace(fund, spread=own["SP"], swap_exposure=own["SW"], expense=own["E"], spread_basis="stated")
    return replace(changed, expense_history=()) if "E" in values else changed


def _fit(fund: Fund, sample: Sample, terms: tuple[Term, ...], seed: int) -> tuple[Estimate, ...]:
    """Solve the moment conditions by Newton's method, then resample blocks of sessions around the solution."""
    values = _own_terms(fund)
    if "SW" in terms and len(terms) > 1 and float(sample.rate.std()) < 1e-9:
        raise DataError(STILL)
    # Where E is not fitted the ratio of each session's day holds.
    constant = "E" in terms
    # The first condition: the synthetic fund ends where the real one ended. A second term adds the rate's swings.
    by_rate = [term == "SW" and len(terms) > 1 for term in terms]
    weights = np.stack([sample.rate if swings else np.ones_like(sample.rate) for swings in by_rate])
    for _ in range(20):
        gaps, slopes = _linearised(sample, values, terms, constant=constant)
        step = _solve(weights @ slopes, weights @ gaps)
        values |= {term: values[term] + float(change) for term, change in zip(terms, step, strict=True)}
        if float(np.abs(step).max()) < 1e-13:
            break
    gaps, slopes = _linearised(sample, values, terms, constant=constant)
    p = len(terms)
    rate = sample.rate[:, None]
    conditions = weights.T * gaps[:, None]
    matrices = (weights.T[:, :, None] * slopes[:, None, :]).reshape(len(gaps), p * p)
    sums = block_sums(np.concatenate([conditions, matrices, rate, rate**2], axis=1), BLOCK, RESAMPLES, seed)
    if len(terms) > 1:
        sums = _with_moving_rate(sums, sample.rate)
    moved: FloatArray = np.linalg.solve(sums[:, p : p + p * p].reshape(-1, p, p), sums[:, :p, None])[:, :, 0].astype(
        np.float64
    )
    assumed = _own_terms(fund) | {"E": float(sample.expense.mean())}
    return tuple(_estimate(term, assumed[term], values[term], moved[:, k]) for k, term in enumerate(terms))


def _estimate(term: Term, assumed: float, value: float, moved: FloatArray) -> Estimate:
    """An estimate with its error, from by how much each resample moves it."""
    low, high = np.quantile(moved, [0.025, 0.975])
    return Estimate(term, assumed, value, float(moved.std(ddof=1)), value + float(low), value + float(high))


def _with_moving_rate(sums: FloatArray, rate: FloatArray) -> FloatArray:
    """Resamples in which the rate moved, judged by its sum and sum of squares in the last two columns."""
    n = len(rate)
    variance = sums[:, -1] / n - (sums[:, -2] / n) ** 2
    moves = variance > (MOVES_ENOUGH * float(rate.std())) ** 2
    if moves.mean() < 0.75:
        raise DataError(STILL)
    return sums[moves]


def _linearised(
    sample: Sample, values: Mapping[Term, float], terms: tuple[Term, ...], *, constant: bool
) -> tuple[FloatArray, FloatArray]:
    """Gaps (n,) and slopes (n, p) at some terms."""
    at = (values["SP"], values["SW"], values["E"] if constant else None)
    slopes = sample.slopes(*at)
    return sample.gaps(*at), np.stack([slopes[term] for term in terms], axis=1)


def _solve(matrix: FloatArray, right: FloatArray) -> FloatArray:
    try:
        solved: FloatArray = np.asarray(np.linalg.solve(matrix, right), dtype=np.float64)
        return solved
    except np.linalg.LinAlgError:
        raise DataError(STILL) from None


def _level(fund: Fund, sample: Sample) -> tuple[FloatArray, FloatArray]:
    """Gaps and slopes of the spread, linear around the one in use."""
    slopes = sample.slopes(fund.spread, fund.swap_exposure, None)["SP"]
    return sample.gaps(fund.spread, fund.swap_exposure, None), slopes


def _rolling(fund: Fund, sample: Sample, dates: pd.Index) -> pd.Series:
    """Spread of each window of `ROLLING` sessions, every `STEP` sessions; empty for a fund that borrows nothing."""
    if side_of(fund.leverage) is None or len(dates) < ROLLING:
        return pd.Series(dtype=np.float64)
    sums = [np.concatenate(([0.0], np.cumsum(one))) for one in _level(fund, sample)]
    last = np.arange(len(dates), ROLLING - 1, -STEP)[::-1]
    gaps, slopes = (one[last] - one[last - ROLLING] for one in sums)
    return pd.Series(fund.spread + gaps / slopes, index=dates[last - 1])


def _by_year(fund: Fund, sample: Sample, dates: pd.Index) -> pd.Series:
    if side_of(fund.leverage) is None:
        return pd.Series(dtype=np.float64)
    gaps, slopes = _level(fund, sample)
    years = pd.DataFrame({"gap": gaps, "slope": slopes}, index=dates).groupby(pd.DatetimeIndex(dates).year)
    frame = years.sum()[years.size() >= FEWEST_IN_A_YEAR]
    return fund.spread + frame["gap"] / frame["slope"]


def _cautions(fund: Fund, sample: Sample, terms: Sequence[Term]) -> tuple[str, ...]:
    said = []
    n, borrowed = len(sample.real), abs(fund.leverage - 1.0)
    if n < FEW_SESSIONS:
        said.append(
            f"Short: {n} sessions hold fewer than three blocks of {BLOCK}: the interval is too narrow to be believed."
        )
    if {"SP", "E"} <= set(terms):
        said.append(
            "SP and E cannot be told apart: both are a constant yearly cost of this fund. Each is fitted with the "
            "other as in use; do not take both."
        )
    elif "SP" in terms:
        said.append(
            "SP and E cannot be told apart: an expense ratio that is wrong by 0.10% moves the spread by "
            f"{0.1 / borrowed:.2f}%."
        )
    elif "E" in terms and borrowed:
        said.append(
            "SP and E cannot be told apart: a spread that is wrong by 0.10% moves the expense ratio by "
            f"{0.1 * borrowed:.2f}%."
        )
    if "SW" in terms and len(terms) > 1 and float(sample.rate.std()) < STILL_RATE:
        said.append(
            "SW can hardly be told from the other terms here: the financing rate moved by only "
            f"{sample.rate.std():.2%} (standard deviation)."
        )
    return tuple(said)


def fit_group(samples: Sequence[tuple[pd.Index, Sample]], seed: int = 0) -> Estimate:
    """Fit one spread to several funds: it minimises the sum of years times squared tracking difference.

    Parameters
    ----------
    samples : dates and sample of each fund, at their present expense histories and SW = 1.
    seed : of the bootstrap, which resamples the funds' sessions together.

    Returns
    -------
    The spread, which may be negative; `assumed` is 0.
    """
    spread = 0.0
    for _ in range(20):
        gaps, slopes, years = (np.array(one) for one in zip(*(_totals(s, spread) for _, s in samples), strict=True))
        step = float((slopes * gaps / years).sum() / (slopes**2 / years).sum())
        spread += step
        if abs(step) < 1e-14:
            break
    dates = samples[0][0]
    for own, _ in samples[1:]:
        dates = dates.union(own)
    columns = []
    for own, sample in samples:
        at = dates.get_indexer(own)
        for values in (sample.gaps(spread, 1.0, None), sample.slopes(spread, 1.0, None)["SP"], sample.e):
            column = np.zeros(len(dates))
            column[at] = values
            columns.append(column)
    sums = block_sums(np.stack(columns, axis=1), BLOCK, RESAMPLES, seed).reshape(RESAMPLES, len(samples), 3)
    gaps, slopes, years = (sums[:, :, k] for k in range(3))
    years = np.where(years > 0.0, years, np.inf)  # a resample may miss a short-lived fund
    moved = (slopes * gaps / years).sum(axis=1) / (slopes**2 / years).sum(axis=1)
    return _estimate("SP", 0.0, spread, moved)


def _totals(sample: Sample, spread: float) -> tuple[float, float, float]:
    """Sum of gaps, sum of slopes, and years."""
    slopes = sample.slopes(spread, 1.0, None)["SP"]
    return float(sample.gaps(spread, 1.0, None).sum()), float(slopes.sum()), float(sample.e.sum())
