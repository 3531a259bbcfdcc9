"""What a container wrote: the engine's frames, taken apart; head and tail of it all."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

_HEADER: Final = 8


def frames(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The contents of frames: a byte for the stream, three zeros, four of length (big endian)."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= _HEADER:
            end = _HEADER + int.from_bytes(held[4:_HEADER], "big")
            if len(held) < end:
                break
            yield bytes(held[_HEADER:end])
            del held[:end]


class HeadAndTail:
    """The first and the last half of `limit` bytes; it never holds much more.

    Parameters
    ----------
    limit : in bytes.
    """

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._length = self._dropped = 0

    def add(self, data: bytes) -> None:
        """Take what comes next."""
        room = self._half - len(self._head)
        self._head += data[:room]
        if rest := data[room:]:
            self._tail.append(rest)
            self._length += len(rest)
            self._trim()

    def text(self) -> str:
        """All of it, with a mark where the middle was cut."""
        mark = f"\n... {self._dropped:,} bytes were cut here ...\n" if self._dropped else ""
        return _decoded(self._head) + mark + _decoded(b"".join(self._tail))

    def _trim(self) -> None:
        while self._length > self._half:
            first, over = self._tail.popleft(), self._length - self._half
            if kept := first[over:]:
                self._tail.appendleft(kept)
            cut = len(first) - len(kept)
            self._length, self._dropped = self._length - cut, self._dropped + cut


def _decoded(data: bytes | bytearray) -> str:
    return data.decode(errors="replace")
