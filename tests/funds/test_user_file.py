"""A user's fund file: what it adds and replaces, and that each mistake in it names file, fund and key."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from alphaoverlay.errors import CatalogueError
from alphaoverlay.funds.catalogue import load_catalogue

HEAD = '[[fund]]\nsymbol = "MINE"\nname = "My fund"\n'
GOOD = HEAD + 'index = "SP500"\nleverage = 2\nexpense = 0.5\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "funds.toml"


def complaint(file: Path, text: str | bytes) -> str:
    """What is said about a file with this text."""
    if isinstance(text, str):
        file.write_text(text, encoding="utf-8")
    else:
        file.write_bytes(text)
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(file)
    message = str(caught.value)
    assert str(file) in message
    assert "\n" not in message
    return message


def test_a_new_symbol_is_added_and_the_rest_kept(file: Path) -> None:
    file.write_text(GOOD + "spread = 0.6\nswap_exposure = 1.1\ninception = 2020-02-03\n", encoding="utf-8")
    own = load_catalogue(file)
    fund = own.fund("mine")
    assert (fund.name, dict(fund.exposures), fund.leverage) == ("My fund", {"SP500": 2.0}, 2.0)
    assert fund.expense == pytest.approx(0.005)
    assert fund.spread == pytest.approx(0.006)
    assert fund.financing_spread == pytest.approx(1.1 * 1.0 * 0.006)
    assert fund.inception == datetime.date(2020, 2, 3)
    assert not fund.verified
    packaged = load_catalogue()
    assert own.funds == {**packaged.funds, "MINE": fund}
    assert own.indices == packaged.indices
    assert "MINE" not in packaged.funds


def test_a_known_symbol_is_replaced(file: Path) -> None:
    file.write_text(GOOD.replace("MINE", "UPRO"), encoding="utf-8")
    own = load_catalogue(file)
    assert own.fund("UPRO").leverage == 2.0
    assert own.fund("UPRO").expense == pytest.approx(0.005)
    assert len(own.funds) == len(load_catalogue().funds)


def test_an_index_and_a_fund_on_several_indices_are_added(file: Path) -> None:
    text = (
        HEAD
        + 'expense = 0.2\nexposures = { SP500 = 0.9, WORLD = 0.6 }\n[index.WORLD]\nname = "World"\nplain = ["MINE"]\n'
    )
    file.write_text(text + "dividend_yield = 2.0\n", encoding="utf-8")
    own = load_catalogue(file)
    assert own.index("world").title == "World"
    assert own.index("world").dividend_yield == pytest.approx(0.02)
    assert dict(own.fund("MINE").exposures) == {"SP500": 0.9, "WORLD": 0.6}
    assert own.fund("MINE").leverage == pytest.approx(1.5)


def test_an_empty_file_changes_nothing(file: Path) -> None:
    file.write_text("# nothing yet\n", encoding="utf-8")
    assert load_catalogue(file) == load_catalogue()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param(GOOD + "leverge = 2\n", ["MINE", "leverge"], id="unknown key"),
        pytest.param(GOOD.replace("0.5", '"half"'), ["MINE", "expense", "number"], id="text for a number"),
        pytest.param(GOOD.replace("= 2", "= [2]"), ["MINE", "leverage", "number"], id="list for a number"),
        pytest.param(GOOD.replace('"My fund"', "7"), ["MINE", "name", "string"], id="number for a text"),
        pytest.param(GOOD + "inception = 2020\n", ["MINE", "inception", "date"], id="number for a date"),
        pytest.param(GOOD.replace("0.5", "nan"), ["MINE", "expense"], id="not a number"),
        pytest.param(GOOD.replace("0.5", "50"), ["MINE", "expense", "20"], id="expense too large"),
        pytest.param(GOOD.replace("0.5", "-0.5"), ["MINE", "expense", "0"], id="negative expense"),
        pytest.param(GOOD.replace("= 2", "= 200"), ["MINE", "leverage", "5"], id="leverage in percent"),
        pytest.param(HEAD, ["MINE", "expense", "required"], id="no expense"),
        pytest.param(HEAD + 'expense = 1\nindex = "SP500"\n', ["MINE", "needs its leverage"], id="no leverage"),
        pytest.param(GOOD + "exposures = { SP500 = 2 }\n", ["MINE", "exposures", "not both"], id="both ways"),
        pytest.param(GOOD.replace("SP500", "SP5000"), ["MINE", "SP5000", "Did you mean SP500?"], id="unknown index"),
        pytest.param(
            HEAD + "expense = 1\nexposures = { SP500 = 1, MARS = 1 }\n",
            ["MINE", "MARS", "[index.MARS]"],
            id="one unknown",
        ),
        pytest.param(GOOD + GOOD, ["MINE", "twice"], id="duplicate"),
        pytest.param(GOOD + '[index.WORLD]\nname = "World"\nyield = 2\n', ["WORLD", "yield"], id="unknown index key"),
        pytest.param('[[fund]]\nname = "No symbol"\nexpense = 1\n', ["fund 1", "symbol"], id="no symbol"),
        pytest.param(GOOD + "[[fund]\n", ["not valid TOML", "line 7"], id="bad TOML"),
        pytest.param(b"# caf\xe9\n", ["cannot be read", "utf-8"], id="not UTF-8"),
    ],
)
def test_a_mistake_names_the_file_the_fund_and_the_key(file: Path, text: str | bytes, named: list[str]) -> None:
    message = complaint(file, text)
    for word in named:
        assert word in message


def test_the_second_of_two_funds_is_named_by_its_place(file: Path) -> None:
    assert "fund 2 (OTHER), expense" in complaint(file, GOOD + HEAD.replace("MINE", "OTHER"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"absent\.toml cannot be read"):
        load_catalogue(tmp_path / "absent.toml")
    with pytest.raises(CatalogueError, match="cannot be read"):
        load_catalogue(tmp_path)


# --- messages that must also say what to write instead ---


def test_a_misspelled_key_names_the_nearest(file: Path) -> None:
    assert "leverage" in complaint(file, GOOD.replace("leverage", "leverge"))


def test_single_brackets_are_told_from_double_ones(file: Path) -> None:
    assert "[[fund]]" in complaint(file, GOOD.replace("[[fund]]", "[fund]"))


def test_a_symbol_in_small_letters_is_told_what_to_write(file: Path) -> None:
    assert "String should match pattern" not in complaint(file, GOOD.replace("MINE", "mine"))


def test_true_is_not_a_leverage(file: Path) -> None:
    assert "leverage" in complaint(file, GOOD.replace("= 2", "= true"))
