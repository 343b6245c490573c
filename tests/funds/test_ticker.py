"""Tickers with terms: what is read, how it is written again, and where a mistake is marked."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from itertools import permutations
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alphaoverlay.errors import CatalogueError, TickerError
from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.funds.financing import spread_words
from alphaoverlay.funds.fund import Fund
from alphaoverlay.funds.ticker import Ticker, canonical_symbol, has_terms, index_holding, parse_ticker, ticker_fund

CATALOGUE = load_catalogue()


def mistake(text: str) -> tuple[int, str]:
    """The character that the message names, counted from 1, and the message; the caret must stand below it."""
    with pytest.raises(TickerError) as caught:
        parse_ticker(text)
    said = str(caught.value)
    first, shown, caret = said.split("\n")
    assert first.startswith(f"ticker {text}, character ")
    assert shown == f"  {text}"
    character = int(first.removeprefix(f"ticker {text}, character ").split(":")[0])
    assert caret == " " * (2 + character - 1) + "^"
    return character, first


def holding(symbol: str) -> Fund:
    """A fund of the catalogue, an index, or for XYZ something that nobody knows."""
    if symbol in CATALOGUE.indices:
        return index_holding(CATALOGUE.index(symbol))
    return (
        Fund("XYZ", "XYZ", {"XYZ": 1.0}, expense=0.0, status="unknown") if symbol == "XYZ" else CATALOGUE.fund(symbol)
    )


def fund_of(text: str) -> Fund:
    return ticker_fund(parse_ticker(text), holding)


def calibrated(index: str, side: str) -> float:
    """The packaged spread, read without the code under test."""
    rows = tomllib.loads((files("alphaoverlay.funds") / "spreads.toml").read_text(encoding="utf-8"))["spread"]
    [found] = [float(row["spread"]) for row in rows if (row["index"], row["side"]) == (index, side)]
    return found


# --- reading ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SPY", Ticker("SPY")),
        ("^GSPC", Ticker("^GSPC")),
        ("SPY?L=3", Ticker("SPY", leverage=3.0)),
        ("SPY?L=-3", Ticker("SPY", leverage=-3.0)),
        ("SPY?L=+1.5", Ticker("SPY", leverage=1.5)),
        ("SPY?L=.5", Ticker("SPY", leverage=0.5)),
        ("SPY?L=2.", Ticker("SPY", leverage=2.0)),
        ("SPY?L=007", Ticker("SPY", leverage=7.0)),
        ("SPY?E=0.91", Ticker("SPY", expense=0.91 / 100)),
        ("SPY?E=0.91%", Ticker("SPY", expense=0.91 / 100)),
        ("SPY?E=-0.5", Ticker("SPY", expense=-0.005)),
        ("SPY?SP=0.4", Ticker("SPY", spread=0.004)),
        ("SPY?SP=-0.4%", Ticker("SPY", spread=-0.004)),
        ("SPY?SW=1.1", Ticker("SPY", swap_exposure=1.1)),
        ("SPY?UE", Ticker("SPY", add_back="own")),
        ("SPY?UE=0.09", Ticker("SPY", add_back=0.0009)),
        ("SPY?UE=0.09%", Ticker("SPY", add_back=0.0009)),
        ("SPY?FB=VFINX", Ticker("SPY", fill=Ticker("VFINX"))),
        ("SPY?FB=(VFINX)", Ticker("SPY", fill=Ticker("VFINX"))),
        ("UPRO?FB=(SPY?L=3&E=1)", Ticker("UPRO", fill=Ticker("SPY", leverage=3.0, expense=0.01))),
        ("UPRO?FB=(SPY?L=3)&L=2", Ticker("UPRO", leverage=2.0, fill=Ticker("SPY", leverage=3.0))),
        ("SPY?PRESET=web", Ticker("SPY", preset="WEB")),
        ("CL=F?L=2", Ticker("CL=F", leverage=2.0)),
        ("BRK-B?L=2", Ticker("BRK-B", leverage=2.0)),
        ("BRK.B?FB=(CL=F)", Ticker("BRK.B", fill=Ticker("CL=F"))),
    ],
)
def test_every_key_is_read(text: str, expected: Ticker) -> None:
    assert parse_ticker(text) == expected


def test_upper_and_lower_case_are_the_same() -> None:
    upper = "UPRO?L=2&E=0.9%&SP=0.4&SW=1.1&UE&FB=(SPY?L=3&UE)&PRESET=WEB"
    assert parse_ticker(upper.lower()) == parse_ticker(upper) == parse_ticker(upper.swapcase())


def test_spaces_around_symbols_and_values_do_not_matter() -> None:
    plain = Ticker("SPY", leverage=3.0, expense=0.01, fill=Ticker("QQQ", leverage=2.0))
    assert parse_ticker(" SPY ?L= 3 & E =1% &FB= ( QQQ? L = 2 ) ") == plain


def test_minus_nothing_is_nothing() -> None:
    assert str(parse_ticker("SPY?L=-0&E=-0.0&SP=-0&SW=-0")) == "SPY?L=0&E=0&SP=0&SW=0"


@pytest.mark.parametrize(
    ("text", "symbol", "filling"),
    [("SPY? FB=VFINX", "SPY", "VFINX"), ("SPY?L=1 &   FB=VFINX", "SPY", "VFINX"), ("SPY?FB =VFINX", "SPY", "VFINX")],
)
def test_spaces_around_fb_do_not_matter(text: str, symbol: str, filling: str) -> None:
    read = parse_ticker(text)
    assert (read.symbol, read.fill) == (symbol, Ticker(filling))


def test_a_tab_before_a_filling_is_a_space() -> None:
    assert parse_ticker("SPY?FB=\t(QQQ?L=2)").fill == Ticker("QQQ", leverage=2.0)


def test_only_a_question_mark_makes_terms() -> None:
    assert has_terms("SPY?L=3")
    assert not has_terms("SPY")
    assert canonical_symbol(" spy ") == "SPY"
    assert canonical_symbol("spy?l=3.0") == "SPY?L=3"


# --- writing ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("spy?sp=.40&l=+3.0&e=0.910%", "SPY?L=3&E=0.91&SP=0.4"),
        ("SPY?UE=.090&L=1", "SPY?L=1&UE=0.09"),
        ("spy?ue&l=2", "SPY?L=2&UE"),
        ("spy?preset=web&fb=(qqq)&sw=1.10", "SPY?SW=1.1&FB=QQQ&PRESET=WEB"),
        ("spy?fb=(qqq?e=1&l=2)&l=3", "SPY?L=3&FB=(QQQ?L=2&E=1)"),
        ("SPY?L=0.0001", "SPY?L=0.0001"),
        ("gld?fb=(gc=f)", "GLD?FB=(GC=F)"),
    ],
)
def test_there_is_one_way_to_write_it(text: str, expected: str) -> None:
    assert str(parse_ticker(text)) == expected


def test_the_order_of_the_keys_does_not_matter() -> None:
    terms = ["L=3", "E=0.91", "SP=0.4", "UE", "FB=(QQQ?L=2)"]
    assert {str(parse_ticker("SPY?" + "&".join(order))) for order in permutations(terms)} == {
        "SPY?L=3&E=0.91&SP=0.4&UE&FB=(QQQ?L=2)"
    }


LIMITS = {"L": (-10, 10), "E": (-10, 20), "SP": (-10, 10), "SW": (0, 5), "UE": (0, 20)}
symbols = st.from_regex(r"[A-Za-z0-9^][A-Za-z0-9.^=_-]{0,5}", fullmatch=True)


@st.composite
def spelled(draw: st.DrawFn, nested: bool = False) -> tuple[str, Ticker]:
    """A ticker in some spelling, and what it says."""
    symbol = draw(symbols)
    fields: dict[str, float | None] = {}
    words = []
    for key in draw(st.sets(st.sampled_from(sorted(LIMITS)))):
        low, high = LIMITS[key]
        number = draw(st.decimals(low, high, places=draw(st.integers(0, 4))))
        percent = key in ("E", "SP", "UE")
        fields[key] = float(number) / 100.0 if percent else float(number)
        fields[key] = (fields[key] or 0.0) + 0.0
        sign = draw(st.sampled_from(["", "+"])) if number >= 0 and not str(number).startswith("-") else ""
        words.append(f"{key}={sign}{number}{'%' if percent and draw(st.booleans()) else ''}")
    back: float | Literal["own"] | None = fields.get("UE")
    if back is None and draw(st.booleans()):
        back = "own"
        words.append("UE")
    fill = preset = None
    if not nested and draw(st.booleans()):
        inner, fill = draw(spelled(nested=True))
        bare = not set("?=") & set(inner) and draw(st.booleans())
        words.append(f"FB={inner}" if bare else f"FB=({inner})")
    if draw(st.booleans()):
        preset = "WEB"
        words.append("PRESET=web")
    text = "&".join(draw(st.permutations(words)))
    text = f"{symbol}?{text}" if text else symbol
    said = Ticker(
        symbol.upper(), fields.get("L"), fields.get("E"), fields.get("SP"), fields.get("SW"), back, fill, preset
    )
    return draw(st.sampled_from([text, text.lower(), text.upper()])), said


@given(spelled())
def test_what_is_written_is_read_as_the_same_ticker(one: tuple[str, Ticker]) -> None:
    text, said = one
    read = parse_ticker(text)
    assert read == said
    assert parse_ticker(str(read)) == read
    assert str(parse_ticker(str(read))) == str(read)
    assert canonical_symbol(text) == str(read)


@pytest.mark.parametrize("text", ["SPY?E=0.00005", "SPY?L=0.00001", "SPY?SP=-0.00009", "SPY?UE=0.00001"])
def test_small_numbers_are_written_so_that_they_can_be_read(text: str) -> None:
    assert parse_ticker(str(parse_ticker(text))) == parse_ticker(text)


@pytest.mark.parametrize("text", ["SPY?L=1.00000000001", "SPY?E=0.123456789012", "SPY?SP=0.00000000001"])
def test_many_digits_are_kept(text: str) -> None:
    assert parse_ticker(str(parse_ticker(text))) == parse_ticker(text)


def test_the_longest_ticker_can_be_read_again() -> None:
    terms = "L=.1234567891&E=.1234567891&SP=.1234567891&SW=.1234567891"
    text = f"{'A' * 31}?{terms}&UE=.1234567891&FB=({'B' * 31}?{terms})"
    assert len(text) <= 200
    with pytest.raises(TickerError, match="too many digits"):
        parse_ticker(text)  # written out, each .1 is 0.1, and could not be read again
    shorter = text.removesuffix(f"?{terms})") + ")"
    assert parse_ticker(str(parse_ticker(shorter))) == parse_ticker(shorter)


# --- mistakes ---


@pytest.mark.parametrize(
    ("text", "character", "said"),
    [
        # the symbol
        ("", 1, "no symbol"),
        ("?L=3", 1, "no symbol"),
        ("*SPY?L=3", 1, "*SPY is not a symbol"),
        ("S*Y?L=3", 2, "S*Y is not a symbol"),
        ("S Y?L=3", 2, "S Y is not a symbol"),
        (f"{'A' * 32}B?L=3", 33, "is not a symbol"),
        ("../etc/passwd", 1, "is not a symbol"),
        ("A/B", 2, "is not a symbol"),
        # keys
        ("SPY?", 5, "a key is missing; write one of L, E, SP, SW, UE, FB, PRESET"),
        ("SPY?=3", 5, "a key is missing"),
        ("SPY?L=3&", 9, "a key is missing"),
        ("SPY?&L=3", 5, "a key is missing"),
        ("SPY?L=3&&E=1", 9, "a key is missing"),
        ("SPY?X=1", 5, "unknown key X"),
        ("SPY?L=3&LL=1", 9, "unknown key LL. Did you mean L?"),
        ("SPY?L=3&PRESETS=web", 9, "Did you mean PRESET?"),
        ("SPY?(L=3)", 5, "unknown key (L"),
        ("SPY?L", 5, "L needs a value, such as L=3"),
        ("SPY?SP", 6, "SP needs a value, such as SP=0.4"),
        ("SPY?FB", 6, "FB needs a value"),
        ("SPY?PRESET&L=3", 10, "PRESET needs a value, such as PRESET=web"),
        ("SPY?L=", 6, "L= needs a value"),
        ("SPY?UE=", 7, "UE= needs a value"),
        ("SPY?FB=&L=3", 7, "FB= needs a value"),
        ("SPY?L=3&L=3", 9, "L stands twice"),
        ("SPY?L=3&E=1&l=2", 13, "L stands twice"),
        ("SPY?UE&UE=1", 8, "UE stands twice"),
        ("SPY?FB=QQQ&FB=IWM", 12, "FB stands twice"),
        # numbers
        ("SPY?L=x", 7, "L needs a number, such as L=3"),
        ("SPY?L=3x", 8, "L needs a number"),
        ("SPY?L=0x3", 8, "L needs a number"),
        ("SPY?L=1_0", 8, "L needs a number"),
        ("SPY?L=1e999", 8, "L needs a number"),
        ("SPY?L=1e1", 8, "L needs a number"),
        ("SPY?L=nan", 7, "L needs a number"),
        ("SPY?L=inf", 7, "L needs a number"),
        ("SPY?L=-inf", 7, "L needs a number"),
        ("SPY?L=--3", 7, "L needs a number"),
        ("SPY?L=.", 7, "L needs a number"),
        ("SPY?L=1.2.3", 10, "L needs a number"),
        ("SPY?L=1,5", 8, "L needs a number"),
        ("SPY?L=3 3", 8, "L needs a number"),
        ("SPY?L=3=4", 8, "L needs a number"),
        ("SPY?L=3?E=1", 8, "L needs a number"),
        ("SPY?L=(3)", 7, "L needs a number"),
        ("SPY?L=\N{SUPERSCRIPT TWO}", 7, "L needs a number"),
        ("SPY?L=3&E=0.91%%", 16, "E needs a number, such as E=0.91"),
        ("SPY?E=%", 7, "E needs a number"),
        ("SPY?L=  x", 9, "L needs a number"),
        # presets
        ("SPY?PRESET=web2", 12, "unknown preset WEB2; known: web"),
        ("SPY?PRESET=(web)", 12, "unknown preset"),
        # fillings
        ("SPY?FB=*", 8, "* is not a symbol"),
        ("SPY?FB=()", 9, "no symbol"),
        ("SPY?FB=(Q*)", 10, "Q* is not a symbol"),
        ("SPY?FB=((QQQ))", 9, "is not a symbol"),
        ("SPY?FB=(QQQ", 8, "this parenthesis is not closed"),
        ("SPY?FB=QQQ)", 11, "a closing parenthesis without an opening one"),
        ("SPY?FB=)QQQ(", 8, "a closing parenthesis without an opening one"),
        ("SPY?FB=(QQQ)IWM", 13, "nothing may follow the parenthesis but &"),
        ("SPY?FB=QQQ?L=2", 11, "a filling with terms stands in parentheses, such as FB=(SPY?L=3)"),
        ("SPY?FB=(QQQ?)", 13, "a key is missing"),
        ("SPY?FB=(QQQ?X=1)", 13, "unknown key X"),
        ("SPY?FB=(QQQ?L=1y)", 16, "L needs a number"),
        ("SPY?L=3&FB=(QQQ?L=99)", 19, "L must lie between -10 and 10"),
        ("SPY?FB=(QQQ?FB=IWM)", 16, "a filling cannot be filled itself"),
        ("SPY?FB=(QQQ?L=2&FB=(IWM?L=2))", 20, "a filling cannot be filled itself"),
    ],
)
def test_a_mistake_is_marked_under_its_character(text: str, character: int, said: str) -> None:
    found, message = mistake(text)
    assert found == character
    assert said in message


@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("  S*Y?L=3", 4),
        ("SPY?L =x", 8),
        ("SPY?  L  =  x", 13),
        ("SPY? PRESET=foo", 13),
        ("SPY? L=99", 8),
        ("SPY?FB=( Q*)", 11),
    ],
)
def test_spaces_do_not_move_the_mark(text: str, character: int) -> None:
    assert mistake(text)[0] == character


@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("SPY?L=3%", 8),  # the percent sign, not what comes after it
        ("SPY?L=3&SW=1.1%&E=1", 15),
        ("SPY?L=3& X=1", 10),
        ("SPY?FB=((QQQ)", 8),  # the second parenthesis is closed, the first is not
    ],
)
def test_the_mark_is_under_the_very_character(text: str, character: int) -> None:
    assert mistake(text)[0] == character


@pytest.mark.parametrize(
    ("key", "low", "high", "unit"),
    [
        ("L", "-10", "10", ""),
        ("E", "-10", "20", " percent"),
        ("SP", "-10", "10", " percent"),
        ("SW", "0", "5", ""),
        ("UE", "0", "20", " percent"),
    ],
)
def test_numbers_are_bounded_and_the_bounds_belong_to_them(key: str, low: str, high: str, unit: str) -> None:
    for bound in (low, high):
        parse_ticker(f"SPY?{key}={bound}")
    for beyond in (f"{high}.0001", f"{int(low) - 1}", "9" * 150, f"-{'9' * 150}"):
        character, said = mistake(f"SPY?{key}={beyond}")
        assert character == len(f"SPY?{key}=") + 1
        assert f"{key} must lie between {low} and {high}{unit}" in said


def test_a_ticker_has_at_most_two_hundred_characters() -> None:
    longest = f"SPY?L={'0' * 193}3"
    assert len(longest) == 200
    assert parse_ticker(longest) == Ticker("SPY", leverage=3.0)
    with pytest.raises(TickerError, match="201 characters; a ticker has at most 200"):
        parse_ticker(f"{longest}0")


@pytest.mark.parametrize(
    "text",
    ["A" * 1_000_000, "SPY?FB=" + "(" * 5000, "SPY?FB=" + "(" * 5000 + ")" * 5000, "(" * 100_000, "SPY?" + "&" * 9999],
    ids=["letters", "opening", "balanced", "only parentheses", "ampersands"],
)
def test_endless_text_is_refused_in_few_words(text: str) -> None:
    with pytest.raises(TickerError, match="at most 200") as caught:
        parse_ticker(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("depth", [1, 2, 50, 95])
def test_deep_parentheses_are_refused(depth: int) -> None:
    with pytest.raises(TickerError):
        parse_ticker("A?FB=" + "(" * depth + ")" * depth)


HOSTILE = ["SPY?L=\x1b[31m3", "SPY?L=\x00", "SPY?E=1\r\x07", "SPY?L=\u202e3", "SPY?UE=\ud800", "SPY?L=\u200b3"]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_control_characters_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(TickerError) as caught:
        parse_ticker(text)
    assert all(ch.isprintable() or ch == "\n" for ch in str(caught.value))
    assert len(str(caught.value).split("\n")) == 3


@pytest.mark.parametrize(
    "text",
    ["\x1b[31mSPY?L=3", "S\nY?L=3", "SPY?\x1b[2J=3", "SPY?PRESET=a\x1bb", "SPY?FB=\x1b]0;x", "\x1b" * 300],
    ids=lambda text: ascii(text[:16]),
)
def test_control_characters_in_names_are_not_repeated(text: str) -> None:
    with pytest.raises(TickerError) as caught:
        parse_ticker(text)
    assert all(ch.isprintable() or ch == "\n" for ch in str(caught.value))
    assert len(str(caught.value).split("\n")) in (1, 3)


def read_or_refuse(text: str) -> None:
    """Anything but a ticker or a TickerError is a failure; what is read is written in plain letters."""
    try:
        read = parse_ticker(text)
    except TickerError as error:
        message = str(error)
        assert message
        if "a ticker has at most" not in message:
            caret = message.split("\n")[-1]
            assert caret.strip() == "^"
            assert 3 <= len(caret) <= len(text) + 3
        return
    assert str(read).isascii()
    assert str(read) == str(read).upper()
    assert read.symbol


@given(st.text(max_size=300))
@example("\ud800?L=3")
@example("?" * 200)
@example("=" * 200)
@example("&" * 200)
def test_any_text_is_read_or_refused(text: str) -> None:
    read_or_refuse(text)
    read_or_refuse(f"SPY?{text}")
    read_or_refuse(f"SPY?FB={text}")
    read_or_refuse(f"SPY?FB=({text})")
    read_or_refuse(f"{text}?L=3")


PIECES = [*"?&=() \t%.-+^*3", "SPY", "QQQ", "L", "E", "SP", "SW", "UE", "FB", "PRESET", "web", "L=3", "FB=(", "0.91"]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_any_jumble_of_its_parts_is_read_or_refused(text: str) -> None:
    read_or_refuse(text)
    read_or_refuse(f"SPY?L=3&{text}")


@given(spelled(), st.integers(0, 10**6), st.sampled_from(PIECES))
def test_a_ticker_with_a_slip_is_read_or_refused(one: tuple[str, Ticker], place: int, slip: str) -> None:
    text, k = one[0], place % (len(one[0]) + 1)
    read_or_refuse(text[:k] + slip + text[k:])
    read_or_refuse(text[:k] + text[k + 1 :])
    read_or_refuse(text[:k])


# --- the fund it describes ---


def test_the_fund_carries_its_terms() -> None:
    fund = fund_of("spy?sp=0.4&l=3&e=0.91&sw=1.1")
    assert fund.symbol == "SPY?L=3&E=0.91&SP=0.4&SW=1.1"
    assert fund.exposures == {"SP500": 3.0}
    assert fund.expense == pytest.approx(0.0091)
    assert fund.spread == pytest.approx(0.004)
    assert fund.spread_basis == "stated"
    assert fund.swap_exposure == 1.1
    assert fund.status == "synthetic"
    assert fund.warnings == ()


@pytest.mark.parametrize("symbol", ["SPY", "UPRO", "SH", "SP500"])
def test_without_terms_that_bite_it_is_the_holding_and_borrows_nothing(symbol: str) -> None:
    fund, under = fund_of(f"{symbol}?L=1"), holding(symbol)
    assert fund.exposures == dict(under.exposures)
    assert (fund.yearly_expense, fund.borrowed, fund.financing_spread) == (
        under.yearly_expense,
        under.borrowed,
        under.financing_spread,
    )
    assert fund.spread_basis == "none"


def test_exposures_multiply_through_the_holding() -> None:
    assert fund_of("UPRO?L=2").exposures == {"SP500": 6.0}
    assert fund_of("SQQQ?L=-1").exposures == {"NASDAQ100": 3.0}
    assert fund_of("RUSSELL2000?L=-2").exposures == {"RUSSELL2000": -2.0}


@pytest.mark.parametrize(
    ("text", "index", "side", "basis"),
    [
        ("SPY?L=3", "SP500", "long", "calibrated"),
        ("SP500?L=1.5", "SP500", "long", "calibrated"),
        ("SPY?L=-1", "SP500", "inverse", "calibrated"),
        ("QQQ?L=2", "NASDAQ100", "long", "calibrated"),
        ("QQQ?L=-3", "NASDAQ100", "inverse", "calibrated"),
        ("IWM?L=2", "RUSSELL2000", "long", "calibrated"),
        ("IWM?L=-0.5", "RUSSELL2000", "inverse", "calibrated"),
        ("TLT?L=2", "ANY", "long", "pooled"),
        ("TLT?L=-2", "ANY", "inverse", "pooled"),
        ("XYZ?L=2", "ANY", "long", "pooled"),
    ],
)
def test_a_spread_left_out_is_that_of_the_index_and_side(text: str, index: str, side: str, basis: str) -> None:
    fund = fund_of(text)
    assert fund.spread == calibrated(index, side)
    assert fund.spread_basis == basis
    assert basis in spread_words(fund)


@pytest.mark.parametrize("times", ["0", "0.5", "1"])
def test_no_spread_between_nothing_and_one_time(times: str) -> None:
    fund = fund_of(f"SPY?L={times}&SP=2")
    assert (fund.spread_basis, fund.financing_spread) == ("none", 0.0)
    assert not any("credit" in sentence for sentence in fund.warnings)


@pytest.mark.parametrize(
    ("text", "spread", "credit"),
    [
        ("SPY?L=3&SP=0.4", 0.004, None),
        ("SPY?L=3&SP=-0.4", -0.004, "credit of 0.8% a year"),
        ("SPY?L=-3&SP=-0.4", 0.004, None),
        ("SPY?L=-3&SP=0.4", -0.004, "credit of 1.6% a year"),
        ("SPY?L=-1&SP=0.4", -0.004, "credit of 0.8% a year"),
        ("SPY?L=-1&SP=0", 0.0, None),
    ],
)
def test_a_signed_spread_that_pays_draws_a_warning(text: str, spread: float, credit: str | None) -> None:
    fund = fund_of(f"{text}&E=0.9")
    assert fund.spread == pytest.approx(spread)
    assert fund.spread_basis == "stated"
    if credit is None:
        assert fund.warnings == ()
    else:
        [sentence] = fund.warnings
        assert credit in sentence
        assert f"write SP={'0.4' if '=-0.4' in text else '-0.4'} for the cost" in sentence


def test_the_credit_in_the_warning_is_the_one_that_is_paid() -> None:
    [sentence] = fund_of("SPY?L=-3&SP=0.4&SW=2&E=0.9").warnings
    assert "credit of 3.2% a year" in sentence  # 2 * 4 * 0.4%


def test_the_warnings_of_a_filling_are_carried() -> None:
    assert any("credit" in sentence for sentence in fund_of("SPY?FB=(QQQ?L=-1&SP=0.4&E=1)").warnings)


def test_an_expense_left_out_is_none_and_said() -> None:
    fund = fund_of("SPY?L=3&SP=0.4")
    assert fund.expense == 0.0
    assert fund.warnings == ("SPY?L=3&SP=0.4: no E was given, so no expense ratio is charged.",)
    assert fund_of("SPY?L=3&E=0").warnings == ()


@pytest.mark.parametrize(
    ("times", "spread", "expense"),
    [
        ("3", 0.004, 0.010),  # two units above 1 at 0.5
        ("2", 0.004, 0.005),
        ("1.5", 0.004, 0.0025),
        ("-1", 0.004, 0.00333),
        ("-2", 0.004, 0.00666),
        ("-3", 0.004, 0.00999),
    ],
)
def test_the_preset_of_the_web(times: str, spread: float, expense: float) -> None:
    fund = fund_of(f"SPY?L={times}&PRESET=web")
    assert fund.spread == pytest.approx(spread, abs=1e-15)  # a cost on both sides
    assert fund.spread_basis == "stated"
    assert fund.expense == pytest.approx(expense, abs=1e-15)
    assert fund.swap_exposure == 1.1
    assert fund.warnings == ()


def test_what_is_typed_goes_before_the_preset() -> None:
    fund = fund_of("SPY?L=-3&E=0.5&SP=-0.1&SW=1&PRESET=web")
    assert (fund.expense, fund.spread, fund.swap_exposure) == pytest.approx((0.005, 0.001, 1.0))
    fund = fund_of("SPY?L=3&E=0&SP=0&SW=0&PRESET=web")
    assert (fund.expense, fund.spread, fund.swap_exposure) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("text", ["SPY?L=3&PRESET=web", "SPY?L=3&E=0.5&SP=0.1"])
def test_terms_that_no_document_holds_are_unverified(text: str) -> None:
    assert not fund_of(text).verified


def test_the_expense_of_the_underlying_fund_is_added_back_to_the_carry() -> None:
    expense = holding("UPRO").expense
    assert fund_of("UPRO?UE").yearly_expense == pytest.approx(0.0, abs=1e-15)
    assert fund_of("UPRO?L=2&UE=0.5&E=1").yearly_expense == pytest.approx(0.01 + 2.0 * (expense - 0.005))


def test_an_unknown_expense_cannot_be_added_back() -> None:
    with pytest.raises(TickerError, match=r"expense ratio of XYZ is not known; write it, such as UE=0\.09"):
        fund_of("XYZ?UE")
    assert fund_of("XYZ?UE=0.3").yearly_expense == pytest.approx(-0.003)


def test_an_unknown_symbol_or_filling_is_refused_by_name() -> None:
    for text in ("NOSUCH?L=3", "SPY?FB=NOSUCH", "SPY?FB=(NOSUCH?L=2)"):
        with pytest.raises(CatalogueError, match="NOSUCH"):
            fund_of(text)


def test_carry_looks_through_a_leveraged_holding() -> None:
    # 3x at 1% and a spread of 0.5%, twice, at 0.6% and 0.4%: 6 times, of which 5 are borrowed.
    triple = Fund("MY3", "mine", {"SP500": 3.0}, expense=0.01, spread=0.005)
    fund = ticker_fund(parse_ticker("MY3?L=2&E=0.6&SP=0.4"), lambda _: triple)
    assert fund.leverage == 6.0
    assert fund.borrowed == 5.0
    assert fund.financing_spread == pytest.approx(0.004 + 2 * 2 * 0.005)
    assert fund.yearly_expense == pytest.approx(0.006 + 2 * 0.01)
    short = ticker_fund(parse_ticker("MY3?L=-1&E=0.6&SP=-0.4&SW=1.5"), lambda _: triple)
    assert short.borrowed == pytest.approx(1.5 * -2 - 2)
    assert short.financing_spread == pytest.approx(1.5 * 2 * 0.004 - 2 * 0.005)
    assert short.yearly_expense == pytest.approx(0.006 - 0.01)
