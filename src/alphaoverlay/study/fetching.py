"""Fetch series into the store, and check what sources have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd

from alphaoverlay.errors import AlphaOverlayError, DataError, SymbolNotFound
from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.history import PriceSeries, iso
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.checks import check_prices, compare_sources
from alphaoverlay.market.combined import CombinedSource
from alphaoverlay.market.findings import Finding
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.fred import RATES
from alphaoverlay.market.reading import RELIABLE_FROM
from alphaoverlay.market.source import Source
from alphaoverlay.study.levels import read_levels
from alphaoverlay.study.load import Study
from alphaoverlay.study.run import read_for

if TYPE_CHECKING:  # checks need no store, so not the packages of the extra "live" either
    from alphaoverlay.store.updating import Update


@dataclass(frozen=True)
class Fetched:
    """What came of fetching one series.

    Attributes
    ----------
    name : as it was asked for.
    update : what the store did with the answer; None where nothing was asked, or nothing came.
    sentence : a revision, or why nothing came; empty for new rows or none.
    failed : nothing came.
    """

    name: str
    update: Update | None
    sentence: str = ""
    failed: bool = False


@dataclass(frozen=True)
class Checked:
    """Findings about one series, and what was looked over."""

    name: str
    source: str
    first: str
    last: str
    rows: int
    findings: tuple[Finding, ...]

    @property
    def serious(self) -> bool:
        """Whether any finding would stop a study."""
        return any(one.severity == "serious" for one in self.findings)


def fetch_names(names: Sequence[str], source: CombinedSource) -> tuple[Fetched, ...]:
    """Bring series up to date, one after the other; one that fails does not stop the others.

    Parameters
    ----------
    names : symbols and rates.
    source : from `open_choice` with `refresh`.
    """
    live = replace(source, sources=source.stored)
    once: dict[str, str] = {}
    for name in names:
        once.setdefault(name.lstrip("^").upper(), name)
    done = []
    for name in once.values():
        before = _done(live)
        try:
            _read_either(name, live)
        except AlphaOverlayError as error:
            done.append(Fetched(name, None, str(error), failed=True))
            continue
        new = [one for one in _done(live) if one not in before]
        done.append(replace(new[-1], name=name) if new else Fetched(name, None))
    return tuple(done)


def fetch_study(study: Study, source: CombinedSource) -> tuple[Fetched, ...]:
    """Bring all that a study reads up to date.

    Raises
    ------
    AlphaOverlayError : as running the study does.
    """
    if study.holds_something:
        read_for(study, source)
    if (table := study.signal) is not None:
        known, rate = load_catalogue(study.funds.file), study.cash.build()
        read_levels((table.long, table.short), table.basis, source, known, end=study.days[1], rate=rate)
    return tuple(_done(source))


def check_names(names: Sequence[str], sources: Sequence[Source], now: datetime | None = None) -> tuple[Checked, ...]:
    """Check series as they come from each source that has them, and the sources against each other."""
    moment = now or datetime.now(UTC)
    return tuple(one for name in dict.fromkeys(names) for one in _check(name, sources, moment))


def names_in(sources: Sequence[Source]) -> tuple[str, ...]:
    """Return every symbol that the sources can list: a folder's files, the sample, what is stored of a live source."""
    return tuple(dict.fromkeys(symbol for one in sources for symbol in getattr(one, "symbols", ())))


def _check(name: str, sources: Sequence[Source], now: datetime) -> list[Checked]:
    read: list[PriceSeries] = []
    done: list[Checked] = []
    missing: list[Checked] = []
    for source in sources:
        try:
            series = source.prices(name)
        except SymbolNotFound as error:
            missing.append(_unreadable(name, source, str(error)))
            done += _as_rate(name, source)
            continue
        except DataError as error:
            done += _as_rate(name, source) or [_unreadable(name, source, str(error))]
            continue
        findings = list(_look_over(series, now))
        for other in read:
            findings += compare_sources(other, series)
        read.append(series)
        came = series.provenance
        done.append(Checked(name, source.name, came.first, came.last, len(series.frame), tuple(findings)))
    return done or missing[:1]


def _as_rate(name: str, source: Source) -> list[Checked]:
    """A rate is checked as it is read; empty where the source has none of that name."""
    if name.upper() not in RATES and not isinstance(source, FolderSource):
        return []
    try:
        rate = source.rate(name)
    except AlphaOverlayError:
        return []
    came = rate.provenance
    return [Checked(name, source.name, came.first, came.last, len(rate.values), ())]


def _look_over(series: PriceSeries, now: datetime) -> tuple[Finding, ...]:
    """Check a series on the days for which the exchange's calendar is complete."""
    own = pd.DatetimeIndex(series.frame.index)
    low = int(own.searchsorted(RELIABLE_FROM))
    if low >= len(own):
        return ()
    recent = PriceSeries(series.symbol, series.frame.iloc[low:], series.provenance, series.lines[low:])
    return check_prices(recent, exchange_sessions(own[low].year - 1, own[-1].year + 1), now)


def _unreadable(name: str, source: Source, why: str) -> Checked:
    return Checked(name, source.name, "", "", 0, (Finding("unreadable", "serious", name, (), why),))


def _read_either(name: str, source: CombinedSource) -> None:
    """Read a symbol; a rate where it is one of the best known, or where the sources serve nothing else."""
    if name.upper() not in RATES and any(one.serves("price") for one in source.stored):
        source.prices(name)  # a source of rates is not asked for every symbol that another lacks
        return
    try:
        source.rate(name)
    except SymbolNotFound as missing:
        try:
            source.prices(name)
        except SymbolNotFound:
            raise missing from None


def _done(source: CombinedSource) -> list[Fetched]:
    """What came of each series that was asked for, also where what is stored had to do."""
    from alphaoverlay.market.stored import revision_words

    done = [Fetched(one.key.name, one, revision_words(one)) for part in source.stored for one in part.updates]
    failures = [item for part in source.stored for item in part.failures.items()]
    return done + [Fetched(key.name, None, why, failed=True) for key, why in failures]


def today() -> str:
    """The day, ISO 8601 in UTC."""
    return iso(pd.Timestamp(datetime.now(UTC)).tz_localize(None))
