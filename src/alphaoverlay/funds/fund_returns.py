"""Returns of the funds of a portfolio: the real fund's where they exist, synthetic before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphaoverlay.errors import SpanError
from alphaoverlay.funds.fund import Fund, Multiple
from alphaoverlay.funds.index_returns import IndexReturns
from alphaoverlay.funds.synthesis import added_back, multiple_returns, synthetic_returns
from alphaoverlay.history import FloatArray, History, iso, runs


@dataclass(frozen=True)
class FundReturns:
    """Simple returns of funds on a history's sessions.

    Attributes
    ----------
    history : the sessions, the financing rate and the day counts.
    funds : the m funds, in the order of the columns.
    returns : n rows, m columns; NaN where a fund has neither a price nor an index series.
    synthetic : same shape; True where the return is not the fund's own: built by M1, or filled in from another holding.
    """

    history: History
    funds: tuple[Fund, ...]
    returns: pd.DataFrame
    synthetic: pd.DataFrame

    def span(self, start: str | None = None, end: str | None = None) -> FundReturns:
        """Return the part from `start` to `end`, in which every fund has a return after the first session.

        Without `start` or `end`: as long as all funds allow.

        Raises
        ------
        SpanError : the funds' returns do not cover the asked dates, or do not overlap; names the fund.
        """
        known = self.returns.notna().to_numpy()
        dates = self.history.dates
        lives = {}
        for j, fund in enumerate(self.funds):
            spans = runs(known[:, j])
            if not spans:
                raise SpanError(_no_returns(fund))
            low, high = max(spans, key=lambda span: span[1] - span[0])
            # A return on session k is earned by whoever bought at the close of session k-1.
            lives[fund.symbol] = (max(low - 1, 0), high)
        latest = max(lives, key=lambda symbol: lives[symbol][0])
        soonest = min(lives, key=lambda symbol: lives[symbol][1])
        low, high = lives[latest][0], lives[soonest][1]
        if start is not None:
            if _misses_sessions(self.history, pd.Timestamp(start), dates[low] - pd.Timedelta(days=1)):
                raise SpanError(
                    f"{latest} has no return before {iso(dates[low])}, neither its own nor from an index series: "
                    f"ask for --start {iso(dates[low])} or later, or add the series of {_indices(self, latest)}"
                )
            low = max(low, int(dates.searchsorted(pd.Timestamp(start), side="left")))
        if end is not None:
            if _misses_sessions(self.history, dates[high] + pd.Timedelta(days=1), pd.Timestamp(end)):
                raise SpanError(
                    f"the prices of {soonest} end on {iso(dates[high])}: ask for --end {iso(dates[high])} or earlier, "
                    "or add the newer rows"
                )
            high = min(high, int(dates.searchsorted(pd.Timestamp(end), side="right")) - 1)
        if high <= low:
            lines = ", ".join(f"{s} {iso(dates[a])} to {iso(dates[b])}" for s, (a, b) in lives.items())
            raise SpanError(f"the funds' returns do not overlap for two sessions in the asked span: {lines}")
        rows = slice(low, high + 1)
        return self.between(dates[rows.start], dates[rows.stop - 1])

    def between(self, first: pd.Timestamp, last: pd.Timestamp) -> FundReturns:
        """Return the sessions from `first` to `last`, both included, whether or not every return is known."""
        history = self.history.between(first, last)
        return FundReturns(history, self.funds, self.returns.loc[first:last], self.synthetic.loc[first:last])

    def only(self, symbols: Sequence[str]) -> FundReturns:
        """Return the columns of these symbols, in this order."""
        by_symbol = {fund.symbol: fund for fund in self.funds}
        return FundReturns(
            self.history,
            tuple(by_symbol[symbol] for symbol in symbols),
            self.returns[list(symbols)],
            self.synthetic[list(symbols)],
        )

    @property
    def synthetic_until(self) -> dict[str, pd.Timestamp]:
        """Last synthetic session of each fund that has one after the first session."""
        found = {}
        for symbol in self.synthetic.columns:
            rows = np.flatnonzero(self.synthetic[symbol].to_numpy()[1:])
            if rows.size:
                found[symbol] = self.history.dates[int(rows[-1]) + 1]
        return found


def build_fund_returns(
    funds: Sequence[Fund],
    history: History,
    indices: Mapping[str, IndexReturns],
    *,
    synthetic: bool = True,
) -> FundReturns:
    """Join each fund's real returns with synthetic ones before its first price.

    Parameters
    ----------
    funds : the funds, in the order wanted.
    history : prices; a fund without a column is synthetic throughout.
    indices : total returns of the indices, for the synthetic part.
    synthetic : False uses real returns only.

    Returns
    -------
    Returns joined by return, so that no jump can arise at the join, and a mark on each that is synthetic.
    """
    columns, marks = {}, {}
    known = {name: one.returns for name, one in indices.items()}
    for fund in funds:
        values, made = _column(fund, history, known, synthetic=synthetic)
        columns[fund.symbol], marks[fund.symbol] = values, made
    frame = pd.DataFrame(columns, index=history.dates)
    return FundReturns(history, tuple(funds), frame, pd.DataFrame(marks, index=history.dates))


def _column(
    fund: Fund, history: History, known: Mapping[str, pd.Series], *, synthetic: bool
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Returns of one fund, and which of them are not its own."""
    if fund.multiple is not None:
        return _multiple(fund, fund.multiple, history, known, synthetic=synthetic)
    real = real_returns(fund, history)
    made = np.zeros(len(real), dtype=bool)
    if not synthetic or not fund.exposures or any(index not in known for index in fund.exposures):
        return real, made
    # Synthetic before the first real return only: a fund that has ended is not kept alive by its index.
    before = ~np.maximum.accumulate(~np.isnan(real))
    if fund.closed is not None:
        before &= np.asarray(history.dates <= pd.Timestamp(fund.closed))
    built = synthetic_returns(fund, known, history).to_numpy(dtype=np.float64)
    made = before & ~np.isnan(built)
    return np.where(made, built, real), made


def real_returns(fund: Fund, history: History) -> FloatArray:
    """Return the fund's own returns, NaN where it has none.

    What it returned with another leverage than today's (`former_exposures`) is another fund's return and left out; what
    it returned on another index is kept.
    """
    if fund.symbol not in history.adj_close.columns or fund.status == "index":
        return np.full(len(history.dates), np.nan)
    real = history.total_returns[fund.symbol].to_numpy(dtype=np.float64)
    changed = fund.former_exposures and sum(fund.former_exposures.values()) != fund.leverage
    if changed and fund.index_since is not None:
        real = np.where(np.asarray(history.dates <= pd.Timestamp(fund.index_since)), np.nan, real)
    return real


def _multiple(
    fund: Fund, multiple: Multiple, history: History, known: Mapping[str, pd.Series], *, synthetic: bool
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """A ticker's returns: all of them built, but where it is the holding itself, filled before its first return."""
    # A filling takes the place of synthetic returns before the first price, where there is a price at all.
    priced = any(symbol in history.adj_close.columns for symbol in price_symbols(multiple.of))
    under, made = _column(multiple.of, history, known, synthetic=synthetic and (multiple.fill is None or not priced))
    under = under + added_back(fund, history)
    if multiple.fill is not None:
        other, _ = _column(multiple.fill, history, known, synthetic=synthetic)
        filled = ~np.maximum.accumulate(~np.isnan(under)) & ~np.isnan(other)
        under, made = np.where(filled, other, under), made | filled
    returns = multiple_returns(fund, under, history)
    as_it_is = multiple.times == 1.0 and multiple.add_back == 0.0 and fund.expense == 0.0
    return returns, made if as_it_is else ~np.isnan(returns)


def price_symbols(fund: Fund) -> tuple[str, ...]:
    """Return the symbols whose prices a fund's returns are read from."""
    if fund.multiple is None:
        return () if fund.status == "index" else (fund.symbol,)
    fill = () if fund.multiple.fill is None else price_symbols(fund.multiple.fill)
    return tuple(dict.fromkeys([*price_symbols(fund.multiple.of), *fill]))


def _no_returns(fund: Fund) -> str:
    if fund.multiple is not None:
        return _no_returns(fund.multiple.of)
    if not fund.exposures:
        return f"no data for {fund.symbol}, and its index is unknown: add data of it, such as {fund.symbol}.csv"
    return (
        f"no data for {fund.symbol} and no index series to build it from: add data of it, such as {fund.symbol}.csv, "
        f"or a series of {', '.join(fund.exposures)}"
    )


def _indices(returns: FundReturns, symbol: str) -> str:
    fund = next(fund for fund in returns.funds if fund.symbol == symbol)
    return ", ".join(fund.exposures) or "its index"


def _misses_sessions(history: History, first: pd.Timestamp, last: pd.Timestamp) -> bool:
    """Whether an exchange session lies between two days that the data do not cover, both included."""
    sessions = history.exchange_sessions
    if first > last:
        return False
    # A day outside the calendar is more than a year away.
    if first.year < sessions[0].year or last.year > sessions[-1].year:
        return True
    return bool(((sessions >= first) & (sessions <= last)).any())
