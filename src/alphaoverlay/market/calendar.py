"""Sessions of the New York Stock Exchange (XNYS), from exchange_calendars."""

from __future__ import annotations

import warnings
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from alphaoverlay.market.kept_sessions import Days, sessions_of_years

# Closing prices are corrected in the minutes after the close, and vendors show them late.
SETTLED = timedelta(minutes=30)


@lru_cache(maxsize=8)
def exchange_sessions(first_year: int, last_year: int) -> pd.DatetimeIndex:
    """Return every XNYS session of the given calendar years, both included."""
    return pd.DatetimeIndex(sessions_of_years(first_year, last_year, _cache(), _work_out).astype("datetime64[ns]"))


def last_complete_session(now: datetime, after: timedelta = SETTLED) -> pd.Timestamp:
    """Return the last session that was over for at least `after` at a moment (with a time zone)."""
    moment = pd.Timestamp(now).tz_convert("UTC")
    over = session_closes(moment.year - 1, moment.year) + after <= moment
    return pd.Timestamp(over.index[over.to_numpy()][-1])


@lru_cache(maxsize=8)
def session_closes(first_year: int, last_year: int) -> pd.Series:
    """Return the moment (UTC) at which each XNYS session of the given calendar years closes."""
    closes = _calendar(first_year, last_year).closes
    return pd.Series(pd.DatetimeIndex(closes).tz_convert("UTC"), index=pd.DatetimeIndex(closes.index))


def _work_out(first_year: int, last_year: int) -> Days:
    sessions: Days = _calendar(first_year, last_year).sessions.to_numpy().astype("datetime64[D]")
    return sessions


def _cache() -> Path:
    """The file of the sessions that the installed version of the library knows."""
    from platformdirs import user_cache_path

    name = f"sessions-XNYS-{version('exchange_calendars')}.npy"
    return user_cache_path("alphaoverlay", appauthor=False) / name


def _calendar(first_year: int, last_year: int) -> Any:
    with warnings.catch_warnings():
        # exchange_calendars 4.13 uses calls that pandas 3 deprecates; nothing of ours is hidden by this.
        warnings.simplefilter("ignore")
        import exchange_calendars

        # A start and an end are always given: the default calendar reaches back 20 years only.
        return exchange_calendars.get_calendar("XNYS", start=f"{first_year}-01-01", end=f"{last_year}-12-31")
