"""Compiled forms of the kernels, made on demand from the same source."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from alphaoverlay.engine import _kernels

# Threads run blocks of lanes side by side; a division by zero gives infinity as in numpy, so that loops over lanes
# stay free of branches.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
_log = logging.getLogger(__name__)


@lru_cache
def compiled_kernels(module: ModuleType = _kernels) -> dict[str, Callable[..., Any]]:
    """Return every kernel of a file compiled by numba, by name; compilation happens at the first call of each.

    The file is executed in a namespace of its own, so that kernels call each other's compiled forms while importing
    the module keeps giving the plain ones. Compiled code is cached on disk where a folder can be written.
    """
    import numba

    source = Path(str(module.__file__))
    namespace: dict[str, Any] = {"__name__": module.__name__, "__file__": str(source)}
    exec(compile(source.read_text(encoding="utf-8"), str(source), "exec"), namespace)
    plain = {name: f for name, f in namespace.items() if getattr(f, "__code__", None) is not None}
    state = _state_of(source)
    for name, function in plain.items():
        # Numba's cache on disk goes by this name. Left from an earlier version, it may not even be readable.
        function.__qualname__ = f"{name}-{state}"
    try:
        compiled: dict[str, Callable[..., Any]] = {
            name: numba.njit(cache=True, **_OPTIONS)(function) for name, function in plain.items()
        }
    except RuntimeError as error:  # numba found no cache folder that it can write
        _log.debug("compiling without a cache on disk: %s", error)
        compiled = {name: numba.njit(**_OPTIONS)(function) for name, function in plain.items()}
    namespace.update(compiled)
    return compiled


def _state_of(source: Path) -> str:
    """Hash of a file of kernels and of the tuples that they take, which are defined beside it."""
    digest = hashlib.sha256()
    for path in sorted(source.parent.glob("*.py")):
        text = path.read_bytes()
        if path == source or b"(NamedTuple)" in text:
            digest.update(text)
    return digest.hexdigest()[:12]
