"""Every error that a caller can meet.

AlphaOverlayError
├── DataError            a file or series that cannot be used: names the place (file, line, column)
│   ├── SymbolNotFound   no series of that name in the source
│   ├── SpanError        the asked dates are not covered by the data
│   └── FetchError       a web source that gave no usable answer: no network, an outage, too many requests
├── CatalogueError       a fund or index that is unknown, or a fund file that cannot be read
├── TickerError          a ticker with terms, such as SPY?L=3, that cannot be read: marks the character
├── StudyError           a study or command-line value that is wrong: names the key
├── StoreError           the store of fetched data cannot be opened, read or written
├── MissingExtra         an optional package is needed: says which to install
├── DesignError          a design problem that makes no sense (an infeasible one is an outcome, not an error)
└── OutputError          a file that cannot be written

Each message says what was wrong, where, and what to write instead. Outcomes (ruin on a path, an infeasible
design) are values, never exceptions.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType


class AlphaOverlayError(Exception):
    """Root of all errors that are the caller's to mend; the command line exits with 2."""


class DataError(AlphaOverlayError):
    """A file or series that cannot be used."""


class SymbolNotFound(DataError):
    """No series of that name in the source."""


class SpanError(DataError):
    """The asked dates are not covered by the data."""


class FetchError(DataError):
    """A web source that gave no usable answer."""


class CatalogueError(AlphaOverlayError):
    """A fund or index that is unknown, or a fund file that cannot be read."""


class TickerError(AlphaOverlayError):
    """A ticker with terms that cannot be read."""


class StudyError(AlphaOverlayError):
    """A study or command-line value that is wrong."""


class StoreError(AlphaOverlayError):
    """The store of fetched data cannot be opened, read or written."""


class MissingExtra(AlphaOverlayError):
    """An optional package is needed."""


class DesignError(AlphaOverlayError):
    """A design problem that makes no sense."""


class OutputError(AlphaOverlayError):
    """A file that cannot be written."""


def need(module: str, extra: str, purpose: str) -> ModuleType:
    """Import an optional package.

    Raises
    ------
    MissingExtra : it is not installed; names the command that installs it.
    """
    try:
        return import_module(module)
    except ImportError:
        raise MissingExtra(
            f"{purpose} needs more packages; install them with: pip install 'alphaoverlay[{extra}]'"
        ) from None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean X?" for the nearest of the known names, or an empty string."""
    by_folded = {k.casefold(): k for k in known}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return f" Did you mean {by_folded[near[0]]}?" if near else ""
