"""The funds and indices that are known: packaged data, which a user's own file extends or overrides."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from alphaoverlay.errors import CatalogueError, did_you_mean
from alphaoverlay.funds.financing import default_spread
from alphaoverlay.funds.fund import ExpenseSeen, Fund, Index

MAX_BYTES = 4 * 2**20

Percent = Annotated[float, Field(ge=0.0, le=20.0, strict=True)]
Leverage = Annotated[float, Field(ge=-5.0, le=5.0, strict=True)]
Symbol = Annotated[str, Field(pattern=r"^[A-Z0-9^][A-Z0-9.^=_-]{0,31}$")]
Text = Annotated[str, Field(max_length=4000)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class ExpenseRow(_Strict):
    """An expense ratio seen on a day, in percent."""

    seen: datetime.date
    expense: Percent
    kind: Literal["gross", "net"] | None = None
    source: Text = ""
    weak: bool = False

    def build(self) -> ExpenseSeen:
        """Return the observation."""
        return ExpenseSeen(self.seen, self.expense / 100.0, self.kind or "", self.source, self.weak)


class FundRow(_Strict):
    """A `[[fund]]` table as written; percentages."""

    symbol: Symbol
    name: Text
    issuer: Text = ""
    index: str | None = None
    leverage: Leverage | None = None
    exposures: dict[str, Leverage] | None = None
    expense: Percent
    expense_as_of: datetime.date | None = None
    expense_kind: Literal["gross", "net"] | None = None
    expense_history: tuple[ExpenseRow, ...] = ()
    spread: Percent | None = None
    swap_exposure: Annotated[float, Field(gt=0.0, le=3.0, strict=True)] = 1.0
    inception: datetime.date | None = None
    first_trade: datetime.date | None = None
    index_since: datetime.date | None = None
    former_exposures: dict[str, Leverage] = {}
    closed: datetime.date | None = None
    status: Literal["open", "changed", "closed", "unknown"] = "unknown"
    former: Text = ""
    verified: bool = False
    sources: tuple[Text, ...] = ()
    note: Text = ""

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> FundRow:
        if self.exposures is not None and (self.index is not None or self.leverage is not None):
            raise ValueError("write either index and leverage, or exposures, not both")
        if self.index is not None and self.leverage is None:
            raise ValueError("a fund with an index needs its leverage")
        if self.expense_history and self.expense_as_of is None:
            raise ValueError("expense_history needs expense_as_of, the day of the present figure")
        if self.former_exposures and self.index_since is None:
            raise ValueError("former_exposures needs index_since, the day they ended")
        return self

    def build(self) -> Fund:
        """Return the fund; a row without an index has no exposures and cannot be modelled."""
        exposures = dict(self.exposures or {})
        if self.index is not None and self.leverage is not None:
            exposures = {self.index: self.leverage}
        spread, basis = default_spread(exposures) if self.spread is None else (self.spread / 100.0, "stated")
        return Fund(
            symbol=self.symbol,
            name=self.name,
            exposures=exposures,
            expense=self.expense / 100.0,
            spread=spread,
            spread_basis=basis,
            swap_exposure=self.swap_exposure,
            issuer=self.issuer,
            expense_as_of=self.expense_as_of,
            expense_kind=self.expense_kind or "",
            inception=self.inception,
            first_trade=self.first_trade,
            index_since=self.index_since,
            former_exposures=dict(self.former_exposures),
            closed=self.closed,
            status=self.status,
            former=self.former,
            verified=self.verified,
            sources=self.sources,
            expense_history=tuple(row.build() for row in self.expense_history),
            note=" ".join(self.note.split()),
        )


class IndexRow(_Strict):
    """An `[index.NAME]` table as written; the yield in percent."""

    name: Text
    kind: Literal["equity", "bond", "bill", "commodity"] = "equity"
    total_return: tuple[Symbol, ...] = ()
    price: tuple[Symbol, ...] = ()
    plain: tuple[Symbol, ...] = ()
    dividend_yield: Percent | None = None

    def build(self, key: str) -> Index:
        """Return the index."""
        stated = None if self.dividend_yield is None else self.dividend_yield / 100.0
        return Index(key, self.name, self.total_return, self.price, self.plain, stated, self.kind)


class _CatalogueFile(_Strict):
    fund: tuple[FundRow, ...] = ()
    index: dict[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,31}$")], IndexRow] = {}


@dataclass(frozen=True)
class Catalogue:
    """Known funds by symbol and indices by name."""

    funds: Mapping[str, Fund]
    indices: Mapping[str, Index]

    def __iter__(self) -> Iterator[Fund]:
        return iter(self.funds.values())

    def fund(self, symbol: str) -> Fund:
        """Return a fund by its symbol, in any case.

        Raises
        ------
        CatalogueError : unknown; names the nearest known one.
        """
        try:
            return self.funds[symbol.upper()]
        except KeyError:
            raise CatalogueError(
                f"unknown fund {symbol!r}.{did_you_mean(symbol, self.funds)} "
                "List the known ones with `alphaoverlay funds`, or describe yours in a file (--funds FILE)"
            ) from None

    def index(self, name: str) -> Index:
        """Return an index by its name, in any case.

        Raises
        ------
        CatalogueError : unknown; names the nearest known one.
        """
        try:
            return self.indices[name.upper()]
        except KeyError:
            raise CatalogueError(
                f"unknown index {name!r}.{did_you_mean(name, self.indices)} Known: {', '.join(self.indices)}"
            ) from None

    def index_behind(self, name: str) -> Index | None:
        """Return the index that a name stands for: itself, one of its series, or a plain fund on it; None: none."""
        bare = name.strip().upper().lstrip("^")
        for index in self.indices.values():
            if bare in (index.name, *index.price, *index.total_return, *index.plain):
                return index
        return None

    def extended(self, path: Path) -> Catalogue:
        """Return this catalogue with a user's file laid over it: same symbol replaces, new symbol adds.

        Raises
        ------
        CatalogueError : the file cannot be read or has a mistake; names file, entry and key.
        """
        try:
            if path.stat().st_size > MAX_BYTES:
                raise CatalogueError(
                    f"fund file {path} is larger than {MAX_BYTES // 2**20} MB; this is not a fund file"
                )
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, ValueError) as error:
            raise CatalogueError(f"fund file {path} cannot be read: {error}") from None
        own = _parse(text, str(path))
        merged = Catalogue({**self.funds, **own.funds}, {**self.indices, **own.indices})
        for entry in own.indices.values():
            if unknown := [symbol for symbol in entry.plain if symbol not in merged.funds]:
                near = did_you_mean(unknown[0], merged.funds)
                raise CatalogueError(
                    f"{path}, index {entry.name}, plain: unknown fund {unknown[0]!r}.{near} "
                    "Describe it with a [[fund]] table, or leave it out"
                )
        for fund in own:
            for index in (*fund.exposures, *fund.former_exposures):
                if index not in merged.indices:
                    raise CatalogueError(
                        f"{path}, fund {fund.symbol}: unknown index {index!r}.{did_you_mean(index, merged.indices)} "
                        f"Add a table [index.{index}] to the file, or use one of {', '.join(merged.indices)}"
                    )
        return merged


@lru_cache(maxsize=1)
def packaged_catalogue() -> Catalogue:
    """Return the funds and indices that come with the package."""
    home = files("alphaoverlay.funds")
    funds = _parse((home / "catalogue.toml").read_text(encoding="utf-8"), "catalogue.toml").funds
    indices = _parse((home / "indices.toml").read_text(encoding="utf-8"), "indices.toml").indices
    return Catalogue(funds, indices)


def load_catalogue(path: str | Path | None = None) -> Catalogue:
    """Return the packaged catalogue, with the user's fund file laid over it where one is given."""
    return packaged_catalogue() if path is None else packaged_catalogue().extended(Path(path))


def _parse(text: str, place: str) -> Catalogue:
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, and numbers or nesting without end
        raise CatalogueError(f"{place} is not valid TOML: {error}") from None
    try:
        content = _CatalogueFile.model_validate(tables)
    except ValidationError as error:
        raise CatalogueError(f"{place}, {_first_mistake(error, tables)}") from None
    funds: dict[str, Fund] = {}
    for row in content.fund:
        if row.symbol in funds:
            raise CatalogueError(f"{place}: fund {row.symbol} stands twice; keep one")
        funds[row.symbol] = row.build()
    return Catalogue(funds, {key: row.build(key) for key, row in content.index.items()})


def _first_mistake(error: ValidationError, tables: dict[str, Any]) -> str:
    """Name the entry, the key, what is wrong with it and what to write."""
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    if path == ["fund"]:
        return "fund: write [[fund]] with two brackets, once for each fund"
    row = FundRow if path[0] == "fund" else IndexRow
    if path[0] == "fund" and len(path) > 1:
        entry = tables["fund"][int(path[1])]
        symbol = entry.get("symbol", "without a symbol") if isinstance(entry, dict) else "that is not a table"
        path = [f"fund {int(path[1]) + 1} ({symbol})", *path[2:]]
    key = path[-1]
    if first["type"] == "extra_forbidden":
        known = row.model_fields if len(path) > 1 else _CatalogueFile.model_fields
        return f"{', '.join(path)}: unknown key.{did_you_mean(key, known)} Known: {', '.join(known)}"
    if first["type"] == "string_pattern_mismatch":
        return (
            f"{', '.join(path)}: {str(first['input'])[:40]!r}: write capital letters and digits, such as UPRO or SP500"
        )
    return f"{', '.join(path)}: {first['msg'].removeprefix('Value error, ').replace('Input should be', 'must be')}"
