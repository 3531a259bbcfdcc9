"""The store of a container: the same verbs against a Stepwell server, scoped to one run.

Each verb is one POST and commits by itself. The arguments and the answer are the
JSON that pydantic makes of the types in `Transaction`'s signatures, so both sides
of the wire read the same page: see `stores.wire`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import urllib3
from urllib3.exceptions import HTTPError

from stepwell.after_fork import after_fork, leave
from stepwell.errors import (
    Conflict,
    Denied,
    InvalidInput,
    NotFound,
    StepwellError,
    StoreUnavailable,
    catalogue,
)
from stepwell.ids import new_id
from stepwell.step import Addition
from stepwell.stores.http_verbs import PairedVerbs, Verbs, unsupported
from stepwell.stores.protocol import Capabilities, ClaimRequest, Exclusive, Transaction

TIMEOUT: Final = urllib3.Timeout(connect=5.0, read=30.0)
"""Seconds until an answer is given up; whether the server has acted is then unknown (R13)."""

BYTES: Final = "application/octet-stream"

_BY_STATUS: Final[dict[int, type[StepwellError]]] = {
    401: Denied,
    403: Denied,
    404: NotFound,
    409: Conflict,
    429: StoreUnavailable,
}
_NAMELESS: Final = frozenset({"error", "internal"})


class ServerLink:
    """Authenticated JSON requests to a Stepwell server, over connections that are kept alive.

    Safe to use from several threads.

    Parameters
    ----------
    url : the server's address, for example 'https://stepwell.example.org'.
    token : sent as the bearer of every request.

    Attributes
    ----------
    on_denied : called, in whatever thread, when the server refuses the token.
    has_answered : whether a request was answered well.
    """

    def __init__(self, url: str, token: str, *, timeout: urllib3.Timeout = TIMEOUT) -> None:
        self.url = url.rstrip("/")
        self.on_denied: Callable[[Denied], None] | None = None
        self.has_answered = False
        self._timeout = timeout
        self._pool = self._new_pool()
        self._headers = {"Authorization": f"Bearer {token}"}
        after_fork(self)

    def get(self, path: str, **query: str) -> Any:
        """The JSON of a GET; see `request`."""
        return self.request("GET", _asked(path, query))

    def post(self, path: str, body: Any) -> Any:
        """The JSON that answers a POST; see `request`."""
        return self.request("POST", path, body)

    def post_bytes(self, path: str, content: bytes, **query: str) -> Any:
        """The JSON that answers a POST of bytes; see `request`."""
        return self._decoded(self._ask("POST", _asked(path, query), content, BYTES))

    def get_bytes(self, path: str, **query: str) -> bytes:
        """The bytes of a GET; see `request`."""
        return self._ask("GET", _asked(path, query))

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request, and return the answer's JSON (None where it is empty).

        Raises
        ------
        StoreUnavailable : not reachable, too slow, or a fault of the server; whether
            it has acted is unknown.
        StepwellError : what the server says is wrong, as the class of its code.
        """
        content = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        return self._decoded(self._ask(method, path, content))

    def _ask(
        self, method: str, path: str, content: bytes | None = None, kind: str = "application/json"
    ) -> bytes:
        headers = {**self._headers, "Content-Type": kind}
        try:
            answer = self._pool.request(
                method, f"{self.url}{path}", body=content, headers=headers, redirect=False
            )
        except (HTTPError, OSError) as error:
            raise self._unreachable(error) from error
        if answer.status >= 300:
            raise self._refused(answer.status, answer.data)
        self.has_answered = True
        return answer.data

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        self._pool.clear()

    def begin_anew(self) -> None:
        """See `stepwell.after_fork`."""
        leave(self._pool)
        self._pool = self._new_pool()

    def _new_pool(self) -> urllib3.PoolManager:
        return urllib3.PoolManager(num_pools=1, maxsize=4, retries=False, timeout=self._timeout)

    def _refused(self, status: int, data: bytes) -> StepwellError:
        error = _problem(status, data, self.url)
        if isinstance(error, Denied) and self.on_denied is not None:
            self.on_denied(error)
        return error

    def _decoded(self, data: bytes) -> Any:
        try:
            return json.loads(data) if data else None
        except ValueError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(
            f"The server at {self.url} gave no answer.",
            why=f"{type(error).__name__}: {error}.",
            fix="It is tried again; see whether the server runs and the address is right.",
        )


def _problem(status: int, data: bytes, url: str) -> StepwellError:
    problem = _document(data)
    known = catalogue().get(str(problem.get("code")))
    if known is not None and known.code not in _NAMELESS:
        return known.from_dict(problem)
    what = str(problem.get("what") or f"The server at {url} answered with status {status}.")
    kind = StoreUnavailable if status >= 500 else _BY_STATUS.get(status, InvalidInput)
    return kind(what, why=str(problem.get("why", "")), fix=str(problem.get("fix", "")))


def _document(data: bytes) -> dict[str, Any]:
    try:
        problem = json.loads(data)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


class HttpStore:
    """A run's steps, kept by a server.

    Parameters
    ----------
    url : the server's address.
    run_id : the run, which is its flow.
    token : the token of the run's current attempt (R35).
    link : instead of url and token, requests that are made already.
    paired : whether the server takes `wire.Paired` verbs; it says so in its assignment.
        They are for an engine that runs one step at a time.
    patience : seconds after each of which the first joining is tried again while the server
        cannot be reached. Later the engine tries by itself.
    """

    capabilities = Capabilities(transactions=False, outbox=False, durable=True, scoped=True)

    def __init__(
        self,
        url: str,
        run_id: UUID,
        token: str,
        *,
        link: ServerLink | None = None,
        paired: bool = False,
        patience: Sequence[float] = (),
    ) -> None:
        self.link = link or ServerLink(url, token)
        kind = PairedVerbs if paired else Verbs
        self._verbs = kind(self.link.post, f"/api/v1/runs/{run_id}/store", patience)

    def migrate(self) -> list[str]:
        """Nothing: the server owns its schema."""
        return []

    def open(self) -> None:
        """First contact, which fails fast (R24): `Denied`, `NotFound` or `StoreUnavailable`.

        One request, unless the server has answered one already.
        """
        if not self.link.has_answered:
            self._verbs.claimed(new_id())

    def close(self) -> None:
        """Close the connections."""
        self.link.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """The verbs. Each commits by itself: nothing is rolled back if the block raises."""
        yield self._verbs

    def add(self, additions: Sequence[Addition]) -> list[bool]:
        """As the verb `add`, in a transaction of its own."""
        with self.transaction() as tx:
            return tx.add(additions)

    def exclusive(self) -> AbstractContextManager[Exclusive]:
        """Not offered: the database is the server's."""
        raise unsupported("has no connection for a handler")

    def on(self, connection: Any, *, survives: bool = True) -> Transaction:
        """Not offered: the database is the server's."""
        raise unsupported("lends no connection")

    def wake(self) -> PollingWake:
        """A new wake, which hears of this process's own changes only."""
        return PollingWake()


class PollingWake:
    """Waits until somebody in this process calls `set`, or the time is over."""

    def __init__(self) -> None:
        self._set = threading.Event()

    def wait(self, seconds: float, claim: ClaimRequest | None = None) -> bool:
        """Block for at most `seconds`; whether it was woken."""
        woken = self._set.wait(seconds)
        self._set.clear()
        return woken

    def set(self) -> None:
        """Wake the waiter."""
        self._set.set()

    def close(self) -> None:
        """Let the waiter go."""
        self._set.set()


def _asked(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
