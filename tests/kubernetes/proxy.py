"""A way to a cluster that can be cut, and that can lose answers; TLS goes through untouched."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from tests.ports import free_port


class Proxy:
    """Listens on loopback and hands on to `host:port`."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._opening = threading.Lock()
        self._losing = threading.Event()
        self.lost = threading.Event()
        self.port = free_port()  # so that nobody has it when it is to be mended
        self.mend()

    def mend(self) -> None:
        """Let connections through."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """End all connections, and let nobody connect."""
        with self._opening:
            listener, self._listener = self._listener, None
            if listener is not None:
                _end(listener)
            ends = list(self._open)
        for one in ends:
            _end(one)

    def lose_next_answer(self) -> None:
        """The next request on an open connection arrives, and its answer does not."""
        self.lost.clear()
        self._losing.set()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._to)
            except OSError:  # the cluster is away, as whoever asks is told by this end
                _end(near)
                continue
            with self._opening:  # it may have been cut while these were made
                is_cut = self._listener is not listener
                self._open |= set() if is_cut else {near, far}
            if is_cut:
                _end(near)
                _end(far)
                return
            asked = threading.Event()
            threading.Thread(target=self._ask, args=(near, far, asked), daemon=True).start()
            threading.Thread(target=self._answer, args=(near, far, asked), daemon=True).start()

    def _ask(self, near: socket.socket, far: socket.socket, asked: threading.Event) -> None:
        with suppress(OSError):
            while data := near.recv(65536):
                if self._losing.is_set():
                    asked.set()
                far.sendall(data)
        self._ended(near, far)

    def _answer(self, near: socket.socket, far: socket.socket, asked: threading.Event) -> None:
        with suppress(OSError):
            while data := far.recv(65536):
                if self._losing.is_set() and asked.is_set():
                    self._losing.clear()
                    self.lost.set()
                    break
                near.sendall(data)
        self._ended(near, far)

    def _ended(self, *ends: socket.socket) -> None:
        for one in ends:
            _end(one)
        with self._opening:
            self._open -= set(ends)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
