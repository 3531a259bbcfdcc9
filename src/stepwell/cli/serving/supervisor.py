"""Several worker processes of one program: started, watched, started again, stopped together.

Each child holds one end of a socket pair as its standard input. It says there that it is
ready, and sees there that the supervisor is gone, however that ended, so no worker is left
behind. The others start when the first one is ready. Until then a child that ends with a
code that says that it was given a mistake ends everything: starting it again would make the
same mistake for ever.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Final, TypeAlias

from stepwell.cli.exits import Exit

INDEX: Final = "STEPWELL_WORKER_INDEX"
"""The variable by which a child knows that it is one, and which."""
BACKOFF: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds until a child that died is started again; the last one repeats."""
GOOD_LIFE: Final = 60.0
"""Seconds after which a child counts as well, and the next pause is the first again."""
GRACE: Final = 40.0
"""Seconds that children get to stop: those of an engine's running steps, and some more."""
_HOPELESS: Final = frozenset(Exit) - {Exit.OK, Exit.FAILED, Exit.UNREACHABLE}
"""Codes after which another try makes no sense, if none has ever been ready."""


@dataclass(slots=True, eq=False)
class _Child:
    index: int
    process: subprocess.Popen[bytes]
    line: socket.socket
    begun: float = field(default_factory=time.monotonic)
    ready: bool = False
    owed: bool = False
    """Whether it is to get SIGUSR1 when it is ready; before, the signal would end it."""


@dataclass(frozen=True, slots=True)
class _Ready:
    child: _Child


_News: TypeAlias = _Child | _Ready | int
"""A child has ended, a child is ready, or a signal has come."""


class Supervisor:
    """Keeps `count` processes of one command running until it is asked to stop.

    Parameters
    ----------
    command, environment : what each process runs.
    say : where a sentence about a child goes.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        count: int,
        say: Callable[[str], None],
    ) -> None:
        self._command, self._environment, self._count = command, environment, count
        self._say = say
        self._children: dict[int, _Child] = {}
        self._again: dict[int, float] = {}  # index -> monotonic second
        self._deaths: dict[int, int] = {}
        self._news: SimpleQueue[_News] = SimpleQueue()
        self._code = Exit.OK
        self._proven = False  # whether any was ready: then the command is no mistake

    def run(self) -> Exit:
        """Until SIGTERM or SIGINT, or until a child says that it cannot work; the exit code.

        Call it in the main thread. A second signal kills the children at once.
        """
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
        before = {one: signal.signal(one, self._on_signal) for one in numbers}
        try:
            self._start(0)
            self._watch()
            self._stop()
        finally:
            for child in self._children.values():
                child.process.kill()
            for one, handler in before.items():
                signal.signal(one, handler)
        return self._code

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._news.put(number)  # of all queues the one that may be used here

    def _watch(self) -> None:
        while True:
            match self._next(self._until_next_start()):
                case _Child() as child:
                    if not self._ended(child):
                        return
                case _Ready() as ready:
                    self._welcome(ready.child)
                case signal.SIGUSR1:
                    self._toggle()
                case int():
                    return
            self._start_due()

    def _welcome(self, child: _Child) -> None:
        child.ready = self._proven = True
        if child.owed:
            self._signal(signal.SIGUSR1, to=lambda one: one is child)
        known = self._children.keys() | self._again.keys()
        for index in [one for one in range(self._count) if one not in known]:
            self._start(index)

    def _toggle(self) -> None:
        self._signal(signal.SIGUSR1, to=lambda child: child.ready)
        for child in self._children.values():
            child.owed = not child.ready and not child.owed

    def _next(self, seconds: float | None) -> _News | None:
        # Never for ever: the kernel may hand a signal to another thread than this one.
        try:
            return self._news.get(timeout=0.5 if seconds is None else min(seconds, 0.5))
        except Empty:
            return None

    def _until_next_start(self) -> float | None:
        times = self._again.values()
        return max(min(times) - time.monotonic(), 0.0) if times else None

    def _start_due(self) -> None:
        for index in [one for one, at in self._again.items() if at <= time.monotonic()]:
            del self._again[index]
            self._start(index)

    def _start(self, index: int) -> None:
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(
            self._command,
            stdin=theirs.fileno(),
            env={**self._environment, INDEX: str(index)},
        )
        theirs.close()
        child = self._children[index] = _Child(index, process, ours)
        threading.Thread(target=self._await, args=(child,), daemon=True).start()
        self._say(f"worker {index + 1} is process {process.pid}")

    def _await(self, child: _Child) -> None:
        with suppress(OSError):  # it died
            if child.line.recv(1):
                self._news.put(_Ready(child))
        child.process.wait()
        self._news.put(child)

    def _ended(self, child: _Child) -> bool:
        """Plan to start it again; False if that makes no sense."""
        code, lived = child.process.returncode, time.monotonic() - child.begun
        self._forget(child)
        if not self._proven and code in _HOPELESS:
            self._code = Exit(code)
            return False
        deaths = 0 if lived > GOOD_LIFE else self._deaths.get(child.index, 0)
        pause = BACKOFF[min(deaths, len(BACKOFF) - 1)]
        self._deaths[child.index] = deaths + 1
        self._again[child.index] = time.monotonic() + pause
        self._say(f"worker {child.index + 1} {_how(code)}; it is started again in {pause:g} s")
        return True

    def _forget(self, child: _Child) -> None:
        child.line.close()
        del self._children[child.index]

    def _stop(self) -> None:
        if self._children:
            self._say("stopping ...")
        self._signal(signal.SIGTERM)
        end = time.monotonic() + GRACE
        while self._children:
            match self._next(None):
                case _Child() as child:
                    self._forget(child)
                case signal.SIGTERM | signal.SIGINT:
                    end = 0.0
            if time.monotonic() > end:
                self._say("killing what has not stopped")
                self._signal(signal.SIGKILL)
                end = float("inf")

    def _signal(self, number: int, to: Callable[[_Child], bool] = lambda _: True) -> None:
        for child in filter(to, self._children.values()):
            with suppress(ProcessLookupError):
                child.process.send_signal(number)


def _how(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with code {code}"


@dataclass(slots=True)
class _Self:
    index: int = 0
    line: socket.socket | None = None


_self: Final = _Self()
"""What this process is to a supervisor."""


def hold_line() -> None:
    """Keep the line to the supervisor, out of reach of the user's code and its processes."""
    index = os.environ.pop(INDEX, None)
    if index is None:
        return
    _self.index, _self.line = int(index), socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def is_child() -> bool:
    """Whether a supervisor has started this process."""
    return _self.line is not None


def child_index() -> int:
    """Which of the supervisor's children this process is; 0 without a supervisor."""
    return _self.index


def report_ready() -> None:
    """Tell the supervisor that this process works; from now on it stops when that is gone."""
    if _self.line is not None:
        _self.line.sendall(b"r")
        threading.Thread(target=_end_with, args=(_self.line,), daemon=True).start()


def _end_with(line: socket.socket) -> None:
    with suppress(OSError):
        while line.recv(1):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
