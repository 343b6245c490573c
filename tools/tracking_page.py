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
Groups = Mapping[tuple[str, Side], Sequence[Tracking]]

TEMPLATE = Path(__file__).with_name("tracking_page.md")


@dataclass(frozen=True)
class Judged:
    """One fund judged by a spread that was fitted elsewhere."""

    symbol: str
    test: str
    spread: float
    difference: float


def write_page(groups: Groups, folder: Path, docs: Path) -> None:
    """Write the page and its chart."""
    source = FolderSource(folder)
    symbols = [one.fund.symbol for group in groups.values() for one in group]
    last = max(iso(one.history.dates[-1]) for group in groups.values() for one in group)
    lives = [read_tracking(symbol, source, end=last).tracking for symbol in symbols]
    since = [read_tracking(symbol, source, start=SINCE, end=last).tracking for symbol in symbols]
    judged = [*_later(groups), *_siblings(groups)]
    page = TEMPLATE.read_text(encoding="utf-8").format(
        insample=_insample_table(lives, since),
        mean_life=_mean_size([one.default.difference for one in lives]),
        mean_since=_mean_size([one.default.difference for one in since]),
        split=SPLIT,
        outsample=_judged_table(judged),
        mean_later=_mean_size([one.difference for one in judged if one.test.startswith("fitted to")]),
        mean_sibling=_mean_size([one.difference for one in judged if one.test.startswith("fitted on")]),
        others=_others_table(lives),
    )
    (docs / "tracking.md").write_text(page, encoding="utf-8")
    _chart(lives, docs / "tracking.svg")


def _signed(value: float) -> str:
    """Percent with a sign, and no minus before a zero."""
    return f"{round(100.0 * value, 2) + 0.0:+.2f}%"


def _mean_size(values: Sequence[float]) -> str:
    return f"{np.mean(np.abs(values)):.2%} a year"


def _insample_table(lives: Sequence[Tracking], since: Sequence[Tracking]) -> str:
    rows = ["| fund | from | full life | trimmed | since 2010 | tracking error | R2 daily | R2 weekly |"]
    rows.append("|---|---|---|---|---|---|---|---|")
    for life, later in zip(lives, since, strict=True):
        gap = life.default
        began = iso(life.history.dates[0])
        rows.append(
            f"| {life.fund.symbol} | {began} | {_signed(gap.difference)} | {_signed(gap.trimmed)} | "
            f"{_signed(later.default.difference)} | {later.default.error:.2%} | {later.r_squared:.4f} | "
            f"{later.default.r_squared_weekly:.4f} |"
        )
    return "\n".join(rows)


def _later(groups: Groups) -> list[Judged]:
    found = []
    for funds in groups.values():
        cut = [_cut(one, None, SPLIT) for one in funds]
        spread = max(fit_group(cut).value, 0.0)
        for one in funds:
            dates, sample = _cut(one, SPLIT, None)
            gaps = float(sample.gaps(spread, 1.0, None).sum()) / (float(sample.e.sum()) * 365.0 / 365.25)
            test = f"fitted to {SPLIT}, judged {dates[0].year}-{dates[-1].year}"
            found.append(Judged(one.fund.symbol, test, spread, gaps))
    return found


def _siblings(groups: Groups) -> list[Judged]:
    found = []
    for funds in groups.values():
        for one in funds if len(funds) > 1 else ():
            others = [other for other in funds if other is not one]
            spread = max(fit_group([_cut(other, None, None) for other in others]).value, 0.0)
            gaps = float(sample_of(one).gaps(spread, 1.0, None).sum()) / one.years
            names = ", ".join(other.fund.symbol for other in others)
            found.append(Judged(one.fund.symbol, f"fitted on {names}, judged over the full life", spread, gaps))
    return found


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
    rows = ["| fund | spread fitted, and judged | spread | tracking difference |", "|---|---|---|---|"]
    rows += [f"| {one.symbol} | {one.test} | {one.spread:.2%} | {_signed(one.difference)} |" for one in judged]
    return "\n".join(rows)


def _ways(life: Tracking) -> dict[str, float]:
    return {"alphaoverlay": life.default.difference, **{one.name: one.difference for one in life.others}}


def _others_table(lives: Sequence[Tracking]) -> str:
    names = list(_ways(lives[0]))
    rows = [f"| fund | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for life in lives:
        rows.append(f"| {life.fund.symbol} | {' | '.join(f'{_signed(value)}' for value in _ways(life).values())} |")
    means = [float(np.mean([abs(_ways(life)[name]) for life in lives])) for name in names]
    rows.append(f"| **mean size** | {' | '.join(f'**{value:.2%}**' for value in means)} |")
    return "\n".join(rows)


def _chart(lives: Sequence[Tracking], path: Path) -> None:
    """Bars by fund and formula; the same file for the same numbers."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    colours = ["#0072B2", "#E69F00", "#CC79A7", "#009E73"]
    names = list(_ways(lives[0]))
    with mpl.rc_context({"svg.hashsalt": "alphaoverlay", "font.size": 9, "svg.fonttype": "none"}):
        figure, axes = plt.subplots(figsize=(9.0, 3.6), layout="constrained")
        width = 0.8 / len(names)
        for k, (name, colour) in enumerate(zip(names, colours, strict=True)):
            values = [100.0 * _ways(life)[name] for life in lives]
            axes.bar(np.arange(len(lives)) + (k - 1.5) * width, values, width, label=name, color=colour)
        axes.axhline(0.0, color="#444444", linewidth=0.8)
        axes.set_xticks(np.arange(len(lives)), [life.fund.symbol for life in lives])
        axes.set_ylabel("synthetic minus real, % a year")
        axes.grid(axis="y", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        figure.legend(frameon=False, ncols=4, loc="outside lower center")
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        figure.savefig(path, format="svg", metadata={"Date": None})
        plt.close(figure)
