"""Runs portfolios over a study's span, under its costs, flows and cash terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.study.designing import Choice
from alphaoverlay.study.load import Study
from alphaoverlay.study.sized_overlay import SizedOverlay


@dataclass(frozen=True)
class Runner:
    """What all runs of a study share.

    Attributes
    ----------
    study : what was asked.
    returns : of every fund needed, over the span.
    costs : of those funds.
    portfolio, benchmark : the study's own at full size, and what portfolios are compared with.
    sized : how large the overlay is when; None where no signal decides.
    """

    study: Study
    returns: FundReturns
    costs: TradingCosts
    portfolio: Portfolio
    benchmark: Portfolio
    sized: SizedOverlay | None = None

    def run_own(self, rule: RebalancingRule | None = None) -> Backtest:
        """Run the study's own portfolio under its rule, or another; the overlay as large as the signal decides."""
        if self.sized is None:
            return self.run(self.portfolio, rule)
        return self._backtest(self.sized.targets(self.returns.history.dates), rule)

    def run(self, portfolio: Portfolio, rule: RebalancingRule | None = None) -> Backtest:
        """Run a portfolio under the study's rule, or another."""
        symbols = [fund.symbol for fund in portfolio.funds]
        return self._backtest(Targets.constant(symbols, portfolio.weights), rule)

    def _backtest(self, targets: Targets, rule: RebalancingRule | None) -> Backtest:
        return backtest(
            self.returns.only(list(targets.symbols)),
            targets,
            self.study.rebalance.build() if rule is None else rule,
            self.costs,
            flows=self.study.cash_flows,
            cash=self.study.cash.terms(),
            benchmark=self.benchmark.exposures,
        )

    def run_benchmark(self, rule: RebalancingRule | None = None) -> Backtest:
        """Run the benchmark under the same rule, as far as its bands mean something for it."""
        return self.run(self.benchmark, self.adapted(self.benchmark, rule))

    def adapted(self, portfolio: Portfolio, rule: RebalancingRule | None = None) -> RebalancingRule:
        """Return the rule for a portfolio of other funds."""
        weights = np.asarray([portfolio.weights], dtype=np.float64)
        return (self.study.rebalance.build() if rule is None else rule).for_another(
            portfolio.funds, weights, self.benchmark.exposures
        )


def prepare(
    study: Study, choice: Choice, every: FundReturns, start: str | None, end: str | None, sized: SizedOverlay | None
) -> Runner:
    """Take the study's span of the funds' returns, and the costs from all that is known of them.

    The portfolio's and the benchmark's own funds set the span; others may be unknown in part of it.

    Parameters
    ----------
    every : returns on all of the history.
    start, end : as asked; errors as `FundReturns.span`.
    sized : see `Runner`.
    """
    named = {fund.symbol for fund in choice.funds}
    own = every.only([fund.symbol for fund in every.funds if fund.symbol in named]).span(start, end)
    costs = study.costs.build(every, study.capital, named)
    returns = every.between(own.history.dates[0], own.history.dates[-1])
    return Runner(study, returns, costs, choice.portfolio, choice.benchmark, sized)
