"""A small client of the Kubernetes API: HTTP and JSON, and lines of a watch."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from stepwell import clock
from stepwell.launchers.kubernetes.access import Access, Identities, Identity
from stepwell.launchers.protocol import LaunchFailed
from stepwell.lean import httpx

PATIENCE: Final = 20.0
"""Seconds for an answer."""
CONNECT: Final = 5.0
"""Seconds until a connection must be there."""
TRIES: Final = 3
"""How often a request is made that the API server is too busy for."""
ASTRAY: Final = timedelta(seconds=2)
"""Less than this is no difference of clocks, as the API tells its own to the second."""
MERGE: Final = "application/merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"

_KEEPALIVE: Final = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", 4), 10),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", 5), 5),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", 6), 3),
]
"""A watch is silent for long: this notices within half a minute that nobody is there."""


class Refused(Exception):
    """The API's answer to what it would not do; it never leaves this package.

    Parameters
    ----------
    status : of HTTP.
    reason : the API's word for it: `AlreadyExists`, `Forbidden`, `Invalid`, ...
    message : its sentence.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message


class KubernetesApi:
    """Requests to one cluster; safe to use from several threads.

    Parameters
    ----------
    access : which, and as whom.
    """

    def __init__(self, access: Access) -> None:
        self.access, self.offset = access, timedelta()
        self._identities = Identities(access.identify)
        self._clients: dict[int, tuple[Identity, httpx.Client]] = {}
        self._lock = threading.Lock()
        self._asking, self._closed = 0, False
        self._streams: set[socket.socket] = set()

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        form: str = "application/json",
        **query: Any,
    ) -> Any:
        """The JSON of an answer.

        Raises
        ------
        Refused : the answer is an error of the asker.
        LaunchFailed : there is no answer, or the cluster cannot answer now.
        """
        return self.told(method, path, body, form=form, **query)[0]

    def told(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        form: str = "application/json",
        **query: Any,
    ) -> tuple[Any, list[str]]:
        """As `ask`, and the warnings that came with the answer."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": form} if body is not None else {}
        answer = self._answered(method, path, content=content, headers=headers, params=query)
        warnings = answer.headers.get_list("Warning")
        return (answer.json() if answer.content else None), warnings

    def find(self, path: str) -> Any:
        """As `GET` of `ask`, and None for what is not there."""
        try:
            return self.ask("GET", path)
        except Refused as refused:
            if refused.status == httpx.codes.NOT_FOUND:
                return None
            raise

    @contextmanager
    def stream(self, path: str, patience: float = PATIENCE, **query: Any) -> Iterator[Any]:
        """The open answer, to be read as it comes; raises as `ask`.

        Parameters
        ----------
        patience : seconds that may pass without a byte.
        """
        timeout = httpx.Timeout(patience, connect=CONNECT)
        try:
            with (
                self._used() as (identity, client),
                client.stream("GET", path, params=query, timeout=timeout) as answer,
                self._ended_with(answer),
            ):
                self._check(answer, identity)
                yield answer
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise self.silent(error) from error

    def here(self, at: str | None) -> datetime | None:
        """An instant of the cluster by the clock of this machine."""
        if not at:
            return None
        return datetime.fromisoformat(at) - self.offset

    def silent(self, error: Exception) -> LaunchFailed:
        """What to say of a cluster that does not answer."""
        return LaunchFailed(
            f"The Kubernetes API at {self.access.server} does not answer.",
            why=str(error) or type(error).__name__,
            fix="It is asked again; if it stays away, see `stepwell doctor kubernetes`.",
        )

    def close(self) -> None:
        """End all connections: streams now, others when their answers are there. Whoever reads
        one closes it: the number of a socket that is closed beneath its reader is soon that of
        another, from which TLS goes on to read."""
        with self._lock:
            self._closed = True
            for one in self._streams:
                _end(one)
        self._leave()

    # -- what requests are made of ---------------------------------------------------

    def _answered(self, method: str, path: str, **given: Any) -> httpx.Response:
        for left in reversed(range(TRIES)):
            asked = clock.now()
            try:
                with self._used() as (identity, client):
                    answer = client.request(method, path, **given)
            except httpx.HTTPError as error:
                raise self.silent(error) from error
            if answer.status_code == httpx.codes.UNAUTHORIZED and left == TRIES - 1:
                self._identities.forget(identity)  # its time may be over
            elif answer.status_code == httpx.codes.TOO_MANY_REQUESTS and left:
                time.sleep(min(float(answer.headers.get("Retry-After", 1)), PATIENCE))
            else:
                break
        self._check(answer, identity)
        self._compare(answer, asked)
        return answer

    def _check(self, answer: httpx.Response, identity: Identity) -> None:
        if not answer.is_error:
            return
        status, reason, message = answer.status_code, "", answer.read().decode(errors="replace")
        try:
            told = json.loads(message)
            reason, message = told.get("reason") or "", told.get("message") or ""
        except (ValueError, AttributeError):
            pass  # a proxy's page is no Status
        if status == httpx.codes.UNAUTHORIZED:
            self._identities.forget(identity)
        if status in _NOT_NOW or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise self._cannot(status, message)
        raise Refused(status, reason, message or "no reason given")

    def _cannot(self, status: int, message: str) -> LaunchFailed:
        return LaunchFailed(
            f"The Kubernetes API at {self.access.server} cannot answer now ({status}).",
            why=message or "It gives no reason.",
            fix="It is asked again; if it stays so, see `stepwell doctor kubernetes`.",
        )

    @contextmanager
    def _used(self) -> Iterator[tuple[Identity, httpx.Client]]:
        """The client of the moment, which nobody closes within the block."""
        with self._lock:
            if self._closed:
                raise LaunchFailed(f"Nobody asks {self.access.server} any more.")
            self._asking += 1
        try:
            yield self._client()
        finally:
            with self._lock:
                self._asking -= 1
            self._leave()

    @contextmanager
    def _ended_with(self, answer: httpx.Response) -> Iterator[None]:
        """Within the block, `close` ends that answer."""
        one = answer.extensions["network_stream"].get_extra_info("socket")
        with self._lock:
            self._streams.add(one)
            if self._closed:
                _end(one)
        try:
            yield
        finally:
            with self._lock:
                self._streams.discard(one)

    def _leave(self) -> None:
        """Who is the last after the end closes the clients."""
        with self._lock:
            if not self._closed or self._asking:
                return
            clients, self._clients = self._clients, {}
        for _, client in clients.values():
            client.close()

    def _client(self) -> tuple[Identity, httpx.Client]:
        """The client of the moment's identity: a certificate belongs to its connections."""
        identity = self._identities.now()
        with self._lock:
            known = self._clients.get(id(identity.certificate))
            if known is not None and known[0].certificate is identity.certificate:
                known[1].headers.update(identity.headers)
                return identity, known[1]
            made = self._made(identity)
            self._clients[id(identity.certificate)] = identity, made
            return identity, made

    def _made(self, identity: Identity) -> httpx.Client:
        access = self.access
        transport = httpx.HTTPTransport(
            verify=access.context(identity),
            socket_options=_KEEPALIVE,
            proxy=access.proxy or None,
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
        )
        client = httpx.Client(
            base_url=access.server,
            transport=transport,
            headers=dict(identity.headers),
            timeout=httpx.Timeout(PATIENCE, connect=CONNECT),
            trust_env=False,
        )
        if access.tls_name:
            client.event_hooks = {"request": [self._name_server]}
        return client

    def _name_server(self, request: httpx.Request) -> None:
        request.extensions["sni_hostname"] = self.access.tls_name

    def _compare(self, answer: httpx.Response, asked: datetime) -> None:
        """Learn how far the cluster's clock is from this one: its instant, in whole seconds, is
        one between the question and the answer, however slow that was."""
        told = answer.headers.get("Date")
        if not told:
            return
        at = parsedate_to_datetime(told)
        least, most = at - clock.now(), at + timedelta(seconds=1) - asked
        if not least <= self.offset <= most:
            offset = (least + most) / 2
            self.offset = offset if abs(offset) > ASTRAY else timedelta()


def _end(one: socket.socket) -> None:
    """Whoever reads it reads its end."""
    with suppress(OSError):  # it has ended
        socket.socket.shutdown(one, socket.SHUT_RDWR)  # that of TLS would forget its keys


_NOT_NOW: Final = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.TOO_MANY_REQUESTS})
