"""The JSON document of `simulate`."""

from __future__ import annotations

from pydantic import BaseModel

from alphaoverlay.history import FloatArray, iso
from alphaoverlay.scenarios.generators import GENERATORS
from alphaoverlay.scenarios.simulation import FAN, Against, Outcome, Simulation
from alphaoverlay.scenarios.tally import Distribution, Estimate
from alphaoverlay.study.document import Document, data_model, known
from alphaoverlay.study.simulated import BENCHMARK, PORTFOLIO, StudySimulation
from alphaoverlay.study.wording import manner


class EstimateModel(BaseModel):
    """A figure and its standard error; `bound` is the 95% bound where none or all of the paths came to it."""

    value: float | None
    standard_error: float | None
    bound: float | None


class OutcomeModel(BaseModel):
    """One portfolio over all paths: figure -> "p01" to "p99" -> value, and the same for standard errors.

    Figures: `wealth` (flows inside, in units of the initial wealth), `growth` (of 1, with flows only), `cagr`,
    `max_drawdown`, `under_water` (share of sessions), `longest_under_water` (sessions), `active_cagr` (not for the
    benchmark). `probabilities`: `ruin`, `halved`, `trailing` (not for the benchmark).
    """

    quantiles: dict[str, dict[str, float | None]]
    standard_errors: dict[str, dict[str, float | None]]
    means: dict[str, EstimateModel]
    probabilities: dict[str, EstimateModel]


class FanModel(BaseModel):
    """Quantiles of the value through time, of the first `paths` paths; "p05" -> one value a date, and one error."""

    dates: list[str]
    paths: int
    portfolio: dict[str, list[float]]
    benchmark: dict[str, list[float]]
    portfolio_errors: dict[str, list[float | None]]
    benchmark_errors: dict[str, list[float | None]]


class GeneratorModel(BaseModel):
    """What drew the paths: its name, what it does, and what was fitted or stated; `hits`: values cut at its limit."""

    name: str
    description: str
    facts: dict[str, float | int | str]
    hits: int
    mean: str | float | dict[str, float]
    first: str
    last: str
    sessions: int


class VariantModel(BaseModel):
    """The same portfolios on other paths: medians and shares, from `paths` paths."""

    paths: int
    cagr: EstimateModel
    cagr_p05: EstimateModel
    benchmark_cagr: EstimateModel
    active_cagr: EstimateModel
    max_drawdown: EstimateModel
    trailing: EstimateModel


class SimulationDocument(OutcomeModel, Document):
    """What `simulate --json` prints; the portfolio's own figures stand at the top.

    `others`: the portfolio under other rules; `differences`: their mean CAGR minus the portfolio's own, path by path.
    `sensitivity`: other block lengths and generators.
    """

    generator: GeneratorModel
    seed: int
    paths: int
    sessions: int
    start: str
    end: str
    rate: float
    exact_quantiles: bool
    portfolio: dict[str, float]
    rule: str
    benchmark_weights: dict[str, float]
    benchmark: OutcomeModel
    others: dict[str, OutcomeModel]
    differences: dict[str, EstimateModel]
    fan: FanModel
    sensitivity: dict[str, VariantModel]


def simulation_document(found: StudySimulation) -> SimulationDocument:
    """Return the JSON document of a simulation."""
    made, ahead = found.simulation, found.ahead
    dates = made.history.dates
    own = outcome_model(made, PORTFOLIO)
    others = [name for name in made.outcomes if name not in (PORTFOLIO, BENCHMARK)]
    return SimulationDocument(
        asof=iso(ahead.asof),
        study=ahead.study.as_toml_values(),
        data=data_model(ahead.data.history, ahead.source, iso(found.days.dates[0]), iso(found.days.dates[-1])),
        notes=list(found.notes),
        **own.model_dump(),
        generator=_generator(found),
        seed=made.seed,
        paths=made.paths,
        sessions=len(dates) - 1,
        start=iso(dates[0]),
        end=iso(dates[-1]),
        rate=ahead.rate,
        exact_quantiles=made.outcomes[PORTFOLIO].figures["wealth"].exact,
        portfolio=ahead.portfolio.by_symbol,
        rule=manner(ahead.rule),
        benchmark_weights=ahead.benchmark.by_symbol,
        benchmark=outcome_model(made, BENCHMARK),
        others={name: outcome_model(made, name) for name in others},
        differences={name: estimate_model(one.mean) for name, one in made.over_first.items()},
        fan=FanModel(
            dates=[iso(dates[k]) for k in made.marks],
            paths=made.fan_paths,
            portfolio=_fan(made.outcomes[PORTFOLIO].fan),
            benchmark=_fan(made.outcomes[BENCHMARK].fan),
            portfolio_errors=_fan_errors(made.outcomes[PORTFOLIO].fan_errors),
            benchmark_errors=_fan_errors(made.outcomes[BENCHMARK].fan_errors),
        ),
        sensitivity={name: _variant(each) for name, each in found.sensitivity.items()},
    )


def outcome_model(found: Simulation, name: str) -> OutcomeModel:
    """Return one portfolio's figures."""
    outcome, against = found.outcomes[name], found.against.get(name)
    figures = _figures(outcome, against)
    probabilities = {"ruin": outcome.ruined, "halved": outcome.halved}
    if against is not None:
        probabilities["trailing"] = against.trailing
    return OutcomeModel(
        quantiles={key: {percent(p): each.value for p, each in one.quantiles.items()} for key, one in figures.items()},
        standard_errors={
            key: {percent(p): each.error for p, each in one.quantiles.items()} for key, one in figures.items()
        },
        means={key: estimate_model(one.mean) for key, one in figures.items()},
        probabilities={key: estimate_model(one) for key, one in probabilities.items()},
    )


def percent(share: float) -> str:
    """Return the key of a quantile: p05 for 0.05."""
    return f"p{round(100.0 * share):02d}"


def estimate_model(one: Estimate) -> EstimateModel:
    """Return an estimate as JSON has it."""
    return EstimateModel(value=one.value, standard_error=one.error, bound=one.bound)


def _figures(outcome: Outcome, against: Against | None) -> dict[str, Distribution]:
    return {**outcome.figures, **({} if against is None else {"active_cagr": against.active})}


def _generator(found: StudySimulation) -> GeneratorModel:
    made, days, mean = found.simulation, found.days, found.mean
    return GeneratorModel(
        name=made.generator,
        description=GENERATORS[made.generator],
        facts=dict(made.facts),
        hits=made.hits,
        mean=mean if isinstance(mean, str | float) else dict(mean),
        first=iso(days.dates[0]),
        last=iso(days.dates[-1]),
        sessions=len(days.dates),
    )


def _fan(quantiles: FloatArray) -> dict[str, list[float]]:
    return {percent(p): [float(value) for value in quantiles[:, k]] for k, p in enumerate(FAN)}


def _fan_errors(errors: FloatArray) -> dict[str, list[float | None]]:
    return {percent(p): [known(error) for error in errors[:, k]] for k, p in enumerate(FAN)}


def _variant(found: Simulation) -> VariantModel:
    own, other, against = found.outcomes[PORTFOLIO], found.outcomes[BENCHMARK], found.against[PORTFOLIO]
    return VariantModel(
        paths=found.paths,
        cagr=estimate_model(own.figures["cagr"].quantiles[0.50]),
        cagr_p05=estimate_model(own.figures["cagr"].quantiles[0.05]),
        benchmark_cagr=estimate_model(other.figures["cagr"].quantiles[0.50]),
        active_cagr=estimate_model(against.active.quantiles[0.50]),
        max_drawdown=estimate_model(own.figures["max_drawdown"].quantiles[0.50]),
        trailing=estimate_model(against.trailing),
    )
