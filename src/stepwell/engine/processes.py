"""A pool of processes for handlers that need the CPU for long.

Each child takes one call at a time over its own pipe, so one can be killed, or die, without
harm to the others. Children are started when they are needed, never forked: a fork of a
program with threads is a gamble.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any, Final

from stepwell.engine.child import READY, Call, Raised, main, revived
from stepwell.errors import EngineRunning, NotDecodable, NotEncodable, ProcessDied

NAME: Final = "stepwell-child"
START_SECONDS: Final = 60.0
"""How long a child may take to import the program."""
END_SECONDS: Final = 2.0
"""How long a child that was told to end may take."""


class Child:
    """One process, and the parent's end of its pipe."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe: Connection
        self._pipe, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(
            target=main, args=(theirs,), name=NAME, daemon=True
        )
        self._process.start()
        theirs.close()
        self.alive = True

    def await_ready(self) -> None:
        """Block until it has imported the program; raises `ProcessDied`."""
        if not self._pipe.poll(START_SECONDS):
            self.kill()
        self._received(f"It could not start, within {START_SECONDS:g} s.", READY)

    def ask(self, call: bytes) -> Any:
        """What the function returns; raises what it raises, or `ProcessDied`."""
        try:
            self._pipe.send_bytes(call)
        except OSError:
            raise self._died("It ended before it was called.") from None
        answer = _loaded(self._received("It ended before the handler returned."))
        if isinstance(answer, Raised):
            raise revived(answer)
        return answer.value

    def kill(self) -> None:
        """End it, whatever it does; if it has just answered, nobody is to call it again."""
        self.alive = False
        self._process.kill()

    def close(self) -> None:
        """Tell it to end; it is gone when this returns."""
        self.alive = False
        self._pipe.close()
        self._process.join(END_SECONDS)
        if self._process.is_alive():
            self.kill()
            self._process.join()

    def _received(self, otherwise: str, expected: bytes | None = None) -> bytes:
        try:
            answer = self._pipe.recv_bytes()
        except (EOFError, OSError):
            raise self._died(otherwise) from None
        assert expected is None or answer == expected, "a child says first that it is ready"
        return answer

    def _died(self, what: str) -> ProcessDied:
        self.close()
        return ProcessDied(
            f"The handler's process is gone: {_cause(self._process.exitcode)}.", why=what
        )


class Job:
    """One call, which can be ended from outside at any time.

    Parameters
    ----------
    begun : called when a child has taken it up.
    """

    def __init__(self, begun: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._killed = False
        self.begun = begun

    def kill(self) -> None:
        """End the child, if it is at this call; the child of another call is left alone."""
        with self._lock:
            self._killed = True
            if self._child is not None:
                self._child.kill()

    def given_to(self, child: Child | None) -> bool:
        """The child that has it, or none any more; False if it was killed before."""
        with self._lock:
            self._child = child
            return not self._killed


class Processes:
    """The children of one engine.

    Parameters
    ----------
    most : how many there are at most.
    """

    def __init__(self, most: int) -> None:
        self._free = threading.Condition()
        self._idle: list[Child] = []
        self._children: set[Child] = set()
        self._most, self._starting, self._over = most, 0, False

    def call(self, job: Job, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        """Call a function in a child; blocks until one is free, and until it has answered.

        Raises
        ------
        NotEncodable : the arguments cannot be sent to a process.
        ProcessDied : the child has ended, by itself or because it was killed.
        BaseException : what the function raised.
        """
        call = _dumped(function, arguments)
        child = self._taken()
        try:
            if not job.given_to(child):
                raise ProcessDied("The handler was ended before it began.")
            job.begun()
            return child.ask(call)
        finally:
            job.given_to(None)
            self._give_back(child)

    def stop(self) -> None:
        """End all children, and start none any more."""
        with self._free:
            self._over = True
            idle, self._idle = self._idle, []
            busy = self._children.difference(idle)
            self._free.notify_all()
        for child in busy:  # their callers find them dead, and close them
            child.kill()
        for child in idle:
            child.close()

    def _taken(self) -> Child:
        with self._free:
            while (
                not self._over
                and not self._idle
                and len(self._children) + self._starting >= self._most
            ):
                self._free.wait()
            if self._over:
                raise ProcessDied("The engine has stopped.")
            if self._idle:
                return self._idle.pop()
            self._starting += 1
        return self._started()

    def _started(self) -> Child:
        child = None
        try:
            child = Child()
            child.await_ready()
        finally:
            with self._free:
                self._starting -= 1
                if child is not None and child.alive:
                    self._children.add(child)
                self._free.notify()
        return child

    def _give_back(self, child: Child) -> None:
        with self._free:
            if child.alive and not self._over:
                self._idle.append(child)
            else:
                self._children.discard(child)
            self._free.notify()
        if not child.alive:
            child.close()


def forbid_in_child() -> None:
    """Refuse to start an engine where a program is imported for the sake of a handler.

    Raises
    ------
    EngineRunning : this is a child of an engine.
    """
    if multiprocessing.current_process().name == NAME:
        raise EngineRunning.in_child()


def _dumped(function: Callable[..., Any], arguments: dict[str, Any]) -> bytes:
    try:
        call = Call(function.__module__, function.__qualname__, arguments)
        return bytes(ForkingPickler.dumps(call))
    except Exception as error:
        raise NotEncodable(
            f"The arguments of {function.__qualname__} cannot be sent to its process.",
            why=f"{type(error).__name__}: {error}.",
            fix="Use plain values, or classes at the top level of a module.",
        ) from error


def _loaded(answer: bytes) -> Any:
    try:
        return ForkingPickler.loads(answer)
    except Exception as error:
        raise NotDecodable(
            "What the handler returned in its process cannot be read here.",
            why=f"{type(error).__name__}: {error}.",
            fix="Return an outcome of plain values.",
        ) from error


def _cause(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"it ended with exit code {exit_code}"
    name = signal.Signals(-exit_code).name
    memory = " (has it taken too much memory?)" if name == "SIGKILL" else ""
    return f"it ended with {name}{memory}"
