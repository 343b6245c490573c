"""What a study's overlay paid in every window of the past that was like a scenario (method M9, history)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.engine.window_running import run_windows
from alphaoverlay.errors import DataError, SpanError
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.history import FloatArray, counted, iso
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.scenarios.past_windows import Bools, Ints, PastWindows, past_windows
from alphaoverlay.scenarios.statement import Statement
from alphaoverlay.study.ahead import Ahead


@dataclass(frozen=True)
class Past:
    """The past of a study that is looked ahead of: on which returns, and at which costs, its portfolio is run there.

    Attributes
    ----------
    ahead : the study as of a day.
    returns : of the portfolio's and the benchmark's funds, on the sessions up to that day on which all are known.
    costs : half-spreads alone.
    notes : what of the study is left out.
    """

    ahead: Ahead
    returns: FundReturns
    costs: TradingCosts
    notes: tuple[str, ...]

    def rule_for(self, portfolio: Portfolio, rule: RebalancingRule | None = None) -> RebalancingRule:
        """Return the study's rule, or another, without bands that mean nothing for the portfolio."""
        wanted = rule or self.ahead.rule
        if portfolio is self.ahead.portfolio:
            return wanted
        weights = np.asarray([portfolio.weights], dtype=np.float64)
        return wanted.for_another(portfolio.funds, weights, self.ahead.benchmark.exposures)

    def run(
        self, portfolio: Portfolio, first: pd.Timestamp, last: pd.Timestamp, rule: RebalancingRule | None = None
    ) -> Backtest:
        """Run a portfolio from the close of one session to that of another; errors as `backtest`."""
        symbols = [fund.symbol for fund in portfolio.funds]
        return backtest(
            self.returns.between(first, last).only(symbols),
            Targets.constant(symbols, portfolio.weights),
            self.rule_for(portfolio, rule),
            self.costs,
            cash=self.ahead.study.cash.terms(),
            benchmark=self.ahead.benchmark.exposures,
            compiled=True,
        )

    def run_all(self, portfolio: Portfolio, starts: Ints, sessions: int) -> FloatArray:
        """Return the growth of 1 in a portfolio over many windows, shape (windows,); errors as `run_windows`."""
        return run_windows(
            self.returns,
            portfolio,
            starts,
            sessions,
            self.rule_for(portfolio),
            self.costs,
            cash=self.ahead.study.cash.terms(),
            benchmark=self.ahead.benchmark.exposures,
        )

    def made(self) -> Bools:
        """Whether any fund's return is synthetic, shape (n,)."""
        return np.asarray(self.returns.synthetic.to_numpy(dtype=bool).any(axis=1))


def past_of(ahead: Ahead) -> Past:
    """Take what a study's past is run on.

    Raises
    ------
    SpanError : nothing is held, or no two sessions on which all the funds are known; names the fund.
    """
    symbols = list(dict.fromkeys(f.symbol for one in (ahead.portfolio, ahead.benchmark) for f in one.funds))
    if not symbols:
        raise SpanError("portfolio and benchmark hold no fund")
    known = ahead.every.only(symbols).span()
    first = known.history.dates[0]
    if first >= ahead.asof:
        raise SpanError(f"the funds are known from {iso(first)} on, and the day looked back from is {iso(ahead.asof)}")
    costs = replace(
        ahead.costs, per_trade=0.0, per_share=0.0, minimum_trade=0.0, impact=0.0, capital=None, liquidity=None
    )
    return Past(ahead, known.between(first, ahead.asof), costs, _left_out(ahead))


def _left_out(ahead: Ahead) -> tuple[str, ...]:
    """Say what of the study's costs and flows the past is run without."""
    costs = ahead.costs
    parts = {
        "costs a share": costs.per_share,
        "fees a trade": costs.per_trade,
        "the minimum trade": costs.minimum_trade,
        "market impact": costs.impact,
        "cash flows": len(ahead.study.flows),
    }
    named = [name for name, given in parts.items() if given]
    if not named:
        return ()
    told = " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))
    return (f"Windows and crises of the past are run with half-spreads alone: the study's {told} are left out.",)


@dataclass(frozen=True)
class HistoryWindow:
    """One window of the past: bought at the first close, held to the last under the study's rule.

    Attributes
    ----------
    start, end : the sessions at whose closes it begins and ends.
    move : as stated, of index returns; None where no move was stated.
    ends : simple total returns of the statement's indices.
    portfolio, benchmark : simple returns.
    synthetic : whether the return of any fund is, on any of its sessions.
    overlapping : whether it begins before the end of the last one that was counted as not overlapping.
    """

    start: pd.Timestamp
    end: pd.Timestamp
    move: float | None
    ends: Mapping[str, float]
    portfolio: float
    benchmark: float
    synthetic: bool
    overlapping: bool

    @property
    def excess(self) -> float:
        """The portfolio's return minus the benchmark's."""
        return self.portfolio - self.benchmark


@dataclass(frozen=True)
class HistoryWindows:
    """Every window of n sessions that was like a statement.

    Attributes
    ----------
    statement : what was stated.
    sessions : n.
    looked_at : first and last session of the span that was searched; None where there is none.
    windows : in the order of their starts.
    reason : why there are none; empty where there are some.
    notes : sentences that every output must carry.
    """

    statement: Statement
    sessions: int
    looked_at: tuple[pd.Timestamp, pd.Timestamp] | None
    windows: tuple[HistoryWindow, ...]
    reason: str
    notes: tuple[str, ...]

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self.windows)

    @property
    def non_overlapping(self) -> int:
        """How many begin at or after the end of the one counted before."""
        return sum(not one.overlapping for one in self.windows)

    @property
    def excess(self) -> FloatArray:
        """Of every window, shape (windows,)."""
        return np.array([one.excess for one in self.windows], dtype=np.float64)

    @property
    def median(self) -> float | None:
        """The median excess; None where there is no window."""
        return float(np.median(self.excess)) if self.windows else None

    @property
    def least(self) -> float | None:
        """The lowest excess; None where there is no window."""
        return float(self.excess.min()) if self.windows else None

    @property
    def most(self) -> float | None:
        """The highest excess; None where there is no window."""
        return float(self.excess.max()) if self.windows else None

    @property
    def below(self) -> float | None:
        """Share of the windows in which the portfolio ended below the benchmark; None where there is no window."""
        return float((self.excess < 0.0).mean()) if self.windows else None


def history_windows(ahead: Ahead, statement: Statement, sessions: int) -> HistoryWindows:
    """Run a study's portfolio and benchmark over every past window that was like a statement (method M9, history).

    Returns are real where there are some and synthetic before, of portfolio and benchmark under the study's rule, its
    half-spreads and its terms of cash. Nothing after the study's day is looked at.

    Parameters
    ----------
    ahead : the study as of the day.
    statement : its indices must be among those that the study was read with.
    sessions : n, 1 or more.

    Returns
    -------
    The windows; none, with the reason, where the data have none.

    Raises
    ------
    StudyError : the statement says nothing or contradicts itself, or the study's rule or costs make no sense.
    """
    statement.checked()
    looked_at: tuple[pd.Timestamp, pd.Timestamp] | None = None
    notes: tuple[str, ...] = ()
    try:
        past = past_of(ahead)
        dates = past.returns.history.dates
        looked_at, notes = (dates[0], dates[-1]), past.notes
        found = past_windows(_index_returns(ahead, statement, dates), statement, sessions)
        windows = _run(past, found) if found.number else ()
    except DataError as error:
        return HistoryWindows(statement, sessions, looked_at, (), str(error), notes)
    reason = "" if windows else _none(statement, sessions, dates)
    return HistoryWindows(statement, sessions, looked_at, windows, reason, (*notes, *_about(windows)))


def _index_returns(ahead: Ahead, statement: Statement, dates: pd.DatetimeIndex) -> pd.DataFrame:
    known = ahead.data.indices
    if missing := [name for name in statement.indices if name not in known]:
        raise SpanError(f"no series of {', '.join(missing)} in {ahead.source}")
    return pd.DataFrame({name: known[name].returns.reindex(dates) for name in statement.indices})


def _run(past: Past, found: PastWindows) -> tuple[HistoryWindow, ...]:
    places, sessions = found.places, found.sessions
    own, base = (past.run_all(one, places, sessions) - 1.0 for one in (past.ahead.portfolio, past.ahead.benchmark))
    up_to = np.cumsum(past.made())
    made = up_to[places + sessions] > up_to[places]
    ends = found.ends.to_dict("records")
    return tuple(
        HistoryWindow(
            start=found.first[k],
            end=found.last[k],
            move=None if found.move is None else float(found.move[k]),
            ends={str(name): float(end) for name, end in ends[k].items()},
            portfolio=float(own[k]),
            benchmark=float(base[k]),
            synthetic=bool(made[k]),
            overlapping=not found.counted[k],
        )
        for k in range(found.number)
    )


def _none(statement: Statement, sessions: int, dates: pd.DatetimeIndex) -> str:
    span = f"from {iso(dates[0])} to {iso(dates[-1])}"
    if len(dates) <= sessions:
        return f"all funds are known on {counted(len(dates), 'session')} only, {span}"
    what = [] if statement.move is None else [f"a move of {100.0 * statement.move[2]:+g} points"]
    what += [f"{name} at {100.0 * end:+.4g}%" for name, end in statement.pins.items()]
    return f"no window of {counted(sessions, 'session')} {span} had {' and '.join(what)} or near it"


def _about(windows: tuple[HistoryWindow, ...]) -> tuple[str, ...]:
    made = sum(one.synthetic for one in windows)
    if not made:
        return ()
    which = "all" if made == len(windows) else f"{made:,} of the"
    return (f"In {which} {counted(len(windows), 'past window')} like it some fund's returns are synthetic.",)
