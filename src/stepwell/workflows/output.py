"""The child's output: read, passed on, and entered in the log in the same order."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import IO, Final, TypeAlias

from stepwell.workflows.logbook import Log
from stepwell.workflows.streams import PIECE, Said, heard

Echo: TypeAlias = Callable[[str, str], None]
"""What happens to a line of the child's output: stream ('stdout', 'stderr') and text."""

PATIENCE: Final = 5.0
"""Seconds that the end of an operation, or of its process, waits for what it has written: a
busy machine may not let the readers run for a while."""
TURNS: Final = 10
"""In so many turns: a process that was itself stopped for long gives its readers time then."""


def pass_through(stream: str, line: str) -> None:
    """Write a line of the child's output to the same stream of this process."""
    target = sys.stdout if stream == "stdout" else sys.stderr
    target.write(line)
    target.flush()


class Output:
    """Both streams of one child after the other.

    Parameters
    ----------
    echo : called with each line.
    log : takes each line too; the order is that of `echo`.
    """

    def __init__(self, echo: Echo, log: Log | None) -> None:
        self._echo, self._log = echo, log
        self._seen = threading.Condition()
        self._marks: dict[str, int] = {}
        self._readers: list[threading.Thread] = []

    def follow(self, stdout: IO[bytes] | None, stderr: IO[bytes] | None) -> None:
        """Read the streams of a child that was just started."""
        self._marks = {"stdout": 0, "stderr": 0}
        self._readers = [self._reader("stdout", stdout), self._reader("stderr", stderr)]

    def wait_for(self, mark: int) -> None:
        """Until all that was written before the mark is read, or the streams have ended."""
        if self._log is not None:
            with self._seen:
                for _ in range(TURNS):
                    if self._seen.wait_for(lambda: self._has_come(mark), PATIENCE / TURNS):
                        return

    def end(self) -> None:
        """The child is gone; read what it has left."""
        for reader in self._readers:
            for _ in range(TURNS):
                reader.join(timeout=PATIENCE / TURNS)

    def _has_come(self, mark: int) -> bool:
        return all(number >= mark for number in self._marks.values())

    def _reader(self, stream: str, pipe: IO[bytes] | None) -> threading.Thread:
        thread = threading.Thread(target=self._pump, args=(stream, pipe), daemon=True)
        thread.start()
        return thread

    def _pump(self, stream: str, pipe: IO[bytes] | None) -> None:
        marks = self._marks
        assert pipe is not None, "the child was started without pipes"
        try:
            with pipe:
                while raw := pipe.readline(PIECE):
                    for said in heard(stream, raw):
                        self._take(stream, said)
        finally:
            with self._seen:
                marks.pop(stream, None)  # nobody waits for it any more
                self._seen.notify_all()

    def _take(self, stream: str, said: Said) -> None:
        with self._seen:
            if said.mark is not None:
                self._marks[stream] = said.mark
                self._seen.notify_all()
            elif said.line is not None:
                self._echo(stream, said.text)
                if self._log is not None:
                    self._log.add(said.line, len(said.text.encode(errors="replace")))
