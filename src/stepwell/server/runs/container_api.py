"""Routes for a run's container, which shows its run token (R35): work, state, staged writes."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Query
from fastapi.security import HTTPAuthorizationCredentials
from sqlalchemy import RowMapping
from starlette.requests import Request

from stepwell.server.http import BEARER, Call, Router, reads, services_of, writes
from stepwell.server.runs import progress, queries, scopes, staging, tokens
from stepwell.server.runs.asking import Question, admit
from stepwell.server.runs.records import (
    Assignment,
    Container,
    ProgressTold,
    Staged,
    Staging,
    StateKeys,
    StateValue,
)
from stepwell.server.runs.scoped import VERBS, VerbUnknown
from stepwell.server.state import service as state
from stepwell.stores.wire import signature

router = Router(prefix="/runs/{run_id}", tags=["containers"])


def container(
    request: Request,
    run_id: UUID,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
) -> Container:
    """The attempt that the run token speaks for; `Unauthenticated` without one."""
    secret = None if credentials is None else credentials.credentials
    return tokens.holder(services_of(request).settings.signing_key, run_id, secret)


_KEYS: Final = 1000
Operation = Annotated[str | None, Query(max_length=100, pattern=r"^[a-z][a-z0-9-]*$")]
Reading = Annotated[Call, reads(container)]
Writing = Annotated[Call, writes(container, keyed=False)]


@router.get("/assignment")
def assignment(call: Reading, run_id: UUID) -> Assignment:
    """What this container is to do."""
    run = admitted(call, queries.get(call.conn, run_id))
    fields = ("workflow", "attempt", "parameters", "due_at")
    return Assignment(
        run_id=run_id, group=run["group_name"], **{name: run[name] for name in fields}
    )


@router.get("/state")
def read_state(
    call: Reading, run_id: UUID, scope: str, key: str, operation: Operation = None
) -> StateValue:
    """A committed value of the own group; version 0 where there is none."""
    run = admitted(call, queries.get(call.conn, run_id))
    found = StateValue(**staging.read(call.conn, run, scope, key))
    if found.exists and operation is not None and not run["trial"]:
        reader = f"{run['workflow']}/{operation}"
        place = scopes.now_called(call.conn, run, scope)
        state.note_reader(call.db, run["group_name"], place, key, reader, run_id)
    return found


@router.get("/state-keys")
def list_state_keys(
    call: Reading, run_id: UUID, scope: str, prefix: str = "", after: str = ""
) -> StateKeys:
    """The keys of a scope that have a value and begin so, in order, a thousand at a time."""
    run = admitted(call, queries.get(call.conn, run_id))
    found = scopes.keys(call.conn, run, scope, prefix, after, _KEYS + 1)
    return StateKeys(keys=found[:_KEYS], more=len(found) > _KEYS)


@router.post("/staged", status_code=201)
def stage(call: Writing, run_id: UUID, body: Staging) -> Staged:
    """Keep a state value or report until the operation's settlement (R38)."""
    run = admitted(call, queries.lock(call.conn, run_id))
    settings = call.services.settings
    return staging.stage(call.conn, call.db.steps(call.conn), run, body, settings)


@router.post("/progress", status_code=204)
def tell_progress(call: Writing, run_id: UUID, body: ProgressTold) -> None:
    """How far the operation is; what comes too late is dropped without a word."""
    run = admitted(call, queries.lock(call.conn, run_id))
    progress.tell(call.conn, call.db.steps(call.conn), run, body)


@router.post("/store/{verb}")
def store(call: Writing, run_id: UUID, verb: str, body: dict[str, Any]) -> dict[str, Any]:
    """One verb of the step store, scoped to this run; see `stepwell.stores.wire`."""
    if verb not in VERBS:
        raise VerbUnknown(f"A container's store has no {verb!r}.", fix=f"It has {sorted(VERBS)}.")
    assert isinstance(call.user, Container)
    answer = Question(call.services, call.user, verb, body)(call.conn)
    return {"result": signature(verb).result.dump_python(answer, mode="json")}


def admitted(call: Call, run: RowMapping | None) -> RowMapping:
    """The header, if the caller's attempt is still the run's own.

    Raises
    ------
    RunTokenRevoked : the run has ended or is being cancelled, or the attempt is over.
    """
    assert isinstance(call.user, Container)
    return admit(call.conn, call.user, run)[0]
