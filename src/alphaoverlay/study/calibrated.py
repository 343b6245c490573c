"""Fit a fund's financing terms to its history in a source: the report and the JSON document of `calibrate`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import BaseModel

from alphaoverlay import __version__
from alphaoverlay.errors import StudyError
from alphaoverlay.funds.calibration import (
    BLOCK,
    RESAMPLES,
    ROLLING,
    Calibration,
    Estimate,
    Term,
    calibrate_fund,
)
from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.funds.gaps import YEARLY
from alphaoverlay.history import iso
from alphaoverlay.market.source import Source
from alphaoverlay.report import figures
from alphaoverlay.report.model import Column, Figure, Kind, Report, Row, Section, Table, Tile, write_cell
from alphaoverlay.study.reporting import DISCLAIMER, provenance_table
from alphaoverlay.study.results import Document, SpreadModel, data_model, spread_model
from alphaoverlay.study.tracked import TrackedFund, read_tracking
from alphaoverlay.study.tracking_report import terms_table

TERMS: tuple[Term, ...] = ("SP", "SW", "E")
NAMES = {"SP": "Spread s over the financing rate, a year", "SW": "Swap exposure SW", "E": "Expense ratio E, a year"}
KINDS: dict[Term, Kind] = {"SP": "percent 2", "SW": "ratio", "E": "percent 2"}


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


def calibration_report(calibrated: CalibratedFund) -> Report:
    """Return everything that is said about a fit."""
    calibration, tracked = calibrated.calibration, calibrated.tracked
    span = calibration.tracking.history
    parts: list[Table | Figure] = [_estimates_table(calibration), _residual_table(calibration)]
    sections = [Section("Fit", tuple(parts))]
    if len(calibration.by_year):
        sections.append(Section("Stability", tuple(_stability(calibration))))
    sections += [
        Section("Assumptions", (terms_table(calibration.fund, span.dates[-1]),)),
        Section("Where the data came from", (provenance_table(tracked.data),)),
    ]
    return Report(
        title=f"{calibration.fund.symbol}: financing terms fitted to the real fund",
        summary=_summary(calibration),
        notes=calibrated.notes,
        tiles=tuple(_tile(one) for one in calibration.estimates),
        sections=tuple(sections),
        foot=(
            f"Data: {tracked.source}, {iso(span.dates[0])} to {iso(span.dates[-1])}, "
            f"{len(calibration.tracking.real):,} sessions. Fingerprint of the values used: "
            f"{tracked.data.history.fingerprint}",
            f"alphaoverlay {__version__}. {DISCLAIMER}",
        ),
    )


def _summary(calibration: Calibration) -> str:
    span, one = calibration.tracking.history, calibration.estimates[0]
    kind = KINDS[one.term]
    return (
        f"From {iso(span.dates[0])} to {iso(span.dates[-1])} the {NAMES[one.term].split(',')[0].lower()} that makes "
        "the "
        f"synthetic {calibration.fund.symbol} end where the real one ended is {write_cell(one.value, kind)} "
        f"(95% interval {write_cell(one.low, kind)} to {write_cell(one.high, kind)}), against "
        f"{write_cell(one.assumed, kind)} in use. In a ticker: {ticker_terms(calibration)}."
    )


def ticker_terms(calibration: Calibration) -> str:
    """Write the fitted terms as a ticker does: percent, the spread signed."""
    sign = 1.0 if calibration.fund.leverage > 1.0 else -1.0
    written = []
    for one in calibration.estimates:
        value = one.value if one.term == "SW" else 100.0 * one.value * (sign if one.term == "SP" else 1.0)
        written.append(f"{one.term}={round(value, 4) + 0.0:g}")
    return (" or " if {"SP", "E"} <= {one.term for one in calibration.estimates} else "&").join(written)


def _tile(one: Estimate) -> Tile:
    kind = KINDS[one.term]
    against = f"95%: {write_cell(one.low, kind)} to {write_cell(one.high, kind)}"
    return Tile(NAMES[one.term], write_cell(one.value, kind), against)


def _estimates_table(calibration: Calibration) -> Table:
    rows = [
        Row((NAMES[one.term], one.value, one.standard_error, one.low, one.high, one.assumed), kind=KINDS[one.term])
        for one in calibration.estimates
    ]
    heads = ("Estimate", "Standard error", "95% from", "to", "In use")
    note = (
        f"Intervals from {RESAMPLES:,} circular block resamples of {BLOCK} sessions: spreads change from year to "
        "year, so "
        "shorter blocks would flatter. A spread below zero says that the fund did better than the financing rate."
    )
    return Table("Fitted terms", (Column(""), *(Column(head, "percent 2") for head in heads)), tuple(rows), note)


def residual_figures(calibration: Calibration) -> dict[str, float]:
    """Return the tracking difference and error after the fit, and the autocorrelation of the daily gap."""
    gap = calibration.residual.to_numpy(dtype=np.float64)
    away = gap - gap.mean()
    return {
        "tracking_difference": float(gap.sum()) / calibration.tracking.years,
        "tracking_error": float(gap.std(ddof=1)) * YEARLY,
        "autocorrelation": float(away[1:] @ away[:-1]) / float(away @ away),
        "largest": float(gap[int(np.abs(gap).argmax())]),
    }


def _residual_table(calibration: Calibration) -> Table:
    seen = residual_figures(calibration)
    rows = (
        Row(("Tracking difference a year", seen["tracking_difference"])),
        Row(("Daily gap, standard deviation a year", seen["tracking_error"])),
        Row(("Daily gap, correlation with the next", seen["autocorrelation"]), kind="signed"),
        Row(("Largest daily gap", seen["largest"])),
    )
    note = "Negative correlation: a gap is mostly undone the next session, as prices do, not costs."
    return Table("Residuals after the fit", (Column(""), Column("Value", "signed percent")), rows, note)


def _stability(calibration: Calibration) -> list[Table | Figure]:
    years = calibration.by_year
    rows = tuple(Row((str(year), float(value))) for year, value in years.items())
    parts: list[Table | Figure] = []
    if len(calibration.rolling):
        frame = calibration.rolling.rename("spread").to_frame()
        note = f"Each point is fitted to the {ROLLING} sessions before it."
        parts.append(figures.lines(frame, "Spread over trailing windows", "spread a year", ".2%", note, ".1%"))
    note = "One year is noisy: the fund's price may be off its value by a few tenths of a percent at either end."
    parts.append(Table("Spread by calendar year", (Column("Year"), Column("Spread", "percent 2")), rows, note))
    return parts


class EstimateModel(BaseModel):
    """A fitted term; SP and E are yearly fractions, SW is in units. SP is a cost on both sides."""

    term: str
    assumed: float
    value: float
    standard_error: float
    low: float
    high: float


class ResidualModel(BaseModel):
    """The daily log gap after the fit."""

    tracking_difference: float
    tracking_error: float
    autocorrelation: float
    largest: float


class CalibrateDocument(Document):
    """What `calibrate --json` prints."""

    fund: str
    start: str
    end: str
    sessions: int
    estimates: list[EstimateModel]
    ticker: str
    in_use: SpreadModel
    residual: ResidualModel
    rolling: dict[str, float]
    by_year: dict[str, float]
    block: int
    resamples: int
    seed: int


def calibrate_document(calibrated: CalibratedFund) -> CalibrateDocument:
    """Return the JSON document of a fit."""
    calibration, tracked = calibrated.calibration, calibrated.tracked
    span = calibration.tracking.history
    start, end = iso(span.dates[0]), iso(span.dates[-1])
    terms = [one.term for one in calibration.estimates]
    return CalibrateDocument(
        asof=end,
        study={"fund": calibration.fund.symbol, "start": start, "until": end, "fit": terms},
        data=data_model(tracked.data.history, tracked.source, start, end),
        notes=list(calibrated.notes),
        fund=calibration.fund.symbol,
        start=start,
        end=end,
        sessions=len(calibration.tracking.real),
        estimates=[EstimateModel(**vars(one)) for one in calibration.estimates],
        ticker=ticker_terms(calibration),
        in_use=spread_model(calibration.fund),
        residual=ResidualModel(**residual_figures(calibration)),
        rolling={iso(pd.Timestamp(str(day))): float(value) for day, value in calibration.rolling.items()},
        by_year={str(year): float(value) for year, value in calibration.by_year.items()},
        block=BLOCK,
        resamples=RESAMPLES,
        seed=calibration.seed,
    )
