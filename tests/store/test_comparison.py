"""What a source changed is found, measured, and told apart from a new footing of the same prices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.store.building import FIRST, changed, iso, prices, rows_of, single, without

from alphaoverlay.store.comparison import NOISE, Revision, compare
from alphaoverlay.store.rows import Rows

SEEDS = st.integers(0, 2**31)


def test_the_same_rows_are_the_same() -> None:
    rows = prices(300)
    found = compare(rows, rows)
    assert (found.close_scale, found.adj_scale, found.revision, found.first_changed) == (1.0, 1.0, None, 300)
    assert not found.rescaled
    assert not found.rounded


@given(SEEDS, st.integers(1, 400))
def test_the_noise_of_single_precision_is_no_change(seed: int, count: int) -> None:
    rows = prices(count, seed)
    noisy = changed(rows, close=single(rows.column("close")), adj_close=single(rows.column("adj_close")))
    found = compare(rows, noisy)
    assert found.revision is None
    assert not found.rescaled


@given(SEEDS, st.floats(0.5, 0.9999), st.integers(2, 600))
def test_a_distribution_rescales_all_adjusted_closes(seed: int, factor: float, count: int) -> None:
    rows = prices(count, seed)
    before = changed(rows, adj_close=single(rows.column("adj_close")))
    after = changed(rows, adj_close=single(rows.column("adj_close") * factor))
    found = compare(before, after)
    assert found.revision is None
    assert found.close_scale == 1.0
    assert found.adj_scale == pytest.approx(factor, rel=2e-7)
    assert not found.rounded


@given(SEEDS, st.floats(0.9, 0.999), st.integers(60, 2_000), st.integers(2, 6))
def test_a_distribution_rescales_rounded_prices_too(seed: int, factor: float, count: int, places: int) -> None:
    rows = prices(count, seed)
    before = changed(rows, adj_close=np.round(rows.column("adj_close"), places))
    after = changed(rows, adj_close=np.round(rows.column("adj_close") * factor, places))
    found = compare(before, after)
    assert found.revision is None
    unit = 10.0**-places
    assert found.adj_scale == pytest.approx(factor, rel=unit / 20.0)
    off = np.abs(before.column("adj_close") * found.adj_scale - after.column("adj_close"))
    assert found.rounded == bool((off > NOISE * before.column("adj_close") * found.adj_scale).any())


@pytest.mark.parametrize("places", [2, 3, 4])
def test_cheap_days_hide_no_factor(places: int) -> None:
    # Coca-Cola, adjusted, in the 1960s: below a dollar for most of its rows, where cents do not move by half a percent.
    close = np.round(np.concatenate((np.linspace(0.05, 0.6, 700), np.geomspace(0.6, 60.0, 600))), places)
    after = np.round(close * 0.993, places)
    found = compare(rows_of({"adj_close": close.tolist()}), rows_of({"adj_close": after.tolist()}))
    assert found.revision is None
    assert found.adj_scale == pytest.approx(0.993, rel=1e-4)


@given(SEEDS, st.sampled_from([0.25, 0.5, 1 / 3, 2.0, 10.0]), st.integers(1, 600))
def test_a_split_rescales_all_prices(seed: int, factor: float, count: int) -> None:
    rows = prices(count, seed)
    after = changed(
        rows,
        close=single(rows.column("close") * factor),
        adj_close=single(rows.column("adj_close") * factor),
        distribution=single(rows.column("distribution") * factor),
        volume=rows.column("volume") / factor,
    )
    found = compare(rows, after)
    assert found.revision is None
    assert (found.close_scale, found.adj_scale) == pytest.approx((factor, factor), rel=2e-7)
    assert found.first_changed == count


def test_a_split_of_rounded_prices_is_a_split() -> None:
    rows = prices(500)
    names = ("close", "adj_close", "distribution")
    before = changed(rows, **{name: np.round(rows.column(name), 2) for name in names})
    after = changed(rows, **{name: np.round(rows.column(name) / 4.0, 4) for name in names})
    found = compare(before, after)
    assert found.revision is None
    assert found.close_scale == pytest.approx(0.25, rel=1e-5)
    assert found.rounded


def test_a_net_asset_value_stands_on_the_footing_of_the_close() -> None:
    close = np.linspace(50.0, 80.0, 40)
    old = rows_of({"close": close.tolist(), "nav": (close + 0.01).tolist()})
    assert compare(old, changed(old, close=close / 4.0, nav=(close + 0.01) / 4.0)).revision is None
    found = compare(old, changed(old, close=close / 4.0)).revision
    assert found is not None
    assert (found.changed, found.column) == (40, "nav")


def test_one_changed_close_is_found_and_measured() -> None:
    rows = prices(700)
    close = rows.column("close").copy()
    close[431] *= 1.02
    found = compare(rows, changed(rows, close=close))
    day = iso(FIRST + 431)
    assert found.revision is not None
    assert found.revision == Revision(1, 0, 0, day, day, "close", day, found.revision.largest)
    assert found.revision.largest == pytest.approx(0.02)
    assert found.first_changed == 431
    assert not found.rescaled


def test_one_changed_adjusted_close_beside_a_rescaling_is_the_only_change() -> None:
    rows = prices(700)
    adjusted = single(rows.column("adj_close") * 0.99)
    adjusted[50] *= 1.5
    found = compare(rows, changed(rows, adj_close=adjusted))
    assert found.adj_scale == pytest.approx(0.99, rel=1e-7)
    assert found.revision is not None
    assert (found.revision.changed, found.revision.day, found.first_changed) == (1, iso(FIRST + 50), 50)
    assert found.revision.largest == pytest.approx(0.5, rel=1e-6)


def test_one_changed_old_distribution_is_found() -> None:
    rows = prices(400)
    paid = rows.column("distribution").copy()
    was = paid[62]
    paid[62] = was + 0.01
    found = compare(rows, changed(rows, distribution=paid)).revision
    assert found is not None
    assert (found.changed, found.column, found.day) == (1, "distribution", iso(FIRST + 62))
    assert found.largest == pytest.approx(0.01 / was)


def test_a_distribution_where_there_was_none_counts_in_full() -> None:
    rows = rows_of({"close": [10.0, 10.0, 10.0], "distribution": [0.0, 0.0, 0.0]})
    found = compare(rows, changed(rows, distribution=[0.0, 0.25, 0.0])).revision
    assert found is not None
    assert (found.changed, found.column, found.largest) == (1, "distribution", 0.25)


def test_some_rows_rescaled_and_others_not_is_a_revision() -> None:
    rows = prices(400)
    adjusted = rows.column("adj_close").copy()
    adjusted[:100] *= 0.98
    found = compare(rows, changed(rows, adj_close=adjusted))
    assert found.revision is not None
    assert not found.rescaled
    assert (found.revision.changed, found.revision.first, found.revision.last) == (100, iso(FIRST), iso(FIRST + 99))
    assert found.revision.largest == pytest.approx(0.02)


def test_a_source_that_adjusts_two_days_late_revises_these_two() -> None:
    rows = prices(400)
    adjusted = rows.column("adj_close") * 0.98
    adjusted[398:] = rows.column("adj_close")[398:]
    found = compare(rows, changed(rows, adj_close=adjusted))
    assert found.adj_scale == pytest.approx(0.98)
    assert found.revision is not None
    assert (found.revision.changed, found.revision.first, found.first_changed) == (2, iso(FIRST + 398), 398)


def test_rows_that_came_and_went_are_counted() -> None:
    rows = prices(300)
    found = compare(without(rows, 20, 21), without(rows, 150))
    assert found.revision == Revision(0, 2, 1, iso(FIRST + 20), iso(FIRST + 150), "", "", 0.0)
    assert found.first_changed == 20


def test_rows_before_the_first_stored_one_change_the_first() -> None:
    rows = prices(300)
    found = compare(rows.cut(100, 300), rows)
    assert found.revision == Revision(0, 100, 0, iso(FIRST), iso(FIRST + 99), "", "", 0.0)
    assert found.first_changed == 0


@pytest.mark.parametrize("column", ["close", "adj_close", "distribution"])
@pytest.mark.parametrize(
    ("old", "new"), [(np.nan, 5.0), (5.0, np.nan), (np.inf, 5.0), (5.0, np.inf), (np.inf, -np.inf), (np.nan, np.inf)]
)
def test_a_number_in_place_of_none_is_a_change(column: str, old: float, new: float) -> None:
    table = {"close": [10.0] * 5, "adj_close": [9.0] * 5, "distribution": [0.5] * 5}
    rows = rows_of(table | {column: [*table[column][:2], old, *table[column][3:]]})
    served = rows_of(table | {column: [*table[column][:2], new, *table[column][3:]]})
    found = compare(rows, served).revision
    assert found is not None
    assert (found.changed, found.column, found.day, found.largest) == (1, column, iso(FIRST + 2), 1.0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -0.0])
def test_the_same_strange_value_is_no_change(value: float) -> None:
    rows = rows_of({"close": [10.0, value, 11.0], "rate": [value, value, value]})
    assert compare(rows, rows).revision is None


def test_zero_and_minus_zero_are_the_same_number() -> None:
    assert compare(rows_of({"rate": [0.0, 0.1]}), rows_of({"rate": [-0.0, 0.1]})).revision is None


def test_corrected_volumes_are_not_followed() -> None:
    rows = prices(300)
    found = compare(rows, changed(rows, volume=np.where(np.arange(300) < 250, np.nan, 7.0)))
    assert found.revision is None
    assert found.first_changed == 300


def test_nothing_compared_is_nothing_changed() -> None:
    rows = prices(5)
    assert compare(rows.cut(5, 5), rows.cut(5, 5)).revision is None
    assert compare(rows.only([]), rows.only([])).revision is None


@given(SEEDS, st.data())
def test_the_report_agrees_with_an_independent_count(seed: int, data: st.DataObject) -> None:
    """Some cells change, some rows come and go; a loop over days and columns counts what the comparison reports."""
    old = prices(120, seed)
    values = old.values.copy()
    for _ in range(data.draw(st.integers(0, 6))):
        row, column = data.draw(st.integers(0, 119)), data.draw(st.sampled_from([0, 1, 2]))
        values[row, column] = data.draw(
            st.sampled_from([np.nan, 0.0, values[row, column] * 1.25, values[row, column] + 0.5])
        )
    gone = data.draw(st.sets(st.integers(0, 119), max_size=4))
    missing = data.draw(st.sets(st.integers(0, 119), max_size=4))
    new = without(Rows(old.days, old.columns, values), *gone)
    old = without(old, *missing)
    assume(len(gone | missing) < 100)

    was, served = ({int(d): v for d, v in zip(r.days, r.values, strict=True)} for r in (old, new))
    sizes = {}
    for day in sorted(was.keys() & served.keys()):
        for j in (0, 1, 2):
            a, b = was[day][j], served[day][j]
            if np.isnan(b) or abs(b - a) > NOISE * abs(a):
                sizes[day, j] = 1.0 if np.isnan(b) else abs(b - a) / (abs(a) if a else 1.0)
    touched = sorted({day for day, _ in sizes} | (was.keys() ^ served.keys()))
    found = compare(old, new)
    assert not found.rescaled
    if not touched:
        assert found.revision is None
        return
    assert found.revision is not None
    assert found.revision.changed == len({day for day, _ in sizes})
    assert (found.revision.added, found.revision.removed) == (len(served.keys() - was), len(was.keys() - served))
    assert (found.revision.first, found.revision.last) == (iso(touched[0]), iso(touched[-1]))
    assert found.first_changed == sum(day < touched[0] for day in was)
    assert found.revision.largest == pytest.approx(max(sizes.values(), default=0.0), rel=1e-12)
    if sizes:
        days = {(iso(day), old.columns[j]) for (day, j), size in sizes.items() if size >= max(sizes.values()) - 1e-12}
        assert (found.revision.day, found.revision.column) in days
    else:
        assert (found.revision.day, found.revision.column) == ("", "")
