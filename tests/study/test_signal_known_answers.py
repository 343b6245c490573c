"""`signal` on real data, against the files themselves and the second implementation of M11.

Small caps against the Nasdaq Composite and against the Nasdaq-100, by price and three years, in mid-October 2020 and in
mid-December 2021 (A6 to A8 and A16 of the argument).
"""

from __future__ import annotations

import csv
import json
import math
import shutil
import statistics
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests import second_signals as second

from alphaoverlay.market.folder import FolderSource
from alphaoverlay.study.load import study_from
from alphaoverlay.study.results import run_document
from alphaoverlay.study.run import run_study
from alphaoverlay.study.signal_document import signal_document
from alphaoverlay.study.signal_reading import read_signal

WINDOW, TWENTY_YEARS, HORIZON = 756, 5040, 252
CASES = [(short, asof) for short in ("IXIC", "NDX") for asof in ("2020-10-15", "2021-12-15")]
NAN = math.nan


def read_closes(path: Path, column: str = "close") -> dict[date, float]:
    """A price file's closes by day, where there are any."""
    with path.open(newline="") as file:
        return {date.fromisoformat(row["date"]): float(row[column]) for row in csv.DictReader(file) if row[column]}


def read_percent(path: Path) -> dict[date, float]:
    with path.open(newline="") as file:
        return {date.fromisoformat(row["date"]): float(row["percent"]) / 100 for row in csv.DictReader(file)}


def ranked(values: Sequence[float], lookback: int | None) -> list[float]:
    """Percentiles as `second.percentile` has them, from a sorted list instead of all pairs."""
    result, seen, order = [], list[float](), list[float]()
    for value in values:
        if math.isnan(value):
            result.append(NAN)
            continue
        seen.append(value)
        insort(order, value)
        if lookback is not None and len(seen) > lookback:
            del order[bisect_left(order, seen[-1 - lookback])]
        count = len(order)
        if count < 252 or (lookback is not None and len(seen) < lookback) or order[0] == order[-1]:
            result.append(NAN)
            continue
        below, up_to = bisect_left(order, value), bisect_right(order, value)
        result.append((below + (up_to - below - 1) / 2) / (count - 1))
    return result


def test_sorted_ranks_are_those_of_all_pairs() -> None:
    """This module's shortcut, on values with ties."""
    values = [NAN] * 5 + [round(math.sin(t * 1.7) * 20) / 20 for t in range(700)]
    for lookback in (None, 252, 400):
        assert ranked(values, lookback) == pytest.approx(second.percentile(values, lookback), nan_ok=True, rel=1e-15)


class Market(NamedTuple):
    """Two legs on their common days, up to a day."""

    days: list[date]
    long: list[float]
    short: list[float]

    @property
    def difference(self) -> list[float]:
        return second.relative_value(self.long, self.short, WINDOW)["difference"]


@cache
def market_of(folder: Path, short: str, asof: str, long: str = "RUT", column: str = "close") -> Market:
    one, other = (read_closes(folder / "prices" / f"{name}.csv", column) for name in (long, short))
    days = sorted(day for day in one.keys() & other.keys() if day <= date.fromisoformat(asof))
    return Market(days, [one[day] for day in days], [other[day] for day in days])


@cache
def document_of(folder: Path, short: str, asof: str, **signal: Any) -> dict[str, Any]:
    values = {"signal": {"long": "RUT", "short": short, "window": WINDOW, "proxies": []} | signal}
    found = read_signal(study_from(values, "test"), FolderSource(folder), asof=asof, resamples=0)
    document = signal_document(found).dump()
    json.dumps(document, allow_nan=False)
    return document


# --- where the spread stands ---


@pytest.mark.parametrize(("short", "asof"), CASES)
def test_the_reading_worked_out_apart(reference_data: Path, short: str, asof: str) -> None:
    document, market = document_of(reference_data, short, asof), market_of(reference_data, short, asof)
    check_differences(document, market)
    check_percentiles_and_z_scores(document, market)
    check_extremes(document, market)
    check_corrections(document, market)
    check_confirmation_and_risk(document, market, reference_data)
    check_the_words_of_the_argument(document, asof)


def check_differences(document: dict[str, Any], market: Market) -> None:
    value = second.relative_value(market.long, market.short, WINDOW)
    told = document["relative_value"]
    for name in ("difference", "annualised", "ratio"):
        assert told[name] == pytest.approx(value[name][-1], rel=1e-12)
    assert told["first"] == f"{market.days[0]}"
    assert document["asof"] == f"{market.days[-1]}"
    assert (document["data"]["start"], document["data"]["end"]) == (told["first"], document["asof"])


def check_percentiles_and_z_scores(document: dict[str, Any], market: Market) -> None:
    known = [v for v in market.difference if not math.isnan(v)]
    told = document["relative_value"]
    for name, score, seen in (
        ("percentile_all", "zscore", known),
        ("percentile_20y", "zscore_20y", known[-TWENTY_YEARS:]),
    ):
        below, ties = sum(v < known[-1] for v in seen), sum(v == known[-1] for v in seen) - 1
        assert told[name] == pytest.approx((below + ties / 2) / (len(seen) - 1), rel=1e-12)
        mean = math.fsum(seen) / len(seen)
        assert told[score] == pytest.approx((known[-1] - mean) / statistics.stdev(seen, mean), rel=1e-9)


def check_extremes(document: dict[str, Any], market: Market) -> None:
    gap = market.difference
    for name, places in zip(("lowest", "highest"), second.extremes(gap, WINDOW), strict=True):
        told = document["relative_value"]["extremes"][name]
        assert [one["date"] for one in told] == [f"{market.days[t]}" for t in places]
        assert [one["difference"] for one in told] == pytest.approx([gap[t] for t in places], rel=1e-12)


def check_corrections(document: dict[str, Any], market: Market) -> None:
    told, falls = document["correction"], second.corrections(market.long)
    days = [f"{day}" for day in market.days]
    assert told["episodes"] == [
        {
            "peak": days[one["peak"]],
            "began": days[one["start"]],
            "bear": None if one["bear"] is None else days[one["bear"]],
            "trough": days[one["trough"]],
            "depth": pytest.approx(one["depth"], rel=1e-12),
            "recovered": None if one["recovered"] is None else days[one["recovered"]],
        }
        for one in falls
    ]
    top = max(market.long)
    assert told["drawdown"] == pytest.approx(market.long[-1] / top - 1, rel=1e-12)
    assert told["peak_date"] == max(day for day, level in zip(days, market.long, strict=True) if level == top)


def check_confirmation_and_risk(document: dict[str, Any], market: Market, folder: Path) -> None:
    told = document["measures"]
    a, b = ([y / x - 1 for x, y in pairwise(leg)] for leg in (market.long, market.short))
    quotient = [x / y for x, y in zip(market.long, market.short, strict=True)]
    year = math.sqrt(252)
    spread = [x - y for x, y in zip(a, b, strict=True)]
    expected = {
        "trend": quotient[-1] / statistics.fmean(quotient[-200:]) - 1,
        "trend_long": market.long[-1] / statistics.fmean(market.long[-200:]) - 1,
        "momentum": market.long[-1] / market.long[-253] - market.short[-1] / market.short[-253],
        "volatility": statistics.stdev(spread[-63:]) * year,
        "volatility_long": statistics.stdev(a[-63:]) * year,
        "correlation": statistics.correlation(a[-252:], b[-252:]),
    }
    for name, value in expected.items():
        assert told[name] == pytest.approx(value, rel=1e-9), name
    volatilities = [statistics.stdev(spread[t - 62 : t + 1]) * year for t in range(62, len(spread))]
    assert told["volatility_percentile"] == pytest.approx(
        sum(v < volatilities[-1] for v in volatilities) / (len(volatilities) - 1), rel=1e-9
    )
    share = told["volatility_percentile"]
    assert document["volatility_regime"] == ("low" if share <= 0.2 else "high" if share >= 0.8 else "normal")
    rates = read_percent(folder / "DFF.csv")
    # Known one session later than its date.
    assert told["rate_change"] == pytest.approx(rates[market.days[-2]] - rates[market.days[-254]], abs=1e-15)


def check_the_words_of_the_argument(document: dict[str, Any], asof: str) -> None:
    """A8: in a correction since the peak of early November 2021; A6 and A7: 20-year extremes on both days."""
    fall, value = document["correction"], document["relative_value"]
    state, peak = {"2020-10-15": ("recovering", "2018-08-31"), "2021-12-15": ("correction", "2021-11-08")}[asof]
    assert (fall["state"], fall["peak_date"]) == (state, peak)
    if asof == "2021-12-15":
        assert -0.12 < fall["drawdown"] <= -0.10
    assert value["percentile_20y"] < 0.03
    assert value["percentile_all"] > value["percentile_20y"]
    lowest = [one["date"] for one in value["extremes"]["lowest"][:2]]
    assert lowest[0].startswith("2000-03")
    assert lowest[1] > "2020-08-01"


# --- what followed ---

RULES: dict[str, dict[str, Any]] = {
    "all": {},
    "20y": {"lookback": "20y"},
    "steps": {"enter": 0.1, "exit": 0.4, "steps": {"10%": 0.5, "5%": 0.75, "1%": 1.0}, "rest": 0.25},
    "stops": {"enter": 0.2, "profit_target": 0.10, "stop": 0.08, "time_limit": 120, "cooldown": 21, "horizon": 63},
    "high": {"enter": 0.9, "exit": 0.5, "lookback": 2520, "confirm": "momentum"},
}
REASONS = {"profit_target": "profit target", "time_limit": "time limit", "exit": "exit", "stop": "stop", None: None}


@pytest.mark.parametrize(("short", "name"), [*(("IXIC", name) for name in RULES), ("NDX", "all"), ("NDX", "20y")])
def test_spells_sizes_and_what_followed(reference_data: Path, short: str, name: str) -> None:
    asof, keys = "2021-12-15", RULES[name]
    market = market_of(reference_data, short, asof)
    lookback = {"all": None, "20y": TWENTY_YEARS}.get(str(keys.get("lookback", "all")), keys.get("lookback"))
    ranks = ranked(market.difference, lookback)
    options: dict[str, Any] = {"enter": 0.05, "exit": 0.5}
    options |= {key: value for key, value in keys.items() if key not in ("lookback", "horizon", "steps", "confirm")}
    if "steps" in keys:
        options["steps"] = [(float(at[:-1]) / 100, size) for at, size in keys["steps"].items()]
    if "confirm" in keys:
        momentum = second.relative_value(market.long, market.short, 252)["difference"]
        options["allowed"] = [not math.isnan(v) and v > 0 for v in momentum]
    sizes, spells = second.spells(ranks, market.long, market.short, **options)
    study = study_from({"signal": {"long": "RUT", "short": short, "proxies": []} | keys}, "test")
    found = read_signal(study, FolderSource(reference_data), asof=asof, resamples=0)
    assert found.tactical.size.tolist() == sizes
    document = signal_document(found).dump()
    days = [f"{day}" for day in market.days]
    told = document["episodes"]
    assert spells
    assert [(one["entry"], one["exit"], one["reason"]) for one in told] == [
        (days[e], None if x is None else days[x], REASONS[why]) for e, x, why in spells
    ]
    horizon = keys.get("horizon", HORIZON)
    after = second.outcomes(market.long, market.short, horizon)
    judged = second.judge(ranks, sizes, spells, after, horizon)
    assert [one["independent"] for one in told] == judged["independent"]
    for one, (entry, _, _) in zip(told, spells, strict=True):
        assert one["difference"] == pytest.approx(market.difference[entry], rel=1e-12)
        assert one["percentile"] == pytest.approx(ranks[entry], rel=1e-12)
        assert one["outcome"] == (None if math.isnan(after[entry]) else pytest.approx(after[entry], rel=1e-9))
    seen = document["evidence"]
    assert seen["episodes_independent"] == judged["n"]
    assert seen["mean_after"] == pytest.approx(judged["mean_after"], rel=1e-9)
    assert seen["base_rate"] == pytest.approx(judged["base_rate"], rel=1e-9)
    assert seen["hac"]["slope"] == pytest.approx(judged["hac_slope"], rel=1e-6)
    assert seen["hac"]["t"] == pytest.approx(judged["hac_t"], rel=1e-6)
    assert seen["hac"]["p_value"] == pytest.approx(judged["hac_p"], rel=1e-6)
    assert seen["hac"]["lags"] == horizon
    assert document["position"]["size"] == sizes[-1]
    assert document["position"]["on"] is (spells[-1][1] is None)


def test_funds_with_their_distributions(reference_data: Path) -> None:
    """`basis = "total"` takes adjusted closes, from the later of the two first days."""
    market = market_of(reference_data, "QQQ", "2021-12-15", "IWM", "adj_close")
    told = document_of(reference_data, "QQQ", "2021-12-15", long="IWM", basis="total")["relative_value"]
    assert told["difference"] == pytest.approx(market.difference[-1], rel=1e-12)
    assert told["first"] == f"{market.days[0]}" == "2000-05-26"


def test_closes_begin_later_than_adjusted_closes(reference_data: Path) -> None:
    """QQQ has a close from 2000 on: the price pair begins there, not with the adjusted closes of 1999."""
    market = market_of(reference_data, "QQQ", "2021-12-15")
    told = document_of(reference_data, "QQQ", "2021-12-15")["relative_value"]
    assert told["first"] == f"{market.days[0]}"
    assert told["first"] >= "2000-01-01"
    assert told["difference"] == pytest.approx(market.difference[-1], rel=1e-12)


# --- nothing later ---

NEEDED = ("RUT", "IXIC", "NDX", "IWM", "QQQ")


def copied(source: Path, folder: Path, last: str | None, *, absurd: str | None = None) -> Path:
    """Copy the years from 2008 on, up to a day, or with absurd values after one."""
    folder.mkdir()
    for name in (*(f"prices/{symbol}.csv" for symbol in NEEDED), "DFF.csv"):
        head, *rows = (source / name).read_text().splitlines()
        rows = [row for row in rows if row[:10] >= "2008"]
        if last is not None:
            rows = [row for row in rows if row[:10] <= last]
        if absurd is not None:
            rows = [row if row[:10] <= absurd else odd(row, k) for k, row in enumerate(rows)]
        (folder / Path(name).name).write_text("\n".join([head, *rows]) + "\n")
    return folder


def odd(row: str, k: int) -> str:
    """The same day with a price of a thousand million or of almost nothing, and with a rate that never was."""
    day, *values = row.split(",")
    return ",".join([day, *(["1e9" if k % 2 else "1e-9"] * 2 if len(values) == 2 else ["55.5"])])


@pytest.mark.parametrize(
    ("asof", "signal"),
    [
        ("2020-10-15", {"long": "RUT", "short": "IXIC"}),
        ("2021-02-12", {"long": "RUSSELL2000", "short": "NASDAQ100", "basis": "total"}),
    ],
    ids=["price", "total"],
)
def test_later_values_are_not_in_a_reading(
    reference_data: Path, tmp_path: Path, asof: str, signal: dict[str, Any]
) -> None:
    study = study_from({"signal": signal | {"lookback": 1260}}, "test")
    texts = []
    for name, last, absurd in (("cut", asof, None), ("whole", None, None), ("wild", None, asof)):
        folder = copied(reference_data, tmp_path / name, last, absurd=absurd)
        found = read_signal(study, FolderSource(folder), asof=asof, resamples=10)
        texts.append(json.dumps(signal_document(found).dump()).replace(str(folder), "FOLDER"))
        shutil.rmtree(folder)
    assert texts[0] == texts[1] == texts[2]


def test_later_values_are_not_in_a_tactical_run(reference_data: Path, tmp_path: Path) -> None:
    """Through the signal of 2020 and its end; 70 in QQQ against all in it."""
    asof = "2021-02-12"
    values = {
        "weights": {"QQQ": 0.7, "IWM": 0.3}, "benchmark": "QQQ", "start": "2019-01-02", "end": asof,
        "signal": {"long": "RUT", "short": "IXIC", "lookback": 1260, "steps": {"5%": 0.5, "1%": 1.0}},
        "costs": {"half_spread_bps": 2.0},
    }  # fmt: skip
    texts = []
    for name, last, absurd in (("cut", asof, None), ("whole", None, None), ("wild", None, asof)):
        folder = copied(reference_data, tmp_path / name, last, absurd=absurd)
        found = run_study(study_from(values, "test"), FolderSource(folder))
        document = run_document(found).dump()
        assert found.sized is not None
        assert found.sized.tactical.size.index[-1].date() == date.fromisoformat(asof)
        for one in document["data"]["series"]:  # says what the file holds, not what was used
            one.pop("last")
            one.pop("observations")
        assert len(document["signal"]["weights"]) == 3
        assert document["signal"]["changes"] > 0
        texts.append(json.dumps(document).replace(str(folder), "FOLDER"))
    assert texts[0] == texts[1] == texts[2]
