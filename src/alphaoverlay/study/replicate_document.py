"""The JSON document of `replicate`."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from alphaoverlay.market.source import Source
from alphaoverlay.study.document import Document, data_model
from alphaoverlay.study.replicating import Statement, evidence
from alphaoverlay.study.replicating_signals import Outcome
from alphaoverlay.study.the_case import ASOF, LAST_YEAR_END


class StatementModel(BaseModel):
    """One statement of the founding case."""

    id: str
    text: str
    stated: str
    measured: dict[str, float]
    verdict: Outcome
    sentence: str


class ReplicateDocument(Document):
    """What `replicate --json` prints."""

    statements: list[StatementModel]


def replicate_document(statements: Sequence[Statement], source: Source) -> ReplicateDocument:
    """Return the JSON document of the founding case."""
    seen = evidence(source)
    return ReplicateDocument(
        asof=ASOF,
        study={"case": "december 2021"},
        data=None if seen is None else data_model(seen, source.name, LAST_YEAR_END, ASOF),
        notes=list(source.notes),
        statements=[StatementModel(**vars(one)) for one in statements],
    )
