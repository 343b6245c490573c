"""The catalogue and M1 against the real funds' history (skipped where there is no reference data)."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.second_opinion import read_prices

from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.index_returns import build_index_returns
from alphaoverlay.funds.synthesis import synthetic_returns
from alphaoverlay.history import History
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.reading import read_history

CATALOGUE = load_catalogue()
LEVERAGED = ["SSO", "UPRO", "TQQQ", "TNA", "UWM", "SH", "TWM", "SQQQ"]
PLAIN = {"SP500": "SPY", "NASDAQ100": "QQQ", "RUSSELL2000": "IWM"}
# The reference history of TNA begins two weeks after the inception that was read for it.
LATE_HISTORY = {"TNA": datetime.timedelta(days=14)}


@pytest.fixture(scope="module")
def history(reference_data: Path) -> History:
    symbols = [*LEVERAGED, *PLAIN.values(), "SP500TR", "GSPC", "NDX", "RUT"]
    return read_history(FolderSource(reference_data), symbols)


@pytest.fixture(scope="module")
def index_returns(history: History) -> dict[str, pd.Series]:
    return {name: build_index_returns(CATALOGUE.index(name), history, CATALOGUE).returns for name in PLAIN}


def held(reference_data: Path) -> dict[str, Fund]:
    """The catalogue's funds that have a file of prices."""
    files = {path.stem for path in (reference_data / "prices").glob("*.csv")}
    return {symbol: fund for symbol, fund in CATALOGUE.funds.items() if symbol in files}


def test_inceptions_are_just_before_the_first_price(reference_data: Path) -> None:
    funds = held(reference_data)
    assert len(funds) >= 13
    for symbol, fund in funds.items():
        first = min(read_prices(reference_data / "prices" / f"{symbol}.csv"))
        assert fund.inception is not None
        gap = first - fund.inception
        assert datetime.timedelta(0) <= gap <= LATE_HISTORY.get(symbol, datetime.timedelta(days=10)), symbol


def test_no_fund_has_a_price_before_its_first_trade(reference_data: Path) -> None:
    for symbol, fund in held(reference_data).items():
        if fund.first_trade is not None:
            first = min(read_prices(reference_data / "prices" / f"{symbol}.csv"))
            assert fund.first_trade <= first, symbol


@pytest.mark.parametrize("symbol", LEVERAGED)
def test_the_beta_to_the_plain_fund_is_the_leverage(symbol: str, history: History) -> None:
    fund = CATALOGUE.fund(symbol)
    [index] = fund.exposures
    closes = history.adj_close[[symbol, PLAIN[index]]]
    own, plain = (closes[name].pct_change(fill_method=None).loc["2012":"2021"].to_numpy() for name in closes)
    slope = np.polyfit(plain, own, 1)[0]
    assert slope == pytest.approx(fund.leverage, abs=0.1)


def tracking(symbol: str, history: History, index_returns: dict[str, pd.Series]) -> tuple[float, float]:
    """Difference of annualised log returns, synthetic minus real, and weekly R2, over 2010 to 2021."""
    both = pd.DataFrame(
        {
            "real": np.log(history.adj_close[symbol]).diff(),
            "built": np.log1p(synthetic_returns(CATALOGUE.fund(symbol), index_returns, history)),
        }
    )
    both = both.loc["2010":"2021"].dropna()
    years = (both.index[-1] - both.index[0]).days / 365.25
    difference = float((both["built"] - both["real"]).sum()) / years
    weekly = both.groupby(pd.PeriodIndex(both.index, freq="W")).sum()
    missed = float(((weekly["real"] - weekly["built"]) ** 2).sum())
    r_squared = 1.0 - missed / float(((weekly["real"] - weekly["real"].mean()) ** 2).sum())
    return difference, r_squared


def test_synthetic_funds_track_the_real_ones(history: History, index_returns: dict[str, pd.Series]) -> None:
    """With one provisional spread for all, the two inverse funds with the highest own costs set the bounds."""
    seen = {symbol: tracking(symbol, history, index_returns) for symbol in LEVERAGED}
    differences = {symbol: abs(difference) for symbol, (difference, _) in seen.items()}
    assert max(differences.values()) < 0.018, differences
    assert np.mean(list(differences.values())) < 0.006, differences
    assert min(r_squared for _, r_squared in seen.values()) > 0.99, seen
