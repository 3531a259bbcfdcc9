"""The engine's events as log lines of the standard logger `stepwell`.

What is normally too much to write can be raised for a while at run time: by
`raise_level` in the program, by SIGUSR1 from outside. It falls back by itself:
each line compares the time with the instant it was raised until, so no timer
can be lost and no logger's level is left changed.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import FrameType
from typing import Any, Final

from stepwell.clock import SYSTEM, Clock, as_utc
from stepwell.errors import InvalidInput
from stepwell.events import Event, subscribe

LOG: Final = logging.getLogger("stepwell")

TOGGLED_FOR: Final = timedelta(minutes=10)
"""How long a signal raises the level."""

_LEVELS: Final = {
    "engine.started": logging.INFO,
    "engine.stopped": logging.INFO,
    "engine.buried": logging.WARNING,
    "engine.declared_dead": logging.WARNING,
    "engine.abandoned": logging.WARNING,
    "engine.beat_failed": logging.WARNING,
    "engine.claim_failed": logging.WARNING,
    "engine.hold_failed": logging.WARNING,
    "engine.settle_failed": logging.WARNING,
    "engine.leave_failed": logging.WARNING,
    "step.rejected": logging.ERROR,
    "step.refused": logging.WARNING,
    "step.abandoned": logging.WARNING,
    "step.timed_out": logging.WARNING,
    "step.returned_late": logging.WARNING,
    "step.interrupted": logging.INFO,
    "engine.deadline_failed": logging.ERROR,
    "engine.loop_failed": logging.ERROR,
}


@dataclass(frozen=True, slots=True, eq=False)
class _Raise:
    level: int
    prefixes: tuple[str, ...]
    until: datetime
    clock: Clock

    def lets_through(self, event: Event, level: int) -> bool:
        return (
            level >= self.level
            and self.clock.now() < self.until
            and (not self.prefixes or _begins(event, self.prefixes))
        )


_raises: tuple[_Raise, ...] = ()
_changing = threading.RLock()  # a signal may come while this very thread holds it


def log_events() -> Callable[[], None]:
    """Write each event as one log line from now on; returns the function that ends it."""
    return subscribe(_write)


def raise_level(
    *prefixes: str, until: datetime, level: int = logging.DEBUG, clock: Clock = SYSTEM
) -> Callable[[], None]:
    """Write lines down to `level` until an instant, whatever the logger's own level is.

    The handlers of the logger may still refuse them by a level of their own.

    Parameters
    ----------
    prefixes : only events of steps whose name begins with one of them ('v1/invoice'), or
        whose own name does ('engine.'); none is all events.
    until : aware; from then on all is as before.
    level : of the standard library, DEBUG by default.

    Returns
    -------
    The function that ends it early.

    Raises
    ------
    InvalidInput : an instant without a time zone, or one that has passed.
    """
    end = as_utc(until)
    if end <= clock.now():
        raise InvalidInput(
            f"{end.isoformat()} has passed.",
            why="A level is raised until an instant that is still to come.",
            fix="Use for example clock.now() + timedelta(minutes=10).",
        )
    made = _Raise(level, prefixes, end, clock)
    _change(lambda present: (*present, made))
    return lambda: _change(lambda present: tuple(one for one in present if one is not made))


def toggle_on_signal(
    number: int = signal.SIGUSR1, lasting: timedelta = TOGGLED_FOR, clock: Clock = SYSTEM
) -> Callable[[], None]:
    """Let a signal raise the level of all events to DEBUG, and the next one lower it again.

    Call it in the main thread.

    Returns
    -------
    The function that gives the signal back to who had it before.
    """
    ends: list[Callable[[], None]] = []
    latest = [clock.now()]

    def toggle(_number: int, _frame: FrameType | None) -> None:
        if ends and clock.now() < latest[0]:
            ends.pop()()
            _say("The level of the log is as before.")
        else:
            latest[0] = clock.now() + lasting
            ends[:] = [raise_level(until=latest[0], clock=clock)]
            _say(f"Every event is logged until {latest[0]:%H:%M:%S} UTC, or the next signal.")

    before = signal.signal(number, toggle)
    return lambda: _restore(number, before, ends)


def _say(text: str) -> None:
    # By a thread: the signal may have come while this one was writing a line.
    threading.Thread(target=LOG.warning, args=(text,), daemon=True).start()


def _restore(number: int, before: Any, ends: list[Callable[[], None]]) -> None:
    signal.signal(number, before)
    for end in ends:
        end()


def _change(made: Callable[[tuple[_Raise, ...]], tuple[_Raise, ...]]) -> None:
    global _raises  # noqa: PLW0603 - one process, one log
    with _changing:
        _raises = tuple(one for one in made(_raises) if one.clock.now() < one.until)


def _write(event: Event) -> None:
    level = _LEVELS.get(event.name, logging.DEBUG)
    if event.fields.get("error") and level < logging.WARNING:
        level = logging.WARNING
    if LOG.isEnabledFor(level):
        LOG.log(level, _FORM, event.name, _fields(event.fields), extra={"event": event})
    elif _raises and any(one.lets_through(event, level) for one in _raises):
        _force(event, level)


_FORM: Final = "%s %s"


def _force(event: Event, level: int) -> None:
    """Past the logger's level, which stays what it is, to its handlers."""
    said = (event.name, _fields(event.fields))
    LOG.handle(LOG.makeRecord(LOG.name, level, "", 0, _FORM, said, None, extra={"event": event}))


def _begins(event: Event, prefixes: tuple[str, ...]) -> bool:
    return event.name.startswith(prefixes) or str(event.fields.get("name", "")).startswith(prefixes)


def _fields(fields: Any) -> str:
    return " ".join(f"{key}={_short(value)}" for key, value in fields.items() if value is not None)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
