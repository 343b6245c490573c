"""What lies ahead of a study: its portfolio as of a day, the sessions that follow, and what its paths are made from."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from alphaoverlay.engine.costs import Liquidity, TradingCosts
from alphaoverlay.engine.path_running import PathRunner, prepare_paths
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CALENDARS, CalendarRule
from alphaoverlay.errors import DataError, SpanError, StudyError, did_you_mean
from alphaoverlay.funds.catalogue import Catalogue, load_catalogue
from alphaoverlay.funds.expenses import as_of
from alphaoverlay.funds.fund_returns import FundReturns
from alphaoverlay.history import FloatArray, History, iso
from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.source import Source
from alphaoverlay.overlays.portfolio import Portfolio, indices_of
from alphaoverlay.overlays.risk import SESSIONS_A_YEAR
from alphaoverlay.scenarios.horizon import sessions_ahead
from alphaoverlay.scenarios.joint_days import JointDays
from alphaoverlay.study.designing import Choice, StudyDesign, choose, describe, needed_indices
from alphaoverlay.study.load import Study
from alphaoverlay.study.market_data import StudyData, read_study_data, study_fund_returns
from alphaoverlay.study.run import sized_notes
from alphaoverlay.study.sized_overlay import SizedOverlay, read_sizes
from alphaoverlay.study.tables import iso_day

# Fifty years.
MOST_SESSIONS = 12_600
A_WEEK = 5


@dataclass(frozen=True)
class Ahead:
    """A study as of a day.

    Attributes
    ----------
    study : what was asked; its start says only as of when data must be without holes.
    design : the portfolio held, its benchmark, carry and risk as of the day; funds with the expense ratio of that day.
    every : returns of all funds on all of the past.
    costs : of those funds in the past.
    quiet_costs : the same without what volatile days add, as they are held ahead.
    asof : the last session looked at, on which the portfolio is bought.
    source : name of the data source.
    notes : sentences that every output must carry.
    """

    study: Study
    design: StudyDesign
    every: FundReturns
    costs: TradingCosts
    quiet_costs: TradingCosts
    asof: pd.Timestamp
    source: str
    notes: tuple[str, ...]

    @property
    def portfolio(self) -> Portfolio:
        """What is bought."""
        return self.design.portfolio

    @property
    def benchmark(self) -> Portfolio:
        """What it is compared with."""
        return self.design.benchmark

    @property
    def rate(self) -> float:
        """The financing rate of the day, which is held."""
        return self.design.rate

    @property
    def data(self) -> StudyData:
        """The history, and the indices' returns."""
        return self.design.data

    @property
    def names(self) -> tuple[str, ...]:
        """The indices of portfolio and benchmark."""
        return indices_of((*self.portfolio.funds, *self.benchmark.funds))

    @property
    def rule(self) -> RebalancingRule:
        """The study's own."""
        return self.study.rebalance.build()

    def without_flows(self) -> Ahead:
        """Return the same study without cash flows."""
        return replace(self, study=self.study.model_copy(update={"flows": []}))

    def joint_days(self, names: Sequence[str], window: int | None = None) -> JointDays:
        """Return the indices' returns on the sessions up to the day on which all are known.

        Raises
        ------
        StudyError : nothing but cash is held, or too small a window.
        DataError : no series of an index, or too few sessions.
        """
        if not names:
            raise StudyError(f"on {iso(self.asof)} portfolio and benchmark hold nothing but cash: no path moves them")
        if missing := [name for name in names if name not in self.data.indices]:
            raise DataError(f"no series of {', '.join(missing)} in {self.source}, and paths are made from them")
        return JointDays.of({name: self.data.indices[name].returns for name in names}, self.asof, window)

    def sessions(self, number: int) -> History:
        """Return the sessions ahead, the day itself first.

        Raises
        ------
        SpanError : none or too many are asked for, or the calendar ends before.
        """
        if not 1 <= number <= MOST_SESSIONS:
            raise SpanError(f"sessions = {number}: write 1 to {MOST_SESSIONS:,} (252 are a year)")
        exchange = self.data.history.exchange_sessions
        # The horizon's last week, and the day's own, must be known whole: their ends say when a rule trades.
        if len(exchange) - int(exchange.searchsorted(self.asof)) <= number + A_WEEK:
            exchange = exchange_sessions(self.asof.year - 1, self.asof.year + number // SESSIONS_A_YEAR + 2)
        return sessions_ahead(self.asof, number, self.rate, exchange)

    def runner(
        self, portfolio: Portfolio, history: History, names: Sequence[str], rule: RebalancingRule | None = None
    ) -> PathRunner:
        """Prepare a portfolio for the sessions ahead, under the study's rule or another, as far as it means something.

        Raises
        ------
        AlphaOverlayError : as `prepare_paths`.
        """
        base, wanted = self.benchmark.exposures, rule or self.rule
        if portfolio is not self.portfolio:
            weights = np.asarray([portfolio.weights], dtype=np.float64)
            wanted = wanted.for_another(portfolio.funds, weights, base)
        return prepare_paths(
            portfolio,
            history,
            names,
            wanted,
            costs_ahead(self.quiet_costs, self.every, history.dates),
            flows=self.study.cash_flows,
            cash=self.study.cash.terms(),
            benchmark=base,
        )


def named_rules(names: Sequence[str]) -> dict[str, RebalancingRule]:
    """Return rules by the names of their calendars.

    Raises
    ------
    StudyError : a name that is none.
    """
    for name in names:
        if name not in CALENDARS:
            raise StudyError(f"rule {name!r}: write one of {', '.join(CALENDARS)}.{did_you_mean(name, CALENDARS)}")
    return {name: RebalancingRule(CalendarRule(name)) for name in CALENDARS if name in names}


def read_ahead(
    study: Study, source: Source, catalogue: Catalogue | None, asof: str | None, also: Sequence[str] = ()
) -> Ahead:
    """Read a study as of a day; nothing later is looked at.

    Parameters
    ----------
    study, source, catalogue : as for `run_study`; the portfolio is designed on all data up to the day.
    asof : ISO date; the study's end, or the last day of the data where None.
    also : further indices that paths are to have.

    Raises
    ------
    AlphaOverlayError : a mistake in the study or the data; the message says where.
    """
    catalogue = catalogue or load_catalogue(study.funds.file)
    until = study.end if asof is None else datetime.date.fromisoformat(iso_day("asof", asof))
    past = study.model_copy(update={"start": None, "end": until})
    choice = choose(past, source, catalogue, hindsight=True)
    sized = None
    if past.signal is not None and past.sized:
        sized = read_sizes(past.signal, choice.by_size, source, catalogue, past.days[1])
    more = () if sized is None else tuple(sized.levels.history.adj_close.columns)
    names = tuple(dict.fromkeys([*needed_indices(choice), *also]))
    sound, until_day = _sound_from(study, until), past.days[1]
    data = read_study_data(source, catalogue, names, choice.funds, past.cash.build(), sound, until_day, more)
    last = _last_session(data, names, until_day)
    held, about = _held(choice, sized, last)
    every = study_fund_returns(data, choice.funds, synthetic=study.funds.synthetic)
    every = every.between(every.history.dates[0], last)
    names_of = {fund.symbol for fund in choice.funds}
    # Without its signal, as the numbers are those of the size that is held and not of the whole overlay.
    design = describe(past.model_copy(update={"signal": None}), _at_terms_of(held, last), data, last)
    return Ahead(
        study=study,
        design=design,
        every=every,
        costs=study.costs.build(every, study.capital, names_of),
        quiet_costs=study.costs.model_copy(update={"widen": 1.0}).build(every, study.capital, names_of),
        asof=last,
        source=source.name,
        notes=(*data.notes, *sized_notes(sized, data), *about, *design.notes),
    )


def _sound_from(study: Study, until: datetime.date | None) -> str | None:
    """The study's start, from which on data must be sound: a hole before it shortens the past, as in a run."""
    return study.days[0] if study.start is not None and (until is None or study.start < until) else None


def _last_session(data: StudyData, names: Sequence[str], asked: str | None) -> pd.Timestamp:
    """The last session on which every index is known; an asked day must not be much later."""
    known = pd.DataFrame({name: data.indices[name].returns for name in names if name in data.indices}).dropna()
    if not len(known):
        raise DataError(f"no session on which {', '.join(names)} are all known")
    last = pd.Timestamp(known.index[-1])
    if asked is not None and (late := pd.Timestamp(asked) - last).days > 7:
        raise SpanError(
            f"the data end on {iso(last)}, {late.days} days before {asked}; add later data, or ask for less"
        )
    return last


def _held(choice: Choice, sized: SizedOverlay | None, day: pd.Timestamp) -> tuple[Choice, tuple[str, ...]]:
    """The portfolio at the size that the signal decided last."""
    if sized is None:
        return choice, ()
    size = float(sized.decided(pd.DatetimeIndex([day])).iloc[0])
    note = (
        f"The signal decided on size {size:g} by {iso(day)}: that size is held on every path. A signal cannot be "
        "computed ahead on a simulated path."
    )
    return replace(choice, portfolio=sized.portfolios[size]), (note,)


def _at_terms_of(choice: Choice, day: pd.Timestamp) -> Choice:
    """The same choice in funds with the expense ratios of a day: later ones are not known on it."""

    def then(one: Portfolio) -> Portfolio:
        return replace(one, funds=tuple(as_of(fund, day) for fund in one.funds))

    return replace(choice, portfolio=then(choice.portfolio), benchmark=then(choice.benchmark))


def costs_ahead(costs: TradingCosts, every: FundReturns, dates: pd.DatetimeIndex) -> TradingCosts:
    """Return the costs of the last day of the past, held on the sessions ahead.

    Raises
    ------
    DataError : a price that a cost a share needs is unknown.
    """
    symbols = [fund.symbol for fund in every.funds]
    spreads = costs.half_spread_bps
    if costs.per_share:
        last = every.history.close.reindex(columns=symbols).ffill().iloc[-1]
        if missing := [symbol for symbol in symbols if not last[symbol] > 0.0]:
            raise DataError(f"costs.per_share needs closing prices, and there are none of {', '.join(missing)}")
        spreads = {s: _last_spread(spreads, s) + 10_000.0 * costs.per_share / float(last[s]) for s in symbols}
    liquidity = costs.liquidity
    if liquidity is not None:
        liquidity = Liquidity(_held_on(liquidity.dollar_volume, dates), _held_on(liquidity.volatility, dates))
    return replace(costs, half_spread_bps=spreads, per_share=0.0, liquidity=liquidity)


def _last_spread(spreads: float | Mapping[str, float | pd.Series], symbol: str) -> float:
    given = spreads[symbol] if isinstance(spreads, Mapping) else spreads
    return float(given.dropna().iloc[-1]) if isinstance(given, pd.Series) else float(given)


def _held_on(frame: pd.DataFrame, dates: pd.DatetimeIndex) -> pd.DataFrame:
    last: FloatArray = frame.ffill().iloc[-1:].to_numpy(dtype=np.float64)
    return pd.DataFrame(np.repeat(last, len(dates), axis=0), index=dates, columns=frame.columns)
