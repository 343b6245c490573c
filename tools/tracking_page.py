"""docs/tracking.md and its chart: how close synthetic funds come to the real ones. Written by tools/spreads.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from alphaoverlay.funds.calibration import Sample, fit_group, sample_of
from alphaoverlay.funds.financing import Side
from alphaoverlay.funds.tracking import Tracking
from alphaoverlay.history import iso
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.study.tracked import read_tracking

SINCE = "2010-01-01"
SPLIT = "2015-12-31"
OURS = "alphaoverlay"
COLOURS = ("#0072B2", "#E69F00", "#CC79A7", "#009E73", "#56B4E9")
Groups = Mapping[tuple[str, Side], Sequence[Tracking]]

TEMPLATE = Path(__file__).with_name("tracking_page.md")


@dataclass(frozen=True)
class Judged:
    """One fund judged by a spread that was fitted elsewhere, and by the formulas that fit nothing."""

    symbol: str
    fitted: str
    spread: float
    ways: Mapping[str, float]


def write_page(groups: Groups, folder: Path, docs: Path) -> None:
    """Write the page and its chart."""
    source = FolderSource(folder)
    symbols = [one.fund.symbol for group in groups.values() for one in group]
    last = max(iso(one.history.dates[-1]) for group in groups.values() for one in group)
    lives = [read_tracking(symbol, source, end=last).tracking for symbol in symbols]
    since = [read_tracking(symbol, source, start=SINCE, end=last).tracking for symbol in symbols]
    tests = {"later": _later(groups, source), "siblings": _siblings(groups), "indices": _other_indices(groups)}
    page = TEMPLATE.read_text(encoding="utf-8").format(
        insample=_insample_table(lives, since),
        mean_life=_mean_size([one.default.difference for one in lives]),
        mean_since=_mean_size([one.default.difference for one in since]),
        others=_ways_table({life.fund.symbol: _ways(life) for life in lives}),
        split=SPLIT,
        **{name: _judged_table(judged) for name, judged in tests.items()},
        **{f"mean_{name}": _mean_size([one.ways[OURS] for one in judged]) for name, judged in tests.items()},
    )
    (docs / "tracking.md").write_text(page, encoding="utf-8")
    panels: dict[str, dict[str, Mapping[str, float]]] = {
        "Full lives, spreads fitted to them": {life.fund.symbol: _ways(life) for life in lives},
        f"After {SPLIT[:4]}, spreads fitted before": {one.symbol: one.ways for one in tests["later"]},
    }
    _chart(panels, docs / "tracking.svg")


def _signed(value: float) -> str:
    """Percent with a sign, and no minus before a zero."""
    return f"{round(100.0 * value, 2) + 0.0:+.2f}%"


def _mean_size(values: Sequence[float]) -> str:
    return f"{np.mean(np.abs(values)):.2%} a year"


def _insample_table(lives: Sequence[Tracking], since: Sequence[Tracking]) -> str:
    rows = ["| fund | from | difference, full life | trimmed | since 2010 | tracking error, full life | since 2010 | "]
    rows[0] += "daily R2, full life | since 2010 | weekly R2, full life | since 2010 |"
    rows.append("|---" * 11 + "|")
    for life, later in zip(lives, since, strict=True):
        cells = [
            life.fund.symbol,
            iso(life.history.dates[0]),
            *map(_signed, (life.default.difference, life.default.trimmed, later.default.difference)),
            *(f"{one.default.error:.2%}" for one in (life, later)),
            *("–" if one.r_squared is None else f"{one.r_squared:.4f}" for one in (life, later)),
            *(f"{one.default.r_squared_weekly:.4f}" for one in (life, later)),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _later(groups: Groups, source: FolderSource) -> list[Judged]:
    """Spreads fitted before a day, judged after it; the other formulas on the same sessions."""
    found = []
    for funds in groups.values():
        spread = max(fit_group([_cut(one, None, SPLIT) for one in funds]).value, 0.0)
        for one in funds:
            later = read_tracking(one.fund.symbol, source, start=SPLIT, end=iso(one.history.dates[-1])).tracking
            found.append(Judged(one.fund.symbol, f"to {SPLIT}", spread, _judge(later, spread)))
    return found


def _siblings(groups: Groups) -> list[Judged]:
    """Each fund of a group of several, judged by the spread fitted to the others."""
    found = []
    for funds in groups.values():
        for one in funds if len(funds) > 1 else ():
            others = [other for other in funds if other is not one]
            spread = max(fit_group([_cut(other, None, None) for other in others]).value, 0.0)
            names = ", ".join(other.fund.symbol for other in others)
            found.append(Judged(one.fund.symbol, f"on {names}", spread, _judge(one, spread)))
    return found


def _other_indices(groups: Groups) -> list[Judged]:
    """Each fund judged by the mean of the other indices on its side, as a fund on an uncalibrated index is."""
    fits = {key: fit_group([_cut(one, None, None) for one in funds]).value for key, funds in groups.items()}
    found = []
    for (index, side), funds in groups.items():
        others = [value for key, value in fits.items() if key[1] == side and key[0] != index]
        spread = max(float(np.mean(others)), 0.0)
        found += [Judged(one.fund.symbol, "on the other indices", spread, _judge(one, spread)) for one in funds]
    return found


def _judge(tracking: Tracking, spread: float) -> dict[str, float]:
    """Tracking difference with a spread, and of the formulas that fit nothing."""
    gaps = float(sample_of(tracking).gaps(spread, 1.0, None).sum()) / tracking.years
    return {OURS: gaps, **{one.name: one.difference for one in tracking.others}}


def _cut(tracking: Tracking, after: str | None, until: str | None) -> tuple[pd.DatetimeIndex, Sample]:
    """The sample's sessions after a day and up to another."""
    sample, dates = sample_of(tracking), pd.DatetimeIndex(tracking.real.index)
    keep = np.ones(len(dates), dtype=bool)
    if after is not None:
        keep &= np.asarray(dates > pd.Timestamp(after))
    if until is not None:
        keep &= np.asarray(dates <= pd.Timestamp(until))
    arrays = {name: value[keep] for name, value in vars(sample).items() if isinstance(value, np.ndarray)}
    return dates[keep], Sample(leverage=sample.leverage, **arrays)


def _judged_table(judged: Sequence[Judged]) -> str:
    names = list(judged[0].ways)
    rows = [f"| fund | spread fitted | spread | {' | '.join(names)} |", "|---" * (len(names) + 3) + "|"]
    for one in judged:
        cells = " | ".join(_signed(value) for value in one.ways.values())
        rows.append(f"| {one.symbol} | {one.fitted} | {one.spread:.2%} | {cells} |")
    return "\n".join([*rows, _means({one.symbol: one.ways for one in judged}, "| **mean size** | | |")])


def _ways(life: Tracking) -> dict[str, float]:
    return {OURS: life.default.difference, **{one.name: one.difference for one in life.others}}


def _ways_table(ways: Mapping[str, Mapping[str, float]]) -> str:
    names = list(next(iter(ways.values())))
    rows = [f"| fund | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    rows += [f"| {symbol} | {' | '.join(map(_signed, one.values()))} |" for symbol, one in ways.items()]
    return "\n".join([*rows, _means(ways, "| **mean size** |")])


def _means(ways: Mapping[str, Mapping[str, float]], head: str) -> str:
    names = list(next(iter(ways.values())))
    means = [float(np.mean([abs(one[name]) for one in ways.values()])) for name in names]
    return f"{head} {' | '.join(f'**{value:.2%}**' for value in means)} |"


def _chart(panels: Mapping[str, Mapping[str, Mapping[str, float]]], path: Path) -> None:
    """Bars by fund and formula, a panel a test; the same file for the same numbers."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    with mpl.rc_context({"svg.hashsalt": "alphaoverlay", "font.size": 9, "svg.fonttype": "none"}):
        figure, both = plt.subplots(2, 1, figsize=(9.0, 6.2), layout="constrained", sharey=True)
        for axes, (title, ways) in zip(both, panels.items(), strict=True):
            names = list(next(iter(ways.values())))
            width = 0.8 / len(names)
            for k, (name, colour) in enumerate(zip(names, COLOURS, strict=True)):
                at = np.arange(len(ways)) + (k - (len(names) - 1) / 2) * width
                axes.bar(at, [100.0 * one[name] for one in ways.values()], width, label=name, color=colour)
            axes.axhline(0.0, color="#444444", linewidth=0.8)
            axes.set_xticks(np.arange(len(ways)), list(ways))
            axes.set_ylabel("synthetic minus real, % a year")
            axes.set_title(title, loc="left", fontsize=10)
            axes.grid(axis="y", color="#dddddd", linewidth=0.6)
            axes.set_axisbelow(True)
            for side in ("top", "right"):
                axes.spines[side].set_visible(False)
        handles, labels = both[0].get_legend_handles_labels()
        figure.legend(handles, labels, frameon=False, ncols=3, loc="outside lower center")
        figure.savefig(path, format="svg", metadata={"Date": None})
        plt.close(figure)
