"""The same case in `bt`, quarterly at no cost; as a script, a whole cold run on made-up prices."""

from __future__ import annotations

from typing import Any

WEIGHTS = {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}


def strategy() -> Any:
    """Return the strategy."""
    import bt

    rules = [bt.algos.RunQuarterly(run_on_end_of_period=True), bt.algos.SelectAll(), bt.algos.WeighSpecified(**WEIGHTS)]
    return bt.Strategy("case", [*rules, bt.algos.Rebalance()])


def main() -> None:
    """Run it on 13 years of prices made here: reading files is not held against the peer."""
    import bt
    import numpy as np
    import pandas as pd

    days = pd.bdate_range("2008-12-15", "2021-12-15")
    steps = np.random.default_rng(1).normal(0.0003, 0.01, (len(days), len(WEIGHTS)))
    frame = pd.DataFrame(100.0 * np.exp(steps.cumsum(axis=0)), index=days, columns=list(WEIGHTS))
    bt.run(bt.Backtest(strategy(), frame, progress_bar=False)).stats.to_dict()


if __name__ == "__main__":
    main()
