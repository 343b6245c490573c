"""Calibrate the default financing spreads on real funds: `make spreads ARGS="--data FOLDER"`.

Writes src/alphaoverlay/funds/spreads.toml, its table in docs/method.md, and docs/tracking.md with its chart. How:

1. Every leveraged or inverse fund of the catalogue on one index, with prices and an index series in the folder, over
   its whole life up to 2021-12-31 with its present index, at least three years of it.
2. One spread an index and side: it minimises the sum, over the funds, of years times squared tracking difference.
3. The default is that estimate, rounded to a thousandth of a percent, but not below 0: the spread is a cost.
4. An index without such funds gets the mean of the other indices' estimates on its side.
"""

from __future__ import annotations

import argparse
import datetime
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tools.tracking_page import write_page

from alphaoverlay.errors import AlphaOverlayError, DataError
from alphaoverlay.funds.calibration import FEW_SESSIONS, fit_group, sample_of
from alphaoverlay.funds.catalogue import load_catalogue
from alphaoverlay.funds.financing import ANY_INDEX, Side, SpreadRow, side_of
from alphaoverlay.funds.tracking import Tracking
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.study.tracked import read_tracking

ROOT = Path(__file__).resolve().parent.parent
SPREADS = ROOT / "src" / "alphaoverlay" / "funds" / "spreads.toml"
UNTIL = datetime.date(2021, 12, 31)
DIGITS = 5

Groups = Mapping[tuple[str, Side], Sequence[Tracking]]


def tracked_groups(folder: Path) -> Groups:
    """Return the funds to calibrate on, built without a spread, by index and side."""
    source, catalogue = FolderSource(folder), load_catalogue()
    groups: dict[tuple[str, Side], list[Tracking]] = {}
    for fund in catalogue:
        side = side_of(fund.leverage) if len(fund.exposures) == 1 else None
        if side is None or not source.holds(fund.symbol):
            continue
        since = None if fund.index_since is None else fund.index_since.isoformat()
        tracking = read_tracking(
            fund.symbol, source, catalogue, start=since, end=UNTIL.isoformat(), spread=0.0
        ).tracking
        if len(tracking.real) >= FEW_SESSIONS:
            groups.setdefault((next(iter(fund.exposures)), side), []).append(tracking)
    return groups


def calibrate(groups: Groups) -> list[SpreadRow]:
    """Return a row an index and side, then the two rows that serve any other index."""
    rows = [_row(index, side, funds) for (index, side), funds in sorted(groups.items())]
    for side in ("long", "inverse"):
        if not any(row.side == side for row in rows):
            raise DataError(
                f"no {side} fund with three years of prices and an index series: nothing to calibrate it on"
            )
    return rows + [_any([row for row in rows if row.side == side]) for side in ("long", "inverse")]


def _row(index: str, side: Side, funds: Sequence[Tracking]) -> SpreadRow:
    fit = fit_group([(one.real.index, sample_of(one)) for one in funds])
    estimate = round(fit.value, DIGITS)
    return SpreadRow(
        index,
        side,
        max(estimate, 0.0),
        estimate,
        round(fit.standard_error, DIGITS),
        round(fit.low, DIGITS),
        round(fit.high, DIGITS),
        tuple(one.fund.symbol for one in funds),
        min(one.history.dates[0].date() for one in funds),
        max(one.history.dates[-1].date() for one in funds),
    )


def _any(rows: Sequence[SpreadRow]) -> SpreadRow:
    """The mean of the indices; its error is that of a further index: how they differ, and what is not known of each."""
    estimates = np.array([row.estimate for row in rows])
    within = np.array([row.standard_error for row in rows])
    between = float(estimates.var(ddof=1)) if len(rows) > 1 else 0.0
    middle, error = float(estimates.mean()), float(np.sqrt(between + (within**2).mean()))
    return SpreadRow(
        ANY_INDEX,
        rows[0].side,
        max(round(middle, DIGITS), 0.0),
        round(middle, DIGITS),
        round(error, DIGITS),
        round(middle - 1.96 * error, DIGITS),
        round(middle + 1.96 * error, DIGITS),
        tuple(symbol for row in rows for symbol in row.funds),
        min(row.first for row in rows),
        max(row.last for row in rows),
    )


def spreads_text(rows: Sequence[SpreadRow]) -> str:
    """Return the file."""
    lines = [
        "# Yearly financing spreads by index and side, as fractions. Written by `make spreads` (tools/spreads.py "
        "has the",
        "# procedure); do not edit. ANY serves an index without calibrated funds; its error is that of one more index.",
    ]
    for row in rows:
        lines += ["", "[[spread]]", f'index = "{row.index}"', f'side = "{row.side}"']
        for key in ("spread", "estimate", "standard_error", "low", "high"):
            lines.append(f"{key} = {getattr(row, key):.5f}")
        funds = ", ".join(f'"{symbol}"' for symbol in row.funds)
        lines += [f"funds = [{funds}]", f"first = {row.first}", f"last = {row.last}"]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(description="Calibrate the default financing spreads on real funds.")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="folder of SYMBOL.csv and DFF.csv")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the file would change")
    parser.add_argument("--page", action="store_true", help="write docs/tracking.md only")
    options = parser.parse_args()
    try:
        groups = tracked_groups(options.data)
        if options.page:
            write_page(groups, options.data, ROOT / "docs")
            return 0
        text = spreads_text(calibrate(groups))
    except AlphaOverlayError as error:
        print(f"spreads: {error}", file=sys.stderr)
        return 2
    if options.check:
        return 0 if SPREADS.read_text(encoding="utf-8") == text else 1
    SPREADS.write_text(text, encoding="utf-8")
    print(text)
    # The page is measured with the new spreads, so in a process that has not read the old ones.
    docs = subprocess.call([sys.executable, "-m", "tools.docs"], cwd=ROOT)
    again = [sys.executable, "-m", "tools.spreads", "--data", str(options.data.resolve()), "--page"]
    return subprocess.call(again, cwd=ROOT) or docs


if __name__ == "__main__":
    sys.exit(main())
