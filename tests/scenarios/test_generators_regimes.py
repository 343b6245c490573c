"""Regime switching: the filter against statsmodels', the EM algorithm's law, planted parameters, the paths' law."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from tests.scenarios.building import DEVIATION, garch_days, joint, switching_days

from alphaoverlay.engine._jit import compiled_kernels
from alphaoverlay.history import FloatArray
from alphaoverlay.scenarios import _kernels
from alphaoverlay.scenarios.regime_switching import Regimes, RegimeSwitching, fit_regimes, lasting_law, log_densities

PLANTED, STATES = switching_days(6000)


def whitened(x: FloatArray) -> FloatArray:
    """Demeaned, of unit covariance, another way than the code's."""
    centred = x - x.mean(axis=0)
    turn, size, _ = np.linalg.svd(centred, full_matrices=False)
    assert (size > 0.0).all()
    return np.asarray(turn * math.sqrt(len(x)))


def test_filter_and_smoother_are_those_of_statsmodels() -> None:
    from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

    y = PLANTED[:800, :1] * 100.0
    chain = np.array([[0.97, 0.03], [0.08, 0.92]])
    # The stationary law: statsmodels moves the first one on before the first session.
    regimes = Regimes(np.array([[0.1], [-0.1]]), np.array([[[1.1]], [[5.0]]]), chain, np.array([8.0, 3.0]) / 11.0)
    room = np.empty((4, 800, 2))
    kernels = compiled_kernels(_kernels)
    likelihood = kernels["hamilton_filter"](log_densities(y, regimes), chain, regimes.first, room[0], room[1])
    moves = np.empty((2, 2))
    kernels["kim_smoother"](room[0], room[1], chain, room[2], moves)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of starting values, which are not used
        model = MarkovRegression(y[:, 0], k_regimes=2, trend="c", switching_variance=True)
        model.initialize_known(regimes.first)
        theirs = model.smooth(np.array([0.97, 0.08, 0.1, -0.1, 1.1, 5.0]))
    assert likelihood == pytest.approx(theirs.llf, rel=1e-10)
    np.testing.assert_allclose(room[1], theirs.filtered_marginal_probabilities, atol=1e-9)
    np.testing.assert_allclose(room[2], theirs.smoothed_marginal_probabilities, atol=1e-9)


@pytest.mark.parametrize(
    "days",
    [PLANTED[:1500], garch_days(800), garch_days(60), np.cumsum(garch_days(200), axis=0)],
    ids=["planted", "clustering", "few", "walk"],
)
def test_the_likelihood_never_falls(days: FloatArray) -> None:
    fit = fit_regimes(whitened(days))
    gains = np.diff(fit.likelihoods)
    assert len(gains) > 3
    assert gains.min() > -1e-9 * abs(fit.likelihoods[-1])
    assert fit.regimes.chain.sum(axis=1) == pytest.approx([1.0, 1.0], abs=1e-12)
    assert all(np.linalg.eigvalsh(one).min() > 0.0099 for one in fit.regimes.covariances)


def test_the_end_is_a_maximum() -> None:
    """The likelihood falls when any parameter is moved."""
    y = whitened(PLANTED[:1500])
    fit = fit_regimes(y)
    room = np.empty((2, len(y), 2))

    def likelihood(regimes: Regimes) -> float:
        density = log_densities(y, regimes)
        return float(compiled_kernels(_kernels)["hamilton_filter"](density, regimes.chain, regimes.first, *room))

    best, (means, covariances, chain, first) = fit.likelihoods[-1], fit.regimes
    for move in (-0.01, 0.01):
        for state in (0, 1):
            shifted, wider, moved = means.copy(), covariances.copy(), chain.copy()
            shifted[state, 1] += move * 5.0
            wider[state] *= 1.0 + 5.0 * move
            moved[state] += np.array([move, -move])
            for tried in (
                Regimes(shifted, covariances, chain, first),
                Regimes(means, wider, chain, first),
                Regimes(means, covariances, moved, first),
            ):
                assert likelihood(tried) < best


def test_planted_regimes_are_found() -> None:
    found = RegimeSwitching.fit(joint(PLANTED))
    volatility = np.sqrt((found.roots**2).sum(axis=2))
    assert volatility[0] == pytest.approx(DEVIATION, rel=0.05)
    assert volatility[1] == pytest.approx(2.5 * DEVIATION, rel=0.05)
    assert np.diag(found.chain) == pytest.approx([0.98, 0.94], abs=0.012)
    error = DEVIATION / math.sqrt(0.75 * 6000), 2.5 * DEVIATION / math.sqrt(0.25 * 6000)
    middle = np.array([[0.0008], [-0.0010]])
    assert (np.abs(found.drifts - middle) < 5.0 * np.array(error)).all()
    filtered = fit_regimes(whitened(PLANTED)).filtered[:, 1]
    assert np.mean((filtered > 0.5) == (STATES > 0.5)) > 0.95
    facts = found.facts()
    assert facts["sessions_of_calm"] == pytest.approx(1.0 / found.chain[0, 1])
    assert facts["chance_of_stormy_today"] == pytest.approx(filtered[-1], abs=1e-6)


def test_the_calm_state_comes_first() -> None:
    for seed in range(4):
        roots = RegimeSwitching.fit(joint(garch_days(500, seed))).roots
        assert (roots[0] ** 2).sum() < (roots[1] ** 2).sum()


def test_paths_have_the_law_of_the_fit() -> None:
    """Mean and covariance of the stationary law, and the chain's memory in squares, within their error."""
    fitted = RegimeSwitching.fit(joint(PLANTED[:2000]), start="average")
    count, sessions = 2000, 100
    table, rows, _ = fitted.draw(5, 0, count, sessions)
    x = np.log1p(table).reshape(*rows.shape, 3)
    law = lasting_law(fitted.chain)
    assert law @ fitted.chain == pytest.approx(law, abs=1e-14)
    mean = law @ fitted.drifts
    second = np.einsum("s,skj,slj->kl", law, fitted.roots, fitted.roots)
    second = second + np.einsum("s,sk,sl->kl", law, fitted.drifts, fitted.drifts)
    by_path = x.mean(axis=1)
    assert (np.abs(by_path.mean(axis=0) - mean) < 4.5 * by_path.std(axis=0) / math.sqrt(count)).all()
    moments = np.einsum("ptk,ptl->pkl", x, x) / sessions
    assert (np.abs(moments.mean(axis=0) - second) < 4.5 * moments.std(axis=0) / math.sqrt(count)).all()
    squares = x[:, :, 0] ** 2
    states = (fitted.roots[:, 0] ** 2).sum(axis=1) + fitted.drifts[:, 0] ** 2
    expected = (law * states) @ fitted.chain @ states
    products = (squares[:, 1:] * squares[:, :-1]).mean(axis=1)
    assert abs(products.mean() - expected) < 4.5 * products.std() / math.sqrt(count)


def test_today_starts_from_the_state_of_today() -> None:
    """The history ends in a storm, and most paths begin in one."""
    end = int(np.flatnonzero(STATES[:-1] > 0.5)[-1]) + 1
    days = joint(PLANTED[:end])
    today, average = RegimeSwitching.fit(days), RegimeSwitching.fit(days, start="average")
    assert today.first == pytest.approx(today.today @ today.chain)
    assert average.first == pytest.approx(lasting_law(average.chain))
    first = np.log1p(today.draw(1, 0, 20_000, 1).table)
    expected = today.first @ ((today.roots**2).sum(axis=2) + today.drifts**2)
    squares = first**2
    assert (np.abs(squares.mean(axis=0) - expected) < 4.5 * squares.std(axis=0) / math.sqrt(20_000)).all()
