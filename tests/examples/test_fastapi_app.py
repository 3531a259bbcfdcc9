"""The web example, started for real: a process of its own, requests over a socket, a kill."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
READY = re.compile(r"running on (http://127\.0\.0\.1:\d+)")


@contextmanager
def served(folder: Path) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    environment = {
        **os.environ,
        "SIGNUPS_DB": str(folder / "signups.db"),
        "SIGNUPS_COUNT_EVERY": "0.1",
    }
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES), "--port", "0"]
    with subprocess.Popen(
        [*command, "fastapi_app:app"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            with httpx.Client(base_url=address(process), timeout=90) as client:
                yield client, process
        finally:
            process.terminate()


def address(process: subprocess.Popen[str]) -> str:
    assert process.stderr
    said = []
    for line in process.stderr:
        said.append(line)
        if found := READY.search(line):
            return found[1]
    pytest.fail("".join(said))


def eventually(look: Callable[[], Any], wanted: Any) -> None:
    end = time.monotonic() + 90
    while (seen := look()) != wanted:
        assert time.monotonic() < end, f"{seen} is not {wanted}"
        time.sleep(0.02)


def test_a_signup_and_its_step_commit_together(tmp_path: Path) -> None:
    with served(tmp_path) as (client, _):
        assert client.post("/signups", json={"email": "ada@example.org"}).status_code == 201
        eventually(lambda: client.get("/signups/ada@example.org").json()["welcome"], "done")


def test_a_refused_signup_leaves_no_step(tmp_path: Path) -> None:
    with served(tmp_path) as (client, _):
        client.post("/signups", json={"email": "ada@example.org"})
        assert client.post("/signups", json={"email": "ada@example.org"}).status_code == 409
        assert client.get("/signups/ada@example.org").json()["steps"] == 1


def test_the_singleton_counts_again_and_again_and_survives_a_kill(tmp_path: Path) -> None:
    with served(tmp_path) as (client, process):
        client.post("/signups", json={"email": "ada@example.org"})
        eventually(lambda: client.get("/totals").json(), {"free": 1})
        process.kill()
    with served(tmp_path) as (client, _):
        client.post("/signups", json={"email": "emmy@example.org", "plan": "pro"})
        # the dead engine's claim on the singleton falls after 8 s, if it had one
        eventually(lambda: client.get("/totals").json(), {"free": 1, "pro": 1})
