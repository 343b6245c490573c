"""Distributions over paths: exact where there is room for every path, counted in fine bins beyond (method M10)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alphaoverlay.history import FloatArray

# Up to here every path's figures are kept.
EXACT = 2**21
PERCENTS = (0.01, 0.05, 0.25, 0.50, 0.75, 0.95, 0.99)
CURVE = np.arange(1, 100) / 100.0


@dataclass(frozen=True)
class Estimate:
    """A figure with its standard error, which is that of the number of paths alone.

    Attributes
    ----------
    value, error : None where it is undefined.
    bound : for a share that none or all of the paths came to: the 95% bound on its probability.
    """

    value: float | None
    error: float | None
    bound: float | None = None


@dataclass(frozen=True)
class Distribution:
    """A figure over all paths.

    Attributes
    ----------
    quantiles : by probability.
    mean : of the figure.
    curve : quantiles at 1%, 2%, ... 99%, shape (99,).
    exact : whether the quantiles are order statistics; otherwise they are the middles of bins.
    """

    quantiles: Mapping[float, Estimate]
    mean: Estimate
    curve: FloatArray
    exact: bool


@dataclass(frozen=True)
class Bins:
    """Bins of equal width of a figure on a scale; what lies outside is counted in the outermost.

    Attributes
    ----------
    low, width, size : of the bins, on the scale.
    scale : the figure itself, its logarithm, or `sign(v)*ln(1+|v|)`.
    least, most : of the figure; a bin's middle is not told beyond.
    """

    low: float
    width: float
    size: int
    scale: Literal["plain", "log", "signed log"] = "plain"
    least: float = -math.inf
    most: float = math.inf

    def place(self, values: FloatArray) -> NDArray[np.int64]:
        """Return the bin of each value."""
        seen = values
        if self.scale == "log":
            with np.errstate(divide="ignore"):
                seen = np.log(values)
        elif self.scale == "signed log":
            seen = np.sign(values) * np.log1p(np.abs(values))
        return np.clip(np.floor((seen - self.low) / self.width), 0, self.size - 1).astype(np.int64)

    def middle(self, k: NDArray[np.int64]) -> FloatArray:
        """Return the middle of each bin; the lowest of logarithms stands for nothing left."""
        middles = self.low + (k + 0.5) * self.width
        if self.scale == "log":
            middles = np.where(k == 0, 0.0, np.exp(middles))
        elif self.scale == "signed log":
            middles = np.sign(middles) * np.expm1(np.abs(middles))
        return np.asarray(np.clip(middles, self.least, self.most), dtype=np.float64)


# A tenth of a percent from e^-14 to e^14; hundredths of a percent of a rate; hundredths of a point of a share.
MULTIPLES = Bins(-14.0, 0.001, 28_000, "log")
RATES = Bins(-14.0, 0.0001, 280_000, "signed log")
FALLS = Bins(-1.0, 0.0001, 10_001, least=-1.0, most=0.0)
SHARES = Bins(0.0, 0.0001, 10_001, least=0.0, most=1.0)


def counting(most: int) -> Bins:
    """Return one bin a whole number from 0 to `most`."""
    return Bins(-0.5, 1.0, most + 1)


@dataclass
class Tally:
    """Takes in a figure of all paths, chunk by chunk, in any order.

    Attributes
    ----------
    values : of every path, or None where there are too many.
    counts : by bin, or None.
    sums : by chunk: number, sum and sum of squares.
    """

    bins: Bins
    values: FloatArray | None
    counts: NDArray[np.int64] | None
    sums: dict[int, tuple[int, float, float]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    @classmethod
    def of(cls, paths: int, bins: Bins) -> Tally:
        """Make room for that many paths."""
        if paths <= EXACT:
            return cls(bins, np.empty(paths), None)
        return cls(bins, None, np.zeros(bins.size, dtype=np.int64))

    def put(self, first: int, values: FloatArray) -> None:
        """Take in the figures of the paths from `first` on."""
        summed = (len(values), float(values.sum()), float((values * values).sum()))
        if self.values is not None:
            self.values[first : first + len(values)] = values
        counted = None if self.counts is None else np.bincount(self.bins.place(values), minlength=self.bins.size)
        with self.lock:
            self.sums[first] = summed
            if self.counts is not None and counted is not None:
                self.counts += counted

    def distribution(self) -> Distribution:
        """Return quantiles and mean with their errors; every chunk must be in."""
        ordered = None if self.values is None else np.sort(self.values)
        count = sum(number for number, _, _ in self.sums.values())
        find = self._counted if ordered is None else partial(order_statistics, ordered)
        return Distribution(
            estimate_quantiles(find, PERCENTS, count), self._mean(count), find(CURVE), ordered is not None
        )

    def _counted(self, shares: FloatArray) -> FloatArray:
        """Quantiles from the bins."""
        assert self.counts is not None
        upto = np.cumsum(self.counts)
        rank = np.floor(shares * (upto[-1] - 1)) + 1
        return self.bins.middle(np.searchsorted(upto, rank, side="left").astype(np.int64))

    def _mean(self, count: int) -> Estimate:
        in_order = [self.sums[first] for first in sorted(self.sums)]
        mean = math.fsum(total for _, total, _ in in_order) / count
        if count < 2:
            return Estimate(mean, None)
        squares = math.fsum(square for _, _, square in in_order)
        variance = max(squares - count * mean * mean, 0.0) / (count - 1)
        return Estimate(mean, math.sqrt(variance / count))


def order_statistics(ordered: FloatArray, shares: FloatArray) -> FloatArray:
    """Return quantiles of sorted values, between two of them on a line (numpy's own way, which would sort again)."""
    place = shares * (len(ordered) - 1)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, len(ordered) - 1)
    return np.asarray(ordered[low] + (place - low) * (ordered[high] - ordered[low]))


def estimate_quantiles(
    find: Callable[[FloatArray], FloatArray], shares: Sequence[float], count: float
) -> dict[float, Estimate]:
    """Estimate quantiles with their standard errors (method M10); none where too few values lie beyond.

    Parameters
    ----------
    find : gives the quantiles at some shares.
    shares : which are wanted.
    count : independent values behind them.
    """
    values, errors = quantiles_with_errors(find, np.asarray(shares, dtype=np.float64), count)
    known = [None if np.isnan(error) else float(error) for error in errors]
    return {p: Estimate(float(value), error) for p, value, error in zip(shares, values, known, strict=True)}


def quantiles_with_errors(
    find: Callable[[FloatArray], FloatArray], shares: FloatArray, count: float
) -> tuple[FloatArray, FloatArray]:
    """Return what `find` gives at some shares, along its last axis, and standard errors; NaN where there is none.

    `find` and `count` are as in `estimate_quantiles`; it is asked once.
    """
    around = np.sqrt(shares * (1.0 - shares) / count)
    asked = np.clip(np.concatenate([shares, shares - around, shares + around]), 0.0, 1.0)
    values, low, high = np.split(find(asked), 3, axis=-1)
    # So far out there is nothing on the other side to measure by.
    told = (shares - around >= 0.0) & (shares + around <= 1.0) & (count > 1.0)
    return values, np.where(told, (high - low) / 2.0, np.nan)


def share_of(hits: int, paths: int) -> Estimate:
    """Estimate a probability from the paths that did something; a bound where none or all of them did."""
    share = hits / paths
    if hits in (0, paths):
        least = 1.0 - 0.05 ** (1.0 / paths)
        return Estimate(share, None, least if hits == 0 else 1.0 - least)
    return Estimate(share, math.sqrt(share * (1.0 - share) / paths))
