"""One portfolio over many windows of the same fund returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from alphaoverlay.engine._jit import compiled_kernels
from alphaoverlay.engine.backtesting import compile_plan
from alphaoverlay.engine.costs import CashTerms, TradingCosts
from alphaoverlay.engine.flows import CashFlows
from alphaoverlay.engine.plan import Plan
from alphaoverlay.engine.rebalancing import RebalancingRule, as_rule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import SpanError
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.history import FloatArray
from alphaoverlay.overlays.portfolio import Portfolio


def run_windows(
    fund_returns: FundReturns,
    portfolio: Portfolio,
    starts: Sequence[int] | NDArray[np.int64],
    sessions: int,
    rule: RebalancingRule | CalendarRule | None = None,
    costs: TradingCosts | None = None,
    *,
    cash: CashTerms | None = None,
    benchmark: Mapping[str, float] | None = None,
) -> FloatArray:
    """Run a portfolio from each of many sessions on, for the same number of sessions (methods M6 and M9, history).

    Each window is the backtest of its own part of the returns, bit for bit: bought at the close of its first session,
    and nothing that was decided before then is traded in it. There are no cash flows.

    Parameters
    ----------
    fund_returns : N sessions, the portfolio's funds among them; every return after the first session must be known.
    portfolio : bought at target weights in every window.
    starts : places of the windows' first sessions in the fund returns, from 0; any number of them, in any order.
    sessions : n, 1 or more; a window ends n sessions after its first.
    rule, costs, cash, benchmark : as for `backtest`.

    Returns
    -------
    Growth of 1 put in before the purchase, shape (windows,); 0 where nothing was left.

    Raises
    ------
    SpanError : a window of no session, or one that begins before the returns do or ends after them.
    DataError, StudyError : as for `backtest`.
    """
    rule, costs, cash = as_rule(rule), costs or TradingCosts(), cash or CashTerms()
    _refuse_outside(starts, sessions, len(fund_returns.history.dates))
    symbols = [fund.symbol for fund in portfolio.funds]
    plan = compile_plan(
        fund_returns.only(symbols),
        Targets.constant(symbols, portfolio.weights),
        rule,
        costs,
        CashFlows(),
        cash,
        benchmark or {},
    )
    run_path = compiled_kernels()["run_path"]
    n, m = sessions + 1, len(symbols)
    value, held, trades, facts = np.empty(n), np.empty((n, m)), np.empty((n, m)), np.empty((n, 5))
    grown = np.empty(len(starts))
    for k, start in enumerate(starts):
        run_path(_window(plan, int(start), n), value, held, trades, facts)
        grown[k] = value[-1]
    return grown


def _refuse_outside(starts: Sequence[int] | NDArray[np.int64], sessions: int, known: int) -> None:
    if sessions < 1:
        raise SpanError(f"windows of {sessions} sessions: write 1 or more")
    for start in starts:
        if start < 0 or start + sessions >= known:
            raise SpanError(
                f"a window of {sessions} sessions from session {start} on is not inside the {known} sessions of the "
                f"returns; begin it at 0 to {known - 1 - sessions}, or take shorter windows"
            )


def _window(plan: Plan, start: int, n: int) -> Plan:
    """The plan of n sessions: what a plan compiled on them alone would be, but for what session 0 never reads."""
    cut = slice(start, start + n)
    market, goals, rules, costs, flows = plan
    # An order that was decided before the purchase is not this portfolio's.
    trade = np.ascontiguousarray(rules.trade[:, cut])
    if rules.lag > 0 and start > 0:
        trade = trade.copy()
        trade[:, : rules.lag] = False
    return Plan(
        market._replace(returns=market.returns[cut], lend=market.lend[cut], borrow=market.borrow[cut]),
        goals._replace(row=goals.row[cut], turn=goals.turn[cut]),
        rules._replace(trade=trade, watch=rules.watch[cut]),
        costs._replace(rates=costs.rates[cut], impact=costs.impact[cut]),
        flows._replace(amount=flows.amount[cut], share=flows.share[cut]),
    )
