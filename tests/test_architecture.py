"""The plan of the house: imports go one way, public names are free of modules, importing stays cheap."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import alphaoverlay

HOME = Path(alphaoverlay.__file__).parent
# Each room may import those before it; market, and the store under it, stand aside.
ROOMS = [
    "errors",
    "files",
    "history",
    "funds",
    "overlays",
    "engine",
    "analysis",
    "signals",
    "scenarios",
    "report",
    "study",
    "cli",
]
ALLOWED = {room: set(ROOMS[: k + 1]) for k, room in enumerate(ROOMS)}
# Signals and scenarios are neighbours: neither knows the other.
ALLOWED["scenarios"] -= {"signals"}
ALLOWED["store"] = {"errors", "files", "history", "store"}
ALLOWED["market"] = {"errors", "files", "history", "store", "market"}
for shell in ("study", "cli"):
    ALLOWED[shell] |= {"market", "store"}
MODULES = sorted(
    name
    for _, name, _ in pkgutil.walk_packages(alphaoverlay.__path__, "alphaoverlay.")
    if not name.endswith("__main__")
)


def imported_rooms(path: Path) -> set[str]:
    """Rooms of the package that a file imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "alphaoverlay" and len(parts) > 1 and parts[1] in ALLOWED:
                found.add(parts[1])
    return found


@pytest.mark.parametrize("path", sorted(HOME.rglob("*.py")), ids=lambda p: str(p.relative_to(HOME)))
def test_imports_go_one_way(path: Path) -> None:
    room = path.relative_to(HOME).parts[0].removesuffix(".py")
    if room in ("__init__", "__main__"):
        return
    assert imported_rooms(path) <= ALLOWED[room]


@pytest.mark.parametrize("name", MODULES)
def test_every_module_imports(name: str) -> None:
    importlib.import_module(name)


def test_no_public_name_is_a_module_name() -> None:
    modules = {part for name in MODULES for part in name.split(".")[1:]}
    assert modules.isdisjoint(alphaoverlay.__all__)


def test_every_public_name_resolves_and_is_documented() -> None:
    for name in alphaoverlay.__all__:
        value = getattr(alphaoverlay, name)
        if not name.startswith("__"):
            assert value.__doc__, name


def test_type_checkers_see_the_names_that_resolve() -> None:
    tree = ast.parse((HOME / "__init__.py").read_text(encoding="utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If))
    seen = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == set(alphaoverlay.__all__) - {"__version__"}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        alphaoverlay.nonsense  # noqa: B018


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import alphaoverlay", {"numpy", "pandas", "numba", "pydantic", "typer"}),
        (
            "import alphaoverlay.cli.app",
            {"numpy", "pandas", "numba", "pydantic", "plotly", "arch", "exchange_calendars", "sqlalchemy", "requests"},
        ),
        (
            "import alphaoverlay.study.run",
            {"numba", "plotly", "arch", "scipy", "exchange_calendars", "highspy", "sqlalchemy", "requests"},
        ),
        (
            "import alphaoverlay as a; a.run_study(a.study_from({'base': {'SP500': 1}, 'overlay': {'RUSSELL2000': .3}},"
            " 'x'), a.open_source('sample'))",
            {"numba", "plotly", "arch", "scipy", "sqlalchemy", "requests"},
        ),
    ],
)
def test_importing_stays_cheap(code: str, absent: set[str]) -> None:
    script = f"{code}\nimport sys\nprint(*sorted({absent!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("path", sorted(HOME.rglob("*.py")), ids=lambda p: str(p.relative_to(HOME)))
def test_a_file_fits_in_one_reading(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450
