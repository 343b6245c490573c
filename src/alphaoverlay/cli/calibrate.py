"""`alphaoverlay calibrate`: fit a fund's financing terms to its real history."""

from __future__ import annotations

from typing import Annotated

import typer

from alphaoverlay.cli import options as shared


def calibrate(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="A leveraged or inverse fund, such as UPRO.")],
    data: shared.DataOption = None,
    offline: shared.OfflineOption = False,
    store: shared.StoreOption = None,
    accept: shared.AcceptOption = None,
    start: shared.StartOption = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Look at nothing after this day, YYYY-MM-DD.")
    ] = None,
    fit: Annotated[
        str, typer.Option("--fit", metavar="TERMS", help="What to fit: SP (spread), SW (swap exposure), E (expense).")
    ] = "SP",
    seed: shared.SeedOption = 0,
    cash_rate: shared.CashRateOption = None,
    funds: shared.FundsFileOption = None,
    json_output: shared.JsonOption = False,
    report: shared.ReportOption = None,
    open_report: shared.OpenOption = False,
    force: shared.ForceOption = False,
) -> None:
    """Fit the financing spread that makes a synthetic fund end where the real one ended.

    [bold]Examples[/bold]

      alphaoverlay calibrate UPRO --data FOLDER
      alphaoverlay calibrate TQQQ --data FOLDER --until 2018-12-31
      alphaoverlay calibrate SSO --data FOLDER --fit SP,SW --json
    """
    from alphaoverlay.cli.output import print_json, show_report
    from alphaoverlay.cli.sources import opened
    from alphaoverlay.funds.catalogue import load_catalogue
    from alphaoverlay.study.calibrated import fit_terms, read_calibration
    from alphaoverlay.study.calibration_report import calibration_report
    from alphaoverlay.study.fund_span import fund_span

    shared.refuse_open_without_report(report, open_report=open_report)
    span = fund_span({"start": start, "end": until, "cash": shared.given(rate=cash_rate)}, "command line", end="until")
    calibrated = read_calibration(
        symbol,
        opened(data, accept, store, offline=offline),
        load_catalogue(funds),
        start=span.first,
        until=span.last,
        rate=span.cash.build(),
        terms=fit_terms(fit),
        seed=seed,
    )
    if json_output:
        from alphaoverlay.study.calibration_documents import calibrate_document

        print_json(calibrate_document(calibrated).dump())
    show_report(calibration_report(calibrated), report, open_it=open_report, force=force, quiet=json_output)
