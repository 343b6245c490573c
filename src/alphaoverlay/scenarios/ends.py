"""Where a scenario ends: the most likely ends of all indices, and ends drawn from the law given the statement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alphaoverlay.errors import StudyError
from alphaoverlay.history import FloatArray
from alphaoverlay.scenarios.law import Law
from alphaoverlay.scenarios.roots import root_between
from alphaoverlay.scenarios.statement import Statement

# Places to look for minima of the one free coordinate of a move; there is rarely more than one.
PLACES = 65
# Candidates draw in blocks, each with a stream of its own, so that a chosen one can be drawn again.
BLOCK = 64
# Fewer effective candidates than this share of the paths: draw more, up to so many times as many as there are paths.
ENOUGH = 0.1
MOST_TIMES = 16
# So many of the candidates have one violent day: with fat tails that is how far ends are reached.
VIOLENT = 0.25
# Scales above this, a day of twenty daily deviations, are left out: with them no mean of a simple return would exist.
MOST_SCALE = 400.0

# The places of the streams of one seed.
CANDIDATES, CHOICE, BRIDGE, REAL_DAYS, TOGETHER = range(5)


def stream(seed: int, purpose: int, block: int) -> np.random.Generator:
    """Return the counter-based stream of one block of one purpose; no two overlap.

    Raises
    ------
    StudyError : a seed below 0 or of more than 64 bits.
    """
    if not 0 <= seed < 2**64:
        raise StudyError(f"seed = {seed}: write a whole number from 0 to 2^64 - 1")
    place = np.array([0, 0, 0, purpose], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(counter=place, key=np.array([seed, block], dtype=np.uint64)))


class _Move(NamedTuple):
    """A free move: columns of the higher and the lower end, and the log of the points between them."""

    upper: int
    lower: int
    log: float


def carried(law: Law, columns: Sequence[int]) -> FloatArray:
    """Return the matrix G with which `z = G z_c` are the most likely ends given those of some columns, shape (K, C)."""
    chosen = list(columns)
    solved = np.linalg.solve(law.shape[np.ix_(chosen, chosen)], law.shape[chosen, :])
    return np.asarray(solved.T, dtype=np.float64)


def most_likely_ends(law: Law, statement: Statement) -> FloatArray:
    """Minimise `z' (nS)^-1 z` subject to the statement (method M9).

    Neither n nor the multiple of volatility has a say: they scale the form and leave its minimum where it is.

    Returns
    -------
    Log total returns at the end, shape (K,), in the order of the law's names.

    Raises
    ------
    StudyError : the statement is wrong, or names an index that the law does not know.
    """
    known, move = _read(law, statement)
    columns, values = list(known), np.array(list(known.values()))
    if move is not None:
        lower = _lower_end(law, move, columns, values)
        values = np.concatenate(([np.logaddexp(move.log, lower), lower], values))
        columns = [move.upper, move.lower, *columns]
    ends = carried(law, columns) @ values
    ends[columns] = values
    return np.asarray(ends)


def _read(law: Law, statement: Statement) -> tuple[dict[int, float], _Move | None]:
    """Known log ends by column, and the move that is left to find."""
    known = {law.row(name): math.log1p(end) for name, end in statement.checked().ends.items()}
    if statement.free_move is None:
        return known, None
    a, b, size = statement.free_move
    return known, _Move(law.row(a), law.row(b), math.log(size) if size > 0.0 else -math.inf)


def _lower_end(law: Law, move: _Move, columns: list[int], values: FloatArray) -> float:
    """Log end of the lower index of a move at which the form is least, the pinned ends given."""
    chosen = [move.upper, move.lower, *columns]
    # In units of the lower end's own variance, which leaves the minimum where it is.
    M = np.linalg.inv(law.shape[np.ix_(chosen, chosen)] / law.shape[move.lower, move.lower])
    (uu, ul), (_, ll), (hu, hl) = M[0, :2].tolist(), M[1, :2].tolist(), (M[:2, 2:] @ values).tolist()

    def slope(lower: Any) -> Any:
        upper = np.logaddexp(move.log, lower)
        return (uu * upper + ul * lower + hu) * np.exp(lower - upper) + ul * upper + ll * lower + hl

    def form(lower: float) -> float:
        z = np.concatenate(([np.logaddexp(move.log, lower), lower], values))
        return float(z @ M @ z)

    # The form is at least t^2 at a lower end t, so its minimum is not farther out than this.
    reach = 1.05 * math.sqrt(max(form(0.0), 0.0))
    if reach == 0.0:
        return 0.0
    places = np.linspace(-reach, reach, PLACES)
    below = slope(places) <= 0.0
    turns = np.flatnonzero(below[:-1] & ~below[1:])
    return min((root_between(slope, *places[k : k + 2].tolist()) for k in turns), key=form)


@dataclass(frozen=True)
class ScaleDraw:
    """How candidates draw the scales of their days: from the law, and in some of them one day times `violence`.

    Were all of a far end the work of one day, `violence = 1 + z*' S^-1 z* / (v-2)` would give that day's scale.

    Attributes
    ----------
    degrees : v.
    violence : 1 or more.
    """

    degrees: float
    violence: float

    @property
    def mean(self) -> float:
        """`E[W; W <= 400]`, by which scales are divided so that their mean is 1."""
        a = (self.degrees - 2.0) / MOST_SCALE
        return _chi_square_above(self.degrees - 2.0, a) / _chi_square_above(self.degrees, a)

    def block(self, rng: np.random.Generator, sessions: int) -> FloatArray:
        """Draw the scales of a block of candidates, not divided by their mean, shape (BLOCK, sessions)."""
        scales = (0.5 * self.degrees - 1.0) / rng.standard_gamma(0.5 * self.degrees, (BLOCK, sessions))
        violent = rng.random(BLOCK) < VIOLENT
        day = rng.integers(sessions, size=BLOCK)
        scales[np.arange(BLOCK), day] *= np.where(violent, self.violence, 1.0)
        return np.asarray(scales)

    def log_density(self, scales: FloatArray) -> FloatArray:
        """Return the log of the density of drawn scales over that of the law, shape (BLOCK,)."""
        by_day = -(self.violence - 1.0) * (0.5 * self.degrees - 1.0) / scales
        top = by_day.max(axis=1)
        violent = (
            top + np.log(np.exp(by_day - top[:, None]).mean(axis=1)) + 0.5 * self.degrees * math.log(self.violence)
        )
        return np.asarray(np.logaddexp(math.log(1.0 - VIOLENT), math.log(VIOLENT) + violent))


def _chi_square_above(degrees: float, a: float) -> float:
    """Chance that a chi-square exceeds a small number, by the series of the incomplete gamma function."""
    s, x = 0.5 * degrees, 0.5 * a
    below = sum(math.exp((s + k) * math.log(x) - x - math.lgamma(s + k + 1.0)) for k in range(20))
    return 1.0 - below


@dataclass(frozen=True)
class SampledEnds:
    """Ends of N paths drawn from the law given a statement, with the scales of their days.

    Attributes
    ----------
    z : log total returns at the end, shape (N, K).
    chosen : the candidate behind each path, ascending, shape (N,); a likely one may stand behind several.
    draw : how the candidates' scales are drawn; None where there is no volatility, and all scales are 1.
    sessions, seed : n, and what the streams come from.
    effective : effective sample size of the candidates, `(sum w)^2 / sum w^2`.
    candidates : how many were drawn.
    """

    z: FloatArray
    chosen: NDArray[np.int64]
    draw: ScaleDraw | None
    sessions: int
    seed: int
    effective: float
    candidates: int

    def scales(self, first: int = 0, count: int | None = None) -> FloatArray:
        """Draw the scales `W_1..W_n` of some paths again, shape (count, sessions)."""
        chosen = self.chosen[first : None if count is None else first + count]
        scales = np.ones((len(chosen), self.sessions))
        if self.draw is not None:
            blocks = chosen // BLOCK
            for block in np.unique(blocks):
                at = blocks == block
                rng = stream(self.seed, CANDIDATES, int(block))
                scales[at] = self.draw.block(rng, self.sessions)[chosen[at] - block * BLOCK] / self.draw.mean
        return scales


def sample_ends(law: Law, statement: Statement, sessions: int, paths: int, seed: int) -> SampledEnds:
    """Draw ends from the law given a statement, by importance sampling about the most likely ones (method M9).

    A negative move is read as the positive one of B over A: the same statement, and no candidate is in vain.

    Parameters
    ----------
    sessions : n.
    paths : how many ends.
    seed : of the streams, from 0 to 2^64 - 1.

    Raises
    ------
    StudyError : the statement is wrong or names an unknown index, or there are no sessions or paths to draw.
    """
    if sessions < 1 or paths < 1:
        raise StudyError(f"{sessions} sessions and {paths} paths: write 1 or more of each")
    likely = most_likely_ends(law, statement)
    if law.multiple == 0.0:
        still = np.zeros(paths, dtype=np.int64)
        return SampledEnds(np.tile(likely, (paths, 1)), still, None, sessions, seed, float(paths), paths)
    proposal = _Proposal.about(law, statement, likely)
    drawn: list[FloatArray] = []
    heavy: list[FloatArray] = []
    wanted = paths
    while True:
        for block in range(len(drawn), -(-wanted // BLOCK)):
            z, log_weight = proposal.draw(stream(seed, CANDIDATES, block), sessions)
            drawn.append(z)
            heavy.append(log_weight)
        logs = np.concatenate(heavy)
        weights = np.exp(logs - logs.max())
        effective = float(weights.sum() ** 2 / (weights**2).sum())
        if effective >= ENOUGH * paths or wanted >= MOST_TIMES * paths:
            break
        wanted *= 2
    chosen = _systematic(weights, paths, float(stream(seed, CHOICE, 0).random()))
    ends = np.concatenate(drawn)[chosen]
    return SampledEnds(ends, chosen, proposal.scales, sessions, seed, effective, len(weights))


def _systematic(weights: FloatArray, paths: int, start: float) -> NDArray[np.int64]:
    """Choose in proportion to weights, at equal steps along their sum."""
    up_to = np.cumsum(weights)
    places = (start + np.arange(paths)) / paths * up_to[-1]
    return np.asarray(np.minimum(np.searchsorted(up_to, places, side="right"), len(weights) - 1), dtype=np.int64)


@dataclass(frozen=True)
class _Proposal:
    """Candidates: their own scales, and free coordinates `u ~ N(u*, s*V)`, `V = (T' S^-1 T)^-1`.

    likely : z*, shape (K,). free : the columns of u. spread : a root of V, shape (F, F), and `inverse` of S.
    """

    likely: FloatArray
    free: tuple[int, ...]
    spread: FloatArray
    inverse: FloatArray
    move: _Move | None
    scales: ScaleDraw

    @classmethod
    def about(cls, law: Law, statement: Statement, likely: FloatArray) -> _Proposal:
        known, move = _read(law, statement)
        K = len(law.names)
        free = tuple(k for k in range(K) if k not in known and (move is None or k != move.upper))
        T = np.zeros((K, len(free)))
        T[list(free), range(len(free))] = 1.0
        if move is not None:
            T[move.upper, free.index(move.lower)] = math.exp(likely[move.lower] - likely[move.upper])
        inverse = np.linalg.inv(law.S)
        spread = np.linalg.cholesky(np.linalg.inv(T.T @ inverse @ T))
        violence = 1.0 + float(likely @ inverse @ likely) / (law.degrees - 2.0)
        scales = ScaleDraw(law.degrees, min(violence, MOST_SCALE))
        return cls(likely, free, np.asarray(spread), np.asarray(inverse), move, scales)

    def draw(self, rng: np.random.Generator, sessions: int) -> tuple[FloatArray, FloatArray]:
        """Return the ends of a block of candidates, shape (BLOCK, K), and the logs of their weights.

        The scales come first in the stream, so that they can be drawn again without the rest.
        """
        scales = self.scales.block(rng, sessions)
        s = scales.sum(axis=1) / self.scales.mean
        g = rng.standard_normal((BLOCK, len(self.free)))
        z = np.tile(self.likely, (BLOCK, 1))
        z[:, list(self.free)] += np.sqrt(s)[:, None] * (g @ self.spread.T)
        volume = np.zeros(BLOCK)
        if self.move is not None:
            z[:, self.move.upper] = np.logaddexp(self.move.log, z[:, self.move.lower])
            volume = -z[:, self.move.upper]
        form = np.einsum("ck,kl,cl->c", z, self.inverse, z) / s
        bound = len(self.likely) - len(self.free)
        law = volume - 0.5 * bound * np.log(s) - 0.5 * form
        log_weight = law + 0.5 * (g**2).sum(axis=1) - self.scales.log_density(scales)
        return z, np.where(scales.max(axis=1) > MOST_SCALE, -np.inf, log_weight)
