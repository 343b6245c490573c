"""What a portfolio costs a year when every index stands still, by part."""

from __future__ import annotations

from dataclasses import dataclass

from alphaoverlay.overlays.portfolio import Portfolio


@dataclass(frozen=True)
class Carry:
    """Yearly fractions of capital; negative is a cost.

    Attributes
    ----------
    expense : minus the funds' expense ratios.
    spread : minus what leveraged and inverse funds pay above the financing rate, and cash's own spread.
    financing : minus the financing rate on borrowed exposure (an inverse fund earns it).
    cash : the financing rate on the part of capital in cash.
    """

    expense: float
    spread: float
    financing: float
    cash: float

    @property
    def total(self) -> float:
        """Sum of the parts."""
        return self.expense + self.spread + self.financing + self.cash

    def __sub__(self, other: Carry) -> Carry:
        return Carry(
            self.expense - other.expense,
            self.spread - other.spread,
            self.financing - other.financing,
            self.cash - other.cash,
        )


def yearly_carry(portfolio: Portfolio, rate: float, lending: float = 0.0, borrowing: float = 0.0) -> Carry:
    """Split the yearly carry of a portfolio at a financing rate (method M4).

    Parameters
    ----------
    rate : the financing rate.
    lending, borrowing : what cash earns below it, and what borrowed cash costs above it; part of the spread.

    Volatility drag is not part of it: it depends on how the indices move.
    """
    held = list(zip(portfolio.funds, portfolio.weights, strict=True))
    cash = portfolio.cash
    below = lending * cash if cash >= 0.0 else -borrowing * cash
    # 0.0 - x and not -x: a part of nothing reads 0, not -0.
    return Carry(
        expense=0.0 - sum(w * fund.yearly_expense for fund, w in held),
        spread=0.0 - sum(w * fund.financing_spread for fund, w in held) - below,
        financing=0.0 - round(sum(w * fund.borrowed for fund, w in held), 12) * rate,
        cash=cash * rate,
    )
