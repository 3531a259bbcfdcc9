"""The process launcher: a file or folder on this machine as the image of a group.

That is a Python file or package, or any other program: see `launchers.images`.

Each launch has a folder of its own, `jobs/<name>/`, and a small program
(`shim.py`) that outlives the server. A new launcher on the same folder knows
all that an earlier one has started. The environment is scrubbed (R42); the
token is never written to disk.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from stepwell.launchers import shim
from stepwell.launchers.images import ImageFolder, digest_of_source, program
from stepwell.launchers.notices import Notices
from stepwell.launchers.protocol import (
    Handle,
    ImageUnusable,
    LaunchFailed,
    LaunchPlan,
    LaunchSpec,
    LaunchSpecInvalid,
    LaunchStatus,
    Pinned,
)
from stepwell.launchers.warm import Template

COMMAND: Final = (sys.executable, "-m", "stepwell.workflows")
"""What runs a Python image: see `stepwell.workflows`."""

INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")
INHERITED_PYTHON: Final = ("PYTHONPATH", "PYTHONHOME", "PYTHONUTF8")
"""All that a launched process sees of the server's own environment (R42)."""

LOG_BYTES: Final = 10 * 1024 * 1024
"""How much output of one launch is kept: half of it the head, half the tail."""

T = TypeVar("T")

_PYTHON: Final = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,120}")
_START_SECONDS: Final = 30.0


class ProcessLauncher:
    """Starts images as processes of this machine.

    Parameters
    ----------
    data_dir : where kept copies (`images/`) and launches (`jobs/`) are.
    command : the program that runs the Python image named by `STEPWELL_GROUP`.
    log_bytes : how much of the output is kept, in bytes.
    grace_seconds : between SIGTERM and SIGKILL.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        command: Sequence[str] = COMMAND,
        log_bytes: int = LOG_BYTES,
        grace_seconds: float = 10.0,
    ) -> None:
        self._images = ImageFolder(data_dir.absolute() / "images")
        self._jobs = data_dir.absolute() / "jobs"
        self._command = list(command)
        self._log_bytes, self._grace = log_bytes, grace_seconds
        self._template = Template(self._jobs, {**_inherited(), **_PYTHON})

    @property
    def notices(self) -> Notices | None:
        """See `launchers.notices`: the watchers that were forked say so when they end."""
        return self._template.notices

    def close(self) -> None:
        """End what it keeps for quick starts; launches live on."""
        self._template.close()

    def pin(self, image: str) -> Pinned:
        """Keep a copy of the file or folder at path `image` (R37)."""
        return _reading(image, self._images.pin)

    def digest(self, image: str) -> str:
        """The hash of the file or folder as it is now."""
        return _reading(image, digest_of_source)

    def locate(self, image: str, digest: str) -> str:
        """The path of the kept copy with that digest."""
        return str(self._images.locate(digest))

    def plan(self, spec: LaunchSpec) -> LaunchPlan:
        """A process of this machine, which takes what it can get."""
        self._folder(spec.name)
        _environment(spec)
        command = Path(self._written(spec)["command"][0]).name
        told = f"It is run by {command}; nothing limits the CPU and the memory that it takes."
        return LaunchPlan(what="1 process on the server's machine", image=spec.image, notes=(told,))

    def start(self, spec: LaunchSpec) -> Handle:
        """Start the shim in the launch's folder, unless one has been there."""
        folder = self._folder(spec.name)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (folder / "process.json").exists():
                written, environment = self._written(spec), _environment(spec)
                shim.write(folder / "spec.json", written)
                quick = tuple(written["command"]) == COMMAND
                if not (quick and self._template.launch(folder, environment)):
                    _run_shim(folder, environment)
        except OSError as error:
            raise _not_started(folder, f"{error}.") from error
        return self.find(spec.name)

    def find(self, name: str) -> Handle:
        """The handle is made of the name alone."""
        return {"launcher": "process", "name": name}

    def poll(self, handle: Handle) -> LaunchStatus:
        """Read the exit file; without one, ask the kernel whether the shim lives."""
        folder = self._folder(handle["name"])
        with _looking_at(folder):
            return _seen(folder)

    def stop(self, handle: Handle) -> None:
        """Tell the shim, which ends the process; without a shim, kill what is left."""
        folder = self._folder(handle["name"])
        with _looking_at(folder):
            _stop(folder)

    def logs(self, handle: Handle) -> str:
        """Head and tail of stdout and stderr, with the cut marked."""
        folder = self._folder(handle["name"])
        with _looking_at(folder):
            dropped = _read(folder / "dropped.json") or 0
            mark = f"\n... {dropped:,} bytes were cut here ...\n" if dropped else ""
            tail = _text(folder / "tail.old.log") + _text(folder / "tail.log")
            return _text(folder / "head.log") + mark + tail

    def _written(self, spec: LaunchSpec) -> dict[str, Any]:
        return {
            "command": program(Path(spec.image)) or self._command,
            "image": spec.image,
            "mode": spec.mode,
            "deadline_seconds": spec.deadline_seconds,
            "grace_seconds": self._grace,
            "log_bytes": self._log_bytes,
        }

    def _folder(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise LaunchSpecInvalid(
                f"{name!r} is not a name for a launch.",
                why="It names a folder.",
                fix="Use lower-case letters, digits and dashes, at most 121.",
            )
        return self._jobs / name


def _reading(image: str, read: Callable[[Path], T]) -> T:
    try:
        return read(Path(image).expanduser().absolute())
    except (OSError, ValueError, RuntimeError) as error:
        raise ImageUnusable(
            f"{image!r} cannot be read.",
            why=f"{error}.",
            fix="See that the server may read it, and that its disk has room.",
        ) from error


def _environment(spec: LaunchSpec) -> dict[str, str]:
    contract = {"STEPWELL_MODE": spec.mode, "STEPWELL_GROUP": spec.image}
    return {**_inherited(), **_PYTHON, **_checked(spec.environment), **contract}


def _inherited() -> dict[str, str]:
    return {key: os.environ[key] for key in INHERITED + INHERITED_PYTHON if key in os.environ}


def _checked(environment: Mapping[str, str]) -> Mapping[str, str]:
    for key, value in environment.items():
        if not key or "=" in key or "\0" in key + value:
            raise LaunchSpecInvalid(
                f"{key!r} cannot be an environment variable.",
                fix="Names have no '=', and neither names nor values have null characters.",
            )
    return environment


def _run_shim(folder: Path, environment: dict[str, str]) -> None:
    """Returns when the shim holds the launch and lives on by itself."""
    command = [sys.executable, "-I", "-S", shim.__file__, str(folder)]
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            timeout=_START_SECONDS,
            check=False,
        )
    except subprocess.SubprocessError as error:
        raise _not_started(folder, str(error)) from error
    if done.returncode != 0 or not (folder / "process.json").exists():
        raise _not_started(folder, f"Its watcher ended with exit code {done.returncode}.")


def _not_started(folder: Path, why: str) -> LaunchFailed:
    return LaunchFailed(
        f"The process {folder.name} could not be started.",
        why=why,
        fix=f"See whether the disk of {folder} is full, or read-only.",
    )


@contextlib.contextmanager
def _looking_at(folder: Path) -> Iterator[None]:
    """Whoever cannot look decides nothing: it is a pause."""
    try:
        yield
    except OSError as error:
        raise LaunchFailed(
            f"The process {folder.name} cannot be looked at.",
            why=f"{error}.",
            fix="It is asked again; see whether the server may open enough files.",
        ) from error


def _stop(folder: Path) -> None:
    process = _read(folder / "process.json")
    if process is None or (folder / "exit.json").exists():
        return
    if _alive(process):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process["pid"], signal.SIGTERM)
    else:
        _kill_child(folder)


def _seen(folder: Path) -> LaunchStatus:
    process = _read(folder / "process.json")
    if process is None:
        return LaunchStatus(state="ended", reason="It was never started here.")
    alive = _alive(process)
    ended = _read(folder / "exit.json")  # read last: it is written before the shim ends
    if ended is not None:
        return _ended(ended)
    if alive:
        return LaunchStatus(state="running", started_at=_instant(process["started_at"]))
    return _abandoned(folder, process)


def _ended(ended: dict[str, Any]) -> LaunchStatus:
    return LaunchStatus(
        state="ended",
        exit_code=ended["code"],
        reason=_words(ended["why"], ended["code"], ended["detail"]),
        started_at=_instant(ended["started_at"]),
        finished_at=_instant(ended["finished_at"]),
    )


def _words(why: str, code: int | None, detail: str) -> str:
    match why:
        case "deadline":
            return "It ran longer than its deadline and was stopped."
        case "stopped":
            return "It was stopped on request."
        case "not-started":
            return f"It could not be started: {detail}."
        case "lost":
            return f"Its output could not be kept: {detail}."
    return "It ended." if code == 0 else _exit_words(code or 0)


def _exit_words(code: int) -> str:
    if code == -signal.SIGKILL:
        return "It was killed (SIGKILL); often the machine has run out of memory."
    if code < 0:
        return f"It was killed by {signal.Signals(-code).name}."
    return f"It ended with exit code {code}."


def _abandoned(folder: Path, process: dict[str, Any]) -> LaunchStatus:
    """The shim was killed, or the machine restarted: end what is left, and say so."""
    _kill_child(folder)
    reason = "Its watcher was killed, or the machine was restarted."
    return LaunchStatus(state="ended", reason=reason, started_at=_instant(process["started_at"]))


def _kill_child(folder: Path) -> None:
    child = _read(folder / "child.json")
    if child is not None and _alive(child):
        shim.signal_group(child["pid"], signal.SIGKILL)


def _alive(who: dict[str, Any]) -> bool:
    return bool(who["identity"]) and shim.identity(who["pid"]) == who["identity"]


def _read(path: Path) -> Any:
    """What a file says; None without one, or with one that a power cut has torn or emptied."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return ""


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
