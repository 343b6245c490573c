"""Where the active return came from, session by session, exactly (method M5)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from alphaoverlay.engine.backtesting import Backtest
from alphaoverlay.errors import DataError, SpanError, StudyError
from alphaoverlay.funds.synthesis import deductions, index_moves
from alphaoverlay.history import FloatArray, iso
from alphaoverlay.overlays.portfolio import exposure_matrix, indices_of

Period = Literal["day", "month", "year"]
# Parts beside the target exposure to each index, in the order in which they are shown.
CAUSES = ("drift", "financing", "cash", "spread", "expense", "slippage", "cost")


@dataclass(frozen=True)
class Attribution:
    """Active return by cause (method M5), additive over sessions.

    Attributes
    ----------
    parts : a row a session (the first is the purchase), a column an index (its target exposure) and each of `CAUSES`;
        their sum is the session's simple active return.
    portfolio_returns, benchmark_returns : simple returns on the same sessions, trading costs included.
    indices : the columns of `parts` that are indices.
    """

    parts: pd.DataFrame
    portfolio_returns: pd.Series
    benchmark_returns: pd.Series
    indices: tuple[str, ...]

    @cached_property
    def variance(self) -> pd.Series:
        """`ln(1+rp) - ln(1+rb) - (rp - rb)`: what compounding adds, about half the difference of the variances."""
        own, other = (x.to_numpy(dtype=np.float64) for x in (self.portfolio_returns, self.benchmark_returns))
        values: FloatArray = np.log1p(own) - np.log1p(other) - (own - other)
        return pd.Series(values, index=self.parts.index, name="variance")

    @property
    def log_active(self) -> float:
        """`ln(Vp/Vb)` over the span."""
        own, other = (x.to_numpy(dtype=np.float64) for x in (self.portfolio_returns, self.benchmark_returns))
        return math.fsum(np.log1p(own)) - math.fsum(np.log1p(other))

    @cached_property
    def totals(self) -> dict[str, float]:
        """Sum of each part over the span, "variance" last; together they are `log_active`."""
        sums = {str(name): math.fsum(self.parts[name]) for name in self.parts.columns}
        return sums | {"variance": math.fsum(self.variance)}

    @property
    def points(self) -> dict[str, float]:
        """The same in return points: multiplied by `(Rp-Rb)/(ln(1+Rp)-ln(1+Rb))` (Carino 1999)."""
        own, other = (
            math.exp(math.fsum(np.log1p(x.to_numpy(dtype=np.float64))))
            for x in (self.portfolio_returns, self.benchmark_returns)
        )
        gap = self.log_active
        scale = (own - other) / gap if abs(gap) > 1e-12 else own
        return {name: scale * part for name, part in self.totals.items()}

    def between(self, start: pd.Timestamp | str | None, end: pd.Timestamp | str | None) -> Attribution:
        """Return the part of the sessions from `start` to `end`, both included.

        Raises
        ------
        SpanError : no session lies between them.
        """
        rows = slice(start and pd.Timestamp(start), end and pd.Timestamp(end))
        parts = self.parts.loc[rows]
        if parts.empty:
            raise SpanError(f"no session of the attribution between {iso(start)} and {iso(end)}")
        return replace(
            self,
            parts=parts,
            portfolio_returns=self.portfolio_returns.loc[rows],
            benchmark_returns=self.benchmark_returns.loc[rows],
        )

    def by(self, period: Period) -> pd.DataFrame:
        """Return the sums of each part by "day", "month" or "year", with `variance` and `total`.

        `total` is `ln(Vp/Vb)` over the period; the other columns of a row add up to it.
        """
        log_active = np.log1p(self.portfolio_returns) - np.log1p(self.benchmark_returns)
        frame = self.parts.assign(variance=self.variance, total=log_active)
        if period == "day":
            return frame
        dates = pd.DatetimeIndex(frame.index)
        return frame.groupby(dates.to_period({"month": "M", "year": "Y"}[period])).agg(math.fsum)


def attribute(portfolio: Backtest, benchmark: Backtest, index_returns: Mapping[str, pd.Series]) -> Attribution:
    """Split the active return of a backtest by cause (method M5).

    Parameters
    ----------
    portfolio, benchmark : over the same sessions.
    index_returns : simple total return of every index that either looks through to, covering those sessions.

    Raises
    ------
    StudyError : the two ran over different sessions.
    DataError : an index's return is unknown on a session, or a fund's index altogether; names it.
    """
    dates = portfolio.history.dates
    if not dates.equals(benchmark.history.dates):
        raise StudyError("an attribution needs portfolio and benchmark over the same sessions")
    lived = min(_lived(portfolio), _lived(benchmark))
    funds = (*portfolio.fund_returns.funds, *benchmark.fund_returns.funds)
    if unknown := [fund.symbol for fund in funds if not fund.exposures]:
        raise DataError(f"the index of {', '.join(unknown)} is unknown, so the active return cannot be split")
    names = indices_of(funds)
    moves = {name: _known(name, index_returns, dates[1 : lived + 1]) for name in names}
    own = _parts(portfolio, names, moves, index_returns, lived, at_target=True)
    other = _parts(benchmark, names, moves, index_returns, lived, at_target=False)
    returns = [_returns(one, lived) for one in (portfolio, benchmark)]
    return Attribution(own - other, returns[0], returns[1], names)


def _lived(backtest: Backtest) -> int:
    """Number of returns before everything was lost, by ruin or by what selling the last cost."""
    returns = backtest.returns.to_numpy(dtype=np.float64)
    return len(returns) - int(len(returns) > 0 and returns[-1] <= -1.0)


def _known(name: str, index_returns: Mapping[str, pd.Series], dates: pd.DatetimeIndex) -> FloatArray:
    if name not in index_returns:
        raise DataError(f"no series of {name}, so the active return cannot be split: add one to the data")
    values = index_returns[name].reindex(dates).to_numpy(dtype=np.float64)
    if np.isnan(values).any():
        day = dates[int(np.isnan(values).argmax())]
        raise DataError(
            f"the return of {name} on {iso(day)} is unknown, so the active return cannot be split; start later"
        )
    return values


def _returns(backtest: Backtest, lived: int) -> pd.Series:
    """Simple returns with the purchase's cost as the first."""
    first = pd.Series([float(backtest.value.iloc[0]) - 1.0], index=backtest.history.dates[:1])
    returns: pd.Series = pd.concat([first, backtest.returns.iloc[:lived]])
    return returns


def _parts(
    backtest: Backtest,
    names: tuple[str, ...],
    moves: Mapping[str, FloatArray],
    index_returns: Mapping[str, pd.Series],
    lived: int,
    *,
    at_target: bool,
) -> pd.DataFrame:
    """Parts of one portfolio's simple return, a row a session from the purchase on.

    The benchmark is what it is: its look-through stands in the columns of the indices, and nothing of it is drift.
    """
    returns, history = backtest.fund_returns, backtest.history
    rows = slice(1, lived + 1)
    held = backtest.weights.to_numpy(dtype=np.float64)[:lived]
    in_force = backtest.in_force[:lived]
    matrix = exposure_matrix(returns.funds, names)
    exposed = held @ matrix.T
    aimed = in_force @ matrix.T if at_target else exposed
    x = np.stack([moves[name] for name in names], axis=1) if names else np.zeros((lived, 0))
    taken = [deductions(fund, history) for fund in returns.funds]
    known = {name: index_returns[name].reindex(history.dates) for name in names}
    slipped = np.zeros(lived)
    for i, fund in enumerate(returns.funds):
        modelled = index_moves(fund, known, history)[rows] - taken[i].total[rows]
        slipped = slipped + held[:, i] * (returns.returns[fund.symbol].to_numpy(dtype=np.float64)[rows] - modelled)

    def paid(part: str) -> FloatArray:
        columns = [getattr(one, part)[rows] for one in taken]
        return np.asarray(-np.einsum("ti,it->t", held, np.array(columns).reshape(len(taken), lived)))

    parts: dict[str, FloatArray] = {name: aimed[:, k] * x[:, k] for k, name in enumerate(names)}
    parts["drift"] = np.asarray(((exposed - aimed) * x).sum(axis=1))
    parts["financing"] = paid("financing")
    spare = 1.0 - held.sum(axis=1)
    terms = backtest.cash_terms
    below = np.where(spare >= 0.0, terms.lending_spread * spare, -terms.borrowing * spare)
    parts["cash"] = spare * history.accrual[rows]
    parts["spread"] = paid("spread") - below * history.d[rows]
    parts["expense"] = paid("expense")
    parts["slippage"] = slipped
    gross = np.asarray(sum(parts.values()))
    value, cost, flow = (
        one.to_numpy(dtype=np.float64)[: lived + 1] for one in (backtest.value, backtest.cost, backtest.flow)
    )
    # Of the wealth without the flow: money that comes in between sessions is no return.
    kept = (value - flow) / (value - flow + cost)
    parts["cost"] = (1.0 + gross) * (kept[1:] - 1.0)
    first = dict.fromkeys(parts, 0.0) | {"cost": float(kept[0]) - 1.0}
    frame = pd.DataFrame(parts, index=history.dates[rows])
    return pd.concat([pd.DataFrame(first, index=history.dates[:1]), frame])
