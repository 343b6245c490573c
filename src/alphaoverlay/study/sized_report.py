"""What a run says of a signal that sized its overlay: in its report, and in its JSON document."""

from __future__ import annotations

import pandas as pd
from pydantic import BaseModel

from alphaoverlay.history import counted, iso
from alphaoverlay.report.figures import lines
from alphaoverlay.report.model import Column, Row, Section, Table
from alphaoverlay.study.run import StudyResult
from alphaoverlay.study.sized_overlay import SizedOverlay


class SizedModel(BaseModel):
    """The signal that sized the overlay: decided at each close, traded at the next.

    `known_from` is null where it never was; `weights` by size; `share` of the span's sessions with each size held.
    """

    long: str
    short: str
    basis: str
    known_from: str | None
    weights: dict[str, dict[str, float]]
    share: dict[str, float]
    changes: int
    last_size: float
    rest: float


def held_sizes(sized: SizedOverlay, dates: pd.DatetimeIndex) -> pd.Series:
    """Return the size held after each close: decided at the close before."""
    decided = sized.tactical.size
    return decided.shift(1).reindex(dates).fillna(sized.tactical.rule.rest).rename("size")


def sized_model(result: StudyResult) -> SizedModel | None:
    """Return the `signal` object of a run; None without a signal that sizes."""
    sized, table = result.sized, result.study.signal
    if sized is None or table is None:
        return None
    held = held_sizes(sized, result.portfolio.history.dates)
    known = sized.tactical.percentile.dropna().index
    return SizedModel(
        long=table.long,
        short=table.short,
        basis=table.basis,
        known_from=iso(known[0]) if len(known) else None,
        weights={f"{size:.12g}": portfolio.by_symbol for size, portfolio in sized.portfolios.items()},
        share={f"{size:.12g}": float((held == size).mean()) for size in sized.portfolios},
        changes=_changes(held),
        last_size=float(sized.decided(result.portfolio.history.dates).iloc[-1]),
        rest=table.rest,
    )


def _changes(held: pd.Series) -> int:
    values = held.to_numpy(dtype=float)
    return int((values[1:] != values[:-1]).sum())


def sized_sections(result: StudyResult) -> tuple[Section, ...]:
    """Say how large the overlay was when; empty without a signal that sizes."""
    found = sized_model(result)
    if result.sized is None or found is None:
        return ()
    held = held_sizes(result.sized, result.portfolio.history.dates)
    rows = [
        Row((size, ", ".join(f"{100.0 * w:.4g}% {s}" for s, w in weights.items()), found.share[size]))
        for size, weights in found.weights.items()
    ]
    note = (
        f"{counted(found.changes, 'change')} of size. Decided at a close by {found.long} against {found.short} "
        f"({found.basis} levels: {', '.join(result.sized.levels.made_of.values())}), traded at the next. At the last "
        f"close: {found.last_size:g}."
    )
    columns = (Column("Size"), Column("Weights"), Column("Share of sessions", "percent"))
    chart = lines(held.to_frame(), "Size of the overlay held after each close", "size", ".2f")
    return (Section("The signal", (Table("The overlay by size", columns, tuple(rows), note), chart)),)
