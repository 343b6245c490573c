from __future__ import annotations

import numpy as np
import pytest
from tests.scenarios.worlds import NAMES, ND, R2, SP, founding, held, law_with, spy, weekdays

from alphaoverlay.errors import StudyError
from alphaoverlay.scenarios.closed_form import closed_form_excess
from alphaoverlay.scenarios.ends import most_likely_ends
from alphaoverlay.scenarios.payoff import largest_index, pay_off
from alphaoverlay.scenarios.statement import Statement

HORIZON = weekdays(63, 0.04)
LONG, SHORT, BASE = (-0.2, 0.0, 0.3), (-0.1, 0.2), (-0.1, 0.0)


def test_every_cell_is_the_closed_form_at_its_ends() -> None:
    law = law_with()
    found = pay_off(founding(), spy(), law, HORIZON, (R2, ND), LONG, SHORT, BASE)
    assert found.base == SP
    assert found.excess.shape == found.first_order.shape == found.convexity.shape == (2, 3, 2)
    still = closed_form_excess(founding(), spy(), np.zeros(3), law.times(0.0), HORIZON)
    assert found.carry == still
    for b, base in enumerate(BASE):
        for i, long in enumerate(LONG):
            for j, short in enumerate(SHORT):
                z = np.log1p([base, long, short])
                excess = closed_form_excess(founding(), spy(), z, law, HORIZON)
                first = 0.3 * (long - short)
                assert found.excess[b, i, j] == pytest.approx(excess, abs=1e-14)
                assert found.first_order[b, i, j] == pytest.approx(first, abs=1e-14)
                assert found.convexity[b, i, j] == pytest.approx(excess - first - still, abs=1e-14)


def test_an_index_without_an_axis_ends_where_it_is_most_likely() -> None:
    # The benchmark's index is the short leg: one plane, and the S&P 500 follows both.
    law = law_with()
    portfolio, benchmark = held(QQQ=0.7, TQQQ=0.1, TNA=0.1), held(QQQ=1.0)
    found = pay_off(portfolio, benchmark, law, HORIZON, (R2, ND), LONG, SHORT, BASE)
    assert found.base is None
    assert found.base_returns == ()
    assert found.excess.shape == (1, 3, 2)
    z = most_likely_ends(law, Statement.of({R2: 0.3, ND: 0.2}))
    assert found.excess[0, 2, 1] == pytest.approx(closed_form_excess(portfolio, benchmark, z, law, HORIZON), abs=1e-14)


def test_the_largest_index_is_by_size() -> None:
    assert largest_index(held(SPY=0.3, SQQQ=0.2)) == ND
    assert NAMES[0] == largest_index(spy())


def test_axes_without_sense_are_refused() -> None:
    law = law_with()
    with pytest.raises(StudyError, match="against itself has one axis"):
        pay_off(founding(), spy(), law, HORIZON, (R2, R2), LONG, SHORT, BASE)
    with pytest.raises(StudyError, match="the axis of NASDAQ100 needs simple returns above -1"):
        pay_off(founding(), spy(), law, HORIZON, (R2, ND), LONG, (-1.0, 0.0), BASE)
    with pytest.raises(StudyError, match="GOLD is not among the scenario's indices"):
        pay_off(founding(), spy(), law, HORIZON, ("GOLD", ND), LONG, SHORT, BASE)
    with pytest.raises(StudyError, match="looks through to no index"):
        largest_index(held(NTSX=1.0))
