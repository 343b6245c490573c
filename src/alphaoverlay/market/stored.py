"""A live source behind the store: asked only for what is missing, and not at all without a network.

Decisions: docs/decisions/0007-store.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pandas as pd

from alphaoverlay.errors import DataError, FetchError, StoreError, SymbolNotFound
from alphaoverlay.history import PriceSeries, Provenance, RateSeries, iso
from alphaoverlay.market.calendar import SETTLED, last_complete_session, session_closes
from alphaoverlay.market.source import Source
from alphaoverlay.store.rows import Rows
from alphaoverlay.store.series_store import SeriesStore, Stored
from alphaoverlay.store.updating import Answer, Update
from alphaoverlay.store.versions import Key, Version

# Rows asked for again with the missing ones, to see whether the source has changed them.
OVERLAP = 10
# Days after which a source is asked again for a name that it did not know.
ASK_AGAIN_DAYS = 7
# Data that end this long before today are worth a word.
LONG_AGO = timedelta(days=30)
# Failures in a row after which a source is not waited for again where what is stored can do.
OUT = 2
FACTS = ("place", "nature", "note", "currency", "timezone")
# Sources of prices only, and of rates only: they refuse the other without being asked.
SERVES = {"yahoo": "price", "stooq": "price", "tiingo": "price", "fred": "rate"}

Series = TypeVar("Series", PriceSeries, RateSeries)


@dataclass
class StoredSource:
    """Serves a live source's series from the store, brought up to date first where they are old.

    A series is old when a session has ended since its last row, and the source has not been asked since then.

    Parameters
    ----------
    source : the live source.
    store : where its series are kept.
    offline : never ask the source.
    refresh : ask it even where nothing is old; "whole" asks for all of a series, so that any revision is seen.
    until : last day that is needed (ISO date); None for the newest.
    pins : version of each series to read, in the place of the newest; nothing is fetched then.
    now : the clock.
    on_fetch : told what is asked for, for progress.

    Attributes
    ----------
    updates : what the store did with each answer, in order.
    used : the version of each series that was read.
    said : sentences about revisions, and about stored series that stand in for answers that did not come.
    failures : why a series could not be brought up to date.
    not_asked : names that were wanted offline and never asked for.
    """

    source: Source
    store: SeriesStore
    offline: bool = False
    refresh: bool | str = False
    until: str | None = None
    pins: Mapping[Key, int] | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    on_fetch: Callable[[str], None] = lambda name: None
    updates: list[Update] = field(default_factory=list, init=False)
    used: dict[Key, int] = field(default_factory=dict, init=False)
    said: list[str] = field(default_factory=list, init=False)
    failures: dict[Key, str] = field(default_factory=dict, init=False)
    not_asked: dict[str, None] = field(default_factory=dict, init=False)
    accept: frozenset[str] = field(default=frozenset(), init=False)
    _failed: list[FetchError] = field(default_factory=list, init=False)
    _read: dict[Key, Stored] = field(default_factory=dict, init=False)

    @property
    def name(self) -> str:
        """The live source's name."""
        return self.source.name

    @property
    def default_rate(self) -> str:
        """The live source's."""
        return self.source.default_rate

    @property
    def stand_ins(self) -> Mapping[str, str]:
        """The live source's."""
        return self.source.stand_ins

    @property
    def notes(self) -> tuple[str, ...]:
        """The live source's, and what was said of its answers."""
        unknown = ", ".join(self.not_asked)
        why = f"Offline, {self.name} was never asked for {unknown}: taken as not there." if unknown else ""
        return (*self.source.notes, *self.said, *filter(None, [why, self._long_ended()]))

    def _long_ended(self) -> str:
        """Say which series end long ago, where the newest were asked for."""
        if self.pins is not None or self.until is not None:
            return ""
        since = iso(pd.Timestamp(self.now().date() - LONG_AGO))
        ended = {key.name: one.version.last for key, one in self._read.items() if one.version.last < since}
        if not ended:
            return ""
        days = sorted(set(ended.values()))
        when = f"on {days[0]}" if len(days) == 1 else f"between {days[0]} and {days[-1]}"
        return (
            f"Long before today, {when}, the data of {', '.join(ended)} from {self.name} end: the series ended there, "
            "or the source or the store is out of date."
        )

    @property
    def symbols(self) -> tuple[str, ...]:
        """What is stored of the source."""
        keys = [one.key for one in self.store.list()]
        return tuple(key.name for key in keys if (key.source, key.kind) == (self.name, "price"))

    def serves(self, kind: str) -> bool:
        """Whether the source has anything of a kind, "price" or "rate"."""
        return SERVES.get(self.name, kind) == kind

    def holds(self, symbol: str) -> bool:
        """Whether the store has the symbol, or the source turns out to."""
        try:
            self._stored("price", symbol)
        except SymbolNotFound:
            return False
        return True

    def prices(self, symbol: str, since: str | None = None) -> PriceSeries:
        """Return all of a symbol's prices; `since` is not needed here.

        Raises
        ------
        SymbolNotFound, FetchError, DataError : as the source says.
        StoreError : the store failed.
        """
        key, stored = self._stored("price", symbol)
        return PriceSeries(symbol, stored.rows.frame(), self._provenance(symbol, key, stored))

    def rate(self, name: str, since: str | None = None) -> RateSeries:
        """Return all of a rate; errors as for `prices`."""
        key, stored = self._stored("rate", name)
        values = stored.rows.frame()["value"].rename(name)
        return RateSeries(name, values, self._provenance(name, key, stored))

    def _stored(self, kind: str, name: str) -> tuple[Key, Stored]:
        key = Key(self.name, kind, name.lstrip("^").upper())
        if not self.serves(kind):
            self._fetched(key, name, None)  # which it refuses in its own words
        if key not in self._read:
            self._read[key] = self._pinned(key) if self.pins is not None else self._newest(key, name)
        self.used[key] = self._read[key].version.number
        return key, self._read[key]

    def _pinned(self, key: Key) -> Stored:
        assert self.pins is not None
        if key not in self.pins:
            raise SymbolNotFound(f"{key} was not part of the result with that fingerprint")
        stored = self.store.read(key, self.pins[key])
        if stored is None:
            raise StoreError(f"version {self.pins[key]} of {key} is not in the store {self.store.where}")
        return stored

    def _newest(self, key: Key, name: str) -> Stored:
        stored = self.store.read(key)
        if self.offline:
            if stored is None:
                if self.store.unknown_since(key) is None:
                    self.not_asked[key.name] = None
                raise SymbolNotFound(
                    f"no data for {name}: nothing of it from {self.name} is in the store {self.store.where}, and "
                    f"--offline forbids asking. Fetch it first: alphaoverlay data fetch {name} --data {self.name}"
                )
            return stored
        if not self._is_old(key, stored):
            if stored is None:
                asked = str(self.store.unknown_since(key))[:10]
                raise SymbolNotFound(
                    f"{self.name} did not know {name} when it was last asked, on {asked}. Ask again with: alphaoverlay "
                    f"data fetch {name} --data {self.name}"
                )
            return stored
        try:
            if len(self._failed) >= OUT and stored is not None and not self.refresh:
                raise FetchError(f"{self.name} was not asked again in this run")
            self._bring_up_to_date(key, name, stored)
            self._failed.clear()
        except DataError as error:
            self._failed += [error] if isinstance(error, FetchError) and len(self._failed) < OUT else []
            if stored is None:
                if isinstance(error, SymbolNotFound):
                    self.store.note_unknown(key, _stamp(self.now()))
                elif isinstance(error, FetchError):
                    raise FetchError(f"{key}: nothing of it is stored, and it could not be fetched. {error}") from None
                raise
            # Also where the source has lost a symbol, or serves what cannot be used: what is stored is sound.
            self.failures[key] = str(error)
            self.said.append(
                f"{key.name}: {_sentence(str(error))} What is stored up to {stored.version.last} is used, last "
                f"confirmed {stored.checked[:10]}."
            )
            return stored
        fresh = self.store.read(key)
        assert fresh is not None
        return fresh

    def _is_old(self, key: Key, stored: Stored | None) -> bool:
        now = self.now()
        if stored is None:
            asked = self.store.unknown_since(key)
            return bool(self.refresh) or asked is None or (now - _moment(asked)).days >= ASK_AGAIN_DAYS
        if self.refresh:
            return True
        session = last_complete_session(now)
        if stored.version.last >= min(iso(session), self.until or iso(session)):
            return False
        moment = now.astimezone(UTC)
        closed = session_closes(moment.year - 1, moment.year)[session] + SETTLED
        return bool(_moment(stored.checked) < closed)

    def _bring_up_to_date(self, key: Key, name: str, stored: Stored | None) -> None:
        since = None
        if stored is not None and self.refresh != "whole" and len(stored.rows) > OVERLAP:
            since = stored.rows.day(-OVERLAP)
        self.on_fetch(f"{key}" if since is None else f"{key} since {since}")
        done = self._ask(key, name, since)
        if done.outcome == "whole needed":
            self.on_fetch(f"{key}, all of it")
            done = self._ask(key, name, None)
        self.updates.append(done)
        self.said += [f"{sentence}." for sentence in [revision_words(done)] if sentence]

    def _ask(self, key: Key, name: str, since: str | None) -> Update:
        at = self.now()
        frame, came = self._fetched(key, name, since)
        if key.kind == "price":
            frame = frame[frame.index <= last_complete_session(at)]
        if frame.empty:
            raise FetchError(f"{self.name} has no finished session of {name} yet")
        if not frame.index.is_unique:
            day = frame.index[frame.index.duplicated()][0]
            raise DataError(f"{self.name}: {name} has two rows for {iso(day)}; name another source for it")
        facts: dict[str, Any] = {fact: asdict(came)[fact] for fact in FACTS}
        return self.store.update(key, Answer(Rows.of(frame), since, facts, _stamp(at)))

    def _fetched(self, key: Key, name: str, since: str | None) -> tuple[pd.DataFrame, Provenance]:
        if key.kind == "price":
            prices = self.source.prices(name, since)
            return prices.frame, prices.provenance
        rate = self.source.rate(name, since)
        return rate.values.to_frame("value"), rate.provenance

    def _provenance(self, name: str, key: Key, stored: Stored) -> Provenance:
        one = stored.version
        came = Provenance(name, self.name, str(one.facts.get("place", "")), one.first, one.last, one.rows)
        facts = {fact: one.facts[fact] for fact in FACTS if fact in one.facts}
        return replace(came, **facts, retrieved=one.created, version=one.number)


def revision_words(done: Update) -> str:
    """Say how a source changed its past; empty where it did not."""
    if done.outcome != "revised" or done.version is None:
        return ""
    found, number = done.version.revision, done.version.number
    if found is None:
        return f"{done.key}: has other columns than before; version {number - 1} is kept beside {number}"
    parts = [f"{found.changed:,} {'row' if found.changed == 1 else 'rows'} changed" if found.changed else ""]
    parts += [f"{found.added:,} came" if found.added else "", f"{found.removed:,} went" if found.removed else ""]
    most = f", most in {found.column} on {found.day} ({found.largest:.3%})" if found.day else ""
    days = f"on {found.first}" if found.first == found.last else f"between {found.first} and {found.last}"
    return (
        f"{done.key} REVISED its past: {', '.join(filter(None, parts))} {days}{most}; "
        f"version {number - 1} is kept beside {number}"
    )


def remember(sources: Sequence[StoredSource], fingerprint: str) -> str:
    """Keep in the store which versions were read for what has a fingerprint; return why that failed, or nothing."""
    pins = [pin for one in sources for pin in one.used.items()]
    try:
        if pins:
            sources[0].store.pin(fingerprint, pins, _stamp(sources[0].now()))
    except StoreError as error:
        return f"The versions behind this result could not be remembered, so it can only be run on newer data: {error}."
    return ""


def version_words(one: Version) -> str:
    """Say in a few words what made a version."""
    return {"first": "first fetched", "appended": "new rows", "rescaled": "past rescaled by the source"}.get(
        one.reason, "past revised by the source"
    )


def _sentence(text: str) -> str:
    """The text with a full stop."""
    return text if text.endswith(".") else f"{text}."


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00"))
