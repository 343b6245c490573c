"""Tickers with terms, as this field types them: `SPY?L=3&E=0.91&SP=0.4&SW=1.1` (method M1, "Ticker syntax").

    SYMBOL?KEY=VALUE&KEY=VALUE

L is the daily multiple, E the expense ratio and SP the signed spread (percent a year), SW the swap exposure, UE the
expense of the underlying fund added back (its own, or UE=PERCENT), FB another symbol used before the first price (in
parentheses where it has terms of its own), PRESET=web the best-known web backtester's defaults. Upper or lower case.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from alphaoverlay.errors import TickerError, did_you_mean
from alphaoverlay.funds.financing import default_spread
from alphaoverlay.funds.fund import Fund, Index, Multiple
from alphaoverlay.funds.preset import WEB_SESSIONS_A_YEAR, WEB_SPREAD, WEB_SWAP_EXPOSURE, web_expense

LONGEST = 200
SYMBOL = re.compile(r"[A-Z0-9^][A-Z0-9.^=_-]{0,31}")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)%?")
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
    add_back: float | str | None = None
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
            own = isinstance(self.add_back, str)
            said.append("UE" if own else f"UE={_number(100.0 * float(self.add_back))}")
        if self.fill is not None:
            said.append(f"FB=({self.fill})" if "?" in str(self.fill) else f"FB={self.fill}")
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
        raise TickerError(f"{text[:40]}...: {len(text)} characters; a ticker has at most {LONGEST}")
    return _Reader(text, 0, len(text), nested=False).read()


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
        symbol = self.text[self.start : end].strip().upper()
        if not SYMBOL.fullmatch(symbol):
            what = f"{symbol[:20]} is not a symbol" if symbol else "no symbol"
            self._refuse(self._first_odd(symbol), f"{what}; write letters, digits and . ^ = _ -")
        if mark < 0:
            return Ticker(symbol)
        found: dict[str, tuple[int, str | None]] = {}
        for low, high in self._parts(mark + 1):
            key, value = self._pair(low, high)
            if key in found:
                self._refuse(low, f"{key} stands twice")
            found[key] = (low + len(key) + 1, value)
        return self._build(symbol, found)

    def _first_odd(self, symbol: str) -> int:
        good = 0
        while good < len(symbol) and SYMBOL.fullmatch(symbol[: good + 1]):
            good += 1
        return min(self.start + good, len(self.text) - 1) if self.text else 0

    def _parts(self, at: int) -> list[tuple[int, int]]:
        """Spans between the ampersands that are not in parentheses."""
        spans, low, depth = [], at, 0
        for k in range(at, self.stop):
            depth += {"(": 1, ")": -1}.get(self.text[k], 0)
            if depth < 0:
                self._refuse(k, "a closing parenthesis without an opening one")
            if self.text[k] == "&" and depth == 0:
                spans.append((low, k))
                low = k + 1
        if depth:
            self._refuse(self.text.rindex("(", at, self.stop), "this parenthesis is not closed")
        return [*spans, (low, self.stop)]

    def _pair(self, low: int, high: int) -> tuple[str, str | None]:
        word = self.text[low:high]
        name, sign, value = word.partition("=")
        key = name.strip().upper()
        if not key:
            self._refuse(low, f"a key is missing; write one of {', '.join(KEYS)}")
        if key not in KEYS:
            self._refuse(low, f"unknown key {key[:20]}.{did_you_mean(key, KEYS)} Known: {', '.join(KEYS)}")
        if not sign and key != "UE":
            self._refuse(high - 1, f"{key} needs a value, such as {key}={_EXAMPLES[key]}")
        if sign and not value.strip():
            self._refuse(low + len(name), f"{key}= needs a value, such as {key}={_EXAMPLES[key]}")
        return key, value if sign else None

    def _build(self, symbol: str, found: Mapping[str, tuple[int, str | None]]) -> Ticker:
        numbers = {key: self._value(key, *found[key]) for key in BOUNDS if key in found and found[key][1] is not None}
        back: float | str | None = "own" if "UE" in found else None
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
        if not NUMBER.fullmatch(stripped) or (stripped.endswith("%") and key in ("L", "SW")):
            good = NUMBER.match(stripped)
            self._refuse(at + (good.end() if good else 0), f"{key} needs a number, such as {key}={_EXAMPLES[key]}")
        value = float(stripped.removesuffix("%"))
        low, high = BOUNDS[key]
        if not low <= value <= high:
            unit = "" if key in ("L", "SW") else " percent"
            self._refuse(at, f"{key} must lie between {low:g} and {high:g}{unit}")
        return value + 0.0

    def _fill(self, at: int) -> Ticker:
        """The ticker after FB=, in parentheses or bare."""
        high = next(high for low, high in self._parts(self.text.index("?", self.start) + 1) if low < at <= high)
        while self.text[at] == " ":
            at += 1
        if self.nested:
            self._refuse(at, "a filling cannot be filled itself")
        if self.text[at] == "(":
            stop = self.text.rindex(")", at, high)
            if self.text[stop + 1 : high].strip():
                self._refuse(stop + 1, "nothing may follow the parenthesis but &")
            return _Reader(self.text, at + 1, stop, nested=True).read()
        if (inner := self.text.find("?", at, high)) >= 0:
            self._refuse(inner, "a filling with terms stands in parentheses, such as FB=(SPY?L=3)")
        return _Reader(self.text, at, high, nested=True).read()

    def _refuse(self, at: int, why: str) -> NoReturn:
        shown = "".join(ch if ch.isprintable() else "\N{REPLACEMENT CHARACTER}" for ch in self.text)
        raise TickerError(f"ticker {shown}, character {at + 1}: {why}\n  {shown}\n  {' ' * at}^")


_EXAMPLES = {"L": "3", "E": "0.91", "SP": "0.4", "SW": "1.1", "UE": "0.09", "FB": "VFINX", "PRESET": "web"}


def _number(value: float) -> str:
    return f"{round(value, 10) + 0.0:.10g}"


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
    times = 1.0 if ticker.leverage is None else ticker.leverage
    exposures = {index: times * x for index, x in under.exposures.items()}
    web = ticker.preset is not None
    warnings = list(under.warnings)
    spread, basis = default_spread(exposures, times)
    signed = ticker.spread if ticker.spread is not None or not web else math.copysign(WEB_SPREAD, times)
    if signed is not None and basis != "none":
        spread, basis = signed * math.copysign(1.0, times - 1.0), "stated"
        if spread < 0.0:
            gain = -100.0 * spread * abs(times - 1.0)
            warnings.append(
                f"{ticker}: SP={_number(100.0 * signed)} on this side is a credit of {gain:.3g}% a year, not a cost; "
                f"write SP={_number(-100.0 * signed)} for the cost."
            )
    expense = ticker.expense
    if expense is None:
        expense = web_expense(times) if web else 0.0
        if not web and basis != "none":
            warnings.append(f"{ticker}: no E was given, so no expense ratio is charged.")
    return Fund(
        symbol=str(ticker),
        name=f"{times:g}x {under.symbol}, a ticker's terms",
        exposures=exposures,
        expense=expense,
        spread=spread,
        spread_basis=basis,
        swap_exposure=ticker.swap_exposure if ticker.swap_exposure is not None else (WEB_SWAP_EXPOSURE if web else 1.0),
        status="synthetic",
        verified=under.verified,
        multiple=Multiple(
            of=under,
            times=times,
            add_back=_added_back(ticker, under),
            fill=None if ticker.fill is None else _filling(ticker.fill, holding),
            sessions_a_year=WEB_SESSIONS_A_YEAR if web else None,
        ),
        warnings=tuple(warnings),
    )


def _filling(ticker: Ticker, holding: Callable[[str], Fund]) -> Fund:
    return ticker_fund(ticker, holding) if has_terms(str(ticker)) else holding(ticker.symbol)


def _added_back(ticker: Ticker, under: Fund) -> float:
    if ticker.add_back is None:
        return 0.0
    if not isinstance(ticker.add_back, str):
        return ticker.add_back
    if under.expense <= 0.0:
        raise TickerError(
            f"{ticker}: the expense ratio of {under.symbol} is not known; write it, such as UE=0.09 (percent)"
        )
    return under.expense
