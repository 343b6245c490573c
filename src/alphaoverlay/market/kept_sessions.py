"""The exchange's sessions, kept in the user's cache: working them out takes longer than reading a study's prices."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alphaoverlay.errors import OutputError
from alphaoverlay.files import write_whole

Days = NDArray[np.datetime64]  # of the unit "D"

# Two centuries of sessions take less; a larger file is not one of these.
MAX_BYTES = 2**19


def sessions_of_years(first_year: int, last_year: int, path: Path, work_out: Callable[[int, int], Days]) -> Days:
    """Return the sessions of the given years, both included, from a file that grows with the years asked of it.

    Parameters
    ----------
    path : the file; name it after whatever the sessions depend on. Where it cannot be read or written, or holds
        anything else, the sessions are worked out all the same.
    work_out : gives the sessions of a first to a last year, ascending; every year has some.
    """
    known = _read(path)
    if known is None or not _years(known)[0] <= first_year <= last_year <= _years(known)[1]:
        begin, end = (first_year, last_year) if known is None else _years(known)
        known = work_out(min(begin, first_year), max(end, last_year)).astype("datetime64[D]")
        _keep(path, known)
    years = known.astype("datetime64[Y]").astype(np.int64) + 1970
    return known[(years >= first_year) & (years <= last_year)]


def _years(days: Days) -> tuple[int, int]:
    first, last = (days[[0, -1]].astype("datetime64[Y]").astype(np.int64) + 1970).tolist()
    return first, last


def _read(path: Path) -> Days | None:
    try:
        with path.open("rb") as file:
            days = np.lib.format.read_array(io.BytesIO(file.read(MAX_BYTES)), allow_pickle=False)
    except (OSError, ValueError, MemoryError):  # the last where a damaged header promises too much
        return None
    sound = days.dtype == np.dtype("datetime64[D]") and days.ndim == 1 and days.size
    return days if sound and bool((np.diff(days.astype(np.int64)) > 0).all()) else None


def _keep(path: Path, days: Days) -> None:
    content = io.BytesIO()
    np.lib.format.write_array(content, days, allow_pickle=False)
    with contextlib.suppress(OSError, OutputError):  # a folder that cannot be written costs time only
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content.getvalue())
