"""The JSON document of `calibrate`."""

from __future__ import annotations

import pandas as pd
from pydantic import BaseModel

from alphaoverlay.funds.calibration import BLOCK, RESAMPLES
from alphaoverlay.history import iso
from alphaoverlay.study.assumptions import AssumptionsModel, assumptions_model
from alphaoverlay.study.calibrated import CalibratedFund, ticker_terms
from alphaoverlay.study.document import Document, data_model, rate_name


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
    assumptions: AssumptionsModel
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
        study={
            "fund": calibration.fund.symbol,
            "start": start,
            "until": end,
            "fit": terms,
            "rate": rate_name(span),
        },
        data=data_model(tracked.data.history, tracked.source, start, end),
        notes=list(calibrated.notes),
        fund=calibration.fund.symbol,
        start=start,
        end=end,
        sessions=len(calibration.tracking.real),
        estimates=[EstimateModel(**vars(one)) for one in calibration.estimates],
        ticker=ticker_terms(calibration),
        assumptions=assumptions_model(
            calibration.fund, calibration.tracking.indices, span, calibration.tracking.plain_symbol
        ),
        residual=ResidualModel(**calibration.residual_statistics),
        rolling={iso(pd.Timestamp(str(day))): float(value) for day, value in calibration.rolling.items()},
        by_year={str(year): float(value) for year, value in calibration.by_year.items()},
        block=BLOCK,
        resamples=RESAMPLES,
        seed=calibration.seed,
    )
