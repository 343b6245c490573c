"""`benchmark`: a symbol, or a table of weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from alphaoverlay.funds.ticker import canonical_symbol
from alphaoverlay.study.weights import as_fractions


def _benchmark(value: Any) -> Mapping[str, float]:
    if isinstance(value, str):
        if not value.strip():
            raise ValueError('write a symbol, such as "SPY"')
        return {canonical_symbol(value): 1.0}
    return as_fractions(value)


Benchmark = Annotated[dict[str, float], BeforeValidator(_benchmark)]
