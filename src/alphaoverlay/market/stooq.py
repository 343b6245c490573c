"""Daily prices from Stooq: US listings adjusted for splits and distributions, and a few price indices.

Read: stooq.pl/pomoc/?q=9 (prices are recalculated for dividends and rights); github.com/qalydon/qf-localc (symbols);
pydata/pandas-datareader issue 1012 and apis.io "Stooq Historical Data API" (parameters, key, limit).
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import pandas as pd

from alphaoverlay.errors import FetchError, SymbolNotFound
from alphaoverlay.history import PriceSeries, Provenance, RateSeries, iso
from alphaoverlay.market import answers

if TYPE_CHECKING:
    from alphaoverlay.market.client import Patience

ADDRESS = "https://stooq.com/q/d/l/"
KEY = "STOOQ_API_KEY"
KEY_PAGE = "https://stooq.com/q/d/?s=spy.us&get_apikey"

# Stooq's names of price indices, each seen in public code that downloads it. No document was found for the Russell
# indices and the S&P MidCap 400, nor for total-return indices: they are left out.
INDICES = MappingProxyType({"GSPC": "^spx", "SPX": "^spx", "IXIC": "^ndq", "NDQ": "^ndq", "NDX": "^ndx", "DJI": "^dji"})
LISTING_NOTE = "closes adjusted for splits and distributions; closes adjusted for splits only are not served"
INDEX_NOTE = "price index: adj_close repeats close"


class StooqSource(answers.Web):
    """Prices from stooq.com, or from a mirror that answers as it does.

    Parameters
    ----------
    base_url : scheme, host and maybe a path of the mirror.
    patience : how long to wait, and how often to try.
    """

    name = "stooq"
    default_rate = "DFF"
    stand_ins: Mapping[str, str] = MappingProxyType({})
    notes: tuple[str, ...] = ()
    accept: frozenset[str] = frozenset()

    def __init__(self, base_url: str | None = None, patience: Patience | None = None) -> None:
        super().__init__(base_url, patience)
        self._asked = answers.Asked()
        answers.keep_keys_out_of_logs()

    def holds(self, symbol: str) -> bool:
        """Whether Stooq has the symbol; asks for its prices, once."""
        try:
            self.prices(symbol)
        except SymbolNotFound:
            return False
        return True

    def prices(self, symbol: str, since: str | None = None) -> PriceSeries:
        """Fetch one symbol: SPY, BRK.B, or an index such as GSPC.

        Of a listing only `adj_close` is known; of an index `close` and `adj_close` are the same.

        Raises
        ------
        SymbolNotFound : Stooq has no such symbol.
        FetchError : no usable answer.
        """
        address = _address(symbol)
        return self._asked.prices(symbol, address, since, lambda start: self._fetch(symbol, address, start))

    def rate(self, name: str, since: str | None = None) -> RateSeries:
        """Refuse: no rate is taken from Stooq.

        Raises
        ------
        SymbolNotFound : always.
        """
        raise answers.refuse_unknown(self.name, name, "it serves prices only: take the rate DFF from fred")

    def _fetch(self, symbol: str, address: str, since: str | None) -> PriceSeries:
        place = f"{address} daily"
        rows = self._rows(address, place, since)
        if not rows and since is not None:  # nothing new since then, or nothing at all: only the whole tells
            rows = self._rows(address, place, None)
        if not rows:
            raise answers.refuse_unknown(
                self.name, symbol, f"it was asked for {address}: check the spelling, or take another source"
            )
        index = answers.days_of(self.name, place, [row[0] for row in rows])
        adjusted = answers.numbers_of(self.name, place, index, "Close", [row[1] for row in rows])
        listing = address.endswith(".us")
        close = float("nan") if listing else adjusted
        frame = pd.DataFrame({"close": close, "adj_close": adjusted}, index=index, dtype="float64")
        provenance = Provenance(
            symbol,
            self.name,
            place,
            iso(index[0]),
            iso(index[-1]),
            len(frame),
            note=LISTING_NOTE if listing else INDEX_NOTE,
            retrieved=answers.retrieved_now(),
            currency="USD" if listing else "",
        )
        return PriceSeries(symbol, frame, provenance)

    def _rows(self, address: str, place: str, since: str | None) -> list[tuple[str, str]]:
        """Day and close of each row; none where Stooq says that it has no data."""
        query = {"s": address, "i": "d"}
        if since is not None:
            query["d1"] = pd.Timestamp(since).strftime("%Y%m%d")
            query["d2"] = answers.retrieved_now()[:10].replace("-", "")
        if key := os.environ.get(KEY, "").strip():
            query["apikey"] = key
        answer = self._client.get(ADDRESS, params=query)
        if answer.status_code == 404:
            raise FetchError("stooq has no daily download at that address (status 404); check the base URL")
        text = answer.content.decode("utf-8-sig", "replace").strip()
        self._refuse_what_is_said_instead(text, bool(key))
        if text.casefold().startswith("no data"):
            return []
        return _days_and_closes(text, place)

    def _refuse_what_is_said_instead(self, text: str, with_key: bool) -> None:
        said = text[:200].casefold()
        if not said:
            raise FetchError("stooq sent an empty answer; try again later, or take another source")
        if "exceeded the daily hits limit" in said:
            raise FetchError(
                "stooq allows no more downloads today; try again tomorrow, use what is stored (--offline), or take "
                "another source"
            )
        if said.startswith("get your apikey") or "apikey" in said.partition("\n")[0]:
            what = f"does not take the key in {KEY}" if with_key else "wants a key"
            raise FetchError(f"stooq {what}; open {KEY_PAGE} in a browser and set {KEY} to the apikey that it gives")


def _address(symbol: str) -> str:
    """Stooq's name of a symbol.

    Raises
    ------
    SymbolNotFound : it can be no listing, and is no index that we know the address of.
    """
    bare = symbol.removeprefix("^").upper()
    if bare in INDICES:
        return INDICES[bare]
    if bare in answers.INDICES or symbol.startswith("^"):
        raise answers.refuse_unknown(
            "stooq", symbol, f"of indices only {', '.join(INDICES)}: take another source for this one"
        )
    listing = symbol[:-3] if symbol.upper().endswith(".US") else symbol
    if not answers.LISTING.fullmatch(listing):
        raise answers.refuse_unknown(
            "stooq", symbol, "write a US listing such as SPY or BRK.B, or an index such as GSPC"
        )
    return listing.lower().replace(".", "-") + ".us"


def _days_and_closes(text: str, place: str) -> list[tuple[str, str]]:
    try:
        table = [row for row in csv.reader(io.StringIO(text), strict=True) if row]
    except csv.Error:
        raise answers.broken("stooq", place, "the answer is no CSV") from None
    header = [cell.strip().casefold() for cell in table[0]]
    for needed in ("Date", "Close"):
        if needed.casefold() not in header:
            raise answers.broken("stooq", place, f"the answer has no column {needed}, so its layout is another")
    day, close = header.index("date"), header.index("close")
    for k, row in enumerate(table[1:], start=1):
        if len(row) != len(header):
            raise answers.broken("stooq", place, f"row {k} has {len(row)} cells where the header has {len(header)}")
    if len(table) == 1:
        raise answers.broken("stooq", place, "the answer has a header but no rows")
    return [(row[day].strip(), row[close].strip()) for row in table[1:]]
