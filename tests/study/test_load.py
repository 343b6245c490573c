"""Studies: what is accepted, and how each mistake is named."""

from __future__ import annotations

import datetime
import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from alphaoverlay.errors import StudyError
from alphaoverlay.study.load import Study, load_study, study_from
from alphaoverlay.study.write import starter_study, study_toml

WEIGHTS = {"SPY": 0.7, "UPRO": 0.1}


def test_weights_are_fractions_where_they_add_up_to_at_most_one() -> None:
    assert study_from({"weights": WEIGHTS}, "x").weights == WEIGHTS


def test_weights_are_percent_where_they_add_up_to_much_more_than_one() -> None:
    assert study_from({"weights": {"SPY": 70, "UPRO": "10", "TNA": 0.5}}, "x").weights == {
        "SPY": 0.7, "UPRO": 0.1, "TNA": 0.005
    }  # fmt: skip


def test_weights_below_the_whole_leave_cash() -> None:
    assert sum((study_from({"weights": {"SPY": 60}}, "x").weights or {}).values()) == 0.6


def test_names_are_upper_case_and_percent_signs_are_read() -> None:
    study = study_from({"base": {"sp500": "100%"}, "overlay": {"nasdaq100": "-30%"}}, "x")
    assert study.base == {"SP500": 1.0}
    assert study.overlay == {"NASDAQ100": -0.3}


def test_a_benchmark_is_a_symbol_or_weights() -> None:
    assert study_from({"weights": WEIGHTS, "benchmark": "spy"}, "x").benchmark == {"SPY": 1.0}
    assert study_from({"weights": WEIGHTS, "benchmark": {"SPY": 60, "TLT": 40}}, "x").benchmark == {
        "SPY": 0.6, "TLT": 0.4
    }  # fmt: skip


MISTAKES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["nothing to hold", "[base]", "[weights]"]),
    ({"weights": {"SPY": 0.7, "UPRO": 0.4}}, ["weights", "add up to 1.1", "lower them"]),
    ({"weights": {"SPY": 70, "UPRO": 40}}, ["weights", "add up to 1.1, more than 1", "lower them"]),
    ({"weights": {"SPY": 1.2}}, ["weights", "add up to 1.2, more than 1", "percent signs"]),
    ({"weights": {"SPY": "70%", "UPRO": 10}}, ["weights", "on all of them or on none"]),
    ({"weights": {"SPY": "70%", "UPRO": "40%"}}, ["weights", "add up to 1.1", "cash.borrowing_spread = 0.015"]),
    ({"weights": {"SPY": 10**400}}, ["weights", "SPY", "finite"]),
    ({"weights": WEIGHTS, "rebalance": {"calendar": "daily", "offset": 2}}, ["rebalance", "offset"]),
    ({"weights": {"SPY": -0.1}}, ["weights", "SPY = -0.1 is negative", "inverse fund"]),
    ({"weights": {}}, ["weights", "no weight"]),
    ({"weights": {"SPY": "much"}}, ["weights", "SPY", "write a number"]),
    ({"weights": {"SPY": True}}, ["weights", "SPY", "write a number"]),
    ({"weights": {"SPY": float("nan")}}, ["weights", "SPY", "finite"]),
    ({"weights": {"SPY": 0.5, "spy": 0.5}}, ["weights", "SPY stands twice"]),
    ({"weights": [1]}, ["weights", "table of numbers"]),
    ({"weights": WEIGHTS, "base": {"SP500": 1}}, ["either [weights], or [base]"]),
    ({"wieghts": WEIGHTS}, ["unknown key wieghts", "Did you mean weights?"]),
    ({"base": {"SP500": 30}}, ["base", "SP500 = 30", "30% is 0.3"]),
    ({"weights": WEIGHTS, "rebalance": {"calender": "monthly"}}, ["rebalance.calender", "Did you mean calendar?"]),
    ({"weights": WEIGHTS, "rebalance": {"calendar": "fortnightly"}}, ["rebalance.calendar", "'quarterly'"]),
    ({"weights": WEIGHTS, "rebalance": {"offset": "soon"}}, ["rebalance.offset", "'soon'", "offset = 0"]),
    ({"weights": WEIGHTS, "rebalance": {"offset": -1}}, ["rebalance.offset", "greater than or equal to 0"]),
    ({"weights": WEIGHTS, "rebalance": 3}, ["rebalance", "3"]),
    ({"weights": WEIGHTS, "costs": {"half_spread_bps": "two"}}, ["costs.half_spread_bps", "'two'", '"catalogue"']),
    ({"weights": WEIGHTS, "costs": {"half_spread_bps": -1.0}}, ["costs.half_spread_bps", "0"]),
    ({"weights": WEIGHTS, "cash": {"rate": 5}}, ["cash.rate", "2% is 0.02"]),
    ({"weights": WEIGHTS, "start": "yesterday"}, ["start", "YYYY-MM-DD"]),
    ({"weights": WEIGHTS, "start": "2020-01-02", "end": "2020-01-02"}, ["start", "not before end"]),
    ({"weights": WEIGHTS, "benchmark": 3}, ["benchmark", 'benchmark = "SPY"']),
    ({"weights": WEIGHTS, "funds": {"allow": ["SPY"]}}, ["funds.allow", "not to [weights]"]),
    ({"base": {"SP500": 1}, "funds": {"allow": "SPY"}}, ["funds.allow", "list of symbols"]),
    ({"base": {"SP500": 1}, "funds": {"synthetic": "no"}}, ["funds.synthetic", "boolean"]),
    ({"base": {"SP500": 1}, "sizing": {"kind": "volatility"}}, ["sizing", "target = 0.05"]),
    ({"base": {"SP500": 1}, "sizing": {"kind": "beta", "target": 0.1}}, ["sizing", "go together"]),
]


def refused(values: dict[str, Any], said: list[str]) -> None:
    """Check that a study is refused in one line that names its place and says all of this."""
    with pytest.raises(StudyError) as caught:
        study_from(values, "my.toml")
    message = str(caught.value)
    assert message.startswith("my.toml: ")
    assert "\n" not in message
    for words in said:
        assert words in message


@pytest.mark.parametrize(("values", "said"), MISTAKES, ids=lambda v: str(v)[:60])
def test_a_mistake_names_the_place_the_key_and_the_fix(values: dict[str, Any], said: list[str]) -> None:
    refused(values, said)


def test_a_file_that_is_not_there_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"alphaoverlay new gone\.toml"):
        load_study(tmp_path / "gone.toml")


@pytest.mark.parametrize(
    ("raw", "said"),
    [(b"[weights\nSPY = 1", "not valid TOML"), (b"\xff\xfe", "not UTF-8"), (b"#" * (2**20 + 1), "larger than 1 MB")],
)
def test_a_file_that_is_no_study_is_refused(tmp_path: Path, raw: bytes, said: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(raw)
    with pytest.raises(StudyError, match=said):
        load_study(path)


def test_a_fund_file_is_looked_for_beside_the_study(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text('[weights]\nSPY = 1.0\n[funds]\nfile = "own.toml"\n')
    assert load_study(tmp_path / "my.toml").funds.file == str(tmp_path / "own.toml")


EVERYTHING: dict[str, Any] = {
    "title": 'A "quoted" title with ünïcode',
    "start": datetime.date(2010, 2, 11),
    "end": datetime.date(2021, 12, 15),
    "benchmark": {"SPY": 0.6, "BRK.B": 0.4},
    "base": {"SP500": 1.0},
    "overlay": {"RUSSELL2000": 0.3, "NASDAQ100": -0.3},
    "sizing": {"kind": "volatility", "target": 0.05},
    "funds": {"allow": ["SPY", "UPRO"], "synthetic": False},
    "rebalance": {"calendar": "monthly", "offset": 2},
    "costs": {"half_spread_bps": 2.5},
    "cash": {"rate": 0.02},
}


def test_a_written_study_reads_back_as_itself(tmp_path: Path) -> None:
    study = study_from(EVERYTHING, "x")
    (tmp_path / "my.toml").write_text(study_toml(study, tmp_path), encoding="utf-8")
    assert load_study(tmp_path / "my.toml") == study


def test_a_written_study_finds_its_fund_file_from_where_it_lies(tmp_path: Path) -> None:
    own = tmp_path / "terms" / "own.toml"
    study = study_from({"weights": WEIGHTS, "funds": {"file": str(own)}}, "x")
    (tmp_path / "studies").mkdir()
    path = tmp_path / "studies" / "my.toml"
    path.write_text(study_toml(study, path.parent))
    found = load_study(path).funds.file
    assert found is not None
    assert Path(found).resolve() == own


def test_the_starter_study_is_the_founding_case(tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(starter_study("my.toml"), encoding="utf-8")
    study = load_study(tmp_path / "my.toml")
    assert study.exposures.wanted == {"SP500": 1.0, "RUSSELL2000": 0.3, "NASDAQ100": -0.3}
    assert study.funds.allow == ("SPY", "UPRO", "TNA", "SQQQ")


def tables_in(kind: Any) -> list[type[BaseModel]]:
    """The tables that a field may hold, alone, in a list or in a table by name."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [table for inner in get_args(kind) for table in tables_in(inner)]


def keys_of(table: type[BaseModel]) -> set[str]:
    """Every key of a table and of the tables inside it."""
    inner = [one for field in table.model_fields.values() for one in tables_in(field.annotation)]
    return {*table.model_fields, *(key for one in inner for key in keys_of(one))}


def starter_sections() -> dict[str, str]:
    """The starter by table, with what is commented out; the keys before all tables under ""."""
    found = {"": ""}
    name = ""
    for line in starter_study("my.toml").splitlines():
        if head := re.fullmatch(r"(?:# )?\[+(\w+)\]+", line):
            name = head.group(1)
        found[name] = found.get(name, "") + line + "\n"
    return found


def test_every_key_of_a_study_is_in_the_starter_under_its_table() -> None:
    sections = starter_sections()
    checked = 0
    for name, field in Study.model_fields.items():
        inner = {key for table in tables_in(field.annotation) for key in keys_of(table)}
        assert name in sections or re.search(rf"^(# )?{name} = ", sections[""], flags=re.M), name
        for key in inner:
            assert re.search(rf"(^|[\s{{,;]){key}( =|:)", sections[name], flags=re.M), f"{name}.{key}"
            checked += 1
    assert checked >= 30


def test_what_the_starter_has_commented_out_can_be_taken_in() -> None:
    """Every commented line of the tables about trading, at once."""
    taken = []
    for name, section in starter_sections().items():
        for line in section.splitlines():
            bare = line.removeprefix("# ")
            said = name in ("rebalance", "costs", "cash", "flows") or bare.startswith("capital")
            again = bare.startswith("half_spread_bps") and bare != line
            taken.append(bare if said and not again and re.match(r"\[+\w+\]+$|\w+ = ", bare) else line)
    study = study_from(tomllib.loads("\n".join(taken)), "test")
    assert len(study.flows) == 2
    assert study.capital == 100_000
    assert study.rebalance.model_fields_set == set(type(study.rebalance).model_fields)
    assert study.costs.model_fields_set == set(type(study.costs).model_fields)
    assert study.cash.model_fields_set == set(type(study.cash).model_fields)
