"""Bring a series up to date: what is new in a source's answer, and what it has changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sqlalchemy import Connection

from alphaoverlay.errors import DataError
from alphaoverlay.store.comparison import compare
from alphaoverlay.store.rows import BLOCK, Rows
from alphaoverlay.store.versions import Key, Version, append_rows, begin_lineage, kept_rows, scaled

Outcome = Literal["first", "appended", "rescaled", "revised", "unchanged", "behind", "whole needed"]
# A whole answer with fewer of the stored rows than this is taken for a broken answer, not for a revision.
LEAST_KEPT = 0.5


@dataclass(frozen=True)
class Answer:
    """What a source served.

    Attributes
    ----------
    rows : at least one.
    since : the day from which it was asked for; None for the whole series.
    facts : what the source said of the series.
    at : when it was asked, ISO 8601 in UTC.
    """

    rows: Rows
    since: str | None
    facts: Mapping[str, Any]
    at: str


@dataclass(frozen=True)
class Update:
    """What came of bringing a series up to date.

    Attributes
    ----------
    outcome : "whole needed" asks for the whole series: the part that was served does not continue what is stored.
        "behind": the source ends before the stored rows do; nothing was stored.
    version : the newest afterwards; None where the whole is needed.
    added : rows that are new at the end.
    """

    key: Key
    outcome: Outcome
    version: Version | None
    added: int = 0


def bring_up_to_date(
    connection: Connection, series_id: int, key: Key, newest: Version | None, answer: Answer
) -> Update:
    """Store what is new in the answer, as a new version where anything is.

    Raises
    ------
    DataError : a whole answer that lacks most of what is stored.
    """
    if newest is None:
        if answer.since is not None:
            return Update(key, "whole needed", None)
        made = begin_lineage(connection, series_id, answer.rows, _version(answer, 1, "first"))
        return Update(key, "first", made, len(answer.rows))
    stored = scaled(kept_rows(connection, newest), newest)
    if answer.rows.days[-1] < stored.days[-1]:
        return Update(key, "behind", newest)
    # A source that cannot cut serves more than it was asked for; one that serves nothing stored tells nothing of a gap.
    begin = 0 if answer.since is None else min(stored.position(answer.since), stored.position(answer.rows.day(0)))
    if answer.since is not None and (begin == len(stored) or set(answer.rows.columns) != set(stored.columns)):
        return Update(key, "whole needed", None)
    shared = [name for name in stored.columns if name in answer.rows.columns]
    known = int(np.searchsorted(answer.rows.days, stored.days[-1], side="right"))
    found = compare(stored.cut(begin, len(stored)).only(shared), answer.rows.cut(0, known).only(shared))
    fresh = answer.rows.cut(known, len(answer.rows))
    same = found.revision is None and set(answer.rows.columns) == set(stored.columns)
    if same and not found.rescaled and not len(fresh):
        return Update(key, "unchanged", newest)
    if answer.since is not None and (found.revision is not None or found.rescaled):
        return Update(key, "whole needed", None)
    number = newest.number + 1
    if same and not found.rounded:
        close, adjusted = newest.close_scale * found.close_scale, newest.adj_scale * found.adj_scale
        reason = "rescaled" if found.rescaled else "appended"
        draft = _version(answer, number, reason, close_scale=close, adj_scale=adjusted)
        made = append_rows(connection, series_id, newest, fresh.only(stored.columns), draft)
        return Update(key, "rescaled" if found.rescaled else "appended", made, len(fresh))
    _refuse_a_broken_answer(key, stored, answer.rows)
    # Rows before the first changed one stay in the old blocks, unless they were rescaled or have other columns.
    unscaled = not found.rescaled and newest.close_scale == newest.adj_scale == 1.0
    keep = found.first_changed // BLOCK if unscaled and answer.rows.columns == stored.columns else 0
    rows = stored.cut(0, keep * BLOCK).joined(answer.rows.cut(keep * BLOCK, len(answer.rows))) if keep else answer.rows
    # Factors between rounded prices do not give the prices that are served, so these are stored as they are.
    outcome: Outcome = "rescaled" if same else "revised"
    draft = _version(answer, number, outcome, revision=found.revision)
    made = begin_lineage(connection, series_id, rows, draft, like=newest.lineage, keep=keep)
    return Update(key, outcome, made, len(fresh))


def _version(answer: Answer, number: int, reason: str, **more: Any) -> Version:
    """A version of which the rows are not yet known."""
    return Version(number=number, created=answer.at, reason=reason, facts=dict(answer.facts), **more)


def _refuse_a_broken_answer(key: Key, stored: Rows, served: Rows) -> None:
    kept = len(np.intersect1d(stored.days, served.days, assume_unique=True))
    if kept < LEAST_KEPT * len(stored):
        raise DataError(
            f"{key}: the source now has {kept:,} of the {len(stored):,} rows that are stored; this is taken for a "
            "broken answer, and nothing was stored. Try again later, or fetch into another store (--store)"
        )
