"""A leveraged fund at the weight 1/|L| beside cash, against its own index: how close, and what parts them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphaoverlay.analysis.attribution import Attribution, attribute
from alphaoverlay.analysis.metrics import Metrics, active_performance, performance
from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import DataError, SpanError, StudyError
from alphaoverlay.funds.catalogue import Catalogue, load_catalogue
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.fund_returns import FundReturns, build_fund_returns
from alphaoverlay.funds.ticker import Ticker, index_holding, ticker_fund
from alphaoverlay.history import DAYS_A_YEAR, FloatArray, iso
from alphaoverlay.market.source import Source
from alphaoverlay.study.costs import CostsTable
from alphaoverlay.study.market_data import StudyData, known_fund, read_study_data, synthetic_notes
from alphaoverlay.study.reporting import reading_notes

Rows = NDArray[np.signedinteger[Any]]
# Windows of the distribution: three years, one begun every month.
WINDOW, STEP = 756, 21
# Quantiles of a distribution of gaps, as they are shown.
SHARES = {"5%": 0.05, "25%": 0.25, "median": 0.5, "75%": 0.75, "95%": 0.95}
# Sessions by which a calendar's trades can come early: every one of its shortest usual period.
OFFSETS = {"never": 1, "daily": 1, "weekly": 5, "monthly": 20, "quarterly": 61, "semiannual": 124, "annual": 250}


@dataclass(frozen=True)
class Delevered:
    """A fund at 1/|L| and cash, against its index.

    Attributes
    ----------
    fund, weight : what is held; the rest is cash.
    portfolio, index : backtests over the same sessions; the index is bought and held, or for an inverse fund sold short
        and reset every session without expense or spread, with interest on the capital and the proceeds.
    attribution : the gap by cause (M5).
    metrics, index_metrics, active : of each, and of the difference.
    windows : yearly gap `ln(Vp/Vb)` of every window (rows: the first close) at every offset (columns).
    by_offset : yearly gap over the whole span at every offset.
    data, source, notes : what it rests on.
    """

    fund: Fund
    weight: float
    portfolio: Backtest
    index: Backtest
    attribution: Attribution
    metrics: Metrics
    index_metrics: Metrics
    active: Metrics
    windows: pd.DataFrame
    by_offset: pd.Series
    data: StudyData
    source: str
    notes: tuple[str, ...]

    @property
    def years(self) -> float:
        """Calendar days over 365.25."""
        return float(self.portfolio.history.days.sum()) / DAYS_A_YEAR

    @property
    def all_notes(self) -> tuple[str, ...]:
        """Sentences that every output must carry, how it traded included."""
        luck = "The distribution over starts and offsets leaves trading costs out."
        return (*self.notes, *reading_notes(self.portfolio), luck)

    @property
    def parts(self) -> dict[str, float]:
        """The gap by cause in log return over the span; "target" is what the index at the target exposure leaves."""
        totals = dict(self.attribution.totals)
        target = sum(totals.pop(name) for name in self.attribution.indices)
        return {"target": target} | totals

    @property
    def correlation(self) -> float:
        """Of the daily returns of the two; NaN where one does not vary."""
        own, other = (x.returns.to_numpy(dtype=np.float64) for x in (self.portfolio, self.index))
        if min(float(own.std()), float(other.std())) == 0.0:
            return float("nan")
        return float(np.corrcoef(own, other)[0, 1])


def delever_fund(
    symbol: str,
    source: Source,
    catalogue: Catalogue | None = None,
    *,
    start: str | None = None,
    end: str | None = None,
    rule: CalendarRule | None = None,
    costs: TradingCosts | CostsTable | None = None,
    rate: str | float | None = None,
) -> Delevered:
    """Hold 1/|L| of a leveraged fund and cash, and compare with the fund's index.

    Parameters
    ----------
    symbol : a fund on one index that borrows, or a ticker with terms.
    source, catalogue : the market data and the funds' terms.
    start, end : the span (ISO dates); the fund's own life where None. Before it the fund is synthetic, and marked so.
    rule : when to trade back to 1/|L|; quarterly where None.
    costs : of trading; none where None.
    rate : name of a rate, a fixed yearly fraction, or None for the source's own.

    Raises
    ------
    AlphaOverlayError : an unknown symbol, a fund on several indices, or no data for the span.
    """
    catalogue, rule = catalogue or load_catalogue(), rule or CalendarRule()
    fund = known_fund(symbol, source, catalogue)
    if len(fund.exposures) != 1 or fund.symbol in fund.exposures or abs(fund.leverage) <= 1.0:
        raise StudyError(
            f"{fund.symbol} {fund.follows}: only a fund of more than one time a single index can stand for that "
            "index at a part of the capital; name one such as TNA"
        )
    [name] = fund.exposures
    index = _index_itself(name, fund, source, catalogue)
    data = read_study_data(source, catalogue, [name], (fund,), rate, start, end)
    if name not in data.indices:
        raise DataError(f"{source.name} has no series of {name}, which {fund.symbol} follows: add one to the data")
    every = build_fund_returns((fund, index), data.history, data.indices)
    if start is None and fund.multiple is None and source.holds(fund.symbol) and _first_real(every, fund) is None:
        raise SpanError(
            f"{fund.symbol} has no price up to {end}: ask for a later --end, or give a --start to go synthetic"
        )
    returns, ruin = _before_ruin(every.span(start or _first_real(every, fund), end), fund)
    weight = 1.0 / abs(fund.leverage)
    charged = costs.build(every.only([fund.symbol]), None) if isinstance(costs, CostsTable) else costs
    portfolio = _run(returns, fund, weight, rule, charged or TradingCosts())
    held = _run(returns, index, 1.0, rule, TradingCosts())
    known = {key: one.returns for key, one in data.indices.items()}
    return Delevered(
        fund=fund,
        weight=weight,
        portfolio=portfolio,
        index=held,
        attribution=attribute(portfolio, held, known),
        metrics=performance(portfolio, held),
        index_metrics=performance(held, held),
        active=active_performance(portfolio, held),
        windows=window_gaps(returns, fund, index, rule),
        by_offset=offset_gaps(returns, fund, index, rule),
        data=data,
        source=source.name,
        notes=(*data.notes, *synthetic_notes(returns.only([fund.symbol])), *ruin),
    )


def _index_itself(name: str, fund: Fund, source: Source, catalogue: Catalogue) -> Fund:
    """The index as a holding; for an inverse fund, -1 times it a day without expense or spread."""
    known = name in catalogue.indices
    held = index_holding(catalogue.index(name)) if known else known_fund(name, source, catalogue)
    if fund.leverage > 0.0:
        return held
    return ticker_fund(Ticker(name, leverage=-1.0, spread=0.0, expense=0.0), lambda _: held)


def _before_ruin(returns: FundReturns, fund: Fund) -> tuple[FundReturns, tuple[str, ...]]:
    """The part before the fund lost everything, and a note where it did: a fund is gone then (M5)."""
    lost = returns.returns[fund.symbol].to_numpy(dtype=np.float64) <= -1.0
    lost[0] = False  # bought at that close: its return is nobody's
    if not lost.any():
        return returns, ()
    day, dates = int(lost.argmax()), returns.history.dates
    if day < 2:
        raise SpanError(f"{fund.symbol} lost everything on {iso(dates[day])}, the first session: ask for another span")
    note = f"{fund.symbol} lost everything on {iso(dates[day])}: what is shown ends at the close before."
    return returns.span(None, iso(dates[day - 1])), (note,)


def _first_real(returns: FundReturns, fund: Fund) -> str | None:
    """First close of the fund's own history; None for one that is synthetic throughout."""
    real = returns.returns[fund.symbol].notna().to_numpy() & ~returns.synthetic[fund.symbol].to_numpy()
    rows = np.flatnonzero(real)
    return str(returns.history.dates[max(int(rows[0]) - 1, 0)].date()) if len(rows) else None


def _run(returns: FundReturns, fund: Fund, weight: float, rule: CalendarRule, costs: TradingCosts) -> Backtest:
    targets = Targets.constant([fund.symbol], [weight])
    return backtest(returns.only([fund.symbol]), targets, rule, costs)


def offset_gaps(returns: FundReturns, fund: Fund, index: Fund, rule: CalendarRule) -> pd.Series:
    """Yearly gap over the whole span at every offset of the rule, without trading costs."""
    last = len(returns.history.dates) - 1
    gaps = _gaps(returns, fund, index, rule, np.array([0]), np.array([last]))
    return pd.Series(gaps[0], index=pd.RangeIndex(gaps.shape[1], name="offset"))


def window_gaps(returns: FundReturns, fund: Fund, index: Fund, rule: CalendarRule) -> pd.DataFrame:
    """Yearly gap of every window of `WINDOW` sessions at every offset; empty where the span is shorter."""
    dates = returns.history.dates
    first = np.arange(0, len(dates) - WINDOW, STEP)
    offsets = pd.RangeIndex(OFFSETS[rule.calendar], name="offset")
    if not len(first):
        return pd.DataFrame(index=dates[:0], columns=offsets, dtype=np.float64)
    return pd.DataFrame(_gaps(returns, fund, index, rule, first, first + WINDOW), index=dates[first], columns=offsets)


def _gaps(
    returns: FundReturns,
    fund: Fund,
    index: Fund,
    rule: CalendarRule,
    first: Rows,
    last: Rows,
) -> FloatArray:
    """Yearly `ln(Vp/Vb)` from the closes `first` to the closes `last`, a column an offset.

    Between two trades one fund and cash are bought and held, so a window's growth is a product of such stretches: the
    same numbers as a backtest a window, without the loop.
    """
    history = returns.history
    grown, index_grown = (_growth(returns.returns[symbol]) for symbol in (fund.symbol, index.symbol))
    cash = np.cumprod(1.0 + history.accrual)
    weight = 1.0 / abs(fund.leverage)

    def stretch(a: Rows, b: Rows) -> FloatArray:
        held: FloatArray = np.log(weight * grown[b] / grown[a] + (1.0 - weight) * cash[b] / cash[a])
        return held

    years = np.cumsum(history.days) / DAYS_A_YEAR
    other = np.log(index_grown[last] / index_grown[first])
    columns = []
    for offset in range(OFFSETS[rule.calendar]):
        marked = CalendarRule(rule.calendar, offset).sessions(history.dates, history.exchange_sessions)
        trades = np.flatnonzero(marked)
        if len(trades) == 0:
            columns.append((stretch(first, last) - other) / (years[last] - years[first]))
            continue
        whole = np.concatenate(([0.0], np.cumsum(stretch(trades[:-1], trades[1:]))))
        # First trade after the purchase, and last one before the window's end.
        after, before = np.searchsorted(trades, first, side="right"), np.searchsorted(trades, last, side="left") - 1
        inside = after <= before
        a, b = np.minimum(after, len(trades) - 1), np.maximum(before, 0)
        split = stretch(first, trades[a]) + whole[b] - whole[a] + stretch(trades[b], last)
        own = np.where(inside, split, stretch(first, last))
        columns.append((own - other) / (years[last] - years[first]))
    return np.stack(columns, axis=1)


def _growth(returns: pd.Series) -> FloatArray:
    """Value of 1 bought at the first close, whose own return is nobody's."""
    moves = returns.to_numpy(dtype=np.float64, copy=True)
    moves[0] = 0.0
    return np.asarray(np.cumprod(1.0 + moves), dtype=np.float64)


def gap_quantiles(values: pd.DataFrame | pd.Series) -> dict[str, float]:
    """Return the least, some quantiles and the most of yearly gaps; empty without any."""
    flat = values.to_numpy(dtype=np.float64).ravel()
    if not len(flat):
        return {}
    inner = {label: float(np.quantile(flat, share)) for label, share in SHARES.items()}
    return {"least": float(flat.min()), **inner, "most": float(flat.max())}
