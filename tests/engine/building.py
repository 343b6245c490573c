"""Small markets for tests of the engine and of what reads its results: everything stated, nothing read from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from alphaoverlay.engine.backtesting import Backtest
from alphaoverlay.engine.targets import Targets
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.history import FloatArray, History

# A made-up exchange that is open on every weekday; its year ends in a week that the next year does not share.
WEEKDAYS = pd.bdate_range("2021-01-01", "2021-12-31")


def history_of(
    dates: pd.DatetimeIndex, rate: float | Sequence[float] = 0.0, exchange: pd.DatetimeIndex = WEEKDAYS
) -> History:
    """A history without prices: sessions and a yearly rate (one, or one a session)."""
    rates = pd.Series(np.broadcast_to(np.asarray(rate, dtype=np.float64), len(dates)).copy(), index=dates)
    empty = pd.DataFrame(index=dates)
    return History(dates, empty, empty, rates, exchange[exchange >= dates[0]])


def fund_returns_of(
    returns: ArrayLike,
    history: History | None = None,
    exposures: Sequence[Mapping[str, float]] | None = None,
    symbols: Sequence[str] | None = None,
) -> FundReturns:
    """Returns of made-up funds, one row a session (the first row is never used), one column a fund."""
    values = np.asarray(returns, dtype=np.float64)
    n, m = values.shape
    history = history or history_of(WEEKDAYS[:n])
    symbols = symbols or [f"FUND{i}" for i in range(m)]
    exposures = exposures or [{"INDEX": 1.0}] * m
    funds = tuple(Fund(s, s, exposure, expense=0.0) for s, exposure in zip(symbols, exposures, strict=True))
    frame = pd.DataFrame(values, index=history.dates, columns=list(symbols))
    return FundReturns(history, funds, frame, frame.isna() & False)


def targets_for(returns: FundReturns, weights: Sequence[float]) -> Targets:
    """The same weights on every session."""
    return Targets.constant([fund.symbol for fund in returns.funds], weights)


def array(table: pd.Series | pd.DataFrame) -> FloatArray:
    """The numbers of a table."""
    return table.to_numpy(dtype=np.float64)


def same(one: Backtest, other: Backtest, sessions: int | None = None) -> bool:
    """Whether two backtests say the same, bit for bit, over the first sessions."""
    return all(
        np.array_equal(array(getattr(one, name))[:sessions], array(getattr(other, name))[:sessions])
        for name in ("value", "weights", "turnover", "cost")
    )


# --- hypothesis ---


def weights_of(funds: int) -> st.SearchStrategy[list[float]]:
    """Weights with some at zero; what the last of the drawn parts takes is cash."""
    parts = st.lists(st.integers(0, 10), min_size=funds + 1, max_size=funds + 1).filter(lambda drawn: sum(drawn) > 0)
    return parts.map(lambda drawn: [part / sum(drawn) for part in drawn[:-1]])


@st.composite
def markets(draw: st.DrawFn, max_funds: int = 4, max_sessions: int = 60) -> FundReturns:
    """Funds that move up to a fifth a day, and a rate that changes."""
    n, m = draw(st.integers(2, max_sessions)), draw(st.integers(1, max_funds))
    first = draw(st.integers(0, 150))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    moves = random.uniform(-0.2, 0.2, (n, m)) * draw(st.sampled_from([0.01, 0.1, 1.0]))
    rates = random.uniform(0.0, 0.1, n)
    return fund_returns_of(moves, history_of(WEEKDAYS[first : first + n], rates.tolist()))
