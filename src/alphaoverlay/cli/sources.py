"""Open what --data names, and say on a terminal what is being fetched."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alphaoverlay.market.opening import DataChoice
    from alphaoverlay.market.source import Source
    from alphaoverlay.study.load import Study


def say_fetching(what: str) -> None:
    """Say on a terminal what a live source is asked for; elsewhere nothing, so that output stays clean."""
    if sys.stderr.isatty():
        print(f"fetching {what} ...", file=sys.stderr, flush=True)


def opened(
    data: list[str] | None, accept: list[str] | None = None, store: str | None = None, *, offline: bool = False
) -> Source:
    """Return the source that the shared options name; errors as for `open_choice`."""
    from alphaoverlay.market.opening import DataChoice

    return opened_choice(
        DataChoice(
            tuple(data or ()),
            accept=tuple(word for one in accept or () for word in one.replace(",", " ").split()),
            store=store,
            offline=offline,
        )
    )


def opened_for(study: Study, store: str | None = None, *, offline: bool = False) -> Source:
    """Return the source that a study names; errors as for `open_choice`."""
    return opened_choice(study.data.build(until=study.end, store=store, offline=offline))


def opened_choice(choice: DataChoice) -> Source:
    """Return the source of a choice; errors as for `open_choice`."""
    from alphaoverlay.market.opening import open_choice

    return open_choice(choice, say_fetching)
