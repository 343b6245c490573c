"""From a study's wanted exposures, or its given weights, to a portfolio with its carry and ex-ante risk."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from alphaoverlay.engine.schedule import REBALANCES_A_YEAR
from alphaoverlay.errors import DesignError, StudyError, did_you_mean
from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.ticker import has_terms
from alphaoverlay.history import iso
from alphaoverlay.market.source import Source
from alphaoverlay.overlays.carry import Carry, yearly_carry
from alphaoverlay.overlays.overlay import Overlay
from alphaoverlay.overlays.portfolio import Portfolio, indices_of
from alphaoverlay.overlays.risk import ActiveRisk, Covariance, active_risk, trading_costs, trailing_covariance
from alphaoverlay.overlays.solver import Design, solve_design
from alphaoverlay.study.load import NOTHING_TO_HOLD, Study
from alphaoverlay.study.market_data import StudyData, fingerprint_notes, known_fund, read_study_data
from alphaoverlay.study.sized_overlay import blend, portfolios_by_size


@dataclass(frozen=True)
class StudyDesign:
    """A portfolio, how it came about, and what it costs and risks as of a day.

    Attributes
    ----------
    study : what was asked.
    portfolio, benchmark : weights.
    design : the solver's result; None where the study gives weights.
    carry, benchmark_carry : a year, at `rate`.
    rate : the financing rate on `asof`.
    risk : ex-ante, against the benchmark; None with its reason in `notes`.
    asof : ISO date of the last data looked at.
    notes : sentences that every output must carry.
    data : the history it was made from.
    """

    study: Study
    portfolio: Portfolio
    benchmark: Portfolio
    design: Design | None
    carry: Carry
    benchmark_carry: Carry
    rate: float
    risk: ActiveRisk | None
    asof: str
    notes: tuple[str, ...]
    data: StudyData

    @property
    def active_carry(self) -> Carry:
        """The portfolio's carry over the benchmark's."""
        return self.carry - self.benchmark_carry


@dataclass(frozen=True)
class Choice:
    """Portfolio and benchmark before any number is put on them.

    Attributes
    ----------
    portfolio : at the overlay's full size.
    benchmark : what it is compared with.
    design : the solver's result; None where the study gives weights.
    notes : sentences that every output must carry.
    by_size : the portfolio at every size that the study's signal can decide; empty without one.
    """

    portfolio: Portfolio
    benchmark: Portfolio
    design: Design | None
    notes: tuple[str, ...]
    by_size: Mapping[float, Portfolio] = field(default_factory=dict)

    @property
    def funds(self) -> tuple[Fund, ...]:
        """Every fund that a run of it holds, the benchmark's too."""
        held = (self.portfolio, *self.by_size.values(), self.benchmark)
        return tuple({fund.symbol: fund for one in held for fund in one.funds}.values())


def choose(study: Study, source: Source, catalogue: Catalogue, *, hindsight: bool) -> Choice:
    """Find the portfolio and the benchmark of a study.

    Parameters
    ----------
    hindsight : whether what is estimated (leg sizes, trading costs) may look at all data, or only at those up to the
        study's start; without a start nothing is known before it.

    Raises
    ------
    StudyError, CatalogueError, DesignError : a name that is unknown, or sizes that cannot be estimated.
    """
    if study.weights is not None:
        benchmark, about = _benchmark(study, source, catalogue)
        held = _portfolio(study.weights, source, catalogue)
        by_size = _by_size(study, held, lambda size: blend(held, benchmark, size))
        return Choice(held, benchmark, None, about, by_size)
    if not study.holds_something:
        raise StudyError(NOTHING_TO_HOLD)
    for table, exposures in (("base", study.base), ("overlay", study.overlay)):
        _refuse_unknown_indices(table, exposures, catalogue)
    known = _estimate(study, source, catalogue, hindsight=hindsight)
    overlay, about_sizes = _sized(study, known)
    funds = _allowed(study, source, catalogue, known.last)
    trading, about_trading = _trading(study, overlay, funds, known)
    rate = _financing_rate(study, source, catalogue, funds, hindsight=hindsight)

    def solve(size: float) -> Design:
        wanted = overlay.scaled(dict.fromkeys(overlay.legs, size)).wanted
        return solve_design(wanted, funds, cash_spread=study.cash.spread, trading_costs=trading, rate=rate)

    design = solve(1.0)

    def at_size(size: float) -> Portfolio:
        # Without a base, an overlay of size 0 is cash.
        return _feasible(solve(size), size).portfolio if size or any(overlay.base.values()) else Portfolio((), ())

    by_size = _by_size(study, design.portfolio, at_size)
    benchmark, about = _benchmark(study, source, catalogue)
    return Choice(design.portfolio, benchmark, design, (*about_sizes, *about_trading, *about), by_size)


def _by_size(study: Study, full: Portfolio, at_size: Callable[[float], Portfolio]) -> dict[float, Portfolio]:
    """The portfolio at every size that the study's signal can decide; none without a signal that sizes."""
    return portfolios_by_size(study.signal, full, at_size) if study.signal is not None and study.sized else {}


def _feasible(design: Design, size: float) -> Design:
    if not design.feasible:
        raise DesignError(
            f"the signal can decide on size {size:g}, and at that size the wanted exposures are not possible: "
            f"{design.reason}. Write smaller steps, or allow other funds"
        )
    return design


def _refuse_unknown_indices(table: str, exposures: Mapping[str, float], catalogue: Catalogue) -> None:
    for name in exposures:
        fund = catalogue.funds.get(name)
        if name not in catalogue.indices and fund is not None:
            follows = next(iter(fund.exposures), "its index")
            raise StudyError(
                f"{table}.{name}: {name} is a fund; exposures are by index, so write {follows} = "
                f"{exposures[name]:g}, or give weights by symbol in [weights]"
            )
        if name not in catalogue.indices:
            near = did_you_mean(name, catalogue.indices)
            raise StudyError(f"{table}.{name}: unknown index.{near} Known: {', '.join(catalogue.indices)}")


def describe(study: Study, choice: Choice, data: StudyData, asof: pd.Timestamp) -> StudyDesign:
    """Put carry and ex-ante risk as of a day beside a choice."""
    rate = float(data.history.rate.loc[:asof].iloc[-1])
    terms = study.cash.terms()
    own, other = (
        yearly_carry(one, rate, terms.lending_spread, terms.borrowing) for one in (choice.portfolio, choice.benchmark)
    )
    risk, reason = _risk(choice, data, asof, (own - other).total)
    notes = [*fingerprint_notes(study.data.fingerprint, data.history), *choice.notes]
    if study.sized:
        notes.append("Design, carry and risk are those of size 1; the study's signal decides how much of it is held.")
    if risk is None:
        notes.append(f"No ex-ante risk: {reason}.")
    if choice.design is not None:
        notes += _about_choice(study, choice.design, asof.date())
    if choice.design is not None and not choice.design.feasible:
        misses = ", ".join(f"{name} by {miss:+.4g}" for name, miss in choice.design.shortfall.items())
        notes.append(
            f"The wanted exposures are not met ({misses}): {choice.design.reason}. This is the nearest design."
        )
    unread = [fund.symbol for fund in choice.portfolio.funds if not fund.verified and fund.multiple is None]
    if unread:
        notes.append(f"Terms not all read in a document, so unverified: {', '.join(unread)}.")
    return StudyDesign(
        study, choice.portfolio, choice.benchmark, choice.design, own, other, rate, risk, iso(asof), tuple(notes), data
    )


def design_study(study: Study, source: Source, catalogue: Catalogue) -> StudyDesign:
    """Design the study's portfolio on all data up to its end.

    Raises
    ------
    AlphaOverlayError : see `choose` and `read_study_data`.
    """
    choice = choose(study, source, catalogue, hindsight=True)
    names = needed_indices(choice)
    data = read_study_data(source, catalogue, names, (), study.cash.build(), None, study.days[1])
    return describe(study, choice, data, data.history.dates[-1])


def needed_indices(choice: Choice) -> tuple[str, ...]:
    """Return every index that the portfolio, its wanted exposures or the benchmark name."""
    wanted = tuple(choice.design.wanted) if choice.design else ()
    return tuple(dict.fromkeys([*wanted, *indices_of(choice.funds)]))


def _portfolio(weights: dict[str, float], source: Source, catalogue: Catalogue) -> Portfolio:
    funds = tuple(known_fund(symbol, source, catalogue) for symbol in weights)
    return Portfolio(funds, tuple(weights.values()))


def _benchmark(study: Study, source: Source, catalogue: Catalogue) -> tuple[Portfolio, tuple[str, ...]]:
    """The study's own, or the base held in plain funds, or for given weights the S&P 500's plain fund."""
    if study.benchmark is not None:
        return _portfolio(study.benchmark, source, catalogue), ()
    base = {name: x for name, x in study.base.items() if x}
    if study.weights is None and (not base or min(base.values()) < 0.0):
        return Portfolio((), ()), ("There is no base that could be held, so the benchmark is cash.",)
    if study.weights is not None:
        plain = plain_fund("SP500", source, catalogue)
        return _portfolio({plain: 1.0}, source, catalogue), (f"No benchmark was given: compared with {plain}.",)
    total = sum(base.values())
    held = {plain_fund(name, source, catalogue): round(x / max(total, 1.0), 12) for name, x in base.items()}
    note = f"The benchmark is the base scaled down from {total:g} to 1, in plain funds."
    return _portfolio(held, source, catalogue), (note,) if total > 1.0 + 1e-9 else ()


def plain_fund(name: str, source: Source, catalogue: Catalogue) -> str:
    """Return the symbol of a plain fund of an index, one that the source has if there is any.

    Raises
    ------
    StudyError : none is known.
    """
    plain = catalogue.index(name).plain or tuple(f.symbol for f in catalogue if dict(f.exposures) == {name: 1.0})
    if not plain:
        raise StudyError(f'benchmark: no plain fund is known for {name}; write for example benchmark = "SPY"')
    return next(filter(source.holds, plain), plain[0])


def _allowed(study: Study, source: Source, catalogue: Catalogue, day: datetime.date | None) -> list[Fund]:
    """The study's own list, or every fund that existed on the day with its present index and leverage.

    Without synthetic returns only those with prices count.
    """
    if study.funds.allow is None:
        assert day is not None  # the caller reads it off the data where the study gives none
        known = [fund for fund in catalogue if fund.exposures and fund.existed_as_today(day)]
        return known if study.funds.synthetic else [fund for fund in known if source.holds(fund.symbol)]
    funds = [
        known_fund(symbol, source, catalogue) if has_terms(symbol) else catalogue.fund(symbol)
        for symbol in study.funds.allow
    ]
    if not study.funds.synthetic and (built := [fund.symbol for fund in funds if fund.multiple is not None]):
        raise StudyError(f"funds.allow: {', '.join(built)} is synthetic, and funds.synthetic = false; leave one out")
    if unknown := [fund.symbol for fund in funds if not fund.exposures]:
        raise StudyError(f"funds.allow: the index of {', '.join(unknown)} is unknown; describe it in a fund file")
    return funds


def _about_choice(study: Study, design: Design, asof: datetime.date) -> tuple[str, ...]:
    """What was known with hindsight about the funds: that they exist, and their present terms."""
    if study.funds.allow is None:
        return (f"Funds chosen among those listed on {asof}, at their present terms, for the whole span.",)
    late = [fund.symbol for fund in design.portfolio.funds if not fund.existed_as_today(asof)]
    return (f"Not listed with their present index on {asof}: {', '.join(late)}. Held all the same.",) if late else ()


@dataclass(frozen=True)
class _Estimate:
    """What is known when a design is chosen: the covariance (None with its reason), and the last day of the data."""

    covariance: Covariance | None
    reason: str
    last: datetime.date | None


def _estimate(study: Study, source: Source, catalogue: Catalogue, *, hindsight: bool) -> _Estimate:
    wanted = study.exposures.wanted
    needed = study.sizing.kind != "exposure" or study.costs.guides_design
    if not needed and (study.funds.allow is not None or study.end is not None):
        return _Estimate(None, "", study.end)
    start, end = study.days
    data = read_study_data(source, catalogue, wanted, (), study.cash.build(), start, end)
    last = study.end or data.history.dates[-1].date()
    if not hindsight and study.start is None:
        return _Estimate(None, "the span takes all data, so nothing is known before it", last)
    if missing := [name for name in wanted if name not in data.indices]:
        return _Estimate(None, f"no series of {', '.join(missing)} in the data", last)
    returns = {name: one.returns for name, one in data.indices.items()}
    until = data.history.dates[-1] if hindsight else pd.Timestamp(str(study.start))
    try:
        return _Estimate(trailing_covariance(returns, until, study.sizing.window), "", last)
    except DesignError as error:
        return _Estimate(None, str(error), last)


def _financing_rate(study: Study, source: Source, catalogue: Catalogue, funds: list[Fund], *, hindsight: bool) -> float:
    """The rate known when the design is chosen; it matters only where a fund's swaps exceed what it borrows."""
    if all(abs(fund.borrowed - (fund.leverage - 1.0)) < 1e-12 for fund in funds):
        return 0.0
    start, end = study.days
    data = read_study_data(source, catalogue, study.exposures.wanted, (), study.cash.build(), start, end)
    known = data.history.rate if hindsight else data.history.rate.loc[: start or data.history.dates[0]]
    return float(known.iloc[-1])


def _sized(study: Study, known: _Estimate) -> tuple[Overlay, tuple[str, ...]]:
    if study.sizing.kind != "exposure" and known.covariance is None:
        raise DesignError(
            f"legs cannot be sized by {study.sizing.kind}: {known.reason}. Sizes are estimated on the sessions before "
            "the span: write start = YYYY-MM-DD with data before it"
        )
    overlay, sentence = study.sizing.build().apply(study.exposures, known.covariance)
    return overlay, (sentence,) if sentence else ()


def _trading(
    study: Study, overlay: Overlay, funds: list[Fund], known: _Estimate
) -> tuple[dict[str, float] | None, tuple[str, ...]]:
    """Yearly trading cost of a unit of weight in each fund, by the spreads of a quiet day, as far as it was known."""
    if not study.costs.guides_design:
        return None, ()
    if known.covariance is None:
        return None, (f"Trading costs did not guide the choice of funds: {known.reason}.",)
    terms = [(fund.symbol, fund.exposures, fund.leverage) for fund in funds]
    day = pd.Timestamp(known.covariance.last)
    spreads = {fund.symbol: study.costs.half_spread_on(fund, day) for fund in funds}
    times = REBALANCES_A_YEAR[study.rebalance.calendar]
    return trading_costs(terms, overlay.wanted, known.covariance, spreads, times), ()


def _risk(choice: Choice, data: StudyData, asof: pd.Timestamp, active_carry: float) -> tuple[ActiveRisk | None, str]:
    own, other = choice.portfolio.exposures, choice.benchmark.exposures
    legs = {k: round(own.get(k, 0.0) - other.get(k, 0.0), 12) for k in {**own, **other}}
    legs = {k: x for k, x in legs.items() if x}
    if not legs:
        return None, "the portfolio looks through to the same exposures as its benchmark"
    if missing := [name for name in legs if name not in data.indices]:
        return None, f"no series of {', '.join(missing)} in the data"
    returns = {name: data.indices[name].returns for name in legs}
    try:
        covariance = trailing_covariance(returns, asof)
    except DesignError as error:
        return None, str(error)
    return active_risk(legs, Overlay(legs=legs).size, active_carry, returns, covariance), ""
