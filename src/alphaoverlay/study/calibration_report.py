"""From a fit of a fund's financing terms to a report."""

from __future__ import annotations

from alphaoverlay.funds.calibration import BLOCK, FEWEST_IN_A_YEAR, RESAMPLES, ROLLING, Calibration, Estimate, Term
from alphaoverlay.history import iso
from alphaoverlay.report import figures
from alphaoverlay.report.model import Column, Figure, Kind, Report, Row, Section, Table, Tile, write_cell
from alphaoverlay.study.calibrated import CalibratedFund, ticker_terms
from alphaoverlay.study.reporting import report_foot
from alphaoverlay.study.series_report import provenance_table
from alphaoverlay.study.tracking_report import terms_table

NAMES = {"SP": "Spread s over the financing rate, a year", "SW": "Swap exposure SW", "E": "Expense ratio E, a year"}
IN_A_SENTENCE = {"SP": "spread", "SW": "swap exposure", "E": "expense ratio"}
KINDS: dict[Term, Kind] = {"SP": "percent 2", "SW": "ratio", "E": "percent 2"}


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
        foot=report_foot(tracked.source, span, tracked.data.history.fingerprint),
    )


def _summary(calibration: Calibration) -> str:
    span, fit = calibration.tracking.history, calibration.fits[0]
    said = [
        f"{IN_A_SENTENCE[one.term]} {write_cell(one.value, KINDS[one.term])} (95% interval "
        f"{write_cell(one.low, KINDS[one.term])} to {write_cell(one.high, KINDS[one.term])}; in use "
        f"{write_cell(one.assumed, KINDS[one.term])})"
        for one in fit
    ]
    return (
        f"From {iso(span.dates[0])} to {iso(span.dates[-1])} the synthetic {calibration.fund.symbol} ends where the "
        f"real one ended with {' and '.join(said)}. In a ticker: {ticker_terms(calibration)}."
    )


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
        "year, so shorter blocks would flatter. They are about these sessions: later ones may lie outside. A spread "
        "below zero says that the fund did better than the "
        "financing rate."
    )
    return Table("Fitted terms", (Column(""), *(Column(head, "percent 2") for head in heads)), tuple(rows), note)


def _residual_table(calibration: Calibration) -> Table:
    seen = calibration.residual_statistics
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
        note = f"Each point is fitted to the {ROLLING} sessions before it, the other terms as in use."
        parts.append(figures.lines(frame, "Spread over trailing windows", "spread a year", ".2%", note, ".1%"))
    note = "One year is noisy: the fund's price may be off its value by a few tenths of a percent at either end."
    note += f" Years with fewer than {FEWEST_IN_A_YEAR} sessions are left out."
    parts.append(Table("Spread by calendar year", (Column("Year"), Column("Spread", "percent 2")), rows, note))
    return parts
