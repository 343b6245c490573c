"""The generators of paths by name, as the command line asks for them (method M10)."""

from __future__ import annotations

from alphaoverlay.errors import StudyError, did_you_mean
from alphaoverlay.scenarios.filtered_history import FilteredHistory, Start
from alphaoverlay.scenarios.joint_days import JointDays
from alphaoverlay.scenarios.mean_adjustment import Mean
from alphaoverlay.scenarios.paths import Generator
from alphaoverlay.scenarios.regime_switching import RegimeSwitching
from alphaoverlay.scenarios.resampled_days import ResampledDays
from alphaoverlay.scenarios.student_t import StudentT

GENERATORS = {
    "bootstrap": "the history's own days, resampled in blocks",
    "fhs": "the history's shocks, resampled under volatility that clusters (GJR-GARCH)",
    "t": "independent days of a multivariate t",
    "regimes": "a calm and a stormy state that follow each other by chance",
}

# Those whose paths start from a state of today.
STATEFUL = ("fhs", "regimes")


def make_generator(
    key: str,
    days: JointDays,
    *,
    mean: Mean = "historical",
    start: Start | None = None,
    block: float | None = None,
) -> Generator:
    """Fit a generator of paths to a history.

    Parameters
    ----------
    key : one of GENERATORS.
    mean : "historical", "zero", a yearly return as a fraction, or yearly returns by index.
    start : "today" (where None), "average" or, for fhs, a yearly volatility as a fraction; only for fhs and regimes.
    block : mean length of a block in sessions, automatic where None; only for bootstrap and fhs.

    Raises
    ------
    StudyError : an unknown key, a choice that the generator does not have, or a value that makes no sense.
    DataError : a history without any movement.
    """
    if key not in GENERATORS:
        raise StudyError(f"generator = {key!r}: write one of {', '.join(GENERATORS)}.{did_you_mean(key, GENERATORS)}")
    if start is not None and key not in STATEFUL:
        raise StudyError(f"start = {start!r}: {key} has no state to start from; leave it out, or take fhs or regimes")
    if block is not None and key in ("t", "regimes"):
        raise StudyError(f"block = {block:g}: {key} draws no blocks; leave it out, or take bootstrap or fhs")
    if key == "bootstrap":
        return ResampledDays.fit(days, mean=mean, block=block)
    if key == "fhs":
        return FilteredHistory.fit(days, mean=mean, start="today" if start is None else start, block=block)
    if key == "t":
        return StudentT.fit(days, mean=mean)
    if start not in (None, "today", "average"):
        raise StudyError(f"start = {start!r}: write today or average; a volatility to start from is for fhs")
    return RegimeSwitching.fit(days, mean=mean, start="average" if start == "average" else "today")
