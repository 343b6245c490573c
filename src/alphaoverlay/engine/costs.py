"""What trading costs, and what cash earns and borrowing costs (method M6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from alphaoverlay.engine.plan import Costs
from alphaoverlay.errors import DataError, StudyError
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.funds.half_spreads import MOST_BPS
from alphaoverlay.history import FloatArray, iso


@dataclass(frozen=True)
class Liquidity:
    """What is known of a market's depth, on the sessions of a history.

    Attributes
    ----------
    dollar_volume : median close times volume of the 63 sessions before each, by symbol; NaN where unknown.
    volatility : daily, of the same sessions' returns.
    """

    dollar_volume: pd.DataFrame
    volatility: pd.DataFrame


@dataclass(frozen=True)
class TradingCosts:
    """Costs of trades.

    Attributes
    ----------
    half_spread_bps : half the bid-ask spread in hundredths of a percent of each trade's value: one figure, or by fund,
        or by fund and session (a Series whose value holds until its next). Zero is a choice, and every table says so.
    per_trade : money for each fund traded on a session.
    per_share : money for each share, at the session's close (adjusted for splits).
    minimum_trade : money; a smaller trade of a fund is left undone, as is one below `per_trade`.
    impact : Y of the square-root law; 0 for none.
    capital : money that the portfolio is bought with; whatever is in money needs it.
    liquidity : needed for impact.
    """

    half_spread_bps: float | Mapping[str, float | pd.Series] = 0.0
    per_trade: float = 0.0
    per_share: float = 0.0
    minimum_trade: float = 0.0
    impact: float = 0.0
    capital: float | None = None
    liquidity: Liquidity | None = field(default=None, repr=False)

    @property
    def free(self) -> bool:
        """Whether trading costs nothing."""
        spreads = self.half_spread_bps
        each = spreads.values() if isinstance(spreads, Mapping) else [spreads]
        return not any(np.any(np.asarray(one)) for one in each) and not (
            self.per_trade or self.per_share or self.impact
        )

    def compile(self, returns: FundReturns) -> Costs:
        """Turn the costs into arrays over the sessions and funds.

        Raises
        ------
        StudyError : a figure out of bounds, a fund without a half-spread, or money without a capital.
        DataError : a price or a volume that is needed is unknown; names the fund and the session.
        """
        self._check()
        n, m = returns.returns.shape
        rates = np.empty((n, m))
        for i, fund in enumerate(returns.funds):
            rates[:, i] = self._half_spread(fund.symbol, returns.history.dates)
        capital = self.capital or 1.0
        if self.per_share:
            rates = rates + self.per_share / self._closes(returns)
        impact = np.zeros((n, m))
        if self.impact:
            impact = self._impact(returns, capital)
        # Nobody trades for less than the fee.
        least = max(self.minimum_trade, self.per_trade)
        return Costs(rates, impact, self.per_trade / capital, least / capital)

    def _check(self) -> None:
        money = {"per_trade": self.per_trade, "per_share": self.per_share, "minimum_trade": self.minimum_trade}
        for name, value in {**money, "impact": self.impact}.items():
            if not 0.0 <= value < float("inf"):
                raise StudyError(f"costs.{name} = {value}: write a finite amount, 0 or more")
        if self.capital is not None and not 0.0 < self.capital < float("inf"):
            raise StudyError(f"capital = {self.capital}: write a finite amount above 0")
        needing = [name for name in ("per_trade", "minimum_trade", "impact") if getattr(self, name)]
        if needing and self.capital is None:
            raise StudyError(f"costs.{needing[0]} is in money: say how much is invested, such as capital = 100000")

    def _half_spread(self, symbol: str, dates: pd.DatetimeIndex) -> FloatArray:
        """Half-spread of one fund as a fraction on each session."""
        spreads = self.half_spread_bps
        if isinstance(spreads, Mapping) and symbol not in spreads:
            raise StudyError(f"costs.half_spread_bps: none for {symbol}; name it, or give one figure for all")
        given = spreads[symbol] if isinstance(spreads, Mapping) else spreads
        if isinstance(given, float | int):
            values = np.full(len(dates), float(given))
        else:
            known = given.dropna().sort_index()
            place = np.maximum(known.index.searchsorted(dates, side="right") - 1, 0)
            values = known.to_numpy(dtype=np.float64)[place] if len(known) else np.full(len(dates), np.nan)
        if not ((values >= 0.0) & (values <= MOST_BPS)).all():
            raise StudyError(f"costs.half_spread_bps of {symbol}: write basis points from 0 to {MOST_BPS:g}")
        return values / 10_000.0

    def _closes(self, returns: FundReturns) -> FloatArray:
        """Closing prices, which a cost a share needs."""
        symbols = [fund.symbol for fund in returns.funds]
        closes = returns.history.close.reindex(columns=symbols).to_numpy(dtype=np.float64)
        unknown = np.isnan(closes) | returns.synthetic.to_numpy(dtype=bool)
        unknown[0] = np.isnan(closes[0])
        _refuse_unknown(unknown, returns, "costs.per_share needs closing prices", "leave it out")
        return closes

    def _impact(self, returns: FundReturns, capital: float) -> FloatArray:
        """Factor k of each fund and session: a trade x costs `k*|x|*sqrt(|x|)`, in units of the initial wealth."""
        symbols = [fund.symbol for fund in returns.funds]
        dates = returns.history.dates
        nothing = pd.DataFrame(np.nan, index=dates, columns=symbols)
        known = self.liquidity or Liquidity(nothing, nothing)
        volume, volatility = (
            one.reindex(index=dates, columns=symbols).to_numpy(dtype=np.float64)
            for one in (known.dollar_volume, known.volatility)
        )
        unknown = ~(volume > 0.0) | np.isnan(volatility)
        _refuse_unknown(unknown, returns, "costs.impact needs trading volumes", "leave impact out")
        return np.asarray(self.impact * volatility * np.sqrt(capital / volume))


@dataclass(frozen=True)
class CashTerms:
    """What cash earns below the financing rate, and what borrowing costs above it, yearly fractions.

    `borrowing_spread` None: nothing may be borrowed, so target weights add up to at most 1.
    """

    lending_spread: float = 0.0
    borrowing_spread: float | None = None

    @property
    def borrowing(self) -> float:
        """The borrowing spread, 0 where nothing is borrowed."""
        return self.borrowing_spread or 0.0


def _refuse_unknown(
    unknown: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], returns: FundReturns, need: str, or_: str
) -> None:
    found = np.argwhere(unknown)
    if len(found):
        t, i = found[0]
        later = returns.history.dates[min(int(np.flatnonzero(unknown[:, i])[-1]) + 1, len(unknown) - 1)]
        start = "" if unknown[-1, i] else f"start on {iso(later)} or later, or "
        raise DataError(
            f"{need}, and that of {returns.funds[i].symbol} on {iso(returns.history.dates[t])} is unknown; {start}{or_}"
        )
