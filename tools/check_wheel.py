"""Build the wheel and use it as a user would: `make wheel-check`.

The wheel goes into an environment of its own outside the checkout, with the versions of requirements/run.lock. Its
package folder is read-only and so is the home folder; where this runs as root, the commands run as another user.
"""

from __future__ import annotations

import compileall
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "alphaoverlay"
WEIGHTS = ["SPY=70", "UPRO=10", "TNA=10", "SQQQ=10"]
EXPOSURES = ["SP500=1", "RUSSELL2000=0.3", "NASDAQ100=-0.3"]
RUN_KEYS = {"portfolio", "benchmark", "active", "data", "version", "schema"}
AS_ROOT = os.name == "posix" and os.geteuid() == 0


def call(command: list[str], *, cwd: Path, env: dict[str, str] | None = None, as_user: bool = False) -> str:
    """Standard output of a command that must succeed; with `as_user`, run as another user where this one is root."""
    other: dict[str, Any] = {}
    if as_user and AS_ROOT:
        import pwd

        nobody = pwd.getpwnam("nobody")
        other = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False, **other
    )
    if done.returncode:
        said = "\n".join(f"    {line}" for line in (done.stdout + done.stderr).splitlines()[-30:])
        raise SystemExit(f"wheel-check: exit code {done.returncode} from\n  {' '.join(command)}\nwhich said\n{said}")
    return done.stdout


def build_wheel(folder: Path) -> Path:
    call([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)], cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def check_contents(wheel: Path) -> None:
    """Every file of the package is in the wheel, data and py.typed too, and nothing else."""
    files = (path for path in SOURCE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    wanted = {"alphaoverlay/" + path.relative_to(SOURCE).as_posix() for path in files}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    if packed != wanted or "alphaoverlay/py.typed" not in packed:
        missing, extra = sorted((wanted | {"alphaoverlay/py.typed"}) - packed), sorted(packed - wanted)
        raise SystemExit(f"wheel-check: the wheel misses {missing} and has too much: {extra}")


def pythons() -> Iterator[str]:
    yield getattr(sys, "_base_executable", sys.executable)
    for minor in range(sys.version_info.minor, 10, -1):
        found = shutil.which(f"python3.{minor}", path="/usr/local/bin:/usr/bin")
        if found:
            yield found


def reachable_python(cwd: Path) -> str:
    """A Python that the other user may run: root's own may be in a folder that only root can enter."""
    for python in pythons():
        try:
            call([python, "-c", "import sys, venv; assert sys.version_info >= (3, 11)"], cwd=cwd, as_user=True)
        except (OSError, SystemExit):
            continue
        return python
    raise SystemExit("wheel-check: the user 'nobody' can run no Python 3.11 or newer: apt install python3 python3-venv")


def install(wheel: Path, folder: Path) -> Path:
    """Install the wheel, with what its own metadata asks for, in the tested versions."""
    lock = (ROOT / "requirements" / "run.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9-]+==[^\\\n]+", lock, flags=re.MULTILINE)
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(pins), encoding="utf-8")
    environment = folder / "env"
    call([reachable_python(folder), "-m", "venv", "--without-pip", str(environment)], cwd=folder)
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python"), "--disable-pip-version-check"]
    call([*pip, "install", "--quiet", "--constraint", str(constraints), str(wheel)], cwd=folder)
    call([*pip, "check"], cwd=folder)
    return scripts


def make_read_only(folder: Path, *, writable: bool = False) -> None:
    """Take everybody's right to write from a folder and all in it (or give it back to the owner)."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o200 if writable else mode & ~0o222)


def parse_json(command: str, text: str) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise SystemExit(f"wheel-check: {command} printed {constant}, which is not JSON")

    try:
        document = json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise SystemExit(f"wheel-check: {command} printed no valid JSON: {error}\n{text[:500]}") from error
    if not isinstance(document, dict):
        raise SystemExit(f"wheel-check: {command} printed JSON that is not an object")
    return document


class Loads(HTMLParser):
    """Collects what a page would fetch from the network when it is opened; links to follow are no fetches."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.in_style = tag == "style"
        for name, value in attrs:
            fetches = name in ("src", "srcset", "data", "poster") or (name == "href" and tag != "a")
            if fetches and re.match(r"\s*(https?:)?//", value or "", flags=re.IGNORECASE):
                self.found.append(f"<{tag} {name}={value}>")

    def handle_data(self, data: str) -> None:
        if self.in_style:
            self.found += re.findall(r"url\(\s*['\"]?(?:https?:)?//[^)]*\)|@import[^;]*", data)

    def handle_endtag(self, tag: str) -> None:
        self.in_style = False


def check_page(page: Path) -> None:
    if not page.is_file():
        raise SystemExit(f"wheel-check: demo --output wrote no {page.name}")
    if page.stat().st_size < 1_000_000:
        raise SystemExit(f"wheel-check: {page.name} has only {page.stat().st_size} bytes; are its figures in it?")
    loads = Loads()
    loads.feed(page.read_text(encoding="utf-8"))
    if loads.found:
        raise SystemExit(f"wheel-check: {page.name} fetches from the network: {loads.found}")


def check_commands(scripts: Path, folder: Path) -> None:
    home, output = folder / "home", folder / "output"
    home.mkdir()
    output.mkdir()
    output.chmod(0o777)
    make_read_only(home)
    env = {"PATH": os.defpath, "HOME": str(home), "USERPROFILE": str(home), "TMPDIR": str(output), "LANG": "C.UTF-8"}
    if os.name == "nt":
        env = {**os.environ, **env, "PATH": os.environ["PATH"]}

    def run(*arguments: str) -> str:
        start = time.monotonic()
        text = call([str(scripts / "alphaoverlay"), *arguments], cwd=home, env=env, as_user=True)
        print(f"  {time.monotonic() - start:5.1f} s  alphaoverlay {' '.join(arguments)}", flush=True)
        return text

    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if version not in run("--version"):
        raise SystemExit(f"wheel-check: --version does not print {version}")
    if "run" not in run("--help"):
        raise SystemExit("wheel-check: --help does not name the command `run`")
    missing = RUN_KEYS - parse_json("run", run("run", *WEIGHTS, "--json")).keys()
    if missing:
        raise SystemExit(f"wheel-check: the JSON of run misses {sorted(missing)}")
    if "weights" not in parse_json("design", run("design", *EXPOSURES, "--json")):
        raise SystemExit("wheel-check: the JSON of design misses weights")
    run("demo", "--output", str(output / "demo.html"))
    check_page(output / "demo.html")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="alphaoverlay-wheel-") as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        wheel = build_wheel(folder)
        check_contents(wheel)
        print(f"{wheel.name}: {wheel.stat().st_size / 1000:.0f} kB", flush=True)
        scripts = install(wheel, folder)
        (package,) = (folder / "env").rglob("site-packages/alphaoverlay")
        if not compileall.compile_dir(package, quiet=1):
            raise SystemExit("wheel-check: the package does not compile")
        make_read_only(package)
        try:
            check_commands(scripts, folder)
        finally:
            make_read_only(package, writable=True)
    print("The installed wheel works" + (" as another user." if AS_ROOT else "."))


if __name__ == "__main__":
    main()
