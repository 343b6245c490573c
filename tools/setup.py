#!/usr/bin/env python3
"""Build the project's environment if needed, then do one task in it.

    python3 tools/setup.py TASK [--] [OPTIONS]

    demo         the main job on the packaged sample (options of `alphaoverlay demo`, such as --open)
    run          the alphaoverlay command: python3 tools/setup.py run -- design SP500=1
    test         the tests, without the slow ones (options of pytest)
    test-all     every test at full size, then the tests with the oldest allowed dependencies
    lint         style and formatting            format       correct them
    types        mypy                            bench        the benchmark suite
    wheel-check  the built wheel, installed      lock         write requirements/*.lock again
    docs         write the parts of docs/ that come from the code
    spreads      calibrate the default financing spreads on real funds: spreads -- --data FOLDER

The first run builds .venv from requirements/*.lock; later runs use it. PYTHON=... names the interpreter to build from.
Standard library only, and Python 3.6 can read this file, so that an old `python3` can still say what is missing.
"""

import contextlib
import errno
import functools
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

ROOT = Path(__file__).resolve().parent.parent
NEEDED = (3, 11)
WINDOWS = os.name == "nt"
LOCK_PATIENCE = 1200.0  # seconds to wait for another run that is building the same environment
STAMP = "alphaoverlay-stamp"
TASKS = ["demo", "run", "test", "test-all", "lint", "format", "types", "bench", "wheel-check", "lock", "docs"]
TASKS += ["spreads"]

# Environment: its folder and its lock file. demo and run are content with the larger one in the same folder.
ENVIRONMENTS = {"run": (".venv", "run.lock"), "dev": (".venv", "dev.lock"), "oldest": (".venv-oldest", "oldest.lock")}
WILL_DO = {"run": ("run", "dev"), "dev": ("dev",), "oldest": ("oldest",)}

# What a sound environment can find (found, not imported: a mistake in the code is no reason to build again).
MODULES = ["alphaoverlay", "arch", "exchange_calendars", "highspy", "jinja2", "numba", "numpy", "pandas"]
MODULES += ["platformdirs", "plotly", "pydantic", "pyxirr", "rich", "typer"]
CHECK = "import importlib.util as u, sys; sys.exit(any(u.find_spec(name) is None for name in sys.argv[1:]))"
MISLEADING = ["PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "PIP_USER", "PIP_TARGET", "PIP_PREFIX"]

# What pip says: what to tell the user.
CAUSES = dict.fromkeys(
    ["NewConnectionError", "ConnectTimeoutError", "NameResolutionError", "ProxyError"],
    "the package index cannot be reached: check the network, the proxy and pip's configuration, and try again",
)
CAUSES["No space left on device"] = "the disk is full: free about 2 GB and try again"

say = functools.partial(print, flush=True)


class SetupError(Exception):
    """Something the user must put right; its text is the whole message."""


PROBE = """import sys
print("%d.%d.%d" % sys.version_info[:3])
print(getattr(sys, "_base_executable", None) or sys.executable)
import importlib.util
print(all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")))
"""


class Interpreter(NamedTuple):
    path: str
    version: Tuple[int, ...]
    has_venv: bool

    @property
    def label(self) -> str:
        return f"Python {'.'.join(map(str, self.version))} ({self.path})"


def clean_environ(**more: str) -> Dict[str, str]:
    """The user's environment without what would lead Python or pip out of the virtual environment."""
    return dict({key: value for key, value in os.environ.items() if key not in MISLEADING}, **more)


def probe(*command: str) -> Optional[Interpreter]:
    """Ask an interpreter what it is; None if it does not run."""
    environ = clean_environ(PYTHONIOENCODING="utf-8:surrogateescape")
    try:
        pipe = subprocess.PIPE
        process = subprocess.Popen([*command, "-c", PROBE], stdin=pipe, stdout=pipe, stderr=pipe, env=environ)
        lines = process.communicate()[0].decode("utf-8", "surrogateescape").splitlines()
        version = tuple(int(part) for part in lines[0].split("."))
    except (OSError, ValueError, IndexError):
        return None
    return Interpreter(lines[1] if len(lines) > 1 else command[0], version, lines[2:] == ["True"])


def candidates() -> Iterator[Optional[Interpreter]]:
    # The running one, or the one its environment was made from: .venv's own Python goes away when .venv is built again.
    path = getattr(sys, "_base_executable", None) or sys.executable
    complete = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
    yield Interpreter(path, tuple(sys.version_info[:3]), complete)
    for name in ["python3.14", "python3.13", "python3.12", "python3.11", "python3", "python"]:
        found = shutil.which(name)
        if found:
            yield probe(found)
    if WINDOWS and shutil.which("py"):
        yield probe("py", "-3")


def find_python(wanted: Optional[str]) -> Interpreter:
    """The interpreter to build from: `wanted` if given, else the first that is new enough, if possible complete."""
    if wanted:
        chosen = probe(wanted)
        if chosen is None:
            raise SetupError(f"PYTHON={wanted} does not run: give the path of a Python 3.11 or newer")
        if chosen.version < NEEDED:
            raise SetupError(f"PYTHON={wanted} is {chosen.label}, but alphaoverlay needs Python 3.11 or newer")
        return chosen
    incomplete = None
    for found in candidates():
        if found is not None and found.version >= NEEDED:
            if found.has_venv:
                return found
            incomplete = incomplete or found
    if incomplete is not None:
        return incomplete
    raise SetupError(
        "alphaoverlay needs Python 3.11 or newer, and none was found: install it (Debian, Ubuntu: apt install python3 "
        "python3-venv; macOS: brew install python; Windows: winget install Python.Python.3.13) or name one with PYTHON="
    )


def require_venv(python: Interpreter) -> None:
    if not python.has_venv:
        package = f"python3.{python.version[1]}-venv" if "." in Path(python.path).name else "python3-venv"
        what_to_do = f"install python3-venv (Debian, Ubuntu: apt install {package})"
        raise SetupError(f"{python.label} cannot make virtual environments: {what_to_do}")


def python_in(folder: Path) -> str:
    return str(folder / "Scripts" / "python.exe" if WINDOWS else folder / "bin" / "python")


def fingerprint(root: Path, mode: str, version: Tuple[int, ...]) -> str:
    """What an environment is built from: the lock, the project file, the Python, and where the checkout is."""
    digest = hashlib.sha256()
    sources = [root / "requirements" / ENVIRONMENTS[mode][1], root / "pyproject.toml"]
    for part in [*(source.read_bytes() for source in sources), str(version).encode(), os.fsencode(str(root))]:
        digest.update(b"%d:%s" % (len(part), part))
    return f"{mode} {digest.hexdigest()}\n"


def read_stamp(folder: Path) -> str:
    try:
        return (folder / STAMP).read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


def is_sound(folder: Path) -> bool:
    """Whether the environment's Python runs and finds the project and what it needs."""
    try:
        command = [python_in(folder), "-c", CHECK, *MODULES]
        return subprocess.call(command, stderr=subprocess.DEVNULL, env=clean_environ()) == 0
    except OSError:
        return False


def is_ready(root: Path, mode: str, version: Tuple[int, ...]) -> bool:
    folder = root / ENVIRONMENTS[mode][0]
    stamp = read_stamp(folder)
    return any(stamp == fingerprint(root, form, version) for form in WILL_DO[mode]) and is_sound(folder)


def ensure(root: Path, mode: str, python: Interpreter) -> str:
    """The path of the Python in a ready environment, built first where that is missing, outdated or broken."""
    folder = root / ENVIRONMENTS[mode][0]
    try:
        if not is_ready(root, mode, python.version):
            require_venv(python)
            with folder.with_name(f"{folder.name}.busy").open("a") as handle:
                wait_for_lock(handle, folder.name)
                if not is_ready(root, mode, python.version):  # else another run has just built it
                    larger = mode == "run" and read_stamp(folder).startswith("dev ")  # stays as capable as it was
                    build(root, folder, "dev" if larger else mode, python)
    except OSError as error:
        raise SetupError(f"cannot prepare {folder}: {error.strerror} ({error.filename or error})") from error
    return python_in(folder)


def wait_for_lock(handle: IO[str], name: str) -> None:
    """Hold the file until this process ends. The system frees it even after a kill, so it cannot go stale."""
    start = time.monotonic()
    if not try_lock(handle):
        say(f"Another run is building {name}; waiting for it.")
        while not try_lock(handle):
            if time.monotonic() - start > LOCK_PATIENCE:
                raise SetupError(f"another run has been building {name} for too long: end it, then run this again")
            time.sleep(0.2)


def try_lock(handle: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Some network file systems have no locks: better to go on without than to refuse.
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True


def build(root: Path, folder: Path, mode: str, python: Interpreter) -> None:
    """Build aside, then rename: whatever happens on the way, the old environment stays as it was."""
    remove_leftovers(folder)
    aside = folder.with_name(f"{folder.name}.new-{os.getpid()}")
    log = folder.with_name(f"{folder.name}.log")
    say(f"Building {folder.name} with {python.label}")
    try:
        install(root, aside, mode, python, log)
        move_paths(aside, folder)
        (aside / STAMP).write_text(fingerprint(root, mode, python.version), encoding="ascii")
        if not is_sound(aside):
            raise SetupError(f"{folder.name} was built, but not everything is found in it: see {log}")
        swap(aside, folder)
    finally:
        remove_leftovers(folder)  # aside, if anything failed; and what a killed run's pip was still writing before


def install(root: Path, aside: Path, mode: str, python: Interpreter, log: Path) -> None:
    lock = root / "requirements" / ENVIRONMENTS[mode][1]
    log.write_bytes(b"")
    pip = [python_in(aside), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off"]
    stage("[1/4] an empty environment", [python.path, "-m", "venv", "--prompt", "alphaoverlay", str(aside)], log)
    stage(f"[2/4] the packages of {lock.name}", [*pip, "--no-compile", "--requirement", str(lock)], log)
    stage("[3/4] alphaoverlay", [*pip, "--no-deps", "--no-build-isolation", "--editable", str(root)], log)
    for path_file in aside.rglob("_alphaoverlay.pth"):
        # Relative, because Python before 3.13 reads the file in the locale's encoding: é in the checkout's path would
        # keep every Python here from starting where that is not UTF-8.
        path_file.write_text(os.path.relpath(str(root / "src"), str(path_file.parent)), encoding="ascii")
    # pip compiles on one core, and the packages' own tests too. A file that does not compile is nobody's loss.
    compiling = [python_in(aside), "-m", "compileall", "-q", "-j0", "-x", r"[/\\]tests[/\\]", str(aside)]
    stage("[4/4] compiling them", compiling, log, must_succeed=False)


def stage(title: str, command: List[str], log: Path, must_succeed: bool = True) -> None:
    """Run one step, its output to the log, and show how long it takes."""
    start = time.monotonic()
    offset = log.stat().st_size
    environ = clean_environ(PYTHONUTF8="1")
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environ)
    try:
        while process.poll() is None:
            show_progress(f"{title}: {time.monotonic() - start:.0f} s  {last_line(log)}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.2)
    except BaseException:
        process.kill()
        process.wait()
        raise
    show_progress("")
    failed = must_succeed and process.returncode != 0
    say(f"{title}: {time.monotonic() - start:.1f} s" + (", failed" if failed else ""))
    if failed:
        raise SetupError(explain(title, log.read_bytes()[offset:].decode("utf-8", "replace"), log))


def last_line(log: Path) -> str:
    lines = log.read_bytes()[-500:].decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip() if lines else ""


def show_progress(text: str) -> None:
    """On a terminal, write over the line that is being updated."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        print("\r" + text[:width].ljust(width), end="\r", flush=True)


def explain(title: str, output: str, log: Path) -> str:
    for sign, cause in CAUSES.items():
        if sign in output:
            return f"{cause} (details: {log})"
    tail = "\n".join("    " + line for line in output.splitlines()[-20:])
    return f"{title} failed; its last lines (all of them: {log}):\n{tail}"


def move_paths(aside: Path, final: Path) -> None:
    """Write the final place into the scripts and activation files, which name the one where they were made."""
    old, new = os.fsencode(str(aside)), os.fsencode(str(final))
    for path in [aside / "pyvenv.cfg", *(aside / ("Scripts" if WINDOWS else "bin")).iterdir()]:
        # A Windows launcher keeps its old path: everything here goes through `python -m`.
        if path.is_file() and not path.is_symlink() and path.suffix != ".exe" and path.stat().st_size < 100000:
            content = path.read_bytes()
            if old in content:
                path.write_bytes(content.replace(old, new))


def swap(aside: Path, folder: Path) -> None:
    old = folder.with_name(f"{folder.name}.old-{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        folder.rename(old)
    try:
        aside.rename(folder)
    except BaseException:
        if os.path.lexists(str(old)):
            old.rename(folder)
        raise


def remove_leftovers(folder: Path) -> None:
    """Remove what killed runs left behind; the caller holds the lock, so nobody is using it."""
    for kind in ("new", "old"):
        for path in folder.parent.glob(f"{folder.name}.{kind}-*"):
            if path.is_symlink() or path.is_file():
                path.unlink()
            else:
                shutil.rmtree(str(path), ignore_errors=True)


Runner = Callable[..., int]  # run(environment, *command, **variables) -> exit code


def run_tests(run: Runner, mode: str, marks: str, options: List[str], **variables: str) -> int:
    workers = 0 if marks == "slow" else min(4, max(2, os.cpu_count() or 2))  # soaks run alone
    return run(mode, "-m", "pytest", "-q", "-n", str(workers), "-m", marks, *options, **variables)


def test_all(run: Runner, options: List[str]) -> int:
    say("Tests at full size")
    full = run_tests(run, "dev", "not slow", options, ALPHAOVERLAY_FULL="1")
    say("Slow tests, one at a time")
    slow = run_tests(run, "dev", "slow", options, ALPHAOVERLAY_FULL="1")
    say("Tests with the oldest allowed dependencies")
    oldest = run_tests(run, "oldest", "not slow", options)
    return full or (slow if slow != 5 else 0) or oldest  # pytest's 5: there are none


def do(task: str, run: Runner, options: List[str]) -> int:
    if task == "test":
        return run_tests(run, "dev", "not slow", options)
    if task == "test-all":
        return test_all(run, options)
    if task == "lint":
        return run("dev", "-m", "ruff", "check", *options) or run("dev", "-m", "ruff", "format", "--check", *options)
    if task == "format":
        return run("dev", "-m", "ruff", "check", "--fix", *options) or run("dev", "-m", "ruff", "format", *options)
    command = {
        "demo": ("run", "-m", "alphaoverlay", "demo"),
        "run": ("run", "-m", "alphaoverlay"),
        "types": ("dev", "-m", "mypy"),
        "bench": ("dev", "-m", "bench"),
        "wheel-check": ("dev", "tools/check_wheel.py"),
        "lock": ("dev", "tools/lock.py"),
        "docs": ("dev", "tools/docs.py"),
        "spreads": ("dev", "-m", "tools.spreads"),
    }
    return run(*command[task], *options)


def call(command: List[str], environ: Dict[str, str]) -> int:
    """Run in the foreground; the child gets Ctrl-C itself, and its exit code is ours."""
    process = subprocess.Popen(command, cwd=str(ROOT), env=environ)
    while process.returncode is None:
        with contextlib.suppress(KeyboardInterrupt):
            process.wait()
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def main(arguments: List[str]) -> int:
    if not arguments or arguments[0] not in TASKS:
        say((__doc__ or "").strip())
        return 0 if arguments[:1] in (["-h"], ["--help"], ["help"]) else 2
    python = find_python(os.environ.get("PYTHON"))
    if sys.version_info < NEEDED:
        return call([python.path, str(Path(__file__).resolve()), *arguments], dict(os.environ))

    def run(mode: str, *command: str, **variables: str) -> int:
        return call([ensure(ROOT, mode, python), *command], clean_environ(**variables))

    return do(arguments[0], run, arguments[2 if arguments[1:2] == ["--"] else 1 :])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nInterrupted; the environment is as it was.", file=sys.stderr)
        sys.exit(130)
