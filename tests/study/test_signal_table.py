"""`[signal]` of a study: what each key builds, how each mistake is named, and there and back."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from tests.study.test_load import refused

from alphaoverlay.errors import TickerError
from alphaoverlay.signals.tactical import TacticalRule
from alphaoverlay.study.load import NOTHING_TO_HOLD, Study, load_study, study_from
from alphaoverlay.study.signal_table import SignalTable
from alphaoverlay.study.write import study_toml

PAIR = {"long": "RUT", "short": "IXIC"}
TRADE = {"SPY": 0.7, "UPRO": 0.1, "TNA": 0.1, "SQQQ": 0.1}


def study_of(**keys: Any) -> Study:
    """A study with nothing but a signal."""
    return study_from({"signal": PAIR | keys}, "test")


def table_of(**keys: Any) -> SignalTable:
    """Its table."""
    table = study_of(**keys).signal
    assert table is not None
    return table


def rule_of(**keys: Any) -> TacticalRule:
    """The rule that a table of these keys builds."""
    return table_of(**keys).build()


# --- what is built ---


@pytest.mark.parametrize(
    ("keys", "built"),
    [
        ({}, TacticalRule(756, None, 0.05, 0.50)),
        ({"window": 20}, TacticalRule(window=20)),
        ({"window": 5040}, TacticalRule(window=5040)),
        ({"lookback": "all"}, TacticalRule(lookback=None)),
        ({"lookback": "20y"}, TacticalRule(lookback=5040)),
        ({"lookback": 252}, TacticalRule(lookback=252)),
        ({"lookback": 25_200}, TacticalRule(lookback=25_200)),
        ({"enter": "10%"}, TacticalRule(enter=0.1)),
        ({"enter": 0}, TacticalRule(enter=0.0)),
        ({"exit": 1}, TacticalRule(exit=1.0)),
        ({"enter": "95%", "exit": "50%"}, TacticalRule(enter=0.95, exit=0.5)),
        ({"steps": {"5%": 0.5, "1%": 1}}, TacticalRule(steps=((0.05, 0.5), (0.01, 1.0)))),
        ({"steps": {"5%": "50%"}}, TacticalRule(steps=((0.05, 0.5),))),
        ({"steps": [[0.05, 0.5], ["1%", 3]]}, TacticalRule(steps=((0.05, 0.5), (0.01, 3.0)))),
        ({"steps": {}}, TacticalRule()),
        (
            {"enter": 0.95, "exit": 0.5, "steps": {"95%": 0.5, "99%": 1.0}},
            TacticalRule(enter=0.95, exit=0.5, steps=((0.95, 0.5), (0.99, 1.0))),
        ),
        ({"profit_target": "25%", "stop": 0.15}, TacticalRule(profit_target=0.25, stop=0.15)),
        ({"time_limit": 1, "cooldown": 5040}, TacticalRule(time_limit=1, cooldown=5040)),
        ({"rest": "25%"}, TacticalRule(rest=0.25)),
        ({"confirm": "trend"}, TacticalRule(confirm="trend")),
        ({"confirm": "momentum"}, TacticalRule(confirm="momentum")),
    ],
    ids=str,
)
def test_every_key_builds_what_it_says(keys: dict[str, Any], built: TacticalRule) -> None:
    assert rule_of(**keys) == built


def test_what_stands_beside_the_rule() -> None:
    table = table_of()
    assert (table.basis, table.horizon, table.proxies, table.role) == ("price", 252, None, "size")
    table = table_of(basis="total", horizon=1, proxies=[["iwm", " qqq "]], role="watch")
    assert (table.basis, table.horizon, table.proxies, table.role) == ("total", 1, (("IWM", "QQQ"),), "watch")
    assert table_of(proxies=[]).proxies == ()
    table = study_from({"signal": {"long": " rut ", "short": "Ixic"}}, "test").signal or table
    assert (table.long, table.short) == ("RUT", "IXIC")


@pytest.mark.parametrize(
    ("keys", "sizes"),
    [
        ({}, (0.0, 1.0)),
        ({"rest": 1}, (1.0,)),
        ({"rest": 0.2}, (0.2, 1.0)),
        ({"steps": {"5%": 0.5, "1%": 1.0}}, (0.0, 0.5, 1.0)),
        ({"steps": {"5%": 0.25, "1%": 2.0}}, (0.0, 0.25, 2.0)),
    ],
    ids=str,
)
def test_every_size_that_can_be_decided_is_known_beforehand(keys: dict[str, Any], sizes: tuple[float, ...]) -> None:
    assert rule_of(**keys).sizes == sizes


# --- mistakes ---

MISTAKES: list[tuple[dict[str, Any], list[str]]] = [
    ({"long": None}, ["signal.long", "a symbol or an index"]),
    ({"long": 3}, ["signal.long", "a symbol or an index", "3"]),
    ({"long": ""}, ["signal.long", "a symbol or an index"]),
    ({"long": ["RUT"]}, ["signal.long", "a symbol or an index"]),
    ({"short": "rut"}, ["signal", "long and short are both RUT", "name two"]),
    ({"basis": "Price"}, ["signal.basis", "'price' or 'total'", "'Price'"]),
    ({"window": 19}, ["signal.window", "greater than or equal to 20", "19"]),
    ({"window": 5041}, ["signal.window", "less than or equal to 5040"]),
    ({"window": 756.0}, ["signal.window", "integer", "756.0"]),
    ({"window": "756"}, ["signal.window", "integer", "'756'"]),
    ({"window": True}, ["signal.window", "integer"]),
    ({"lookback": 251}, ["signal.lookback", "greater than or equal to 252"]),
    ({"lookback": 25_201}, ["signal.lookback", "less than or equal to 25200"]),
    ({"lookback": "20 years"}, ["signal.lookback", "'20 years'"]),
    ({"lookback": "ALL"}, ["signal.lookback", "'ALL'"]),
    ({"lookback": 2520.0}, ["signal.lookback", "integer"]),
    ({"lookback": True}, ["signal.lookback"]),
    ({"enter": -0.01}, ["signal.enter", "greater than or equal to 0"]),
    ({"enter": 5}, ["signal.enter", "less than or equal to 1", "5"]),
    ({"enter": "110%"}, ["signal.enter", "less than or equal to 1"]),
    ({"enter": "low"}, ["signal.enter", "write a number", "'low'"]),
    ({"enter": math.nan}, ["signal.enter", "finite"]),
    ({"enter": True}, ["signal.enter", "write a number"]),
    ({"exit": 0.05}, ["signal", "enter and exit are both 0.05", "other side"]),
    ({"exit": math.inf}, ["signal.exit", "finite"]),
    ({"steps": {"4%": 0.5}}, ["signal", "steps at 0.04", "the entry, 0.05"]),
    ({"steps": {"5%": 0.5, "6%": 1.0}}, ["signal", "steps", "lower"]),
    ({"steps": {"5%": 0.5, "0.05": 1.0}}, ["signal", "steps", "lower"]),
    ({"enter": 0.9, "exit": 0.5, "steps": {"90%": 0.5, "85%": 1.0}}, ["signal", "steps", "higher"]),
    ({"steps": {"5%": -1}}, ["signal", "steps", "sizes from 0 to 3"]),
    ({"steps": {"5%": 3.01}}, ["signal", "steps", "sizes from 0 to 3"]),
    ({"steps": {"105%": 1}}, ["signal", "steps", "percentiles are from 0 to 1"]),
    ({"steps": {"5%": "half"}}, ["signal.steps", "write a number"]),
    ({"steps": {"5%": True}}, ["signal.steps", "write a number"]),
    ({"steps": {"0": {"05": 0.5}}}, ["signal.steps", "write a number"]),  # what TOML makes of 0.05 without quotes
    ({"steps": "5%"}, ["signal.steps", "percentiles and sizes"]),
    ({"steps": [0.05, 0.5]}, ["signal.steps", "percentiles and sizes"]),
    ({"steps": [[0.05]]}, ["signal.steps", "percentiles and sizes"]),
    ({"steps": {f"{50 - i}e-3": 1.0 for i in range(11)}}, ["signal.steps", "more than 10 entries"]),
    ({"profit_target": 0}, ["signal.profit_target", "greater than 0"]),
    ({"profit_target": 10.1}, ["signal.profit_target", "less than or equal to 10"]),
    ({"stop": -0.1}, ["signal.stop", "greater than 0"]),
    ({"stop": "fast"}, ["signal.stop", "write a number", "'fast'"]),
    ({"time_limit": 0}, ["signal.time_limit", "greater than or equal to 1"]),
    ({"time_limit": 1.5}, ["signal.time_limit", "integer"]),
    ({"cooldown": -1}, ["signal.cooldown", "greater than or equal to 0"]),
    ({"cooldown": 5041}, ["signal.cooldown", "less than or equal to 5040"]),
    ({"rest": -0.1}, ["signal.rest", "greater than or equal to 0"]),
    ({"rest": 3.1}, ["signal.rest", "less than or equal to 3"]),
    ({"confirm": "Trend"}, ["signal.confirm", "'none', 'trend' or 'momentum'", "'Trend'"]),
    ({"confirm": True}, ["signal.confirm", "'trend'"]),
    ({"horizon": 0}, ["signal.horizon", "greater than or equal to 1"]),
    ({"horizon": 2521}, ["signal.horizon", "less than or equal to 2520"]),
    ({"proxies": ["IWM", "QQQ"]}, ["signal.proxies", "list of pairs", "long leg first"]),
    ({"proxies": [["IWM"]]}, ["signal.proxies", "list of pairs"]),
    ({"proxies": [["IWM", "QQQ", "SPY"]]}, ["signal.proxies", "list of pairs"]),
    ({"proxies": "IWM"}, ["signal.proxies", "list of pairs", "'IWM'"]),
    ({"proxies": {"IWM": "QQQ"}}, ["signal.proxies", "list of pairs"]),
    ({"proxies": [["IWM", 3]]}, ["signal.proxies", "a symbol or an index"]),
    ({"proxies": [["A", "B"]] * 13}, ["signal.proxies", "more than 12 entries"]),
    ({"role": "both"}, ["signal.role", "'size' or 'watch'", "'both'"]),
]


@pytest.mark.parametrize(("keys", "said"), MISTAKES, ids=lambda v: str(v)[:60])
def test_a_mistake_is_one_line_that_names_the_key(keys: dict[str, Any], said: list[str]) -> None:
    refused({"signal": PAIR | keys}, said)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"signal": {"long": "RUT"}}, ["signal.short", "is missing"]),
        ({"signal": {}}, ["signal.long", "is missing"]),
        ({"signal": 3}, ["signal", 'signal = { long = "RUT", short = "IXIC" }']),
        ({"signals": PAIR}, ["signals", "Did you mean signal?"]),
        ({"title": "nothing"}, ["nothing to hold", "[base]", "[weights]"]),
        ({"signal": PAIR | {"windw": 300}}, ["unknown key signal.windw"]),
    ],
    ids=str,
)
def test_a_table_that_is_not_one(values: dict[str, Any], said: list[str]) -> None:
    refused(values, said)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"windw": 300}, ["Did you mean window?", "window, lookback, enter, exit"]),
        ({"profit": 0.2}, ["profit_target"]),
        ({"window": 19}, ["write for example window = 756"]),
        ({"lookback": "20 years"}, ["write for example lookback = "]),
        ({"steps": [0.05]}, ["write for example steps = { ", '"5%" = 0.5']),
        ({"proxies": "IWM"}, ["write for example proxies = ", '"QQQ"']),
        ({"role": "both"}, ['write for example role = "watch"']),
    ],
    ids=str,
)
def test_a_mistake_says_what_to_write(keys: dict[str, Any], said: list[str]) -> None:
    refused({"signal": PAIR | keys}, [*said])


def test_a_bad_ticker_is_shown_where_it_is_wrong() -> None:
    with pytest.raises(TickerError, match=r"test: ticker RUT\?L=x, character 7"):
        study_from({"signal": {"long": "RUT?L=x", "short": "IXIC"}}, "test")


# --- what such a study is ---


def test_a_study_may_hold_nothing_but_a_signal() -> None:
    study = study_of()
    assert not study.holds_something
    assert not study.sized
    assert NOTHING_TO_HOLD.startswith("nothing to hold")
    refused({"benchmark": "SPY"}, ["nothing to hold"])


@pytest.mark.parametrize(
    ("values", "sized"),
    [
        ({"weights": TRADE}, True),
        ({"base": {"SP500": 1.0}}, True),
        ({"overlay": {"SP500": 0.5}}, True),
        ({"weights": TRADE, "role": "watch"}, False),
        ({"base": {"SP500": 0.0}}, False),
        ({}, False),
    ],
    ids=str,
)
def test_it_sizes_only_what_is_held_and_only_where_it_may(values: dict[str, Any], sized: bool) -> None:
    role = {"role": values.pop("role")} if "role" in values else {}
    assert study_from(values | {"signal": PAIR | role}, "test").sized is sized


# --- there and back ---

FULL: dict[str, Any] = {
    "long": "RUSSELL2000",
    "short": "NASDAQ100",
    "basis": "total",
    "window": 504,
    "lookback": "20y",
    "enter": "10%",
    "exit": 0.6,
    "steps": {"10%": 0.5, "5%": 0.75, "0.1%": 1.25},
    "profit_target": 0.25,
    "stop": "15%",
    "time_limit": 252,
    "cooldown": 21,
    "rest": 0.1,
    "confirm": "momentum",
    "horizon": 126,
    "proxies": [["IWM", "QQQ"], ["RUT", "^IXIC"]],
    "role": "watch",
}


@pytest.mark.parametrize(
    "signal",
    [FULL, PAIR, PAIR | {"lookback": "all", "proxies": []}, PAIR | {"enter": 1 / 3, "exit": 2 / 3, "window": 20}],
    ids=["everything", "the least", "empty", "thirds"],
)
@pytest.mark.parametrize("held", [{}, {"weights": TRADE, "benchmark": "SPY"}], ids=["alone", "with weights"])
def test_a_written_signal_reads_back_as_itself(tmp_path: Path, signal: dict[str, Any], held: dict[str, Any]) -> None:
    study = study_from(held | {"signal": signal}, "test")
    (tmp_path / "my.toml").write_text(study_toml(study, tmp_path), encoding="utf-8")
    assert load_study(tmp_path / "my.toml") == study
    values = study.as_toml_values()
    assert study_from(values, "test") == study
    assert study_from(values, "test").as_toml_values() == values


def test_steps_as_people_write_them_in_toml(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(
        '[signal]\nlong = "RUT"\nshort = "IXIC"\nlookback = "20y"\n[signal.steps]\n"5%" = 0.5\n"1%" = "100%"\n'
    )
    table = load_study(tmp_path / "my.toml").signal
    assert table is not None
    assert table.steps == ((0.05, 0.5), (0.01, 1.0))
    assert table.lookback == 5040
