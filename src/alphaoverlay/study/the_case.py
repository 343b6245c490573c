"""The founding case as data: the trade, its exposures, its days."""

from __future__ import annotations

from typing import Any

ASOF = "2021-12-15"
LAST_YEAR_END = "2020-12-31"
JANUARY_END = "2021-01-29"
# The earlier signal of the same shape, in mid-October.
OCTOBER_SIGNAL = "2020-10-15"
# SQQQ's first session: from then on every fund of the trade is real.
TRADE_FROM = "2010-02-11"
TRADE = {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}
TRADE_EXPOSURES = {"SP500": 1.0, "RUSSELL2000": 0.3, "NASDAQ100": -0.3}


def the_trade(**more: Any) -> dict[str, Any]:
    """Return the trade against SPY over its real span, quarterly and at no trading cost, as a study's values."""
    return {
        "weights": TRADE,
        "benchmark": "SPY",
        "start": TRADE_FROM,
        "end": ASOF,
        "rebalance": {"calendar": "quarterly"},
        "costs": {"half_spread_bps": 0.0},
        **more,
    }
