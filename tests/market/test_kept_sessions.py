"""Sessions kept between commands: the same as worked out, whatever the file holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alphaoverlay.market import calendar
from alphaoverlay.market.kept_sessions import Days, sessions_of_years


def weekdays(first_year: int, last_year: int) -> Days:
    """A plain calendar to stand for the library's."""
    days = np.arange(f"{first_year}-01-01", f"{last_year + 1}-01-01", dtype="datetime64[D]")
    return days[np.is_busday(days)]


class Worker:
    """Counts what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def __call__(self, first_year: int, last_year: int) -> Days:
        self.asked.append((first_year, last_year))
        return weekdays(first_year, last_year)


@pytest.fixture
def worker() -> Worker:
    return Worker()


def test_what_is_kept_is_worked_out_once(tmp_path: Path, worker: Worker) -> None:
    path = tmp_path / "a" / "sessions.npy"
    for years in [(2000, 2010), (2000, 2010), (2003, 2003), (2009, 2010)]:
        assert np.array_equal(sessions_of_years(*years, path, worker), weekdays(*years))
    assert worker.asked == [(2000, 2010)]


def test_the_file_grows_to_all_years_that_were_asked(tmp_path: Path, worker: Worker) -> None:
    path = tmp_path / "sessions.npy"
    for years in [(2000, 2010), (1960, 1975), (2015, 2020), (1961, 2019)]:
        assert np.array_equal(sessions_of_years(*years, path, worker), weekdays(*years))
    assert worker.asked == [(2000, 2010), (1960, 2010), (1960, 2020)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x93NUMPY", id="cut off"),
        pytest.param(b"not an array", id="text"),
        pytest.param(b"PK\x03\x04" + bytes(100), id="an archive"),
        pytest.param(
            b"\x93NUMPY\x01\x00\x76\x00"
            + b"{'descr': '<M8[D]', 'fortran_order': False, 'shape': (1000000000000000,), }".ljust(117)
            + b"\n",
            id="a header that promises a petabyte",
        ),
    ],
)
def test_a_damaged_file_is_replaced(tmp_path: Path, worker: Worker, content: bytes) -> None:
    path = tmp_path / "sessions.npy"
    path.write_bytes(content)
    assert np.array_equal(sessions_of_years(2000, 2001, path, worker), weekdays(2000, 2001))
    sessions_of_years(2000, 2001, path, worker)
    assert len(worker.asked) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(np.arange(5.0), id="numbers"),
        pytest.param(weekdays(2000, 2001).astype("datetime64[ns]"), id="another unit"),
        pytest.param(weekdays(2000, 2001)[::-1], id="descending"),
        pytest.param(np.repeat(weekdays(2000, 2001), 2), id="each twice"),
        pytest.param(weekdays(2000, 2001)[:0], id="none"),
        pytest.param(weekdays(2000, 2001)[:520].reshape(2, 260), id="a table"),
        pytest.param(np.array({"a": 1}), id="an object"),
    ],
)
def test_an_array_of_anything_else_is_replaced(tmp_path: Path, worker: Worker, other: np.ndarray) -> None:
    path = tmp_path / "sessions.npy"
    np.save(path, other, allow_pickle=True)
    assert np.array_equal(sessions_of_years(2000, 2001, path, worker), weekdays(2000, 2001))
    assert worker.asked == [(2000, 2001)]


def test_a_cut_off_file_is_replaced(tmp_path: Path, worker: Worker) -> None:
    path = tmp_path / "sessions.npy"
    sessions_of_years(2000, 2010, path, worker)
    path.write_bytes(path.read_bytes()[:-100])
    assert np.array_equal(sessions_of_years(2000, 2010, path, worker), weekdays(2000, 2010))
    assert len(worker.asked) == 2


def test_without_a_place_to_write_sessions_are_worked_out(tmp_path: Path, worker: Worker) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "sessions.npy"
    for _ in range(2):
        assert np.array_equal(sessions_of_years(2000, 2001, path, worker), weekdays(2000, 2001))
    assert len(worker.asked) == 2


def test_nothing_but_the_file_is_left(tmp_path: Path, worker: Worker) -> None:
    sessions_of_years(2000, 2001, tmp_path / "sessions.npy", worker)
    assert [one.name for one in tmp_path.iterdir()] == ["sessions.npy"]


def test_the_exchanges_file_goes_by_the_librarys_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path)
    monkeypatch.setattr(calendar, "version", lambda _: "1.2.3")
    first = calendar.exchange_sessions.__wrapped__(2012, 2012)
    assert [one.name for one in tmp_path.iterdir()] == ["sessions-XNYS-1.2.3.npy"]
    monkeypatch.setattr(calendar, "_work_out", None)
    again = calendar.exchange_sessions.__wrapped__(2012, 2012)
    assert first.equals(again)
    assert len(again) == 250
    assert again.dtype == "datetime64[ns]"
