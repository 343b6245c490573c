"""Legs sized by exposure, to zero beta, or to a volatility; expected values from the daily returns themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphaoverlay.errors import DesignError
from alphaoverlay.overlays.leg_sizing import LegSizing
from alphaoverlay.overlays.overlay import Overlay
from alphaoverlay.overlays.risk import Covariance, trailing_covariance

NAMES = ("CORE", "LONG", "SHORT")
CASE = Overlay({"CORE": 1.0}, {"LONG": 0.3, "SHORT": -0.3})
# LONG moves as CORE, SHORT twice as much.
HAND = Covariance(
    NAMES, 1e-4 * np.array([[1.0, 1.0, 2.0], [1.0, 1.0, 2.0], [2.0, 2.0, 4.0]]), "2020-01-01", "2020-12-31", 250
)


def daily(seed: int) -> pd.DataFrame:
    """Returns with one common part, so that betas are positive."""
    draws = np.random.default_rng(seed).normal(0.0, 0.01, (100, 4))
    moves = {name: draws[:, 3] * (1.0 + 0.3 * k) + 0.4 * draws[:, k] for k, name in enumerate(NAMES)}
    return pd.DataFrame(moves, index=pd.bdate_range("2020-01-01", periods=100))


def covariance_of(returns: pd.DataFrame) -> Covariance:
    return trailing_covariance({name: returns[name] for name in NAMES}, returns.index[-1])


def shrunk_beta(returns: pd.DataFrame, name: str) -> float:
    """Two thirds of the slope on CORE through the origin, and one third."""
    x, y = returns["CORE"].to_numpy(), returns[name].to_numpy()
    return float(2.0 / 3.0 * (x @ y) / (x @ x) + 1.0 / 3.0)


def test_exposures_are_taken_as_written() -> None:
    assert LegSizing().apply(CASE, None) == (CASE, "")
    assert LegSizing("exposure").apply(CASE, HAND) == (CASE, "")


def test_zero_beta_by_hand() -> None:
    sized, sentence = LegSizing("beta").apply(CASE, HAND)
    # Shrunk betas: LONG 1, SHORT 2/3 * 2 + 1/3 = 5/3; the short side needs 3/5 of its size.
    assert sized.legs == pytest.approx({"LONG": 0.3, "SHORT": -0.18})
    assert sized.base == CASE.base
    for word in ("0.600", "LONG 1.00", "SHORT 1.67", "250 sessions to 2020-12-31"):
        assert word in sentence


@given(st.integers(0, 1000), st.floats(0.05, 1.0), st.floats(-1.0, -0.05))
def test_zero_beta_is_zero_and_leaves_the_long_legs(seed: int, long: float, short: float) -> None:
    returns = daily(seed)
    overlay = Overlay({"CORE": 1.0}, {"LONG": long, "SHORT": short})
    sized, _ = LegSizing("beta").apply(overlay, covariance_of(returns))
    assert sized.legs["LONG"] == long
    assert sized.legs["SHORT"] < 0.0
    beta = sum(size * shrunk_beta(returns, name) for name, size in sized.legs.items())
    assert beta == pytest.approx(0.0, abs=1e-12)


@given(st.integers(0, 1000), st.floats(0.01, 0.3))
def test_a_target_volatility_is_reached(seed: int, target: float) -> None:
    returns = daily(seed)
    sized, sentence = LegSizing("volatility", target).apply(CASE, covariance_of(returns))
    moves = sum(size * returns[name].to_numpy() for name, size in sized.legs.items())
    assert float(np.sqrt(np.mean(np.square(moves)) * 252)) == pytest.approx(target)
    assert sized.legs["LONG"] == pytest.approx(-sized.legs["SHORT"])
    assert sized.legs["LONG"] > 0.0
    assert sized.base == CASE.base
    assert f"{target:.1%}" in sentence
    assert "100 sessions" in sentence


@pytest.mark.parametrize(
    ("overlay", "named"),
    [
        pytest.param(Overlay({}, CASE.legs), "base", id="no base"),
        pytest.param(Overlay({"CORE": 0.0}, CASE.legs), "base", id="empty base"),
        pytest.param(Overlay({"CORE": 1.0}, {"LONG": 0.3}), "long and short", id="no short leg"),
        pytest.param(Overlay({"CORE": 1.0}, {"SHORT": -0.3}), "long and short", id="no long leg"),
        pytest.param(Overlay({"CORE": 1.0}), "long and short", id="no legs"),
    ],
)
def test_zero_beta_needs_a_base_and_both_sides(overlay: Overlay, named: str) -> None:
    with pytest.raises(DesignError, match=named):
        LegSizing("beta").apply(overlay, HAND)


def test_a_volatility_needs_a_target_and_legs() -> None:
    with pytest.raises(DesignError, match="target = "):
        LegSizing("volatility").apply(CASE, HAND)
    with pytest.raises(DesignError, match="legs that move"):
        LegSizing("volatility", 0.05).apply(Overlay({"CORE": 1.0}), HAND)
