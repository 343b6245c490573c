"""`[base]` and `[overlay]`: exposures by index, in multiples of capital."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from alphaoverlay.study.tables import numbers

LARGEST = 10.0


def _exposures(values: Any) -> Mapping[str, float]:
    read = numbers(values)
    for name, value in read.items():
        if abs(value) > LARGEST:
            raise ValueError(
                f"{name} = {value:g} is more than {LARGEST:g} times the capital; exposures are multiples: 30% is 0.3"
            )
    return read


Exposures = Annotated[dict[str, float], BeforeValidator(_exposures)]
