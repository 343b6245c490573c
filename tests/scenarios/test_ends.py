from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats
from tests.scenarios.worlds import NAMES, ND, R2, SP, covariance, joint_days, law_with

from alphaoverlay.errors import DataError, StudyError
from alphaoverlay.history import FloatArray
from alphaoverlay.scenarios.ends import SampledEnds, ScaleDraw, most_likely_ends, sample_ends, stream
from alphaoverlay.scenarios.law import Law, law_of
from alphaoverlay.scenarios.statement import Statement

TWO = ((1.0, 0.75), (0.75, 1.0))


def searched(law: Law, statement: Statement) -> FloatArray:
    """The constrained minimum by a general solver from several starts."""
    form = np.linalg.inv(law.shape)
    form = form / np.abs(form).max()
    places = {name: k for k, name in enumerate(law.names)}
    rules: list[dict[str, Any]] = [
        {"type": "eq", "fun": lambda z, k=places[name], r=r: np.expm1(z[k]) - r} for name, r in statement.pins.items()
    ]
    if statement.move is not None:
        a, b, size = places[statement.move[0]], places[statement.move[1]], statement.move[2]
        rules.append({"type": "eq", "fun": lambda z: np.exp(z[a]) - np.exp(z[b]) - size})
    best: Any = None
    for start in (0.0, 0.3, -0.3):
        found = optimize.minimize(
            lambda z: z @ form @ z,
            np.full(len(law.names), start),
            jac=lambda z: 2.0 * form @ z,
            method="SLSQP",
            constraints=rules,
            options={"ftol": 1e-15, "maxiter": 500},
        )
        miss = max(abs(rule["fun"](found.x)) for rule in rules)
        if miss < 1e-9 and (best is None or found.fun < best.fun):
            best = found
    assert best is not None
    return np.asarray(best.x)


@pytest.mark.parametrize(
    "statement",
    [
        Statement.of(move=(R2, ND, 0.25)),
        Statement.of(move=(R2, ND, -0.6)),
        Statement.of(move=(R2, ND, 2.0)),
        Statement.of({SP: -0.2}, (R2, ND, 0.25)),
        Statement.of({SP: 0.3}, (R2, ND, 0.0)),
        Statement.of({ND: 0.1}, (R2, ND, 0.25)),
        Statement.of({SP: -0.334}),
        Statement.of({SP: -0.1, ND: 0.2}),
    ],
    ids=str,
)
def test_most_likely_ends_are_those_a_general_solver_finds(statement: Statement) -> None:
    law = law_with()
    found, other = most_likely_ends(law, statement), searched(law, statement)
    assert found == pytest.approx(other, abs=2e-6)
    form = np.linalg.inv(law.shape)
    assert found @ form @ found <= other @ form @ other * (1.0 + 1e-7)


def test_a_pin_draws_the_others_along_by_their_betas() -> None:
    S = covariance()
    z = most_likely_ends(law_with(), Statement.of({SP: -0.2}))
    assert z == pytest.approx(math.log(0.8) * S[:, 0] / S[0, 0], abs=1e-15)


def test_two_indices_alike_share_a_small_move() -> None:
    # Equal volatilities: to first order the move is split in halves, and the curve of exp takes it downwards.
    law = law_with(covariance((0.2, 0.2), TWO), ("A", "B"))
    z = most_likely_ends(law, Statement.of(move=("A", "B", 1e-6)))
    assert z == pytest.approx([0.5e-6, -0.5e-6], rel=1e-5)


def test_a_move_of_nothing_is_nothing() -> None:
    assert most_likely_ends(law_with(), Statement.of(move=(R2, ND, 0.0))) == pytest.approx([0.0, 0.0, 0.0], abs=1e-15)


@given(
    size=st.floats(-5.0, 5.0),
    pin=st.none() | st.floats(-0.9, 5.0),
    correlation=st.floats(-0.95, 0.99),
    scale=st.floats(0.01, 100.0),
)
def test_the_statement_holds_and_volatility_has_no_say(
    size: float, pin: float | None, correlation: float, scale: float
) -> None:
    S = covariance((0.15, 0.3, 0.2), ((1.0, 0.3, 0.3), (0.3, 1.0, correlation), (0.3, correlation, 1.0)))
    if np.linalg.eigvalsh(S)[0] <= 1e-9:
        return
    said = Statement.of({} if pin is None else {SP: pin}, (R2, ND, size))
    law = law_with(S)
    z = most_likely_ends(law, said)
    assert math.expm1(z[1]) - math.expm1(z[2]) == pytest.approx(size, abs=1e-12)
    if pin is not None:
        assert math.expm1(z[0]) == pytest.approx(pin, abs=1e-12)
    scaled = most_likely_ends(Law(NAMES, S * scale, 5.0, law.days), said)
    assert scaled == pytest.approx(z, abs=1e-9)


def test_of_two_valleys_the_deeper_one_is_taken() -> None:
    # A base at +1000%, an A that follows it and a B that goes against it: either B rises to A, or A falls to B.
    beta, own = np.array([1.0, 1.354, -1.228]), np.diag([0.0, 0.608**2, 1.054**2])
    law = law_with((np.outer(beta, beta) + own) / 1e4)
    lower = np.linspace(-8.0, 8.0, 160_001)
    upper = np.log(1.17 + np.exp(lower))
    aim = beta * math.log(11.0)
    form = ((upper - aim[1]) / 0.608) ** 2 + ((lower - aim[2]) / 1.054) ** 2
    inner = form[1:-1]
    valleys = np.flatnonzero((inner < form[:-2]) & (inner < form[2:])) + 1
    assert len(valleys) == 2
    deeper = valleys[int(np.argmin(form[valleys]))]
    z = most_likely_ends(law, Statement.of({SP: 10.0}, (R2, ND, 1.17)))
    assert z == pytest.approx([math.log(11.0), upper[deeper], lower[deeper]], abs=1e-4)


def test_a_move_turned_round_is_the_same_statement() -> None:
    law = law_with()
    there, back = (most_likely_ends(law, Statement.of(move=m)) for m in ((R2, ND, -0.4), (ND, R2, 0.4)))
    assert there.tolist() == back.tolist()


def test_an_unknown_index_is_refused() -> None:
    with pytest.raises(StudyError, match="GOLD is not among the scenario's indices: SP500, RUSSELL2000, NASDAQ100"):
        most_likely_ends(law_with(), Statement.of({"GOLD": 0.1}))


def weights_by_grid(law: Law, size: float, sessions: int, s: FloatArray, z_b: FloatArray) -> FloatArray:
    """Density of (s, z_B) given the move, on a grid, up to a factor; s has the density of the mean of W alone."""
    z_a = np.log(size + np.exp(z_b))
    form = np.linalg.inv(law.S)
    q = form[0, 0] * z_a**2 + 2.0 * form[0, 1] * z_a * z_b + form[1, 1] * z_b**2
    return np.asarray(np.exp(-0.5 * q[None, :] / s[:, None]) / s[:, None] / (size + np.exp(z_b))[None, :])


def test_sampled_ends_agree_with_integration_where_days_are_nearly_gaussian() -> None:
    # With v = 1e7 every s is n, and what is left is a density in one dimension.
    n, size = 63, 0.25
    law = law_with(covariance((0.24, 0.23), TWO), ("A", "B"), degrees=1e7)
    ends = sample_ends(law, Statement.of(move=("A", "B", size)), n, 20_000, 3)
    grid = np.linspace(-1.2, 1.2, 4001)
    [density] = weights_by_grid(law, size, n, np.array([float(n)]), grid)
    density /= integrate.simpson(density, x=grid)
    mean = integrate.simpson(density * grid, x=grid)
    spread = math.sqrt(integrate.simpson(density * (grid - mean) ** 2, x=grid))
    assert abs(ends.z[:, 1].mean() - mean) < 5.0 * spread / math.sqrt(ends.effective)
    assert ends.z[:, 1].std() == pytest.approx(spread, rel=5.0 / math.sqrt(2.0 * ends.effective))
    # The whole distribution, at the effective size: 1.95 is the one-in-a-thousand point of Kolmogorov's statistic.
    up_to = np.cumsum(density) / density.sum()
    found = stats.ks_1samp(ends.z[:, 1], lambda x: np.interp(x, grid, up_to)).statistic
    assert found < 1.95 / math.sqrt(ends.effective)


def test_sampled_ends_agree_with_integration_where_tails_are_fat() -> None:
    # Given s the density is known; over s it is averaged with a sample of the law's own.
    n, size, v = 21, 0.25, 4.0
    law = law_with(covariance((0.24, 0.23), TWO), ("A", "B"), degrees=v)
    ends = sample_ends(law, Statement.of(move=("A", "B", size)), n, 20_000, 3)
    s = ((v - 2.0) / np.random.default_rng(11).chisquare(v, (60_000, n))).sum(axis=1)
    grid = np.linspace(-1.5, 1.5, 121)
    joint = weights_by_grid(law, size, n, s, grid)
    by_end, by_s = joint.mean(axis=0), joint.sum(axis=1)
    by_end /= integrate.simpson(by_end, x=grid)
    mean = integrate.simpson(by_end * grid, x=grid)
    spread = math.sqrt(integrate.simpson(by_end * (grid - mean) ** 2, x=grid))
    # Two samples, each with an effective size of its own.
    error = math.hypot(1.0 / math.sqrt(ends.effective), math.sqrt((by_s**2).sum()) / by_s.sum())
    assert abs(ends.z[:, 1].mean() - mean) < 5.0 * spread * error
    assert ends.z[:, 1].std() == pytest.approx(spread, rel=0.1)
    # A large move makes violent paths likely; their mean scale has no variance, so shares are compared.
    own = ends.scales().mean(axis=1)
    for level in (1.5, 3.0, 6.0):
        share = float(by_s[s > level * n].sum() / by_s.sum())
        assert abs((own > level).mean() - share) < 5.0 * math.sqrt(share * (1.0 - share)) * error
    assert np.median(own) > 1.5


def test_pins_alone_leave_the_law_its_conditional_gaussian() -> None:
    n = 100
    law = law_with(degrees=1e7)
    ends = sample_ends(law, Statement.of({SP: -0.1}), n, 20_000, 5)
    S = law.S * n
    rest = S[1:, 1:] - np.outer(S[1:, 0], S[0, 1:]) / S[0, 0]
    mean = math.log(0.9) * S[1:, 0] / S[0, 0]
    assert ends.z[:, 0] == pytest.approx(np.full(20_000, math.log(0.9)), abs=1e-15)
    scores = (ends.z[:, 1:].mean(axis=0) - mean) / np.sqrt(np.diagonal(rest) / ends.effective)
    assert np.abs(scores).max() < 5.0
    variances = np.diagonal(rest)
    errors = np.sqrt((np.outer(variances, variances) + rest**2) / ends.effective)
    assert (np.abs(np.cov(ends.z[:, 1:].T) - rest) < 5.0 * errors).all()


@given(size=st.floats(-0.9, 0.9), pin=st.none() | st.floats(-0.5, 0.5), degrees=st.floats(2.5, 60.0))
def test_every_sampled_end_holds_the_statement(size: float, pin: float | None, degrees: float) -> None:
    said = Statement.of({} if pin is None else {SP: pin}, (R2, ND, size))
    ends = sample_ends(law_with(degrees=degrees), said, 21, 50, 1)
    assert np.expm1(ends.z[:, 1]) - np.expm1(ends.z[:, 2]) == pytest.approx(np.full(50, size), abs=1e-12)
    if pin is not None:
        assert np.expm1(ends.z[:, 0]) == pytest.approx(np.full(50, pin), abs=1e-12)
    assert (np.diff(ends.chosen) >= 0).all()
    assert 0.0 < ends.effective <= ends.candidates


def test_everything_pinned_leaves_only_the_scales_to_draw() -> None:
    ends = sample_ends(law_with(), Statement.of({SP: -0.3, R2: -0.4, ND: -0.3}), 21, 200, 1)
    assert (ends.z == ends.z[0]).all()
    assert ends.scales().mean() > 1.1


def test_the_scales_of_a_path_are_the_same_in_any_batch() -> None:
    ends = sample_ends(law_with(), Statement.of(move=(R2, ND, 0.2)), 30, 300, 9)
    whole = ends.scales()
    assert whole.shape == (300, 30)
    pieces = np.concatenate([ends.scales(first, 70) for first in range(0, 300, 70)])
    assert pieces.tolist() == whole.tolist()


def test_the_same_seed_gives_the_same_ends_and_another_gives_others() -> None:
    said = Statement.of(move=(R2, ND, 0.2))

    def drawn(seed: int) -> SampledEnds:
        return sample_ends(law_with(), said, 30, 100, seed)

    assert drawn(1).z.tolist() == drawn(1).z.tolist()
    assert drawn(1).z.tolist() != drawn(2).z.tolist()


def test_rare_statements_draw_more_candidates_and_say_how_few_count() -> None:
    common = sample_ends(law_with(), Statement.of(move=(R2, ND, 0.05)), 21, 640, 1)
    rare = sample_ends(law_with(degrees=60.0), Statement.of(move=(R2, ND, 0.25)), 5, 640, 1)
    assert common.candidates == 640
    assert rare.candidates > 640
    assert rare.effective >= 64.0 or rare.candidates == 16 * 640


def test_without_volatility_every_path_ends_where_it_is_most_likely() -> None:
    said = Statement.of(move=(R2, ND, 0.2))
    ends = sample_ends(law_with(multiple=0.0), said, 30, 10, 1)
    assert (ends.z == most_likely_ends(law_with(), said)).all()
    assert (ends.scales() == 1.0).all()


@pytest.mark.parametrize(("sessions", "paths"), [(0, 10), (10, 0)])
def test_nothing_to_draw_is_refused(sessions: int, paths: int) -> None:
    with pytest.raises(StudyError, match="write 1 or more of each"):
        sample_ends(law_with(), Statement.of({SP: 0.0}), sessions, paths, 1)


def test_a_seed_is_a_number_of_64_bits() -> None:
    with pytest.raises(StudyError, match="seed = -1: write a whole number"):
        stream(-1, 0, 0)


def test_the_law_is_that_of_its_window() -> None:
    days = joint_days(covariance(), NAMES)
    law = law_of(days, multiple=1.5, degrees=4.0)
    assert pytest.approx(covariance() * 2.25, rel=1e-9) == law.S
    assert law.volatility == pytest.approx({SP: 0.255, R2: 0.36, ND: 0.345}, rel=1e-9)
    assert pytest.approx(covariance(), rel=1e-9) == law.times(1.0).S


def test_degrees_are_fitted_where_none_are_stated() -> None:
    assert law_of(joint_days(covariance(), NAMES, count=4000, degrees=4.0)).degrees == pytest.approx(4.0, rel=0.2)


def test_a_law_without_sense_is_refused() -> None:
    days = joint_days(covariance(), NAMES)
    with pytest.raises(StudyError, match="multiple of volatility = -1: write 0 to 10"):
        law_of(days, multiple=-1.0, degrees=4.0)
    with pytest.raises(StudyError, match="degrees = 2: write a number above 2"):
        law_of(days, degrees=2.0)


def test_indices_that_move_as_one_are_refused() -> None:
    days = joint_days(covariance(), NAMES)
    twin = type(days)(("A", "B"), days.dates, days.returns[:, [0, 0]].copy())
    with pytest.raises(DataError, match="A and B are nearest to being one"):
        law_of(twin, degrees=4.0)
    still = type(days)(("A", "B"), days.dates, days.returns[:, :2] * [1.0, 0.0])
    with pytest.raises(DataError, match="B did not move on any day"):
        law_of(still, degrees=4.0)


@pytest.mark.parametrize("degrees", [2.5, 5.0, 30.0])
def test_violent_days_are_weighted_back_to_the_law(degrees: float) -> None:
    # The law's density over the drawn one has the mean 1 under the drawn one, and turns its means into the law's.
    draw = ScaleDraw(degrees, 20.0)
    scales = np.concatenate([draw.block(stream(4, 0, block), 10) for block in range(400)])
    weights = np.exp(-np.concatenate([draw.log_density(scales[k : k + 64]) for k in range(0, len(scales), 64)]))
    assert weights.max() <= 1.0 / 0.75 + 1e-12
    for statistic, expected in (
        (np.ones(len(scales)), 1.0),
        # 1/W is chi2/(v-2), so its mean is v/(v-2), and its square's v(v+2)/(v-2)^2.
        ((1.0 / scales).mean(axis=1), degrees / (degrees - 2.0)),
        ((1.0 / scales**2).mean(axis=1), degrees * (degrees + 2.0) / (degrees - 2.0) ** 2),
        ((scales > 3.0).mean(axis=1), float(stats.chi2.cdf((degrees - 2.0) / 3.0, degrees))),
    ):
        got = weights * statistic
        assert abs(got.mean() - expected) < 5.0 * got.std() / math.sqrt(len(got))


@pytest.mark.parametrize("degrees", [2.5, 3.0, 4.2, 60.0])
def test_scales_are_divided_by_the_mean_of_what_the_bound_leaves(degrees: float) -> None:
    """`E[W; W <= 400]` of `W = (v-2)/chi2_v`, by numerical integration."""
    least = (degrees - 2.0) / 400.0
    within = stats.chi2(degrees).sf(least)
    total, _ = integrate.quad(lambda u: (degrees - 2.0) / u * stats.chi2(degrees).pdf(u), least, np.inf, limit=500)
    assert ScaleDraw(degrees, 1.0).mean == pytest.approx(total / within, rel=1e-6)
