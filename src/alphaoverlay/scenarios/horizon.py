"""The sessions that lie ahead: their clock and the financing rate, without prices."""

from __future__ import annotations

import pandas as pd

from alphaoverlay.errors import SpanError
from alphaoverlay.history import History, iso


def sessions_ahead(asof: pd.Timestamp, sessions: int, rate: float, exchange: pd.DatetimeIndex) -> History:
    """Return the `sessions` exchange sessions after `asof`, with `asof` itself as the first (method M10).

    Parameters
    ----------
    asof : the day of the purchase, a session.
    rate : the financing rate, a yearly fraction, held throughout.
    exchange : the exchange's own sessions in every calendar year that the horizon touches.

    Raises
    ------
    SpanError : `asof` is no session, or the calendar ends before the horizon does.
    """
    first = int(exchange.searchsorted(asof))
    if first == len(exchange) or exchange[first] != asof:
        raise SpanError(f"{iso(asof)} is not a session of the exchange")
    dates = exchange[first : first + sessions + 1]
    if len(dates) < sessions + 1:
        raise SpanError(f"the exchange's calendar is known to {iso(exchange[-1])}: {len(dates) - 1} sessions ahead")
    none = pd.DataFrame(index=dates)
    return History(dates, none, none, pd.Series(rate, index=dates, dtype="float64"), exchange)
