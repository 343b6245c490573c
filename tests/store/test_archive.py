"""Export and import: the same store again, and nothing at all from a file that is not one."""

from __future__ import annotations

import csv
import io
import json
import os
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from tests.store.building import SPY, all_of, answer, bits, changed, prices, rows_of, without
from tests.store.conftest import NewPlace

from alphaoverlay.errors import StoreError
from alphaoverlay.store import archive as archive_module
from alphaoverlay.store import schema
from alphaoverlay.store.archive import export_archive, import_archive
from alphaoverlay.store.engine import writing
from alphaoverlay.store.rows import BLOCK, Rows
from alphaoverlay.store.series_store import SeriesStore, open_store
from alphaoverlay.store.updating import Answer
from alphaoverlay.store.versions import Key

DFF = Key("fred", "rate", "DFF")
ROWS = prices(2 * BLOCK + 40)
CLOSE = ROWS.column("close")


def lived_in(store: SeriesStore) -> None:
    """Two series with every kind of version, and two results."""
    store.update(SPY, answer(ROWS.cut(0, 500)))
    store.update(SPY, answer(ROWS.cut(0, 520), at="2026-01-03T00:00:00Z"))
    store.update(SPY, answer(changed(ROWS, adj_close=ROWS.column("adj_close") * 0.9).cut(0, 530)))
    store.update(SPY, answer(changed(ROWS, close=np.where(np.arange(len(ROWS)) == 300, CLOSE * 2, CLOSE)), note="odd"))
    store.update(DFF, answer(rows_of({"rate": [0.01, np.nan, -0.0, 0.1 + 0.2, 5e-324, 1e300]})))
    store.pin("aabb01", [(SPY, 2), (DFF, 1)], at="2026-01-05T00:00:00Z")
    store.pin("ccdd02", [(SPY, 4)], at="2026-01-06T00:00:00Z")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    store = open_store(str(tmp_path_factory.mktemp("origin") / "s.sqlite"))
    lived_in(store)
    return export_archive(store)


def put(folder: Path, content: bytes) -> Path:
    path = folder / "export.zip"
    path.write_bytes(content)
    return path


def facts_of(store: SeriesStore) -> Any:
    """All a store knows, without the numbers it gives to lineages."""
    everything = {}
    for key, kept in all_of(store).items():
        everything[key] = [({**vars(one), "lineage": 0}, rows) for one, rows in kept]
    return everything, [(one.key, one.checked, one.versions) for one in store.list()]


def test_an_import_of_an_export_is_the_same_store(new_place: NewPlace, tmp_path: Path) -> None:
    first, second = open_store(new_place()), open_store(new_place())
    lived_in(first)
    content = export_archive(first)
    done = import_archive(second, put(tmp_path, content))
    assert [(one.key, one.added, one.known) for one in done] == [(DFF, 1, 0), (SPY, 4, 0)]
    assert facts_of(second) == facts_of(first)
    assert (second.pinned("aabb"), second.pinned("cc")) == ({SPY: 2, DFF: 1}, {SPY: 4})
    assert export_archive(second) == content


def test_both_databases_export_the_same_bytes(exported: bytes, new_place: NewPlace) -> None:
    store = open_store(new_place())
    lived_in(store)
    assert export_archive(store) == exported


def test_series_are_sorted_the_same_in_every_database(new_place: NewPlace) -> None:
    store = open_store(new_place())
    keys = [Key("y", "price", name) for name in ("b", "A", "_c", "^D", "a", "B", "é")]
    for k, key in enumerate(keys):
        store.update(key, answer(prices(2)))
        store.pin(f"{key.name}-{k}", [(key, 1)], at="")
    manifest = json.loads(zipfile.ZipFile(io.BytesIO(export_archive(store))).read("manifest.json"))
    assert [one["name"] for one in manifest["series"]] == ["A", "B", "^D", "_c", "a", "b", "é"]
    assert [one["fingerprint"][0] for one in manifest["snapshots"]] == ["A", "B", "^", "_", "a", "b", "é"]


def test_an_export_can_be_read_without_this_program(exported: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(exported)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        dff, spy = manifest["series"]
        table = list(csv.reader(io.StringIO(archive.read(dff["versions"][0]["lineage"]).decode())))
        newest = list(csv.reader(io.StringIO(archive.read(spy["versions"][3]["lineage"]).decode())))
    assert table[0] == ["date", "rate"]
    assert [row[0] for row in table[1:]] == [f"2010-01-0{k}" for k in range(1, 7)]
    assert [row[1] for row in table[1:]] == ["0.01", "", "-0.0", "0.30000000000000004", "5e-324", "1e+300"]
    assert newest[0] == ["date", "close", "adj_close", "distribution", "volume"]
    assert float(newest[301][1]) == CLOSE[300] * 2
    assert len(newest) == 1 + len(ROWS)


def test_some_series_are_exported_with_the_results_that_rest_on_them_alone(store: SeriesStore, tmp_path: Path) -> None:
    lived_in(store)
    other = open_store(str(tmp_path / "other.sqlite"))
    import_archive(other, put(tmp_path, export_archive(store, [SPY])))
    assert [one.key for one in other.list()] == [SPY]
    assert other.pinned("aabb01") is None
    assert other.pinned("ccdd02") == {SPY: 4}
    import_archive(other, put(tmp_path, export_archive(store)))
    assert facts_of(other) == facts_of(store)


def test_an_empty_store_is_exported_and_imported(store: SeriesStore, tmp_path: Path) -> None:
    assert import_archive(store, put(tmp_path, export_archive(store))) == ()


def test_importing_again_adds_nothing(exported: bytes, store: SeriesStore, tmp_path: Path) -> None:
    path = put(tmp_path, exported)
    import_archive(store, path)
    before = all_of(store)
    assert [(one.added, one.known) for one in import_archive(store, path)] == [(0, 1), (0, 4)]
    assert all_of(store) == before


@pytest.mark.parametrize("known", [1, 2, 3])
def test_an_import_continues_what_is_there(exported: bytes, store: SeriesStore, tmp_path: Path, known: int) -> None:
    store.update(SPY, answer(ROWS.cut(0, 500)))
    if known > 1:
        store.update(SPY, answer(ROWS.cut(0, 520), at="2026-01-03T00:00:00Z"))
    if known > 2:
        store.update(SPY, answer(changed(ROWS, adj_close=ROWS.column("adj_close") * 0.9).cut(0, 530)))
    before = all_of(store)[SPY]
    done = {one.key: (one.added, one.known) for one in import_archive(store, put(tmp_path, exported))}
    assert done == {DFF: (1, 0), SPY: (4 - known, known)}
    assert all_of(store)[SPY][:known] == before
    assert export_archive(store) == exported
    assert store.update(SPY, answer(prices(2 * BLOCK + 41))).outcome == "revised"


def test_an_older_export_leaves_a_newer_store_as_it_is(store: SeriesStore, tmp_path: Path) -> None:
    store.update(SPY, answer(ROWS.cut(0, 500)))
    older = put(tmp_path, export_archive(store))
    store.update(SPY, answer(ROWS, at="2026-09-09T00:00:00Z"))
    before = all_of(store), store.list()
    assert [(one.added, one.known) for one in import_archive(store, older)] == [(0, 1)]
    assert (all_of(store), store.list()) == before


def test_a_contradiction_changes_nothing(exported: bytes, store: SeriesStore, tmp_path: Path) -> None:
    """DFF comes first in the archive and is new; the contradiction in SPY takes it back, too."""
    store.update(SPY, answer(ROWS.cut(0, 499)))
    before = all_of(store), store.list()
    with pytest.raises(StoreError, match="version 1 of SPY from yahoo is another one in the store: import into a new"):
        import_archive(store, put(tmp_path, exported))
    assert (all_of(store), store.list()) == before
    assert store.pinned("aabb01") is None


def test_an_imported_series_goes_on(exported: bytes, store: SeriesStore, tmp_path: Path) -> None:
    import_archive(store, put(tmp_path, exported))
    found = store.read(SPY)
    assert found is not None
    longer = found.rows.joined(prices(50, first=int(found.rows.days[-1]) + 1))
    assert store.update(SPY, answer(longer)).outcome == "appended"
    assert bits(store.read(SPY).rows) == bits(longer)  # type: ignore[union-attr]


def test_a_nan_of_arithmetic_survives_the_text(store: SeriesStore, tmp_path: Path) -> None:
    """0/0 makes another NaN than float("nan") on most machines; text knows only one."""
    negative = np.frombuffer(struct.pack("<2Q", 0xFFF8000000000000, 0x3FF0000000000000), "<f8").copy()
    frame = pd.DataFrame({"close": negative}, index=pd.DatetimeIndex(["2024-01-02", "2024-01-03"]))
    store.update(SPY, answer(Rows.of(frame)))
    other = open_store(str(tmp_path / "other.sqlite"))
    import_archive(other, put(tmp_path, export_archive(store)))
    assert all_of(other).keys() == {SPY}


CELLS = st.one_of(
    st.floats(allow_nan=False), st.sampled_from([float("nan"), float("inf"), -0.0, 5e-324, 2.0**53 + 1.0])
)


@settings(max_examples=300 if os.environ.get("ALPHAOVERLAY_FULL") else 10)
@given(st.lists(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=6), min_size=1, max_size=4))
def test_any_store_comes_back(tmp_path_factory: pytest.TempPathFactory, tables: list[list[list[float]]]) -> None:
    """Wild numbers in wild orders: listing, versions, rows bit for bit, snapshots, and the bytes of another export."""
    folder = tmp_path_factory.mktemp("any")
    first, second = open_store(str(folder / "1.sqlite")), open_store(str(folder / "2.sqlite"))
    for k, table in enumerate(tables):
        key = (SPY, DFF)[k % 2]
        grown = [[float(row), float(-row)] for row in range(1, 8)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # numbers near the largest overflow when compared
            first.update(key, Answer(rows_of({"a": [r[0] for r in grown], "b": [r[1] for r in grown]}), None, {}, "x"))
            wild = [*table, *grown[len(table) :]]
            first.update(key, Answer(rows_of({"a": [r[0] for r in wild], "b": [r[1] for r in wild]}), None, {}, f"{k}"))
        first.pin(f"f{k}", [(key, 1)], at=f"{k}")
    content = export_archive(first)
    import_archive(second, put(folder, content))
    assert facts_of(second) == facts_of(first)
    assert [second.pinned(f"f{k}") for k in range(len(tables))] == [{(SPY, DFF)[k % 2]: 1} for k in range(len(tables))]
    assert export_archive(second) == content


# Hostile and damaged archives

Files = dict[str, bytes]
Manifest = dict[str, Any]


def opened(content: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def closed(files: Files) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_manifest(content: bytes, change: Callable[[Manifest], Any]) -> bytes:
    files = opened(content)
    manifest = json.loads(files["manifest.json"])
    change(manifest)
    return closed(files | {"manifest.json": json.dumps(manifest).encode()})


@pytest.fixture
def in_file(tmp_path: Path) -> SeriesStore:
    """A new store in SQLite, for what does not come as far as the database."""
    return open_store(str(tmp_path / "in_file.sqlite"))


def refused(store: SeriesStore, path: Path) -> str:
    """The message of the refusal, after which nothing has changed."""
    before = all_of(store), store.list(), export_archive(store)
    with pytest.raises(StoreError) as caught:
        import_archive(store, path)
    assert (all_of(store), store.list(), export_archive(store)) == before
    return str(caught.value)


def in_spy(**values: Any) -> Callable[[Manifest], None]:
    return lambda manifest: manifest["series"][1]["versions"][0].update(values)


def in_series(**values: Any) -> Callable[[Manifest], None]:
    return lambda manifest: manifest["series"][1].update(values)


def in_pins(**values: Any) -> Callable[[Manifest], None]:
    return lambda manifest: manifest["snapshots"][0].update(values)


HOSTILE: dict[str, Callable[[Manifest], Any]] = {
    "no series": lambda m: m.pop("series"),
    "no snapshots": lambda m: m.pop("snapshots"),
    "series null": lambda m: m.update(series=None),
    "series a text": lambda m: m.update(series="abc"),
    "series numbers": lambda m: m.update(series=[1, 2]),
    "a series twice": lambda m: m["series"].append(m["series"][1]),
    "no source": lambda m: m["series"][1].pop("source"),
    "source a number": in_series(source=7),
    "source null": in_series(source=None),
    "name a list": in_series(name=["SPY"]),
    "name of half a letter": in_series(name="\ud800"),
    "checked null": in_series(checked=None),
    "no versions": in_series(versions=[]),
    "versions null": in_series(versions=None),
    "versions numbers": in_series(versions=[1, 2]),
    "first version missing": lambda m: m["series"][1]["versions"].pop(0),
    "versions turned": lambda m: m["series"][1]["versions"].reverse(),
    "number a text": in_spy(number="1"),
    "number true": in_spy(number=True),
    "number with a point": in_spy(number=1.5),
    "rows a text": in_spy(rows="500"),
    "rows none": in_spy(rows=0),
    "rows fewer": in_spy(rows=499),
    "rows from the end": in_spy(rows=-40),
    "rows more than there are": in_spy(rows=10**30),
    "digest wrong": in_spy(digest="0" * 64),
    "digest null": in_spy(digest=None),
    "first wrong": in_spy(first="2009-12-31"),
    "last wrong": in_spy(last="2030-01-01"),
    "scale a text": in_spy(close_scale="1"),
    "scale nan": in_spy(close_scale=float("nan")),
    "scale infinite": in_spy(adj_scale=float("inf")),
    "scale zero": in_spy(adj_scale=0.0),
    "scale negative": in_spy(adj_scale=-1.0),
    "facts a list": in_spy(facts=[1]),
    "facts null": in_spy(facts=None),
    "revision a text": in_spy(revision="much"),
    "revision of something": in_spy(revision={"changed": 1}),
    "revision of texts": in_spy(
        revision=dict.fromkeys(("changed", "added", "removed", "first", "last", "column", "day", "largest"), "x")
    ),
    "file a number": in_spy(lineage=0),
    "file null": in_spy(lineage=None),
    "file elsewhere": in_spy(lineage="series/none.csv"),
    "file of another series": in_spy(lineage="series/00000-0.csv"),
    "file outside": in_spy(lineage="../../../../etc/passwd"),
    "file from the root": in_spy(lineage="/etc/passwd"),
    "file the manifest": in_spy(lineage="manifest.json"),
    "snapshots a table": lambda m: m.update(snapshots={}),
    "pins null": in_pins(pins=None),
    "pins numbers": in_pins(pins=[1]),
    "pins too short": in_pins(pins=[["yahoo", "price", "SPY"]]),
    "pins to a text": in_pins(pins=[["yahoo", "price", "SPY", "1"]]),
    "pins to a series elsewhere": in_pins(pins=[["yahoo", "price", "QQQ", 1]]),
    "fingerprint null": in_pins(fingerprint=None),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_manifest_of_wrong_things_changes_nothing(exported: bytes, tmp_path: Path, name: str) -> None:
    store = open_store(str(tmp_path / "s.sqlite"))
    store.update(Key("fred", "rate", "EFFR"), answer(rows_of({"rate": [0.5]})))
    message = refused(store, put(tmp_path, with_manifest(exported, HOSTILE[name])))
    assert message.endswith("is not an export of a store, or is damaged; nothing was changed")


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"null", b"7", b'"text"', b"{", b"\xff\xfe", b"[" * 100_000, b'{"format": "x"}' * 2]
)
def test_a_manifest_that_is_none_changes_nothing(
    exported: bytes, in_file: SeriesStore, tmp_path: Path, text: bytes
) -> None:
    assert "not an export" in refused(in_file, put(tmp_path, closed(opened(exported) | {"manifest.json": text})))


def test_an_export_of_another_format_says_which(exported: bytes, in_file: SeriesStore, tmp_path: Path) -> None:
    other = with_manifest(exported, lambda m: m.update(format="alphaoverlay-store/9"))
    assert "format alphaoverlay-store/9, this version reads alphaoverlay-store/1" in refused(
        in_file, put(tmp_path, other)
    )


CSV = "series/00000-0.csv"
TABLES = {
    "empty": "",
    "only a header": "date,rate\n",
    "no header": "2010-01-01,0.01\n",
    "a letter": "date,rate\n2010-01-01,x\n",
    "a cell too many": "date,rate\n2010-01-01,1.0,2.0\n",
    "a cell too few": "date,rate\n2010-01-01\n",
    "not a date": "date,rate\nyesterday,1.0\n",
    "a day that moves": "date,rate\ntoday,1.0\n",
    "no day": "date,rate\nNaT,1.0\n",
    "days that descend": "date,rate\n2010-01-02,1.0\n2010-01-01,1.0\n",
    "a day twice": "date,rate\n2010-01-01,1.0\n2010-01-01,1.0\n",
    "half a quote": 'date,rate\n2010-01-01,"1.0\n',
    "a nought": "date,rate\n2010-01-01,1.0\0\n",
    "a cell too long": "date,rate\n2010-01-01," + "1" * 200_000 + "\n",
    "another number": "date,rate\n2010-01-01,0.02\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_wrong_things_changes_nothing(exported: bytes, tmp_path: Path, name: str) -> None:
    store = open_store(str(tmp_path / "s.sqlite"))
    assert "not an export" in refused(store, put(tmp_path, closed(opened(exported) | {CSV: TABLES[name].encode()})))


def forged(rows: Rows, text: str) -> bytes:
    """An archive by someone who knows how digests are made: one series, one version, any table."""
    one = {"number": 1, "created": "", "reason": "first", "facts": {}, "revision": None, "lineage": "t.csv"}
    one |= {"close_scale": 1.0, "adj_scale": 1.0, "rows": len(rows), "first": rows.day(0), "last": rows.day(-1)}
    entry = {"source": "s", "kind": "price", "name": "N", "checked": "", "versions": [one | {"digest": rows.digest()}]}
    manifest = {"format": "alphaoverlay-store/1", "series": [entry], "snapshots": []}
    return closed({"manifest.json": json.dumps(manifest).encode(), "t.csv": text.encode()})


@pytest.mark.parametrize("columns", [("a,b",), ("a", "a"), ("",), ("date",), ()])
def test_columns_that_the_store_could_not_read_again_are_refused(tmp_path: Path, columns: tuple[str, ...]) -> None:
    rows = Rows(np.array([14_610], dtype=np.int32), columns, np.ones((1, len(columns))))
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([["date", *columns], ["2010-01-01", *["1.0"] * len(columns)]])
    store = open_store(str(tmp_path / "s.sqlite"))
    assert "not an export" in refused(store, put(tmp_path, forged(rows, file.getvalue())))


def test_more_rows_in_a_file_than_in_its_versions_are_refused(tmp_path: Path) -> None:
    """They would stand where the next update appends."""
    rows = rows_of({"rate": [1.0, 2.0]})
    store = open_store(str(tmp_path / "s.sqlite"))
    text = "date,rate\n2010-01-01,1.0\n2010-01-02,2.0\n"
    assert "not an export" in refused(store, put(tmp_path, forged(rows.cut(0, 1), text)))
    assert import_archive(store, put(tmp_path, forged(rows, text)))[0].added == 1


def test_new_versions_cannot_rewrite_the_old_ones(store: SeriesStore, tmp_path: Path) -> None:
    """The digests of known versions are right, and the file they name has other rows in their place."""
    old = rows_of({"rate": [1.0, 2.0, 3.0]})
    store.update(SPY, answer(old))
    store.update(SPY, answer(rows_of({"rate": [1.0, 2.0, 3.0, 4.0]})))
    content = export_archive(store)
    path, other = put(tmp_path, content), open_store(str(tmp_path / "other.sqlite"))
    other.update(SPY, answer(old))
    forged_rows = rows_of({"rate": [1.0, 9.0, 3.0, 4.0]})

    def forge(manifest: Manifest) -> None:
        manifest["series"][0]["versions"][1]["digest"] = forged_rows.digest()

    files = opened(with_manifest(content, forge))
    (name,) = [name for name in files if name.endswith(".csv")]
    path.write_bytes(closed(files | {name: files[name].replace(b",2.0", b",9.0")}))
    assert "not an export" in refused(other, path)
    assert bits(other.read(SPY).rows) == bits(old)  # type: ignore[union-attr]


def test_versions_cannot_go_back_to_an_older_file(exported: bytes, in_file: SeriesStore, tmp_path: Path) -> None:
    def turn_back(manifest: Manifest) -> None:
        versions = manifest["series"][1]["versions"]
        versions.append({**versions[0], "number": 5})

    assert "not an export" in refused(in_file, put(tmp_path, with_manifest(exported, turn_back)))


def test_a_missing_table_changes_nothing(exported: bytes, in_file: SeriesStore, tmp_path: Path) -> None:
    files = opened(exported)
    del files[CSV]
    assert "not an export" in refused(in_file, put(tmp_path, closed(files)))


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"date,close\n2010-01-01,1\n", bytes(10_000)]
)
def test_a_file_that_is_no_zip_changes_nothing(in_file: SeriesStore, tmp_path: Path, content: bytes) -> None:
    assert "not an export" in refused(in_file, put(tmp_path, content))


def test_a_file_that_is_not_there_says_so(in_file: SeriesStore, tmp_path: Path) -> None:
    assert "cannot be read (No such file or directory)" in refused(in_file, tmp_path / "none.zip")
    assert "cannot be read (Is a directory)" in refused(in_file, tmp_path)


def test_a_file_that_is_too_large_is_not_opened(
    in_file: SeriesStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_module, "MAX_BYTES", 1000)
    assert "larger than" in refused(in_file, put(tmp_path, bytes(1001)))


def test_a_table_that_grows_without_end_is_not_unpacked(exported: bytes, in_file: SeriesStore, tmp_path: Path) -> None:
    """70 MB of noughts in 70 kB."""
    content = closed(opened(exported) | {CSV: bytes(70 * 2**20)})
    assert len(content) < 2**18
    assert "not an export" in refused(in_file, put(tmp_path, content))


def test_a_table_that_lies_about_its_size_is_refused(exported: bytes, in_file: SeriesStore, tmp_path: Path) -> None:
    content = bytearray(closed({**opened(exported), CSV: b"date,rate\n" + b"2010-01-01,1\n" * 100_000}))
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):  # the unpacked sizes, local and central
        start = 0
        while (start := content.find(signature, start)) >= 0:
            if CSV.encode() in content[start : start + 100]:
                content[start + at : start + at + 4] = struct.pack("<I", 30)
            start += 4
    assert "not an export" in refused(in_file, put(tmp_path, bytes(content)))


def test_an_encrypted_file_is_refused(exported: bytes, in_file: SeriesStore, tmp_path: Path) -> None:
    content = bytearray(exported)
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := content.find(signature, start)) >= 0:
            content[start + at] |= 1
            start += 4
    assert "not an export" in refused(in_file, put(tmp_path, bytes(content)))


def test_an_archive_with_flipped_bytes_is_the_same_or_refused(exported: bytes, tmp_path: Path) -> None:
    whole = open_store(str(tmp_path / "whole.sqlite"))
    import_archive(whole, put(tmp_path, exported))
    right, rng, refusals = facts_of(whole), np.random.default_rng(11), 0  # the seed of every flip below
    store = open_store(str(tmp_path / "s.sqlite"))
    for _ in range(100):
        raw = bytearray(exported)
        for at in rng.integers(0, len(raw), int(rng.integers(1, 4))):
            raw[at] ^= int(rng.integers(1, 256))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # zipfile, on a name that is there twice
                import_archive(store, put(tmp_path, bytes(raw)))
        except StoreError:
            refusals += 1
            assert store.list() == ()
        else:
            assert facts_of(store) == right
            for leftover in tmp_path.glob("s.sqlite*"):
                leftover.unlink()
            store = open_store(str(tmp_path / "s.sqlite"))
    assert refusals > 80


def test_a_damaged_store_is_not_exported(store: SeriesStore) -> None:
    store.update(SPY, answer(without(ROWS, 3)))
    with writing(store.engine) as connection:
        connection.execute(update(schema.version).values(digest="0" * 64))
    with pytest.raises(StoreError, match="damaged"):
        export_archive(store)
