"""What comes of an answer: hand cases of every outcome, and random histories held against frames in a dict."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.store.building import (
    FIRST,
    SPY,
    answer,
    bits,
    changed,
    iso,
    names,
    prices,
    rows_of,
    single,
    without,
)

from alphaoverlay.errors import DataError
from alphaoverlay.store.rows import Rows
from alphaoverlay.store.series_store import SeriesStore, Stored
from alphaoverlay.store.versions import Key, Version

LATER = "2026-06-01T00:00:00Z"
KEYS = names()


def newest(store: SeriesStore, key: Key = SPY) -> Stored:
    found = store.read(key)
    assert found is not None
    return found


def with_change(rows: Rows, row: int, name: str = "close", factor: float = 1.1) -> Rows:
    column = rows.column(name).copy()
    column[row] *= factor
    return changed(rows, **{name: column})


def adjusted_by(rows: Rows, factor: float) -> Rows:
    return changed(rows, adj_close=rows.column("adj_close") * factor)


def split_by(rows: Rows, parts: float) -> Rows:
    factors = dict.fromkeys(("close", "adj_close", "distribution"), 1.0 / parts) | {"volume": parts}
    return changed(rows, **{name: rows.column(name) * factors[name] for name in rows.columns})


def test_the_same_answer_again_is_only_noted(store: SeriesStore) -> None:
    store.update(SPY, answer(prices(30)))
    done = store.update(SPY, answer(prices(30), at=LATER))
    assert (done.outcome, done.added) == ("unchanged", 0)
    assert done.version == store.versions(SPY)[-1]
    assert len(store.versions(SPY)) == 1
    assert newest(store).checked == LATER


@pytest.mark.parametrize("since", [None, 28, 5])
def test_new_days_are_appended(store: SeriesStore, since: int | None) -> None:
    rows = prices(40)
    store.update(SPY, answer(rows.cut(0, 30)))
    served = rows if since is None else rows.cut(since, 40)
    done = store.update(SPY, answer(served, since=None if since is None else rows.day(since), at=LATER))
    assert (done.outcome, done.added) == ("appended", 10)
    assert done.version == newest(store).version
    assert done.version is not None
    assert (done.version.number, done.version.reason, done.version.created) == (2, "appended", LATER)
    assert bits(newest(store).rows) == bits(rows)
    assert newest(store).checked == LATER


def test_new_columns_order_of_a_source_is_not_a_change(store: SeriesStore) -> None:
    rows = prices(40)
    store.update(SPY, answer(rows.cut(0, 30)))
    done = store.update(SPY, answer(rows.only(["volume", "distribution", "close", "adj_close"])))
    assert done.outcome == "appended"
    assert bits(newest(store).rows) == bits(rows)


@pytest.mark.parametrize("fresh", [0, 7])
def test_a_distribution_rescales_the_past(store: SeriesStore, fresh: int) -> None:
    rows = prices(40)
    store.update(SPY, answer(rows.cut(0, 40 - fresh)))
    done = store.update(SPY, answer(adjusted_by(rows, 0.75)))
    assert (done.outcome, done.added) == ("rescaled", fresh)
    assert newest(store).version.adj_scale == pytest.approx(0.75, rel=1e-15)
    assert newest(store).version.close_scale == 1.0
    np.testing.assert_allclose(newest(store).rows.values, adjusted_by(rows, 0.75).values, rtol=1e-14)
    assert bits(store.read(SPY, 1).rows) == bits(rows.cut(0, 40 - fresh))  # type: ignore[union-attr]


def test_a_split_rescales_prices_distributions_and_volume(store: SeriesStore) -> None:
    rows = prices(200)
    store.update(SPY, answer(rows.cut(0, 150)))
    done = store.update(SPY, answer(split_by(rows, 4.0)))
    assert (done.outcome, done.added) == ("rescaled", 50)
    assert (newest(store).version.close_scale, newest(store).version.adj_scale) == pytest.approx((0.25, 0.25))
    np.testing.assert_allclose(newest(store).rows.values, split_by(rows, 4.0).values, rtol=1e-14)


def test_factors_of_many_distributions_multiply(store: SeriesStore) -> None:
    rows = prices(80)
    store.update(SPY, answer(rows.cut(0, 20)))
    for k in range(1, 16):
        part = changed(rows, adj_close=single(rows.column("adj_close") * 0.99**k)).cut(0, 20 + 2 * k)
        assert store.update(SPY, answer(part)).outcome == "rescaled"
        np.testing.assert_allclose(newest(store).rows.values, part.values, rtol=3e-7)
    assert newest(store).version.adj_scale == pytest.approx(0.99**15, rel=2e-7)
    assert len({one.lineage for one in store.versions(SPY)}) == 1


@pytest.mark.parametrize("places", [2, 3, 4, 5, 6])
def test_rounded_prices_survive_many_distributions_without_a_false_revision(store: SeriesStore, places: int) -> None:
    """What is stored after a rescaling is what is served, so that the next answer finds nothing changed."""
    rows = prices(400)
    for k in range(12):
        served = changed(rows, adj_close=np.round(rows.column("adj_close") * 0.993**k, places)).cut(0, 300 + 8 * k)
        assert store.update(SPY, answer(served)).outcome == ("rescaled" if k else "first")
        np.testing.assert_allclose(newest(store).rows.values, served.values, rtol=2e-6)
        tail = served.cut(len(served) - 10, len(served))
        assert store.update(SPY, answer(tail, since=tail.day(0))).outcome == "unchanged"
    assert {one.revision for one in store.versions(SPY)} == {None}


def test_a_changed_close_makes_a_revision(store: SeriesStore) -> None:
    rows = prices(60)
    store.update(SPY, answer(rows))
    done = store.update(SPY, answer(with_change(rows, 17)))
    assert done.outcome == "revised"
    assert newest(store).version.reason == "revised"
    revision = newest(store).version.revision
    assert revision is not None
    assert (revision.changed, revision.column, revision.day) == (1, "close", iso(FIRST + 17))
    assert revision.largest == pytest.approx(0.1)
    assert bits(newest(store).rows) == bits(with_change(rows, 17))
    assert bits(store.read(SPY, 1).rows) == bits(rows)  # type: ignore[union-attr]


def test_a_longer_past_makes_a_revision(store: SeriesStore) -> None:
    rows = prices(60)
    store.update(SPY, answer(rows.cut(20, 50)))
    done = store.update(SPY, answer(rows))
    assert (done.outcome, done.added) == ("revised", 10)
    assert bits(newest(store).rows) == bits(rows)
    assert newest(store).version.revision.added == 20  # type: ignore[union-attr]


def test_a_part_for_a_series_that_is_not_there_needs_the_whole(store: SeriesStore) -> None:
    done = store.update(SPY, answer(prices(5), since=prices(5).day(0)))
    assert (done.outcome, done.version) == ("whole needed", None)
    assert store.list() == ()
    assert store.versions(SPY) == ()
    assert store.read(SPY) is None


ROWS = prices(100)
PARTS = {
    "a changed value": (with_change(ROWS, 75).cut(70, 100), 70),
    "rescaled": (adjusted_by(ROWS, 0.9).cut(70, 100), 70),
    "a day gone": (without(ROWS, 75).cut(70, 99), 70),
    "a day too many": (ROWS.cut(70, 100), 70),
    "first day missing": (ROWS.cut(71, 100), 70),
    "a column less": (ROWS.cut(70, 100).only(["close", "adj_close", "distribution"]), 70),
    "a gap after the stored days": (ROWS.cut(95, 100), 95),
    "the day after the stored ones": (ROWS.cut(90, 100), 90),
    "more of the past than is stored": (
        Rows(
            np.concatenate(([FIRST - 5], ROWS.days)).astype(np.int32),
            ROWS.columns,
            np.vstack((ROWS.values[:1], ROWS.values)),
        ),
        70,
    ),
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_does_not_continue_what_is_stored_needs_the_whole(store: SeriesStore, name: str) -> None:
    served, since = PARTS[name]
    stored = without(ROWS, 85).cut(0, 89) if name == "a day too many" else ROWS.cut(0, 90)
    store.update(SPY, answer(stored))
    before = store.list(), store.versions(SPY), bits(newest(store).rows)
    done = store.update(SPY, answer(served, since=ROWS.day(since), at=LATER))
    assert (done.outcome, done.version, done.added) == ("whole needed", None, 0)
    assert (store.list(), store.versions(SPY), bits(newest(store).rows)) == before


def test_a_source_that_cannot_cut_may_serve_more_than_it_was_asked_for(store: SeriesStore) -> None:
    store.update(SPY, answer(ROWS.cut(0, 90)))
    done = store.update(SPY, answer(ROWS, since=ROWS.day(85)))
    assert (done.outcome, done.added) == ("appended", 10)
    assert bits(newest(store).rows) == bits(ROWS)


def test_a_part_from_a_day_without_a_row_continues(store: SeriesStore) -> None:
    rows = without(ROWS, 80)
    store.update(SPY, answer(rows.cut(0, 89)))
    done = store.update(SPY, answer(rows.cut(80, 99), since=ROWS.day(80)))
    assert (done.outcome, done.added) == ("appended", 10)


@pytest.mark.parametrize("since", [None, 50])
def test_an_answer_that_ends_before_the_stored_rows_is_behind(store: SeriesStore, since: int | None) -> None:
    store.update(SPY, answer(ROWS))
    served = with_change(ROWS, 60).cut(since or 0, 99)
    done = store.update(SPY, answer(served, since=None if since is None else ROWS.day(since), at=LATER))
    assert (done.outcome, done.added) == ("behind", 0)
    assert done.version == store.versions(SPY)[0]
    assert len(store.versions(SPY)) == 1
    assert newest(store).checked != LATER


def test_a_whole_answer_that_lacks_most_rows_is_refused(store: SeriesStore) -> None:
    store.update(SPY, answer(ROWS))
    with pytest.raises(DataError, match="49 of the 100 rows that are stored"):
        store.update(SPY, answer(ROWS.cut(51, 100)))
    assert store.update(SPY, answer(ROWS.cut(50, 100))).outcome == "revised"


def test_a_new_column_in_a_whole_answer_makes_a_version(store: SeriesStore) -> None:
    store.update(SPY, answer(ROWS.cut(0, 90).only(["close", "adj_close"])))
    done = store.update(SPY, answer(ROWS))
    assert (done.outcome, done.added) == ("revised", 10)
    assert newest(store).version.revision is None
    assert bits(newest(store).rows) == bits(ROWS)
    assert store.read(SPY, 1).rows.columns == ("close", "adj_close")  # type: ignore[union-attr]


def test_a_lost_column_in_a_whole_answer_makes_a_version(store: SeriesStore) -> None:
    fewer = ROWS.only(["close", "adj_close"])
    store.update(SPY, answer(ROWS))
    assert store.update(SPY, answer(fewer)).outcome == "revised"
    assert bits(newest(store).rows) == bits(fewer)
    assert bits(store.read(SPY, 1).rows) == bits(ROWS)  # type: ignore[union-attr]


def test_columns_that_all_changed_make_a_version(store: SeriesStore) -> None:
    store.update(SPY, answer(rows_of({"close": [1.0, 2.0, 3.0]})))
    assert store.update(SPY, answer(rows_of({"rate": [1.0, 2.0, 3.0, 4.0]}))).outcome == "revised"
    assert newest(store).rows.columns == ("rate",)


def test_a_revision_after_a_rescaling_starts_from_what_is_served(store: SeriesStore) -> None:
    store.update(SPY, answer(ROWS))
    store.update(SPY, answer(split_by(ROWS, 3.0)))
    store.update(SPY, answer(with_change(split_by(ROWS, 3.0), 90)))
    assert [one.close_scale for one in store.versions(SPY)] == pytest.approx([1.0, 1 / 3, 1.0])
    assert bits(newest(store).rows) == bits(with_change(split_by(ROWS, 3.0), 90))


def test_corrected_volumes_are_neither_a_version_nor_lost_rows(store: SeriesStore) -> None:
    store.update(SPY, answer(ROWS))
    done = store.update(SPY, answer(changed(ROWS, volume=1.0)))
    assert done.outcome == "unchanged"
    assert bits(newest(store).rows) == bits(ROWS)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["whole", "whole", "part", "rescaled", "split", "revised", "inserted", "gone", "shorter", "columns"]
        ),
        st.integers(0, 2**31),
    ),
    min_size=1,
    max_size=10,
)


class Vendor:
    """A source that lives: days pass, distributions and splits rescale, corrections are made."""

    def __init__(self, seed: int) -> None:
        self.rows = prices(500, seed)
        self.end = 20 + seed % 300

    def step(self, what: str, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.end = min(self.end + int(rng.integers(0, 40)), len(self.rows))
        if what == "rescaled":
            self.rows = adjusted_by(self.rows, float(rng.uniform(0.9, 0.999)))
        elif what == "split":
            self.rows = split_by(self.rows, float(rng.choice([2.0, 3.0, 0.1])))
        elif what == "revised":
            name = str(rng.choice(["close", "adj_close"]))
            self.rows = with_change(self.rows, int(rng.integers(0, self.end)), name, float(rng.uniform(1.001, 3.0)))
        elif what == "gone":
            self.rows = without(self.rows, int(rng.integers(0, self.end - 1)))
            self.end -= 1
        elif what == "inserted":
            self.rows = _with_row_before_the_first(self.rows)
            self.end += 1
        elif what == "columns":
            kept = [name for name in self.rows.columns if name != "volume"]
            grown = "volume" not in self.rows.columns
            self.rows = _with_volume(self.rows) if grown else self.rows.only(kept)

    def served(self) -> Rows:
        return self.rows.cut(0, self.end)


def _with_row_before_the_first(rows: Rows) -> Rows:
    days = np.concatenate(([rows.days[0] - 1], rows.days)).astype(np.int32)
    return Rows(days, rows.columns, np.vstack((rows.values[:1], rows.values)))


def _with_volume(rows: Rows) -> Rows:
    return Rows(rows.days, (*rows.columns, "volume"), np.column_stack((rows.values, np.full(len(rows), 5.0))))


@settings(max_examples=300 if os.environ.get("ALPHAOVERLAY_FULL") else 12)
@given(st.integers(0, 2**31), STEPS)
def test_random_histories_leave_every_version_as_it_was(
    shared: SeriesStore, seed: int, steps: list[tuple[str, int]]
) -> None:
    """Whatever comes later, a version reads as when it was newest; the newest is what was served."""
    key = next(KEYS)
    vendor = Vendor(seed)
    shared.update(key, answer(vendor.served()))
    model: dict[int, tuple[Version, tuple[object, ...]]] = {}
    remember(shared, key, model)
    for what, value in steps:
        vendor.step(what, value)
        rows = vendor.served()
        if what == "shorter":
            last = newest(shared, key).rows
            assert shared.update(key, answer(last.cut(0, len(last) - 1))).outcome == "behind"
            continue
        if what == "part":
            begin = max(len(rows) - 60, 0)
            done = shared.update(key, answer(rows.cut(begin, len(rows)), since=rows.day(begin)))
            if done.outcome == "whole needed":
                assert shared.versions(key) == tuple(one for one, _ in model.values())
                done = shared.update(key, answer(rows))
        else:
            done = shared.update(key, answer(rows))
        assert done.outcome in ("appended", "rescaled", "revised", "unchanged")
        remember(shared, key, model)
        found = newest(shared, key)
        assert (found.rows.days.tolist(), set(found.rows.columns)) == (rows.days.tolist(), set(rows.columns))
        for name in rows.columns:
            if name != "volume":
                np.testing.assert_allclose(found.rows.column(name), rows.column(name), rtol=3e-6, atol=0.0)
    versions = shared.versions(key)
    assert [one.number for one in versions] == list(range(1, len(model) + 1))
    assert [one for one, _ in model.values()] == list(versions)
    for number, (_, kept) in model.items():
        found_then = shared.read(key, number)
        assert found_then is not None
        assert bits(found_then.rows) == kept


def remember(store: SeriesStore, key: Key, model: dict[int, tuple[Version, tuple[object, ...]]]) -> None:
    found = newest(store, key)
    known = model.setdefault(found.version.number, (found.version, bits(found.rows)))
    assert known == (found.version, bits(found.rows))


def test_keys_are_new_each_time() -> None:
    keys: Iterator[Key] = names()
    assert next(keys) != next(keys)
