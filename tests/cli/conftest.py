"""The command line without the second that it takes to start a process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.cli.running import Done, Run

from alphaoverlay.cli.app import main


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run the command in this process, in an empty folder: a warning is an error, and so is a traceback."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")

    def inside(*words: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["alphaoverlay", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return Done(int(left.value.code or 0), said.out, said.err)

    return inside
