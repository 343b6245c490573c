"""Statements A5, A6, A7, A16, A18, A19 and A20 of the founding case: the spread, and what followed such readings.

"Nasdaq" is ambiguous: both the Composite and the Nasdaq-100 are measured.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Literal

import numpy as np
import pandas as pd

from alphaoverlay.errors import SpanError
from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.history import iso
from alphaoverlay.market.source import Source
from alphaoverlay.signals.evidence import LEVEL, Evidence, examine_signal
from alphaoverlay.signals.measures import measure_all
from alphaoverlay.signals.relative_value import HORIZON, TWENTY_YEARS, WINDOW, Pair, difference
from alphaoverlay.signals.tactical import TacticalRule
from alphaoverlay.study.levels import Basis, Levels, common_span, read_levels
from alphaoverlay.study.the_case import ASOF, OCTOBER_SIGNAL

Outcome = Literal["holds", "holds in part", "does not hold", "cannot be told"]
Found = tuple[dict[str, float], list[bool], str]

# The Nasdaqs, by their price series and by index, and what people call them.
NASDAQS = {"IXIC": ("NASDAQCOMP", "Composite"), "NDX": ("NASDAQ100", "Nasdaq-100")}
FEBRUARY_END = "2021-02-28"
# "About 25 points" is taken as within five.
STATED_LEAD, ABOUT = 0.25, 0.05
# "20-year highs" is taken as the most extreme one percent of 20 years, "about the level" as within ten points.
EXTREME, SAME_LEVEL = 0.01, 0.10
BUBBLE_FROM, BUBBLE_TO = pd.Timestamp("2000-01-01"), pd.Timestamp("2002-12-31")
RESAMPLES = 400
QUARTER = 63
FEWEST_QUARTERS = 20


def pairs_of_the_case(source: Source, catalogue: Catalogue, basis: Basis = "price") -> dict[str, Pair]:
    """Return small caps against each Nasdaq up to the day of the case, by the Nasdaq's price symbol.

    Raises
    ------
    SpanError : the levels end before that day.
    DataError : the source lacks a series.
    """
    symbols = _held(source)
    names = ["RUT", *symbols] if basis == "price" else ["RUSSELL2000", *(NASDAQS[one][0] for one in symbols)]
    levels = read_levels(names, basis, source, catalogue, end=ASOF, rates=False)
    found = {s: Pair.of(common_span(levels.frame, (names[0], n))) for s, n in zip(symbols, names[1:], strict=True)}
    for one in found.values():
        for day in (OCTOBER_SIGNAL, ASOF):
            if pd.Timestamp(day) not in one.dates:
                raise SpanError(f"{one} have no common close on {day}")
        one.needs(WINDOW)
    return found


def _held(source: Source) -> list[str]:
    """The Nasdaqs that the source has, of which there must be one, beside the Russell 2000."""
    held = [symbol for symbol in NASDAQS if source.holds(symbol)]
    if not held or not source.holds("RUT"):
        raise SpanError(f"{source.name} has no {' or '.join(NASDAQS) if not held else 'RUT'}")
    return held


def lead(pair: Pair, first: str, last: str) -> float:
    """Return of the long leg minus the short one's between two closes.

    Raises
    ------
    SpanError : a day is not a session of the pair.
    """
    for day in (first, last):
        if pd.Timestamp(day) not in pair.dates:
            raise SpanError(f"{pair} has no close on {day}")
    return float(pair.long[last] / pair.long[first] - pair.short[last] / pair.short[first])


def _points(value: float) -> str:
    return f"{100.0 * value:+.1f}"


def outran_to_february(source: Source, catalogue: Catalogue) -> Found:
    """A5: the lead of small caps from mid-October 2020, at its best day up to February 2021."""
    measured: dict[str, float] = {}
    parts, told = [], []
    for symbol, pair in pairs_of_the_case(source, catalogue).items():
        since = pair.long[OCTOBER_SIGNAL:] / pair.long[OCTOBER_SIGNAL]
        run = since - pair.short[OCTOBER_SIGNAL:] / pair.short[OCTOBER_SIGNAL]
        early = run[:FEBRUARY_END]
        best, greatest = _day_of(early, early.max()), _day_of(run, run.max())
        measured |= {
            f"lead_{symbol}": float(early.max()),
            f"lead_to_february_end_{symbol}": float(early.iloc[-1]),
            f"greatest_lead_{symbol}": float(run.max()),
        }
        parts.append(abs(float(early.max()) - STATED_LEAD) <= ABOUT)
        told.append(
            f"{_points(float(early.max()))} points against the {NASDAQS[symbol][1]} (to {best}; "
            f"{_points(float(run.max()))} to {greatest})"
        )
    return (
        measured,
        parts,
        f"From {OCTOBER_SIGNAL} the Russell 2000 led by at most {' and '.join(told)}, before dividends; these end days "
        "are found with hindsight.",
    )


def outrun_by_the_most(source: Source, catalogue: Catalogue) -> Found:
    """A6: whether the three-year difference of autumn 2020 was the lowest since the dot-com bubble."""
    measured: dict[str, float] = {}
    parts, told = [], []
    total = pairs_of_the_case(source, catalogue, "total")
    for symbol, pair in pairs_of_the_case(source, catalogue).items():
        gap = difference(pair, WINDOW).dropna()
        if gap.index[0] > BUBBLE_FROM:
            raise SpanError(f"the three-year difference of {pair} begins on {iso(gap.index[0])}, after the bubble")
        autumn = gap["2020-07-01":OCTOBER_SIGNAL]
        low = float(autumn.min())
        before = gap[: autumn.index[0]]
        lower = before.index[(before < low).to_numpy()]
        since = lower[-1] if len(lower) else None
        measured |= {
            f"lowest_{symbol}": low,
            f"bubble_{symbol}": float(gap[BUBBLE_FROM:BUBBLE_TO].min()),
            f"lowest_total_{symbol}": float(difference(total[symbol], WINDOW)["2020-07-01":OCTOBER_SIGNAL].min()),
        }
        parts.append(since is not None and BUBBLE_FROM <= since <= BUBBLE_TO)
        when = f"lower last on {iso(since)}" if since is not None else "never lower before"
        told.append(f"{_points(low)} points against the {NASDAQS[symbol][1]} on {_day_of(autumn, low)}, {when}")
    return (
        measured,
        parts,
        f"Over three years the Russell 2000 had returned at worst {'; '.join(told)}, before dividends (with them "
        f"{' and '.join(_points(measured[f'lowest_total_{s}']) for s in total)}).",
    )


def back_at_the_extreme(source: Source, catalogue: Catalogue) -> Found:
    """A7: the same difference on the day of the case: its place among 20 years, and beside October 2020."""
    measured: dict[str, float] = {}
    parts, told = [], []
    total = pairs_of_the_case(source, catalogue, "total")
    for symbol, pair in pairs_of_the_case(source, catalogue).items():
        seen = measure_all(pair, WINDOW)
        now, then = _row(seen, ASOF), _row(seen, OCTOBER_SIGNAL)
        with_dividends = _row(measure_all(total[symbol], WINDOW), ASOF)
        measured |= {
            f"difference_{symbol}": now["difference"],
            f"difference_october_{symbol}": then["difference"],
            f"percentile_20y_{symbol}": _known(now["percentile_20y"], pair),
            f"percentile_all_{symbol}": now["percentile_all"],
            f"difference_total_{symbol}": with_dividends["difference"],
            f"percentile_20y_total_{symbol}": _known(with_dividends["percentile_20y"], pair),
        }
        parts.append(now["percentile_20y"] <= EXTREME)
        parts.append(abs(now["difference"] - then["difference"]) <= SAME_LEVEL)
        ever = iso(seen["difference"].dropna().index[0])
        told.append(
            f"{_points(now['difference'])} points against the {NASDAQS[symbol][1]} ({_points(then['difference'])} on "
            f"{OCTOBER_SIGNAL}), lower than {1.0 - now['percentile_20y']:.1%} of 20 years and than "
            f"{1.0 - now['percentile_all']:.0%} of all since {ever}"
        )
    beside = ", ".join(f"{measured[f'percentile_20y_total_{s}']:.1%}" for s in total)
    return (
        measured,
        parts,
        f"On {ASOF} the three-year difference stood at {'; '.join(told)}. With dividends its 20-year percentiles are "
        f"{beside}.",
    )


def worked_before(source: Source, catalogue: Catalogue) -> Found:
    """A16: what followed the signal of October 2020, and every other one."""
    measured: dict[str, float] = {}
    parts, told, verdicts = [], [], set[str]()
    for symbol, pair in pairs_of_the_case(source, catalogue).items():
        ranked = _known(_row(measure_all(pair, WINDOW), OCTOBER_SIGNAL)["percentile_20y"], pair)
        after = _after(pair)
        by_lookback = {
            "20y": examine_signal(pair, TacticalRule(lookback=TWENTY_YEARS), resamples=RESAMPLES),
            "all": examine_signal(pair, TacticalRule(), resamples=RESAMPLES),
        }
        measured |= {f"percentile_20y_october_{symbol}": ranked, f"after_october_{symbol}": after}
        for lookback, evidence in by_lookback.items():
            measured |= _figures(evidence, f"{lookback}_{symbol}")
        parts += [ranked <= 0.05 and after > 0.0, by_lookback["all"].verdict == "paid more than chance"]
        told.append(
            f"Against the {NASDAQS[symbol][1]} small caps led by {_points(after)} points over the {HORIZON} sessions "
            f"after {OCTOBER_SIGNAL}. Entering at the lowest 5% so far, episodes that do not overlap came "
            f"{_times(by_lookback['all'])} since {iso(pair.dates[0])[:4]}, {_came(by_lookback['all'])}; at the lowest "
            f"5% of 20 years {_times(by_lookback['20y'])}, {_came(by_lookback['20y'])}"
        )
        verdicts |= {one.verdict for one in by_lookback.values()}
    few = " So few occurrences cannot tell skill from chance." if verdicts == {"cannot be told"} else ""
    return measured, parts, f"{'. '.join(told)}.{few}"


def _after(pair: Pair) -> float:
    """Relative return over the horizon from the close after the signal of October 2020."""
    at = int(pair.dates.searchsorted(pd.Timestamp(OCTOBER_SIGNAL)))
    if at + 1 + HORIZON >= len(pair.dates):
        raise SpanError(f"{pair} does not reach {HORIZON} sessions beyond {OCTOBER_SIGNAL}")
    return lead(pair, iso(pair.dates[at + 1]), iso(pair.dates[at + 1 + HORIZON]))


def _figures(evidence: Evidence, key: str) -> dict[str, float]:
    found = {f"episodes_{key}": float(evidence.independent)}
    if evidence.mean_after is not None and evidence.p_value is not None:
        found |= {f"mean_after_{key}": evidence.mean_after, f"p_value_{key}": evidence.p_value}
    return found


def _times(evidence: Evidence) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(evidence.independent, f"{evidence.independent} times")


def _came(evidence: Evidence) -> str:
    if evidence.mean_after is None or evidence.p_value is None:
        return "so that nothing can be said of it"
    return f"followed by {_points(evidence.mean_after)} points on average (p = {evidence.p_value:.2f})"


def lagged(source: Source, catalogue: Catalogue) -> Found:
    """A18: small caps since March 2021, and over the half year to October 2020 in two readings of it."""
    spans = {
        "since_march": ("2021-02-26", ASOF),
        "to_mid_october": ("2020-04-15", OCTOBER_SIGNAL),
        "to_september_end": ("2020-03-31", "2020-09-30"),
    }
    pairs = pairs_of_the_case(source, catalogue)
    measured = {
        f"{key}_{symbol}": lead(pair, first, last)
        for symbol, pair in pairs.items()
        for key, (first, last) in spans.items()
    }
    behind = {key: max(measured[f"{key}_{symbol}"] for symbol in pairs) <= -ABOUT for key in spans}
    told = {key: " and ".join(_points(measured[f"{key}_{symbol}"]) for symbol in pairs) for key in spans}
    others = " and the ".join(NASDAQS[symbol][1] for symbol in pairs)
    return (
        measured,
        list(behind.values()),
        f"Against the {others} the Russell 2000 returned {told['since_march']} points since the end of February 2021. "
        f"Over the six months to mid-October 2020 it was {told['to_mid_october']}, from the end of March to the end of "
        f"September {told['to_september_end']}: the half year depends on its days. Why money moved, prices do not say.",
    )


def apple_beat_the_market(source: Source, catalogue: Catalogue) -> Found:
    """A19: Apple against the S&P 500 since November 2021, where the data hold it."""
    if not source.holds("AAPL"):
        raise SpanError(f"{source.name} has no prices of AAPL")
    levels = read_levels(("AAPL", "GSPC"), "price", source, catalogue, end=ASOF, rates=False)
    gap = lead(Pair.of(common_span(levels.frame, ("AAPL", "GSPC"))), "2021-10-29", ASOF)
    return (
        {"apple_lead": gap},
        # Of the stocks seen as safer one is measured: at best the statement holds in part.
        [gap > 0.0, False],
        f"From the end of October 2021 to {ASOF} Apple {'beat' if gap > 0.0 else 'trailed'} the S&P 500 by "
        f"{abs(100.0 * gap):.1f} points; other stocks were not measured.",
    )


def rates_and_small_caps(source: Source, catalogue: Catalogue) -> tuple[dict[str, float], Outcome, str]:
    """A20: quarters' relative returns against the change of the overnight rate, and against long Treasuries falling.

    Returns
    -------
    Figures, verdict, sentence.
    """
    measured: dict[str, float] = {}
    told: list[str] = []
    signs: list[float] = []
    names = [name for name in ("TLT",) if source.holds(name)]
    levels = read_levels(("RUT", *_held(source), *names), "price", source, catalogue, end=ASOF)
    pairs = {symbol: Pair.of(common_span(levels.frame, ("RUT", symbol))) for symbol in _held(source)}
    for label, rise in _rises(levels, names).items():
        try:
            found = {symbol: _by_quarter(pair, rise) for symbol, pair in pairs.items()}
        except SpanError as error:
            told.append(f"with {label.replace('_', ' ')} it cannot be told ({error})")
            continue
        for symbol, (count, correlation, p_value) in found.items():
            measured |= {
                f"quarters_{label}_{symbol}": float(count),
                f"correlation_{label}_{symbol}": correlation,
                f"p_value_{label}_{symbol}": p_value,
            }
            other = NASDAQS[symbol][1]
            told.append(
                f"{correlation:+.2f} with {label.replace('_', ' ')} against the {other} ({count} quarters, "
                f"p = {p_value:.2f})"
            )
        # Two rates are looked at, so each has half the level; it must hold against every Nasdaq.
        sure = all(p_value < LEVEL / 2.0 for _, _, p_value in found.values())
        same = {math.copysign(1.0, correlation) for _, correlation, _ in found.values()}
        signs.append(same.pop() if sure and len(same) == 1 else 0.0)
    if not measured:
        raise SpanError("; ".join(told))
    verdict: Outcome = "cannot be told"
    if 1.0 in signs and -1.0 not in signs:
        verdict = "holds in part"
    elif -1.0 in signs and 1.0 not in signs:
        verdict = "does not hold"
    return (
        measured,
        verdict,
        f"Correlation of small caps' relative return in a quarter with the rise of rates: {'; '.join(told)}. Whether a "
        "recovery and cyclicals matter was not measured.",
    )


def _rises(levels: Levels, names: list[str]) -> dict[str, pd.Series]:
    """What rises with interest rates, as a level: the overnight rate, and minus the log price of long Treasuries."""
    found = {}
    if levels.rate is not None:
        found["overnight_rate"] = levels.rate
    if names:
        found["long_rates"] = -np.log(levels.frame["TLT"])
    if not found:
        raise SpanError("there is neither a rate nor TLT")
    return found


def _by_quarter(pair: Pair, rise: pd.Series) -> tuple[int, float, float]:
    """Number of whole quarters of 63 sessions back from the end, the correlation, and its two-sided p-value (Fisher).

    Raises
    ------
    SpanError : fewer than 20 quarters, or no change.
    """
    at = np.arange(len(pair.dates) - 1, -1, -QUARTER)[::-1]
    long, short = (one.to_numpy(dtype=np.float64)[at] for one in (pair.long, pair.short))
    gap = long[1:] / long[:-1] - short[1:] / short[:-1]
    change = np.diff(rise.reindex(pair.dates).to_numpy(dtype=np.float64)[at])
    known = ~np.isnan(change)
    gap, change = gap[known], change[known]
    if len(gap) < FEWEST_QUARTERS or np.ptp(change) == 0.0:
        raise SpanError(f"only {len(gap)} quarters of {pair} with a rate")
    correlation = float(np.corrcoef(gap, change)[0, 1])
    z = math.atanh(max(min(correlation, 0.999999), -0.999999)) * math.sqrt(len(gap) - 3.0)
    return len(gap), correlation, 2.0 * NormalDist().cdf(-abs(z))


def _row(frame: pd.DataFrame, day: str) -> dict[str, float]:
    """A day's values by column."""
    values = frame.loc[[pd.Timestamp(day)]].to_numpy(dtype=np.float64)[0]
    return dict(zip(map(str, frame.columns), values.tolist(), strict=True))


def _day_of(values: pd.Series, wanted: float) -> str:
    """The first day with this value."""
    return iso(values.index[int((values == wanted).to_numpy().argmax())])


def _known(value: float, pair: Pair) -> float:
    if math.isnan(value):
        raise SpanError(f"{pair} do not reach back 20 years and a window")
    return value
