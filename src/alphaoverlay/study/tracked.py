"""A real fund from a source, compared with its synthetic one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from alphaoverlay.errors import DataError
from alphaoverlay.funds.catalogue import Catalogue, load_catalogue
from alphaoverlay.funds.financing import row_of
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.fund_returns import build_fund_returns
from alphaoverlay.funds.tracking import Tracking, track_fund
from alphaoverlay.market.source import Source
from alphaoverlay.overlays.portfolio import indices_of
from alphaoverlay.study.market_data import StudyData, known_fund, read_study_data, what_to_do


@dataclass(frozen=True)
class TrackedFund:
    """A comparison, the data it rests on, and what must be said with it."""

    tracking: Tracking
    data: StudyData
    source: str
    notes: tuple[str, ...]
    against: tuple[str, ...] = ()


def read_tracking(
    symbol: str,
    source: Source,
    catalogue: Catalogue | None = None,
    *,
    start: str | None = None,
    end: str | None = None,
    rate: str | float | None = None,
    spread: float | None = None,
    against: Sequence[str] = (),
) -> TrackedFund:
    """Read a fund, its index and its plain fund, and compare the fund with its synthetic one.

    Parameters
    ----------
    symbol : a fund of the catalogue with prices in the source.
    source : the market data.
    catalogue : the packaged one where None.
    start, end : first and last close (ISO dates); the fund's whole life where None.
    rate : name of a rate, a fixed yearly fraction, or None for the source's own.
    spread : yearly spread in place of the fund's.
    against : tickers such as `SPY?L=3&E=0.91`, whose gaps to the real fund are measured too.

    Raises
    ------
    AlphaOverlayError : an unknown symbol, no prices of it or of its index, or too few sessions.
    """
    catalogue = catalogue or load_catalogue()
    fund = known_fund(symbol, source, catalogue)
    if spread is not None:
        fund = replace(fund, spread=spread, spread_basis="stated")
    _must_be_real(fund, source)
    others = tuple(known_fund(one, source, catalogue) for one in against)
    indices = tuple(dict.fromkeys([*fund.exposures, *fund.former_exposures, *indices_of(others)]))
    beside = _other_plain(fund, source, catalogue)
    data = read_study_data(source, catalogue, indices, (fund, *others, *beside), rate, start, end)
    built = build_fund_returns(others, data.history, data.indices).returns
    tracking = track_fund(fund, data.history, catalogue, data.indices, start, end, {s: built[s] for s in built.columns})
    said = [sentence for one in others for sentence in one.warnings]
    notes = (*data.notes, *_notes(tracking), *said)
    return TrackedFund(tracking, data, source.name, notes, tuple(one.symbol for one in others))


def _other_plain(fund: Fund, source: Source, catalogue: Catalogue) -> tuple[Fund, ...]:
    """The first plain fund on the same index that the source has, the fund itself left out."""
    plain = (symbol for name in fund.exposures for symbol in catalogue.index(name).plain)
    found = next((symbol for symbol in plain if symbol != fund.symbol and source.holds(symbol)), None)
    return () if found is None else (catalogue.fund(found),)


def _must_be_real(fund: Fund, source: Source) -> None:
    if fund.multiple is not None:
        raise DataError(
            f"{fund.symbol} is a synthetic ticker and has no real history to be held against; name a listed fund "
            "such as UPRO"
        )
    if not source.holds(fund.symbol):
        raise DataError(
            f"{source.name} has no prices of {fund.symbol}, and a fund is tracked against its own real history: "
            f"{what_to_do(source, fund.symbol)}"
        )
    if fund.symbol in fund.exposures:
        raise DataError(
            f"{fund.symbol} is taken as its own index here, so there is nothing to track it against; describe its "
            "index and leverage in a fund file (--funds FILE)"
        )


def _notes(tracking: Tracking) -> tuple[str, ...]:
    fund = tracking.fund
    said = [*fund.warnings, *filter(None, [tracking.circular])]
    if not fund.verified:
        said.append(f"Terms of {fund.symbol} not all read in a document, so unverified.")
    first = tracking.history.dates[0].date()
    if fund.former and (fund.index_since is None or first <= fund.index_since):
        since = "" if fund.index_since is None else f"; the present one since {fund.index_since}"
        said.append(f"{fund.symbol} followed another index before: {fund.former}{since}.")
    said += [one.sentence for one in tracking.findings if one.kind == "jump"]
    row = row_of(fund)
    if row is not None and fund.symbol in row.funds and first < row.last:
        said.append(
            f"In sample: the spread was fitted to this fund's own history up to {row.last}, so a small tracking "
            "difference over those years proves little."
        )
    if fund.spread_basis == "pooled":
        said.append(
            f"No fund on {', '.join(fund.exposures)} of this side was calibrated: the spread is the mean of the "
            "other indices, which for inverse funds can be off by more than 1% a year."
        )
    if tracking.plain_symbol is None:
        said.append("No plain fund on the same index is in the data: beta and daily R2 to it are not known.")
    return tuple(said)
