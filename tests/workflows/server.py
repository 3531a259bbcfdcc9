"""A Stepwell server in miniature: what a container asks, answered from memory."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from stepwell.clock import now
from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.errors import Denied, StepwellError
from stepwell.ids import new_id
from stepwell.step import Claim, Step, StepQuery, new_step
from stepwell.stores.wire import signature
from stepwell.workflows.context import Write
from stepwell.workflows.lines import Line, lines_of, unpacked
from stepwell.workflows.local_backend import LocalBackend, LocalStore
from stepwell.workflows.messages import Effects
from stepwell.workflows.names import step_name
from stepwell.workflows.reports import Report

TOKEN = "run-token"


class MiniServer:
    """One run at most, and discoveries. Attributes are what tests look at and change."""

    def __init__(self, backend: LocalBackend) -> None:
        self.backend = backend
        self.store = LocalStore(backend)
        self.run_id = new_id()
        self.assignment: dict[str, Any] = {}
        self.posted: dict[str, Any] = {}
        self.asked: list[str] = []
        self.revoked = False
        self.segments: dict[int, tuple[dict[str, str], list[Line]]] = {}
        self._staged: dict[Claim, Effects] = {}
        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._httpd.daemon_threads = True
        threading.Thread(target=self._httpd.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._httpd.server_port}"

    def close(self) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()

    def assign(self, workflow: str, first: str, **parameters: Any) -> UUID:
        """Add a run of the group `shop`, as a server would."""
        self.assignment = {
            "run_id": str(self.run_id),
            "group": "shop",
            "workflow": workflow,
            "attempt": 1,
            "parameters": parameters,
            "due_at": "2026-01-31T07:00:00Z",
        }
        step = new_step(
            step_name("shop", workflow, first),
            {"parameters": parameters},
            queue="runs",
            flow_id=self.run_id,
        )
        with self.store.transaction() as tx:
            tx.add([seal(step, JSON, now())])
        return self.run_id

    def steps(self) -> dict[str, Step]:
        """The run's rows by operation."""
        with self.store.transaction() as tx:
            rows = tx.search(StepQuery(flow_id=self.run_id))
        return {step.name.rpartition("/")[2]: step for step in rows}

    def answer(self, path: str, query: dict[str, str], body: Any) -> Any:
        """What the server says; raises what it refuses."""
        self.asked.append(path)
        if self.revoked:
            raise Denied("The token was revoked.", why="A newer attempt runs.")
        last = path.rpartition("/")[2]
        if "/discoveries/" in path:
            self.posted[last] = body
            return None
        own: dict[str, Callable[[], Any]] = {
            "assignment": lambda: self.assignment,
            "state": lambda: self._state(query),
            "state-keys": lambda: self._keys(query),
            "segments": lambda: self._log(query, body),
            "blobs": lambda: {"id": str(self.backend.keep(body))},
            "staged": lambda: self._stage(body),
        }
        return own[last]() if last in own else self._verb(last, body)

    def _verb(self, last: str, body: Any) -> Any:
        wire = signature(last)
        with self.store.transaction() as tx:
            result = getattr(tx, last)(**wire.read_arguments(body))
        return {"result": wire.result.dump_python(result, mode="json")}

    def _state(self, query: dict[str, str]) -> dict[str, Any]:
        found = self.backend.read(query["scope"], query["key"])
        if found is None:
            return {"exists": False, "value": None, "version": 0}
        return {"exists": True, "value": found.value, "version": found.version}

    def _keys(self, query: dict[str, str]) -> dict[str, Any]:
        return {"keys": self.backend.keys(query["scope"], query["prefix"]), "more": False}

    def _log(self, query: dict[str, str], body: bytes) -> None:
        self.segments[int(query["segment"])] = (query, lines_of(unpacked(body)))

    def _stage(self, body: Any) -> dict[str, Any]:
        claim = Claim(UUID(body["step_id"]), body["claim_no"])
        effects = self._staged.setdefault(claim, Effects())
        if body["kind"] == "report":
            blob = body.get("blob")
            content = self.backend.fetch(UUID(blob)) if blob else base64.b64decode(body["content"])
            report = Report(**body["payload"], content=content)
            if report.on_failure and not report.every:
                self.backend.report(claim, report)
                return {}
            effects.reports.append(report)
        elif (write := Write(**body["payload"])).now:
            self.backend.write_now(claim, write)
        else:
            effects.writes.append(write)
        self.backend.stage(claim, effects)
        return {}


def _handler(server: MiniServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._reply(None)

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            is_json = self.headers["Content-Type"] == "application/json"
            self._reply(json.loads(data) if is_json else data)

        def _reply(self, body: Any) -> None:
            path, _, text = self.path.partition("?")
            query = dict(parse_qsl(text))
            try:
                if self.headers["Authorization"] != f"Bearer {TOKEN}":
                    raise Denied("That token is wrong.")
                status, answer = 200, server.answer(path, query, body)
            except StepwellError as error:
                status = 403 if isinstance(error, Denied) else 409
                answer = error.as_dict()
            data = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None: ...

    return Handler
