"""What the child writes to stdout and stderr, and how the runner reads it.

A structured line is marked by a record separator (as in RFC 7464), so that it keeps
its place among the other lines of stderr. A mark without a line says that all that an
operation has written came before it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TextIO

from stepwell.clock import now
from stepwell.workflows.lines import Line, rendered

SEPARATOR: Final = "\x1e"
PIECE: Final = 256 * 1024
"""Bytes of a line that are read at once; a longer line becomes several."""
_SHORT: Final = 32 * 1024
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of output: as people see it, and as a line; or a mark."""

    text: str = ""
    line: Line | None = None
    mark: int | None = None


class Structured(logging.Handler):
    """Writes records as structured lines."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; see `logging.Handler`."""
        try:
            self._stream.write(_structured(record))
            self._stream.flush()
        except Exception:  # as the handlers of the standard library do
            self.handleError(record)


def mark(number: int) -> None:
    """Say on both streams that what follows belongs to something else."""
    text = f'{SEPARATOR}{{"mark":{number}}}\n'.encode()
    for descriptor in (1, 2):
        try:
            os.write(descriptor, text)
        except OSError:  # closed by the user's code: then nothing more comes on it
            pass


def heard(stream: str, raw: bytes) -> Iterator[Said]:
    """What a line of output says, with its end; usually one thing."""
    text = raw.decode(errors="replace")
    plain, separator, record = text.partition(SEPARATOR)
    if plain or not separator:
        yield Said(plain, Line(_milliseconds(), stream, 0, plain.rstrip("\r\n")))
    if separator:
        yield _read(stream, record)


def _read(stream: str, text: str) -> Said:
    try:
        record = json.loads(text)
        if "mark" in record:
            return Said(mark=int(record["mark"]))
        fields = {"logger": str(record["logger"]), **record["fields"]}
        line = Line(int(record["at"]), "log", int(record["level"]), str(record["text"]), fields)
    except (ValueError, TypeError, KeyError):  # the user's own
        return Said(text, Line(_milliseconds(), stream, 0, text.rstrip("\r\n")))
    return Said(f"{rendered(line)}\n", line)


def _structured(record: logging.LogRecord) -> str:
    said: dict[str, Any] = {
        "at": int(record.created * 1000),
        "level": min(max(record.levelno, 0), 100),
        "logger": record.name,
        "text": _text(record),
        "fields": {key: value for key, value in vars(record).items() if key not in _OWN},
    }
    written = json.dumps(said, default=str)
    if len(written) > PIECE - 2:  # it would be read in pieces
        written = json.dumps({**said, "text": said["text"][:_SHORT], "fields": {}})
    return f"{SEPARATOR}{written}\n"


def _text(record: logging.LogRecord) -> str:
    """The message, and the traceback that belongs to it."""
    text = record.getMessage()
    if record.exc_info:
        text = f"{text}\n{_FORMATTER.formatException(record.exc_info)}"
    return f"{text}\n{record.stack_info}" if record.stack_info else text


def _milliseconds() -> int:
    return int(now().timestamp() * 1000)


_FORMATTER: Final[Any] = logging.Formatter()
