"""`[funds]`: which funds a design may use, where their terms are, and whether synthetic returns are allowed."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from alphaoverlay.funds.ticker import canonical_symbol
from alphaoverlay.study.tables import StudyTable


def _symbols(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or not value or not all(isinstance(v, str) and v.strip() for v in value):
        raise ValueError('write a list of symbols, such as ["SPY", "UPRO"]')
    return tuple(dict.fromkeys(canonical_symbol(v) for v in value))


class FundsTable(StudyTable):
    """`allow` none: every listed fund of the catalogue; `file` is read relative to the study."""

    allow: Annotated[tuple[str, ...] | None, BeforeValidator(_symbols)] = Field(None, examples=['["SPY", "UPRO"]'])
    file: str | None = Field(None, min_length=1, examples=['"my-funds.toml"'])
    synthetic: bool = Field(True, examples=["false"])
