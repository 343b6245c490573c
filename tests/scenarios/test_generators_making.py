"""What a generator can be asked for, what it refuses, and the mean that its paths have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.scenarios.building import NAMES, garch_days, gaussian_days, joint

from alphaoverlay.errors import StudyError
from alphaoverlay.scenarios.generators import GENERATORS, make_generator
from alphaoverlay.scenarios.mean_adjustment import gross_factors, log_drifts, stated_returns
from alphaoverlay.scenarios.paths import Generator
from alphaoverlay.scenarios.regime_switching import RegimeSwitching
from alphaoverlay.scenarios.resampled_days import ResampledDays
from alphaoverlay.scenarios.student_t import StudentT

DAYS = joint(garch_days(400))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"key": "bootsrap"}, "write one of bootstrap, fhs, t, regimes. Did you mean bootstrap?"),
        ({"key": "bootstrap", "start": "today"}, "no state to start from; leave it out"),
        ({"key": "t", "start": 0.2}, "no state to start from; leave it out"),
        ({"key": "t", "block": 20.0}, "draws no blocks; leave it out"),
        ({"key": "regimes", "block": 20.0}, "draws no blocks; leave it out"),
        ({"key": "regimes", "start": 0.2}, "a volatility to start from is for fhs"),
        ({"key": "regimes", "start": "tomorrow"}, "write today or average"),
        ({"key": "fhs", "start": "tomorrow"}, "write today, average, or a yearly volatility"),
        ({"key": "fhs", "start": 0.0}, "write today, average, or a yearly volatility"),
        ({"key": "fhs", "start": math.nan}, "write today, average, or a yearly volatility"),
        ({"key": "fhs", "start": 25.0}, r"above \d\.\d\d an index would start beyond twice its highest fitted"),
        ({"key": "fhs", "block": 0.5}, "1 or more"),
        ({"key": "bootstrap", "block": math.nan}, "1 or more"),
        ({"key": "t", "mean": "history"}, "write historical, zero, or a yearly return.* Did you mean historical?"),
        ({"key": "t", "mean": {"BRAOD": 0.05}}, "no such index on the paths.* Did you mean BROAD?"),
        ({"key": "t", "mean": {"BROAD": 7.0}}, "0.05 for 5%"),
        ({"key": "bootstrap", "mean": -1.0}, "0.05 for 5%"),
        ({"key": "bootstrap", "mean": math.nan}, "0.05 for 5%"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_write(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(StudyError, match=said):
        make_generator(days=DAYS, **asked)


def test_every_generator_has_a_description() -> None:
    for key, line in GENERATORS.items():
        assert make_generator(key, DAYS).key == key
        assert 10 < len(line) < 100


def test_an_unnamed_index_keeps_the_mean_of_the_history() -> None:
    assert stated_returns(NAMES, {"TECH": 0.07}) == {"BROAD": None, "SMALL": None, "TECH": 0.07}
    assert stated_returns(NAMES, "zero") == dict.fromkeys(NAMES, 0.0)
    assert stated_returns(NAMES, 0.04) == dict.fromkeys(NAMES, 0.04)
    assert gross_factors(NAMES, DAYS.returns, {"TECH": 0.07})[:2].tolist() == [1.0, 1.0]
    average, variance = np.array([1e-4, 2e-4, 3e-4]), np.array([1e-4, 1e-4, 4e-4])
    found = log_drifts(NAMES, average, variance, {"TECH": 0.07})
    assert found.tolist() == [1e-4, 2e-4, pytest.approx(math.log(1.07) / 252 - 2e-4, rel=1e-14)]


@pytest.mark.parametrize(("mean", "growth"), [("zero", 1.0), (0.07, 1.07), (-0.3, 0.7)])
def test_the_bootstrap_has_exactly_the_stated_mean(mean: Any, growth: float) -> None:
    table = ResampledDays.fit(DAYS, mean=mean).table
    assert (1.0 + table).mean(axis=0) ** 252 == pytest.approx(growth, rel=1e-11)
    ratio = (1.0 + table) / (1.0 + DAYS.returns)
    assert np.ptp(ratio, axis=0).max() < 1e-14


def test_the_bootstrap_leaves_the_history_as_it_is() -> None:
    assert np.array_equal(ResampledDays.fit(DAYS).table, DAYS.returns)


@pytest.mark.parametrize("key", GENERATORS)
def test_independent_days_grow_as_stated(key: str) -> None:
    """For days that depend on each other the growth of a year is near it only; these do not."""
    count, sessions = 20_000, 63
    generator = make_generator(key, joint(gaussian_days(2000)), mean={"BROAD": 0.08, "SMALL": 0.0, "TECH": -0.2})
    growth = year_ends(generator, count, sessions)
    stated = np.array([1.08, 1.0, 0.8]) ** (sessions / 252)
    error = growth.std(axis=0) / math.sqrt(count)
    assert (np.abs(growth.mean(axis=0) - stated) < 4.5 * error).all()


def year_ends(generator: Generator, count: int, sessions: int) -> np.ndarray:
    """Growth of 1 over the sessions, shape (paths, K)."""
    table, rows, _ = generator.draw(11, 0, count, sessions)
    return np.asarray(np.exp(np.log1p(table)[rows].sum(axis=1)))


def test_models_leave_the_mean_of_the_history() -> None:
    average = DAYS.log_returns.mean(axis=0)
    assert np.array_equal(StudentT.fit(DAYS).drift, average)
    regimes = RegimeSwitching.fit(DAYS)
    stay_calm, leave_storm = regimes.chain[0, 1], regimes.chain[1, 0]
    law = np.array([leave_storm, stay_calm]) / (leave_storm + stay_calm)
    np.testing.assert_allclose(law @ regimes.drifts, average, atol=1e-15)
