"""Statements A5 to A7, A16, A18 to A20: by plain arithmetic on the files."""

from __future__ import annotations

import csv
import math
from itertools import pairwise
from pathlib import Path

import pytest

from alphaoverlay.errors import SpanError
from alphaoverlay.funds.catalogue import packaged_catalogue
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.study import replicating_signals as signals

ASOF, OCTOBER = "2021-12-15", "2020-10-15"
Closes = dict[str, float]


@pytest.fixture(scope="module")
def closes(reference_data: Path) -> dict[str, Closes]:
    """Closes up to the day of the case, by symbol and ISO date."""
    found = {}
    for symbol in ("RUT", "IXIC", "NDX", "TLT", "GSPC"):
        with (reference_data / "prices" / f"{symbol}.csv").open() as file:
            rows = {row["date"]: row["close"] for row in csv.DictReader(file)}
        found[symbol] = {day: float(close) for day, close in rows.items() if close and day <= ASOF}
    return found


@pytest.fixture(scope="module")
def source(reference_data: Path) -> FolderSource:
    return FolderSource(reference_data)


def lead(closes: dict[str, Closes], symbol: str, first: str, last: str) -> float:
    small, other = closes["RUT"], closes[symbol]
    return small[last] / small[first] - other[last] / other[first]


def three_years(closes: dict[str, Closes], symbol: str) -> dict[str, float]:
    """The difference over 756 sessions by day."""
    days = sorted(set(closes["RUT"]) & set(closes[symbol]))
    return {day: lead(closes, symbol, days[t], day) for t, day in enumerate(days[756:])}


def test_a5_is_the_greatest_lead_up_to_february(source: FolderSource, closes: dict[str, Closes]) -> None:
    measured, parts, sentence = signals.outran_to_february(source, packaged_catalogue())
    for symbol in ("IXIC", "NDX"):
        since = [day for day in closes["RUT"] if day >= OCTOBER]
        run = {day: lead(closes, symbol, OCTOBER, day) for day in since}
        early = {day: value for day, value in run.items() if day <= "2021-02-28"}
        assert measured[f"lead_{symbol}"] == pytest.approx(max(early.values()), abs=1e-12)
        assert measured[f"lead_to_february_end_{symbol}"] == pytest.approx(run["2021-02-26"], abs=1e-12)
        assert measured[f"greatest_lead_{symbol}"] == pytest.approx(max(run.values()), abs=1e-12)
        assert max(early, key=lambda day: early[day]) in sentence
    assert parts == [True, True]
    assert "hindsight" in sentence


def test_a6_was_lower_only_in_the_bubble(source: FolderSource, closes: dict[str, Closes]) -> None:
    measured, parts, sentence = signals.outrun_by_the_most(source, packaged_catalogue())
    for symbol in ("IXIC", "NDX"):
        gap = three_years(closes, symbol)
        autumn = {day: value for day, value in gap.items() if "2020-07-01" <= day <= OCTOBER}
        low = min(autumn.values())
        lower = [day for day, value in gap.items() if day < "2020-07-01" and value < low]
        assert measured[f"lowest_{symbol}"] == pytest.approx(low, abs=1e-12)
        assert "2000-01-01" <= max(lower) <= "2002-12-31"
        assert max(lower) in sentence
    assert parts == [True, True]


def test_a7_is_the_place_among_20_years(source: FolderSource, closes: dict[str, Closes]) -> None:
    measured, parts, _ = signals.back_at_the_extreme(source, packaged_catalogue())
    for symbol in ("IXIC", "NDX"):
        gap = list(three_years(closes, symbol).values())
        now, last = gap[-1], gap[-5040:]
        below = sum(value < now for value in last)
        assert measured[f"difference_{symbol}"] == pytest.approx(now, abs=1e-12)
        assert measured[f"percentile_20y_{symbol}"] == pytest.approx(below / 5039, abs=1e-12)
        everything = sum(value < now for value in gap) / (len(gap) - 1)
        assert measured[f"percentile_all_{symbol}"] == pytest.approx(everything, abs=1e-12)
        then = three_years(closes, symbol)[OCTOBER]
        assert measured[f"difference_october_{symbol}"] == pytest.approx(then, abs=1e-12)
        assert abs(then - now) <= 0.10
    assert parts == [True] * 4


def test_a16_one_lead_is_no_evidence(source: FolderSource, closes: dict[str, Closes]) -> None:
    measured, parts, sentence = signals.worked_before(source, packaged_catalogue())
    days = sorted(set(closes["RUT"]) & set(closes["NDX"]))
    at = days.index(OCTOBER) + 1
    for symbol in ("IXIC", "NDX"):
        expected = lead(closes, symbol, days[at], days[at + 252])
        assert measured[f"after_october_{symbol}"] == pytest.approx(expected, abs=1e-12)
        assert expected > 0.0
        gap = three_years(closes, symbol)
        known = [value for day, value in gap.items() if day <= OCTOBER][-5040:]
        below = sum(value < gap[OCTOBER] for value in known) / 5039
        assert measured[f"percentile_20y_october_{symbol}"] == pytest.approx(below, abs=1e-12)
        assert measured[f"episodes_all_{symbol}"] < 8
    # That one was followed by a lead; that such signals pay cannot be said.
    assert parts == [True, False, True, False]
    assert "cannot tell skill from chance" in sentence


def test_a18_depends_on_the_days(source: FolderSource, closes: dict[str, Closes]) -> None:
    measured, parts, _ = signals.lagged(source, packaged_catalogue())
    for symbol in ("IXIC", "NDX"):
        for key, first, last in (
            ("since_march", "2021-02-26", ASOF),
            ("to_mid_october", "2020-04-15", OCTOBER),
            ("to_september_end", "2020-03-31", "2020-09-30"),
        ):
            expected = lead(closes, symbol, first, last)
            assert measured[f"{key}_{symbol}"] == pytest.approx(expected, abs=1e-12)
    assert parts == [True, False, True]


def test_a19_needs_apple(source: FolderSource) -> None:
    with pytest.raises(SpanError, match="no prices of AAPL"):
        signals.apple_beat_the_market(source, packaged_catalogue())


def test_a20_is_a_correlation_over_quarters(source: FolderSource, closes: dict[str, Closes]) -> None:
    measured, verdict, sentence = signals.rates_and_small_caps(source, packaged_catalogue())
    for symbol in ("IXIC", "NDX"):
        days = sorted(set(closes["RUT"]) & set(closes[symbol]))[::-1][::63][::-1]
        steps = [(a, b) for a, b in pairwise(days) if a in closes["TLT"]]
        x = [math.log(closes["TLT"][a] / closes["TLT"][b]) for a, b in steps]
        y = [lead(closes, symbol, a, b) for a, b in steps]
        mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
        common = sum((p - mean_x) * (q - mean_y) for p, q in zip(x, y, strict=True))
        squares = [sum((p - m) ** 2 for p in one) for one, m in ((x, mean_x), (y, mean_y))]
        r = common / math.sqrt(squares[0] * squares[1])
        assert measured[f"correlation_long_rates_{symbol}"] == pytest.approx(r, abs=1e-9)
        assert measured[f"quarters_long_rates_{symbol}"] == len(steps)
        z = math.atanh(r) * math.sqrt(len(steps) - 3)
        assert measured[f"p_value_long_rates_{symbol}"] == pytest.approx(math.erfc(z / math.sqrt(2.0)), abs=1e-9)
    assert verdict == "holds in part"
    assert "not measured" in sentence
