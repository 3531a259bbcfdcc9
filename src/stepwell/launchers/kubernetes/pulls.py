"""What earlier pulls of an image tell of the next one: how large it is, and how long it takes.

A node says so when it has pulled one: `Successfully pulled image "x" in 3.2s (3.2s including
waiting). Image size: 12345 bytes.`
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

LATEST: Final = 9
"""So many pulls of an image are remembered."""
IMAGES: Final = 500
"""So many images are, those that were pulled last."""

_PULLED: Final = re.compile(
    r'Successfully pulled image "(?P<image>[^"]+)" in (?P<took>[0-9.a-zµ]+)'
    r"(?:.*?Image size: (?P<size>\d+) bytes)?"
)
_SPANS: Final = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|µs|us|ns)")
_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "us": 1e-6, "ns": 1e-9}


@dataclass(slots=True)
class _Known:
    size: int | None = None
    took: deque[float] = field(default_factory=lambda: deque(maxlen=LATEST))
    events: deque[str] = field(default_factory=lambda: deque(maxlen=LATEST))


class Pulls:
    """The pulls that events have told of. Only pulls over the network are told so: an image that
    was there already is not."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def note(self, event: Mapping[str, Any]) -> None:
        """An event of a pod; the same one again is no other pull."""
        found = _PULLED.match(str(event.get("message", ""))) if _is_pull(event) else None
        if found is None:
            return
        about = event["metadata"]
        mark = str(about.get("uid") or about.get("name"))
        with self._lock:
            known = self._known.pop(found["image"], None) or _Known()
            self._known[found["image"]] = known  # the last in order
            if mark not in known.events:
                known.events.append(mark)
                known.took.append(seconds(found["took"]))
            known.size = int(found["size"]) if found["size"] else known.size
            if len(self._known) > IMAGES:
                del self._known[next(iter(self._known))]

    def of(self, image: str) -> dict[str, Any]:
        """`size` in bytes and `usual` in seconds, as far as they are known."""
        with self._lock:
            known = self._known.get(image)
            if known is None:
                return {}
            size = {} if known.size is None else {"size": known.size}
            return {**size, "usual": _rounded(median(known.took))}


def seconds(text: str) -> float:
    """A span as Go writes it: '1m3.2s', '850ms'."""
    return sum(float(amount) * _SECONDS[unit] for amount, unit in _SPANS.findall(text))


def _is_pull(event: Mapping[str, Any]) -> bool:
    return event.get("reason") == "Pulled"


def _rounded(amount: float) -> float:
    return round(amount) if amount >= 10 else round(amount, 1)
