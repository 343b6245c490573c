"""`alphaoverlay replicate`: the founding case, statement by statement."""

from __future__ import annotations

from typing import Annotated

import typer

from alphaoverlay.cli import options as shared


def replicate(
    only: Annotated[
        list[str] | None, typer.Argument(metavar="[STATEMENT ...]", help="Some of them, such as A5 A7; left out: all.")
    ] = None,
    data: shared.DataOption = None,
    offline: shared.OfflineOption = False,
    store: shared.StoreOption = None,
    accept: shared.AcceptOption = None,
    json_output: shared.JsonOption = False,
) -> None:
    """Check the statements of the founding case (December 2021) against data.

    [bold]Examples[/bold]

      alphaoverlay replicate --data yahoo
      alphaoverlay replicate --data FOLDER
      alphaoverlay replicate A5 A6 A7 --data FOLDER --json
    """
    from rich.markup import escape

    from alphaoverlay.cli.output import console, print_json
    from alphaoverlay.cli.sources import opened
    from alphaoverlay.study.replicating import check_statements

    source = opened(data, accept, store, offline=offline)
    statements = check_statements(source, only=only or ())
    if json_output:
        from alphaoverlay.study.replicate_document import replicate_document

        print_json(replicate_document(statements, source).dump())
        return
    screen = console()
    tints = {"holds": "green", "holds in part": "yellow", "does not hold": "red", "cannot be told": "dim"}
    screen.print(f"\n[bold]The founding case, checked against {escape(source.name)}[/bold]\n", highlight=False)
    for one in statements:
        tint = tints[one.verdict]
        screen.print(f"[bold]{one.id}[/bold]  {escape(one.text)}")
        screen.print(f"     stated   {escape(one.stated)}")
        screen.print(f"     [{tint}]{one.verdict}[/{tint}]: {escape(one.sentence)}\n")
    for note in source.notes:
        screen.print(f"[yellow]•[/yellow] {escape(note)}")
    screen.print("[dim]Analysis of past and modelled data, not investment advice.[/dim]")
