"""Read a study's signal as of a day: where the spread stands, what followed such readings, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from alphaoverlay.errors import DataError, StudyError, SymbolNotFound
from alphaoverlay.funds.catalogue import Catalogue, load_catalogue
from alphaoverlay.history import counted, iso
from alphaoverlay.market.source import Source
from alphaoverlay.signals.correction import Corrections, find_corrections
from alphaoverlay.signals.evidence import RESAMPLES, Evidence, examine_signal
from alphaoverlay.signals.measures import MEASURES, measure_all
from alphaoverlay.signals.relative_value import FEWEST, TWENTY_YEARS, Extreme, Pair, find_extremes
from alphaoverlay.signals.tactical import Tactical, follow_signal
from alphaoverlay.signals.variants import Sensitivity, vary_signal
from alphaoverlay.study.levels import Levels, common_span, joined, read_levels
from alphaoverlay.study.load import Study
from alphaoverlay.study.market_data import fingerprint_notes, known_index, remembered
from alphaoverlay.study.signal_table import SignalTable
from alphaoverlay.study.sized_overlay import pair_of
from alphaoverlay.study.tables import iso_day

MOST_RESAMPLES = 100_000
# A week beyond which a reading is said to be old.
FRESH_DAYS = 7
Progress = Callable[[str], None]


@dataclass(frozen=True)
class SignalReading:
    """A signal as of a day.

    Attributes
    ----------
    study, table : what was asked.
    asof : last session that was looked at.
    pair, levels : the legs, and what they are made of.
    measures : every measure, n rows.
    lowest, highest : extremes of the difference.
    correction : of the long leg.
    tactical : sizes and spells.
    evidence : what followed.
    sensitivity : the same a little otherwise.
    undefined : measure -> why it is not known on `asof`.
    source, notes : as for a run.
    """

    study: Study
    table: SignalTable
    asof: pd.Timestamp
    pair: Pair
    levels: Levels
    measures: pd.DataFrame
    lowest: tuple[Extreme, ...]
    highest: tuple[Extreme, ...]
    correction: Corrections
    tactical: Tactical
    evidence: Evidence
    sensitivity: Sensitivity
    undefined: Mapping[str, str]
    source: str
    notes: tuple[str, ...]

    def now(self, key: str) -> float | None:
        """Return a measure's value on `asof`; None where it is not known."""
        value = float(self.measures[key].iloc[-1])
        return None if value != value else value


def read_signal(
    study: Study,
    source: Source,
    catalogue: Catalogue | None = None,
    *,
    asof: str | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Progress | None = None,
) -> SignalReading:
    """Read a study's signal; nothing after `asof` is looked at.

    Parameters
    ----------
    study : has a `[signal]`.
    source, catalogue : as for `run_study`.
    asof : ISO date; the study's end, or the last day of the data where None.
    resamples : histories drawn for the p-value, at most 100,000.
    seed : of the draws.
    progress : told what is being done.

    Raises
    ------
    StudyError : no signal, an `asof` that is no date, or more resamples than allowed.
    AlphaOverlayError : as `read_levels`, `common_span` and `follow_signal`.
    """
    table = study.signal
    if table is None:
        raise StudyError('no [signal] in the study; write for example [signal] with long = "RUT" and short = "IXIC"')
    if not 0 <= resamples <= MOST_RESAMPLES:
        raise StudyError(f"resamples = {resamples}: write 0 to {MOST_RESAMPLES:,}")
    tell = progress or (lambda _: None)
    known = catalogue or load_catalogue(study.funds.file)
    end = study.days[1] if asof is None else iso_day("asof", asof)
    levels = read_levels((table.long, table.short), table.basis, source, known, end=end, rate=study.cash.build())
    pair = pair_of(table, levels)
    rule = table.build()
    tactical = follow_signal(pair, rule)
    rate = None if levels.rate is None else levels.rate.reindex(pair.dates)
    measures = measure_all(pair, rule.window, rate)
    tell("what followed")
    evidence = examine_signal(pair, rule, table.horizon, resamples=resamples, seed=seed, progress=progress)
    tell("other windows, entries, starts and series")
    proxies = _read_proxies(table, levels, source, known, iso(pair.dates[-1]))
    read = joined([levels.history, *(one.history for one in proxies.levels)])
    lowest, highest = find_extremes(measures["difference"], rule.window)
    return SignalReading(
        study=study,
        table=table,
        asof=pair.dates[-1],
        pair=pair,
        levels=replace(levels, history=remembered(source, read)),
        measures=measures,
        lowest=lowest,
        highest=highest,
        correction=find_corrections(pair.long),
        tactical=tactical,
        evidence=evidence,
        sensitivity=vary_signal(pair, rule, table.horizon, proxies.pairs),
        undefined=_undefined(measures, table, float(tactical.percentile.iloc[-1])),
        source=source.name,
        notes=(
            *fingerprint_notes(study.data.fingerprint, read),
            *levels.notes,
            *_age(levels, pair, end),
            *(note for note in proxies.notes if note not in levels.notes),
        ),
    )


def _age(levels: Levels, pair: Pair, end: str | None) -> Iterator[str]:
    """Say where the reading is older than what was asked, or than one leg's levels."""
    last = pair.dates[-1]
    if end is not None and (pd.Timestamp(end) - last).days > FRESH_DAYS:
        yield f"The levels end on {iso(last)}, before the asked {end}: this is the reading of that day."
    later = levels.history.dates[-1]
    if later > last:
        short = [str(name) for name in levels.frame.columns if pd.isna(levels.frame[name].iloc[-1])]
        yield f"The reading is of {iso(last)}, where {', '.join(short)} ends; other levels reach {iso(later)}."


def _undefined(measures: pd.DataFrame, table: SignalTable, own: float) -> dict[str, str]:
    """Why a measure, or the signal's own percentile, is not known on the last session."""
    values = int(measures["difference"].notna().sum())
    said = {}
    for one in MEASURES:
        if not pd.isna(measures[one.key].iloc[-1]):
            continue
        needed = TWENTY_YEARS if one.key.endswith("_20y") else FEWEST
        if one.key == "rate_change":
            said[one.key] = "the financing rate is not known for 252 sessions before"
        elif one.key.startswith(("percentile", "zscore")) and values < needed:
            said[one.key] = _too_few(values, needed)
        elif one.key.startswith(("percentile", "zscore")):
            said[one.key] = "the difference did not move"
        else:
            said[one.key] = f"not enough history, or no movement, in {len(measures)} sessions"
    if math.isnan(own):
        needed = table.lookback or FEWEST
        said["percentile"] = _too_few(values, needed) if values < needed else "the difference did not move"
    return said


def _too_few(values: int, needed: int) -> str:
    return f"not enough history: {counted(values, 'difference')}, {needed:,} are needed"


@dataclass(frozen=True)
class _Proxies:
    """Other pairs by name, the levels they were read from, and what must be said of them."""

    pairs: Mapping[str, Pair]
    levels: tuple[Levels, ...]
    notes: tuple[str, ...]


def _read_proxies(table: SignalTable, own: Levels, source: Source, catalogue: Catalogue, end: str) -> _Proxies:
    """Read other pairs for the same view, as asked or as the source has them; say why one is left out."""
    asked = table.proxies
    wanted = asked if asked is not None else tuple(_other_pairs(table, source, catalogue))
    found: dict[str, Pair] = {}
    seen = {(own.made_of[table.long], own.made_of[table.short])}
    read: list[Levels] = []
    notes: list[str] = []
    for names in wanted:
        try:
            levels = read_levels(names, table.basis, source, catalogue, end=end, rates=False)
            read.append(levels)
            notes += levels.notes
            what = (levels.made_of[names[0]], levels.made_of[names[1]])
            # The same levels under another name confirm nothing.
            if asked is not None or what not in seen:
                found[f"{names[0]} against {names[1]}"] = Pair.of(common_span(levels.frame, names))
                seen.add(what)
        except (DataError, StudyError) as error:
            # That the source lacks a series which nobody asked for is no news.
            if asked is not None or not isinstance(error, SymbolNotFound):
                notes.append(f"{names[0]} against {names[1]} is left out: {error}.")
    return _Proxies(found, tuple(read), tuple(dict.fromkeys(notes)))


def _other_pairs(table: SignalTable, source: Source, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """The legs' other series, one at a time and together; for the ambiguous "Nasdaq" the other Nasdaq too."""
    long, short = (_other_series(name, table, source, catalogue) for name in (table.long, table.short))
    for one in short:
        yield table.long, one
    for one in long:
        yield one, table.short
    yield from zip(long, short, strict=False)


def _other_series(name: str, table: SignalTable, source: Source, catalogue: Catalogue) -> list[str]:
    index = catalogue.index_behind(name)
    if index is None:
        return []
    twins = {"NASDAQCOMP": ["NASDAQ100"], "NASDAQ100": ["NASDAQCOMP"]}.get(index.name, [])
    every: list[str] = []
    for one in (index, *(catalogue.index(twin) for twin in twins)):
        one = known_index(one.name, source, catalogue)
        if table.basis == "price":
            every += [*filter(source.holds, one.price), *filter(source.holds, one.plain)][:2]
        elif any(map(source.holds, (*one.total_return, *one.price, *one.plain))):
            every += [one.name, *filter(source.holds, one.plain)][:2]
    return [one for one in dict.fromkeys(every) if one not in (name, table.long, table.short)]
