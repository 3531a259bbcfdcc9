"""JSON messages over a socket pair: how the engine's process and the group's process talk."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from typing import Any, Final

_LENGTH: Final = struct.Struct(">Q")
_CHUNK: Final = 1 << 16

Message = dict[str, Any]


class ChannelClosed(Exception):
    """The other process has closed its end, or is gone."""


class Channel:
    """One end. Any thread may send; one thread receives."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._sending = threading.Lock()
        self._received = bytearray()

    def send(self, message: Message) -> None:
        """Send one message whole; raises `ChannelClosed`."""
        data = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
        with self._sending:
            try:
                self._socket.sendall(_LENGTH.pack(len(data)) + data)
            except OSError as error:
                raise ChannelClosed from error

    def receive(self, timeout: float | None = None) -> Message:
        """The next message.

        Raises
        ------
        ChannelClosed : there will be none.
        TimeoutError : there is none within `timeout` seconds, at 0 none that is there already;
            what has come of it is kept.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        self._fill(_LENGTH.size, deadline)
        (length,) = _LENGTH.unpack_from(self._received)
        self._fill(_LENGTH.size + length, deadline)
        data = bytes(self._received[_LENGTH.size : _LENGTH.size + length])
        del self._received[: _LENGTH.size + length]
        message: Message = json.loads(data)
        return message

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

    def _fill(self, size: int, deadline: float | None) -> None:
        while len(self._received) < size:
            if deadline is not None:
                self._socket.settimeout(max(deadline - time.monotonic(), 0.0))
            self._received += self._read()

    def _read(self) -> bytes:
        try:
            data = self._socket.recv(_CHUNK)
        except TimeoutError:
            raise
        except BlockingIOError as error:
            raise TimeoutError from error
        except OSError as error:
            raise ChannelClosed from error
        if not data:
            raise ChannelClosed
        return data
