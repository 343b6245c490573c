"""Roots between two places: known ones, and hard ones."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphaoverlay.scenarios.roots import root_between


@pytest.mark.parametrize(
    ("f", "low", "high", "root"),
    [
        pytest.param(lambda x: x * x - 2.0, 0.0, 2.0, math.sqrt(2.0), id="a square root"),
        pytest.param(lambda x: math.cos(x) - x, 0.0, 1.0, 0.7390851332151607, id="the Dottie number"),
        pytest.param(lambda x: 1.0 - x, 0.0, 3.0, 1.0, id="falling"),
        pytest.param(lambda x: x**9, -1.0, 1.5, 0.0, id="flat at the root"),
        pytest.param(lambda x: math.expm1(50.0 * x), -1.0, 1.0, 0.0, id="bent: one end would stay for good"),
        pytest.param(lambda x: x - 0.25, 0.25, 1.0, 0.25, id="at the low end"),
        pytest.param(lambda x: 1e6 * math.expm1(40.0 * (x + 1.0)) - 1e-11, -1.0, 0.0, -1.0, id="hidden by rounding"),
        pytest.param(lambda x: 1e-11 - 1e6 * math.expm1(-40.0 * (x - 1.0)), 0.0, 1.0, 1.0, id="so at the other end"),
        pytest.param(lambda x: x - 0.25, 0.0, 0.25, 0.25, id="at the high end"),
    ],
)
def test_known_roots(f: Callable[[float], float], low: float, high: float, root: float) -> None:
    found = root_between(f, low, high)
    assert abs(f(found)) <= 1e-12 or found == pytest.approx(root, abs=1e-12)


@given(root=st.floats(-0.9, 0.9), slope=st.floats(0.01, 100.0), bend=st.floats(0.0, 5.0), sign=st.sampled_from([-1, 1]))
def test_a_root_is_found_wherever_it_lies(root: float, slope: float, bend: float, sign: int) -> None:
    def f(x: float) -> float:
        return sign * slope * ((x - root) + bend * (x - root) ** 3)

    found = root_between(f, -1.0, 1.0)
    assert found == pytest.approx(root, abs=1e-9 / min(slope, 1.0))


def test_few_places_are_looked_at() -> None:
    asked: list[float] = []

    def f(x: float) -> float:
        asked.append(x)
        return math.expm1(3.0 * x) - 0.5

    root_between(f, -0.9, 0.9)
    assert len(asked) < 20  # halving would take 42
