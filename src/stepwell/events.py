"""The engine's only voice: it emits events, and others log, count and trace.

An `Event` is a name and plain fields. `subscribe` adds a listener for the
process; a listener that raises is dropped from nothing and stops nobody: its
error goes to the standard logger and the engine goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

_LOG = logging.getLogger("stepwell.events")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: a dotted name and JSON-able fields (durations in seconds)."""

    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)


Listener: TypeAlias = Callable[[Event], None]
_listeners: tuple[Listener, ...] = ()
_changing = threading.Lock()


def subscribe(listener: Listener) -> Callable[[], None]:
    """Call `listener` with each event from now on; returns the function that ends it."""
    global _listeners  # noqa: PLW0603 - one process, one voice

    def hear(event: Event) -> None:  # an object of its own: the same listener may come twice
        listener(event)

    with _changing:
        _listeners = (*_listeners, hear)
    return lambda: _unsubscribe(hear)


def _unsubscribe(hear: Listener) -> None:
    global _listeners  # noqa: PLW0603
    with _changing:
        _listeners = tuple(one for one in _listeners if one is not hear)


def heard() -> bool:
    """Whether anybody listens: what an event costs to make can be saved where it happens often."""
    return bool(_listeners)


def emit(name: str, /, **fields: Any) -> None:
    """Tell every listener, in the caller's thread."""
    if not _listeners:
        return
    event = Event(name, fields)
    for listener in _listeners:
        try:
            listener(event)
        except Exception:
            _LOG.exception("listener %r failed on %s", listener, name)


@contextmanager
def span(name: str, /, **fields: Any) -> Iterator[dict[str, Any]]:
    """Emit `name` when the block ends, with `duration` and, if it raised, `error`.

    Yields a dict whose items are added to the event.
    """
    more: dict[str, Any] = {}
    begun = time.monotonic()
    try:
        yield more
    except BaseException as error:
        more["error"] = f"{type(error).__name__}: {error}"
        raise
    finally:
        emit(name, **fields, **more, duration=time.monotonic() - begun)
