"""The offline sample: two real indices, small caps built from real factors, and the real risk-free rate.

The values come from files that the `arch` package ships (S&P 500 and Nasdaq Composite daily prices, monthly Fama-French
factors). They are found on disk without importing arch, which takes seconds, and checked by hash.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import zlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from alphaoverlay.errors import DataError, SymbolNotFound
from alphaoverlay.history import FloatArray, Nature, PriceSeries, Provenance, RateSeries, iso

FIRST, LAST = pd.Timestamp("1999-01-04"), pd.Timestamp("2018-11-30")
SEED = 19990104

# sha256 of the unpacked files of arch 8.
FILES = {
    "sp500": "1c4d0aeed8db9284de8ad71e4063c97f645ad6dd13507f8e305338e96c396ba7",
    "nasdaq": "799ab0bf4a29129f23c27743098215c4033c139ff76dc935a1cd53d1aea9997e",
    "frenchdata": "179c4397ea50a3051764f2e7477408bf6644557d43d764342db060f42e842e4c",
}

# The fit of monthly Russell 2000 price growth on the factors, 1988-2018 (R2 0.976), docs/method.md "The sample".
MARKET, SIZE, VALUE, CONSTANT = 1.02, 0.80, 0.24, -0.0025
# The shape of a month: daily log returns before the constant that makes the month compound exactly.
ON_SP500, ON_NASDAQ, RESIDUAL = 0.67, 0.36, 0.0063

_WHAT: dict[str, tuple[str, Nature, str]] = {
    "GSPC": ("sp500", "real", "S&P 500 price index, daily closes"),
    "IXIC": ("nasdaq", "real", "Nasdaq Composite price index, daily closes"),
    "RUT": (
        "frenchdata",
        "modelled",
        "small caps: month-end growth fitted to the Russell 2000 from real factors, days inside a month simulated",
    ),
}


class SampleSource:
    """The packaged sample, 1999-01-04 to 2018-11-30: GSPC, IXIC, RUT (price indices) and the rate RF.

    Raises
    ------
    DataError : the files of arch are missing or are not the ones this sample was built on.
    """

    name = "sample"
    default_rate = "RF"
    accept: frozenset[str] = frozenset()
    stand_ins: Mapping[str, str] = MappingProxyType({"NASDAQ100": "IXIC"})
    notes = (
        "SAMPLE DATA, not for decisions. Real: daily closes of the S&P 500 and of the Nasdaq Composite, and the "
        "one-month Treasury bill rate, 1999-01-04 to 2018-11-30.",
        "Not real: the Nasdaq Composite stands in for the Nasdaq-100; small caps are modelled (month-end growth from "
        f"the real Fama-French factors, days inside a month simulated with seed {SEED}); dividends are constant "
        "yields (S&P 500 1.9%, Nasdaq 0.8%, small caps 1.3% a year); every fund is synthetic.",
    )

    @property
    def symbols(self) -> tuple[str, ...]:
        """What the sample has."""
        return tuple(_WHAT)

    def holds(self, symbol: str) -> bool:
        """Whether the sample has the symbol."""
        return symbol.lstrip("^").upper() in _WHAT

    def prices(self, symbol: str, since: str | None = None) -> PriceSeries:
        """Return one of GSPC, IXIC, RUT; price indices, so `adj_close` repeats `close`.

        Raises
        ------
        SymbolNotFound : the sample has no such symbol.
        """
        key = symbol.lstrip("^").upper()
        if key not in _WHAT:
            raise SymbolNotFound(
                f"the sample has no {symbol}, only {', '.join(_WHAT)}; give your own files with --data FOLDER"
            )
        place, nature, note = _WHAT[key]
        close = self._closes[key]
        provenance = Provenance(symbol, self.name, f"arch {place}", iso(FIRST), iso(LAST), len(close), nature, note)
        return PriceSeries(symbol, pd.DataFrame({"close": close, "adj_close": close}), provenance)

    def rate(self, name: str, since: str | None = None) -> RateSeries:
        """Return `RF`, the one-month bill rate of the factor file, as a yearly fraction.

        Raises
        ------
        SymbolNotFound : another rate was asked.
        """
        if name != "RF":
            raise SymbolNotFound(f'the sample has no rate {name}, only RF; write rate = "RF" or a fixed fraction')
        # A month's return accrues on the days since the previous month's end, as c*d with d = days / 360.
        months = pd.PeriodIndex(self._factors.index)
        ends = months.to_timestamp(how="end").normalize()
        days = months.days_in_month.to_numpy(dtype=np.float64)
        # Dated the day before the month begins: that is where the month's first accrual starts.
        starts = ends - pd.to_timedelta(days, unit="D")
        values = pd.Series(self._factors["RF"].to_numpy() / days * 360.0, index=starts, name=name)
        note = "one-month Treasury bill, monthly, in the place of the effective federal funds rate"
        provenance = Provenance(
            name, self.name, "arch frenchdata", iso(starts[0]), iso(LAST), len(values), "real", note
        )
        return RateSeries(name, values, provenance)

    @cached_property
    def _factors(self) -> pd.DataFrame:
        """Monthly factors of the sample's months as fractions, by period."""
        table = _read_packaged("frenchdata")
        table.index = pd.PeriodIndex(pd.to_datetime(table.pop("Date").astype(str), format="%Y%m"), freq="M")
        return table.loc[FIRST.to_period("M") : LAST.to_period("M")] / 100.0

    @cached_property
    def _closes(self) -> dict[str, pd.Series]:
        real = {}
        for symbol, file in (("GSPC", "sp500"), ("IXIC", "nasdaq")):
            table = _read_packaged(file)
            index = pd.DatetimeIndex(pd.to_datetime(table["Date"], format="%m/%d/%Y").astype("datetime64[ns]"))
            real[symbol] = pd.Series(table["Close"].to_numpy(dtype=np.float64), index=index).loc[FIRST:LAST]
        if not real["GSPC"].index.equals(real["IXIC"].index):
            raise DataError("the sample's two index files have different sessions; install arch 8 again")
        return real | {"RUT": small_caps(real["GSPC"], real["IXIC"], self._factors)}


def small_caps(sp500: pd.Series, nasdaq: pd.Series, factors: pd.DataFrame, seed: int = SEED) -> pd.Series:
    """Build daily small-cap closes from two daily indices and monthly factors.

    Month-end price growth is `RF + 1.02*MktRF + 0.80*SMB + 0.24*HML - 0.0025`; inside a month the daily log return is
    `0.67*S&P + 0.36*Nasdaq + N(0, 0.0063^2)` plus one constant, so that the month compounds exactly. The first session
    has no return; its month gets the growth to the power of its share of sessions.

    Returns
    -------
    Closes on the sessions of `sp500`, 100 on the first.
    """
    # RandomState's stream is frozen by numpy for good; a Generator's may change between releases.
    noise = np.random.RandomState(seed).standard_normal(len(sp500)) * RESIDUAL
    shape = ON_SP500 * _log_returns(sp500) + ON_NASDAQ * _log_returns(nasdaq) + noise
    shape[0] = 0.0
    growth = factors["RF"] + MARKET * factors["Mkt-RF"] + SIZE * factors["SMB"] + VALUE * factors["HML"] + CONSTANT
    log_growth = np.log1p(growth)
    months = pd.DatetimeIndex(sp500.index).to_period("M")
    for month in months.unique():
        here = np.flatnonzero(months == month)
        wanted = float(log_growth[month])
        if here[0] == 0:
            wanted *= (len(here) - 1) / len(here)
            here = here[1:]
        shape[here] += (wanted - shape[here].sum()) / len(here)
    return pd.Series(100.0 * np.exp(np.cumsum(shape)), index=sp500.index)


def _log_returns(close: pd.Series) -> FloatArray:
    return np.diff(np.log(close.to_numpy(dtype=np.float64)), prepend=np.nan)


def _read_packaged(name: str) -> pd.DataFrame:
    """Read one of arch's files after checking that it is the one the sample was built on."""
    spec = importlib.util.find_spec("arch")
    places = list(spec.submodule_search_locations or []) if spec else []
    if not places:
        raise DataError("the sample needs the package arch; install it with: pip install 'arch>=8,<9'")
    path = Path(places[0]) / "data" / name / f"{name}.csv.gz"
    try:
        raw = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"the sample's file {path.name} cannot be read ({error}); install arch 8 again") from None
    if hashlib.sha256(raw).hexdigest() != FILES[name]:
        raise DataError(
            f"the sample's file {path.name} is not the one of arch 8.0: its contents changed. "
            "Install 'arch>=8,<9', or give your own files with --data FOLDER"
        )
    return pd.read_csv(io.BytesIO(raw))
