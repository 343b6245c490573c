"""`[weights]`: capital by symbol, as fractions or as percent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from alphaoverlay.study.tables import numbers

# Plain numbers that add up to at most 1 are fractions, to at least this much are percent; between, nobody can tell.
LEAST_PERCENT = 10.0
SLACK = 1e-9


def as_fractions(values: Any) -> Mapping[str, float]:
    """Read weights as fractions of capital; what is missing to the whole is cash.

    Raises
    ------
    ValueError : nothing held, a negative weight, more than all of the capital, or a sum that could mean either unit.
    """
    read = numbers(values)
    if not read or not any(read.values()):
        raise ValueError("no weight; write at least one, such as SPY = 0.7")
    for name, value in read.items():
        if value < 0.0:
            raise ValueError(f"{name} = {value:g} is negative; for a short position hold an inverse fund, such as SQQQ")
    signed = [isinstance(value, str) and value.strip().endswith("%") for value in values.values()]
    if any(signed) and not all(signed):
        raise ValueError("some weights have a % sign and some have none; write it on all of them or on none")
    total = sum(read.values())
    if all(signed) or total <= 1.0 + SLACK:
        unit = 1.0
    elif total < LEAST_PERCENT:
        raise ValueError(
            f"the weights add up to {total:g}, more than 1; lower them (what is missing to 1 is held in cash), or "
            "write percent signs if percent is meant"
        )
    else:
        unit = 100.0
    if total > unit * (1.0 + SLACK):
        raise ValueError(
            f"the weights add up to {100.0 * total / unit:g}%, more than 100%; lower them (what is missing to 100% is "
            "held in cash)"
        )
    return {name: round(value / unit, 12) for name, value in read.items() if value}


Weights = Annotated[dict[str, float], BeforeValidator(as_fractions)]
