"""What lies ahead of a study: its portfolio as of a day, and nothing that came after it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.study import test_sized_overlay as sized
from tests.study.plain_market import DAYS, Levels, write_market

from alphaoverlay.engine.backtesting import backtest
from alphaoverlay.engine.costs import CashTerms, TradingCosts
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import DataError, SpanError, StudyError
from alphaoverlay.history import FloatArray
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.scenarios.paths import own_days
from alphaoverlay.study.ahead import Ahead, named_rules, read_ahead
from alphaoverlay.study.load import study_from

N = len(DAYS)
WALKS = np.exp(np.cumsum(np.random.default_rng(8).normal(0.0003, 0.012, (N, 4)), axis=0))


def level(k: int) -> Levels:
    return lambda t: float(100.0 * WALKS[t, k])


def poisoned(one: Levels, last: int) -> Levels:
    """The same up to a session, and nonsense after it."""
    return lambda t: one(t) * (1.0 if t <= last else 1.0 + 0.9 * math.sin(3.0 * t))


PRICES = {name: level(k) for k, name in enumerate(("SPY", "IWM", "ONE", "TWO"))}
PLAIN: dict[str, Any] = {
    "weights": {"SPY": 0.6, "TWO": 0.3},
    "benchmark": "SPY",
    "cash": {"rate": 0.02},
    "costs": {"half_spread_bps": 4.0},
}


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_market(tmp_path_factory.mktemp("made"), PRICES, {"TWO": lambda t: 1000.0 + t})


def ahead(folder: Path, values: Mapping[str, Any] = PLAIN, asof: str | None = None, **more: Any) -> Ahead:
    return read_ahead(study_from(dict(values), "test"), FolderSource(folder), None, asof, **more)


# --- the day ---


def test_left_out_the_day_is_the_last_of_the_data(market: Path) -> None:
    assert ahead(market).asof == pd.Timestamp(DAYS[-1])


def test_the_end_of_the_study_is_the_day_and_an_asof_goes_before_it(market: Path) -> None:
    ends = PLAIN | {"end": f"{DAYS[300]}"}
    assert ahead(market, ends).asof == pd.Timestamp(DAYS[300])
    for t in (200, 400):
        assert ahead(market, ends, f"{DAYS[t]}").asof == pd.Timestamp(DAYS[t])


def test_a_day_without_a_session_is_the_session_before(market: Path) -> None:
    """2020-05-25 was Memorial Day, a Monday."""
    assert ahead(market, asof="2020-05-25").asof == pd.Timestamp("2020-05-22")


@pytest.mark.parametrize(
    ("asof", "error", "said"),
    [
        ("soon", StudyError, r"asof: 'soon' is not a date; write it as YYYY-MM-DD"),
        ("2020-13-01", StudyError, r"asof: '2020-13-01' is not a date"),
        ("2020-02-30", StudyError, r"is not a date"),
        ("2015-06-01", SpanError, r"2015-06-01"),
        ("2021-06-01", SpanError, r"the data end on 2020-12-31, 152 days before 2021-06-01; add later data"),
    ],
)
def test_a_day_that_cannot_be_is_refused(market: Path, asof: str, error: type[Exception], said: str) -> None:
    with pytest.raises((error, DataError), match=said):
        ahead(market, asof=asof)


# --- what is known on it ---


def said_of(one: Ahead) -> tuple[Any, ...]:
    """Everything that paths are made of."""
    days = one.joint_days(one.names)
    runner = one.runner(one.portfolio, one.sessions(40), one.names)
    return (
        one.asof, one.portfolio.by_symbol, one.benchmark.by_symbol, one.rate, one.notes, days.names,
        days.dates.tolist(), days.returns.tolist(), runner.plan.costs.rates.tolist(), runner.plan.costs.impact.tolist(),
        runner.taken.tolist(), one.design.carry, str(one.design.risk),
    )  # fmt: skip


STUDIES: dict[str, dict[str, Any]] = {
    "weights": PLAIN,
    "widened": PLAIN | {"costs": {"half_spread_bps": {"SPY": 1.0, "TWO": 5.0}, "widen": 3.0}},
    "impact": PLAIN | {"weights": {"TWO": 0.9}, "benchmark": "TWO", "capital": 1e4, "costs": {"impact": 1.0}},
    "a share": PLAIN | {"capital": 1e4, "costs": {"half_spread_bps": 1.0, "per_share": 0.01}},
    "exposures": {
        "base": {"SP500": 1.0}, "overlay": {"RUSSELL2000": 0.2},
        "sizing": {"kind": "volatility", "target": 0.05, "window": 120},
        "funds": {"allow": ["SPY", "IWM", "UPRO", "TNA"]}, "cash": {"rate": 0.02},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", STUDIES)
def test_nothing_after_the_day_is_looked_at(market: Path, tmp_path: Path, name: str) -> None:
    """Later prices that jump about, or are not there: nothing that paths are made of changes."""
    values, day = STUDIES[name], f"{DAYS[300]}"
    expected = said_of(ahead(market, values, day))
    (tmp_path / "poisoned").mkdir()
    (tmp_path / "cut").mkdir()
    volumes: dict[str, Levels] = {"TWO": lambda t: 1000.0 + t if t <= 300 else 1.0 + (t % 5) * 1e6}
    nonsense = {name: poisoned(one, 300) for name, one in PRICES.items()}
    write_market(tmp_path / "poisoned", nonsense, volumes)
    for file in sorted(market.glob("*.csv")):
        (tmp_path / "cut" / file.name).write_text("\n".join(file.read_text().splitlines()[:302]))
    for folder in ("poisoned", "cut"):
        assert said_of(ahead(tmp_path / folder, values, day)) == expected


def test_later_data_would_be_noticed(market: Path) -> None:
    assert said_of(ahead(market, asof=f"{DAYS[300]}"))[7] != said_of(ahead(market, asof=f"{DAYS[301]}"))[7]


def test_where_the_study_starts_plays_no_part(market: Path) -> None:
    """Not even where it starts after the day."""
    expected = said_of(ahead(market, asof=f"{DAYS[300]}"))
    for t in (10, 290, 400):
        assert said_of(ahead(market, PLAIN | {"start": f"{DAYS[t]}"}, f"{DAYS[300]}")) == expected


# --- costs, held ---


def rates(one: Ahead, sessions: int = 5) -> FloatArray:
    return np.asarray(one.runner(one.portfolio, one.sessions(sessions), one.names).plan.costs.rates)


def test_half_spreads_are_those_of_the_day_and_not_of_a_later_one(market: Path) -> None:
    dated = [
        {"since": "2019-01-02", "bps": 8.0},
        {"since": "2020-03-02", "bps": 5.0},
        {"since": "2020-09-01", "bps": 1.0},
    ]
    values = PLAIN | {"costs": {"half_spread_bps": {"SPY": 2.0, "TWO": dated}}}
    assert rates(ahead(market, values, "2020-06-01"), 200) == pytest.approx(np.tile([2e-4, 5e-4], (201, 1)))
    assert rates(ahead(market, values, "2020-02-03"), 200) == pytest.approx(np.tile([2e-4, 8e-4], (201, 1)))


def test_a_cost_a_share_is_at_the_last_close(market: Path) -> None:
    values = STUDIES["a share"]
    closes = [PRICES[symbol](300) for symbol in ("SPY", "TWO")]
    expected = [1e-4 + 0.01 / close for close in closes]
    assert rates(ahead(market, values, f"{DAYS[300]}")) == pytest.approx(np.tile(expected, (6, 1)))


def test_a_cost_a_share_needs_a_price(market: Path) -> None:
    values = STUDIES["a share"] | {"weights": {"UPRO": 0.5}, "costs": {"half_spread_bps": 1.0, "per_share": 0.01}}
    one = ahead(market, values)
    with pytest.raises(DataError, match=r"costs\.per_share needs closing prices, and there are none of UPRO"):
        one.runner(one.portfolio, one.sessions(5), one.names)


def test_impact_is_that_of_the_last_day_throughout(market: Path) -> None:
    """sigma*sqrt(capital/D): D the median of 63 dollar volumes before the day, sigma the deviation of 63 returns."""
    one = ahead(market, STUDIES["impact"], f"{DAYS[300]}")
    plan = one.runner(one.portfolio, one.sessions(5), one.names).plan
    before = range(300 - 63, 300)
    volume = float(np.median([PRICES["TWO"](t) * (1000.0 + t) for t in before]))
    moves = [PRICES["TWO"](t) / PRICES["TWO"](t - 1) - 1.0 for t in before]
    expected = float(np.std(moves, ddof=1)) * math.sqrt(1e4 / volume)
    assert plan.costs.impact == pytest.approx(np.full((6, 1), expected), rel=1e-9)


# --- a path of a study ---


def test_a_path_is_the_backtest_under_the_studys_own_rule_costs_cash_and_flows(market: Path) -> None:
    values = PLAIN | {
        "capital": 1000.0,
        "rebalance": {"calendar": "weekly", "lag": 1},
        "cash": {"rate": 0.02, "spread": 0.005},
        "flows": [{"amount": 50.0, "calendar": "monthly"}, {"amount": -100.0, "dates": ["2019-06-03", "2021-01-20"]}],
    }
    one = ahead(market, values)
    horizon = one.sessions(60)
    runner = one.runner(one.portfolio, horizon, one.names)
    moves = np.random.default_rng(2).normal(0.0, 0.02, (1, 60, 2))
    paths = own_days(moves)
    found = runner.run(runner.moves(paths.table), paths.rows, np.arange(61, dtype=np.int64))
    returns = runner.returns_on(moves[0])
    done = backtest(
        returns, Targets.constant(["SPY", "TWO"], [0.6, 0.3]), RebalancingRule(CalendarRule("weekly"), lag=1),
        TradingCosts(4.0), flows=one.study.cash_flows, cash=CashTerms(0.005),
    )  # fmt: skip
    assert found.marked[:, 0].tolist() == done.value.tolist()
    # The months of January, February and March end on the horizon, and one of the two single days lies on it.
    assert int((done.flow == 0.05).sum()) == 2 + int(horizon.dates[-1] >= pd.Timestamp("2021-03-31"))
    assert done.flow.loc["2021-01-20"] == -0.1
    assert one.without_flows().study.cash_flows.flows == ()


def test_funds_make_what_their_indices_make_less_their_own_terms(market: Path) -> None:
    """An unknown symbol is its own exposure, at no expense; SPY is the S&P 500 less its expense ratio."""
    one = ahead(market)
    assert one.names == ("SP500", "TWO")
    runner = one.runner(one.portfolio, one.sessions(1), one.names)
    made = runner.returns_on(np.array([[0.01, -0.02]])).returns.iloc[1]
    assert made["TWO"] == pytest.approx(-0.02, rel=1e-15)
    spy = next(fund for fund in one.portfolio.funds if fund.symbol == "SPY")
    days = (one.sessions(1).dates[1] - one.asof).days
    assert made["SPY"] == pytest.approx(0.01 - spy.expense * days / 365, rel=1e-12)


# --- the sessions ---


@pytest.mark.parametrize("number", [0, -1, 12_601, 20_000])
def test_no_sessions_or_too_many_are_refused(market: Path, number: int) -> None:
    with pytest.raises(SpanError, match=rf"sessions = {number}: write 1 to 12,600 \(252 are a year\)"):
        ahead(market).sessions(number)


def test_fifty_years_are_possible(market: Path) -> None:
    found = ahead(market).sessions(12_600)
    assert len(found.dates) == 12_601
    assert found.rate.tolist() == [0.02] * 12_601


@pytest.fixture(scope="module")
def sampled() -> Ahead:
    """On 2018-11-30, with the exchange's sessions known to Tuesday 2019-12-31."""
    return read_ahead(study_from({"weights": {"SPY": 1.0}, "benchmark": "SPY"}, "test"), SampleSource(), None, None)


def test_the_ends_of_periods_are_the_exchanges_wherever_the_horizon_ends(sampled: Ahead) -> None:
    """A week that goes on in the year after the last known one does not end on its last session."""
    whole = exchange_sessions(2017, 2025)
    known = sampled.data.history.exchange_sessions
    left = len(known) - 1 - int(known.searchsorted(sampled.asof))
    for number in (left - 3, left - 2, left - 1, left, left + 1, 252, 504):
        found = sampled.sessions(number)
        assert len(found.dates) == number + 1
        for calendar in ("weekly", "monthly", "quarterly", "annual"):
            rule = CalendarRule(calendar)
            marked = rule.sessions(found.dates, found.exchange_sessions)
            assert np.array_equal(marked, rule.sessions(found.dates, whole)), (number, calendar)


@pytest.mark.parametrize("number", [30, 600])
def test_the_tranches_of_a_first_week_are_those_of_the_whole_week(market: Path, number: int) -> None:
    """Of the week 2019-12-30, -31, 2020-01-02 and -03 the second third trades a session before its end: on the 2nd."""
    rule = RebalancingRule(CalendarRule("weekly"), tranches=3)
    found = ahead(market, asof="2020-01-02").sessions(number)
    marked = rule.calendar_sessions(found)
    assert marked[:, :2].tolist() == [[False, True], [True, False], [False, False]]


# --- a signal ---


@pytest.fixture(scope="module")
def tactical(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sized.write_prices(tmp_path_factory.mktemp("sized"), sized.PRICES)


@pytest.mark.parametrize("t", [299, 300, 309, 310, 339, 340, 400, 449, 450])
def test_a_signal_holds_the_size_that_it_decided_on_the_day(tactical: Path, t: int) -> None:
    one = ahead(tactical, sized.PLAIN, f"{DAYS[t]}")
    size = sized.decided(t)
    expected = {"CORE": 1.0 - 0.5 * size} | ({"MORE": 0.5 * size} if size else {})
    assert one.portfolio.by_symbol == pytest.approx(expected)
    assert one.benchmark.by_symbol == {"CORE": 1.0}
    [note] = [note for note in one.notes if "is held on every path" in note]
    assert note.startswith(f"The signal decided on size {size:g} by {DAYS[t]}: ")
    assert "cannot be computed ahead on a simulated path" in note


@pytest.mark.parametrize("t", [305, 320, 350])
def test_exposures_with_a_signal_hold_the_funds_of_that_size(tactical: Path, t: int) -> None:
    one = ahead(tactical, sized.EXPOSURES, f"{DAYS[t]}")
    assert one.portfolio.by_symbol == pytest.approx(sized.AT_SIZE[sized.decided(t)])


def test_what_is_said_of_carry_and_risk_is_said_of_the_size_that_is_held(tactical: Path) -> None:
    """At half its size the overlay has half its active exposures: the design's notes must not speak of size 1."""
    one = ahead(tactical, sized.EXPOSURES, f"{DAYS[305]}")
    whole = ahead(tactical, sized.EXPOSURES, f"{DAYS[315]}")
    assert one.design.active_carry.expense == pytest.approx(whole.design.active_carry.expense / 2, rel=1e-9)
    assert not [note for note in one.notes if "those of size 1" in note]


def test_a_study_that_holds_nothing_but_cash_says_so(tactical: Path) -> None:
    values = {**sized.EXPOSURES, "base": {}}
    one = ahead(tactical, values, f"{DAYS[350]}")
    assert one.portfolio.by_symbol == one.benchmark.by_symbol == {}
    with pytest.raises(StudyError, match="nothing but cash"):
        one.joint_days(one.names)


# --- joint days, rules ---


def test_joint_days_are_the_prices_own(market: Path) -> None:
    days = ahead(market, asof=f"{DAYS[300]}").joint_days(["TWO"], 80)
    assert days.dates.tolist() == [pd.Timestamp(day) for day in DAYS[221:301]]
    expected = [PRICES["TWO"](t) / PRICES["TWO"](t - 1) - 1.0 for t in range(221, 301)]
    assert days.returns[:, 0] == pytest.approx(expected, rel=1e-9)


def test_an_index_without_a_series_is_named(market: Path) -> None:
    with pytest.raises(DataError, match="no series of NASDAQ100, GOLD in "):
        ahead(market).joint_days(["SP500", "NASDAQ100", "GOLD"])


@pytest.mark.parametrize("window", [0, -1, -400])
def test_a_window_without_sessions_is_refused(market: Path, window: int) -> None:
    with pytest.raises((StudyError, SpanError), match=f"window = {window}: write 60 sessions or more"):
        ahead(market).joint_days(["SP500"], window)


def test_too_short_a_window_is_refused(market: Path) -> None:
    with pytest.raises((StudyError, SpanError, DataError), match="60"):
        ahead(market).joint_days(["SP500"], 59)
    assert len(ahead(market).joint_days(["SP500"], 60).dates) == 60


def test_rules_by_name() -> None:
    assert named_rules([]) == {}
    found = named_rules(["monthly", "never", "monthly"])
    assert found == {name: RebalancingRule(CalendarRule(name)) for name in ("never", "monthly")}
    with pytest.raises(StudyError, match=r"rule 'montly': write one of never, daily, .* Did you mean monthly"):
        named_rules(["never", "montly"])


def test_another_portfolio_runs_under_the_bands_that_mean_something_for_it(market: Path) -> None:
    values = PLAIN | {"rebalance": {"calendar": "never", "band": [{"on": "weight", "only": "TWO", "size": 0.05}]}}
    one = ahead(market, values)
    own = one.runner(one.portfolio, one.sessions(5), one.names)
    other = one.runner(one.benchmark, one.sessions(5), one.names)
    assert len(own.plan.rules.bands.curved) == 1
    assert len(other.plan.rules.bands.curved) == 0
    assert (own.walk is None, other.walk is None) == (True, False)


def test_a_hole_before_the_start_shortens_the_past_as_in_a_run(tmp_path: Path) -> None:
    """Three rows of the first year are gone: with a later start all goes on and says so, without one it stops."""
    folder = write_market(tmp_path, PRICES)
    prices = folder / "SPY.csv"
    lines = prices.read_text().splitlines()
    prices.write_text("\n".join([*lines[:100], *lines[103:]]) + "\n")
    study = study_from({**PLAIN, "start": str(DAYS[400])}, "test")
    ahead = read_ahead(study, FolderSource(folder), None, None)
    assert any("SPY" in note for note in ahead.notes)
    assert ahead.joint_days(ahead.names).dates[0] > pd.Timestamp(DAYS[100])
    with pytest.raises(DataError, match="3 sessions missing"):
        read_ahead(study_from(PLAIN, "test"), FolderSource(folder), None, None)
