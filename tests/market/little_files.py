"""Tiny price and rate files that the market tests write to disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from alphaoverlay.market.folder import FolderSource

# The exchange's sessions from New Year to the day after Martin Luther King Day (Monday 18 January, closed).
JANUARY = (
    "2021-01-04", "2021-01-05", "2021-01-06", "2021-01-07", "2021-01-08",
    "2021-01-11", "2021-01-12", "2021-01-13", "2021-01-14", "2021-01-15",
    "2021-01-19",
)  # fmt: skip


def price_file(days: Iterable[str], first: float = 100.0) -> str:
    """Text of a price file: `first` on the first day, one more on each following; adj_close is half of close."""
    rows = (f"{day},{first + k},{(first + k) / 2}" for k, day in enumerate(days))
    return "\n".join(("date,close,adj_close", *rows, ""))


def rate_file(percents: Mapping[str, float]) -> str:
    """Text of a rate file, in percent a year by day."""
    return "\n".join(("date,percent", *(f"{day},{percent}" for day, percent in percents.items()), ""))


def folder_of(folder: Path, **texts: str) -> FolderSource:
    """Write each text to `NAME.csv` and open the folder."""
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return FolderSource(folder)


def without(days: Iterable[str], *left_out: str) -> list[str]:
    """Return the days but those left out."""
    return [day for day in days if day not in left_out]
