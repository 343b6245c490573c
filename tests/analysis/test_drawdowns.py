"""Falls below the running peak, and their dates."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.building import WEEKDAYS

from alphaoverlay.analysis.drawdowns import Drawdown, deepest_drawdown, drawdowns

LEVELS = st.lists(st.integers(1, 40), min_size=1, max_size=40).map(lambda drawn: [level / 20 for level in drawn])
STARTS = st.sampled_from([1.0, None])


def series(levels: list[float]) -> pd.Series:
    """Values on consecutive weekdays."""
    return pd.Series(levels, index=WEEKDAYS[: len(levels)])


def day(position: int) -> pd.Timestamp:
    """The weekday of a position."""
    return WEEKDAYS[position]


def is_deepest(
    levels: list[float], depth: float, peak: int, trough: int, recovery: int | None, start: float | None = 1.0
) -> bool:
    """Whether the deepest fall is this, between these positions."""
    found = deepest_drawdown(series(levels), start)
    assert found is not None
    assert found.depth == pytest.approx(depth, rel=1e-12)
    assert (found.peak, found.trough) == (day(peak), day(trough))
    return found.recovery == (None if recovery is None else day(recovery))


def test_by_hand() -> None:
    levels = [1.0, 1.25, 1.0, 1.25, 0.75, 1.0, 1.5, 1.2]
    assert drawdowns(series(levels)).tolist() == pytest.approx([0, 0, -0.2, 0, -0.4, -0.2, 0, -0.2])
    # The peak is the last close at the height: session 3, not session 1.
    assert is_deepest(levels, -0.4, 3, 4, 6)


def test_not_yet_recovered() -> None:
    assert is_deepest([1.0, 2.0, 1.0, 1.9], -0.5, 1, 2, None)


def test_recovered_at_exactly_the_old_height() -> None:
    assert is_deepest([1.0, 1.1, 0.7, 1.1], 0.7 / 1.1 - 1, 1, 2, 3)


def test_the_cost_of_the_purchase_is_a_fall_from_the_start() -> None:
    """Wealth was 1.0 before the purchase at the first close; that peak has no close of its own, so the day stands."""
    assert drawdowns(series([0.99, 0.995, 1.0])).tolist() == pytest.approx([-0.01, -0.005, 0.0])
    assert is_deepest([0.99, 0.995, 1.0], -0.01, 0, 0, 2)
    assert is_deepest([0.99, 0.98, 0.999], -0.02, 0, 1, None)


def test_without_a_start_the_first_value_is_the_first_peak() -> None:
    assert drawdowns(series([0.5, 0.25, 1.0]), start=None).tolist() == [0.0, -0.5, 0.0]
    assert is_deepest([50.0, 25.0, 60.0], -0.5, 0, 1, 2, start=None)
    assert deepest_drawdown(series([0.99, 0.995, 1.0]), start=None) is None


def test_no_fall_no_drawdown() -> None:
    assert deepest_drawdown(series([1.0, 1.0, 1.1])) is None
    assert deepest_drawdown(series([])) is None


def test_ruin_is_a_fall_of_everything() -> None:
    assert is_deepest([1.0, 1.2, 0.0, 0.0], -1.0, 1, 2, None)
    assert is_deepest([0.99, 0.0], -1.0, 0, 1, None)


@given(LEVELS, STARTS)
def test_every_fall_is_from_the_highest_so_far(levels: list[float], start: float | None) -> None:
    before = [] if start is None else [start]
    expected = [level / max([*before, *levels[: k + 1]]) - 1 for k, level in enumerate(levels)]
    assert drawdowns(series(levels), start).tolist() == pytest.approx(expected, abs=1e-15)


@given(LEVELS, STARTS)
def test_the_dates_of_the_deepest_fall(levels: list[float], start: float | None) -> None:
    """Found by looking at every close."""
    before = [] if start is None else [start]
    falls = [level / max([*before, *levels[: k + 1]]) - 1 for k, level in enumerate(levels)]
    found = deepest_drawdown(series(levels), start)
    if min(falls) == 0:
        assert found is None
        return
    trough = falls.index(min(falls))
    height = max([*before, *levels[:trough]])
    peak = max((k for k in range(trough) if levels[k] == height), default=0)
    back = [k for k in range(trough, len(levels)) if levels[k] >= height]
    assert found == Drawdown(falls[trough], day(peak), day(trough), day(back[0]) if back else None)
