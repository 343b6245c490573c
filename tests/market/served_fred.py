"""Replies in the form of FRED's fredgraph.csv, and a mirror that serves them.

As seen in stored answers and fixtures of public repositories (DFF, DTB3, SOFR; 2018 to 2026): a header
`observation_date,ID` (`DATE,ID` until December 2024), a row a day in percent, nothing or a lone "." for a day without
an observation, a newline at the end; `id` and `cosd` (first day) in the query. Not seen, only told: an unknown ID gets
status 404 and a web page. Values here are invented.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.market.loopback import HASTY, Asked, Loopback, Reply, loopback

from alphaoverlay.market.fred import FredSource

PATH = "/graph/fredgraph.csv"
DFF = {"2020-12-31": "0.09", "2021-01-01": "0.09", "2021-01-04": "0.09", "2021-01-05": ".", "2021-01-06": "0.08",
       "2021-01-07": "", "2021-01-08": "-0.05", "2021-01-15": "5.33"}  # fmt: skip
NOT_FOUND = Reply("<!DOCTYPE html><html><head><title>Error - St. Louis Fed</title></head></html>", 404)


def rate_csv(series: str, percents: Mapping[str, str], day_name: str = "observation_date") -> str:
    """Text of FRED's file of one series."""
    return "".join(f"{line}\n" for line in (f"{day_name},{series}", *(f"{d},{v}" for d, v in percents.items())))


def served(**series: Mapping[str, str]) -> Callable[[Asked], Reply]:
    """Answer for these series, from `cosd` on where it is asked for."""

    def reply(asked: Asked) -> Reply:
        name = asked.query.get("id", "")
        if asked.path != PATH or name not in series:
            return NOT_FOUND
        begin = asked.query.get("cosd", "")
        return Reply(rate_csv(name, {day: value for day, value in series[name].items() if day >= begin}))

    return reply


@contextmanager
def mirror(reply: Callable[[Asked], Reply]) -> Iterator[tuple[FredSource, Loopback]]:
    """A source that asks a mirror on loopback."""
    with loopback(reply) as server:
        yield FredSource(server.url, HASTY), server


@contextmanager
def fred_case(folder: Path) -> Iterator[tuple[FredSource, tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
    """A source for the contract suite: no symbols, no spellings, and its rates."""
    with mirror(served(DFF=DFF, DTB3={"2021-01-04": "0.09", "2021-01-05": "0.08"})) as (source, _):
        yield source, (), (), ("DFF", "DTB3")
