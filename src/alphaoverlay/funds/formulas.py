"""Other formulas in use for synthetic leveraged funds, to show beside M1; nothing else uses them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.preset import WEB_SPREAD, WEB_SWAP_EXPOSURE, web_expense
from alphaoverlay.funds.synthesis import index_moves
from alphaoverlay.history import History

SESSIONS_A_YEAR = 252.0

Formula = Callable[[Fund, Mapping[str, pd.Series], History], pd.Series]


def multiple_less_fee(fund: Fund, index_returns: Mapping[str, pd.Series], history: History) -> pd.Series:
    """`L*x - E/252`: neither financing nor interest."""
    return _daily(fund, index_returns, history, fund.expense, 0.0, 0.0)


def unsigned_spread(fund: Fund, index_returns: Mapping[str, pd.Series], history: History) -> pd.Series:
    """`L*x - (L-1)*(c + 0.40%)/252 - E/252`: one sign for all, so that inverse funds are credited the spread."""
    financing = (history.financing + WEB_SPREAD) * (fund.leverage - 1.0)
    return _daily(fund, index_returns, history, fund.expense, financing, 1.0)


def web_default(fund: Fund, index_returns: Mapping[str, pd.Series], history: History) -> pd.Series:
    """The best-known web backtester's defaults: `?PRESET=web`."""
    signed = WEB_SPREAD if fund.leverage >= 0.0 else -WEB_SPREAD
    financing = (history.financing + signed) * (fund.leverage - 1.0)
    return _daily(fund, index_returns, history, web_expense(fund.leverage), financing, WEB_SWAP_EXPOSURE)


def _daily(
    fund: Fund,
    index_returns: Mapping[str, pd.Series],
    history: History,
    expense: float,
    financing: float | np.ndarray[tuple[int], np.dtype[np.float64]],
    swap_exposure: float,
) -> pd.Series:
    moves = index_moves(fund, index_returns, history)
    returns = np.maximum(moves - (swap_exposure * financing + expense) / SESSIONS_A_YEAR, -1.0)
    return pd.Series(returns, index=history.dates)


OTHER_FORMULAS: Mapping[str, Formula] = {
    "multiple less fee": multiple_less_fee,
    "spread credited to inverse funds": unsigned_spread,
    "web backtester's defaults": web_default,
}
