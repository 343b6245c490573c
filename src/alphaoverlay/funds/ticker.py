"""Tickers with terms, as this field types them: `SPY?L=3&E=0.91&SP=0.4&SW=1.1` (method M1, "Ticker syntax").

    SYMBOL?KEY=VALUE&KEY=VALUE

L is the daily multiple, E the expense ratio and SP the signed spread (percent a year), SW the swap exposure, UE the
expense of the underlying fund added back (its own, or UE=PERCENT), FB another symbol used before the first price (in
parentheses where it has terms or a =), PRESET=web the best-known web backtester's defaults. Upper or lower case.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NoReturn

from alphaoverlay.errors import TickerError, did_you_mean
from alphaoverlay.funds.financing import default_spread, side_of
from alphaoverlay.funds.fund import Fund, Index, Multiple, SpreadBasis
from alphaoverlay.funds.preset import WEB_SESSIONS_A_YEAR, WEB_SPREAD, WEB_SWAP_EXPOSURE, web_expense

LONGEST = 200
SYMBOL = re.compile(r"[A-Z0-9^][A-Z0-9.^=_-]{0,31}")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")
# Finer than any fee: what is read is what is written.
DECIMALS = 10
# Bounds of the numbers, as written: beyond them a slip is likelier than a fund.
BOUNDS = {"L": (-10.0, 10.0), "E": (-10.0, 20.0), "SP": (-10.0, 10.0), "SW": (0.0, 5.0), "UE": (0.0, 20.0)}
KEYS = (*BOUNDS, "FB", "PRESET")
PRESETS = ("WEB",)


@dataclass(frozen=True)
class Ticker:
    """A symbol and the terms typed behind it; None where a term was not.

    Attributes
    ----------
    symbol : the underlying, upper case.
    leverage, swap_exposure : L and SW.
    expense, spread : E and SP as yearly fractions; the spread signed as it was typed.
    add_back : UE as a yearly fraction, or "own" for the underlying fund's own.
    fill : FB.
    preset : PRESET, upper case.
    """

    symbol: str
    leverage: float | None = None
    expense: float | None = None
    spread: float | None = None
    swap_exposure: float | None = None
    add_back: float | Literal["own"] | None = None
    fill: Ticker | None = None
    preset: str | None = None

    def __str__(self) -> str:
        """Write it in one way: keys in a fixed order, numbers without needless digits."""
        said = [
            f"{key}={_number(value * unit)}"
            for key, value, unit in (
                ("L", self.leverage, 1.0),
                ("E", self.expense, 100.0),
                ("SP", self.spread, 100.0),
                ("SW", self.swap_exposure, 1.0),
            )
            if value is not None
        ]
        if self.add_back is not None:
            said.append("UE" if self.add_back == "own" else f"UE={_number(100.0 * self.add_back)}")
        if self.fill is not None:
            inner = str(self.fill)
            said.append(f"FB=({inner})" if "?" in inner or "=" in inner else f"FB={inner}")
        if self.preset is not None:
            said.append(f"PRESET={self.preset}")
        return f"{self.symbol}?{'&'.join(said)}" if said else self.symbol


def has_terms(symbol: str) -> bool:
    """Whether a symbol is written with terms behind it."""
    return "?" in symbol


def canonical_symbol(symbol: str) -> str:
    """Return the one way to write a symbol: upper case, terms in order.

    Raises
    ------
    TickerError : bad syntax.
    """
    return str(parse_ticker(symbol)) if has_terms(symbol) else symbol.strip().upper()


def parse_ticker(text: str) -> Ticker:
    """Read a ticker.

    Raises
    ------
    TickerError : bad syntax; marks the character.
    """
    if len(text) > LONGEST:
        raise TickerError(f"{_printable(text[:40])}...: {len(text)} characters; a ticker has at most {LONGEST}")
    ticker = _Reader(text, 0, len(text), nested=False).read()
    if len(str(ticker)) > LONGEST:
        raise TickerError(f"{_printable(text[:40])}...: too many digits; a ticker has at most {LONGEST} characters")
    return ticker


@dataclass(frozen=True)
class _Reader:
    """Reads `text[start:stop]`, a ticker, and can point into the whole text."""

    text: str
    start: int
    stop: int
    nested: bool

    def read(self) -> Ticker:
        mark = self.text.find("?", self.start, self.stop)
        end = self.stop if mark < 0 else mark
        word = self.text[self.start : end]
        symbol = word.strip().upper() if word.isascii() else word.strip()
        if not SYMBOL.fullmatch(symbol):
            what = f"{symbol[:20]} is not a symbol" if symbol else "no symbol"
            odd = self.start + len(word) - len(word.lstrip()) + _first_odd(symbol)
            self._refuse(min(odd, max(len(self.text) - 1, 0)), f"{what}; write letters, digits and . ^ = _ -")
        if mark < 0:
            return Ticker(symbol)
        found: dict[str, tuple[int, str | None]] = {}
        for low, high in self._parts(mark + 1):
            key, at, value = self._pair(low, high)
            if key in found:
                self._refuse(low, f"{key} stands twice")
            found[key] = (at, value)
        return self._build(symbol, found)

    def _parts(self, at: int) -> list[tuple[int, int]]:
        """Spans between the ampersands that are not in parentheses."""
        spans, low, opened = [], at, list[int]()
        for k in range(at, self.stop):
            if self.text[k] == "(":
                opened.append(k)
            elif self.text[k] == ")":
                if not opened:
                    self._refuse(k, "a closing parenthesis without an opening one")
                opened.pop()
            elif self.text[k] == "&" and not opened:
                spans.append((low, k))
                low = k + 1
        if opened:
            self._refuse(opened[-1], "this parenthesis is not closed")
        return [*spans, (low, self.stop)]

    def _pair(self, low: int, high: int) -> tuple[str, int, str | None]:
        """Key, where its value begins, and the value as written."""
        word = self.text[low:high]
        name, sign, value = word.partition("=")
        key = name.strip().upper()
        low += len(name) - len(name.lstrip())
        name = name.lstrip()
        if not key:
            self._refuse(
                min(low, len(self.text) - 1) if low < self.stop else low,
                f"a key is missing; write one of {', '.join(KEYS)}",
            )
        if key not in KEYS:
            self._refuse(low, f"unknown key {key[:20]}.{did_you_mean(key, KEYS)} Known: {', '.join(KEYS)}")
        if not sign and key != "UE":
            self._refuse(high - 1, f"{key} needs a value, such as {key}={_EXAMPLES[key]}")
        if sign and not value.strip():
            self._refuse(low + len(name), f"{key}= needs a value, such as {key}={_EXAMPLES[key]}")
        return key, low + len(name) + 1, value if sign else None

    def _build(self, symbol: str, found: Mapping[str, tuple[int, str | None]]) -> Ticker:
        numbers = {key: self._value(key, *found[key]) for key in BOUNDS if key in found and found[key][1] is not None}
        back: float | Literal["own"] | None = "own" if "UE" in found else None
        if "UE" in numbers:
            back = numbers["UE"] / 100.0
        fill = preset = None
        if "FB" in found:
            fill = self._fill(found["FB"][0])
        if "PRESET" in found:
            at, word = found["PRESET"]
            preset = str(word).strip().upper()
            if preset not in PRESETS:
                self._refuse(at, f"unknown preset {preset[:20]}; known: web")
        return Ticker(
            symbol,
            numbers.get("L"),
            None if "E" not in numbers else numbers["E"] / 100.0,
            None if "SP" not in numbers else numbers["SP"] / 100.0,
            numbers.get("SW"),
            back,
            fill,
            preset,
        )

    def _value(self, key: str, at: int, word: str | None) -> float:
        assert word is not None
        stripped = word.strip()
        at += len(word) - len(word.lstrip())
        number = stripped if key in ("L", "SW") else stripped.removesuffix("%")
        if not NUMBER.fullmatch(number):
            good = NUMBER.match(number)
            end = good.end() if good else 0
            end += end > 0 and key not in ("L", "SW") and stripped[end : end + 1] == "%"
            self._refuse(at + end, f"{key} needs a number, such as {key}={_EXAMPLES[key]}")
        value = round(float(number), DECIMALS)
        low, high = BOUNDS[key]
        if not low <= value <= high:
            unit = "" if key in ("L", "SW") else " percent"
            self._refuse(at, f"{key} must lie between {low:g} and {high:g}{unit}")
        return value + 0.0

    def _fill(self, at: int) -> Ticker:
        """The ticker after FB=, in parentheses or bare."""
        high = next(high for low, high in self._parts(self.text.index("?", self.start) + 1) if low < at <= high)
        while self.text[at].isspace():
            at += 1
        if self.nested:
            self._refuse(at, "a filling cannot be filled itself")
        if self.text[at] == "(":
            stop = self.text.rindex(")", at, high)
            if self.text[stop + 1 : high].strip():
                self._refuse(stop + 1, "nothing may follow the parenthesis but &")
            return _Reader(self.text, at + 1, stop, nested=True).read()
        for mark, what in (
            ("?", "terms stands in parentheses, such as FB=(SPY?L=3)"),
            ("=", "= in parentheses: FB=(GC=F)"),
        ):
            if (inner := self.text.find(mark, at, high)) >= 0:
                self._refuse(inner, f"a filling with {what}")
        return _Reader(self.text, at, high, nested=True).read()

    def _refuse(self, at: int, why: str) -> NoReturn:
        shown = _printable(self.text)
        raise TickerError(f"ticker {shown}, character {at + 1}: {_printable(why)}\n  {shown}\n  {' ' * at}^")


def _printable(text: str) -> str:
    """The text with a mark in place of each character that a terminal would act on."""
    return "".join(ch if ch.isprintable() else "\N{REPLACEMENT CHARACTER}" for ch in text)


def _first_odd(symbol: str) -> int:
    """Position of the first character that no symbol has there."""
    good = 0
    while good < len(symbol) and SYMBOL.fullmatch(symbol[: good + 1]):
        good += 1
    return good


_EXAMPLES = {"L": "3", "E": "0.91", "SP": "0.4", "SW": "1.1", "UE": "0.09", "FB": "VFINX", "PRESET": "web"}


def _number(value: float) -> str:
    return f"{round(value, DECIMALS) + 0.0:.{DECIMALS}f}".rstrip("0").rstrip(".")


def index_holding(index: Index) -> Fund:
    """Return a holding that is the index itself: no expense, nothing borrowed."""
    return Fund(index.name, index.title, {index.name: 1.0}, expense=0.0, spread_basis="none", status="index")


def ticker_fund(ticker: Ticker, holding: Callable[[str], Fund]) -> Fund:
    """Return the fund that a ticker describes.

    Parameters
    ----------
    ticker : from `parse_ticker`.
    holding : finds the fund, index or other holding of a symbol; raises where there is none.

    Raises
    ------
    TickerError : UE of a holding whose expense ratio is not known.
    AlphaOverlayError : as `holding`.
    """
    under = holding(ticker.symbol)
    fill = None if ticker.fill is None else _filling(ticker.fill, holding)
    times = 1.0 if ticker.leverage is None else ticker.leverage
    exposures = {index: times * x for index, x in under.exposures.items()}
    web = ticker.preset is not None
    swap_exposure = ticker.swap_exposure
    if swap_exposure is None:
        swap_exposure = WEB_SWAP_EXPOSURE if web else 1.0
    expense = ticker.expense
    if expense is None:
        expense = web_expense(times) if web else 0.0
    spread, basis = _spread(ticker, exposures, times)
    return Fund(
        symbol=str(ticker),
        name=f"{times:g}x {under.symbol}, a ticker's terms",
        exposures=exposures,
        expense=expense,
        spread=spread,
        spread_basis=basis,
        swap_exposure=swap_exposure,
        status="synthetic",
        multiple=Multiple(
            of=under,
            times=times,
            add_back=_added_back(ticker, under),
            fill=fill,
            sessions_a_year=WEB_SESSIONS_A_YEAR if web else None,
        ),
        warnings=(
            *under.warnings,
            *(() if fill is None else fill.warnings),
            *_warnings(ticker, times, swap_exposure, spread),
            *_about_filling(ticker, under, fill),
        ),
    )


def _spread(ticker: Ticker, exposures: Mapping[str, float], times: float) -> tuple[float, SpreadBasis]:
    """`s` of M1 from the signed SP, or the default of the index and side."""
    signed = ticker.spread
    if signed is None and ticker.preset is not None:
        signed = math.copysign(WEB_SPREAD, times)
    if signed is None or side_of(times) is None:
        return default_spread(exposures, times)
    return signed * math.copysign(1.0, times - 1.0), "stated"


def _warnings(ticker: Ticker, times: float, swap_exposure: float, spread: float) -> list[str]:
    """What the user may not have meant."""
    said = []
    if side_of(times) is None:
        if ticker.spread is not None:
            said.append(f"{ticker}: SP has no effect, for nothing is borrowed at L={_number(times)}.")
        return said
    if spread < 0.0:
        gain, signed = (
            -100.0 * swap_exposure * spread * abs(times - 1.0),
            100.0 * spread * math.copysign(1.0, times - 1.0),
        )
        said.append(
            f"{ticker}: SP={_number(signed)} on this side is a credit of {gain:.3g}% a year, not a cost; write "
            f"SP={_number(-signed)} for the cost."
        )
    if ticker.expense is None and ticker.preset is None:
        said.append(f"{ticker}: no E was given, so no expense ratio is charged.")
    return said


def _about_filling(ticker: Ticker, under: Fund, fill: Fund | None) -> list[str]:
    if fill is None or dict(fill.exposures) == dict(under.exposures):
        return []
    return [
        f"{ticker}: {fill.symbol} follows {fill.follows}, {under.symbol} {under.follows}: exposures are shown as "
        f"those of {under.symbol} throughout."
    ]


def _filling(ticker: Ticker, holding: Callable[[str], Fund]) -> Fund:
    return ticker_fund(ticker, holding) if has_terms(str(ticker)) else holding(ticker.symbol)


def _added_back(ticker: Ticker, under: Fund) -> float | Literal["own"]:
    if ticker.add_back is None:
        return 0.0
    if ticker.add_back == "own" and under.expense <= 0.0:
        raise TickerError(
            f"{ticker}: the expense ratio of {under.symbol} is not known; write it, such as UE=0.09 (percent)"
        )
    return ticker.add_back
