"""Scenarios from the library: what a move pays on paths that end so, and paths of one's own making."""

from __future__ import annotations

import numpy as np

import alphaoverlay as ao

STUDY = {"weights": {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}, "benchmark": "SPY"}


def main() -> None:
    """Print what 25 points pay, how often the portfolio trails, and what a year of one bad day does."""
    study, source = ao.study_from(STUDY, "example"), ao.open_source("sample")

    move = ao.Statement.of({}, ("RUSSELL2000", "NASDAQ100", 0.25))
    found = ao.run_scenario(study, source, statement=move, sessions=100, paths=300, rules=("never", "daily"))
    assert found.answer is not None
    print(f"first order {found.answer.first_order:+.1%}")
    for name, outcome in found.answer.by_rule.items():
        low, middle, high = (outcome.excess[p].value or 0.0 for p in (0.05, 0.50, 0.95))
        print(f"{name}: median {middle:+.1%}, nine paths of ten {low:+.1%} to {high:+.1%}")

    paths = ao.simulate_study(study, source, paths=500, sessions=252, seed=7, generator="t")
    trailing = paths.simulation.against["portfolio"].trailing
    print(f"trails on {trailing.value:.0%} of the paths, give or take {2.0 * (trailing.error or 0.0):.0%}")

    year = found.ahead.sessions(252)
    runner = found.ahead.runner(found.ahead.portfolio, year, found.law.names)
    one_bad_day = np.zeros((252, len(found.law.names)))
    one_bad_day[20] = -0.10
    table, rows = one_bad_day, np.arange(252, dtype=np.int32)[None]
    ended = runner.run(runner.moves(table), rows, np.array([0, 21, 252]))
    print(
        f"all indices -10% in one session: {ended.marked[1, 0] - 1.0:+.1%}, over the year {ended.growth[0] - 1.0:+.1%}"
    )


if __name__ == "__main__":
    main()
