"""Options that several commands share, spelled the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from alphaoverlay.errors import StudyError

DataOption = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        metavar="SOURCE",
        help="yahoo, stooq, tiingo, french, fred, or a folder of SYMBOL.csv files; repeated: in that order. "
        "Left out: the packaged sample, without real funds; for `data`: yahoo, or what is stored.",
    ),
]
OfflineOption = Annotated[
    bool, typer.Option("--offline", help="Ask no live source; use what is stored.", show_default=False)
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", metavar="URL", help="Where live data are kept: a file, or postgresql://...; left out: your own."
    ),
]
AcceptOption = Annotated[
    list[str] | None,
    typer.Option(
        "--accept", metavar="NAME", help="Take a serious finding in the data as it is, such as stale; may be repeated."
    ),
]
FingerprintOption = Annotated[
    str | None,
    typer.Option("--fingerprint", metavar="HASH", help="Read the stored versions that an earlier result used."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
FundsFileOption = Annotated[
    Path | None, typer.Option("--funds", metavar="FILE", help="Your own fund file, laid over the catalogue.")
]
StartOption = Annotated[str | None, typer.Option("--start", metavar="DATE", help="First day, YYYY-MM-DD.")]
EndOption = Annotated[str | None, typer.Option("--end", metavar="DATE", help="Last day, YYYY-MM-DD.")]
AsofOption = Annotated[
    str | None, typer.Option("--asof", metavar="DATE", help="Look at nothing after this day; left out: all there is.")
]
BasisOption = Annotated[
    str | None, typer.Option("--basis", metavar="BASIS", help='"price" (default) or "total", with distributions.')
]
SeedOption = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of the random draws.")]
RebalanceOption = Annotated[
    str | None,
    typer.Option(
        "--rebalance",
        metavar="CALENDAR",
        help="never, daily, weekly, monthly, quarterly (default), semiannual or annual.",
    ),
]
OffsetOption = Annotated[
    int | None, typer.Option("--offset", metavar="K", help="Trade K sessions before the period's last.")
]
RuleOption = Annotated[
    list[str] | None,
    typer.Option("--rule", metavar="CALENDAR", help="Calendar to compare yours with, such as never; repeatable."),
]
PathsOption = Annotated[int, typer.Option("--paths", metavar="N", help="How many paths.")]
SessionsOption = Annotated[
    int, typer.Option("--sessions", metavar="N", help="Sessions ahead; 63 are a quarter, 252 a year, 2,520 ten.")
]
WindowOption = Annotated[
    int | None, typer.Option("--window", metavar="N", help="Sessions of the past that count; 756 are three years.")
]
ShockOption = Annotated[
    list[str] | None,
    typer.Option(
        "--shock", metavar="INDEX=MOVE", help="A move of an index, such as RUSSELL2000=-30%; several together."
    ),
]
CostOption = Annotated[
    str | None,
    typer.Option(
        "--half-spread-bps",
        metavar="BPS",
        help='Half the bid-ask spread in basis points; or "catalogue", by fund and date.',
    ),
]
BandOption = Annotated[
    list[str] | None,
    typer.Option(
        "--band",
        metavar="ON=SIZE",
        help="Also trade when weight, exposure, net, gross or active is off target, such as exposure=0.10; repeatable.",
    ),
]
CapitalOption = Annotated[
    float | None,
    typer.Option("--capital", metavar="MONEY", help="What is invested; trades are then held against volumes."),
]
BenchmarkOption = Annotated[
    str | None,
    typer.Option(
        "--benchmark",
        metavar="SYMBOL",
        help="Compare with it, or with SPY=60,TLT=40; left out: the base in plain funds.",
    ),
]
CashRateOption = Annotated[
    str | None,
    typer.Option("--cash-rate", metavar="RATE", help="A rate file's name such as DFF, or a fixed one such as 0.02."),
]
AllowOption = Annotated[
    str | None,
    typer.Option("--allow", metavar="SYMBOLS", help="Funds a design may use, with commas: SPY,UPRO,TNA,SQQQ."),
]
SaveOption = Annotated[
    Path | None, typer.Option("--save", metavar="FILE", help="Write what was asked as a study that `run` reads.")
]
ReportOption = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="Write the full report as one HTML file.")
]
OpenOption = Annotated[bool, typer.Option("--open", help="Open the report in a browser.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")]


def pairs(words: list[str], what: str) -> dict[str, str]:
    """Read words such as SPY=70.

    Raises
    ------
    TickerError : a ticker's terms that cannot be read.
    StudyError : a word without a name and a value, or a name twice.
    """
    from alphaoverlay.funds.ticker import canonical_symbol, parse_ticker

    read: dict[str, str] = {}
    for word in words:
        # The terms of a ticker, such as SPY?L=3=10, have equals signs of their own.
        name, sign, value = word.rpartition("=") if "?" in word else word.partition("=")
        if "?" in word and not is_ticker(name):
            # As many equals signs as terms: the last one stands before the weight, and the mistake before it.
            parse_ticker(name if name.count("=") == name.count("&") + 1 else word)
            raise StudyError(f"command line: {word!r} is a ticker without a weight; write {word}=10 for 10%")
        if not (name and sign and value):
            raise StudyError(f"command line: {word!r} is not {what}; write NAME=NUMBER, or the path of a study (.toml)")
        key = canonical_symbol(name)
        if key in read:
            raise StudyError(f"command line: {key} stands twice; name it once")
        read[key] = value
    return read


def is_ticker(word: str) -> bool:
    """Whether a word is a whole ticker, so that nothing of it is a weight."""
    from alphaoverlay.errors import TickerError
    from alphaoverlay.funds.ticker import parse_ticker

    try:
        parse_ticker(word)
    except TickerError:
        return False
    return True


def moves(words: list[str], option: str, example: str) -> dict[str, float]:
    """Read NAME=NUMBER words of a repeated option, such as RUSSELL2000=-30%.

    Raises
    ------
    StudyError : a word that is not one, or a name twice.
    """
    from alphaoverlay.study.tables import numbers

    read: dict[str, str] = {}
    for word in words:
        name, sign, move = word.partition("=")
        if not (name and sign and move):
            raise StudyError(f"command line: {word!r} is not a number by name; write for example {option} {example}")
        if name.upper() in read:
            raise StudyError(f"command line: {option} {name} stands twice; name it once")
        read[name.upper()] = move
    try:
        return dict(numbers(read))
    except ValueError as error:
        raise StudyError(f"command line: {option} {error}") from None


def given(**options: Any) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def refuse_open_without_report(report: Path | None, *, open_report: bool) -> None:
    """Raise StudyError where a report is to be opened and none is asked for."""
    if open_report and report is None:
        raise StudyError("command line: --open opens a report; name its file with --report FILE")
