"""`alphaoverlay demo`: the founding case on the packaged sample."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from alphaoverlay.cli import options as shared

REPORT = Path("alphaoverlay-demo.html")
NEXT = (
    "alphaoverlay design SP500=1 RUSSELL2000=0.3 NASDAQ100=-0.3",
    "alphaoverlay new my.toml && alphaoverlay run my.toml --report my.html",
    "alphaoverlay run SPY=70 UPRO=10 TNA=10 SQQQ=10 --data {data}",
)


def demo(
    live: Annotated[
        bool,
        typer.Option("--live", help="Run it on live prices from Yahoo and rates from FRED.", show_default=False),
    ] = False,
    offline: shared.OfflineOption = False,
    store: shared.StoreOption = None,
    output: Annotated[
        Path, typer.Option("--output", metavar="FILE", help="Where to write the report.", show_default=True)
    ] = REPORT,
    open_report: Annotated[bool, typer.Option("--open", help="Open the report in a browser.")] = False,
    json_output: shared.JsonOption = False,
    force: shared.ForceOption = False,
) -> None:
    """Run the founding case (S&P 500 plus small caps over mega-cap growth) on the packaged sample, or on live data.

    [bold]Examples[/bold]

      alphaoverlay demo --open
      alphaoverlay demo --live
    """
    from importlib.util import find_spec

    from rich.markup import escape

    from alphaoverlay.cli.output import console, how_to_call, print_json, write_report
    from alphaoverlay.cli.sources import opened_for
    from alphaoverlay.study.load import study_from
    from alphaoverlay.study.reporting import run_report
    from alphaoverlay.study.run import run_study

    study = study_from(
        {
            "title": f"Small caps over mega-cap growth, on top of the S&P 500 ({'live' if live else 'sample'} data)",
            "base": {"SP500": 1.0},
            "overlay": {"RUSSELL2000": 0.3, "NASDAQ100": -0.3},
            "funds": {"allow": ["SPY", "UPRO", "TNA", "SQQQ"]},
            "costs": {"half_spread_bps": 2.0},
            "data": {"sources": ["yahoo"] if live else []},
        },
        "the demo",
    )
    result = run_study(study, opened_for(study, store, offline=offline))
    report = run_report(result)
    write_report(report, output, open_it=open_report, force=force)
    if json_output:
        from alphaoverlay.study.results import run_document

        print_json(run_document(result).dump())
        return
    from alphaoverlay.report.text import print_notes, print_section

    screen = console()
    screen.print(f"\n[bold]{escape(report.title)}[/bold]\n{escape(report.summary)}\n")
    print_section(report.sections[0], screen)
    print_notes(report.notes, screen)
    screen.print(f"The full report, with charts: [bold]{escape(str(output.resolve()))}[/bold]", soft_wrap=True)
    call, data = how_to_call(), "yahoo" if find_spec("yfinance") else "FOLDER-OF-YOUR-CSV-FILES"
    screen.print("\nTry next:")
    for words in NEXT:
        screen.print("  " + words.format(data=data).replace("alphaoverlay", call), soft_wrap=True, markup=False)
    screen.print()
    screen.print(f"[dim]{report.foot[-1]}[/dim]")
