"""Daily prices of US listings from Tiingo, with distributions and splits; wants a key.

Read: tiingo.com/documentation/end-of-day (fields, footing: raw and CRSP-adjusted), .../appendix/symbology (hyphens),
github.com/hydrosquall/tiingo-python tests/fixtures (answers as they came) and issue 45 (a limit said with status 200).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alphaoverlay.errors import FetchError, StudyError, SymbolNotFound
from alphaoverlay.history import PriceSeries, Provenance, RateSeries, iso
from alphaoverlay.market import answers

if TYPE_CHECKING:
    from requests import PreparedRequest

    from alphaoverlay.market.client import Client, Patience

ADDRESS = "https://api.tiingo.com/tiingo/daily/{ticker}/prices"
KEY = "TIINGO_API_KEY"
BEGINNING = "1900-01-01"
COLUMNS = ("close", "adjClose", "volume", "divCash", "splitFactor")


class TiingoSource(answers.Web):
    """Prices from api.tiingo.com, or from a mirror that answers as it does.

    Parameters
    ----------
    base_url : scheme, host and maybe a path of the mirror.
    patience : how long to wait, and how often to try.
    key : the API key; by default the environment's TIINGO_API_KEY, looked for when Tiingo is first asked.
    """

    name = "tiingo"
    default_rate = "DFF"
    stand_ins: Mapping[str, str] = MappingProxyType({})
    notes: tuple[str, ...] = ()
    accept: frozenset[str] = frozenset()

    def __init__(self, base_url: str | None = None, patience: Patience | None = None, key: str | None = None) -> None:
        super().__init__(base_url, patience)
        self._key = key
        self._asked = answers.Asked()

    @cached_property
    def _client(self) -> Client:
        key = (os.environ.get(KEY, "") if self._key is None else self._key).strip()
        if not key:
            raise StudyError(f"tiingo wants a key: set the environment variable {KEY} to yours (free at tiingo.com)")
        if not (key.isascii() and key.isprintable() and " " not in key):
            raise StudyError(f"the key in {KEY} has characters that no key has; copy it again from tiingo.com")
        client = super()._client
        client.auth = _with_token(key)
        return client

    def holds(self, symbol: str) -> bool:
        """Whether Tiingo has the symbol; asks for its prices, once."""
        try:
            self.prices(symbol)
        except SymbolNotFound:
            return False
        return True

    def prices(self, symbol: str, since: str | None = None) -> PriceSeries:
        """Fetch one US listing with volume, distributions and splits, on the footing of its last day.

        Raises
        ------
        SymbolNotFound : Tiingo has no such symbol.
        StudyError : there is no key.
        FetchError : no usable answer.
        """
        ticker = _ticker(symbol)
        return self._asked.prices(symbol, ticker, since, lambda start: self._fetch(symbol, ticker, start))

    def rate(self, name: str, since: str | None = None) -> RateSeries:
        """Refuse: Tiingo has no rates.

        Raises
        ------
        SymbolNotFound : always.
        """
        raise answers.refuse_unknown(self.name, name, "it serves prices only: take the rate DFF from fred")

    def _fetch(self, symbol: str, ticker: str, since: str | None) -> PriceSeries:
        place = f"{ticker} daily"
        rows = self._rows(symbol, ticker, place, since or BEGINNING)
        if not rows and since is not None:  # nothing new since then, or nothing at all: only the whole tells
            rows = self._rows(symbol, ticker, place, BEGINNING)
        if not rows:
            raise _unknown(symbol, ticker)
        frame = _frame(rows, place)
        provenance = Provenance(
            symbol,
            self.name,
            place,
            iso(frame.index[0]),
            iso(frame.index[-1]),
            len(frame),
            retrieved=answers.retrieved_now(),
            currency="USD",
        )
        return PriceSeries(symbol, frame, provenance)

    def _rows(self, symbol: str, ticker: str, place: str, since: str) -> list[Any]:
        query = {"startDate": pd.Timestamp(since).strftime("%Y-%m-%d"), "format": "json"}
        answer = self._client.get(ADDRESS.format(ticker=ticker), params=query)
        if answer.status_code == 404:
            raise _unknown(symbol, ticker)
        if not answer.content.strip():
            raise FetchError("tiingo sent an empty answer; try again later, or take another source")
        try:
            said = json.loads(answer.content)
        except (ValueError, RecursionError):
            if b"run over your" in answer.content[:200]:
                raise FetchError(
                    "tiingo allows no more symbols or requests for now; try again later, or use what is stored "
                    "(--offline)"
                ) from None
            raise answers.broken(self.name, place, "the answer is no JSON") from None
        if isinstance(said, dict) and "not found" in str(said.get("detail", "")).casefold():
            raise _unknown(symbol, ticker)
        if not isinstance(said, list):
            raise answers.broken(self.name, place, "the answer is no list of days")
        return said


def _with_token(key: str) -> Callable[[PreparedRequest], PreparedRequest]:
    """Put the key into a header: an address would end up in logs and messages."""

    def sign(request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Token {key}"
        return request

    return sign


def _ticker(symbol: str) -> str:
    """Tiingo's spelling of a listing: hyphens for dots.

    Raises
    ------
    SymbolNotFound : it can be no US listing.
    """
    bare = symbol.removeprefix("^").upper()
    if symbol.startswith("^") or bare in answers.INDICES:
        raise answers.refuse_unknown("tiingo", symbol, "it serves no indices: take them from another source")
    if not answers.LISTING.fullmatch(symbol):
        raise answers.refuse_unknown("tiingo", symbol, "write a US listing such as SPY or BRK.B")
    return symbol.lower().replace(".", "-")


def _unknown(symbol: str, ticker: str) -> SymbolNotFound:
    return answers.refuse_unknown(
        "tiingo", symbol, f"it was asked for {ticker}: check the spelling, or take another source"
    )


def _frame(rows: Sequence[Any], place: str) -> pd.DataFrame:
    """Put closes, volumes and distributions on the footing of the last day: Tiingo's are those of their own day."""
    for k, row in enumerate(rows, start=1):
        missing = [name for name in ("date", *COLUMNS) if not isinstance(row, dict) or name not in row]
        if missing:
            raise answers.broken("tiingo", place, f"row {k} has no {missing[0]}, so its layout is another")
    index = answers.days_of("tiingo", place, [row["date"] for row in rows])
    raw = {
        name: answers.numbers_of(
            "tiingo", place, index, name, [row[name] for row in rows], zero=name in ("volume", "divCash")
        )
        for name in COLUMNS
    }
    for name in ("divCash", "splitFactor"):
        if np.isnan(raw[name]).any():
            day = index[int(np.flatnonzero(np.isnan(raw[name]))[0])].date()
            raise answers.broken("tiingo", place, f"column {name} of {day} is empty")
    split = raw["splitFactor"]
    # A factor is one of its own day, on which trading is already on the new shares: only later ones apply.
    later = np.concatenate((np.cumprod(split[::-1])[::-1][1:], [1.0]))
    return pd.DataFrame(
        {
            "close": raw["close"] / later,
            "adj_close": raw["adjClose"],
            "volume": raw["volume"] * later,
            "distribution": raw["divCash"] / later,
            "split": np.where(split == 1.0, 0.0, split),
        },
        index=index,
    )
