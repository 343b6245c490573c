"""A folder of made prices on real sessions, for studies whose answers can be worked out on paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from alphaoverlay.market.calendar import exchange_sessions
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.study.load import study_from
from alphaoverlay.study.results import run_document
from alphaoverlay.study.run import run_study

# 2019 and 2020.
DAYS: list[date] = [day.date() for day in exchange_sessions(2019, 2020)]
Levels = Callable[[int], float]


def flat(_: int) -> float:
    """A price that never moves."""
    return 100.0


def rising(t: int) -> float:
    """A thousandth a session."""
    return float(100.0 * 1.001**t)


def write_market(folder: Path, prices: Mapping[str, Levels], volumes: Mapping[str, Levels] | None = None) -> Path:
    """Write a price file a symbol, with volumes where they are given."""
    for symbol, level in prices.items():
        volume = (volumes or {}).get(symbol)
        rows = ["date,close,adj_close" + (",volume" if volume else "")]
        for t, day in enumerate(DAYS):
            rows.append(f"{day},{level(t)!r},{level(t)!r}" + (f",{volume(t)!r}" if volume else ""))
        (folder / f"{symbol}.csv").write_text("\n".join(rows))
    return folder


def document_of(folder: Path, weights: Mapping[str, float], rate: float = 0.0, **values: Any) -> dict[str, Any]:
    """The document of a run over both years against the first fund, at no trading cost unless stated."""
    cash = {"rate": rate} | values.pop("cash", {})
    plain: dict[str, Any] = {"weights": weights, "benchmark": next(iter(weights)), "cash": cash}
    plain |= {"costs": {"half_spread_bps": 0.0}, "start": f"{DAYS[0]}"} | values
    return run_document(run_study(study_from(plain, "test"), FolderSource(folder))).dump()
