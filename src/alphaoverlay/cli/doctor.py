"""`alphaoverlay doctor`: is everything there, and what to do where it is not."""

from __future__ import annotations

import typer

from alphaoverlay.cli import options as shared


def doctor(store: shared.StoreOption = None, json_output: shared.JsonOption = False) -> None:
    """Look at Python, the sample, extras, keys and the store, and say what to install or mend.

    [bold]Example[/bold]

      alphaoverlay doctor
    """
    from alphaoverlay.study.doctor import look_around

    items = look_around(store)
    if json_output:
        from alphaoverlay.cli.output import print_json
        from alphaoverlay.study.doctor_document import doctor_document

        print_json(doctor_document(items).dump())
    else:
        from alphaoverlay.cli.output import console
        from alphaoverlay.report.text import print_table
        from alphaoverlay.study.doctor import doctor_table

        print_table(doctor_table(items), console())
    if any(item.state == "wrong" for item in items):
        raise typer.Exit(3)
