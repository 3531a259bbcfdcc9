"""Every operation of the API is asked what nobody thought of; none answers with a 5xx.

`STEPWELL_FUZZ=200` asks each that often; the number here is what a test run can bear.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis
from tests.server.live import listening, without_fsync
from tests.server.runs.support import release, workflow
from tests.server.search.support import made
from tests.server.support import free_port, on_both, token

from stepwell.server.app import Server
from stepwell.server.settings import Settings

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("STEPWELL_FUZZ", "4"))
PARTS = 5
STREAMS = frozenset({"/api/v1/events"})
"""Answers that never end."""


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    one = without_fsync(Server(replace(settings, port=free_port()), launchers={}))
    one.db.migrate()
    with one:
        release(one, workflow())
        made(one, {"state": "failed", "fingerprint": "f1"}, {"state": "running"}, {})
        yield one


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """What the first server says of itself: the others say the same, and it takes them a second."""
    return {}


def operations(server: Server, described: dict[str, Any]) -> Iterator[Any]:
    if not described:
        described.update(server.app.openapi())
    schema = schemathesis.openapi.from_dict(described)
    found: Any
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path not in STREAMS:
            yield operation


def faults(operation: Any, url: str, headers: dict[str, str]) -> list[str]:
    """What the operation answered that it should not have."""
    found: list[str] = []

    @given(case=operation.as_strategy())
    @hypothesis(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        answer = case.call(base_url=url, headers=headers, timeout=90)
        kind = "".join(answer.headers.get("content-type", []))
        problem = kind == "application/problem+json"
        if answer.status_code >= 500 or (answer.status_code >= 400 and not problem):
            found.append(f"{operation.label}: {answer.status_code} {case.as_curl_command()}")

    ask()
    return found


@on_both
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_is_asked_no_operation_fails(
    server: Server, described: dict[str, Any], part: int
) -> None:
    with listening(server) as url:
        headers = {"Authorization": f"Bearer {token(server, 'admin')}"}
        asked = list(operations(server, described))[part::PARTS]
        found = [fault for one in asked for fault in faults(one, url, headers)]
    assert found == []
    assert len(asked) > 10
