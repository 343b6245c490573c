"""What an index is expected to earn on the paths: the history's mean, nothing, or a stated yearly return (method M10).

One definition for every generator. A stated return m means that the expected growth of a session is
`(1+m)^(1/252)`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np

from alphaoverlay.errors import StudyError, did_you_mean
from alphaoverlay.history import FloatArray
from alphaoverlay.overlays.risk import SESSIONS_A_YEAR

Mean = Literal["historical", "zero"] | float | Mapping[str, float]


def stated_returns(names: tuple[str, ...], mean: Mean) -> dict[str, float | None]:
    """Return the yearly return stated for each index; None where the history's mean is left.

    Parameters
    ----------
    mean : "historical", "zero", one yearly return for all indices as a fraction, or yearly returns by index; an index
        that is not among these keeps the history's mean.

    Raises
    ------
    StudyError : another word, an index that is not on the paths, or a return that is none.
    """
    if isinstance(mean, str):
        if mean not in ("historical", "zero"):
            near = did_you_mean(mean, ("historical", "zero"))
            raise StudyError(f"mean = {mean!r}: write historical, zero, or a yearly return such as 0.05.{near}")
        return dict.fromkeys(names, None if mean == "historical" else 0.0)
    if isinstance(mean, Mapping):
        for name in mean:
            if name not in names:
                near = did_you_mean(name, names)
                raise StudyError(f"mean.{name}: no such index on the paths; they are of {', '.join(names)}.{near}")
        return {name: _checked(f"mean.{name}", mean[name]) if name in mean else None for name in names}
    return dict.fromkeys(names, _checked("mean", mean))


def _checked(place: str, value: float) -> float:
    if not -1.0 < value <= 1.0:  # also refuses NaN
        raise StudyError(f"{place} = {value}: write a yearly return as a fraction above -1 and up to 1, 0.05 for 5%")
    return float(value)


def gross_factors(names: tuple[str, ...], returns: FloatArray, mean: Mean) -> FloatArray:
    """Return what every gross return is multiplied by, shape (K,), so that their mean is exactly the stated growth."""
    stated = stated_returns(names, mean)
    average = 1.0 + returns.mean(axis=0)
    growth = [math.nan if stated[name] is None else _growth(stated[name]) for name in names]
    return np.asarray(np.where(np.isnan(growth), 1.0, np.array(growth) / average))


def log_drifts(names: tuple[str, ...], average: FloatArray, variance: FloatArray, mean: Mean) -> FloatArray:
    """Return the daily log drift of a model, shape (K,).

    Parameters
    ----------
    average : the history's mean daily log return, shape (K,).
    variance : the model's daily variance of log returns, shape (K,).
    """
    stated = stated_returns(names, mean)
    drifts = [
        average[k] if stated[name] is None else math.log(_growth(stated[name])) - 0.5 * variance[k]
        for k, name in enumerate(names)
    ]
    return np.array(drifts, dtype=np.float64)


def _growth(yearly: float | None) -> float:
    """Growth of a session for a stated yearly return."""
    assert yearly is not None
    return float((1.0 + yearly) ** (1.0 / SESSIONS_A_YEAR))
