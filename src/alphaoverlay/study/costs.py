"""`[costs]`: what trading costs."""

from __future__ import annotations

from pydantic import Field

from alphaoverlay.engine.costs import TradingCosts
from alphaoverlay.study.tables import StudyTable


class CostsTable(StudyTable):
    """Half the bid-ask spread, in basis points of each trade."""

    half_spread_bps: float = Field(0.0, ge=0.0, le=1000.0, examples=["2.0"])

    def build(self) -> TradingCosts:
        """Return the costs."""
        return TradingCosts(self.half_spread_bps)
