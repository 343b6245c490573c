"""`[weights]`: capital by symbol, as fractions or as percent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from alphaoverlay.engine.targets import MOST
from alphaoverlay.study.tables import numbers

# Plain numbers that add up to less than this are fractions, others percent.
LEAST_PERCENT = 10.0


def as_fractions(values: Any) -> Mapping[str, float]:
    """Read weights as fractions of capital; what is missing to the whole is cash, what is above it is borrowed.

    Raises
    ------
    ValueError : nothing held, a negative weight, more than ten times the capital, or % signs on some only.
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
    # The study refuses a sum above 1 that nobody is paid for lending.
    unit = 1.0 if all(signed) or total < LEAST_PERCENT else 100.0
    if total > MOST * unit:
        raise ValueError(f"the weights add up to {total / unit:g} times the capital, more than {MOST:g}; lower them")
    return {name: round(value / unit, 12) for name, value in read.items() if value}


Weights = Annotated[dict[str, float], BeforeValidator(as_fractions)]
