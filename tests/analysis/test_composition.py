"""Two indices by sector: worked out on paper, and what holds whatever the weights."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphaoverlay.analysis.composition import (
    SectorComparison,
    Sectors,
    SectorWeights,
    common_groups,
    compare_sectors,
    in_words,
)
from alphaoverlay.errors import DataError

NAMES = ("a", "b", "c", "d", "e", "f")


def side(
    weights: Mapping[Sectors, float], index: str = "LONG", asof: str = "2021-12-31", **more: str | bool
) -> SectorWeights:
    known = {"source": "a file", "verified": True, "classification": "eleven sectors", "note": ""} | more
    return SectorWeights(index=index, asof=asof, weights=weights, **known)  # type: ignore[arg-type]


def by_label(found: SectorComparison) -> dict[str, tuple[float, float]]:
    return {group.label: (group.long, group.short) for group in found.groups}


# --- on paper ---


def test_by_hand() -> None:
    """Active +0.3, +0.1 and -0.4; the lesser weights are 0.2 three times."""
    long = side({("banks",): 0.5, ("oil",): 0.3, ("chips",): 0.2})
    short = side({("chips",): 0.6, ("oil",): 0.2, ("banks",): 0.2}, "SHORT")
    found = compare_sectors(long, short)
    assert [group.sectors for group in found.groups] == [("banks",), ("oil",), ("chips",)]
    assert [group.active for group in found.groups] == pytest.approx([0.3, 0.1, -0.4], abs=1e-15)
    assert found.overlap == pytest.approx(0.6, abs=1e-15)
    assert not found.overlap_is_most
    assert found.notes == ()


def test_sectors_that_one_side_has_in_one_figure_are_compared_together() -> None:
    """b and c are one figure on one side, c and d on the other: only b, c and d together are whole on both."""
    long = side({("a",): 0.40, ("b", "c"): 0.35, ("d",): 0.25})
    short = side({("a",): 0.10, ("b",): 0.20, ("c", "d"): 0.70}, "SHORT")
    found = compare_sectors(long, short)
    assert [(one.label, round(one.long, 12), round(one.short, 12)) for one in found.groups] == [
        ("a", 0.40, 0.10),
        ("b, c and d", 0.60, 0.90),
    ]
    assert found.overlap == pytest.approx(0.10 + 0.60, abs=1e-15)
    assert found.overlap_is_most
    [note] = found.notes
    assert note == (
        "B, c and d are compared together: LONG has b and c in one figure; SHORT has c and d in one figure. The "
        "overlap is at most what is shown."
    )


def test_a_sector_that_one_side_does_not_list_is_none_of_it_and_said() -> None:
    found = compare_sectors(side({("a",): 0.7, ("b",): 0.3}), side({("a",): 0.995}, "SHORT"))
    assert by_label(found) == {"b": (0.3, 0.0), "a": (0.7, 0.995)}
    assert found.notes == ("Not listed by SHORT, which sums to 99.5% without, and taken as none: b.",)


def test_what_is_owed_counts_as_nothing_in_the_overlap() -> None:
    long = side({("a",): 1.003, ("cash",): -0.003})
    found = compare_sectors(long, side({("a",): 0.99, ("cash",): 0.01}, "SHORT"))
    assert found.overlap == pytest.approx(0.99, abs=1e-15)
    assert by_label(found)["cash"] == (-0.003, 0.01)


@pytest.mark.parametrize(
    ("day", "said"),
    [("2021-12-31", False), ("2021-11-30", False), ("2021-11-29", True), ("2022-02-01", True), ("2022-01-31", False)],
)
def test_weights_more_than_31_days_apart_say_so(day: str, said: bool) -> None:
    found = compare_sectors(side({("a",): 1.0}), side({("a",): 1.0}, "SHORT", day))
    assert any("days apart: LONG as of 2021-12-31, SHORT as of " in note for note in found.notes) is said
    assert (found.days_apart > 31) is said


def test_other_classifications_and_unverified_weights_say_so() -> None:
    found = compare_sectors(
        side({("a",): 1.0}, classification="other names", note="two are unknown"),
        side({("a",): 1.0}, "SHORT", verified=False, note="quoted, not read."),
    )
    assert found.notes == (
        "The sectors may not mean the same: LONG has other names, SHORT eleven sectors.",
        "LONG: two are unknown.",
        "NOT VERIFIED: SHORT as of 2021-12-31. Quoted, not read.",
    )


def test_in_words() -> None:
    assert in_words(["a"]) == "a"
    assert in_words(["a", "b"]) == "a and b"
    assert in_words(["a", "b", "c"]) == "a, b and c"


# --- what is refused ---


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({}, "the sector weights of SHORT sum to 0.0%, not to about 100%; give all of them"),
        ({("a",): 0.98}, "sum to 98.0%"),
        ({("a",): 1.016}, "sum to 101.6%"),
        ({("a",): 0.5, ("a", "b"): 0.5}, "a stands twice in the weights of SHORT; keep one"),
        ({("a", "a"): 1.0}, "a stands twice"),
        ({("a",): math.nan}, "a of SHORT has no weight"),
        ({("a",): math.inf}, "a of SHORT has no weight"),
        ({(): 1.0}, "a group of SHORT has no weight"),
    ],
)
def test_weights_that_are_none(weights: dict[Sectors, float], said: str) -> None:
    with pytest.raises(DataError) as caught:
        compare_sectors(side({("a",): 1.0}), side(weights, "SHORT"))
    assert said in str(caught.value)
    assert str(caught.value).startswith("a file: ")


@pytest.mark.parametrize("day", ["", "2021-13-01", "31.12.2021"])
def test_a_day_that_is_none(day: str) -> None:
    with pytest.raises(DataError, match="is not a day; write it as YYYY-MM-DD"):
        compare_sectors(side({("a",): 1.0}, asof=day), side({("a",): 1.0}, "SHORT"))


# --- whatever the weights ---


@st.composite
def sides(draw: st.DrawFn, index: str) -> SectorWeights:
    """Some of the names in groups of one to three, with weights that sum to one."""
    names = list(draw(st.permutations(NAMES)))[: draw(st.integers(1, len(NAMES)))]
    groups: list[Sectors] = []
    while names:
        size = draw(st.integers(1, 3))
        groups.append(tuple(sorted(names[:size])))
        names = names[size:]
    shares = [draw(st.integers(1, 50)) for _ in groups]
    return side({group: share / sum(shares) for group, share in zip(groups, shares, strict=True)}, index)


@given(long=sides("LONG"), short=sides("SHORT"))
def test_merging_keeps_sums_and_every_group_whole(long: SectorWeights, short: SectorWeights) -> None:
    found = compare_sectors(long, short)
    assert math.fsum(group.long for group in found.groups) == pytest.approx(1.0, abs=1e-12)
    assert math.fsum(group.short for group in found.groups) == pytest.approx(1.0, abs=1e-12)
    assert math.fsum(group.active for group in found.groups) == pytest.approx(0.0, abs=1e-12)
    sectors = [sector for group in found.groups for sector in group.sectors]
    assert len(sectors) == len(set(sectors))
    for given_side in (long, short):
        for group in given_side.weights:
            assert sum(set(group) <= set(one.sectors) for one in found.groups) == 1
    assert [group.active for group in found.groups] == sorted((group.active for group in found.groups), reverse=True)


@given(long=sides("LONG"), short=sides("SHORT"))
def test_overlap_is_between_none_and_all_and_is_what_active_weights_leave(
    long: SectorWeights, short: SectorWeights
) -> None:
    """Of weights that sum to one, the overlap is 1 less half of the absolute active weights, whoever is long."""
    found, turned = compare_sectors(long, short), compare_sectors(short, long)
    assert 0.0 <= found.overlap <= 1.0
    active = math.fsum(abs(group.active) for group in found.groups)
    assert found.overlap == pytest.approx(1.0 - active / 2.0, abs=1e-12)
    assert turned.overlap == pytest.approx(found.overlap, abs=1e-15)
    assert {group.sectors: -group.active for group in turned.groups} == {
        group.sectors: group.active for group in found.groups
    }
    assert compare_sectors(long, side(long.weights, "SAME")).overlap == pytest.approx(1.0, abs=1e-12)


@given(st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple), max_size=8))
def test_groups_are_the_finest_that_hold_every_given_one_whole(given_groups: list[Sectors]) -> None:
    found = common_groups(given_groups)
    # Two sectors belong together if a chain of given groups leads from one to the other.
    reach = {name: {name} for group in given_groups for name in group}
    for _ in NAMES:
        for group in given_groups:
            together = set().union(*(reach[name] for name in group))
            for name in together:
                reach[name] |= together
    assert set(found) == {tuple(sorted(one)) for one in reach.values()}
    assert list(found) == sorted(found)
