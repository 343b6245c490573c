"""Awkward prices in made files: each is found and named, nothing is altered, and sound prices draw no finding."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.funds.made import fund_on, levels, made_history
from tests.market.little_files import rate_file

from alphaoverlay.funds.awkward import Finding, distributions
from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.funds.fund import Index
from alphaoverlay.funds.index_returns import build_index_returns
from alphaoverlay.funds.tracking import track_fund
from alphaoverlay.history import History
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.combined import CombinedSource
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.study.tracked import TrackedFund, read_tracking

QUIET_YEARS = (2015, 2016)


@functools.cache
def days_of(first: int, last: int) -> list[str]:
    """The exchange's sessions of these years."""
    return [f"{stamp:%Y-%m-%d}" for stamp in exchange_sessions(first, last)]


@functools.cache
def index_moves(n: int, seed: int = 5) -> tuple[float, ...]:
    return tuple(float(move) for move in np.random.default_rng(seed).normal(0.0004, 0.011, n - 1))


@dataclass
class Made:
    """A sound UPRO beside its index and its plain fund, for a test to spoil before it is written."""

    years: tuple[int, int] = QUIET_YEARS
    close: dict[str, list[float]] = field(default_factory=dict)
    adjusted: dict[str, list[float]] = field(default_factory=dict)
    volume: list[str] | None = None
    accept: frozenset[str] = frozenset()  # what is so wrong that reading would stop

    def __post_init__(self) -> None:
        moves = index_moves(len(self.days))
        self.close = {
            "SP500TR": levels(moves, 2000.0),
            "SPY": levels(moves, 180.0),
            "UPRO": levels([3.0 * x for x in moves], 60.0),
        }
        self.adjusted = {symbol: list(values) for symbol, values in self.close.items()}

    @property
    def days(self) -> list[str]:
        return days_of(*self.years)

    def written(self, folder: Path) -> dict[str, str]:
        """The files' texts, after writing them."""
        texts = {}
        for symbol, closes in self.close.items():
            rows = zip(self.days, closes, self.adjusted[symbol], strict=True)
            lines = [
                f"{day},{'' if np.isnan(close) else f'{close:.6f}'},{adjusted:.6f}" for day, close, adjusted in rows
            ]
            header = "date,close,adj_close"
            if symbol == "UPRO" and self.volume is not None:
                header += ",volume"
                lines = [f"{line},{shares}" for line, shares in zip(lines, self.volume, strict=True)]
            texts[symbol] = "\n".join([header, *lines, ""])
        texts["DFF"] = rate_file(dict.fromkeys(self.days, 0.0))
        for name, text in texts.items():
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        return texts

    def tracked(self, folder: Path, start: str | None = None) -> TrackedFund:
        """Track it; whatever is found, neither the files nor what was read from them may change."""
        texts = self.written(folder)
        source = CombinedSource((FolderSource(folder),), accept=self.accept)
        found = read_tracking("UPRO", source, start=start, spread=0.0)
        assert {name: (folder / f"{name}.csv").read_text(encoding="utf-8") for name in texts} == texts
        own, history = [round(value, 6) for value in self.adjusted["UPRO"]], found.data.history
        assert history.adj_close["UPRO"].tolist() == own
        returns = [b / a - 1.0 for a, b in pairwise(own)]
        assert found.tracking.real.to_numpy() == pytest.approx(returns[-len(found.tracking.real) :], abs=1e-14)
        assert history.close["UPRO"].to_numpy() == pytest.approx(np.round(self.close["UPRO"], 6), nan_ok=True)
        return found

    def findings(self, folder: Path, start: str | None = None) -> list[Finding]:
        return list(self.tracked(folder, start).tracking.findings)


SPLIT = frozenset({"split-like-jump"})


def stamps(days: Sequence[str]) -> tuple[pd.Timestamp, ...]:
    return tuple(pd.Timestamp(day) for day in days)


def scaled(values: list[float], since: int, by: float) -> list[float]:
    return [value * by if k >= since else value for k, value in enumerate(values)]


# --- sound prices ---


def test_sound_prices_draw_no_finding(tmp_path: Path) -> None:
    made = Made(volume=["1000"] * len(days_of(*QUIET_YEARS)))
    found = made.tracked(tmp_path).tracking
    assert found.findings == ()
    # The fund is built with its expense ratio of those years, 0.95%, and was made without.
    assert found.default.difference == pytest.approx(-0.0095, abs=5e-5)


def test_files_without_volumes_draw_no_finding_either(tmp_path: Path) -> None:
    assert Made().findings(tmp_path) == []


@pytest.mark.parametrize("places", [2, 3, 4])
def test_the_rounding_of_prices_is_no_distribution(tmp_path: Path, places: int) -> None:
    made = Made()
    made.close["UPRO"] = [round(value, places) for value in made.close["UPRO"]]
    assert made.findings(tmp_path) == []


def test_the_rounding_of_prices_that_fell_far_is_no_closing_time(tmp_path: Path) -> None:
    """The index falls tenfold: at six decimals the daily gap is a millionth of a percent, and later a little more."""
    made = Made(years=(1999, 2007))
    moves = [x - 0.0016 for x in index_moves(len(made.days))]
    for prices in (made.close, made.adjusted):
        for symbol, times in (("SP500TR", 1.0), ("SPY", 1.0), ("UPRO", 3.0)):
            prices[symbol] = levels([times * x for x in moves], prices[symbol][0])
    assert made.findings(tmp_path) == []


# --- splits ---


@pytest.mark.parametrize(
    ("by", "written"),
    [
        (4.0, "1-for-4 reverse"),
        (10.0, "1-for-10 reverse"),
        (0.5, "2-for-1"),
        (0.25, "4-for-1"),
        (7.0, "1-for-7 reverse"),
        (3.0 * 1.05, "1-for-3 reverse"),  # on a day on which the fund did something else besides
    ],
)
def test_an_unadjusted_split_is_found_and_named(tmp_path: Path, by: float, written: str) -> None:
    made = Made(accept=SPLIT)
    for prices in (made.close, made.adjusted):
        prices["UPRO"] = scaled(prices["UPRO"], 200, by)
    [found] = made.findings(tmp_path)
    assert (found.kind, found.symbol, found.days) == ("jump", "UPRO", stamps([made.days[200]]))
    assert f"looks like a {written} split" in found.sentence
    assert made.days[200] in found.sentence
    assert f"{by - 1.0:+.0%}" in found.sentence


def test_a_split_is_the_first_of_the_largest_gaps(tmp_path: Path) -> None:
    made = Made(accept=SPLIT)
    for prices in (made.close, made.adjusted):
        prices["UPRO"] = scaled(prices["UPRO"], 200, 4.0)
    largest = made.tracked(tmp_path).tracking.worst_days[0]
    assert largest.day == pd.Timestamp(made.days[200])
    assert largest.gap == pytest.approx(np.log(0.25), abs=1e-3)


@pytest.mark.parametrize(("by", "named"), [(1.5, False), (0.7, False), (2.4, True), (1 / 2.4, True)])
def test_a_jump_that_is_no_split_is_not_called_one(tmp_path: Path, by: float, named: bool) -> None:
    made = Made(accept=SPLIT)
    for prices in (made.close, made.adjusted):
        prices["UPRO"] = scaled(prices["UPRO"], 200, by)
    found = made.findings(tmp_path)
    assert [(one.kind, one.days) for one in found] == ([("jump", stamps([made.days[200]]))] if named else [])
    assert all("split" not in one.sentence for one in found)


def test_a_crash_that_the_index_shares_is_no_split(tmp_path: Path) -> None:
    """The index falls by 25%, the fund by three quarters: a quarter of the price is left, and rightly so."""
    made = Made(accept=SPLIT)
    for symbol, by in (("SP500TR", 0.75), ("SPY", 0.75), ("UPRO", 0.25)):
        made.close[symbol] = scaled(made.close[symbol], 200, by)
        made.adjusted[symbol] = scaled(made.adjusted[symbol], 200, by)
    assert made.findings(tmp_path) == []


def findings_of(built: Sequence[float], real: Sequence[float]) -> tuple[History, list[Finding]]:
    """What is said of a 1x fund that charges nothing and returned `real`, on an index that returned `built`."""
    history = made_history({"ATR": levels(built), "FUND": levels(real)})
    history = replace(history, close=history.adj_close.copy())
    index = Index("AAA", "an index", total_return=("ATR",))
    catalogue = Catalogue({"FUND": fund_on(2.0)}, {"AAA": index})
    known = {"AAA": build_index_returns(index, history, catalogue)}
    return history, list(track_fund(fund_on(1.0), history, catalogue, known).findings)


@settings(max_examples=30)
@given(
    st.sampled_from([2, 3, 4, 5, 10, 20]), st.booleans(), st.integers(0, 69), st.integers(0, 500), st.floats(0.97, 1.03)
)
def test_a_split_is_found_wherever_it_is(factor: int, reverse: bool, place: int, seed: int, besides: float) -> None:
    built = [float(x) for x in np.random.default_rng(seed).normal(0.0, 0.02, 70)]
    jump = (float(factor) if reverse else 1.0 / factor) * besides
    real = [(1.0 + x) * jump - 1.0 if k == place else x for k, x in enumerate(built)]
    history, findings = findings_of(built, real)
    found = [one for one in findings if "split" in one.sentence]
    assert [one.days for one in found] == [(history.dates[place + 1],)]
    assert (f"1-for-{factor} reverse" if reverse else f"{factor}-for-1") in found[0].sentence


# --- sessions without a price of their own ---


def test_sessions_without_trades_are_counted(tmp_path: Path) -> None:
    made = Made(volume=["1000"] * len(days_of(*QUIET_YEARS)))
    assert made.volume is not None
    for k in (30, 100, 101):
        made.volume[k] = "0"
    made.volume[50] = ""  # unknown is not none
    [found] = made.findings(tmp_path)
    assert (found.kind, found.symbol) == ("zero volume", "UPRO")
    assert found.days == stamps([made.days[k] for k in (30, 100, 101)])
    assert all(made.days[k] in found.sentence for k in (30, 100, 101))


def test_many_sessions_without_trades_are_summed_up(tmp_path: Path) -> None:
    made = Made(volume=["0"] * len(days_of(*QUIET_YEARS)))
    [found] = made.findings(tmp_path)
    n = len(made.days) - 1
    assert len(found.days) == n
    assert f"{n} sessions, first {made.days[1]}" in found.sentence
    assert made.days[4] not in found.sentence


def quietest(made: Made, most: float) -> int:
    """The session on which the fund moved most of those below a size; not near the ends."""
    moves = [abs(3.0 * x) for x in index_moves(len(made.days))]
    return max((k for k in range(20, 400) if moves[k] < most), key=lambda k: moves[k]) + 1


@pytest.mark.parametrize(("most", "stood_still"), [(1.0, True), (0.0095, False)])
def test_a_price_that_stands_still_while_the_index_moves_is_stale(
    tmp_path: Path, most: float, stood_still: bool
) -> None:
    made = Made()
    k = quietest(made, most)
    for prices in (made.close, made.adjusted):
        prices["UPRO"][k] = prices["UPRO"][k - 1]  # the next session catches up
    found = made.tracked(tmp_path).tracking
    assert [(one.kind, one.days) for one in found.findings] == (
        [("unchanged price", stamps([made.days[k]]))] if stood_still else []
    )
    assert {one.day: one.cause for one in found.worst_days}[pd.Timestamp(made.days[k])] == "stale price"


# --- distributions and missing closes ---


def pay(made: Made, k: int, share: float) -> None:
    """On session k a fund pays out a share of its price: past adjusted closes are scaled, as vendors do."""
    made.close["UPRO"] = scaled(made.close["UPRO"], k, 1.0 - share)
    made.adjusted["UPRO"] = [v * (1.0 - share) for v in made.adjusted["UPRO"]]


def test_distributions_are_counted_and_the_largest_is_named(tmp_path: Path) -> None:
    made = Made()
    for k, share in ((60, 0.001), (120, 0.02), (240, 0.004)):
        pay(made, k, share)
    tracking = made.tracked(tmp_path).tracking
    [found] = tracking.findings
    assert (found.kind, found.symbol) == ("distributions", "UPRO")
    assert found.days == stamps([made.days[k] for k in (60, 120, 240)])
    assert "3 distributions" in found.sentence
    assert f"2.00% of its price on {made.days[120]}" in found.sentence
    assert tracking.default.difference == pytest.approx(-0.0095, abs=5e-5)  # the returns include them


def test_distributions_by_hand() -> None:
    """1% of a price of 100.37 is paid; then nothing is."""
    history = made_history({"A": [90.123457] * 3})
    close = pd.DataFrame({"A": [100.37, 99.3663, 99.3663]}, index=history.dates)
    history = replace(history, close=close)
    paid = distributions("A", history)
    assert paid.index.tolist() == [history.dates[1]]
    assert paid.tolist() == pytest.approx([0.01], abs=1e-15)


def test_distributions_before_the_span_are_not_its_own(tmp_path: Path) -> None:
    made = Made()
    pay(made, 60, 0.02)
    assert made.findings(tmp_path, start=made.days[61]) == []


def test_missing_closes_are_said_and_nothing_is_guessed(tmp_path: Path) -> None:
    made = Made()
    pay(made, 120, 0.02)
    made.close["UPRO"][:200] = [np.nan] * 200
    [found] = made.findings(tmp_path)
    n = len(made.days) - 1
    assert (found.kind, found.symbol, found.days) == ("no close", "UPRO", stamps([made.days[1]]))
    assert f"no unadjusted close on 199 of {n} sessions" in found.sentence


def test_a_distribution_is_found_also_where_past_prices_are_huge() -> None:
    """An inverse fund after reverse splits, in single precision as vendors have it: 9,000,000 falls to 600 (SQQQ)."""
    n = 1500
    falling = [float(np.float32(9e6 * (600.0 / 9e6) ** (k / (n - 1)))) for k in range(n)]
    # 1% is paid twenty sessions before the end: what was before is scaled by it.
    adjusted = [float(np.float32(price * 0.99)) if k < n - 20 else price for k, price in enumerate(falling)]
    history = made_history({"A": adjusted})
    history = replace(history, close=pd.DataFrame({"A": falling}, index=history.dates))
    paid = distributions("A", history)
    assert paid.index.tolist() == [history.dates[n - 20]]
    assert paid.iloc[0] == pytest.approx(0.01, abs=1e-5)


# --- closing times ---


def noisy(made: Made, years: Mapping[int, float], symbol: str = "SPY") -> None:
    """Take the closes of a symbol at other moments in these years: noise that the next close no longer has."""
    rng = np.random.default_rng(9)
    off = np.array([rng.normal(0.0, years.get(int(day[:4]), 0.0002)) for day in made.days])
    made.adjusted[symbol] = (np.array(made.adjusted[symbol]) * np.exp(off)).tolist()
    made.close[symbol] = list(made.adjusted[symbol])


def test_closing_times_before_2003_are_found_by_year(tmp_path: Path) -> None:
    made = Made(years=(1999, 2007))
    noisy(made, dict.fromkeys((1999, 2000, 2001, 2002), 0.004))
    [found] = made.findings(tmp_path)
    assert (found.kind, found.symbol) == ("closing times", "SPY")
    assert "In 1999-2002 the closes of SPY and SP500" in found.sentence
    first = {day[:4]: day for day in reversed(made.days[1:])}
    assert found.days == stamps([first[year] for year in ("1999", "2000", "2001", "2002")])
    # Two closes each off by 0.4%: the daily gap is 0.57%; by 0.02% in a usual year: 0.03%.
    assert re.search(r"gap of 0\.5[678]% .*, 0\.03% in", found.sentence)


def test_single_years_are_named_one_by_one(tmp_path: Path) -> None:
    made = Made(years=(1999, 2007))
    noisy(made, {1999: 0.004, 2001: 0.004, 2002: 0.004})
    [found] = made.findings(tmp_path)
    assert "In 1999, 2001-2002 the closes" in found.sentence


def test_only_compared_years_are_named_but_quiet_years_before_them_count(tmp_path: Path) -> None:
    """From 2004 on every year is noisy: that it is unusual is known from the years before."""
    made = Made(years=(1999, 2007))
    noisy(made, dict.fromkeys((2004, 2005, 2006, 2007), 0.004))
    [found] = made.findings(tmp_path, start="2004-12-31")
    assert "In 2005-2007 the closes" in found.sentence


def test_noise_that_is_not_undone_is_no_closing_time(tmp_path: Path) -> None:
    """The plain fund strays for good: a poor fund, but one priced when its index is."""
    made = Made(years=(1999, 2007))
    rng = np.random.default_rng(9)
    size = dict.fromkeys((1999, 2000), 0.004)
    off = np.cumsum([rng.normal(0.0, size.get(int(day[:4]), 0.0002)) for day in made.days])
    for prices in (made.close, made.adjusted):
        prices["SPY"] = (np.array(prices["SPY"]) * np.exp(off)).tolist()
    assert made.findings(tmp_path) == []


def test_twice_the_usual_noise_is_not_unusual(tmp_path: Path) -> None:
    made = Made(years=(1999, 2007))
    noisy(made, dict.fromkeys(range(1999, 2008), 0.002) | {2000: 0.004})
    assert made.findings(tmp_path) == []


# --- all at once ---


def test_every_awkwardness_of_one_file_is_named(tmp_path: Path) -> None:
    made = Made(years=(1999, 2007), accept=SPLIT)
    made.volume = ["500"] * len(made.days)
    made.volume[700] = "0"
    k = quietest(made, 1.0)
    for prices in (made.close, made.adjusted):
        prices["UPRO"][k] = prices["UPRO"][k - 1]
    pay(made, 900, 0.03)
    for prices in (made.close, made.adjusted):
        prices["UPRO"] = scaled(prices["UPRO"], 1500, 4.0)
    noisy(made, dict.fromkeys((1999, 2000, 2001, 2002), 0.004))
    found = {one.kind: one.days for one in made.findings(tmp_path)}
    assert found.keys() == {"closing times", "jump", "zero volume", "unchanged price", "distributions"}
    assert found["jump"] == stamps([made.days[1500]])
    assert found["zero volume"] == stamps([made.days[700]])
    assert found["unchanged price"] == stamps([made.days[k]])
    assert found["distributions"] == stamps([made.days[900]])
