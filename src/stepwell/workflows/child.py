"""The child process: it imports the group and runs its operations, one at a time, when asked.

Started by `host.ChildHost` as `python -m stepwell.workflows.child PATH FD`. The main
thread runs the user's code; a second one reads the channel, so that the child
ends at once, with all that it has started, when the engine's process is gone.
"""

from __future__ import annotations

import asyncio
import inspect
import io
import itertools
import logging
import os
import queue
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

from stepwell.engine.fingerprint import origin
from stepwell.errors import StepwellError, revive
from stepwell.workflows.approvals import ApprovalWanted, as_entry
from stepwell.workflows.bound import Operation, Workflow
from stepwell.workflows.channel import Channel, ChannelClosed, Message
from stepwell.workflows.context import Context, Versioned, Write
from stepwell.workflows.describing import BoundGroup, describe
from stepwell.workflows.errors import (
    AttemptFailed,
    WorkflowUnknown,
)
from stepwell.workflows.frames import headline, own_frames
from stepwell.workflows.loading import load_group
from stepwell.workflows.messages import (
    Call,
    Effects,
    read_call,
    read_versioned,
    write_effects,
    write_reports,
)
from stepwell.workflows.parsing import parse
from stepwell.workflows.references import LARGEST
from stepwell.workflows.reports import Report
from stepwell.workflows.schema import read, write
from stepwell.workflows.streams import Structured, mark
from stepwell.workflows.tracing import within


def main(arguments: list[str]) -> None:
    """Serve the group at a path over an inherited socket until the other end closes."""
    path, descriptor = Path(arguments[0]).absolute(), int(arguments[1])
    os.set_inheritable(descriptor, False)
    channel = Channel(socket.socket(fileno=descriptor))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # an own image may not set PYTHONUNBUFFERED
    logging.basicConfig(level=logging.INFO, handlers=[Structured(sys.stderr)])
    try:
        group = describe(*load_group(path))
    except StepwellError as error:
        _flush()  # the answer to this is the end of this process
        channel.send({"broken": error.as_dict()})
        return
    channel.send({"ready": group.manifest.as_json()})
    Child(channel, group, path).serve()


class Child:
    """Answers requests with the operations of one group."""

    def __init__(self, channel: Channel, group: BoundGroup, path: Path) -> None:
        self._channel = channel
        self._group = group
        self._path = path
        self._requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._calling = threading.Lock()

    def serve(self) -> None:
        """Run what is asked for; never returns."""
        threading.Thread(target=self._listen, name="stepwell-channel", daemon=True).start()
        for number in itertools.count(1):
            reply = self._reply(self._requests.get())
            _flush()
            mark(number)
            self._channel.send(reply)

    def read(self, scope: str, key: str) -> Versioned | None:
        """Of `Link`: the committed state entry."""
        return read_versioned(self._call({"call": "read", "scope": scope, "key": key}))

    def keys(self, scope: str, prefix: str) -> list[str]:
        """Of `Link`: the keys that there are."""
        found: list[str] = self._call({"call": "keys", "scope": scope, "prefix": prefix})
        return found

    def write_now(self, change: Write) -> None:
        """Of `Link`: commit a state change at once."""
        fields = {name: getattr(change, name) for name in Write.__slots__}
        self._call({"call": "write-now", "write": fields})

    def progress(self, done: float, total: float | None, note: str) -> None:
        """Of `Link`: tell how far it is."""
        values = {"done": done, "total": total, "note": note}
        self._channel.send({"tell": "progress", "values": values})

    def report(self, report: Report) -> None:
        """Of `Link`: hand over a report for the case that the operation fails, or is killed with
        the whole container: when this returns, the server has it."""
        (values,) = write_reports([report])
        self._call({"call": "report", "report": values})

    def _listen(self) -> None:
        try:
            while True:
                message = self._channel.receive()
                (self._requests if "ask" in message else self._answers).put(message)
        except ChannelClosed:
            _end_group()

    def _call(self, message: Message) -> Any:
        with self._calling:
            self._channel.send(message)
            answer = self._answers.get()
        if "error" in answer:
            raise revive(answer["error"])
        return answer["answer"]

    def _reply(self, request: Message) -> Message:
        try:
            if request["ask"] == "parameters":
                return {"done": self._parameters(request)}
            return {"done": write_effects(self._run(read_call(request["call"])))}
        except ApprovalWanted as wanted:
            return {"waits": as_entry(wanted.approval)}
        except StepwellError as error:
            return {"failed": error.as_dict(), "origin": getattr(error, "origin", "")}

    def _parameters(self, request: Message) -> dict[str, Any]:
        return parse(self._workflow(request["workflow"]), request["values"])

    def _workflow(self, name: str) -> Workflow:
        try:
            return self._group.workflows[name]
        except KeyError:
            raise WorkflowUnknown(
                f"The group {self._group.manifest.group.name!r} has no workflow {name!r}.",
                fix=f"It has: {', '.join(self._group.workflows)}.",
            ) from None

    def _run(self, call: Call) -> Effects:
        workflow = self._workflow(call.facts.workflow)
        operation = workflow.operation(call.facts.operation)
        context = Context(call.facts, self)
        instance = _instance(workflow, call)
        arguments = _arguments(operation, call, context)
        with within(call.facts):
            value = self._value(operation, instance, arguments)
        result = write(operation.returns, value, f"The result of {operation.name!r}", LARGEST)
        return Effects(
            result=result, writes=context.state.writes, reports=list(context.reports.values())
        )

    def _value(self, operation: Operation, instance: Any, arguments: dict[str, Any]) -> Any:
        try:
            value = operation.function(instance, **arguments)
            return asyncio.run(value) if inspect.iscoroutine(value) else value
        except ApprovalWanted:
            raise
        except BaseException as error:  # also SystemExit: an operation that calls sys.exit
            failed = AttemptFailed(f"{headline(error)}\n{own_frames(error, self._path)}".rstrip())
            failed.origin = origin(error)
            raise failed from error


def _instance(workflow: Workflow, call: Call) -> Any:
    """A new object for each operation: nothing is handed on in memory, for a retry or the
    next operation may run in another process."""
    instance = workflow.cls()
    for name, parameter in workflow.parameters.items():
        given = call.parameters.get(name, parameter.default)
        setattr(instance, name, read(parameter.annotation, given, f"The parameter {name!r}"))
    return instance


def _arguments(operation: Operation, call: Call, context: Context) -> dict[str, Any]:
    arguments = {
        one.name: read(one.annotation, call.inputs[one.name], f"The input {one.name!r}")
        for one in operation.inputs
        if one.name in call.inputs
    }
    return arguments if operation.context is None else {**arguments, operation.context: context}


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # closed by the user's code: nothing to save
            pass


def _end_group() -> NoReturn:
    """End this process and what it has started: nobody is left to hear of it."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
