"""What the user typed after --data opens the right source."""

from __future__ import annotations

from pathlib import Path

import pytest

from alphaoverlay.errors import DataError
from alphaoverlay.market.folder import FolderSource
from alphaoverlay.market.opening import open_source
from alphaoverlay.market.sample import SampleSource


@pytest.mark.parametrize("place", [None, "sample"])
def test_nothing_or_the_word_sample_opens_the_sample(place: str | None) -> None:
    assert isinstance(open_source(place), SampleSource)


def test_a_folder_is_opened_by_text_or_path(tmp_path: Path) -> None:
    for place in (tmp_path, str(tmp_path)):
        source = open_source(place)
        assert isinstance(source, FolderSource)
        assert source.name == str(tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder"):
        open_source(tmp_path / "nowhere")
