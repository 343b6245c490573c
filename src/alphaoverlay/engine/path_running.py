"""One portfolio on many paths of index returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphaoverlay.engine._jit import compiled_kernels
from alphaoverlay.engine.backtesting import compile_plan
from alphaoverlay.engine.costs import CashTerms, TradingCosts
from alphaoverlay.engine.flows import CashFlows
from alphaoverlay.engine.plan import Ints, Plan, Walk
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import StudyError
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.funds.synthesis import deductions, synthetic_returns
from alphaoverlay.history import FloatArray, History
from alphaoverlay.overlays.portfolio import Portfolio

# Funds are carried in fours.
WIDTH = 4


@dataclass(frozen=True)
class PathResults:
    """What became of a portfolio on each of p paths.

    Attributes
    ----------
    growth : of 1 put in before the purchase, cash flows left out, to the end or the portfolio's own end, shape (p,).
    value : at the end, cash flows inside, in units of the initial wealth.
    max_drawdown : of the growth, at most 0.
    under_water : sessions that closed below the highest close so far; after a ruin all of them.
    longest : their longest run.
    end : session on which nothing was left; the number of sessions more where a withdrawal took all; -1 for neither.
    marked : values at the marked sessions, shape (marks, p).
    weights : of the funds after the last close, shape (m, p); empty where not asked for.
    """

    growth: FloatArray
    value: FloatArray
    max_drawdown: FloatArray
    under_water: FloatArray
    longest: FloatArray
    end: FloatArray
    marked: FloatArray
    weights: FloatArray


@dataclass(frozen=True)
class PathRunner:
    """A portfolio ready to run on any path over one horizon (method M10).

    Attributes
    ----------
    portfolio, history : the funds and weights, and the horizon's n sessions, the purchase first.
    names : the indices, in the order of a path's columns.
    plan : of a path on which nothing moves.
    taken : what M1 takes from each fund and session, shape (n, m).
    walk : the short way, where the rule, costs and flows allow it.
    """

    portfolio: Portfolio
    history: History
    names: tuple[str, ...]
    plan: Plan
    taken: FloatArray
    walk: Walk | None

    def moves(self, table: FloatArray) -> FloatArray:
        """Return `sum_k X_k*x_k` of each fund on each of a table's days, funds in fours: shape (fours, days, 4)."""
        funds = self.portfolio.funds
        found = np.zeros((_fours(len(funds)), len(table), WIDTH))
        for i, fund in enumerate(funds):
            for name, times in fund.exposures.items():
                found[i // WIDTH, :, i % WIDTH] += times * table[:, self.names.index(name)]
        return found

    def run(self, moves: FloatArray, rows: NDArray[np.int32], marks: Ints, *, weights: bool = False) -> PathResults:
        """Run the portfolio on paths; session t of path p is the row `rows[p, t]` of `moves`.

        Compiled with numba, which takes some seconds once. Thread-safe.

        Parameters
        ----------
        moves : from `moves`.
        rows : shape (p, n - 1), days of the table.
        marks : sessions at which values are written down; 0 is the purchase.
        weights : whether the weights at the end are asked for.

        Raises
        ------
        StudyError : rows of another shape, or that name days which are not there.
        """
        named = self._checked(rows, moves.shape[1])
        count, m = len(named), len(self.portfolio.funds)
        found, marked = np.empty((6, count)), np.empty((len(marks), count))
        held = np.empty((m if weights else 0, count))
        kernels = compiled_kernels()
        if self.walk is not None:
            kernels["run_walks"](self.walk, moves, named, marks, found, marked, held)
        else:
            market = self.plan.market._replace(returns=np.zeros_like(self.plan.market.returns))
            goals = self.plan.goals._replace(rows=self.plan.goals.rows.copy())
            own = self.plan._replace(market=market, goals=goals)
            kernels["run_paths"](own, self.taken, moves, named, marks, found, marked, held)
        growth, value, drawdown, under, longest, end = found
        return PathResults(growth, value, drawdown, under, longest, end, marked, held)

    def _checked(self, rows: NDArray[np.int32], days: int) -> NDArray[np.uint32]:
        """The rows without a sign, so that no index needs a look at whether it counts from the end."""
        sessions = len(self.history.dates) - 1
        if rows.ndim != 2 or rows.shape[1] != sessions:
            raise StudyError(f"rows of the shape {rows.shape}; write one a path with {sessions} days each")
        found = np.ascontiguousarray(rows, dtype=np.int32).view(np.uint32)
        if found.size and int(found.max()) >= days:
            raise StudyError(f"rows name days from {rows.min()} to {rows.max()}; the table has days 0 to {days - 1}")
        return found

    def returns_on(self, index_returns: FloatArray) -> FundReturns:
        """Return the funds' returns on one path, shape (n - 1, K): what a backtest of that path reads."""
        return path_returns(self.portfolio.funds, self.history, self.names, index_returns)


def path_returns(
    funds: Sequence[Fund], history: History, names: Sequence[str], index_returns: FloatArray
) -> FundReturns:
    """Return the returns by M1 of funds over a horizon, on one path of index returns, shape (n - 1, K)."""
    padded = np.vstack([np.full((1, len(names)), np.nan), index_returns])
    moves = {name: pd.Series(padded[:, k], index=history.dates) for k, name in enumerate(names)}
    columns = {fund.symbol: synthetic_returns(fund, moves, history) for fund in funds}
    frame = pd.DataFrame(columns, index=history.dates)
    return FundReturns(history, tuple(funds), frame, pd.DataFrame(True, index=frame.index, columns=frame.columns))


def prepare_paths(
    portfolio: Portfolio,
    history: History,
    names: Sequence[str],
    rule: RebalancingRule,
    costs: TradingCosts | None = None,
    *,
    flows: CashFlows | None = None,
    cash: CashTerms | None = None,
    benchmark: Mapping[str, float] | None = None,
) -> PathRunner:
    """Compile all that a portfolio needs on every path over a horizon.

    Parameters
    ----------
    portfolio : bought on the horizon's first session.
    history : the horizon; no prices are read.
    names : the indices of the paths.
    rule, costs, flows, cash, benchmark : as for `backtest`.

    Raises
    ------
    StudyError : a fund follows an index that is not among the paths'; or as `backtest`.
    """
    for fund in portfolio.funds:
        missing = [name for name in fund.exposures if name not in names]
        if missing or not fund.exposures:
            unknown = ", ".join(missing) or "an index that is not known"
            raise StudyError(f"{fund.symbol} follows {unknown}, and the paths are of {', '.join(names)}")
    costs, flows, cash = costs or TradingCosts(), flows or CashFlows(), cash or CashTerms()
    still = path_returns(portfolio.funds, history, names, np.zeros((len(history.dates) - 1, len(names))))
    targets = Targets.constant([fund.symbol for fund in portfolio.funds], portfolio.weights)
    plan = compile_plan(still, targets, rule, costs, flows, cash, benchmark or {})
    taken = np.zeros((len(history.dates), len(portfolio.funds)))
    for i, fund in enumerate(portfolio.funds):
        taken[:, i] = deductions(fund, history).total
    short = (
        not rule.bands
        and rule.tranches == 1
        and rule.minimum_interval == 0
        and not flows.flows
        and not (costs.per_trade or costs.minimum_trade or costs.impact)
    )
    return PathRunner(portfolio, history, tuple(names), plan, taken, _walk(plan, taken) if short else None)


def _walk(plan: Plan, taken: FloatArray) -> Walk:
    n, m = taken.shape
    room = _fours(m) * WIDTH

    filled = np.pad(taken, ((0, 0), (0, room - m)))
    fours = np.ascontiguousarray(filled.reshape(n, -1, WIDTH).transpose(1, 0, 2))
    goal = np.pad(plan.goals.rows[0], (0, room - m))
    stops = np.union1d([0], np.flatnonzero(plan.rules.trade[0])).astype(np.int64)
    return Walk(goal, fours, plan.costs.rates, plan.market.lend, plan.market.borrow, stops)


def _fours(m: int) -> int:
    return max(1, -(-m // WIDTH))
