"""The JSON documents of `alphaoverlay data`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from alphaoverlay.history import iso
from alphaoverlay.study.document import Document
from alphaoverlay.study.fetching import Checked, Fetched, today

if TYPE_CHECKING:
    from alphaoverlay.store.archive import Imported
    from alphaoverlay.store.series_store import Listing, Stored
    from alphaoverlay.store.versions import Version


class RevisionModel(BaseModel):
    """How a source changed its past; `largest` is a share of the old value."""

    changed: int
    added: int
    removed: int
    first: str
    last: str
    column: str
    day: str
    largest: float


class VersionModel(BaseModel):
    """One state of a series."""

    number: int
    created: str
    reason: str
    rows: int
    first: str
    last: str
    close_scale: float
    adj_scale: float
    facts: dict[str, Any]
    revision: RevisionModel | None


class FetchedModel(BaseModel):
    """What came of fetching one series."""

    name: str
    source: str | None
    outcome: str
    added: int
    version: VersionModel | None
    sentence: str


class FetchDocument(Document):
    """What `data fetch --json` prints."""

    store: str
    fetched: list[FetchedModel]


class ListingModel(BaseModel):
    """One series of the store."""

    source: str
    kind: str
    name: str
    checked: str
    versions: int
    newest: VersionModel


class ListDocument(Document):
    """What `data list --json` prints."""

    store: str
    series: list[ListingModel]


class ShowDocument(Document):
    """What `data show --json` prints; rows of the version shown, null where a cell is empty."""

    store: str
    source: str
    kind: str
    name: str
    checked: str
    shown: int
    versions: list[VersionModel]
    columns: list[str]
    rows: list[list[str | float | None]]


class FindingModel(BaseModel):
    """One finding; `days` are the sessions concerned, or the first of each span."""

    check: str
    severity: Literal["serious", "warning"]
    symbol: str
    days: list[str]
    sentence: str


class CheckedModel(BaseModel):
    """What was looked over, and what was found."""

    name: str
    source: str
    first: str
    last: str
    rows: int
    findings: list[FindingModel]


class CheckDocument(Document):
    """What `data check --json` prints."""

    serious: bool
    checked: list[CheckedModel]


class ImportedModel(BaseModel):
    """Versions of one series that an import added, and those that were there."""

    source: str
    kind: str
    name: str
    added: int
    known: int


class ImportDocument(Document):
    """What `data import --json` prints."""

    store: str
    imported: list[ImportedModel]


def fetch_document(done: Sequence[Fetched], store: str) -> FetchDocument:
    """Return the JSON document of a fetch."""
    return FetchDocument(**_head(), store=store, fetched=[_fetched(one) for one in done])


def list_document(series: Sequence[Listing], store: str) -> ListDocument:
    """Return the JSON document of a list."""
    return ListDocument(
        **_head(),
        store=store,
        series=[
            ListingModel(
                **asdict(one.key), checked=one.checked, versions=one.versions, newest=version_model(one.newest)
            )
            for one in series
        ],
    )


def show_document(stored: Stored, versions: Sequence[Version], store: str) -> ShowDocument:
    """Return the JSON document of one series."""
    frame = stored.rows.frame()
    return ShowDocument(
        **_head(),
        store=store,
        **asdict(stored.key),
        checked=stored.checked,
        shown=stored.version.number,
        versions=[version_model(one) for one in versions],
        columns=["date", *frame.columns],
        rows=[
            [iso(day), *(None if value != value else value for value in values)]
            for day, values in zip(frame.index, frame.to_numpy().tolist(), strict=True)
        ],
    )


def check_document(checked: Sequence[Checked], notes: Sequence[str] = ()) -> CheckDocument:
    """Return the JSON document of a check."""
    return CheckDocument(
        **{**_head(), "notes": list(notes)},
        serious=any(one.serious for one in checked),
        checked=[_checked(one) for one in checked],
    )


def import_document(done: Sequence[Imported], store: str) -> ImportDocument:
    """Return the JSON document of an import."""
    found = [ImportedModel(**asdict(one.key), added=one.added, known=one.known) for one in done]
    return ImportDocument(**_head(), store=store, imported=found)


def version_model(one: Version) -> VersionModel:
    """Return a version."""
    values = {name: value for name, value in asdict(one).items() if name in VersionModel.model_fields}
    return VersionModel.model_validate(values)


def _head() -> dict[str, Any]:
    return {"asof": today(), "study": {}, "data": None, "notes": []}


def _fetched(one: Fetched) -> FetchedModel:
    done = one.update
    return FetchedModel(
        name=one.name,
        source=None if done is None else done.key.source,
        outcome="failed" if one.failed else "unchanged" if done is None else done.outcome,
        added=0 if done is None else done.added,
        version=None if done is None or done.version is None else version_model(done.version),
        sentence=one.sentence,
    )


def _checked(one: Checked) -> CheckedModel:
    findings = [
        FindingModel(
            check=found.check,
            severity=found.severity,
            symbol=found.symbol,
            days=[iso(day) for day in found.days],
            sentence=found.sentence,
        )
        for found in one.findings
    ]
    return CheckedModel(
        name=one.name, source=one.source, first=one.first, last=one.last, rows=one.rows, findings=findings
    )
