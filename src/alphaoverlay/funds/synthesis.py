"""M1: the daily return of a fund that resets its exposure every session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphaoverlay.funds.expenses import expenses_on
from alphaoverlay.funds.fund import Fund
from alphaoverlay.history import FloatArray, History


@dataclass(frozen=True)
class Deductions:
    """What M1 takes from a fund's return each session, as fractions of its value, shape (n,) each.

    Attributes
    ----------
    financing : `SW*(L-1)*c*d`; negative where the fund earns interest.
    spread : `SW*|L-1|*s*d`.
    expense : `E*e`.
    """

    financing: FloatArray
    spread: FloatArray
    expense: FloatArray

    @property
    def total(self) -> FloatArray:
        """Sum of the parts."""
        return self.financing + self.spread + self.expense

    def __add__(self, other: Deductions) -> Deductions:
        return Deductions(self.financing + other.financing, self.spread + other.spread, self.expense + other.expense)

    def __mul__(self, times: float) -> Deductions:
        return Deductions(self.financing * times, self.spread * times, self.expense * times)


def own_deductions(fund: Fund, history: History) -> Deductions:
    """Return what the fund itself takes, without a holding under it."""
    d, e = _clocks(fund, history)
    return Deductions(
        financing=fund.swap_exposure * (fund.reset_leverage - 1.0) * history.financing * d,
        spread=fund.own_financing_spread * d,
        expense=expenses_on(fund, history.dates) * e,
    )


def deductions(fund: Fund, history: History) -> Deductions:
    """Return what is taken between the fund's indices and its return, a holding under it included."""
    own = own_deductions(fund, history)
    if fund.multiple is None:
        return own
    none = np.zeros(len(history.dates))
    back = Deductions(none, none, -added_back(fund, history))
    return own + (deductions(fund.multiple.of, history) + back) * fund.multiple.times


def added_back(fund: Fund, history: History) -> FloatArray:
    """Return the expense of the holding under a ticker that UE adds back, each session, shape (n,)."""
    assert fund.multiple is not None
    of, back = fund.multiple.of, fund.multiple.add_back
    yearly = expenses_on(of, history.dates) if back == "own" else float(back)
    return np.asarray(yearly * _clocks(fund, history)[1])


def _clocks(fund: Fund, history: History) -> tuple[FloatArray, FloatArray]:
    """What rates and what expenses accrue on: d and e of the method, or equal sessions where a ticker asks for them."""
    by_session = None if fund.multiple is None else fund.multiple.sessions_a_year
    if by_session is None:
        return history.d, history.e
    equal = np.concatenate(([0.0], np.full(len(history.dates) - 1, 1.0 / by_session)))
    return equal, equal


def synthetic_returns(
    fund: Fund, index_returns: Mapping[str, pd.Series], history: History, *, as_it_was: bool = False
) -> pd.Series:
    """Build a fund's daily returns from its indices (method M1).

    `r = sum_k X_k*x_k - SW*(L-1)*c*d - SW*|L-1|*s*d - E*e`, floored at -1: an inverse fund earns interest, the spread
    is a cost on both sides and none for `0 <= L <= 1`. The expense ratio is the one in force on each session.

    Parameters
    ----------
    fund : its terms.
    index_returns : simple total return of each of the fund's indices on the history's sessions, NaN where unknown.
    history : gives c, d and e.
    as_it_was : follow the fund's former exposures between its inception and the day they changed (NaN there where they
        are unknown), instead of carrying today's fund back.

    Returns
    -------
    Simple returns on the history's sessions; NaN where an index return is unknown, and on the first session.
    """
    taken = deductions(fund, history).total
    if as_it_was and fund.former_exposures:
        before = deductions(replace(fund, exposures=fund.former_exposures), history).total
        taken = np.where(was_another(fund, history), before, taken)
    returns = index_moves(fund, index_returns, history, as_it_was=as_it_was) - taken
    returns[0] = np.nan
    return pd.Series(np.maximum(returns, -1.0), index=history.dates, name=fund.symbol)


def index_moves(
    fund: Fund, index_returns: Mapping[str, pd.Series], history: History, *, as_it_was: bool = False
) -> FloatArray:
    """Return `sum_k X_k*x_k`, shape (n,), before anything is taken from it; parameters as `synthetic_returns`."""
    moves = _moves(fund.exposures, index_returns, history)
    if as_it_was and fund.index_since is not None:
        moves = np.where(was_another(fund, history), _moves(fund.former_exposures, index_returns, history), moves)
    return moves


def was_another(fund: Fund, history: History) -> NDArray[np.bool_]:
    """Mark the sessions whose return was earned with the former exposures: after inception, up to the change."""
    if fund.index_since is None:
        return np.zeros(len(history.dates), dtype=np.bool_)
    before = np.asarray(history.dates <= pd.Timestamp(fund.index_since))
    if fund.inception is not None:
        before &= np.asarray(history.dates > pd.Timestamp(fund.inception))
    return before


def multiple_returns(fund: Fund, under: FloatArray, history: History) -> FloatArray:
    """Build the returns of a ticker such as `SPY?L=3` from those of the holding under it (method M1)."""
    assert fund.multiple is not None
    return np.maximum(fund.multiple.times * under - own_deductions(fund, history).total, -1.0)


def _moves(exposures: Mapping[str, float], index_returns: Mapping[str, pd.Series], history: History) -> FloatArray:
    n = len(history.dates)
    if not exposures or not all(index in index_returns for index in exposures):
        return np.full(n, np.nan)
    moves: FloatArray = np.zeros(n)
    for index, times in exposures.items():
        moves = moves + times * index_returns[index].to_numpy(dtype=np.float64)
    return moves
