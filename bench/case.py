"""The founding case on prices that any peer can take: the sample's synthetic funds as growth of 1."""

from __future__ import annotations

import numpy as np
import pandas as pd

import alphaoverlay as ao
from alphaoverlay.study.market_data import read_study_data, study_fund_returns
from bench.peer_bt import WEIGHTS


def founding_case() -> ao.FundReturns:
    """Return 13 years of the four funds' returns."""
    catalogue = ao.load_catalogue()
    funds = [catalogue.fund(symbol) for symbol in WEIGHTS]
    indices = dict.fromkeys(index for fund in funds for index in fund.exposures)
    data = read_study_data(ao.SampleSource(), catalogue, indices, funds, None, None, None)
    return study_fund_returns(data, funds, synthetic=True).span("2005-11-30", "2018-11-30")


def prices(returns: ao.FundReturns) -> pd.DataFrame:
    """Return growth of 100 by fund."""
    growth: pd.DataFrame = 100.0 * (1.0 + returns.returns.fillna(0.0)).cumprod()
    return growth


def fifty_years() -> tuple[ao.History, dict[str, pd.Series]]:
    """Return 50 years of weekdays with a rate, and random returns of the three indices on them."""
    dates = pd.bdate_range("1971-01-01", "2020-12-31")
    draw = np.random.default_rng(1)
    history = ao.History(
        dates=dates,
        close=pd.DataFrame(index=dates),
        adj_close=pd.DataFrame(index=dates),
        rate=pd.Series(0.04, index=dates),
        exchange_sessions=dates,
    )
    names = ("SP500", "NASDAQ100", "RUSSELL2000")
    return history, {name: pd.Series(0.01 * draw.standard_normal(len(dates)), index=dates) for name in names}
