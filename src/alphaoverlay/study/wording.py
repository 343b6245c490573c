"""Portfolios and rules in words."""

from __future__ import annotations

from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.history import counted
from alphaoverlay.overlays.portfolio import Portfolio

ADVERBS = {"semiannual": "twice a year", "annual": "once a year"}


def portfolio_name(portfolio: Portfolio) -> str:
    """Write a portfolio as "70% SPY, 30% IWM"."""
    held = [f"{100.0 * w:.4g}% {symbol}" for symbol, w in portfolio.by_symbol.items()]
    return ", ".join([*held, *([f"{100.0 * portfolio.cash:.4g}% cash"] if portfolio.cash else [])])


def manner(rule: RebalancingRule) -> str:
    """Say how a rule trades, such as "rebalanced quarterly, and when exposure is off by 5 points"."""
    dates = rule.calendar
    early = f", {counted(dates.offset, 'session')} before the period's end" if dates.offset else ""
    said = "" if dates.calendar == "never" else f"rebalanced {ADVERBS.get(dates.calendar, dates.calendar)}{early}"
    if rule.tranches > 1:
        said += f" in {rule.tranches} tranches"
    if rule.bands:
        bands = " or ".join(str(band) for band in rule.bands)
        said = f"{said}, and when {bands}" if said else f"rebalanced when {bands}"
        if rule.check.calendar != "daily":
            said += f", looked at {ADVERBS.get(rule.check.calendar, rule.check.calendar)}"
    if not said:
        return "never rebalanced"
    apart = f", at least {counted(rule.minimum_interval, 'session')} apart" if rule.minimum_interval > 1 else ""
    later = f", traded {counted(rule.lag, 'session')} later" if rule.lag else ""
    return f"{said}{apart}{later}"
