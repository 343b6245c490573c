"""Write the parts of docs/ that come from the code: the table of metrics, the commands and the JSON documents.

`python tools/docs.py` writes them, `--check` fails where they differ from what it would write.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, get_args

import typer
from pydantic import BaseModel

from alphaoverlay.analysis.metrics import ACTIVE_DEFINITIONS, DEFINITIONS, Definition
from alphaoverlay.cli.app import app
from alphaoverlay.funds.financing import ANY_INDEX, calibrated_spreads
from alphaoverlay.study.alternatives_document import AlternativesDocument
from alphaoverlay.study.calibration_documents import CalibrateDocument
from alphaoverlay.study.compared_document import CompareDocument
from alphaoverlay.study.data_documents import CheckDocument, FetchDocument, ImportDocument, ListDocument, ShowDocument
from alphaoverlay.study.delevered_documents import DeleverDocument
from alphaoverlay.study.doctor_document import DoctorDocument
from alphaoverlay.study.replicate_document import ReplicateDocument
from alphaoverlay.study.results import DesignDocument, RunDocument
from alphaoverlay.study.rule_documents import RulesDocument
from alphaoverlay.study.scenario_document import ScenarioDocument
from alphaoverlay.study.sector_document import SectorsDocument
from alphaoverlay.study.signal_document import SignalDocument
from alphaoverlay.study.simulation_document import SimulationDocument
from alphaoverlay.study.tracking_documents import TrackDocument

DOCS = Path(__file__).parent.parent / "docs"
DOCUMENTS: dict[str, type[BaseModel]] = {
    "alphaoverlay run": RunDocument,
    "alphaoverlay design": DesignDocument,
    "alphaoverlay rules": RulesDocument,
    "alphaoverlay alternatives": AlternativesDocument,
    "alphaoverlay scenario": ScenarioDocument,
    "alphaoverlay simulate": SimulationDocument,
    "alphaoverlay compare": CompareDocument,
    "alphaoverlay signal": SignalDocument,
    "alphaoverlay sectors": SectorsDocument,
    "alphaoverlay track": TrackDocument,
    "alphaoverlay calibrate": CalibrateDocument,
    "alphaoverlay delever": DeleverDocument,
    "alphaoverlay replicate": ReplicateDocument,
    "alphaoverlay data fetch": FetchDocument,
    "alphaoverlay data list": ListDocument,
    "alphaoverlay data show": ShowDocument,
    "alphaoverlay data check": CheckDocument,
    "alphaoverlay data import": ImportDocument,
    "alphaoverlay doctor": DoctorDocument,
}


def metrics_table() -> str:
    """Return every definition as a Markdown table."""

    def row(definition: Definition, prefix: str = "") -> str:
        better = {"higher": "higher is better", "lower": "lower is better", "neither": ""}[definition.better]
        formula = definition.formula.replace("|", "\\|")
        return f"| `{prefix}{definition.key}` | {definition.label} | {formula} | {definition.unit} | {better} |"

    rows = [row(d) for d in DEFINITIONS] + [row(d, "active.") for d in ACTIVE_DEFINITIONS]
    return "\n".join(["| key | name | formula | unit | |", "|---|---|---|---|---|", *rows])


def spreads_table() -> str:
    """Return the calibrated spreads as a Markdown table."""
    head = "| index | side | spread in use | estimate | standard error | 95% interval | funds | history |"
    rows = []
    for row in calibrated_spreads().values():
        index = "any other" if row.index == ANY_INDEX else row.index
        fit = f"{row.spread:.2%} | {row.estimate:+.2%} | {row.standard_error:.2%} | {row.low:+.2%} to {row.high:+.2%}"
        rows.append(f"| {index} | {row.side} | {fit} | {', '.join(row.funds)} | {row.first} to {row.last} |")
    return "\n".join([head, "|---|---|---|---|---|---|---|---|", *rows])


def between_marks(text: str, mark: str, content: str) -> str:
    """Return a page with the content between the marks of that name."""
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    before, rest = text.split(begin)
    return f"{before}{begin}\n{content}\n{end}{rest.split(end)[1]}"


def method_page(text: str) -> str:
    """Return the method page with its generated tables."""
    return between_marks(between_marks(text, "metrics", metrics_table()), "spreads", spreads_table())


def commands_page() -> str:
    """Return the reference of all commands, from their own help."""
    group: Any = typer.main.get_command(app)
    parts = ["# Commands", "", "Written by `make docs` from the commands themselves.", ""]
    for name, command in _commands(group, "alphaoverlay"):
        parts += [f"## {name}", "", *_help_lines(command.help or ""), "", "| | | |", "|---|---|---|"]
        for parameter in command.params:
            words = ", ".join(f"`{o}`" for o in parameter.opts) if parameter.param_type_name == "option" else ""
            shown = "" if getattr(parameter, "is_flag", False) else f"`{parameter.metavar or parameter.name}`"
            parts.append(f"| {words} | {shown.replace('|', chr(92) + '|')} | {parameter.help or ''} |")
        parts.append("")
    return "\n".join(parts)


def _commands(group: Any, words: str) -> list[tuple[str, Any]]:
    """Every command with the words that call it, those of groups too."""
    found = []
    for name, command in group.commands.items():
        found.append((f"{words} {name}", command))
        found += _commands(command, f"{words} {name}") if hasattr(command, "commands") else []
    return found


def json_page() -> str:
    """Return the keys of every JSON document, from its models."""
    parts = [
        "# JSON",
        "",
        "Written by `make docs` from the models. Returns are fractions, drawdowns negative, dates ISO",
    ]
    parts += ["8601; what is undefined is null, with its reason beside it.", ""]
    parts += [f"`{command} --json` prints `{model.__name__}`." for command, model in DOCUMENTS.items()]
    seen: list[type[BaseModel]] = []
    waiting: list[type[BaseModel]] = list(DOCUMENTS.values())
    while waiting:
        model = waiting.pop(0)
        if model not in seen:
            seen.append(model)
            waiting += [inner for field in model.model_fields.values() for inner in _models_in(field.annotation)]
    for model in seen:
        parts += ["", f"## {model.__name__}", "", (model.__doc__ or "").strip(), "", "| key | type |", "|---|---|"]
        for name, field in model.model_fields.items():
            kind = _kind(field.annotation).replace("|", "\\|")
            parts.append(f"| `{name.removesuffix('_')}` | {kind} |")
    return "\n".join(parts) + "\n"


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]


def _kind(annotation: Any) -> str:
    text = annotation.__name__ if isinstance(annotation, type) and not get_args(annotation) else str(annotation)
    text = text.replace("alphaoverlay.study.results.", "").replace("typing.", "")
    return text.replace("Literal[", "one of [").replace("None", "null")


def _help_lines(text: str) -> list[str]:
    """Indent examples so that Markdown shows them as code."""
    lines = []
    for line in text.strip().splitlines():
        plain = line.strip().replace("[bold]", "**").replace("[/bold]", "**")
        lines.append(f"    {plain}" if plain.startswith("alphaoverlay ") else plain)
    return lines


def main() -> int:
    """Write or check; return the exit code."""
    method = DOCS / "method.md"
    wanted = {
        method: method_page(method.read_text(encoding="utf-8")),
        DOCS / "reference" / "commands.md": commands_page(),
        DOCS / "reference" / "json.md": json_page(),
    }
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(DOCS.parent)} is out of date: run `make docs`")
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
        print(f"wrote {path.relative_to(DOCS.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
