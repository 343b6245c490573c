"""What all tables of a study share: strictness, and mistakes explained by key."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from alphaoverlay.errors import StudyError, did_you_mean
from alphaoverlay.funds.ticker import canonical_symbol


def _day(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, str):
        try:
            return datetime.date.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("write a date as YYYY-MM-DD") from None
    return value


Day = Annotated[datetime.date | None, BeforeValidator(_day)]


def iso_day(key: str, text: str) -> str:
    """Return a day as YYYY-MM-DD.

    Raises
    ------
    StudyError : not a date; names the key.
    """
    try:
        return datetime.date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise StudyError(f"{key}: {text[:40]!r} is not a date; write it as YYYY-MM-DD, such as 2021-01-29") from None


class StudyTable(BaseModel):
    """A table of a study: no unknown keys, no silent conversions, not changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def explain(error: ValidationError, model: type[BaseModel], place: str) -> StudyError:
    """Turn pydantic's first finding into one line that names the key and what to write."""
    # A key that is misspelled is missing as well: say the spelling.
    every = error.errors()
    first = next((one for one in every if one["type"] == "extra_forbidden"), every[0])
    path = [str(part) for part in first["loc"] if part not in ("float", "int", "str", "constrained-str")]
    key = ".".join(path) or "the study"
    owner = _model_at(model, path[:-1])
    if first["type"] == "extra_forbidden":
        known = list(owner.model_fields) if owner else []
        near = did_you_mean(path[-1], known)
        return StudyError(f"{place}: unknown key {key}.{near} Known here: {', '.join(known)}")
    wrong = first["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    wrong = wrong.replace("Field required", "is missing")
    if first["type"] in ("model_type", "model_attributes_type"):
        wrong = "must be a table"
    if first["type"] == "too_long":
        wrong = f"has more than {first['ctx']['max_length']} entries"
    given = "" if isinstance(first["input"], dict) else f" (it is {_short(first['input'])})"
    # A mistake between the keys of a table is not mended by an example of the table.
    between = isinstance(first["input"], dict) and first["type"] == "value_error"
    example = "" if between else _example(owner, path[-1] if path else "")
    return StudyError(f"{place}: {key}: {wrong}{given}{example}")


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # a whole number of thousands of digits
        return "too long to show"
    return text if len(text) <= 60 else f"{text[:60]}..."


def _model_at(model: type[BaseModel], path: list[str]) -> type[BaseModel] | None:
    for part in path:
        if part.isdigit():  # a place in a list of tables, whose model is found already
            continue
        field = model.model_fields.get(part)
        inner = field.annotation if field else None
        if inner is not None and get_args(inner):  # a list of tables, or a table that may be left out
            inner = next(
                (one for one in get_args(inner) if isinstance(one, type) and issubclass(one, BaseModel)), inner
            )
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return None
        model = inner
    return model


def _example(model: type[BaseModel] | None, key: str) -> str:
    field = model.model_fields.get(key) if model else None
    return f"; write for example {key} = {field.examples[0]}" if field is not None and field.examples else ""


def number(value: Any) -> float:
    """Read a number, or a text such as "30%".

    Raises
    ------
    ValueError : neither; pydantic turns it into a finding that names the key.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("write a number")
    if isinstance(value, str):
        text = value.strip()
        try:
            value = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
        except ValueError:
            raise ValueError("write a number, such as 0.3 or 30%") from None
    try:
        read = float(value)
    except OverflowError:
        read = float("inf")
    if not abs(read) < float("inf"):
        raise ValueError("write a finite number")
    return read


def numbers(values: Any) -> Mapping[str, float]:
    """Read a table of numbers by upper-case name, a ticker's terms in order.

    Raises
    ------
    TickerError : terms that cannot be read.
    ValueError : as `number` does, naming the entry.
    """
    if not isinstance(values, Mapping):
        raise ValueError("write a table of numbers")
    read: dict[str, float] = {}
    for name, value in values.items():
        key = canonical_symbol(str(name))
        if key in read:
            raise ValueError(f"{key} stands twice")
        try:
            read[key] = number(value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return read
