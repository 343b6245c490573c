"""What two indices are made of, by sector: active weights and overlap, on groups that both can tell apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from alphaoverlay.errors import DataError

# Published weights are rounded, and holdings have something due or owed.
SUM_SLACK = 0.015
# Weights further apart than a month are of two different times.
DAYS_APART = 31

Sectors = tuple[str, ...]


@dataclass(frozen=True)
class SectorWeights:
    """Weights of one index on one day.

    Attributes
    ----------
    index : its name.
    asof : the day, ISO.
    weights : fraction by group of sectors; most groups are one sector, several are one that was published together.
    source : where they were read.
    verified : whether they were read in the document named in `source`.
    classification : whose sectors they are, in words that are equal where the sectors mean the same.
    note : what a reader must know of them; may be empty.
    """

    index: str
    asof: str
    weights: Mapping[Sectors, float]
    source: str
    verified: bool
    classification: str
    note: str = ""


@dataclass(frozen=True)
class SectorGroup:
    """Sectors that both sides have as a whole, and the weight of each side as a fraction."""

    sectors: Sectors
    long: float
    short: float

    @property
    def active(self) -> float:
        """Long minus short."""
        return self.long - self.short

    @property
    def label(self) -> str:
        """The sectors in words."""
        return in_words(self.sectors)


@dataclass(frozen=True)
class SectorComparison:
    """Two indices side by side.

    Attributes
    ----------
    long, short : the two, as they were given.
    groups : from the largest active weight to the least.
    overlap : sum of the lesser of the two weights, between 0 and 1; weights below 0 count as 0. With sectors compared
        together it is an upper bound, `overlap_is_most`.
    notes : sentences that every output must carry.
    """

    long: SectorWeights
    short: SectorWeights
    groups: tuple[SectorGroup, ...]
    overlap: float
    notes: tuple[str, ...]

    @property
    def overlap_is_most(self) -> bool:
        """Whether the overlap may be less, where several sectors are compared as one."""
        return any(len(one.sectors) > 1 for one in self.groups)

    @property
    def days_apart(self) -> int:
        """Calendar days between the two."""
        return _days_apart(self.long, self.short)


def compare_sectors(long: SectorWeights, short: SectorWeights) -> SectorComparison:
    """Compare two indices on the finest groups of sectors that are whole on both sides.

    A sector that one side does not list is taken as none of it.

    Raises
    ------
    DataError : weights that do not sum to about one, a sector that stands twice, a weight or day that is none.
    """
    for side in (long, short):
        _check(side)
    groups = [
        SectorGroup(sectors, _within(long, sectors), _within(short, sectors))
        for sectors in common_groups([*long.weights, *short.weights])
    ]
    groups.sort(key=lambda group: (-group.active, group.sectors))
    shared = math.fsum(max(0.0, min(group.long, group.short)) for group in groups)
    return SectorComparison(long, short, tuple(groups), min(1.0, shared), tuple(_notes(long, short, groups)))


def common_groups(groups: Iterable[Sectors]) -> tuple[Sectors, ...]:
    """Merge groups that share a sector, and so on, until none do; each sorted, and in the order of their first sector.

    The result is the finest grouping in which every given group lies whole inside one.
    """
    merged: list[set[str]] = []
    for group in groups:
        touched = [one for one in merged if not one.isdisjoint(group)]
        merged = [one for one in merged if one.isdisjoint(group)] + [set(group).union(*touched)]
    return tuple(sorted(tuple(sorted(one)) for one in merged))


def in_words(sectors: Iterable[str]) -> str:
    """Write sectors as "materials, real estate and utilities"."""
    *others, last = sectors
    return f"{', '.join(others)} and {last}" if others else last


def _within(side: SectorWeights, sectors: Sectors) -> float:
    return math.fsum(weight for group, weight in side.weights.items() if set(group) <= set(sectors))


def _days_apart(one: SectorWeights, other: SectorWeights) -> int:
    return abs((date.fromisoformat(one.asof) - date.fromisoformat(other.asof)).days)


def _check(side: SectorWeights) -> None:
    try:
        date.fromisoformat(side.asof)
    except ValueError:
        raise DataError(f"{side.source}: {side.asof[:40]!r} is not a day; write it as YYYY-MM-DD") from None
    seen: set[str] = set()
    for group, weight in side.weights.items():
        if not group or not math.isfinite(weight):
            raise DataError(f"{side.source}: {in_words(group) if group else 'a group'} of {side.index} has no weight")
        for sector in group:
            if sector in seen:
                raise DataError(f"{side.source}: {sector} stands twice in the weights of {side.index}; keep one")
            seen.add(sector)
    total = math.fsum(side.weights.values())
    if abs(total - 1.0) > SUM_SLACK:
        raise DataError(
            f"{side.source}: the sector weights of {side.index} sum to {total:.1%}, not to about 100%; give all of them"
        )


def _notes(long: SectorWeights, short: SectorWeights, groups: Sequence[SectorGroup]) -> Iterator[str]:
    days = _days_apart(long, short)
    if days > DAYS_APART:
        yield (
            f"The two are {days} days apart: {long.index} as of {long.asof}, {short.index} as of {short.asof}. "
            "Part of the difference may be time."
        )
    if long.classification != short.classification:
        yield (
            f"The sectors may not mean the same: {long.index} has {long.classification}, {short.index} "
            f"{short.classification}."
        )
    for side in (long, short):
        if not side.verified:
            yield f"NOT VERIFIED: {side.index} as of {side.asof}. {_sentence(side.note)}".strip()
        elif side.note:
            yield f"{side.index}: {side.note.removesuffix('.')}."
    for group in (one for one in groups if len(one.sectors) > 1):
        yield (
            f"{group.label.capitalize()} are compared together: {_together(group, long, short)}. The overlap is at "
            "most what is shown."
        )
    for side in (long, short):
        listed = {sector for group in side.weights for sector in group}
        if bare := [group.label for group in groups if listed.isdisjoint(group.sectors)]:
            total = math.fsum(side.weights.values())
            none = ", ".join(bare)
            yield f"Not listed by {side.index}, which sums to {total:.1%} without, and taken as none: {none}."


def _together(group: SectorGroup, *sides: SectorWeights) -> str:
    """Which side has which of the sectors in one figure only."""
    return "; ".join(
        f"{side.index} has {in_words(one)} in one figure"
        for side in sides
        for one in side.weights
        if len(one) > 1 and set(one) <= set(group.sectors)
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}." if text else ""
