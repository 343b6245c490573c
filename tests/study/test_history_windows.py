"""What an overlay paid in past windows like a scenario: made prices by hand, real ones by plain arithmetic."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests import second_opinion, second_scenarios
from tests.study.plain_market import DAYS, write_market

from alphaoverlay.errors import StudyError
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.scenarios.statement import Statement
from alphaoverlay.study.ahead import Ahead, read_ahead
from alphaoverlay.study.history_windows import history_windows
from alphaoverlay.study.load import study_from
from alphaoverlay.study.the_case import the_trade

LEAD = Statement.of(move=("LONG", "BROAD", 0.10))


def long(t: int) -> float:
    """A thousandth a session for 300 sessions, then nothing."""
    return float(100.0 * 1.001 ** min(t, 300))


def broad(t: int) -> float:
    """Up a hundredth and back."""
    return 100.0 + t % 2


def ahead_of(folder: Path, asof: str | None = None, **values: Any) -> Ahead:
    """A study of half LONG and half BROAD against BROAD, without costs and never rebalanced unless stated."""
    plain: dict[str, Any] = {"weights": {"BROAD": 0.5, "LONG": 0.5}, "benchmark": "BROAD", "cash": {"rate": 0.0}}
    plain |= {"costs": {"half_spread_bps": 0.0}, "rebalance": {"calendar": "never"}} | values
    return read_ahead(study_from(plain, "test"), FolderSource(folder), None, asof)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_market(tmp_path_factory.mktemp("made"), {"BROAD": broad, "LONG": long})


def test_every_window_like_it_is_listed_with_what_it_paid(made: Path) -> None:
    found = history_windows(ahead_of(made), LEAD, 100)
    # The move of a window from t on: what LONG grew in it (BROAD is where it was after an even number of sessions).
    # 8 to 12 points are alike, so that a window needs 77 sessions of growth: 1.001^77 is the first above 1.08.
    starts = [DAYS.index(one.start.date()) for one in found.windows]
    assert starts == list(range(224))
    for start, one in zip(starts, found.windows, strict=True):
        grown = 1.001 ** (min(start + 100, 300) - start)
        assert one.end.date() == DAYS[start + 100]
        assert one.move == pytest.approx(grown - 1.0, abs=1e-12)
        assert one.ends["LONG"] == pytest.approx(grown - 1.0, abs=1e-12)
        assert one.ends["BROAD"] == pytest.approx(0.0, abs=1e-12)
        assert one.portfolio == pytest.approx(0.5 * (grown - 1.0), abs=1e-12)
        assert one.benchmark == pytest.approx(0.0, abs=1e-12)
        assert one.excess == one.portfolio - one.benchmark
        assert not one.synthetic
        assert one.overlapping == (start not in (0, 100, 200))
    assert (found.number, found.non_overlapping) == (224, 3)
    for figure in (found.most, found.median):
        assert figure == pytest.approx(0.5 * (1.001**100 - 1.0), abs=1e-12)
    assert found.least == pytest.approx(0.5 * (1.001**77 - 1.0), abs=1e-12)
    assert found.below == 0.0
    assert (found.reason, found.notes) == ("", ())
    assert found.looked_at is not None
    assert [day.date() for day in found.looked_at] == [DAYS[0], DAYS[-1]]


def test_the_study_s_rule_and_half_spreads_are_used(made: Path) -> None:
    found = history_windows(ahead_of(made, costs={"half_spread_bps": 50.0}, rebalance={"calendar": "daily"}), LEAD, 2)
    assert found.number == 0
    one = history_windows(ahead_of(made, costs={"half_spread_bps": 50.0}), LEAD, 100).windows[0]
    # Bought for 1 less half a percent of what is bought.
    assert one.portfolio == pytest.approx((0.5 + 0.5 * 1.001**100) / 1.005 - 1.0, abs=1e-12)
    assert one.benchmark == pytest.approx(1.0 / 1.005 - 1.0, abs=1e-12)
    daily = history_windows(ahead_of(made, rebalance={"calendar": "daily"}), LEAD, 100).windows[1]
    value = 1.0
    for t in range(2, 102):
        value *= 0.5 * 1.001 + 0.5 * broad(t) / broad(t - 1)
    assert daily.portfolio == pytest.approx(value - 1.0, abs=1e-12)


def test_bands_that_mean_nothing_for_the_benchmark_are_left_out_for_it(made: Path) -> None:
    bands = [{"on": "weight", "size": 0.01, "only": ["LONG"]}]
    found = history_windows(ahead_of(made, rebalance={"calendar": "never", "band": bands}), LEAD, 100)
    assert found.number == 224
    assert found.windows[0].benchmark == pytest.approx(0.0, abs=1e-12)


def test_nothing_after_the_day_is_looked_at(made: Path) -> None:
    found = history_windows(ahead_of(made, str(DAYS[150])), LEAD, 100)
    assert [DAYS.index(one.start.date()) for one in found.windows] == list(range(51))
    whole = history_windows(ahead_of(made), LEAD, 100)
    assert found.windows[:51] == whole.windows[:51]


def test_what_is_left_out_of_the_costs_is_said(made: Path) -> None:
    costs = {"half_spread_bps": 0.0, "per_share": 0.01, "per_trade": 1.0, "min_trade": 50.0}
    flows = [{"amount": 500, "calendar": "monthly"}]
    ahead = ahead_of(made, costs=costs, flows=flows, capital=10_000.0)
    found = history_windows(ahead, LEAD, 100)
    assert found.notes == (
        "Windows and crises of the past are run with half-spreads alone: the study's costs a share, fees a trade, the "
        "minimum trade and cash flows are left out.",
    )
    assert found.windows == history_windows(ahead_of(made), LEAD, 100).windows


def test_why_there_are_none_is_said(made: Path) -> None:
    def reason(statement: Statement, sessions: int) -> str:
        found = history_windows(ahead_of(made), statement, sessions)
        assert (found.number, found.non_overlapping, found.median, found.below) == (0, 0, None, None)
        assert (found.least, found.most) == (None, None)
        return found.reason

    assert reason(Statement.of({"BROAD": 0.5}, ("LONG", "BROAD", 0.1)), 20) == (
        f"no window of 20 sessions from {DAYS[0]} to {DAYS[-1]} had a move of +10 points and BROAD at +50% or near it"
    )
    assert reason(LEAD, 600) == f"all funds are known on {len(DAYS)} sessions only, from {DAYS[0]} to {DAYS[-1]}"
    assert reason(Statement.of({"GOLD": 0.1}), 20).startswith("no series of GOLD in ")
    with pytest.raises(StudyError, match="states nothing"):
        history_windows(ahead_of(made), Statement(), 20)


def test_a_fund_before_its_first_price_is_synthetic_and_said_to_be(tmp_path: Path) -> None:
    folder = write_market(tmp_path, {"SP500TR": broad, "LONG": long, "SPY": broad})
    rows = (folder / "SPY.csv").read_text().splitlines()
    (folder / "SPY.csv").write_text("\n".join([rows[0], *rows[151:]]))
    # SPY's first price is that of session 150, its first return that of the next.
    ahead = ahead_of(folder, weights={"SPY": 0.5, "LONG": 0.5}, benchmark="SPY")
    found = history_windows(ahead, Statement.of(move=("LONG", "SP500", 0.10)), 100)
    assert [one.synthetic for one in found.windows] == [start < 150 for start in range(224)]
    assert found.notes == ("In 150 of the 224 past windows like it some fund's returns are synthetic.",)


def test_real_windows_by_the_second_implementation(reference_data: Path) -> None:
    """The trade's windows from 2010 on: real funds, no costs, quarterly; prices read and run without the package."""
    trade = {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}
    ahead = read_ahead(study_from(the_trade(), "the case"), FolderSource(reference_data), None, "2021-12-15")
    found = history_windows(ahead, Statement.of(move=("RUSSELL2000", "NASDAQ100", 0.25)), 94)
    prices = {s: second_opinion.read_prices(reference_data / "prices" / f"{s}.csv") for s in (*trade, "GSPC")}
    days = sorted(prices["GSPC"])
    real = [one for one in found.windows if not one.synthetic]
    assert len(real) > 20
    assert min(one.start for one in real).date().isoformat() >= "2010-02-11"
    for one in real[::7]:
        span = [day for day in days if one.start.date() <= day <= one.end.date()]
        assert len(span) == 95
        moves = [
            [0.0] * 4,
            *([prices[s][b][1] / prices[s][a][1] - 1.0 for s in trade] for a, b in pairwise(span)),
        ]
        following = dict(pairwise(days))
        ends = {t for t, day in enumerate(span) if day.month % 3 == 0 and following[day].month != day.month and t}
        values, _ = second_scenarios.run_path(list(trade.values()), moves, ends, [0.0] * 4, [0.0] * 95)
        assert one.portfolio == pytest.approx(values[-1] - 1.0, abs=1e-12)
        spy = prices["SPY"]
        assert one.benchmark == pytest.approx(spy[span[-1]][1] / spy[span[0]][1] - 1.0, abs=1e-12)
