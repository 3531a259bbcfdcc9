"""The client side of the HTTP store, on a real socket; the contract runs through a server."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import urllib3

from stepwell import events
from stepwell.errors import (
    Conflict,
    Denied,
    EngineBuried,
    InvalidInput,
    NotFound,
    NotSupported,
    StepwellError,
    StoreUnavailable,
    UniqueKeyTaken,
)
from stepwell.ids import new_id
from stepwell.outcome import Settlement, Verdict
from stepwell.step import (
    Addition,
    Claim,
    EndedAs,
    OnConflict,
    Priority,
    Step,
    StepQuery,
    StepStatus,
)
from stepwell.stores.http import HttpStore, PollingWake, ServerLink
from stepwell.stores.protocol import Claimed, ClaimRequest, Counts, EngineInfo, Pulse, Transaction
from stepwell.stores.wire import signature

NOW = datetime(2026, 11, 22, 6, 26, 40, 123456, tzinfo=UTC)
RUN = new_id()
STEP = Step(
    id=new_id(),
    name="v1/shop/sales/load",
    flow_id=RUN,
    created_at=NOW,
    schedule_time=NOW,
    priority=Priority.LOW,
    state='{"parameters":{}}',
)
CLAIM = Claim(STEP.id, 3)
ENGINE = EngineInfo(id=new_id(), name="e", version="1", handles=("a",), queues=("runs",))
SETTLEMENT = Settlement(
    claim=CLAIM,
    ended_as=EndedAs.DONE,
    description=None,
    activation_seen=0,
    failure_count=0,
    execution_started_at=NOW,
    execution_duration=0.25,
    executed_by="e",
    result='"ä"',
    additions=(Addition(STEP, OnConflict.IGNORE),),
)

VERBS: list[tuple[str, dict[str, Any], Any]] = [
    ("join", {"engine": ENGINE}, Pulse(NOW, {ENGINE.id: 0})),
    ("beat", {"engine_id": ENGINE.id, "started": [CLAIM]}, Pulse(NOW, {ENGINE.id: 1})),
    ("leave", {"engine_id": ENGINE.id}, None),
    (
        "claim",
        {"request": ClaimRequest(engine_id=ENGINE.id, request_id=new_id(), names=("a", "b"))},
        Claimed((STEP,), NOW, suspect_due=True),
    ),
    ("claimed", {"engine_id": ENGINE.id}, [CLAIM]),
    ("release", {"engine_id": ENGINE.id, "claims": [CLAIM]}, 1),
    (
        "settle",
        {"engine_id": ENGINE.id, "settlements": [SETTLEMENT]},
        [Verdict.APPLIED, Verdict.REFUSED],
    ),
    ("add", {"additions": [Addition(STEP)]}, [True]),
    ("search", {"query": StepQuery(status=StepStatus.READY, ids=(STEP.id,))}, [STEP]),
    ("count", {"query": StepQuery(created_from=NOW), "at_most": 10}, Counts(1, 2, 3)),
    ("failures", {"query": StepQuery(created_from=NOW)}, []),
    ("activate", {"step_id": STEP.id, "args": "1", "at": NOW}, True),
    (
        "end",
        {"step_id": STEP.id, "ended_as": EndedAs.FAILED, "reason": "no", "result": None},
        False,
    ),
    ("reschedule", {"step_id": STEP.id, "at": NOW}, True),
]


class Server:
    """Answers each POST with what the test says, and keeps what was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.body: bytes = b'{"result": null}'
        self.cut = False
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.connections: set[Any] = set()
        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._httpd.daemon_threads = True
        threading.Thread(target=self._httpd.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._httpd.server_port}"

    def close(self) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()

    def says(self, status: int, body: Any) -> None:
        self.status, self.body = status, json.dumps(body).encode()

    def _handler(outer) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the inner one
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((self.path, dict(self.headers), json.loads(body)))
                outer.connections.add(self.client_address)
                if outer.cut:
                    self.close_connection = True
                    return
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, format: str, *args: Any) -> None: ...

        return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def store(server: Server) -> Iterator[HttpStore]:
    made = HttpStore(server.url, RUN, "secret")
    yield made
    made.close()


def call(store: HttpStore, verb: str, arguments: dict[str, Any]) -> Any:
    with store.transaction() as tx:
        return getattr(tx, verb)(**arguments)


@pytest.mark.parametrize(("verb", "arguments", "result"), VERBS, ids=[one[0] for one in VERBS])
def test_a_verb_is_one_post_and_both_sides_read_the_same(
    server: Server, store: HttpStore, verb: str, arguments: dict[str, Any], result: Any
) -> None:
    wire = signature(verb)
    server.says(200, {"result": wire.result.dump_python(result, mode="json")})
    assert call(store, verb, arguments) == result
    ((path, headers, body),) = server.requests
    assert path == f"/api/v1/runs/{RUN}/store/{verb}"
    assert headers["Authorization"] == "Bearer secret"
    assert wire.read_arguments(body) == arguments


def test_a_row_on_the_wire_is_never_called_the_first_of_its_id(
    server: Server, store: HttpStore
) -> None:
    """What stands between may send a request twice (R1)."""
    server.says(200, {"result": [True]})
    call(store, "add", {"additions": [Addition(STEP, fresh=True)]})
    ((_, _, body),) = server.requests
    assert signature("add").read_arguments(body) == {"additions": [Addition(STEP)]}


def test_what_a_newer_server_tells_beside_is_passed_over(server: Server, store: HttpStore) -> None:
    """An image is built once, and outlives the server that it was built for."""
    verb, arguments, result = next(one for one in VERBS if one[0] == "claim")
    told = signature(verb).result.dump_python(result, mode="json")
    told["steps"][0]["newer"] = told["newer"] = {"a": 1}
    server.says(200, {"result": told, "newer": 1})
    assert call(store, verb, arguments) == result


def test_every_verb_of_the_protocol_is_there() -> None:
    """Those that a container may not have are refused by name; `load` is made of `add`."""
    verbs = {name for name in vars(Transaction) if not name.startswith("_")}
    refused = {
        "bury",
        "add_if_none",
        "hold",
        "settle_last",
        "load",
        "set_control",
        "drop_control",
        "controls",
        "sweep",
    }
    assert verbs == {one[0] for one in VERBS} | refused


def test_connections_are_kept(server: Server, store: HttpStore) -> None:
    server.says(200, {"result": []})
    for _ in range(5):
        store.open()
    assert len(server.connections) == 1


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (409, "unique-key-taken", UniqueKeyTaken),
        (410, "engine-buried", EngineBuried),
        (503, "store-unavailable", StoreUnavailable),
        (401, "unauthenticated", Denied),
        (403, "a-code-of-a-newer-server", Denied),
        (404, "run-not-found", NotFound),
        (409, "a-code-of-a-newer-server", Conflict),
        (422, "a-code-of-a-newer-server", InvalidInput),
        (429, "slow-down", StoreUnavailable),
        (500, "error", StoreUnavailable),
    ],
)
def test_a_problem_is_raised_as_the_class_of_its_code(
    server: Server, store: HttpStore, status: int, code: str, kind: type[StepwellError]
) -> None:
    server.says(status, {"code": code, "what": "It is so.", "why": "Because.", "fix": "Do."})
    with pytest.raises(kind) as caught:
        call(store, *VERBS[0][:2])
    assert caught.value.as_dict()["fix"] == "Do."
    assert str(caught.value) == "It is so. Because. Do."


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"[]"])
def test_an_answer_of_something_in_between_is_a_pause(
    server: Server, store: HttpStore, body: bytes
) -> None:
    server.status, server.body = 502, body
    with pytest.raises(StoreUnavailable):
        store.open()


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"result": "many"}', b""])
def test_an_answer_that_is_not_understood_is_a_pause(
    server: Server, store: HttpStore, body: bytes
) -> None:
    """Whether the verb was applied is unknown, as after a lost answer (R13)."""
    server.body = body
    with pytest.raises(StoreUnavailable):
        call(store, "release", {"engine_id": ENGINE.id, "claims": [CLAIM]})


def test_an_answer_that_is_cut_off_is_a_pause_and_is_not_asked_again(
    server: Server, store: HttpStore
) -> None:
    """The engine reads what has become of it (R13); a client that repeats would hide that."""
    server.cut = True
    with pytest.raises(StoreUnavailable):
        store.open()
    assert len(server.requests) == 1
    server.cut = False
    server.says(200, {"result": []})
    store.open()


def test_a_server_that_is_not_there_fails_fast() -> None:
    """R24."""
    with socket.socket() as taken:  # and nobody else may begin to listen there
        taken.bind(("127.0.0.1", 0))
        store = HttpStore(f"http://127.0.0.1:{taken.getsockname()[1]}", RUN, "secret")
        with pytest.raises(StoreUnavailable, match="gave no answer"):
            store.open()


def test_the_first_joining_waits_for_a_server_that_is_away_and_is_the_same_each_time(
    server: Server,
) -> None:
    """So that a server that is started again at a bad moment costs a run no container."""
    server.says(200, {"result": {"now": NOW.isoformat(), "beats": {}}})
    store = HttpStore(server.url, RUN, "secret", patience=(0.01,) * 5)
    server.cut = True

    def heard(event: events.Event) -> None:
        server.cut = len(server.requests) < 3

    stop = events.subscribe(heard)
    try:
        call(store, "join", {"engine": ENGINE})
    finally:
        stop()
    bodies = [body for _, _, body in server.requests]
    assert bodies == 4 * bodies[:1]
    server.cut = True
    with pytest.raises(StoreUnavailable):  # by now the engine tries by itself
        call(store, "join", {"engine": ENGINE})
    assert len(server.requests) == 5


def test_a_server_that_is_silent_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        link = ServerLink(url, "secret", timeout=urllib3.Timeout(connect=0.2, read=0.2))
        with pytest.raises(StoreUnavailable):
            link.get("/api/v1/health")


def test_a_redirect_is_not_followed_with_the_token(server: Server, store: HttpStore) -> None:
    server.status, server.body = 302, b"{}"
    with pytest.raises(InvalidInput):
        store.open()


def test_what_a_container_may_not_do_is_refused(store: HttpStore) -> None:
    refused: list[Callable[[Transaction], Any]] = [
        lambda tx: tx.bury(ENGINE.id, 1),
        lambda tx: tx.add_if_none(Addition(STEP), StepQuery()),
    ]
    for verb in refused:
        with store.transaction() as tx, pytest.raises(NotSupported):
            verb(tx)
    with pytest.raises(NotSupported):
        store.on(object())
    assert store.migrate() == []
    assert store.capabilities.scoped
    assert not store.capabilities.transactions


def test_the_wake_is_heard_once() -> None:
    wake = PollingWake()
    wake.set()
    assert wake.wait(90)
    assert not wake.wait(0.001)
    wake.close()
    assert wake.wait(90)
