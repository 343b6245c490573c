"""The founding case, statement by statement: what was said, what the data say, and a verdict.

A statement that is not built yet is absent; one that the data cannot decide reads "cannot be told".
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import pandas as pd

from alphaoverlay.errors import DataError, SpanError, StudyError
from alphaoverlay.funds.catalogue import Catalogue, packaged_catalogue
from alphaoverlay.funds.expenses import expenses_on
from alphaoverlay.history import History, iso
from alphaoverlay.market.reading import read_history
from alphaoverlay.market.source import Source
from alphaoverlay.overlays.solver import solve_design
from alphaoverlay.signals.correction import find_corrections
from alphaoverlay.study.delevered import Delevered, delever_fund
from alphaoverlay.study.load import study_from
from alphaoverlay.study.market_data import read_study_data, remembered
from alphaoverlay.study.replicating_rules import rebalance_at_least_quarterly, shift_capital, whose_prices
from alphaoverlay.study.replicating_scenarios import largely_uncorrelated, pays_ten_to_eleven
from alphaoverlay.study.replicating_signals import (
    Outcome,
    apple_beat_the_market,
    back_at_the_extreme,
    lagged,
    outran_to_february,
    outrun_by_the_most,
    rates_and_small_caps,
    worked_before,
)
from alphaoverlay.study.run import run_study
from alphaoverlay.study.sector_tables import small_caps_and_sectors
from alphaoverlay.study.the_case import ASOF, JANUARY_END, LAST_YEAR_END, TRADE, TRADE_EXPOSURES, TRADE_FROM, the_trade

# Data that begin within this of a fund's inception are taken to hold its whole life.
A_MONTH = pd.Timedelta(days=31)
# "About 11%" is taken as within a point and a half.
ABOUT = 0.015
# "Unreasonable" is taken as more than a tenth above SPY's own figure, for each of these.
RISKS = {
    "volatility": "volatility",
    "max_drawdown": "max drawdown",
    "ulcer": "ulcer index",
    "tail_loss": "tail loss",
    "worst_month": "worst month",
    "worst_year": "worst year",
}
UNREASONABLE = 1.10
# "Almost in lockstep" is taken as within this much a year, over the whole span and over nine of ten three-year spans.
LOCKSTEP_GAP, LOCKSTEP_SPAN = 0.015, 0.03


@dataclass(frozen=True)
class Statement:
    """One statement of the case and its verdict.

    Attributes
    ----------
    id, text, stated : what was said.
    measured : named figures, returns as fractions; empty where nothing could be measured.
    verdict : what the figures say about it.
    sentence : the same for a lay reader.
    """

    id: str
    text: str
    stated: str
    measured: Mapping[str, float]
    verdict: Outcome
    sentence: str


Finding = tuple[dict[str, float], Outcome, str]


def check_statements(
    source: Source, catalogue: Catalogue | None = None, only: Iterable[str] = ()
) -> tuple[Statement, ...]:
    """Measure every statement that is built, or those of `only` (their ids), in the order of the case.

    A statement whose data the source does not have is not an error: its verdict is "cannot be told".

    Raises
    ------
    StudyError : an id of `only` that is no statement's.
    """
    known = catalogue or packaged_catalogue()
    asked = [key.upper() for key in only]
    for key in asked:
        if key not in _FINDERS:
            raise StudyError(f"{key} is no statement that is built; write one of {', '.join(_FINDERS)}")
    words = tomllib.loads((files("alphaoverlay.study") / "statements.toml").read_text(encoding="utf-8"))
    wanted = {key: find for key, find in _FINDERS.items() if not asked or key in asked}
    return tuple(_check(key, words[key], find, source, known) for key, find in wanted.items())


def _check(key: str, words: Mapping[str, str], find: _Finder, source: Source, catalogue: Catalogue) -> Statement:
    try:
        measured, verdict, sentence = find(source, catalogue)
    except DataError as error:
        measured, verdict, sentence = {}, "cannot be told", f"These data cannot tell: {error}."
    assert all(math.isfinite(value) for value in measured.values())  # a figure that is not one is a bug of ours
    return Statement(key, words["text"], words["stated"], measured, verdict, sentence)


def _a1(source: Source, catalogue: Catalogue) -> Finding:
    symbols = {"russell2000": "RUT", "sp500": "GSPC", "nasdaq_composite": "IXIC", "nasdaq100": "NDX"}
    # "Nasdaq" is ambiguous: judged by the Composite, the Nasdaq-100 beside it where the data have it.
    held = {name: s for name, s in symbols.items() if name != "nasdaq100" or source.holds(s)}
    prices = _prices(source, held.values(), LAST_YEAR_END)
    measured = {f"{name}_price": _change(prices, s, LAST_YEAR_END) for name, s in held.items()}
    indices = ["RUSSELL2000", "SP500", *(["NASDAQ100"] if "nasdaq100" in held else [])]
    totals = _total_returns(source, catalogue, indices, LAST_YEAR_END)
    measured |= {f"{name.lower()}_total": change for name, change in totals.items()}
    small, large, composite = (measured[f"{k}_price"] for k in ("russell2000", "sp500", "nasdaq_composite"))
    beside = f" (Nasdaq-100: {measured['nasdaq100_price']:.1%})" if "nasdaq100" in held else ""
    return (
        measured,
        _grade([abs(small - 0.11) <= ABOUT, large >= 0.20, composite >= 0.20]),
        f"From the end of 2020 to {ASOF} the Russell 2000 gained {small:.1%}, the S&P 500 {large:.1%} and the Nasdaq "
        f"Composite {composite:.1%}{beside}, before dividends.",
    )


def _a2(source: Source, catalogue: Catalogue) -> Finding:
    change = _change(_prices(source, ["RUT"], JANUARY_END), "RUT", JANUARY_END)
    total = _total_returns(source, catalogue, ["RUSSELL2000"], JANUARY_END)["RUSSELL2000"]
    moved = "lost" if change < 0.0 else "still gained"
    return (
        {"russell2000_price": change, "russell2000_total": total},
        "holds" if change < 0.0 else "does not hold",
        f"From the end of January to {ASOF} the Russell 2000 {moved} {abs(change):.1%} before dividends "
        f"({total:+.1%} with them).",
    )


def _held_since_inception(source: Source, catalogue: Catalogue) -> Delevered:
    if not source.holds("TNA"):
        raise SpanError(f"{source.name} has no prices of TNA")
    held = delever_fund("TNA", source, catalogue, end=ASOF)
    _must_reach(held.portfolio.history, ASOF)
    return held


def _since(held: Delevered) -> str:
    """The first day, and that the fund is older where the data do not reach back."""
    first, began = held.portfolio.history.dates[0], held.fund.first_trade or held.fund.inception
    late = began is not None and first > pd.Timestamp(began) + A_MONTH
    return f"{iso(first)} (where these data begin; the fund is older)" if late else iso(first)


def _a3(source: Source, catalogue: Catalogue) -> Finding:
    held = _held_since_inception(source, catalogue)
    if held.windows.empty:
        raise SpanError("fewer than three years of TNA")
    gap = held.attribution.log_active / held.years
    spans = held.windows.to_numpy(dtype=float)
    within = float((abs(spans) <= LOCKSTEP_SPAN).mean())
    low, high = (float(np.quantile(spans, share)) for share in (0.05, 0.95))
    measured = {
        "growth": held.portfolio.final_value,
        "russell2000_growth": held.index.final_value,
        "gap_a_year": gap,
        "tracking_error": _known(held.active["tracking_error"]),
        "correlation": held.correlation,
        "windows_within_3_percent": within,
        "window_gap_low": low,
        "window_gap_high": high,
        "gap_a_year_least_offset": float(held.by_offset.min()),
        "gap_a_year_most_offset": float(held.by_offset.max()),
    }
    return (
        measured,
        _grade([held.correlation >= 0.95, float(held.by_offset.abs().max()) <= LOCKSTEP_GAP, within >= 0.9]),
        f"From {_since(held)} to {ASOF} 1 grew to {held.portfolio.final_value:.2f} against "
        f"{held.index.final_value:.2f} for the Russell 2000 with dividends: a gap of {gap:+.1%} a year, daily "
        f"correlation {held.correlation:.2f}, tracking error {measured['tracking_error']:.1%}. Rebalanced on "
        f"another day of the quarter the gap was {held.by_offset.min():+.1%} to {held.by_offset.max():+.1%} a year; "
        f"over three-year spans {low:+.1%} to {high:+.1%} in nine of ten cases, {within:.0%} of them within 3%.",
    )


def _a4(source: Source, catalogue: Catalogue) -> Finding:
    held = _held_since_inception(source, catalogue)
    years, parts = held.years, held.parts
    gap = held.attribution.log_active / years
    fee = float(expenses_on(held.fund, held.portfolio.history.dates).mean())
    if held.attribution.log_active == 0.0:
        raise SpanError("there is no gap to explain")
    share = parts["expense"] / held.attribution.log_active
    listed = ", ".join(f"{name} {parts[name] / years:+.2%}" for name in parts if abs(parts[name] / years) >= 0.00005)
    return (
        {f"{name}_a_year": value / years for name, value in parts.items()}
        | {"gap_a_year": gap, "expense_ratio": fee, "expense_share_of_gap": share},
        _grade([abs(fee - 0.011) <= 0.0015, 0.1 <= share <= 0.9]),
        f"The fund's expense ratio was {fee:.2%} a year on average, on a third of the capital "
        f"{parts['expense'] / years:+.2%}: {share:.0%} of the gap of {gap:+.2%} a year. The whole gap: {listed} "
        "(variance is what compounding adds).",
    )


def _a8(source: Source, catalogue: Catalogue) -> Finding:
    history = _prices(source, ["RUT"], LAST_YEAR_END)
    _close(history, "RUT", LAST_YEAR_END)
    close = history.close["RUT"].loc[LAST_YEAR_END:]
    if close.isna().any():
        raise SpanError(f"RUT has no close on {iso(close.index[int(close.isna().to_numpy().argmax())])}")
    # Of all that was known up to the day, and of nothing after it.
    seen = find_corrections(history.close["RUT"].dropna())
    fall, peak_day = float(seen.drawdown.iloc[-1]), seen.peak
    early_november = pd.Timestamp("2021-11-01") <= peak_day <= pd.Timestamp("2021-11-15")
    return (
        {"drawdown": fall},
        _grade([fall <= -0.10, early_november]) if fall <= -0.10 else "does not hold",
        f"On {ASOF} the Russell 2000 stood {-fall:.1%} below its peak of {iso(peak_day)}.",
    )


def _a10(source: Source, catalogue: Catalogue) -> Finding:
    design = solve_design(TRADE_EXPOSURES, [catalogue.fund(symbol) for symbol in TRADE])
    weights, exposures = design.portfolio.by_symbol, design.portfolio.exposures
    same = all(abs(weights.get(s, 0.0) - w) < 1e-9 for s, w in TRADE.items()) and len(weights) == len(TRADE)
    met = all(abs(exposures.get(k, 0.0) - x) < 1e-9 for k, x in TRADE_EXPOSURES.items())
    found = ", ".join(f"{100.0 * w:.4g}% {s}" for s, w in weights.items())
    return (
        {f"weight_{s}": w for s, w in weights.items()} | {f"exposure_{k}": x for k, x in exposures.items()},
        _grade([same, met]),
        f"Asked for those exposures, the solver finds {found}; looking through the funds confirms the exposures.",
    )


def _a13(source: Source, catalogue: Catalogue) -> Finding:
    result = run_study(study_from(the_trade(), "the case"), source, catalogue)
    _must_reach(result.portfolio.history, ASOF)
    own, spy = result.metrics.values, result.benchmark_metrics.values
    measured: dict[str, float] = {}
    for key in RISKS:
        measured |= {key: _known(own[key]), f"{key}_spy": _known(spy[key])}
    measured |= {key: _known(own[key]) for key in ("tracking_error", "beta")}
    measured["active_cagr"] = gap = _known(result.active["cagr"])
    above = [label for key, label in RISKS.items() if abs(measured[key]) > UNREASONABLE * abs(measured[f"{key}_spy"])]
    real = whose_prices(result.portfolio)
    rose = f"more than a tenth above SPY's: {', '.join(above)}" if above else "none of the six is a tenth above SPY's"
    return (
        measured,
        _grade([label not in above for label in RISKS.values()]),
        f"From {TRADE_FROM} to {ASOF} ({real}, rebalanced quarterly, no trading costs) the portfolio's volatility was "
        f"{measured['volatility']:.1%} against SPY's {measured['volatility_spy']:.1%} and its deepest fall "
        f"{-measured['max_drawdown']:.0%} against {-measured['max_drawdown_spy']:.0%}; {rose}. Tracking error "
        f"{measured['tracking_error']:.1%}; it returned {abs(100.0 * gap):.1f} points a year "
        f"{'more' if gap >= 0.0 else 'less'} than SPY.",
    )


_Finder = Callable[[Source, Catalogue], Finding]
_FINDERS: dict[str, _Finder] = {
    "A1": _a1,
    "A2": _a2,
    "A3": _a3,
    "A4": _a4,
    "A5": lambda source, catalogue: _graded(outran_to_february(source, catalogue)),
    "A6": lambda source, catalogue: _graded(outrun_by_the_most(source, catalogue)),
    "A7": lambda source, catalogue: _graded(back_at_the_extreme(source, catalogue)),
    "A8": _a8,
    "A9": lambda source, catalogue: _graded(small_caps_and_sectors()),
    "A10": _a10,
    "A11": lambda source, catalogue: _graded(rebalance_at_least_quarterly(source, catalogue)),
    "A12": lambda source, catalogue: _graded(pays_ten_to_eleven(source, catalogue)),
    "A13": _a13,
    "A14": lambda source, catalogue: _graded(largely_uncorrelated(source, catalogue)),
    "A15": lambda source, catalogue: _graded(shift_capital(source, catalogue)),
    "A16": lambda source, catalogue: _graded(worked_before(source, catalogue)),
    "A18": lambda source, catalogue: _graded(lagged(source, catalogue)),
    "A19": lambda source, catalogue: _graded(apple_beat_the_market(source, catalogue)),
    "A20": rates_and_small_caps,
}


def _graded(found: tuple[dict[str, float], list[bool], str]) -> Finding:
    measured, parts, sentence = found
    return measured, _grade(parts), sentence


def _grade(parts: list[bool]) -> Outcome:
    return "holds" if all(parts) else "holds in part" if any(parts) else "does not hold"


def _prices(source: Source, symbols: Iterable[str], start: str) -> History:
    """Prices up to the day of the case; nothing after it is looked at."""
    history = remembered(source, read_history(source, list(symbols), None, start, ASOF))
    _must_reach(history, ASOF)
    return history


def _must_reach(history: History, day: str) -> None:
    if iso(history.dates[-1]) != day:
        raise SpanError(f"they end on {iso(history.dates[-1])}, before {day}")


def _total_returns(source: Source, catalogue: Catalogue, indices: Sequence[str], start: str) -> dict[str, float]:
    """Total return of each index from the close of `start` to the day of the case."""
    data = read_study_data(source, catalogue, indices, (), None, start, ASOF)
    _must_reach(data.history, ASOF)
    found = {}
    for name in indices:
        returns = data.indices[name].returns.loc[start:].to_numpy(dtype=float)[1:] if name in data.indices else None
        if returns is None or np.isnan(returns).any():
            raise SpanError(f"the total return of {name} is not known from {start} to {ASOF}")
        found[name] = float((1.0 + returns).prod() - 1.0)
    return found


def _close(history: History, symbol: str, day: str) -> float:
    """Close of a symbol on a day, which must be there."""
    close = history.close[symbol].reindex([pd.Timestamp(day)]).to_numpy(dtype=float)[0]
    if np.isnan(close):
        raise SpanError(f"{symbol} has no close on {day}")
    return float(close)


def _change(history: History, symbol: str, start: str) -> float:
    return _close(history, symbol, ASOF) / _close(history, symbol, start) - 1.0


def _known(value: float | None) -> float:
    if value is None:
        raise SpanError("a risk measure is undefined on this span")
    return value


def evidence(source: Source) -> History | None:
    """Return the price history that the statements rest on, for provenance; None where the data do not reach."""
    symbols = [symbol for symbol in ("RUT", "GSPC", "IXIC", "NDX", *TRADE) if source.holds(symbol)]
    try:
        return remembered(source, read_history(source, symbols, None, LAST_YEAR_END, ASOF)) if symbols else None
    except DataError:
        return None
