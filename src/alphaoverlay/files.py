"""Write a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from alphaoverlay.errors import OutputError


def write_whole(path: Path, content: str | bytes, *, replace: bool = True) -> None:
    """Write text or bytes beside the place and rename it there, so that no reader ever sees a part of it.

    Parameters
    ----------
    replace : False refuses to overwrite a file that is there.

    Raises
    ------
    OutputError : the file exists (`replace` False), or it cannot be written; nothing was changed.
    """
    if not replace and path.exists():
        raise OutputError(f"{path} exists already; give another name, or --force to overwrite it")
    aside = ""
    try:
        handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).chmod(0o644 & ~_umask())
        Path(aside).replace(path)
    except OSError as error:
        _discard(aside)
        raise OutputError(f"cannot write {path}: {error.strerror}; nothing was changed") from None
    except BaseException:  # Ctrl-C among them: leave no half-written file behind
        _discard(aside)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _discard(aside: str) -> None:
    if aside:
        with contextlib.suppress(OSError):
            Path(aside).unlink()
