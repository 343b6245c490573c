"""Legs sized by exposure as written, to zero beta against the base, or to a target active volatility (method M4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from alphaoverlay.errors import DesignError
from alphaoverlay.overlays.overlay import Overlay
from alphaoverlay.overlays.risk import Covariance

# Weight of the estimate against 1, the beta that an equity index has to the market before one looks.
BETA_SHRINKAGE = 2.0 / 3.0


@dataclass(frozen=True)
class LegSizing:
    """How the legs' sizes are to be read.

    Attributes
    ----------
    kind : "exposure" takes them as written; "beta" keeps the long legs and scales the short ones until the legs have
        no beta against the base; "volatility" scales all legs until they have `target` active volatility a year.
    target : yearly volatility as a fraction, for "volatility" only.
    window : trailing sessions of the estimate.
    """

    kind: Literal["exposure", "beta", "volatility"] = "exposure"
    target: float | None = None
    window: int = 756

    def apply(self, overlay: Overlay, covariance: Covariance | None) -> tuple[Overlay, str]:
        """Return the sized overlay and a sentence that states the estimate used (empty for "exposure").

        Raises
        ------
        DesignError : the legs have no long or no short side, no base to be neutral to, or no risk to scale.
        """
        if self.kind == "exposure":
            return overlay, ""
        assert covariance is not None  # the caller estimates it for the two other kinds
        if self.kind == "beta":
            return self._zero_beta(overlay, covariance)
        return self._target_volatility(overlay, covariance)

    def _zero_beta(self, overlay: Overlay, covariance: Covariance) -> tuple[Overlay, str]:
        if not any(overlay.base.values()):
            raise DesignError('sizing to zero beta needs a [base]; add one, or write kind = "exposure"')
        betas = {
            name: BETA_SHRINKAGE * covariance.beta(name, overlay.base) + (1.0 - BETA_SHRINKAGE) for name in overlay.legs
        }
        longs = sum(x * betas[name] for name, x in overlay.legs.items() if x > 0.0)
        shorts = -sum(x * betas[name] for name, x in overlay.legs.items() if x < 0.0)
        if longs <= 0.0 or shorts <= 0.0:
            raise DesignError('sizing to zero beta needs long and short legs; add one, or write kind = "exposure"')
        factor = longs / shorts
        sized = overlay.scaled({name: factor for name, x in overlay.legs.items() if x < 0.0})
        seen = ", ".join(f"{name} {beta:.2f}" for name, beta in betas.items())
        return sized, (
            f"Short legs scaled by {factor:.3f} for zero beta; betas to the base, shrunk by a third towards 1, from "
            f"{covariance.sessions} sessions to {covariance.last}: {seen}."
        )

    def _target_volatility(self, overlay: Overlay, covariance: Covariance) -> tuple[Overlay, str]:
        now = covariance.volatility(overlay.legs)
        if self.target is None or now == 0.0:
            raise DesignError("sizing to a volatility needs a target and legs that move; write target = 0.05")
        factor = self.target / now
        return overlay.scaled(dict.fromkeys(overlay.legs, factor)), (
            f"Legs scaled by {factor:.3f} to {self.target:.1%} active volatility, estimated from "
            f"{covariance.sessions} sessions to {covariance.last}."
        )
