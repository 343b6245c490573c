"""`[weights]`: capital by symbol, as fractions or as percent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from alphaoverlay.study.tables import numbers


def as_fractions(values: Any) -> Mapping[str, float]:
    """Read weights: fractions where all are at most 1, percent where one is larger; the rest is cash.

    Raises
    ------
    ValueError : nothing held, a negative weight, or more than all of the capital.
    """
    read = numbers(values)
    if not read or not any(read.values()):
        raise ValueError("no weight; write at least one, such as SPY = 0.7")
    percent = any(value > 1.0 for value in read.values())
    unit = 100.0 if percent else 1.0
    for name, value in read.items():
        if value < 0.0:
            raise ValueError(f"{name} = {value:g} is negative; for a short position hold an inverse fund, such as SQQQ")
    total = sum(read.values())
    if total > unit * (1.0 + 1e-9):
        shown = f"{total:g}%" if percent else f"{total:g}"
        whole = "100" if percent else "1"
        raise ValueError(
            f"the weights add up to {shown}, more than {whole}; lower them (what is missing to {whole} is held in cash)"
        )
    return {name: round(value / unit, 12) for name, value in read.items() if value}


Weights = Annotated[dict[str, float], BeforeValidator(as_fractions)]
