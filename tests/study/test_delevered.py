"""A leveraged fund at 1/|L| and cash against its index: what it is, what parts the two, and how far luck goes."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.study.test_calibrated import DIVIDENDS, made_market, write_prices

import alphaoverlay
from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.engine.schedule import CALENDARS, Calendar, CalendarRule
from alphaoverlay.engine.targets import Targets
from alphaoverlay.errors import AlphaOverlayError, DataError, SpanError, StudyError
from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.report.model import Figure, Table
from alphaoverlay.study.delevered import Delevered, delever_fund
from alphaoverlay.study.delevered_documents import delever_document
from alphaoverlay.study.delevered_report import delevered_report

START, END = "2008-01-02", "2012-12-31"
FREE = "E=0&SP=0"


@pytest.fixture(scope="module")
def sample() -> SampleSource:
    return SampleSource()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> FolderSource:
    """GSPC and a rate, of 1,100 sessions, and a 3x fund that has lived for the last 600 of them."""
    return FolderSource(made_market(tmp_path_factory.mktemp("plain"), leverage=3.0, lived=600, noise=0.001))


def logs(held: Delevered) -> tuple[list[float], list[float], list[float]]:
    """The index's simple returns, c*d and days of each session after the first, from the prices and rates alone."""
    history = held.portfolio.history
    days = [float((b - a).days) for a, b in pairwise(history.dates)]
    close = held.data.history.adj_close["GSPC"].loc[history.dates[0] : history.dates[-1]].tolist()
    x = [b / a - 1.0 + DIVIDENDS * n / 365.0 for (a, b), n in zip(pairwise(close), days, strict=True)]
    accrual = [rate * n / 360.0 for rate, n in zip(history.rate.tolist()[:-1], days, strict=True)]
    return x, accrual, days


def separately(held: Delevered, rule: CalendarRule, first: str, last: str) -> float:
    """The yearly gap of a span by two backtests of their own, without costs."""
    ends = []
    for one, weight in ((held.portfolio, held.weight), (held.index, 1.0)):
        returns = one.fund_returns.span(first, last)
        targets = Targets.constant([returns.funds[0].symbol], [weight])
        ends.append(alphaoverlay.backtest(returns, targets, rule).final_value)
    years = (pd.Timestamp(last) - pd.Timestamp(first)).days / 365.25
    return math.log(ends[0] / ends[1]) / years


# --- luck of the start and of the day ---


@pytest.mark.parametrize("symbol", ["TNA", "SQQQ"])
@pytest.mark.parametrize("calendar", CALENDARS)
def test_every_window_and_offset_is_a_backtest_of_its_own(
    sample: SampleSource, symbol: str, calendar: Calendar
) -> None:
    held = delever_fund(symbol, sample, rule=CalendarRule(calendar), start=START, end=END)
    dates = [f"{day:%Y-%m-%d}" for day in held.portfolio.history.dates]
    assert list(held.windows.index) == list(held.portfolio.history.dates[0 : len(dates) - 756 : 21])
    offsets = list(held.windows.columns)
    assert offsets == list(held.by_offset.index) == list(range(len(offsets)))
    some = sorted({0, 1, len(offsets) // 2, len(offsets) - 1} & set(offsets))
    random = np.random.default_rng(0)
    for offset in some:
        rule = CalendarRule(calendar, offset)
        whole = separately(held, rule, dates[0], dates[-1])
        assert held.by_offset[offset] == pytest.approx(whole, abs=1e-13)
        for k in random.choice(len(held.windows), 3, replace=False):
            apart = separately(held, rule, dates[21 * k], dates[21 * k + 756])
            assert held.windows.iloc[k, offset] == pytest.approx(apart, abs=1e-13), (k, offset)


@pytest.mark.parametrize(("calendar", "months"), [("monthly", 1), ("quarterly", 3), ("semiannual", 6), ("annual", 12)])
def test_there_are_about_as_many_offsets_as_sessions_in_a_short_period(
    sample: SampleSource, calendar: Calendar, months: int
) -> None:
    """More than a usual period has would trade on its first session again and again."""
    days = exchange_sessions(1999, 2018)
    counts = pd.Series(1, days).groupby((days.year * 12 + days.month - 1) // months).sum()
    offsets = len(delever_fund("TNA", sample, rule=CalendarRule(calendar), start=START, end=END).by_offset)
    assert counts.min() <= offsets <= counts.median()


def test_a_week_has_five_offsets_and_every_day_and_never_have_one(sample: SampleSource) -> None:
    rules: list[tuple[Calendar, int]] = [("weekly", 5), ("daily", 1), ("never", 1)]
    for calendar, count in rules:
        held = delever_fund("TNA", sample, rule=CalendarRule(calendar), start="2012-01-03", end="2012-12-31")
        assert len(held.by_offset) == count


@pytest.mark.parametrize("end", ["2012-03-30", "2012-04-20", "2012-07-02"])
def test_spans_with_one_trade_or_none_are_backtests_too(sample: SampleSource, end: str) -> None:
    """From February on, up to the first quarter's end, into the second quarter, and just beyond it."""
    held = delever_fund("TNA", sample, start="2012-02-15", end=end)
    apart = [
        separately(held, CalendarRule("quarterly", offset), "2012-02-15", end) for offset in range(len(held.by_offset))
    ]
    np.testing.assert_allclose(held.by_offset, apart, rtol=0, atol=1e-12)
    assert len(set(held.by_offset.round(12))) > 5


def test_offset_0_over_the_whole_span_is_the_backtest_that_is_shown(sample: SampleSource) -> None:
    held = delever_fund("TNA", sample, rule=CalendarRule("monthly"), start=START, end=END)
    assert held.by_offset[0] == pytest.approx(held.attribution.log_active / held.years, abs=1e-13)
    early = delever_fund("TNA", sample, rule=CalendarRule("monthly", 7), start=START, end=END)
    assert early.by_offset.tolist() == held.by_offset.tolist()
    assert early.by_offset[7] == pytest.approx(early.attribution.log_active / early.years, abs=1e-13)


def test_windows_need_their_three_years(plain: FolderSource) -> None:
    days = [f"{day:%Y-%m-%d}" for day in exchange_sessions(2010, 2020)[:800]]
    counts = {
        n: delever_fund(f"SP500?L=3&{FREE}", plain, start=days[0], end=days[n - 1]).windows.shape[0]
        for n in (756, 757, 777, 778)
    }
    assert counts == {756: 0, 757: 1, 777: 1, 778: 2}


def test_windows_leave_trading_costs_out_and_say_so(sample: SampleSource) -> None:
    free, costly = (
        delever_fund("TNA", sample, costs=TradingCosts(bps), start="2009-01-02", end="2012-12-31")
        for bps in (0.0, 50.0)
    )
    pd.testing.assert_frame_equal(free.windows, costly.windows)
    pd.testing.assert_series_equal(free.by_offset, costly.by_offset)
    assert costly.portfolio.final_value < free.portfolio.final_value
    assert any("leaves trading costs out" in note for note in delevered_report(costly).notes)


def test_real_windows_are_backtests_of_their_own(reference_data: Path) -> None:
    held = delever_fund("TNA", FolderSource(reference_data), rule=CalendarRule("quarterly"))
    dates = [f"{day:%Y-%m-%d}" for day in held.portfolio.history.dates]
    for k, offset in ((0, 0), (0, 60), (17, 0), (40, 33), (len(held.windows) - 1, 12)):
        apart = separately(held, CalendarRule("quarterly", offset), dates[21 * k], dates[21 * k + 756])
        assert held.windows.iloc[k, offset] == pytest.approx(apart, abs=1e-13)


def with_a_crash(folder: Path, at: int, sessions: int = 1000) -> tuple[FolderSource, list[str]]:
    """GSPC with a fall of 30% on one session; its dates."""
    days = exchange_sessions(2010, 2020)[:sessions]
    x = np.random.default_rng(0).normal(0.0003, 0.008, sessions - 1)
    x[at - 1] = -0.30
    write_prices(folder, "GSPC", days, (1000.0 * np.concatenate(([1.0], np.cumprod(1.0 + x)))).tolist())
    return FolderSource(folder), [f"{day:%Y-%m-%d}" for day in days]


def test_a_fund_that_lost_all_is_shown_up_to_the_close_before(tmp_path: Path) -> None:
    """Five times a fall of 30% is more than there is."""
    source, days = with_a_crash(tmp_path, at=900)
    held = delever_fund(f"SP500?L=5&{FREE}", source, rate=0.02)
    assert [f"{day:%Y-%m-%d}" for day in held.portfolio.history.dates] == days[:900]
    assert any(f"lost everything on {days[900]}" in note for note in delevered_report(held).notes)
    for k, offset in ((0, 0), (3, 20), (6, 60)):
        apart = separately(held, CalendarRule("quarterly", offset), days[21 * k], days[21 * k + 756])
        assert held.windows.iloc[k, offset] == pytest.approx(apart, abs=1e-13)
    assert held.by_offset[10] == pytest.approx(
        separately(held, CalendarRule("quarterly", 10), days[0], days[899]), abs=1e-13
    )
    assert math.fsum(held.parts.values()) == pytest.approx(held.attribution.log_active, abs=1e-12)
    document = json.loads(json.dumps(delever_document(held).dump(), allow_nan=False))
    assert document["end"] == days[899]


def test_a_fund_that_lost_all_at_once_is_refused_in_words(tmp_path: Path) -> None:
    source, days = with_a_crash(tmp_path, at=900)
    with pytest.raises(SpanError, match=f"lost everything on {days[900]}"):
        delever_fund(f"SP500?L=5&{FREE}", source, rate=0.02, start=days[899])


def test_who_buys_at_the_close_of_the_crash_has_lost_nothing(tmp_path: Path) -> None:
    source, days = with_a_crash(tmp_path, at=900)
    held = delever_fund(f"SP500?L=5&{FREE}", source, rate=0.02, start=days[900])
    assert [f"{day:%Y-%m-%d}" for day in held.portfolio.history.dates] == days[900:]


# --- what it is, by hand ---


@pytest.mark.parametrize("leverage", [3, 2, -2, -3])
def test_without_costs_and_reset_every_day_it_is_the_index(plain: FolderSource, leverage: int) -> None:
    """`(1/L)*(L*x-(L-1)*c*d) + (1-1/L)*c*d = x`, and of an inverse fund `-x + 2*c*d`, what -1x the index earns."""
    held = delever_fund(f"SP500?L={leverage}&{FREE}", plain, rule=CalendarRule("daily"))
    x, accrual, _ = logs(held)
    expected = x if leverage > 0 else [-move + 2.0 * cd for move, cd in zip(x, accrual, strict=True)]
    np.testing.assert_allclose(held.index.returns, expected, rtol=0, atol=1e-15)
    np.testing.assert_allclose(held.portfolio.returns, expected, rtol=0, atol=1e-15)
    assert held.attribution.log_active == pytest.approx(0.0, abs=1e-12)
    assert held.correlation == pytest.approx(1.0, abs=1e-12)
    apart = math.fsum(accrual) * (1.0 - 1.0 / abs(leverage))
    assert held.parts == {name: pytest.approx(0.0, abs=1e-12) for name in held.parts} | {
        "financing": pytest.approx(-apart, abs=1e-12),
        "cash": pytest.approx(apart, abs=1e-12),
    }


@pytest.mark.parametrize("leverage", [3, -2])
def test_what_a_fund_costs_is_what_parts_it_from_the_index_day_by_day(plain: FolderSource, leverage: int) -> None:
    """Reset every day the gap of a session is `ln(1 + r - w*(|L-1|*s*d + E*e)) - ln(1 + r)`, r what the index made."""
    s, E, w = 0.006, 0.0095, 1.0 / abs(leverage)
    signed = 100.0 * s if leverage > 0 else -100.0 * s
    held = delever_fund(f"SP500?L={leverage}&E=0.95&SP={signed}", plain, rule=CalendarRule("daily"))
    x, accrual, days = logs(held)
    made = x if leverage > 0 else [-move + 2.0 * cd for move, cd in zip(x, accrual, strict=True)]
    spread = [w * abs(leverage - 1) * s * n / 360.0 for n in days]
    expense = [w * E * n / 365.0 for n in days]
    gap = math.fsum(math.log1p(r - a - b) - math.log1p(r) for r, a, b in zip(made, spread, expense, strict=True))
    assert held.attribution.log_active == pytest.approx(gap, abs=1e-12)
    assert held.parts["spread"] == pytest.approx(-math.fsum(spread), abs=1e-12)
    assert held.parts["expense"] == pytest.approx(-math.fsum(expense), abs=1e-12)
    assert held.parts["variance"] == pytest.approx(gap + math.fsum(spread) + math.fsum(expense), abs=1e-12)
    assert held.parts["drift"] == pytest.approx(0.0, abs=1e-12)
    assert held.parts["slippage"] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("leverage", [3, -3])
@pytest.mark.parametrize("calendar", ["never", "quarterly"])
def test_between_two_trades_fund_and_cash_grow_each_by_itself(
    plain: FolderSource, leverage: int, calendar: Calendar
) -> None:
    held = delever_fund(f"SP500?L={leverage}&{FREE}", plain, rule=CalendarRule(calendar))
    x, accrual, _ = logs(held)
    dates = held.portfolio.history.dates
    value, fund, cash = 1.0, 1.0 / 3.0, 2.0 / 3.0
    other = 1.0
    for t, (move, cd) in enumerate(zip(x, accrual, strict=True), start=1):
        fund *= 1.0 + leverage * move - (leverage - 1) * cd
        cash *= 1.0 + cd
        other *= 1.0 + (move if leverage > 0 else -move + 2.0 * cd)
        value = fund + cash
        quarter_ends = t + 1 < len(dates) and dates[t].quarter != dates[t + 1].quarter
        if calendar == "quarterly" and quarter_ends:
            fund, cash = value / 3.0, value * 2.0 / 3.0
    assert held.portfolio.final_value == pytest.approx(value, rel=1e-12)
    assert held.index.final_value == pytest.approx(other, rel=1e-12)
    assert held.attribution.log_active == pytest.approx(math.log(value / other), abs=1e-12)
    assert held.parts["spread"] == held.parts["expense"] == held.parts["cost"] == 0.0
    assert abs(held.parts["drift"]) > 1e-3


def test_the_weight_is_one_over_the_leverage_and_the_rest_earns_the_rate(sample: SampleSource) -> None:
    for symbol, leverage in (("SSO", 2.0), ("TNA", 3.0), ("SQQQ", -3.0), ("SP500?L=1.25&E=1", 1.25)):
        held = delever_fund(symbol, sample, start="2012-01-03", end="2012-12-31")
        assert held.fund.leverage == leverage
        assert held.weight == 1.0 / abs(leverage)
        assert held.portfolio.weights.iloc[0].tolist() == [held.weight]
        assert held.portfolio.cash.iloc[0] == pytest.approx(1.0 - held.weight, abs=1e-15)
        assert abs(held.parts["target"]) < 1e-12


def test_parts_add_up_to_the_gap(sample: SampleSource) -> None:
    for symbol in ("TNA", "SQQQ"):
        held = delever_fund(symbol, sample, costs=TradingCosts(5.0), start=START, end=END)
        gap = math.log(held.portfolio.final_value / held.index.final_value)
        assert math.fsum(held.parts.values()) == pytest.approx(gap, abs=1e-12)
        assert held.parts["cost"] < 0.0
        assert held.parts["slippage"] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("leverage", [3, -3])
def test_only_the_portfolio_pays_for_its_trades(plain: FolderSource, leverage: int) -> None:
    held = delever_fund(f"SP500?L={leverage}&{FREE}", plain, costs=TradingCosts(50.0))
    free = delever_fund(f"SP500?L={leverage}&{FREE}", plain)
    assert held.index.value.tolist() == free.index.value.tolist()
    assert float(held.index.value.iloc[0]) == 1.0
    # V' + 0.5%*V'/3 = 1.
    assert float(held.portfolio.value.iloc[0]) == pytest.approx(1.0 / (1.0 + 0.005 / 3.0), abs=1e-15)


def test_the_rate_asked_for_is_the_one_that_cash_earns(plain: FolderSource) -> None:
    held = delever_fund(f"SP500?L=3&{FREE}", plain, rate=0.03, rule=CalendarRule("daily"))
    days = float(held.portfolio.history.days.sum())
    assert held.parts["cash"] == pytest.approx(2.0 / 3.0 * 0.03 * days / 360.0, abs=1e-12)


# --- the span ---


def test_without_a_start_the_span_is_the_funds_own_life(plain: FolderSource) -> None:
    catalogue = load_catalogue(Path(plain.folder) / "own.toml")
    days = exchange_sessions(2010, 2020)[:1100]
    own = delever_fund("MADE", plain, catalogue)
    assert own.portfolio.history.dates.equals(days[500:])
    assert own.portfolio.fund_returns.synthetic_until == {}
    assert own.notes == tuple(note for note in own.notes if "Synthetic" not in note)
    longer = delever_fund("MADE", plain, catalogue, start=f"{days[100]:%Y-%m-%d}")
    assert longer.portfolio.history.dates.equals(days[100:])
    assert longer.portfolio.fund_returns.synthetic_until == {"MADE": days[500]}
    assert any(f"Synthetic until {days[500]:%Y-%m-%d}: MADE" in note for note in longer.notes)
    assert delever_document(longer).dump()["synthetic_until"] == f"{days[500]:%Y-%m-%d}"
    # Where it is real, it is the same.
    np.testing.assert_array_equal(
        longer.portfolio.fund_returns.returns.iloc[401:], own.portfolio.fund_returns.returns[1:]
    )


def test_real_history_slips_and_synthetic_does_not(plain: FolderSource) -> None:
    catalogue = load_catalogue(Path(plain.folder) / "own.toml")
    longer = delever_fund("MADE", plain, catalogue, start="2010-01-04")
    slippage = longer.attribution.parts["slippage"].to_numpy()
    assert (slippage[:501] == 0.0).all()
    assert (slippage[501:] != 0.0).all()


def test_a_start_before_the_index_is_refused(plain: FolderSource) -> None:
    with pytest.raises(SpanError, match="2010-01-04"):
        delever_fund(f"SP500?L=3&{FREE}", plain, start="2009-06-01", rate=0.02)


@pytest.mark.parametrize(
    ("symbol", "said"),
    [
        ("SPY", "only a fund of more than one time a single index"),
        ("SH", "only a fund of more than one time a single index"),
        ("SP500?L=0.5", "only a fund of more than one time a single index"),
        ("NTSX", "NTSX"),
    ],
)
def test_a_fund_that_cannot_stand_for_its_index_is_refused(sample: SampleSource, symbol: str, said: str) -> None:
    with pytest.raises(AlphaOverlayError, match=said):
        delever_fund(symbol, sample)


def test_a_fund_on_several_indices_is_refused(plain: FolderSource, tmp_path: Path) -> None:
    (tmp_path / "two.toml").write_text(
        '[[fund]]\nsymbol = "TWO"\nname = "two"\nexposures = { SP500 = 1.0, NASDAQ100 = 1.0 }\nexpense = 0.2\n'
    )
    with pytest.raises(StudyError, match=r"TWO \+1x SP500 \+1x NASDAQ100"):
        delever_fund("TWO", plain, load_catalogue(tmp_path / "two.toml"))


def test_an_index_without_a_series_is_named(plain: FolderSource) -> None:
    with pytest.raises(DataError, match=r"RUSSELL2000|RUT|IWM"):
        delever_fund("TNA", plain)


def test_two_sessions_are_reported_without_what_two_sessions_cannot_tell(plain: FolderSource) -> None:
    days = exchange_sessions(2010, 2020)
    held = delever_fund(f"SP500?L=3&{FREE}", plain, start=f"{days[10]:%Y-%m-%d}", end=f"{days[11]:%Y-%m-%d}")
    report = delevered_report(held)
    assert "nan" not in report.summary
    assert all("nan" not in f"{tile.value} {tile.against}" for tile in report.tiles)
    assert delever_document(held).dump()["correlation"] is None


# --- what is said ---


@pytest.fixture(scope="module")
def shown(sample: SampleSource) -> Delevered:
    return delever_fund("TNA", sample, costs=TradingCosts(2.0), start=START, end=END)


def test_the_document_is_the_result_in_numbers(shown: Delevered) -> None:
    document = json.loads(json.dumps(delever_document(shown).dump(), allow_nan=False))
    gap = math.log(shown.portfolio.final_value / shown.index.final_value)
    years = (pd.Timestamp(END) - pd.Timestamp(START)).days / 365.25
    assert document["gap"] == pytest.approx(gap, abs=1e-12)
    assert document["years"] == pytest.approx(years, abs=1e-12)
    assert document["gap_a_year"] == pytest.approx(gap / years, abs=1e-12)
    assert math.fsum(document["parts"].values()) == pytest.approx(gap, abs=1e-12)
    assert (document["start"], document["end"]) == (START, END)
    assert document["sessions"] == len(shown.portfolio.history.dates) - 1
    assert document["weight"] == 1.0 / 3.0
    assert document["by_offset"] == shown.by_offset.tolist()
    flat = sorted(shown.windows.to_numpy().ravel().tolist())
    quantiles = document["windows"]["quantiles"]
    assert (quantiles["least"], quantiles["most"]) == (flat[0], flat[-1])
    assert quantiles["median"] == pytest.approx((flat[len(flat) // 2] + flat[(len(flat) - 1) // 2]) / 2, abs=1e-15)
    assert quantiles["5%"] == pytest.approx(float(np.percentile(flat, 5)), abs=1e-15)
    assert document["windows"]["sessions"] == 756
    assert len(flat) == document["windows"]["starts"] * document["windows"]["offsets"]
    own, other = shown.portfolio.returns.to_numpy(), shown.index.returns.to_numpy()
    away, beside = own - own.mean(), other - other.mean()
    correlation = float(away @ beside) / math.sqrt(float(away @ away) * float(beside @ beside))
    assert document["correlation"] == pytest.approx(correlation, abs=1e-12)
    assert document["study"]["costs"] == {"half_spread_bps": 2.0}


def test_the_gap_table_adds_up_in_every_column(shown: Delevered) -> None:
    parts = [part for section in delevered_report(shown).sections for part in section.parts]
    [table] = [part for part in parts if isinstance(part, Table) and part.title == "The gap by cause"]
    *causes, total = table.rows
    assert total.strong
    for k in (1, 2, 3):
        cells = [row.cells[k] for row in causes]
        assert all(isinstance(cell, float) for cell in cells)
        whole = total.cells[k]
        assert isinstance(whole, float)
        assert math.fsum(cell for cell in cells if isinstance(cell, float)) == pytest.approx(whole, abs=1e-12)
    assert total.cells[3] == pytest.approx(shown.portfolio.final_value - shown.index.final_value, abs=1e-15)


def test_the_bars_by_offset_are_the_gaps_by_offset(shown: Delevered) -> None:
    figures = [p for section in delevered_report(shown).sections for p in section.parts if isinstance(p, Figure)]
    [bars] = [figure for figure in figures if figure.data[0]["type"] == "bar"]
    assert bars.data[0]["x"] == [str(k) for k in range(len(shown.by_offset))]
    assert bars.data[0]["y"] == pytest.approx(shown.by_offset.tolist(), rel=1e-5)


def test_a_calendar_without_offsets_has_no_bars(sample: SampleSource) -> None:
    held = delever_fund("TNA", sample, rule=CalendarRule("never"), start="2012-01-03", end="2012-12-31")
    figures = [p for section in delevered_report(held).sections for p in section.parts if isinstance(p, Figure)]
    assert all(figure.data[0]["type"] != "bar" for figure in figures)


def test_one_session_early_is_written_as_one(sample: SampleSource) -> None:
    held = delever_fund("TNA", sample, rule=CalendarRule("monthly", 1), start="2012-01-03", end="2012-12-31")
    assert "1 session before the period's end" in delevered_report(held).summary


def test_trading_at_no_cost_is_said(sample: SampleSource, shown: Delevered) -> None:
    free = delever_fund("TNA", sample, start="2012-01-03", end="2012-12-31")
    said = "Trading costs are zero, by choice"
    assert any(said in note for note in delevered_report(free).notes)
    assert not any(said in note for note in delevered_report(shown).notes)
    assert delever_document(free).dump()["notes"] == list(delevered_report(free).notes)
