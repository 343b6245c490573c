"""The market history that everything downstream reads, on cases done by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import FrozenInstanceError, replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphaoverlay.errors import DataError, SpanError
from alphaoverlay.history import History, PriceSeries, Provenance, iso, runs

NAN = float("nan")


def frame(dates: pd.DatetimeIndex, **columns: Sequence[float]) -> pd.DataFrame:
    return pd.DataFrame({name: np.array(values, dtype=np.float64) for name, values in columns.items()}, index=dates)


def history() -> History:
    """Thursday, Friday, Monday, Tuesday."""
    dates = pd.DatetimeIndex(["2021-01-07", "2021-01-08", "2021-01-11", "2021-01-12"])
    return History(
        dates=dates,
        close=frame(dates, A=[10.0, 11.0, 12.0, 9.0], B=[NAN, NAN, 5.0, 6.0]),
        adj_close=frame(dates, A=[8.0, 10.0, 5.0, 6.0], B=[NAN, 4.0, 5.0, 4.0]),
        rate=pd.Series([0.01, 0.02, 0.03, 0.04], index=dates, name="DFF"),
        exchange_sessions=pd.DatetimeIndex([*dates, "2021-01-13", "2021-12-31"]),
    )


# --- time, interest, returns ---


def test_days_are_counted_over_the_weekend() -> None:
    assert history().days.tolist() == [0.0, 1.0, 3.0, 1.0]


def test_interest_accrues_on_360_and_expenses_on_365() -> None:
    assert history().d.tolist() == pytest.approx([0.0, 1 / 360, 3 / 360, 1 / 360], rel=1e-15)
    assert history().e.tolist() == pytest.approx([0.0, 1 / 365, 3 / 365, 1 / 365], rel=1e-15)


def test_financing_is_the_rate_of_the_previous_session() -> None:
    assert history().financing.tolist() == [0.0, 0.01, 0.02, 0.03]


def test_the_accrual_is_yesterdays_rate_on_todays_days() -> None:
    expected = [0.0, 0.01 / 360, 0.02 * 3 / 360, 0.03 / 360]
    assert history().accrual.tolist() == pytest.approx(expected, rel=1e-14)


def test_total_returns_are_ratios_of_adj_close() -> None:
    returns = history().total_returns
    np.testing.assert_allclose(returns["A"], [NAN, 0.25, -0.5, 0.2], rtol=1e-14)
    np.testing.assert_allclose(returns["B"], [NAN, NAN, 0.25, -0.2], rtol=1e-14)
    assert list(returns.columns) == ["A", "B"]
    assert returns.index.equals(history().dates)


def test_one_session_has_no_return_and_no_accrual() -> None:
    one = history().between("2021-01-08", "2021-01-08")
    assert one.days.tolist() == [0.0]
    assert one.accrual.tolist() == [0.0]
    assert one.total_returns.isna().to_numpy().all()


def test_a_history_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        history().notes = ("changed",)  # type: ignore[misc]


# --- between ---


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        pytest.param("2021-01-08", "2021-01-11", "2021-01-08", "2021-01-11", id="both ends included"),
        pytest.param("2021-01-09", "2021-01-12", "2021-01-11", "2021-01-12", id="from a Saturday"),
        pytest.param("2021-01-07", "2021-01-10", "2021-01-07", "2021-01-08", id="to a Sunday"),
        pytest.param(None, "2021-01-08", "2021-01-07", "2021-01-08", id="open start"),
        pytest.param("2021-01-11", None, "2021-01-11", "2021-01-12", id="open end"),
        pytest.param(None, None, "2021-01-07", "2021-01-12", id="open"),
        pytest.param("1990-01-01", "2050-01-01", "2021-01-07", "2021-01-12", id="wider than the history"),
    ],
)
def test_between_cuts_every_series_alike(start: str | None, end: str | None, first: str, last: str) -> None:
    part = history().between(start, end)
    assert (iso(part.dates[0]), iso(part.dates[-1])) == (first, last)
    for piece, whole in ((part.close, history().close), (part.adj_close, history().adj_close)):
        pd.testing.assert_frame_equal(piece, whole.loc[first:last])
    pd.testing.assert_series_equal(part.rate, history().rate.loc[first:last])


def test_between_keeps_the_exchanges_sessions_to_the_end_of_the_year() -> None:
    part = history().between("2021-01-08", "2021-01-08")
    assert iso(part.exchange_sessions[-1]) == "2021-12-31"
    assert part.dates[0] in part.exchange_sessions


def test_between_forgets_what_came_before() -> None:
    """Computed values belong to their own span: the first session of a part has no return either."""
    whole = history()
    assert whole.financing[2] == 0.02  # computed before the cut, and not carried over
    part = whole.between("2021-01-11", None)
    assert part.financing.tolist() == [0.0, 0.03]
    assert part.days.tolist() == [0.0, 1.0]
    assert np.isnan(part.total_returns["A"].iloc[0])
    assert part.fingerprint != whole.fingerprint


@pytest.mark.parametrize(
    ("start", "end"),
    [
        pytest.param("2021-01-09", "2021-01-10", id="a weekend"),
        pytest.param("2021-02-01", None, id="after"),
        pytest.param(None, "2021-01-01", id="before"),
        pytest.param("2021-01-12", "2021-01-07", id="backwards"),
    ],
)
def test_between_without_a_session_is_refused_with_the_historys_span(start: str | None, end: str | None) -> None:
    with pytest.raises(SpanError) as caught:
        history().between(start, end)
    assert isinstance(caught.value, DataError)
    for fragment in filter(None, (start, end, "from 2021-01-07 to 2021-01-12")):
        assert fragment in str(caught.value)


# --- fingerprint ---


def test_equal_values_have_equal_fingerprints() -> None:
    one = history()
    assert one.fingerprint == history().fingerprint
    assert one.fingerprint.startswith("sha256:")
    assert len(one.fingerprint) == len("sha256:") + 64


def test_words_do_not_change_the_fingerprint() -> None:
    said = replace(history(), notes=("a note",), provenance=(Provenance("A", "here", "A.csv", "", "", 4),))
    assert said.fingerprint == history().fingerprint


def test_column_order_does_not_change_the_fingerprint() -> None:
    one = history()
    turned = replace(one, close=one.close[["B", "A"]], adj_close=one.adj_close[["B", "A"]])
    assert turned.fingerprint == one.fingerprint


def test_the_kind_of_nan_and_the_sign_of_zero_do_not_change_the_fingerprint() -> None:
    one = history()
    odd_nan = np.array([0xFFF8000000000001], dtype=np.uint64).view(np.float64)[0]
    close = frame(one.dates, A=[10.0, 11.0, 12.0, 9.0], B=[odd_nan, NAN, 5.0, 6.0])
    assert replace(one, close=close).fingerprint == one.fingerprint
    zero, minus_zero = (replace(one, rate=pd.Series([z] * 4, index=one.dates)) for z in (0.0, -0.0))
    assert zero.fingerprint == minus_zero.fingerprint


def _changed(table: pd.DataFrame, day: str, symbol: str, value: float) -> pd.DataFrame:
    other = table.copy()
    other.loc[day, symbol] = value
    return other


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            lambda h: replace(h, close=_changed(h.close, "2021-01-08", "A", 11.000000000000002)), id="a close"
        ),
        pytest.param(lambda h: replace(h, adj_close=_changed(h.adj_close, "2021-01-12", "B", 4.5)), id="an adj_close"),
        pytest.param(lambda h: replace(h, close=_changed(h.close, "2021-01-12", "B", NAN)), id="a price unknown"),
        pytest.param(lambda h: replace(h, close=_changed(h.close, "2021-01-07", "B", 5.0)), id="a price known"),
        pytest.param(lambda h: replace(h, rate=h.rate + np.array([0, 0, 1e-17, 0])), id="a rate"),
        pytest.param(lambda h: replace(h, dates=h.dates[:3].append(pd.DatetimeIndex(["2021-01-13"]))), id="a date"),
        pytest.param(lambda h: replace(h, close=h.adj_close, adj_close=h.close), id="the two prices swapped"),
        pytest.param(
            lambda h: replace(
                h, close=h.close.rename(columns={"B": "C"}), adj_close=h.adj_close.rename(columns={"B": "C"})
            ),
            id="a symbol",
        ),
        pytest.param(
            lambda h: replace(
                h,
                close=h.close.rename(columns={"A": "B", "B": "A"}),
                adj_close=h.adj_close.rename(columns={"A": "B", "B": "A"}),
            ),
            id="two symbols swapped",
        ),
    ],
)
def test_every_changed_value_changes_the_fingerprint(change: Callable[[History], History]) -> None:
    assert change(history()).fingerprint != history().fingerprint


# --- small helpers ---


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ([], []),
        ([False, False], []),
        ([True], [(0, 0)]),
        ([True, True, True], [(0, 2)]),
        ([False, True, True, False, True], [(1, 2), (4, 4)]),
        ([True, False, True], [(0, 0), (2, 2)]),
    ],
)
def test_runs_are_first_and_last_of_each_unbroken_stretch(mask: list[bool], expected: list[tuple[int, int]]) -> None:
    assert runs(mask) == expected
    assert runs(np.array(mask, dtype=np.bool_)) == expected


@given(mask=st.lists(st.booleans(), max_size=40))
def test_runs_cover_exactly_what_is_true_and_never_touch(mask: list[bool]) -> None:
    found = runs(mask)
    covered = {k for first, last in found for k in range(first, last + 1)}
    assert covered == {k for k, true in enumerate(mask) if true}
    assert all(left[1] + 1 < right[0] for left, right in pairwise(found))


@pytest.mark.parametrize(
    "day", ["2021-01-08", "2021-01-08 16:00", pd.Timestamp(2021, 1, 8), np.datetime64("2021-01-08")]
)
def test_a_day_is_written_in_iso(day: str | pd.Timestamp | np.datetime64) -> None:
    assert iso(day) == "2021-01-08"


def test_a_rows_place_is_the_file_alone_where_there_are_no_lines() -> None:
    provenance = Provenance("A", "here", "A.csv", "2021-01-07", "2021-01-12", 4)
    table = frame(history().dates, close=[1.0] * 4, adj_close=[1.0] * 4)
    assert PriceSeries("A", table, provenance).where(2) == "A.csv"
    assert PriceSeries("A", table, provenance, (2, 3, 5, 6)).where(2) == "A.csv, line 5"
