"""M1: the daily return of a fund that resets its exposure every session."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from alphaoverlay.funds.fund import Fund
from alphaoverlay.history import FloatArray, History


def synthetic_returns(fund: Fund, index_returns: Mapping[str, pd.Series], history: History) -> pd.Series:
    """Build a fund's daily returns from its indices (method M1).

    `r = sum_k X_k*x_k - SW*(L-1)*c*d - SW*|L-1|*s*d - E*e`, floored at -1: an inverse fund earns interest, the spread
    is a cost on both sides and none for `0 <= L <= 1`.

    Parameters
    ----------
    fund : its terms.
    index_returns : simple total return of each of the fund's indices on the history's sessions, NaN where unknown.
    history : gives c, d and e.

    Returns
    -------
    Simple returns on the history's sessions; NaN where an index return is unknown, and on the first session.
    """
    moves: FloatArray = np.zeros(len(history.dates))
    for index, multiple in fund.exposures.items():
        moves = moves + multiple * index_returns[index].to_numpy(dtype=np.float64)
    financing = fund.swap_exposure * (fund.leverage - 1.0) * history.accrual
    returns = moves - financing - fund.financing_spread * history.d - fund.expense * history.e
    returns[0] = np.nan
    return pd.Series(np.maximum(returns, -1.0), index=history.dates, name=fund.symbol)
