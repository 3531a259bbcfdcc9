"""Idempotency: a repeated `Idempotency-Key` gets the first answer, and nothing happens twice.

The answer is stored in the transaction of its effect, so there is no moment in
which one exists without the other. Errors are not stored: what failed changed
nothing, and may be tried again under the same key. Of an answer that holds a secret
is stored that there was one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from fastapi.encoders import jsonable_encoder
from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from starlette.responses import Response

from stepwell import clock
from stepwell.errors import Conflict
from stepwell.server.database.tables import answers

KEPT: Final = timedelta(hours=24)
"""For so long a key is remembered."""


class IdempotencyKeyReused(Conflict):
    """The key was used for another request."""

    code = "idempotency-key-reused"


class AnswerNotKept(Conflict):
    """What the key was used for was done, and its answer held a secret."""

    code = "answer-not-kept"


@dataclass(frozen=True, slots=True)
class Request:
    """What makes two requests the same one: caller, key, method and path, arguments."""

    caller: str
    key: str
    path: str
    arguments: dict[str, Any]

    @property
    def hash(self) -> str:
        """SHA-256 over path and arguments, as hex."""
        content = json.dumps([self.path, jsonable_encoder(self.arguments)], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


def once(
    conn: Connection, request: Request, act: Callable[[], Any], *, secret: bool = False
) -> Any:
    """What `act` returns, or the stored answer to the same request.

    Raises
    ------
    IdempotencyKeyReused : the key belongs to a request with other contents.
    AnswerNotKept : it was done before, and its answer was a secret.
    """
    _forget_old(conn, request.caller)
    if not _reserve(conn, request):
        return _answer(conn, request)
    answer = act()
    if isinstance(answer, Response):  # written by hand: there is nothing to make it from again
        conn.execute(delete(answers).where(*_mine(request)))
        return answer
    if not secret:
        stored = {"answer": jsonable_encoder(answer)}
        conn.execute(update(answers).where(*_mine(request)).values(answer=stored))
    return answer


def _forget_old(conn: Connection, caller: str) -> None:
    old = answers.c.created_at < clock.now() - KEPT
    conn.execute(delete(answers).where(answers.c.caller == caller, old))


def _reserve(conn: Connection, request: Request) -> bool:
    """False if the key exists; waits for a transaction that is about to use the same one."""
    insert = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    row = insert(answers).values(
        caller=request.caller,
        key=request.key,
        request_hash=request.hash,
        created_at=clock.now(),
    )
    inserted = row.on_conflict_do_nothing().returning(answers.c.key)
    return conn.execute(inserted).first() is not None


def _answer(conn: Connection, request: Request) -> Any:
    row = conn.execute(select(answers).where(*_mine(request))).one()
    if row.request_hash != request.hash:
        raise IdempotencyKeyReused(
            f"The idempotency key {request.key!r} was used for another request.",
            fix="Use a new key for each new request, and the same one only for its repetition.",
        )
    if row.answer is None:
        raise AnswerNotKept(
            f"What was asked for under the idempotency key {request.key!r} was done before.",
            why="The first answer held a secret, which is not kept.",
            fix="If that answer was lost, take back what it made, and ask anew under a new key.",
        )
    return row.answer["answer"]


def _mine(request: Request) -> tuple[Any, ...]:
    return (answers.c.caller == request.caller, answers.c.key == request.key)
