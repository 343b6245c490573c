"""A study on many paths: what it finds, what it says, and how it is written down."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.report.test_html import opened
from tests.study import test_sized_overlay as sized
from tests.study.plain_market import DAYS, write_market
from tests.study.test_ahead import PLAIN, PRICES, poisoned

from alphaoverlay.errors import AlphaOverlayError, DataError, SpanError, StudyError
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.sample import SampleSource
from alphaoverlay.report.html import render_html
from alphaoverlay.report.model import Report
from alphaoverlay.study.load import study_from
from alphaoverlay.study.simulated import StudySimulation, simulate_study
from alphaoverlay.study.simulation_document import simulation_document
from alphaoverlay.study.simulation_report import simulation_report

FLOWS = [{"amount": -0.02, "calendar": "monthly"}]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_market(tmp_path_factory.mktemp("made"), PRICES)


def simulated(folder: Path, values: Mapping[str, Any] = PLAIN, **more: Any) -> StudySimulation:
    terms: dict[str, Any] = {"paths": 200, "sessions": 30, "seed": 3} | more
    return simulate_study(study_from(dict(values), "test"), FolderSource(folder), **terms)


def document(found: StudySimulation) -> dict[str, Any]:
    """The document as it is read again from what is printed: nothing in it that JSON does not have."""
    read: dict[str, Any] = json.loads(json.dumps(simulation_document(found).dump(), allow_nan=False))
    return read


@cache
def on_sample(**more: Any) -> StudySimulation:
    """The founding case on the sample, one fund that loses all at +34% beside it where asked for."""
    values = {"weights": {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}, "benchmark": "SPY"}
    terms = {"paths": 300, "sessions": 60} | more
    return simulate_study(study_from(values, "test"), SampleSource(), **terms)


def words_of(report: Report) -> str:
    return " ".join(render_html(report).split())


def numbers(value: Any) -> Iterator[float]:
    """Every number in a document."""
    if isinstance(value, dict):
        for one in value.values():
            yield from numbers(one)
    elif isinstance(value, list):
        for one in value:
            yield from numbers(one)
    elif isinstance(value, float | int) and not isinstance(value, bool):
        yield float(value)


# --- the document ---


def test_the_document_has_its_keys_and_every_number_is_finite(market: Path) -> None:
    said = document(simulated(market))
    keys = ("p01", "p05", "p25", "p50", "p75", "p95", "p99")
    figures = {"wealth", "cagr", "max_drawdown", "under_water", "longest_under_water"}
    assert set(said["quantiles"]) == set(said["standard_errors"]) == set(said["means"]) == figures | {"active_cagr"}
    assert set(said["benchmark"]["quantiles"]) == figures
    for part in (said, said["benchmark"]):
        for kind in ("quantiles", "standard_errors"):
            assert all(tuple(one) == keys for one in part[kind].values())
    assert (said["seed"], said["paths"], said["sessions"]) == (3, 200, 30)
    assert (said["start"], said["asof"], said["rate"]) == (f"{DAYS[-1]}", f"{DAYS[-1]}", 0.02)
    assert said["generator"]["name"] == "bootstrap"
    assert said["generator"]["mean"] == "historical"
    assert (said["generator"]["sessions"], said["generator"]["last"]) == (len(DAYS) - 1, f"{DAYS[-1]}")
    assert said["portfolio"] == {"SPY": 0.6, "TWO": 0.3}
    assert said["benchmark_weights"] == {"SPY": 1.0}
    assert set(said["probabilities"]) == {"ruin", "halved", "trailing"}
    assert set(said["benchmark"]["probabilities"]) == {"ruin", "halved"}
    assert said["others"] == said["sensitivity"] == {}
    assert said["exact_quantiles"] is True
    assert all(math.isfinite(one) for one in numbers(said))
    assert said["fan"]["paths"] == 200
    assert (said["fan"]["dates"][0], len(said["fan"]["dates"])) == (f"{DAYS[-1]}", 31)
    for who in ("portfolio", "benchmark"):
        assert set(said["fan"][who]) == {"p05", "p25", "p50", "p75", "p95"}
        assert {len(one) for one in said["fan"][who].values()} == {31}


def test_quantiles_rise_and_signs_are_those_of_the_house(market: Path) -> None:
    said = document(simulated(market))
    for one in said["quantiles"].values():
        assert list(one.values()) == sorted(one.values())
    assert -1.0 <= said["quantiles"]["max_drawdown"]["p01"] <= said["quantiles"]["max_drawdown"]["p99"] <= 0.0
    assert 0.0 <= said["quantiles"]["under_water"]["p01"] <= said["quantiles"]["under_water"]["p99"] <= 1.0
    # A quantile passes through a rising transformation, of order statistics exactly: 199 * 0.05 is not whole.
    years = (date.fromisoformat(said["end"]) - date.fromisoformat(said["start"])).days / 365.25
    for p in ("p25", "p50", "p75"):
        expected = said["quantiles"]["wealth"][p] ** (1 / years) - 1
        assert said["quantiles"]["cagr"][p] == pytest.approx(expected, abs=2e-3)
    assert said["fan"]["portfolio"]["p50"][-1] == pytest.approx(said["quantiles"]["wealth"]["p50"])


def test_the_same_seed_prints_the_same_and_another_does_not(market: Path) -> None:
    one, again = (json.dumps(document(simulated(market, workers=workers))) for workers in (1, 4))
    assert one == again
    assert document(simulated(market, seed=4))["quantiles"] != json.loads(one)["quantiles"]


def test_nothing_after_the_day_is_looked_at(market: Path, tmp_path: Path) -> None:
    write_market(tmp_path, {name: poisoned(one, 300) for name, one in PRICES.items()})
    one, other = (document(simulated(folder, asof=f"{DAYS[300]}")) for folder in (market, tmp_path))
    for key in ("quantiles", "standard_errors", "means", "probabilities", "benchmark", "fan", "generator", "notes"):
        assert one[key] == other[key], key
    assert one["data"]["fingerprint"] == other["data"]["fingerprint"]
    assert document(simulated(market, asof=f"{DAYS[301]}"))["quantiles"] != one["quantiles"]


def test_the_start_of_a_study_plays_no_part(market: Path) -> None:
    one, other = (document(simulated(market, PLAIN | more)) for more in ({}, {"start": f"{DAYS[400]}"}))
    assert one["quantiles"] == other["quantiles"]
    assert one["notes"] == other["notes"]


def test_flows_leave_growth_beside_wealth(market: Path) -> None:
    found = simulated(market, PLAIN | {"flows": FLOWS, "capital": 1.0}, sessions=60)
    said = document(found)
    plain = document(simulated(market, sessions=60))
    for part in (said, said["benchmark"]):
        assert list(part["quantiles"])[:2] == ["wealth", "growth"]
        assert part["quantiles"]["growth"]["p50"] > part["quantiles"]["wealth"]["p50"] + 0.03
    assert said["quantiles"]["growth"]["p50"] == pytest.approx(plain["quantiles"]["wealth"]["p50"], rel=0.01)
    assert "growth" not in plain["quantiles"]
    assert "Growth of 1, without the flows" in words_of(simulation_report(found))


def test_other_rules_run_on_the_same_paths(market: Path) -> None:
    """The study's own rule by another name is not run twice."""
    found = simulated(market, rules=["quarterly", "never", "daily"], sessions=70)
    said = document(found)
    assert list(said["others"]) == ["portfolio, never", "portfolio, daily"]
    own = {key: said[key] for key in ("quantiles", "standard_errors", "means", "probabilities")}
    assert said["others"]["portfolio, never"] != own
    text = words_of(simulation_report(found))
    for words in ("rebalanced quarterly", "rebalanced daily", "never rebalanced"):
        assert words in text


def test_a_portfolio_that_is_its_benchmark_never_trails_it(market: Path) -> None:
    said = document(simulated(market, {**PLAIN, "weights": {"SPY": 1.0}}))
    assert set(said["quantiles"]["active_cagr"].values()) == {0.0}
    trailing = said["probabilities"]["trailing"]
    assert (trailing["value"], trailing["standard_error"]) == (0.0, None)
    assert trailing["bound"] == pytest.approx(1 - 0.05 ** (1 / 200))


def test_a_mean_is_what_the_paths_earn(market: Path) -> None:
    """20,000 paths of one quarter at +40% and at -40% a year: their mean wealth within five of its own errors."""
    for mean in (0.4, -0.4):
        free = {"weights": {"TWO": 1.0}, "benchmark": "TWO", "cash": {"rate": 0.0}, "costs": {"half_spread_bps": 0.0}}
        found = simulated(market, free, mean=mean, sessions=63, paths=20_000, block=1.0)
        wealth = found.simulation.outcomes["portfolio"].figures["wealth"].mean
        assert wealth.value is not None
        assert wealth.error is not None
        assert abs(wealth.value - (1 + mean) ** 0.25) < 5 * wealth.error
        assert document(found)["generator"]["mean"] == mean


def test_ruin_is_told(tmp_path: Path) -> None:
    """A day of +40% in one year: three times short of it, nothing is left on the paths that meet it."""
    write_market(tmp_path, {"JUMP": lambda t: 100.0 * (1.4 if t >= 450 else 1.0) * (1.0 + 0.001 * (t % 2))})
    values = {**PLAIN, "weights": {"JUMP?L=-3": 1.0}, "benchmark": "JUMP"}
    found = simulated(tmp_path, values, sessions=252, block=1.0, paths=400)
    ruin = document(found)["probabilities"]["ruin"]
    expected = 1 - (1 - 1 / (len(DAYS) - 1)) ** 252
    assert ruin["value"] == pytest.approx(expected, abs=5 * math.sqrt(expected * (1 - expected) / 400))
    assert f"Nothing is left of the portfolio on {ruin['value']:.2%} of the paths." in found.notes
    assert document(found)["quantiles"]["wealth"]["p01"] == 0.0
    assert document(found)["quantiles"]["cagr"]["p01"] == -1.0


# --- sensitivity ---


def test_sensitivity_varies_blocks_and_generators() -> None:
    found = on_sample(sensitivity=True, block=40.0, window=800)
    said = document(found)
    assert set(said["sensitivity"]) == {
        "bootstrap, blocks of 20 (half)", "bootstrap, blocks of 80 (double)", "fhs", "t", "regimes",
    }  # fmt: skip
    for one in said["sensitivity"].values():
        assert one["paths"] == 300
        for key in ("cagr", "cagr_p05", "benchmark_cagr", "active_cagr", "max_drawdown", "trailing"):
            assert one[key]["value"] is not None
            assert one[key]["standard_error"] > 0.0
    assert len({one["cagr"]["value"] for one in said["sensitivity"].values()}) == 5
    assert "How much it depends on the model" in words_of(simulation_report(found))


@pytest.mark.parametrize("generator", ["fhs", "t", "regimes"])
def test_every_generator_runs_a_study(generator: str) -> None:
    said = document(on_sample(generator=generator, paths=200, sessions=20))
    assert said["generator"]["name"] == generator
    assert all(math.isfinite(one) for one in numbers(said))


# --- what is said ---


def test_every_output_says_that_it_is_simulated(market: Path) -> None:
    found = simulated(market)
    said = " ".join(found.notes)
    assert "Simulated paths, not a forecast: 200 paths of SP500, TWO, made from 504 sessions from 2019-01-03 to" in said
    assert f"Bought on {DAYS[-1]}. The financing rate of that day, 2.00%, is held" in said
    assert "Standard errors are those of the number of paths" in said
    assert document(found)["notes"] == list(found.notes)
    report = simulation_report(found)
    text = words_of(report)
    for words in (
        "Simulated paths, not a forecast",
        "200 simulated paths",
        "Where it may go",
        "How the paths were made",
    ):
        assert words in text
    for word in (" nan", "None", "inf "):
        assert word not in report.summary + " ".join(tile.value for tile in report.tiles)


def test_the_summary_is_the_documents_numbers(market: Path) -> None:
    found = simulated(market)
    said, summary = document(found), simulation_report(found).summary
    assert f"became {said['quantiles']['wealth']['p50']:.2f} or more on half of them" in summary
    assert f"less than {said['quantiles']['wealth']['p05']:.2f} on one in twenty" in summary
    trailing = said["probabilities"]["trailing"]
    assert f"{trailing['value']:.1%} ± {2 * trailing['standard_error']:.1%} of the paths" in summary


def test_one_path_of_one_session_is_possible(market: Path) -> None:
    said = document(simulated(market, paths=1, sessions=1))
    assert said["means"]["wealth"]["standard_error"] is None
    assert set(said["quantiles"]["wealth"].values()) == {said["means"]["wealth"]["value"]}
    render_html(simulation_report(simulated(market, paths=1, sessions=1)))


def test_a_signal_holds_its_size_and_says_so(tmp_path: Path) -> None:
    folder = sized.write_prices(tmp_path / "sized", sized.PRICES)
    found = simulated(folder, sized.PLAIN, asof=f"{DAYS[305]}")
    said = document(found)
    assert said["portfolio"] == {"CORE": 0.75, "MORE": 0.25}
    assert any("decided on size 0.5" in note and "is held on every path" in note for note in said["notes"])
    # Held at half by hand, without a signal, it comes to the same.
    plain = {key: value for key, value in sized.PLAIN.items() if key != "signal"} | {"weights": said["portfolio"]}
    assert document(simulated(folder, plain, asof=f"{DAYS[305]}"))["quantiles"] == said["quantiles"]


# --- progress ---


def test_progress_is_told(market: Path) -> None:
    said: list[str] = []
    simulated(market, progress=said.append)
    assert said[0].startswith("fitting: ")
    assert said[-1] == "simulating: 200 of 200 paths"


def test_ctrl_c_goes_through(market: Path) -> None:
    def stop(said: str) -> None:
        if said.startswith("simulating"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulated(market, progress=stop, paths=100_000)


# --- mistakes ---


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"paths": 0}, StudyError, "paths = 0: write 1 to 100,000,000"),
        ({"seed": -1}, StudyError, "seed = -1: write 0 to"),
        ({"sessions": 0}, SpanError, "sessions = 0: write 1 to 12,600"),
        ({"sessions": 20_000}, SpanError, "sessions = 20000: write 1 to 12,600"),
        ({"generator": "bootstap"}, StudyError, "write one of bootstrap, fhs, t, regimes. Did you mean bootstrap"),
        ({"rules": ["fortnightly"]}, StudyError, "rule 'fortnightly': write one of never, daily, weekly"),
        ({"mean": "hitorical"}, StudyError, "write historical, zero, or a yearly return"),
        ({"mean": {"SP50": 0.05}}, StudyError, "mean.SP50: no such index on the paths; they are of SP500, TWO"),
        ({"mean": 7.0}, StudyError, "mean = 7.0: write a yearly return as a fraction"),
        ({"mean": math.nan}, StudyError, "mean = nan: write a yearly return"),
        ({"start": "today"}, StudyError, "bootstrap has no state to start from; leave it out"),
        ({"generator": "t", "block": 5.0}, StudyError, "t draws no blocks; leave it out"),
        ({"generator": "regimes", "start": 0.25}, StudyError, "write today or average"),
        ({"block": 0.5}, StudyError, "block = 0.5: write the mean length of a block in sessions, 1 or more"),
        ({"block": math.nan}, StudyError, "block = nan: write"),
        ({"window": 0}, StudyError, "window = 0: write 60 sessions or more"),
        ({"window": 20}, StudyError, "window = 20: write 60 sessions or more"),
        ({"asof": "yesterday"}, StudyError, "asof: 'yesterday' is not a date; write it as YYYY-MM-DD"),
        ({"asof": "2031-01-01"}, SpanError, "the data end on 2020-12-31"),
        ({"asof": "2011-01-03"}, AlphaOverlayError, "2011-01-03"),
        ({"asof": f"{DAYS[30]}"}, DataError, "only 30 sessions up to"),
    ],
    ids=lambda one: str(one)[:40],
)
def test_a_mistake_is_named_with_what_to_write(
    market: Path, more: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error) as raised:
        simulated(market, **more)
    assert said in str(raised.value)


def test_an_index_that_is_unknown_or_without_data_is_named(market: Path) -> None:
    for values, said in (
        ({**PLAIN, "weights": {"QQQ": 0.5}}, "no series of NASDAQ100 in "),
        ({**PLAIN, "weights": {"NOSUCH": 0.5}}, "unknown symbol 'NOSUCH'"),
        ({"base": {"SP501": 1.0}}, "base.SP501: unknown index. Did you mean SP500"),
    ):
        with pytest.raises(AlphaOverlayError) as raised:
            simulated(market, values)
        assert said in str(raised.value)


@pytest.mark.browser
def test_the_page_opens_in_a_browser_without_a_complaint(chromium: str, market: Path, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(render_html(simulation_report(simulated(market))), encoding="utf-8")
    drawn = opened(chromium, tmp_path / "report.html", "light", 1100)
    assert drawn.charts >= 2
    assert drawn.width <= 1100
    assert drawn.complaints == []


def test_what_is_paid_in_is_not_told_as_growth(market: Path) -> None:
    """Half as much again paid in each month: the first sentence tells growth, and the chart says what is in it."""
    found = simulated(market, {**PLAIN, "flows": [{"share": 0.5, "calendar": "monthly"}]}, sessions=70)
    figures = found.simulation.outcomes["portfolio"].figures
    growth, wealth = (figures[key].quantiles[0.50].value for key in ("growth", "wealth"))
    assert growth is not None
    assert wealth is not None
    assert wealth > 1.5 * growth
    report = simulation_report(found)
    assert "cash flows left out, (" in report.summary
    assert f"became {growth:.2f} or more" in report.summary
    assert "Cash flows are in it." in words_of(report)
    assert "left out" not in simulation_report(simulated(market)).summary
