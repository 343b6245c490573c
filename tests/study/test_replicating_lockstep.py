"""Statements A3 and A4, a third in TNA: their figures by the second implementation, their verdicts by made cases."""

from __future__ import annotations

import datetime
import math
import statistics
import tomllib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests import second_opinion, second_tracking
from tests.funds.test_calibration import quickly
from tests.study.test_calibrated import cut, write_prices

from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.history import FloatArray
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.study.replicating import Statement, check_statements

ASOF = datetime.date(2021, 12, 15)
SPREADS = second_tracking.CATALOGUE.with_name("spreads.toml")
# Three years of sessions, one span begun every 21; a quarter's days.
WINDOW, STEP, OFFSETS = 756, 21, 61


def lockstep(source: FolderSource | SampleSource, funds: Path | None = None) -> tuple[Statement, Statement]:
    """A3 and A4."""
    third, fourth = check_statements(source, None if funds is None else load_catalogue(funds), ("A3", "A4"))
    return third, fourth


@pytest.fixture(scope="module")
def told(reference_data: Path) -> tuple[Statement, Statement]:
    return lockstep(FolderSource(reference_data))


# --- figures ---


@dataclass(frozen=True)
class Second:
    """The same case by the second implementation: paths, parts in log return, and yearly gaps by start and offset."""

    years: float
    gap: float
    parts: dict[str, float]
    growth: float
    index_growth: float
    returns: list[float]
    index_returns: list[float]
    expense: float
    windows: FloatArray
    whole: FloatArray


@pytest.fixture(scope="module")
def second(reference_data: Path) -> Second:
    with quickly():
        span = second_tracking.load(reference_data, second_tracking.fund_row("TNA"), None, ASOF)
    exchange = [day.date() for day in exchange_sessions(2008, 2021)]
    trades = second_tracking.trade_days(span.sessions, exchange, "quarterly")
    rows = tomllib.loads(SPREADS.read_text(encoding="utf-8"))["spread"]
    [spread] = [row["spread"] for row in rows if (row["index"], row["side"]) == ("RUSSELL2000", "long")]
    found = second_tracking.attribute(
        [second_tracking.Leg(span, 1 / 3, spread)],
        [second_tracking.Leg(second_tracking.index_itself(span), 1.0)],
        trades,
        trades,
    )
    real, x = ([0.0 if r is None else r for r in path] for path in (span.real, span.x["default"]))
    accrual = [c * d for c, d in span.funding]
    value = second_opinion.run([real], accrual, [1 / 3], trades, [0.0])["value"]
    stamps = np.array([day.toordinal() for day in span.sessions], dtype=float)
    marked = [second_opinion.period_ends(exchange, "quarterly", offset) for offset in range(OFFSETS)]
    back = np.array([[day in days for day in span.sessions] for days in marked])
    first = np.array([0, *range(0, len(stamps) - WINDOW, STEP)])
    last = np.array([len(stamps) - 1, *range(WINDOW, len(stamps), STEP)])
    own = np.log(grown(np.array(real), np.array(accrual), back, first, last))
    other = np.cumsum([0.0, *map(math.log1p, x[1:])])
    yearly = (own - (other[last] - other[first])[:, None]) / ((stamps[last] - stamps[first]) / 365.25)[:, None]
    return Second(
        years=float(stamps[-1] - stamps[0]) / 365.25,
        gap=found["log"],
        parts=found["parts"],
        growth=value[-1],
        index_growth=math.prod(1.0 + r for r in x[1:]),
        returns=[b / a - 1.0 for a, b in pairwise(value)],
        index_returns=x[1:],
        expense=statistics.fmean(span.expenses),
        windows=yearly[1:],
        whole=yearly[0],
    )


def grown(
    real: FloatArray, accrual: FloatArray, back: NDArray[np.bool_], first: NDArray[np.int64], last: NDArray[np.int64]
) -> FloatArray:
    """What 1 became from each first to its last session (rows) at each offset: session by session, all side by side."""
    shape = (len(first), len(back))
    fund, cash, value = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for t in range(len(real)):
        fund, cash = fund * (1.0 + real[t]), cash * (1.0 + accrual[t])
        total = fund + cash
        value[last == t] = total[last == t]
        fund = np.where(back[:, t], total / 3.0, fund)
        cash = np.where(back[:, t], total * 2.0 / 3.0, cash)
        fund[first == t], cash[first == t] = 1.0 / 3.0, 2.0 / 3.0
    return value


def test_the_growth_the_gap_and_the_tracking_are_the_second_implementations(
    told: tuple[Statement, Statement], second: Second
) -> None:
    measured = told[0].measured
    apart = [a - b for a, b in zip(second.returns, second.index_returns, strict=True)]
    expected = {
        "growth": second.growth,
        "russell2000_growth": second.index_growth,
        "gap_a_year": second.gap / second.years,
        "tracking_error": statistics.stdev(apart) * math.sqrt(252.0),
        "correlation": statistics.correlation(second.returns, second.index_returns),
    }
    assert {name: measured[name] for name in expected} == {
        name: pytest.approx(value, abs=1e-9) for name, value in expected.items()
    }


def test_the_gaps_by_start_and_offset_are_the_second_implementations(
    told: tuple[Statement, Statement], second: Second
) -> None:
    measured = told[0].measured
    expected = {
        "windows_within_3_percent": float((np.abs(second.windows) <= 0.03).mean()),
        "window_gap_low": float(np.percentile(second.windows, 5)),
        "window_gap_high": float(np.percentile(second.windows, 95)),
        "gap_a_year_least_offset": float(second.whole.min()),
        "gap_a_year_most_offset": float(second.whole.max()),
    }
    assert {name: measured[name] for name in expected} == {
        name: pytest.approx(value, abs=1e-9) for name, value in expected.items()
    }
    assert second.whole[0] == pytest.approx(second.gap / second.years, abs=1e-12)


def test_the_parts_of_the_gap_are_the_second_implementations(told: tuple[Statement, Statement], second: Second) -> None:
    """Its financing is financing and cash here."""
    measured = dict(told[1].measured)
    assert measured.pop("expense_ratio") == pytest.approx(second.expense, abs=1e-12)
    assert measured.pop("expense_share_of_gap") == pytest.approx(second.parts["expense"] / second.gap, abs=1e-9)
    assert measured.pop("gap_a_year") == pytest.approx(second.gap / second.years, abs=1e-9)
    parts = {name.removesuffix("_a_year"): value for name, value in measured.items()}
    parts["financing"] += parts.pop("cash")
    theirs = {name: value / second.years for name, value in second.parts.items()}
    theirs["target"] = theirs.pop("target RUSSELL2000")
    assert parts == {name: pytest.approx(value, abs=1e-9) for name, value in theirs.items()}
    assert math.fsum(parts.values()) == pytest.approx(second.gap / second.years, abs=1e-12)


def test_the_verdicts_follow_from_the_second_implementations_figures(
    told: tuple[Statement, Statement], second: Second
) -> None:
    """Correlation, every offset within 1.5% a year, and nine of ten three-year spans within 3%."""
    asked = [
        statistics.correlation(second.returns, second.index_returns) >= 0.95,
        float(np.abs(second.whole).max()) <= 0.015,
        float((np.abs(second.windows) <= 0.03).mean()) >= 0.9,
    ]
    assert told[0].verdict == ("holds" if all(asked) else "holds in part" if any(asked) else "does not hold")
    share = second.parts["expense"] / second.gap
    asked = [abs(second.expense - 0.011) <= 0.0015, 0.1 <= share <= 0.9]
    assert told[1].verdict == ("holds" if all(asked) else "holds in part" if any(asked) else "does not hold")


def test_the_sentences_say_the_figures(told: tuple[Statement, Statement]) -> None:
    lockstep_figures, fee = told[0].measured, told[1].measured
    assert "From 2008-11-19 to 2021-12-15" in told[0].sentence
    for name, form in (
        ("growth", ".2f"),
        ("russell2000_growth", ".2f"),
        ("gap_a_year", "+.1%"),
        ("correlation", ".2f"),
    ):
        assert format(lockstep_figures[name], form) in told[0].sentence
    for name, form in (("expense_ratio", ".2%"), ("expense_a_year", "+.2%"), ("expense_share_of_gap", ".0%")):
        assert format(fee[name], form) in told[1].sentence


def test_nothing_after_the_day_of_the_case_is_looked_at(
    reference_data: Path, tmp_path: Path, told: tuple[Statement, Statement]
) -> None:
    folder = cut(reference_data, tmp_path / "then", ASOF.isoformat(), ["TNA", "RUT", "IWM"])
    for then, now in zip(lockstep(FolderSource(folder)), told, strict=True):
        assert then.measured == now.measured
        assert (then.verdict, then.sentence) == (now.verdict, now.sentence)


# --- verdicts, by made cases ---

DIVIDENDS = 0.013  # what the catalogue states for the Russell 2000


def made_case(folder: Path, *, drag: float = 0.0, alike: bool = True, first: int = 2016) -> FolderSource:
    """RUT in quiet years, a rate, and a TNA that is M1 less a yearly drag, or another thing altogether."""
    days = exchange_sessions(first, 2021)
    random = np.random.default_rng(8)
    x = random.normal(0.0002, 0.005, len(days) - 1).tolist()
    y = x if alike else random.normal(0.0002, 0.005, len(days) - 1).tolist()
    index, fund = [1000.0], [50.0]
    for t, (before, today) in enumerate(pairwise(days)):
        d, e = (today - before).days / 360.0, (today - before).days / 365.0
        index.append(index[-1] * (1.0 + x[t]))
        r = second_opinion.daily_reset(y[t] + DIVIDENDS * e, 3.0, 0.01, d, e, 0.011, 0.005)
        fund.append(fund[-1] * (1.0 + r - drag * e))
    write_prices(folder, "RUT", days, index)
    write_prices(folder, "TNA", days, fund)
    rates = [f"{first - 1}-12-30,1.00", *(f"{day:%Y-%m-%d},1.00" for day in days)]
    (folder / "DFF.csv").write_text("date,percent\n" + "\n".join(rates))
    return FolderSource(folder)


def test_a_fund_that_does_what_it_promises_goes_in_lockstep(tmp_path: Path) -> None:
    together, fee = lockstep(made_case(tmp_path))
    assert together.verdict == "holds"
    assert together.measured["correlation"] > 0.97
    assert together.measured["windows_within_3_percent"] == 1.0
    assert fee.verdict == "holds"
    assert 0.1 < fee.measured["expense_share_of_gap"] < 0.9


def test_a_fund_that_loses_a_tenth_a_year_keeps_step_only_day_by_day(tmp_path: Path) -> None:
    """A third of 10% is 3.3% a year: too much over the whole span, and over every three years."""
    together, _ = lockstep(made_case(tmp_path, drag=0.10))
    assert together.verdict == "holds in part"
    assert together.measured["correlation"] > 0.97
    assert together.measured["gap_a_year"] < -0.03
    assert together.measured["windows_within_3_percent"] < 0.9


def test_a_gap_within_bounds_at_the_quarters_end_alone_does_not_do(tmp_path: Path) -> None:
    """A drag that puts 1.5% a year between the gap at the quarter's end and the worst of the other days."""
    free = lockstep(made_case(tmp_path))[0].measured
    drag = 3.0 * (0.015 + (free["gap_a_year"] + free["gap_a_year_least_offset"]) / 2.0)
    together, _ = lockstep(made_case(tmp_path, drag=drag))
    assert together.measured["gap_a_year_least_offset"] < -0.015 < together.measured["gap_a_year"] < 0.0
    assert together.measured["windows_within_3_percent"] == 1.0
    assert together.verdict == "holds in part"


def test_a_fund_that_does_something_else_does_not_go_in_lockstep(tmp_path: Path) -> None:
    together, _ = lockstep(made_case(tmp_path, drag=0.3, alike=False))
    assert together.verdict == "does not hold"
    assert abs(together.measured["correlation"]) < 0.2


OTHER_FEE = '[[fund]]\nsymbol = "TNA"\nname = "TNA"\nindex = "RUSSELL2000"\nleverage = 3\nexpense = 1.4\n'


@pytest.mark.parametrize(
    ("own_fee", "drag", "verdict"),
    [
        (False, 0.0, "holds"),
        (False, -0.20, "holds in part"),
        (True, 0.0, "holds in part"),
        (True, -0.20, "does not hold"),
    ],
)
def test_the_fee_is_judged_by_its_size_and_by_its_share_of_a_gap_that_is_a_loss(
    tmp_path: Path, own_fee: bool, drag: float, verdict: str
) -> None:
    """With a drag of -20% the fund gains on the index: no fee explains that."""
    source = made_case(tmp_path, drag=drag)
    (tmp_path / "own.toml").write_text(OTHER_FEE)
    _, fee = lockstep(source, tmp_path / "own.toml" if own_fee else None)
    assert fee.verdict == verdict
    assert (fee.measured["expense_ratio"] == pytest.approx(0.014, abs=1e-12)) == own_fee
    assert (fee.measured["gap_a_year"] > 0.0) == (drag < 0.0)


def test_a_gap_that_is_the_fee_and_little_else_is_not_partly_the_fee(tmp_path: Path) -> None:
    """What the fund gains elsewhere leaves a gap of which the fee is 95%."""
    free = lockstep(made_case(tmp_path))[1].measured
    drag = 3.0 * (free["gap_a_year"] - free["expense_a_year"] / 0.95)
    _, fee = lockstep(made_case(tmp_path, drag=drag))
    assert 0.9 < fee.measured["expense_share_of_gap"] < 1.0
    assert fee.verdict == "holds in part"


# --- what cannot be told ---


def untold(source: FolderSource | SampleSource) -> list[str]:
    """The sentences of A3 and A4, which cannot be told."""
    found = lockstep(source)
    assert [one.verdict for one in found] == ["cannot be told", "cannot be told"]
    assert all(one.measured == {} for one in found)
    return [one.sentence for one in found]


def linked(data: Path, folder: Path, *symbols: str) -> FolderSource:
    """A folder of a few of the reference files."""
    (folder / "prices").mkdir()
    for path in [data / "DFF.csv", *(data / "prices" / f"{symbol}.csv" for symbol in symbols)]:
        (folder / path.relative_to(data)).symlink_to(path)
    return FolderSource(folder)


def test_without_the_fund_it_cannot_be_told(reference_data: Path, tmp_path: Path) -> None:
    for sentence in untold(linked(reference_data, tmp_path, "RUT", "IWM", "SPY", "UWM")):
        assert "has no prices of TNA" in sentence


def test_the_sample_has_no_fund_to_tell_it_by() -> None:
    assert all("has no prices of TNA" in sentence for sentence in untold(SampleSource()))


def test_without_any_series_of_its_index_it_cannot_be_told(reference_data: Path, tmp_path: Path) -> None:
    for sentence in untold(linked(reference_data, tmp_path, "TNA", "SPY")):
        assert "RUSSELL2000" in sentence


def test_prices_that_end_before_the_day_cannot_tell(reference_data: Path, tmp_path: Path) -> None:
    source = linked(reference_data, tmp_path, "RUT", "IWM")
    rows = (reference_data / "prices" / "TNA.csv").read_text().splitlines()
    (tmp_path / "prices" / "TNA.csv").write_text("\n".join([rows[0], *(row for row in rows[1:] if row < "2021-12-14")]))
    for sentence in untold(source):
        assert "2021-12-13" in sentence


def test_less_than_three_years_tell_the_fee_but_not_the_lockstep(tmp_path: Path) -> None:
    together, fee = lockstep(made_case(tmp_path, first=2019))
    assert together.verdict == "cannot be told"
    assert "fewer than three years" in together.sentence
    assert fee.verdict != "cannot be told"
