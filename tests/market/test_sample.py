"""The packaged sample, against the files it is built from."""

from __future__ import annotations

import csv
import gzip
import importlib.machinery
import importlib.util
import math
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alphaoverlay.errors import DataError, SymbolNotFound
from alphaoverlay.market import sample
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.reading import read_history
from alphaoverlay.market.sample import SampleSource, small_caps

Month = tuple[int, int]


def packaged(name: str) -> list[dict[str, str]]:
    """Rows of one of arch's data files."""
    spec = importlib.util.find_spec("arch")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    path = Path(spec.submodule_search_locations[0]) / "data" / name / f"{name}.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def source() -> SampleSource:
    return SampleSource()


@pytest.fixture(scope="module")
def factors() -> dict[Month, dict[str, float]]:
    """The factor file in percent, by year and month."""
    return {
        (int(row["Date"][:4]), int(row["Date"][4:])): {
            name: float(row[name]) for name in ("Mkt-RF", "SMB", "HML", "RF")
        }
        for row in packaged("frenchdata")
    }


@pytest.fixture(scope="module")
def growth(factors: dict[Month, dict[str, float]]) -> dict[Month, float]:
    """Monthly small-cap growth by the formula of the sample's description."""
    return {
        month: (f["RF"] + 1.02 * f["Mkt-RF"] + 0.80 * f["SMB"] + 0.24 * f["HML"]) / 100 - 0.0025
        for month, f in factors.items()
    }


def closes(source: SampleSource, symbol: str) -> pd.Series:
    return source.prices(symbol).frame["close"]


def month_ends(close: pd.Series) -> dict[Month, float]:
    """Last close of each month."""
    stamps = pd.DatetimeIndex(close.index)
    pairs = zip(stamps, close.tolist(), strict=True)
    return {month: list(group)[-1][1] for month, group in groupby(pairs, lambda pair: (pair[0].year, pair[0].month))}


# --- what is real ---


@pytest.mark.parametrize(("symbol", "file"), [("GSPC", "sp500"), ("IXIC", "nasdaq")])
def test_the_indices_are_the_files_closes(source: SampleSource, symbol: str, file: str) -> None:
    close = closes(source, symbol)
    expected = {}
    for row in packaged(file):
        month, day, year = (int(part) for part in row["Date"].split("/"))
        expected[pd.Timestamp(year, month, day)] = float(row["Close"])
    assert close.to_dict() == {day: value for day, value in expected.items() if day <= pd.Timestamp("2018-11-30")}


@pytest.mark.parametrize("symbol", ["GSPC", "IXIC", "RUT"])
def test_the_sessions_are_the_exchanges(source: SampleSource, symbol: str) -> None:
    sessions = exchange_sessions(1999, 2018)
    expected = sessions[sessions <= pd.Timestamp("2018-11-30")]
    assert list(closes(source, symbol).index) == list(expected)


def test_price_indices_have_one_price(source: SampleSource) -> None:
    for symbol in ("GSPC", "IXIC", "RUT"):
        frame = source.prices(symbol).frame
        assert frame["adj_close"].equals(frame["close"])


def test_a_months_rate_accrues_to_the_factor_files(
    source: SampleSource, factors: dict[Month, dict[str, float]]
) -> None:
    """A month's value holds from the eve of the month, on its calendar days of 360."""
    rate = source.rate("RF").values
    starts = [*pd.DatetimeIndex(rate.index), pd.Timestamp("2018-11-30")]
    for (eve, end), value in zip(pairwise(starts), rate.tolist(), strict=True):
        assert (eve + pd.Timedelta(days=1)).day == 1
        assert value * (end - eve).days / 360 == pytest.approx(factors[end.year, end.month]["RF"] / 100, abs=1e-15)
    assert starts[0] == pd.Timestamp("1998-12-31")


def test_cash_earns_the_bill_rate_over_the_years(source: SampleSource, factors: dict[Month, dict[str, float]]) -> None:
    history = read_history(source, ["GSPC"])
    years = (history.dates.year >= 2000) & (history.dates.year <= 2017)
    expected = sum(f["RF"] / 100 for (year, _), f in factors.items() if 2000 <= year <= 2017)
    assert float(history.accrual[years].sum()) == pytest.approx(expected, rel=2e-3)


def test_the_sample_reads_into_a_history_without_a_hole(source: SampleSource) -> None:
    history = read_history(source, ["GSPC", "IXIC", "RUT"])
    assert not history.adj_close.isna().to_numpy().any()
    assert (str(history.dates[0].date()), str(history.dates[-1].date())) == ("1999-01-04", "2018-11-30")
    assert set(source.notes) <= set(history.notes)


# --- the small caps ---


def test_small_cap_months_grow_by_the_factor_formula(source: SampleSource, growth: dict[Month, float]) -> None:
    ends = month_ends(closes(source, "RUT"))
    assert len(ends) == 12 * 20 - 1
    for (_, before), (month, after) in pairwise(ends.items()):
        assert after / before == pytest.approx(1.0 + growth[month], abs=1e-12)


def test_the_first_month_grows_by_its_share_of_sessions(source: SampleSource, growth: dict[Month, float]) -> None:
    """January 1999 had 19 sessions; the first is the base and has no return."""
    rut = closes(source, "RUT")
    assert rut.iloc[0] == 100.0
    assert rut.loc["1999-01-29"] == pytest.approx(100.0 * (1.0 + growth[1999, 1]) ** (18 / 19), rel=1e-12)


def factor_table(factors: dict[Month, dict[str, float]]) -> pd.DataFrame:
    """The sample's months as fractions, by period."""
    months = {month: f for month, f in factors.items() if (1999, 1) <= month <= (2018, 11)}
    index = pd.PeriodIndex([f"{year}-{month:02}" for year, month in months], freq="M")
    return pd.DataFrame(list(months.values()), index=index) / 100.0


def test_days_inside_a_month_follow_the_two_indices_and_the_noise(source: SampleSource) -> None:
    """What is left of a daily log return, after the month's constant, is N(0, 0.0063^2): within 4 standard errors."""
    frame = pd.DataFrame({symbol: closes(source, symbol) for symbol in ("GSPC", "IXIC", "RUT")})
    logs = pd.DataFrame(np.log(frame.to_numpy()), frame.index, frame.columns).diff().iloc[1:]
    left = logs["RUT"] - 0.67 * logs["GSPC"] - 0.36 * logs["IXIC"]
    months = left.groupby(pd.DatetimeIndex(left.index).to_period("M"))
    freedom = len(left) - months.ngroups
    spread = math.sqrt(float(((left - months.transform("mean")) ** 2).sum()) / freedom)
    assert spread == pytest.approx(0.0063, rel=4 / math.sqrt(2 * freedom))


@pytest.mark.parametrize(("symbol", "share"), [("GSPC", 0.67), ("IXIC", 0.36)])
def test_a_days_move_of_an_index_moves_the_small_caps_by_its_share(
    source: SampleSource, factors: dict[Month, dict[str, float]], symbol: str, share: float
) -> None:
    """Shock one day of one index by 1%: the other sessions of the month take it back, and no other month sees it."""
    indices = {name: closes(source, name).copy() for name in ("GSPC", "IXIC")}
    shocked_day, month = pd.Timestamp("2008-10-15"), pd.Period("2008-10", freq="M")
    indices[symbol].loc[shocked_day:] *= math.exp(0.01)
    shocked = small_caps(indices["GSPC"], indices["IXIC"], factor_table(factors))
    moved = pd.Series(np.log(shocked.to_numpy() / closes(source, "RUT").to_numpy()), shocked.index).diff()
    here = pd.DatetimeIndex(moved.index).to_period("M") == month
    sessions = 23  # of October 2008
    assert int(here.sum()) == sessions
    assert moved[shocked_day] == pytest.approx(share * 0.01 * (1 - 1 / sessions), abs=1e-12)
    others = moved[here].drop(shocked_day)
    np.testing.assert_allclose(others, -share * 0.01 / sessions, atol=1e-12)
    np.testing.assert_allclose(moved[~here].iloc[1:], 0.0, atol=1e-12)


def test_the_sample_is_the_same_every_time(source: SampleSource) -> None:
    assert closes(SampleSource(), "RUT").equals(closes(source, "RUT"))


def seeded(source: SampleSource, factors: dict[Month, dict[str, float]], seed: int) -> pd.Series:
    return small_caps(closes(source, "GSPC"), closes(source, "IXIC"), factor_table(factors), seed)


def test_another_seed_gives_other_days_and_the_same_month_ends(
    source: SampleSource, factors: dict[Month, dict[str, float]]
) -> None:
    rut, other = closes(source, "RUT"), seeded(source, factors, seed=7)
    assert other.index.equals(rut.index)
    ends, other_ends = month_ends(rut), month_ends(other)
    for month, value in ends.items():
        assert other_ends[month] == pytest.approx(value, rel=1e-11)
    same = int(np.isclose(other.to_numpy(), rut.to_numpy(), rtol=1e-9).sum())
    assert same == len(ends) + 1  # month ends, and the first day


def test_the_stated_seed_gives_the_sample(source: SampleSource, factors: dict[Month, dict[str, float]]) -> None:
    again = seeded(source, factors, sample.SEED)
    np.testing.assert_allclose(again.to_numpy(), closes(source, "RUT").to_numpy(), rtol=1e-12)


# --- what it says of itself ---


def test_the_notes_say_what_is_real_and_what_is_not(source: SampleSource) -> None:
    real, rest = source.notes
    for fragment in (
        "not for decisions",
        "Real:",
        "S&P 500",
        "Nasdaq Composite",
        "Treasury bill",
        "1999-01-04 to 2018-11-30",
    ):
        assert fragment in real
    for fragment in (
        "Not real:", "stands in for the Nasdaq-100", "small caps are modelled", "simulated with seed 19990104",
        "S&P 500 1.9%", "Nasdaq 0.8%", "small caps 1.3%", "every fund is synthetic",
    ):  # fmt: skip
        assert fragment in rest


def test_each_series_says_whether_it_is_real(source: SampleSource) -> None:
    natures = {symbol: source.prices(symbol).provenance.nature for symbol in ("GSPC", "IXIC", "RUT")}
    assert natures == {"GSPC": "real", "IXIC": "real", "RUT": "modelled"}
    assert "simulated" in source.prices("RUT").provenance.note
    assert source.rate("RF").provenance.nature == "real"


def test_the_nasdaq_composite_stands_in_for_the_nasdaq_100(source: SampleSource) -> None:
    assert dict(source.stand_ins) == {"NASDAQ100": "IXIC"}


def test_an_unknown_symbol_or_rate_is_told_what_there_is(source: SampleSource) -> None:
    with pytest.raises(SymbolNotFound, match=r"no SPY, only GSPC, IXIC, RUT; .*--data FOLDER"):
        source.prices("SPY")
    with pytest.raises(SymbolNotFound, match=r"no rate DFF, only RF; write rate"):
        source.rate("DFF")


# --- files that are not the ones it was built on ---


@pytest.mark.parametrize(("name", "symbol"), [("sp500", "GSPC"), ("nasdaq", "IXIC"), ("frenchdata", "RUT")])
def test_a_changed_file_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, symbol: str) -> None:
    monkeypatch.setitem(sample.FILES, name, "0" * 64)
    with pytest.raises(DataError) as caught:
        SampleSource().prices(symbol)
    for fragment in (f"{name}.csv.gz", "changed", "arch>=8,<9", "--data FOLDER"):
        assert fragment in str(caught.value)


@pytest.fixture
def other_arch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that the sample takes for arch."""
    (tmp_path / "arch").mkdir()
    spec = importlib.machinery.ModuleSpec("arch", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path / "arch")]
    with monkeypatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda name, package=None: spec)
        yield tmp_path / "arch"


@pytest.mark.parametrize("damage", ["missing", "not gzip", "cut short", "broken inside", "empty"])
def test_a_damaged_file_is_refused_by_name(other_arch: Path, damage: str) -> None:
    raw = gzip.compress(b"Date,Close\n" * 1000)
    # 10 bytes of gzip's header, then a block of the type that does not exist.
    damaged = {"not gzip": b"hello", "cut short": raw[:-9], "broken inside": raw[:10] + b"\xff" * 100, "empty": b""}
    if damage != "missing":
        (other_arch / "data" / "sp500").mkdir(parents=True)
        (other_arch / "data" / "sp500" / "sp500.csv.gz").write_bytes(damaged[damage])
    with pytest.raises(DataError, match=r"sp500\.csv\.gz .*nstall"):
        SampleSource().prices("GSPC")


def test_without_arch_the_sample_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda name, package=None: None)
        with pytest.raises(DataError, match=r"pip install 'arch>=8,<9'"):
            SampleSource().prices("GSPC")


def test_reading_the_sample_does_not_import_arch() -> None:
    code = (
        "import sys\n"
        "from alphaoverlay.market.reading import read_history\n"
        "from alphaoverlay.market.sample import SampleSource\n"
        "read_history(SampleSource(), ['GSPC', 'IXIC', 'RUT'])\n"
        "print([name for name in ('arch', 'scipy', 'statsmodels') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
