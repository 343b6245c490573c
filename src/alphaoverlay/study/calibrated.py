"""Fit a fund's financing terms to its history in a source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alphaoverlay.errors import StudyError
from alphaoverlay.funds.calibration import Calibration, Estimate, Term, calibrate_fund, sample_of
from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.funds.ticker import BOUNDS
from alphaoverlay.market.source import Source
from alphaoverlay.study.tracked import TrackedFund, read_tracking

TERMS: tuple[Term, ...] = ("SP", "SW", "E")


@dataclass(frozen=True)
class CalibratedFund:
    """A fit and the comparison it started from."""

    calibration: Calibration
    tracked: TrackedFund

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that every output must carry."""
        return (*self.tracked.notes, *self.calibration.cautions)


def fit_terms(text: str) -> tuple[Term, ...]:
    """Read terms such as "SP,SW".

    Raises
    ------
    StudyError : another word.
    """
    words = [word.strip().upper() for word in text.replace(",", " ").split()]
    terms = tuple(term for term in TERMS if term in words)
    if not words or len(terms) != len(set(words)):
        raise StudyError(f"--fit {text}: write one or more of SP, SW and E with commas, such as --fit SP,SW")
    return terms


def read_calibration(
    symbol: str,
    source: Source,
    catalogue: Catalogue | None = None,
    *,
    start: str | None = None,
    until: str | None = None,
    rate: str | float | None = None,
    terms: Sequence[Term] = ("SP",),
    seed: int = 0,
) -> CalibratedFund:
    """Read a fund and fit its financing terms to its real history.

    Parameters
    ----------
    symbol, source, catalogue, start, rate : as `read_tracking`.
    until : last close to look at.
    terms : which to fit.
    seed : of the bootstrap.

    Raises
    ------
    AlphaOverlayError : as `read_tracking` and `calibrate_fund`.
    """
    tracked = read_tracking(symbol, source, catalogue, start=start, end=until, rate=rate)
    return CalibratedFund(calibrate_fund(tracked.tracking, terms, seed), tracked)


def ticker_terms(calibration: Calibration) -> str:
    """Write the fitted fund as a ticker, percent, the spread signed; "or" between fits that bar each other."""
    sign = 1.0 if calibration.fund.leverage > 1.0 else -1.0

    def written(one: Estimate) -> str:
        value = one.value if one.term == "SW" else 100.0 * one.value * (sign if one.term == "SP" else 1.0)
        low, high = BOUNDS[one.term]
        text = f"{one.term}={round(value, 4) + 0.0:g}"
        return text if low <= value <= high else f"{text} (no fund has that)"

    fund, expense = calibration.fund, 100.0 * float(sample_of(calibration.tracking).expense.mean())
    symbol = next(iter(fund.exposures)) if len(fund.exposures) == 1 else fund.symbol

    in_use: dict[Term, float] = {"E": expense, "SP": 100.0 * sign * fund.spread, "SW": fund.swap_exposure}

    def whole(fit: tuple[Estimate, ...]) -> str:
        terms = {term: f"{term}={round(value, 4) + 0.0:g}" for term, value in in_use.items()}
        if fund.swap_exposure == 1.0:
            del terms["SW"]  # what a ticker means without it
        terms |= {one.term: written(one) for one in fit}
        return f"{symbol}?{'&'.join([f'L={fund.leverage:g}', *terms.values()])}"

    return " or ".join(whole(fit) for fit in calibration.fits)
