"""What an investor's own money earned, with when it came and went (method M6)."""

from __future__ import annotations

from alphaoverlay.engine.backtesting import Backtest


def money_weighted_return(backtest: Backtest) -> float | None:
    """Return the yearly rate at which the purchase, all cash flows and the last value are worth nothing together.

    Days over 365. Without cash flows it is the time-weighted return on that clock, the purchase's cost included. None
    where there is no such rate, as after ruin.
    """
    import pyxirr

    lived = slice(None, backtest.end)
    value, flow = backtest.value.loc[lived], backtest.flow.loc[lived]
    moved = flow[flow != 0.0]
    days = [value.index[0], *moved.index, value.index[-1]]
    amounts = [-1.0, *(-moved), float(value.iloc[-1])]
    rate = pyxirr.xirr([day.date() for day in days], [float(x) for x in amounts], silent=True)
    return None if rate is None or rate <= -1.0 else float(rate)
