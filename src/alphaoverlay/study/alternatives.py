"""The same view taken in plainer ways, beside the overlay, at their own size and at equal active risk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from alphaoverlay.analysis.exposure_history import exposure_history
from alphaoverlay.analysis.metrics import SESSIONS_A_YEAR, active_performance, performance
from alphaoverlay.engine.backtesting import Backtest
from alphaoverlay.errors import CatalogueError, DataError, DesignError, StudyError
from alphaoverlay.funds.catalogue import Catalogue, load_catalogue
from alphaoverlay.funds.fund import Fund
from alphaoverlay.market.source import Source
from alphaoverlay.overlays.carry import yearly_carry
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.overlays.solver import solve_design
from alphaoverlay.study.designing import Choice, StudyDesign, choose, describe, needed_indices, plain_fund
from alphaoverlay.study.load import Study
from alphaoverlay.study.market_data import known_fund, read_study_data, study_fund_returns, synthetic_notes
from alphaoverlay.study.runner import Runner, prepare

SIZES = (0.5, 1.5)
# Active risks closer than this are equal; so many backtests at most are spent on one.
CLOSE, TRIES = 1e-4, 8


@dataclass(frozen=True)
class Way:
    """One way of taking the view.

    Attributes
    ----------
    name : what is done.
    benchmark : what it is measured against: what the investor held before.
    at_size : the portfolio at a multiple of the view; raises DesignError where that cannot be held.
    own : whether it is the study's own portfolio, which the study's bands were written for.
    """

    name: str
    benchmark: Portfolio
    at_size: Callable[[float], Portfolio]
    own: bool = False


@dataclass(frozen=True)
class Alternative:
    """One way at one size, measured.

    Attributes
    ----------
    name : of the way.
    size : multiple of the study's view.
    portfolio, benchmark : backtests over the same sessions under the study's rule.
    weights, active_exposures : targets, by symbol and by index.
    figures : by name; None where undefined. `likeness` is the correlation of the active return with the overlay's.
    """

    name: str
    size: float
    portfolio: Backtest
    benchmark: Backtest
    weights: Mapping[str, float]
    active_exposures: Mapping[str, float]
    figures: Mapping[str, float | None]


@dataclass(frozen=True)
class Alternatives:
    """Every way at its own size and at the overlay's active risk.

    Attributes
    ----------
    design : the study's portfolio.
    as_stated : the overlay first, then every way at the size of the study's view, and the overlay at other sizes.
    at_equal_risk : the same ways sized to the overlay's tracking error.
    impossible : way -> why it could not be held at that risk.
    source, notes : as for a run.
    """

    design: StudyDesign
    as_stated: tuple[Alternative, ...]
    at_equal_risk: tuple[Alternative, ...]
    impossible: Mapping[str, str]
    source: str
    notes: tuple[str, ...]


def compare_alternatives(
    study: Study,
    source: Source,
    catalogue: Catalogue | None = None,
    *,
    progress: Callable[[str], None] | None = None,
) -> Alternatives:
    """Take a study's view by shifting capital, at other sizes and with 2x funds, and measure all of it alike.

    Equal active risk is an equal tracking error over the span, found by sizing each way until it is met: with
    hindsight, for comparing, not for trading.

    Raises
    ------
    AlphaOverlayError : as `run_study`; a portfolio without active exposures.
    """
    if study.sized:
        raise StudyError(
            'signal: the alternatives are those of an overlay of one size; leave [signal] out, or write role = "watch"'
        )
    catalogue = catalogue or load_catalogue(study.funds.file)
    tell = progress or (lambda _: None)
    choice = choose(study, source, catalogue, hindsight=False)
    legs, base = _view(choice), choice.benchmark
    ways, left_out = _ways(choice, legs, study, source, catalogue)
    funds = {f.symbol: f for f in (*choice.portfolio.funds, *base.funds)}
    for way in ways:
        funds |= {f.symbol: f for f in (*_funds_of(way), *way.benchmark.funds)}
    start, end = study.days
    named = {f.symbol for f in (*choice.portfolio.funds, *base.funds)}
    there = tuple(f for f in funds.values() if f.symbol in named or study.funds.synthetic or source.holds(f.symbol))
    data = read_study_data(source, catalogue, needed_indices(choice), there, study.cash.build(), start, end)
    every = study_fund_returns(data, there, synthetic=study.funds.synthetic)
    runner = prepare(study, choice, every, start, end, None)
    design = describe(study, choice, data, runner.returns.history.dates[-1])
    overlay = ways[0]
    tell(overlay.name)
    own = _measure(runner, overlay, 1.0, design.rate)
    own = _alike(own, own)
    stated = [own]
    for size in SIZES:
        stated += _possible(runner, Way(f"{overlay.name} at {size:g} times", base, overlay.at_size), size, design.rate)
    for way in ways[1:]:
        tell(way.name)
        stated += _possible(runner, way, 1.0, design.rate)
    equal, impossible = [own], dict(left_out)
    for way in ways[1:]:
        tell(f"{way.name}, at equal active risk")
        found = _at_risk(runner, way, own, design.rate)
        if isinstance(found, str):
            impossible[way.name] = found
        else:
            equal.append(found)
    return Alternatives(
        design=design,
        as_stated=tuple(_alike(one, own) for one in stated),
        at_equal_risk=tuple(_alike(one, own) for one in equal),
        impossible=impossible,
        source=source.name,
        notes=(*data.notes, *synthetic_notes(runner.returns), *design.notes),
    )


def _alike(one: Alternative, own: Alternative) -> Alternative:
    """Add how far its active return goes with the overlay's."""
    gaps = [(x.portfolio.returns - x.benchmark.returns).dropna().to_numpy(dtype=np.float64) for x in (one, own)]
    n = min(len(gap) for gap in gaps)
    mine, other = (gap[:n] for gap in gaps)
    flat = n < 2 or min(float(mine.std()), float(other.std())) < 1e-15
    likeness = None if flat else float(np.corrcoef(mine, other)[0, 1])
    return replace(one, figures={**one.figures, "likeness": likeness})


def _view(choice: Choice) -> dict[str, float]:
    """Active exposures of the portfolio: what the view is."""
    legs = _active(choice.portfolio, choice.benchmark)
    if not legs:
        raise StudyError("the portfolio has the exposures of its benchmark: there is no view to take in another way")
    return legs


def _active(portfolio: Portfolio, benchmark: Portfolio) -> dict[str, float]:
    """Active exposures by index, those of nothing left out."""
    own, other = portfolio.exposures, benchmark.exposures
    gaps = {name: round(own.get(name, 0.0) - other.get(name, 0.0), 9) for name in {**own, **other}}
    return {name: gap for name, gap in gaps.items() if gap}


def _ways(
    choice: Choice, legs: Mapping[str, float], study: Study, source: Source, catalogue: Catalogue
) -> tuple[list[Way], dict[str, str]]:
    """The overlay, and what else expresses the view; and what could not be built, with the reason."""
    base, held = choice.benchmark, choice.portfolio.funds
    allowed = [f for f in held if f.exposures]
    long = {name: x for name, x in legs.items() if x > 0.0}
    short = {name: -x for name, x in legs.items() if x < 0.0}
    spare = study.cash.spread
    own = choice.portfolio
    ways = [Way("the overlay", base, lambda size: _designed(base, legs, size, allowed, own, spare), own=True)]
    left_out: dict[str, str] = {}

    def plain(names: Mapping[str, float]) -> dict[str, Fund]:
        return {name: known_fund(plain_fund(name, source, catalogue), source, catalogue) for name in names}

    def add(name: str, build: Callable[[], Way]) -> None:
        try:
            ways.append(build())
        except (StudyError, DesignError, DataError, CatalogueError) as error:
            left_out[name] = str(error)

    if long:
        shift = f"shift capital from {_symbols(base)} into {', '.join(long)}"
        add(shift, lambda: _shift(shift, base, long, plain(long)))
    if long and short:
        swap = f"shift capital from {', '.join(short)} into {', '.join(long)}"
        add(swap, lambda: _swap(swap, base, long, short, plain(long), plain(short)))
    twice = _real_first([f for f in catalogue if _is_small(f, {*legs, *base.exposures}, source, study)], source)
    two = "the overlay with funds of at most 2x"
    add(two, lambda: _checked(Way(two, base, lambda size: _designed(base, legs, size, twice, None, spare))))
    return ways, left_out


def _is_small(fund: Fund, names: set[str], source: Source, study: Study) -> bool:
    """Whether a fund follows one of these indices at most twice, and can be had."""
    there = study.funds.synthetic or source.holds(fund.symbol)
    day = study.end
    existed = day is None or fund.existed_as_today(day)
    return bool(fund.exposures) and set(fund.exposures) <= names and abs(fund.leverage) <= 2.0 and there and existed


def _real_first(funds: list[Fund], source: Source) -> list[Fund]:
    """Leave out funds without prices where one with prices has the same exposures."""
    real = [fund.exposures for fund in funds if source.holds(fund.symbol)]
    return [fund for fund in funds if source.holds(fund.symbol) or fund.exposures not in real]


def _designed(
    base: Portfolio, legs: Mapping[str, float], size: float, funds: list[Fund], own: Portfolio | None, spare: float
) -> Portfolio:
    """The cheapest portfolio with the base's exposures and `size` times the legs; the study's own at size 1."""
    if own is not None and size == 1.0:
        return own
    start = base.exposures
    wanted = {name: start.get(name, 0.0) + size * legs.get(name, 0.0) for name in {**start, **legs}}
    design = solve_design(wanted, funds, cash_spread=spare)
    if not design.feasible:
        raise DesignError(design.reason)
    return design.portfolio


def _shift(name: str, base: Portfolio, long: Mapping[str, float], plain: Mapping[str, Fund]) -> Way:
    """Sell part of the base, pro rata, and buy plain funds of the long legs."""

    def at_size(size: float) -> Portfolio:
        moved = size * sum(long.values())
        if moved > 1.0 + 1e-12:
            raise DesignError(f"it would take {moved:.0%} of the capital")
        stays = [(f, (1.0 - moved) * w) for f, w in zip(base.funds, base.weights, strict=True)]
        return _portfolio([*stays, *((plain[name], size * x) for name, x in long.items())])

    return Way(name, base, at_size)


def _swap(
    name: str,
    base: Portfolio,
    long: Mapping[str, float],
    short: Mapping[str, float],
    bought: Mapping[str, Fund],
    sold: Mapping[str, Fund],
) -> Way:
    """For an investor who holds plain funds of the short legs as well: sell those and buy those of the long ones.

    The benchmark holds the short legs' plain funds to the full size of the view.
    """
    out, into = sum(short.values()), sum(long.values())
    if out > 1.0 + 1e-12:
        raise DesignError(f"the short legs come to {out:.0%}, more than all of the capital")
    rest = [(f, (1.0 - out) * w) for f, w in zip(base.funds, base.weights, strict=True)]
    benchmark = _portfolio([*rest, *((sold[k], x) for k, x in short.items())])

    def at_size(size: float) -> Portfolio:
        if size > 1.0 + 1e-12:
            raise DesignError(f"there is only {out:.0%} of the capital in {', '.join(short)} to shift")
        stays = [(sold[k], (1.0 - size) * x) for k, x in short.items()]
        # What the long legs take more, or less, than the short ones free comes from the base, or goes to it.
        kept = (1.0 - out) + size * (out - into)
        if kept < -1e-12:
            raise DesignError(f"the long legs would take {size * into:.0%} of the capital")
        core = [(f, kept * w) for f, w in zip(base.funds, base.weights, strict=True)]
        return _portfolio([*core, *stays, *((bought[k], size * x) for k, x in long.items())])

    return Way(name, benchmark, at_size)


def _portfolio(held: list[tuple[Fund, float]]) -> Portfolio:
    """Add up the weights of equal funds and leave out what is nothing."""
    total: dict[str, tuple[Fund, float]] = {}
    for fund, weight in held:
        total[fund.symbol] = (fund, total.get(fund.symbol, (fund, 0.0))[1] + weight)
    kept = [(fund, round(weight, 12)) for fund, weight in total.values() if weight > 1e-12]
    return Portfolio(tuple(fund for fund, _ in kept), tuple(weight for _, weight in kept))


def _symbols(portfolio: Portfolio) -> str:
    return ", ".join(fund.symbol for fund in portfolio.funds) or "cash"


def _checked(way: Way) -> Way:
    """Return the way if it can be held at its own size."""
    way.at_size(1.0)
    return way


def _funds_of(way: Way) -> tuple[Fund, ...]:
    """Every fund that the way may hold, at any size that can be held."""
    found: dict[str, Fund] = {}
    for size in (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0):
        try:
            found |= {fund.symbol: fund for fund in way.at_size(size).funds}
        except DesignError:
            continue
    return tuple(found.values())


def _possible(runner: Runner, way: Way, size: float, rate: float) -> list[Alternative]:
    try:
        return [_measure(runner, way, size, rate)]
    except (DesignError, DataError):
        return []


def _measure(runner: Runner, way: Way, size: float, rate: float) -> Alternative:
    held = way.at_size(size)
    returns = runner.returns.returns
    for fund in (*held.funds, *way.benchmark.funds):
        if fund.symbol not in returns.columns or returns[fund.symbol].iloc[1:].isna().any():
            raise DesignError(f"the returns of {fund.symbol} do not cover the span")
    own = replace(runner, benchmark=way.benchmark)
    portfolio = own.run(held, None if way.own else own.adapted(held))
    benchmark = own.run_benchmark()
    mine, active = performance(portfolio, benchmark), active_performance(portfolio, benchmark)
    gap = (portfolio.returns - benchmark.returns).dropna()
    error = mine["tracking_error"]
    terms = runner.study.cash.terms()
    carry = [yearly_carry(one, rate, terms.lending_spread, terms.borrowing).total for one in (held, way.benchmark)]
    seen = exposure_history(portfolio, way.benchmark.exposures)
    figures = {
        "cagr": mine["cagr"],
        "active_cagr": active["cagr"],
        "tracking_error": error,
        "information_ratio": None if not error else float(gap.mean()) * SESSIONS_A_YEAR / error,
        "active_correlation": active["correlation"],
        "beta": mine["beta"],
        "volatility": mine["volatility"],
        "max_drawdown": mine["max_drawdown"],
        "active_carry": carry[0] - carry[1],
        "active_exposure": held.active(way.benchmark.exposures),
        "net_least": float(seen["net"].min()),
        "net_most": float(seen["net"].max()),
    }
    return Alternative(way.name, size, portfolio, benchmark, held.by_symbol, _active(held, way.benchmark), figures)


def _at_risk(runner: Runner, way: Way, like: Alternative, rate: float) -> Alternative | str:
    """Size a way until its tracking error is that of another; or why it cannot be."""
    wanted = like.figures["tracking_error"]
    if not wanted:
        return "the overlay has no active risk over this span"
    size, blocked = 1.0, ""
    most = float("inf")
    found: list[tuple[float, float, Alternative]] = []
    for _ in range(TRIES):
        try:
            one = _measure(runner, way, size, rate)
        except (DesignError, DataError) as reason:
            if not found:
                return str(reason)
            # Back towards what could be held: the step may only have gone too far.
            blocked, most = f"not at {size:.2f} times the view: {reason}", size
            size = 0.5 * (size + found[-1][0])
            continue
        error = one.figures["tracking_error"] or 0.0
        if abs(error / wanted - 1.0) < CLOSE:
            return one
        if error == 0.0:
            return "it has no active risk over this span"
        found.append((size, error, one))
        size = _next_size(found, wanted)
        size = size if size < most else 0.5 * (most + found[-1][0])
    nearest = min(found, key=lambda step: abs(step[1] - wanted))
    return blocked or f"the nearest found, {nearest[0]:.2f} times the view, has a tracking error of {nearest[1]:.2%}"


def _next_size(found: list[tuple[float, float, Alternative]], wanted: float) -> float:
    """Proportional first, then along the line through the last two."""
    (size, error, _) = found[-1]
    if len(found) > 1:
        (before, error_before, _) = found[-2]
        if error != error_before:
            return max(size + (wanted - error) * (size - before) / (error - error_before), 1e-3)
    return size * wanted / error
