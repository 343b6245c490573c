"""The JSON document of `alphaoverlay doctor`, which needs no extra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel

from alphaoverlay.study.doctor import Item
from alphaoverlay.study.document import Document


class ItemModel(BaseModel):
    """One thing that was looked at."""

    name: str
    state: Literal["good", "missing", "wrong"]
    sentence: str


class DoctorDocument(Document):
    """What `doctor --json` prints."""

    items: list[ItemModel]


def doctor_document(items: Sequence[Item]) -> DoctorDocument:
    """Return the JSON document of the doctor."""
    return DoctorDocument(
        asof=datetime.now(UTC).date().isoformat(),
        study={},
        data=None,
        notes=[],
        items=[ItemModel(**asdict(one)) for one in items],
    )
