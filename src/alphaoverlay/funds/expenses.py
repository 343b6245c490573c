"""A fund's expense ratio through time, from figures that were seen on some days (method, "Expense ratios")."""

from __future__ import annotations

import datetime
from dataclasses import replace

import numpy as np
import pandas as pd

from alphaoverlay.funds.fund import ExpenseSeen, Fund
from alphaoverlay.history import FloatArray

# A figure gives way to a better kind of figure seen within this many days.
NEAR = datetime.timedelta(days=365)


def expense_steps(fund: Fund) -> tuple[tuple[datetime.date, float], ...]:
    """Return the expense ratio as steps (day, yearly fraction); each holds until the next, the first also before.

    What was seen net of waivers counts before gross figures, those before weak sources; a figure is left out where a
    better kind was seen within a year of it. The fund's present figure counts as net. Empty where the ratio is
    constant.
    """
    if fund.expense_as_of is None or not fund.expense_history:
        return ()
    ranked = [(one.seen, _rank(one), one.expense) for one in fund.expense_history]
    ranked.append((fund.expense_as_of, 0, fund.expense))
    kept = [
        (seen, rank, expense)
        for seen, rank, expense in ranked
        if not any(better < rank and abs(day - seen) <= NEAR for day, better, _ in ranked)
    ]
    steps: dict[datetime.date, float] = {}
    for seen, _, expense in sorted(kept, key=lambda one: (one[0], -one[1])):
        steps[seen] = expense
    days = sorted(steps)
    return tuple((day, steps[day]) for k, day in enumerate(days) if k == 0 or steps[day] != steps[days[k - 1]])


def steps_up_to(fund: Fund, last: datetime.date) -> tuple[tuple[datetime.date, float], ...]:
    """Return the steps used up to a day; the first also where it was seen later. Empty for a constant ratio."""
    steps = expense_steps(fund)
    return tuple(step for step in steps if step[0] <= last) or steps[:1]


def as_of(fund: Fund, day: pd.Timestamp) -> Fund:
    """Return the fund with the expense ratio in force on a day, for good, that of a holding under a ticker too."""
    under = fund.multiple
    if under is not None:
        under = replace(under, of=as_of(under.of, day), fill=None if under.fill is None else as_of(under.fill, day))
    expense = float(expenses_on(fund, pd.DatetimeIndex([day]))[0])
    return replace(fund, expense=expense, expense_history=(), multiple=under)


def expenses_on(fund: Fund, dates: pd.DatetimeIndex) -> FloatArray:
    """Return the yearly expense ratio in force on each date, shape (n,)."""
    steps = expense_steps(fund)
    if not steps:
        return np.full(len(dates), fund.expense)
    days = pd.DatetimeIndex([pd.Timestamp(day) for day, _ in steps])
    place = np.maximum(days.searchsorted(dates, side="right") - 1, 0)
    return np.array([expense for _, expense in steps])[place]


def _rank(one: ExpenseSeen) -> int:
    return 2 if one.weak else 0 if one.kind == "net" else 1
