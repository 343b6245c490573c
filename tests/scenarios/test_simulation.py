"""Many paths: the same answer whoever asks and however the work is shared out, and what is written down of them."""

from __future__ import annotations

import math
import threading
import tracemalloc
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pytest
from tests import second_scenarios as second
from tests.engine.building import WEEKDAYS, history_of
from tests.scenarios.building import NAMES, gaussian_days, joint

from alphaoverlay.engine.costs import CashTerms, TradingCosts
from alphaoverlay.engine.flows import CashFlow, CashFlows
from alphaoverlay.engine.path_running import PathRunner, prepare_paths
from alphaoverlay.engine.rebalancing import RebalancingRule
from alphaoverlay.engine.schedule import CalendarRule
from alphaoverlay.errors import StudyError
from alphaoverlay.funds.fund import Fund
from alphaoverlay.history import FloatArray
from alphaoverlay.overlays.portfolio import Portfolio
from alphaoverlay.scenarios import simulation, tally
from alphaoverlay.scenarios.paths import Paths, own_days
from alphaoverlay.scenarios.resampled_days import ResampledDays
from alphaoverlay.scenarios.simulation import CHUNK, FAN_PATHS, FIGURES, Simulation, fan_marks, simulate_paths
from alphaoverlay.scenarios.tally import Distribution

FUNDS = {
    "BROAD1": Fund("BROAD1", "BROAD1", {"BROAD": 1.0}, expense=0.0009),
    "BROAD3": Fund("BROAD3", "BROAD3", {"BROAD": 3.0}, expense=0.009, spread=0.005),
    "SMALL3": Fund("SMALL3", "SMALL3", {"SMALL": 3.0}, expense=0.01, spread=0.005),
    "TECH-3": Fund("TECH-3", "TECH-3", {"TECH": -3.0}, expense=0.0095),
}
OVERLAY = {"BROAD1": 0.7, "BROAD3": 0.1, "SMALL3": 0.1, "TECH-3": 0.1}
CORE = {"BROAD1": 1.0}


def runner_of(
    weights: dict[str, float],
    sessions: int = 20,
    calendar: str = "weekly",
    flows: CashFlows | None = None,
    cash: CashTerms | None = None,
) -> PathRunner:
    """A portfolio of made funds, prepared for so many weekdays of 2021."""
    return prepare_paths(
        Portfolio(tuple(FUNDS[name] for name in weights), tuple(weights.values())),
        history_of(WEEKDAYS[: sessions + 1], 0.03),
        NAMES,
        RebalancingRule(CalendarRule(calendar)),  # type: ignore[arg-type]
        TradingCosts(5.0),
        flows=flows,
        cash=cash,
    )


@cache
def bootstrap(block: float = 5.0) -> ResampledDays:
    return ResampledDays.fit(joint(gaussian_days(700)), block=block)


@dataclass(frozen=True)
class Stated:
    """Paths that are written down, shape (paths, sessions, K); the paths of one chunk in one table."""

    every: FloatArray
    names: tuple[str, ...] = NAMES
    key: str = "bootstrap"
    asked: list[tuple[int, int, int, int]] = field(default_factory=list)

    def draw(self, seed: int, first: int, count: int, sessions: int) -> Paths:
        self.asked.append((seed, first, count, sessions))
        return own_days(np.ascontiguousarray(self.every[first : first + count, :sessions]))

    def facts(self) -> dict[str, float | int | str]:
        return {}


def simulated(paths: int, *, seed: int = 1, workers: int | None = 2, sessions: int = 20, **more: object) -> Simulation:
    """The overlay against its core."""
    runners = {"own": runner_of(OVERLAY, sessions), "core": runner_of(CORE, sessions)}
    return simulate_paths(
        bootstrap(), runners, paths=paths, seed=seed, benchmark="core", workers=workers, **more  # type: ignore[arg-type]
    )  # fmt: skip


def flat(found: Simulation) -> list[object]:
    """Everything that a simulation says, to be compared bit for bit."""
    said: list[object] = []

    def add(one: Distribution) -> None:
        said.extend([dict(one.quantiles), one.mean, one.curve.tolist(), one.exact])

    for outcome in found.outcomes.values():
        said.extend([outcome.ruined, outcome.halved, outcome.fan.tolist(), np.nan_to_num(outcome.fan_errors).tolist()])
        for figure in outcome.figures.values():
            add(figure)
    for against in found.against.values():
        said.append(against.trailing)
        add(against.active)
    for over in found.over_first.values():
        add(over)
    return said


# --- whoever asks ---


def test_one_worker_says_what_many_say() -> None:
    """Three chunks, the last of few paths, on one to five threads, twice."""
    expected = flat(simulated(2 * CHUNK + 5, workers=1))
    for workers in (2, 5, None):
        assert flat(simulated(2 * CHUNK + 5, workers=workers)) == expected


@pytest.mark.parametrize("batch", [1, 7, 20 * 100, 20 * 4096, 10**9])
def test_how_many_paths_are_in_memory_changes_nothing(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    expected = flat(simulated(203))
    monkeypatch.setattr(simulation, "BATCH", batch)
    assert flat(simulated(203)) == expected


def kept(monkeypatch: pytest.MonkeyPatch) -> list[tally.Tally]:
    """The tallies that the simulations to come make."""
    made: list[tally.Tally] = []
    of = tally.Tally.of

    def remembering(paths: int, bins: tally.Bins) -> tally.Tally:
        made.append(of(paths, bins))
        return made[-1]

    monkeypatch.setattr(tally.Tally, "of", remembering)
    return made


@pytest.mark.parametrize("more", [CHUNK - 1, CHUNK, CHUNK + 1, 5000])
def test_the_first_paths_of_many_are_those_of_few(monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    made = kept(monkeypatch)
    simulated(1000)
    few, made[:] = list(made), []
    simulated(more)
    assert len(few) == len(made) > 10
    for one, other in zip(few, made, strict=True):
        assert one.values is not None
        assert other.values is not None
        assert (len(one.values), len(other.values)) == (1000, more)
        assert np.array_equal(one.values, other.values[:1000])
        assert np.isfinite(other.values).all()
    assert len({len(one.sums) for one in made}) == 1
    assert sum(number for number, _, _ in made[0].sums.values()) == more


def test_seeds_differ_and_the_same_seed_does_not() -> None:
    one, again, other = (flat(simulated(300, seed=seed)) for seed in (5, 5, 6))
    assert one == again
    assert one != other
    assert flat(simulated(300, seed=2**63 - 1)) != flat(simulated(300, seed=2**31 - 1))


# --- common random numbers ---


def test_a_portfolio_against_itself_is_never_ahead_nor_behind() -> None:
    runner = runner_of(OVERLAY)
    found = simulate_paths(bootstrap(), {"own": runner, "same": runner}, paths=500, benchmark="same")
    against = found.against["own"]
    assert list(found.against) == ["own"]
    assert {(one.value, one.error) for one in against.active.quantiles.values()} == {(0.0, 0.0)}
    assert (against.active.mean.value, against.active.mean.error) == (0.0, 0.0)
    assert (against.trailing.value, against.trailing.error) == (0.0, None)
    assert against.trailing.bound == pytest.approx(second.probability_bound(500))


def test_what_a_portfolio_comes_to_does_not_depend_on_the_others() -> None:
    alone = simulate_paths(bootstrap(), {"own": runner_of(OVERLAY)}, paths=300, seed=1)
    assert alone.against == {}
    assert flat(replace(simulated(300), against={}))[: len(flat(alone))] == flat(alone)


# --- what is written down ---

# Four paths of the broad index over a week of two sessions: up, down, ruinous for its triple, unchanged.
WEEK = np.zeros((4, 2, 3))
WEEK[:, :, 0] = [[0.1, 0.1], [-0.1, -0.2], [-0.4, 0.5], [0.0, 0.0]]


def in_one_fund(times: float, **more: object) -> PathRunner:
    fund = Fund("F", "F", {"BROAD": times}, expense=0.0)
    history = history_of(WEEKDAYS[:3])
    return prepare_paths(
        Portfolio((fund,), (1.0,)), history, NAMES, RebalancingRule(CalendarRule("never")), **more  # type: ignore[arg-type]
    )  # fmt: skip


def test_four_paths_by_hand() -> None:
    """Two sessions and four calendar days from Friday to Tuesday."""
    runners = {"triple": in_one_fund(3.0), "plain": in_one_fund(1.0)}
    found = simulate_paths(Stated(WEEK), runners, paths=4, benchmark="plain")
    triple, plain = [1.3**2, 0.7 * 0.4, 0.0, 1.0], [1.21, 0.72, 0.9, 1.0]
    power = 365.25 / 4
    earned = [[one**power - 1 for one in each] for each in (triple, plain)]
    outcome, other = found.outcomes["triple"], found.outcomes["plain"]
    assert sorted(outcome.figures) == sorted(set(FIGURES) - {"growth"})
    for name, values in (
        ("wealth", triple),
        ("cagr", earned[0]),
        ("max_drawdown", [0.0, -0.72, -1.0, 0.0]),
    ):
        figure = outcome.figures[name]
        assert figure.mean.value == pytest.approx(sum(values) / 4)
        assert figure.quantiles[0.5].value == pytest.approx(second.quantile(values, 0.5))
        assert figure.mean.error == pytest.approx(second.standard_error_of_mean(values))
    assert other.figures["max_drawdown"].mean.value == pytest.approx((0 - 0.28 - 0.4 + 0) / 4)
    assert other.figures["under_water"].mean.value == 0.5
    assert other.figures["longest_under_water"].quantiles[0.75].value == 2.0
    assert (outcome.ruined.value, outcome.halved.value) == (0.25, 0.5)
    assert (other.ruined.value, other.halved.value) == (0.0, 0.0)
    assert found.against["triple"].trailing.value == 0.5
    active = [a - b for a, b in zip(*earned, strict=True)]
    assert found.against["triple"].active.mean.value == pytest.approx(sum(active) / 4)
    assert found.against["triple"].active.quantiles[0.25].value == pytest.approx(second.quantile(active, 0.25))
    assert found.marks.tolist() == [0, 1, 2]
    assert outcome.fan[0].tolist() == [1.0] * 5
    assert outcome.fan[2] == pytest.approx([second.quantile(triple, p) for p in simulation.FAN])
    # Of four paths the 5% and the 95% are too far out for an error.
    assert np.isnan(outcome.fan_errors[:, [0, 4]]).all()
    assert outcome.fan_errors[0, 1:4].tolist() == [0.0] * 3
    assert outcome.fan_errors[2, 1:4] == pytest.approx(
        [second.standard_error_of_quantile(triple, p) for p in (0.25, 0.50, 0.75)]
    )
    assert found.over_first == {}


def test_growth_stands_beside_wealth_where_there_are_flows() -> None:
    """Half of the first wealth is taken out on Monday: of the path that fell to 0.9 that leaves 0.4."""
    flows = CashFlows((CashFlow(amount=-0.5, days=(WEEKDAYS[1].date(),)),))
    found = simulate_paths(Stated(WEEK[[1, 3]]), {"own": in_one_fund(1.0, flows=flows)}, paths=2)
    figures = found.outcomes["own"].figures
    assert list(figures) == list(FIGURES)
    assert figures["growth"].curve[[0, 98]] == pytest.approx([0.72 + 0.01 * 0.28, 0.72 + 0.99 * 0.28])
    assert figures["wealth"].mean.value == pytest.approx((0.4 * 0.8 + 0.5) / 2)
    assert figures["max_drawdown"].mean.value == pytest.approx(-0.28 / 2)
    assert found.outcomes["own"].ruined.value == 0.0


def test_a_path_that_paid_everything_out_has_the_growth_of_the_time_it_lived() -> None:
    """All is withdrawn on Monday after -10%: growth 0.9 over the three days since Friday, and nothing at the end."""
    flows = CashFlows((CashFlow(share=-1.0, days=(WEEKDAYS[1].date(),)),))
    found = simulate_paths(Stated(WEEK[[1, 1]]), {"own": in_one_fund(1.0, flows=flows)}, paths=2)
    figures = found.outcomes["own"].figures
    assert figures["growth"].mean.value == pytest.approx(0.9)
    assert figures["wealth"].mean.value == 0.0
    assert figures["cagr"].mean.value == pytest.approx(0.9 ** (365.25 / 3) - 1)


def test_every_path_of_a_chunk_is_drawn_once_and_with_the_seed() -> None:
    sessions, paths = 3, CHUNK + 3
    generator = Stated(np.zeros((paths, sessions, 3)))
    simulate_paths(generator, {"own": runner_of(CORE, sessions)}, paths=paths, seed=77, workers=1)
    assert {(seed, wanted) for seed, _, _, wanted in generator.asked} == {(77, sessions)}
    drawn = [p for _, first, count, _ in sorted(generator.asked) for p in range(first, first + count)]
    assert drawn == list(range(paths))


@pytest.mark.parametrize("sessions", [1, 2, 59, 60, 61, 2520])
def test_fans_begin_at_the_purchase_and_end_at_the_end(sessions: int) -> None:
    at = fan_marks(sessions)
    assert (at[0], at[-1]) == (0, sessions)
    assert len(at) == min(sessions, 60) + 1
    assert set(np.diff(at)) <= {sessions // min(sessions, 60), -(-sessions // min(sessions, 60))}


def test_fans_are_drawn_from_the_first_paths_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "FAN_PATHS", CHUNK)
    few, many = simulated(CHUNK), simulated(CHUNK + 500)
    assert (few.fan_paths, many.fan_paths) == (CHUNK, CHUNK)
    assert np.array_equal(few.outcomes["own"].fan, many.outcomes["own"].fan)
    assert FAN_PATHS % CHUNK == 0
    own = many.outcomes["own"]
    assert own.fan[-1][2] == pytest.approx(float(own.figures["wealth"].quantiles[0.5].value or 0.0), rel=0.02)


def test_others_are_compared_with_the_first_path_by_path() -> None:
    runners = {name: in_one_fund(weight) for name, weight in (("own", 1.0), ("plain", 0.5), ("less", 0.8))}
    found = simulate_paths(Stated(WEEK), runners, paths=4, benchmark="plain")
    alone = simulate_paths(Stated(WEEK), {"own": runners["own"], "less": runners["less"]}, paths=4)
    assert list(found.over_first) == list(alone.over_first) == ["less"]
    each = [[one ** (365.25 / 4) - 1 for one in simulate_growth(runners[name])] for name in ("less", "own")]
    apart = [a - b for a, b in zip(*each, strict=True)]
    assert any(apart)
    for made in (found, alone):
        one = made.over_first["less"]
        assert one.mean.value == pytest.approx(math.fsum(apart) / 4)
        assert one.mean.error == pytest.approx(second.standard_error_of_mean(apart))
        assert one.quantiles[0.5].value == pytest.approx(second.quantile(apart, 0.5))
    # Where the first is the benchmark, the others are compared with it already.
    assert simulate_paths(Stated(WEEK), runners, paths=4, benchmark="own").over_first == {}


def simulate_growth(runner: PathRunner) -> list[float]:
    """Growth of each path of the week."""
    rows = np.arange(WEEK.shape[1], dtype=np.int32)[None]
    return [float(runner.run(runner.moves(path), rows, fan_marks(1)[:0]).growth[0]) for path in WEEK]


# --- too many paths to keep ---


def test_counted_distributions_are_within_a_bin_of_exact_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = simulated(6000)
    monkeypatch.setattr(tally, "EXACT", 5999)
    counted = simulated(6000)
    for name in ("own", "core"):
        for key, figure in exact.outcomes[name].figures.items():
            other = counted.outcomes[name].figures[key]
            assert (figure.exact, other.exact) == (True, False)
            assert other.mean == figure.mean
            # Half a bin, and what one order statistic lies away from the next, which in the tails is more.
            far = {"wealth": 3e-3, "cagr": 0.03, "longest_under_water": 1.0, "under_water": 0.05}.get(key, 1e-3)
            for p in (0.05, 0.25, 0.50, 0.75, 0.95):
                one = figure.quantiles[p].value
                assert other.quantiles[p].value == pytest.approx(one, rel=0, abs=far), (key, p)
    assert counted.outcomes["own"].ruined == exact.outcomes["own"].ruined
    assert counted.against["own"].trailing == exact.against["own"].trailing


def test_a_counted_quantile_beyond_the_bins_is_not_told_as_one_inside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A month of +15% is a CAGR of several hundred percent, and in twenty sessions many paths make it."""
    exact = simulated(3000).outcomes["own"].figures["cagr"].quantiles[0.99].value
    monkeypatch.setattr(tally, "EXACT", 2999)
    counted = simulated(3000).outcomes["own"].figures["cagr"].quantiles[0.99].value
    assert exact is not None
    assert exact > 2.5
    assert counted is None or counted == pytest.approx(exact, rel=0.05)


def test_memory_does_not_grow_with_the_paths_once_they_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five chunks and twenty-five: eight numbers a path would be 5 MB more."""
    monkeypatch.setattr(tally, "EXACT", 1000)
    monkeypatch.setattr(simulation, "FAN_PATHS", CHUNK)
    simulated(100, sessions=2)
    most = []
    for chunks in (5, 25):
        tracemalloc.start()
        simulated(chunks * CHUNK, sessions=2, workers=1)
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert most[1] < most[0] + 500_000


# --- standard errors ---


def test_stated_errors_are_the_spread_over_seeds() -> None:
    """200 simulations of 250 paths. The spread of 200 medians is itself uncertain by 1/sqrt(400) = 5%, so 20% is four
    of those: a right program fails once in ten thousand.
    """
    runners = {"own": runner_of(OVERLAY, 10), "core": runner_of(CORE, 10)}
    found = [
        simulate_paths(bootstrap(1.0), runners, paths=250, seed=s, benchmark="core", workers=1) for s in range(200)
    ]
    wealth = [one.outcomes["own"].figures["wealth"] for one in found]
    active = [one.against["own"].active for one in found]
    for each in ([one.quantiles[0.5] for one in wealth], [one.mean for one in wealth], [one.mean for one in active]):
        spread = np.std([float(one.value or 0.0) for one in each], ddof=1)
        assert spread == pytest.approx(np.mean([float(one.error or 0.0) for one in each]), rel=0.20)
    trailing = [one.against["own"].trailing for one in found]
    spread = np.std([float(one.value or 0.0) for one in trailing], ddof=1)
    assert spread == pytest.approx(math.sqrt(np.mean([float(one.error or 0.0) ** 2 for one in trailing])), rel=0.20)


# --- progress and Ctrl-C ---


def test_progress_is_told_of_every_chunk_and_ends_with_all_paths() -> None:
    said: list[str] = []
    simulated(2 * CHUNK + 5, progress=said.append)
    assert "preparing" in said[0]
    assert len(said) == 4
    assert said[-1] == f"simulating: {2 * CHUNK + 5:,} of {2 * CHUNK + 5:,} paths"


def test_ctrl_c_stops_soon_and_leaves_no_thread_behind() -> None:
    """Of 400 chunks hardly more are drawn than the threads had in hand."""
    before = set(threading.enumerate())
    drawn: list[int] = []
    source = bootstrap()

    class Watched:
        names, key = source.names, source.key

        def draw(self, seed: int, first: int, count: int, sessions: int) -> Paths:
            drawn.append(first)
            return source.draw(seed, first, count, sessions)

        def facts(self) -> dict[str, float | int | str]:
            return {}

    def stop(said: str) -> None:
        if said.startswith("simulating"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_paths(Watched(), {"own": runner_of(OVERLAY)}, paths=400 * CHUNK, workers=2, progress=stop)
    assert set(threading.enumerate()) <= before
    assert len(drawn) < 100


def test_a_failing_generator_stops_the_simulation_with_its_own_error() -> None:
    class Broken:
        names, key = NAMES, "bootstrap"

        def draw(self, seed: int, first: int, count: int, sessions: int) -> Paths:
            if first >= CHUNK:
                raise ZeroDivisionError("the third day")
            return bootstrap().draw(seed, first, count, sessions)

        def facts(self) -> dict[str, float | int | str]:
            return {}

    before = set(threading.enumerate())
    with pytest.raises(ZeroDivisionError, match="the third day"):
        simulate_paths(Broken(), {"own": runner_of(CORE)}, paths=50 * CHUNK, workers=2)
    assert set(threading.enumerate()) <= before


# --- mistakes ---


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"paths": 0}, "paths = 0: write 1 to 100,000,000"),
        ({"paths": -5}, "paths = -5"),
        ({"paths": 10**8 + 1}, "paths = 100000001"),
        ({"paths": 5, "seed": -1}, "seed = -1: write 0 to"),
        ({"paths": 5, "seed": 2**63}, "seed = 9223372036854775808"),
    ],
)
def test_numbers_out_of_bounds_are_refused(more: dict[str, int], said: str) -> None:
    with pytest.raises(StudyError, match=said):
        simulate_paths(bootstrap(), {"own": runner_of(CORE)}, **more)  # type: ignore[arg-type]


def test_runners_that_do_not_fit_are_refused() -> None:
    with pytest.raises(StudyError, match="no portfolio"):
        simulate_paths(bootstrap(), {}, paths=5)
    with pytest.raises(StudyError, match="different horizons"):
        simulate_paths(bootstrap(), {"a": runner_of(CORE, 5), "b": runner_of(CORE, 6)}, paths=5)
    turned = replace(bootstrap(), names=("SMALL", "BROAD", "TECH"))
    with pytest.raises(StudyError, match="the paths are of SMALL, BROAD, TECH"):
        simulate_paths(turned, {"a": runner_of(CORE)}, paths=5)
    with pytest.raises(StudyError, match="benchmark"):
        simulate_paths(bootstrap(), {"a": runner_of(CORE)}, paths=5, benchmark="b")
