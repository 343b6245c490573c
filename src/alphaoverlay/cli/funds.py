"""`alphaoverlay funds`: the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from alphaoverlay.cli import options as shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alphaoverlay.funds.catalogue import Catalogue
    from alphaoverlay.funds.fund import Fund
    from alphaoverlay.report.model import Table


def funds(
    symbols: Annotated[
        list[str] | None, typer.Argument(metavar="[SYMBOL ...]", help="Show these in full, with their sources.")
    ] = None,
    index: Annotated[str | None, typer.Option("--index", metavar="INDEX", help="Only funds on this index.")] = None,
    leverage: Annotated[
        float | None, typer.Option("--leverage", metavar="L", help="Only funds of this daily leverage, such as -3.")
    ] = None,
    indices: Annotated[bool, typer.Option("--indices", help="List the indices instead.")] = False,
    funds_file: shared.FundsFileOption = None,
    json_output: shared.JsonOption = False,
) -> None:
    """List the known funds and their terms, with where each figure was read.

    [bold]Examples[/bold]

      alphaoverlay funds --index RUSSELL2000
      alphaoverlay funds UPRO TNA SQQQ
      alphaoverlay funds --leverage -3 --json
    """
    from alphaoverlay.cli.output import console, print_json
    from alphaoverlay.funds.catalogue import load_catalogue
    from alphaoverlay.report.text import print_table

    catalogue = load_catalogue(funds_file)
    chosen = [_fund(symbol, catalogue) for symbol in symbols] if symbols else list(catalogue)
    if index is not None:
        name = catalogue.index(index).name
        chosen = [fund for fund in chosen if name in fund.exposures]
    if leverage is not None:
        chosen = [fund for fund in chosen if fund.exposures and fund.leverage == leverage]
    if json_output:
        print_json(_document(chosen, catalogue, indices=indices))
        return
    screen = console()
    if indices:
        print_table(_index_table(catalogue), screen)
        return
    print_table(_fund_table(chosen), screen)
    for fund in chosen if symbols else ():
        for line in _details(fund):
            screen.print(line, markup=False)


def _fund(symbol: str, catalogue: Catalogue) -> Fund:
    """A fund of the catalogue, or what a ticker with terms makes of one."""
    from alphaoverlay.funds.ticker import has_terms, index_holding, parse_ticker, ticker_fund

    def holding(name: str) -> Fund:
        known = name in catalogue.funds or name not in catalogue.indices
        return catalogue.fund(name) if known else index_holding(catalogue.index(name))

    return ticker_fund(parse_ticker(symbol), holding) if has_terms(symbol) else catalogue.fund(symbol)


def _fund_table(chosen: Sequence[Fund]) -> Table:
    from alphaoverlay.report.model import Column, Row, Table

    rows = [
        Row(
            (
                fund.symbol,
                fund.name,
                fund.follows,
                fund.expense,
                "" if fund.expense_as_of is None else fund.expense_as_of.isoformat(),
                "" if fund.inception is None else fund.inception.isoformat(),
                fund.status,
                "stated" if fund.multiple is not None else "read" if fund.verified else "unverified",
            )
        )
        for fund in sorted(chosen, key=lambda fund: fund.symbol)
    ]
    heads = ("As of", "Inception", "Status", "Terms")
    columns = (Column("Fund"), Column("Name"), Column("Follows"), Column("Expense", "percent 2"), *map(Column, heads))
    note = "changed: open, but it followed another index before. Show one in full with: alphaoverlay funds SYMBOL"
    return Table("1 fund" if len(rows) == 1 else f"{len(rows)} funds", columns, tuple(rows), note)


def _index_table(catalogue: Catalogue) -> Table:
    from alphaoverlay.report.model import Column, Row, Table

    rows = [
        Row((i.name, i.title, i.kind, ", ".join((*i.total_return, *i.price)), ", ".join(i.plain), i.dividend_yield))
        for i in catalogue.indices.values()
    ]
    heads = (
        Column("Index"),
        Column("Name"),
        Column("Kind"),
        Column("Index series"),
        Column("Plain funds"),
        Column("Stated yield", "percent"),
    )
    return Table(f"{len(rows)} indices", heads, tuple(rows))


def _details(fund: Fund) -> list[str]:
    from alphaoverlay.funds.financing import spread_words

    lines = [f"{fund.symbol}  {fund.name}", f"  spread {spread_words(fund)}"]
    lines += [f"  earlier index: {fund.former}"] if fund.former else []
    lines += [f"  {fund.note}"] if fund.note else []
    lines += [f"  {sentence}" for sentence in fund.warnings]
    lines += [f"  source: {source}" for source in fund.sources]
    for one in fund.expense_history:
        lines.append(f"  {one.seen}  {one.expense:.2%} {one.kind}{' (weak)' if one.weak else ''}: {one.source}")
    return [*lines, ""]


def _document(chosen: Sequence[Fund], catalogue: Catalogue, *, indices: bool) -> dict[str, Any]:
    from dataclasses import asdict

    from alphaoverlay import __version__
    from alphaoverlay.study.document import SCHEMA, plain

    listed = (
        {"indices": [asdict(i) for i in catalogue.indices.values()]}
        if indices
        else {"funds": [asdict(fund) | {"leverage": fund.leverage if fund.exposures else None} for fund in chosen]}
    )
    return {"schema": SCHEMA, "version": __version__, "asof": None, "study": None, "data": None, **plain(listed)}
