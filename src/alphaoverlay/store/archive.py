"""A store, or some of its series, as one file: every version, in CSV that people and other programs can read.

The file is a zip with `manifest.json` and one CSV for each lineage, numbers written so that they read back the same.
"""

from __future__ import annotations

import csv
import io
import json
import math
import zipfile
import zlib
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, select, update

from alphaoverlay.errors import StoreError
from alphaoverlay.store import schema
from alphaoverlay.store.engine import reading, writing
from alphaoverlay.store.rows import BLOCK, Rows
from alphaoverlay.store.series_store import SeriesStore
from alphaoverlay.store.versions import (
    Key,
    Version,
    insert_into,
    insert_version,
    kept_rows,
    locked,
    new_lineage,
    versions_of,
    write_blocks,
)

FORMAT = "alphaoverlay-store/1"
MAX_BYTES = 2**28
MAX_TEXT = 2**26


@dataclass(frozen=True)
class _Series:
    """A series in the manifest; a version's "lineage" is the name of its file."""

    source: str
    kind: str
    name: str
    checked: str
    versions: list[dict[str, Any]]


@dataclass(frozen=True)
class _Snapshot:
    fingerprint: str
    created: str
    pins: list[tuple[str, str, str, int]]


@dataclass(frozen=True)
class _Manifest:
    series: list[_Series]
    snapshots: list[_Snapshot]


@dataclass(frozen=True)
class Imported:
    """What came of an import of one series: versions added, and those that were there already."""

    key: Key
    added: int
    known: int


def export_archive(store: SeriesStore, keys: Collection[Key] | None = None) -> bytes:
    """Return the archive of some series, all for None, with every version and every fingerprint that rests on them.

    Raises
    ------
    StoreError : the store is damaged or cannot be read.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, reading(store.engine) as connection:
        manifest: dict[str, Any] = {"format": FORMAT, "series": [], "snapshots": []}
        own = schema.series
        # Sorted here, since databases differ in what comes before what.
        by_key = {Key(row.source, row.kind, row.name): row for row in connection.execute(select(own))}
        for key, row in sorted(by_key.items()):
            if versions_of(connection, row.id) and (keys is None or key in keys):
                entry = {"source": key.source, "kind": key.kind, "name": key.name, "checked": row.checked}
                manifest["series"].append(entry | _export_series(connection, archive, row.id, len(manifest["series"])))
        kept = {(one["source"], one["kind"], one["name"]) for one in manifest["series"]}
        for row in sorted(connection.execute(select(schema.snapshot)), key=lambda row: str(row.fingerprint)):
            pins = json.loads(row.pins)
            if all(tuple(pin[:3]) in kept for pin in pins):
                manifest["snapshots"].append({"fingerprint": row.fingerprint, "created": row.created, "pins": pins})
        _put(archive, "manifest.json", json.dumps(manifest, indent=1, sort_keys=True))
    return file.getvalue()


def _export_series(connection: Connection, archive: zipfile.ZipFile, series_id: int, position: int) -> dict[str, Any]:
    versions = versions_of(connection, series_id)
    longest = {one.lineage: one for one in sorted(versions, key=lambda one: one.rows)}
    files = {lineage: f"series/{position:05d}-{k}.csv" for k, lineage in enumerate(sorted(longest))}
    for lineage, one in longest.items():
        _put(archive, files[lineage], _as_csv(kept_rows(connection, one)))
    return {"versions": [asdict(one) | {"lineage": files[one.lineage]} for one in versions]}


# What zipfile raises for damaged, encrypted and strangely packed files.
_NOT_A_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def import_archive(store: SeriesStore, path: Path) -> tuple[Imported, ...]:
    """Add an archive's versions to a store, all of them or none.

    A series that the store has already must begin with the same versions; what the archive has beyond them is added.

    Raises
    ------
    StoreError : not an archive, a damaged one, or versions that contradict the store's; nothing was changed.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise StoreError(f"{path}: larger than {MAX_BYTES // 2**20} MB; this is not an export of a store")
        with zipfile.ZipFile(path) as archive:
            manifest = _read_manifest(path, _read(archive, "manifest.json"))
            with writing(store.engine) as connection:
                done = [_import_series(connection, one, lambda name: _read(archive, name)) for one in manifest.series]
                for one in manifest.snapshots:
                    values = asdict(one) | {"pins": json.dumps(one.pins)}
                    add = insert_into(connection, schema.snapshot).values(values).on_conflict_do_nothing()
                    connection.execute(add)
                return tuple(done)
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror})") from None
    except (*_NOT_A_ZIP, KeyError, TypeError, ValueError, OverflowError, RecursionError, csv.Error):
        raise StoreError(f"{path} is not an export of a store, or is damaged; nothing was changed") from None


def _read_manifest(path: Path, text: str) -> _Manifest:
    from pydantic import TypeAdapter  # only imports need it

    found = json.loads(text)
    if found["format"] != FORMAT:
        raise StoreError(f"{path}: format {found['format']}, this version reads {FORMAT}")
    manifest = TypeAdapter(_Manifest).validate_json(text, strict=True)
    keys = [(one.source, one.kind, one.name) for one in manifest.series]
    if len(set(keys)) < len(keys) or any(pin[:3] not in keys for one in manifest.snapshots for pin in one.pins):
        raise ValueError("a series twice, or a result without its series")
    return manifest


def _import_series(connection: Connection, entry: _Series, read: Callable[[str], str]) -> Imported:
    key = Key(entry.source, entry.kind, entry.name)
    series_id = locked(connection, key)
    there = versions_of(connection, series_id)
    new = [_as_version(values) for values in entry.versions]
    files = [str(values["lineage"]) for values in entry.versions]
    _check_order(new, files)
    for own, other in zip(there, new, strict=False):
        if (own.digest, own.close_scale, own.adj_scale) != (other.digest, other.close_scale, other.adj_scale):
            raise StoreError(
                f"version {own.number} of {key} is another one in the store: import into a new store (--store)"
            )
    lineages = {file: own.lineage for own, file in zip(there, files, strict=False)}
    for file in dict.fromkeys(files[len(there) :]):
        rows = _from_csv(read(file))
        inside = [one for one, its_file in zip(new, files, strict=True) if its_file == file]
        inside += [own for own in there if own.lineage == lineages.get(file)]  # what is there must stay as it is
        if any(not _begins_with(rows, one) for one in inside) or len(rows) != max(one.rows for one in inside):
            raise ValueError("rows that are not those of the version")
        before = max((own.rows for own in inside if own.lineage), default=0)
        if file not in lineages:
            lineages[file] = new_lineage(connection, series_id, rows.columns)
        if len(rows) > before:
            write_blocks(connection, lineages[file], rows, before // BLOCK)
    for one, file in list(zip(new, files, strict=True))[len(there) :]:
        insert_version(connection, series_id, replace(one, lineage=lineages[file]))
    if len(new) > len(there):
        own_series = schema.series
        connection.execute(update(own_series).where(own_series.c.id == series_id).values(checked=entry.checked))
    return Imported(key, max(len(new) - len(there), 0), min(len(there), len(new)))


def _as_version(values: dict[str, Any]) -> Version:
    from pydantic import TypeAdapter

    one = TypeAdapter(Version).validate_json(json.dumps(values | {"lineage": 0}), strict=True)
    if not all(math.isfinite(scale) and scale > 0.0 for scale in (one.close_scale, one.adj_scale)):
        raise ValueError("a factor that is none")
    return one


def _check_order(new: list[Version], files: list[str]) -> None:
    """Versions are numbered without gaps, and a file serves versions that follow on each other and only grow."""
    if [one.number for one in new] != list(range(1, len(new) + 1)) or not new:
        raise ValueError("versions with gaps")
    steps = list(zip(files, files[1:], new, new[1:], strict=False))
    if sum(a != b for a, b, _, _ in steps) + 1 != len(set(files)) or any(
        a == b and later.rows < earlier.rows for a, b, earlier, later in steps
    ):
        raise ValueError("versions out of order")


def _begins_with(rows: Rows, one: Version) -> bool:
    own = rows.cut(0, one.rows)
    if not 0 < one.rows == len(own):
        return False
    return (own.digest(), own.day(0), own.day(-1)) == (one.digest, one.first, one.last)


def _put(archive: zipfile.ZipFile, name: str, text: str) -> None:
    # A fixed time: the same store gives the same bytes.
    archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)


def _read(archive: zipfile.ZipFile, name: str) -> str:
    if archive.getinfo(name).file_size > MAX_TEXT:
        raise ValueError("too large")
    return archive.read(name).decode("utf-8")


def _as_csv(rows: Rows) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["date", *rows.columns])
    for k, values in enumerate(rows.values.tolist()):
        writer.writerow([rows.day(k), *("" if value != value else repr(value) for value in values)])
    return file.getvalue()


def _from_csv(text: str) -> Rows:
    header, *body = csv.reader(io.StringIO(text))
    dates = np.array([row[0] for row in body], dtype="datetime64[D]")
    days = dates.astype(np.int64)
    values = np.array([[float(cell) if cell else np.nan for cell in row[1:]] for row in body], dtype=np.float64)
    if header[:1] != ["date"] or (np.diff(days) <= 0).any() or values.shape != (len(days), len(header) - 1):
        raise ValueError("not the rows of a series")
    if dates.astype(str).tolist() != [row[0] for row in body] or "NaT" in {row[0] for row in body}:
        raise ValueError("a day that is none")
    if not header[1:] or len(set(header)) < len(header) or any(not name or "," in name for name in header):
        raise ValueError("a column without a name of its own")
    return Rows(days.astype(np.int32), tuple(header[1:]), values)
