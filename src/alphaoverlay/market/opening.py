"""From what the user typed after --data to a source."""

from __future__ import annotations

from pathlib import Path

from alphaoverlay.market.source import Source


def open_source(place: str | Path | None) -> Source:
    """Return the sample for None or "sample", else the folder.

    Raises
    ------
    DataError : the folder does not exist.
    """
    if place is None or str(place) == "sample":
        from alphaoverlay.market.sample import SampleSource

        return SampleSource()
    from alphaoverlay.market.folder import FolderSource

    return FolderSource(place)
