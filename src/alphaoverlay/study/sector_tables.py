"""Sector weights by index: the packaged tables, issuers' holdings files, and what the founding case says of them."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from alphaoverlay.analysis.composition import SectorWeights
from alphaoverlay.errors import DataError, SpanError, StudyError, did_you_mean
from alphaoverlay.funds.catalogue import Catalogue
from alphaoverlay.market.holdings import Holdings, read_holdings

ELEVEN = (
    "communication services",
    "consumer discretionary",
    "consumer staples",
    "energy",
    "financials",
    "health care",
    "industrials",
    "information technology",
    "materials",
    "real estate",
    "utilities",
)
ELEVEN_SECTORS = "the eleven standard sectors"
CASH = "cash and derivatives"
# Other spellings of the same, and names that another classification has for nearly the same.
SPELLINGS = {
    "communication": "communication services",
    "healthcare": "health care",
    "cash and/or derivatives": CASH,
}
OTHER_NAMES = {
    "technology": "information technology",
    "telecommunications": "communication services",
    "basic materials": "materials",
}
HOW_TO_GIVE = "--holdings NAME=FILE with the issuer's CSV file of a fund on it"
# The case is judged by the tables of this day, whatever tables come later.
CASE_DAY = "2021-12-31"
# "Far more" is taken as at least twice as much.
FAR_MORE = 2.0


@lru_cache(maxsize=1)
def _packaged() -> tuple[SectorWeights, ...]:
    text = (files("alphaoverlay.study") / "sectors.toml").read_text(encoding="utf-8")
    return tuple(
        SectorWeights(
            index=one["index"],
            asof=one["asof"].isoformat(),
            weights={tuple(sorted(row["sectors"])): row["percent"] / 100.0 for row in one["weights"]},
            source=one["source"],
            verified=one["verified"],
            classification=one["classification"],
            note=one["note"],
        )
        for one in tomllib.loads(text)["table"]
    )


def packaged_sectors(asof: str | None = None) -> dict[str, SectorWeights]:
    """Return the newest packaged table of each index, none later than `asof` (ISO date; None: the newest there is)."""
    newest: dict[str, SectorWeights] = {}
    for one in sorted(_packaged(), key=lambda table: table.asof):
        if asof is None or one.asof <= asof:
            newest[one.index] = one
    return newest


def sectors_of_holdings(index: str, holdings: Holdings) -> SectorWeights:
    """Return a fund's holdings as the sector weights of the index it follows.

    Names of sectors are brought to the eleven standard ones; a name that is none of them is kept as it is, and said.
    """
    weights: dict[str, list[float]] = {}
    others, unknown = [], []
    for name, weight in holdings.sector_weights().items():
        plain = " ".join(str(name).split()).casefold()
        sector = SPELLINGS.get(plain) or OTHER_NAMES.get(plain) or (plain if plain in ELEVEN else str(name))
        others += [str(name)] if plain in OTHER_NAMES else []
        unknown += [str(name)] if sector not in (*ELEVEN, CASH) else []
        weights.setdefault(sector, []).append(float(weight))
    return SectorWeights(
        index=index,
        asof=holdings.asof,
        weights={(sector,): math.fsum(parts) for sector, parts in weights.items()},
        source=f"holdings of {holdings.fund}, {holdings.place}",
        verified=True,
        classification=f"names of another classification ({', '.join(sorted(others))})" if others else ELEVEN_SECTORS,
        note=f"none of the eleven standard sectors, and kept as they are: {', '.join(unknown)}" if unknown else "",
    )


def index_name(name: str, catalogue: Catalogue) -> str:
    """Return the index that a name stands for; a name of something else in upper case."""
    index = catalogue.index_behind(name)
    return name.strip().upper().lstrip("^") if index is None else index.name


def choose_sectors(
    long: str, short: str, catalogue: Catalogue, holdings: Mapping[str, str | Path]
) -> tuple[SectorWeights, SectorWeights]:
    """Return the weights of two indices, from the files given for them or else from the package.

    Parameters
    ----------
    long, short : names of indices, of plain funds on them, or of what a file is given for.
    holdings : issuers' files by such a name.

    Raises
    ------
    StudyError : the same index twice, one without weights, or a file for neither; says what to write instead.
    DataError : a file that cannot be used, or that is of a fund on another index.
    """
    names = [index_name(name, catalogue) for name in (long, short)]
    if names[0] == names[1]:
        both = f"{long} and {short} are both {names[0]}" if long != short else f"{long} stands twice"
        raise StudyError(f"{both}; name two indices, such as RUSSELL2000 NASDAQ100")
    paths: dict[str, str | Path] = {}
    for name, path in holdings.items():
        index = index_name(name, catalogue)
        if index not in names:
            raise StudyError(f"holdings: {name} is not compared here; give files of {' or '.join(names)}")
        if index in paths:
            raise StudyError(f"holdings: {index} stands twice; give one file for it")
        paths[index] = path
    first, second = (_weights(index, paths.get(index), catalogue) for index in names)
    return first, second


def _weights(index: str, path: str | Path | None, catalogue: Catalogue) -> SectorWeights:
    known = packaged_sectors()
    if path is not None:
        read = read_holdings(path)
        _must_follow(index, read, catalogue)
        return sectors_of_holdings(index, read)
    if index not in known:
        raise StudyError(
            f"no sector weights of {index[:40]}: known are {', '.join(known)}.{did_you_mean(index, known)} "
            f"For another, give {HOW_TO_GIVE}"
        )
    return known[index]


def _must_follow(index: str, read: Holdings, catalogue: Catalogue) -> None:
    """Refuse a file that states a fund on another index; a fund that is not known says nothing."""
    stated = next(
        (one for one in catalogue if read.fund.casefold() in (one.symbol.casefold(), one.name.casefold())), None
    )
    follows = None if stated is None else index_name(stated.symbol, catalogue)
    if stated is not None and follows != index:
        raise DataError(
            f"{read.place}: holds {read.fund}, a fund on {follows}; give a file of a fund on {index}, or name {follows}"
        )


def small_caps_and_sectors() -> tuple[dict[str, float], list[bool], str]:
    """A9: whether small caps hold far more financials and industrials than the Nasdaq, by the packaged tables.

    Returns
    -------
    Measured figures as fractions; whether it holds of financials and of industrials; the same for a lay reader.

    Raises
    ------
    SpanError : a table is not in the package.
    """
    known = packaged_sectors(CASE_DAY)
    if not {"RUSSELL2000", "NASDAQ100"} <= known.keys():
        raise SpanError(f"no sector weights of the Russell 2000 and the Nasdaq-100 as of {CASE_DAY}")
    small, nasdaq = known["RUSSELL2000"], known["NASDAQ100"]
    measured = {
        "russell2000_financials": at_least(small, "financials"),
        "nasdaq100_financials": at_most(nasdaq, "financials"),
        "russell2000_industrials": at_least(small, "industrials"),
        "nasdaq100_industrials_at_most": at_most(nasdaq, "industrials"),
    }
    own_financials, financials, own_industrials, industrials = measured.values()
    parts = [own_financials >= FAR_MORE * financials, own_industrials >= FAR_MORE * industrials]
    told = ["far more" if part else "not far more" for part in parts]
    unread = [name for name, side in (("Russell 2000", small), ("Nasdaq-100", nasdaq)) if not side.verified]
    caution = f" Not verified: the weights of the {' and the '.join(unread)}." if unread else ""
    return (
        measured,
        parts,
        f"On {small.asof} the Russell 2000 held {own_financials:.2%} in financials and the Nasdaq-100 "
        f"{_or_none(financials)} ({told[0]}), and {own_industrials:.2%} in industrials against at most "
        f"{industrials:.2%} ({told[1]}): the Nasdaq-100's industrials are published together with its utilities, so "
        f"this is an upper bound.{caution}",
    )


def at_least(side: SectorWeights, sector: str) -> float:
    """Return the least that a side can hold of a sector: its weight where it is published alone, else 0."""
    return side.weights.get((sector,), 0.0)


def at_most(side: SectorWeights, sector: str) -> float:
    """Return the most that a side can hold of a sector: the weight of the group it is published in; 0 without one."""
    return math.fsum(weight for group, weight in side.weights.items() if sector in group)


def _or_none(weight: float) -> str:
    return f"{weight:.2%}" if weight else "none"
