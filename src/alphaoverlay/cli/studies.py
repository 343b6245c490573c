"""From a command's words and options to a study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alphaoverlay.cli.options import is_ticker, pairs
from alphaoverlay.errors import StudyError

if TYPE_CHECKING:
    from alphaoverlay.study.load import Study


def read_words(words: list[str], what: str, options: Mapping[str, Any]) -> Study:
    """Return the study of a .toml file, or one made of words such as SPY=70, with the options laid over it.

    Parameters
    ----------
    words : either one path, or NAME=NUMBER words: symbols are weights; indices are exposures, of which the first is the
        base and the others are the overlay.
    what : what the words should look like, for the message when they do not.
    options : dotted study keys and values; None means not given.

    Raises
    ------
    StudyError : as `load_study` and `study_from`.
    """
    from alphaoverlay.study.load import load_study

    given = {name: value for name, value in options.items() if value is not None}
    if len(words) == 1 and "=" not in words[0]:
        if not words[0].endswith(".toml") and not Path(words[0]).exists():
            raise StudyError(f"command line: {words[0]!r} is neither a study (a .toml file) nor {what}")
        study = load_study(words[0])
        if not given:
            return study
        values, place = study.model_dump(exclude_unset=True), f"{words[0]} with the command line's options"
        if "data.accept" in given:  # what the study accepts stays accepted
            given["data.accept"] = [*study.data.accept, *given["data.accept"]]
    elif not words:
        raise StudyError(f"command line: nothing to do; give the path of a study (.toml), or {what}")
    else:
        values, place = _from_names(pairs(words, what), given.get("funds.file")), "command line"
    return study_of(values, given, place)


def study_of(values: dict[str, Any], given: Mapping[str, Any], place: str) -> Study:
    """Return the study of values with dotted keys laid over them; None is not given. Errors as `study_from`."""
    from alphaoverlay.study.load import study_from

    for dotted, value in given.items():
        if value is not None:
            _put(values, dotted, value)
    return study_from(values, place)


def option_words(lists: list[str] | None) -> list[str] | None:
    """Words of repeated options, each of which may hold several with commas; None where there are none."""
    return [word for one in lists or () for word in one.replace(",", " ").split()] or None


def study_options(
    *,
    start: str | None = None,
    end: str | None = None,
    rebalance: str | None = None,
    offset: int | None = None,
    half_spread_bps: str | None = None,
    band: list[str] | None = None,
    capital: float | None = None,
    benchmark: str | None = None,
    cash_rate: str | None = None,
    allow: str | None = None,
    funds: Path | None = None,
    data: list[str] | None = None,
    accept: list[str] | None = None,
    fingerprint: str | None = None,
) -> dict[str, Any]:
    """Name the study's key of each shared option."""
    return {
        "start": start,
        "end": end,
        "rebalance.calendar": rebalance,
        "rebalance.offset": offset,
        "costs.half_spread_bps": half_spread_bps,
        "rebalance.band": [_band(word) for word in band] if band else None,
        "capital": capital,
        "benchmark": benchmark
        if benchmark is None or _is_symbol(benchmark)
        else pairs(benchmark.split(","), "a weight"),
        "cash.rate": cash_rate,
        "funds.allow": None if allow is None else [s for s in allow.replace(",", " ").split() if s],
        "funds.file": None if funds is None else str(funds),
        "data.sources": data or None,
        "data.accept": option_words(accept),
        "data.fingerprint": fingerprint,
    }


def _band(word: str) -> dict[str, Any]:
    """Read exposure=0.10, or exposure=10%, which is the same."""
    on, sign, size = word.partition("=")
    if not (on and sign and size):
        raise StudyError(f"command line: {word!r} is not a band; write for example --band exposure=0.10")
    return {"on": on.strip().lower(), "size": size.strip()}


def _is_symbol(benchmark: str) -> bool:
    """Whether a benchmark is one symbol, maybe with terms, and not weights such as SPY=60,TLT=40."""
    return "=" not in benchmark or ("?" in benchmark and is_ticker(benchmark))


def save_study(study: Study, path: Path, *, force: bool) -> None:
    """Write a study as TOML, whole or not at all.

    Raises
    ------
    OutputError : the file is there and `force` is False, or it cannot be written.
    """
    from alphaoverlay.files import write_whole
    from alphaoverlay.study.write import study_toml

    write_whole(path, study_toml(study, beside=path.resolve().parent), replace=force)


def _from_names(named: Mapping[str, str], fund_file: str | None) -> dict[str, Any]:
    from alphaoverlay.funds.catalogue import load_catalogue

    known = load_catalogue(fund_file)
    exposures = [name for name in named if name in known.indices]
    if not exposures:
        return {"weights": dict(named)}
    if len(exposures) < len(named):
        others = ", ".join(name for name in named if name not in exposures)
        raise StudyError(
            f"command line: {', '.join(exposures)} {'is an index' if len(exposures) == 1 else 'are indices'} and "
            f"{others} not; give either exposures by index or weights by symbol. "
            f"Known indices: {', '.join(known.indices)}"
        )
    (first, size), *legs = named.items()
    return {"base": {first: size}, "overlay": dict(legs)}


def _put(values: dict[str, Any], dotted: str, value: Any) -> None:
    *tables, key = dotted.split(".")
    for table in tables:
        values = values.setdefault(table, {})
    values[key] = value
