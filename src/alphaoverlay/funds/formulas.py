"""Other formulas in use for synthetic leveraged funds, to show beside M1; nothing else uses them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from alphaoverlay.funds.expenses import expenses_on
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.preset import WEB_SESSIONS_A_YEAR, WEB_SPREAD, WEB_SWAP_EXPOSURE, web_expense
from alphaoverlay.funds.synthesis import index_moves
from alphaoverlay.history import FloatArray, History

Formula = Callable[[Fund, Mapping[str, pd.Series], History], pd.Series]


def multiple_less_fee(fund: Fund, index_returns: Mapping[str, pd.Series], history: History) -> pd.Series:
    """`L*x - E/252`: neither financing nor interest."""
    return _daily(fund, index_returns, history, expenses_on(fund, history.dates), 0.0)


def unsigned_spread(fund: Fund, index_returns: Mapping[str, pd.Series], history: History) -> pd.Series:
    """`L*x - (L-1)*(c + 0.40%)/252 - E/252`: the spread has the sign of the financing, so inverse funds are paid it."""
    financing = (history.financing + WEB_SPREAD) * (fund.leverage - 1.0)
    return _daily(fund, index_returns, history, expenses_on(fund, history.dates), financing)


def web_default(fund: Fund, index_returns: Mapping[str, pd.Series], history: History) -> pd.Series:
    """The best-known web backtester's defaults, `?PRESET=web`, on the default index series."""
    return _daily(fund, index_returns, history, web_expense(fund.leverage), _web_financing(fund, history))


def web_own_expense(fund: Fund, index_returns: Mapping[str, pd.Series], history: History) -> pd.Series:
    """The same with the fund's own expense ratio, as a careful user types it."""
    return _daily(fund, index_returns, history, expenses_on(fund, history.dates), _web_financing(fund, history))


def _web_financing(fund: Fund, history: History) -> FloatArray:
    spread = WEB_SPREAD if fund.leverage >= 0.0 else -WEB_SPREAD
    return np.asarray(WEB_SWAP_EXPOSURE * (history.financing + spread) * (fund.leverage - 1.0))


def _daily(
    fund: Fund,
    index_returns: Mapping[str, pd.Series],
    history: History,
    expense: float | FloatArray,
    financing: float | FloatArray,
) -> pd.Series:
    moves = index_moves(fund, index_returns, history, as_it_was=True)
    return pd.Series(np.maximum(moves - (financing + expense) / WEB_SESSIONS_A_YEAR, -1.0), index=history.dates)


OTHER_FORMULAS: Mapping[str, Formula] = {
    "multiple less fee": multiple_less_fee,
    "spread credited to inverse funds": unsigned_spread,
    "web backtester's defaults (unverified)": web_default,
    "the same, own expense": web_own_expense,
}
