"""What a scenario states of the next sessions: end returns, and at most one move of an index over another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from alphaoverlay.errors import StudyError

# A return above tenfold is taken for a slip of the keyboard, such as percent written as a fraction.
MOST = 10.0

Move = tuple[str, str, float]


@dataclass(frozen=True)
class Statement:
    """Pins and a move (method M9).

    Attributes
    ----------
    pins : index -> simple total return at the end, above -1.
    move : (A, B, D): A's end return minus B's is D, as a fraction (0.25 is 25 points); None without.
    """

    pins: Mapping[str, float] = field(default_factory=dict)
    move: Move | None = None

    @classmethod
    def of(cls, pins: Mapping[str, float] | None = None, move: Move | None = None) -> Statement:
        """Build a statement that says something and does not contradict itself.

        Raises
        ------
        StudyError : nothing is stated; a return that is not finite, at or below -1 or above 10; A and B are one index,
            or both are pinned; a pinned B (or A) whose move takes the other to nothing.
        """
        return cls(dict(pins or {}), move).checked()

    def checked(self) -> Statement:
        """Return the statement itself, or say what is wrong with it (see `of`)."""
        if not self.pins and self.move is None:
            raise StudyError(
                "the scenario states nothing; state a move, such as RUSSELL2000 over NASDAQ100 by 0.25, or pin an end "
                "return, such as SP500 = -0.1"
            )
        for name, value in self.pins.items():
            _check_return(name, value)
        if self.move is not None:
            self._check_move(*self.move)
        return self

    @property
    def indices(self) -> tuple[str, ...]:
        """Every index it names: the move's, then the pinned ones."""
        named = () if self.move is None else self.move[:2]
        return tuple(dict.fromkeys([*named, *self.pins]))

    @property
    def ends(self) -> dict[str, float]:
        """Simple end returns that are known: the pinned ones, and what the move makes of the other of its two."""
        known = dict(self.pins)
        if self.move is not None:
            a, b, size = self.move
            if b in self.pins:
                known[a] = self.pins[b] + size
            elif a in self.pins:
                known[b] = self.pins[a] - size
        return known

    @property
    def free_move(self) -> Move | None:
        """The move where neither of its two is pinned, written so that its size is not below 0; else None."""
        if self.move is None or self.move[0] in self.pins or self.move[1] in self.pins:
            return None
        a, b, size = self.move
        return (a, b, size) if size >= 0.0 else (b, a, -size)

    def mirrored(self) -> Statement:
        """Return the same with the move and every pin the other way round (method M9, stress).

        Raises
        ------
        StudyError : an index would lose 100% or more; names it.
        """
        for name, value in self.ends.items():
            if value >= 1.0:
                raise StudyError(
                    f"the scenario has no mirror: {name} at {_percent(value)} would be {_percent(-value)}, and an "
                    "index cannot lose more than everything; state a return below +100%, or leave the mirror out"
                )
        turned = None if self.move is None else (self.move[0], self.move[1], 0.0 - self.move[2])
        return Statement({name: 0.0 - value for name, value in self.pins.items()}, turned).checked()

    def _check_move(self, a: str, b: str, size: float) -> None:
        if a == b:
            raise StudyError(f"a move of {a} over itself is always 0; name two indices, or pin {a} to its end return")
        if not (math.isfinite(size) and abs(size) <= MOST):
            raise StudyError(
                f"a move of {a} over {b} by {size:g}: write a fraction between -{MOST:g} and {MOST:g}, such as 0.25 "
                "for 25 points"
            )
        if a in self.pins and b in self.pins:
            raise StudyError(
                f"{a} and {b} are both pinned, which says their move already; leave out the move, or one pin"
            )
        for name, value in self.ends.items():
            if name not in self.pins and not -1.0 < value <= MOST:
                other = a if name == b else b
                raise StudyError(
                    f"with {other} at {_percent(self.pins[other])} the move of {a} over {b} by {size * 100:+g} points "
                    f"takes {name} to {_percent(value)}; state a smaller move, or another end of {other}"
                )


def _check_return(name: str, value: float) -> None:
    if not math.isfinite(value) or value <= -1.0:
        raise StudyError(
            f"{name} = {value:g}: an end return is a simple return above -1 (-100%), such as -0.3 for -30%"
        )
    if value > MOST:
        raise StudyError(
            f"{name} = {value:g} is {_percent(value)}; returns are fractions, so write {value / 100.0:g} for "
            f"{value:g}%, and at most {MOST:g}"
        )


def _percent(value: float) -> str:
    return f"{value * 100.0:+.4g}%"
