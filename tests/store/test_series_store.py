"""The store's promises, in SQLite and in PostgreSQL: versions are numbered without gaps and never change."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update
from tests.store.building import SPY, all_of, answer, bits, changed, iso, prices, rows_of, without

from alphaoverlay.errors import DataError, StoreError
from alphaoverlay.store import schema
from alphaoverlay.store.engine import reading, writing
from alphaoverlay.store.rows import BLOCK, pack
from alphaoverlay.store.series_store import SeriesStore, open_store
from alphaoverlay.store.versions import Key


def test_a_new_store_is_empty(store: SeriesStore) -> None:
    assert store.list() == ()
    assert store.read(SPY) is None
    assert store.versions(SPY) == ()
    assert store.pinned("abc") is None


@pytest.mark.parametrize("count", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 17])
def test_the_first_answer_is_kept_bit_for_bit(shared: SeriesStore, count: int) -> None:
    key = Key("yahoo", "price", f"FIRST{count}")
    rows = prices(count, seed=count)
    done = shared.update(key, answer(rows, currency="USD", exchange="NYSE"))
    assert (done.outcome, done.added) == ("first", count)
    found = shared.read(key)
    assert found is not None
    assert bits(found.rows) == bits(rows)
    one = found.version
    assert (one.number, one.reason, one.rows, one.first, one.last) == (1, "first", count, rows.day(0), rows.day(-1))
    assert (one.created, found.checked) == ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z")
    assert one.facts == {"currency": "USD", "exchange": "NYSE"}
    assert one.revision is None


def test_strange_numbers_are_kept_bit_for_bit(store: SeriesStore) -> None:
    odd = rows_of({"close": [np.nan, 5e-324, 1e308, 3.0], "rate": [-0.0, np.inf, -np.inf, 0.1 + 0.2]})
    store.update(SPY, answer(odd))
    found = store.read(SPY)
    assert found is not None
    assert bits(found.rows) == bits(odd)


def test_names_are_kept_as_they_are_written(store: SeriesStore) -> None:
    keys = [Key("yahoo", "price", name) for name in ("BRK-B", "brk-b", "^GSPC", "ÅÄÖ 株", "a%b_c'd\"e;--")]
    keys += [Key("fred", "rate", "BRK-B"), Key("fred", "price", "BRK-B")]
    for k, key in enumerate(keys):
        store.update(key, answer(prices(3 + k)))
    assert [one.key for one in store.list()] == sorted(keys)
    found = {key: store.read(key) for key in keys}
    assert [found[key].version.rows for key in keys] == [3 + k for k in range(len(keys))]  # type: ignore[union-attr]


def test_the_listing_shows_the_newest_version_of_each_series(store: SeriesStore) -> None:
    rows, other = prices(100), Key("fred", "rate", "DFF")
    store.update(SPY, answer(rows.cut(0, 90)))
    store.update(SPY, answer(rows, at="2026-02-02T00:00:00Z"))
    store.update(other, answer(rows_of({"rate": [0.01]})))
    dff, spy = store.list()
    assert (dff.key, dff.versions, dff.newest.rows) == (other, 1, 1)
    assert (spy.key, spy.versions, spy.newest.rows, spy.checked) == (SPY, 2, 100, "2026-02-02T00:00:00Z")


def test_versions_that_do_not_exist_are_none(store: SeriesStore) -> None:
    store.update(SPY, answer(prices(5)))
    assert [store.read(SPY, number) is None for number in (-1, 0, 1, 2)] == [True, True, False, True]


def test_a_reading_transaction_sees_one_state(store: SeriesStore) -> None:
    rows = prices(20)
    store.update(SPY, answer(rows.cut(0, 10)))
    with reading(store.engine) as connection:
        query = select(schema.version.c.number)
        before = connection.execute(query).scalars().all()
        store.update(SPY, answer(rows))
        assert connection.execute(query).scalars().all() == before == [1]
    assert len(store.versions(SPY)) == 2


def test_a_failing_block_of_code_changes_nothing(store: SeriesStore) -> None:
    store.update(SPY, answer(prices(10)))
    before = all_of(store)
    with contextlib.suppress(ZeroDivisionError), writing(store.engine) as connection:
        connection.execute(update(schema.version).values(reason="wrong"))
        raise ZeroDivisionError
    assert all_of(store) == before


# Pins


def test_a_pinned_fingerprint_leads_to_its_versions(store: SeriesStore) -> None:
    dff = Key("fred", "rate", "DFF")
    store.pin("aabbcc", [(SPY, 3), (dff, 1)], at="2026-01-01T00:00:00Z")
    assert store.pinned("aabbcc") == {SPY: 3, dff: 1}
    assert store.pinned("aab") == {SPY: 3, dff: 1}
    assert store.pinned("aabbccdd") is None
    assert store.pinned("abb") is None


def test_a_known_fingerprint_stays_as_it_is(store: SeriesStore) -> None:
    store.pin("aabbcc", [(SPY, 3)], at="2026-01-01T00:00:00Z")
    store.pin("aabbcc", [(SPY, 4)], at="2026-01-02T00:00:00Z")
    assert store.pinned("aabbcc") == {SPY: 3}


def test_a_beginning_that_several_share_is_refused(store: SeriesStore) -> None:
    store.pin("aabb", [(SPY, 1)], at="2026-01-01T00:00:00Z")
    store.pin("aacc", [(SPY, 2)], at="2026-01-01T00:00:00Z")
    with pytest.raises(StoreError, match="begin with aa; write more"):
        store.pinned("aa")
    assert store.pinned("aab") == {SPY: 1}


def test_a_whole_fingerprint_wins_over_longer_ones(store: SeriesStore) -> None:
    for k, fingerprint in enumerate(["ab12", "ab123", "ab", "ab1234", "ab12345"]):
        store.pin(fingerprint, [(SPY, k)], at="2026-01-01T00:00:00Z")
    assert [store.pinned(one) for one in ("ab12", "ab123", "ab")] == [{SPY: 0}, {SPY: 1}, {SPY: 2}]


@pytest.mark.parametrize("asked", ["AB", "a_", "%", "_b", "a%"])
def test_fingerprints_are_read_letter_by_letter(store: SeriesStore, asked: str) -> None:
    store.pin("abcd", [(SPY, 1)], at="2026-01-01T00:00:00Z")
    assert store.pinned(asked) is None


# Damage


def damage(store: SeriesStore, table: object, **values: object) -> None:
    with writing(store.engine) as connection:
        connection.execute(update(table).values(values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "payload",
    [b"", b"nothing", pack(prices(11, seed=2)), pack(prices(10, seed=2)), pack(prices(12, seed=1).cut(2, 12))],
    ids=["empty", "not deflated", "longer", "other numbers", "other days"],
)
def test_a_damaged_block_is_an_error_and_no_wrong_numbers(store: SeriesStore, payload: bytes) -> None:
    store.update(SPY, answer(prices(10)))
    damage(store, schema.block, payload=payload)
    with pytest.raises(StoreError, match="damaged"):
        store.read(SPY)
    with pytest.raises(StoreError, match="damaged"):
        store.update(SPY, answer(prices(11)))


@pytest.mark.parametrize(
    "values", [{"rows": 9}, {"rows": 0}, {"digest": "0" * 64}, {"facts": "{"}, {"facts": "7"}, {"revision": "[]x"}]
)
def test_a_damaged_version_is_an_error(store: SeriesStore, values: dict[str, object]) -> None:
    store.update(SPY, answer(prices(10)))
    damage(store, schema.version, **values)
    with pytest.raises(StoreError, match="damaged"):
        store.read(SPY)


def test_a_lost_block_is_an_error(store: SeriesStore) -> None:
    store.update(SPY, answer(prices(2 * BLOCK + 5)))
    with writing(store.engine) as connection:
        connection.execute(schema.lineage_block.delete().where(schema.lineage_block.c.position == 1))
    with pytest.raises(StoreError, match="damaged"):
        store.read(SPY)


def test_lost_columns_are_an_error(store: SeriesStore) -> None:
    store.update(SPY, answer(prices(10)))
    damage(store, schema.lineage, columns="close,adj_close,distribution")
    with pytest.raises(StoreError, match="damaged"):
        store.read(SPY)


def test_a_file_with_flipped_bytes_gives_its_numbers_or_an_error(tmp_path: Path) -> None:
    """Numbers are right or refused; anything else that is wrong is an error of the store, too."""
    place = tmp_path / "store.sqlite"
    rows = prices(600)
    store = open_store(str(place))
    store.update(SPY, answer(rows.cut(0, 590)))
    store.update(SPY, answer(rows))
    sound = {1: bits(rows.cut(0, 590)), 2: bits(rows)}
    whole = place.read_bytes()
    rng = np.random.default_rng(7)  # the seed of every flip below
    refused = 0
    for _ in range(100):
        raw = bytearray(whole)
        for at in rng.integers(0, len(raw), 30):
            raw[at] ^= int(rng.integers(1, 256))
        place.write_bytes(raw)
        for stale in tmp_path.glob("store.sqlite-*"):
            stale.unlink()
        try:
            for number in (1, 2):
                found = open_store(str(place)).read(SPY, number)
                assert found is None or bits(found.rows) == sound[found.version.number]
        except StoreError:
            refused += 1
    assert refused > 30


# Versions that share blocks


def test_appending_writes_the_last_block_only(store: SeriesStore) -> None:
    rows = prices(3 * BLOCK + 100)
    store.update(SPY, answer(rows.cut(0, 3 * BLOCK + 50)))
    store.update(SPY, answer(rows))
    with writing(store.engine) as connection:
        assert len(connection.execute(select(schema.block.c.id)).all()) == 4


def test_a_revision_shares_the_blocks_before_it(store: SeriesStore) -> None:
    rows = prices(4 * BLOCK)
    close = rows.column("close").copy()
    close[2 * BLOCK + 7] += 1.0
    store.update(SPY, answer(rows))
    store.update(SPY, answer(changed(rows, close=close)))
    with writing(store.engine) as connection:
        assert len(connection.execute(select(schema.block.c.id)).all()) == 6
    first, second = store.read(SPY, 1), store.read(SPY, 2)
    assert first is not None
    assert second is not None
    assert bits(first.rows) == bits(rows)
    assert bits(second.rows) == bits(changed(rows, close=close))


def test_rescaling_writes_no_block(store: SeriesStore) -> None:
    rows = prices(2 * BLOCK)
    store.update(SPY, answer(rows))
    store.update(SPY, answer(changed(rows, adj_close=rows.column("adj_close") * 0.5)))
    with writing(store.engine) as connection:
        assert len(connection.execute(select(schema.block.c.id)).all()) == 2


def test_a_refused_answer_changes_nothing(store: SeriesStore) -> None:
    rows = prices(100)
    store.update(SPY, answer(rows))
    before = all_of(store), store.list()
    with pytest.raises(DataError, match=r"SPY from yahoo: the source now has 49 of the 100 rows"):
        store.update(SPY, answer(without(rows, *range(51)), at="2026-05-05T00:00:00Z"))
    assert (all_of(store), store.list()) == before


def test_what_is_stored_is_plain_json_and_text(tmp_path: Path) -> None:
    """Another program can read what is said of a version; its numbers are described in docs/decisions."""
    rows = prices(50)
    close = rows.column("close").copy()
    close[3] *= 1.5
    store = open_store(str(tmp_path / "s.sqlite"))
    store.update(SPY, answer(rows))
    store.update(SPY, answer(changed(rows, close=close)))
    connection = sqlite3.connect(tmp_path / "s.sqlite")
    (text,) = connection.execute("SELECT revision FROM version WHERE number = 2").fetchone()
    connection.close()
    assert json.loads(text)["day"] == iso(int(rows.days[3]))
