"""The pay-off map: what the overlay makes over a grid of ends of its long and its short index (method M9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alphaoverlay.engine.costs import CashTerms
from alphaoverlay.errors import StudyError
from alphaoverlay.history import FloatArray, History
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.scenarios.closed_form import active_exposures, closed_form
from alphaoverlay.scenarios.ends import carried
from alphaoverlay.scenarios.law import Law


@dataclass(frozen=True)
class PayOff:
    """Excess over the benchmark by benchmark move (B of them), long end (L) and short end (S), neither rebalanced.

    Attributes
    ----------
    long, short : the indices of the two axes.
    base : the index of the benchmark's moves, its largest; None where that is the long or the short one itself, whose
        axis then says it: there is one plane, and `base_returns` is empty.
    long_returns, short_returns, base_returns : simple total returns at the end.
    excess, first_order, convexity : shape (B, L, S), simple returns.
    carry : the excess when nothing moves at zero volatility, which convexity leaves out with the first order.
    """

    long: str
    short: str
    base: str | None
    long_returns: tuple[float, ...]
    short_returns: tuple[float, ...]
    base_returns: tuple[float, ...]
    excess: FloatArray
    first_order: FloatArray
    convexity: FloatArray
    carry: float


def largest_index(portfolio: Portfolio) -> str:
    """Return the index of the largest exposure in size, the first of equals.

    Raises
    ------
    StudyError : the portfolio looks through to none.
    """
    seen = portfolio.exposures
    if not any(seen.values()):
        raise StudyError(
            "the benchmark looks through to no index, so it has no move; name a benchmark with an exposure"
        )
    return max(seen, key=lambda name: abs(seen[name]))


def pay_off(
    portfolio: Portfolio,
    benchmark: Portfolio,
    law: Law,
    horizon: History,
    legs: tuple[str, str],
    long_returns: Sequence[float],
    short_returns: Sequence[float],
    base_returns: Sequence[float],
    terms: CashTerms | None = None,
) -> PayOff:
    """Map the excess by the closed form over end returns; indices without an axis end where it is most likely.

    Parameters
    ----------
    portfolio, benchmark : their funds follow indices of the law.
    law, horizon, terms : as in `closed_form`.
    legs : the long and the short index.
    long_returns, short_returns : of their axes, simple returns above -1.
    base_returns : moves of the benchmark's largest index.

    Raises
    ------
    StudyError : a return of -1 or less, one index for both legs, or an index that the law does not know.
    """
    long, short = legs
    if long == short:
        raise StudyError(f"the pay-off map of {long} against itself has one axis; name two indices")
    base = largest_index(benchmark)
    axes = {long: _axis(long, long_returns), short: _axis(short, short_returns)}
    if base not in axes:
        axes = {base: _axis(base, base_returns), **axes}
    z = _ends(law, axes)
    if base in legs:
        z = z[None]
    excess = _excess(portfolio, benchmark, law, horizon, terms, z)
    active = active_exposures(portfolio, benchmark)
    first = np.asarray(np.expm1(z) @ np.array([active.get(name, 0.0) for name in law.names]))
    carry = float(_excess(portfolio, benchmark, law.times(0.0), horizon, terms, np.zeros(len(law.names))))
    shown = (None, ()) if base in legs else (base, tuple(base_returns))
    ends = (tuple(long_returns), tuple(short_returns), shown[1])
    return PayOff(long, short, shown[0], *ends, excess, first, excess - first - carry, carry)


def _excess(
    portfolio: Portfolio, benchmark: Portfolio, law: Law, horizon: History, terms: CashTerms | None, z: FloatArray
) -> FloatArray:
    own, plain = (closed_form(one, law, horizon, terms) for one in (portfolio, benchmark))
    return own.growth(z) - plain.growth(z)


def _axis(name: str, returns: Sequence[float]) -> FloatArray:
    values = np.asarray(returns, dtype=np.float64)
    if not len(values) or not (values > -1.0).all() or not np.isfinite(values).all():
        raise StudyError(f"the axis of {name} needs simple returns above -1, such as -0.3, 0 and 0.3")
    return np.asarray(np.log1p(values))


def _ends(law: Law, axes: dict[str, FloatArray]) -> FloatArray:
    """Most likely log ends over the grid of the axes, in their order, shape (..., K)."""
    columns = [law.row(name) for name in axes]
    given = np.stack(np.meshgrid(*axes.values(), indexing="ij"), axis=-1)
    z = given @ carried(law, columns).T
    z[..., columns] = given
    return np.asarray(z)
