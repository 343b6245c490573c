"""Tolerances around the target of a measure of the weights (method M7)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from alphaoverlay.engine.plan import BandArrays
from alphaoverlay.errors import StudyError
from alphaoverlay.funds.fund import Fund
from alphaoverlay.history import FloatArray
from alphaoverlay.overlays.portfolio import exposure_matrix, indices_of

BandMeasure = Literal["weight", "exposure", "net", "gross", "active"]
MEASURES: tuple[BandMeasure, ...] = get_args(BandMeasure)
TARGET, EDGE = 1.0, 0.0
_IN_WORDS = {
    "weight": "a weight",
    "exposure": "an exposure",
    "net": "the net exposure",
    "gross": "the gross exposure",
    "active": "the active exposure",
}


@dataclass(frozen=True)
class Band:
    """How far a measure may go from its target before a trade.

    Attributes
    ----------
    on : a fund's weight, an index's exposure, or the net, gross or active exposure (method M3).
    below, above : how far, in multiples of capital, or as shares of the target's size; 0 is no tolerance.
    kind : "absolute" or "relative".
    only : the funds (weight) or indices (exposure) that it holds for; all of the portfolio's where empty.
    destination : how far a breach is traded back: 0 to the band's edge, 1 to the target, between them part of the way.
    """

    on: BandMeasure
    below: float
    above: float
    kind: Literal["absolute", "relative"] = "absolute"
    only: tuple[str, ...] = ()
    destination: float = TARGET

    @classmethod
    def of(cls, on: BandMeasure, size: float, *, destination: float = TARGET) -> Band:
        """An absolute band of the same size below and above."""
        return cls(on, size, size, destination=destination)

    def __str__(self) -> str:
        unit = "% of the target" if self.kind == "relative" else " points"
        down, up = (f"{100.0 * size:g}" for size in (self.below, self.above))
        size = f"{down}{unit}" if self.below == self.above else f"{down} below or {up}{unit} above"
        what = f"the {self.on} of {', '.join(self.only)}" if self.only else _IN_WORDS[self.on]
        where = {TARGET: "", EDGE: ", to the band's edge"}.get(self.destination, ", part of the way back")
        return f"{what} is off by {size}{where}"


@dataclass(frozen=True)
class Measure:
    """One line of a compiled band: which band it belongs to, and what it looks at, such as "exposure RUSSELL2000"."""

    band: Band
    name: str


def band_measures(bands: Sequence[Band], funds: Sequence[Fund]) -> tuple[Measure, ...]:
    """Return what each band looks at in a portfolio of these funds, in the order of the compiled rows.

    Raises
    ------
    StudyError : a size, destination or name that makes no sense; says which.
    """
    found = []
    for band in bands:
        _check(band)
        known = [fund.symbol for fund in funds] if band.on == "weight" else list(indices_of(funds))
        if band.on in ("net", "gross", "active"):
            found.append(Measure(band, band.on))
            continue
        if missing := [name for name in band.only if name not in known]:
            what = "fund" if band.on == "weight" else "index"
            raise StudyError(
                f"band.only: no {what} {', '.join(missing)} in the portfolio; it has {', '.join(known) or 'none'}"
            )
        found += [Measure(band, f"{band.on} {name}") for name in known if not band.only or name in band.only]
    return tuple(found)


def bands_that_apply(
    bands: Sequence[Band], funds: Sequence[Fund], targets: FloatArray, benchmark: Mapping[str, float]
) -> tuple[Band, ...]:
    """Return the part of the bands that means something for another portfolio, such as the benchmark.

    A fund or index that it does not hold is left out, and so is a share of a target of 0.
    """
    kept = []
    for band in bands:
        known = [fund.symbol for fund in funds] if band.on == "weight" else list(indices_of(funds))
        named = band.on in ("weight", "exposure")
        for one in [replace(band, only=(name,)) for name in known] if named else [band]:
            if named and band.only and one.only[0] not in band.only:
                continue
            try:
                compile_bands([one], funds, targets, benchmark)
            except StudyError:
                continue
            kept.append(one)
    return tuple(kept)


def compile_bands(
    bands: Sequence[Band], funds: Sequence[Fund], targets: FloatArray, benchmark: Mapping[str, float]
) -> BandArrays:
    """Turn bands into rows for the kernels.

    Parameters
    ----------
    bands : what is watched.
    funds : the m funds.
    targets : distinct target weights, shape (r, m).
    benchmark : look-through of the benchmark's target weights, for "active".

    Raises
    ------
    StudyError : as `band_measures`, or a band relative to a target of 0.
    """
    measures = band_measures(bands, funds)
    names = list(dict.fromkeys([*indices_of(funds), *benchmark]))
    matrix = exposure_matrix(funds, names)
    rows = np.zeros((len(measures), len(funds)))
    base = np.zeros((len(measures), len(names)))
    for k, one in enumerate(measures):
        match one.band.on:
            case "weight":
                rows[k, [fund.symbol for fund in funds].index(one.name.removeprefix("weight "))] = 1.0
            case "exposure":
                rows[k] = matrix[names.index(one.name.removeprefix("exposure "))]
            case "net":
                rows[k] = matrix.sum(axis=0)
            case "active":
                base[k] = [benchmark.get(name, 0.0) for name in names]
    curved = np.array([one.band.on in ("gross", "active") for one in measures], dtype=np.int64)
    each = [one.band for one in measures]
    arrays = BandArrays(
        coefficients=rows,
        curved=curved,
        matrix=matrix,
        base=base,
        relative=np.array([band.kind == "relative" for band in each], dtype=np.int64),
        below=np.array([band.below for band in each]),
        above=np.array([band.above for band in each]),
        destination=np.array([band.destination for band in each]),
    )
    _refuse_shares_of_nothing(measures, arrays, targets)
    return arrays


def measure_values(arrays: BandArrays, weights: FloatArray) -> FloatArray:
    """Return every measure at every row of weights, shape (n, b) from (n, m)."""
    linear = weights @ arrays.coefficients.T
    terms = (weights @ arrays.matrix.T)[:, None, :] - arrays.base[None, :, :]
    return np.where(arrays.curved == 1, np.abs(terms).sum(axis=2), linear)


def _check(band: Band) -> None:
    if band.on not in MEASURES:
        raise StudyError(f"band.on = {band.on!r}: write one of {', '.join(MEASURES)}")
    for size in (band.below, band.above):
        # An endless band is one that never breaks.
        if math.isnan(size) or size < 0.0:
            raise StudyError(f"band.size = {size}: write 0 or more, such as 0.05 for 5 points")
    if not 0.0 <= band.destination <= 1.0:
        raise StudyError(f"band.destination = {band.destination}: write 0 (the edge) to 1 (the target)")
    if band.only and band.on not in ("weight", "exposure"):
        raise StudyError(f"band.only has no meaning on {band.on}; leave it out")


def _refuse_shares_of_nothing(measures: Sequence[Measure], arrays: BandArrays, targets: FloatArray) -> None:
    values = measure_values(arrays, targets)
    for k, one in enumerate(measures):
        if one.band.kind == "relative" and (np.abs(values[:, k]) < 1e-12).any():
            among = ', or name the others with only = ["..."]' if one.band.on in ("weight", "exposure") else ""
            raise StudyError(
                f'band on {one.name}: its target is 0, of which there is no share; write kind = "absolute"{among}'
            )
