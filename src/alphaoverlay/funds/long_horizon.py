"""M2: what a daily-reset fund becomes over a long span, by cause, beside M1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.synthesis import deductions, synthetic_returns
from alphaoverlay.history import DAYS_A_YEAR, History

# The third-order term is worth a line of its own above this size, in log return.
WORTH_A_LINE = 0.001


@dataclass(frozen=True)
class LongHorizon:
    """Log growth of a fund over a span, split by cause (method M2).

    Attributes
    ----------
    leverage : `L*ln(S)`, what the multiple would pay if it held over the whole span.
    financing, spread, expense : what they took; financing is a gain for an inverse fund.
    volatility_drag : `(L-L^2)/2 * V`; `V` the sum of squared daily log returns of the index.
    third_order : `(L-3L^2+2L^3)/6 * sum(x^3)`, the next term, not in M2.
    exact : the same growth by M1.
    years : the span.
    variance : V, not annualised.
    """

    leverage: float
    financing: float
    spread: float
    expense: float
    volatility_drag: float
    third_order: float
    exact: float
    years: float
    variance: float

    @property
    def closed_form(self) -> float:
        """Log growth by M2."""
        return self.leverage + self.financing + self.spread + self.expense + self.volatility_drag

    @property
    def rest(self) -> float:
        """What M2 misses of M1; the third-order term is most of it."""
        return self.exact - self.closed_form


def long_horizon(
    fund: Fund,
    index_returns: Mapping[str, pd.Series],
    history: History,
    rows: np.ndarray[tuple[int], np.dtype[np.intp]],
) -> LongHorizon | None:
    """Split the fund's growth over some sessions by cause; None for a fund on several indices.

    Parameters
    ----------
    fund : its terms; one that had other exposures before is split only where all sessions are after the change.
    index_returns : simple total return of its index.
    history : the sessions.
    rows : which sessions of the history count.
    """
    changed = fund.index_since is not None and history.dates[rows[0]] <= pd.Timestamp(fund.index_since)
    if len(fund.exposures) != 1 or changed:
        return None
    [name] = fund.exposures
    times = fund.leverage
    x = np.log1p(index_returns[name].to_numpy(dtype=np.float64)[rows])
    taken = deductions(fund, history)
    variance = float((x**2).sum())
    return LongHorizon(
        leverage=times * float(x.sum()),
        financing=-float(taken.financing[rows].sum()),
        spread=-float(taken.spread[rows].sum()),
        expense=-float(taken.expense[rows].sum()),
        volatility_drag=(times - times**2) / 2.0 * variance,
        third_order=(times - 3.0 * times**2 + 2.0 * times**3) / 6.0 * float((x**3).sum()),
        exact=float(np.log1p(synthetic_returns(fund, index_returns, history).to_numpy(dtype=np.float64)[rows]).sum()),
        years=float(history.days[rows].sum()) / DAYS_A_YEAR,
        variance=variance,
    )
