"""Rows become bytes and come back the same, bit for bit."""

from __future__ import annotations

import contextlib
import hashlib
import struct
import zlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.store.building import bits, prices, rows_of

from alphaoverlay.errors import StoreError
from alphaoverlay.store.rows import BLOCK, Rows, pack, unpack

NUMBERS = st.one_of(
    st.floats(width=64, allow_subnormal=True),
    st.sampled_from([0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324, 1.7976931348623157e308, 0.1 + 0.2]),
)


@st.composite
def some_rows(draw: st.DrawFn) -> Rows:
    days = sorted(draw(st.sets(st.integers(-106_000, 106_000), min_size=1, max_size=40)))  # the days pandas knows
    names = [f"c{k}" for k in range(draw(st.integers(0, 4)))]
    table = draw(
        st.lists(st.lists(NUMBERS, min_size=len(names), max_size=len(names)), min_size=len(days), max_size=len(days))
    )
    values = np.array(table, dtype=np.float64).reshape(len(days), len(names))
    return Rows(np.array(days, dtype=np.int32), tuple(names), values)


@given(some_rows())
def test_unpacked_rows_are_the_packed_ones_bit_for_bit(rows: Rows) -> None:
    assert bits(unpack(pack(rows), rows.columns)) == bits(rows)


@pytest.mark.parametrize("count", [1, 2, BLOCK - 1, BLOCK])
def test_a_block_of_any_length_comes_back(count: int) -> None:
    rows = prices(count)
    assert bits(unpack(pack(rows), rows.columns)) == bits(rows)


def test_every_nan_comes_back_as_it_was() -> None:
    odd = np.frombuffer(struct.pack("<3Q", 0x7FF8000000000000, 0xFFF8000000000000, 0x7FF8DEADBEEF0001), "<f8")
    rows = rows_of({"close": odd.tolist()})
    rows.values[:, 0] = odd  # through lists Python may change them
    assert unpack(pack(rows), rows.columns).values.tobytes() == odd.tobytes()


def test_packing_makes_prices_smaller() -> None:
    rows = prices(BLOCK)
    assert len(pack(rows)) < 0.8 * (4 + 8 * 4) * BLOCK


@given(some_rows(), st.data())
def test_a_damaged_block_is_refused_or_has_the_right_size(rows: Rows, data: st.DataObject) -> None:
    payload = bytearray(pack(rows))
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(StoreError):
        found = unpack(bytes(payload), rows.columns)
        assert found.values.shape == (len(found), len(rows.columns))


@pytest.mark.parametrize("cut", [0, 1, 5, -1])
def test_a_block_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(StoreError, match="damaged"):
        unpack(pack(prices(9))[:cut], prices(9).columns)


def test_a_block_of_other_columns_is_refused() -> None:
    with pytest.raises(StoreError, match="damaged"):
        unpack(pack(prices(9)), ("close", "adj_close"))


def test_a_block_of_nothing_or_too_much_is_refused() -> None:
    with pytest.raises(StoreError, match="damaged"):
        unpack(zlib.compress(b""), ("close",))
    with pytest.raises(StoreError, match="damaged"):
        unpack(zlib.compress(bytes(12 * (BLOCK + 1))), ("close",))


def test_the_digest_is_that_of_names_days_and_values() -> None:
    rows = rows_of({"close": [1.5, 2.5], "volume": [3.0, 4.0]}, days=[10, 11])
    raw = b"close,volume" + struct.pack("<2i", 10, 11) + struct.pack("<4d", 1.5, 3.0, 2.5, 4.0)
    assert rows.digest() == hashlib.sha256(raw).hexdigest()


def test_the_digest_does_not_depend_on_how_values_lie_in_memory() -> None:
    rows = prices(20)
    turned = Rows(rows.days[::-1][::-1], rows.columns, np.asfortranarray(rows.values))
    assert turned.digest() == rows.digest()
    assert rows.cut(3, 9).digest() == Rows(rows.days[3:9].copy(), rows.columns, rows.values[3:9].copy()).digest()


@given(some_rows())
def test_a_frame_of_rows_becomes_the_same_rows(rows: Rows) -> None:
    frame = rows.frame()
    assert list(frame.columns) == list(rows.columns)
    assert [str(day.date()) for day in frame.index[:3]] == [rows.day(k) for k in range(len(rows.days[:3]))]
    rows.values[np.isnan(rows.values)] = np.nan  # frames bring one NaN of the many
    assert bits(Rows.of(frame)) == bits(rows)


def test_a_frame_by_day_becomes_rows() -> None:
    index = pd.DatetimeIndex(["1969-12-31", "1970-01-02", "2024-02-29"])
    rows = Rows.of(pd.DataFrame({"close": [1.0, 2.0, 3.0], "volume": [4, 5, 6]}, index=index))
    assert rows.days.tolist() == [-1, 1, 19_782]
    assert rows.columns == ("close", "volume")
    assert rows.values.tolist() == [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    assert (rows.day(0), rows.day(-1), len(rows)) == ("1969-12-31", "2024-02-29", 3)


@pytest.mark.parametrize(
    "days",
    [
        ["2024-01-02", "2024-01-01"],
        ["2024-01-02", "2024-01-02"],
        ["2024-01-02 09:00", "2024-01-02 16:00"],
        ["2024-01-02", None],
        [None],
    ],
)
def test_days_that_do_not_ascend_are_refused(days: list[str | None]) -> None:
    frame = pd.DataFrame({"close": np.ones(len(days))}, index=pd.DatetimeIndex(days))
    with pytest.raises(ValueError, match="ascend"):
        Rows.of(frame)


def test_frames_bring_one_nan_so_that_text_can_keep_it() -> None:
    negative = np.frombuffer(struct.pack("<Q", 0xFFF8000000000000), "<f8")
    frame = pd.DataFrame({"close": negative}, index=pd.DatetimeIndex(["2024-01-02"]))
    assert Rows.of(frame).values.tobytes() == struct.pack("<d", float("nan"))


def test_rows_are_found_by_day_and_column() -> None:
    rows = rows_of({"close": [1.0, 2.0, 3.0], "volume": [7.0, 8.0, 9.0]}, days=[19_723, 19_725, 19_730])  # 1, 3, 8 Jan
    days = ["2023-12-31", "2024-01-01", "2024-01-02", "2024-01-03", "2024-01-08", "2024-01-09"]
    assert [rows.position(day) for day in days] == [0, 0, 1, 1, 2, 3]
    assert rows.column("volume").tolist() == [7.0, 8.0, 9.0]
    assert rows.only(["volume", "close"]).values.tolist() == [[7.0, 1.0], [8.0, 2.0], [9.0, 3.0]]
    assert rows.cut(0, 1).joined(rows.cut(1, 3)).digest() == rows.digest()
