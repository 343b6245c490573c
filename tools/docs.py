"""Write the parts of docs/ that come from the code: the table of metrics and the reference of commands.

`python tools/docs.py` writes them, `--check` fails where they differ from what it would write.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer

from alphaoverlay.analysis.metrics import ACTIVE_DEFINITIONS, DEFINITIONS, Definition
from alphaoverlay.cli.app import app

DOCS = Path(__file__).parent.parent / "docs"
BEGIN, END = "<!-- metrics: begin -->", "<!-- metrics: end -->"


def metrics_table() -> str:
    """Return every definition as a Markdown table."""

    def row(definition: Definition, prefix: str = "") -> str:
        better = {"higher": "higher is better", "lower": "lower is better", "neither": ""}[definition.better]
        formula = definition.formula.replace("|", "\\|")
        return f"| `{prefix}{definition.key}` | {definition.label} | {formula} | {definition.unit} | {better} |"

    rows = [row(d) for d in DEFINITIONS] + [row(d, "active.") for d in ACTIVE_DEFINITIONS]
    return "\n".join(["| key | name | formula | unit | |", "|---|---|---|---|---|", *rows])


def method_page(text: str) -> str:
    """Return the method page with the table of metrics between its marks."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{metrics_table()}\n{END}{after}"


def commands_page() -> str:
    """Return the reference of all commands, from their own help."""
    group: Any = typer.main.get_command(app)
    parts = ["# Commands", "", "Written by `make docs` from the commands themselves.", ""]
    for name, command in group.commands.items():
        parts += [f"## alphaoverlay {name}", "", *_help_lines(command.help or ""), "", "| | | |", "|---|---|---|"]
        for parameter in command.params:
            words = ", ".join(f"`{o}`" for o in parameter.opts) if parameter.param_type_name == "option" else ""
            shown = "" if getattr(parameter, "is_flag", False) else f"`{parameter.metavar or parameter.name}`"
            parts.append(f"| {words} | {shown.replace('|', chr(92) + '|')} | {parameter.help or ''} |")
        parts.append("")
    return "\n".join(parts)


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
