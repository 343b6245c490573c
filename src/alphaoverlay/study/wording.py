"""Portfolios and rules in words."""

from __future__ import annotations

from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.overlays.portfolio import Portfolio

ADVERBS = {"semiannual": "twice a year", "annual": "once a year"}


def portfolio_name(portfolio: Portfolio) -> str:
    """Write a portfolio as "70% SPY, 30% IWM"."""
    held = [f"{100.0 * w:.4g}% {symbol}" for symbol, w in portfolio.by_symbol.items()]
    return ", ".join([*held, *([f"{100.0 * portfolio.cash:.4g}% cash"] if portfolio.cash else [])])


def manner(rule: RebalancingRule) -> str:
    """Say how a rule trades, such as "rebalanced quarterly, and when exposure is off by 5 points"."""
    dates = rule.calendar
    early = f", {sessions_told(dates.offset)} before the period's end" if dates.offset else ""
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
    apart = f", at least {sessions_told(rule.minimum_interval)} apart" if rule.minimum_interval > 1 else ""
    return f"{said}{apart}{f', traded {sessions_told(rule.lag)} later' if rule.lag else ''}"


def sessions_told(number: int) -> str:
    """Write "1 session" or "2 sessions"."""
    return f"{number} {'session' if number == 1 else 'sessions'}"
