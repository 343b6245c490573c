"""The JSON document of `sectors`."""

from __future__ import annotations

from pydantic import BaseModel

from alphaoverlay.analysis.composition import SectorComparison, SectorWeights
from alphaoverlay.study.document import Document


class SectorWeightModel(BaseModel):
    """The weight of a sector, or of several that were published as one figure."""

    sectors: list[str]
    weight: float


class SectorSideModel(BaseModel):
    """Weights of one index on a day; `verified` where they were read in the document that `source` names."""

    index: str
    asof: str
    source: str
    verified: bool
    classification: str
    note: str
    weights: list[SectorWeightModel]


class SectorGroupModel(BaseModel):
    """Sectors that are whole on both sides; active is long minus short."""

    sectors: list[str]
    long: float
    short: float
    active: float


class SectorsDocument(Document):
    """What `sectors --json` prints; `asof` is the later of the two days, which stand at `long` and `short`.

    `overlap` is an upper bound where `overlap_is_most`, because several sectors are compared as one.
    """

    long: SectorSideModel
    short: SectorSideModel
    groups: list[SectorGroupModel]
    overlap: float
    overlap_is_most: bool


def sectors_document(found: SectorComparison) -> SectorsDocument:
    """Return the JSON document."""
    return SectorsDocument(
        asof=max(found.long.asof, found.short.asof),
        study={"long": found.long.index, "short": found.short.index},
        data=None,
        notes=list(found.notes),
        long=_side(found.long),
        short=_side(found.short),
        groups=[
            SectorGroupModel(sectors=list(one.sectors), long=one.long, short=one.short, active=one.active)
            for one in found.groups
        ],
        overlap=found.overlap,
        overlap_is_most=found.overlap_is_most,
    )


def _side(side: SectorWeights) -> SectorSideModel:
    return SectorSideModel(
        index=side.index,
        asof=side.asof,
        source=side.source,
        verified=side.verified,
        classification=side.classification,
        note=side.note,
        weights=[SectorWeightModel(sectors=list(group), weight=weight) for group, weight in side.weights.items()],
    )
