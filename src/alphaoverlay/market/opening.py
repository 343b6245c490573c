"""From what the user typed after --data, or wrote in a study's [data], to a source."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from alphaoverlay.errors import DataError, StoreError, StudyError, did_you_mean, need
from alphaoverlay.market.combined import CombinedSource
from alphaoverlay.market.findings import CHECKS
from alphaoverlay.market.source import Source

if TYPE_CHECKING:
    from alphaoverlay.market.stored import StoredSource

# Live sources: module, class. Rates of those that serve prices only come from FRED.
LIVE = {
    "yahoo": ("yahoo", "YahooSource"),
    "fred": ("fred", "FredSource"),
    "stooq": ("stooq", "StooqSource"),
    "tiingo": ("tiingo", "TiingoSource"),
    "french": ("french", "FrenchSource"),
}
SERVE_RATES = ("fred", "french")


@dataclass(frozen=True)
class DataChoice:
    """Where the data of a study come from.

    Attributes
    ----------
    sources : in order: "sample", "yahoo", "fred", "stooq", "tiingo", "french", or folders; none takes the sample.
    symbols : symbol -> the source that serves it, in the place of the order.
    base_url : live source -> address of a mirror; the environment's ALPHAOVERLAY_YAHOO_URL and the like where missing.
    accept : serious findings that are taken as they are.
    store : path or URL of the store; the environment's, else the one in the user's data folder, where None.
    offline : ask no live source; what is stored must do.
    refresh : ask live sources even where nothing is old; "whole" for all of every series.
    fingerprint : read the versions that the result with this fingerprint used.
    until : last day that is needed (ISO date).
    """

    sources: tuple[str, ...] = ()
    symbols: Mapping[str, str] = field(default_factory=dict)
    base_url: Mapping[str, str] = field(default_factory=dict)
    accept: tuple[str, ...] = ()
    store: str | None = None
    offline: bool = False
    refresh: bool | str = False
    fingerprint: str | None = None
    until: str | None = None


def open_source(place: str | Path | None = None) -> Source:
    """Return one source: the sample for None or "sample", a live one behind the store by its name, else a folder.

    Raises
    ------
    DataError : the folder does not exist.
    MissingExtra, StoreError : a live source cannot be used.
    """
    return open_choice(DataChoice(() if place is None else (str(place),)))


def open_choice(
    choice: DataChoice,
    on_fetch: Callable[[str], None] = lambda name: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Source:
    """Return the source that a choice describes.

    Parameters
    ----------
    choice : what to open.
    on_fetch : told what a live source is asked for.
    now : the clock.

    Raises
    ------
    StudyError : a name or combination that makes no sense.
    DataError : a folder does not exist.
    MissingExtra, StoreError : a live source cannot be used.
    """
    _refuse_odd(choice)
    opened: dict[str, Source] = {}
    stored: list[StoredSource] = []
    places = tuple(dict.fromkeys(choice.sources or ("sample",)))
    if any(place in LIVE for place in places) and not any(place in SERVE_RATES for place in places):
        places = (*places, "fred")  # prices come from the others, rates from there

    def source(place: str) -> Source:
        if place in LIVE and place not in opened:
            stored.append(_open_live(place, choice, on_fetch, now))
            opened[place] = stored[-1]
        elif place not in opened:
            opened[place] = _open_files(place)
        return opened[place]

    ordered = tuple(source(place) for place in places)
    chosen = {symbol.lstrip("^").upper(): source(place) for symbol, place in choice.symbols.items()}
    if len(ordered) == 1 and not stored and not chosen and not choice.accept:
        return ordered[0]
    return CombinedSource(ordered, chosen, frozenset(choice.accept), tuple(stored))


def is_folder(place: str) -> bool:
    """Whether a place is neither the sample nor a live source."""
    return place != "sample" and place not in LIVE


def _open_files(place: str) -> Source:
    if place == "sample":
        from alphaoverlay.market.sample import SampleSource

        return SampleSource()
    from alphaoverlay.market.folder import FolderSource

    try:
        return FolderSource(place)
    except DataError as error:
        hint = did_you_mean(place, [*LIVE, "sample"])
        raise DataError(f"{error}, or name a live source: {', '.join(LIVE)}.{hint}") from None


def _open_live(
    name: str, choice: DataChoice, on_fetch: Callable[[str], None], now: Callable[[], datetime]
) -> StoredSource:
    need("sqlalchemy", "live", f"the source {name}")
    from alphaoverlay.market.stored import StoredSource
    from alphaoverlay.store.series_store import open_store

    module, cls = LIVE[name]
    mirror = choice.base_url.get(name) or os.environ.get(f"ALPHAOVERLAY_{name.upper()}_URL") or None
    store = open_store(choice.store)
    pins = None
    if choice.fingerprint is not None:
        pins = store.pinned(choice.fingerprint)
        if pins is None:
            raise StoreError(
                f"no result with a fingerprint that begins with {choice.fingerprint} is known to the store "
                f"{store.where}: fingerprints are remembered where live data were used"
            )
    live = getattr(import_module(f"alphaoverlay.market.{module}"), cls)(mirror)
    return StoredSource(
        live,
        store,
        offline=choice.offline,
        refresh=choice.refresh,
        until=choice.until,
        pins=pins,
        now=now,
        on_fetch=on_fetch,
    )


def _refuse_odd(choice: DataChoice) -> None:
    for name in choice.accept:
        known = [one.name for one in CHECKS.values() if one.accepted]
        if name not in known:
            hint = did_you_mean(name, known)
            why = f"{name} cannot be accepted: mend the data" if name in CHECKS else f"no finding is called {name!r}"
            raise StudyError(f"--accept, or accept in [data]: {why}.{hint} These can be accepted: {', '.join(known)}")
    places = (*choice.sources, *choice.symbols.values())
    if choice.symbols and not choice.sources:
        raise StudyError("[data] symbols names the sources of some symbols; name those of all others in sources")
    if choice.fingerprint is not None and not any(place in LIVE for place in places):
        raise StudyError(
            "--fingerprint reads stored versions of live data; name their sources too, such as --data yahoo"
        )
    if "sample" in places and len(set(places)) > 1:
        raise StudyError("--data: the sample stands for itself, not beside other data; leave it out")
    for name in choice.base_url:
        if name not in LIVE:
            raise StudyError(f"[data] base_url: {name} is no live source; known: {', '.join(LIVE)}")
