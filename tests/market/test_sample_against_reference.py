"""The packaged sample against the real market, where the reference data are at hand."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.second_opinion import read_prices

from alphaoverlay.market.sample import SampleSource

FIRST, LAST = date(1999, 1, 4), date(2018, 11, 30)
SYMBOLS = ("GSPC", "IXIC", "RUT")


@pytest.fixture(scope="module")
def real(reference_data: Path) -> pd.DataFrame:
    """Real closes of the three indices over the sample's span."""
    columns = {}
    for symbol in SYMBOLS:
        prices = read_prices(reference_data / "prices" / f"{symbol}.csv")
        columns[symbol] = {pd.Timestamp(day): close for day, (close, _) in prices.items() if FIRST <= day <= LAST}
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def sampled() -> pd.DataFrame:
    source = SampleSource()
    return pd.DataFrame({symbol: source.prices(symbol).frame["close"] for symbol in SYMBOLS})


def log_returns(closes: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(np.log(closes.to_numpy(dtype=float)), closes.index, closes.columns).diff().iloc[1:]


def volatility(returns: pd.Series) -> float:
    return float(returns.std()) * math.sqrt(252)


@pytest.mark.parametrize("symbol", ["GSPC", "IXIC"])
def test_the_real_indices_are_the_reference_on_every_session(
    sampled: pd.DataFrame, real: pd.DataFrame, symbol: str
) -> None:
    assert list(sampled.index) == list(real.index)
    np.testing.assert_allclose(sampled[symbol].to_numpy(), real[symbol].to_numpy(dtype=float), rtol=1e-6)


def test_small_cap_volatility_is_the_russell_2000s(sampled: pd.DataFrame, real: pd.DataFrame) -> None:
    assert volatility(log_returns(sampled)["RUT"]) == pytest.approx(volatility(log_returns(real)["RUT"]), abs=0.02)


@pytest.mark.parametrize("other", ["GSPC", "IXIC"])
def test_small_cap_correlations_are_the_russell_2000s(sampled: pd.DataFrame, real: pd.DataFrame, other: str) -> None:
    ours, theirs = log_returns(sampled).corr(), log_returns(real).corr()
    assert ours.loc["RUT", other] == pytest.approx(theirs.loc["RUT", other], abs=0.03)


def test_small_minus_nasdaq_volatility_is_the_real_one(sampled: pd.DataFrame, real: pd.DataFrame) -> None:
    ours, theirs = (volatility(r["RUT"] - r["IXIC"]) for r in map(log_returns, (sampled, real)))
    assert ours == pytest.approx(theirs, abs=0.02)


def test_small_cap_growth_over_the_whole_span_is_near_the_russell_2000s(
    sampled: pd.DataFrame, real: pd.DataFrame
) -> None:
    """The monthly fit has an R2 of 0.976: over twenty years within one point a year."""
    years = (LAST - FIRST).days / 365.25
    ours, theirs = (float(np.log(float(c["RUT"].iloc[-1]) / float(c["RUT"].iloc[0]))) for c in (sampled, real))
    assert ours / years == pytest.approx(theirs / years, abs=0.01)
