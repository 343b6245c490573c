"""Windows of the past like a statement: by hand, and by the second implementation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import second_scenarios

from alphaoverlay.errors import DataError, SpanError, StudyError
from alphaoverlay.scenarios.past_windows import PastWindows, past_windows
from alphaoverlay.scenarios.statement import Statement

A, B, C = "RUSSELL2000", "NASDAQ100", "SP500"


def returns_of(levels: Mapping[str, Sequence[float]]) -> pd.DataFrame:
    """Returns between these levels on weekdays, the first unknown."""
    frame = pd.DataFrame({name: np.asarray(values, dtype=np.float64) for name, values in levels.items()})
    frame.index = pd.bdate_range("2020-01-01", periods=len(frame))
    return frame / frame.shift(1) - 1.0


def found(
    levels: Mapping[str, Sequence[float]], sessions: int, move: float | None = None, **pins: float
) -> PastWindows:
    """Windows like a move of A over B, or pins."""
    statement = Statement.of(pins, None if move is None else (A, B, move))
    return past_windows(returns_of(levels), statement, sessions)


def test_a_move_within_a_fifth_counts_and_one_beyond_does_not() -> None:
    # Over one session A moves 19.9, 20.1, 29.9 and 30.1 points; 25 +- 5 are alike.
    levels = [1.0]
    for move in (0.199, 0.201, 0.299, 0.301):
        levels += [levels[-1] * (1.0 + move)]
    one = found({A: levels, B: [1.0] * 5}, 1, 0.25)
    assert one.places.tolist() == [1, 2]
    assert one.move is not None
    assert one.move.tolist() == pytest.approx([0.201, 0.299], abs=1e-12)
    assert one.first.strftime("%Y-%m-%d").tolist() == ["2020-01-02", "2020-01-03"]
    assert one.last.strftime("%Y-%m-%d").tolist() == ["2020-01-03", "2020-01-06"]
    assert one.ends[A].tolist() == pytest.approx([0.201, 0.299], abs=1e-12)
    assert one.ends[B].tolist() == [0.0, 0.0]
    assert (one.number, one.non_overlapping) == (2, 2)


def test_a_move_is_a_difference_of_returns_and_has_a_sign() -> None:
    levels = {A: [1.0, 1.1, 0.7], B: [1.0, 0.85, 0.85]}
    assert found(levels, 1, 0.25).places.tolist() == [0]
    assert found(levels, 1, -0.364).places.tolist() == [1]
    assert found({A: levels[B], B: levels[A]}, 1, -0.25).places.tolist() == [0]


def test_a_move_of_nothing_is_within_a_point() -> None:
    levels = {A: [1.0, 1.009, 1.009 * 0.989, 1.009 * 0.989 * 0.991], B: [1.0] * 4}
    assert found(levels, 1, 0.0).places.tolist() == [0, 2]


def test_a_pin_is_within_a_fifth_but_at_least_a_point() -> None:
    steps = [0.005, 0.014, -0.009, 0.016]
    levels = {C: np.cumprod([1.0, *(1.0 + x for x in steps)]).tolist()}
    assert found(levels, 1, SP500=0.005).places.tolist() == [0, 1]
    assert found(levels, 1, SP500=0.0).places.tolist() == [0, 2]
    wide = {C: np.cumprod([1.0, 0.76, 0.84, 0.83]).tolist()}
    assert found(wide, 1, SP500=-0.2).places.tolist() == [0, 1, 2]
    # -21% reaches from -25.2% to -16.8%.
    assert found(wide, 1, SP500=-0.21).places.tolist() == [0, 2]
    assert found(wide, 1, SP500=-0.205).move is None


def test_move_and_pins_must_all_be_alike() -> None:
    levels = {A: [1.0, 1.2, 1.44], B: [1.0, 1.0, 1.0], C: [1.0, 1.1, 1.1]}
    assert found(levels, 1, 0.2).number == 2
    assert found(levels, 1, 0.2, SP500=0.1).places.tolist() == [0]
    assert found(levels, 2, 0.44, SP500=0.1).places.tolist() == [0]
    assert list(found(levels, 2, 0.44, SP500=0.1).ends.columns) == [A, B, C]


def test_windows_are_counted_from_the_first_on_and_may_touch() -> None:
    # Every window of three sessions is alike; those from 0, 3 and 6 touch at their ends.
    levels = {C: (1.02 ** np.arange(10)).tolist()}
    one = found(levels, 3, SP500=0.06)
    assert one.number == 7
    assert one.places[one.counted].tolist() == [0, 3, 6]
    # Windows 0, 1 and 4 of two: the second overlaps, the third does not.
    steps = [0.05, 0.05, 0.05, -0.5, 0.05, 0.05]
    other = found({C: np.cumprod([1.0, *(1.0 + x for x in steps)]).tolist()}, 2, SP500=0.1025)
    assert (other.places.tolist(), other.counted.tolist()) == ([0, 1, 4], [True, False, True])


def test_a_window_with_a_hole_is_left_out() -> None:
    frame = returns_of({C: (1.02 ** np.arange(10)).tolist()})
    frame.iloc[5] = np.nan
    # The return of session 5 belongs to the windows that begin at 2, 3 and 4; that of session 0 to none.
    assert past_windows(frame, Statement.of({C: 0.06}), 3).places.tolist() == [0, 1, 5, 6]
    frame["OTHER"] = np.nan
    assert past_windows(frame, Statement.of({C: 0.06}), 3).number == 4


def test_there_may_be_none() -> None:
    short = found({A: [1.0, 1.5], B: [1.0, 1.0]}, 2, 0.5)
    assert (short.number, short.non_overlapping) == (0, 0)
    assert short.move is not None
    assert short.move.shape == (0,)
    assert found({A: [1.0, 1.5], B: [1.0, 1.0]}, 1, -0.5).number == 0


@given(st.integers(0, 10_000), st.integers(1, 30), st.sampled_from([None, 0.05, -0.08, 0.2]), st.booleans())
def test_as_the_second_implementation_finds_them(seed: int, sessions: int, move: float | None, pinned: bool) -> None:
    random = np.random.default_rng(seed)
    levels = np.cumprod(1.0 + random.normal(0.0, 0.02, (120, 3)), axis=0)
    pins = {C: 0.06} if pinned or move is None else {}
    one = found(dict(zip((A, B, C), levels.T, strict=True)), sessions, move, **pins)
    a, b, c = levels.T.tolist()
    starts, apart = second_scenarios.past_windows(a, b, sessions, move, [(c, end) for end in pins.values()])
    assert one.places.tolist() == starts
    assert one.non_overlapping == apart


def test_what_makes_no_sense_is_refused() -> None:
    frame = returns_of({A: [1.0, 1.1, 1.2], B: [1.0, 1.1, 1.2]})
    with pytest.raises(SpanError, match="no returns of SP500"):
        past_windows(frame, Statement.of({C: 0.1}), 1)
    with pytest.raises(SpanError, match="windows of 0 sessions: write 1 or more"):
        past_windows(frame, Statement.of({A: 0.1}), 0)
    with pytest.raises(StudyError, match="states nothing"):
        past_windows(frame, Statement(), 1)
    frame.iloc[2, 1] = -1.0
    with pytest.raises(DataError, match="NASDAQ100 lost everything on 2020-01-03"):
        past_windows(frame, Statement.of({B: 0.1}), 1)
    # One that the statement does not name plays no part.
    assert past_windows(frame, Statement.of({A: 0.1}), 1).number == 2
