"""The log of a run's container: lines as they come, sent in segments while it runs (R39)."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from uuid import UUID

from stepwell.errors import Denied, StepwellError, Unavailable
from stepwell.stores.http import ServerLink
from stepwell.workflows.lines import SEGMENT, Line, packed, written

EVERY: Final = 0.3
"""Seconds for which lines are collected before they are sent."""
WAITING: Final = 100 * 1024 * 1024
"""Bytes of text that may wait for a server that is away; then the oldest go."""
FAREWELL: Final = 5.0
"""Seconds that the end of a container waits for its last lines to be sent."""
_BACKOFF: Final = (0.5, 1.0, 2.0, 5.0)


class Log(Protocol):
    """Who takes the lines of the child."""

    def begin(self, operation: str | None, execution: int | None = None) -> None:
        """What comes from now on is of this operation."""
        ...

    def add(self, line: Line, size: int) -> None:
        """A line, and how many bytes of output it was."""
        ...


@dataclass(slots=True)
class Segment:
    """Lines of one operation's execution, and what the server wants to know of them."""

    number: int
    first_line: int
    operation: str | None = None
    execution: int | None = None
    written: int = 0
    closed: bool = False
    lines: int = 0
    sent: int = 0
    size: int = 0
    texts: list[str] = field(default_factory=list)
    content: bytes = b""

    def about(self) -> dict[str, str]:
        """The parameters of the request that sends it."""
        own = {"operation": self.operation, "execution": self.execution}
        known = {name: str(value) for name, value in own.items() if value is not None}
        return {
            "segment": str(self.number),
            "first_line": str(self.first_line),
            "written": str(self.written),
            "closed": str(self.closed).lower(),
            **known,
        }


Send = Callable[[dict[str, str], bytes], Any]


class LogBook:
    """Collects the lines of all operations, and sends them from a thread of its own.

    Nobody who writes a line waits for the server. A server that is away is tried
    again; what it never gets, the launcher's own output still has.

    Parameters
    ----------
    send : gives a segment to the server: what it says of itself, and its content.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._changed = threading.Condition()
        self._open = Segment(0, 0)
        self._closed: deque[Segment] = deque()
        self._waiting = 0
        self._over = self._given_up = False
        self._thread = threading.Thread(target=self._run, name="stepwell-log", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def begin(self, operation: str | None, execution: int | None = None) -> None:
        """Of `Log`."""
        with self._changed:
            self._turn(operation, execution)

    def add(self, line: Line, size: int) -> None:
        """Of `Log`."""
        with self._changed:
            if self._given_up:
                return
            now, text = self._open, written(line)
            now.texts.append(text)
            now.lines += 1
            now.size += len(text)
            now.written += size
            if now.size >= SEGMENT:
                self._turn(now.operation, now.execution)
            if now.lines == now.sent + 1 or now.closed:
                self._changed.notify()

    def close(self, timeout: float) -> None:
        """Send what is left, for so many seconds at most."""
        with self._changed:
            self._turn(None, None)
            self._over = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _turn(self, operation: str | None, execution: int | None) -> None:
        """Close the open segment, if it has lines, and open the next."""
        now = self._open
        if not now.lines:
            now.operation, now.execution = operation, execution
            return
        now.closed, now.content = True, packed("".join(now.texts))
        now.texts = []
        self._closed.append(now)
        self._waiting += now.size
        while self._waiting > WAITING and len(self._closed) > 1:
            self._waiting -= self._closed.popleft().size
        end = now.first_line + now.lines
        self._open = Segment(now.number + 1, end, operation, execution, now.written)

    # -- the thread ------------------------------------------------------------

    def _run(self) -> None:
        while (found := self._next()) is not None:
            segment, about, content, lines = found
            if not self._deliver(about, content):
                return
            with self._changed:
                segment.sent = lines

    def _next(self) -> tuple[Segment, dict[str, str], bytes, int] | None:
        """What to send now: a closed segment, or what the open one has grown to."""
        with self._changed:
            while not self._closed:
                if self._over:
                    return None
                if self._open.lines > self._open.sent and not self._more_within(self._pause()):
                    return self._growing()
                if not self._closed and self._open.lines == self._open.sent:
                    self._changed.wait()
            done = self._closed.popleft()
            self._waiting -= done.size
            return done, done.about(), done.content, done.lines

    def _pause(self) -> float:
        """A long segment is sent less often, for it is sent whole."""
        return EVERY * (1 + self._open.size / SEGMENT)

    def _more_within(self, seconds: float) -> bool:
        """Whether a segment is closed, or the end comes, in that time."""
        return self._changed.wait_for(lambda: bool(self._closed) or self._over, seconds)

    def _growing(self) -> tuple[Segment, dict[str, str], bytes, int]:
        now = self._open
        return now, now.about(), packed("".join(now.texts)), now.lines

    def _deliver(self, about: dict[str, str], content: bytes) -> bool:
        """Whether there is any use in going on."""
        tries = 0
        while True:
            try:
                self._send(about, content)
                return True
            except Unavailable:
                if self._over and tries:
                    return False
                time.sleep(_BACKOFF[min(tries, len(_BACKOFF) - 1)])
                tries += 1
            except StepwellError as error:
                self._give_up(error)
                return False

    def _give_up(self, error: StepwellError) -> None:
        """An older server takes no log, or the token was revoked; the run goes on or ends by
        itself."""
        with self._changed:
            self._given_up = True
            self._closed.clear()
            self._open.texts.clear()
        if not isinstance(error, Denied):
            sys.stderr.write(f"stepwell: the log is not sent any more: {error}\n")


def sender(link: ServerLink, run_id: UUID) -> Send:
    """Sends to the routes of a run."""
    path = f"/api/v1/runs/{run_id}/logs/segments"
    return lambda about, content: link.post_bytes(path, content, **about)
