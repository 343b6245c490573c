"""`PRESET=web` of a ticker: the defaults of the best-known web backtester, as they were described to us.

They are no document's facts: unverified, and used only where asked for, or to be compared with.
"""

from __future__ import annotations

WEB_SWAP_EXPOSURE = 1.1
WEB_SPREAD = 0.0040
WEB_SESSIONS_A_YEAR = 252


def web_expense(leverage: float) -> float:
    """Yearly expense: 0.5% a unit of leverage above 1, 0.333% a unit of negative leverage."""
    return 0.00333 * -leverage if leverage < 0.0 else 0.005 * max(leverage - 1.0, 0.0)
