"""What runs in a child process: it takes functions by name, calls them, and answers.

The pipe is read by a thread of its own, so that a child whose parent is gone ends at once,
whatever its function is doing.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import queue
import signal
import sys
import threading
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from types import CodeType, FrameType, TracebackType
from typing import Any, Final, TypeAlias

from stepwell.errors import HandlerInvalid, NotEncodable

READY: Final = b"ready"
Frame: TypeAlias = tuple[str, int, str, str]
"""File, line, function, and the function's qualified name."""


@dataclass(frozen=True, slots=True)
class Call:
    """A function, by the names of its module and itself, and its arguments."""

    module: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Returned:
    """What the function has returned."""

    value: Any


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception: itself, where it can be sent, and what is to be shown of it."""

    sent: bytes | None
    module: str
    name: str
    message: str
    frames: tuple[Frame, ...]


def main(pipe: Connection) -> None:
    """Answer calls until the parent closes the pipe, or is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the parent, which lets work end
        signal.signal(number, _ignore)
    calls: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(pipe, calls), daemon=True).start()
    pipe.send_bytes(READY)
    while True:
        pipe.send_bytes(_answer(calls.get()))


def revived(raised: Raised) -> BaseException:
    """The exception again, with the traceback that it had in the child."""
    error = _sent(raised) or _alike(raised)
    return error.with_traceback(_traceback(raised.frames))


def _ignore(number: int, frame: FrameType | None) -> None:
    """A function, for what is ignored for good would be so in the child's own children too."""


def _read(pipe: Connection, calls: queue.SimpleQueue[bytes]) -> None:
    with contextlib.suppress(EOFError, OSError):
        while True:
            calls.put(pipe.recv_bytes())
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    os._exit(0)


def _answer(call: bytes) -> bytes:
    try:
        answer: Returned | Raised = Returned(_called(ForkingPickler.loads(call)))
        return bytes(ForkingPickler.dumps(answer))
    except BaseException as error:
        return bytes(ForkingPickler.dumps(_raised(error)))
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()


def _called(call: Call) -> Any:
    value = _function(call)(**call.arguments)
    try:
        ForkingPickler.dumps(value)
    except Exception as error:
        raise NotEncodable(
            f"What {call.name} returned cannot be sent from its process.",
            why=f"{type(error).__name__}: {error}.",
            fix="Return an outcome of plain values, or of classes at the top level of a module.",
        ) from error
    return value


def _function(call: Call) -> Any:
    try:
        found: Any = importlib.import_module(call.module)
        for part in call.name.split("."):
            found = getattr(found, part)
    except Exception as error:
        raise HandlerInvalid(
            f"{call.module}.{call.name} cannot be imported in a process of its own.",
            why=f"{type(error).__name__}: {error}.",
            fix="Make it a `def` at the top level of a module that can be imported there.",
        ) from error
    return found


def _raised(error: BaseException) -> Raised:
    frames = tuple(
        (frame.f_code.co_filename, line, frame.f_code.co_name, frame.f_code.co_qualname)
        for frame, line in traceback.walk_tb(error.__traceback__)
    )
    kind = type(error)
    return Raised(_sendable(error), kind.__module__, kind.__qualname__, _message(error), frames)


def _sendable(error: BaseException) -> bytes | None:
    with contextlib.suppress(Exception):
        data = bytes(ForkingPickler.dumps(error))
        if type(ForkingPickler.loads(data)) is type(error):
            return data
    return None


def _message(error: BaseException) -> str:
    with contextlib.suppress(Exception):
        return str(error)
    return "(its message cannot be shown)"


def _sent(raised: Raised) -> BaseException | None:
    with contextlib.suppress(Exception):
        error = None if raised.sent is None else ForkingPickler.loads(raised.sent)
        return error if isinstance(error, BaseException) else None
    return None


def _alike(raised: Raised) -> BaseException:
    """Of the same class, where it is known here, so that retry policies see what it is."""
    kind = getattr(sys.modules.get(raised.module), raised.name, None)
    if isinstance(kind, type) and issubclass(kind, BaseException):
        with contextlib.suppress(Exception):
            error = kind.__new__(kind, raised.message)
            if str(error) == raised.message:
                return error
    return RuntimeError(f"{raised.module}.{raised.name}: {raised.message}")


def _traceback(frames: tuple[Frame, ...]) -> TracebackType | None:
    """A traceback that reads like the child's; its frames hold no variables."""
    made: TracebackType | None = None
    for place in reversed(frames):
        frame, instruction = _stood_at(place)
        made = TracebackType(made, frame, instruction, place[1])
    return made


def _stood_at(place: Frame) -> tuple[FrameType, int]:
    file, line, name, qualified = place
    code = compile("raise KeyError", file, "exec").replace(
        co_name=name, co_qualname=qualified, co_firstlineno=line
    )
    return _frame_of(code)


def _frame_of(code: CodeType) -> tuple[FrameType, int]:
    try:
        exec(code, {})  # noqa: S102 - it is the line above, at another place
    except KeyError as error:
        *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame, frame.f_lasti
