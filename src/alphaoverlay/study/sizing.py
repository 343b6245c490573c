"""`[sizing]`: how the sizes of the overlay's legs are to be read."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from alphaoverlay.overlays.leg_sizing import LegSizing
from alphaoverlay.overlays.risk import FEWEST, WINDOW
from alphaoverlay.study.tables import StudyTable


class SizingTable(StudyTable):
    """Exposure as written, zero beta against the base, or a target active volatility."""

    kind: Literal["exposure", "beta", "volatility"] = Field("exposure", examples=['"exposure"'])
    target: float | None = Field(None, gt=0.0, le=1.0, examples=["0.05"])
    window: int = Field(WINDOW, ge=FEWEST, le=5000, examples=["756"])

    @model_validator(mode="after")
    def _target_belongs_to_volatility(self) -> SizingTable:
        if (self.target is not None) != (self.kind == "volatility"):
            raise ValueError('target = 0.05 and kind = "volatility" go together')
        return self

    def build(self) -> LegSizing:
        """Return the sizing."""
        return LegSizing(self.kind, self.target, self.window)
