"""Statements A12 and A14 of the founding case: what 25 points pay, and whether the overlay goes with the market."""

from __future__ import annotations

import numpy as np
import pandas as pd

from alphaoverlay.engine.backtesting import Backtest
from alphaoverlay.errors import SpanError
from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.history import FloatArray, iso
from alphaoverlay.market.source import Source
from alphaoverlay.overlays.risk import SESSIONS_A_YEAR
from alphaoverlay.scenarios.statement import Statement
from alphaoverlay.study.ahead import read_ahead
from alphaoverlay.study.history_windows import HistoryWindows, history_windows
from alphaoverlay.study.load import study_from
from alphaoverlay.study.replicating_rules import whose_prices
from alphaoverlay.study.replicating_signals import FEBRUARY_END, NASDAQS, Found, pairs_of_the_case
from alphaoverlay.study.run import run_study
from alphaoverlay.study.the_case import ASOF, OCTOBER_SIGNAL, TRADE_EXPOSURES, TRADE_FROM, the_trade
from alphaoverlay.study.what_if import STUDY_RULE, Answer, run_scenario

# What is stated: 25 points of small caps over mega-cap growth pay 10 to 11.
STATED = Statement.of(move=("RUSSELL2000", "NASDAQ100", 0.25))
STATED_LEAD, STATED_LEAST, STATED_MOST = 0.25, 0.10, 0.11
# Judged give or take one point.
GIVE_OR_TAKE = 0.01
CONDITIONAL_PATHS, CONDITIONAL_SEED = 4_000, 0
# "Largely uncorrelated" is taken as a correlation of at most this size.
LARGELY = 0.30
# A market is falling where SPY closed so far below its highest close since the trade began, the day before.
FALLING = -0.10
# Fewer sessions of a kind say nothing of a correlation.
FEWEST = 60


def pays_ten_to_eleven(source: Source, catalogue: Catalogue) -> Found:
    """A12: the window that was named, every one like it, and what such a move pays on paths known in October 2020."""
    actual = run_study(study_from(the_trade(start=OCTOBER_SIGNAL, end=FEBRUARY_END), "the case"), source, catalogue)
    excess = actual.portfolio.growth - actual.benchmark.growth
    sessions, paid = len(excess) - 1, float(excess.iloc[-1])
    measured = {"excess": paid, "sessions": float(sessions)}
    leads, told = _leads(source, catalogue, excess)
    measured |= leads
    past = history_windows(
        read_ahead(study_from(the_trade(), "the case"), source, catalogue, ASOF, STATED.indices), STATED, sessions
    )
    windows, said = _windows(past)
    likely = conditional_excess(source, catalogue, sessions)
    measured |= windows | likely
    median, low, high = (likely[f"conditional_{key}"] for key in ("median", "low", "high"))
    return (
        measured,
        [_as_stated(paid), _as_stated(median)],
        f"From {OCTOBER_SIGNAL} to the end of February 2021 ({whose_prices(actual.portfolio)}, rebalanced quarterly, "
        f"no trading costs) the portfolio beat SPY by {_points(paid)} points, where the Russell 2000 led by {told}. Of "
        f"25 points over {sessions} sessions exposures alone make {_points(likely['first_order'])}, a smooth trend "
        f"without rebalancing {_points(likely['smooth'])}, and paths drawn from what was known on {OCTOBER_SIGNAL} "
        f"{_points(median)} in the middle and {_points(low)} to {_points(high)} in nine of ten cases. {said}",
    )


def _as_stated(excess: float) -> bool:
    return STATED_LEAST - GIVE_OR_TAKE <= excess <= STATED_MOST + GIVE_OR_TAKE


def _points(value: float) -> str:
    return f"{100.0 * value:+.1f}"


def _leads(source: Source, catalogue: Catalogue, excess: pd.Series) -> tuple[dict[str, float], str]:
    """What the Russell 2000 led each Nasdaq by, to the stated end and to ends that are found with hindsight."""
    measured: dict[str, float] = {}
    told = []
    last = excess.index[-1]
    for symbol, pair in pairs_of_the_case(source, catalogue).items():
        if last not in pair.dates:
            raise SpanError(f"{pair} has no close on {iso(last)}")
        long, short = pair.long[OCTOBER_SIGNAL:last], pair.short[OCTOBER_SIGNAL:last]
        run = (long / long.iloc[0] - short / short.iloc[0]).reindex(excess.index).dropna()
        best = run.index[int(np.argmax(run.to_numpy(dtype=np.float64)))]
        measured |= {
            f"lead_{symbol}": float(run.iloc[-1]),
            f"first_order_{symbol}": TRADE_EXPOSURES["RUSSELL2000"] * float(run.iloc[-1]),
            f"hindsight_greatest_lead_{symbol}": float(run[best]),
            f"hindsight_excess_at_greatest_lead_{symbol}": float(excess[best]),
        }
        there = run.index[(run >= STATED_LEAD).to_numpy()]
        first = f"it never reached {100.0 * STATED_LEAD:g}"
        if len(there):
            measured[f"hindsight_excess_at_25_points_{symbol}"] = at = float(excess[there[0]])
            first = f"it first reached {100.0 * STATED_LEAD:g} on {iso(there[0])}, for {_points(at)}"
        told.append(
            f"{_points(float(run.iloc[-1]))} over the {NASDAQS[symbol][1]} (its greatest lead, found with hindsight, "
            f"was {_points(float(run[best]))} on {iso(best)}, for {_points(float(excess[best]))}; {first})"
        )
    return measured, " and ".join(told)


def _windows(past: HistoryWindows) -> tuple[dict[str, float], str]:
    """Past windows with about the same lead, all of them up to the day of the case."""
    if past.median is None or past.least is None or past.most is None:
        return {"windows": 0.0}, f"No past window can be compared: {past.reason}."
    within = (past.excess >= STATED_LEAST) & (past.excess <= STATED_MOST)
    made = sum(one.synthetic for one in past.windows)
    measured = {
        "windows": float(past.number),
        "windows_not_overlapping": float(past.non_overlapping),
        "windows_synthetic": float(made),
        "windows_median": past.median,
        "windows_least": past.least,
        "windows_most": past.most,
        "windows_within_10_to_11": float(within.mean()),
    }
    return measured, (
        f"In the {past.number} past windows of that length with 20 to 30 points (only {past.non_overlapping} do not "
        f"overlap, and {made} need synthetic funds) it was {_points(past.median)} in the middle, from "
        f"{_points(past.least)} to {_points(past.most)}, and between 10 and 11 in {within.mean():.0%}."
    )


def conditional_excess(source: Source, catalogue: Catalogue, sessions: int) -> dict[str, float]:
    """Return what 25 points pay on what was known in October 2020: point answers, and quantiles over drawn paths.

    Raises
    ------
    DataError : the data do not reach.
    """
    found = run_scenario(
        study_from(the_trade(), "the case"),
        source,
        catalogue,
        statement=STATED,
        asof=OCTOBER_SIGNAL,
        sessions=sessions,
        rules=(),
        paths=CONDITIONAL_PATHS,
        seed=CONDITIONAL_SEED,
        gaps=(),
    )
    if iso(found.ahead.asof) != OCTOBER_SIGNAL or found.answer is None:
        raise SpanError(f"what was known on {OCTOBER_SIGNAL} ends on {iso(found.ahead.asof)}")
    return _answered(found.answer)


def _answered(answer: Answer) -> dict[str, float]:
    drawn = answer.by_rule[STUDY_RULE]
    low, median, high = (_known(drawn.excess[share].value) for share in (0.05, 0.50, 0.95))
    return {
        "first_order": answer.first_order,
        "smooth": answer.smooth,
        "smooth_quarterly": answer.smooth_by_rule[STUDY_RULE],
        "closed_form": answer.closed_form,
        "conditional_median": median,
        "conditional_low": low,
        "conditional_high": high,
    }


def _known(value: float | None) -> float:
    if value is None:
        raise SpanError("what the drawn paths pay is undefined")
    return value


def largely_uncorrelated(source: Source, catalogue: Catalogue) -> Found:
    """A14: correlation and beta of the active return with SPY's, over all, calm and falling markets, and by months."""
    result = run_study(study_from(the_trade(), "the case"), source, catalogue)
    own, spy = result.portfolio, result.benchmark
    if iso(own.history.dates[-1]) != ASOF:
        raise SpanError(f"the prices of the trade's funds end before {ASOF}")
    active, market = (own.returns - spy.returns).to_numpy(np.float64), spy.returns.to_numpy(np.float64)
    falling = _falling(spy)
    months = [_by_month(one) for one in (own, spy)]
    seen = {
        "all": (active, market),
        "calm": (active[~falling], market[~falling]),
        "falling": (active[falling], market[falling]),
        "months": (months[0] - months[1], months[1]),
    }
    measured: dict[str, float] = {}
    for name, (a, b) in seen.items():
        measured[f"correlation_{name}"], measured[f"beta_{name}"] = _together(name, a, b)
        measured[f"count_{name}"] = float(len(a))
    yearly = pd.Series(active).rolling(SESSIONS_A_YEAR).corr(pd.Series(market)).dropna()
    measured |= {"correlation_year_least": float(yearly.min()), "correlation_year_most": float(yearly.max())}
    parts = [abs(measured[f"correlation_{name}"]) <= LARGELY for name in seen]
    told = {name: f"{measured[f'correlation_{name}']:+.2f} (beta {measured[f'beta_{name}']:+.2f})" for name in seen}
    return (
        measured,
        parts,
        f"From {TRADE_FROM} to {ASOF} ({whose_prices(own)}, rebalanced quarterly, no trading costs) the correlation of "
        f"the daily active return with SPY's was {told['all']}: {told['calm']} while SPY stood less than 10% below its "
        f"highest close since {TRADE_FROM}, {told['falling']} on the {int(falling.sum())} sessions after it had closed "
        f"lower than that; by months it was {told['months']}. Over single years it ran from "
        f"{measured['correlation_year_least']:+.2f} to {measured['correlation_year_most']:+.2f}.",
    )


def _falling(spy: Backtest) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether SPY had closed a tenth below its highest close, shape (n - 1,): by the close before each session."""
    growth = spy.growth.to_numpy(dtype=np.float64)
    fall = growth / np.maximum.accumulate(growth) - 1.0
    return np.asarray(fall[:-1] <= FALLING)


def _by_month(backtest: Backtest) -> FloatArray:
    """Returns of whole months; the first and the last are cut off by the span."""
    growth = backtest.growth
    month = growth.index.to_period("M")  # type: ignore[attr-defined]
    ends = growth.groupby(month).last().to_numpy(dtype=np.float64)[:-1]
    return np.asarray(ends[1:] / ends[:-1] - 1.0)


def _together(name: str, active: FloatArray, market: FloatArray) -> tuple[float, float]:
    """Correlation and beta of the active return with the market's."""
    if len(market) < FEWEST:
        raise SpanError(f"{len(market)} returns ({name}), and {FEWEST} are needed for a correlation")
    joint = np.cov(active, market)
    return float(joint[0, 1] / np.sqrt(joint[0, 0] * joint[1, 1])), float(joint[0, 1] / joint[1, 1])
