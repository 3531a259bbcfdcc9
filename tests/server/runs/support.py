"""What tests of runs share: a released workflow, and a container played by the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from sqlalchemy import insert, update
from starlette.testclient import TestClient

from stepwell import clock
from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.ids import new_id
from stepwell.outcome import Settlement, Verdict
from stepwell.server.app import Server
from stepwell.server.database.tables import discoveries, groups, release_workflows, releases
from stepwell.server.runs import closing, queries, tokens
from stepwell.server.runs.service import start_run
from stepwell.step import Addition, EndedAs, Step, new_step
from stepwell.stores.protocol import Claimed, ClaimRequest, EngineInfo
from stepwell.stores.wire import signature

GROUP = "weather"
WORKFLOW = "nightly"

PARAMETERS = {
    "type": "object",
    "properties": {
        "day": {"type": "string", "format": "date"},
        "limit": {"type": "integer", "default": 100},
    },
    "required": ["day"],
}
GIVEN = {"day": "2026-01-31"}


def operation(name: str, **fields: Any) -> dict[str, Any]:
    """An operation of a manifest."""
    return {"name": name, "halt_on_error": True, "retries": 0, "timeout": None, **fields}


def workflow(*operations: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A manifest entry; three operations by default."""
    names = operations or (operation("fetch"), operation("load"), operation("report"))
    return {"name": WORKFLOW, "parameters": PARAMETERS, "operations": list(names), **fields}


def release(
    server: Server,
    entry: dict[str, Any],
    *,
    group: str = GROUP,
    image: str = "group.py",
    digest: str = "sha256:0",
    environment: dict[str, str] | None = None,
) -> UUID:
    """Register a group with one released workflow, as the reviews room would leave it."""
    now, discovery, made = clock.now(), new_id(), new_id()
    by = {"created_at": now, "created_by": "the test"}
    with server.db.write() as conn:
        conn.execute(
            insert(groups).values(
                name=group,
                provisional=False,
                launcher="process",
                image=image,
                environment=environment or {},
                secrets={},
                discover_with_secrets=False,
                **by,
            )
        )
        conn.execute(
            insert(discoveries).values(
                id=discovery,
                group_name=group,
                state="succeeded",
                trigger="request",
                requested_by="the test",
                created_at=now,
                finished_at=now,
                digest=digest,
            )
        )
        conn.execute(
            insert(releases).values(
                id=made, group_name=group, number=1, discovery_id=discovery, **by
            )
        )
        conn.execute(
            insert(release_workflows).values(
                release_id=made,
                workflow=entry["name"],
                discovery_id=discovery,
                digest=digest,
                entry=entry,
            )
        )
        conn.execute(update(groups).where(groups.c.name == group).values(release_id=made))
    return made


def release_again(server: Server, entry: dict[str, Any]) -> None:
    """The next release, whose digest is another one."""
    made, by = new_id(), {"created_at": clock.now(), "created_by": "the test"}
    with server.db.write() as conn:
        before = queries.released(conn, GROUP, WORKFLOW)
        assert before is not None
        discovery = before["discovery_id"]
        conn.execute(
            insert(releases).values(
                id=made, group_name=GROUP, number=2, discovery_id=discovery, **by
            )
        )
        conn.execute(
            insert(release_workflows).values(
                release_id=made,
                workflow=WORKFLOW,
                discovery_id=discovery,
                digest="sha256:new",
                entry=entry,
            )
        )
        conn.execute(update(groups).where(groups.c.name == GROUP).values(release_id=made))


def started(server: Server, parameters: dict[str, Any] | None = None, group: str = GROUP) -> UUID:
    """A run of what is released, as if somebody had asked for it."""
    with server.db.write() as conn:
        return start_run(
            conn,
            server.db,
            group=group,
            workflow=WORKFLOW,
            parameters=GIVEN if parameters is None else parameters,
            trigger="request",
            requested_by="the test",
        )


@dataclass
class Pod:
    """A container played by the test: the wire of `stepwell.stores.http`, verb by verb."""

    client: TestClient
    server: Server
    run_id: str
    attempt: int = 1
    engine_id: UUID = field(default_factory=new_id)

    @property
    def headers(self) -> dict[str, str]:
        """The run token of this attempt."""
        key = self.server.settings.signing_key
        token = tokens.issue(key, UUID(self.run_id), self.attempt)
        return {"Authorization": f"Bearer {token}"}

    def ask(self, verb: str, **arguments: Any) -> Any:
        """The raw answer to a verb."""
        body = signature(verb).write_arguments(arguments)
        path = f"/runs/{self.run_id}/store/{verb}"
        return self.client.post(path, json=body, headers=self.headers)

    def call(self, verb: str, **arguments: Any) -> Any:
        """The result of a verb that must succeed."""
        answer = self.ask(verb, **arguments)
        assert answer.status_code == 200, answer.text
        return signature(verb).result.validate_python(answer.json()["result"])

    def join(self) -> Pod:
        """Join as an engine."""
        info = EngineInfo(id=self.engine_id, name="x", version="1", handles=(), queues=("runs",))
        self.call("join", engine=info)
        return self

    def claim(self, *names: str) -> Step:
        """Claim the operation that is due; one must be."""
        found = self.claimed(*names)
        assert found is not None
        return found

    def claimed(self, *names: str) -> Step | None:
        """Claim the operation that is due, if one is."""
        wanted = names or tuple(
            f"v1/{GROUP}/{WORKFLOW}/{one}" for one in ("fetch", "load", "report")
        )
        request = ClaimRequest(engine_id=self.engine_id, request_id=new_id(), names=wanted)
        claimed: Claimed = self.call("claim", request=request)
        return claimed.steps[0] if claimed.steps else None

    def next_due(self) -> datetime | None:
        """When there is something to claim, if not now."""
        names = tuple(f"v1/{GROUP}/{WORKFLOW}/{one}" for one in ("fetch", "load", "report"))
        request = ClaimRequest(engine_id=self.engine_id, request_id=new_id(), names=names)
        claimed: Claimed = self.call("claim", request=request)
        assert not claimed.steps
        return claimed.next_due

    def settle(self, *settlements: Settlement) -> list[Verdict]:
        """Settle; must be accepted."""
        found: list[Verdict] = self.call(
            "settle", engine_id=self.engine_id, settlements=list(settlements)
        )
        return found

    def stage(
        self, step: Step, kind: str, payload: dict[str, Any], content: str | None = None
    ) -> Any:
        """Stage a write of an operation."""
        body = {
            "step_id": str(step.id),
            "claim_no": step.claim_no,
            "kind": kind,
            "payload": payload,
            "content": content,
        }
        return self.client.post(f"/runs/{self.run_id}/staged", json=body, headers=self.headers)

    def work(self, outcome: EndedAs = EndedAs.DONE, then: str | None = None, **fields: Any) -> Step:
        """Claim an operation and settle it, with the next one spawned."""
        step = self.claim()
        self.settle(settlement(step, outcome, then=then, **fields))
        return step


def settlement(
    step: Step,
    ended_as: EndedAs | None = EndedAs.DONE,
    *,
    then: str | None = None,
    duration: float = 1.0,
    **fields: Any,
) -> Settlement:
    """How an operation ended; `then` is the operation that it spawns."""
    additions = () if then is None else (following(step, then),)
    given = {"description": None, "failure_count": 0, **fields}
    return Settlement(
        claim=step.claim,
        ended_as=ended_as,
        activation_seen=step.activation_no,
        execution_started_at=clock.now(),
        execution_duration=duration,
        executed_by="the test",
        additions=additions,
        **given,
    )


def following(step: Step, operation: str) -> Addition:
    """The next operation's row."""
    name = f"{step.name.rpartition('/')[0]}/{operation}"
    return seal(new_step(name, queue="runs"), JSON, clock.now(), step)


def rows(server: Server, run: dict[str, Any]) -> list[Step]:
    """The rows of a run, in the order in which they came."""
    with server.db.read() as conn:
        return closing.rows(server.db.steps(conn), UUID(run["id"]))


def pass_time(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """The server's clock, but not that of its steps, is so many seconds ahead."""
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(seconds=seconds))


def stop_clock(monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    """The server's clock, but not that of its steps, stands still."""
    monkeypatch.setattr(clock, "now", lambda: at)


Pods: TypeAlias = Callable[..., Pod]
Work: TypeAlias = Callable[..., None]
