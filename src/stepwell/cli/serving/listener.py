"""The server's HTTP side on a socket, in a thread of its own."""

from __future__ import annotations

import socket
import threading
from typing import Final, Self

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from stepwell.errors import SetupError

HEAD_BYTES: Final = 64 * 1024
"""How long the head of a request may be: its line and its headers."""

_GRACE_SECONDS: Final = 5
_IDLE_SECONDS: Final = 75
"""Longer than clients and proxies keep an idle connection (60 s at most by default): else one
of them sends a request into the very close."""


class PortTaken(SetupError):
    """Another program listens on the port."""

    code = "port-taken"


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens nowhere yet but holds the port; 0 is any free one.

    Raises
    ------
    PortTaken : the address cannot be had; says why.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise PortTaken(
            f"{host}:{port} cannot be listened on.",
            why=str(error.strerror or error),
            fix="Stop the program that has the port, or give another with --port.",
        ) from error
    return made


def bound_near(host: str, port: int) -> socket.socket:
    """As `bound`, but any free port where that one is taken."""
    try:
        return bound(host, port)
    except PortTaken:
        return bound(host, 0)


class BoundedHttp(HttpToolsProtocol):
    """A connection on which neither the head of a request nor what follows its body grows for
    ever: the parser keeps what is not complete, and knows no bound."""

    _incomplete = 0

    def data_received(self, data: bytes) -> None:
        """Parse what has come."""
        self._incomplete += len(data)
        super().data_received(data)
        if self._incomplete > HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The head of a request has {HEAD_BYTES:,} bytes at most.")

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._incomplete = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body is complete."""
        self._incomplete = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of a request has come."""
        self._incomplete = 0
        super().on_message_complete()


class Listener:
    """Serves an app on a bound socket from `start` to `stop`."""

    def __init__(self, app: FastAPI, on: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            http=BoundedHttp,
            ws="none",
            timeout_keep_alive=_IDLE_SECONDS,
            log_level="warning",
            access_log=False,
            proxy_headers=False,  # `trusted_proxies` says whose word is taken, and nothing else
            lifespan="off",
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._socket = on
        self._thread = threading.Thread(target=self._run, name="stepwell-http", daemon=True)

    def start(self) -> Self:
        """Accept connections; from now on."""
        self._socket.listen(1024)  # from here on clients wait instead of being refused
        self._thread.start()
        return self

    def stop(self) -> None:
        """Finish the requests in hand, and close; also if it was never started."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(_GRACE_SECONDS + 5)
        self._socket.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])
