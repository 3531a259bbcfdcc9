"""Ports of this machine that nobody else is given before they are used."""

from __future__ import annotations

import socket
from collections import deque
from typing import Final

_HELD: Final[deque[socket.socket]] = deque()
_MOST: Final = 200


def free_port() -> int:
    """A TCP port of loopback that nothing listens on, and that stays free for who names it.

    The socket that found it stays bound and does not listen. So the kernel gives the port to
    nobody who asks for any, and to no outgoing connection, also while a test has its server
    killed; but a server that asks for it by number gets it, as all of them set SO_REUSEADDR.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    if len(_HELD) == _MOST:
        _HELD.popleft().close()
    _HELD.append(held)
    port: int = held.getsockname()[1]
    return port
