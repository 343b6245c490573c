"""What trading costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alphaoverlay.errors import StudyError
from alphaoverlay.history import FloatArray


@dataclass(frozen=True)
class TradingCosts:
    """Proportional costs of a trade.

    Attributes
    ----------
    half_spread_bps : half the bid-ask spread in hundredths of a percent of each trade's value, both ways. Zero is a
        choice, and said so in every table.
    """

    half_spread_bps: float = 0.0

    def half_spreads(self, symbols: Sequence[str]) -> FloatArray:
        """Half-spread of each fund as a fraction.

        Raises
        ------
        StudyError : outside 0 to 1,000 basis points.
        """
        if not 0.0 <= self.half_spread_bps <= 1000.0:
            raise StudyError(f"costs.half_spread_bps = {self.half_spread_bps}: write basis points from 0 to 1000")
        return np.full(len(symbols), self.half_spread_bps / 10_000.0)
