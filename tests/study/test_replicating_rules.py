"""Statements A11 and A15, how often to rebalance and the plain alternative: by the second implementation."""

from __future__ import annotations

import statistics
from itertools import pairwise
from pathlib import Path

import pytest
from tests import second_opinion
from tests.second_engine import Outcome
from tests.study import second_study as second
from tests.study.second_study import TRADE, Market
from tests.study.test_replicating import with_files

from alphaoverlay.funds.catalogue import packaged_catalogue
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.study.replicating import check_statements
from alphaoverlay.study.replicating_rules import rebalance_at_least_quarterly, shift_capital

PLAIN = ("SPY", "QQQ", "IWM")
Told = tuple[dict[str, float], list[bool], str]


@pytest.fixture(scope="module")
def rebalancing(reference_data: Path) -> Told:
    return rebalance_at_least_quarterly(FolderSource(reference_data), packaged_catalogue())


@pytest.fixture(scope="module")
def shifting(reference_data: Path) -> Told:
    return shift_capital(FolderSource(reference_data), packaged_catalogue())


def test_how_far_exposures_went_under_every_calendar(rebalancing: Told, reference_data: Path) -> None:
    read = second.market(reference_data)
    measured, parts, sentence = rebalancing
    away = {}
    for calendar in ("weekly", "monthly", "quarterly", "semiannual", "annual", "never"):
        path = second.run(read, TRADE, calendar)
        seen = second.looked_through(read, TRADE, second.weights_after(path))
        for name in (*second.INDICES, "net"):
            assert measured[f"{calendar}_{name}_least"] == pytest.approx(min(seen[name]), abs=1e-9)
            assert measured[f"{calendar}_{name}_most"] == pytest.approx(max(seen[name]), abs=1e-9)
        targets = {"SP500": 1.0, "RUSSELL2000": 0.3, "NASDAQ100": -0.3}
        rows = zip(*(seen[name][1:] for name in targets), strict=True)
        out = [any(abs(x - aim) > 0.15 for x, aim in zip(row, targets.values(), strict=True)) for row in rows]
        away[calendar] = sum(out) / len(out)
        assert measured[f"{calendar}_share_out_of_hand"] == pytest.approx(away[calendar], abs=1e-12)
        assert f"{calendar} {away[calendar]:.1%}" in sentence
    rarer = min(away[calendar] for calendar in ("semiannual", "annual", "never"))
    legs = ("RUSSELL2000", "NASDAQ100")
    sizes = [abs(measured[f"quarterly_{name}_{end}"]) for name in legs for end in ("least", "most")]
    assert parts == [away["quarterly"] <= 0.05, rarer > 0.05, max(sizes) <= 0.6]
    assert parts == [True, True, False]


def figures(read: Market, own: Outcome, other: Outcome) -> dict[str, float | None]:
    """The second implementation's metrics."""
    accrual = [c * d for c, d in read.funding]
    return second_opinion.metrics(own["value"], read.sessions, other["value"], accrual)


def gaps(own: Outcome, other: Outcome) -> list[float]:
    """Active returns by session."""
    steps = zip(pairwise(own["value"]), pairwise(other["value"]), strict=True)
    return [b / a - d / c for (a, b), (c, d) in steps]


def test_the_shifts_are_measured_as_the_second_implementation_does(shifting: Told, reference_data: Path) -> None:
    measured, same, sentence = shifting
    read, plain = second.market(reference_data), second.market(reference_data, PLAIN)
    spy = second.run(read, {"SPY": 1.0})
    overlay = second.run(read, TRADE)
    shifted = second.run(plain, {"SPY": 0.7, "IWM": 0.3})
    size = measured["shift_from_spy_at_equal_risk_size"]
    grown = second.run(plain, {"SPY": 1.0 - 0.3 * size, "IWM": 0.3 * size})
    ways = {
        "overlay": (overlay, spy),
        "shift_from_spy": (shifted, spy),
        "shift_from_nasdaq": (shifted, second.run(plain, {"SPY": 0.7, "QQQ": 0.3})),
        "shift_from_spy_at_equal_risk": (grown, spy),
    }
    for label, (own, other) in ways.items():
        expected = figures(read, own, other)
        for key in ("active_cagr", "tracking_error", "max_drawdown"):
            assert measured[f"{label}_{key}"] == pytest.approx(expected[key], abs=1e-9), (label, key)
        likeness = statistics.correlation(gaps(own, other), gaps(overlay, spy))
        assert measured[f"{label}_likeness"] == pytest.approx(likeness, abs=1e-9)
    risks = [measured[f"{label}_tracking_error"] for label in ("overlay", "shift_from_spy_at_equal_risk")]
    assert risks[1] == pytest.approx(risks[0], rel=1e-3)
    # Small caps against the S&P 500 are another view than small caps against mega-cap growth.
    assert same == [False, True]
    assert f"a shift of {0.3 * size:.0%} from SPY" in sentence


def test_a_fund_that_is_built_is_said_to_be(reference_data: Path, tmp_path: Path) -> None:
    folder = FolderSource(with_files(reference_data, tmp_path, "SQQQ"))
    for find in (rebalance_at_least_quarterly, shift_capital):
        assert "synthetic" in find(folder, packaged_catalogue())[2]


def test_data_that_lack_a_fund_or_the_last_days_cannot_tell(reference_data: Path, tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "short").mkdir()
    without = with_files(reference_data, tmp_path / "without", "TNA", "IWM", "RUT")
    short = with_files(reference_data, tmp_path / "short", *TRADE)
    for symbol in TRADE:
        head, *rows = (reference_data / "prices" / f"{symbol}.csv").read_text().splitlines()
        kept = [row for row in rows if "2009" < row < "2021-12-10"]
        (short / "prices" / f"{symbol}.csv").write_text("\n".join([head, *kept]))
    for folder, said in ((without, "no data for TNA"), (short, "end on 2021-12-09")):
        found = {one.id: one for one in check_statements(FolderSource(folder), only=("A11", "A15"))}
        for key in ("A11", "A15"):
            assert found[key].verdict == "cannot be told"
            assert found[key].sentence.startswith("These data cannot tell: ")
            assert said in found[key].sentence
