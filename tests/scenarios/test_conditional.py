"""What rules come to on paths that end as stated: single backtests added up by plain arithmetic, and known worlds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import second_scenarios as second
from tests.scenarios.worlds import NAMES, ND, R2, SP, founding, held, law_with, spy, weekdays

from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.bands import Band
from alphaoverlay.engine.costs import CashTerms, TradingCosts
from alphaoverlay.engine.path_running import path_returns, prepare_paths
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import Calendar, CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.funds.fund import Fund
from alphaoverlay.history import FloatArray, History
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.scenarios.bridges import bridge_batches, real_day_batches
from alphaoverlay.scenarios.closed_form import closed_form_excess
from alphaoverlay.scenarios.conditional import Pair, RuleOutcome, excess_on, run_rules
from alphaoverlay.scenarios.ends import most_likely_ends, sample_ends
from alphaoverlay.scenarios.law import Law
from alphaoverlay.scenarios.paths import own_days
from alphaoverlay.scenarios.statement import Statement
from alphaoverlay.scenarios.tally import Estimate

CALENDARS: tuple[Calendar, ...] = ("never", "quarterly", "monthly", "daily")
RULES = {str(name): RebalancingRule(CalendarRule(name)) for name in CALENDARS}
RULES["bands"] = RebalancingRule(CalendarRule("never"), (Band("weight", 0.01, 0.01),), lag=1)
MOVE = Statement.of(move=(R2, ND, 0.15))
COSTS = TradingCosts(half_spread_bps=7.0)
BORROWED = CashTerms(lending_spread=0.002, borrowing_spread=0.01)
HELD = {
    "founding": founding(),
    "with cash": held(SPY=0.5, TNA=0.2, SQQQ=0.05),
    "borrowed": held(SPY=1.2, UPRO=0.1, SQQQ=0.1),
}
# "borrowed" owes 0.4 and "with cash" lends 0.25.


def pair_of(
    portfolio: Portfolio,
    history: History,
    rule: RebalancingRule,
    costs: TradingCosts = COSTS,
    cash: CashTerms = BORROWED,
    benchmark: Portfolio | None = None,
) -> Pair:
    """A portfolio and SPY, ready to run."""
    base = benchmark or spy()
    own, other = (prepare_paths(one, history, NAMES, rule, costs, cash=cash) for one in (portfolio, base))
    return Pair(own, other)


def alone(portfolio: Portfolio, history: History, rule: RebalancingRule, logs: FloatArray) -> Backtest:
    """One path through the loop of M6, by itself."""
    return backtest(
        path_returns(portfolio.funds, history, NAMES, np.expm1(logs)),
        Targets.constant([fund.symbol for fund in portfolio.funds], portfolio.weights),
        rule,
        COSTS,
        cash=BORROWED,
    )


def drawn(law: Law, statement: Statement, sessions: int, paths: int, seed: int) -> FloatArray:
    """Bridges to sampled ends, all of them."""
    ends = sample_ends(law, statement, sessions, paths, seed)
    return np.concatenate([batch for _, batch in bridge_batches(law, ends, seed)])


@given(
    seed=st.integers(0, 10_000),
    rule=st.sampled_from(list(RULES)),
    name=st.sampled_from(list(HELD)),
    sessions=st.integers(1, 140),
    size=st.floats(0.001, 0.06),
)
def test_the_excess_on_a_path_is_the_difference_of_two_backtests(
    seed: int, rule: str, name: str, sessions: int, size: float
) -> None:
    history = weekdays(sessions, 0.03)
    logs = np.random.default_rng(seed).standard_normal((sessions, 3)) * size
    pair = pair_of(HELD[name], history, RULES[rule])
    own, base = (alone(one, history, RULES[rule], logs) for one in (HELD[name], spy()))
    assert excess_on(pair, logs) == own.final_value - base.final_value


def test_outcomes_are_those_of_the_paths_one_by_one() -> None:
    """Quantiles, errors and shares by the second implementation from backtests that know nothing of each other."""
    sessions, law = 70, law_with()
    history = weekdays(sessions, 0.03)
    paths = drawn(law, Statement.of(move=(R2, ND, 0.0)), sessions, 41, 3)
    portfolio = HELD["with cash"]
    pairs = {name: pair_of(portfolio, history, rule) for name, rule in RULES.items()}
    found = run_rules(pairs, [paths], own="daily")
    assert list(found) == list(RULES)
    runs = {name: [alone(portfolio, history, rule, path) for path in paths] for name, rule in RULES.items()}
    made: dict[str, list[float]] = {}
    for name, rule in RULES.items():
        base = [alone(spy(), history, rule, path).final_value for path in paths]
        made[name] = [one.final_value - other for one, other in zip(runs[name], base, strict=True)]
    for name in RULES:
        own, excess, seen = runs[name], made[name], found[name]
        for p in (0.05, 0.50, 0.95):
            assert seen.excess[p].value == pytest.approx(second.quantile(excess, p), abs=1e-14)
            assert seen.excess[p].error == pytest.approx(second.standard_error_of_quantile(excess, p), abs=1e-14)
        assert seen.mean.value == pytest.approx(math.fsum(excess) / 41, abs=1e-14)
        assert seen.mean.error == pytest.approx(second.standard_error_of_mean(excess), abs=1e-14)
        hits = sum(x < 0.0 for x in excess)
        assert 0 < hits < 41
        assert seen.below.value == hits / 41
        assert seen.below.error == pytest.approx(second.standard_error_of_probability(hits, 41), abs=1e-15)
        assert seen.below.bound is None
        falls = [second.path_figures(one.value.tolist(), 100)["max_drawdown"] for one in own]
        assert seen.worst_drawdown == pytest.approx(min(falls), abs=1e-14)
        assert seen.median_drawdown.value == pytest.approx(sorted(falls)[20], abs=1e-14)
        assert seen.median_drawdown.error == pytest.approx(second.standard_error_of_quantile(falls, 0.5), abs=1e-14)
        apart = [x - y for x, y in zip(excess, made["daily"], strict=True)]
        assert seen.over_own is not None
        assert seen.over_own.value == pytest.approx(math.fsum(apart) / 41, abs=1e-14)
        assert seen.over_own.error == pytest.approx(second.standard_error_of_mean(apart), abs=1e-14)
        ends = [dict(zip(("SPY", "TNA", "SQQQ"), one.weights.iloc[-1], strict=True)) for one in own]
        times = {SP: ("SPY", 1.0), R2: ("TNA", 3.0), ND: ("SQQQ", -3.0)}
        for index, (symbol, leverage) in times.items():
            each = [leverage * one[symbol] for one in ends]
            assert seen.exposures[index].value == pytest.approx(math.fsum(each) / 41, abs=1e-13)
            assert seen.exposures[index].error == pytest.approx(second.standard_error_of_mean(each), abs=1e-13)
        assert seen.paths == 41
    assert found["never"] != found["daily"]
    assert (found["daily"].over_own, run_rules(pairs, [paths])["daily"].over_own) == (Estimate(0.0, 0.0), None)


def test_batches_and_other_rules_change_nothing() -> None:
    history, law = weekdays(30, 0.03), law_with()
    paths = drawn(law, MOVE, 30, 50, 4)
    pairs = {name: pair_of(founding(), history, rule) for name, rule in RULES.items()}
    whole = run_rules(pairs, [paths])
    parts = run_rules(pairs, iter([paths[:1], paths[1:17], paths[17:17], paths[17:]]))
    assert parts == whole
    assert run_rules({"monthly": pairs["monthly"]}, [paths]) == {"monthly": whole["monthly"]}


def test_no_paths_are_no_outcome() -> None:
    pair = pair_of(founding(), weekdays(5), RULES["never"])
    assert run_rules({"never": pair}, []) == {}


def test_one_path_has_no_error_of_its_mean() -> None:
    found = run_rules({"never": pair_of(founding(), weekdays(5), RULES["never"])}, [np.full((1, 5, 3), 0.01)])["never"]
    assert found.mean.error is None
    assert found.mean.value == found.excess[0.05].value == found.excess[0.95].value
    assert found.paths == 1


def test_fewer_independent_paths_are_less_certain() -> None:
    """Errors are those of the effective number: twice at a quarter of it, and never less than those of all paths."""
    history = weekdays(40, 0.03)
    paths = drawn(law_with(), Statement.of({SP: -0.05}), 40, 400, 5)
    pair = {"never": pair_of(HELD["with cash"], history, RULES["never"])}
    full, fewer, more = (run_rules(pair, [paths], effective)["never"] for effective in (None, 100.0, 1600.0))
    assert more == full
    assert full.mean.error is not None
    assert full.below.error is not None
    assert fewer.mean.error == pytest.approx(2.0 * full.mean.error, rel=1e-12)
    assert fewer.below.error == pytest.approx(2.0 * full.below.error, rel=1e-12)
    for p in (0.05, 0.50, 0.95):
        assert fewer.excess[p].value == full.excess[p].value
    # Half the distance of the quantiles one binomial error of 100 to either side.
    own = [excess_on(pair["never"], path) for path in paths]
    q = math.sqrt(0.05 * 0.95 / 100)
    low, high = (second.quantile(own, 0.05 + side * q) for side in (-1.0, 1.0))
    assert fewer.excess[0.05].error == pytest.approx((high - low) / 2.0, abs=1e-14)


@pytest.mark.parametrize("effective", [None, 37.5])
def test_a_portfolio_that_is_its_benchmark_is_never_below_it(effective: float | None) -> None:
    history = weekdays(60, 0.03)
    paths = drawn(law_with(), MOVE, 60, 64, 6)
    pairs = {name: pair_of(founding(), history, rule, benchmark=founding()) for name, rule in RULES.items()}
    for found in run_rules(pairs, [paths], effective).values():
        assert [found.mean.value, *(one.value for one in found.excess.values())] == [0.0] * 4
        assert (found.below.value, found.below.error) == (0.0, None)
        # Of n independent paths none: with 95% confidence it happens on fewer than 1 - 0.05^(1/n) of all.
        assert found.below.bound == pytest.approx(1.0 - 0.05 ** (1.0 / (effective or 64)), rel=1e-12)


def test_a_portfolio_that_is_always_below_has_a_bound_from_the_other_side() -> None:
    history = weekdays(20, 0.03)
    paths = drawn(law_with(), MOVE, 20, 64, 6)
    dear = Fund("DEAR", "SPY at 20% a year", {SP: 1.0}, expense=0.2)
    pair = {"never": pair_of(Portfolio((dear,), (1.0,)), history, RULES["never"])}
    found = run_rules(pair, [paths], 20.0)["never"].below
    assert (found.value, found.error) == (1.0, None)
    assert found.bound == pytest.approx(0.05 ** (1.0 / 20.0), rel=1e-12)


def test_without_volatility_every_path_is_the_smooth_trend_under_every_rule() -> None:
    sessions, law = 90, law_with(multiple=0.0)
    history = weekdays(sessions, 0.03)
    z = most_likely_ends(law, MOVE)
    smooth = np.tile(z / sessions, (sessions, 1))
    pairs = {name: pair_of(founding(), history, rule) for name, rule in RULES.items()}
    ends = sample_ends(law, MOVE, sessions, 20, 1)
    kinds = {
        "law": [batch for _, batch in bridge_batches(law, ends, 1)],
        "real days": [one.log_returns for _, one in real_day_batches(law, ends.z, sessions, 1)],
    }
    for batches in kinds.values():
        found = run_rules(pairs, batches, ends.effective)
        for name, pair in pairs.items():
            expected = excess_on(pair, smooth)
            values = [found[name].mean.value, *(one.value for one in found[name].excess.values())]
            assert values == pytest.approx([expected] * 4, abs=1e-12)
    # The rules do differ on a trend, so each must have been run.
    assert len({round(excess_on(pair, smooth), 6) for name, pair in pairs.items() if name != "bands"}) == 4


def test_the_smooth_trend_is_the_closed_form_without_volatility_in_the_limit() -> None:
    """A trend over n sessions has a variance of its own of z^2/n, which is all that they differ by."""
    law = law_with(multiple=0.0)
    z = most_likely_ends(law, Statement.of(move=(R2, ND, 0.25)))
    followed = {SP: 1.0, R2: 3.0, ND: -3.0}
    funds = tuple(Fund(f"{name}-FREE", "free", {name: times}, expense=0.0) for name, times in followed.items())
    free = Portfolio(funds, (0.8, 0.1, 0.1))
    base = Portfolio((Fund("BASE", "free", {SP: 1.0}, expense=0.0),), (1.0,))
    errors = []
    for n in (100, 400, 1600, 6400):
        history = weekdays(n, 0.0, "2000-01-03")
        pair = pair_of(free, history, RULES["never"], TradingCosts(), CashTerms(), base)
        errors.append(excess_on(pair, np.tile(z / n, (n, 1))) - closed_form_excess(free, base, z, law, history))
    assert abs(errors[0]) > 1e-5
    for rough, fine in pairwise(errors):
        assert fine == pytest.approx(rough / 4.0, rel=0.02)
    assert abs(errors[-1]) < 1e-5


@pytest.mark.parametrize(
    "statement",
    [
        Statement.of({SP: -0.2, R2: 0.1, ND: 0.4}),
        Statement.of({SP: 0.3}),
        Statement.of({ND: -0.1}, (R2, ND, 0.25)),
        Statement.of({SP: 0.05}, (R2, ND, -0.2)),
    ],
    ids=str,
)
def test_what_is_stated_holds_on_every_path(statement: Statement) -> None:
    """By what a 1x fund that costs nothing becomes in the engine, on both kinds of paths."""
    sessions, law = 25, law_with()
    history = weekdays(sessions, 0.05)
    ends = sample_ends(law, statement, sessions, 60, 8)
    real = [one.log_returns for _, one in real_day_batches(law, ends.z, sessions, 8)]
    for batch in (*(batch for _, batch in bridge_batches(law, ends, 8)), *real):
        paths = own_days(np.expm1(batch))
        grown = {}
        for name in NAMES:
            fund = Portfolio((Fund("ONE", "free", {name: 1.0}, expense=0.0),), (1.0,))
            runner = prepare_paths(fund, history, NAMES, RULES["monthly"])
            grown[name] = runner.run(runner.moves(paths.table), paths.rows, np.empty(0, dtype=np.int64)).growth
        for name, stated in statement.ends.items():
            assert np.abs(grown[name] - (1.0 + stated)).max() < 1e-12
        if statement.move is not None:
            a, b, size = statement.move
            assert np.abs(grown[a] - grown[b] - size).max() < 1e-12
        if len(statement.ends) < 3:
            free = next(name for name in NAMES if name not in statement.ends)
            assert grown[free].std() > 0.01


def figures(found: RuleOutcome) -> dict[str, tuple[float, float]]:
    """Value and standard error of each."""
    named = {"mean": found.mean, **{f"{p:g}": one for p, one in found.excess.items()}, "below": found.below}
    read = {name: (one.value, one.error) for name, one in named.items()}
    return {name: (value, error) for name, (value, error) in read.items() if value is not None and error is not None}


def spread_over_seeds(seeds: Sequence[int], law: Law) -> Mapping[str, tuple[float, float]]:
    """By figure: its deviation over seeds, and the root mean square of the errors that were stated."""
    sessions = 40
    pair = {"never": pair_of(HELD["with cash"], weekdays(sessions, 0.03), RULES["never"])}
    every: dict[str, list[tuple[float, float]]] = {}
    for seed in seeds:
        ends = sample_ends(law, Statement.of(move=(R2, ND, 0.0)), sessions, 400, seed)
        batches = (batch for _, batch in bridge_batches(law, ends, seed))
        for name, one in figures(run_rules(pair, batches, ends.effective)["never"]).items():
            every.setdefault(name, []).append(one)
    made = {name: np.array(ones) for name, ones in every.items()}
    return {
        name: (float(ones[:, 0].std(ddof=1)), float(np.sqrt((ones[:, 1] ** 2).mean()))) for name, ones in made.items()
    }


def test_standard_errors_are_those_of_other_seeds() -> None:
    """Over 120 seeds a deviation is known to 6.5%, and what is stated of a 5% quantile to about as much: a ratio
    beyond 1.5 either way is more than four such errors for each of five figures, less than once in a thousand seeds.
    """
    found = spread_over_seeds(range(120), law_with())
    assert list(found) == ["mean", "0.05", "0.5", "0.95", "below"]
    for name, (seen, stated) in found.items():
        assert seen / 1.5 < stated < 1.5 * seen, name
