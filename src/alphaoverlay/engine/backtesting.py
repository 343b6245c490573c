"""The backtest of target weights in funds (methods M6 and M7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from alphaoverlay.engine._jit import compiled_kernels
from alphaoverlay.engine._kernels import loop
from alphaoverlay.engine._kernels.costs import NOISE
from alphaoverlay.engine.costs import CashTerms, TradingCosts
from alphaoverlay.engine.flows import CashFlows
from alphaoverlay.engine.plan import Goals, Market, Plan
from alphaoverlay.engine.rebalancing import RebalancingRule, as_rule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import DataError, StudyError
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.history import FloatArray, History
from alphaoverlay.overlays.portfolio import exposure_matrix, indices_of


@dataclass(frozen=True)
class Backtest:
    """What a portfolio did on every session, after that session's trades.

    Attributes
    ----------
    fund_returns : the returns it was run on.
    targets, rule, costs, flows, cash_terms : what it was run with.
    value : n values; wealth was 1.0 before the purchase at the first close. Cash flows are in it. Zero from the end on.
    weights : n rows, a column a fund: share of value after the close's trades.
    trades : n rows, a column a fund: bought (sold below 0), in units of the initial wealth.
    turnover : the smaller of what was bought and sold, cash's trade included, over the value before costs.
    cost : trading costs in units of the initial wealth.
    flow : money that came in (out below 0), in the same units.
    traded : the sessions with a rebalance, the purchase included.
    broken : whether a band was broken at the close, before trades.
    ruin : the session on which nothing was left, or None.
    exhausted : the session on which a withdrawal took all that was left, or None.
    """

    fund_returns: FundReturns
    targets: Targets
    rule: RebalancingRule
    costs: TradingCosts
    value: pd.Series
    weights: pd.DataFrame
    trades: pd.DataFrame
    turnover: pd.Series
    cost: pd.Series
    flow: pd.Series
    traded: pd.DatetimeIndex
    broken: pd.Series
    ruin: pd.Timestamp | None
    exhausted: pd.Timestamp | None = None
    flows: CashFlows = field(default_factory=CashFlows)
    cash_terms: CashTerms = field(default_factory=CashTerms)

    @property
    def history(self) -> History:
        """The sessions and the financing rate."""
        return self.fund_returns.history

    @property
    def end(self) -> pd.Timestamp | None:
        """The session on which it ended before its span did, or None."""
        return self.ruin if self.exhausted is None else self.exhausted

    @cached_property
    def returns(self) -> pd.Series:
        """Time-weighted simple return of each session after the first, costs inside, up to the end (ruin is -1)."""
        lived = slice(None, self.end)
        value, flow = self.value.loc[lived], self.flow.loc[lived]
        return ((value - flow) / value.shift(1) - 1.0).iloc[1:]

    @cached_property
    def growth(self) -> pd.Series:
        """Value of 1 put in before the purchase, without cash flows (time-weighted).

        Zero from ruin on; NaN once everything was withdrawn.
        """
        if not self.flow.any():
            return self.value
        first = float(self.value.iloc[0])
        grown = np.concatenate(([first], first * np.cumprod(1.0 + self.returns.to_numpy(dtype=np.float64))))
        after = np.full(len(self.value) - len(grown), 0.0 if self.exhausted is None else np.nan)
        return pd.Series(np.concatenate((grown, after)), index=self.value.index, name="value")

    @cached_property
    def rebalances(self) -> pd.DatetimeIndex:
        """The sessions after the purchase on which a rebalance moved money."""
        moved = self.trades.loc[self.traded].abs().sum(axis=1) > NOISE * self.value.loc[self.traded]
        return pd.DatetimeIndex(self.traded[moved.to_numpy() & (self.traded > self.value.index[0])])

    @cached_property
    def cash(self) -> pd.Series:
        """Share of value in cash after the close's trades."""
        return (1.0 - self.weights.sum(axis=1)).where(self.value > 0.0, 0.0)

    @cached_property
    def in_force(self) -> FloatArray:
        """Target weights in force on each session, (n, m), those of funds that lost everything 0 from that close on."""
        rows = self.targets.rows[self.targets.in_force(len(self.history.dates))]
        return np.asarray(rows * self.alive)

    @cached_property
    def alive(self) -> FloatArray:
        """1 up to the session before a fund lost everything, then 0; (n, m)."""
        lost = self.fund_returns.returns.to_numpy(dtype=np.float64) <= -1.0
        lost[0] = False
        return np.asarray(~np.maximum.accumulate(lost, axis=0), dtype=np.float64)

    @cached_property
    def weights_before(self) -> pd.DataFrame:
        """Share of value in each fund at the close, before flows, trades and costs; zero on the first session."""
        held = self.weights.mul(self.value, axis=0).shift(1).fillna(0.0)
        moves = 1.0 + self.fund_returns.returns.fillna(0.0)
        before = self.value + self.cost - self.flow
        return (held * moves).div(before.where(before > 0.0), axis=0).fillna(0.0)

    @cached_property
    def exposures(self) -> pd.DataFrame:
        """Look-through exposure after the close's trades, n rows, a column an index (method M3)."""
        return self.look_through(self.weights)

    def look_through(self, weights: pd.DataFrame) -> pd.DataFrame:
        """Look-through exposure of weights of these funds, a column an index."""
        names = indices_of(self.fund_returns.funds)
        matrix = exposure_matrix(self.fund_returns.funds, names)
        return pd.DataFrame(weights.to_numpy(dtype=np.float64) @ matrix.T, index=weights.index, columns=list(names))

    @property
    def final_value(self) -> float:
        """Growth of 1 to the end, from before the purchase, without cash flows."""
        return float(self.growth.iloc[-1]) if self.exhausted is None else float(self.growth.loc[self.exhausted])


def backtest(
    fund_returns: FundReturns,
    targets: Targets,
    rule: RebalancingRule | CalendarRule | None = None,
    costs: TradingCosts | None = None,
    *,
    flows: CashFlows | None = None,
    cash: CashTerms | None = None,
    benchmark: Mapping[str, float] | None = None,
    compiled: bool = False,
) -> Backtest:
    """Run target weights over the sessions of the fund returns (methods M6 and M7).

    Bought at the close of the first session; a session's return is earned on the weights after the previous close's
    trades; at a close: return, cash flow, rules, trades, costs.

    Parameters
    ----------
    fund_returns : n sessions, m funds; every return after the first session must be known.
    targets : for the same funds in the same order.
    rule : when to trade; quarterly where None.
    costs : none where None.
    flows : none where None.
    cash : what cash earns and borrowing costs; the financing rate, and no borrowing, where None.
    benchmark : exposures that bands on "active" compare with; none where None.
    compiled : use the numba form of the loop (same results, bit for bit); worth it for many runs.

    Raises
    ------
    DataError : fewer than two sessions, or a return or a figure that costs need is unknown; names the fund and session.
    StudyError : the targets are for other funds, or the rule, costs or flows make no sense for them.
    """
    rule, costs, flows, cash = as_rule(rule), costs or TradingCosts(), flows or CashFlows(), cash or CashTerms()
    plan = compile_plan(fund_returns, targets, rule, costs, flows, cash, benchmark or {})
    n, m = plan.market.returns.shape
    value, held, trades, facts = np.empty(n), np.empty((n, m)), np.empty((n, m)), np.empty((n, 5))
    run_path = compiled_kernels()["run_path"] if compiled else loop.run_path
    end = int(run_path(plan, value, held, trades, facts))
    dates, symbols = fund_returns.history.dates, list(targets.symbols)
    alive = value > 0.0
    weights = np.divide(held, value[:, None], out=np.zeros_like(held), where=alive[:, None])
    withdrawn = end >= n
    ended = None if end < 0 else dates[end - n if withdrawn else end]
    return Backtest(
        fund_returns=fund_returns,
        targets=targets,
        rule=rule,
        costs=costs,
        value=pd.Series(value, index=dates, name="value"),
        weights=pd.DataFrame(weights, index=dates, columns=symbols),
        trades=pd.DataFrame(trades, index=dates, columns=symbols),
        turnover=pd.Series(turnover_of(value, trades, facts), index=dates, name="turnover"),
        cost=pd.Series(facts[:, 0], index=dates, name="cost"),
        flow=pd.Series(facts[:, 1], index=dates, name="flow"),
        traded=dates[np.flatnonzero(facts[:, 2] + facts[:, 4] > 0.0)],
        broken=pd.Series(facts[:, 3] > 0.0, index=dates, name="broken"),
        ruin=None if withdrawn else ended,
        exhausted=ended if withdrawn else None,
        flows=flows,
        cash_terms=cash,
    )


def compile_plan(
    fund_returns: FundReturns,
    targets: Targets,
    rule: RebalancingRule,
    costs: TradingCosts,
    flows: CashFlows,
    cash: CashTerms,
    benchmark: Mapping[str, float],
) -> Plan:
    """Turn everything a run reads into arrays; parameters and errors as `backtest`."""
    symbols = tuple(fund.symbol for fund in fund_returns.funds)
    if targets.symbols != symbols:
        raise StudyError(f"targets for {', '.join(targets.symbols)}; the returns are those of {', '.join(symbols)}")
    _refuse_borrowing(targets, rule, cash)
    history = fund_returns.history
    returns = known_returns(fund_returns)
    row = targets.in_force(len(returns))
    turn = np.concatenate(([False], row[1:] != row[:-1]))
    accrual, d = history.accrual, history.d
    return Plan(
        market=Market(returns, accrual - cash.lending_spread * d, accrual + cash.borrowing * d),
        goals=Goals(np.ascontiguousarray(targets.rows), row, turn),
        rules=rule.compile(fund_returns.funds, targets.rows, history, benchmark),
        costs=costs.compile(fund_returns),
        flows=flows.compile(history),
    )


def known_returns(fund_returns: FundReturns) -> FloatArray:
    """Return the funds' returns as an array, shape (n, m), the first row 0.

    Raises
    ------
    DataError : fewer than two sessions, or a return after the first is unknown.
    """
    # C order, whatever pandas keeps: compiled kernels are compiled once for one layout.
    returns = np.array(fund_returns.returns.to_numpy(dtype=np.float64), copy=True, order="C")
    if len(returns) < 2:
        raise DataError("a backtest needs at least two sessions; ask for a longer span")
    returns[0] = 0.0
    unknown = np.argwhere(np.isnan(returns))
    if len(unknown):
        t, i = unknown[0]
        raise DataError(
            f"the return of {fund_returns.funds[i].symbol} on {fund_returns.history.dates[t]:%Y-%m-%d} is unknown; "
            "take the span with FundReturns.span()"
        )
    return returns


def _refuse_borrowing(targets: Targets, rule: RebalancingRule, cash: CashTerms) -> None:
    if float(targets.rows.sum(axis=1).max()) <= 1.0 + 1e-9:
        return
    if cash.borrowing_spread is None:
        raise StudyError(
            "the weights add up to more than 1; lower them, or say what borrowing the rest costs above the financing "
            "rate, such as cash.borrowing_spread = 0.015"
        )
    if rule.tranches > 1:
        raise StudyError("rebalance.tranches: a portfolio that borrows is held in one; leave tranches out")


def turnover_of(value: FloatArray, trades: FloatArray, facts: FloatArray) -> FloatArray:
    """The smaller of bought and sold, cash counted as a holding, over the value before costs."""
    cost, flow = facts[:, 0], facts[:, 1]
    cash = flow - trades.sum(axis=1)
    moved = 0.5 * (np.abs(trades).sum(axis=1) + np.abs(cash) - np.abs(flow))
    return np.asarray(np.divide(moved, value + cost, out=np.zeros_like(moved), where=value > 0.0))
