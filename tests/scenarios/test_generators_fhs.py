"""Filtered historical simulation: its filter against the package arch's, its fits, and the variance that it has."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize
from tests.scenarios.building import NAMES, garch_days, joint

from alphaoverlay.history import FloatArray
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.scenarios.block_length import longest_block
from alphaoverlay.scenarios.filtered_history import FilteredHistory, Garch, fit_garch
from alphaoverlay.scenarios.joint_days import JointDays

DAYS = joint(garch_days(1500))
SHOCKS = DAYS.log_returns - DAYS.log_returns.mean(axis=0)


@cache
def fitted() -> FilteredHistory:
    """Fitted to three indices whose volatility clusters, started at their average."""
    return FilteredHistory.fit(DAYS, start="average")


def variances_of_arch(e: FloatArray, model: Garch) -> FloatArray:
    """The same parameters through arch's own recursion, begun at the target; arch counts half of a shock of unknown
    sign as negative, as k = 1/2 does."""
    from arch.univariate import GARCH

    h = np.empty(len(e))
    wide = np.column_stack([np.full(len(e), 1e-300), np.full(len(e), 1e300)])
    parameters = np.array([model.omega, model.alpha, model.gamma, model.beta])
    return np.asarray(GARCH(p=1, o=1, q=1).compute_variance(parameters, e, h, model.target, wide))


def negative_likelihood(e: FloatArray, model: Garch) -> float:
    """Gaussian, but for its constant, by arch's variances."""
    h = variances_of_arch(e, model)
    return float(0.5 * (np.log(h) + e * e / h).sum())


@pytest.mark.parametrize("terms", [(0.05, 0.1, 0.85), (0.0, 0.2, 0.8), (0.1, 0.0, 0.5), (0.0, 0.0, 0.0)])
def test_the_filter_is_archs(terms: tuple[float, float, float]) -> None:
    e = np.ascontiguousarray(SHOCKS[:, 0])
    model = Garch(*terms, target=float(np.mean(e * e)), k=0.5)
    h = model.run(e)
    np.testing.assert_allclose(h[:-1], variances_of_arch(e, model), rtol=1e-12)
    news = model.alpha + model.gamma * (e[-1] < 0.0)
    assert h[-1] == pytest.approx(model.omega + news * e[-1] ** 2 + model.beta * h[-2], rel=1e-12)


@pytest.mark.parametrize("k", [0, 1, 2])
def test_no_other_search_finds_a_higher_likelihood(k: int) -> None:
    e = np.ascontiguousarray(SHOCKS[:, k])
    found = fit_garch(e)

    def negative(x: FloatArray) -> float:
        if (x < 0.0).any() or x[0] + x[1] / 2.0 + x[2] > 0.995:
            return math.inf
        return negative_likelihood(e, Garch(float(x[0]), float(x[1]), float(x[2]), found.target, 0.5))

    start = np.array([0.05, 0.05, 0.85])
    other = optimize.minimize(negative, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9})
    assert negative_likelihood(e, found) <= other.fun + 1e-4
    assert (found.alpha, found.gamma, found.beta) == pytest.approx(other.x, abs=2e-3)


def test_planted_parameters_are_found_within_their_error() -> None:
    terms = (0.04, 0.10, 0.85)
    days = np.concatenate([garch_days(4000, 10 * seed, terms) for seed in range(4)], axis=1)
    found = np.array([fit_garch(column - column.mean())[:3] for column in days.T])
    # Columns of one history share shocks: the error is that of four, not of twelve.
    assert (np.abs(found.mean(axis=0) - terms) < 4.5 * found.std(axis=0, ddof=1) / math.sqrt(4)).all()


@pytest.mark.parametrize("seed", range(6))
def test_parameters_stay_where_they_make_sense(seed: int) -> None:
    """On histories that ask for the edges too: none clusters, a trend in volatility, one enormous day."""
    random = np.random.default_rng(seed)
    e = random.standard_normal(300) * 0.01
    e = [e, e * np.linspace(0.1, 3.0, 300), e + 0.3 * (np.arange(300) == 150)][seed % 3]
    found = fit_garch(e - e.mean())
    assert min(found.alpha, found.gamma, found.beta) >= 0.0
    assert found.persistence <= 0.995 + 1e-12
    assert found.omega > 0.0


def test_what_is_simulated_follows_from_the_fit() -> None:
    generator = fitted()
    for k, (name, model) in enumerate(zip(NAMES, generator.models, strict=True)):
        fit = fit_garch(SHOCKS[:, k])
        h = fit.run(SHOCKS[:, k])
        z = generator.residuals[:, k]
        assert z.mean() == pytest.approx(0.0, abs=1e-12)
        assert np.mean(z * z) == pytest.approx(1.0, rel=1e-12)
        raw = SHOCKS[:, k] / np.sqrt(h[:-1])
        np.testing.assert_allclose(z, (raw - raw.mean()) / raw.std(), atol=1e-12)
        assert model.k == pytest.approx(np.mean(np.where(z < 0.0, z * z, 0.0)), rel=1e-12)
        assert model.persistence <= 0.995 + 1e-12
        assert model.target == pytest.approx(DAYS.log_returns[:, k].var(), rel=1e-12)
        assert generator.today[k] == h[-1]
        assert generator.cap[k] == 4.0 * h.max()
        assert generator.facts()[f"average_volatility_of_{name}"] == pytest.approx(math.sqrt(252.0 * model.target))
    assert generator.block == longest_block(NAMES, generator.residuals).sessions


def test_at_level_one_independent_shocks_keep_the_target() -> None:
    """The identity behind targeting: `omega + (alpha + gamma*k + beta)*target = target`."""
    for model in fitted().models:
        kept = model._replace(level=1.0)
        assert kept.omega + kept.persistence * kept.target == pytest.approx(kept.target, rel=1e-12)


def test_a_path_is_the_recursion_written_out() -> None:
    """By hand on one path, its residuals read from the bootstrap of the same stream."""
    from alphaoverlay.scenarios.resampled_days import ResampledDays

    generator = fitted().started_at("today")
    rows = ResampledDays(NAMES, DAYS.returns, generator.block).draw(5, 3, 1, 60).rows[0]
    table, _, _ = generator.draw(5, 3, 1, 60)
    for k, model in enumerate(generator.models):
        h = generator.today[k]
        for t, row in enumerate(rows):
            e = math.sqrt(h) * generator.residuals[row, k]
            assert table[t, k] == pytest.approx(math.expm1(generator.drift[k] + e), rel=1e-9, abs=1e-12)
            news = model.alpha + model.gamma * (e < 0.0)
            h = min(model.omega + news * e * e + model.beta * h, generator.cap[k])


def simulated_variances(generator: FilteredHistory, count: int) -> FloatArray:
    """Mean squared shock of each path over ten years, shape (paths, K)."""
    table, rows, _ = generator.draw(17, 0, count, 2520)
    shocks = np.log1p(table).reshape(*rows.shape, -1) - generator.drift
    return np.asarray((shocks * shocks).mean(axis=1))


def misses(generator: FilteredHistory, count: int = 2000) -> FloatArray:
    """Deviation of the mean simulated variance from the target in standard errors, the pilot's own among them."""
    found = simulated_variances(generator, count)
    target = np.array([model.target for model in generator.models])
    error = found.std(axis=0) * math.sqrt(1.0 / count + 1.0 / 4096)
    return np.asarray(np.abs(found.mean(axis=0) - target) / error)


def test_ten_simulated_years_have_the_target_as_mean_variance() -> None:
    assert (misses(fitted()) < 4.5).all()


def test_where_nothing_explodes_the_level_is_near_one() -> None:
    assert all(0.9 < model.level < 1.1 for model in fitted().models)


def test_starts_begin_where_they_are_stated() -> None:
    generator = fitted()
    now = np.sqrt(252.0 * generator.today)
    stated = generator.started_at(0.30)
    at = np.sqrt(252.0 * stated.start)
    assert at.mean() == pytest.approx(0.30, rel=1e-12)
    assert at / at[0] == pytest.approx(now / now[0], rel=1e-12)
    assert np.array_equal(generator.started_at("today").start, generator.today)
    # On the first session the shock is the root of the start times a residual drawn evenly.
    table, _, _ = stated.draw(1, 0, 20_000, 1)
    first = np.log1p(table) - stated.drift
    ratio = (first * first).mean(axis=0) / stated.start
    error = np.std(generator.residuals**2, axis=0) / math.sqrt(20_000)
    assert (np.abs(ratio - 1.0) < 4.5 * error).all()


def test_caps_are_counted_and_nothing_goes_beyond() -> None:
    from dataclasses import replace

    generator = fitted()
    low = replace(generator, cap=generator.start * 1.05)
    table, rows, hits = low.draw(1, 0, 200, 100)
    assert hits > 1000
    shocks = np.log1p(table) - low.drift
    assert (shocks**2 <= low.cap * (generator.residuals**2).max(axis=0) * (1.0 + 1e-9)).all()
    assert np.array_equal(low.draw(1, 0, 200, 100).rows, rows)
    assert generator.draw(1, 0, 200, 100).hits < hits


@pytest.fixture(scope="module")
def real(reference_data: Path) -> FilteredHistory:
    """QQQ and SPY in full."""
    source = FolderSource(reference_data)
    returns = {s: source.prices(s).frame["adj_close"].pct_change() for s in ("QQQ", "SPY")}
    return FilteredHistory.fit(JointDays.of(returns, pd.Timestamp("2021-12-31")), start="average")


def test_real_indices_keep_their_volatility_over_ten_years(real: FilteredHistory) -> None:
    """Targeting and level together: a free fit of QQQ implies several times the sample's variance."""
    found = np.sqrt(252.0 * simulated_variances(real, 2000).mean(axis=0))
    sample = [math.sqrt(252.0 * model.target) for model in real.models]
    assert 0.24 < sample[0] < 0.30
    assert found == pytest.approx(sample, rel=0.08)
    assert (misses(real) < 4.5).all()


def test_without_its_level_a_real_index_would_lose_volatility(real: FilteredHistory) -> None:
    """What the level is for; should this fail one day, it can go."""
    from dataclasses import replace

    bare = replace(real, models=tuple(model._replace(level=1.0) for model in real.models))
    assert (misses(bare) > 4.5).all()
    assert all(model.level > 1.2 for model in real.models)
