"""`signal`, `compare` and sized runs on a store: what they read can be read again by their fingerprint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.running import Run
from tests.cli.served_world import Clock, World, live_world

SIZED = """\
start = 2023-01-03
[weights]
SPY = 0.7
UPRO = 0.1
TNA = 0.1
SQQQ = 0.1
[signal]
long = "RUT"
short = "NDX"
window = 63
enter = 0.2
exit = 0.5
"""
COMMANDS = {
    "signal": ("signal", "RUT", "NDX", "--window", "63", "--resamples", "20"),
    "run": ("run", "sized.toml"),
}


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[World, Clock]]:
    with live_world(monkeypatch, str(tmp_path / "store.db")) as world:
        yield world


def told(document: dict[str, Any]) -> dict[str, Any]:
    """All that does not say how it was asked for."""
    return {key: value for key, value in document.items() if key not in ("study",)}


@pytest.mark.usefixtures("live")
def test_what_a_signal_reads_can_be_fetched_beforehand(run: Run, tmp_path: Path) -> None:
    (tmp_path / "only.toml").write_text(
        '[signal]\nlong = "RUT"\nshort = "NDX"\nwindow = 63\n[data]\nsources = "yahoo"\n'
    )
    fetched = run("data", "fetch", "only.toml", "--json").document
    assert {"RUT", "NDX"} <= {one["name"] for one in fetched["fetched"]}
    assert run("signal", "only.toml", "--offline", "--resamples", "5", "--json").status == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_a_result_is_read_again_by_its_fingerprint(
    live: tuple[World, Clock], run: Run, tmp_path: Path, command: str
) -> None:
    world, _ = live
    (tmp_path / "sized.toml").write_text(SIZED)
    words = (*COMMANDS[command], "--data", "yahoo", "--json")
    first = run(*words).document
    fingerprint = first["data"]["fingerprint"]
    # The source tells another past; what was read before is read again all the same.
    for symbol in ("^RUT", "^NDX", "IWM", "QQQ", "SPY", "TNA"):
        world.revise(symbol, "2022-06-15", 1.05)
    run("data", "fetch", "RUT", "NDX", "IWM", "QQQ", "SPY", "TNA", "--data", "yahoo", "--full", "--json")
    again = run(*words, "--offline", "--fingerprint", fingerprint).document
    assert told(again) == told(first)
    newer = run(*words, "--offline").document
    assert newer["data"]["fingerprint"] != fingerprint
