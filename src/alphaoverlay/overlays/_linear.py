"""Small linear and mixed-integer programs, solved by HiGHS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alphaoverlay.errors import DesignError
from alphaoverlay.history import FloatArray

FEASIBLE = 1e-10


@dataclass(frozen=True)
class LinearProgram:
    """`minimise cost @ x` subject to `low <= rows @ x <= high`, `0 <= x <= upper`; `whole` marks 0/1 variables."""

    cost: FloatArray
    rows: FloatArray
    low: FloatArray
    high: FloatArray
    upper: FloatArray
    whole: Sequence[int] = ()


@dataclass(frozen=True)
class Solution:
    """The optimum, its value and the reduced cost of each variable (zero for a whole-number program)."""

    x: FloatArray
    value: float
    reduced: FloatArray


def solve(program: LinearProgram) -> Solution | None:
    """Return the optimum, or None where no x meets the constraints.

    Raises
    ------
    DesignError : the solver ended in another way (a defect of the problem's numbers).
    """
    if not len(program.cost):  # HiGHS calls a program without variables empty, whatever its rows ask
        met = bool(((program.low <= FEASIBLE) & (program.high >= -FEASIBLE)).all())
        return Solution(np.zeros(0), 0.0, np.zeros(0)) if met else None
    import highspy

    model = highspy.Highs()  # type: ignore[no-untyped-call]
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", 1)
    # The finest that HiGHS allows; its defaults of 1e-7 would call designs of different cost a tie.
    for tolerance in ("primal_feasibility_tolerance", "dual_feasibility_tolerance", "mip_feasibility_tolerance"):
        model.setOptionValue(tolerance, FEASIBLE)
    model.setOptionValue("mip_rel_gap", 0.0)
    model.setOptionValue("mip_abs_gap", 1e-12)
    for cost, upper in zip(program.cost, program.upper, strict=True):
        model.addCol(float(cost), 0.0, float(upper), 0, np.array([], dtype=np.int32), np.array([]))
    for row, low, high in zip(program.rows, program.low, program.high, strict=True):
        filled = np.flatnonzero(row).astype(np.int32)
        model.addRow(float(low), float(high), len(filled), filled, row[filled])
    for j in program.whole:
        model.changeColIntegrality(j, highspy.HighsVarType.kInteger)
    model.run()
    status = model.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return None
    if status != highspy.HighsModelStatus.kOptimal:
        raise DesignError(f"the design could not be solved ({model.modelStatusToString(status)}); check the numbers")
    solution = model.getSolution()
    return Solution(
        np.array(solution.col_value),
        float(model.getInfo().objective_function_value),
        np.array(solution.col_dual) if not program.whole else np.zeros(len(program.cost)),
    )
