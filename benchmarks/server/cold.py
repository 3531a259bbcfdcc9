"""The start of an image: what its processes cost until the first claim is asked for.

A server is played that takes the claim as the end: the image is told that its token is worth
nothing any more. So what is measured is the image's own, and no engine is at work beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from benchmarks.server.served import GROUP

MEASURE: Final = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
wall, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "wall": wall}))
"""
"""Runs a command, and says what it and its children have cost, in seconds."""


ANSWERS: Final[Mapping[str, Any]] = {
    "join": {"now": "2026-01-01T00:00:00Z", "beats": {}},
    "claimed": [],
}
"""Of the verbs that come before a claim."""


class Played(BaseHTTPRequestHandler):
    """As much of a server as an image meets before its first claim."""

    claims: int = 0

    def do_GET(self) -> None:
        """The assignment."""
        run_id = self.path.split("/")[4]
        told = {"run_id": run_id, "group": "bench", "workflow": "three", "attempt": 1}
        self._answer(200, {**told, "parameters": {}, "due_at": "2026-01-01T00:00:00Z"})

    def do_POST(self) -> None:
        """Joining is allowed; claiming is the end."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        verb = self.path.rpartition("/")[2]
        if verb == "claim":
            self.claimed()
            self._answer(403, {"code": "run-token-revoked", "detail": "It was measured."})
        else:
            self._answer(200, {"result": ANSWERS.get(verb)})

    def claimed(self) -> None:
        """A claim has arrived."""
        Played.claims += 1

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def _answer(self, status: int, body: Mapping[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def played(by: type[BaseHTTPRequestHandler] = Played) -> Iterator[str]:
    """The server; yields its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), by)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def environment(url: str) -> dict[str, str]:
    """What a launcher would give."""
    contract = {"STEPWELL_MODE": "run", "STEPWELL_URL": url, "STEPWELL_TOKEN": "swr_1_0"}
    return {**contract, "STEPWELL_RUN_ID": str(uuid4())}


def cost(command: Sequence[str], given: Mapping[str, str]) -> dict[str, float]:
    """Seconds of processor and of time that a command takes to its end."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *command],
        env={**os.environ, **given},
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def cold(size: int) -> dict[tuple[str, str], float]:
    """The best of `size` starts, on top of an interpreter that does nothing."""
    with tempfile.TemporaryDirectory() as folder, played() as url:
        group = Path(folder) / "group.py"
        group.write_text(GROUP)
        given = {**environment(url), "STEPWELL_GROUP": str(group)}
        bare = min(cost([sys.executable, "-c", "pass"], given)["cpu"] for _ in range(size))
        starts = [cost([sys.executable, "-m", "stepwell.workflows"], given) for _ in range(size)]
    assert Played.claims, "no image has come as far as a claim"
    return {
        ("processor until the first claim", "ms"): 1000 * (min(s["cpu"] for s in starts) - bare),
        ("time until the first claim", "ms"): 1000 * min(s["wall"] for s in starts),
        ("processor of a bare interpreter", "ms"): 1000 * bare,
    }
