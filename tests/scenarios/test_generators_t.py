"""The multivariate t: degrees of freedom found again, covariance kept, log returns cut."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, stats
from tests.scenarios.building import CORRELATION, DEVIATION, gaussian_days, joint, student_days

from alphaoverlay.history import FloatArray
from alphaoverlay.scenarios.student_t import StudentT, fit_degrees, triangular_root, whiten


def covariance_of(x: FloatArray) -> FloatArray:
    """About zero, as the statement of a scenario has it."""
    return np.asarray(x.T @ x / len(x))


@pytest.mark.parametrize(("degrees", "seed"), [(3.0, 1), (5.0, 2), (12.0, 3)])
def test_the_degrees_are_those_of_another_optimiser_on_another_density(degrees: float, seed: int) -> None:
    x = student_days(1500, degrees, seed)
    covariance = covariance_of(x)

    def negative(v: float) -> float:
        return -float(stats.multivariate_t(shape=covariance * (v - 2.0) / v, df=v).logpdf(x).sum())

    found = optimize.minimize_scalar(negative, bounds=(2.5, 60.0), method="bounded", options={"xatol": 1e-7})
    assert fit_degrees(x, covariance) == pytest.approx(found.x, rel=1e-5)


@pytest.mark.parametrize("degrees", [4.0, 8.0])
def test_planted_degrees_are_found_within_their_error(degrees: float) -> None:
    """The covariance is the planted one; the error is that of twenty histories."""
    planted = CORRELATION * np.outer(DEVIATION, DEVIATION)
    found = np.array([fit_degrees(student_days(1500, degrees, 10 * seed), planted) for seed in range(20)])
    assert abs(found.mean() - degrees) < 4.5 * found.std(ddof=1) / math.sqrt(20)


def test_the_degrees_stay_between_their_bounds() -> None:
    # Signs have lighter tails than a Gaussian: infinitely many would be best.
    signs = np.sign(gaussian_days(3000, drift=0.0)[:, :1])
    assert fit_degrees(signs, covariance_of(signs)) == pytest.approx(60.0, rel=1e-6)
    wild = student_days(2000, 2.05)
    assert 2.5 <= fit_degrees(wild, covariance_of(wild)) < 2.6


def test_the_fit_is_the_same_in_other_units_and_other_orders() -> None:
    x = student_days(800, 4.0)
    expected = fit_degrees(x, covariance_of(x))
    mixed = x @ np.array([[2.0, 0.0, 1.0], [0.0, 30.0, 0.0], [0.0, 1.0, 0.1]])
    assert fit_degrees(mixed, covariance_of(mixed)) == pytest.approx(expected, rel=1e-6)


def test_a_singular_covariance_counts_what_moves_by_itself() -> None:
    x = student_days(800, 4.0)
    expected = fit_degrees(x, covariance_of(x))
    more = np.column_stack([x[:, 0], np.zeros(800), x[:, 1], x[:, 0], x[:, 2], 2.0 * x[:, 1] - x[:, 2]])
    assert fit_degrees(more, covariance_of(more)) == pytest.approx(expected, rel=1e-6)


def test_the_root_is_choleskys_and_keeps_what_is_explained() -> None:
    covariance = CORRELATION * np.outer(DEVIATION, DEVIATION)
    np.testing.assert_allclose(triangular_root(covariance), np.linalg.cholesky(covariance), rtol=1e-13)
    turn = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, 1.0, 0.0], [0.0, 1.0, 2.0]])
    singular = turn @ covariance @ turn.T
    root = triangular_root(singular)
    np.testing.assert_allclose(root @ root.T, singular, atol=1e-18)
    assert (np.diag(root) > 0.0).tolist() == [True, False, False, True, True]
    x = gaussian_days(50) @ turn.T
    own = np.diag(root) > 0.0
    np.testing.assert_allclose(whiten(x, root) @ root[:, own].T, x, atol=1e-15)


def test_paths_have_the_law_of_the_fit() -> None:
    """Each index by Kolmogorov and Smirnov's test, the whole by the law of its squared length, refused once in 10^6."""
    fitted = StudentT.fit(joint(student_days(1500, 5.0) + 0.0004))
    table, _, hits = fitted.draw(3, 0, 500, 200)
    assert hits == 0
    x = np.log1p(table) - fitted.drift
    v = fitted.degrees
    scale = fitted.covariance * (v - 2.0) / v
    for k in range(3):
        assert stats.kstest(x[:, k] / math.sqrt(scale[k, k]), stats.t(v).cdf).pvalue > 1e-6
    length = np.einsum("ti,ij,tj->t", x, np.linalg.inv(scale), x) / 3.0
    assert stats.kstest(length, stats.f(3, v).cdf).pvalue > 1e-6


def test_log_returns_are_cut_and_the_cuts_counted() -> None:
    wild = StudentT(("X",), np.zeros(1), np.array([[0.04]]), 2.5)
    table, rows, hits = wild.draw(1, 0, 100, 100)
    x = np.log1p(table)
    assert hits == (np.abs(np.abs(x) - 0.5) < 1e-12).sum() > 0
    assert np.abs(x).max() <= 0.5 + 1e-12
    assert np.array_equal(wild.draw(1, 0, 100, 100).rows, rows)
