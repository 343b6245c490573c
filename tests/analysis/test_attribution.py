"""M5: the parts of an active return by hand, their sum for any portfolio, and against the second implementation."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests import second_opinion, second_tracking
from tests.engine.building import WEEKDAYS, array, fund_returns_of, history_of, targets_for, weights_of
from tests.engine.cases import some_bands, some_costs, some_flows
from tests.funds.made import index_with, levels
from tests.funds.test_calibration import quickly

from alphaoverlay.analysis.attribution import CAUSES, Attribution, Period, attribute
from alphaoverlay.engine.backtesting import Backtest, backtest
from alphaoverlay.engine.bands import Band
from alphaoverlay.engine.costs import CashTerms, TradingCosts
from alphaoverlay.engine.flows import CashFlow, CashFlows
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CALENDARS, CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import DataError, SpanError, StudyError
from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.funds.fund import ExpenseSeen, Fund, Index
from alphaoverlay.funds.fund_returns import FundReturns, build_fund_returns
from alphaoverlay.funds.ticker import index_holding, parse_ticker, ticker_fund
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.study.market_data import read_study_data

RULES = st.builds(CalendarRule, st.sampled_from(CALENDARS), st.integers(0, 3))
# What bands on active exposure compare with.
BASE = {"AAA": 1.0}

PLAIN = Fund("PLAIN", "plain", {"AAA": 1.0}, expense=0.0009, spread_basis="none")
LONG = Fund(
    "LONG",
    "three times",
    {"AAA": 3.0},
    expense=0.0095,
    expense_as_of=datetime.date(2024, 1, 2),
    expense_history=(
        ExpenseSeen(datetime.date(2020, 1, 2), 0.0115, "net"),
        ExpenseSeen(datetime.date(2021, 6, 1), 0.0105, "net"),
    ),
    spread=0.0052,
    swap_exposure=1.1,
)
DOWN = Fund("DOWN", "minus three times", {"BBB": -3.0}, expense=0.0095, spread=0.0015)
MIX = Fund("MIX", "stacked", {"AAA": 0.9, "BBB": 0.6}, expense=0.002, spread=0.003)
LISTED = {fund.symbol: fund for fund in (PLAIN, LONG, DOWN, MIX)}
INDICES = {name: Index(name, name) for name in ("AAA", "BBB")}
TICKERS = [
    "PLAIN?L=3&E=0.9&SP=0.4&SW=1.1",
    "PLAIN?L=-2&E=0.5&UE",
    "LONG?L=-2&SP=-0.3",
    "DOWN?L=0.5&E=0.2",
    "AAA?L=2&E=0.3",
    "MIX?L=2&PRESET=web",
    "PLAIN?L=1&E=1",
]


def holding(symbol: str) -> Fund:
    """What a ticker may stand on here."""
    return LISTED[symbol] if symbol in LISTED else index_holding(INDICES[symbol])


FUNDS = (*LISTED.values(), *(ticker_fund(parse_ticker(text), holding) for text in TICKERS))


@dataclass(frozen=True)
class Pair:
    """A portfolio and its benchmark over the same sessions, with the index returns to split them by."""

    portfolio: Backtest
    benchmark: Backtest
    index_returns: dict[str, pd.Series]

    @property
    def split(self) -> Attribution:
        return attribute(self.portfolio, self.benchmark, self.index_returns)


def lived(pair: Pair) -> int:
    """Sessions after the purchase, up to the one before the first ruin, or the first withdrawal of all there was."""
    return min(_lived(one) for one in (pair.portfolio, pair.benchmark))


def _lived(one: Backtest) -> int:
    alive = int((one.value > 0.0).sum())
    paid_out = alive < len(one.value) and one.flow.tolist()[alive] < 0.0
    return alive - 1 + paid_out


def simple_returns(one: Backtest, sessions: int) -> list[float]:
    """Time-weighted return of each session, the purchase from wealth 1.0 included."""
    values, flows = [1.0, *one.value.tolist()[: sessions + 1]], one.flow.tolist()
    return [(after - flow) / before - 1.0 for (before, after), flow in zip(pairwise(values), flows, strict=False)]


def both_returns(pair: Pair) -> list[list[float]]:
    return [simple_returns(one, lived(pair)) for one in (pair.portfolio, pair.benchmark)]


def rounding(pair: Pair) -> float:
    """How large what is rounded is: flows against the wealth they come to, and a wealth that nearly ends."""
    own, other = both_returns(pair)
    most = 1.0
    for one in (pair.portfolio, pair.benchmark):
        before = zip(one.value.tolist(), one.flow.tolist()[1 : lived(pair) + 1], strict=False)
        most = max([most, *(abs(flow) / value for value, flow in before)])
    return most / min(1.0, 1.0 + min(own), 1.0 + min(other))


def error(split: Attribution, pair: Pair) -> float:
    """By how much sum(parts) + variance misses ln(Gp/Gb), with all but the parts taken from the paths of wealth."""
    own, other = both_returns(pair)
    variance = math.fsum(math.log1p(p) - math.log1p(b) - (p - b) for p, b in zip(own, other, strict=True))
    total = log_gap(own, other)
    return abs(math.fsum(split.parts.to_numpy().ravel()) + variance - total) / max(1.0, abs(total))


def log_gap(own: list[float], other: list[float]) -> float:
    """ln of what one became over the other."""
    return math.log(math.prod(1.0 + p for p in own)) - math.log(math.prod(1.0 + b for b in other))


# --- the law ---


@st.composite
def pairs(draw: st.DrawFn, max_sessions: int = 40, losses: bool = True) -> Pair:
    """Any portfolio and benchmark of listed funds, real or synthetic or both in turn, and of tickers.

    Each has a rule, costs, cash flows and cash terms of its own; funds now and then lose everything.
    """
    n, first = draw(st.integers(2, max_sessions)), draw(st.integers(0, 200))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    scale = draw(st.sampled_from([0.001, 0.01, 0.08]))
    x = {name: random.uniform(-scale, scale, n - 1) for name in INDICES}
    history = history_of(WEEKDAYS[first : first + n], random.uniform(0.0, 0.1, n).tolist())
    prices = {}
    for fund in LISTED.values():
        moves = sum(times * x[name] for name, times in fund.exposures.items()) + random.normal(0.0, scale / 10.0, n - 1)
        begins = draw(st.sampled_from([0, 0, n // 2, n]))
        prices[fund.symbol] = np.where(np.arange(n) < begins, np.nan, levels(np.asarray(moves).tolist()))
    level = pd.DataFrame(prices, index=history.dates)
    history = replace(history, adj_close=level, close=level)
    indices = {name: index_with(name, x[name].tolist(), history) for name in INDICES}
    returns = build_fund_returns(FUNDS, history, indices)
    if losses and draw(st.integers(0, 2)) == 0:
        returns = with_a_loss(returns, draw(st.integers(1, n - 1)), draw(st.integers(0, len(FUNDS) - 1)))
    known = {name: one.returns for name, one in indices.items()}
    return Pair(drawn_backtest(draw, returns), drawn_backtest(draw, returns), known)


def with_a_loss(returns: FundReturns, session: int, fund: int) -> FundReturns:
    """The same with a fund that really lost everything on a session."""
    moves, made = returns.returns.copy(), returns.synthetic.copy()
    moves.iloc[session, fund], made.iloc[session, fund] = -1.0, False
    return replace(returns, returns=moves, synthetic=made)


def drawn_backtest(draw: st.DrawFn, returns: FundReturns) -> Backtest:
    """Some of the funds at weights that stay or change, with a rule, costs and flows, borrowed now and then."""
    symbols = draw(st.lists(st.sampled_from([f.symbol for f in FUNDS]), min_size=1, max_size=4, unique=True))
    returns = returns.only(symbols)
    tranches = draw(st.sampled_from([1, 1, 2, 3]))
    times = draw(st.sampled_from([1.0, 1.0, 1.4])) if tranches == 1 else 1.0
    n, drawn = len(returns.history.dates), draw(st.lists(weights_of(len(symbols)), min_size=1, max_size=3))
    rows = [[times * weight for weight in row] for row in drawn]
    if len(rows) == 1:
        targets = Targets.constant(symbols, rows[0])
    else:
        decided = np.random.default_rng(draw(st.integers(0, 2**32))).integers(0, len(rows), n)
        plan = pd.DataFrame([rows[k] for k in decided], returns.history.dates, symbols)
        targets = Targets.by_session(plan, draw(st.integers(0, 3)))
    calendar = draw(RULES)
    if tranches > 1 and calendar.calendar in ("never", "daily"):
        calendar = replace(calendar, calendar="weekly")
    rule = RebalancingRule(calendar, tranches=tranches)
    if draw(st.booleans()):
        bands, lag = draw(some_bands(returns, targets, BASE)), draw(st.integers(0, 2))
        rule = replace(rule, bands=bands, lag=lag, minimum_interval=draw(st.integers(0, 3)))
    costs = TradingCosts()
    if draw(st.integers(0, 2)) == 0:
        costs, _ = draw(some_costs(returns, ("fees", "impact")))
    costs = replace(costs, half_spread_bps=draw(st.sampled_from([0.0, 1.0, 25.0, 500.0])))
    flows = draw(some_flows(returns.history.dates)) if draw(st.booleans()) else CashFlows()
    cash = CashTerms(draw(st.sampled_from([0.0, 0.004])), draw(st.sampled_from([0.0, 0.015])))
    return backtest(returns, targets, rule, costs, flows=flows, cash=cash, benchmark=BASE)


def once_more(
    one: Backtest,
    *,
    returns: FundReturns | None = None,
    targets: Targets | None = None,
    costs: TradingCosts | None = None,
) -> Backtest:
    """The same backtest on something else."""
    return backtest(
        returns or one.fund_returns, targets or one.targets, one.rule, costs or one.costs,
        flows=one.flows, cash=one.cash_terms, benchmark=BASE,
    )  # fmt: skip


@settings(max_examples=100)
@given(pairs())
def test_the_parts_and_the_variance_are_the_log_active_return(pair: Pair) -> None:
    split = pair.split
    assert error(split, pair) <= 1e-12 * rounding(pair)
    total = log_gap(*both_returns(pair))
    close = 1e-12 * max(1.0, abs(total)) * rounding(pair)
    assert split.log_active == pytest.approx(total, abs=close)
    assert math.fsum(split.totals.values()) == pytest.approx(total, abs=close)
    assert list(split.totals) == [*split.indices, *CAUSES, "variance"]


@settings(max_examples=40)
@given(pairs())
def test_each_sessions_parts_are_its_simple_active_return(pair: Pair) -> None:
    split = pair.split
    own, other = (np.array(one) for one in both_returns(pair))
    assert split.parts.index.equals(pair.portfolio.value.index[: len(own)])
    close = 1e-14 * rounding(pair)
    np.testing.assert_allclose(split.portfolio_returns, own, rtol=0, atol=close)
    np.testing.assert_allclose(split.benchmark_returns, other, rtol=0, atol=close)
    np.testing.assert_allclose(split.parts.sum(axis=1), own - other, rtol=0, atol=close)


@settings(max_examples=40)
@given(pairs(), st.data())
def test_any_stretch_of_sessions_adds_up_by_itself(pair: Pair, data: st.DataObject) -> None:
    own, other = both_returns(pair)
    dates = pair.portfolio.value.index
    first = data.draw(st.integers(0, len(own) - 1))
    last = data.draw(st.integers(first, len(own) - 1))
    begin, end = dates[first], f"{dates[last]:%Y-%m-%d}"
    some = pair.split.between(None if first == 0 else begin, None if last == len(own) - 1 else end)
    own, other = own[first : last + 1], other[first : last + 1]
    assert list(some.parts.index) == list(dates[first : last + 1])
    total = log_gap(own, other)
    close = 1e-12 * max(1.0, abs(total)) * rounding(pair)
    assert some.log_active == pytest.approx(total, abs=close)
    assert math.fsum(some.totals.values()) == pytest.approx(total, abs=close)
    grown = [math.prod(1.0 + r for r in one) for one in (own, other)]
    largest = max(1.0, *grown, *(abs(part) for part in some.points.values()))
    assert math.fsum(some.points.values()) == pytest.approx(grown[0] - grown[1], abs=1e-12 * largest * rounding(pair))


@settings(max_examples=40)
@given(pairs(), st.sampled_from(["day", "month", "year"]))
def test_periods_add_up_to_the_whole_and_their_parts_to_them(pair: Pair, period: Period) -> None:
    split = pair.split
    own, other = both_returns(pair)
    width = {"day": 10, "month": 7, "year": 4}[period]
    days = [f"{day:%Y-%m-%d}"[:width] for day in split.parts.index]
    told = split.by(period)
    assert [str(when)[:width] for when in told.index] == sorted(set(days))
    assert list(told.columns) == [*split.indices, *CAUSES, "variance", "total"]
    for when, row in zip(sorted(set(days)), told.to_dict("records"), strict=True):
        inside = [k for k, day in enumerate(days) if day == when]
        # What the sessions have, summed without rounding.
        for name in [*split.indices, *CAUSES]:
            assert row[name] == math.fsum(split.parts[name].tolist()[k] for k in inside)
        total = log_gap([own[k] for k in inside], [other[k] for k in inside])
        close = 1e-12 * max(1.0, abs(total)) * rounding(pair)
        assert row["total"] == pytest.approx(total, abs=close)
        assert math.fsum(part for name, part in row.items() if name != "total") == pytest.approx(total, abs=close)
    for name, whole in {**split.totals, "total": split.log_active}.items():
        assert math.fsum(told[name]) == pytest.approx(whole, abs=1e-13 * max(1.0, float(told[name].abs().sum())))


@settings(max_examples=15)
@given(pairs())
def test_return_points_add_up_to_the_difference_of_what_one_became(pair: Pair) -> None:
    split = pair.split
    own, other = (math.prod(1.0 + r for r in one) for one in both_returns(pair))
    largest = max(1.0, own, other, *(abs(part) for part in split.points.values()))
    assert math.fsum(split.points.values()) == pytest.approx(own - other, abs=1e-12 * largest * rounding(pair))
    assert list(split.points) == list(split.totals)


@settings(max_examples=25)
@given(pairs(losses=False), st.sampled_from([0.02, -0.03, 0.4]))
def test_cash_flows_that_cost_nothing_drop_out(pair: Pair, share: float) -> None:
    """Time-weighted: money that is placed as the rest lies earns what the rest earns, part by part."""
    flows = CashFlows((CashFlow(share=share, calendar=CalendarRule("weekly")),), "current")
    runs = []
    for one in (pair.portfolio, pair.benchmark):
        given = (one.fund_returns, one.targets, one.rule, TradingCosts())
        runs.append(
            [backtest(*given, flows=some, cash=one.cash_terms, benchmark=BASE) for some in (CashFlows(), flows)]
        )
    still, flowing = (Pair(own, other, pair.index_returns) for own, other in zip(*runs, strict=True))
    assume(still.portfolio.end is None and still.benchmark.end is None)
    np.testing.assert_allclose(array(flowing.split.parts), array(still.split.parts), rtol=0, atol=1e-12)
    assert flowing.split.totals == {name: pytest.approx(part, abs=1e-11) for name, part in still.split.totals.items()}


@settings(max_examples=15)
@given(pairs())
def test_only_the_purchase_is_in_the_first_session_and_only_its_cost(pair: Pair) -> None:
    first = pair.split.parts.iloc[0]
    kept = [one.value.iloc[0] - 1.0 for one in (pair.portfolio, pair.benchmark)]
    assert first["cost"] == pytest.approx(kept[0] - kept[1], abs=1e-15)
    assert (first.drop("cost") == 0.0).all()


@settings(max_examples=15)
@given(pairs())
def test_without_costs_nothing_is_paid_for_trading(pair: Pair) -> None:
    free = [once_more(one, costs=TradingCosts()) for one in (pair.portfolio, pair.benchmark)]
    assert (Pair(free[0], free[1], pair.index_returns).split.parts["cost"] == 0.0).all()


@settings(max_examples=15)
@given(pairs())
def test_against_itself_there_is_nothing_to_split(pair: Pair) -> None:
    """But for drift, which is the portfolio's alone: the columns of the indices take back as much."""
    split = replace(pair, benchmark=pair.portfolio).split
    exposure = ["drift", *split.indices]
    assert (split.parts.drop(columns=[*exposure, "cost"]).to_numpy() == 0.0).all()
    np.testing.assert_allclose(split.parts["cost"], 0.0, rtol=0, atol=1e-16)
    np.testing.assert_allclose(split.parts[exposure].sum(axis=1), 0.0, rtol=0, atol=1e-15)
    assert split.totals["variance"] == 0.0
    assert split.log_active == 0.0
    grown = math.prod(1.0 + r for r in simple_returns(pair.portfolio, _lived(pair.portfolio)))
    assert math.fsum(split.points.values()) == pytest.approx(0.0, abs=1e-14 * max(1.0, grown))


@settings(max_examples=15)
@given(pairs())
def test_the_other_way_round_every_part_changes_its_sign(pair: Pair) -> None:
    there, back = pair.split, replace(pair, portfolio=pair.benchmark, benchmark=pair.portfolio).split
    exposure = ["drift", *there.indices]
    totals, others = ({k: v for k, v in one.totals.items() if k not in exposure} for one in (there, back))
    assert totals == {name: pytest.approx(-part, abs=1e-15) for name, part in others.items()}
    sums = [math.fsum(one.totals[name] for name in exposure) for one in (there, back)]
    assert sums[0] == pytest.approx(-sums[1], abs=1e-14)


@settings(max_examples=15)
@given(pairs())
def test_what_comes_later_changes_no_earlier_part(pair: Pair) -> None:
    n = len(pair.portfolio.value)
    k = max(2, n // 2)

    def cut(one: Backtest) -> Backtest:
        returns = one.fund_returns
        dates = returns.history.dates
        shorter = FundReturns(
            returns.history.between(None, dates[k - 1]), returns.funds, returns.returns[:k], returns.synthetic[:k]
        )
        rows = one.targets if one.targets.row is None else replace(one.targets, row=one.targets.row[:k])
        return once_more(one, returns=shorter, targets=rows)

    early = attribute(cut(pair.portfolio), cut(pair.benchmark), {name: x[:k] for name, x in pair.index_returns.items()})
    np.testing.assert_allclose(array(early.parts), array(pair.split.parts)[:k], rtol=0, atol=1e-15)


@settings(max_examples=15)
@given(pairs())
def test_slippage_is_zero_where_every_listed_fund_is_synthetic(pair: Pair) -> None:
    for one in (pair.portfolio, pair.benchmark):
        if any(fund.multiple is not None for fund in one.fund_returns.funds):
            continue
        # Against cash, of which nothing slips.
        cash = backtest(one.fund_returns, Targets.constant(one.targets.symbols, [0.0] * len(one.targets.symbols)))
        slippage = array(attribute(one, cash, pair.index_returns).parts["slippage"])
        made = one.fund_returns.synthetic.to_numpy()[1 : len(slippage)]
        held = array(one.weights)[: len(slippage) - 1] > 0.0
        assert (slippage[1:][(made | ~held).all(axis=1)] == 0.0).all()


# --- by hand ---


@pytest.fixture(scope="module")
def by_hand() -> Pair:
    """Bought on a Thursday; Friday; and Monday the 31st, a month's end, three days later, on which it is traded.

    The rate is 3.6% on Thursday and 7.2% on Friday, so c*d is 0.01% and then 0.06%; what is dated Monday is not used.
    """
    dates = pd.DatetimeIndex(["2021-05-27", "2021-05-28", "2021-05-31"])
    history = history_of(dates, [0.036, 0.072, 0.99])
    funds = (
        Fund("UP", "up", {"AAA": 3.0}, expense=0.00365, spread=0.0036),
        Fund("DOWN", "down", {"BBB": -2.0}, expense=0.0073, spread=0.0018),
        Fund("PLAIN", "plain", {"AAA": 1.0}, expense=0.000365, spread_basis="none"),
    )
    moves = pd.DataFrame(
        {"UP": [math.nan, 0.0300, -0.0610], "DOWN": [math.nan, 0.0200, -0.0290], "PLAIN": [math.nan, 0.0101, -0.0200]},
        index=dates,
    )
    returns = FundReturns(history, funds, moves, moves.isna() & False)
    x = {"AAA": [math.nan, 0.01, -0.02], "BBB": [math.nan, -0.01, 0.015]}
    run = [
        backtest(
            returns.only(list(weights)),
            Targets.constant(list(weights), list(weights.values())),
            CalendarRule("monthly"),
            TradingCosts(50.0),
        )
        for weights in ({"UP": 0.4, "DOWN": 0.2}, {"PLAIN": 0.9})
    ]
    return Pair(run[0], run[1], {name: pd.Series(values, index=dates) for name, values in x.items()})


def parts_by_hand() -> list[dict[str, float]]:
    """The three sessions' active parts, worked out on paper."""
    purchase = dict.fromkeys(("AAA", "BBB", *CAUSES), 0.0)
    # V' + h*V'*w = 1 with h = 0.5%, and w = 0.6 and 0.9 in funds.
    purchase["cost"] = 1.0 / 1.003 - 1.0 / 1.0045
    friday = {
        "AAA": 0.4 * 3 * 0.01 - 0.9 * 0.01,
        "BBB": 0.2 * -2 * -0.01,
        "drift": 0.0,
        "financing": -0.4 * 2 * 0.0001 + 0.2 * 3 * 0.0001,
        "cash": 0.4 * 0.0001 - 0.1 * 0.0001,
        # s*d is 0.0036/360 = 0.00001 and 0.0018/360 = 0.000005.
        "spread": -0.4 * 2 * 0.00001 - 0.2 * 3 * 0.000005,
        # E*e is 0.00001, 0.00002 and 0.000001.
        "expense": -0.4 * 0.00001 - 0.2 * 0.00002 + 0.9 * 0.000001,
        "slippage": (
            0.4 * (0.0300 - (0.03 - 2 * 0.0001 - 2 * 0.00001 - 0.00001))
            + 0.2 * (0.0200 - (0.02 + 3 * 0.0001 - 3 * 0.000005 - 0.00002))
            - 0.9 * (0.0101 - (0.01 - 0.000001))
        ),
        "cost": 0.0,
    }
    # What Friday's moves made of the weights.
    value, other = 0.4 * 1.03 + 0.2 * 1.02 + 0.4 * 1.0001, 0.9 * 1.0101 + 0.1 * 1.0001
    up, down, plain = 0.4 * 1.03 / value, 0.2 * 1.02 / value, 0.9 * 1.0101 / other
    monday = {
        # The benchmark counts at what it has become; drift is the portfolio's alone.
        "AAA": 0.4 * 3 * -0.02 - plain * -0.02,
        "BBB": 0.2 * -2 * 0.015,
        "drift": (up - 0.4) * 3 * -0.02 + (down - 0.2) * -2 * 0.015,
        "financing": -up * 2 * 0.0006 + down * 3 * 0.0006,
        "cash": (1 - up - down) * 0.0006 - (1 - plain) * 0.0006,
        "spread": -up * 2 * 0.00003 - down * 3 * 0.000015,
        "expense": -up * 0.00003 - down * 0.00006 + plain * 0.000003,
        "slippage": (
            up * (-0.0610 - (-0.06 - 2 * 0.0006 - 2 * 0.00003 - 0.00003))
            + down * (-0.0290 - (-0.03 + 3 * 0.0006 - 3 * 0.000015 - 0.00006))
            - plain * (-0.0200 - (-0.02 - 0.000003))
        ),
    }
    # Traded back at Monday's close: V' + 0.5%*(|0.4*V' - up| + |0.2*V' - down|) = V.
    grown = [up * (1 - 0.0610), down * (1 - 0.0290)], [plain * (1 - 0.0200)]
    cash = (1 - up - down) * 1.0006, (1 - plain) * 1.0006
    costs = []
    for funds, rest, target in zip(grown, cash, ([0.4, 0.2], [0.9]), strict=True):
        before = math.fsum([*funds, rest])
        costs.append(second_opinion.pay(before, funds, target, [0.005] * len(target)) - before)
    monday["cost"] = costs[0] - costs[1]
    return [purchase, friday, monday]


def test_two_sessions_by_hand(by_hand: Pair) -> None:
    split = by_hand.split
    assert [str(day.date()) for day in split.parts.index] == ["2021-05-27", "2021-05-28", "2021-05-31"]
    assert list(split.parts.columns) == ["AAA", "BBB", *CAUSES]
    for (_, row), expected in zip(split.parts.iterrows(), parts_by_hand(), strict=True):
        assert row.to_dict() == {name: pytest.approx(part, abs=1e-15) for name, part in expected.items()}
    assert error(split, by_hand) <= 1e-15


def test_the_variance_by_hand(by_hand: Pair) -> None:
    own, other = 0.4 * 0.03 + 0.2 * 0.02 + 0.4 * 0.0001, 0.9 * 0.0101 + 0.1 * 0.0001
    friday = math.log(1 + own) - math.log(1 + other) - (own - other)
    assert by_hand.split.variance.iloc[1] == pytest.approx(friday, abs=1e-16)
    assert friday == pytest.approx(-(own**2 - other**2) / 2, abs=2e-6)


@pytest.fixture(scope="module")
def on_credit() -> Pair:
    """The same days: half as much again as there is, money that comes in on Friday, and a band broken on Monday.

    Rates as above, so cash earns and borrowing costs 0.01% and 0.06%. Lending is 1.8% a year worse than that (0.005%
    and 0.015%), borrowing 3.6% dearer (0.01% and 0.03%). Each of the two gets 0.3 on Friday, placed as the rest lies.
    """
    dates = pd.DatetimeIndex(["2021-05-27", "2021-05-28", "2021-05-31"])
    history = history_of(dates, [0.036, 0.072, 0.99])
    funds = (
        Fund("UP", "up", {"AAA": 2.0}, expense=0.00365, spread=0.0036),
        Fund("OTHER", "other", {"BBB": 1.0}, expense=0.00073, spread_basis="none"),
        Fund("PLAIN", "plain", {"AAA": 1.0}, expense=0.000365, spread_basis="none"),
    )
    moves = pd.DataFrame(
        {"UP": [math.nan, 0.021, -0.203], "OTHER": [math.nan, -0.011, 0.013], "PLAIN": [math.nan, 0.0101, -0.1001]},
        index=dates,
    )
    returns = FundReturns(history, funds, moves, moves.isna() & False)
    x = {"AAA": [math.nan, 0.01, -0.10], "BBB": [math.nan, -0.01, 0.015]}
    never = CalendarRule("never")
    banded = RebalancingRule(never, (Band("weight", 0.02, 0.02, only=("UP",), destination=0.0),))
    rules = (banded, RebalancingRule(never))
    flows = CashFlows((CashFlow(amount=0.3, days=(datetime.date(2021, 5, 28),)),), "current")
    run = [
        backtest(
            returns.only(list(weights)),
            Targets.constant(list(weights), list(weights.values())),
            rule,
            TradingCosts(50.0),
            flows=flows,
            cash=CashTerms(lending_spread=0.018, borrowing_spread=0.036),
        )
        for weights, rule in zip(({"UP": 0.5, "OTHER": 1.0}, {"PLAIN": 0.9}), rules, strict=True)
    ]
    return Pair(run[0], run[1], {name: pd.Series(values, index=dates) for name, values in x.items()})


def parts_on_credit() -> list[dict[str, float]]:
    """The three sessions' active parts, worked out on paper."""
    # What of 1 is left to hold: V' + 0.5%*(|0.5*V'| + |1.0*V'|) = 1.
    bought, other_bought = 1.0 / 1.0075, 1.0 / 1.0045
    purchase = dict.fromkeys(("AAA", "BBB", *CAUSES), 0.0) | {"cost": bought - other_bought}
    # Friday's moves of 1 held: 0.5 and 1.0 in the funds and 0.5 owed, which costs 0.01% and 0.01% more.
    grown, other_grown = [0.5 * 1.021, 1.0 * 0.989, -0.5 * 1.0002], [0.9 * 1.0101, 0.1 * 1.00005]
    up, other, owed = (part / math.fsum(grown) for part in grown)
    plain, spare = (part / math.fsum(other_grown) for part in other_grown)
    # Of 0.3 that comes in, G is placed in these proportions: G + 0.5%*G*(up + other) = 0.3. The rest is cost.
    cost, other_cost = 0.3 - 0.3 / (1.0 + 0.005 * (up + other)), 0.3 - 0.3 / (1.0 + 0.005 * plain)
    friday = {
        "AAA": 0.5 * 2 * 0.01 - 0.9 * 0.01,
        "BBB": 1.0 * -0.01,
        "drift": 0.0,
        "financing": -0.5 * 1 * 0.0001,
        "cash": -0.5 * 0.0001 - 0.1 * 0.0001,
        "spread": -0.5 * 1 * 0.00001 - 0.5 * 0.0001 + 0.1 * 0.00005,
        "expense": -0.5 * 0.00001 - 1.0 * 0.000002 + 0.9 * 0.000001,
        "slippage": (
            0.5 * (0.021 - (0.02 - 0.0001 - 0.00001 - 0.00001))
            + 1.0 * (-0.011 - (-0.01 - 0.000002))
            - 0.9 * (0.0101 - (0.01 - 0.000001))
        ),
        # Costs in shares of what there was on Thursday.
        "cost": -cost / bought + other_cost / other_bought,
    }
    monday = {
        "AAA": 0.5 * 2 * -0.10 - plain * -0.10,
        "BBB": 1.0 * 0.015,
        "drift": (up - 0.5) * 2 * -0.10 + (other - 1.0) * 0.015,
        "financing": -up * 1 * 0.0006,
        "cash": owed * 0.0006 - spare * 0.0006,
        "spread": -up * 1 * 0.00003 + owed * 0.0003 + spare * 0.00015,
        "expense": -up * 0.00003 - other * 0.000006 + plain * 0.000003,
        "slippage": (
            up * (-0.203 - (-0.20 - 0.0006 - 0.00003 - 0.00003))
            + other * (0.013 - (0.015 - 0.000006))
            - plain * (-0.1001 - (-0.10 - 0.000003))
        ),
    }
    # The fund that fell is more than 2 points below its target of 0.5; it is traded to 0.48, the other as far.
    held = [up * (1 - 0.203), other * 1.013]
    before = math.fsum([*held, owed * 1.0009])
    now = [part / before for part in held]
    way = 1.0 - 0.02 / (0.5 - now[0])
    aim = [now[0] + way * (0.5 - now[0]), now[1] + way * (1.0 - now[1])]
    assert now[0] < 0.48
    assert aim[0] == pytest.approx(0.48, abs=1e-15)
    monday["cost"] = second_opinion.pay(before, held, aim, [0.005, 0.005]) - before
    return [purchase, friday, monday]


def test_two_sessions_on_credit_with_money_that_comes_in_by_hand(on_credit: Pair) -> None:
    split = on_credit.split
    assert on_credit.portfolio.broken.tolist() == [False, False, True]
    for (_, row), expected in zip(split.parts.iterrows(), parts_on_credit(), strict=True):
        assert row.to_dict() == {name: pytest.approx(part, abs=2e-15) for name, part in expected.items()}
    assert error(split, on_credit) <= 1e-14


@pytest.fixture(scope="module", params=["by_hand", "on_credit"])
def either(request: pytest.FixtureRequest) -> Pair:
    pair: Pair = request.getfixturevalue(request.param)
    return pair


@pytest.mark.parametrize("part", ["AAA", "BBB", *CAUSES])
@pytest.mark.parametrize("session", [0, 1, 2])
def test_a_part_that_is_wrong_anywhere_does_not_add_up(either: Pair, part: str, session: int) -> None:
    split = either.split
    wrong = split.parts.copy()
    wrong.loc[wrong.index[session], part] += 1e-9
    assert error(replace(split, parts=wrong), either) > 1e-10
    assert error(split, either) < 1e-12


@pytest.mark.parametrize("part", ["AAA", "BBB", *CAUSES])
def test_a_part_that_is_left_out_does_not_add_up(either: Pair, part: str) -> None:
    split = either.split
    assert error(replace(split, parts=split.parts.drop(columns=part)), either) > 1e-6


def test_parts_that_are_told_by_period_are_wrong_where_a_session_is(either: Pair) -> None:
    split = either.split
    wrong = split.parts.copy()
    wrong.loc[wrong.index[1], "cash"] += 1e-9
    told = replace(split, parts=wrong).by("year").iloc[0]
    assert abs(math.fsum(told.drop("total")) - told["total"]) > 1e-10
    right = split.by("year").iloc[0]
    assert math.fsum(right.drop("total")) == pytest.approx(right["total"], abs=1e-15)


def test_a_fund_at_the_wrong_terms_slips_by_the_difference(by_hand: Pair) -> None:
    """What is charged in one class is found in another: a dearer fund on paper slips the other way."""
    returns = by_hand.portfolio.fund_returns
    dear = tuple(replace(fund, expense=fund.expense + 0.0365) for fund in returns.funds)
    one = by_hand.portfolio
    other = backtest(replace(returns, funds=dear), one.targets, one.rule, one.costs)
    split, again = by_hand.split, replace(by_hand, portfolio=other).split
    more = [0.0, -0.6 * 0.0001, -0.0003 * float(one.weights.iloc[1].sum())]
    assert (again.parts["expense"] - split.parts["expense"]).tolist() == pytest.approx(more, abs=1e-16)
    assert (again.parts["slippage"] - split.parts["slippage"]).tolist() == pytest.approx([-m for m in more], abs=1e-16)


# --- spans and periods ---


def two_paths(own: list[float], other: list[float], days: pd.DatetimeIndex = WEEKDAYS) -> Pair:
    """One fund each, fully invested, in indices of their own that they follow exactly."""
    n = len(own)
    dates = days[: n + 1]
    returns = fund_returns_of(
        np.column_stack([[0.0, *own], [0.0, *other]]), history_of(dates), [{"AAA": 1.0}, {"BBB": 1.0}], ["A", "B"]
    )
    run = [backtest(returns.only([s]), Targets.constant([s], [1.0]), CalendarRule("never")) for s in ("A", "B")]
    return Pair(run[0], run[1], {"AAA": returns.returns["A"], "BBB": returns.returns["B"]})


@pytest.fixture(scope="module")
def two_years() -> Attribution:
    """Tuesday 29 December 2020 to Tuesday 5 January 2021."""
    days = pd.bdate_range("2020-12-29", "2021-01-05")
    return two_paths([0.10, -0.20, 0.05, 0.02, 0.03], [0.01, 0.02, -0.03, 0.04, 0.05], days).split


def test_years_by_hand(two_years: Attribution) -> None:
    told = two_years.by("year")
    assert [str(year) for year in told.index] == ["2020", "2021"]
    assert told["AAA"].tolist() == pytest.approx([-0.10, 0.10], abs=1e-15)
    assert told["BBB"].tolist() == pytest.approx([-0.03, -0.06], abs=1e-15)
    logs = [math.log(1.1 * 0.8 / (1.01 * 1.02)), math.log(1.05 * 1.02 * 1.03 / (0.97 * 1.04 * 1.05))]
    assert told["total"].tolist() == pytest.approx(logs, abs=1e-15)
    assert told["variance"].tolist() == pytest.approx([logs[0] + 0.13, logs[1] - 0.04], abs=1e-15)
    assert (told[list(CAUSES)] == 0.0).all(axis=None)


def test_months_and_days_by_hand(two_years: Attribution) -> None:
    assert [str(month) for month in two_years.by("month").index] == ["2020-12", "2021-01"]
    days = two_years.by("day")
    assert days["AAA"].tolist() == pytest.approx([0.0, 0.10, -0.20, 0.05, 0.02, 0.03], abs=1e-15)
    assert days["total"].iloc[2] == pytest.approx(math.log(0.8 / 1.02), abs=1e-15)


@pytest.mark.parametrize(
    ("start", "end", "sessions"),
    [
        (None, None, 6),
        ("2020-12-30", "2020-12-31", 2),
        (None, "2020-12-29", 1),
        # A Saturday and a Sunday.
        ("2021-01-02", None, 2),
        (None, "2021-01-03", 4),
        (pd.Timestamp("2021-01-04"), pd.Timestamp("2021-01-04"), 1),
        ("1999-01-01", "2099-01-01", 6),
    ],
)
def test_a_span_is_the_sessions_in_it(
    two_years: Attribution, start: pd.Timestamp | str | None, end: pd.Timestamp | str | None, sessions: int
) -> None:
    some = two_years.between(start, end)
    assert len(some.parts) == len(some.portfolio_returns) == len(some.benchmark_returns) == sessions
    assert len(some.variance) == sessions
    first, last = (None if day is None else pd.Timestamp(day) for day in (start, end))
    assert all((first is None or day >= first) and (last is None or day <= last) for day in some.parts.index)


def test_a_span_of_one_year_is_that_years_row(two_years: Attribution) -> None:
    later = two_years.between("2021-01-01", None)
    assert later.totals | {"total": later.log_active} == {
        name: pytest.approx(part, abs=1e-15) for name, part in two_years.by("year").loc["2021"].items()
    }
    assert math.fsum(later.points.values()) == pytest.approx(1.05 * 1.02 * 1.03 - 0.97 * 1.04 * 1.05, abs=1e-15)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2021-01-06", None),
        (None, "2020-12-28"),
        ("2021-01-02", "2021-01-03"),
        ("2020-12-31", "2020-12-30"),
    ],
)
def test_a_span_without_a_session_is_refused(two_years: Attribution, start: str | None, end: str | None) -> None:
    named = f"between {start or 'an open end'} and {end or 'an open end'}"
    with pytest.raises(SpanError, match=named):
        two_years.between(start, end)


# --- scaling to points ---


def test_points_by_hand() -> None:
    """+10% against +0%: in log ln 1.1 = 10% + variance; in points 10%."""
    points = two_paths([0.1], [0.0]).split.points
    scale = 0.1 / math.log(1.1)
    assert points["AAA"] == pytest.approx(0.1 * scale, abs=1e-15)
    assert points["variance"] == pytest.approx((math.log(1.1) - 0.1) * scale, abs=1e-15)
    assert math.fsum(points.values()) == pytest.approx(0.1, abs=1e-15)


def test_where_both_end_alike_a_log_point_is_worth_what_one_became() -> None:
    split = two_paths([0.25, 0.0, 0.6], [0.0, 0.25, 0.6]).split
    assert split.log_active == pytest.approx(0.0, abs=1e-15)
    assert split.points["AAA"] == pytest.approx(2.0 * 0.85, abs=1e-12)
    assert split.points["BBB"] == pytest.approx(-2.0 * 0.85, abs=1e-12)
    nearly = two_paths([0.25, 0.0, 0.6 + 1e-9], [0.0, 0.25, 0.6]).split
    assert nearly.points["AAA"] == pytest.approx(split.points["AAA"], rel=1e-6)


# --- ruin ---


@pytest.mark.parametrize("who", ["portfolio", "benchmark", "both"])
@pytest.mark.parametrize("at", [1, 2, 5])
def test_ruin_ends_the_span_at_the_session_before(who: str, at: int) -> None:
    calm, doomed = [0.01, -0.02, 0.03, 0.01, 0.02, -0.01], [0.02, 0.01, -0.03, 0.02, 0.01, 0.01]
    doomed[at - 1] = -1.0
    later = [*doomed]
    later[at - 1], later[-1] = 0.0, -1.0
    paths = {"portfolio": (doomed, calm), "benchmark": (calm, doomed), "both": (doomed, later)}[who]
    pair = two_paths(*paths)
    assert (pair.portfolio.ruin is not None) == (who != "benchmark")
    split = pair.split
    assert split.parts.index.equals(WEEKDAYS[:at])
    assert np.isfinite(split.parts.to_numpy()).all()
    expected = math.log(math.prod(1 + r for r in paths[0][: at - 1]) / math.prod(1 + r for r in paths[1][: at - 1]))
    assert split.log_active == pytest.approx(expected, abs=1e-15)
    assert math.fsum(split.totals.values()) == pytest.approx(expected, abs=1e-15)
    assert all(map(math.isfinite, split.points.values()))


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from(CALENDARS))
def test_a_fund_that_loses_all_it_has_still_adds_up(seed: int, calendar: str) -> None:
    """A fall of 40% would cost a 3x fund 120%; it loses all it has, the cash beside it stays."""
    random = np.random.default_rng(seed)
    x = random.uniform(-0.05, 0.05, 12)
    x[random.integers(0, 12)] = -0.40
    history = history_of(WEEKDAYS[:13], 0.03)
    indices = {"AAA": index_with("AAA", x.tolist(), history)}
    returns = build_fund_returns((LONG, PLAIN), history, indices)
    assert array(returns.returns["LONG"])[1:].min() == -1.0
    rule = CalendarRule(calendar)  # type: ignore[arg-type]
    run = [
        backtest(returns.only([s]), Targets.constant([s], [w]), rule, TradingCosts(10.0))
        for s, w in (("LONG", 1 / 3), ("PLAIN", 1.0))
    ]
    pair = Pair(run[0], run[1], {"AAA": indices["AAA"].returns})
    assert error(pair.split, pair) <= 1e-12


def test_the_share_of_a_lost_fund_earns_what_cash_earns() -> None:
    """40% of the wealth is lost on the first session; what is left is then 60% in the other fund and 40% in cash."""
    dates = WEEKDAYS[:3]
    history = history_of(dates, 0.036)
    # Two weekdays apart, and then a weekend.
    earned = [0.0001 * (dates[k] - dates[k - 1]).days for k in (1, 2)]
    returns = fund_returns_of([[0.0, 0.0], [-1.0, 0.0], [0.5, 0.10]], history, [{"AAA": 1.0}, {"BBB": 1.0}], ["A", "B"])
    x = {"AAA": pd.Series([math.nan, -1.0, 0.5], dates), "BBB": pd.Series([math.nan, 0.0, 0.1], dates)}
    own = backtest(returns, targets_for(returns, [0.4, 0.6]), CalendarRule("daily"))
    none = backtest(returns, targets_for(returns, [0.0, 0.0]), CalendarRule("never"))
    split = Pair(own, none, x).split
    assert split.portfolio_returns.tolist() == pytest.approx([0.0, -0.4, 0.06 + 0.4 * earned[1]], abs=1e-15)
    assert split.parts["cash"].tolist() == pytest.approx([0.0, -earned[0], -0.6 * earned[1]], abs=1e-15)
    # It has no exposure any more, whatever its index does.
    assert split.parts[["AAA", "drift"]].sum(axis=1).iloc[2] == pytest.approx(0.0, abs=1e-15)
    assert (split.parts[["slippage", "cost", "spread"]] == 0.0).all(axis=None)


def test_a_withdrawal_of_all_there_is_counts_to_its_end() -> None:
    """Sold on the second session for 1.1 less 1%: the session's return is that of what was paid out."""
    returns = fund_returns_of([[0.0, 0.0], [0.10, 0.0], [0.5, 0.2]], exposures=[{"AAA": 1.0}, {"BBB": 1.0}])
    never, dates = CalendarRule("never"), returns.history.dates
    away = CashFlows((CashFlow(share=-1.0, days=(dates[1].date(),)),))
    own = backtest(returns, targets_for(returns, [1.0, 0.0]), never, TradingCosts(100.0), flows=away)
    other = backtest(returns, targets_for(returns, [0.0, 1.0]), never)
    x = {"AAA": returns.returns["FUND0"], "BBB": returns.returns["FUND1"]}
    split = Pair(own, other, x).split
    assert own.exhausted == dates[1]
    assert split.portfolio_returns.tolist() == pytest.approx([1 / 1.01 - 1, 1.1 * 0.99 - 1], abs=1e-15)
    assert split.parts["AAA"].tolist() == pytest.approx([0.0, 0.10], abs=1e-15)
    assert split.parts["cost"].tolist() == pytest.approx([1 / 1.01 - 1, -0.011], abs=1e-15)


# --- what cannot be split ---


def test_other_sessions_cannot_be_compared(by_hand: Pair) -> None:
    other = two_paths([0.01], [0.02])
    with pytest.raises(StudyError, match="over the same sessions"):
        attribute(by_hand.portfolio, other.benchmark, by_hand.index_returns)


def test_an_index_without_a_series_is_named(by_hand: Pair) -> None:
    with pytest.raises(DataError, match="no series of BBB"):
        attribute(by_hand.portfolio, by_hand.benchmark, {"AAA": by_hand.index_returns["AAA"]})


def test_an_unknown_return_of_an_index_is_named_with_its_day(by_hand: Pair) -> None:
    holed = {**by_hand.index_returns, "BBB": by_hand.index_returns["BBB"].where(lambda x: x < 0.0)}
    with pytest.raises(DataError, match="the return of BBB on 2021-05-31 is unknown"):
        attribute(by_hand.portfolio, by_hand.benchmark, holed)


def test_index_returns_on_more_sessions_than_are_needed_change_nothing(by_hand: Pair) -> None:
    longer = {
        name: x.reindex(pd.DatetimeIndex(["2021-05-26", *x.index, "2021-06-01"]), fill_value=0.5)
        for name, x in by_hand.index_returns.items()
    }
    again = replace(by_hand, index_returns=longer).split
    np.testing.assert_array_equal(array(again.parts), array(by_hand.split.parts))


def test_a_holding_of_unknown_index_is_refused() -> None:
    returns = fund_returns_of([[0.0], [0.01], [0.02]], exposures=[{}])
    one = backtest(returns, Targets.constant(["FUND0"], [0.5]), CalendarRule("never"))
    with pytest.raises(DataError, match="FUND0"):
        attribute(one, one, {})


# --- real history ---


@dataclass(frozen=True)
class RealCase:
    """A third in TNA and the rest in cash against the Russell 2000, here and by the second implementation."""

    pair: Pair
    split: Attribution
    second: dict[str, dict[str, float]]
    active: list[dict[str, float]]
    log: float


def real_case(data: Path, half_spread_bps: float) -> RealCase:
    end, catalogue = "2021-12-15", load_catalogue()
    source, fund = FolderSource(data), catalogue.fund("TNA")
    index = index_holding(catalogue.index("RUSSELL2000"))
    read = read_study_data(source, catalogue, ["RUSSELL2000"], (fund,), None, None, end)
    returns = build_fund_returns((fund, index), read.history, read.indices).span("2008-11-19", end)
    rule = CalendarRule("quarterly")
    third = Targets.constant(["TNA"], [1 / 3])
    own = backtest(returns.only(["TNA"]), third, rule, TradingCosts(half_spread_bps))
    other = backtest(returns.only([index.symbol]), Targets.constant([index.symbol], [1.0]), rule)
    pair = Pair(own, other, {name: one.returns for name, one in read.indices.items()})
    with quickly():
        span = second_tracking.load(data, second_tracking.fund_row("TNA"), None, datetime.date.fromisoformat(end))
    exchange = [day.date() for day in exchange_sessions(2008, 2021)]
    trades = second_tracking.trade_days(span.sessions, exchange, "quarterly")
    half = half_spread_bps / 10_000.0
    second = second_tracking.attribute(
        [second_tracking.Leg(span, 1 / 3, fund.spread, half)],
        [second_tracking.Leg(second_tracking.index_itself(span), 1.0)],
        trades,
        trades,
    )
    return RealCase(pair, pair.split, second, second["active"], second["log"])


@pytest.fixture(scope="module", params=[0.0, 10.0], ids=["free", "with costs"])
def real(request: pytest.FixtureRequest, reference_data: Path) -> RealCase:
    return real_case(reference_data, request.param)


# The second implementation knows no cash apart: its financing is financing and cash here.
SECOND = {
    "target RUSSELL2000": ["RUSSELL2000"],
    "drift": ["drift"],
    "financing": ["financing", "cash"],
    "spread": ["spread"],
    "expense": ["expense"],
    "slippage": ["slippage"],
    "cost": ["cost"],
}


def test_a_third_in_a_3x_fund_splits_as_the_second_implementation_says(real: RealCase) -> None:
    """The second implementation leaves the purchase out."""
    after = real.split.parts.iloc[1:]
    totals = {name: math.fsum(after[keys].to_numpy().ravel()) for name, keys in SECOND.items()}
    second = {name: part for name, part in real.second["parts"].items() if name != "variance"}
    assert totals == {name: pytest.approx(part, abs=1e-9) for name, part in second.items()}
    assert math.fsum(real.split.variance.iloc[1:]) == pytest.approx(real.second["parts"]["variance"], abs=1e-9)
    purchase = math.log(float(real.pair.portfolio.value.iloc[0]))
    assert real.split.log_active - purchase == pytest.approx(real.log, abs=1e-9)


def test_every_session_splits_as_the_second_implementation_says(real: RealCase) -> None:
    assert len(real.active) == len(real.split.parts) - 1
    for name, keys in SECOND.items():
        theirs = [row[name] for row in real.active]
        np.testing.assert_allclose(real.split.parts[keys].sum(axis=1).iloc[1:], theirs, rtol=0, atol=1e-13)


def test_points_are_those_of_the_second_implementation(reference_data: Path, real: RealCase) -> None:
    if real.pair.portfolio.costs.half_spread_bps:
        assert math.fsum(real.split.points.values()) == pytest.approx(
            real.pair.portfolio.final_value - real.pair.benchmark.final_value, abs=1e-11
        )
        return
    points = real.split.points
    grouped = {name: math.fsum(points[key] for key in keys) for name, keys in SECOND.items()}
    second = {name: part for name, part in real.second["points"].items() if name != "variance"}
    assert grouped == {name: pytest.approx(part, abs=1e-9) for name, part in second.items()}


def test_on_real_history_the_sum_is_exact(real: RealCase) -> None:
    assert error(real.split, real.pair) <= 1e-12
