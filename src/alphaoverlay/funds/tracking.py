"""A real fund beside its synthetic one: what M1 misses, by how much, when and why (method, "Tracking")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from alphaoverlay.errors import DataError, SpanError
from alphaoverlay.funds.awkward import Finding, awkward_prices
from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.funds.formulas import OTHER_FORMULAS
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.fund_returns import real_returns
from alphaoverlay.funds.gaps import Comparison, GapDay, compare, gap_days, log_gap, squared_correlation, yearly_gaps
from alphaoverlay.funds.index_returns import IndexReturns, build_index_returns
from alphaoverlay.funds.long_horizon import LongHorizon, long_horizon
from alphaoverlay.funds.synthesis import synthetic_returns
from alphaoverlay.history import DAYS_A_YEAR, FloatArray, History, iso

# Below this a yearly difference is noise: a fund's price alone is off its value by more.
FEWEST_SESSIONS = 60


@dataclass(frozen=True)
class Premium:
    """Price over net asset value, as fractions."""

    mean: float
    low: float
    high: float
    worst: float
    worst_day: pd.Timestamp
    first: float
    last: float


@dataclass(frozen=True)
class Tracking:
    """A fund's real returns against its synthetic ones.

    Attributes
    ----------
    fund : its terms.
    history : the sessions compared; the first is the close that the first return starts from.
    real, synthetic : simple returns of each session after the first.
    plain_symbol : the plain fund on the same index, or None.
    plain : its simple returns, as given; built_on_plain: M1 built on it (its expense added back).
    indices : the index series used.
    default, on_plain : gaps with the default index series, and with the plain fund in its place.
    others : gaps of other formulas, for comparison.
    beta : slope of the fund's daily return on the plain fund's, which should be its leverage.
    r_squared : daily, of the real returns on `built_on_plain`; None where there is no plain fund.
    by_year : rows are calendar years.
    worst_days : largest daily gaps, each with a likely cause.
    horizon : M2 beside M1; None for a fund on several indices.
    premium : where the data have net asset values.
    findings : what is awkward in the prices.
    """

    fund: Fund
    history: History
    real: pd.Series
    synthetic: pd.Series
    plain_symbol: str | None
    plain: pd.Series | None
    built_on_plain: pd.Series | None
    indices: Mapping[str, IndexReturns]
    default: Comparison
    on_plain: Comparison | None
    others: tuple[Comparison, ...]
    beta: float | None
    r_squared: float | None
    by_year: pd.DataFrame
    worst_days: tuple[GapDay, ...]
    horizon: LongHorizon | None
    premium: Premium | None
    findings: tuple[Finding, ...]

    @property
    def circular(self) -> str:
        """Say where the fund's own prices are in its index series, so that it agrees with itself; empty where not."""
        own = {
            part.kind
            for one in self.indices.values()
            for part in one.spans
            if self.fund.symbol in part.symbols
            and part.first <= self.history.dates[-1]
            and part.last >= self.history.dates[0]
        }
        symbol = self.fund.symbol
        if "plain fund, expense added back" in own:
            return (
                f"The only series of {', '.join(self.fund.exposures)} in the data is {symbol} itself, its expense "
                "added back: it agrees with itself by construction, and nothing is proven."
            )
        if own:
            return (
                f"The dividends of {', '.join(self.fund.exposures)} are read off {symbol} itself, so the tracking "
                "difference is small by construction; the daily figures are not."
            )
        return ""

    @cached_property
    def part_years(self) -> frozenset[int]:
        """Calendar years of which not every session of the exchange was compared."""
        whole = pd.Series(1, index=self.history.exchange_sessions)
        expected = whole.groupby(pd.DatetimeIndex(whole.index).year).sum()
        sessions = self.by_year["sessions"]
        return frozenset(int(y) for y, n in zip(sessions.index, sessions, strict=True) if n < expected.loc[y])

    @property
    def years(self) -> float:
        """Calendar days over 365.25."""
        return float(self.history.days[1:].sum()) / DAYS_A_YEAR

    @cached_property
    def telltale(self) -> pd.DataFrame:
        """Growth of the synthetic fund over the real one's, from 1.0: flat where they agree."""
        columns = {"default": self.synthetic}
        if self.built_on_plain is not None:
            columns["plain"] = self.built_on_plain
        gaps = {name: log_gap(self.real, values) for name, values in columns.items()}
        grown = pd.DataFrame(gaps).cumsum().apply(np.exp)  # what is unknown stays a gap
        start = pd.DataFrame(1.0, index=self.history.dates[:1], columns=grown.columns)
        return pd.concat([start, grown])


def track_fund(
    fund: Fund,
    history: History,
    catalogue: Catalogue,
    indices: Mapping[str, IndexReturns],
    start: str | None = None,
    end: str | None = None,
    against: Mapping[str, pd.Series] | None = None,
) -> Tracking:
    """Compare a fund's real returns with M1 on every session on which both are known.

    Parameters
    ----------
    fund : with a column of prices in the history.
    history : prices of the fund, of its index and of its plain funds.
    catalogue : terms of the plain funds.
    indices : default index returns on the history's sessions, of the fund's present and former indices.
    start, end : first and last close to compare; the fund's whole life where None.
    against : other ways of building the fund: simple returns on the history's sessions by name.

    Raises
    ------
    DataError : no prices of the fund, or no series of its index.
    SpanError : fewer than `FEWEST_SESSIONS` sessions to compare.
    """
    known = {name: one.returns for name, one in indices.items()}
    if missing := [name for name in fund.exposures if name not in known]:
        raise DataError(f"no series of {', '.join(missing)}, which {fund.symbol} follows: add one to the data")
    real = real_returns(fund, history)
    built = synthetic_returns(fund, known, history, as_it_was=True).to_numpy(dtype=np.float64)
    rows = _rows(fund, real, built, history, start, end)
    span = history.between(history.dates[rows[0] - 1], history.dates[rows[-1]])
    dates = history.dates[rows]
    series = {"real": pd.Series(real[rows], index=dates), "synthetic": pd.Series(built[rows], index=dates)}
    others = {name: formula(fund, known, history) for name, formula in OTHER_FORMULAS.items()} | dict(against or {})
    plain_symbol = _plain_symbol(fund, history, catalogue)
    plain = built_on_plain = on_plain = None
    beta = r_squared = None
    if plain_symbol is not None:
        plain = history.total_returns[plain_symbol].iloc[rows]
        built_on_plain = _on_plain(fund, plain_symbol, history, catalogue).iloc[rows]
        both = ~np.isnan(built_on_plain.to_numpy(dtype=np.float64))
        if fund.index_since is not None:  # the plain fund says nothing of another index
            both &= np.asarray(dates > pd.Timestamp(fund.index_since))
        if both.sum() >= FEWEST_SESSIONS:
            beta = _slope(plain.to_numpy()[both], real[rows][both])
            r_squared = _known(squared_correlation(built_on_plain.to_numpy()[both], real[rows][both]))
            label = f"plain fund {plain_symbol}, its expense added back"
            on_plain = compare(label, series["real"], built_on_plain.where(both), span)
    return Tracking(
        fund=fund,
        history=span,
        real=series["real"],
        synthetic=series["synthetic"],
        plain_symbol=plain_symbol,
        plain=plain,
        built_on_plain=built_on_plain,
        indices=indices,
        default=compare("default index series", series["real"], series["synthetic"], span),
        on_plain=on_plain,
        others=tuple(compare(name, series["real"], values.iloc[rows], span) for name, values in others.items()),
        beta=beta,
        r_squared=r_squared,
        by_year=yearly_gaps(series["real"], series["synthetic"]),
        worst_days=gap_days(fund, series["real"], series["synthetic"], plain_symbol, history),
        horizon=long_horizon(fund, known, history, rows),
        premium=_premium(fund.symbol, span),
        findings=awkward_prices(fund, series["real"], series["synthetic"], plain_symbol, indices, history),
    )


def _rows(
    fund: Fund, real: FloatArray, built: FloatArray, history: History, start: str | None, end: str | None
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Sessions whose return counts: both known, the close before it inside the span."""
    if np.isnan(real).all():
        held = [one for one in history.provenance if one.name == fund.symbol]
        where = f"the prices of {fund.symbol} run from {held[0].first} to {held[0].last}" if held else "there are none"
        raise DataError(f"no prices of {fund.symbol} in the asked span, and a fund is tracked against its own: {where}")
    if np.isnan(built).all():
        raise DataError(f"no index series to build {fund.symbol} from on any session")
    dates = history.dates
    counted = ~np.isnan(real) & ~np.isnan(built)
    if start is not None:
        counted &= np.asarray(np.concatenate((dates[:1], dates[:-1])) >= np.datetime64(pd.Timestamp(start)))
    if end is not None:
        counted &= np.asarray(dates <= pd.Timestamp(end))
    rows = np.flatnonzero(counted)
    if len(rows) < FEWEST_SESSIONS:
        priced = history.adj_close[fund.symbol].dropna().index
        raise SpanError(
            f"{len(rows)} sessions on which both {fund.symbol} and its index are known, too few to compare (at least "
            f"{FEWEST_SESSIONS}); the prices of {fund.symbol} run from {iso(priced[0])} to {iso(priced[-1])}"
        )
    if rows[-1] - rows[0] + 1 > len(rows):
        gap = int(np.setdiff1d(np.arange(rows[0], rows[-1]), rows)[0])
        raise SpanError(
            f"the index of {fund.symbol} is unknown on {iso(dates[gap])}, inside the compared span: ask for --start "
            "after it"
        )
    return rows


def _plain_symbol(fund: Fund, history: History, catalogue: Catalogue) -> str | None:
    """First plain fund on the fund's only index that has prices and is another fund."""
    if len(fund.exposures) != 1:
        return None
    [name] = fund.exposures
    held = (s for s in catalogue.index(name).plain if s in history.adj_close.columns and s != fund.symbol)
    return next(held, None)


def _on_plain(fund: Fund, plain: str, history: History, catalogue: Catalogue) -> pd.Series:
    """M1 with the plain fund, its expense added back, in the index's place."""
    [name] = fund.exposures
    index = replace(catalogue.index(name), total_return=(), price=(), plain=(plain,))
    return synthetic_returns(fund, {name: build_index_returns(index, history, catalogue).returns}, history)


def _slope(x: FloatArray, y: FloatArray) -> float | None:
    away = x - x.mean()
    spread = float(away @ away)
    return float(away @ (y - y.mean())) / spread if spread > 0.0 else None


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _premium(symbol: str, span: History) -> Premium | None:
    if symbol not in span.nav.columns:
        return None
    premium = (span.close[symbol] / span.nav[symbol] - 1.0).dropna()
    if premium.empty:
        return None
    low, high = np.quantile(premium.to_numpy(dtype=np.float64), [0.05, 0.95])
    worst = int(premium.abs().to_numpy().argmax())
    return Premium(
        mean=float(premium.mean()),
        low=float(low),
        high=float(high),
        worst=float(premium.iloc[worst]),
        worst_day=premium.index[worst],
        first=float(premium.iloc[0]),
        last=float(premium.iloc[-1]),
    )
