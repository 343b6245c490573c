"""Holdings of funds as their issuers publish them: read from a file, or fetched, for sector weights.

Layouts read in public code and its fixtures: iShares (github.com/yevklym/etfscraper,
internal/providers/ishares/holdings_test.go; nikulpatel3141/ETF-Scraper issue 10), Invesco (type InvescoHoldingRecord
and archived answers quoted in several projects). The addresses are in issuers.toml.
"""

from __future__ import annotations

import csv
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import pandas as pd

from alphaoverlay.errors import DataError, FetchError, SymbolNotFound, did_you_mean
from alphaoverlay.market import answers
from alphaoverlay.market.csv_files import MAX_BYTES, fold, short

if TYPE_CHECKING:
    from alphaoverlay.market.client import Patience

# Rounded weights, and what is owed or due, keep a sum from being one.
LEAST_SUM, MOST_SUM = 0.95, 1.05
# Where an issuer states none, as Invesco does for cash.
NO_SECTOR = "not stated"
NOTHING = ("-", "--")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ISHARES = {
    "ticker": ("Ticker",),
    "name": ("Name",),
    "sector": ("Sector",),
    "weight": ("Weight (%)", "Market Weight"),
}
INVESCO = {
    "fund": ("Fund Ticker",),
    "ticker": ("Holding Ticker",),
    "name": ("Name",),
    "sector": ("Sector",),
    "weight": ("Weight",),
    "date": ("Date",),
}
KNOWN = "an iShares file (Ticker,Name,Sector,...,Weight (%)) or an Invesco file (Fund Ticker,...,Sector,Date)"


@dataclass(frozen=True)
class Holdings:
    """What a fund held on a day.

    Attributes
    ----------
    fund : its symbol, or its name where the file has no symbol and none was given.
    asof : the day, ISO.
    frame : columns ticker, name, sector and weight (fraction of the fund; cash may be below zero), in the file's order.
    source, place : who served the file, and which it was.
    retrieved : when it was fetched, ISO 8601 in UTC; empty for files.
    """

    fund: str
    asof: str
    frame: pd.DataFrame
    source: str
    place: str
    retrieved: str = ""

    def sector_weights(self) -> pd.Series:
        """Sum the weights by sector, largest first; cash and derivatives under the issuer's own name for them."""
        return self.frame.groupby("sector")["weight"].sum().sort_values(ascending=False, kind="stable")


@dataclass(frozen=True)
class _Table:
    """The cells of a table inside a file, with the line each row stands on."""

    place: str
    header: list[str]
    header_line: int
    rows: list[tuple[int, list[str]]]


def read_holdings(content: str | Path | bytes, fund: str = "", place: str = "", source: str = "file") -> Holdings:
    """Read an issuer's holdings file: iShares or Invesco, recognised by its layout.

    Parameters
    ----------
    content : the file, or its bytes.
    fund : the symbol of the fund; Invesco's files state it, and must then state this one.
    place : the file's name in messages; by default that of the path.
    source : who served it.

    Raises
    ------
    DataError : another layout, a defect (names line and column), or weights that do not sum to about one.
    """
    place = place or (fund + " holdings" if isinstance(content, bytes) else Path(content).name)
    rows = _lines(_bytes(content, place), place)
    day_at, header_at = _landmarks(rows)
    if header_at is None:
        raise DataError(f"{place}: not a holdings file that is known; give {KNOWN}")
    table = _table(rows, header_at, place)
    if fold(table.header[0]) == "fundticker":
        stated, asof, frame = _invesco(table)
        if fund and stated.casefold() != fund.casefold():
            raise DataError(f"{place}: holds {short(stated)}, not {fund}; give the file of {fund}")
    else:
        asof = _ishares_day(rows, day_at, place)
        stated, frame = next((row[0] for _, row in rows if row and row[0].strip()), ""), _ishares(table)
    total = float(frame["weight"].sum())
    if not LEAST_SUM <= total <= MOST_SUM:
        raise DataError(f"{place}: the weights sum to {total:.1%}, not to about 100%; download the whole file again")
    return Holdings(fund or stated.strip(), asof, frame, source, place)


def _bytes(content: str | Path | bytes, place: str) -> bytes:
    if isinstance(content, bytes):
        raw = content
    else:
        try:
            with Path(content).open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise DataError(f"{place}: cannot be read ({error.strerror}); give the issuer's CSV file") from None
    if len(raw) > MAX_BYTES:
        raise DataError(f"{place}: larger than {MAX_BYTES // 2**20} MB; give the issuer's CSV file as it came")
    return raw


def _lines(raw: bytes, place: str) -> list[tuple[int, list[str]]]:
    """Cells of every line; the legal text below a table may hold anything, so quotes are not judged here."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")  # older files have a company's accents so
    if "\0" in text or text.lstrip()[:1] == "<":
        raise DataError(f"{place}: not a CSV file (a web page or a spreadsheet); give {KNOWN}")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    try:
        return [(k, next(csv.reader([line]), [])) for k, line in enumerate(lines, start=1)]
    except csv.Error:
        raise DataError(f"{place}: a cell without end; download the file again") from None


def _landmarks(rows: Sequence[tuple[int, list[str]]]) -> tuple[int | None, int | None]:
    """Positions of the line with iShares' date and of the table's header."""
    day_at = next((k for k, (_, row) in enumerate(rows) if row and fold(row[0]) == "fundholdingsasof"), None)
    for k, (_, row) in enumerate(rows):
        folded = [fold(cell) for cell in row]
        if folded[:1] == ["fundticker"] or (len(row) > 3 and {"ticker", "name"} & set(folded)):
            return day_at, k
    return day_at, None


def _table(rows: Sequence[tuple[int, list[str]]], header_at: int, place: str) -> _Table:
    """The rows below the header, up to the first blank line."""
    header_line, header = rows[header_at]
    body: list[tuple[int, list[str]]] = []
    for line, row in rows[header_at + 1 :]:
        if not any(cell.strip() for cell in row):
            break
        if len(row) != len(header):
            raise DataError(
                f"{place}, line {line}: {len(row)} cells where the header has {len(header)}; download the file again"
            )
        body.append((line, row))
    if not body:
        raise DataError(f"{place}: no holdings below the header; the issuer has none for that day, ask for another")
    return _Table(place, header, header_line, body)


def _ishares(table: _Table) -> pd.DataFrame:
    return _holdings(table, _columns(table, ISHARES))


def _ishares_day(rows: Sequence[tuple[int, list[str]]], day_at: int | None, place: str) -> str:
    if day_at is None:
        raise DataError(f"{place}: no line Fund Holdings as of, so the issuer's layout is another; give {KNOWN}")
    line, row = rows[day_at]
    return _day(row[1] if len(row) > 1 else "", f"{place}, line {line}")


def _invesco(table: _Table) -> tuple[str, str, pd.DataFrame]:
    columns = _columns(table, INVESCO)
    funds = {row[columns["fund"]].strip() for _, row in table.rows}
    days = {row[columns["date"]].strip() for _, row in table.rows}
    for what, seen in (("funds", funds), ("days", days)):
        if len(seen) > 1:
            some = " and ".join(sorted(short(one) for one in seen)[:2])
            raise DataError(f"{table.place}: holdings of several {what} ({some}); give a file of one")
    return funds.pop(), _day(days.pop(), f"{table.place}, column Date"), _holdings(table, columns)


def _columns(table: _Table, wanted: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    folded = [fold(cell) for cell in table.header]
    found = {}
    for name, spellings in wanted.items():
        at = [j for spelling in spellings for j, cell in enumerate(folded) if cell == fold(spelling)]
        if not at:
            raise DataError(
                f"{table.place}, line {table.header_line}: no column {spellings[0]}, so the issuer's layout is another "
                f"(the header has {short(', '.join(table.header), 200)}); give {KNOWN}"
            )
        found[name] = at[0]
    return found


def _holdings(table: _Table, columns: Mapping[str, int]) -> pd.DataFrame:
    cells = {name: [row[columns[name]].strip() for _, row in table.rows] for name in ("ticker", "name", "sector")}
    cells["sector"] = [NO_SECTOR if sector in ("", *NOTHING) else sector for sector in cells["sector"]]
    at = columns["weight"]
    weights = [
        _fraction(row[at].strip(), f"{table.place}, line {line}, column {table.header[at]}") for line, row in table.rows
    ]
    return pd.DataFrame({**cells, "weight": weights})


def _fraction(cell: str, where: str) -> float:
    """A weight in percent as a fraction; a dash, which issuers write for nothing, is 0."""
    if cell in NOTHING:
        return 0.0
    # "1,234.5" and "8.62%" are ways to write a number; "8,62" is a number of another language, which is not guessed.
    plain = cell.removesuffix("%")
    plain = plain.replace(",", "") if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d*)?", plain) else plain
    try:
        value = float(plain) if plain.isascii() and "_" not in plain else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{where}: {short(cell)!r} is not a weight in percent; download the file in English again")
    return value / 100.0


def _day(cell: str, where: str) -> str:
    """A date as issuers write it: "Nov 20, 2026", "20/Nov/2026", "11/20/2026" or "2026-11-20"."""
    text = cell.strip()
    if text in ("", *NOTHING):
        raise DataError(f"{where}: no date; the issuer has no holdings for that day, ask for another")
    try:
        if match := re.fullmatch(r"([A-Za-z]{3})[a-z]* (\d{1,2}), (\d{4})", text):
            return _iso(match[3], _month(match[1]), match[2])
        if match := re.fullmatch(r"(\d{1,2})[/-]([A-Za-z]{3})[/-](\d{4})", text):
            return _iso(match[3], _month(match[2]), match[1])
        if match := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text):
            return _iso(match[3], int(match[1]), match[2])
        if len(text) == 10:
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise DataError(f"{where}: {short(cell)!r} is not a date such as Nov 20, 2026 or 11/20/2026")


def _month(name: str) -> int:
    return MONTHS.index(name.casefold()) + 1


def _iso(year: str, month: int, day: str) -> str:
    return date(int(year), month, int(day)).isoformat()


@dataclass(frozen=True)
class Address:
    """Where one fund's holdings are published; the fields are those of issuers.toml."""

    fund: str
    issuer: str
    layout: str
    address: str
    document: str
    verified: bool
    note: str = ""


@cache
def addresses() -> Mapping[str, Address]:
    """Return the addresses of issuers.toml by fund."""
    text = (Path(__file__).parent / "issuers.toml").read_text(encoding="utf-8")
    return MappingProxyType({one["fund"]: Address(**one) for one in tomllib.loads(text)["fund"]})


class HoldingsSource(answers.Web):
    """Holdings fetched from the issuers, each fund once.

    Parameters
    ----------
    base_url : scheme, host and maybe a path that take the place of every issuer's.
    patience : how long to wait, and how often to try.
    """

    name = "issuers"

    def __init__(self, base_url: str | None = None, patience: Patience | None = None) -> None:
        super().__init__(base_url, patience)
        self._fetched: dict[str, Holdings] = {}

    def holds(self, fund: str) -> bool:
        """Whether an address is known for the fund; nothing is asked."""
        return fund.upper() in addresses()

    def holdings(self, fund: str) -> Holdings:
        """Fetch the holdings of the last day that the issuer publishes.

        Raises
        ------
        SymbolNotFound : no address is known for the fund.
        DataError : what came cannot be used; `FetchError` where nothing usable came.
        """
        key = fund.upper()
        if key not in addresses():
            raise SymbolNotFound(
                f"no address is known for the holdings of {fund[:40]!r}, only for {', '.join(addresses())}."
                f"{did_you_mean(fund, addresses())} Download the issuer's CSV file and read it with read_holdings"
            )
        if key not in self._fetched:
            self._fetched[key] = self._fetch(addresses()[key])
        return self._fetched[key]

    def _fetch(self, one: Address) -> Holdings:
        by_hand = f"; download the file from {one.issuer}'s page of {one.fund} and read it with read_holdings"
        try:
            answer = self._client.get(one.address)
        except FetchError as error:
            raise FetchError(f"{error}{'' if one.verified else by_hand}") from None
        if answer.status_code == 404:
            raise FetchError(f"{one.issuer} has no holdings of {one.fund} at the known address (status 404){by_hand}")
        if not answer.content.strip():
            raise FetchError(f"{one.issuer} sent an empty answer for {one.fund}; try again later{by_hand}")
        got = read_holdings(answer.content, one.fund, f"{one.fund} holdings", one.issuer)
        return replace(got, retrieved=answers.retrieved_now())
