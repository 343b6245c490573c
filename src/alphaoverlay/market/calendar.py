"""Sessions of the New York Stock Exchange (XNYS), from exchange_calendars."""

from __future__ import annotations

import warnings
from functools import lru_cache

import pandas as pd


@lru_cache(maxsize=8)
def exchange_sessions(first_year: int, last_year: int) -> pd.DatetimeIndex:
    """Return every XNYS session of the given calendar years, both included."""
    with warnings.catch_warnings():
        # exchange_calendars 4.13 uses calls that pandas 3 deprecates; nothing of ours is hidden by this.
        warnings.simplefilter("ignore")
        import exchange_calendars

        # A start and an end are always given: the default calendar reaches back 20 years only.
        calendar = exchange_calendars.get_calendar("XNYS", start=f"{first_year}-01-01", end=f"{last_year}-12-31")
        return pd.DatetimeIndex(calendar.sessions)
