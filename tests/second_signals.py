"""A second, slow and plain implementation of the signals and of whether they work (M11), from the written method alone.

It shares no code with the package, and no technique: every value is computed anew from its whole lookback, every spell
is walked through close by close, every half of the blocks is put together and measured. A list has one entry a close,
and nan where the value is undefined; positions count closes from 0. Where the method leaves something open, a comment
that begins with "Reading:" says how it is understood here. It was written blind, from the method.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from statistics import NormalDist
from typing import TypedDict

import numpy as np

NAN = math.nan
NORMAL = NormalDist()
YEAR = 252  # sessions

Spell = tuple[int, int | None, str | None]  # entry, exit, reason: "exit", "profit_target", "stop" or "time_limit"


class RelativeValue(TypedDict):
    """The difference, the same annualised, and the telltale ratio, one value a close."""

    difference: list[float]
    annualised: list[float]
    ratio: list[float]


class Episode(TypedDict):
    """A correction: positions of its days, and the drawdown at its lowest close."""

    peak: int
    start: int
    trough: int
    bear: int | None
    recovered: int | None
    depth: float


class Measures(TypedDict):
    """The series of confirmation and risk, one value a close."""

    trend_ratio: list[float]
    trend_long: list[float]
    momentum: list[float]
    spread_volatility: list[float]
    long_volatility: list[float]
    spread_regime: list[float]
    correlation: list[float]
    rate_change: list[float]


class Judgement(TypedDict):
    """What a rule's spells were followed by, and the HAC regression beside it."""

    independent: list[bool]
    n: int
    mean_after: float
    base_rate: float
    statistic: float
    hac_slope: float
    hac_t: float
    hac_p: float


def mean(values: Sequence[float]) -> float:
    """The mean; nan of nothing."""
    return math.fsum(values) / len(values) if values else NAN


def deviation(values: Sequence[float]) -> float:
    """The standard deviation (ddof=1); nan of fewer than two; exactly 0 where all are equal."""
    if len(values) < 2:
        return NAN
    if min(values) == max(values):
        return 0.0
    middle = mean(values)
    return math.sqrt(math.fsum((v - middle) ** 2 for v in values) / (len(values) - 1))


def sharpe(values: Sequence[float]) -> float:
    """Mean over standard deviation (ddof=1) of one period; 0 of what did not move."""
    spread = deviation(values)
    return 0.0 if spread == 0 else mean(values) / spread


def returns(levels: Sequence[float]) -> list[float]:
    """Simple returns, nan at the first close."""
    return [NAN] + [levels[t] / levels[t - 1] - 1 for t in range(1, len(levels))]


# Relative value ------------------------------------------------------------------------------------------------------


def relative_value(long: Sequence[float], short: Sequence[float], window: int) -> RelativeValue:
    """Difference, annualised difference and telltale ratio of two series of levels."""
    difference: list[float] = []
    annualised: list[float] = []
    ratio: list[float] = []
    for t in range(len(long)):
        ratio.append((long[t] / long[0]) / (short[t] / short[0]))
        if t < window:
            difference.append(NAN)
            annualised.append(NAN)
        else:
            of_long = long[t] / long[t - window]
            of_short = short[t] / short[t - window]
            difference.append(of_long - of_short)
            annualised.append(of_long ** (YEAR / window) - of_short ** (YEAR / window))
    return {"difference": difference, "annualised": annualised, "ratio": ratio}


def looked_back(values: Sequence[float], t: int, lookback: int | None, fewest: int) -> list[float] | None:
    """The values of the lookback of close t, itself included, or None where nothing can be said."""
    if math.isnan(values[t]):
        return None
    seen = [v for v in values[: t + 1] if not math.isnan(v)]
    if lookback is not None:
        if len(seen) < lookback:
            return None
        seen = seen[-lookback:]
    # Reading: "fewer than 252" counts the N values of the lookback, so a lookback below that is never defined.
    if len(seen) < fewest or min(seen) == max(seen):
        return None
    return seen


def percentile(values: Sequence[float], lookback: int | None, fewest: int = 252) -> list[float]:
    """Where each value stands in its lookback: 0 the lowest, 1 the highest."""
    result = []
    for t, value in enumerate(values):
        seen = looked_back(values, t, lookback, fewest)
        if seen is None:
            result.append(NAN)
            continue
        below = sum(1 for v in seen if v < value)
        ties = sum(1 for v in seen if v == value) - 1
        result.append((below + ties / 2) / (len(seen) - 1))
    return result


def zscore(values: Sequence[float], lookback: int | None, fewest: int = 252) -> list[float]:
    """How many standard deviations each value is from the mean of its lookback."""
    result = []
    for t, value in enumerate(values):
        seen = looked_back(values, t, lookback, fewest)
        result.append(NAN if seen is None else (value - mean(seen)) / deviation(seen))
    return result


def extremes(values: Sequence[float], window: int, most: int = 5) -> tuple[list[int], list[int]]:
    """Positions of the lowest and of the highest values, each more than the window away from those before it."""

    def lowest(of: Sequence[float]) -> list[int]:
        taken: list[int] = []
        while len(taken) < most:
            free = [i for i in range(len(of)) if not math.isnan(of[i]) and all(abs(i - j) > window for j in taken)]
            if not free:
                break
            taken.append(min(free, key=lambda i: of[i]))  # Reading: of equal ones, the first
        return taken

    return lowest(values), lowest([-v for v in values])


# Correction ----------------------------------------------------------------------------------------------------------


def corrections(levels: Sequence[float]) -> list[Episode]:
    """Every fall of 10% or more below the running peak, up to the close back at the peak or above it."""
    # Reading: "10% below" is level/peak <= 0.9, so that 90 of 100 is (90/100 - 1 is above -0.1 in floating point).
    episodes: list[Episode] = []
    inside: Episode | None = None
    top = 0  # the last close at the running peak
    for t, level in enumerate(levels):
        if inside is not None and level >= levels[top]:
            inside["recovered"] = t
            inside = None
        if level >= levels[top]:
            top = t
        share = level / levels[top]
        if inside is None and share <= 0.9:
            inside = {"peak": top, "start": t, "trough": t, "bear": None, "recovered": None, "depth": share - 1}
            episodes.append(inside)
        if inside is not None:
            if level < levels[inside["trough"]]:  # Reading: of equal ones, the first
                inside["trough"] = t
                inside["depth"] = share - 1
            if inside["bear"] is None and share <= 0.8:
                inside["bear"] = t
    return episodes


def states(levels: Sequence[float]) -> list[str]:
    """The state of each close, from the closes up to it alone."""
    words = []
    for t in range(len(levels)):
        known = levels[: t + 1]
        episodes = corrections(known)
        share = levels[t] / max(known)
        if not episodes:
            words.append("none")
        elif episodes[-1]["recovered"] is not None:
            words.append("recovered")
        elif share <= 0.8:
            words.append("bear")
        elif share <= 0.9:
            words.append("correction")
        else:
            words.append("recovering")
    return words


# Confirmation and risk -----------------------------------------------------------------------------------------------


def last(values: Sequence[float], t: int, count: int) -> list[float] | None:
    """The last so many values up to close t, or None where there are not that many (nan is no value)."""
    if t + 1 < count:
        return None
    found = list(values[t + 1 - count : t + 1])
    return None if any(math.isnan(v) for v in found) else found


def trend(values: Sequence[float]) -> list[float]:
    """Each value over the mean of the last 200, itself included, less 1."""
    result = []
    for t, value in enumerate(values):
        seen = last(values, t, 200)
        result.append(NAN if seen is None else value / mean(seen) - 1)
    return result


def volatility(daily: Sequence[float]) -> list[float]:
    """The annualised standard deviation of the last 63 returns."""
    result = []
    for t in range(len(daily)):
        seen = last(daily, t, 63)
        result.append(NAN if seen is None else deviation(seen) * math.sqrt(YEAR))
    return result


def correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Pearson's correlation; nan where one of them did not move."""
    if min(one) == max(one) or min(other) == max(other):
        return NAN
    middle_one, middle_other = mean(one), mean(other)
    together = math.fsum((x - middle_one) * (y - middle_other) for x, y in zip(one, other, strict=True))
    return together / ((len(one) - 1) * deviation(one) * deviation(other))


def measures(long: Sequence[float], short: Sequence[float], rate: Sequence[float]) -> Measures:
    """Trend, momentum, volatility, its regime (a percentile), correlation, and the change of the financing rate."""
    sessions = range(len(long))
    a, b = returns(long), returns(short)
    spread = [x - y for x, y in zip(a, b, strict=True)]
    spread_volatility = volatility(spread)
    together = []
    for t in sessions:
        last_a, last_b = last(a, t, YEAR), last(b, t, YEAR)
        together.append(NAN if last_a is None or last_b is None else correlation(last_a, last_b))
    return {
        "trend_ratio": trend([x / y for x, y in zip(long, short, strict=True)]),
        "trend_long": trend(long),
        "momentum": relative_value(long, short, YEAR)["difference"],
        "spread_volatility": spread_volatility,
        "long_volatility": volatility(a),
        "spread_regime": percentile(spread_volatility, None),
        "correlation": together,
        # At close t the rate dated t-1 is known: its change is that from t-1-252.
        "rate_change": [rate[t - 1] - rate[t - 1 - YEAR] if t >= YEAR + 1 else NAN for t in sessions],
    }


# The tactical overlay ------------------------------------------------------------------------------------------------


def spells(
    percentile: Sequence[float],
    long: Sequence[float],
    short: Sequence[float],
    *,
    enter: float,
    exit: float,
    profit_target: float | None = None,
    stop: float | None = None,
    time_limit: int | None = None,
    cooldown: int = 0,
    steps: Sequence[tuple[float, float]] | None = None,
    rest: float = 0.0,
    allowed: Sequence[bool] | None = None,
) -> tuple[list[float], list[Spell]]:
    """The size decided at each close, and the spells; one still on at the end has no exit and no reason."""
    if enter == exit:
        raise ValueError("enter and exit are equal")

    def reached(p: float, threshold: float) -> bool:
        """Whether p is as deep as the threshold, or deeper; never where p is undefined."""
        return p <= threshold if enter < exit else p >= threshold

    def left(p: float) -> bool:
        """Whether p is back at the exit, or beyond; never where p is undefined."""
        return p >= exit if enter < exit else p <= exit

    def size_since(entry: int, t: int) -> float:
        """The size at close t of a spell that is on since its entry."""
        if not steps:
            return 1.0
        met = [step for step in steps if any(reached(percentile[u], step[0]) for u in range(entry, t + 1))]
        if not met:
            return rest  # Reading: on, with no step reached yet, is held as off is
        deepest = min(met) if enter < exit else max(met)
        return deepest[1]

    sizes: list[float] = []
    found: list[Spell] = []
    entry: int | None = None
    earliest = 0
    for t, p in enumerate(percentile):
        if entry is None:
            if t >= earliest and reached(p, enter) and (allowed is None or allowed[t]):
                entry = t
        else:
            gain = long[t] / long[entry] - short[t] / short[entry]
            reason = None
            if left(p):
                reason = "exit"
            elif profit_target is not None and gain >= profit_target:
                reason = "profit_target"
            elif stop is not None and gain <= -stop:
                reason = "stop"
            elif time_limit is not None and t - entry == time_limit:
                reason = "time_limit"
            if reason is not None:
                found.append((entry, t, reason))
                entry = None
                earliest = t + 1 + cooldown
        sizes.append(rest if entry is None else size_since(entry, t))
    if entry is not None:
        found.append((entry, None, None))
    return sizes, found


# Does it work? -------------------------------------------------------------------------------------------------------


def outcomes(long: Sequence[float], short: Sequence[float], horizon: int) -> list[float]:
    """What the spread made over the horizon, from the close after each; nan where that is not known yet."""
    result = []
    for t in range(len(long)):
        begin, end = t + 1, t + 1 + horizon
        result.append(long[end] / long[begin] - short[end] / short[begin] if end < len(long) else NAN)
    return result


def newey_west(y: Sequence[float], on: Sequence[float], lags: int) -> tuple[float, float, float]:
    """Slope of y on a constant and `on`, its t and its two-sided p; nan where it cannot be estimated."""
    if not on or min(on) == max(on):
        return NAN, NAN, NAN
    x = np.column_stack([np.ones(len(on)), np.array(on)])
    inverse = np.linalg.inv(x.T @ x)
    slope = inverse @ x.T @ np.array(y)
    scores = x * (np.array(y) - x @ slope)[:, None]
    # Reading: the closes of the base rate count as consecutive, also where some between them are left out.
    meat = scores.T @ scores
    for lag in range(1, min(lags, len(on) - 1) + 1):
        gamma = scores[lag:].T @ scores[:-lag]
        meat = meat + (1 - lag / (lags + 1)) * (gamma + gamma.T)
    variance = float((inverse @ meat @ inverse)[1, 1])
    if variance <= 0:
        return float(slope[1]), NAN, NAN
    t = float(slope[1]) / math.sqrt(variance)
    return float(slope[1]), t, 2 * NORMAL.cdf(-abs(t))


def judge(
    percentile: Sequence[float],
    sizes: Sequence[float],
    spells: Sequence[Spell],
    outcomes: Sequence[float],
    horizon: int,
) -> Judgement:
    """Which spells are independent, what followed them and all closes, and the HAC regression."""
    independent: list[bool] = []
    end = -1  # of the last independent one
    for entry, leave, _ in spells:
        if entry > end:
            independent.append(True)
            # Reading: one still on at the end has not ended by the last close.
            end = max(len(sizes) if leave is None else leave, entry + 1 + horizon)
        else:
            independent.append(False)
    after = [
        outcomes[spell[0]]
        for spell, counts in zip(spells, independent, strict=True)
        if counts and not math.isnan(outcomes[spell[0]])
    ]
    closes = [t for t in range(len(outcomes)) if not math.isnan(percentile[t]) and not math.isnan(outcomes[t])]
    base = mean([outcomes[t] for t in closes])
    # Reading: "on" is from the entry to the close before the exit, whatever the size (`rest` may be above 0).
    on = [1.0 if any(e <= t and (x is None or t < x) for e, x, _ in spells) else 0.0 for t in closes]
    slope, t_value, p = newey_west([outcomes[t] for t in closes], on, horizon)
    return {
        "independent": independent,
        "n": len(after),
        "mean_after": mean(after),
        "base_rate": base,
        "statistic": mean(after) - base,
        "hac_slope": slope,
        "hac_t": t_value,
        "hac_p": p,
    }


def resampled_levels(
    long: Sequence[float], short: Sequence[float], indices: Sequence[int]
) -> tuple[list[float], list[float]]:
    """Levels from 1 made of the gross returns at these positions (0 is that of the second close)."""
    of_long, of_short = [1.0], [1.0]
    for i in indices:
        of_long.append(of_long[-1] * (long[i + 1] / long[i]))
        of_short.append(of_short[-1] * (short[i + 1] / short[i]))
    return of_long, of_short


def p_value(found: float, null: Sequence[float]) -> float:
    """Twice the smaller tail of the null; a nan in it is a resample without episodes, and does not count."""
    if math.isnan(found):
        return NAN
    known = [v for v in null if not math.isnan(v)]
    above = sum(1 for v in known if v >= found)
    under = sum(1 for v in known if v <= found)
    return min(1.0, 2 * (1 + min(above, under)) / (1 + len(known)))


def quantile(values: Sequence[float], share: float) -> float:
    """A quantile, linear between the ordered values."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def interval(mean_after: float, null: Sequence[float]) -> tuple[float, float]:
    """What was found less the middle 95% of the null."""
    known = [v for v in null if not math.isnan(v)]
    if not known:
        return NAN, NAN
    return mean_after - quantile(known, 0.975), mean_after - quantile(known, 0.025)


# How much was tried --------------------------------------------------------------------------------------------------


def variant_returns(sizes: Sequence[float], long: Sequence[float], short: Sequence[float]) -> list[float]:
    """The active return of each session: the size of two closes before times the spread's return."""
    a, b = returns(long), returns(short)
    return [sizes[t - 2] * (a[t] - b[t]) if t >= 2 else 0.0 for t in range(len(long))]


def walk_forward(
    matrix: Sequence[Sequence[float]], first: int = 1260, step: int = 252
) -> tuple[list[int], list[float]]:
    """The variant (a column of returns) held in each step, the best up to the close before last, and what they made."""
    chosen: list[int] = []
    joined: list[float] = []
    for begin in range(first, len(matrix[0]), step):
        ratios = [sharpe(column[: begin - 1]) for column in matrix]
        best = ratios.index(max(ratios))
        chosen.append(best)
        joined.extend(matrix[best][begin : begin + step])
    return chosen, joined


def deflated_sharpe(best_returns: Sequence[float], all_daily_sharpes: Sequence[float]) -> tuple[float, float]:
    """The Sharpe ratio the best of so many would show by luck, and the probability that this one is above it."""
    count, sessions = len(all_daily_sharpes), len(best_returns)
    if count < 2:
        return NAN, NAN
    luck = (1 - float(np.euler_gamma)) * NORMAL.inv_cdf(1 - 1 / count)
    luck += float(np.euler_gamma) * NORMAL.inv_cdf(1 - 1 / (count * math.e))
    threshold = deviation(all_daily_sharpes) * luck
    if sessions < 2 or min(best_returns) == max(best_returns):
        return threshold, NAN
    middle = mean(best_returns)
    second, third, fourth = (mean([(v - middle) ** power for v in best_returns]) for power in (2, 3, 4))
    skew, kurtosis = third / second**1.5, fourth / second**2
    ratio = sharpe(best_returns)
    inside = 1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2
    if inside <= 0:
        return threshold, NAN
    return threshold, NORMAL.cdf((ratio - threshold) * math.sqrt(sessions - 1) / math.sqrt(inside))


def overfitting_probability(matrix: Sequence[Sequence[float]], blocks: int = 16) -> float:
    """The share of halves whose best variant ranks in the lower half in the other half (rows are sessions)."""
    length = len(matrix) // blocks
    kept = np.array(matrix, dtype=float)[len(matrix) - length * blocks :]
    pieces = [kept[i * length : (i + 1) * length] for i in range(blocks)]

    def ratios(which: Sequence[int]) -> list[float]:
        half = np.concatenate([pieces[i] for i in which])
        still = half.min(axis=0) == half.max(axis=0)
        spread = np.where(still, 1.0, half.std(axis=0, ddof=1))
        return [float(v) for v in np.where(still, 0.0, half.mean(axis=0) / spread)]

    overfitted, halves = 0, 0
    for chosen in combinations(range(blocks), blocks // 2):
        inside = ratios(chosen)
        outside = ratios([i for i in range(blocks) if i not in chosen])
        best = inside.index(max(inside))
        lower = sum(1 for v in outside if v < outside[best])
        equal = sum(1 for v in outside if v == outside[best])  # itself included
        rank = lower + (equal + 1) / 2  # 1 is the worst
        w = rank / (len(outside) + 1)
        halves += 1
        overfitted += math.log(w / (1 - w)) <= 0
    return overfitted / halves
