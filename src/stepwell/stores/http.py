"""The store of a container: the same verbs against a Stepwell server, scoped to one run.

Each verb is one POST and commits by itself. The arguments and the answer are the
JSON that pydantic makes of the types in `Transaction`'s signatures, so both sides
of the wire read the same page: see `signature`.
"""

from __future__ import annotations

import inspect
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints
from urllib.parse import urlencode
from uuid import UUID

import urllib3
from pydantic import TypeAdapter
from pydantic import ValidationError as Misfit
from urllib3.exceptions import HTTPError

from stepwell.errors import (
    Conflict,
    Denied,
    InvalidInput,
    NotFound,
    NotSupported,
    StepwellError,
    StoreUnavailable,
    catalogue,
)
from stepwell.ids import new_id
from stepwell.outcome import Settlement, Verdict
from stepwell.retention import Expiry
from stepwell.step import Addition, Claim, EndedAs, Step, StepQuery
from stepwell.stores.controls import Control, ControlKind
from stepwell.stores.loading import additions
from stepwell.stores.protocol import (
    Burial,
    Capabilities,
    Claimed,
    ClaimRequest,
    Counts,
    EngineInfo,
    Exclusive,
    Failures,
    Pulse,
    Swept,
    Transaction,
)

R = TypeVar("R")

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


@dataclass(frozen=True, slots=True)
class Signature:
    """How a verb crosses the wire: the type of each keyword argument, which of them must be
    given, and the type of the result."""

    arguments: Mapping[str, TypeAdapter[Any]]
    required: frozenset[str]
    result: TypeAdapter[Any]

    def write_arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Python values as JSON data."""
        return {
            name: self.arguments[name].dump_python(value, mode="json")
            for name, value in values.items()
        }

    def read_arguments(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """JSON data as Python values; raises pydantic's ValidationError, or KeyError."""
        return {name: self.arguments[name].validate_python(value) for name, value in data.items()}


@cache
def signature(verb: str) -> Signature:
    """The wire form of a verb of `Transaction`; AttributeError if there is none of that name."""
    function = getattr(Transaction, verb)
    hints = get_type_hints(function)
    result = TypeAdapter(hints.pop("return"))
    parameters = inspect.signature(function).parameters
    return Signature(
        {name: TypeAdapter(_listed(kind)) for name, kind in hints.items()},
        frozenset(name for name in hints if parameters[name].default is inspect.Parameter.empty),
        result,
    )


def _listed(kind: Any) -> Any:
    """Anything that can be iterated crosses the wire as a list."""
    return list[get_args(kind)[0]] if get_origin(kind) in (Iterable, Sequence) else kind  # type: ignore[misc] # a type made at run time


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
    """

    def __init__(self, url: str, token: str, *, timeout: urllib3.Timeout = TIMEOUT) -> None:
        self.url = url.rstrip("/")
        self.on_denied: Callable[[Denied], None] | None = None
        self._pool = urllib3.PoolManager(
            num_pools=1,
            maxsize=4,
            retries=False,
            timeout=timeout,
        )
        self._headers = {"Authorization": f"Bearer {token}"}

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
        return answer.data

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        self._pool.clear()

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
    """

    capabilities = Capabilities(transactions=False, outbox=False, durable=True, scoped=True)

    def __init__(
        self, url: str, run_id: UUID, token: str, *, link: ServerLink | None = None
    ) -> None:
        self.link = link or ServerLink(url, token)
        self._verbs = _Verbs(self.link, f"/api/v1/runs/{run_id}/store")

    def migrate(self) -> list[str]:
        """Nothing: the server owns its schema."""
        return []

    def open(self) -> None:
        """One request, which fails fast (R24): `Denied`, `NotFound` or `StoreUnavailable`."""
        self._verbs.claimed(new_id())

    def close(self) -> None:
        """Close the connections."""
        self.link.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """The verbs. Each commits by itself: nothing is rolled back if the block raises."""
        yield self._verbs

    def exclusive(self) -> AbstractContextManager[Exclusive]:
        """Not offered: the database is the server's."""
        raise _unsupported("has no connection for a handler")

    def on(self, connection: Any) -> Transaction:
        """Not offered: the database is the server's."""
        raise _unsupported("lends no connection")

    def wake(self) -> PollingWake:
        """A new wake, which hears of this process's own changes only."""
        return PollingWake()


class PollingWake:
    """Waits until somebody in this process calls `set`, or the time is over."""

    def __init__(self) -> None:
        self._set = threading.Event()

    def wait(self, seconds: float) -> bool:
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


class _Verbs:
    """Each verb of `Transaction` as one POST."""

    def __init__(self, link: ServerLink, path: str) -> None:
        self._link = link
        self._path = path

    def _call(self, verb: str, **arguments: Any) -> R:  # type: ignore[type-var] # the caller's
        wire = signature(verb)
        answer = self._link.post(f"{self._path}/{verb}", wire.write_arguments(arguments))
        try:
            result: R = wire.result.validate_python(answer["result"])
            return result
        except (Misfit, KeyError, TypeError) as error:
            raise StoreUnavailable(
                f"The server's answer to {verb!r} is not understood.",
                why=f"{error}.",
                fix="See whether something else than a Stepwell server answers there.",
            ) from error

    def join(self, engine: EngineInfo) -> Pulse:
        return self._call("join", engine=engine)

    def beat(self, engine_id: UUID, started: Sequence[Claim]) -> Pulse:
        return self._call("beat", engine_id=engine_id, started=list(started))

    def bury(self, engine_id: UUID, beat: int) -> Burial | None:
        raise _unsupported("buries no engine")

    def leave(self, engine_id: UUID) -> None:
        self._call("leave", engine_id=engine_id)

    def claim(self, request: ClaimRequest) -> Claimed:
        return self._call("claim", request=request)

    def claimed(self, engine_id: UUID) -> list[Claim]:
        return self._call("claimed", engine_id=engine_id)

    def hold(
        self,
        engine_id: UUID,
        request_id: UUID,
        claims: Sequence[Claim],
        *,
        freed: bool = False,
    ) -> int:
        raise NotSupported("A server marks the claims of a run at once.")

    def release(self, engine_id: UUID, claims: Iterable[Claim]) -> int:
        return self._call("release", engine_id=engine_id, claims=list(claims))

    def settle(self, engine_id: UUID, settlements: Sequence[Settlement]) -> list[Verdict]:
        return self._call("settle", engine_id=engine_id, settlements=list(settlements))

    def add(self, additions: Sequence[Addition]) -> list[bool]:
        return self._call("add", additions=list(additions))

    def load(self, template: Step, rows: Iterable[tuple[str, str]]) -> int:
        return sum(self.add(list(additions(template, rows))))

    def add_if_none(self, addition: Addition, query: StepQuery) -> bool:
        raise _unsupported("has no add_if_none")

    def search(self, query: StepQuery) -> list[Step]:
        return self._call("search", query=query)

    def count(self, query: StepQuery, at_most: int | None = None) -> Counts:
        return self._call("count", query=query, at_most=at_most)

    def failures(self, query: StepQuery) -> list[Failures]:
        return self._call("failures", query=query)

    def activate(self, step_id: UUID, args: str | None, at: datetime | None) -> bool:
        return self._call("activate", step_id=step_id, args=args, at=at)

    def end(self, step_id: UUID, ended_as: EndedAs, reason: str, result: str | None = None) -> bool:
        return self._call("end", step_id=step_id, ended_as=ended_as, reason=reason, result=result)

    def reschedule(self, step_id: UUID, at: datetime) -> bool:
        return self._call("reschedule", step_id=step_id, at=at)

    def set_control(self, control: Control) -> None:
        raise _unsupported("has no controls")

    def drop_control(self, kind: ControlKind, key: str) -> bool:
        raise _unsupported("has no controls")

    def controls(self) -> list[Control]:
        raise _unsupported("has no controls")

    def sweep(self, expiries: Sequence[Expiry], limit: int) -> Swept:
        raise _unsupported("removes no ended steps")


def _unsupported(what: str) -> NotSupported:
    return NotSupported(
        f"The store of a container {what}.",
        why="It sees one run only, through the server.",
        fix="Do that on the server's side.",
    )
