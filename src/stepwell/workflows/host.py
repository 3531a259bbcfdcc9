"""The parent's side of the process that runs a group's code (R14).

The engine lives here and the user's code there, so no code that blocks, crashes
or eats all memory can stop the engine's beat, and a timeout can really end it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn, Protocol, TypeAlias

import stepwell.schedules.errors  # noqa: F401 - so that errors of schedules revive as what they are
from stepwell.errors import StepwellError, revive
from stepwell.forked import Forked
from stepwell.workflows.approvals import Approval, ApprovalWanted
from stepwell.workflows.channel import Channel, ChannelClosed, Message
from stepwell.workflows.context import Versioned, Write
from stepwell.workflows.errors import AttemptFailed, GroupImportFailed, ProcessEnded, TimedOut
from stepwell.workflows.logbook import Log
from stepwell.workflows.manifest import Manifest, load_manifest
from stepwell.workflows.messages import (
    Call,
    Effects,
    read_effects,
    read_reports,
    write_call,
    write_versioned,
)
from stepwell.workflows.output import Echo, Output, pass_through
from stepwell.workflows.reports import Report

SECRETS: Final = ("STEPWELL_TOKEN",)
"""Not handed to the user's code, which acts through the runner only."""

Process: TypeAlias = subprocess.Popen[bytes] | Forked
Started: TypeAlias = tuple[Process, socket.socket]
"""A process of `child.main`, which leads a group of its own, and our end of its socket."""

_LOOK_EVERY: Final = 0.5
_CLOSING: Final = 20.0
"""Seconds that a process which has closed its channel may take to end, as with a large core."""
_LAST_WORDS: Final = 1000
"""So many messages of a process whose time is over are still heard: it may send them for ever."""


class Desk(Protocol):
    """Who serves the calls of a running operation."""

    def read(self, scope: str, key: str) -> Versioned | None:
        """The committed state entry."""
        ...

    def keys(self, scope: str, prefix: str) -> list[str]:
        """The keys that begin so, in order."""
        ...

    def report(self, report: Report) -> None:
        """Keep a report for the case that the operation fails or is killed."""
        ...

    def write_now(self, write: Write) -> None:
        """Commit a state change at once."""
        ...

    def progress(self, done: float, total: float | None, note: str) -> None:
        """The operation tells how far it is."""
        ...


class ChildHost:
    """Keeps one child process for the group at a path, and starts it anew after a loss.

    Not for several threads at once: a run executes one operation at a time.

    Parameters
    ----------
    path : the group's file or package.
    echo : what happens to each line of its output.
    log : takes each line too.
    environment : the child's, secrets left out; None: this process's own.
    started : the first child, where one is there already.
    """

    def __init__(
        self,
        path: Path,
        *,
        echo: Echo = pass_through,
        log: Log | None = None,
        environment: Mapping[str, str] | None = None,
        started: Started | None = None,
    ) -> None:
        self._path = path
        self._output = Output(echo, log)
        self._environment = dict(os.environ if environment is None else environment)
        self._process: Process | None = None
        self._started = started
        self._channel: Channel | None = None
        self._asked = 0
        self._manifest: Manifest | None = None

    def start(self) -> None:
        """Start the child if none runs; `manifest` waits until it has imported the group."""
        if self._process is None:
            started, self._started = self._started, None
            self._process, ours = started or self._spawn()
            self._channel = Channel(ours)
            self._manifest = None
            self._asked = 0
            self._output.follow(self._process.stdout, self._process.stderr)

    def manifest(self, timeout: float | None = None) -> Manifest:
        """What the group declares.

        Raises
        ------
        StepwellError : the group cannot be imported, or declares something wrong.
        TimedOut : importing takes longer than `timeout` seconds.
        """
        self.start()
        if self._manifest is None:
            message = self._first_message(timeout)
            if "broken" in message:
                self.stop()
                raise revive(message["broken"])
            self._manifest = load_manifest(message["ready"])
        return self._manifest

    def parameters(self, workflow: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values as the parameters of a workflow; raises `ParametersInvalid`."""
        self.manifest()
        request = {"ask": "parameters", "workflow": workflow, "values": dict(values)}
        done: dict[str, Any] = self._ask(request, None, None)
        return done

    def run(self, call: Call, desk: Desk, timeout: float | None = None) -> Effects:
        """Execute one operation.

        Raises
        ------
        AttemptFailed : it raised, took longer than `timeout` seconds, or its process ended.
        ApprovalWanted : it stops until a reviewer has answered.
        """
        self.manifest()
        return read_effects(self._ask({"ask": "run", "call": write_call(call)}, desk, timeout))

    def stop(self) -> None:
        """End the child and all that it has started; a later call starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        _kill_group(process)
        process.wait()
        self._output.end()
        if self._channel is not None:
            self._channel.close()

    def _spawn(self) -> Started:
        child = {k: v for k, v in self._environment.items() if k not in SECRETS}
        ours, theirs = socket.socketpair()
        end = theirs.fileno()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "stepwell.workflows.child", str(self._path), str(end)],
                pass_fds=[end],
                env={**child, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,
            )
        return process, ours

    def _first_message(self, timeout: float | None) -> Message:
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            return self._receive(deadline)
        except TimeoutError:
            self.stop()
            raise TimedOut(
                f"{self._path.name} takes longer than {timeout:g} s to import.",
                fix="Do slow work inside an operation, not while the module is imported.",
            ) from None
        except ProcessEnded as error:
            raise GroupImportFailed(
                f"{self._path.name} cannot be imported.",
                why=f"The process that imported it {_how(error)}",
                fix="See its output.",
            ) from error

    def _ask(self, request: Message, desk: Desk | None, timeout: float | None) -> Any:
        deadline = None if timeout is None else time.monotonic() + timeout
        self._asked += 1
        try:
            self._send(request)
            while True:
                message = self._receive(deadline)
                if _is_last(message):
                    return self._ended_with(message)
                assert desk is not None, "only operations call back"
                self._serve(message, desk)
        except TimeoutError:
            last = self._hear_out(desk)
            if last is not None:  # it had ended in time, and nobody came to hear it
                return self._ended_with(last)
            self.stop()
            raise TimedOut(
                f"It took longer than {timeout:g} s.",
                why="Its process was ended.",
                fix="Raise timeout= of the operation, or divide its work.",
            ) from None

    def _ended_with(self, message: Message) -> Any:
        self._output.wait_for(self._asked)
        return _reply(message)

    def _hear_out(self, desk: Desk | None) -> Message | None:
        """Hear what it told before its time was over, and nobody has come to yet; the end of
        the request, if that is among it."""
        for _ in range(_LAST_WORDS):
            try:
                message = self._channel.receive(0.0) if self._channel else {}
            except (TimeoutError, ChannelClosed):
                return None
            if _is_last(message):
                return message
            if desk is None:
                continue
            if "tell" in message:
                desk.progress(**message["values"])
            elif message.get("call") == "report":
                with suppress(StepwellError):  # whom it would be told has no time left
                    _answered(message, desk)
        return None

    def _serve(self, message: Message, desk: Desk) -> None:
        if "tell" in message:
            desk.progress(**message["values"])
            return
        try:
            answer = {"answer": _answered(message, desk)}
        except StepwellError as error:
            answer = {"error": error.as_dict()}
        self._send(answer)

    def _send(self, message: Message) -> None:
        channel = self._channel
        try:
            if channel is not None:
                channel.send(message)
        except ChannelClosed:
            pass  # what is received next says why

    def _receive(self, deadline: float | None) -> Message:
        """The next message; looks now and then whether the child lives, for what it has
        started may hold the channel open. What it sent before its end is heard first."""
        process, channel = self._process, self._channel
        if process is None or channel is None:
            raise ProcessEnded("The process that ran it was stopped.")
        ended = False
        while True:
            left = _LOOK_EVERY if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            try:
                return channel.receive(0.0 if ended else min(left, _LOOK_EVERY))
            except TimeoutError:
                if ended:
                    self._lost(process)
                ended = process.poll() is not None
            except ChannelClosed:
                self._lost(process)

    def _lost(self, process: Process) -> NoReturn:
        code = _wait_briefly(process)
        self.stop()
        raise ProcessEnded(f"The process that ran it {_end_words(code)}", fix=_end_remedy(code))


def _is_last(message: Message) -> bool:
    """Whether it is the end of a request."""
    return "done" in message or "failed" in message or "waits" in message


def _reply(message: Message) -> Any:
    if "done" in message:
        return message["done"]
    if "waits" in message:
        raise ApprovalWanted(Approval(**message["waits"]))
    error = revive(message["failed"])
    if isinstance(error, AttemptFailed):
        error.origin = str(message.get("origin", ""))
    raise error


def _answered(message: Message, desk: Desk) -> Any:
    if message["call"] == "read":
        return write_versioned(desk.read(message["scope"], message["key"]))
    if message["call"] == "keys":
        return desk.keys(message["scope"], message["prefix"])
    if message["call"] == "report":
        (report,) = read_reports([message["report"]])
        desk.report(report)
        return None
    desk.write_now(Write(**message["write"]))
    return None


def _kill_group(process: Process) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it is gone, and has left nothing behind


def _wait_briefly(process: Process) -> int | None:
    """Its exit code; None when it has closed the channel but goes on."""
    try:
        return process.wait(timeout=_CLOSING)
    except subprocess.TimeoutExpired:
        return None


def _how(error: ProcessEnded) -> str:
    return error.what.removeprefix("The process that ran it ")


def _end_words(code: int | None) -> str:
    if code is None:
        return "closed its connection to the runner."
    if code >= 0:
        return f"ended by itself with exit code {code}."
    try:
        return f"was ended by signal {-code} ({signal.Signals(-code).name})."
    except ValueError:
        return f"was ended by signal {-code}."


def _end_remedy(code: int | None) -> str:
    if code == -signal.SIGKILL:
        return "Often the system was out of memory: give it more, or handle less at a time."
    if code is not None and code < 0:
        return "A library crashed: see the end of its output."
    return "Do not call os._exit or close file descriptors that the operation has not opened."
