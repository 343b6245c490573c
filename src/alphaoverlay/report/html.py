"""A report as one HTML file that needs nothing from the network."""

from __future__ import annotations

import importlib.util
import json
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from alphaoverlay.errors import OutputError
from alphaoverlay.report.model import Figure, Report, Table, write_cell


def render_html(report: Report) -> str:
    """Return the whole page: styles, charts and plotly's script inside it.

    Raises
    ------
    OutputError : plotly's script is not where the package puts it.
    """
    import jinja2

    home = files("alphaoverlay.report")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.globals["write"] = write_cell
    environment.tests["table"] = lambda part: isinstance(part, Table)
    template = environment.from_string((home / "page.html.j2").read_text(encoding="utf-8"))
    figures = [part for section in report.sections for part in section.parts if isinstance(part, Figure)]
    return template.render(
        report=report,
        style=(home / "page.css").read_text(encoding="utf-8"),
        script=(home / "page.js").read_text(encoding="utf-8"),
        plotly=plotly_script(),
        figures=script_json([{"data": list(f.data), "layout": dict(f.layout)} for f in figures]),
    )


def script_json(value: Any) -> str:
    """Write JSON that cannot end the script element it stands in."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@lru_cache(maxsize=1)
def plotly_script() -> str:
    """Return plotly.js as the plotly package ships it, without importing plotly, which takes a second."""
    spec = importlib.util.find_spec("plotly")
    for place in (spec.submodule_search_locations or []) if spec else []:
        script = Path(place) / "package_data" / "plotly.min.js"
        if script.is_file():
            return script.read_text(encoding="utf-8")
    raise OutputError("the report needs plotly's script; install it again with: pip install --force-reinstall plotly")
