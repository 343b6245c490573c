"""A signal that sizes an overlay, on made prices: it turns on and off on known days, and trades at the close after.

The long leg's price is built backwards from wanted differences, the short leg never moves: so every percentile, every
spell and every trade can be counted by hand.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests import second_signals as second
from tests.study.plain_market import DAYS

from alphaoverlay.errors import AlphaOverlayError
from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.study.alternatives import compare_alternatives
from alphaoverlay.study.designing import design_study
from alphaoverlay.study.load import Study, load_study, study_from
from alphaoverlay.study.results import run_document
from alphaoverlay.study.rule_comparison import compare_rules
from alphaoverlay.study.rule_documents import rules_document
from alphaoverlay.study.rule_report import rules_report
from alphaoverlay.study.run import StudyResult, run_study
from alphaoverlay.study.write import study_toml

Price = Callable[[int], float]
WINDOW, FEWEST = 20, 252
# The first session with 252 differences, and with them a percentile.
KNOWN = WINDOW + FEWEST - 1
STEPS = {"10%": 0.5, "2%": 1.0}
START = 290


def wanted_gap(t: int) -> float:
    """The difference of a session: rising, but for two falls; the first goes through 5% to the lowest of all."""
    if 300 <= t < 310:  # between the 15th and the 16th lowest: 5% to 9%
        return 0.01 + 34.5e-5 + 1e-7 * (t - 300)
    if 310 <= t < 320:  # the lowest so far, each of them
        return -0.02 - 1e-5 * (t - 310)
    if 320 <= t < 340:  # about 30%: neither in nor out
        return 0.01 + 110.5e-5 + 1e-7 * (t - 320)
    if 400 <= t < 450:
        return -0.05 - 1e-5 * (t - 400)
    return 0.01 + 1e-5 * t


def decided(t: int) -> float:
    """The size that each close decides, by hand: out again where the difference is the highest of all."""
    if 300 <= t < 310:
        return 0.5
    return 1.0 if 310 <= t < 340 or 400 <= t < 450 else 0.0


# Sessions at whose close the size in force changes: each a session after the decision.
TRADES = [301, 311, 341, 401, 451]


@cache
def leading() -> tuple[float, ...]:
    """Prices of the long leg."""
    made = [100.0] * WINDOW
    for t in range(WINDOW, len(DAYS)):
        made.append(made[t - WINDOW] * (1 + wanted_gap(t)))
    return tuple(made)


def still(_: int) -> float:
    return 50.0


def waving(drift: float, swing: float, period: float) -> Price:
    return lambda t: 100.0 * math.exp(drift * t + swing * math.sin(t / period))


CORE, MORE = waving(0.0004, 0.01, 7.0), waving(0.0007, 0.02, 11.0)
PRICES: dict[str, Price] = {
    "LEAD": lambda t: leading()[t],
    "LAG": still,
    "CORE": CORE,
    "MORE": MORE,
    "SPY": CORE,
    "IWM": MORE,
    "QQQ": waving(0.0005, 0.03, 9.0),
    "UPRO": waving(0.0011, 0.03, 7.0),
    "TNA": waving(0.0020, 0.06, 11.0),
    "SQQQ": waving(-0.0016, -0.09, 9.0),
}


def write_prices(folder: Path, prices: Mapping[str, Price], first: int = 0, last: int | None = None) -> Path:
    """Write a price file a symbol, of the sessions from `first` to before `last`."""
    folder.mkdir(parents=True, exist_ok=True)
    for symbol, price in prices.items():
        rows = [f"{day},{price(t)!r},{price(t)!r}" for t, day in list(enumerate(DAYS))[first:last]]
        (folder / f"{symbol}.csv").write_text("date,close,adj_close\n" + "\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_prices(tmp_path_factory.mktemp("made"), PRICES)


PLAIN: dict[str, Any] = {
    "weights": {"CORE": 0.5, "MORE": 0.5},
    "benchmark": "CORE",
    "start": f"{DAYS[START]}",
    "cash": {"rate": 0.0},
    "costs": {"half_spread_bps": 0.0},
    "rebalance": {"calendar": "never"},
    "signal": {
        "long": "LEAD", "short": "LAG", "window": WINDOW, "horizon": 20, "enter": 0.1, "steps": STEPS
    },
}  # fmt: skip
EXPOSURES: dict[str, Any] = {
    **{key: value for key, value in PLAIN.items() if key not in ("weights", "benchmark")},
    "base": {"SP500": 1.0},
    "overlay": {"RUSSELL2000": 0.3, "NASDAQ100": -0.3},
    "funds": {"allow": ["SPY", "UPRO", "TNA", "SQQQ"]},
}
# What the solver makes of them at each size: the founding case at size 1 (design.md), and in proportion.
AT_SIZE = {
    0.0: {"SPY": 1.0},
    0.5: {"SPY": 0.85, "UPRO": 0.05, "TNA": 0.05, "SQQQ": 0.05},
    1.0: {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1},
    2.0: {"SPY": 0.4, "UPRO": 0.2, "TNA": 0.2, "SQQQ": 0.2},
}


def changed(values: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A study's values with others in their place; a key of `signal` at a time."""
    signal = {**values["signal"], **more.pop("signal", {})}
    return {**values, **more, "signal": signal}


def study_of(values: Mapping[str, Any]) -> Study:
    return study_from(values, "test")


def run_of(folder: Path, values: Mapping[str, Any]) -> StudyResult:
    return run_study(study_of(values), FolderSource(folder))


def positions(days: pd.DatetimeIndex) -> list[int]:
    """Sessions by number."""
    return [DAYS.index(day.date()) for day in days]


def by_hand(
    rows: Mapping[float, Mapping[str, float]], first: int, last: int | None = None
) -> tuple[list[float], list[dict[str, float]]]:
    """Values and weights after each close: bought at the size decided before, traded where the size in force changes.

    No costs and no interest: what is not invested stands still.
    """
    value, held = 1.0, dict(rows[decided(first - 1) if first else 0.0])
    values, weights = [value], [held]
    for t in range(first + 1, len(DAYS) if last is None else last + 1):
        grown = {s: w * PRICES[s](t) / PRICES[s](t - 1) for s, w in held.items()}
        total = math.fsum(grown.values()) + 1.0 - math.fsum(held.values())
        value *= total
        held = {s: w / total for s, w in grown.items()}
        if decided(t - 1) != decided(t - 2):
            held = dict(rows[decided(t - 1)])
        values.append(value)
        weights.append(held)
    return values, weights


def assert_by_hand(
    found: StudyResult, rows: Mapping[float, Mapping[str, float]], first: int, last: int | None = None
) -> None:
    values, weights = by_hand(rows, first, last)
    assert found.portfolio.value.tolist() == pytest.approx(values, rel=1e-12)
    for (_, seen), expected in zip(found.portfolio.weights.iterrows(), weights, strict=True):
        assert {s: w for s, w in seen.items() if w} == pytest.approx(expected, rel=1e-12)


# --- decided at a close, traded at the next ---


def test_the_prices_decide_what_they_were_made_to_decide(market: Path) -> None:
    """The second implementation agrees with the hand-made sizes, and the study with both."""
    long = list(leading())
    gap = second.relative_value(long, [50.0] * len(long), WINDOW)["difference"]
    sizes, spells = second.spells(
        second.percentile(gap, None), long, [50.0] * len(long), enter=0.1, exit=0.5, steps=[(0.1, 0.5), (0.02, 1.0)]
    )
    assert sizes == [decided(t) for t in range(len(DAYS))]
    assert spells == [(300, 340, "exit"), (400, 450, "exit")]
    found = run_of(market, PLAIN).sized
    assert found is not None
    assert found.tactical.size.tolist() == sizes
    assert [(one.entry, one.exit, one.reason) for one in found.tactical.spells] == spells
    known = found.tactical.percentile.notna().to_numpy()
    assert int(known.argmax()) == KNOWN


def test_a_decision_is_traded_at_the_next_close(market: Path) -> None:
    found = run_of(market, PLAIN)
    assert positions(found.portfolio.rebalances) == TRADES
    assert positions(found.portfolio.traded) == [START, *TRADES]
    assert_by_hand(
        found, {s: {"CORE": 1 - s / 2, "MORE": s / 2} for s in (0.0, 0.5, 1.0)} | {0.0: {"CORE": 1.0}}, START
    )
    assert found.design.portfolio.by_symbol == {"CORE": 0.5, "MORE": 0.5}  # the design is that of size 1


def test_exposures_are_held_as_the_solver_designs_them_at_that_size(market: Path) -> None:
    found = run_of(market, EXPOSURES)
    assert_by_hand(found, AT_SIZE, START)
    assert positions(found.portfolio.rebalances) == TRADES
    sized = found.sized
    assert sized is not None
    assert sorted(sized.portfolios) == [0.0, 0.5, 1.0]
    for size, portfolio in sized.portfolios.items():
        assert portfolio.by_symbol == pytest.approx(AT_SIZE[size], abs=1e-9)
        scaled = {name: size * x for name, x in EXPOSURES["overlay"].items()}
        alone = {key: value for key, value in EXPOSURES.items() if key != "signal"} | {"overlay": scaled}
        again = design_study(study_of(alone), FolderSource(market), load_catalogue(None))
        assert portfolio.by_symbol == pytest.approx(again.portfolio.by_symbol, abs=1e-12)


def test_a_size_above_one_is_a_larger_overlay(market: Path) -> None:
    found = run_of(market, changed(EXPOSURES, signal={"steps": {"10%": 0.5, "2%": 2.0}}))
    last = {symbol: w for symbol, w in found.portfolio.weights.iloc[401 - START].items() if w}
    assert last == pytest.approx(AT_SIZE[2.0], abs=1e-12)
    assert found.design.portfolio.by_symbol == pytest.approx(AT_SIZE[1.0], abs=1e-9)


@pytest.mark.parametrize(
    ("first", "size"),
    [(0, 0.0), (KNOWN, 0.0), (300, 0.0), (301, 0.5), (305, 0.5), (310, 0.5), (311, 1.0), (340, 1.0), (341, 0.0)],
)
def test_it_is_bought_at_what_was_decided_the_session_before(market: Path, first: int, size: float) -> None:
    found = run_of(market, changed(PLAIN, start=f"{DAYS[first]}"))
    bought = {symbol: w for symbol, w in found.portfolio.weights.iloc[0].items() if w}
    rows: dict[float, dict[str, float]] = {
        0.0: {"CORE": 1.0}, 0.5: {"CORE": 0.75, "MORE": 0.25}, 1.0: {"CORE": 0.5, "MORE": 0.5}
    }  # fmt: skip
    assert bought == rows[size]
    assert positions(found.portfolio.rebalances) == [t for t in TRADES if t > first]
    assert_by_hand(found, rows, first)


def test_without_a_start_it_rests_until_the_signal_is_known(market: Path) -> None:
    values = {key: value for key, value in PLAIN.items() if key != "start"}
    found = run_of(market, values)
    assert positions(found.portfolio.traded) == [0, *TRADES]
    [told] = [note for note in found.notes if note.startswith("The overlay's size follows LEAD against LAG")]
    assert "decided at a close, traded at the next" in told
    assert f"unknown before {DAYS[KNOWN]}; until then the size is 0" in told


def test_rest_is_the_size_while_it_is_off(market: Path) -> None:
    found = run_of(market, changed(PLAIN, signal={"rest": 0.25}, start=f"{DAYS[0]}"))
    weights = found.portfolio.weights
    for t, size in ((0, 0.25), (301, 0.5), (311, 1.0), (341, 0.25), (401, 1.0), (451, 0.25)):
        assert weights.iloc[t].to_dict() == pytest.approx({"CORE": 1 - size / 2, "MORE": size / 2}, abs=1e-15)


FULL = {"CORE": 0.5, "MORE": 0.5}


@pytest.mark.parametrize(
    ("values", "off", "half", "full"),
    [
        (
            {"benchmark": {"CORE": 0.6, "LAG": 0.4}},
            {"CORE": 0.6, "LAG": 0.4},
            {"CORE": 0.55, "MORE": 0.25, "LAG": 0.2},
            FULL,
        ),
        ({"benchmark": {"CORE": 0.5}}, {"CORE": 0.5}, {"CORE": 0.5, "MORE": 0.25}, FULL),
        ({"weights": {"MORE": 0.8}}, {"CORE": 1.0}, {"CORE": 0.5, "MORE": 0.4}, {"MORE": 0.8}),
    ],
    ids=["two funds", "cash in the benchmark", "cash in the weights"],
)
def test_weights_are_blended_with_their_benchmark(
    market: Path, values: dict[str, Any], off: dict[str, float], half: dict[str, float], full: dict[str, float]
) -> None:
    found = run_of(market, PLAIN | values)
    assert_by_hand(found, {0.0: off, 0.5: half, 1.0: full}, START)


def test_a_high_signal_is_bought_with_the_comparisons_turned_round(market: Path) -> None:
    """The legs swapped: the difference of the short leg over the long one is the highest where the other was lowest."""
    signal = {"long": "LAG", "short": "LEAD", "enter": 0.9, "exit": 0.5, "steps": {"90%": 0.5, "98%": 1.0}}
    found = run_of(market, changed(PLAIN, signal=signal))
    assert positions(found.portfolio.rebalances) == TRADES


@pytest.mark.parametrize(
    "rebalance",
    [
        {"calendar": "quarterly", "min_interval": 100},
        {"calendar": "quarterly", "lag": 3},
        {"calendar": "monthly", "tranches": 3},
        {"calendar": "never", "band": {"size": 0.02}, "check": "monthly"},
    ],
    ids=str,
)
def test_a_change_of_size_waits_for_no_rule(market: Path, rebalance: dict[str, Any]) -> None:
    found = run_of(market, changed(EXPOSURES, rebalance=rebalance))
    weights = found.portfolio.weights
    assert set(TRADES) <= set(positions(found.portfolio.traded))
    for t in TRADES:
        held = {symbol: w for symbol, w in weights.iloc[t - START].items() if w}
        assert held == pytest.approx(AT_SIZE[decided(t - 1)], abs=1e-12)


# --- where there is nothing to size ---


def test_a_watched_signal_changes_nothing(market: Path) -> None:
    plain = run_of(market, {key: value for key, value in PLAIN.items() if key != "signal"})
    watched = run_of(market, changed(PLAIN, signal={"role": "watch"}))
    assert watched.sized is None
    ours, theirs = run_document(watched).dump(), run_document(plain).dump()
    assert ours.pop("study")["signal"]["role"] == "watch"
    theirs.pop("study")
    assert ours == theirs


@pytest.mark.parametrize("values", [PLAIN, EXPOSURES], ids=["weights", "exposures"])
def test_an_overlay_that_is_never_on_is_its_benchmark(market: Path, values: dict[str, Any]) -> None:
    """A window so long that there are never 252 differences; quarterly, at a cost, with a fund that stands still."""
    never = changed(values, signal={"window": 300}, rebalance={"calendar": "quarterly"}, costs={"half_spread_bps": 3.0})
    if "weights" in values:
        never["benchmark"] = {"CORE": 0.6, "MORE": 0.3}
    found = run_of(market, never)
    assert found.portfolio.value.tolist() == found.benchmark.value.tolist()
    assert found.portfolio.cost.tolist() == found.benchmark.cost.tolist()
    assert found.active.values["tracking_error"] == 0.0
    assert any("The signal is never known; until then the size is 0" in note for note in found.notes)


# --- what else is made of such a study ---


@pytest.mark.parametrize("costs", [0.0, 5.0])
@pytest.mark.parametrize("values", [PLAIN, EXPOSURES], ids=["weights", "exposures"])
def test_the_attribution_adds_up_exactly(market: Path, values: dict[str, Any], costs: float) -> None:
    found = run_of(market, changed(values, costs={"half_spread_bps": costs}))
    split = found.attribution
    assert split is not None
    own, other = found.portfolio.value, found.benchmark.value
    for parts, ours, theirs in zip(
        split.parts.to_numpy().tolist(), split.portfolio_returns, split.benchmark_returns, strict=True
    ):
        assert math.fsum(parts) == pytest.approx(ours - theirs, abs=1e-14)
    final = math.log(float(own.iloc[-1]) / float(other.iloc[-1]))
    assert math.fsum(split.totals.values()) == pytest.approx(final, abs=1e-12)
    told = run_document(found).dump()["attribution"]
    assert math.fsum([*told["parts"].values(), told["variance"]]) == pytest.approx(final, abs=1e-12)
    assert math.fsum(year["total"] for year in told["years"]) == pytest.approx(final, abs=1e-12)


def test_the_attribution_follows_the_size_in_force(market: Path) -> None:
    """`(e* - b) * x` by hand: the size traded at the close before, times 0.3, times the index's return."""
    split = run_of(market, EXPOSURES).attribution
    assert split is not None
    small = split.parts["RUSSELL2000"].tolist()
    fund = load_catalogue(None).fund("IWM")
    for t in range(START + 1, len(DAYS)):
        grown = PRICES["IWM"](t) / PRICES["IWM"](t - 1) - 1
        days = (DAYS[t] - DAYS[t - 1]).days
        assert small[t - START] == pytest.approx(
            0.3 * decided(t - 2) * grown, abs=0.3 * fund.expense * days / 365 + 1e-9
        )
    assert small[5] == 0.0


def test_rules_are_compared_with_the_signal_at_work(market: Path) -> None:
    """Each rule's figures are those of a plain run under that rule."""
    values = changed(EXPOSURES, start=f"{DAYS[START]}", costs={"half_spread_bps": 2.0})
    found = compare_rules(study_of(values), FolderSource(market))
    rows = found.rows
    never = next(name for name in rows if name.startswith("never"))
    for name, calendar in ((never, "never"), ("monthly", "monthly")):
        plain = run_of(market, values | {"rebalance": {"calendar": calendar}})
        assert found.runs[name].value.tolist() == plain.portfolio.value.tolist()
        assert rows[name]["cagr"] == plain.metrics.values["cagr"]
    assert positions(found.runs[never].rebalances) == TRADES
    assert any(note.startswith("The overlay's size follows LEAD against LAG") for note in found.notes)
    json.dumps(rules_document(found).dump(), allow_nan=False)
    assert rules_report(found).summary


def one_line(error: pytest.ExceptionInfo[AlphaOverlayError]) -> str:
    message = str(error.value)
    assert "\n" not in message
    return message


def refused(folder: Path, values: Mapping[str, Any]) -> str:
    with pytest.raises(AlphaOverlayError) as caught:
        run_of(folder, values)
    return one_line(caught)


def test_alternatives_are_refused_with_a_way_out(market: Path) -> None:
    with pytest.raises(AlphaOverlayError) as caught:
        compare_alternatives(study_of(EXPOSURES), FolderSource(market))
    message = one_line(caught)
    assert message.startswith("signal: ")
    assert 'role = "watch"' in message
    watched = changed(EXPOSURES, signal={"role": "watch"})
    assert compare_alternatives(study_of(watched), FolderSource(market)).as_stated


def test_a_signal_that_ends_before_the_span_is_refused(tmp_path: Path) -> None:
    """It ends on a day on which it is on, and nobody knows for how long."""
    folder = write_prices(write_prices(tmp_path, PRICES), {"LEAD": PRICES["LEAD"]}, last=420)
    message = refused(folder, PLAIN)
    assert f"known to {DAYS[419]}" in message
    assert f"ends on {DAYS[-1]}" in message
    assert f"write end = {DAYS[419]}" in message
    found = run_of(folder, PLAIN | {"end": f"{DAYS[419]}"})
    assert positions(found.portfolio.rebalances) == [t for t in TRADES if t < 420]


def test_a_size_that_cannot_be_designed_is_refused_and_named(market: Path) -> None:
    values = changed(
        EXPOSURES, overlay={"RUSSELL2000": 0.5, "NASDAQ100": -0.5}, signal={"steps": {"10%": 0.5, "2%": 3.0}}
    )
    message = refused(market, values)
    for words in ("size 3", "not possible", "smaller steps", "other funds"):
        assert words in message
    # Watched only, no such size can be decided on.
    assert run_of(market, changed(values, signal={"role": "watch"})).sized is None


def test_a_blend_that_would_be_short_is_refused_and_named(market: Path) -> None:
    """Three times half in CORE, less twice the benchmark's all of it."""
    message = refused(market, changed(PLAIN, signal={"steps": {"10%": 0.5, "2%": 3.0}}))
    assert "size 3" in message
    assert "CORE" in message


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        ({"long": "LAED"}, ["LAED", "add LAED.csv to the data folder"]),
        ({"window": 505}, ["505 common sessions", "needs 506", "shorter window"]),
        ({"basis": "total", "long": "RUSSELL1000"}, ["RUSSELL1000", "no series of it"]),
        ({"long": "LEAD?L=2"}, ["a ticker with terms has no history of its own"]),
    ],
    ids=str,
)
def test_a_signal_that_cannot_be_read_stops_the_run(market: Path, signal: dict[str, Any], said: list[str]) -> None:
    message = refused(market, changed(PLAIN, signal=signal))
    for words in said:
        assert words in message


def test_an_overlay_without_a_base_rests_in_cash(market: Path) -> None:
    values = {key: value for key, value in EXPOSURES.items() if key != "base"}
    found = run_of(market, values)
    assert found.portfolio.value.iloc[: 301 - START + 1].tolist() == [1.0] * (301 - START + 1)
    assert positions(found.portfolio.rebalances) == TRADES


def test_the_document_says_what_sized_it(tmp_path: Path) -> None:
    """Shares, changes and sizes counted by hand; and two runs of one study on other signals have other fingerprints."""
    here, there = (write_prices(tmp_path / name, PRICES) for name in ("here", "there"))
    write_prices(there, {"LEAD": CORE})
    ours, theirs = (run_document(run_of(folder, PLAIN)).dump() for folder in (here, there))
    told = ours["signal"]
    held = [decided(t - 1) for t in range(START, len(DAYS))]
    assert told["share"] == pytest.approx({f"{s:g}": held.count(s) / len(held) for s in (0.0, 0.5, 1.0)}, abs=1e-15)
    assert told["weights"] == {"0": {"CORE": 1.0}, "0.5": {"CORE": 0.75, "MORE": 0.25}, "1": FULL}
    assert (told["changes"], told["last_size"], told["known_from"]) == (len(TRADES), 0.0, f"{DAYS[KNOWN]}")
    assert (told["long"], told["short"], told["basis"], told["rest"]) == ("LEAD", "LAG", "price", 0.0)
    assert ours["portfolio"]["final_value"] != theirs["portfolio"]["final_value"]
    # The levels of the signal are part of what the result stands on.
    assert ours["data"]["fingerprint"] != theirs["data"]["fingerprint"]
    assert {"LEAD", "LAG"} <= {one["name"] for one in ours["data"]["series"]}
    early = run_document(run_of(here, PLAIN | {"end": f"{DAYS[400]}"})).dump()["signal"]
    assert early["last_size"] == 1.0  # decided at the last close, and not yet traded
    assert early["changes"] == 3
    assert run_document(run_of(here, changed(PLAIN, signal={"role": "watch"}))).dump()["signal"] is None


# --- nothing later matters ---


def later(price: Price, first: int, shape: Callable[[int], float]) -> Price:
    """A price that is another one from a session on."""
    return lambda t: price(t) * (shape(t) if t >= first else 1.0)


def sizes_of(folder: Path, end: int | None) -> pd.Series:
    """Every size that a study decides on up to a session, or to the last there is."""
    found = run_of(folder, PLAIN if end is None else PLAIN | {"end": f"{DAYS[end]}"}).sized
    assert found is not None
    return found.tactical.size


ENDS = [299, 300, 310, 340, 430]


@pytest.mark.parametrize("end", ENDS)
def test_sizes_up_to_a_day_are_the_same_whether_or_not_later_data_exist(tmp_path: Path, market: Path, end: int) -> None:
    cut = write_prices(tmp_path / "cut", PRICES, last=end + 1)
    wild = write_prices(tmp_path / "wild", PRICES)
    write_prices(wild, {"LEAD": later(PRICES["LEAD"], end + 1, lambda t: 1e9 if t % 2 else 1e-9)})
    whole = sizes_of(market, None)
    assert whole.tolist() == [decided(t) for t in range(len(DAYS))]
    for folder in (cut, wild, market):
        seen = sizes_of(folder, end)
        assert len(seen) == end + 1
        assert seen.tolist() == whole.iloc[: end + 1].tolist()
    assert sizes_of(cut, None).tolist() == whole.iloc[: end + 1].tolist()


@pytest.mark.parametrize("values", [PLAIN, EXPOSURES], ids=["weights", "exposures"])
@pytest.mark.parametrize("end", [305, 430])
def test_a_run_up_to_a_day_is_the_same_whatever_comes_after(
    tmp_path: Path, market: Path, end: int, values: dict[str, Any]
) -> None:
    cut = write_prices(tmp_path / "cut", PRICES, last=end + 1)
    wild = write_prices(
        tmp_path / "wild", {s: later(p, end + 1, lambda t: 1e9 if t % 2 else 1e-9) for s, p in PRICES.items()}
    )
    asked = values | {"end": f"{DAYS[end]}", "costs": {"half_spread_bps": 2.0}}
    texts = []
    for folder in (market, cut, wild):
        document = run_document(run_of(folder, asked)).dump()
        for one in document["data"]["series"]:  # says what the file holds, not what was used
            one.pop("last")
            one.pop("observations")
        texts.append(json.dumps(document).replace(str(folder), "FOLDER"))
    assert texts[0] == texts[1] == texts[2]


def test_a_tactical_study_is_written_and_read_as_itself(tmp_path: Path) -> None:
    study = study_of(EXPOSURES)
    (tmp_path / "my.toml").write_text(study_toml(study, tmp_path), encoding="utf-8")
    assert study_from(study.as_toml_values(), "test") == study
    assert load_study(tmp_path / "my.toml") == study


def test_the_hand_made_sizes_change_where_the_trades_are() -> None:
    """The test's own arithmetic."""
    sizes = [decided(t) for t in range(len(DAYS))]
    assert [t + 2 for t, (one, other) in enumerate(pairwise(sizes)) if one != other] == TRADES
