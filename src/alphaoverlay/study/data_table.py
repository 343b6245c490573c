"""`[data]`: where the data come from, and which of their findings are taken as they are."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from alphaoverlay.market.opening import DataChoice, is_folder
from alphaoverlay.study.tables import Day, StudyTable


def _texts(value: Any) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list | tuple) or not all(isinstance(one, str) and one.strip() for one in listed):
        raise ValueError('write a name or a list of names, such as ["yahoo", "my-prices"]')
    return tuple(dict.fromkeys(one.strip() for one in listed))


def _fingerprint(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    digits = value.strip().lower().removeprefix("sha256:")
    if not re.fullmatch("[0-9a-f]{8,64}", digits):
        raise ValueError("write an earlier result's fingerprint, or its first 8 digits or more")
    return f"sha256:{digits}"


Texts = Annotated[tuple[str, ...], BeforeValidator(_texts)]


class DataTable(StudyTable):
    """`sources` in order, none for the sample; folders are looked for beside the study."""

    sources: Texts = Field((), examples=['["yahoo", "my-prices"]', '"yahoo"'])
    symbols: dict[str, str] = Field(default_factory=dict, examples=['{ SP500TR = "stooq" }'])
    base_url: dict[str, str] = Field(default_factory=dict, examples=['{ yahoo = "http://127.0.0.1:8080" }'])
    accept: Texts = Field((), examples=['["stale"]'])
    fingerprint: Annotated[str | None, BeforeValidator(_fingerprint)] = Field(None, examples=['"sha256:4f1c22d0"'])

    def build(
        self, *, until: Day = None, store: str | None = None, offline: bool = False, refresh: bool | str = False
    ) -> DataChoice:
        """Return the choice, with what belongs to the machine and not to the study."""
        return DataChoice(
            sources=self.sources,
            symbols=self.symbols,
            base_url=self.base_url,
            accept=self.accept,
            fingerprint=self.fingerprint,
            store=store,
            offline=offline,
            refresh=refresh,
            until=None if until is None else until.isoformat(),
        )

    def below(self, folder: Path) -> DataTable:
        """Return the table of a study in a folder, with the paths that are relative to it."""
        return self._with_paths(lambda place: _as_folder(str(folder / place)))

    def beside(self, folder: Path) -> Mapping[str, Any]:
        """Return what was set, for a study that will lie in a folder, with paths relative to it."""
        moved = self._with_paths(lambda place: _as_folder(os.path.relpath(place, folder)))
        return moved.model_dump(exclude_defaults=True, exclude_none=True)

    def _with_paths(self, path: Any) -> DataTable:
        sources = tuple(path(one) if is_folder(one) else one for one in self.sources)
        symbols = {name: path(one) if is_folder(one) else one for name, one in self.symbols.items()}
        return self.model_copy(update={"sources": sources, "symbols": symbols})


def _as_folder(path: str) -> str:
    """The path, so written that a folder called yahoo is not taken for the source."""
    return path if is_folder(path) else f"./{path}"
