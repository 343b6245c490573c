"""The same signal a little otherwise: other windows, entries, starts and series, and what choosing among them is worth.

Definitions: method M11, "How much was tried".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from alphaoverlay.errors import DataError, SpanError
from alphaoverlay.history import FloatArray
from alphaoverlay.signals.evidence import Outcomes, outcomes_of
from alphaoverlay.signals.overfitting import (
    CrossValidation,
    DeflatedSharpe,
    cross_validate,
    daily_sharpe,
    deflate_sharpe,
)
from alphaoverlay.signals.relative_value import HORIZON, SESSIONS_A_YEAR, Pair
from alphaoverlay.signals.tactical import TacticalRule

WINDOWS = (504, 756, 1008, 1260)
ENTRIES = (0.02, 0.05, 0.10, 0.20)
# What walk-forward looks back on before its first choice, and how long it keeps one.
LEARNING, KEPT = 1260, 252


@dataclass(frozen=True)
class Trial:
    """One variant: what was changed, and what followed its signal.

    Attributes
    ----------
    changed : in words; empty for the signal itself.
    number : independent episodes with a known outcome.
    mean_after, base_rate : None without any.
    percentile : on the last session; None where unknown.
    on : whether the overlay is on after the last close.
    """

    changed: str
    number: int
    mean_after: float | None
    base_rate: float | None
    percentile: float | None
    on: bool


@dataclass(frozen=True)
class Record:
    """Active return of a choice over some sessions, before costs: a year, and its Sharpe ratio a year."""

    a_year: float
    sharpe: float


@dataclass(frozen=True)
class Choosing:
    """What choosing among the variants is worth.

    Attributes
    ----------
    first : session from which all variants are compared.
    sessions : how many those are.
    walk_forward, own, best : over the sessions after the learning: chosen by the past only, the signal itself, and the
        best in hindsight; None where there are too few.
    best_variant : which the best over all sessions is, and `best_after` over those after the learning; empty for the
        signal itself.
    deflated, validation : of that one, and of the choice; None where they cannot be told, with the reason in `notes`.
    """

    first: pd.Timestamp
    sessions: int
    walk_forward: Record | None
    own: Record | None
    best: Record | None
    best_variant: str
    best_after: str
    deflated: DeflatedSharpe | None
    validation: CrossValidation | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Sensitivity:
    """A signal and its variants.

    Attributes
    ----------
    variants : windows and entries, the signal itself among them.
    starts, proxies : other beginnings of the history, and other series of the same indices.
    choosing : what choosing among the variants is worth; None where none could be compared, with the reason in `notes`.
    """

    variants: tuple[Trial, ...]
    starts: tuple[Trial, ...]
    proxies: tuple[Trial, ...]
    choosing: Choosing | None
    notes: tuple[str, ...]


def vary_signal(
    pair: Pair, rule: TacticalRule, horizon: int = HORIZON, proxies: Mapping[str, Pair] | None = None
) -> Sensitivity:
    """Run a signal with other windows and entries, from later starts, and on other series.

    Parameters
    ----------
    pair, rule, horizon : the signal.
    proxies : other pairs by name.

    Raises
    ------
    SpanError, StudyError : as `follow_signal`, of the signal itself.
    """
    pair.needs(rule.window)
    wanted = {name: (pair, one) for name, one in nearby_rules(rule)}
    later = {
        words: (pair.since(int(share * len(pair.long))), rule)
        for share, words in ((0.25, "without the first quarter"), (0.5, "without the first half"))
    }
    other = {name: (one, rule) for name, one in (proxies or {}).items()}
    short = [name for name, (levels, one) in {**wanted, **later, **other}.items() if len(levels.long) <= one.window]
    found, starts, others = (
        {name: outcomes_of(*one, horizon) for name, one in group.items() if name not in short}
        for group in (wanted, later, other)
    )
    notes = [f"Left out, too short for the window: {'; '.join(short)}."] if short else []
    choosing: Choosing | None = None
    try:
        choosing = choose_in_hindsight(pair, found)
    except SpanError as error:
        notes.append(f"Variants are not compared: {error}.")
    return Sensitivity(
        variants=tuple(_trial(name, one) for name, one in found.items()),
        starts=tuple(_trial(name, one) for name, one in starts.items()),
        proxies=tuple(_trial(name, one) for name, one in others.items()),
        choosing=choosing,
        notes=tuple(notes),
    )


def nearby_rules(rule: TacticalRule) -> Iterator[tuple[str, TacticalRule]]:
    """Yield the rule itself, named "", and those with the other windows and entries; steps only with its own entry."""
    yield "", rule
    low = rule.enter < rule.exit
    entries = [one if low else 1.0 - one for one in ENTRIES]
    for window in dict.fromkeys((*WINDOWS, rule.window)):
        for enter in dict.fromkeys((*entries, rule.enter)):
            # An entry beyond the exit would be another signal.
            if (window, enter) == (rule.window, rule.enter) or (enter < rule.exit) != low or enter == rule.exit:
                continue
            steps = rule.steps if enter == rule.enter else ()
            yield (
                f"window {window}, entry {100.0 * enter:.10g}%",
                replace(rule, window=window, enter=enter, steps=steps),
            )


def active_returns(pair: Pair, size: pd.Series) -> FloatArray:
    """Return what a size earns on the pair each session, shape (n,): decided at t-2, traded at t-1, earned on t."""
    long, short = pair.arrays
    moves = long[1:] / long[:-1] - short[1:] / short[:-1]
    held = size.to_numpy(dtype=np.float64)
    return np.concatenate(([0.0, 0.0], held[:-2] * moves[1:]))


def choose_in_hindsight(pair: Pair, found: Mapping[str, Outcomes]) -> Choosing:
    """Compare the variants' active returns; the first of `found` is the signal itself.

    Raises
    ------
    SpanError : there is nothing to compare.
    """
    known = {name: one.tactical.percentile.notna().to_numpy() for name, one in found.items()}
    if not next(iter(known.values())).any():
        raise SpanError("the signal itself has no percentile yet")
    names = [name for name, one in known.items() if one.any()]
    if len(names) < 2:
        raise SpanError("there is only one, as the history is too short for any other window")
    first = max(int(known[name].argmax()) for name in names)
    table = np.stack([active_returns(pair, found[name].tactical.size)[first:] for name in names], axis=1)
    sharpe = daily_sharpe(table)
    best = int(sharpe.argmax())
    notes: list[str] = []
    deflated: DeflatedSharpe | None = None
    validation: CrossValidation | None = None
    try:
        deflated = deflate_sharpe(table[:, best], sharpe)
    except DataError as error:
        notes.append(f"No deflated Sharpe ratio: {error}.")
    try:
        validation = cross_validate(table)
    except DataError as error:
        notes.append(f"No cross-validation: {error}.")
    after = walk_forward(table)
    if not len(after):
        notes.append(f"No walk-forward: it needs more than {LEARNING} sessions on which every variant is known.")
    rest = table[LEARNING:]
    hindsight = int(daily_sharpe(rest).argmax()) if len(after) else 0
    return Choosing(
        first=pair.dates[first],
        sessions=len(table),
        walk_forward=_record(after) if len(after) else None,
        own=_record(rest[:, 0]) if len(after) else None,
        best=_record(rest[:, hindsight]) if len(after) else None,
        best_variant=names[best],
        best_after=names[hindsight],
        deflated=deflated,
        validation=validation,
        notes=tuple(notes),
    )


def walk_forward(table: FloatArray, learning: int = LEARNING, kept: int = KEPT) -> FloatArray:
    """Return what comes of holding, for `kept` sessions at a time, the column with the best past Sharpe ratio.

    Parameters
    ----------
    table : daily returns, shape (T, N).
    learning : sessions before the first choice.

    Returns
    -------
    Shape (T - learning,), empty where there are none.
    """
    joined = [
        # What is held on a session was chosen at the close before last, as a size is decided and traded.
        table[at : at + kept, int(daily_sharpe(table[: at - 1]).argmax())]
        for at in range(learning, len(table), kept)
    ]
    return np.concatenate(joined) if joined else np.empty(0)


def _record(returns: FloatArray) -> Record:
    ratio = float(daily_sharpe(returns[:, None])[0])
    return Record(float(returns.mean()) * SESSIONS_A_YEAR, ratio * math.sqrt(SESSIONS_A_YEAR))


def _trial(changed: str, found: Outcomes) -> Trial:
    def known(value: float) -> float | None:
        return None if math.isnan(value) else value

    return Trial(
        changed=changed,
        number=found.number,
        mean_after=known(found.mean_after),
        base_rate=known(found.base_rate),
        percentile=known(float(found.tactical.percentile.iloc[-1])),
        on=found.tactical.on,
    )
