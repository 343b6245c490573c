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
from alphaoverlay.funds.synthesis import index_moves
from alphaoverlay.funds.tracking import Tracking
from alphaoverlay.history import FloatArray

Term = Literal["SP", "SW", "E"]
BLOCK = 252
RESAMPLES = 2000
# One block cannot be resampled, and three are the least that say anything of a spread's changes.
FEWEST_SESSIONS, FEW_SESSIONS = BLOCK, 3 * BLOCK
ROLLING, STEP = 756, 63
# A financing rate that moved less than this (standard deviation, yearly) does not tell SW from SP.
STILL_RATE = 0.0025


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
    fund : with the terms in use before the fit; `fitted`: with the fitted ones.
    tracking : of the fund as it was compared before the fit.
    estimates : one a term asked for; each alone where two cannot be told apart.
    residual : daily log gap after the fit, built minus real.
    rolling : spread fitted to windows of `ROLLING` sessions, by the window's last session.
    by_year : spread fitted to each calendar year.
    cautions : what cannot be told apart, and what is too short.
    seed : of the bootstrap.
    """

    fund: Fund
    fitted: Fund
    tracking: Tracking
    estimates: tuple[Estimate, ...]
    residual: pd.Series
    rolling: pd.Series
    by_year: pd.Series
    cautions: tuple[str, ...]
    seed: int


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

    def gaps(self, spread: float, swap_exposure: float, expense: float | None) -> FloatArray:
        """Return built minus real in log return; `expense` None is the ratio in force on each session."""
        return np.log1p(self.built(spread, swap_exposure, expense)) - np.log1p(self.real)

    def built(self, spread: float, swap_exposure: float, expense: float | None) -> FloatArray:
        """Return M1."""
        borrowed = self.leverage - 1.0
        charged = (self.expense if expense is None else expense) * self.e
        financing = swap_exposure * (borrowed * self.accrual + abs(borrowed) * spread * self.d)
        return np.maximum(self.moves - financing - charged, -1.0 + 1e-12)

    def slopes(self, spread: float, swap_exposure: float, expense: float | None) -> dict[Term, FloatArray]:
        """Return by how much a unit more of each term lowers the log return of each session."""
        borrowed, grown = self.leverage - 1.0, 1.0 + self.built(spread, swap_exposure, expense)
        return {
            "SP": swap_exposure * abs(borrowed) * self.d / grown,
            "SW": (borrowed * self.accrual + abs(borrowed) * spread * self.d) / grown,
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
    fund = tracking.fund
    asked = tuple(dict.fromkeys(terms))
    if not asked or not set(asked) <= {"SP", "SW", "E"}:
        raise StudyError(f"fit = {', '.join(asked) or 'nothing'}: write one or more of SP, SW, E")
    if side_of(fund.leverage) is None and set(asked) != {"E"}:
        raise StudyError(f"{fund.symbol} borrows nothing (leverage {fund.leverage:g}), so it has no spread to fit")
    sample = sample_of(tracking)
    if len(sample.real) < FEWEST_SESSIONS:
        raise DataError(
            f"{fund.symbol}: {len(sample.real)} sessions, too short to calibrate; a year ({FEWEST_SESSIONS}) is the "
            "least, "
            f"three ({FEW_SESSIONS}) say something of the uncertainty"
        )
    # The level and the rate's swings are two facts of a history; a third term repeats one of them.
    groups = (
        [asked] if not {"SP", "E"} <= set(asked) else [tuple(t for t in asked if t != other) for other in ("E", "SP")]
    )
    found: dict[Term, Estimate] = {}
    for group in groups:
        for one in _fit(fund, sample, group, seed):
            found.setdefault(one.term, one)
    estimates = tuple(found[term] for term in asked)
    fitted = _with_terms(fund, {one.term: one.value for one in estimates if one.term in groups[0]})
    own = _own_terms(fitted)
    gaps = sample.gaps(own["SP"], own["SW"], own["E"] if "E" in groups[0] else None)
    return Calibration(
        fund=fund,
        fitted=fitted,
        tracking=tracking,
        estimates=estimates,
        residual=pd.Series(gaps, index=tracking.real.index),
        rolling=_rolling(fund, sample, tracking.real.index),
        by_year=_by_year(fund, sample, tracking.real.index),
        cautions=_cautions(fund, sample, asked),
        seed=seed,
    )


def _own_terms(fund: Fund) -> dict[Term, float]:
    return {"SP": fund.spread, "SW": fund.swap_exposure, "E": fund.expense}


def _with_terms(fund: Fund, values: Mapping[Term, float]) -> Fund:
    own = {**_own_terms(fund), **values}
    changed = replace(fund, spread=own["SP"], swap_exposure=own["SW"], expense=own["E"], spread_basis="stated")
    return replace(changed, expense_history=()) if "E" in values else changed


def _fit(fund: Fund, sample: Sample, terms: tuple[Term, ...], seed: int) -> list[Estimate]:
    """Solve the moment conditions by Newton's method, then resample blocks of sessions around the solution."""
    values = _own_terms(fund)
    # Where E is not fitted the ratio of each session's day holds.
    constant = "E" in terms
    weights = np.stack([sample.rate if term == "SW" else np.ones_like(sample.rate) for term in terms])
    for _ in range(20):
        gaps, slopes = _linearised(sample, values, terms, constant=constant)
        step = _solve(weights @ slopes, weights @ gaps)
        values |= {term: values[term] + float(change) for term, change in zip(terms, step, strict=True)}
        if float(np.abs(step).max()) < 1e-13:
            break
    gaps, slopes = _linearised(sample, values, terms, constant=constant)
    p = len(terms)
    products = np.concatenate(
        [weights.T * gaps[:, None], (weights.T[:, :, None] * slopes[:, None, :]).reshape(len(gaps), p * p)], axis=1
    )
    sums = block_sums(products, BLOCK, RESAMPLES, seed)
    moved = np.linalg.solve(sums[:, p:].reshape(-1, p, p), sums[:, :p, None])[:, :, 0]
    estimates = []
    for k, term in enumerate(terms):
        low, high = np.quantile(moved[:, k], [0.025, 0.975])
        middle = values[term]
        estimates.append(
            Estimate(
                term,
                _own_terms(fund)[term],
                middle,
                float(moved[:, k].std(ddof=1)),
                middle + float(low),
                middle + float(high),
            )
        )
    return estimates


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
        raise DataError(
            "SW cannot be told from SP: the financing rate did not move on these sessions; fit SP alone"
        ) from None


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
    frame = pd.DataFrame({"gap": gaps, "slope": slopes}, index=dates).groupby(pd.DatetimeIndex(dates).year).sum()
    return fund.spread + frame["gap"] / frame["slope"]


def _cautions(fund: Fund, sample: Sample, terms: Sequence[Term]) -> tuple[str, ...]:
    said = []
    n, borrowed = len(sample.real), abs(fund.leverage - 1.0)
    if n < FEW_SESSIONS:
        said.append(
            f"Short: {n} sessions hold fewer than three blocks of {BLOCK}, so the interval is too narrow to be "
            "believed."
        )
    if {"SP", "E"} <= set(terms):
        said.append(
            "SP and E cannot be told apart: both are a constant yearly cost of this fund. Each is fitted with the "
            "other as "
            "it was; do not use both."
        )
    elif "E" not in terms:
        said.append(
            "SP and E cannot be told apart: an expense ratio that is wrong by 0.10% moves the spread by "
            f"{0.1 / borrowed:.2f}%."
        )
    if "SW" in terms and float(sample.rate.std()) < STILL_RATE:
        said.append(
            f"SW can hardly be told from SP here: the financing rate moved by only {sample.rate.std():.2%} "
            "(standard deviation)."
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
    low, high = np.quantile(moved, [0.025, 0.975])
    return Estimate("SP", 0.0, spread, float(moved.std(ddof=1)), spread + float(low), spread + float(high))


def _totals(sample: Sample, spread: float) -> tuple[float, float, float]:
    """Sum of gaps, sum of slopes, and years."""
    slopes = sample.slopes(spread, 1.0, None)["SP"]
    return float(sample.gaps(spread, 1.0, None).sum()), float(slopes.sum()), float(sample.e.sum())
