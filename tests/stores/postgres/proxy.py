"""A line to the server that a test can cut: before a commit gets there, or before its answer."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from stepwell.errors import StoreUnavailable

COMMIT = re.compile(rb"COMMIT(?!TED)")  # and no isolation level


Where = Literal["before", "after"]


class Proxy:
    """Relays TCP connections on loopback to a PostgreSQL server's Unix socket.

    Parameters
    ----------
    target : the path of the server's socket.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.wanted: Where | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    @contextmanager
    def cut(self, where: Where) -> Iterator[None]:
        """The first commit in the block is lost on its way there, or its answer on the way back."""
        self.wanted = where
        try:
            yield
        except StoreUnavailable:
            assert self.wanted is None, "the store gave up before its commit"
        else:
            raise AssertionError("nothing was committed, so nothing was cut")

    def close(self) -> None:
        """Take no more connections."""
        self._listener.shutdown(socket.SHUT_RDWR)  # or the thread would wait there for ever
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                line = _Line(self, client, server)
                for relay in (line.to_server, line.to_client):
                    threading.Thread(target=relay, daemon=True).start()


class _Line:
    """One connection, both ways."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._answer_is_lost = False

    def to_server(self) -> None:
        """Until one side hangs up, or a commit is to be lost."""
        with suppress(OSError):
            while data := self._client.recv(65536):
                if COMMIT.search(data) and self._proxy.wanted:
                    where, self._proxy.wanted = self._proxy.wanted, None
                    self._answer_is_lost = True
                    if where == "before":
                        # The session ends, and only then does the client learn of it.
                        self._server.shutdown(socket.SHUT_WR)
                        return
                self._server.sendall(data)
        self._hang_up()

    def to_client(self) -> None:
        """Until one side hangs up, or the answer to a commit has come that is to be lost."""
        with suppress(OSError):
            while data := self._server.recv(65536):
                if self._answer_is_lost:
                    break
                self._client.sendall(data)
        self._hang_up()

    def _hang_up(self) -> None:
        for one in (self._client, self._server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
