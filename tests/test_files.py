"""Files are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alphaoverlay.errors import OutputError
from alphaoverlay.files import write_whole


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a file.html"
    write_whole(path, "one")
    write_whole(path, "zwei — drei")
    assert path.read_text(encoding="utf-8") == "zwei — drei"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_there_is_kept_where_asked(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text("mine")
    with pytest.raises(OutputError, match=r"exists already.*--force"):
        write_whole(path, "other", replace=False)
    assert path.read_text() == "mine"


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*: No such file or directory; nothing was changed"):
        write_whole(tmp_path / "gone" / "a.html", "x")


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_in_the_middle_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def fail(_: int) -> None:
        raise failure

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(KeyboardInterrupt if isinstance(failure, KeyboardInterrupt) else OutputError):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "a", "x")
    finally:
        os.umask(before)
    if os.name == "posix":
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
