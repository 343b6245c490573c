"""Compiled forms of the kernels, made on demand from the same source."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
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
    """Return every kernel of a file, or of a package of files, compiled by numba, by name.

    Each file is executed in a namespace of its own, so that kernels call each other's compiled forms while importing
    them keeps giving the plain ones. Compilation happens at the first call of each; compiled code is cached on disk
    where a folder can be written.
    """
    import numba

    sources = _sources(module)
    namespaces = [_namespace_of(name, source) for name, source in sources.items()]
    # What a file imports from another is that file's.
    plain = {name: f for one in namespaces for name, f in one.items() if _file_of(f) == one["__file__"]}
    state = _state_of(list(sources.values()))
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
    for one in namespaces:
        one.update({name: compiled[name] for name in one.keys() & compiled.keys()})
    return compiled


def _sources(module: ModuleType) -> dict[str, Path]:
    """The file of a module, or the files of a package, by the name that each is imported by."""
    own = Path(str(module.__file__))
    if own.name != "__init__.py":
        return {module.__name__: own}
    return {f"{module.__name__}.{path.stem}": path for path in sorted(own.parent.glob("*.py")) if path != own}


def _namespace_of(name: str, source: Path) -> dict[str, Any]:
    # Numba's cache on disk finds a kernel's own module by this name.
    namespace: dict[str, Any] = {"__name__": name, "__file__": str(source)}
    exec(compile(source.read_text(encoding="utf-8"), str(source), "exec"), namespace)
    return namespace


def _file_of(value: object) -> str | None:
    return getattr(getattr(value, "__code__", None), "co_filename", None)


def _state_of(sources: Sequence[Path]) -> str:
    """Hash of files of kernels and of the tuples that they take, which are defined beside them."""
    digest = hashlib.sha256()
    beside = sources[0].parent.parent if len(sources) > 1 else sources[0].parent
    tuples = [path for path in sorted(beside.glob("*.py")) if b"(NamedTuple)" in path.read_bytes()]
    for path in dict.fromkeys([*sources, *tuples]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
