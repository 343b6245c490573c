"""From a reading of a signal to a report."""

from __future__ import annotations

import pandas as pd

from alphaoverlay.history import counted, iso
from alphaoverlay.report import figures
from alphaoverlay.report.charts_of_signals import falls, ranks, spread
from alphaoverlay.report.model import Cell, Column, Figure, Kind, Report, Row, Section, Table, Tile, write_cell
from alphaoverlay.signals.evidence import FEW_EPISODES, Evidence
from alphaoverlay.signals.measures import MEASURES, regime
from alphaoverlay.signals.relative_value import TWENTY_YEARS
from alphaoverlay.signals.variants import Choosing, Trial
from alphaoverlay.study.reporting import report_foot
from alphaoverlay.study.series_report import series_table
from alphaoverlay.study.signal_reading import SignalReading

KINDS: dict[str, Kind] = {"fraction": "percent", "ratio": "ratio 3", "share": "percent", "deviations": "signed"}
OWN = "as in the study"
SIGNED = {"difference", "annualised", "trend", "trend_long", "momentum", "rate_change"}
BY_CHANCE = "Chance: histories resampled in blocks, in which the past says nothing of what follows."


def signal_report(found: SignalReading) -> Report:
    """Return everything that is said about a signal, in reading order."""
    return Report(
        title=found.study.title or f"{found.table.long} against {found.table.short}",
        summary=_summary(found),
        notes=(*found.notes, *found.sensitivity.notes),
        tiles=_tiles(found),
        sections=(
            Section("The reading", (_measures(found), *_reading_figures(found), _extremes(found))),
            Section("Corrections of the long leg", _correction(found)),
            Section("Does it work?", _evidence(found), found.evidence.sentence),
            Section("A little otherwise", _sensitivity(found)),
            Section("Where the data came from", (_series(found),)),
        ),
        foot=report_foot(
            found.source,
            found.levels.history.between(found.pair.dates[0], found.asof),
            found.levels.history.fingerprint,
        ),
    )


def _summary(found: SignalReading) -> str:
    table, gap = found.table, found.now("difference") or 0.0
    ranked = found.now("percentile_20y")
    words = "over 20 years" if ranked is not None else "of all history"
    ranked = found.now("percentile_all") if ranked is None else ranked
    place = "" if ranked is None else f", {_place(ranked)} {words}"
    seen = found.correction
    fall = abs(float(seen.drawdown.iloc[-1]))
    return (
        f"On {iso(found.asof)} {table.long} had returned {100.0 * gap:+.1f} points against {table.short} over "
        f"{table.window:,} sessions{place}. {table.long} stands {fall:.1%} below its peak of "
        f"{iso(seen.peak)} ({_state(found)}). The signal is {_position(found)}. {found.evidence.sentence}"
    )


def _place(share: float) -> str:
    """Write a percentile as people read it."""
    if share <= 0.0:
        return "the lowest"
    if share >= 1.0:
        return "the highest"
    beyond = max(share, 1.0 - share)
    much = "nearly all" if beyond > 0.9995 else f"{beyond:.1%}"
    return f"{'lower' if share < 0.5 else 'higher'} than {much} of the readings"


def _state(found: SignalReading) -> str:
    state = str(found.correction.state.iloc[-1])
    return {
        "none": "no correction so far",
        "correction": "a correction",
        "bear": "a bear market",
        "recovering": "recovering",
        "recovered": "no correction",
    }[state]


def _position(found: SignalReading) -> str:
    tactical = found.tactical
    if not tactical.on:
        return "off"
    size = float(tactical.size.iloc[-1])
    full = "" if size == 1.0 else f" at size {size:g}"
    return f"on{full} since {iso(found.pair.dates[tactical.spells[-1].entry])}"


def _tiles(found: SignalReading) -> tuple[Tile, ...]:
    evidence = found.evidence
    return (
        Tile(
            f"Difference, {found.table.window} sessions",
            f"{write_cell(found.now('difference'), 'points')} pts",
            f"{write_cell(found.now('annualised'), 'points')} a year",
        ),
        Tile(
            "Percentile, 20 years",
            write_cell(found.now("percentile_20y"), "percent"),
            f"all history {write_cell(found.now('percentile_all'), 'percent')}",
        ),
        Tile(
            f"{found.table.long} below its peak",
            write_cell(float(found.correction.drawdown.iloc[-1]), "percent"),
            str(found.correction.state.iloc[-1]),
        ),
        Tile("Signal", "on" if found.tactical.on else "off", f"size {float(found.tactical.size.iloc[-1]):g}"),
        Tile(
            "Chance alone",
            "–" if evidence.p_value is None else f"p {_p_words(evidence.p_value)}",
            counted(evidence.independent, "independent episode"),
        ),
    )


def _measures(found: SignalReading) -> Table:
    rows = []
    for one in MEASURES:
        kind: Kind = "signed percent" if one.key in SIGNED else KINDS[one.unit]
        value: Cell = found.now(one.key)
        rows.append(Row((one.label, value if value is not None else "–", one.formula), kind=kind))
    named = regime(float(found.measures["volatility_percentile"].iloc[-1]))
    labels = {one.key: one.label for one in MEASURES} | {"percentile": "Percentile of the signal"}
    reasons = "; ".join(f"{labels[key]}: {why}" for key, why in found.undefined.items())
    note = f"The spread's volatility is {named}. n is {found.table.window} sessions. {reasons}".strip()
    return Table("Today", (Column(""), Column(iso(found.asof), "percent"), Column("Definition")), tuple(rows), note)


def _spells(found: SignalReading) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    dates = found.pair.dates
    return [(dates[one.entry], dates[-1] if one.exit is None else dates[one.exit]) for one in found.tactical.spells]


def _reading_figures(found: SignalReading) -> tuple[Figure, ...]:
    table, spells = found.table, _spells(found)
    gap = found.measures["difference"].dropna()
    what = f"{table.long} minus {table.short} over {table.window} sessions"
    shown = [
        spread(
            gap,
            spells,
            [(one.date, one.difference) for one in found.lowest],
            [(one.date, one.difference) for one in found.highest],
            what,
        )
    ]
    ranked = found.tactical.percentile.dropna()
    if len(ranked):
        shown.append(ranks(ranked, table.enter, table.exit, spells, f"{_lookback(found)} up to each day"))
    shown.append(
        figures.lines(
            pd.DataFrame({f"{table.long} over {table.short}": found.measures["ratio"]}),
            "Telltale: ratio of the two levels",
            "ratio, 1 at the start",
            ".3f",
            "Rising: the long leg wins.",
        )
    )
    return tuple(shown)


def _lookback(found: SignalReading) -> str:
    lookback = found.table.lookback
    if lookback is None:
        return "all history"
    return "20 years" if lookback == TWENTY_YEARS else f"{lookback} sessions"


def _extremes(found: SignalReading) -> Table:
    rows = []
    for k in range(max(len(found.lowest), len(found.highest))):
        cells: list[Cell] = [str(k + 1)]
        for side in (found.lowest, found.highest):
            cells += [iso(side[k].date), side[k].difference] if k < len(side) else ["–", "–"]
        rows.append(Row(tuple(cells)))
    columns = (
        Column(""),
        Column("Lowest on", "date"),
        Column("Difference", "signed percent"),
        Column("Highest on", "date"),
        Column("Difference", "signed percent"),
    )
    today = f"Today: {100.0 * (found.now('difference') or 0.0):+.2f}%."
    note = (
        f"Extremes of all history from {iso(found.measures['difference'].dropna().index[0])} on, found with hindsight."
    )
    return Table("Past extremes", columns, tuple(rows), f"{today} {note}")


def _correction(found: SignalReading) -> tuple[Table | Figure, ...]:
    seen = found.correction
    rows = [
        Row(
            (
                iso(one.peak),
                iso(one.began),
                "–" if one.bear is None else iso(one.bear),
                iso(one.trough),
                one.depth,
                "not yet" if one.recovered is None else iso(one.recovered),
            )
        )
        for one in reversed(seen.episodes)
    ]
    columns = (
        Column("Peak", "date"),
        Column("10% below", "date"),
        Column("20% below", "date"),
        Column("Lowest", "date"),
        Column("Depth", "percent"),
        Column("Back at the peak", "date"),
    )
    shown: list[Table | Figure] = [falls(seen.drawdown, found.table.long)]
    if rows:
        shown.append(Table(f"Corrections of {found.table.long}, the last first", columns, tuple(rows)))
    return tuple(shown)


def _evidence(found: SignalReading) -> tuple[Table, ...]:
    evidence = found.evidence
    shown = [_judgement(evidence)]
    rows = [
        Row(
            (
                iso(one.entry),
                "on" if one.exit is None else iso(one.exit),
                one.reason or "–",
                one.difference,
                one.percentile,
                one.outcome if one.outcome is not None else "not over",
                one.to_exit if one.to_exit is not None else "–",
                _counted(one.independent, one.outcome is not None),
            )
        )
        for one in reversed(evidence.episodes)
    ]
    columns = (
        Column("Entry", "date"),
        Column("Exit", "date"),
        Column("Reason"),
        Column("Difference", "percent"),
        Column("Percentile", "percent"),
        Column(f"{evidence.horizon} sessions after", "points"),
        Column("To the exit", "points"),
        Column("Counted"),
    )
    note = (
        "Points by which the long leg beat the short one, from the close after entry. Counted: begins after the "
        "episode counted before it has ended, and its sessions are over."
    )
    if rows:
        shown.append(Table("Every episode, the last first", columns, tuple(rows), note))
    return tuple(shown)


def _counted(independent: bool, over: bool) -> str:
    return "yes" if independent and over else "not over" if independent else "overlaps"


def _judgement(evidence: Evidence) -> Table:
    after = f"{evidence.horizon} sessions after"
    hac = evidence.regression
    rows: list[Row] = [
        Row(("Independent episodes", float(evidence.independent)), kind="count"),
        Row((f"Mean, {after} the signal, points", evidence.mean_after), kind="points"),
        Row(("   95% interval", _interval(evidence.interval))),
        Row((f"Mean, {after} any day, points", evidence.base_rate), kind="points"),
        Row(("   what chance adds to that, 95% of cases", _interval(evidence.null_interval))),
        Row(("Share above zero after the signal", evidence.gained), kind="percent"),
        Row(("Share above zero after any day", evidence.base_gained), kind="percent"),
        Row(("p-value, resampled histories", _p(evidence.p_value)), strong=True),
        Row(("p-value, regression with Newey-West errors", _p(hac.p_value))),
        Row(("   how often that rejects by chance (5% would be right)", hac.size), kind="percent"),
    ]
    unused = f", {evidence.unused:,} of them without an episode" if evidence.unused else ""
    few = f" Below {FEW_EPISODES} episodes only p < 0.01 counts." if evidence.independent < FEW_EPISODES else ""
    note = (
        f"{BY_CHANCE} {evidence.resamples:,} histories{unused}, blocks of {evidence.block} sessions on average, seed "
        f"{evidence.seed}.{few}"
    )
    return Table("Evidence", (Column("What followed"), Column("Found", "points")), tuple(rows), note)


def _interval(bounds: tuple[float, float] | None) -> str:
    return "–" if bounds is None else f"{100.0 * bounds[0]:+.1f} to {100.0 * bounds[1]:+.1f}"


def _p(value: float | None) -> str:
    return "–" if value is None else _p_words(value).removeprefix("= ")


def _p_words(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}" if value < 0.1 else f"= {value:.2f}"


def _sensitivity(found: SignalReading) -> tuple[Table, ...]:
    seen = found.sensitivity
    shown = [_trials("Other windows and entries", seen.variants, f"window {found.table.window}, as in the study")]
    if others := (*seen.starts, *seen.proxies):
        shown.append(_trials("Other starts and series", (seen.variants[0], *others), "as in the study"))
    if seen.choosing is not None:
        shown.append(_choosing(seen.choosing, len(seen.variants)))
    return tuple(shown)


def _trials(title: str, trials: tuple[Trial, ...], own: str) -> Table:
    rows = [
        Row(
            (
                one.changed or own,
                float(one.number),
                one.mean_after,
                one.base_rate,
                one.percentile,
                "on" if one.on else "off",
            ),
            strong=not one.changed,
        )
        for one in trials
    ]
    columns = (
        Column("Signal"),
        Column("Episodes", "count"),
        Column("Mean after", "points"),
        Column("Any day", "points"),
        Column("Percentile today", "percent"),
        Column("Now"),
    )
    return Table(title, columns, tuple(rows), "Means in points over the horizon, of independent episodes.")


def _choosing(choosing: Choosing, variants: int) -> Table:
    rows: list[Row] = []
    for label, one in (
        (f"The signal {OWN}", choosing.own),
        ("Walk-forward: each year the best so far", choosing.walk_forward),
        (f"The best in hindsight ({choosing.best_after or OWN})", choosing.best),
    ):
        if one is not None:
            rows.append(Row((label, one.a_year, one.sharpe)))
    if choosing.deflated is not None:
        best = choosing.best_variant or OWN
        skill = f"Best of all sessions ({best}): confidence that it beats the best of {variants} without skill"
        rows.append(Row((skill, f"{choosing.deflated.probability:.0%}", None)))
    if choosing.validation is not None:
        fit = "Probability that the best of a half is no better than the middle in the other half"
        rows.append(Row((fit, f"{choosing.validation.probability:.0%}", None)))
    note = (
        f"Active returns on the pair at each variant's own sizes, before costs, {choosing.sessions:,} sessions from "
        f"{iso(choosing.first)}; the first three rows after 1,260 sessions of learning. {' '.join(choosing.notes)}"
    )
    columns = (Column("Choice"), Column("A year", "signed percent"), Column("Sharpe ratio", "ratio"))
    return Table("What choosing among the variants is worth", columns, tuple(rows), note.strip())


def _series(found: SignalReading) -> Table:
    made = "; ".join(f"{name}: {what}" for name, what in found.levels.made_of.items())
    return series_table(found.levels.history, f"Levels: {made}.")
