"""Moves of a price that are none: splits that were missed, wrong prices, and prices that stand still."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphaoverlay.history import FloatArray, PriceSeries, runs
from alphaoverlay.market.findings import Hit, hit, some_days

# A jump of this factor that stays is no day's return: a 2-for-1 split on a day of 10%, or more. Real funds of three
# times an index came to 1.6 (-37% in March 2020).
SPLIT_LEAST = 1.8
# Splits that exchanges see; a factor this near to one of them is called by its name.
SPLITS, SPLIT_SLACK = (2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100), 0.10
# A split that the source itself states, from this factor on, is looked for in the price, give or take this part of it.
STATED_LEAST, STATED_SLACK = 1.2, 0.25
# A price that jumps by this factor and is back the next session, but for this part of the jump, was a wrong one.
SPIKE, SPIKE_LEFT = 1.5, 0.25
# So was one that jumps by less, but by this many times what the sessions around it usually moved: real indices and
# funds since 1970 came to 12 times (13 October 1989), and to 8 where it was undone.
CALM_TIMES, AROUND, SPIKE_AMONG_CALM = 15.0, 21, 1.05
# Such a jump that stays is worth a word from this factor on: a 3-for-2 split looks so.
JUMP_AMONG_CALM = 1.2
# Sessions in a row at one price that are worth a word, and that stop a study; for prices that usually move this much.
STILL, STILL_SERIOUS, USUALLY_MOVES = 5, 10, 0.001
# A price whose unit of rounding is more than this part of its usual move may stand still by rounding alone.
STILL_GRAIN = 2.0 / 3.0
# Decimals that a price may have, and how well a vendor's numbers hold them.
FINEST, SINGLE_PRECISION = 10, 1e-7

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Moves:
    """How the price moved from each row with one to the next such row; a value each, but one more row.

    Attributes
    ----------
    rows : positions of rows with a price.
    log, size : logarithm of the ratio of closes, or of adjusted closes where a close is unknown; without its sign.
    far, calm : too large not to be looked at; many times as large as those around it, distributions left aside.
    wrong, stays : far, and undone by the next; neither that nor the way back from it.
    end : the first or the last.
    """

    rows: NDArray[np.intp]
    log: FloatArray
    size: FloatArray
    calm: Mask
    far: Mask
    wrong: Mask
    stays: Mask
    end: Mask


def moves_of(frame: pd.DataFrame) -> Moves:
    prices = frame[["close", "adj_close"]]
    logs = np.log(prices.where((prices > 0.0) & ~np.isinf(prices)).to_numpy(dtype=np.float64))
    rows = np.flatnonzero(np.isfinite(logs).any(axis=1))
    close, adjusted = np.diff(logs[rows], axis=0).T
    log = np.where(np.isfinite(close), close, adjusted)
    size = np.abs(log)
    moved = size[size > 0.0]
    around = pd.Series(size).rolling(AROUND, center=True, min_periods=AROUND // 2).median().to_numpy()
    usual = np.fmax(around, np.median(moved)) if len(moved) else around
    far = (size > np.log(SPIKE)) | ((size > np.log(SPIKE_AMONG_CALM)) & (size > CALM_TIMES * usual))
    smaller = np.fmin(size, np.abs(adjusted))
    calm = (smaller > np.log(JUMP_AMONG_CALM)) & (smaller > CALM_TIMES * usual)
    wrong = far & (np.abs(log + np.append(log[1:], np.nan)[: len(log)]) <= SPIKE_LEFT * size)
    stays = ~wrong & ~np.append(False, wrong)[: len(log)]
    end = np.isin(np.arange(len(log)), (0, len(log) - 1))
    return Moves(rows, log, size, calm, far, wrong, stays, end)


def splits(series: PriceSeries, moves: Moves) -> list[Hit]:
    """Jumps that stay, and such that the source states a split for."""
    odd = (moves.size >= np.log(SPLIT_LEAST)) & moves.stays
    if "split" in series.frame:
        split = series.frame["split"].to_numpy(dtype=np.float64)[moves.rows[1:]]
        stated = np.log(np.where(split > 0.0, split, 1.0))
        odd |= (np.abs(stated) >= np.log(STATED_LEAST)) & (np.abs(moves.log + stated) <= STATED_SLACK * np.abs(stated))

    def say(days: pd.DatetimeIndex) -> str:
        factor = _factor(series, moves, days[0])
        size = max(factor, 1.0 / factor)
        nearest = min(SPLITS, key=lambda split: abs(np.log(size / split)))
        kind = f"a 1-for-{nearest} reverse split" if factor > 1.0 else f"a {nearest}-for-1 split"
        return (
            f"{_jumped(series, moves, days)}, as by {kind if abs(size / nearest - 1.0) <= SPLIT_SLACK else 'a split'} "
            "that it is not adjusted for. Adjust the prices before it, or take another source"
        )

    def unlike(days: pd.DatetimeIndex) -> str:
        return (
            f"{_jumped(series, moves, days)}, unlike anything around it. A 3-for-2 split that it is not adjusted for "
            "looks so: look it up"
        )

    calm = moves.calm & moves.stays & ~odd & ~moves.end
    return [
        hit(series, "split-like-jump", _days(series, moves, odd), say),
        hit(series, "split-like-jump", _days(series, moves, calm), unlike, "warning"),
    ]


def spikes(series: PriceSeries, moves: Moves) -> list[Hit]:
    def say(days: pd.DatetimeIndex) -> str:
        return (
            f"{_jumped(series, moves, days)}, and was back the next session: a wrong price. Correct it, or take "
            "another source"
        )

    def at_end(days: pd.DatetimeIndex) -> str:
        return (
            f"{_jumped(series, moves, days)}, at an end of the data, where no other session tells whether it was a "
            "wrong price. Look it up"
        )

    ends = _days(series, moves, moves.end & moves.far & moves.stays & (moves.size < np.log(SPLIT_LEAST)))
    wrong = _days(series, moves, moves.wrong)
    return [hit(series, "spike", wrong, say), hit(series, "spike", ends, at_end, "warning")]


def standing_still(series: PriceSeries, moves: Moves, since: pd.Timestamp | None) -> list[Hit]:
    """Prices that stand still for long; if into the asked span, they are found before its beginning and in it."""
    moved = np.abs(moves.log[np.abs(moves.log) > 0.0])
    usual = float(np.median(moved)) if len(moved) else 0.0
    never = not len(moved) and series.frame["adj_close"].nunique() <= 1
    if usual <= USUALLY_MOVES and not never:
        return []
    own, close, adjusted = pd.DatetimeIndex(series.frame.index), *closes_of(series.frame)
    grain = np.where(np.isfinite(close), unit_of(close) / close, unit_of(adjusted) / adjusted)[moves.rows]
    lengths, short = dict[pd.Timestamp, int](), set[pd.Timestamp]()
    for first, last in runs(moves.log == 0.0):
        n = last - first + 2
        if n < STILL or (grain[first] > STILL_GRAIN * usual and not never):
            continue
        days = own[moves.rows[first : last + 2]]
        found = {days[0]} if since is None else {days[0], *days[days >= since][:1]}
        lengths.update(dict.fromkeys(sorted(found), n))
        short |= found if n < STILL_SERIOUS or never else set()

    def say(days: pd.DatetimeIndex) -> str:
        longest = ", at the longest," if len(days) > 1 else ""
        if never:
            return f": the price of {series.symbol} never moves. Take another source if it should"
        return (
            f": the price of {series.symbol} stood still for {max(lengths[d] for d in days)} sessions in a row"
            f"{longest} from {some_days(days)}: it is old. Take another source"
        )

    long, few = pd.DatetimeIndex([day for day in lengths if day not in short]), pd.DatetimeIndex(sorted(short))
    return [hit(series, "stale", long, say), hit(series, "stale", few, say, "warning")]


def _days(series: PriceSeries, moves: Moves, mask: Mask) -> pd.DatetimeIndex:
    """Days on which the moves of a mask ended."""
    return pd.DatetimeIndex(series.frame.index[moves.rows[1:][mask]])


def _factor(series: PriceSeries, moves: Moves, day: pd.Timestamp) -> float:
    """By what the price was multiplied on a day."""
    row = int(pd.DatetimeIndex(series.frame.index).searchsorted(day))
    return float(np.exp(np.clip(moves.log[int(moves.rows.searchsorted(row)) - 1], -700.0, 700.0)))


def _jumped(series: PriceSeries, moves: Moves, days: pd.DatetimeIndex) -> str:
    factor = _factor(series, moves, days[0])
    return f": the price of {series.symbol} jumped by a factor of {factor:.3g} on {some_days(days)}"


def closes_of(frame: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    return frame["close"].to_numpy(dtype=np.float64), frame["adj_close"].to_numpy(dtype=np.float64)


def unit_of(prices: FloatArray) -> float:
    """The unit that prices are rounded to, in single precision or better."""
    known = prices[np.isfinite(prices)]
    for places in range(FINEST):
        scaled = known * 10.0**places
        if (np.abs(scaled - np.round(scaled)) <= SINGLE_PRECISION * np.abs(scaled)).all():
            return float(10.0**-places)
    return float(10.0**-FINEST)
