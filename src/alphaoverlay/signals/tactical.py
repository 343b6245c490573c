"""A signal becomes the size of an overlay: a rule with a state, decided at each close (method M11)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd

from alphaoverlay.errors import StudyError
from alphaoverlay.signals import _kernels
from alphaoverlay.signals.measures import TREND, YEAR
from alphaoverlay.signals.relative_value import FEWEST, WINDOW, Pair, difference, trailing_percentile
from alphaoverlay.signals.terms import Terms

Confirmation = Literal["none", "trend", "momentum"]
Reason = Literal["exit", "profit target", "stop", "time limit"]
REASONS: tuple[Reason, ...] = ("exit", "profit target", "stop", "time limit")
CONFIRMATIONS = {"none": (0, 0), "trend": (1, TREND), "momentum": (2, YEAR)}


@dataclass(frozen=True)
class TacticalRule:
    """When an overlay on the spread of a pair is on, and how large.

    Attributes
    ----------
    window : sessions of the difference.
    lookback : sessions among which its percentile is taken; None is all history.
    enter, exit : percentiles; `enter < exit` buys a low spread, `enter > exit` a high one.
    steps : percentile and size, each deeper than the one before; empty is size 1 at `enter`.
    profit_target, stop : gain and loss of the spread since entry that end a spell; None: never.
    time_limit : sessions after which it ends; None: never.
    cooldown : sessions after its end before the next may begin.
    rest : size while off.
    confirm : what must be above 0 to enter.
    """

    window: int = WINDOW
    lookback: int | None = None
    enter: float = 0.05
    exit: float = 0.50
    steps: tuple[tuple[float, float], ...] = ()
    profit_target: float | None = None
    stop: float | None = None
    time_limit: int | None = None
    cooldown: int = 0
    rest: float = 0.0
    confirm: Confirmation = "none"

    @property
    def sizes(self) -> tuple[float, ...]:
        """Every size that the overlay can have, smallest first."""
        return tuple(sorted({self.rest, *(size for _, size in self.steps or ((self.enter, 1.0),))}))

    def compile(self) -> Terms:
        """Return the rule as numbers.

        Raises
        ------
        StudyError : a number that makes no sense; `enter` equals `exit`; or the steps do not begin at `enter`, go
            deeper, away from `exit`, and grow.
        """
        self._refuse_nonsense()
        if self.enter == self.exit:
            raise StudyError(f"enter and exit are both {self.enter:g}: write an exit on the other side of the entry")
        sign = 1.0 if self.enter < self.exit else -1.0
        steps = self.steps or ((self.enter, 1.0),)
        at = [p for p, _ in steps]
        if at[0] != self.enter or any(sign * (later - earlier) >= 0.0 for earlier, later in pairwise(at)):
            raise StudyError(
                f"steps at {', '.join(f'{p:g}' for p in at)}: write the entry, {self.enter:g}, first and each further "
                f"one {'lower' if sign > 0.0 else 'higher'} than the one before"
            )
        sizes = [size for _, size in steps]
        if any(later <= earlier for earlier, later in pairwise((0.0, *sizes))):
            raise StudyError(
                f"steps of sizes {', '.join(f'{one:g}' for one in sizes)}: each deeper one is larger, from above 0"
            )
        kind, span = CONFIRMATIONS[self.confirm]
        return Terms(
            window=self.window,
            lookback=self.lookback or 0,
            fewest=FEWEST,
            sign=sign,
            at=np.array(at, dtype=np.float64),
            size=np.array(sizes, dtype=np.float64),
            exit=self.exit,
            profit=math.inf if self.profit_target is None else self.profit_target,
            stop=math.inf if self.stop is None else self.stop,
            limit=math.inf if self.time_limit is None else float(self.time_limit),
            cooldown=self.cooldown,
            rest=self.rest,
            confirm=kind,
            confirm_span=span,
        )

    def _refuse_nonsense(self) -> None:
        if self.lookback is not None and self.lookback < FEWEST:
            raise StudyError(f"lookback = {self.lookback}: write {FEWEST} or more sessions, or none for all history")
        whole = {"window": self.window, "time_limit": self.time_limit}
        for name, value in whole.items():
            if value is not None and value < 1:
                raise StudyError(f"{name} = {value}: write 1 or more")
        for name, share in {"enter": self.enter, "exit": self.exit}.items():
            if not math.isfinite(share):
                raise StudyError(
                    f"{name} = {share:g}: write a percentile from 0 to 1; one beyond them is never reached"
                )
        for name, least in {"rest": self.rest, "cooldown": self.cooldown}.items():
            if not least >= 0:
                raise StudyError(f"{name} = {least:g}: write 0 or more")
        for name, gain in {"profit_target": self.profit_target, "stop": self.stop}.items():
            if gain is not None and not gain > 0.0:
                raise StudyError(f"{name} = {gain:g}: write a fraction above 0")


@dataclass(frozen=True)
class Spell:
    """One time that the overlay was on.

    Attributes
    ----------
    entry : session at whose close it was turned on (position).
    exit : session at whose close it was turned off (position); None while it lasts.
    reason : why it was; None while it lasts.
    """

    entry: int
    exit: int | None
    reason: Reason | None


@dataclass(frozen=True)
class Tactical:
    """What a rule decided on a pair's history.

    Attributes
    ----------
    rule : the rule.
    difference, percentile : n values each, NaN where unknown.
    size : n sizes, decided at each close.
    spells : in order.
    """

    rule: TacticalRule
    difference: pd.Series
    percentile: pd.Series
    size: pd.Series
    spells: tuple[Spell, ...]

    @property
    def on(self) -> bool:
        """Whether the overlay is on after the last close."""
        return bool(self.spells) and self.spells[-1].exit is None


def follow_signal(pair: Pair, rule: TacticalRule) -> Tactical:
    """Decide the overlay's size at every close of a pair's history.

    A value uses nothing later than its close; the trade comes a session later, which is the engine's business.

    Raises
    ------
    SpanError : fewer sessions than the window needs.
    StudyError : the rule makes no sense.
    """
    pair.needs(rule.window)
    n, terms = len(pair.long), rule.compile()
    long, short = pair.arrays
    gap = difference(pair, rule.window)
    percentile = trailing_percentile(gap, rule.lookback)
    sizes, allowed, spans = np.empty(n), np.empty(n, dtype=np.bool_), np.empty((n, 3), dtype=np.int64)
    _kernels.confirmed(long, short, terms.confirm, terms.confirm_span, allowed)
    ranked = percentile.to_numpy(dtype=np.float64)
    number = _kernels.trade_signal(ranked, long, short, allowed, terms, sizes, spans)
    return Tactical(
        rule=rule,
        difference=gap,
        percentile=percentile.rename("percentile"),
        size=pd.Series(sizes, index=pair.dates, name="size"),
        spells=tuple(_spell(*row) for row in spans[:number].tolist()),
    )


def _spell(entry: int, end: int, reason: int) -> Spell:
    return Spell(entry, None, None) if end < 0 else Spell(entry, end, REASONS[reason])
