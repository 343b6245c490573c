"""The automatic block length against the package arch, which has it too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.scenarios.building import garch_days, gaussian_days, joint

from alphaoverlay.history import FloatArray
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.scenarios.block_length import block_length, series_length
from alphaoverlay.scenarios.joint_days import JointDays


def autoregressive(n: int, share: float, seed: int = 5) -> FloatArray:
    """Each value a share of the one before, and something new."""
    out = np.random.default_rng(seed).standard_normal(n)
    for t in range(1, n):
        out[t] += share * out[t - 1]
    return out


SERIES = {
    "noise": gaussian_days(700)[:, 0],
    "squares": garch_days(3000)[:, 1] ** 2,
    "few": gaussian_days(60)[:, 2],
    "slow": autoregressive(900, 0.95),
    "turning": autoregressive(2000, -0.6),
    "walk": np.cumsum(gaussian_days(400)[:, 0]),
    "trend": np.arange(300.0),
    "two values": np.sign(autoregressive(500, 0.3)),
}


@pytest.mark.parametrize("name", SERIES)
def test_the_length_is_that_of_arch(name: str) -> None:
    from arch.bootstrap import optimal_block_length

    expected = float(optimal_block_length(SERIES[name])["stationary"].iloc[0])
    assert series_length(SERIES[name]) == pytest.approx(expected, rel=1e-9)


def test_the_length_of_real_days_is_that_of_arch(reference_data: Path) -> None:
    from arch.bootstrap import optimal_block_length

    source = FolderSource(reference_data)
    returns = {s: source.prices(s).frame["adj_close"].pct_change() for s in ("SPY", "QQQ", "IWM")}
    days = JointDays.of(returns, pd.Timestamp("2021-12-31"))
    found = block_length(days)
    for name, column in zip(days.names, days.returns.T, strict=True):
        expected = [float(optimal_block_length(x)["stationary"].iloc[0]) for x in (column, column**2)]
        assert found.by_series[name] == pytest.approx(expected, rel=1e-9)
    assert found.sessions > 30


def test_the_largest_counts_and_it_is_at_least_one_session() -> None:
    calm, clustering = joint(gaussian_days(1500)), joint(garch_days(1500))
    for days in (calm, clustering):
        found = block_length(days)
        assert found.sessions == max(1.0, *(x for pair in found.by_series.values() for x in pair))
        assert list(found.by_series) == list(days.names)
    assert block_length(clustering).sessions > 2.0 * block_length(calm).sessions


def test_an_index_that_never_moves_asks_for_nothing() -> None:
    days = joint(np.column_stack([gaussian_days(300)[:, 0], np.zeros(300)]))
    assert block_length(days).by_series["SMALL"] == (1.0, 1.0)
