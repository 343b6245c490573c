"""Write the three lock files again: `make lock`, or `python tools/lock.py [--upgrade]`.

run.lock      what a user runs: the runtime dependencies, and hatchling to install the checkout
dev.lock      run.lock plus the tools for tests, types, style and building; never a different version of the same thing
oldest.lock   each runtime dependency, of the extras too, at its lower bound in pyproject.toml, with today's test tools

All three are exact, hold for Linux, macOS and Windows and every supported Python by environment markers, and carry the
hash of each file. They name no package index, so that each user's own configuration decides where files come from.
Without --upgrade, versions already locked stay.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
OLDEST_PYTHON = "3.11"
BUILD_TOOL = "hatchling"
HEADER = "# Written by tools/lock.py (`make lock`); do not edit.\n"


def lower_bounds(project: dict[str, Any]) -> dict[str, str]:
    """The `>=` version of each runtime dependency, of the extras too, by its normalised name with its own extras."""
    bounds = {}
    for requirement in [*project["project"]["dependencies"], *extra(project, "all")]:
        match = re.fullmatch(r"([A-Za-z0-9_.-]+)(\[[a-z,]+\])?>=([0-9.]+)(?:,<[0-9.]+)?", requirement)
        if match is None:
            raise SystemExit(f"pyproject.toml: write {requirement!r} as NAME>=VERSION or NAME>=VERSION,<VERSION")
        bounds[re.sub(r"[-_.]+", "-", match[1]).lower() + (match[2] or "")] = match[3]
    return bounds


def extra(project: dict[str, Any], name: str) -> list[str]:
    """The requirements of one of our extras, with those of the extras that it names."""
    found = []
    for requirement in project["project"]["optional-dependencies"][name]:
        match = re.fullmatch(r"alphaoverlay\[([a-z,]+)\]", requirement)
        parts = [requirement] if match is None else [r for part in match[1].split(",") for r in extra(project, part)]
        found += [one for one in parts if one not in found]
    return found


def pinned(lock: str) -> dict[str, str]:
    """The versions in the text of a lock file, by name; where markers give several, the last."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", lock, flags=re.MULTILINE))


def compile_lock(target: Path, sources: list[str], *, extra_input: str = "", upgrade: bool) -> None:
    """Resolve `sources` (and the requirements in `extra_input`) with uv and write `target`."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--universal", "--python-version", OLDEST_PYTHON]
    command += ["--quiet", "--generate-hashes", "--no-header", "--no-annotate", *sources, "-"]
    if target.exists() and not upgrade:
        command += ["--output-file", str(target)]  # uv prefers the versions it finds there
    done = subprocess.run(command, cwd=ROOT, input=extra_input, text=True, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"{target.name}: no solution\n{done.stderr}")
    text = target.read_text(encoding="utf-8") if "--output-file" in command else done.stdout
    target.write_text(HEADER + text.removeprefix(HEADER), encoding="utf-8")
    print(f"{target.relative_to(ROOT)}: {len(pinned(text))} packages")


def main() -> None:
    upgrade = "--upgrade" in sys.argv[1:]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    oldest = [f"{name}=={version}" for name, version in lower_bounds(project).items()]
    oldest += [*extra(project, "test"), BUILD_TOOL]
    FOLDER.mkdir(exist_ok=True)
    compile_lock(FOLDER / "dev.lock", ["pyproject.toml", "--extra", "dev"], upgrade=upgrade)
    same = ["pyproject.toml", "--constraint", "requirements/dev.lock"]
    compile_lock(FOLDER / "run.lock", same, extra_input=BUILD_TOOL, upgrade=upgrade)
    compile_lock(FOLDER / "oldest.lock", [], extra_input="\n".join(oldest), upgrade=upgrade)


if __name__ == "__main__":
    main()
