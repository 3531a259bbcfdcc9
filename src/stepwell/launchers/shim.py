"""The little program between the process launcher and a group's process.

Started as `python shim.py FOLDER` with the group's environment. It needs the
standard library only. It detaches, writes who it is, starts the command of
`spec.json`, keeps its output within bounds, ends it at the deadline or on
SIGTERM, and writes `exit.json` at the end, whether or not a server lives then.

Whoever links `process.json` first is the launch of that name; a second shim
in the same folder ends without having started anything.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
CHUNK = 64 * 1024
MOST_FILES = 65_536
KILLING = 60.0
"""Seconds for which it is seen to that what was killed is gone; a busy machine takes its time."""


def main(folder: Path) -> None:
    """Detach; the first process ends when the second one holds the launch or lost it."""
    ready, tell = os.pipe()
    if os.fork():
        os.close(tell)
        os.read(ready, 1)
        os._exit(0)
    os.close(ready)
    os.setsid()
    watch = Watch(folder)  # before the claim: from then on it may be told to stop
    won = claim(folder)
    os.close(tell)
    if won:
        watch.run()


class Child(Protocol):
    """The started command: as much of `subprocess.Popen` as is needed here."""

    @property
    def pid(self) -> int:
        """It leads a process group of that number."""
        ...

    @property
    def stdout(self) -> Any:
        """The reading end of all that it writes."""
        ...

    @property
    def returncode(self) -> Any:
        """As `poll`, when that has answered."""
        ...

    def poll(self) -> int | None:
        """Its exit code; None while it lives."""
        ...


def claim(folder: Path) -> bool:
    """Write `process.json`, unless there is one: linking is atomic and never replaces."""
    who = {"pid": os.getpid(), "identity": identity(os.getpid()), "started_at": now()}
    draft = folder / f"process.{os.getpid()}"
    draft.write_text(json.dumps(who))
    try:
        os.link(draft, folder / "process.json")
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


class Watch:
    """One launched command: its output, its time, its end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.child: Child | None = None
        self.started_at = now()
        self.kill_at: float | None = None
        self.why = "ended"
        self.wake, waker = os.pipe()
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, lambda *_: self.end("stopped"))
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> None:
        """Start the command, follow it to its end, write down how it ended."""
        self.spec: dict[str, Any] = json.loads((self.folder / "spec.json").read_text())
        self.log = Log(self.folder, self.spec["log_bytes"])
        self.ends = time.monotonic() + self.spec["deadline_seconds"]
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        try:
            (self.folder / "work").mkdir(exist_ok=True)
            child = self.child = self.spawn()
            who = {"pid": child.pid, "identity": identity(child.pid)}
            write(self.folder / "child.json", who)
        except OSError as error:
            self.write_exit(None, "not-started", str(error))
            return
        try:
            self.write_exit(self.follow(child), self.why, "")
        except OSError as error:
            kill_all(child.pid)
            self.write_exit(None, "lost", str(error))

    def spawn(self) -> Child:
        """The command in a session of its own; it dies with this process."""
        return subprocess.Popen(
            self.spec["command"],
            cwd=self.folder / "work",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL),  # noqa: PLW1509 - one thread
        )

    def follow(self, child: Child) -> int:
        """Its exit code, when it has ended and nothing of it is left."""
        assert child.stdout is not None
        pipe = child.stdout.fileno()
        os.set_blocking(pipe, False)
        while child.poll() is None:
            self.check_time(child)
            self.turn(pipe)
        kill_all(child.pid)
        self.drain(pipe)
        self.log.close()
        return int(child.returncode)

    def turn(self, pipe: int) -> None:
        """Wait for output, a signal or the next instant that matters; keep the output."""
        until = self.ends if self.kill_at is None else self.kill_at
        wait = max(0.0, min(until - time.monotonic(), 60.0))
        watched = [self.wake] if self.log.ended else [self.wake, pipe]
        readable, _, _ = select.select(watched, [], [], wait)
        if self.wake in readable:
            os.read(self.wake, 512)
        if pipe in readable:
            self.log.take(pipe)

    def check_time(self, child: Child) -> None:
        """A stop or the deadline asks it to end; the end of the grace makes it."""
        instant = time.monotonic()
        if self.why == "ended" and instant >= self.ends:
            self.end("deadline")
        if self.why != "ended" and self.kill_at is None:
            self.kill_at = instant + self.spec["grace_seconds"]
            signal_group(child.pid, signal.SIGTERM)
        elif self.kill_at is not None and instant >= self.kill_at:
            self.kill_at = instant + 1.0
            signal_group(child.pid, signal.SIGKILL)

    def end(self, why: str) -> None:
        """Have the command end; the first reason counts. Safe in a signal handler."""
        if self.why == "ended":
            self.why = why

    def drain(self, pipe: int) -> None:
        """What is still in the pipe; all writers are gone."""
        while not self.log.ended and select.select([pipe], [], [], 0)[0]:
            self.log.take(pipe)

    def write_exit(self, code: int | None, why: str, detail: str) -> None:
        """The last thing done: from here on the launch has ended."""
        times = {"started_at": self.started_at, "finished_at": now()}
        write(self.folder / "exit.json", {"code": code, "why": why, "detail": detail, **times})


class Log:
    """Output within bounds: the first half of the allowance, and the last half (R39).

    The tail is two files that take turns, so no byte is written twice.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.head, self.turn = folder, limit // 2, max(limit // 4, 1)
        self.file = (folder / "head.log").open("ab", buffering=0)
        self.left, self.dropped, self.ended = self.head, 0, False

    def take(self, pipe: int) -> None:
        """Read what is there and keep it."""
        try:
            data = os.read(pipe, CHUNK)
        except BlockingIOError:
            return
        self.ended = not data
        while data:
            kept = data[: self.left]
            self.file.write(kept)
            self.left -= len(kept)
            data = data[len(kept) :]
            if self.left == 0:
                self.rotate()

    def rotate(self) -> None:
        """Begin the next file of the tail; the oldest goes and is counted."""
        self.file.close()
        new, old = self.folder / "tail.log", self.folder / "tail.old.log"
        if old.exists():
            self.dropped += old.stat().st_size
            write(self.folder / "dropped.json", self.dropped)
        if new.exists():
            new.replace(old)
        self.file = new.open("wb", buffering=0)
        self.left = self.turn

    def close(self) -> None:
        """No more output follows."""
        self.file.close()


def kill_all(pid: int) -> None:
    """Kill what the command left behind: its group, and what was handed down to this process."""
    signal_group(pid, signal.SIGKILL)
    until = time.monotonic() + KILLING
    while time.monotonic() < until:
        left = descendants()
        if not left:
            return
        for one in left:
            with contextlib.suppress(OSError):
                os.kill(one, signal.SIGKILL)
                os.waitpid(one, os.WNOHANG)
        time.sleep(0.01)


def descendants() -> list[int]:
    """The pids of this process's own children, after orphans were handed down (Linux)."""
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    return [int(one) for one in path.read_text().split()] if path.exists() else []


def signal_group(pid: int, number: int) -> None:
    """Send a signal to the process group that `pid` leads, if it is still there."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def identity(pid: int) -> str:
    """What tells a process from a later one with the same pid; empty when there is none.

    On Linux the boot and the kernel's start time in ticks; elsewhere what `ps` says. Raises
    `OSError` where it cannot be seen now, as without a descriptor that is free: who cannot look
    must not take a process for gone, and end what it watches over.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError, PermissionError):  # the last: a stranger's
        return "" if Path("/proc/self/stat").exists() else by_ps(pid)
    state, *rest = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else f"{boot}:{rest[18]}"


def by_ps(pid: int) -> str:
    """The start time by `ps`, for systems without /proc."""
    asked = ["ps", "-o", "lstart=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def prctl(option: int, value: int) -> None:
    """Linux's prctl; nothing elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def write(path: Path, value: Any) -> None:
    """Replace a file by JSON in one go: a reader sees the old or the new one."""
    draft = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    draft.write_text(json.dumps(value))
    draft.replace(path)


def now() -> str:
    """The current instant, UTC; this program stands outside of the package's clock."""
    return datetime.now(UTC).isoformat()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
