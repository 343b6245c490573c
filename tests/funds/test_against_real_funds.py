"""The catalogue and M1 against the real funds' history (skipped where there is no reference data)."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.second_opinion import read_prices

from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.tracking import Tracking
from alphaoverlay.history import History
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.reading import read_history
from alphaoverlay.study.tracked import read_tracking

CATALOGUE = load_catalogue()
LEVERAGED = ["SSO", "UPRO", "TQQQ", "TNA", "UWM", "SH", "TWM", "SQQQ"]
PLAIN = {"SP500": "SPY", "NASDAQ100": "QQQ", "RUSSELL2000": "IWM"}
# The reference history of TNA begins two weeks after the inception that was read for it.
LATE_HISTORY = {"TNA": datetime.timedelta(days=14)}


@pytest.fixture(scope="module")
def history(reference_data: Path) -> History:
    return read_history(FolderSource(reference_data), [*LEVERAGED, *PLAIN.values()])


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


@pytest.fixture(scope="module")
def tracked(reference_data: Path) -> dict[str, dict[str, Tracking]]:
    """Each leveraged fund against its synthetic one at the default spread, over its whole life and since 2010."""
    source = FolderSource(reference_data)
    spans = {"whole life": None, "since 2010": "2010-01-01"}
    return {
        span: {symbol: read_tracking(symbol, source, CATALOGUE, start=start).tracking for symbol in LEVERAGED}
        for span, start in spans.items()
    }


@pytest.mark.parametrize("span", ["whole life", "since 2010"])
def test_synthetic_funds_end_within_a_quarter_percent_a_year_of_the_real_ones(
    tracked: dict[str, dict[str, Tracking]], span: str
) -> None:
    differences = {symbol: abs(one.default.difference) for symbol, one in tracked[span].items()}
    assert max(differences.values()) <= 0.0025, differences
    assert np.mean(list(differences.values())) <= 0.0010, differences
    first = {"whole life": 2006, "since 2010": 2010}[span]
    assert min(one.history.dates[0].year for one in tracked[span].values()) == first
    assert {f"{one.history.dates[-1]:%Y-%m-%d}" for one in tracked[span].values()} == {"2021-12-31"}


def test_synthetic_funds_move_as_the_real_ones_since_2010(tracked: dict[str, dict[str, Tracking]]) -> None:
    """By the day on the plain fund, which closes when they do; by the week on the default index series."""
    for symbol, one in tracked["since 2010"].items():
        assert one.r_squared is not None
        assert one.r_squared >= 0.995, symbol
        assert one.default.r_squared_weekly >= 0.995, symbol
