"""Numba is an accelerator: an interpreted backtest neither needs it nor loads it, nor the other heavy libraries."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys

if {blocked}:
    sys.modules["numba"] = None  # importing it raises ImportError
from alphaoverlay.engine.backtesting import backtest
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.history import History
import pandas as pd

dates = pd.bdate_range("2021-03-30", "2021-04-01")
empty = pd.DataFrame(index=dates)
history = History(dates, empty, empty, pd.Series(0.0, index=dates), pd.bdate_range("2021-03-30", "2021-12-31"))
moves = pd.DataFrame({{"A": [0.0, 0.1, 0.2], "B": [0.0, 0.0, 0.0]}}, index=dates)
funds = (Fund("A", "A", {{}}, 0.0), Fund("B", "B", {{}}, 0.0))
returns = FundReturns(history, funds, moves, moves > 9)
done = backtest(returns, Targets.constant(("A", "B"), (0.5, 0.5)), CalendarRule("quarterly"), TradingCosts(0.0))
# 1.05 at the quarter's end, half of it in each fund again, then 20% on one half.
assert abs(done.final_value - 1.05 * 1.1) < 1e-12, done.final_value
loaded = [name for name in ("numba", "arch", "scipy.stats") if sys.modules.get(name)]
assert not loaded, loaded
"""


@pytest.mark.parametrize("blocked", [False, True], ids=["with numba installed", "without numba"])
def test_an_interpreted_backtest_does_not_load_numba(blocked: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(blocked=blocked)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
