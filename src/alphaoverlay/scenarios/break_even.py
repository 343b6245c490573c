"""What an overlay costs in a year, and the move of its long over its short index that pays for it (method M9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd

from alphaoverlay.engine.costs import CashTerms
from alphaoverlay.history import FloatArray, History
from alphaoverlay.overlays.carry import Carry, yearly_carry
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.scenarios.closed_form import active_exposures, closed_form, rebalanced_form
from alphaoverlay.scenarios.ends import most_likely_ends
from alphaoverlay.scenarios.law import Law
from alphaoverlay.scenarios.periodic_form import periodic_form
from alphaoverlay.scenarios.roots import root_between
from alphaoverlay.scenarios.statement import Statement

# Moves farther out than this are no break-even that anyone would call one.
FARTHEST = 0.9
NEAR = 0.3
STEP = 0.01


class Grows(Protocol):
    """A portfolio in closed form."""

    def growth(self, z: FloatArray) -> FloatArray:
        """Growth of 1 at log ends z of shape (..., K); shape (...)."""
        ...


Form = Callable[[Portfolio, Law, History, CashTerms | None], Grows]


@dataclass(frozen=True)
class Legs:
    """The two sides of the active exposures.

    Attributes
    ----------
    long, short : the index of the largest and of the least active exposure.
    size : the larger of the long and the short sum.
    """

    long: str
    short: str
    size: float


@dataclass(frozen=True)
class BreakEven:
    """The move that pays for the overlay in a year.

    Attributes
    ----------
    move : of the long over the short index, the least in size, as a fraction; None with a `reason`.
    first_order : minus the active carry over the size of the legs; None without legs.
    reason : why there is no move; empty where there is one.
    """

    move: float | None
    first_order: float | None
    reason: str = ""


@dataclass(frozen=True)
class YearlyCosts:
    """What the overlay costs in a year, and what pays for it.

    Attributes
    ----------
    carry : the portfolio's minus the benchmark's, at the rate of the year.
    legs : None where the active exposures have no long or no short side.
    untraded : a year without rebalancing.
    rebalanced : a year of rebalancing every session.
    own : a year of rebalancing at the closes that were asked for, on the mean of the paths; None where none were.
    """

    carry: Carry
    legs: Legs | None
    untraded: YearAtRule
    rebalanced: YearAtRule
    own: YearAtRule | None


@dataclass(frozen=True)
class YearAtRule:
    """A year under one rule.

    Attributes
    ----------
    volatility_drag : excess of a year in which every index ends where it began, less the same without volatility; below
        0 is a cost.
    break_even : the move that pays for the overlay.
    """

    volatility_drag: float
    break_even: BreakEven


@dataclass(frozen=True)
class BreakEvenRange:
    """Break-even moves over rates and multiples of volatility.

    Attributes
    ----------
    rates : financing rates, R of them.
    multiples : of the law's own volatility, M of them.
    untraded, rebalanced : break-evens without rebalancing, and with it every session; R rows of M.
    own : with it at the closes that were asked for, on the mean of the paths; None where none were.
    """

    rates: tuple[float, ...]
    multiples: tuple[float, ...]
    untraded: tuple[tuple[BreakEven, ...], ...]
    rebalanced: tuple[tuple[BreakEven, ...], ...]
    own: tuple[tuple[BreakEven, ...], ...] | None


def legs_of(active: Mapping[str, float]) -> Legs | None:
    """Return the sides of active exposures, or None without a long or without a short one."""
    if not any(x > 0.0 for x in active.values()) or not any(x < 0.0 for x in active.values()):
        return None
    up = sum(x for x in active.values() if x > 0.0)
    down = -sum(x for x in active.values() if x < 0.0)
    return Legs(max(active, key=lambda k: active[k]), min(active, key=lambda k: active[k]), round(max(up, down), 12))


class Ends(NamedTuple):
    """Moves in steps, ascending, shape (M,), and the most likely log ends at each, shape (M, K)."""

    moves: FloatArray
    z: FloatArray


@dataclass(frozen=True)
class MoveCurve:
    """Most likely ends along the moves of the long over the short index; neither rates nor volatility bend it.

    Attributes
    ----------
    law : of days, whatever its multiple.
    legs : None where there is nothing to move.
    """

    law: Law
    legs: Legs | None
    _known: dict[float, FloatArray] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def near(self) -> Ends:
        """Places within NEAR, where nearly every break-even lies."""
        return self._within(NEAR)

    @cached_property
    def whole(self) -> Ends:
        """Places within FARTHEST."""
        return self._within(FARTHEST)

    def _within(self, reach: float) -> Ends:
        steps = round(reach / STEP)
        moves = np.asarray(np.arange(-steps, steps + 1) * STEP, dtype=np.float64)
        return Ends(moves, np.array([self.at(float(move)) for move in moves]))

    def at(self, move: float) -> FloatArray:
        """Log ends at any move, shape (K,)."""
        assert self.legs is not None
        if move not in self._known:
            stated = Statement(move=(self.legs.long, self.legs.short, move))
            self._known[move] = most_likely_ends(self.law, stated)
        return self._known[move]


def move_curve(portfolio: Portfolio, benchmark: Portfolio, law: Law) -> MoveCurve:
    """Return the ends along which the break-even of a portfolio over a benchmark is looked for."""
    return MoveCurve(law, legs_of(active_exposures(portfolio, benchmark)))


def yearly_costs(
    portfolio: Portfolio,
    benchmark: Portfolio,
    law: Law,
    year: History,
    terms: CashTerms | None = None,
    curve: MoveCurve | None = None,
    trades: Sequence[int] | None = None,
) -> YearlyCosts:
    """Return carry, volatility drag and break-even of a year (method M9).

    Parameters
    ----------
    portfolio, benchmark : their funds follow indices of the law.
    law : of days.
    year : a horizon of 252 sessions, its rate that of `asof`.
    terms : of cash; None is the financing rate itself.
    curve : `move_curve` of the three, where it is at hand.
    trades : sessions of the year at whose close the study's own rule trades.
    """
    curve = curve or move_curve(portfolio, benchmark, law)
    worlds = [_World(portfolio, benchmark, law, year, terms, form) for form in _forms(trades)]
    untraded, rebalanced, *own = (YearAtRule(one.volatility_drag, one.break_even(curve)) for one in worlds)
    return YearlyCosts(worlds[0].carry, curve.legs, untraded, rebalanced, own[0] if own else None)


def break_even_range(
    portfolio: Portfolio,
    benchmark: Portfolio,
    law: Law,
    year: History,
    rates: Sequence[float],
    multiples: Sequence[float],
    terms: CashTerms | None = None,
    curve: MoveCurve | None = None,
    trades: Sequence[int] | None = None,
) -> BreakEvenRange:
    """Return the break-even under other financing rates and multiples of the law's volatility (method M9).

    Parameters
    ----------
    rates : yearly fractions.
    multiples : on top of the law's own multiple; 1 is the law as it is.
    portfolio, benchmark, law, year, terms, curve, trades : as in `yearly_costs`.
    """
    curve = curve or move_curve(portfolio, benchmark, law)

    def cell(rate: float, multiple: float, form: Form) -> BreakEven:
        other = law.times(law.multiple * multiple)
        return _World(portfolio, benchmark, other, at_rate(year, rate), terms, form).break_even(curve)

    untraded, rebalanced, *own = (
        tuple(tuple(cell(rate, multiple, form) for multiple in multiples) for rate in rates) for form in _forms(trades)
    )
    return BreakEvenRange(tuple(rates), tuple(multiples), untraded, rebalanced, own[0] if own else None)


def _forms(trades: Sequence[int] | None) -> list[Form]:
    own: list[Form] = [] if trades is None else [partial(periodic_form, trades=trades)]
    return [closed_form, rebalanced_form, *own]


def at_rate(horizon: History, rate: float) -> History:
    """Return the horizon with another financing rate throughout."""
    return replace(horizon, rate=pd.Series(rate, index=horizon.dates, dtype=np.float64))


@dataclass(frozen=True)
class _World:
    """Portfolio and benchmark under one rate, one volatility and one rule."""

    portfolio: Portfolio
    benchmark: Portfolio
    law: Law
    year: History
    terms: CashTerms | None
    form: Form

    def excess(self, law: Law, z: FloatArray) -> FloatArray:
        own, base = (self.form(one, law, self.year, self.terms) for one in (self.portfolio, self.benchmark))
        return own.growth(z) - base.growth(z)

    @property
    def carry(self) -> Carry:
        terms = CashTerms() if self.terms is None else self.terms
        own, base = (
            yearly_carry(one, float(self.year.rate.iloc[0]), terms.lending_spread, terms.borrowing)
            for one in (self.portfolio, self.benchmark)
        )
        return own - base

    @property
    def volatility_drag(self) -> float:
        still = np.zeros(len(self.law.names))
        return float(self.excess(self.law, still) - self.excess(self.law.times(0.0), still))

    def break_even(self, curve: MoveCurve) -> BreakEven:
        legs = curve.legs
        if legs is None:
            return BreakEven(None, None, "the active exposures have no long and short side whose move could pay")
        own, base = (self.form(one, self.law, self.year, self.terms) for one in (self.portfolio, self.benchmark))

        def excess(z: FloatArray) -> FloatArray:
            return own.growth(z) - base.growth(z)

        plain = 0.0 - self.carry.total / legs.size
        nearest = _nearest_turns(curve.near.moves, excess(curve.near.z))
        if not nearest:
            paid = excess(curve.whole.z)
            nearest = _nearest_turns(curve.whole.moves, paid)
        if not nearest:
            side = "costs" if paid[len(paid) // 2] < 0.0 else "pays"
            reason = f"it {side} at every move of {legs.long} over {legs.short} within {FARTHEST * 100:g} points"
            return BreakEven(None, plain, reason)
        roots = [root_between(lambda move: float(excess(curve.at(move))), *pair) for pair in nearest]
        return BreakEven(min(roots, key=abs), plain)


def _nearest_turns(moves: FloatArray, paid: FloatArray) -> list[tuple[float, float]]:
    """The pairs of neighbouring moves, least in size, between which the excess changes its sign: one on either side."""
    turns = np.flatnonzero((paid[:-1] <= 0.0) != (paid[1:] <= 0.0))
    away = np.abs(moves[turns] + 0.5 * STEP)
    near = turns[away < away.min(initial=np.inf) + 0.5 * STEP]
    return [(float(moves[k]), float(moves[k + 1])) for k in near]
