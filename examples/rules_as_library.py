"""A short gallery of rules: savings within bands, 200 portfolios at once, and where a return came from."""

import numpy as np
import pandas as pd

import alphaoverlay as ao

TRADE = {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}
COSTS = ao.TradingCosts(half_spread_bps=2.0)
# No calendar: trade to the edge when an exposure is 10 points off, a week apart at least.
EDGE = ao.RebalancingRule(
    ao.CalendarRule("never"), bands=(ao.Band.of("exposure", 0.10, destination=0.0),), minimum_interval=5
)


def main() -> None:
    """Run the trade, save into it, sweep over its size, and split its return."""
    study = ao.study_from({"weights": TRADE, "benchmark": "SPY", "start": "2005-01-03"}, "example")
    result = ao.run_study(study, ao.open_source("sample"))
    returns = result.portfolio.fund_returns
    save_within_bands(returns)
    sweep_over_sizes(returns)
    say_where_it_came_from(result)


def save_within_bands(returns: ao.FundReturns) -> None:
    """Add 0.4% of the first investment every month, placed where the weights are below their targets."""
    monthly = ao.CashFlows((ao.CashFlow(amount=0.004, calendar=ao.CalendarRule("monthly")),), placing="underweight")
    targets = ao.Targets.constant(list(TRADE), list(TRADE.values()))
    saver = ao.backtest(returns, targets, EDGE, COSTS, flows=monthly, cash=ao.CashTerms(lending_spread=0.002))
    earned = ao.money_weighted_return(saver)
    assert earned is not None
    print(f"{len(saver.rebalances)} rebalances; 1 and {saver.flow.sum():.2f} saved became {saver.value.iloc[-1]:.2f}:")
    print(f"{earned:.2%} a year on the money; 1 put in at the start and left alone became {saver.final_value:.2f}")


def sweep_over_sizes(returns: ao.FundReturns) -> None:
    """Hold the three leveraged funds at 200 sizes from nothing to twice the trade's."""
    legs = np.linspace(0.0, 0.2, 200)
    weights = pd.DataFrame({"SPY": 1.0 - 3.0 * legs, "UPRO": legs, "TNA": legs, "SQQQ": legs})
    swept: ao.Sweep = ao.sweep(returns, weights, EDGE, COSTS)
    print("\nlegs  final value  deepest fall   cost  rebalances")
    for which in (0, 50, 100, 150, 199):
        row = swept.results.iloc[which]
        size, falls = swept.weights["TNA"].iloc[which], f"{row['max_drawdown']:13.1%}"
        print(f"{size:4.0%} {row['final_value']:12.2f} {falls} {row['cost']:7.2%} {row['rebalances']:10.0f}")


def say_where_it_came_from(result: ao.StudyResult) -> None:
    """Split the active return of the plain quarterly rule, and count how often it let exposures go."""
    split = result.attribution
    assert split is not None
    print(f"\nactive log return {split.log_active:+.3f}: ", end="")
    print(", ".join(f"{name} {part:+.3f}" for name, part in split.totals.items() if abs(part) >= 0.0005))
    net = result.exposures["net"]
    print(f"quarterly, the net exposure ran from {net.min():.2f} to {net.max():.2f}")
    for one in ao.breaches(result.portfolio, [ao.Band.of("exposure", 0.10)], {"SP500": 1.0}):
        print(f"{one.measure.name:<21} off by more than 10 points on {one.share:.0%} of the closes")


if __name__ == "__main__":
    main()
