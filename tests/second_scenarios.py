"""A second, slow and plain implementation of funds, the loop, scenarios and simulation (M1, M2, M3, M6, M8, M9, M10).

It was written blind, from the written method alone; it shares no code with the package and, where it can, no technique:
the cost equation is bisected, the most likely ends come from a general constrained optimiser, conditional ends are
integrated on a grid instead of drawn. Indices are numbered from 0 as the rows of S; sessions count from 0, which is the
session of the purchase. Where the method leaves something open, a comment that begins with "Reading:" says how it is
understood here.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Mapping, Sequence
from datetime import date
from typing import Any, TypedDict, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special
from scipy.interpolate import CubicSpline, PchipInterpolator

NAN = math.nan
YEAR = 252  # sessions
QUARTER = 63  # sessions
YEAR_DAYS = 365  # calendar days; Reading: "a year of calendar days" is 365 of them, so e adds up to 1

Array = NDArray[np.float64]
Move = tuple[int, int, float]  # A, B, D: the simple return of A less that of B is D
Key = TypeVar("Key", bound=Hashable)


class Fund(TypedDict):
    """A daily-reset fund: its exposures by index, and what it pays."""

    exposures: dict[int, float]
    spread: float
    swap: float
    expense: float


class PathFigures(TypedDict):
    """What is kept of a path."""

    growth: float
    cagr: float
    max_drawdown: float
    under_water: float
    longest: int
    ended: int | None
    halved: bool


class EndMoments(TypedDict):
    """Of one index's conditional end: mean and deviation of the log return, quantiles of the simple return."""

    mean_log: float
    deviation_log: float
    quantiles: list[float]


# The clock and the fund (M1) -----------------------------------------------------------------------------------------


def horizon_clock(dates: Sequence[date]) -> tuple[list[float], list[float]]:
    """d and e of each session; the first session's are 0, nothing accrues before the purchase."""
    days = [0] + [(dates[t] - dates[t - 1]).days for t in range(1, len(dates))]
    return [k / 360 for k in days], [k / 365 for k in days]


def spread_base(leverage: float) -> float:
    """What the spread is paid on, for each unit of swap exposure."""
    # Reading: the formula says |L-1|, the text "none where nothing is borrowed or sold short (0 <= L <= 1)". The text
    # holds. Of a fund on several indices only the sum L counts, so one long of one and short of another pays none.
    return 0.0 if 0 <= leverage <= 1 else abs(leverage - 1)


def fund_return(
    exposures: Mapping[Key, float],
    x: Mapping[Key, float],
    rate: float,
    spread: float,
    swap: float,
    expense: float,
    d: float,
    e: float,
) -> float:
    """One session of M1; x by index, of which there may be more than the fund has."""
    leverage = math.fsum(exposures.values())
    made = math.fsum(size * x[k] for k, size in exposures.items())
    financing = swap * (leverage - 1) * rate * d
    cost = swap * spread_base(leverage) * spread * d
    return max(-1.0, made - financing - cost - expense * e)


# The loop (M6) and what is kept of a path (M8, M10) ------------------------------------------------------------------


def value_after_costs(
    value: float, holdings: Sequence[float], weights: Sequence[float], costs: Sequence[float]
) -> float:
    """The V' with V' + sum h*|V'*w - v| = V, by bisection down to neighbouring floating-point numbers."""

    def needed(after: float) -> float:
        paid = [h * abs(after * w - v) for h, w, v in zip(costs, weights, holdings, strict=True)]
        return math.fsum([after, *paid])

    low, high = 0.0, value
    if needed(high) <= value:
        return value
    while True:
        middle = (low + high) / 2
        if not low < middle < high:
            return low
        if needed(middle) > value:
            high = middle
        else:
            low = middle


def run_path(
    weights: Sequence[float],
    fund_daily_returns: Sequence[Sequence[float]],
    trade_days: Collection[int],
    half_spreads: Sequence[float],
    cash_accrual: Sequence[float],
    borrow_accrual: Sequence[float] | None = None,
) -> tuple[list[float], list[float]]:
    """The value at each close after its trades (one that was 1.0 before the purchase), and the funds' end weights.

    One row of returns and one accrual a session; those of session 0 are not used. Cash is what the weights leave of 1.
    """
    targets = list(weights)
    after = value_after_costs(1.0, [0.0] * len(targets), targets, half_spreads)
    holdings = [after * w for w in targets]
    cash = after - math.fsum(holdings)
    values = [after]
    for t in range(1, len(fund_daily_returns)):
        before = values[-1]
        for i, r in enumerate(fund_daily_returns[t]):
            if r <= -1:  # Reading: also one that is not held (a later trade would have bought it)
                targets[i] = 0.0
            holdings[i] *= 1 + max(r, -1.0)
        accrual = borrow_accrual if cash < 0 and borrow_accrual is not None else cash_accrual
        cash *= 1 + accrual[t]
        value = math.fsum([cash, *holdings])
        if value > 1e-12 * before and t in trade_days:
            value = value_after_costs(value, holdings, targets, half_spreads)
            holdings = [value * w for w in targets]
            cash = value - math.fsum(holdings)
        if value <= 1e-12 * before:
            # Reading: a ruined path is worth 0 from that close on, holds nothing, and keeps its place in the calendar.
            return values + [0.0] * (len(fund_daily_returns) - t), [0.0] * len(targets)
        values.append(value)
    return values, [v / values[-1] for v in holdings]


def path_figures(values: Sequence[float], calendar_days: int, *, purchase_counts: bool = False) -> PathFigures:
    """Figures of a path whose wealth was 1.0 before its first close, which is that of the purchase."""
    growth = values[-1]
    peak, worst = 1.0, 0.0
    below: list[bool] = []
    for value in values:
        peak = max(peak, value)
        worst = min(worst, value / peak - 1)
        below.append(value < peak)
    # Reading: the sessions are the n after the purchase; the 1.0 before it and its close count for the peak and the
    # drawdown alone. With `purchase_counts` its close is a session too, and there are n + 1.
    first = 0 if purchase_counts else 1
    run, longest, ended = 0, 0, None
    for t in range(first, len(values)):
        run = run + 1 if below[t] else 0
        if run > longest:  # Reading: of equally long ones, the first
            longest = run
            ended = next((u for u in range(t + 1, len(values)) if not below[u]), None)
    return {
        "growth": growth,
        "cagr": growth ** (365.25 / calendar_days) - 1,
        "max_drawdown": worst,
        "under_water": sum(below[first:]) / (len(values) - first),
        "longest": longest,
        "ended": ended,  # the session that closes at or above the highest close again
        "halved": worst <= -0.5,
    }


def quantile(values: Sequence[float], p: float) -> float:
    """A quantile, linear between the ordered values."""
    ordered = sorted(values)
    place = p * (len(ordered) - 1)
    low = min(math.floor(place), len(ordered) - 1)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def standard_error_of_quantile(values: Sequence[float], p: float) -> float:
    """Half the distance between the quantiles one binomial standard error to either side."""
    q = math.sqrt(p * (1 - p) / len(values))
    # Reading: p - q and p + q stay within 0 and 1; the distance is halved all the same.
    return (quantile(values, min(1.0, p + q)) - quantile(values, max(0.0, p - q))) / 2


def standard_error_of_mean(values: Sequence[float]) -> float:
    """s/sqrt(N), s with ddof=1; nan of fewer than two."""
    if len(values) < 2:
        return NAN
    middle = math.fsum(values) / len(values)
    variance = math.fsum((v - middle) ** 2 for v in values) / (len(values) - 1)
    return math.sqrt(variance / len(values))


def standard_error_of_probability(hits: int, count: int) -> float:
    """sqrt(p(1-p)/N); 0 where none or all of the paths do it, which is where the bound is given."""
    p = hits / count
    return math.sqrt(p * (1 - p) / count)


def probability_bound(count: int) -> float:
    """The 95% bound on the probability of what none of the paths did."""
    # Reading: where all of them did it, the same number bounds the probability of not doing it.
    return 1 - float(0.05 ** (1 / count))


# The most likely ends (M9) -------------------------------------------------------------------------------------------


def known_ends(pins: Mapping[int, float], move: Move | None) -> tuple[dict[int, float], Move | None]:
    """The log returns that the statement fixes by itself, and the move where it still binds two free ones."""
    known = {k: math.log1p(r) for k, r in pins.items()}
    if move is None or (move[0] not in pins and move[1] not in pins):
        return known, move
    # Reading: with A or B pinned the move fixes the other; with both pinned it must hold already.
    a, b, difference = move
    if a in pins and b in pins:
        if abs(pins[a] - pins[b] - difference) > 1e-9:
            raise ValueError("the pins contradict the move")
        return known, None
    other, end = (a, pins[b] + difference) if b in pins else (b, pins[a] - difference)
    if end <= -1:
        raise ValueError("the statement asks for a loss of everything")
    known[other] = math.log1p(end)
    return known, None


def objective(inverse: Array, z: Array) -> float:
    """z' (nS)^-1 z."""
    return float(z @ inverse @ z)


def polished(inverse: Array, z: Array, free: Sequence[int], move: Move | None) -> Array:
    """Newton's method on the first-order conditions, from a point that is close."""
    z = z.copy()
    bound = 0 if move is None else 1
    gradient = np.zeros(len(z))
    if move is not None:
        gradient[move[0]], gradient[move[1]] = math.exp(z[move[0]]), -math.exp(z[move[1]])
    of_free = gradient[free]
    multiplier = -float(of_free @ (inverse @ z)[free]) / float(of_free @ of_free) if bound else 0.0
    for _ in range(60):
        if move is not None:
            gradient[move[0]], gradient[move[1]] = math.exp(z[move[0]]), -math.exp(z[move[1]])
        system = np.zeros((len(free) + bound, len(free) + bound))
        system[: len(free), : len(free)] = (inverse + multiplier * np.diag(gradient))[np.ix_(free, free)]
        residual = np.zeros(len(free) + bound)
        residual[: len(free)] = (inverse @ z + multiplier * gradient)[free]
        if move is not None:
            system[-1, :-1] = system[:-1, -1] = gradient[free]
            residual[-1] = math.exp(z[move[0]]) - math.exp(z[move[1]]) - move[2]
        step = np.linalg.solve(system, -residual)
        z[free] += step[: len(free)]
        multiplier += float(step[-1]) if bound else 0.0
        if np.max(np.abs(step[: len(free)])) < 1e-15 or not np.all(np.abs(z) < 50):
            break
    return z


def starting_points(deviations: Array, known: Mapping[int, float], move: Move | None) -> list[Array]:
    """Points that agree with the statement, all others at 0, from which the optimiser sets out."""
    base = np.zeros(len(deviations))
    for k, end in known.items():
        base[k] = end
    if move is None:
        return [base]
    a, b, difference = move
    points = []
    for other, of, sign in ((a, b, 1), (b, a, -1)):
        for many in (-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0):
            point = base.copy()
            point[of] = many * deviations[of]
            inside = math.exp(point[of]) + sign * difference
            if inside > 0:
                point[other] = math.log(inside)
                points.append(point)
    return points


def most_likely_ends(
    S: Sequence[Sequence[float]], n: int, pins: Mapping[int, float], move: Move | None = None
) -> list[float]:
    """The log returns that minimise z' (nS)^-1 z subject to the statement, the best found from many starts."""
    covariance = n * np.array(S, dtype=float)
    inverse = np.linalg.inv(covariance)
    deviations = np.sqrt(np.diag(covariance))
    known, binding = known_ends(pins, move)
    free = [k for k in range(len(covariance)) if k not in known]

    def whole(scaled: Array, start: Array) -> Array:
        z = start.copy()
        z[free] = scaled * deviations[free]
        return z

    best: Array | None = None
    for start in starting_points(deviations, known, binding):
        if not free:
            return [float(v) for v in start]

        def aim(scaled: Array, start: Array = start) -> float:
            return objective(inverse, whole(scaled, start))

        def slope(scaled: Array, start: Array = start) -> Array:
            return (2 * inverse @ whole(scaled, start))[free] * deviations[free]

        def gap(scaled: Array, start: Array = start) -> float:
            assert binding is not None
            z = whole(scaled, start)
            return float(math.exp(z[binding[0]]) - math.exp(z[binding[1]]) - binding[2])

        constraints = [] if binding is None else [{"type": "eq", "fun": gap}]
        with np.errstate(all="ignore"):
            found: Any = optimize.minimize(
                aim,
                start[free] / deviations[free],
                jac=slope,
                method="SLSQP",
                bounds=[(-20 / s, 20 / s) for s in deviations[free]],  # a log return of 20 is out of this world
                constraints=constraints,
                options={"ftol": 1e-14, "maxiter": 500},
            )
            z = polished(inverse, whole(found.x, start), free, binding)
        holds = binding is None or abs(math.exp(z[binding[0]]) - math.exp(z[binding[1]]) - binding[2]) < 1e-10
        if np.all(np.isfinite(z)) and holds and (best is None or objective(inverse, z) < objective(inverse, best)):
            best = z
    if best is None:
        raise ValueError("no ends agree with the statement")
    return [float(v) for v in best]


# Point answers (M2, M3, M9) ------------------------------------------------------------------------------------------


def look_through(weights: Sequence[float], funds: Sequence[Fund], size: int) -> list[float]:
    """The exposure to each index at these weights (M3)."""
    total = [0.0] * size
    for weight, fund in zip(weights, funds, strict=True):
        for k, exposure in fund["exposures"].items():
            total[k] += weight * exposure
    return total


def first_order(
    weights: Sequence[float], benchmark: Sequence[float], funds: Sequence[Fund], R: Sequence[float]
) -> float:
    """sum (e_k - b_k)*R_k at target weights."""
    of_portfolio, of_benchmark = look_through(weights, funds, len(R)), look_through(benchmark, funds, len(R))
    return math.fsum((e - b) * r for e, b, r in zip(of_portfolio, of_benchmark, R, strict=True))


def smooth_path(z: Sequence[float], n: int) -> list[list[float]]:
    """The simple returns of the indices on each of the n sessions, all alike."""
    return [[math.expm1(v / n) for v in z] for _ in range(n)]


def smooth_trend(
    weights: Sequence[float],
    benchmark: Sequence[float],
    funds: Sequence[Fund],
    z: Sequence[float],
    rate: float,
    d: Sequence[float],
    e: Sequence[float],
    half_spreads: Sequence[float] | None = None,
    trade_days: Collection[int] = (),
) -> float:
    """Portfolio less benchmark when every index makes z/n each session; d and e begin with the purchase (0)."""
    n = len(d) - 1
    rows = [[0.0] * len(funds)]
    for t, moves in enumerate(smooth_path(z, n), start=1):
        x = dict(enumerate(moves))
        rows.append(
            [fund_return(f["exposures"], x, rate, f["spread"], f["swap"], f["expense"], d[t], e[t]) for f in funds]
        )
    # Reading: the returns are from before the purchase, so its costs count where half-spreads are given.
    costs = [0.0] * len(funds) if half_spreads is None else list(half_spreads)
    accrual = [rate * v for v in d]
    ends = [run_path(w, rows, trade_days, costs, accrual)[0][-1] for w in (weights, benchmark)]
    return ends[0] - ends[1]


def fund_multiple(
    fund: Fund,
    R: Sequence[float],
    S: Sequence[Sequence[float]],
    n: int,
    rate: float,
    d: Sequence[float],
    e: Sequence[float],
) -> float:
    """What 1 in the fund becomes, by M2; a fund on several indices has X'SX*n for L^2*V and sum X_k*S_kk*n for L*V."""
    held = fund["exposures"]
    leverage = math.fsum(held.values())
    of_indices = math.fsum(size * math.log1p(R[k]) for k, size in held.items())
    squared = math.fsum(a * S[j][k] * b * n for j, a in held.items() for k, b in held.items())
    own = math.fsum(size * S[k][k] * n for k, size in held.items())
    financing = (1 - leverage) * fund["swap"] * rate * math.fsum(d)
    # The parts of f accrue as in M1: the expense on e, the spread on d.
    cost = fund["expense"] * math.fsum(e) + fund["swap"] * spread_base(leverage) * fund["spread"] * math.fsum(d)
    return math.exp(of_indices + financing - cost + (own - squared) / 2)


def closed_form(
    weights: Sequence[float],
    benchmark: Sequence[float],
    funds: Sequence[Fund],
    R: Sequence[float],
    S: Sequence[Sequence[float]],
    n: int,
    rate: float,
    d: Sequence[float],
    e: Sequence[float],
) -> float:
    """Portfolio less benchmark, never rebalanced, every fund by M2, without costs of trading."""
    # Reading: "cash at c*d" compounds session by session, as in the loop, without lending or borrowing spread, on both
    # sides of 0. exp(sum c*d) would be the continuous limit of M2; they differ by about sum (c*d)^2/2.
    cash = math.prod(1 + rate * v for v in d)
    multiples = [fund_multiple(fund, R, S, n, rate, d, e) for fund in funds]
    excess = [(w - b) * (multiple - cash) for w, b, multiple in zip(weights, benchmark, multiples, strict=True)]
    return math.fsum(excess)  # the cash weights are 1 - sum, so cash cancels but for the difference in what is invested


def year_clock() -> tuple[list[float], list[float]]:
    """d and e of the purchase and 252 equal sessions that make up a year of calendar days."""
    days = YEAR_DAYS / YEAR
    return [0.0] + [days / 360] * YEAR, [0.0] + [days / 365] * YEAR


def volatility_drag(
    weights: Sequence[float],
    benchmark: Sequence[float],
    funds: Sequence[Fund],
    S: Sequence[Sequence[float]],
    rate: float,
) -> float:
    """The closed form's excess of a year in which no index moves, less the same at zero volatility."""
    d, e = year_clock()
    still = [0.0] * len(S)
    calm = [[0.0] * len(S) for _ in S]
    moving = closed_form(weights, benchmark, funds, still, S, YEAR, rate, d, e)
    return moving - closed_form(weights, benchmark, funds, still, calm, YEAR, rate, d, e)


def break_even(
    weights: Sequence[float],
    benchmark: Sequence[float],
    funds: Sequence[Fund],
    S: Sequence[Sequence[float]],
    rate: float,
    long: int,
    short: int,
    step: float = 0.01,
    furthest: float = 2.0,
) -> float:
    """The least move in size of the long over the short index, in a year, at which the closed form's excess is 0."""
    d, e = year_clock()

    def excess(difference: float) -> float:
        z = most_likely_ends(S, YEAR, {}, (long, short, difference))
        return closed_form(weights, benchmark, funds, [math.expm1(v) for v in z], S, YEAR, rate, d, e)

    edges = {1: excess(0.0), -1: excess(0.0)}
    if edges[1] == 0:
        return 0.0
    for ring in range(1, round(furthest / step) + 1):
        roots = []
        for sign in (1, -1):
            inner, outer, value = sign * (ring - 1) * step, sign * ring * step, excess(sign * ring * step)
            if edges[sign] * value <= 0:
                roots.append(float(optimize.brentq(excess, inner, outer, xtol=1e-13, rtol=1e-14)))
            edges[sign] = value
        if roots:
            return min(roots, key=abs)
    return NAN  # Reading: none within the furthest move looked at


def break_even_first_order(carry: float, long_leg: float, short_leg: float) -> float:
    """-carry/size, size the larger of the two legs."""
    return -carry / max(abs(long_leg), abs(short_leg))


# Conditional ends (M9) -----------------------------------------------------------------------------------------------


def drawn_scales(n: int, v: float, draws: int, seed: int) -> tuple[Array, Array]:
    """Draws of s = W_1 + ... + W_n, W = (v-2)/chi2_v, and the logs of their weights; n itself where v is infinite.

    What is rare comes from one enormous W. In half of the draws one day's is therefore drawn from a law with 1 degree
    of freedom in place of v, and the weight is the ratio of the law of all W to that of such draws.
    """
    if math.isinf(v):
        return np.array([float(n)]), np.zeros(1)
    rng = np.random.default_rng(seed)
    sums, logs = [], []
    constant = math.lgamma(v / 2) - math.lgamma(1 / 2)
    for begin in range(0, draws, 1000):
        count = min(1000, draws - begin)
        w = (v - 2) / rng.chisquare(v, size=(count, n))
        wide = np.flatnonzero(rng.random(count) < 0.5)
        w[wide, rng.integers(n, size=len(wide))] = (v - 2) / rng.chisquare(1, size=len(wide))
        ratio = np.exp(constant + (v - 1) / 2 * np.log(w / ((v - 2) / 2)))  # the wide density over the own one
        sums.append(w.sum(axis=1))
        logs.append(-np.log(0.5 + 0.5 * ratio.mean(axis=1)))
    return np.concatenate(sums), np.concatenate(logs)


def log_mixture(scales: Array, weights: Array, size: int, furthest: float) -> CubicSpline:
    """The log of the mean over s of s^(-K/2)*exp(-q/(2s)), by the arsinh of the root of q, up to a furthest root."""
    spacing = np.linspace(0.0, math.asinh(furthest), 500)
    heads = weights - size / 2 * np.log(scales)
    values = [float(special.logsumexp(heads - root**2 / (2 * scales))) for root in np.sinh(spacing)]
    return CubicSpline(spacing, values)


def marginal(
    order: Sequence[int], centre: Array, inverse: Array, binding: Move | None, scales: tuple[Array, Array], n: int
) -> tuple[Array, Array, Array]:
    """Of the first free coordinate: a grid, its values there, and the (unscaled) density by the grid's spacing."""
    tangent = np.zeros((len(centre), len(order)))
    tangent[order, range(len(order))] = 1.0
    if binding is not None:
        a, b, difference = binding
        tangent[a] = math.exp(centre[b] - centre[a]) * tangent[b]
    shape = np.linalg.cholesky(n * np.linalg.inv(tangent.T @ inverse @ tangent))  # the first row has one entry
    grid = np.linspace(-12.0, 12.0, {1: 2401, 2: 481, 3: 121}[len(order)])
    places = 3 * np.sinh(grid / 3)  # dense in the middle, out to 82 standard deviations
    around = np.meshgrid(*[places] * len(order), indexing="ij")
    z = np.repeat(centre[:, None], around[0].size, axis=1)
    z[order] += shape @ np.stack([axis.ravel() for axis in around])
    jacobian = np.ones(z.shape[1])
    if binding is not None:
        end = difference + np.exp(z[b])
        jacobian = np.where(end > 0, 1 / np.where(end > 0, end, 1.0), 0.0)
        z[a] = np.log(np.where(end > 0, end, 1.0))
    roots = np.sqrt(np.maximum(np.sum(z * (inverse @ z), axis=0), 0.0))
    # The mixture over s depends on the ends by z'S^-1z alone, so it is worked out once and read off by a spline.
    logs = log_mixture(*scales, len(centre), float(roots.max()) + 1e-9)(np.arcsinh(roots))
    spacing = np.cosh(grid / 3)  # dy/dt
    density = jacobian * np.exp(logs - logs.max())
    for axis in np.meshgrid(*[spacing] * len(order), indexing="ij"):
        density = density * axis.ravel()
    of_first = density.reshape(len(grid), -1).sum(axis=1)
    return grid, centre[order[0]] + shape[0, 0] * places, of_first


def summary(grid: Array, values: Array, density: Array, probabilities: Sequence[float]) -> EndMoments:
    """Mean and deviation of values that rise along the grid, and quantiles of what they are as simple returns."""
    scaled = density / density.max()
    total = float(CubicSpline(grid, scaled).integrate(grid[0], grid[-1]))
    mean = float(CubicSpline(grid, scaled * values).integrate(grid[0], grid[-1])) / total
    square = float(CubicSpline(grid, scaled * (values - mean) ** 2).integrate(grid[0], grid[-1])) / total
    below = CubicSpline(grid, scaled).antiderivative()
    at = PchipInterpolator(grid, values)

    def missing(t: float, p: float) -> float:
        return float(below(t)) - p * total

    found = [float(optimize.brentq(missing, grid[0], grid[-1], args=(p,))) for p in probabilities]
    return {
        "mean_log": mean,
        "deviation_log": math.sqrt(square),
        "quantiles": [math.expm1(float(at(t))) for t in found],
    }


def conditional_end_moments(
    S: Sequence[Sequence[float]],
    v: float,
    n: int,
    pins: Mapping[int, float],
    move: Move | None = None,
    probabilities: Sequence[float] = (0.05, 0.5, 0.95),
    draws: int = 200_000,
    seed: int = 0,
) -> list[EndMoments]:
    """The law of the ends given the statement, s drawn from its law, the free coordinates integrated on a grid.

    Means are of log returns: under this law a free index's simple return has no mean (its log has the tails of a t).
    """
    daily = np.array(S, dtype=float)
    inverse = np.linalg.inv(daily)
    known, binding = known_ends(pins, move)
    centre = np.array(most_likely_ends(S, n, pins, move))
    free = [k for k in range(len(daily)) if k not in known and (binding is None or k != binding[0])]
    scales = drawn_scales(n, v, draws, seed)
    moments: dict[int, EndMoments] = {}
    for first in free:
        order = [first] + [k for k in free if k != first]
        grid, values, density = marginal(order, centre, inverse, binding, scales, n)
        moments[first] = summary(grid, values, density, probabilities)
        if binding is not None and first == binding[1]:
            possible = binding[2] + np.exp(values) > 0
            of_a = np.log(np.where(possible, binding[2] + np.exp(values), 1.0))
            moments[binding[0]] = summary(grid[possible], of_a[possible], density[possible], probabilities)
    for k, end in known.items():
        moments[k] = {"mean_log": end, "deviation_log": 0.0, "quantiles": [math.expm1(end)] * len(probabilities)}
    return [moments[k] for k in range(len(daily))]


# Bridges (M9) --------------------------------------------------------------------------------------------------------


def bridge(r: Sequence[Sequence[float]], W: Sequence[float], z: Sequence[float]) -> list[list[float]]:
    """Free days (one row each, its scale inside) made to add up to z: r_t + W_t/s*(z - sum r)."""
    total = math.fsum(W)
    missing = [end - math.fsum(row[k] for row in r) for k, end in enumerate(z)]
    return [[v + w / total * m for v, m in zip(row, missing, strict=True)] for row, w in zip(r, W, strict=True)]


def reachable(x: Sequence[Sequence[float]], target: Sequence[float]) -> bool:
    """Whether a mixture of the days makes the target."""
    days = np.array(x, dtype=float)
    size = np.maximum(np.max(np.abs(days), axis=0), 1e-300)
    equations = np.vstack([(days / size).T, np.ones(len(days))])
    wanted = np.append(np.array(target, dtype=float) / size, 1.0)
    answer: Any = optimize.linprog(np.zeros(len(days)), A_eq=equations, b_eq=wanted, bounds=(0, None), method="highs")
    return bool(answer.status == 0)


def tilted(x: Sequence[Sequence[float]], theta: Sequence[float]) -> list[float]:
    """The probabilities of the days, in proportion to exp(theta'x)."""
    exponent = np.array(x, dtype=float) @ np.array(theta, dtype=float)
    return [float(p) for p in special.softmax(exponent)]


def tilt(x: Sequence[Sequence[float]], target: Sequence[float]) -> list[float] | None:
    """The theta of exp(theta'x) under which the mean day is the target (z/n); None where no mixture makes it."""
    # Reading: a target on the very edge of the hull has no finite theta; what comes back there is of no use.
    if not reachable(x, target):
        return None
    days = np.array(x, dtype=float)
    size = days.std(axis=0)
    centred = (days - np.array(target, dtype=float)) / size  # ln sum exp(theta'x) - theta'target, of scaled days

    def value(theta: Array) -> float:
        return float(special.logsumexp(centred @ theta))

    def slope(theta: Array) -> Array:
        return np.asarray(special.softmax(centred @ theta) @ centred)

    rough: Any = optimize.minimize(value, np.zeros(len(size)), jac=slope, method="BFGS", options={"gtol": 1e-9})
    found: Any = optimize.root(slope, rough.x, method="hybr", options={"xtol": 1e-15})
    best = found.x if np.max(np.abs(slope(found.x))) <= np.max(np.abs(slope(rough.x))) else rough.x
    return [float(v) for v in best / size]


def distance(q: Sequence[float], S: Sequence[Sequence[float]], n: int) -> float:
    """q' (nS)^-1 q."""
    return float(np.array(q) @ np.linalg.solve(n * np.array(S, dtype=float), np.array(q)))


def real_bridge(
    candidates: Sequence[Sequence[Sequence[float]]], z: Sequence[float], S: Sequence[Sequence[float]]
) -> tuple[int, list[list[float]], list[float]]:
    """Which of some draws of n days is kept (of equals, the first), its days made to add up to z, what was missing."""
    n = len(candidates[0])
    missing = [[end - math.fsum(row[k] for row in days) for k, end in enumerate(z)] for days in candidates]
    best = min(range(len(candidates)), key=lambda i: distance(missing[i], S, n))
    kept = [[v + m / n for v, m in zip(row, missing[best], strict=True)] for row in candidates[best]]
    return best, kept, missing[best]


def remainder(missing: Sequence[Sequence[float]], S: Sequence[Sequence[float]], n: int) -> float:
    """The root mean square, over the paths, of sqrt(q' (nS)^-1 q / K)."""
    return math.sqrt(math.fsum(distance(q, S, n) / len(q) for q in missing) / len(missing))


# History and stress (M9) ---------------------------------------------------------------------------------------------


def past_windows(
    levels_A: Sequence[float],
    levels_B: Sequence[float],
    n: int,
    D: float | None,
    pins: Sequence[tuple[Sequence[float], float]] = (),
) -> tuple[list[int], int]:
    """The first closes of all windows like the statement, and how many of them do not overlap."""
    starts = []
    for i in range(len(levels_A) - n):
        move = levels_A[i + n] / levels_A[i] - levels_B[i + n] / levels_B[i]
        alike = D is None or abs(move - D) <= 0.2 * abs(D)  # Reading: the least width of a point is for pins alone
        for levels, stated in pins:
            made = levels[i + n] / levels[i] - 1
            alike = alike and abs(made - stated) <= max(0.2 * abs(stated), 0.01)
        if alike:
            starts.append(i)
    count, free_from = 0, 0
    for i in starts:
        if i >= free_from:  # a window may begin at the close at which the one before ended
            count += 1
            free_from = i + n
    return starts, count


def gap_returns(S: Sequence[Sequence[float]], stated: Mapping[int, float]) -> list[float]:
    """One session's simple returns: the stated ones, and the most likely log returns of the others given them."""
    covariance = np.array(S, dtype=float)
    fixed = sorted(stated)
    logs = np.array([math.log1p(stated[k]) for k in fixed])
    ends = covariance[:, fixed] @ np.linalg.solve(covariance[np.ix_(fixed, fixed)], logs)
    return [stated[k] if k in stated else math.expm1(float(ends[k])) for k in range(len(covariance))]


def gap_excess(
    weights: Sequence[float],
    benchmark: Sequence[float],
    funds: Sequence[Fund],
    returns: Sequence[float],
    rate: float,
    d: float,
    e: float,
) -> float:
    """Portfolio less benchmark over one session from target weights, every fund by M1 (so none below nothing)."""
    x = dict(enumerate(returns))
    made = [fund_return(f["exposures"], x, rate, f["spread"], f["swap"], f["expense"], d, e) for f in funds]
    # Reading: the gap session accrues as any other; the position is there already, so nothing is paid for buying it.
    return math.fsum((w - b) * (r - rate * d) for w, b, r in zip(weights, benchmark, made, strict=True))


def correlation_one_moves(S: Sequence[Sequence[float]]) -> list[float]:
    """The simple returns of a quarter in which every index makes -2 standard deviations in log return."""
    return [math.expm1(-2 * math.sqrt(YEAR * S[k][k]) * math.sqrt(QUARTER / YEAR)) for k in range(len(S))]


# Generators (M10) ----------------------------------------------------------------------------------------------------


def politis_white(x: Sequence[float], shift: int = 0) -> float:
    """The automatic mean block length of the stationary bootstrap, with the correction of 2009.

    `shift` is added to the last significant lag: 1 takes the first insignificant one in its place, as some programs do.
    """
    # Reading: the papers' own constants: K = max(5, sqrt(log10 N)) lags in a row below 2*sqrt(log10(N)/N) in size,
    # searched up to ceil(sqrt(N)) + K; M = 2*max(m, 1) and at most that furthest lag; the flat-top window; the length
    # at most ceil(min(3*sqrt(N), N/3)). There is no lower limit, and a series that does not move has length 1.
    size = len(x)
    middle = math.fsum(x) / size
    gaps = [v - middle for v in x]

    def covariance(lag: int) -> float:
        return math.fsum(gaps[i] * gaps[i + lag] for i in range(size - lag)) / size

    run = max(5, int(math.sqrt(math.log10(size))))
    furthest = min(math.ceil(math.sqrt(size)) + run, size - 1)
    r = [covariance(lag) for lag in range(furthest + 1)]
    if r[0] == 0:
        return 1.0
    limit = 2 * math.sqrt(math.log10(size) / size)
    small = [abs(v) / r[0] < limit for v in r]
    last = next((m for m in range(furthest - run + 1) if all(small[m + 1 : m + 1 + run])), None)
    # Reading: where no such run is found, the last significant lag within the search stands in.
    last = max(lag for lag in range(furthest + 1) if not small[lag]) if last is None else last + shift
    width = min(2 * max(last, 1), furthest)
    weight = [1.0 if lag / width <= 0.5 else 2 * (1 - lag / width) for lag in range(width + 1)]
    bend = 2 * math.fsum(weight[lag] * lag * r[lag] for lag in range(1, width + 1))
    density = r[0] + 2 * math.fsum(weight[lag] * r[lag] for lag in range(1, width + 1))
    most = math.ceil(min(3 * math.sqrt(size), size / 3))
    if density == 0:
        return float(most)
    length = math.pow(2 * bend**2 / (2 * density**2), 1 / 3) * math.pow(size, 1 / 3)
    return min(length, float(most))


def gjr_variances(e: Sequence[float], omega: float, alpha: float, gamma: float, beta: float, h0: float) -> list[float]:
    """The variance of each day and, last, of the day after them."""
    h = [h0]
    for shock in e:
        h.append(omega + (alpha + (gamma if shock < 0 else 0.0)) * shock**2 + beta * h[-1])
    return h


def gjr_omega(target: float, alpha: float, gamma: float, beta: float, k: float) -> float:
    """Variance targeting."""
    return target * (1 - alpha - gamma * k - beta)


def t_log_likelihood(x: Sequence[Sequence[float]], S: Sequence[Sequence[float]], v: float) -> float:
    """Of days of a multivariate t with mean 0, covariance (not scale) S and v degrees of freedom."""
    size = len(S)
    scale = np.array(S, dtype=float) * (v - 2) / v
    constant = math.lgamma((v + size) / 2) - math.lgamma(v / 2) - size / 2 * math.log(v * math.pi)
    constant -= 0.5 * float(np.linalg.slogdet(scale)[1])
    distances = [float(np.array(day) @ np.linalg.solve(scale, np.array(day))) for day in x]
    return math.fsum(constant - (v + size) / 2 * math.log1p(q / v) for q in distances)


def normal_density(day: Array, mean: Array, covariance: Array) -> float:
    """Of a multivariate normal."""
    gap = day - mean
    power = -0.5 * float(gap @ np.linalg.solve(covariance, gap))
    return math.exp(power) / math.sqrt((2 * math.pi) ** len(day) * float(np.linalg.det(covariance)))


def regime_log_likelihood(
    x: Sequence[Sequence[float]],
    means: Sequence[Sequence[float]],
    covariances: Sequence[Sequence[Sequence[float]]],
    P: Sequence[Sequence[float]],
    start: Sequence[float],
) -> tuple[float, list[list[float]]]:
    """By the forward recursion, with the probabilities of the states at each day given the days up to it.

    P[i][j] is the probability of j tomorrow in state i; `start` is the law of the first day's state, before it is seen.
    """
    states = range(len(start))
    total = 0.0
    expected = list(start)
    filtered: list[list[float]] = []
    for day in x:
        known = np.array(day, dtype=float)
        joint = [expected[i] * normal_density(known, np.array(means[i]), np.array(covariances[i])) for i in states]
        likelihood = math.fsum(joint)
        total += math.log(likelihood)
        filtered.append([p / likelihood for p in joint])
        expected = [math.fsum(filtered[-1][i] * P[i][j] for i in states) for j in states]
    return total, filtered


def mean_factor(x: Sequence[float], m: float) -> float:
    """What every gross return is multiplied by, so that their mean grows by 1+m in 252 sessions."""
    return float((1 + m) ** (1 / YEAR)) / (math.fsum(1 + v for v in x) / len(x))
