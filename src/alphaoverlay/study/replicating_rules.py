"""Statements A11 and A15 of the founding case: how often to rebalance, and the plain alternative."""

from __future__ import annotations

import numpy as np

from alphaoverlay.engine.backtesting import Backtest
from alphaoverlay.errors import SpanError
from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.market.source import Source
from alphaoverlay.study.alternatives import Alternative, compare_alternatives
from alphaoverlay.study.load import study_from
from alphaoverlay.study.run import StudyResult, run_study
from alphaoverlay.study.the_case import ASOF, TRADE_EXPOSURES, TRADE_FROM, the_trade

RARER = ("semiannual", "annual", "never")
FREQUENT = ("quarterly", "monthly", "weekly")
# Half a leg, and one close in twenty.
HALF_A_LEG, SELDOM = 0.15, 0.05
LEG = 0.3


def rebalance_at_least_quarterly(source: Source, catalogue: Catalogue) -> tuple[dict[str, float], list[bool], str]:
    """A11: how far exposures went under calendars from weekly to never."""
    measured: dict[str, float] = {}
    away: dict[str, float] = {}
    for calendar in (*FREQUENT, *RARER):
        study = study_from(the_trade(rebalance={"calendar": calendar}), "the case")
        result = run_study(study, source, catalogue)
        if result.portfolio.history.dates[-1].strftime("%Y-%m-%d") != ASOF:
            raise SpanError(f"the prices of the trade's funds end before {ASOF}")
        away[calendar] = _out_of_hand(result)
        measured[f"{calendar}_share_out_of_hand"] = away[calendar]
        for name in (*TRADE_EXPOSURES, "net"):
            measured[f"{calendar}_{name}_least"] = float(result.exposures[name].min())
            measured[f"{calendar}_{name}_most"] = float(result.exposures[name].max())
    legs = {name: (measured[f"quarterly_{name}_least"], measured[f"quarterly_{name}_most"]) for name in TRADE_EXPOSURES}
    doubled = max(abs(x) for name in ("RUSSELL2000", "NASDAQ100") for x in legs[name]) > 2.0 * LEG
    parts = [away["quarterly"] <= SELDOM, min(away[one] for one in RARER) > SELDOM, not doubled]
    told = ", ".join(f"{calendar} {share:.1%}" for calendar, share in away.items())
    low, high = legs["NASDAQ100"]
    net = measured["quarterly_net_least"], measured["quarterly_net_most"]
    return (
        measured,
        parts,
        f"From {TRADE_FROM} to {ASOF} an exposure was more than {HALF_A_LEG:g} off its target on this share of the "
        f"closes ({whose_prices(result.portfolio)}): {told}. Quarterly, the Nasdaq-100 leg ran from {low:+.2f} to "
        f"{high:+.2f} and the net exposure from "
        f"{net[0]:.2f} to {net[1]:.2f}: {'rarer is worse' if parts[1] else 'rarer is no worse'}, and "
        f"quarterly {'does not keep a leg from doubling' if doubled else 'keeps every leg from doubling'}.",
    )


def whose_prices(backtest: Backtest) -> str:
    """Say whether the funds' prices are real throughout."""
    return "partly synthetic funds" if backtest.fund_returns.synthetic_until else "real fund prices"


def _out_of_hand(result: StudyResult) -> float:
    """Share of the closes after the purchase with an exposure more than half a leg off its target."""
    seen = result.exposures[list(TRADE_EXPOSURES)].to_numpy(dtype=np.float64)[1:]
    away = np.abs(seen - np.array(list(TRADE_EXPOSURES.values())))
    return float((away.max(axis=1) > HALF_A_LEG).mean())


def shift_capital(source: Source, catalogue: Catalogue) -> tuple[dict[str, float], list[bool], str]:
    """A15: the view taken by shifting capital, at its own size and at equal active risk."""
    found = compare_alternatives(study_from(the_trade(), "the case"), source, catalogue)
    if found.as_stated[0].portfolio.history.dates[-1].strftime("%Y-%m-%d") != ASOF:
        raise SpanError(f"the prices of the trade's funds end before {ASOF}")
    from_spy, from_nasdaq = (_named(found.as_stated, f"shift capital from {what}") for what in ("SPY", "NASDAQ100"))
    equal = _named(found.at_equal_risk, "shift capital from SPY")
    overlay = found.as_stated[0]
    named = {"overlay": overlay, "shift_from_spy": from_spy, "shift_from_nasdaq": from_nasdaq}
    measured = {
        f"{label}_{key}": float(one.figures[key] or 0.0)
        for label, one in {**named, "shift_from_spy_at_equal_risk": equal}.items()
        for key in ("active_cagr", "tracking_error", "likeness", "max_drawdown")
    }
    measured["shift_from_spy_at_equal_risk_size"] = equal.size
    # The same view is the same active exposures.
    same = [one.active_exposures == overlay.active_exposures for one in (from_spy, from_nasdaq)]
    likeness = [measured[f"shift_from_{what}_likeness"] for what in ("spy", "nasdaq")]
    verb = {True: "takes", False: "does not take"}
    risk = measured["overlay_tracking_error"], measured["shift_from_nasdaq_tracking_error"]
    return (
        measured,
        same,
        f"Shifting 30% from SPY into small caps {verb[same[0]]} the same view (small caps against the S&P 500, not "
        f"against mega-cap growth); shifting it from a Nasdaq-100 fund {verb[same[1]]} it. From {TRADE_FROM} to {ASOF} "
        f"({whose_prices(overlay.portfolio)}) their active returns had correlations of {likeness[0]:.2f} and "
        f"{likeness[1]:.2f} with the overlay's, whose exposures "
        f"drift more. At the overlay's tracking error of {risk[0]:.1%}, which takes a shift "
        f"of {0.3 * equal.size:.0%} from SPY, the plain way returned {_points(equal)} points a year against SPY, the "
        f"overlay {_points(overlay)}; from a Nasdaq fund 30% brought {_points(from_nasdaq)} at a tracking error of "
        f"{risk[1]:.1%}.",
    )


def _named(found: tuple[Alternative, ...], start: str) -> Alternative:
    for one in found:
        if one.name.startswith(start):
            return one
    raise SpanError(f"they lack what it takes to {start} into small caps")


def _points(one: Alternative) -> str:
    return f"{100.0 * float(one.figures['active_cagr'] or 0.0):+.1f}"
