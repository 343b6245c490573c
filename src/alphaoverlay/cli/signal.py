"""`alphaoverlay signal`: is the spread stretched, has it ever paid, and how sure can one be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alphaoverlay.cli import options as shared
from alphaoverlay.errors import StudyError

if TYPE_CHECKING:
    from alphaoverlay.study.load import Study


def signal(
    words: Annotated[
        list[str],
        typer.Argument(metavar="STUDY.toml | LONG SHORT", help="A study with a [signal], or two symbols or indices."),
    ],
    data: shared.DataOption = None,
    offline: shared.OfflineOption = False,
    store: shared.StoreOption = None,
    accept: shared.AcceptOption = None,
    fingerprint: shared.FingerprintOption = None,
    asof: shared.AsofOption = None,
    window: shared.WindowOption = None,
    basis: shared.BasisOption = None,
    lookback: Annotated[
        str | None,
        typer.Option(
            "--lookback", metavar="SPAN", help='Values a percentile is taken among: "all", "20y" or sessions.'
        ),
    ] = None,
    enter: Annotated[
        str | None, typer.Option("--enter", metavar="SHARE", help="Percentile at which it turns on, such as 5%.")
    ] = None,
    leave: Annotated[
        str | None, typer.Option("--exit", metavar="SHARE", help="Percentile at which it turns off, such as 50%.")
    ] = None,
    horizon: Annotated[
        int | None, typer.Option("--horizon", metavar="N", help="Sessions over which what followed is measured.")
    ] = None,
    cash_rate: shared.CashRateOption = None,
    funds: shared.FundsFileOption = None,
    resamples: Annotated[
        int, typer.Option("--resamples", metavar="N", help="Histories drawn for the p-value.", min=0)
    ] = 2000,
    seed: shared.SeedOption = 0,
    json_output: shared.JsonOption = False,
    report: shared.ReportOption = None,
    open_report: shared.OpenOption = False,
    force: shared.ForceOption = False,
) -> None:
    """Read a signal: where the spread of a pair stands, what followed before, and how sure that is.

    [bold]Examples[/bold]

      alphaoverlay signal my.toml --data yahoo
      alphaoverlay signal RUT IXIC --data FOLDER --asof 2021-12-15
      alphaoverlay signal RUSSELL2000 NASDAQ100 --basis total --lookback 20y --report signal.html
    """
    from alphaoverlay.cli.output import print_json, progress, refuse_foreign_file, show_report
    from alphaoverlay.cli.sources import opened_for
    from alphaoverlay.cli.studies import option_words
    from alphaoverlay.study.signal_reading import read_signal
    from alphaoverlay.study.signal_report import signal_report

    shared.refuse_open_without_report(report, open_report=open_report)
    refuse_foreign_file(report, force=force)
    asked = {
        "signal.window": window,
        "signal.basis": basis,
        "signal.lookback": _number_or_word(lookback),
        "signal.enter": enter,
        "signal.exit": leave,
        "signal.horizon": horizon,
        "cash.rate": cash_rate,
        "funds.file": None if funds is None else str(funds),
        "data.sources": data or None,
        "data.accept": option_words(accept),
        "data.fingerprint": fingerprint,
    }
    study = _read(words, asked)
    with progress() as tell:
        found = read_signal(
            study,
            opened_for(study, store, offline=offline),
            asof=asof,
            resamples=resamples,
            seed=seed,
            progress=tell,
        )
    if json_output:
        from alphaoverlay.study.signal_document import signal_document

        print_json(signal_document(found).dump())
    show_report(signal_report(found), report, open_it=open_report, force=force, quiet=json_output)


def _number_or_word(word: str | None) -> int | str | None:
    return int(word) if word is not None and word.isascii() and word.isdigit() else word


def _read(words: list[str], asked: dict[str, Any]) -> Study:
    """Return the study of a file, or of two names, with the options laid over it."""
    from alphaoverlay.cli.studies import read_words, study_of

    if len(words) == 1 and (words[0].endswith(".toml") or Path(words[0]).exists()):
        return read_words(words, "", asked)
    if len(words) != 2:
        raise StudyError(
            f"command line: {' '.join(words)!r} is neither a study (a .toml file) nor a pair; write for example: "
            "alphaoverlay signal RUT IXIC"
        )
    return study_of({"signal": {"long": words[0], "short": words[1]}}, asked, "command line")
