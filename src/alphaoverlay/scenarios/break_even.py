"""What an overlay costs in a year, and the move of its long over its short index that pays for it (method M9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from alphaoverlay.engine.costs import CashTerms
from alphaoverlay.history import FloatArray, History
from alphaoverlay.overlays.carry import Carry, yearly_carry
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.scenarios.closed_form import ClosedForm, active_exposures, closed_form, rebalanced_form
from alphaoverlay.scenarios.ends import most_likely_ends
from alphaoverlay.scenarios.law import Law
from alphaoverlay.scenarios.statement import Statement

# Moves farther out than this are no break-even that anyone would call one.
FARTHEST = 0.9
STEP = 0.01
SURE = 1e-12
Form = Callable[[Portfolio, Law, History, CashTerms | None], ClosedForm]


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
    """

    carry: Carry
    legs: Legs | None
    untraded: YearAtRule
    rebalanced: YearAtRule


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
    """

    rates: tuple[float, ...]
    multiples: tuple[float, ...]
    untraded: tuple[tuple[BreakEven, ...], ...]
    rebalanced: tuple[tuple[BreakEven, ...], ...]


def legs_of(active: Mapping[str, float]) -> Legs | None:
    """Return the sides of active exposures, or None without a long or without a short one."""
    if not any(x > 0.0 for x in active.values()) or not any(x < 0.0 for x in active.values()):
        return None
    up = sum(x for x in active.values() if x > 0.0)
    down = -sum(x for x in active.values() if x < 0.0)
    return Legs(max(active, key=lambda k: active[k]), min(active, key=lambda k: active[k]), round(max(up, down), 12))


def yearly_costs(
    portfolio: Portfolio, benchmark: Portfolio, law: Law, year: History, terms: CashTerms | None = None
) -> YearlyCosts:
    """Return carry, volatility drag and break-even of a year (method M9).

    Parameters
    ----------
    portfolio, benchmark : their funds follow indices of the law.
    law : of days.
    year : a horizon of 252 sessions, its rate that of `asof`.
    terms : of cash; None is the financing rate itself.
    """
    worlds = [_World(portfolio, benchmark, law, year, terms, form) for form in (closed_form, rebalanced_form)]
    curve = _Curve(law, worlds[0].legs)
    untraded, rebalanced = (YearAtRule(one.volatility_drag, one.break_even(curve)) for one in worlds)
    return YearlyCosts(worlds[0].carry, worlds[0].legs, untraded, rebalanced)


def break_even_range(
    portfolio: Portfolio,
    benchmark: Portfolio,
    law: Law,
    year: History,
    rates: Sequence[float],
    multiples: Sequence[float],
    terms: CashTerms | None = None,
) -> BreakEvenRange:
    """Return the break-even under other financing rates and multiples of the law's volatility (method M9).

    Parameters
    ----------
    rates : yearly fractions.
    multiples : on top of the law's own multiple; 1 is the law as it is.
    portfolio, benchmark, law, year, terms : as in `yearly_costs`.
    """
    curve = _Curve(law, legs_of(active_exposures(portfolio, benchmark)))

    def cell(rate: float, multiple: float, form: Form) -> BreakEven:
        other = law.times(law.multiple * multiple)
        return _World(portfolio, benchmark, other, at_rate(year, rate), terms, form).break_even(curve)

    untraded, rebalanced = (
        tuple(tuple(cell(rate, multiple, form) for multiple in multiples) for rate in rates)
        for form in (closed_form, rebalanced_form)
    )
    return BreakEvenRange(tuple(rates), tuple(multiples), untraded, rebalanced)


def at_rate(horizon: History, rate: float) -> History:
    """Return the horizon with another financing rate throughout."""
    return replace(horizon, rate=pd.Series(rate, index=horizon.dates, dtype=np.float64))


@dataclass(frozen=True)
class _Curve:
    """Most likely ends along the moves of the long over the short index; neither rates nor volatility bend it."""

    law: Law
    legs: Legs | None

    @cached_property
    def moves(self) -> FloatArray:
        steps = round(FARTHEST / STEP)
        return np.asarray(np.arange(-steps, steps + 1) * STEP, dtype=np.float64)

    @cached_property
    def ends(self) -> FloatArray:
        return np.array([self.at(float(move)) for move in self.moves])

    def at(self, move: float) -> FloatArray:
        assert self.legs is not None
        return most_likely_ends(self.law, Statement(move=(self.legs.long, self.legs.short, move)))


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
        return own.excess(z, base)

    @property
    def legs(self) -> Legs | None:
        return legs_of(active_exposures(self.portfolio, self.benchmark))

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

    def break_even(self, curve: _Curve) -> BreakEven:
        legs = self.legs
        if legs is None:
            return BreakEven(None, None, "the active exposures have no long and short side whose move could pay")
        own, base = (self.form(one, self.law, self.year, self.terms) for one in (self.portfolio, self.benchmark))
        paid = own.excess(curve.ends, base)
        plain = 0.0 - self.carry.total / legs.size
        nearest = _nearest_turns(curve.moves, paid)
        if not nearest:
            side = "costs" if paid[len(paid) // 2] < 0.0 else "pays"
            reason = f"it {side} at every move of {legs.long} over {legs.short} within {FARTHEST * 100:g} points"
            return BreakEven(None, plain, reason)
        roots = [_root(lambda move: float(own.excess(curve.at(move), base)), *pair) for pair in nearest]
        return BreakEven(min(roots, key=abs), plain)


def _nearest_turns(moves: FloatArray, paid: FloatArray) -> list[tuple[float, float]]:
    """The pairs of neighbouring moves, least in size, between which the excess changes its sign: one on either side."""
    turns = np.flatnonzero((paid[:-1] <= 0.0) != (paid[1:] <= 0.0))
    away = np.abs(moves[turns] + 0.5 * STEP)
    near = turns[away < away.min(initial=np.inf) + 0.5 * STEP]
    return [(float(moves[k]), float(moves[k + 1])) for k in near]


def _root(excess: Callable[[float], float], low: float, high: float) -> float:
    """Find the root between two places of different sign by false position (the Illinois variant)."""
    at_low, at_high = excess(low), excess(high)
    for place, here in ((low, at_low), (high, at_high)):
        if abs(here) <= SURE:
            return place
    kept = 0
    while high - low > SURE:
        place = (low * at_high - high * at_low) / (at_high - at_low)
        if not low < place < high:
            break
        here = excess(place)
        if abs(here) <= SURE:
            return place
        # An end that stays twice is given half its weight, or it would stay for good.
        if (here <= 0.0) == (at_low <= 0.0):
            low, at_low, at_high = place, here, at_high * (0.5 if kept > 0 else 1.0)
            kept = 1
        else:
            high, at_high, at_low = place, here, at_low * (0.5 if kept < 0 else 1.0)
            kept = -1
    return 0.5 * (low + high)
