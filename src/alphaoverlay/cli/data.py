"""`alphaoverlay data`: fetch, list, show, check, export and import market data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alphaoverlay.cli import options as shared

if TYPE_CHECKING:
    from alphaoverlay.market.combined import CombinedSource
    from alphaoverlay.market.opening import DataChoice
    from alphaoverlay.report.model import Table
    from alphaoverlay.store.versions import Key

ACTION_DUE = 3

data = typer.Typer(
    name="data",
    help="Fetch, list, show, check, export and import market data.",
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@data.callback(invoke_without_command=True)
def options(context: typer.Context) -> None:
    """Fetch, list, show, check, export and import market data."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


VersionOption = Annotated[
    int | None, typer.Option("--version", metavar="N", help="Show this one; left out: the newest.")
]
FullOption = Annotated[
    bool, typer.Option("--full", help="Ask for all of each series, so that any revision is seen.", show_default=False)
]


@data.command()
def fetch(
    words: Annotated[
        list[str], typer.Argument(metavar="SYMBOL ... | STUDY.toml", help="Symbols and rates, or what a study reads.")
    ],
    sources: shared.DataOption = None,
    full: FullOption = False,
    store: shared.StoreOption = None,
    json_output: shared.JsonOption = False,
) -> None:
    """Bring series in the store up to date; what a source has revised is kept beside what it was.

    [bold]Examples[/bold]

      alphaoverlay data fetch SPY UPRO TNA SQQQ DFF
      alphaoverlay data fetch my.toml
      alphaoverlay data fetch GSPC --data stooq --full
    """
    from alphaoverlay.errors import need

    need("sqlalchemy", "live", "the store")
    from alphaoverlay.study.data_documents import fetch_document
    from alphaoverlay.study.data_report import fetch_table
    from alphaoverlay.study.fetching import fetch_names, fetch_study

    refresh: bool | str = "whole" if full else True
    studies = [word for word in words if word.endswith(".toml")]
    if studies and len(words) > 1:
        from alphaoverlay.errors import StudyError

        raise StudyError(f"command line: name one study, or symbols: {studies[0]} stands beside others")
    if studies:
        from alphaoverlay.study.load import load_study

        study = load_study(words[0])
        chosen = tuple(sources or ()) or study.data.sources or ("yahoo",)
        table = study.data.model_copy(update={"sources": chosen, "fingerprint": None})
        source = _live(table.build(store=store, refresh=refresh))
        done = fetch_study(study, source)
    else:
        from alphaoverlay.market.opening import DataChoice

        source = _live(DataChoice(tuple(sources or ("yahoo",)), store=store, refresh=refresh))
        done = fetch_names(words, source)
    where = source.stored[0].store.where
    if json_output:
        from alphaoverlay.cli.output import print_json

        print_json(fetch_document(done, where).dump())
    else:
        _print(fetch_table(done, where))
        _say([f"{one.name}: {one.sentence}" if one.failed else one.sentence for one in done if one.sentence])
    if any(one.failed for one in done):
        raise typer.Exit(2)


@data.command("list")
def list_series(store: shared.StoreOption = None, json_output: shared.JsonOption = False) -> None:
    """List what is stored.

    [bold]Example[/bold]

      alphaoverlay data list
    """
    from alphaoverlay.errors import need

    need("sqlalchemy", "live", "the store")
    from alphaoverlay.store.series_store import open_store
    from alphaoverlay.study.data_documents import list_document
    from alphaoverlay.study.data_report import list_table

    opened = open_store(store)
    found = opened.list()
    if json_output:
        from alphaoverlay.cli.output import print_json

        print_json(list_document(found, opened.where).dump())
        return
    _print(list_table(found, opened.where))


@data.command()
def show(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="A symbol or rate that is stored.")],
    sources: shared.DataOption = None,
    version: VersionOption = None,
    store: shared.StoreOption = None,
    json_output: shared.JsonOption = False,
) -> None:
    """Show a series' versions, how each differs from the one before, and rows; with --json every row.

    [bold]Examples[/bold]

      alphaoverlay data show SPY
      alphaoverlay data show SPY --data tiingo
      alphaoverlay data show SPY --version 1 --json
    """
    from alphaoverlay.errors import SymbolNotFound, need

    need("sqlalchemy", "live", "the store")
    from alphaoverlay.store.series_store import open_store
    from alphaoverlay.study.data_documents import show_document
    from alphaoverlay.study.data_report import rows_table, versions_table

    opened = open_store(store)
    key = _only_key(symbol.lstrip("^").upper(), sources, [one.key for one in opened.list()], opened.where)
    stored = opened.read(key, version)
    versions = opened.versions(key)
    if stored is None:
        raise SymbolNotFound(f"there is no version {version} of {key}: it has 1 to {len(versions)}")
    if json_output:
        from alphaoverlay.cli.output import print_json

        print_json(show_document(stored, versions, opened.where).dump())
        return
    _print(versions_table(versions), rows_table(stored))


@data.command()
def check(
    symbols: Annotated[
        list[str] | None, typer.Argument(metavar="[SYMBOL ...]", help="Left out: all that the sources can list.")
    ] = None,
    sources: shared.DataOption = None,
    offline: shared.OfflineOption = False,
    store: shared.StoreOption = None,
    names: Annotated[
        bool, typer.Option("--names", help="List what is looked for, and what accepting it does.")
    ] = False,
    json_output: shared.JsonOption = False,
) -> None:
    """Check data for what would spoil a result; several sources are held against each other. Exit code 3: serious.

    [bold]Examples[/bold]

      alphaoverlay data check
      alphaoverlay data check --data FOLDER
      alphaoverlay data check SPY TNA --data yahoo --data FOLDER
      alphaoverlay data check --names
    """
    if names:
        from alphaoverlay.study.data_report import names_table

        _print(names_table())
        return
    from alphaoverlay.cli.sources import opened
    from alphaoverlay.errors import StudyError
    from alphaoverlay.market.combined import CombinedSource
    from alphaoverlay.study.data_documents import check_document
    from alphaoverlay.study.data_report import check_tables
    from alphaoverlay.study.fetching import check_names, names_in

    kept = [] if sources else _kept_from(store)
    source = opened(sources or kept, None, store, offline=offline or bool(kept))
    parts = source.sources if isinstance(source, CombinedSource) else (source,)
    wanted = symbols or names_in(parts)
    if not wanted:
        raise StudyError(f"command line: {source.name} has nothing to list; name symbols to check")
    found = check_names(wanted, parts)
    if json_output:
        from alphaoverlay.cli.output import print_json

        print_json(check_document(found, source.notes).dump())
    else:
        _print(*check_tables(found))
        _say(list(source.notes))
    if any(one.serious for one in found):
        raise typer.Exit(ACTION_DUE)


@data.command("export")
def export_series(
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="Where to write every version of the series.")],
    symbols: Annotated[list[str] | None, typer.Argument(metavar="[SYMBOL ...]", help="Left out: all series.")] = None,
    store: shared.StoreOption = None,
    force: shared.ForceOption = False,
) -> None:
    """Write stored series with all versions into one file, for another machine or as a copy.

    [bold]Example[/bold]

      alphaoverlay data export prices.zip
    """
    from alphaoverlay.errors import SymbolNotFound, need

    need("sqlalchemy", "live", "the store")
    from alphaoverlay.files import write_whole
    from alphaoverlay.store.archive import export_archive
    from alphaoverlay.store.series_store import open_store

    opened = open_store(store)
    known = [one.key for one in opened.list()]
    names = [symbol.lstrip("^").upper() for symbol in symbols or ()]
    missing = [name for name in names if name not in {key.name for key in known}]
    if missing or not known:
        raise SymbolNotFound(f"nothing of {', '.join(missing) or 'anything'} is in the store {opened.where}")
    keys = [key for key in known if not names or key.name in names]
    write_whole(file, export_archive(opened, keys), replace=force)
    typer.echo(f"{len(keys)} series written to {file}")


@data.command("import")
def import_series(
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="What `data export` wrote.")],
    store: shared.StoreOption = None,
    json_output: shared.JsonOption = False,
) -> None:
    """Add the series of an exported file to the store: all of them, or where they contradict it none.

    [bold]Example[/bold]

      alphaoverlay data import prices.zip
    """
    from alphaoverlay.errors import need

    need("sqlalchemy", "live", "the store")
    from alphaoverlay.store.archive import import_archive
    from alphaoverlay.store.series_store import open_store
    from alphaoverlay.study.data_documents import import_document
    from alphaoverlay.study.data_report import import_table

    opened = open_store(store)
    done = import_archive(opened, file)
    if json_output:
        from alphaoverlay.cli.output import print_json

        print_json(import_document(done, opened.where).dump())
        return
    _print(import_table(done, opened.where))


def _only_key(name: str, sources: list[str] | None, keys: list[Key], where: str) -> Key:
    """Return the one stored series of that name.

    Raises
    ------
    SymbolNotFound : none is stored.
    StudyError : several sources have served it.
    """
    from alphaoverlay.errors import StudyError, SymbolNotFound, did_you_mean

    named = [one for one in keys if one.name == name]
    found = [one for one in named if not sources or one.source in sources]
    if not found:
        elsewhere = f" It is there from {', '.join(one.source for one in named)}." if named else ""
        near = elsewhere or did_you_mean(name, [one.name for one in keys])
        raise SymbolNotFound(f"{name}{f' from {sources[0]}' if sources else ''} is not in the store {where}.{near}")
    if len(found) > 1:
        raise StudyError(
            f"command line: {name} is stored from {' and '.join(one.source for one in found)}; name one with --data"
        )
    return found[0]


def _kept_from(store: str | None) -> list[str]:
    """The live sources that anything is stored of; none where there is no store yet."""
    from importlib.util import find_spec

    if find_spec("sqlalchemy") is None:
        return []
    from alphaoverlay.market.opening import LIVE
    from alphaoverlay.store.engine import exists, store_url
    from alphaoverlay.store.series_store import open_store

    if not exists(store_url(store)):
        return []
    kept = {one.key.source for one in open_store(store).list()}
    return [name for name in LIVE if name in kept]


def _live(choice: DataChoice) -> CombinedSource:
    """Open live sources.

    Raises
    ------
    StudyError : none of the sources is live.
    """
    from alphaoverlay.cli.sources import opened_choice
    from alphaoverlay.errors import StudyError
    from alphaoverlay.market.combined import CombinedSource

    source = opened_choice(choice)
    if not isinstance(source, CombinedSource) or not source.stored:
        raise StudyError(f"command line: {source.name} is read where it lies; only live sources are fetched")
    return source


def _print(*tables: Table) -> None:
    from alphaoverlay.cli.output import console
    from alphaoverlay.report.text import print_table

    screen = console()
    for table in tables:
        print_table(table, screen)


def _say(sentences: list[str]) -> None:
    from rich.markup import escape

    from alphaoverlay.cli.output import console

    for sentence in sentences:
        console().print(f"[yellow]•[/yellow] {escape(sentence)}")
