"""Background work of the room: decide whom to tell, tell what was counted, deliver."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from stepwell import clock
from stepwell.errors import StepwellError
from stepwell.events import emit
from stepwell.outcome import Outcome, done, rerun
from stepwell.registry import Registry
from stepwell.server.notifications import queries, sending, telling
from stepwell.server.notifications.records import DeliveryState, Message
from stepwell.server.notifications.service import NOTIFY
from stepwell.server.services import RETRY, Services

DELAYS: Final = (10.0, 60.0, 300.0, 1800.0, 7200.0, 21600.0, 43200.0)
"""Seconds until a message that was not taken is sent again; after the last one it has failed."""


def register(registry: Registry, services: Services) -> None:
    """Add the handlers of this room."""

    @registry.handler(NOTIFY, retry=RETRY)
    def notify(state: dict[str, Any]) -> Outcome:
        with services.db.write() as conn:
            return done(telling.tell(conn, services, UUID(state["occasion_id"])))

    @registry.handler(telling.DIGEST, retry=RETRY)
    def again(state: dict[str, Any]) -> Outcome:
        with services.db.write() as conn:
            target = UUID(state["target_id"])
            return done(telling.tell_pending(conn, services, state["cause"], target))

    @registry.handler(telling.DELIVER, retry=RETRY)
    def deliver(state: dict[str, Any]) -> Outcome:
        return attempt(services, UUID(state["delivery_id"]))


def attempt(services: Services, delivery_id: UUID) -> Outcome:
    """Send once; no transaction is open meanwhile. The same id may arrive twice after a crash."""
    with services.db.read() as conn:
        row = queries.delivery(conn, delivery_id)
        target = None if row is None else dict(queries.target(conn, row["target_id"]))
    if row is None or target is None or row["state"] != DeliveryState.WAITING:
        return done(description="There is nothing to send.")
    if target["removed_at"] is not None:
        return _end(services, delivery_id, row["attempts"], "The target was removed.")
    message = Message.model_validate(row["message"])
    try:
        answer = sending.send(services.settings, target, delivery_id, message)
    except StepwellError as error:
        emit("notification.failed", delivery=delivery_id, target=target["name"], error=str(error))
        return _not_taken(services, delivery_id, row["attempts"] + 1, str(error))
    emit("notification.sent", delivery=delivery_id, target=target["name"])
    _change(services, delivery_id, DeliveryState.SENT, row["attempts"] + 1, answer)
    return done({"answer": answer})


def _not_taken(services: Services, delivery_id: UUID, attempts: int, answer: str) -> Outcome:
    if attempts > len(DELAYS):
        return _end(services, delivery_id, attempts, answer)
    at = clock.now() + timedelta(seconds=DELAYS[attempts - 1])
    _change(services, delivery_id, DeliveryState.WAITING, attempts, answer, at)
    return rerun(at=at, description=answer)


def _end(services: Services, delivery_id: UUID, attempts: int, answer: str) -> Outcome:
    _change(services, delivery_id, DeliveryState.FAILED, attempts, answer)
    return done(description=answer)


def _change(
    services: Services,
    delivery_id: UUID,
    state: DeliveryState,
    attempts: int,
    answer: str,
    next_at: datetime | None = None,
) -> None:
    finished = None if state is DeliveryState.WAITING else clock.now()
    values = {"state": state, "attempts": attempts, "answer": answer}
    with services.db.write() as conn:
        queries.change_delivery(conn, delivery_id, next_at=next_at, finished_at=finished, **values)
