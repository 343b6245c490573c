from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphaoverlay.errors import StudyError
from alphaoverlay.scenarios.statement import Statement


def test_a_move_and_pins_name_their_indices() -> None:
    said = Statement.of({"C": 0.1, "A": -0.2}, ("A", "B", 0.25))
    assert said.indices == ("A", "B", "C")
    assert said.ends == {"C": 0.1, "A": -0.2, "B": pytest.approx(-0.45)}
    assert said.free_move is None


def test_the_other_of_a_move_is_known_where_one_is_pinned() -> None:
    assert Statement.of({"B": -0.1}, ("A", "B", 0.25)).ends["A"] == pytest.approx(0.15)
    assert Statement.of({"A": -0.1}, ("A", "B", 0.25)).ends["B"] == pytest.approx(-0.35)


def test_a_free_move_is_written_with_the_higher_end_first() -> None:
    assert Statement.of(move=("A", "B", 0.25)).free_move == ("A", "B", 0.25)
    assert Statement.of(move=("A", "B", -0.25)).free_move == ("B", "A", 0.25)
    assert Statement.of({"C": 0.0}).free_move is None


@pytest.mark.parametrize(
    ("pins", "move", "says"),
    [
        ({}, None, "states nothing; state a move"),
        ({"A": -1.0}, None, "A = -1: an end return is a simple return above -1"),
        ({"A": math.nan}, None, "A = nan: an end return"),
        ({"A": math.inf}, None, "A = inf: an end return"),
        ({"A": 25.0}, None, "returns are fractions, so write 0.25 for 25%"),
        ({}, ("A", "A", 0.1), "over itself is always 0"),
        ({}, ("A", "B", math.nan), "write a fraction between"),
        ({}, ("A", "B", 25.0), "such as 0.25 for 25 points"),
        ({"A": 0.1, "B": 0.0}, ("A", "B", 0.1), "leave out the move, or one pin"),
        ({"B": -0.5}, ("A", "B", -0.6), r"takes A to -110%; state a smaller move, or another end of B"),
        ({"A": 9.0}, ("A", "B", -5.0), "takes B to"),
    ],
)
def test_what_makes_no_sense_is_refused(pins: dict[str, float], move: tuple[str, str, float], says: str) -> None:
    with pytest.raises(StudyError, match=says):
        Statement.of(pins, move)


def test_the_mirror_turns_the_move_and_every_pin() -> None:
    said = Statement.of({"C": 0.1}, ("A", "B", 0.25)).mirrored()
    assert said.pins == {"C": -0.1}
    assert said.move == ("A", "B", -0.25)


@pytest.mark.parametrize("said", [Statement.of({"A": 1.5}), Statement.of({"B": 0.9}, ("A", "B", 0.6))])
def test_more_than_doubling_has_no_mirror(said: Statement) -> None:
    with pytest.raises(StudyError, match=r"no mirror: A at \+150% would be -150%"):
        said.mirrored()


@given(
    pin=st.none() | st.floats(-0.9, 0.9),
    size=st.none() | st.floats(-3.0, 3.0),
)
def test_mirrored_twice_is_the_same(pin: float | None, size: float | None) -> None:
    if pin is None and size is None:
        return
    said = Statement.of({} if pin is None else {"C": pin}, None if size is None else ("A", "B", size))
    assert said.mirrored().mirrored() == said
