"""The packaged spreads are what their tool computes, and what the second implementation fits."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import second_tracking
from tests.funds.test_calibration import made, quickly

from alphaoverlay.errors import AlphaOverlayError
from alphaoverlay.funds.calibration import fit_group, sample_of
from alphaoverlay.funds.financing import SpreadRow, calibrated_spreads, default_spread
from tools import spreads

GROUPS = {
    ("NASDAQ100", "inverse"): ["SQQQ"],
    ("NASDAQ100", "long"): ["TQQQ"],
    ("RUSSELL2000", "inverse"): ["TWM"],
    ("RUSSELL2000", "long"): ["UWM", "TNA"],
    ("SP500", "inverse"): ["SH"],
    ("SP500", "long"): ["SSO", "UPRO"],
}


@pytest.fixture(scope="module")
def groups(reference_data: Path) -> spreads.Groups:
    return spreads.tracked_groups(reference_data)


@pytest.fixture(scope="module")
def rows(groups: spreads.Groups) -> list[SpreadRow]:
    return spreads.calibrate(groups)


@pytest.fixture(scope="module")
def second(reference_data: Path) -> dict[tuple[str, str], float]:
    """The groups' spreads by the second implementation."""
    with quickly():
        return {
            key: second_tracking.fit_group(reference_data, [second_tracking.fund_row(symbol) for symbol in symbols])
            for key, symbols in GROUPS.items()
        }


def packaged() -> dict[tuple[str, str], dict[str, Any]]:
    """The file as anyone may read it."""
    return {(row["index"], row["side"]): row for row in tomllib.loads(spreads.SPREADS.read_text())["spread"]}


def test_the_groups_are_the_reference_funds_by_index_and_side(groups: spreads.Groups) -> None:
    assert {key: [one.fund.symbol for one in funds] for key, funds in groups.items()} == GROUPS
    for funds in groups.values():
        for one in funds:
            assert one.fund.spread == 0.0
            assert str(one.history.dates[-1].date()) == "2021-12-31"


def test_the_packaged_file_is_what_the_tool_writes(rows: list[SpreadRow]) -> None:
    assert spreads.spreads_text(rows) == spreads.SPREADS.read_text(encoding="utf-8")


def test_the_packaged_file_is_what_the_program_uses() -> None:
    written = packaged()
    assert {key: row.spread for key, row in calibrated_spreads().items()} == {
        key: row["spread"] for key, row in written.items()
    }
    assert default_spread({"SP500": 3.0}) == (written["SP500", "long"]["spread"], "calibrated")
    assert default_spread({"DOW": -2.0}) == (written["ANY", "inverse"]["spread"], "pooled")


@pytest.mark.parametrize("key", GROUPS, ids=" ".join)
def test_group_fits_are_those_of_the_second_implementation(
    key: tuple[str, str], groups: spreads.Groups, second: dict[tuple[str, str], float]
) -> None:
    funds = {(index, str(side)): funds for (index, side), funds in groups.items()}[key]
    fit = fit_group([(one.real.index, sample_of(one)) for one in funds])
    assert fit.value == pytest.approx(second[key], abs=1e-9)


@pytest.mark.parametrize("key", GROUPS, ids=" ".join)
def test_packaged_numbers_are_the_second_implementations_rounded(
    key: tuple[str, str], second: dict[tuple[str, str], float]
) -> None:
    row = packaged()[key]
    assert row["estimate"] == round(second[key], 5)
    assert row["spread"] == max(round(second[key], 5), 0.0)
    assert row["funds"] == GROUPS[key]
    assert row["low"] < row["estimate"] < row["high"]


@pytest.mark.parametrize("side", ["long", "inverse"])
def test_any_other_index_gets_the_mean_and_the_error_of_one_more_index(
    side: str, second: dict[tuple[str, str], float]
) -> None:
    """The variance between the indices and the mean variance of each; 1.96 of them either way."""
    written = packaged()
    own = [key for key in sorted(GROUPS) if key[1] == side]
    row = written["ANY", side]
    middle = math.fsum(second[key] for key in own) / len(own)
    assert row["estimate"] == pytest.approx(middle, abs=1.1e-5)
    assert row["spread"] == max(row["estimate"], 0.0)
    between = float(np.var([written[key]["estimate"] for key in own], ddof=1))
    within = math.fsum(written[key]["standard_error"] ** 2 for key in own) / len(own)
    error = math.sqrt(between + within)
    assert row["standard_error"] == pytest.approx(error, abs=0.6e-5)
    assert [row["low"], row["high"]] == pytest.approx([middle - 1.96 * error, middle + 1.96 * error], abs=2e-5)
    assert row["funds"] == [symbol for key in own for symbol in GROUPS[key]]
    assert row["first"] == min(written[key]["first"] for key in own)
    assert row["last"] == max(written[key]["last"] for key in own)


def test_spreads_are_costs_even_where_the_estimate_is_a_gain() -> None:
    gain = made(leverage=-1.0, spread=-0.0005, n=800).tracking
    cost = made(leverage=-3.0, spread=0.003, n=800).tracking
    long = made(leverage=3.0, spread=0.004, n=800).tracking
    other = made(leverage=2.0, spread=0.006, n=800, seed=1).tracking
    found = spreads.calibrate(
        {("AAA", "inverse"): [gain], ("BBB", "inverse"): [cost], ("AAA", "long"): [long], ("BBB", "long"): [other]}
    )
    by_key = {(row.index, row.side): (row.spread, row.estimate) for row in found}
    assert by_key == {
        ("AAA", "inverse"): (0.0, -0.0005),
        ("AAA", "long"): (0.004, 0.004),
        ("BBB", "inverse"): (0.003, 0.003),
        ("BBB", "long"): (0.006, 0.006),
        ("ANY", "long"): (0.005, 0.005),
        ("ANY", "inverse"): (0.00125, 0.00125),
    }


@pytest.mark.parametrize("sides", [{"long": 1}, {"long": 1, "inverse": 1}, {"long": 2}], ids=str)
def test_a_folder_of_few_funds_is_calibrated_or_refused_in_words(sides: dict[str, int]) -> None:
    few: dict[Any, Any] = {
        (f"INDEX{k}", side): [made(leverage=3.0 if side == "long" else -1.0, seed=k).tracking]
        for side, count in sides.items()
        for k in range(count)
    }
    try:
        found = spreads.calibrate(few)
    except AlphaOverlayError:
        return
    assert all(math.isfinite(row.standard_error) for row in found)


def test_a_folder_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = spreads.SPREADS.read_bytes()
    monkeypatch.setattr("sys.argv", ["spreads", "--data", str(tmp_path / "gone")])
    assert spreads.main() == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert "gone" in said.err
    assert spreads.SPREADS.read_bytes() == before
