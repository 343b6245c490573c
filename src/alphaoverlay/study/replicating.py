"""The founding case, statement by statement: what was said, what the data say, and a verdict.

A statement that is not built yet is absent; one that the data cannot decide reads "cannot be told".
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

import pandas as pd

from alphaoverlay.analysis.drawdowns import deepest_drawdown
from alphaoverlay.errors import DataError, SpanError
from alphaoverlay.funds.catalogue import Catalogue, packaged_catalogue
from alphaoverlay.history import History, iso
from alphaoverlay.market.reading import read_history
from alphaoverlay.market.source import Source
from alphaoverlay.overlays.solver import solve_design
from alphaoverlay.study.load import study_from
from alphaoverlay.study.market_data import read_study_data
from alphaoverlay.study.run import run_study

Outcome = Literal["holds", "holds in part", "does not hold", "cannot be told"]

ASOF = "2021-12-15"
LAST_YEAR_END = "2020-12-31"
JANUARY_END = "2021-01-29"
# SQQQ's first session: from then on every fund of the trade is real.
TRADE_FROM = "2010-02-11"
TRADE = {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}
TRADE_EXPOSURES = {"SP500": 1.0, "RUSSELL2000": 0.3, "NASDAQ100": -0.3}
# "About 11%" is taken as within a point and a half.
ABOUT = 0.015
# "Unreasonable" is taken as more than a tenth above SPY's own figure.
UNREASONABLE = 1.10


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


def check_statements(source: Source, catalogue: Catalogue | None = None) -> tuple[Statement, ...]:
    """Measure every statement that is built, in the order of the case.

    A statement whose data the source does not have is not an error: its verdict is "cannot be told".
    """
    known = catalogue or packaged_catalogue()
    words = tomllib.loads((files("alphaoverlay.study") / "statements.toml").read_text(encoding="utf-8"))
    return tuple(_check(key, words[key], find, source, known) for key, find in _FINDERS.items())


def _check(key: str, words: Mapping[str, str], find: _Finder, source: Source, catalogue: Catalogue) -> Statement:
    try:
        measured, verdict, sentence = find(source, catalogue)
    except DataError as error:
        measured, verdict, sentence = {}, "cannot be told", f"These data cannot tell: {error}."
    return Statement(key, words["text"], words["stated"], measured, verdict, sentence)


def _a1(source: Source, catalogue: Catalogue) -> Finding:
    symbols = {"russell2000": "RUT", "sp500": "GSPC", "nasdaq_composite": "IXIC", "nasdaq100": "NDX"}
    prices = _prices(source, symbols.values(), LAST_YEAR_END)
    measured = {f"{name}_price": _change(prices.close[s], LAST_YEAR_END, ASOF) for name, s in symbols.items()}
    totals = _total_returns(source, catalogue, ("RUSSELL2000", "SP500", "NASDAQ100"), LAST_YEAR_END)
    measured |= {f"{name.lower()}_total": change for name, change in totals.items()}
    small, large, composite = (measured[f"{k}_price"] for k in ("russell2000", "sp500", "nasdaq_composite"))
    parts = [abs(small - 0.11) <= ABOUT, large >= 0.20, composite >= 0.20]
    return (
        measured,
        _grade(parts),
        f"From the end of 2020 to {ASOF} the Russell 2000 gained {small:.1%}, the S&P 500 {large:.1%} and the Nasdaq "
        f"Composite {composite:.1%} (Nasdaq-100: {measured['nasdaq100_price']:.1%}), before dividends.",
    )


def _a2(source: Source, catalogue: Catalogue) -> Finding:
    prices = _prices(source, ["RUT"], JANUARY_END)
    change = _change(prices.close["RUT"], JANUARY_END, ASOF)
    total = _total_returns(source, catalogue, ["RUSSELL2000"], JANUARY_END)["RUSSELL2000"]
    moved = "lost" if change < 0.0 else "still gained"
    return (
        {"russell2000_price": change, "russell2000_total": total},
        "holds" if change < 0.0 else "does not hold",
        f"From the end of January to {ASOF} the Russell 2000 {moved} {abs(change):.1%} before dividends "
        f"({total:+.1%} with them).",
    )


def _a8(source: Source, catalogue: Catalogue) -> Finding:
    close = _prices(source, ["RUT"], LAST_YEAR_END).close["RUT"].dropna()
    levels = close.to_numpy(dtype=float)
    # Below the running peak of everything known up to the day, and of nothing after it.
    peak_day = close.index[int(levels.argmax())]
    fall = float(levels[-1] / levels.max() - 1.0)
    early_november = pd.Timestamp("2021-11-01") <= peak_day <= pd.Timestamp("2021-11-15")
    deepest = deepest_drawdown(close.loc[peak_day:], start=None)
    return (
        {"drawdown": fall, "deepest_since_peak": deepest.depth if deepest else 0.0},
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
    study = study_from(
        {
            "weights": TRADE,
            "benchmark": "SPY",
            "start": TRADE_FROM,
            "end": ASOF,
            "rebalance": {"calendar": "quarterly"},
        },
        "the case",
    )
    result = run_study(study, source, catalogue)
    _must_reach(result.portfolio.history, ASOF)
    own, spy = result.metrics.values, result.benchmark_metrics.values
    measured: dict[str, float] = {}
    within = []
    for key in ("volatility", "max_drawdown", "tail_loss"):
        a, b = own[key] or 0.0, spy[key] or 0.0
        measured |= {key: a, f"{key}_spy": b}
        within.append(abs(a) <= UNREASONABLE * abs(b))
    measured |= {key: own[key] or 0.0 for key in ("tracking_error", "beta")}
    gap = (own["cagr"] or 0.0) - (spy["cagr"] or 0.0)
    measured["active_cagr"] = gap
    return (
        measured,
        _grade(within),
        f"From {TRADE_FROM} to {ASOF}, rebalanced quarterly, the portfolio's volatility was "
        f"{measured['volatility']:.1%} against SPY's {measured['volatility_spy']:.1%}, its deepest fall "
        f"{-measured['max_drawdown']:.0%} against {-measured['max_drawdown_spy']:.0%} and its worst days "
        f"{-measured['tail_loss']:.2%} against {-measured['tail_loss_spy']:.2%}; it returned "
        f"{abs(100.0 * gap):.1f} points a year {'more' if gap >= 0.0 else 'less'} than SPY.",
    )


_Finder = Callable[[Source, Catalogue], Finding]
_FINDERS: dict[str, _Finder] = {"A1": _a1, "A2": _a2, "A8": _a8, "A10": _a10, "A13": _a13}


def _grade(parts: list[bool]) -> Outcome:
    return "holds" if all(parts) else "holds in part" if any(parts) else "does not hold"


def _prices(source: Source, symbols: Iterable[str], start: str) -> History:
    """Prices up to the day of the case; nothing after it is looked at."""
    history = read_history(source, list(symbols), None, start, ASOF)
    _must_reach(history, ASOF)
    return history


def _must_reach(history: History, day: str) -> None:
    if iso(history.dates[-1]) != day:
        raise SpanError(f"they end on {iso(history.dates[-1])}, before {day}")


def _total_returns(source: Source, catalogue: Catalogue, indices: Sequence[str], start: str) -> dict[str, float]:
    """Total return of each index from the close of `start` to the day of the case."""
    data = read_study_data(source, catalogue, indices, (), None, start, ASOF)
    held = {name: data.indices[name].returns.loc[start:].to_numpy(dtype=float)[1:] for name in indices}
    return {name: float((1.0 + returns).prod() - 1.0) for name, returns in held.items()}


def _change(close: pd.Series, start: str, end: str) -> float:
    levels = close.loc[[pd.Timestamp(start), pd.Timestamp(end)]].to_numpy(dtype=float)
    return float(levels[1] / levels[0] - 1.0)
