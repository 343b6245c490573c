"""A second, slow and plain implementation of the backtest's loop and bands (M3, M6, M7), from the written method alone.

It goes on where `second_opinion.run` stops: costs by day, market impact, fees, a minimum trade, cash flows, tranches,
a lag, a minimum interval, bands, targets that change, cash below 0. It shares no code with the package, and no
technique: every value that solves an equation is bisected, every set of funds that trade is tried, every corner of a
measure is looked at. Money is in units of the initial wealth. Where the method leaves something open, a comment that
begins with "Reading:" says how it is understood here. It was written before the engine; where the two read the method
differently and the method was then made clearer, it follows the method.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import TypedDict

TINY = 1e-12  # shares of a value, and points of a measure, that count as nothing
ROUNDING = 1e-15  # a band's side without width is passed by a last place on the way to the target


@dataclass(frozen=True)
class Band:
    """A tolerance around the target of a measure (M7)."""

    measure: str  # "weight", "exposure", "net", "gross" or "active"
    below: float
    above: float
    which: int = 0  # the fund of a weight, the index of an exposure
    relative: bool = False  # below and above are shares of the size of the target
    destination: float = 1.0  # 0 edge, 1 target


@dataclass(frozen=True)
class Flow:
    """Money that comes in (positive) or goes out at a close: an amount, a share of the value then, or both."""

    session: int
    amount: float = 0.0
    share: float = 0.0


@dataclass(frozen=True)
class Plan:
    """What is run. Session 0 is the purchase: its returns and its interest are not used."""

    returns: list[list[float]]  # [fund][session]
    lend: list[float]  # interest of each session on cash above 0
    borrow: list[float]  # and below 0
    targets: list[list[float]]  # [session][fund], in force at that close
    calendar: list[list[bool]]  # [tranche][session], before the lag
    rates: list[list[float]]  # [fund][session], proportional cost of a trade
    exposures: list[list[float]] = field(default_factory=list)  # [index][fund]
    benchmark: list[float] = field(default_factory=list)  # look-through of its targets, by index
    bands: list[Band] = field(default_factory=list)
    watched: list[bool] = field(default_factory=list)  # sessions on which bands are looked at
    lag: int = 0
    interval: int = 0
    impact: list[list[float]] | None = None  # [fund][session], k of k*|x|*sqrt(|x|)
    fee: float = 0.0
    smallest: float = 0.0  # not below the fee
    flows: list[Flow] = field(default_factory=list)
    placing: str = "underweight"  # or "current" or "rebalance"


class Outcome(TypedDict):
    """One entry a session, after its close; `ended` says when and how the path ended, from where on all is 0."""

    value: list[float]
    holdings: list[list[float]]  # [session][fund], all tranches together
    cash: list[float]
    cost: list[float]
    flow: list[float]  # what came in, negative what was paid out
    trades: list[list[float]]  # [session][fund], netted over the tranches
    turnover: list[float]
    rebalanced: list[bool]
    broken: list[bool]
    shrunk: list[bool]  # purchases were scaled down for want of cash
    ended: tuple[int, str] | None


@dataclass
class Tranche:
    """A portfolio of its own."""

    held: list[float]
    cash: float
    last: int = 0  # session of its last rebalance
    order: tuple[int, list[Band]] | None = None  # when it is due, and the bands that were broken on deciding

    def value(self) -> float:
        return math.fsum([*self.held, self.cash])


def last_true(test: Callable[[float], bool], low: float, high: float) -> float:
    """The largest number in [low, high] up to which `test`, true at `low`, stays true; by bisection."""
    if test(high):
        return high
    for _ in range(200):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if test(middle) else (low, middle)
    return low


# --- bands (M3, M7) ---


def measure_terms(plan: Plan, band: Band, weights: list[float]) -> list[float]:
    """The numbers whose sum, or sum of sizes, is the measure."""
    if band.measure == "weight":
        return [weights[band.which]]
    through = [math.fsum(x * h for x, h in zip(row, weights, strict=True)) for row in plan.exposures]
    if band.measure == "exposure":
        return [through[band.which]]
    if band.measure == "active":
        return [e - b for e, b in zip(through, plan.benchmark, strict=True)]
    return through


def measure_of(plan: Plan, band: Band, weights: list[float]) -> float:
    """The measure of a band at these weights."""
    sized = band.measure in ("gross", "active")
    return math.fsum(abs(term) if sized else term for term in measure_terms(plan, band, weights))


def beyond(plan: Plan, band: Band, weights: list[float], targets: list[float], slack: float) -> bool:
    """Whether the measure is outside its band by more than `slack`."""
    aim = measure_of(plan, band, targets)
    off = measure_of(plan, band, weights) - aim
    unit = abs(aim) if band.relative else 1.0
    return off > band.above * unit + slack or -off > band.below * unit + slack


def on_line(start: list[float], end: list[float], part: float) -> list[float]:
    """The point a part of the way from start to end."""
    return [a + part * (b - a) for a, b in zip(start, end, strict=True)]


def own_lambda(plan: Plan, band: Band, weights: list[float], targets: list[float]) -> float:
    """The smallest lambda from which on the band is inside up to 1: corner by corner from 1 downwards.

    Between two corners the measure is linear, so it is furthest out at one of them. "Inside" has the same tolerance of
    1e-12 as "broken", but where it was left the edge itself is the answer, as `1 - size/|deviation|` says.
    """
    corners = {0.0, 1.0}
    if band.measure in ("gross", "active"):
        at_start, at_end = measure_terms(plan, band, weights), measure_terms(plan, band, targets)
        corners |= {a / (a - b) for a, b in zip(at_start, at_end, strict=True) if a * b < 0}
    for right, left in pairwise(sorted(corners, reverse=True)):
        if beyond(plan, band, on_line(weights, targets, left), targets, TINY):
            return last_true(lambda x: beyond(plan, band, on_line(weights, targets, x), targets, ROUNDING), left, right)
    return 0.0


def asked_lambda(plan: Plan, asking: list[Band], weights: list[float], targets: list[float]) -> float:
    """How far towards the targets a trade goes that these bands ask for."""
    own = [(band, own_lambda(plan, band, weights, targets)) for band in plan.bands]
    asked = [least + band.destination * (1 - least) for band, least in own if band in asking]
    return max([*asked, *(least for _, least in own)])


def refuse_shares_of_nothing(plan: Plan) -> None:
    """A band in shares of a target of 0 is refused: of the targets as stated, not of a fund lost since."""
    for band in plan.bands:
        for targets in plan.targets:
            if band.relative and abs(measure_of(plan, band, targets)) <= TINY:
                raise ValueError(f"a share of a target of 0: {band}")


# --- costs (M6) ---


def bill(plan: Plan, session: int, trades: list[float], traded: Iterable[int]) -> float:
    """What trades of these funds cost: the share of each, its impact and the fee."""
    costs = [0.0]
    for i in traded:
        k = plan.impact[i][session] if plan.impact else 0.0
        size = abs(trades[i])
        costs.append(plan.rates[i][session] * size + k * size * math.sqrt(size) + plan.fee)
    return math.fsum(costs)


def largest_root(left: Callable[[float], float], goal: float, top: float) -> float | None:
    """The largest number in [0, top] at which the convex `left`, not below the goal at the top, meets it."""
    low = 0.0
    if left(low) > goal:  # it may still dip below the goal further up: look at the bottom of the dip
        high = top
        for _ in range(200):
            third = (high - low) / 3
            low, high = (low + third, high) if left(low + third) > left(high - third) else (low, high - third)
        if left(low) > goal:
            return None
    return last_true(lambda x: left(x) <= goal, low, top)


@dataclass
class Trade:
    """One trade of several tranches to their destinations, netted: V' and the set S of funds that trade."""

    plan: Plan
    session: int
    tranches: list[Tranche]
    worth: list[float]  # value of each with its flow
    weights: list[list[float]]  # destination of each
    paying_out: bool

    def __post_init__(self) -> None:
        self.funds = range(len(self.plan.returns))
        self.total = math.fsum(self.worth)
        self.held = [math.fsum(tranche.held[i] for tranche in self.tranches) for i in self.funds]
        sums = [math.fsum(v * w[i] for v, w in zip(self.worth, self.weights, strict=True)) for i in self.funds]
        self.mean = [money / self.total if self.total > 0 else 0.0 for money in sums]  # destination of all together
        # Trades below this are not made. On the day of a withdrawal there is no minimum.
        self.least = TINY * self.total if self.paying_out else max(TINY * self.total, self.plan.smallest)

    def needed(self, after: float, traded: Iterable[int]) -> float:
        """The left side of the equation for V' at a set of funds."""
        moves = [after * w - v for w, v in zip(self.mean, self.held, strict=True)]
        return after + bill(self.plan, self.session, moves, traded)

    def set_at(self, after: float) -> set[int]:
        """The funds that trade at a value V'."""
        return {i for i in self.funds if abs(after * self.mean[i] - self.held[i]) >= self.least}

    def root(self, traded: set[int]) -> float | None:
        """V' if just these funds trade."""
        return largest_root(lambda after: self.needed(after, traded), self.total, self.total)

    def solve(self) -> tuple[float, set[int]] | None:
        """V' and S; None where nothing can be paid."""
        everything = set(self.funds)
        if not self.plan.fee and not self.plan.smallest:
            after = self.root(everything)
            return None if after is None else (after, everything)
        found = []
        for size in range(len(everything) + 1):
            for traded in map(set, combinations(self.funds, size)):
                after = self.root(traded)
                if after is not None and self.set_at(after) == traded:
                    found.append((after, traded))
        return max(found, key=lambda pair: pair[0]) if found else self.jump()

    def jump(self) -> tuple[float, set[int]] | None:
        """No value agrees: the funds that trade just below the highest jump over the value, and their own root."""
        edges = {
            (self.held[i] + x) / self.mean[i] for i in self.funds if self.mean[i] > 0 for x in (self.least, -self.least)
        }
        points = [0.0, *sorted(x for x in edges if 0 < x < self.total), self.total]
        for at in range(len(points) - 2, 0, -1):
            below = self.set_at((points[at - 1] + points[at]) / 2)
            above = self.set_at((points[at] + points[at + 1]) / 2)
            if self.needed(points[at], below) <= self.total < self.needed(points[at], above):
                after = self.root(below)
                return None if after is None else (after, below)
        return None

    def make(self) -> bool:
        """Trade; returns whether purchases were scaled down. Costs are shared by value, cash is what remains."""
        solved = self.solve() if self.total > 0 else None
        if solved is None and self.total > 0 and not self.plan.fee and not self.plan.smallest:
            # Reading: where trading costs all there is or more, which takes debt, nothing is left.
            for tranche in self.tranches:
                tranche.held, tranche.cash = [0.0 for _ in self.funds], 0.0
            return False
        # Reading: where no set of funds can pay its fees, none trades.
        after, traded = solved or (self.total, set())
        shares = [value / self.total if self.total > 0 else 0.0 for value in self.worth]
        moves = [
            [after * s * w - v if i in traded else 0.0 for i, (v, w) in enumerate(zip(tranche.held, row, strict=True))]
            for tranche, s, row in zip(self.tranches, shares, self.weights, strict=True)
        ]

        def scaled(factor: float) -> tuple[list[list[float]], list[float], bool]:
            """Holdings and cash with all purchases times a factor, and whether the cash will do."""
            made = [[x * factor if x > 0 else x for x in row] for row in moves]
            net = [math.fsum(row[i] for row in made) for i in self.funds]
            # Reading: what is scaled below the minimum is made all the same; what is scaled to nothing pays no fee.
            costs = bill(self.plan, self.session, net, [i for i in traded if abs(net[i]) > TINY * self.total])
            held = [list(map(sum, zip(t.held, row, strict=True))) for t, row in zip(self.tranches, made, strict=True)]
            left = [value - costs * share for value, share in zip(self.worth, shares, strict=True)]
            cash = [value - math.fsum(row) for value, row in zip(left, held, strict=True)]
            floors = [min(0.0, value * (1 - math.fsum(w))) for value, w in zip(left, self.weights, strict=True)]
            # Reading: each tranche's own cash counts, for no money moves between tranches.
            return held, cash, all(c >= f - TINY * self.total for c, f in zip(cash, floors, strict=True))

        held, cash, enough = scaled(1.0)
        if not enough:
            held, cash, _ = scaled(last_true(lambda factor: scaled(factor)[2], 0.0, 1.0))
        for j, tranche in enumerate(self.tranches):
            tranche.held, tranche.cash = held[j], cash[j]
        return not enough


# --- cash flows placed by themselves (M6) ---


def flow_parts(plan: Plan, tranche: Tranche, flow: float, targets: list[float]) -> list[float]:
    """What each fund gets of a flow, or gives below 0, before costs; the rest is cash's."""
    pieces = [*tranche.held, tranche.cash]
    if plan.placing == "underweight":
        sign = 1.0 if flow > 0 else -1.0
        whole = tranche.value() + flow
        wanted = [whole * w for w in [*targets, 1 - math.fsum(targets)]]
        pieces = [max(0.0, sign * (want - have)) for want, have in zip(wanted, pieces, strict=True)]
    total = math.fsum(pieces)
    return [flow * piece / total if total > 0 else 0.0 for piece in pieces[:-1]]


def place(plan: Plan, session: int, group: list[tuple[Tranche, float]], targets: list[float]) -> bool:
    """Place a flow shared out over tranches; False, and nothing done, where a fund has less than it is to give."""
    funds = range(len(targets))
    flow = math.fsum(part for _, part in group)
    value = math.fsum(tranche.value() for tranche, _ in group)
    rows = [flow_parts(plan, tranche, part, targets) for tranche, part in group]
    sizes = [math.fsum(row[i] for row in rows) for i in funds]
    least = max(TINY * value, plan.smallest if flow > 0 else 0.0)
    traded = {i for i in funds if abs(sizes[i]) >= least}

    def costs(times: float) -> float:
        """What it costs to move the flow's parts so many times."""
        return bill(plan, session, [size * times for size in sizes], traded)

    if flow > 0:
        times = last_true(lambda x: x * flow + costs(x) <= flow, 0.0, 1.0)
        if costs(0.0) > flow:  # the fees alone: all stays in cash
            times, traded = 0.0, set()
    else:
        times = last_true(lambda x: x * flow + costs(x) > flow, 0.0, -4 * value / flow)
        for (tranche, part), row in zip(group, rows, strict=True):
            gives = (math.fsum(row) - part) * times
            # Reading: cash gives no more than there is of it either, which is down to its target where it is borrowed.
            floor = min(0.0, (tranche.value() + part) * (1 - math.fsum(targets))) - TINY * value
            if any(tranche.held[i] + row[i] * times < 0 for i in traded) or (
                gives > TINY * value and tranche.cash - gives < floor
            ):
                return False
    for (tranche, part), row in zip(group, rows, strict=True):
        moved = [row[i] * times if i in traded else 0.0 for i in funds]
        paid = costs(times) * tranche.value() / value
        tranche.held = [v + x for v, x in zip(tranche.held, moved, strict=True)]
        tranche.cash = math.fsum([tranche.cash, part, -paid, *(-x for x in moved)])
    return True


# --- the loop (M6) ---


def destination(
    plan: Plan, tranche: Tranche, number: int, session: int, weights: list[float], targets: list[float]
) -> tuple[list[float] | None, bool]:
    """Where the rules send a tranche at this close, None for nowhere; and whether a band looked at is broken."""
    out = [band for band in plan.bands if plan.watched[session] and beyond(plan, band, weights, targets, TINY)]
    decided = session - plan.lag
    if decided >= 0 and plan.calendar[number][decided] and session - tranche.last >= plan.interval:
        tranche.order = None
        return list(targets), bool(out)
    asking: list[Band] = []
    if tranche.order is not None and tranche.order[0] == session:
        asking, tranche.order = tranche.order[1], None
    elif tranche.order is None and out and session + plan.lag - tranche.last >= plan.interval:
        if plan.lag:
            tranche.order = (session + plan.lag, out)
        else:
            asking = out
    if not asking:
        return None, bool(out)
    return on_line(weights, targets, asked_lambda(plan, asking, weights, targets)), bool(out)


def turnover_of(trades: list[float], flow: float, before_costs: float) -> float:
    """The smaller of bought and sold, cash counted as one more holding."""
    moves = [*trades, flow - math.fsum(trades)]
    bought, sold = math.fsum(x for x in moves if x > 0), math.fsum(-x for x in moves if x < 0)
    return min(bought, sold) / before_costs


def trade_day(
    plan: Plan, session: int, tranches: list[Tranche], flow: float, lost: set[int]
) -> tuple[bool, bool, bool]:
    """Flow, rules and trades of one close; (rebalanced, broken, shrunk)."""
    targets = [0.0 if i in lost else w for i, w in enumerate(plan.targets[session])]
    worth = math.fsum(tranche.value() for tranche in tranches)
    changed = session == 0 or plan.targets[session] != plan.targets[session - 1]
    forced = changed or (flow != 0 and plan.placing == "rebalance")
    parts = [flow * tranche.value() / worth for tranche in tranches]
    goals: list[list[float]] = []  # where each tranche is if all trade: its destination, or where its flow is placed
    due: list[bool] = []
    broken = False
    for j, (tranche, part) in enumerate(zip(tranches, parts, strict=True)):
        goes, out, seen = list(targets), False, list(targets)
        if forced:
            tranche.order = None
        else:
            placed = flow_parts(plan, tranche, part, targets)
            if tranche.value() > 0:
                seen = [(v + x) / (tranche.value() + part) for v, x in zip(tranche.held, placed, strict=True)]
            found, out = destination(plan, tranche, j, session, seen, targets)
            goes = seen if found is None else found
            due.append(found is not None)
        if forced or due[-1]:
            tranche.last = session
        goals.append(goes)
        broken = broken or out
    rebalanced = forced or any(due)
    chosen = [j for j in range(len(tranches)) if forced or flow or due[j]]
    if not rebalanced:
        if not flow or place(plan, session, list(zip(tranches, parts, strict=True)), targets):
            return False, broken, False
        goals = [list(targets) for _ in tranches]
    values = [tranches[j].value() + parts[j] for j in chosen]
    trade = Trade(plan, session, [tranches[j] for j in chosen], values, [goals[j] for j in chosen], flow < 0)
    return rebalanced, broken, trade.make()


def run_plan(plan: Plan) -> Outcome:
    """Run a plan from the purchase at session 0 to its last session, or to its end."""
    refuse_shares_of_nothing(plan)
    if any(flow.session < 1 for flow in plan.flows):
        raise ValueError("flows come from the second session on")
    funds = range(len(plan.returns))
    number = len(plan.calendar)
    tranches = [Tranche(held=[0.0 for _ in funds], cash=1 / number) for _ in plan.calendar]
    lost: set[int] = set()
    ended: tuple[int, str] | None = None
    result = Outcome(
        value=[],
        holdings=[],
        cash=[],
        cost=[],
        flow=[],
        trades=[],
        turnover=[],
        rebalanced=[],
        broken=[],
        shrunk=[],
        ended=None,
    )

    def all_held() -> list[float]:
        return [math.fsum(tranche.held[i] for tranche in tranches) for i in funds]

    for session in range(len(plan.lend)):
        trades = [0.0 for _ in funds]
        flow = cost = turnover = 0.0
        rebalanced = broken = shrunk = False
        if ended is None and session > 0:
            previous = math.fsum(tranche.value() for tranche in tranches)
            lost |= {i for i in funds if plan.returns[i][session] <= -1}
            for tranche in tranches:
                tranche.held = [
                    0.0 if i in lost else v * (1 + plan.returns[i][session]) for i, v in enumerate(tranche.held)
                ]
                tranche.cash *= 1 + (plan.lend if tranche.cash > 0 else plan.borrow)[session]
            if math.fsum(tranche.value() for tranche in tranches) <= TINY * previous:
                ended = (session, "ruined")
        if ended is None:
            before, held = math.fsum(tranche.value() for tranche in tranches), all_held()
            today = [one for one in plan.flows if one.session == session]
            flow = math.fsum([*(one.amount for one in today), *(one.share * before for one in today)])
            # Selling all costs its share, and a withdrawal of what that leaves, or more, takes everything.
            sales = min(before, bill(plan, session, held, [i for i in funds if held[i] > TINY * before]))
            if flow < 0 and -flow >= before - sales:
                cost, flow, trades, ended = sales, sales - before, [-v for v in held], (session, "exhausted")
            else:
                rebalanced, broken, shrunk = trade_day(plan, session, tranches, flow, lost)
                trades = [now - was for now, was in zip(all_held(), held, strict=True)]
                cost = before + flow - math.fsum(tranche.value() for tranche in tranches)
                turnover = 1.0 if session == 0 else turnover_of(trades, flow, before + flow)
                if math.fsum(tranche.value() for tranche in tranches) <= 0:
                    ended = (session, "ruined")
        if ended is not None:
            for tranche in tranches:
                tranche.held, tranche.cash = [0.0 for _ in funds], 0.0
        result["value"].append(math.fsum(tranche.value() for tranche in tranches))
        result["holdings"].append(all_held())
        result["cash"].append(math.fsum(tranche.cash for tranche in tranches))
        result["cost"].append(cost)
        result["flow"].append(flow)
        result["trades"].append(trades)
        result["turnover"].append(turnover)
        result["rebalanced"].append(rebalanced)
        result["broken"].append(broken)
        result["shrunk"].append(shrunk)
    result["ended"] = ended
    return result
