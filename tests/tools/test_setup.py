"""tools/setup.py without installing anything: the interpreters and the packages are stand-ins."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("run.lock", "dev.lock", "oldest.lock")

posix = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tools_{name}", ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


setup = load("setup")
check_wheel = load("check_wheel")


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text + "\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def fake_python(folder: Path, version: str, name: str = "python", *, complete: bool = True) -> Path:
    path = folder / name
    return script(path, f"echo {version}; echo '{path}'; echo {complete}")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout in a path with a space and an accent."""
    root = tmp_path / "é è" / "project"
    (root / "requirements").mkdir(parents=True)
    for name in LOCKS:
        (root / "requirements" / name).write_text(f"{name}==1\n", encoding="utf-8")
    (root / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    return root


# --- finding Python ---------------------------------------------------------------------------------------------------


def test_old_python_can_read_the_script() -> None:
    ast.parse((ROOT / "tools" / "setup.py").read_text(encoding="utf-8"), feature_version=(3, 6))


@posix
def test_python_from_the_environment_wins(tmp_path: Path) -> None:
    python = fake_python(tmp_path, "3.12.4")
    assert setup.find_python(str(python)) == (str(python), (3, 12, 4), True)


@posix
@pytest.mark.parametrize(("version", "says"), [("3.9.2", "is Python 3.9.2"), ("2.7.18", "is Python 2.7.18")])
def test_too_old_a_python_is_refused(tmp_path: Path, version: str, says: str) -> None:
    with pytest.raises(setup.SetupError, match=says + r".*needs Python 3\.11 or newer"):
        setup.find_python(str(fake_python(tmp_path, version)))


@posix
@pytest.mark.parametrize("text", ["exit 1", "echo nonsense", ""])
def test_something_else_than_python_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(setup.SetupError, match="does not run"):
        setup.find_python(str(script(tmp_path / "python", text)))


def test_a_missing_python_is_refused(tmp_path: Path) -> None:
    with pytest.raises(setup.SetupError, match="does not run"):
        setup.find_python(str(tmp_path / "nothing"))


def test_without_a_wish_the_running_python_is_taken() -> None:
    assert setup.find_python(None).version == sys.version_info[:3]


def test_complete_pythons_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    old, bare, good = (setup.Interpreter(*given) for given in (("a", (3, 8, 0), True), ("b", (3, 11, 2), False), GOOD))
    monkeypatch.setattr(setup, "candidates", lambda: iter([None, old, bare, good]))
    assert setup.find_python(None) is good
    monkeypatch.setattr(setup, "candidates", lambda: iter([None, old, bare]))
    assert setup.find_python(None) is bare
    monkeypatch.setattr(setup, "candidates", lambda: iter([None, old]))
    with pytest.raises(setup.SetupError, match=r"needs Python 3\.11 or newer, and none was found: install it"):
        setup.find_python(None)


GOOD = ("c", (3, 12, 0), True)


@pytest.mark.parametrize(("name", "package"), [("python3", "python3-venv"), ("python3.12", r"python3\.12-venv")])
def test_missing_ensurepip_is_named_in_one_sentence(name: str, package: str) -> None:
    python = setup.Interpreter(f"/usr/bin/{name}", (3, 12, 1), False)
    with pytest.raises(setup.SetupError, match=f"install python3-venv .*apt install {package}\\)$") as caught:
        setup.require_venv(python)
    assert "\n" not in str(caught.value)


# --- the stamp --------------------------------------------------------------------------------------------------------


def test_the_stamp_follows_what_the_environment_is_built_from(root: Path, tmp_path: Path) -> None:
    def stamp(mode: str = "dev", version: tuple[int, ...] = (3, 11, 7)) -> str:
        return str(setup.fingerprint(root, mode, version))

    first = stamp()
    assert stamp() == first
    seen = {first, stamp("run"), stamp(version=(3, 12, 0))}
    (root / "requirements" / "dev.lock").write_text("numpy==2\n", encoding="utf-8")
    seen.add(stamp())
    (root / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    seen.add(stamp())
    root = root.rename(tmp_path / "moved")
    seen.add(stamp())
    assert len(seen) == 6


# --- building ---------------------------------------------------------------------------------------------------------


class Installer:
    """Stands in for pip: makes a folder whose Python is a script, and counts."""

    def __init__(self) -> None:
        self.modes: list[str] = []
        self.python = "exit 0"
        self.fails = False

    def __call__(self, root: Path, aside: Path, mode: str, python: object, log: Path) -> None:
        self.modes.append(mode)
        script(aside / "bin" / "python", self.python)
        script(aside / "bin" / "tool", f"'''exec' \"{aside}/bin/python\" \"$0\"")
        (aside / "pyvenv.cfg").write_text(f"command = -m venv {aside}\n", encoding="utf-8")
        if self.fails:
            raise KeyboardInterrupt


@pytest.fixture
def installer(monkeypatch: pytest.MonkeyPatch) -> Installer:
    installer = Installer()
    monkeypatch.setattr(setup, "install", installer)
    return installer


PYTHON = setup.Interpreter("python3", (3, 11, 7), True)


@posix
def test_a_second_run_builds_nothing(root: Path, installer: Installer) -> None:
    for _ in range(2):
        assert setup.ensure(root, "dev", PYTHON) == str(root / ".venv" / "bin" / "python")
    setup.ensure(root, "run", PYTHON)  # the larger one will do
    assert installer.modes == ["dev"]
    assert sorted(path.name for path in root.glob(".venv*")) == [".venv", ".venv.busy"]


@posix
def test_the_smaller_environment_is_not_enough_for_tests(root: Path, installer: Installer) -> None:
    for mode in ("run", "dev", "oldest"):
        setup.ensure(root, mode, PYTHON)
    assert installer.modes == ["run", "dev", "oldest"]
    assert (root / ".venv-oldest" / "bin" / "python").exists()


@posix
@pytest.mark.parametrize("damage", ["stamp", "python", "modules", "lock"])
def test_a_broken_environment_heals(root: Path, installer: Installer, damage: str) -> None:
    setup.ensure(root, "dev", PYTHON)
    if damage == "stamp":
        (root / ".venv" / setup.STAMP).unlink()
    elif damage == "python":
        (root / ".venv" / "bin" / "python").unlink()
    elif damage == "modules":
        script(root / ".venv" / "bin" / "python", "exit 1")
    else:
        (root / "requirements" / "dev.lock").write_text("numpy==3\n", encoding="utf-8")
    setup.ensure(root, "dev", PYTHON)
    setup.ensure(root, "dev", PYTHON)
    assert installer.modes == ["dev", "dev"]


@posix
def test_demo_leaves_a_developer_a_developers_environment(root: Path, installer: Installer) -> None:
    setup.ensure(root, "dev", PYTHON)
    (root / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    setup.ensure(root, "run", PYTHON)
    assert installer.modes == ["dev", "dev"]


@posix
def test_a_stopped_build_leaves_the_old_environment(root: Path, installer: Installer) -> None:
    setup.ensure(root, "run", PYTHON)
    stamp = (root / ".venv" / setup.STAMP).read_text(encoding="ascii")
    installer.fails = True
    with pytest.raises(KeyboardInterrupt):
        setup.ensure(root, "dev", PYTHON)
    assert (root / ".venv" / setup.STAMP).read_text(encoding="ascii") == stamp
    assert sorted(path.name for path in root.glob(".venv*")) == [".venv", ".venv.busy"]


@posix
def test_an_unsound_build_is_not_put_in_place(root: Path, installer: Installer) -> None:
    installer.python = "exit 1"
    with pytest.raises(setup.SetupError, match="not everything is found in it"):
        setup.ensure(root, "run", PYTHON)
    assert not (root / ".venv").exists()


@posix
def test_what_a_killed_run_left_is_removed(root: Path, installer: Installer) -> None:
    for name in (".venv.new-1", ".venv.old-2", ".venv-oldest.new-3"):
        script(root / name / "bin" / "python", "exit 0")
    setup.ensure(root, "run", PYTHON)
    assert sorted(path.name for path in root.glob(".venv*")) == [".venv", ".venv-oldest.new-3", ".venv.busy"]


@posix
def test_scripts_name_the_final_place(root: Path, installer: Installer) -> None:
    setup.ensure(root, "run", PYTHON)
    for path in (root / ".venv" / "bin" / "tool", root / ".venv" / "pyvenv.cfg"):
        text = path.read_text(encoding="utf-8")
        assert ".new-" not in text
        assert str(root / ".venv") in text
    assert os.access(root / ".venv" / "bin" / "tool", os.X_OK)


def test_one_run_builds_at_a_time(tmp_path: Path) -> None:
    with (tmp_path / "busy").open("a") as first, (tmp_path / "busy").open("a") as second:
        assert setup.try_lock(first)
        assert not setup.try_lock(second)
    with (tmp_path / "busy").open("a") as third:
        assert setup.try_lock(third)


def test_a_missing_lock_file_is_one_sentence(root: Path) -> None:
    (root / "requirements" / "dev.lock").unlink()
    (root / ".venv").mkdir()
    (root / ".venv" / setup.STAMP).write_text("dev x\n", encoding="ascii")
    with pytest.raises(setup.SetupError, match=r"No such file or directory .*dev\.lock"):
        setup.ensure(root, "dev", PYTHON)


@pytest.mark.parametrize(
    ("output", "says"),
    [("... NewConnectionError: ...", "cannot be reached"), ("[Errno 28] No space left on device", "disk is full")],
)
def test_known_causes_are_one_sentence(output: str, says: str) -> None:
    message = setup.explain("step", output, Path("pip.log"))
    assert says in message
    assert "pip.log" in message
    assert "\n" not in message


def test_other_failures_show_their_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"earlier step\n")
    command = [sys.executable, "-c", "for i in range(30): print('line', i)\nraise SystemExit(3)"]
    with pytest.raises(setup.SetupError, match=r"line 10\n(.*\n)*    line 29$") as caught:
        setup.stage("step", command, log)
    assert "line 9\n" not in str(caught.value)
    assert "earlier step" not in str(caught.value)


# --- the tasks --------------------------------------------------------------------------------------------------------


def tasks(task: str, *options: str, codes: tuple[int, ...] = (0, 0, 0)) -> tuple[int, list[str]]:
    calls: list[str] = []

    def run(mode: str, *command: str, **variables: str) -> int:
        calls.append(" ".join([mode, *command, *variables]))
        return codes[len(calls) - 1]

    return setup.do(task, run, list(options)), calls


def test_tests_run_side_by_side_and_soaks_alone() -> None:
    code, calls = tasks("test-all", "-x")
    assert code == 0
    workers = min(4, max(2, os.cpu_count() or 2))
    assert calls == [
        f"dev -m pytest -q -n {workers} -m not slow -x ALPHAOVERLAY_FULL",
        "dev -m pytest -q -n 0 -m slow -x ALPHAOVERLAY_FULL",
        f"oldest -m pytest -q -n {workers} -m not slow -x",
    ]
    assert tasks("test") == (0, [calls[2].replace("oldest", "dev").removesuffix(" -x")])


@pytest.mark.parametrize(
    ("codes", "result"),
    [((1, 0, 0), 1), ((0, 2, 0), 2), ((0, 0, 3), 3), ((0, 5, 0), 0), ((0, 5, 1), 1), ((5, 0, 0), 5)],
)
def test_any_failure_fails_test_all(codes: tuple[int, ...], result: int) -> None:
    assert tasks("test-all", codes=codes)[0] == result


def test_every_task_is_one() -> None:
    for task in setup.TASKS:
        assert tasks(task)[0] == 0
        assert f" {task} " in (setup.__doc__ or "")


def test_the_childs_exit_code_is_ours() -> None:
    assert setup.call([sys.executable, "-c", "raise SystemExit(7)"], dict(os.environ)) == 7


def test_an_unknown_task_explains() -> None:
    command = [sys.executable, str(ROOT / "tools" / "setup.py")]
    done = subprocess.run([*command, "nonsense"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "setup.py TASK" in done.stdout
    assert subprocess.run([*command, "--help"], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("target", ["demo", "test", "test-all"])
def test_make_targets_are_one_line(target: str) -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    match = re.search(rf"^{target}:.*\n((?:\t.*\n)*)", text, flags=re.MULTILINE)
    assert match is not None
    assert match[1] == f"\t@python3 tools/setup.py {target} $(ARGS)\n"


# --- what is installed ------------------------------------------------------------------------------------------------


def project() -> dict[str, Any]:
    read: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return read


def dependencies() -> dict[str, Requirement]:
    found = (Requirement(text) for text in project()["dependencies"])
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def optional() -> dict[str, Requirement]:
    """What the extras for users need."""
    extras = project()["optional-dependencies"]
    named = Requirement(*extras["all"]).extras
    found = (Requirement(text) for name in named for text in extras[name])
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def pins(name: str) -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for line in (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines():
        if line and line[0] not in "# ":
            requirement = Requirement(line.removesuffix("\\"))
            versions.setdefault(canonicalize_name(requirement.name), set()).add(str(requirement.specifier))
    return versions


@pytest.mark.parametrize("name", LOCKS)
def test_locks_are_exact_and_name_no_place(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    for line in text.splitlines():
        allowed = r"#[^:]*|[a-z0-9-]+==[^ ]+( ; [^/:]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?"
        assert re.fullmatch(allowed, line), line


def test_lower_bounds_are_the_oldest_versions_tested() -> None:
    oldest = pins("oldest.lock")
    assert optional()
    for name, requirement in (dependencies() | optional()).items():
        (bound,) = (Version(item.version) for item in requirement.specifier if item.operator == ">=")
        assert {Version(pin.removeprefix("==")) for pin in oldest[name]} == {bound}, name


def test_run_and_dev_agree() -> None:
    run, dev = pins("run.lock"), pins("dev.lock")
    assert {name: dev.get(name) for name in run} == run
    assert dependencies().keys() <= run.keys()
    for name, requirement in dependencies().items():
        assert all(requirement.specifier.contains(pin.removeprefix("==")) for pin in run[name])


def test_the_soundness_check_looks_for_every_dependency() -> None:
    assert sorted(setup.MODULES) == sorted(["alphaoverlay", *(item.name for item in dependencies().values())])


# --- the page that make wheel-check looks at --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part",
    [
        '<script src="https://a.example/x.js"></script>',
        '<link rel="stylesheet" href="//a.example/x.css">',
        "<img src=http://a.example/x.png>",
        "<style>body { background: url('https://a.example/x.png') }</style>",
        "<style>@import 'x.css';</style>",
    ],
)
def test_a_page_that_fetches_is_found(tmp_path: Path, part: str) -> None:
    page = tmp_path / "page.html"
    page.write_text(f"<html>{part}{'x' * 1_000_000}</html>", encoding="utf-8")
    with pytest.raises(SystemExit, match="fetches from the network"):
        check_wheel.check_page(page)


def test_a_page_may_link_and_embed(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    inner = '<a href="https://a.example">x</a><img src="data:image/png;base64,AA=="><script>"src=https://a"</script>'
    page.write_text(f"<html>{inner}{'x' * 1_000_000}</html>", encoding="utf-8")
    check_wheel.check_page(page)
    page.write_text(f"<html>{inner}</html>", encoding="utf-8")
    with pytest.raises(SystemExit, match="bytes"):
        check_wheel.check_page(page)
