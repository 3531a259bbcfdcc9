"""Results too large for their rows are taken over by reference (R4, decision 091)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient
from tests.server.runs.conftest import PlayedLauncher, Start
from tests.server.runs.support import (
    Pod,
    Pods,
    Work,
    operation,
    release_again,
    rows,
    settlement,
    workflow,
)
from tests.server.support import on_both

from stepwell.server.app import Server
from stepwell.server.blobs import service as blobs
from stepwell.server.database.tables import blob_uses
from stepwell.server.database.tables import blobs as blobs_table
from stepwell.step import EndedAs
from stepwell.workflows.references import FORMAT, blob_of

TAKEN = {"fetch": {"from": "fetch", "schema": {"type": "array"}, "required": True}}
CONTENT = b"[" + b"1," * 150_000 + b"1]"


@pytest.fixture
def entry() -> dict[str, Any]:
    return workflow(operation("fetch", inputs={}), operation("load", inputs=TAKEN))


@pytest.fixture
def failed(
    client: TestClient, work: Work, launcher: PlayedLauncher, start: Start, show: Start, pod: Pods
) -> dict[str, Any]:
    """A run whose `fetch` gave a large result, and whose `load` failed."""
    run = start()
    work()
    one = pod(run)
    one.work(then="load", result=uploaded(client, one))
    one.work(EndedAs.FAILED, description="No disk")
    launcher.end(f"{run['id']}-1")
    work(lambda: show(run)["state"] == "failed")
    return run


def uploaded(client: TestClient, pod: Pod) -> str:
    """What the row holds in place of a large value."""
    kind = {"Content-Type": "application/octet-stream"}
    answer = client.post(
        f"/runs/{pod.run_id}/blobs", content=CONTENT, headers={**pod.headers, **kind}
    )
    assert answer.status_code == 201, answer.text
    return f'{{"blob":"{answer.json()["id"]}","bytes":{len(CONTENT)}}}'


def reexecuted(client: TestClient, run: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/runs/{run['id']}/reexecutions", json={})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def result(client: TestClient, run: dict[str, Any]) -> bytes:
    """The result of `fetch`, as people read it."""
    items = client.get(f"/runs/{run['id']}/steps").json()["items"]
    link = next(one["result_link"] for one in items if one["operation"] == "fetch")
    return bytes(client.get(link.removeprefix("/api/v1")).content)


def removed(server: Server, run: dict[str, Any]) -> None:
    """Retention removes what is kept of the run in the blob store."""
    with server.db.write() as conn:
        blobs.drop_of_runs(conn, [UUID(run["id"])])


def left(server: Server) -> list[UUID]:
    with server.db.read() as conn:
        query = select(blobs_table.c.id).where(
            blobs_table.c.kind == "result", blobs_table.c.dropped_at.is_(None)
        )
        return list(conn.execute(query).scalars())


@on_both
def test_a_large_result_is_taken_over_by_reference_and_its_taker_reads_it(
    failed: dict[str, Any], client: TestClient, server: Server, work: Work, pod: Pods
) -> None:
    path = f"/runs/{failed['id']}/reexecutions"
    plan = client.post(path, json={}, params={"preview": True}).json()
    assert [one["mark"] for one in plan["operations"]] == ["reuse result", "run again"]
    made = reexecuted(client, failed)
    (mine,) = (one for one in rows(server, made) if one.name.endswith("/fetch"))
    (theirs,) = (one for one in rows(server, failed) if one.name.endswith("/fetch"))
    assert (mine.result, mine.result_format) == (theirs.result, FORMAT)
    assert result(client, made) == result(client, failed) == CONTENT
    work()
    one = pod(made)
    assert mine.result is not None
    blob = client.get(f"/runs/{made['id']}/blobs/{blob_of(mine.result)}", headers=one.headers)
    assert blob.content == CONTENT
    step = one.claim()
    assert step.name.endswith("/load")
    one.settle(settlement(step))


@on_both
@pytest.mark.parametrize("order", ["older first", "newer first"])
def test_a_large_result_is_kept_until_the_last_run_that_refers_to_it_is_removed(
    failed: dict[str, Any], client: TestClient, server: Server, order: str
) -> None:
    made = reexecuted(client, failed)
    first, second = (failed, made) if order == "older first" else (made, failed)
    removed(server, first)
    assert result(client, second) == CONTENT
    assert len(left(server)) == 1
    removed(server, second)
    assert left(server) == []
    with server.db.read() as conn:
        assert conn.execute(select(blob_uses)).all() == []


def test_a_large_result_is_handed_on_over_several_generations(
    failed: dict[str, Any],
    client: TestClient,
    server: Server,
    work: Work,
    launcher: PlayedLauncher,
    show: Start,
    pod: Pods,
) -> None:
    second = reexecuted(client, failed)
    work()
    pod(second).work(EndedAs.FAILED, description="No disk")
    launcher.end(f"{second['id']}-1")
    work(lambda: show(second)["state"] == "failed")
    third = reexecuted(client, second)
    for one in (second, third):
        removed(server, one)
    assert result(client, failed) == CONTENT
    removed(server, failed)
    assert left(server) == []


def test_a_large_result_is_not_taken_over_where_its_taker_asks_for_something_else_now(
    failed: dict[str, Any], client: TestClient, server: Server, entry: dict[str, Any]
) -> None:
    """It is too large to be looked at, so only what has not changed is known to fit."""
    asked = {"fetch": {**TAKEN["fetch"], "schema": {"type": "object"}}}
    changed = {**entry, "operations": [entry["operations"][0], operation("load", inputs=asked)]}
    path = f"/runs/{failed['id']}/reexecutions"
    assert client.post(path, json={}, params={"preview": True}).json()["operations"][0]["mark"] == (
        "reuse result"
    )
    release_again(server, changed)
    body = {"release": "current"}
    plan = client.post(path, json=body, params={"preview": True}).json()
    assert [one["mark"] for one in plan["operations"]] == ["run again", "run again"]
    assert plan["operations"][0]["why"] == (
        "Its result is too large to see whether it fits what load takes now."
    )
