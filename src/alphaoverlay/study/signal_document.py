"""The JSON document of `signal`."""

from __future__ import annotations

from pydantic import BaseModel

from alphaoverlay.history import iso
from alphaoverlay.signals.correction import Correction
from alphaoverlay.signals.evidence import Episode, Evidence
from alphaoverlay.signals.measures import regime
from alphaoverlay.signals.relative_value import Extreme
from alphaoverlay.signals.variants import Choosing, Record, Sensitivity, Trial
from alphaoverlay.study.document import Document, data_model
from alphaoverlay.study.signal_reading import SignalReading


class ExtremeModel(BaseModel):
    """One of the lowest or highest differences."""

    date: str
    difference: float


class ExtremesModel(BaseModel):
    """The lowest and highest differences of all history, more than a window apart, the most extreme first."""

    lowest: list[ExtremeModel]
    highest: list[ExtremeModel]


class RelativeValueModel(BaseModel):
    """Where the spread stands; percentiles from 0 (lowest) to 1, `percentile` in the signal's own lookback."""

    long: str
    short: str
    basis: str
    window: int
    first: str
    difference: float
    annualised: float
    ratio: float
    percentile: float | None
    percentile_all: float | None
    percentile_20y: float | None
    zscore: float | None
    zscore_20y: float | None
    extremes: ExtremesModel


class CorrectionModel(BaseModel):
    """One fall of 10% or more; `recovered` is null while it lasts, `bear` where it never was one."""

    peak: str
    began: str
    bear: str | None
    trough: str
    depth: float
    recovered: str | None


class CorrectionStateModel(BaseModel):
    """The long leg against its running peak; state: none, correction, bear, recovering or recovered."""

    of: str
    drawdown: float
    peak_date: str
    state: str
    episodes: list[CorrectionModel]


class PositionModel(BaseModel):
    """The overlay's size decided at the last close, to be traded at the next; `since` is null while it is off."""

    on: bool
    size: float
    since: str | None


class EpisodeModel(BaseModel):
    """One occurrence; `outcome` over the horizon and `to_exit` are relative returns from the close after entry."""

    entry: str
    exit: str | None
    reason: str | None
    difference: float
    percentile: float
    outcome: float | None
    to_exit: float | None
    independent: bool


class HacModel(BaseModel):
    """The same question put to a regression with Newey-West errors; `size` is how often it rejects by chance."""

    slope: float | None
    t: float | None
    p_value: float | None
    size: float | None
    lags: int


class EvidenceModel(BaseModel):
    """What followed the signal, and what chance gives; see docs/method.md M11."""

    episodes_independent: int
    horizon: int
    mean_after: float | None
    interval: tuple[float, float] | None
    base_rate: float | None
    gained: float | None
    base_gained: float | None
    p_value: float | None
    null_interval: tuple[float, float] | None
    null_mean: float | None
    hac: HacModel
    resamples: int
    resamples_without_episode: int
    block: int
    seed: int
    verdict: str
    sentence: str


class TrialModel(BaseModel):
    """One variant; `changed` is empty for the signal itself."""

    changed: str
    episodes_independent: int
    mean_after: float | None
    base_rate: float | None
    percentile: float | None
    on: bool


class RecordModel(BaseModel):
    """Active return a year and its Sharpe ratio, before costs."""

    a_year: float
    sharpe: float


class ChoosingModel(BaseModel):
    """What choosing among the variants is worth; records are over the sessions after the learning.

    `best_variant` is the best of all sessions, `best_after_learning` the one of `best_in_hindsight`; empty: the signal.
    """

    first: str
    sessions: int
    variants: int
    best_variant: str
    best_after_learning: str
    walk_forward: RecordModel | None
    own: RecordModel | None
    best_in_hindsight: RecordModel | None
    deflated_sharpe: float | None
    probability_of_overfitting: float | None
    notes: list[str]


class SensitivityModel(BaseModel):
    """The signal with other windows, entries, starts and series."""

    variants: list[TrialModel]
    starts: list[TrialModel]
    proxies: list[TrialModel]
    choosing: ChoosingModel | None
    notes: list[str]


class SignalDocument(Document):
    """What `signal --json` prints; `undefined` says why a figure is null."""

    relative_value: RelativeValueModel
    correction: CorrectionStateModel
    measures: dict[str, float | None]
    volatility_regime: str
    position: PositionModel
    episodes: list[EpisodeModel]
    evidence: EvidenceModel
    sensitivity: SensitivityModel
    undefined: dict[str, str]


def signal_document(found: SignalReading) -> SignalDocument:
    """Return the JSON document of a reading."""
    dates = found.pair.dates
    return SignalDocument(
        asof=iso(found.asof),
        study=found.study.as_toml_values(),
        data=data_model(found.levels.history, found.source, iso(dates[0]), iso(dates[-1])),
        notes=list(found.notes),
        relative_value=_relative_value(found),
        correction=_correction(found),
        measures={str(key): found.now(str(key)) for key in found.measures.columns},
        volatility_regime=regime(float(found.measures["volatility_percentile"].iloc[-1])),
        position=_position(found),
        episodes=[_episode(one) for one in found.evidence.episodes],
        evidence=_evidence(found.evidence),
        sensitivity=_sensitivity(found.sensitivity),
        undefined={**found.undefined, **_unknown_evidence(found.evidence)},
    )


def _unknown_evidence(one: Evidence) -> dict[str, str]:
    """Why a figure of the evidence is null, by its path."""
    never = "no independent episode whose horizon is over"
    chance = "nothing was resampled" if not one.resamples else "no resampled history has an episode"
    always = "always on, or never"
    reasons = {
        "mean_after": (one.mean_after, never),
        "gained": (one.gained, never),
        "base_rate": (one.base_rate, "no close with a percentile whose horizon is over"),
        "base_gained": (one.base_gained, "no close with a percentile whose horizon is over"),
        "p_value": (one.p_value, chance if one.independent else never),
        "interval": (one.interval, chance if one.independent else never),
        "null_interval": (one.null_interval, chance),
        "null_mean": (one.null_mean, chance),
        "hac.slope": (one.regression.slope, always),
        "hac.t": (one.regression.t, always),
        "hac.p_value": (one.regression.p_value, always),
        "hac.size": (one.regression.size, chance),
    }
    return {f"evidence.{key}": why for key, (value, why) in reasons.items() if value is None}


def _relative_value(found: SignalReading) -> RelativeValueModel:
    own = float(found.tactical.percentile.iloc[-1])
    return RelativeValueModel(
        long=found.table.long,
        short=found.table.short,
        basis=found.table.basis,
        window=found.table.window,
        first=iso(found.pair.dates[0]),
        difference=float(found.measures["difference"].iloc[-1]),
        annualised=float(found.measures["annualised"].iloc[-1]),
        ratio=float(found.measures["ratio"].iloc[-1]),
        percentile=None if own != own else own,
        percentile_all=found.now("percentile_all"),
        percentile_20y=found.now("percentile_20y"),
        zscore=found.now("zscore"),
        zscore_20y=found.now("zscore_20y"),
        extremes=ExtremesModel(
            lowest=[_extreme(one) for one in found.lowest], highest=[_extreme(one) for one in found.highest]
        ),
    )


def _extreme(one: Extreme) -> ExtremeModel:
    return ExtremeModel(date=iso(one.date), difference=one.difference)


def _correction(found: SignalReading) -> CorrectionStateModel:
    seen = found.correction
    return CorrectionStateModel(
        of=found.table.long,
        drawdown=float(seen.drawdown.iloc[-1]),
        peak_date=iso(seen.peak),
        state=str(seen.state.iloc[-1]),
        episodes=[_fall(one) for one in seen.episodes],
    )


def _fall(one: Correction) -> CorrectionModel:
    return CorrectionModel(
        peak=iso(one.peak),
        began=iso(one.began),
        bear=None if one.bear is None else iso(one.bear),
        trough=iso(one.trough),
        depth=one.depth,
        recovered=None if one.recovered is None else iso(one.recovered),
    )


def _position(found: SignalReading) -> PositionModel:
    tactical = found.tactical
    return PositionModel(
        on=tactical.on,
        size=float(tactical.size.iloc[-1]),
        since=iso(found.pair.dates[tactical.spells[-1].entry]) if tactical.on else None,
    )


def _episode(one: Episode) -> EpisodeModel:
    return EpisodeModel(
        entry=iso(one.entry),
        exit=None if one.exit is None else iso(one.exit),
        reason=one.reason,
        difference=one.difference,
        percentile=one.percentile,
        outcome=one.outcome,
        to_exit=one.to_exit,
        independent=one.independent,
    )


def _evidence(one: Evidence) -> EvidenceModel:
    hac = one.regression
    return EvidenceModel(
        episodes_independent=one.independent,
        horizon=one.horizon,
        mean_after=one.mean_after,
        interval=one.interval,
        base_rate=one.base_rate,
        gained=one.gained,
        base_gained=one.base_gained,
        p_value=one.p_value,
        null_interval=one.null_interval,
        null_mean=one.null_mean,
        hac=HacModel(slope=hac.slope, t=hac.t, p_value=hac.p_value, size=hac.size, lags=hac.lags),
        resamples=one.resamples,
        resamples_without_episode=one.unused,
        block=one.block,
        seed=one.seed,
        verdict=one.verdict,
        sentence=one.sentence,
    )


def _sensitivity(one: Sensitivity) -> SensitivityModel:
    return SensitivityModel(
        variants=[_trial(trial) for trial in one.variants],
        starts=[_trial(trial) for trial in one.starts],
        proxies=[_trial(trial) for trial in one.proxies],
        choosing=None if one.choosing is None else _choosing(one.choosing, len(one.variants)),
        notes=list(one.notes),
    )


def _trial(one: Trial) -> TrialModel:
    return TrialModel(
        changed=one.changed,
        episodes_independent=one.number,
        mean_after=one.mean_after,
        base_rate=one.base_rate,
        percentile=one.percentile,
        on=one.on,
    )


def _choosing(one: Choosing, variants: int) -> ChoosingModel:
    return ChoosingModel(
        first=iso(one.first),
        sessions=one.sessions,
        variants=variants,
        best_variant=one.best_variant,
        best_after_learning=one.best_after,
        walk_forward=_record(one.walk_forward),
        own=_record(one.own),
        best_in_hindsight=_record(one.best),
        deflated_sharpe=None if one.deflated is None else one.deflated.probability,
        probability_of_overfitting=None if one.validation is None else one.validation.probability,
        notes=list(one.notes),
    )


def _record(one: Record | None) -> RecordModel | None:
    return None if one is None else RecordModel(a_year=one.a_year, sharpe=one.sharpe)
